//! Variants against a baseline, metric by metric, paired by seed.
//!
//! With common random numbers the runs of one seed meet the same customers, so that the difference within
//! each pair is judged: its mean over the pairs with Student's interval. A percentile is the run's own, and
//! the interval is over runs (per-replication quantile, then t): percentiles are never averaged to make one
//! of them. Beside the mean stands the median of the differences with its order-statistic interval, which
//! trusts no distribution.
//!
//! Many comparisons find something by chance. So each belongs to a *family*, and Holm's correction holds the
//! rate of false alarms at 5 % over the family, all variants together: the *headline* metrics (recycle
//! spikes, worst p99, recovery, p99 and user success of the legitimate classes, herd size of cause
//! `lifetime`), and all others. Verdicts follow the corrected p; intervals are 95 % each. Where no pair
//! differs at all there is nothing to test, and the row does not count (Tarone, 1990: whatever the signs of
//! the differences, it could not be found).
//!
//! A run without a value (a recovery that never came) is not left out at random: then the verdict is
//! `cannot-tell`, whatever the other pairs say. So it is where every pair differs by the same and nothing is
//! known of the steps in which the metric is measured: equal shares of small counts are no certainty. Left
//! out: effect sizes, and what a difference is worth.

use super::Run;
use super::statistics::{CONFIDENCE, Mean, correlation, holm, mean, quantile_interval, unpaired_half};
use crate::measure::calm::mid;
use crate::measure::{BIN, SummaryRow, summary};
use crate::scenario::grammar::Label;
use std::collections::{BTreeMap, BTreeSet};

/// Which way a metric went, and whether that is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// To the good side.
    Better,
    /// To the bad side.
    Worse,
    /// Up; nobody says whether that is good.
    Higher,
    /// Down; nobody says whether that is good.
    Lower,
    /// No change was detected.
    NoChange,
    /// Fewer than two pairs, a run that shows no value, pairs that differ by the same and no known steps, or
    /// a difference that may be one of many found by chance.
    CannotTell,
}

impl Shift {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Shift::Better => "better",
            Shift::Worse => "worse",
            Shift::Higher => "higher",
            Shift::Lower => "lower",
            Shift::NoChange => "no-change",
            Shift::CannotTell => "cannot-tell",
        }
    }
}

/// The variant's value over the baseline's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Where all values are above zero, the geometric mean of the pairs' ratios (the mean of their
    /// logarithms); otherwise the ratio of the two means, NaN over zero.
    pub value: f64,
    /// The 95 % interval of the former, where anything can be said of it; the latter has none.
    pub interval: Option<(f64, f64)>,
}

/// A variant against the baseline in one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    /// The variant.
    pub variant: String,
    /// What it is held against.
    pub baseline: String,
    /// What is compared: the metric, of what, narrowed to which cause, its stat and unit, as in the summary
    /// of a run (the value is that of the first run).
    pub row: SummaryRow,
    /// Whether it is of the headline family.
    pub headline: bool,
    /// Seeds that both have run and that show a value in both.
    pub pairs: usize,
    /// Seeds that both have run, one of them without a value.
    pub missing: usize,
    /// Seeds that only one of them has run.
    pub unpaired: usize,
    /// The baseline's mean over the pairs.
    pub baseline_mean: f64,
    /// The variant's mean over the pairs.
    pub variant_mean: f64,
    /// The mean difference, variant less baseline.
    pub difference: Mean,
    /// The median difference.
    pub median: f64,
    /// Its 95 % order-statistic interval; `None` with fewer than six pairs.
    pub median_interval: Option<(f64, f64)>,
    /// The ratio.
    pub ratio: Ratio,
    /// No pair differs at all.
    same: bool,
    /// The p of the difference; `None` with fewer than two pairs, or where it cannot be told.
    pub p: Option<f64>,
    /// The same, corrected over the family.
    pub p_holm: Option<f64>,
    /// The verdict.
    pub shift: Shift,
    /// How many times wider the interval would be without the pairing (Welch's); `None` where nothing varies.
    pub gain: Option<f64>,
    /// How the pairs move together; below zero the pairing widens the interval.
    pub correlation: Option<f64>,
}

impl Paired {
    /// Whether a difference would be found if it were the only one that is looked for.
    pub fn is_suspected(&self) -> bool {
        self.missing == 0 && self.p.is_some_and(|p| p < 1.0 - CONFIDENCE)
    }
}

/// What a value is known by among those of its run.
type Key = (&'static str, String, &'static str, &'static str);

/// One run in numbers.
struct Told<'a> {
    variant: &'a str,
    seed: u64,
    rows: Vec<SummaryRow>,
    values: BTreeMap<Key, f64>,
}

/// Every variant against the baseline (the first variant unless one is named) in every metric of the runs'
/// summaries, headline metrics first.
pub fn paired(runs: &[Run], baseline: Option<&str>) -> Vec<Paired> {
    let Some(baseline) = baseline.or(runs.first().map(|run| run.variant.as_str())) else { return vec![] };
    let told: Vec<Told> = runs.iter().map(tell).collect();
    let mut variants: Vec<&str> = told.iter().map(|run| run.variant).collect();
    variants.dedup();
    let of = |variant: &str| told.iter().filter(|run| run.variant == variant).collect::<Vec<_>>();
    let before = of(baseline);
    let mut all: Vec<Paired> = Vec::new();
    for variant in variants.into_iter().filter(|variant| *variant != baseline) {
        let after = of(variant);
        let mut rows: Vec<Paired> =
            shared(&before, &after).iter().map(|row| compare(row, &before, &after)).collect();
        rows.sort_by_key(|row| headline(&row.row).unwrap_or(usize::MAX));
        all.extend(rows);
    }
    for headline in [true, false] {
        correct(&mut all, headline);
    }
    for row in &mut all {
        row.shift = shift(row);
    }
    all
}

fn tell(run: &Run) -> Told<'_> {
    let rows = summary::rows(&run.measured);
    let values = rows.iter().map(|row| (key(row), row.value)).collect();
    Told { variant: &run.variant, seed: run.seed, rows, values }
}

fn key(row: &SummaryRow) -> Key {
    (row.metric, row.of.clone(), row.cause, row.stat)
}

/// What both sides measure, in the order of the summaries.
fn shared(before: &[&Told], after: &[&Told]) -> Vec<SummaryRow> {
    let theirs: BTreeSet<&Key> = after.iter().flat_map(|run| run.values.keys()).collect();
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    let rows = before.iter().flat_map(|run| &run.rows);
    rows.filter(|row| theirs.contains(&key(row)) && seen.insert(key(row))).cloned().collect()
}

fn compare(row: &SummaryRow, before: &[&Told], after: &[&Told]) -> Paired {
    let key = key(row);
    let value = |run: &Told| run.values.get(&key).copied().unwrap_or(f64::NAN);
    let partner = |run: &Told| after.iter().find(|other| other.seed == run.seed);
    let both: Vec<(f64, f64)> =
        before.iter().filter_map(|run| Some((value(run), value(partner(run)?)))).collect();
    let (one, other): (Vec<f64>, Vec<f64>) =
        both.iter().copied().filter(|(a, b)| a.is_finite() && b.is_finite()).unzip();
    let noise = ROUNDING * one.iter().chain(&other).fold(0.0, |most, value| f64::max(most, value.abs()));
    let exact = |difference: f64| if difference.abs() <= noise { 0.0 } else { difference };
    let differences: Vec<f64> = one.iter().zip(&other).map(|(a, b)| exact(b - a)).collect();
    let same = differences.iter().all(|difference| *difference == 0.0);
    // Those of pairs only: a seed that one side lacks makes the others no less sure.
    let has = |runs: &[&Told], seed: u64| runs.iter().any(|run| run.seed == seed);
    let paired = |run: &&Told| has(before, run.seed) && has(after, run.seed);
    let runs = || before.iter().chain(after).copied().filter(paired);
    let step = grain(row, mean(&one).max(mean(&other)), runs());
    let difference = Mean::of_differences(&differences, step, noise);
    // Without the steps: they are no doing of the pairs.
    let halves = unpaired_half(&one, &other).zip(Mean::of(&differences).half());
    let varies = |halves: &(f64, f64)| halves.0 > noise && halves.1 > noise;
    Paired {
        variant: after.first().map_or_else(String::new, |run| run.variant.to_owned()),
        baseline: before.first().map_or_else(String::new, |run| run.variant.to_owned()),
        row: row.clone(),
        headline: headline(row).is_some(),
        pairs: one.len(),
        missing: both.len() - one.len(),
        unpaired: before.len() + after.len() - 2 * both.len(),
        baseline_mean: mean(&one),
        variant_mean: mean(&other),
        difference,
        median: mid(differences.clone()),
        median_interval: quantile_interval(&differences, 0.5, CONFIDENCE),
        ratio: ratio(&one, &other, relative(row, step, &one, &other)),
        same,
        // Where no pair differs nothing speaks against "no difference", whatever is known of the steps.
        p: difference.p().filter(|_| same || difference.interval.is_some()),
        p_holm: None,
        shift: Shift::CannotTell,
        gain: halves.filter(varies).map(|(unpaired, paired)| unpaired / paired),
        correlation: correlation(&one, &other),
    }
}

fn ratio(one: &[f64], other: &[f64], step: f64) -> Ratio {
    let positive = one.iter().chain(other).all(|value| *value > 0.0);
    if !positive || one.is_empty() {
        let value = mean(other) / mean(one);
        return Ratio { value: if value.is_finite() { value } else { f64::NAN }, interval: None };
    }
    let logs: Vec<f64> = one.iter().zip(other).map(|(a, b)| libm::log(b / a)).collect();
    let logs = Mean::of_differences(&logs, step, ROUNDING);
    let interval = logs.interval.map(|(low, high)| (libm::exp(low), libm::exp(high)));
    Ratio { value: libm::exp(logs.mean), interval }
}

/// Differences of this share of a value are the rounding of floats.
pub(super) const ROUNDING: f64 = 1e-9;
/// Two significant digits: the histogram's buckets are at most this share of a value wide.
pub(super) const BUCKET: f64 = 1.0 / 128.0;

/// The steps in which a value is measured: whole counts, one connection of those open, the histogram's
/// buckets, bins of time.
fn grain<'a>(row: &SummaryRow, value: f64, runs: impl Iterator<Item = &'a Told<'a>>) -> f64 {
    match (row.metric, row.unit, row.stat) {
        ("herd_size", ..) => runs.filter_map(|run| connection(row, run)).fold(0.0, f64::max),
        (_, "count", "mean") => 0.0,
        (_, "count", _) => 1.0,
        (_, "ms", _) => value * BUCKET,
        ("recovery", ..) => BIN.as_secs(),
        _ => 0.0,
    }
}

/// What one connection is of a run's herd: the herd as a share over the herd in connections.
fn connection(row: &SummaryRow, run: &Told) -> Option<f64> {
    let herd = run.values.get(&key(row))?;
    let connects = run.values.get(&("connects_max_1s", row.of.clone(), row.cause, row.stat))?;
    Some(herd / connects).filter(|step| step.is_finite())
}

/// The steps as shares of the values, over both sides of the pairs (their root mean square).
fn relative(row: &SummaryRow, step: f64, one: &[f64], other: &[f64]) -> f64 {
    if row.unit == "ms" {
        return BUCKET;
    }
    let squares: Vec<f64> = one.iter().chain(other).map(|value| (step / value) * (step / value)).collect();
    mean(&squares).sqrt()
}

/// The place among the metrics that decide: few, so that the correction drowns nothing.
fn headline(row: &SummaryRow) -> Option<usize> {
    let users = Label::parted(&row.of).1 == Label::Legitimate;
    match (row.metric, row.cause, row.stat) {
        ("recycle_spikes", ..) => Some(0),
        ("worst_p99", ..) => Some(1),
        ("latency", "", "p99") if users => Some(2),
        ("user_success", ..) if users => Some(3),
        ("herd_size", "lifetime", _) => Some(4),
        ("recovery", ..) => Some(5),
        _ => None,
    }
}

/// Whether more is better (true) or worse; nothing where neither is plain.
fn more_is_better(row: &SummaryRow) -> Option<bool> {
    match (row.metric, row.cause) {
        ("user_success" | "request_success" | "throughput" | "herd_onset", _) | ("requests", "ok") => {
            Some(true)
        }
        ("requests", "") | ("backend_starts" | "backends" | "containers" | "cpu_busy" | "at_cap", _) => None,
        ("recycle_gap" | "recycle_gap_regular" | "dashboard_missed", _) => None,
        _ => Some(false),
    }
}

/// Corrects the p-values of a family.
fn correct(all: &mut [Paired], headline: bool) {
    let tested = |row: &&mut Paired| row.headline == headline && row.shown_to_differ();
    let tested: Vec<&mut Paired> = all.iter_mut().filter(tested).collect();
    let p: Vec<f64> = tested.iter().filter_map(|row| row.p).collect();
    for (row, raised) in tested.into_iter().zip(holm(&p)) {
        row.p_holm = Some(raised);
    }
}

impl Paired {
    /// Whether no pair differs at all, of two at least.
    pub fn same(&self) -> bool {
        self.same && self.missing == 0 && self.pairs > 1
    }

    /// Whether some pair differs and there is a p: whether the row is among those that are tested.
    fn shown_to_differ(&self) -> bool {
        self.p.is_some() && self.missing == 0 && !self.same()
    }
}

fn shift(row: &Paired) -> Shift {
    if row.p.is_none() || row.missing > 0 {
        return Shift::CannotTell;
    }
    let found = row.p_holm.is_some_and(|p| p < 1.0 - CONFIDENCE);
    if !found && row.is_suspected() {
        return Shift::CannotTell;
    }
    let up = row.difference.mean > 0.0;
    match more_is_better(&row.row) {
        _ if !found => Shift::NoChange,
        Some(better) if better == up => Shift::Better,
        Some(_) => Shift::Worse,
        None if up => Shift::Higher,
        None => Shift::Lower,
    }
}

#[cfg(test)]
#[path = "paired_tests.rs"]
mod tests;
