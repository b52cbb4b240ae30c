//! Floor 4: many runs.

mod batch;
mod claim;
pub mod effect;
pub mod expect;
pub mod explain;
pub mod harm;
pub mod kick;
pub mod paired;
mod run;
pub mod statistics;
pub mod sweep;
pub mod trace;

pub use batch::{run_all, run_by_seed, run_each};
pub use run::{record, run};

use crate::measure::Measured;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One run: a variant and a seed, and what they showed.
#[derive(Clone, Debug)]
pub struct Run {
    /// The variant's name.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// What the run showed.
    pub measured: Measured,
}

/// The verdict on an expectation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It held with every seed, or with the share of all seeds that is asked for.
    Pass,
    /// It failed with every seed, or with more of all seeds than is asked for.
    Fail,
    /// It held with some seeds only, or there was nothing to judge.
    #[default]
    Inconclusive,
}

/// An expectation, judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Its variant.
    pub variant: String,
    /// Where it stands, if somebody wrote it into a file.
    pub place: Option<WrittenAt>,
    /// What it says, in words: `herd_size{lifetime} of postgres.primary after 1h ≤ 5%`.
    pub claim: String,
    /// The unit of the values.
    pub unit: &'static str,
    /// The least that the value may be.
    pub min: Option<ResolvedBound>,
    /// The most that the value may be.
    pub max: Option<ResolvedBound>,
    /// The value with each seed, in order; NaN where there were no samples.
    pub values: Vec<f64>,
    /// With how many of the seeds the value kept within the bounds.
    pub held: usize,
    /// With which share of all seeds it must hold; every one that was run where none is named.
    pub share: Option<f64>,
    /// The variant that must not keep within the bounds, if there is one.
    pub control: Option<String>,
    /// What it shows with each seed, in order; NaN where that is nothing. Empty where it was not run.
    pub control_values: Vec<f64>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where it is not plain from the values.
    pub because: String,
}

impl Judged {
    /// Whether there is a value with any seed. Where there is none, no further seed is likely to tell.
    pub fn is_measured(&self) -> bool {
        self.values.iter().any(|value| !value.is_nan())
    }
}

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenAt {
    /// The file, as it was named on the command line.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl fmt::Display for WrittenAt {
    /// `fleet.toml:12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A bound of an expectation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResolvedBound {
    /// In words: `5%`, `1.3 × variant.as-it-happened`.
    pub words: String,
    /// In the unit of the values; NaN where it is another with each seed.
    pub value: f64,
    /// Of one that is relative to another variant: what it came to.
    pub against: Option<Against>,
}

/// What a bound came to that is relative to another variant, with each seed, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Against {
    /// The other variant.
    pub variant: String,
    /// What it showed; NaN where nothing.
    pub values: Vec<f64>,
    /// The bound that follows; NaN where none does.
    pub limits: Vec<f64>,
}
