//! Quantities as engineers write them: `"15m"`, `"8000/s"`, `"5%"`.
//!
//! Every duration, rate and share in a scenario is a string with its unit; a bare number stands only for a
//! count or a factor. The JSON schema names each kind in `format`, so that the checker can parse the text and
//! say what is wrong with it. Left out: days and longer, which calendars make uneven.

use crate::engine::time::Span;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;

const UNITS: [(&str, f64); 6] =
    [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// A wait that may have no end: a duration, or `"none"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit(pub Option<Span>);

/// Events per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate(pub f64);

/// A part of a whole: 0 to 1, written as a percentage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share(pub f64);

/// The width of a random part: a duration, or a share of what it is a part of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Width {
    /// So long.
    Span(Span),
    /// This share.
    Share(Share),
}

impl Width {
    /// How wide it is on something so long.
    pub fn of(self, whole: Span) -> Span {
        match self {
            Width::Span(span) => span,
            Width::Share(share) => whole.scale(share.0),
        }
    }
}

impl Default for Width {
    fn default() -> Width {
        Width::Span(Span::ZERO)
    }
}

/// An instant as written: an offset, a date-time or `"event.NAME + 30s"`. Resolved by [`super::when`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When(pub String);

/// Splits `"15m"` into its number and its unit.
fn number_and_unit(text: &str) -> Result<(f64, &str), String> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let number = text[..split]
        .parse::<f64>()
        .map_err(|_| format!("`{text}` does not begin with a positive number"))?;
    Ok((number, text[split..].trim()))
}

/// Parses a duration: a number with a unit, or several with smaller and smaller units (`"3h27m"`).
///
/// # Errors
/// Says what is wrong with the text: no number, no unit, an unknown unit, or too large for 292 years.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let (mut total, mut above, mut rest) = (0.0, f64::INFINITY, text.trim());
    while above.is_infinite() || !rest.is_empty() {
        let (number, tail) = number_and_unit(rest)?;
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let unit = tail[..end].trim();
        rest = &tail[end..];
        if unit.is_empty() {
            let whole = text.trim();
            return Err(format!(
                "`{whole}` has no unit: write `{whole}s`, `{whole}ms`, … (ns, us, ms, s, m, h)"
            ));
        }
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{text}` has an unknown unit `{unit}` (use ns, us, ms, s, m, h)"));
        };
        if *nanos >= above {
            return Err(format!("`{text}` has its units out of order: write the larger first, each once"));
        }
        above = *nanos;
        total += number * nanos;
    }
    if total > i64::MAX as f64 {
        return Err(format!("`{text}` is longer than 292 years"));
    }
    Ok(Span((total + 0.5) as u64))
}

/// Parses a duration or `"none"`.
///
/// # Errors
/// As [`parse_span`].
pub fn parse_limit(text: &str) -> Result<Limit, String> {
    if text.trim() == "none" {
        return Ok(Limit(None));
    }
    parse_span(text).map(|span| Limit(Some(span))).map_err(|problem| format!("{problem}, or `none`"))
}

/// Parses a rate such as `"4000/s"`, `"30/m"` or `"5/h"`.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    let (number, unit) = number_and_unit(text)?;
    let per = match unit {
        "/s" => 1.0,
        "/m" => 60.0,
        "/h" => 3600.0,
        "" => return Err(format!("`{text}` has no unit: write `{text}/s`, `{text}/m` or `{text}/h`")),
        _ => return Err(format!("`{text}` has an unknown unit `{unit}` (use /s, /m, /h)")),
    };
    if number > 1e12 {
        return Err(format!("`{text}` is more than a trillion"));
    }
    Ok(Rate(number / per))
}

/// Parses a share such as `"5%"`.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_share(text: &str) -> Result<Share, String> {
    match parse_percentage(text)? {
        share if share <= 1.0 => Ok(Share(share)),
        _ => Err(format!("`{text}` is more than the whole (0% to 100%)")),
    }
}

/// Parses a percentage such as `"150%"`: more than the whole is a share of what there was before.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_percentage(text: &str) -> Result<f64, String> {
    match number_and_unit(text)? {
        (number, "%") => Ok(number / 100.0),
        _ => Err(format!("`{text}` is not a share: write a percentage such as `5%`")),
    }
}

/// Parses a duration or a share.
///
/// # Errors
/// As [`parse_span`] and [`parse_share`].
pub fn parse_width(text: &str) -> Result<Width, String> {
    if text.trim_end().ends_with('%') {
        return parse_share(text).map(Width::Share);
    }
    parse_span(text).map(Width::Span).map_err(|problem| format!("{problem}, or a share such as `10%`"))
}

/// Parses a quantity of any kind: a share, a duration or a rate.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_quantity(text: &str) -> Result<f64, String> {
    let share = parse_percentage(text);
    let span = || parse_span(text).map(Span::as_secs);
    let rate = || parse_rate(text).map(|rate| rate.0);
    share.or_else(|_| span()).or_else(|_| rate()).map_err(|_| {
        format!(
            "`{text}` is no quantity: write a share `5%`, a duration `30ms`, a rate `10/s` or a bare count"
        )
    })
}

/// Parses a calendar instant into nanoseconds since 1970.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_date_time(text: &str) -> Result<i128, String> {
    text.parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_nanosecond)
        .map_err(|_| format!("`{text}` is not a date-time with a zone, such as 2025-09-14T05:30:00Z"))
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(span) => span.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0 * 100.0)
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Width::Span(span) => span.fmt(f),
            Width::Share(share) => share.fmt(f),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A quantity is a string to serde and, in the schema, a string of a named format.
macro_rules! quantity {
    ($type:ty, $name:literal, $format:literal, $pattern:literal, $parse:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                #[allow(clippy::redundant_closure_call)]
                ($parse)(text.as_str()).map_err(de::Error::custom)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format, "pattern": $pattern })
            }
        }
    };
}

quantity!(Span, "Duration", "duration-unit", r"^([0-9]+(\.[0-9]+)? ?(ns|us|ms|s|m|h) ?)+$", parse_span);
quantity!(Limit, "Limit", "limit", r"^(none|([0-9]+(\.[0-9]+)? ?(ns|us|ms|s|m|h) ?)+)$", parse_limit);
quantity!(Rate, "Rate", "rate", r"^[0-9]+(\.[0-9]+)? ?/(s|m|h)$", parse_rate);
quantity!(Share, "Share", "share", r"^[0-9]+(\.[0-9]+)? ?%$", parse_share);
quantity!(
    Width,
    "Width",
    "width",
    r"^([0-9]+(\.[0-9]+)? ?%|([0-9]+(\.[0-9]+)? ?(ns|us|ms|s|m|h) ?)+)$",
    parse_width
);
quantity!(When, "When", "when", r"^.+$", |text: &str| Ok::<When, String>(When(text.to_owned())));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_parse_and_print_back() {
        for text in ["15m", "250us", "90s", "0s"] {
            assert_eq!(parse_span(text).unwrap().to_string(), text);
        }
        assert_eq!(parse_span("1.5s"), Ok(Span::from_millis(1500)));
        assert_eq!(parse_span("3h27m"), Ok(Span::from_secs(12_420)));
        assert_eq!(parse_span("1m 1.5s"), Ok(Span::from_millis(61_500)));
        assert_eq!(parse_limit("none"), Ok(Limit(None)));
        assert_eq!(parse_rate("120/m"), Ok(Rate(2.0)));
        assert_eq!(parse_share("5%"), Ok(Share(0.05)));
        assert_eq!(parse_width("90s"), Ok(Width::Span(Span::from_secs(90))));
        let (share, lifetime) = (parse_width("2.5%").unwrap(), Span::from_secs(1800));
        assert_eq!((share.to_string(), share.of(lifetime)), ("2.5%".to_owned(), Span::from_secs(45)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (result, word) in [
            (parse_span("15").map(|_| ()), "no unit"),
            (parse_span("15min").map(|_| ()), "unknown unit `min`"),
            (parse_span("1h30").map(|_| ()), "no unit"),
            (parse_span("30m1h").map(|_| ()), "out of order"),
            (parse_span("1m1m").map(|_| ()), "out of order"),
            (parse_span("").map(|_| ()), "positive number"),
            (parse_span("-3s").map(|_| ()), "positive number"),
            (parse_span("9999999999h").map(|_| ()), "292 years"),
            (parse_rate("10/d").map(|_| ()), "unknown unit"),
            (parse_rate("2000000000000/s").map(|_| ()), "more than a trillion"),
            (parse_share("130%").map(|_| ()), "more than the whole"),
            (parse_share("0.5").map(|_| ()), "percentage"),
            (parse_width("90").map(|_| ()), "or a share such as"),
            (parse_width("120%").map(|_| ()), "more than the whole"),
        ] {
            let message = result.expect_err("should not parse");
            assert!(message.contains(word), "{message} should contain {word}");
        }
    }
}
