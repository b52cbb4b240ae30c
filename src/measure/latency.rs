//! Latency: one histogram a bin for each class and outcome, merged into the run's and the service's.
//!
//! From the intended arrival to the end, in microseconds, within 1 % (two significant digits, HDR histogram),
//! up to an hour. Bins are by time of the end, as a monitoring system sees them. What is under way when the
//! run ends has no end: where it has taken longer than anything that was answered well, it counts as failed,
//! so that an outage that lasts to the end is seen. Of a class for which an expectation asks a percentile,
//! the histogram of every bin is kept, so that those of a window can be merged.

use super::{
    BIN, ClassBin, ClassMeasured, OUTCOMES, Quantiles, Served, ServiceBin, UNANSWERED, UserCounts, bucket,
};
use crate::engine::time::{Span, Time};
use crate::model::build::{Places, Series};
use crate::model::fact::ServedBy;
use crate::scenario::grammar::{File, Outcome};
use hdrhistogram::Histogram;

/// The longest latency that is told apart, in microseconds.
const LONGEST_US: u64 = 3_600_000_000;

/// Who serves what no service does.
pub const EDGE: &str = "edge";
/// Who serves what needs no database.
const APPLICATION: &str = "application";

/// An empty histogram of latencies in microseconds.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 2).expect("valid bounds")
}

/// Watches one class of one label.
#[derive(Clone, Debug)]
pub struct ClassWatch {
    series: Series,
    /// Whether the histogram of every bin is kept.
    keeps: bool,
    arrived: u64,
    ended: [u64; OUTCOMES],
    users: UserCounts,
    /// Who served, how many in this bin, and in those before.
    served: Vec<(ServedBy, u32, Vec<u32>)>,
    bin: ClassBin,
    bins: Vec<ClassBin>,
    in_bin: Vec<Option<Histogram<u64>>>,
    in_run: Vec<Option<Histogram<u64>>>,
}

impl ClassWatch {
    /// Nothing seen. `keeps`: whether the histogram of every bin is kept.
    pub fn new(series: Series, keeps: bool) -> ClassWatch {
        ClassWatch {
            series,
            keeps,
            arrived: 0,
            ended: [0; OUTCOMES],
            users: UserCounts::default(),
            served: Vec::new(),
            bin: ClassBin::default(),
            bins: Vec::new(),
            in_bin: vec![None; OUTCOMES + 1],
            in_run: vec![None; OUTCOMES + 1],
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
        histogram.saturating_record(us(latency));
    }

    /// A wish began.
    pub fn wish(&mut self) {
        self.users.arrived += 1;
    }

    /// A wish ended.
    pub fn wish_ended(&mut self, fulfilled: bool) {
        if fulfilled {
            self.users.succeeded += 1;
            self.bin.fulfilled += 1;
        } else {
            self.users.failed += 1;
            self.bin.given_up += 1;
        }
    }

    /// Somebody served a request.
    pub fn serve(&mut self, by: ServedBy) {
        match self.served.iter_mut().find(|served| served.0 == by) {
            Some(served) => served.1 += 1,
            None => self.served.push((by, 1, vec![0; self.bins.len()])),
        }
    }

    /// The run ends within the present bin; these requests have been under way for so long.
    pub fn cut_off(&mut self, end: Time, under_way: impl Iterator<Item = Time>) {
        let ok = [&self.in_bin, &self.in_run].map(|histograms| histograms[Outcome::Ok as usize].as_ref());
        // Where nothing was answered there is nothing to tell what is late.
        let Some(longest) = ok.into_iter().flatten().map(|answered| answered.max()).max() else { return };
        for arrived in under_way.filter(|arrived| us(end.since(*arrived)) > longest) {
            self.in_bin[UNANSWERED].get_or_insert_with(histogram).saturating_record(us(end.since(arrived)));
            self.users.failed += 1;
            let bin = self.bins.get_mut((arrived.0 / BIN.0) as usize).unwrap_or(&mut self.bin);
            (bin.given_up, bin.unanswered) = (bin.given_up + 1, bin.unanswered + 1);
        }
    }

    /// A bin ends: its latencies are added to the service's and to the run's.
    pub fn close_bin(&mut self, service: &mut Histogram<u64>, scratch: &mut Histogram<u64>) {
        scratch.reset();
        let mut buckets = Vec::new();
        for (outcome, in_bin) in self.in_bin.iter_mut().enumerate() {
            let Some(in_bin) = in_bin.as_mut().filter(|histogram| !histogram.is_empty()) else { continue };
            let in_run = self.in_run[outcome].get_or_insert_with(histogram);
            for sum in [&mut *scratch, in_run] {
                sum.add(&*in_bin).expect("the same bounds");
            }
            let counts = bucket::counts(in_bin).into_iter();
            buckets.extend(counts.map(|(bucket, count)| (outcome as u8, bucket, count)));
            in_bin.reset();
        }
        service.add(&*scratch).expect("the same bounds");
        let mut bin = std::mem::take(&mut self.bin);
        bin.latency = quantiles(scratch);
        bin.buckets = buckets;
        if self.keeps {
            bin.counts = counts(scratch);
        }
        self.arrived += u64::from(bin.arrived);
        for (sum, count) in self.ended.iter_mut().zip(bin.ended) {
            *sum += u64::from(count);
        }
        self.bins.push(bin);
        for (_, count, bins) in &mut self.served {
            bins.push(std::mem::take(count));
        }
    }

    /// What was seen, at the end of the run.
    ///
    /// # Panics
    /// If it is known who served, and that is not known of every request that ended well.
    pub fn finish(self, places: &Places) -> ClassMeasured {
        let in_flight = self.arrived - self.ended.iter().sum::<u64>();
        let served = served(self.served, places);
        let counted: u64 = served.iter().flat_map(|served| &served.bins).map(|count| u64::from(*count)).sum();
        let ok = self.ended[Outcome::Ok as usize];
        assert!(served.is_empty() || counted == ok, "{}: {counted} served, {ok} ok", self.series.class);
        ClassMeasured {
            class: self.series.class,
            label: self.series.label,
            service: places.services[usize::from(self.series.service)].clone(),
            arrived: self.arrived,
            ended: self.ended,
            in_flight,
            users: self.users,
            latency_us: self.in_run,
            bins: self.bins,
            served,
        }
    }
}

/// A latency as it is recorded, in microseconds.
fn us(latency: Span) -> u64 {
    (latency.0 / 1_000).max(1)
}

/// Who served, by name: nodes in file order, the application, the edge last.
fn served(mut counts: Vec<(ServedBy, u32, Vec<u32>)>, places: &Places) -> Vec<Served> {
    counts.sort_by_key(|(by, _, _)| match by {
        ServedBy::Node(node) => usize::from(*node),
        ServedBy::Application => usize::MAX - 1,
        ServedBy::Edge => usize::MAX,
    });
    let name = |by| match by {
        ServedBy::Node(node) => places.nodes[usize::from(node)].clone(),
        ServedBy::Application => APPLICATION.to_owned(),
        ServedBy::Edge => EDGE.to_owned(),
    };
    counts.into_iter().map(|(by, _, bins)| Served { by: name(by), bins }).collect()
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

/// Whether an expectation asks for a percentile of a class with this label.
pub fn is_asked(file: &File, series: &Series) -> bool {
    let of = format!("request.{}", series.label.of_class(&series.class));
    file.expect.values().any(|expect| expect.metric.quantile().is_some() && expect.of == of)
}

/// A percentile over bins whose histograms were kept, in milliseconds; NaN where nothing ended.
pub fn percentile_ms<'a>(bins: impl Iterator<Item = &'a ClassBin>, quantile: f64) -> f64 {
    let mut merged = histogram();
    for (latency_us, count) in bins.flat_map(|bin| &bin.counts) {
        merged.saturating_record_n(u64::from(*latency_us), u64::from(*count));
    }
    if merged.is_empty() { f64::NAN } else { merged.value_at_quantile(quantile) as f64 / 1e3 }
}

/// A histogram as a list: latency in microseconds, how many.
fn counts(histogram: &Histogram<u64>) -> Vec<(u32, u32)> {
    let recorded = histogram.iter_recorded();
    recorded.map(|one| (one.value_iterated_to() as u32, one.count_at_value() as u32)).collect()
}

/// The 99th percentile of a histogram; `None` if it is empty.
pub fn p99_us(histogram: &Histogram<u64>) -> Option<u64> {
    (!histogram.is_empty()).then(|| histogram.value_at_quantile(0.99))
}

/// The bin of a service whose latencies in it are these, and whose legitimate requests had this p99.
pub fn service_bin(histogram: &Histogram<u64>, users_p99_us: Option<u64>) -> ServiceBin {
    ServiceBin { latency: quantiles(histogram), users_p99_us }
}
