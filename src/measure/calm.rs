//! Calm: the p99 of a service while nothing is wrong, against which trouble is held.
//!
//! In a run of which the lesser part is trouble, the median p99 of its bins of 10 s tells. Of one that is in
//! trouble for longer, the median is the trouble itself: an outage of twelve minutes out of twenty would be
//! the usual, and no spike. So the calm p99 is the least of the median, twice the lower quartile and four
//! times the lowest eighth: half the share of bins must be twice as plain. It moves without a step, and in an
//! ordinary run, whose calm bins differ by less than two, it is the median. Into the lower shares count only
//! the bins in which the legitimate were answered: a refusal is quick, and not calm. Left out: a run of which
//! less than an eighth is calm.

use super::{BIN, ClassMeasured, Measured, ServiceBin, ServiceMeasured};
use crate::scenario::grammar::{Label, Outcome};

/// The shares of bins, from the quickest on, and what their slowest counts for.
const LOWER: [(f64, f64); 2] = [(0.25, 2.0), (0.125, 4.0)];

/// The share of requests that a good bin answers.
pub const ANSWERED: f64 = 0.99;

/// Whose p99 it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// That of all requests.
    All,
    /// That of the legitimate ones.
    Users,
}

impl Whose {
    /// The p99 of a bin in microseconds; `None` where nothing ended.
    pub fn p99_us(self, bin: &ServiceBin) -> Option<u64> {
        match self {
            Whose::All => bin.latency.map(|latency| latency.p99_us),
            Whose::Users => bin.users_p99_us,
        }
    }

    /// The median. Of all requests it is one that was measured, the greater of two in the middle: what lies
    /// between a fast half and a slow one is neither's.
    fn median(self, mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        match self {
            Whose::All => values.get(values.len() / 2).copied().unwrap_or(f64::NAN),
            Whose::Users => mid(values),
        }
    }
}

/// The calm p99 of a service in microseconds, over the first so many bins of a run; NaN if nothing ended in
/// them.
pub fn calm_us(measured: &Measured, service: &ServiceMeasured, whose: Whose, bins: usize) -> f64 {
    let all = || service.bins.iter().take(bins).enumerate();
    let p99s = all().filter_map(|(place, bin)| Some((place, whose.p99_us(bin)? as f64)));
    let (places, p99s): (Vec<usize>, Vec<f64>) = p99s.unzip();
    if p99s.is_empty() {
        return f64::NAN;
    }
    let well = |(place, _): &(&usize, &f64)| answered(measured, &service.service, **place);
    let well = places.iter().zip(&p99s).filter(well).map(|(_, p99)| *p99);
    lower(well.collect()).min(whose.median(p99s))
}

/// Whether a service answered enough of its legitimate requests in a bin.
pub fn answered(measured: &Measured, service: &str, place: usize) -> bool {
    answered_share(measured, service, place) >= ANSWERED
}

/// The share of a service's legitimate requests that a bin answers well; 1 where nobody asked. Those that
/// ended in it count, and those that arrived in it to hang: the unanswered at the end of the run, and, of a
/// class of which nothing ended, all, unless it takes longer than a bin as a rule.
pub fn answered_share(measured: &Measured, service: &str, place: usize) -> f64 {
    let is_mine = |class: &&ClassMeasured| class.service == service && class.label == Label::Legitimate;
    let mine = measured.classes.iter().filter(is_mine);
    let bins = mine.filter_map(|class| Some((class, class.bins.get(place)?)));
    let (ok, all) = bins.fold((0, 0), |(ok, all), (class, bin)| {
        let ended: u64 = bin.ended.iter().map(|count| u64::from(*count)).sum();
        let silent = ended == 0 && bin.arrived > 0 && !takes_long(class);
        let hung = if silent { bin.arrived } else { bin.unanswered };
        (ok + u64::from(bin.ended[Outcome::Ok as usize]), all + ended + u64::from(hung))
    });
    if all == 0 { 1.0 } else { ok as f64 / all as f64 }
}

/// Whether half of what a class answers well takes longer than a bin.
fn takes_long(class: &ClassMeasured) -> bool {
    let answered = class.latency_us[Outcome::Ok as usize].as_ref();
    answered.is_some_and(|latency| latency.value_at_quantile(0.5) > BIN.0 / 1_000)
}

/// The middle of some numbers, or the mean of the two in the middle; NaN of none.
pub fn mid(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
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
    fn of_two_in_the_middle_the_greater_was_measured() {
        let median = |whose: Whose| whose.median(vec![20.0, 17.0, 17.0, 20.0]);
        assert_eq!([Whose::All, Whose::Users].map(median), [20.0, 18.5]);
    }

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
