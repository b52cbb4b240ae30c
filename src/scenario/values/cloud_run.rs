//! The YAML of a Cloud Run service: what `gcloud run services describe --format export` writes.
//!
//! Read are the bounds on instances (of the service, or of the revision's template), the concurrency, the
//! request timeout and the CPU limit of the first container. Defaults are Cloud Run's (cloud-run.md §1): no
//! minimum, at most 100 instances, 80 requests each, 300 s, one CPU. Left out: scaling to zero; a minimum of
//! none becomes one.

use super::Values;
use super::document::at;
use serde_json::{Value, json};

/// The settings that the simulation knows.
#[derive(Clone, Debug, PartialEq)]
pub struct CloudRun {
    /// The service's own name.
    pub name: Option<String>,
    /// The fewest instances.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// Requests that one works on at once.
    pub concurrency: u64,
    /// Seconds until 504.
    pub timeout_s: u64,
    /// CPUs of an instance.
    pub cpus: f64,
}

/// Reads the settings of a service.
///
/// # Errors
/// It is not a service, or a value is not a number.
pub fn read(document: &Value) -> Result<CloudRun, String> {
    let template = document["spec"].get("template").filter(|_| document["kind"] == "Service");
    let template = template.ok_or_else(|| not_a_service(document))?;
    let of_service =
        |name: &str| whole(&document["metadata"]["annotations"], &format!("run.googleapis.com/{name}"));
    let of_template =
        |name: &str| whole(&template["metadata"]["annotations"], &format!("autoscaling.knative.dev/{name}"));
    let bound = |name: &str| Ok::<_, String>(of_service(name)?.or(of_template(name)?));
    let cpu = at(template, "spec.containers.0.resources.limits.cpu");
    Ok(CloudRun {
        name: document["metadata"]["name"].as_str().map(str::to_owned),
        min: bound("minScale")?.unwrap_or(0),
        max: bound("maxScale")?.unwrap_or(100),
        concurrency: whole(&template["spec"], "containerConcurrency")?.filter(|n| *n > 0).unwrap_or(80),
        timeout_s: whole(&template["spec"], "timeoutSeconds")?.unwrap_or(300),
        cpus: cpu.map_or(Ok(1.0), cpus)?,
    })
}

/// What it is instead, as far as one knows, and what to do with it.
fn not_a_service(document: &Value) -> String {
    let wanted = "it is not a Cloud Run service: `kind: Service` with `spec.template`";
    match document["kind"].as_str() {
        Some(kind @ ("Deployment" | "StatefulSet" | "ReplicaSet")) => format!(
            "{wanted}; of a {kind} take values one by one, with `[values_from.NAME.file]` (docs/settings.md)"
        ),
        _ => wanted.to_owned(),
    }
}

impl CloudRun {
    /// Its values for a service of a scenario.
    pub fn values(&self, service: &str) -> Values {
        let path = |key: &str| format!("service.{service}.{key}");
        Values::from_iter([
            (path("containers.min"), json!(self.min.max(1))),
            (path("containers.max"), json!(self.max)),
            (path("concurrency"), json!(self.concurrency)),
            (path("request_timeout"), json!(format!("{}s", self.timeout_s))),
            (path("cpus"), json!(self.cpus)),
        ])
    }
}

/// More of anything is a mistake.
const MOST: u64 = 1_000_000;

/// A whole number, which annotations write as text.
fn whole(table: &Value, key: &str) -> Result<Option<u64>, String> {
    let value = &table[key];
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    match (value, number) {
        (Value::Null, _) => Ok(None),
        (_, Some(number)) if number <= MOST => Ok(Some(number)),
        (other, _) => Err(format!("`{key}` is {other}, not a whole number of at most {MOST}")),
    }
}

/// `2`, `"2"` or `"1500m"`.
fn cpus(value: &Value) -> Result<f64, String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (number, scale) = text.strip_suffix('m').map_or((text.as_str(), 1.0), |millis| (millis, 1000.0));
    let cpus = number.parse::<f64>().ok().map(|cpus| cpus / scale);
    let cpus = cpus.filter(|cpus| *cpus > 0.0 && cpus.is_finite());
    cpus.ok_or_else(|| format!("`cpu` is {value}, not a number of CPUs"))
}
