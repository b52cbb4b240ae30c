//! One seed, one story: runs repeat to the last fact, and variants of one seed meet the same users.

use super::accounts::{measured, storm};
use super::{Facts, facts, scenario};
use herdsim::engine::time::Time;
use herdsim::experiment::run_all;
use herdsim::measure::summary;
use herdsim::model::fact::Fact;
use herdsim::report::{Header, archive};
use herdsim::scenario::Document;
use std::sync::atomic::AtomicBool;

/// Both jitters as variants of the storm.
const JITTERS: &str = r#"
    [variant.none]
    set = { "service.*.pool.*.max_lifetime_jitter" = "0s" }
    [variant.much]
    set = { "service.*.pool.*.max_lifetime_jitter" = "90s" }
"#;

/// Where two streams of facts part, in words.
fn first_divergence(a: &Facts, b: &Facts) -> Option<String> {
    let place = a.iter().zip(b).position(|(one, other)| one != other);
    let place = place.or((a.len() != b.len()).then_some(a.len().min(b.len())))?;
    let shown = |facts: &Facts| match facts.get(place) {
        Some((now, fact)) => format!("{fact:?} at {} ns", now.0),
        None => "the end".to_owned(),
    };
    Some(format!("fact {place}: {} or {}", shown(a), shown(b)))
}

/// The finder of differences finds one in a fact, in a time and in the length, and none where there is none.
#[test]
fn a_planted_difference_is_found() {
    let facts = facts(&scenario(&storm("2s", "")), 1);
    assert_eq!(first_divergence(&facts, &facts), None);
    let mut other = facts.clone();
    other[1000] = (Time(7), Fact::NodeUp(3));
    let found = first_divergence(&facts, &other).expect("it was planted");
    assert!(found.starts_with("fact 1000: ") && found.ends_with(" or NodeUp(3) at 7 ns"), "{found}");
    let mut late = facts.clone();
    late[5].0.0 += 1;
    assert!(first_divergence(&facts, &late).is_some_and(|found| found.starts_with("fact 5: ")));
    let short = facts[..500].to_vec();
    assert!(first_divergence(&facts, &short).is_some_and(|found| found.ends_with(" or the end")));
}

/// A scenario and a seed give the same facts whenever they are run; another seed gives others.
#[test]
fn a_seed_repeats_to_the_last_fact() {
    for seed in 1..4 {
        let once = facts(&scenario(&storm("25s", "")), seed);
        let again = facts(&scenario(&storm("25s", "")), seed);
        assert_eq!(first_divergence(&once, &again), None, "seed {seed}");
        let other = facts(&scenario(&storm("25s", "")), seed + 100);
        assert!(first_divergence(&once, &other).is_some(), "seed {seed}");
    }
}

/// The number of threads shows nowhere: neither in the summary nor in the archive.
#[test]
fn threads_do_not_show() {
    let (document, _) = Document::from_text("storm.toml", &storm("15s", JITTERS)).expect("it is right");
    let variants = document.scenarios.values();
    let jobs: Vec<_> = variants.flat_map(|each| (1..4).map(move |seed| (each, seed))).collect();
    let header = Header::of("storm", jobs[0].0);
    let [one, two] = [1, 2].map(|threads| {
        let runs = run_all(&jobs, Some(threads), &|_| {}, &AtomicBool::new(false));
        assert_eq!(runs.len(), jobs.len());
        let rows: Vec<_> = runs.iter().map(|run| format!("{:?}", summary::rows(&run.measured))).collect();
        (rows, archive::to_json(&header, &runs).expect("it is always JSON"))
    });
    assert!(one == two, "one thread and two tell different stories");
    let alone: Vec<_> = jobs
        .iter()
        .map(|(each, seed)| format!("{:?}", summary::rows(&measured(each, *seed).measured)))
        .collect();
    assert!(one.0 == alone, "in a batch and alone");
}

/// First requests of the first series: when they arrived, and their numbers.
fn arrivals(facts: &Facts) -> Vec<(Time, u64)> {
    let first = facts.iter().filter_map(|(now, fact)| match fact {
        Fact::RequestArrived { series: 0, number, attempt: 0 } => Some((*now, *number)),
        _ => None,
    });
    first.collect()
}

/// Two variants of one seed meet the same users at the same instants, whatever becomes of them.
#[test]
fn variants_meet_the_same_users() {
    let (document, _) = Document::from_text("storm.toml", &storm("25s", JITTERS)).expect("it is right");
    for seed in 1..4 {
        let [none, much] =
            ["none", "much"].map(|name| facts(document.scenario(name).expect("a variant"), seed));
        assert!(first_divergence(&none, &much).is_some(), "jitter does something");
        assert!(arrivals(&none).len() > 20_000);
        assert!(arrivals(&none) == arrivals(&much), "seed {seed}");
    }
}

/// Another source of requests does not shift those that were there.
#[test]
fn a_new_source_leaves_the_others_alone() {
    let attack = r#"
        [traffic.attack]
        request = "sign-in"
        label = "abusive"
        rate = "300/s"
    "#;
    for seed in 1..4 {
        let [without, with] = ["", attack].map(|more| facts(&scenario(&storm("10s", more)), seed));
        let joined = |(_, fact): &(Time, Fact)| matches!(fact, Fact::RequestArrived { series: 1, .. });
        assert!(with.iter().any(joined) && !without.iter().any(joined));
        assert!(arrivals(&without) == arrivals(&with), "seed {seed}");
    }
}
