//! Sweeps: the same question asked at every point of a grid.
//!
//! An axis is a list of overlays; a point takes one of each axis. Every point is a scenario like any other,
//! run with all its seeds and judged by the scenario's own expectations. Left out so far: axes in the
//! scenario file, random points, resuming, shards.

use super::{Judged, Run, Verdict, expect, run_all};
use crate::measure::SummaryRow;
use crate::measure::summary;
use crate::scenario::Document;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many runs are under way or in memory at once.
const AT_ONCE: usize = 16;

/// One axis of a grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The path that it moves; the first, if it moves several.
    pub name: String,
    /// Its places, in order.
    pub places: Vec<Place>,
}

/// A place on an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The value of the first path, as written.
    pub label: String,
    /// What is laid over the scenario: `path=value`.
    pub set: Vec<String>,
}

/// A point of the grid: the label of its place on each axis, and the scenario there.
#[derive(Clone, Debug)]
pub struct Point {
    /// One for each axis.
    pub labels: Vec<String>,
    /// The scenario with the overlays of the point.
    pub document: Document,
}

/// What one run at a point showed.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Which point.
    pub point: usize,
    /// The variant.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// The run in a few numbers.
    pub summary: Vec<SummaryRow>,
    /// The expectations on this variant, judged with this seed alone.
    pub judged: Vec<Judged>,
}

/// Every combination of places, the last axis moving fastest.
pub fn grid(axes: &[Axis]) -> Vec<Vec<&Place>> {
    let mut points: Vec<Vec<&Place>> = vec![vec![]];
    for axis in axes {
        let mut longer = Vec::new();
        for point in &points {
            longer.extend(axis.places.iter().map(|place| [point.as_slice(), &[place]].concat()));
        }
        points = longer;
    }
    points
}

/// Runs the named variants at every point with the seeds of its scenario. `progress` is told the share done;
/// when `stop` is set, the points that are whole are returned.
pub fn sweep(
    points: &[Point],
    variants: &[String],
    threads: Option<usize>,
    progress: &(dyn Fn(f64) + Sync),
    stop: &AtomicBool,
) -> Vec<Cell> {
    let jobs_of = |point: &Point| -> usize {
        let scenarios = variants.iter().filter_map(|variant| point.document.scenario(variant));
        scenarios.map(|scenario| scenario.file.seeds.len()).sum()
    };
    let at_once = AT_ONCE.div_ceil(points.first().map_or(1, jobs_of).max(1));
    let mut cells = Vec::new();
    for (batch, some) in points.chunks(at_once).enumerate() {
        let mut jobs = Vec::new();
        for point in some {
            for scenario in variants.iter().filter_map(|variant| point.document.scenario(variant)) {
                jobs.extend(scenario.file.seeds.iter().map(|seed| (scenario, *seed)));
            }
        }
        let before = (batch * at_once) as f64;
        let share = |part: f64| progress((before + part * some.len() as f64) / points.len() as f64);
        let runs = run_all(&jobs, threads, &share, stop);
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut runs = runs.as_slice();
        for (place, point) in some.iter().enumerate() {
            let (mine, rest) = runs.split_at(jobs_of(point));
            runs = rest;
            cells.extend(cells_of(batch * at_once + place, point, mine));
        }
    }
    cells
}

/// The runs at a point, reduced; expectations relative to another variant find it with the same seed.
fn cells_of(number: usize, point: &Point, runs: &[Run]) -> Vec<Cell> {
    let reduced = runs.iter().map(|run| {
        let alike: Vec<Run> = runs.iter().filter(|other| other.seed == run.seed).cloned().collect();
        let mut judged = expect::judge_seed(&point.document, &alike);
        judged.retain(|judged| judged.variant == run.variant);
        let summary = summary::rows(&run.measured);
        Cell { point: number, variant: run.variant.clone(), seed: run.seed, summary, judged }
    });
    reduced.collect()
}

/// An expectation at a point, over its seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The median value; NaN where there was nothing to measure.
    pub median: f64,
    /// How many seeds kept within the bounds.
    pub passed: usize,
    /// How many seeds there were.
    pub seeds: usize,
}

/// What an expectation showed at a point.
pub fn outcome(cells: &[Cell], point: usize, expectation: &str) -> Outcome {
    let here = cells.iter().filter(|cell| cell.point == point);
    let judged = || here.clone().flat_map(|cell| &cell.judged).filter(|judged| judged.name == expectation);
    let mut values: Vec<f64> =
        judged().flat_map(|judged| judged.values.iter().copied()).filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    let median = match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    };
    Outcome {
        median,
        passed: judged().filter(|judged| judged.verdict == Verdict::Pass).count(),
        seeds: judged().count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, labels: &[&str]) -> Axis {
        let place = |label: &&str| Place { label: (*label).to_owned(), set: vec![format!("{name}={label}")] };
        Axis { name: name.to_owned(), places: labels.iter().map(place).collect() }
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let axes = [axis("a", &["1", "2"]), axis("b", &["x", "y", "z"])];
        let points: Vec<String> =
            grid(&axes).iter().map(|point| format!("{}{}", point[0].label, point[1].label)).collect();
        assert_eq!(points, ["1x", "1y", "1z", "2x", "2y", "2z"]);
    }

    #[test]
    fn a_point_shows_its_median_and_how_many_seeds_passed() {
        let cell = |seed, value, verdict| Cell {
            point: 0,
            variant: "v".into(),
            seed,
            summary: vec![],
            judged: vec![Judged {
                name: "e".into(),
                variant: "v".into(),
                unit: "share",
                values: vec![value],
                verdict,
                ..Judged::default()
            }],
        };
        let cells = [
            cell(1, 0.2, Verdict::Pass),
            cell(2, 0.4, Verdict::Fail),
            cell(3, f64::NAN, Verdict::Inconclusive),
        ];
        let outcome = super::outcome(&cells, 0, "e");
        assert!((outcome.median - 0.3).abs() < 1e-12);
        assert_eq!((outcome.passed, outcome.seeds), (1, 3));
    }
}
