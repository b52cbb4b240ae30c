//! `run`: one variant in detail.

use super::batch::{Batch, Handling};
use super::console::Console;
use super::inputs::{self, ScenarioArgs, Seeding};
use super::{Failure, output, trace};
use crate::report::trace::perfetto;
use crate::scenario::AS_WRITTEN;
use crate::scenario::units::When;
use clap::Args;

/// Simulate one variant of a scenario and show it in detail.
///
/// Latency counts from a request's intended arrival, so queueing is never hidden (no coordinated omission).
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    #[command(flatten)]
    source: ScenarioArgs,
    /// Which variant; `as-written` is the file without any.
    #[arg(long, value_name = "NAME", default_value = AS_WRITTEN)]
    variant: String,
    #[command(flatten)]
    seeding: Seeding,
    /// Also trace this window of the first seed into `trace.json`, for ui.perfetto.dev, such as `290s..292s`;
    /// `herdsim trace` tells the story of one request.
    #[arg(long, value_name = "FROM..TO", value_parser = trace::window)]
    trace: Option<(When, When)>,
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
    let jobs: Vec<_> = scenario.file.seeds.iter().map(|seed| (scenario, *seed)).collect();
    let (source, handling) = (&args.source, &args.handling);
    let mut extra = Vec::new();
    if let (Some(window), Some((_, seed))) = (&args.trace, jobs.first()) {
        let window = trace::within(scenario, window)?;
        let text = perfetto::json(&trace::traced(scenario, *seed, window)?);
        extra.push(("trace.json".to_owned(), text.into_bytes()));
    }
    let batch = Batch { source, document: &document, jobs, handling, verb: "run", baseline: None, extra };
    batch.perform(console, |results, _| Ok(output::runs(results, console.stdout_colour())))
}
