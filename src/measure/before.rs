//! How many connections were open just before.
//!
//! A burst is held against what stood before it: the most that was open in the minute that ended when the
//! sliding second began. So nothing that a burst opens counts as there before it, wherever in a second it
//! begins. Each change is looked at twice, however many there are: what was open falls out of the second into
//! the minute, where only what is not outdone by something later is kept.

use super::SECOND;
use crate::engine::time::{Span, Time};
use std::collections::VecDeque;

/// How far back it looks, from the beginning of the second.
const MINUTE: Span = Span::from_secs(60);

/// What was open, over a minute and a second.
#[derive(Clone, Debug, Default)]
pub struct OpenBefore {
    /// Changes within the last second: when, and how many were open from then on.
    changes: VecDeque<(Time, u32)>,
    /// How many were open a second ago.
    standing: u32,
    /// What was open before that, by when it ended; falling.
    highs: VecDeque<(Time, u32)>,
}

impl OpenBefore {
    /// So many were open when the run began.
    pub fn begin(&mut self, open: u32) {
        self.standing = open;
    }

    /// So many are open from now on.
    pub fn change(&mut self, now: Time, open: u32) {
        self.pass(now);
        self.changes.push_back((now, open));
    }

    /// The most that was open in the minute before the second that ends now; before the run was a second
    /// old, as many as it began with.
    pub fn most(&mut self, now: Time) -> u32 {
        self.pass(now);
        self.highs.front().map_or(0, |high| high.1).max(self.standing)
    }

    fn pass(&mut self, now: Time) {
        while let Some(&(at, open)) = self.changes.front().filter(|change| now.since(change.0) >= SECOND) {
            self.changes.pop_front();
            let ended = std::mem::replace(&mut self.standing, open);
            while self.highs.back().is_some_and(|high| high.1 <= ended) {
                self.highs.pop_back();
            }
            self.highs.push_back((at, ended));
        }
        while self.highs.front().is_some_and(|high| now.since(high.0) >= MINUTE + SECOND) {
            self.highs.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The obvious way: every change is kept and looked at.
    fn most(begun: u32, changes: &[(Time, u32)], now: Time) -> u32 {
        let until = now.0.saturating_sub(SECOND.0);
        let from = until.saturating_sub(MINUTE.0);
        let all = [&[(Time::ZERO, begun)], changes].concat();
        let ends = all.iter().skip(1).map(|change| change.0.0).chain([u64::MAX]);
        let stood = all.iter().zip(ends).filter(|((at, _), end)| at.0 <= until && *end > from);
        stood.map(|((_, open), _)| *open).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn agrees_with_looking_at_everything(
            begun in 0u32..50,
            steps in prop::collection::vec((1u64..20_000, 0u32..100), 1..80),
        ) {
            let mut before = OpenBefore::default();
            before.begin(begun);
            let (mut now, mut changes) = (Time::ZERO, Vec::new());
            for (gap, open) in steps {
                now += Span::from_millis(gap);
                prop_assert_eq!(before.most(now), most(begun, &changes, now));
                before.change(now, open);
                changes.push((now, open));
            }
        }
    }
}
