//! What the measures say of small fleets whose right answer is known: by hand, or because nothing happens.

use herdsim::engine::time::{Span, Time};
use herdsim::experiment::harm::{Harm, harm};
use herdsim::experiment::{Run, Verdict, expect, run};
use herdsim::measure::summary;
use herdsim::measure::{BIN, LevelSeries, StretchKind};
use herdsim::scenario::grammar::{Cause, Metric, Outcome};
use herdsim::scenario::window::Window;
use herdsim::scenario::{Document, Scenario};
use std::sync::atomic::{AtomicBool, AtomicU64};

/// One container with room for everybody, 100 requests a second of one query of 1 ms; nobody retries.
const FLEET: &str = r#"
schema_version = 1
title    = "A fleet that nothing ails"
duration = "120s"

[postgres.primary]
cores           = 4
max_connections = 10000
start_cpu       = "0s"
cold_cpu        = "0s"
[postgres.replica]
like       = "primary"
replica_of = "primary"

[endpoint.reads]
node     = "primary"
fallback = "replica"
breaker  = { failures = "50%", slow = "250ms", window = "5s", open_for = "10s" }

[service.api]
containers  = { min = 1, max = 1 }
concurrency = 10000
[service.api.pool.primary]
max    = 2000
min    = 20
refill = "to-min"
[service.api.pool.replica]
max = 2000

[query.lookup]
cpu = "1ms"

[request.sign-in]
service = "api"
steps   = [{ query = "lookup", on = "primary" }]

[traffic.users]
request = "sign-in"
rate    = "100/s"
"#;

fn document(more: &str, set: &[&str]) -> Document {
    let text = format!("{FLEET}\n{more}\n[variant.story.set]\n{}\n", set.join("\n"));
    let (document, _) = Document::from_text("test.toml", &text).unwrap_or_else(|why| panic!("{why}"));
    document
}

fn scenario(more: &str, set: &[&str]) -> Scenario {
    document(more, set).scenarios.values().last().expect("the variant").clone()
}

fn ran(scenario: &Scenario, seed: u64) -> Run {
    run(scenario, seed, &AtomicU64::new(0), &AtomicBool::new(false)).expect("nobody stops it")
}

pub fn story(more: &str, set: &[&str]) -> Run {
    ran(&scenario(more, set), 1)
}

pub fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

pub fn value(run: &Run, metric: Metric, of: &str, from: u64) -> f64 {
    let window = Window { from: at(from), ..Window::whole() };
    summary::value(metric, &run.measured, of, None, &window)
}

/// The primary cannot be reached from one second to another.
fn away(name: &str, from: u64, until: u64) -> String {
    format!(
        "[event.{name}]\nat = \"{from}s\"\nuntil = \"{until}s\"\n\
         set = {{ \"postgres.primary.state\" = \"unreachable\" }}\n"
    )
}

/// Where nobody is served there is no herd and no spike, and none is missing: nothing was measured.
#[test]
fn nothing_measured_is_not_calm() {
    let run =
        story("", &[r#""postgres.primary.state" = "unreachable""#, r#""request.sign-in.timeout" = "1s""#]);
    assert!(run.measured.classes[0].ended[Outcome::GatewayTimeout as usize] > 0);
    for metric in [Metric::Spikes, Metric::RecycleSpikes] {
        assert!(value(&run, metric, "service.api", 0).is_nan(), "{metric:?}");
    }
    assert!(value(&run, Metric::HerdLasts, "postgres.primary", 0).is_nan());
    let calm = story("", &[]);
    assert_eq!(value(&calm, Metric::RecycleSpikes, "service.api", 0), 0.0);
    assert!(value(&calm, Metric::RecycleSpikes, "service.api", 120).is_nan(), "an empty window");
}

/// An outage that lasts to the end of the run is seen, although what it keeps waiting never ends within it.
#[test]
fn an_outage_at_the_end_is_seen() {
    let run = story(&away("cut", 90, 130), &[]);
    let class = &run.measured.classes[0];
    assert!((2_700..3_200).contains(&class.unanswered()), "30 s at 100/s: {}", class.unanswered());
    for metric in [Metric::UserSuccess, Metric::RequestSuccess] {
        let share = value(&run, metric, "request.sign-in", 0);
        assert!((0.73..0.77).contains(&share), "{metric:?}: {share}");
        let before = Window { to: at(90), ..Window::whole() };
        assert_eq!(summary::value(metric, &run.measured, "request.sign-in", None, &before), 1.0);
    }
    assert!(value(&run, Metric::WorstP99, "service.api", 0) > 25_000.0, "they wait since half a minute");
    assert_eq!(value(&run, Metric::Spikes, "service.api", 0), 1.0);
    assert_eq!(story("", &[]).measured.classes[0].unanswered(), 0);
}

/// A deed is over at once: what comes later is not laid at its door, as it is at that of a setting that
/// stands. And there is nothing to recover from after a job.
#[test]
fn a_deed_is_over_and_a_setting_stands() {
    let more = "[event.crash]\nat = \"20s\"\ndo = { restart = \"primary\" }\n\
                [event.changed]\nat = \"30s\"\nset = { \"query.lookup.reads\" = 0 }\n\
                [event.stall]\nat = \"80s\"\nuntil = \"85s\"\nset = { \"postgres.primary.cores\" = 0.01 }\n\
                [job.report]\non = \"primary\"\nfirst = \"82s\"\nevery = \"1h\"\nwork = { cpu = \"10ms\" }\n";
    let run = story(more, &[]);
    let late = run.measured.spikes.iter().find(|spike| spike.to > at(80)).expect("the stall is felt");
    let beside = |name: &str| late.beside.iter().any(|beside| beside == name);
    assert!(beside("event.stall") && beside("event.changed") && beside("job.report"), "{late:?}");
    assert!(!beside("event.crash"), "{late:?}");
    let recovered = run.measured.recoveries.iter().map(|recovery| recovery.event.as_str());
    assert_eq!(recovered.collect::<Vec<_>>(), ["event.crash", "event.stall"]);
    let stall = "[event.stall]\nat = \"40s\"\nuntil = \"55s\"\nset = { \"postgres.primary.cores\" = 0.01 }\n";
    let alone = story(stall, &[]).measured.recoveries;
    let with_deed = story(&format!("{stall}do = {{ restart = \"replica\" }}\n"), &[]).measured.recoveries;
    assert!(alone == with_deed && alone[0].after.is_some(), "from the end of what is set: {with_deed:?}");
}

/// A deploy of another service, at a node of its own, is a storm there and is nothing to this one.
#[test]
fn a_storm_elsewhere_is_not_beside_a_spike() {
    let more = "[postgres.other]\nlike = \"primary\"\n\
                [service.other]\ncontainers = { min = 1, max = 1 }\n\
                [service.other.pool.other]\nmax = 20\nmin = 20\nrefill = \"to-min\"\n\
                [event.deploy]\nat = \"80s\"\ndo = { deploy = \"other\" }\n\
                [event.stall]\nat = \"80s\"\nuntil = \"85s\"\nset = { \"postgres.primary.cores\" = 0.01 }\n";
    let measured = story(more, &[]).measured;
    let storms = || measured.storms.iter().filter(|storm| storm.cause == Cause::Boot);
    assert!(storms().count() > 0 && storms().all(|storm| storm.node == "other"), "{:?}", measured.storms);
    let mut spikes = measured.spikes.iter().filter(|spike| spike.to > at(80)).peekable();
    assert!(spikes.peek().is_some_and(|spike| spike.service == "api"), "the stall is felt");
    assert!(spikes.all(|spike| !spike.beside.iter().any(|name| name == "boot")), "{:?}", measured.spikes);
}

/// The whole run's percentile is that of the summary, with what the end leaves unanswered; a connection that
/// finds no slot is counted when it does.
#[test]
fn an_expectation_is_the_row_of_the_summary() {
    let asked = "[expect.e]\nmetric = \"latency.p99\"\nof = \"request.sign-in\"\nmax = \"1s\"\n";
    let run = story(&format!("{asked}{}", away("cut", 90, 130)), &[]);
    let rows = summary::rows(&run.measured);
    let row = rows.iter().find(|row| (row.metric, row.cause, row.stat) == ("latency", "", "p99")).unwrap();
    assert!(row.value > 25_000.0, "they wait since half a minute: {}", row.value);
    assert_eq!(value(&run, Metric::LatencyP99, "request.sign-in", 0), row.value);
    let few = [r#""postgres.primary.max_connections" = 40"#, r#""query.lookup.cpu" = "1s""#];
    let run = story("", &few);
    let refused = |from| value(&run, Metric::Refused, "postgres.primary", from);
    assert_eq!(refused(0), run.measured.nodes[0].refused as f64);
    assert!(0.0 < refused(60) && refused(60) < refused(0), "{} {}", refused(60), refused(0));
}

/// The most backends at once are those of the fleet and of a job: what the slots must bear.
#[test]
fn the_most_backends_count_those_of_jobs() {
    let most = |more: &str, from| value(&story(more, &[]), Metric::Backends, "postgres.primary", from);
    let alone = most("", 60);
    assert!((20.0..30.0).contains(&alone), "{alone}");
    let job = "[job.report]\non = \"primary\"\nevery = \"50s\"\nwork = { parallel = 7, cpu = \"1s\" }\n";
    assert_eq!(most(job, 60), alone + 7.0);
}

/// What lies between two events that follow each other at once stands for no time at all: two outages back
/// to back are one, and high availability takes them for one.
#[test]
fn two_events_back_to_back_are_one() {
    let set = [r#""postgres.primary.ha" = { detect = "30s", takes = "5s" }"#];
    let two = story(&(away("first", 10, 35) + &away("second", 35, 60)), &set);
    let one = story(&away("only", 10, 60), &set);
    assert_eq!(two.measured.classes[0].ended, one.measured.classes[0].ended);
    assert_eq!(two.measured.stretches, one.measured.stretches);
    assert!(one.measured.stretches.iter().any(|stretch| stretch.kind == StretchKind::Node), "a failover");
}

/// A fleet that has been there for a while holds no more connections than there are slots.
#[test]
fn a_steady_start_keeps_to_the_slots() {
    let slots =
        [r#""postgres.primary.max_connections" = 13"#, r#""postgres.primary.reserved_connections" = 3"#];
    let run = story("", &slots);
    let backends = run.measured.levels.iter().find(|one| one.level == "backends").expect("a gauge");
    assert_eq!(backends.bins.iter().map(|bin| bin.max).fold(0.0, f64::max), 10.0, "of a floor of 20");
    assert!(run.measured.nodes[0].refused > 0, "it goes on trying for its floor");
}

/// Cloud Run and Knative end a container when its requests have ended; Kubernetes waits for half a minute.
#[test]
fn who_scales_decides_how_long_a_container_drains() {
    let deploy = "[event.deploy]\nat = \"30s\"\ndo = { deploy = \"api\" }";
    let lost = |scaler: &str| {
        let scaler = format!(r#""service.api.scaler" = "{scaler}""#);
        let set =
            [r#""request.sign-in.steps" = [{ app = "40s" }]"#, r#""traffic.users.rate" = "1/s""#, &scaler];
        story(deploy, &set).measured.classes[0].ended[Outcome::Unavailable as usize]
    };
    for (scaler, loses) in [("fixed", true), ("hpa", true), ("kpa", false), ("cloud-run-2026", false)] {
        assert_eq!(lost(scaler) > 0, loses, "{scaler}");
    }
}

/// At the cap Cloud Run turns a request away after ten seconds; Knative and Kubernetes let it wait.
#[test]
fn who_scales_decides_how_long_a_request_may_wait() {
    for (scaler, waits) in [("fixed", false), ("cloud-run-2026", false), ("kpa", true), ("hpa", true)] {
        let scaler = format!(r#""service.api.scaler" = "{scaler}""#);
        let set = [
            r#""request.sign-in.steps" = [{ app = "15s" }]"#,
            r#""traffic.users.rate" = "1/s""#,
            r#""service.api.concurrency" = 1"#,
            r#""service.api.request_timeout" = "60s""#,
            &scaler,
        ];
        let ended = story("", &set).measured.classes[0].ended;
        assert_eq!(ended[Outcome::TooManyRequests as usize] == 0, waits, "{scaler}");
        assert_eq!(ended[Outcome::GatewayTimeout as usize] > 0, waits, "{scaler}");
    }
}

/// What is due a duration after the beginning is outside of the run: no bin could hold it.
#[test]
fn nothing_happens_at_the_very_end() {
    let deploy = |at: u64| format!("[event.deploy]\nat = \"{at}s\"\ndo = {{ deploy = \"api\" }}");
    let set = [
        r#""duration" = "30s""#,
        r#""service.api.startup" = "0s""#,
        r#""service.api.drain" = "0s""#,
        r#""request.sign-in.steps" = [{ app = "1s" }]"#,
    ];
    let (late, early) = (story(&deploy(30), &set), story(&deploy(20), &set));
    assert!(late.measured.marks.is_empty());
    let lost = |run: &Run| run.measured.classes[0].ended[Outcome::Unavailable as usize];
    assert!(lost(&late) == 0 && lost(&early) > 0, "{} {}", lost(&late), lost(&early));
}

/// The gauge follows the machine, whatever else is set after a promotion: λ·E[S]/cores = 100 × 10 ms / 8.
#[test]
fn busy_cores_are_those_of_the_machine_that_was_promoted() {
    let more = r#"
        [event.promotion]
        at = "30s"
        do = { promote = "replica" }
        [event.unrelated]
        at  = "60s"
        set = { "query.lookup.reads" = 0 }
    "#;
    let set = [
        r#""postgres.primary.cores" = 2"#,
        r#""postgres.replica.cores" = 8"#,
        r#""postgres.replica.promote_time" = "1s""#,
        r#""query.lookup.cpu" = { exponential = "10ms" }"#,
        r#""request.sign-in.timeout" = "2s""#,
    ];
    let busy = value(&story(more, &set), Metric::CpuBusy, "postgres.primary", 70);
    assert!((0.11..0.14).contains(&busy), "{busy}");
}

/// A bin in whose middle an event begins shows the event: `until` and `except` leave it out.
#[test]
fn what_is_judged_without_an_event_does_not_see_it() {
    let expect = |name: &str, window: &str, metric: &str| {
        format!("[expect.{name}]\nvariant = \"story\"\n{window}\n{metric}\n")
    };
    let until = "until = \"event.restart\"";
    let more = "[event.restart]\nat = \"45s\"\ndo = { restart = \"primary\" }\n".to_owned()
        + &expect("calm-before", until, "metric = \"connects_max_1s\"\nof = \"postgres.primary\"\nmax = 0")
        + &expect(
            "well-before",
            until,
            "metric = \"request_success\"\nof = \"request.sign-in\"\nmin = \"100%\"",
        )
        + &expect(
            "calm-but-for-it",
            "except = [\"event.restart\"]",
            "metric = \"connects_max_1s\"\nof = \"postgres.primary\"\nmax = 0",
        )
        + &expect("not-calm", "", "metric = \"connects_max_1s\"\nof = \"postgres.primary\"\nmin = 1");
    let document = document(&more, &[r#""postgres.primary.restart_time" = "5s""#]);
    let run = ran(document.scenarios.values().last().expect("the variant"), 1);
    for judged in expect::judge_seed(&document, &[run]) {
        assert_eq!(judged.verdict, Verdict::Pass, "{}: {:?} {}", judged.name, judged.values, judged.because);
    }
}

/// Where nobody is answered, time is bad whether clients give up or not.
#[test]
fn a_blackout_is_bad_time() {
    let suffered = |set: &[&str]| -> Harm {
        let run = story(&away("cut", 30, 90), set);
        harm(&run, &run)
    };
    let bad = [suffered(&[]).bad_s, suffered(&[r#""request.sign-in.patience" = "5s""#]).bad_s];
    assert!(bad.iter().all(|bad| (60.0..=70.0).contains(bad)), "{bad:?}");
}

/// What takes longer than `slow` counts as failed by then. From 31 + x s on the window of 10 s holds 100·x
/// failures and 100·(9 − x) successes: half of them at x = 4.5.
#[test]
fn the_edge_does_not_wait_for_the_end_of_what_is_slow() {
    let more = r#"
        [edge]
        origin_outage_mode = "automatic"
        serves  = ["sign-in"]
        breaker = { failures = "50%", slow = "1s", window = "10s", minimum = 20, open_for = "60s" }
    "#;
    let run = story(&(away("cut", 30, 300) + more), &[r#""request.sign-in.patience" = "30s""#]);
    let modes = run.measured.stretches.iter().filter(|stretch| stretch.kind == StretchKind::OutageMode);
    let from: Vec<f64> = modes.map(|mode| mode.from.as_secs()).collect();
    assert!(from.len() == 1 && (34.5..36.5).contains(&from[0]), "{from:?}");
}

/// A breaker that is switched off while it is open closes, and opens anew when it is needed again.
#[test]
fn a_breaker_that_is_switched_off_is_closed() {
    let off = "[event.off]\nat = \"30s\"\nuntil = \"60s\"\n\
               set = { \"endpoint.reads.breaker.enabled\" = false }\n";
    let set = [
        r#""request.sign-in.steps" = [{ query = "lookup", on = "reads" }]"#,
        r#""request.sign-in.timeout" = "2s""#,
    ];
    let run = story(&(away("cut", 20, 40) + off + &away("again", 80, 90)), &set);
    let breakers = run.measured.stretches.iter().filter(|stretch| stretch.kind == StretchKind::Breaker);
    let spans: Vec<(f64, f64)> =
        breakers.map(|open| (open.from.as_secs(), open.to.expect("it closes").as_secs())).collect();
    let [(first, off), (second, _)] = spans[..] else { panic!("{spans:?}") };
    assert!((20.0..30.0).contains(&first) && off == 30.0 && (80.0..90.0).contains(&second), "{spans:?}");
}

/// Users and attackers are apart, as in `summary.csv`.
#[test]
fn a_request_is_that_of_users() {
    let more = "[traffic.attack]\nrequest = \"sign-in\"\nlabel = \"abusive\"\nrate = \"100/s\"\n\
                rejected = \"50%\"";
    let run = story(more, &[]);
    let names: Vec<String> =
        run.measured.classes.iter().map(|class| class.label.of_class(&class.class)).collect();
    assert_eq!(names, ["sign-in", "sign-in.abusive"]);
    let of = |metric, name: &str| value(&run, metric, &format!("request.{name}"), 0);
    assert_eq!([of(Metric::Rejected, "sign-in"), of(Metric::UserSuccess, "sign-in")], [0.0, 1.0]);
    let rejected = of(Metric::Rejected, "sign-in.abusive");
    assert!((0.47..0.53).contains(&rejected), "{rejected}");
}

/// Who fails at once has not recovered: the table says of an event what the expectation says.
#[test]
fn fast_failures_are_no_recovery() {
    let more = "[event.hiccup]\nat = \"40s\"\nuntil = \"50s\"\nset = { \"postgres.primary.cores\" = 3 }\n\
                [event.broken]\nat = \"45s\"\nset = { \"postgres.primary.state\" = \"read-only\" }";
    let recovery = |set: &[&str]| {
        let run = story(more, set);
        let rows = summary::rows(&run.measured);
        let row = rows.into_iter().find(|row| row.of == "service.api after event.hiccup");
        (row.expect("the event has ended").value, value(&run, Metric::Recovery, "service.api", 50))
    };
    assert_eq!(recovery(&[]), (0.0, 0.0), "reads go on");
    let (row, expected) = recovery(&[r#""query.lookup.writes" = true"#]);
    assert!(row.is_nan() && expected.is_nan(), "{row} {expected}");
}

/// A job whose runs overlap is under way until the last of them ends, and no longer.
#[test]
fn overlapping_runs_of_a_job_end_with_the_last() {
    let more = "[job.backup]\non = \"primary\"\nevery = \"10s\"\nwork = { parallel = 1, cpu = \"15s\" }\n\
                [event.off]\nat = \"25s\"\nset = { \"job.backup.enabled\" = false }\n\
                [event.slow]\nat = \"100s\"\nuntil = \"105s\"\nset = { \"query.lookup.cpu\" = \"50ms\" }";
    let run = story(more, &[]);
    let spikes: Vec<_> =
        run.measured.spikes.iter().map(|spike| (spike.from, spike.beside.join(" "))).collect();
    let [(from, beside)] = &spikes[..] else { panic!("{spikes:?}") };
    assert!(*from == at(100) && beside.contains("event.slow") && !beside.contains("job"), "{beside}");
}

/// Whoever looks for what made a spike finds the attack that came with it.
#[test]
fn a_burst_of_traffic_lies_beside_the_spike_that_it_makes() {
    let more = "[traffic.attack]\nrequest = \"sign-in\"\nlabel = \"abusive\"\nrate = \"8000/s\"\n\
                burst = { every = \"60s\", lasting = \"3s\" }";
    let beside = |set: &[&str]| {
        let spikes = story(more, set).measured.spikes;
        spikes.iter().map(|spike| (spike.from, spike.beside.join(" "))).collect::<Vec<_>>()
    };
    let attacked = beside(&[]);
    assert!(!attacked.is_empty() && attacked.iter().all(|(_, beside)| beside.contains("traffic.attack")));
    assert_eq!(attacked[0].0, at(60), "{attacked:?}");
    assert!(
        !beside(&[r#""traffic.attack.rate" = "0/s""#]).iter().any(|(_, beside)| beside.contains("attack"))
    );
}

/// A fleet that stands from the first instant on has never been smaller.
#[test]
fn the_first_bin_begins_when_the_fleet_stands() {
    let run = story("", &[]);
    for (level, least) in [("containers", 1.0), ("backends", 20.0)] {
        let series = run.measured.levels.iter().find(|series| series.level == level);
        assert_eq!(series.expect(level).bins[0].min, least, "{level}");
    }
}

/// An application that thinks while it holds a connection is as busy as one that does not.
#[test]
fn thinking_keeps_a_cpu_busy() {
    let containers = |steps: &str| {
        let steps = format!("\"request.sign-in.steps\" = {steps}");
        let set = [
            r#""service.api.scaler" = "hpa""#,
            r#""service.api.containers" = { min = 1, max = 50 }"#,
            r#""service.api.startup" = "1s""#,
            r#""traffic.users.rate" = "5/s""#,
            &steps,
        ];
        value(&story("", &set), Metric::Containers, "service.api", 0)
    };
    let app = containers(r#"[{ app = "1s" }, { query = "lookup", on = "primary" }]"#);
    let think = containers(r#"[{ query = "lookup", think = "1s", on = "primary" }]"#);
    assert!(app > 3.0 && (think - app).abs() <= 2.0, "{app} {think}");
}

/// A dashboard's counter of connections counts every start once, between one scrape and the next; the
/// first counts from the start.
#[test]
fn the_scraped_rate_adds_up_to_all_starts() {
    let run = story("", &[r#""service.api.pool.primary.max_lifetime" = "5s""#]);
    let rate = run.measured.dashboard.iter().find(|series| series.level == "connects_per_s");
    let rate = rate.expect("it is scraped");
    let (samples, node) = (&rate.samples, &run.measured.nodes[0]);
    assert_eq!((samples.len(), rate.of.as_str()), (2, "postgres.primary"), "every minute of two");
    let (first, rest) = (samples[0].0.as_secs(), samples[1].1 * 60.0);
    let counted = samples[0].1 * first + rest;
    let second = samples[1].0.as_secs() as usize;
    let until = |second: usize| node.starts_per_s[..second].iter().flatten().sum::<u32>();
    let (least, most) = (f64::from(until(second)), f64::from(until(second + 1)));
    assert!(least > 50.0 && least - 0.5 < counted && counted < most + 0.5, "{least} {counted} {most}");
}

/// The dashboard shows the gauges that there are, all of them, each as it was within the ten seconds of the
/// scrape.
#[test]
fn the_dashboard_shows_every_gauge() {
    let run = story("", &[r#""service.api.scaler" = "hpa""#]);
    let measured = &run.measured;
    let shown: Vec<_> = measured.dashboard.iter().filter(|shown| shown.level != "connects_per_s").collect();
    assert_eq!(shown.len(), measured.levels.len());
    for shown in shown {
        let same = |kept: &&LevelSeries| (kept.level, &kept.of) == (shown.level, &shown.of);
        let level = measured.levels.iter().find(same).expect("a gauge that there is");
        assert_eq!(shown.samples.len(), 2, "{} of {}", shown.level, shown.of);
        for (at, value) in &shown.samples {
            let bin = &level.bins[(at.0 / BIN.0) as usize];
            assert!((bin.min..=bin.max).contains(value), "{} of {} at {at}", shown.level, shown.of);
        }
    }
}
