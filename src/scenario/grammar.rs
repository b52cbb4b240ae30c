//! The grammar of a scenario file: one struct a table, as it stands after overlays, presets and defaults.
//!
//! These structs are what an engineer writes (design: "named tables, so a path can point at one thing") and what the
//! model reads; nothing is optional that has a default. Their doc comments become the descriptions in
//! `schema/scenario.schema.json`. Each default names its source: `pools.md`, `postgres.md` and `cloud-run.md` are the
//! project's collected notes on pool sources, Postgres measurements and Cloud Run documentation; "assumed" is ours.
//!
//! A field marked `x-live` may be changed by an event while the simulation runs; every other field is read once.
//! Left out so far: disks, locks, replicas, autoscaling, the edge, failover.

use super::units::{Limit, Rate, When};
use crate::engine::time::Span;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// Tables by name, in the order in which they were written.
pub type Named<T> = IndexMap<String, T>;

/// A path such as `service.*.pool.*.max_lifetime_jitter` to the value laid over it.
pub type Overlay = IndexMap<String, serde_json::Value>;

/// A whole scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Version of this grammar; 1.
    pub schema_version: u32,
    /// One line, shown on every chart.
    pub title: String,
    /// What the scenario is to answer.
    #[serde(default)]
    pub question: String,
    /// Calendar time of the first instant; charts then show UTC.
    #[serde(default)]
    pub start: Option<DateTime>,
    /// Simulated time.
    pub duration: Span,
    /// The state of the fleet at the start.
    #[serde(default)]
    pub initial: Initial,
    /// One run for each seed.
    #[serde(default = "one_seed")]
    pub seeds: Vec<u64>,
    /// The variants that a bare `compare` shows; all of them when empty.
    #[serde(default)]
    pub compare: Vec<String>,
    /// Trips between boxes.
    #[serde(default)]
    pub network: Network,
    /// Postgres nodes.
    #[serde(default)]
    pub postgres: Named<Postgres>,
    /// Container services.
    #[serde(default)]
    pub service: Named<Service>,
    /// Queries, by name.
    #[serde(default)]
    pub query: Named<Query>,
    /// Request classes.
    #[serde(default)]
    pub request: Named<Request>,
    /// Sources of requests.
    #[serde(default)]
    pub traffic: Named<Traffic>,
    /// Background jobs on a Postgres node.
    #[serde(default)]
    pub job: Named<Job>,
    /// What happens at a time.
    #[serde(default)]
    pub event: Named<Event>,
    /// What differs from the file in a compared run.
    #[serde(default)]
    pub variant: Named<Variant>,
    /// What must hold.
    #[serde(default)]
    pub expect: Named<Expect>,
    /// Where each number comes from, by path.
    #[serde(default)]
    pub source: Named<Source>,
}

fn one_seed() -> Vec<u64> {
    vec![1]
}

/// A calendar instant, RFC 3339: `2025-09-14T05:30:00Z`, without quotes in TOML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DateTime(pub String);

impl JsonSchema for DateTime {
    fn schema_name() -> Cow<'static, str> {
        "DateTime".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// The state of the fleet at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Initial {
    /// The same revision has served for longer than a connection lifetime: births uniform over it, caches warm.
    #[default]
    Steady,
    /// A deploy of every service began at the first instant; the old revision (steady) serves until the new takes over.
    Rollout,
    /// Containers are up, pools are empty. The first second is a storm of its own.
    Cold,
}

/// Trips between boxes, one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// One trip between a container and a Postgres node (postgres.md §8: 0.5 ms a round trip in one region).
    #[serde(default = "trip")]
    #[schemars(extend("x-live" = true))]
    pub database: Distribution,
}

impl Default for Network {
    fn default() -> Self {
        Network { database: trip() }
    }
}

fn trip() -> Distribution {
    Distribution::Constant(Span::from_micros(250))
}

/// A Postgres node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// Another node whose values stand where this one has none.
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
    /// CPU that a backend burns before its connection is ready: fork, TLS, authentication (postgres.md §2: 4–8 ms).
    #[serde(default = "start_cpu")]
    #[schemars(extend("x-live" = true))]
    pub start_cpu: Distribution,
    /// Extra CPU spread evenly over a backend's first queries, while its caches are cold (postgres.md §2: 5–30 ms).
    #[serde(default = "cold_cpu")]
    #[schemars(extend("x-live" = true))]
    pub cold_cpu: Span,
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
    /// A statement that runs longer ends with SQLSTATE 57014.
    #[serde(default)]
    #[schemars(extend("x-live" = true))]
    pub statement_timeout: Limit,
    /// How long a restart refuses connections (postgres.md §5: 0.4 s measured on an idle node).
    #[serde(default = "restart_time")]
    pub restart_time: Span,
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
    /// Serial cost of one grant: the postmaster's accept and fork (postgres.md §2: about 3,000/s; §8: 0.5 ms).
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

/// The quadratic part of a grant: a duration, `"measured"` (0.5 us, our A/B of Postgres 15.5 and 15.6, postgres.md
/// §1.3) or `"replay"` (20 us, calibrated to what the post-mortem's account needs; not measured).
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
            other => super::units::parse_span(other).map(PerWaiter::Of).map_err(de::Error::custom),
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
            "pattern": r"^(measured|replay|[0-9]+(\.[0-9]+)? ?(ns|us|ms|s|m|h))$"
        })
    }
}

/// A distribution of durations: a bare duration is a constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same: `"7ms"`.
    Constant(Span),
    /// One of the random kinds: `{ exponential = "0.5ms" }`.
    Random(RandomDistribution),
}

/// The random distributions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RandomDistribution {
    /// Evenly spread between two durations.
    Uniform(Between),
    /// Exponential with this mean.
    Exponential(Span),
    /// Log-normal by median and 99th percentile.
    LogNormal(MedianAndP99),
    /// Pareto (type I): heavy-tailed.
    Pareto(ScaleAndShape),
    /// Drawn from measured values: a CSV file with a header, one value in seconds a row in its first column.
    Empirical(CsvFile),
}

/// The ends of a uniform distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// The least value.
    pub min: Span,
    /// The greatest value.
    pub max: Span,
}

/// A log-normal distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MedianAndP99 {
    /// Half of the values are below.
    pub median: Span,
    /// 99 % of the values are below.
    pub p99: Span,
}

/// A Pareto distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleAndShape {
    /// The least value.
    pub scale: Span,
    /// The tail's exponent; the mean is infinite at 1 and below.
    #[schemars(range(min = 1.01, max = 1000.0))]
    pub shape: f64,
}

/// A table in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvFile {
    /// Path, relative to the scenario file.
    pub csv: String,
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Distribution::Constant(span) => span.serialize(serializer),
            Distribution::Random(random) => random.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_string() {
            return serde_json::from_value(value).map(Distribution::Constant).map_err(de::Error::custom);
        }
        serde_json::from_value(value).map(Distribution::Random).map_err(de::Error::custom)
    }
}

impl JsonSchema for Distribution {
    fn schema_name() -> Cow<'static, str> {
        "Distribution".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let constant = generator.subschema_for::<Span>();
        let random = generator.subschema_for::<RandomDistribution>();
        json_schema!({
            "description": "A duration (a constant), or one of the random kinds.",
            "anyOf": [constant, random]
        })
    }
}

/// A container service, such as a Cloud Run service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Another service whose values stand where this one has none.
    #[serde(default)]
    pub like: Option<String>,
    /// How many containers.
    pub containers: Containers,
    /// Requests that one container works on at once (Cloud Run: 80).
    #[serde(default = "concurrency")]
    #[schemars(range(min = 1, max = 100_000))]
    pub concurrency: u32,
    /// Who decides how many containers there are.
    #[serde(default)]
    pub scaler: Scaler,
    /// Which container gets the next request (undocumented for Cloud Run; cloud-run.md §5 takes least-outstanding).
    #[serde(default)]
    pub routing: Routing,
    /// From the start of a container to its first request (cloud-run.md §4).
    #[serde(default = "startup")]
    pub startup: Distribution,
    /// How long a deploy takes to start all new containers, one after the other (post-mortem: about a minute).
    #[serde(default = "rollout")]
    pub rollout: Span,
    /// How long a request may wait for a container before 429; absent: max(10 s, 3.5 × mean startup) (cloud-run.md §1.3).
    #[serde(default)]
    pub pending_deadline: Option<Span>,
    /// A request that takes longer ends with 504 (Cloud Run: 300 s).
    #[serde(default = "request_timeout")]
    pub request_timeout: Span,
    /// From SIGTERM to SIGKILL: what is in flight after it is lost (Cloud Run: 10 s).
    #[serde(default = "drain")]
    pub drain: Span,
    /// One pool in each container for each Postgres node, by the node's name.
    #[serde(default)]
    pub pool: Named<Pool>,
}

fn concurrency() -> u32 {
    80
}
fn startup() -> Distribution {
    Distribution::Random(RandomDistribution::LogNormal(MedianAndP99 {
        median: Span::from_secs(1),
        p99: Span::from_millis(3200),
    }))
}
fn rollout() -> Span {
    Span::from_secs(60)
}
fn request_timeout() -> Span {
    Span::from_secs(300)
}
fn drain() -> Span {
    Span::from_secs(10)
}

/// The bounds on the number of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Containers {
    /// Never fewer.
    #[schemars(range(min = 1, max = 100_000))]
    pub min: u32,
    /// Never more.
    #[schemars(range(min = 1, max = 100_000))]
    pub max: u32,
}

/// Who decides how many containers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scaler {
    /// Nobody: as many as `containers` says, `min` = `max`.
    #[default]
    Fixed,
}

/// Which container gets the next request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// The one with the fewest requests in flight; ties in rotation.
    #[default]
    LeastOutstanding,
    /// The less busy of two at random.
    RandomTwo,
    /// In rotation.
    RoundRobin,
    /// At random.
    Random,
}

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
    /// How long a request waits for one statement; then it cancels it and destroys the connection: `query-timeout`.
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
    /// How often an acquirer may find an expired connection and try the next before a new one is forced; absent: no limit.
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

fn yes() -> bool {
    true
}

/// The libraries whose semantics ship with herdsim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// No library: exactly what the fields say.
    #[default]
    Plain,
    /// pgxpool 5.10 and later: checks at acquire and release, one-minute sweep, jitter drawn once, whole seconds.
    Pgxpool,
    /// pgxpool of pgx 4.17–4.18 and 5.0–5.2: the jitter is drawn again at every check.
    PgxpoolV4,
    /// Go's database/sql: inline dials die with their request, one opener for waiters, random waiter, no jitter.
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
    /// Acquirers below `max`; for waiters of a full pool one opener, strictly one after the other (database/sql).
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

/// A query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// CPU that it burns on the node.
    #[schemars(extend("x-live" = true))]
    pub cpu: Distribution,
}

/// A request class: a script of steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The service that works on it.
    pub service: String,
    /// How long its handler may work, by a context deadline; then 504, and what it holds is given up.
    #[serde(default)]
    pub timeout: Limit,
    /// How long its client waits for an answer; then `client-timeout`, while the work goes on.
    #[serde(default)]
    pub patience: Limit,
    /// What its client does about a failure; absent: nothing.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// What is done, in order.
    #[schemars(length(min = 1, max = 255))]
    pub steps: Vec<Step>,
}

/// A client's retries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Requests in all, the first included.
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,
    /// The wait before the second.
    pub backoff: Span,
    /// Each later wait is longer by this factor.
    #[serde(default = "retry_factor")]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub factor: f64,
    /// The longest wait.
    #[serde(default = "retry_cap")]
    pub cap: Span,
    /// The random part of the wait.
    #[serde(default)]
    pub jitter: BackoffJitter,
    /// The outcomes that are retried.
    pub on: Vec<Outcome>,
}

fn retry_factor() -> f64 {
    2.0
}
fn retry_cap() -> Span {
    Span::from_secs(20)
}

/// The random part of a backoff (AWS Architecture Blog, 2015).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BackoffJitter {
    /// None: exactly the backoff.
    #[default]
    None,
    /// Between zero and the backoff.
    Full,
    /// Between half the backoff and the backoff.
    Equal,
}

/// How a request ended. Exactly one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Answered.
    Ok,
    /// The client left.
    ClientTimeout,
    /// No container came free in time and the fleet was at its cap.
    #[serde(rename = "429")]
    TooManyRequests,
    /// The container went away.
    #[serde(rename = "503")]
    Unavailable,
    /// The request's own time was up.
    #[serde(rename = "504")]
    GatewayTimeout,
    /// No connection came free in time.
    PoolTimeout,
    /// Postgres refused the connection (53300, or 57P03 during a restart), or the dial timed out.
    ConnectRefused,
    /// The container's clock on the statement ran out.
    QueryTimeout,
    /// Postgres' clock on the statement ran out (57014).
    StatementTimeout,
    /// The connection broke.
    ConnectionLost,
}

impl Outcome {
    /// All outcomes, in the order of tables and charts.
    pub const ALL: [Outcome; 10] = [
        Outcome::Ok,
        Outcome::ClientTimeout,
        Outcome::TooManyRequests,
        Outcome::Unavailable,
        Outcome::GatewayTimeout,
        Outcome::PoolTimeout,
        Outcome::ConnectRefused,
        Outcome::QueryTimeout,
        Outcome::StatementTimeout,
        Outcome::ConnectionLost,
    ];

    /// Its name in scenarios and tables.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::ClientTimeout => "client-timeout",
            Outcome::TooManyRequests => "429",
            Outcome::Unavailable => "503",
            Outcome::GatewayTimeout => "504",
            Outcome::PoolTimeout => "pool-timeout",
            Outcome::ConnectRefused => "connect-refused",
            Outcome::QueryTimeout => "query-timeout",
            Outcome::StatementTimeout => "statement-timeout",
            Outcome::ConnectionLost => "connection-lost",
        }
    }
}

/// One step of a request: exactly one of `app`, `query` and `transaction`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Time in the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<Distribution>,
    /// A query on a connection of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Queries between BEGIN and COMMIT on one connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Vec<String>>,
    /// The node that `query` or `transaction` runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// How often `query` is repeated, one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub times: Option<u32>,
}

/// An open-loop source of requests: arrivals do not wait for answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// False: it does not exist in this run.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The class of its requests.
    pub request: String,
    /// Arrivals, a Poisson process.
    #[schemars(extend("x-live" = true))]
    pub rate: Arrivals,
    /// Whose requests they are: kept apart in every table.
    #[serde(default)]
    pub label: Label,
    /// Present: arrivals come only in bursts.
    #[serde(default)]
    pub burst: Option<Burst>,
}

/// Whose requests they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// Users.
    #[default]
    Legitimate,
    /// An attack.
    Abusive,
}

/// Bursts of a source: silent between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// From the beginning of one to the beginning of the next; the first begins after one such span.
    pub every: Distribution,
    /// How long each goes on.
    pub lasting: Distribution,
}

/// A rate of arrivals over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// The same all the time: `"4000/s"`.
    Constant(Rate),
    /// By time.
    Curve(Curve),
}

/// A rate by time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Curve {
    /// Steps: each rate holds from its time to the next.
    Piecewise(Vec<RateFrom>),
    /// A CSV file with the columns `t_s` and `rate_per_s`, ascending; each rate holds to the next row.
    Csv(String),
}

/// One step of a piecewise rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateFrom {
    /// Offset from the start of the run.
    pub from: Span,
    /// Arrivals from then on.
    pub rate: Rate,
}

impl Serialize for Arrivals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Arrivals::Constant(rate) => rate.serialize(serializer),
            Arrivals::Curve(curve) => curve.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Arrivals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_string() {
            return serde_json::from_value(value).map(Arrivals::Constant).map_err(de::Error::custom);
        }
        serde_json::from_value(value).map(Arrivals::Curve).map_err(de::Error::custom)
    }
}

impl JsonSchema for Arrivals {
    fn schema_name() -> Cow<'static, str> {
        "Arrivals".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let constant = generator.subschema_for::<Rate>();
        let curve = generator.subschema_for::<Curve>();
        json_schema!({ "description": "A rate, or a rate by time.", "anyOf": [constant, curve] })
    }
}

/// A background job: work on a node's CPU at fixed times, on sessions of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// False: it does not exist in this run.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The node that it runs on.
    pub on: String,
    /// Its period.
    pub every: Span,
    /// Its first run; absent: after one period.
    #[serde(default)]
    pub first: Option<Span>,
    /// What each run does.
    pub work: Work,
}

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Sessions that work at once.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10_000))]
    pub parallel: u32,
    /// CPU that each session burns.
    pub cpu: Distribution,
}

fn one() -> u32 {
    1
}

/// What happens at a time: an overlay for a span or for good, a deed, or both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// False: it does not happen in this run.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// When it happens.
    pub at: When,
    /// When what it set is given back; absent: never.
    #[serde(default)]
    pub until: Option<When>,
    /// Why, for the reader.
    #[serde(default)]
    pub why: String,
    /// Paths and the values laid over them.
    #[serde(default)]
    pub set: Overlay,
    /// What is done.
    #[serde(default, rename = "do")]
    pub deed: Option<Deed>,
}

/// What is done rather than set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Deed {
    /// A new revision of this service: every container is replaced, over its `rollout`. `"*"`: of every service.
    Deploy(String),
    /// This Postgres node restarts: every connection drops, and none is taken for its `restart_time`.
    Restart(String),
}

/// What differs from the file in a compared run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Why, for the reader.
    #[serde(default)]
    pub why: String,
    /// Paths and the values laid over them.
    #[serde(default)]
    pub set: Overlay,
}

/// What must hold in a variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The variant that it is about.
    #[serde(default = "as_written")]
    pub variant: String,
    /// The metric, as in `summary.csv`.
    pub metric: String,
    /// What the metric is of: `postgres.NAME`, `request.NAME`, ….
    #[serde(default)]
    pub of: String,
    /// Only starts of this cause.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// Only from here on.
    #[serde(default)]
    pub after: Option<When>,
    /// Only up to here.
    #[serde(default)]
    pub until: Option<When>,
    /// The value must not be less.
    #[serde(default)]
    pub min: Option<Bound>,
    /// The value must not be more.
    #[serde(default)]
    pub max: Option<Bound>,
    /// Why, for the reader.
    #[serde(default)]
    pub why: String,
}

fn as_written() -> String {
    crate::scenario::AS_WRITTEN.to_owned()
}

/// Why a backend was started, as measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It replaces a connection closed for its age.
    Lifetime,
    /// The pool grew.
    Growth,
    /// The pool was brought back to its floor, or an idle connection is replaced.
    Refill,
    /// It replaces a connection that broke, or a dial that failed.
    Failure,
    /// It is among the first of a new container.
    Boot,
}

impl Cause {
    /// All causes, in the order of tables and charts.
    pub const ALL: [Cause; 5] = [Cause::Lifetime, Cause::Growth, Cause::Refill, Cause::Failure, Cause::Boot];

    /// Its name in scenarios and tables.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Lifetime => "lifetime",
            Cause::Growth => "growth",
            Cause::Refill => "refill",
            Cause::Failure => "failure",
            Cause::Boot => "boot",
        }
    }
}

/// A bound: a value in the metric's unit, or a multiple of what another variant shows with the same seed.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// `"5%"`, `"30ms"`, `"10/s"` or a bare count.
    Value(serde_json::Value),
    /// `{ times = 1.3, of = "variant.as-it-happened" }`.
    Relative(Relative),
}

/// A bound relative to another variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relative {
    /// The factor.
    pub times: f64,
    /// `variant.NAME`.
    pub of: String,
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Bound::Value(value) => value.serialize(serializer),
            Bound::Relative(relative) => relative.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_object() {
            return serde_json::from_value(value).map(Bound::Relative).map_err(de::Error::custom);
        }
        Ok(Bound::Value(value))
    }
}

impl JsonSchema for Bound {
    fn schema_name() -> Cow<'static, str> {
        "Bound".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let relative = generator.subschema_for::<Relative>();
        json_schema!({
            "description": "A value with the metric's unit, or a multiple of another variant's.",
            "anyOf": [{ "type": "string", "format": "quantity" }, { "type": "number" }, relative]
        })
    }
}

/// Where a number comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `post-mortem`, `measured`, `documented`, `calibrated`, `assumed`, or a citation.
    pub from: String,
    /// The plausible range, for assumptions.
    #[serde(default)]
    pub range: Option<String>,
    /// More, for the reader.
    #[serde(default)]
    pub note: Option<String>,
}
