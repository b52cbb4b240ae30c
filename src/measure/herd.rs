//! Is it a herd? Measures of how backend starts cluster.
//!
//! `connects_max_1s`: the most starts in any sliding second, by cause or over all. `herd_size`: that as a
//! share of the connections open just before, the most in the minute before that second. Verdicts use these
//! two. For charts and study: what the [phases](super::phases) of starts look like, one lifetime after the
//! other, and the Fano factor of starts per second.

use super::before::OpenBefore;
use super::phases::LifetimeClock;
use super::storms::StormWatch;
use super::{CAUSES, HerdBin, SECOND, Storm};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::Cause;
use std::collections::VecDeque;

/// Watches the backend starts of one node.
#[derive(Clone, Debug)]
pub struct HerdWatch {
    lifetime: Option<Span>,
    /// Starts within the last second.
    recent: VecDeque<(Time, Cause)>,
    recent_by_cause: [u32; CAUSES],
    open: u32,
    before: OpenBefore,
    storms: StormWatch,
    bin: HerdBin,
    bins: Vec<HerdBin>,
    starts: [u64; CAUSES],
    per_second: Vec<[u32; CAUSES]>,
    clock: LifetimeClock,
}

impl HerdWatch {
    /// A watch over a node whose largest pool has this lifetime.
    pub fn new(lifetime: Option<Span>) -> HerdWatch {
        HerdWatch {
            lifetime,
            recent: VecDeque::new(),
            recent_by_cause: [0; CAUSES],
            open: 0,
            before: OpenBefore::default(),
            storms: StormWatch::default(),
            bin: HerdBin::default(),
            bins: Vec::new(),
            starts: [0; CAUSES],
            per_second: Vec::new(),
            clock: LifetimeClock::new(lifetime.unwrap_or(Span::FOREVER)),
        }
    }

    /// A connection was there when the run began.
    pub fn adopt(&mut self) {
        self.open += 1;
        self.before.begin(self.open);
    }

    /// A backend exited.
    pub fn exit(&mut self, now: Time) {
        self.open -= 1;
        self.before.change(now, self.open);
    }

    /// A backend started.
    pub fn start(&mut self, now: Time, cause: Cause) {
        while let Some(&(at, old)) = self.recent.front()
            && now.since(at) >= SECOND
        {
            self.recent.pop_front();
            self.recent_by_cause[old as usize] -= 1;
        }
        self.recent.push_back((now, cause));
        self.recent_by_cause[cause as usize] += 1;
        self.raise_peaks(now, cause);
        self.open += 1;
        self.before.change(now, self.open);
        self.starts[cause as usize] += 1;
        let second = (now.0 / SECOND.0) as usize;
        if self.per_second.len() <= second {
            self.per_second.resize(second + 1, [0; CAUSES]);
        }
        self.per_second[second][cause as usize] += 1;
        self.clock.birth(now);
    }

    /// A connection found no slot.
    pub fn refuse(&mut self) {
        self.bin.refused += 1;
    }

    /// A bin ends.
    pub fn close_bin(&mut self) {
        self.bins.push(std::mem::take(&mut self.bin));
    }

    /// All starts so far.
    pub fn total(&self) -> u64 {
        self.starts.iter().sum()
    }

    /// The storms so far, by cause and then by time.
    pub fn storms(&self, node: &str) -> Vec<Storm> {
        self.storms.storms(node)
    }

    /// When a storm was last seen.
    pub fn last_storm(&self) -> Option<Time> {
        self.storms.last()
    }

    /// What was seen, at the end of the run.
    pub fn finish(mut self, node: String, slots: u32, end: Time) -> super::NodeMeasured {
        self.per_second.resize(end.0.div_ceil(SECOND.0) as usize, [0; CAUSES]);
        let mut cycles = self.clock.finish(end);
        for cycle in &mut cycles {
            cycle.fano = fano(&self.per_second, cycle.from, self.lifetime.unwrap_or(Span::FOREVER));
        }
        super::NodeMeasured {
            node,
            lifetime: self.lifetime,
            starts: self.starts,
            slots,
            refused: self.bins.iter().map(|bin| u64::from(bin.refused)).sum(),
            starts_per_s: self.per_second,
            bins: self.bins,
            cycles,
            herd_gain: None,
        }
    }

    fn raise_peaks(&mut self, now: Time, cause: Cause) {
        let open = self.before.most(now);
        let (of_cause, all) = (self.recent_by_cause[cause as usize], self.recent.len() as u32);
        self.storms.see(now, cause, of_cause, open);
        let cause = cause as usize;
        let open = f64::from(open);
        let share = |count: u32| if open > 0.0 { f64::from(count) / open } else { 1.0 };
        let bin = &mut self.bin;
        bin.connects_max_1s[cause] = bin.connects_max_1s[cause].max(of_cause);
        bin.connects_max_1s_all = bin.connects_max_1s_all.max(all);
        bin.herd_size[cause] = bin.herd_size[cause].max(share(of_cause));
        bin.herd_size_all = bin.herd_size_all.max(share(all));
    }
}

/// Variance over mean of the starts in each second of a cycle; NaN where nothing started.
fn fano(per_second: &[[u32; CAUSES]], from: Time, lifetime: Span) -> f64 {
    let first = (from.0 / SECOND.0) as usize;
    let last = ((from + lifetime).0 / SECOND.0) as usize;
    let counts: Vec<f64> = per_second[first.min(per_second.len())..last.min(per_second.len())]
        .iter()
        .map(|causes| f64::from(causes.iter().sum::<u32>()))
        .collect();
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    let variance = counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / n;
    variance / mean
}

#[cfg(test)]
mod tests {
    use super::*;

    const L: Span = Span::from_secs(900);

    fn at(seconds: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(seconds)
    }

    #[test]
    fn the_herd_is_the_most_in_any_sliding_second_over_what_was_open_before() {
        let mut watch = HerdWatch::new(Some(L));
        (0..100).for_each(|_| watch.adopt());
        for n in 0..40 {
            // Across a whole second's edge: a tumbling window would see 20 and 20.
            let now = at(99.5 + f64::from(n) * 0.02);
            watch.exit(now);
            watch.start(now, Cause::Lifetime);
        }
        watch.start(at(99.5 + 40.0 * 0.02), Cause::Growth);
        watch.close_bin();
        let storms = watch.storms("primary");
        assert_eq!(storms.len(), 1, "one growth in a hundred is no storm");
        let storm = &storms[0];
        assert_eq!((storm.starts, storm.share, storm.cause), (40, 0.4, Cause::Lifetime));
        assert_eq!((storm.from, storm.at), (at(99.5 + 9.0 * 0.02), at(99.5 + 39.0 * 0.02)));
        let node = watch.finish("primary".into(), 97, at(900.0));
        assert_eq!(node.bins[0].connects_max_1s[Cause::Lifetime as usize], 40);
        assert_eq!(node.bins[0].connects_max_1s_all, 41);
        assert!((node.bins[0].herd_size[Cause::Lifetime as usize] - 0.4).abs() < 1e-9);
        assert_eq!(
            node.starts_per_s[99].iter().sum::<u32>() + node.starts_per_s[100].iter().sum::<u32>(),
            41
        );
        assert_eq!(node.cycles.len(), 1);
        assert_eq!(node.cycles[0].births, 41);
    }

    /// Wherever in a second growth begins, it is held against what stood before it.
    #[test]
    fn growth_is_not_held_against_itself() {
        for begins in [60.0, 60.3, 60.6, 60.9] {
            let mut watch = HerdWatch::new(Some(L));
            (0..100).for_each(|_| watch.adopt());
            (0..300).for_each(|n| watch.start(at(begins + f64::from(n) * 0.003), Cause::Growth));
            watch.close_bin();
            let bin = &watch.finish("primary".into(), 997, at(900.0)).bins[0];
            assert_eq!(bin.herd_size[Cause::Growth as usize], 3.0, "from {begins} s");
        }
    }

    #[test]
    fn starts_from_nothing_are_the_whole() {
        let mut watch = HerdWatch::new(None);
        watch.start(at(0.5), Cause::Boot);
        watch.close_bin();
        assert_eq!(watch.finish(String::new(), 97, at(10.0)).bins[0].herd_size_all, 1.0);
    }
}
