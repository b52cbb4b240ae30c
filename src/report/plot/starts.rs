//! Backend starts of a node: what happened each second, and what a 60 s scrape showed of it.
//!
//! A column of the truth shows its busiest second of the clock, whole, with its causes. A storm that
//! straddles two of them stands lower than it was; the title tells the most in any second, as herds are
//! counted. The dashboard beneath has a scale of its own, as dashboards do.

use super::axis::{Frame, Scale, TimeAxis};
use super::marks::{Marks, lasting};
use super::page::{self, BELOW, LEFT, LegendKey, RIGHT, STRIP};
use super::{PALETTE, WIDTH};
use crate::experiment::Run;
use crate::measure::{CAUSES, NodeMeasured, ScrapedSeries};
use crate::report::canvas::{Drawing, Point, Rgb, Stroke};
use crate::report::{Header, human};
use crate::scenario::grammar::Cause;

/// Width of a column in pixels.
const COLUMN: f64 = 3.0;
/// Colours of the causes, in the order of [`Cause::ALL`].
pub const CAUSE_COLOURS: [Rgb; CAUSES] = [PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[6], PALETTE[3]];
const CONNECTS: Stroke = Stroke { colour: PALETTE[1], width: 2.0, dash: &[] };
const BACKENDS: Stroke = Stroke { colour: PALETTE[6], width: 2.0, dash: &[] };
const ACTIVE: Stroke = Stroke { colour: PALETTE[2], width: 2.0, dash: &[7.0, 3.0] };

/// The chart of one node, on scales that hold what it showed in the peers too.
pub fn draw(header: &Header, run: &Run, node: &NodeMeasured, peers: &[&Run]) -> Drawing {
    let axis = TimeAxis::new(header, run.measured.duration.as_secs());
    let mut truth = Frame { left: LEFT, top: 0.0, width: WIDTH - LEFT - RIGHT, height: 270.0 };
    let marks = Marks::new(lasting(&run.measured.marks), &axis, &truth);
    let (what, entries) = (truth_title(header, node), entries(node));
    let (.., more) = page::legend_place(truth.width, &what, &entries);
    truth.top = STRIP + marks.above() + 34.0 + more;
    let rate = Frame { top: truth.bottom() + 46.0, height: 130.0, ..truth };
    let gauges = Frame { top: rate.bottom() + 46.0, height: 130.0, ..truth };
    let frames = [truth, rate, gauges];

    let title = format!("Postgres node {}: connections started, and what the dashboard showed", node.node);
    let subtitle = super::subtitle(header, run, peers);
    let mut drawing = page::begin(gauges.bottom() + BELOW + marks.below(), &title, &subtitle);
    for frame in &frames {
        marks.bands(&mut drawing, &axis, frame);
    }
    let all = peers.iter().flat_map(|peer| &peer.measured.nodes).filter(|other| other.node == node.node);
    let most = all.chain([node]).flat_map(|node| &node.starts_per_s).map(total).max().unwrap_or(0);
    draw_truth(&mut drawing, &truth, &axis, node, (&what, &entries, most));

    let of = format!("postgres.{}", node.node);
    let shown = |level| run.measured.dashboard.iter().find(|series| series.level == level && series.of == of);
    let most = |levels: &[&str]| {
        let all = peers.iter().chain([&run]).flat_map(|peer| &peer.measured.dashboard);
        let these = all.filter(|series| series.of == of && levels.contains(&series.level));
        these.flat_map(|series| &series.samples).map(|(_, value)| *value).fold(0.0, f64::max)
    };
    let title = "dashboard, scraped every 60 s: new connections per second";
    let lines = [("connects per s", shown("connects_per_s"), CONNECTS)];
    draw_scraped(&mut drawing, &rate, &axis, (title, most(&["connects_per_s"])), &lines);
    let title = "dashboard, scraped every 60 s: connections";
    let lines = [("open", shown("backends"), BACKENDS), ("active", shown("active"), ACTIVE)];
    draw_scraped(&mut drawing, &gauges, &axis, (title, most(&["backends", "active"])), &lines);
    page::times(&mut drawing, &gauges, &axis);
    marks.draw(&mut drawing, &axis, &frames);
    drawing
}

fn draw_truth(
    drawing: &mut Drawing,
    frame: &Frame,
    axis: &TimeAxis,
    node: &NodeMeasured,
    (title, entries, most): (&str, &[(String, LegendKey)], u32),
) {
    let columns = busiest(&node.starts_per_s, (frame.width / COLUMN) as usize, axis);
    let scale = Scale::linear(f64::from(most).max(4.0));
    page::panel(drawing, frame, axis, title, (&scale, human::number));
    for (n, column) in columns.iter().enumerate() {
        let mut below = 0.0;
        for (count, colour) in column.iter().zip(CAUSE_COLOURS) {
            let above = below + f64::from(*count);
            let (top, bottom) = (scale.y(frame, above), scale.y(frame, below));
            drawing.rect((frame.left + COLUMN * n as f64, top), (COLUMN, bottom - top), colour, 1.0);
            below = above;
        }
    }
    page::bottom_line(drawing, frame);
    let (room, up, _) = page::legend_place(frame.width, title, entries);
    page::legend(drawing, (frame.right(), frame.top - 10.0 - up), room, entries);
    if node.starts_per_s.iter().all(|second| total(second) == 0) {
        page::nothing(drawing, frame, "no connection was started");
    }
}

fn truth_title(header: &Header, node: &NodeMeasured) -> String {
    format!("truth: connections started, by seconds of the clock{}", peak(header, node))
}

/// The legend of the truth: every cause there was.
fn entries(node: &NodeMeasured) -> Vec<(String, LegendKey)> {
    let present = |cause: &Cause| node.starts[*cause as usize] > 0;
    let entry = |cause: Cause| {
        let text = format!("{} ({})", cause.name(), human::count(node.starts[cause as usize]));
        (text, LegendKey::Square(CAUSE_COLOURS[cause as usize]))
    };
    Cause::ALL.into_iter().filter(present).map(entry).collect()
}

/// The busiest second of the clock, the first of equals, in words; and the most in any second if that is
/// more.
fn peak(header: &Header, node: &NodeMeasured) -> String {
    let totals = node.starts_per_s.iter().map(total).enumerate();
    let sliding = node.bins.iter().map(|bin| bin.connects_max_1s_all).max().unwrap_or(0);
    match totals.max_by_key(|(second, most)| (*most, usize::MAX - second)) {
        Some((second, most)) if most > 0 => {
            let at = human::instant(header, second as f64);
            let more = match sliding > most {
                true => format!(" (in any second {})", human::count(sliding.into())),
                false => String::new(),
            };
            format!(": at most {} at {at}{more}", human::count(most.into()))
        }
        _ => String::new(),
    }
}

fn total(second: &[u32; CAUSES]) -> u32 {
    second.iter().sum()
}

/// For each column the second with the most starts.
fn busiest(seconds: &[[u32; CAUSES]], columns: usize, axis: &TimeAxis) -> Vec<[u32; CAUSES]> {
    let mut busiest = vec![[0; CAUSES]; columns];
    for (n, second) in seconds.iter().enumerate() {
        for place in axis.columns(columns, n as f64, (n + 1) as f64) {
            if total(second) > total(&busiest[place]) {
                busiest[place] = *second;
            }
        }
    }
    busiest
}

type Shown<'a> = (&'static str, Option<&'a ScrapedSeries>, Stroke);

fn draw_scraped(
    drawing: &mut Drawing,
    frame: &Frame,
    axis: &TimeAxis,
    (title, most): (&str, f64),
    lines: &[Shown],
) {
    let series = || lines.iter().filter_map(|(name, series, stroke)| Some((name, (*series)?, stroke)));
    let scale = Scale::linear(most);
    page::panel(drawing, frame, axis, title, (&scale, human::number));
    for (_, series, stroke) in series() {
        let point = |(at, value): &(_, f64)| {
            let at: crate::engine::time::Time = *at;
            (axis.x(frame, at.as_secs()), scale.y(frame, *value))
        };
        let points: Vec<Point> =
            series.samples.iter().filter(|(_, value)| value.is_finite()).map(point).collect();
        drawing.line(page::steps(&points, frame.right()), *stroke);
    }
    page::bottom_line(drawing, frame);
    let entry = |(name, series, stroke): (&&str, &ScrapedSeries, &Stroke)| {
        let highest = series.samples.iter().map(|(_, value)| *value).fold(f64::NAN, f64::max);
        (format!("{name}, at most {}", human::number(highest)), LegendKey::Line(*stroke, None))
    };
    page::legend(drawing, (frame.right(), frame.top - 10.0), 560.0, &series().map(entry).collect::<Vec<_>>());
    if series().all(|(_, series, _)| series.samples.is_empty()) {
        page::nothing(drawing, frame, "nothing was scraped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 181 starts at the end of a second and 300 at the beginning of the next are 481 within one.
    #[test]
    fn a_herd_that_straddles_a_second_is_told_whole() {
        let run = crate::report::synthetic::run("plain", 1, false);
        let mut node = run.measured.nodes[0].clone();
        node.starts_per_s = vec![[0; CAUSES]; 60];
        (node.starts_per_s[9][0], node.starts_per_s[10][0]) = (181, 300);
        node.bins.truncate(2);
        let told = |node: &NodeMeasured| peak(&crate::report::synthetic::header(), node);
        node.bins.iter_mut().for_each(|bin| bin.connects_max_1s_all = 300);
        assert!(
            told(&node).starts_with(": at most 300 at ") && !told(&node).contains("any"),
            "{}",
            told(&node)
        );
        node.bins[1].connects_max_1s_all = 481;
        assert!(told(&node).ends_with(" (in any second 481)"), "{}", told(&node));
    }

    /// With a date, a herd that straddles a second and every cause the head of the panel is at its fullest.
    #[test]
    fn the_title_and_the_legend_do_not_meet() {
        let header = crate::report::synthetic::header();
        assert!(header.start.is_some());
        let mut run = crate::report::synthetic::run("plain", 1, false);
        let node = &mut run.measured.nodes[0];
        node.bins[1].connects_max_1s_all = 123_456;
        node.starts = [1_234_567; CAUSES];
        let node = node.clone();
        let drawing = draw(&header, &run, &node, &[&run]);
        let chart = crate::report::plot::Chart { name: "starts.full-head".to_owned(), drawing };
        crate::report::plot::tests::assert_inside(&chart);
        crate::report::plot::tests::assert_apart(&chart);
        crate::report::plot::tests::keep(&chart);
    }

    #[test]
    fn a_column_shows_its_busiest_second() {
        let mut seconds = vec![[1, 0, 0, 0, 0]; 1000];
        seconds[517] = [3, 360, 0, 0, 0];
        let axis = TimeAxis::new(&crate::report::synthetic::header(), 1000.0);
        let columns = busiest(&seconds, 10, &axis);
        assert_eq!(columns[5], [3, 360, 0, 0, 0]);
        assert_eq!(columns[4], [1, 0, 0, 0, 0]);
    }
}
