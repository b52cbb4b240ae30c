//! Simulated time: integer nanoseconds.
//!
//! Real clocks are floats or structs with leap seconds; ours is a count, so that sums are exact and equal on
//! every platform. [`Time`] is an instant since the start of the run, [`Span`] a distance between two. 64
//! bits of nanoseconds reach 584 years. Left out: calendar time, which only reports know.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

/// An instant: nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

/// A distance in time: nanoseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u64);

const NANOS: f64 = 1e9;

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// Later than every event.
    pub const NEVER: Time = Time(u64::MAX);

    /// Seconds since the start of the run.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / NANOS
    }

    /// The span since `earlier`; zero if `earlier` is not earlier.
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// Longer than every run.
    pub const FOREVER: Span = Span(u64::MAX);

    /// `n` microseconds.
    pub const fn from_micros(n: u64) -> Span {
        Span(n * 1_000)
    }

    /// `n` milliseconds.
    pub const fn from_millis(n: u64) -> Span {
        Span(n * 1_000_000)
    }

    /// `n` whole seconds.
    pub const fn from_secs(n: u64) -> Span {
        Span(n * 1_000_000_000)
    }

    /// Seconds as a float, rounded to the nanosecond; negative and NaN give zero, too large gives
    /// [`Span::FOREVER`].
    pub fn from_secs_f64(seconds: f64) -> Span {
        Span((seconds * NANOS + 0.5) as u64)
    }

    /// The span in seconds.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / NANOS
    }

    /// The span in milliseconds.
    pub fn as_millis(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The span times `factor`, rounded to the nanosecond.
    pub fn scale(self, factor: f64) -> Span {
        Span((self.0 as f64 * factor + 0.5) as u64)
    }

    /// This span less `other`; zero if `other` is longer.
    pub fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Time {
    type Output = Span;
    /// # Panics
    /// If `earlier` is later.
    fn sub(self, earlier: Time) -> Span {
        Span(self.0 - earlier.0)
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, n: u64) -> Span {
        Span(self.0.saturating_mul(n))
    }
}

impl fmt::Display for Span {
    /// The shortest exact form with one unit: `15m`, `250us`, `1500ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 6] = [
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
            (1, "ns"),
        ];
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let (size, name) = UNITS.iter().find(|(size, _)| self.0.is_multiple_of(*size)).unwrap_or(&UNITS[5]);
        write!(f, "{}{name}", self.0 / size)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9}s", self.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_print_in_the_largest_unit_that_is_exact() {
        for (span, text) in [
            (Span::from_secs(900), "15m"),
            (Span::from_secs(90), "90s"),
            (Span::from_micros(250), "250us"),
            (Span::ZERO, "0s"),
            (Span(1_500_000_001), "1500000001ns"),
        ] {
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn conversion_from_seconds_rounds_and_saturates() {
        assert_eq!(Span::from_secs_f64(0.5e-9), Span(1));
        assert_eq!(Span::from_secs_f64(-1.0), Span::ZERO);
        assert_eq!(Span::from_secs_f64(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_secs_f64(1e30), Span::FOREVER);
    }
}
