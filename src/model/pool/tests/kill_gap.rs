//! One close for age at a time: PgBouncer's `life_over` (pools.md §4).

use super::super::Action;
use super::story::{Got, Story};
use crate::model::ConnectionId;
use crate::model::fact::Close;

/// Ten connections, a close every ten seconds once they are a hundred seconds old.
const TEN: &str = "max = 10\nmax_lifetime = \"100s\"\nkill_gap = \"spread\"\n";

fn gaps(times: &[f64]) -> Vec<f64> {
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// pools.md §5, golden test (e): 20 idle connections of one age, `server_lifetime` 3600 s, looked over every
/// 333 ms: the first goes at once, then one every 180 s, and none outlives its lifetime by more than max ×
/// gap.
#[test]
fn connections_of_one_age_go_one_by_one() {
    let mut story = Story::of(
        "max = 20\nmax_lifetime = \"1h\"\nkill_gap = \"spread\"\nsweep = { every = \"333ms\" }\n\
         idle_pick = \"lifo\"",
    );
    story.open_idle(20);
    story.at(7300.0);
    let closes = story.closes(Close::Age);
    assert_eq!(closes.len(), 20);
    assert!((3600.0..3600.34).contains(&closes[0]), "{closes:?}");
    assert!(gaps(&closes).iter().all(|gap| (180.0..180.34).contains(gap)), "{closes:?}");
    assert!(closes[19] <= 3600.0 + 20.0 * 180.0, "{closes:?}");
}

/// Twenty that were born at once are born 180 s apart one lifetime later, and stay so.
#[test]
fn a_cohort_is_spread_within_one_lifetime() {
    let mut story = Story::of(
        "max = 20\nmin = 20\nrefill = \"to-min\"\nmax_lifetime = \"1h\"\nkill_gap = \"spread\"\n\
         sweep = { every = \"1s\" }",
    );
    story.all_dialled();
    for second in 0..15_000 {
        story.at(f64::from(second)).all_dialled();
    }
    assert!(gaps(&story.dials()[20..]).iter().all(|gap| (180.0..183.0).contains(gap)));
    assert!(story.dials().len() > 75, "three lifetimes of twenty: {}", story.dials().len());
}

/// PgBouncer closes for age what is released, one at a time; the others go back to work.
#[test]
fn a_release_closes_one_and_keeps_the_others() {
    let mut story = Story::of(TEN);
    let held = story.open(10);
    story.at(101.0);
    held.iter().for_each(|connection| story.release(*connection));
    assert_eq!((story.closes(Close::Age), story.idle().len()), (vec![101.0], 9));
    let again = story.at(110.9).acquire_idle();
    story.release(again);
    assert_eq!(story.closes(Close::Age).len(), 1, "too early by 0.1 s");
    let again = story.at(111.0).acquire_idle();
    story.release(again);
    assert_eq!(story.closes(Close::Age), [101.0, 111.0], "its turn has come");
}

/// A connection in use all the time is closed by one of its releases, within max × gap of its deadline.
#[test]
fn a_busy_pool_is_replaced_within_one_more_lifetime() {
    let mut story = Story::of(TEN);
    let mut held = story.open(10);
    let (mut oldest, mut count) = (0.0_f64, 0);
    let mut born: Vec<f64> = vec![0.0; 10];
    for step in 1..6000_u32 {
        let now = f64::from(step) * 0.1;
        let place = (step % 10) as usize;
        story.at(now).release(held[place]);
        held[place] = match story.acquire() {
            (_, Got::Dial(dial)) => {
                story.dialled(dial);
                oldest = oldest.max(now - born[place]);
                count += 1;
                born[place] = now;
                dial
            }
            (_, Got::Idle(connection)) => connection,
            other => panic!("{other:?}"),
        };
    }
    assert!((45..=50).contains(&count), "about one every ten seconds: {count}");
    assert!(oldest <= 100.0 + 10.0 * 10.0, "{oldest} s");
}

/// An acquirer that finds all expired closes one and takes the next, old as it is.
#[test]
fn an_acquire_closes_one_and_takes_the_next() {
    for preset in ["pgxpool", "database-sql"] {
        let mut story =
            Story::of(&format!("preset = \"{preset}\"\nping_after = \"none\"\nsweep = \"none\"\n{TEN}"));
        story.open_idle(5);
        let taken = story.at(100.5).acquire_idle();
        assert_eq!((story.closes(Close::Age), story.idle().len()), (vec![100.5], 3), "{preset}");
        story.at(100.6).release(taken);
        assert_eq!(story.closes(Close::Age).len(), 1, "{preset}");
    }
}

/// pgxpool's pass closes one, sleeps, and finds no other whose turn has come: the rest waits for later ticks,
/// as many gaps as fit between two of them.
#[test]
fn a_sweep_closes_one_a_tick() {
    let mut story = Story::of(&format!("preset = \"pgxpool\"\nmin = 10\n{TEN}"));
    story.all_dialled();
    for step in 0..8000 {
        story.at(f64::from(step) * 0.1).all_dialled();
    }
    let closes = story.closes(Close::Age);
    assert!(closes.len() > 10 && closes.iter().all(|at| at % 60.0 == 0.0), "{closes:?}");
}

/// database/sql's cleaner wakes when the next turn comes, not every second.
#[test]
fn a_cleaner_sleeps_until_the_next_turn() {
    let mut story = Story::of(&format!("preset = \"database-sql\"\n{TEN}"));
    story.open_idle(5);
    story.at(300.0);
    let closes = story.closes(Close::Age);
    assert_eq!(closes.len(), 5);
    assert!(gaps(&closes).iter().all(|gap| (10.0..10.1).contains(gap)), "{closes:?}");
    let sweeps = story.log.iter().filter(|(_, action)| matches!(action, Action::SweepAfter(_)));
    assert!(sweeps.count() <= 7);
}

/// Births that are a gap apart expire a gap apart: nothing is held back.
#[test]
fn uniform_births_are_left_alone() {
    let closes = |gap: &str| {
        let mut story =
            Story::of(&format!("max = 10\nmax_lifetime = \"100s\"\n{gap}sweep = {{ every = \"500ms\" }}"));
        let born: Vec<ConnectionId> = (0..10)
            .map(|place| {
                let (_, dial) = story.at(10.0 * f64::from(place)).acquire_dial();
                story.dialled(dial);
                dial
            })
            .collect();
        born.iter().for_each(|connection| story.release(*connection));
        story.at(300.0);
        story.closes(Close::Age)
    };
    let without = closes("");
    assert_eq!(without.len(), 10);
    assert_eq!(closes("kill_gap = \"spread\"\n"), without);
    assert_eq!(closes("kill_gap = { every = \"10s\" }\n"), without);
}

/// The gap is between closes for age: what broke or rested too long goes at once, and does not count.
#[test]
fn other_closes_are_not_held_back() {
    let mut story =
        Story::of(&format!("{TEN}max_idle = 7\nidle_timeout = \"130s\"\nsweep = {{ every = \"1s\" }}"));
    let held = story.open(10);
    story.at(1.0).release_broken(held[0]);
    held[1..].iter().for_each(|connection| story.release(*connection));
    assert_eq!((story.closes(Close::Broken).len(), story.closes(Close::Idle).len()), (1, 2));
    story.at(200.0);
    assert_eq!(story.closes(Close::Age), [101.0, 111.0, 121.0, 131.0]);
    assert_eq!(story.closes(Close::Idle)[2..], [132.0; 3], "all that had rested for 130 s");
}

/// Pools do not know of each other, and a pool that keeps its connections for ever has no gap.
#[test]
fn without_a_lifetime_there_is_nothing_to_spread() {
    let mut story = Story::of("max = 3\nkill_gap = \"spread\"\nsweep = { every = \"1s\" }");
    story.open_idle(3);
    story.at(1e5);
    assert_eq!(story.idle().len(), 3);
}
