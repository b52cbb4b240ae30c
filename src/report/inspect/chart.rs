//! Births on the lifetime clock as bars in a terminal, at most eighty columns wide.
//!
//! The clock is laid out from one lifetime ago to now, so that a column far left comes due first.

use super::clock;
use crate::engine::time::{Span, Time};
use crate::measure::snapshot::Snapshot;
use crate::report::human;
use crate::report::text::Paint;

/// Columns of bars.
const COLUMNS: usize = 60;
/// Lines of bars, eight steps each.
const LINES: usize = 4;
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The label left of the bars.
const LEFT: usize = 8;

/// Births in equal parts of the last lifetime, and whether each part holds some of a storm.
pub fn columns(seen: &Snapshot, columns: usize) -> Vec<(usize, bool)> {
    let length = seen.lifetime.span();
    // A birth lies after the beginning and no later than now.
    let place = |at: Time| {
        let part = 1.0 - seen.now.since(at).as_secs() / length.as_secs();
        ((part * columns as f64).ceil() as usize).clamp(1, columns) - 1
    };
    let mut counts = vec![(0, false); columns];
    for at in &seen.births {
        let column = &mut counts[place(*at)];
        let within = |storm: &crate::measure::snapshot::Storm| {
            let (from, to) = (storm.from, storm.from + storm.width);
            (from <= *at && *at <= to) || (from <= *at + length && *at + length <= to)
        };
        *column = (column.0 + 1, column.1 || seen.storms.iter().any(within));
    }
    counts
}

/// The chart.
pub fn chart(seen: &Snapshot, paint: Paint) -> String {
    let counts = columns(seen, COLUMNS);
    let most = counts.iter().map(|column| column.0).max().unwrap_or(0);
    let mut text = String::new();
    for line in (0..LINES).rev() {
        let label = if line == LINES - 1 { human::count(most as u64) } else { String::new() };
        let bars: String = counts.iter().map(|column| bar(*column, most, line, paint)).collect();
        text += &format!("{label:>LEFT$} │{}\n", bars.trim_end());
    }
    let quarter = "┬".to_owned() + &"─".repeat(COLUMNS / 4 - 1);
    text += &format!("{:>LEFT$} └{}┐\n", "", quarter.repeat(4).replacen('┬', "─", 1));
    let length = seen.lifetime.span();
    let begin = Time(seen.now.0.saturating_sub(length.0));
    let labels: String = (0..4u64)
        .map(|n| format!("{:<width$}", label(begin + Span(length.0 / 4 * n), seen.now), width = COLUMNS / 4))
        .collect();
    text + &format!("{:>LEFT$} {labels} now\n", "")
}

/// Dates have no room; the list of storms has them.
fn label(at: Time, now: Time) -> String {
    let text = clock(at, now);
    text.chars().take(COLUMNS / 4 - 1).collect()
}

/// The part of a column that stands in a line, counted from below.
fn bar((count, storm): (usize, bool), most: usize, line: usize, paint: Paint) -> String {
    let eighths = (count * LINES * 8).div_ceil(most.max(1));
    let part = EIGHTHS[eighths.saturating_sub(line * 8).min(8)];
    if storm && part != ' ' { paint.with("31", &part.to_string()) } else { part.to_string() }
}
