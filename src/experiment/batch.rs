//! Many runs on many cores: results in the order of the jobs, whatever the number of threads.

use super::kick::{self, Kick};
use super::{Run, run};
use crate::scenario::Scenario;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;
use std::time::Duration;

/// How often progress is shown.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// As [`run_each`]: the runs that have finished.
///
/// # Panics
/// If threads cannot be started, or a run panics.
pub fn run_all(
    jobs: &[(&Scenario, u64)],
    threads: Option<usize>,
    progress: &(dyn Fn(f64) + Sync),
    stop: &AtomicBool,
) -> Vec<Run> {
    run_each(jobs, threads, progress, stop).into_iter().flatten().collect()
}

/// Runs all jobs (a scenario and a seed each) on so many threads, or on all cores, and the kick tests that
/// their expectations ask for. `progress` is told the share done; when `stop` is set, runs under way are
/// given up, and there is nothing in their places.
///
/// # Panics
/// If threads cannot be started, or a run panics.
pub fn run_each(
    jobs: &[(&Scenario, u64)],
    threads: Option<usize>,
    progress: &(dyn Fn(f64) + Sync),
    stop: &AtomicBool,
) -> Vec<Option<Run>> {
    let kicks: Vec<(usize, Kick)> = (jobs.iter().enumerate())
        .flat_map(|(job, (scenario, _))| kick::asked(scenario).into_iter().map(move |kick| (job, kick)))
        .collect();
    let own = jobs.iter().map(|(scenario, _)| *scenario);
    let all: Vec<&Scenario> = own.chain(kicks.iter().map(|(_, kick)| &kick.scenario)).collect();
    let clocks: Vec<AtomicU64> = all.iter().map(|_| AtomicU64::new(0)).collect();
    let whole = all.iter().map(|scenario| scenario.file.duration.0 as f64).sum();
    let pool = self::threads(threads);
    let (of_jobs, of_kicks) = clocks.split_at(jobs.len());
    let do_job = |((scenario, seed), clock): (&(&Scenario, u64), _)| run(scenario, *seed, clock, stop);
    let do_kick = |((job, kick), clock): (&(usize, Kick), _)| {
        kick.watch(jobs[*job].1, clock, stop).map(|watch| watch.gain())
    };
    // One at a time: a thread that took several would do them alone at the end, while others have nothing.
    let work = || {
        rayon::join(
            || jobs.par_iter().zip(of_jobs).with_max_len(1).map(do_job).collect(),
            || kicks.par_iter().zip(of_kicks).with_max_len(1).map(do_kick).collect(),
        )
    };
    let (mut runs, gains): (Vec<Option<Run>>, Vec<Option<f64>>) =
        watched(&clocks, whole, progress, || pool.install(work));
    for ((job, kick), gain) in kicks.iter().zip(gains) {
        // A run whose kick test was given up is not finished.
        runs[*job] = runs[*job].take().zip(gain).map(|(run, gain)| with_gain(run, &kick.node, gain));
    }
    runs
}

/// One job and then its kick tests; nothing if it was stopped on the way.
pub(super) fn run_one(scenario: &Scenario, seed: u64, clock: &AtomicU64, stop: &AtomicBool) -> Option<Run> {
    let own = run(scenario, seed, clock, stop)?;
    kick::asked(scenario).into_iter().try_fold(own, |run, kick| {
        let gain = kick.watch(seed, &AtomicU64::new(0), stop)?.gain();
        Some(with_gain(run, &kick.node, gain))
    })
}

/// So many threads, or one for each core.
pub(super) fn threads(count: Option<usize>) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(count.unwrap_or(0)).build().expect("threads")
}

/// Does some work while progress is told the share of `whole` that the clocks show.
pub(super) fn watched<T>(
    clocks: &[AtomicU64],
    whole: f64,
    progress: &(dyn Fn(f64) + Sync),
    work: impl FnOnce() -> T,
) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let so_far: f64 = clocks.iter().map(|clock| clock.load(Ordering::Relaxed) as f64).sum();
                progress(so_far / whole.max(1.0));
                std::thread::park_timeout(SHOW_EVERY);
            }
        });
        // Also when the work panics: the scope would wait for the watcher for ever.
        let _over = Over { done: &done, watcher: watcher.thread().clone() };
        work()
    })
}

/// Tells the watcher of a batch, when dropped, that there is nothing left to watch.
struct Over<'a> {
    done: &'a AtomicBool,
    watcher: Thread,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        self.watcher.unpark();
    }
}

fn with_gain(mut run: Run, node: &str, gain: f64) -> Run {
    for measured in run.measured.nodes.iter_mut().filter(|measured| measured.node == node) {
        measured.herd_gain = Some(gain);
    }
    run
}
