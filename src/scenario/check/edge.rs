//! The edge, endpoints and devices: names that lead somewhere, and breakers that can open.

use super::Checker;
use crate::engine::time::Span;
use crate::scenario::grammar::{Breaker, OriginOutageMode, Outcome, Retry};

/// What a query or a transaction can end with: all that its handler can run again.
const OF_A_STATEMENT: [Outcome; 7] = [
    Outcome::ServerError,
    Outcome::PoolTimeout,
    Outcome::ConnectRefused,
    Outcome::QueryTimeout,
    Outcome::StatementTimeout,
    Outcome::LockTimeout,
    Outcome::ConnectionLost,
];

/// The most loops of devices: each has an event of its own in memory.
const MOST_LOOPS: f64 = 10_000_000.0;

impl Checker<'_> {
    pub(super) fn endpoints(&mut self) {
        let file = self.file;
        for (name, endpoint) in &file.endpoint {
            let base = format!("endpoint.{name}");
            if file.postgres.contains_key(name) {
                let message =
                    format!("`{name}` is a Postgres node and an endpoint: which one is meant by `on`?");
                self.error(&base, message, "give the endpoint another name");
            }
            self.name(&format!("{base}.node"), "postgres node", &endpoint.node, file.postgres.keys());
            if let Some(fallback) = &endpoint.fallback {
                self.name(&format!("{base}.fallback"), "postgres node", fallback, file.postgres.keys());
            }
            if let Some(breaker) = &endpoint.breaker {
                self.breaker(&format!("{base}.breaker"), breaker);
                if endpoint.fallback.is_none() {
                    let help = "add `fallback`, the node that takes over while it is open";
                    self.error(&format!("{base}.breaker"), "a breaker that leads nowhere", help);
                }
            }
        }
    }

    pub(super) fn edge(&mut self) {
        let (file, edge) = (self.file, &self.file.edge);
        for (place, class) in edge.serves.iter().enumerate() {
            self.name(&format!("edge.serves.{place}"), "request", class, file.request.keys());
        }
        if edge.origin_outage_mode != OriginOutageMode::Off && edge.serves.is_empty() {
            let help = "add `serves`, the request classes that it can answer";
            self.error("edge.origin_outage_mode", "the edge answers, but no class", help);
        }
        if edge.origin_outage_mode == OriginOutageMode::Automatic && edge.breaker.is_none() {
            let help = "add a table `[edge.breaker]`";
            self.error("edge.origin_outage_mode", "nothing turns the mode on", help);
        }
        if let Some(breaker) = &edge.breaker {
            self.breaker("edge.breaker", breaker);
        }
    }

    pub(super) fn devices(&mut self) {
        let file = self.file;
        for (name, device) in &file.device {
            let base = format!("device.{name}");
            self.name(&format!("{base}.request"), "request", &device.request, file.request.keys());
            if file.traffic.contains_key(name) {
                let message = format!("`{name}` is a source of traffic and devices");
                self.error(&base, message, "give the devices another name");
            }
            let refreshes = device.loops();
            if refreshes > MOST_LOOPS {
                let message = format!("`{name}` refresh in {refreshes} loops at once; at most {MOST_LOOPS}");
                self.error(
                    &format!("{base}.count"),
                    message,
                    "let one device stand for many: fewer, and fewer cores",
                );
            }
            self.pause(&format!("{base}.refresh_age"), self.greatest(&device.refresh_age), "50s");
            self.pause(&format!("{base}.poll"), device.poll, "5s");
        }
    }

    /// What ended well is not tried again.
    pub(super) fn retry(&mut self, base: &str, retry: &Retry) {
        if let Some(place) = retry.on.iter().position(|outcome| *outcome == Outcome::Ok) {
            let help = "remove it: name the outcomes after which a client tries again";
            self.error(&format!("{base}.on.{place}"), "nobody tries again what ended well", help);
        }
    }

    /// What a handler runs again can only be what a statement ends with.
    pub(super) fn handler_retry(&mut self, base: &str, retry: &Retry) {
        for (place, outcome) in retry.on.iter().enumerate() {
            if !OF_A_STATEMENT.contains(outcome) {
                let message = format!("no query ends with `{}`", outcome.name());
                let names = OF_A_STATEMENT.map(Outcome::name).join("`, `");
                self.error(&format!("{base}.on.{place}"), message, format!("choose from `{names}`"));
            }
        }
        if retry.budget.is_some() {
            let help = "remove it; `attempts` bounds a handler";
            self.error(&format!("{base}.budget"), "a handler has no retry budget", help);
        }
    }

    /// The nodes that an endpoint leads to must have pools in the service.
    pub(super) fn step_endpoint(&mut self, path: &str, endpoint: &str, service: &str) {
        let file = self.file;
        let (of, Some(service_table)) = (&file.endpoint[endpoint], file.service.get(service)) else { return };
        for node in [Some(&of.node), of.fallback.as_ref()].into_iter().flatten() {
            if file.postgres.contains_key(node) && !service_table.pool.contains_key(node) {
                let message = format!("`{endpoint}` leads to `{node}`, for which `{service}` has no pool");
                self.error(path, message, format!("add a table `[service.{service}.pool.{node}]`"));
            }
        }
    }

    fn breaker(&mut self, base: &str, breaker: &Breaker) {
        if breaker.window == Span::ZERO {
            self.error(&format!("{base}.window"), "a window of no length", "give it a length");
        }
        if breaker.failures.0 <= 0.0 {
            let path = format!("{base}.failures");
            self.error(&path, "a breaker that is open from the start", "raise the share of failures");
        }
    }
}
