//! Whether the steps of a request make sense, and lead to queries, nodes and pools that there are.

use super::{Checker, NO_LIMIT};
use crate::scenario::grammar::{Request, Step};

impl Checker<'_> {
    pub(super) fn request(&mut self, name: &str, request: &Request) {
        let base = format!("request.{name}");
        let file = self.file;
        self.name(&format!("{base}.service"), "service", &request.service, file.service.keys());
        self.clock(&format!("{base}.timeout"), request.timeout, NO_LIMIT);
        self.clock(&format!("{base}.patience"), request.patience, NO_LIMIT);
        for (index, step) in request.steps.iter().enumerate() {
            self.step(&format!("{base}.steps.{index}"), step, request);
        }
        if let Some(retry) = &request.retry {
            self.retry(&format!("{base}.retry"), retry);
        }
        if let Some(retry) = &request.handler_retry {
            self.handler_retry(&format!("{base}.handler_retry"), retry);
        }
    }

    fn step(&mut self, path: &str, step: &Step, request: &Request) {
        let kinds = [step.app.is_some(), step.query.is_some(), step.transaction.is_some()];
        if kinds.iter().filter(|kind| **kind).count() != 1 {
            let message = "a step is exactly one of `app`, `query` and `transaction`";
            self.error(path, message, "write one step for each");
            return;
        }
        if step.times.is_some() && step.query.is_none() {
            self.error(&format!("{path}.times"), "only a `query` can have `times`", "remove it");
        }
        let file = self.file;
        let queries = step.query.iter().chain(step.transaction.iter().flatten());
        for query in queries {
            let key = if step.query.is_some() { "query" } else { "transaction" };
            self.name(&format!("{path}.{key}"), "query", query, file.query.keys());
        }
        if step.think.is_some() && step.app.is_some() {
            self.error(
                &format!("{path}.think"),
                "`think` goes with `query` and `transaction`",
                "add it to the time in `app`",
            );
        }
        if let Some(transaction) = &step.transaction {
            let path = format!("{path}.transaction");
            if transaction.is_empty() {
                self.error(&path, "a transaction of nothing", "name its queries");
            }
            self.lock_order(&path, transaction);
        }
        match &step.on {
            None if step.app.is_none() => {
                let help = "add `on`, the Postgres node";
                self.error(path, "this step does not say where its query runs", help);
            }
            None => {}
            Some(_) if step.app.is_some() => {
                self.error(&format!("{path}.on"), "time in the application runs on no node", "remove `on`");
            }
            Some(node) => self.step_node(&format!("{path}.on"), node, &request.service),
        }
    }

    /// The node or endpoint must exist, and the service must have a pool for it.
    fn step_node(&mut self, path: &str, node: &str, service: &str) {
        let file = self.file;
        if file.endpoint.contains_key(node) {
            return self.step_endpoint(path, node, service);
        }
        if !self.name(path, "postgres node", node, file.postgres.keys().chain(file.endpoint.keys())) {
            return;
        }
        if file.service.get(service).is_some_and(|service| !service.pool.contains_key(node)) {
            let message = format!("service `{service}` has no pool for `{node}`");
            self.error(path, message, format!("add a table `[service.{service}.pool.{node}]`"));
        }
    }
}
