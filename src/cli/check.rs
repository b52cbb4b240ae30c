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
    /// Scenarios, TOML files, or directories with scenarios; a directory's `--with` files are skipped.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Lay another file's values over each scenario (may be repeated).
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// Lay a value over each scenario, such as `service.*.pool.*.max_lifetime=17m` (may be repeated).
    #[arg(long, value_name = "PATH=VALUE", value_parser = inputs::path_and_value)]
    set: Vec<String>,
    /// Print every value as it stands after defaults, presets and overlays (of one file).
    #[arg(long)]
    print_resolved: bool,
    /// The variant whose values --print-resolved and --sources show [default: as-written]; warnings are then
    /// of this one alone, not of all.
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
  herdsim check herdsim/ --with herdsim/jitter.toml --deny-warnings
  herdsim check quickstart.toml --print-resolved --variant jitter
  herdsim check fleet.toml --sources

No problem hides another; what depends on a wrong value is told when that is mended, and of a file that is
no TOML all else.

Where a warning is of what is meant, a comment `# deliberate` at the end of the line keeps it away.";

/// Does it.
pub fn perform(args: &CheckArgs, console: &Console) -> Result<(), Failure> {
    let (files, skipped, mut failures) = files(args);
    if !skipped.is_empty() {
        console.note(&format!("skipped, laid over scenarios by --with: {}", skipped.join(", ")));
    }
    if args.print_resolved && files.len() > 1 {
        return Err(Failure::Usage(
            "--print-resolved takes one file: its output is one TOML file".to_owned(),
        ));
    }
    let mut bad = 0;
    let mut unknown = None;
    for file in &files {
        let (document, mut warnings) = match Document::load(file, &args.with, &args.set) {
            Ok(loaded) => loaded,
            Err(problems) => {
                console.problems(&problems.render(console.stderr_colour()));
                bad += 1;
                continue;
            }
        };
        if let Some(scenario) = args.variant.as_deref().and_then(|name| document.scenario(name)) {
            warnings = scenario.warnings.clone();
        }
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
    failures.extend(unknown);
    failures.extend((bad > 0).then_some(Failure::Scenario(bad)));
    end(failures, console)
}

/// The gravest failure, of several the last; the others are told before.
fn end(mut failures: Vec<Failure>, console: &Console) -> Result<(), Failure> {
    failures.sort_by_key(Failure::code);
    let last = failures.pop();
    failures.iter().for_each(|failure| console.failure(failure));
    last.map_or(Ok(()), Err)
}

/// The scenarios that are asked for; what is none of a directory's, but laid over them; and what leads
/// nowhere.
fn files(args: &CheckArgs) -> (Vec<PathBuf>, Vec<String>, Vec<Failure>) {
    let (mut files, mut skipped) = (Vec::new(), Vec::new());
    let (found, mut failures) = paths::all_scenarios(&args.paths);
    for paths::ScenarioFile { file, named } in found {
        if !named && paths::is_overlay(&file) {
            skipped.push(file.display().to_string());
        } else {
            files.push(file);
        }
    }
    if files.is_empty() && failures.is_empty() {
        let laid = skipped.join(", ");
        failures.push(Failure::Usage(format!("no scenario: {laid} are laid over one by --with")));
    }
    (files, skipped, failures)
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
