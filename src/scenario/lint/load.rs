//! Advice on load: more work than there are CPUs for, on average over the run.
//!
//! A scenario may well overload a fleet for a while. Where all of it asks for more than there is, a line
//! grows from beginning to end, which is seldom the question. Left out: retries, requests that the edge
//! answers, and what contention takes.

use super::super::grammar::{Distribution, File, Request, Scaler, Step};
use super::super::problem::{Problem, Problems};
use super::super::size::{requests, stretches};
use super::super::{Scenario, Tables};
use std::collections::BTreeMap;

/// CPU seconds that are asked for, and those that there are.
#[derive(Default)]
struct Load {
    asked: f64,
    there: f64,
}

/// What is asked of each node and of each service over the run, and what there is.
fn loads(scenario: &Scenario) -> [BTreeMap<&str, Load>; 2] {
    let tables = &scenario.tables;
    let mut nodes: BTreeMap<&str, Load> = BTreeMap::new();
    let mut services: BTreeMap<&str, Load> = BTreeMap::new();
    for stretch in stretches(scenario) {
        let (file, seconds) = (stretch.file, stretch.to - stretch.from);
        for (name, node) in &file.postgres {
            nodes.entry(name).or_default().there += node.cores * seconds;
        }
        for (name, service) in &file.service {
            let cpus = f64::from(service.containers.max) * service.cpus;
            services.entry(name).or_default().there += cpus * seconds;
        }
        for (class, count) in asked(file, tables, stretch.from, stretch.to) {
            let Some(request) = file.request.get(class) else { return Default::default() };
            services.entry(&request.service).or_default().asked += count * app_seconds(request, tables);
            for (node, cpu) in query_seconds(file, request, tables) {
                nodes.entry(node).or_default().asked += count * cpu;
            }
        }
        for job in file.job.values().filter(|job| job.enabled) {
            let runs = seconds / job.every.as_secs();
            let cpu = f64::from(job.work.parallel) * mean_s(&job.work.cpu, tables);
            nodes.entry(&job.on).or_default().asked += runs * cpu;
        }
    }
    [nodes, services]
}

/// Adds the advice.
pub fn check(scenario: &Scenario, problems: &mut Problems) {
    let [nodes, services] = loads(scenario);
    let duration = scenario.file.duration.as_secs();
    let mut warn = |path: String, message: String, help: &str| {
        problems.push(Problem::warning(message, scenario.place(&path)).help(help));
    };
    let known = |name: &str| scenario.file.postgres.contains_key(name);
    if !nodes.keys().all(|name| known(name)) {
        return;
    }
    for (name, load) in nodes.into_iter().filter(|(_, load)| load.asked > load.there) {
        let (asked, there) = (load.asked / duration, load.there / duration);
        let message = format!(
            "queries and jobs ask for {asked:.1} cores of `{name}`, which has {there:.1}: what waits grows \
             until something gives up"
        );
        warn(format!("postgres.{name}.cores"), message, "give it more `cores`, or lower the rates");
    }
    for (name, load) in services.into_iter().filter(|(_, load)| load.asked > load.there) {
        let scaler = scenario.file.service.get(name).map(|service| service.scaler);
        if !matches!(scaler, Some(Scaler::Hpa | Scaler::CloudRun2025)) {
            continue;
        }
        let (asked, there) = (load.asked / duration, load.there / duration);
        let message = format!(
            "requests ask for {asked:.1} CPUs of `{name}`, which has {there:.1} at most: only its scaler \
             looks at them, nothing waits, so that latency comes out too good"
        );
        let help = "raise `containers.max` or `cpus`, or lower the rates; where `app` is waiting, not work, use \
             another scaler";
        warn(format!("service.{name}.containers"), message, help);
    }
}

fn mean_s(distribution: &Distribution, tables: &Tables) -> f64 {
    distribution.mean(tables).unwrap_or_default().as_secs()
}

/// Requests of each class between two times, in seconds, with what they set off.
fn asked<'a>(file: &'a File, tables: &Tables, from: f64, to: f64) -> impl Iterator<Item = (&'a str, f64)> {
    let open = file.traffic.values().map(move |traffic| {
        let passed = 1.0 - traffic.rejected.0;
        (&traffic.request[..], passed * requests(traffic, tables, from, to))
    });
    let devices = file.device.values().filter(|device| device.enabled).map(move |device| {
        let refreshes = (to - from) / mean_s(&device.refresh_age, tables).max(1.0);
        (&device.request[..], device.loops() * refreshes)
    });
    let sources: Vec<_> = open.chain(devices).collect();
    sources.into_iter().flat_map(move |(request, count)| {
        file.set_off_by(request).into_iter().map(move |(class, each)| (class, each * count))
    })
}

/// Time of one request in the application.
fn app_seconds(request: &Request, tables: &Tables) -> f64 {
    let spent = |step: &Step| {
        let think = step.think.as_ref().map_or(0.0, |think| mean_s(think, tables));
        let app = step.app.as_ref().map_or(0.0, |app| mean_s(app, tables));
        app + think * f64::from(step.times.unwrap_or(1))
    };
    request.steps.iter().map(spent).sum()
}

/// CPU of one request on each node that it asks.
fn query_seconds<'a>(
    file: &'a File,
    request: &'a Request,
    tables: &'a Tables,
) -> impl Iterator<Item = (&'a str, f64)> {
    request.steps.iter().filter_map(move |step| {
        let on = step.on.as_deref()?;
        let node = file.endpoint.get(on).map_or(on, |endpoint| &endpoint.node);
        let queries = step.query.iter().chain(step.transaction.iter().flatten());
        // What is not known makes the sum unknown, too.
        let cpu_s = |query| file.query.get(query).map_or(f64::NAN, |query| mean_s(&query.cpu, tables));
        let cpu: f64 = queries.map(cpu_s).sum();
        Some((node, cpu * f64::from(step.times.unwrap_or(1))))
    })
}
