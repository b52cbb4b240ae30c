//! Sweeps: the same question asked at every point of a grid, or at points drawn by chance.
//!
//! A point is an overlay like any other; [`plan`] lists them. At each the scenario is run with all its seeds
//! and judged by its own expectations, a *trial* at a time: one point and one seed, all variants. What a
//! trial shows depends on these alone, so trials may be done in any order, on any machine, and be kept as
//! soon as they are done. [`find`] looks for the one value from which an expectation holds.

pub mod find;
pub mod plan;
pub mod question;
mod trial;

pub use trial::{TrialBatch, run_trials};

use super::{Judged, Verdict};
use crate::measure::SummaryRow;
use crate::measure::calm::mid;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What one run at a point showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointRun {
    /// Which point.
    pub point: usize,
    /// The variant.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// The run in a few numbers.
    pub summary: Vec<KeptRow>,
    /// The expectations on this variant, judged with this seed alone.
    pub judged: Vec<SeedVerdict>,
}

/// A row of `summary.csv`, as it is kept: a list of six.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptRow(
    /// The metric.
    pub String,
    /// What it is of.
    pub String,
    /// The cause, if it is narrowed to one.
    pub String,
    /// Which statistic.
    pub String,
    /// The value; NaN where there was nothing to measure.
    #[serde(serialize_with = "write_number", deserialize_with = "read_number")]
    pub f64,
    /// The unit.
    pub String,
);

impl KeptRow {
    /// A row of a run.
    pub fn of(row: &SummaryRow) -> KeptRow {
        let SummaryRow { metric, of, cause, stat, value, unit } = row.clone();
        KeptRow(metric.to_owned(), of, cause.to_owned(), stat.to_owned(), value, unit.to_owned())
    }
}

/// An expectation at a point, judged with one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedVerdict {
    /// Its name.
    pub name: String,
    /// What it says, in words.
    pub claim: String,
    /// The value; NaN where there was nothing to measure.
    #[serde(serialize_with = "write_number", deserialize_with = "read_number")]
    pub value: f64,
    /// The unit of the value.
    pub unit: String,
    /// The least and the most that it may be, where that is known, in the same unit.
    pub bounds: Vec<f64>,
    /// The verdict.
    pub verdict: Verdict,
}

impl SeedVerdict {
    /// What is kept of an expectation that was judged with one seed.
    pub fn of(judged: &Judged) -> SeedVerdict {
        let bounds = [&judged.min, &judged.max].into_iter().flatten().map(|bound| bound.value);
        SeedVerdict {
            name: judged.name.clone(),
            claim: judged.claim.clone(),
            value: judged.values.first().copied().unwrap_or(f64::NAN),
            unit: judged.unit.to_owned(),
            bounds: bounds.filter(|bound| bound.is_finite()).collect(),
            verdict: judged.verdict,
        }
    }
}

/// JSON has no NaN and no infinity: the one is null, the others are texts.
fn write_number<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        number if number.is_finite() => serializer.serialize_f64(*number),
        number if number.is_nan() => serializer.serialize_none(),
        number => serializer.collect_str(number),
    }
}

fn read_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let text = || value.as_str().and_then(|text| text.parse().ok());
    Ok(value.as_f64().or_else(text).unwrap_or(f64::NAN))
}

/// An expectation at a point, over its seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct OverSeeds {
    /// The median value; NaN where there was nothing to measure.
    pub median: f64,
    /// How many seeds kept within the bounds.
    pub passed: usize,
    /// How many did not; the others had nothing to measure, or did not tell.
    pub failed: usize,
    /// How many seeds there were.
    pub seeds: usize,
}

/// What an expectation showed at a point.
pub fn over_seeds(cells: &[PointRun], point: usize, expectation: &str) -> OverSeeds {
    let here = cells.iter().filter(|cell| cell.point == point);
    let judged = || here.clone().flat_map(|cell| &cell.judged).filter(|judged| judged.name == expectation);
    OverSeeds {
        median: median(judged().map(|judged| judged.value)),
        passed: judged().filter(|judged| judged.verdict == Verdict::Pass).count(),
        failed: judged().filter(|judged| judged.verdict == Verdict::Fail).count(),
        seeds: judged().count(),
    }
}

/// The median of the values that there are; NaN of none.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    mid(values.filter(|value| !value.is_nan()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(seed: u64, value: f64, verdict: Verdict) -> PointRun {
        let (claim, unit, bounds) = (String::new(), "share".into(), vec![0.3]);
        let finding = SeedVerdict { name: "e".into(), claim, value, unit, bounds, verdict };
        PointRun { point: 0, variant: "v".into(), seed, summary: vec![], judged: vec![finding] }
    }

    #[test]
    fn a_point_shows_its_median_and_how_many_seeds_passed() {
        let cells = [
            cell(1, 0.2, Verdict::Pass),
            cell(2, 0.4, Verdict::Fail),
            cell(3, f64::NAN, Verdict::Inconclusive),
        ];
        let shown = super::over_seeds(&cells, 0, "e");
        assert!((shown.median - 0.3).abs() < 1e-12);
        assert_eq!((shown.passed, shown.failed, shown.seeds), (1, 1, 3));
    }

    #[test]
    fn what_is_kept_is_read_back_to_the_last_bit() {
        let third = cell(u64::MAX, 1.0 / 3.0, Verdict::Pass);
        let row = |value| KeptRow("m".into(), "of".into(), String::new(), "max".into(), value, "s".into());
        let kept = PointRun { summary: vec![row(0.1 + 0.2), row(f64::INFINITY)], ..third };
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<PointRun>(&text).unwrap(), kept, "{text}");
        let none = serde_json::to_string(&row(f64::NAN)).unwrap();
        assert!(serde_json::from_str::<KeptRow>(&none).unwrap().4.is_nan(), "{none}");
    }
}
