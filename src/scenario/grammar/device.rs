//! Closed-loop clients: devices that keep a session token fresh.

use super::{Between, Distribution, RandomDistribution, yes};
use crate::engine::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Devices that keep a session token fresh: each tab asks again some time after its last answer (cloud-run.md
/// §6.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// False: there are none in this run.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The class of its requests; what a client does about a failure is that class's `retry`.
    pub request: String,
    /// How many devices.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub count: u32,
    /// Tabs of a device, on average; each refreshes for itself.
    #[serde(default = "one")]
    #[schemars(range(min = 1.0, max = 1_000.0))]
    pub tabs: f64,
    /// How many refreshes a tab sends where one would do: 1 without the bug of 2025.
    #[serde(default = "one")]
    #[schemars(range(min = 1.0, max = 1_000.0))]
    pub duplicates: f64,
    /// The age at which a token is refreshed.
    #[serde(default = "refresh_age")]
    pub refresh_age: Distribution,
    /// How long a client that has given up waits before it begins anew.
    #[serde(default = "poll")]
    pub poll: Span,
}

impl Device {
    /// How many refresh at once, each after its own last answer.
    pub fn loops(&self) -> f64 {
        f64::from(self.count) * self.tabs * self.duplicates
    }
}

fn one() -> f64 {
    1.0
}
fn refresh_age() -> Distribution {
    Distribution::Random(RandomDistribution::Uniform(Between {
        min: Span::from_secs(45),
        max: Span::from_secs(50),
    }))
}
fn poll() -> Span {
    Span::from_secs(5)
}
