//! What the command line of `compare` may say.

use crate::cli::Failure;
use crate::cli::batch::Handling;
use crate::cli::inputs::{self, ScenarioArgs, Seeding};
use crate::scenario::{Document, Scenario};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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
    /// These variants, by commas [default: those that the scenario's `compare` names, or all and the file as
    /// written, `as-written`].
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "all")]
    pub variants: Vec<String>,
    /// Every variant, and the file as written unless a variant is the same.
    #[arg(long)]
    all: bool,
    /// Try each --with file alone, on top of one variant: remedies beside each other. So it is always done
    /// with several scenarios, each with the first of --variants that it has.
    #[arg(long, requires = "with")]
    pub each: bool,
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

Without -o the results go to runs/<scenario>-compare, of several to runs/<one>-<other>-compare,
of remedies and --each to runs/remedies.";

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

impl CompareArgs {
    /// All that is to be compared.
    pub fn paths(&self) -> Vec<PathBuf> {
        [std::slice::from_ref(&self.source.file), &self.more].concat()
    }

    /// Whether nothing is asked for that means nothing where each remedy is tried alone.
    ///
    /// # Errors
    /// [`Failure::Usage`] if something is.
    pub fn suits_remedies(&self) -> Result<(), Failure> {
        let refused = match (self.all, &self.baseline) {
            (true, _) => "`--all`",
            (false, Some(_)) => "`--baseline`",
            (false, None) => return Ok(()),
        };
        Err(Failure::Usage(format!(
            "{refused} means nothing where each remedy is tried alone: it is held against the same variant without \
             it; name that one with `--variants`"
        )))
    }

    /// The variants of a document that are chosen by these names, or as `--all` or the scenario says.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there is no such variant.
    pub fn chosen<'a>(&self, document: &'a Document, names: &[String]) -> Result<Vec<&'a Scenario>, Failure> {
        if self.all {
            return Ok(document.all());
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
}
