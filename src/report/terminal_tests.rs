use super::*;
use crate::report::synthetic;

fn judged() -> Vec<Judged> {
    let one = |name: &str, values: Vec<f64>, verdict, because: &str| Judged {
        name: name.into(),
        variant: "jitter".into(),
        claim: "herd_size{lifetime} of postgres.primary after 1h ≤ 5%".into(),
        unit: "share",
        values,
        verdict,
        because: because.into(),
    };
    vec![
        one("jitter-cures", vec![0.01, 0.012], Verdict::Pass, ""),
        one("old-cures", vec![0.5, f64::NAN], Verdict::Fail, "seed 2 started nothing"),
        one("who-knows", vec![], Verdict::Inconclusive, "no seeds"),
    ]
}

#[test]
fn a_run_reads_well() {
    let run =
        super::run(&synthetic::header(), &synthetic::run("as-it-happened", 1, true), &judged(), Paint::Plain);
    insta::assert_snapshot!(run, @"");
}

#[test]
fn variants_stand_side_by_side_with_ranges_over_seeds() {
    let mut runs = vec![
        synthetic::run("as-it-happened", 1, true),
        synthetic::run("as-it-happened", 2, true),
        synthetic::run("jitter", 1, false),
        synthetic::run("jitter", 2, false),
    ];
    runs[1].measured.services[0].bins[700].latency.as_mut().unwrap().p99_us = 2_100_000;
    runs[1].measured.spikes.truncate(7);
    let text = compare(&synthetic::header(), &runs, &[], Paint::Plain);
    insta::assert_snapshot!(text, @"");
    assert!(text.lines().all(|line| line.chars().count() <= 110));
    insta::assert_snapshot!(compare_markdown(&synthetic::header(), &runs, &judged()), @"");
}

#[test]
fn colour_is_a_choice_and_names_cannot_steer_the_terminal() {
    let mut runs = [synthetic::nothing()];
    runs[0].variant = "\x1b[2J|evil".into();
    let text = compare(&synthetic::header(), &runs, &judged(), Paint::Plain);
    assert!(!text.contains('\x1b'));
    assert!(compare(&synthetic::header(), &runs, &judged(), Paint::Colour).contains("\x1b[31m✗\x1b[0m"));
    assert!(compare_markdown(&synthetic::header(), &runs, &[]).contains("\\|evil"));
    assert!(super::run(&synthetic::header(), &runs[0], &[], Paint::Plain).contains("none"));
}

#[test]
fn ranges_share_their_unit() {
    for (values, expected) in [
        (vec![1.7e6, 1.8e6], "1.7–1.8 s"),
        (vec![0.9e6, 1.8e6], "900 ms–1.8 s"),
        (vec![1.8e6], "1.8 s"),
        (vec![f64::NAN], "–"),
    ] {
        assert_eq!(range(&values, &human::latency), expected);
    }
    assert_eq!(range(&[4320.0, 5400.0], &human::offset), "1h12m–1h30m");
    assert_eq!(range(&[900.0, 1800.0], &human::offset), "15–30m");
}
