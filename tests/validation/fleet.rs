//! Floyd and Jacobson's question, asked of a fleet of ours: how much jitter breaks a lock?
//!
//! A fleet whose connections were all born at boot, and nobody asks anything: each start costs the database Tc
//! of its one core, the recycled ones share it, and a birth is the end of a dial. So the cost of the others
//! moves one's timer, as in the model of messages, though not all end at once. In the same units, half the
//! width of the jitter over N·Tc, and with the same measure, the largest busy period of starts as a share of
//! the fleet, both are on one chart. There is no published value: the rule of validation.md (0.4 N·Tc broke
//! the lock in every case) is what the row is about.

use crate::kit::{Effort, Row, answer_row, assert_near, load, replicate};
use crate::periodic::{Plan, largest_at_last};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::scenario::Scenario;

/// Connections, and what a start costs in seconds.
const CONTAINERS: u32 = 40;
const EACH: u32 = 5;
const TC: f64 = 0.1;
const LIFETIMES: u64 = 60;

/// A fleet with so much jitter, as a share of N·Tc on either side.
fn fleet(ratio: f64) -> Scenario {
    let whole = f64::from(CONTAINERS * EACH) * TC;
    let jitter = (2.0 * ratio * whole * 1e3) as u64;
    let minutes = LIFETIMES * 15;
    load(&format!(
        r#"
schema_version = 1
title    = "Nobody asks"
duration = "{minutes}m"
initial  = "cold"
[network]
database = "0s"
[postgres.primary]
cores           = 1
max_connections = 1000
start_cpu       = "100ms"
contention      = 1e6
grant           = {{ fast = {{ base = "1ns" }} }}
[service.api]
containers = {{ min = {CONTAINERS}, max = {CONTAINERS} }}
startup    = "1s"
[request.ping]
service = "api"
steps   = [{{ app = "1ms" }}]
[traffic.monitor]
request = "ping"
rate    = "0.0003/s"
[service.api.pool.primary]
max                 = {EACH}
min                 = {EACH}
max_lifetime        = "15m"
max_lifetime_jitter = "{jitter}ms"
refill              = "to-min"
sweep               = {{ every = "500ms" }}
"#
    ))
}

/// The largest busy period of the last tenth, in starts.
struct Largest {
    from: Time,
    active: u32,
    starts: u32,
    largest: u32,
}

impl Recorder for Largest {
    fn record(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::WorkBegan(_) => {
                self.active += 1;
                self.starts += 1;
            }
            Fact::WorkEnded(_) => {
                self.active -= 1;
                if self.active == 0 {
                    if now >= self.from {
                        self.largest = self.largest.max(self.starts);
                    }
                    self.starts = 0;
                }
            }
            _ => {}
        }
    }
}

/// The largest busy period at last, as a share of the fleet.
fn largest(ratio: f64, seed: u64) -> f64 {
    let scenario = fleet(ratio);
    let from = Time::ZERO + scenario.file.duration.scale(0.9);
    let seen = experiment::record(&scenario, seed, Largest { from, active: 0, starts: 0, largest: 0 });
    f64::from(seen.largest) / f64::from(CONTAINERS * EACH)
}

/// At 0.4 N·Tc no fleet stays in step.
pub fn lock(effort: Effort) -> Vec<Row> {
    let row = |(ratio, in_step): (f64, bool)| {
        let what = format!("our fleet: N = 200, L = 900 s, Tc = {TC} s, J/2 = {ratio} N·Tc, 60 lifetimes");
        let held = replicate(&what, effort.of(4, 20), |seed| largest(ratio, seed) > 0.5);
        let reference = (in_step, "rule of validation.md §5.1");
        answer_row("Lock of a fleet", "share still in step", what, reference, &held)
    };
    [(0.4, false)].into_iter().map(row).collect()
}

/// A line of the chart: its name, and half the jitter over N·Tc with the mean largest cluster as a share.
pub type Curve = (String, Vec<(f64, f64)>);

/// The model with several fleets, and our fleet.
pub fn curves() -> Vec<Curve> {
    let ratios = [0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0];
    let model = |nodes: u32, tp: f64, tc: f64, periods: f64| {
        let point = |ratio: f64| {
            let plan = Plan { nodes, tp, tc, tr: ratio * f64::from(nodes) * tc, in_step: true };
            let seen =
                replicate(&format!("{nodes} {ratio}"), 10, |seed| largest_at_last(&plan, periods, seed));
            (ratio, seen.iter().sum::<f64>() / 10.0)
        };
        ratios.map(point).to_vec()
    };
    let ours = |ratio: f64| {
        let seen = replicate(&format!("our fleet {ratio}"), 3, |seed| largest(ratio, seed));
        (ratio, seen.iter().sum::<f64>() / 3.0)
    };
    vec![
        ("model, N = 20, Tc = Tp/1100".to_owned(), model(20, 121.0, 0.11, 960.0)),
        ("model, N = 200, Tc = Tp/9000".to_owned(), model(200, 900.0, TC, LIFETIMES as f64)),
        ("model, N = 400, Tc = Tp/1800".to_owned(), model(400, 900.0, 0.5, 960.0)),
        ("our fleet, N = 200, Tc = L/9000".to_owned(), ratios.map(ours).to_vec()),
    ]
}

/// Long enough for herdsim's units to be checked, too: a lifetime is fifteen minutes.
#[test]
fn jitter_beyond_the_rule_breaks_the_lock_of_our_fleet() {
    assert_eq!(fleet(0.1).file.duration, Span::from_secs(LIFETIMES * 900));
    assert_near(&lock(Effort::Short), 0.0);
}
