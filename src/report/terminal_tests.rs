//! Tables as an engineer reads them.

use super::*;
use crate::experiment::Verdict;
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
        ..Judged::default()
    };
    let with_control = |one: Judged, control: &str, control_values| Judged {
        control: Some(control.into()),
        control_values,
        ..one
    };
    let cures = one("jitter-cures", vec![0.01, 0.012], Verdict::Pass, "");
    let old = one("old-cures", vec![0.5, f64::NAN], Verdict::Fail, "seed 2 started nothing");
    vec![
        with_control(cures, "as-it-happened", vec![0.9, f64::NAN]),
        with_control(old, "pinned", vec![]),
        one("who-knows", vec![], Verdict::Inconclusive, "no seeds"),
    ]
}

#[test]
fn a_run_reads_well() {
    let run =
        super::run(&synthetic::header(), &synthetic::run("as-it-happened", 1, true), &judged(), Paint::Plain);
    insta::assert_snapshot!(run, @r#"
    September 2025: bus bunching
    variant as-it-happened · seed 1 · 6h simulated

    EXPECTATIONS
      ✓ jitter-cures (jitter)
          herd_size{lifetime} of postgres.primary after 1h ≤ 5%: measured 1.0–1.2%;
            mean 1.1% [0%, 2.4%]; control as-it-happened: 90%, and nothing with 1 of 2 seeds
      ✗ old-cures (jitter)
          herd_size{lifetime} of postgres.primary after 1h ≤ 5%: measured 50%, and nothing with 1 of 2 seeds;
            control pinned: not run
          seed 2 started nothing
      ? who-knows (jitter)
          herd_size{lifetime} of postgres.primary after 1h ≤ 5%: measured nothing
          no seeds

    REQUESTS
      class      requests     p50     p95     p99    max  errors  user success
      sign-in  86,430,720  2.9 ms  3.0 ms  3.1 ms  1.5 s   0.05%        99.99%
       latency of the requests that were answered ok
       sign-in: client-timeout 16,704, pool-timeout 25,373

    CONNECTIONS STARTED
      postgres primary
      cause     starts  most in 1 s  of those open             when
      lifetime   9,585          361            90%  14 Sep 10:22:10
      growth       660           60            15%  14 Sep 08:30:00
      all       10,245          385            96%  14 Sep 10:22:10
       3 refused

    LATENCY SPIKES
      19, 15m apart (median); for 2m50s fewer than 99% of requests were answered well
      14 Sep 06:52:00  frontend-api for 20s, p99 up to 1.7 s, beside lifetime, growth
      14 Sep 07:07:00  frontend-api for 20s, p99 up to 1.7 s, beside lifetime, growth
      14 Sep 07:22:00  frontend-api for 20s, p99 up to 1.7 s, beside lifetime, growth
      14 Sep 07:37:00  frontend-api for 20s, p99 up to 1.7 s, beside lifetime, growth
      14 Sep 07:52:00  frontend-api for 20s, p99 up to 1.7 s, beside lifetime, growth
      … and 14 more in events.csv

    DATABASE
      postgres  connections  cores busy  wait for locks  for the disk  replica lag
      primary             –          0%               –             –            –
       the mean, and the most at once

    EVENTS
      14 Sep 06:00:00  upgrade
      14 Sep 08:30:00 until 14 Sep 08:57:00  slow-disk; frontend-api back after 1m20s
      14 Sep 09:00:00  traffic-shaping
      14 Sep 10:30:00  friday-deploy
    "#);
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
    insta::assert_snapshot!(text, @r#"
    September 2025: bus bunching
    2 seeds, ranges from the least to the greatest · 6h simulated

    VARIANTS
      variant         spikes  worst p99     p99  users ok  lifetime herd  growth herd    onset
      as-it-happened    7–19  1.5–2.1 s  3.1 ms    99.99%      361 (90%)     60 (15%)  1h22m6s
      jitter               0     111 ms  3.0 ms    99.99%      1 (0.25%)     60 (15%)    never

    spikes and worst p99 (of any 10 s): frontend-api
    p99: of all legitimate requests, however they ended
    onset: the first second that recycles half of the connections beside a latency spike
    "#);
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    insta::assert_snapshot!(compare_markdown(&synthetic::header(), &runs, &judged()), @r#"
    **September 2025: bus bunching** — 2 seeds, ranges from the least to the greatest · 6h simulated

    - ✓ **jitter-cures** (jitter): herd_size{lifetime} of postgres.primary after 1h ≤ 5% — measured 1.0–1.2%; mean 1.1% [0%, 2.4%]; control as-it-happened: 90%, and nothing with 1 of 2 seeds
    - ✗ **old-cures** (jitter): herd_size{lifetime} of postgres.primary after 1h ≤ 5% — measured 50%, and nothing with 1 of 2 seeds; control pinned: not run; seed 2 started nothing
    - ? **who-knows** (jitter): herd_size{lifetime} of postgres.primary after 1h ≤ 5% — measured nothing; no seeds

    | variant | spikes | worst p99 | p99 | users ok | lifetime herd | growth herd | onset |
    | --- | --: | --: | --: | --: | --: | --: | --: |
    | as-it-happened | 7–19 | 1.5–2.1 s | 3.1 ms | 99.99% | 361 (90%) | 60 (15%) | 1h22m6s |
    | jitter | 0 | 111 ms | 3.0 ms | 99.99% | 1 (0.25%) | 60 (15%) | never |
    "#);
}

#[test]
fn the_widest_ranges_fit_a_hundred_columns() {
    let mut runs = vec![synthetic::run("v", 1, true), synthetic::run("v", 2, false)];
    runs.iter_mut().for_each(|run| run.variant = "a-name-that-goes-on-and-on-and-on".into());
    let text = compare(&synthetic::header(), &runs, &[], Paint::Plain);
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    assert!(text.contains("a-na") && text.contains("1–361 (0.25–90%)") && text.contains("1h22m6s–never"));
    runs.iter_mut().for_each(|run| run.variant = "as-written".into());
    assert!(compare(&synthetic::header(), &runs, &[], Paint::Plain).contains("\n  as-written "));
}

/// Of several directories the variants end alike, and begin alike.
#[test]
fn two_names_are_never_cut_to_the_same() {
    let names = ["before/no-jitter", "before/jitter", "before-that-and-long-ago/no-jitter"];
    let runs: Vec<Run> = names
        .into_iter()
        .flat_map(|name| [true, false].map(|herd| (name, herd)))
        .enumerate()
        .map(|(seed, (name, herd))| Run { variant: name.into(), ..synthetic::run("v", seed as u64, herd) })
        .collect();
    let text = compare(&synthetic::header(), &runs, &[], Paint::Plain);
    let table = text.lines().skip_while(|line| !line.starts_with("  variant ")).skip(1).take(3);
    let shown: BTreeSet<&str> = table.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(shown.len(), 3, "{text}");
}

/// Few of few connections are a greater share than the most of many, and an expectation sees that.
#[test]
fn a_greater_herd_than_the_busiest_second_is_said() {
    let mut runs = [synthetic::run("jitter", 1, false), synthetic::run("jitter", 2, false)];
    let silent = compare(&synthetic::header(), &runs, &[], Paint::Plain);
    assert!(!silent.contains("herd_size"), "{silent}");
    let bin = &mut runs[1].measured.nodes[0].bins[7];
    let cause = Cause::Lifetime as usize;
    (bin.connects_max_1s[cause], bin.herd_size[cause]) = (0, 0.2);
    let text = compare(&synthetic::header(), &runs, &[], Paint::Plain);
    let note = "herd_size, the greatest share of any second, is more: jitter 20% (lifetime)";
    assert!(text.contains("1 (0.25%)") && text.contains(note), "{text}");
    assert!(compare_markdown(&synthetic::header(), &runs, &[]).contains(note));
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
