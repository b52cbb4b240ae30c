//! Background jobs: the slots that their sessions hold, the calendar that they keep, what is counted of them.

use crate::books::audit_all;
use crate::kit::{facts, fleet, source, story, times, trace};
use herdsim::measure::Measured;
use herdsim::scenario::grammar::Metric;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// A job of three sessions at the beginning of the story, for 30 ms.
const JOB: &str = r#"
[job.cleanup]
on    = "primary"
first = "1s"
every = "10s"
work  = { parallel = 3, cpu = "30ms" }
"#;

/// Each session holds a slot of the node while it works; one that finds none is refused, and so is a client
/// that comes meanwhile.
#[test]
fn sessions_of_a_job_hold_slots() {
    let room = |slots: u32| format!("\"postgres.primary.max_connections\" = {slots}\n");
    let facts = story(&room(3), JOB, &[]);
    let ends = "30: done session- done session- job-done";
    assert_eq!(trace(&facts), ["0: job session+ work session+ work refuse", ends], "the pool has the third");
    let facts = story(&room(1), JOB, &[]);
    assert_eq!(trace(&facts), ["0: job refuse refuse refuse job-done"]);
    let dials = format!("{}\"service.api.pool.primary.min\" = 0", room(3));
    let facts = story(&dials, JOB, &[0, 40]);
    assert_eq!(times(&facts, "refuse"), [5.0]);
    assert_eq!(crate::kit::outcomes(&facts), ["connect-refused", "ok"]);
    assert_eq!(times(&story(&room(4), JOB, &[]), "refuse"), [0.0; 0], "three and the pool's one");
}

/// A restart and a promotion give back what a job held; a freeze keeps it.
#[test]
fn a_node_that_goes_down_gives_the_slots_of_its_jobs_back() {
    let long = JOB.replace("30ms", "1500ms") + &source("users", "sign-in", &[]);
    let held = |event: &str| audit_all(&fleet("", &format!("{long}{event}")), 1).1.slots;
    let until = |ms: u32| format!("\"duration\" = \"{ms}ms\"");
    let frozen = "[event.e]\nat = \"1100ms\"\nset = { \"postgres.primary.state\" = \"frozen\" }\n";
    assert_eq!(audit_all(&fleet(&until(2000), &long), 1).1.slots, 4);
    assert_eq!(held(""), 1, "the pool's");
    assert_eq!(held(frozen), 4);
    let restart = "[event.e]\nat = \"1100ms\"\ndo = { restart = \"primary\" }\n";
    let facts = facts(&fleet("", &format!("{long}{restart}")), 1);
    assert_eq!(times(&facts, "session-"), [100.0, 100.0, 100.0]);
    assert_eq!(held(restart), 0);
    let replica = "[postgres.replica]\nlike = \"primary\"\nreplica_of = \"primary\"\n";
    let promote = "[event.e]\nat = \"1100ms\"\ndo = { promote = \"replica\" }\n";
    let on_it = long.replace("primary", "replica");
    let both = fleet("", &format!("{replica}{on_it}{promote}"));
    assert_eq!(audit_all(&both, 1).1.slots, 0);
}

/// What came due while the node stood begins once when it goes on; then the calendar holds again.
#[test]
fn a_job_keeps_its_calendar_through_a_freeze() {
    let job = JOB.replace("10s", "200ms");
    let frozen = |from: u32, until: u32| {
        format!(
            "{job}[event.e]\nat = \"{from}ms\"\nuntil = \"{until}ms\"\n\
             set = {{ \"postgres.primary.state\" = \"frozen\" }}\n"
        )
    };
    let begins = |from, until| {
        let begins = times(&story("\"duration\" = \"2100ms\"", &frozen(from, until), &[]), "job");
        begins.into_iter().filter(|at| *at < 1100.0).collect::<Vec<_>>()
    };
    assert_eq!(begins(1150, 1250), [0.0, 250.0, 400.0, 600.0, 800.0, 1000.0]);
    assert_eq!(begins(1150, 1700), [0.0, 700.0, 800.0, 1000.0], "one for three");
    assert_eq!(begins(1150, 1800), [0.0, 800.0, 1000.0], "and none twice at one instant");
}

/// The calendar belongs to no machine: what came due at one that stood still, until it was failed over, is
/// not the last.
#[test]
fn a_job_keeps_its_calendar_through_a_failover() {
    let more = JOB.replace("10s", "200ms")
        + "[postgres.primary.ha]\ndetect = \"40ms\"\ntakes = \"60ms\"\n\
           [event.e]\nat = \"1190ms\"\nset = { \"postgres.primary.state\" = \"frozen\" }\n";
    let facts = story("\"duration\" = \"2100ms\"", &more, &[]);
    assert_eq!((times(&facts, "down"), times(&facts, "up")), (vec![230.0], vec![290.0]));
    assert_eq!(times(&facts, "job"), [0.0, 400.0, 600.0, 800.0, 1000.0]);
}

/// A job's sessions are backends in `pg_stat_activity`, and no part of any herd.
#[test]
fn sessions_of_a_job_are_backends_and_no_herd() {
    let set = "\"duration\" = \"60s\"\n\"postgres.primary.max_connections\" = 3\n\
               \"service.api.pool.primary.max_lifetime\" = \"20s\"";
    let users = "[traffic.users]\nrequest = \"sign-in\"\nrate = \"5/s\"\n";
    let run = |job: &str| {
        let scenario = fleet(set, &format!("{users}{job}"));
        let run = herdsim::experiment::run(&scenario, 1, &AtomicU64::new(0), &AtomicBool::new(false));
        run.expect("a run").measured
    };
    let (with, without) = (run(&JOB.replace("30ms", "2s")), run(""));
    let most = |measured: &Measured, level: &str| {
        let series = measured.levels.iter().find(|series| series.level == level)?;
        series.bins.iter().map(|bin| bin.max).reduce(f64::max)
    };
    assert_eq!(["backends", "job_sessions"].map(|level| most(&with, level)), [Some(3.0), Some(2.0)]);
    assert_eq!(["backends", "job_sessions"].map(|level| most(&without, level)), [Some(1.0), None]);
    assert_eq!([with.nodes[0].refused, without.nodes[0].refused], [6, 0], "one in each of six runs");
    assert_eq!(with.nodes[0].starts, without.nodes[0].starts);
    let uniform = |measured: &Measured| {
        let rows = herdsim::measure::summary::rows(measured);
        let row = rows.iter().find(|row| row.metric == Metric::PeakOverUniform.name());
        row.expect("a row").value
    };
    assert!((uniform(&with) / uniform(&without) - 1.0).abs() < 1e-9);
}
