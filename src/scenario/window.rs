//! The part of a run that an expectation is about: between two times, without the time of some events.
//!
//! What is measured in bins counts the bins that lie wholly within. Whether there is one can be told before
//! anything is run.

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

/// A stretch of a run, with gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its first instant.
    pub from: Time,
    /// Its end; [`Time::NEVER`]: that of the run.
    pub to: Time,
    /// Stretches that do not count.
    pub except: Vec<(Time, Time)>,
}

impl Part {
    /// What counts of a run of the scenario.
    ///
    /// # Errors
    /// A time of the expectation leads nowhere.
    pub fn of(expect: &Expect, file: &File) -> Result<Part, String> {
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
        Ok(Part { from, to, except: gaps(file, expect) })
    }

    /// Whether a run of this duration has a bin that lies wholly within.
    pub fn holds_a_bin(&self, duration: Span) -> bool {
        let free =
            |bin: Time| !self.except.iter().any(|gap| gap.0 < gap.1 && bin < gap.1 && bin + BIN > gap.0);
        let bins = self.from.0.div_ceil(BIN.0)..duration.0.div_ceil(BIN.0);
        bins.map(|bin| Time(bin * BIN.0)).take_while(|bin| *bin + BIN <= self.to).any(free)
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
                None if event.deed.is_some() => from,
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
            Part { from: at(from), to, except }.holds_a_bin(Span::from_secs(duration))
        };
        assert!(holds(0, Time::NEVER, &[], 1), "the last bin of a run may be short");
        assert!(holds(300, at(310), &[], 600));
        assert!(!holds(301, at(319), &[], 600), "18 s without a whole bin");
        assert!(!holds(595, Time::NEVER, &[], 600) && holds(590, Time::NEVER, &[], 595));
        assert!(!holds(0, Time::NEVER, &[(5, 595)], 600), "half a bin at each end");
        assert!(holds(0, Time::NEVER, &[(5, 590)], 600));
        assert!(holds(0, at(10), &[(5, 5)], 600), "a gap of no length leaves nothing out");
    }
}
