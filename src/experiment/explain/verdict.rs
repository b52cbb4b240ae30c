//! From paired differences to a word.
//!
//! With common random numbers the runs of one seed are a pair, so that the difference of each pair is judged:
//! its mean over the seeds with a 95 % interval (Student's t). A word of acquittal needs an interval that is
//! narrow as well as around nothing; where nothing was measured, nobody is cleared. One seed has no interval:
//! its words are anecdotes, and said to be.

use super::SpikeFigures;
use super::suspects::Stop;
use crate::experiment::paired::{BUCKET, ROUNDING};
use crate::experiment::statistics::Mean;

/// A share of the spikes that must vanish to call them gone.
const GONE: f64 = 0.8;
/// A change of less than this share of the spikes is small.
const SMALL: f64 = 0.25;
/// The worst p99 tells when it changes by this factor, and more than this with one seed.
const FACTOR: f64 = 1.25;
const FACTOR_ONCE: f64 = 2.0;

/// The verdict on a suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Without it there are no spikes.
    Causes,
    /// Without it from the start there are none; stopping it later changes nothing.
    SetsOff,
    /// Without it there are fewer, or lower ones.
    AddsTo,
    /// Without it there are more, or higher ones.
    HoldsBack,
    /// Leaving it out changes nothing.
    Cleared,
    /// The runs do not tell.
    CannotTell,
}

impl Word {
    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Word::Causes => "causes",
            Word::SetsOff => "sets off",
            Word::AddsTo => "adds to",
            Word::HoldsBack => "holds back",
            Word::Cleared => "cleared",
            Word::CannotTell => "cannot tell",
        }
    }
}

/// What leaving something out does to the spikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnockOutEffect {
    /// They vanish, or nearly.
    Gone,
    /// There are fewer, or lower ones.
    Less,
    /// Nothing.
    Nothing,
    /// There are more, or higher ones.
    More,
    /// The runs do not tell.
    Unclear,
}

/// Whether a mean change (knock-out less unchanged) is a fall by at least `enough`, a rise, within `small` of
/// nothing, or not to be told.
fn tells(change: &Mean, enough: f64, small: f64) -> KnockOutEffect {
    match change.interval {
        _ if change.mean.is_nan() => KnockOutEffect::Unclear,
        Some((low, high)) if low > 0.0 || high < 0.0 => match change.mean {
            mean if mean <= -enough => KnockOutEffect::Gone,
            mean if mean < 0.0 => KnockOutEffect::Less,
            _ => KnockOutEffect::More,
        },
        Some((low, high)) if low >= -small && high <= small => KnockOutEffect::Nothing,
        Some(_) => KnockOutEffect::Unclear,
        None => match change.mean {
            mean if mean <= -enough => KnockOutEffect::Gone,
            mean if mean <= -small => KnockOutEffect::Less,
            mean if mean >= small => KnockOutEffect::More,
            _ => KnockOutEffect::Nothing,
        },
    }
}

/// A knock-out, seed by seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// What it showed with each seed; `None` where it was not run or showed nothing.
    pub figures: Vec<Option<SpikeFigures>>,
    /// The change of the number of spikes.
    pub spikes: Mean,
    /// The change of the worst p99, as a natural logarithm: −0.69 is half.
    pub worst_p99: Mean,
    /// What follows.
    pub effect: KnockOutEffect,
}

impl Trial {
    /// A knock-out beside the unchanged runs of the same seeds.
    pub fn new(base: &[Option<SpikeFigures>], figures: Vec<Option<SpikeFigures>>) -> Trial {
        let pairs: Vec<(SpikeFigures, SpikeFigures)> =
            base.iter().zip(&figures).filter_map(|(base, one)| Some(((*base)?, (*one)?))).collect();
        let change = |step: f64, of: &dyn Fn(&SpikeFigures) -> f64| {
            let differences = pairs.iter().map(|(base, one)| of(one) - of(base));
            let differences: Vec<f64> = differences.filter(|one| !one.is_nan()).collect();
            Mean::of_differences(&differences, step, ROUNDING)
        };
        let spikes = change(1.0, &|figures| figures.spikes as f64);
        let worst_p99 = change(BUCKET, &|figures| libm::log(figures.worst_p99_us));
        let before = pairs.iter().map(|(base, _)| base.spikes as f64).sum::<f64>() / pairs.len() as f64;
        Trial { figures, spikes, worst_p99, effect: effect(before, &spikes, &worst_p99) }
    }
}

/// `before`: spikes of the unchanged run, on average.
fn effect(before: f64, spikes: &Mean, worst_p99: &Mean) -> KnockOutEffect {
    let counted = tells(spikes, GONE * before, SMALL * before);
    if before.is_nan() || (before <= 0.0 && counted != KnockOutEffect::More) {
        return KnockOutEffect::Unclear;
    }
    if counted != KnockOutEffect::Nothing {
        return counted;
    }
    // As many as before: are they as high?
    let factor = libm::log(if worst_p99.count > 1 { FACTOR } else { FACTOR_ONCE });
    match tells(worst_p99, f64::INFINITY, factor) {
        KnockOutEffect::Less if worst_p99.mean <= -factor => KnockOutEffect::Less,
        KnockOutEffect::More if worst_p99.mean >= factor => KnockOutEffect::More,
        _ => KnockOutEffect::Nothing,
    }
}

/// The word on a suspect that was left out from the start, and stopped later if that was run, with a reason
/// where the figures do not give it.
pub fn word(never: &Trial, stopped: Option<&Trial>, stop: Stop) -> (Word, String) {
    let later = match stop {
        Stop::Runs => Some(stopped.map_or(KnockOutEffect::Unclear, |trial| trial.effect)),
        Stop::Past => Some(KnockOutEffect::Nothing),
        Stop::Never | Stop::Future => None,
    };
    let (word, because) = match (never.effect, later) {
        (_, _) if never.spikes.count == 0 => (Word::CannotTell, "it was not run without it"),
        (KnockOutEffect::Gone, None | Some(KnockOutEffect::Gone)) => (Word::Causes, ""),
        (KnockOutEffect::Gone, Some(KnockOutEffect::Nothing)) if stop == Stop::Past => {
            (Word::SetsOff, "it was over when the judged time began")
        }
        (KnockOutEffect::Gone, Some(KnockOutEffect::Nothing | KnockOutEffect::More)) => (Word::SetsOff, ""),
        (KnockOutEffect::Gone, Some(KnockOutEffect::Less)) => {
            (Word::AddsTo, "it sets them off, and some need it later")
        }
        (KnockOutEffect::Gone, Some(KnockOutEffect::Unclear)) if stopped.is_none() => {
            (Word::CannotTell, "it sets them off; it was not run with it stopped later")
        }
        (KnockOutEffect::Gone, Some(KnockOutEffect::Unclear)) => {
            (Word::CannotTell, "it sets them off; whether it keeps them up needs more seeds")
        }
        (KnockOutEffect::Less, _) => (Word::AddsTo, ""),
        (_, Some(KnockOutEffect::Gone | KnockOutEffect::Less)) => {
            (Word::AddsTo, "only when it is stopped on the way")
        }
        (KnockOutEffect::More, _) => (Word::HoldsBack, ""),
        (KnockOutEffect::Nothing, Some(KnockOutEffect::More)) => {
            (Word::HoldsBack, "only when it is stopped on the way")
        }
        (KnockOutEffect::Nothing, _) => (Word::Cleared, ""),
        (KnockOutEffect::Unclear, _) => (Word::CannotTell, "the interval is too wide: more seeds"),
    };
    (word, because.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(spikes: usize, worst_p99_us: f64) -> Option<SpikeFigures> {
        Some(SpikeFigures { spikes, worst_p99_us, spikes_whole_run: spikes })
    }

    fn counts(counts: &[usize]) -> Vec<Option<SpikeFigures>> {
        counts.iter().map(|count| figures(*count, 1e6)).collect()
    }

    fn trial(base: &[usize], without: &[usize]) -> Trial {
        Trial::new(&counts(base), counts(without))
    }

    #[test]
    fn what_a_knock_out_does_is_told_from_its_pairs() {
        for (base, without, effect) in [
            (&[6, 5, 7][..], &[0, 0, 1][..], KnockOutEffect::Gone),
            (&[6, 5, 7], &[3, 3, 4], KnockOutEffect::Less),
            (&[10, 11, 12], &[10, 11, 12], KnockOutEffect::Nothing),
            (&[10, 12, 14], &[12, 12, 12], KnockOutEffect::Unclear),
            (&[10, 11, 12, 11, 10], &[11, 11, 11, 11, 10], KnockOutEffect::Nothing),
            (&[6, 5, 7], &[12, 13, 14], KnockOutEffect::More),
            (&[6, 5, 7], &[0, 6, 7], KnockOutEffect::Unclear),
            (&[0, 0, 0], &[0, 0, 0], KnockOutEffect::Unclear),
            (&[6], &[0], KnockOutEffect::Gone),
            (&[6], &[4], KnockOutEffect::Less),
            (&[6], &[6], KnockOutEffect::Nothing),
        ] {
            assert_eq!(trial(base, without).effect, effect, "{base:?} → {without:?}");
        }
    }

    /// Seven spikes fewer with each of three seeds are not seven for certain.
    #[test]
    fn seeds_that_agree_leave_an_interval() {
        let trial = trial(&[7, 7, 7], &[0, 0, 0]);
        let half = trial.spikes.half().expect("three seeds");
        assert!(trial.effect == KnockOutEffect::Gone && half > 0.5 && half < 1.5, "{half}");
        assert!(trial.worst_p99.half().expect("three seeds") > 0.0);
    }

    #[test]
    fn as_many_but_lower_spikes_are_less() {
        let of = |p99s: &[f64]| p99s.iter().map(|p99| figures(10, *p99)).collect::<Vec<_>>();
        let base = of(&[1.0e6, 1.1e6, 0.9e6]);
        assert_eq!(Trial::new(&base, of(&[0.3e6, 0.33e6, 0.3e6])).effect, KnockOutEffect::Less);
        assert_eq!(Trial::new(&base, of(&[2.0e6, 2.3e6, 1.9e6])).effect, KnockOutEffect::More);
        assert_eq!(Trial::new(&base, of(&[1.0e6, 1.1e6, 0.95e6])).effect, KnockOutEffect::Nothing);
    }

    /// One seed is an anecdote: its spikes must be half as high to be called lower.
    #[test]
    fn one_seed_must_tell_more_plainly() {
        let effect = |seeds: usize, p99: f64| {
            Trial::new(&vec![figures(10, 1.0e6); seeds], vec![figures(10, p99); seeds]).effect
        };
        assert_eq!([effect(1, 0.6e6), effect(1, 0.45e6)], [KnockOutEffect::Nothing, KnockOutEffect::Less]);
        assert_eq!(effect(5, 0.6e6), KnockOutEffect::Less);
    }

    #[test]
    fn a_word_weighs_the_start_and_what_came_later() {
        let of = |effect| Trial { effect, ..trial(&[5, 5], &[5, 5]) };
        use KnockOutEffect::{Gone, Less, More, Nothing, Unclear};
        for (never, stopped, stop, expected) in [
            (Gone, Some(Gone), Stop::Runs, Word::Causes),
            (Gone, None, Stop::Never, Word::Causes),
            (Gone, None, Stop::Future, Word::Causes),
            (Gone, None, Stop::Past, Word::SetsOff),
            (Gone, Some(Nothing), Stop::Runs, Word::SetsOff),
            (Gone, Some(Less), Stop::Runs, Word::AddsTo),
            (Gone, Some(Unclear), Stop::Runs, Word::CannotTell),
            (Gone, None, Stop::Runs, Word::CannotTell),
            (Less, Some(Nothing), Stop::Runs, Word::AddsTo),
            (Nothing, Some(Nothing), Stop::Runs, Word::Cleared),
            (Nothing, None, Stop::Never, Word::Cleared),
            (Nothing, Some(Less), Stop::Runs, Word::AddsTo),
            (More, Some(Nothing), Stop::Runs, Word::HoldsBack),
            (Unclear, None, Stop::Never, Word::CannotTell),
        ] {
            let stopped = stopped.map(of);
            assert_eq!(
                word(&of(never), stopped.as_ref(), stop).0,
                expected,
                "{never:?} {stopped:?} {stop:?}"
            );
        }
    }

    #[test]
    fn no_samples_are_no_clearance() {
        let none = Trial::new(&counts(&[5, 5, 5]), vec![None, None, None]);
        assert_eq!(word(&none, None, Stop::Never).0, Word::CannotTell);
        assert_eq!(word(&trial(&[], &[]), None, Stop::Never).0, Word::CannotTell);
        assert_eq!(word(&trial(&[0, 0], &[0, 0]), None, Stop::Never).0, Word::CannotTell);
    }
}
