//! What a bare `sweep` asks of the scenario.

use super::Named;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The points at which `sweep` runs the scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioSweep {
    /// How the axes make points.
    #[serde(default)]
    pub mode: Mode,
    /// How many points are drawn; of `random` only.
    #[serde(default = "points")]
    #[schemars(range(min = 1, max = 10_000))]
    pub points: u32,
    /// Which points are drawn; of `random` only.
    #[serde(default = "draw")]
    pub draw: u64,
    /// The variants that are run at each point; those that the expectations name unless given.
    #[serde(default)]
    pub variants: Vec<String>,
    /// Paths, and the values that each takes.
    #[serde(default)]
    pub axes: Named<AxisValues>,
}

impl Default for ScenarioSweep {
    fn default() -> Self {
        let axes = Named::new();
        ScenarioSweep { mode: Mode::Grid, points: points(), draw: draw(), variants: vec![], axes }
    }
}

fn points() -> u32 {
    64
}

fn draw() -> u64 {
    1
}

/// How axes make points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every combination, the last axis moving fastest.
    #[default]
    Grid,
    /// The first values of all axes, then the second, and so on.
    Zip,
    /// Points by chance that spread evenly along every axis (a Latin hypercube).
    Random,
}

/// The values of an axis: a list; or a text as on the command line, `"1,2,4"`, `"0s..180s:7"` (seven values)
/// or, for random points, `"0s..180s"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AxisValues(pub serde_json::Value);

impl JsonSchema for AxisValues {
    fn schema_name() -> Cow<'static, str> {
        "AxisValues".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A list; or a text: `\"1,2,4\"`, `\"0s..180s:7\"` or, for random points, `\"0s..180s\"`.",
            "anyOf": [{ "type": "array", "items": {} }, { "type": "string" }]
        })
    }
}
