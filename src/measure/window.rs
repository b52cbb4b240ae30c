//! Which part of a run counts.
//!
//! An incident is judged from when it began, a cure from when it could work, and neither while something else
//! is known to be going on.

use super::Measured;
use crate::engine::time::{Span, Time};

/// A stretch of time, with gaps.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its first instant.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// Stretches that do not count.
    pub except: Vec<(Time, Time)>,
}

impl Window {
    /// The whole of a run.
    pub fn whole(measured: &Measured) -> Window {
        Window { from: Time::ZERO, to: Time::ZERO + measured.duration, except: vec![] }
    }

    /// Whether an instant lies within.
    pub fn holds(&self, at: Time) -> bool {
        at >= self.from && at < self.to && !self.except.iter().any(|gap| at >= gap.0 && at < gap.1)
    }

    /// The entries of a series, `step` apart, that lie within.
    pub(super) fn of<'a, T>(&'a self, series: &'a [T], step: Span) -> impl Iterator<Item = &'a T> {
        series
            .iter()
            .enumerate()
            .filter(move |(place, _)| self.holds(Time(*place as u64 * step.0)))
            .map(|(_, one)| one)
    }
}
