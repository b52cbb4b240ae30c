//! A device that many jobs share: processor sharing with contention.
//!
//! In the real world: the cores of a database server, on which every runnable backend gets a slice. Modelled
//! by *virtual work*: a clock of attained service advances at the rate that each job enjoys, r(n) = min(1,
//! C/n) / (1 + max(0, n − C)/(n0·C)) for n jobs on C cores, and a job is done when the clock has advanced by
//! its demand. One heap, O(log n) a job, exact for equal shares. The contention law is fitted to pgbench runs
//! on Postgres 15 (postgres.md §3). Left out: priorities, time slices, the memory hierarchy. The same device
//! serves any resource that is shared evenly.

use super::slab::{Id, Slab};
use super::time::{Span, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A shared device and the jobs on it.
#[derive(Clone, Debug)]
pub struct Sharing<J> {
    cores: f64,
    contention: f64,
    /// Service that a job present since the last idle moment has attained, in nanoseconds.
    attained: f64,
    /// When `attained` was true.
    since: Time,
    /// Share of a core that each job enjoys; none while frozen.
    rate: f64,
    frozen: bool,
    jobs: Slab<J>,
    /// Attained service at which each job is done (the bits of a positive float sort as the float does), and
    /// the number of its arrival, for ties. Cancelled jobs stay until they come up.
    due: BinaryHeap<Reverse<(u64, u64, Id<()>)>>,
    arrivals: u64,
}

/// The share of a core that each of `n` jobs enjoys on `cores` cores with contention `n0` per core.
pub fn share(n: usize, cores: f64, n0: f64) -> f64 {
    let n = n as f64;
    if n <= cores {
        return 1.0;
    }
    cores / n / (1.0 + (n - cores) / (n0 * cores))
}

impl<J: Copy> Sharing<J> {
    /// An idle device. `contention` is n0: the jobs per core at which throughput has halved.
    pub fn new(cores: f64, contention: f64) -> Self {
        Sharing {
            cores,
            contention,
            attained: 0.0,
            since: Time::ZERO,
            rate: 1.0,
            frozen: false,
            jobs: Slab::default(),
            due: BinaryHeap::new(),
            arrivals: 0,
        }
    }

    /// Changes the device under its jobs: each keeps what it has attained and goes on at the new rate.
    pub fn resize(&mut self, now: Time, cores: f64, contention: f64) {
        self.advance(now);
        (self.cores, self.contention) = (cores, contention);
        self.rerate();
    }

    /// Stops the device under its jobs, or lets them go on.
    pub fn freeze(&mut self, now: Time, frozen: bool) {
        self.advance(now);
        self.frozen = frozen;
        self.rerate();
    }

    /// Begins a job that needs `demand` of one core.
    pub fn start(&mut self, now: Time, demand: Span, job: J) -> Id<J> {
        self.advance(now);
        let job = self.jobs.insert(job);
        let attained = (self.attained + demand.0 as f64).to_bits();
        self.due.push(Reverse((attained, self.arrivals, job.cast())));
        self.arrivals += 1;
        self.rerate();
        job
    }

    /// Takes a job off before it is done; `None` if it is not there.
    pub fn cancel(&mut self, now: Time, job: Id<J>) -> Option<J> {
        self.advance(now);
        let taken = *self.jobs.remove(job)?;
        self.shrunk();
        Some(taken)
    }

    /// When the next job will be done, if nothing changes before; none is while the device is frozen.
    pub fn next_done(&mut self) -> Option<Time> {
        if self.frozen {
            return None;
        }
        while let Some(&Reverse((_, _, job))) = self.due.peek()
            && self.jobs.get(job.cast()).is_none()
        {
            self.due.pop();
        }
        let Reverse((attained, ..)) = *self.due.peek()?;
        let ahead = (f64::from_bits(attained) - self.attained).max(0.0) / self.rate;
        Some(self.since + Span((ahead + 0.999_999) as u64))
    }

    /// Takes the job off that [`Sharing::next_done`] announced for `now`.
    ///
    /// # Panics
    /// If there is none.
    pub fn finish(&mut self, now: Time) -> J {
        assert!(!self.frozen, "a frozen device finishes nothing");
        let (attained, job) = loop {
            let Reverse((attained, _, job)) = self.due.pop().expect("a job is due");
            if let Some(job) = self.jobs.remove(job.cast()) {
                break (f64::from_bits(attained), *job);
            }
        };
        // The instant was rounded up to a whole nanosecond: what the others attained in the rest is theirs.
        self.advance(now);
        self.attained = self.attained.max(attained);
        self.shrunk();
        job
    }

    /// Takes all jobs off, in order of their slots.
    pub fn drain(&mut self, now: Time) -> Vec<J> {
        let all: Vec<Id<J>> = self.jobs.iter().map(|(job, _)| job).collect();
        all.into_iter().filter_map(|job| self.cancel(now, job)).collect()
    }

    fn advance(&mut self, now: Time) {
        self.attained += now.since(self.since).0 as f64 * self.rate;
        self.since = now;
    }

    fn shrunk(&mut self) {
        if self.jobs.is_empty() {
            // Nobody remembers the old clock: start it again before its floats grow coarse.
            self.attained = 0.0;
            self.due.clear();
        }
        self.rerate();
    }

    fn rerate(&mut self) {
        self.rate = if self.frozen { 0.0 } else { share(self.jobs.len(), self.cores, self.contention) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The obvious implementation: every job's remaining demand, all reduced at every change; a job ends with
    /// the nanosecond in which it has what it needs.
    struct Slow {
        cores: f64,
        n0: f64,
        now: f64,
        jobs: Vec<(u32, f64)>,
    }

    impl Slow {
        fn rate(&self) -> f64 {
            share(self.jobs.len(), self.cores, self.n0)
        }
        fn next_done(&self) -> Option<f64> {
            let least = self.jobs.iter().map(|job| job.1).fold(f64::INFINITY, f64::min);
            let ahead = least.max(0.0) / self.rate();
            (!self.jobs.is_empty()).then(|| self.now + (ahead + 0.999_999).floor())
        }
        fn advance(&mut self, to: f64) -> Vec<(u32, f64)> {
            let mut done = Vec::new();
            while let Some(next) = self.next_done().filter(|next| *next <= to) {
                self.elapse(next);
                let first = self.jobs.iter().map(|job| job.1).fold(f64::INFINITY, f64::min);
                let at = self.jobs.iter().position(|job| job.1 == first).unwrap();
                done.push((self.jobs.remove(at).0, next));
            }
            self.elapse(to);
            done
        }
        fn elapse(&mut self, to: f64) {
            let served = (to - self.now) * self.rate();
            self.jobs.iter_mut().for_each(|job| job.1 -= served);
            self.now = to;
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious_implementation(
            jobs in prop::collection::vec((1u64..2_000_000, 1u64..5_000_000, any::<bool>()), 1..60),
            cores in 1u32..5, n0 in 1.0f64..50.0,
        ) {
            let mut fast = Sharing::new(f64::from(cores), n0);
            let mut slow = Slow { cores: f64::from(cores), n0, now: 0.0, jobs: vec![] };
            let (mut now, mut ids, mut done) = (Time::ZERO, Vec::new(), Vec::new());
            let mut expected = Vec::new();
            for (name, (gap, demand, cancel)) in jobs.into_iter().enumerate() {
                let until = now + Span(gap);
                while let Some(at) = fast.next_done().filter(|at| *at <= until) {
                    done.push((fast.finish(at), at.0 as f64));
                }
                expected.extend(slow.advance(until.0 as f64));
                now = until;
                if let Some(first) = ids.first().copied().filter(|_| cancel) {
                    ids.remove(0);
                    if let Some(name) = fast.cancel(now, first) {
                        slow.jobs.retain(|job| job.0 != name);
                    }
                }
                ids.push(fast.start(now, Span(demand), name as u32));
                slow.jobs.push((name as u32, demand as f64));
            }
            while let Some(at) = fast.next_done() {
                done.push((fast.finish(at), at.0 as f64));
            }
            expected.extend(slow.advance(1e15));
            prop_assert_eq!(done.len(), expected.len());
            for ((name, at), (expected_name, expected_at)) in done.iter().zip(&expected) {
                // Jobs that close together may swap.
                prop_assert!((at - expected_at).abs() < 10.0, "{name} {at} expected {expected_name} {expected_at}");
            }
        }
    }

    #[test]
    fn contention_halves_throughput_at_n0_a_core() {
        let cores = 4.0;
        let n = 4 + 1000;
        let throughput = share(n, cores, 250.0) * n as f64;
        assert!((throughput / cores - 0.5).abs() < 1e-9);
        assert_eq!(share(3, cores, 250.0), 1.0);
    }

    #[test]
    fn a_frozen_device_goes_on_where_it_stopped() {
        let mut cpu = Sharing::new(1.0, 1e18);
        cpu.start(Time::ZERO, Span(1_000), 'a');
        cpu.freeze(Time(300), true);
        assert_eq!(cpu.next_done(), None);
        cpu.resize(Time(400), 2.0, 1e18);
        cpu.freeze(Time(5_000), false);
        assert_eq!(cpu.next_done(), Some(Time(5_700)));
    }

    #[test]
    fn a_resize_re_rates_the_jobs_under_way() {
        let mut cpu = Sharing::new(1.0, 1e18);
        cpu.start(Time::ZERO, Span(1_000), 'a');
        cpu.resize(Time(500), 0.5, 1e18);
        assert_eq!(cpu.next_done(), Some(Time(1_500)), "half was done; the rest goes at half speed");
    }
}
