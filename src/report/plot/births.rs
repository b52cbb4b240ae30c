//! Births on the lifetime clock: one row a lifetime, so that a cohort born together stands under itself.
//!
//! Evenly spread births make even rows; bunching shows as a dark column that forms from one row to the next.
//! The figures on the right are the births of the row and how locked in phase they are (R1: 1 if all at one
//! instant).

use super::axis::Frame;
use super::gradient;
use super::page::{self, FAINT, INK, SMALL};
use crate::experiment::Run;
use crate::measure::NodeMeasured;
use crate::report::births::{self, Births, CALM};
use crate::report::canvas::{Anchor, Drawing, Rgb};
use crate::report::{Header, human};

/// The most rows; more lifetimes share rows.
const ROWS: usize = 60;
const BAR: Rgb = Rgb(0xE6, 0x9F, 0x00);
/// Few births pale, a herd nearly black.
const BLUES: [Rgb; 5] = [
    Rgb(0xD6, 0xE6, 0xF4),
    Rgb(0x9E, 0xCA, 0xE1),
    Rgb(0x42, 0x92, 0xC6),
    Rgb(0x08, 0x45, 0x94),
    Rgb(0x05, 0x12, 0x3A),
];

/// One row: births by phase.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    /// Its beginning in seconds.
    from: f64,
    births: Vec<u64>,
    /// The highest R1 of its lifetimes; none where too few were born to tell.
    r1: Option<f64>,
}

/// The chart of one node, coloured on a scale that holds the peers too; none if its connections live for
/// ever.
pub fn draw(header: &Header, run: &Run, node: &NodeMeasured, peers: &[&Run]) -> Option<Drawing> {
    let lifetime = node.lifetime?.as_secs();
    if lifetime <= 0.0 {
        return None;
    }
    let rows = rows(node, lifetime);
    let high = if rows.len() > 30 { 14.0 } else { 21.0 };
    let frame = Frame { left: 150.0, top: 100.0, width: 800.0, height: high * rows.len().max(8) as f64 };
    let title = format!("Postgres node {}: when in the lifetime of {} connections are born", node.node, {
        human::offset(lifetime)
    });
    let subtitle = super::subtitle(header, run, peers);
    let mut drawing = page::begin(frame.bottom() + 106.0, &title, &subtitle);
    head(&mut drawing, &frame);
    let others = peers.iter().flat_map(|peer| &peer.measured.nodes);
    let others = others.filter(|other| other.node == node.node && other.lifetime == node.lifetime);
    let all = others.chain([node]).flat_map(|node| self::rows(node, lifetime)).flat_map(|row| row.births);
    let most = all.max().unwrap_or(0);
    for (n, row) in rows.iter().enumerate() {
        draw_row(&mut drawing, &frame, (frame.top + high * n as f64, high), row, most, header);
    }
    let width = births::phases(lifetime) as f64;
    if rows.iter().flat_map(|row| &row.births).any(|count| *count > 0) {
        colour_bar(&mut drawing, &frame, most, &format!("births in {}", bucket_name(lifetime / width)));
    } else {
        page::nothing(&mut drawing, &frame, "no connection was started");
    }
    phases(&mut drawing, &frame, lifetime);
    Some(drawing)
}

fn bucket_name(seconds: f64) -> String {
    format!("{} s", human::number(seconds))
}

fn rows(node: &NodeMeasured, lifetime: f64) -> Vec<Row> {
    let Births { per_row, rows } = births::births(node, lifetime, ROWS);
    let row = |(n, births)| Row { from: (n * per_row) as f64 * lifetime, births, r1: None };
    let mut rows: Vec<Row> = rows.into_iter().enumerate().map(row).collect();
    for cycle in &node.cycles {
        let place = (cycle.from.as_secs() / lifetime + 1e-9) as usize / per_row;
        // The mean direction of a handful of births points somewhere by chance alone.
        if let Some(row) = rows.get_mut(place)
            && cycle.births >= 5
            && cycle.phase_lock_r1.is_finite()
        {
            row.r1 = Some(row.r1.unwrap_or(0.0).max(cycle.phase_lock_r1));
        }
    }
    rows
}

/// Columns right of the frame: where births and R1 stand.
const BIRTHS_RIGHT: f64 = 70.0;
const R1_LEFT: f64 = 92.0;
const R1_WIDTH: f64 = 86.0;

fn head(drawing: &mut Drawing, frame: &Frame) {
    let y = frame.top - 10.0;
    drawing.text((frame.left - 10.0, y), Anchor::Right, FAINT, "lifetime from");
    drawing.text(
        (frame.left, y),
        Anchor::Left,
        page::PANEL,
        "births by phase, one row a lifetime: a dark column is a herd",
    );
    drawing.text((frame.right() + BIRTHS_RIGHT, y), Anchor::Right, FAINT, "births");
    drawing.text((frame.right() + R1_LEFT, y), Anchor::Left, FAINT, "in step (R1)");
}

fn draw_row(
    drawing: &mut Drawing,
    frame: &Frame,
    (top, high): (f64, f64),
    row: &Row,
    most: u64,
    header: &Header,
) {
    let baseline = top + high / 2.0 + 4.0;
    let instant = human::minute(header, row.from);
    drawing.text((frame.left - 10.0, baseline), Anchor::Right, SMALL, &instant);
    drawing.rect((frame.left, top), (frame.width, high - 1.0), Rgb(0xF4, 0xF4, 0xF4), 1.0);
    let edge = |n: usize| (frame.left + frame.width * n as f64 / row.births.len() as f64).round();
    for (n, count) in row.births.iter().enumerate() {
        if *count > 0 {
            let fill = gradient(&BLUES, darkness(*count, most));
            drawing.rect((edge(n), top), (edge(n + 1) - edge(n), high - 1.0), fill, 1.0);
        }
    }
    let total: u64 = row.births.iter().sum();
    drawing.text((frame.right() + BIRTHS_RIGHT, baseline), Anchor::Right, SMALL, &human::count(total));
    let left = frame.right() + R1_LEFT;
    drawing.rect((left, top + 3.0), (R1_WIDTH, high - 7.0), Rgb(0xF4, 0xF4, 0xF4), 1.0);
    match row.r1 {
        Some(r1) => {
            drawing.rect((left, top + 3.0), (R1_WIDTH * r1.clamp(0.0, 1.0), high - 7.0), BAR, 1.0);
            drawing.text((left + 6.0, baseline), Anchor::Left, SMALL, &format!("{r1:.2}"));
        }
        None => drawing.text((left + 6.0, baseline), Anchor::Left, FAINT, "–"),
    }
}

/// By the square root: even rows stay pale, yet are seen beside a herd. A scale holds at least [`CALM`]
/// births, so that the chance neighbours of a calm run do not look like a herd.
fn darkness(count: u64, most: u64) -> f64 {
    (count as f64 / most.max(CALM) as f64).sqrt()
}

/// Phases under the frame.
fn phases(drawing: &mut Drawing, frame: &Frame, lifetime: f64) {
    for quarter in 0..=4 {
        let part = f64::from(quarter) / 4.0;
        let x = frame.left + frame.width * part;
        drawing.rect((x.round(), frame.bottom()), (1.0, 5.0), page::GREY, 1.0);
        let text = if lifetime >= 40.0 {
            human::offset(lifetime * part)
        } else {
            format!("{} s", human::number(lifetime * part))
        };
        drawing.text((x, frame.bottom() + 19.0), Anchor::Middle, SMALL, &text);
    }
    let at = (frame.right(), frame.bottom() + 38.0);
    drawing.text(at, Anchor::Right, FAINT, "time within the lifetime");
}

/// The colour scale, under the frame on the left.
fn colour_bar(drawing: &mut Drawing, frame: &Frame, most: u64, title: &str) {
    let (left, top, width) = (frame.left, frame.bottom() + 58.0, 280.0);
    let pieces = 40;
    for n in 0..pieces {
        let edge = |n: i32| (left + width * f64::from(n) / f64::from(pieces)).round();
        let fill = gradient(&BLUES, f64::from(n) / f64::from(pieces - 1));
        drawing.rect((edge(n), top), (edge(n + 1) - edge(n), 12.0), fill, 1.0);
    }
    let mut counts: Vec<u64> =
        (0..20).map(|power| 10u64.pow(power)).take_while(|count| *count < most).collect();
    let most = most.max(CALM);
    counts.retain(|count| darkness(*count, most) < 0.88);
    counts.push(most);
    for count in counts {
        let x = left + width * darkness(count, most);
        drawing.rect((x.round(), top + 12.0), (1.0, 4.0), INK, 1.0);
        drawing.text((x, top + 29.0), Anchor::Middle, SMALL, &human::count(count));
    }
    drawing.text((left + width + 24.0, top + 11.0), Anchor::Left, SMALL, title);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn every_birth_is_in_a_row() {
        let run = synthetic::run("as-written", 1, true);
        let node = &run.measured.nodes[0];
        for lifetime in [900.0, 17.5, 1.0, 0.2, 50_000.0] {
            let rows = rows(node, lifetime);
            let drawn: u64 = rows.iter().flat_map(|row| &row.births).sum();
            assert_eq!(drawn, node.starts.iter().sum::<u64>(), "{lifetime}");
            assert!(rows.len() <= ROWS);
        }
    }
}
