//! The alarms that a container sets for its pools: a refill half a second after a close, put off by the next
//! close or not, and a sweep that goes on by itself (pools.md §1a).

use herdsim::engine::time::{Span, Time};
use herdsim::experiment::{record, run};
use herdsim::measure::Measured;
use herdsim::model::fact::{Close, Fact};
use herdsim::scenario::grammar::Cause;
use herdsim::scenario::{AS_WRITTEN, Document};
use std::sync::atomic::{AtomicBool, AtomicU64};

const HALF: Span = Span::from_millis(500);

/// A container whose statements all run into their timeout, about four a second, so that its connections
/// break one by one; the pool is large enough for requests never to dial. It ends before the first tick.
fn breaking(preset: &str) -> Vec<(Time, Fact)> {
    facts(&format!(
        r#"
schema_version = 1
title    = "Every statement takes too long"
start    = 2025-09-14T05:30:00Z
duration = "50s"
initial  = "cold"
seeds    = [1]
[postgres.primary]
cores           = 64
max_connections = 5000
[service.api]
containers = {{ min = 1, max = 1 }}
[service.api.pool.primary]
preset        = "{preset}"
max           = 400
min           = 400
query_timeout = "100ms"
[query.endless]
cpu = "10s"
[request.hopeless]
service = "api"
steps   = [{{ query = "endless", on = "primary" }}]
[traffic.users]
request = "hopeless"
rate    = "4/s"
"#
    ))
}

/// One idle container whose connections grow old.
fn idle() -> Vec<(Time, Fact)> {
    facts(
        r#"
schema_version = 1
title    = "Nobody asks"
start    = 2025-09-14T05:30:00Z
duration = "590s"
initial  = "cold"
seeds    = [1]
[postgres.primary]
cores           = 4
max_connections = 100
[service.api]
containers = { min = 1, max = 1 }
[service.api.pool.primary]
preset       = "pgxpool"
max          = 10
min          = 10
max_lifetime = "90s"
[request.ping]
service = "api"
steps   = [{ app = "1ms" }]
[traffic.monitor]
request = "ping"
rate    = "0.0003/s"
"#,
    )
}

fn facts(text: &str) -> Vec<(Time, Fact)> {
    let (document, _) = Document::from_text("pool.toml", text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    record(document.scenario(AS_WRITTEN).unwrap(), 1, Vec::new())
}

fn times(facts: &[(Time, Fact)], which: impl Fn(&Fact) -> bool) -> Vec<Time> {
    facts.iter().filter(|(at, fact)| *at > Time::ZERO && which(fact)).map(|(at, _)| *at).collect()
}

fn broken(facts: &[(Time, Fact)]) -> Vec<Time> {
    times(facts, |fact| matches!(fact, Fact::UsedClosed(_, Close::Broken)))
}

fn dials(facts: &[(Time, Fact)]) -> Vec<Time> {
    times(facts, |fact| matches!(fact, Fact::DialBegan(_)))
}

/// Since 5.8 there is one timer: the refill comes half a second after the last of a row of closes.
#[test]
fn a_further_close_puts_the_refill_off() {
    let facts = breaking("pgxpool");
    let (broken, dials) = (broken(&facts), dials(&facts));
    assert!(broken.len() > 100 && dials.len() > 50, "{} closes, {} dials", broken.len(), dials.len());
    for dial in &dials {
        let last = broken.iter().rev().find(|close| *close < dial).expect("a close before a refill");
        assert_eq!(*dial - *last, HALF);
    }
}

/// Before 5.8 every close has a timer of its own: nothing is missing for longer than half a second and a
/// dial.
#[test]
fn before_5_8_every_close_has_a_refill() {
    let facts = breaking("pgxpool-v4");
    let (broken, dials) = (broken(&facts), dials(&facts));
    assert!(broken.len() > 100);
    let within = HALF + Span::from_millis(50);
    for (place, close) in
        broken.iter().enumerate().filter(|(_, close)| **close < Time::ZERO + Span::from_secs(49))
    {
        let replaced = dials.iter().filter(|dial| **dial <= *close + within).count();
        assert!(replaced > place, "the close at {close} is not replaced in time");
    }
}

/// The sweep of an idle pool at its floor closes one, replaces it half a second later and goes on when it is
/// there.
#[test]
fn a_sweep_goes_on_until_nothing_is_left() {
    let facts = idle();
    let closes = times(&facts, |fact| matches!(fact, Fact::IdleClosed(_, Close::Age)));
    let dials = dials(&facts);
    assert_eq!((closes.len(), dials.len()), (40, 40), "at 120 s, 240 s, 360 s and 480 s");
    for (close, dial) in closes.iter().zip(&dials) {
        assert_eq!(*dial - *close, HALF);
    }
    for ten in closes.chunks(10) {
        let lasted = (ten[ten.len() - 1] - ten[0]).as_secs();
        assert!((4.5..5.0).contains(&lasted), "ten passes took {lasted} s");
    }
}

/// A fleet of pools with `min` = `max` under traffic, three lifetimes long.
fn fixed_size(preset: &str) -> Measured {
    let text = format!(
        r#"
schema_version = 1
title    = "Pools of a fixed size"
duration = "3m"
seeds    = [1]
[postgres.primary]
cores           = 4
max_connections = 100
[service.api]
containers = {{ min = 4, max = 4 }}
[service.api.pool.primary]
preset       = "{preset}"
max          = 8
min          = 8
refill       = "to-min"
max_lifetime = "1m"
[query.lookup]
cpu = "2ms"
[request.sign-in]
service = "api"
steps   = [{{ transaction = ["lookup"], think = "20ms", on = "primary" }}]
[traffic.users]
request = "sign-in"
rate    = "200/s"
"#
    );
    let (document, _) = Document::from_text("pool.toml", &text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let scenario = document.scenario(AS_WRITTEN).unwrap();
    run(scenario, 1, &AtomicU64::new(0), &AtomicBool::new(false)).expect("nobody stops it").measured
}

/// A pool with `min` = `max` is full from the start: it never grows, whatever comes. What expires is replaced
/// half a second after a release has closed it, and at the next tick if an acquire has (pgxpool).
#[test]
fn a_pool_of_a_fixed_size_never_grows() {
    for preset in [
        "pgxpool",
        "pgxpool-v4",
        "database-sql",
        "plain",
        "hikari",
        "hikari-6.0",
        "sqlx",
        "bb8",
        "r2d2",
        "sqlalchemy",
        "npgsql",
    ] {
        let measured = fixed_size(preset);
        let starts = measured.nodes[0].starts;
        assert_eq!(starts[Cause::Growth as usize], 0, "{preset}");
        let recycled = starts[Cause::Lifetime as usize];
        // HikariCP's live for seven eighths of a lifetime in the mean: 110 are due, each at its own luck (σ = 3).
        let most = if preset == "hikari" { 118 } else { 100 };
        assert!((40..=most).contains(&recycled), "{preset}: {recycled} in three lifetimes of 32");
        let open = measured.levels.iter().find(|series| series.level == "open").unwrap();
        let mean = open.bins.iter().map(|bin| bin.mean).sum::<f64>() / open.bins.len() as f64;
        assert!(open.bins.iter().all(|bin| bin.max <= 32.0) && mean >= 27.0, "{preset}: {mean}");
    }
}
