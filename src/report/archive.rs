//! `measured.json`: everything that runs showed, so that a picture can be drawn again without simulating.
//!
//! A mirror of [`Measured`] for serde, kept apart so that the measuring floor knows no file format. Series
//! are arrays of arrays, histograms lists of (value, count), seconds without a start are left out, NaN is
//! null.

use super::Header;
use crate::engine::time::{Span, Time};
use crate::experiment::Run;
use crate::measure::*;
use crate::scenario::grammar::{Cause, Label};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// The version of this file.
///
/// 2: `stretches` of a run, `served` and wishes by bin of a class. 3: the p99 of a service's legitimate
/// requests. 4: what is unanswered at the end. 5: the slots of a node, the histogram of a class's bins.
pub const SCHEMA_VERSION: u32 = 5;

/// The whole file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Archive {
    schema_version: u32,
    header: Header,
    runs: Vec<StoredRun>,
}

#[derive(Serialize, Deserialize)]
struct StoredRun {
    variant: String,
    seed: u64,
    duration_ns: u64,
    classes: Vec<StoredClass>,
    services: Vec<StoredService>,
    nodes: Vec<StoredNode>,
    levels: Vec<StoredLevel>,
    closeups: Vec<StoredCloseUp>,
    dashboard: Vec<StoredScraped>,
    storms: Vec<StoredStorm>,
    spikes: Vec<StoredSpike>,
    recoveries: Vec<(String, String, Option<u64>)>,
    marks: Vec<(u64, String, bool)>,
    stretches: Vec<(String, String, u64, Option<u64>)>,
}

/// Node, cause, from, to, peak, starts, share.
type StoredStorm = (String, Cause, u64, u64, u64, u32, Option<f64>);

/// Service, from, to, p99, what is beside it, node and peak of its lifetime storm.
type StoredSpike = (String, u64, u64, u64, Vec<String>, Option<(String, u64)>);

/// p50, p95, p99, max.
type StoredQuantiles = Option<[u64; 4]>;

#[derive(Serialize, Deserialize)]
struct StoredClass {
    class: String,
    label: Label,
    service: String,
    arrived: u64,
    ended: [u64; OUTCOMES],
    in_flight: u64,
    users: [u64; 3],
    latency_us: Vec<Option<StoredHistogram>>,
    bins: Vec<StoredClassBin>,
    served: Vec<(String, Vec<u32>)>,
}

/// What every version of the file has.
#[derive(Deserialize)]
struct Versioned {
    schema_version: u32,
}

#[derive(Serialize, Deserialize)]
struct StoredHistogram {
    low: u64,
    high: u64,
    figures: u8,
    counts: Vec<(u64, u64)>,
}

/// Arrived, ended, wishes fulfilled and given up and requests unanswered, latency, and how many by latency.
type StoredClassBin = (u32, [u32; OUTCOMES], [u32; 3], StoredQuantiles, Vec<(u32, u32)>);

/// Latency of all, p99 of the legitimate, buckets.
type StoredServiceBin = (StoredQuantiles, Option<u64>, Vec<(u16, u32)>);

#[derive(Serialize, Deserialize)]
struct StoredService {
    service: String,
    bins: Vec<StoredServiceBin>,
}

#[derive(Serialize, Deserialize)]
struct StoredNode {
    node: String,
    lifetime_ns: Option<u64>,
    starts: [u64; CAUSES],
    slots: u32,
    refused: u64,
    seconds: usize,
    starts_per_s: Vec<(usize, [u32; CAUSES])>,
    bins: Vec<StoredHerd>,
    cycles: Vec<(u64, u64, [Option<f64>; 5])>,
    herd_gain: Option<f64>,
}

/// connects_max_1s by cause and over all, herd_size by cause and over all.
type StoredHerd = ([u32; CAUSES], u32, [Option<f64>; CAUSES], Option<f64>);

#[derive(Serialize, Deserialize)]
struct StoredLevel {
    level: String,
    of: String,
    bins: Vec<[Option<f64>; 3]>,
}

#[derive(Serialize, Deserialize)]
struct StoredCloseUp {
    level: String,
    of: String,
    seconds: Vec<(u64, [Option<f64>; 3])>,
}

#[derive(Serialize, Deserialize)]
struct StoredScraped {
    level: String,
    of: String,
    samples: Vec<(u64, Option<f64>)>,
}

/// The file's text.
///
/// # Errors
/// Never for what a run can show; serde's interface allows for it.
pub fn to_json(header: &Header, runs: &[Run]) -> Result<String, serde_json::Error> {
    let runs = runs.iter().map(stored_run).collect();
    serde_json::to_string(&Archive { schema_version: SCHEMA_VERSION, header: header.clone(), runs })
        .map(|text| text + "\n")
}

/// The header and the runs in a file's text.
///
/// # Errors
/// Says what is wrong with the text.
pub fn from_json(text: &str) -> Result<(Header, Vec<Run>), String> {
    let versioned: Versioned = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match versioned.schema_version {
        SCHEMA_VERSION => {}
        version => {
            let which = if version < SCHEMA_VERSION { "an older" } else { "a newer" };
            return Err(format!(
                "{which} version wrote it (schema version {version}, this program reads {SCHEMA_VERSION}): \
                 run the scenario again, or use the version that wrote it"
            ));
        }
    }
    let archive: Archive = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let runs = archive.runs.into_iter().map(run).collect::<Result<_, _>>()?;
    Ok((archive.header, runs))
}

/// A name that lives as long as the program. Levels have a few dozen names, each kept once.
pub(super) fn name(text: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = names.get(text) {
        return known;
    }
    let kept: &'static str = text.to_owned().leak();
    names.insert(kept);
    kept
}

fn some(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn or_nan(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}

fn stored_run(run: &Run) -> StoredRun {
    let measured = &run.measured;
    let storm = |s: &Storm| (s.node.clone(), s.cause, s.from.0, s.to.0, s.at.0, s.starts, some(s.share));
    let spike = |s: &Spike| {
        let recycle = s.recycle.as_ref().map(|recycle| (recycle.node.clone(), recycle.at.0));
        (s.service.clone(), s.from.0, s.to.0, s.p99_us, s.beside.clone(), recycle)
    };
    let stretch = |s: &Stretch| (s.kind.name().to_owned(), s.of.clone(), s.from.0, s.to.map(|to| to.0));
    let recovery = |r: &Recovery| (r.event.clone(), r.service.clone(), r.after.map(|after| after.0));
    StoredRun {
        variant: run.variant.clone(),
        seed: run.seed,
        duration_ns: measured.duration.0,
        classes: measured.classes.iter().map(stored_class).collect(),
        services: measured.services.iter().map(stored_service).collect(),
        nodes: measured.nodes.iter().map(stored_node).collect(),
        levels: measured.levels.iter().map(stored_level).collect(),
        closeups: measured.closeups.iter().map(stored_closeup).collect(),
        dashboard: measured.dashboard.iter().map(stored_scraped).collect(),
        storms: measured.storms.iter().map(storm).collect(),
        spikes: measured.spikes.iter().map(spike).collect(),
        recoveries: measured.recoveries.iter().map(recovery).collect(),
        marks: measured.marks.iter().map(|mark| (mark.at.0, mark.event.clone(), mark.begins)).collect(),
        stretches: measured.stretches.iter().map(stretch).collect(),
    }
}

fn run(stored: StoredRun) -> Result<Run, String> {
    let storm = |(node, cause, from, to, at, starts, share): StoredStorm| {
        let (from, to, at) = (Time(from), Time(to), Time(at));
        Storm { node, cause, from, to, at, starts, share: or_nan(share) }
    };
    let spike = |(service, from, to, p99_us, beside, recycle): StoredSpike| {
        let recycle = recycle.map(|(node, at)| Recycle { node, at: Time(at) });
        Spike { service, from: Time(from), to: Time(to), p99_us, beside, recycle }
    };
    let recovery =
        |(event, service, after): (_, _, Option<u64>)| Recovery { event, service, after: after.map(Span) };
    let mark = |(at, event, begins)| Mark { at: Time(at), event, begins };
    let measured = Measured {
        duration: Span(stored.duration_ns),
        classes: stored.classes.into_iter().map(class).collect::<Result<_, _>>()?,
        services: stored.services.into_iter().map(service).collect(),
        nodes: stored.nodes.into_iter().map(node).collect::<Result<_, _>>()?,
        levels: stored.levels.into_iter().map(level).collect(),
        closeups: stored.closeups.into_iter().map(closeup).collect(),
        dashboard: stored.dashboard.into_iter().map(scraped).collect(),
        storms: stored.storms.into_iter().map(storm).collect(),
        spikes: stored.spikes.into_iter().map(spike).collect(),
        recoveries: stored.recoveries.into_iter().map(recovery).collect(),
        marks: stored.marks.into_iter().map(mark).collect(),
        stretches: stored.stretches.into_iter().map(stretch).collect::<Result<_, _>>()?,
    };
    Ok(Run { variant: stored.variant, seed: stored.seed, measured })
}

fn stretch((kind, of, from, to): (String, String, u64, Option<u64>)) -> Result<Stretch, String> {
    let known = StretchKind::ALL.into_iter().find(|known| known.name() == kind);
    let kind = known.ok_or_else(|| format!("there are no stretches of kind {kind}"))?;
    Ok(Stretch { kind, of, from: Time(from), to: to.map(Time) })
}

fn stored_quantiles(latency: Option<Quantiles>) -> StoredQuantiles {
    latency.map(|q| [q.p50_us, q.p95_us, q.p99_us, q.max_us])
}

fn quantiles(stored: StoredQuantiles) -> Option<Quantiles> {
    stored.map(|[p50_us, p95_us, p99_us, max_us]| Quantiles { p50_us, p95_us, p99_us, max_us })
}

fn stored_class(class: &ClassMeasured) -> StoredClass {
    let bin = |bin: &ClassBin| {
        let counts = [bin.fulfilled, bin.given_up, bin.unanswered];
        (bin.arrived, bin.ended, counts, stored_quantiles(bin.latency), bin.counts.clone())
    };
    StoredClass {
        class: class.class.clone(),
        label: class.label,
        service: class.service.clone(),
        arrived: class.arrived,
        ended: class.ended,
        in_flight: class.in_flight,
        users: [class.users.arrived, class.users.succeeded, class.users.failed],
        latency_us: class.latency_us.iter().map(|latency| latency.as_ref().map(stored_histogram)).collect(),
        bins: class.bins.iter().map(bin).collect(),
        served: class.served.iter().map(|served| (served.by.clone(), served.bins.clone())).collect(),
    }
}

fn class(stored: StoredClass) -> Result<ClassMeasured, String> {
    let [arrived, succeeded, failed] = stored.users;
    let bin = |(arrived, ended, [fulfilled, given_up, unanswered], latency, counts): StoredClassBin| {
        ClassBin { arrived, ended, fulfilled, given_up, unanswered, latency: quantiles(latency), counts }
    };
    let latency_us = stored.latency_us.into_iter().map(|stored| stored.map(histogram).transpose());
    Ok(ClassMeasured {
        class: stored.class,
        label: stored.label,
        service: stored.service,
        arrived: stored.arrived,
        ended: stored.ended,
        in_flight: stored.in_flight,
        users: UserCounts { arrived, succeeded, failed },
        latency_us: latency_us.collect::<Result<_, _>>()?,
        bins: stored.bins.into_iter().map(bin).collect(),
        served: stored.served.into_iter().map(|(by, bins)| Served { by, bins }).collect(),
    })
}

fn stored_histogram(histogram: &Histogram<u64>) -> StoredHistogram {
    let counts = histogram.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value()));
    StoredHistogram {
        low: histogram.low(),
        high: histogram.high(),
        figures: histogram.sigfig(),
        counts: counts.collect(),
    }
}

fn histogram(stored: StoredHistogram) -> Result<Histogram<u64>, String> {
    // The bounds decide how much memory a histogram takes: those of a damaged file could be anything.
    if stored.figures > 4 || stored.high > 1 << 50 {
        return Err("a histogram has bounds that no run has".to_owned());
    }
    let made = Histogram::new_with_bounds(stored.low, stored.high, stored.figures);
    let mut histogram = made.map_err(|error| error.to_string())?;
    for (value, count) in stored.counts {
        histogram.record_n(value, count).map_err(|error| error.to_string())?;
    }
    Ok(histogram)
}

fn stored_service(service: &ServiceMeasured) -> StoredService {
    let bin = |bin: &ServiceBin| (stored_quantiles(bin.latency), bin.users_p99_us, bin.buckets.clone());
    StoredService { service: service.service.clone(), bins: service.bins.iter().map(bin).collect() }
}

fn service(stored: StoredService) -> ServiceMeasured {
    let bin = |(latency, users_p99_us, buckets)| {
        let latency = quantiles(latency);
        ServiceBin { latency, users_p99_us, buckets }
    };
    ServiceMeasured { service: stored.service, bins: stored.bins.into_iter().map(bin).collect() }
}

fn stored_node(node: &NodeMeasured) -> StoredNode {
    let seconds = node.starts_per_s.iter().copied().enumerate();
    let herd = |bin: &HerdBin| {
        (bin.connects_max_1s, bin.connects_max_1s_all, bin.herd_size.map(some), some(bin.herd_size_all))
    };
    let cycle = |c: &Cycle| {
        let figures = [c.phase_lock_r1, c.phase_lock_r2, c.rayleigh_p, c.largest_cluster_1pct, c.fano];
        (c.from.0, c.births, figures.map(some))
    };
    StoredNode {
        node: node.node.clone(),
        lifetime_ns: node.lifetime.map(|lifetime| lifetime.0),
        starts: node.starts,
        slots: node.slots,
        refused: node.refused,
        seconds: node.starts_per_s.len(),
        starts_per_s: seconds.filter(|(_, counts)| *counts != [0; CAUSES]).collect(),
        bins: node.bins.iter().map(herd).collect(),
        cycles: node.cycles.iter().map(cycle).collect(),
        herd_gain: node.herd_gain.and_then(some),
    }
}

fn node(stored: StoredNode) -> Result<NodeMeasured, String> {
    if stored.seconds > 1 << 30 {
        return Err(format!("node {} has more seconds than any run", stored.node));
    }
    let mut starts_per_s = vec![[0; CAUSES]; stored.seconds];
    for (second, counts) in stored.starts_per_s {
        *starts_per_s.get_mut(second).ok_or("a backend started after the end of the run")? = counts;
    }
    let herd = |(connects_max_1s, connects_max_1s_all, sizes, all): StoredHerd| HerdBin {
        connects_max_1s,
        connects_max_1s_all,
        herd_size: sizes.map(or_nan),
        herd_size_all: or_nan(all),
    };
    let cycle = |(from, births, figures): (_, _, [Option<f64>; 5])| {
        let [phase_lock_r1, phase_lock_r2, rayleigh_p, largest_cluster_1pct, fano] = figures.map(or_nan);
        Cycle {
            from: Time(from),
            births,
            phase_lock_r1,
            phase_lock_r2,
            rayleigh_p,
            largest_cluster_1pct,
            fano,
        }
    };
    Ok(NodeMeasured {
        node: stored.node,
        lifetime: stored.lifetime_ns.map(Span),
        starts: stored.starts,
        slots: stored.slots,
        refused: stored.refused,
        starts_per_s,
        bins: stored.bins.into_iter().map(herd).collect(),
        cycles: stored.cycles.into_iter().map(cycle).collect(),
        herd_gain: stored.herd_gain,
    })
}

fn stored_bin(bin: &LevelBin) -> [Option<f64>; 3] {
    [bin.min, bin.mean, bin.max].map(some)
}

fn level_bin(stored: [Option<f64>; 3]) -> LevelBin {
    let [min, mean, max] = stored.map(or_nan);
    LevelBin { min, mean, max }
}

fn stored_closeup(closeup: &CloseUp) -> StoredCloseUp {
    let seconds = closeup.seconds.iter().map(|(second, bin)| (*second, stored_bin(bin)));
    StoredCloseUp { level: closeup.level.to_owned(), of: closeup.of.clone(), seconds: seconds.collect() }
}

fn closeup(stored: StoredCloseUp) -> CloseUp {
    let seconds = stored.seconds.into_iter().map(|(second, bin)| (second, level_bin(bin)));
    CloseUp { level: name(&stored.level), of: stored.of, seconds: seconds.collect() }
}

fn stored_level(series: &LevelSeries) -> StoredLevel {
    let bins = series.bins.iter().map(stored_bin);
    StoredLevel { level: series.level.to_owned(), of: series.of.clone(), bins: bins.collect() }
}

fn level(stored: StoredLevel) -> LevelSeries {
    let bins = stored.bins.into_iter().map(level_bin);
    LevelSeries { level: name(&stored.level), of: stored.of, bins: bins.collect() }
}

fn stored_scraped(series: &ScrapedSeries) -> StoredScraped {
    let samples = series.samples.iter().map(|(at, value)| (at.0, some(*value)));
    StoredScraped { level: series.level.to_owned(), of: series.of.clone(), samples: samples.collect() }
}

fn scraped(stored: StoredScraped) -> ScrapedSeries {
    let samples = stored.samples.into_iter().map(|(at, value)| (Time(at), or_nan(value)));
    ScrapedSeries { level: name(&stored.level), of: stored.of, samples: samples.collect() }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
