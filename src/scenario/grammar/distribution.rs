//! Random durations: constants, textbook distributions and measured values.

use crate::engine::dist::Dist;
use crate::engine::time::Span;
use crate::scenario::Tables;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// A distribution of durations: a bare duration is a constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same: `"7ms"`.
    Constant(Span),
    /// One of the random kinds: `{ exponential = "0.5ms" }`.
    Random(RandomDistribution),
}

/// The random distributions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RandomDistribution {
    /// Evenly spread between two durations.
    Uniform(Between),
    /// Exponential with this mean.
    Exponential(Span),
    /// Log-normal by median and 99th percentile.
    LogNormal(MedianAndP99),
    /// Pareto (type I): heavy-tailed.
    Pareto(ScaleAndShape),
    /// Drawn from measured values: a CSV file with a header, one value in seconds a row in its first column.
    Empirical(CsvFile),
}

/// The ends of a uniform distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// The least value.
    pub min: Span,
    /// The greatest value.
    pub max: Span,
}

/// A log-normal distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MedianAndP99 {
    /// Half of the values are below.
    pub median: Span,
    /// 99 % of the values are below.
    pub p99: Span,
}

/// A Pareto distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleAndShape {
    /// The least value.
    pub scale: Span,
    /// The tail's exponent; the mean is infinite at 1 and below.
    #[schemars(range(min = 1.01, max = 1000.0))]
    pub shape: f64,
}

/// A table in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvFile {
    /// Path, relative to the scenario file.
    pub csv: String,
}

impl Distribution {
    /// Ready to draw from; nothing if it is of measured values and their file has not been read.
    pub fn dist(&self, tables: &Tables) -> Option<Dist> {
        Some(match self {
            Distribution::Constant(span) => Dist::Constant(*span),
            Distribution::Random(RandomDistribution::Uniform(ends)) => {
                Dist::Uniform { min: ends.min, max: ends.max }
            }
            Distribution::Random(RandomDistribution::Exponential(mean)) => Dist::Exponential { mean: *mean },
            Distribution::Random(RandomDistribution::LogNormal(of)) => Dist::log_normal(of.median, of.p99),
            Distribution::Random(RandomDistribution::Pareto(of)) => {
                Dist::Pareto { scale: of.scale, shape: of.shape }
            }
            Distribution::Random(RandomDistribution::Empirical(file)) => {
                let rows = tables.get(&file.csv)?.rows.iter();
                Dist::empirical(rows.map(|row| Span::from_secs_f64(row[0])).collect())
            }
        })
    }

    /// The mean; nothing if a file that it needs has not been read.
    pub fn mean(&self, tables: &Tables) -> Option<Span> {
        self.dist(tables).map(|dist| dist.mean())
    }

    /// As long as it gets, near enough to tell a length from none; nothing if a file that it needs has not
    /// been read.
    pub fn greatest(&self, tables: &Tables) -> Option<Span> {
        Some(match self {
            Distribution::Constant(span) => *span,
            Distribution::Random(RandomDistribution::Uniform(ends)) => ends.max,
            Distribution::Random(RandomDistribution::Exponential(mean)) => *mean,
            Distribution::Random(RandomDistribution::LogNormal(of)) => of.p99,
            Distribution::Random(RandomDistribution::Pareto(of)) => of.scale,
            Distribution::Random(RandomDistribution::Empirical(file)) => {
                let rows = tables.get(&file.csv)?.rows.iter();
                rows.map(|row| Span::from_secs_f64(row[0])).max()?
            }
        })
    }
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Distribution::Constant(span) => span.serialize(serializer),
            Distribution::Random(random) => random.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_string() {
            return serde_json::from_value(value).map(Distribution::Constant).map_err(de::Error::custom);
        }
        serde_json::from_value(value).map(Distribution::Random).map_err(de::Error::custom)
    }
}

impl JsonSchema for Distribution {
    fn schema_name() -> Cow<'static, str> {
        "Distribution".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let constant = generator.subschema_for::<Span>();
        let random = generator.subschema_for::<RandomDistribution>();
        json_schema!({
            "description": "A duration (a constant), or one of the random kinds.",
            "anyOf": [constant, random]
        })
    }
}
