//! A retry budget: retries in proportion to first attempts.
//!
//! In the real world: Finagle's and tower's budget, which lets a service be retried by a fifth of its traffic
//! and no more (cloud-run.md §6.4). Modelled as counts over the last ten seconds, one budget for all clients
//! of a class, who in life have one each. A part.

use super::recent::Recent;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar;

const WINDOW: Span = Span::from_secs(10);

/// What is left for retries.
#[derive(Clone, Debug)]
pub struct Budget {
    settings: grammar::Budget,
    /// First attempts and retries.
    recent: Recent,
}

impl Budget {
    /// A budget that nobody has used.
    pub fn new(settings: grammar::Budget) -> Budget {
        Budget { settings, recent: Recent::new(WINDOW) }
    }

    /// A first attempt fills it.
    pub fn deposit(&mut self, now: Time) {
        self.recent.add(now, 1, 0);
    }

    /// A retry wants to be made: whether it may.
    pub fn withdraw(&mut self, now: Time) -> bool {
        let (first, retries) = self.recent.sum(now);
        let allowed = f64::from(first) * self.settings.ratio.0 + self.settings.min.0 * WINDOW.as_secs();
        let may = f64::from(retries) + 1.0 <= allowed;
        if may {
            self.recent.add(now, 0, 1);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::units::{Rate, Share};

    #[test]
    fn retries_are_a_share_of_first_attempts_and_a_few_besides() {
        let mut budget = Budget::new(grammar::Budget { ratio: Share(0.2), min: Rate(0.5) });
        let now = Time::ZERO + Span::from_secs(1);
        (0..100).for_each(|_| budget.deposit(now));
        let made = (0..100).filter(|_| budget.withdraw(now)).count();
        assert_eq!(made, 25, "a fifth of a hundred, and half a retry a second for ten seconds");
        assert!(budget.withdraw(now + Span::from_secs(30)), "the window has passed");
    }
}
