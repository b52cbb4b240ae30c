//! From results to paper: the one place in which the door meets the report floor.

use super::Failure;
use crate::experiment::{Judged, Run};
use crate::measure::summary;
use crate::report::terminal::{self, Paint};
use crate::report::{self, Header, Paper};
use crate::scenario::Scenario;
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// What a batch of runs gave.
pub struct Results<'a> {
    /// The scenario's short name: its file's name without the ending.
    pub name: String,
    /// The command that gives these results again.
    pub command: Vec<String>,
    /// What was asked for.
    pub jobs: &'a [(&'a Scenario, u64)],
    /// What was finished, in the order of the jobs.
    pub runs: Vec<Run>,
    /// The expectations that could be judged.
    pub judged: Vec<Judged>,
    /// Whether every job was finished.
    pub complete: bool,
    /// Whether Ctrl-C came.
    pub interrupted: bool,
    /// Whether pictures are wanted.
    pub plots: bool,
    /// Wall-clock time; it goes into `timing.json` alone.
    pub took: Duration,
}

impl Results<'_> {
    /// All variants share one file, and with it title, question and start.
    pub fn header(&self) -> Header {
        Header::of(&self.name, self.jobs[0].0)
    }

    fn resolved(&self) -> Vec<(String, String)> {
        let mut scenarios: Vec<&Scenario> = self.jobs.iter().map(|(scenario, _)| *scenario).collect();
        scenarios.dedup_by_key(|scenario| &scenario.variant);
        scenarios.into_iter().map(|scenario| (scenario.variant.clone(), scenario.resolved())).collect()
    }
}

/// Makes sure, before anybody waits for runs, that the results may go to `dir`.
///
/// # Errors
/// [`Failure::Io`] if something stands there that is not a run directory of ours.
pub fn claim(dir: &Path) -> Result<(), Failure> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::io("write results to", dir, error)),
        Ok(entries) => entries,
    };
    if entries.count() == 0 || is_ours(dir) {
        return Ok(());
    }
    let why = "it holds files that are not a run's; choose another directory with -o";
    Err(Failure::io("write results to", dir, why))
}

fn is_ours(dir: &Path) -> bool {
    let manifest = fs::read_to_string(dir.join("manifest.json")).unwrap_or_default();
    let manifest: Option<Value> = serde_json::from_str(&manifest).ok();
    manifest.is_some_and(|manifest| manifest["tool"] == "herdsim")
}

/// Writes the run directory, with further files by path, and names its files.
///
/// # Errors
/// [`Failure::Io`] if that fails.
pub fn write(dir: &Path, results: &Results, extra: &[(String, Vec<u8>)]) -> Result<Vec<String>, Failure> {
    let summaries: Vec<_> = results.runs.iter().map(|run| summary::rows(&run.measured)).collect();
    let paper = Paper {
        header: &results.header(),
        runs: &results.runs,
        summaries: &summaries,
        judged: &results.judged,
        resolved: &results.resolved(),
        argv: &results.command,
        complete: results.complete,
        timing: &json!({ "wall_s": results.took.as_secs_f64(), "runs": results.runs.len() }),
        plots: results.plots,
        extra,
    };
    report::write(dir, &paper).map_err(|error| Failure::Io(error.to_string()))
}

/// Each run in full; the verdicts, which are over all seeds, come with the first.
pub fn runs(results: &Results, colour: bool) -> String {
    let header = results.header();
    let mut judged = results.judged.as_slice();
    let mut texts = Vec::new();
    for run in &results.runs {
        texts.push(terminal::run(&header, run, judged, paint(colour)));
        judged = &[];
    }
    texts.join("\n")
}

/// The variants beside each other.
pub fn comparison(results: &Results, colour: bool) -> String {
    terminal::compare(&results.header(), &results.runs, &results.judged, paint(colour))
}

/// The same in Markdown, for a pull request.
pub fn comparison_markdown(results: &Results) -> String {
    terminal::compare_markdown(&results.header(), &results.runs, &results.judged)
}

/// The same in JSON, for a program: what `summary.json` and `expectations.json` of the run directory hold.
///
/// # Errors
/// [`Failure::Io`] if they cannot be read.
pub fn comparison_json(dir: &Path) -> Result<String, Failure> {
    let mut whole = read_json(&dir.join("summary.json"))?;
    let expectations = read_json(&dir.join("expectations.json"))?;
    whole["expectations"] = expectations["expectations"].clone();
    Ok(format!("{whole:#}\n"))
}

fn read_json(path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::io("read", path, error))?;
    serde_json::from_str(&text).map_err(|error| Failure::io("read", path, error))
}

/// Whether to colour.
pub fn paint(colour: bool) -> Paint {
    if colour { Paint::Colour } else { Paint::Plain }
}

/// Draws the pictures of a run directory again and names them.
///
/// # Errors
/// [`Failure::Io`] if it is no run directory or cannot be written.
pub fn redraw(dir: &Path) -> Result<Vec<String>, Failure> {
    report::redraw(dir).map_err(|error| Failure::Io(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
