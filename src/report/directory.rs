//! The run directory: everything that a run leaves behind, written whole or not at all.
//!
//! Files are written into a hidden folder beside the target, which is then renamed. A directory that stands in the way
//! is replaced only if it is a run directory itself. All files but `timing.json` are equal for equal inputs.

use super::{Header, archive, csv, plot};
use crate::experiment::{Judged, Run, Verdict};
use crate::measure::SummaryRow;
use crate::scenario::AS_WRITTEN;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The version of the run directory's layout.
pub const SCHEMA_VERSION: u64 = 1;

const MANIFEST: &str = "manifest.json";
const MEASURED: &str = "measured.json";
const SUMMARY: &str = "summary.json";
const EXPECTATIONS: &str = "expectations.json";

/// What a run directory is made of.
#[derive(Clone, Debug)]
pub struct Paper<'a> {
    /// The scenario in short.
    pub header: &'a Header,
    /// The runs: variant by variant, seed by seed.
    pub runs: &'a [Run],
    /// The summary of each run, in the same order.
    pub summaries: &'a [Vec<SummaryRow>],
    /// The judged expectations.
    pub judged: &'a [Judged],
    /// The resolved scenario of each variant, as TOML.
    pub resolved: &'a [(String, String)],
    /// The command line.
    pub argv: &'a [String],
    /// False if the work was interrupted.
    pub complete: bool,
    /// Wall-clock figures: the only content that may differ between equal runs.
    pub timing: &'a Value,
    /// Whether to draw pictures.
    pub plots: bool,
    /// Further files by path, such as `report.html`.
    pub extra: &'a [(String, Vec<u8>)],
}

/// What a run directory holds, read back.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario in short.
    pub header: Header,
    /// The runs.
    pub runs: Vec<Run>,
    /// The summary of each run.
    pub summaries: Vec<Vec<SummaryRow>>,
    /// The judged expectations.
    pub judged: Vec<Judged>,
    /// `manifest.json`.
    pub manifest: Value,
}

/// Why a run directory could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The disk said no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something else stands where the directory should go.
    #[error(
        "{path} exists and is not a run directory (it has no manifest.json of ours): name another directory, or remove it",
        path = .0.display()
    )]
    InTheWay(PathBuf),
    /// There is no run to be read.
    #[error("{path} is not a run directory: it has no manifest.json (`run` and `compare` write one with `-o`)", path = .0.display())]
    NotARun(PathBuf),
    /// It was written by a newer version of this program.
    #[error("{path} has schema version {version}, and this program reads up to {SCHEMA_VERSION}: use the version that wrote it", path = path.display())]
    Newer {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// A file is not what it should be.
    #[error("{path} is damaged: {reason}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Writes a run directory and returns the paths of its files, sorted.
///
/// # Errors
/// If something that is not a run directory stands in the way, or a file cannot be written. Then nothing is left
/// behind, and what stood there before still stands.
pub fn write(dir: &Path, paper: &Paper) -> Result<Vec<String>, ReportError> {
    if dir.exists() && !is_ours(dir) && !is_empty(dir) {
        return Err(ReportError::InTheWay(dir.to_owned()));
    }
    let mut files = files(paper)?;
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|source| ReportError::Io { path: parent.to_owned(), source })?;
    let unfinished = beside(dir, "unfinished");
    let written = write_files(&unfinished, &files).and_then(|()| replace(dir, &unfinished));
    if let Err(error) = written {
        // Already failing: that the rest cannot be removed either adds nothing.
        let _ = fs::remove_dir_all(&unfinished);
        return Err(error);
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

/// A hidden sibling of a directory; the process id keeps two programs apart.
fn beside(dir: &Path, what: &str) -> PathBuf {
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    dir.with_file_name(format!(".{name}.{what}.{}", std::process::id()))
}

fn write_files(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), ReportError> {
    for (name, bytes) in files {
        let path = folder.join(name);
        let io = |source| ReportError::Io { path: path.clone(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io)?;
        }
        fs::write(&path, bytes).map_err(io)?;
    }
    Ok(())
}

/// Puts the finished folder in place; an older run steps aside and comes back if that fails.
fn replace(dir: &Path, finished: &Path) -> Result<(), ReportError> {
    let io = |source| ReportError::Io { path: dir.to_owned(), source };
    if !dir.exists() {
        return fs::rename(finished, dir).map_err(io);
    }
    let old = beside(dir, "old");
    fs::rename(dir, &old).map_err(io)?;
    if let Err(source) = fs::rename(finished, dir) {
        let _ = fs::rename(&old, dir);
        return Err(io(source));
    }
    fs::remove_dir_all(&old).map_err(|source| ReportError::Io { path: old, source })
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

fn is_ours(dir: &Path) -> bool {
    let manifest = fs::read_to_string(dir.join(MANIFEST)).ok();
    let manifest = manifest.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    manifest.is_some_and(|manifest| manifest["tool"] == "herdsim")
}

fn files(paper: &Paper) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let measured =
        archive::to_json(paper.header, paper.runs).map_err(|error| damaged(MEASURED.as_ref(), error))?;
    files.push((MEASURED.to_owned(), measured.into_bytes()));
    files.push((MANIFEST.to_owned(), pretty(&manifest(paper))));
    files.push((SUMMARY.to_owned(), pretty(&summary(paper))));
    files.push((EXPECTATIONS.to_owned(), pretty(&expectations(paper.judged))));
    files.push(("timing.json".to_owned(), pretty(paper.timing)));
    for (name, text) in csv::all(paper.header, paper.runs, paper.summaries) {
        files.push((name.to_owned(), text.into_bytes()));
    }
    for (name, (_, text)) in resolved_names(paper.resolved).into_iter().zip(paper.resolved) {
        files.push((name, text.clone().into_bytes()));
    }
    if paper.plots {
        files.extend(pictures(paper.header, paper.runs));
    }
    files.extend(paper.extra.iter().cloned());
    Ok(files)
}

/// `plots/*.svg` and `plots/*.png` of some runs.
pub fn pictures(header: &Header, runs: &[Run]) -> Vec<(String, Vec<u8>)> {
    let files = plot::all(header, runs).into_iter().flat_map(|chart| {
        let svg = (format!("plots/{}.svg", chart.name), chart.drawing.svg().into_bytes());
        [svg, (format!("plots/{}.png", chart.name), chart.drawing.png())]
    });
    files.collect()
}

/// `scenario.resolved.toml`, `scenario.jitter.resolved.toml`: no two alike.
fn resolved_names(resolved: &[(String, String)]) -> Vec<String> {
    let plain = |variant: &str| match variant {
        AS_WRITTEN => "scenario".to_owned(),
        _ if resolved.len() == 1 => "scenario".to_owned(),
        other => format!("scenario.{other}"),
    };
    let mut names: Vec<String> = resolved.iter().map(|(variant, _)| plain(variant)).collect();
    plot::tell_apart(names.iter_mut());
    names.into_iter().map(|name| name + ".resolved.toml").collect()
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn manifest(paper: &Paper) -> Value {
    let mut variants: Vec<&str> = Vec::new();
    let mut seeds: Vec<u64> = Vec::new();
    for run in paper.runs {
        if !variants.contains(&run.variant.as_str()) {
            variants.push(&run.variant);
        }
        if !seeds.contains(&run.seed) {
            seeds.push(run.seed);
        }
    }
    let names = resolved_names(paper.resolved);
    let resolved = names
        .iter()
        .zip(paper.resolved)
        .map(|(name, (variant, text))| json!({ "variant": variant, "file": name, "sha256": sha256(text) }));
    json!({
        "schema_version": SCHEMA_VERSION,
        "tool": "herdsim",
        "tool_version": env!("CARGO_PKG_VERSION"),
        "scenario": paper.header.scenario,
        "title": paper.header.title,
        "resolved": resolved.collect::<Vec<_>>(),
        "variants": variants,
        "seeds": seeds,
        "argv": paper.argv,
        "complete": paper.complete,
    })
}

fn summary(paper: &Paper) -> Value {
    let row = |row: &SummaryRow| {
        json!({
            "metric": row.metric, "of": row.of, "cause": row.cause,
            "stat": row.stat, "value": row.value, "unit": row.unit,
        })
    };
    let runs = paper.runs.iter().zip(paper.summaries).map(|(run, rows)| {
        json!({ "variant": run.variant, "seed": run.seed, "rows": rows.iter().map(row).collect::<Vec<_>>() })
    });
    json!({ "schema_version": SCHEMA_VERSION, "runs": runs.collect::<Vec<_>>() })
}

fn expectations(judged: &[Judged]) -> Value {
    let one = |judged: &Judged| {
        json!({
            "name": judged.name, "variant": judged.variant, "claim": judged.claim,
            "verdict": verdict_name(judged.verdict), "values": judged.values, "unit": judged.unit,
            "because": judged.because,
        })
    };
    json!({ "schema_version": SCHEMA_VERSION, "expectations": judged.iter().map(one).collect::<Vec<_>>() })
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    }
}

fn damaged(path: &Path, reason: impl ToString) -> ReportError {
    ReportError::Damaged { path: path.to_owned(), reason: reason.to_string() }
}

fn read(path: &Path) -> Result<String, ReportError> {
    fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => damaged(path, "the file is missing"),
        std::io::ErrorKind::InvalidData => damaged(path, "it is not text"),
        _ => ReportError::Io { path: path.to_owned(), source },
    })
}

fn read_json(path: &Path) -> Result<Value, ReportError> {
    serde_json::from_str(&read(path)?).map_err(|error| damaged(path, error))
}

/// Draws the pictures of a run directory again, and returns their paths.
///
/// # Errors
/// As [`load`], or if a picture cannot be written; each is whole or as it was.
pub fn redraw(dir: &Path) -> Result<Vec<String>, ReportError> {
    let loaded = load(dir)?;
    let pictures = pictures(&loaded.header, &loaded.runs);
    let unfinished = dir.join(".unfinished");
    let moved = write_files(&unfinished, &pictures).and_then(|()| {
        let plots = dir.join("plots");
        fs::create_dir_all(&plots).map_err(|source| ReportError::Io { path: plots, source })?;
        pictures.iter().try_for_each(|(name, _)| {
            let path = dir.join(name);
            fs::rename(unfinished.join(name), &path).map_err(|source| ReportError::Io { path, source })
        })
    });
    // Empty by now, or of no use.
    let _ = fs::remove_dir_all(&unfinished);
    moved.map(|()| pictures.into_iter().map(|(name, _)| name).collect())
}

/// Reads a run directory.
///
/// # Errors
/// If it is none, if a newer version wrote it, or if a file is missing or damaged; the message names the file.
pub fn load(dir: &Path) -> Result<Loaded, ReportError> {
    let path = dir.join(MANIFEST);
    if !path.is_file() {
        return Err(ReportError::NotARun(dir.to_owned()));
    }
    let manifest = read_json(&path)?;
    if manifest["tool"] != "herdsim" {
        return Err(ReportError::NotARun(dir.to_owned()));
    }
    match manifest["schema_version"].as_u64() {
        Some(version) if version > SCHEMA_VERSION => return Err(ReportError::Newer { path, version }),
        Some(_) => {}
        None => return Err(damaged(&path, "it has no schema_version")),
    }
    let path = dir.join(MEASURED);
    let (header, runs) = archive::from_json(&read(&path)?).map_err(|reason| damaged(&path, reason))?;
    let path = dir.join(SUMMARY);
    let summaries = read_summaries(&read_json(&path)?).ok_or_else(|| damaged(&path, "a field is missing"))?;
    let path = dir.join(EXPECTATIONS);
    let judged = read_judged(&read_json(&path)?).ok_or_else(|| damaged(&path, "a field is missing"))?;
    Ok(Loaded { header, runs, summaries, judged, manifest })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A number; null is NaN, as it was written.
fn number(value: &Value) -> Option<f64> {
    if value.is_null() { Some(f64::NAN) } else { value.as_f64() }
}

fn read_summaries(file: &Value) -> Option<Vec<Vec<SummaryRow>>> {
    let row = |row: &Value| {
        Some(SummaryRow {
            metric: archive::name(row["metric"].as_str()?),
            of: text(&row["of"])?,
            cause: archive::name(row["cause"].as_str()?),
            stat: archive::name(row["stat"].as_str()?),
            value: number(&row["value"])?,
            unit: archive::name(row["unit"].as_str()?),
        })
    };
    let rows = |run: &Value| run["rows"].as_array()?.iter().map(row).collect();
    file["runs"].as_array()?.iter().map(rows).collect()
}

fn read_judged(file: &Value) -> Option<Vec<Judged>> {
    let one = |one: &Value| {
        let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive];
        let verdict = verdicts.into_iter().find(|verdict| one["verdict"] == verdict_name(*verdict))?;
        Some(Judged {
            name: text(&one["name"])?,
            variant: text(&one["variant"])?,
            claim: text(&one["claim"])?,
            unit: archive::name(one["unit"].as_str()?),
            values: one["values"].as_array()?.iter().map(number).collect::<Option<_>>()?,
            verdict,
            because: text(&one["because"])?,
        })
    };
    file["expectations"].as_array()?.iter().map(one).collect()
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
