//! `init`: a newcomer's first command.

use crate::desk::Desk;

const TEMPLATES: [&str; 2] = ["quickstart", "fleet"];

#[test]
fn a_newcomer_gets_a_scenario_its_schema_and_the_next_step() {
    let desk = Desk::new();
    let (out, err) = desk.ends("init", 0);
    assert_eq!(out, "", "results only on stdout");
    assert!(
        err.contains("wrote quickstart.toml") && err.contains("herdsim compare quickstart.toml"),
        "{err}"
    );
    assert!(desk.read("quickstart.toml").starts_with("#:schema ./scenario.schema.json\n"));
    assert!(desk.read("scenario.schema.json").contains("schema_version"));
}

#[test]
fn every_template_is_listed_and_passes_the_check() {
    let desk = Desk::new();
    let (list, _) = desk.ends("init --list-templates", 0);
    for name in TEMPLATES {
        assert!(list.lines().any(|line| line.starts_with(name)), "{list}");
        desk.ends(&format!("init --template {name}"), 0);
        let (out, _) = desk.ends(&format!("check {name}.toml"), 0);
        assert!(out.starts_with(&format!("{name}.toml: ok")), "{out}");
    }
    assert_eq!(list.lines().count(), TEMPLATES.len());
}

#[test]
fn every_variant_of_every_template_resolves() {
    let desk = Desk::new();
    for (name, variants) in [
        ("quickstart", vec!["no-jitter", "jitter"]),
        ("fleet", vec!["jitter", "calm-jobs", "no-attack", "old-postgres"]),
    ] {
        desk.ends(&format!("init --template {name}"), 0);
        for variant in variants {
            desk.ends(&format!("check {name}.toml --print-resolved --variant {variant}"), 0);
        }
    }
}

#[test]
fn what_is_there_is_not_overwritten() {
    let desk = Desk::new();
    desk.write("mine.toml", "precious");
    let (_, err) = desk.ends("init mine.toml", 3);
    assert!(err.contains("mine.toml") && err.contains("there already"), "{err}");
    assert_eq!(desk.read("mine.toml"), "precious");
}

#[test]
fn a_dash_is_stdout_and_writes_no_file() {
    let desk = Desk::new();
    let (out, err) = desk.ends("init --template fleet -", 0);
    assert!(out.starts_with("#:schema ./scenario.schema.json\n"), "{out}");
    assert_eq!(err, "");
    assert!(!desk.path("fleet.toml").exists() && !desk.path("scenario.schema.json").exists());
}

#[test]
fn a_new_directory_is_made() {
    let desk = Desk::new();
    desk.ends("init new/place/a.toml", 0);
    assert!(desk.path("new/place/scenario.schema.json").is_file());
}

#[test]
fn an_unknown_template_names_those_there_are() {
    let (_, err) = Desk::new().ends("init --template slowstart", 2);
    assert!(err.contains("quickstart, fleet"), "{err}");
}

const SERVICE: &str = "kind: Service\nmetadata: { name: front }\nspec:\n  template:\n    metadata: { annotations: { autoscaling.knative.dev/minScale: '3', autoscaling.knative.dev/maxScale: '9' } }\n    spec: { containerConcurrency: 20 }\n";

#[test]
fn a_first_scenario_is_written_from_what_a_team_has() {
    let desk = Desk::new();
    desk.write("service.yaml", SERVICE);
    let dsn = "postgres://app:geheim@db/app?pool_max_conns=5&pool_max_conn_lifetime=10m";
    desk.ends(&format!("init --from service.yaml --dsn {dsn}"), 0);
    let text = desk.read("front.toml");
    for part in ["min = 3, max = 9", "concurrency     = 20", "max                 = 5", "\"10m\"", "assumed"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("geheim"), "a secret has no business in a scenario");
    let (out, err) = desk.ends("check front.toml --sources", 0);
    assert!(out.contains("service.yaml") && out.contains("the connection string"), "{out}{err}");
    assert!(!err.contains("no `[source]`") && !err.contains("without a source"), "{err}");
    // The real settings are seen, not a copy.
    desk.write("service.yaml", &SERVICE.replace("'9'", "'12'"));
    let (out, _) = desk.ends("check front.toml --print-resolved", 0);
    assert!(out.contains("max = 12  # values_from front (front.toml:"), "{out}");
    desk.ends("init --from service.yaml deeper/copy.toml", 0);
    desk.ends("check deeper/copy.toml", 0);
}

/// What runs beside the services is not lost without a word.
#[test]
fn what_is_not_read_is_told() {
    let desk = Desk::new();
    let plumbing = "---\nkind: ConfigMap\nmetadata: { name: settings }\n";
    desk.write("front.yaml", &(SERVICE.to_owned() + plumbing));
    let (_, err) = desk.ends("init --from front.yaml front.toml", 0);
    assert!(!err.contains("holds more"), "{err}");
    let workload = "kind: Deployment\nmetadata: { name: orders }\nspec: { template: { spec: { containers: [{ name: app }] } } }\n";
    let others = "---\nkind: CronJob\nmetadata: { name: nightly }\n---\nkind: DaemonSet\n";
    desk.write("fleet.yaml", &(workload.to_owned() + others + plumbing));
    let (_, err) = desk.ends("init --from fleet.yaml mine.toml", 0);
    assert!(
        err.contains("fleet.yaml holds more that runs: CronJob nightly, DaemonSet; `[job.NAME]`"),
        "{err}"
    );
}

/// Nothing is written that `check` would refuse.
#[test]
fn what_no_scenario_takes_is_told_instead_of_written() {
    let desk = Desk::new();
    let workload = "kind: Deployment\nmetadata: { name: orders }\nspec: { replicas: 6, template: { spec: { containers: [{ resources: { requests: { cpu: 99999999999999999999 } } }] } } }\n";
    let scaler = "---\nkind: HorizontalPodAutoscaler\nspec: { scaleTargetRef: { kind: Deployment, name: orders }, targetCPUUtilizationPercentage: 0 }\n";
    for (yaml, why) in [
        (SERVICE.replace("'3'", "'30'"), "`front` has at least 30 containers and at most 9"),
        (SERVICE.replace("'9'", "'900000'"), "`containers.max` must be at most 100000"),
        (workload.to_owned(), "`orders`: `cpus` must be at most 1000"),
        (workload.replace("99999999999999999999", "1") + scaler, "`cpu_target` of nothing"),
    ] {
        desk.write("bad.yaml", &yaml);
        let (_, err) = desk.ends("init --from bad.yaml mine.toml", 2);
        assert!(err.contains("bad.yaml: ") && err.contains(why), "{err}");
        assert!(!desk.path("mine.toml").exists());
    }
}

#[test]
fn a_snapshot_alone_makes_a_scenario() {
    let desk = Desk::new();
    let row = |n: usize| format!("2026-01-01 00:00:{:02}+00,app,10.0.0.{},idle\n", n % 60, n % 4);
    let rows: String = (0..30).map(row).collect();
    desk.write("activity.csv", &format!("backend_start,application_name,client_addr,state\n{rows}"));
    let (out, _) = desk.ends("init --activity activity.csv -", 0);
    assert!(out.contains("min = 4, max = 4") && out.contains("max                 = 8"), "{out}");
    // Where the pool's size is known it gives no value, and is told beside.
    desk.write("service.yaml", SERVICE);
    let dsn = "postgres://u@h/d?pool_max_conns=20";
    let line = format!("init --from service.yaml --dsn {dsn} --activity activity.csv -");
    let (out, _) = desk.ends(&line, 0);
    let told = "# activity.csv shows 30 connections of 4 clients: 7 to 8 each; the pool may hold 20.";
    assert!(out.contains(told) && out.contains("max                 = 20"), "{out}");
    desk.ends("init --activity activity.csv mine.toml", 0);
    desk.ends("check mine.toml", 0);
    assert!(!out.contains("BUNCHED"), "{out}");
    let born = |n: usize| format!("2026-01-01 00:00:10.{n:02}+00,app,10.0.0.{},idle\n", n % 4);
    let at_once: String = (0..30).map(born).collect();
    desk.write("bunched.csv", &format!("backend_start,application_name,client_addr,state\n{at_once}"));
    let (out, _) = desk.ends("init --activity bunched.csv -", 0);
    assert!(out.contains("THEY ARE BUNCHED NOW, as `herdsim inspect bunched.csv` tells"), "{out}");
    let (_, err) = desk.ends("init --dsn-env NO_SUCH_VARIABLE_HERE", 2);
    assert!(err.contains("is not set"), "{err}");
    let (_, err) = desk.ends("init --from tiny.toml", 2);
    assert!(err.contains("not a Cloud Run service"), "{err}");
}

/// Neither days of simulated time, nor a cure that there is already, nor a mean that no client has.
#[test]
fn a_first_scenario_fits_the_lifetime_and_the_jitter_that_there_are() {
    let desk = Desk::new();
    desk.write("service.yaml", SERVICE);
    for (n, (of_pool, wanted, not)) in [
        ("lifetime=10m", "jitter\" = \"2m\"", "no-jitter"),
        ("lifetime=1h&pool_max_conn_lifetime_jitter=30s", "jitter\" = \"12m\"", "no-jitter"),
        ("lifetime=17m", "jitter\" = \"4m\"", "no-jitter"),
        ("lifetime=1h&pool_max_conn_lifetime_jitter=12m", "[variant.no-jitter.set]", "[variant.jitter"),
        ("lifetime=24h&pool_max_conn_lifetime_jitter=1m", "duration = \"3h\"", "[variant.no-jitter"),
        ("lifetime=0", "live for ever", "jitter\" = "),
        ("lifetime=1000h", "# Nothing is expected", "[expect"),
    ]
    .into_iter()
    .enumerate()
    {
        let dsn = format!("postgres://u@h/d?pool_max_conns=20&pool_max_conn_{of_pool}");
        desk.ends(&format!("init --from service.yaml --dsn {dsn} mine-{n}.toml"), 0);
        let text = desk.read(&format!("mine-{n}.toml"));
        assert!(text.contains(wanted) && !text.contains(not), "{of_pool}: {text}");
        let rate = text.lines().find_map(|line| line.strip_prefix("rate    = \"")).unwrap();
        let rate: f64 = rate.split('/').next().unwrap().parse().unwrap();
        let hours = if of_pool.contains("24h") { 24.0 } else { 1.0 };
        assert!(rate * 4.0 * 3600.0 * hours <= 3e7, "a kick test of four lifetimes: {text}");
        for variant in text.lines().filter_map(|line| line.strip_prefix("[variant.")?.strip_suffix(']')) {
            if !variant.ends_with(".set") {
                desk.ends(&format!("check mine-{n}.toml --print-resolved --variant {variant}"), 0);
                let own = variant != "jitter" && !of_pool.contains("jitter");
                let (_, err) = desk.ends(&format!("check mine-{n}.toml --variant {variant}"), 0);
                // That the fleet has no jitter is true of it, and is told.
                assert!(own || !err.contains("warning"), "{variant}: {err}");
            }
        }
    }
    let rows = [1, 1, 2, 3].map(|client| format!("2026-01-01 00:00:00+00,10.0.0.{client},idle\n")).concat();
    desk.write("few.csv", &format!("backend_start,client_addr,state\n{rows}"));
    let (out, _) = desk.ends("init --dsn postgres://u@h/d?pool_max_conns=20 --activity few.csv -", 0);
    assert!(out.contains("# few.csv shows 4 connections of 3 clients: 1 to 2 each;"), "{out}");
}

#[test]
fn every_workload_of_kubernetes_becomes_a_service() {
    let desk = Desk::new();
    let workload = |name: &str| {
        format!(
            "kind: Deployment\nmetadata: {{ name: {name} }}\nspec: {{ replicas: 6, template: {{ spec: {{ containers: [] }} }} }}\n"
        )
    };
    let scaler = "kind: HorizontalPodAutoscaler\nspec: { scaleTargetRef: { kind: Deployment, name: orders }, minReplicas: 4, maxReplicas: 9 }\n";
    desk.write("fleet.yaml", &[&workload("orders"), &workload("carts"), scaler].join("---\n"));
    desk.ends("init --from fleet.yaml mine.toml", 0);
    let (out, _) = desk.ends("check mine.toml --sources", 0);
    assert!(out.contains("service.carts.containers") && out.contains("fleet.yaml"), "{out}");
    let (out, _) = desk.ends("check mine.toml --print-resolved", 0);
    assert!(out.contains("max = 9  # values_from orders (mine.toml:"), "{out}");
    assert!(out.contains("max = 6  # values_from carts (mine.toml:"), "{out}");
}

/// Whoever set a pool in the environment is told that it was seen and not understood; secrets are not repeated.
#[test]
fn settings_of_a_pool_in_the_environment_are_pointed_at() {
    let env = "env: [{ name: DB_POOL_MAX, value: \"20\" }, { name: POOL_URL, value: \"postgres://u:secret@h\" }, \
               { name: PORT, value: \"8080\" }, { name: POOL_HASH, value: \"3f9ab27c\" }, \
               { name: POOL_PASSWORD, value: \"20202020\" }, \
               { name: POOL_KEY, valueFrom: { secretKeyRef: { key: k } } }]";
    let desk = Desk::new();
    let spec = format!("spec: {{ template: {{ spec: {{ containers: [{{ {env} }}] }} }} }}\n");
    for kind in ["apps/v1\nkind: Deployment", "serving.knative.dev/v1\nkind: Service"] {
        desk.write("api.yaml", &format!("apiVersion: {kind}\nmetadata: {{ name: api }}\n{spec}"));
        let (out, _) = desk.ends("init --from api.yaml -", 0);
        let hint = "[service.api.pool.primary]\n# Its environment has DB_POOL_MAX=20: put in here what";
        assert!(out.contains(hint) && !out.contains("secret"), "{out}");
    }
}
