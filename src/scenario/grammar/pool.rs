//! A connection pool inside a container, with the switches that tell the libraries apart (pools.md §5).

use super::yes;
use crate::engine::time::Span;
use crate::scenario::units::Limit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A connection pool inside a container (pools.md §1 and §5). A `preset` sets what the file leaves out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The library whose behaviour fills in what is not said here.
    #[serde(default)]
    pub preset: Preset,
    /// The most connections.
    #[schemars(range(min = 1, max = 100_000))]
    pub max: u32,
    /// Refill floor: the pool keeps at least so many.
    #[serde(default)]
    pub min: u32,
    /// The most idle connections; a released one beyond it is closed. Absent: as `max`.
    #[serde(default)]
    pub max_idle: Option<u32>,
    /// How long a request may wait for a connection; then `pool-timeout`.
    #[serde(default)]
    pub acquire_timeout: Limit,
    /// How long a request waits for one statement; then it cancels it and destroys the connection:
    /// `query-timeout`.
    #[serde(default)]
    pub query_timeout: Limit,
    /// How long a dial may take.
    #[serde(default)]
    pub connect_timeout: Limit,
    /// Who is served first when a connection comes free.
    #[serde(default)]
    pub queue: Queue,
    /// Which idle connection is handed out.
    #[serde(default)]
    pub idle_pick: IdlePick,
    /// Ping a connection that was idle for longer before handing it out; one more round trip.
    #[serde(default)]
    pub ping_after: Limit,
    /// How often an acquirer may find an expired connection and try the next before a new one is forced;
    /// absent: no limit.
    #[serde(default)]
    pub expired_retries: Option<u32>,
    /// Who dials for waiters when the pool is full and a slot comes free.
    #[serde(default)]
    pub dialler: Dialler,
    /// What becomes of a dial whose request gives up.
    #[serde(default)]
    pub on_cancel: OnCancel,
    /// Which instant counts as a connection's birth.
    #[serde(default)]
    pub birth: Birth,
    /// Age at which a connection is to be replaced.
    #[serde(default)]
    pub max_lifetime: Limit,
    /// Width of the random part of the lifetime.
    #[serde(default)]
    pub max_lifetime_jitter: Span,
    /// Where the random part lies.
    #[serde(default)]
    pub jitter_shape: JitterShape,
    /// What shares one draw of the random part.
    #[serde(default)]
    pub jitter_scope: JitterScope,
    /// The random part is cut down to a multiple of this (pgxpool: whole seconds).
    #[serde(default)]
    pub jitter_quantum: Span,
    /// The least time between two closes for age in this pool (PgBouncer): an expired connection whose turn
    /// has not come stays in use until a later check. Absent: none.
    #[serde(default)]
    pub kill_gap: KillGap,
    /// An expired connection is noticed when it is acquired.
    #[serde(default)]
    pub check_acquire: bool,
    /// An expired connection is noticed when it is released.
    #[serde(default = "yes")]
    pub check_release: bool,
    /// When idle connections are looked over.
    #[serde(default)]
    pub sweep: Sweep,
    /// The sweep keeps expired connections while the pool is at `min` or below (pgxpool).
    #[serde(default)]
    pub sweep_keeps_min: bool,
    /// An idle connection is closed by the sweep after so long, above `min`.
    #[serde(default)]
    pub idle_timeout: Limit,
    /// What brings the pool back to `min`.
    #[serde(default)]
    pub refill: Refill,
    /// From a close to the refill that follows it (pgxpool: 500 ms).
    #[serde(default)]
    pub refill_delay: Span,
    /// Whether a further close puts the pending refill off (pgxpool since 5.8).
    #[serde(default)]
    pub refill_debounce: bool,
}

impl Pool {
    /// The least time between two closes for age; zero if there is none.
    pub fn gap_between_kills(&self) -> Span {
        match self.kill_gap {
            KillGap::None => Span::ZERO,
            KillGap::Spread => {
                Span(self.max_lifetime.0.map_or(0, |lifetime| lifetime.0 / u64::from(self.max)))
            }
            KillGap::Every(gap) => gap,
        }
    }
}

/// The libraries whose semantics ship with herdsim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// No library: exactly what the fields say.
    #[default]
    Plain,
    /// pgxpool 5.10 and later: checks at acquire and release, one-minute sweep, jitter drawn once, whole
    /// seconds.
    Pgxpool,
    /// pgxpool of pgx 4.17–4.18 and 5.0–5.2: the jitter is drawn again at every check.
    PgxpoolV4,
    /// Go's database/sql: inline dials die with their request, one opener for waiters, random waiter, no
    /// jitter.
    DatabaseSql,
}

/// Who is served first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// Who waits longest.
    #[default]
    Fifo,
    /// Anyone (database/sql).
    Random,
}

/// Which idle connection is handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdlePick {
    /// The one released last.
    #[default]
    Lifo,
    /// The one released first.
    Fifo,
    /// The one released last, but each sweep reverses the order (pgxpool).
    LifoReversedBySweep,
}

/// Who dials for waiters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dialler {
    /// Each acquirer for itself, at once.
    #[default]
    Acquirer,
    /// Acquirers below `max`; for waiters of a full pool one opener, strictly one after the other
    /// (database/sql).
    SingleOpener,
}

/// What becomes of a dial whose request gives up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnCancel {
    /// It completes and the connection goes idle (pgxpool).
    #[default]
    Detach,
    /// It is broken off; what the server spent is lost (database/sql).
    Abort,
}

/// Which instant counts as a connection's birth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Birth {
    /// The end of the dial: nearly every pool.
    #[default]
    DialDone,
    /// The beginning of the dial: SQLAlchemy, PgBouncer.
    DialStart,
}

/// Where the random part of a lifetime lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JitterShape {
    /// Added: lifetime to lifetime + jitter (pgxpool).
    #[default]
    Additive,
    /// Taken off: lifetime − jitter to lifetime (HikariCP).
    Subtractive,
    /// Both: lifetime − jitter to lifetime + jitter (PgDog).
    Symmetric,
}

/// What shares one draw of the random part of a lifetime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JitterScope {
    /// Each connection has its own, drawn once.
    #[default]
    Connection,
    /// All connections of a container share one.
    Process,
    /// Drawn again at every check (pgxpool before 5.3): nearly no jitter at all.
    Check,
}

/// The least time between two closes for age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KillGap {
    /// None: all that have expired may be closed at once.
    #[default]
    None,
    /// `max_lifetime` / `max`: a full pool is replaced evenly within one lifetime (PgBouncer).
    Spread,
    /// So long.
    Every(Span),
}

/// When idle connections are looked over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sweep {
    /// Never.
    #[default]
    None,
    /// At a period that begins with the container (pgxpool: 1 minute).
    Every(Span),
    /// When the first idle connection expires, at least a second later (database/sql's cleaner).
    NextDeadline,
}

/// What brings the pool back to `min`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Refill {
    /// Only demand.
    #[default]
    Demand,
    /// Background dials up to `min`, also when the container starts.
    ToMin,
}
