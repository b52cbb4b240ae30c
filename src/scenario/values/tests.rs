//! Settings as teams have them, and what becomes of them in a scenario.

use crate::scenario::Document;
use crate::scenario::grammar::{Overload, Scaler};
use std::fs;
use tempfile::TempDir;

const SERVICE: &str = r#"
apiVersion: v1
kind: ConfigMap
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: frontend-api
  annotations: { run.googleapis.com/minScale: "40" }
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/minScale: "1"
        autoscaling.knative.dev/maxScale: '120'
    spec:
      containerConcurrency: 50
      containers:
        - image: example
          resources: { limits: { cpu: 1500m, memory: 2Gi } }
"#;

const FLEET: &str = r#"
schema_version = 1
title    = "Settings from where they live"
duration = "10s"
[postgres.primary]
cores           = 4
max_connections = 5000
[service.api]
scaler     = "cloud-run-2026"
containers = { min = 2, max = 2 }
[service.api.pool.primary]
preset       = "pgxpool"
max          = 3
max_lifetime = "7m"
[query.lookup]
cpu = "1ms"
[request.sign-in]
service = "api"
steps   = [{ query = "lookup", on = "primary" }]
[traffic.users]
request = "sign-in"
rate    = "10/s"
"#;

const URL: &str = "postgres://app:secret@db/app?pool_max_conns=25&pool_max_conn_lifetime=1h30m0s&pool_max_conn_lifetime_jitter=90s&sslmode=require";

/// A fleet with these values, beside these files.
fn fleet(values: &str, files: &[(&str, &str)]) -> Result<Document, String> {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    fs::write(dir.path().join("fleet.toml"), format!("{FLEET}{values}")).unwrap();
    let loaded = Document::load(&dir.path().join("fleet.toml"), &[], &[]);
    loaded.map(|(document, _)| document).map_err(|problems| problems.render(false))
}

#[test]
fn a_cloud_run_service_tells_its_bounds_and_the_rest_is_the_default() {
    let values = "[values_from.api]\ncloud-run = { file = \"service.yaml\", service = \"api\" }\n";
    let document = fleet(values, &[("service.yaml", SERVICE)]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let scenario = document.scenario("as-written").unwrap();
    let service = &scenario.file.service["api"];
    assert_eq!((service.containers.min, service.containers.max), (40, 120), "the service's minimum counts");
    assert_eq!((service.concurrency, service.cpus), (50, 1.5));
    assert_eq!(service.request_timeout.as_secs(), 300.0);
    let resolved = scenario.resolved();
    assert!(resolved.contains("values_from api (fleet.toml:"), "{resolved}");
    assert!(!resolved.contains("[values_from"), "what is resolved stands for itself");
    assert!(Document::from_text("resolved.toml", &resolved).is_ok());
}

/// Requests come to the container with `ports`; what stands beside it is another's CPU.
#[test]
fn the_cpu_is_that_of_the_container_that_requests_come_to() {
    let own = "        - image: example\n          resources: { limits: { cpu: 1500m, memory: 2Gi } }\n";
    let ports = own.replace("image: example", "image: example\n          ports: [{ containerPort: 8080 }]");
    let proxy = "        - image: proxy\n          resources: { limits: { cpu: 250m } }\n";
    let values = "[values_from.api]\ncloud-run = { file = \"service.yaml\", service = \"api\" }\n";
    for (containers, cpus) in [
        (format!("{proxy}{ports}"), 1.5),
        (format!("{ports}{proxy}"), 1.5),
        (format!("{proxy}{own}"), 0.25),
        (format!("{proxy}        - image: bare\n          ports: [{{ containerPort: 80 }}]\n"), 1.0),
    ] {
        let yaml = SERVICE.replace(own, &containers);
        let document = fleet(values, &[("service.yaml", &yaml)]).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(document.scenario("as-written").unwrap().file.service["api"].cpus, cpus, "{containers}");
    }
}

/// Where scaling is manual the bounds are ignored; a template may spell its bounds as Knative does.
#[test]
fn a_cloud_run_service_of_a_fixed_number() {
    let service = |of_service: &str, of_template: &str| {
        let yaml = format!(
            "kind: Service\nmetadata: {{ name: api, annotations: {{ {of_service} }} }}\n\
             spec: {{ template: {{ metadata: {{ annotations: {{ {of_template} }} }}, spec: {{}} }} }}\n"
        );
        let values = "[values_from.api]\ncloud-run = { file = \"service.yaml\", service = \"api\" }\n";
        let service = fleet(values, &[("service.yaml", &yaml)])?.scenario("as-written").unwrap().file.service
            ["api"]
            .clone();
        Ok::<_, String>((service.containers.min, service.containers.max, service.scaler))
    };
    let bounds = "autoscaling.knative.dev/min-scale: \"2\", autoscaling.knative.dev/max-scale: \"30\"";
    let (manual, count) =
        ("run.googleapis.com/scalingMode: manual", "run.googleapis.com/manualInstanceCount: \"5\"");
    assert_eq!(service(&format!("{manual}, {count}"), bounds), Ok((5, 5, Scaler::Fixed)));
    assert!(matches!(service(count, bounds), Ok((2, 30, _))), "the count counts only where it is manual");
    let said = service(manual, bounds).unwrap_err();
    assert!(said.contains("its scaling is manual"), "{said}");
}

#[test]
fn a_connection_string_sets_the_pool_and_nothing_else_of_it_is_kept() {
    let values = r#"[values_from.pool]
pgxpool = { file = ".env", at = "DATABASE_URL", pool = "service.api.pool.primary" }
"#;
    let env = format!("# settings\nexport DATABASE_URL=\"{URL}\"\n");
    let document = fleet(values, &[(".env", &env)]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let scenario = document.scenario("as-written").unwrap();
    let pool = &scenario.file.service["api"].pool["primary"];
    let seconds = |limit: crate::scenario::units::Limit| limit.0.map(|span| span.as_secs());
    assert_eq!((pool.max, pool.min), (25, 0));
    assert_eq!(seconds(pool.max_lifetime), Some(5400.0), "over what the file says");
    assert_eq!((pool.jitter().as_secs(), seconds(pool.idle_timeout)), (90.0, Some(1800.0)));
    assert!(!scenario.resolved().contains("secret"));
}

/// pgx waits two minutes for a connection unless the string says otherwise; a zero says nothing.
#[test]
fn a_connection_string_sets_the_time_to_connect() {
    let values = "[values_from.pool]\npgxpool = { file = \"dsn\", pool = \"service.api.pool.primary\" }\n";
    for (text, seconds) in [
        (URL.to_owned(), 120.0),
        (format!("{URL}&connect_timeout=0"), 120.0),
        (format!("{URL}&connect_timeout=7"), 7.0),
    ] {
        let document = fleet(values, &[("dsn", &text)]).unwrap_or_else(|wrong| panic!("{wrong}"));
        let pool = &document.scenario("as-written").unwrap().file.service["api"].pool["primary"];
        assert_eq!(pool.connect_timeout.0.map(|span| span.as_secs()), Some(seconds), "{text}");
    }
}

#[test]
fn values_are_taken_by_path_from_any_format() {
    let values = r#"
[values_from.app.file]
file = "app.json"
[values_from.app.file.values]
"service.*.pool.*.max"          = "db.pools.0.max"
"service.*.pool.*.max_lifetime" = "db.lifetime"
[values_from.app.file.units]
"service.*.pool.*.max_lifetime" = "s"
[values_from.more]
file = { file = "more.yml", values = { "traffic.users.rate" = "rate" } }
"#;
    let files = [
        ("app.json", r#"{ "db": { "pools": [{ "max": 12 }], "lifetime": 900 } }"#),
        ("more.yml", "rate: 70/s"),
    ];
    let document = fleet(values, &files).unwrap_or_else(|wrong| panic!("{wrong}"));
    let file = &document.scenario("as-written").unwrap().file;
    let pool = &file.service["api"].pool["primary"];
    assert_eq!((pool.max, pool.max_lifetime.0.map(|span| span.as_secs())), (12, Some(900.0)));
    assert_eq!(
        file.traffic["users"].rate.to_owned(),
        crate::scenario::grammar::Arrivals::Constant(crate::scenario::units::Rate(70.0))
    );
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let pool = "pool = \"service.api.pool.primary\"";
    for (values, files, word) in [
        ("cloud-run = { file = \"none.yaml\", service = \"api\" }".to_owned(), vec![], "cannot be read"),
        (
            "cloud-run = { file = \"a.yaml\", service = \"api\" }".to_owned(),
            vec![("a.yaml", "kind: Job")],
            "not a Cloud Run service",
        ),
        (
            "cloud-run = { file = \"a.yaml\", service = \"api\" }".to_owned(),
            vec![("a.yaml", "kind: Deployment")],
            "a Deployment is read with `kubernetes",
        ),
        ("cloud-run = { file = \"a.yaml\", service = \"aip\" }".to_owned(), vec![("a.yaml", SERVICE)], "aip"),
        (format!("pgxpool = {{ env = \"NO_SUCH_VARIABLE_HERE\", {pool} }}"), vec![], "is not set"),
        (format!("pgxpool = {{ {pool} }}"), vec![], "either `env` or `file`"),
        (
            format!("pgxpool = {{ file = \"dsn\", {pool} }}"),
            vec![("dsn", "pool_max_conn=3 host=x")],
            "pgxpool does not know",
        ),
        (
            format!("pgxpool = {{ file = \"dsn\", {pool} }}"),
            vec![("dsn", "pool_max_conns=many")],
            "whole number",
        ),
        ("file = { file = \"a.ini\", values = {} }".to_owned(), vec![("a.ini", "")], "neither in .toml"),
        (
            "file = { file = \"a.json\", values = { \"duration\" = \"b.c\" } }".to_owned(),
            vec![("a.json", "{}")],
            "has no `b.c`",
        ),
        ("flie = 3".to_owned(), vec![], "did you mean `file`"),
    ] {
        let wrong = fleet(&format!("[values_from.x]\n{values}\n"), &files).expect_err(&values);
        assert!(wrong.contains(word) && wrong.contains("fleet.toml:"), "{values}: {wrong}");
    }
}

/// The example of docs/settings.md: every value of an environment is a text.
#[test]
fn the_environment_of_a_deployment_is_read_by_path() {
    let page = include_str!("../../../docs/settings.md");
    let start = page.find("[values_from.deployment.file]").expect("the example");
    let values = &page[start..start + page[start..].find("```").expect("its end")];
    let deployment = r#"
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: proxy
        - name: api
          env:
            - { name: DB_POOL_MAX, value: "14" }
            - { name: DB_LIFETIME_SECONDS, value: "600" }
"#;
    let document =
        fleet(values, &[("deployment.yaml", deployment)]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let pool = &document.scenario("as-written").unwrap().file.service["api"].pool["primary"];
    assert_eq!((pool.max, pool.max_lifetime.0.map(|span| span.as_secs())), (14, Some(600.0)));

    let wrong = fleet(values, &[("deployment.yaml", &deployment.replace("\"14\"", "many"))]);
    let wrong = wrong.expect_err("many is no number");
    for word in ["service.api.pool.primary.max`", "deployment.yaml", "env.DB_POOL_MAX.value", "many"] {
        assert!(wrong.contains(word), "{word}: {wrong}");
    }
}

/// Two workloads and the autoscaler of one, as kubectl lists them.
const WORKLOADS: &str = r#"
kind: List
items:
  - kind: Deployment
    metadata: { name: orders }
    spec:
      replicas: 7
      template:
        spec:
          terminationGracePeriodSeconds: 45
          containers:
            - { name: app, resources: { requests: { cpu: 1500m }, limits: { cpu: "4" } } }
            - { name: proxy, resources: { limits: { cpu: 500m } } }
  - kind: StatefulSet
    metadata: { name: sessions }
    spec: { replicas: 3, template: { spec: { containers: [{ name: app }] } } }
  - kind: HorizontalPodAutoscaler
    spec:
      scaleTargetRef: { kind: Deployment, name: orders }
      minReplicas: 5
      maxReplicas: 40
      metrics:
        - { type: Resource, resource: { name: memory, target: { type: Utilization, averageUtilization: 90 } } }
        - { type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 65 } } }
"#;

#[test]
fn a_workload_of_kubernetes_tells_its_bounds_and_its_autoscaler() {
    let read = |name: &str, yaml: &str| {
        let values =
            format!("[values_from.api]\nkubernetes = {{ file = \"fleet.yaml\", service = \"api\"{name} }}\n");
        let document = fleet(&values, &[("fleet.yaml", yaml)])?;
        Ok::<_, String>(document.scenario("as-written").unwrap().file.service["api"].clone())
    };
    let orders = read(", name = \"orders\"", WORKLOADS).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!((orders.containers.min, orders.containers.max), (5, 40), "the autoscaler's, not the replicas");
    assert_eq!((orders.scaler, orders.cpus), (Scaler::Hpa, 2.0), "requests; a limit where there is none");
    assert_eq!(orders.cpu_target.map(|share| share.0), Some(0.65));
    assert_eq!(orders.drain.map(|span| span.as_secs()), Some(45.0));
    let sessions = read(", name = \"sessions\"", WORKLOADS).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!((sessions.containers.min, sessions.containers.max), (3, 3));
    assert_eq!([&orders, &sessions].map(|service| service.overload), [Some(Overload::Unavailable); 2]);
    assert_eq!((sessions.scaler, sessions.drain.map(|span| span.as_secs())), (Scaler::Fixed, Some(30.0)));

    for (name, yaml, word) in [
        ("", WORKLOADS.to_owned(), "name one of those it holds: orders, sessions"),
        (", name = \"order\"", WORKLOADS.to_owned(), "name one of those it holds: orders, sessions"),
        ("", "kind: Job".to_owned(), "holds no Deployment"),
        (
            ", name = \"orders\"",
            WORKLOADS.replace("name: sessions", "name: orders"),
            "give each its own file",
        ),
        (
            ", name = \"orders\"",
            WORKLOADS.replace("name: cpu", "name: gpu"),
            "no `averageUtilization` of CPU",
        ),
        (", name = \"orders\"", WORKLOADS.replace("maxReplicas: 40", "maxReplicas: many"), "maxReplicas"),
    ] {
        let wrong = read(name, &yaml).expect_err(word);
        assert!(wrong.contains(word) && wrong.contains("fleet.toml:"), "{wrong}");
        assert!(wrong.contains("`fleet.yaml`"), "{wrong}");
    }
}
