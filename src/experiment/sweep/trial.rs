//! Trials: one point and one seed, all variants, judged together; many at once, each kept when it is done.

use super::{KeptRow, PointRun, SeedVerdict};
use crate::experiment::batch::{run_one, threads, watched};
use crate::experiment::{Run, expect};
use crate::measure::summary;
use crate::scenario::Document;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Trials that are to be done.
pub struct TrialBatch<'a> {
    /// The point and the seed of each.
    pub trials: &'a [(usize, u64)],
    /// The variants that are run in each.
    pub variants: &'a [String],
    /// How long a run is, in simulated nanoseconds: for progress alone.
    pub duration: u64,
    /// On so many threads, or on all cores.
    pub threads: Option<usize>,
}

/// Does trials. `open` gives the scenario of a point, which is not held longer than its trial; `keep` is
/// given what each trial showed as soon as it is done. `progress` is told the share done; when `stop` is set,
/// trials under way are given up.
///
/// # Errors
/// One that `open` or `keep` gave; no further trial begins, those under way are kept.
pub fn run_trials<E: Send>(
    batch: &TrialBatch,
    open: &(dyn Fn(usize) -> Result<Document, E> + Sync),
    keep: &(dyn Fn(usize, Vec<PointRun>) -> Result<(), E> + Sync),
    progress: &(dyn Fn(f64) + Sync),
    stop: &AtomicBool,
) -> Result<(), E> {
    let runs = batch.variants.len();
    let clocks: Vec<AtomicU64> = (0..batch.trials.len() * runs).map(|_| AtomicU64::new(0)).collect();
    let whole = batch.duration as f64 * clocks.len() as f64;
    let work = || {
        let trials = batch.trials.par_iter().zip(clocks.par_chunks(runs.max(1))).enumerate();
        trials.with_max_len(1).try_for_each(|(number, ((point, seed), clocks))| {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let document = open(*point)?;
            match trial(&document, batch.variants, (*point, *seed), clocks, stop) {
                Some(cells) => keep(number, cells),
                None => Ok(()),
            }
        })
    };
    watched(&clocks, whole, progress, || threads(batch.threads).install(work))
}

/// One trial; `None` if it was stopped on the way.
fn trial(
    document: &Document,
    variants: &[String],
    (point, seed): (usize, u64),
    clocks: &[AtomicU64],
    stop: &AtomicBool,
) -> Option<Vec<PointRun>> {
    let scenarios: Vec<_> = variants.iter().filter_map(|variant| document.scenario(variant)).collect();
    let runs = scenarios.par_iter().zip(clocks).with_max_len(1);
    let runs = runs.map(|(scenario, clock)| run_one(scenario, seed, clock, stop));
    let runs: Vec<Run> = runs.collect::<Option<_>>()?;
    // Expectations relative to another variant find it among the runs with the same seed.
    let judged = expect::judge_seed(document, &runs);
    let cell = |run: &Run| PointRun {
        point,
        variant: run.variant.clone(),
        seed,
        summary: summary::rows(&run.measured).iter().map(KeptRow::of).collect(),
        judged: judged.iter().filter(|judged| judged.variant == run.variant).map(SeedVerdict::of).collect(),
    };
    Some(runs.iter().map(cell).collect())
}
