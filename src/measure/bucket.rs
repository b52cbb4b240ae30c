//! Buckets of latency for heat maps and tables: eight for each doubling, from a microsecond up.
//!
//! Coarser than the histograms that percentiles are read from, so that those of every bin can be kept.

use super::Measured;
use hdrhistogram::Histogram;

/// Buckets in each doubling of latency.
const BUCKETS_PER_OCTAVE: u32 = 8;

/// The logarithmic bucket of a latency: bucket `b` begins at [`floor_us`]`(b)`.
pub fn of(latency_us: u64) -> u16 {
    let latency = latency_us.max(1);
    let octave = latency.ilog2();
    let within = ((latency as u128 * BUCKETS_PER_OCTAVE as u128) >> octave) as u32 - BUCKETS_PER_OCTAVE;
    (octave * BUCKETS_PER_OCTAVE + within) as u16
}

/// The least latency in a bucket, in microseconds.
pub fn floor_us(bucket: u16) -> f64 {
    let (octave, within) = (u32::from(bucket) / BUCKETS_PER_OCTAVE, u32::from(bucket) % BUCKETS_PER_OCTAVE);
    (1u64 << octave) as f64 * (1.0 + f64::from(within) / f64::from(BUCKETS_PER_OCTAVE))
}

/// How many of a histogram are in which bucket: (bucket, count), ascending, none of them zero.
pub fn counts(histogram: &Histogram<u64>) -> Vec<(u16, u32)> {
    let mut counts: Vec<(u16, u32)> = Vec::new();
    for value in histogram.iter_recorded() {
        let (bucket, count) = (of(value.value_iterated_to()), value.count_at_value() as u32);
        match counts.last_mut() {
            Some(last) if last.0 == bucket => last.1 += count,
            _ => counts.push((bucket, count)),
        }
    }
    counts
}

/// Those of a service in each bin, of all its classes and outcomes: (bucket, count), in no order, a bucket
/// as often as it is met.
pub fn of_service(measured: &Measured, service: &str) -> Vec<Vec<(u16, u32)>> {
    let mut bins: Vec<Vec<(u16, u32)>> = Vec::new();
    for class in measured.classes.iter().filter(|class| class.service == service) {
        bins.resize(bins.len().max(class.bins.len()), vec![]);
        for (all, mine) in bins.iter_mut().zip(&class.bins) {
            all.extend(mine.buckets.iter().map(|(_, bucket, count)| (*bucket, *count)));
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_what_they_say() {
        for latency in [1, 2, 3, 7, 8, 9, 15, 16, 1000, 123_456, 300_000_000] {
            let bucket = of(latency);
            assert!(floor_us(bucket) <= latency as f64, "{latency}");
            if latency >= 8 {
                assert!((latency as f64) < floor_us(bucket + 1), "{latency}");
            }
        }
    }
}
