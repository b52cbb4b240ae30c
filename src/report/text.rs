//! Plain text for the terminal: sections, tables without borders, ranges, lines that fit.
//!
//! Colour only where the caller wants it, and never as the only cue.

use super::font::printable;
use comfy_table::{Cell, CellAlignment, Table};

/// Columns of the terminal.
pub const WIDTH: usize = 100;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Plain text.
    Plain,
    /// ANSI colours.
    Colour,
}

impl Paint {
    /// A text in the colour of an ANSI code.
    pub fn with(self, code: &str, text: &str) -> String {
        match self {
            Paint::Plain => text.to_owned(),
            Paint::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    /// A headline.
    pub fn head(self, text: &str) -> String {
        self.with("1", text)
    }
}

/// From the least to the greatest: `3`, `1.7–1.8 s`, `900 ms–1.1 s`.
pub fn range(values: &[f64], text: &dyn Fn(f64) -> String) -> String {
    let present = || values.iter().copied().filter(|value| !value.is_nan());
    let (least, greatest) = (present().reduce(f64::min), present().reduce(f64::max));
    let (Some(least), Some(greatest)) = (least, greatest) else { return "–".to_owned() };
    let (from, to) = (text(least), text(greatest));
    if from == to {
        return to;
    }
    let unit =
        |text: &str| text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',').to_owned();
    let shared = unit(&to);
    let clock = shared.contains(|c: char| c.is_ascii_digit());
    match from.strip_suffix(shared.as_str()) {
        Some(number) if !clock && unit(&from) == shared => format!("{number}–{to}"),
        _ => format!("{from}–{to}"),
    }
}

/// A text inside a line or a cell of Markdown.
pub fn escaped(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
}

/// A name, cut in the middle if it is longer: names that begin alike differ at their ends. Of a variant of
/// one of several files that of the file is cut.
pub fn short(name: &str, longest: usize) -> String {
    let name = printable(name);
    let count = name.chars().count();
    if count <= longest {
        return name;
    }
    if let Some((file, variant)) = name.rsplit_once('/') {
        let left = longest.saturating_sub(variant.chars().count() + 2);
        if left > 0 {
            return file.chars().take(left).chain("…/".chars()).chain(variant.chars()).collect();
        }
    }
    let tail = (longest - 1) / 2;
    let head = name.chars().take(longest - 1 - tail);
    head.chain(['…']).chain(name.chars().skip(count - tail)).collect()
}

/// A text of at most so many characters: of a longer one the beginning.
pub fn beginning(text: &str, longest: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= longest {
        return text;
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// A headline and what stands under it; nothing where nothing does.
pub fn section(title: &str, body: String, paint: Paint) -> String {
    if body.is_empty() { String::new() } else { format!("\n{}\n{body}", paint.head(title)) }
}

/// A table without borders, numbers to the right, under a head.
pub fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(head.iter().enumerate().map(|(n, text)| aligned(n, text)));
    table
}

fn aligned(column: usize, text: &str) -> Cell {
    let side = if column == 0 { CellAlignment::Left } else { CellAlignment::Right };
    Cell::new(text).set_alignment(side)
}

/// The cells of a row.
pub fn cells(row: &[String]) -> Vec<Cell> {
    row.iter().enumerate().map(|(n, text)| aligned(n, text)).collect()
}

/// A table as lines without trailing spaces.
pub fn trimmed(table: &Table) -> String {
    table.lines().map(|line| format!(" {}\n", line.trim_end())).collect()
}

/// A line that is broken after some of its signs, so that it fits the terminal; the rest is indented.
pub fn folded(line: &str, sign: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for part in line.split_inclusive(sign) {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + part.trim_end().chars().count() > WIDTH {
            lines.push(" ".repeat(indent));
        }
        let last = lines.len() - 1;
        lines[last] += part;
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_alike_stay_apart() {
        for longest in [28, 20, 12, 9] {
            let cut = ["failed-live-migration-with-retry", "failed-live-migration-with-jitter"]
                .map(|name| short(name, longest));
            assert!(cut[0] != cut[1] && cut.iter().all(|name| name.chars().count() == longest), "{cut:?}");
        }
        assert_eq!(short("as-it-happened", 9), "as-i…ened");
        assert_eq!(
            ["small/no-jitter", "small/jitter"].map(|name| short(name, 12)),
            ["s…/no-jitter", "small/jitter"]
        );
        assert_eq!(short("jitter", 9), "jitter");
    }
}
