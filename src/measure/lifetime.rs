//! Which lifetime do these connections have, when nobody says?
//!
//! A pool closes a connection at its lifetime L, so a snapshot shows ages between 0 and L. If births are
//! spread evenly, so are the ages: the oldest of N is L·N/(N+1) on average, and (oldest/L)^N bounds L from
//! above. That is all that one snapshot holds, for it knows one birth of each connection: where ages are
//! bunched they tell when the bunch was born and not how long it will live. Left out: several snapshots,
//! idle timeouts, and pools with different lifetimes side by side (narrow the snapshot to one application).

use crate::engine::time::Span;

/// Shorter lifetimes leave no room for a second to stand out.
pub const SHORTEST: Span = Span::from_secs(10);
/// Lifetimes that people write, in seconds.
const COMMON: [u64; 18] =
    [10, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
/// A connection may outlive its lifetime by this share of it before it is noticed.
const LATE: f64 = 0.03;
/// Fewer ages say nothing about their spread.
const FEWEST: usize = 10;
/// Kolmogorov and Smirnov: even ages stray further than this over √N once in a hundred.
const STRAY: f64 = 1.63;

/// The lifetime that a snapshot is read with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lifetime {
    /// It was given.
    Given(Span),
    /// Ages are spread evenly, so the oldest is nearly as old as any gets.
    Guessed {
        /// The likeliest.
        lifetime: Span,
        /// No less than this…
        least: Span,
        /// …and, with 95 %, no more than this.
        most: Span,
        /// Whether it is the only common lifetime in that range.
        sure: bool,
    },
    /// Ages tell no more than a bound.
    Unknown {
        /// The least common lifetime that the oldest age allows; a clock to draw on, no more.
        assumed: Span,
        /// The oldest age.
        least: Span,
    },
}

impl Lifetime {
    /// The length of the clock.
    pub fn span(&self) -> Span {
        match *self {
            Lifetime::Given(span) => span,
            Lifetime::Guessed { lifetime, .. } => lifetime,
            Lifetime::Unknown { assumed, .. } => assumed,
        }
    }

    /// Whether anything is known of it.
    pub fn is_known(&self) -> bool {
        !matches!(self, Lifetime::Unknown { .. })
    }
}

/// The lifetime behind ages in ascending order; at least [`SHORTEST`].
pub fn guess(ages: &[Span]) -> Lifetime {
    let oldest = ages.last().map_or(0.0, |age| age.as_secs());
    let n = ages.len() as f64;
    let likeliest = oldest * (n + 1.0) / n.max(1.0);
    let least = Span::from_secs_f64(oldest);
    let common = |from: f64| COMMON.into_iter().filter(move |seconds| *seconds as f64 >= from);
    if ages.len() < FEWEST || likeliest < SHORTEST.as_secs() || !even(ages, likeliest) {
        let assumed = common(oldest).next().map_or(least, Span::from_secs);
        return Lifetime::Unknown { assumed, least };
    }
    let most = oldest * libm::exp(libm::log(20.0) / n);
    let fit: Vec<u64> = common(oldest * (1.0 - LATE)).filter(|seconds| *seconds as f64 <= most).collect();
    let strays = |seconds: &u64| (*seconds as f64 - likeliest).abs();
    let best = fit.iter().min_by(|a, b| strays(a).total_cmp(&strays(b)));
    Lifetime::Guessed {
        lifetime: best.map_or(Span::from_secs_f64(likeliest), |seconds| Span::from_secs(*seconds)),
        least: Span::from_secs_f64(oldest * (1.0 - LATE)),
        most: Span::from_secs_f64(most),
        sure: fit.len() == 1,
    }
}

/// Whether the ages may well be spread evenly between zero and `lifetime` seconds.
fn even(ages: &[Span], lifetime: f64) -> bool {
    let n = ages.len() as f64;
    let gap = |(place, age): (usize, &Span)| {
        let expected = age.as_secs() / lifetime;
        (expected - place as f64 / n).abs().max(((place + 1) as f64 / n - expected).abs())
    };
    ages.iter().enumerate().map(gap).fold(0.0, f64::max) <= STRAY / n.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::chance::Stream;

    fn ages(seconds: impl IntoIterator<Item = f64>) -> Vec<Span> {
        let mut ages: Vec<Span> = seconds.into_iter().map(Span::from_secs_f64).collect();
        ages.sort_unstable();
        ages
    }

    #[test]
    fn even_ages_betray_the_lifetime() {
        let mut right = 0;
        for seed in 0..200 {
            let mut draws = Stream::root(seed).draws();
            let found = guess(&ages((0..100).map(|_| draws.unit() * 900.0)));
            if let Lifetime::Guessed { lifetime, least, most, sure } = found {
                assert!(least <= most);
                right += u32::from(lifetime == Span::from_secs(900) && sure);
            }
        }
        // One in twenty lies above the range, one in a hundred looks uneven.
        assert!(right >= 180, "{right} of 200");
    }

    #[test]
    fn few_ages_leave_a_wide_range() {
        let found = guess(&ages((1..=10).map(|n| f64::from(n) * 80.0)));
        let Lifetime::Guessed { lifetime, most, sure, .. } = found else { panic!("{found:?}") };
        assert_eq!((lifetime, sure), (Span::from_secs(900), true));
        assert!(most > Span::from_secs(1000));
    }

    /// Where two lifetimes that people write fit, the nearer is named and is not sure.
    #[test]
    fn a_guess_between_two_is_not_sure() {
        let found = guess(&ages((1..=10).map(|n| f64::from(n) * 90.0)));
        let Lifetime::Guessed { lifetime, least, most, sure } = found else { panic!("{found:?}") };
        assert_eq!((lifetime, sure), (Span::from_secs(900), false));
        assert!(least < Span::from_secs(900) && most > Span::from_secs(1200));
    }

    #[test]
    fn bunched_ages_betray_nothing() {
        let found = guess(&ages((0..100).map(|n| 400.0 + f64::from(n) * 0.01)));
        let oldest = Span::from_secs_f64(400.99);
        assert_eq!(found, Lifetime::Unknown { assumed: Span::from_secs(600), least: oldest });
        assert!(!guess(&ages([100.0, 200.0])).is_known(), "two are too few");
        assert!(!guess(&[]).is_known());
        let strays = (0..100).map(|n| f64::from(n) * 9.0).chain([250_000.0]);
        assert!(!guess(&ages(strays)).is_known(), "an old stray among them");
    }
}
