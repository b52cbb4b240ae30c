//! The definitions on made-up series: a storm every 15 minutes, and what departs from it.

use super::*;
use crate::measure::{ClassBin, ClassMeasured, LevelBin, Quantiles, Recycle, ServiceBin, summary};

const HOUR: u64 = 3600;

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

/// An hour at node `primary` with a lifetime of 15 minutes: lifetime storms at these seconds, each with a
/// spike of 20 s from the next bin on; p99 is 5 ms beside them.
fn measured(storms: &[(u64, f64)]) -> Measured {
    let storm = |(second, share): &(u64, f64)| Storm {
        node: "primary".into(),
        cause: Cause::Lifetime,
        from: at(*second),
        to: at(second + 1),
        at: at(*second),
        starts: 90,
        share: *share,
    };
    let spike = |(number, (second, _)): (usize, &(u64, f64))| Spike {
        service: "api".into(),
        from: at(second / 10 * 10 + 10),
        to: at(second / 10 * 10 + 30),
        p99_us: 500_000 + 100_000 * number as u64,
        beside: vec!["lifetime".into()],
        recycle: Some(Recycle { node: "primary".into(), at: at(*second) }),
    };
    let bin = |_| ServiceBin {
        latency: Some(Quantiles { p50_us: 1000, p95_us: 2000, p99_us: 5000, max_us: 9000 }),
        ..ServiceBin::default()
    };
    let served =
        ClassBin { ended: std::array::from_fn(|outcome| u32::from(outcome == 0)), ..ClassBin::default() };
    let class = ClassMeasured {
        class: "sign-in".into(),
        label: Default::default(),
        service: "api".into(),
        arrived: 0,
        ended: Default::default(),
        in_flight: 0,
        users: Default::default(),
        latency_us: vec![],
        bins: vec![served; HOUR as usize / 10],
        served: vec![],
    };
    let node = NodeMeasured {
        herd_gain: None,
        node: "primary".into(),
        lifetime: Some(Span::from_secs(900)),
        starts: Default::default(),
        slots: 2000,
        refused: 0,
        starts_per_s: vec![],
        bins: vec![],
        cycles: vec![],
    };
    Measured {
        duration: Span::from_secs(HOUR),
        classes: vec![class],
        services: vec![ServiceMeasured {
            service: "api".into(),
            nodes: vec!["primary".into()],
            bins: (0..HOUR / 10).map(bin).collect(),
        }],
        nodes: vec![node],
        levels: vec![LevelSeries { level: "open", of: "service.api.pool.primary".into(), bins: vec![] }],
        closeups: vec![],
        dashboard: vec![],
        storms: storms.iter().map(storm).collect(),
        spikes: storms.iter().enumerate().map(spike).collect(),
        recoveries: vec![],
        marks: vec![],
        stretches: vec![],
    }
}

fn value(metric: Metric, measured: &Measured, from: u64) -> f64 {
    let window = Window { from: at(from), ..Window::whole() };
    let of = if metric.group() == "postgres" { "postgres.primary" } else { "service.api" };
    summary::value(metric, measured, of, None, &window)
}

#[test]
fn a_herd_that_holds_is_told_from_storms_that_come_and_go() {
    let herd = measured(&[(100, 0.3), (900, 0.9), (1810, 0.9), (2000, 0.6), (2720, 0.8)]);
    assert_eq!(value(Metric::HerdOnset, &herd, 0), 900.0, "30 % is no herd");
    assert_eq!(value(Metric::HerdOnset, &herd, 1000), 1810.0);
    assert!(value(Metric::HerdOnset, &herd, 3000).is_nan());
    assert_eq!(value(Metric::HerdLasts, &herd, 0), 3.0, "900, 1810, 2720; 2000 belongs to no other");
    assert_eq!(value(Metric::HerdLasts, &herd, 1000), 2.0);
    assert_eq!(value(Metric::HerdLasts, &herd, 3000), 0.0);
    let apart = measured(&[(300, 0.9), (1000, 0.9), (2100, 0.9)]);
    assert_eq!(value(Metric::HerdLasts, &apart, 0), 1.0, "700 s and 1100 s are not about a lifetime");
}

#[test]
fn a_storm_that_nobody_feels_is_no_herd() {
    let mut unfelt = measured(&[(900, 0.9), (1800, 0.9), (2700, 0.9)]);
    unfelt.spikes.retain(|spike| spike.from > at(1000));
    assert_eq!(value(Metric::HerdOnset, &unfelt, 0), 1800.0);
    assert_eq!(value(Metric::HerdLasts, &unfelt, 0), 2.0);
    let mut elsewhere = unfelt.clone();
    elsewhere.services[0].nodes = vec!["other".into()];
    assert_eq!(value(Metric::HerdLasts, &elsewhere, 0), 0.0, "who feels it has no pool to this node");
    unfelt.spikes.clear();
    assert_eq!(value(Metric::HerdLasts, &unfelt, 0), 0.0);
}

#[test]
fn gaps_are_those_of_the_storms() {
    let herd = measured(&[(100, 0.9), (1003, 0.9), (1909, 0.9), (2830, 0.9)]);
    assert_eq!(value(Metric::RecycleSpikes, &herd, 0), 4.0);
    assert_eq!(value(Metric::RecycleSpikes, &herd, 1000), 3.0);
    assert_eq!(value(Metric::RecycleGap, &herd, 0), 906.0);
    assert_eq!(value(Metric::RecycleGapRegular, &herd, 0), 2.0 / 3.0, "921 s is not like 906 s");
    assert_eq!(value(Metric::RecycleGap, &herd, 1500), 921.0);
    assert!(value(Metric::RecycleGapRegular, &herd, 1500).is_nan(), "one gap is always like itself");
    assert!(value(Metric::RecycleGap, &herd, 2000).is_nan());
    let mut twice = herd.clone();
    twice.spikes.push(Spike { from: at(150), to: at(160), ..twice.spikes[0].clone() });
    assert_eq!(value(Metric::RecycleGap, &twice, 0), 906.0, "two spikes of one storm");
    let mut other = herd;
    other.spikes.iter_mut().for_each(|spike| spike.recycle = None);
    assert_eq!(value(Metric::RecycleSpikes, &other, 0), 0.0);
}

#[test]
fn a_spike_is_held_against_the_quiet_hours() {
    let mut herd = measured(&[(100, 0.9), (1000, 0.9), (1900, 0.9)]);
    // Latency of the spikes' own bins is not quiet; it would not matter in a median of six in 360.
    herd.services[0].bins[11].latency.as_mut().unwrap().p99_us = 500_000;
    assert_eq!(value(Metric::RecycleP99Ratio, &herd, 0), 600_000.0 / 5_000.0);
    assert_eq!(value(Metric::RecycleP99Ratio, &herd, 1500), 700_000.0 / 5_000.0);
    assert!(value(Metric::RecycleP99Ratio, &herd, 2000).is_nan());
    assert!(value(Metric::RecycleP99Ratio, &measured(&[]), 0).is_nan());
}

/// Backends at work: 2 at rest, 100 in the bin of each storm; scraped at these seconds with these values.
fn with_gauge(mut measured: Measured, samples: &[(u64, f64)]) -> Measured {
    let of = || "postgres.primary".to_owned();
    let mut bins = vec![LevelBin { min: 0.0, mean: 2.0, max: 2.0 }; 360];
    measured.storms.iter().for_each(|storm| bins[(storm.at.0 / BIN.0) as usize].max = 100.0);
    measured.levels = vec![LevelSeries { level: GAUGE, of: of(), bins }];
    let samples = samples.iter().map(|(second, value)| (at(*second), *value)).collect();
    measured.dashboard = vec![ScrapedSeries { level: GAUGE, of: of(), samples }];
    measured
}

#[test]
fn a_dashboard_misses_what_no_sample_shows() {
    let storms = measured(&[(105, 0.9), (1005, 0.9), (1905, 0.9), (2805, 0.9), (3595, 0.9)]);
    let samples = [(104, 99.0), (110, 49.0), (1005, 50.0), (1990, 60.0), (2900, 100.0), (3599, 2.0)];
    let met = with_gauge(storms, &samples);
    let seen: Vec<bool> = sightings(&met, "primary").iter().map(|sighting| sighting.seen).collect();
    assert_eq!(seen, [false, true, true, false], "the last came too late to tell");
    assert_eq!(sightings(&met, "primary")[0].peak, 100.0);
    assert_eq!(value(Metric::DashboardMissed, &met, 0), 0.5);
    assert_eq!(value(Metric::DashboardMissed, &met, 2000), 1.0);
    assert!(value(Metric::DashboardMissed, &met, 3000).is_nan(), "nothing to miss");
    let mut two = met;
    two.spikes.push(Spike { service: "other".into(), ..two.spikes[0].clone() });
    assert_eq!(sightings(&two, "primary").len(), 4, "two services, one storm");
}
