//! Made-up runs with values of our choice.

use super::*;
use crate::scenario::grammar::Label;

/// A row of the summary with a value.
fn row(metric: &'static str, of: &str, cause: &'static str, unit: &'static str, value: f64) -> SummaryRow {
    let stat = if metric == "latency" { "p99" } else { "count" };
    SummaryRow { metric, of: of.to_owned(), cause, stat, value, unit }
}

/// The comparison of one row with these values, the seeds counted from 1.
fn of(row: &SummaryRow, before: &[f64], after: &[f64]) -> Paired {
    let told = |variant: &'static str, values: &[f64]| -> Vec<Told<'static>> {
        let one = |(n, value): (usize, &f64)| Told {
            variant,
            seed: n as u64 + 1,
            rows: vec![SummaryRow { value: *value, ..row.clone() }],
            values: BTreeMap::from([(key(row), *value)]),
        };
        values.iter().enumerate().map(one).collect()
    };
    let (before, after) = (told("plain", before), told("jitter", after));
    let (before, after): (Vec<&Told>, Vec<&Told>) = (before.iter().collect(), after.iter().collect());
    let mut all = vec![compare(row, &before, &after)];
    correct(&mut all, headline(row).is_some());
    all[0].shift = shift(&all[0]);
    all.remove(0)
}

fn latency() -> SummaryRow {
    row("latency", "request.sign-in", "", "ms", 0.0)
}

#[test]
fn the_verdict_follows_the_metrics_direction() {
    let (low, high) = ([10.0, 20.0, 30.0, 40.0], [15.0, 25.1, 34.8, 45.0]);
    for (metric, of_what, cause, unit, shift) in [
        ("latency", "request.sign-in", "", "ms", Shift::Worse),
        ("recycle_spikes", "service.api", "", "count", Shift::Worse),
        ("user_success", "request.sign-in", "", "share", Shift::Better),
        ("request_success", "request.sign-in", "", "share", Shift::Better),
        ("throughput", "service.api", "", "per_s", Shift::Better),
        ("containers", "service.api", "", "count", Shift::Higher),
        ("requests", "request.sign-in", "ok", "count", Shift::Better),
        ("requests", "request.sign-in", "500", "count", Shift::Worse),
        ("requests", "request.sign-in", "", "count", Shift::Higher),
        ("herd_onset", "postgres.primary", "lifetime", "s", Shift::Better),
        ("backend_starts", "postgres.primary", "", "count", Shift::Higher),
    ] {
        let row = row(metric, of_what, cause, unit, 0.0);
        assert_eq!(of(&row, &low, &high).shift, shift, "{metric}");
        let back = match shift {
            Shift::Worse => Shift::Better,
            Shift::Better => Shift::Worse,
            _ => Shift::Lower,
        };
        assert_eq!(of(&row, &high, &low).shift, back, "{metric}, the other way round");
    }
}

#[test]
fn pairs_narrow_the_interval_by_what_they_share() {
    let paired = of(&latency(), &[10.0, 20.0, 30.0, 40.0], &[15.0, 25.1, 34.8, 45.0]);
    assert!((paired.difference.mean - 4.975).abs() < 1e-9 && paired.pairs == 4);
    assert!(paired.gain.unwrap() > 50.0 && paired.correlation.unwrap() > 0.99, "{paired:?}");
    let against = of(&latency(), &[10.0, 20.0, 30.0, 40.0], &[45.0, 34.8, 25.1, 15.0]);
    assert!(against.gain.unwrap() < 1.0 && against.correlation.unwrap() < -0.99, "{against:?}");
    assert_eq!(against.shift, Shift::NoChange);
}

#[test]
fn the_ratio_is_of_the_pairs_where_all_are_above_zero() {
    let paired = of(&latency(), &[10.0, 20.0, 40.0], &[5.0, 10.0, 20.0]);
    assert!((paired.ratio.value - 0.5).abs() < 1e-12);
    let (low, high) = paired.ratio.interval.unwrap();
    assert!((0.48..0.5).contains(&low) && high > 0.5 && high < 0.52, "as sure as its buckets: {low} {high}");
    let spikes = row("recycle_spikes", "service.api", "", "count", 0.0);
    let gone = of(&spikes, &[2.0, 2.0, 2.0], &[0.0, 0.0, 0.0]);
    assert_eq!(gone.ratio, Ratio { value: 0.0, interval: None });
    let new = of(&spikes, &[0.0, 0.0], &[2.0, 2.0]);
    assert!(new.ratio.value.is_nan() && new.ratio.interval.is_none(), "nothing is no measure");
}

#[test]
fn nothing_measured_or_one_pair_cannot_tell() {
    let nan = f64::NAN;
    for (before, after, pairs, missing) in [
        (&[10.0][..], &[20.0][..], 1, 0),
        (&[], &[], 0, 0),
        (&[nan, nan], &[nan, nan], 0, 2),
        (&[10.0, 20.0, 30.0, nan], &[11.0, 21.0, 31.0, 41.0], 3, 1),
    ] {
        let paired = of(&latency(), before, after);
        assert_eq!((paired.pairs, paired.missing), (pairs, missing));
        assert_eq!((paired.shift, paired.p_holm), (Shift::CannotTell, None), "{before:?}");
    }
    let uneven = of(&latency(), &[1.0, 2.0, 3.0], &[1.0, 2.0]);
    assert_eq!((uneven.pairs, uneven.unpaired), (2, 1));
}

#[test]
fn what_never_varies_is_no_change_or_as_sure_as_its_steps() {
    let spikes = row("recycle_spikes", "service.api", "", "count", 0.0);
    let same = of(&spikes, &[2.0; 5], &[2.0; 5]);
    assert_eq!((same.shift, same.p, same.p_holm, same.gain), (Shift::NoChange, Some(1.0), None, None));
    let half = |pairs: usize| {
        of(&spikes, &vec![2.0; pairs], &vec![2.0; pairs]).difference.half().expect("counts have steps")
    };
    assert!(half(2) > half(10) && half(10) > half(200) && half(200) > 0.05, "ten are no surer than 200");
    let (low, high) = same.ratio.interval.expect("as sure as its steps");
    assert!(low < 1.0 && high > 1.0, "{same:?}");
    let (low, high) = of(&latency(), &[9.0; 5], &[9.0; 5]).difference.interval.expect("buckets");
    assert!(low < 0.0 && high > 0.0, "{low} {high}");
    assert_eq!(of(&spikes, &[2.0; 2], &[0.0; 2]).shift, Shift::NoChange, "two runs are too few");
    assert_eq!(of(&spikes, &[2.0; 3], &[0.0; 3]).shift, Shift::Better);
}

/// Two of six connections opened in one second, or four, with every seed: no certainty.
#[test]
fn a_herd_as_a_share_is_as_sure_as_one_connection_more_or_less() {
    let herd = SummaryRow { stat: "max", ..row("herd_size", "postgres.primary", "lifetime", "share", 0.0) };
    let connects = SummaryRow { metric: "connects_max_1s", unit: "count", ..herd.clone() };
    let told = |variant: &'static str, counts: &[f64]| -> Vec<Told<'static>> {
        let one = |(n, count): (usize, &f64)| Told {
            variant,
            seed: n as u64,
            rows: vec![],
            values: BTreeMap::from([(key(&herd), count / 6.0), (key(&connects), *count)]),
        };
        counts.iter().enumerate().map(one).collect()
    };
    let paired = |before: &[f64], after: &[f64]| {
        let (before, after) = (told("plain", before), told("jitter", after));
        let mut row = compare(&herd, &before.iter().collect::<Vec<_>>(), &after.iter().collect::<Vec<_>>());
        row.p_holm = row.p;
        (shift(&row), row)
    };
    let (verdict, two) = paired(&[4.0, 4.0], &[2.0, 2.0]);
    let (low, high) = two.difference.interval.unwrap();
    assert!(low < -0.9 && high > 0.0 && verdict == Shift::NoChange && two.gain.is_none(), "{two:?}");
    let (low, high) = two.ratio.interval.unwrap();
    assert!(low < 0.25 && high > 1.0, "the ratio is no surer: {low} {high}");
    let (verdict, five) = paired(&[4.0; 5], &[2.0; 5]);
    assert!(verdict == Shift::Better && five.p.unwrap() > 1e-4, "{five:?}");
    let (verdict, same) = paired(&[4.0; 2], &[4.0; 2]);
    assert!(verdict == Shift::NoChange && same.same(), "{same:?}");
}

#[test]
fn pairs_that_differ_by_the_same_cannot_tell_where_no_step_is_known() {
    let success = row("user_success", "request.sign-in", "", "share", 0.0);
    // 0.7 − 0.1 and 0.9 − 0.3 differ in their last digits.
    let moved = of(&success, &[0.1, 0.3, 0.2], &[0.7, 0.9, 0.8]);
    assert_eq!((moved.shift, moved.p, moved.p_holm, moved.gain), (Shift::CannotTell, None, None, None));
    assert!(moved.difference.interval.is_none() && !moved.same(), "{moved:?}");
    let rounded = of(&success, &[0.1 + 0.2, 0.5], &[0.3, 0.5]);
    assert!(rounded.shift == Shift::NoChange && rounded.same(), "{rounded:?}");
    assert_eq!((rounded.difference.interval, rounded.ratio.interval), (None, None), "nothing tells how sure");
}

/// Times that are told by bins of ten seconds are no surer than that; the mean of a gauge is finer.
#[test]
fn each_metric_has_the_steps_in_which_it_is_measured() {
    let recovery = of(&row("recovery", "service.api", "", "s", 0.0), &[90.0; 4], &[30.0; 4]);
    assert_eq!(recovery.shift, Shift::Better, "a minute, with each of four seeds: {recovery:?}");
    let once = of(&row("recovery", "service.api", "", "s", 0.0), &[40.0; 3], &[30.0; 3]);
    assert_eq!(once.shift, Shift::NoChange, "one bin: {once:?}");
    let waiters = SummaryRow { stat: "mean", ..row("lock_waiters", "postgres.primary", "", "count", 0.0) };
    let fewer = of(&waiters, &[0.31, 0.30, 0.32, 0.30], &[0.11, 0.10, 0.10, 0.12]);
    assert_eq!(fewer.shift, Shift::Better, "{fewer:?}");
}

#[test]
fn each_family_is_corrected_for_itself() {
    let headline = latency();
    let other = SummaryRow { stat: "p50", ..latency() };
    let (before, after) = ([10.0, 20.0, 30.0, 40.0], [11.0, 22.0, 30.5, 42.0]);
    let one = of(&headline, &before, &after);
    let mut all =
        vec![one.clone(), one.clone(), of(&other, &before, &after), of(&headline, &[1.0; 4], &[1.0; 4])];
    correct(&mut all, true);
    correct(&mut all, false);
    let raised: Vec<Option<f64>> = all.iter().map(|row| row.p_holm).collect();
    let p = one.p.unwrap();
    assert_eq!(raised, [Some(2.0 * p), Some(2.0 * p), Some(p), None], "what is the same is not tested");
}

#[test]
fn runs_are_paired_by_their_seeds_and_headlines_come_first() {
    use crate::measure::{ClassMeasured, Measured, UserCounts, latency};
    let run = |variant: &str, seed: u64, label: Label| {
        let mut histogram = latency::histogram();
        histogram.record_n(1000 * seed, 100).unwrap();
        histogram.record_n(50_000 + 10_000 * seed + if variant == "slow" { 9_000 } else { 0 }, 5).unwrap();
        let class = ClassMeasured {
            class: "sign-in".into(),
            label,
            service: "api".into(),
            arrived: 105,
            ended: [0; crate::measure::OUTCOMES],
            in_flight: 0,
            users: UserCounts { arrived: 105, succeeded: 105, failed: 0 },
            latency_us: vec![Some(histogram)],
            bins: vec![],
            served: vec![],
        };
        let measured = Measured { classes: vec![class], ..crate::measure::Measured::default() };
        Run { variant: variant.into(), seed, measured }
    };
    let of = |label| {
        let runs = |variant: &'static str, seeds: [u64; 4]| seeds.map(|seed| run(variant, seed, label));
        paired(&[runs("plain", [1, 2, 3, 4]), runs("slow", [9, 4, 3, 2])].concat(), None)
    };
    let all = of(Label::Legitimate);
    assert!(all[0].headline && !all[all.len() - 1].headline);
    let p99 = all.iter().find(|row| row.headline && row.row.metric == "latency").unwrap();
    assert_eq!((p99.pairs, p99.unpaired, p99.shift), (3, 2, Shift::Worse));
    assert!((p99.difference.mean - 9.0).abs() < 0.5, "{p99:?}");
    assert!(of(Label::Abusive).iter().all(|row| !row.headline), "an attack's own latency is nobody's");
    assert!(paired(&[], None).is_empty());
}

/// What the correction for many comparisons takes back is no proof that nothing changed.
#[test]
fn what_would_be_found_alone_is_not_called_unchanged() {
    let mut row = of(&latency(), &[10.0, 20.0, 30.0, 40.0], &[15.0, 25.1, 34.8, 45.0]);
    let words = [(0.03, 0.03), (0.03, 0.2), (0.2, 0.2)].map(|(p, corrected)| {
        (row.p, row.p_holm) = (Some(p), Some(corrected));
        shift(&row)
    });
    assert_eq!(words, [Shift::Worse, Shift::CannotTell, Shift::NoChange]);
}
