//! Events on a chart: a line where one begins, a band while it lasts, its name above.
//!
//! Names go up to three rows deep, so that none overlaps another. Where that is not enough, or a name is too
//! long, events are numbered and a key stands under the chart.

use super::axis::{Frame, TimeAxis};
use super::page::{INK, SMALL, STRIP};
use crate::measure;
use crate::report::canvas::{Anchor, Drawing, Rgb, Stroke};
use crate::report::font;

const BAND: Rgb = Rgb(0xE6, 0x9F, 0x00);
const LINE: Stroke = Stroke { colour: Rgb(0x55, 0x55, 0x55), width: 1.0, dash: &[3.0, 2.0] };
const ROW: f64 = 16.0;
const ROWS: usize = 3;
/// Lines of the key under the chart, at most.
const KEY_LINES: usize = 4;

/// An event: its name, its beginning and, if it ended, its end, in seconds.
type Lasting = (String, f64, Option<f64>);

/// The events of a chart and where their names stand.
#[derive(Clone, Debug)]
pub struct Marks {
    events: Vec<Lasting>,
    /// Centre and row of each label; none where it had no room.
    places: Vec<Option<(f64, usize)>>,
    labels: Vec<String>,
    key: Vec<String>,
}

/// Pairs beginnings with ends.
pub fn lasting(marks: &[measure::Mark]) -> Vec<Lasting> {
    let mut events: Vec<Lasting> = Vec::new();
    for mark in marks {
        let at = mark.at.as_secs();
        let open = events.iter_mut().rev().find(|(name, _, end)| *name == mark.event && end.is_none());
        match (mark.begins, open) {
            (false, Some((_, _, end))) => *end = Some(at),
            (false, None) => events.push((mark.event.clone(), 0.0, Some(at))),
            (true, _) => events.push((mark.event.clone(), at, None)),
        }
    }
    events
}

impl Marks {
    /// Places the names of events above a frame.
    pub fn new(mut events: Vec<Lasting>, axis: &TimeAxis, frame: &Frame) -> Marks {
        events.sort_by(|a, b| a.1.total_cmp(&b.1));
        let names: Vec<String> = events.iter().map(|(name, _, _)| font::printable(name)).collect();
        let too_long = names.iter().any(|name| width(name) > 260.0);
        let places = place(&events, &names, axis, frame);
        if !too_long && places.iter().all(Option::is_some) {
            return Marks { events, places, labels: names, key: Vec::new() };
        }
        let labels: Vec<String> = (1..=events.len()).map(|n| n.to_string()).collect();
        let places = place(&events, &labels, axis, frame);
        let key = key(&names, frame.right());
        Marks { events, places, labels, key }
    }

    /// Room that the names need above the first panel.
    pub fn above(&self) -> f64 {
        ROW * self.places.iter().flatten().map(|(_, row)| row + 1).max().unwrap_or(0) as f64
    }

    /// Room that the key needs under the last panel.
    pub fn below(&self) -> f64 {
        ROW * self.key.len() as f64
    }

    /// Draws bands: to be called before the data.
    pub fn bands(&self, drawing: &mut Drawing, axis: &TimeAxis, frame: &Frame) {
        for (_, from, to) in &self.events {
            if let Some(to) = to {
                let (left, right) = (axis.x(frame, *from), axis.x(frame, *to));
                drawing.rect((left, frame.top), ((right - left).max(1.0), frame.height), BAND, 0.16);
            }
        }
    }

    /// Draws lines through the panels, the names above and the key below: to be called after the data.
    pub fn draw(&self, drawing: &mut Drawing, axis: &TimeAxis, frames: &[Frame]) {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return };
        for (n, (_, from, _)) in self.events.iter().enumerate() {
            let x = axis.x(first, *from);
            for frame in frames {
                drawing.line(vec![(x, frame.top), (x, frame.bottom())], LINE);
            }
            if let Some((centre, row)) = self.places[n] {
                let baseline = STRIP + ROW * (row + 1) as f64 - 4.0;
                drawing.text((centre, baseline), Anchor::Middle, SMALL, &self.labels[n]);
                // A short tick under the name tells where it belongs.
                drawing.rect((x - 0.5, baseline + 3.0), (1.0, 4.0), INK, 1.0);
            }
        }
        for (n, line) in self.key.iter().enumerate() {
            let baseline = last.bottom() + 66.0 + ROW * n as f64;
            drawing.text((last.left, baseline), Anchor::Left, SMALL, line);
        }
    }
}

fn width(text: &str) -> f64 {
    font::width(text, SMALL.em, SMALL.weight)
}

/// The first row in which each label has room, from the top.
fn place(events: &[Lasting], labels: &[String], axis: &TimeAxis, frame: &Frame) -> Vec<Option<(f64, usize)>> {
    let mut ends = [f64::NEG_INFINITY; ROWS];
    let place_one = |((_, from, _), label): (&Lasting, &String)| {
        let half = width(label) / 2.0;
        let centre = axis.x(frame, *from).clamp(24.0 + half, (frame.right() + 30.0 - half).max(24.0 + half));
        let row = (0..ROWS).find(|row| ends[*row] + 10.0 <= centre - half)?;
        ends[row] = centre + half;
        Some((centre, row))
    };
    events.iter().zip(labels).map(place_one).collect()
}

/// Numbered names in lines of at most the given width.
fn key(names: &[String], room: f64) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for (n, name) in names.iter().enumerate() {
        let entry = font::fit(&format!("{} {name}", n + 1), SMALL.em, SMALL.weight, 400.0);
        let last = lines.len() - 1;
        let longer =
            if lines[last].is_empty() { entry.clone() } else { format!("{}   {entry}", lines[last]) };
        if width(&longer) <= room - 160.0 {
            lines[last] = longer;
        } else if lines.len() < KEY_LINES {
            lines.push(entry);
        } else {
            lines[last] += &format!("   … and {} more", names.len() - n);
            break;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::header;

    const FRAME: Frame = Frame { left: 84.0, top: 100.0, width: 1076.0, height: 300.0 };

    #[test]
    fn names_never_overlap() {
        let axis = TimeAxis::new(&header(), 3600.0);
        let few = (0..3).map(|n| (format!("event-{n}"), 1800.0 + f64::from(n), None)).collect();
        let marks = Marks::new(few, &axis, &FRAME);
        assert_eq!((marks.above(), marks.below()), (48.0, 0.0), "three rows, no key");
        let many = (0..40).map(|n| (format!("event-{n}"), 1800.0 + f64::from(n), None)).collect();
        let marks = Marks::new(many, &axis, &FRAME);
        assert!(marks.key[0].starts_with("1 event-0   2 event-1") && marks.key.len() <= KEY_LINES);
    }

    #[test]
    fn ends_find_their_beginnings() {
        let mark =
            |at, begins| measure::Mark { at: crate::engine::time::Time(at), event: "a".into(), begins };
        let second = 1_000_000_000;
        let events =
            lasting(&[mark(0, false), mark(second, true), mark(2 * second, false), mark(3 * second, true)]);
        assert_eq!(
            events,
            [("a".into(), 0.0, Some(0.0)), ("a".into(), 1.0, Some(2.0)), ("a".into(), 3.0, None)]
        );
    }
}
