//! What some seeds show about all of them.
//!
//! An expectation holds with k of n seeds. Were it to hold with a certain share of all possible seeds, the
//! binomial distribution says how likely it is that so many of n hold by chance, or so few. A share is
//! *shown* where as many would in fewer than 5 % of all samples, and *denied* where as few would. So either
//! verdict is wrong with fewer than one sample in twenty, whatever the share and however few the seeds (C.
//! J. Clopper and E. S. Pearson, 1934). Left out: corrections for many expectations at once.

use libm::{exp, lgamma, log, pow};

/// Either verdict is wrong with less than this share of all samples.
const WRONG: f64 = 0.05;

/// Whether these seeds, of which so many held, show that at least this share of all would hold.
pub fn shown(held: usize, seeds: usize, share: f64) -> bool {
    chance(held..=seeds, seeds, share) < WRONG
}

/// Whether they show that fewer would.
pub fn denied(held: usize, seeds: usize, share: f64) -> bool {
    chance(0..=held, seeds, share) < WRONG
}

/// The shares of all seeds that are neither shown nor denied lie between these two: it is at least the one
/// with a confidence of 95 %, and at most the other with as much.
pub fn bounds(held: usize, seeds: usize) -> (f64, f64) {
    let low = if held == 0 { 0.0 } else { border(|share| shown(held, seeds, share)) };
    let high = if held == seeds { 1.0 } else { border(|share| !denied(held, seeds, share)) };
    (low, high)
}

/// The end of the shares for which something holds that holds from zero on. Found by halving.
fn border(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while high - low > 1e-12 {
        let middle = (low + high) / 2.0;
        if holds(middle) { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The chance that so many of the seeds hold, where this share of all does.
fn chance(held: std::ops::RangeInclusive<usize>, seeds: usize, share: f64) -> f64 {
    let ways = |n: usize| lgamma(n as f64 + 1.0);
    // Nothing to the power of nothing is one.
    let power = |share: f64, n: usize| if n == 0 { 0.0 } else { n as f64 * log(share) };
    let one = |k: usize| {
        let rest = seeds - k;
        exp(ways(seeds) - ways(k) - ways(rest) + power(share, k) + power(1.0 - share, rest))
    };
    held.map(one).sum()
}

/// So many seeds show less than this, when it holds with all of them.
pub fn most_shown(seeds: usize) -> f64 {
    if seeds == 0 { 0.0 } else { pow(WRONG, 1.0 / seeds as f64) }
}

/// The same in whole per cent, rounded down: the most that they do show.
pub fn most_percent(seeds: usize) -> f64 {
    ((100.0 * most_shown(seeds)).ceil() - 1.0).max(0.0)
}

/// A share in per cent as people say it: `90`, `99.5`.
pub fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

/// The fewest seeds that can show a share; none can show all of them.
pub fn seeds_needed(share: f64) -> Option<u64> {
    (share < 1.0).then(|| (log(WRONG) / log(share)).floor() as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How likely each number of seeds that hold is, by Pascal's triangle.
    fn binomial(seeds: usize, share: f64) -> Vec<f64> {
        let mut row = vec![1.0];
        for _ in 0..seeds {
            let before = |k: usize| row.get(k).copied().unwrap_or(0.0);
            let next =
                |k: usize| before(k) * (1.0 - share) + if k == 0 { 0.0 } else { before(k - 1) * share };
            row = (0..=row.len()).map(next).collect();
        }
        row
    }

    /// Over all samples there are, were exactly the share asked for to hold: fail is wrong then, and so is
    /// pass for whoever has the least bit less.
    #[test]
    fn neither_verdict_is_wrong_with_more_than_one_sample_in_twenty() {
        for percent in 50..100 {
            for seeds in 1..=60 {
                let share = f64::from(percent) / 100.0;
                let chances = binomial(seeds, share);
                let of = |verdict: fn(usize, usize, f64) -> bool| -> f64 {
                    (0..=seeds).filter(|k| verdict(*k, seeds, share)).map(|k| chances[k]).sum()
                };
                let (fails, passes) = (of(denied), of(shown));
                assert!(fails <= 0.05 && passes <= 0.05, "{percent} % of {seeds}: {fails} {passes}");
            }
        }
    }

    /// One more or one fewer would be wrong too often: nothing is given away.
    #[test]
    fn a_verdict_comes_as_early_as_it_may() {
        for (seeds, share) in [(10, 0.7), (29, 0.9), (40, 0.5), (60, 0.95)] {
            let chances = binomial(seeds, share);
            let pass = (0..=seeds).find(|k| shown(*k, seeds, share)).expect("enough seeds");
            let fail = (0..=seeds).rev().find(|k| denied(*k, seeds, share)).expect("enough seeds");
            assert!(chances[pass - 1..].iter().sum::<f64>() >= 0.05, "{seeds}: pass from {pass} on");
            assert!(chances[..=fail + 1].iter().sum::<f64>() >= 0.05, "{seeds}: fail up to {fail}");
        }
        assert!(!denied(0, 1, 0.9) && !shown(1, 1, 0.9), "one seed shows nothing of nine in ten");
        assert!(denied(0, 1, 0.96), "but that nearly all would hold it denies");
    }

    /// Ends of two-sided 90 % intervals of Clopper and Pearson: 0 of 10 and 1 of 10 by hand, (1 − p)^10 = 5 %
    /// and (1 − p)^10 + 10 p (1 − p)^9 = 5 %.
    #[test]
    fn the_bounds_are_where_the_tails_are() {
        let close =
            |(low, high): (f64, f64), a: f64, b: f64| (low - a).abs() < 5e-5 && (high - b).abs() < 5e-5;
        assert!(close(bounds(0, 10), 0.0, 0.25887), "{:?}", bounds(0, 10));
        assert!(close(bounds(1, 10), 0.00512, 0.39416), "{:?}", bounds(1, 10));
        for (held, seeds) in [(1, 1), (3, 7), (59, 60), (900, 1000)] {
            let ((low, high), (rest_low, rest_high)) = (bounds(held, seeds), bounds(seeds - held, seeds));
            assert!((low + rest_high - 1.0).abs() < 1e-9 && (high + rest_low - 1.0).abs() < 1e-9);
            assert!(shown(held, seeds, low - 1e-9) && !shown(held, seeds, low + 1e-9));
        }
        assert_eq!(bounds(0, 0), (0.0, 1.0), "nothing is known");
    }

    #[test]
    fn the_seeds_needed_are_enough_and_one_fewer_is_not() {
        for percent in 1..100 {
            let share = f64::from(percent) / 100.0;
            let needed = seeds_needed(share).expect("less than all") as usize;
            assert!(shown(needed, needed, share) && !shown(needed - 1, needed - 1, share), "{percent} %");
            assert!(most_percent(needed) >= f64::from(percent) && most_shown(needed) > share, "{percent} %");
        }
        assert_eq!((seeds_needed(0.9), seeds_needed(0.95), seeds_needed(1.0)), (Some(29), Some(59), None));
        assert_eq!([3, 6, 10, 16, 20, 29, 59].map(most_percent), [36.0, 60.0, 74.0, 82.0, 86.0, 90.0, 95.0]);
    }
}
