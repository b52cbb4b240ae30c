//! A retry storm that does not end: a queue with a limit, clients with a timeout and immediate retries.
//!
//! In the real world: a service that a spike fills with requests whose clients have left; it serves them all
//! the same, while the clients' retries keep it full. Modelled as a scenario of herdsim: one connection that is
//! held for an exponential 0.1 s is the server; the container's concurrency is the limit of its line, with no
//! wait before it (429, which is not retried); clients leave after 4 s and try again at once, three times.
//!
//! Source: validation.md §5.3, DesCartes' example `metastable_retry_storm` and an independent program of 4,000
//! replications. There the gap to the next arrival is drawn at the rate in force when it is scheduled; here the
//! pending arrival follows the rate at once: 0.04 % fewer arrivals there.

use crate::fleet::Curve;
use crate::kit::{Effort, Row, assert_near, column, known, load, mean_row, replicate, share_row};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::scenario::Scenario;
use herdsim::scenario::grammar::Outcome;

/// The queue and its clients.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Arrivals a second.
    lambda: f64,
    /// How long the spike of 30/s lasts, in seconds, from 120 s on.
    spike: f64,
    retries: u32,
    /// Requests that may wait.
    waiting: u32,
    timeout: f64,
    secs: u32,
}

const PLAN: Plan = Plan { lambda: 8.0, spike: 5.0, retries: 3, waiting: 100, timeout: 4.0, secs: 400 };

impl Plan {
    fn scenario(&self) -> Scenario {
        let Plan { lambda, spike, retries, waiting, timeout, secs } = self;
        let rate = if *spike == 0.0 {
            format!("\"{lambda}/s\"")
        } else {
            let over = 120.0 + spike;
            format!(
                "{{ piecewise = [{{ from = \"0s\", rate = \"{lambda}/s\" }}, {{ from = \"120s\", rate = \"30/s\" }}, \
                 {{ from = \"{over}s\", rate = \"{lambda}/s\" }}] }}"
            )
        };
        let (attempts, places) = (retries + 1, waiting + 1);
        load(&format!(
            r#"
schema_version = 1
title    = "A retry storm"
duration = "{secs}s"
[network]
database = "0s"
[postgres.primary]
cores = 8
[service.api]
containers       = {{ min = 1, max = 1 }}
concurrency      = {places}
pending_deadline = "1ns"
request_timeout  = "1h"
[service.api.pool.primary]
min = 1
max = 1
[query.serve]
cpu = "0s"
[request.call]
service  = "api"
patience = "{timeout}s"
retry    = {{ attempts = {attempts}, backoff = "0s", on = ["client-timeout"] }}
steps    = [{{ query = "serve", think = {{ exponential = "100ms" }}, on = "primary" }}]
[traffic.clients]
request = "call"
rate    = {rate}
"#
        ))
    }
}

/// What happened up to the end, and in the minute before some instants.
struct Counters {
    first: u32,
    again: u32,
    dropped: u32,
    timeouts: u32,
    ok: u32,
    served: u32,
    /// The ends of the minutes, ascending, and how many ended well in each.
    minutes: Vec<(Time, u32)>,
}

impl Counters {
    fn with(minutes: &[f64]) -> Counters {
        let at = |secs: &f64| (Time::ZERO + Span::from_secs_f64(*secs), 0);
        let minutes = minutes.iter().map(at).collect();
        Counters { first: 0, again: 0, dropped: 0, timeouts: 0, ok: 0, served: 0, minutes }
    }

    /// Whether less than half of the arrivals were answered in time in each of the minutes.
    fn collapsed(&self, lambda: f64) -> Vec<bool> {
        self.minutes.iter().map(|(_, ok)| f64::from(*ok) / 60.0 < lambda / 2.0).collect()
    }
}

impl Recorder for Counters {
    fn record(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::RequestArrived { attempt: 0, .. } => self.first += 1,
            Fact::RequestArrived { .. } => self.again += 1,
            Fact::RequestEnded { outcome: Outcome::TooManyRequests, .. } => self.dropped += 1,
            Fact::RequestEnded { outcome: Outcome::ClientTimeout, .. } => self.timeouts += 1,
            Fact::RequestEnded { outcome: Outcome::Ok, .. } => {
                self.ok += 1;
                let minute = Span::from_secs(60);
                let now_in = |end: &Time| now <= *end && end.since(now) < minute;
                self.minutes.iter_mut().filter(|(end, _)| now_in(end)).for_each(|(_, ok)| *ok += 1);
            }
            Fact::HandlingEnded(_) => self.served += 1,
            _ => {}
        }
    }
}

/// Runs of a plan: whether the last minute had collapsed.
fn collapses(plan: &Plan, replications: u64) -> Vec<bool> {
    let scenario = plan.scenario();
    let end = f64::from(plan.secs);
    replicate(&format!("{plan:?}"), replications, |seed| {
        experiment::record(&scenario, seed, Counters::with(&[end])).collapsed(plan.lambda)[0]
    })
}

const CASE: &str = "Retry storm";
const OWN: &str = "independent program, 4,000 runs (validation.md §5.3)";

/// The counters at 400 s, with a load of 9.3/s.
pub fn counters(effort: Effort) -> Vec<Row> {
    let scenario = Plan { lambda: 9.3, ..PLAN }.scenario();
    let seen = replicate("counters", effort.of(60, 1500), |seed| {
        let c = experiment::record(&scenario, seed, Counters::with(&[]));
        [c.first, c.again, c.dropped, c.timeouts, c.ok, c.served - c.ok].map(f64::from)
    });
    let names =
        ["external arrivals", "retries", "dropped", "timeouts", "completed in time", "completed late"];
    // Mean and standard deviation of 4,000 runs; mean and half-width of DesCartes' 60.
    let own =
        [(3822.4, 62.5), (2732.2, 274.6), (2546.6, 271.8), (2954.6, 298.1), (1013.3, 277.7), (2895.0, 298.1)];
    let descartes =
        [(3831.8, 15.9), (2722.2, 63.7), (2543.9, 63.1), (2942.8, 69.6), (1026.8, 64.5), (2883.7, 69.5)];
    let mut rows = Vec::new();
    for (place, name) in names.into_iter().enumerate() {
        let (mean, sd) = own[place];
        let what = "lambda = 9.3/s, 5 s spike, at 400 s".to_owned();
        let reference = known(mean, 1.96 * sd / 4000_f64.sqrt(), OWN);
        rows.push(mean_row(CASE, name, what.clone(), reference, &column(&seen, place)));
        let (mean, half) = descartes[place];
        let reference = known(mean, half, "DesCartes, 60 seeds (validation.md §5.3)");
        rows.push(mean_row(CASE, name, what, reference, &column(&seen, place)));
    }
    rows
}

/// How likely it is that the storm goes on, by spike, load, retries and room to wait.
pub fn collapse(effort: Effort) -> Vec<Row> {
    let table = [
        ("spike = 0 s", Plan { spike: 0.0, ..PLAN }, 0.0165, 0.004),
        ("spike = 1 s", Plan { spike: 1.0, ..PLAN }, 0.0823, 0.009),
        ("spike = 2 s", Plan { spike: 2.0, ..PLAN }, 0.5667, 0.015),
        ("spike = 3 s", Plan { spike: 3.0, ..PLAN }, 0.9433, 0.007),
        ("spike = 4 s", Plan { spike: 4.0, ..PLAN }, 0.9988, 0.001),
        ("spike = 5 s", PLAN, 0.9995, 0.001),
        ("lambda = 2/s", Plan { lambda: 2.0, ..PLAN }, 0.0, 0.001),
        ("lambda = 3/s", Plan { lambda: 3.0, ..PLAN }, 0.8325, 0.012),
        ("lambda = 4/s", Plan { lambda: 4.0, ..PLAN }, 0.9972, 0.0016),
        ("lambda = 5/s", Plan { lambda: 5.0, ..PLAN }, 0.9995, 0.0007),
        ("retries = 0", Plan { retries: 0, ..PLAN }, 0.0, 0.001),
        ("retries = 1", Plan { retries: 1, ..PLAN }, 0.9995, 0.0007),
        ("retries = 2", Plan { retries: 2, ..PLAN }, 0.9995, 0.0007),
        ("K = 10", Plan { waiting: 10, ..PLAN }, 0.0, 0.001),
        ("K = 40", Plan { waiting: 40, ..PLAN }, 0.0, 0.001),
        ("K = 45", Plan { waiting: 45, ..PLAN }, 0.002, 0.0014),
        ("K = 60", Plan { waiting: 60, ..PLAN }, 0.987, 0.0035),
    ];
    let short = ["spike = 2 s", "lambda = 3/s", "retries = 0", "K = 40"];
    let mut rows = Vec::new();
    for (name, plan, chance, half) in table {
        if !effort.is_full() && !short.contains(&name) {
            continue;
        }
        let held = collapses(&plan, effort.of(100, 600));
        rows.push(share_row(CASE, "P(collapsed)", name.to_owned(), known(chance, half, OWN), &held));
    }
    rows
}

/// A load at which the two states follow each other for ever: no spike, lambda = 9.5/s, timeout 9 s.
pub fn two_states(effort: Effort) -> Vec<Row> {
    if !effort.is_full() {
        return Vec::new();
    }
    let plan = Plan { lambda: 9.5, spike: 0.0, timeout: 9.0, secs: 7200, ..PLAN };
    let scenario = plan.scenario();
    let instants =
        [(600.0, 0.049, 0.011), (1800.0, 0.077, 0.013), (3600.0, 0.086, 0.014), (7200.0, 0.076, 0.013)];
    let ends = instants.map(|instant| instant.0);
    let seen = replicate("two states", 300, |seed| {
        experiment::record(&scenario, seed, Counters::with(&ends)).collapsed(plan.lambda)
    });
    let row = |(place, (at, chance, half)): (usize, (f64, f64, f64))| {
        let held: Vec<bool> = seen.iter().map(|run| run[place]).collect();
        let what = format!("lambda = 9.5/s, timeout 9 s, no spike, at {at} s");
        let reference =
            known(chance, half, "example of arXiv 2510.03551, independent program (validation.md §5.3)");
        share_row(CASE, "P(collapsed)", what, reference, &held)
    };
    instants.into_iter().enumerate().map(row).collect()
}

/// The boundary in finer steps, for the chart: name of the axis, and (value, share collapsed).
pub fn curves() -> Vec<Curve> {
    let share = |plan: Plan| {
        let held = collapses(&plan, 600);
        held.iter().filter(|held| **held).count() as f64 / held.len() as f64
    };
    let spikes = (0..=10).map(|n| f64::from(n) / 2.0).map(|spike| (spike, share(Plan { spike, ..PLAN })));
    let loads = (8..=20).map(|n| f64::from(n) / 4.0).map(|lambda| (lambda, share(Plan { lambda, ..PLAN })));
    let rooms =
        (0..=8).map(|n| 40 + 5 * n).map(|waiting| (f64::from(waiting), share(Plan { waiting, ..PLAN })));
    vec![
        ("length of the spike [s]".to_owned(), spikes.collect()),
        ("load [arrivals/s]".to_owned(), loads.collect()),
        ("room to wait [requests]".to_owned(), rooms.collect()),
    ]
}

#[test]
fn the_counters_of_a_storm_are_those_of_other_simulators() {
    assert_near(&counters(Effort::Short), 0.2);
}

#[test]
fn a_storm_goes_on_as_often_as_elsewhere() {
    assert_near(&collapse(Effort::Short), 2.0);
}
