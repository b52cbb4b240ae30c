//! Everything between two ends: `0s..180s`.
//!
//! Both ends have one unit; two durations of different units are brought to one. Values in between are
//! written with as many decimals as the range has room for.

use crate::engine::time::Span;
use crate::scenario::units::{parse_rate, parse_span};
use serde::{Deserialize, Serialize};

/// Two ends of one unit: `0s..180s`, `x0.5..x2`, `2..16`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// What stands before the number: nothing, or `x`.
    pub before: String,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// What stands behind the number.
    pub unit: String,
    /// Whether only whole numbers are meant: a count, both ends written without a point.
    pub whole: bool,
}

impl Range {
    /// Reads `lo..hi`.
    ///
    /// # Errors
    /// Says how a range is written.
    pub fn parse(text: &str) -> Result<Range, String> {
        let form = "a range is written `lo..hi`, such as `0s..180s`, `x0.5..x2` or `2..16`";
        let (low, high) = text.split_once("..").ok_or(form)?;
        let spans = (parse_span(low.trim()), parse_span(high.trim()));
        let (low, high) = match (Quantity::parse(low), Quantity::parse(high), spans) {
            (Some(low), Some(high), _) if low.before == high.before && low.unit == high.unit => (low, high),
            (_, _, (Ok(low), Ok(high))) => Quantity::alike(low, high),
            (Some(_), Some(_), _) => return Err(format!("{form}; both ends have the same unit")),
            _ => return Err(form.to_owned()),
        };
        if low.number >= high.number {
            return Err(format!("{form}; `{}` is not below the other end", text.trim()));
        }
        let whole = low.unit.is_empty() && low.before.is_empty() && !text.replace("..", "").contains('.');
        let (before, unit) = (low.before.to_owned(), low.unit.to_owned());
        Ok(Range { before, low: low.number, high: high.number, unit, whole })
    }

    /// A value as it is written in a scenario: 0.1 + 0.2 is written 0.3.
    pub fn text(&self, value: f64) -> String {
        format!("{}{}{}", self.before, self.tidy(value), self.unit)
    }

    /// A value as it is written: whole where only whole numbers are meant; otherwise with six decimals, of
    /// the range where that is narrower than 1.
    pub fn tidy(&self, value: f64) -> f64 {
        if self.whole {
            return value.round();
        }
        let (mut scale, mut width) = (1e6, self.high - self.low);
        while width < 1.0 && scale < 1e15 {
            (scale, width) = (scale * 10.0, width * 10.0);
        }
        (value * scale).round() / scale
    }

    /// A duration or a rate in the range's unit, if that is one of the same kind.
    fn in_unit(&self, text: &str) -> Option<f64> {
        let one = format!("1{}", self.unit);
        let span = |text: &str| parse_span(text).map(Span::as_secs).ok();
        let rate = |text: &str| parse_rate(text).map(|rate| rate.0).ok();
        let ratio = |read: &dyn Fn(&str) -> Option<f64>| Some(read(text)? / read(&one)?);
        ratio(&span).or_else(|| ratio(&rate))
    }

    /// A width in the range's unit, or in another of the same kind, such as `5s` or, of a factor, `x0.1`.
    ///
    /// # Errors
    /// Says how it is written.
    pub fn width(&self, text: &str) -> Result<f64, String> {
        let read = Quantity::parse(text).filter(|width| {
            width.unit == self.unit && (width.before == self.before || width.before.is_empty())
        });
        let read = read.map(|width| width.number).or_else(|| self.in_unit(text));
        let wide = read.filter(|width| *width > 0.0);
        let example = self.text((self.high - self.low) / 20.0);
        wide.ok_or_else(|| {
            format!("`{text}` is no width above zero in the unit of the range, such as `{example}`")
        })
    }
}

/// `x0.5` is `x`, 0.5 and nothing; `30s` is nothing, 30 and `s`.
#[derive(Clone, Copy)]
struct Quantity<'a> {
    before: &'a str,
    number: f64,
    unit: &'a str,
}

impl Quantity<'_> {
    /// Two durations in one unit: seconds, or a smaller one where the lesser is below a thousandth of it.
    fn alike(low: Span, high: Span) -> (Quantity<'static>, Quantity<'static>) {
        let least = if low == Span::ZERO { high } else { low };
        let (unit, length) = match least.0 {
            0..1_000 => ("us", 1e3),
            1_000..1_000_000 => ("ms", 1e6),
            _ => ("s", 1e9),
        };
        let of = |span: Span| Quantity { before: "", number: span.0 as f64 / length, unit };
        (of(low), of(high))
    }

    fn parse(text: &str) -> Option<Quantity<'_>> {
        let text = text.trim();
        let begin = text.find(|c: char| c.is_ascii_digit())?;
        let digits = |c: char| !c.is_ascii_digit() && c != '.';
        let end = text[begin..].find(digits).map_or(text.len(), |end| begin + end);
        let (before, unit) = (&text[..begin], &text[end..]);
        let number = text[begin..end].parse().ok()?;
        let unit_fits = unit.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '%' | ' '));
        (matches!(before, "" | "x") && unit_fits).then_some(Quantity { before, number, unit })
    }
}

/// The number in a value, if it is one quantity: where it stands on a chart.
pub fn number(text: &str) -> Option<(f64, &str)> {
    Quantity::parse(text).map(|quantity| (quantity.number, quantity.unit))
}
