//! Differences against a baseline, as a reader, a program and a table want them.
//!
//! Everything is of `experiment::paired`. People see the headline metrics, files hold all of them. With one
//! seed there is no interval and nothing to show people; files still hold the plain differences.

use super::font::printable;
use super::text::{Paint, cells, escaped, folded, range, section, short, table, trimmed};
use super::{Header, SCHEMA_VERSION, human};
use crate::experiment::paired::{Paired, Ratio, Shift};
use crate::experiment::statistics::{CONFIDENCE, Mean};
use serde_json::{Value, json};

/// Longer names are cut.
const NAME: usize = 30;
/// Rows of one variant; beyond these, those without a change are only counted.
const ROWS: usize = 12;
const HEAD: [&str; 7] =
    ["metric", "baseline", "variant", "difference [95 %]", "ratio [95 %]", "verdict", "pairing"];

/// `latency p99, sign-in`; `herd_size{lifetime}, primary`.
fn name(row: &Paired) -> String {
    let row = &row.row;
    let of = row.of.split_once('.').map_or(row.of.as_str(), |(_, name)| name);
    let metric = match (row.metric, row.cause) {
        ("latency", _) => format!("latency {}", row.stat),
        (metric, "") => metric.to_owned(),
        (metric, cause) => format!("{metric}{{{cause}}}"),
    };
    printable(&format!("{metric}, {of}"))
}

fn cells_of(row: &Paired) -> [String; 6] {
    // What is found to differ does not read the same.
    let value = |value: f64, other: f64| match row.shift {
        Shift::NoChange | Shift::CannotTell => human::quantity(value, row.row.unit),
        _ => human::quantity_beside(value, row.row.unit, &[other]),
    };
    [
        value(row.baseline_mean, row.variant_mean),
        value(row.variant_mean, row.baseline_mean),
        match row.difference.interval {
            None if row.same() => format!("0, the same in all {} pairs", row.pairs),
            _ => difference(&row.difference, row.row.unit),
        },
        ratio(row.ratio),
        row.shift.name().replace('-', " "),
        row.gain.map_or_else(|| "–".to_owned(), times),
    ]
}

/// `−1.53 s [−1.6, −1.46]`: the three in one unit.
fn difference(difference: &Mean, unit: &str) -> String {
    let Some((low, high)) = difference.interval.filter(|(low, _)| low.is_finite()) else {
        return "–".to_owned();
    };
    let largest = low.abs().max(high.abs());
    let (factor, name) = match unit {
        "ms" if largest >= 1e3 => (1e-3, " s"),
        "ms" if largest >= 1.0 => (1.0, " ms"),
        "ms" => (1e3, " µs"),
        "share" => (100.0, " pp"),
        "s" => (1.0, " s"),
        "per_s" => (1.0, "/s"),
        _ => (1.0, ""),
    };
    // What is not zero does not read as zero: not the end that is nearer to it where it lies outside.
    let telling = if low > 0.0 || high < 0.0 { low.abs().min(high.abs()) } else { largest };
    let few = decimals(largest * factor);
    let decimals = (few..=MOST).find(|decimals| signed(telling * factor, *decimals) != "0").unwrap_or(few);
    let text = |value: f64| signed(value * factor, decimals);
    format!("{}{name} [{}, {}]", text(difference.mean), text(low), text(high))
}

/// More decimals are never shown.
const MOST: usize = 9;

/// Three figures at most.
fn decimals(largest: f64) -> usize {
    [100.0, 10.0, 1.0].iter().filter(|bound| largest < **bound).count()
}

fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn signed(value: f64, decimals: usize) -> String {
    match plain(value.abs(), decimals) {
        zero if zero == "0" => zero,
        text if value < 0.0 => format!("−{text}"),
        text => format!("+{text}"),
    }
}

/// `0.34 [0.31, 0.37]`; with more decimals where it takes them to tell that 1 lies outside.
fn ratio(ratio: Ratio) -> String {
    let text = |value: f64, more: usize| match 1 + usize::from(value < 10.0) + usize::from(value < 0.1) {
        _ if value == 0.0 => "0".to_owned(),
        decimals => format!("{value:.0$}", decimals + more),
    };
    match ratio.interval {
        _ if ratio.value.is_nan() => "–".to_owned(),
        Some((low, high)) => {
            let nearer = if low > 1.0 { low } else { high };
            let outside = low > 1.0 || high < 1.0;
            let tells = |more: &usize| !outside || text(nearer, *more).parse() != Ok(1.0);
            let more = (0..MOST).find(tells).unwrap_or(0);
            format!("{} [{}, {}]", text(ratio.value, more), text(low, more), text(high, more))
        }
        None => text(ratio.value, 0),
    }
}

fn times(gain: f64) -> String {
    if gain > 99.0 { "×>99".to_owned() } else { format!("×{gain:.1}") }
}

/// The rows that people see, variant by variant: none unless two seeds at least were paired.
fn shown(all: &[Paired]) -> Vec<(&str, Vec<&Paired>)> {
    let mut variants: Vec<(&str, Vec<&Paired>)> = Vec::new();
    if all.iter().all(|row| row.pairs < 2) {
        return variants;
    }
    for row in all.iter().filter(|row| row.headline && row.pairs > 0) {
        match variants.last_mut() {
            Some((variant, rows)) if *variant == row.variant => rows.push(row),
            _ => variants.push((&row.variant, vec![row])),
        }
    }
    variants
}

/// A section for the terminal.
pub fn text(all: &[Paired], paint: Paint) -> String {
    let shown = shown(all);
    let mut table = table(&HEAD);
    let mut silent = Vec::new();
    for (variant, rows) in &shown {
        let (same, rows): (Vec<&Paired>, Vec<&Paired>) = rows.iter().copied().partition(|row| row.same());
        let many = rows.len() > ROWS;
        let told: Vec<&Paired> =
            rows.iter().copied().filter(|row| !many || row.shift != Shift::NoChange).collect();
        if !told.is_empty() {
            table.add_row(cells(&[short(variant, NAME)]));
        }
        for row in &told {
            let mut line = vec![format!("  {}", short(&name(row), NAME))];
            line.extend(cells_of(row));
            table.add_row(cells(&line));
        }
        silent.extend(unchanged(variant, &same, rows.len() - told.len()));
    }
    if shown.is_empty() {
        return String::new();
    }
    let notes = silent.into_iter().chain(notes(all)).map(|note| folded(&format!("   {note}"), "; ", 5));
    let table = if table.row_count() == 0 { String::new() } else { trimmed(&table) };
    let body = table + &notes.collect::<String>();
    section(&format!("DIFFERENCES, against {}", printable(&all[0].baseline)), body, paint)
}

/// What is not told row by row.
fn unchanged(variant: &str, same: &[&Paired], more: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if !same.is_empty() {
        let names: Vec<String> = same.iter().take(ROWS).map(|row| name(row)).collect();
        let rest = if same.len() > ROWS { "; …" } else { "" };
        lines.push(format!("{}, the same with every seed: {}{rest}", short(variant, NAME), names.join("; ")));
    }
    if more > 0 {
        lines.push(format!("{}: no change detected in {more} more (paired.csv)", short(variant, NAME)));
    }
    lines
}

/// How to read it, and what is out of the ordinary.
pub(super) fn notes(all: &[Paired]) -> Vec<String> {
    let headline = || all.iter().filter(|row| row.headline);
    let pairs: Vec<f64> = headline().filter(|row| row.pairs > 0).map(|row| row.pairs as f64).collect();
    let pairs = range(&pairs, &human::number);
    let tested = headline().filter(|row| row.p_holm.is_some()).count();
    let mut notes = vec![format!("means over {pairs} pairs of equal seeds; a percentile is each run's own")];
    if tested > 0 {
        notes.push(format!(
            "verdicts: at most 5 % false alarms over the {tested} tested together (Holm); no change: none found"
        ));
        notes.push("pairing: how many times wider the interval would be without it".to_owned());
    }
    let against = |row: &&Paired| row.gain.is_some_and(|gain| gain < 1.0) && below_zero(row);
    notes.extend(listed("pairs vary against each other (negative correlation)", headline().filter(against)));
    if headline().any(|row| row.shift == Shift::CannotTell && row.is_suspected()) {
        notes.push(
            "cannot tell, though the interval leaves out zero: among so many one may by chance; more seeds tell"
                .to_owned(),
        );
    }
    if headline().any(|row| row.missing > 0 && row.pairs > 0) {
        notes.push(
            "cannot tell: with some seeds there is no value, and they do not lack by chance".to_owned(),
        );
    }
    let without_pair = |row: &&Paired| row.pairs == 0 && row.missing > 0;
    notes.extend(listed("no pair with a value in both", headline().filter(without_pair)));
    let certain = |row: &&Paired| row.pairs > 1 && row.missing == 0 && row.p.is_none();
    notes.extend(listed(
        "cannot tell: all pairs differ by the same, which says nothing of chance",
        headline().filter(certain),
    ));
    let unpaired = all.iter().map(|row| row.unpaired).max().unwrap_or(0);
    if unpaired > 0 {
        notes.push(format!(
            "left out: {unpaired} runs of a variant or its baseline whose seed the other lacks"
        ));
    }
    notes
}

/// `variant, what: metric; …`, a line for each variant.
fn listed<'a>(what: &str, rows: impl Iterator<Item = &'a Paired>) -> Vec<String> {
    let mut lines: Vec<(&str, String)> = Vec::new();
    for row in rows {
        match lines.last_mut() {
            Some((variant, line)) if *variant == row.variant => *line += &format!("; {}", name(row)),
            _ => lines.push((&row.variant, format!("{}, {what}: {}", short(&row.variant, NAME), name(row)))),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

fn below_zero(row: &Paired) -> bool {
    row.correlation.is_some_and(|correlation| correlation < 0.0)
}

/// The same for paper of another kind: head and rows; none without pairs.
pub(super) fn sheet(all: &[Paired]) -> (Vec<String>, Vec<Vec<String>>) {
    let head = ["variant", "metric"].iter().chain(&HEAD[1..]).map(|cell| (*cell).to_owned());
    let shown = shown(all);
    let row = |row: &&Paired| [vec![printable(&row.variant), name(row)], cells_of(row).to_vec()].concat();
    (head.collect(), shown.iter().flat_map(|(_, rows)| rows.iter().map(row)).collect())
}

/// The same as a Markdown table.
pub fn markdown(all: &[Paired]) -> String {
    let (head, rows) = sheet(all);
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("\nDifferences, against **{}**:\n\n", escaped(&all[0].baseline));
    text += &line(head);
    text += "| --- | --- | --: | --: | --: | --: | --: | --: |\n";
    for row in rows {
        let [names, figures] = [&row[..2], &row[2..]];
        text += &line(names.iter().map(|name| escaped(name)).chain(figures.iter().cloned()).collect());
    }
    text + "\n" + &notes(all).iter().map(|note| format!("- {}\n", escaped(note))).collect::<String>()
}

/// The family of tests that a row belongs to, as files name it.
fn family(row: &Paired) -> &'static str {
    if row.headline { "headline" } else { "other" }
}

/// The rows for a program: `paired` of `compare --format json`.
pub fn rows(all: &[Paired]) -> Value {
    let one = |row: &Paired| {
        json!({
            "variant": row.variant, "baseline": row.baseline,
            "metric": row.row.metric, "of": row.row.of, "cause": row.row.cause, "stat": row.row.stat,
            "unit": row.row.unit, "family": family(row),
            "pairs": row.pairs, "missing": row.missing, "unpaired": row.unpaired,
            "baseline_mean": row.baseline_mean, "variant_mean": row.variant_mean,
            "diff": { "mean": row.difference.mean, "ci95": row.difference.interval },
            "median_diff": { "median": row.median, "ci95": row.median_interval },
            "ratio": { "value": row.ratio.value, "ci95": row.ratio.interval },
            "p": row.p, "p_holm": row.p_holm, "verdict": row.shift.name(),
            "pairing_gain": row.gain, "correlation": row.correlation,
        })
    };
    all.iter().map(one).collect()
}

/// `paired.json`.
pub fn json(all: &[Paired]) -> Value {
    let baseline = all.first().map(|row| row.baseline.as_str());
    json!({
        "schema_version": SCHEMA_VERSION, "confidence": CONFIDENCE, "baseline": baseline, "paired": rows(all),
    })
}

/// `paired.csv`: one row a variant and metric.
pub fn csv(header: &Header, all: &[Paired]) -> String {
    let rows = all.iter().map(|row| {
        let number = |value: Option<f64>| value.map_or_else(String::new, super::csv::float);
        let spread = |value: f64, interval: Option<(f64, f64)>| {
            let (low, high) = interval.unzip();
            [number(Some(value)), number(low), number(high)]
        };
        let mut cells = vec![header.scenario.clone(), row.variant.clone(), row.baseline.clone()];
        cells.extend([row.row.metric, &row.row.of, row.row.cause, row.row.stat].map(str::to_owned));
        cells.extend([row.row.unit, family(row)].map(str::to_owned));
        cells.extend([row.pairs, row.missing, row.unpaired].map(|count| count.to_string()));
        cells.extend([number(Some(row.baseline_mean)), number(Some(row.variant_mean))]);
        cells.extend(spread(row.difference.mean, row.difference.interval));
        cells.extend(spread(row.median, row.median_interval));
        cells.extend(spread(row.ratio.value, row.ratio.interval));
        cells.extend([number(row.p), number(row.p_holm), row.shift.name().to_owned()]);
        cells.extend([number(row.gain), number(row.correlation)]);
        cells
    });
    super::csv::table(COLUMNS, rows)
}

const COLUMNS: [&str; 28] = [
    "scenario",
    "variant",
    "baseline",
    "metric",
    "of",
    "cause",
    "stat",
    "unit",
    "family",
    "pairs",
    "missing",
    "unpaired",
    "baseline_mean",
    "variant_mean",
    "diff",
    "diff_low",
    "diff_high",
    "median_diff",
    "median_diff_low",
    "median_diff_high",
    "ratio",
    "ratio_low",
    "ratio_high",
    "p",
    "p_holm",
    "verdict",
    "pairing_gain",
    "correlation",
];

#[cfg(test)]
#[path = "paired_tests.rs"]
mod tests;
