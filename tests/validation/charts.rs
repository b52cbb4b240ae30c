//! The charts of the page, drawn with herdsim's own canvas.

use crate::page::{Point, Value};
use herdsim::report::canvas::{Anchor, Drawing, Rgb, Stroke};
use herdsim::report::plot::axis::{Frame, Scale};
use herdsim::report::plot::page::{self, FAINT, LegendKey, PANEL, SMALL};
use herdsim::report::plot::{PALETTE, WIDTH};

/// The height of a case in the chart of ratios.
const STRIP: f64 = 46.0;
/// Where the strips begin, and how much room their names have.
const TOP: f64 = 84.0;
const NAMES: f64 = 270.0;
/// The ratios at the edges.
const EDGES: (f64, f64) = (0.9, 1.1);

/// herdsim's value over the reference, row by row, with the interval: a strip for each case.
pub fn ratios(values: &[Value]) -> Drawing {
    let over = values.iter().filter(|value| value.reference != 0.0);
    let mut cases: Vec<&str> = over.map(|value| value.case.as_str()).collect();
    cases.dedup();
    let high = STRIP * cases.len() as f64;
    let subtitle = "dot: value / reference; line: combined 95 % interval; at the edge: further away; a reference of 0 \
                    has no ratio";
    let mut drawing = page::begin(TOP + high + 60.0, "herdsim over reference", subtitle);
    let frame = Frame { left: NAMES, top: TOP, width: WIDTH - NAMES - 40.0, height: high };
    let x = |ratio: f64| frame.left + frame.width * ((ratio - EDGES.0) / (EDGES.1 - EDGES.0)).clamp(0.0, 1.0);
    for tick in [0.9, 0.95, 1.0, 1.05, 1.1] {
        let colour = if tick == 1.0 { page::GREY } else { page::GRID };
        drawing.rect((x(tick).round(), frame.top), (1.0, frame.height), colour, 1.0);
        drawing.text((x(tick), frame.bottom() + 20.0), Anchor::Middle, SMALL, &format!("{tick:.2}"));
    }
    for (place, case) in cases.iter().enumerate() {
        let top = TOP + STRIP * place as f64;
        drawing.text((NAMES - 12.0, top + STRIP / 2.0 + 4.0), Anchor::Right, SMALL, case);
        drawing.rect((24.0, top), (WIDTH - 64.0, 1.0), page::GRID, 1.0);
        let rows: Vec<&Value> =
            values.iter().filter(|row| row.case == *case && row.reference != 0.0).collect();
        for (number, row) in rows.iter().enumerate() {
            let y = top + 5.0 + (STRIP - 10.0) * (number as f64 + 0.5) / rows.len() as f64;
            let side = f64::max(row.high - row.value, row.value - row.low);
            let half = (side * side + row.reference_half_width * row.reference_half_width).sqrt();
            let ratio = |value: f64| x(value / row.reference);
            let stroke = Stroke { colour: Rgb(0xB8, 0xB8, 0xB8), width: 0.8, dash: &[] };
            drawing.line(vec![(ratio(row.value - half), y), (ratio(row.value + half), y)], stroke);
            let colour = PALETTE[if row.is_inside() { 1 } else { 0 }];
            drawing.rect((ratio(row.value) - 2.5, y - 2.5), (5.0, 5.0), colour, 1.0);
        }
    }
    let entries = [("inside", 1), ("outside", 0)]
        .map(|(name, place)| (name.to_owned(), LegendKey::Square(PALETTE[place])));
    page::legend(&mut drawing, (WIDTH - 40.0, frame.bottom() + 46.0), 400.0, &entries);
    drawing
}

/// The grid of a panel whose values are shares.
fn shares(drawing: &mut Drawing, frame: &Frame, name: &str) {
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let y = height(frame, share).round();
        drawing.rect((frame.left, y), (frame.width, 1.0), page::GRID, 1.0);
        drawing.text((frame.left - 8.0, y + 4.5), Anchor::Right, SMALL, &format!("{:.0} %", share * 100.0));
    }
    drawing.text((frame.left, frame.top - 10.0), Anchor::Left, PANEL, name);
}

fn height(frame: &Frame, share: f64) -> f64 {
    Scale::linear(1.0).y(frame, share)
}

/// The lines of a chart, in order.
fn lines<'a>(points: &'a [Point], chart: &str) -> Vec<(&'a str, Vec<(f64, f64)>)> {
    let mut lines: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for point in points.iter().filter(|point| point.chart == chart) {
        match lines.last_mut().filter(|line| line.0 == point.curve) {
            Some(line) => line.1.push((point.x, point.y)),
            None => lines.push((&point.curve, vec![(point.x, point.y)])),
        }
    }
    lines
}

/// The largest cluster at last over half the jitter in units of N·Tc: the model's fleets, and ours.
pub fn transition(points: &[Point]) -> Drawing {
    let title = "How much jitter breaks the lock?";
    let subtitle = "all begin in step; largest cluster of the last tenth, as a share of the fleet";
    let mut drawing = page::begin(560.0, title, subtitle);
    let frame =
        Frame { left: page::LEFT, top: 130.0, width: WIDTH - page::LEFT - page::RIGHT, height: 360.0 };
    shares(&mut drawing, &frame, "largest cluster");
    let across = Scale::Log { min: 0.018, max: 1.1 };
    let x = |ratio: f64| frame.left + frame.width * across.part(ratio);
    for tick in [0.02, 0.05, 0.1, 0.2, 0.5, 1.0] {
        drawing.rect((x(tick).round(), frame.top), (1.0, frame.height), page::GRID, 1.0);
        drawing.text((x(tick), frame.bottom() + 20.0), Anchor::Middle, SMALL, &tick.to_string());
    }
    let below =
        "Tr / (N·Tc): half the width of the jitter over the cost of recycling the whole fleet back to back";
    drawing.text((frame.right(), frame.bottom() + 42.0), Anchor::Right, FAINT, below);
    const DASHES: [&[f64]; 4] = [&[], &[8.0, 4.0], &[2.0, 3.0], &[12.0, 3.0, 2.0, 3.0]];
    let mut entries = Vec::new();
    for (place, (name, line)) in lines(points, "transition").into_iter().enumerate() {
        let ours = name.starts_with("our fleet");
        let colour = PALETTE[if ours { 0 } else { place + 1 }];
        let stroke = Stroke { colour, width: if ours { 3.0 } else { 2.0 }, dash: DASHES[place % 4] };
        let stroke = if ours { Stroke { dash: &[], ..stroke } } else { stroke };
        drawing.line(line.iter().map(|(ratio, share)| (x(*ratio), height(&frame, *share))).collect(), stroke);
        entries.push((name.to_owned(), LegendKey::Line(stroke, None)));
    }
    page::legend(&mut drawing, (frame.right(), 112.0), frame.width - 160.0, &entries);
    drawing
}

/// How the parameters of the retry storm are told in the table, for each panel.
const PANELS: [&str; 3] = ["spike = ", "lambda = ", "K = "];

/// The chance that a retry storm goes on: herdsim as a line, the references as squares.
pub fn collapse(points: &[Point], values: &[Value]) -> Drawing {
    let title = "When does a retry storm go on for ever?";
    let subtitle = "share of 600 runs that have collapsed in the last minute (line); 4,000 runs of an independent \
                    program (squares)";
    let mut drawing = page::begin(390.0, title, subtitle);
    let wide = (WIDTH - page::RIGHT - 24.0) / 3.0;
    for (place, (name, line)) in lines(points, "collapse").into_iter().enumerate() {
        let left = 24.0 + wide * place as f64 + 50.0;
        let frame = Frame { left, top: 100.0, width: wide - 70.0, height: 220.0 };
        shares(&mut drawing, &frame, "collapsed");
        let (from, to) = (line[0].0, line[line.len() - 1].0);
        let x = |value: f64| frame.left + frame.width * (value - from) / (to - from);
        for part in 0..=4 {
            let value = from + (to - from) * f64::from(part) / 4.0;
            drawing.text((x(value), frame.bottom() + 20.0), Anchor::Middle, SMALL, &value.to_string());
        }
        drawing.text((frame.right(), frame.bottom() + 42.0), Anchor::Right, FAINT, name);
        let stroke = Stroke { colour: PALETTE[1], width: 2.2, dash: &[] };
        drawing.line(line.iter().map(|(value, share)| (x(*value), height(&frame, *share))).collect(), stroke);
        for row in values.iter().filter(|row| row.case == "Retry storm" && row.quantity == "P(collapsed)") {
            let number = row.parameters.strip_prefix(PANELS[place]);
            let number =
                number.and_then(|rest| rest.split([' ', '/']).next()).and_then(|text| text.parse().ok());
            let Some(at) = number.filter(|at: &f64| (from..=to).contains(at)) else { continue };
            let at = (x(at) - 4.0, height(&frame, row.reference) - 4.0);
            drawing.rect(at, (8.0, 8.0), PALETTE[0], 0.8);
        }
    }
    drawing
}
