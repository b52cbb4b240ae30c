//! Floor 6: the door. One room a verb; what several verbs share is in `inputs`, `batch`, `output` and
//! `console`.
//!
//! Results go to stdout, progress and diagnostics to stderr. Exit codes are in [`Failure::code`]; the help,
//! the completions and the man pages all come from the definitions below and in the verbs.

mod activity;
mod batch;
mod check;
mod compare;
mod console;
mod destination;
mod explain;
mod failure;
mod first;
mod init;
mod inputs;
mod inspect;
mod interrupt;
mod manual;
mod merge;
mod output;
mod paths;
mod progress;
mod report;
mod run;
mod schema;
mod seeds;
mod sweep;
mod test;
mod trace;

use clap::{CommandFactory, Parser, Subcommand};
use console::{Console, Voice};
pub use failure::Failure;
use std::process::ExitCode;

/// Simulates a container fleet and its Postgres, to see connection herds and what cures them.
///
/// A scenario in TOML goes in; tables, charts, verdicts and an exit code come out. Equal scenario and seed
/// give equal bytes. Latency counts from a request's intended arrival, so queueing is never hidden (no
/// coordinated omission).
#[derive(Debug, Parser)]
#[command(name = "herdsim", version = VERSION, max_term_width = 100)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    voice: Voice,
    #[command(subcommand)]
    verb: Verb,
}

/// The version, and what it was built from.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (build ", env!("HERDSIM_BUILD"), ")");

const EXAMPLES: &str = "Examples:
  herdsim init                                      write quickstart.toml to begin with
  herdsim compare quickstart.toml                   run its variants side by side
  herdsim run quickstart.toml --variant jitter      one variant in detail
  herdsim test scenarios/                           does what they expect hold? for CI
  herdsim inspect sessions.csv --lifetime 15m       are real connections bunched?
  herdsim explain quickstart.toml --variant no-jitter   who causes the latency spikes?

For packagers: `herdsim completions SHELL` and `herdsim man [VERB]`.

Exit codes: 0 done; 1 an expectation failed or is inconclusive; 2 bad usage, scenario or input;
            3 I/O failure or incomplete; 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Verb {
    Init(init::InitArgs),
    Check(check::CheckArgs),
    Run(run::RunArgs),
    Test(test::TestArgs),
    Compare(compare::CompareArgs),
    Sweep(Box<sweep::SweepArgs>),
    Merge(merge::MergeArgs),
    Explain(explain::ExplainArgs),
    Trace(trace::TraceArgs),
    Report(report::ReportArgs),
    Inspect(inspect::InspectArgs),
    Schema(schema::SchemaArgs),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

/// Parses the command line, does what it says and tells how it went.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(&cli.voice);
    match perform(&cli.verb, &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console.failure(&failure);
            ExitCode::from(failure.code())
        }
    }
}

fn perform(verb: &Verb, console: &Console) -> Result<(), Failure> {
    match verb {
        Verb::Init(args) => init::perform(args, console),
        Verb::Check(args) => check::perform(args, console),
        Verb::Run(args) => run::perform(args, console),
        Verb::Test(args) => test::perform(args, console),
        Verb::Compare(args) => compare::perform(args, console),
        Verb::Sweep(args) => sweep::perform(args, console),
        Verb::Merge(args) => merge::perform(args, console),
        Verb::Explain(args) => explain::perform(args, console),
        Verb::Trace(args) => trace::perform(args, console),
        Verb::Report(args) => report::perform(args, console),
        Verb::Inspect(args) => inspect::perform(args, console),
        Verb::Schema(args) => schema::perform(args, console),
        Verb::Completions(args) => manual::completions(args, Cli::command(), console),
        Verb::Man(args) => manual::man(args, Cli::command(), console),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
