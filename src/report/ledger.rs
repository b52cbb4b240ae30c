//! The directory of a sweep: a manifest that says what was asked for, one small file for each trial as soon
//! as it is done, and at the end the tables and maps, which are made of these files alone.
//!
//! So a sweep that was killed can be gone on with, and the parts of one that was dealt to several machines
//! can be merged: either way the directory comes out the same, byte for byte. Every file is written under
//! another name and then renamed. Left out: two programs that write one directory at the same time.

use super::error::damaged;
use super::{Header, ReportError, SCHEMA_VERSION, whole};
use crate::experiment::sweep::PointRun;
use crate::scenario::Scenario;
use crate::scenario::axis::Axis;
use crate::scenario::grammar::{File, Mode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "manifest.json";
const RUNS: &str = "runs";
/// What tells a sweep's manifest from that of other directories.
const KIND: &str = "sweep";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always `herdsim`.
    pub tool: String,
    /// Its version.
    pub tool_version: String,
    /// What it was built from: see [`crate::BUILD`].
    #[serde(default)]
    pub build: String,
    /// Always `sweep`.
    pub kind: String,
    /// The version of this layout.
    pub schema_version: u64,
    /// The scenario in short.
    pub header: Header,
    /// The file and its overlays as arguments.
    pub scenario: Vec<String>,
    /// The scenario in full, without its sweep and its seeds, as a hash.
    pub scenario_sha256: String,
    /// How the axes make points.
    pub mode: Mode,
    /// The axes.
    pub axes: Vec<Axis>,
    /// The variants that are run at each point.
    pub variants: Vec<String>,
    /// The seeds with which each is run.
    pub seeds: Vec<u64>,
    /// Where each point stands on each axis.
    pub points: Vec<Vec<String>>,
    /// Metrics that are mapped, as written.
    pub maps: Vec<String>,
    /// Whether there are pictures.
    pub plots: bool,
    /// Which part of the sweep this is, and of how many; absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Whether every trial is done.
    pub complete: bool,
}

/// A part of a sweep: every n-th point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl Shard {
    /// Whether a point belongs to it. Points are dealt like cards, and each round begins with another shard:
    /// so none gets the same place of the last axis, which may be a slow one, in every round.
    pub fn has(self, point: usize) -> bool {
        (point + point / self.of) % self.of == self.number - 1
    }
}

impl Manifest {
    /// A manifest of this program.
    pub fn new(header: Header, scenario: Vec<String>, scenario_sha256: String) -> Manifest {
        Manifest {
            tool: "herdsim".to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            build: crate::BUILD.to_owned(),
            kind: KIND.to_owned(),
            schema_version: SCHEMA_VERSION,
            header,
            scenario,
            scenario_sha256,
            mode: Mode::Grid,
            axes: vec![],
            variants: vec![],
            seeds: vec![],
            points: vec![],
            maps: vec![],
            plots: true,
            shard: None,
            complete: false,
        }
    }

    /// Every trial: its number, point and seed; of a shard, its own.
    pub fn trials(&self) -> Vec<(usize, usize, u64)> {
        let points = (0..self.points.len()).filter(|point| self.shard.is_none_or(|shard| shard.has(*point)));
        let seeds = |point: usize| {
            let number = point * self.seeds.len();
            self.seeds.iter().enumerate().map(move |(place, seed)| (number + place, point, *seed))
        };
        points.flat_map(seeds).collect()
    }

    /// The first thing in which another sweep is not the same, in words; how it is drawn does not count.
    pub fn difference(&self, other: &Manifest) -> Option<String> {
        let whole = |manifest: &Manifest| serde_json::to_value(manifest).unwrap_or_default();
        let (ours, theirs) = (whole(self), whole(other));
        let what = [
            ("tool_version", "version of herdsim"),
            ("build", "build of herdsim"),
            ("schema_version", "version of the layout"),
            ("scenario_sha256", "scenario"),
            ("mode", "mode"),
            ("axes", "axes"),
            ("points", "points"),
            ("variants", "variants"),
            ("seeds", "seeds"),
        ];
        let differs = what.into_iter().find(|(key, _)| ours[*key] != theirs[*key]);
        differs.map(|(key, name)| match key {
            "axes" | "points" => format!("other {name}"),
            _ => format!("{name}: {} there, {} here", short(&theirs[key]), short(&ours[key])),
        })
    }
}

/// A value in a message: hashes by their beginning.
fn short(value: &Value) -> String {
    match value.as_str() {
        Some(text) if text.len() > 12 => text[..12].to_owned(),
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}

/// What is kept of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Trial {
    /// The scenario at its point, as a hash.
    scenario_sha256: String,
    /// Its runs, one for each variant.
    runs: Vec<PointRun>,
}

/// A scenario in full, under each of some variants, as a hash; its sweep and its seeds do not count.
pub fn fingerprint<'a>(scenarios: impl IntoIterator<Item = &'a Scenario>) -> String {
    let mut hash = Sha256::new();
    for scenario in scenarios {
        let file = File { sweep: None, seeds: vec![], ..(*scenario.file).clone() };
        // The grammar's structs have string keys and finite numbers only, so that they are always JSON.
        hash.update(serde_json::to_vec(&(&scenario.variant, &file)).unwrap_or_default());
        for (name, table) in &scenario.tables {
            let rows: Vec<Vec<u64>> =
                table.rows.iter().map(|row| row.iter().map(|number| number.to_bits()).collect()).collect();
            hash.update(serde_json::to_vec(&(name, &table.header, rows)).unwrap_or_default());
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The directory of a sweep.
#[derive(Clone, Debug)]
pub struct Ledger {
    dir: PathBuf,
}

impl Ledger {
    /// A new one, in place of whatever stands there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(dir: &Path, manifest: &Manifest) -> Result<Ledger, ReportError> {
        let ledger = Ledger { dir: dir.canonicalize().unwrap_or_else(|_| dir.to_owned()) };
        // The directory itself stays, for it may be a mounted one; and its manifest, which is replaced: by it
        // the directory is known as ours at every moment.
        for entry in fs::read_dir(&ledger.dir).into_iter().flatten().filter_map(Result::ok) {
            if entry.file_name() != MANIFEST {
                remove(&entry.path())?;
            }
        }
        ledger.write_manifest(manifest)?;
        Ok(ledger)
    }

    /// One that stands there; `None` if there is none.
    ///
    /// # Errors
    /// What stands there is not a sweep, or is damaged.
    pub fn open(dir: &Path) -> Result<Option<(Ledger, Manifest)>, ReportError> {
        let path = dir.join(MANIFEST);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let whole: Value = serde_json::from_str(&text).map_err(|error| damaged(&path, error))?;
        if whole["tool"] != "herdsim" || whole["kind"] != KIND {
            return Err(ReportError::NotASweep(dir.to_owned()));
        }
        let version = whole["schema_version"].as_u64().unwrap_or_default();
        if version > SCHEMA_VERSION {
            return Err(ReportError::Newer { path, version });
        }
        let manifest: Manifest = serde_json::from_value(whole).map_err(|error| damaged(&path, error))?;
        let sound =
            !manifest.seeds.is_empty() && manifest.shard.is_none_or(|s| s.number >= 1 && s.number <= s.of);
        if !sound {
            return Err(damaged(&path, "no seeds, or an impossible shard"));
        }
        Ok(Some((Ledger { dir: dir.to_owned() }, manifest)))
    }

    fn path(&self, number: usize) -> PathBuf {
        self.dir.join(RUNS).join(format!("{number:06}.json"))
    }

    /// Whether a trial is done.
    pub fn has(&self, number: usize) -> bool {
        self.path(number).is_file()
    }

    /// Keeps what a trial showed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(
        &self,
        number: usize,
        scenario_sha256: String,
        runs: Vec<PointRun>,
    ) -> Result<(), ReportError> {
        let path = self.path(number);
        let trial = serde_json::to_string(&Trial { scenario_sha256, runs });
        put(&path, (trial.map_err(|error| damaged(&path, error))? + "\n").as_bytes())
    }

    /// The hash of the scenario that a trial was of.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn scenario_of(&self, number: usize) -> Result<String, ReportError> {
        Ok(self.read(number)?.scenario_sha256)
    }

    /// What every trial showed, trial by trial.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn cells(&self, trials: &[(usize, usize, u64)]) -> Result<Vec<PointRun>, ReportError> {
        let mut cells = Vec::new();
        for (number, point, seed) in trials {
            let runs = self.read(*number)?.runs;
            if runs.iter().any(|cell| (cell.point, cell.seed) != (*point, *seed)) {
                return Err(damaged(&self.path(*number), "it is of another point or seed"));
            }
            cells.extend(runs);
        }
        Ok(cells)
    }

    fn read(&self, number: usize) -> Result<Trial, ReportError> {
        let path = self.path(number);
        let text = fs::read_to_string(&path).map_err(io(&path))?;
        serde_json::from_str(&text)
            .map_err(|error| damaged(&path, format!("{error}; remove it, and do it again")))
    }

    /// Takes a trial of another directory.
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn adopt(&self, other: &Ledger, number: usize) -> Result<(), ReportError> {
        let bytes = fs::read(other.path(number)).map_err(io(&other.path(number)))?;
        put(&self.path(number), &bytes)
    }

    /// Writes tables and pictures, and last the manifest; what a killed program left half-written goes.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn close(&self, manifest: &Manifest, files: &[(String, Vec<u8>)]) -> Result<(), ReportError> {
        for folder in [self.dir.clone(), self.dir.join(RUNS), self.dir.join("plots")] {
            for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
                if entry.file_name().to_string_lossy().starts_with('.') {
                    remove(&entry.path())?;
                }
            }
        }
        for (name, bytes) in files {
            put(&self.dir.join(name), bytes)?;
        }
        self.write_manifest(manifest)
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<(), ReportError> {
        let path = self.dir.join(MANIFEST);
        let text = serde_json::to_string_pretty(manifest).map_err(|error| damaged(&path, error))?;
        put(&path, (text + "\n").as_bytes())
    }
}

/// Writes a file whole or not at all.
fn put(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(io(parent))?;
    }
    whole::write(path, bytes).map_err(io(path))
}

fn remove(path: &Path) -> Result<(), ReportError> {
    let gone =
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    gone.map_err(io(path))
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> ReportError {
    let path = path.to_owned();
    move |source| ReportError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_dealt_evenly_and_never_along_an_axis() {
        let shards: Vec<Shard> = (1..=4).map(|number| Shard { number, of: 4 }).collect();
        // A grid of four rows; each column is equally slow.
        let columns =
            |shard: &Shard| (0..16).filter(|point| shard.has(*point)).map(|point| point % 4).collect();
        for shard in &shards {
            let mut columns: Vec<usize> = columns(shard);
            columns.sort_unstable();
            assert_eq!(columns, [0, 1, 2, 3], "{shard:?}");
        }
        let owners = |point: usize| shards.iter().filter(|shard| shard.has(point)).count();
        assert!((0..100).all(|point| owners(point) == 1));
    }

    #[test]
    fn what_stands_in_the_way_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Ledger::open(dir.path()), Ok(None)));
        fs::write(dir.path().join(MANIFEST), r#"{ "tool": "herdsim", "kind": "find" }"#).unwrap();
        assert!(matches!(Ledger::open(dir.path()), Err(ReportError::NotASweep(_))));
        fs::write(
            dir.path().join(MANIFEST),
            r#"{ "tool": "herdsim", "kind": "sweep", "schema_version": 1 }"#,
        )
        .unwrap();
        assert!(matches!(Ledger::open(dir.path()), Err(ReportError::Damaged { .. })));
    }
}
