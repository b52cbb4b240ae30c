//! Many runs on many cores: results in the order of the jobs, whatever the number of threads.

use super::{Run, run};
use crate::scenario::Scenario;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How often progress is shown.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// Runs all jobs (a scenario and a seed each) on so many threads, or on all cores. `progress` is told the
/// share done; when `stop` is set, runs under way are given up and those that have finished are returned.
///
/// # Panics
/// If threads cannot be started, or a run panics.
pub fn run_all(
    jobs: &[(&Scenario, u64)],
    threads: Option<usize>,
    progress: &(dyn Fn(f64) + Sync),
    stop: &AtomicBool,
) -> Vec<Run> {
    let clocks: Vec<AtomicU64> = jobs.iter().map(|_| AtomicU64::new(0)).collect();
    let whole: u64 = jobs.iter().map(|(scenario, _)| scenario.file.duration.0).sum();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build().expect("threads");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let so_far: u64 = clocks.iter().map(|clock| clock.load(Ordering::Relaxed)).sum();
                progress(so_far as f64 / whole.max(1) as f64);
                std::thread::park_timeout(SHOW_EVERY);
            }
        });
        let results = pool.install(|| {
            let each = jobs.par_iter().zip(&clocks);
            each.map(|((scenario, seed), clock)| run(scenario, *seed, clock, stop)).collect::<Vec<_>>()
        });
        done.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        results.into_iter().flatten().collect()
    })
}
