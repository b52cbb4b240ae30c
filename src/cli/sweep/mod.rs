//! `sweep`: the same scenario at many points.

mod args;
mod find;
mod shard;

use super::console::Console;
use super::inputs::variant;
use super::progress::Progress;
use super::{Failure, interrupt, output};
use crate::experiment::sweep::plan::{self, Point};
use crate::experiment::sweep::{PointRun, TrialBatch, run_trials};
use crate::report::ledger::{Ledger, Manifest, fingerprint};
use crate::report::sweep::{self as paper, MapOf};
use crate::report::{Header, ReportError, human};
use crate::scenario::{AS_WRITTEN, Document};
pub use args::SweepArgs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Does it.
pub fn perform(args: &SweepArgs, console: &Console) -> Result<(), Failure> {
    if args.find.asked() {
        return find::perform(args, console);
    }
    let job = Job::of(args, console)?;
    let out = args.running.out.clone();
    let mut dir = out.unwrap_or_else(|| PathBuf::from("runs").join(args.source.stem() + "-sweep"));
    if let Some(shard) = job.manifest.shard {
        dir.push(format!("shard-{}-of-{}", shard.number, shard.of));
    }
    let ledger = job.ledger(&dir)?;
    let stop = interrupt::listen();
    let done = job.simulate(&ledger, console, stop)?;
    let trials = job.manifest.trials();
    if done < trials.len() {
        console.note(&format!(
            "kept {done} of {} in {}",
            human::plural(trials.len(), "trial"),
            dir.display()
        ));
        console.note("go on with the same command and --resume");
        return Err(Failure::Interrupted);
    }
    close(&ledger, job.manifest, &args.maps, console)?;
    console.note(&format!("wrote {}", dir.display()));
    Ok(())
}

/// Writes what follows from the trials; of a shard nothing does.
pub fn close(ledger: &Ledger, manifest: Manifest, maps: &[MapOf], console: &Console) -> Result<(), Failure> {
    let manifest = Manifest { complete: true, ..manifest };
    if manifest.shard.is_some() {
        return ledger.close(&manifest, &[]).map_err(failed);
    }
    let cells = ledger.cells(&manifest.trials()).map_err(failed)?;
    for map in maps
        .iter()
        .filter(|map| cells.iter().all(|cell| map.of(cell).is_none_or(|(value, _)| value.is_nan())))
    {
        console.problems(&format!("warning: no run measured `{}`: its map is empty", map.text));
    }
    let paper = paper::of(&manifest, &cells, maps);
    console.result(&paper.text())?;
    ledger.close(&manifest, &paper.files(manifest.plots)).map_err(failed)
}

/// A directory that cannot be read or written.
pub fn failed(error: ReportError) -> Failure {
    Failure::Io(error.to_string())
}

/// A sweep that is about to begin.
struct Job<'a> {
    args: &'a SweepArgs,
    console: &'a Console,
    manifest: Manifest,
    points: Vec<Point>,
    /// The hash of the scenario at each point; of a shard, at its own.
    fingerprints: Vec<String>,
    /// How long a run is, in simulated nanoseconds.
    duration: u64,
}

impl<'a> Job<'a> {
    fn of(args: &'a SweepArgs, console: &'a Console) -> Result<Job<'a>, Failure> {
        // Its warnings are those of the points.
        let base = args.base().load(&args.seeding, &console.hushed(true))?;
        let written = variant(&base, AS_WRITTEN)?;
        let sweep = written.file.sweep.clone().unwrap_or_default();
        let axes = args.axes(&sweep)?;
        if let Some(stranger) = args.maps.iter().find_map(|map| map.stranger(&written.file)) {
            return Err(Failure::Usage(format!("--map: there is no `{stranger}` in the scenario")));
        }
        let random = (sweep.points as usize, sweep.draw);
        let points = plan::points(&axes, sweep.mode, random).map_err(Failure::Usage)?;
        let chosen = [&args.variants, &sweep.variants].into_iter().find(|names| !names.is_empty());
        let variants = chosen.cloned().unwrap_or_else(|| base.expected());
        let scenarios = variants.iter().map(|name| variant(&base, name)).collect::<Result<Vec<_>, _>>()?;
        if let Some(warning) = args.unmeasured(&base, &variants) {
            console.problems(&warning);
        }
        let header = Header::of(&args.source.stem(), written);
        let shard = args.shard.map(|asked| asked.resolve(&|name| std::env::var(name).ok()));
        let manifest = Manifest {
            mode: sweep.mode,
            axes,
            variants: variants.clone(),
            seeds: written.file.seeds.clone(),
            points: points.iter().map(|point| point.labels.clone()).collect(),
            maps: args.maps.iter().map(|map| map.text.clone()).collect(),
            plots: !args.running.no_plots,
            shard: shard.transpose().map_err(Failure::Usage)?,
            ..Manifest::new(header, args.source.arguments(), fingerprint(scenarios))
        };
        let duration = written.file.duration.0;
        let mut job = Job { args, console, manifest, points, fingerprints: vec![], duration };
        job.fingerprints = job.check()?;
        Ok(job)
    }

    /// All points are read and checked before the first is run; not all are held in memory.
    fn check(&self) -> Result<Vec<String>, Failure> {
        let mut fingerprints = vec![String::new(); self.points.len()];
        let mut own: Vec<usize> = self.manifest.trials().into_iter().map(|(_, point, _)| point).collect();
        own.dedup();
        for (place, point) in own.into_iter().enumerate() {
            // The warnings of one point are those of all.
            let document = self.read(point, place > 0)?;
            fingerprints[point] = self.fingerprint(&document)?;
        }
        Ok(fingerprints)
    }

    fn read(&self, point: usize, hush: bool) -> Result<Document, Failure> {
        let mut source = self.args.base();
        let set = self.points[point].set.iter();
        source.point = set.map(|set| (self.args.option(set), set.clone())).collect();
        source.load(&self.args.seeding, &self.console.hushed(hush))
    }

    fn fingerprint(&self, document: &Document) -> Result<String, Failure> {
        let names = self.manifest.variants.iter();
        let scenarios = names.map(|name| variant(document, name)).collect::<Result<Vec<_>, _>>()?;
        if scenarios.iter().any(|scenario| scenario.file.seeds != self.manifest.seeds) {
            return Err(Failure::Usage("an axis cannot move `seeds`: give them with `--seeds`".to_owned()));
        }
        Ok(fingerprint(scenarios))
    }

    /// The directory: a new one, or one to go on with. One that is not finished is never thrown away unasked.
    fn ledger(&self, dir: &Path) -> Result<Ledger, Failure> {
        output::claim_for_sweep(dir)?;
        let shown = dir.display();
        match Ledger::open(dir) {
            Ok(Some((ledger, found))) if self.args.resume => {
                if let Some(difference) = self.manifest.difference(&found) {
                    return Err(Failure::Usage(format!(
                        "`{shown}` is another sweep: {difference}; choose another directory with -o"
                    )));
                }
                self.compare(&ledger)?;
                Ok(ledger)
            }
            Ok(Some((_, found))) if !found.complete && !self.args.restart => Err(Failure::Usage(format!(
                "`{shown}` holds a sweep that is not finished: go on with it (`--resume`), or throw it away \
                 (`--restart`)"
            ))),
            Err(error) if self.args.resume => Err(failed(error)),
            _ => Ledger::create(dir, &self.manifest).map_err(failed),
        }
    }

    /// What is finished must be of these scenarios.
    fn compare(&self, ledger: &Ledger) -> Result<(), Failure> {
        for (number, point, _) in self.manifest.trials().into_iter().filter(|trial| ledger.has(trial.0)) {
            if ledger.scenario_of(number).map_err(failed)? != self.fingerprints[point] {
                let labels = self.manifest.points[point].join(", ");
                let message = format!("the scenario at {labels} is another one than when it was run");
                return Err(Failure::Usage(format!("{message}: begin again with `--restart`")));
            }
        }
        Ok(())
    }

    /// Does what is not done yet; tells how many trials are done in the end.
    fn simulate(&self, ledger: &Ledger, console: &Console, stop: &AtomicBool) -> Result<usize, Failure> {
        let all = self.manifest.trials();
        let left: Vec<&(usize, usize, u64)> = all.iter().filter(|trial| !ledger.has(trial.0)).collect();
        self.announce(all.len(), left.len());
        let progress = Progress::new(console);
        let (before, whole) = ((all.len() - left.len()) as f64, all.len().max(1) as f64);
        let trials: Vec<(usize, u64)> = left.iter().map(|(_, point, seed)| (*point, *seed)).collect();
        let batch = TrialBatch {
            trials: &trials,
            variants: &self.manifest.variants,
            duration: self.duration,
            threads: self.args.running.jobs.map(usize::from),
        };
        let open = |point: usize| {
            let document = self.read(point, true)?;
            if self.fingerprint(&document)? != self.fingerprints[point] {
                return Err(Failure::Usage("the scenario was changed while it was run".to_owned()));
            }
            Ok(document)
        };
        let keep = |place: usize, cells: Vec<PointRun>| {
            let (number, point, _) = left[place];
            ledger.keep(*number, self.fingerprints[*point].clone(), cells).map_err(failed)
        };
        let show = |share: f64| progress.show((before + share * left.len() as f64) / whole);
        let outcome = run_trials(&batch, &open, &keep, &show, stop);
        progress.finish();
        outcome?;
        Ok(all.iter().filter(|trial| ledger.has(trial.0)).count())
    }

    fn announce(&self, all: usize, left: usize) {
        let manifest = &self.manifest;
        let points = match manifest.shard {
            None => human::plural(manifest.points.len(), "point"),
            Some(_) => {
                let own = human::plural(all / manifest.seeds.len().max(1), "point");
                format!("{own} of {}", manifest.points.len())
            }
        };
        let done = if left < all { format!(", {} done before", all - left) } else { String::new() };
        self.console.note(&format!(
            "{}: {points} × {} × {}{done}",
            self.args.source.file.display(),
            human::plural(manifest.variants.len(), "variant"),
            human::plural(manifest.seeds.len(), "seed")
        ));
    }
}
