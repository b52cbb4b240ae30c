//! From results to paper: the one place in which the door meets the report floor.

use super::Failure;
use super::destination::{self, Kind};
use crate::experiment::effect::Effect;
use crate::experiment::paired::Paired;
use crate::experiment::{Judged, Run};
use crate::measure::snapshot::Snapshot;
use crate::measure::summary;
use crate::report::inspect::{self, About};
use crate::report::page::overlay::{self, SeriesOverlay};
use crate::report::terminal;
use crate::report::text::Paint;
use crate::report::{self, Header, Loaded, Paper, apart, effects, openmetrics, paired, plot};
use crate::scenario::Scenario;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a batch of runs gave.
pub struct Results {
    /// The command that gives these results again.
    pub command: Vec<String>,
    /// What paper needs to know of the scenario, or of several.
    pub header: Header,
    /// The resolved scenario of each variant, as TOML.
    pub resolved: Vec<(String, String)>,
    /// What was finished, in the order of the jobs.
    pub runs: Vec<Run>,
    /// The expectations that could be judged.
    pub judged: Vec<Judged>,
    /// What each variant does against the baseline; nothing where one variant was run.
    pub effects: Vec<Effect>,
    /// How each variant differs from the baseline, metric by metric; nothing where one variant was run.
    pub paired: Vec<Paired>,
    /// Whether every job was finished.
    pub complete: bool,
    /// Whether Ctrl-C came.
    pub interrupted: bool,
    /// Whether pictures are wanted.
    pub plots: bool,
    /// Wall-clock time; it goes into `timing.json` alone.
    pub took: Duration,
}

/// The resolved scenario of each variant among these jobs, as TOML.
pub fn resolved(jobs: &[(&Scenario, u64)]) -> Vec<(String, String)> {
    let mut scenarios: Vec<&Scenario> = jobs.iter().map(|(scenario, _)| *scenario).collect();
    scenarios.dedup_by_key(|scenario| &scenario.variant);
    scenarios.into_iter().map(|scenario| (scenario.variant.clone(), scenario.resolved())).collect()
}

/// Makes sure, before anybody waits for runs, that the results may go to `dir`.
///
/// # Errors
/// [`Failure::Io`] if something stands there that is not a run directory of ours, or nothing can be put
/// there.
pub fn claim(dir: &Path) -> Result<(), Failure> {
    claim_for_sweep(dir)?;
    let manifest = fs::read_to_string(dir.join("manifest.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
    if manifest["kind"] == "sweep" && manifest["complete"] == false {
        let why =
            "a sweep there is not finished; `sweep --resume` goes on with it, or choose another with -o";
        return Err(Failure::io("write results to", dir, why));
    }
    report::directory::try_beside(dir).map_err(|error| Failure::io("write results to", dir, error))
}

/// The same for a sweep, which may go on with one that is not finished. It writes into the directory itself,
/// for it may be a mounted one.
///
/// # Errors
/// As [`claim`].
pub fn claim_for_sweep(dir: &Path) -> Result<(), Failure> {
    report::directory::claim(dir).map_err(|error| Failure::io("write results to", dir, error))
}

/// Writes the run directory, with further files by path, and names its files.
///
/// # Errors
/// [`Failure::Io`] if that fails, [`Failure::Abandoned`] if there is nothing to put in the place of what is
/// there.
pub fn write(dir: &Path, results: &Results, extra: &[(String, Vec<u8>)]) -> Result<Vec<String>, Failure> {
    if results.interrupted && results.runs.is_empty() {
        return Err(Failure::Abandoned);
    }
    let summaries: Vec<_> = results.runs.iter().map(|run| summary::rows(&run.measured)).collect();
    let header = &results.header;
    let paper = Paper {
        header,
        runs: &results.runs,
        summaries: &summaries,
        judged: &results.judged,
        resolved: &results.resolved,
        argv: &results.command,
        complete: results.complete,
        timing: &json!({ "wall_s": results.took.as_secs_f64(), "runs": results.runs.len() }),
        plots: results.plots,
        extra: &[comparison_files(results), extra.to_vec()].concat(),
    };
    report::write(dir, &paper).map_err(|error| Failure::Io(error.to_string()))
}

/// `effects` and `paired` as tables and data, where there is something to compare.
fn comparison_files(results: &Results) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut add = |name: &str, table: String, data: Value| {
        files.push((format!("{name}.csv"), table.into_bytes()));
        files.push((format!("{name}.json"), format!("{data:#}\n").into_bytes()));
    };
    if !results.effects.is_empty() {
        add("effects", effects::csv(&results.header, &results.effects), effects::json(&results.effects));
    }
    if !results.paired.is_empty() {
        add("paired", paired::csv(&results.header, &results.paired), paired::json(&results.paired));
    }
    files
}

/// Each run in full.
pub fn runs(results: &Results, colour: bool) -> String {
    terminal::runs(&results.header, &results.runs, &results.judged, paint(colour))
        + unfinished(results.complete)
}

/// What stands under results of which a part is missing.
pub fn unfinished(complete: bool) -> &'static str {
    match complete {
        true => "",
        false => "\nINCOMPLETE: not every run was finished; all of this is of those that were.\n",
    }
}

/// The variants beside each other; of several scenarios, with what sets them apart.
pub fn comparison(results: &Results, colour: bool, several: bool) -> String {
    let paint = paint(colour);
    let apart = || apart::text(&results.resolved, baseline(results), paint);
    terminal::compare(&results.header, &results.runs, &results.judged, paint)
        + &if several { apart() } else { String::new() }
        + &effects::text(&results.effects, paint)
        + &paired::text(&results.paired, paint)
        + unfinished(results.complete)
}

/// The same in Markdown, for a pull request.
pub fn comparison_markdown(results: &Results, several: bool) -> String {
    let apart = || apart::markdown(&results.resolved, baseline(results));
    terminal::compare_markdown(&results.header, &results.runs, &results.judged)
        + &if several { apart() } else { String::new() }
        + &effects::markdown(&results.effects)
        + &paired::markdown(&results.paired)
        + unfinished(results.complete)
}

/// The same in JSON, for a program: what `summary.json` and `expectations.json` of the run directory hold,
/// the effects and the differences; of several scenarios, what sets them apart.
///
/// # Errors
/// [`Failure::Io`] if they cannot be read.
pub fn comparison_json(results: &Results, dir: &Path, several: bool) -> Result<String, Failure> {
    let mut whole = read_json(&dir.join("summary.json"))?;
    let expectations = read_json(&dir.join("expectations.json"))?;
    whole["expectations"] = expectations["expectations"].clone();
    whole["effects"] = effects::rows(&results.effects);
    whole["paired"] = paired::rows(&results.paired);
    if several {
        whole["scenarios"] = apart::json(&results.resolved, baseline(results));
    }
    Ok(format!("{whole:#}\n"))
}

fn baseline(results: &Results) -> &str {
    let first = results.runs.first().map_or("", |run| &run.variant);
    results.paired.first().map_or(first, |row| &row.baseline)
}

/// The differences as a table: what `paired.csv` of the run directory holds.
pub fn comparison_csv(results: &Results) -> String {
    paired::csv(&results.header, &results.paired)
}

fn read_json(path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::io("read", path, error))?;
    serde_json::from_str(&text).map_err(|error| Failure::io("read", path, error))
}

/// Whether to colour.
pub fn paint(colour: bool) -> Paint {
    if colour { Paint::Colour } else { Paint::Plain }
}

/// What a snapshot of real connections shows, for a person.
pub fn snapshot(seen: &Snapshot, about: &About, colour: bool) -> String {
    inspect::text::text(seen, about, paint(colour))
}

/// The same in JSON, for a program.
pub fn snapshot_json(seen: &Snapshot, about: &About) -> String {
    format!("{:#}\n", inspect::json::json(seen, about))
}

/// Writes the picture of a snapshot as SVG, and as PNG beside it; gives the names of both.
///
/// # Errors
/// [`Failure::Io`] if that fails, [`Failure::Usage`] if something else has one of the names.
pub fn snapshot_picture(file: &Path, seen: &Snapshot) -> Result<[PathBuf; 2], Failure> {
    let drawing = plot::clock::draw(seen, &inspect::verdict(seen));
    let png = file.with_extension("png");
    if file == png {
        let why = "is the name of the PNG that comes beside the SVG: give the SVG one with another ending";
        return Err(Failure::Usage(format!("--svg: `{}` {why}", file.display())));
    }
    // A PNG shows not whose it is: ours has its SVG beside it.
    if !file.exists() && fs::metadata(&png).is_ok_and(|there| there.is_file() && there.len() > 0) {
        let why = "is there, without our SVG beside it: choose another name, or remove it";
        return Err(Failure::Usage(format!("--svg: `{}` {why}", png.display())));
    }
    destination::claim(file, Kind::Svg)?;
    destination::claim(&png, Kind::Png)?;
    destination::write(file, drawing.svg().as_bytes())?;
    destination::write(&png, &drawing.png())?;
    Ok([file.to_owned(), png])
}

/// Reads a run directory; its runs begin at `start` if there is one.
///
/// # Errors
/// [`Failure::Io`] if it is no run directory or damaged, [`Failure::Usage`] if the start is no time.
pub fn load(dir: &Path, start: Option<&str>) -> Result<Loaded, Failure> {
    let mut loaded = report::load(dir).map_err(Failure::directory)?;
    if let Some(start) = start {
        loaded.header.start = Some(start.to_owned());
        let why = "is not a time; wanted: RFC 3339, such as 2026-03-10T15:40:00Z";
        loaded.header.start().ok_or_else(|| Failure::Usage(format!("--start: `{start}` {why}")))?;
    }
    Ok(loaded)
}

/// The series of a run directory as OpenMetrics text.
///
/// # Errors
/// [`Failure::Usage`] if it has no calendar start.
pub fn openmetrics(loaded: &Loaded) -> Result<String, Failure> {
    let without = "the scenario has no `start`, and Prometheus wants calendar times: name one with --start";
    openmetrics::text(&loaded.header, &loaded.runs).ok_or_else(|| Failure::Usage(without.to_owned()))
}

/// Draws the page and the pictures of a run directory again, with measured values over them, and names them.
///
/// # Errors
/// [`Failure::Io`] if a file cannot be read or written, [`Failure::Usage`] if there is no such chart or a
/// file of measured values is not what it should be.
pub fn redraw(
    dir: &Path,
    loaded: &Loaded,
    overlays: &[String],
    note: &dyn Fn(&str),
) -> Result<Vec<String>, Failure> {
    let read = overlays.iter().map(|argument| measured(loaded, argument));
    let overlays = read.collect::<Result<Vec<_>, _>>()?;
    overlays.iter().for_each(|overlay| note(&overlay.words()));
    report::redraw(dir, loaded, &overlays).map_err(|error| Failure::Io(error.to_string()))
}

fn measured(loaded: &Loaded, argument: &str) -> Result<SeriesOverlay, Failure> {
    let (chart, file) = overlay::parted(argument).map_err(Failure::Usage)?;
    let text = fs::read_to_string(file).map_err(|error| Failure::input(Path::new(file), error))?;
    let seconds = loaded.runs.iter().map(|run| run.measured.duration.as_secs()).fold(0.0, f64::max);
    overlay::read(&loaded.header, seconds, chart, file, &text).map_err(Failure::Usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run_all;
    use crate::scenario::{AS_WRITTEN, Document};
    use std::sync::atomic::AtomicBool;

    /// A second of one connection, of which one seed was finished when Ctrl-C came.
    #[test]
    fn what_is_finished_is_kept_and_said_not_to_be_everything() {
        let text = "schema_version = 1\ntitle = \"t\"\nduration = \"1s\"\n[postgres.p]\ncores = 1\n\
                    [service.s]\ncontainers = { min = 1, max = 1 }\n[service.s.pool.p]\nmax = 1\n\
                    [query.q]\ncpu = \"1ms\"\n[request.r]\nservice = \"s\"\n\
                    steps = [{ query = \"q\", on = \"p\" }]\n[traffic.t]\nrequest = \"r\"\nrate = \"9/s\"\n";
        let (document, _) = Document::from_text("t.toml", text).unwrap();
        let jobs = [(document.scenario(AS_WRITTEN).unwrap(), 1)];
        let results = |runs| Results {
            command: vec![],
            header: Header::of("t", jobs[0].0),
            resolved: resolved(&jobs),
            runs,
            judged: vec![],
            effects: vec![],
            paired: vec![],
            complete: false,
            interrupted: true,
            plots: false,
            took: Duration::ZERO,
        };
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let runs = run_all(&jobs, Some(1), &|_| {}, &AtomicBool::new(false));
        write(&out, &results(runs), &[]).unwrap();
        assert_eq!(read_json(&out.join("manifest.json")).unwrap()["complete"], false);
        let before = fs::read(out.join("measured.json")).unwrap();
        assert!(matches!(write(&out, &results(vec![]), &[]), Err(Failure::Abandoned)));
        assert_eq!(fs::read(out.join("measured.json")).unwrap(), before);
    }

    #[test]
    fn only_new_empty_and_own_directories_are_claimed() {
        let dir = tempfile::tempdir().unwrap();
        assert!(claim(&dir.path().join("new")).is_ok());
        assert!(claim(dir.path()).is_ok(), "empty");
        fs::write(dir.path().join("manifest.json"), r#"{ "name": "an app of the web" }"#).unwrap();
        assert!(matches!(claim(dir.path()), Err(Failure::Io(_))), "foreign");
        fs::write(dir.path().join("manifest.json"), r#"{ "tool": "herdsim" }"#).unwrap();
        assert!(claim(dir.path()).is_ok(), "own");
    }
}
