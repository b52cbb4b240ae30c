//! What the tests of the model share: a small fleet, requests that arrive on the dot, facts as words,
//! intervals.

use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::fact::Fact;
use herdsim::scenario::{Document, Scenario};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The instant at which stories begin; traces count milliseconds from here.
pub const BEGIN: Time = Time(1_000_000_000);

/// A fleet with round numbers: a trip takes 1 ms, the application 2 ms, a query 10 ms, a grant 5 ms, a start
/// 20 ms.
const FLEET: &str = r#"
schema_version = 1
title    = "A fleet with round numbers"
duration = "3s"

[network]
database = "1ms"

[postgres.primary]
cores                = 4
max_connections      = 100
reserved_connections = 0
grant                = { fast = { base = "5ms" } }
start_cpu            = "20ms"
cold_cpu             = "0s"
contention           = 10
handshake_trips      = 2
restart_time         = "100ms"

[service.api]
containers  = { min = 1, max = 1 }
concurrency = 100
startup     = "100ms"
rollout     = "1s"

[service.api.pool.primary]
max = 1
min = 1

[query.lookup]
cpu = "10ms"

[request.sign-in]
service = "api"
steps   = [{ app = "2ms" }, { query = "lookup", on = "primary" }]
"#;

/// Loads the first variant of a text, or the text as written.
pub fn load(text: &str) -> Scenario {
    let (document, _) =
        Document::from_text("test.toml", text).unwrap_or_else(|problems| panic!("{problems}"));
    document.scenarios.values().last().expect("a document has a scenario").clone()
}

/// The fleet with round numbers, after `set` (lines of `"path" = value`) and with `more` tables.
pub fn fleet(set: &str, more: &str) -> Scenario {
    load(&format!("{FLEET}\n{more}\n[variant.story.set]\n{set}\n"))
}

/// Every fact of a run.
pub fn facts(scenario: &Scenario, seed: u64) -> Vec<(Time, Fact)> {
    experiment::record(scenario, seed, Vec::new())
}

/// The fleet with round numbers and requests that arrive so many milliseconds after [`BEGIN`], ascending.
pub fn story(set: &str, more: &str, arrivals: &[u64]) -> Vec<(Time, Fact)> {
    let on_the_dot = source("users", "sign-in", arrivals);
    let scenario = fleet(set, &format!("{on_the_dot}\n{more}"));
    on_time(&scenario, arrivals)
}

/// A source whose requests arrive at these milliseconds after [`BEGIN`], given the right seed: within each
/// of these nanoseconds the rate is so high that the right number is likely, and it is zero elsewhere.
pub fn source(name: &str, request: &str, arrivals: &[u64]) -> String {
    let mut at: BTreeMap<u64, u64> = BTreeMap::new();
    arrivals.iter().for_each(|ms| *at.entry(BEGIN.0 + ms * 1_000_000).or_default() += 1);
    let mut steps = r#"{ from = "0s", rate = "0/s" }"#.to_owned();
    for (ns, count) in at {
        let after = ns + 1;
        let billions = format!("{count}000000000/s");
        write!(
            steps,
            r#", {{ from = "{ns}ns", rate = "{billions}" }}, {{ from = "{after}ns", rate = "0/s" }}"#
        )
        .expect("text can be written");
    }
    format!("[traffic.{name}]\nrequest = \"{request}\"\nrate = {{ piecewise = [{steps}] }}\n")
}

/// The facts of the first seed with which first attempts arrive exactly at these milliseconds after
/// [`BEGIN`].
pub fn on_time(scenario: &Scenario, arrivals: &[u64]) -> Vec<(Time, Fact)> {
    seeded(scenario, arrivals).1
}

/// That seed, and the facts.
pub fn seeded(scenario: &Scenario, arrivals: &[u64]) -> (u64, Vec<(Time, Fact)>) {
    let wanted: Vec<Time> = arrivals.iter().map(|ms| BEGIN + Span::from_millis(*ms)).collect();
    let first =
        |(at, fact): &(Time, Fact)| matches!(fact, Fact::RequestArrived { attempt: 0, .. }).then_some(*at);
    let runs = (1..20_000).map(|seed| (seed, facts(scenario, seed)));
    let mut right = runs.filter(|(_, facts)| facts.iter().filter_map(first).eq(wanted.iter().copied()));
    right.next().expect("some seed brings the requests on time")
}

/// What happened from [`BEGIN`] on, one line an instant: `"14: release ends:ok"`, in milliseconds.
pub fn trace(facts: &[(Time, Fact)]) -> Vec<String> {
    // The timeline says as much of states.
    trace_in(facts, |fact| (!matches!(fact, Fact::StateEntered(..))).then(|| word(fact)))
}

/// The same in other words; a fact that has none is left out.
pub fn trace_in(facts: &[(Time, Fact)], word: impl Fn(&Fact) -> Option<String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut last = None;
    for (at, fact) in facts.iter().filter(|(at, _)| *at >= BEGIN) {
        let Some(word) = word(fact) else { continue };
        if last != Some(*at) {
            lines.push(format!("{}:", millis(*at)));
        }
        last = Some(*at);
        write!(lines.last_mut().expect("a line"), " {word}").expect("text can be written");
    }
    lines
}

fn millis(at: Time) -> String {
    let ns = at.0 - BEGIN.0;
    if ns.is_multiple_of(1_000_000) {
        format!("{}", ns / 1_000_000)
    } else {
        format!("{:.6}", ns as f64 / 1e6)
    }
}

/// When a word was said, in milliseconds from [`BEGIN`].
pub fn times(facts: &[(Time, Fact)], wanted: &str) -> Vec<f64> {
    let said = facts.iter().filter(|(at, fact)| *at >= BEGIN && word(fact).split(':').next() == Some(wanted));
    said.map(|(at, _)| at.since(BEGIN).as_millis()).collect()
}

/// How requests ended, in order.
pub fn outcomes(facts: &[(Time, Fact)]) -> Vec<&'static str> {
    let ends = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::RequestEnded { outcome, .. } => Some(outcome.name()),
        _ => None,
    });
    ends.collect()
}

/// A fact in a word or two.
pub fn word(fact: &Fact) -> String {
    let kind = |word: &str, of: &dyn std::fmt::Debug| format!("{word}:{of:?}").to_lowercase();
    match fact {
        Fact::RequestArrived { attempt: 0, .. } => "arrives".into(),
        Fact::RequestArrived { attempt, .. } => format!("arrives:{attempt}"),
        Fact::RequestEnded { outcome, .. } => format!("ends:{}", outcome.name()),
        Fact::WishEnded { fulfilled, .. } => if *fulfilled { "fulfilled" } else { "given-up" }.into(),
        Fact::IdleClosed(_, why) => kind("idle-closed", why),
        Fact::UsedClosed(_, why) => kind("used-closed", why),
        Fact::BackendStarted { cause, .. } => kind("start", cause),
        Fact::AtCapTurned(_, on) => if *on { "at-cap" } else { "below-cap" }.into(),
        Fact::StateEntered(_, state) => kind("state", state),
        other => plain_word(other).into(),
    }
}

fn plain_word(fact: &Fact) -> &'static str {
    match fact {
        Fact::WishBegan { .. } => "wish",
        Fact::PendingBegan(_) => "pending+",
        Fact::PendingEnded(_) => "pending-",
        Fact::HandlingBegan(_) => "handling+",
        Fact::HandlingEnded(_) => "handling-",
        Fact::ContainerLaunched(_) => "launch",
        Fact::ContainerServing(_) => "serving",
        Fact::ContainerStopped(_) => "stopped",
        Fact::AcquireQueued(_) => "waits",
        Fact::AcquireDequeued(_) => "waited",
        Fact::ConnectionAdopted { .. } => "adopted",
        Fact::DialBegan(_) => "dial",
        Fact::DialSucceeded(_) => "dialled",
        Fact::DialEnded(_) => "dial-ended",
        Fact::ConnectionAcquired(_) => "acquire",
        Fact::ConnectionReleased(_) => "release",
        Fact::ConnectRefused(_) => "refuse",
        Fact::ClientConnected(_) => "client+",
        Fact::ClientLeft(_) => "client-",
        Fact::ClientRefused(_) => "client-refused",
        Fact::GrantQueued(_) => "line",
        Fact::GrantDropped(_) => "dropped",
        Fact::BackendExited(_) => "exit",
        Fact::WorkBegan(_) => "work",
        Fact::WorkEnded(_) => "done",
        Fact::NodeDown(_) => "down",
        Fact::NodeUp(_) => "up",
        Fact::BurstBegan(_) => "burst",
        Fact::BurstEnded(_) => "burst-over",
        Fact::JobBegan(_) => "job",
        Fact::JobEnded(_) => "job-done",
        Fact::SessionBegan(_) => "session+",
        Fact::SessionEnded(_) => "session-",
        Fact::TimelineMoved(_) => "event",
        Fact::LockQueued(_) => "lock-waits",
        Fact::LockDequeued(_) => "lock-waited",
        Fact::DiskWaitBegan(_) => "disk",
        Fact::DiskWaitEnded(_) => "disk-done",
        Fact::Replayed(..) => "replayed",
        Fact::FellBehind(..) => "behind",
        Fact::CoresSet(..) => "cores",
        Fact::CapSet(..) => "cap",
        _ => unreachable!("has a word of two parts"),
    }
}

/// Says whether independent replications agree with theory: it must lie in their 99.9 % interval, and the
/// interval must be narrower than `precision` (a share of the theory), or the test would prove nothing.
pub fn assert_agrees(what: &str, samples: &[f64], theory: f64, precision: f64) {
    // Student's t, two-sided 99.9 %, for nine degrees of freedom.
    const T: f64 = 4.781;
    assert_eq!(samples.len(), 10, "the quantile is for ten replications");
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let half = T * (variance / n).sqrt();
    assert!(half <= precision * theory, "{what}: {mean} ± {half} is too wide to judge {theory}");
    assert!((mean - theory).abs() <= half, "{what}: {mean} ± {half} against {theory}");
}
