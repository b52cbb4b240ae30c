//! `compare` of several scenarios with remedies: each remedy alone at each incident.

use super::args::{CompareArgs, Format};
use super::sides::{each_is_there, names, of_side};
use crate::cli::console::Console;
use crate::cli::inputs::{self, ScenarioArgs};
use crate::cli::progress::Progress;
use crate::cli::{Failure, interrupt, output};
use crate::experiment::harm::{Harm, harm};
use crate::experiment::{Run, run_all};
use crate::report::directory::{drawn, put};
use crate::report::human;
use crate::report::matrix::{Column, Incident, Matrix, Treatment};
use crate::report::plot::{Chart, matrix as picture};
use crate::scenario::{Document, Remedy, Scenario};
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// An incident before it is run: unchanged, and with each remedy, or why not.
struct Case {
    name: String,
    unchanged: Scenario,
    remedied: Vec<Result<Scenario, String>>,
}

/// Does it.
pub fn perform(args: &CompareArgs, console: &Console) -> Result<(), Failure> {
    args.suits_remedies()?;
    let out = args.handling.running.out.clone().unwrap_or_else(|| PathBuf::from("runs/remedies"));
    output::claim(&out)?;
    let remedies = remedies(args, console)?;
    let cases = cases(args, console, &remedies)?;
    let remedies = remedies.into_iter().map(|(name, remedy)| Column {
        title: remedy.title.unwrap_or_else(|| name.clone()),
        why: remedy.why,
        name,
    });
    let remedies = remedies.collect();
    let stop = interrupt::listen();
    let (matrix, complete) = matrix(args, console, remedies, &cases, stop);
    if stop.load(Ordering::Relaxed) && matrix.incidents.is_empty() {
        return Err(Failure::Abandoned);
    }
    console.result(&shown(&matrix, args.format, complete, console.stdout_colour()))?;
    let manifest = json!({
        "tool": "herdsim", "tool_version": env!("CARGO_PKG_VERSION"), "build": crate::BUILD,
        "kind": "matrix",
        "schema_version": crate::report::SCHEMA_VERSION, "complete": complete,
    });
    let mut files = vec![
        ("manifest.json".to_owned(), format!("{manifest:#}\n").into_bytes()),
        ("remedies.csv".to_owned(), matrix.csv().into_bytes()),
        ("remedies.json".to_owned(), format!("{:#}\n", matrix.json()).into_bytes()),
    ];
    if !args.handling.running.no_plots {
        files.extend(drawn(vec![Chart { name: "remedies".to_owned(), drawing: picture::draw(&matrix) }]));
    }
    put(&out, files).map_err(|error| Failure::Io(error.to_string()))?;
    console.note(&format!("wrote {}", out.display()));
    match (stop.load(Ordering::Relaxed), complete) {
        (true, _) => Err(Failure::Interrupted),
        (false, false) => Err(Failure::Io("not every run was finished".to_owned())),
        (false, true) => Ok(()),
    }
}

/// What is printed.
fn shown(matrix: &Matrix, format: Format, complete: bool, colour: bool) -> String {
    match format {
        Format::Json => format!("{:#}\n", matrix.json()),
        Format::Markdown => matrix.markdown() + output::unfinished(complete),
        Format::Csv => matrix.csv(),
        Format::Text => matrix.text(output::paint(colour)) + output::unfinished(complete),
    }
}

/// The remedy files, each with the name of its column.
fn remedies(args: &CompareArgs, console: &Console) -> Result<Vec<(String, Remedy)>, Failure> {
    let read = |(file, name): (&PathBuf, String)| match Remedy::load(file) {
        Ok(remedy) => Ok((name, remedy)),
        Err(problems) => {
            console.problems(&problems.render(console.stderr_colour()));
            Err(Failure::Scenario(1))
        }
    };
    args.source.with.iter().zip(names(&args.source.with)?).map(read).collect()
}

/// Every incident unchanged and with each remedy; all are read and checked before the first is run.
fn cases(args: &CompareArgs, console: &Console, remedies: &[(String, Remedy)]) -> Result<Vec<Case>, Failure> {
    let paths = args.paths();
    let mut documents = Vec::new();
    for (file, name) in paths.iter().zip(names(&paths)?) {
        let source = ScenarioArgs { file: file.clone(), with: vec![], ..args.source.clone() };
        documents.push((name, source.load(&args.seeding, console)?));
    }
    let sides: Vec<_> = documents.iter().map(|(name, document)| (name.as_str(), document)).collect();
    each_is_there(&args.variants, &sides)?;
    let mut cases = Vec::new();
    for (name, document) in documents {
        let unchanged = chosen(args, &name, &document)?.clone();
        let remedied = remedies.iter().map(|(name, remedy)| unchanged.remedied(name, remedy)).collect();
        cases.push(Case { name, unchanged, remedied });
    }
    for (number, file) in args.source.with.iter().enumerate() {
        for case in &cases {
            if let Err(why) = &case.remedied[number] {
                console.note(&format!("{} does not fit {}: {why}", file.display(), case.name));
            }
        }
    }
    Ok(cases)
}

/// The variant to which remedies are added: the first of those that are named that there is, or the first
/// that a bare comparison shows.
fn chosen<'a>(args: &CompareArgs, side: &str, document: &'a Document) -> Result<&'a Scenario, Failure> {
    let named = of_side(&args.variants, side, document);
    let named = named.first().and_then(|name| document.scenario(name));
    let first = named.or_else(|| document.compared().first().copied());
    first.ok_or_else(|| inputs::unknown_variant("", &[]))
}

fn matrix(
    args: &CompareArgs,
    console: &Console,
    remedies: Vec<Column>,
    cases: &[Case],
    stop: &AtomicBool,
) -> (Matrix, bool) {
    let of = |case: &'_ Case| -> usize { 1 + case.remedied.iter().flatten().count() };
    let all: usize = cases.iter().map(|case| of(case) * case.unchanged.file.seeds.len()).sum();
    let (wanted, incidents) =
        (human::plural(remedies.len(), "remedy"), human::plural(cases.len(), "incident"));
    console.note(&format!("{wanted} × {incidents}: {}", human::plural(all, "run")));
    let progress = Progress::new(console);
    let (mut done, mut finished) = (0, Vec::new());
    let mut complete = true;
    for case in cases {
        let scenarios = std::iter::once(&case.unchanged).chain(case.remedied.iter().flatten());
        let jobs: Vec<(&Scenario, u64)> = scenarios
            .flat_map(|scenario| scenario.file.seeds.iter().map(move |seed| (scenario, *seed)))
            .collect();
        let share = |part: f64| progress.show((done as f64 + part * jobs.len() as f64) / all as f64);
        let runs = run_all(&jobs, args.handling.running.jobs.map(usize::from), &share, stop);
        done += jobs.len();
        if runs.len() < jobs.len() {
            complete = false;
            break;
        }
        finished.push(incident(case, &runs));
    }
    progress.finish();
    (Matrix { remedies, incidents: finished }, complete)
}

/// What the runs of a case show: unchanged first, then each remedy that fits, seed by seed.
fn incident(case: &Case, runs: &[Run]) -> Incident {
    let seeds = case.unchanged.file.seeds.clone();
    let (usual, rest) = runs.split_at(seeds.len());
    let before: Vec<Harm> = usual.iter().map(|run| harm(run, run)).collect();
    let mut rest = rest.chunks(seeds.len().max(1));
    let cells = case.remedied.iter().map(|remedied| match remedied {
        Ok(_) => {
            let mine = rest.next().unwrap_or_default().iter().zip(usual).map(|(run, usual)| harm(run, usual));
            Treatment::Tried(before.iter().copied().zip(mine).collect())
        }
        Err(why) => Treatment::Not(why.clone()),
    });
    let cells = cells.collect();
    let variant = case.unchanged.variant.clone();
    Incident { scenario: case.name.clone(), variant, harm: before, cells, seeds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_that_a_part_is_missing() {
        let matrix = Matrix { remedies: vec![], incidents: vec![] };
        for (format, told) in [(Format::Text, true), (Format::Markdown, true), (Format::Csv, false)] {
            let of = |complete| shown(&matrix, format, complete, false).contains("INCOMPLETE");
            assert_eq!((of(false), of(true)), (told, false), "{format:?}");
        }
    }
}
