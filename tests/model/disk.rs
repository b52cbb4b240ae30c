//! Reads, group commit, and the laws of a hot row on a slow disk.

use crate::kit::{assert_agrees, facts, fleet, load, story, times, trace, word};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::scenario::Scenario;
use herdsim::scenario::grammar::Outcome;

const DISK: &str = "[postgres.primary.disk]\nread = \"10ms\"\nflush = \"20ms\"\n";

/// Missed pages are read one after the other, after the CPU.
#[test]
fn pages_are_read_one_after_the_other() {
    let facts = story("\"query.lookup.reads\" = 3", DISK, &[0]);
    assert_eq!(
        trace(&facts)[2..],
        ["3: work", "13: done disk", "43: disk-done", "44: release ends:ok fulfilled handling-"]
    );
}

/// A query that burns no CPU reads its pages all the same.
#[test]
fn who_needs_no_cpu_waits_for_the_disk() {
    let facts = story("\"query.lookup.reads\" = 3\n\"query.lookup.cpu\" = \"0s\"", DISK, &[0]);
    assert_eq!((times(&facts, "disk"), times(&facts, "disk-done")), (vec![3.0], vec![33.0]));
}

/// Each flush takes its own time.
#[test]
fn every_flush_is_drawn_anew() {
    let set = "\"query.lookup.writes\" = true\n\"postgres.primary.disk.flush\" = { exponential = \"20ms\" }";
    let facts = story(set, DISK, &[0, 500, 1000]);
    let took: Vec<f64> = times(&facts, "disk-done")
        .iter()
        .zip(times(&facts, "disk"))
        .map(|(done, began)| done - began)
        .collect();
    assert_eq!(took.len(), 3);
    let apart = |one: f64, other: f64| (one - other).abs() > 0.01;
    assert!(apart(took[0], took[1]) && apart(took[1], took[2]) && apart(took[2], took[0]), "{took:?}");
}

/// Bloat multiplies the pages, and an update that is not HOT misses those of its indexes besides.
#[test]
fn bloat_and_indexes_cost_pages() {
    let set = r#"
        "query.lookup.reads" = 1
        "query.lookup.index_pages" = 2
        "query.lookup.lock" = { rows = 1 }
        "postgres.primary.bloat" = 2
    "#;
    for (hot, pages) in [("100%", 2.0), ("0%", 6.0)] {
        let facts = story(&format!("{set}\n\"postgres.primary.hot_updates\" = \"{hot}\""), DISK, &[0]);
        assert_eq!(times(&facts, "ends"), [14.0 + pages * 10.0 + 20.0], "{hot} HOT");
    }
}

/// A steady start counts what is read: pages of indexes as far as updates are not HOT.
#[test]
fn a_steady_start_holds_as_many_as_read_pages() {
    let users = format!("[traffic.users]\nrequest = \"sign-in\"\nrate = \"20/s\"\n{DISK}");
    let adopted = |pages: u32, hot: &str| {
        let set = format!(
            "\"service.api.pool.primary.max\" = 50\n\"query.lookup.lock\" = {{ rows = 100 }}\n\
             \"query.lookup.index_pages\" = {pages}\n\"postgres.primary.hot_updates\" = \"{hot}\""
        );
        let facts = facts(&fleet(&set, &users), 1);
        facts.iter().filter(|(_, fact)| word(fact) == "adopted").count()
    };
    let (all, half, none) = (adopted(10, "100%"), adopted(10, "50%"), adopted(10, "0%"));
    assert!(all == adopted(0, "0%") && half == adopted(5, "0%"), "{all} and {half}");
    assert!(all < half && half < none, "{all}, {half}, {none}");
}

/// A statement timeout ends the reads, once the page is read that is under way; so does a client that
/// cancels.
#[test]
fn a_statement_timeout_ends_the_reads() {
    let reads = "\"query.lookup.reads\" = 3\n";
    let facts = story(&format!("{reads}\"postgres.primary.statement_timeout\" = \"15ms\""), DISK, &[0]);
    assert_eq!(times(&facts, "disk-done"), [23.0], "at 18 it is reading");
    assert_eq!(times(&facts, "ends"), [24.0]);
    let facts = story(&format!("{reads}\"service.api.pool.primary.query_timeout\" = \"15ms\""), DISK, &[0]);
    assert_eq!(times(&facts, "ends"), [17.0]);
    assert_eq!(times(&facts, "exit"), [23.0], "hears of it at 18");
}

/// A factor counts from the next read or flush; what is under way ends as it began.
#[test]
fn a_disk_factor_counts_from_the_next_io() {
    let set = "\"query.lookup.reads\" = 2\n\"query.lookup.writes\" = true";
    let slow = |at: u32, what: &str| {
        format!(
            "{DISK}[event.slow]\nat = \"{at}ms\"\nset = {{ \"postgres.primary.disk.{what}_factor\" = 4 }}"
        )
    };
    let ends = |events: &str| times(&story(set, events, &[0]), "ends")[0];
    assert_eq!(ends(DISK), 54.0, "10 CPU, two reads, a flush");
    assert_eq!(ends(&slow(1015, "read")), 84.0, "the second read is slow");
    assert_eq!(ends(&slow(1025, "read")), 54.0, "too late for both");
    assert_eq!(ends(&slow(1030, "flush")), 114.0, "the flush is slow");
    assert_eq!(ends(&slow(1035, "flush")), 54.0, "it had begun");
}

/// Who comes during a flush waits for the next, which serves all; one flush at a time.
#[test]
fn a_flush_serves_all_who_wait() {
    let set = r#"
        "query.lookup.writes" = true
        "service.api.pool.primary.max" = 4
        "service.api.pool.primary.min" = 4
    "#;
    let alone = story(set, DISK, &[0, 5, 9, 15]);
    assert_eq!(times(&alone, "disk"), [13.0, 18.0, 22.0, 28.0]);
    assert_eq!(times(&alone, "disk-done"), [33.0, 53.0, 53.0, 53.0]);
    // The leader waits for others: all who come before the flush begins go along.
    let delayed =
        story(&format!("{set}\n\"postgres.primary.disk.commit_delay\" = \"10ms\""), DISK, &[0, 5, 9, 15]);
    assert_eq!(times(&delayed, "disk-done"), [43.0, 43.0, 43.0, 73.0]);
}

/// What a run did after its first fifth: requests that ended well, and their time in the service.
#[derive(Default)]
struct Served {
    from: Time,
    last: Time,
    in_service: f64,
    spent: f64,
    ok: f64,
}

impl Recorder for Served {
    fn record(&mut self, now: Time, fact: Fact) {
        if now > self.from {
            self.spent += self.in_service * now.since(self.last.max(self.from)).as_secs();
        }
        self.last = now;
        match fact {
            Fact::HandlingBegan(_) => self.in_service += 1.0,
            Fact::HandlingEnded(_) => self.in_service -= 1.0,
            Fact::RequestEnded { outcome: Outcome::Ok, .. } if now > self.from => self.ok += 1.0,
            _ => {}
        }
    }
}

impl Served {
    fn per_second(&self) -> f64 {
        self.ok / self.last.since(self.from).as_secs()
    }

    /// Mean time in the service, by Little's law.
    fn seconds_each(&self) -> f64 {
        self.spent / self.ok
    }
}

/// One node and one container without network time; updates of one of so many rows arrive at this rate.
fn updates(rows: u32, rate: f64, secs: f64, more: &str) -> Scenario {
    let ms = (secs * 1e3) as u64;
    load(&format!(
        r#"
schema_version = 1
title    = "Updates"
duration = "{ms}ms"
[network]
database = "0s"
[postgres.primary]
cores           = 2
max_connections = 5000
[postgres.primary.disk]
flush = "0.12ms"
[service.api]
containers       = {{ min = 1, max = 1 }}
concurrency      = 64
pending_deadline = "1s"
[service.api.pool.primary]
min = 64
max = 64
[query.update]
cpu  = {{ exponential = "0.12ms" }}
lock = {{ rows = {rows} }}
[request.save]
service = "api"
steps   = [{{ query = "update", on = "primary" }}]
[traffic.users]
request = "save"
rate    = "{rate}/s"
[variant.law.set]
{more}"#
    ))
}

/// The table of postgres.md §4, within a quarter: 64 clients on two cores update one row, or many.
///
/// The flush is the machine's 0.12 ms and `commit_delay` the slow disk, as measured. The update's CPU is
/// chosen so that spread rows without delay come to the measured 12,692/s: 0.12 ms, with the default
/// contention. Traffic is more than can be served, so that all 64 places are always taken.
#[test]
fn a_hot_row_on_a_slow_disk_is_as_measured() {
    let measured = [
        // commit_delay in ms, then tps and latency of one hot row and of spread rows
        (0, (1958.0, 0.033), (12692.0, 0.005)),
        (5, (165.0, 0.387), (10525.0, 0.006)),
        (20, (47.0, 1.362), (2889.0, 0.022)),
        (100, (10.5, 6.089), (608.0, 0.105)),
    ];
    for (delay, hot, spread) in measured {
        for (rows, (tps, latency)) in [(1, hot), (1_000_000, spread)] {
            let secs = (1000.0_f64 / tps).clamp(1.0, 120.0) + 10.0 * latency;
            let more = format!("\"postgres.primary.disk.commit_delay\" = \"{delay}ms\"");
            let scenario = updates(rows, 3.0 * tps + 100.0 / secs, secs, &more);
            let from = Time::ZERO + Span::from_secs_f64(secs / 5.0);
            let seen = experiment::record(&scenario, 1, Served { from, ..Served::default() });
            let (per_second, each) = (seen.per_second(), seen.seconds_each());
            let what = format!("{delay} ms, {rows} rows: {per_second:.1}/s and {:.1} ms", each * 1e3);
            assert!((per_second / tps - 1.0).abs() < 0.25, "{what} against {tps}/s");
            // The table's latency is 64 over the throughput, rounded to a millisecond.
            assert!((each / latency - 1.0).abs() < 0.25, "{what} against {:.1} ms", latency * 1e3);
        }
    }
}

/// A hot row is stable iff its update rate times (flush + the rest of the hold) is below one.
#[test]
fn a_hot_row_is_stable_below_one_update_per_hold() {
    let more = "\"postgres.primary.disk.flush\" = \"9ms\"\n\"query.update.cpu\" = \"0.7ms\"\n\
                \"service.api.concurrency\" = 1000";
    let hold = 0.009 + 0.0007 + 0.0003;
    let run = |load: f64| {
        let scenario = updates(1, load / hold, 60.0, more);
        experiment::record(&scenario, 1, Served { from: Time(12_000_000_000), ..Served::default() })
    };
    let (below, above) = (run(0.85), run(1.2));
    assert!((below.per_second() * hold - 0.85).abs() < 0.05, "all are served: {}", below.per_second());
    assert!(below.seconds_each() < 0.08, "{} s each", below.seconds_each());
    assert!((above.per_second() * hold - 1.0).abs() < 0.01, "one a hold: {}", above.per_second());
    assert!(above.seconds_each() > 1.0, "and the line grows: {} s each", above.seconds_each());
}

/// A hot row whose hold is constant is M/D/1: W = D + ρD / (2(1 − ρ)) (Pollaczek, Khinchine).
#[test]
fn a_hot_row_is_m_d_1() {
    let more = "\"postgres.primary.disk.flush\" = \"9ms\"\n\"query.update.cpu\" = \"1ms\"\n\
                \"postgres.primary.lock_wakeup\" = \"0s\"\n\"service.api.concurrency\" = 1000";
    let (hold, load) = (0.010, 0.6);
    let law = hold + load * hold / (2.0 * (1.0 - load));
    let scenario = updates(1, load / hold, 300.0, more);
    let means: Vec<f64> =
        (1..=10).map(|seed| experiment::record(&scenario, seed, Served::default()).seconds_each()).collect();
    assert_agrees("M/D/1 of a hot row", &means, law, 0.1);
}

/// Group commit: alone a commit takes one flush; on a busy log half a flush more, the rest of the one before.
#[test]
fn a_commit_takes_one_flush_alone_and_one_and_a_half_in_a_crowd() {
    let more = "\"postgres.primary.disk.flush\" = \"10ms\"\n\"postgres.primary.cores\" = 64\n\
                \"query.update.cpu\" = \"0s\"\n\"service.api.pool.primary.max\" = 500\n\
                \"service.api.pool.primary.min\" = 500\n\"service.api.concurrency\" = 1000";
    let mean = |rate: f64, secs: f64| {
        let scenario = updates(1_000_000_000, rate, secs, more);
        experiment::record(&scenario, 1, Served::default()).seconds_each() / 0.010
    };
    let (alone, crowd) = (mean(1.0, 300.0), mean(5_000.0, 10.0));
    assert!((alone - 1.0).abs() < 0.02, "{alone} flushes");
    assert!((crowd - 1.5).abs() < 0.02, "{crowd} flushes");
}

/// The same scenario and seed give the same facts with locks and a disk in it, and another seed others.
#[test]
fn chance_has_names_at_the_disk_too() {
    let more = "\"postgres.primary.disk.flush\" = { log_normal = { median = \"1ms\", p99 = \"5ms\" } }\n\
                \"query.update.reads\" = 0.5";
    let scenario = updates(5, 500.0, 2.0, more);
    assert_eq!(facts(&scenario, 1), facts(&scenario, 1));
    assert_ne!(facts(&scenario, 1), facts(&scenario, 2));
}
