//! From a checked scenario to boxes: names become numbers, tables become plans.
//!
//! In the real world: what a deploy and a provisioner make of configuration. Modelled: places are given out
//! in file order, once for the whole run; plans are made anew whenever the timeline moves, for the same
//! places. Nothing here draws. Left out: configuration that boxes read at different times.

mod sources;

pub use sources::{bursts, devices, enabled_traffic, queues_of_work, rate, rate_of};

use super::budget::Budget;
use super::connection::Leg;
use super::container::PoolPlan;
use super::edge::Edge;
use super::fact::{NodeNumber, PoolNumber, SeriesNumber, ServiceNumber};
use super::pooler::PoolerPlan;
use super::postgres::{Disk, Job, NodePlan, Query, Replica};
use super::request::{Class, Op, Origin};
use super::service::Plan;
use super::service::endpoint::EndpointPlan;
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::time::Time;
use crate::scenario::grammar::{self, Distribution, File, Label, Named};
use crate::scenario::{Scenario, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The names behind the numbers in facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Services, in file order.
    pub services: Vec<String>,
    /// Postgres nodes, in file order.
    pub nodes: Vec<String>,
    /// Pools of services: service and node.
    pub pools: Vec<(ServiceNumber, NodeNumber)>,
    /// Pools of poolers, numbered after the others: the nodes that have one.
    pub poolers: Vec<NodeNumber>,
    /// Series: class and label, and the service that works on them.
    pub series: Vec<Series>,
    /// Jobs that are enabled at any time, in file order.
    pub jobs: Vec<String>,
    /// Sources of requests that are enabled at any time, in file order.
    pub sources: Vec<String>,
    /// Devices of this run, in file order: sources as well, numbered after the others.
    pub devices: Vec<String>,
    /// Queues, in file order: sources of what they hand on again, numbered after the devices.
    pub queues: Vec<String>,
}

/// A request class of one label.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The class.
    pub class: String,
    /// Whose requests.
    pub label: Label,
    /// The service that works on them.
    pub service: ServiceNumber,
}

impl Places {
    /// The names in a scenario.
    pub fn of(scenario: &Scenario) -> Places {
        let file = &*scenario.file;
        let nodes: Vec<String> = file.postgres.keys().cloned().collect();
        let mut pools = Vec::new();
        for (number, service) in file.service.values().enumerate() {
            pools.extend(service.pool.keys().map(|node| (number as u16, place(&nodes, node))));
        }
        let with_pooler = file.postgres.values().enumerate().filter(|(_, node)| node.pooler.is_some());
        let with_pooler = with_pooler.map(|(number, _)| number as u16);
        let mut places = Places {
            services: file.service.keys().cloned().collect(),
            nodes,
            pools,
            poolers: with_pooler.collect(),
            series: Vec::new(),
            jobs: ever_enabled(scenario, file.job.keys(), |file, name| file.job[name].enabled),
            sources: ever_enabled(scenario, file.traffic.keys(), |file, name| file.traffic[name].enabled),
            devices: file.device.iter().filter(|(_, of)| of.enabled).map(|(name, _)| name.clone()).collect(),
            queues: file.queue.keys().cloned().collect(),
        };
        let open = places.sources.iter().map(|name| &file.traffic[name]);
        let open = open.map(|traffic| (&traffic.request, traffic.label));
        let closed = places.devices.iter().map(|name| (&file.device[name].request, Label::Legitimate));
        let queued = file.queue.values().map(|queue| (&queue.request, Label::Background));
        for (class, label) in open.chain(closed).chain(queued) {
            let series = Series::of(file, class, label);
            if !places.series.contains(&series) {
                places.series.push(series);
            }
        }
        places
    }

    /// The place of a node.
    pub fn node(&self, name: &str) -> usize {
        usize::from(place(&self.nodes, name))
    }

    /// The number of a pool.
    pub fn pool(&self, service: ServiceNumber, node: NodeNumber) -> PoolNumber {
        let found = self.pools.iter().position(|pool| *pool == (service, node));
        found.expect("a checked scenario pools what it queries") as u16
    }

    /// The number of the pools of a pooler.
    fn pool_of_pooler(&self, node: NodeNumber) -> PoolNumber {
        let found = self.poolers.iter().position(|pooler| *pooler == node);
        (self.pools.len() + found.expect("a node with a pooler")) as u16
    }

    /// The number of the first devices as a source.
    pub fn first_device(&self) -> u16 {
        self.sources.len() as u16
    }

    /// The number of the first queue as a source.
    pub fn first_queue(&self) -> u16 {
        (self.sources.len() + self.devices.len()) as u16
    }

    /// What the requests of a source are.
    pub fn origin(&self, file: &File, source: u16, class: &str, label: Label) -> Origin {
        let wanted = Series::of(file, class, label);
        let class = file.request.get_index_of(class).expect("a checked scenario has the class") as u16;
        let found = self.series.iter().position(|series| *series == wanted);
        let series = found.expect("every source has its series") as SeriesNumber;
        Origin { source, class, series, service: wanted.service }
    }

    /// How many pools there are.
    pub fn pool_count(&self) -> usize {
        self.pools.len() + self.poolers.len()
    }

    /// The node at which a connection of a pool has a backend; none if it leads to a pooler.
    pub fn backend_at(&self, pool: PoolNumber) -> Option<NodeNumber> {
        match self.pools.get(usize::from(pool)) {
            Some((_, node)) => Some(*node).filter(|node| !self.poolers.contains(node)),
            None => Some(self.poolers[usize::from(pool) - self.pools.len()]),
        }
    }
}

impl Series {
    /// The series of a class with a label.
    fn of(file: &File, class: &str, label: Label) -> Series {
        let service = file.service.get_index_of(&file.request[class].service);
        let service = service.expect("a checked scenario has the service") as ServiceNumber;
        Series { class: class.to_owned(), label, service }
    }
}

/// Those of the names that are enabled at the start or by an event.
fn ever_enabled<'a>(
    scenario: &Scenario,
    names: impl Iterator<Item = &'a String>,
    enabled: fn(&File, &str) -> bool,
) -> Vec<String> {
    names.filter(|name| scenario.ever(|file| enabled(file, name))).cloned().collect()
}

/// The place of a name in a list. A checked scenario has no dangling names.
pub fn place(names: &[String], name: &str) -> u16 {
    names.iter().position(|other| other == name).expect("a checked scenario has no dangling names") as u16
}

/// A distribution, ready to draw from.
pub fn dist(written: &Distribution, tables: &BTreeMap<String, Table>) -> Dist {
    written.dist(tables).expect("the files of a checked scenario have been read")
}

/// The request classes, in file order.
pub fn classes(file: &File, places: &Places, tables: &BTreeMap<String, Table>) -> Vec<Class> {
    let queries: Vec<String> = file.query.keys().cloned().collect();
    let enqueue = |name: &String| Op::Enqueue(place(&places.queues, name));
    let compile = |name: &String, request: &grammar::Request| {
        let service = place(&places.services, &request.service);
        let pools = &file.service[&request.service].pool;
        let pool = |on: &Option<String>| {
            let on = on.as_deref().expect("a checked step says where it runs");
            match file.endpoint.get_index_of(on) {
                Some(endpoint) => Op::AcquireAt(endpoint as u16),
                None => Op::Acquire(pool_place(pools, on)),
            }
        };
        let query_op = |name: &String, autocommit| Op::Query { query: place(&queries, name), autocommit };
        let mut script = Vec::new();
        for step in &request.steps {
            if let Some(app) = &step.app {
                script.push(Op::App(dist(app, tables)));
            }
            for _ in 0..step.times.unwrap_or(1) {
                if let Some(query) = &step.query {
                    script.extend([pool(&step.on), query_op(query, true)]);
                    script.extend(step.think.iter().map(|think| Op::App(dist(think, tables))));
                    script.push(Op::Release);
                }
                script.extend(step.enqueue.iter().map(enqueue));
            }
            if let Some(transaction) = &step.transaction {
                let mut queries = transaction.iter().map(|query| query_op(query, false));
                script.extend([pool(&step.on), Op::Begin]);
                script.extend(queries.next());
                script.extend(step.think.iter().map(|think| Op::App(dist(think, tables))));
                script.extend(queries);
                script.extend([Op::Commit, Op::Release]);
            }
        }
        let by_endpoint = script.iter().any(|op| matches!(op, Op::AcquireAt(_)));
        let by_name = script.iter().any(|op| matches!(op, Op::Acquire(_)));
        Class {
            service,
            script,
            queries: by_name || by_endpoint,
            tells: by_endpoint || file.edge.serves.contains(name),
            budget: request.retry.as_ref().and_then(|retry| retry.budget).map(Budget::new),
            handler_retry: request.handler_retry.clone(),
            timeout: request.timeout.0,
            patience: request.patience.0,
            retry: request.retry.clone(),
        }
    };
    file.request.iter().map(|(name, request)| compile(name, request)).collect()
}

/// The place of a service's pool to a node.
fn pool_place(pools: &Named<grammar::Pool>, node: &str) -> u8 {
    pools.get_index_of(node).expect("a checked service pools what it queries") as u8
}

/// What each query needs of its node, in file order.
pub fn queries(file: &File, tables: &BTreeMap<String, Table>) -> Vec<Query> {
    let query = |query: &grammar::Query| Query {
        cpu: dist(&query.cpu, tables),
        reads: query.reads,
        writes: query.writes,
        locks_one_of: query.lock.map(|lock| lock.rows),
        index_pages: query.index_pages,
    };
    file.query.values().map(query).collect()
}

/// What the containers of a service are like.
pub fn service_plan(
    file: &File,
    places: &Places,
    number: ServiceNumber,
    tables: &BTreeMap<String, Table>,
) -> Plan {
    let settings = file.service[usize::from(number)].clone();
    let pools = settings.pool.iter().map(|(name, pool)| {
        let (node, settings) = (place(&places.nodes, name), &file.postgres[name]);
        let (leg, handshake_trips) = match &settings.pooler {
            Some(pooler) => (Leg::Front, pooler.handshake_trips),
            None => (Leg::Direct, settings.handshake_trips),
        };
        let (number, settings) = (places.pool(number, node), Arc::new(pool.clone()));
        PoolPlan { node, leg, number, settings, handshake_trips }
    });
    let pools = pools.collect();
    let endpoints = file.endpoint.values().map(|endpoint| endpoint_plan(&settings.pool, endpoint)).collect();
    Plan { startup: dist(&settings.startup, tables), pools, endpoints, settings }
}

/// An endpoint for a service with these pools; nothing if it has none to its node.
fn endpoint_plan(pools: &Named<grammar::Pool>, endpoint: &grammar::Endpoint) -> Option<EndpointPlan> {
    let place = |node: &String| pools.get_index_of(node).map(|place| place as u8);
    let fallback = endpoint.fallback.as_ref().and_then(place);
    Some(EndpointPlan { place: place(&endpoint.node)?, fallback, breaker: endpoint.breaker })
}

/// What stands before the services.
pub fn edge(file: &File, tables: &BTreeMap<String, Table>) -> Edge {
    let serves = file.request.keys().map(|class| file.edge.serves.contains(class)).collect();
    Edge::new(&file.edge, serves, dist(&file.edge.time, tables))
}

/// What a node is like: its role by its name, its hardware by the machine that it runs on.
pub fn node_plan(
    file: &File,
    number: NodeNumber,
    machine: NodeNumber,
    tables: &BTreeMap<String, Table>,
) -> NodePlan {
    let mut settings = file.postgres[usize::from(number)].clone();
    if machine != number {
        let hardware = &file.postgres[usize::from(machine)];
        (settings.cores, settings.contention) = (hardware.cores, hardware.contention);
        (settings.start_cpu, settings.refuse_cpu) = (hardware.start_cpu.clone(), hardware.refuse_cpu);
        (settings.disk, settings.state) = (hardware.disk.clone(), hardware.state);
    }
    let disk = settings.disk.as_ref().map(|disk| Disk {
        read: dist(&disk.read, tables),
        flush: dist(&disk.flush, tables),
        read_factor: disk.read_factor,
        flush_factor: disk.flush_factor,
    });
    NodePlan { start_cpu: dist(&settings.start_cpu, tables), disk, settings }
}

/// What the pooler of a node is like, if it has one.
pub fn pooler_plan(file: &File, places: &Places, node: NodeNumber) -> Option<PoolerPlan> {
    let before = &file.postgres[usize::from(node)];
    let settings = before.pooler.clone()?;
    let (pool, handshake_trips) = (places.pool_of_pooler(node), before.handshake_trips);
    Some(PoolerPlan { settings, pool, handshake_trips })
}

/// One trip from a container to each node's pooler, and one from there to the node.
pub fn pooler_trips(file: &File, tables: &BTreeMap<String, Table>) -> Vec<Option<[Dist; 2]>> {
    let trips = |pooler: &grammar::Pooler| {
        [&pooler.client_trip, &pooler.server_trip].map(|written| dist(written, tables))
    };
    file.postgres.values().map(|node| node.pooler.as_ref().map(trips)).collect()
}

/// The replicas of a node.
pub fn replicas(
    file: &File,
    places: &Places,
    primary: NodeNumber,
    luck: Stream,
    tables: &BTreeMap<String, Table>,
) -> Vec<Replica> {
    let name = &places.nodes[usize::from(primary)];
    let replicas = file.postgres.iter().filter(|(_, node)| node.replica_of.as_ref() == Some(name));
    let replica = |(name, node): (&String, &grammar::Postgres)| Replica {
        node: place(&places.nodes, name),
        lag: dist(&node.lag, tables),
        luck: luck.named("replay").named(name),
        replayed: Time::ZERO,
        flushes: 0,
    };
    replicas.map(replica).collect()
}

/// The jobs of a node.
pub fn jobs(
    file: &File,
    places: &Places,
    node: NodeNumber,
    luck: Stream,
    tables: &BTreeMap<String, Table>,
) -> Vec<Job> {
    let all = places.jobs.iter().enumerate().map(|(number, name)| (number, name, &file.job[name]));
    let here = all.filter(|(_, _, job)| job.on == places.nodes[usize::from(node)]);
    here.map(|(number, name, job)| Job {
        number: number as u16,
        enabled: job.enabled,
        first: job.first.unwrap_or(job.every),
        every: job.every,
        parallel: job.work.parallel,
        cpu: dist(&job.work.cpu, tables),
        luck: luck.named("job").named(name),
        running: 0,
    })
    .collect()
}
