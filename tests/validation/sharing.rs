//! The shared CPU: processor sharing, its insensitivity, and its contention law.

use crate::erlang::Line;
use crate::kit::{Effort, Row, assert_near, certain_row, exact, load, mean_row, replicate};
use herdsim::engine::time::Time;
use herdsim::experiment;
use herdsim::model::fact::Fact;

/// A node behind a pool that never fills, with whatever works on it.
fn node(
    cores: u32,
    contention: f64,
    connections: u32,
    millis: u64,
    cpu: &str,
    rate: f64,
    more: &str,
) -> String {
    format!(
        r#"
schema_version = 1
title    = "A CPU"
duration = "{millis}ms"
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
min = {connections}
max = {connections}
[query.lookup]
cpu = {cpu}
[request.sign-in]
service = "api"
steps   = [{{ query = "lookup", on = "primary" }}]
[traffic.users]
request = "sign-in"
rate    = "{rate}/s"
{more}
"#
    )
}

/// M/G/1 under processor sharing: the mean response is s/(1 − rho), whatever the shape of the demand.
pub fn processor_sharing(effort: Effort) -> Vec<Row> {
    // All of mean 1 ms. Log-normal with p99 = 8 medians; Pareto with a finite variance and a heavy tail.
    const SHAPES: [(&str, &str); 4] = [
        ("constant", "\"1ms\""),
        ("exponential", r#"{ exponential = "1ms" }"#),
        ("log-normal", r#"{ log_normal = { median = "670657ns", p99 = "5365255ns" } }"#),
        ("Pareto", r#"{ pareto = { scale = "0.6ms", shape = 2.5 } }"#),
    ];
    let mut rows = Vec::new();
    for (busy, response) in [(0.6, 2.5), (0.8, 5.0)].into_iter().take(effort.of(1, 2)) {
        for (name, cpu) in SHAPES {
            let (replications, millis) = effort.of((10, 100_000), (20, 150_000));
            let scenario = load(&node(1, 1e6, 1000, millis, cpu, busy * 1000.0, ""));
            let response_in_services =
                |seed| experiment::record(&scenario, seed, Line::from(2.0)).response() * 1000.0;
            let seen = replicate(&format!("{name} {busy}"), replications, response_in_services);
            let what = format!("rho = {busy}, {name} demand");
            let reference = exact(response, "M/G/1-PS: 1/(1 − rho)");
            rows.push(mean_row("Processor sharing", "mean response [service times]", what, reference, &seen));
        }
    }
    rows
}

/// Jobs of 10 ms that begin together on 4 cores with n0 = 50 take 10 ms over the share of a core that each has:
/// min(1, C/n) / (1 + (n − C)/(n0·C)), worked out by hand.
const CROWDS: [(u32, f64); 6] = [(1, 10.0), (4, 10.0), (8, 20.4), (40, 118.0), (204, 1020.0), (400, 2980.0)];

/// The contention law: a crowd of equal jobs, and a queue that contention slows down.
pub fn contention(effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    for (n, millis) in CROWDS {
        let crowd = format!(
            "[job.crowd]\non = \"primary\"\nevery = \"10m\"\nfirst = \"2s\"\n\
             work = {{ parallel = {n}, cpu = \"10ms\" }}\n"
        );
        let scenario = load(&node(4, 50.0, 1, 20_000, "\"1ms\"", 0.001, &crowd));
        let facts: Vec<(Time, Fact)> = experiment::record(&scenario, 1, Vec::new());
        let first =
            |wanted: fn(&Fact) -> bool| facts.iter().find(|(_, fact)| wanted(fact)).expect("it happens").0;
        let begun = first(|fact| matches!(fact, Fact::JobBegan(_)));
        let ended = first(|fact| matches!(fact, Fact::JobEnded(_)));
        let took = ended.since(begun).as_millis();
        let what = format!("{n} jobs of 10 ms, C = 4, n0 = 50");
        let reference = exact(millis, "contention law (design §3)");
        // Each completion may be rounded up to the nanosecond.
        rows.push(certain_row("Contention", "time for all [ms]", what, reference, took, 1e-6 * f64::from(n)));
    }
    let (replications, millis) = effort.of((10, 60_000), (20, 200_000));
    let scenario = load(&node(2, 20.0, 20, millis, r#"{ exponential = "1ms" }"#, 1250.0, ""));
    let seen = replicate("birth and death", replications, |seed| {
        experiment::record(&scenario, seed, Line::from(2.0)).response() * 1000.0
    });
    let what = "C = 2, n0 = 20, 20 connections, 1250/s of 1 ms".to_owned();
    let reference = exact(BIRTH_AND_DEATH, "balance equations of the birth–death chain");
    rows.push(mean_row("Contention", "mean response [ms]", what, reference, &seen));
    rows
}

/// Mean response of the chain with births at 1.25 per service time, and deaths from n at m·share(m), m =
/// min(n, 20).
const BIRTH_AND_DEATH: f64 = 2.387664;

#[test]
fn processor_sharing_does_not_see_the_shape_of_the_demand() {
    assert_near(&processor_sharing(Effort::Short), 0.06);
}

#[test]
fn a_crowd_is_slowed_down_by_the_contention_law() {
    assert_near(&contention(Effort::Short), 0.1);
}
