//! Births of real connections on the lifetime clock, from one lifetime ago to now.
//!
//! A bar is a ninetieth of the lifetime. What belongs to a storm second stands out; the dashed line is what
//! evenly spread births would give.

use super::axis::{Frame, Scale, TimeAxis};
use super::page::{self, LEFT, LegendKey, RIGHT};
use super::{PALETTE, WIDTH};
use crate::engine::time::{Span, Time};
use crate::measure::SECOND;
use crate::measure::snapshot::Snapshot;
use crate::report::canvas::{Drawing, Stroke};
use crate::report::inspect::{calendar, chart};
use crate::report::{Header, human};

const BARS: usize = 90;

/// The chart, under the verdict.
pub fn draw(seen: &Snapshot, verdict: &str) -> Drawing {
    let lifetime = seen.lifetime.span();
    // Ticks stand on whole seconds, and so does the axis; the bars begin where the lifetime does.
    let begin = Time(seen.now.0.saturating_sub(lifetime.0));
    let before = Span(begin.0 % SECOND.0);
    let header = Header {
        scenario: String::new(),
        title: String::new(),
        question: String::new(),
        start: calendar(Time(begin.0 - before.0)).map(|begin| begin.to_string()),
    };
    let axis = TimeAxis::new(&header, (before + lifetime).as_secs());
    let frame = Frame { left: LEFT, top: 110.0, width: WIDTH - LEFT - RIGHT, height: 300.0 };
    let title =
        format!("When in the lifetime of {} were connections born?", human::offset(lifetime.as_secs()));
    let mut drawing = page::begin(frame.bottom() + page::BELOW + 6.0, &title, verdict);
    let bars = chart::columns(seen, BARS);
    let most = bars.iter().map(|bar| bar.0).max().unwrap_or(0);
    let scale = Scale::linear(most as f64);
    let wide = lifetime.as_secs() / BARS as f64;
    let what = format!("births in {} s", human::number(wide));
    page::panel(&mut drawing, &frame, &axis, &what, (&scale, human::number));
    let edge = |n: usize| axis.x(&frame, before.as_secs() + wide * n as f64);
    for (n, (count, storm)) in bars.iter().enumerate() {
        let top = scale.y(&frame, *count as f64);
        let fill = PALETTE[usize::from(!storm)];
        drawing.rect((edge(n), top), (edge(n + 1) - edge(n) - 1.0, frame.bottom() - top), fill, 1.0);
    }
    let even = Stroke { colour: page::INK, width: 1.0, dash: &[5.0, 4.0] };
    let y = scale.y(&frame, seen.births.len() as f64 / BARS as f64);
    drawing.line(vec![(frame.left, y), (frame.right(), y)], even);
    let entries = [
        ("in a storm second".to_owned(), LegendKey::Square(PALETTE[0])),
        ("other".to_owned(), LegendKey::Square(PALETTE[1])),
        ("spread evenly".to_owned(), LegendKey::Line(even, None)),
    ];
    page::legend(&mut drawing, (frame.right(), frame.top - 10.0), 700.0, &entries);
    page::times(&mut drawing, &frame, &axis);
    drawing
}
