//! `test`: what scenarios expect, and nothing else.

use super::batch::kicks;
use super::console::Console;
use super::destination::{self, Kind};
use super::inputs::{ScenarioArgs, Seeding};
use super::output::{self, Results};
use super::progress::Progress;
use super::{Failure, interrupt, paths};
use crate::engine::time::Span;
use crate::experiment::{self, Run};
use crate::report::tested::{Refused, Suite, Tested, refused_markdown};
use crate::report::{Header, github, human, junit};
use crate::scenario::problem::Problem;
use crate::scenario::{AS_WRITTEN, Document, Scenario, units};
use clap::{Args, ValueEnum};
use indexmap::IndexSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Run the expectations of scenarios, and only the variants that they name.
///
/// All scenarios are read and checked before the first is run. An expectation fails, passes, or is
/// inconclusive, which is no pass. Latency counts from a request's intended arrival, so queueing is never
/// hidden (no coordinated omission).
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TestArgs {
    /// Scenarios, or directories with scenarios; what has no [expect] is skipped, and what is `slow` unless
    /// it is named.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    paths: Vec<PathBuf>,
    /// Only these expectations, separated by commas; `*` stands for anything (may be repeated).
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Lay another file's values over each scenario (may be repeated).
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// Lay a value over each scenario, such as `service.*.pool.*.max_lifetime=17m` (may be repeated).
    #[arg(long, value_name = "PATH=VALUE", value_parser = super::inputs::path_and_value)]
    set: Vec<String>,
    /// Simulated time, such as `10m` or `90s`; short for `--set duration=…`.
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    duration: Option<Span>,
    #[command(flatten)]
    seeding: Seeding,
    /// What is printed.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Write JUnit XML, too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// In GitHub Actions: annotations at the lines of expectations that did not pass, and a step summary.
    #[arg(long)]
    github: bool,
    /// Bear expectations that the seeds did not decide: only those that failed, or of which nothing was
    /// measured, end with 1.
    #[arg(long)]
    allow_inconclusive: bool,
    /// End with 0 even if an expectation failed or is inconclusive.
    #[arg(long)]
    exit_zero: bool,
    /// Threads [default: one for each core].
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Keep a run directory of each scenario, DIR/<scenario>, without pictures.
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  herdsim test                                        all of scenarios/
  herdsim test fleet.toml --only 'no-herd*' --seeds 10
  herdsim test fleet.toml --with jitter.toml          does the cure hold?
  herdsim test herdsim/ --github --junit herdsim.xml  in GitHub Actions

What these expectations say, with which seeds and how sure one may be: docs/ci.md";

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people.
    Text,
    /// One JSON object.
    Json,
    /// A list for a pull request.
    Markdown,
    /// Annotations of GitHub Actions.
    Github,
    /// JUnit XML.
    Junit,
}

/// A scenario that is to be tested.
struct Subject {
    source: ScenarioArgs,
    document: Document,
    /// Its expectations that were chosen.
    expectations: Vec<String>,
}

/// Does it.
pub fn perform(args: &TestArgs, console: &Console) -> Result<(), Failure> {
    if args.github && !matches!(args.format, Format::Text | Format::Github) {
        let message =
            "--github prints annotations: they go with `--format text`; `--junit FILE` may stand beside";
        return Err(Failure::Usage(message.to_owned()));
    }
    if let Some(file) = &args.junit {
        if file.as_os_str() == "-" {
            let message = "--junit names a file: what goes to stdout is chosen by `--format junit`";
            return Err(Failure::Usage(message.to_owned()));
        }
        destination::claim(file, Kind::Junit)?;
    }
    let mut refused = Vec::new();
    let prepared = subjects(args, console, &mut refused)
        .and_then(|subjects| outs(args, &subjects).map(|outs| (subjects, outs)));
    let (subjects, outs) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => {
            tell_refused(args, refused, &failure, console)?;
            return Err(failure);
        }
    };
    let stop = interrupt::listen();
    let jobs: Vec<Vec<(&Scenario, u64)>> = subjects.iter().map(Subject::jobs).collect();
    console.note(&announcement(&subjects, &jobs));
    let (begun, progress) = (Instant::now(), Progress::new(console));
    let threads = args.jobs.map(usize::from);
    let mut runs =
        experiment::run_each(&jobs.concat(), threads, &|share| progress.show(share), stop).into_iter();
    progress.finish();
    let mut tested = Tested { suites: Vec::new(), bears_inconclusive: args.allow_inconclusive };
    for ((subject, jobs), out) in subjects.iter().zip(&jobs).zip(outs) {
        let runs: Vec<Run> = runs.by_ref().take(jobs.len()).flatten().collect();
        let suite = subject.suite(jobs, &runs);
        // Without a run there is nothing to put in the place of what is there.
        if let Some(out) = out.filter(|_| !runs.is_empty()) {
            let written = output::write(&out, &subject.results(jobs, runs, &suite, begun.elapsed()), &[])?;
            console.detail(&format!("wrote {}: {}", out.display(), written.join(", ")));
        }
        tested.suites.push(suite);
    }
    tell(args, &tested, console)?;
    verdict(args, &tested, stop.load(Ordering::Relaxed))
}

/// Every scenario with expectations, read and checked; all problems are shown before anything is run, and
/// kept for the reports.
fn subjects(args: &TestArgs, console: &Console, refused: &mut Vec<Refused>) -> Result<Vec<Subject>, Failure> {
    let (mut subjects, mut slow, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for paths::ScenarioFile { file, named } in paths::scenarios(&args.paths)? {
        if !paths::expects(&file) {
            skipped.push(file.display().to_string());
            continue;
        }
        let (with, set) = (args.with.clone(), args.set.clone());
        let source = ScenarioArgs { file, with, set, duration: args.duration, point: vec![] };
        match source.read(&args.seeding, console) {
            Ok(document) => {
                let left_out = !named && is_slow(&document);
                let subject = Subject::new(source, document, &args.only);
                if left_out { slow.push(subject) } else { subjects.push(subject) }
            }
            Err(problems) => refused.push(Refused { file: source.file.display().to_string(), problems }),
        }
    }
    if !skipped.is_empty() {
        console.note(&format!("skipped, without [expect]: {}", skipped.join(", ")));
    }
    if !refused.is_empty() {
        return Err(Failure::Scenario(refused.len()));
    }
    let names: IndexSet<String> = subjects.iter().chain(&slow).flat_map(Subject::names).collect();
    if let Some(only) = args.only.iter().find(|only| !names.iter().any(|name| paths::matches(only, name))) {
        return Err(Failure::Usage(none_of(only, &names)));
    }
    let chosen = |subject: &Subject| !subject.expectations.is_empty();
    subjects.retain(chosen);
    slow.retain(chosen);
    if subjects.is_empty() {
        return Err(Failure::Usage(format!("nothing to test: {}", nothing(&slow))));
    }
    if !slow.is_empty() {
        console.note(&format!("left out, slow: {}; name it to test it", listed(&slow, ", ")));
    }
    Ok(subjects)
}

fn is_slow(document: &Document) -> bool {
    document.scenario(AS_WRITTEN).is_some_and(|scenario| scenario.file.slow)
}

/// That a name is of no expectation, and the names of all that were met.
fn none_of(only: &str, names: &IndexSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.is_empty() {
        true => format!("nothing to test: {ADD}"),
        false => format!("`--only {only}` leaves none of: {}", names.join(", ")),
    }
}

const ADD: &str = "add a table `[expect.NAME]` to a scenario";

/// Why nothing is left to test, and the cure: of what was left out for being slow.
fn nothing(slow: &[Subject]) -> String {
    match slow.len() {
        0 => ADD.to_owned(),
        1 => {
            let file = listed(slow, " ");
            format!("`{file}` is slow and is tested only if it is named: `herdsim test {file}`")
        }
        count => format!(
            "all {count} scenarios are slow and are tested only if they are named: `herdsim test {}`",
            listed(slow, " ")
        ),
    }
}

fn listed(subjects: &[Subject], between: &str) -> String {
    let files: Vec<String> =
        subjects.iter().map(|subject| subject.source.file.display().to_string()).collect();
    files.join(between)
}

impl Subject {
    fn new(source: ScenarioArgs, document: Document, only: &[String]) -> Subject {
        let mut subject = Subject { source, document, expectations: Vec::new() };
        let wanted = |name: &String| only.is_empty() || only.iter().any(|one| paths::matches(one, name));
        subject.expectations = subject.names().into_iter().filter(wanted).collect();
        subject
    }

    /// All that it expects.
    fn names(&self) -> Vec<String> {
        let first = self.document.scenarios.values().next();
        first.into_iter().flat_map(|scenario| scenario.file.expect.keys().cloned()).collect()
    }

    /// Every variant that a chosen expectation speaks of, with every seed.
    fn jobs(&self) -> Vec<(&Scenario, u64)> {
        let spoken_of = |scenario: &&Scenario| {
            let mut chosen = self.expectations.iter().filter_map(|name| scenario.file.expect.get(name));
            chosen.any(|expect| expect.variants().any(|variant| variant == scenario.variant))
        };
        let scenarios = self.document.scenarios.values().filter(spoken_of);
        scenarios.flat_map(|scenario| scenario.file.seeds.iter().map(move |seed| (scenario, *seed))).collect()
    }

    fn suite(&self, jobs: &[(&Scenario, u64)], runs: &[Run]) -> Suite {
        let seeds = &jobs[0].0.file.seeds;
        let mut judged = experiment::expect::judge(&self.document, runs);
        judged.retain(|judged| self.expectations.contains(&judged.name));
        Suite {
            header: Header::of(&self.source.stem(), jobs[0].0),
            file: self.source.file.display().to_string(),
            judged,
            seeds: seeds.clone(),
            asked: jobs.len(),
            finished: runs.iter().map(|run| (run.variant.clone(), run.seed)).collect(),
        }
    }

    fn results(&self, jobs: &[(&Scenario, u64)], runs: Vec<Run>, suite: &Suite, took: Duration) -> Results {
        let seeds: Vec<String> = suite.seeds.iter().map(u64::to_string).collect();
        let mut command = vec!["herdsim".to_owned(), "test".to_owned()];
        command.extend(self.source.arguments());
        command.extend(["--seeds".to_owned(), seeds.join(",")]);
        Results {
            header: suite.header.clone(),
            resolved: output::resolved(jobs),
            command,
            runs,
            judged: suite.judged.clone(),
            effects: vec![],
            paired: vec![],
            complete: suite.complete(),
            interrupted: !suite.complete(),
            plots: false,
            took,
        }
    }
}

/// Where the run directory of each subject goes, if they are kept.
fn outs(args: &TestArgs, subjects: &[Subject]) -> Result<Vec<Option<PathBuf>>, Failure> {
    let Some(dir) = &args.out else { return Ok(vec![None; subjects.len()]) };
    let mut outs: Vec<Option<PathBuf>> = Vec::new();
    for subject in subjects {
        let out = dir.join(subject.source.stem());
        if outs.contains(&Some(out.clone())) {
            let message = format!("two scenarios are called `{}`: test them apart", subject.source.stem());
            return Err(Failure::Usage(message));
        }
        output::claim(&out)?;
        outs.push(Some(out));
    }
    Ok(outs)
}

fn announcement(subjects: &[Subject], jobs: &[Vec<(&Scenario, u64)>]) -> String {
    let expectations = subjects.iter().map(|subject| subject.expectations.len()).sum();
    let runs = jobs.iter().map(Vec::len).sum();
    let kicks = kicks(jobs.iter().flatten().map(|(scenario, _)| *scenario));
    let kicks = kicks.map_or(String::new(), |kicks| format!(" and {kicks}"));
    let (scenarios, expectations) =
        (human::plural(subjects.len(), "scenario"), human::plural(expectations, "expectation"));
    format!("{scenarios}, {expectations}: {}{kicks}", human::plural(runs, "run"))
}

/// Prints and writes all that was asked for.
fn tell(args: &TestArgs, tested: &Tested, console: &Console) -> Result<(), Failure> {
    let xml = || junit::xml(tested).map_err(no_xml);
    let text = match args.format {
        Format::Text => tested.text(output::paint(console.stdout_colour())),
        Format::Json => tested.json(),
        Format::Markdown => tested.markdown(),
        Format::Github => github::annotations(tested) + &tested.closing() + "\n",
        Format::Junit => xml()?,
    };
    console.result(&text)?;
    if args.github && args.format != Format::Github {
        console.result(&github::annotations(tested))?;
    }
    if let Some(file) = &args.junit {
        destination::write(file, xml()?.as_bytes())?;
        console.note(&format!("wrote {}", file.display()));
    }
    if args.github { summarise(&tested.markdown(), console) } else { Ok(()) }
}

fn no_xml(error: impl std::error::Error) -> Failure {
    Failure::Io(format!("cannot write JUnit XML: {error}"))
}

/// Tells CI why nothing was run, in the place of the verdicts of before. People were told.
fn tell_refused(
    args: &TestArgs,
    mut refused: Vec<Refused>,
    failure: &Failure,
    console: &Console,
) -> Result<(), Failure> {
    if refused.is_empty() {
        let problems = Problem::error(failure.to_string(), None).into();
        refused.push(Refused { file: "herdsim test".to_owned(), problems });
    }
    if args.github || args.format == Format::Github {
        console.result(&github::refused(&refused))?;
    }
    if args.format == Format::Junit {
        console.result(&junit::refused(&refused).map_err(no_xml)?)?;
    }
    if let Some(file) = &args.junit {
        destination::write(file, junit::refused(&refused).map_err(no_xml)?.as_bytes())?;
        console.note(&format!("wrote {}", file.display()));
    }
    if args.github { summarise(&refused_markdown(&refused), console) } else { Ok(()) }
}

/// Appends to the step summary, which other commands of the step may have begun.
fn summarise(markdown: &str, console: &Console) -> Result<(), Failure> {
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|name| !name.is_empty()) else {
        console.note("no step summary: GITHUB_STEP_SUMMARY is not set");
        return Ok(());
    };
    let file = PathBuf::from(file);
    let taken = match fs::metadata(&file) {
        Ok(data) => usize::try_from(data.len()).unwrap_or(usize::MAX),
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => return Err(Failure::io("append to", &file, error)),
    };
    let text = github::summary(markdown, taken);
    let appended = OpenOptions::new().append(true).create(true).open(&file);
    let appended = appended.and_then(|mut open| open.write_all(text.as_bytes()));
    appended.map_err(|error| Failure::io("append to", &file, error))
}

fn verdict(args: &TestArgs, tested: &Tested, interrupted: bool) -> Result<(), Failure> {
    if interrupted {
        return Err(Failure::Interrupted);
    }
    if !tested.complete() {
        return Err(Failure::Io("not every run was finished".to_owned()));
    }
    match tested.not_passed(false).count() {
        0 => Ok(()),
        _ if args.exit_zero => Ok(()),
        failed => Err(Failure::Expectation { failed, judged: tested.tally().all() }),
    }
}
