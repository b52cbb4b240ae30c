//! How many there were lately: counts over a sliding window.
//!
//! Kept in ten slots, so the window slides by a tenth of itself. A part: told the time, no clock of its own.

use crate::engine::time::{Span, Time};

const SLOTS: usize = 10;

/// Counts of two kinds of things over the last `window`.
#[derive(Clone, Debug)]
pub struct Recent {
    slot: Span,
    /// The number of the newest slot since the start of the run.
    newest: u64,
    counts: [(u32, u32); SLOTS],
}

impl Recent {
    /// Nothing yet.
    ///
    /// # Panics
    /// If the window is zero: a checked scenario has none.
    pub fn new(window: Span) -> Recent {
        assert!(window > Span::ZERO, "a window has a length");
        let slot = Span(window.0.div_ceil(SLOTS as u64));
        Recent { slot, newest: 0, counts: [(0, 0); SLOTS] }
    }

    /// Some of the first kind and some of the second happen now.
    pub fn add(&mut self, now: Time, first: u32, second: u32) {
        self.slide(now);
        let slot = &mut self.counts[(self.newest % SLOTS as u64) as usize];
        *slot = (slot.0 + first, slot.1 + second);
    }

    /// How many of each kind there were in the window that ends now.
    pub fn sum(&mut self, now: Time) -> (u32, u32) {
        self.slide(now);
        self.counts.iter().fold((0, 0), |sum, slot| (sum.0 + slot.0, sum.1 + slot.1))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.counts = [(0, 0); SLOTS];
    }

    fn slide(&mut self, now: Time) {
        let slot = now.0 / self.slot.0;
        for passed in (self.newest + 1..=slot).take(SLOTS) {
            self.counts[(passed % SLOTS as u64) as usize] = (0, 0);
        }
        self.newest = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let at = |ms: u64| Time::ZERO + Span::from_millis(ms);
        let mut recent = Recent::new(Span::from_secs(1));
        recent.add(at(50), 1, 0);
        recent.add(at(950), 1, 2);
        assert_eq!(recent.sum(at(999)), (2, 2));
        assert_eq!(recent.sum(at(1_050)), (1, 2), "the slot of the first is gone");
        assert_eq!(recent.sum(at(10_000)), (0, 0), "and after a pause all are");
    }
}
