//! A circuit breaker: what goes through it turns elsewhere while too much of it fails.
//!
//! In the real world: the failover of session reads to a replica, or of a whole origin to the edge. Modelled:
//! the three states of the pattern (Nygard, *Release It!*): closed, until the share of failures in a sliding
//! window is too high; open, for a while; then half-open, when one at a time is let through to try, until
//! enough have ended well in a row or one has not. A part: no clock, no agenda; one for all containers of a
//! service, which in life would each find out for themselves. Left out: a limit on calls under way.

use super::recent::Recent;
use crate::engine::time::Time;
use crate::scenario::grammar;

/// A breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: grammar::Breaker,
    state: State,
    /// How many ended lately, and how many of them badly.
    recent: Recent,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Closed,
    Open { until: Time },
    HalfOpen { trying: bool, passed: u32 },
}

/// Where something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Where it always goes.
    Through,
    /// Where it always goes, to see whether that works again.
    Probe,
    /// Elsewhere: its end tells nothing.
    Around,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: grammar::Breaker) -> Breaker {
        Breaker { settings, state: State::Closed, recent: Recent::new(settings.window) }
    }

    /// Other settings from now on; a breaker that is disabled closes.
    pub fn set(&mut self, settings: grammar::Breaker) {
        if settings != self.settings {
            *self = Breaker::new(settings);
        }
    }

    /// Its settings.
    pub fn settings(&self) -> &grammar::Breaker {
        &self.settings
    }

    /// Whether it is open, or trying.
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// Which way the next one goes. Who goes through, or is a probe, must be reported once.
    pub fn way(&mut self, now: Time) -> Way {
        if let State::Open { until } = self.state
            && now >= until
        {
            self.state = State::HalfOpen { trying: false, passed: 0 };
        }
        match &mut self.state {
            State::Closed => Way::Through,
            State::HalfOpen { trying: trying @ false, .. } => {
                *trying = true;
                Way::Probe
            }
            State::Open { .. } | State::HalfOpen { .. } => Way::Around,
        }
    }

    /// How one ended that went this way. Says so if that opens or closes it: whether it is open.
    pub fn report(&mut self, now: Time, way: Way, well: bool) -> Option<bool> {
        let was_open = self.is_open();
        self.learn(now, way, well);
        (self.is_open() != was_open).then_some(!was_open)
    }

    fn learn(&mut self, now: Time, way: Way, well: bool) {
        match (way, &mut self.state) {
            (Way::Through, State::Closed) if self.settings.enabled => {
                self.recent.add(now, 1, u32::from(!well));
                let (ended, badly) = self.recent.sum(now);
                let share = f64::from(badly) / f64::from(ended);
                if ended >= self.settings.minimum && share >= self.settings.failures.0 {
                    self.open(now);
                }
            }
            (Way::Probe, State::HalfOpen { trying, passed }) if well => {
                (*trying, *passed) = (false, *passed + 1);
                if *passed >= self.settings.probes {
                    self.state = State::Closed;
                    self.recent.clear();
                }
            }
            (Way::Probe, State::HalfOpen { .. }) => self.open(now),
            // Who set out before it opened tells nothing new.
            _ => {}
        }
    }

    fn open(&mut self, now: Time) {
        self.state = State::Open { until: now + self.settings.open_for };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Span;
    use crate::scenario::units::{Limit, Share};

    fn breaker() -> Breaker {
        Breaker::new(grammar::Breaker {
            enabled: true,
            failures: Share(0.5),
            slow: Limit(None),
            window: Span::from_secs(10),
            minimum: 4,
            open_for: Span::from_secs(5),
            probes: 2,
        })
    }

    fn at(s: u64) -> Time {
        Time::ZERO + Span::from_secs(s)
    }

    #[test]
    fn half_of_enough_opens_it() {
        let mut breaker = breaker();
        for well in [false, false, true] {
            assert_eq!(breaker.way(at(1)), Way::Through);
            breaker.report(at(1), Way::Through, well);
        }
        assert!(!breaker.is_open(), "three are too few to tell");
        assert_eq!(breaker.report(at(1), Way::Through, true), Some(true), "two of four");
        assert_eq!(breaker.way(at(5)), Way::Around);
    }

    #[test]
    fn failures_long_ago_do_not_count() {
        let mut breaker = breaker();
        (0..3).for_each(|_| assert!(breaker.report(at(1), Way::Through, false).is_none()));
        (0..3).for_each(|_| assert!(breaker.report(at(20), Way::Through, true).is_none()));
        breaker.report(at(21), Way::Through, false);
        assert!(!breaker.is_open(), "one of four");
    }

    #[test]
    fn it_tries_one_at_a_time_and_closes_after_enough() {
        let mut breaker = breaker();
        let turns: Vec<_> = (0..4).filter_map(|_| breaker.report(at(0), Way::Through, false)).collect();
        assert_eq!(turns, [true], "it opens once");
        assert_eq!([breaker.way(at(5)), breaker.way(at(5))], [Way::Probe, Way::Around]);
        breaker.report(at(6), Way::Probe, true);
        assert_eq!(breaker.way(at(6)), Way::Probe, "the second try");
        breaker.report(at(6), Way::Through, false);
        assert!(breaker.is_open(), "a straggler from before it opened does not count");
        assert_eq!(breaker.report(at(7), Way::Probe, true), Some(false), "the second in a row");
    }

    #[test]
    fn a_failed_try_opens_it_again() {
        let mut breaker = breaker();
        let turns: Vec<_> = (0..4).filter_map(|_| breaker.report(at(0), Way::Through, false)).collect();
        assert_eq!(turns, [true], "it opens once");
        assert_eq!(breaker.way(at(5)), Way::Probe);
        breaker.report(at(6), Way::Probe, false);
        assert_eq!([breaker.way(at(10)), breaker.way(at(11))], [Way::Around, Way::Probe]);
    }

    #[test]
    fn a_disabled_one_never_opens() {
        let mut breaker = breaker();
        let settings = grammar::Breaker { enabled: false, ..*breaker.settings() };
        breaker.set(settings);
        (0..9).for_each(|_| assert!(breaker.report(at(0), Way::Through, false).is_none()));
        assert_eq!(breaker.way(at(0)), Way::Through);
    }
}
