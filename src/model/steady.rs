//! The steady state: what a pool holds when its revision has served for longer than a lifetime.
//!
//! A pool that grows on demand has, within one lifetime, met the greatest simultaneous demand of that time.
//! For Poisson demand of mean m (Little's law: acquires per second × how long a connection is held) that is
//! the least k which demand reaches less than once a lifetime. The hold includes waiting for a core by
//! Sakasegawa's approximation of M/M/c, reads and the flush of a commit; waiting for a row is left out. What
//! a service carries follows likewise: arrivals × how long a request takes. What the edge rejects or answers
//! by itself as the run begins reaches no service.

use super::build::{dist, enabled_traffic, rate};
use super::poisson::rarely_found;
use super::service::autoscaler::{Load, containers_for};
use crate::engine::time::{Span, Time};
use crate::scenario::Table;
use crate::scenario::grammar::{
    Distribution, File, OriginOutageMode, PoolMode, Query, Request, Routing, Step,
};
use std::collections::BTreeMap;

/// How long a pool without a lifetime remembers its greatest demand.
const MEMORY: Span = Span::from_secs(30 * 60);

/// Demand for the connections of one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Demand {
    acquires_per_s: f64,
    /// Mean connections in use at once.
    held: f64,
}

/// What a service carries.
pub fn load(file: &File, service: &str, tables: &BTreeMap<String, Table>) -> Load {
    let slowdowns: Vec<(&String, f64)> =
        file.service[service].pool.keys().map(|node| (node, slowdown(file, node, tables))).collect();
    let mut load = Load::default();
    for (request, arrivals) in arrivals(file, tables).filter(|(request, _)| request.service == service) {
        let of_step = |time: &Option<Distribution>, times: Option<u32>| {
            time.as_ref().map_or(0.0, |time| mean(time, tables)) * f64::from(times.unwrap_or(1))
        };
        let app: f64 = request.steps.iter().map(|step| of_step(&step.app, None)).sum();
        let think: f64 = request.steps.iter().map(|step| of_step(&step.think, step.times)).sum();
        let held = slowdowns.iter().map(|(node, slow)| {
            let to_node = (node.as_str(), *slow, round_trip(file, node, tables));
            demand_of(file, request, to_node, tables).held
        });
        load.requests += arrivals * (app + held.sum::<f64>());
        load.busy += arrivals * (app + think);
    }
    load
}

/// How many connections each container's pool to `node` holds in the steady state.
pub fn open_connections(file: &File, service: &str, node: &str, tables: &BTreeMap<String, Table>) -> u32 {
    let (pool, of_service) = (&file.service[service].pool[node], &file.service[service]);
    let containers = containers_for(of_service, load(file, service, tables));
    // Least-outstanding routing levels the fleet: its containers share one greatest demand. Otherwise each
    // has its own.
    let sharing = if of_service.routing == Routing::LeastOutstanding { 1 } else { containers };
    let to_node = (node, slowdown(file, node, tables), round_trip(file, node, tables));
    let mut demand = Demand::default();
    for (request, arrivals) in arrivals(file, tables).filter(|(request, _)| request.service == service) {
        let one = demand_of(file, request, to_node, tables);
        demand.acquires_per_s += arrivals * one.acquires_per_s / f64::from(sharing);
        demand.held += arrivals * one.held / f64::from(sharing);
    }
    let lifetime = pool.max_lifetime.0.unwrap_or(MEMORY).as_secs();
    let most = pool.max.saturating_mul(containers / sharing);
    let met = rarely_found(demand.held, demand.acquires_per_s * lifetime, most);
    met.div_ceil(containers / sharing).clamp(pool.min, pool.max)
}

/// How many connections each process of the pooler before a node holds in the steady state: what its share of
/// all clients has needed at once within a lifetime. Who has a session keeps one for as long as it lives.
pub fn open_at_pooler(file: &File, node: &str, tables: &BTreeMap<String, Table>) -> u32 {
    let pooler = file.postgres[node].pooler.as_ref().expect("a node with a pooler");
    let pool = &pooler.pool;
    let processes = f64::from(pooler.processes);
    if pooler.mode == PoolMode::Session {
        let with_pool = file.service.iter().filter(|(_, service)| service.pool.contains_key(node));
        let clients = with_pool.map(|(name, service)| {
            let containers = containers_for(service, load(file, name, tables));
            f64::from(containers) * f64::from(open_connections(file, name, node, tables))
        });
        let clients = clients.sum::<f64>();
        return ((clients / processes).ceil() as u32).clamp(pool.min, pool.max);
    }
    let behind = 2.0 * mean(&pooler.server_trip, tables);
    let to_node = (node, slowdown(file, node, tables), behind);
    let mut demand = Demand::default();
    for (request, arrivals) in arrivals(file, tables) {
        let one = demand_of(file, request, to_node, tables);
        demand.acquires_per_s += arrivals * one.acquires_per_s / processes;
        demand.held += arrivals * one.held / processes;
    }
    let lifetime = pool.max_lifetime.0.unwrap_or(MEMORY).as_secs();
    rarely_found(demand.held, demand.acquires_per_s * lifetime, pool.max).clamp(pool.min, pool.max)
}

/// Requests per second that reach a service, by class, as the run begins, with what they enqueue; bursts do
/// not count.
fn arrivals<'a>(
    file: &'a File,
    tables: &'a BTreeMap<String, Table>,
) -> impl Iterator<Item = (&'a Request, f64)> {
    let steady = enabled_traffic(file).filter(|(_, traffic)| traffic.burst.is_none());
    let open = steady.map(|(_, traffic)| {
        let passes = 1.0 - traffic.rejected.0;
        (&traffic.request, passes * at_start(&rate(&traffic.rate, tables)))
    });
    let devices = file.device.values().filter(|device| device.enabled);
    let closed = devices.map(|device| (&device.request, device.loops() / mean(&device.refresh_age, tables)));
    let at_edge = |request: &String| {
        file.edge.origin_outage_mode == OriginOutageMode::On && file.edge.serves.contains(request)
    };
    let to_services = open.chain(closed).filter(move |(request, _)| !at_edge(request));
    to_services.flat_map(move |(request, rate)| {
        let set_off = file.set_off_by(request).into_iter();
        set_off.map(move |(class, each)| (&file.request[class], rate * each))
    })
}

/// The node on which a step runs.
fn node_of<'a>(file: &'a File, step: &'a Step) -> Option<&'a str> {
    let on = step.on.as_deref()?;
    Some(file.endpoint.get(on).map_or(on, |endpoint| &endpoint.node))
}

fn at_start(rate: &[(Time, f64)]) -> f64 {
    rate.first().map_or(0.0, |first| first.1)
}

/// To a node and back, in seconds, by way of its pooler if it has one.
fn round_trip(file: &File, node: &str, tables: &BTreeMap<String, Table>) -> f64 {
    match &file.postgres[node].pooler {
        None => 2.0 * mean(&file.network.database, tables),
        Some(pooler) => {
            let trips = [&pooler.client_trip, &pooler.server_trip].map(|trip| mean(trip, tables));
            2.0 * (trips[0] + trips[1] + pooler.message_cpu.as_secs())
        }
    }
}

/// Acquires of one request at a node, which slows its queries down by a factor and is so many seconds away
/// and back, and how long it holds connections to it, in seconds.
fn demand_of(
    file: &File,
    request: &Request,
    (node, slowdown, trips): (&str, f64, f64),
    tables: &BTreeMap<String, Table>,
) -> Demand {
    let query = |name: &String| {
        trips + mean(&file.query[name].cpu, tables) * slowdown + reading(file, name, node, tables)
    };
    let commit = |names: &[String]| {
        let changes = |name: &String| Query::changes(&file.query[name]);
        let disk = file.postgres[node].disk.as_ref().filter(|_| names.iter().any(changes));
        disk.map_or(0.0, |disk| mean(&disk.flush, tables) * disk.flush_factor)
    };
    let mut demand = Demand::default();
    for step in request.steps.iter().filter(|step| node_of(file, step) == Some(node)) {
        let think = step.think.as_ref().map_or(0.0, |think| mean(think, tables));
        if let Some(name) = &step.query {
            let times = f64::from(step.times.unwrap_or(1));
            demand.acquires_per_s += times;
            demand.held += times * (query(name) + commit(std::slice::from_ref(name)) + think);
        }
        if let Some(names) = &step.transaction {
            demand.acquires_per_s += 1.0;
            demand.held += 2.0 * trips + think + names.iter().map(query).sum::<f64>() + commit(names);
        }
    }
    demand
}

/// How long a query reads the pages that it misses, in seconds.
fn reading(file: &File, query: &str, node: &str, tables: &BTreeMap<String, Table>) -> f64 {
    let (query, node) = (&file.query[query], &file.postgres[node]);
    let of_indexes = query.lock.map_or(0.0, |_| query.index_pages * (1.0 - node.hot_updates.0));
    let pages = (query.reads + of_indexes) * node.bloat;
    node.disk.as_ref().map_or(0.0, |disk| pages * mean(&disk.read, tables) * disk.read_factor)
}

/// How much longer a query takes on the busy node than alone.
fn slowdown(file: &File, node: &str, tables: &BTreeMap<String, Table>) -> f64 {
    let cores = file.postgres[node].cores;
    let cpu = |request: &Request| {
        let here = request.steps.iter().filter(|step| node_of(file, step) == Some(node));
        let names = here.flat_map(|step| {
            let times = step.times.unwrap_or(1) as usize;
            step.query
                .iter()
                .cycle()
                .take(times * step.query.iter().len())
                .chain(step.transaction.iter().flatten())
        });
        names.map(|name| mean(&file.query[name].cpu, tables)).sum::<f64>()
    };
    let busy = arrivals(file, tables).map(|(request, arrivals)| arrivals * cpu(request)).sum::<f64>() / cores;
    let busy = busy.min(0.95);
    1.0 + libm::pow(busy, (2.0 * (cores + 1.0)).sqrt() - 1.0) / (cores * (1.0 - busy))
}

fn mean(written: &Distribution, tables: &BTreeMap<String, Table>) -> f64 {
    dist(written, tables).mean().as_secs()
}
