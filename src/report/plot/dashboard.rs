//! What a dashboard sees of a node's herd: the truth, and the samples of a 60 s scrape as a line over it.
//!
//! Both are of one gauge, backends at work, on one scale. At each recycle spike a tick stands at half of its
//! peak; in the row beneath is whether a sample came up to it. In life the line is all that there was to
//! look at.

use super::axis::{Frame, Scale, TimeAxis};
use super::marks::{Marks, lasting};
use super::page::{self, BELOW, FAINT, LEFT, LegendKey, PANEL, RIGHT, STRIP};
use super::variants::highest;
use super::{PALETTE, WIDTH};
use crate::experiment::Run;
use crate::measure::recycles::{GAUGE, SEEN_FROM, Sighting, sightings, spans};
use crate::measure::{LevelBin, NodeMeasured, ScrapedSeries};
use crate::report::canvas::{Anchor, Drawing, Point, Rgb, Stroke};
use crate::report::{Header, font, human};

/// Width of a column in pixels.
const COLUMN: f64 = 2.0;
/// Height of the row in which spikes are seen or missed.
const ROW: f64 = 14.0;
const TRUTH: Rgb = Rgb(0xB9, 0xC4, 0xD0);
const SHOWN: Stroke = Stroke { colour: PALETTE[6], width: 1.6, dash: &[] };
const HALF: Stroke = Stroke { colour: PALETTE[3], width: 2.0, dash: &[] };
const SEEN: Rgb = PALETTE[1];
const MISSED: Rgb = PALETTE[0];

/// The chart of one node, on a scale that holds what it showed in the peers too.
pub fn draw(header: &Header, run: &Run, node: &NodeMeasured, peers: &[&Run]) -> Drawing {
    let axis = TimeAxis::new(header, run.measured.duration.as_secs());
    let mut frame = Frame { left: LEFT, top: 0.0, width: WIDTH - LEFT - RIGHT, height: 300.0 };
    let marks = Marks::new(lasting(&run.measured.marks), &axis, &frame);
    let met = sightings(&run.measured, &node.node);
    let too_late = spans(&run.measured, &node.node).len() - met.len();
    let (caption, entries) = (caption(&met, too_late), entries());
    // Beside the caption; in more rows where that is long.
    let legend = frame.width - font::width(&caption, PANEL.em, PANEL.weight) - 24.0;
    let more = 17.0 * (page::legend_rows(legend, &entries).len() - 1) as f64;
    frame.top = STRIP + marks.above() + 34.0 + more;
    let row = Frame { top: frame.bottom() + 8.0, height: ROW, ..frame };

    let title = format!("Postgres node {}: what a dashboard sees of recycling", node.node);
    let subtitle = super::subtitle(header, run, peers);
    let mut drawing = page::begin(row.bottom() + BELOW + marks.below(), &title, &subtitle);
    marks.bands(&mut drawing, &axis, &frame);

    let most = peers.iter().chain([&run]).flat_map(|peer| truth(peer, &node.node)).map(|bin| bin.max);
    let scale = Scale::linear(most.fold(4.0, f64::max));
    page::panel(&mut drawing, &frame, &axis, &caption, (&scale, human::number));
    let bins: Vec<Option<f64>> = truth(run, &node.node).iter().map(|bin| Some(bin.max)).collect();
    draw_truth(&mut drawing, &frame, &axis, &scale, &bins);
    draw_samples(&mut drawing, &frame, &axis, &scale, scraped(run, &node.node));
    draw_spikes(&mut drawing, &frame, (&row, &axis, &scale), &met);
    page::legend(&mut drawing, (frame.right(), frame.top - 10.0), legend, &entries);
    if bins.is_empty() {
        page::nothing(&mut drawing, &frame, "nothing was measured");
    }
    page::bottom_line(&mut drawing, &frame);
    page::times(&mut drawing, &row, &axis);
    marks.draw(&mut drawing, &axis, &[frame, row]);
    drawing
}

fn entries() -> [(String, LegendKey); 5] {
    [
        ("truth, most in 10 s".to_owned(), LegendKey::Square(TRUTH)),
        ("dashboard, every 60 s".to_owned(), LegendKey::Line(SHOWN, None)),
        ("half of a spike's peak".to_owned(), LegendKey::Line(HALF, None)),
        ("seen".to_owned(), LegendKey::Square(SEEN)),
        ("missed".to_owned(), LegendKey::Square(MISSED)),
    ]
}

/// What the picture comes to: `backends at work: 3 of 4 recycle spikes missed`.
/// One that came shortly before the end the dashboard had no time to show.
fn caption(met: &[Sighting], too_late: usize) -> String {
    let missed = met.iter().filter(|sighting| !sighting.seen).count();
    let told = match met.len() {
        0 if too_late == 0 => "no recycle spikes".to_owned(),
        all => format!("{missed} of {all} recycle spikes missed"),
    };
    let late = if too_late > 0 { format!(", {too_late} too late to tell") } else { String::new() };
    format!("backends at work: {told}{late}")
}

fn truth<'a>(run: &'a Run, node: &str) -> &'a [LevelBin] {
    let of = format!("postgres.{node}");
    let found = run.measured.levels.iter().find(|series| series.level == GAUGE && series.of == of);
    found.map_or(&[], |series| &series.bins)
}

fn scraped<'a>(run: &'a Run, node: &str) -> Option<&'a ScrapedSeries> {
    let of = format!("postgres.{node}");
    run.measured.dashboard.iter().find(|series| series.level == GAUGE && series.of == of)
}

fn draw_truth(drawing: &mut Drawing, frame: &Frame, axis: &TimeAxis, scale: &Scale, bins: &[Option<f64>]) {
    for (column, value) in highest(bins, (frame.width / COLUMN) as usize, axis).into_iter().enumerate() {
        let y = scale.y(frame, value.unwrap_or(0.0));
        drawing.rect((frame.left + COLUMN * column as f64, y), (COLUMN, frame.bottom() - y), TRUTH, 1.0);
    }
}

fn draw_samples(
    drawing: &mut Drawing,
    frame: &Frame,
    axis: &TimeAxis,
    scale: &Scale,
    series: Option<&ScrapedSeries>,
) {
    let samples = series.into_iter().flat_map(|series| &series.samples);
    let points: Vec<Point> = samples
        .filter(|(_, value)| value.is_finite())
        .map(|(at, value)| (axis.x(frame, at.as_secs()), scale.y(frame, *value)))
        .collect();
    drawing.line(page::steps(&points, frame.right()), SHOWN);
}

fn draw_spikes(
    drawing: &mut Drawing,
    frame: &Frame,
    (row, axis, scale): (&Frame, &TimeAxis, &Scale),
    met: &[Sighting],
) {
    let label = (row.left - 8.0, row.bottom() - 3.0);
    drawing.text(label, Anchor::Right, FAINT, "spikes");
    for sighting in met {
        let (left, right) = (axis.x(frame, sighting.from.as_secs()), axis.x(frame, sighting.to.as_secs()));
        let y = scale.y(frame, SEEN_FROM * sighting.peak);
        drawing.line(vec![(left - 5.0, y), (right + 5.0, y)], HALF);
        let colour = if sighting.seen { SEEN } else { MISSED };
        drawing.rect((left - 1.0, row.top + 2.0), ((right - left).max(3.0) + 2.0, ROW - 4.0), colour, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn the_caption_counts_what_was_missed() {
        let run = synthetic::run("as-it-happened", 1, true);
        let met = sightings(&run.measured, "primary");
        assert_eq!(caption(&met, 0), "backends at work: 19 of 19 recycle spikes missed");
        assert_eq!(caption(&[], 0), "backends at work: no recycle spikes");
        assert_eq!(caption(&[], 1), "backends at work: 0 of 0 recycle spikes missed, 1 too late to tell");
    }

    /// Where the caption is long the legend takes another row, above it.
    #[test]
    fn a_long_caption_and_the_legend_do_not_meet() {
        let mut run = synthetic::run("as-it-happened", 1, true);
        let end = crate::engine::time::Time::ZERO + run.measured.duration;
        run.measured.spikes.last_mut().expect("spikes").to = end;
        let node = run.measured.nodes[0].clone();
        let drawing = draw(&synthetic::header(), &run, &node, &[&run]);
        let place = |what: &str| {
            let of = |shape: &crate::report::canvas::Shape| match shape {
                crate::report::canvas::Shape::Text { at, text, face, .. } if text.contains(what) => {
                    Some((*at, at.0 + font::width(text, face.em, face.weight)))
                }
                _ => None,
            };
            drawing.shapes.iter().find_map(of).unwrap_or_else(|| panic!("no {what}"))
        };
        let ((caption, end), (first, _)) = (place("too late to tell"), place("truth, most"));
        assert!(first.1 < caption.1 || end < first.0 - 18.0, "{caption:?}–{end} {first:?}");
    }

    #[test]
    fn seen_and_missed_have_their_colours() {
        let mut run = synthetic::run("as-it-happened", 1, true);
        let first = run.measured.spikes[0].from;
        let samples = &mut run.measured.dashboard[1].samples;
        let near = samples.iter_mut().find(|(at, _)| *at >= first).expect("a scrape a minute");
        near.1 = 300.0;
        let node = run.measured.nodes[0].clone();
        let drawing = draw(&synthetic::header(), &run, &node, &[&run]);
        let painted = |colour: Rgb| {
            let of = |shape: &&crate::report::canvas::Shape| {
                matches!(shape, crate::report::canvas::Shape::Rect { fill, size, .. }
                    if *fill == colour && size.1 == ROW - 4.0)
            };
            drawing.shapes.iter().filter(of).count()
        };
        assert_eq!((painted(SEEN), painted(MISSED)), (1, 18));
    }
}
