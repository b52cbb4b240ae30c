//! Values that live elsewhere: in what is deployed, rather than copied into a scenario.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Values that are read from where they live, each time that the scenario is: laid over the file, under
/// `--with` files, variants and `--set`. Files are looked for beside the scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ValuesFrom {
    /// The YAML of a Cloud Run (or Knative) service.
    CloudRun(CloudRunValues),
    /// The YAML of a workload of Kubernetes, and of its autoscaler.
    Kubernetes(KubernetesValues),
    /// A connection string with pgxpool's parameters.
    Pgxpool(PgxpoolValues),
    /// A TOML, JSON or YAML file, value by value.
    File(FileValues),
}

/// Containers, concurrency, request timeout and CPUs of a service. What the YAML leaves out stands at Cloud
/// Run's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudRunValues {
    /// The YAML file.
    pub file: String,
    /// The service of the scenario that it describes.
    pub service: String,
}

/// Containers, scaler, CPU target, drain and CPUs of a service, from a Deployment, StatefulSet or ReplicaSet
/// and its HorizontalPodAutoscaler. What the YAML leaves out stands at Kubernetes' default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubernetesValues {
    /// The YAML file, or what `kubectl get deployment,hpa -o yaml` writes.
    pub file: String,
    /// The workload's own name, where the file holds several.
    #[serde(default)]
    pub name: Option<String>,
    /// The service of the scenario that it describes.
    pub service: String,
}

/// Settings of a pool. What the string leaves out stands at pgxpool's default, except for the most
/// connections, which depends on the machine. Nothing else of the string is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PgxpoolValues {
    /// The environment variable that holds it.
    #[serde(default)]
    pub env: Option<String>,
    /// The file that holds it: alone, as a line `NAME=…` of a `.env` file, or at a path in TOML, JSON or
    /// YAML.
    #[serde(default)]
    pub file: Option<String>,
    /// Its name or path in the file.
    #[serde(default)]
    pub at: Option<String>,
    /// The pool that it is for: `service.NAME.pool.NAME`.
    pub pool: String,
}

/// Values of a file by their paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileValues {
    /// The file: `.toml`, `.json`, `.yaml` or `.yml`.
    pub file: String,
    /// A path of the scenario to the path of its value in the file, such as `database.pool.max`; a list's
    /// elements have numbers, or go by their `name`.
    pub values: IndexMap<String, String>,
    /// The unit of a bare number in the file, by the path of the scenario, such as `s`.
    #[serde(default)]
    pub units: IndexMap<String, String>,
}
