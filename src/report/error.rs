//! Why paper could not be written or read.

use super::SCHEMA_VERSION;
use std::path::{Path, PathBuf};

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
    /// A file that no command of ours wrote stands in the directory.
    #[error("{path} is not ours, and would be lost: name another directory with `-o`, or move it", path = .0.display())]
    Foreign(PathBuf),
    /// There is nothing to be read.
    #[error("there is no `{path}`: name a directory that `run` or `compare` wrote (`-o`)", path = .0.display())]
    Absent(PathBuf),
    /// There is no run to be read.
    #[error("{path} is not a run directory: it has no manifest.json (`run` and `compare` write one with `-o`)", path = .0.display())]
    NotARun(PathBuf),
    /// There is something else than a sweep.
    #[error("{path} is not the directory of a sweep: name another", path = .0.display())]
    NotASweep(PathBuf),
    /// What is there is ours, and no run.
    #[error("{path} is the directory of a {kind}, which is not drawn again: name one that `run` or `compare` wrote", path = path.display())]
    OfAnotherKind {
        /// The directory.
        path: PathBuf,
        /// What it holds.
        kind: String,
    },
    /// It was written by a newer version of this program.
    #[error("{path} has schema version {version}, and this program reads up to {SCHEMA_VERSION}: use the version that wrote it", path = path.display())]
    Newer {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// A file was written by another version of this program, with another layout.
    #[error("{path}: {reason}", path = path.display())]
    OfAnotherVersion {
        /// The file.
        path: PathBuf,
        /// Which version, and the cure.
        reason: String,
    },
    /// A file that belongs to a run is not there.
    #[error("{path} is missing: run the scenario again", path = .0.display())]
    Missing(PathBuf),
    /// A file is not what it should be.
    #[error("{path} is damaged: {reason}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The error of a file that is not what it should be.
pub(super) fn damaged(path: &Path, reason: impl ToString) -> ReportError {
    ReportError::Damaged { path: path.to_owned(), reason: reason.to_string() }
}
