//! Variants over each other: latency of a service above, connection storms of a node below.
//!
//! Each point is the greatest value in its column, so that a storm of one second is as high here as it was.

use super::WIDTH;
use super::axis::{Frame, Scale, TimeAxis};
use super::marks::{Marks, lasting};
use super::page::{self, BELOW, Key, LEFT, RIGHT, STRIP};
use crate::experiment::Run;
use crate::measure::BIN;
use crate::report::canvas::{Drawing, Point, Stroke};
use crate::report::{Header, font, human};

/// The most columns of a line.
const COLUMNS: usize = 520;

/// The chart of some runs, one for each variant.
pub fn draw(header: &Header, runs: &[&Run], service: &str, node: &str) -> Drawing {
    let longest = runs.iter().map(|run| run.measured.duration.as_secs()).fold(0.0, f64::max);
    let axis = TimeAxis::new(header, longest);
    let p99: Vec<Vec<Option<f64>>> = runs.iter().map(|run| p99_of(run, service)).collect();
    let storms: Vec<Vec<Option<f64>>> = runs.iter().map(|run| storms_of(run, node)).collect();
    let most = |values: &[Option<f64>]| values.iter().flatten().copied().fold(f64::NAN, f64::max);
    let entry = |(n, run): (usize, &&Run)| {
        let (p99, storm) = (human::latency(most(&p99[n])), human::number(most(&storms[n])));
        let name = font::fit(&run.variant, page::SMALL.em, page::SMALL.weight, 180.0);
        (format!("{name} ({p99}, {storm})"), Key::Line(page::nth_stroke(n), None))
    };
    let entries: Vec<(String, Key)> = runs.iter().enumerate().map(entry).collect();
    let mut latency = Frame { left: LEFT, top: 0.0, width: WIDTH - LEFT - RIGHT, height: 270.0 };
    let legend = 17.0 * page::legend_rows(latency.width, &entries).len() as f64;
    let marks = Marks::new(events(runs), &axis, &latency);
    latency.top = STRIP + marks.above() + 34.0 + legend;
    let herd = Frame { top: latency.bottom() + 46.0, height: 220.0, ..latency };

    let title = format!("Variants: latency of {service}, and storms of new connections to {node}");
    let seeds: Vec<String> = runs.iter().map(|run| run.seed.to_string()).collect();
    let same = seeds.iter().all(|seed| *seed == seeds[0]);
    let seed = if same { seeds.first().cloned().unwrap_or_default() } else { seeds.join(", ") };
    let mut drawing = page::begin(
        herd.bottom() + BELOW + marks.below(),
        &title,
        &format!("{} · seed {seed}", header.title),
    );
    for frame in [&latency, &herd] {
        marks.bands(&mut drawing, &axis, frame);
    }

    let present = || p99.iter().flatten().flatten().copied();
    let scale = Scale::log(present().fold(f64::NAN, f64::min), present().fold(f64::NAN, f64::max));
    let title =
        format!("highest p99 of {} s in each column; the legend names the highest of all", BIN.as_secs());
    page::panel(&mut drawing, &latency, &axis, &title, (&scale, human::tick));
    curves(&mut drawing, &latency, &axis, &scale, &p99);

    let scale = Scale::linear(storms.iter().flatten().flatten().copied().fold(4.0, f64::max));
    let title = "connections started in the busiest second of each column";
    page::panel(&mut drawing, &herd, &axis, title, (&scale, human::number));
    curves(&mut drawing, &herd, &axis, &scale, &storms);
    page::times(&mut drawing, &herd, &axis);
    marks.draw(&mut drawing, &axis, &[latency, herd]);
    let baseline = latency.top - 30.0;
    page::legend(&mut drawing, (latency.right(), baseline), latency.width, &entries);
    for (frame, series) in [(&latency, &p99), (&herd, &storms)] {
        if series.iter().flatten().all(Option::is_none) {
            page::nothing(&mut drawing, frame, "nothing was measured");
        }
    }
    drawing
}

/// The events of all runs; the same event at the same time once.
fn events(runs: &[&Run]) -> Vec<(String, f64, Option<f64>)> {
    let mut events: Vec<(String, f64, Option<f64>)> = Vec::new();
    for event in runs.iter().flat_map(|run| lasting(&run.measured.marks)) {
        if !events.contains(&event) {
            events.push(event);
        }
    }
    events
}

fn p99_of(run: &Run, service: &str) -> Vec<Option<f64>> {
    let found = run.measured.services.iter().find(|other| other.service == service);
    let bins = found.map_or(&[][..], |found| &found.bins);
    bins.iter().map(|bin| bin.latency.map(|latency| latency.p99_us as f64)).collect()
}

fn storms_of(run: &Run, node: &str) -> Vec<Option<f64>> {
    let found = run.measured.nodes.iter().find(|other| other.node == node);
    let bins = found.map_or(&[][..], |found| &found.bins);
    bins.iter().map(|bin| Some(f64::from(bin.connects_max_1s_all))).collect()
}

/// One line a variant, the first on top: it is what the others are compared with, unless it would hide them.
fn curves(drawing: &mut Drawing, frame: &Frame, axis: &TimeAxis, scale: &Scale, series: &[Vec<Option<f64>>]) {
    // The calmest last, so that a storm does not hide it.
    let mut order: Vec<usize> = (0..series.len()).collect();
    let height = |n: usize| series[n].iter().flatten().sum::<f64>();
    order.sort_by(|a, b| height(*b).total_cmp(&height(*a)).then(a.cmp(b)));
    for n in order {
        let stroke = Stroke { width: 1.6, ..page::nth_stroke(n) };
        let x = |bin: usize| axis.x(frame, bin as f64 * BIN.as_secs());
        for piece in pieces(&series[n]) {
            let points: Vec<Point> =
                piece.iter().map(|(bin, value)| (x(*bin), scale.y(frame, *value))).collect();
            let end = piece.last().map_or(0, |(bin, _)| bin + width(&series[n]));
            drawing.line(page::steps(&points, x(end)), stroke);
        }
    }
    page::bottom_line(drawing, frame);
}

/// Bins in a column.
fn width(values: &[Option<f64>]) -> usize {
    values.len().div_ceil(COLUMNS).max(1)
}

/// The highest value of each column, at its first bin; a column without values breaks the line.
fn pieces(values: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let mut pieces: Vec<Vec<(usize, f64)>> = vec![Vec::new()];
    for (column, bins) in values.chunks(width(values)).enumerate() {
        match (bins.iter().flatten().copied().reduce(f64::max), pieces.last_mut()) {
            (Some(highest), Some(piece)) => piece.push((column * width(values), highest)),
            _ => pieces.push(Vec::new()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_value_of_a_column_survives() {
        let mut values = vec![Some(1.0); 5200];
        values[3333] = Some(360.0);
        let pieces = pieces(&values);
        assert!(pieces[0].contains(&(3330, 360.0)) && pieces[0].len() == COLUMNS);
    }
}
