//! The closed forms of cloud-run.md §7, within 5 %.

use crate::kit::load;
use herdsim::engine::time::Time;
use herdsim::experiment;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::scenario::Scenario;
use herdsim::scenario::grammar::Outcome;

/// A service whose requests only spend time in the application: 80 % are healthy, 20 % are stalled.
fn stalling(service: &str, rate: f64, from: &str, stall: &str, secs: u32) -> Scenario {
    let curve = |share: f64| {
        let rate = rate * share;
        format!(
            "{{ piecewise = [{{ from = \"0s\", rate = \"0/s\" }}, {{ from = \"{from}\", rate = \"{rate}/s\" }}] }}"
        )
    };
    load(&format!(
        r#"
schema_version = 1
title    = "A class stalls"
duration = "{secs}s"
[service.api]
request_timeout = "1h"
startup         = "1ms"
{service}
[request.healthy]
service = "api"
steps   = [{{ app = "20ms" }}]
[request.stalled]
service = "api"
steps   = [{{ app = {stall} }}]
[traffic.healthy]
request = "healthy"
rate    = {}
[traffic.stalled]
request = "stalled"
rate    = {}
"#,
        curve(0.8),
        curve(0.2)
    ))
}

/// What happened first, and how much ended well after a minute.
#[derive(Default)]
struct Firsts {
    launched: u32,
    cap: u32,
    full: Option<Time>,
    at_cap: Option<Time>,
    ok: [f64; 2],
}

impl Recorder for Firsts {
    fn record(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::CapSet(_, cap) => self.cap = cap,
            Fact::ContainerLaunched(_) => {
                self.launched += 1;
                if self.launched == self.cap {
                    self.at_cap = Some(now);
                }
            }
            Fact::AtCapTurned(_, true) => assert_eq!(self.at_cap, Some(now), "it says so"),
            Fact::PendingBegan(_) => self.full = self.full.or(Some(now)),
            Fact::RequestEnded { series, outcome: Outcome::Ok, .. } if now.as_secs() >= 60.0 => {
                self.ok[usize::from(series)] += 1.0;
            }
            _ => {}
        }
    }
}

fn firsts(scenario: &Scenario, seed: u64) -> Firsts {
    experiment::record(scenario, seed, Firsts::default())
}

fn assert_near(what: &str, seen: f64, law: f64) {
    assert!((seen / law - 1.0).abs() <= 0.05, "{what}: {seen} against {law}");
}

/// Once all places are taken, throughput is places over the mean hold: X = C·N / (p·S + (1 − p)·T).
#[test]
fn saturated_throughput_is_places_over_hold() {
    let service = "containers = { min = 10, max = 10 }\nconcurrency = 20";
    let scenario = stalling(service, 500.0, "1ms", "{ exponential = \"10s\" }", 560);
    let seen = firsts(&scenario, 1);
    let law = 200.0 / (0.8 * 0.02 + 0.2 * 10.0);
    assert_near("requests per second", (seen.ok[0] + seen.ok[1]) / 500.0, law);
    assert_near("healthy requests per second", seen.ok[0] / 500.0, 0.8 * law);
}

/// The places of a fixed fleet are full after t = C·N / (lambda·f).
#[test]
fn a_stalled_class_fills_all_places() {
    let service = "containers = { min = 50, max = 50 }";
    let mean = (1..=4)
        .map(|seed| firsts(&stalling(service, 1000.0, "10s", "\"5m\"", 40), seed))
        .map(|seen| seen.full.expect("all places are taken").as_secs() - 10.0)
        .sum::<f64>()
        / 4.0;
    // The healthy ones hold 800/s × 0.02 s = 16 places besides.
    assert_near("seconds", mean, (50.0 * 80.0 - 16.0) / 200.0);
}

/// When an autoscaler asks for its cap of 100 containers, on average over the phase of its ticks, in seconds
/// after a class began to stall at 50/s. There are enough containers for all meanwhile, and it aims at a tenth
/// of the places, so that requests never wait; the CPU is not in the way.
fn asks_for_the_cap(scaler: &str, tick: u32) -> f64 {
    let service = format!(
        "containers = {{ min = 40, max = 100 }}\nscaler = \"{scaler}\"\nconcurrency_target = \"10%\"\ncpus = 1000"
    );
    let phases = (0..20).map(|phase| {
        let from = 20_000 + u64::from(tick) * 50 * phase;
        let seen = firsts(&stalling(&service, 250.0, &format!("{from}ms"), "\"10m\"", 80), phase + 1);
        assert_eq!(seen.full, None, "nobody waits");
        seen.at_cap.expect("it asks for its cap").as_secs() - from as f64 / 1000.0
    });
    // On average the next tick is half a tick away.
    phases.sum::<f64>() / 20.0 - f64::from(tick) / 2.0
}

/// The requests above which 99 containers are not enough; the healthy ones hold 200/s × 0.02 s of them.
const ENOUGH_FOR_THE_CAP: f64 = 0.1 * 80.0 * 99.0 - 200.0 * 0.02;

/// KPA in panic: its six seconds lag by three, t = 3 + target·C·N / (lambda·f).
#[test]
fn kpa_asks_for_the_cap_in_time() {
    assert_near("seconds", asks_for_the_cap("kpa", 2), 3.0 + ENOUGH_FOR_THE_CAP / 50.0);
}

/// Cloud Run's mean of a minute: t = √(120·target·C·N / (lambda·f)).
#[test]
fn cloud_run_asks_for_the_cap_in_time() {
    for scaler in ["cloud-run-2025", "cloud-run-2026"] {
        let law = (120.0 * ENOUGH_FOR_THE_CAP / 50.0).sqrt();
        assert_near("seconds", asks_for_the_cap(scaler, 5), law);
    }
}
