//! Variants over each other, one strip each: latency of a service above, connection storms of a node below.
//!
//! Variants of one seed meet the same customers, so their herds stand at the same times: lines in one panel
//! would hide each other. Strips share their scale. Each column is as high as its highest bin, so that a
//! storm of one second is as high here as it was.

use super::WIDTH;
use super::axis::{Frame, Scale, TimeAxis};
use super::marks::{Marks, lasting};
use super::page::{self, BELOW, FAINT, LEFT, PANEL, RIGHT, STRIP};
use crate::experiment::Run;
use crate::measure::BIN;
use crate::report::canvas::{Anchor, Drawing, Type};
use crate::report::{Header, font, human};

/// Width of a column in pixels.
const COLUMN: f64 = 2.0;
/// Room above a strip for its name.
const NAME: f64 = 22.0;
/// Room above a section for what it shows.
const HEAD: f64 = 30.0;
/// Room between sections.
const GAP: f64 = 18.0;

/// A section: what it shows of each run.
struct Section {
    title: &'static str,
    /// One value a bin, run by run.
    values: Vec<Vec<Option<f64>>>,
    scale: Scale,
    /// What stands at a tick of the scale.
    label: fn(f64) -> String,
    /// What is said of the highest value of a strip.
    highest: fn(f64) -> String,
}

/// The chart of some runs, one for each variant.
pub fn draw(header: &Header, runs: &[&Run], service: &str, node: &str) -> Drawing {
    let longest = runs.iter().map(|run| run.measured.duration.as_secs()).fold(0.0, f64::max);
    let axis = TimeAxis::new(header, longest);
    let sections = [latency(runs, service), storms(runs, node)];
    let whole = Frame { left: LEFT, top: 0.0, width: WIDTH - LEFT - RIGHT, height: 0.0 };
    let marks = Marks::new(events(runs), &axis, &whole);
    let height = (300.0 / runs.len().max(1) as f64).clamp(42.0, 110.0);
    let top = STRIP + marks.above() + 8.0;
    let section_height = HEAD + (NAME + height) * runs.len() as f64 + GAP;
    let strip = |section: usize, n: usize| Frame {
        top: top + section_height * section as f64 + HEAD + (NAME + height) * n as f64 + NAME,
        height,
        ..whole
    };

    let title = format!("Variants: latency of {service}, and storms of new connections to {node}");
    let subtitle = super::titled(header, &format!(" · {} · scales shared by all variants", seeds(runs)));
    let bottom = top + section_height * sections.len() as f64 - GAP;
    let mut drawing = page::begin(bottom + BELOW + marks.below(), &title, &subtitle);
    let mut frames = Vec::new();
    for (place, section) in sections.iter().enumerate() {
        let head = (LEFT, strip(place, 0).top - NAME - 12.0);
        drawing.text(head, Anchor::Left, PANEL, section.title);
        for (n, run) in runs.iter().enumerate() {
            let frame = strip(place, n);
            marks.bands(&mut drawing, &axis, &frame);
            draw_strip(&mut drawing, &frame, &axis, section, (n, &run.variant));
            frames.push(frame);
        }
    }
    if let Some(last) = frames.last() {
        page::times(&mut drawing, last, &axis);
    }
    marks.draw(&mut drawing, &axis, &frames);
    drawing
}

fn seeds(runs: &[&Run]) -> String {
    let mut seeds: Vec<String> = runs.iter().map(|run| run.seed.to_string()).collect();
    seeds.dedup();
    format!("{} {}", if seeds.len() == 1 { "seed" } else { "seeds" }, seeds.join(", "))
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

fn latency(runs: &[&Run], service: &str) -> Section {
    let of = |run: &&Run| {
        let found = run.measured.services.iter().find(|other| other.service == service);
        let bins = found.map_or(&[][..], |found| &found.bins);
        bins.iter().map(|bin| bin.latency.map(|latency| latency.p99_us as f64)).collect()
    };
    let values: Vec<Vec<Option<f64>>> = runs.iter().map(of).collect();
    let present = || values.iter().flatten().flatten().copied();
    let scale = Scale::log(present().fold(f64::NAN, f64::min), present().fold(f64::NAN, f64::max));
    let title = "p99 of all requests, in the worst 10 s of each column";
    Section {
        title,
        values,
        scale,
        label: human::tick,
        highest: |most| format!("p99 at most {}", human::latency(most)),
    }
}

fn storms(runs: &[&Run], node: &str) -> Section {
    let of = |run: &&Run| {
        let found = run.measured.nodes.iter().find(|other| other.node == node);
        let bins = found.map_or(&[][..], |found| &found.bins);
        bins.iter().map(|bin| Some(f64::from(bin.connects_max_1s_all))).collect()
    };
    let values: Vec<Vec<Option<f64>>> = runs.iter().map(of).collect();
    let scale = Scale::linear(values.iter().flatten().flatten().copied().fold(4.0, f64::max));
    let title = "connections started within one second, in the busiest second of each column";
    Section {
        title,
        values,
        scale,
        label: human::number,
        highest: |most| format!("at most {} in one second", human::number(most)),
    }
}

/// One variant of a section: its name, its highest value, its columns.
fn draw_strip(
    drawing: &mut Drawing,
    frame: &Frame,
    axis: &TimeAxis,
    section: &Section,
    (n, variant): (usize, &str),
) {
    page::panel(drawing, frame, axis, "", (&section.scale, section.label));
    let colour = super::PALETTE[n % super::PALETTE.len()];
    for (column, value) in
        highest(&section.values[n], (frame.width / COLUMN) as usize, axis).iter().enumerate()
    {
        if let Some(value) = value {
            let y = section.scale.y(frame, *value);
            drawing.rect((frame.left + COLUMN * column as f64, y), (COLUMN, frame.bottom() - y), colour, 1.0);
        }
    }
    page::bottom_line(drawing, frame);
    let baseline = frame.top - 6.0;
    drawing.rect((frame.left, baseline - 9.0), (11.0, 11.0), colour, 1.0);
    let face = Type { weight: font::Weight::Bold, ..page::SMALL };
    let name = font::fit(variant, face.em, face.weight, 600.0);
    drawing.text((frame.left + 18.0, baseline), Anchor::Left, face, &name);
    match section.values[n].iter().flatten().copied().reduce(f64::max) {
        Some(most) => drawing.text((frame.right(), baseline), Anchor::Right, FAINT, &(section.highest)(most)),
        None => page::nothing(drawing, frame, "nothing was measured"),
    }
}

/// The highest value of each column.
pub(super) fn highest(values: &[Option<f64>], columns: usize, axis: &TimeAxis) -> Vec<Option<f64>> {
    let mut highest: Vec<Option<f64>> = vec![None; columns];
    for (n, value) in values.iter().enumerate() {
        let from = n as f64 * BIN.as_secs();
        for place in axis.columns(columns, from, from + BIN.as_secs()) {
            // A missing value is less than every other.
            highest[place] = highest[place].into_iter().chain(*value).reduce(f64::max);
        }
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_value_of_a_column_survives() {
        let mut values = vec![Some(1.0); 5200];
        values[3333] = Some(360.0);
        let axis = TimeAxis::new(&crate::report::synthetic::header(), 52_000.0);
        let columns = highest(&values, 538, &axis);
        assert_eq!(columns.iter().filter(|value| **value == Some(360.0)).count(), 1);
        assert!(columns.iter().all(Option::is_some));
    }
}
