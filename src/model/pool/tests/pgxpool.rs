//! pgxpool as its source reads (pools.md §1a).

use super::story::{Got, Story};
use crate::model::connection::ClientState;
use crate::model::fact::Close;
use std::collections::BTreeSet;

const FLOOR_10: &str = r#"
preset       = "pgxpool"
max          = 10
min          = 10
max_lifetime = "100s"
"#;

/// Golden test (a) of pools.md §5. The jitter is cut down to whole seconds: up to one second it is none at
/// all (pools.md §0.3; `pool.go`, `time.Duration(jitterSecs) * time.Second`).
#[test]
fn jitter_of_a_second_spreads_nothing() {
    let mut story =
        Story::of("preset = \"pgxpool\"\nmax = 500\nmax_lifetime = \"15m\"\nmax_lifetime_jitter = \"1s\"");
    for connection in story.open(500) {
        assert_eq!(story.deadline(connection), 900.0);
    }
}

/// Golden test (a). Ten seconds of jitter are a comb of ten teeth, at or after the lifetime, never ten
/// seconds after it (pools.md §0.3).
#[test]
fn jitter_is_a_comb_of_whole_seconds() {
    let mut story =
        Story::of("preset = \"pgxpool\"\nmax = 500\nmax_lifetime = \"15m\"\nmax_lifetime_jitter = \"10s\"");
    let opened = story.open(500);
    let deadlines: BTreeSet<u64> =
        opened.iter().map(|connection| (story.deadline(*connection) * 1e9) as u64).collect();
    let teeth: BTreeSet<u64> = (900..910).map(|second| second * 1_000_000_000).collect();
    assert_eq!(deadlines, teeth);
}

/// Golden test (b). At its floor the sweep retires one connection a pass and sleeps for 500 ms, then dials
/// the missing one before it goes on (pools.md §0.6, §1a `sweep`).
#[test]
fn an_idle_pool_at_its_floor_retires_one_every_half_second() {
    let mut story = Story::of(FLOOR_10);
    story.all_dialled();
    for step in 0..10_000 {
        // Each dial takes up to 20 ms.
        story.at(f64::from(step) * 0.02).all_dialled();
    }
    let closes = story.closes(Close::Age);
    assert_eq!(closes.len(), 10);
    assert_eq!(closes[0], 120.0, "the first tick after the deadline");
    for pair in closes.windows(2) {
        assert!((0.5..0.53).contains(&(pair[1] - pair[0])), "{closes:?}");
    }
    assert_eq!(story.idle().len(), 10);
    let dials = &story.dials()[10..];
    assert!(dials.iter().zip(&closes).all(|(dial, close)| (dial - close - 0.5).abs() < 1e-6), "{dials:?}");
}

/// Golden test (b). Without a floor the sweep closes all that have expired at one tick, and nobody redials
/// (pools.md §1a).
#[test]
fn an_idle_pool_without_a_floor_closes_all_at_one_tick() {
    let mut story = Story::of("preset = \"pgxpool\"\nmax = 10\nmax_lifetime = \"100s\"");
    story.open_idle(10);
    story.at(1000.0);
    assert_eq!(story.closes(Close::Age), [120.0; 10]);
    assert_eq!(story.dials().len(), 10, "the first ten and no more");
}

/// `checkMinConns` waits for its dials, and `checkConnsHealth` comes only after them: while a replacement
/// hangs, an idle pool at its floor retires no further connection, tick or no tick (pools.md §1a `sweep`).
#[test]
fn the_sweep_waits_for_the_dials_of_its_refill() {
    let mut story = Story::of(FLOOR_10);
    story.all_dialled();
    story.at(300.0);
    assert_eq!(story.closes(Close::Age), [120.0], "the replacement has been under way since 120.5 s");
    story.all_dialled();
    assert_eq!(story.closes(Close::Age), [120.0, 300.0], "and the sweep goes on when it is there");
}

/// A refill that fails ends the pass: nothing is closed before the next tick (pools.md §1a, `if err: break`).
#[test]
fn a_refill_that_fails_ends_the_pass() {
    let mut story = Story::of(FLOOR_10);
    story.all_dialled();
    story.at(121.0);
    let replacement = story.dialling()[0];
    story.dial_fails(replacement);
    story.at(179.0);
    assert_eq!((story.closes(Close::Age).len(), story.dialling().len()), (1, 0));
    story.at(180.0);
    assert_eq!(story.dialling().len(), 1, "the next tick dials again");
}

/// A close during a refill is not forgotten: its call is heard when the dials have ended, well or badly
/// (pools.md §1a; `healthCheckChan` holds one).
#[test]
fn a_call_during_a_refill_is_heard_afterwards() {
    for fails in [false, true] {
        let mut story = Story::of(FLOOR_10);
        story.all_dialled();
        let (first, second) = (story.acquire_idle(), story.acquire_idle());
        story.release_broken(first);
        story.at(1.0).release_broken(second);
        story.at(5.0);
        let slow = story.dialling();
        assert_eq!((story.dials().len(), slow.len()), (11, 1));
        if fails {
            story.dial_fails(slow[0]);
            assert_eq!(story.dialling().len(), 2);
        } else {
            story.dialled(slow[0]);
            assert_eq!(story.dialling().len(), 1);
        }
    }
}

/// The sweep sleeps for 500 ms after a close; a tick meanwhile finds nobody awake (pools.md §1a: one
/// goroutine).
#[test]
fn ticks_during_the_sleep_close_nothing() {
    let mut story = Story::of(FLOOR_10);
    story.all_dialled();
    let held = story.acquire_idle();
    story.at(119.2).release(held);
    story.at(119.72).all_dialled();
    assert_eq!(story.closes(Close::Age), [119.2, 119.72], "the release's, and one of the pass that followed");
    story.at(120.2);
    assert_eq!((story.closes(Close::Age).len(), story.dialling().len()), (2, 0));
    story.at(120.3);
    assert_eq!(story.dialling().len(), 1);
}

/// Since 5.10 an acquirer closes every expired connection it meets and dials; that close sets off no refill,
/// which is left to the next tick (pools.md §1a; `Acquire` calls `Destroy` without `triggerHealthCheck`).
#[test]
fn acquirers_close_what_has_expired() {
    let mut story = Story::of(FLOOR_10);
    story.all_dialled();
    story.at(101.0).acquire_dial();
    assert_eq!(story.closes(Close::Age), [101.0; 10]);
    story.at(119.0);
    assert_eq!(story.dialling().len(), 1);
    story.at(120.0);
    assert_eq!(story.dialling().len(), 10, "the tick fills the pool to its floor");
}

/// Before 5.10 an idle connection that has expired is handed out, and closed when it comes back (pools.md
/// §0.5).
#[test]
fn before_5_10_only_the_release_checks() {
    for preset in ["pgxpool-v4", "pgxpool-5.3", "pgxpool-5.8"] {
        let mut story = Story::of(&format!(
            "preset = \"{preset}\"\nmax = 10\nmax_lifetime = \"100s\"\nping_after = \"none\""
        ));
        let opened = story.open_idle(1);
        story.at(101.0);
        assert_eq!(story.acquire_idle(), opened[0], "{preset}");
        assert_eq!(story.closes(Close::Age), [0.0; 0], "{preset}");
        story.release(opened[0]);
        assert_eq!(story.closes(Close::Age), [101.0], "{preset}");
    }
}

/// Since 5.3 the jitter is drawn once for a connection: checks do not draw again (pools.md §0.4).
#[test]
fn since_5_3_the_jitter_is_drawn_once() {
    for preset in ["pgxpool-5.3", "pgxpool-5.8"] {
        let mut story = Story::of(&format!(
            "preset = \"{preset}\"\nmax = 1\nmax_lifetime = \"100s\"\nmax_lifetime_jitter = \"60s\"\nsweep = \"none\""
        ));
        let held = story.open(1)[0];
        let deadline = story.deadline(held);
        for check in 0..1600_u32 {
            let now = f64::from(check) * 0.1;
            story.at(now).release(held);
            assert_eq!(story.pool.total() == 0, now > deadline, "{preset} at {now}");
            if story.pool.total() == 0 {
                break;
            }
            story.acquire();
        }
        assert_eq!(story.pool.total(), 0);
    }
}

/// A connection in use is left alone when it expires, and destroyed when it comes back; a refill to the floor
/// follows 500 ms later (pools.md §1a).
#[test]
fn a_release_closes_what_has_expired_and_refills_half_a_second_later() {
    let mut story = Story::of(FLOOR_10);
    story.all_dialled();
    let held: Vec<_> = (0..10).map(|_| story.acquire_idle()).collect();
    story.at(110.0);
    assert_eq!(story.closes(Close::Age), [0.0; 0]);
    held.iter().for_each(|connection| story.release(*connection));
    assert_eq!(story.closes(Close::Age), [110.0; 10]);
    story.at(110.4);
    assert_eq!(story.dialling().len(), 0);
    story.at(110.6);
    assert_eq!(story.dialling().len(), 10, "all at once");
}

/// Idle connections come off the top of a stack; each sweep turns it upside down (pools.md §1a, "idle pick").
#[test]
fn the_last_released_is_picked_until_a_sweep_turns_the_stack() {
    let mut story = Story::of("preset = \"pgxpool\"\nmax = 3\nping_after = \"none\"");
    let opened = story.open_idle(3);
    let picked: Vec<_> = (0..3).map(|_| story.acquire_idle()).collect();
    assert_eq!(picked, [opened[2], opened[1], opened[0]]);
    opened.iter().for_each(|connection| story.release(*connection));
    story.at(60.5);
    let picked: Vec<_> = (0..3).map(|_| story.acquire_idle()).collect();
    assert_eq!(picked, opened);
}

/// The sweep takes connections off the top of the stack: of several that have expired at the floor, the one
/// used last goes first (pools.md §1a: pops all idle and pushes back).
#[test]
fn at_the_floor_the_one_used_last_goes_first() {
    let mut story = Story::of(FLOOR_10);
    story.all_dialled();
    let last = story.at(50.0).acquire().1;
    let (Got::Pinged(last) | Got::Idle(last)) = last else { panic!("{last:?}") };
    story.at(99.0).release(last);
    story.at(120.0);
    assert_eq!(story.in_state(ClientState::Closed), [last]);
}

/// A dial goes on when its request has left, and the connection goes to who waits, or to rest (pools.md
/// §0.7).
#[test]
fn a_dial_outlives_its_request() {
    let mut story = Story::of("preset = \"pgxpool\"\nmax = 2");
    let ((_, first), (_, second)) = (story.acquire_dial(), story.acquire_dial());
    let waiter = story.acquire_line();
    story.leaves_dial(first);
    story.leaves_dial(second);
    assert_eq!(story.dialling().len(), 2);
    story.dialled(first);
    assert_eq!(story.given(waiter), Some(first));
    story.dialled(second);
    assert_eq!(story.idle(), [second]);
}

/// A dial that fails is its acquirer's error, at once; the slot goes to the first who waits, who dials
/// (pools.md §1a, "connect failure").
#[test]
fn a_failed_dial_is_its_acquirers_error() {
    let mut story = Story::of("preset = \"pgxpool\"\nmax = 1");
    let (asked, dial) = story.acquire_dial();
    let (first, second) = (story.acquire_line(), story.acquire_line());
    story.dial_fails(dial);
    assert_eq!(story.refused(), [asked]);
    let next = story.dialling();
    assert_eq!(next.len(), 1);
    story.dialled(next[0]);
    assert_eq!((story.given(first), story.given(second)), (Some(next[0]), None));
}

/// Who waits longest is served first (pools.md §1a, "waiter queue").
#[test]
fn waiters_are_served_in_order() {
    let mut story = Story::of("preset = \"pgxpool\"\nmax = 1");
    let held = story.open(1)[0];
    let waiters: Vec<_> = (0..5).map(|_| story.acquire_line()).collect();
    story.leaves_line(waiters[1]);
    for (place, waiter) in waiters.iter().enumerate().filter(|(place, _)| *place != 1) {
        story.release(held);
        assert_eq!(story.given(*waiter), Some(held));
        assert!(waiters[place + 1..].iter().all(|later| story.given(*later).is_none()));
    }
    assert_eq!(story.given(waiters[1]), None);
}

/// A waiter of a full pool dials for itself when an expired connection leaves room: all at once, unlike
/// database/sql (pools.md §1a, "creation concurrency").
#[test]
fn waiters_dial_in_parallel_when_all_expire() {
    let mut story = Story::of("preset = \"pgxpool\"\nmax = 20\nmax_lifetime = \"100s\"");
    let held = story.open(20);
    for _ in 0..25 {
        story.acquire_line();
    }
    story.at(101.0);
    held.iter().for_each(|connection| story.release(*connection));
    assert_eq!(story.dialling().len(), 20);
}

/// After more than a second of rest a connection is pinged before it is handed out (pools.md §1a, "ping");
/// not in v4.
#[test]
fn a_connection_that_rested_for_a_second_is_pinged() {
    let mut story = Story::of("preset = \"pgxpool\"\nmax = 1");
    let only = story.open_idle(1)[0];
    assert_eq!(story.at(1.0).acquire().1, Got::Idle(only));
    story.release(only);
    assert_eq!(story.at(2.1).acquire().1, Got::Pinged(only));
    let mut old = Story::of("preset = \"pgxpool-v4\"\nmax = 1");
    let only = old.open_idle(1)[0];
    assert_eq!(old.at(100.0).acquire().1, Got::Idle(only));
}

/// The sweep closes what was idle for more than half an hour, but leaves the floor; its own handling of a
/// connection does not count as use (pools.md §1a, "sweep rule").
#[test]
fn idle_connections_above_the_floor_are_closed_after_half_an_hour() {
    let mut story = Story::of("preset = \"pgxpool\"\nmax = 10\nmin = 4");
    story.all_dialled();
    let held: Vec<_> = (0..4).map(|_| story.acquire_idle()).collect();
    story.open_idle(6);
    held.iter().for_each(|connection| story.release(*connection));
    story.at(1800.0);
    assert_eq!(story.closes(Close::Idle), [0.0; 0]);
    story.at(3000.0);
    assert_eq!(story.closes(Close::Idle), [1860.0; 6]);
    assert_eq!(story.idle().len(), 4);
}

/// A connection that broke in use is destroyed when it comes back, and the pool refills (pools.md §1a,
/// `release`).
#[test]
fn a_broken_connection_does_not_come_back() {
    let mut story = Story::of(FLOOR_10);
    story.all_dialled();
    let held = story.acquire_idle();
    story.release_broken(held);
    let resting = story.idle()[0];
    story.idle_breaks(resting);
    assert_eq!(story.closes(Close::Broken), [0.0; 2]);
    story.at(0.6);
    assert_eq!((story.dialling().len(), story.pool.total()), (2, 10));
}

/// One timer for all refills, and every close sets it back: in a herd whose releases are less than 500 ms
/// apart the refill waits for the last, or for the tick. Before 5.8 every close had a timer of its own
/// (pools.md §1a).
#[test]
fn closes_in_a_row_put_the_refill_off() {
    let all = [("pgxpool", 112.3), ("pgxpool-5.8", 112.3), ("pgxpool-5.3", 110.5), ("pgxpool-v4", 110.5)];
    for (preset, refilled_at) in all {
        let mut story =
            Story::of(&format!("preset = \"{preset}\"\nmax = 10\nmin = 10\nmax_lifetime = \"100s\""));
        story.all_dialled();
        let held: Vec<_> = (0..10).map(|_| story.acquire_idle()).collect();
        for (place, connection) in held[..7].iter().enumerate() {
            story.at(110.0 + 0.3 * place as f64).release(*connection);
        }
        story.at(115.0);
        assert!((story.dials()[10] - refilled_at).abs() < 1e-6, "{preset}: {:?}", story.dials());
    }
}
