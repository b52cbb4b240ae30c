//! A herd over its life: when it forms, how long it holds, how it spikes, and who would have seen it.
//!
//! A *recycle spike* is a latency spike beside a storm of cause `lifetime`, which began within a minute of
//! it: a fleet that replaces its connections as one, once a lifetime. A *herd* is a storm that takes half of
//! the connections within a second and is felt: a latency spike lies beside it. Where pools have shrunk to
//! the few connections that they need, those may recycle as one for hours and harm nobody. Everything here is
//! read off storms, spikes and gauges. The dashboard is a monitoring system that looks every 60 s, so that it
//! sees a gauge of an instant only. Left out: what an operator would have made of it.

use super::calm::mid;
use super::spikes::lies_beside;
use super::{BIN, LevelSeries, Measured, NodeMeasured, ScrapedSeries, ServiceMeasured, Spike, Storm};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Cause, Metric};
use crate::scenario::window::Window;

/// A herd starts this share of the open connections within a second.
const HERD_SHARE: f64 = 0.5;
/// The next herd of the same fleet comes so many lifetimes later.
const NEXT: (f64, f64) = (0.8, 1.2);
/// Gaps are alike within this time.
const ALIKE: Span = Span::from_secs(5);
/// A dashboard sees a spike by its last sample within this time of its end.
const SEEN_WITHIN: Span = Span::from_secs(60);
/// It sees a spike if a sample reaches this part of the true peak.
pub const SEEN_FROM: f64 = 0.5;
/// The gauge that shows a spike most plainly: backends at work.
pub const GAUGE: &str = "active";

/// A metric of a node: its herds of a cause, or its dashboard.
pub fn of_node(metric: Metric, measured: &Measured, node: &str, cause: Cause, window: &Window) -> f64 {
    let herds = || {
        let mine = measured.storms.iter().filter(|storm| storm.node == node && storm.cause == cause);
        mine.filter(|storm| window.holds(storm.at) && is_herd(measured, storm))
    };
    match metric {
        Metric::HerdOnset => herds().next().map_or(f64::NAN, |storm| storm.at.as_secs()),
        Metric::HerdLasts => {
            let found = measured.nodes.iter().find(|other| other.node == node);
            found.map_or(f64::NAN, |node| lasts(&herds().collect::<Vec<_>>(), node) as f64)
        }
        _ => {
            let sightings = sightings(measured, node);
            let inside: Vec<&Sighting> = sightings.iter().filter(|seen| window.holds(seen.from)).collect();
            share(inside.iter().filter(|seen| !seen.seen).count(), inside.len())
        }
    }
}

/// Whether a storm is a herd: large, and felt by a service of its node.
pub fn is_herd(measured: &Measured, storm: &Storm) -> bool {
    let near = |spike: &Spike| {
        let service = measured.services.iter().find(|service| service.service == spike.service);
        service.is_some_and(|service| service.nodes.contains(&storm.node))
    };
    let felt = |spike: &Spike| {
        lies_beside(spike, storm.from, storm.to)
            && spike.beside.iter().any(|name| name == storm.cause.name())
            && near(spike)
    };
    storm.share >= HERD_SHARE && measured.spikes.iter().any(felt)
}

/// The longest run of consecutive lifetimes, each with a herd.
fn lasts(herds: &[&Storm], node: &NodeMeasured) -> usize {
    // The longest run that ends with each herd.
    let mut runs: Vec<usize> = Vec::with_capacity(herds.len());
    for (place, herd) in herds.iter().enumerate() {
        let follows = |before: &Storm| {
            let lifetimes =
                node.lifetime.map(|lifetime| herd.at.since(before.at).as_secs() / lifetime.as_secs());
            lifetimes.is_some_and(|lifetimes| lifetimes >= NEXT.0 && lifetimes <= NEXT.1)
        };
        let before = (0..place).filter(|before| follows(herds[*before])).map(|before| runs[before]).max();
        runs.push(before.unwrap_or(0) + 1);
    }
    runs.into_iter().max().unwrap_or(0)
}

/// A metric of a service.
pub fn of_service(metric: Metric, measured: &Measured, service: &ServiceMeasured, window: &Window) -> f64 {
    let mine = || recycle_spikes(measured, &service.service).filter(|spike| window.holds_bin(spike.from));
    let gaps = gaps(mine());
    match metric {
        Metric::RecycleSpikes => mine().count() as f64,
        Metric::RecycleGap => mid(gaps),
        Metric::RecycleGapRegular if gaps.len() < 2 => f64::NAN,
        Metric::RecycleGapRegular => {
            let middle = mid(gaps.clone());
            let alike = gaps.iter().filter(|gap| (**gap - middle).abs() <= ALIKE.as_secs());
            share(alike.count(), gaps.len())
        }
        _ => mid(mine().map(|spike| spike.p99_us as f64).collect()) / quiet_p99_us(measured, service),
    }
}

/// The recycle spikes of a service, in order of time.
pub fn recycle_spikes<'a>(measured: &'a Measured, service: &'a str) -> impl Iterator<Item = &'a Spike> {
    measured.spikes.iter().filter(move |spike| spike.service == service && spike.recycle.is_some())
}

/// Seconds between the storms of consecutive recycle spikes; two spikes of one storm count once.
fn gaps<'a>(spikes: impl Iterator<Item = &'a Spike>) -> Vec<f64> {
    let mut peaks: Vec<Time> =
        spikes.filter_map(|spike| spike.recycle.as_ref()).map(|recycle| recycle.at).collect();
    peaks.sort_unstable();
    peaks.dedup();
    peaks.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect()
}

/// The median p99 of a service's bins in which it has no spike, in microseconds.
fn quiet_p99_us(measured: &Measured, service: &ServiceMeasured) -> f64 {
    let spikes = || measured.spikes.iter().filter(|spike| spike.service == service.service);
    let quiet = |place: &usize| {
        let at = Time::ZERO + BIN * *place as u64;
        !spikes().any(|spike| at >= spike.from && at < spike.to)
    };
    let bins = service.bins.iter().enumerate().filter(|(place, _)| quiet(place));
    mid(bins.filter_map(|(_, bin)| bin.latency).map(|latency| latency.p99_us as f64).collect())
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// A recycle spike as the dashboard of a node met it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// Its beginning: the storm's peak or, if that is earlier, the spike's first bin.
    pub from: Time,
    /// The end of the spike.
    pub to: Time,
    /// The highest value of [`GAUGE`] from the one to the other.
    pub peak: f64,
    /// Whether a sample until a minute after the end reached half of that.
    pub seen: bool,
}

/// The recycle spikes of all services at a node, one for each of its storms, that the dashboard had time to
/// show before the run ended.
pub fn sightings(measured: &Measured, node: &str) -> Vec<Sighting> {
    let of = format!("postgres.{node}");
    let level = measured.levels.iter().find(|series| series.level == GAUGE && series.of == of);
    let scraped = measured.dashboard.iter().find(|series| series.level == GAUGE && series.of == of);
    let (Some(level), Some(scraped)) = (level, scraped) else { return vec![] };
    let end = Time::ZERO + measured.duration;
    let spans = spans(measured, node).into_iter();
    let sightings = spans.map(|(from, to)| sighting(from, to, level, scraped));
    sightings.filter(|sighting| sighting.seen || sighting.to + SEEN_WITHIN <= end).collect()
}

/// From when to when the spikes beside each lifetime storm of a node lasted.
pub fn spans(measured: &Measured, node: &str) -> Vec<(Time, Time)> {
    let mut spans: Vec<(Time, (Time, Time))> = Vec::new();
    for spike in &measured.spikes {
        let Some(recycle) = spike.recycle.as_ref().filter(|recycle| recycle.node == node) else { continue };
        let (from, to) = (spike.from.min(recycle.at), spike.to);
        match spans.iter_mut().find(|(storm, _)| *storm == recycle.at) {
            Some((_, span)) => *span = (span.0.min(from), span.1.max(to)),
            None => spans.push((recycle.at, (from, to))),
        }
    }
    spans.into_iter().map(|(_, span)| span).collect()
}

fn sighting(from: Time, to: Time, level: &LevelSeries, scraped: &ScrapedSeries) -> Sighting {
    let (first, last) = ((from.0 / BIN.0) as usize, to.0.div_ceil(BIN.0) as usize);
    let bins = level.bins.iter().take(last).skip(first);
    let peak = bins.map(|bin| bin.max).fold(0.0, f64::max);
    let near = scraped.samples.iter().filter(|(at, _)| *at >= from && *at <= to + SEEN_WITHIN);
    let seen = near.into_iter().any(|(_, value)| *value >= SEEN_FROM * peak);
    Sighting { from, to, peak, seen }
}

#[cfg(test)]
#[path = "recycles_tests.rs"]
mod tests;
