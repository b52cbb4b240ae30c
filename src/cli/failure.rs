//! How a verb may end other than well, and the exit code that says so.

use crate::report::ReportError;
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;

/// Why a verb did not end with exit code 0.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line asks for something that does not exist, or the input is not what it should be.
    #[error("{0}")]
    Usage(String),
    /// The scenario has problems; they have been shown.
    #[error("{} with problems", crate::report::human::plural(*.0, "scenario"))]
    Scenario(usize),
    /// A file could not be read or written, or not every run was finished.
    #[error("{0}")]
    Io(String),
    /// Expectations that failed or are inconclusive; they have been shown.
    #[error("{failed} of {judged} expectations did not pass")]
    Expectation {
        /// How many did not pass.
        failed: usize,
        /// How many were judged.
        judged: usize,
    },
    /// Real connections are bunched, or nobody can tell, where that was to fail.
    #[error("--fail-if-bunched: {0}")]
    Bunched(&'static str),
    /// No value of the range does.
    #[error("--find: no value of the range was found to do")]
    NotFound,
    /// Ctrl-C or SIGTERM; what was finished is kept.
    #[error("interrupted: only finished runs were kept, and what was written says `complete`: false")]
    Interrupted,
    /// Ctrl-C or SIGTERM before anything was finished.
    #[error("interrupted before a run was finished: nothing was written")]
    Abandoned,
}

impl Failure {
    /// A file that could not be read or written.
    pub fn io(doing: &str, path: &Path, error: impl Display) -> Failure {
        Failure::Io(format!("cannot {doing} `{}`: {error}", path.display()))
    }

    /// An input that could not be read: who names one that is not there has made a mistake.
    pub fn input(path: &Path, error: std::io::Error) -> Failure {
        match error.kind() {
            ErrorKind::NotFound => Failure::Usage(format!("cannot read `{}`: {error}", path.display())),
            _ => Failure::io("read", path, error),
        }
    }

    /// A run directory that could not be read, or is none.
    pub fn directory(error: ReportError) -> Failure {
        match error {
            ReportError::Absent(_) | ReportError::NotARun(_) | ReportError::OfAnotherKind { .. } => {
                Failure::Usage(error.to_string())
            }
            _ => Failure::Io(error.to_string()),
        }
    }

    /// The process's exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Expectation { .. } | Failure::Bunched(_) | Failure::NotFound => 1,
            Failure::Usage(_) | Failure::Scenario(_) => 2,
            Failure::Io(_) => 3,
            Failure::Interrupted | Failure::Abandoned => 130,
        }
    }
}
