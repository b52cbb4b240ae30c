//! What happens at a time, and what differs in a compared run: both are overlays.

use super::{Overlay, yes};
use crate::scenario::units::When;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// A new revision of this service: every container is replaced, over its `rollout`. `"*"`: of every
    /// service.
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
