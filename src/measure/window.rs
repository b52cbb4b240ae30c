//! Which part of a run counts.
//!
//! An incident is judged from when it began, a cure from when it could work, and neither while something else
//! is known to be going on. What was measured over a stretch of time, such as a bin, counts if all of that
//! stretch does: a bin in whose middle an event begins shows the event, too.

use super::BIN;
use crate::engine::time::{Span, Time};

/// A stretch of time, with gaps.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its first instant.
    pub from: Time,
    /// Its end; [`Time::NEVER`]: that of the run.
    pub to: Time,
    /// Stretches that do not count.
    pub except: Vec<(Time, Time)>,
}

impl Window {
    /// The whole of a run.
    pub fn whole() -> Window {
        Window { from: Time::ZERO, to: Time::NEVER, except: vec![] }
    }

    /// Whether an instant lies within.
    pub fn holds(&self, at: Time) -> bool {
        at >= self.from && at < self.to && !self.except.iter().any(|gap| at >= gap.0 && at < gap.1)
    }

    /// Whether the whole bin that begins at an instant lies within; a latency spike begins with a bin.
    pub fn holds_bin(&self, from: Time) -> bool {
        self.covers(from, BIN)
    }

    fn covers(&self, from: Time, length: Span) -> bool {
        let to = from + length;
        let gap = |gap: &(Time, Time)| gap.0 < gap.1 && from < gap.1 && to > gap.0;
        from >= self.from && to <= self.to && !self.except.iter().any(gap)
    }

    /// The entries of a series, `step` apart, that lie within.
    pub(super) fn of<'a, T>(&'a self, series: &'a [T], step: Span) -> impl Iterator<Item = &'a T> {
        series
            .iter()
            .enumerate()
            .filter(move |(place, _)| self.covers(Time(*place as u64 * step.0), step))
            .map(|(_, one)| one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event in the middle of a bin: neither what ends with it nor what leaves it out sees that bin.
    #[test]
    fn a_bin_counts_if_all_of_it_lies_within() {
        let at = |seconds| Time::ZERO + Span::from_secs(seconds);
        let bins: Vec<u64> = (0..10).collect();
        let seen = |window: &Window| window.of(&bins, BIN).copied().collect::<Vec<_>>();
        let until = Window { to: at(45), ..Window::whole() };
        assert_eq!(seen(&until), [0, 1, 2, 3]);
        let after = Window { from: at(75), ..Window::whole() };
        assert_eq!(seen(&after), [8, 9]);
        let except = Window { except: vec![(at(45), at(70)), (at(20), at(20))], ..Window::whole() };
        assert_eq!(seen(&except), [0, 1, 2, 3, 7, 8, 9], "a gap of no length leaves nothing out");
        assert!(until.holds(at(44)) && !until.holds_bin(at(40)));
    }
}
