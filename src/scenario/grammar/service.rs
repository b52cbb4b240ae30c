//! A container service, such as a Cloud Run service.

use super::{Distribution, MedianAndP99, Named, Pool, RandomDistribution};
use crate::engine::time::Span;
use crate::scenario::units::Share;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A container service, such as a Cloud Run service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Another service whose values stand where this one has none.
    #[serde(default)]
    pub like: Option<String>,
    /// How many containers.
    #[schemars(extend("x-live" = true))]
    pub containers: Containers,
    /// Requests that one container works on at once (Cloud Run: 80).
    #[serde(default = "concurrency")]
    #[schemars(range(min = 1, max = 100_000))]
    pub concurrency: u32,
    /// Who decides how many containers there are.
    #[serde(default)]
    pub scaler: Scaler,
    /// The share of `concurrency` that the scaler aims at; absent: its own (cloud-run.md §1.1: 60 %, §2.2: 70
    /// %).
    #[serde(default)]
    pub concurrency_target: Option<Share>,
    /// The share of a container's CPU that the scaler aims at; absent: its own (cloud-run.md §1.1: 60 %, §3:
    /// 80 %).
    #[serde(default)]
    pub cpu_target: Option<Share>,
    /// CPUs of a container; time in the application counts as CPU. Only the scaler reads it.
    #[serde(default = "cpus")]
    #[schemars(range(min = 0.01, max = 1_000.0))]
    pub cpus: f64,
    /// How long a container that is no longer wanted stays before it drains: a time between zero and this.
    /// Absent: the scaler's own (cloud-run.md §1.2: up to 15 minutes; Knative and Kubernetes keep none).
    #[serde(default)]
    pub idle_retention: Option<Span>,
    /// What a request is told that waited too long for a container. Absent: 429 while the fleet is at its cap
    /// and 500 below it, as on Cloud Run, of which a `fixed` fleet is one here; 503 with `kpa` and `hpa`
    /// (cloud-run.md §5).
    #[serde(default)]
    #[schemars(extend("x-live" = true))]
    pub overload: Option<Overload>,
    /// Which container gets the next request (undocumented for Cloud Run; cloud-run.md §5 takes
    /// least-outstanding).
    #[serde(default)]
    pub routing: Routing,
    /// From the start of a container to its first request (cloud-run.md §4).
    #[serde(default = "startup")]
    pub startup: Distribution,
    /// How long a deploy takes to start all new containers, one after the other (post-mortem: about a
    /// minute).
    #[serde(default = "rollout")]
    pub rollout: Span,
    /// How long a request may wait for a container; then it is told 429, 500 or 503 (`overload`). Absent:
    /// max(10 s, 3.5 × mean startup) (cloud-run.md §1.3); with `kpa` and `hpa` until its `request_timeout`
    /// (§2.3).
    #[serde(default)]
    pub pending_deadline: Option<Span>,
    /// How many requests may wait for a container; one more is told so at once (`overload`). Absent: 10,000
    /// and what all containers may work on, with `kpa` (cloud-run.md §2.3); else any number.
    #[serde(default)]
    pub pending_capacity: Option<u32>,
    /// A request that takes longer ends with 504 (Cloud Run: 300 s).
    #[serde(default = "request_timeout")]
    pub request_timeout: Span,
    /// How long a container that takes no more requests may work on those that it has; what is in flight
    /// then is lost with 503. Absent: `request_timeout` on Cloud Run and with `kpa`, which let requests run
    /// to their end (cloud-run.md §1.6, §2.3); 30 s with `hpa` and `fixed` (§5).
    #[serde(default)]
    pub drain: Option<Span>,
    /// One pool in each container for each Postgres node, by the node's name.
    #[serde(default)]
    pub pool: Named<Pool>,
}

/// What a request is told for which there is no container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Overload {
    /// Too many requests at the cap and a server error below it, as Cloud Run has it.
    #[serde(rename = "429")]
    TooManyRequests,
    /// A server error, so that clients and monitors can tell.
    #[serde(rename = "500")]
    ServerError,
    /// Unavailable, as Knative and Kubernetes have it.
    #[serde(rename = "503")]
    Unavailable,
}

fn concurrency() -> u32 {
    80
}
fn cpus() -> f64 {
    1.0
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
    /// Cloud Run as documented in 2025: concurrency and CPU over one minute (cloud-run.md §1.1).
    #[serde(rename = "cloud-run-2025")]
    CloudRun2025,
    /// Cloud Run as documented in 2026: concurrency over one minute and ten (cloud-run.md §1.1).
    #[serde(rename = "cloud-run-2026")]
    CloudRun2026,
    /// The Knative pod autoscaler, with its panic window (cloud-run.md §2).
    Kpa,
    /// The Kubernetes horizontal pod autoscaler, by CPU (cloud-run.md §3).
    Hpa,
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
