//! `sweep`: the same scenario at many points.

use super::batch::Running;
use super::console::Console;
use super::inputs::{ScenarioArgs, Seeding, variant};
use super::progress::Progress;
use super::{Failure, find, interrupt, output, shard};
use crate::experiment::sweep::plan::{self, Point};
use crate::experiment::sweep::{PointRun, TrialBatch, run_trials};
use crate::report::ledger::{Ledger, Manifest, fingerprint};
use crate::report::sweep::{self as paper, MapOf};
use crate::report::{Header, ReportError, human};
use crate::scenario::axis::{self, Axis};
use crate::scenario::grammar::{Mode, ScenarioSweep};
use crate::scenario::place::{AXIS, OWN_AXIS};
use crate::scenario::{AS_WRITTEN, Document};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Run a scenario at many points and map what its expectations measure; or find how much is enough.
///
/// The points are those of the scenario's `[sweep]`, of `--axis`, or of both. Each expectation is measured
/// and judged at every point with every seed; the maps show its median and how many seeds kept within its
/// bounds.
/// Nothing there fails the command: a map shows where things hold and where not. Every finished run is kept
/// at once, so that a sweep that was stopped can be gone on with (`--resume`), and dealt to several machines
/// (`--shard`, then `herdsim merge`). With `--find` it looks for the smallest value of one parameter with
/// which an expectation holds with every seed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SweepArgs {
    #[command(flatten)]
    pub source: ScenarioArgs,
    /// An axis (may be repeated): `path=a,b,c`, `path=lo..hi:n` or, for random points, `path=lo..hi`.
    /// Semicolons join paths that move together, `name@value` names a value. It comes in the place of the
    /// scenario's axis of that path.
    #[arg(long = "axis", value_name = "PATH=VALUES", value_parser = axis::parse)]
    axes: Vec<Axis>,
    /// How axes make points: every combination (grid), the first values, the second and so on (zip), or by
    /// chance, evenly along every axis (random) [default: the scenario's, or grid].
    #[arg(long, value_parser = PossibleValuesParser::new(["grid", "zip", "random"]))]
    mode: Option<String>,
    /// How many random points [default: the scenario's, or 64].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    points: Option<u32>,
    /// These variants, by commas [default: the scenario's, or those that its expectations name].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    variants: Vec<String>,
    /// Map this metric, too: `METRIC[.STAT][{CAUSE}]@OF`, such as `herd_size{lifetime}@postgres.primary`
    /// (may be repeated).
    #[arg(long = "map", value_name = "METRIC@OF", value_parser = MapOf::parse)]
    maps: Vec<MapOf>,
    /// Go on with a sweep that was stopped: what is finished is not done again.
    #[arg(long, conflicts_with = "restart")]
    resume: bool,
    /// Throw away a sweep that was stopped.
    #[arg(long)]
    restart: bool,
    /// Only this part of the points, such as 3/7; `auto`: the part that Cloud Run jobs, Slurm or AWS Batch
    /// gave this task (`auto/N` on Kubernetes). It goes into DIR/shard-3-of-7.
    #[arg(long, value_name = "I/N", value_parser = shard::parse)]
    shard: Option<shard::PartAsked>,
    #[command(flatten)]
    pub find: find::FindArgs,
    #[command(flatten)]
    pub seeding: Seeding,
    #[command(flatten)]
    pub running: Running,
}

const EXAMPLES: &str = "Examples:
  herdsim sweep fleet.toml --axis 'service.*.pool.*.max_lifetime_jitter=0s..180s:7' --seeds 5
  herdsim sweep fleet.toml --axis traffic.sessions.rate=x0.5,x1 --axis postgres.primary.cores=2,4
  herdsim sweep fleet.toml --axis 'traffic.*.rate=x1,x2;postgres.primary.cores=4,8'
  herdsim sweep fleet.toml --axis traffic.sessions.rate=x0.5..x2 --mode random --points 100
  herdsim sweep fleet.toml --axis postgres.primary.cores=2,4,8 --shard 3/7 -o runs/parts
  herdsim sweep fleet.toml --find 'service.*.pool.*.max_lifetime_jitter=0s..180s' --expect no-herd

Without -o the results go to runs/<scenario>-sweep, of --find to runs/<scenario>-find.
--find ends with 1 if nothing in the range does.";

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

impl SweepArgs {
    /// The scenario as asked for: how axes make points is a value of it like any other.
    pub fn base(&self) -> ScenarioArgs {
        let mut source = self.source.clone();
        source.set.extend(self.mode.iter().map(|mode| format!("sweep.mode={mode}")));
        source.set.extend(self.points.iter().map(|points| format!("sweep.points={points}")));
        source
    }

    /// Where the axis stands that lays this over the scenario.
    fn option(&self, set: &str) -> &'static str {
        let path = set.split('=').next().unwrap_or_default().trim();
        let given = self.axes.iter().flat_map(Axis::paths).any(|moved| moved == path);
        if given { AXIS } else { OWN_AXIS }
    }

    /// What to say of a sweep at whose points nothing is asked.
    fn unmeasured(&self, base: &Document, variants: &[String]) -> Option<String> {
        let expects =
            || base.scenarios.values().next().into_iter().flat_map(|first| first.file.expect.values());
        if !self.maps.is_empty() || expects().any(|expect| variants.contains(&expect.variant)) {
            return None;
        }
        let cure = match expects().next() {
            Some(_) => format!("choose `--variants {}`", base.expected().join(",")),
            None => "write an [expect.NAME]".to_owned(),
        };
        let of = variants.join(", ");
        Some(format!(
            "warning: no expectation is of {of}, so nothing is mapped: {cure}, or map a metric with \
             `--map METRIC@OF`"
        ))
    }

    /// The scenario's axes and those of the command line, which come in the place of one of the same path.
    fn axes(&self, sweep: &ScenarioSweep) -> Result<Vec<Axis>, Failure> {
        let written = axis::of(sweep).map_err(|(path, why)| Failure::Usage(format!("`{path}`: {why}")))?;
        let mut axes = written;
        for axis in &self.axes {
            match axes.iter_mut().find(|other| other.name == axis.name) {
                Some(other) => *other = axis.clone(),
                None => axes.push(axis.clone()),
            }
        }
        if axes.is_empty() {
            let message = "no axis: write `--axis 'path=a,b,c'`, or a table [sweep.axes] in the scenario";
            return Err(Failure::Usage(message.to_owned()));
        }
        if let Some((one, other)) = axis::overlapping(&axes) {
            let message = format!("two axes move the same value: `{one}` and `{other}`: leave one out");
            return Err(Failure::Usage(message));
        }
        if self.points.is_some() && sweep.mode != Mode::Random {
            return Err(Failure::Usage("`--points` goes with `--mode random`".to_owned()));
        }
        Ok(axes)
    }
}
