//! Services that scale: stories of containers that come and go. The closed forms are in `laws`, chance in
//! `random`.

mod laws;
mod random;

use crate::kit::{fleet, outcomes, story, times, trace, word};
use herdsim::engine::time::Time;
use herdsim::model::fact::Fact;
use herdsim::scenario::Scenario;

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

/// Unless the scenario says, Knative and Kubernetes tell 503.
#[test]
fn overload_is_as_the_platform_has_it() {
    let told = |scaler: &str| {
        let set = format!(
            r#"
            "service.api.scaler" = "{scaler}"
            "service.api.concurrency" = 1
            "service.api.pending_deadline" = "1s"
            "request.sign-in.steps" = [{{ app = "30s" }}]
        "#
        );
        outcomes(&story(&set, "", &[0, 1]))
    };
    for (scaler, outcome) in [("fixed", "429"), ("cloud-run-2025", "429"), ("kpa", "503"), ("hpa", "503")] {
        assert_eq!(told(scaler), [outcome], "{scaler}");
    }
}

/// Who comes when as many wait as may is told so at once, and the others wait on.
#[test]
fn the_line_has_an_end() {
    let set = r#"
        "service.api.concurrency" = 1
        "service.api.pending_capacity" = 1
        "service.api.overload" = "503"
        "request.sign-in.steps" = [{ app = "10ms" }]
    "#;
    let facts = story(set, "", &[0, 1, 2, 15]);
    assert_eq!(outcomes(&facts), ["503", "ok", "ok", "ok"]);
    assert_eq!(times(&facts, "ends"), [2.0, 10.0, 20.0, 30.0], "the fourth finds room again");
}

/// On Cloud Run who waits for a container is turned away after ten seconds, or after three and a half mean
/// startups where that is longer.
#[test]
fn the_wait_for_a_container_follows_the_startup() {
    let turned_away = |startup: &str| {
        let set = format!(
            r#"
            "duration" = "60s"
            "service.api.scaler" = "cloud-run-2025"
            "service.api.concurrency" = 1
            "service.api.startup" = "{startup}"
            "request.sign-in.steps" = [{{ app = "55s" }}]
        "#
        );
        times(&story(&set, "", &[0, 1]), "pending-")
    };
    assert_eq!([turned_away("1s"), turned_away("10s")], [[10_001.0], [35_001.0]]);
}

/// What happened at the very beginning: how often this word was said.
fn at_first(set: &str, wanted: &str) -> usize {
    let users = "[traffic.users]\nrequest = \"sign-in\"\nrate = \"20/s\"\n";
    let facts = crate::kit::facts(&fleet(set, users), 1);
    facts.iter().filter(|(at, fact)| *at == Time::ZERO && word(fact) == wanted).count()
}

/// A fleet begins as large as its load wants it: who thinks while he holds a connection is as busy as any
/// other, and a transaction holds its connection for all of its queries.
#[test]
fn a_fleet_begins_as_large_as_its_load() {
    let containers = |steps: &str| {
        let scaled = "\"service.api.containers\" = { min = 1, max = 9 }\n\"service.api.scaler\" = \"hpa\"";
        at_first(&format!("{scaled}\n\"request.sign-in.steps\" = [{steps}]"), "launch")
    };
    let query = "query = \"lookup\", on = \"primary\"";
    assert_eq!(containers(&format!("{{ app = \"100ms\" }}, {{ {query} }}")), 3, "2 CPUs at 80 %");
    assert_eq!(containers(&format!("{{ {query}, think = \"100ms\" }}")), 3);
    let connections = |queries: usize| {
        let names = vec!["\"lookup\""; queries].join(", ");
        let pool = "\"service.api.pool.primary.max\" = 50\n\"service.api.pool.primary.min\" = 0";
        let steps = format!("[{{ transaction = [{names}], on = \"primary\" }}]");
        at_first(&format!("{pool}\n\"request.sign-in.steps\" = {steps}"), "adopted")
    };
    let (one, three) = (connections(1), connections(3));
    assert!(one > 0 && three > one, "{one} and {three}");
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
        let mut scaled = facts(scaler);
        scaled.retain(|(_, fact)| !matches!(fact, Fact::AtCapTurned(..)));
        assert!(scaled == fixed, "{scaler}");
    }
}

/// A fleet under this many requests a second of a second each until 20 s, then under none; a deploy waits to
/// be enabled.
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
        "[traffic.users]\nrequest = \"sign-in\"\nrate = {{ piecewise = [\
         {{ from = \"0s\", rate = \"{rate}/s\" }}, {{ from = \"20s\", rate = \"0/s\" }}] }}\n\
         [event.deploy]\nat = \"100s\"\nenabled = false\ndo = {{ deploy = \"api\" }}\n"
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

/// What the edge rejects or answers by itself from the start reaches no container: of 105 at once a tenth, or
/// nothing, which leaves the least.
#[test]
fn steady_leaves_out_what_the_edge_keeps() {
    let first = |set: &str| {
        let facts = crate::kit::facts(&ebb("cloud-run-2025", 105, set), 1);
        let launched =
            |(at, fact): &&(Time, Fact)| *at == Time::ZERO && matches!(fact, Fact::ContainerLaunched(_));
        facts.iter().filter(launched).count()
    };
    assert_eq!(first("\"traffic.users.rejected\" = \"90%\""), 18, "10.5 / 0.6 CPUs");
    let edge = |mode: &str, serves: &str| {
        first(&format!("\"edge.origin_outage_mode\" = \"{mode}\"\n\"edge.serves\" = [\"{serves}\"]"))
    };
    assert_eq!(edge("on", "sign-in"), 2);
    assert_eq!(edge("off", "sign-in"), 40);
}

/// The greatest fleet of the greatest pools: no product of the two overflows.
#[test]
fn steady_counts_the_greatest_fleet() {
    let set = "\"service.api.containers\" = { min = 50000, max = 50000 }\n\"duration\" = \"1ms\"\n\
               \"service.api.pool.primary.max\" = 100000";
    let facts =
        crate::kit::facts(&fleet(set, "[traffic.users]\nrequest = \"sign-in\"\nrate = \"50/s\"\n"), 1);
    assert_eq!(seconds(&facts, "launch").len(), 50_000);
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
    // Both are at their caps as they are set up, which a story leaves out.
    assert_eq!((times(&lower, "at-cap"), times(&lower, "below-cap")), (vec![], vec![]));
    assert_eq!((times(&higher, "at-cap"), times(&higher, "below-cap")), (vec![4000.0], vec![5.0]));
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

/// What a rollout replaces counts once: a fleet of half its cap may be deployed without being at its cap.
#[test]
fn a_rollout_does_not_bring_a_fleet_to_its_cap() {
    let set = |max: u32| {
        format!(
            "\"duration\" = \"20s\"\n\"service.api.scaler\" = \"kpa\"\n\"service.api.rollout\" = \"0s\"\n\
             \"service.api.containers\" = {{ min = 2, max = {max} }}"
        )
    };
    let deploy = "[event.deploy]\nat = \"5s\"\ndo = { deploy = \"api\" }\n";
    let half = story(&set(4), deploy, &[]);
    assert_eq!(times(&half, "launch").len(), 2, "both revisions are there at once");
    assert_eq!(times(&half, "at-cap"), [0.0; 0]);
    let full = story(&set(2), deploy, &[]);
    assert_eq!(times(&full, "below-cap"), [0.0; 0], "what is to go does not make room");
}

/// A rollout keeps the number of containers, those that were about to go included; they are let go after it.
#[test]
fn nothing_is_let_go_in_a_rollout() {
    let set = "\"service.api.idle_retention\" = \"300s\"\n\"service.api.rollout\" = \"200s\"\n\
               \"event.deploy.enabled\" = true";
    let facts = crate::kit::facts(&ebb("cloud-run-2025", 105, set), 1);
    let (launches, stops) = (seconds(&facts, "launch"), seconds(&facts, "stopped"));
    let living = |at: f64| {
        let until = |times: &[f64]| times.iter().filter(|time| **time <= at).count();
        until(&launches) - until(&stops)
    };
    let (before, last) = (living(99.0), *launches.last().expect("a launch"));
    assert!((20..40).contains(&before) && last > 250.0, "{before} are replaced until {last} s");
    let meanwhile = stops.iter().filter(|at| (100.0..last).contains(*at));
    assert_eq!(meanwhile.map(|at| living(*at)).min(), Some(before));
    assert_eq!(living(1000.0), 2);
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
