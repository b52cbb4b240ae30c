//! What runs showed as OpenMetrics text with timestamps, so that Prometheus can be filled with it and
//! simulated and measured series stand in one Grafana panel (`promtool tsdb create-blocks-from openmetrics`).
//!
//! Gauges are given with the least, mean and highest value of each ten seconds, latency with its percentiles,
//! requests and backend starts as counters. A sample stands at the end of its bin. Left out: histograms, what
//! is known by the second only, and the dashboard, which Prometheus is itself.
//!
//! Source: the OpenMetrics 1.0 text format.

use super::Header;
use crate::engine::time::Span;
use crate::experiment::Run;
use crate::measure::{BIN, LevelBin, Measured, Quantiles};
use crate::scenario::grammar::{Cause, Outcome};
use std::fmt::Write;

/// A series: what tells it from others of its family, and (seconds from the start, value).
type Series = (String, Vec<(f64, f64)>);

/// Levels with their units and what they are, in words.
const LEVELS: [(&str, &str, &str); 18] = [
    ("in_flight", "", "Requests in the containers of a service."),
    ("pending", "", "Requests that wait for a container."),
    ("containers", "", "Containers of a service."),
    ("cap", "", "The most containers that a service may have."),
    ("open", "", "Open connections of the pools to a node."),
    ("idle", "", "Idle connections of the pools to a node."),
    ("in_use", "", "Connections in use of the pools to a node."),
    ("dialling", "", "Connections being dialled by the pools to a node."),
    ("waiting", "", "Requests that wait for a connection."),
    ("clients", "", "Clients of a pooler."),
    ("backends", "", "Backends of a Postgres node."),
    ("active", "", "Backends at work."),
    ("grant_queue", "", "Connections that wait to be let in."),
    ("cpu_busy", "ratio", "Cores that are busy, as a share."),
    ("lock_waiters", "", "Backends that wait for row locks."),
    ("disk_waiters", "", "Backends that wait for the disk."),
    ("replica_lag", "seconds", "The age of the latest commit that a replica has replayed."),
    ("job_sessions", "", "Backends that work for a job."),
];

/// The text; none if the scenario has no calendar start.
pub fn text(header: &Header, runs: &[Run]) -> Option<String> {
    let start_ms = header.start()?.as_millisecond();
    let labels = |run: &Run, rest: &[(&str, &str)]| labels(header, run, rest);
    let mut text = String::new();
    for (name, unit, help) in LEVELS {
        family(&mut text, (name, unit, "gauge", help), &level(runs, name, &labels), start_ms);
    }
    let help = "Latency of the requests that ended in ten seconds.";
    family(&mut text, ("latency", "seconds", "gauge", help), &latency(runs, &labels), start_ms);
    let help = "Requests that ended, by outcome.";
    family(&mut text, ("requests", "", "counter", help), &requests(runs, &labels), start_ms);
    let help = "Backends that were started, by cause.";
    family(&mut text, ("backend_starts", "", "counter", help), &starts(runs, &labels), start_ms);
    Some(text + "# EOF\n")
}

/// What tells a series of a run from all others: scenario, variant, seed, and the rest.
fn labels(header: &Header, run: &Run, rest: &[(&str, &str)]) -> String {
    let seed = run.seed.to_string();
    let own = [("scenario", header.scenario.as_str()), ("variant", &run.variant), ("seed", &seed)];
    let label = |(name, value): &(&str, &str)| format!("{name}=\"{}\"", escaped(value));
    own.iter().chain(rest).map(label).collect::<Vec<_>>().join(",")
}

/// A figure of a bin and its name.
type Figure<T, N> = (&'static str, fn(&T) -> N);

const STATS: [Figure<LevelBin, f64>; 3] =
    [("min", |bin| bin.min), ("mean", |bin| bin.mean), ("max", |bin| bin.max)];
const QUANTILES: [Figure<Quantiles, u64>; 4] = [
    ("p50", |latency| latency.p50_us),
    ("p95", |latency| latency.p95_us),
    ("p99", |latency| latency.p99_us),
    ("max", |latency| latency.max_us),
];

type Labels<'a> = &'a dyn Fn(&Run, &[(&str, &str)]) -> String;

fn level(runs: &[Run], name: &str, labels: Labels) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for run in runs {
        for series in run.measured.levels.iter().filter(|series| series.level == name) {
            for (stat, pick) in STATS {
                let values = series.bins.iter().map(|bin| Some(pick(bin)));
                let told = labels(run, &[("of", &series.of), ("stat", stat)]);
                all.push((told, at_ends(&run.measured, values)));
            }
        }
    }
    all
}

fn latency(runs: &[Run], labels: Labels) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for run in runs {
        for service in &run.measured.services {
            let of = format!("service.{}", service.service);
            for (stat, pick) in QUANTILES {
                let latencies = service.bins.iter().map(|bin| bin.latency);
                let values = latencies.map(|latency| latency.map(|latency| pick(&latency) as f64 / 1e6));
                let told = labels(run, &[("of", &of), ("stat", stat)]);
                all.push((told, at_ends(&run.measured, values)));
            }
        }
    }
    all
}

fn requests(runs: &[Run], labels: Labels) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for run in runs {
        for class in &run.measured.classes {
            let label = class.label.name();
            let of = format!("request.{}", class.class);
            for outcome in Outcome::ALL.into_iter().filter(|outcome| class.ended[*outcome as usize] > 0) {
                let counts = class.bins.iter().map(|bin| u64::from(bin.ended[outcome as usize]));
                let told = labels(run, &[("of", &of), ("label", label), ("outcome", outcome.name())]);
                all.push((told, at_ends(&run.measured, summed(counts))));
            }
        }
    }
    all
}

fn starts(runs: &[Run], labels: Labels) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    let seconds = BIN.as_secs() as usize;
    for run in runs {
        for node in &run.measured.nodes {
            let of = format!("postgres.{}", node.node);
            for cause in Cause::ALL.into_iter().filter(|cause| node.starts[*cause as usize] > 0) {
                let bins = node.starts_per_s.chunks(seconds);
                let counts = bins.map(|bin| bin.iter().map(|second| u64::from(second[cause as usize])).sum());
                let told = labels(run, &[("of", &of), ("cause", cause.name())]);
                all.push((told, at_ends(&run.measured, summed(counts))));
            }
        }
    }
    all
}

fn summed(counts: impl Iterator<Item = u64>) -> impl Iterator<Item = Option<f64>> {
    counts.scan(0, |sum, count| {
        *sum += count;
        Some(Some(*sum as f64))
    })
}

/// Each value at the end of its bin; what is no number is left out.
fn at_ends(measured: &Measured, values: impl Iterator<Item = Option<f64>>) -> Vec<(f64, f64)> {
    let end = |n: usize| (BIN * (n as u64 + 1)).min(measured.duration.max(Span(1))).as_secs();
    let there =
        values.enumerate().filter_map(|(n, value)| Some((end(n), value.filter(|value| value.is_finite())?)));
    there.collect()
}

/// A family of series under its name; nothing without samples.
fn family(
    text: &mut String,
    (name, unit, kind, help): (&str, &str, &str, &str),
    all: &[Series],
    start_ms: i64,
) {
    if all.iter().all(|(_, points)| points.is_empty()) {
        return;
    }
    let name = if unit.is_empty() { format!("herdsim_{name}") } else { format!("herdsim_{name}_{unit}") };
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "# TYPE {name} {kind}");
    if !unit.is_empty() {
        let _ = writeln!(text, "# UNIT {name} {unit}");
    }
    let _ = writeln!(text, "# HELP {name} {help}");
    let suffix = if kind == "counter" { "_total" } else { "" };
    for (labels, points) in all {
        for (at, value) in points {
            let ms = start_ms + (at * 1e3).round() as i64;
            let _ = writeln!(
                text,
                "{name}{suffix}{{{labels}}} {value} {}.{:03}",
                ms.div_euclid(1000),
                ms.rem_euclid(1000)
            );
        }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
#[path = "openmetrics_tests.rs"]
mod tests;
