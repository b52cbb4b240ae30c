//! PgBouncer and PgDog as their sources read (pools.md §2, §4): one pool of a central pooler.

use super::story::Story;
use crate::model::fact::Close;

/// Golden test (e) with the preset: twenty server connections of one age, an hour of lifetime: one goes every
/// three minutes.
#[test]
fn pgbouncer_closes_one_of_a_cohort_every_three_minutes() {
    let mut story = Story::of("preset = \"pgbouncer\"\nstock = true\nidle_timeout = \"none\"");
    let waiters: Vec<_> = (0..20).map(|_| story.acquire_line()).collect();
    for _ in 0..20 {
        assert_eq!(story.dialling().len(), 1, "one login at a time");
        let dial = story.dialling()[0];
        story.dialled(dial);
    }
    for waiter in waiters {
        let held = story.given(waiter).unwrap();
        story.release(held);
    }
    story.at(7300.0);
    let closes = story.closes(Close::Age);
    assert_eq!(closes.len(), 20);
    for (place, close) in closes.iter().enumerate() {
        let due = 3600.0 + 180.0 * place as f64;
        assert!((due..due + 0.34 * (place + 1) as f64).contains(close), "{closes:?}");
    }
}

/// After a login that failed none begins for 15 s; clients go on waiting, and nobody is refused.
#[test]
fn pgbouncer_waits_a_quarter_of_a_minute_after_a_failed_login() {
    let mut story = Story::of("preset = \"pgbouncer\"\nmax = 5");
    let first = story.acquire_line();
    let dial = story.dialling()[0];
    story.at(1.0).dial_fails(dial);
    let second = story.acquire_line();
    story.at(15.9);
    assert_eq!((story.dialling().len(), story.refused().len()), (0, 0));
    story.at(16.0);
    assert_eq!(story.dialling().len(), 1);
    story.all_dialled();
    assert!(story.given(first).is_some() && story.given(second).is_some());
}

/// PgBouncer counts a server connection's age from its launch.
#[test]
fn pgbouncers_lifetime_begins_with_the_launch() {
    let mut story = Story::of("preset = \"pgbouncer\"\nmax = 1\nmax_lifetime = \"100s\"");
    let waiter = story.acquire_line();
    let dial = story.dialling()[0];
    story.at(60.0).dialled(dial);
    assert_eq!((story.given(waiter), story.deadline(dial)), (Some(dial), 100.0));
    assert_eq!(story.wires[dial].client.expires.as_secs(), 100.0);
}

/// PgDog closes all that are too old at one tick of a third of a second, and dials one by one.
#[test]
fn pgdog_closes_a_cohort_at_once_and_dials_one_by_one() {
    let mut story = Story::of("preset = \"pgdog\"\nmax = 10\nmin = 10\nmax_lifetime = \"100s\"");
    for _ in 0..10 {
        assert_eq!(story.dialling().len(), 1);
        let dial = story.dialling()[0];
        story.dialled(dial);
    }
    story.at(101.0);
    let closes = story.closes(Close::Age);
    assert_eq!(closes.len(), 10);
    assert!(closes.iter().all(|at| *at == closes[0] && *at < 100.34), "{closes:?}");
    for missing in (1..=10).rev() {
        assert_eq!((story.dialling().len(), story.idle().len()), (1, 10 - missing));
        let dial = story.dialling()[0];
        story.dialled(dial);
    }
}

/// PgDog's jitter is added or taken off.
#[test]
fn pgdogs_jitter_is_symmetric() {
    let mut story = Story::of(
        "preset = \"pgdog\"\nmax = 200\nmin = 200\nmax_lifetime = \"15m\"\nmax_lifetime_jitter = \"10%\"",
    );
    story.all_dialled();
    let deadlines: Vec<f64> = story.idle().iter().map(|each| story.deadline(*each)).collect();
    assert!(deadlines.iter().all(|age| (810.0..=990.0).contains(age)));
    assert!(deadlines.iter().any(|age| *age < 830.0) && deadlines.iter().any(|age| *age > 970.0));
}
