//! Verdicts on made-up runs: controls, bounds relative to another variant, and what never happened.

use super::*;
use crate::engine::time::Time;
use crate::measure::recorder::Meter;
use crate::measure::{Stretch, StretchKind};
use crate::scenario::grammar::Outcome;

/// A fleet that scales, three variants that nothing tells apart, and one expectation.
fn document(expect: &str) -> Document {
    let base = include_str!("../../tests/scenario/base.toml").replace("10 }", "10 }\nscaler = \"kpa\"");
    let variants = "[variant.sound]\n[variant.sick]\n[variant.third]\n";
    let text = format!("{base}{variants}[expect.e]\nvariant = \"sound\"\n{expect}\n");
    Document::from_text("test.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}")).0
}

/// A run in which so many sign-ins succeed and so many fail.
fn run(variant: &str, seed: u64, (ok, failed): (u32, u32)) -> Run {
    let document = document("metric = \"spikes\"\nof = \"service.api\"\nmax = 1");
    let mut measured = Meter::new(document.scenario(variant).expect("a variant"), seed).finish(&[], 0);
    let ended = &mut measured.classes[0].bins[0].ended;
    (ended[Outcome::Ok as usize], ended[Outcome::ServerError as usize]) = (ok, failed);
    Run { variant: variant.to_owned(), seed, measured }
}

/// Runs of a variant with seeds from 1 on: how many of a hundred sign-ins succeed with each.
fn runs(variant: &str, percents: &[u32]) -> Vec<Run> {
    let seeds = 1..=percents.len() as u64;
    seeds.zip(percents).map(|(seed, percent)| run(variant, seed, (*percent, 100 - percent))).collect()
}

fn judged(expect: &str, runs: &[Vec<Run>]) -> Judged {
    judge_sample(&document(expect), &runs.concat()).remove(0)
}

const CONTROLLED: &str =
    "metric = \"request_success\"\nof = \"request.sign-in\"\nmin = \"90%\"\ncontrol = \"sick\"";

/// The verdict on `sound` with `sick` as its control, and why.
fn controlled(sound: &[u32], sick: &[u32]) -> (Verdict, String) {
    let judged = judged(CONTROLLED, &[runs("sound", sound), runs("sick", sick)]);
    (judged.verdict, judged.because)
}

#[test]
fn a_control_must_be_out_of_bounds_with_every_seed() {
    let says = |verdict, because: &str| (verdict, because.to_owned());
    assert_eq!(controlled(&[99, 98], &[10, 89]), says(Verdict::Pass, ""));
    assert_eq!(
        controlled(&[99, 98], &[10, 95]),
        says(Verdict::Fail, "the control `sick` keeps within it as well (1 of 2 seeds)")
    );
    assert_eq!(controlled(&[99, 89], &[10, 10]), says(Verdict::Inconclusive, "held with 1 of 2 seeds"));
    assert_eq!(
        controlled(&[99, 89], &[90, 10]),
        says(
            Verdict::Fail,
            "held with 1 of 2 seeds; the control `sick` keeps within it as well (1 of 2 seeds)"
        )
    );
    assert_eq!(controlled(&[10, 10], &[11, 11]), says(Verdict::Fail, ""));
    assert_eq!(
        controlled(&[10, 10], &[95, 96]),
        says(Verdict::Fail, "the control `sick` keeps within it (2 of 2 seeds)")
    );
}

#[test]
fn a_control_that_shows_nothing_proves_nothing_and_one_that_was_not_run_is_left_aside() {
    let sound = || runs("sound", &[99, 98]);
    let nothing = vec![run("sick", 1, (0, 0)), run("sick", 2, (1, 9))];
    let silent = judged(CONTROLLED, &[sound(), nothing]);
    let because = "the control `sick` showed nothing (no request ended) with 1 of 2 seeds";
    assert_eq!((silent.verdict, silent.because.as_str()), (Verdict::Inconclusive, because));
    assert!(silent.control_values[0].is_nan() && silent.control_values[1] == 0.1);
    let alone = judged(CONTROLLED, &[sound()]);
    assert_eq!((alone.verdict, alone.control_values.len()), (Verdict::Pass, 0));
    assert_eq!(alone.control.as_deref(), Some("sick"));
    let because = "the control `sick` was run with 1 of 2 seeds only";
    assert_eq!(controlled(&[99, 98], &[10]), (Verdict::Inconclusive, because.to_owned()));
    let nobody = judged(CONTROLLED, &[runs("sick", &[95])]);
    assert_eq!((nobody.verdict, nobody.because.as_str()), (Verdict::Inconclusive, "its variant was not run"));
}

#[test]
fn bounds_relative_to_another_variant_are_paired_by_seed() {
    let within_ten_points = "metric = \"request_success\"\nof = \"request.sign-in\"
min = { plus = \"-10%\", of = \"variant.third\" }\nmax = { plus = \"10%\", of = \"variant.third\" }";
    let verdict = |sound: &[u32], third: &[u32]| {
        let judged = judged(within_ten_points, &[runs("third", third), runs("sound", sound)]);
        (judged.verdict, judged.because)
    };
    // 20% and 80%: ten points of the other variant with the same seed, sixty of it with the other seed.
    assert_eq!(verdict(&[20, 80], &[29, 71]), (Verdict::Pass, String::new()));
    assert_eq!(verdict(&[20, 80], &[31, 91]), (Verdict::Fail, String::new()));
    assert_eq!(verdict(&[20, 80], &[9, 69]), (Verdict::Fail, String::new()));
    let because = "nothing to hold it against with 1 of 2 seeds".to_owned();
    assert_eq!(verdict(&[20, 80], &[20]), (Verdict::Inconclusive, because));
    let claim = judged(within_ten_points, &[]).claim;
    assert!(claim.ends_with(" ≥ variant.third − 10% ≤ variant.third + 10%"), "{claim}");

    let halved = "metric = \"request_success\"\nof = \"request.sign-in\"
max = { times = 0.5, of = \"variant.third\" }\ncontrol = \"sick\"";
    let verdict = |sick: u32| {
        let all = [runs("third", &[80]), runs("sound", &[39]), runs("sick", &[sick])];
        judged(halved, &all).verdict
    };
    assert_eq!((verdict(41), verdict(39)), (Verdict::Pass, Verdict::Fail), "40% is the bound of both");
    let all = [runs("third", &[80]), runs("sound", &[39, 39])];
    let against = judged(halved, &all).max.and_then(|max| max.against).expect("a relative bound");
    assert_eq!((against.variant.as_str(), against.values[0], against.limits[0]), ("third", 0.8, 0.4));
    assert!(against.values[1].is_nan() && against.limits[1].is_nan(), "not run with the second seed");
    let claim = judged(halved, &[]).claim;
    assert!(claim.ends_with(" ≤ 0.5 × variant.third"), "{claim}");
}

#[test]
fn what_did_not_happen_never_passes() {
    let capped = |seed, second| {
        let mut run = run("sound", seed, (1, 0));
        let from = Time::ZERO + Span::from_secs(second);
        run.measured.stretches.push(Stretch { kind: StretchKind::Cap, of: "api".to_owned(), from, to: None });
        run
    };
    let at_cap = "metric = \"at_cap\"\nof = \"service.api\"\nafter = \"1m\"\nmax = \"30s\"";
    let both = judged(at_cap, &[vec![capped(1, 80), capped(2, 90)]]);
    assert_eq!((both.verdict, both.values), (Verdict::Pass, vec![20.0, 30.0]));
    let one = judged(at_cap, &[vec![capped(1, 80), run("sound", 2, (1, 0))]]);
    assert_eq!(
        (one.verdict, one.because.as_str()),
        (Verdict::Inconclusive, "did not happen with 1 of 2 seeds")
    );
    for (metric, of, bound, because) in [
        (
            "recovery",
            "service.api",
            "after = \"1m\"\nmax = \"30s\"",
            "no baseline: nothing ended before the trouble",
        ),
        ("herd_onset", "postgres.primary", "min = \"1m\"", "did not happen"),
        ("request_success", "request.sign-in", "min = \"1%\"", "no request ended"),
    ] {
        let expect = format!("metric = \"{metric}\"\nof = \"{of}\"\n{bound}");
        let judged = judged(&expect, &[vec![run("sound", 1, (0, 0))]]);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        assert_eq!(judged.because, format!("{because} with 1 of 1 seeds"));
    }
    let never = judged(
        &format!("{at_cap}\ncontrol = \"sick\""),
        &[vec![capped(1, 80)], vec![run("sick", 1, (1, 0))]],
    );
    assert_eq!(never.verdict, Verdict::Pass, "a control in which it never happens");
    assert!(never.control_values[0].is_nan());
}

/// A run of an hour in which users are slow from a minute until another.
fn slow(seed: u64, from: usize, until: usize) -> Run {
    let mut run = run("sound", seed, (1, 0));
    let bins = &mut run.measured.services[0].bins;
    for (place, bin) in bins.iter_mut().enumerate() {
        bin.users_p99_us = Some(if (from * 6..until * 6).contains(&place) { 900_000 } else { 5_000 });
    }
    run
}

/// What is metastable has failed, unless the run ends too soon to tell.
#[test]
fn who_does_not_recover_by_the_end_fails() {
    let verdict = |bound: &str, until: usize| {
        let expect = format!("metric = \"recovery\"\nof = \"service.api\"\nafter = \"40m\"\n{bound}");
        let judged = judged(&expect, &[vec![slow(1, 40, until), slow(2, 40, until)]]);
        (judged.verdict, judged.because)
    };
    let says = |verdict, because: &str| (verdict, because.to_owned());
    assert_eq!(verdict("max = \"5m\"", 44), says(Verdict::Pass, ""));
    assert_eq!(verdict("max = \"5m\"", 46), says(Verdict::Fail, ""));
    let never = "did not recover by the end with 2 of 2 seeds";
    assert_eq!(verdict("max = \"5m\"", 60), says(Verdict::Fail, never));
    assert_eq!(verdict("between = [\"1m\", \"5m\"]", 60), says(Verdict::Fail, never));
    assert_eq!(verdict("min = \"5m\"", 60), says(Verdict::Inconclusive, never));
    let soon = "not back, and the run ends too soon to tell with 2 of 2 seeds";
    assert_eq!(verdict("max = \"20m\"", 60), says(Verdict::Inconclusive, soon));
    assert_eq!(verdict("max = \"5m\"\nuntil = \"44m\"", 60), says(Verdict::Inconclusive, soon));
    let mixed = "metric = \"recovery\"\nof = \"service.api\"\nafter = \"40m\"\nmax = \"5m\"";
    let mixed = judged(mixed, &[vec![slow(1, 40, 44), slow(2, 40, 60)]]);
    assert_eq!((mixed.verdict, mixed.because.as_str()), (Verdict::Inconclusive, "held with 1 of 2 seeds"));
}

/// The verdict on `sound` where a share of all seeds is asked for, and why.
fn over_a_share(share: &str, seeds: usize, sound: &[u32]) -> (Verdict, String) {
    let expect =
        format!("metric = \"request_success\"\nof = \"request.sign-in\"\nmin = \"90%\"\nshare = \"{share}\"");
    let numbers: Vec<String> = (1..=seeds).map(|seed| seed.to_string()).collect();
    let base = include_str!("../../tests/scenario/base.toml");
    let base = base.replace("[1, 2, 3, 4, 5, 6]", &format!("[{}]", numbers.join(", ")));
    let text = format!("{base}[variant.sound]\n[expect.e]\nvariant = \"sound\"\n{expect}\n");
    let document = Document::from_text("test.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}")).0;
    let runs: Vec<Run> = (1..)
        .zip(sound)
        // 255 stands for a seed with nothing to measure.
        .map(|(seed, ok)| run("sound", seed, if *ok == 255 { (0, 0) } else { (*ok, 100 - ok) }))
        .collect();
    let judged = judge(&document, &runs).remove(0);
    assert!(judged.claim.contains(&format!("with {} % of all seeds", share.trim_end_matches('%'))));
    (judged.verdict, judged.because)
}

#[test]
fn over_a_share_of_all_seeds_what_the_sample_shows_decides() {
    let because = |verdict: (Verdict, String)| {
        assert_eq!(verdict.0, Verdict::Inconclusive);
        verdict.1
    };
    let ten = |held: usize| -> Vec<u32> { (0..10).map(|n| if n < held { 99 } else { 10 }).collect() };
    assert_eq!(over_a_share("70%", 10, &ten(10)).0, Verdict::Pass);
    assert_eq!(
        because(over_a_share("70%", 10, &ten(9))),
        "held with 9 of 10 seeds: between 60.6 % and 99.5 % of all would; 70 % is asked for"
    );
    assert_eq!(over_a_share("70%", 10, &ten(3)).0, Verdict::Fail, "60.7 % at most");
    assert_eq!(over_a_share("70%", 10, &ten(5)).0, Verdict::Inconclusive, "one sample in seven");
    assert_eq!(over_a_share("70%", 10, &[10]).0, Verdict::Inconclusive, "one seed of ten was run");
    let none = over_a_share("30%", 10, &ten(0));
    assert_eq!((none.0, none.1.contains("between 0 % and 25.9 %")), (Verdict::Fail, true), "{}", none.1);
    let silent = over_a_share("70%", 10, &[99, 99, 99, 99, 99, 99, 99, 99, 99, 255]);
    assert_eq!(
        because(silent),
        "held with 9 of 10 seeds, no request ended with 1: between 60.6 % and 99.5 % of all would; 70 % is asked for"
    );
    assert_eq!(because(over_a_share("70%", 10, &[])), "its variant was not run");
}

#[test]
fn a_control_and_a_share_go_together() {
    let controlled = format!("{CONTROLLED}\nshare = \"30%\"");
    let verdict = |sick: &[u32]| {
        let judged = judged(&controlled, &[runs("sound", &[99; 6]), runs("sick", sick)]);
        (judged.verdict, judged.because)
    };
    assert_eq!(verdict(&[10; 6]).0, Verdict::Pass);
    let (failed, because) = verdict(&[10, 10, 95, 10, 10, 10]);
    assert_eq!(failed, Verdict::Fail);
    assert!(because.ends_with("the control `sick` keeps within it as well (1 of 6 seeds)"), "{because}");
    let (some, because) = verdict(&[10]);
    assert!(some == Verdict::Inconclusive && because.contains("run with 1 of 6 seeds only"), "{because}");
}

#[test]
fn a_seed_for_itself_is_judged_without_a_share() {
    let expect = "metric = \"request_success\"\nof = \"request.sign-in\"\nmin = \"90%\"\nshare = \"50%\"";
    let one = runs("sound", &[99]);
    assert_eq!(judge(&document(expect), &one)[0].verdict, Verdict::Inconclusive);
    assert_eq!(judge_seed(&document(expect), &one)[0].verdict, Verdict::Pass);
}

/// A run of 95 s in whose last five seconds nobody is served.
#[test]
fn a_last_bin_that_is_short_lies_before_the_end_of_the_run() {
    let verdict = |until: &str| {
        let base = include_str!("../../tests/scenario/base.toml").replace("\"1h\"", "\"95s\"");
        let expect = "[expect.e]\nmetric = \"request_success\"\nof = \"request.sign-in\"\nmin = \"90%\"";
        let text = format!("{base}{expect}\n{until}\n");
        let document = Document::from_text("test.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}")).0;
        let scenario = document.scenario("as-written").expect("a variant");
        let mut measured = Meter::new(scenario, 1).finish(&[], 0);
        let bins = &mut measured.classes[0].bins;
        assert_eq!(bins.len(), 10, "the last is short");
        bins[8].ended[Outcome::Ok as usize] = 100;
        bins[9].ended[Outcome::ServerError as usize] = 100;
        judge_seed(&document, &[Run { variant: "as-written".to_owned(), seed: 1, measured }])[0].verdict
    };
    let verdicts = ["", "until = \"95s\"", "until = \"94s\"", "until = \"90s\""].map(verdict);
    assert_eq!(verdicts, [Verdict::Fail, Verdict::Fail, Verdict::Pass, Verdict::Pass]);
}

/// What nobody looked at is no pass, though a count of it would be zero.
#[test]
fn a_time_without_a_whole_bin_shows_nothing() {
    let refused = |duration: &str| {
        let base = include_str!("../../tests/scenario/base.toml").replace("\"1h\"", &format!("{duration:?}"));
        let expect = "[expect.e]\nmetric = \"refused\"\nof = \"postgres.primary\"\nmax = 0\nafter = \"91s\"";
        let document = Document::from_text("test.toml", &format!("{base}{expect}\n"));
        let document = document.unwrap_or_else(|wrong| panic!("{wrong}")).0;
        let scenario = document.scenario("as-written").expect("a variant");
        let mut measured = Meter::new(scenario, 1).finish(&[], 0);
        measured.nodes[0].starts_per_s[92][0] = 1;
        judge_seed(&document, &[Run { variant: "as-written".to_owned(), seed: 1, measured }]).remove(0)
    };
    assert_eq!(refused("101s").verdict, Verdict::Pass);
    let empty = refused("95s");
    assert_eq!(empty.verdict, Verdict::Inconclusive);
    assert_eq!(empty.because, "no whole bin of 10 s lies in the time that counts with 1 of 1 seeds");
}

#[test]
fn both_ends_are_within() {
    let verdict = |percent: u32| {
        let expect = "metric = \"request_success\"\nof = \"request.sign-in\"\nbetween = [\"20%\", \"50%\"]";
        judged(expect, &[runs("sound", &[percent])])
    };
    assert_eq!(
        [19, 20, 50, 51].map(|percent| verdict(percent).verdict == Verdict::Pass),
        [false, true, true, false]
    );
    let judged = verdict(20);
    assert!(judged.claim.ends_with(" ≥ 20% ≤ 50%"), "{}", judged.claim);
    let (min, max) = (judged.min.unwrap(), judged.max.unwrap());
    assert_eq!((min.words.as_str(), min.value, max.words.as_str(), max.value), ("20%", 0.2, "50%", 0.5));
}

#[test]
fn a_judged_expectation_knows_where_it_stands() {
    let judged =
        judged("metric = \"spikes\"\nof = \"service.api\"\nmax = { times = 2, of = \"variant.sick\" }", &[]);
    let place = judged.place.unwrap();
    assert_eq!((place.file.as_str(), place.column), ("test.toml", 9), "at its name");
    let base = include_str!("../../tests/scenario/base.toml");
    assert_eq!(place.line, base.lines().count() + 5, "a line for the scaler, three variants, and itself");
    assert!(judged.max.unwrap().value.is_nan(), "another with each seed");
}

/// One that is given as an argument stands in no file, and no annotation can point at it.
#[test]
fn an_expectation_from_the_command_line_stands_nowhere() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("fleet.toml");
    let keys =
        "variant = \"as-written\"\nmetric = \"user_success\"\nof = \"request.sign-in\"\nmin = \"99%\"\n";
    let base = include_str!("../../tests/scenario/base.toml");
    let text = format!("{base}\n[expect.mine]\n{keys}[expect.given]\n{keys}");
    std::fs::write(&file, text).expect("written");
    let given = format!("expect.given={{ {} }}", keys.trim().replace('\n', ", "));
    let (document, _) = Document::load(&file, &[], &[given]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let places = judge(&document, &[]).into_iter().map(|one| (one.name, one.place.is_some()));
    assert_eq!(places.collect::<Vec<_>>(), [("mine".to_owned(), true), ("given".to_owned(), false)]);
}

/// Ctrl-C after two of six seeds: what failed has failed, and what has not may yet.
#[test]
fn a_pass_of_some_seeds_is_none_and_a_failure_stays_one() {
    let verdict = |percents: &[u32]| {
        let expect = "metric = \"request_success\"\nof = \"request.sign-in\"\nmin = \"90%\"";
        let judged = judge(&document(expect), &runs("sound", percents)).remove(0);
        (judged.verdict, judged.because)
    };
    assert_eq!(verdict(&[99; 6]), (Verdict::Pass, String::new()));
    let because = "interrupted: 2 of 6 seeds were run".to_owned();
    assert_eq!(verdict(&[99; 2]), (Verdict::Inconclusive, because));
    assert_eq!(verdict(&[10; 2]), (Verdict::Fail, String::new()));
}
