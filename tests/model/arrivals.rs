//! Arrivals: rates by time, from a table, in bursts.

use crate::kit::{assert_agrees, facts, fleet};
use herdsim::engine::time::Time;
use herdsim::model::fact::Fact;
use herdsim::scenario::grammar::Outcome;

/// When requests arrive, in seconds, over ten seconds of a source of this rate (and bursts).
fn arrivals(rate: &str, seed: u64) -> Vec<f64> {
    let scenario =
        fleet("\"duration\" = \"10s\"", &format!("[traffic.users]\nrequest = \"sign-in\"\nrate = {rate}\n"));
    let facts = facts(&scenario, seed);
    let arrived = |fact: &Fact| matches!(fact, Fact::RequestArrived { .. });
    facts.iter().filter(|(_, fact)| arrived(fact)).map(|(at, _): &(Time, Fact)| at.as_secs()).collect()
}

fn within(arrivals: &[f64], from: f64, to: f64) -> f64 {
    arrivals.iter().filter(|at| (from..to).contains(*at)).count() as f64
}

const STEPS: &str = r#"{ piecewise = [{ from = "0s", rate = "20/s" }, { from = "2s", rate = "0/s" },
    { from = "4s", rate = "200/s" }, { from = "5s", rate = "50/s" }] }"#;

/// Each step of a piecewise rate brings arrivals at its own rate, and a rate of zero none.
#[test]
fn a_piecewise_rate_holds_from_step_to_step() {
    let steps = STEPS.replace('\n', " ");
    let runs: Vec<Vec<f64>> = (1..=10).map(|seed| arrivals(&steps, seed)).collect();
    let counts = |from, to| runs.iter().map(|run| within(run, from, to)).collect::<Vec<f64>>();
    assert_agrees("20/s", &counts(0.0, 2.0), 40.0, 0.4);
    assert!(counts(2.0, 4.0).iter().all(|count| *count == 0.0));
    assert_agrees("200/s", &counts(4.0, 5.0), 200.0, 0.2);
    assert_agrees("50/s", &counts(5.0, 10.0), 250.0, 0.2);
}

/// A rate from a CSV file is the same as its steps written out.
#[test]
fn a_rate_from_a_table_is_the_same_as_its_steps() {
    let steps = arrivals(&STEPS.replace('\n', " "), 1);
    assert_eq!(arrivals(r#"{ csv = "tests/model/curve.csv" }"#, 1), steps);
}

/// Gaps of a constant rate are exponential: mean and variance as the theory has them.
#[test]
fn a_constant_rate_is_a_poisson_process() {
    let runs = (1..=10).map(|seed| arrivals("\"400/s\"", seed));
    let gaps: Vec<Vec<f64>> =
        runs.map(|run| run.windows(2).map(|pair| pair[1] - pair[0]).collect()).collect();
    let mean = |gaps: &Vec<f64>| gaps.iter().sum::<f64>() / gaps.len() as f64;
    let squares = |gaps: &Vec<f64>| gaps.iter().map(|gap| gap * gap).sum::<f64>() / gaps.len() as f64;
    assert_agrees("mean gap", &gaps.iter().map(mean).collect::<Vec<_>>(), 1.0 / 400.0, 0.05);
    assert_agrees("mean square", &gaps.iter().map(squares).collect::<Vec<_>>(), 2.0 / 400.0 / 400.0, 0.1);
}

/// Twice the rate halves every gap of the same seed: the same users come, only sooner.
#[test]
fn twice_the_rate_brings_the_same_users_sooner() {
    let (slow, fast) = (arrivals("\"50/s\"", 1), arrivals("\"100/s\"", 1));
    assert!(slow.len() > 100 && fast.len() > slow.len());
    assert!(slow.iter().zip(&fast).all(|(slow, fast)| (slow - 2.0 * fast).abs() < 1e-6));
}

/// Bursts begin after one period and then every period; between them it is silent, within them the rate
/// holds.
#[test]
fn bursts_bring_arrivals_only_while_they_last() {
    let burst = "\"500/s\"\nburst = { every = \"2s\", lasting = \"500ms\" }";
    let runs: Vec<Vec<f64>> = (1..=10).map(|seed| arrivals(burst, seed)).collect();
    let in_burst = |at: &f64| *at >= 2.0 && at % 2.0 <= 0.5;
    assert!(runs.iter().flatten().all(in_burst), "an arrival between bursts");
    let each = runs.iter().map(|run| run.len() as f64).collect::<Vec<f64>>();
    assert_agrees("four bursts of 250", &each, 1000.0, 0.1);
    assert!((1..=4).all(|n| within(&runs[0], 2.0 * f64::from(n), 2.0 * f64::from(n) + 0.5) > 100.0));
}

/// A burst is told when it begins and when it is over; of a source that is silent nothing is.
#[test]
fn a_burst_is_told() {
    let told = |rate: &str| {
        let traffic = format!("[traffic.users]\nrequest = \"sign-in\"\nrate = {rate}\n");
        let more = format!("{traffic}burst = {{ every = \"4s\", lasting = \"500ms\" }}\n");
        let facts = facts(&fleet("\"duration\" = \"10s\"", &more), 1);
        let is_burst = |fact: &Fact| matches!(fact, Fact::BurstBegan(0) | Fact::BurstEnded(0));
        let told = facts.iter().filter(|(_, fact)| is_burst(fact));
        told.map(|(at, fact)| (at.as_secs(), matches!(fact, Fact::BurstBegan(_)))).collect::<Vec<_>>()
    };
    let begins = |all: &[(f64, bool)]| all.iter().filter(|(_, begins)| *begins).count();
    assert_eq!(told("\"500/s\""), [(4.0, true), (4.5, false), (8.0, true), (8.5, false)]);
    assert_eq!(begins(&told("\"0/s\"")), 0);
    assert_eq!(
        begins(&told(
            "{ piecewise = [{ from = \"0s\", rate = \"0/s\" }, { from = \"6s\", rate = \"9/s\" }] }"
        )),
        1
    );
}

/// Traffic shaping rejects its share with 429 and nothing else, and the rejected never reach the service.
#[test]
fn the_edge_rejects_its_share_with_429() {
    let shaped = |share: &str| {
        let more =
            format!("[traffic.users]\nrequest = \"sign-in\"\nrate = \"20/s\"\nrejected = \"{share}\"\n");
        facts(&fleet("\"duration\" = \"100s\"", &more), 1)
    };
    let count = |facts: &[(Time, Fact)], wanted: fn(&Fact) -> bool| {
        facts.iter().filter(|(_, fact)| wanted(fact)).count() as f64
    };
    let rejected = |fact: &Fact| matches!(fact, Fact::RequestEnded { outcome: Outcome::TooManyRequests, .. });
    let handled = |fact: &Fact| matches!(fact, Fact::HandlingBegan(_));
    let arrived = |fact: &Fact| matches!(fact, Fact::RequestArrived { .. });
    let some = shaped("30%");
    assert_eq!(count(&some, rejected) + count(&some, handled), count(&some, arrived));
    let share = count(&some, rejected) / count(&some, arrived);
    assert!((share - 0.3).abs() < 0.04, "{share}");
    assert_eq!(count(&shaped("100%"), handled), 0.0);
    assert_eq!(count(&shaped("0%"), rejected), 0.0);
}

/// A burst is over when the next begins; how long ago the one before it began is nothing to it. Of two that
/// begin a second apart the first lasts that second, of two that begin four seconds apart it lasts three.
#[test]
fn a_burst_is_cut_short_by_the_next_one() {
    let burst = "burst = { every = { empirical = { csv = \"tests/model/gaps.csv\" } }, lasting = \"3s\" }";
    let more = format!("[traffic.users]\nrequest = \"sign-in\"\nrate = \"200/s\"\n{burst}\n");
    let facts = facts(&fleet("\"duration\" = \"60s\"", &more), 1);
    let arrived = |fact: &Fact| matches!(fact, Fact::RequestArrived { .. });
    let at: Vec<f64> =
        facts.iter().filter(|(_, fact)| arrived(fact)).map(|(at, _): &(Time, Fact)| at.as_secs()).collect();
    let silences: Vec<f64> =
        at.windows(2).map(|pair| pair[1] - pair[0]).filter(|silence| *silence > 0.3).collect();
    assert!(silences.len() > 5, "{silences:?}");
    assert!(silences.iter().all(|silence| (silence - 1.0).abs() < 0.2), "{silences:?}");
    // Beginnings stay where the period has them: on whole seconds.
    let begun = at.windows(2).filter(|pair| pair[1] - pair[0] > 0.3).map(|pair| pair[1] % 1.0);
    assert!(begun.into_iter().all(|past| past < 0.1));
}

/// What is left of a gap is spent from the instant on at which the rate changes: nobody who did not come
/// before comes with it.
#[test]
fn traffic_that_is_turned_up_brings_nobody_at_once() {
    let more = "[traffic.users]\nrequest = \"sign-in\"\nrate = \"0/s\"\n[event.crowd]\nat = \"10s\"\n\
                set = { \"traffic.users.rate\" = \"1/s\" }\n";
    let scenario = fleet("\"duration\" = \"60s\"", more);
    let first = |seed| {
        let arrived = |(_, fact): &&(Time, Fact)| matches!(fact, Fact::RequestArrived { .. });
        facts(&scenario, seed).iter().find(arrived).map_or(60.0, |(at, _)| at.as_secs()) - 10.0
    };
    let waits: Vec<f64> = (1..=40).map(first).collect();
    assert!(waits.iter().all(|wait| *wait > 0.0), "{waits:?}");
    let mean = waits.iter().sum::<f64>() / 40.0;
    assert!((0.4..1.6).contains(&mean), "a second in the mean, within four standard errors: {mean}");
}
