//! `compare`: variants side by side, with the same seeds.

use super::batch::{Batch, Handling};
use super::console::Console;
use super::inputs::{self, Seeding, Source};
use super::{Failure, output};
use crate::scenario::{AS_WRITTEN, Document, Scenario};
use clap::{Args, ValueEnum};

/// Simulate variants of a scenario side by side, with the same seeds: a difference is the variant's alone.
///
/// Latency counts from a request's intended arrival, so queueing is never hidden (no coordinated omission).
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    #[command(flatten)]
    source: Source,
    /// These variants, by commas [default: those that the scenario's `compare` names].
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "all")]
    variants: Vec<String>,
    /// Every variant.
    #[arg(long)]
    all: bool,
    /// What the others are held against, shown first if it is not shown anyway [default: the first].
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    #[command(flatten)]
    seeding: Seeding,
    /// What is printed: a table for people, one for a pull request, or data.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    handling: Handling,
}

const EXAMPLES: &str = "Examples:
  herdsim compare quickstart.toml
  herdsim compare fleet.toml --variants as-written,jitter --seeds 10
  herdsim compare fleet.toml --all --baseline as-it-happened
  herdsim compare fleet.toml --all --format markdown >> \"$GITHUB_STEP_SUMMARY\"

Without -o the results go to runs/<scenario>-compare.";

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned tables.
    Text,
    /// Markdown tables.
    Markdown,
    /// One JSON object.
    Json,
}

/// Does it.
pub fn perform(args: &CompareArgs, console: &Console) -> Result<(), Failure> {
    let document = args.source.load(&args.seeding, console)?;
    let mut jobs = Vec::new();
    let mut shown = chosen(args, &document)?;
    let baseline = match &args.baseline {
        Some(name) => Some(inputs::variant(&document, name)?),
        None => None,
    };
    if let Some(baseline) = baseline.filter(|one| !shown.iter().any(|other| other.variant == one.variant)) {
        shown.insert(0, baseline);
    }
    for scenario in shown {
        jobs.extend(scenario.file.seeds.iter().map(|seed| (scenario, *seed)));
    }
    let handling = &args.handling;
    let baseline = baseline.map(|scenario| scenario.variant.as_str());
    let (source, document, verb, extra) = (&args.source, &document, "compare", vec![]);
    let batch = Batch { source, document, jobs, handling, verb, baseline, extra };
    batch.perform(console, |results, dir| match args.format {
        Format::Text => Ok(output::comparison(results, console.stdout_colour())),
        Format::Markdown => Ok(output::comparison_markdown(results)),
        Format::Json => output::comparison_json(results, dir),
    })
}

fn chosen<'a>(args: &CompareArgs, document: &'a Document) -> Result<Vec<&'a Scenario>, Failure> {
    if args.all {
        let varied: Vec<_> = document.scenarios.values().filter(|s| s.variant != AS_WRITTEN).collect();
        // The file as written is the whole only where it has no variants.
        return Ok(if varied.is_empty() { document.scenarios.values().collect() } else { varied });
    }
    if args.variants.is_empty() {
        return Ok(document.compared());
    }
    let mut chosen: Vec<&Scenario> = Vec::new();
    for name in &args.variants {
        let scenario = inputs::variant(document, name.trim())?;
        // Named twice is shown once.
        if !chosen.iter().any(|other| other.variant == scenario.variant) {
            chosen.push(scenario);
        }
    }
    Ok(chosen)
}
