//! PgBouncer and PgDog as their sources read (pools.md §2, §4): one pool of a central pooler.

use super::story::{Got, Story};
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

/// After a login that failed the next begins 15 s after it did. Who waits goes on waiting; whoever asks
/// meanwhile is turned away at once, since there is no server connection.
#[test]
fn pgbouncer_turns_clients_away_while_logins_fail() {
    let mut story = Story::of("preset = \"pgbouncer\"\nmax = 5");
    let first = story.acquire_line();
    let dial = story.dialling()[0];
    story.at(1.0).dial_fails(dial);
    let (second, got) = story.acquire();
    assert_eq!(got, Got::Refused);
    story.at(14.9);
    assert_eq!((story.dialling().len(), story.refused()), (0, vec![second]));
    story.at(15.0);
    assert_eq!(story.dialling().len(), 1);
    assert_eq!(story.acquire().1, Got::Refused, "a login under way is no connection");
    story.all_dialled();
    let held = story.given(first).unwrap();
    let third = story.acquire_line();
    story.release(held);
    assert!(story.given(third).is_some(), "it worked: clients wait again");
}

/// A login that took 15 s to fail has had its pause. Who was turned away waits for none, and yet another is
/// begun for the next.
#[test]
fn pgbouncer_counts_the_pause_from_the_launch() {
    let mut story = Story::of("preset = \"pgbouncer\"\nmax = 5");
    let first = story.acquire_line();
    let dial = story.dialling()[0];
    story.at(20.0).dial_fails(dial);
    let dial = story.dialling()[0];
    assert_eq!(story.dials(), [0.0, 20.0]);
    story.at(21.0).leaves_line(first);
    story.dial_fails(dial);
    story.at(50.0);
    assert_eq!(story.dialling().len(), 0, "nobody waits");
    assert_eq!(story.acquire().1, Got::Refused);
    assert_eq!(story.dials(), [0.0, 20.0, 50.0]);
    story.all_dialled();
    assert!(matches!(story.acquire().1, Got::Idle(_)));
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
