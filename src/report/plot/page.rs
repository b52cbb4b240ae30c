//! What surrounds the data: title, grid, axes, legend.

use super::WIDTH;
use super::axis::{Frame, Scale, TimeAxis};
use crate::report::canvas::{Anchor, Drawing, Point, Rgb, Stroke, Type};
use crate::report::font::{self, Weight};

/// Text and strong lines.
pub const INK: Rgb = Rgb(0x22, 0x22, 0x22);
/// Lesser text.
pub const GREY: Rgb = Rgb(0x5F, 0x5F, 0x5F);
/// The lines of the grid.
pub const GRID: Rgb = Rgb(0xE6, 0xE6, 0xE6);
/// Left of every panel: room for the labels of the y axis.
pub const LEFT: f64 = 84.0;
/// Right of every panel, at the least: room for half of the last time.
pub const RIGHT: f64 = 40.0;
/// Under the lowest panel: times, dates and the name of the axis.
pub const BELOW: f64 = 58.0;
/// Where the strip of event names begins, under title and subtitle.
pub const STRIP: f64 = 66.0;

/// Ordinary text.
pub const SMALL: Type = Type { em: 12.0, weight: Weight::Normal, colour: INK };
/// Lesser text.
pub const FAINT: Type = Type { em: 12.0, weight: Weight::Normal, colour: GREY };
/// What a panel shows.
pub const PANEL: Type = Type { em: 13.0, weight: Weight::Bold, colour: INK };

/// A white picture with its title and what it is of.
pub fn begin(height: f64, title: &str, subtitle: &str) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, height, &format!("{title}. {subtitle}"));
    let face = Type { em: 18.0, weight: Weight::Bold, colour: INK };
    drawing.text((24.0, 32.0), Anchor::Left, face, &font::fit(title, face.em, face.weight, SUBTITLE_ROOM));
    drawing.text((24.0, 53.0), Anchor::Left, SUBTITLE, &fit_subtitle(subtitle, SUBTITLE_ROOM));
    drawing
}

/// Room for a title and the line under it.
pub const SUBTITLE_ROOM: f64 = WIDTH - 2.0 * 24.0;
const SUBTITLE: Type = Type { em: 13.0, weight: Weight::Normal, colour: GREY };

/// A text as wide as this part of the line under the title.
pub fn fit_subtitle(text: &str, room: f64) -> String {
    font::fit(text, SUBTITLE.em, SUBTITLE.weight, room)
}

/// How wide a text is in the line under the title.
pub fn subtitle_width(text: &str) -> f64 {
    font::width(text, SUBTITLE.em, SUBTITLE.weight)
}

/// The grid of a panel, its y axis and the line that says what it shows.
pub fn panel(
    drawing: &mut Drawing,
    frame: &Frame,
    axis: &TimeAxis,
    title: &str,
    (scale, label): (&Scale, fn(f64) -> String),
) {
    for (seconds, _, _) in axis.ticks(14) {
        drawing.rect((axis.x(frame, seconds).round(), frame.top), (1.0, frame.height), GRID, 1.0);
    }
    let mut lowest = f64::INFINITY;
    for value in scale.ticks((frame.height / 42.0) as usize) {
        let y = scale.y(frame, value).round();
        drawing.rect((frame.left, y), (frame.width, 1.0), GRID, 1.0);
        // Ticks of a logarithmic scale crowd towards the top of a decade.
        if lowest - y >= 14.0 {
            drawing.text((frame.left - 8.0, y + 4.5), Anchor::Right, SMALL, &label(value));
            lowest = y;
        }
    }
    drawing.text((frame.left, frame.top - 10.0), Anchor::Left, PANEL, title);
    bottom_line(drawing, frame);
}

/// The line on which a panel stands.
pub fn bottom_line(drawing: &mut Drawing, frame: &Frame) {
    drawing.rect((frame.left, frame.bottom()), (frame.width, 1.0), GREY, 1.0);
}

/// Times under the lowest panel.
pub fn times(drawing: &mut Drawing, frame: &Frame, axis: &TimeAxis) {
    for (seconds, label, date) in axis.ticks(14) {
        let x = axis.x(frame, seconds).round();
        drawing.rect((x, frame.bottom()), (1.0, 5.0), GREY, 1.0);
        drawing.text((x, frame.bottom() + 19.0), Anchor::Middle, SMALL, &label);
        drawing.text((x, frame.bottom() + 35.0), Anchor::Middle, FAINT, &date);
    }
    let at = (frame.right(), frame.bottom() + 50.0);
    drawing.text(at, Anchor::Right, FAINT, axis.title());
}

/// How an entry of a legend is marked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LegendKey {
    /// A piece of its line, over a wider one in the second colour if there is one.
    Line(Stroke, Option<Rgb>),
    /// A square.
    Square(Rgb),
}

/// The width of an entry's mark with the gap behind it.
fn key_width(key: &LegendKey) -> f64 {
    match key {
        LegendKey::Line(..) => 36.0,
        LegendKey::Square(_) => 18.0,
    }
}

/// A legend in as many rows as it needs, right-aligned; its last row stands at `baseline`.
pub fn legend(drawing: &mut Drawing, (right, baseline): Point, room: f64, entries: &[(String, LegendKey)]) {
    let rows = legend_rows(room, entries);
    for (above, row) in rows.iter().rev().enumerate() {
        let y = baseline - 17.0 * above as f64;
        let mut x = right - row.iter().map(|(text, key)| entry_width(text, key)).sum::<f64>() + 18.0;
        for (text, key) in row {
            match key {
                LegendKey::Line(stroke, casing) => {
                    let points = vec![(x, y - 4.0), (x + 28.0, y - 4.0)];
                    if let Some(colour) = casing {
                        let wide = Stroke { colour: *colour, width: stroke.width + 3.0, dash: &[] };
                        drawing.line(points.clone(), wide);
                    }
                    drawing.line(points, *stroke);
                }
                LegendKey::Square(colour) => drawing.rect((x, y - 9.0), (11.0, 11.0), *colour, 1.0),
            }
            drawing.text((x + key_width(key), y), Anchor::Left, SMALL, text);
            x += entry_width(text, key);
        }
    }
}

/// The entries of a legend, row by row.
pub fn legend_rows(room: f64, entries: &[(String, LegendKey)]) -> Vec<Vec<(String, LegendKey)>> {
    let mut rows: Vec<Vec<(String, LegendKey)>> = Vec::new();
    let mut left = 0.0;
    for (text, key) in entries {
        let text = font::fit(text, SMALL.em, SMALL.weight, 240.0);
        let wide = entry_width(&text, key);
        if left < wide || rows.is_empty() {
            rows.push(Vec::new());
            left = room;
        }
        left -= wide;
        if let Some(row) = rows.last_mut() {
            row.push((text, *key));
        }
    }
    rows
}

/// Where the legend of a panel stands so that it never meets the panel's title: beside it if it has room in
/// one row there, else above it. Its room, how much higher than the title its last row is, and how much
/// higher than usual the panel's head is for it.
pub fn legend_place(wide: f64, title: &str, entries: &[(String, LegendKey)]) -> (f64, f64, f64) {
    let beside = wide - font::width(title, PANEL.em, PANEL.weight) - 24.0;
    if entries.iter().map(|(text, key)| entry_width(text, key)).sum::<f64>() <= beside {
        return (beside, 0.0, 0.0);
    }
    (wide, 20.0, 3.0 + 17.0 * legend_rows(wide, entries).len() as f64)
}

fn entry_width(text: &str, key: &LegendKey) -> f64 {
    font::width(text, SMALL.em, SMALL.weight) + key_width(key) + 18.0
}

/// Says in the middle of a panel that there is nothing to draw.
pub fn nothing(drawing: &mut Drawing, frame: &Frame, what: &str) {
    let at = (frame.left + frame.width / 2.0, frame.top + frame.height / 2.0);
    drawing.text(at, Anchor::Middle, Type { em: 14.0, ..FAINT }, what);
}

/// The corners of a line that holds each value from its `x` to the next.
pub fn steps(points: &[Point], end: f64) -> Vec<Point> {
    let mut corners: Vec<Point> = Vec::with_capacity(points.len() * 2);
    for (n, (x, y)) in points.iter().enumerate() {
        if corners.last().is_none_or(|last| last.1 != *y) {
            corners.push((*x, *y));
        }
        let next = points.get(n + 1).map_or(end, |next| next.0);
        // A stretch without change needs only its ends.
        let len = corners.len();
        if len >= 2 && corners[len - 1].1 == *y && corners[len - 2].1 == *y {
            corners[len - 1].0 = next;
        } else {
            corners.push((next, *y));
        }
    }
    corners
}
