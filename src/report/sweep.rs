//! A sweep on paper: two tidy tables and a map of each expectation.

use super::csv::float;
use super::plot::{Chart, heat, tell_apart};
use super::{Header, human};
use crate::experiment::sweep::{Axis, Cell, Point, outcome};
use crate::experiment::{Judged, Verdict};
use crate::report::directory::verdict_name;

/// What a sweep gave.
pub struct Sweep<'a> {
    /// The scenario in short.
    pub header: &'a Header,
    /// The axes of the grid.
    pub axes: &'a [Axis],
    /// Its points, the last axis moving fastest.
    pub points: &'a [Point],
    /// What the runs showed.
    pub cells: &'a [Cell],
}

impl Sweep<'_> {
    /// One row a point, run and metric: the axes, `variant,seed,metric,of,cause,stat,value,unit`.
    pub fn summary_csv(&self) -> String {
        let rows = self.cells.iter().flat_map(|cell| {
            cell.summary.iter().map(move |row| {
                let value = float(row.value);
                (
                    cell,
                    [row.metric, &row.of, row.cause, row.stat, &value, row.unit].map(str::to_owned).to_vec(),
                )
            })
        });
        self.table(&["metric", "of", "cause", "stat", "value", "unit"], rows)
    }

    /// One row a point, run and expectation: the axes, `variant,seed,expectation,value,unit,verdict`.
    pub fn expectations_csv(&self) -> String {
        let rows = self.cells.iter().flat_map(|cell| {
            cell.judged.iter().map(move |judged| {
                let value = float(judged.values.first().copied().unwrap_or(f64::NAN));
                let cells = [&judged.name, &value, judged.unit, verdict_name(judged.verdict)];
                (cell, cells.map(str::to_owned).to_vec())
            })
        });
        self.table(&["expectation", "value", "unit", "verdict"], rows)
    }

    fn table<'a>(&self, columns: &[&str], rows: impl Iterator<Item = (&'a Cell, Vec<String>)>) -> String {
        let mut builder = ::csv::WriterBuilder::new();
        let mut writer = builder.terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
        let axes = self.axes.iter().map(|axis| axis.name.as_str());
        // Writing to memory does not fail.
        let _ = writer.write_record(
            ["scenario"].into_iter().chain(axes).chain(["variant", "seed"]).chain(columns.iter().copied()),
        );
        for (cell, values) in rows {
            let seed = cell.seed.to_string();
            let keys = [self.header.scenario.as_str()].into_iter();
            let keys = keys.chain(self.points[cell.point].labels.iter().map(String::as_str));
            let keys = keys.chain([cell.variant.as_str(), &seed]);
            let _ = writer.write_record(keys.chain(values.iter().map(String::as_str)));
        }
        writer.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The expectations that were judged, each once: its name and claim.
    fn expectations(&self) -> Vec<&Judged> {
        let mut found: Vec<&Judged> = Vec::new();
        for judged in self.cells.iter().flat_map(|cell| &cell.judged) {
            if !found.iter().any(|other| other.name == judged.name) {
                found.push(judged);
            }
        }
        found
    }

    /// A map of each expectation over the last two axes, one panel for each place of the axes before them.
    pub fn charts(&self) -> Vec<Chart> {
        let mut charts: Vec<Chart> = self
            .expectations()
            .into_iter()
            .map(|judged| Chart { name: format!("map.{}", judged.name), drawing: self.map(judged) })
            .collect();
        tell_apart(charts.iter_mut().map(|chart| &mut chart.name));
        charts
    }

    fn map(&self, judged: &Judged) -> super::canvas::Drawing {
        let (rows, columns) = match self.axes {
            [] => (None, None),
            [only] => (None, Some(only)),
            [.., rows, columns] => (Some(rows), Some(columns)),
        };
        let ticks = |axis: Option<&Axis>| match axis {
            Some(axis) => axis.places.iter().map(|place| place.label.clone()).collect(),
            None => vec![String::new()],
        };
        let (row_ticks, column_ticks) = (ticks(rows), ticks(columns));
        let per_panel = row_ticks.len() * column_ticks.len();
        let panels = self.points.chunks(per_panel.max(1)).enumerate().map(|(number, points)| {
            let before = self.axes.len().saturating_sub(2);
            let named = self.axes.iter().take(before).zip(&points[0].labels);
            let title = named.map(|(axis, label)| format!("{} = {label}", axis.name)).collect::<Vec<_>>();
            let cells = (0..points.len()).map(|place| {
                let outcome = outcome(self.cells, number * per_panel + place, &judged.name);
                heat::Cell {
                    value: outcome.median,
                    text: human::quantity(outcome.median, judged.unit),
                    below: format!("{} of {}", outcome.passed, outcome.seeds),
                }
            });
            heat::Panel { title: title.join(", "), cells: cells.collect() }
        });
        heat::draw(
            &format!("{}: {}", judged.name, judged.claim),
            &format!(
                "{} · variant {} · median over seeds; below it how many seeds kept within the bounds",
                self.header.title, judged.variant
            ),
            heat::Side { name: rows.map_or("", |axis| &axis.name), labels: &row_ticks },
            heat::Side { name: columns.map_or("", |axis| &axis.name), labels: &column_ticks },
            &panels.collect::<Vec<_>>(),
        )
    }

    /// One line a point: its places, and for each expectation the median and how many seeds passed.
    pub fn text(&self) -> String {
        let expectations = self.expectations();
        let mut text = String::new();
        for (number, point) in self.points.iter().enumerate() {
            let places: Vec<String> = self
                .axes
                .iter()
                .zip(&point.labels)
                .map(|(axis, label)| format!("{}={label}", short(&axis.name)))
                .collect();
            text +=
                &format!("{}\n", if places.is_empty() { "as written".to_owned() } else { places.join("  ") });
            for judged in &expectations {
                let outcome = outcome(self.cells, number, &judged.name);
                if outcome.seeds > 0 {
                    let value = human::quantity(outcome.median, judged.unit);
                    let (name, passed, seeds) = (&judged.name, outcome.passed, outcome.seeds);
                    text += &format!("    {name:32} {value:>10}   {passed} of {seeds} seeds pass\n");
                }
            }
        }
        text
    }

    /// Whether any expectation was judged inconclusive for want of samples.
    pub fn unmeasured(&self) -> usize {
        let all = self.cells.iter().flat_map(|cell| &cell.judged);
        all.filter(|judged| judged.verdict == Verdict::Inconclusive).count()
    }
}

/// The last two names of a path.
fn short(path: &str) -> &str {
    let mut dots = path.rmatch_indices('.');
    match (dots.next(), dots.next()) {
        (Some(_), Some((second, _))) => &path[second + 1..],
        _ => path,
    }
}
