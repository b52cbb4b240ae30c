//! Gauges on stacked panels with one time axis, and under them in rows when something was not as usual.
//!
//! Each column is as high as its highest bin. Scales hold what the peers showed too, so that the pictures of
//! variants can be laid over each other.

use super::WIDTH;
use super::axis::{Frame, Scale, TimeAxis};
use super::marks::{Marks, lasting};
use super::page::{self, BELOW, FAINT, LEFT, LegendKey, RIGHT, STRIP};
use super::variants::highest;
use crate::experiment::Run;
use crate::measure::{LevelBin, Stretch, outage};
use crate::report::Header;
use crate::report::canvas::{Anchor, Drawing, Rgb, Stroke};
use crate::report::outage::stretch_words;

/// Width of a column in pixels.
const COLUMN: f64 = 2.0;
/// Room above a panel for its title.
const HEAD: f64 = 34.0;
/// Height of a panel.
const HEIGHT: f64 = 150.0;
/// Height of a row of stretches, its name above included.
const ROW: f64 = 30.0;
/// Height of the bar in a row.
const BAR: f64 = 10.0;
const ROWS: Rgb = super::PALETTE[0];

/// A gauge, or two of them.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// The gauge that stands as columns, and what it is of.
    pub level: (&'static str, String),
    /// Which number of a bin.
    pub value: fn(&LevelBin) -> f64,
    /// The gauge that goes over it as a line, and its name in the legend.
    pub line: Option<(&'static str, &'static str)>,
    /// The colour of the columns.
    pub colour: Rgb,
    /// What stands at a tick.
    pub label: fn(f64) -> String,
    /// The scale goes at least so far up.
    pub least: f64,
}

const LINE: Stroke = Stroke { colour: super::PALETTE[6], width: 1.8, dash: &[7.0, 3.0] };

/// The chart of some panels, and of those stretches of the run that `shown` picks.
pub fn draw(
    header: &Header,
    (run, peers): (&Run, &[&Run]),
    title: &str,
    panels: &[Panel],
    shown: impl Fn(&Stretch) -> bool,
) -> Drawing {
    let axis = TimeAxis::new(header, run.measured.duration.as_secs());
    let whole = Frame { left: LEFT, top: 0.0, width: WIDTH - LEFT - RIGHT, height: HEIGHT };
    let marks = Marks::new(lasting(&run.measured.marks), &axis, &whole);
    let top = STRIP + marks.above();
    let frame = |n: usize| Frame { top: top + (HEAD + HEIGHT) * n as f64 + HEAD, ..whole };
    let rows = rows(&run.measured.stretches, shown);
    let row = |n: usize| row_frame(&frame(panels.len() - 1), n);

    let subtitle = super::subtitle(header, run, peers);
    let mut frames: Vec<Frame> = (0..panels.len()).map(frame).collect();
    let last = if rows.is_empty() { frames[frames.len() - 1] } else { row(rows.len() - 1) };
    let mut drawing = page::begin(last.bottom() + BELOW + marks.below(), title, &subtitle);
    for (panel, frame) in panels.iter().zip(&frames) {
        marks.bands(&mut drawing, &axis, frame);
        draw_panel(&mut drawing, frame, &axis, panel, (run, peers));
    }
    for (n, (name, spans)) in rows.iter().enumerate() {
        draw_row(&mut drawing, &row(n), &axis, name, spans);
        frames.push(row(n));
    }
    page::times(&mut drawing, &last, &axis);
    marks.draw(&mut drawing, &axis, &frames);
    drawing
}

fn values(run: &Run, level: &str, of: &str, value: fn(&LevelBin) -> f64) -> Vec<Option<f64>> {
    let bins = outage::level(&run.measured, level, of).unwrap_or_default();
    bins.iter().map(|bin| Some(value(bin))).collect()
}

fn draw_panel(
    drawing: &mut Drawing,
    frame: &Frame,
    axis: &TimeAxis,
    panel: &Panel,
    (run, peers): (&Run, &[&Run]),
) {
    let (level, of) = (panel.level.0, panel.level.1.as_str());
    let of_run = |run: &Run| {
        let mut all = values(run, level, of, panel.value);
        all.extend(panel.line.iter().flat_map(|(line, _)| values(run, line, of, |bin| bin.max)));
        all
    };
    let most = peers.iter().flat_map(|peer| of_run(peer)).chain(of_run(run)).flatten();
    let scale = Scale::linear(most.fold(panel.least, f64::max));
    page::panel(drawing, frame, axis, &panel.title, (&scale, panel.label));
    let bins = values(run, level, of, panel.value);
    for (column, value) in highest(&bins, (frame.width / COLUMN) as usize, axis).into_iter().enumerate() {
        let y = scale.y(frame, value.unwrap_or(0.0));
        drawing.rect(
            (frame.left + COLUMN * column as f64, y),
            (COLUMN, frame.bottom() - y),
            panel.colour,
            1.0,
        );
    }
    if let Some((line, name)) = panel.line {
        draw_line(drawing, frame, axis, &scale, &values(run, line, of, |bin| bin.max));
        let entry = [(name.to_owned(), LegendKey::Line(LINE, None))];
        page::legend(drawing, (frame.right(), frame.top - 10.0), 500.0, &entry);
    }
    if bins.is_empty() {
        page::nothing(drawing, frame, "zero throughout");
    }
    page::bottom_line(drawing, frame);
}

fn draw_line(drawing: &mut Drawing, frame: &Frame, axis: &TimeAxis, scale: &Scale, bins: &[Option<f64>]) {
    let bin = crate::measure::BIN.as_secs();
    let point =
        |(n, value): (usize, &Option<f64>)| Some((axis.x(frame, n as f64 * bin), scale.y(frame, (*value)?)));
    let points: Vec<_> = bins.iter().enumerate().filter_map(point).collect();
    drawing.line(page::steps(&points, frame.right()), LINE);
}

/// A name and the stretches of a row.
pub(super) type StretchRow = (String, Vec<(f64, Option<f64>)>);

/// One row for each thing that was not as usual.
pub(super) fn rows(stretches: &[Stretch], shown: impl Fn(&Stretch) -> bool) -> Vec<StretchRow> {
    let mut rows: Vec<StretchRow> = Vec::new();
    for stretch in stretches.iter().filter(|stretch| shown(stretch)) {
        let name = stretch_words(stretch.kind, &stretch.of);
        let span = (stretch.from.as_secs(), stretch.to.map(|to| to.as_secs()));
        match rows.iter_mut().find(|row| row.0 == name) {
            Some(row) => row.1.push(span),
            None => rows.push((name, vec![span])),
        }
    }
    rows
}

/// Where a row stands under a panel.
pub(super) fn row_frame(above: &Frame, n: usize) -> Frame {
    Frame { top: above.bottom() + 12.0 + ROW * n as f64 + ROW - BAR - 2.0, height: BAR, ..*above }
}

/// The name of a row, and its stretches.
pub(super) fn draw_row(
    drawing: &mut Drawing,
    frame: &Frame,
    axis: &TimeAxis,
    name: &str,
    spans: &[(f64, Option<f64>)],
) {
    let name = crate::report::font::fit(name, FAINT.em, FAINT.weight, 700.0);
    drawing.text((frame.left, frame.top - 5.0), Anchor::Left, FAINT, &name);
    for (from, to) in spans {
        let left = axis.x(frame, *from);
        let right = to.map_or(frame.right(), |to| axis.x(frame, to));
        drawing.rect((left, frame.top), ((right - left).max(1.0), frame.height), ROWS, 1.0);
    }
    page::bottom_line(drawing, frame);
}
