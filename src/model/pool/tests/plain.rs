//! A pool of no library does exactly what its fields say.

use super::story::Story;
use crate::model::fact::Close;

#[test]
fn without_a_sweep_nobody_looks_at_idle_connections() {
    let mut story = Story::of("max = 5\nmin = 2\nrefill = \"to-min\"\nmax_lifetime = \"10s\"");
    story.all_dialled();
    let held = story.acquire_idle();
    story.at(11.0).release(held);
    story.at(1000.0).all_dialled();
    assert_eq!(story.closes(Close::Age), [11.0], "the release's; the refill that follows is no sweep");
}

#[test]
fn first_in_is_first_out() {
    let mut story = Story::of("max = 3\nidle_pick = \"fifo\"");
    let opened = story.open_idle(3);
    let picked: Vec<_> = (0..3).map(|_| story.acquire_idle()).collect();
    assert_eq!(picked, opened);
}

#[test]
fn whatever_an_acquire_closes_is_refilled_where_no_tick_comes() {
    let mut story = Story::of(
        "max = 5\nmin = 3\nrefill = \"to-min\"\nrefill_delay = \"1s\"\nmax_lifetime = \"10s\"\n\
         check_acquire = true",
    );
    story.all_dialled();
    story.at(11.0).acquire_dial();
    story.at(12.5);
    assert_eq!(story.dialling().len(), 3);
}

/// A pool with a floor and database/sql's cleaner has one cleaner, however many refills there are.
#[test]
fn refills_do_not_multiply_the_cleaner() {
    let mut story = Story::of(
        "preset = \"database-sql\"\nmax = 4\nmin = 4\nrefill = \"to-min\"\nmax_lifetime = \"100s\"",
    );
    for round in 0..200 {
        story.at(f64::from(round)).all_dialled();
        let held = story.acquire_idle();
        story.release_broken(held);
    }
    let sweeps = story.log.iter().filter(|(_, action)| matches!(action, super::super::Action::SweepAfter(_)));
    assert!(sweeps.count() < 10);
}

/// A worker rests after a dial that gave a connection; after one that failed it goes on at once.
#[test]
fn a_worker_rests_after_success_alone() {
    let mut story = Story::of("max = 3\ndialler = { background = { at_once = 1, pause = \"30ms\" } }");
    for _ in 0..3 {
        story.acquire_line();
    }
    let dial = story.dialling()[0];
    story.dial_fails(dial);
    assert_eq!((story.refused().len(), story.dials()), (1, vec![0.0, 0.0]));
    let dial = story.dialling()[0];
    story.dialled(dial);
    assert_eq!(story.dialling().len(), 0);
    story.at(1.0);
    assert_eq!(story.dials(), [0.0, 0.0, 0.03]);
}
