//! `run`: one variant in detail.

use super::batch::{Batch, Handling};
use super::console::Console;
use super::inputs::{self, Seeding, Source};
use super::{Failure, output};
use crate::scenario::AS_WRITTEN;
use clap::Args;

/// Simulate one variant of a scenario and show it in detail.
///
/// Latency counts from a request's intended arrival, so queueing is never hidden (no coordinated omission).
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    #[command(flatten)]
    source: Source,
    /// Which variant.
    #[arg(long, value_name = "NAME", default_value = AS_WRITTEN)]
    variant: String,
    #[command(flatten)]
    seeding: Seeding,
    #[command(flatten)]
    handling: Handling,
}

const EXAMPLES: &str = "Examples:
  herdsim run quickstart.toml
  herdsim run fleet.toml --variant jitter --seeds 1..5 -o runs/jitter
  herdsim run fleet.toml --duration 30m --set 'service.*.pool.*.max_lifetime=17m'

Without -o the results go to runs/<scenario>.";

/// Does it.
pub fn perform(args: &RunArgs, console: &Console) -> Result<(), Failure> {
    let document = args.source.load(&args.seeding, console)?;
    let scenario = inputs::variant(&document, &args.variant)?;
    let jobs = scenario.file.seeds.iter().map(|seed| (scenario, *seed)).collect();
    let (source, handling) = (&args.source, &args.handling);
    let batch = Batch { source, document: &document, jobs, handling, verb: "run", baseline: None };
    batch.perform(console, |results, _| Ok(output::runs(results, console.stdout_colour())))
}
