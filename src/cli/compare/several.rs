//! Several scenario files side by side: the chosen variants of each, simulated with the same seeds.
//!
//! Each file is loaded, run and judged for itself; then its variants get the file's name before their own,
//! and all are one comparison. With remedies (`--with`) it is a matrix: see [`super::matrix`].

use super::args::CompareArgs;
use super::sides::{each_is_there, equally_long, joined, names, of_side, out, shown_as};
use crate::cli::batch::decidable;
use crate::cli::console::Console;
use crate::cli::inputs::{self, ScenarioArgs};
use crate::cli::output::{self, Results};
use crate::cli::progress::Progress;
use crate::cli::{Failure, interrupt};
use crate::experiment::{self, Judged, Run, effect, expect, paired};
use crate::report::{Header, human};
use crate::scenario::{Document, Scenario};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A scenario file with its variants that are compared.
struct Side {
    name: String,
    source: ScenarioArgs,
    document: Document,
    chosen: Vec<String>,
}

impl Side {
    fn jobs(&self) -> Vec<(&Scenario, u64)> {
        let chosen = self.chosen.iter().filter_map(|name| self.document.scenario(name));
        chosen.flat_map(|scenario| scenario.file.seeds.iter().map(move |seed| (scenario, *seed))).collect()
    }

    fn shown_as(&self, variant: &str) -> String {
        shown_as(&self.name, variant, self.chosen.len() == 1)
    }

    /// The expectations that can be judged by these runs, under the names that are shown.
    fn judged(&self, runs: &[Run]) -> Vec<Judged> {
        let ran: Vec<&str> = self.chosen.iter().map(String::as_str).collect();
        let Some((_, first)) = self.document.scenarios.first() else { return vec![] };
        let mut judged = expect::judge(&self.document, runs);
        judged.retain(|judged| first.file.expect.get(&judged.name).is_some_and(|one| decidable(one, &ran)));
        for judged in &mut judged {
            judged.name = format!("{}/{}", self.name, judged.name);
            judged.variant = self.shown_as(&judged.variant);
        }
        judged
    }
}

/// Simulates all files; where the results go comes with them.
///
/// # Errors
/// As the files and the arguments deserve.
pub fn results(args: &CompareArgs, console: &Console) -> Result<(Results, PathBuf), Failure> {
    let sides = sides(args, console)?;
    let shown = shown(&sides);
    let names: Vec<&str> = shown.scenarios.keys().map(String::as_str).collect();
    if let Some(baseline) = args.baseline.as_deref().filter(|baseline| !names.contains(baseline)) {
        return Err(inputs::unknown_variant(baseline, &names));
    }
    equally_long(shown.scenarios.iter().map(|(name, one)| (format!("`{name}`"), one.file.duration)))?;
    let of: Vec<String> = sides.iter().map(|side| side.name.clone()).collect();
    let out = out(args, &of);
    output::claim(&out)?;
    let (stop, begun) = (interrupt::listen(), Instant::now());
    let (runs, judged) = simulate(args, &sides, console, stop);
    let headers: Vec<Header> = sides.iter().filter_map(header).collect();
    let baseline = args.baseline.as_deref();
    let jobs = sides.iter().map(|side| side.jobs().len()).sum::<usize>();
    let interrupted = stop.load(Ordering::Relaxed);
    let results = Results {
        header: Header::of_several(&joined(&of), &headers.iter().collect::<Vec<_>>()),
        resolved: shown.scenarios.iter().map(|(name, one)| (name.clone(), one.resolved())).collect(),
        command: command(args, &sides),
        complete: runs.len() == jobs && !interrupted,
        interrupted,
        effects: effect::effects(&shown, &runs, baseline),
        paired: paired::paired(&runs, baseline),
        runs,
        judged,
        plots: !args.handling.running.no_plots,
        took: begun.elapsed(),
    };
    Ok((results, out))
}

fn sides(args: &CompareArgs, console: &Console) -> Result<Vec<Side>, Failure> {
    let paths = args.paths();
    let mut seeding = args.seeding.clone();
    let mut sides: Vec<Side> = Vec::new();
    for (file, name) in paths.iter().zip(names(&paths)?) {
        let source = ScenarioArgs { file: file.clone(), ..args.source.clone() };
        let document = source.load(&seeding, console)?;
        // The same seeds for all: those of the first file, unless some were asked for.
        let seeds = document.scenarios.values().next().map(|first| first.file.seeds.clone());
        seeding = seeding.or(&seeds.unwrap_or_default());
        sides.push(Side { name, source, document, chosen: vec![] });
    }
    let documents: Vec<_> = sides.iter().map(|side| (side.name.as_str(), &side.document)).collect();
    each_is_there(&args.variants, &documents)?;
    for side in &mut sides {
        let mine = of_side(&args.variants, &side.name, &side.document);
        if mine.is_empty() && !args.variants.is_empty() {
            let (file, wanted) = (side.source.file.display(), args.variants.join("`, `"));
            return Err(Failure::Usage(format!("`{file}` has no variant `{wanted}`: name one that it has")));
        }
        let chosen = args.chosen(&side.document, &mine)?;
        side.chosen = chosen.into_iter().map(|scenario| scenario.variant.clone()).collect();
    }
    if sides.iter().all(|side| side.jobs().is_empty()) {
        return Err(Failure::Usage("nothing to run: no variant or no seed is chosen".to_owned()));
    }
    Ok(sides)
}

/// All that is compared as one document, under the names that are shown.
fn shown(sides: &[Side]) -> Document {
    let of = |side: &Side| {
        let own = side.chosen.iter().filter_map(|name| side.document.scenario(name));
        let named = own.map(|scenario| {
            let mut scenario = scenario.clone();
            scenario.variant = side.shown_as(&scenario.variant);
            (scenario.variant.clone(), scenario)
        });
        named.collect::<Vec<_>>()
    };
    Document { scenarios: sides.iter().flat_map(of).collect() }
}

fn simulate(
    args: &CompareArgs,
    sides: &[Side],
    console: &Console,
    stop: &AtomicBool,
) -> (Vec<Run>, Vec<Judged>) {
    for side in sides {
        console.note(&announcement(side));
    }
    // All together, so that what is finished when that is stopped are whole seeds of every side.
    let jobs: Vec<_> = sides.iter().flat_map(Side::jobs).collect();
    let threads = args.handling.running.jobs.map(usize::from);
    let progress = Progress::new(console);
    let runs = experiment::run_by_seed(&jobs, threads, &|share| progress.show(share), stop);
    progress.finish();
    let (mut runs, mut all, mut judged) = (runs.into_iter(), Vec::new(), Vec::new());
    for side in sides {
        let mut mine: Vec<Run> = runs.by_ref().take(side.jobs().len()).flatten().collect();
        judged.extend(side.judged(&mine));
        for run in &mut mine {
            run.variant = side.shown_as(&run.variant);
        }
        all.extend(mine);
    }
    (all, judged)
}

fn announcement(side: &Side) -> String {
    let jobs = side.jobs();
    let seeds = jobs.len() / side.chosen.len().max(1);
    let (variants, seeds) = (human::plural(side.chosen.len(), "variant"), human::plural(seeds, "seed"));
    let duration = jobs.first().map_or(String::new(), |(scenario, _)| scenario.file.duration.to_string());
    format!("{}: {variants} × {seeds}, {duration} each", side.source.file.display())
}

fn header(side: &Side) -> Option<Header> {
    side.document.scenarios.values().next().map(|scenario| Header::of(&side.name, scenario))
}

/// The command that gives the same results again.
fn command(args: &CompareArgs, sides: &[Side]) -> Vec<String> {
    let mut command = vec!["herdsim".to_owned(), "compare".to_owned()];
    command.extend(sides.iter().skip(1).map(|side| side.source.file.display().to_string()));
    command.splice(2..2, args.source.arguments());
    let of = |side: &Side| side.chosen.iter().map(|name| format!("{}/{name}", side.name)).collect::<Vec<_>>();
    let variants: Vec<String> = sides.iter().flat_map(of).collect();
    let first = sides.first().and_then(|side| side.document.scenarios.values().next());
    let seeds = first.map(|first| first.file.seeds.iter().map(u64::to_string).collect::<Vec<_>>());
    command.extend(["--variants".to_owned(), variants.join(",")]);
    command.extend(["--seeds".to_owned(), seeds.unwrap_or_default().join(",")]);
    command.extend(args.baseline.iter().flat_map(|name| ["--baseline".to_owned(), name.clone()]));
    command
}
