//! Scales: from values to pixels, and where their ticks stand.

use crate::report::{Header, human};
use jiff::Timestamp;

/// A rectangle in which data is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Its left edge.
    pub left: f64,
    /// Its upper edge.
    pub top: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

impl Frame {
    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// Time from the start of the run to its end.
#[derive(Clone, Debug)]
pub struct TimeAxis {
    /// Calendar time of the start.
    start: Option<Timestamp>,
    /// Seconds that it spans; never zero.
    pub seconds: f64,
}

/// Steps between ticks, in seconds.
const STEPS: [i64; 25] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    604_800,
    1_209_600,
    2_592_000,
    7_776_000,
    31_536_000,
    315_360_000,
];

impl TimeAxis {
    /// The axis of a run of so many seconds.
    pub fn new(header: &Header, seconds: f64) -> TimeAxis {
        TimeAxis { start: header.start(), seconds: seconds.max(1.0) }
    }

    /// Where a time stands.
    pub fn x(&self, frame: &Frame, seconds: f64) -> f64 {
        frame.left + frame.width * (seconds / self.seconds).clamp(0.0, 1.0)
    }

    /// Which of so many equal columns a stretch of time falls into: the one of its beginning, and all that it
    /// fills.
    pub fn columns(&self, columns: usize, from: f64, to: f64) -> std::ops::Range<usize> {
        // A hair more, so that a stretch that begins where a column begins is not put before it.
        let column = |seconds: f64| (seconds / self.seconds * columns as f64 + 1e-9) as usize;
        let first = column(from).min(columns);
        first..column(to).max(first + 1).min(columns)
    }

    /// Times in seconds with one or two lines of label: at most `most` of them, on round values of the clock.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String, String)> {
        let step = STEPS.into_iter().find(|step| self.seconds / *step as f64 <= most as f64);
        let step = step.unwrap_or(STEPS[STEPS.len() - 1]);
        let first = self.start.map_or(0, |start| {
            // The next round value of the clock.
            (step - start.as_second().rem_euclid(step)) % step
        });
        let mut ticks = Vec::new();
        let mut day = String::new();
        let mut at = first;
        while at as f64 <= self.seconds {
            let (label, date) = self.label(at, step);
            let below = if date == day { String::new() } else { date.clone() };
            day = date;
            ticks.push((at as f64, label, below));
            at += step;
        }
        ticks
    }

    fn label(&self, at: i64, step: i64) -> (String, String) {
        let Some(start) = self.start else { return (human::offset(at as f64), String::new()) };
        let Ok(then) = start.checked_add(jiff::SignedDuration::from_secs(at)) else {
            return Default::default();
        };
        let civil = jiff::tz::Offset::UTC.to_datetime(then);
        let clock = if step < 60 { "%H:%M:%S" } else { "%H:%M" };
        (civil.strftime(clock).to_string(), civil.strftime("%d %b %Y").to_string())
    }

    /// What the axis is called.
    pub fn title(&self) -> &'static str {
        if self.start.is_some() { "time (UTC)" } else { "time since the start" }
    }
}

/// A scale for values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// From zero to `max`.
    Linear {
        /// The value at the top.
        max: f64,
    },
    /// Logarithmic, from `min` to `max`.
    Log {
        /// The value at the bottom.
        min: f64,
        /// The value at the top.
        max: f64,
    },
}

impl Scale {
    /// A linear scale on which `greatest` has some air above it.
    pub fn linear(greatest: f64) -> Scale {
        let greatest = if greatest.is_finite() && greatest > 0.0 { greatest } else { 1.0 };
        Scale::Linear { max: greatest * 1.06 }
    }

    /// A logarithmic scale that holds both values, at least a factor of ten.
    pub fn log(least: f64, greatest: f64) -> Scale {
        let sound = least.is_finite() && greatest.is_finite() && least > 0.0 && greatest >= least;
        let (least, greatest) = if sound { (least, greatest) } else { (1_000.0, 1_000_000.0) };
        let (min, max) = (least * 0.9, greatest * 1.15);
        Scale::Log { min, max: max.max(min * 10.0) }
    }

    /// Where a value stands, from 0 at the bottom to 1 at the top; values outside stand on the edge.
    pub fn part(&self, value: f64) -> f64 {
        let part = match *self {
            Scale::Linear { max } => value / max,
            Scale::Log { min, max } => libm::log(value.max(min) / min) / libm::log(max / min),
        };
        if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) }
    }

    /// The height at which a value stands in a frame.
    pub fn y(&self, frame: &Frame, value: f64) -> f64 {
        frame.bottom() - frame.height * self.part(value)
    }

    /// Round values, ascending, about `most` of them.
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        match *self {
            Scale::Linear { max } => {
                let rough = max / most.max(1) as f64;
                let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
                let nice = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0].map(|n| n * power);
                // The least round step that is far enough, unless nothing but zero were left.
                let far = nice.into_iter().find(|step| *step >= rough && *step <= max);
                let step = far.or(nice.into_iter().rev().find(|step| *step <= max)).unwrap_or(max);
                (0..=(max / step) as u64).map(|n| n as f64 * step).collect()
            }
            Scale::Log { min, max } => {
                let decades = libm::log10(max / min);
                let within: &[f64] = if decades * 3.0 > most as f64 { &[1.0] } else { &[1.0, 2.0, 5.0] };
                let first = libm::floor(libm::log10(min)) as i32;
                let last = libm::ceil(libm::log10(max)) as i32;
                let powers = (first..=last).map(|exponent| libm::pow(10.0, f64::from(exponent)));
                let values = powers.flat_map(|power| within.iter().map(move |n| n * power));
                values.filter(|value| *value >= min && *value <= max).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic::header;

    #[test]
    fn ticks_stand_on_round_values_of_the_clock() {
        let ticks = TimeAxis::new(&header(), 6.0 * 3600.0).ticks(13);
        assert_eq!(ticks[0], (0.0, "05:30".into(), "14 Sep 2025".into()));
        assert_eq!(ticks[1], (1800.0, "06:00".into(), String::new()));
        let late = Header { start: Some("2025-09-14T23:50:20Z".into()), ..header() };
        let ticks = TimeAxis::new(&late, 3600.0).ticks(12);
        assert_eq!(ticks[0], (280.0, "23:55".into(), "14 Sep 2025".into()));
        assert_eq!(ticks[1], (580.0, "00:00".into(), "15 Sep 2025".into()));
        let none = Header { start: None, ..header() };
        assert_eq!(TimeAxis::new(&none, 9000.0).ticks(10)[5].1, "1h15m");
    }

    #[test]
    fn scales_survive_nonsense() {
        for scale in [Scale::linear(0.0), Scale::linear(f64::NAN), Scale::log(0.0, 0.0), Scale::log(5.0, 5.0)]
        {
            assert!(scale.ticks(5).len() < 20);
            assert!((0.0..=1.0).contains(&scale.part(f64::NAN)));
        }
        assert_eq!(Scale::linear(360.0).ticks(5), [0.0, 100.0, 200.0, 300.0]);
        assert_eq!(Scale::linear(385.0).ticks(2), [0.0, 200.0, 400.0]);
        assert_eq!(Scale::linear(360.0).ticks(1), [0.0, 200.0]);
        assert_eq!(Scale::log(900.0, 6000.0).ticks(5), [1000.0, 2000.0, 5000.0]);
    }
}
