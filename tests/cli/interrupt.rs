//! Ctrl-C, or SIGTERM, replaces nothing by nothing. (What is finished is kept, and said not to be everything:
//! `cli::output`.)
#![cfg(unix)]

use crate::desk::Desk;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn what_stood_there_stays_until_a_run_is_finished() {
    for signal in ["-INT", "-TERM"] {
        stays_after(signal);
    }
}

fn stays_after(signal: &str) {
    let desk = Desk::new();
    desk.ends("run tiny.toml --no-plots -o out", 0);
    let before = desk.read("out/measured.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_herdsim"))
        .current_dir(desk.path("."))
        .args(["run", "tiny.toml", "--duration", "2000h", "--no-plots", "-o", "out"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // The announcement is written when the handler stands.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(|line| line.unwrap());
    assert!(lines.any(|line| line.contains("2000h")), "no announcement");
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}: {rest:?}");
    assert!(rest.iter().any(|line| line.contains("interrupted before a run was finished")), "{rest:?}");
    assert_eq!(desk.read("out/measured.json"), before);
}

/// Nobody can tidy up after `kill -9` but the next run; what another program still writes stays.
#[test]
fn what_a_killed_run_left_goes_with_the_next_of_its_name() {
    let desk = Desk::new();
    let left = ["out/.one.unfinished.1", "out/.two.unfinished.1", "out/.one.unfinished.2"];
    for dir in left {
        std::fs::create_dir_all(desk.path(dir)).unwrap();
        desk.write(&format!("{dir}/manifest.json"), "{");
    }
    let busy = std::fs::File::open(desk.path(left[2])).unwrap();
    busy.lock().unwrap();
    let there = || left.map(|dir| desk.path(dir).exists());
    desk.ends("run tiny.toml --no-plots -o out/one", 0);
    assert_eq!(there(), [false, true, true], "of another name, and of a program that is at it");
    drop(busy);
    // In the directory itself: of `report`, and of a sweep's manifest.
    std::fs::create_dir(desk.path("out/one/.unfinished")).unwrap();
    desk.write("out/one/.manifest.json.unfinished.1", "{");
    desk.ends("run tiny.toml --no-plots -o out/one", 0);
    assert_eq!(there(), [false, true, false]);
}
