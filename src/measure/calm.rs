//! Calm: the p99 of a service while nothing is wrong, against which trouble is held.
//!
//! In a run of which the lesser part is trouble, the median p99 of its bins of 10 s tells. Of one that is in
//! trouble for longer, the median is the trouble itself: an outage of twelve minutes out of twenty would be
//! the usual, and no spike. So the calm p99 is the least of the median, twice the lower quartile and four
//! times the lowest eighth: half the share of bins must be twice as plain. It moves without a step, and in an
//! ordinary run, whose calm bins differ by less than two, it is the median. Into the lower shares count only
//! the bins in which the legitimate were answered: a refusal is quick, and not calm. Left out: a run of which
//! less than an eighth is calm.

use super::recovery::answered;
use super::spikes::mid;
use super::{Measured, ServiceBin, ServiceMeasured};

/// The shares of bins, from the quickest on, and what their slowest counts for.
const LOWER: [(f64, f64); 2] = [(0.25, 2.0), (0.125, 4.0)];

/// A p99 of a bin in microseconds; `None` where nothing ended.
pub type OfBin = fn(&ServiceBin) -> Option<u64>;

/// The p99 of all requests.
pub fn of_all(bin: &ServiceBin) -> Option<u64> {
    bin.latency.map(|latency| latency.p99_us)
}

/// The p99 of the legitimate ones.
pub fn of_users(bin: &ServiceBin) -> Option<u64> {
    bin.users_p99_us
}

/// The calm p99 of a service in microseconds, over the first so many bins of a run; NaN if nothing ended in
/// them.
pub fn calm_us(measured: &Measured, service: &ServiceMeasured, p99: OfBin, bins: usize) -> f64 {
    let all = || service.bins.iter().take(bins).enumerate();
    let p99s = all().filter_map(|(place, bin)| Some((place, p99(bin)? as f64)));
    let (places, p99s): (Vec<usize>, Vec<f64>) = p99s.unzip();
    if p99s.is_empty() {
        return f64::NAN;
    }
    let well = |(place, _): &(&usize, &f64)| answered(measured, &service.service, **place);
    let well = places.iter().zip(&p99s).filter(well).map(|(_, p99)| *p99);
    lower(well.collect()).min(mid(p99s))
}

/// What the lower shares of some values tell; infinite of none.
fn lower(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let of = |(share, times): (f64, f64)| {
        let place = (values.len() as f64 * share) as usize;
        values.get(place).map_or(f64::INFINITY, |value| value * times)
    };
    LOWER.map(of).into_iter().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_share_must_be_twice_as_plain() {
        // So many calm bins of a hundred; the others are slower by so much.
        let calm = |bins: usize, slower: f64| {
            let values: Vec<f64> = (0..100).map(|n| if n < bins { 5.0 } else { 5.0 * slower }).collect();
            lower(values.clone()).min(mid(values))
        };
        assert_eq!([60, 51].map(|bins| calm(bins, 100.0)), [5.0, 5.0], "the median");
        assert_eq!([49, 26].map(|bins| calm(bins, 100.0)), [10.0, 10.0], "twice the quartile");
        assert_eq!([25, 13].map(|bins| calm(bins, 100.0)), [20.0, 20.0], "four times the eighth");
        assert_eq!(calm(12, 100.0), 500.0, "hardly anything is calm");
        assert_eq!([1.9, 2.1].map(|slower| calm(40, slower)), [9.5, 10.0], "there is no step");
        assert_eq!(lower(vec![]), f64::INFINITY);
    }
}
