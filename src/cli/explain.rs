//! `explain`: who causes the latency spikes? Suspects are knocked out in turn, with the same seeds.

use super::batch::{Running, listed};
use super::console::Console;
use super::inputs::{self, ScenarioArgs, Seeding};
use super::output::{self, Results};
use super::progress::Progress;
use super::{Failure, interrupt};
use crate::engine::time::{Span, Time};
use crate::experiment::explain::{self, Explanation, Inquiry, Suspect};
use crate::experiment::{self, Run};
use crate::report::explain::{Story, files, markdown, text};
use crate::report::{Header, human};
use crate::scenario::{AS_WRITTEN, Scenario, units};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Find out who causes the latency spikes: leave each suspect out in turn, on the same seeds.
///
/// Suspects are jobs, abusive or bursting traffic, the lifetime of connections, pools that grow, events and
/// deploys. Each is left out from the start (was it needed at all?) and, where it can be stopped on the way,
/// from a time on (does it keep the spikes up?).
///
/// Latency counts from a request's intended arrival, so queueing is never hidden (no coordinated omission).
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    #[command(flatten)]
    source: ScenarioArgs,
    /// Which variant; `as-written` is the file without any.
    #[arg(long, value_name = "NAME", default_value = AS_WRITTEN)]
    variant: String,
    #[command(flatten)]
    seeding: Seeding,
    /// Judge from this time on, and stop suspects then; `0s` judges the whole run and stops nothing on the
    /// way [default: after the third spike, at the latest in the middle].
    #[arg(long, value_name = "TIME", value_parser = units::parse_span)]
    from: Option<Span>,
    /// Only these suspects, by commas, such as `lifetime,job.cleanup`.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    suspects: Vec<String>,
    /// What is printed: a table for people, one for a pull request, or data.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    running: Running,
}

const EXAMPLES: &str = "Examples:
  herdsim explain quickstart.toml --variant no-jitter
  herdsim explain fleet.toml --seeds 5 --from 2h
  herdsim explain fleet.toml --suspects lifetime,job.cleanup --format markdown

Verdicts: causes (without it there are no spikes), sets off (needed at the start only), adds to,
          holds back, cleared, cannot tell. They rest on 95 % intervals of paired differences:
          one seed has none.

Without -o the results go to runs/<scenario>-explain.";

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
pub fn perform(args: &ExplainArgs, console: &Console) -> Result<(), Failure> {
    let begun = Instant::now();
    let document = args.source.load(&args.seeding, console)?;
    let scenario = inputs::variant(&document, &args.variant)?;
    let from = args.from.map(|from| Time::ZERO + from);
    if from.is_some_and(|from| from >= Time::ZERO + scenario.file.duration) {
        return Err(Failure::Usage("`--from` lies beyond the end of the run".to_owned()));
    }
    if scenario.file.seeds.is_empty() {
        return Err(Failure::Usage("nothing to run: no seed is chosen".to_owned()));
    }
    let suspects = chosen(args, scenario)?;
    let out = out(args);
    output::claim(&out)?;
    let stop = interrupt::listen();
    let jobs: Vec<(&Scenario, u64)> = scenario.file.seeds.iter().map(|seed| (scenario, *seed)).collect();
    let duration = scenario.file.duration;
    let (file, seeds) = (args.source.file.display(), human::plural(jobs.len(), "seed"));
    console.note(&format!("{file}: as it is × {seeds}, {duration} each"));
    let runs = simulate(args, console, &jobs, stop);
    let inquiry = Inquiry::open(scenario, suspects, &runs, from);
    let (explanation, all) = inquire(args, console, inquiry, runs.len() == jobs.len(), stop);
    let found = explain::found(&scenario.file, &runs);
    let interrupted = stop.load(Ordering::Relaxed);
    let results = Results {
        header: Header::of(&args.source.stem(), scenario),
        resolved: output::resolved(&jobs),
        command: command(args, &explanation),
        runs,
        judged: vec![],
        effects: vec![],
        paired: vec![],
        complete: all && !interrupted,
        interrupted,
        plots: !args.running.no_plots,
        took: begun.elapsed(),
    };
    let (header, variant, explanation) = (&results.header, &args.variant, &explanation);
    let story = Story { header, variant, duration_s: duration.as_secs(), explanation, found: &found };
    finish(args, console, &out, &results, &story)
}

/// The suspects that are asked for.
fn chosen(args: &ExplainArgs, scenario: &Scenario) -> Result<Vec<Suspect>, Failure> {
    let mut all = explain::suspects(scenario);
    for name in &args.suspects {
        if !all.iter().any(|suspect| suspect.name == name.trim()) {
            let names: Vec<&str> = all.iter().map(|suspect| suspect.name.as_str()).collect();
            let message = format!("there is no suspect `{name}`; there are: {}", names.join(", "));
            return Err(Failure::Usage(message));
        }
    }
    all.retain(|suspect| args.suspects.is_empty() || args.suspects.iter().any(|n| n.trim() == suspect.name));
    Ok(all)
}

fn out(args: &ExplainArgs) -> PathBuf {
    let by_default = || PathBuf::from("runs").join(args.source.stem() + "-explain");
    args.running.out.clone().unwrap_or_else(by_default)
}

fn simulate(args: &ExplainArgs, console: &Console, jobs: &[(&Scenario, u64)], stop: &AtomicBool) -> Vec<Run> {
    let progress = Progress::new(console);
    let threads = args.running.jobs.map(usize::from);
    let runs = experiment::run_all(jobs, threads, &|share| progress.show(share), stop);
    progress.finish();
    runs
}

/// Runs the knock-outs, if there is anything to explain. Also says whether all that was to be run was.
fn inquire(
    args: &ExplainArgs,
    console: &Console,
    inquiry: Inquiry,
    all_known: bool,
    stop: &AtomicBool,
) -> (Explanation, bool) {
    if !inquiry.has_spikes() {
        console.note("there are no latency spikes: nothing to explain");
        return (inquiry.close(&[]), all_known);
    }
    let jobs = inquiry.jobs();
    let focus = inquiry.focus();
    let (from, runs) = (human::offset(focus.from.as_secs()), human::plural(jobs.len(), "run"));
    console.note(&format!("judged: spikes of {} from {from} on; knock-outs: {runs}", focus.service));
    let count = jobs.len();
    let runs = simulate(args, console, &jobs, stop);
    (inquiry.close(&runs), all_known && runs.len() == count)
}

/// The command that gives the same results again.
fn command(args: &ExplainArgs, explanation: &Explanation) -> Vec<String> {
    let mut command = vec!["herdsim".to_owned(), "explain".to_owned()];
    command.extend(args.source.arguments());
    let seeds: Vec<String> = explanation.focus.seeds.iter().map(u64::to_string).collect();
    command.extend(["--variant".to_owned(), args.variant.clone(), "--seeds".to_owned(), seeds.join(",")]);
    command.extend(args.from.iter().flat_map(|from| ["--from".to_owned(), from.to_string()]));
    if !args.suspects.is_empty() {
        command.extend(["--suspects".to_owned(), args.suspects.join(",")]);
    }
    command
}

fn finish(
    args: &ExplainArgs,
    console: &Console,
    out: &Path,
    results: &Results,
    story: &Story,
) -> Result<(), Failure> {
    let files = files::all(story, results.plots);
    let written = output::write(out, results, &files)?;
    console.result(&match args.format {
        Format::Text => text(story, output::paint(console.stdout_colour())),
        Format::Markdown => markdown(story),
        Format::Json => json(&files),
    })?;
    console.detail(&format!("it took {:.1} s", results.took.as_secs_f64()));
    console.note(&format!("wrote {}: {}", out.display(), listed(&written)));
    if results.interrupted {
        return Err(Failure::Interrupted);
    }
    if !results.complete {
        return Err(Failure::Io("not every run was finished".to_owned()));
    }
    let few = story.explanation.focus.seeds.len() < 2 && !story.explanation.findings.is_empty();
    if few && !story.is_calm() {
        console.note(&format!("next: {}", next(args)));
    }
    Ok(())
}

/// The same question to more seeds.
fn next(args: &ExplainArgs) -> String {
    let mut words = format!("herdsim explain {}", args.source.shown());
    if args.variant != AS_WRITTEN {
        words += &format!(" --variant {}", args.variant);
    }
    if let Some(from) = args.from {
        words += &format!(" --from {from}");
    }
    if !args.suspects.is_empty() {
        words += &format!(" --suspects {}", args.suspects.join(","));
    }
    words + " --seeds 5"
}

/// What `explain.json` holds.
fn json(files: &[(String, Vec<u8>)]) -> String {
    let file = files.iter().find(|(name, _)| name == "explain.json");
    file.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}
