//! What `inspect` says of a snapshot of real connections: words, data and a small chart.
//!
//! The words are for somebody who was woken up: the verdict first, then what it rests on, then what comes
//! next. `words` finds them, [`text`] sets them beside figures and the chart, [`json`] gives the same to
//! programs. All times are UTC.

pub mod chart;
pub mod json;
pub mod text;
mod words;

pub use words::verdict;

use crate::engine::time::{Span, Time};
use crate::measure::snapshot::Snapshot;

/// The layout of [`json::json`].
pub const SCHEMA_VERSION: u32 = 1;

/// How a snapshot came about, as far as the reader must know.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// Where `now` comes from.
    pub now_from: NowFrom,
    /// Rows that are no client's connection, or that may not be seen.
    pub left_out: usize,
    /// Whether the `psql` that asked was among the rows; it is not counted.
    pub asker: bool,
    /// The application that the snapshot was narrowed to.
    pub application: Option<String>,
    /// Connects a second that the database bears.
    pub rate: f64,
}

/// Where the instant of the snapshot comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NowFrom {
    /// The command line.
    Option,
    /// The column `now`.
    Column,
    /// The newest `backend_start`.
    Newest,
}

impl NowFrom {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            NowFrom::Option => "--now",
            NowFrom::Column => "the column now",
            NowFrom::Newest => "the newest backend_start",
        }
    }
}

/// Shorter lifetimes may be the time that a rollout took: without `now` the newest connection is as old as
/// nothing, and then nobody can tell its end from the snapshot.
const ROLLOUT: Span = Span::from_secs(600);

/// Whether the ages may only be those of a rollout that ended when it ended: they are as even as those of a
/// pool that has long been turning over.
pub fn may_be_a_rollout(seen: &Snapshot, about: &About) -> bool {
    about.now_from == NowFrom::Newest && seen.lifetime.span() < ROLLOUT
}

/// Calendar time of an instant that is counted since 1970.
pub fn calendar(at: Time) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_nanosecond(i128::from(at.0)).ok()
}

/// The time of day, with the date where it is not that of `now`.
fn clock(at: Time, now: Time) -> String {
    let civil = |at: Time| calendar(at).map(|at| jiff::tz::Offset::UTC.to_datetime(at));
    match civil(at) {
        Some(at) if civil(now).is_some_and(|now| at.date() == now.date()) => {
            at.strftime("%H:%M:%S").to_string()
        }
        at => at.map_or_else(String::new, |at| at.strftime("%d %b %H:%M:%S").to_string()),
    }
}

/// The date and the time of day.
fn dated(at: Time) -> String {
    let civil = calendar(at).map(|at| jiff::tz::Offset::UTC.to_datetime(at));
    civil.map_or_else(String::new, |at| at.strftime("%d %b %Y %H:%M:%S").to_string())
}

/// A duration as people say it: tenths of a second below a minute.
fn span(span: Span) -> String {
    let seconds = span.as_secs();
    super::human::offset(if seconds < 60.0 { (seconds * 10.0).round() / 10.0 } else { seconds })
}

/// A probability.
fn chance(p: f64) -> String {
    match p {
        p if p < 1e-9 => "p < 1e-9".to_owned(),
        p if p < 0.001 => format!("p = {p:.0e}"),
        p if p > 0.995 => "p = 1".to_owned(),
        p => format!("p = {p:.2}", p = if p < 0.01 { 0.01 } else { p }),
    }
}

#[cfg(test)]
mod tests;
