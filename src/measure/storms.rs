//! Storms: stretches in which a tenth or more of a node's connections is started within a second.
//!
//! In life a storm is what a server log shows as a burst of "connection authorized" lines. Here it is made of
//! the starts of one cause in a sliding second, over the connections open just before (as in `herd`): from
//! the instant at which that share reaches [`STORM_SHARE`] to the last instant at which it does, with what
//! comes again within `MERGE` as one. Left out: storms that no single cause makes, and starts that are
//! refused. In a fleet of a few connections two that come together by chance are a tenth of it: a storm has
//! at least `STORM_STARTS` starts (assumed).

use super::{CAUSES, Storm};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::Cause;

/// A storm starts at least this share of the open connections within a second.
pub const STORM_SHARE: f64 = 0.1;
/// And at least so many.
const STORM_STARTS: u32 = 5;
/// Of one storm is what comes again within this time.
const MERGE: Span = Span::from_secs(30);

/// The storms of one node, as they come.
#[derive(Clone, Debug, Default)]
pub struct StormWatch {
    /// By cause, in order of time.
    storms: [Vec<Stretch>; CAUSES],
}

/// A storm that does not know its node.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Time,
    to: Time,
    at: Time,
    starts: u32,
    share: f64,
}

impl StormWatch {
    /// A start of this cause: with it there are so many within the last second, of `open` connections.
    pub fn see(&mut self, now: Time, cause: Cause, starts: u32, open: u32) {
        let share = if open > 0 { f64::from(starts) / f64::from(open) } else { 1.0 };
        if share < STORM_SHARE || starts < STORM_STARTS {
            return;
        }
        let storms = &mut self.storms[cause as usize];
        match storms.last_mut().filter(|last| now.since(last.to) <= MERGE) {
            Some(last) => {
                last.to = now;
                // Where a pool grows, what is open just before differs from one second to the next.
                last.share = last.share.max(share);
                if starts > last.starts {
                    (last.at, last.starts) = (now, starts);
                }
            }
            None => storms.push(Stretch { from: now, to: now, at: now, starts, share }),
        }
    }

    /// When a storm of any cause was last seen.
    pub fn last(&self) -> Option<Time> {
        self.storms.iter().filter_map(|storms| storms.last()).map(|storm| storm.to).max()
    }

    /// What was seen, by cause and then by time.
    pub fn storms(&self, node: &str) -> Vec<Storm> {
        let of_cause = |(storms, cause): (&Vec<Stretch>, Cause)| {
            let named = |storm: &Stretch| Storm {
                node: node.to_owned(),
                cause,
                from: storm.from,
                to: storm.to,
                at: storm.at,
                starts: storm.starts,
                share: storm.share,
            };
            storms.iter().map(named).collect::<Vec<_>>()
        };
        self.storms.iter().zip(Cause::ALL).flat_map(of_cause).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(seconds)
    }

    #[test]
    fn what_comes_again_soon_is_one_storm_with_its_peak() {
        let mut watch = StormWatch::default();
        for (second, starts) in [(10.0, 9), (11.0, 10), (12.0, 40), (41.5, 30), (71.5, 15), (71.9, 5)] {
            watch.see(at(second), Cause::Lifetime, starts, 100);
        }
        watch.see(at(72.0), Cause::Growth, 12, 100);
        watch.see(at(101.6), Cause::Lifetime, 50, 100);
        let storms = watch.storms("primary");
        assert_eq!(storms.len(), 3);
        let first = &storms[0];
        assert_eq!((first.from, first.at, first.to), (at(11.0), at(12.0), at(71.5)));
        assert_eq!((first.starts, first.share, first.cause), (40, 0.4, Cause::Lifetime));
        assert_eq!(storms[1].from, at(101.6), "30.1 s after the last second of the storm before");
        assert_eq!((storms[2].cause, storms[2].starts), (Cause::Growth, 12), "causes do not merge");
    }

    #[test]
    fn less_than_a_tenth_is_no_storm_and_starts_from_nothing_are_the_whole() {
        let mut watch = StormWatch::default();
        watch.see(at(1.0), Cause::Lifetime, 9, 100);
        assert!(watch.storms("primary").is_empty());
        watch.see(at(2.0), Cause::Boot, 5, 0);
        assert_eq!(watch.storms("primary")[0].share, 1.0);
    }

    #[test]
    fn a_few_connections_that_come_together_by_chance_are_no_storm() {
        let mut watch = StormWatch::default();
        watch.see(at(1.0), Cause::Lifetime, 4, 8);
        assert!(watch.storms("primary").is_empty());
        watch.see(at(2.0), Cause::Lifetime, 5, 8);
        assert_eq!(watch.storms("primary").len(), 1);
    }
}
