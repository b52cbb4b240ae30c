//! What is said of snapshots that are known.

use super::*;
use crate::measure::snapshot::{Connection, Snapshot};
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
