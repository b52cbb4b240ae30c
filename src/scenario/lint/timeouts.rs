//! Timeouts that can never fire, because another clock runs out first.
//!
//! A pool's clock is in vain where the requests of every class that uses it are over before. Postgres' own
//! clock on a statement is not: it also ends what nobody waits for any more.

use super::warn;
use crate::engine::time::Span;
use crate::scenario::grammar::{File, Pool, Request, Service};
use crate::scenario::problem::Problems;
use crate::scenario::tree::Node;

/// Says which.
pub(super) fn check(file: &File, tree: &Node, problems: &mut Problems) {
    for (name, request) in &file.request {
        if let Some(service) = file.service.get(&request.service) {
            of_request(name, request, service, tree, problems);
        }
    }
    for (name, service) in file.service.iter().filter(|_| all_lead_somewhere(file)) {
        for (node, pool) in &service.pool {
            let with = |request: &&Request| request.service == *name && asks(file, request, node);
            let with_it: Vec<(&String, &Request)> =
                file.request.iter().filter(|(_, request)| with(request)).collect();
            of_pool(&format!("service.{name}.pool.{node}"), service, pool, &with_it, (tree, &mut *problems));
        }
    }
    for (name, node) in &file.postgres {
        if let (Some(statement), Some(lock)) = (node.statement_timeout.0, node.lock_timeout.0)
            && lock >= statement
        {
            let message = format!("`lock_timeout`, {lock}, cannot fire: statements end after {statement}");
            let help = format!("set `lock_timeout` below {statement}");
            warn(problems, tree, &format!("postgres.{name}.lock_timeout"), message, help);
        }
    }
}

/// Whether it is known which pool each request asks.
fn all_lead_somewhere(file: &File) -> bool {
    let node = |on: &String| file.postgres.contains_key(on) || file.endpoint.contains_key(on);
    file.request.values().all(|request| {
        file.service.contains_key(&request.service)
            && request.steps.iter().filter_map(|step| step.on.as_ref()).all(node)
    })
}

/// Whether a request may be sent to a node: by its name or an endpoint's, or where that one's breaker turns.
fn asks(file: &File, request: &Request, node: &str) -> bool {
    request.steps.iter().filter_map(|step| step.on.as_deref()).any(|on| match file.endpoint.get(on) {
        Some(endpoint) => endpoint.node == node || endpoint.fallback.as_deref() == Some(node),
        None => on == node,
    })
}

fn of_request(name: &str, request: &Request, service: &Service, tree: &Node, problems: &mut Problems) {
    if request.timeout.0.is_some_and(|own| own > service.request_timeout) {
        let message = format!("the timeout of `{name}` cannot fire: its service ends requests earlier");
        let help = format!("shorten it below {}", service.request_timeout);
        warn(problems, tree, &format!("request.{name}.timeout"), message, help);
    }
    if let (Some(pending), Some(patience)) = (service.pending_deadline, request.patience.0)
        && patience <= pending
    {
        let message = format!("clients of `{name}` leave after {patience}, before this deadline");
        let path = format!("service.{}.pending_deadline", request.service);
        warn(problems, tree, &path, message, format!("shorten it below {patience}"));
    }
}

/// The clocks of a pool, held against whoever of those that use it waits longest.
fn of_pool(
    path: &str,
    service: &Service,
    pool: &Pool,
    with_it: &[(&String, &Request)],
    (tree, problems): (&Node, &mut Problems),
) {
    let patience = |request: &Request| request.patience.0.unwrap_or(Span::FOREVER);
    let last = with_it.iter().max_by_key(|(_, request)| patience(request));
    if let (Some((name, request)), Some(acquire)) = (last, pool.acquire_timeout.0)
        && patience(request) <= acquire
    {
        let patience = patience(request);
        let message = format!(
            "clients of `{name}` leave after {patience}, before `acquire_timeout`, {acquire}, has passed"
        );
        let help = format!("set `acquire_timeout` below {patience}");
        warn(problems, tree, &format!("{path}.acquire_timeout"), message, help);
    }
    let deadline =
        |request: &Request| request.timeout.0.unwrap_or(Span::FOREVER).min(service.request_timeout);
    let Some((name, request)) = with_it.iter().max_by_key(|(_, request)| deadline(request)) else { return };
    let deadline = deadline(request);
    for (key, limit) in [("query_timeout", pool.query_timeout), ("acquire_timeout", pool.acquire_timeout)] {
        if let Some(limit) = limit.0.filter(|limit| *limit >= deadline) {
            let message = format!("`{key}`, {limit}, cannot fire: requests `{name}` end after {deadline}");
            let help = format!("set `{key}` below {deadline}");
            warn(problems, tree, &format!("{path}.{key}"), message, help);
        }
    }
}
