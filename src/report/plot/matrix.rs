//! The matrix of remedies and incidents as a picture: a field for each pair, its word and figures in it.

use super::WIDTH;
use super::page::{self, FAINT, SMALL};
use crate::experiment::harm::{Harm, HarmChange};
use crate::report::canvas::{Anchor, Drawing, Rgb, Type};
use crate::report::font::{self, Weight};
use crate::report::human;
use crate::report::matrix::{Incident, Matrix, Treatment};
use crate::report::text::range;

/// Room left of the fields for the remedies' titles.
const LABELS: f64 = 236.0;
/// The height of a field.
const FIELD: f64 = 40.0;
/// Where the fields begin.
const TOP: f64 = 150.0;

/// Draws it.
pub fn draw(matrix: &Matrix) -> Drawing {
    let height = TOP + FIELD * matrix.remedies.len() as f64 + 24.0;
    let subtitle =
        "each remedy alone, from the start; below the word: bad time, wishes lost and recycle spikes with it";
    let mut drawing = page::begin(height, "Which remedy for which incident?", subtitle);
    let field = (WIDTH - 24.0 - LABELS - 24.0) / matrix.incidents.len().max(1) as f64;
    for (column, incident) in matrix.incidents.iter().enumerate() {
        let left = 24.0 + LABELS + field * column as f64;
        head(&mut drawing, (left + field / 2.0, TOP - 56.0), field, incident);
        for (row, cell) in incident.cells.iter().enumerate() {
            draw_cell(&mut drawing, (left, TOP + FIELD * row as f64), field, cell);
        }
    }
    for (row, remedy) in matrix.remedies.iter().enumerate() {
        let title = font::fit(&remedy.title, SMALL.em, SMALL.weight, LABELS - 16.0);
        let y = TOP + FIELD * (row as f64 + 0.5) + 4.0;
        drawing.text((24.0 + LABELS - 12.0, y), Anchor::Right, SMALL, &title);
    }
    drawing
}

/// The incident's name, its variant, and what users suffer in it.
fn head(drawing: &mut Drawing, (x, y): (f64, f64), field: f64, incident: &Incident) {
    let bold = Type { em: 12.0, weight: Weight::Bold, colour: page::INK };
    let fit = |text: &str, face: Type| font::fit(text, face.em, face.weight, field - 6.0);
    drawing.text((x, y), Anchor::Middle, bold, &fit(&incident.scenario, bold));
    drawing.text((x, y + 16.0), Anchor::Middle, FAINT, &fit(&incident.variant, FAINT));
    drawing.text((x, y + 34.0), Anchor::Middle, SMALL, &fit(&figures(&incident.harm), SMALL));
}

/// `2m50s, 0%, 7 spikes`, from the least to the greatest of all seeds; recycle spikes only where there are
/// any.
fn figures(harms: &[Harm]) -> String {
    let of = |figure: fn(&Harm) -> f64| harms.iter().map(figure).collect::<Vec<f64>>();
    let (times, lost, spikes) = (of(|harm| harm.bad_s), of(|harm| harm.lost), of(|harm| harm.recycle_spikes));
    let told = format!("{}, {}", range(&times, &human::offset), range(&lost, &human::share));
    if spikes.iter().all(|count| *count == 0.0) {
        return told;
    }
    let plural = if spikes.iter().all(|count| *count == 1.0) { "" } else { "s" };
    format!("{told}, {} spike{plural}", range(&spikes, &human::number))
}

/// Okabe-Ito's colours, pale; the word stands beside them, so that no colour is the only cue.
fn fill(change: Option<HarmChange>) -> Rgb {
    match change {
        Some(HarmChange::Cures) => Rgb(0x66, 0xC4, 0xAB),
        Some(HarmChange::Better) => Rgb(0xBF, 0xE7, 0xDC),
        Some(HarmChange::Mixed) => Rgb(0xF9, 0xF2, 0xA0),
        Some(HarmChange::Worse) => Rgb(0xEB, 0xA6, 0x6B),
        Some(HarmChange::NoChange | HarmChange::Harmless) => Rgb(0xEE, 0xEE, 0xEE),
        None => Rgb(0xFA, 0xFA, 0xFA),
    }
}

fn draw_cell(drawing: &mut Drawing, at: (f64, f64), field: f64, cell: &Treatment) {
    drawing.rect(at, (field - 2.0, FIELD - 2.0), fill(cell.change()), 1.0);
    let middle = at.0 + field / 2.0 - 1.0;
    let bold = Type { em: 12.0, weight: Weight::Bold, colour: page::INK };
    drawing.text((middle, at.1 + 17.0), Anchor::Middle, bold, cell.word());
    if let Treatment::Tried(pairs) = cell {
        let after: Vec<Harm> = pairs.iter().map(|pair| pair.1).collect();
        let small = Type { em: 10.5, weight: Weight::Normal, colour: page::INK };
        let told = font::fit(&figures(&after), small.em, small.weight, field - 6.0);
        drawing.text((middle, at.1 + 31.0), Anchor::Middle, small, &told);
    }
}
