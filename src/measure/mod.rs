//! Floor 3: numbers from facts.
//!
//! The model says what happened (`model::fact`); this floor counts it, sorts it into bins and tells the herd
//! from the queue. [`Measured`] is everything that one run showed; reports and verdicts read nothing else.
//! Histograms are merged, percentiles are never averaged.

mod before;
pub mod bucket;
pub mod calm;
mod closeup;
pub mod gain;
pub mod gauges;
pub mod herd;
pub mod latency;
mod levels;
pub mod lifetime;
pub mod outage;
pub mod periodogram;
pub mod phases;
pub mod recorder;
pub mod recovery;
pub mod recycles;
pub mod snapshot;
pub mod spikes;
pub mod storms;
mod stretches;
pub mod summary;
pub mod trace;

pub use crate::scenario::window::BIN;
pub use stretches::{Stretch, StretchKind};

use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Cause, Label, Outcome};
use hdrhistogram::Histogram;

/// How many outcomes there are.
pub const OUTCOMES: usize = Outcome::ALL.len();
/// The place behind those of all outcomes: what is unanswered at the end of a run.
pub const UNANSWERED: usize = OUTCOMES;
/// How many causes of a backend start there are.
pub const CAUSES: usize = Cause::ALL.len();
/// The sliding second of herds, and the grain of their counts.
pub const SECOND: Span = Span::from_secs(1);

/// The beginning of the bin at this place of a series.
pub fn bin_start(place: usize) -> Time {
    Time::ZERO + BIN * place as u64
}

/// Everything that one run showed.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Simulated time.
    pub duration: Span,
    /// One for each request class and label that traffic brings, in file order.
    pub classes: Vec<ClassMeasured>,
    /// One for each service, in file order.
    pub services: Vec<ServiceMeasured>,
    /// One for each Postgres node, in file order.
    pub nodes: Vec<NodeMeasured>,
    /// Gauges over time.
    pub levels: Vec<LevelSeries>,
    /// The telling gauges second by second, around storms.
    pub closeups: Vec<CloseUp>,
    /// The same gauges as a monitoring system would have shown them.
    pub dashboard: Vec<ScrapedSeries>,
    /// Storms of backend starts, by the time of their peaks.
    pub storms: Vec<Storm>,
    /// Latency spikes, in order of time.
    pub spikes: Vec<Spike>,
    /// How the latency came back after each event that ended.
    pub recoveries: Vec<Recovery>,
    /// Beginnings and ends of events.
    pub marks: Vec<Mark>,
    /// When something was not as usual, by the beginnings.
    pub stretches: Vec<Stretch>,
}

/// What one request class of one label showed.
#[derive(Clone, Debug)]
pub struct ClassMeasured {
    /// The request class.
    pub class: String,
    /// Whose requests.
    pub label: Label,
    /// The service that works on it.
    pub service: String,
    /// Requests that arrived, retries included.
    pub arrived: u64,
    /// Requests that ended, by outcome (in the order of [`Outcome::ALL`]).
    pub ended: [u64; OUTCOMES],
    /// Requests still under way at the end.
    pub in_flight: u64,
    /// Clients' wishes: a first request with its retries.
    pub users: UserCounts,
    /// Latency in microseconds from the intended arrival to the end, by outcome, and for how long what is
    /// [`UNANSWERED`] has been under way; `None` where there is nothing such.
    pub latency_us: Vec<Option<Histogram<u64>>>,
    /// By time of the end, one for each [`BIN`].
    pub bins: Vec<ClassBin>,
    /// Who served the requests that ended `ok`; empty for a class that is served from one place only.
    pub served: Vec<Served>,
}

/// What one of several served of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The Postgres node, or `edge`.
    pub by: String,
    /// Requests that it served, one for each [`BIN`].
    pub bins: Vec<u32>,
}

/// Users' wishes by how they ended, after retries and within patience.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserCounts {
    /// Wishes that began.
    pub arrived: u64,
    /// Wishes that a response fulfilled.
    pub succeeded: u64,
    /// Wishes that were given up, or whose request is [unanswered](ClassBin::unanswered).
    pub failed: u64,
}

/// One time bin of a request class.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassBin {
    /// Requests that arrived in it.
    pub arrived: u32,
    /// Requests that ended in it, by outcome.
    pub ended: [u32; OUTCOMES],
    /// Wishes that a response fulfilled in it.
    pub fulfilled: u32,
    /// Wishes that were given up in it, and those of its unanswered requests.
    pub given_up: u32,
    /// Requests that arrived in it and are still under way at the end of the run, for longer than any of the
    /// class took to be answered well: the end has cut off their failure.
    pub unanswered: u32,
    /// Latency of the requests that ended in it, whatever the outcome, in the last with what the unanswered
    /// have taken so far; `None` if none did.
    pub latency: Option<Quantiles>,
    /// The same by latency in microseconds: (latency, how many), ascending. Kept where an expectation asks
    /// for a percentile of the class, so that those of any window can be told; empty otherwise.
    pub counts: Vec<(u32, u32)>,
    /// The same in all its outcomes by latency bucket: (place of the outcome, bucket, count), ascending, none
    /// of the counts zero; [`UNANSWERED`] last. See [`bucket`].
    pub buckets: Vec<(u8, u16, u32)>,
}

impl ClassMeasured {
    /// Requests that are unanswered at the end.
    pub fn unanswered(&self) -> u64 {
        self.bins.iter().map(|bin| u64::from(bin.unanswered)).sum()
    }
}

/// Latency quantiles of a bin, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantiles {
    /// The median.
    pub p50_us: u64,
    /// The 95th percentile.
    pub p95_us: u64,
    /// The 99th percentile.
    pub p99_us: u64,
    /// The greatest.
    pub max_us: u64,
}

/// What one service showed: its classes together.
#[derive(Clone, Debug)]
pub struct ServiceMeasured {
    /// The service.
    pub service: String,
    /// The Postgres nodes that it has pools to.
    pub nodes: Vec<String>,
    /// By time of the end, one for each [`BIN`].
    pub bins: Vec<ServiceBin>,
}

/// One time bin of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceBin {
    /// Latency of all requests that ended in it.
    pub latency: Option<Quantiles>,
    /// The 99th percentile over the legitimate ones, in microseconds.
    pub users_p99_us: Option<u64>,
}

/// What one Postgres node showed.
#[derive(Clone, Debug)]
pub struct NodeMeasured {
    /// The node.
    pub node: String,
    /// The lifetime of the pool with the most connections to it, at the start of the run.
    pub lifetime: Option<Span>,
    /// Backends that were started, by measured cause (in the order of [`Cause::ALL`]).
    pub starts: [u64; CAUSES],
    /// How many connections it takes: `max_connections` less the reserved.
    pub slots: u32,
    /// Connections that found no slot.
    pub refused: u64,
    /// Backend starts in each whole second of the run, by cause.
    pub starts_per_s: Vec<[u32; CAUSES]>,
    /// One for each [`BIN`].
    pub bins: Vec<HerdBin>,
    /// One for each lifetime that has passed.
    pub cycles: Vec<Cycle>,
    /// How much a cluster of starts grows in a lifetime, by the kick test; `None` where nobody asked for it.
    /// See [`gain::KickWatch`].
    pub herd_gain: Option<f64>,
}

/// The herd within one time bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HerdBin {
    /// The most starts in any second that ends in this bin, by cause.
    pub connects_max_1s: [u32; CAUSES],
    /// The same over all causes.
    pub connects_max_1s_all: u32,
    /// `connects_max_1s` as a share of the connections open just before (the most in the minute before), by
    /// cause.
    pub herd_size: [f64; CAUSES],
    /// The same over all causes.
    pub herd_size_all: f64,
    /// Connections that found no slot.
    pub refused: u32,
}

/// Births on the lifetime clock, over one lifetime.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cycle {
    /// Its beginning.
    pub from: Time,
    /// Backends started in it.
    pub births: u64,
    /// |mean e^{2πi·birth/L}|: 1 if all were born at one instant.
    pub phase_lock_r1: f64,
    /// The same at twice the frequency: finds two opposite groups.
    pub phase_lock_r2: f64,
    /// Rayleigh p-value of `phase_lock_r1`: how likely unrelated births look so locked.
    pub rayleigh_p: f64,
    /// The most births within any 1 % of the lifetime, as a share.
    pub largest_cluster_1pct: f64,
    /// Variance over mean of the starts in a second: 1 if unrelated.
    pub fano: f64,
}

/// A gauge over time.
#[derive(Clone, Debug)]
pub struct LevelSeries {
    /// The gauge: `in_flight`, `pending`, `open`, `idle`, `in_use`, `dialling`, `waiting`, `backends`,
    /// `active`, `grant_queue`, `cpu_busy` (share of the cores), `containers`; of a scaled service `cap`; of
    /// a node where there ever were any `lock_waiters`, `disk_waiters`, `job_sessions`, `replica_lag`
    /// (seconds: the age of the latest commit that it replayed); of a pooler `clients`.
    pub level: &'static str,
    /// What it is of: `service.NAME`, `service.NAME.pool.NODE` (summed over containers), `postgres.NAME`,
    /// `postgres.NAME.pooler`, `postgres.NAME.pooler.pool`.
    pub of: String,
    /// One for each [`BIN`].
    pub bins: Vec<LevelBin>,
}

/// A gauge second by second, from half a minute before the peak of each storm to a minute after it.
#[derive(Clone, Debug, PartialEq)]
pub struct CloseUp {
    /// The gauge, as in [`LevelSeries`]: `active`, `grant_queue`, `backends`, `in_flight` or `waiting`.
    pub level: &'static str,
    /// What it is of, as in [`LevelSeries`].
    pub of: String,
    /// The number of each whole second from the start of the run, ascending, and the gauge within it.
    pub seconds: Vec<(u64, LevelBin)>,
}

/// A gauge within one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LevelBin {
    /// The least value.
    pub min: f64,
    /// The mean over time.
    pub mean: f64,
    /// The greatest value.
    pub max: f64,
}

/// A gauge as a monitoring system that scrapes every 60 s would have shown it.
#[derive(Clone, Debug)]
pub struct ScrapedSeries {
    /// The gauge, as in [`LevelSeries`], or `connects_per_s` (a counter's mean rate over the scrape
    /// interval).
    pub level: &'static str,
    /// What it is of.
    pub of: String,
    /// Time of the scrape and the value then.
    pub samples: Vec<(Time, f64)>,
}

/// A stretch in which the starts of one cause in a sliding second reach a tenth of the open connections; what
/// comes again within 30 s is of the same storm.
#[derive(Clone, Debug, PartialEq)]
pub struct Storm {
    /// The Postgres node.
    pub node: String,
    /// Why its backends were started, as measured.
    pub cause: Cause,
    /// When a sliding second first reached a tenth.
    pub from: Time,
    /// When one last did.
    pub to: Time,
    /// The end of the second with the most starts.
    pub at: Time,
    /// The most starts in a sliding second.
    pub starts: u32,
    /// The most as a share of the connections open just before.
    pub share: f64,
}

/// A stretch of bins whose p99 exceeds ten times the calm p99 of the run; see [`calm`].
#[derive(Clone, Debug, PartialEq)]
pub struct Spike {
    /// The service.
    pub service: String,
    /// Its first instant.
    pub from: Time,
    /// Its last instant.
    pub to: Time,
    /// The highest p99 in it, in microseconds.
    pub p99_us: u64,
    /// The storms, jobs and events that overlap it: `lifetime`, `growth`, `job.NAME`, `event.NAME`.
    pub beside: Vec<String>,
    /// The largest storm of cause `lifetime` beside it, if there is one: then it is a recycle spike.
    pub recycle: Option<Recycle>,
}

/// The storm of cause `lifetime` beside a spike: where it was and, sharper than the spike's bins, when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recycle {
    /// The Postgres node.
    pub node: String,
    /// The storm's peak.
    pub at: Time,
}

/// How a service came back after an event; see [`recovery`].
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// The event that ended, or whose deed was done, as `event.NAME`.
    pub event: String,
    /// The service.
    pub service: String,
    /// From the end of the event until it served as before; `None`: not before the next event or the end
    /// of the run.
    pub after: Option<Span>,
}

/// The beginning or the end of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Time,
    /// The event's name.
    pub event: String,
    /// True at its beginning.
    pub begins: bool,
}

/// One line of `summary.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// The metric, such as `herd_size`.
    pub metric: &'static str,
    /// What it is of, such as `postgres.primary`.
    pub of: String,
    /// The cause or outcome that it is narrowed to; empty for all.
    pub cause: &'static str,
    /// `max`, `p99`, `count`, `share`, ….
    pub stat: &'static str,
    /// The value; NaN where there are no samples.
    pub value: f64,
    /// Its unit: `s`, `ms`, `share`, `count`, `per_s`, `ratio`.
    pub unit: &'static str,
}
