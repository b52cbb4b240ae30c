//! `sweep --find`: how much is enough.

use super::args::SweepArgs;
use crate::cli::batch::listed;
use crate::cli::console::Console;
use crate::cli::inputs::variant;
use crate::cli::progress::Progress;
use crate::cli::{Failure, interrupt, output};
use crate::experiment::sweep::find::{Answer, Search, Tried, search};
use crate::experiment::sweep::question::Question;
use crate::report::find::Findings;
use crate::report::{self, Header, human};
use crate::scenario::axis::{Along, Range};
use crate::scenario::problem::Problems;
use crate::scenario::units::Share;
use crate::scenario::{AS_WRITTEN, Scenario, proof};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// How many steps of the answer the range has unless `--within` says otherwise.
const STEPS: f64 = 64.0;

/// Does it.
pub fn perform(args: &SweepArgs, console: &Console) -> Result<(), Failure> {
    let (Some(axis), Some(name)) = (&args.find.find, &args.find.expect) else { return Ok(()) };
    let Along::Between(range) = &axis.along else { return Ok(()) };
    if axis.name.starts_with("expect.") {
        let message = "--find moves the fleet, and what is expected of it stays as it is: name another path";
        return Err(Failure::Usage(message.to_owned()));
    }
    let looked_for =
        Search { range: range.clone(), largest: args.find.largest, within: within(args, range)? };
    let document = args.source.load(&args.seeding, console)?;
    let written = variant(&document, AS_WRITTEN)?;
    let Some(mut question) = Question::new(&document, name, &axis.name, range) else {
        let names: Vec<&str> = written.file.expect.keys().map(String::as_str).collect();
        let message = format!("there is no expectation `{name}`; there are: {}", names.join(", "));
        return Err(Failure::Usage(message));
    };
    let shown = |problems: Problems| {
        console.problems(&problems.render(console.stderr_colour()));
        Failure::Scenario(1)
    };
    enough_seeds(written, name)?;
    for end in [range.low, range.high] {
        question.with(end).map_err(shown)?;
    }
    let out = args.running.out.clone();
    let out = out.unwrap_or_else(|| PathBuf::from("runs").join(args.source.stem() + "-find"));
    output::claim(&out)?;
    let stop = interrupt::listen();
    let seeds = &written.file.seeds;
    announce(args, &question, seeds.len(), console);
    let (tried, answer) = hunt(args, &mut question, (&looked_for, seeds), console, stop).map_err(shown)?;
    let findings = Findings {
        header: &Header::of(&args.source.stem(), written),
        scenario: &args.source.arguments(),
        path: &axis.name,
        search: &looked_for,
        expectation: &question.unasked().ok_or_else(|| Failure::Usage("nothing was asked".to_owned()))?,
        tried: &tried,
        answer,
    };
    hand_over(&findings, &out, !args.running.no_plots, console)
}

/// Shows and writes what was found; whether that is an answer.
fn hand_over(findings: &Findings, out: &Path, plots: bool, console: &Console) -> Result<(), Failure> {
    if findings.tried.is_empty() {
        return Err(Failure::Abandoned);
    }
    console.result(&findings.text())?;
    let written = report::directory::put(out, findings.files(plots));
    let written = written.map_err(|error| Failure::Io(error.to_string()))?;
    console.note(&format!("wrote {}: {}", out.display(), listed(&written)));
    match findings.answer {
        None => Err(Failure::Interrupted),
        Some(Answer::Nowhere(_)) => Err(Failure::NotFound),
        Some(_) => Ok(()),
    }
}

/// How near the answer is to be.
fn within(args: &SweepArgs, range: &Range) -> Result<f64, Failure> {
    match &args.find.within {
        Some(text) => range.width(text).map_err(|why| Failure::Usage(format!("--within: {why}"))),
        None if range.whole => Ok(1.0),
        None => Ok((range.high - range.low) / STEPS),
    }
}

/// That the seeds could show the share of all that is asked for: else no value would do, whatever it is.
fn enough_seeds(written: &Scenario, name: &str) -> Result<(), Failure> {
    let seeds = written.file.seeds.len();
    let share = written.file.expect.get(name).and_then(|expect| expect.share);
    let Some(Share(share)) = share.filter(|share| !proof::shown(seeds, seeds, share.0)) else {
        return Ok(());
    };
    // None can show all of them; such a share no scenario has.
    let needed = proof::seeds_needed(share).unwrap_or(u64::MAX);
    Err(Failure::Usage(format!(
        "`{name}` asks for {} of all seeds, which {} cannot show: give {needed} seeds or more, --seeds {needed}",
        human::share(share),
        human::plural(seeds, "seed"),
    )))
}

fn announce(args: &SweepArgs, question: &Question, seeds: usize, console: &Console) {
    let others = question.others();
    let beside = if others.is_empty() { String::new() } else { format!(", beside {}", others.join(", ")) };
    let (file, of) = (args.source.file.display(), question.variant());
    console.note(&format!("{file}: variant {of} with {}{beside}", human::plural(seeds, "seed")));
}

/// What was tried, and what it came to.
type Hunt = (Vec<Tried>, Option<Answer>);

fn hunt(
    args: &SweepArgs,
    question: &mut Question,
    (looked_for, seeds): (&Search, &[u64]),
    console: &Console,
    stop: &AtomicBool,
) -> Result<Hunt, Problems> {
    let threads = args.running.jobs.map(usize::from);
    if !question.prepare(seeds, threads, stop) {
        return Ok((vec![], None));
    }
    search(looked_for, |value| {
        let progress = Progress::new(console);
        let tried = question.attempt(value, seeds, threads, &|share| progress.show(share), stop);
        progress.finish();
        if let Ok(Some(tried)) = &tried {
            let (text, passed) = (looked_for.range.text(value), tried.passed());
            console.note(&format!("  {text}: {passed} of {} pass", human::plural(seeds.len(), "seed")));
        }
        tried
    })
}
