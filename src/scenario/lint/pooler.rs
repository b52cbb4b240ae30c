//! Advice on poolers: what they may open at their node, and whom they may have to turn away.

use super::{File, Node, Problems, warn};
use crate::scenario::grammar::{PoolMode, Pooler};

/// Connections that all processes together may open to the node. A deploy of the services adds none.
pub(super) fn backends(pooler: &Pooler) -> u64 {
    u64::from(pooler.processes) * u64::from(pooler.pool.max)
}

/// Connections that services may open to a node, or to its pooler.
pub(super) fn connections(file: &File, node: &str) -> u64 {
    let pools = file.service.values().filter_map(|service| {
        let pool = service.pool.get(node)?;
        Some(u64::from(service.containers.max) * u64::from(pool.max))
    });
    pools.sum()
}

/// The services' connections against what the pooler of a node takes, and what it has for them.
pub(super) fn clients(file: &File, tree: &Node, name: &str, pooler: &Pooler, problems: &mut Problems) {
    if file.service.values().any(|service| service.pool.keys().any(|node| !file.postgres.contains_key(node)))
    {
        return;
    }
    let path = format!("postgres.{name}.pooler");
    let (clients, places) =
        (connections(file, name), u64::from(pooler.processes) * u64::from(pooler.max_clients));
    if clients > places {
        let message = format!(
            "the pools may open {clients} connections to the pooler of `{name}`, which takes {places}"
        );
        let help = "raise `max_clients`, or lower a pool's `max`".to_owned();
        warn(problems, tree, &format!("{path}.max_clients"), message, help);
    } else if 2 * clients > places {
        let message = format!(
            "while a deploy replaces the containers, the pools may open {} connections to the pooler of `{name}`, \
             which takes {places}",
            2 * clients
        );
        let help = "raise `max_clients`, or lower a pool's `max`".to_owned();
        warn(problems, tree, &format!("{path}.max_clients"), message, help);
    }
    let servers = backends(pooler);
    if pooler.mode == PoolMode::Session && servers < clients {
        let message = format!(
            "{clients} connections share {servers}, each for as long as it is open: the others wait until one closes"
        );
        let help = "write \"transaction\", or raise `max` of the pooler's `pool`".to_owned();
        warn(problems, tree, &format!("{path}.mode"), message, help);
    }
}
