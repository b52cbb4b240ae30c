//! pg-pool and postgres.js as their sources read (pools.md §2).

use super::story::Story;
use crate::model::fact::Close;
use std::collections::BTreeSet;

/// pg-pool: a timer closes an idle connection the moment it expires, and one in use when it comes back;
/// nobody dials in its place before somebody wants it.
#[test]
fn pg_pool_closes_by_timer_and_dials_on_demand() {
    let mut story =
        Story::of("preset = \"pg-pool\"\nmax = 3\nmax_lifetime = \"100s\"\nidle_timeout = \"none\"");
    let held = story.open(1)[0];
    story.at(40.0).open_idle(1);
    let again = story.at(90.0).acquire_idle();
    story.release(again);
    story.at(150.0);
    let closes = story.closes(Close::Age);
    assert!(closes.len() == 1 && (140.0..140.001).contains(&closes[0]), "{closes:?}");
    story.release(held);
    assert_eq!((story.closes(Close::Age)[1], story.pool.total(), story.dialling().len()), (150.0, 0, 0));
}

/// Ten seconds of idleness close a connection, exactly (pools.md §2, "idle timeout").
#[test]
fn pg_pool_closes_what_rests_for_ten_seconds() {
    let mut story = Story::of("preset = \"pg-pool\"\nmax = 3");
    story.open_idle(2);
    let used = story.at(6.0).acquire_idle();
    story.at(7.0).release(used);
    story.at(30.0);
    let closes: Vec<u64> = story.closes(Close::Idle).iter().map(|at| (at * 1e3) as u64).collect();
    assert_eq!(closes, [10_000, 17_000]);
}

/// Golden test (h): a slot of postgres.js keeps its lifetime, between one and two times the least, whatever
/// is dialled into it; the others have others.
#[test]
fn a_slot_of_postgres_js_keeps_its_lifetime() {
    let mut story = Story::of("preset = \"postgres-js\"\nmax = 20\nmax_lifetime = \"15m\"");
    let mut held = story.open(20);
    let mut lifetimes: Vec<f64> = held.iter().map(|each| story.deadline(*each)).collect();
    assert!(lifetimes.iter().all(|lifetime| (900.0..1800.0).contains(lifetime)), "{lifetimes:?}");
    let first: BTreeSet<u64> = lifetimes.iter().map(|lifetime| (lifetime * 1e9) as u64).collect();
    assert_eq!(first.len(), 20);
    for cycle in 1..4_u32 {
        story.at(f64::from(cycle) * 2000.0);
        held.iter().for_each(|connection| story.release(*connection));
        assert_eq!(story.pool.total(), 0, "all are too old");
        held = story.open(20);
        lifetimes = held.iter().map(|each| story.deadline(*each)).collect();
        let again: BTreeSet<u64> = lifetimes.iter().map(|lifetime| (lifetime * 1e9) as u64).collect();
        assert_eq!(again, first, "cycle {cycle}");
    }
}

/// A number in max_lifetime takes the randomness away (pools.md §6, F3-Nation).
#[test]
fn a_fixed_lifetime_of_postgres_js_has_no_jitter() {
    let mut story =
        Story::of("preset = \"postgres-js\"\nmax = 20\nmax_lifetime = \"15m\"\nmax_lifetime_jitter = \"0s\"");
    assert!(story.open(20).iter().all(|each| story.deadline(*each) == 900.0));
}

/// The lifetime begins when the socket is connected: a slow dial shortens the time that is left.
#[test]
fn postgres_js_counts_from_the_beginning_of_the_dial() {
    let mut story =
        Story::of("preset = \"postgres-js\"\nmax = 1\nmax_lifetime = \"100s\"\nmax_lifetime_jitter = \"0s\"");
    let (_, dial) = story.acquire_dial();
    story.at(60.0).dialled(dial);
    story.release(dial);
    story.at(150.0);
    let closes = story.closes(Close::Age);
    assert!(closes.len() == 1 && (100.0..100.1).contains(&closes[0]), "{closes:?}");
}
