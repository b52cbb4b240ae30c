//! Without queries nothing bunches: a fleet whose phases are uniform keeps them so, and a serial server
//! spreads a herd by itself (pools.md §3b, golden tests (j) and (k)). If one of these fails, suspect a bug
//! before a discovery.

use herdsim::engine::time::Time;
use herdsim::experiment::{record, run};
use herdsim::measure::{Measured, NodeMeasured};
use herdsim::model::fact::Fact;
use herdsim::scenario::grammar::Cause;
use herdsim::scenario::{AS_WRITTEN, Document, Scenario};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64};

const LIFETIMES: usize = 30;
/// Connections in all: forty containers with ten each.
const OPEN: f64 = 400.0;

/// A fleet that one request an hour visits, without a query; `pool` says how its pools behave.
fn fleet(initial: &str, hours: f64, postgres: &str, pool: &str) -> Scenario {
    let text = format!(
        r#"
schema_version = 1
title    = "Nobody asks"
start    = 2025-09-14T05:30:00Z
duration = "{}m"
initial  = "{initial}"
seeds    = [1]
[postgres.primary]
cores           = 4
max_connections = 1000
{postgres}
[service.api]
containers = {{ min = 40, max = 40 }}
[request.ping]
service = "api"
steps   = [{{ app = "1ms" }}]
[traffic.monitor]
request = "ping"
rate    = "0.0003/s"
[service.api.pool.primary]
max          = 10
min          = 10
max_lifetime = "15m"
{pool}
"#,
        hours * 60.0
    );
    let (document, _) = Document::from_text("fleet.toml", &text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    document.scenario(AS_WRITTEN).unwrap().clone()
}

fn measured(scenario: &Scenario, seed: u64) -> Measured {
    run(scenario, seed, &AtomicU64::new(0), &AtomicBool::new(false)).expect("nobody stops it").measured
}

/// The greatest herd that the recycling of connections made, as a share of those open.
fn largest_herd(node: &NodeMeasured) -> f64 {
    node.bins.iter().map(|bin| bin.herd_size[Cause::Lifetime as usize]).fold(0.0, f64::max)
}

/// Mean R₁ of some cycles.
fn r1(node: &NodeMeasured, cycles: std::ops::Range<usize>) -> f64 {
    let n = cycles.len() as f64;
    node.cycles[cycles].iter().map(|cycle| cycle.phase_lock_r1).sum::<f64>() / n
}

/// A uniform fleet after thirty lifetimes, with three seeds: no second in which more than 5 % reconnect,
/// phases as unlocked as independent ones are, and no more locked at the end than at the beginning.
fn stays_uniform(pool: &str) {
    let scenario = fleet("steady", 7.5, "", pool);
    // Independent phases: E[R₁] = √(π/4N), and the mean of ten cycles of three seeds well below twice that.
    let independent = (std::f64::consts::PI / (4.0 * OPEN)).sqrt();
    let (mut first, mut last) = (0.0, 0.0);
    for seed in 1..=3 {
        let measured = measured(&scenario, seed);
        let node = &measured.nodes[0];
        assert_eq!(node.cycles.len(), LIFETIMES);
        let births = node.cycles.iter().map(|cycle| cycle.births as f64).sum::<f64>() / LIFETIMES as f64;
        assert!((0.9 * OPEN..=OPEN).contains(&births), "seed {seed}: {births} births a lifetime");
        assert!(largest_herd(node) <= 0.05, "seed {seed}: {}", largest_herd(node));
        first += r1(node, 0..10) / 3.0;
        last += r1(node, LIFETIMES - 10..LIFETIMES) / 3.0;
    }
    assert!(last < 2.0 * independent, "R₁ of the last cycles: {last}, independent: {independent}");
    assert!(last < first + independent, "R₁ went from {first} to {last}");
}

/// A sweep every second: nothing comes between the phases and the measure.
#[test]
fn a_plain_fleet_stays_uniform() {
    stays_uniform("refill = \"to-min\"\nsweep = { every = \"1s\" }");
}

/// pgxpool's sweep comes once a minute. It merges what expires within a minute in one container, and the
/// lifetime becomes a whole number of minutes, sixteen; across containers its phases are as uniform as their
/// starts.
#[test]
fn an_idle_pgxpool_fleet_stays_uniform() {
    stays_uniform("preset = \"pgxpool\"");
}

/// Golden test (j) for libraries that keep a floor in other ways: exact timers and one adder, half-minute
/// sweeps with as many tasks as are wanted or three threads, one dial at a time. Nobody asks them anything, so
/// that by their idle timeout bb8 and r2d2 would renew themselves every ten minutes.
#[test]
fn idle_fleets_of_other_libraries_stay_uniform() {
    for (preset, more) in [
        ("hikari", ""),
        ("bb8", "idle_timeout = \"none\""),
        ("r2d2", "idle_timeout = \"none\""),
        ("pgdog", ""),
    ] {
        stays_uniform(&format!("preset = \"{preset}\"\nmax_lifetime_jitter = \"0s\"\n{more}"));
    }
}

/// What the one-minute sweep does by itself: the age at which connections are replaced. Within a container
/// it comes in steps of the sweep and of the half seconds between passes.
#[test]
fn the_one_minute_sweep_makes_sixteen_minutes_of_fifteen() {
    let measured = measured(&fleet("steady", 7.5, "", "preset = \"pgxpool\""), 1);
    let later: u64 = measured.nodes[0].cycles[2..].iter().map(|cycle| cycle.births).sum();
    let age = OPEN * 900.0 * (LIFETIMES - 2) as f64 / later as f64;
    assert!((955.0..=965.0).contains(&age), "replaced every {age} s");
}

/// database/sql refills nothing: a fleet that nobody asks anything closes its connections within one
/// lifetime, not one is opened again (pools.md §1b, "cleaner").
#[test]
fn an_idle_database_sql_fleet_closes_down() {
    let measured = measured(&fleet("steady", 1.0, "", "preset = \"database-sql\""), 1);
    let backends = measured.levels.iter().find(|series| series.level == "backends").unwrap();
    assert_eq!(backends.bins[0].max, OPEN);
    let (half, whole) = (&backends.bins[45], &backends.bins[91]);
    assert!((170.0..230.0).contains(&half.mean), "{} open after half a lifetime", half.mean);
    assert_eq!(whole.max, 0.0, "after a lifetime");
    assert_eq!(measured.nodes[0].starts.iter().sum::<u64>(), 0);
}

/// A whole fleet dials at one instant behind a serial grant of 0.3 s, so that the last waits for two
/// minutes. Births stamped at the end of the dial are then 0.3 s apart, and so are their deadlines: one
/// lifetime later nobody waits for longer than a grant or two. Stamped at the beginning they all come at
/// once for ever (pools.md §3b).
#[test]
fn a_serial_server_spreads_a_herd_whose_births_are_the_ends_of_dials() {
    for (birth, later) in [("dial-done", 0.0..1.0), ("dial-start", 60.0..130.0)] {
        let pool = format!("refill = \"to-min\"\nsweep = {{ every = \"100ms\" }}\nbirth = \"{birth}\"");
        let scenario = fleet("cold", 0.8, "grant = { fast = { base = \"300ms\" } }", &pool);
        let waits = connect_waits(&record(&scenario, 1, Vec::new()));
        let at_boot = p99(&waits, 0.0, 800.0);
        assert!((110.0..120.0).contains(&at_boot), "{birth}: {at_boot} s at boot");
        let second = p99(&waits, 1700.0, 2600.0);
        assert!(later.contains(&second), "{birth}: {second} s two lifetimes later");
    }
}

/// When each backend start began to wait for its grant and for how long, in seconds. The grant is first
/// come, first served.
fn connect_waits(facts: &[(Time, Fact)]) -> Vec<(f64, f64)> {
    let mut line = VecDeque::new();
    let mut waits = Vec::new();
    for (at, fact) in facts {
        match fact {
            Fact::GrantQueued(_) => line.push_back(*at),
            Fact::BackendStarted { .. } => {
                let since = line.pop_front().expect("who is granted was in line");
                waits.push((since.as_secs(), (*at - since).as_secs()));
            }
            Fact::GrantDropped(_) => panic!("nobody hangs up"),
            _ => {}
        }
    }
    waits
}

/// The 99th percentile of the waits that began between two instants.
fn p99(waits: &[(f64, f64)], from: f64, until: f64) -> f64 {
    let mut waits: Vec<f64> =
        waits.iter().filter(|(at, _)| (from..until).contains(at)).map(|(_, wait)| *wait).collect();
    waits.sort_by(f64::total_cmp);
    waits[waits.len() * 99 / 100]
}
