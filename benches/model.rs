//! What the model costs: simulated requests a second of one core, its parts by themselves, and what is
//! written of a run: `cargo bench --bench model`.

#![allow(missing_docs, dead_code)]

mod workloads;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use herdsim::engine::chance::Stream;
use herdsim::engine::dist::Dist;
use herdsim::engine::sharing::Sharing;
use herdsim::engine::slab::Id;
use herdsim::engine::time::{Span, Time};
use herdsim::experiment::{self, Run};
use herdsim::measure::latency::histogram;
use herdsim::measure::summary;
use herdsim::model::ConnectionId;
use herdsim::model::pool::Action;
use herdsim::report::page::{self, Content};
use herdsim::report::{Header, csv};
use herdsim::scenario::Document;
use serde_json::Value;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;
use workloads::fleet;
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

/// A pool by itself: a connection lent and given back, and the look over those that are idle, which finds
/// none too old; then the same where all are lent, so that who wants one waits until it is handed over.
fn pools(c: &mut Criterion) {
    let mut group = c.benchmark_group("pool");
    let (now, mut out) = (Time::ZERO, Vec::new());
    for idle in [10, 1_000] {
        let (mut pool, mut wires) = fleet::pool(idle);
        group.bench_function(BenchmarkId::new("lend", idle), |bencher| {
            bencher.iter(|| {
                pool.acquire(now, &mut wires, Id::NONE, &mut out);
                pool.release(now, &mut wires, lent(&mut out), false, &mut out);
                out.clear();
            });
        });
        group.bench_function(BenchmarkId::new("look-over", idle), |bencher| {
            bencher.iter(|| pool.sweep_due(now, &mut wires, black_box(&mut out)));
        });
    }
    let (mut pool, mut wires) = fleet::pool(fleet::MAX);
    let take = |_| pool.acquire(now, &mut wires, Id::NONE, &mut out);
    (0..fleet::MAX).for_each(take);
    let mut connection = lent(&mut out);
    group.bench_function(BenchmarkId::new("hand-over", fleet::MAX), |bencher| {
        bencher.iter(|| {
            pool.acquire(now, &mut wires, Id::NONE, &mut out);
            pool.release(now, &mut wires, connection, false, &mut out);
            connection = lent(&mut out);
        });
    });
    group.finish();
}

/// The connection that somebody gets.
fn lent(out: &mut Vec<Action>) -> ConnectionId {
    let given = |action: Action| match action {
        Action::Give { connection, .. } => Some(connection),
        _ => None,
    };
    out.drain(..).rev().find_map(given).expect("somebody gets a connection")
}

/// The lock table. It is the node's own and cannot be had alone: requests that change a row without a lock,
/// with a lock on rows that hardly ever meet, and with rows that are waited for. What lies between them is
/// the table's.
fn locks(c: &mut Criterion) {
    let mut group = c.benchmark_group("locks");
    group.sample_size(20);
    for (name, lock) in
        [("none", ""), ("free", "lock = { rows = 1000000 }"), ("waits", "lock = { rows = 2 }")]
    {
        let fleet = fleet::fleet(lock);
        let tally = fleet::tally(&fleet);
        assert_eq!(tally.waited > tally.arrived / 10, name == "waits", "{name}: {tally:?}");
        group.throughput(Throughput::Elements(tally.arrived));
        group.bench_function(name, |bencher| bencher.iter(|| fleet::tally(black_box(&fleet))));
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

/// What is written of a run, an hour of the quickstart's fleet: all its tables as CSV, and the page.
fn papers(c: &mut Criterion) {
    let (header, run) = hour();
    let runs = [run];
    let mut group = c.benchmark_group("report");
    group.sample_size(10);
    let tables = || {
        let summaries = [summary::rows(&runs[0].measured)];
        csv::all(&header, &runs, &summaries).map(|(_, text)| text.len() as u64).sum::<u64>()
    };
    group.throughput(Throughput::Bytes(tables()));
    group.bench_function("csv", |bencher| bencher.iter(tables));
    let nothing = Value::Null;
    let content = Content {
        header: &header,
        runs: &runs,
        judged: &[],
        effects: &nothing,
        resolved: &[],
        manifest: &nothing,
        pictures: &[],
        overlays: &[],
    };
    group.throughput(Throughput::Bytes(page::html(&content).len() as u64));
    group.bench_function("page", |bencher| bencher.iter(|| page::html(black_box(&content))));
    group.finish();
}

/// An hour of the quickstart's fleet, measured.
fn hour() -> (Header, Run) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/quickstart.toml");
    let set = ["duration=1h".to_owned()];
    let (document, _) = Document::load(Path::new(path), &[], &set).expect("a shipped scenario");
    let scenario = document.scenario("no-jitter").expect("a variant of it");
    let run = experiment::run(scenario, 1, &AtomicU64::new(0), &AtomicBool::new(false));
    (Header::of("quickstart", scenario), run.expect("nobody stops it"))
}

criterion_group!(benches, stretches, sharing, pools, locks, histograms, papers);
criterion_main!(benches);
