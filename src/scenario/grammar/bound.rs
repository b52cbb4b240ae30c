//! The bounds of an expectation, and the units in which they are written.

use crate::scenario::units::{parse_percentage, parse_rate, parse_span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// What a metric is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A bare count.
    Count,
    /// A share of the whole.
    Share,
    /// A bare ratio.
    Ratio,
    /// A duration, in milliseconds.
    Ms,
    /// A duration, in seconds.
    S,
    /// A rate, per second.
    PerS,
}

impl Unit {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Count => "count",
            Unit::Share => "share",
            Unit::Ratio => "ratio",
            Unit::Ms => "ms",
            Unit::S => "s",
            Unit::PerS => "per_s",
        }
    }

    /// A bound as a number in this unit.
    ///
    /// # Errors
    /// Says how a bound of this unit is written.
    pub fn read(self, written: &serde_json::Value) -> Result<f64, String> {
        let text = written.as_str();
        let (number, form) = match self {
            Unit::Count => (written.as_f64(), "a bare count such as `20`"),
            Unit::Ratio => (written.as_f64(), "a bare ratio such as `1.3`"),
            Unit::Share => (text.and_then(|text| parse_percentage(text).ok()), "a share such as `5%`"),
            Unit::Ms => (
                text.and_then(|text| parse_span(text).ok()).map(|span| span.as_millis()),
                "a duration such as `30ms`",
            ),
            Unit::S => (
                text.and_then(|text| parse_span(text).ok()).map(|span| span.as_secs()),
                "a duration such as `15m`",
            ),
            Unit::PerS => {
                (text.and_then(|text| parse_rate(text).ok()).map(|rate| rate.0), "a rate such as `1330/s`")
            }
        };
        number.ok_or_else(|| format!("`{}` is not {form}", text.map_or(written.to_string(), str::to_owned)))
    }

    /// A difference as a number in this unit: written as a bound is, and it may be below zero.
    ///
    /// # Errors
    /// Says how a bound of this unit is written.
    pub fn read_difference(self, written: &serde_json::Value) -> Result<f64, String> {
        let below_zero = written.as_str().and_then(|text| text.strip_prefix('-'));
        match below_zero.map(|size| self.read(&size.into())) {
            Some(Ok(size)) => Ok(-size),
            _ => self.read(written),
        }
    }
}

/// A bound: a value in the metric's unit, or one relative to what another variant shows with the same seed.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// `"5%"`, `"30ms"`, `"10/s"` or a bare count.
    Value(serde_json::Value),
    /// `{ times = 1.3, of = "variant.as-it-happened" }` or `{ plus = "-10%", of = … }`.
    Relative(Relative),
}

/// A bound relative to another variant: by a factor or by a difference, one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relative {
    /// The factor.
    #[serde(default)]
    pub times: Option<f64>,
    /// What is added, in the metric's unit, such as `"20ms"`, `-3` or, of a share, `"-10%"`: ten points less.
    #[serde(default)]
    #[schemars(schema_with = "difference")]
    pub plus: Option<serde_json::Value>,
    /// `variant.NAME`.
    pub of: String,
}

fn difference(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [{ "type": "string", "format": "difference" }, { "type": "number" }] })
}

impl Relative {
    /// The name of the other variant.
    pub fn variant(&self) -> &str {
        self.of.strip_prefix("variant.").unwrap_or(&self.of)
    }

    /// The bound where the other variant shows `value`.
    pub fn bound(&self, value: f64, unit: Unit) -> Option<f64> {
        match (self.times, &self.plus) {
            (Some(times), None) => Some(value * times),
            (None, Some(plus)) => unit.read_difference(plus).ok().map(|plus| value + plus),
            _ => None,
        }
    }
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
            "description": "A value with the metric's unit, or one relative to another variant's.",
            "anyOf": [{ "type": "string", "format": "quantity" }, { "type": "number" }, relative]
        })
    }
}
