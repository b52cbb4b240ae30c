//! How many things of a kind there may be: the model names them by small numbers, and would take one for
//! another beyond these.

use super::Checker;

/// The most entries of a table: nodes, services, request classes, ….
const MOST_OF_A_KIND: usize = 10_000;
/// The most pools of a service: one for each node that it uses.
const MOST_POOLS: usize = 256;
/// The most pools of all services.
const MOST_POOLS_IN_ALL: usize = 50_000;

impl Checker<'_> {
    /// No table has more entries than can be told apart.
    pub(super) fn many(&mut self) {
        let file = self.file;
        for (table, entries) in [
            ("postgres", file.postgres.len()),
            ("endpoint", file.endpoint.len()),
            ("service", file.service.len()),
            ("query", file.query.len()),
            ("request", file.request.len()),
            ("traffic", file.traffic.len()),
            ("device", file.device.len()),
            ("queue", file.queue.len()),
            ("job", file.job.len()),
        ] {
            self.at_most(table, &format!("entries of `{table}`:"), entries, MOST_OF_A_KIND);
        }
        for (name, service) in &file.service {
            let path = format!("service.{name}.pool");
            self.at_most(&path, &format!("pools of `{name}`:"), service.pool.len(), MOST_POOLS);
        }
        let pools = file.service.values().map(|service| service.pool.len()).sum::<usize>();
        self.at_most("service", "pools of all services:", pools, MOST_POOLS_IN_ALL);
    }

    fn at_most(&mut self, path: &str, who: &str, entries: usize, most: usize) {
        if entries > most {
            let message = format!("{who} {entries}; at most {most} can be told apart");
            self.error(path, message, "let one stand for several that are alike");
        }
    }
}
