//! The YAML of a Cloud Run service: what `gcloud run services describe --format export` writes.
//!
//! Read are the bounds on instances (of the service, or of the revision's template), or their fixed number
//! where scaling is manual and the bounds are ignored; the concurrency, the request timeout and the CPU limit
//! of the container that has `ports`: requests come in there, and the others are its sidecars. Where none
//! has, it is the first's. Defaults are Cloud Run's (cloud-run.md §1): no minimum, at most 100 instances, 80
//! requests each, 300 s, one CPU. A service of Knative looks the same and is taken for one of Cloud Run. Left
//! out: scaling to zero; a minimum of none becomes one.

use super::deployed::{Deployed, Platform, cpus, pool_hints, whole};
use super::document::{at, is_cloud_run};
use serde_json::Value;

/// Reads the settings of the service among these documents.
///
/// # Errors
/// There is none, or several; or a value is not a number.
pub fn read(documents: &[Value]) -> Result<Deployed, String> {
    let mut services = documents.iter().filter(|one| is_cloud_run(one));
    let (service, more) = (services.next(), services.count());
    if more > 0 {
        return Err(format!("it holds {} services: give each its own file", more + 1));
    }
    let service = service.ok_or_else(|| not_a_service(documents))?;
    let template = &service["spec"]["template"];
    let annotations = &service["metadata"]["annotations"];
    let of_service = |name: &str| whole(annotations, &format!("run.googleapis.com/{name}"));
    let of_template =
        |name: &str| whole(&template["metadata"]["annotations"], &format!("autoscaling.knative.dev/{name}"));
    let bound = |name: &str, spelt: &str| {
        Ok::<_, String>(of_service(name)?.or(of_template(name)?).or(of_template(spelt)?))
    };
    let manual = annotations["run.googleapis.com/scalingMode"] == "manual";
    let count = of_service("manualInstanceCount")?.filter(|_| manual);
    if manual && count.is_none() {
        return Err(
            "its scaling is manual, and no `run.googleapis.com/manualInstanceCount` says how many".to_owned()
        );
    }
    let cpu = ingress(template).and_then(|container| at(container, "resources.limits.cpu"));
    let concurrency = whole(&template["spec"], "containerConcurrency")?.filter(|n| *n > 0);
    // A zero is none, as Knative's defaults have it.
    let timeout = whole(&template["spec"], "timeoutSeconds")?.filter(|n| *n > 0);
    Ok(Deployed {
        platform: Platform::CloudRun,
        name: service["metadata"]["name"].as_str().map(str::to_owned),
        min: count.or(bound("minScale", "min-scale")?).unwrap_or(0),
        max: count.or(bound("maxScale", "max-scale")?).unwrap_or(100),
        scaler: count.map(|_| "fixed"),
        cpu_target: None,
        concurrency: Some(concurrency.unwrap_or(80)),
        request_timeout_s: Some(timeout.unwrap_or(300)),
        drain_s: None,
        cpus: Some(cpu.map_or(Ok(1.0), cpus)?),
        pool_hints: pool_hints(template),
    })
}

/// The container that requests come to: of several the one with `ports`, and of one that one.
fn ingress(template: &Value) -> Option<&Value> {
    let containers = at(template, "spec.containers")?.as_array()?;
    let open = |container: &&Value| at(container, "ports.0").is_some();
    containers.iter().find(open).or(containers.first())
}

/// What there is instead, as far as one knows, and what to do with it.
fn not_a_service(documents: &[Value]) -> String {
    let wanted = "it is not a Cloud Run service: `kind: Service` with `spec.template`";
    match documents.iter().find_map(super::kubernetes::workload) {
        Some(kind) => format!("{wanted}; a {kind} is read with `kubernetes = …` (docs/settings.md)"),
        None => wanted.to_owned(),
    }
}
