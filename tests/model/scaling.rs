//! Services that scale: the closed forms of cloud-run.md §7, and stories of containers that come and go.

use crate::books::audit;
use crate::kit::{fleet, load, outcomes, story, times, trace, word};
use herdsim::engine::time::Time;
use herdsim::experiment;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::scenario::Scenario;
use herdsim::scenario::grammar::Outcome;
use proptest::prelude::*;
use proptest::sample::select;

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

/// The fleet with round numbers, one request at a time, behind a scaler: what the second of two requests is
/// told, that has waited for a second while a container takes a minute to start.
fn told(max: u32, overload: &str) -> Vec<&'static str> {
    let set = format!(
        r#"
        "service.api.containers" = {{ min = 1, max = {max} }}
        "service.api.scaler" = "cloud-run-2025"
        "service.api.concurrency" = 1
        "service.api.startup" = "1m"
        "service.api.pending_deadline" = "1s"
        "service.api.overload" = "{overload}"
        "request.sign-in.steps" = [{{ app = "30s" }}]
    "#
    );
    outcomes(&story(&set, "", &[0, 1]))
}

/// A request that has waited too long is told 429 at the cap, 500 below it, or what the scenario says.
#[test]
fn overload_is_429_at_the_cap_and_500_below_it() {
    assert_eq!(told(2, "429"), ["429"], "both containers are launched");
    assert_eq!(told(3, "429"), ["500"], "a third could have been");
    assert_eq!(told(2, "500"), ["500"]);
}

const ON_DEMAND: &str = r#"
    "service.api.containers" = { min = 1, max = 3 }
    "service.api.scaler" = "cloud-run-2025"
    "service.api.concurrency" = 1
    "service.api.idle_retention" = "1h"
    "service.api.pool.primary.refill" = "to-min"
"#;

/// A request that finds no room starts a container at once, which boots and dials its own connections; who is
/// served first does not wait for it.
#[test]
fn a_request_without_room_starts_a_container() {
    assert_eq!(
        trace(&story(ON_DEMAND, "", &[0, 1])),
        [
            "0: wish arrives handling+",
            "1: wish arrives pending+ launch dial",
            "2: acquire",
            "3: work",
            "4: line",
            "9: start:boot work",
            "13: done",
            "14: release ends:ok fulfilled handling- pending- handling+",
            "16: acquire",
            "17: work",
            "27: done",
            "28: release ends:ok fulfilled handling-",
            "29: done",
            "30: dialled release",
            "101: serving",
        ]
    );
}

/// One starts for every ten who wait, and no more than the cap.
#[test]
fn no_more_start_than_are_needed() {
    let launched = |max: u32| {
        let set = format!(
            r#"
            "service.api.containers" = {{ min = 1, max = {max} }}
            "service.api.scaler" = "cloud-run-2025"
            "service.api.concurrency" = 10
            "service.api.startup" = "1m"
            "request.sign-in.steps" = [{{ app = "30s" }}]
        "#
        );
        let users = "[traffic.users]\nrequest = \"sign-in\"\nrate = { piecewise = [{ from = \"0s\", rate = \"0/s\" }, \
                     { from = \"1s\", rate = \"1000/s\" }, { from = \"1.1s\", rate = \"0/s\" }] }\n";
        let facts = crate::kit::facts(&fleet(&set, users), 1);
        (times(&facts, "launch").len(), times(&facts, "pending+").len())
    };
    let (launches, waiting) = launched(100);
    assert!(waiting > 50);
    assert_eq!(launches, waiting.div_ceil(10));
    assert_eq!(launched(4).0, 3);
}

/// With as many containers at least as at most, a scaler is as good as none, down to every fact.
#[test]
fn a_scaler_without_room_changes_nothing() {
    let users = "[traffic.users]\nrequest = \"sign-in\"\nrate = \"120/s\"\n";
    let facts = |scaler: &str| {
        let set = format!(
            r#"
            "duration" = "40s"
            "service.api.containers" = {{ min = 2, max = 2 }}
            "service.api.concurrency" = 3
            "service.api.request_timeout" = "40ms"
            "service.api.pool.primary.max" = 2
            "query.lookup.cpu" = {{ exponential = "10ms" }}
            "service.api.scaler" = "{scaler}"
        "#
        );
        crate::kit::facts(&fleet(&set, users), 1)
    };
    let fixed = facts("fixed");
    assert!(outcomes(&fixed).contains(&"504"), "places are freed while the work goes on");
    for scaler in ["cloud-run-2025", "cloud-run-2026", "kpa", "hpa"] {
        assert!(facts(scaler) == fixed, "{scaler}");
    }
}

/// A fleet under this many requests a second of a second each until 20 s, then under none.
fn ebb(scaler: &str, rate: u32, more: &str) -> Scenario {
    let set = format!(
        r#"
        "duration" = "1000s"
        "service.api.containers" = {{ min = 2, max = 40 }}
        "service.api.concurrency" = 10
        "service.api.scaler" = "{scaler}"
        "request.sign-in.steps" = [{{ app = "1s" }}]
        {more}
    "#
    );
    let users = format!(
        "[traffic.users]\nrequest = \"sign-in\"\n\
         rate = {{ piecewise = [{{ from = \"0s\", rate = \"{rate}/s\" }}, {{ from = \"20s\", rate = \"0/s\" }}] }}\n"
    );
    fleet(&set, &users)
}

/// When containers were launched or had gone, in seconds.
fn seconds(facts: &[(Time, Fact)], wanted: &str) -> Vec<f64> {
    facts.iter().filter(|(_, fact)| word(fact) == wanted).map(|(at, _)| at.as_secs()).collect()
}

/// A fleet begins with the containers that its first traffic wants: 105 requests at once by Little's law, 6 or
/// 7 to a container, or 0.6 or 0.8 of a CPU.
#[test]
fn steady_begins_with_as_many_as_are_wanted() {
    for (scaler, wanted) in [("cloud-run-2025", 40), ("cloud-run-2026", 40), ("kpa", 15), ("hpa", 40)] {
        let facts = crate::kit::facts(&ebb(scaler, 105, ""), 1);
        assert_eq!(seconds(&facts, "launch").iter().filter(|at| **at == 0.0).count(), wanted, "{scaler}");
    }
    let ample = "\"service.api.cpus\" = 100";
    let facts = crate::kit::facts(&ebb("cloud-run-2025", 105, ample), 1);
    assert_eq!(seconds(&facts, "launch").iter().filter(|at| **at == 0.0).count(), 18, "105 / 6 = 17.5");
}

/// Devices are traffic, too: 5000 × 2 tabs, each every 47.5 s, for a second each: 210.5 at once, 6 to a
/// container.
#[test]
fn steady_counts_devices() {
    let devices = "[device.phone]\nrequest = \"sign-in\"\ncount = 5000\ntabs = 2\n";
    let set = "\"service.api.containers\" = { min = 1, max = 100 }\n\"service.api.concurrency\" = 10\n\
               \"service.api.cpus\" = 10\n\"service.api.scaler\" = \"cloud-run-2025\"\n\
               \"request.sign-in.steps\" = [{ app = \"1s\" }]\n\"duration\" = \"1ms\"";
    let none = crate::kit::source("none", "sign-in", &[]);
    let facts = crate::kit::facts(&fleet(set, &format!("{none}{devices}")), 1);
    assert_eq!(seconds(&facts, "launch").len(), 36);
    let off = crate::kit::facts(&fleet(set, &format!("{none}{devices}enabled = false\n")), 1);
    assert_eq!(seconds(&off, "launch").len(), 1);
}

/// Cloud Run keeps what it no longer wants for a time of its own each, up to the retention. The minute
/// forgets all requests by 80 s at the latest, and the last container goes within the retention after that.
#[test]
fn what_is_no_longer_wanted_stays_for_a_while() {
    let facts =
        crate::kit::facts(&ebb("cloud-run-2025", 105, "\"service.api.idle_retention\" = \"300s\""), 1);
    let stops = seconds(&facts, "stopped");
    assert_eq!(stops.len(), seconds(&facts, "launch").len() - 2, "down to the least");
    assert!(stops[0] > 20.0 && *stops.last().expect("a stop") < 385.0, "{stops:?}");
    let late = stops.iter().filter(|at| **at > 80.0 + 150.0).count();
    assert!((5..30).contains(&late), "half of 38 stay for longer than half the retention: {late}");
}

/// Without retention they go at the ticks. Knative lets go of half of them at most.
#[test]
fn knative_lets_go_at_its_ticks() {
    let facts = crate::kit::facts(&ebb("kpa", 105, ""), 1);
    let stops = seconds(&facts, "stopped");
    assert_eq!(stops.len(), seconds(&facts, "launch").len() - 2);
    assert!(stops.iter().all(|at| (at / 2.0).fract() < 1e-6), "ticks of 2 s: {stops:?}");
    assert!(*stops.last().expect("a stop") <= 82.0, "a stable window after the last request");
}

/// The horizontal pod autoscaler waits for five minutes.
#[test]
fn kubernetes_lets_go_after_five_minutes() {
    let facts = crate::kit::facts(&ebb("hpa", 20, ""), 1);
    let stops = seconds(&facts, "stopped");
    assert!(stops.len() > 10 && stops.iter().all(|at| *at >= 315.0), "{stops:?}");
}

/// An event so many milliseconds after the story begins, that sets the bounds on containers.
fn bounds(at: u64, min: u32, max: u32) -> String {
    format!(
        "[event.bounds]\nat = \"{}ms\"\n[event.bounds.set]\n\"service.api.containers\" = \
         {{ min = {min}, max = {max} }}\n",
        1000 + at
    )
}

/// A fixed service follows a change of its size at once: all new ones start together, and bring pools.
#[test]
fn a_fixed_service_follows_a_greater_size() {
    let facts = story(r#""service.api.pool.primary.refill" = "to-min""#, &bounds(5, 3, 3), &[]);
    assert_eq!(trace(&facts)[0], "5: event cap launch dial launch dial");
    assert_eq!(times(&facts, "serving"), [105.0, 105.0]);
    assert_eq!(times(&facts, "start").len(), 2);
}

/// A lower size drains the newest at once; what it works on is finished first.
#[test]
fn a_fixed_service_follows_a_lower_size() {
    let set = "\"service.api.containers\" = { min = 2, max = 2 }";
    assert_eq!(
        trace(&story(set, &bounds(5, 1, 1), &[0, 0]))[2..],
        [
            "3: work work",
            "5: event cap",
            "13: done done",
            "14: release ends:ok fulfilled handling- release ends:ok fulfilled handling-",
            "14.000001: idle-closed:shutdown stopped",
            "15.000001: exit",
        ]
    );
}

/// A service that scales follows its bounds at the next tick: a lower cap drains, a higher floor launches.
#[test]
fn a_scaled_service_follows_its_bounds_at_the_next_tick() {
    let set = |size: u32| {
        format!(
            "\"duration\" = \"9s\"\n\"service.api.scaler\" = \"cloud-run-2025\"\n\
             \"service.api.containers\" = {{ min = {size}, max = {size} }}"
        )
    };
    let lower = story(&set(4), &bounds(5, 2, 2), &[]);
    assert_eq!(times(&lower, "cap"), [5.0]);
    assert_eq!(times(&lower, "stopped"), [4000.000001, 4000.000001], "the cap takes no retention");
    let higher = story(&set(1), &bounds(5, 3, 3), &[]);
    assert_eq!(times(&higher, "launch"), [4000.0, 4000.0]);
}

/// Launches in a rollout are of the new revision: in the end there are as many as without it, none is of the
/// old one, and there were never more than both together.
#[test]
fn scaling_goes_on_in_a_rollout() {
    let scenario = |enabled: bool| {
        let set = format!(
            r#"
            "duration" = "200s"
            "service.api.containers" = {{ min = 2, max = 12 }}
            "service.api.concurrency" = 10
            "service.api.cpus" = 10
            "service.api.scaler" = "kpa"
            "service.api.rollout" = "40s"
            "service.api.drain" = "3s"
            "request.sign-in.steps" = [{{ app = "1s" }}]
            "event.deploy.enabled" = {enabled}
        "#
        );
        let users = "[traffic.users]\nrequest = \"sign-in\"\nrate = { piecewise = [{ from = \"0s\", rate = \"20/s\" }, \
                     { from = \"20s\", rate = \"60/s\" }] }\n[event.deploy]\nat = \"10s\"\ndo = { deploy = \"api\" }\n";
        fleet(&set, users)
    };
    let living = |facts: &[(Time, Fact)]| {
        let (mut now, mut most) = (0_i32, 0);
        for (_, fact) in facts {
            now += i32::from(word(fact) == "launch") - i32::from(word(fact) == "stopped");
            most = most.max(now);
        }
        (now, most)
    };
    let (with, without) = (crate::kit::facts(&scenario(true), 1), crate::kit::facts(&scenario(false), 1));
    assert_eq!(living(&with).0, living(&without).0);
    assert!(living(&with).1 <= 12 + 3, "{:?}", living(&with));
    assert!(outcomes(&with).iter().all(|outcome| *outcome == "ok"), "no request is lost");
}

/// A deploy while containers of an older revision still drain replaces those that serve, each once.
#[test]
fn a_deploy_replaces_what_serves_and_not_what_drains() {
    let set = r#"
        "duration" = "20s"
        "service.api.containers" = { min = 4, max = 4 }
        "service.api.rollout" = "400ms"
        "request.sign-in.steps" = [{ app = "5s" }]
    "#;
    let more = "[traffic.users]\nrequest = \"sign-in\"\nrate = \"20/s\"\n[event.deploy]\nat = \"8s\"\n\
                do = { deploy = \"api\" }\n[event.again]\nat = \"9s\"\ndo = { deploy = \"api\" }\n";
    let facts = crate::kit::facts(&fleet(set, more), 1);
    let (launched, stopped) = (seconds(&facts, "launch").len(), seconds(&facts, "stopped").len());
    assert_eq!((launched, stopped), (4 + 4 + 4, 4 + 4));
}

/// A database that stalls raises concurrency, not CPU: who scales by requests goes to the cap, who scales by
/// CPU stays where it is.
#[test]
fn a_stalled_database_is_seen_by_requests_and_not_by_cpu() {
    let launched = |scaler: &str| {
        let set = format!(
            r#"
            "duration" = "3m"
            "service.api.containers" = {{ min = 2, max = 12 }}
            "service.api.concurrency" = 20
            "service.api.pool.primary.max" = 4
            "service.api.scaler" = "{scaler}"
            "query.lookup.cpu" = "1ms"
            "request.sign-in.steps" = [{{ app = "5ms" }}, {{ query = "lookup", on = "primary" }}]
        "#
        );
        let more = "[traffic.users]\nrequest = \"sign-in\"\nrate = \"200/s\"\n[event.stall]\nat = \"1m\"\n\
                    [event.stall.set]\n\"postgres.primary.cores\" = 0.01\n";
        let facts = crate::kit::facts(&fleet(&set, more), 1);
        let at = seconds(&facts, "launch");
        (at.iter().filter(|at| **at < 60.0).count(), at.len())
    };
    for scaler in ["cloud-run-2025", "cloud-run-2026", "kpa"] {
        assert_eq!(launched(scaler), (2, 12), "{scaler}");
    }
    assert_eq!(launched("hpa"), (2, 2));
}

/// Random services under random traffic, with a deploy and a change of bounds at any time.
fn random_service() -> impl Strategy<Value = String> {
    let scaler = select(vec!["cloud-run-2025", "cloud-run-2026", "kpa", "hpa"]);
    let retention = select(vec!["0s", "7s", "40s"]);
    let startup = select(vec!["5s", "{ exponential = \"2s\" }"]);
    let start = select(vec!["steady", "rollout", "cold"]);
    let sizes = (1..4u32, 0..8u32, 1..4u32, 0..8u32);
    let times = (1..90u32, 1..90u32, 1..90u32);
    (scaler, retention, startup, start, sizes, 1..6u32, 1..60u32, times).prop_map(
        |(scaler, retention, startup, start, sizes, concurrency, rate, times)| {
            let (min, more, later_min, later_more) = sizes;
            let startup =
                if startup.starts_with('{') { startup.to_owned() } else { format!("\"{startup}\"") };
            format!(
                r#"
schema_version = 1
title    = "Random"
duration = "100s"
initial  = "{start}"
[postgres.primary]
cores = 1
[service.api]
containers       = {{ min = {min}, max = {} }}
scaler           = "{scaler}"
concurrency      = {concurrency}
idle_retention   = "{retention}"
startup          = {startup}
rollout          = "15s"
drain            = "2s"
request_timeout  = "4s"
pending_deadline = "3s"
[service.api.pool.primary]
max = 3
min = 1
[query.lookup]
cpu = {{ exponential = "4ms" }}
[request.sign-in]
service = "api"
steps   = [{{ app = {{ exponential = "300ms" }} }}, {{ query = "lookup", on = "primary", times = 3 }}]
[traffic.users]
request = "sign-in"
rate    = {{ piecewise = [{{ from = "0s", rate = "{rate}/s" }}, {{ from = "{}s", rate = "0/s" }}] }}
[event.deploy]
at = "{}s"
do = {{ deploy = "api" }}
[event.again]
at = "event.deploy + 6s"
do = {{ deploy = "api" }}
[event.bounds]
at    = "{}s"
until = "95s"
[event.bounds.set]
"service.api.containers" = {{ min = {later_min}, max = {} }}
"#,
                min + more,
                times.0,
                times.1,
                times.2,
                later_min + later_more
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever happens, containers, requests and connections are accounted for.
    #[test]
    fn books_balance_while_a_fleet_scales(text in random_service(), seed in 1..1000u64) {
        audit(&load(&text), seed);
    }
}
