//! `merge`: the parts of a sweep into one.

use super::console::Console;
use super::sweep::{close, failed};
use super::{Failure, output};
use crate::report::ledger::{Ledger, Manifest, Shard};
use crate::report::sweep::MapOf;
use clap::Args;
use std::path::{Path, PathBuf};

/// Put the parts of a sweep together.
///
/// The parts come from `herdsim sweep --shard`. The directory is the same, byte for byte, as if the sweep had
/// been run as a whole. Parts of another scenario, axes, seeds or version are refused; missing ones are
/// named.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MergeArgs {
    /// The directories of all parts.
    #[arg(value_name = "DIR", required = true)]
    parts: Vec<PathBuf>,
    /// Where the whole goes; replaces an earlier run directory, and nothing else.
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
}

const EXAMPLES: &str = "Examples:
  herdsim sweep fleet.toml --axis postgres.primary.cores=2,4,8 --shard 1/2 -o runs/parts
  herdsim sweep fleet.toml --axis postgres.primary.cores=2,4,8 --shard 2/2 -o runs/parts
  herdsim merge runs/parts/shard-1-of-2 runs/parts/shard-2-of-2 -o runs/whole";

/// A part that was read.
struct Part<'a> {
    dir: &'a Path,
    ledger: Ledger,
    manifest: Manifest,
    shard: Shard,
}

/// Does it.
pub fn perform(args: &MergeArgs, console: &Console) -> Result<(), Failure> {
    let parts = args.parts.iter().map(|dir| read(dir)).collect::<Result<Vec<_>, _>>()?;
    alike(&parts)?;
    let missing = missing(&parts);
    if !missing.is_empty() {
        return Err(Failure::Io(missing.join("; ")));
    }
    let whole = Manifest { shard: None, complete: false, ..parts[0].manifest.clone() };
    let maps = whole.maps.iter().map(|text| MapOf::parse(text)).collect::<Result<Vec<_>, _>>();
    let maps = maps.map_err(Failure::Usage)?;
    free(&args.out, &parts)?;
    // A damaged trial is told by its own name, and before anything is written.
    for part in &parts {
        let trials = part.manifest.trials();
        let (cells, wanted) =
            (part.ledger.cells(&trials).map_err(failed)?, trials.len() * whole.variants.len());
        if cells.len() != wanted {
            let (dir, cells) = (part.dir.display(), cells.len());
            return Err(Failure::Io(format!(
                "`{dir}` is damaged: it has {cells} of {wanted} runs in its trials"
            )));
        }
    }
    let ledger = Ledger::create(&args.out, &whole).map_err(failed)?;
    for part in &parts {
        for (number, _, _) in part.manifest.trials() {
            ledger.adopt(&part.ledger, number).map_err(failed)?;
        }
    }
    close(&ledger, whole, &maps, console)?;
    console.note(&format!("wrote {}", args.out.display()));
    Ok(())
}

fn read(dir: &Path) -> Result<Part<'_>, Failure> {
    let shown = dir.display();
    let Some((ledger, manifest)) = Ledger::open(dir).map_err(failed)? else {
        return Err(Failure::Usage(format!("there is no sweep in `{shown}`")));
    };
    match manifest.shard {
        Some(shard) => Ok(Part { dir, ledger, manifest, shard }),
        None => Err(Failure::Usage(format!("`{shown}` is a whole sweep, not a part of one"))),
    }
}

/// All parts are of one sweep, and each is there once.
fn alike(parts: &[Part]) -> Result<(), Failure> {
    let first = &parts[0];
    for (place, part) in parts.iter().enumerate().skip(1) {
        let (here, there) = (first.dir.display(), part.dir.display());
        let count = || {
            let (ours, theirs) = (first.shard.of, part.shard.of);
            (ours != theirs).then(|| format!("number of parts: {theirs} there, {ours} here"))
        };
        if let Some(difference) = first.manifest.difference(&part.manifest).or_else(count) {
            let message = format!("`{here}` and `{there}` are not parts of one sweep: {difference}");
            return Err(Failure::Usage(message));
        }
        if let Some(twin) = parts[..place].iter().find(|other| other.shard == part.shard) {
            let number = part.shard.number;
            let message = format!("part {number} is there twice: `{}` and `{there}`", twin.dir.display());
            return Err(Failure::Usage(message));
        }
    }
    Ok(())
}

/// The parts that are not there, and those that are not finished.
fn missing(parts: &[Part]) -> Vec<String> {
    let of = parts[0].shard.of;
    let there = |number: &usize| parts.iter().any(|part| part.shard.number == *number);
    let absent: Vec<String> = (1..=of).filter(|n| !there(n)).map(|number| format!("{number}/{of}")).collect();
    let absent = (!absent.is_empty()).then(|| format!("missing: shard {}", absent.join(", ")));
    let unfinished = parts.iter().filter_map(|part| {
        let trials = part.manifest.trials();
        let done = trials.iter().filter(|trial| part.ledger.has(trial.0)).count();
        let (dir, all) = (part.dir.display(), trials.len());
        (done < all).then(|| format!("`{dir}` has {done} of {all} trials: finish it with `--resume`"))
    });
    absent.into_iter().chain(unfinished).collect()
}

/// The whole may not take the place of a part, or of another sweep that is not finished.
fn free(out: &Path, parts: &[Part]) -> Result<(), Failure> {
    output::claim_for_sweep(out)?;
    let same =
        |dir: &Path| out.canonicalize().is_ok_and(|out| dir.canonicalize().is_ok_and(|dir| dir == out));
    let unfinished = matches!(Ledger::open(out), Ok(Some((_, found))) if !found.complete);
    let taken = match parts.iter().any(|part| same(part.dir)) {
        true => "one of the parts",
        false if unfinished => "a sweep that is not finished",
        false => return Ok(()),
    };
    Err(Failure::Usage(format!("`{}` holds {taken}: choose another directory with -o", out.display())))
}
