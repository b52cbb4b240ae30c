//! sqlx, bb8, r2d2 and deadpool as their sources read (pools.md §2).

use super::story::{Got, Story};
use crate::model::fact::Close;

/// sqlx hands out what has rested longest, and an acquirer does not look at the age: what expires while it
/// rests dies at the ten-minute sweep, or when it comes back (pools.md §2).
#[test]
fn sqlx_serves_expired_connections_until_a_sweep_or_a_release_finds_them() {
    let mut story = Story::of(
        "preset = \"sqlx\"\nmax = 3\nmax_lifetime = \"15m\"\nping_after = \"none\"\nidle_timeout = \"none\"",
    );
    let opened = story.open_idle(3);
    assert_eq!(story.at(1100.0).acquire_idle(), opened[0], "first in, first out, old as it is");
    story.at(1200.0);
    assert_eq!(story.closes(Close::Age), [1200.0; 2]);
    story.at(1201.0).release(opened[0]);
    assert_eq!(story.closes(Close::Age)[2], 1201.0);
}

/// Every connection is pinged before it is handed out.
#[test]
fn sqlx_pings_whatever_it_hands_out() {
    let mut story = Story::of("preset = \"sqlx\"\nmax = 1");
    let only = story.open_idle(1)[0];
    assert_eq!(story.at(0.001).acquire().1, Got::Pinged(only));
}

/// Who waits takes what comes back from the pool, and pings it like everybody (sqlx: `check_idle_conn`; bb8
/// and r2d2: `test_on_check_out`).
#[test]
fn whoever_pings_before_every_use_does_so_for_waiters() {
    for preset in ["sqlx", "bb8", "r2d2"] {
        let mut story = Story::of(&format!("preset = \"{preset}\"\nmax = 1"));
        story.all_dialled();
        let (first, _) = story.acquire();
        story.all_dialled();
        let held = story.given(first).unwrap();
        let waiter = story.acquire_line();
        story.release(held);
        assert!(story.given(waiter).is_some() && story.pings(waiter), "{preset}");
    }
}

/// A dial is part of the acquire, and goes with who gives up (sqlx: a timeout around it; deadpool: inline).
#[test]
fn who_gives_up_takes_the_dial_along() {
    for preset in ["sqlx", "deadpool"] {
        let mut story = Story::of(&format!("preset = \"{preset}\"\nmax = 1"));
        let (_, dial) = story.acquire_dial();
        story.leaves_dial(dial);
        assert_eq!((story.dialling().len(), story.idle().len()), (0, 0), "{preset}");
    }
}

/// Its refill to the floor dials one after the other.
#[test]
fn sqlx_refills_one_by_one() {
    let mut story = Story::of("preset = \"sqlx\"\nmax = 5\nmin = 3");
    for missing in [3, 2, 1] {
        assert_eq!((story.dialling().len(), 3 - story.idle().len()), (1, missing));
        let dial = story.dialling()[0];
        story.dialled(dial);
    }
    assert_eq!((story.dialling().len(), story.idle().len()), (0, 3));
}

/// Who closes a connection that comes back dials up to the floor at once, and leaves the idle to the sweep.
#[test]
fn sqlx_refills_after_a_release_without_a_sweep() {
    let mut story = Story::of(
        "preset = \"sqlx\"\nmax = 3\nmin = 3\nmax_lifetime = \"15m\"\nping_after = \"none\"\nidle_timeout = \"none\"",
    );
    story.all_dialled();
    let held = story.at(901.0).acquire_idle();
    story.at(1000.0).release(held);
    story.at(1001.0);
    assert_eq!((story.closes(Close::Age), story.dialling().len()), (vec![1000.0], 1));
    story.all_dialled();
    story.at(1200.0);
    assert_eq!(story.closes(Close::Age), [1000.0, 1200.0, 1200.0]);
}

/// A sweep that comes due while a refill is under way is made up for when that is done, though a release
/// calls for another refill meanwhile.
#[test]
fn sqlx_makes_up_for_a_sweep_that_met_a_refill() {
    let mut story = Story::of(
        "preset = \"sqlx\"\nmax = 3\nmin = 3\nmax_lifetime = \"5m\"\nping_after = \"none\"\n\
         idle_timeout = \"none\"",
    );
    story.all_dialled();
    let (one, other) = (story.at(599.0).acquire_idle(), story.acquire_idle());
    story.release(one);
    story.at(600.5);
    assert_eq!((story.closes(Close::Age), story.dialling().len()), (vec![599.0], 1));
    story.release(other);
    story.at(601.0).all_dialled();
    assert_eq!(story.closes(Close::Age), [599.0, 600.5, 601.0], "the one that was idle all the time");
}

/// A refused dial is tried again for the request that made it, which keeps its place in the pool; others dial
/// beside it. A request that leaves takes its tries along.
#[test]
fn sqlx_tries_a_refused_dial_again_within_the_acquirers_time() {
    let mut story = Story::of("preset = \"sqlx\"\nmax = 2");
    let (asked, dial) = story.acquire_dial();
    story.dial_fails(dial);
    assert_eq!((story.refused(), story.pool.total()), (vec![], 1));
    let other = story.acquire_dial().1;
    let late = story.acquire_line();
    story.at(0.01);
    let again = *story.dialling().iter().find(|dial| **dial != other).unwrap();
    story.dialled(again);
    assert_eq!((story.given(asked), story.given(late)), (Some(again), None));
    story.dial_fails(other);
    story.at(0.02);
    let third = story.dialling()[0];
    story.leaves_dial(third);
    story.dial_fails(third);
    assert_eq!(story.dialling().len(), 1, "the slot goes to who waits in line");
}

/// bb8 dials in tasks of their own: one for each who waits, all at once, up to `max`.
#[test]
fn bb8_dials_for_all_who_wait_at_once() {
    let mut story = Story::of("preset = \"bb8\"\nmax = 5");
    let waiters: Vec<_> = (0..7).map(|_| story.acquire_line()).collect();
    assert_eq!(story.dialling().len(), 5);
    story.all_dialled();
    assert!(waiters[..5].iter().all(|waiter| story.given(*waiter).is_some()));
    assert!(waiters[5..].iter().all(|waiter| story.given(*waiter).is_none()));
}

/// bb8 tries a dial again after 400 ms, twice as long each time, and gives it up after 30 s; somebody still
/// waits, so it begins anew.
#[test]
fn bb8_gives_a_dial_up_after_half_a_minute() {
    let mut story = Story::of("preset = \"bb8\"\nmax = 1");
    story.acquire_line();
    let mut tries = vec![];
    for step in 0..600_u32 {
        story.at(f64::from(step) * 0.1);
        if let Some(dial) = story.dialling().first().copied() {
            tries.push((f64::from(step) * 0.1 * 10.0).round() / 10.0);
            story.dial_fails(dial);
        }
        if tries.len() == 8 {
            break;
        }
    }
    // 0.4 + 0.8 + 1.6 + 3.2 + 6.4 + 12.8 = 25.2; the next pause would end at 40.2 s, after the half minute.
    assert_eq!(tries[..7], [0.0, 0.4, 1.2, 2.8, 6.0, 12.4, 25.2]);
    assert!(tries[7] < 25.4, "given up, and begun anew: {tries:?}");
    assert_eq!(story.refused(), [], "who waits has the acquire timeout");
}

/// bb8's reaper comes every 30 s; a release looks at the age as well.
#[test]
fn bb8_closes_at_release_and_every_half_minute() {
    let mut story = Story::of("preset = \"bb8\"\nmax = 2\nmax_lifetime = \"100s\"");
    story.acquire_line();
    story.acquire_line();
    story.all_dialled();
    let held = story.in_state(crate::model::connection::ClientState::InUse);
    story.release(held[0]);
    story.at(119.0);
    assert_eq!(story.closes(Close::Age), [0.0; 0]);
    story.at(120.0);
    assert_eq!(story.closes(Close::Age), [120.0]);
    story.at(121.0).release(held[1]);
    assert_eq!((story.closes(Close::Age), story.pool.total()), (vec![120.0, 121.0], 0));
}

/// r2d2 looks at the age in its half-minute sweep alone: what is never idle at a tick never expires. Three
/// threads replace what it closes.
#[test]
fn r2d2_never_closes_what_is_in_use_at_its_ticks() {
    let mut story = Story::of("preset = \"r2d2\"\nmax = 10\nmax_lifetime = \"100s\"\nping_after = \"none\"");
    assert_eq!(story.dialling().len(), 3, "three threads fill the pool");
    story.all_dialled();
    assert_eq!(story.idle().len(), 10);
    let busy = story.acquire_idle();
    for tick in 1..20_u32 {
        let now = 30.0 * f64::from(tick);
        story.at(now - 1.0).release(busy);
        // Last in, first out.
        assert_eq!(story.acquire_idle(), busy, "tick {tick}");
        story.at(now);
        assert!(story.dialling().len() <= 3);
        story.all_dialled();
    }
    assert!(story.closes(Close::Age).iter().all(|at| at % 30.0 == 0.0));
    assert_eq!(story.wires[busy].client.born.as_secs(), 0.0, "600 s old");
}

/// What rests for longer than the idle timeout goes whatever is left, and the floor is dialled again
/// (pools.md §2; HikariCP and pgxpool keep it).
#[test]
fn rust_pools_do_not_spare_the_floor_from_the_idle_timeout() {
    for (preset, renewed) in [("r2d2", 4), ("bb8", 4), ("sqlx", 4), ("hikari", 0), ("pgxpool", 0)] {
        let sizes = "max = 4\nmin = 4\nmax_lifetime = \"none\"\nidle_timeout = \"10m\"";
        let mut story = Story::of(&format!("preset = \"{preset}\"\n{sizes}"));
        story.dials_succeed_until(599.0);
        assert_eq!((story.idle().len(), story.closes(Close::Idle).len()), (4, 0), "{preset}");
        story.dials_succeed_until(1_250.0);
        assert_eq!((story.idle().len(), story.closes(Close::Idle).len()), (4, renewed), "{preset}");
    }
}

/// deadpool has no lifetime.
#[test]
fn deadpool_keeps_its_connections() {
    let mut story = Story::of("preset = \"deadpool\"\nmax = 2");
    let opened = story.open_idle(2);
    assert_eq!(story.at(1e6).acquire_idle(), opened[0], "first in, first out");
}

/// With a lifetime by a hook all that have expired go at the next acquire; with Materialize's kill gap one
/// goes, and the next serves, old as it is (pools.md §2, "deadpool + Materialize hook").
#[test]
fn deadpools_hook_can_leave_a_gap_between_its_closes() {
    for (gap, closed) in [("", 4), ("kill_gap = \"spread\"\n", 1)] {
        let mut story = Story::of(&format!("preset = \"deadpool\"\nmax = 4\nmax_lifetime = \"5m\"\n{gap}"));
        let opened = story.open_idle(4);
        let (_, got) = story.at(301.0).acquire();
        assert_eq!(story.closes(Close::Age).len(), closed);
        assert_eq!(got == Got::Idle(opened[1]), closed == 1, "{got:?}");
    }
}
