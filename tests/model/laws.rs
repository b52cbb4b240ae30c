//! Queueing theory: a shared CPU is M/M/1 and M/M/c under processor sharing.
//!
//! Each law is judged on ten replications by their 99.9 % interval. Simulated: one node and one container
//! without network time, where nothing but the queue in question is in the way. Pools, other demands,
//! contention and much more are in `tests/validation`.

use crate::kit::{assert_agrees, load};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::fact::{Fact, Recorder};

/// Means over a run, without keeping its facts.
#[derive(Default)]
struct Means {
    ended: f64,
    latency: Span,
}

impl Recorder for Means {
    fn record(&mut self, _: Time, fact: Fact) {
        if let Fact::RequestEnded { latency, .. } = fact {
            self.ended += 1.0;
            self.latency += latency;
        }
    }
}

/// Mean latencies in seconds on ten seeds, of a CPU of so many cores behind a pool that never fills; a query
/// needs an exponential 1 ms.
fn responses(cores: u32, busy: f64, secs: u32) -> Vec<f64> {
    let rate = busy * f64::from(cores) * 1000.0;
    let scenario = load(&format!(
        r#"
schema_version = 1
title    = "A queue"
duration = "{secs}s"
[network]
database = "0s"
[postgres.primary]
cores           = {cores}
contention      = 1e6
max_connections = 5000
[service.api]
containers  = {{ min = 1, max = 1 }}
concurrency = 100000
[service.api.pool.primary]
min = 1000
max = 1000
[query.lookup]
cpu = {{ exponential = "1ms" }}
[request.sign-in]
service = "api"
steps   = [{{ query = "lookup", on = "primary" }}]
[traffic.users]
request = "sign-in"
rate    = "{rate}/s"
"#
    ));
    let run = |seed| experiment::record(&scenario, seed, Means::default());
    (1..=10).map(run).map(|means| means.latency.as_secs() / means.ended).collect()
}

/// One core is M/M/1 under processor sharing: mean response 1/(mu − lambda).
#[test]
fn one_core_is_m_m_1() {
    for busy in [0.3, 0.7] {
        let theory = 1.0 / (1000.0 - 1000.0 * busy);
        assert_agrees(&format!("busy {busy}"), &responses(1, busy, 100), theory, 0.05);
    }
}

/// Several cores respond as M/M/c does: service time and Erlang's wait, 0.745541 service times for four that
/// are busy 0.8 of the time.
#[test]
fn several_cores_are_m_m_c() {
    assert_agrees("4 cores", &responses(4, 0.8, 50), 0.001 * 1.745541, 0.05);
}
