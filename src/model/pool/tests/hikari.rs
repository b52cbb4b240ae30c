//! HikariCP as its source reads (pools.md §2).

use super::story::{Got, Story};
use crate::model::fact::Close;
use crate::scenario::grammar::Cause;

/// Golden test (f): each connection lives for 97.5 to 100 % of the lifetime, each for its own time; from 6.1
/// on for 75 to 100 %.
#[test]
fn deadlines_lie_in_the_last_part_of_the_lifetime() {
    for (preset, from) in [("hikari", 675.0), ("hikari-6.0", 877.5)] {
        let mut story = Story::of(&format!("preset = \"{preset}\"\nmax = 400\nmax_lifetime = \"15m\""));
        story.dials_succeed_until(60.0);
        let deadlines: Vec<f64> = story.idle().iter().map(|each| story.deadline(*each)).collect();
        assert_eq!(deadlines.len(), 400);
        assert!(deadlines.iter().all(|age| (from..=900.0).contains(age)), "{preset}: {deadlines:?}");
        let (least, most) =
            deadlines.iter().fold((f64::MAX, 0.0_f64), |(a, b), age| (a.min(*age), b.max(*age)));
        assert!(most - least > 0.95 * (900.0 - from), "{preset}: {least} to {most} s");
    }
}

/// One thread dials; it rests for 30 ms after each connection (pools.md §2, "1 adder thread").
#[test]
fn one_adder_fills_the_pool_with_a_pause_after_each() {
    let mut story = Story::of("preset = \"hikari\"\nmax = 3");
    for opened in 1..=3 {
        assert_eq!(story.dialling().len(), 1);
        let dial = story.dialling()[0];
        let now = 0.13 * f64::from(opened - 1) + 0.1;
        story.at(now).dialled(dial);
        story.at(now + 0.029);
        assert_eq!(story.dialling().len(), 0, "it rests");
        story.at(now + 0.03);
    }
    assert_eq!((story.dialling().len(), story.idle().len()), (0, 3));
}

/// An acquirer never dials: it waits for what the adder makes, or for what comes back, whichever is first.
#[test]
fn acquirers_only_wait() {
    let mut story = Story::of("preset = \"hikari\"\nmax = 2");
    let (first, second, third) = (story.acquire_line(), story.acquire_line(), story.acquire_line());
    story.dials_succeed_until(1.0);
    let held = story.given(first).unwrap();
    assert!(story.given(second).is_some() && story.given(third).is_none());
    story.release(held);
    assert_eq!(story.given(third), Some(held));
}

/// Expiry is exact: an idle connection is closed by its timer, one in use when it comes back; the adder
/// replaces each at once (pools.md §2, check T and "immediate via adder").
#[test]
fn a_timer_closes_the_idle_and_the_release_what_is_in_use() {
    let mut story = Story::of("preset = \"hikari\"\nmax = 2\nmax_lifetime = \"15m\"\nping_after = \"none\"");
    story.dials_succeed_until(1.0);
    let held = story.acquire_idle();
    let resting = story.idle()[0];
    let due = story.wires[resting].client.expires.as_secs();
    story.at(due);
    assert_eq!(story.closes(Close::Age).len(), 0, "it is not yet older than its deadline");
    story.at(due + 1e-6);
    assert_eq!(story.closes(Close::Age).len(), 1);
    assert_eq!(story.dialling().len(), 1);
    story.at(910.0).release(held);
    assert_eq!(story.closes(Close::Age)[1], 910.0);
    story.dials_succeed_until(911.0);
    assert_eq!(story.idle().len(), 2);
}

/// A dial that fails is tried again after 10 ms, twice as long each time, up to 5 s; who waits goes on
/// waiting (pools.md §2, "connect failure").
#[test]
fn the_adder_tries_again_for_ever() {
    let mut story = Story::of("preset = \"hikari\"\nmax = 1");
    let waiter = story.acquire_line();
    let mut now = 0.0;
    for step in 0..14_u32 {
        let dial = story.dialling()[0];
        story.dial_fails(dial);
        let pause = (0.01 * f64::from(1 << step)).min(5.0);
        story.at(now + pause - 1e-6);
        assert_eq!(story.dialling().len(), 0, "try {step}");
        now += pause;
        story.at(now);
        assert_eq!(story.dialling().len(), 1, "try {step}");
    }
    assert_eq!(story.refused(), []);
    let dial = story.dialling()[0];
    story.dialled(dial);
    assert_eq!((story.given(waiter), story.pool.total()), (Some(dial), 1));
}

/// Nothing is pinged that was used within half a second (pools.md §2, alive bypass).
#[test]
fn what_rested_for_half_a_second_is_tested() {
    let mut story = Story::of("preset = \"hikari\"\nmax = 1");
    story.all_dialled();
    let only = story.at(0.5).acquire_idle();
    story.release(only);
    assert_eq!(story.at(1.1).acquire().1, Got::Pinged(only));
}

/// The adder needs seconds to replace a whole pool: every replacement is one for age, however late.
#[test]
fn replacements_stay_replacements_however_long_they_take() {
    let mut story = Story::of(
        "preset = \"hikari\"\nmax = 30\nmax_lifetime = \"15m\"\nmax_lifetime_jitter = \"0s\"\nping_after = \"none\"",
    );
    story.dials_succeed_until(10.0);
    let held: Vec<_> = (0..30).map(|_| story.acquire_idle()).collect();
    story.at(950.0);
    held.iter().for_each(|connection| story.release(*connection));
    for step in 0..30_u32 {
        let dial = story.dialling()[0];
        assert_eq!(story.cause(dial), Cause::Lifetime, "replacement {step}");
        story.at(950.0 + 0.1 * f64::from(step + 1)).dialled(dial);
        story.at(950.0 + 0.1 * f64::from(step + 1) + 0.03);
    }
    assert_eq!(story.dialling().len(), 0);
}
