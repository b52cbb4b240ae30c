//! Help, completions and man pages.

use crate::desk::Desk;
use std::process::{Command, Stdio};

const VERBS: [&str; 12] = [
    "init", "check", "run", "test", "compare", "sweep", "merge", "explain", "trace", "report", "inspect",
    "schema",
];

#[test]
fn every_verb_explains_itself_with_examples() {
    let desk = Desk::new();
    let (all, _) = desk.ends("--help", 0);
    for verb in VERBS {
        assert!(all.contains(verb), "{all}");
        let (help, err) = desk.ends(&format!("{verb} --help"), 0);
        assert!(help.contains("Usage: herdsim") && help.contains("Examples:"), "{help}");
        assert!(help.contains("--color") && help.contains("--quiet"), "{help}");
        assert_eq!(err, "");
    }
    assert!(!all.contains("\n  completions"), "no verbs of every day");
    assert!(all.contains("`herdsim completions SHELL` and `herdsim man [VERB]`"), "{all}");
}

#[test]
fn the_long_help_says_from_when_latency_counts_and_what_exit_codes_mean() {
    let desk = Desk::new();
    for line in ["--help", "run --help", "test --help", "compare --help", "explain --help"] {
        assert!(desk.ends(line, 0).0.contains("intended arrival"), "{line}");
    }
    assert!(desk.ends("--help", 0).0.contains("130 interrupted"));
}

#[test]
fn nothing_at_all_and_nonsense_are_bad_usage() {
    let desk = Desk::new();
    assert!(desk.ends("", 2).1.contains("Usage"));
    assert!(desk.ends("compar tiny.toml", 2).1.contains("compare"));
    desk.ends("run", 2);
    desk.ends("run tiny.toml --quiet --verbose", 2);
}

#[test]
fn the_version_is_the_packages() {
    let (version, build) = (env!("CARGO_PKG_VERSION"), herdsim::BUILD);
    assert_eq!(Desk::new().ends("--version", 0).0, format!("herdsim {version} (build {build})\n"));
    assert!(build.len() == 8 && build.chars().all(|digit| digit.is_ascii_hexdigit()), "{build}");
}

#[test]
fn packagers_find_completions_and_man_pages() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(desk.ends(&format!("completions {shell}"), 0).0.contains("compare"), "{shell}");
    }
    desk.ends("completions tcsh", 2);
    assert!(desk.ends("man", 0).0.contains(".TH herdsim 1"));
    assert!(desk.ends("man compare", 0).0.contains("\\-\\-variants"));
    assert!(desk.ends("man dance", 2).1.contains("unknown verb `dance`"));
}

#[test]
fn the_schema_is_json_and_knows_the_scenario() {
    let (text, err) = Desk::new().ends("schema", 0);
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(schema["properties"]["postgres"].is_object(), "{text}");
    assert_eq!(err, "");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_herdsim"))
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
