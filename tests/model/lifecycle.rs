//! Node states, restarts, failover and promotion: what becomes of what is under way.
//!
//! Stories count in milliseconds from the first arrival; see [`crate::kit`] for the fleet.

use crate::kit::{outcomes, story, times, trace};

const DISK: &str = "[postgres.primary.disk]\nread = \"10ms\"\nflush = \"20ms\"\nrecovery_reads = 0\n";

/// The primary is in a state from 1,005 ms to 1,100 ms: from 5 to 100 of the story.
fn state(state: &str) -> String {
    format!(
        "[event.sick]\nat = \"1005ms\"\nuntil = \"1100ms\"\nset = {{ \"postgres.primary.state\" = \"{state}\" }}\n"
    )
}

/// Nothing comes from an unreachable node: the client's own clock ends the statement, and its close is lost
/// too. The backend is found without a client when the node can be reached again.
#[test]
fn an_unreachable_node_swallows_answers() {
    let set = r#""service.api.pool.primary.query_timeout" = "30ms""#;
    let facts = story(set, &state("unreachable"), &[0]);
    assert_eq!(
        trace(&facts)[2..],
        [
            "3: work",
            "5: event",
            "13: done",
            "32: used-closed:broken ends:query-timeout given-up handling-",
            "100: event exit",
        ]
    );
}

/// Who pings before use has the connection when it has answered: the clock on the acquire runs until then,
/// but in pools whose clock stands for the line alone.
#[test]
fn a_ping_counts_as_acquiring() {
    let told = |covers: &str| {
        let set = format!(
            "\"service.api.pool.primary.ping_after\" = \"0s\"\n\
             \"service.api.pool.primary.acquire_timeout\" = \"30ms\"\n\
             \"service.api.pool.primary.acquire_timeout_covers\" = \"{covers}\""
        );
        let facts = story(&set, &state("unreachable"), &[10]);
        (times(&facts, "ends"), outcomes(&facts))
    };
    assert_eq!(told("line-and-dial"), (vec![42.0], vec!["pool-timeout"]));
    assert_eq!(told("line"), (vec![101.0], vec!["connection-lost"]));
}

/// An answer to the ping stops that clock.
#[test]
fn a_ping_that_is_answered_stops_the_clock() {
    let set = r#"
        "service.api.pool.primary.ping_after" = "0s"
        "service.api.pool.primary.acquire_timeout" = "5ms"
    "#;
    assert_eq!(outcomes(&story(set, "", &[0])), ["ok"]);
}

/// A client without a clock learns that its statement is lost when the node can be reached again.
#[test]
fn a_lost_answer_is_a_lost_connection() {
    let facts = story("", &state("unreachable"), &[0]);
    assert_eq!(
        trace(&facts)[4..],
        ["13: done", "100: event exit", "101: used-closed:broken ends:connection-lost given-up handling-"]
    );
}

/// An idle connection outlives the time in which its node was unreachable, if nothing was sent on it.
#[test]
fn an_idle_connection_outlives_an_unreachable_node() {
    let facts = story("", &state("unreachable"), &[150]);
    assert_eq!(trace(&facts)[2..4], ["150: wish arrives handling+", "152: acquire"]);
    assert_eq!(outcomes(&facts), ["ok"]);
}

/// A dial to an unreachable node hangs until the client's own clock ends it.
#[test]
fn a_dial_to_an_unreachable_node_hangs() {
    let set = r#"
        "service.api.pool.primary.min" = 0
        "service.api.pool.primary.connect_timeout" = "50ms"
    "#;
    let facts = story(set, &state("unreachable"), &[10]);
    assert_eq!(
        trace(&facts)[1..],
        [
            "10: wish arrives handling+",
            "12: dial",
            "62: dial-ended ends:connect-refused given-up handling-",
            "100: event",
        ]
    );
    // Without a clock of its own it fails when the node can be reached again.
    let facts = story(r#""service.api.pool.primary.min" = 0"#, &state("unreachable"), &[10]);
    assert_eq!(times(&facts, "dial-ended"), [101.0]);
}

/// A frozen node stands still: its CPU goes on where it stopped, and messages wait.
#[test]
fn a_frozen_node_goes_on_where_it_stopped() {
    let set = r#"
        "service.api.pool.primary.max" = 2
        "service.api.pool.primary.min" = 2
    "#;
    let facts = story(set, &state("frozen"), &[0, 10]);
    assert_eq!(times(&facts, "work"), [3.0, 100.0], "the second arrived at 13");
    assert_eq!(times(&facts, "done"), [108.0, 110.0], "the first had 8 ms to go");
    assert_eq!(outcomes(&facts), ["ok", "ok"]);
}

/// A grant, a flush and a page that came due meanwhile are there when the node goes on.
#[test]
fn what_came_due_at_a_frozen_node_waits() {
    let set = "\"query.lookup.reads\" = 1\n\"query.lookup.cpu\" = \"1ms\"\n\"query.lookup.writes\" = true";
    let facts = story(set, &format!("{DISK}{}", state("frozen")), &[0]);
    assert_eq!(times(&facts, "disk"), [4.0, 100.0], "the page came at 14, the flush begins at 100");
    assert_eq!(times(&facts, "ends"), [121.0]);
    let facts = story(r#""service.api.pool.primary.min" = 0"#, &state("frozen"), &[0]);
    assert_eq!(times(&facts, "start"), [105.0], "the request to connect arrived at 5");
}

/// A node that is only slow to answer keeps its connections, however the client's clock runs.
#[test]
fn a_client_that_leaves_a_frozen_node_is_noticed_later() {
    let set = r#""service.api.pool.primary.query_timeout" = "30ms""#;
    let facts = story(set, &state("frozen"), &[0]);
    assert_eq!(times(&facts, "ends"), [32.0]);
    assert_eq!(times(&facts, "exit"), [100.0]);
    assert_eq!(times(&facts, "done"), [100.0]);
}

/// A read-only node serves reads and ends a write at once (25006); the connection stays.
#[test]
fn a_read_only_node_refuses_writes() {
    let more = state("read-only");
    assert_eq!(outcomes(&story("", &more, &[10])), ["ok"]);
    let facts = story("\"query.lookup.writes\" = true", &more, &[10]);
    assert_eq!(trace(&facts)[3..], ["14: release ends:500 given-up handling-", "100: event"]);
    let facts = story("\"query.lookup.lock\" = { rows = 1 }", &more, &[10, 150]);
    assert_eq!(outcomes(&facts), ["500", "ok"]);
}

/// A restart recovers from its disk before it takes connections, at what a read takes then.
#[test]
fn a_restart_recovers_from_its_disk() {
    let disk = DISK.replace("recovery_reads = 0", "recovery_reads = 30");
    let restart = "[event.restart]\nat = \"1005ms\"\ndo = { restart = \"primary\" }\n";
    let facts = story("", &format!("{disk}{restart}"), &[0]);
    assert_eq!(times(&facts, "down"), [5.0]);
    assert_eq!(times(&facts, "up"), [5.0 + 100.0 + 30.0 * 10.0]);
    let factor = "\"postgres.primary.disk.read_factor\" = 4";
    let facts = story(factor, &format!("{disk}{restart}"), &[0]);
    assert_eq!(times(&facts, "up"), [5.0 + 100.0 + 30.0 * 40.0], "a second for 25 pages, then the rest");
    let healed = format!(
        "{disk}{restart}[event.healed]\nat = \"1500ms\"\nset = {{ \"postgres.primary.disk.read_factor\" = 1 }}\n"
    );
    let facts = story(factor, &healed, &[0]);
    assert_eq!(
        times(&facts, "up"),
        [5.0 + 100.0 + 1000.0 + 5.0 * 10.0],
        "the rest at what a read takes then"
    );
}

/// A node that is down is not restarted once more: it is up when the first restart has taken its time.
#[test]
fn a_second_restart_of_a_node_that_is_down_changes_nothing() {
    let restart =
        |name: &str, ms: u32| format!("[event.{name}]\nat = \"{ms}ms\"\ndo = {{ restart = \"primary\" }}\n");
    let facts = story("", &(restart("one", 1005) + &restart("other", 1055)), &[0]);
    assert_eq!((times(&facts, "down"), times(&facts, "up")), (vec![5.0], vec![105.0]));
}

/// A restart in the midst of locks, reads and flushes leaves nothing behind.
#[test]
fn a_restart_forgets_locks_and_flushes() {
    let set = r#"
        "service.api.pool.primary.max" = 2
        "service.api.pool.primary.min" = 2
        "query.lookup.lock" = { rows = 1 }
    "#;
    let restart = "[event.restart]\nat = \"1020ms\"\ndo = { restart = \"primary\" }\n";
    let facts = story(set, &format!("{DISK}{restart}"), &[0, 0, 300]);
    assert_eq!(times(&facts, "disk-done"), [20.0, 362.0]);
    assert_eq!(times(&facts, "lock-waited"), [20.0]);
    assert_eq!(outcomes(&facts), ["connection-lost", "connection-lost", "ok"]);
}

/// High availability that detects in 40 ms and takes 60.
const HA: &str = "[postgres.primary.ha]\ndetect = \"40ms\"\ntakes = \"60ms\"\n";

/// A node that does not answer for long enough is failed over to a healthy machine, while its own is still
/// unreachable; clients that wait learn it when that is up, and an idle connection when it next sends.
#[test]
fn a_silent_node_is_failed_over() {
    let more = format!("{HA}{DISK}{}", state("unreachable").replace("1100ms", "2900ms"));
    let set = r#"
        "service.api.pool.primary.max" = 2
        "service.api.pool.primary.min" = 2
    "#;
    let facts = story(set, &more, &[0, 200]);
    assert_eq!(
        trace(&facts)[4..11],
        [
            "13: done",
            "45: down exit exit",
            "105: up",
            "106: used-closed:broken ends:connection-lost given-up handling-",
            "200: wish arrives handling+",
            "202: acquire",
            "204: used-closed:broken ends:connection-lost given-up handling-",
        ]
    );
    assert_eq!(times(&facts, "up"), [105.0], "the standby stays");
}

/// Nor does a frozen node answer.
#[test]
fn a_frozen_node_is_failed_over_too() {
    let facts = story("", &format!("{HA}{DISK}{}", state("frozen")), &[0, 10]);
    assert_eq!(times(&facts, "down"), [45.0]);
    assert_eq!(times(&facts, "up"), [105.0]);
}

/// A node that can be reached again in time is left alone, and so is one that is only slow.
#[test]
fn a_slow_node_is_never_failed_over() {
    let late = HA.replace("40ms", "96ms");
    assert_eq!(times(&story("", &format!("{late}{DISK}{}", state("unreachable")), &[0]), "down"), [0.0; 0]);
    let set = r#"
        "query.lookup.writes" = true
        "postgres.primary.disk.flush_factor" = 40
        "postgres.primary.disk.read_factor" = 40
        "query.lookup.reads" = 1
    "#;
    let facts = story(set, &format!("{HA}{DISK}"), &[0, 0]);
    assert_eq!(times(&facts, "down"), [0.0; 0]);
    assert_eq!(times(&facts, "ends"), [14.0 + 400.0 + 800.0], "slow as it is");
}

/// A failover by hand drops every connection at once; who holds one learns it after a trip.
#[test]
fn a_failover_by_hand_tells_its_clients() {
    let more = format!("{HA}{DISK}[event.over]\nat = \"1005ms\"\ndo = {{ failover = \"primary\" }}\n");
    let facts = story("", &more, &[0]);
    assert_eq!(
        trace(&facts)[3..6],
        [
            "5: event down done exit",
            "6: used-closed:broken ends:connection-lost given-up handling-",
            "65: up",
        ]
    );
}
