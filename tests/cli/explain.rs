//! `explain`: a planted culprit is named, and an innocent with the same period is cleared.

use crate::desk::Desk;
use serde_json::Value;
use std::process::{Command, Stdio};

/// A small service with room to spare, three seeds, and whatever is planted.
fn scenario(more: &str) -> String {
    format!(
        r#"
schema_version = 1
title    = "Who did it?"
duration = "12m"
seeds    = [1, 2, 3]
{more}
[service.api]
containers = {{ min = 4, max = 4 }}

[query.lookup]
cpu = {{ exponential = "1ms" }}

[request.sign-in]
service = "api"
steps   = [{{ query = "lookup", on = "primary" }}]

[traffic.users]
request = "sign-in"
rate    = "40/s"
"#
    )
}

/// Twenty CPU-seconds on two cores every ninety seconds, and beside it a job with the same period that is
/// next to nothing.
fn heavy_job() -> String {
    scenario(
        r#"
[postgres.primary]
cores           = 2
max_connections = 100

[service.api.pool.primary]
preset              = "pgxpool"
max                 = 4
max_lifetime        = "2m"
max_lifetime_jitter = "30s"

[job.heavy]
on    = "primary"
every = "90s"
work  = { parallel = 40, cpu = "500ms" }

[job.light]
on    = "primary"
every = "90s"
first = "45s"
work  = { cpu = "20ms" }
"#,
    )
}

/// Forty connections that were born together live for ninety seconds, and cost much to start; a job has the
/// same period and is innocent.
fn one_lifetime() -> String {
    scenario(
        r#"
initial = "cold"

[postgres.primary]
cores           = 2
max_connections = 200
start_cpu       = "200ms"

[service.api.pool.primary]
max           = 10
min           = 10
refill        = "to-min"
max_lifetime  = "90s"
check_acquire = true
sweep         = { every = "1s" }

[job.tick]
on    = "primary"
every = "90s"
work  = { cpu = "20ms" }
"#,
    )
}

fn explained(desk: &Desk, line: &str) -> Value {
    let (out, _) = desk.ends(&format!("explain {line} --no-plots --format json"), 0);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

fn verdict<'a>(story: &'a Value, name: &str) -> &'a str {
    let suspects = story["suspects"].as_array().expect("suspects");
    let found = suspects.iter().find(|suspect| suspect["suspect"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {story:#}"))["verdict"].as_str().expect("a word")
}

fn names(story: &Value) -> String {
    story["periods"].to_string()
}

#[test]
fn a_job_is_found_guilty_and_its_twin_is_cleared() {
    let desk = Desk::new();
    desk.write("job.toml", &heavy_job());
    let story = explained(&desk, "job.toml --seeds 5");
    assert_eq!(verdict(&story, "job.heavy"), "causes");
    assert_eq!(verdict(&story, "job.light"), "cleared");
    assert!(["cleared", "adds to"].contains(&verdict(&story, "lifetime")), "{story:#}");
    assert_eq!(story["evidence"], "intervals");
    // After the third spike, and not after the middle.
    let from = story["judged"]["from_s"].as_f64().expect("a time");
    assert!((270.0..=360.0).contains(&from), "{from}");
    // Both have the period: the name alone is no proof.
    let names = names(&story);
    assert!(names.contains("job.heavy every 90s") && names.contains("job.light every 90s"), "{names}");
}

#[test]
fn a_lifetime_in_lock_step_is_found_guilty_and_a_job_of_its_period_is_cleared() {
    let desk = Desk::new();
    desk.write("pool.toml", &one_lifetime());
    let story = explained(&desk, "pool.toml");
    assert_eq!(verdict(&story, "lifetime"), "causes");
    assert_eq!(verdict(&story, "initial"), "sets off");
    assert_eq!(verdict(&story, "job.tick"), "cleared");
    assert_eq!(story["all_left_out"]["effect"], "gone");
    let names = names(&story);
    assert!(names.contains("lifetime 90s of service.api.pool.primary"), "{names}");
    assert!(names.contains("job.tick every 90s"), "{names}");
}

#[test]
fn what_one_seed_says_is_an_anecdote() {
    let desk = Desk::new();
    desk.write("job.toml", &heavy_job());
    let (out, err) = desk.ends("explain job.toml --seed 2 --suspects job.heavy,job.light --from 6m", 0);
    assert!(out.contains("one seed: an anecdote") && out.contains("from 6m on"), "{out}");
    assert!(out.contains("job.heavy") && !out.contains("lifetime  "), "{out}");
    let next = "next: herdsim explain job.toml --from 6m --suspects job.heavy,job.light --seeds 5";
    assert!(err.contains(next), "the same question: {err}");
    for file in ["explain.csv", "explain.json", "periods.csv", "spectrum.csv", "manifest.json"] {
        assert!(desk.path("runs/job-explain").join(file).is_file(), "{file}");
    }
    for picture in ["explain.suspects.svg", "explain.suspects.png", "explain.periods.api.svg"] {
        assert!(desk.path("runs/job-explain/plots").join(picture).is_file(), "{picture}");
    }
    let rows = desk.read("runs/job-explain/explain.csv");
    assert!(
        rows.starts_with("scenario,variant,seed,suspect,knocked_out,from_s,metric,of,value,unit\n"),
        "{rows}"
    );
    assert!(rows.contains("job,as-written,2,job.heavy,from-time,360,spikes,service.api,0,count"), "{rows}");
}

#[test]
fn markdown_is_a_table() {
    let desk = Desk::new();
    desk.write("job.toml", &heavy_job());
    let line = "explain job.toml --seed 1 --suspects job.light --from 0s --no-plots --format markdown";
    let (out, _) = desk.ends(line, 0);
    assert!(out.contains("| suspect | verdict |") && out.contains("| job.light | cleared |"), "{out}");
}

#[test]
fn any_number_of_threads_tells_the_same_story() {
    let desk = Desk::new();
    desk.write("pool.toml", &one_lifetime());
    let tell = |threads: u8| {
        let line = format!("explain pool.toml --seeds 1,2 -j {threads} -o out{threads} --quiet --no-plots");
        let (out, _) = desk.ends(&line, 0);
        (
            out,
            ["explain.csv", "explain.json", "manifest.json"]
                .map(|name| desk.read(&format!("out{threads}/{name}"))),
        )
    };
    assert_eq!(tell(1), tell(2));
}

#[test]
fn without_spikes_there_is_nothing_to_explain() {
    let desk = Desk::new();
    let (out, err) = desk.ends("explain tiny.toml --no-plots", 0);
    assert!(err.contains("nothing to explain"), "{err}");
    assert!(out.contains("no spikes: nothing to explain"), "{out}");
    assert!(!out.contains("cannot tell") && !err.contains("next:"), "{out}{err}");
    assert!(desk.ends("explain tiny.toml --from 1h", 2).1.contains("beyond the end"));
    assert!(desk.ends("explain tiny.toml --suspects job.x", 2).1.contains("there are: lifetime"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_inquiry_says_so() {
    use std::io::{BufRead, BufReader};
    let desk = Desk::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_herdsim"))
        .current_dir(desk.path("."))
        .args(["explain", "tiny.toml", "--duration", "2000h", "--no-plots", "-o", "out"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(|line| line.unwrap());
    assert!(lines.any(|line| line.contains("2000h")), "no announcement");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("nothing was written")), "{rest:?}");
    assert!(!desk.path("out").exists());
}
