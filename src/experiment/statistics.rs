//! Statistics of a few runs: means with Student's interval, order-statistic intervals, p-values, Holm.
//!
//! In life a spreadsheet does this. The unit is always the run: a percentile is one value of one run, and the
//! interval is over runs, which are independent because their seeds are; values within a run are not. All
//! maths is `libm`'s, so that intervals are the same bytes on every platform. Left out: proportions
//! (the binomial tails live with the proof of an expectation), bootstrap, and batch means within one run.
//!
//! Sources: the regularised incomplete beta function by its continued fraction (DLMF 8.17.22, evaluated as
//! Lentz has it); t's tail is I_x(ν/2, 1/2) with x = ν/(ν + t²) (Abramowitz and Stegun 26.7.1);
//! order-statistic intervals after Conover, Practical Nonparametric Statistics; Holm (1979); Welch (1947).

use libm::{exp, fabs, lgamma, log};

/// The confidence of every interval that is shown.
pub const CONFIDENCE: f64 = 0.95;

/// The mean of some values, and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean; NaN of no values.
    pub mean: f64,
    /// Its 95 % interval by Student's t; `None` with fewer than two values.
    pub interval: Option<(f64, f64)>,
    /// How many values there are.
    pub count: usize,
    /// The standard error of the mean.
    error: f64,
}

impl Mean {
    /// The mean of independent values.
    pub fn of(values: &[f64]) -> Mean {
        Mean::with_variance(values, variance(values))
    }

    /// The mean of differences that can be told apart only by steps of so much: their variance is never taken
    /// to be less than that of the rounding of the two that each is the difference of (step²/12 for each).
    /// Values that are all equal would otherwise be known for certain after two runs. Where no step is known
    /// and they vary by no more than noise, the last digits of a float, there is no interval.
    pub fn of_differences(values: &[f64], step: f64, noise: f64) -> Mean {
        let mut mean = Mean::with_variance(values, variance(values).max(step * step / 6.0));
        if step <= noise && values.iter().all(|value| (value - mean.mean).abs() <= noise) {
            mean.interval = None;
        }
        mean
    }

    fn with_variance(values: &[f64], variance: f64) -> Mean {
        let (mean, count) = (mean(values), values.len());
        let error = (variance / count as f64).sqrt();
        let half = || student(CONFIDENCE, count as f64 - 1.0) * error;
        let interval = (count > 1).then(half).map(|half| (mean - half, mean + half));
        Mean { mean, interval, count, error }
    }

    /// Half the width of the interval.
    pub fn half(&self) -> Option<f64> {
        self.interval.map(|(low, high)| (high - low) / 2.0)
    }

    /// How likely a mean as far from zero is by chance, were there no difference (two-sided t); `None` with
    /// fewer than two values.
    pub fn p(&self) -> Option<f64> {
        if self.count < 2 {
            return None;
        }
        // All values are zero: nothing speaks against "no difference".
        Some(if self.mean == 0.0 { 1.0 } else { beyond(self.mean / self.error, self.count as f64 - 1.0) })
    }
}

/// The mean; NaN of no values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample variance; NaN of fewer than two values.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    if values.len() < 2 { f64::NAN } else { squares / (values.len() - 1) as f64 }
}

/// Half the width of the 95 % interval of the difference of two means, were the values not paired (Welch's);
/// `None` with fewer than two of either.
pub fn unpaired_half(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.len() < 2 || other.len() < 2 {
        return None;
    }
    let part = |values: &[f64]| (variance(values) / values.len() as f64, values.len() as f64 - 1.0);
    let ((a, free_a), (b, free_b)) = (part(one), part(other));
    if a + b == 0.0 {
        return Some(0.0);
    }
    let freedom = (a + b) * (a + b) / (a * a / free_a + b * b / free_b);
    Some(student(CONFIDENCE, freedom) * (a + b).sqrt())
}

/// Pearson's correlation of pairs; `None` where either side does not vary.
pub fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let (a, b) = (mean(one), mean(other));
    let together: f64 = one.iter().zip(other).map(|(x, y)| (x - a) * (y - b)).sum();
    let spread = (variance(one) * variance(other)).sqrt();
    (spread > 0.0).then(|| together / spread / (one.len() - 1) as f64)
}

/// The interval of a quantile by order statistics: it holds the quantile with at least this confidence,
/// whatever the distribution. `None` where the values are too few (the median at 95 % takes six).
pub fn quantile_interval(values: &[f64], quantile: f64, confidence: f64) -> Option<(f64, f64)> {
    let (n, tail) = (values.len(), (1.0 - confidence) / 2.0);
    // The chance that at least k of the values lie below the quantile.
    let at_least = |k: usize| beta(k as f64, (n - k) as f64 + 1.0, quantile, 1.0 - quantile);
    let low = (1..=n).take_while(|k| 1.0 - at_least(*k) <= tail).last()?;
    let high = (1..=n).find(|k| at_least(*k) <= tail)?;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some((sorted[low - 1], sorted[high - 1]))
}

/// Holm's correction: the p-values, each raised so that all of them together keep the rate of false alarms.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut raised, mut least) = (vec![0.0; p.len()], 0.0);
    for (rank, place) in order.into_iter().enumerate() {
        least = f64::max(least, (p[place] * (p.len() - rank) as f64).min(1.0));
        raised[place] = least;
    }
    raised
}

/// Student's t that this share of the distribution lies within, on both sides of zero; NaN without a degree
/// of freedom. Found by halving: the tail falls steadily.
pub fn student(confidence: f64, freedom: f64) -> f64 {
    let tail = 1.0 - confidence;
    if freedom.is_nan() || freedom <= 0.0 || !(0.0..1.0).contains(&confidence) {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while beyond(high, freedom) > tail && high < f64::MAX / 4.0 {
        (low, high) = (high, high * 2.0);
    }
    while high - low > 1e-13 * high {
        let middle = (low + high) / 2.0;
        if beyond(middle, freedom) > tail { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The chance that Student's t lies as far from zero, on either side.
pub fn beyond(t: f64, freedom: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let whole = freedom + t * t;
    beta(freedom / 2.0, 0.5, freedom / whole, t * t / whole)
}

/// The regularised incomplete beta function I_x(a, b), with 1 − x given, which may be the smaller one.
fn beta(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    if x <= 0.0 || rest <= 0.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest));
    // The fraction converges fast on the near side of the mean only.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, rest) / b
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS: u32 = 10_000;
    let away = |value: f64| if fabs(value) < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut product = d;
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = product;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            product *= c * d;
        }
        if fabs(product - before) <= 1e-15 * fabs(product) {
            break;
        }
    }
    product
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;
