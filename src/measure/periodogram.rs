//! Periods in a series: how often does it come back?
//!
//! A periodogram compares a series with a wave of every period, from a minute to a quarter of the run. What
//! is slower is taken out first (a running median), so that a level which moves is hardly a period. The power
//! is that of unrelated noise at 1, on average, so that e^−power is how likely such noise is to look so. Some
//! spikes of ten seconds every fifteen minutes have all their harmonics, each as strong as the fundamental;
//! the sum of the first four therefore counts as well, and a line at a half, a third, … of a longer period
//! that is no stronger is told as its harmonic. The false-alarm probability is a bound: the tail of the
//! gamma distribution times the number of looks (Bonferroni). It holds for unrelated Gaussian noise; latency
//! has a memory, so a line says where to look, and knock-outs say who it was. One burst of some minutes has
//! power at all long periods, and two have it at any fraction of the time between them; so the cycles of a
//! period must themselves be in step, and count for three at least. Several series, one for each seed, are
//! added up as powers. Left out: uneven sampling (a bin without requests counts as ordinary) and periods that
//! drift.

use crate::engine::time::Span;
use std::f64::consts::TAU;

/// The shortest period that is looked for.
pub const SHORTEST: Span = Span::from_secs(60);
/// The longest is the run divided by this.
const LEAST_CYCLES: usize = 4;
/// Looks for each independent frequency: lines do not fall between them.
const FINE: usize = 8;
/// Harmonics that are summed.
const HARMONICS: usize = 4;
/// A line is told if noise looks so at most this often.
pub const FALSE_ALARM: f64 = 0.01;
/// A harmonic is at most so much stronger than its fundamental: two trains of pulses may share it.
const SHARED: f64 = 4.5;
/// Harmonics are on average at most so much stronger than their fundamental.
const OVERTONES: f64 = 2.0;
/// A fundamental is at least so strong itself: noise is in one of fifty looks.
const FUNDAMENTAL: f64 = 4.0;

/// A period comes back at least so often: as many cycles of equal strength in step.
const IN_STEP: f64 = 3.0;

/// How strongly each frequency is present.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// From one frequency to the next, in hertz; the first is zero.
    step_hz: f64,
    /// The mean power over the series at each, relative to unrelated noise.
    power: Vec<f64>,
    /// The frequencies that are looked at.
    first: usize,
    last: usize,
    /// The series that it is made of, around zero.
    series: Vec<Vec<f64>>,
}

/// A period that is present.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The period in seconds.
    pub period_s: f64,
    /// Half the width of the line, in hertz: periods nearer to each other than this look alike.
    pub width_hz: f64,
    /// Its power relative to unrelated noise.
    pub power: f64,
    /// At most so likely, anywhere in the spectrum, in unrelated noise.
    pub false_alarm: f64,
    /// Its harmonics that are lines themselves: 2 stands for half the period.
    pub harmonics: Vec<u32>,
}

impl Spectrum {
    /// The spectrum of some series of one length, sampled `step` apart; `None` if they are too short or do
    /// not vary.
    pub fn new(series: &[Vec<Option<f64>>], step: Span) -> Option<Spectrum> {
        let samples = series.first().map_or(0, Vec::len);
        let step_hz = 1.0 / (FINE as f64 * samples as f64 * step.as_secs());
        let first = LEAST_CYCLES * FINE;
        let last = (1.0 / (SHORTEST.as_secs() * step_hz)) as usize;
        if last <= first {
            return None;
        }
        let both = |series: &Vec<Option<f64>>| {
            let flat = level(series);
            Some((power(&flat)?, flat))
        };
        let (powers, series): (Vec<Vec<f64>>, Vec<Vec<f64>>) = series.iter().filter_map(both).unzip();
        let mean = |n: usize| powers.iter().map(|power| power[n]).sum::<f64>() / powers.len() as f64;
        let power = (0..FINE * samples / 2).map(mean).collect();
        (!powers.is_empty()).then_some(Spectrum { step_hz, power, first, last, series })
    }

    /// Period in seconds and power, from the longest period to the shortest.
    pub fn points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        (self.first..=self.last).map(|n| (self.period_s(n), self.power[n]))
    }

    /// The power that a single frequency of unrelated noise exceeds at most in [`FALSE_ALARM`] of all runs.
    pub fn level(&self) -> f64 {
        let (mut below, mut above) = (0.0, 1000.0);
        for _ in 0..60 {
            let middle = (below + above) / 2.0;
            if self.chance(1, middle) > FALSE_ALARM { below = middle } else { above = middle }
        }
        above
    }

    /// The periods that are present, from the longest to the shortest.
    pub fn lines(&self) -> Vec<Line> {
        let peaks: Vec<usize> = (self.first..=self.last).filter(|n| self.is_peak(*n)).collect();
        let mut lines: Vec<(usize, Line)> = Vec::new();
        for n in peaks {
            match lines.iter_mut().find_map(|(of, line)| Some((self.harmonic(n, *of)?, line))) {
                Some((number, line)) => line.harmonics.push(number),
                None => lines.push((n, self.line(n))),
            }
        }
        lines.into_iter().map(|(_, line)| line).collect()
    }

    fn line(&self, n: usize) -> Line {
        Line {
            period_s: self.period_s(n),
            width_hz: self.step_hz * FINE as f64 / 2.0,
            power: self.power[n],
            false_alarm: self.false_alarm(n),
            harmonics: vec![],
        }
    }

    fn period_s(&self, n: usize) -> f64 {
        1.0 / (n as f64 * self.step_hz)
    }

    /// Which harmonic `n` is of a fundamental, if it is one.
    fn harmonic(&self, n: usize, of: usize) -> Option<u32> {
        let number = (n + of / 2) / of;
        // Half the width of a line, and what the fundamental may lie beside its look.
        let near = FINE / 2 + number / 2;
        let is = number > 1 && n.abs_diff(number * of) <= near;
        (is && self.power[n] <= SHARED * self.power[of]).then_some(number as u32)
    }

    /// The highest of its surroundings, not the shadow of a higher one, not a part of a shorter period, and
    /// hardly noise.
    fn is_peak(&self, n: usize) -> bool {
        let power = &self.power;
        let highest = power[n] > power[n - 1] && power.get(n + 1).is_none_or(|next| power[n] >= *next);
        let overtones = (2..=HARMONICS).filter_map(|number| power.get(n * number));
        let (count, sum) = overtones.fold((0.0, 0.0), |(count, sum), power| (count + 1.0, sum + power));
        let fundamental = power[n] >= FUNDAMENTAL && sum <= OVERTONES * count * power[n];
        let stands_out = highest && fundamental && self.false_alarm(n) <= FALSE_ALARM && !self.in_shadow(n);
        stands_out && self.in_step(n) >= IN_STEP
    }

    /// How many cycles of equal strength are in step at a frequency, in the mean over the series.
    fn in_step(&self, n: usize) -> f64 {
        let cycles =
            self.series.iter().map(|series| in_step(series, n as f64 / (FINE * series.len()) as f64));
        cycles.sum::<f64>() / self.series.len() as f64
    }

    /// A run has an end: beside every line stand lesser ones, under 1/(π·distance)².
    fn in_shadow(&self, n: usize) -> bool {
        let around = n.saturating_sub(10 * FINE).max(1)..(n + 10 * FINE).min(self.power.len());
        around.filter(|other| *other != n).any(|other| {
            let turns = std::f64::consts::PI * n.abs_diff(other) as f64 / FINE as f64;
            self.power[n] < 1.5 * self.power[other] / (turns * turns).max(1.5)
        })
    }

    /// At most so likely in unrelated noise: by its own power, or with its harmonics.
    fn false_alarm(&self, n: usize) -> f64 {
        let own = self.power[n];
        // None counts for more than the fundamental: another period may stand there.
        let harmonics = (1..=HARMONICS).filter_map(|number| self.power.get(n * number));
        let (count, sum) = harmonics.fold((0, 0.0), |(count, sum), power| (count + 1, sum + power.min(own)));
        self.chance(1, own).min(self.chance(count, sum))
    }

    /// How likely noise is to reach a sum of so many powers, at any of the looks, in either of two ways.
    fn chance(&self, powers: usize, sum: f64) -> f64 {
        let looks = (self.last - self.first + 1) as f64;
        let series = self.series.len();
        (2.0 * looks * gamma_tail(powers * series, sum * series as f64)).min(1.0)
    }
}

/// How likely the sum of so many unit exponentials is to exceed `x`.
fn gamma_tail(shape: usize, x: f64) -> f64 {
    let (mut term, mut sum) = (libm::exp(-x), 0.0);
    for n in 1..=shape {
        sum += term;
        term *= x / n as f64;
    }
    sum
}

/// A series without what is slower than half the longest period, around zero; what is missing is zero.
fn level(series: &[Option<f64>]) -> Vec<f64> {
    let half = series.len() / LEAST_CYCLES / 4;
    let mut sorted: Vec<f64> = Vec::new();
    let place = |sorted: &[f64], value: f64| sorted.partition_point(|other| *other < value);
    let add = |sorted: &mut Vec<f64>, n: usize| {
        if let Some(Some(value)) = series.get(n) {
            sorted.insert(place(sorted, *value), *value);
        }
    };
    (0..half).for_each(|n| add(&mut sorted, n));
    let mut flat = Vec::with_capacity(series.len());
    for (n, value) in series.iter().enumerate() {
        add(&mut sorted, n + half);
        if let Some(Some(old)) = n.checked_sub(half + 1).map(|n| series[n]) {
            sorted.remove(place(&sorted, old));
        }
        flat.push(value.map(|value| value - sorted[sorted.len() / 2]));
    }
    let present = flat.iter().flatten().count().max(1) as f64;
    let mean = flat.iter().flatten().sum::<f64>() / present;
    flat.into_iter().map(|value| value.map_or(0.0, |value| value - mean)).collect()
}

/// The power of a series at every multiple of its finest step, up to half its rate of sampling; `None` if it
/// does not vary.
fn power(series: &[f64]) -> Option<Vec<f64>> {
    let total: f64 = series.iter().map(|value| value * value).sum();
    if total <= 0.0 {
        return None;
    }
    let looks = FINE * series.len();
    let of = |n: usize| {
        let turn = TAU * n as f64 / looks as f64;
        let (step_re, step_im) = (libm::cos(turn), libm::sin(turn));
        let (mut re, mut im, mut sum_re, mut sum_im) = (1.0, 0.0, 0.0, 0.0);
        for value in series {
            sum_re += value * re;
            sum_im += value * im;
            (re, im) = (re * step_re - im * step_im, re * step_im + im * step_re);
        }
        (sum_re * sum_re + sum_im * sum_im) / total
    };
    Some((0..looks / 2).map(of).collect())
}

/// How many cycles of a series are in step with a wave of so many turns a sample: the power of all together
/// over the sum of the powers of each for itself. A single burst is one cycle, however strong; a cycle begins
/// half a turn before the wave's crest, so that no burst belongs to two.
fn in_step(series: &[f64], turns: f64) -> f64 {
    let turned = |n: usize, value: f64| {
        let turn = TAU * turns * n as f64;
        (value * libm::cos(turn), value * libm::sin(turn))
    };
    let sum = |all: (f64, f64), one: (f64, f64)| (all.0 + one.0, all.1 + one.1);
    let whole = series.iter().enumerate().map(|(n, value)| turned(n, *value)).fold((0.0, 0.0), sum);
    let crest = libm::atan2(whole.1, whole.0) / TAU;
    let mut cycles = vec![(0.0, 0.0); (series.len() as f64 * turns) as usize + 3];
    for (n, value) in series.iter().enumerate() {
        let cycle = &mut cycles[(n as f64 * turns - crest + 1.5) as usize];
        *cycle = sum(*cycle, turned(n, *value));
    }
    let power = |(re, im): (f64, f64)| re * re + im * im;
    power(whole) / cycles.into_iter().map(power).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::chance::{Draws, Stream};

    const STEP: Span = Span::from_secs(10);
    /// Six hours.
    const SAMPLES: usize = 2160;

    fn noise(draws: &mut Draws) -> f64 {
        (0..12).map(|_| draws.unit()).sum::<f64>() - 6.0
    }

    /// Noise of unit variance, and `signal` of the time in seconds.
    fn series(seed: u64, signal: impl Fn(f64) -> f64) -> Vec<Option<f64>> {
        let mut draws = Stream::root(seed).draws();
        (0..SAMPLES).map(|n| Some(noise(&mut draws) + signal(n as f64 * 10.0))).collect()
    }

    fn lines(series: &[Vec<Option<f64>>]) -> Vec<Line> {
        Spectrum::new(series, STEP).expect("long enough").lines()
    }

    /// Ten seconds in every `period`, so high.
    fn pulses(period: f64, height: f64) -> impl Fn(f64) -> f64 {
        move |at| if at % period < 10.0 { height } else { 0.0 }
    }

    fn assert_period(line: &Line, period: f64) {
        assert!((1.0 / line.period_s - 1.0 / period).abs() < line.width_hz, "{line:?} is not {period} s");
    }

    #[test]
    fn a_wave_is_found_to_within_the_width_of_a_line() {
        for period in [70.0, 130.0, 613.0, 900.0, 4000.0] {
            let found = lines(&[series(1, |at| 0.6 * libm::sin(TAU * at / period))]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_period(&found[0], period);
            assert!(found[0].harmonics.is_empty(), "{found:?}");
        }
    }

    #[test]
    fn noise_has_no_period() {
        let alarms: usize = (1..=40).map(|seed| lines(&[series(seed, |_| 0.0)]).len()).sum();
        assert!(alarms <= 2, "{alarms} of 40, where at most 1 % are expected");
    }

    #[test]
    fn narrow_pulses_are_one_period_with_harmonics() {
        let found = lines(&[series(1, pulses(900.0, 12.0))]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_period(&found[0], 900.0);
        assert!(found[0].harmonics.starts_with(&[2, 3, 4]), "{found:?}");
    }

    #[test]
    fn two_trains_of_pulses_are_two_periods() {
        let both = |at: f64| pulses(900.0, 12.0)(at) + pulses(600.0, 12.0)(at + 200.0);
        let found = lines(&[series(1, both)]);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert_period(&found[0], 900.0);
        assert_period(&found[1], 600.0);
    }

    #[test]
    fn a_level_that_moves_and_bins_that_are_missing_are_no_period() {
        let mut moved = series(1, |at| if at > 9000.0 { 2.0 } else { 0.0 });
        moved[300..340].fill(None);
        let found = lines(&[moved]);
        assert!(found.is_empty(), "{found:?}");
    }

    /// Bursts of three minutes, in three hours.
    #[test]
    fn a_burst_or_two_are_no_period() {
        let bursts = |seed: u64, begins: &[f64]| {
            let near = |at: f64| begins.iter().any(|from| at >= *from && at < from + 180.0);
            let mut all = series(seed, |at| if near(at) { 30.0 } else { 0.0 });
            all.truncate(1080);
            lines(&[all])
        };
        for seed in 1..=10 {
            for begins in [&[1800.0][..], &[1800.0, 5400.0], &[700.0, 6100.0]] {
                let found = bursts(seed, begins);
                assert!(found.is_empty(), "{begins:?}: {found:?}");
            }
            let often = bursts(seed, &[600.0, 2400.0, 4200.0, 6000.0, 7800.0, 9600.0]);
            assert_period(&often[0], 1800.0);
        }
    }

    #[test]
    fn what_one_seed_only_hints_at_many_seeds_show() {
        let wave = |at: f64| 0.13 * libm::sin(TAU * at / 900.0);
        let many: Vec<Vec<Option<f64>>> = (1..=8).map(|seed| series(seed, wave)).collect();
        assert!(lines(&many[..1]).is_empty());
        assert_period(&lines(&many)[0], 900.0);
    }

    #[test]
    fn too_short_or_too_even_has_no_spectrum() {
        assert_eq!(Spectrum::new(&[vec![Some(1.0); SAMPLES]], STEP), None);
        assert_eq!(Spectrum::new(&[vec![Some(1.0), Some(2.0)]], STEP), None);
        assert_eq!(Spectrum::new(&[], STEP), None);
    }

    #[test]
    fn the_tail_is_that_of_the_gamma_distribution() {
        assert!((gamma_tail(1, 3.0) - libm::exp(-3.0)).abs() < 1e-15);
        // 1 − CDF of gamma(4) at 10.
        assert!((gamma_tail(4, 10.0) - 0.010_336_050_6).abs() < 1e-9);
    }
}
