//! What a platform was told to run: the settings of a service that a simulation knows.

use super::Values;
use serde_json::{Value, json};

/// Where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Cloud Run, or Knative.
    CloudRun,
    /// Kubernetes.
    Kubernetes,
}

/// A service as it is deployed. `None`: the platform has no such setting, or it was not said.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployed {
    /// Where it runs.
    pub platform: Platform,
    /// Its own name.
    pub name: Option<String>,
    /// The fewest containers.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// The scaler, where it is known.
    pub scaler: Option<&'static str>,
    /// The share of its CPUs that the scaler aims at, in percent.
    pub cpu_target: Option<u64>,
    /// Requests that one container works on at once.
    pub concurrency: Option<u64>,
    /// Seconds until 504.
    pub request_timeout_s: Option<u64>,
    /// Seconds that a container may go on for when it takes no more.
    pub drain_s: Option<u64>,
    /// CPUs of a container.
    pub cpus: Option<f64>,
    /// Entries of the environment that may be settings of a pool, such as `DB_POOL_MAX=20`. What a program
    /// makes of them only its authors know.
    pub pool_hints: Vec<String>,
}

impl Deployed {
    /// What was said, by the keys of a service of a scenario.
    pub fn settings(&self) -> Vec<(&'static str, Value)> {
        let seconds = |seconds: u64| json!(format!("{seconds}s"));
        let all = [
            ("containers.min", Some(json!(self.min.max(1)))),
            ("containers.max", Some(json!(self.max.max(1)))),
            ("scaler", self.scaler.map(|name| json!(name))),
            ("overload", (self.platform == Platform::Kubernetes).then(|| json!("503"))),
            ("cpu_target", self.cpu_target.map(|percent| json!(format!("{percent}%")))),
            ("concurrency", self.concurrency.map(|requests| json!(requests))),
            ("request_timeout", self.request_timeout_s.map(seconds)),
            ("drain", self.drain_s.map(seconds)),
            ("cpus", self.cpus.map(|cpus| json!(cpus))),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    /// Its values for a service of a scenario.
    pub fn values(&self, service: &str) -> Values {
        let path = |key: &str| format!("service.{service}.{key}");
        self.settings().into_iter().map(|(key, value)| (path(key), value)).collect()
    }
}

/// What the environment of a pod's containers seems to say of a pool: numbers and durations only, and none
/// that is named as a secret, so that none is repeated.
pub(super) fn pool_hints(template: &Value) -> Vec<String> {
    const TELLING: [&str; 4] = ["POOL", "LIFETIME", "CONNECTIONS", "MAX_CONN"];
    const SECRET: [&str; 5] = ["PASS", "PWD", "SECRET", "TOKEN", "KEY"];
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let entries = list(&template["spec"], "containers").into_iter().flat_map(|one| list(&one, "env"));
    let hint = |entry: Value| {
        let (name, value) = (entry["name"].as_str()?, entry["value"].as_str()?);
        let plain = value.len() <= 12
            && value.starts_with(|c: char| c.is_ascii_digit())
            && value.chars().all(|c| c.is_ascii_digit() || ".dhmnsu".contains(c));
        let upper = name.to_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| upper.contains(word));
        (plain && has(&TELLING) && !has(&SECRET)).then(|| format!("{name}={value}"))
    };
    entries.filter_map(hint).collect()
}

/// More of anything is a mistake.
const MOST: u64 = 1_000_000;

/// A whole number, which annotations write as text.
pub(super) fn whole(table: &Value, key: &str) -> Result<Option<u64>, String> {
    let value = &table[key];
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    match (value, number) {
        (Value::Null, _) => Ok(None),
        (_, Some(number)) if number <= MOST => Ok(Some(number)),
        (other, _) => Err(format!("`{key}` is {other}, not a whole number of at most {MOST}")),
    }
}

/// `2`, `"2"` or `"1500m"`.
pub(super) fn cpus(value: &Value) -> Result<f64, String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (number, scale) = text.strip_suffix('m').map_or((text.as_str(), 1.0), |millis| (millis, 1000.0));
    let cpus = number.parse::<f64>().ok().map(|cpus| cpus / scale);
    let cpus = cpus.filter(|cpus| *cpus > 0.0 && cpus.is_finite());
    cpus.ok_or_else(|| format!("`cpu` is {value}, not a number of CPUs"))
}
