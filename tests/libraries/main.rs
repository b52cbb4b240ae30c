//! The pools that ship with herdsim, held against the libraries themselves.
//!
//! Each library's own small program (`programs/`) plays a fixed load on the real library against a real
//! Postgres, and the same load is played on the preset. Which connections were opened, given out, given back
//! and closed, and when, must be the same. Openings and closings are what the server's log says, not what a
//! library says of itself. Every dial takes a second on purpose (`post_auth_delay`), so that it shows who
//! dials, who waits for what, and how many dials are under way at once.
//!
//! The preset's traces are kept in `golden/`; `HERDSIM_BLESS=1` writes them anew. The programs are built by
//! `make libraries`. Times may differ by [`trace::NOISE`]; `no_load_hangs_on_a_hair` shows that nothing which
//! is told depends on less.

mod preset;
mod program;
#[path = "../postgres/server.rs"]
mod server;
mod story;
mod trace;

use server::Server;
use std::fs;
use std::path::Path;
use std::thread;
use story::{STORIES, Story};

/// How often a load is played at most, if the machine is too busy to keep to it.
const TRIES: usize = 3;

#[test]
fn the_presets_do_what_their_golden_traces_say() {
    for story in &STORIES {
        let told = preset::play(story, 1, 0.0).to_string();
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/libraries/golden")
            .join(format!("{}.txt", story.library));
        if std::env::var_os("HERDSIM_BLESS").is_some() {
            fs::write(&path, &told).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(told, golden, "{}: HERDSIM_BLESS=1 writes the golden traces anew", story.library);
    }
}

/// A request or a dial that is late by as much as half the noise changes nothing but times; nor does the luck
/// of a library that draws its lifetimes.
#[test]
fn no_load_hangs_on_a_hair() {
    let mut complaints = String::new();
    for story in &STORIES {
        let plain = preset::play(story, 1, 0.0);
        let fragile = (2..100).map(|seed| preset::play(story, seed, trace::NOISE / 2.0));
        if let Some(late) = fragile.into_iter().find(|late| !late.has_the_events_of(&plain)) {
            complaints += &format!("{}\n{}\n", story.library, plain.beside(&late));
        }
    }
    assert!(complaints.is_empty(), "a little lateness changes what happens:\n{complaints}");
}

#[test]
fn the_libraries_do_what_their_presets_do() {
    program::must_be_built();
    let server = Server::start_with(&program::SERVER);
    let mut left: Vec<&Story> = STORIES.iter().collect();
    let mut wrong = String::new();
    for _ in 0..TRIES {
        let told = play_all(&server, &left);
        let log = server.log();
        let mut again = Vec::new();
        for (story, told) in left.into_iter().zip(told) {
            let (preset, library) = (preset::play(story, 1, 0.0), told.trace(&log, story));
            let differences = library.differences(&preset, trace::NOISE);
            let beside = format!("{}: preset, library\n{}", story.library, preset.beside(&library));
            println!("{beside}");
            if differences.is_empty() {
                continue;
            }
            if told.latest_request(story) > trace::NOISE / 2.0 {
                again.push(story);
            } else {
                wrong += &format!("{}{beside}\n", differences.join("\n") + "\n");
            }
        }
        left = again;
        if left.is_empty() {
            break;
        }
    }
    assert!(wrong.is_empty(), "presets and libraries differ\n{wrong}");
    assert!(left.is_empty(), "the machine is too busy to play the loads in time");
}

/// All at once: they spend their time waiting.
fn play_all(server: &Server, stories: &[&Story]) -> Vec<program::Told> {
    let started = program::start_all(server, stories);
    thread::scope(|scope| {
        let running: Vec<_> = started.into_iter().map(|run| scope.spawn(|| run.finish())).collect();
        running.into_iter().map(|run| run.join().unwrap()).collect()
    })
}
