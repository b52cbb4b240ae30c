//! The Kubernetes horizontal pod autoscaler, by CPU.
//!
//! Source: cloud-run.md §3 (replica_calculator.go, horizontal.go, and the default behaviour of
//! autoscaling/v2). It looks at the last sample only; what it recommended in the last five minutes keeps it
//! from scaling in. It never sees requests that wait: a database that stalls leaves it where it is. Left out:
//! the delay of the metrics server, containers whose metrics are missing.

use super::{Aim, Sample, at_least};
use crate::engine::time::Span;
use crate::scenario::grammar::Containers;
use std::collections::VecDeque;

/// From one synchronization to the next.
pub const TICK: Span = Span::from_secs(15);
/// Ticks in the stabilization window of 300 s.
const STABILIZATION: usize = 20;
/// A ratio this near to one changes nothing.
const TOLERANCE: f64 = 0.1;
/// Containers that a tick may add even if that is more than as many again.
const PODS_UP: u32 = 4;

/// What the horizontal pod autoscaler remembers.
#[derive(Debug)]
pub struct Hpa {
    current: u32,
    recommended: VecDeque<u32>,
}

impl Hpa {
    /// One that has held this many containers for longer than it remembers.
    pub fn new(containers: u32) -> Hpa {
        Hpa { current: containers, recommended: vec![containers; STABILIZATION].into() }
    }

    pub(super) fn wants(&mut self, sample: &Sample, aim: Aim, bounds: Containers) -> u32 {
        let recommended = self.recommends(sample, aim);
        self.recommended.pop_front();
        self.recommended.push_back(recommended);
        let most = self.recommended.iter().copied().max().unwrap_or(recommended);
        let stable = self.current.max(recommended).min(most);
        let limit = (2 * self.current).max(self.current + PODS_UP);
        self.current = stable.min(limit).clamp(bounds.min, bounds.max);
        self.current
    }

    /// Containers by the ratio of use to target. On the way up, those that are starting count as idle; if
    /// that turns the direction, nothing changes.
    fn recommends(&self, sample: &Sample, aim: Aim) -> u32 {
        let ratio = |containers: u32| sample.load.busy / (f64::from(containers.max(1)) * aim.cpus);
        let near = |ratio: f64| (ratio - 1.0).abs() <= TOLERANCE;
        let by_ready = ratio(sample.ready);
        if near(by_ready) {
            return self.current;
        }
        if by_ready < 1.0 {
            return at_least(by_ready * f64::from(sample.ready.max(1)));
        }
        let all = sample.ready + sample.starting;
        let by_all = ratio(all);
        if near(by_all) || by_all < 1.0 {
            return self.current;
        }
        at_least(by_all * f64::from(all.max(1))).max(self.current)
    }
}
