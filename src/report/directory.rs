//! The run directory: everything that a run leaves behind, written whole or not at all.
//!
//! Files are written into a hidden folder beside the target, which is then renamed ([`super::whole`]).
//! A directory that stands in the way is replaced only if it is a run directory itself. All files but
//! `timing.json` are equal for equal inputs.

use super::error::damaged;
pub(super) use super::expectations::verdict_name;
use super::{Header, ReportError, SCHEMA_VERSION, archive, csv, expectations, page, plot, whole};
use crate::experiment::{Judged, Run};
use crate::measure::SummaryRow;
use crate::scenario::AS_WRITTEN;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const MEASURED: &str = "measured.json";
pub(super) const SUMMARY: &str = "summary.json";
pub(super) const EXPECTATIONS: &str = "expectations.json";
pub(super) const EFFECTS: &str = "effects.json";
pub(super) const PAGE: &str = "report.html";

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
    /// Further files by path, such as `effects.json`.
    pub extra: &'a [(String, Vec<u8>)],
}

/// Writes a run directory and returns the paths of its files, sorted.
///
/// # Errors
/// If something that is not a run directory stands in the way, or a file cannot be written. Then nothing is
/// left behind, and what stood there before still stands.
pub fn write(dir: &Path, paper: &Paper) -> Result<Vec<String>, ReportError> {
    put_each(dir, |keep| files(paper, keep))
}

/// Writes files into a run directory, one of them its manifest, and returns their paths, sorted.
///
/// # Errors
/// As [`write()`].
pub fn put(dir: &Path, files: Vec<(String, Vec<u8>)>) -> Result<Vec<String>, ReportError> {
    put_each(dir, |keep| files.into_iter().try_for_each(|(name, bytes)| keep(name, bytes)))
}

/// Takes one file, by path.
type Keep<'a> = dyn FnMut(String, Vec<u8>) -> Result<(), ReportError> + 'a;

/// Writes each file as soon as it is made: the tables of days are too large to be held together.
fn put_each(
    dir: &Path,
    fill: impl FnOnce(&mut Keep) -> Result<(), ReportError>,
) -> Result<Vec<String>, ReportError> {
    // `.` and `..` have no siblings; a link stays a link to what is replaced.
    let dir = &dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    claim(dir)?;
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|source| ReportError::Io { path: parent.to_owned(), source })?;
    whole::clear(dir);
    let unfinished = whole::unfinished(dir);
    fs::create_dir_all(&unfinished).map_err(|source| ReportError::Io { path: unfinished.clone(), source })?;
    let _held = whole::hold(&unfinished);
    let mut names = Vec::new();
    let filled = fill(&mut |name, bytes| {
        names.push(name.clone());
        write_files(&unfinished, &[(name, bytes)])
    });
    let written = filled.and_then(|()| replace(dir, &unfinished));
    if let Err(error) = written {
        // Already failing: that the rest cannot be removed either adds nothing.
        let _ = fs::remove_dir_all(&unfinished);
        return Err(error);
    }
    names.sort();
    Ok(names)
}

/// Writes files into a folder, which need not exist.
pub(super) fn write_files(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), ReportError> {
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
    let old = whole::beside(dir, "old");
    fs::rename(dir, &old).map_err(io)?;
    if let Err(source) = fs::rename(finished, dir) {
        let _ = fs::rename(&old, dir);
        return Err(io(source));
    }
    fs::remove_dir_all(&old).map_err(|source| ReportError::Io { path: old, source })
}

/// The files that a directory of ours may hold, but for resolved scenarios, pictures and kept trials.
const OURS: [&str; 30] = [
    MANIFEST,
    MEASURED,
    SUMMARY,
    EXPECTATIONS,
    EFFECTS,
    PAGE,
    "cycles.csv",
    "dashboard.csv",
    "effects.csv",
    "events.csv",
    "expectations.csv",
    "explain.csv",
    "explain.json",
    "find.csv",
    "find.json",
    "herd.csv",
    "latency_hist.csv",
    "levels.csv",
    "paired.csv",
    "paired.json",
    "periods.csv",
    "remedies.csv",
    "remedies.json",
    "served.csv",
    "spectrum.csv",
    "starts.csv",
    "storm_levels.csv",
    "summary.csv",
    "timeseries.csv",
    "timing.json",
];

/// Makes sure that a directory may be written: it is not there, is empty, or holds what an earlier command
/// wrote and nothing else.
///
/// # Errors
/// Something of somebody else stands there.
pub fn claim(dir: &Path) -> Result<(), ReportError> {
    let io = |source| ReportError::Io { path: dir.to_owned(), source };
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(_) if dir.is_file() => return Err(io(std::io::Error::other("it is a file, and no directory"))),
        Err(error) => return Err(io(error)),
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())),
    };
    let mut entries = entries.collect::<Result<Vec<PathBuf>, _>>().map_err(io)?;
    let manifest = fs::read_to_string(dir.join(MANIFEST)).ok();
    let manifest = manifest.and_then(|text| serde_json::from_str::<Value>(&text).ok()).unwrap_or_default();
    if !entries.is_empty() && manifest["tool"] != "herdsim" {
        return Err(ReportError::InTheWay(dir.to_owned()));
    }
    entries.sort();
    match entries.into_iter().find(|path| !is_ours(path)) {
        Some(path) => Err(ReportError::Foreign(path)),
        None => Ok(()),
    }
}

/// Makes sure that a directory can be put in place whole: makes its hidden sibling, with the directories
/// above, and removes it again. What a killed program left there goes.
///
/// # Errors
/// That cannot be done.
pub fn try_beside(dir: &Path) -> std::io::Result<()> {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    whole::clear(&dir);
    let trial = whole::unfinished(&dir);
    fs::create_dir_all(&trial).and_then(|()| fs::remove_dir(&trial))
}

/// Whether an entry of a directory is one that we write.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let holds = |endings: &[&str]| {
        let files = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let ours =
            |file: &Path| file.extension().is_some_and(|ending| endings.iter().any(|one| ending == *one));
        let hidden =
            |file: &Path| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        files.into_iter().all(|file| file.is_file() && (ours(&file) || hidden(&file)))
    };
    match name.as_str() {
        "plots" => holds(&["svg", "png"]),
        "runs" => holds(&["json"]),
        "trace.json" => path.is_file(),
        name if whole::is_unfinished(name) => true,
        name => path.is_file() && (OURS.contains(&csv_of(name).as_str()) || name.ends_with(".resolved.toml")),
    }
}

/// The table of which a file is the Parquet form; any other name as it is.
fn csv_of(name: &str) -> String {
    name.strip_suffix(".parquet").map_or_else(|| name.to_owned(), |table| format!("{table}.csv"))
}

/// Makes the files of a run directory, one after the other.
fn files(paper: &Paper, keep: &mut Keep) -> Result<(), ReportError> {
    let measured =
        archive::to_json(paper.header, paper.runs).map_err(|error| damaged(MEASURED.as_ref(), error))?;
    keep(MEASURED.to_owned(), measured.into_bytes())?;
    keep(MANIFEST.to_owned(), pretty(&manifest(paper)))?;
    keep(SUMMARY.to_owned(), pretty(&summary(paper)))?;
    keep(EXPECTATIONS.to_owned(), pretty(&expectations_file(paper)))?;
    keep("timing.json".to_owned(), pretty(paper.timing))?;
    for (name, text) in csv::all(paper.header, paper.runs, paper.summaries) {
        keep(name.to_owned(), text.into_bytes())?;
    }
    for (name, (_, text)) in resolved_names(paper.resolved).into_iter().zip(paper.resolved) {
        keep(name, text.clone().into_bytes())?;
    }
    if paper.plots {
        let effects = effects(paper);
        let pictures = pictures(paper.header, paper.runs, &effects);
        keep(PAGE.to_owned(), report_page(paper, &effects, &pictures).into_bytes())?;
        pictures.into_iter().try_for_each(|(name, bytes)| keep(name, bytes))?;
    }
    paper.extra.iter().try_for_each(|(name, bytes)| keep(name.clone(), bytes.clone()))
}

/// What `effects.json` holds, if it is among the further files: pictures and page show it, too.
fn effects(paper: &Paper) -> Value {
    let effects = paper.extra.iter().find(|(name, _)| name == EFFECTS);
    let whole: Option<Value> = effects.and_then(|(_, bytes)| serde_json::from_slice(bytes).ok());
    whole.map_or(Value::Null, |mut whole| whole["effects"].take())
}

/// `report.html`.
fn report_page(paper: &Paper, effects: &Value, pictures: &[(String, Vec<u8>)]) -> String {
    page::html(&page::Content {
        header: paper.header,
        runs: paper.runs,
        judged: paper.judged,
        effects,
        resolved: paper.resolved,
        manifest: &manifest(paper),
        pictures,
        overlays: &[],
    })
}

/// `plots/*.svg` and `plots/*.png` of some runs; `effects` as in `effects.json`.
pub fn pictures(header: &Header, runs: &[Run], effects: &Value) -> Vec<(String, Vec<u8>)> {
    drawn(plot::all(header, runs, effects))
}

/// Charts as files, each in both formats.
pub fn drawn(charts: Vec<plot::Chart>) -> Vec<(String, Vec<u8>)> {
    let files = charts.into_iter().flat_map(|chart| {
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

/// The hash by which the manifest knows a text.
pub(super) fn sha256(text: &str) -> String {
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
        "build": crate::BUILD,
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

fn expectations_file(paper: &Paper) -> Value {
    let runs: Vec<(String, u64)> = paper.runs.iter().map(|run| (run.variant.clone(), run.seed)).collect();
    json!({ "schema_version": SCHEMA_VERSION, "expectations": expectations::json(paper.judged, &runs) })
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
