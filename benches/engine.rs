//! The agenda, the streams and the parts of the engine beside hand-written loops: `cargo bench --bench engine`.
//!
//! Every pair is measured within one run, so that their ratio holds on a noisy machine; customers (firings)
//! a second are criterion's `elem/s`. What each is: `workloads/mod.rs`. Beside other simulators:
//! `make peers`.

#![allow(missing_docs, dead_code)]

mod workloads;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use herdsim::engine::time::Span;
use std::hint::black_box;
use workloads::{Outcome, hold, mmc, pool};

const CUSTOMERS: u64 = 1_000_000;
const FIRINGS: u64 = 5_000_000;
const LENGTH: Span = Span::from_secs(60);

/// Both sides of a workload; they meet the same luck, so they must come to the same.
fn pair(c: &mut Criterion, name: &str, ours: impl Fn(u64) -> Outcome, by_hand: impl Fn(u64) -> Outcome) {
    let outcome = ours(1);
    assert_eq!(outcome, by_hand(1), "{name}");
    let mut group = c.benchmark_group(name);
    group.sample_size(10).throughput(Throughput::Elements(outcome.count));
    group.bench_function("by-hand", |bencher| bencher.iter(|| by_hand(black_box(1))));
    group.bench_function("herdsim", |bencher| bencher.iter(|| ours(black_box(1))));
    group.finish();
}

fn workloads(c: &mut Criterion) {
    pair(c, "mmc", |seed| mmc::herdsim(seed, CUSTOMERS), |seed| mmc::by_hand(seed, CUSTOMERS));
    for (name, pending) in [("hold-10k", 10_000), ("hold-100k", 100_000)] {
        let ours = |seed| hold::herdsim(seed, pending, FIRINGS);
        pair(c, name, ours, |seed| hold::by_hand(seed, pending, FIRINGS));
    }
    pair(c, "pool", |seed| pool::herdsim(seed, LENGTH), |seed| pool::by_hand(seed, LENGTH));
}

criterion_group!(benches, workloads);
criterion_main!(benches);
