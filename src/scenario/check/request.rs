//! Whether the steps of a request make sense, and lead to queries, nodes and pools that there are.

use super::{Checker, NO_LIMIT};
use crate::scenario::grammar::{Request, Step, WorkQueue};

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
        let kinds =
            [step.app.is_some(), step.query.is_some(), step.transaction.is_some(), step.enqueue.is_some()];
        if kinds.iter().filter(|kind| **kind).count() != 1 {
            let message = "a step is exactly one of `app`, `query`, `transaction` and `enqueue`";
            self.error(path, message, "write one step for each");
            return;
        }
        if step.times.is_some() && step.query.is_none() && step.enqueue.is_none() {
            let message = "only a `query` or `enqueue` can have `times`";
            self.error(&format!("{path}.times"), message, "remove it");
        }
        let file = self.file;
        let queries = step.query.iter().chain(step.transaction.iter().flatten());
        for query in queries {
            let key = if step.query.is_some() { "query" } else { "transaction" };
            self.name(&format!("{path}.{key}"), "query", query, file.query.keys());
        }
        if let Some(queue) = &step.enqueue {
            self.name(&format!("{path}.enqueue"), "queue", queue, file.queue.keys());
        }
        let asks_a_node = step.query.is_some() || step.transaction.is_some();
        if step.think.is_some() && !asks_a_node {
            let help = if step.app.is_some() { "add it to the time in `app`" } else { "write a step `app`" };
            self.error(&format!("{path}.think"), "`think` goes with `query` and `transaction`", help);
        }
        if let Some(transaction) = &step.transaction {
            let path = format!("{path}.transaction");
            if transaction.is_empty() {
                self.error(&path, "a transaction of nothing", "name its queries");
            }
            self.lock_order(&path, transaction);
        }
        match &step.on {
            None if asks_a_node => {
                let help = "add `on`, the Postgres node";
                self.error(path, "this step does not say where its query runs", help);
            }
            None => {}
            Some(_) if !asks_a_node => {
                let what = if step.app.is_some() { "time in the application runs" } else { "a queue is" };
                self.error(&format!("{path}.on"), format!("{what} on no node"), "remove `on`");
            }
            Some(node) => self.step_node(&format!("{path}.on"), node, &request.service),
        }
    }

    /// That a queue hands on what there is, and that nothing comes back to it.
    pub(super) fn queue(&mut self, name: &str, queue: &WorkQueue) {
        let (file, path) = (self.file, format!("queue.{name}.request"));
        if !self.name(&path, "request", &queue.request, file.request.keys()) {
            return;
        }
        let comes_back = |class: &&str| {
            let steps = file.request.get(*class).into_iter().flat_map(|request| &request.steps);
            steps.filter_map(|step| step.enqueue.as_deref()).any(|into| into == name)
        };
        if let Some(class) = file.set_off_by(&queue.request).into_keys().find(comes_back) {
            let message = format!("what `{name}` hands on comes back to it by `{class}`: it would never end");
            self.error(&path, message, "let what tries again be a `retry` of the class");
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
