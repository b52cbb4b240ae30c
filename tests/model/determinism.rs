//! Determinism and pairing: what a seed fixes, and what may differ.

use crate::books;
use crate::kit::{facts, fleet, load};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::fact::Fact;
use herdsim::report::{Header, archive};
use herdsim::scenario::{Document, Scenario};
use std::sync::atomic::AtomicBool;

type Facts = Vec<(Time, Fact)>;

/// The first place where two runs differ, with what each of them has there; nothing if they are equal.
fn divergence(one: &Facts, other: &Facts) -> Option<String> {
    let length = one.len().max(other.len());
    let place = (0..length).find(|place| one.get(*place) != other.get(*place))?;
    let say =
        |facts: &Facts| facts.get(place).map_or("the end".into(), |(at, fact)| format!("{at} {fact:?}"));
    Some(format!("fact {place}: {} against {}", say(one), say(other)))
}

fn assert_same(one: &Facts, other: &Facts) {
    assert!(!one.is_empty(), "nothing happened");
    if let Some(place) = divergence(one, other) {
        panic!("the runs part at {place}");
    }
}

/// A fleet with chance in everything: two variants differ in what a remedy would change.
const FLEET: &str = r#"
schema_version = 1
title    = "Chance in everything"
duration = "30s"
[network]
database = { exponential = "0.3ms" }
[postgres.primary]
cores = 2
[service.api]
containers = { min = 3, max = 3 }
routing    = "random"
rollout    = "2s"
[service.api.pool.primary]
preset              = "pgxpool"
max                 = 5
max_lifetime        = "4s"
max_lifetime_jitter = "2s"
acquire_timeout     = "50ms"
[query.lookup]
cpu = { exponential = "2ms" }
[request.sign-in]
service = "api"
retry   = { attempts = 2, backoff = "20ms", jitter = "full", on = ["pool-timeout"] }
steps   = [{ app = { exponential = "2ms" } }, { query = "lookup", on = "primary", times = 2 }]
[traffic.users]
request = "sign-in"
rate    = "300/s"
[event.restart]
at = "8s"
do = { restart = "primary" }
[event.deploy]
at = "15s"
do = { deploy = "api" }
[variant.small]
[variant.small.set]
"postgres.primary.cores" = 1.2
"service.api.pool.primary.max" = 2
"event.restart.enabled" = false
"#;

fn variants(text: &str) -> (Scenario, Scenario) {
    let (document, _) =
        Document::from_text("test.toml", text).unwrap_or_else(|problems| panic!("{problems}"));
    (document.scenarios["as-written"].clone(), document.scenarios["small"].clone())
}

/// The helper names the first fact that differs, or the end of the shorter run.
#[test]
fn a_planted_difference_is_named() {
    let one = facts(&variants(FLEET).0, 1);
    assert_eq!(divergence(&one, &one), None);
    let mut other = one.clone();
    other[100].0 += Span(1);
    let named = divergence(&one, &other).expect("they differ");
    assert!(named.starts_with("fact 100: ") && named.contains(&format!("{:?}", one[100].1)), "{named}");
    other.truncate(50);
    let named = divergence(&one, &other).expect("they differ");
    assert!(named.starts_with("fact 50: ") && named.ends_with("the end"), "{named}");
}

/// A scenario and a seed fix every fact; another seed gives another run.
#[test]
fn the_same_seed_gives_the_same_facts() {
    let (scenario, _) = variants(FLEET);
    assert_same(&facts(&scenario, 7), &facts(&variants(FLEET).0, 7));
    assert!(divergence(&facts(&scenario, 7), &facts(&scenario, 8)).is_some());
}

/// The number of threads changes nothing in what is measured, down to the bytes.
#[test]
fn threads_change_nothing() {
    let (one, other) = variants(FLEET);
    let jobs: Vec<(&Scenario, u64)> = (1..=3).flat_map(|seed| [(&one, seed), (&other, seed)]).collect();
    let text = |threads| {
        let runs = experiment::run_all(&jobs, Some(threads), &|_| (), &AtomicBool::new(false));
        assert_eq!(runs.len(), jobs.len());
        archive::to_json(&Header::of("test", &one), &runs).expect("runs can be written")
    };
    assert!(text(1) == text(2), "one thread and two give different archives");
}

/// First attempts as they arrive: series, number and instant.
fn arrivals(facts: &Facts) -> Vec<(u16, u64, Time)> {
    let arrivals = facts.iter().filter_map(|(at, fact)| match *fact {
        Fact::RequestArrived { series, number, attempt: 0 } => Some((series, number, *at)),
        _ => None,
    });
    arrivals.collect()
}

/// Two variants of one seed meet the same arrivals, however differently they fare.
#[test]
fn variants_of_a_seed_meet_the_same_arrivals() {
    let (one, other) = variants(FLEET);
    let (one, other) = (facts(&one, 5), facts(&other, 5));
    assert_eq!(arrivals(&one), arrivals(&other));
    assert!(divergence(&one, &other).is_some(), "they do fare differently");
}

/// A request is the same in every variant: with room for all, each spends as long in the application and on
/// the CPU, on whichever connection and container, be the network near or far.
#[test]
fn variants_of_a_seed_meet_the_same_scripts() {
    // Long gaps: requests do not overlap, so that what is seen belongs to the request that arrived last.
    let text = FLEET.replace("300/s", "2/s").replace("cores = 2", "cores = 100\ncold_cpu = \"0s\"");
    let text = text.replace("{ exponential = \"0.3ms\" }", "\"0.3ms\"");
    let text = text.replace("\"postgres.primary.cores\" = 1.2", "\"network.database\" = \"1ms\"");
    let (one, other) = variants(&text.replace("[event.deploy]", "[event.deploy]\nenabled = false"));
    let costs = |scenario: &Scenario| -> Vec<u64> {
        let facts = facts(scenario, 5);
        let ends = facts.windows(2).filter(|pair| matches!(pair[1].1, Fact::WorkEnded(_)));
        let alone = ends.filter(|pair| matches!(pair[0].1, Fact::WorkBegan(_)));
        alone.map(|pair| pair[1].0.0 - pair[0].0.0).collect()
    };
    let quiet = |scenario: &Scenario| {
        let mut scenario = scenario.clone();
        scenario.timeline.clear();
        let mut file = (*scenario.file).clone();
        file.service[0].pool[0].min = 2;
        file.service[0].pool[0].max_lifetime.0 = None;
        scenario.file = file.into();
        scenario
    };
    let (one, other) = (costs(&quiet(&one)), costs(&quiet(&other)));
    assert!(one.len() > 50, "{} statements", one.len());
    assert_eq!(one, other, "each statement costs the same in both");
}

/// Something unrelated beside the fleet: another source, another service on another node, and a job there.
const BESIDE: &str = r#"
[postgres.other]
cores = 4
[service.beside]
containers = { min = 2, max = 2 }
[service.beside.pool.other]
max = 4
max_lifetime = "3s"
[request.task]
service = "beside"
steps   = [{ query = "lookup", on = "other" }]
[traffic.tasks]
request = "task"
rate    = "50/s"
[job.sum]
on    = "other"
every = "3s"
work  = { parallel = 2, cpu = { exponential = "100ms" } }
"#;

/// Adding a service, a node, a source and a job does not shift the luck of those that were there.
#[test]
fn what_stands_beside_changes_nothing() {
    let alone = facts(&variants(FLEET).0, 2);
    // What is new comes last in the file, so that the numbers of the first service and node stay as they
    // were.
    let mut beside = facts(&variants(&format!("{FLEET}{BESIDE}")).0, 2);
    let all = beside.len();
    beside.retain(|(_, fact)| !is_beside(fact));
    assert!(beside.len() < all);
    assert_same(&alone, &beside);
}

/// Whether a fact is of the second of its kind: series, service, pool or node.
fn is_beside(fact: &Fact) -> bool {
    if matches!(fact, Fact::JobBegan(_) | Fact::JobEnded(_)) {
        return true;
    }
    let text = format!("{fact:?}");
    ["(1)", "(1,", "series: 1", "pool: 1", "node: 1"]
        .iter()
        .any(|second| text.contains(second) && !matches!(fact, Fact::TimelineMoved(_)))
}

/// More containers do not shift the luck of users.
#[test]
fn more_containers_do_not_shift_the_luck_of_users() {
    let larger = FLEET.replace("{ min = 3, max = 3 }", "{ min = 5, max = 5 }");
    assert_eq!(arrivals(&facts(&variants(FLEET).0, 3)), arrivals(&facts(&variants(&larger).0, 3)));
}

/// A second source does not shift the arrivals of the first, even of the same class and service.
#[test]
fn a_second_source_does_not_shift_the_first() {
    let users = |more: &str| {
        let text = "[traffic.users]\nrequest = \"sign-in\"\nrate = \"20/s\"\n";
        let mut arrivals = arrivals(&facts(&fleet("", &format!("{text}{more}")), 1));
        arrivals.retain(|(series, ..)| *series == 0);
        arrivals
    };
    let more = "[traffic.bots]\nrequest = \"sign-in\"\nrate = \"30/s\"\nlabel = \"abusive\"\n";
    assert_eq!(users(""), users(more));
    assert!(users("").len() > 20);
}

/// What a run's books say does not depend on who listens.
#[test]
fn listening_changes_nothing() {
    let scenario =
        load(&FLEET.replace("[variant.small]\n[variant.small.set]", "[variant.x]\n[variant.x.set]"));
    let ended = facts(&scenario, 4).iter().filter(|(_, f)| matches!(f, Fact::RequestEnded { .. })).count();
    assert_eq!(books::audit(&scenario, 4).outcomes.values().sum::<u64>(), ended as u64);
}
