//! What some seeds show about all of them.
//!
//! An expectation holds with k of n seeds. The share of all possible seeds with which it would hold lies,
//! with 95 % confidence, within Wilson's interval (E. B. Wilson, 1927), which stays inside 0 to 1 and does
//! not shrink to a point at 0 of n or n of n. Left out: corrections for many expectations at once.

/// The normal quantile of a two-sided 95 %.
const Z: f64 = 1.96;

/// The interval in which the share of all seeds lies, where so many of the seeds that were run held.
pub fn interval(held: usize, seeds: usize) -> (f64, f64) {
    if seeds == 0 {
        return (0.0, 1.0);
    }
    let n = seeds as f64;
    let share = held as f64 / n;
    let (wide, half) = (1.0 + Z * Z / n, (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt());
    let centre = share + Z * Z / (2.0 * n);
    // The ends at 0 of n and n of n are exact; rounding would miss them by a hair.
    let low = if held == 0 { 0.0 } else { (centre - Z * half) / wide };
    let high = if held == seeds { 1.0 } else { (centre + Z * half) / wide };
    (low, high)
}

/// The most that so many seeds can show, when it holds with all of them.
pub fn most_shown(seeds: usize) -> f64 {
    interval(seeds, seeds).0
}

/// The fewest seeds that can show a share; none can show all of them.
pub fn seeds_needed(share: f64) -> Option<u64> {
    (share < 1.0).then(|| (Z * Z * share / (1.0 - share)).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close((low, high): (f64, f64), expected: (f64, f64)) -> bool {
        (low - expected.0).abs() < 5e-4 && (high - expected.1).abs() < 5e-4
    }

    /// Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    #[test]
    fn it_agrees_with_published_intervals() {
        assert!(close(interval(81, 263), (0.2553, 0.3662)), "{:?}", interval(81, 263));
        assert!(close(interval(15, 148), (0.0624, 0.1605)), "{:?}", interval(15, 148));
        assert!(close(interval(0, 20), (0.0, 0.1611)), "{:?}", interval(0, 20));
        assert!(close(interval(1, 29), (0.0061, 0.1718)), "{:?}", interval(1, 29));
    }

    #[test]
    fn none_and_all_of_the_seeds_are_proper_intervals() {
        for seeds in [1, 2, 10, 1000] {
            let (none, all) = (interval(0, seeds), interval(seeds, seeds));
            assert!(none.0 == 0.0 && 0.0 < none.1 && none.1 < 1.0, "{none:?}");
            assert!(all.1 == 1.0 && 0.0 < all.0 && all.0 < 1.0, "{all:?}");
            assert!((none.1 + all.0 - 1.0).abs() < 1e-12, "they mirror each other");
        }
        assert_eq!(interval(0, 0), (0.0, 1.0), "nothing is known");
    }

    #[test]
    fn the_seeds_needed_are_enough_and_one_fewer_is_not() {
        for percent in 1..100 {
            let share = f64::from(percent) / 100.0;
            let needed = seeds_needed(share).expect("less than all") as usize;
            assert!(most_shown(needed) >= share && most_shown(needed - 1) < share, "{percent} %: {needed}");
        }
        assert_eq!((seeds_needed(0.9), seeds_needed(0.95), seeds_needed(1.0)), (Some(35), Some(73), None));
    }
}
