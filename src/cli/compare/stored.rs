//! Earlier runs side by side: what run directories hold, paired by seed. Nothing is simulated.
//!
//! Verdicts on expectations stay with the runs that they were passed on.

use super::args::CompareArgs;
use super::sides::{equally_long, joined, names, out, shown_as};
use crate::cli::console::Console;
use crate::cli::output::{self, Results};
use crate::cli::{Failure, inputs};
use crate::experiment::{Run, effect, paired};
use crate::report::{self, Header, Loaded};
use crate::scenario::Document;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a directory contributes.
struct Side {
    header: Header,
    runs: Vec<Run>,
    resolved: Vec<(String, String)>,
    /// Whether all of its runs were finished.
    complete: bool,
}

/// Reads the directories; where the comparison goes comes with it.
///
/// # Errors
/// [`Failure::Usage`] if values or seeds are to be laid over, if there are not two variants, or no such
/// baseline; [`Failure::Io`] if a directory cannot be read.
pub fn results(
    args: &CompareArgs,
    dirs: &[PathBuf],
    console: &Console,
) -> Result<(Results, PathBuf), Failure> {
    nothing_is_simulated(args)?;
    let begun = Instant::now();
    let of = names(dirs)?;
    let out = out(args, &of);
    each_another(dirs, &out)?;
    output::claim(&out)?;
    let mut sides = Vec::new();
    for (dir, name) in dirs.iter().zip(&of) {
        sides.push(read(dir, name, console)?);
    }
    keep(args, &mut sides)?;
    let lengths = sides.iter().zip(&of).flat_map(|(side, name)| {
        side.runs.iter().map(move |run| (format!("`{name}`"), run.measured.duration))
    });
    equally_long(lengths)?;
    let complete = sides.iter().all(|side| side.complete);
    let headers: Vec<&Header> = sides.iter().map(|side| &side.header).collect();
    let header = Header::of_several(&joined(&of), &headers);
    let (runs, resolved): (Vec<_>, Vec<_>) = sides.into_iter().map(|side| (side.runs, side.resolved)).unzip();
    let (runs, baseline) = (runs.concat(), args.baseline.as_deref());
    let paired = paired::paired(&runs, baseline);
    if paired.iter().all(|row| row.pairs == 0) {
        console.note("no seed was run on both sides: nothing can be paired");
    }
    if let Some(note) = unpaired(&runs) {
        console.note(&note);
    }
    let results = Results {
        header,
        resolved: resolved.concat(),
        command: command(args, dirs),
        // What the scenarios of earlier runs have in common is not known: all of a run counts.
        effects: effect::effects(&Document { scenarios: Default::default() }, &runs, baseline),
        paired,
        runs,
        judged: vec![],
        complete,
        interrupted: false,
        plots: !args.handling.running.no_plots,
        took: begun.elapsed(),
    };
    Ok((results, out))
}

/// More seeds than these are told by the first and the last.
const TOLD: usize = 10;

/// Where the variants have not all been run with the same seeds: with which each was.
fn unpaired(runs: &[Run]) -> Option<String> {
    let mut sides: Vec<(&str, Vec<u64>)> = Vec::new();
    for run in runs {
        match sides.iter_mut().find(|(name, _)| *name == run.variant) {
            Some((_, seeds)) => seeds.push(run.seed),
            None => sides.push((&run.variant, vec![run.seed])),
        }
    }
    sides.iter_mut().for_each(|(_, seeds)| seeds.sort_unstable());
    if sides.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        return None;
    }
    let side = |(place, (name, seeds)): (usize, &(&str, Vec<u64>))| {
        let numbers: Vec<String> = seeds.iter().map(u64::to_string).collect();
        let has = if place == 0 { "has the seeds " } else { "" };
        let told = match numbers.len() {
            0..=TOLD => numbers.join(", "),
            many => format!("{} to {} ({many})", numbers[0], numbers[many - 1]),
        };
        format!("{name} {has}{told}")
    };
    let told: Vec<String> = sides.iter().enumerate().map(side).collect();
    Some(format!("{}: what only one side has is left out", told.join(", ")))
}

fn nothing_is_simulated(args: &CompareArgs) -> Result<(), Failure> {
    let source = &args.source;
    let asked = [
        ("--with", !source.with.is_empty()),
        ("--set", !source.set.is_empty()),
        ("--duration", source.duration.is_some()),
        ("--seed or --seeds", args.seeding.asked()),
    ];
    match asked.into_iter().find(|(_, asked)| *asked) {
        Some((what, _)) => Err(Failure::Usage(format!(
            "run directories are compared as they are: leave out {what}, or compare the scenario files"
        ))),
        None => Ok(()),
    }
}

/// No directory is compared with itself, or written over.
fn each_another(dirs: &[PathBuf], out: &Path) -> Result<(), Failure> {
    if dirs.iter().any(|dir| same(dir, out)) {
        return Err(Failure::Usage(format!("`{}` is compared: name another -o", out.display())));
    }
    let twice = |(n, dir): &(usize, &PathBuf)| dirs[..*n].iter().any(|before| same(before, dir));
    match dirs.iter().enumerate().find(twice) {
        Some((_, dir)) => {
            let message = format!("`{}` is named twice: a run is no other than itself", dir.display());
            Err(Failure::Usage(message))
        }
        None => Ok(()),
    }
}

fn same(one: &Path, other: &Path) -> bool {
    one.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(one, other)| one == other)
}

/// The runs of a directory, under the names that are shown.
fn read(dir: &Path, name: &str, console: &Console) -> Result<Side, Failure> {
    let Loaded { header, mut runs, mut resolved, manifest, .. } =
        report::load(dir).map_err(Failure::directory)?;
    let complete = manifest["complete"] != false;
    if !complete {
        console.note(&format!("{}: not every run was finished", dir.display()));
    }
    if let Some(run) = runs.iter().find(|run| resolved.iter().all(|(variant, _)| *variant != run.variant)) {
        let (dir, variant) = (dir.display(), &run.variant);
        console.note(&format!("{dir}: the scenario of {variant} is gone: how it differs cannot be told"));
    }
    let only = runs.iter().all(|run| run.variant == runs[0].variant);
    for run in &mut runs {
        run.variant = shown_as(name, &run.variant, only);
    }
    for (variant, _) in &mut resolved {
        *variant = shown_as(name, variant, only);
    }
    Ok(Side { header, runs, resolved, complete })
}

/// Leaves only the variants that are asked for, and makes sure that there is something to compare.
fn keep(args: &CompareArgs, sides: &mut [Side]) -> Result<(), Failure> {
    let mut all: Vec<String> = Vec::new();
    for run in sides.iter().flat_map(|side| &side.runs) {
        if !all.contains(&run.variant) {
            all.push(run.variant.clone());
        }
    }
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    let wanted: Vec<&str> = args.variants.iter().map(|name| name.trim()).collect();
    let asked = wanted.iter().copied().chain(args.baseline.as_deref());
    if let Some(unknown) = asked.clone().find(|name| !names.contains(name)) {
        return Err(inputs::unknown_variant(unknown, &names));
    }
    let kept: Vec<&str> = if wanted.is_empty() { names } else { asked.collect() };
    if !kept.iter().any(|name| *name != kept[0]) {
        let cure = "name another directory, or one with several variants";
        return Err(Failure::Usage(format!("there is only one variant, `{}`: {cure}", kept.join(""))));
    }
    for side in sides {
        side.runs.retain(|run| kept.contains(&run.variant.as_str()));
        side.resolved.retain(|(variant, _)| kept.contains(&variant.as_str()));
    }
    Ok(())
}

/// The command that gives the same results again.
fn command(args: &CompareArgs, dirs: &[PathBuf]) -> Vec<String> {
    let mut command = vec!["herdsim".to_owned(), "compare".to_owned()];
    command.extend(dirs.iter().map(|dir| dir.display().to_string()));
    if !args.variants.is_empty() {
        command.extend(["--variants".to_owned(), args.variants.join(",")]);
    }
    command.extend(args.baseline.iter().flat_map(|name| ["--baseline".to_owned(), name.clone()]));
    command
}
