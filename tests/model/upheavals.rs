//! Stories of fleets: refusals, grants in line, restarts, deploys and crashes.
//!
//! Times are milliseconds; the fleet's round numbers and the words of a trace are in [`crate::kit`].

use crate::kit::{facts, fleet, on_time, outcomes, source, story, times, trace};
use herdsim::model::fact::Fact;
use herdsim::scenario::grammar::Outcome;

/// A connection beyond `max_connections` is refused at once, and its request with it.
#[test]
fn a_full_node_refuses() {
    let set = r#"
        "postgres.primary.max_connections" = 1
        "service.api.pool.primary.max" = 2
    "#;
    assert_eq!(
        trace(&story(set, "", &[0, 0]))[1..],
        [
            "2: acquire dial",
            "3: work",
            "5: refuse work",
            "7: done",
            "8: dial-ended ends:connect-refused given-up handling-",
            "13: done",
            "14: release ends:ok fulfilled handling-",
        ]
    );
}

/// A refusal takes CPU from those who have a connection; what is left of it when its client has gone, too. A
/// restart cuts it short, and the client learns of it then.
#[test]
fn a_refusal_takes_cpu() {
    let set = |more: &str| {
        format!(
            "\"postgres.primary.max_connections\" = 1\n\"postgres.primary.cores\" = 1\n\
             \"service.api.pool.primary.max\" = 2\n\"postgres.primary.refuse_cpu\" = {more}"
        )
    };
    let ends = |more: &str, events: &str| times(&story(&set(more), events, &[0, 0]), "ends");
    assert_eq!(ends("\"0s\"", ""), [6.0, 14.0]);
    // From 5 on it shares the core with a query that has 8 ms left, each at 1/2 ÷ 1.1.
    assert_eq!(ends("\"4ms\"", ""), [14.8, 18.8]);
    let given_up = "\"4ms\"\n\"service.api.pool.primary.connect_timeout\" = \"5ms\"";
    assert_eq!(ends(given_up, "")[0], 7.0);
    assert_eq!(ends(given_up, "")[1], ends("\"4ms\"", "")[1], "nobody stops it");
    let restart = "[event.restart]\nat = \"1006ms\"\ndo = { restart = \"primary\" }";
    assert_eq!(ends("\"4ms\"", restart), [7.0, 7.0]);
}

/// Reserved slots are not for the pools.
#[test]
fn reserved_slots_are_kept() {
    let set = r#"
        "postgres.primary.max_connections" = 3
        "postgres.primary.reserved_connections" = 2
        "service.api.pool.primary.max" = 2
        "service.api.pool.primary.min" = 0
    "#;
    let facts = story(set, "", &[0, 0]);
    assert_eq!(times(&facts, "refuse"), [5.0]);
    assert_eq!(times(&facts, "start"), [10.0]);
}

/// Under the quadratic grant each costs base + per_waiter × line. The first of three finds itself alone in
/// line, the second two, the third one: 3·base + 4·per_waiter in all.
#[test]
fn three_at_once_under_the_quadratic_grant() {
    let set = r#"
        "service.api.pool.primary.max" = 3
        "service.api.pool.primary.min" = 0
        "postgres.primary.grant" = { quadratic = { base = "5ms", per_waiter = "1ms" } }
    "#;
    let facts = story(set, "", &[0, 0, 0]);
    assert_eq!(times(&facts, "line"), [5.0, 5.0, 5.0]);
    assert_eq!(times(&facts, "start"), [11.0, 18.0, 24.0]);
}

/// Under the fast grant the line costs nothing extra.
#[test]
fn three_at_once_under_the_fast_grant() {
    let set = r#"
        "service.api.pool.primary.max" = 3
        "service.api.pool.primary.min" = 0
    "#;
    assert_eq!(times(&story(set, "", &[0, 0, 0]), "start"), [10.0, 15.0, 20.0]);
}

const RESTART: &str = r#"
    [event.restart]
    at = "1008ms"
    do = { restart = "primary" }
"#;

/// A restart drops what is in use and what is being dialled; both requests hear of it one trip later.
#[test]
fn a_restart_drops_what_is_in_use_and_what_is_dialling() {
    let facts = story(r#""service.api.pool.primary.max" = 2"#, RESTART, &[0, 0]);
    let trace = trace(&facts);
    assert_eq!(trace[1..4], ["2: acquire dial", "3: work", "5: line"]);
    assert_eq!(trace[4], "8: event down done exit dropped");
    let lost = "9: used-closed:broken ends:connection-lost given-up handling- \
                dial-ended ends:connect-refused given-up handling-";
    assert_eq!(trace[5..], [lost, "108: up"]);
}

/// A restart drops a backend that is starting, and its CPU with it.
#[test]
fn a_restart_drops_what_is_starting() {
    let restart = RESTART.replace("1008ms", "1020ms");
    assert_eq!(
        trace(&story(r#""service.api.pool.primary.min" = 0"#, &restart, &[0]))[3..],
        [
            "10: start:boot work",
            "20: event down done exit",
            "21: dial-ended ends:connect-refused given-up handling-",
            "120: up",
        ]
    );
}

/// A restart drops idle connections, refuses for `restart_time`, and then grants again.
#[test]
fn a_restart_drops_the_idle_and_refuses_for_a_while() {
    assert_eq!(
        trace(&story("", RESTART, &[50, 200])),
        [
            "8: event down exit",
            "9: idle-closed:broken",
            "50: wish arrives handling+",
            "52: dial",
            "55: refuse",
            "56: dial-ended ends:connect-refused given-up handling-",
            "108: up",
            "200: wish arrives handling+",
            "202: dial",
            "205: line",
            "210: start:failure work",
            "230: done",
            "231: dialled",
            "232: work",
            "242: done",
            "243: release ends:ok fulfilled handling-",
        ]
    );
}

const DEPLOY: &str = r#"
    [event.deploy]
    at = "1s"
    do = { deploy = "api" }
"#;

/// A new container takes over when it is ready; the old one finishes what it has and goes.
#[test]
fn a_deploy_drains_the_old_container() {
    assert_eq!(
        trace(&story("", DEPLOY, &[91, 110])),
        [
            "0: event launch",
            "91: wish arrives handling+",
            "93: acquire",
            "94: work",
            "100: serving",
            "104: done",
            "105: release ends:ok fulfilled handling-",
            "105.000001: idle-closed:shutdown stopped",
            "106.000001: exit",
            "110: wish arrives handling+",
            "112: dial",
            "115: line",
            "120: start:boot work",
            "140: done",
            "141: dialled",
            "142: work",
            "152: done",
            "153: release ends:ok fulfilled handling-",
        ]
    );
}

/// A container may stop while the news of a restart is on its way to one of its pools.
#[test]
fn a_container_stops_while_its_connections_are_reset() {
    let more = "[postgres.replica]\nlike = \"primary\"\n[service.api.pool.replica]\nmax = 1\nmin = 1\n\
                [event.restart]\nat = \"1099500us\"\ndo = { restart = \"primary\" }\n";
    let facts = story("", &format!("{DEPLOY}{more}"), &[300]);
    assert_eq!(
        trace(&facts)[..5],
        [
            "0: event launch",
            "99.500000: event down exit",
            "100: serving",
            "100.000001: idle-closed:shutdown idle-closed:shutdown stopped",
            "101.000001: exit",
        ]
    );
    assert_eq!(outcomes(&facts), ["ok"]);
}

/// What is still in flight when the drain ends is lost with 503. Nobody cancels its statement: the backend
/// works on and finds out when it has something to say.
#[test]
fn what_outlasts_the_drain_is_lost() {
    let set = r#"
        "query.lookup.cpu" = "50ms"
        "service.api.drain" = "20ms"
    "#;
    assert_eq!(
        trace(&story(set, DEPLOY, &[90]))[3..],
        [
            "93: work",
            "100: serving",
            "120: used-closed:broken ends:503 given-up handling- stopped",
            "143: done exit",
        ]
    );
}

/// Launches are spread over the rollout, and each new container sends one old one away: both overlap
/// meanwhile.
#[test]
fn a_rollout_replaces_one_container_after_the_other() {
    let set = r#"
        "service.api.containers" = { min = 4, max = 4 }
        "service.api.rollout" = "400ms"
    "#;
    let facts = story(set, DEPLOY, &[]);
    assert_eq!(times(&facts, "launch"), [0.0, 100.0, 200.0, 300.0]);
    assert_eq!(times(&facts, "serving"), [100.0, 200.0, 300.0, 400.0]);
    let stopped: Vec<f64> = times(&facts, "stopped").iter().map(|ms| ms.floor()).collect();
    assert_eq!(stopped, [100.0, 200.0, 300.0, 400.0]);
}

/// A deploy during a rollout replaces that too: in the end there are as many containers as before.
#[test]
fn a_deploy_during_a_rollout_replaces_both() {
    let set = r#"
        "service.api.containers" = { min = 4, max = 4 }
        "service.api.rollout" = "400ms"
    "#;
    let again = format!("{DEPLOY}\n{}", DEPLOY.replace("deploy]", "again]").replace("1s", "1250ms"));
    let facts = story(set, &again, &[]);
    let (launched, stopped) = (times(&facts, "launch").len(), times(&facts, "stopped").len());
    assert_eq!(
        (launched, stopped),
        (3 + 4, 4 + 3),
        "three of the first rollout, then four; all older have gone"
    );
}

/// A deploy of one service leaves the requests and the connections of another alone.
#[test]
fn a_deploy_leaves_other_services_alone() {
    let more = format!(
        r#"{DEPLOY}
        [service.other]
        like = "api"
        [request.report]
        service = "other"
        steps   = [{{ query = "lookup", on = "primary", times = 30 }}]
        {}"#,
        source("reports", "report", &[0])
    );
    let set = r#""service.api.drain" = "1ms""#;
    let facts = on_time(&fleet(set, &more), &[0]);
    assert_eq!(times(&facts, "stopped").len(), 1);
    assert_eq!(outcomes(&facts), ["ok"], "no request of the other service is lost");
}

/// A crash at 5 ms; the whole fleet, or a share of it.
fn crash(share: &str) -> String {
    format!("[event.crash]\nat = \"1005ms\"\ndo = {{ crash = {{ service = \"api\"{share} }} }}\n")
}

/// What is in flight is lost at once, who comes meanwhile waits for the container that is launched anew, and
/// that dials like any new one. The backend at work finds out when it has something to say.
#[test]
fn a_crash_loses_what_is_in_flight_and_starts_anew() {
    assert_eq!(
        trace(&story("", &crash(""), &[0, 20])),
        [
            "0: wish arrives handling+",
            "2: acquire",
            "3: work",
            "5: event used-closed:broken ends:503 given-up handling- stopped launch",
            "13: done exit",
            "20: wish arrives pending+",
            "105: serving pending- handling+",
            "107: dial",
            "110: line",
            "115: start:boot work",
            "135: done",
            "136: dialled",
            "137: work",
            "147: done",
            "148: release ends:ok fulfilled handling-",
        ]
    );
}

/// A share is that of all containers that there are, rounded; some share is one of them at least.
#[test]
fn a_share_of_the_containers_crashes() {
    let set = r#""service.api.containers" = { min = 4, max = 4 }"#;
    for (share, count) in
        [("", 4), (", share = \"50%\"", 2), (", share = \"1%\"", 1), (", share = \"0%\"", 0)]
    {
        let facts = story(set, &crash(share), &[]);
        assert_eq!(times(&facts, "stopped"), vec![5.0; count], "{share}");
        assert_eq!(times(&facts, "launch"), vec![5.0; count], "{share}");
        assert_eq!(times(&facts, "serving"), vec![105.0; count], "{share}");
    }
}

/// Requests in line for room, and those of a container that lives, outlast a crash of the others.
#[test]
fn a_crash_takes_only_its_own() {
    let set = r#"
        "service.api.containers" = { min = 2, max = 2 }
        "service.api.concurrency" = 1
    "#;
    let facts = story(set, &crash(", share = \"50%\""), &[0, 0, 0]);
    assert_eq!(outcomes(&facts), ["503", "ok", "ok"]);
}

/// Who dies is drawn anew for each instant, and is the same however slow the database is: with one request on
/// each of two containers, those that came at 0 and at 1 ms.
#[test]
fn who_crashes_is_drawn_by_lot_and_the_same_in_every_variant() {
    let lost = |at: u64, cpu: &str| {
        let set = format!(
            "\"service.api.containers\" = {{ min = 2, max = 2 }}\n\"service.api.concurrency\" = 1\n\
             \"query.lookup.cpu\" = \"{cpu}\""
        );
        let event = crash(", share = \"50%\"").replace("1005ms", &format!("{}ms", 1000 + at));
        let facts = story(&set, &event, &[0, 1]);
        let ends = facts.iter().filter_map(|(_, fact)| match fact {
            Fact::RequestEnded { outcome: Outcome::Unavailable, latency, .. } => {
                Some(at - latency.0 / 1_000_000)
            }
            _ => None,
        });
        ends.collect::<Vec<u64>>()
    };
    let all: Vec<Vec<u64>> = (4..12).map(|at| lost(at, "10ms")).collect();
    assert!(
        all.iter().all(|lost| lost.len() == 1) && all.contains(&vec![0]) && all.contains(&vec![1]),
        "{all:?}"
    );
    assert_eq!(all, (4..12).map(|at| lost(at, "20ms")).collect::<Vec<_>>());
}

/// Old containers that crash in a rollout are not launched again; the new ones that crash are.
#[test]
fn a_crash_in_a_rollout_leaves_as_many_as_before() {
    let set = r#"
        "service.api.containers" = { min = 4, max = 4 }
        "service.api.rollout" = "400ms"
    "#;
    for at in ["1001ms", "1150ms", "1250ms", "1400ms"] {
        let both = format!("{DEPLOY}{}", crash("").replace("1005ms", at));
        let facts = story(set, &both, &[1900]);
        let (launched, stopped) = (times(&facts, "launch").len(), times(&facts, "stopped").len());
        assert_eq!(launched, stopped, "after a crash at {at}");
        assert_eq!(outcomes(&facts), ["ok"], "after a crash at {at}");
    }
}

/// `steady` begins with warm connections at the floor or above, births spread over the lifetime.
#[test]
fn steady_begins_warm_with_births_spread_over_a_lifetime() {
    let set = r#"
        "service.api.pool.primary.min" = 100
        "service.api.pool.primary.max" = 100
        "service.api.pool.primary.max_lifetime" = "2s"
        "service.api.pool.primary.sweep" = { every = "10ms" }
    "#;
    let facts = facts(&fleet(set, &source("none", "sign-in", &[])), 1);
    let adopted = facts.iter().filter(|(_, fact)| crate::kit::word(fact) == "adopted").count();
    assert_eq!(adopted, 100);
    let closed = |from: f64, to: f64| {
        let aged = facts.iter().filter(|(_, fact)| crate::kit::word(fact) == "idle-closed:age");
        aged.filter(|(at, _)| (from..to).contains(&at.as_secs())).count()
    };
    assert_eq!(closed(0.0, 2.1), 100, "all are replaced within a lifetime");
    // Binomial(100, 1/4) lies within 10..=40 but for one in three thousand.
    for quarter in 0..4 {
        let count = closed(f64::from(quarter) * 0.5, f64::from(quarter) * 0.5 + 0.5);
        assert!((10..=40).contains(&count), "{count} in quarter {quarter}");
    }
}

/// `cold` begins with containers that serve and pools that are empty.
#[test]
fn cold_begins_with_empty_pools() {
    let users = source("users", "sign-in", &[0]);
    let cold = fleet(r#""initial" = "cold""#, &users);
    let facts = on_time(&cold, &[0]);
    assert_eq!(facts.iter().filter(|(_, fact)| crate::kit::word(fact) == "adopted").count(), 0);
    assert_eq!(trace(&facts)[1], "2: dial");
}

/// `rollout` begins with a deploy at the first instant, the old revision serving with warm connections.
#[test]
fn rollout_begins_with_a_deploy() {
    let set = r#"
        "initial" = "rollout"
        "service.api.containers" = { min = 3, max = 3 }
        "service.api.rollout" = "2400ms"
    "#;
    let facts = facts(&fleet(set, &source("none", "sign-in", &[])), 1);
    let count = |word: &str, at: u64| {
        facts.iter().filter(|(time, fact)| time.0 == at && crate::kit::word(fact) == word).count()
    };
    assert_eq!((count("serving", 0), count("adopted", 0), count("launch", 0)), (3, 3, 4));
    assert_eq!(times(&facts, "launch"), [600.0], "the third launch; the second lies before the traces begin");
    assert_eq!(times(&facts, "serving"), [700.0]);
}
