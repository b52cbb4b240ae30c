//! Which part of a run counts: between two times, without the time of some events.
//!
//! An incident is judged from when it began, a cure from when it could work, and neither while something else
//! is known to be going on. What was measured over a stretch of time, such as a bin, counts if all of that
//! stretch does: a bin in whose middle an event begins shows the event, too. Whether an expectation's part
//! holds a bin can be told before anything is run.

use super::grammar::{Expect, File};
use super::when;
use crate::engine::time::{Span, Time};

/// The bins in which most metrics are measured.
pub const BIN: Span = Span::from_secs(10);

/// What is said of an expectation whose time holds no bin.
pub(super) const NO_BIN: &str = "no whole bin of 10 s lies in the time that counts: nothing will be measured";
/// What helps.
pub(super) const WHOLE_BINS: &str =
    "bins begin at 0s, 10s, 20s, … of the run: let one lie in it from beginning to end";

/// How long a deed is left out by `except`.
const AFTER_DEED: Span = Span::from_secs(120);

/// A stretch of time, with gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    /// What an expectation is about in a run of the scenario.
    ///
    /// # Errors
    /// A time of the expectation leads nowhere.
    pub fn asked(expect: &Expect, file: &File) -> Result<Window, String> {
        let at = |bound: &Option<_>, otherwise| match bound {
            Some(bound) => when::resolve(file, bound),
            None => Ok(otherwise),
        };
        let from = at(&expect.after, Time::ZERO)?;
        // Whole bins count; one that the end of the run cuts short is whole.
        let to = match at(&expect.until, Time::NEVER)? {
            to if to < Time::ZERO + file.duration => to,
            _ => Time::NEVER,
        };
        Ok(Window { from, to, except: gaps(file, expect) })
    }

    /// Whether an instant lies within.
    pub fn holds(&self, at: Time) -> bool {
        at >= self.from && at < self.to && !self.except.iter().any(|gap| at >= gap.0 && at < gap.1)
    }

    /// Whether the whole bin that begins at an instant lies within; a latency spike begins with a bin.
    pub fn holds_bin(&self, from: Time) -> bool {
        self.covers(from, BIN)
    }

    /// Whether a run of this duration has a bin that lies wholly within.
    pub fn holds_a_bin(&self, duration: Span) -> bool {
        let bins = self.from.0.div_ceil(BIN.0)..duration.0.div_ceil(BIN.0);
        let mut bins = bins.map(|bin| Time(bin * BIN.0)).take_while(|bin| *bin + BIN <= self.to);
        bins.any(|bin| self.holds_bin(bin))
    }

    /// The entries of a series, `step` apart, that lie within.
    pub fn of<'a, T>(&'a self, series: &'a [T], step: Span) -> impl Iterator<Item = &'a T> {
        let within = move |place: usize| self.covers(Time(place as u64 * step.0), step);
        series.iter().enumerate().filter(move |(place, _)| within(*place)).map(|(_, one)| one)
    }

    fn covers(&self, from: Time, length: Span) -> bool {
        let to = from + length;
        let gap = |gap: &(Time, Time)| gap.0 < gap.1 && from < gap.1 && to > gap.0;
        from >= self.from && to <= self.to && !self.except.iter().any(gap)
    }
}

/// The stretches that an expectation leaves out.
fn gaps(file: &File, expect: &Expect) -> Vec<(Time, Time)> {
    let events = expect.except.iter().map(|name| name.strip_prefix("event.").unwrap_or(name));
    let spans =
        events.filter_map(|name| file.event.get(name)).filter(|event| event.enabled).filter_map(|event| {
            let from = when::resolve(file, &event.at).ok()?;
            let end = match &event.until {
                Some(until) => when::resolve(file, until).ok()?,
                None if event.is_instant() => from,
                None => Time::ZERO + file.duration,
            };
            Some((from, if event.deed.is_some() { end.max(from + AFTER_DEED) } else { end }))
        });
    spans.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_is_held_if_all_of_it_lies_within() {
        let at = |seconds| Time::ZERO + Span::from_secs(seconds);
        let holds = |from: u64, to: Time, except: &[(u64, u64)], duration: u64| {
            let except = except.iter().map(|gap| (at(gap.0), at(gap.1))).collect();
            Window { from: at(from), to, except }.holds_a_bin(Span::from_secs(duration))
        };
        assert!(holds(0, Time::NEVER, &[], 1), "the last bin of a run may be short");
        assert!(holds(300, at(310), &[], 600));
        assert!(!holds(301, at(319), &[], 600), "18 s without a whole bin");
        assert!(!holds(595, Time::NEVER, &[], 600) && holds(590, Time::NEVER, &[], 595));
        assert!(!holds(0, Time::NEVER, &[(5, 595)], 600), "half a bin at each end");
        assert!(holds(0, Time::NEVER, &[(5, 590)], 600));
        assert!(holds(0, at(10), &[(5, 5)], 600), "a gap of no length leaves nothing out");
    }

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
