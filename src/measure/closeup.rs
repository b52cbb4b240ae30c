//! Close-ups: a few gauges second by second, around storms.
//!
//! A storm is over within seconds: in bins of 10 s its queue for a grant and its pile of work are one number.
//! From half a minute before the peak of each storm to a minute after it, the telling gauges of every node,
//! service and pool are kept a second apart. The rest of the run is forgotten as it goes by. Left out: the
//! gauges that a storm does not move.

use super::{CloseUp, LevelBin, SECOND, Storm};
use crate::engine::time::Time;
use std::collections::VecDeque;

/// So many seconds before a storm's peak are kept…
const BEFORE: u64 = 30;
/// …and so many after it.
const AFTER: u64 = 60;

/// Keeps the seconds around storms.
#[derive(Clone, Debug, Default)]
pub struct Keeper {
    /// The last seconds in which nothing happened: number and gauges.
    recent: VecDeque<(u64, Vec<LevelBin>)>,
    kept: Vec<(u64, Vec<LevelBin>)>,
}

impl Keeper {
    /// A second ends with these gauges; the last storm at any node was seen at `storm`.
    pub fn second(&mut self, end: Time, gauges: Vec<LevelBin>, storm: Option<Time>) {
        let number = (end.0 / SECOND.0).saturating_sub(1);
        self.recent.push_back((number, gauges));
        if storm.is_some_and(|last| number <= last.0 / SECOND.0 + AFTER) {
            self.kept.extend(self.recent.drain(..));
        }
        while self.recent.len() as u64 > BEFORE {
            self.recent.pop_front();
        }
    }

    /// What lies around the peaks, gauge by gauge.
    pub fn finish(self, names: Vec<(&'static str, String)>, storms: &[Storm]) -> Vec<CloseUp> {
        let near = |second: u64| {
            let peaks = storms.iter().map(|storm| storm.at.0 / SECOND.0);
            peaks.into_iter().any(|peak| second + BEFORE >= peak && second <= peak + AFTER)
        };
        let kept: Vec<(u64, Vec<LevelBin>)> =
            self.kept.into_iter().filter(|(second, _)| near(*second)).collect();
        let series = names.into_iter().enumerate().map(|(place, (level, of))| {
            let seconds = kept.iter().map(|(second, gauges)| (*second, gauges[place])).collect();
            CloseUp { level, of, seconds }
        });
        series.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::grammar::Cause;

    #[test]
    fn half_a_minute_before_a_storm_and_a_minute_after_it_are_kept() {
        let second = |number: u64| Time::ZERO + SECOND * number;
        let storm = |from: u64, at: u64| Storm {
            node: "primary".into(),
            cause: Cause::Lifetime,
            from: second(from),
            to: second(at),
            at: second(at),
            starts: 10,
            share: 0.5,
        };
        // The second storm reaches its peak 20 s after its beginning.
        let storms = [storm(10, 10), storm(400, 420)];
        let mut keeper = Keeper::default();
        for number in 0..1000 {
            let seen = storms.iter().filter(|storm| storm.from <= second(number));
            let last = seen.map(|storm| storm.to.min(second(number))).max();
            let value = number as f64;
            keeper.second(second(number + 1), vec![LevelBin { min: value, mean: value, max: value }], last);
        }
        let closeups = keeper.finish(vec![("active", "postgres.primary".into())], &storms);
        let numbers: Vec<u64> = closeups[0].seconds.iter().map(|(second, _)| *second).collect();
        let expected: Vec<u64> = (0..=70).chain(390..=480).collect();
        assert_eq!(numbers, expected);
        assert!(closeups[0].seconds.iter().all(|(second, bin)| bin.max == *second as f64));
    }
}
