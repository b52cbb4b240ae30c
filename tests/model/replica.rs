//! Replicas: what they replay, what they refuse, and how one is promoted.

use crate::kit::{BEGIN, outcomes, story, times, trace};
use herdsim::engine::time::Time;
use herdsim::model::fact::Fact;

/// A replica 30 ms behind, with a pool to it; the primary has a disk.
const REPLICA: &str = r#"
[postgres.primary.disk]
read           = "10ms"
flush          = "20ms"
recovery_reads = 0
[postgres.replica]
like         = "primary"
replica_of   = "primary"
lag          = "30ms"
promote_time = "50ms"
[service.api.pool.replica]
max = 1
min = 1
"#;

/// Every flush is replayed at its lag; two commits of one flush are one.
#[test]
fn a_flush_is_replayed_at_its_lag() {
    let set = r#"
        "query.lookup.writes" = true
        "service.api.pool.primary.max" = 3
        "service.api.pool.primary.min" = 3
    "#;
    let facts = story(set, REPLICA, &[0, 5, 9]);
    assert_eq!(times(&facts, "disk-done"), [33.0, 53.0, 53.0]);
    assert_eq!(times(&facts, "replayed"), [63.0, 83.0]);
    let ages: Vec<f64> = facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Fact::Replayed(1, age) => Some(age.as_millis()),
            _ => None,
        })
        .collect();
    assert_eq!(ages, [30.0, 30.0]);
}

/// Replay keeps the order of the flushes: none overtakes the one before.
#[test]
fn replay_keeps_its_order() {
    let set = r#"
        "query.lookup.writes" = true
        "query.lookup.cpu" = "1ms"
        "postgres.primary.disk.flush" = "1ms"
        "postgres.replica.lag" = { exponential = "30ms" }
    "#;
    let more = format!(
        "{REPLICA}[traffic.crowd]\nrequest = \"sign-in\"\nrate = {{ piecewise = [{{ from = \"0s\", rate = \"0/s\" }}, {{ from = \"1s\", rate = \"150/s\" }}] }}\n"
    );
    let scenario = crate::kit::fleet(set, &more);
    let facts = crate::kit::facts(&scenario, 1);
    let mut flushed = Vec::new();
    for (at, fact) in facts.iter().filter(|(at, _)| *at >= BEGIN) {
        if let Fact::Replayed(_, age) = fact {
            flushed.push(at.0 - age.0);
        }
    }
    assert!(flushed.len() > 100);
    assert!(flushed.windows(2).all(|pair| pair[0] < pair[1]), "in order of their flushes, each once");
}

/// Each flush has a lag of its own.
#[test]
fn every_lag_is_drawn_anew() {
    let set = "\"query.lookup.writes\" = true\n\"postgres.replica.lag\" = { exponential = \"30ms\" }";
    let facts = story(set, REPLICA, &[0, 500, 1000]);
    let behind: Vec<f64> = times(&facts, "replayed")
        .iter()
        .zip(times(&facts, "disk-done"))
        .map(|(at, done)| at - done)
        .collect();
    assert_eq!(behind.len(), 3);
    let apart = |one: f64, other: f64| (one - other).abs() > 0.01;
    assert!(
        apart(behind[0], behind[1]) && apart(behind[1], behind[2]) && apart(behind[2], behind[0]),
        "{behind:?}"
    );
}

/// A replica takes reads and refuses writes.
#[test]
fn a_replica_takes_reads_only() {
    let steps = r#""request.sign-in.steps" = [{ query = "lookup", on = "replica" }]"#;
    assert_eq!(outcomes(&story(steps, REPLICA, &[0])), ["ok"]);
    let set = format!("{steps}\n\"query.lookup.writes\" = true");
    assert_eq!(outcomes(&story(&set, REPLICA, &[0])), ["500"]);
}

/// Promotion: every connection of both drops, and the primary takes connections when all is replayed and the
/// promotion is done.
#[test]
fn a_promotion_waits_for_replay_and_drops_everybody() {
    let more = format!("{REPLICA}[event.promote]\nat = \"1040ms\"\ndo = {{ promote = \"replica\" }}\n");
    let facts = story("\"query.lookup.writes\" = true", &more, &[0]);
    assert_eq!(times(&facts, "disk-done"), [33.0]);
    assert_eq!(
        trace(&facts)[5..7],
        ["34: release ends:ok fulfilled handling-", "40: event down exit down exit"]
    );
    assert_eq!(times(&facts, "idle-closed"), [41.0, 41.0]);
    assert_eq!(times(&facts, "up"), [113.0, 140.0], "63 + 50 for the primary; a restart for the other");
}

/// After a promotion the primary runs on the replica's machine: a sick disk stays behind.
#[test]
fn a_promotion_leaves_the_sick_machine_behind() {
    let set = "\"postgres.primary.disk.read_factor\" = 10\n\"postgres.replica.disk.read_factor\" = 1\n\
               \"query.lookup.reads\" = 1";
    let more = format!("{REPLICA}[event.promote]\nat = \"1040ms\"\ndo = {{ promote = \"replica\" }}\n");
    let facts = story(set, &more, &[500]);
    let ends = times(&facts, "ends");
    let started = times(&facts, "disk")[0];
    assert_eq!(times(&facts, "disk-done")[0] - started, 10.0, "a read of the healthy disk");
    assert_eq!(ends.len(), 1);
}

/// A promotion rescues a name whose machine is unreachable; the replica's name now leads there.
#[test]
fn a_promotion_leaves_an_unreachable_machine_behind() {
    let more = format!(
        "{REPLICA}[event.cut]\nat = \"1005ms\"\nset = {{ \"postgres.primary.state\" = \"unreachable\" }}\n\
         [event.promote]\nat = \"1040ms\"\ndo = {{ promote = \"replica\" }}\n"
    );
    let set = "\"service.api.pool.primary.query_timeout\" = \"30ms\"";
    let facts = story(set, &more, &[0, 300]);
    assert_eq!(outcomes(&facts), ["query-timeout", "ok"]);
}

/// When a replica replays and when it falls behind, with the ages of the data in milliseconds.
fn progress(facts: &[(Time, Fact)]) -> Vec<String> {
    let said = facts.iter().filter_map(|(at, fact)| {
        let (what, age) = match fact {
            Fact::Replayed(_, age) => ("replayed", age),
            Fact::FellBehind(_, age) => ("behind", age),
            _ => return None,
        };
        Some(format!("{}: {what} {}", at.since(BEGIN).as_millis(), age.as_millis()))
    });
    said.collect()
}

/// What becomes of one write, flushed at 33 and due at 63, and of another a little later.
fn two_writes(event: &str) -> Vec<String> {
    let set = r#"
        "query.lookup.writes" = true
        "service.api.pool.primary.max" = 2
        "service.api.pool.primary.min" = 2
    "#;
    progress(&story(set, &format!("{REPLICA}[event.e]\n{event}"), &[0, 40]))
}

/// A node is in a state from so many milliseconds of the story to so many.
fn state(node: &str, state: &str, from: u64, until: u64) -> String {
    let (from, until) = (1000 + from, 1000 + until);
    format!("at = \"{from}ms\"\nuntil = \"{until}ms\"\nset = {{ \"postgres.{node}.state\" = \"{state}\" }}\n")
}

/// A replica that stands still, cannot be reached or is down falls behind, and catches up afterwards.
#[test]
fn a_replica_that_cannot_replay_falls_behind() {
    let late = ["63: behind 30", "103: behind 70", "200: replayed 127"];
    assert_eq!(two_writes(&state("replica", "frozen", 5, 200)), late);
    assert_eq!(two_writes(&state("replica", "unreachable", 5, 200)), late);
    let restart = "at = \"1060ms\"\ndo = { restart = \"replica\" }\n";
    assert_eq!(two_writes(restart), ["63: behind 30", "103: behind 70", "160: replayed 87"]);
}

/// What a replica has received it replays, whoever cannot be reached or stands still since.
#[test]
fn what_was_received_is_replayed() {
    let cut = state("replica", "unreachable", 50, 200);
    assert_eq!(two_writes(&cut), ["63: replayed 30", "103: behind 30", "200: replayed 127"]);
    let frozen = state("primary", "frozen", 35, 200);
    assert_eq!(two_writes(&frozen)[0], "63: replayed 30");
}

/// After a promotion the replica's name has all that its machine flushed as a primary; of what the new one
/// flushes it gets nothing while it cannot be reached.
#[test]
fn a_promotion_changes_who_falls_behind() {
    let more = format!(
        "{REPLICA}[event.cut]\n{}[event.promote]\nat = \"1040ms\"\ndo = {{ promote = \"replica\" }}\n",
        state("primary", "unreachable", 36, 1000)
    );
    let facts = story("\"query.lookup.writes\" = true", &more, &[0, 300, 400]);
    let states: Vec<String> = facts
        .iter()
        .filter_map(|(at, fact)| match fact {
            Fact::StateEntered(node, state) => {
                Some(format!("{} {node} {state:?}", at.since(BEGIN).as_millis()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(states, ["36 0 Unreachable", "40 0 Up", "40 1 Unreachable", "1000 1 Up"]);
    // The second finds its connection broken; the third dials anew.
    let flushed = times(&facts, "disk-done")[1];
    let due = flushed + 30.0;
    let late = format!("1000: replayed {}", 1000.0 - flushed);
    assert_eq!(progress(&facts), [format!("{due}: behind 30"), late]);
}
