//! What the names and roles of Postgres nodes and the locks of transactions ask of a scenario.
//!
//! A replica replays a node that takes writes; only such a node has a standby. Transactions take their row
//! locks in the order of the tables `[query.*]`, so that no two of them can wait for each other.

use super::Checker;
use crate::scenario::grammar::Deed;

/// Who served a request beside the nodes, in tables and texts.
const SERVED_BY_NO_NODE: [&str; 2] = ["edge", "nobody"];

impl Checker<'_> {
    /// That a node cannot be mistaken for what is none.
    pub(super) fn node_name(&mut self, name: &str) {
        if SERVED_BY_NO_NODE.contains(&name) {
            let message =
                format!("no node may be called `{name}`: tables of who served requests mean no node by it");
            self.error(&format!("postgres.{name}"), message, "give it another name");
        }
    }

    /// That replicas replay primaries, and only those have a standby.
    pub(super) fn roles(&mut self) {
        let file = self.file;
        for (name, node) in &file.postgres {
            let Some(primary) = &node.replica_of else { continue };
            let path = format!("postgres.{name}.replica_of");
            if !self.name(&path, "postgres node", primary, file.postgres.keys()) {
                continue;
            }
            if primary == name {
                self.error(&path, format!("`{name}` cannot replay itself"), "name its primary");
            } else if file.postgres[primary].replica_of.is_some() {
                let message = format!("`{primary}`, which `{name}` is to replay, is a replica itself");
                self.error(&path, message, "name the primary of both");
            }
            if node.ha.is_some() {
                let message = format!("`{name}` is a replica: it has no standby");
                let help = "give `ha` to its primary, or remove `replica_of`";
                self.error(&format!("postgres.{name}.ha"), message, help);
            }
        }
    }

    /// That deeds are done to nodes that they can be done to.
    pub(super) fn node_deed(&mut self, path: impl Fn(&str) -> String, deed: &Deed) {
        let file = self.file;
        match deed {
            Deed::Deploy(_) | Deed::Crash(_) => {}
            Deed::Restart(node) => {
                self.name(&path("restart"), "postgres node", node, file.postgres.keys());
            }
            Deed::Promote(node) => {
                let path = path("promote");
                if self.name(&path, "postgres node", node, file.postgres.keys())
                    && file.postgres[node].replica_of.is_none()
                {
                    let message = format!("`{node}` is no replica: it cannot be promoted");
                    self.error(&path, message, "name a node that has `replica_of`");
                }
            }
            Deed::Failover(node) => {
                let path = path("failover");
                if self.name(&path, "postgres node", node, file.postgres.keys())
                    && file.postgres[node].ha.is_none()
                {
                    let message = format!("`{node}` has no standby that could take over");
                    self.error(&path, message, format!("add `postgres.{node}.ha = {{}}`"));
                }
            }
        }
    }

    /// That a transaction takes its locks in the order of the file, each once: so there are no deadlocks.
    pub(super) fn lock_order(&mut self, path: &str, transaction: &[String]) {
        let file = self.file;
        let locks = |query: &&String| file.query.get(*query).is_some_and(|query| query.lock.is_some());
        let locked: Vec<&String> = transaction.iter().filter(locks).collect();
        for pair in locked.windows(2) {
            let places = [pair[0], pair[1]].map(|query| file.query.get_index_of(query));
            let (first, then) = (pair[0], pair[1]);
            if first == then {
                let message =
                    format!("this transaction locks a row of `{first}` twice: two such could deadlock");
                let help = "let one of them be a query without `lock`";
                self.error(path, message, help);
            } else if places[0] > places[1] {
                let message = format!(
                    "this transaction locks `{first}` before `{then}`, which stands earlier in the file: it could deadlock with one that does not"
                );
                let help = format!(
                    "let `{then}` come first here, or move [query.{first}] before [query.{then}]: locks are taken in the order of the tables"
                );
                self.error(path, message, help);
            }
        }
    }
}
