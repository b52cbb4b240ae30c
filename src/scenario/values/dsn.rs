//! A Postgres connection string with pgxpool's parameters, as a URL or as `key=value` pairs.
//!
//! Only the parameters that begin with `pool_`, and `connect_timeout`, are looked at: no host, user or
//! password is kept or shown. Defaults are those of pgxpool 5.10 (pools.md §1a).

use super::Values;
use crate::scenario::units::parse_span;
use serde_json::{Value, json};

/// Parameter, key of a pool, pgxpool's default.
const DURATIONS: [(&str, &str, &str); 4] = [
    ("pool_max_conn_lifetime", "max_lifetime", "1h"),
    ("pool_max_conn_lifetime_jitter", "max_lifetime_jitter", "0s"),
    ("pool_max_conn_idle_time", "idle_timeout", "30m"),
    ("pool_health_check_period", "sweep", "1m"),
];

/// The settings of a pool in a connection string.
#[derive(Clone, Debug, PartialEq)]
pub struct Pgxpool {
    /// `pool_max_conns`, if given: the default depends on the machine.
    pub max: Option<u64>,
    /// `pool_min_conns`, or zero.
    pub min: u64,
    /// Key of a pool and its value, as a scenario writes it.
    pub durations: Vec<(&'static str, String)>,
    /// `connect_timeout`, or pgxpool's two minutes.
    pub connect_timeout: String,
}

/// Reads a connection string.
///
/// # Errors
/// A parameter is not what pgxpool takes, or unknown although it begins with `pool_`.
pub fn read(text: &str) -> Result<Pgxpool, String> {
    let parameters = parameters(text)?;
    let get =
        |name: &str| parameters.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let known = ["pool_max_conns", "pool_min_conns", "pool_min_idle_conns"];
    let unknown = parameters.iter().find(|(key, _)| {
        let of_ours = known.contains(&key.as_str()) || DURATIONS.iter().any(|(name, ..)| name == key);
        key.starts_with("pool_") && !of_ours
    });
    if let Some((key, _)) = unknown {
        return Err(format!("the connection string has an unknown parameter `{key}`"));
    }
    let count = |name: &str| match get(name).map(str::parse::<u64>) {
        Some(Err(_)) => Err(format!("`{name}` of the connection string is not a whole number")),
        other => Ok(other.and_then(Result::ok)),
    };
    let mut durations = Vec::new();
    for (name, key, default) in DURATIONS {
        // Go takes a bare zero for a duration.
        let value = get(name).unwrap_or(default);
        let value = if value == "0" { "0s" } else { value };
        let span = parse_span(value).map_err(|why| format!("`{name}` of the connection string: {why}"))?;
        // pgxpool: a lifetime of zero is no lifetime.
        let none = key == "max_lifetime" && span.0 == 0;
        durations.push((key, if none { "none".to_owned() } else { span.to_string() }));
    }
    let connect = count("connect_timeout")?.filter(|seconds| *seconds > 0).unwrap_or(120);
    Ok(Pgxpool {
        max: count("pool_max_conns")?,
        min: count("pool_min_conns")?.unwrap_or(0).max(count("pool_min_idle_conns")?.unwrap_or(0)),
        durations,
        connect_timeout: format!("{connect}s"),
    })
}

impl Pgxpool {
    /// Its values for a pool of a scenario.
    pub fn values(&self, pool: &str) -> Values {
        let path = |key: &str| format!("{pool}.{key}");
        let mut values = Values::from_iter([(path("min"), json!(self.min))]);
        values.extend(self.max.map(|max| (path("max"), json!(max))));
        values.extend(self.durations.iter().map(|(key, value)| (path(key), setting(key, value))));
        values.insert(path("connect_timeout"), json!(self.connect_timeout));
        values
    }
}

fn setting(key: &str, value: &str) -> Value {
    if key == "sweep" { json!({ "every": value }) } else { json!(value) }
}

/// The parameters of a URL's query, or of `key=value` pairs.
fn parameters(text: &str) -> Result<Vec<(String, String)>, String> {
    let text = text.trim();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        let query = text.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        return Ok(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(owned).collect());
    }
    let pairs: Vec<_> = text.split_whitespace().filter_map(|pair| pair.split_once('=')).map(owned).collect();
    let wrong = "it is no connection string: neither postgres://… nor key=value pairs";
    if pairs.is_empty() { Err(wrong.to_owned()) } else { Ok(pairs) }
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.trim_matches('\'').to_owned())
}
