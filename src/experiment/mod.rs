//! Floor 4: many runs.

mod batch;
pub mod effect;
pub mod expect;
pub mod explain;
pub mod kick;
pub mod paired;
mod run;
pub mod statistics;
pub mod sweep;
pub mod trace;

pub use batch::run_all;
pub use run::{record, run};

use crate::measure::Measured;
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It held with every seed.
    Pass,
    /// It failed with every seed.
    Fail,
    /// It held with some seeds only, or there was nothing to judge.
    Inconclusive,
}

/// An expectation, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Its variant.
    pub variant: String,
    /// What it says, in words: `herd_size{lifetime} of postgres.primary after 1h ≤ 5%`.
    pub claim: String,
    /// The unit of the values.
    pub unit: &'static str,
    /// The value with each seed, in order; NaN where there were no samples.
    pub values: Vec<f64>,
    /// The variant that must not keep within the bounds, if there is one.
    pub control: Option<String>,
    /// What it shows with each seed, in order; NaN where it never happens. Empty where it was not run.
    pub control_values: Vec<f64>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where it is not plain from the values.
    pub because: String,
}
