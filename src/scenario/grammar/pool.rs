//! A connection pool inside a container, with the switches that tell the libraries apart (pools.md §5).

use super::yes;
use crate::engine::time::Span;
use crate::scenario::units::{Limit, Share, Width};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A connection pool inside a container (pools.md §1 and §5). A `preset` sets what the file leaves out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The library whose behaviour fills in what is not said here.
    #[serde(default)]
    pub preset: Preset,
    /// The library's own sizes too (`max`, `max_idle`), where the file says nothing of them.
    #[serde(default)]
    pub stock: bool,
    /// The most connections. Only a pool with `stock` may leave it out.
    #[schemars(with = "Option<u32>", range(min = 1, max = 100_000))]
    pub max: u32,
    /// Refill floor: so many are not closed for being idle, and the pool dials up to so many unless it dials
    /// on demand only (`refill`). A steady start has them. `"max"`: as many as `max`.
    #[serde(default)]
    #[schemars(schema_with = "floor")]
    pub min: u32,
    /// The most idle connections; a released one beyond it is closed. Absent: as `max`.
    #[serde(default)]
    pub max_idle: Option<u32>,
    /// How long a request may wait for a connection; then `pool-timeout`.
    #[serde(default)]
    pub acquire_timeout: Limit,
    /// What that clock runs over.
    #[serde(default)]
    pub acquire_timeout_covers: AcquireTimeoutCovers,
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
    /// Who dials.
    #[serde(default)]
    pub dialler: Dialler,
    /// What becomes of a dial that fails.
    #[serde(default)]
    pub dial_failure: DialFailure,
    /// What becomes of a dial whose request gives up.
    #[serde(default)]
    pub on_cancel: OnCancel,
    /// Which instant counts as a connection's birth.
    #[serde(default)]
    pub birth: Birth,
    /// Age at which a connection is to be replaced.
    #[serde(default)]
    pub max_lifetime: Limit,
    /// Width of the random part of the lifetime: a duration, or a share of the lifetime.
    #[serde(default)]
    pub max_lifetime_jitter: Width,
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
    /// An idle connection is closed by the sweep after so long.
    #[serde(default)]
    pub idle_timeout: Limit,
    /// The idle timeout leaves `min` connections. Otherwise what has rested for too long is closed whatever
    /// is left, and the refill dials again (sqlx, bb8, r2d2).
    #[serde(default = "yes")]
    pub idle_keeps_min: bool,
    /// Who brings back what was closed.
    #[serde(default)]
    pub refill: Refill,
    /// How many dials of a refill are under way at once, unless background diallers make them; absent: all.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub refill_at_once: Option<u32>,
    /// From a close to the refill that follows it (pgxpool: 500 ms). A refill that waits looks over the idle
    /// connections as a sweep does; one that follows at once only dials (sqlx).
    #[serde(default)]
    pub refill_delay: Span,
    /// Whether a further close puts the pending refill off (pgxpool since 5.8).
    #[serde(default)]
    pub refill_debounce: bool,
}

/// What may be written as `min`; completed, it is a number.
fn floor(_: &mut SchemaGenerator) -> Schema {
    let count = json_schema!({ "type": "integer", "format": "uint32", "minimum": 0 });
    json_schema!({ "anyOf": [count, { "type": "string", "enum": ["max"] }] })
}

impl Pool {
    /// The width of the random part of the lifetime; of a share of no lifetime, zero.
    pub fn jitter(&self) -> Span {
        self.max_lifetime_jitter.of(self.max_lifetime.0.unwrap_or_default())
    }

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
    /// pgxpool 5.8 and 5.9: an acquirer does not look at the age.
    #[serde(rename = "pgxpool-5.8")]
    Pgxpool58,
    /// pgxpool 5.3–5.7: and every close has a refill of its own.
    #[serde(rename = "pgxpool-5.3")]
    Pgxpool53,
    /// pgxpool of pgx 4.17–4.18 and 5.0–5.2: the jitter is drawn again at every check.
    PgxpoolV4,
    /// Go's database/sql: inline dials die with their request, one opener for waiters, random waiter, no
    /// jitter.
    DatabaseSql,
    /// HikariCP 6.1 and later (Java): a fixed size, one thread that dials, exact timers, 25 % of jitter built
    /// in.
    Hikari,
    /// HikariCP up to 6.0: the same with 2.5 % of jitter.
    #[serde(rename = "hikari-6.0")]
    Hikari60,
    /// sqlx 0.8 and 0.9 (Rust): oldest idle first, ten-minute sweep, inline dials that are tried again, no
    /// jitter.
    Sqlx,
    /// bb8 (Rust): dials in spawned tasks, half-minute sweep, no jitter.
    Bb8,
    /// r2d2 (Rust): a fixed size, three threads that dial, age is looked at by the half-minute sweep alone.
    R2d2,
    /// deadpool 0.12 and 0.13 (Rust): no lifetime of its own; one that is given is looked at when it is
    /// acquired, as its hooks do.
    Deadpool,
    /// SQLAlchemy's QueuePool (Python): oldest idle first, an acquirer replaces what is too old in its place.
    Sqlalchemy,
    /// pg-pool of node-postgres: exact timers, ten seconds of idleness, no jitter.
    PgPool,
    /// postgres.js: each slot lives for its own time between one lifetime and two, drawn once.
    PostgresJs,
    /// Npgsql 10 (.NET): oldest idle first, age is looked at when it is acquired.
    Npgsql,
    /// psycopg_pool 3 (Python): a fixed size, three workers that dial, 5 % of jitter built in.
    Psycopg,
    /// ActiveRecord 8.1 (Rails): a reaper every minute, 20 % of jitter by slot built in.
    Activerecord,
    /// PgBouncer, as a central pooler: one dial at a time, one close for age at a time.
    Pgbouncer,
    /// PgDog, as a central pooler: one dial at a time.
    Pgdog,
}

/// What the acquire timeout runs over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AcquireTimeoutCovers {
    /// The wait in line and the dial: nearly every pool.
    #[default]
    LineAndDial,
    /// The wait in line; who dials for itself may take as long as that takes (SQLAlchemy, Rails).
    Line,
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

/// Who dials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Dialler {
    /// Each acquirer for itself, at once.
    #[default]
    Acquirer,
    /// Acquirers below `max`; for waiters of a full pool one opener, strictly one after the other
    /// (database/sql).
    SingleOpener,
    /// Workers of the pool; acquirers only wait (HikariCP, bb8, r2d2, psycopg, PgBouncer, PgDog).
    Background(Workers),
}

/// The workers that dial in the background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workers {
    /// How many dial at once; absent: as many as are wanted (bb8).
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub at_once: Option<u32>,
    /// How many of them at most dial because somebody waits, not to replace or to fill up; absent: all
    /// (psycopg: 1).
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub growth_at_once: Option<u32>,
    /// How long a worker rests after a dial that succeeded (HikariCP: 30 ms).
    #[serde(default)]
    pub pause: Span,
}

/// What becomes of a dial that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DialFailure {
    /// It is an error of whoever had it made; the next dial is made when it is wanted.
    #[default]
    Error,
    /// It is tried again and again; whoever waits for it goes on waiting.
    Retry(DialRetry),
    /// No dial of this pool begins for so long (PgBouncer's `server_login_retry`).
    Gate(Span),
}

/// How a dial is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DialRetry {
    /// From the first failure to the second try.
    pub backoff: Span,
    /// Each further wait is so many times as long.
    #[serde(default = "twice")]
    #[schemars(range(min = 1, max = 100))]
    pub factor: f64,
    /// The longest wait.
    pub cap: Span,
    /// Each wait is longer or shorter by up to this share of it.
    #[serde(default)]
    pub jitter: Share,
    /// So long after the first try began it is given up; then it is as `error`.
    #[serde(default)]
    pub give_up: Limit,
}

fn twice() -> f64 {
    2.0
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
    /// The beginning of the dial: SQLAlchemy, postgres.js, PgBouncer.
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
    /// Each slot of a pool has its own, drawn once; whatever is dialled into it keeps it (Rails,
    /// postgres.js).
    Slot,
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
    /// Each connection has a timer: one that is idle is closed the moment it expires (HikariCP, pg-pool,
    /// postgres.js).
    Timer,
}

/// Who brings back what was closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Refill {
    /// Only demand.
    #[default]
    Demand,
    /// Background dials up to `min`, also when the container starts.
    ToMin,
    /// Background dials up to `min`, and one for each connection that was closed for its age or because it
    /// broke (psycopg, Rails).
    Always,
}
