//! A minute of made-up facts, and what the meter makes of them.

use super::*;
use crate::measure::recorder::Meter;
use crate::measure::{Served, Stretch, summary};
use crate::model::fact::{Fact, Recorder, ServedBy};
use crate::scenario::Document;
use crate::scenario::grammar::{NodeState, Outcome};

const SCENARIO: &str = r#"
schema_version = 1
title    = "A minute"
duration = "1m"
seeds    = [1]
[postgres.primary]
cores           = 4
max_connections = 100
[postgres.replica]
cores           = 4
max_connections = 100
[endpoint.session-reads]
node     = "primary"
fallback = "replica"
[service.api]
containers = { min = 1, max = 3 }
scaler     = "cloud-run-2025"
[service.api.pool.primary]
preset = "pgxpool"
max    = 10
[service.api.pool.replica]
preset = "pgxpool"
max    = 10
[query.lookup]
cpu = "1ms"
[request.sign-in]
service = "api"
steps   = [{ query = "lookup", on = "primary" }]
[traffic.users]
request = "sign-in"
rate    = "1/s"
"#;

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

fn metered(facts: &[(u64, Fact)]) -> Measured {
    metered_in(SCENARIO, facts)
}

fn metered_in(scenario: &str, facts: &[(u64, Fact)]) -> Measured {
    let (document, _) = Document::from_text("test.toml", scenario).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut meter = Meter::new(document.scenario("as-written").expect("the plain variant"), 1);
    for (second, fact) in facts {
        meter.record(at(*second), *fact);
    }
    meter.finish(&[], 0)
}

/// A metric from one second to another.
fn value(metric: Metric, measured: &Measured, of: &str, (from, to): (u64, u64)) -> f64 {
    let window = Window { from: at(from), to: at(to), except: vec![] };
    summary::value(metric, measured, of, None, &window)
}

#[test]
fn a_fleet_reaches_its_cap_and_leaves_it() {
    let launch = |second| (second, Fact::ContainerLaunched(0));
    let measured = metered(&[
        (0, Fact::CapSet(0, 3)),
        launch(0),
        launch(12),
        launch(25),
        (25, Fact::AtCapTurned(0, true)),
        (38, Fact::AtCapTurned(0, false)),
        (38, Fact::ContainerStopped(0)),
        (50, Fact::CapSet(0, 2)),
        (50, Fact::AtCapTurned(0, true)),
    ]);
    let at_cap = |window| value(Metric::AtCap, &measured, "service.api", window);
    assert_eq!(
        [at_cap((0, 60)), at_cap((20, 60)), at_cap((30, 60)), at_cap((40, 60))],
        [25.0, 5.0, 0.0, 10.0]
    );
    assert!(at_cap((0, 20)).is_nan() && at_cap((40, 50)).is_nan(), "never in this window");
    let except = Window { from: at(20), to: at(60), except: vec![(at(24), at(30))] };
    assert_eq!(of_service(Metric::AtCap, &measured, "api", &except), 10.0, "as soon as it counts");
    let containers = |window| value(Metric::Containers, &measured, "service.api", window);
    assert_eq!([containers((0, 60)), containers((0, 20)), containers((40, 60))], [3.0, 2.0, 2.0]);
    let caps = level(&measured, "cap", "service.api").expect("it has a scaler");
    assert_eq!([caps[0].mean, caps[5].mean], [3.0, 2.0]);
    let spans: Vec<_> = measured.stretches.iter().map(|cap| (cap.from, cap.to)).collect();
    assert_eq!(spans, [(at(25), Some(at(38))), (at(50), None)]);
}

/// The last bin of a run may be short: it counts for as long as it lasts.
#[test]
fn a_short_bin_counts_for_as_long_as_it_lasts() {
    let scenario = SCENARIO.replace("\"1m\"", "\"65s\"");
    let measured = metered_in(&scenario, &[(0, Fact::LockQueued(0)), (60, Fact::LockDequeued(0))]);
    let mean = value(Metric::LockWaiters, &measured, "postgres.primary", (0, 70));
    assert!((mean - 60.0 / 65.0).abs() < 1e-12, "{mean}");
}

#[test]
fn busy_cores_and_waits_are_means_over_time() {
    let twice = |second, fact| [(second, fact), (second, fact)];
    let mut facts = vec![(0, Fact::CoresSet(0, 4.0))];
    facts.extend(twice(0, Fact::WorkBegan(0)));
    facts.extend([(5, Fact::LockQueued(0)); 3]);
    facts.extend(twice(10, Fact::LockDequeued(0)));
    facts.extend([(10, Fact::CoresSet(0, 2.0)), (10, Fact::DiskWaitBegan(0))]);
    facts.extend([(15, Fact::Replayed(1, Span::from_millis(20))), (20, Fact::LockDequeued(0))]);
    facts.extend([(20, Fact::WorkEnded(0)), (40, Fact::DiskWaitEnded(0))]);
    let measured = metered(&facts);
    let of = |metric, window| value(metric, &measured, "postgres.primary", window);
    let busy = of(Metric::CpuBusy, (0, 60));
    assert!((busy - (5.0 + 10.0 + 20.0) / 60.0).abs() < 1e-12, "{busy}");
    assert_eq!(of(Metric::CpuBusy, (10, 20)), 1.0, "two jobs on the two cores that are left");
    assert_eq!(of(Metric::LockWaiters, (0, 10)), 1.5, "three for half of the time");
    assert!((of(Metric::LockWaiters, (0, 60)) - 25.0 / 60.0).abs() < 1e-12);
    assert_eq!([of(Metric::DiskWaiters, (0, 60)), of(Metric::DiskWaiters, (20, 40))], [0.5, 1.0]);
    let replica = |metric, window| value(metric, &measured, "postgres.replica", window);
    assert_eq!(replica(Metric::LockWaiters, (0, 60)), 0.0, "nobody waited: that is zero, not nothing");
    assert!(replica(Metric::LockWaiters, (60, 60)).is_nan(), "but nobody looked");
    assert!(value(Metric::LockWaiters, &measured, "postgres.none", (0, 60)).is_nan());
    let levels = |of: &str| -> Vec<&str> {
        measured.levels.iter().filter(|series| series.of == of).map(|series| series.level).collect()
    };
    assert_eq!(
        levels("postgres.primary"),
        ["backends", "active", "grant_queue", "cpu_busy", "lock_waiters", "disk_waiters"]
    );
    assert_eq!(levels("postgres.replica"), ["backends", "active", "grant_queue", "cpu_busy", "replica_lag"]);
    assert_eq!(level(&measured, "replica_lag", "postgres.replica").unwrap()[5].mean, 0.02);
}

/// Requests of one class that end at a second, and who served them.
fn requests(ends: &[(u64, Outcome, Option<ServedBy>)]) -> Vec<(u64, Fact)> {
    let one = |(number, (second, outcome, by)): (usize, &(u64, Outcome, Option<ServedBy>))| {
        let arrived = Fact::RequestArrived { series: 0, number: number as u64, attempt: 0 };
        let ended = Fact::RequestEnded { series: 0, outcome: *outcome, latency: Span::from_millis(5) };
        let served = by.map(|by| (*second, Fact::RequestServed { series: 0, by }));
        [(*second, arrived), (*second, ended)].into_iter().chain(served).collect::<Vec<_>>()
    };
    ends.iter().enumerate().flat_map(one).collect()
}

#[test]
fn who_served_adds_up_to_what_was_served() {
    use ServedBy::{Edge, Node};
    let facts = requests(&[
        (1, Outcome::Ok, Some(Edge)),
        (2, Outcome::Ok, Some(Node(0))),
        (14, Outcome::TooManyRequests, None),
        (15, Outcome::Ok, Some(Node(1))),
        (55, Outcome::Ok, Some(Node(0))),
    ]);
    let measured = metered(&facts);
    let served = |by: &str, bins: [u32; 6]| Served { by: by.into(), bins: bins.to_vec() };
    let expected = [
        served("primary", [1, 0, 0, 0, 0, 1]),
        served("replica", [0, 1, 0, 0, 0, 0]),
        served("edge", [1, 0, 0, 0, 0, 0]),
    ];
    assert_eq!(measured.classes[0].served, expected);
    assert_eq!(value(Metric::Rejected, &measured, "request.sign-in", (0, 60)), 0.2);
    assert_eq!(value(Metric::Rejected, &measured, "request.sign-in", (10, 20)), 0.5);
    assert!(value(Metric::Rejected, &measured, "request.sign-in", (20, 30)).is_nan(), "nothing ended");
    assert_eq!(value(Metric::Throughput, &measured, "service.api", (0, 60)), 4.0 / 60.0);
    assert_eq!(value(Metric::Throughput, &measured, "service.api", (0, 10)), 0.2);
    assert_eq!(value(Metric::Throughput, &measured, "service.api", (20, 30)), 0.0);
}

#[test]
#[should_panic(expected = "sign-in: 1 served, 2 ok")]
fn a_request_that_nobody_served_is_missed() {
    metered(&requests(&[(1, Outcome::Ok, Some(ServedBy::Edge)), (2, Outcome::Ok, None)]));
}

#[test]
fn wishes_count_when_they_end() {
    let end = |second, fulfilled| (second, Fact::WishEnded { series: 0, fulfilled });
    let measured = metered(&[end(5, true), end(6, true), end(35, false), end(36, true)]);
    let success = |window| value(Metric::UserSuccess, &measured, "request.sign-in", window);
    assert_eq!([success((0, 60)), success((0, 30)), success((30, 60))], [0.75, 1.0, 0.5]);
    assert!(success((10, 20)).is_nan());
}

#[test]
fn what_turned_is_a_stretch() {
    let breaker = |open| Fact::BreakerTurned { service: 0, endpoint: 0, open };
    let measured = metered(&[
        (3, Fact::NodeDown(1)),
        (4, breaker(true)),
        (9, Fact::NodeUp(1)),
        (14, breaker(false)),
        (20, Fact::OutageModeTurned(true)),
        (30, Fact::StateEntered(0, NodeState::Unreachable)),
        (32, Fact::StateEntered(0, NodeState::Up)),
        (32, Fact::StateEntered(1, NodeState::Unreachable)),
        (35, Fact::StateEntered(1, NodeState::Frozen)),
        (40, Fact::StateEntered(0, NodeState::ReadOnly)),
    ]);
    let stretch = |kind, of: &str, from, to: Option<u64>| Stretch {
        kind,
        of: of.into(),
        from: at(from),
        to: to.map(at),
    };
    let expected = [
        stretch(StretchKind::Node, "replica", 3, Some(9)),
        stretch(StretchKind::Breaker, "service.api.endpoint.session-reads", 4, Some(14)),
        stretch(StretchKind::OutageMode, "edge", 20, None),
        stretch(StretchKind::Unreachable, "primary", 30, Some(32)),
        stretch(StretchKind::Unreachable, "replica", 32, Some(35)),
        stretch(StretchKind::Frozen, "replica", 35, None),
        stretch(StretchKind::ReadOnly, "primary", 40, None),
    ];
    assert_eq!(measured.stretches, expected);
}

/// Whatever an expectation can be about has a row, or is told where its rows are: zero is a value, too.
#[test]
fn the_summary_has_rows_of_every_metric() {
    let rows = summary::rows(&metered(&[]));
    let without_rows = Metric::ALL.map(Metric::name).into_iter().filter(|name| {
        let name = if name.starts_with("latency.") { "latency" } else { name };
        !rows.iter().any(|row| row.metric == name)
    });
    assert_eq!(
        without_rows.collect::<Vec<_>>(),
        ["herd_gain", "recovery"],
        "there was no kick, and no event"
    );
    let of = |metric: &str| rows.iter().find(|row| row.metric == metric).map(|row| row.value);
    assert_eq!(of("lock_waiters"), Some(0.0), "nobody waited");
}

/// Of two databases one is asked and the other is not: that nothing herds there is no merit.
#[test]
fn a_node_that_nobody_asks_has_no_herd_to_speak_of() {
    let text = format!(
        "{SCENARIO}[postgres.other]\ncores = 4\nmax_connections = 100\n[service.web]\ncontainers = {{ min = 1, max = 1 }}\n\
         [service.web.pool.other]\npreset = \"pgxpool\"\nmax = 10\n[request.page]\nservice = \"web\"\n\
         steps = [{{ query = \"lookup\", on = \"other\" }}]\n[traffic.pages]\nrequest = \"page\"\nrate = \"1/s\"\n"
    );
    let (document, _) = Document::from_text("test.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut measured = Meter::new(document.scenario("as-written").expect("a variant"), 1).finish(&[], 0);
    let herds = |measured: &Measured| {
        ["postgres.primary", "postgres.other"].map(|of| value(Metric::HerdSize, measured, of, (0, 60)))
    };
    assert!(herds(&measured).iter().all(|herd| herd.is_nan()), "nobody is served");
    measured.classes[0].bins[0].ended[Outcome::Ok as usize] = 100;
    let [asked, other] = herds(&measured);
    assert!(asked == 0.0 && other.is_nan(), "{asked} and {other}");
}
