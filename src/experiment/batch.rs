//! Many runs on many cores: results in the order of the jobs, whatever the number of threads.

use super::kick::{self, Kick};
use super::{Run, run};
use crate::scenario::Scenario;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

/// How often progress is shown.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// As [`run_by_seed`]: the runs that have finished.
///
/// # Panics
/// If threads cannot be started, or a run panics.
pub fn run_all(
    jobs: &[(&Scenario, u64)],
    threads: Option<usize>,
    progress: &(dyn Fn(f64) + Sync),
    stop: &AtomicBool,
) -> Vec<Run> {
    run_by_seed(jobs, threads, progress, stop).into_iter().flatten().collect()
}

/// As [`run_each`], but seed by seed: what is finished when a comparison is stopped can be compared. The
/// results are in the order of the jobs all the same.
///
/// # Panics
/// If threads cannot be started, or a run panics.
pub fn run_by_seed(
    jobs: &[(&Scenario, u64)],
    threads: Option<usize>,
    progress: &(dyn Fn(f64) + Sync),
    stop: &AtomicBool,
) -> Vec<Option<Run>> {
    let turns = by_seed(jobs);
    let in_turn: Vec<(&Scenario, u64)> = turns.iter().map(|job| jobs[*job]).collect();
    let runs = run_each(&in_turn, threads, progress, stop);
    let mut placed: Vec<(usize, Option<Run>)> = turns.into_iter().zip(runs).collect();
    placed.sort_unstable_by_key(|(job, _)| *job);
    placed.into_iter().map(|(_, run)| run).collect()
}

/// The jobs of the first seed, then those of the next.
fn by_seed(jobs: &[(&Scenario, u64)]) -> Vec<usize> {
    let mut seeds: BTreeMap<u64, usize> = BTreeMap::new();
    for (_, seed) in jobs {
        let place = seeds.len();
        seeds.entry(*seed).or_insert(place);
    }
    let mut turns: Vec<usize> = (0..jobs.len()).collect();
    turns.sort_by_key(|job| seeds[&jobs[*job].1]);
    turns
}

/// Runs all jobs (a scenario and a seed each), one after the other on so many threads, or on all cores, and
/// after each the kick tests that its expectations ask for. `progress` is told the share done; when `stop`
/// is set, runs under way are given up, and there is nothing in their places.
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
    let job = |task: usize| task.checked_sub(jobs.len()).map_or(task, |kick| kicks[kick].0);
    let mut turns: Vec<usize> = (0..all.len()).collect();
    turns.sort_by_key(|task| job(*task));
    let next = AtomicUsize::new(0);
    // Whoever is free takes what is next.
    let take = |_| {
        let task = turns[next.fetch_add(1, Ordering::Relaxed)];
        let (run, gain) = match task.checked_sub(jobs.len()) {
            None => (run(jobs[task].0, jobs[task].1, &clocks[task], stop), None),
            Some(n) => {
                let (job, kick) = &kicks[n];
                (None, kick.watch(jobs[*job].1, &clocks[task], stop).map(|watch| watch.gain()))
            }
        };
        (task, run, gain)
    };
    // One at a time: a thread that took several would do them alone at the end, while others have nothing.
    let work = || (0..turns.len()).into_par_iter().with_max_len(1).map(take).collect::<Vec<_>>();
    let mut done = watched(&clocks, whole, progress, || pool.install(work));
    done.sort_unstable_by_key(|(task, ..)| *task);
    let gains: Vec<Option<f64>> = done[jobs.len()..].iter().map(|(.., gain)| *gain).collect();
    let mut runs: Vec<Option<Run>> = done.into_iter().take(jobs.len()).map(|(_, run, _)| run).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{AS_WRITTEN, Document};

    fn document(duration: &str) -> Document {
        let text = format!(
            "schema_version = 1\ntitle = \"t\"\nduration = \"{duration}\"\n[postgres.p]\ncores = 1\n\
             [service.s]\ncontainers = {{ min = 1, max = 1 }}\n[service.s.pool.p]\nmax = 1\n\
             [query.q]\ncpu = \"1ms\"\n[request.r]\nservice = \"s\"\n\
             steps = [{{ query = \"q\", on = \"p\" }}]\n[traffic.t]\nrequest = \"r\"\nrate = \"9/s\"\n"
        );
        Document::from_text("t.toml", &text).unwrap().0
    }

    /// Two variants with two seeds, of which the second takes for ever.
    #[test]
    fn what_is_finished_when_stopped_are_whole_seeds() {
        let (short, long) = (document("1s"), document("2000h"));
        let (short, long) = (short.scenario(AS_WRITTEN).unwrap(), long.scenario(AS_WRITTEN).unwrap());
        let jobs = [(short, 7), (long, 3), (short, 7), (long, 3)];
        assert_eq!(by_seed(&jobs), [0, 2, 1, 3]);
        let (shown, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let later = |_| stop.store(shown.fetch_add(1, Ordering::Relaxed) > 5, Ordering::Relaxed);
        let runs = run_by_seed(&jobs, Some(1), &later, &stop);
        let finished: Vec<bool> = runs.iter().map(Option::is_some).collect();
        assert_eq!(finished, [true, false, true, false], "in the places of the jobs");
    }
}
