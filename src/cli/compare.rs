//! `compare`: variants side by side, with the same seeds; of one scenario, of several, or of earlier runs.

use super::batch::{Batch, Handling, listed, verdict};
use super::console::Console;
use super::inputs::{self, ScenarioArgs, Seeding};
use super::output::{self, Results};
use super::{Failure, matrix, several, stored};
use crate::engine::time::Span;
use crate::scenario::{AS_WRITTEN, Document, Scenario};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Simulate variants of a scenario side by side, with the same seeds: a difference is the variant's alone.
///
/// Several scenario files are simulated with the same seeds; their variants are named `file/variant`. Run
/// directories are compared as they are: nothing is simulated, and runs are paired by seed.
///
/// Latency counts from a request's intended arrival, so queueing is never hidden (no coordinated omission).
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_arg("with", |with| with.num_args(1..)))]
pub struct CompareArgs {
    #[command(flatten)]
    pub source: ScenarioArgs,
    /// More scenarios; or FILE and these are directories that `run` or `compare` wrote.
    #[arg(value_name = "MORE")]
    more: Vec<PathBuf>,
    /// These variants, by commas [default: those that the scenario's `compare` names, or all].
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "all")]
    pub variants: Vec<String>,
    /// Every variant.
    #[arg(long)]
    all: bool,
    /// Try each --with file alone, on top of one variant: remedies beside each other. So it is always done
    /// with several scenarios, each with the first of --variants that it has.
    #[arg(long, requires = "with")]
    each: bool,
    /// What the others are held against, shown first if it is not shown anyway [default: the first].
    #[arg(long, value_name = "NAME")]
    pub baseline: Option<String>,
    #[command(flatten)]
    pub seeding: Seeding,
    /// What is printed: a table for people, one for a pull request, or data.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    #[command(flatten)]
    pub handling: Handling,
}

const EXAMPLES: &str = "Examples:
  herdsim compare quickstart.toml
  herdsim compare fleet.toml --variants as-written,jitter --seeds 10
  herdsim compare fleet.toml --all --baseline as-written
  herdsim compare fleet.toml --all --format markdown >> \"$GITHUB_STEP_SUMMARY\"
  herdsim compare runs/before runs/after            earlier runs, paired by seed
  herdsim compare small.toml large.toml --seeds 5   several scenarios
  herdsim compare a.toml b.toml --with jitter.toml cap.toml     which remedy for which incident?

Verdicts on differences rest on 95 % intervals over pairs of equal seeds: one seed has none.

Without -o the results go to runs/<scenario>-compare.";

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned tables.
    Text,
    /// Markdown tables.
    Markdown,
    /// One JSON object.
    Json,
    /// The differences from the baseline as CSV.
    Csv,
}

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

impl CompareArgs {
    /// All that is to be compared.
    pub fn paths(&self) -> Vec<PathBuf> {
        [std::slice::from_ref(&self.source.file), &self.more].concat()
    }

    /// The variants of a document that are chosen by these names, or as `--all` or the scenario says.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there is no such variant.
    pub fn chosen<'a>(&self, document: &'a Document, names: &[String]) -> Result<Vec<&'a Scenario>, Failure> {
        if self.all {
            let varied: Vec<_> = document.scenarios.values().filter(|s| s.variant != AS_WRITTEN).collect();
            // The file as written is the whole only where it has no variants.
            return Ok(if varied.is_empty() { document.scenarios.values().collect() } else { varied });
        }
        if names.is_empty() {
            return Ok(document.compared());
        }
        let mut chosen: Vec<&Scenario> = Vec::new();
        for name in names {
            let scenario = inputs::variant(document, name.trim())?;
            // Named twice is shown once.
            if !chosen.iter().any(|other| other.variant == scenario.variant) {
                chosen.push(scenario);
            }
        }
        Ok(chosen)
    }

    /// The text of results that come from one scenario, or from several.
    fn render(
        &self,
        console: &Console,
        results: &Results,
        dir: &Path,
        several: bool,
    ) -> Result<String, Failure> {
        let colour = console.stdout_colour();
        Ok(match self.format {
            Format::Text => output::comparison(results, colour, several),
            Format::Markdown => output::comparison_markdown(results, several),
            Format::Json => output::comparison_json(results, dir, several)?,
            Format::Csv => output::comparison_csv(results),
        })
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
    let as_written = document.scenario(AS_WRITTEN);
    if let ([alone], Some(as_written)) = (&shown[..], as_written)
        && alone.variant != AS_WRITTEN
        && args.variants.is_empty()
        && as_written.file.compare.is_empty()
    {
        // The only variant that there is would be held against nothing; who names one alone means it.
        shown.insert(usize::from(baseline.is_some()), as_written);
    }
    equally_long(shown.iter().map(|one| (format!("variant `{}`", one.variant), one.file.duration)))?;
    for scenario in shown {
        jobs.extend(scenario.file.seeds.iter().map(|seed| (scenario, *seed)));
    }
    let handling = &args.handling;
    let baseline = baseline.map(|scenario| scenario.variant.as_str());
    let (source, document, verb, extra) = (&args.source, &document, "compare", vec![]);
    let batch = Batch { source, document, jobs, handling, verb, baseline, extra };
    batch.perform(console, |results, dir| args.render(console, results, dir, false))
}

/// What a long run has more of than a short one tells nothing of their scenarios. Each comes with its
/// length.
///
/// # Errors
/// [`Failure::Usage`] if two are not equally long.
pub fn equally_long(all: impl Iterator<Item = (String, Span)>) -> Result<(), Failure> {
    let all: Vec<(String, Span)> = all.collect();
    // Of equals the first.
    let short = all.iter().min_by_key(|(_, length)| *length);
    let long = all.iter().rev().max_by_key(|(_, length)| *length);
    match short.zip(long) {
        Some(((brief, short), (longest, long))) if short != long => Err(Failure::Usage(format!(
            "the runs are not equally long ({brief}: {short}, {longest}: {long}), and spikes or requests of more \
             time are more: give all the same with `--duration {short}`"
        ))),
        _ => Ok(()),
    }
}

/// Writes and prints results that were put together from several.
fn finish(args: &CompareArgs, console: &Console, results: &Results, out: &Path) -> Result<(), Failure> {
    let written = output::write(out, results, &[])?;
    console.result(&args.render(console, results, out, true)?)?;
    console.note(&format!("wrote {}: {}", out.display(), listed(&written)));
    Ok(())
}

/// The names of several files or directories that tell them apart: the last part of their paths or, where two
/// share it, the paths.
///
/// # Errors
/// [`Failure::Usage`] if one is there twice.
pub fn names(paths: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let plain = |path: &PathBuf| {
        let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
        let last = if path.is_dir() { whole.file_name() } else { whole.file_stem() };
        last.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    };
    let short: Vec<String> = paths.iter().map(plain).collect();
    let mut names: Vec<String> = Vec::new();
    for (path, name) in paths.iter().zip(&short) {
        let shared = short.iter().filter(|other| *other == name).count() > 1;
        let name = if shared { path.with_extension("").display().to_string() } else { name.clone() };
        if names.contains(&name) {
            return Err(Failure::Usage(format!("`{}` is there twice", path.display())));
        }
        names.push(name);
    }
    Ok(names)
}

/// The name under which a variant of one of several is shown: that of its file or directory if it is the only
/// one from there.
pub fn shown_as(side: &str, variant: &str, only: bool) -> String {
    if only { side.to_owned() } else { format!("{side}/{variant}") }
}

/// `before-after`, `before-and-3-more`.
pub fn joined(names: &[String]) -> String {
    const MOST: usize = 3;
    let plain: Vec<String> = names.iter().map(|name| name.replace(['/', '\\'], "-")).collect();
    if plain.len() <= MOST { plain.join("-") } else { format!("{}-and-{}-more", plain[0], plain.len() - 1) }
}

/// Where results of several go unless a directory is named.
pub fn out(args: &CompareArgs, names: &[String]) -> PathBuf {
    let by_default = || PathBuf::from("runs").join(joined(names) + "-compare");
    args.handling.running.out.clone().unwrap_or_else(by_default)
}
