//! How made-up comparisons read.

use super::*;
use crate::experiment::Run;
use crate::experiment::paired::paired;
use crate::report::synthetic;

fn some() -> Vec<Paired> {
    let run = |variant: &str, seed, herd| synthetic::run(variant, seed, herd);
    let mut runs: Vec<Run> = (1..=3).map(|seed| run("as-it-happened", seed, true)).collect();
    runs.extend((2..=4).map(|seed| run("jitter", seed, false)));
    runs.extend((1..=3).map(|seed| run("re|deploy", seed, true)));
    paired(&runs, None)
}

#[test]
fn differences_read_well() {
    let all = some();
    insta::assert_snapshot!(text(&all, Paint::Plain), @r#"
    DIFFERENCES, against as-it-happened
      metric                          baseline  variant           difference [95 %]                ratio [95 %]  verdict  pairing
      jitter
        recycle_spikes, frontend-api        19        0          −19 [−22.7, −15.3]                           0   better        –
        worst_p99, frontend-api          1.5 s   112 ms      −1.38 s [−1.42, −1.34]        0.075 [0.068, 0.083]   better     ×1.0
        latency p99, sign-in            3.1 ms   3.0 ms         −112 µs [−201, −23]           0.96 [0.94, 0.99]   better        –
        user_success, sign-in          99.995%  99.999%  +0.004 pp [+0.004, +0.004]  1.00004 [1.00004, 1.00004]   better     ×0.6
        herd_size{lifetime}, primary       90%    0.25%       −90 pp [−90.9, −89.1]        0.003 [0.000, 0.037]   better        –
       jitter, the same with every seed: recovery, frontend-api after event.slow-disk
       re|deploy, the same with every seed: recycle_spikes, frontend-api; worst_p99, frontend-api;
         latency p99, sign-in; user_success, sign-in; herd_size{lifetime}, primary;
         recovery, frontend-api after event.slow-disk
       means over 2–3 pairs of equal seeds; a percentile is each run's own
       verdicts: at most 5 % false alarms over the 5 tested together (Holm); no change: none found
       pairing: how many times wider the interval would be without it
       jitter, pairs vary against each other (negative correlation): user_success, sign-in
       left out: 2 runs of a variant or its baseline whose seed the other lacks
    "#);
    let markdown = markdown(&all);
    for line in [
        "Differences, against **as-it-happened**:",
        "| variant | metric | baseline | variant | difference [95 %] | ratio [95 %] | verdict | pairing |",
        "| jitter | recycle_spikes, frontend-api | 19 | 0 | −19 [−22.7, −15.3] | 0 | better | – |",
        "- means over 2–3 pairs of equal seeds; a percentile is each run's own",
    ] {
        assert!(markdown.lines().any(|other| other == line), "{line} in\n{markdown}");
    }
    assert!(
        markdown.contains("| re\\|deploy | recycle_spikes, frontend-api | 19 | 19 | 0 [−1.01, +1.01] |"),
        "{markdown}"
    );
    assert!(markdown.contains("| 0, the same in all 3 pairs | 1.00 | no change |"), "{markdown}");
    let one = paired(&[synthetic::run("a", 1, true), synthetic::run("b", 1, false)], None);
    assert!(!one.is_empty() && text(&one, Paint::Plain).is_empty() && super::markdown(&one).is_empty());
    assert_eq!(text(&[], Paint::Plain) + &super::markdown(&[]), "");
}

#[test]
fn metrics_without_a_pair_are_named() {
    let mut all = some();
    let row = all.iter_mut().find(|row| row.variant == "jitter" && row.row.metric == "worst_p99").unwrap();
    (row.pairs, row.missing) = (0, 2);
    let wanted = "jitter, no pair with a value in both: worst_p99, frontend-api";
    assert!(text(&all, Paint::Plain).contains(wanted), "{}", text(&all, Paint::Plain));
    assert!(markdown(&all).contains(wanted));
}

#[test]
fn numbers_share_a_unit_and_a_sign_is_a_sign() {
    let mean = |values: &[f64], unit| difference(&Mean::of(values), unit);
    assert_eq!(mean(&[-1530.0, -1530.0], "ms"), "−1.53 s [−1.53, −1.53]");
    assert_eq!(mean(&[0.25, 0.25], "ms"), "+250 µs [+250, +250]");
    assert_eq!(mean(&[-0.884, -0.884], "share"), "−88.4 pp [−88.4, −88.4]");
    assert_eq!(mean(&[0.0, 0.0], "count"), "0 [0, 0]");
    assert_eq!(mean(&[-2.1e-7, -2.1e-7], "share"), "−0.00002 pp [−0.00002, −0.00002]");
    let narrow = [-1.0e-5, -1.3e-5, -1.0e-5, -1.3e-5];
    assert_eq!(mean(&narrow, "share"), "−0.001 pp [−0.001, −0.001]", "zero lies outside");
    assert_eq!(mean(&[1.0, 0.8542], "count"), "+0.927 [+0.001, +1.853]", "one end nearly is");
    assert_eq!(mean(&[1.0], "count"), "–", "one pair has no interval");
    let of = |value, interval| ratio(Ratio { value, interval });
    assert_eq!(of(0.341, Some((0.306, 0.3707))), "0.34 [0.31, 0.37]");
    assert_eq!(of(0.9996, Some((0.9993, 0.9998))), "0.9996 [0.9993, 0.9998]", "1 lies outside");
    assert_eq!(of(0.9996, Some((0.9993, 1.0002))), "1.00 [1.00, 1.00]", "1 lies within");
    assert_eq!(
        (of(0.0123, None), of(12.34, None), of(f64::NAN, None)),
        ("0.012".into(), "12.3".into(), "–".into())
    );
    assert_eq!((times(3.12), times(1e9)), ("×3.1".to_owned(), "×>99".to_owned()));
}

#[test]
fn differences_are_data() {
    let all = some();
    let csv = csv(&synthetic::header(), &all);
    let mut lines = csv.lines();
    assert_eq!(lines.next().unwrap(), COLUMNS.join(","));
    assert_eq!(lines.count(), all.len());
    let row = csv.lines().find(|line| line.contains("jitter") && line.contains("worst_p99"));
    insta::assert_snapshot!(row.unwrap(), @r#"september,jitter,as-it-happened,worst_p99,service.frontend-api,,max,ms,headline,2,0,2,1490.943,112.063,-1378.88,-1421.6044318853078,-1336.1555681146924,-1378.88,,,0.07516009529379558,0.06789930408240975,0.08319731698157264,0.0015524343276775924,0.004657302983032777,better,0.9999999999999245,"#);
    let data = json(&all);
    assert_eq!((&data["schema_version"], &data["baseline"]), (&1.into(), &"as-it-happened".into()));
    let row = &data["paired"][0];
    assert_eq!((&row["family"], &row["pairs"], &row["unpaired"]), (&"headline".into(), &2.into(), &2.into()));
    assert_eq!(row["diff"]["ci95"].as_array().map(Vec::len), Some(2));
}
