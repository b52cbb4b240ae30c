//! A sweep on paper: two tidy tables, a text, and a picture of each expectation and of the metrics asked for.
//!
//! All of it is made of what the trials left in their files, so that a sweep that was gone on with, or merged
//! of parts, gives the same paper.

mod layer;
mod map_of;

pub use map_of::MapOf;

use super::csv::{self, float};
use super::ledger::Manifest;
use super::plot::{Chart, tell_apart};
use super::{Header, human};
use crate::experiment::sweep::{KeptRow, PointRun, SeedVerdict, over_seeds};
use crate::report::directory::{drawn, verdict_name};
use crate::scenario::axis::Axis;
use crate::scenario::grammar::Mode;

/// What a sweep gave.
pub struct Swept<'a> {
    /// The scenario in short.
    pub header: &'a Header,
    /// How the axes make points.
    pub mode: Mode,
    /// The axes.
    pub axes: &'a [Axis],
    /// Where each point stands on each axis; of a grid, the last axis moves fastest.
    pub points: &'a [Vec<String>],
    /// What the runs showed.
    pub cells: &'a [PointRun],
    /// Metrics to be mapped beside the expectations.
    pub maps: &'a [MapOf],
}

impl Swept<'_> {
    /// The tables, and the pictures if they are wanted, by path.
    pub fn files(&self, plots: bool) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![
            ("summary.csv".to_owned(), self.summary_csv().into_bytes()),
            ("expectations.csv".to_owned(), self.expectations_csv().into_bytes()),
        ];
        if plots {
            files.extend(drawn(self.charts()));
        }
        files
    }

    /// One row a point, run and metric: the axes, `variant,seed,metric,of,cause,stat,value,unit`.
    fn summary_csv(&self) -> String {
        let rows = self.cells.iter().flat_map(|cell| {
            let texts = |row: &KeptRow| {
                let KeptRow(metric, of, cause, stat, value, unit) = row.clone();
                vec![metric, of, cause, stat, float(value), unit]
            };
            cell.summary.iter().map(move |row| (cell, texts(row)))
        });
        self.table(&["metric", "of", "cause", "stat", "value", "unit"], rows)
    }

    /// One row a point, run and expectation: the axes, `variant,seed,expectation,value,unit,verdict`.
    fn expectations_csv(&self) -> String {
        let rows = self.cells.iter().flat_map(|cell| {
            cell.judged.iter().map(move |judged| {
                let (value, verdict) = (float(judged.value), verdict_name(judged.verdict).to_owned());
                (cell, vec![judged.name.clone(), value, judged.unit.clone(), verdict])
            })
        });
        self.table(&["expectation", "value", "unit", "verdict"], rows)
    }

    fn table<'a>(&self, columns: &[&str], rows: impl Iterator<Item = (&'a PointRun, Vec<String>)>) -> String {
        let axes = self.axes.iter().map(|axis| axis.name.as_str());
        let head =
            ["scenario"].into_iter().chain(axes).chain(["variant", "seed"]).chain(columns.iter().copied());
        let rows = rows.map(|(cell, values)| {
            let mut row = vec![self.header.scenario.clone()];
            row.extend_from_slice(&self.points[cell.point]);
            row.extend([cell.variant.clone(), cell.seed.to_string()]);
            row.extend(values);
            row
        });
        csv::table(head, rows)
    }

    /// The expectations that were judged, each once, with its variant.
    fn expectations(&self) -> Vec<(&SeedVerdict, &str)> {
        let mut found: Vec<(&SeedVerdict, &str)> = Vec::new();
        for (judged, variant) in self
            .cells
            .iter()
            .flat_map(|cell| cell.judged.iter().map(|judged| (judged, cell.variant.as_str())))
        {
            if !found.iter().any(|(other, _)| other.name == judged.name) {
                found.push((judged, variant));
            }
        }
        found
    }

    /// A picture of each expectation, and of each metric that was asked for with each variant: a map over the
    /// last two axes of a grid, one panel for each place of the axes before them; a line over a single axis;
    /// dots over each axis of random points.
    pub fn charts(&self) -> Vec<Chart> {
        let mut charts: Vec<Chart> = self.layers().iter().map(|layer| layer.chart(self)).collect();
        tell_apart(charts.iter_mut().map(|chart| &mut chart.name));
        charts
    }

    /// One line a point: its places; for each expectation the median and how many seeds passed; the median of
    /// each metric that was asked for.
    pub fn text(&self) -> String {
        let (expectations, metrics, axes) = (self.expectations(), self.metrics(), short_names(self.axes));
        let names = expectations.iter().map(|(judged, _)| &judged.name[..]);
        let mapped =
            (0..self.points.len()).flat_map(|number| metrics.iter().filter_map(move |one| one.at(number)));
        let names = names.chain(mapped.map(|(name, ..)| name));
        let wide = names.map(|name| name.chars().count()).max().unwrap_or(0).max(32);
        let mut text = String::new();
        for (number, point) in self.points.iter().enumerate() {
            let places = axes.iter().zip(point).map(|(axis, label)| format!("{axis}={label}"));
            text += &format!("{}\n", places.collect::<Vec<_>>().join("  "));
            for (judged, _) in &expectations {
                let shown = over_seeds(self.cells, number, &judged.name);
                if shown.seeds > 0 {
                    let value = human::quantity(shown.median, &judged.unit);
                    let told = match (shown.passed, shown.failed) {
                        (0, 0) => "nothing to judge".to_owned(),
                        (passed, _) => format!("{passed} of {} seeds pass", shown.seeds),
                    };
                    text += &format!("    {:wide$} {value:>10}   {told}\n", judged.name);
                }
            }
            for (name, value, seeds) in metrics.iter().filter_map(|metric| metric.at(number)) {
                let of = if seeds == 1 { "1 seed".to_owned() } else { format!("median of {seeds} seeds") };
                text += &format!("    {name:wide$} {value:>10}   {of}\n");
            }
        }
        text
    }
}

/// The paper of a sweep whose trials are all done.
pub fn of<'a>(manifest: &'a Manifest, cells: &'a [PointRun], maps: &'a [MapOf]) -> Swept<'a> {
    Swept {
        header: &manifest.header,
        mode: manifest.mode,
        axes: &manifest.axes,
        points: &manifest.points,
        cells,
        maps,
    }
}

/// What an axis is called where people look: every path that it moves.
fn axis_name(axis: &Axis) -> String {
    names(axis, |path| path)
}

/// The paths of an axis; of one beside the path before it the last name is enough.
fn names(axis: &Axis, shown: impl Fn(&str) -> &str) -> String {
    let paths = axis.paths();
    let parent = |path: &str| path.rsplit_once('.').map(|(parent, _)| parent.to_owned());
    let name = |(n, path): (usize, &String)| match n {
        n if n > 0 && parent(path).is_some() && parent(path) == parent(&paths[n - 1]) => {
            path.rsplit('.').next().unwrap_or(path).to_owned()
        }
        _ => shown(path).to_owned(),
    };
    paths.iter().enumerate().map(name).collect::<Vec<_>>().join(", ")
}

/// The axes by the last names of their paths: two, or as many as tell them apart.
fn short_names(axes: &[Axis]) -> Vec<String> {
    let longest = axes.iter().flat_map(Axis::paths).map(|path| path.split('.').count()).max().unwrap_or(0);
    let named = |parts: usize| -> Vec<String> {
        axes.iter().map(|axis| names(axis, |path| last_names(path, parts))).collect()
    };
    let apart = |names: &Vec<String>| (1..names.len()).all(|n| !names[..n].contains(&names[n]));
    (2..=longest).map(named).find(apart).unwrap_or_else(|| named(longest))
}

/// So many of the last names of a path.
fn last_names(path: &str, parts: usize) -> &str {
    path.rmatch_indices('.').nth(parts - 1).map_or(path, |(dot, _)| &path[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::axis::parse;

    #[test]
    fn axes_have_as_many_names_as_tell_them_apart() {
        let names = |paths: &[&str]| {
            let axes = paths.iter().map(|path| parse(&format!("{path}=1,2")).unwrap());
            short_names(&axes.collect::<Vec<_>>())
        };
        assert_eq!(names(&["service.web.pool.main.max", "traffic.users.rate"]), ["main.max", "users.rate"]);
        let pools = ["service.web.pool.main.max", "service.api.pool.main.max", "seeds"];
        assert_eq!(names(&pools), ["web.pool.main.max", "api.pool.main.max", "seeds"]);
    }
}
