//! Where work comes from: open-loop traffic and background jobs.

use super::{Distribution, yes};
use crate::engine::time::Span;
use crate::scenario::units::{Rate, Share};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// An open-loop source of requests: arrivals do not wait for answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// False: nothing arrives. If no event enables it, it does not exist in this run.
    #[serde(default = "yes")]
    #[schemars(extend("x-live" = true))]
    pub enabled: bool,
    /// The class of its requests.
    pub request: String,
    /// Arrivals, a Poisson process.
    #[schemars(extend("x-live" = true))]
    pub rate: Arrivals,
    /// Whose requests they are: kept apart in every table.
    #[serde(default)]
    pub label: Label,
    /// Traffic shaping: the share that the edge rejects with 429 before it reaches a service.
    #[serde(default)]
    #[schemars(extend("x-live" = true))]
    pub rejected: Share,
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
    /// Work that no user waits for. What a queue hands on always is.
    Background,
}

impl Label {
    /// All labels, in the order of the grammar.
    pub const ALL: [Label; 3] = [Label::Legitimate, Label::Abusive, Label::Background];

    /// Its name in scenarios and tables.
    pub fn name(self) -> &'static str {
        match self {
            Label::Legitimate => "legitimate",
            Label::Abusive => "abusive",
            Label::Background => "background",
        }
    }

    /// What follows the name of a class in texts and pictures; nothing for users.
    pub fn remark(self) -> &'static str {
        match self {
            Label::Legitimate => "",
            Label::Abusive => " (abusive)",
            Label::Background => " (background)",
        }
    }

    /// What the requests of a class with it are called: users' by the class alone.
    pub fn of_class(self, class: &str) -> String {
        match self {
            Label::Legitimate => class.to_owned(),
            other => format!("{class}.{}", other.name()),
        }
    }

    /// The class and the label that such a name means.
    pub fn parted(name: &str) -> (&str, Label) {
        let ends = |label: &Label| Some((name.strip_suffix(label.name())?.strip_suffix('.')?, *label));
        Label::ALL.iter().find_map(ends).unwrap_or((name, Label::Legitimate))
    }
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
    /// A CSV file with the columns `t_s` and `rate_per_s`, ascending from 0; each rate holds to the next row.
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

/// A background job: work on a node's CPU at fixed times, on sessions of its own. Each takes a connection
/// slot of the node while it works, or is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// False: it does not begin. If no event enables it, it does not exist in this run.
    #[serde(default = "yes")]
    #[schemars(extend("x-live" = true))]
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
