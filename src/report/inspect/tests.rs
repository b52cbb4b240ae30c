//! What is said of snapshots that are known.

use super::*;
use crate::measure::snapshot::{Bunching, Connection, Snapshot};
use crate::report::text::Paint;

/// 2026-11-21 06:36:11 UTC.
const NOW: Time = Time(1_795_242_971_000_000_000);

fn about() -> About {
    About { now_from: NowFrom::Newest, left_out: 5, asker: true, application: None, rate: 20.0 }
}

fn look(ages: impl IntoIterator<Item = f64>, lifetime: Option<u64>) -> Snapshot {
    let connection = |age| Connection {
        born: Time(NOW.0 - Span::from_secs_f64(age).0),
        application: Some("api".to_owned()),
        client: None,
    };
    let connections: Vec<Connection> = ages.into_iter().map(connection).collect();
    Snapshot::new(&connections, NOW, lifetime.map(Span::from_secs))
}

fn second() -> Snapshot {
    look((0..100).map(|n| 300.0 + f64::from(n) * 0.004), Some(900))
}

/// One snapshot of the paper for several cases.
#[test]
fn each_verdict_has_its_words() {
    let minute = look((0..400).map(|n| 300.0 + f64::from(n) * 0.15), Some(900));
    let opposite = look((0..100).map(|n| f64::from(n % 2) * 450.0 + 100.0 + f64::from(n) * 0.03), Some(900));
    let spread = look((0..100).map(|n| f64::from(n) * 9.0 + 0.3), None);
    let few = look((0..20).map(|n| f64::from(n) + 0.5), Some(20));
    let old = look((0..30).map(|n| f64::from(n) * 50.0), Some(900));
    let unknown = look((0..100).map(|n| 300.0 + f64::from(n) * 0.004), None);
    let all = [second(), minute, opposite, spread, few, old, unknown, look([], Some(900))];
    let texts: Vec<String> = all.iter().map(|seen| text::text(seen, &about(), Paint::Plain)).collect();
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("verdicts", texts.join("\n----\n\n"));
    });
    for line in texts.iter().flat_map(|text| text.lines()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

/// The ages of a rollout that has just ended are as even as those of a pool that turns over each minute.
#[test]
fn a_rollout_is_not_taken_for_a_lifetime_for_sure() {
    let ages = || (0..800).map(|n| f64::from(n) * 0.075);
    let told = |now_from| words::lifetime(&look(ages(), None), &About { now_from, ..about() });
    let newest = told(NowFrom::Newest);
    assert!(newest.contains("about 1m, a guess") && newest.contains("opened that long ago"), "{newest}");
    assert!(told(NowFrom::Column).contains("about 1m, fairly sure"));
    assert_eq!(json::json(&look(ages(), None), &about())["lifetime"]["from"], "guessed");
    let day = words::lifetime(&look((0..100).map(|n| f64::from(n) * 9.0), None), &about());
    assert!(day.contains("about 15m, fairly sure"), "{day}");
}

#[test]
fn connections_in_the_slack_are_older_than_the_lifetime() {
    let told = |oldest| words::lifetime(&look([10.0, oldest], Some(900)), &about());
    assert_eq!(told(900.0), "15m, as given; no connection is older");
    assert_eq!(told(960.0), "15m, as given; the oldest is 16m, within a slack of 1m30s");
    assert_eq!(told(1000.0), "15m, as given; 1 are older (see above)");
}

/// A small p says only that births are not even: here a third more in one half of the clock.
#[test]
fn only_what_is_narrow_is_called_a_rollout() {
    let uneven = (0..900).map(f64::from).chain((0..225).map(|n| f64::from(n) * 2.0 + 0.5));
    let seen = look(uneven, Some(900));
    assert!(seen.cycle.rayleigh_p < 0.001 && seen.verdict == Bunching::NotBunched);
    let reasons = words::reasons(&seen, &about());
    assert!(!reasons.iter().any(|reason| reason.contains("rollout")), "{reasons:?}");
}

#[test]
fn a_phase_lock_beyond_95_percent_of_chance_is_not_called_unseen() {
    let uneven = (0..100).map(|n| if n < 84 { f64::from(n) * 9.0 } else { f64::from(n - 84) * 18.0 + 4.0 });
    let seen = look(uneven, Some(900));
    assert!((0.001..0.05).contains(&seen.cycle.rayleigh_p), "{}", seen.cycle.rayleigh_p);
    let told = words::reasons(&seen, &about()).join("\n");
    assert!(told.contains("perhaps in step") && !told.contains("no phase lock"), "{told}");
}

#[test]
fn one_connection_is_one() {
    let told = text::text(&look([5.0], Some(900)), &about(), Paint::Plain);
    assert!(!told.contains("of 1 connections") && !told.contains("all 1"), "{told}");
}

#[test]
fn the_chart_holds_every_birth_and_eighty_columns() {
    let seen = second();
    let counts = chart::columns(&seen, 60);
    assert_eq!(counts.iter().map(|column| column.0).sum::<usize>(), 100);
    assert!(counts.iter().all(|column| column.1 == (column.0 > 0)), "all are of the storm");
    let plain = chart::chart(&seen, Paint::Plain);
    assert!(plain.lines().all(|line| line.chars().count() <= 80) && !plain.contains('\x1b'), "{plain}");
    assert!(chart::chart(&seen, Paint::Colour).contains("\x1b[31m█\x1b[0m"));
}

#[test]
fn programs_read_the_same() {
    let value = json::json(&second(), &about());
    assert_eq!(value["verdict"], "bunched");
    assert_eq!(value["storms"][0]["connections"], 100);
    assert_eq!(value["storms"][0]["due"], "2026-11-21T06:46:10.604Z");
    assert_eq!(value["jitter_s"], 5.0);
    assert_eq!(json::json(&look([], None), &about())["verdict"], "cannot-tell");
}

#[test]
fn the_picture_shows_the_verdict() {
    let seen = second();
    let svg = crate::report::plot::clock::draw(&seen, &verdict(&seen)).svg();
    assert!(svg.contains("BUNCHED: 100 of 100") && svg.contains("06:30"), "{svg}");
}
