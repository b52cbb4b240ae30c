//! Floor 5: paper. Tables, pictures and files from what runs showed.
//!
//! Everything here is a pure function of [`Header`] and [`Run`](crate::experiment::Run)s, except
//! [`directory`], which writes and reads run directories, and [`inspect`], which is about real connections.
//! A header is the little that paper needs of a scenario, so that `report` can draw a stored run again
//! without its scenario.

pub mod apart;
pub mod archive;
mod births;
pub mod canvas;
mod compare;
pub mod csv;
pub mod directory;
pub mod effects;
mod error;
mod expectations;
pub mod explain;
pub mod find;
mod font;
pub mod github;
pub mod human;
pub mod inspect;
pub mod junit;
pub mod ledger;
pub mod load;
pub mod matrix;
pub mod openmetrics;
mod outage;
pub mod page;
pub mod paired;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod plot;
mod rates;
mod success;
pub mod sweep;
pub mod terminal;
pub mod tested;
pub mod text;
pub mod trace;
pub mod whole;

#[cfg(test)]
mod synthetic;
#[cfg(test)]
mod synthetic_outage;

pub use directory::{Paper, write};
pub use error::ReportError;
pub use load::{Loaded, load, redraw};

use crate::scenario::Scenario;
use serde::{Deserialize, Serialize};

/// The version of the run directory's layout.
pub const SCHEMA_VERSION: u64 = 1;

/// That layout as a JSON schema: a definition for each file that programs may read, and for what verbs print
/// as JSON. Not among them: `measured.json` and a sweep's `runs/`, which only this program reads, and traces,
/// whose format is Perfetto's.
pub const OUTPUT_SCHEMA: &str = include_str!("../../schema/output.schema.json");

/// What paper needs to know of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The scenario's short name, the first key column of every table: the file's name without its extension.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// What it is to answer.
    pub question: String,
    /// Calendar time of the first instant, RFC 3339, if it has one.
    pub start: Option<String>,
}

impl Header {
    /// The header of a scenario whose short name is `name`.
    pub fn of(name: &str, scenario: &Scenario) -> Header {
        Header {
            scenario: name.to_owned(),
            title: scenario.file.title.clone(),
            question: scenario.file.question.clone(),
            start: scenario.file.start.as_ref().map(|start| start.0.clone()),
        }
    }

    /// The header of several scenarios as one; what they do not share is named (titles) or left out.
    pub fn of_several(name: &str, all: &[&Header]) -> Header {
        let mut titles: Vec<&str> = all.iter().map(|header| header.title.as_str()).collect();
        titles.dedup();
        let shared = |same: bool| all.first().filter(|_| same);
        let question = shared(all.windows(2).all(|two| two[0].question == two[1].question));
        let start = shared(all.windows(2).all(|two| two[0].start == two[1].start));
        Header {
            scenario: name.to_owned(),
            title: titles.join(" · "),
            question: question.map_or_else(String::new, |header| header.question.clone()),
            start: start.and_then(|header| header.start.clone()),
        }
    }

    /// Calendar time of the first instant. A date-time without an offset counts as UTC.
    pub fn start(&self) -> Option<jiff::Timestamp> {
        let text = self.start.as_deref()?;
        let civil = || text.parse::<jiff::civil::DateTime>().ok();
        let utc = || jiff::tz::Offset::UTC.to_timestamp(civil()?).ok();
        text.parse::<jiff::Timestamp>().ok().or_else(utc)
    }

    /// Calendar time of an instant, if the scenario has a start.
    pub fn utc(&self, seconds: f64) -> Option<jiff::Timestamp> {
        let nanos = (seconds * 1e9).round() as i64;
        self.start()?.checked_add(jiff::SignedDuration::from_nanos(nanos)).ok()
    }
}
