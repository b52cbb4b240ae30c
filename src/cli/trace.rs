//! `trace`: the story of one request, or a window of time for a trace viewer.

use super::Failure;
use super::console::Console;
use super::destination::{self, Kind};
use super::inputs::{self, ScenarioArgs};
use super::output;
use crate::engine::time::{Span, Time};
use crate::experiment::trace::{self, RequestSearch};
use crate::measure::trace::{Followed, Trace};
use crate::model::build::Places;
use crate::report::Header;
use crate::report::human;
use crate::report::trace::{perfetto, story};
use crate::scenario::grammar::{Label, Outcome};
use crate::scenario::units::{When, parse_span};
use crate::scenario::{AS_WRITTEN, Scenario, when};
use clap::Args;
use std::path::PathBuf;

/// Tell the story of one request: what it did and waited for, in order, and where its time went.
///
/// Looked for is the slowest request of a user that arrives within the window; --first takes the first one
/// instead, --class and --outcome narrow the search; of a --class, the requests of attackers and of the
/// background are looked at as well. With --perfetto the whole window is written as a trace file:
/// containers, connections, requests and backends, for ui.perfetto.dev.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TraceArgs {
    #[command(flatten)]
    source: ScenarioArgs,
    /// Which variant; `as-written` is the file without any.
    #[arg(long, value_name = "NAME", default_value = AS_WRITTEN)]
    variant: String,
    /// Which seed [default: the scenario's first].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where the window begins: an offset, a date-time, or `event.NAME + 30s`.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    at: String,
    /// How long it is [default: 1s with --perfetto; otherwise to the end of the run].
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    lasting: Option<Span>,
    /// Only requests of this class; `NAME.abusive`, as tables and expectations have it: of attackers alone,
    /// `NAME.background`: of those that no user waits for.
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    /// Only requests that ended so, such as `ok`, `429` or `pool-timeout`.
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    outcome: Option<Outcome>,
    /// The first such request instead of the slowest.
    #[arg(long)]
    first: bool,
    /// Write the window as a trace file instead (`-` is stdout).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["class", "outcome", "first"])]
    perfetto: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  herdsim trace quickstart.toml --variant no-jitter --at 5m --lasting 10s
  herdsim trace fleet.toml --class sign-in --at event.deploy --first
  herdsim trace fleet.toml --at event.upgrade --lasting 2s --perfetto trace.json";

fn outcome(text: &str) -> Result<Outcome, String> {
    let names = || Outcome::ALL.map(Outcome::name).join(", ");
    Outcome::ALL.into_iter().find(|one| one.name() == text).ok_or_else(|| format!("there are: {}", names()))
}

/// Does it.
pub fn perform(args: &TraceArgs, console: &Console) -> Result<(), Failure> {
    let document = args.source.load(&inputs::Seeding::default(), console)?;
    let scenario = inputs::variant(&document, &args.variant)?;
    let first = scenario.file.seeds.first().copied();
    let seed = args.seed.or(first).ok_or_else(|| Failure::Usage("no seed is chosen".to_owned()))?;
    let window = asked(args, scenario)?;
    match &args.perfetto {
        Some(file) => write(args, console, scenario, seed, (window, file)),
        None => tell(args, console, scenario, seed, window),
    }
}

/// Reads `FROM..TO`.
///
/// # Errors
/// Says how a window is written.
pub fn window(text: &str) -> Result<(When, When), String> {
    let (from, to) = text.split_once("..").ok_or("write a window as `290s..292s`")?;
    Ok((When(from.trim().to_owned()), When(to.trim().to_owned())))
}

/// A window within a run.
///
/// # Errors
/// [`Failure::Usage`] if it is none, or lies beyond the end.
pub fn within(scenario: &Scenario, (from, to): &(When, When)) -> Result<(Time, Time), Failure> {
    let at =
        |when| when::resolve(&scenario.file, when).map_err(|why| Failure::Usage(format!("window: {why}")));
    let (from, to) = (at(from)?, at(to)?.min(Time::ZERO + scenario.file.duration));
    if from < to {
        return Ok((from, to));
    }
    let [from, end] = [from, Time::ZERO + scenario.file.duration].map(|at| at.since(Time::ZERO).as_secs());
    let why = match from >= end {
        true => format!("it begins at {}, and the run ends at {}", human::offset(from), human::offset(end)),
        false => "it ends before it begins".to_owned(),
    };
    Err(Failure::Usage(format!("nothing lies in the window: {why}")))
}

/// Follows all requests of a window.
///
/// # Errors
/// [`Failure::Usage`] if there is too much to see.
pub fn traced(scenario: &Scenario, seed: u64, (from, to): (Time, Time)) -> Result<Trace, Failure> {
    trace::trace(scenario, seed, Followed::Window(from, to)).map_err(|reached| {
        let reached = human::offset(reached.since(from).as_secs());
        let message = format!("there is too much to see: after {reached} the trace was full");
        Failure::Usage(format!("{message}; choose a shorter window"))
    })
}

/// The window that is asked for.
fn asked(args: &TraceArgs, scenario: &Scenario) -> Result<(Time, Time), Failure> {
    let from = When(args.at.clone());
    let begun = when::resolve(&scenario.file, &from).map_err(|why| Failure::Usage(format!("--at: {why}")))?;
    let short = args.perfetto.as_ref().map(|_| Span::from_secs(1));
    let lasting = args.lasting.or(short).unwrap_or(scenario.file.duration);
    within(scenario, &(from, When((begun + lasting).since(Time::ZERO).to_string())))
}

fn tell(
    args: &TraceArgs,
    console: &Console,
    scenario: &Scenario,
    seed: u64,
    (from, to): (Time, Time),
) -> Result<(), Failure> {
    let (class, label) = match &args.class {
        Some(name) => classed(name, scenario).map(|(class, label)| (Some(class), label))?,
        None => (None, Some(Label::Legitimate)),
    };
    let (outcome, first) = (args.outcome, args.first);
    let search = RequestSearch { from, to, class, label, outcome, first };
    let Some(found) = trace::find(scenario, seed, &search) else {
        return Err(Failure::Usage(format!("no such request ended in the run: {}", cure(args, scenario))));
    };
    let trace = trace::trace(scenario, seed, Followed::One(found.series, found.arrived));
    let trace = trace.map_err(|_| Failure::Usage("the request has too long a story".to_owned()))?;
    let Some(request) = trace.requests.first() else {
        let message = "it ended within the instant in which it came: there is no story to tell";
        return Err(Failure::Usage(message.to_owned()));
    };
    let header = Header::of(&args.source.stem(), scenario);
    let run = format!("variant {} · seed {seed}", scenario.variant);
    console.result(&story::text(&header, &run, &trace, request, output::paint(console.stdout_colour())))
}

/// The class of this name, and the label if it says one.
fn classed(name: &str, scenario: &Scenario) -> Result<(String, Option<Label>), Failure> {
    let mut names: Vec<String> = scenario.file.request.keys().cloned().collect();
    if names.iter().any(|class| class == name) {
        return Ok((name.to_owned(), None));
    }
    let places = Places::of(scenario);
    for series in places.series.iter().filter(|series| series.label != Label::Legitimate) {
        let labelled = series.label.of_class(&series.class);
        if labelled == name {
            return Ok((series.class.clone(), Some(series.label)));
        }
        names.push(labelled);
    }
    Err(Failure::Usage(format!("--class: there is no `{name}`; there are: {}", names.join(", "))))
}

/// Where else to look. Without a class, only users' requests are looked at.
fn cure(args: &TraceArgs, scenario: &Scenario) -> &'static str {
    let others = Places::of(scenario).series.iter().any(|series| series.label != Label::Legitimate);
    match &args.class {
        None if others => {
            "requests of attackers and of the background are looked at only with --class; or widen the window \
             with --at and --lasting"
        }
        _ => "widen the window with --at and --lasting, or ask for less with --class and --outcome",
    }
}

fn write(
    args: &TraceArgs,
    console: &Console,
    scenario: &Scenario,
    seed: u64,
    (window, file): ((Time, Time), &PathBuf),
) -> Result<(), Failure> {
    if file.as_os_str() == "-" {
        return console.result(&perfetto::json(&traced(scenario, seed, window)?));
    }
    destination::claim(file, Kind::Trace)?;
    let traced = traced(scenario, seed, window)?;
    destination::write(file, perfetto::json(&traced).as_bytes())?;
    let (requests, connections) = (traced.requests.len(), traced.connections.len());
    let name = args.source.stem();
    console.note(&format!(
        "wrote {}: {requests} requests and {connections} connections of {name}",
        file.display()
    ));
    console.note("next: open it at ui.perfetto.dev");
    Ok(())
}
