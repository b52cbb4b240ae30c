//! Levels in the file: over ten seconds, in the seconds around storms, and as the dashboard saw them.

use super::{or_nan, some};
use crate::engine::time::Time;
use crate::measure::{CloseUp, LevelBin, LevelSeries, ScrapedSeries};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Mutex;

#[derive(Serialize, Deserialize)]
pub(super) struct StoredLevel {
    level: String,
    of: String,
    bins: Vec<[Option<f64>; 3]>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredCloseUp {
    level: String,
    of: String,
    seconds: Vec<(u64, [Option<f64>; 3])>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredScraped {
    level: String,
    of: String,
    samples: Vec<(u64, Option<f64>)>,
}

fn stored_bin(bin: &LevelBin) -> [Option<f64>; 3] {
    [bin.min, bin.mean, bin.max].map(some)
}

fn level_bin(stored: [Option<f64>; 3]) -> LevelBin {
    let [min, mean, max] = stored.map(or_nan);
    LevelBin { min, mean, max }
}

pub(super) fn stored_closeup(closeup: &CloseUp) -> StoredCloseUp {
    let seconds = closeup.seconds.iter().map(|(second, bin)| (*second, stored_bin(bin)));
    StoredCloseUp { level: closeup.level.to_owned(), of: closeup.of.clone(), seconds: seconds.collect() }
}

pub(super) fn closeup(stored: StoredCloseUp) -> CloseUp {
    let seconds = stored.seconds.into_iter().map(|(second, bin)| (second, level_bin(bin)));
    CloseUp { level: name(&stored.level), of: stored.of, seconds: seconds.collect() }
}

pub(super) fn stored_level(series: &LevelSeries) -> StoredLevel {
    let bins = series.bins.iter().map(stored_bin);
    StoredLevel { level: series.level.to_owned(), of: series.of.clone(), bins: bins.collect() }
}

pub(super) fn level(stored: StoredLevel) -> LevelSeries {
    let bins = stored.bins.into_iter().map(level_bin);
    LevelSeries { level: name(&stored.level), of: stored.of, bins: bins.collect() }
}

pub(super) fn stored_scraped(series: &ScrapedSeries) -> StoredScraped {
    let samples = series.samples.iter().map(|(at, value)| (at.0, some(*value)));
    StoredScraped { level: series.level.to_owned(), of: series.of.clone(), samples: samples.collect() }
}

pub(super) fn scraped(stored: StoredScraped) -> ScrapedSeries {
    let samples = stored.samples.into_iter().map(|(at, value)| (Time(at), or_nan(value)));
    ScrapedSeries { level: name(&stored.level), of: stored.of, samples: samples.collect() }
}

/// A name that lives as long as the program. Levels have a few dozen names, each kept once.
pub(in crate::report) fn name(text: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = names.get(text) {
        return known;
    }
    let kept: &'static str = text.to_owned().leak();
    names.insert(kept);
    kept
}
