//! Queueing theory: a shared CPU is M/M/1, M/M/c and M/G/1 under processor sharing, a pool is M/M/c.
//!
//! Each law is judged on ten replications by their 99.9 % interval. Simulated: one node and one container
//! without network time, where nothing but the queue in question is in the way.

use crate::kit::{assert_agrees, load};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::scenario::Scenario;
use herdsim::scenario::grammar::Outcome;
use std::collections::VecDeque;

/// Means over a run, without keeping its facts.
#[derive(Default)]
struct Means {
    ended: f64,
    ok: f64,
    pool_timeouts: f64,
    latency: Span,
    waiting: VecDeque<Time>,
    waited: f64,
    wait: Span,
}

impl Recorder for Means {
    fn record(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::RequestEnded { outcome, latency, .. } => {
                self.ended += 1.0;
                self.ok += f64::from(outcome == Outcome::Ok);
                self.pool_timeouts += f64::from(outcome == Outcome::PoolTimeout);
                self.latency += latency;
            }
            Fact::AcquireQueued(_) => self.waiting.push_back(now),
            Fact::AcquireDequeued(_) => {
                // First come, first served: who leaves the line is who came first.
                self.wait += now.since(self.waiting.pop_front().expect("someone waits"));
                self.waited += 1.0;
            }
            _ => {}
        }
    }
}

impl Means {
    /// Mean latency in seconds.
    fn response(&self) -> f64 {
        self.latency.as_secs() / self.ended
    }
}

/// The same on ten seeds.
fn replicate(scenario: &Scenario, value: impl Fn(&Means) -> f64) -> Vec<f64> {
    (1..=10).map(|seed| value(&experiment::record(scenario, seed, Means::default()))).collect()
}

/// One container and one node without network time; `cpu` is what a query needs, `pool` its connections.
fn system(cores: u32, contention: f64, pool: u32, cpu: &str, step: &str, rate: f64, secs: u32) -> Scenario {
    load(&format!(
        r#"
schema_version = 1
title    = "A queue"
duration = "{secs}s"
[network]
database = "0s"
[postgres.primary]
cores           = {cores}
contention      = {contention:?}
max_connections = 5000
[service.api]
containers  = {{ min = 1, max = 1 }}
concurrency = 100000
[service.api.pool.primary]
min = {pool}
max = {pool}
[query.lookup]
cpu = {cpu}
[request.sign-in]
service = "api"
steps   = [{step}]
[traffic.users]
request = "sign-in"
rate    = "{rate}/s"
"#
    ))
}

const QUERY: &str = r#"{ query = "lookup", on = "primary" }"#;
const EXPONENTIAL: &str = r#"{ exponential = "1ms" }"#;
const NO_CONTENTION: f64 = 1e6;

/// A CPU of so many cores behind a pool that never fills; a query needs 1 ms.
fn cpu(cores: u32, cpu: &str, busy: f64, secs: u32) -> Scenario {
    system(cores, NO_CONTENTION, 1000, cpu, QUERY, busy * f64::from(cores) * 1000.0, secs)
}

/// A pool of `servers` connections that requests hold for an exponential 10 ms, `busy` of the time.
fn pool(servers: u32, busy: f64, secs: u32) -> Scenario {
    let step = r#"{ transaction = ["lookup"], think = { exponential = "10ms" }, on = "primary" }"#;
    system(8, NO_CONTENTION, servers, "\"0s\"", step, busy * f64::from(servers) * 100.0, secs)
}

/// The chance to wait for one of `c` servers that are busy `rho` of the time (Erlang C).
fn erlang_c(c: u32, rho: f64) -> f64 {
    let b = erlang_b(c, rho * f64::from(c));
    b / (1.0 - rho * (1.0 - b))
}

/// The chance to be turned away from `c` servers under `load` (Erlang B), by its recursion.
fn erlang_b(c: u32, load: f64) -> f64 {
    (1..=c).fold(1.0, |b, n| load * b / (f64::from(n) + load * b))
}

/// The mean wait for one of `c` servers, in service times.
fn mean_wait(c: u32, rho: f64) -> f64 {
    erlang_c(c, rho) / (f64::from(c) * (1.0 - rho))
}

/// Our Erlang formulas give the values of the published tables.
#[test]
fn erlang_c_is_as_tabulated() {
    for (c, rho, wait, mean) in [
        (1, 0.9, 0.9, 9.0),
        (2, 0.9, 0.852632, 4.263158),
        (5, 0.8, 0.554113, 0.554113),
        (10, 0.8, 0.409180, 0.204590),
        (10, 0.95, 0.825586, 1.651171),
        (100, 0.95, 0.506457, 0.101291),
    ] {
        assert!((erlang_c(c, rho) - wait).abs() < 1e-6, "P(wait) of {c} servers at {rho}");
        assert!((mean_wait(c, rho) - mean).abs() < 1e-6, "mean wait for {c} servers at {rho}");
    }
    assert!((erlang_b(1000, 2016.0) - 0.504455).abs() < 1e-6);
}

/// One core is M/M/1 under processor sharing: mean response 1/(mu − lambda).
#[test]
fn one_core_is_m_m_1() {
    for busy in [0.3, 0.7] {
        let responses = replicate(&cpu(1, EXPONENTIAL, busy, 100), Means::response);
        assert_agrees(&format!("busy {busy}"), &responses, 1.0 / (1000.0 - 1000.0 * busy), 0.05);
    }
}

/// Several cores respond as M/M/c does: service time and Erlang's wait.
#[test]
fn several_cores_are_m_m_c() {
    let responses = replicate(&cpu(4, EXPONENTIAL, 0.8, 50), Means::response);
    assert_agrees("4 cores", &responses, 0.001 * (1.0 + mean_wait(4, 0.8)), 0.05);
}

/// Processor sharing does not see the shape of the demand: equal means give equal mean responses.
#[test]
fn processor_sharing_is_insensitive_to_the_demands_shape() {
    // Log-normal: mean = median × e^(sigma²/2); with p99 = 8 × median, sigma = ln 8 / z99.
    let sigma = libm::log(8.0) / 2.326_347_874_040_841;
    let median_ns = (1e6 / libm::exp(sigma * sigma / 2.0)).round();
    let log_normal =
        format!(r#"{{ log_normal = {{ median = "{median_ns}ns", p99 = "{}ns" }} }}"#, median_ns * 8.0);
    // Pareto: mean = scale × shape / (shape − 1); at 2.5 the variance is finite, the tail heavy.
    let pareto = r#"{ pareto = { scale = "0.6ms", shape = 2.5 } }"#;
    for demand in ["\"1ms\"", EXPONENTIAL, &log_normal, pareto] {
        let responses = replicate(&cpu(1, demand, 0.6, 100), Means::response);
        assert_agrees(demand, &responses, 0.001 / (1.0 - 0.6), 0.06);
    }
}

/// A full pool is M/M/c: the chance to wait for a connection and the mean wait are Erlang's.
#[test]
fn a_pool_is_m_m_c() {
    for (servers, busy) in [(5, 0.8), (10, 0.8)] {
        let scenario = pool(servers, busy, 300);
        let chances = replicate(&scenario, |run| run.waited / run.ended);
        let waits = replicate(&scenario, |run| run.wait.as_secs() / run.ended);
        let what = format!("{servers} connections, {busy} busy");
        assert_agrees(&what, &chances, erlang_c(servers, busy), 0.05);
        assert_agrees(&what, &waits, 0.01 * mean_wait(servers, busy), 0.12);
    }
}

/// The share of requests that time out at a pool with a fixed acquire timeout (M/M/c+D), `limit` in service
/// times.
fn timeout_share(c: u32, rho: f64, limit: f64) -> f64 {
    let (servers, lambda) = (f64::from(c), rho * f64::from(c));
    let b = erlang_b(c, lambda);
    let spare = lambda - servers;
    let tail = libm::exp(spare * limit);
    let between = if spare == 0.0 { servers * limit } else { servers * (tail - 1.0) / spare };
    tail / ((1.0 - b) / b + between + tail)
}

/// With an acquire timeout the pool is M/M/c+D, at its capacity and beyond it, too.
#[test]
fn an_acquire_timeout_sheds_as_m_m_c_d_says() {
    assert!((timeout_share(10, 0.9, 0.5) - 0.063880).abs() < 1e-6, "as tabulated");
    assert!((timeout_share(10, 1.0, 1.0) - 0.068212).abs() < 1e-6, "as tabulated");
    for (busy, limit) in [(0.9, 0.5), (1.2, 1.0)] {
        let mut scenario = pool(10, busy, 100);
        let mut file = (*scenario.file).clone();
        file.service[0].pool[0].acquire_timeout.0 = Some(Span::from_millis(10).scale(limit));
        scenario.file = file.into();
        let shares = replicate(&scenario, |run| run.pool_timeouts / run.ended);
        assert_agrees(&format!("busy {busy}, limit {limit}"), &shares, timeout_share(10, busy, limit), 0.08);
    }
}

/// The share of a core that each of `n` jobs has on `cores` cores with contention `n0`, as the design has
/// it.
fn share(n: f64, cores: f64, n0: f64) -> f64 {
    (cores / n).min(1.0) / (1.0 + (n - cores).max(0.0) / (n0 * cores))
}

/// Equal jobs that begin together end together, after demand / share: from an idle core to a crowd.
#[test]
fn a_crowd_runs_at_the_contention_laws_rate() {
    for n in [1_u32, 4, 8, 40, 400] {
        let job = format!(
            "[job.crowd]\non = \"primary\"\nevery = \"10m\"\nfirst = \"2s\"\n\
             work = {{ parallel = {n}, cpu = \"10ms\" }}\n"
        );
        let set = "\"duration\" = \"30s\"\n\"postgres.primary.contention\" = 50";
        let quiet = crate::kit::source("users", "sign-in", &[]);
        let facts = crate::kit::facts(&crate::kit::fleet(set, &format!("{quiet}\n{job}")), 1);
        let took = crate::kit::times(&facts, "job-done")[0] - crate::kit::times(&facts, "job")[0];
        let theory = 10.0 / share(f64::from(n), 4.0, 50.0);
        assert!((took - theory).abs() < 1e-3, "{n} jobs took {took} ms, not {theory}");
    }
}

/// A contended CPU behind a pool is a birth-death chain: n in the system leave at min(n, pool) × share, for
/// exponential demand. Solved here by its balance equations.
#[test]
fn a_contended_cpu_behind_a_pool_is_its_birth_death_chain() {
    let (cores, n0, connections, rate) = (2.0, 20.0, 20.0_f64, 1250.0);
    let (mut weight, mut sum, mut number) = (1.0, 1.0, 0.0);
    for n in 1..5000 {
        let n = f64::from(n);
        let busy = n.min(connections);
        weight *= rate / (1000.0 * busy * share(busy, cores, n0));
        sum += weight;
        number += n * weight;
    }
    let theory = number / sum / rate;
    let scenario = system(2, n0, 20, EXPONENTIAL, QUERY, rate, 60);
    assert_agrees("contention", &replicate(&scenario, Means::response), theory, 0.1);
    let without = 0.001 * (1.0 + mean_wait(2, rate / 2000.0));
    assert!(theory > 1.2 * without, "contention counts: {theory} against {without}");
}
