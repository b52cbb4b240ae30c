//! The measured cause of a dial: the first kind of debt that there is when it begins.

use super::super::owed::OWED_FOR;
use super::story::Story;
use crate::engine::time::Span;
use crate::scenario::grammar::Cause;

const ON_DEMAND: &str = "max = 5\nmax_lifetime = \"100s\"\nacquire_timeout = \"5s\"";

#[test]
fn the_first_dials_of_a_container_are_its_boot() {
    let mut story = Story::of("max = 5\nmin = 3\nrefill = \"to-min\"");
    assert_eq!(story.dialling().iter().map(|dial| story.cause(*dial)).collect::<Vec<_>>(), [Cause::Boot; 3]);
    story.all_dialled();
    for _ in 0..3 {
        story.acquire_idle();
    }
    let more = story.acquire_dial().1;
    assert_eq!(story.cause(more), Cause::Growth);
    let mut without_floor = Story::of(ON_DEMAND);
    let opened = without_floor.open(2);
    assert_eq!(without_floor.cause(opened[0]), Cause::Boot);
    assert_eq!(without_floor.cause(opened[1]), Cause::Growth);
}

#[test]
fn a_pool_that_was_there_before_the_run_has_booted() {
    let mut story = Story::of(ON_DEMAND);
    story.pool.adopt(&mut story.wires, Span::ZERO);
    story.acquire_idle();
    let more = story.acquire_dial().1;
    assert_eq!(story.cause(more), Cause::Growth);
}

#[test]
fn a_connection_closed_for_its_age_is_replaced_within_a_second_or_not_at_all() {
    for (later, cause) in [(0.9, Cause::Lifetime), (1.1, Cause::Growth)] {
        let mut story = Story::of(ON_DEMAND);
        let held = story.open(1)[0];
        story.at(101.0).release(held);
        let dial = story.at(101.0 + later).acquire_dial().1;
        assert_eq!(story.cause(dial), cause, "after {later} s, with {OWED_FOR} to pay");
    }
}

#[test]
fn each_close_is_replaced_once() {
    let mut story = Story::of(ON_DEMAND);
    let held = story.open(2);
    story.at(101.0);
    held.iter().for_each(|connection| story.release(*connection));
    let causes: Vec<_> = story.open(3).iter().map(|opened| story.cause(*opened)).collect();
    assert_eq!(causes, [Cause::Lifetime, Cause::Lifetime, Cause::Growth]);
}

#[test]
fn a_replacement_whose_dial_fails_is_still_owed() {
    let mut story = Story::of(ON_DEMAND);
    let held = story.open(1)[0];
    story.at(101.0).release(held);
    let dial = story.acquire_dial().1;
    story.dial_fails(dial);
    let again = story.acquire_dial().1;
    assert_eq!(story.cause(again), Cause::Lifetime);
}

/// A dial that is tried again replaces what it did before; one that somebody asked for has a failure's cause.
#[test]
fn a_replacement_that_is_dialled_again_is_still_one() {
    let mut story = Story::of("preset = \"bb8\"\nmax = 1\nmax_lifetime = \"100s\"");
    story.acquire_line();
    let first = story.dialling()[0];
    story.dial_fails(first);
    let again = story.at(0.5).dialling()[0];
    assert_eq!(story.cause(again), Cause::Failure);
    story.dialled(again);
    story.acquire_line();
    story.at(101.0).release(again);
    let replacement = story.dialling()[0];
    assert_eq!(story.cause(replacement), Cause::Lifetime);
    story.dial_fails(replacement);
    let again = story.at(101.5).dialling()[0];
    assert_eq!(story.cause(again), Cause::Lifetime);
}

#[test]
fn what_breaks_is_replaced_as_a_failure() {
    let mut story = Story::of(ON_DEMAND);
    let held = story.open(2);
    story.release_broken(held[0]);
    let dial = story.acquire_dial().1;
    assert_eq!(story.cause(dial), Cause::Failure);
    story.dial_fails(dial);
    let again = story.acquire_dial().1;
    assert_eq!(story.cause(again), Cause::Failure, "the dial that failed is replaced");
    story.dialled(again);
    let more = story.acquire_dial().1;
    assert_eq!(story.cause(more), Cause::Growth);
}

/// After an outage the dials that failed are not held against the pool for ever.
#[test]
fn old_failures_are_forgiven() {
    let mut story = Story::of(ON_DEMAND);
    for _ in 0..50 {
        let dial = story.acquire_dial().1;
        story.dial_fails(dial);
    }
    let dial = story.at(60.0).acquire_dial().1;
    assert_eq!(story.cause(dial), Cause::Growth);
}

/// A pool that comes to it late no longer replaces what broke: it fills its floor.
#[test]
fn what_is_dialled_late_is_a_refill() {
    let mut story = Story::of("preset = \"pgxpool\"\nmax = 4\nmin = 2\nrefill_delay = \"5s\"");
    story.all_dialled();
    let broken = story.idle()[0];
    story.idle_breaks(broken);
    story.at(60.0);
    let dial = story.dialling()[0];
    assert_eq!(story.cause(dial), Cause::Refill);
}
