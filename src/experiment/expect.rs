//! Expectations: what a scenario says must hold, and whether it did.
//!
//! Each seed is judged for itself. All held: pass. None held: fail. Some held, or one had nothing to measure:
//! inconclusive, which is never a pass. A *control* is a variant that must not keep within the same bounds:
//! what every fleet passes tells nothing of this one. If it keeps within them with any seed, the expectation
//! fails; what never happens in it is out of bounds. Where it was not run, the expectation is judged without
//! it. Intervals over many seeds come later.

use super::{Judged, Run, Verdict};
use crate::engine::time::{Span, Time};
use crate::measure::summary;
use crate::measure::window::Window;
use crate::scenario::grammar::{Bound, Expect, File, Relative};
use crate::scenario::{Document, when};
use serde_json::Value;

/// How long a deed is left out by `except`.
const AFTER_DEED: Span = Span::from_secs(120);

/// Judges every expectation of a document on the runs of its variant.
pub fn judge(document: &Document, runs: &[Run]) -> Vec<Judged> {
    let Some(scenario) = document.scenarios.values().next() else { return vec![] };
    let file = &scenario.file;
    let judged = file.expect.iter().map(|(name, expect)| {
        // Events are on or off by variant: times are those of the variant that is judged.
        let file = document.scenario(&expect.variant).map_or(file, |scenario| &scenario.file);
        let unjudged = |because: String| Judged {
            name: name.clone(),
            variant: expect.variant.clone(),
            claim: claim(expect),
            unit: "",
            values: vec![],
            control: expect.control.clone(),
            control_values: vec![],
            verdict: Verdict::Inconclusive,
            because,
        };
        let at = |bound: &Option<_>, otherwise| match bound {
            Some(bound) => when::resolve(file, bound),
            None => Ok(otherwise),
        };
        let window = at(&expect.after, Time::ZERO)
            .and_then(|from| at(&expect.until, Time::ZERO + file.duration).map(|to| (from, to)));
        match window {
            Ok((from, to)) => {
                let window = Window { from, to, except: gaps(file, expect) };
                Asked { expect, window }.judge(name, runs)
            }
            Err(problem) => unjudged(problem),
        }
    });
    judged.collect()
}

/// An expectation whose words have been understood.
struct Asked<'a> {
    expect: &'a Expect,
    window: Window,
}

/// How the value of a run stands to the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// It keeps within them.
    Within,
    /// It does not.
    Outside,
    /// There is no value.
    Missing,
    /// There is no bound: the variant that it is relative to shows nothing with this seed.
    Alone,
}

impl Asked<'_> {
    fn judge(&self, name: &str, runs: &[Run]) -> Judged {
        let mine: Vec<&Run> = runs.iter().filter(|run| run.variant == self.expect.variant).collect();
        let values: Vec<f64> = mine.iter().map(|run| self.value(run)).collect();
        let stands: Vec<Stands> =
            mine.iter().zip(&values).map(|(run, value)| self.stands(*value, run.seed, runs)).collect();
        let control: Vec<Option<f64>> = mine.iter().map(|run| self.control(run.seed, runs)).collect();
        let kept = mine.iter().zip(&control).filter(|(run, value)| {
            value.is_some_and(|value| self.stands(value, run.seed, runs) == Stands::Within)
        });
        let ran = control.iter().flatten().count();
        let verdict = self.controlled(self.verdict(&stands), &stands, (ran, kept.count()));
        let present = control.iter().filter(|_| ran > 0);
        Judged {
            name: name.to_owned(),
            variant: self.expect.variant.clone(),
            claim: claim(self.expect),
            unit: self.expect.metric.unit().name(),
            control: self.expect.control.clone(),
            control_values: present.map(|value| value.unwrap_or(f64::NAN)).collect(),
            values,
            verdict: verdict.0,
            because: verdict.1,
        }
    }

    fn verdict(&self, stands: &[Stands]) -> (Verdict, String) {
        let (seeds, count) =
            (stands.len(), |wanted| stands.iter().filter(|stands| **stands == wanted).count());
        let inconclusive = |because: String| (Verdict::Inconclusive, because);
        let missing = if self.expect.metric.is_a_time() { "did not happen" } else { "nothing to measure" };
        match [Stands::Within, Stands::Outside, Stands::Missing, Stands::Alone].map(count) {
            [0, 0, 0, 0] => inconclusive("its variant was not run".to_owned()),
            [_, 0, 0, 0] => (Verdict::Pass, String::new()),
            [0, _, 0, 0] => (Verdict::Fail, String::new()),
            [within, _, 0, 0] => inconclusive(format!("held with {within} of {seeds} seeds")),
            [_, _, 0, alone] => {
                inconclusive(format!("nothing to hold it against with {alone} of {seeds} seeds"))
            }
            [_, _, none, _] => inconclusive(format!("{missing} with {none} of {seeds} seeds")),
        }
    }

    /// The verdict once the control has been looked at, which ran with so many of the seeds and kept within
    /// the bounds with so many.
    fn controlled(
        &self,
        (verdict, because): (Verdict, String),
        stands: &[Stands],
        (ran, kept): (usize, usize),
    ) -> (Verdict, String) {
        let (control, seeds) = (self.expect.control.as_deref().unwrap_or_default(), stands.len());
        if kept > 0 {
            let as_well = if stands.contains(&Stands::Within) { " as well" } else { "" };
            let kept = format!("the control `{control}` keeps within it{as_well} ({kept} of {seeds} seeds)");
            let first = if because.is_empty() { because } else { because + "; " };
            return (Verdict::Fail, first + &kept);
        }
        if verdict == Verdict::Pass && ran > 0 && ran < seeds {
            let because = format!("the control `{control}` was run with {ran} of {seeds} seeds only");
            return (Verdict::Inconclusive, because);
        }
        (verdict, because)
    }

    fn value(&self, run: &Run) -> f64 {
        summary::value(self.expect.metric, &run.measured, &self.expect.of, self.expect.cause, &self.window)
    }

    /// What the control shows with a seed; nothing where it was not run.
    fn control(&self, seed: u64, runs: &[Run]) -> Option<f64> {
        find(runs, self.expect.control.as_deref()?, seed).map(|run| self.value(run))
    }

    fn stands(&self, value: f64, seed: u64, runs: &[Run]) -> Stands {
        let bound = |bound: &Option<Bound>, otherwise| match bound {
            None => Some(otherwise),
            Some(Bound::Value(written)) => self.expect.metric.unit().read(written).ok(),
            Some(Bound::Relative(relative)) => {
                let other = self.value(find(runs, relative.variant(), seed)?);
                relative.bound(other, self.expect.metric.unit())
            }
        };
        let min = bound(&self.expect.min, f64::NEG_INFINITY).filter(|min| !min.is_nan());
        let max = bound(&self.expect.max, f64::INFINITY).filter(|max| !max.is_nan());
        match (min, max) {
            _ if value.is_nan() => Stands::Missing,
            (Some(min), Some(max)) if min <= value && value <= max => Stands::Within,
            (Some(_), Some(_)) => Stands::Outside,
            _ => Stands::Alone,
        }
    }
}

fn find<'a>(runs: &'a [Run], variant: &str, seed: u64) -> Option<&'a Run> {
    runs.iter().find(|run| run.variant == variant && run.seed == seed)
}

/// The stretches that an expectation leaves out.
fn gaps(file: &File, expect: &Expect) -> Vec<(Time, Time)> {
    let events = expect.except.iter().map(|name| name.strip_prefix("event.").unwrap_or(name));
    let spans =
        events.filter_map(|name| file.event.get(name)).filter(|event| event.enabled).filter_map(|event| {
            let from = when::resolve(file, &event.at).ok()?;
            let end = match &event.until {
                Some(until) => when::resolve(file, until).ok()?,
                None if event.deed.is_some() => from,
                None => Time::ZERO + file.duration,
            };
            Some((from, if event.deed.is_some() { end.max(from + AFTER_DEED) } else { end }))
        });
    spans.collect()
}

/// What an expectation says, in words.
fn claim(expect: &Expect) -> String {
    let cause = expect.cause.map_or(String::new(), |cause| format!("{{{}}}", cause.name()));
    let mut claim = format!("{}{cause} of {}", expect.metric.name(), expect.of);
    if let Some(after) = &expect.after {
        claim += &format!(" after {after}");
    }
    if let Some(until) = &expect.until {
        claim += &format!(" until {until}");
    }
    for (sign, limit) in [("≥", &expect.min), ("≤", &expect.max)] {
        if let Some(limit) = limit {
            claim += &format!(" {sign} {}", words(limit));
        }
    }
    claim
}

/// `5%`, `1.3 × variant.as-it-happened`, `variant.as-it-happened − 10%`.
fn words(bound: &Bound) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match bound {
        Bound::Value(value) => plain(value),
        Bound::Relative(Relative { times: Some(times), of, .. }) => format!("{times} × {of}"),
        Bound::Relative(Relative { plus, of, .. }) => {
            let plus = plus.as_ref().map(plain).unwrap_or_default();
            match plus.strip_prefix('-') {
                Some(less) => format!("{of} − {less}"),
                None => format!("{of} + {plus}"),
            }
        }
    }
}

#[cfg(test)]
#[path = "expect_tests.rs"]
mod tests;
