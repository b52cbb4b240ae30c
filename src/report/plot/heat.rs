//! A map: one coloured field for each point of a grid, its value written in it, in as many panels as it
//! takes.

use super::page::{self, FAINT, PANEL, SMALL};
use super::{VIRIDIS, WIDTH, gradient};
use crate::report::canvas::{Anchor, Drawing, Rgb, Type};
use crate::report::font::{self, Weight};

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Its value; NaN leaves it white.
    pub value: f64,
    /// The value in words.
    pub text: String,
    /// A second line.
    pub below: String,
}

/// A grid of fields, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What sets it apart from the others; may be empty.
    pub title: String,
    /// Its fields.
    pub cells: Vec<Cell>,
}

/// The labels along one side of every panel.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What it is an axis of; may be empty.
    pub name: &'a str,
    /// One for each row or column.
    pub labels: &'a [String],
}

/// Room left of a panel for the labels of its rows.
const LABELS: f64 = 150.0;
/// The height of a field.
const FIELD: f64 = 44.0;
/// The greatest width of a field.
const WIDEST: f64 = 130.0;
/// Room above and below the fields of a panel.
const HEAD: f64 = 58.0;
const FOOT: f64 = 50.0;
/// Where the first panel begins.
const TOP: f64 = 70.0;

/// Draws panels in a row, as many as fit, then in the next.
pub fn draw(title: &str, subtitle: &str, rows: Side, columns: Side, panels: &[Panel]) -> Drawing {
    let abreast = (((WIDTH - 24.0) / (LABELS + 70.0 * columns.labels.len() as f64)) as usize).clamp(1, 4);
    let abreast = abreast.min(panels.len().max(1));
    let room = (WIDTH - 24.0) / abreast as f64;
    let field = ((room - LABELS - 24.0) / columns.labels.len().max(1) as f64).min(WIDEST);
    let high = HEAD + FIELD * rows.labels.len() as f64 + FOOT;
    let lines = panels.len().div_ceil(abreast);
    let fit = |name: &str, room: f64| font::fit(name, FAINT.em, FAINT.weight, room);
    let column_name = fit(columns.name, room - LABELS - 24.0);
    let columns = Side { name: &column_name, ..columns };
    let mut drawing = page::begin(TOP + high * lines as f64, title, subtitle);
    let values = || panels.iter().flat_map(|panel| &panel.cells).map(|cell| cell.value);
    let (least, most) = (values().fold(f64::NAN, f64::min), values().fold(f64::NAN, f64::max));
    for (number, panel) in panels.iter().enumerate() {
        let left = 24.0 + room * (number % abreast) as f64;
        let top = TOP + high * (number / abreast) as f64;
        let fit = font::fit(&panel.title, PANEL.em, PANEL.weight, room - 24.0);
        drawing.text((left, top + 12.0), Anchor::Left, PANEL, &fit);
        draw_panel(&mut drawing, (left + LABELS, top + HEAD), field, (rows, columns), panel, (least, most));
    }
    drawing
}

fn draw_panel(
    drawing: &mut Drawing,
    (left, top): (f64, f64),
    field: f64,
    (rows, columns): (Side, Side),
    panel: &Panel,
    (least, most): (f64, f64),
) {
    drawing.text((left, top - 26.0), Anchor::Left, FAINT, columns.name);
    for (n, label) in columns.labels.iter().enumerate() {
        let label = font::fit(label, SMALL.em, SMALL.weight, field - 4.0);
        drawing.text((left + field * (n as f64 + 0.5), top - 8.0), Anchor::Middle, SMALL, &label);
    }
    let name = font::fit(rows.name, FAINT.em, FAINT.weight, LABELS + field * columns.labels.len() as f64);
    let bottom = top + FIELD * rows.labels.len() as f64;
    drawing.text((left - LABELS, bottom + 18.0), Anchor::Left, FAINT, &name);
    for (n, label) in rows.labels.iter().enumerate() {
        let label = font::fit(label, SMALL.em, SMALL.weight, LABELS - 14.0);
        drawing.text((left - 10.0, top + FIELD * (n as f64 + 0.5) + 4.0), Anchor::Right, SMALL, &label);
    }
    for (place, cell) in panel.cells.iter().enumerate() {
        let (row, column) = (place / columns.labels.len().max(1), place % columns.labels.len().max(1));
        let at = (left + field * column as f64, top + FIELD * row as f64);
        draw_cell(drawing, at, field, cell, (least, most));
    }
}

fn draw_cell(drawing: &mut Drawing, at: (f64, f64), field: f64, cell: &Cell, (least, most): (f64, f64)) {
    let size = (field - 2.0, FIELD - 2.0);
    let share = if most > least { (cell.value - least) / (most - least) } else { 0.0 };
    let ink = if cell.value.is_nan() || share < 0.45 { page::INK } else { Rgb(255, 255, 255) };
    let fill = if cell.value.is_nan() { Rgb(0xF2, 0xF2, 0xF2) } else { gradient(&VIRIDIS, share) };
    drawing.rect(at, size, fill, 1.0);
    let middle = at.0 + size.0 / 2.0;
    let bold = Type { em: 13.0, weight: Weight::Bold, colour: ink };
    drawing.text((middle, at.1 + 19.0), Anchor::Middle, bold, &cell.text);
    let below = Type { em: 11.0, weight: Weight::Normal, colour: ink };
    drawing.text((middle, at.1 + 34.0), Anchor::Middle, below, &cell.below);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_drawn_and_a_missing_value_says_so() {
        let cell = |value: f64| Cell { value, text: format!("{value}"), below: "1 of 1".into() };
        let panel = Panel { title: "p".into(), cells: vec![cell(0.0), cell(1.0), cell(f64::NAN), cell(0.5)] };
        let labels = ["a".to_owned(), "b".to_owned()];
        let side = |name| Side { name, labels: &labels };
        let svg = draw("t", "s", side("rows"), side("columns"), &[panel.clone(), panel]).svg();
        assert_eq!(svg.matches("1 of 1").count(), 8);
        assert_eq!(svg.matches("NaN").count(), 2);
    }
}
