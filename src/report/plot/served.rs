//! Who served the requests of a class: the primary, a replica, the edge, or nobody.
//!
//! Areas stand on each other: their sum is what ended. What nobody served, whatever the outcome, is on top.
//! Under them in rows: when breakers were open, and when the edge answered by itself.

use super::axis::{Frame, Scale, TimeAxis};
use super::marks::{Marks, lasting};
use super::page::{self, BELOW, LEFT, LegendKey, RIGHT, STRIP};
use super::{Header, PALETTE, WIDTH, panels};
use crate::experiment::Run;
use crate::measure::{BIN, ClassMeasured, StretchKind, latency};
use crate::report::canvas::{Drawing, Rgb};
use crate::report::human;
use crate::report::rates::evenly;
use crate::scenario::grammar::Outcome;

/// The most columns.
const COLUMNS: usize = 360;
/// Room for the legend.
const LEGEND: f64 = 760.0;
/// What nobody served.
const NOBODY: Rgb = PALETTE[0];
const EDGE: Rgb = PALETTE[4];
/// Nodes, in file order.
const NODES: [Rgb; 4] = [PALETTE[1], PALETTE[5], PALETTE[2], PALETTE[3]];

/// What one of several served, bin by bin, or nobody.
struct Share {
    name: String,
    colour: Rgb,
    bins: Vec<u32>,
}

impl Share {
    fn entry(&self) -> (String, LegendKey) {
        let total = self.bins.iter().map(|count| u64::from(*count)).sum();
        (format!("{} ({})", self.name, human::count(total)), LegendKey::Square(self.colour))
    }
}

/// The chart of one class; `None` if it is served from one place only.
pub fn draw(header: &Header, run: &Run, class: &ClassMeasured) -> Option<Drawing> {
    let shares = shares(class)?;
    let axis = TimeAxis::new(header, run.measured.duration.as_secs());
    let mut frame = Frame { left: LEFT, top: 0.0, width: WIDTH - LEFT - RIGHT, height: 300.0 };
    let marks = Marks::new(lasting(&run.measured.marks), &axis, &frame);
    let entries: Vec<_> = shares.iter().map(Share::entry).collect();
    let legend = 17.0 * (page::legend_rows(LEGEND, &entries).len() - 1) as f64;
    frame.top = STRIP + marks.above() + 34.0 + legend;
    let rows = panels::rows(&run.measured.stretches, |stretch| {
        matches!(stretch.kind, StretchKind::Breaker | StretchKind::OutageMode)
    });
    let row = |n: usize| panels::row_frame(&frame, n);
    let last = if rows.is_empty() { frame } else { row(rows.len() - 1) };

    let label = class.label.remark();
    let title = format!("{}{label}: who served", class.class);
    let subtitle = super::subtitle(header, run, &[]);
    let mut drawing = page::begin(last.bottom() + BELOW + marks.below(), &title, &subtitle);
    marks.bands(&mut drawing, &axis, &frame);
    draw_areas(&mut drawing, &frame, &axis, &self::shares(&evenly(&run.measured, class))?);
    let mut frames = vec![frame];
    for (n, (name, spans)) in rows.iter().enumerate() {
        panels::draw_row(&mut drawing, &row(n), &axis, name, spans);
        frames.push(row(n));
    }
    page::times(&mut drawing, &last, &axis);
    marks.draw(&mut drawing, &axis, &frames);
    Some(drawing)
}

/// Nodes from the ground up, then the edge, then nobody.
fn shares(class: &ClassMeasured) -> Option<Vec<Share>> {
    if class.served.is_empty() {
        return None;
    }
    let colour = |n: usize, by: &str| if by == latency::EDGE { EDGE } else { NODES[n % NODES.len()] };
    let served = class.served.iter().enumerate();
    let mut shares: Vec<Share> = served
        .map(|(n, served)| Share {
            name: served.by.clone(),
            colour: colour(n, &served.by),
            bins: served.bins.clone(),
        })
        .collect();
    let failed = class.bins.iter().map(|bin| bin.ended.iter().sum::<u32>() - bin.ended[Outcome::Ok as usize]);
    shares.push(Share { name: "not served".to_owned(), colour: NOBODY, bins: failed.collect() });
    Some(shares)
}

fn draw_areas(drawing: &mut Drawing, frame: &Frame, axis: &TimeAxis, shares: &[Share]) {
    let bins = shares.iter().map(|share| share.bins.len()).max().unwrap_or(0);
    let per_column = bins.div_ceil(COLUMNS).max(1);
    let columns = bins.div_ceil(per_column);
    // Exact sums over the bins of each column.
    let rate = |share: &Share, column: usize| {
        let mine = share.bins.iter().skip(column * per_column).take(per_column);
        let (n, sum) = mine.fold((0.0, 0.0), |(n, sum), count| (n + 1.0, sum + f64::from(*count)));
        if n > 0.0 { sum / (n * BIN.as_secs()) } else { 0.0 }
    };
    let all = |column: usize| shares.iter().map(|share| rate(share, column)).sum::<f64>();
    let scale = Scale::linear((0..columns).map(all).fold(0.0, f64::max));
    page::panel(drawing, frame, axis, "requests that ended, per second", (&scale, human::number));
    let edge = |column: usize| axis.x(frame, (column * per_column) as f64 * BIN.as_secs());
    for column in 0..columns {
        let mut below = 0.0;
        for share in shares {
            let above = below + rate(share, column);
            let (top, bottom) = (scale.y(frame, above), scale.y(frame, below));
            let size = (edge(column + 1) - edge(column), bottom - top);
            drawing.rect((edge(column), top), size, share.colour, 1.0);
            below = above;
        }
    }
    page::bottom_line(drawing, frame);
    let entries: Vec<_> = shares.iter().map(Share::entry).collect();
    page::legend(drawing, (frame.right(), frame.top - 10.0), LEGEND, &entries);
}
