//! Advice for real fleets: settings that are allowed and probably not meant.
//!
//! Where a name leads nowhere, nothing is said of what it could have led to.

mod expect;
mod load;
mod pooler;
mod timeouts;

use super::grammar::{Deed, File, KillGap, Pool, Postgres, Query, Refill, Scaler, Service};
use super::problem::{Problem, Problems};
use super::tree::Node;
use super::{Scenario, sources};
use crate::engine::time::Span;

/// The part of a node's CPU that starting connections may take without hurting anybody (assumed).
const SAFE_SHARE: f64 = 0.2;

/// What the jitter that is advised does, and what it does not.
const SMALLER: &str = "that is a floor and no cure: so much keeps the database from being overrun for long, \
     spikes of seconds stay; begin with a fifth of the lifetime, or ask `herdsim sweep --find`";

/// Adds all advice.
pub fn lint(scenario: &Scenario, problems: &mut Problems) {
    let (file, tree, tables) = (&*scenario.file, &*scenario.standing, &scenario.tables);
    let safe_rate = |node: &Postgres| {
        let start = node.start_cpu.mean(tables).unwrap_or_default();
        SAFE_SHARE * node.cores / (start.as_secs() + node.cold_cpu.as_secs())
    };
    for (name, postgres) in &file.postgres {
        budget(file, tree, name, problems);
        if let Some(pooler) = &postgres.pooler {
            pooler::clients(file, tree, name, pooler, problems);
            let path = format!("postgres.{name}.pooler.pool");
            herd(&path, pooler.processes, &pooler.pool, safe_rate(postgres), tree, problems);
        }
    }
    for (name, service) in &file.service {
        targets(name, service, tree, problems);
        for (node, pool) in &service.pool {
            let path = format!("service.{name}.pool.{node}");
            floor(&path, pool, tree, problems);
            if let Some(postgres) = file.postgres.get(node).filter(|node| node.pooler.is_none()) {
                herd(&path, service.containers.max, pool, safe_rate(postgres), tree, problems);
            }
        }
    }
    timeouts::check(file, tree, problems);
    idle_classes(file, tree, problems);
    idle_queues(file, tree, problems);
    read_only_writes(file, tree, problems);
    load::check(scenario, problems);
    expect::check(scenario, problems);
    sources::check(tree, problems);
}

fn warn(problems: &mut Problems, tree: &Node, path: &str, message: String, help: String) {
    problems.push(Problem::warning(message, tree.place_at(path)).help(help));
}

/// Containers × pool max and the sessions of jobs against the slots of a node; the pools open twice as many
/// while an old and a new revision overlap. Behind a pooler it is processes × pool max.
fn budget(file: &File, tree: &Node, name: &str, problems: &mut Problems) {
    let postgres = &file.postgres[name];
    let known = |node: &String| file.postgres.contains_key(node);
    let pools = file.service.values().flat_map(|service| service.pool.keys());
    if !pools.chain(file.job.values().map(|job| &job.on)).all(known) {
        return;
    }
    let slots = u64::from(postgres.slots());
    let pooler = postgres.pooler.as_ref();
    let demand = pooler.map_or_else(|| pooler::connections(file, name), pooler::backends);
    let jobs = sessions(file, name);
    let path = format!("postgres.{name}.max_connections");
    let to_it = match jobs {
        0 => format!("connections to `{name}`, which has {slots} slots"),
        _ => format!("connections to `{name}` and its jobs {jobs} sessions: it has {slots} slots"),
    };
    let of_jobs = if jobs == 0 { "" } else { "; a job's `parallel` takes slots, too" };
    let help = format!(
        "raise `max_connections`, lower a pool's `max` or the containers, or put a pooler between{of_jobs}"
    );
    if pooler.is_some() && demand + jobs > slots {
        let message = format!("the pooler may open {demand} {to_it}");
        let help =
            format!("raise `max_connections`, or lower its `processes` or `max` of its `pool`{of_jobs}");
        warn(problems, tree, &path, message, help);
    } else if demand + jobs > slots {
        warn(problems, tree, &path, format!("the pools may open {demand} {to_it}"), help);
    } else if pooler.is_none() && 2 * demand + jobs > slots {
        let message =
            format!("while a deploy replaces the containers, the pools may open {} {to_it}", 2 * demand);
        warn(problems, tree, &path, message, help);
    }
}

/// Sessions that the jobs of a node open, one run of each.
fn sessions(file: &File, node: &str) -> u64 {
    let here = file.job.values().filter(|job| job.enabled && job.on == node);
    here.map(|job| u64::from(job.work.parallel)).sum()
}

/// A floor that nobody dials up to: what is closed for its age is gone.
fn floor(path: &str, pool: &Pool, tree: &Node, problems: &mut Problems) {
    if pool.min > 0 && pool.refill == Refill::Demand && pool.max_lifetime.0.is_some() {
        let message = format!(
            "the pool dials on demand only, so that it does not keep `min` = {} connections beyond their lifetime",
            pool.min
        );
        let help = "leave `min` out, or choose a `refill` that keeps it, such as \"to-min\"".to_owned();
        warn(problems, tree, &format!("{path}.min"), message, help);
    }
}

/// A lifetime without jitter or kill gap, or with less jitter than a herd of so many pools needs at a node
/// that can start so many connections a second beside its work.
fn herd(path: &str, pools: u32, pool: &Pool, safe_rate: f64, tree: &Node, problems: &mut Problems) {
    let Some(lifetime) = pool.max_lifetime.0 else { return };
    let connections = f64::from(pools) * f64::from(pool.max);
    if !safe_rate.is_finite() {
        return;
    }
    // All connections that were born together come back within the jitter: peak = connections / jitter. So
    // much keeps the node from being overrun; a smaller herd needs more, which `sweep --find` finds.
    let enough = Span::from_secs_f64((connections / safe_rate).ceil());
    // Up to one quantum nothing is left of it; with two there are two instants.
    let enough = enough.max(pool.jitter_quantum * 2);
    let whole_pool = pool.gap_between_kills() * u64::from(pool.max);
    if whole_pool > lifetime {
        let message = format!(
            "this gap lets a full pool be replaced within {whole_pool} only: connections outlive their {lifetime}"
        );
        let help = format!("write \"spread\", which is {}", Span(lifetime.0 / u64::from(pool.max)));
        warn(problems, tree, &format!("{path}.kill_gap"), message, help);
    }
    // One at a time in each container is no herd.
    if pool.kill_gap != KillGap::None {
        return;
    }
    let path = format!("{path}.max_lifetime_jitter");
    let jitter = pool.jitter();
    if jitter <= pool.jitter_quantum {
        let why = match jitter {
            Span::ZERO => "the lifetime has no jitter".to_owned(),
            some => format!(
                "the pool cuts a jitter of {some} down to whole multiples of {}, and none is left",
                pool.jitter_quantum
            ),
        };
        let message =
            format!("connections that were opened together expire together, every {lifetime}: {why}");
        let help = format!(
            "write `max_lifetime_jitter = \"{enough}\"` or more, or `kill_gap = \"spread\"`; {SMALLER}"
        );
        warn(problems, tree, &path, message, help);
    } else if jitter < enough {
        let message = format!(
            "a jitter of {jitter} lets {connections:.0} connections come back at up to {:.0}/s; the node can start about {safe_rate:.0}/s beside its work",
            connections / jitter.as_secs(),
        );
        warn(problems, tree, &path, message, format!("write at least \"{enough}\"; {SMALLER}"));
    }
}

/// Classes that nobody asks for.
fn idle_classes(file: &File, tree: &Node, problems: &mut Problems) {
    let traffic = file.traffic.values().map(|traffic| &traffic.request);
    let devices = file.device.values().map(|device| &device.request);
    let queues = file.queue.values().map(|queue| &queue.request);
    let asked: Vec<&String> = traffic.chain(devices).chain(queues).collect();
    if !asked.iter().all(|request| file.request.contains_key(*request)) {
        return;
    }
    for name in file.request.keys() {
        if !asked.contains(&name) {
            let message = format!("no traffic, no device and no queue asks for `{name}`");
            let help = format!("add a [traffic.*] with `request = \"{name}\"`, or leave the class out");
            warn(problems, tree, &format!("request.{name}"), message, help);
        }
    }
}

/// Queues that no request enqueues into.
fn idle_queues(file: &File, tree: &Node, problems: &mut Problems) {
    let steps = file.request.values().flat_map(|request| &request.steps);
    let into: Vec<&String> = steps.filter_map(|step| step.enqueue.as_ref()).collect();
    if !into.iter().all(|queue| file.queue.contains_key(*queue)) {
        return;
    }
    for name in file.queue.keys().filter(|name| !into.contains(name)) {
        let message = format!("no request enqueues into `{name}`");
        let help = format!("add a step `{{ enqueue = \"{name}\" }}`, or leave the queue out");
        warn(problems, tree, &format!("queue.{name}"), message, help);
    }
}

/// Writes that go to a replica, in a scenario that never makes it a primary: each fails.
fn read_only_writes(file: &File, tree: &Node, problems: &mut Problems) {
    if file.event.values().any(|event| matches!(event.deed, Some(Deed::Promote(_)))) {
        return;
    }
    let replica = |node: &String| file.postgres.get(node).is_some_and(|node| node.replica_of.is_some());
    let turned =
        file.event.values().flat_map(|event| event.set.keys()).any(|path| path.starts_with("endpoint."));
    let behind = |on: &'_ String| match file.endpoint.get(on) {
        Some(endpoint) if !turned => endpoint.node.clone(),
        _ => on.clone(),
    };
    let changes = |query: &String| file.query.get(query).is_some_and(Query::changes);
    for (name, request) in &file.request {
        for (place, step) in request.steps.iter().enumerate() {
            let Some(node) = step.on.as_ref().map(behind).filter(replica) else { continue };
            if step.query.iter().chain(step.transaction.iter().flatten()).any(changes) {
                let message = format!("`{name}` writes to `{node}`, a replica: Postgres refuses that");
                let help = "send the step to the primary, or promote the replica by an event".to_owned();
                warn(problems, tree, &format!("request.{name}.steps.{place}.on"), message, help);
            }
        }
    }
}

/// Targets that the scaler does not look at.
fn targets(name: &str, service: &Service, tree: &Node, problems: &mut Problems) {
    let by_concurrency = !matches!(service.scaler, Scaler::Fixed | Scaler::Hpa);
    let by_cpu = !matches!(service.scaler, Scaler::Fixed | Scaler::Kpa);
    for (key, target, read) in [
        ("concurrency_target", service.concurrency_target, by_concurrency),
        ("cpu_target", service.cpu_target, by_cpu),
    ] {
        if target.is_some() && !read {
            let message = format!("the scaler of `{name}` does not look at `{key}`");
            let help = "remove it, or choose another `scaler`".to_owned();
            warn(problems, tree, &format!("service.{name}.{key}"), message, help);
        }
    }
}
