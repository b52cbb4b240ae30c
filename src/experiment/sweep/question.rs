//! One expectation, asked again and again with another value of one parameter.
//!
//! The value is laid over the expectation's own variant, on top of everything. The variants that it is
//! relative to, and its control, stay as they are written: they are run once with each seed.

use super::find::{Shown, Tried};
use crate::experiment::{Judged, Run, Verdict, expect, run_all};
use crate::scenario::axis::Range;
use crate::scenario::grammar::Expect;
use crate::scenario::problem::Problems;
use crate::scenario::{Document, Scenario};
use indexmap::IndexMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The expectation and the parameter.
pub struct Question {
    document: Document,
    expect: Expect,
    path: String,
    range: Range,
    /// The runs of the other variants that it speaks of.
    others: Vec<Run>,
}

impl Question {
    /// The question about the expectation of this name; `None` if there is none.
    pub fn new(document: &Document, name: &str, path: &str, range: &Range) -> Option<Question> {
        let expect = document.scenarios.values().next()?.file.expect.get(name)?.clone();
        // Of others nothing is asked: no kick test is run for them.
        let only = |scenario: &Scenario| {
            let mut scenario = scenario.clone();
            Arc::make_mut(&mut scenario.file).expect.retain(|other, _| other == name);
            scenario
        };
        let scenarios = document.scenarios.iter().map(|(name, scenario)| (name.clone(), only(scenario)));
        let document = Document { scenarios: scenarios.collect() };
        Some(Question { document, expect, path: path.to_owned(), range: range.clone(), others: vec![] })
    }

    /// The variant over which values are laid.
    pub fn variant(&self) -> &str {
        &self.expect.variant
    }

    /// What is asked, judged on no runs: for its words and its unit.
    pub fn unasked(&self) -> Option<Judged> {
        expect::judge(&self.document, &[]).into_iter().next()
    }

    /// The variants that stay as they are.
    pub fn others(&self) -> Vec<&str> {
        let others = self.expect.references().chain(self.expect.control.as_deref());
        others.filter(|other| *other != self.expect.variant).collect()
    }

    /// The scenario with a value.
    ///
    /// # Errors
    /// The value does not fit.
    pub fn with(&self, value: f64) -> Result<Scenario, Problems> {
        let text = self.range.text(value);
        let bare = self.range.before.is_empty() && self.range.unit.is_empty();
        let number = match self.range.whole {
            true => serde_json::Value::from(value as i64),
            false => serde_json::Value::from(value),
        };
        let set = IndexMap::from([(self.path.clone(), if bare { number } else { text.into() })]);
        let Some(base) = self.document.scenario(&self.expect.variant) else {
            return Err(Problems::default());
        };
        let mut scenario = base.with(&self.expect.variant, &set, &[])?;
        Arc::make_mut(&mut scenario.file).expect.clone_from(&base.file.expect);
        Ok(scenario)
    }

    /// Runs the other variants; false if that was stopped.
    pub fn prepare(&mut self, seeds: &[u64], threads: Option<usize>, stop: &AtomicBool) -> bool {
        let others = self.others();
        let scenarios = others.iter().filter_map(|name| self.document.scenario(name));
        let jobs: Vec<(&Scenario, u64)> =
            scenarios.flat_map(|scenario| seeds.iter().map(move |seed| (scenario, *seed))).collect();
        let runs = run_all(&jobs, threads, &|_| {}, stop);
        self.others = runs;
        !stop.load(Ordering::Relaxed)
    }

    /// Tries a value with all seeds; nothing if that was stopped.
    ///
    /// # Errors
    /// The value does not fit.
    pub fn attempt(
        &self,
        value: f64,
        seeds: &[u64],
        threads: Option<usize>,
        progress: &(dyn Fn(f64) + Sync),
        stop: &AtomicBool,
    ) -> Result<Option<Tried>, Problems> {
        let scenario = self.with(value)?;
        let jobs: Vec<(&Scenario, u64)> = seeds.iter().map(|seed| (&scenario, *seed)).collect();
        let mut runs = run_all(&jobs, threads, progress, stop);
        if runs.len() < jobs.len() {
            return Ok(None);
        }
        let mut document = self.document.clone();
        document.scenarios.insert(self.expect.variant.clone(), scenario.clone());
        runs.extend(self.others.iter().cloned());
        Ok(expect::judge_sample(&document, &runs).into_iter().next().map(|all| Tried {
            value,
            verdict: all.verdict,
            because: all.because,
            seeds: seeds.iter().map(|seed| shown(&document, &runs, *seed)).collect(),
        }))
    }
}

/// Whether it holds with one seed: a single one would show no share of all.
fn shown(document: &Document, runs: &[Run], seed: u64) -> Shown {
    let alike: Vec<Run> = runs.iter().filter(|run| run.seed == seed).cloned().collect();
    let judged = expect::judge_seed(document, &alike).into_iter().next();
    let metric = judged.as_ref().and_then(|judged| judged.values.first().copied()).unwrap_or(f64::NAN);
    Shown { seed, metric, verdict: judged.map_or(Verdict::Inconclusive, |judged| judged.verdict) }
}
