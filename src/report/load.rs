//! A run directory read back: to draw its pictures again, or to compare it, without simulating.

use super::directory::{
    EFFECTS, EXPECTATIONS, MANIFEST, MEASURED, PAGE, SUMMARY, pictures, sha256, write_files,
};
use super::error::damaged;
use super::expectations::verdict_name;
use super::page::{self, overlay::SeriesOverlay};
use super::{Header, ReportError, SCHEMA_VERSION, archive};
use crate::experiment::{Against, Judged, ResolvedBound, Run, Verdict, WrittenAt};
use crate::measure::SummaryRow;
use serde_json::Value;
use std::fs;
use std::path::Path;

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
    /// The resolved scenario of each variant, as TOML.
    pub resolved: Vec<(String, String)>,
    /// `effects.json`; null where nothing was compared.
    pub effects: Value,
    /// `manifest.json`.
    pub manifest: Value,
}

/// Draws the pictures and the page of a run directory again, and returns their paths.
///
/// # Errors
/// If a file cannot be written; each is whole or as it was.
pub fn redraw(dir: &Path, loaded: &Loaded, overlays: &[SeriesOverlay]) -> Result<Vec<String>, ReportError> {
    let mut pictures = pictures(&loaded.header, &loaded.runs, &loaded.effects);
    let page = page::html(&page::Content {
        header: &loaded.header,
        runs: &loaded.runs,
        judged: &loaded.judged,
        effects: &loaded.effects,
        resolved: &loaded.resolved,
        manifest: &loaded.manifest,
        pictures: &pictures,
        overlays,
    });
    pictures.push((PAGE.to_owned(), page.into_bytes()));
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
/// If it is none, if a newer version wrote it, or if a file is missing or damaged; the message names the
/// file.
pub fn load(dir: &Path) -> Result<Loaded, ReportError> {
    let path = dir.join(MANIFEST);
    let manifest = manifest(dir)?;
    if let Some(kind) = manifest["kind"].as_str() {
        return Err(ReportError::OfAnotherKind { path: dir.to_owned(), kind: kind.to_owned() });
    }
    match manifest["schema_version"].as_u64() {
        Some(version) if version > SCHEMA_VERSION => return Err(ReportError::Newer { path, version }),
        Some(_) => {}
        None => return Err(damaged(&path, "it has no schema_version")),
    }
    let path = dir.join(MEASURED);
    let text = read(&path)?;
    let (header, runs) = archive::from_json(&text).map_err(|reason| unread(&path, &text, reason))?;
    let path = dir.join(SUMMARY);
    let summaries = read_summaries(&read_json(&path)?).ok_or_else(|| damaged(&path, "a field is missing"))?;
    let path = dir.join(EXPECTATIONS);
    let judged = read_judged(&read_json(&path)?).ok_or_else(|| damaged(&path, "a field is missing"))?;
    let resolved = read_resolved(dir, &manifest)?;
    let path = dir.join(EFFECTS);
    let effects = if path.is_file() { read_effects(&path)? } else { Value::Null };
    Ok(Loaded { header, runs, summaries, judged, resolved, effects, manifest })
}

/// The list in `effects.json`.
fn read_effects(path: &Path) -> Result<Value, ReportError> {
    let effects = read_json(path)?.get_mut("effects").map(Value::take);
    effects.ok_or_else(|| damaged(path, "a field is missing"))
}

/// The error of measured values that cannot be read: what another version wrote is not damaged.
fn unread(path: &Path, text: &str, reason: String) -> ReportError {
    #[derive(serde::Deserialize)]
    struct Versioned {
        schema_version: u32,
    }
    match serde_json::from_str(text) {
        Ok(Versioned { schema_version }) if schema_version != archive::SCHEMA_VERSION => {
            ReportError::OfAnotherVersion { path: path.to_owned(), reason }
        }
        _ => damaged(path, reason),
    }
}

/// The manifest of a directory that a command of ours wrote.
pub(super) fn manifest(dir: &Path) -> Result<Value, ReportError> {
    if !dir.exists() {
        return Err(ReportError::Absent(dir.to_owned()));
    }
    let path = dir.join(MANIFEST);
    let manifest = if path.is_file() { read_json(&path)? } else { Value::Null };
    match manifest["tool"] == "herdsim" {
        true => Ok(manifest),
        false => Err(ReportError::NotARun(dir.to_owned())),
    }
}

/// The resolved scenarios that the manifest names. One that is gone is left out: no figure needs it.
fn read_resolved(dir: &Path, manifest: &Value) -> Result<Vec<(String, String)>, ReportError> {
    let mut resolved = Vec::new();
    for one in manifest["resolved"].as_array().into_iter().flatten() {
        let (Some(variant), Some(file)) = (text(&one["variant"]), one["file"].as_str()) else { continue };
        // A name, not a path: a manifest leads nowhere else.
        let path = dir.join(Path::new(file).file_name().unwrap_or_default());
        if path.is_file() {
            let text = read(&path)?;
            if one["sha256"].as_str().is_some_and(|hash| hash != sha256(&text)) {
                return Err(damaged(
                    &path,
                    "it is not the scenario that was run (another SHA-256 than in the manifest)",
                ));
            }
            resolved.push((variant, text));
        }
    }
    Ok(resolved)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A number; null is NaN, as it was written.
fn number(value: &Value) -> Option<f64> {
    if value.is_null() { Some(f64::NAN) } else { value.as_f64() }
}

fn numbers(values: &Value) -> Option<Vec<f64>> {
    values.as_array()?.iter().map(number).collect()
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
    file["expectations"].as_array()?.iter().map(judged).collect()
}

fn judged(one: &Value) -> Option<Judged> {
    let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive];
    Some(Judged {
        name: text(&one["name"])?,
        variant: text(&one["variant"])?,
        place: written(one),
        claim: text(&one["claim"])?,
        unit: archive::name(one["unit"].as_str()?),
        min: limit(&one["limit"]["min"]),
        max: limit(&one["limit"]["max"]),
        values: numbers(&one["values"])?,
        held: whole(&one["held"])?,
        share: one["share"].as_f64(),
        control: text(&one["control"]),
        control_values: one.get("control_values").map_or(Some(vec![]), numbers)?,
        verdict: verdicts.into_iter().find(|verdict| one["verdict"] == verdict_name(*verdict))?,
        because: text(&one["because"])?,
    })
}

fn whole(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}

/// Where an expectation was written, if somebody wrote it.
fn written(one: &Value) -> Option<WrittenAt> {
    Some(WrittenAt { file: text(&one["file"])?, line: whole(&one["line"])?, column: whole(&one["column"])? })
}

fn limit(limit: &Value) -> Option<ResolvedBound> {
    Some(ResolvedBound {
        words: text(&limit["words"])?,
        value: number(&limit["value"])?,
        against: against(limit),
    })
}

/// What a relative bound came to; files of earlier versions do not tell.
fn against(limit: &Value) -> Option<Against> {
    let (values, limits) = (numbers(&limit["of_values"])?, numbers(&limit["values"])?);
    Some(Against { variant: text(&limit["of"])?, values, limits })
}

fn read(path: &Path) -> Result<String, ReportError> {
    fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ReportError::Missing(path.to_owned()),
        std::io::ErrorKind::InvalidData => damaged(path, "it is not text"),
        _ => ReportError::Io { path: path.to_owned(), source },
    })
}

fn read_json(path: &Path) -> Result<Value, ReportError> {
    serde_json::from_str(&read(path)?).map_err(|error| damaged(path, error))
}
