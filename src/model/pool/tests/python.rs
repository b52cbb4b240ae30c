//! SQLAlchemy and psycopg_pool as their sources read (pools.md §2).

use super::story::Story;
use crate::model::connection::ClientState;
use crate::model::fact::Close;
use crate::scenario::grammar::Cause;

/// SQLAlchemy: an acquirer looks at the one connection that it gets, and dials in its place if it is too old;
/// the others stay as they are until their turn. A release does not look (pools.md §2: check A only, in
/// place).
#[test]
fn sqlalchemy_replaces_one_at_a_time_in_its_place() {
    let mut story = Story::of("preset = \"sqlalchemy\"\nmax = 3\nmax_lifetime = \"100s\"");
    let opened = story.open_idle(3);
    let (_, dial) = story.at(101.0).acquire_dial();
    assert_eq!((story.closes(Close::Age).len(), story.idle().len(), story.pool.total()), (1, 2, 3));
    assert_eq!((story.in_state(ClientState::Closed), story.cause(dial)), (vec![opened[0]], Cause::Lifetime));
    story.at(105.0).dialled(dial);
    story.at(300.0).release(dial);
    assert_eq!(story.closes(Close::Age).len(), 1, "old again, and nobody looks");
}

/// SQLAlchemy stamps the birth before it dials: a slow dial shortens the time that is left.
#[test]
fn sqlalchemys_lifetime_begins_with_the_dial() {
    let mut story = Story::of("preset = \"sqlalchemy\"\nmax = 1\nmax_lifetime = \"100s\"");
    let (_, dial) = story.acquire_dial();
    story.at(60.0).dialled(dial);
    story.release(dial);
    story.at(100.5).acquire_dial();
    assert_eq!(story.closes(Close::Age), [100.5]);
}

/// What overflows `max_idle` (pool_size) is closed when it comes back.
#[test]
fn sqlalchemys_overflow_is_closed_when_it_comes_back() {
    let mut story = Story::of("preset = \"sqlalchemy\"\nstock = true");
    story.open_idle(15);
    assert_eq!((story.idle().len(), story.closes(Close::Idle).len()), (5, 10));
}

/// psycopg: 95 to 100 % of the lifetime, each connection its own.
#[test]
fn psycopgs_deadlines_lie_in_the_last_twentieth_of_the_lifetime() {
    let mut story = Story::of("preset = \"psycopg\"\nmax = 400\nmax_lifetime = \"1h\"");
    story.all_dialled();
    let deadlines: Vec<f64> = story.idle().iter().map(|each| story.deadline(*each)).collect();
    assert_eq!(deadlines.len(), 400);
    assert!(deadlines.iter().all(|age| (3420.0..=3600.0).contains(age)), "{deadlines:?}");
    assert!(deadlines.iter().any(|age| *age < 3430.0) && deadlines.iter().any(|age| *age > 3590.0));
}

/// psycopg looks at the age when a connection comes back, and no sooner; its three workers replace all that
/// were closed, whoever wants them (pools.md §2: R only, always by worker).
#[test]
fn psycopg_replaces_at_return_with_three_workers() {
    let mut story = Story::of("preset = \"psycopg\"\nmax = 8\nmin = 4\nmax_lifetime = \"100s\"");
    story.all_dialled();
    let held: Vec<_> = (0..4).map(|_| story.acquire_idle()).collect();
    story.at(500.0);
    assert_eq!(story.closes(Close::Age).len(), 0, "nobody looks at what is idle or in use");
    held.iter().for_each(|connection| story.release(*connection));
    assert_eq!((story.closes(Close::Age).len(), story.dialling().len()), (4, 3));
    story.at(503.0).all_dialled();
    assert_eq!((story.idle().len(), story.dials().len()), (4, 8));
    let causes: Vec<Cause> = story.idle().iter().map(|each| story.cause(*each)).collect();
    assert_eq!(causes, [Cause::Lifetime; 4], "the fourth had to wait for a worker");
}

/// psycopg grows by one connection at a time, however many wait.
#[test]
fn psycopg_grows_one_at_a_time() {
    let mut story = Story::of("preset = \"psycopg\"\nmax = 8\nmin = 0");
    for _ in 0..6 {
        story.acquire_line();
    }
    for opened in 0..6 {
        assert_eq!(story.dialling().len(), 1, "after {opened}");
        let dial = story.dialling()[0];
        story.dialled(dial);
    }
    assert_eq!((story.dialling().len(), story.pool.total()), (0, 6));
}

/// A pool that has grown keeps its size when connections break: what was closed is replaced above the floor
/// too.
#[test]
fn psycopg_replaces_above_its_floor() {
    let mut story = Story::of("preset = \"psycopg\"\nmax = 8\nmin = 1");
    for _ in 0..4 {
        story.acquire_line();
    }
    story.all_dialled();
    for held in story.in_state(ClientState::InUse) {
        story.release_broken(held);
    }
    story.all_dialled();
    assert_eq!(story.idle().len(), 4);
}

/// psycopg tries again after a second, give or take a tenth, twice as long each time, and gives up after five
/// minutes.
#[test]
fn psycopg_gives_up_after_five_minutes() {
    let mut story = Story::of("preset = \"psycopg\"\nmax = 1");
    let mut tries = vec![];
    for step in 0..4000_u32 {
        let now = f64::from(step) * 0.1;
        story.at(now);
        if let Some(dial) = story.dialling().first().copied() {
            tries.push(now);
            story.dial_fails(dial);
        }
    }
    let pauses: Vec<f64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (step, pause) in pauses[..7].iter().enumerate() {
        let plain = f64::from(1 << step);
        assert!((0.9 * plain - 0.11..=1.1 * plain + 0.11).contains(pause), "{pauses:?}");
    }
    // 1 + 2 + … + 128 = 255 s; a further 256 s would be over five minutes.
    assert!((230.0..=300.0).contains(&tries[8]) && tries[9] - tries[8] < 0.11, "begun anew: {tries:?}");
}
