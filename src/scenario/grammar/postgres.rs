//! A Postgres node and how it grants connections.

use super::{Distribution, MedianAndP99, Pooler, RandomDistribution};
use crate::engine::time::Span;
use crate::scenario::units::{Limit, Share, parse_span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// A Postgres node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// Another node whose values stand where this one has none, but for `ha`, `pooler` and
    /// `replica_of`. An event that changes the other does not change this one.
    #[serde(default)]
    pub like: Option<String>,
    /// CPU cores that backends share; may be a fraction.
    #[schemars(range(min = 0.01, max = 10_000.0), extend("x-live" = true))]
    pub cores: f64,
    /// Connection slots; one more is refused with SQLSTATE 53300 (Postgres default 100).
    #[serde(default = "max_connections")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections: u32,
    /// Slots kept for superusers (Postgres default 3).
    #[serde(default = "reserved_connections")]
    pub reserved_connections: u32,
    /// How new connections are granted, one after the other.
    #[serde(default)]
    #[schemars(extend("x-live" = true))]
    pub grant: Grant,
    /// CPU that a backend burns before its connection is ready: fork, TLS, authentication (postgres.md §2:
    /// 4–8 ms).
    #[serde(default = "start_cpu")]
    #[schemars(extend("x-live" = true))]
    pub start_cpu: Distribution,
    /// Extra CPU spread evenly over a backend's first queries, while its caches are cold (postgres.md §2:
    /// 5–30 ms).
    #[serde(default = "cold_cpu")]
    #[schemars(extend("x-live" = true))]
    pub cold_cpu: Span,
    /// CPU of a connection that finds no slot: it is forked and authenticated before it is refused
    /// (postgres.md §8: 1–5 ms).
    #[serde(default = "refuse_cpu")]
    #[schemars(extend("x-live" = true))]
    pub refuse_cpu: Span,
    /// How many first queries share `cold_cpu` (postgres.md §8).
    #[serde(default = "cold_queries")]
    #[schemars(range(min = 1, max = 10_000))]
    pub cold_queries: u32,
    /// n0: active backends per core at which contention halves throughput (postgres.md §3: 100–200).
    #[serde(default = "contention")]
    #[schemars(range(min = 0.1, max = 1_000_000.0), extend("x-live" = true))]
    pub contention: f64,
    /// Round trips before a new connection is ready: TCP, TLS, authentication (postgres.md §2: 6–7).
    #[serde(default = "handshake_trips")]
    #[schemars(range(min = 1, max = 100))]
    pub handshake_trips: u32,
    /// A statement that runs longer ends with SQLSTATE 57014; a commit that is being flushed does not.
    #[serde(default)]
    #[schemars(extend("x-live" = true))]
    pub statement_timeout: Limit,
    /// A statement that waits longer for a row lock ends with SQLSTATE 55P03.
    #[serde(default)]
    #[schemars(extend("x-live" = true))]
    pub lock_timeout: Limit,
    /// From the release of a row lock until who waits for it runs: the scheduler's wake-up (postgres.md §8:
    /// 0.4 to 1.5 ms with the statement itself).
    #[serde(default = "lock_wakeup")]
    pub lock_wakeup: Span,
    /// Its storage; absent: all pages are cached and a commit is durable at once.
    #[serde(default)]
    pub disk: Option<Disk>,
    /// Table and index bloat: a factor on the pages that a query misses (postgres.md §8: 1 to 3).
    #[serde(default = "one")]
    #[schemars(range(min = 1.0, max = 1_000.0), extend("x-live" = true))]
    pub bloat: f64,
    /// The share of updates that touch no index (HOT): more with a lower fillfactor (postgres.md §8: 50 %).
    #[serde(default = "hot_updates")]
    #[schemars(extend("x-live" = true))]
    pub hot_updates: Share,
    /// How it stands with the network and its machine.
    #[serde(default)]
    #[schemars(extend("x-live" = true))]
    pub state: NodeState,
    /// How long a restart refuses connections (postgres.md §5: 0.4 s measured on an idle node), besides
    /// recovery from its disk.
    #[serde(default = "restart_time")]
    #[schemars(extend("x-live" = true))]
    pub restart_time: Span,
    /// High availability: a standby on the same disk takes over from a node that does not answer.
    #[serde(default)]
    pub ha: Option<Ha>,
    /// The node that it replays: it takes reads only. Absent: it takes writes.
    #[serde(default)]
    pub replica_of: Option<String>,
    /// From the flush of a commit to its replay here, of a replica (postgres.md §8).
    #[serde(default = "lag")]
    pub lag: Distribution,
    /// How long its promotion refuses connections, once all is replayed, of a replica (postgres.md §8: 0.2 to
    /// 10 s).
    #[serde(default = "promote_time")]
    pub promote_time: Span,
    /// A central pooler in front of it; absent: containers dial it themselves.
    #[serde(default)]
    pub pooler: Option<Pooler>,
}

/// How a node stands with the network and its machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// It serves.
    #[default]
    Up,
    /// Nothing reaches it and nothing comes from it: new connections hang, established ones are a black hole
    /// until a client's own clock ends them.
    Unreachable,
    /// Its machine stands still, as in the blackout of a live migration: all waits, and goes on.
    Frozen,
    /// A write ends with SQLSTATE 25006.
    ReadOnly,
}

/// The storage of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// The read of a page that the cache misses (postgres.md §8).
    #[serde(default = "disk_read")]
    pub read: Distribution,
    /// The flush of the write-ahead log, which makes all commits durable that wait for it (postgres.md §8).
    #[serde(default = "disk_flush")]
    pub flush: Distribution,
    /// What a read takes now, as a multiple; from the next read on.
    #[serde(default = "one")]
    #[schemars(range(min = 0.001, max = 1_000_000.0), extend("x-live" = true))]
    pub read_factor: f64,
    /// What a flush takes now, as a multiple; from the next flush on.
    #[serde(default = "one")]
    #[schemars(range(min = 0.001, max = 1_000_000.0), extend("x-live" = true))]
    pub flush_factor: f64,
    /// Postgres' `commit_delay`: how long the leader of a flush waits for others to join it.
    #[serde(default)]
    #[schemars(extend("x-live" = true))]
    pub commit_delay: Span,
    /// Pages that recovery reads, one after the other, before a restarted node takes connections.
    #[serde(default = "recovery_reads")]
    #[schemars(range(min = 0, max = 100_000_000), extend("x-live" = true))]
    pub recovery_reads: u32,
}

/// High availability of the kind that watches heartbeats (Cloud SQL): a slow node never trips it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ha {
    /// How long a node must not answer (postgres.md §5: about 60 s).
    #[serde(default = "ha_detect")]
    pub detect: Span,
    /// How long the standby takes, besides recovery from the disk (postgres.md §8: 30 to 120 s in all).
    #[serde(default = "ha_takes")]
    pub takes: Span,
}

fn one() -> f64 {
    1.0
}
fn lock_wakeup() -> Span {
    Span::from_micros(300)
}
fn hot_updates() -> Share {
    Share(0.5)
}
fn disk_read() -> Distribution {
    log_normal(800, 4)
}
fn disk_flush() -> Distribution {
    log_normal(1000, 5)
}
fn lag() -> Distribution {
    log_normal(5000, 100)
}
fn log_normal(median_us: u64, p99_ms: u64) -> Distribution {
    let (median, p99) = (Span::from_micros(median_us), Span::from_millis(p99_ms));
    Distribution::Random(RandomDistribution::LogNormal(MedianAndP99 { median, p99 }))
}
fn recovery_reads() -> u32 {
    5000
}
fn ha_detect() -> Span {
    Span::from_secs(60)
}
fn ha_takes() -> Span {
    Span::from_secs(30)
}
fn promote_time() -> Span {
    Span::from_secs(5)
}

impl Postgres {
    /// How many connections it takes in all: `max_connections` less the reserved.
    pub fn slots(&self) -> u32 {
        self.max_connections.saturating_sub(self.reserved_connections)
    }
}

fn max_connections() -> u32 {
    100
}
fn reserved_connections() -> u32 {
    3
}
fn start_cpu() -> Distribution {
    Distribution::Constant(Span::from_millis(7))
}
fn cold_cpu() -> Span {
    Span::from_millis(10)
}
fn refuse_cpu() -> Span {
    Span::from_millis(2)
}
fn cold_queries() -> u32 {
    10
}
fn contention() -> f64 {
    100.0
}
fn handshake_trips() -> u32 {
    6
}
fn restart_time() -> Span {
    Span::from_secs(1)
}

/// The serial grant of new connections: a grant with `q` requests in line costs `base + per_waiter × q`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Grant {
    /// Constant cost: Postgres since 15.6, 14.11, 13.14 and 12.18.
    Fast(FastGrant),
    /// Cost grows with the line: older Postgres.
    Quadratic(QuadraticGrant),
}

/// The parameters of [`Grant::Fast`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FastGrant {
    /// Serial cost of one grant: the postmaster's accept and fork (postgres.md §2: about 3,000/s; §8: 0.5
    /// ms).
    #[serde(default = "grant_base")]
    pub base: Span,
}

/// The parameters of [`Grant::Quadratic`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuadraticGrant {
    /// Serial cost of one grant, as for `fast`.
    #[serde(default = "grant_base")]
    pub base: Span,
    /// Added for every request in line.
    #[serde(default)]
    pub per_waiter: PerWaiter,
}

fn grant_base() -> Span {
    Span::from_micros(500)
}

impl Default for Grant {
    fn default() -> Self {
        Grant::Fast(FastGrant { base: grant_base() })
    }
}

/// The quadratic part of a grant: a duration, `"measured"` (0.5 us, our A/B of Postgres 15.5 and 15.6,
/// postgres.md §1.3) or `"replay"` (20 us, calibrated to what the post-mortem's account needs; not measured).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PerWaiter {
    /// 0.5 us.
    #[default]
    Measured,
    /// 20 us.
    Replay,
    /// As given.
    Of(Span),
}

impl PerWaiter {
    /// The cost of each request in line.
    pub fn span(self) -> Span {
        match self {
            PerWaiter::Measured => Span(500),
            PerWaiter::Replay => Span::from_micros(20),
            PerWaiter::Of(span) => span,
        }
    }
}

impl Serialize for PerWaiter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            PerWaiter::Measured => serializer.serialize_str("measured"),
            PerWaiter::Replay => serializer.serialize_str("replay"),
            PerWaiter::Of(span) => span.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PerWaiter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "measured" => Ok(PerWaiter::Measured),
            "replay" => Ok(PerWaiter::Replay),
            other => parse_span(other).map(PerWaiter::Of).map_err(de::Error::custom),
        }
    }
}

impl JsonSchema for PerWaiter {
    fn schema_name() -> Cow<'static, str> {
        "PerWaiter".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration, \"measured\" (0.5us) or \"replay\" (20us, calibrated, not measured).",
            "type": "string",
            "format": "per-waiter",
            "pattern": r"^(measured|replay|([0-9]+(\.[0-9]+)? ?(ns|us|ms|s|m|h) ?)+)$"
        })
    }
}
