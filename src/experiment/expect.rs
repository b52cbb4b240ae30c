//! Expectations: what a scenario says must hold, and whether it did.
//!
//! Each seed is judged for itself. All held: pass. None held: fail. Some held, or one had nothing to measure:
//! inconclusive, which is never a pass. Where the expectation names the *share* of all possible seeds with
//! which it must hold, the seeds that were run are a sample: it passes or fails where fewer than one sample
//! in twenty would mislead so, and anything else is inconclusive; a seed with nothing to measure is one with
//! which it did not hold. A recovery that has not come by the end is beyond its `max` where the run went on
//! for longer than that after its last event. A *control* is a variant that must not keep within the same
//! bounds: what every fleet passes tells nothing of this one. If it keeps within them with any seed, the
//! expectation fails; what never happens in it is out of bounds, and a control in which there is nothing to
//! measure proves nothing. Where it was not run, the expectation is judged without it. A pass of which not
//! every seed was finished is none. Left out: an interval of the values themselves.

use super::claim::{claim, tenths, words};
use super::{Against, Judged, ResolvedBound, Run, Verdict, WrittenAt};
use crate::engine::time::Span;
use crate::measure::recovery::{Outlook, outlook};
use crate::measure::summary;
use crate::scenario::grammar::{Bound, Expect, Metric, Relative};
use crate::scenario::place::Place;
use crate::scenario::window::Window;
use crate::scenario::{Document, Scenario, proof};

/// What is said of a recovery that never came.
const LATE: &str = "did not recover by the end";

/// Judges every expectation of a document on the runs of its variant, which are to be one for each seed.
pub fn judge(document: &Document, runs: &[Run]) -> Vec<Judged> {
    let seeds = |variant: &str| document.scenario(variant).map(|scenario| scenario.file.seeds.len());
    let judged = judge_sample(document, runs).into_iter();
    judged.map(|one| doubted(seeds(&one.variant), one)).collect()
}

/// The same on runs of some seeds, whichever the document names.
pub fn judge_sample(document: &Document, runs: &[Run]) -> Vec<Judged> {
    each(document, runs, |expect| expect.share.map(|share| share.0))
}

/// A pass of which not every seed was finished is none.
fn doubted(seeds: Option<usize>, judged: Judged) -> Judged {
    let (ran, seeds) = (judged.values.len(), seeds.unwrap_or_default());
    if judged.verdict != Verdict::Pass || ran >= seeds {
        return judged;
    }
    let noun = if seeds == 1 { "seed" } else { "seeds" };
    let because = format!("interrupted: {ran} of {seeds} {noun} were run");
    Judged { verdict: Verdict::Inconclusive, because, ..judged }
}

/// Judges every expectation on the runs of a single seed: whether it held with this one, whatever share of
/// all seeds is asked for.
pub fn judge_seed(document: &Document, runs: &[Run]) -> Vec<Judged> {
    each(document, runs, |_| None)
}

fn each(document: &Document, runs: &[Run], share: impl Fn(&Expect) -> Option<f64>) -> Vec<Judged> {
    let Some(first) = document.scenarios.values().next() else { return vec![] };
    let judged = first.file.expect.iter().map(|(name, expect)| {
        // Events are on or off by variant: times are those of the variant that is judged.
        let scenario = document.scenario(&expect.variant).unwrap_or(first);
        let asked = Judged { share: share(expect), ..asked(name, expect, scenario) };
        match Window::asked(expect, &scenario.file) {
            Ok(part) => Asked::new(expect, part, scenario.file.duration).judge(asked, runs),
            Err(problem) => Judged { because: problem, ..asked },
        }
    });
    judged.collect()
}

/// An expectation before it is judged.
fn asked(name: &str, expect: &Expect, scenario: &Scenario) -> Judged {
    let unit = expect.metric.unit();
    let place = scenario.place(&format!("expect.{name}")).filter(Place::is_in_a_file);
    let [min, max] = expect.bounds().map(|bound| {
        let value = |bound: &Bound| match bound {
            Bound::Value(written) => unit.read(written).unwrap_or(f64::NAN),
            Bound::Relative(_) => f64::NAN,
        };
        bound.map(|bound| ResolvedBound { words: words(bound), value: value(bound), against: None })
    });
    Judged {
        name: name.to_owned(),
        variant: expect.variant.clone(),
        place: place.map(|place| WrittenAt {
            file: place.source.name.clone(),
            line: place.line(),
            column: place.column(),
        }),
        claim: claim(expect),
        unit: unit.name(),
        min,
        max,
        control: expect.control.clone(),
        ..Judged::default()
    }
}

/// An expectation whose words have been understood.
struct Asked<'a> {
    expect: &'a Expect,
    window: Window,
    /// It is measured in bins, and none lies within the window.
    empty: bool,
}

/// How the value of a run stands to the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// It keeps within them.
    Within,
    /// It does not.
    Outside,
    /// It has not come by the end of the run, which went on for longer than the bound.
    Late,
    /// There is no value, for this reason.
    Missing(&'static str),
    /// There is no bound: the variant that it is relative to shows nothing with this seed.
    Alone,
}

impl<'a> Asked<'a> {
    fn new(expect: &'a Expect, window: Window, duration: Span) -> Asked<'a> {
        let empty = expect.metric.is_of_bins() && !window.holds_a_bin(duration);
        Asked { expect, window, empty }
    }

    fn judge(&self, asked: Judged, runs: &[Run]) -> Judged {
        let mine: Vec<&Run> = runs.iter().filter(|run| run.variant == self.expect.variant).collect();
        let values: Vec<f64> = mine.iter().map(|run| self.value(run)).collect();
        let stand = |(run, value): (&&Run, &f64)| match self.stands(*value, run.seed, runs) {
            Stands::Missing(_) => self.missing(run, runs),
            stands => stands,
        };
        let stands: Vec<Stands> = mine.iter().zip(&values).map(stand).collect();
        let control: Vec<Option<f64>> = mine.iter().map(|run| self.control(run.seed, runs)).collect();
        let kept = mine.iter().zip(&control).filter(|(run, value)| {
            value.is_some_and(|value| self.stands(value, run.seed, runs) == Stands::Within)
        });
        let ran = control.iter().flatten().count();
        let verdict = match asked.share {
            Some(share) => self.of_all_seeds(share, &stands),
            None => self.of_each_seed(&stands),
        };
        let (verdict, because) =
            self.controlled(verdict, &stands, (ran, kept.count(), self.silent(&control)));
        let against = self.against(&mine, runs);
        let [min, max] = [(asked.min, 0), (asked.max, 1)]
            .map(|(limit, end)| limit.map(|limit| ResolvedBound { against: against[end].clone(), ..limit }));
        let present = control.iter().filter(|_| ran > 0);
        Judged {
            control_values: present.map(|value| value.unwrap_or(f64::NAN)).collect(),
            values,
            held: count(&stands, Stands::Within),
            verdict,
            because,
            min,
            max,
            ..asked
        }
    }

    /// It must hold with every seed that was run.
    fn of_each_seed(&self, stands: &[Stands]) -> (Verdict, String) {
        let seeds = stands.len();
        let inconclusive = |because: String| (Verdict::Inconclusive, because);
        let reason = missing(stands).next().unwrap_or_default();
        let late = count(stands, Stands::Late);
        let [within, outside, alone] =
            [Stands::Within, Stands::Outside, Stands::Alone].map(|wanted| count(stands, wanted));
        match [within, outside + late, missing(stands).count(), alone] {
            [0, 0, 0, 0] => inconclusive("its variant was not run".to_owned()),
            [_, 0, 0, 0] => (Verdict::Pass, String::new()),
            [0, _, 0, 0] if late > 0 => (Verdict::Fail, format!("{LATE} with {late} of {seeds} seeds")),
            [0, _, 0, 0] => (Verdict::Fail, String::new()),
            [within, _, 0, 0] => inconclusive(format!("held with {within} of {seeds} seeds")),
            [_, _, 0, alone] => {
                inconclusive(format!("nothing to hold it against with {alone} of {seeds} seeds"))
            }
            [_, _, none, _] => inconclusive(format!("{reason} with {none} of {seeds} seeds")),
        }
    }

    /// It must hold with a share of all possible seeds, of which those that were run are a sample.
    fn of_all_seeds(&self, share: f64, stands: &[Stands]) -> (Verdict, String) {
        let (held, seeds) = (count(stands, Stands::Within), stands.len());
        if seeds == 0 {
            return (Verdict::Inconclusive, "its variant was not run".to_owned());
        }
        let verdict = match () {
            () if proof::shown(held, seeds, share) => Verdict::Pass,
            () if proof::denied(held, seeds, share) => Verdict::Fail,
            () => Verdict::Inconclusive,
        };
        let (low, high) = proof::bounds(held, seeds);
        let mut because = format!("held with {held} of {seeds} seeds");
        let reason = missing(stands).next().unwrap_or_default();
        for (without, what) in [
            (count(stands, Stands::Late), LATE),
            (missing(stands).count(), reason),
            (count(stands, Stands::Alone), "nothing to hold it against"),
        ] {
            if without > 0 {
                because += &format!(", {what} with {without}");
            }
        }
        let ([low, high], share) = ([low, high].map(tenths), proof::percent(share));
        because += &format!(": between {low} % and {high} % of all would; {share} % is asked for");
        (verdict, because)
    }

    /// How a run without a value stands.
    fn missing(&self, run: &Run, runs: &[Run]) -> Stands {
        if self.expect.metric != Metric::Recovery || self.empty {
            return Stands::Missing(self.nothing());
        }
        let service = self.expect.of.strip_prefix("service.").unwrap_or(&self.expect.of);
        let outlook = outlook(&run.measured, service, &self.window);
        let [_, max] = self.limits(run.seed, runs);
        let (bounded, max) = (self.expect.bounds()[1].is_some(), max.map(Span::from_secs_f64));
        match (outlook, max) {
            (Outlook::NoBaseline, _) => Stands::Missing("no baseline: nothing ended before the trouble"),
            (_, Some(max)) if bounded && outlook.is_beyond(max) => Stands::Late,
            (_, Some(_)) if bounded => Stands::Missing("not back, and the run ends too soon to tell"),
            _ => Stands::Missing(LATE),
        }
    }

    /// What is said of a seed without a value.
    fn nothing(&self) -> &'static str {
        match () {
            () if self.empty => "no whole bin of 10 s lies in the time that counts",
            () if self.expect.metric.is_a_time() => "did not happen",
            () => lacking(self.expect.metric),
        }
    }

    /// With how many seeds the control was run and showed nothing, where that does not mean never.
    fn silent(&self, control: &[Option<f64>]) -> usize {
        let nothing = control.iter().flatten().filter(|value| value.is_nan()).count();
        if self.expect.metric.is_a_time() { 0 } else { nothing }
    }

    /// The verdict once the control has been looked at, which ran with so many of the seeds, kept within the
    /// bounds with so many and showed nothing with so many.
    fn controlled(
        &self,
        (verdict, because): (Verdict, String),
        stands: &[Stands],
        (ran, kept, silent): (usize, usize, usize),
    ) -> (Verdict, String) {
        let (control, seeds) = (self.expect.control.as_deref().unwrap_or_default(), stands.len());
        let first = if because.is_empty() { String::new() } else { format!("{because}; ") };
        if kept > 0 {
            let as_well = if stands.contains(&Stands::Within) { " as well" } else { "" };
            let kept = format!("the control `{control}` keeps within it{as_well} ({kept} of {seeds} seeds)");
            return (Verdict::Fail, first + &kept);
        }
        if verdict == Verdict::Pass && silent > 0 {
            let nothing = self.nothing();
            let because = format!(
                "{first}the control `{control}` showed nothing ({nothing}) with {silent} of {seeds} seeds"
            );
            return (Verdict::Inconclusive, because);
        }
        if verdict == Verdict::Pass && ran > 0 && ran < seeds {
            let because = format!("{first}the control `{control}` was run with {ran} of {seeds} seeds only");
            return (Verdict::Inconclusive, because);
        }
        (verdict, because)
    }

    fn value(&self, run: &Run) -> f64 {
        if self.empty {
            return f64::NAN;
        }
        summary::value(self.expect.metric, &run.measured, &self.expect.of, self.expect.cause, &self.window)
    }

    /// What the control shows with a seed; nothing where it was not run.
    fn control(&self, seed: u64, runs: &[Run]) -> Option<f64> {
        find(runs, self.expect.control.as_deref()?, seed).map(|run| self.value(run))
    }

    /// The bounds with a seed; none where the variant that one is relative to shows nothing.
    fn limits(&self, seed: u64, runs: &[Run]) -> [Option<f64>; 2] {
        let limit = |(bound, otherwise): (Option<&Bound>, f64)| match bound {
            None => Some(otherwise),
            Some(Bound::Value(written)) => self.expect.metric.unit().read(written).ok(),
            Some(Bound::Relative(relative)) => self.relative(relative, seed, runs).1,
        };
        let [min, max] = self.expect.bounds();
        [(min, f64::NEG_INFINITY), (max, f64::INFINITY)].map(|one| limit(one).filter(|limit| !limit.is_nan()))
    }

    /// What the other variant shows with a seed, NaN where nothing, and the bound that follows.
    fn relative(&self, relative: &Relative, seed: u64, runs: &[Run]) -> (f64, Option<f64>) {
        let other = find(runs, relative.variant(), seed).map_or(f64::NAN, |run| self.value(run));
        (other, relative.bound(other, self.expect.metric.unit()))
    }

    /// What the bounds came to that are relative to another variant, with the seeds of these runs.
    fn against(&self, mine: &[&Run], runs: &[Run]) -> [Option<Against>; 2] {
        self.expect.bounds().map(|bound| {
            let Some(Bound::Relative(relative)) = bound else { return None };
            let each = mine.iter().map(|run| self.relative(relative, run.seed, runs));
            let (values, limits) = each.map(|(other, limit)| (other, limit.unwrap_or(f64::NAN))).unzip();
            Some(Against { variant: relative.variant().to_owned(), values, limits })
        })
    }

    fn stands(&self, value: f64, seed: u64, runs: &[Run]) -> Stands {
        match self.limits(seed, runs) {
            _ if value.is_nan() => Stands::Missing(self.nothing()),
            [Some(min), Some(max)] if min <= value && value <= max => Stands::Within,
            [Some(_), Some(_)] => Stands::Outside,
            _ => Stands::Alone,
        }
    }
}

/// What a run lacks in which a metric has no value.
fn lacking(metric: Metric) -> &'static str {
    use Metric::*;
    match metric {
        LatencyP50 | LatencyP95 | LatencyP99 | RequestSuccess | Rejected | WorstP99 => "no request ended",
        UserSuccess => "no user's wish came to an end",
        Spikes | RecycleSpikes => "no request was answered well",
        RecycleGap => "fewer than two recycle spikes",
        RecycleGapRegular => "fewer than three recycle spikes",
        RecycleP99Ratio | DashboardMissed => "no recycle spike",
        ConnectsMax1s | HerdSize | BackendStarts | HerdLasts | Refused => "no connection was started or used",
        _ => "nothing to measure",
    }
}

/// Why runs have no value.
fn missing(stands: &[Stands]) -> impl Iterator<Item = &'static str> {
    stands.iter().filter_map(|stands| match stands {
        Stands::Missing(reason) => Some(*reason),
        _ => None,
    })
}

fn count(stands: &[Stands], wanted: Stands) -> usize {
    stands.iter().filter(|stands| **stands == wanted).count()
}

fn find<'a>(runs: &'a [Run], variant: &str, seed: u64) -> Option<&'a Run> {
    runs.iter().find(|run| run.variant == variant && run.seed == seed)
}

#[cfg(test)]
#[path = "expect_tests.rs"]
mod tests;
