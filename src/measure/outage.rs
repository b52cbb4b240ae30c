//! The numbers of an outage: how busy a node was and what waited in it, how large a fleet grew, what it
//! served.
//!
//! Read off the gauges, the counts and the stretches of a run. A node whose gauge is not there had nobody
//! waiting: that is zero, and not nothing. Left out: what it felt like.

use super::{BIN, ClassMeasured, LevelBin, Measured, NodeMeasured, StretchKind, bin_start, recovery};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Metric, Outcome};
use crate::scenario::window::Window;

/// The bins of a gauge; none if it is not there.
pub fn level<'a>(measured: &'a Measured, level: &str, of: &str) -> Option<&'a [LevelBin]> {
    let found = measured.levels.iter().find(|series| series.level == level && series.of == of);
    found.map(|series| series.bins.as_slice())
}

/// A metric of a node: the mean of its gauge.
pub fn of_node(metric: Metric, measured: &Measured, node: &NodeMeasured, window: &Window) -> f64 {
    match level(measured, metric.name(), &format!("postgres.{}", node.node)) {
        Some(bins) if metric == Metric::Backends => {
            window.of(bins, BIN).map(|bin| bin.max).fold(f64::NAN, f64::max)
        }
        Some(bins) => mean(measured, bins, window),
        // No bin of the run counts: nothing was looked at.
        None if window.of(&node.bins, BIN).next().is_none() => f64::NAN,
        None => 0.0,
    }
}

/// The mean of a gauge over the bins that count; the last may be short.
pub(super) fn mean(measured: &Measured, bins: &[LevelBin], window: &Window) -> f64 {
    let (mut seconds, mut sum) = (0.0, 0.0);
    for (place, bin) in bins.iter().enumerate().filter(|(place, _)| window.holds_bin(bin_start(*place))) {
        let length = bin_length(measured, place);
        seconds += length;
        sum += bin.mean * length;
    }
    sum / seconds
}

/// How long a bin is, in seconds: the last one of a run may be short.
pub fn bin_length(measured: &Measured, place: usize) -> f64 {
    (Time::ZERO + measured.duration).since(bin_start(place)).min(BIN).as_secs()
}

/// A metric of a service.
pub fn of_service(metric: Metric, measured: &Measured, service: &str, window: &Window) -> f64 {
    match metric {
        Metric::Containers => {
            let bins = level(measured, "containers", &format!("service.{service}")).unwrap_or_default();
            window.of(bins, BIN).map(|bin| bin.max).fold(f64::NAN, f64::max)
        }
        Metric::AtCap => at_cap(measured, service, window).map_or(f64::NAN, Span::as_secs),
        Metric::Recovery => recovery::value(measured, service, window),
        _ => throughput(measured, service, window),
    }
}

/// From the beginning of the window until the fleet is at its cap, at a time that counts.
fn at_cap(measured: &Measured, service: &str, window: &Window) -> Option<Span> {
    let mine = |kind, of: &str| kind == StretchKind::Cap && of == service;
    let stretches = measured.stretches.iter().filter(|stretch| mine(stretch.kind, &stretch.of));
    let first = |from: Time, to: Time| {
        // At its beginning, or as soon as a gap in the window is over.
        let mut moments: Vec<Time> = window.except.iter().map(|gap| gap.1).collect();
        moments.extend([from, window.from]);
        moments.sort_unstable();
        moments.into_iter().find(|at| *at >= from && *at < to && window.holds(*at))
    };
    let moments = stretches.filter_map(|stretch| first(stretch.from, stretch.to.unwrap_or(Time::NEVER)));
    moments.min().map(|at| at.since(window.from))
}

fn throughput(measured: &Measured, service: &str, window: &Window) -> f64 {
    let mine: Vec<&ClassMeasured> =
        measured.classes.iter().filter(|class| class.service == service).collect();
    let places = mine.iter().map(|class| class.bins.len()).max().unwrap_or(0);
    let (mut seconds, mut served) = (0.0, 0);
    for place in (0..places).filter(|place| window.holds_bin(bin_start(*place))) {
        let bins = mine.iter().filter_map(|class| class.bins.get(place));
        served += bins.map(|bin| u64::from(bin.ended[Outcome::Ok as usize])).sum::<u64>();
        seconds += bin_length(measured, place);
    }
    served as f64 / seconds
}

#[cfg(test)]
#[path = "outage_tests.rs"]
mod tests;
