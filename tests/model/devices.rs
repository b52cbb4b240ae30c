//! Devices in closed loop: the load they make, and what they do about failures.

use crate::kit::{facts, load};
use herdsim::engine::time::{Span, Time};
use herdsim::model::fact::Fact;
use herdsim::scenario::Scenario;

fn fleet(devices: &str, more: &str) -> Scenario {
    load(&format!(
        r#"
schema_version = 1
title    = "Tabs"
duration = "600s"

[postgres.primary]
cores        = 4
restart_time = "30s"

[service.api]
containers = {{ min = 2, max = 2 }}
[service.api.pool.primary]
max             = 10
acquire_timeout = "2s"

[query.read-session]
cpu = "1ms"

[request.session-token]
service = "api"
steps   = [{{ query = "read-session", on = "primary" }}]
{more}

[device.tabs]
request = "session-token"
{devices}
"#
    ))
}

/// Requests that arrived within a span of seconds.
fn arrived(facts: &[(Time, Fact)], from: u64, to: u64) -> usize {
    let span = Time::ZERO + Span::from_secs(from)..Time::ZERO + Span::from_secs(to);
    let within = facts.iter().filter(|(at, _)| span.contains(at));
    within.filter(|(_, fact)| matches!(fact, Fact::RequestArrived { .. })).count()
}

/// cloud-run.md §7.5: tabs / refresh age; duplicates scale it.
#[test]
fn the_steady_load_is_tabs_over_their_refresh_age() {
    for (devices, per_s) in [
        ("count = 1000", 1000.0 / 47.5),
        ("count = 500\ntabs = 2.0\nduplicates = 1.5", 1500.0 / 47.5),
        ("count = 1000\nrefresh_age = \"50s\"", 1000.0 / 50.0),
    ] {
        let facts = facts(&fleet(devices, ""), 1);
        for (from, to) in [(0, 100), (100, 600)] {
            let rate = arrived(&facts, from, to) as f64 / (to - from) as f64;
            assert!((rate / per_s - 1.0).abs() < 0.05, "{devices}: {rate} instead of {per_s} a second");
        }
    }
}

/// A refusal that is not retried meets the next poll; one that is, the backoff.
#[test]
fn a_failed_refresh_is_polled_again_or_retried() {
    let away = "[event.away]\nat = \"100s\"\ndo = { restart = \"primary\" }";
    let load_while_away = |retry: &str| {
        let facts = facts(&fleet("count = 1000\npoll = \"5s\"", &format!("{retry}\n{away}")), 1);
        arrived(&facts, 120, 130) as f64 / 10.0
    };
    let polled = load_while_away("");
    // By 120 s to 130 s some two fifths to three fifths of the tabs have met the restart: each polls every 5 s.
    assert!((80.0..130.0).contains(&polled), "{polled} a second");
    let retry = "retry = { attempts = 9, backoff = \"3s\", factor = 1.55, cap = \"50s\", \
                 on = [\"connect-refused\", \"connection-lost\", \"pool-timeout\"] }";
    let retried = load_while_away(retry);
    assert!(retried < polled * 0.8, "the backoff grows: {retried} instead of {polled} a second");
}
