//! What stands before the services: session tokens from the edge while the origin is out.

use super::{Breaker, Distribution};
use crate::engine::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands before the services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Whether the edge answers the classes in `serves` by itself.
    #[serde(default)]
    #[schemars(extend("x-live" = true))]
    pub origin_outage_mode: OriginOutageMode,
    /// The request classes that it can answer.
    #[serde(default)]
    pub serves: Vec<String>,
    /// How long an answer takes it.
    #[serde(default = "time")]
    pub time: Distribution,
    /// When `automatic` turns it on: by the failures of `serves`, as clients see them.
    #[serde(default)]
    pub breaker: Option<Breaker>,
}

impl Default for Edge {
    fn default() -> Self {
        Edge { origin_outage_mode: OriginOutageMode::Off, serves: Vec::new(), time: time(), breaker: None }
    }
}

/// Whether the edge answers by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OriginOutageMode {
    /// Never.
    #[default]
    Off,
    /// Always.
    On,
    /// While its breaker is open.
    Automatic,
}

fn time() -> Distribution {
    Distribution::Constant(Span::from_millis(5))
}
