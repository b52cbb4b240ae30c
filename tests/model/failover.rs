//! Endpoints with a breaker, the edge, and handlers that try again: what serves while the primary is away.

use crate::kit::{facts, load};
use herdsim::engine::time::{Span, Time};
use herdsim::model::fact::{Fact, ServedBy};
use herdsim::scenario::Scenario;
use std::collections::BTreeMap;

/// Session reads through an endpoint, 50 a second, and a primary that is away from 20 s to 40 s.
fn fleet(more: &str) -> Scenario {
    load(&format!(
        r#"
schema_version = 1
title    = "Session reads"
duration = "60s"

[postgres.primary]
cores        = 4
restart_time = "20s"
[postgres.replica]
like  = "primary"
cores = 4

[endpoint.session-reads]
node     = "primary"
fallback = "replica"

[service.api]
containers = {{ min = 2, max = 2 }}
[service.api.pool.primary]
max             = 10
acquire_timeout = "2s"
query_timeout   = "2s"
[service.api.pool.replica]
max = 10

[query.read-session]
cpu = "1ms"

[request.session-token]
service = "api"
steps   = [{{ query = "read-session", on = "session-reads" }}]

[traffic.sessions]
request = "session-token"
rate    = "50/s"

[event.away]
at = "20s"
do = {{ restart = "primary" }}
{more}
"#
    ))
}

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

/// Requests that ended within a span of seconds, by outcome.
fn ended(facts: &[(Time, Fact)], from: u64, to: u64) -> BTreeMap<&'static str, u32> {
    let mut counts = BTreeMap::new();
    for (_, fact) in facts.iter().filter(|(when, _)| (at(from)..at(to)).contains(when)) {
        if let Fact::RequestEnded { outcome, .. } = fact {
            *counts.entry(outcome.name()).or_default() += 1;
        }
    }
    counts
}

fn served(facts: &[(Time, Fact)], wanted: ServedBy, from: u64, to: u64) -> usize {
    let within = facts.iter().filter(|(when, _)| (at(from)..at(to)).contains(when));
    within.filter(|(_, fact)| matches!(fact, Fact::RequestServed { by, .. } if *by == wanted)).count()
}

const PRIMARY: ServedBy = ServedBy::Node(0);
const REPLICA: ServedBy = ServedBy::Node(1);
const BREAKER: &str =
    "[endpoint.session-reads.breaker]\nwindow = \"1s\"\nminimum = 10\nopen_for = \"3s\"\nprobes = 3";

#[test]
fn without_a_breaker_reads_fail_with_their_node() {
    let facts = facts(&fleet(""), 1);
    let away = ended(&facts, 21, 40);
    assert!(!away.contains_key("ok"), "{away:?}");
    assert_eq!(served(&facts, REPLICA, 0, 60), 0);
}

#[test]
fn a_breaker_takes_reads_to_the_replica_and_back() {
    let facts = facts(&fleet(BREAKER), 1);
    let away = ended(&facts, 21, 40);
    let failed: u32 = away.iter().filter(|(name, _)| **name != "ok").map(|(_, n)| n).sum();
    assert!(failed <= 10, "only probes fail, one in three seconds and its kin: {away:?}");
    assert!(served(&facts, REPLICA, 21, 40) > 900, "some 50 a second");
    assert_eq!(served(&facts, PRIMARY, 21, 40), 0);
    assert!(served(&facts, PRIMARY, 45, 60) > 700, "it closes when probes succeed");
    assert_eq!(served(&facts, REPLICA, 45, 60), 0);
    let turns: Vec<bool> = facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Fact::BreakerTurned { open, .. } => Some(*open),
            _ => None,
        })
        .collect();
    assert_eq!(turns, [true, false], "it opened once and closed once");
    let ok = ended(&facts, 0, 60)["ok"] as usize;
    assert_eq!(served(&facts, PRIMARY, 0, 60) + served(&facts, REPLICA, 0, 60), ok, "each has one server");
}

#[test]
fn an_open_breaker_holds_nothing_of_the_primary() {
    let facts = facts(&fleet(BREAKER), 1);
    // Pool 0 is the primary's: whoever waits for it or dials it while the breaker is open is a probe.
    let touches = facts.iter().filter(|(when, fact)| {
        (at(22)..at(39)).contains(when) && matches!(fact, Fact::DialBegan(0) | Fact::AcquireQueued(0))
    });
    assert!(touches.count() <= 7, "one probe in three seconds");
}

#[test]
fn slowness_opens_a_breaker_before_anything_fails() {
    // The replica has cores of its own: what it has by `like` an event takes from it too.
    let slow =
        "[event.busy]\nat = \"5s\"\nuntil = \"15s\"\n[event.busy.set]\n\"postgres.primary.cores\" = 0.01";
    let breaker = format!("{BREAKER}\nslow = \"80ms\"\n{slow}");
    let facts = facts(&fleet(&breaker), 1);
    assert!(served(&facts, REPLICA, 7, 15) > 350, "some 50 a second");
    let opened = facts.iter().find(|(_, fact)| matches!(fact, Fact::BreakerTurned { open: true, .. }));
    let opened = opened.expect("it opens").0;
    assert!((at(5)..at(7)).contains(&opened), "as soon as enough have taken 80 ms: {opened}");
}

#[test]
fn an_event_turns_an_endpoint_elsewhere() {
    let moved = "[event.move]\nat = \"10s\"\n[event.move.set]\n\"endpoint.session-reads.node\" = \"replica\"";
    let facts = facts(&fleet(moved), 1);
    assert_eq!(served(&facts, REPLICA, 0, 10), 0);
    assert!(served(&facts, REPLICA, 11, 60) > 2300 && served(&facts, PRIMARY, 11, 60) == 0);
}

#[test]
fn origin_outage_mode_serves_from_the_edge_while_it_is_on() {
    let facts = facts(
        &fleet(
            "[edge]\nserves = [\"session-token\"]\n[event.mode]\nat = \"25s\"\nuntil = \"45s\"\n\
             [event.mode.set]\n\"edge.origin_outage_mode\" = \"on\"",
        ),
        1,
    );
    let on = ended(&facts, 26, 45);
    assert_eq!(on.keys().collect::<Vec<_>>(), [&"ok"], "all are served: {on:?}");
    assert!(served(&facts, ServedBy::Edge, 26, 45) > 900 && served(&facts, ServedBy::Edge, 46, 60) == 0);
}

#[test]
fn the_edge_answers_no_class_but_those_it_serves() {
    let more = "[edge]\nserves = [\"session-token\"]\norigin_outage_mode = \"on\"\n\
                [request.sign-in]\nservice = \"api\"\nsteps = [{ query = \"read-session\", on = \"replica\" }]\n\
                [traffic.people]\nrequest = \"sign-in\"\nrate = \"50/s\"";
    let facts = facts(&fleet(more), 1);
    let by_edge = served(&facts, ServedBy::Edge, 0, 60);
    assert!((2700..3300).contains(&by_edge), "session tokens, 50 a second: {by_edge}");
    let handled = facts.iter().filter(|(_, fact)| matches!(fact, Fact::HandlingBegan(_))).count();
    assert!((2700..3300).contains(&handled), "only those who sign in reach a container: {handled}");
}

#[test]
fn automatic_outage_mode_turns_itself_on_and_off() {
    let automatic = "[edge]\nserves = [\"session-token\"]\norigin_outage_mode = \"automatic\"\n\
                     [edge.breaker]\nwindow = \"1s\"\nminimum = 10\nopen_for = \"3s\"\nprobes = 3";
    let facts = facts(&fleet(automatic), 1);
    let away = ended(&facts, 22, 40);
    let failed: u32 = away.iter().filter(|(name, _)| **name != "ok").map(|(_, n)| n).sum();
    assert!(failed <= 10 && away["ok"] > 800, "{away:?}");
    assert_eq!(served(&facts, ServedBy::Edge, 46, 60), 0, "the origin is back");
    let turns = facts.iter().filter(|(_, fact)| matches!(fact, Fact::OutageModeTurned(_))).count();
    assert_eq!(turns, 2);
}

/// What was under way when the mode was switched off tells the breaker how it ended, and turns nothing.
#[test]
fn outage_mode_that_is_off_stays_off() {
    let more = "[edge]\nserves = [\"session-token\"]\norigin_outage_mode = \"automatic\"\n\
                [edge.breaker]\nwindow = \"2s\"\nminimum = 10\n\
                [event.stall]\nat = \"10s\"\n[event.stall.set]\n\"postgres.primary.state\" = \"frozen\"\n\
                [event.off]\nat = \"11s\"\n[event.off.set]\n\"edge.origin_outage_mode\" = \"off\"";
    let facts = facts(&fleet(more), 1);
    assert_eq!(ended(&facts, 10, 12).get("query-timeout"), None, "what stalls is under way for two seconds");
    let failed: u32 = ended(&facts, 12, 15).iter().filter(|(name, _)| **name != "ok").map(|(_, n)| n).sum();
    assert!(failed > 40, "{failed} of them fail");
    assert!(!facts.iter().any(|(_, fact)| matches!(fact, Fact::OutageModeTurned(_))));
}

#[test]
fn a_handler_that_runs_a_query_again_hides_a_short_restart() {
    let short = |more: &str| {
        let short = "[variant.short.set]\n\"postgres.primary.restart_time\" = \"2s\"";
        let scenario = fleet(&format!("{more}\n{short}"));
        ended(&facts(&scenario, 1), 19, 30)
    };
    let without = short("");
    assert!(without.keys().any(|outcome| *outcome != "ok"), "{without:?}");
    let retry = "[request.session-token.handler_retry]\nattempts = 20\nbackoff = \"200ms\"\nfactor = 1\n\
                 on = [\"connection-lost\", \"connect-refused\", \"pool-timeout\"]";
    let with = short(retry);
    assert_eq!(with.keys().collect::<Vec<_>>(), [&"ok"], "{with:?}");
}

#[test]
fn a_retry_budget_bounds_the_retries() {
    let retry = |budget: &str| {
        let retry = format!(
            "[request.session-token.retry]\nattempts = 4\nbackoff = \"100ms\"\non = [\"connect-refused\", \
             \"pool-timeout\", \"connection-lost\"]\n{budget}"
        );
        let facts = facts(&fleet(&retry), 1);
        let retried = facts.iter().filter(|(when, fact)| {
            (at(25)..at(40)).contains(when)
                && matches!(fact, Fact::RequestArrived { attempt, .. } if *attempt > 0)
        });
        retried.count()
    };
    let (free, bounded) = (retry(""), retry("budget = { ratio = \"20%\", min = \"0/s\" }"));
    assert!(free > 1500, "three for each of some 750: {free}");
    assert!((100..=160).contains(&bounded), "a fifth of some 750: {bounded}");
}
