//! Distributions of durations.
//!
//! Exponential and normal variates come from `rand_distr`'s tables; every transform is `libm`'s, because the
//! platform's own maths differs in the last bit from one C library to another, and one flipped comparison
//! reorders a run. Each distribution knows its mean, so that the fleet can be sized.

use super::chance::Draws;
use super::time::Span;
use rand_distr::{Distribution as _, Exp1, StandardNormal};
use std::sync::Arc;

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

/// A distribution of durations.
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Always the same.
    Constant(Span),
    /// Evenly between two durations.
    Uniform {
        /// The least.
        min: Span,
        /// The greatest.
        max: Span,
    },
    /// Memoryless.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// e to the power of a normal variate.
    LogNormal {
        /// The median.
        median: Span,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// Pareto of type I: P(X > x) = (scale/x)^shape.
    Pareto {
        /// The least value.
        scale: Span,
        /// The tail's exponent, above 1.
        shape: f64,
    },
    /// Drawn from measured values with equal chance.
    Empirical(Arc<[Span]>),
}

impl Dist {
    /// A log-normal distribution by its median and its 99th percentile.
    pub fn log_normal(median: Span, p99: Span) -> Dist {
        Dist::LogNormal { median, sigma: libm::log(p99.0 as f64 / median.0 as f64) / Z99 }
    }

    /// A distribution of measured values.
    ///
    /// # Panics
    /// If there are none.
    pub fn empirical(mut values: Vec<Span>) -> Dist {
        assert!(!values.is_empty(), "an empirical distribution needs values");
        values.sort_unstable();
        Dist::Empirical(values.into())
    }

    /// Draws one value.
    #[inline]
    pub fn sample(&self, draws: &mut Draws) -> Span {
        match self {
            Dist::Constant(span) => *span,
            Dist::Exponential { mean } => {
                let unit: f64 = Exp1.sample(draws);
                mean.scale(unit)
            }
            other => other.sample_other(draws),
        }
    }

    /// Apart, so that the two most frequent are small enough to stand where they are drawn.
    #[inline(never)]
    fn sample_other(&self, draws: &mut Draws) -> Span {
        match self {
            Dist::Constant(_) | Dist::Exponential { .. } => self.sample(draws),
            Dist::Uniform { min, max } => Span(min.0 + draws.below(max.0 - min.0 + 1)),
            Dist::LogNormal { median, sigma } => {
                let z: f64 = StandardNormal.sample(draws);
                median.scale(libm::exp(sigma * z))
            }
            Dist::Pareto { scale, shape } => scale.scale(libm::pow(1.0 - draws.unit(), -1.0 / shape)),
            Dist::Empirical(values) => values[draws.below(values.len() as u64) as usize],
        }
    }

    /// The mean.
    pub fn mean(&self) -> Span {
        match self {
            Dist::Constant(span) => *span,
            Dist::Uniform { min, max } => Span(min.0 + (max.0 - min.0) / 2),
            Dist::Exponential { mean } => *mean,
            Dist::LogNormal { median, sigma } => median.scale(libm::exp(sigma * sigma / 2.0)),
            Dist::Pareto { scale, shape } => scale.scale(shape / (shape - 1.0)),
            Dist::Empirical(values) => {
                Span((values.iter().map(|v| u128::from(v.0)).sum::<u128>() / values.len() as u128) as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::chance::Stream;

    fn all() -> Vec<Dist> {
        let ms = Span::from_millis;
        vec![
            Dist::Constant(ms(5)),
            Dist::Uniform { min: ms(2), max: ms(8) },
            Dist::Exponential { mean: ms(5) },
            Dist::log_normal(ms(4), ms(20)),
            Dist::Pareto { scale: ms(2), shape: 3.5 },
            Dist::empirical((1..=997).map(ms).collect()),
        ]
    }

    /// The value below which a share `p` (from 0 to below 1) of all values lies.
    fn quantile(dist: &Dist, p: f64) -> Span {
        match dist {
            Dist::Constant(span) => *span,
            Dist::Uniform { min, max } => Span(min.0 + Span(max.0 - min.0).scale(p).0),
            Dist::Exponential { mean } => mean.scale(-libm::log1p(-p)),
            Dist::LogNormal { median, sigma } => median.scale(libm::exp(sigma * normal_quantile(p))),
            Dist::Pareto { scale, shape } => scale.scale(libm::pow(1.0 - p, -1.0 / shape)),
            Dist::Empirical(values) => values[((p * values.len() as f64) as usize).min(values.len() - 1)],
        }
    }

    /// The quantile of the standard normal distribution, by bisection on `erfc`: exact to 1e-12.
    fn normal_quantile(p: f64) -> f64 {
        let (mut low, mut high) = (-40.0, 40.0);
        while high - low > 1e-12 {
            let middle = (low + high) / 2.0;
            if 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2) < p {
                low = middle;
            } else {
                high = middle;
            }
        }
        (low + high) / 2.0
    }

    #[test]
    fn samples_have_the_stated_mean_and_quantiles() {
        for dist in all() {
            let mut draws = Stream::root(11).draws();
            let mut samples: Vec<u64> = (0..200_000).map(|_| dist.sample(&mut draws).0).collect();
            samples.sort_unstable();
            let mean = samples.iter().map(|&s| s as f64).sum::<f64>() / samples.len() as f64;
            let stated = dist.mean().0 as f64;
            assert!((mean / stated - 1.0).abs() < 0.01, "{dist:?}: mean {mean} stated {stated}");
            for p in [0.1, 0.5, 0.9, 0.99] {
                let seen = samples[(p * samples.len() as f64) as usize] as f64;
                let stated = quantile(&dist, p).0 as f64;
                assert!((seen / stated - 1.0).abs() < 0.03, "{dist:?}: p{p} {seen} stated {stated}");
            }
        }
    }

    #[test]
    fn a_log_normal_meets_its_median_and_p99() {
        let dist = Dist::log_normal(Span::from_millis(1), Span::from_millis(5));
        assert_eq!(quantile(&dist, 0.5), Span::from_millis(1));
        assert!((quantile(&dist, 0.99).as_millis() - 5.0).abs() < 1e-6);
    }

    /// Values that must be the same on every platform: a change here changes every result.
    #[test]
    fn samples_are_pinned() {
        let sums: Vec<u64> = all()
            .iter()
            .map(|dist| {
                let stream = Stream::root(42).named("pinned");
                (0..10_000).fold(0u64, |sum, n| sum.rotate_left(1) ^ dist.sample(&mut stream.at(n).draws()).0)
            })
            .collect();
        insta::assert_debug_snapshot!(sums);
    }
}
