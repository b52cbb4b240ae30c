//! Expectations: what a scenario says must hold, and whether it did.
//!
//! Each seed is judged for itself. All held: pass. None held: fail. Some held, or one had nothing to measure:
//! inconclusive, which is never a pass. Intervals over many seeds come later.

use super::{Judged, Run, Verdict};
use crate::engine::time::{Span, Time};
use crate::measure::summary;
use crate::measure::window::Window;
use crate::scenario::grammar::{Bound, Expect, File};
use crate::scenario::{Document, when};

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

impl Asked<'_> {
    fn judge(&self, name: &str, runs: &[Run]) -> Judged {
        let mine: Vec<&Run> = runs.iter().filter(|run| run.variant == self.expect.variant).collect();
        let values: Vec<f64> = mine.iter().map(|run| self.value(run)).collect();
        let held: Vec<Option<bool>> =
            mine.iter().zip(&values).map(|(run, value)| self.holds(*value, run.seed, runs)).collect();
        let count = |wanted| held.iter().filter(|held| **held == wanted).count();
        let (verdict, because) = match (count(Some(true)), count(Some(false)), count(None)) {
            (0, 0, 0) => (Verdict::Inconclusive, "its variant was not run".to_owned()),
            (_, 0, 0) => (Verdict::Pass, String::new()),
            (0, _, 0) => (Verdict::Fail, String::new()),
            (pass, fail, 0) => (Verdict::Inconclusive, format!("held with {pass} of {} seeds", pass + fail)),
            (_, _, none) => {
                (Verdict::Inconclusive, format!("nothing to measure with {none} of {} seeds", held.len()))
            }
        };
        let (variant, claim, unit) =
            (self.expect.variant.clone(), claim(self.expect), self.expect.metric.unit().name());
        Judged { name: name.to_owned(), variant, claim, unit, values, verdict, because }
    }

    fn value(&self, run: &Run) -> f64 {
        summary::value(self.expect.metric, &run.measured, &self.expect.of, self.expect.cause, &self.window)
    }

    /// Whether the value keeps within the bounds; `None` where there is nothing to compare.
    fn holds(&self, value: f64, seed: u64, runs: &[Run]) -> Option<bool> {
        let bound = |bound: &Option<Bound>, otherwise| match bound {
            None => Some(otherwise),
            Some(Bound::Value(written)) => self.expect.metric.unit().read(written).ok(),
            Some(Bound::Relative(relative)) => {
                let other = relative.of.strip_prefix("variant.").unwrap_or(&relative.of);
                let run = runs.iter().find(|run| run.variant == other && run.seed == seed)?;
                Some(self.value(run) * relative.times)
            }
        };
        let (min, max) =
            (bound(&self.expect.min, f64::NEG_INFINITY)?, bound(&self.expect.max, f64::INFINITY)?);
        (!value.is_nan() && !min.is_nan() && !max.is_nan()).then_some(min <= value && value <= max)
    }
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
    let bound = |bound: &Bound| match bound {
        Bound::Value(serde_json::Value::String(text)) => text.clone(),
        Bound::Value(number) => number.to_string(),
        Bound::Relative(relative) => format!("{} × {}", relative.times, relative.of),
    };
    for (sign, limit) in [("≥", &expect.min), ("≤", &expect.max)] {
        if let Some(limit) = limit {
            claim += &format!(" {sign} {}", bound(limit));
        }
    }
    claim
}
