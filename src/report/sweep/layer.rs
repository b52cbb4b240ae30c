//! One thing that a sweep measured at all of its points, and the picture that suits the points.

use super::{MapOf, Swept, axis_name};
use crate::experiment::Verdict;
use crate::experiment::sweep::median;
use crate::report::canvas::Drawing;
use crate::report::human;
use crate::report::plot::{Chart, heat, line};
use crate::scenario::axis::{self, Along, Axis};
use crate::scenario::grammar::Mode;

/// Something that was measured at every point.
pub struct Layer {
    name: String,
    title: String,
    subtitle: String,
    unit: String,
    /// The bounds that are the same at every point.
    bounds: Vec<f64>,
    spots: Vec<Spot>,
}

/// What it was at one point.
#[derive(Clone, Default)]
struct Spot {
    /// With each seed.
    values: Vec<f64>,
    /// How many seeds kept within the bounds, if there are bounds.
    passed: Option<usize>,
}

impl Swept<'_> {
    /// Expectations, then the metrics that were asked for with each variant.
    pub(super) fn layers(&self) -> Vec<Layer> {
        let expectations = self.expectations().into_iter().map(|(judged, variant)| {
            let mut spots = vec![Spot::default(); self.points.len()];
            let mut bounds = judged.bounds.clone();
            for cell in self.cells {
                let found = cell.judged.iter().find(|other| other.name == judged.name);
                if let Some(found) = found {
                    let spot = &mut spots[cell.point];
                    spot.values.push(found.value);
                    bounds.retain(|bound| found.bounds.contains(bound));
                    *spot.passed.get_or_insert(0) += usize::from(found.verdict == Verdict::Pass);
                }
            }
            Layer {
                name: format!("map.{}", judged.name),
                title: format!("{}: {}", judged.name, judged.claim),
                subtitle: format!("{} · variant {variant}", self.header.title),
                unit: judged.unit.clone(),
                bounds,
                spots,
            }
        });
        expectations.chain(self.metrics()).collect()
    }

    /// The metrics that were asked for, with each variant.
    pub(super) fn metrics(&self) -> Vec<Layer> {
        let metrics = self.maps.iter().flat_map(|map| {
            let variants = self.variants();
            let suffix =
                |variant: &str| if variants.len() > 1 { format!(".{variant}") } else { String::new() };
            let layers = variants.iter().map(|variant| self.metric(map, variant, &suffix(variant)));
            layers.collect::<Vec<_>>()
        });
        metrics.collect()
    }

    fn metric(&self, map: &MapOf, variant: &str, suffix: &str) -> Layer {
        let mut spots = vec![Spot::default(); self.points.len()];
        let mut unit = "";
        for cell in self.cells.iter().filter(|cell| cell.variant == variant) {
            if let Some((value, its)) = map.of(cell) {
                spots[cell.point].values.push(value);
                unit = its;
            }
        }
        Layer {
            name: format!("map.{}{suffix}", map.text),
            title: map.text.replace('@', " of "),
            subtitle: format!("{} · variant {variant}", self.header.title),
            unit: unit.to_owned(),
            bounds: vec![],
            spots,
        }
    }

    fn variants(&self) -> Vec<&str> {
        let mut variants: Vec<&str> = Vec::new();
        for cell in self.cells {
            if !variants.contains(&cell.variant.as_str()) {
                variants.push(&cell.variant);
            }
        }
        variants
    }
}

impl Layer {
    /// What is shown of it, its median at a point, and over how many seeds; nothing where none was run.
    pub(super) fn at(&self, point: usize) -> Option<(&str, String, usize)> {
        let values = &self.spots.get(point)?.values;
        let shown = human::quantity(median(values.iter().copied()), &self.unit);
        let name = self.name.strip_prefix("map.").unwrap_or(&self.name);
        (!values.is_empty()).then_some((name, shown, values.len()))
    }

    /// The picture that suits the points.
    pub(super) fn chart(&self, sweep: &Swept) -> Chart {
        let drawing = match (sweep.mode, sweep.axes) {
            (Mode::Grid, [.., rows, columns]) => self.map(sweep, rows, columns),
            (Mode::Random, _) => self.lines(sweep, sweep.axes.len()),
            _ => self.lines(sweep, 1),
        };
        Chart { name: self.name.clone(), drawing }
    }

    fn map(&self, sweep: &Swept, rows: &Axis, columns: &Axis) -> Drawing {
        let ticks = |axis: &Axis| axis.places().iter().map(|place| place.label.clone()).collect::<Vec<_>>();
        let (row_ticks, column_ticks) = (ticks(rows), ticks(columns));
        let per_panel = (row_ticks.len() * column_ticks.len()).max(1);
        let panels =
            sweep.points.chunks(per_panel).zip(self.spots.chunks(per_panel)).map(|(points, spots)| {
                let before = sweep.axes.len() - 2;
                let named = sweep.axes.iter().take(before).zip(&points[0]);
                let title =
                    named.map(|(axis, label)| format!("{} = {label}", axis_name(axis))).collect::<Vec<_>>();
                heat::Panel {
                    title: title.join(", "),
                    cells: spots.iter().map(|spot| self.field(spot)).collect(),
                }
            });
        let bounded = self.spots.iter().any(|spot| spot.passed.is_some());
        let below = if bounded { "; below it how many seeds passed, control included" } else { "" };
        heat::draw(
            &self.title,
            &format!("{} · median over seeds{below}", self.subtitle),
            heat::Side { name: &axis_name(rows), labels: &row_ticks },
            heat::Side { name: &axis_name(columns), labels: &column_ticks },
            &panels.collect::<Vec<_>>(),
        )
    }

    fn field(&self, spot: &Spot) -> heat::Cell {
        let value = median(spot.values.iter().copied());
        let judged = spot.passed.filter(|_| !value.is_nan());
        let below = judged.map_or(String::new(), |passed| format!("{passed} of {}", spot.values.len()));
        heat::Cell { value, text: human::quantity(value, &self.unit), below }
    }

    /// One panel for each of the first so many axes; of random points only the dots mean anything.
    fn lines(&self, sweep: &Swept, axes: usize) -> Drawing {
        let panels = sweep.axes.iter().enumerate().take(axes).map(|(place, axis)| {
            let labels: Vec<&str> = sweep.points.iter().map(|point| point[place].as_str()).collect();
            let (positions, ticks) = along(axis, &labels);
            let spots = self.spots.iter().zip(positions).map(|(spot, at)| line::Spot {
                at,
                values: spot.values.clone(),
                median: median(spot.values.iter().copied()),
            });
            let joined = sweep.mode != Mode::Random;
            line::Panel { name: axis_name(axis), ticks, spots: spots.collect(), joined }
        });
        let line = if sweep.mode == Mode::Random { "" } else { ", and their median" };
        let subtitle = format!("{} · every seed{line}", self.subtitle);
        line::draw(&self.title, &subtitle, &self.unit, &panels.collect::<Vec<_>>(), &self.bounds)
    }
}

/// Where labels stand along an axis, from 0 to 1, and its ticks: by their numbers, if all are numbers of one
/// unit; one after the other otherwise.
fn along(axis: &Axis, labels: &[&str]) -> (Vec<f64>, Vec<(f64, String)>) {
    if let Along::Between(range) = &axis.along {
        let wide = range.high - range.low;
        let part = |label: &&str| axis::number(label).map_or(0.0, |(number, _)| (number - range.low) / wide);
        return (labels.iter().map(part).collect(), line::ticks(range));
    }
    let mut places: Vec<&str> = Vec::new();
    for label in labels {
        if !places.contains(label) {
            places.push(label);
        }
    }
    let numbers: Option<Vec<(f64, &str)>> = places.iter().map(|label| axis::number(label)).collect();
    let numbers = numbers.filter(|numbers| numbers.windows(2).all(|pair| pair[0].1 == pair[1].1));
    let by_order = || (0..places.len()).map(|n| n as f64).collect();
    let values: Vec<f64> =
        numbers.map_or_else(by_order, |numbers| numbers.into_iter().map(|(number, _)| number).collect());
    let (least, most) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(*value), b.max(*value)));
    let part = |value: f64| if most > least { (value - least) / (most - least) } else { 0.5 };
    let ticks: Vec<(f64, String)> =
        places.iter().zip(&values).map(|(label, value)| (part(*value), (*label).to_owned())).collect();
    let at = |label: &&str| places.iter().position(|place| place == label).map_or(0.0, |n| ticks[n].0);
    (labels.iter().map(at).collect(), ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_where_they_belong_and_names_one_after_the_other() {
        let numbers = axis::parse("a=0s,30s,120s").unwrap();
        assert_eq!(along(&numbers, &["0s", "30s", "120s"]).0, [0.0, 0.25, 1.0]);
        let names = axis::parse("a=x,y,z").unwrap();
        assert_eq!(along(&names, &["x", "y", "z"]).0, [0.0, 0.5, 1.0]);
        let range = axis::parse("a=10..20").unwrap();
        assert_eq!(along(&range, &["15", "20"]).0, [0.5, 1.0]);
    }
}
