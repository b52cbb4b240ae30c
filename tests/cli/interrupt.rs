//! Ctrl-C replaces nothing by nothing. (What is finished is kept, and said not to be everything: `cli::output`.)
#![cfg(unix)]

use crate::desk::Desk;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn what_stood_there_stays_until_a_run_is_finished() {
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
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("interrupted before a run was finished")), "{rest:?}");
    assert_eq!(desk.read("out/measured.json"), before);
}
