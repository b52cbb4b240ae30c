//! The figures against published tables and worked examples.

use super::*;

/// Degrees of freedom, and t for a two-sided 90, 95 and 99 % (any table of Student's t).
const TABLE: [(f64, [f64; 3]); 18] = [
    (1.0, [6.314, 12.706, 63.657]),
    (2.0, [2.920, 4.303, 9.925]),
    (3.0, [2.353, 3.182, 5.841]),
    (4.0, [2.132, 2.776, 4.604]),
    (5.0, [2.015, 2.571, 4.032]),
    (6.0, [1.943, 2.447, 3.707]),
    (7.0, [1.895, 2.365, 3.499]),
    (8.0, [1.860, 2.306, 3.355]),
    (9.0, [1.833, 2.262, 3.250]),
    (10.0, [1.812, 2.228, 3.169]),
    (15.0, [1.753, 2.131, 2.947]),
    (20.0, [1.725, 2.086, 2.845]),
    (25.0, [1.708, 2.060, 2.787]),
    (30.0, [1.697, 2.042, 2.750]),
    (40.0, [1.684, 2.021, 2.704]),
    (60.0, [1.671, 2.000, 2.660]),
    (120.0, [1.658, 1.980, 2.617]),
    (200.0, [1.653, 1.972, 2.601]),
];

#[test]
fn t_is_as_tabulated() {
    for (freedom, published) in TABLE {
        for (confidence, t) in [0.90, 0.95, 0.99].into_iter().zip(published) {
            let ours = student(confidence, freedom);
            assert!((ours - t).abs() <= 0.5e-3 + 1e-9, "{confidence} with {freedom}: {ours}, not {t}");
        }
    }
    // With one degree of freedom t is Cauchy's, with two it is algebraic: exact to the last digits.
    assert!((student(0.95, 1.0) - libm::tan(std::f64::consts::PI * 0.475)).abs() < 1e-9);
    assert!((student(0.95, 2.0) - 0.95 * (2.0 / (1.0 - 0.95_f64 * 0.95)).sqrt()).abs() < 1e-11);
    // Towards the normal distribution.
    assert!((student(0.95, 1e6) - 1.959_966).abs() < 5e-6);
    for wrong in [student(0.95, 0.0), student(0.95, f64::NAN), student(1.0, 5.0)] {
        assert!(wrong.is_nan());
    }
}

#[test]
fn the_tail_turns_the_quantile_back() {
    for freedom in (1..=200).map(f64::from) {
        for confidence in [0.5, 0.9, 0.95, 0.99, 0.9999] {
            let tail = beyond(student(confidence, freedom), freedom);
            assert!((tail - (1.0 - confidence)).abs() < 1e-11, "{confidence} with {freedom}: {tail}");
        }
    }
    assert_eq!((beyond(0.0, 5.0), beyond(f64::INFINITY, 5.0)), (1.0, 0.0));
    assert!((beyond(-2.0, 5.0) - beyond(2.0, 5.0)).abs() < 1e-15);
    // Far out it does not vanish: 2·Γ(3)/(Γ(2.5)√(5π))·5³·t⁻⁵/5 for large t.
    assert!((beyond(1000.0, 5.0) / 1.898_033e-14 - 1.0).abs() < 1e-3, "{}", beyond(1000.0, 5.0));
}

/// The incomplete beta function of whole numbers is a binomial sum.
#[test]
fn the_incomplete_beta_is_a_binomial_sum() {
    let choose = |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
    for (n, p) in [(5, 0.3), (20, 0.5), (40, 0.95)] {
        for k in 1..=n {
            let chance = |j: u32| choose(n, j) * libm::pow(p, j.into()) * libm::pow(1.0 - p, (n - j).into());
            let sum: f64 = (k..=n).map(chance).sum();
            let ours = beta(k.into(), f64::from(n - k) + 1.0, p, 1.0 - p);
            assert!((ours - sum).abs() < 1e-12, "{k} of {n} at {p}: {ours}, not {sum}");
        }
    }
}

#[test]
fn a_mean_has_students_interval_and_its_p() {
    let mean = Mean::of(&[1.0, 2.0, 3.0]);
    let (low, high) = mean.interval.unwrap();
    assert!((mean.mean - 2.0).abs() < 1e-12 && (high - low - 2.0 * 4.302_653 / 3f64.sqrt()).abs() < 1e-6);
    // t = 2√3 with two degrees of freedom: p = 1 − t/√(t² + 2).
    let t = 2.0 * 3f64.sqrt();
    assert!((mean.p().unwrap() - (1.0 - t / (t * t + 2.0).sqrt())).abs() < 1e-12);
    assert_eq!((Mean::of(&[1.0]).interval, Mean::of(&[1.0]).p(), Mean::of(&[1.0]).mean), (None, None, 1.0));
    assert!(Mean::of(&[]).mean.is_nan() && Mean::of(&[]).interval.is_none());
    assert_eq!((Mean::of(&[0.0, 0.0]).p(), Mean::of(&[0.0, 0.0]).interval), (Some(1.0), Some((0.0, 0.0))));
    assert_eq!((Mean::of(&[2.0, 2.0]).p(), Mean::of(&[2.0, 2.0]).interval), (Some(0.0), Some((2.0, 2.0))));
}

/// Gosset's own example: the additional hours of sleep by two drugs, ten patients (1908).
#[test]
fn p_is_that_of_a_worked_example() {
    let one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    let other = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    let differences: Vec<f64> = one.iter().zip(&other).map(|(a, b)| a - b).collect();
    let mean = Mean::of(&differences);
    let (low, high) = mean.interval.unwrap();
    assert!((mean.p().unwrap() - 0.002_833).abs() < 1e-6, "{mean:?}");
    assert!((low + 2.459_886).abs() < 1e-6 && (high + 0.700_114).abs() < 1e-6, "{low} {high}");
    // Welch's interval of the same, as if they were different patients: −3.365483 to 0.205483.
    assert!((unpaired_half(&one, &other).unwrap() - 1.785_483).abs() < 1e-6);
    assert!((correlation(&one, &other).unwrap() - 0.795_170).abs() < 1e-6);
    assert_eq!((unpaired_half(&one, &[1.0]), correlation(&one, &[1.0; 10])), (None, None));
}

#[test]
fn equal_differences_of_counts_are_not_known_for_certain() {
    let two = Mean::of_differences(&[-2.0, -2.0], 1.0, 0.0);
    assert!(two.p().unwrap() > 0.05, "two runs prove little: {two:?}");
    let five = Mean::of_differences(&[-2.0; 5], 1.0, 0.0);
    assert!(five.p().unwrap() < 0.001 && five.interval.unwrap().1 < 0.0, "{five:?}");
    let varied = [1.0, 5.0, 9.0];
    assert_eq!(Mean::of_differences(&varied, 1.0, 0.0), Mean::of(&varied), "where they vary, that counts");
}

/// Ranks of the 95 % interval of a median, as published (Conover; 6: 1 and 6, 10: 2 and 9, …).
#[test]
fn order_statistics_hold_the_median() {
    for (n, low, high) in
        [(6, 1, 6), (8, 1, 8), (9, 2, 8), (10, 2, 9), (20, 6, 15), (50, 18, 33), (100, 40, 61)]
    {
        let values: Vec<f64> = (1..=n).rev().map(f64::from).collect();
        let ranks = quantile_interval(&values, 0.5, 0.95);
        assert_eq!(ranks, Some((f64::from(low), f64::from(high))), "{n} values");
    }
    assert_eq!(quantile_interval(&[1.0; 5], 0.5, 0.95), None, "five are too few");
    assert_eq!(quantile_interval(&[], 0.5, 0.95), None);
    // No 90 % quantile is bounded from above by ten values; by 29 it is not yet, by 36 it is.
    let upto = |n: u32| quantile_interval(&(1..=n).map(f64::from).collect::<Vec<_>>(), 0.9, 0.95);
    assert_eq!((upto(10), upto(29).is_some(), upto(36).is_some()), (None, false, true));
}

#[test]
fn holm_raises_each_by_those_that_are_left() {
    // The worked example: 0.01 × 4, 0.013 × 3 (held at 0.04), 0.02 × 2 (held), 0.03 × 1 (held).
    let raised = holm(&[0.02, 0.01, 0.03, 0.013]);
    for (ours, theirs) in raised.iter().zip([0.04, 0.04, 0.04, 0.04]) {
        assert!((ours - theirs).abs() < 1e-12, "{raised:?}");
    }
    let raised = holm(&[0.5, 0.001, 0.9]);
    for (ours, theirs) in raised.iter().zip([1.0, 0.003, 1.0]) {
        assert!((ours - theirs).abs() < 1e-12, "{raised:?}");
    }
    assert!(holm(&[]).is_empty());
}
