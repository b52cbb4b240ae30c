//! Nothing is lost and nothing comes twice: the accounts of a stormy run, from its facts alone.

use super::boxes::{active, dialling, granting, in_flight, in_use, pending, waiting, wishes};
use super::{Facts, facts, scenario};
use herdsim::engine::time::Time;
use herdsim::experiment::{Run, run};
use herdsim::model::fact::Fact;
use herdsim::scenario::{Document, Scenario};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};

/// A restart, a deploy and a heavy job over small pools with every kind of timeout; then silence. `end` cuts
/// it off, `more` comes after it.
pub fn storm(end: &str, more: &str) -> String {
    format!(
        r#"
        schema_version = 1
        title = "a storm"
        duration = "{end}"
        [postgres.primary]
        cores = 2
        contention = 100
        start_cpu = "3ms"
        max_connections = 43
        restart_time = "700ms"
        statement_timeout = "120ms"
        [service.api]
        containers = {{ min = 4, max = 4 }}
        concurrency = 40
        rollout = "2s"
        drain = "100ms"
        pending_deadline = "200ms"
        [service.api.pool.primary]
        max = 11
        acquire_timeout = "100ms"
        query_timeout = "130ms"
        connect_timeout = "300ms"
        max_lifetime = "6s"
        check_acquire = true
        [query.lookup]
        cpu = {{ exponential = "1ms" }}
        [request.sign-in]
        service = "api"
        timeout = "250ms"
        patience = "200ms"
        retry = {{ attempts = 3, backoff = "20ms", jitter = "full", on = [
            "client-timeout", "429", "503", "504", "pool-timeout", "connect-refused", "query-timeout",
            "statement-timeout", "connection-lost",
        ] }}
        steps = [{{ transaction = ["lookup"], think = "5ms", on = "primary" }}]
        [traffic.users]
        request = "sign-in"
        rate = {{ piecewise = [{{ from = "0s", rate = "1400/s" }}, {{ from = "20s", rate = "0/s" }}] }}
        [job.vacuum]
        on = "primary"
        every = "5s"
        first = "3s"
        work = {{ parallel = 20, cpu = "50ms" }}
        [event.restart]
        at = "8s"
        do = {{ restart = "primary" }}
        [event.deploy]
        at = "13s"
        do = {{ deploy = "api" }}
        {more}
        "#
    )
}

/// What a run measured.
pub fn measured(scenario: &Scenario, seed: u64) -> Run {
    run(scenario, seed, &AtomicU64::new(0), &AtomicBool::new(false)).expect("nobody stopped it")
}

fn count(facts: &Facts, which: fn(&Fact) -> bool) -> u64 {
    facts.iter().filter(|(_, fact)| which(fact)).count() as u64
}

/// A storm that has an account for everything shows every way in and out.
#[test]
fn the_storm_is_stormy() {
    let run = measured(&scenario(&storm("30s", "")), 1);
    let ended = run.measured.classes[0].ended;
    assert!(ended.iter().filter(|count| **count > 0).count() >= 6, "by outcome: {ended:?}");
    assert!(run.measured.nodes[0].refused > 0);
}

/// No box ever holds less than nothing, and all are empty when the storm is over.
#[test]
fn no_box_holds_less_than_nothing() {
    let quiet = scenario(&storm("30s", ""));
    type Change = fn(&Fact) -> i64;
    let boxes: [(&str, Change); 8] = [
        ("active backends", active),
        ("grant queue", granting),
        ("in flight", in_flight),
        ("pending", pending),
        ("waiting", waiting),
        ("in use", in_use),
        ("dials", dialling),
        ("wishes", wishes),
    ];
    for seed in 1..5 {
        let facts = facts(&quiet, seed);
        for (name, change) in boxes {
            let mut level = 0;
            for (now, fact) in &facts {
                level += change(fact);
                assert!(level >= 0, "{name} of seed {seed} after {fact:?} at {} s", now.as_secs());
            }
            assert_eq!(level, 0, "{name} of seed {seed} in the end");
        }
    }
}

/// Each request arrives once, each wish begins with a first request, and what arrived has ended or is in
/// flight.
#[test]
fn every_request_is_accounted_for() {
    let mut ever_in_flight = 0;
    for end in ["3200ms", "8100ms", "13500ms", "30s"] {
        let cut = scenario(&storm(end, ""));
        for seed in 1..4 {
            let (facts, run) = (facts(&cut, seed), measured(&cut, seed));
            let mut known = BTreeSet::new();
            for (_, fact) in &facts {
                if let Fact::RequestArrived { series, number, attempt } = fact {
                    assert!(known.insert((*series, *number, *attempt)), "{fact:?} came twice");
                    let before = (*series, *number, attempt.saturating_sub(1));
                    assert!(known.contains(&before), "{fact:?} without the attempt before");
                }
            }
            let arrived = count(&facts, |fact| matches!(fact, Fact::RequestArrived { .. }));
            let first = count(&facts, |fact| matches!(fact, Fact::RequestArrived { attempt: 0, .. }));
            let ended = count(&facts, |fact| matches!(fact, Fact::RequestEnded { .. }));
            let class = &run.measured.classes[0];
            assert_eq!(first, count(&facts, |fact| matches!(fact, Fact::WishBegan { .. })));
            assert_eq!(arrived, ended + class.in_flight, "until {end}, seed {seed}");
            assert_eq!((arrived, ended), (class.arrived, class.ended.iter().sum()), "as measured");
            ever_in_flight += class.in_flight;
        }
    }
    assert!(ever_in_flight > 0, "a cut that finds nothing in flight shows nothing");
}

/// When all is quiet, the node has a backend for each connection that the pools hold, and no other.
#[test]
fn every_backend_has_its_connection() {
    let quiet = scenario(&storm("40s", ""));
    for seed in 1..5 {
        let (facts, run) = (facts(&quiet, seed), measured(&quiet, seed));
        let adopted = count(&facts, |fact| matches!(fact, Fact::ConnectionAdopted { .. }));
        let started = count(&facts, |fact| matches!(fact, Fact::BackendStarted { .. }));
        let exited = count(&facts, |fact| matches!(fact, Fact::BackendExited(_)));
        let dialled = count(&facts, |fact| matches!(fact, Fact::DialSucceeded(_)));
        let closed = count(&facts, |fact| matches!(fact, Fact::IdleClosed(..) | Fact::UsedClosed(..)));
        let open = adopted + dialled - closed;
        assert_eq!(adopted + started, exited + open, "seed {seed}");
        assert!(started > 100 && open > 0, "{started} started, {open} open");
        for name in ["open", "backends"] {
            let level =
                run.measured.levels.iter().find(|series| series.level == name).expect("it is a level");
            assert_eq!(level.bins.last().expect("bins").mean, open as f64, "{name} of seed {seed}");
        }
    }
}

/// Every scenario that ships loads without a word of error, and each of its variants keeps its accounts.
#[test]
fn what_ships_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for folder in ["scenarios", "templates"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("it is there");
        let paths = entries.map(|entry| entry.expect("it can be read").path());
        let files: BTreeSet<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
        for file in files {
            let short = Document::load(&file, &[], &["duration=20s".into()]);
            let (document, _) = short.unwrap_or_else(|wrong| panic!("{}: {wrong}", file.display()));
            for scenario in document.scenarios.values() {
                let run = measured(scenario, 1);
                assert_eq!(Time::ZERO + run.measured.duration, Time(20_000_000_000));
                for class in &run.measured.classes {
                    let name = format!("{} of {} in {}", class.class, scenario.variant, file.display());
                    assert_eq!(class.arrived, class.ended.iter().sum::<u64>() + class.in_flight, "{name}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "only {seen} variants seen");
}
