//! `report`: the pictures of a run directory, drawn again.

use super::console::Console;
use super::{Failure, output};
use clap::Args;
use std::path::PathBuf;

/// Draw the pictures of a run directory again, from what is stored in it; nothing is simulated.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// A directory that `run` or `compare` wrote.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

const EXAMPLES: &str = "Examples:
  herdsim run fleet.toml --no-plots -o runs/fleet     tables now
  herdsim report runs/fleet                           pictures later";

/// Does it.
pub fn perform(args: &ReportArgs, console: &Console) -> Result<(), Failure> {
    let drawn = output::redraw(&args.dir)?;
    let lines = drawn.iter().map(|file| format!("{}\n", args.dir.join(file).display()));
    console.result(&lines.collect::<String>())
}
