//! `measured.json`: everything that runs showed, so that a picture can be drawn again without simulating.
//!
//! A mirror of [`Measured`] for serde, kept apart so that the measuring floor knows no file format. Series
//! are arrays of arrays, histograms lists of (value, count), seconds without a start are left out, NaN is
//! null.

mod classes;
mod levels;
mod nodes;

pub(super) use levels::name;

use super::Header;
use crate::engine::time::{Span, Time};
use crate::experiment::Run;
use crate::measure::{Mark, Measured, Recovery, Recycle, Spike, Storm, Stretch, StretchKind};
use crate::scenario::grammar::Cause;
use classes::{StoredClass, StoredService, class, service, stored_class, stored_service};
use levels::{
    StoredCloseUp, StoredLevel, StoredScraped, closeup, level, scraped, stored_closeup, stored_level,
    stored_scraped,
};
use nodes::{StoredNode, node, stored_node};
use serde::{Deserialize, Serialize};

/// The version of this file.
///
/// 2: `stretches` of a run, `served` and wishes by bin of a class. 3: the p99 of a service's legitimate
/// requests. 4: what is unanswered at the end. 5: the slots of a node, the histogram of a class's bins.
/// 6: the latencies of a bin by outcome, the nodes of a service.
pub const SCHEMA_VERSION: u32 = 6;

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

/// What every version of the file has.
#[derive(Deserialize)]
struct Versioned {
    schema_version: u32,
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

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
