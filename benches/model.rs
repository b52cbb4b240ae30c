//! What the model costs: simulated requests a second of one core, and its parts by themselves:
//! `cargo bench --bench model`.

#![allow(missing_docs, dead_code)]

mod workloads;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use herdsim::engine::chance::Stream;
use herdsim::engine::dist::Dist;
use herdsim::engine::sharing::Sharing;
use herdsim::engine::time::{Span, Time};
use herdsim::measure::latency::histogram;
use std::hint::black_box;
use std::time::Duration;
use workloads::stretch::STRETCHES;

/// Requests a second in stretches of the shipped scenarios: criterion's `elem/s`.
fn stretches(c: &mut Criterion) {
    let mut group = c.benchmark_group("requests");
    group.sample_size(10).warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_secs(1));
    for stretch in STRETCHES {
        let scenario = stretch.load();
        group.throughput(Throughput::Elements(stretch.run(&scenario).0));
        group.bench_function(stretch.name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| stretch.run(&scenario).1).sum());
        });
    }
    group.finish();
}

/// One job more and one less on a device that so many share.
fn sharing(c: &mut Criterion) {
    let demand = Dist::Exponential { mean: Span::from_millis(1) };
    let mut group = c.benchmark_group("sharing");
    for jobs in [10usize, 100, 1_000] {
        group.throughput(Throughput::Elements(1));
        group.bench_with_input(BenchmarkId::from_parameter(jobs), &jobs, |bencher, &jobs| {
            let mut draws = Stream::root(1).draws();
            let (mut device, mut now) = (Sharing::new(8.0, 250.0), Time::ZERO);
            for job in 0..jobs {
                device.start(now, demand.sample(&mut draws), job);
            }
            bencher.iter(|| {
                now = device.next_done().expect("jobs");
                let job = device.finish(now);
                device.start(now, demand.sample(&mut draws), black_box(job));
            });
        });
    }
    group.finish();
}

/// One latency into a histogram.
fn histograms(c: &mut Criterion) {
    let latency = Dist::log_normal(Span::from_millis(5), Span::from_millis(100));
    let mut draws = Stream::root(1).draws();
    let latencies: Vec<u64> = (0..4_096).map(|_| latency.sample(&mut draws).0 / 1_000).collect();
    let (mut histogram, mut next) = (histogram(), 0);
    c.bench_function("histogram", |bencher| {
        bencher.iter(|| {
            histogram.saturating_record(latencies[next]);
            next = (next + 1) % latencies.len();
        });
    });
}

criterion_group!(benches, stretches, sharing, histograms);
criterion_main!(benches);
