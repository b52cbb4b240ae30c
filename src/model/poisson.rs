//! How large a Poisson count is ever found, by who looks often.

/// The least k, up to `most`, that not one of so many looks finds, at counts of this mean.
pub fn rarely_found(mean: f64, looks: f64, most: u32) -> u32 {
    let mut reached = 1.0;
    // As a logarithm: of a large mean the first terms are smaller than any float.
    let mut log_term = -mean;
    let mut k = 0;
    while k < most && looks * reached >= 1.0 {
        reached -= libm::exp(log_term);
        k += 1;
        log_term += libm::log(mean / f64::from(k));
    }
    k
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(X ≥ 3) = 0.0803, P(X ≥ 4) = 0.0190, P(X ≥ 5) = 0.00366 for a Poisson variable of mean 1 (any table).
    #[test]
    fn what_is_rarely_found_is_the_poisson_quantile_of_so_many_looks() {
        assert_eq!(rarely_found(1.0, 100.0, 50), 5);
        assert_eq!(rarely_found(1.0, 10.0, 50), 3);
        assert_eq!(rarely_found(1.0, 1e9, 3), 3, "no more than there can be");
        assert_eq!(rarely_found(0.0, 0.0, 50), 0, "nobody looks");
    }

    /// By the normal law, which Poisson counts of a large mean come close to: the largest of a million is
    /// 4.75 standard deviations above the mean, a little more for their skew.
    #[test]
    fn of_a_large_mean_it_is_some_deviations_above() {
        for mean in [100.0, 700.0, 800.0, 10_000.0, 1e6] {
            let above = (f64::from(rarely_found(mean, 1e6, u32::MAX)) - mean) / mean.sqrt();
            assert!((4.7..5.3).contains(&above), "{mean}: {above}");
        }
    }
}
