//! What must hold, and where the numbers come from.

use crate::scenario::units::When;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// What must hold in a variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The variant that it is about.
    #[serde(default = "as_written")]
    pub variant: String,
    /// The metric, as in `summary.csv`.
    pub metric: String,
    /// What the metric is of: `postgres.NAME`, `request.NAME`, ….
    #[serde(default)]
    pub of: String,
    /// Only starts of this cause.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// Only from here on.
    #[serde(default)]
    pub after: Option<When>,
    /// Only up to here.
    #[serde(default)]
    pub until: Option<When>,
    /// The value must not be less.
    #[serde(default)]
    pub min: Option<Bound>,
    /// The value must not be more.
    #[serde(default)]
    pub max: Option<Bound>,
    /// Why, for the reader.
    #[serde(default)]
    pub why: String,
}

fn as_written() -> String {
    crate::scenario::AS_WRITTEN.to_owned()
}

/// Why a backend was started, as measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It replaces a connection closed for its age.
    Lifetime,
    /// The pool grew.
    Growth,
    /// The pool was brought back to its floor, or an idle connection is replaced.
    Refill,
    /// It replaces a connection that broke, or a dial that failed.
    Failure,
    /// It is among the first of a new container.
    Boot,
}

impl Cause {
    /// All causes, in the order of tables and charts.
    pub const ALL: [Cause; 5] = [Cause::Lifetime, Cause::Growth, Cause::Refill, Cause::Failure, Cause::Boot];

    /// Its name in scenarios and tables.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Lifetime => "lifetime",
            Cause::Growth => "growth",
            Cause::Refill => "refill",
            Cause::Failure => "failure",
            Cause::Boot => "boot",
        }
    }
}

/// A bound: a value in the metric's unit, or a multiple of what another variant shows with the same seed.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// `"5%"`, `"30ms"`, `"10/s"` or a bare count.
    Value(serde_json::Value),
    /// `{ times = 1.3, of = "variant.as-it-happened" }`.
    Relative(Relative),
}

/// A bound relative to another variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relative {
    /// The factor.
    pub times: f64,
    /// `variant.NAME`.
    pub of: String,
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Bound::Value(value) => value.serialize(serializer),
            Bound::Relative(relative) => relative.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_object() {
            return serde_json::from_value(value).map(Bound::Relative).map_err(de::Error::custom);
        }
        Ok(Bound::Value(value))
    }
}

impl JsonSchema for Bound {
    fn schema_name() -> Cow<'static, str> {
        "Bound".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let relative = generator.subschema_for::<Relative>();
        json_schema!({
            "description": "A value with the metric's unit, or a multiple of another variant's.",
            "anyOf": [{ "type": "string", "format": "quantity" }, { "type": "number" }, relative]
        })
    }
}

/// Where a number comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `post-mortem`, `measured`, `documented`, `calibrated`, `assumed`, or a citation.
    pub from: String,
    /// The plausible range, for assumptions.
    #[serde(default)]
    pub range: Option<String>,
    /// More, for the reader.
    #[serde(default)]
    pub note: Option<String>,
}
