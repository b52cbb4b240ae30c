//! Advice on expectations: those that cannot fail, those that measure nothing, and those that the seeds prove
//! little of.

use super::super::grammar::{Bound, Expect, Metric};
use super::super::problem::Problems;
use super::super::window::{NO_BIN, WHOLE_BINS, Window};
use super::super::{Scenario, proof};
use super::warn;

/// An expectation that holds on every seed and proves less than this decides nothing (assumed).
const ENOUGH_PROOF: f64 = 0.6;

/// Adds all advice on what is expected of a variant.
pub fn check(scenario: &Scenario, problems: &mut Problems) {
    for (name, expect) in &scenario.file.expect {
        if expect.variant != scenario.variant {
            continue;
        }
        if expect.metric == Metric::Backends {
            slots(scenario, name, expect, problems);
        }
        if expect.metric.is_of_bins() {
            empty(scenario, name, expect, problems);
        }
    }
    evidence(scenario, problems);
}

/// The end of the run, or what is left out, leaves nothing of the time that an expectation is about. What
/// lies after the end altogether is said elsewhere.
fn empty(scenario: &Scenario, name: &str, expect: &Expect, problems: &mut Problems) {
    let duration = scenario.file.duration;
    let Ok(part) = Window::asked(expect, &scenario.file) else { return };
    if part.from.0 >= duration.0 || part.holds_a_bin(duration) {
        return;
    }
    let key = match part.except.is_empty() {
        false => "except",
        true if expect.after.is_some() => "after",
        true => "until",
    };
    let path = format!("expect.{name}.{key}");
    warn(problems, &scenario.standing, &path, NO_BIN.to_owned(), WHOLE_BINS.to_owned());
}

/// A node never has more backends than slots: it refuses whoever comes on top.
fn slots(scenario: &Scenario, name: &str, expect: &Expect, problems: &mut Problems) {
    let node = expect.of.strip_prefix("postgres.").and_then(|node| scenario.file.postgres.get(node));
    let max = match expect.bounds()[1] {
        Some(Bound::Value(written)) => expect.metric.unit().read(written).ok(),
        _ => None,
    };
    if let (Some(node), Some(max)) = (node, max)
        && max >= f64::from(node.slots())
    {
        let slots = node.slots();
        let message = format!("`{}` has {slots} slots and never more backends: this always holds", expect.of);
        let help = format!("let `max` be less than {slots}; `refused` counts those that found no slot");
        warn(problems, &scenario.standing, &format!("expect.{name}.max"), message, help);
    }
}

/// What seeds that all agree prove, where one expectation says which share of all is asked for and another
/// does not. Who asks for no share means the seeds that are run.
fn evidence(scenario: &Scenario, problems: &mut Problems) {
    let file = &scenario.file;
    let (seeds, proven) = (file.seeds.len(), proof::most_shown(file.seeds.len()));
    let asks = |share: bool| file.expect.values().any(|expect| expect.share.is_some() == share);
    if proven >= ENOUGH_PROOF || !asks(true) || !asks(false) {
        return;
    }
    let message = format!(
        "{seeds} of {seeds} seeds that agree only prove that {:.0} % of all would",
        proof::most_percent(seeds)
    );
    let help = "give more seeds: 10 prove 74 %, 20 prove 86 %, 59 prove 95 %";
    warn(problems, &scenario.standing, "seeds", message, help.to_owned());
}
