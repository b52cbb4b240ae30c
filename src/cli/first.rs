//! A first scenario from what a team has: YAML of what is deployed, connection string, `pg_stat_activity`.
//!
//! What was found is written down with where it was found, and read anew by `[values_from]` where that can be
//! done without a secret in the file. What nobody knows is assumed, and marked so: the machine of the
//! database, the traffic, what a query costs.

use crate::engine::time::Span;
use crate::report::human;
use crate::scenario::units::parse_span;
use crate::scenario::values::deployed::{Deployed, Platform};
use crate::scenario::values::dsn::Pgxpool;
use std::fmt::Write;

/// What was found.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Services, each with the file that describes it.
    pub services: Vec<(String, Deployed)>,
    /// The pool's settings, and the environment variable that holds them, if one does.
    pub pool: Option<(Pgxpool, Option<String>)>,
    /// What a snapshot shows.
    pub activity: Option<Activity>,
}

/// The connections of a snapshot.
#[derive(Debug)]
pub struct Activity {
    /// Its file.
    pub file: String,
    /// How many each client has.
    pub each: Vec<usize>,
    /// Whether `inspect` would call them bunched.
    pub bunched: bool,
}

impl Activity {
    fn most(&self) -> usize {
        self.each.iter().copied().max().unwrap_or(0)
    }
}

/// The cores that are assumed, the CPU of a query in milliseconds, and how busy the cores shall be.
const CORES: f64 = 4.0;
const QUERY_MS: f64 = 1.0;
const BUSY: f64 = 0.5;

/// The jitter that prevents herds, as a share of the lifetime.
const JITTER: f64 = 0.2;
/// Connections live for so long where nobody says otherwise: pgxpool's default.
const LIFETIME: Span = Span::from_secs(3600);
/// No run is longer.
const LONGEST: Span = Span::from_secs(3 * 3600);
/// Of longer lifetimes no kick test is asked: it takes four of them.
const LONGEST_LIFETIME: Span = Span::from_secs(24 * 3600);

/// One service, as it will be written.
struct Service {
    name: String,
    file: Option<String>,
    deployed: Deployed,
    pool_max: u64,
}

/// The scenario's text.
pub fn text(found: &Evidence) -> String {
    let services = services(found);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut out, found, &services);
    for service in &services {
        let _ = service_tables(&mut out, found, service);
    }
    let _ = traffic(&mut out, found, &services);
    let _ = questions(&mut out, found);
    let _ = values_from(&mut out, found, &services);
    let _ = sources(&mut out, found, &services);
    out
}

fn services(found: &Evidence) -> Vec<Service> {
    let pool = found.pool.as_ref().and_then(|(pool, _)| pool.max);
    let clients = found.activity.as_ref().map_or(1, |activity| activity.each.len().max(1));
    // pgxpool's default is four or the number of CPUs; a snapshot shows at least what is open now.
    let open = found.activity.as_ref().map_or(0, Activity::most);
    let pool_max = pool.unwrap_or((open as u64).max(4));
    if found.services.is_empty() {
        let deployed = by_default(clients as u64);
        return vec![Service { name: "api".to_owned(), file: None, deployed, pool_max }];
    }
    let mut services = Vec::new();
    for (file, deployed) in &found.services {
        let name = name(deployed.name.as_deref(), &services);
        services.push(Service { name, file: Some(file.clone()), deployed: deployed.clone(), pool_max });
    }
    services
}

/// A service of so many containers, of which nothing else is known.
fn by_default(containers: u64) -> Deployed {
    Deployed {
        platform: Platform::CloudRun,
        name: None,
        min: containers,
        max: containers,
        scaler: None,
        cpu_target: None,
        concurrency: Some(80),
        request_timeout_s: Some(300),
        drain_s: None,
        cpus: Some(1.0),
        pool_hints: Vec::new(),
    }
}

/// A name that a scenario takes, and that is not taken.
fn name(given: Option<&str>, taken: &[Service]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = given.unwrap_or_default().chars().map(plain).take(50).collect();
    let name = name.trim_matches('-');
    let free = |name: &str| !name.is_empty() && taken.iter().all(|other| other.name != name);
    if free(name) {
        return name.to_owned();
    }
    let stem = if name.is_empty() { "api" } else { name };
    let numbered = (taken.len() + 1..).map(|number| format!("{stem}-{number}"));
    numbered.into_iter().find(|name| free(name)).unwrap_or_default()
}

fn head(out: &mut String, found: &Evidence, services: &[Service]) -> std::fmt::Result {
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let wanted = Span(lifetime(found).unwrap_or(LIFETIME).0.saturating_mul(3)).max(Span::from_secs(1800));
    let duration = wanted.min(LONGEST);
    let most: u64 = services.iter().map(|service| service.deployed.max.max(1) * service.pool_max).sum();
    writeln!(out, "#:schema ./scenario.schema.json")?;
    writeln!(out, "# A first scenario. What is marked `assumed` is a guess: put in what you know.")?;
    if let Some(activity) = &found.activity {
        snapshot(out, found, activity)?;
    }
    writeln!(out)?;
    writeln!(out, "schema_version = 1")?;
    writeln!(out, "title    = \"{}: a first look\"", names.join(", "))?;
    writeln!(out, "question = \"Would this fleet herd after a stall, {}?\"", question(found))?;
    if duration < wanted {
        writeln!(
            out,
            "# Not three lifetimes, {wanted}: so long a run takes hours. The kick tests below do see them."
        )?;
    }
    writeln!(out, "duration = \"{duration}\"")?;
    writeln!(out, "seeds    = [1]\n")?;
    writeln!(out, "[postgres.primary]")?;
    writeln!(out, "cores           = {CORES:<10} # assumed")?;
    writeln!(
        out,
        "max_connections = {:<10} # assumed: enough for a rollout; `show max_connections` tells",
        2 * most + 10
    )
}

/// What a snapshot shows and is no value of the scenario.
fn snapshot(out: &mut String, found: &Evidence, activity: &Activity) -> std::fmt::Result {
    let max = found.pool.as_ref().and_then(|(pool, _)| pool.max);
    let max = max.map_or(String::new(), |max| format!("; the pool may hold {max}"));
    let (least, most) = (activity.each.iter().copied().min().unwrap_or(0), activity.most());
    let each = if least == most { most.to_string() } else { format!("{least} to {most}") };
    let connections = human::plural(activity.each.iter().sum(), "connection");
    let clients = human::plural(activity.each.len(), "client");
    let file = activity.file.replace(char::is_control, " ");
    writeln!(out, "# {file} shows {connections} of {clients}: {each} each{max}.")?;
    writeln!(
        out,
        "# Here as many are open as the traffic needs, which is assumed: more of it, or longer queries, if"
    )?;
    writeln!(out, "# `backends` in the summary of a run is far from that.")?;
    if activity.bunched {
        writeln!(
            out,
            "# THEY ARE BUNCHED NOW, as `herdsim inspect {file}` tells. What is expected below is of a"
        )?;
        writeln!(
            out,
            "# fleet that is not, and is stalled once: that it holds says nothing against what is there."
        )?;
    }
    Ok(())
}

/// A setting of the pool, if it was found.
fn setting<'a>(found: &'a Evidence, key: &str) -> Option<&'a str> {
    let (pool, _) = found.pool.as_ref()?;
    pool.durations.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
}

/// How long a connection lives; `None` if for ever.
fn lifetime(found: &Evidence) -> Option<Span> {
    setting(found, "max_lifetime").map_or(Some(LIFETIME), |text| parse_span(text).ok())
}

/// The jitter that there is.
fn own_jitter(found: &Evidence) -> Span {
    setting(found, "max_lifetime_jitter").and_then(|text| parse_span(text).ok()).unwrap_or(Span::ZERO)
}

/// The jitter that would be enough, if there is less of it: a readable one.
fn cure(found: &Evidence) -> Option<Span> {
    let part = lifetime(found)?.scale(JITTER);
    let steps = [7200, 120, 10].map(Span::from_secs).into_iter().zip([3600, 60, 5].map(Span::from_secs));
    let step = steps.into_iter().find(|(from, _)| part >= *from).map_or(Span::from_secs(1), |(_, step)| step);
    let enough = Span(part.0.div_ceil(step.0) * step.0);
    (enough > own_jitter(found)).then_some(enough)
}

/// What is asked beside the herd.
fn question(found: &Evidence) -> &'static str {
    match (lifetime(found), cure(found)) {
        (None, _) => "though its connections live for ever",
        (_, Some(_)) => "and would jitter prevent it",
        (_, None) => "and what does its jitter do for it",
    }
}

fn service_tables(out: &mut String, found: &Evidence, service: &Service) -> std::fmt::Result {
    let (name, deployed) = (&service.name, &service.deployed);
    let (min, max) = (deployed.min.max(1), deployed.max.max(1));
    writeln!(out, "\n[service.{name}]")?;
    writeln!(out, "containers      = {{ min = {min}, max = {max} }}")?;
    for (key, value) in deployed.settings() {
        if !key.starts_with("containers") {
            writeln!(out, "{key:15} = {value}")?;
        }
    }
    match deployed.platform {
        Platform::CloudRun if deployed.scaler.is_some() => {}
        Platform::CloudRun => {
            let scaler = if min == max { "fixed" } else { "cloud-run-2026" };
            writeln!(out, "scaler          = \"{scaler}\"")?;
        }
        Platform::Kubernetes => {
            writeln!(out, "concurrency     = 80         # assumed: what the application takes at once")?;
        }
    }
    writeln!(out, "\n[service.{name}.pool.primary]")?;
    let hints = deployed.pool_hints.join(", ").replace(char::is_control, " ");
    if !hints.is_empty() {
        writeln!(out, "# Its environment has {hints}: put in here what the program makes of it.")?;
    }
    let preset =
        if found.pool.is_some() { "" } else { "  # assumed; or hikari, sqlalchemy, activerecord, …" };
    writeln!(out, "preset              = \"pgxpool\"{preset}")?;
    writeln!(out, "max                 = {}", service.pool_max)?;
    if let Some((pool, _)) = &found.pool {
        writeln!(out, "min                 = {}", pool.min)?;
    }
    for key in ["max_lifetime", "max_lifetime_jitter", "idle_timeout"] {
        if let Some(value) = setting(found, key) {
            writeln!(out, "{key:19} = \"{value}\"")?;
        }
    }
    Ok(())
}

fn traffic(out: &mut String, found: &Evidence, services: &[Service]) -> std::fmt::Result {
    // A kick test takes four lifetimes: for long ones fewer queries do the same work.
    let hours = lifetime(found).unwrap_or(LIFETIME).min(LONGEST_LIFETIME).as_secs() / LIFETIME.as_secs();
    let query_ms = QUERY_MS * hours.ceil().max(1.0);
    let why = if query_ms > QUERY_MS { ": few and costly, since a kick test takes days of them" } else { "" };
    writeln!(out, "\n[query.lookup]\ncpu = {{ exponential = \"{query_ms}ms\" }}     # assumed{why}")?;
    let rate = CORES * BUSY / (query_ms / 1e3) / services.len() as f64;
    for service in services {
        let name = &service.name;
        writeln!(out, "\n[request.{name}]\nservice = \"{name}\"")?;
        writeln!(out, "steps   = [{{ app = \"2ms\" }}, {{ query = \"lookup\", on = \"primary\" }}]")?;
        writeln!(out, "\n[traffic.{name}]\nrequest = \"{name}\"")?;
        writeln!(out, "rate    = \"{rate:.0}/s\"            # assumed: the cores {}% busy", BUSY * 100.0)?;
    }
    Ok(())
}

fn questions(out: &mut String, found: &Evidence) -> std::fmt::Result {
    writeln!(out, "\n[variant.as-it-is]\nwhy = \"the settings as they are\"")?;
    let path = "service.*.pool.*.max_lifetime_jitter";
    let mut expected = vec!["as-it-is"];
    if let Some(jitter) = cure(found) {
        writeln!(out, "\n[variant.jitter]\nwhy = \"each connection lives longer by its own luck\"")?;
        writeln!(out, "[variant.jitter.set]\n\"{path}\" = \"{jitter}\"     # a fifth of the lifetime")?;
        expected.push("jitter");
    } else if lifetime(found).is_some() {
        writeln!(out, "\n[variant.no-jitter]\nwhy = \"what the jitter that there is does: without it\"")?;
        writeln!(out, "[variant.no-jitter.set]\n\"{path}\" = \"0s\"     # deliberate")?;
    }
    if lifetime(found).is_some_and(|lifetime| lifetime > LONGEST_LIFETIME) {
        let why = "a kick test takes four lifetimes, and that many days take hours";
        return writeln!(out, "\n# Nothing is expected, as in `herd_gain`: {why}.");
    }
    for variant in expected {
        writeln!(
            out,
            "\n[expect.{variant}-does-not-bunch]\nvariant = \"{variant}\"\nmetric  = \"herd_gain\""
        )?;
        writeln!(out, "of      = \"postgres.primary\"\nmax     = 1")?;
    }
    Ok(())
}

fn values_from(out: &mut String, found: &Evidence, services: &[Service]) -> std::fmt::Result {
    let variable = found.pool.as_ref().and_then(|(_, variable)| variable.as_deref());
    if variable.is_some() || services.iter().any(|service| service.file.is_some()) {
        writeln!(out, "\n# Read anew each time; what they say stands over what is written above.")?;
    }
    for service in services {
        let name = &service.name;
        if let Some(file) = &service.file {
            let file = toml::Value::from(file.as_str());
            let platform = match service.deployed.platform {
                Platform::CloudRun => "cloud-run",
                Platform::Kubernetes => "kubernetes",
            };
            let own = service.deployed.name.as_deref().map(toml::Value::from);
            let own = own.filter(|_| platform == "kubernetes").map(|own| format!(" name = {own},"));
            let own = own.unwrap_or_default();
            writeln!(out, "[values_from.{name}]")?;
            writeln!(out, "{platform} = {{ file = {file},{own} service = \"{name}\" }}")?;
        }
        if let Some(variable) = variable {
            let variable = toml::Value::from(variable);
            writeln!(out, "[values_from.{name}-pool]")?;
            writeln!(out, "pgxpool = {{ env = {variable}, pool = \"service.{name}.pool.primary\" }}")?;
        }
    }
    Ok(())
}

fn sources(out: &mut String, found: &Evidence, services: &[Service]) -> std::fmt::Result {
    writeln!(out, "\n[source]")?;
    let mut line = |path: &str, from: &str| {
        let (path, from) = (toml::Value::from(path), toml::Value::from(from));
        writeln!(out, "{path} = {{ from = {from} }}")
    };
    for service in services {
        let name = &service.name;
        let from = match (&service.file, &found.activity) {
            (Some(file), _) => file,
            (None, Some(activity)) => &activity.file,
            (None, None) => "assumed",
        };
        line(&format!("service.{name}.containers"), from)?;
        for (key, _) in service.deployed.settings() {
            if !key.starts_with("containers") {
                line(&format!("service.{name}.{key}"), from)?;
            }
        }
        if service.deployed.concurrency.is_none() {
            line(&format!("service.{name}.concurrency"), "assumed")?;
        }
    }
    let pool = match (&found.pool, &found.activity) {
        (Some((_, Some(variable))), _) => format!("the connection string in {variable}"),
        (Some((_, None)), _) => "the connection string".to_owned(),
        (None, Some(activity)) => format!("{}, at least", activity.file),
        (None, None) => "assumed".to_owned(),
    };
    line("service.*.pool.*", &pool)?;
    for path in [
        "postgres.primary.cores",
        "postgres.primary.max_connections",
        "query.lookup.cpu",
        "request.*.steps",
        "traffic.*.rate",
    ] {
        line(path, "assumed")?;
    }
    Ok(())
}
