//! What users saw, in the file: classes of requests and services, with their latency.

use crate::measure::{
    ClassBin, ClassMeasured, OUTCOMES, Quantiles, Served, ServiceBin, ServiceMeasured, UserCounts,
};
use crate::scenario::grammar::Label;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct StoredClass {
    class: String,
    label: Label,
    service: String,
    arrived: u64,
    ended: [u64; OUTCOMES],
    in_flight: u64,
    users: [u64; 3],
    latency_us: Vec<Option<StoredHistogram>>,
    bins: Vec<StoredClassBin>,
    served: Vec<(String, Vec<u32>)>,
}

/// Arrived, ended, wishes fulfilled and given up and requests unanswered, latency, how many by latency and by
/// outcome and bucket.
type StoredClassBin = (u32, [u32; OUTCOMES], [u32; 3], StoredQuantiles, Vec<(u32, u32)>, Vec<(u8, u16, u32)>);

/// Latency of all, p99 of the legitimate.
type StoredServiceBin = (StoredQuantiles, Option<u64>);

#[derive(Serialize, Deserialize)]
pub(super) struct StoredService {
    service: String,
    nodes: Vec<String>,
    bins: Vec<StoredServiceBin>,
}

/// p50, p95, p99, max.
type StoredQuantiles = Option<[u64; 4]>;

#[derive(Serialize, Deserialize)]
struct StoredHistogram {
    low: u64,
    high: u64,
    figures: u8,
    counts: Vec<(u64, u64)>,
}

pub(super) fn stored_class(class: &ClassMeasured) -> StoredClass {
    let bin = |bin: &ClassBin| {
        let counts = [bin.fulfilled, bin.given_up, bin.unanswered];
        let latency = stored_quantiles(bin.latency);
        (bin.arrived, bin.ended, counts, latency, bin.counts.clone(), bin.buckets.clone())
    };
    StoredClass {
        class: class.class.clone(),
        label: class.label,
        service: class.service.clone(),
        arrived: class.arrived,
        ended: class.ended,
        in_flight: class.in_flight,
        users: [class.users.arrived, class.users.succeeded, class.users.failed],
        latency_us: class.latency_us.iter().map(|latency| latency.as_ref().map(stored_histogram)).collect(),
        bins: class.bins.iter().map(bin).collect(),
        served: class.served.iter().map(|served| (served.by.clone(), served.bins.clone())).collect(),
    }
}

pub(super) fn class(stored: StoredClass) -> Result<ClassMeasured, String> {
    let [arrived, succeeded, failed] = stored.users;
    let bin = |(arrived, ended, wishes, latency, counts, buckets): StoredClassBin| {
        let ([fulfilled, given_up, unanswered], latency) = (wishes, quantiles(latency));
        ClassBin { arrived, ended, fulfilled, given_up, unanswered, latency, counts, buckets }
    };
    let latency_us = stored.latency_us.into_iter().map(|stored| stored.map(histogram).transpose());
    Ok(ClassMeasured {
        class: stored.class,
        label: stored.label,
        service: stored.service,
        arrived: stored.arrived,
        ended: stored.ended,
        in_flight: stored.in_flight,
        users: UserCounts { arrived, succeeded, failed },
        latency_us: latency_us.collect::<Result<_, _>>()?,
        bins: stored.bins.into_iter().map(bin).collect(),
        served: stored.served.into_iter().map(|(by, bins)| Served { by, bins }).collect(),
    })
}

pub(super) fn stored_service(service: &ServiceMeasured) -> StoredService {
    let bin = |bin: &ServiceBin| (stored_quantiles(bin.latency), bin.users_p99_us);
    StoredService {
        service: service.service.clone(),
        nodes: service.nodes.clone(),
        bins: service.bins.iter().map(bin).collect(),
    }
}

pub(super) fn service(stored: StoredService) -> ServiceMeasured {
    let bin = |(latency, users_p99_us)| ServiceBin { latency: quantiles(latency), users_p99_us };
    let bins = stored.bins.into_iter().map(bin).collect();
    ServiceMeasured { service: stored.service, nodes: stored.nodes, bins }
}

fn stored_quantiles(latency: Option<Quantiles>) -> StoredQuantiles {
    latency.map(|q| [q.p50_us, q.p95_us, q.p99_us, q.max_us])
}

fn quantiles(stored: StoredQuantiles) -> Option<Quantiles> {
    stored.map(|[p50_us, p95_us, p99_us, max_us]| Quantiles { p50_us, p95_us, p99_us, max_us })
}

fn stored_histogram(histogram: &Histogram<u64>) -> StoredHistogram {
    let counts = histogram.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value()));
    StoredHistogram {
        low: histogram.low(),
        high: histogram.high(),
        figures: histogram.sigfig(),
        counts: counts.collect(),
    }
}

fn histogram(stored: StoredHistogram) -> Result<Histogram<u64>, String> {
    // The bounds decide how much memory a histogram takes: those of a damaged file could be anything.
    if stored.figures > 4 || stored.high > 1 << 50 {
        return Err("a histogram has bounds that no run has".to_owned());
    }
    let made = Histogram::new_with_bounds(stored.low, stored.high, stored.figures);
    let mut histogram = made.map_err(|error| error.to_string())?;
    for (value, count) in stored.counts {
        histogram.record_n(value, count).map_err(|error| error.to_string())?;
    }
    Ok(histogram)
}
