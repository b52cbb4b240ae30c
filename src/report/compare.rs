//! The few figures that tell one variant from another, over all of its seeds.
//!
//! Seeds are never averaged: a figure is the range from the least seed to the greatest. Percentiles over a
//! run come from merged histograms.

use crate::engine::time::Time;
use crate::experiment::Run;
use crate::measure::{BIN, Measured, NodeMeasured, recycles, summary};
use crate::report::font::printable;
use crate::scenario::grammar::{Cause, Label, Metric};
use crate::scenario::window::Window;
use hdrhistogram::Histogram;

/// What one run comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Latency spikes of the busiest service; NaN if nobody was answered.
    pub spikes: f64,
    /// The highest p99 of a bin of that service, in microseconds; NaN if nothing ended.
    pub worst_p99_us: f64,
    /// The p99 of all legitimate requests, whatever their outcome, in microseconds; NaN if nothing ended.
    pub p99_us: f64,
    /// The share of users' wishes that were fulfilled; NaN if there were none.
    pub user_success: f64,
    /// The largest herd of connections that were replaced for their age; of a fleet that nobody reaches there
    /// is none, and it is not calm.
    pub lifetime_herd: Option<Herd>,
    /// The largest herd of connections with which pools grew.
    pub growth_herd: Option<Herd>,
    /// When, in seconds, the first herd of connections that were replaced for their age struck any node:
    /// `herd_onset`.
    pub onset_s: Option<f64>,
}

/// The busiest second of a cause: `connects_max_1s`, and its share of those open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Herd {
    /// Backends started in it.
    pub starts: u32,
    /// They as a share of the connections open just before.
    pub share: f64,
    /// The greatest share of any second, which need not be the busiest: `herd_size`.
    pub greatest: f64,
    /// The beginning of its bin, in seconds.
    pub at_s: f64,
}

/// The service with the most requests over all runs: latency figures are its own, because a service with few
/// requests turns a handful of slow ones into a p99.
pub fn busiest(runs: &[Run]) -> Option<&str> {
    let mut requests: Vec<(&str, u64)> = Vec::new();
    for class in runs.iter().flat_map(|run| &run.measured.classes) {
        // What nobody waits for hides no service that somebody does.
        let arrived = if class.label == Label::Background { 0 } else { class.arrived };
        match requests.iter_mut().find(|(service, _)| *service == class.service) {
            Some((_, sum)) => *sum += arrived,
            None => requests.push((&class.service, arrived)),
        }
    }
    // Of equals the first, as in the file.
    requests.iter().rev().max_by_key(|(_, sum)| *sum).map(|(service, _)| *service)
}

/// The figures of one run; spikes and worst p99 of this service.
pub fn figures(measured: &Measured, service: &str, at: [&str; 2]) -> Figures {
    let mine = measured.services.iter().filter(|other| other.service == service);
    let latencies = mine.flat_map(|service| &service.bins).filter_map(|bin| bin.latency);
    let whole = Window::whole();
    let herd = |cause, at| lives(measured, cause).then(|| herd(measured, at, cause, &whole));
    Figures {
        spikes: summary::value(Metric::Spikes, measured, service, None, &whole),
        worst_p99_us: latencies.map(|latency| latency.p99_us).max().map_or(f64::NAN, |p99| p99 as f64),
        p99_us: p99_us(measured),
        user_success: user_success(measured),
        lifetime_herd: herd(Cause::Lifetime, at[0]),
        growth_herd: herd(Cause::Growth, at[1]),
        onset_s: onset(measured),
    }
}

/// All histograms of one set of outcomes as one.
pub fn merged<'a>(histograms: impl Iterator<Item = &'a Histogram<u64>>) -> Option<Histogram<u64>> {
    let mut sum: Option<Histogram<u64>> = None;
    for histogram in histograms {
        match &mut sum {
            // Equal bounds everywhere: adding cannot fail. Were it to, the figure would be that of the first.
            Some(sum) => drop(sum.add(histogram)),
            None => sum = Some(histogram.clone()),
        }
    }
    sum.filter(|sum| !sum.is_empty())
}

fn p99_us(measured: &Measured) -> f64 {
    let users = measured.classes.iter().filter(|class| class.label == Label::Legitimate);
    let histograms = users.flat_map(|class| class.latency_us.iter().flatten());
    merged(histograms).map_or(f64::NAN, |all| all.value_at_quantile(0.99) as f64)
}

fn user_success(measured: &Measured) -> f64 {
    let users = || measured.classes.iter().filter(|class| class.label == Label::Legitimate);
    let succeeded: u64 = users().map(|class| class.users.succeeded).sum();
    let failed: u64 = users().map(|class| class.users.failed).sum();
    succeeded as f64 / (succeeded + failed) as f64
}

/// Whether there was a fleet at any node.
fn lives(measured: &Measured, cause: Cause) -> bool {
    let size = |node: &str| summary::value(Metric::HerdSize, measured, node, Some(cause), &Window::whole());
    measured.nodes.iter().any(|node| !size(&node.node).is_nan())
}

/// The node at which the herds of a cause are told: that of the busiest second of all runs, the first of
/// equals. Shares of different nodes are not for comparison.
pub fn herd_node(runs: &[Run], cause: Cause) -> &str {
    let nodes = runs.iter().flat_map(|run| &run.measured.nodes);
    let most = |node: &&NodeMeasured| node.bins.iter().map(|bin| bin.connects_max_1s[cause as usize]).max();
    let all: Vec<&NodeMeasured> = nodes.collect();
    all.into_iter().rev().max_by_key(most).map_or("", |node| &node.node)
}

/// Which node is meant where there are several, as `what at NODE`.
pub fn at_node(runs: &[Run], what: &str, cause: Cause) -> Option<String> {
    let several = runs.iter().any(|run| run.measured.nodes.len() > 1);
    several.then(|| format!("{what} at {}", printable(herd_node(runs, cause))))
}

/// The largest herd of a cause at a node within a window, the first of equals; at any of a run that has
/// no such node.
pub fn herd(measured: &Measured, at: &str, cause: Cause, window: &Window) -> Herd {
    let mut largest = Herd::default();
    let has = measured.nodes.iter().any(|node| node.node == at);
    for node in measured.nodes.iter().filter(|node| !has || node.node == at) {
        let bins = node.bins.iter().enumerate().map(|(n, bin)| (Time(n as u64 * BIN.0), bin));
        for (at, bin) in bins.filter(|(at, _)| window.holds_bin(*at)) {
            let (starts, share) = (bin.connects_max_1s[cause as usize], bin.herd_size[cause as usize]);
            let greatest = largest.greatest.max(share);
            largest = match starts > largest.starts {
                true => Herd { starts, share, greatest, at_s: at.as_secs() },
                false => Herd { greatest, ..largest },
            };
        }
    }
    largest
}

fn onset(measured: &Measured) -> Option<f64> {
    let (cause, whole) = (Cause::Lifetime, Window::whole());
    let nodes = measured.nodes.iter();
    let onsets = nodes.map(|node| recycles::of_node(Metric::HerdOnset, measured, &node.node, cause, &whole));
    onsets.filter(|onset| onset.is_finite()).reduce(f64::min)
}

/// The variants in the order of their first runs, each with the figures of all its seeds.
pub fn by_variant(runs: &[Run]) -> Vec<(&str, Vec<Figures>)> {
    let mut variants: Vec<(&str, Vec<Figures>)> = Vec::new();
    let service = busiest(runs).unwrap_or_default();
    let at = [Cause::Lifetime, Cause::Growth].map(|cause| herd_node(runs, cause));
    for run in runs {
        let figures = figures(&run.measured, service, at);
        match variants.iter_mut().find(|(variant, _)| *variant == run.variant) {
            Some((_, all)) => all.push(figures),
            None => variants.push((&run.variant, vec![figures])),
        }
    }
    variants
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::ClassMeasured;
    use crate::report::synthetic;

    #[test]
    fn a_herd_and_its_cure_are_told_apart() {
        let runs = [synthetic::run("as-it-happened", 1, true), synthetic::run("jitter", 1, false)];
        let service = busiest(&runs).expect("requests");
        let [herd, cured] = runs.each_ref().map(|run| figures(&run.measured, service, ["primary"; 2]));
        assert_eq!((herd.spikes, cured.spikes), (19.0, 0.0));
        let [share, rest] = [&herd, &cured].map(|one| one.lifetime_herd.expect("a fleet").share);
        assert!(share > 0.85 && rest < 0.02);
        assert_eq!((herd.onset_s, cured.onset_s), (Some(4926.0), None));
        let nothing = figures(&synthetic::nothing().measured, service, [""; 2]);
        assert!(nothing.p99_us.is_nan() && nothing.user_success.is_nan() && nothing.onset_s.is_none());
        assert!(nothing.spikes.is_nan() && nothing.lifetime_herd.is_none(), "none is not zero");
    }

    /// The figures are those of a service that somebody waits for, however much is done behind it.
    #[test]
    fn work_in_the_background_does_not_take_the_head() {
        let mut run = synthetic::run("jitter", 1, false);
        let users = run.measured.classes[0].clone();
        let arrived = 10 * users.arrived;
        let work = ClassMeasured { service: "workers".into(), label: Label::Background, arrived, ..users };
        run.measured.classes.push(work);
        assert_eq!(busiest(&[run]), Some("frontend-api"));
    }

    /// Starts and their share are of one second: the one with the most starts.
    #[test]
    fn a_herd_is_one_second() {
        let mut measured = synthetic::run("jitter", 1, false).measured;
        let cause = Cause::Lifetime as usize;
        for (bin, (starts, share)) in measured.nodes[0].bins.iter_mut().zip([(5, 0.9), (10, 0.5), (10, 0.4)])
        {
            (bin.connects_max_1s[cause], bin.herd_size[cause]) = (starts, share);
        }
        measured.nodes[0].bins.truncate(3);
        let found = herd(&measured, "primary", Cause::Lifetime, &Window::whole());
        assert_eq!(found, Herd { starts: 10, share: 0.5, greatest: 0.9, at_s: 10.0 });
    }

    /// Of several nodes one is told, for all runs the same: shares of another are not for comparison.
    #[test]
    fn herds_are_told_at_one_node() {
        let mut runs = [synthetic::run("plain", 1, true), synthetic::run("jitter", 1, false)];
        for run in &mut runs {
            let mut other = run.measured.nodes[0].clone();
            other.node = "replica".into();
            let bin = &mut other.bins[3];
            let cause = Cause::Growth as usize;
            (bin.connects_max_1s[cause], bin.herd_size[cause]) = (9_999, 0.25);
            run.measured.nodes.push(other);
        }
        runs[1].measured.nodes[1].bins[3].connects_max_1s[Cause::Growth as usize] = 7;
        assert_eq!(
            [Cause::Lifetime, Cause::Growth].map(|cause| herd_node(&runs, cause)),
            ["primary", "replica"]
        );
        assert_eq!(at_node(&runs, "herd", Cause::Growth).as_deref(), Some("herd at replica"));
        let growth = |run: &Run, at: &str| herd(&run.measured, at, Cause::Growth, &Window::whole()).starts;
        assert_eq!(growth(&runs[0], "replica"), 9_999);
        assert_eq!(growth(&runs[0], "elsewhere"), 9_999, "a run that has no such node tells its largest");
        assert!(growth(&runs[0], "primary") < 9_999);
        let alone = [synthetic::run("plain", 1, true)];
        assert_eq!(at_node(&alone, "herd", Cause::Growth), None);
    }
}
