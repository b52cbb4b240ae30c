//! Stories and laws of queues of background work.
//!
//! Times are milliseconds; the fleet's round numbers and the words of a trace are in [`crate::kit`].

use crate::books::audit;
use crate::kit::{facts, fleet, load, on_time, outcomes, source, times, trace};
use herdsim::engine::time::Time;
use herdsim::experiment;
use herdsim::model::build::Places;
use herdsim::model::fact::Fact;
use herdsim::scenario::Scenario;
use herdsim::scenario::grammar::Label;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Mails are sent by workers of their own, 5 ms after they were enqueued, and take 1 ms.
const MAILS: &str = r#"
    [service.workers]
    like = "api"
    [queue.mails]
    request = "mail"
    delay   = "5ms"
    [request.mail]
    service = "workers"
    steps   = [{ app = "1ms" }]
"#;

/// A sign-in at each of these milliseconds that does this, and mails; all requests come then.
fn mailed(set: &str, more: &str, steps: &str, at: &[u64], all: &[u64]) -> Vec<(Time, Fact)> {
    let set = format!("{set}\n\"request.sign-in.steps\" = [{steps}]");
    on_time(&fleet(&set, &format!("{}{MAILS}{more}", source("users", "sign-in", at))), all)
}

/// What is enqueued is a request of its own, under way from then on: its sender goes on at once, and ends when
/// its own work is done.
#[test]
fn work_is_enqueued_and_nobody_waits_for_it() {
    let steps = r#"{ app = "2ms" }, { enqueue = "mails" }, { query = "lookup", on = "primary" }"#;
    assert_eq!(
        trace(&mailed("", "", steps, &[0], &[0, 2])),
        [
            "0: wish arrives handling+",
            "2: wish arrives acquire",
            "3: work",
            "7: handling+",
            "8: ends:ok fulfilled handling-",
            "13: done",
            "14: release ends:ok fulfilled handling-",
        ]
    );
}

/// `times` enqueues as many at once.
#[test]
fn work_is_enqueued_several_times() {
    let steps = r#"{ enqueue = "mails", times = 3 }"#;
    let facts = mailed("", "", steps, &[0], &[0, 0, 0, 0]);
    assert_eq!(times(&facts, "ends"), [0.0, 6.0, 6.0, 6.0]);
}

/// A transactional outbox: what fails before the step enqueues nothing. What fails after it has.
#[test]
fn who_fails_enqueues_only_what_came_before() {
    let late = r#""service.api.pool.primary.query_timeout" = "5ms""#;
    let query = r#"{ query = "lookup", on = "primary" }"#;
    let mail = r#"{ enqueue = "mails" }"#;
    let before = mailed(late, "", &format!("{mail}, {query}"), &[0], &[0, 0]);
    assert_eq!(outcomes(&before), ["query-timeout", "ok"]);
    let after = mailed(late, "", &format!("{query}, {mail}"), &[0], &[0]);
    assert_eq!(outcomes(&after), ["query-timeout"]);
}

/// What fails is handed on again as the retry of its class says, without the queue's delay, and given up in
/// the end. Latency counts from when it was enqueued.
#[test]
fn what_fails_is_handed_on_again() {
    let again = r#"
        "request.mail.timeout" = "500us"
        "request.mail.retry" = { attempts = 3, backoff = "20ms", factor = 2, on = ["504"] }
    "#;
    let facts = mailed(again, "", r#"{ enqueue = "mails" }"#, &[0], &[0, 0]);
    assert_eq!(
        trace(&facts)[1..],
        [
            "5: handling+",
            "5.500000: ends:504 handling-",
            "25.500000: arrives:1 handling+",
            "26: ends:504 handling-",
            "66: arrives:2 handling+",
            "66.500000: ends:504 given-up handling-",
        ]
    );
}

/// Where the workers have no room, their pending queue is the backlog; they take one after the other.
#[test]
fn a_backlog_waits_for_room() {
    let set = r#""service.workers.concurrency" = 1"#;
    let facts = mailed(set, "", r#"{ enqueue = "mails", times = 3 }"#, &[0], &[0, 0, 0, 0]);
    assert_eq!(times(&facts, "ends"), [0.0, 6.0, 7.0, 8.0]);
    assert_eq!(times(&facts, "pending+"), [5.0, 5.0]);
}

/// Work with a patience is dropped when that ends, also while the queue still has it.
#[test]
fn work_may_become_stale_in_the_queue() {
    let stale = r#""request.mail.patience" = "3ms""#;
    let facts = mailed(stale, "", r#"{ enqueue = "mails" }"#, &[0], &[0, 0]);
    assert_eq!(trace(&facts)[1..], ["3: ends:client-timeout given-up"]);
}

/// A fleet with exponential work in the background, under users who meet a database that is slow or not.
fn shop(trip: &str) -> Scenario {
    load(&format!(
        r#"
        schema_version = 1
        title    = "A shop"
        duration = "60s"
        [network]
        database = "{trip}"
        [postgres.primary]
        cores = 4
        [service.api]
        containers = {{ min = 4, max = 4 }}
        [service.api.pool.primary]
        max = 20
        [service.workers]
        containers = {{ min = 1, max = 30 }}
        scaler     = "kpa"
        concurrency = 5
        [query.order]
        cpu = {{ exponential = "1ms" }}
        [request.order]
        service = "api"
        steps = [{{ query = "order", on = "primary" }}, {{ enqueue = "receipts", times = 2 }}]
        [queue.receipts]
        request = "receipt"
        delay   = {{ exponential = "100ms" }}
        [request.receipt]
        service = "workers"
        steps   = [{{ app = {{ exponential = "200ms" }} }}]
        [traffic.users]
        request = "order"
        rate    = "50/s"
        "#
    ))
}

/// The latencies of the work in the background, the shortest first.
fn receipts(scenario: &Scenario) -> Vec<u64> {
    let places = Places::of(scenario);
    let mine = |series: u16| places.series[usize::from(series)].label == Label::Background;
    let ended = facts(scenario, 1).into_iter().filter_map(|(_, fact)| match fact {
        Fact::RequestEnded { series, latency, .. } if mine(series) => Some(latency.0),
        _ => None,
    });
    let mut latencies: Vec<u64> = ended.collect();
    latencies.sort_unstable();
    latencies
}

/// Two variants meet the same work: the luck of a message is that of the request that enqueued it, whenever
/// that comes to it. What ends only after the run has begun it late may be missing.
#[test]
fn variants_meet_the_same_work() {
    let [near, far] = ["0.25ms", "5ms"].map(|trip| receipts(&shop(trip)));
    let missing = near.iter().filter(|latency| far.binary_search(latency).is_err()).count();
    assert!(near.len() > 5_000, "{}", near.len());
    assert!(missing < near.len() / 200, "{missing} of {} differ", near.len());
}

/// What is enqueued may enqueue in its turn; two ways to one class add up.
#[test]
fn work_sets_off_more_work() {
    let more = r#"
        [queue.audits]
        request = "audit"
        delay   = "1ms"
        [request.audit]
        service = "workers"
        steps   = [{ app = "1ms" }]
    "#;
    let set = r#"
        "request.sign-in.steps" = [{ enqueue = "mails", times = 3 }, { enqueue = "audits" }]
        "request.mail.steps" = [{ enqueue = "audits", times = 2 }]
    "#;
    let scenario = fleet(set, &format!("{}{MAILS}{more}", source("users", "sign-in", &[0])));
    let set_off: Vec<_> = scenario.file.set_off_by("sign-in").into_iter().collect();
    assert_eq!(set_off, [("sign-in", 1.0), ("mail", 3.0), ("audit", 7.0)]);
    let ended = on_time(&scenario, &[0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5]);
    assert_eq!(outcomes(&ended), ["ok"; 11]);
}

/// The fleet that works in the background is there from the start, as large as what is enqueued wants: 100
/// receipts a second that take 200 ms each are 20 at once, and five to a container, of which seven tenths are
/// to be taken.
#[test]
fn the_steady_state_knows_what_is_enqueued() {
    let before = facts(&shop("0.25ms"), 1);
    let there = before.iter().filter(|(at, fact)| at.0 == 0 && *fact == Fact::ContainerServing(1)).count();
    assert_eq!(there, 6);
    audit(&shop("0.25ms"), 1);
}

/// Work in the background has tables and metrics of its own, and is no user's request.
#[test]
fn work_in_the_background_is_told_apart() {
    let scenario = shop("0.25ms");
    let run =
        experiment::run(&scenario, 1, &AtomicU64::new(0), &AtomicBool::new(false)).expect("nobody stops it");
    let class = |name: &str| run.measured.classes.iter().find(|class| class.class == name).expect(name);
    let (order, receipt) = (class("order"), class("receipt"));
    assert_eq!((order.label, receipt.label), (Label::Legitimate, Label::Background));
    let twice = receipt.arrived as f64 / order.arrived as f64;
    assert!((1.99..=2.0).contains(&twice), "two receipts an order: {twice}");
    let mean_s = receipt.latency_us.iter().flatten().map(|latency| latency.mean()).sum::<f64>() / 1e6;
    assert!((0.29..0.31).contains(&mean_s), "100 ms of delay and 200 ms of work: {mean_s}");
}
