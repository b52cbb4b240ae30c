//! Harm: for how long users suffered, how many wishes were lost, and how often a herd struck. One measure for
//! every kind of incident.
//!
//! A remedy for a herd may make an outage worse, so that the two must be measured alike. *Bad time* is the
//! sum of the 10 s bins in which any service answers fewer than 99 % of its legitimate requests well, or its
//! p99 exceeds ten times the calm one of the unchanged run with the same seed (as for a latency spike).
//! *Lost* is the share of users' wishes that were given up after all retries. *Recycle spikes* are the
//! latency spikes that connections replaced for their age set off: what is left when the surges that hurt by
//! themselves are taken away. Left out: what a remedy costs.

use super::Run;
use super::paired::ROUNDING;
use super::statistics::Mean;
use crate::measure::BIN;
use crate::measure::calm::answered;
use crate::measure::calm::{Whose, calm_us};
use crate::measure::outage::bin_length;
use crate::measure::recycles::recycle_spikes;
use crate::measure::spikes::SPIKE_FACTOR;
use crate::measure::{ClassMeasured, Measured};
use crate::scenario::grammar::Label;

/// What users suffered in one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Harm {
    /// Seconds in which a service did not serve as usual.
    pub bad_s: f64,
    /// The share of wishes that were given up; NaN if there were none.
    pub lost: f64,
    /// Latency spikes that connections replaced for their age set off, over all services.
    pub recycle_spikes: f64,
}

/// What users suffered in a run, held against the usual latency of another.
pub fn harm(run: &Run, usual: &Run) -> Harm {
    let measured = &run.measured;
    let bins = measured.services.iter().map(|service| service.bins.len()).max().unwrap_or(0);
    let limits: Vec<f64> =
        measured.services.iter().map(|one| limit_us(&usual.measured, &one.service)).collect();
    let bad = (0..bins).filter(|bin| {
        let mut services = measured.services.iter().zip(&limits);
        services.any(|(service, limit)| {
            let p99 = service.bins.get(*bin).and_then(|bin| bin.users_p99_us);
            p99.is_some_and(|p99| p99 as f64 > *limit) || !answered(measured, &service.service, *bin)
        })
    });
    let herds = measured.services.iter().map(|service| recycle_spikes(measured, &service.service).count());
    Harm {
        bad_s: bad.map(|bin| bin_length(measured, bin)).fold(0.0, |sum, length| sum + length),
        lost: lost(measured),
        recycle_spikes: herds.sum::<usize>() as f64,
    }
}

/// The p99 beyond which a bin is bad, in microseconds; NaN if the service never answered.
fn limit_us(usual: &Measured, service: &str) -> f64 {
    let service = usual.services.iter().find(|one| one.service == service);
    service.map_or(f64::NAN, |service| SPIKE_FACTOR * calm_us(usual, service, Whose::Users, usize::MAX))
}

fn users(measured: &Measured) -> impl Iterator<Item = &ClassMeasured> {
    measured.classes.iter().filter(|class| class.label == Label::Legitimate)
}

fn lost(measured: &Measured) -> f64 {
    let (kept, lost) = users(measured)
        .fold((0, 0), |(kept, lost), class| (kept + class.users.succeeded, lost + class.users.failed));
    lost as f64 / (kept + lost) as f64
}

/// What a remedy does to the harm of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HarmChange {
    /// With every seed nine tenths of the bad time, of the lost wishes and of the recycle spikes are gone,
    /// and there was enough of one to count.
    Cures,
    /// Less harm.
    Better,
    /// No difference that counts, or that the seeds can show.
    NoChange,
    /// Less of one harm and more of the other.
    Mixed,
    /// More harm.
    Worse,
    /// There is no harm to cure, and the remedy does none.
    Harmless,
}

impl HarmChange {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            HarmChange::Cures => "cures",
            HarmChange::Better => "better",
            HarmChange::NoChange => "no change",
            HarmChange::Mixed => "mixed",
            HarmChange::Worse => "worse",
            HarmChange::Harmless => "harmless",
        }
    }
}

/// What of a harm may be left of a cured incident.
const LEFT: f64 = 0.1;
/// Bad time that differs by less than this share of it, or than so many seconds, does not count.
const TIME: (f64, f64) = (0.1, 30.0);
/// Lost wishes that differ by less than this share of them, or of all wishes, do not count.
const WISHES: (f64, f64) = (0.1, 0.001);
/// Recycle spikes that differ by less than this share of them, or than so many, do not count.
const SPIKES: (f64, f64) = (0.1, 1.0);

/// The word for an incident's harm without and with a remedy, seed by seed.
pub fn change(pairs: &[(Harm, Harm)]) -> HarmChange {
    let sides = [
        side(pairs, |harm| harm.bad_s, BIN.as_secs(), TIME),
        side(pairs, |harm| harm.lost, 0.0, WISHES),
        side(pairs, |harm| harm.recycle_spikes, 1.0, SPIKES),
    ];
    let gone = |(before, after): &(Harm, Harm)| {
        after.bad_s <= LEFT * before.bad_s
            && (after.lost <= LEFT * before.lost || after.lost < WISHES.1)
            && after.recycle_spikes <= LEFT * before.recycle_spikes
    };
    let hurts = |harm: &Harm| harm.bad_s > 0.0 || harm.lost >= WISHES.1 || harm.recycle_spikes > 0.0;
    let any = pairs.iter().any(|(before, _)| hurts(before));
    match (sides.contains(&-1), sides.contains(&1)) {
        (true, _) if any && pairs.iter().all(gone) => HarmChange::Cures,
        (false, false) if !any => HarmChange::Harmless,
        (false, false) => HarmChange::NoChange,
        (true, true) => HarmChange::Mixed,
        (false, true) => HarmChange::Worse,
        (true, false) => HarmChange::Better,
    }
}

/// 1 for more, −1 for less, 0 where the difference is small or zero cannot be ruled out; of what is told by
/// steps of so much.
fn side(pairs: &[(Harm, Harm)], of: fn(&Harm) -> f64, step: f64, (share, least): (f64, f64)) -> i8 {
    let differences: Vec<f64> = pairs.iter().map(|(before, after)| of(after) - of(before)).collect();
    let before = pairs.iter().map(|(before, _)| of(before)).sum::<f64>() / pairs.len() as f64;
    let found = Mean::of_differences(&differences, step, ROUNDING);
    if found.mean.is_nan() || found.mean.abs() < least || found.mean.abs() < share * before {
        return 0;
    }
    // One seed is an anecdote, and taken as it is; seeds that all tell the same are no certainty.
    let (low, high) = match found.interval {
        Some(interval) => interval,
        None if found.count < 2 => (found.mean, found.mean),
        None => return 0,
    };
    i8::from(low > 0.0) - i8::from(high < 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{ServiceBin, ServiceMeasured};

    /// Bad time and lost wishes.
    type Suffered = (f64, f64);

    fn judged(pairs: &[(Suffered, Suffered)]) -> HarmChange {
        let harm = |(bad_s, lost)| Harm { bad_s, lost, recycle_spikes: 0.0 };
        change(&pairs.iter().map(|(before, after)| (harm(*before), harm(*after))).collect::<Vec<_>>())
    }

    /// The word where only the recycle spikes differ.
    fn judged_by_spikes(before: f64, after: f64) -> HarmChange {
        let harm = |recycle_spikes| Harm { bad_s: 170.0, lost: 0.0, recycle_spikes };
        change(&[(harm(before), harm(after))])
    }

    /// A service that is slow, and answers, in so many of 120 bins.
    fn slow(bins: usize) -> Run {
        let p99 = |place| Some(if place < 120 - bins { 5_000 } else { 900_000 });
        let bin = |place| ServiceBin { users_p99_us: p99(place), ..ServiceBin::default() };
        let service =
            ServiceMeasured { service: "api".into(), nodes: vec![], bins: (0..120).map(bin).collect() };
        let measured = Measured { duration: BIN * 120, services: vec![service], ..Measured::default() };
        Run { variant: "v".into(), seed: 1, measured }
    }

    /// Against itself or against another, half of the run makes no difference.
    #[test]
    fn a_longer_outage_never_looks_better() {
        for usual in [10, 59, 61, 100] {
            for bins in [0, 10, 59, 60, 61, 100] {
                assert_eq!(harm(&slow(bins), &slow(usual)).bad_s, 10.0 * bins as f64, "{bins} {usual}");
            }
        }
    }

    /// The last bin of a run may be short, and is bad for as long as it lasts.
    #[test]
    fn a_short_last_bin_is_bad_for_as_long_as_it_lasts() {
        let mut run = slow(10);
        run.measured.duration = BIN * 119 + crate::engine::time::Span::from_secs(4);
        assert_eq!(harm(&run, &slow(10)).bad_s, 94.0);
    }

    #[test]
    fn a_herd_that_is_gone_counts_though_surges_hurt_as_before() {
        assert_eq!(judged_by_spikes(8.0, 0.0), HarmChange::Better);
        assert_eq!(judged_by_spikes(0.0, 8.0), HarmChange::Worse);
        assert_eq!(judged_by_spikes(20.0, 19.0), HarmChange::NoChange);
    }

    /// The same in two runs may be chance, as where variants are compared; not so in five.
    #[test]
    fn seeds_that_agree_are_as_sure_as_their_number() {
        let harm = |recycle_spikes| Harm { bad_s: 170.0, lost: 0.0, recycle_spikes };
        let word = |seeds: usize| change(&vec![(harm(3.0), harm(1.0)); seeds]);
        assert_eq!([1, 2, 5].map(word), [HarmChange::Better, HarmChange::NoChange, HarmChange::Better]);
        let time = |seeds: usize| judged(&vec![((90.0, 0.0), (50.0, 0.0)); seeds]);
        assert_eq!([1, 2, 5].map(time), [HarmChange::Better, HarmChange::Better, HarmChange::Better]);
        assert_eq!(judged(&[((100.0, 0.0), (69.0, 0.0)); 2]), HarmChange::NoChange, "three bins, twice");
    }

    #[test]
    fn each_word_has_its_meaning() {
        assert_eq!(judged(&[((600.0, 0.4), (0.0, 0.0))]), HarmChange::Cures);
        assert_eq!(judged(&[((600.0, 0.0), (40.0, 0.0005))]), HarmChange::Cures, "a few wishes do not count");
        assert_eq!(judged(&[((600.0, 0.4), (40.0, 0.3))]), HarmChange::Better);
        assert_eq!(judged(&[((20.0, 0.0), (0.0, 0.0))]), HarmChange::NoChange, "two bins are soon gone");
        assert_eq!(judged(&[((600.0, 0.4), (590.0, 0.4005))]), HarmChange::NoChange);
        assert_eq!(judged(&[((600.0, 0.4), (300.0, 0.6))]), HarmChange::Mixed);
        assert_eq!(judged(&[((600.0, 0.4), (600.0, 0.6))]), HarmChange::Worse);
        assert_eq!(judged(&[((0.0, 0.0), (90.0, 0.0))]), HarmChange::Worse, "harm where there was none");
        assert_eq!(judged(&[((0.0, 0.0), (0.0, 0.0))]), HarmChange::Harmless);
        assert_eq!(
            judged(&[((0.0, 0.0005), (0.0, 0.0005))]),
            HarmChange::Harmless,
            "a few wishes do not count"
        );
        assert_eq!(judged(&[((0.0, 0.4), (0.0, 0.4))]), HarmChange::NoChange, "lost wishes are harm");
        let doubtful = [((600.0, 0.4), (300.0, 0.4)), ((600.0, 0.4), (700.0, 0.4))];
        assert_eq!(judged(&doubtful), HarmChange::NoChange, "the seeds do not agree");
    }
}
