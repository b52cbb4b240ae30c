//! Row locks: who waits, for how long, and who lets go.
//!
//! Stories count in milliseconds: the statement of a request that arrives at 0 is at the node at 3, where a
//! query takes 10 of CPU and a flush 20; see [`crate::kit`].

use crate::kit::{fleet, on_time, outcomes, source, story, times, trace};
use herdsim::model::fact::Fact;

/// Two connections, one hot row, a flush of 20 ms.
const HOT: &str = r#"
    "service.api.pool.primary.max" = 2
    "service.api.pool.primary.min" = 2
    "query.lookup.lock" = { rows = 1 }
    "postgres.primary.lock_wakeup" = "1ms"
"#;
const DISK: &str = "[postgres.primary.disk]\nread = \"10ms\"\nflush = \"20ms\"\n";

/// The same with more set.
fn hot(more: &str) -> String {
    format!("{HOT}{more}")
}

/// The second update of a row waits until the commit of the first is durable, and is then woken.
#[test]
fn an_update_waits_for_the_commit_of_the_one_before() {
    assert_eq!(
        trace(&story(HOT, DISK, &[0, 0]))[2..],
        [
            "3: work lock-waits",
            "13: done disk",
            "33: disk-done lock-waited",
            "34: work release ends:ok fulfilled handling-",
            "44: done disk",
            "64: disk-done",
            "65: release ends:ok fulfilled handling-",
        ]
    );
}

/// With a disk that is not modelled a commit is durable at once; the row is held for the CPU alone.
#[test]
fn without_a_disk_a_row_is_held_for_its_cpu() {
    let facts = story(HOT, "", &[0, 0]);
    assert_eq!(times(&facts, "lock-waited"), [13.0]);
    assert_eq!(times(&facts, "ends"), [14.0, 25.0]);
    assert_eq!(times(&facts, "disk"), [0.0; 0]);
}

/// Rows that nobody else updates are nobody's business.
#[test]
fn different_rows_do_not_wait() {
    let facts = story(&HOT.replace("rows = 1", "rows = 1000000"), DISK, &[0, 0]);
    assert_eq!(times(&facts, "lock-waits"), [0.0; 0]);
    assert_eq!(times(&facts, "ends"), [34.0, 54.0], "the second commit comes when the flush has just begun");
}

/// A wait for a row that is too long ends with 55P03; who holds it is not disturbed.
#[test]
fn a_lock_timeout_ends_the_wait() {
    let facts = story(&hot("\"postgres.primary.lock_timeout\" = \"15ms\""), DISK, &[0, 0]);
    assert_eq!(
        trace(&facts)[2..],
        [
            "3: work lock-waits",
            "13: done disk",
            "18: lock-waited",
            "19: release ends:lock-timeout given-up handling-",
            "33: disk-done",
            "34: release ends:ok fulfilled handling-",
        ]
    );
}

/// The lock timeout counts the wait alone: once the row is there, it is over.
#[test]
fn a_lock_timeout_counts_the_wait_alone() {
    let facts = story(&hot("\"postgres.primary.lock_timeout\" = \"31ms\""), DISK, &[0, 0]);
    assert_eq!(outcomes(&facts), ["ok", "ok"]);
}

/// A statement timeout ends the wait for a row as well, and counts from the arrival.
#[test]
fn a_statement_timeout_ends_the_wait() {
    let facts = story(&hot("\"postgres.primary.statement_timeout\" = \"12ms\""), DISK, &[0, 0]);
    assert_eq!(times(&facts, "lock-waited"), [15.0]);
    assert_eq!(times(&facts, "ends"), [16.0, 34.0]);
    assert_eq!(outcomes(&facts), ["statement-timeout", "ok"], "nothing interrupts the flush of the other");
}

/// A statement that fails on the CPU lets go of its row at once, without a flush.
#[test]
fn a_statement_that_fails_lets_go_of_its_row() {
    let set = hot("\"postgres.primary.statement_timeout\" = \"8ms\"");
    let facts = story(&set, DISK, &[0, 4]);
    assert_eq!(
        trace(&facts)[4..],
        [
            "6: acquire",
            "7: lock-waits",
            "11: done lock-waited",
            "12: work release ends:statement-timeout given-up handling-",
            "15: done",
            "16: release ends:statement-timeout given-up handling-",
        ]
    );
}

/// A client that closes its connection cancels its statement, and the row is free for the next.
#[test]
fn a_client_that_leaves_lets_go_of_its_row() {
    let set = hot("\"service.api.pool.primary.query_timeout\" = \"6ms\"");
    let facts = story(&set, DISK, &[0, 4]);
    assert_eq!(times(&facts, "ends"), [8.0, 12.0]);
    assert_eq!(times(&facts, "lock-waited"), [9.0], "a trip after the first has left");
    assert_eq!(times(&facts, "exit"), [9.0, 13.0]);
}

/// A commit that is being flushed goes on without its client, and its row is held to the end.
#[test]
fn a_flush_goes_on_without_its_client() {
    let set = hot("\"service.api.pool.primary.query_timeout\" = \"15ms\"");
    let facts = story(&set, DISK, &[0, 4]);
    assert_eq!(times(&facts, "ends"), [17.0, 21.0]);
    assert_eq!(times(&facts, "disk-done"), [33.0]);
    assert_eq!(times(&facts, "lock-waited"), [22.0], "the second leaves the line");
    assert_eq!(times(&facts, "exit"), [22.0, 33.0]);
}

/// A transaction as the steps of a sign-in.
fn transaction(more: &str) -> String {
    hot(&format!(
        "\"request.sign-in.steps\" = [{{ transaction = [\"lookup\"], think = \"40ms\", on = \"primary\" }}]\n{more}"
    ))
}

/// In a transaction the row is held from the update to the durable COMMIT, also while the application thinks.
#[test]
fn a_transaction_holds_its_row_until_commit() {
    let facts = story(&transaction(""), DISK, &[0, 0]);
    assert_eq!(
        trace(&facts)[1..6],
        [
            "3: work lock-waits",
            "13: done",
            "55: disk",
            "75: disk-done lock-waited",
            "76: work release ends:ok fulfilled handling-",
        ]
    );
}

/// A handler that gives up in the midst of a transaction rolls it back, a trip later; the connection stays.
#[test]
fn a_rollback_lets_go_of_the_row() {
    let facts = story(&transaction("\"request.sign-in.timeout\" = \"30ms\""), DISK, &[0, 10]);
    assert_eq!(
        trace(&facts)[4..],
        [
            "30: release ends:504 given-up handling-",
            "31: lock-waited",
            "32: work",
            "40: used-closed:broken ends:504 given-up handling-",
            "41: done exit",
        ]
    );
}

/// A transaction that only reads has nothing to flush.
#[test]
fn a_transaction_that_only_reads_is_not_flushed() {
    let set = r#""request.sign-in.steps" = [{ transaction = ["lookup"], on = "primary" }]"#;
    let facts = story(set, DISK, &[0]);
    assert_eq!(times(&facts, "disk"), [0.0; 0]);
    assert_eq!(times(&facts, "ends"), [16.0]);
}

/// Who comes first is served first, each after the commit of the one before.
#[test]
fn the_line_before_a_row_is_fifo() {
    let set = HOT.replace("= 2", "= 5");
    let facts = story(&set, DISK, &[0, 1, 2, 3]);
    assert_eq!(times(&facts, "lock-waited"), [33.0, 64.0, 95.0]);
    assert_eq!(times(&facts, "ends"), [34.0, 65.0, 96.0, 127.0]);
    // Who came 1 ms after the other ends after it.
    let latencies = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::RequestEnded { latency, .. } => Some(latency.as_millis()),
        _ => None,
    });
    assert_eq!(latencies.collect::<Vec<_>>(), [34.0, 64.0, 94.0, 124.0]);
}

/// A transaction that was given up is rolled back once: the next on its connection is committed as any other.
#[test]
fn the_transaction_after_a_rollback_is_committed() {
    let set = "\"query.lookup.lock\" = { rows = 1 }\n\"request.sign-in.timeout\" = \"40ms\"\n\
               \"request.sign-in.steps\" = [{ transaction = [\"lookup\"], think = \"50ms\", \
               on = \"primary\" }]";
    let save =
        "[request.save]\nservice = \"api\"\nsteps = [{ transaction = [\"lookup\"], on = \"primary\" }]\n";
    let sources = [source("users", "sign-in", &[0]), source("others", "save", &[200])];
    let facts = on_time(&fleet(set, &format!("{DISK}{save}{}", sources.concat())), &[0, 200]);
    assert_eq!(outcomes(&facts), ["504", "ok"]);
    assert_eq!(times(&facts, "disk-done").len(), 1, "the flush of the second");
}
