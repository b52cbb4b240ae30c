//! One container and its Postgres, for what a single part of the model costs.

use herdsim::engine::chance::Stream;
use herdsim::engine::slab::{Id, Slab};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::connection::{Connection, Leg};
use herdsim::model::fact::{Fact, Recorder};
use herdsim::model::pool::{Home, Pool};
use herdsim::scenario::{AS_WRITTEN, Document, Scenario};
use std::sync::Arc;

/// The connections of its pool.
pub const MAX: u32 = 1_000;

/// A query changes a row every half a millisecond; what it locks is still to be said.
const FLEET: &str = r#"
schema_version = 1
title    = "One container"
duration = "10s"
[postgres.primary]
cores           = 4
max_connections = 5000
[service.api]
containers  = { min = 1, max = 1 }
concurrency = 1000
[request.change]
service = "api"
steps   = [{ query = "change", on = "primary" }]
[traffic.users]
request = "change"
rate    = "2000/s"
[query.change]
cpu    = { exponential = "0.3ms" }
writes = true
"#;

/// The fleet with one more line about its query.
pub fn fleet(query: &str) -> Scenario {
    let pool = format!("[service.api.pool.primary]\npreset = \"pgxpool\"\nmax = {MAX}\n");
    let text = format!("{FLEET}{query}\n{pool}");
    let (document, _) = Document::from_text("fleet.toml", &text).expect("a fleet");
    document.scenario(AS_WRITTEN).expect("as written").clone()
}

/// A pool with so many idle connections, [`MAX`] at most.
pub fn pool(idle: u32) -> (Pool, Slab<Connection>) {
    let settings = fleet("").file.service["api"].pool["primary"].clone();
    let home = Home { service: 0, container: Id::NONE, place: 0, node: 0, leg: Leg::Direct, number: 0 };
    let (mut pool, mut wires) = (Pool::new(home, Arc::new(settings), Stream::root(1)), Slab::default());
    for _ in 0..idle {
        pool.adopt(&mut wires, Span::ZERO);
    }
    (pool, wires)
}

/// What a run without any measure comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Requests that arrived.
    pub arrived: u64,
    /// Statements that had to wait for their row.
    pub waited: u64,
}

impl Recorder for Tally {
    fn record(&mut self, _: Time, fact: Fact) {
        self.arrived += u64::from(matches!(fact, Fact::RequestArrived { .. }));
        self.waited += u64::from(matches!(fact, Fact::LockQueued(_)));
    }
}

/// Runs a fleet.
pub fn tally(fleet: &Scenario) -> Tally {
    experiment::record(fleet, 1, Tally::default())
}
