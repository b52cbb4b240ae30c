//! A central pooler in front of a Postgres node: PgBouncer and its kin (pools.md §4).

use super::{Distribution, Pool};
use crate::engine::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A central pooler in front of a Postgres node. Every pool that dials the node dials the pooler instead, and
/// shares its connections to the node (pools.md §4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pooler {
    /// How long a client keeps a connection to the node.
    pub mode: PoolMode,
    /// Processes that share the clients at random; each is one thread and has a `pool` of its own (PgBouncer
    /// with `so_reuseport`; Cloud SQL's managed pooling: a quarter of the vCPUs).
    #[serde(default = "one_process")]
    #[schemars(range(min = 1, max = 255))]
    pub processes: u32,
    /// The most clients of one process; one more is refused (PgBouncer's `max_client_conn`: 100).
    #[serde(default = "max_clients")]
    #[schemars(range(min = 1, max = 1_000_000), extend("x-live" = true))]
    pub max_clients: u32,
    /// CPU of its process for a login: a client's at the pooler, and its own at the node (assumed: most of it
    /// is the private key's part of a TLS handshake).
    #[serde(default = "login_cpu")]
    #[schemars(extend("x-live" = true))]
    pub login_cpu: Span,
    /// CPU of its process to pass on a statement, and again its answer (benchmarks and reports of one busy
    /// PgBouncer: 30 to 70 us for both together).
    #[serde(default = "message_cpu")]
    #[schemars(extend("x-live" = true))]
    pub message_cpu: Span,
    /// One trip between a container and the pooler, instead of `network.database`.
    #[serde(default = "trip")]
    #[schemars(extend("x-live" = true))]
    pub client_trip: Distribution,
    /// One trip between the pooler and the node, instead of `network.database`.
    #[serde(default = "trip")]
    #[schemars(extend("x-live" = true))]
    pub server_trip: Distribution,
    /// Round trips before a client's connection is ready: TCP, TLS, authentication (as at a node).
    #[serde(default = "handshake_trips")]
    #[schemars(range(min = 1, max = 100))]
    pub handshake_trips: u32,
    /// Connections to the node, of each process: `max` is PgBouncer's `default_pool_size`, `acquire_timeout`
    /// its `query_wait_timeout`, `max_lifetime` its `server_lifetime`.
    pub pool: Pool,
}

/// How long a client of a pooler keeps a connection to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PoolMode {
    /// From the first statement of a transaction to the answer to its last; a statement outside of any is a
    /// transaction of its own.
    Transaction,
    /// From its first statement until it closes; then the connection is reset, and goes to the next.
    Session,
}

fn one_process() -> u32 {
    1
}
fn max_clients() -> u32 {
    100
}
fn login_cpu() -> Span {
    Span::from_micros(500)
}
fn message_cpu() -> Span {
    Span::from_micros(20)
}
fn trip() -> Distribution {
    Distribution::Constant(Span::from_micros(250))
}
fn handshake_trips() -> u32 {
    6
}
