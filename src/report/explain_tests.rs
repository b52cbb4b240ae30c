//! The story as a reader sees it, from made-up figures.

use super::*;
use crate::engine::time::{Span, Time};
use crate::experiment::explain::Focus;
use crate::measure::periodogram::Spectrum;
use crate::report::{plot, synthetic};

fn figures(spikes: &[usize], worst_ms: f64) -> Vec<Option<SpikeFigures>> {
    let one = |spikes: &usize| SpikeFigures {
        spikes: *spikes,
        worst_p99_us: worst_ms * 1e3,
        spikes_whole_run: *spikes + 3,
    };
    spikes.iter().map(|spikes| Some(one(spikes))).collect()
}

fn explanation() -> Explanation {
    let base = figures(&[6, 5, 6], 2400.0);
    let finding = |suspect: &str, never: &[usize], stopped: Option<&[usize]>, word, because: &str| Finding {
        suspect: suspect.to_owned(),
        how: "disabled".to_owned(),
        never: Trial::new(&base, figures(never, if never[0] == 0 { 35.0 } else { 2400.0 })),
        stopped: stopped.map(|stopped| Trial::new(&base, figures(stopped, 2400.0))),
        word,
        because: because.to_owned(),
    };
    Explanation {
        focus: Focus {
            service: "frontend-api".into(),
            from: Time::ZERO + Span::from_secs(5400),
            whole: false,
            seeds: vec![1, 2, 3],
            thresholds: vec![Some(350_000); 3],
        },
        findings: vec![
            finding("lifetime", &[0, 0, 0], None, Word::Causes, ""),
            finding("traffic.attack", &[0, 0, 0], Some(&[6, 6, 6]), Word::SetsOff, ""),
            finding("job.sync-billing", &[6, 5, 6], Some(&[6, 5, 6]), Word::Cleared, ""),
            finding(
                "job.cleanup",
                &[1, 6, 9],
                Some(&[6, 5, 6]),
                Word::CannotTell,
                "the interval is too wide",
            ),
        ],
        together: Some(Trial::new(&base, figures(&[0, 0, 0], 35.0))),
        base,
    }
}

fn found() -> Vec<ServicePeriods> {
    let beats = |n: usize| if n.is_multiple_of(90) { 9.0 } else { (n * 7 % 11) as f64 / 11.0 };
    let series = (0..1080).map(|n| Some(beats(n))).collect::<Vec<_>>();
    let spectrum = Spectrum::new(&[series], Span::from_secs(10)).expect("long enough");
    let named = |line: Line| (line, vec!["lifetime 15m".to_owned(), "job.sync-billing every 15m".to_owned()]);
    let lines = spectrum.lines().into_iter().take(1).map(named).collect();
    vec![ServicePeriods { service: "frontend-api".into(), spectrum, lines }]
}

fn told<T>(tell: impl Fn(&Story) -> T) -> T {
    let (header, explanation, found) = (synthetic::header(), explanation(), found());
    tell(&Story {
        header: &header,
        variant: "as-it-happened",
        duration_s: 10_800.0,
        explanation: &explanation,
        found: &found,
    })
}

#[test]
fn a_story_reads_well() {
    insta::assert_snapshot!(told(|story| text(story, Paint::Plain)), @r"
    September 2025: bus bunching
    variant as-it-happened · 3 seeds · 3h simulated · spikes of frontend-api from 1h30m on

    WHO DID IT
      suspect           verdict      without       change  worst p99  from 1h30m on      change
      (nothing)                          5–6                   2.4 s
      lifetime          causes             0   −5.7 ± 1.4      35 ms              –           –
      traffic.attack    sets off           0   −5.7 ± 1.4      35 ms              6  +0.3 ± 1.4
      job.sync-billing  cleared          5–6        0 ± 1      2.4 s            5–6       0 ± 1
      job.cleanup       cannot tell      1–9  −0.3 ± 10.3      2.4 s            5–6       0 ± 1

      spikes without each suspect, or from 1h30m on only; change ± 95 % interval, in pairs of equal seeds
      a spike: p99 of 10 s above ten times the calm p99 of the unchanged run
      job.cleanup: the interval is too wide
      all of them left out: 0 spikes, none left

    PERIODS
      frontend-api
        every 15m, with its 1/2, 1/3, 1/4, … (power 11.1, false alarm <1e-6)
          lifetime 15m; job.sync-billing every 15m
      a period is no proof: whoever shares it is named, and the knock-outs decide
    ");
}

/// "No one of them alone" is said only of suspects each of which leaves spikes behind.
#[test]
fn suspects_stand_in_for_each_other_only_if_each_alone_leaves_spikes() {
    let (header, mut explanation) = (synthetic::header(), explanation());
    let told = |explanation: &Explanation| {
        let found = [];
        let story = Story { header: &header, variant: "x", duration_s: 60.0, explanation, found: &found };
        story.remarks().pop().unwrap_or_default()
    };
    for finding in &mut explanation.findings {
        finding.word = Word::CannotTell;
    }
    assert!(told(&explanation).ends_with("0 spikes, none left"), "the first two leave none alone");
    explanation.findings.drain(..2);
    assert!(told(&explanation).ends_with("they stand in for each other"), "{}", told(&explanation));
    explanation.findings[0].never = Trial::new(&explanation.base, vec![None; 3]);
    assert!(told(&explanation).ends_with("0 spikes, none left"), "one was not run alone");
}

#[test]
fn and_in_markdown() {
    insta::assert_snapshot!(told(markdown), @r"
    **September 2025: bus bunching** — variant as-it-happened · 3 seeds · 3h simulated · spikes of frontend-api from 1h30m on

    | suspect | verdict | without | change | worst p99 | from 1h30m on | change |
    | --- | --- | --: | --: | --: | --: | --: |
    | (nothing) |  | 5–6 |  | 2.4 s |  |  |
    | lifetime | causes | 0 | −5.7 ± 1.4 | 35 ms | – | – |
    | traffic.attack | sets off | 0 | −5.7 ± 1.4 | 35 ms | 6 | +0.3 ± 1.4 |
    | job.sync-billing | cleared | 5–6 | 0 ± 1 | 2.4 s | 5–6 | 0 ± 1 |
    | job.cleanup | cannot tell | 1–9 | −0.3 ± 10.3 | 2.4 s | 5–6 | 0 ± 1 |

    - spikes without each suspect, or from 1h30m on only; change ± 95 % interval, in pairs of equal seeds
    - a spike: p99 of 10 s above ten times the calm p99 of the unchanged run
    - job.cleanup: the interval is too wide
    - all of them left out: 0 spikes, none left

    | service | period | power | false alarm (≤ 1.0%) | harmonics | has it |
    | --- | --: | --: | --: | --- | --- |
    | frontend-api | 15m | 11.1 | &lt;1e-6 | 1/2, 1/3, 1/4, … | lifetime 15m; job.sync-billing every 15m |
    ");
}

#[test]
fn its_pictures_are_drawn_and_nothing_is_clipped() {
    let charts = told(plot::explain::all);
    let names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
    assert_eq!(names, ["explain.suspects", "explain.periods.frontend-api"]);
    charts.iter().for_each(plot::tests::assert_inside);
    charts.iter().for_each(|chart| drop(plot::tests::keep(chart)));
}

#[test]
fn its_tables_have_a_row_for_each_seed_knock_out_and_metric() {
    let files = told(|story| files::all(story, false));
    let text = |name: &str| {
        let bytes = &files.iter().find(|file| file.0 == name).unwrap().1;
        String::from_utf8(bytes.clone()).unwrap()
    };
    let rows = text("explain.csv");
    // Nothing, four from the start, three from a time on, all together; three seeds, three metrics.
    assert_eq!(rows.lines().count(), 1 + 9 * 3 * 3, "{rows}");
    let one = "september,as-it-happened,2,traffic.attack,from-time,5400,spikes,service.frontend-api,6,count";
    assert!(rows.lines().any(|row| row == one), "{rows}");
    assert!(text("periods.csv").contains("lifetime 15m; job.sync-billing every 15m"));
    let json: serde_json::Value = serde_json::from_str(&text("explain.json")).unwrap();
    assert_eq!(json["suspects"][1]["verdict"], "sets off");
    assert_eq!(json["suspects"][0]["from_start"]["spikes_change"]["pairs"], 3);
}
