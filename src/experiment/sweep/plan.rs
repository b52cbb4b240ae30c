//! The points of a sweep: every combination of the axes' values, one after the other, or drawn by chance.
//!
//! Random points are a Latin hypercube (McKay, Beckman and Conover, 1979): each axis is cut into as many
//! strips as there are points, each strip is used once, and where in the strip a point stands is drawn. The
//! draws belong to the axis's name and the point's number, so they are the same on every platform. Left out:
//! Sobol points, whose number should be a power of two, and axes that depend on each other.

use crate::engine::chance::Stream;
use crate::scenario::axis::{Along, Axis, AxisPlace};
use crate::scenario::grammar::Mode;
use serde::{Deserialize, Serialize};

/// The most points: each is a scenario of its own.
const MOST: usize = 10_000;

/// A point: the label of its place on each axis, and what is laid over the scenario there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// One for each axis.
    pub labels: Vec<String>,
    /// `path=value`.
    pub set: Vec<String>,
}

impl Point {
    fn of(places: &[AxisPlace]) -> Point {
        Point {
            labels: places.iter().map(|place| place.label.clone()).collect(),
            set: places.iter().flat_map(|place| place.set.iter().cloned()).collect(),
        }
    }
}

/// The points that axes make; `random` is how many are drawn, and which.
///
/// # Errors
/// The axes do not fit the mode, or make more points than anybody waits for.
pub fn points(axes: &[Axis], mode: Mode, random: (usize, u64)) -> Result<Vec<Point>, String> {
    if mode != Mode::Random
        && let Some(axis) = axes.iter().find(|axis| matches!(axis.along, Along::Between(_)))
    {
        let why = "does not say which values between its ends";
        return Err(format!("`{}` {why}: write how many, `lo..hi:n`, or ask for `--mode random`", axis.name));
    }
    let points = match mode {
        Mode::Grid => grid(axes)?,
        Mode::Zip => zip(axes)?,
        Mode::Random => hypercube(axes, few(random.0)?, random.1),
    };
    Ok(points.iter().map(|places| Point::of(places)).collect())
}

fn few(count: usize) -> Result<usize, String> {
    match count {
        0 => Err("no points at all: ask for 1 or more".to_owned()),
        count if count > MOST => Err(format!("{count} points; at most {MOST}: give the axes fewer values")),
        count => Ok(count),
    }
}

/// Every combination of places, the last axis moving fastest.
fn grid(axes: &[Axis]) -> Result<Vec<Vec<AxisPlace>>, String> {
    few(axes.iter().fold(1, |size: usize, axis| size.saturating_mul(axis.places().len())))?;
    let mut points: Vec<Vec<AxisPlace>> = vec![vec![]];
    for axis in axes {
        let mut longer = Vec::new();
        for point in &points {
            longer.extend(
                axis.places().iter().map(|place| [point.as_slice(), std::slice::from_ref(place)].concat()),
            );
        }
        points = longer;
    }
    Ok(points)
}

/// The n-th place of every axis.
fn zip(axes: &[Axis]) -> Result<Vec<Vec<AxisPlace>>, String> {
    let count = axes.first().map_or(0, |axis| axis.places().len());
    if let Some(other) = axes.iter().find(|axis| axis.places().len() != count) {
        let (name, others) = (&axes[0].name, other.places().len());
        return Err(format!(
            "`zip` goes along all axes together, but `{name}` has {count} values and `{}` {others}: \
             give them equally many, or ask for `--mode grid`",
            other.name
        ));
    }
    let point = |n: usize| axes.iter().map(|axis| axis.places()[n].clone()).collect();
    Ok((0..few(count)?).map(point).collect())
}

fn hypercube(axes: &[Axis], count: usize, draw: u64) -> Vec<Vec<AxisPlace>> {
    let root = Stream::root(draw).named("sweep");
    let columns: Vec<Vec<AxisPlace>> = axes
        .iter()
        .map(|axis| {
            let own = root.named(&axis.name);
            let parts = shuffled(count, own).into_iter().enumerate().map(|(point, strip)| {
                let within = own.at(point as u64).draws().unit();
                place(axis, (strip as f64 + within) / count as f64)
            });
            parts.collect()
        })
        .collect();
    (0..count).map(|point| columns.iter().map(|column| column[point].clone()).collect()).collect()
}

/// The numbers below `count` in an order by chance (Fisher and Yates).
fn shuffled(count: usize, stream: Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut draws = stream.named("order").draws();
    for last in (1..count).rev() {
        order.swap(last, draws.below(last as u64 + 1) as usize);
    }
    order
}

/// What stands at a share, from 0 to below 1, of the way along an axis.
fn place(axis: &Axis, share: f64) -> AxisPlace {
    match &axis.along {
        Along::Places(places) => {
            places[((share * places.len() as f64) as usize).min(places.len() - 1)].clone()
        }
        Along::Between(range) => {
            // Both ends of a count are drawn as often as what is between them.
            let (low, wide) = match range.whole {
                true => (range.low - 0.5, range.high - range.low + 1.0),
                false => (range.low, range.high - range.low),
            };
            let value = low + wide * share;
            // A ten-thousandth of the range is as fine as anybody reads.
            let grain = libm::pow(10.0, libm::floor(libm::log10(range.high - range.low)) - 4.0);
            let value = if range.whole { value } else { (value / grain).round() * grain };
            let label = range.text(value.clamp(range.low, range.high));
            AxisPlace { set: vec![format!("{}={label}", axis.name)], label }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::axis;

    fn labels(axes: &[&str], mode: Mode, random: (usize, u64)) -> Vec<String> {
        let axes: Vec<Axis> = axes.iter().map(|text| axis::parse(text).unwrap()).collect();
        points(&axes, mode, random).unwrap().iter().map(|point| point.labels.join(" ")).collect()
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let points = labels(&["a=1,2", "b=x,y,z"], Mode::Grid, (0, 0));
        assert_eq!(points, ["1 x", "1 y", "1 z", "2 x", "2 y", "2 z"]);
    }

    #[test]
    fn a_zip_goes_along_all_axes_together() {
        assert_eq!(labels(&["a=1,2", "b=x,y"], Mode::Zip, (0, 0)), ["1 x", "2 y"]);
        let uneven = [axis::parse("a=1,2").unwrap(), axis::parse("b=1").unwrap()];
        assert!(points(&uneven, Mode::Zip, (0, 0)).unwrap_err().contains("`b` 1"));
        let between = [axis::parse("a=0s..9s").unwrap()];
        assert!(points(&between, Mode::Zip, (0, 0)).unwrap_err().contains("lo..hi:n"));
        assert!(points(&[], Mode::Random, (10_001, 0)).unwrap_err().contains("at most"));
    }

    #[test]
    fn random_points_use_every_strip_of_every_axis_once() {
        let axes = ["a=0s..100s", "b=x1..x3", "c=1..4", "d=u,v"];
        let drawn = labels(&axes, Mode::Random, (20, 7));
        let column = |n: usize| drawn.iter().map(move |point| point.split(' ').nth(n).unwrap());
        let mut strips: Vec<u64> =
            column(0).map(|text| (text.trim_end_matches('s').parse::<f64>().unwrap() / 5.0) as u64).collect();
        strips.sort_unstable();
        assert_eq!(strips, (0..20).collect::<Vec<_>>());
        assert_eq!(
            (column(2).filter(|n| *n == "1").count(), column(3).filter(|n| *n == "u").count()),
            (5, 10)
        );
        assert_eq!(drawn, labels(&axes, Mode::Random, (20, 7)));
        assert_ne!(drawn, labels(&axes, Mode::Random, (20, 8)));
        insta::assert_snapshot!(drawn[..3].join("\n"));
    }
}
