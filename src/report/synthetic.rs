//! A run made up for tests: six hours, 400 connections of 15 minutes, and a herd that forms after the first
//! hour.

use crate::engine::time::{Span, Time};
use crate::experiment::Run;
use crate::measure::*;
use crate::report::Header;
use crate::scenario::grammar::{Cause, Label, Outcome};
use hdrhistogram::Histogram;

const SECONDS: usize = 6 * 3600;
const LIFETIME: usize = 900;

/// The header of the made-up scenario.
pub fn header() -> Header {
    Header {
        scenario: "september".into(),
        title: "September 2025: bus bunching".into(),
        question: "Why does latency spike every 15 minutes, and what cures it?".into(),
        start: Some("2025-09-14T05:30:00Z".into()),
    }
}

/// A cheap, even noise in 0..1 for a number.
fn noise(n: usize) -> f64 {
    let mixed = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1u64 << 53) as f64
}

/// How much of the fleet is in step at a second: grows from the first hour to the second.
fn bunched(second: usize, herd: bool) -> f64 {
    if herd { ((second as f64 - 3600.0) / 3600.0).clamp(0.0, 0.9) } else { 0.0 }
}

/// A run with a herd, or without.
pub fn run(variant: &str, seed: u64, herd: bool) -> Run {
    let starts_per_s: Vec<[u32; CAUSES]> = (0..SECONDS).map(|second| starts(second, seed, herd)).collect();
    let (bins, class_bins): (Vec<ServiceBin>, Vec<ClassBin>) =
        (0..SECONDS / 10).map(|bin| latency(bin, &starts_per_s)).unzip();
    let mut starts = [0; CAUSES];
    for second in &starts_per_s {
        for (sum, count) in starts.iter_mut().zip(second) {
            *sum += u64::from(*count);
        }
    }
    let node = NodeMeasured {
        node: "primary".into(),
        lifetime: Some(Span::from_secs(LIFETIME as u64)),
        starts,
        slots: 2000,
        refused: 3,
        bins: starts_per_s.chunks(10).map(herd_bin).collect(),
        cycles: starts_per_s.chunks(LIFETIME).enumerate().map(cycle).collect(),
        herd_gain: None,
        starts_per_s,
    };
    let measured = Measured {
        duration: Span::from_secs(SECONDS as u64),
        classes: vec![class(class_bins)],
        services: vec![ServiceMeasured {
            service: "frontend-api".into(),
            nodes: vec!["primary".into()],
            bins,
        }],
        levels: levels(&node),
        closeups: closeups(herd),
        dashboard: dashboard(&node),
        storms: storms(herd),
        spikes: spikes(herd),
        recoveries: vec![Recovery {
            event: "event.slow-disk".into(),
            service: "frontend-api".into(),
            after: Some(Span::from_secs(80)),
        }],
        marks: marks(),
        stretches: vec![],
        nodes: vec![node],
    };
    Run { variant: variant.into(), seed, measured }
}

/// A run in which nothing happened for no time at all.
pub fn nothing() -> Run {
    let measured = Measured {
        duration: Span::ZERO,
        classes: vec![ClassMeasured { bins: vec![], users: UserCounts::default(), ..class(vec![]) }],
        services: vec![ServiceMeasured {
            service: "frontend-api".into(),
            nodes: vec!["primary".into()],
            bins: vec![],
        }],
        nodes: vec![NodeMeasured {
            node: "primary".into(),
            lifetime: Some(Span::from_secs(900)),
            starts: [0; CAUSES],
            slots: 2000,
            refused: 0,
            starts_per_s: vec![],
            bins: vec![],
            cycles: vec![],
            herd_gain: None,
        }],
        ..Measured::default()
    };
    Run { variant: "as-written".into(), seed: 1, measured }
}

fn starts(second: usize, seed: u64, herd: bool) -> [u32; CAUSES] {
    let mut counts = [0; CAUSES];
    let together = bunched(second, herd);
    let luck = noise(second.wrapping_mul(31).wrapping_add((seed as usize).wrapping_mul(7_919_111)));
    counts[0] = u32::from(luck < (1.0 - together) * 400.0 / LIFETIME as f64);
    // The herd: a little later in each lifetime, because reconnecting takes a second.
    let phase = second % LIFETIME;
    let at = 420 + second / LIFETIME;
    let width = if together > 0.8 { 1 } else { 12 };
    if herd && together > 0.0 && (at..at + width).contains(&phase) {
        counts[0] += (400.0 * together / width as f64) as u32;
        counts[1] += u32::from(phase == at) * 24;
    }
    counts[1] += u32::from((10_800..10_803).contains(&second)) * 60;
    counts
}

fn latency(bin: usize, starts: &[[u32; CAUSES]]) -> (ServiceBin, ClassBin) {
    let worst = (bin * 10..bin * 10 + 10).map(|second| starts[second].iter().sum::<u32>()).max().unwrap_or(0);
    let storm = f64::from(worst) / 400.0;
    let requests = 40_000.0 * (0.97 + 0.06 * noise(bin));
    // Most requests are fast; a storm makes a tenth of a bin's requests slow, up to two seconds.
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3).expect("bounds are valid");
    for part in 0..60 {
        let quantile = (f64::from(part) + 0.5) / 60.0;
        let fast = 2_200.0 - 900.0 * libm::log(1.0 - quantile) + 200.0 * noise(bin * 60 + part as usize);
        let _ = histogram.record_n(fast as u64, (requests / 60.0) as u64);
        let slow = fast + 1_700_000.0 * storm * quantile;
        let _ = histogram.record_n(slow as u64, (requests * storm * 0.12 / 60.0) as u64);
    }
    let latency = Some(Quantiles {
        p50_us: histogram.value_at_quantile(0.5),
        p95_us: histogram.value_at_quantile(0.95),
        p99_us: histogram.value_at_quantile(0.99),
        max_us: histogram.max(),
    });
    let total = histogram.len() as u32;
    let mut ended = [0; OUTCOMES];
    let (left, starved) = (Outcome::ClientTimeout as usize, Outcome::PoolTimeout as usize);
    ended[left] = (f64::from(total) * storm * 0.02) as u32;
    ended[starved] = (f64::from(total) * storm * 0.03) as u32;
    ended[0] = total - ended[left] - ended[starved];
    let given_up = (total - ended[0]) / 10;
    let bin = ClassBin {
        arrived: total,
        ended,
        fulfilled: total - given_up,
        given_up,
        unanswered: 0,
        latency,
        counts: vec![],
        buckets: bucket::counts(&histogram).into_iter().map(|(bucket, count)| (0, bucket, count)).collect(),
    };
    (ServiceBin { latency, users_p99_us: latency.map(|latency| latency.p99_us) }, bin)
}

fn class(bins: Vec<ClassBin>) -> ClassMeasured {
    let mut ended = [0; OUTCOMES];
    for bin in &bins {
        for (sum, count) in ended.iter_mut().zip(bin.ended) {
            *sum += u64::from(count);
        }
    }
    let mut latency_us = vec![None; OUTCOMES];
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3).expect("bounds are valid");
    for quantiles in bins.iter().filter_map(|bin| bin.latency) {
        let _ = histogram.record_n(quantiles.p50_us, 500);
        let _ = histogram.record_n(quantiles.p99_us, 5);
    }
    if !histogram.is_empty() {
        latency_us[Outcome::Ok as usize] = Some(histogram);
    }
    let arrived = ended.iter().sum();
    let failed = (arrived - ended[0]) / 10;
    ClassMeasured {
        class: "sign-in".into(),
        label: Label::Legitimate,
        service: "frontend-api".into(),
        arrived,
        ended,
        in_flight: 12,
        users: UserCounts { arrived, succeeded: arrived - failed, failed },
        latency_us,
        bins,
        served: vec![],
    }
}

fn herd_bin(seconds: &[[u32; CAUSES]]) -> HerdBin {
    let mut bin = HerdBin::default();
    for second in seconds {
        for (most, count) in bin.connects_max_1s.iter_mut().zip(second) {
            *most = (*most).max(*count);
        }
        bin.connects_max_1s_all = bin.connects_max_1s_all.max(second.iter().sum());
    }
    bin.herd_size = bin.connects_max_1s.map(|count| f64::from(count) / 400.0);
    bin.herd_size_all = f64::from(bin.connects_max_1s_all) / 400.0;
    bin
}

fn cycle((number, seconds): (usize, &[[u32; CAUSES]])) -> Cycle {
    let births: u32 = seconds.iter().flatten().sum();
    let phases = seconds.iter().enumerate().map(|(second, counts)| {
        let angle = std::f64::consts::TAU * second as f64 / LIFETIME as f64;
        (f64::from(counts.iter().sum::<u32>()), angle)
    });
    let (x, y) =
        phases.fold((0.0, 0.0), |(x, y), (n, angle)| (x + n * libm::cos(angle), y + n * libm::sin(angle)));
    let together = (x * x + y * y).sqrt() / f64::from(births.max(1));
    Cycle {
        from: Time(number as u64 * LIFETIME as u64 * 1_000_000_000),
        births: u64::from(births),
        phase_lock_r1: together,
        phase_lock_r2: together * 0.9,
        rayleigh_p: if together > 0.1 { 0.0 } else { 0.4 },
        largest_cluster_1pct: together,
        fano: 1.0 + 200.0 * together,
    }
}

fn levels(node: &NodeMeasured) -> Vec<LevelSeries> {
    let of = "postgres.primary".to_owned();
    let bins = node.bins.iter().map(|bin| {
        let most = 4.0 + f64::from(bin.connects_max_1s_all);
        LevelBin { min: 0.0, mean: 2.0, max: most }
    });
    vec![LevelSeries { level: "active", of, bins: bins.collect() }]
}

fn closeups(herd: bool) -> Vec<CloseUp> {
    let bin = LevelBin { min: 0.0, mean: 2.0, max: 364.0 };
    let around = |storm: &Storm| {
        let peak = storm.at.0 / 1_000_000_000;
        (peak - 30..=peak + 60).map(|second| (second, bin)).collect::<Vec<_>>()
    };
    let seconds = storms(herd).iter().flat_map(around).collect();
    vec![CloseUp { level: "active", of: "postgres.primary".into(), seconds }]
}

fn dashboard(node: &NodeMeasured) -> Vec<ScrapedSeries> {
    let series = |level, value: &dyn Fn(usize) -> f64| ScrapedSeries {
        level,
        of: "postgres.primary".into(),
        samples: (0..SECONDS / 60)
            .map(|scrape| (Time((scrape as u64 * 60 + 17) * 1_000_000_000), value(scrape * 60 + 17)))
            .collect(),
    };
    let rate = |at: usize| {
        let counted = &node.starts_per_s[at.saturating_sub(60)..at];
        counted.iter().flatten().sum::<u32>() as f64 / 60.0
    };
    vec![
        series("backends", &|at| 392.0 + (8.0 * noise(at)).floor()),
        series("active", &|at| 2.0 + (3.0 * noise(at + 5)).floor()),
        series("connects_per_s", &rate),
    ]
}

fn at(second: usize) -> Time {
    Time(second as u64 * 1_000_000_000)
}

/// When the herd of a lifetime recycles.
fn recycling(number: usize) -> usize {
    number * LIFETIME + 420 + number
}

fn storms(herd: bool) -> Vec<Storm> {
    let numbers = if herd { 5..24 } else { 0..0 };
    let storm = |number: usize| Storm {
        node: "primary".into(),
        cause: Cause::Lifetime,
        from: at(recycling(number)),
        to: at(recycling(number) + 1),
        at: at(recycling(number) + 1),
        starts: 360,
        share: 0.9,
    };
    numbers.map(storm).collect()
}

fn spikes(herd: bool) -> Vec<Spike> {
    let numbers = if herd { 5..24 } else { 0..0 };
    let spike = |number: usize| Spike {
        service: "frontend-api".into(),
        from: at(recycling(number) / 10 * 10),
        to: at(recycling(number) / 10 * 10 + 20),
        p99_us: 1_650_000 + number as u64 * 2_000,
        beside: if number == 12 {
            vec!["lifetime".into(), "event.slow-disk".into()]
        } else {
            vec!["lifetime".into(), Cause::Growth.name().into()]
        },
        recycle: Some(Recycle { node: "primary".into(), at: at(recycling(number) + 1) }),
    };
    numbers.map(spike).collect()
}

fn marks() -> Vec<Mark> {
    let mark = |minutes: u64, event: &str, begins| Mark {
        at: Time(minutes * 60_000_000_000),
        event: event.into(),
        begins,
    };
    vec![
        mark(30, "upgrade", true),
        mark(180, "slow-disk", true),
        mark(207, "slow-disk", false),
        mark(210, "traffic-shaping", true),
        mark(300, "friday-deploy", true),
    ]
}
