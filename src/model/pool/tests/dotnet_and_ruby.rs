//! Npgsql and ActiveRecord as their sources read (pools.md §2).

use super::story::Story;
use crate::model::fact::Close;
use crate::scenario::grammar::Cause;

/// Npgsql: who acquires closes every expired connection that it meets, and dials; a release does not look
/// (pools.md §2: A only, on demand by the same acquirer).
#[test]
fn npgsqls_acquirer_closes_what_has_expired_and_dials() {
    let mut story = Story::of("preset = \"npgsql\"\nmax = 5\nmax_lifetime = \"100s\"");
    let opened = story.open_idle(3);
    let held = story.at(50.0).acquire_idle();
    assert_eq!(held, opened[0], "first in, first out");
    let fresh = {
        story.acquire_idle();
        story.acquire_idle();
        story.acquire_dial().1
    };
    story.dialled(fresh);
    story.at(101.0).release(held);
    assert_eq!(story.closes(Close::Age), [0.0; 0]);
    story.release(fresh);
    assert_eq!(story.acquire_idle(), fresh);
    assert_eq!(story.closes(Close::Age), [101.0]);
    let (_, dial) = story.acquire_dial();
    assert_eq!(story.cause(dial), Cause::Lifetime);
}

/// Who waits looks at what comes back as an acquirer does: what has expired is replaced.
#[test]
fn npgsqls_waiter_is_not_given_what_has_expired() {
    let mut story = Story::of("preset = \"npgsql\"\nmax = 1\nmax_lifetime = \"100s\"");
    let held = story.open(1)[0];
    let waits = story.acquire_line();
    story.at(101.0).release(held);
    assert_eq!(story.closes(Close::Age), [101.0]);
    let dial = story.dialling()[0];
    story.dialled(dial);
    assert_eq!(story.given(waits), Some(dial));
}

/// ActiveRecord: golden test (h). A slot lives for 80 to 100 % of the lifetime, the same again whenever it is
/// redialled.
#[test]
fn a_slot_of_activerecord_keeps_its_lifetime() {
    let mut story =
        Story::of("preset = \"activerecord\"\nmax = 10\nmax_lifetime = \"15m\"\nidle_timeout = \"none\"");
    story.open_idle(10);
    let lifetimes = |story: &Story| {
        let mut all: Vec<u64> =
            story.idle().iter().map(|each| (story.deadline(*each) * 1e9) as u64).collect();
        all.sort_unstable();
        all
    };
    let first = lifetimes(&story);
    assert!(first.iter().all(|lifetime| (720e9..=900e9).contains(&(*lifetime as f64))), "{first:?}");
    story.dials_succeed_until(3000.0);
    assert!(story.closes(Close::Age).len() >= 30, "three generations");
    assert_eq!(lifetimes(&story), first);
}

/// The slot that came free last is filled first.
#[test]
fn a_new_connection_of_activerecord_lives_as_long_as_the_last_that_went() {
    let mut story = Story::of("preset = \"activerecord\"\nmax = 3\nmax_lifetime = \"15m\"");
    let held = story.open(3);
    let lived = [0, 1, 2].map(|place| story.deadline(held[place]));
    assert!(lived[0] != lived[1] && lived[1] != lived[2] && lived[2] != lived[0], "{lived:?}");
    held.iter().for_each(|connection| story.release_broken(*connection));
    let again: Vec<f64> = story.open(3).iter().map(|opened| story.deadline(*opened)).collect();
    assert_eq!(again, [lived[2], lived[1], lived[0]]);
}

/// ActiveRecord's reaper comes every minute, closes all that are idle and too old, and dials again one by
/// one; a connection that is in use whenever it comes lives on (pools.md §2, issue 58851).
#[test]
fn activerecords_reaper_redials_one_by_one() {
    let mut story = Story::of(
        "preset = \"activerecord\"\nmax = 6\nmax_lifetime = \"100s\"\nmax_lifetime_jitter = \"0s\"\nidle_timeout = \"none\"",
    );
    story.open_idle(6);
    let busy = story.acquire_idle();
    story.at(119.0).release(busy);
    assert_eq!(story.closes(Close::Age), [0.0; 0], "a release does not look");
    assert_eq!(story.acquire_idle(), busy);
    story.at(120.0);
    assert_eq!(story.closes(Close::Age), [120.0; 5]);
    for redialled in 0..5_u32 {
        assert_eq!(story.dialling().len(), 1, "after {redialled}");
        let dial = story.dialling()[0];
        assert_eq!(story.cause(dial), Cause::Lifetime, "after {redialled}");
        story.at(121.0 + f64::from(redialled)).dialled(dial);
    }
    assert_eq!((story.dialling().len(), story.idle().len(), story.pool.total()), (0, 5, 6));
}

/// A redial that fails waits for the reaper's next round.
#[test]
fn a_redial_that_fails_waits_for_the_next_round() {
    let mut story =
        Story::of("preset = \"activerecord\"\nmax = 2\nmax_lifetime = \"100s\"\nidle_timeout = \"none\"");
    story.open_idle(2);
    story.at(120.0);
    let dial = story.dialling()[0];
    story.dial_fails(dial);
    story.at(179.0);
    assert_eq!((story.dialling().len(), story.pool.total()), (0, 0));
    story.dials_succeed_until(181.0);
    assert_eq!(story.idle().len(), 2);
}
