//! What the model costs: simulated requests a second of one core, its parts by themselves, and what is
//! written of a run: `cargo bench --bench model`.

#![allow(missing_docs, dead_code)]

mod workloads;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use herdsim::experiment::{self, Run};
use herdsim::measure::summary;
use herdsim::report::page::{self, Content};
use herdsim::report::{Header, csv};
use herdsim::scenario::Document;
use serde_json::Value;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;
use workloads::fleet;
use workloads::parts::{self, Device, Lender};
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
    let mut group = c.benchmark_group("sharing");
    for jobs in [10usize, 100, 1_000] {
        group.throughput(Throughput::Elements(1));
        group.bench_with_input(BenchmarkId::from_parameter(jobs), &jobs, |bencher, &jobs| {
            let mut device = Device::new(jobs);
            bencher.iter(|| device.turn());
        });
    }
    group.finish();
}

/// A pool by itself: a connection lent and given back, and the look over those that are idle, which finds
/// none too old; then the same where all are lent, so that who wants one waits until it is handed over.
fn pools(c: &mut Criterion) {
    let mut group = c.benchmark_group("pool");
    for idle in [10, 1_000] {
        let mut lender = Lender::new(idle);
        group.bench_function(BenchmarkId::new("lend", idle), |bencher| bencher.iter(|| lender.turn()));
        group.bench_function(BenchmarkId::new("look-over", idle), |bencher| {
            bencher.iter(|| lender.look_over())
        });
    }
    let mut lender = Lender::new(fleet::MAX);
    (0..fleet::MAX).for_each(|_| lender.take());
    let mut connection = lender.lent();
    group.bench_function(BenchmarkId::new("hand-over", fleet::MAX), |bencher| {
        bencher.iter(|| {
            lender.take();
            lender.give_back(connection);
            connection = lender.lent();
        });
    });
    group.finish();
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

/// Latencies into a histogram.
fn histograms(c: &mut Criterion) {
    let mut group = c.benchmark_group("histogram");
    group.throughput(Throughput::Elements(4_096));
    group.bench_function("record", |bencher| bencher.iter(|| parts::histograms(black_box(4_096))));
    group.finish();
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
