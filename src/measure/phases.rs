//! Where on the lifetime clock are connections born?
//!
//! Phase is time modulo lifetime: births that come a lifetime apart have the same. Told for the births of
//! each cycle: the order parameters R₁ and R₂ with the Rayleigh p-value, and the largest cluster within 1 %
//! of the lifetime. R₁ misses two equal opposite groups (hence R₂), and a healthy one-minute rollout has R₁ =
//! 0.99, so no verdict rests on it. Left out: lifetimes other than that of the node's largest pool. Formulas:
//! validation.md §5.1.

use super::Cycle;
use crate::engine::time::{Span, Time};
use std::collections::VecDeque;
use std::f64::consts::TAU;

/// Births on the lifetime clock, one cycle after the other.
#[derive(Clone, Debug)]
pub struct LifetimeClock {
    lifetime: Span,
    cycle: Phases,
    cycles: Vec<Cycle>,
}

/// The births of one cycle.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    births: u64,
    first: (f64, f64),
    second: (f64, f64),
    /// Births within the last 1 % of a lifetime.
    window: Sliding,
}

impl Phases {
    /// The births of one turn of the clock, in order of time; its end joins its beginning.
    pub fn around(births: &[Time], lifetime: Span) -> Phases {
        let mut phases = Phases::default();
        births.iter().for_each(|at| phases.add(*at, lifetime));
        let part = Span(lifetime.0 / 100);
        phases.window = Sliding::default();
        for at in turn(births, lifetime, part) {
            phases.window.add(at, part);
        }
        phases
    }

    /// One birth more. They come in order of time.
    pub fn add(&mut self, at: Time, lifetime: Span) {
        let turn = (at.0 % lifetime.0) as f64 / lifetime.0 as f64 * TAU;
        self.births += 1;
        self.first.0 += libm::cos(turn);
        self.first.1 += libm::sin(turn);
        self.second.0 += libm::cos(2.0 * turn);
        self.second.1 += libm::sin(2.0 * turn);
        self.window.add(at, Span(lifetime.0 / 100));
    }

    /// What they look like together. Nothing is locked where nothing was born.
    pub fn measure(&self, from: Time) -> Cycle {
        let n = self.births.max(1) as f64;
        let length = |(x, y): (f64, f64)| (x * x + y * y).sqrt() / n;
        let r1 = length(self.first);
        Cycle {
            from,
            births: self.births,
            phase_lock_r1: r1,
            phase_lock_r2: length(self.second),
            rayleigh_p: rayleigh_p(self.births, r1),
            largest_cluster_1pct: self.window.most() as f64 / n,
            fano: f64::NAN,
        }
    }
}

/// How likely so many unrelated births have an order parameter of at least `r`, at any one frequency.
pub fn rayleigh_p(births: u64, r: f64) -> f64 {
    libm::exp(-(births as f64) * r * r)
}

/// The most births within any stretch of time.
#[derive(Clone, Debug, Default)]
pub struct Sliding {
    within: VecDeque<Time>,
    most: usize,
    from: Time,
}

impl Sliding {
    /// One birth more, and how many lie within the stretch that ends with it: both its ends belong to it.
    /// Births come in order of time.
    pub fn add(&mut self, at: Time, stretch: Span) -> usize {
        self.within.push_back(at);
        while self.within.front().is_some_and(|first| at.since(*first) > stretch) {
            self.within.pop_front();
        }
        if self.within.len() > self.most {
            (self.most, self.from) = (self.within.len(), self.within[0]);
        }
        self.within.len()
    }

    /// The most so far.
    pub fn most(&self) -> usize {
        self.most
    }

    /// The first birth of the first of the fullest stretches.
    pub fn from(&self) -> Time {
        self.from
    }
}

/// Births of one turn of the clock, and once more those that a stretch across its end would hold.
pub fn turn(births: &[Time], lifetime: Span, stretch: Span) -> impl Iterator<Item = Time> {
    let last = births.last().copied().unwrap_or_default();
    let again = births.iter().map(move |at| *at + lifetime);
    births.iter().copied().chain(again.take_while(move |at| at.since(last) <= stretch))
}

impl LifetimeClock {
    /// A clock of this lifetime; [`Span::FOREVER`] has no cycles.
    pub fn new(lifetime: Span) -> LifetimeClock {
        LifetimeClock { lifetime, cycle: Phases::default(), cycles: Vec::new() }
    }

    /// A birth, in order of time.
    pub fn birth(&mut self, now: Time) {
        if self.lifetime == Span::FOREVER {
            return;
        }
        self.close_until(now);
        self.cycle.add(now, self.lifetime);
    }

    /// Closes the cycles that have ended by `now`.
    fn close_until(&mut self, now: Time) {
        while (self.cycles.len() as u64 + 1) * self.lifetime.0 <= now.0 {
            let from = Time(self.cycles.len() as u64 * self.lifetime.0);
            self.cycles.push(std::mem::take(&mut self.cycle).measure(from));
        }
    }

    /// The cycles that have ended by the end of the run.
    pub fn finish(mut self, end: Time) -> Vec<Cycle> {
        if self.lifetime != Span::FOREVER {
            self.close_until(end);
        }
        self.cycles
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::chance::Stream;
    use crate::measure::SECOND;

    const L: Span = Span::from_secs(900);

    fn at(seconds: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(seconds)
    }

    fn phases(times: impl IntoIterator<Item = f64>) -> Cycle {
        let mut phases = Phases::default();
        times.into_iter().for_each(|t| phases.add(at(t), L));
        phases.measure(Time::ZERO)
    }

    #[test]
    fn locked_opposite_and_spread_births_are_told_apart() {
        let locked = phases((0..100).map(|i| 30.0 + f64::from(i) * 0.02));
        assert!(locked.phase_lock_r1 > 0.999 && locked.largest_cluster_1pct == 1.0);
        let opposite = phases((0..50).map(|_| 10.0).chain((0..50).map(|_| 460.0)));
        assert!(opposite.phase_lock_r1 < 1e-9 && opposite.phase_lock_r2 > 0.999);
        let even = phases((0..100).map(|i| f64::from(i) * 9.0));
        assert!(even.phase_lock_r1 < 1e-9 && even.largest_cluster_1pct < 0.03);
    }

    #[test]
    fn the_end_of_the_clock_joins_its_beginning() {
        let births: Vec<Time> =
            [0.1, 0.3, 2.0, 899.8, 899.9].into_iter().map(|t| at(t) + Span::from_secs(9000)).collect();
        let around = Phases::around(&births, L).measure(Time::ZERO);
        assert_eq!(around.largest_cluster_1pct, 1.0);
        let mut second = Sliding::default();
        for at in turn(&births, L, SECOND) {
            second.add(at, SECOND);
        }
        assert_eq!((second.most(), second.from()), (4, births[3]));
    }

    /// E[R] = sqrt(π/4N) for independent phases (validation.md §5.1: .0886 at N = 100).
    #[test]
    fn independent_births_have_the_expected_order_parameter() {
        let mean = (0..400)
            .map(|experiment| {
                let mut draws = Stream::root(experiment).draws();
                let mut times: Vec<f64> = (0..100).map(|_| draws.unit() * 900.0).collect();
                times.sort_by(f64::total_cmp);
                phases(times).phase_lock_r1
            })
            .sum::<f64>()
            / 400.0;
        assert!((mean - 0.0886).abs() < 0.006, "{mean}");
    }
}
