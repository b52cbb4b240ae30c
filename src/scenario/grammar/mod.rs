//! The grammar of a scenario file: one struct a table, as it stands after overlays, presets and defaults.
//!
//! These structs are what an engineer writes (design: "named tables, so a path can point at one thing") and
//! what the model reads; nothing is optional that has a default. Their doc comments become the descriptions
//! in `schema/scenario.schema.json`. Each default names its source: `pools.md`, `postgres.md` and
//! `cloud-run.md` are the project's collected notes on pool sources, Postgres measurements and Cloud Run
//! documentation (what each section says, and its own sources: `docs/sources.md`); "assumed" is ours.
//!
//! A field marked `x-live` may be changed by an event while the simulation runs. So may a service's `pool`,
//! `concurrency` and `startup`, which a container reads when it starts: for those that start later. Every
//! other field is read once.

mod bound;
mod device;
mod distribution;
mod edge;
mod endpoint;
mod expect;
mod pool;
mod pooler;
mod postgres;
mod queue;
mod request;
mod service;
mod sweep;
mod timeline;
mod traffic;
mod values;

pub use bound::*;
pub use device::*;
pub use distribution::*;
pub use edge::*;
pub use endpoint::*;
pub use expect::*;
pub use pool::*;
pub use pooler::*;
pub use postgres::*;
pub use queue::*;
pub use request::*;
pub use service::*;
pub use sweep::*;
pub use timeline::*;
pub use traffic::*;
pub use values::*;

use crate::engine::time::Span;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
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
    /// Takes so long that `herdsim test DIR` leaves it out unless it is named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub slow: bool,
    /// Trips between boxes.
    #[serde(default)]
    pub network: Network,
    /// Postgres nodes.
    #[serde(default)]
    pub postgres: Named<Postgres>,
    /// Names under which services reach Postgres nodes, so that an event or a breaker may turn them
    /// elsewhere.
    #[serde(default)]
    pub endpoint: Named<Endpoint>,
    /// What stands before the services.
    #[serde(default)]
    pub edge: Edge,
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
    /// Closed-loop clients that refresh a session token.
    #[serde(default)]
    pub device: Named<Device>,
    /// Queues of background work.
    #[serde(default)]
    pub queue: Named<WorkQueue>,
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
    /// Values that are read from where they live, each time.
    #[serde(default)]
    pub values_from: Named<ValuesFrom>,
    /// The points at which `sweep` runs the scenario, unless its command line says otherwise.
    #[serde(default)]
    pub sweep: Option<ScenarioSweep>,
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
    /// The same revision has served for longer than a connection lifetime: births uniform over it, caches
    /// warm.
    #[default]
    Steady,
    /// A deploy of every service began at the first instant; the old revision (steady) serves until the new
    /// takes over.
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

fn yes() -> bool {
    true
}
