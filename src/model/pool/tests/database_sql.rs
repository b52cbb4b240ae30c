//! Go's database/sql as its source reads (pools.md §1b).

use super::story::{Got, Story};
use crate::model::RequestId;
use crate::model::fact::Close;
use std::collections::BTreeSet;

const TWENTY: &str = "preset = \"database-sql\"\nmax = 20\nmax_lifetime = \"100s\"";

/// Golden test (c) of pools.md §5. At the cap one goroutine opens for all who wait: the dials are strictly
/// serial, and newcomers wait although half the pool is gone (pools.md §1b, consequence (i)).
#[test]
fn for_waiters_the_dials_are_strictly_serial() {
    let mut story = Story::of(TWENTY);
    let held = story.open(20);
    for _ in 0..25 {
        story.acquire_line();
    }
    story.at(101.0);
    held.iter().for_each(|connection| story.release(*connection));
    assert_eq!(story.closes(Close::Age), [101.0; 20]);
    for opened in 0..20 {
        assert_eq!(story.dialling().len(), 1, "after {opened}");
        story.acquire_line();
        let dial = story.dialling()[0];
        story.at(101.0 + 0.1 * f64::from(opened + 1)).dialled(dial);
    }
    assert_eq!(story.dialling().len(), 0);
    assert_eq!((story.pool.total(), story.idle().len()), (20, 0));
}

/// Golden test (c). Below the cap everyone dials for themselves, as parallel as they come (pools.md §1b,
/// consequence (ii)).
#[test]
fn without_waiters_the_dials_are_parallel() {
    let mut story = Story::of(TWENTY);
    let held = story.open(20);
    story.at(101.0);
    held.iter().for_each(|connection| story.release(*connection));
    assert_eq!((story.pool.total(), story.dialling().len()), (0, 0), "nothing is refilled");
    for _ in 0..20 {
        story.acquire_dial();
    }
    assert_eq!(story.dialling().len(), 20);
}

/// Golden test (d). Two tries with idle connections, then a new one whatever lies in the idle list (pools.md
/// §1b, `do`).
#[test]
fn an_acquirer_closes_two_expired_ones_and_opens_a_new_one() {
    let mut story =
        Story::of("preset = \"database-sql\"\nmax = 20\nmax_lifetime = \"50s\"\nsweep = \"none\"");
    let opened = story.open_idle(3);
    story.at(51.0).acquire_dial();
    assert_eq!(story.closes(Close::Age), [51.0, 51.0]);
    assert_eq!(story.idle(), [opened[0]], "the one released first stays, expired");
}

/// An inline dial dies with its request (pools.md §0.7), and its slot is free again.
#[test]
fn a_dial_dies_with_its_request() {
    let mut story = Story::of("preset = \"database-sql\"\nmax = 1");
    let (_, dial) = story.acquire_dial();
    let waiter = story.acquire_line();
    story.leaves_dial(dial);
    let second = story.dialling();
    assert_eq!(second.len(), 1, "the opener dials for who waits");
    assert_ne!(second[0], dial);
    story.dialled(second[0]);
    assert_eq!(story.given(waiter), Some(second[0]));
}

/// The opener has a context of its own: its dial goes on when the one who waited has left, and rests in the
/// pool.
#[test]
fn the_openers_dial_outlives_the_waiter() {
    let mut story = Story::of("preset = \"database-sql\"\nmax = 1\nmax_lifetime = \"100s\"");
    let held = story.open(1)[0];
    let waiter = story.acquire_line();
    story.at(101.0).release(held);
    story.leaves_line(waiter);
    story.all_dialled();
    assert_eq!((story.given(waiter), story.idle().len()), (None, 1));
}

/// An inline dial that fails is the caller's error (pools.md §1b, "connect failure").
#[test]
fn a_failed_inline_dial_is_its_callers_error() {
    let mut story = Story::of(TWENTY);
    let (asked, dial) = story.acquire_dial();
    story.dial_fails(dial);
    assert_eq!((story.refused(), story.pool.total()), (vec![asked], 0));
}

/// A dial of the opener that fails is delivered to one random waiter, and the opener tries again for the
/// others (pools.md §1b, `opener`).
#[test]
fn a_failed_dial_of_the_opener_goes_to_a_random_waiter() {
    let unlucky: BTreeSet<usize> = (0..40)
        .map(|luck| {
            let (mut story, waiters) = five_waiters_and_an_opener(luck);
            let dial = story.dialling()[0];
            story.dial_fails(dial);
            let refused = story.refused();
            assert_eq!((refused.len(), story.dialling().len()), (1, 1));
            waiters.iter().position(|waiter| *waiter == refused[0]).unwrap()
        })
        .collect();
    assert_eq!(unlucky, BTreeSet::from([0, 1, 2, 3, 4]));
}

/// Waiters are served at random (pools.md §0.2).
#[test]
fn waiters_are_served_at_random() {
    let served: BTreeSet<usize> = (0..40)
        .map(|luck| {
            let (mut story, waiters) = five_waiters_and_an_opener(luck);
            let dial = story.dialling()[0];
            story.dialled(dial);
            waiters.iter().position(|waiter| story.given(*waiter).is_some()).unwrap()
        })
        .collect();
    assert_eq!(served, BTreeSet::from([0, 1, 2, 3, 4]));
}

/// The last released is picked, sweeps or not (pools.md §1b, "idle pick").
#[test]
fn the_last_released_is_picked() {
    let mut story = Story::of("preset = \"database-sql\"\nmax = 3\nmax_lifetime = \"200s\"");
    let opened = story.open_idle(3);
    for seconds in [0.0, 100.0] {
        let picked: Vec<_> = (0..3).map(|_| story.at(seconds).acquire_idle()).collect();
        assert_eq!(picked, [opened[2], opened[1], opened[0]]);
        opened.iter().for_each(|connection| story.release(*connection));
    }
}

/// A connection that comes back to a full idle list is closed (pools.md §1b, `put`; the library's own limit
/// is 2).
#[test]
fn idle_connections_beyond_the_limit_are_closed() {
    let mut story = Story::of("preset = \"database-sql\"\nmax = 10\nmax_idle = 2");
    story.open_idle(5);
    assert_eq!((story.idle().len(), story.pool.total()), (2, 2));
    assert_eq!(story.closes(Close::Idle).len(), 3);
}

/// The cleaner wakes when the first idle connection is due, closes all that are at once and refills nothing
/// (pools.md §1b, "cleaner").
#[test]
fn the_cleaner_comes_when_the_first_is_due() {
    let mut story = Story::of(TWENTY);
    story.open_idle(3);
    let held: Vec<_> = (0..3).map(|_| story.acquire_idle()).collect();
    story.at(40.0).open_idle(2);
    held.iter().for_each(|connection| story.release(*connection));
    story.at(300.0);
    let closes: Vec<u64> = story.closes(Close::Age).iter().map(|at| *at as u64).collect();
    assert_eq!(closes, [100, 100, 100, 140, 140]);
    assert_eq!(story.dials().len(), 5);
}

/// Its first round comes a whole lifetime after a first connection has gone idle, whatever is due before.
#[test]
fn the_cleaners_first_round_knows_of_no_deadline() {
    let mut story = Story::of(TWENTY);
    let held = story.open(1)[0];
    story.at(60.0).release(held);
    story.at(200.0);
    let closes = story.closes(Close::Age);
    assert!(closes.len() == 1 && (160.0..160.1).contains(&closes[0]), "due at 100 s: {closes:?}");
}

/// It never comes sooner than a second after it was there, and with nothing idle only a whole lifetime later
/// (pools.md §1b, "cleaner").
#[test]
fn the_cleaner_leaves_a_second_between_its_rounds() {
    let mut story = Story::of(TWENTY);
    story.open_idle(1);
    story.at(0.4).acquire_idle();
    let second = story.acquire_dial().1;
    story.dialled(second);
    story.release(second);
    story.at(120.0);
    let closes = story.closes(Close::Age);
    assert!(closes.len() == 1 && (101.0..101.1).contains(&closes[0]), "due at 100.4 s: {closes:?}");

    let mut busy = Story::of(TWENTY);
    let held = busy.open_idle(1)[0];
    assert_eq!(busy.acquire().1, Got::Idle(held));
    busy.at(60.0).open_idle(1);
    busy.acquire_idle();
    busy.at(130.0).open_idle(1);
    busy.at(199.0);
    assert_eq!(busy.closes(Close::Age), [0.0; 0], "at 100 s nothing was idle: the next round is at 200 s");
}

/// Idle time is the cleaner's too, and it comes for that when it is due (pools.md §1b, ConnMaxIdleTime).
#[test]
fn the_cleaner_comes_for_idle_time() {
    let mut story =
        Story::of("preset = \"database-sql\"\nmax = 5\nmax_lifetime = \"15m\"\nidle_timeout = \"30s\"");
    story.open_idle(1);
    story.at(20.0).acquire_idle();
    story.at(25.0).open_idle(1);
    story.at(60.0);
    let closes = story.closes(Close::Idle);
    assert!(closes.len() == 1 && (55.0..55.1).contains(&closes[0]), "{closes:?}");
}

/// Five who wait for the one connection of a pool that the opener is dialling anew.
fn five_waiters_and_an_opener(luck: u64) -> (Story, Vec<RequestId>) {
    let mut story = Story::with_luck("preset = \"database-sql\"\nmax = 1\nmax_lifetime = \"100s\"", luck);
    let held = story.open(1)[0];
    let waiters = (0..5).map(|_| story.acquire_line()).collect();
    story.at(101.0).release(held);
    (story, waiters)
}
