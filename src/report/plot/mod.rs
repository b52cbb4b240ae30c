//! Charts of runs, each a function from what a run showed to a [`Drawing`].
//!
//! One file a chart; what they share is here and in [`axis`] and [`page`]: the palette, the time axis, the
//! title, the markers of events. Peaks survive the reduction to pixels everywhere: where several values share
//! a column, the greatest is drawn, and percentiles come from merged buckets.

pub mod axis;
mod births;
pub mod clock;
mod dashboard;
mod database;
pub mod explain;
mod fleet;
pub mod heat;
mod herds;
mod latency;
pub mod line;
pub mod marks;
pub mod matrix;
mod onset;
mod outcomes;
pub mod page;
mod panels;
mod served;
mod starts;
mod variants;

use super::Header;
use super::canvas::{Drawing, Rgb};
use crate::experiment::Run;
use crate::measure::{NodeMeasured, ServiceMeasured};
use serde_json::Value;

/// A chart with the name of its file, without extension.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Letters, digits, `.`, `_` and `-` only.
    pub name: String,
    /// The picture.
    pub drawing: Drawing,
}

impl Chart {
    fn new(name: String, drawing: Drawing) -> Chart {
        Chart { name, drawing }
    }
}

/// The width of every picture.
pub const WIDTH: f64 = 1200.0;

/// Eight colours that the colour-blind can tell apart (Okabe and Ito), without the yellow that white
/// swallows.
pub const PALETTE: [Rgb; 8] = [
    Rgb(0xD5, 0x5E, 0x00),
    Rgb(0x00, 0x72, 0xB2),
    Rgb(0x00, 0x9E, 0x73),
    Rgb(0xCC, 0x79, 0xA7),
    Rgb(0xE6, 0x9F, 0x00),
    Rgb(0x56, 0xB4, 0xE9),
    Rgb(0x00, 0x00, 0x00),
    Rgb(0x8A, 0x7A, 0x00),
];

/// Every chart of some runs: those of the first seed of each variant, and the variants over each other;
/// `effects` as in `effects.json`, null where nothing was compared.
pub fn all(header: &Header, runs: &[Run], effects: &Value) -> Vec<Chart> {
    let mut first: Vec<&Run> = Vec::new();
    for run in runs {
        if !first.iter().any(|other| other.variant == run.variant) {
            first.push(run);
        }
    }
    let mut charts = Vec::new();
    for run in &first {
        let own = charts.len();
        of_services(header, run, &first, &mut charts);
        of_classes(header, run, &mut charts);
        of_nodes(header, run, &first, &mut charts);
        if first.len() > 1 {
            charts[own..].iter_mut().for_each(|chart| chart.name += &format!(".{}", run.variant));
        }
    }
    if first.len() > 1 {
        of_variants(header, &first, &mut charts);
    }
    charts.extend(herds::draw(header, runs, effects).map(|drawing| Chart::new("herds".to_owned(), drawing)));
    charts.extend(onset::draw(header, runs).map(|drawing| Chart::new("onset".to_owned(), drawing)));
    tell_apart(charts.iter_mut().map(|chart| &mut chart.name));
    charts
}

fn of_services(header: &Header, run: &Run, peers: &[&Run], charts: &mut Vec<Chart>) {
    for service in run.measured.services.iter().filter(|service| works(run, service)) {
        let named = |kind: &str, drawing| Chart::new(format!("{kind}.{}", service.service), drawing);
        charts.push(named("latency", latency::draw(header, run, service, peers)));
        let fleet = fleet::draw(header, run, &service.service, peers);
        charts.extend(fleet.map(|drawing| named("fleet", drawing)));
    }
}

fn of_classes(header: &Header, run: &Run, charts: &mut Vec<Chart>) {
    for class in &run.measured.classes {
        let series = class.label.of_class(&class.class);
        let named = |kind: &str, drawing| Chart::new(format!("{kind}.{series}"), drawing);
        charts.push(named("outcomes", outcomes::draw(header, run, class)));
        charts.extend(served::draw(header, run, class).map(|drawing| named("served", drawing)));
    }
}

fn of_nodes(header: &Header, run: &Run, peers: &[&Run], charts: &mut Vec<Chart>) {
    for node in run.measured.nodes.iter().filter(|node| is_used(run, node)) {
        let named = |kind: &str, drawing| Chart::new(format!("{kind}.{}", node.node), drawing);
        charts.push(named("starts", starts::draw(header, run, node, peers)));
        charts.push(named("dashboard", dashboard::draw(header, run, node, peers)));
        let database = database::draw(header, run, node, peers);
        charts.extend(database.map(|drawing| named("database", drawing)));
        let births = births::draw(header, run, node, peers);
        charts.extend(births.map(|drawing| named("births", drawing)));
    }
}

/// The variants over each other, for each pair of a service and a node that the first of them uses.
fn of_variants(header: &Header, first: &[&Run], charts: &mut Vec<Chart>) {
    let run = first[0];
    for service in run.measured.services.iter().filter(|service| works(run, service)) {
        for node in run.measured.nodes.iter().filter(|node| is_used(run, node)) {
            let name = format!("variants.{}.{}", service.service, node.node);
            charts.push(Chart::new(name, variants::draw(header, first, &service.service, &node.node)));
        }
    }
}

/// Whether a service had anything to do, or is the only one: charts of an idle one say nothing.
fn works(run: &Run, service: &ServiceMeasured) -> bool {
    run.measured.services.len() == 1 || service.bins.iter().any(|bin| bin.latency.is_some())
}

/// Whether a node was connected to, or is the only one.
fn is_used(run: &Run, node: &NodeMeasured) -> bool {
    run.measured.nodes.len() == 1 || node.refused > 0 || node.starts.iter().any(|starts| *starts > 0)
}

/// Makes names fit for files, and unlike each other even where case does not count.
pub fn tell_apart<'a>(names: impl Iterator<Item = &'a mut String>) {
    let mut taken: Vec<String> = Vec::new();
    for name in names {
        let plain = file_name(name);
        *name = plain.clone();
        let mut number = 2;
        while taken.contains(&name.to_lowercase()) {
            *name = format!("{plain}-{number}");
            number += 1;
        }
        taken.push(name.to_lowercase());
    }
}

/// A name with every character that a file system may dislike replaced.
pub fn file_name(name: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let text: String = name.chars().map(|c| if fine(c) { c } else { '_' }).take(120).collect();
    if text.starts_with('.') { format!("_{text}") } else { text }
}

/// The line under a chart's title: scenario, variant and seed.
fn subtitle(header: &Header, run: &Run, peers: &[&Run]) -> String {
    let shared = if peers.len() > 1 { " · scales shared by all variants" } else { "" };
    let variant = page::fit_subtitle(&run.variant, page::SUBTITLE_ROOM / 2.0);
    titled(header, &format!(" · variant {variant} · seed {}{shared}", run.seed))
}

/// The scenario's title, and the rest whole: a long title gives way to it.
fn titled(header: &Header, rest: &str) -> String {
    // Widths are rounded.
    let room = page::SUBTITLE_ROOM - page::subtitle_width(rest) - 2.0;
    page::fit_subtitle(&header.title, room) + rest
}

/// Viridis from its pale to its dark end: darker is more. The palest yellow is left out: white swallows it.
pub const VIRIDIS: [Rgb; 9] = [
    Rgb(0xD2, 0xE2, 0x1B),
    Rgb(0x9B, 0xD9, 0x3C),
    Rgb(0x5E, 0xC9, 0x62),
    Rgb(0x2A, 0xB0, 0x7F),
    Rgb(0x21, 0x91, 0x8C),
    Rgb(0x2C, 0x71, 0x8E),
    Rgb(0x3B, 0x52, 0x8B),
    Rgb(0x47, 0x2D, 0x7B),
    Rgb(0x44, 0x01, 0x54),
];

/// The colour at a share, from 0 to 1, of the way through at least two colours.
pub fn gradient(stops: &[Rgb], share: f64) -> Rgb {
    let at = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let below = (at as usize).min(stops.len() - 2);
    let part = at - below as f64;
    let (from, to) = (stops[below], stops[below + 1]);
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * part).round() as u8;
    Rgb(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

#[cfg(test)]
pub(super) mod tests;
