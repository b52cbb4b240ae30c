//! The text keeps the format's rules, and says what the run showed.

use super::*;
use crate::report::synthetic;
use std::collections::BTreeSet;

/// Name with labels, value, timestamp.
type Sample<'a> = (&'a str, f64, f64);

/// Reads the text as strictly as the format asks for; gives its samples by family.
fn parsed(text: &str) -> Vec<(&str, Vec<Sample<'_>>)> {
    let body = text.strip_suffix("# EOF\n").expect("ends with its mark");
    let mut families: Vec<(&str, Vec<Sample>)> = Vec::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            families.push((rest.split(' ').next().unwrap(), Vec::new()));
            continue;
        }
        let (name, samples) = families.last_mut().expect("a type before its samples");
        if let Some(rest) = line.strip_prefix("# ") {
            assert!(samples.is_empty() && rest.split(' ').nth(1) == Some(*name), "{line}");
            assert!(!rest.starts_with("UNIT") || name.ends_with(rest.split(' ').nth(2).unwrap()), "{line}");
            continue;
        }
        let (series, numbers) = line.split_at(line.rfind('}').expect("labels") + 1);
        let numbers: Vec<f64> = numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
        assert!(
            series.starts_with(&format!("{name}{{")) || series.starts_with(&format!("{name}_total{{")),
            "{line}"
        );
        samples.push((series, numbers[0], numbers[1]));
    }
    families
}

/// Whatever is gauged is told.
#[test]
fn no_gauge_is_left_out() {
    let text = "schema_version = 1\ntitle = \"t\"\nduration = \"1s\"\n[postgres.p]\ncores = 1\n\
                [postgres.p.pooler]\nmode = \"transaction\"\npool = { max = 2 }\n[service.s]\ncontainers = { min = 1, max = 1 }\n\
                [service.s.pool.p]\nmax = 1\n[request.r]\nservice = \"s\"\nsteps = [{ app = \"1ms\" }]\n\
                [traffic.t]\nrequest = \"r\"\nrate = \"1/s\"\n";
    let (document, _) = crate::scenario::Document::from_text("t.toml", text).expect("a scenario");
    let places = crate::model::build::Places::of(&document.scenarios[0]);
    for (level, of) in crate::measure::gauges::names(&places) {
        assert!(LEVELS.iter().any(|(known, ..)| *known == level), "{level} of {of}");
    }
}

#[test]
fn every_series_stands_together_in_order_of_time() {
    let runs = [synthetic::run("plain \"one\"\\", 1, true), synthetic::run("plain", 2, false)];
    let text = text(&synthetic::header(), &runs).expect("a start");
    let families = parsed(&text);
    let names: BTreeSet<&str> = families.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), families.len(), "each family once");
    for (name, samples) in &families {
        let mut seen = BTreeSet::new();
        for series in samples.chunk_by(|a, b| a.0 == b.0) {
            assert!(seen.insert(series[0].0), "{name}: {} comes again", series[0].0);
            assert!(series.is_sorted_by(|a, b| a.2 < b.2), "{}", series[0].0);
        }
    }
    assert!(text.contains("variant=\"plain \\\"one\\\"\\\\\""), "escaped");
}

#[test]
fn counters_end_at_their_sums_and_times_are_calendar_times() {
    let runs = [synthetic::run("plain", 1, true)];
    let text = text(&synthetic::header(), &runs).unwrap();
    let families = parsed(&text);
    let of = |name: &str| &families.iter().find(|(other, _)| *other == name).unwrap().1;
    let ok: Vec<&Sample> =
        of("herdsim_requests").iter().filter(|one| one.0.contains("outcome=\"ok\"")).collect();
    assert_eq!(ok.last().unwrap().1, runs[0].measured.classes[0].ended[0] as f64);
    assert!(ok.is_sorted_by(|a, b| a.1 <= b.1));
    // 05:30:10 UTC on 14 September 2025, the end of the first ten seconds.
    assert_eq!(ok[0].2, 1_757_827_810.0);
    let p99 = of("herdsim_latency_seconds").iter().find(|one| one.0.contains("stat=\"p99\"")).unwrap();
    let first = runs[0].measured.services[0].bins[0].latency.unwrap();
    assert_eq!(p99.1, first.p99_us as f64 / 1e6);
}

#[test]
fn without_a_start_there_is_nothing_and_an_empty_run_only_ends() {
    let mut header = synthetic::header();
    assert_eq!(text(&header, &[synthetic::nothing()]).as_deref(), Some("# EOF\n"));
    header.start = None;
    assert_eq!(text(&header, &[]), None);
}
