//! What renews the kept results: a file that a run no longer makes goes, and a run that fails is no good end.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A directory with one of the scripts in its place, and a program that only writes a table.
fn place(script: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(dir.path().join("results/tiny")).unwrap();
    fs::copy(root.join("results").join(script), dir.path().join("results").join(script)).unwrap();
    let program = "#!/bin/sh\nfor last; do :; done\nmkdir -p \"$last\" && echo new > \"$last/summary.csv\"\n";
    let herdsim = dir.path().join("herdsim");
    fs::write(&herdsim, program).unwrap();
    fs::set_permissions(&herdsim, fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// What a script says with this program.
fn says(dir: &TempDir, herdsim: &Path, line: &str) -> Output {
    let words = line.split(' ').map(|word| match word.strip_prefix("results/") {
        Some(_) => dir.path().join(word),
        None => word.into(),
    });
    let mut command = Command::new("python3");
    command.args(words).env("HERDSIM", herdsim).output().expect("python3")
}

#[test]
fn a_kept_file_that_the_run_no_longer_makes_goes() {
    let dir = place("rebuild");
    let herdsim = dir.path().join("herdsim");
    fs::create_dir(dir.path().join("scenarios")).unwrap();
    fs::write(dir.path().join("scenarios/tiny.toml"), "").unwrap();
    let kept = dir.path().join("results/tiny");
    fs::write(kept.join("effects.csv"), "old").unwrap();
    fs::write(kept.join("summary.csv"), "old").unwrap();
    let code = |line| says(&dir, &herdsim, line).status.code();
    assert_eq!(
        (code("results/rebuild --check"), kept.join("effects.csv").exists()),
        (Some(1), true),
        "a check changes nothing"
    );
    assert_eq!(code("results/rebuild"), Some(0));
    assert!(!kept.join("effects.csv").exists());
    assert_eq!(fs::read_to_string(kept.join("summary.csv")).unwrap(), "new\n");
    assert_eq!(code("results/rebuild --check"), Some(0));
}

#[test]
fn evidence_that_lacks_a_run_does_not_end_well() {
    let dir = place("evidence");
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    std::os::unix::fs::symlink(scenarios, dir.path().join("scenarios")).unwrap();
    let output = says(&dir, Path::new("false"), "results/evidence never");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("15 of 15 runs failed") && told.contains("never.105"), "{told}");
}
