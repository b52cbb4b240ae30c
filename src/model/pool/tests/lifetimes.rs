//! When connections grow old, whatever the library (pools.md §0, §3).

use super::story::{Got, Story};
use crate::engine::time::{Span, Time};
use crate::model::ConnectionId;
use std::collections::BTreeSet;

/// Golden test (g) of pools.md §5. Jitter that is drawn again at each of r checks a second is nearly none:
/// the mean overage is √(πJ/2r), 3.07 s of J = 60 s at r = 10/s (pools.md §0.4). That is for a continuous
/// draw; with the library's whole seconds a draw below one second is no jitter at all and the mean is 2.6 s:
/// Σ S(k)·(1 − e^−h)/h over whole seconds k of overage, h = (k+1)·r/J the hazard in them and S(k) the share
/// that is still there.
#[test]
fn jitter_drawn_at_every_check_is_nearly_none() {
    let exact = (std::f64::consts::PI * 60.0 / 20.0).sqrt();
    assert!((exact - 3.07).abs() < 0.01);
    for (quantum, expected) in [("0s", exact), ("1s", 2.59)] {
        let mean = mean_overage(quantum);
        // The next check comes 50 ms later on average; the mean of 3000 Rayleigh draws is known to 1 %.
        assert!((mean - 0.05 - expected).abs() < 0.1, "quantum {quantum}: {mean} s, expected {expected} s");
    }
}

/// How long connections that are checked ten times a second outlive their lifetime, in seconds.
fn mean_overage(quantum: &str) -> f64 {
    let mut story = Story::of(&format!(
        "preset = \"pgxpool-v4\"\nmax = 1\nmax_lifetime = \"10s\"\nmax_lifetime_jitter = \"60s\"\n\
         jitter_quantum = \"{quantum}\"\nsweep = \"none\""
    ));
    let mut overages = Vec::new();
    let mut born = 0.0;
    let mut held = story.open(1)[0];
    for check in 1.. {
        let now = f64::from(check) * 0.1;
        story.at(now).release(held);
        if story.pool.total() == 0 {
            overages.push(now - born - 10.0);
            born = now;
            held = story.open(1)[0];
        } else {
            held = story.acquire_idle();
        }
        if overages.len() == 3000 {
            break;
        }
        story.log.clear();
    }
    overages.iter().sum::<f64>() / overages.len() as f64
}

/// Births stamped at the end of the dial fall together with the stall that held them up: the next deadlines
/// of all dials that it covers lie within the time in which they drain. Stamped at the beginning they keep
/// their distance (pools.md §3.1, golden test (i)).
#[test]
fn a_stall_is_imprinted_into_births_at_the_end_of_the_dial() {
    for (birth, spread) in [("dial-done", 0.9), ("dial-start", 27.0)] {
        let mut story = Story::of(&format!("max = 10\nmax_lifetime = \"15m\"\nbirth = \"{birth}\""));
        let dials: Vec<ConnectionId> =
            (0..10).map(|place| story.at(3.0 * f64::from(place)).acquire_dial().1).collect();
        // The stall ends at 60 s; the ten drain within 0.9 s.
        for (place, dial) in dials.iter().enumerate() {
            story.at(60.0 + 0.1 * place as f64).dialled(*dial);
        }
        let deadlines: Vec<Time> = dials.iter().map(|dial| story.wires[*dial].client.expires).collect();
        let width = (deadlines[9] - deadlines[0]).as_secs();
        assert!((width - spread).abs() < 1e-6, "{birth}: {width} s");
    }
}

/// Jitter of the process: all connections of a container live equally long, those of another otherwise
/// (pools.md §1b, the usual workaround with database/sql).
#[test]
fn a_process_draws_its_jitter_once() {
    let deadlines: BTreeSet<u64> = (0..20)
        .map(|luck| {
            let mut story = Story::with_luck(
                "preset = \"database-sql\"\nmax = 5\nmax_lifetime = \"10m\"\nmax_lifetime_jitter = \"10m\"\n\
                 jitter_scope = \"process\"",
                luck,
            );
            let deadlines: BTreeSet<u64> =
                story.open(5).iter().map(|connection| (story.deadline(*connection) * 1e9) as u64).collect();
            assert_eq!(deadlines.len(), 1);
            deadlines.into_iter().next().unwrap()
        })
        .collect();
    assert_eq!(deadlines.len(), 20);
    let ends = (Span(*deadlines.first().unwrap()).as_secs(), Span(*deadlines.last().unwrap()).as_secs());
    assert!(600.0 <= ends.0 && ends.0 < 750.0 && 1050.0 < ends.1 && ends.1 < 1200.0, "{ends:?}");
}

/// Added, taken off or both (pools.md §2: pgxpool, HikariCP, PgDog).
#[test]
fn jitter_lies_where_its_shape_says() {
    for (shape, low, high) in
        [("additive", 900.0, 990.0), ("subtractive", 810.0, 900.0), ("symmetric", 810.0, 990.0)]
    {
        let mut story = Story::of(&format!(
            "max = 1000\nmax_lifetime = \"15m\"\nmax_lifetime_jitter = \"90s\"\njitter_shape = \"{shape}\""
        ));
        let opened = story.open(1000);
        let deadlines: Vec<f64> = opened.iter().map(|connection| story.deadline(*connection)).collect();
        let lowest = deadlines.iter().copied().fold(f64::MAX, f64::min);
        let highest = deadlines.iter().copied().fold(f64::MIN, f64::max);
        assert!(low <= lowest && highest <= high, "{shape}: {lowest} to {highest}");
        assert!(highest - lowest > 0.97 * (high - low), "{shape}: {lowest} to {highest}");
    }
}

/// A pool that was there before the run has no crowd at its beginning, nor a lull, whatever the jitter: of
/// what was there as many expire in the first tenth of a lifetime as in the second.
#[test]
fn what_was_there_before_expires_evenly_whatever_the_shape() {
    for shape in ["additive", "subtractive", "symmetric"] {
        let mut story = Story::of(&format!(
            "max = 1000\nmax_lifetime = \"100s\"\nmax_lifetime_jitter = \"50s\"\njitter_shape = \"{shape}\""
        ));
        let ages = (0..1000).map(|place| Span::from_millis(100 * place));
        let there: Vec<ConnectionId> = ages.map(|age| story.pool.adopt(&mut story.wires, age)).collect();
        let within = |from: u64, to: u64| {
            let due = |id: &&ConnectionId| {
                (from..to).contains(&(story.wires[**id].client.expires.0 / 1_000_000_000))
            };
            there.iter().filter(due).count()
        };
        let [first, second] = [within(0, 10), within(10, 20)];
        assert!(within(0, 1) < 40, "{shape}: {} in a second", within(0, 1));
        assert!(first.abs_diff(second) < 40 && first > 60, "{shape}: {first}, then {second}");
    }
}

/// At its deadline a connection is not yet too old: `time.Now().After(deadline)`, `createdAt.Before(now -
/// L)`.
#[test]
fn a_connection_lives_to_its_very_deadline() {
    for preset in ["pgxpool-v4", "database-sql"] {
        let mut story =
            Story::of(&format!("preset = \"{preset}\"\nmax = 1\nmax_lifetime = \"100s\"\nsweep = \"none\""));
        let held = story.open(1)[0];
        story.at(100.0).release(held);
        assert_eq!(story.acquire_idle(), held);
        story.at(100.000_000_001).release(held);
        assert_eq!(story.pool.total(), 0);
    }
}

/// No lifetime, no end; pgxpool, which has one of its own, must be told.
#[test]
fn without_a_lifetime_nothing_expires() {
    let told =
        "max_lifetime = \"none\"\nidle_timeout = \"none\"\nping_after = \"none\"\nidle_pick = \"lifo\"";
    for (preset, told) in [("plain", ""), ("database-sql", ""), ("pgxpool", told), ("pgxpool-v4", told)] {
        let mut story = Story::of(&format!("preset = \"{preset}\"\nmax = 3\n{told}"));
        let opened = story.open_idle(3);
        story.at(1e6);
        assert_eq!(story.acquire_idle(), opened[2]);
    }
}

/// pgxpool's own lifetime is an hour (pools.md §1a); any other is the scenario's.
#[test]
fn an_hour_unless_the_scenario_says_otherwise() {
    for (lifetime, seconds) in
        [("", 3600.0), ("max_lifetime = \"1h\"", 3600.0), ("max_lifetime = \"15m\"", 900.0)]
    {
        for preset in ["pgxpool", "pgxpool-v4"] {
            let mut story = Story::of(&format!("preset = \"{preset}\"\nmax = 1\n{lifetime}"));
            let held = story.open(1)[0];
            story.at(seconds).release(held);
            let (_, again) = story.acquire();
            assert!(matches!(again, Got::Idle(_)), "{preset}: {again:?}");
            story.at(seconds + 1.0).release(held);
            assert_eq!(story.pool.total(), 0, "{preset}");
        }
    }
}

/// pgxpool with jitter of the process: each container has its own, in whole seconds, and keeps it.
#[test]
fn jitter_of_the_process_goes_with_every_preset() {
    let deadlines: BTreeSet<u64> = (0..10)
        .flat_map(|luck| {
            let mut story = Story::with_luck(
                "preset = \"pgxpool\"\nmax = 5\nmax_lifetime = \"10m\"\nmax_lifetime_jitter = \"10m\"\n\
                 jitter_scope = \"process\"",
                luck,
            );
            let opened = story.open(5);
            let mut deadlines: Vec<f64> =
                opened.iter().map(|connection| story.deadline(*connection)).collect();
            story.at(100.0).release_broken(opened[0]);
            let (_, replacement) = story.acquire_dial();
            story.dialled(replacement);
            deadlines.push(story.deadline(replacement));
            assert!(deadlines.iter().all(|deadline| *deadline == deadlines[0] && deadline % 1.0 == 0.0));
            deadlines.into_iter().map(|deadline| deadline as u64)
        })
        .collect();
    assert_eq!(deadlines.len(), 10, "one for each container");
}
