//! `check`: are these scenarios right, and what do they really say?

use super::console::Console;
use super::{Failure, inputs, paths};
use crate::scenario::{AS_WRITTEN, Document, Scenario};
use clap::Args;
use std::path::PathBuf;

/// Check scenarios: all problems of all files at once, and warnings about what is likely to hurt a real
/// fleet.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Scenarios, TOML files, or directories with scenarios.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Print every value as it stands after defaults, presets and overlays (of one file).
    #[arg(long)]
    print_resolved: bool,
    /// Of this variant [default: as-written].
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// End with 2 on a warning, too.
    #[arg(long)]
    deny_warnings: bool,
    /// Print where each number comes from; `-` where no [source] says so.
    #[arg(long)]
    sources: bool,
}

const EXAMPLES: &str = "Examples:
  herdsim check scenarios/ --deny-warnings
  herdsim check quickstart.toml --print-resolved --variant jitter
  herdsim check fleet.toml --sources";

/// Does it.
pub fn perform(args: &CheckArgs, console: &Console) -> Result<(), Failure> {
    let files: Vec<PathBuf> = paths::scenarios(&args.paths)?.into_iter().map(|found| found.file).collect();
    if args.print_resolved && files.len() > 1 {
        return Err(Failure::Usage(
            "--print-resolved takes one file: its output is one TOML file".to_owned(),
        ));
    }
    let mut bad = 0;
    let mut unknown = None;
    for file in &files {
        let (document, warnings) = match Document::load(file, &[], &[]) {
            Ok(loaded) => loaded,
            Err(problems) => {
                console.problems(&problems.render(console.stderr_colour()));
                bad += 1;
                continue;
            }
        };
        if !warnings.is_empty() {
            console.problems(&warnings.render(console.stderr_colour()));
            bad += usize::from(args.deny_warnings);
        }
        // A name that one file lacks must not hide the problems of the next.
        match inputs::variant(&document, args.variant.as_deref().unwrap_or(AS_WRITTEN)) {
            Ok(scenario) => console.result(&shown(args, file, &document, scenario))?,
            Err(failure) => unknown = Some(failure),
        }
    }
    match (bad, unknown) {
        (0, None) => Ok(()),
        (0, Some(failure)) => Err(failure),
        (bad, _) => Err(Failure::Scenario(bad)),
    }
}

fn shown(args: &CheckArgs, file: &std::path::Path, document: &Document, scenario: &Scenario) -> String {
    if args.print_resolved {
        return scenario.resolved();
    }
    if args.sources {
        return sources(scenario);
    }
    let variants: Vec<&str> = document.scenarios.keys().map(String::as_str).collect();
    format!("{}: ok; {} long; variants: {}\n", file.display(), scenario.file.duration, variants.join(", "))
}

/// One line a path, aligned; then the numbers that nobody vouches for.
fn sources(scenario: &Scenario) -> String {
    let bare = scenario.without_source();
    let width = scenario.file.source.keys().chain(&bare).map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (path, source) in &scenario.file.source {
        text += &format!("{path:<width$}  {}", source.from);
        if let Some(range) = &source.range {
            text += &format!(", {range}");
        }
        if let Some(note) = &source.note {
            text += &format!(" ({note})");
        }
        text.push('\n');
    }
    for path in bare {
        text += &format!("{path:<width$}  -\n");
    }
    text
}
