//! Queries, request classes, and what their clients do about a failure.

use super::Distribution;
use crate::engine::time::Span;
use crate::scenario::units::{Limit, Rate, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// CPU that it burns on the node.
    #[schemars(extend("x-live" = true))]
    pub cpu: Distribution,
    /// Pages that it misses in the cache, on average; each is read from disk, one after the other.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100_000.0), extend("x-live" = true))]
    pub reads: f64,
    /// Whether it writes: its commit waits for the flush of the write-ahead log.
    #[serde(default)]
    pub writes: bool,
    /// The row that it updates: locked from here until its commit is durable. Absent: it locks nothing, such
    /// as an append. A transaction takes its locks in the order of the tables `[query.*]`, so that none
    /// deadlock.
    #[serde(default)]
    pub lock: Option<Lock>,
    /// Further pages that an update misses which is not HOT, on average: those of its indexes (postgres.md
    /// §8).
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100_000.0), extend("x-live" = true))]
    pub index_pages: f64,
}

impl Query {
    /// Whether it changes anything: a read-only node refuses it, and its commit is flushed.
    pub fn changes(&self) -> bool {
        self.writes || self.lock.is_some()
    }
}

/// The rows that a query locks one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// How many rows; each query updates one of them, all equally often. 1: a hot row.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub rows: u32,
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
    /// What its handler does about a failed query or transaction: it runs that again, on another connection;
    /// absent: nothing.
    #[serde(default)]
    pub handler_retry: Option<Retry>,
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
    /// What the retries of all clients of the class together may not exceed; absent: nothing.
    #[serde(default)]
    pub budget: Option<Budget>,
}

/// A retry budget, a token bucket of ten seconds: first attempts fill it, retries empty it (Finagle, tower:
/// 20 % and 10/s).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Retries for each first attempt.
    pub ratio: Share,
    /// Retries that there may be besides.
    #[serde(default = "budget_min")]
    pub min: Rate,
}

fn budget_min() -> Rate {
    Rate(10.0)
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
    /// Between the first backoff and three times the wait before, up to `cap`; `factor` does not count.
    Decorrelated,
}

/// How a request ended. Exactly one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Answered.
    Ok,
    /// The client left.
    ClientTimeout,
    /// The edge rejected it, or no container came free in time and the fleet was at its cap.
    #[serde(rename = "429")]
    TooManyRequests,
    /// No container came free in time though the fleet was below its cap, or a write met a read-only node
    /// (25006).
    #[serde(rename = "500")]
    ServerError,
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
    /// Postgres' clock on the wait for a row lock ran out (55P03).
    LockTimeout,
    /// The connection broke.
    ConnectionLost,
}

impl Outcome {
    /// All outcomes, in the order of tables and charts.
    pub const ALL: [Outcome; 12] = [
        Outcome::Ok,
        Outcome::ClientTimeout,
        Outcome::TooManyRequests,
        Outcome::ServerError,
        Outcome::Unavailable,
        Outcome::GatewayTimeout,
        Outcome::PoolTimeout,
        Outcome::ConnectRefused,
        Outcome::QueryTimeout,
        Outcome::StatementTimeout,
        Outcome::LockTimeout,
        Outcome::ConnectionLost,
    ];

    /// Its name in scenarios and tables.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::ClientTimeout => "client-timeout",
            Outcome::TooManyRequests => "429",
            Outcome::ServerError => "500",
            Outcome::Unavailable => "503",
            Outcome::GatewayTimeout => "504",
            Outcome::PoolTimeout => "pool-timeout",
            Outcome::ConnectRefused => "connect-refused",
            Outcome::QueryTimeout => "query-timeout",
            Outcome::StatementTimeout => "statement-timeout",
            Outcome::LockTimeout => "lock-timeout",
            Outcome::ConnectionLost => "connection-lost",
        }
    }
}

/// One step of a request: exactly one of `app`, `query`, `transaction` and `enqueue`.
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
    /// Time in the application while the connection is held: after `query`, before it is given back; in a
    /// `transaction` after its first query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think: Option<Distribution>,
    /// Work that is put into this queue, for nobody to wait for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enqueue: Option<String>,
    /// The Postgres node or the endpoint that `query` or `transaction` runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// How often `query` is repeated, one after the other, or `enqueue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub times: Option<u32>,
}
