//! What is told of an outage, as an engineer reads it.

use super::*;
use crate::report::{synthetic, synthetic_outage, terminal};

fn run_text(metastable: bool) -> String {
    let run = synthetic_outage::run("as-it-happened", metastable);
    terminal::run(&synthetic::header(), &run, &[], Paint::Plain)
}

#[test]
fn an_outage_reads_well() {
    let text = run_text(false);
    let from = text.find("\nCONTAINERS").expect("the fleet is scaled");
    insta::assert_snapshot!(&text[from + 1..], @r#"
    CONTAINERS
      service       containers  cap     first at cap  at cap for  most pending
      frontend-api      32–100  100  14 Sep 06:01:40      29m20s         1,320

    DATABASE
      postgres  connections  cores busy  wait for locks  for the disk  replica lag
      primary             –         31%       105, ≤539    59.2, ≤288            –
       the mean, and the most at once

    SERVED BY
      session-token: primary 84%, replica 3.5%, edge 1.9%, nobody 11%

    RECOVERY
      frontend-api recovered 2m after slow-disk ended

    TIMELINE
      what                                                          from            until  lasting
      slow-disk                                          14 Sep 06:00:00  14 Sep 06:27:00      27m
      frontend-api at its cap                            14 Sep 06:01:40  14 Sep 06:31:00   29m20s
      breaker of session-reads at frontend-api open ×25  14 Sep 06:03:20  14 Sep 06:19:50   16m30s
      origin outage mode on                              14 Sep 06:20:00  14 Sep 06:29:00       9m
      primary takes no connections                       14 Sep 06:25:00  14 Sep 06:27:00       2m
      retro                                              14 Sep 06:36:40                –        –
    "#);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

/// What is refused at once has no latency: that there is no spike is not all.
#[test]
fn refusals_stand_beside_spikes_that_are_none() {
    let mut run = synthetic_outage::run("as-it-happened", false);
    run.measured.spikes.clear();
    for (place, bin) in run.measured.classes[0].bins.iter_mut().enumerate() {
        bin.ended = Default::default();
        let outcome = if (10..12).contains(&place) { Outcome::ConnectRefused } else { Outcome::Ok };
        bin.ended[outcome as usize] = 100;
    }
    let text = terminal::run(&synthetic::header(), &run, &[], Paint::Plain);
    assert!(text.contains("  none; but for 20s fewer than 99% of requests were answered well\n"), "{text}");
    let calm = terminal::run(&synthetic::header(), &synthetic::run("calm", 1, false), &[], Paint::Plain);
    assert!(calm.contains("  none\n"), "{calm}");
}

#[test]
fn a_metastable_system_says_what_it_waits_for() {
    let text = run_text(true);
    let from = text.find("\nRECOVERY").expect("it has a fate");
    let to = text.find("\nTIMELINE").expect("it has a timeline");
    insta::assert_snapshot!(&text[from + 1..to], @r#"
    RECOVERY
      frontend-api is metastable: did not return to its baseline after slow-disk ended
       at the end 1,200 requests pending, 2,000 waiting for connections, 490 for locks, 262 for the disk
    "#);
}

#[test]
fn variants_recover_or_do_not() {
    let runs = [
        synthetic_outage::run("as-it-happened", true),
        synthetic_outage::run("outage-mode", false),
        synthetic::run("calm", 1, false),
    ];
    insta::assert_snapshot!(verdicts(&runs).join("\n"), @r#"
    as-it-happened: frontend-api is metastable: did not return to its baseline after slow-disk ended; at the end 1,200 requests pending, 2,000 waiting for connections, 490 for locks, 262 for the disk
    outage-mode: frontend-api recovered 2m after slow-disk ended
    "#);
    let text = terminal::compare(&synthetic::header(), &runs, &[], Paint::Plain);
    assert!(text.contains("\nRECOVERY\n"));
    assert!(
        terminal::compare_markdown(&synthetic::header(), &runs, &[]).contains("- outage-mode: frontend-api")
    );
    assert!(verdicts(&runs[2..]).is_empty(), "nothing to tell");
    let mut other = synthetic_outage::run("as-it-happened", false);
    other.seed = 2;
    let both = [synthetic_outage::run("as-it-happened", true), other];
    assert!(verdicts(&both)[0].contains("is metastable with 1 of 2 seeds"), "{:?}", verdicts(&both));
}

#[test]
fn a_calm_run_says_how_busy_the_database_was_and_nothing_else() {
    let measured = synthetic::run("as-it-happened", 1, true).measured;
    let header = synthetic::header();
    let told = sections(&header, &measured, Paint::Plain) + &timeline(&header, &measured);
    assert_eq!(told.matches("\n\n").count(), 0, "one section, the database's cores: {told}");
    assert!(told.contains("DATABASE") && told.contains("primary"), "{told}");
}

#[test]
fn names_cannot_steer_the_terminal() {
    assert!(!stretch_words(StretchKind::Breaker, "service.\x1b[2J.endpoint.x").contains('\x1b'));
    assert_eq!(
        stretch_words(StretchKind::Breaker, "service.api.endpoint.reads"),
        "breaker of reads at api open"
    );
    let of_node = |kind| stretch_words(kind, "primary");
    assert_eq!(
        [StretchKind::Unreachable, StretchKind::Frozen, StretchKind::ReadOnly].map(of_node),
        ["primary unreachable", "primary frozen", "primary read-only"]
    );
}
