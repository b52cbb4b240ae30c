//! What is kept of a sweep: runs that are done survive, wherever they were done.

use crate::desk::Desk;
use std::process::{Child, Command, Stdio};

/// Eight points of a second each.
const EIGHT: &str = "sweep tiny.toml --duration 1s --variants jitter --seeds 2 -j 2 \
                     --axis traffic.users.rate=x0.5,x1 --axis service.api.pool.primary.max=1,2,4,8";

#[test]
fn seven_shards_merged_are_the_whole() {
    let desk = Desk::new();
    desk.ends(&format!("{EIGHT} --map worst_p99@service.api -o whole"), 0);
    for number in 1..=7 {
        let (out, _) =
            desk.ends(&format!("{EIGHT} --map worst_p99@service.api --shard {number}/7 -o parts"), 0);
        assert_eq!(out, "", "a part has no results of its own");
    }
    let parts = |numbers: &[u32]| -> String {
        numbers.iter().map(|number| format!(" parts/shard-{number}-of-7")).collect()
    };
    // In any order.
    desk.ends(&format!("merge{} -o merged", parts(&[3, 1, 2, 7, 6, 5, 4])), 0);
    desk.same("whole", "merged");
    let (_, err) = desk.ends(&format!("merge{} -o less", parts(&[1, 2, 4, 5, 6])), 3);
    assert!(err.contains("missing: shard 3/7, 7/7"), "{err}");
    let (_, err) = desk.ends(&format!("merge{} parts/shard-2-of-7 -o less", parts(&[1, 2])), 2);
    assert!(err.contains("part 2 is there twice"), "{err}");
    std::fs::remove_file(desk.path("parts/shard-2-of-7/runs/000002.json")).unwrap();
    let (_, err) = desk.ends(&format!("merge{} -o less", parts(&[1, 2, 3, 4, 5, 6, 7])), 3);
    assert!(err.contains("`parts/shard-2-of-7` has 3 of 4 trials"), "{err}");
    assert!(!desk.path("less").exists());
}

/// The whole never takes the place of a part, nor of a sweep that somebody means to finish.
#[test]
fn a_merge_takes_no_part_away() {
    let desk = Desk::new();
    let line = "sweep tiny.toml --duration 1s --no-plots --axis postgres.primary.cores=1,2";
    (1..=2).for_each(|number| drop(desk.ends(&format!("{line} --shard {number}/2 -o parts"), 0)));
    let parts = "parts/shard-1-of-2 parts/shard-2-of-2";
    let (_, err) = desk.ends(&format!("merge {parts} -o parts/shard-2-of-2"), 2);
    assert!(err.contains("`parts/shard-2-of-2` holds one of the parts"), "{err}");
    desk.ends(&format!("{line} -o begun"), 0);
    let manifest = desk.read("begun/manifest.json");
    assert!(manifest.contains("\"complete\": true"), "{manifest}");
    desk.write("begun/manifest.json", &manifest.replace("\"complete\": true", "\"complete\": false"));
    let (_, err) = desk.ends(&format!("merge {parts} -o begun"), 2);
    assert!(err.contains("`begun` holds a sweep that is not finished"), "{err}");
    desk.ends(&format!("merge {parts} -o whole"), 0);
}

#[test]
fn parts_of_different_sweeps_are_not_merged() {
    let desk = Desk::new();
    let part = |number: u32, more: &str| {
        let line = format!("sweep tiny.toml --duration 1s --shard {number}/2 {more}");
        desk.ends(&line, 0);
    };
    part(1, "--axis postgres.primary.cores=1,2 -o a");
    for (name, more, wanted) in [
        ("scenario", "--axis postgres.primary.cores=1,2 --set title=Other", "scenario: "),
        ("axes", "--axis postgres.primary.cores=1,4", "other axes"),
        ("seeds", "--axis postgres.primary.cores=1,2 --seeds 2,3", "seeds: [2,3] there, [1] here"),
    ] {
        part(2, &format!("{more} -o {name}"));
        let (_, err) = desk.ends(&format!("merge a/shard-1-of-2 {name}/shard-2-of-2 -o whole"), 2);
        assert!(err.contains(wanted) && err.contains("`a/shard-1-of-2`") && err.contains(name), "{err}");
    }
    let (_, err) = desk.ends("merge a -o whole", 2);
    assert!(err.contains("there is no sweep in `a`"), "{err}");
}

fn start(desk: &Desk, line: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_herdsim"))
        .current_dir(desk.path("."))
        .args(line.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kept(desk: &Desk, dir: &str) -> Vec<(std::ffi::OsString, std::time::SystemTime)> {
    let entries = std::fs::read_dir(desk.path(dir).join("runs")).into_iter().flatten().flatten();
    let done = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    // What is written whole is never written again.
    let mut kept: Vec<_> =
        done.map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap())).collect();
    kept.sort();
    kept
}

#[test]
fn a_sweep_that_was_killed_three_times_loses_nothing_and_does_nothing_twice() {
    let desk = Desk::new();
    let line = "sweep tiny.toml --duration 8s --variants jitter --seeds 10 --no-plots \
                --axis traffic.users.rate=x0.5..x1:20";
    desk.ends(&format!("{line} -o whole"), 0);
    let mut before = Vec::new();
    for number in 0..3 {
        let resume = if number == 0 { "" } else { "--resume" };
        let mut child = start(&desk, &format!("{line} {resume} -j 1 -o killed"));
        while kept(&desk, "killed").len() < before.len() + 10 && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let after = kept(&desk, "killed");
        assert!(after.len() >= before.len() + 10 && after.len() < 200, "{} runs", after.len());
        assert!(before.iter().all(|run| after.contains(run)), "a run was done twice");
        before = after;
    }
    let (_, err) = desk.ends(&format!("{line} -o killed"), 2);
    assert!(err.contains("--resume") && err.contains("--restart"), "{err}");
    let (_, err) = desk.ends(&format!("{line} -o killed --resume --set title=Other"), 2);
    assert!(err.contains("another sweep: scenario: "), "{err}");
    let (_, err) = desk.ends(&format!("{line} -o killed --resume"), 0);
    assert!(err.contains(&format!("{} done before", before.len())), "{err}");
    assert!(before.iter().all(|run| kept(&desk, "killed").contains(run)), "a run was done twice");
    desk.same("whole", "killed");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_finished_and_says_how_to_go_on() {
    let desk = Desk::new();
    let line = "sweep tiny.toml --variants jitter --no-plots --axis duration=1s,1000h -j 2 -o out";
    let child = Command::new(env!("CARGO_BIN_EXE_herdsim"))
        .current_dir(desk.path("."))
        .args(line.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while kept(&desk, "out").is_empty() {
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(err.contains("kept 1 of 2 trials") && err.contains("--resume"), "{err}");
    let manifest: serde_json::Value = serde_json::from_str(&desk.read("out/manifest.json")).unwrap();
    assert_eq!(manifest["complete"], false, "{manifest}");
    // Thrown away when that is asked for.
    desk.ends("sweep tiny.toml --no-plots --axis duration=1s,2s -o out --restart", 0);
}
