//! Times as written in a scenario, resolved to offsets from the start of the run.
//!
//! A time is an offset (`"2h"`), a calendar instant (which needs the scenario's `start`) or relative to an
//! event (`"event.slow-disk + 30s"`, `"event.slow-disk.until - 1m"`). Left out: times relative to what a run
//! measures.

use super::grammar::File;
use super::units::{When, parse_date_time, parse_span};
use crate::engine::time::{Span, Time};

/// How long a chain of relative times may be: nobody can follow a longer one.
const MAX_CHAIN: usize = 32;

/// A time as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenTime {
    /// From the start of the run.
    Offset(Span),
    /// A calendar instant, in nanoseconds since 1970.
    Instant(i128),
    /// Relative to an event.
    Relative {
        /// The event.
        event: String,
        /// Relative to its end rather than its beginning.
        until: bool,
        /// Earlier rather than later.
        minus: bool,
        /// By how much.
        by: Span,
    },
}

/// Parses a time.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse(text: &str) -> Result<WrittenTime, String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("event.") {
        return relative(rest);
    }
    if text.len() >= 10 && text.as_bytes()[4] == b'-' {
        return parse_date_time(text).map(WrittenTime::Instant);
    }
    if text.starts_with('-') {
        return Err(format!("`{text}` is before the start of the run"));
    }
    parse_span(text).map(WrittenTime::Offset).map_err(|problem| {
        format!("{problem}; a time is `2h`, a date-time, or relative such as `event.NAME + 30s`")
    })
}

fn relative(rest: &str) -> Result<WrittenTime, String> {
    // Names contain `-`, so that a sign must stand alone.
    let (target, minus, by) = match (rest.split_once(" + "), rest.split_once(" - ")) {
        (Some((target, by)), _) => (target, false, parse_span(by)?),
        (None, Some((target, by))) => (target, true, parse_span(by)?),
        (None, None) if rest.contains([' ', '+']) => {
            return Err(format!("`event.{rest}`: write `event.NAME + 30s`, with spaces around the sign"));
        }
        (None, None) => (rest, false, Span::ZERO),
    };
    let target = target.trim();
    let (event, until) = match target.strip_suffix(".until") {
        Some(event) => (event, true),
        None => (target.strip_suffix(".at").unwrap_or(target), false),
    };
    Ok(WrittenTime::Relative { event: event.to_owned(), until, minus, by })
}

/// Resolves a time.
///
/// # Errors
/// It names no event, depends on itself, lies before the start of the run, or is a calendar instant in a
/// scenario without `start`.
pub fn resolve(file: &File, when: &When) -> Result<Time, String> {
    resolve_within(file, &when.0, &mut Vec::new())
}

fn resolve_within(file: &File, text: &str, on_the_way: &mut Vec<String>) -> Result<Time, String> {
    match parse(text)? {
        WrittenTime::Offset(span) => Ok(Time(span.0)),
        WrittenTime::Instant(nanos) => {
            let Some(start) = &file.start else {
                return Err(format!("`{text}` is a date-time, but the scenario has no `start`"));
            };
            let offset = nanos - parse_date_time(&start.0)?;
            u64::try_from(offset).map(Time).map_err(|_| format!("`{text}` is before the start of the run"))
        }
        WrittenTime::Relative { event, until, minus, by } => {
            let Some(found) = file.event.get(&event) else {
                return Err(format!("there is no event `{event}`"));
            };
            let step = format!("event.{event}{}", if until { ".until" } else { "" });
            if on_the_way.contains(&step) {
                on_the_way.push(step);
                return Err(format!("this time depends on itself: {}", on_the_way.join(" → ")));
            }
            if on_the_way.len() > MAX_CHAIN {
                return Err(format!(
                    "`{text}` is relative to an event that is relative to {MAX_CHAIN} others"
                ));
            }
            on_the_way.push(step);
            let target = match (until, &found.until) {
                (false, _) => &found.at,
                (true, Some(end)) => end,
                (true, None) => return Err(format!("event `{event}` has no `until`")),
            };
            let base = resolve_within(file, &target.0, on_the_way)?;
            on_the_way.pop();
            if !minus {
                return Ok(base + by);
            }
            let earlier = base.0.checked_sub(by.0);
            earlier.map(Time).ok_or_else(|| format!("`{text}` is before the start of the run"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_ways_to_write_a_time() {
        assert_eq!(parse("2h"), Ok(WrittenTime::Offset(Span::from_secs(7200))));
        assert_eq!(parse("1970-01-01T00:00:01Z"), Ok(WrittenTime::Instant(1_000_000_000)));
        let relative = |until, minus, seconds| {
            Ok(WrittenTime::Relative {
                event: "slow-disk".to_owned(),
                until,
                minus,
                by: Span::from_secs(seconds),
            })
        };
        assert_eq!(parse("event.slow-disk"), relative(false, false, 0));
        assert_eq!(parse("event.slow-disk.at + 30s"), relative(false, false, 30));
        assert_eq!(parse("event.slow-disk.until - 1m"), relative(true, true, 60));
    }

    #[test]
    fn what_is_wrong_with_a_time_is_said() {
        for (text, word) in [
            ("-5m", "before the start"),
            ("5", "no unit"),
            ("2025-13-01T00:00:00Z", "date-time"),
            ("event.a+5m", "spaces"),
            ("event.a + 5", "no unit"),
        ] {
            let why = parse(text).expect_err(text);
            assert!(why.contains(word), "{why} should contain {word}");
        }
    }
}
