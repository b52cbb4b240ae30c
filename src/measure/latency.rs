//! Latency: one histogram a bin for each class and outcome, merged into the run's and the service's.
//!
//! From the intended arrival to the end, in microseconds, within 1 % (two significant digits, HDR histogram),
//! up to an hour. Bins are by time of the end, as a monitoring system sees them.

use super::{ClassBin, ClassMeasured, OUTCOMES, Quantiles, ServiceBin, UserCounts, bucket_of};
use crate::engine::time::Span;
use crate::model::build::Series;
use crate::scenario::grammar::Outcome;
use hdrhistogram::Histogram;

/// The longest latency that is told apart, in microseconds.
const LONGEST_US: u64 = 3_600_000_000;

/// An empty histogram of latencies in microseconds.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 2).expect("valid bounds")
}

/// Watches one class of one label.
#[derive(Clone, Debug)]
pub struct ClassWatch {
    series: Series,
    arrived: u64,
    ended: [u64; OUTCOMES],
    users: UserCounts,
    bin: ClassBin,
    bins: Vec<ClassBin>,
    in_bin: Vec<Option<Histogram<u64>>>,
    in_run: Vec<Option<Histogram<u64>>>,
}

impl ClassWatch {
    /// Nothing seen.
    pub fn new(series: Series) -> ClassWatch {
        ClassWatch {
            series,
            arrived: 0,
            ended: [0; OUTCOMES],
            users: UserCounts::default(),
            bin: ClassBin::default(),
            bins: Vec::new(),
            in_bin: vec![None; OUTCOMES],
            in_run: vec![None; OUTCOMES],
        }
    }

    /// A request arrived.
    pub fn arrive(&mut self) {
        self.bin.arrived += 1;
    }

    /// A request ended.
    pub fn end(&mut self, outcome: Outcome, latency: Span) {
        self.bin.ended[outcome as usize] += 1;
        let histogram = self.in_bin[outcome as usize].get_or_insert_with(histogram);
        histogram.saturating_record((latency.0 / 1_000).max(1));
    }

    /// A wish began.
    pub fn wish(&mut self) {
        self.users.arrived += 1;
    }

    /// A wish ended.
    pub fn wish_ended(&mut self, fulfilled: bool) {
        if fulfilled {
            self.users.succeeded += 1;
        } else {
            self.users.failed += 1;
        }
    }

    /// A bin ends: its latencies are added to the service's and to the run's.
    pub fn close_bin(&mut self, service: &mut Histogram<u64>, scratch: &mut Histogram<u64>) {
        scratch.reset();
        for (outcome, in_bin) in self.in_bin.iter_mut().enumerate() {
            let Some(in_bin) = in_bin.as_mut().filter(|histogram| !histogram.is_empty()) else { continue };
            let in_run = self.in_run[outcome].get_or_insert_with(histogram);
            for sum in [&mut *scratch, in_run] {
                sum.add(&*in_bin).expect("the same bounds");
            }
            in_bin.reset();
        }
        service.add(&*scratch).expect("the same bounds");
        let mut bin = std::mem::take(&mut self.bin);
        bin.latency = quantiles(scratch);
        self.arrived += u64::from(bin.arrived);
        for (sum, count) in self.ended.iter_mut().zip(bin.ended) {
            *sum += u64::from(count);
        }
        self.bins.push(bin);
    }

    /// What was seen, at the end of the run.
    pub fn finish(self, services: &[String]) -> ClassMeasured {
        let in_flight = self.arrived - self.ended.iter().sum::<u64>();
        ClassMeasured {
            class: self.series.class,
            label: self.series.label,
            service: services[usize::from(self.series.service)].clone(),
            arrived: self.arrived,
            ended: self.ended,
            in_flight,
            users: self.users,
            latency_us: self.in_run,
            bins: self.bins,
        }
    }
}

/// The quantiles of a histogram; `None` if it is empty.
pub fn quantiles(histogram: &Histogram<u64>) -> Option<Quantiles> {
    (!histogram.is_empty()).then(|| Quantiles {
        p50_us: histogram.value_at_quantile(0.5),
        p95_us: histogram.value_at_quantile(0.95),
        p99_us: histogram.value_at_quantile(0.99),
        max_us: histogram.max(),
    })
}

/// The bin of a service whose latencies in it are these.
pub fn service_bin(histogram: &Histogram<u64>) -> ServiceBin {
    let mut buckets: Vec<(u16, u32)> = Vec::new();
    for value in histogram.iter_recorded() {
        let bucket = bucket_of(value.value_iterated_to());
        let count = value.count_at_value() as u32;
        match buckets.last_mut() {
            Some(last) if last.0 == bucket => last.1 += count,
            _ => buckets.push((bucket, count)),
        }
    }
    ServiceBin { latency: quantiles(histogram), buckets }
}
