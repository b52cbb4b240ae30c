//! `compare`: variants side by side, with the same seeds; of one scenario, of several, or of earlier runs.

mod args;
mod matrix;
mod several;
mod sides;
mod stored;

use super::Failure;
use super::batch::{Batch, listed, verdict};
use super::console::Console;
use super::inputs;
use super::output::{self, Results};
pub use args::CompareArgs;
use args::Format;
use sides::equally_long;
use std::path::{Path, PathBuf};

/// What is compared.
enum Inputs {
    One,
    Files,
    Directories,
}

/// Does it.
pub fn perform(args: &CompareArgs, console: &Console) -> Result<(), Failure> {
    let paths = args.paths();
    match inputs(&paths)? {
        Inputs::Files if !args.source.with.is_empty() => matrix::perform(args, console),
        Inputs::One if args.each => matrix::perform(args, console),
        Inputs::One => one(args, console),
        Inputs::Files => {
            let (results, out) = several::results(args, console)?;
            finish(args, console, &results, &out)?;
            verdict(&results, args.handling.exit_zero)
        }
        Inputs::Directories => {
            let (results, out) = stored::results(args, &paths, console)?;
            finish(args, console, &results, &out)?;
            verdict(&results, args.handling.exit_zero)
        }
    }
}

fn inputs(paths: &[PathBuf]) -> Result<Inputs, Failure> {
    let directory = paths.iter().find(|path| path.is_dir());
    let file = paths.iter().find(|path| !path.is_dir());
    match (directory, file) {
        (Some(directory), Some(file)) => Err(Failure::Usage(format!(
            "`{}` is a directory and `{}` is not: compare scenario files with each other, or run directories",
            directory.display(),
            file.display()
        ))),
        (Some(_), None) => Ok(Inputs::Directories),
        _ if paths.len() == 1 => Ok(Inputs::One),
        _ => Ok(Inputs::Files),
    }
}

fn one(args: &CompareArgs, console: &Console) -> Result<(), Failure> {
    let document = args.source.load(&args.seeding, console)?;
    let mut jobs = Vec::new();
    let mut shown = args.chosen(&document, &args.variants)?;
    let baseline = match &args.baseline {
        Some(name) => Some(inputs::variant(&document, name)?),
        None => None,
    };
    if let Some(baseline) = baseline.filter(|one| !shown.iter().any(|other| other.variant == one.variant)) {
        shown.insert(0, baseline);
    }
    equally_long(shown.iter().map(|one| (format!("variant `{}`", one.variant), one.file.duration)))?;
    for scenario in shown {
        jobs.extend(scenario.file.seeds.iter().map(|seed| (scenario, *seed)));
    }
    let handling = &args.handling;
    let baseline = baseline.map(|scenario| scenario.variant.as_str());
    let (source, document, verb, extra) = (&args.source, &document, "compare", vec![]);
    let batch = Batch { source, document, jobs, handling, verb, baseline, extra };
    batch.perform(console, |results, dir| render(args, console, results, dir, false))
}

/// Writes and prints results that were put together from several.
fn finish(args: &CompareArgs, console: &Console, results: &Results, out: &Path) -> Result<(), Failure> {
    let written = output::write(out, results, &[])?;
    console.result(&render(args, console, results, out, true)?)?;
    console.note(&format!("wrote {}: {}", out.display(), listed(&written)));
    Ok(())
}

/// The text of results that come from one scenario, or from several.
fn render(
    args: &CompareArgs,
    console: &Console,
    results: &Results,
    dir: &Path,
    several: bool,
) -> Result<String, Failure> {
    let colour = console.stdout_colour();
    Ok(match args.format {
        Format::Text => output::comparison(results, colour, several),
        Format::Markdown => output::comparison_markdown(results, several),
        Format::Json => output::comparison_json(results, dir, several)?,
        Format::Csv => output::comparison_csv(results),
    })
}
