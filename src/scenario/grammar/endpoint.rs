//! Names under which services reach Postgres nodes.

use super::yes;
use crate::engine::time::Span;
use crate::scenario::units::{Limit, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name for a Postgres node, as in `on = "session-reads"`: events, variants and a breaker turn it
/// elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The node behind it. What is under way stays where it is; the next acquire goes to the new one.
    #[schemars(extend("x-live" = true))]
    pub node: String,
    /// The node that takes over while the breaker is open.
    #[serde(default)]
    pub fallback: Option<String>,
    /// When the breaker opens; it needs a `fallback`. One for each service.
    #[serde(default)]
    pub breaker: Option<Breaker>,
}

/// A circuit breaker: what goes through it turns elsewhere while too much of it fails.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// False: it never opens.
    #[serde(default = "yes")]
    #[schemars(extend("x-live" = true))]
    pub enabled: bool,
    /// The share of failures that opens it. A failure is whatever does not end well, and what takes longer
    /// than `slow`.
    #[serde(default = "failures")]
    pub failures: Share,
    /// What takes longer counts as a failure, even if it ends well; at the latest when it has taken so long.
    #[serde(default)]
    pub slow: Limit,
    /// The time over which failures are counted.
    #[serde(default = "window")]
    pub window: Span,
    /// With fewer in the window it does not open.
    #[serde(default = "minimum")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub minimum: u32,
    /// How long it stays open before it tries again.
    #[serde(default = "open_for")]
    pub open_for: Span,
    /// How many must end well, of those that it tries one after the other, for it to close.
    #[serde(default = "probes")]
    #[schemars(range(min = 1, max = 1_000))]
    pub probes: u32,
}

fn failures() -> Share {
    Share(0.5)
}
fn window() -> Span {
    Span::from_secs(10)
}
fn minimum() -> u32 {
    20
}
fn open_for() -> Span {
    Span::from_secs(10)
}
fn probes() -> u32 {
    5
}
