//! Is it a herd? Measures of how backend starts cluster.
//!
//! `connects_max_1s`: the most starts in any sliding second, by cause or over all. `herd_size`: that as a
//! share of the connections open just before, the most in the minute before that second. Verdicts use these
//! two. For charts and study, on the lifetime clock (phase = time modulo lifetime): the order parameters R₁
//! and R₂ with the Rayleigh p-value, the largest cluster within 1 % of the lifetime, the Fano factor of
//! starts per second. R misses two equal opposite groups (hence R₂), and a healthy one-minute rollout has R₁
//! = 0.99, so no verdict rests on it. Formulas: validation.md §5.1.

use super::storms::StormWatch;
use super::{CAUSES, Cycle, HerdBin, Storm};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::Cause;
use std::collections::VecDeque;
use std::f64::consts::TAU;

/// The window of a herd.
pub const SECOND: Span = Span::from_secs(1);
/// How far back `open just before` looks, in seconds.
const LOOK_BACK: u64 = 60;

/// Watches the backend starts of one node.
#[derive(Clone, Debug)]
pub struct HerdWatch {
    lifetime: Option<Span>,
    /// Starts within the last second.
    recent: VecDeque<(Time, Cause)>,
    recent_by_cause: [u32; CAUSES],
    open: u32,
    /// The most open in each of the last seconds, the latest last: (second, most).
    open_by_second: VecDeque<(u64, u32)>,
    /// The most open in the minute before a second, and that second: it is the same for all of its starts.
    before: Option<(u64, u32)>,
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
            open_by_second: VecDeque::from([(0, 0)]),
            before: None,
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
        self.open_by_second[0].1 += 1;
    }

    /// A backend exited.
    pub fn exit(&mut self, now: Time) {
        self.note_open(now);
        self.open -= 1;
    }

    /// A backend started.
    pub fn start(&mut self, now: Time, cause: Cause) {
        self.note_open(now);
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
        self.note_open(now);
        self.starts[cause as usize] += 1;
        let second = (now.0 / SECOND.0) as usize;
        if self.per_second.len() <= second {
            self.per_second.resize(second + 1, [0; CAUSES]);
        }
        self.per_second[second][cause as usize] += 1;
        self.clock.birth(now);
    }

    /// A bin ends.
    pub fn close_bin(&mut self) {
        self.bins.push(std::mem::take(&mut self.bin));
    }

    /// Backends that are open.
    pub fn open(&self) -> u32 {
        self.open
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
    pub fn finish(mut self, node: String, refused: u64, end: Time) -> super::NodeMeasured {
        self.per_second.resize(end.0.div_ceil(SECOND.0) as usize, [0; CAUSES]);
        let mut cycles = self.clock.finish(end);
        for cycle in &mut cycles {
            cycle.fano = fano(&self.per_second, cycle.from, self.lifetime.unwrap_or(Span::FOREVER));
        }
        super::NodeMeasured {
            node,
            lifetime: self.lifetime,
            starts: self.starts,
            refused,
            starts_per_s: self.per_second,
            bins: self.bins,
            cycles,
            herd_gain: None,
        }
    }

    fn raise_peaks(&mut self, now: Time, cause: Cause) {
        let open = self.open_before(now);
        let (of_cause, all) = (self.recent_by_cause[cause as usize], self.recent.len() as u32);
        self.storms.see(now, cause, of_cause, open);
        let cause = cause as usize;
        if of_cause > self.bin.connects_max_1s[cause] || all > self.bin.connects_max_1s_all {
            let open = f64::from(open);
            let share = |count: u32| if open > 0.0 { f64::from(count) / open } else { 1.0 };
            let bin = &mut self.bin;
            bin.connects_max_1s[cause] = bin.connects_max_1s[cause].max(of_cause);
            bin.connects_max_1s_all = bin.connects_max_1s_all.max(all);
            bin.herd_size[cause] = bin.herd_size[cause].max(share(of_cause));
            bin.herd_size_all = bin.herd_size_all.max(share(all));
        }
    }

    /// The most open in the minute before the second that ends now.
    fn open_before(&mut self, now: Time) -> u32 {
        let second = now.0 / SECOND.0;
        if let Some((_, most)) = self.before.filter(|(known, _)| *known == second) {
            return most;
        }
        let most = self.most_open_before(second);
        // The first second has none before it: what is open in it still changes.
        self.before = (second > 0).then_some((second, most));
        most
    }

    fn most_open_before(&self, second: u64) -> u32 {
        let until = second.saturating_sub(1);
        let from = second.saturating_sub(LOOK_BACK);
        let mut most = 0;
        for (place, &(at, open)) in self.open_by_second.iter().enumerate() {
            // A value holds until the next entry.
            let next = self.open_by_second.get(place + 1).map_or(u64::MAX, |entry| entry.0);
            if at <= until && next > from {
                most = most.max(open);
            }
        }
        most
    }

    fn note_open(&mut self, now: Time) {
        let second = now.0 / SECOND.0;
        match self.open_by_second.back_mut() {
            Some(last) if last.0 == second => last.1 = last.1.max(self.open),
            _ => self.open_by_second.push_back((second, self.open)),
        }
        while self.open_by_second.len() > 1 && self.open_by_second[1].0 + LOOK_BACK < second {
            self.open_by_second.pop_front();
        }
    }
}

/// Births on the lifetime clock, one cycle after the other.
#[derive(Clone, Debug)]
struct LifetimeClock {
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
    fn new(lifetime: Span) -> LifetimeClock {
        LifetimeClock { lifetime, cycle: Phases::default(), cycles: Vec::new() }
    }

    fn birth(&mut self, now: Time) {
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

    fn finish(mut self, end: Time) -> Vec<Cycle> {
        if self.lifetime != Span::FOREVER {
            self.close_until(end);
        }
        self.cycles
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
    use crate::engine::chance::Stream;

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
        let node = watch.finish("primary".into(), 0, at(900.0));
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

    #[test]
    fn starts_from_nothing_are_the_whole() {
        let mut watch = HerdWatch::new(None);
        watch.start(at(0.5), Cause::Boot);
        watch.close_bin();
        assert_eq!(watch.finish(String::new(), 0, at(10.0)).bins[0].herd_size_all, 1.0);
    }
}
