//! An outage made up for tests: two hours, a disk that is slow for 27 minutes, a fleet that grows to its
//! cap, a breaker that sends reads to the replica, and the edge for the last of it.

use super::synthetic;
use crate::engine::time::{Span, Time};
use crate::experiment::Run;
use crate::measure::*;
use crate::scenario::grammar::Outcome;

const BINS: usize = 720;
/// The disk is slow from here…
const FROM: usize = 180;
/// …to here.
const TO: usize = 342;

fn at(bin: usize) -> Time {
    Time::ZERO + BIN * bin as u64
}

/// How bad it is in a bin, from 0 to 1; a metastable system stays bad.
fn bad(bin: usize, metastable: bool) -> f64 {
    let (from, to) = (FROM as f64, if metastable { f64::INFINITY } else { TO as f64 + 12.0 });
    let bin = bin as f64;
    if bin >= from && bin < to { ((bin - from) / 30.0).min(1.0) } else { 0.0 }
}

/// A run that recovers two minutes after the disk is well again, or never.
pub fn run(variant: &str, metastable: bool) -> Run {
    let mut run = synthetic::nothing();
    run.variant = variant.into();
    let ill = |bin| bad(bin, metastable);
    let class = class(&ill);
    let p99 = |bin| (4_000.0 + 9_000_000.0 * ill(bin)) as u64;
    let latency = |bin| Quantiles { p50_us: 2_000, p95_us: 3_000, p99_us: p99(bin), max_us: p99(bin) * 2 };
    let service = |bin| ServiceBin { latency: Some(latency(bin)), users_p99_us: Some(latency(bin).p99_us) };
    let mark = |bin, event: &str, begins| Mark { at: at(bin), event: event.into(), begins };
    let measured = &mut run.measured;
    measured.duration = BIN * BINS as u64;
    measured.classes = vec![class];
    measured.services[0].bins = (0..BINS).map(service).collect();
    measured.nodes[0].bins = vec![HerdBin::default(); BINS];
    measured.levels = levels(&ill);
    measured.marks =
        vec![mark(FROM, "slow-disk", true), mark(TO, "slow-disk", false), mark(400, "retro", true)];
    measured.stretches = stretches(metastable);
    run
}

fn class(ill: &dyn Fn(usize) -> f64) -> ClassMeasured {
    let mut class = synthetic::nothing().measured.classes.remove(0);
    class.class = "session-token".into();
    let [mut primary, mut replica, mut edge] = [vec![], vec![], vec![]];
    for bin in 0..BINS {
        let failed = (6_000.0 * ill(bin)) as u32;
        let ok = 12_000 - failed;
        let [by_edge, by_replica] =
            [(300..354).contains(&bin), (200..300).contains(&bin)].map(|it| u32::from(it) * ok / 2);
        let mut ended = [0; OUTCOMES];
        for (n, outcome) in Outcome::ALL.into_iter().enumerate().skip(1) {
            ended[outcome as usize] = failed * n as u32 / 66;
        }
        ended[0] = ok;
        let latency = Some(Quantiles { p50_us: 2_000, p95_us: 3_000, p99_us: 4_000, max_us: 9_000 });
        class.bins.push(ClassBin {
            arrived: 12_000,
            ended,
            fulfilled: ok,
            given_up: failed,
            unanswered: 0,
            latency,
            counts: vec![(4_000, 12_000)],
            buckets: vec![(0, 88, ok), (8, 88, failed)],
        });
        primary.push(ok - by_replica - by_edge);
        replica.push(by_replica);
        edge.push(by_edge);
    }
    for bin in &class.bins {
        class.ended.iter_mut().zip(bin.ended).for_each(|(sum, count)| *sum += u64::from(count));
    }
    class.arrived = 12_000 * BINS as u64;
    let by = |by: &str, bins| Served { by: by.into(), bins };
    class.served = vec![by("primary", primary), by("replica", replica), by("edge", edge)];
    class
}

fn levels(ill: &dyn Fn(usize) -> f64) -> Vec<LevelSeries> {
    let series = |level, of: &str, value: &dyn Fn(f64) -> f64| {
        let bin = |bin| {
            let value = value(ill(bin));
            LevelBin { min: value * 0.8, mean: value, max: value * 1.1 }
        };
        LevelSeries { level, of: of.into(), bins: (0..BINS).map(bin).collect() }
    };
    let flat = |level, of: &str, value: f64| {
        let bin = LevelBin { min: value, mean: value, max: value };
        LevelSeries { level, of: of.into(), bins: vec![bin; BINS] }
    };
    vec![
        series("in_flight", "service.frontend-api", &|ill| 300.0 + 7_700.0 * ill),
        series("pending", "service.frontend-api", &|ill| 4_000.0 * (ill - 0.7).max(0.0)),
        series("containers", "service.frontend-api", &|ill| (40.0 + 200.0 * ill).min(91.0)),
        flat("cap", "service.frontend-api", 100.0),
        series("waiting", "service.frontend-api.pool.primary", &|ill| 2_000.0 * ill),
        series("cpu_busy", "postgres.primary", &|ill| 0.35 - 0.2 * ill),
        series("lock_waiters", "postgres.primary", &|ill| 700.0 * (ill - 0.3).max(0.0)),
        series("disk_waiters", "postgres.primary", &|ill| 2.0 + 260.0 * ill),
    ]
}

fn stretches(metastable: bool) -> Vec<Stretch> {
    let stretch =
        |kind, of: &str, from, to: usize| Stretch { kind, of: of.into(), from: at(from), to: Some(at(to)) };
    let breaker = |n: usize| {
        let of = "service.frontend-api.endpoint.session-reads";
        stretch(StretchKind::Breaker, of, 200 + n * 4, 203 + n * 4)
    };
    let mut all: Vec<Stretch> = (0..25).map(breaker).collect();
    all.push(stretch(StretchKind::Cap, "frontend-api", 190, 366));
    all.push(stretch(StretchKind::OutageMode, "edge", 300, 354));
    all.push(stretch(StretchKind::Node, "primary", 330, 342));
    if metastable {
        all.iter_mut()
            .filter(|stretch| stretch.kind == StretchKind::Cap)
            .for_each(|stretch| stretch.to = None);
    }
    all.sort_by_key(|stretch| stretch.from);
    all
}

/// A class whose requests end in every way.
#[test]
fn every_outcome_is_there() {
    let run = run("as-it-happened", false);
    assert!(run.measured.classes[0].ended.iter().all(|count| *count > 0));
    assert_eq!(run.measured.duration, Span::from_secs(7200));
}
