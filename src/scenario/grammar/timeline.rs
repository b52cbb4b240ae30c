//! What happens at a time, and what differs in a compared run: both are overlays.

use super::{Overlay, yes};
use crate::scenario::units::{Share, When};
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
    /// When what it `set` is given back; absent: never.
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

impl Event {
    /// Whether it is over as soon as it has begun: a deed is, whatever follows from it and whatever it sets
    /// for good; a setting alone lasts until it is given back.
    pub fn is_instant(&self) -> bool {
        self.deed.is_some() && self.until.is_none()
    }
}

/// What is done rather than set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Deed {
    /// A new revision of this service: every container is replaced, over its `rollout`. `"*"`: of every
    /// service.
    Deploy(String),
    /// This Postgres node restarts: every connection drops, and none is taken for its `restart_time`.
    Restart(String),
    /// This replica and the node that it replays change places: every connection of both drops, and the new
    /// primary takes none before all is replayed and its `promote_time` has passed. The name
    /// stays with the role and the hardware with the machine: from then on the replica's `cores`,
    /// `contention`, `start_cpu`, `disk` and `state` are those that the primary has, and the other way round.
    Promote(String),
    /// The standby of this node takes over its disk, whatever the node does: every connection drops, and none
    /// is taken before the standby has recovered.
    Failover(String),
    /// Containers die at once, without a drain.
    Crash(Crash),
}

/// Containers that die at once, with what they have in flight (503) and with their pools; each that was to
/// stay is launched anew at once, as things stand, and takes its `startup`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// Whose. `"*"`: those of every service.
    pub service: String,
    /// How many of all that there are, by lot.
    #[serde(default = "all")]
    pub share: Share,
}

fn all() -> Share {
    Share(1.0)
}

/// What differs from the file in a compared run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Why, for the reader.
    #[serde(default)]
    pub why: String,
    /// What the record says that it did; absent: nothing is recorded. The report says where a simulated
    /// effect differs.
    #[serde(default)]
    pub history: Option<History>,
    /// Paths and the values laid over them.
    #[serde(default)]
    pub set: Overlay,
}

/// What happened when a variant's remedy was tried in life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum History {
    /// The spikes were gone for good.
    Cures,
    /// They came back a lifetime or more later.
    Delays,
    /// They were fewer or shorter.
    Eases,
    /// They went on.
    NoChange,
    /// They were more or longer.
    MakesWorse,
    /// It was tried; what it did is not recorded.
    Unknown,
}

impl History {
    /// Its name in scenarios and tables.
    pub fn name(self) -> &'static str {
        match self {
            History::Cures => "cures",
            History::Delays => "delays",
            History::Eases => "eases",
            History::NoChange => "no-change",
            History::MakesWorse => "makes-worse",
            History::Unknown => "unknown",
        }
    }
}
