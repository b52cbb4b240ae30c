//! A workload of Kubernetes and its autoscaler: what `kubectl get deployment,hpa -o yaml` or a rendered chart
//! holds.
//!
//! Read are, of a Deployment, StatefulSet or ReplicaSet, the replicas, the pods' grace period and the CPU
//! that their containers request (or are limited to, which Kubernetes takes for the request); of the
//! HorizontalPodAutoscaler for it the bounds and the target for CPU (autoscaling/v1 and v2). Defaults are
//! Kubernetes' (cloud-run.md §3, §5): one replica, 30 s, 80 %. Left out: metrics beside CPU, `behavior`, how
//! a rollout goes, sidecars that restart, and what is not in these files: how many requests a container takes
//! at once is the application's own affair. A minimum of none becomes one.

use super::deployed::{Deployed, Platform, cpus, pool_hints, whole};
use super::document::at;
use serde_json::Value;

/// The kind of a workload; `None` if it is something else.
pub(super) fn workload(document: &Value) -> Option<&str> {
    let kind = document["kind"].as_str()?;
    matches!(kind, "Deployment" | "StatefulSet" | "ReplicaSet").then_some(kind)
}

fn name(document: &Value) -> &str {
    document["metadata"]["name"].as_str().unwrap_or_default()
}

/// The names of the workloads among these documents.
pub fn names(documents: &[Value]) -> Vec<&str> {
    documents.iter().filter(|one| workload(one).is_some()).map(name).collect()
}

/// What runs beside the workloads and is not read: `CronJob nightly`.
pub(super) fn unread(documents: &[Value]) -> Vec<String> {
    let runs = |kind: &str| matches!(kind, "CronJob" | "Job" | "DaemonSet" | "Pod");
    let one = |document: &Value| {
        let kind = document["kind"].as_str().filter(|kind| runs(kind))?;
        Some(format!("{kind} {}", name(document)).trim_end().to_owned())
    };
    documents.iter().filter_map(one).collect()
}

/// Reads the settings of the workload of this name among these documents; without a name, of the only one.
///
/// # Errors
/// There is none, or several; a value is not a number; its autoscaler does not go by CPU.
pub fn read(documents: &[Value], wanted: Option<&str>) -> Result<Deployed, String> {
    let mut found =
        documents.iter().filter(|one| workload(one).is_some() && wanted.is_none_or(|it| it == name(one)));
    let there_are = || match names(documents).join(", ") {
        none if none.is_empty() => "it holds no Deployment, StatefulSet or ReplicaSet".to_owned(),
        names => format!("name one of those it holds: {names}"),
    };
    let document = match (found.next(), found.next(), wanted) {
        (Some(only), None, _) => only,
        (Some(_), Some(_), Some(name)) => {
            return Err(format!("it holds several workloads called `{name}`: give each its own file"));
        }
        _ => return Err(there_are()),
    };
    let spec = &document["spec"];
    let replicas = whole(spec, "replicas")?.unwrap_or(1);
    let drain_s = whole(&spec["template"]["spec"], "terminationGracePeriodSeconds")?.unwrap_or(30);
    let mut deployed = Deployed {
        platform: Platform::Kubernetes,
        name: document["metadata"]["name"].as_str().map(str::to_owned),
        min: replicas,
        max: replicas,
        scaler: Some("fixed"),
        cpu_target: None,
        concurrency: None,
        request_timeout_s: None,
        drain_s: Some(drain_s),
        cpus: requested(&spec["template"]["spec"]["containers"])?,
        pool_hints: pool_hints(&spec["template"]),
    };
    if let Some(autoscaler) = documents.iter().find(|one| scales(one, document)) {
        let spec = &autoscaler["spec"];
        deployed.scaler = Some("hpa");
        deployed.min = whole(spec, "minReplicas")?.unwrap_or(1);
        deployed.max = whole(spec, "maxReplicas")?.unwrap_or(deployed.min);
        deployed.cpu_target = Some(target(spec)?);
    }
    Ok(deployed)
}

/// Whether a document is the autoscaler of a workload.
fn scales(document: &Value, workload: &Value) -> bool {
    let of = &document["spec"]["scaleTargetRef"];
    document["kind"] == "HorizontalPodAutoscaler"
        && of["kind"] == workload["kind"]
        && of["name"] == workload["metadata"]["name"]
}

/// The CPUs that the containers of a pod request together; `None` if none does.
fn requested(containers: &Value) -> Result<Option<f64>, String> {
    let asked = |one| at(one, "resources.requests.cpu").or_else(|| at(one, "resources.limits.cpu"));
    let all = containers.as_array().into_iter().flatten().filter_map(asked).map(cpus);
    let all = all.collect::<Result<Vec<f64>, String>>()?;
    Ok(if all.is_empty() { None } else { Some(all.iter().sum()) })
}

/// The percentage of the requested CPU that an autoscaler aims at.
fn target(spec: &Value) -> Result<u64, String> {
    let Some(metrics) = spec["metrics"].as_array() else {
        return Ok(whole(spec, "targetCPUUtilizationPercentage")?.unwrap_or(80));
    };
    let of_cpu = metrics.iter().find(|metric| at(metric, "resource.name") == Some(&Value::from("cpu")));
    let target = of_cpu.and_then(|metric| at(metric, "resource.target"));
    let percent = target.map(|target| whole(target, "averageUtilization")).transpose()?.flatten();
    percent.ok_or_else(|| {
        "its autoscaler has no `averageUtilization` of CPU, the only metric that the simulation knows: leave \
         the autoscaler out of the file, or take values one by one (docs/settings.md)"
            .to_owned()
    })
}
