//! Values over one parameter: every seed's as a dot, the median as a line; one panel for each parameter.

use super::axis::{Frame, Scale};
use super::page::{self, FAINT, PANEL, SMALL};
use super::{PALETTE, WIDTH};
use crate::report::canvas::{Anchor, Drawing, Point, Stroke};
use crate::report::{font, human};
use crate::scenario::axis::Range;

/// What was measured at one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// Where it stands, from 0 at the left to 1 at the right.
    pub at: f64,
    /// Each seed's value; NaN is not drawn.
    pub values: Vec<f64>,
    /// Their median.
    pub median: f64,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Its name.
    pub name: String,
    /// Places with their labels.
    pub ticks: Vec<(f64, String)>,
    /// What was measured.
    pub spots: Vec<Spot>,
    /// Whether the medians are joined by a line.
    pub joined: bool,
}

const TOP: f64 = 96.0;
const HIGH: f64 = 240.0;
/// Room under a panel for its ticks and its name.
const FOOT: f64 = 78.0;
/// Half the width of a dot.
const DOT: f64 = 3.0;
const BOUND: Stroke = Stroke { colour: page::GREY, width: 1.4, dash: &[6.0, 4.0] };

/// Five ticks along a range; fewer where only whole numbers are meant and there are fewer.
pub fn ticks(range: &Range) -> Vec<(f64, String)> {
    let wide = range.high - range.low;
    let values = (0..=4).map(|n| range.tidy(range.low + wide * f64::from(n) / 4.0));
    let mut ticks: Vec<(f64, String)> =
        values.map(|value| ((value - range.low) / wide, range.text(value))).collect();
    ticks.dedup();
    ticks
}

/// Draws the panels under each other, on one scale, with lines at the bounds that are known.
pub fn draw(title: &str, subtitle: &str, unit: &str, panels: &[Panel], bounds: &[f64]) -> Drawing {
    let mut drawing = page::begin(TOP + (HIGH + FOOT) * panels.len() as f64, title, subtitle);
    let values = || panels.iter().flat_map(|panel| &panel.spots).flat_map(|spot| &spot.values);
    let known: Vec<f64> = values().chain(bounds).copied().filter(|value| value.is_finite()).collect();
    let scale = scale(&known);
    for (number, panel) in panels.iter().enumerate() {
        let top = TOP + (HIGH + FOOT) * number as f64;
        let width = WIDTH - page::LEFT - page::RIGHT;
        let frame = Frame { left: page::LEFT, top, width, height: HIGH };
        ground(&mut drawing, &frame, panel, (&scale, unit));
        if values().all(|value| value.is_nan()) {
            page::nothing(&mut drawing, &frame, "nothing was measured");
        }
        for bound in bounds.iter().filter(|bound| bound.is_finite()) {
            let y = scale.y(&frame, *bound);
            drawing.line(vec![(frame.left, y), (frame.right(), y)], BOUND);
            drawing.text((frame.right(), y - 5.0), Anchor::Right, FAINT, "bound");
        }
        draw_spots(&mut drawing, &frame, panel, &scale);
    }
    drawing
}

/// Where the greatest is many times the least, what matters near a bound would be lost on a linear scale.
fn scale(known: &[f64]) -> Scale {
    let least = known.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = known.iter().copied().fold(0.0, f64::max);
    if least > 0.0 && greatest >= 10.0 * least {
        Scale::log(least, greatest)
    } else {
        Scale::linear(greatest)
    }
}

fn ground(drawing: &mut Drawing, frame: &Frame, panel: &Panel, (scale, unit): (&Scale, &str)) {
    for value in scale.ticks((frame.height / 42.0) as usize) {
        let y = scale.y(frame, value).round();
        drawing.rect((frame.left, y), (frame.width, 1.0), page::GRID, 1.0);
        let label = human::quantity(value, unit);
        drawing.text((frame.left - 8.0, y + 4.5), Anchor::Right, SMALL, &label);
    }
    let mut free = f64::NEG_INFINITY;
    for (at, label) in &panel.ticks {
        let (x, half) = (place(frame, *at).round(), font::width(label, SMALL.em, SMALL.weight) / 2.0);
        drawing.rect((x, frame.bottom()), (1.0, 5.0), page::GREY, 1.0);
        if x - half > free {
            drawing.text((x, frame.bottom() + 20.0), Anchor::Middle, SMALL, label);
            free = x + half + 6.0;
        }
    }
    page::bottom_line(drawing, frame);
    let name = font::fit(&panel.name, PANEL.em, PANEL.weight, frame.width);
    drawing.text((frame.right(), frame.bottom() + 42.0), Anchor::Right, FAINT, &name);
}

/// A little air at both sides, so that no dot stands on the edge.
fn place(frame: &Frame, at: f64) -> f64 {
    frame.left + 16.0 + (frame.width - 32.0) * at.clamp(0.0, 1.0)
}

fn draw_spots(drawing: &mut Drawing, frame: &Frame, panel: &Panel, scale: &Scale) {
    for spot in &panel.spots {
        for value in spot.values.iter().filter(|value| !value.is_nan()) {
            let at = (place(frame, spot.at) - DOT, scale.y(frame, *value) - DOT);
            drawing.rect(at, (2.0 * DOT, 2.0 * DOT), PALETTE[1], 0.55);
        }
    }
    let mut spots = panel.spots.clone();
    spots.sort_by(|a, b| a.at.total_cmp(&b.at));
    // A place without a median breaks the line.
    for piece in spots.split(|spot| spot.median.is_nan()).filter(|piece| panel.joined && piece.len() > 1) {
        let points: Vec<Point> =
            piece.iter().map(|spot| (place(frame, spot.at), scale.y(frame, spot.median))).collect();
        drawing.line(points, Stroke { colour: PALETTE[0], width: 2.2, dash: &[] });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_where_their_number_says() {
        let texts = |text: &str| ticks(&Range::parse(text).unwrap());
        assert_eq!(texts("0s..120s")[1], (0.25, "30s".to_owned()));
        assert_eq!(texts("1..8")[1], (2.0 / 7.0, "3".to_owned()));
        assert_eq!(texts("1..3").len(), 3);
    }

    #[test]
    fn every_value_is_a_dot_and_medians_are_joined_where_there_are_any() {
        let spot = |at: f64, median: f64| Spot { at, values: vec![median, median], median };
        let spots = vec![spot(0.0, 1.0), spot(0.3, f64::NAN), spot(0.6, 2.0), spot(1.0, 3.0)];
        let ticks = vec![(0.0, "0s".to_owned()), (1.0, "180s".to_owned())];
        let panel = Panel { name: "jitter".into(), ticks, spots, joined: true };
        let svg = draw("t", "s", "count", std::slice::from_ref(&panel), &[]).svg();
        let colour = |rgb: crate::report::canvas::Rgb| format!("#{:02X}{:02X}{:02X}", rgb.0, rgb.1, rgb.2);
        assert_eq!(svg.matches(&colour(PALETTE[1])).count(), 6, "{svg}");
        assert_eq!(svg.matches("polyline").count(), 1, "{svg}");
        let dots = draw("t", "s", "count", &[Panel { joined: false, ..panel.clone() }], &[]).svg();
        assert!(!dots.contains("polyline") && !dots.contains(">\nbound\n<"));
        let bounded = draw("t", "s", "count", &[panel], &[30.0, f64::NAN]).svg();
        assert_eq!(bounded.matches("bound").count(), 1, "another with each seed is no line: {bounded}");
        assert!(bounded.contains("30"), "the scale reaches it: {bounded}");
    }

    #[test]
    fn what_spans_a_decade_is_drawn_on_a_logarithmic_scale() {
        assert!(matches!(scale(&[0.97, 0.03, 0.05]), Scale::Log { .. }));
        assert!(matches!(scale(&[0.97, 0.2]), Scale::Linear { .. }));
        assert!(matches!(scale(&[0.0, 50.0]), Scale::Linear { .. }), "zero has no logarithm");
        assert!(matches!(scale(&[]), Scale::Linear { .. }));
    }
}
