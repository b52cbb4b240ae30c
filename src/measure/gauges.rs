//! The gauges of a run: how facts move them, and what is made of them.
//!
//! In life these are the numbers on a dashboard: what is in flight, what waits, what is open, how busy a CPU
//! is. Each is kept as minimum, mean and maximum of a bin. Gauges of what not every run has (a cap above a
//! scaled fleet, waits for locks and disks, the lag of a replica, sessions of jobs) are dropped at the end
//! where there was none. `backends` is what `pg_stat_activity` lists: those of connections and the sessions
//! of jobs.

use super::levels::Gauge;
use super::{LevelBin, LevelSeries};
use crate::engine::time::{Span, Time};
use crate::model::build::Places;
use crate::model::fact::{Fact, NodeNumber};
use crate::scenario::grammar::{File, NodeState, Scaler};

const SERVICE_LEVELS: [&str; 4] = ["in_flight", "pending", "containers", "cap"];
const IN_FLIGHT: usize = 0;
const PENDING: usize = 1;
const CONTAINERS: usize = 2;
const CAP: usize = 3;
const POOL_LEVELS: [&str; 5] = ["open", "idle", "in_use", "dialling", "waiting"];
const OPEN: usize = 0;
const IDLE: usize = 1;
const IN_USE: usize = 2;
const DIALLING: usize = 3;
const WAITING: usize = 4;
const CLIENTS: &str = "clients";
const NODE_LEVELS: [&str; 8] = [
    "backends",
    "active",
    "grant_queue",
    "cpu_busy",
    "lock_waiters",
    "disk_waiters",
    "replica_lag",
    "job_sessions",
];
const BACKENDS: usize = 0;
const ACTIVE: usize = 1;
const GRANT_QUEUE: usize = 2;
const CPU_BUSY: usize = 3;
const LOCK_WAITERS: usize = 4;
const DISK_WAITERS: usize = 5;
const REPLICA_LAG: usize = 6;
const JOB_SESSIONS: usize = 7;
/// The first of a node's levels are in close-ups.
const CLOSE: usize = 3;

/// The gauges of every service, pool, node and pooler.
#[derive(Debug)]
pub struct Gauges {
    services: Vec<[Gauge; 4]>,
    pools: Vec<[Gauge; 5]>,
    nodes: Vec<[Gauge; 8]>,
    /// Clients of each pooler, and the nodes behind them.
    clients: Vec<Gauge>,
    poolers: Vec<NodeNumber>,
    cores: Vec<f64>,
    /// Which nodes' machines stand still: what is begun waits, and no core is busy.
    frozen: Vec<bool>,
    /// Which services have a scaler.
    scaled: Vec<bool>,
}

impl Gauges {
    /// All at zero.
    pub fn new(file: &File, places: &Places) -> Gauges {
        Gauges {
            services: places.services.iter().map(|_| [(); 4].map(|()| Gauge::new(0.0))).collect(),
            pools: (0..places.pool_count()).map(|_| [(); 5].map(|()| Gauge::new(0.0))).collect(),
            nodes: places.nodes.iter().map(|_| [(); 8].map(|()| Gauge::new(0.0))).collect(),
            clients: places.poolers.iter().map(|_| Gauge::new(0.0)).collect(),
            poolers: places.poolers.clone(),
            cores: file.postgres.values().map(|node| node.cores).collect(),
            frozen: places.nodes.iter().map(|_| false).collect(),
            scaled: file.service.values().map(|service| service.scaler != Scaler::Fixed).collect(),
        }
    }

    /// Moves the gauges that a fact is about.
    #[inline(always)]
    pub fn follow(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::PendingBegan(service) => self.service(now, service, PENDING, 1.0),
            Fact::PendingEnded(service) => self.service(now, service, PENDING, -1.0),
            Fact::HandlingBegan(service) => self.service(now, service, IN_FLIGHT, 1.0),
            Fact::HandlingEnded(service) => self.service(now, service, IN_FLIGHT, -1.0),
            Fact::ContainerLaunched(service) => self.service(now, service, CONTAINERS, 1.0),
            Fact::ContainerStopped(service) => self.service(now, service, CONTAINERS, -1.0),
            Fact::CapSet(service, max) => self.services[usize::from(service)][CAP].set(now, f64::from(max)),
            Fact::AcquireQueued(pool) => self.pool(now, pool, &[(WAITING, 1.0)]),
            Fact::AcquireDequeued(pool) => self.pool(now, pool, &[(WAITING, -1.0)]),
            Fact::ConnectionAdopted { pool } => self.pool(now, pool, &[(OPEN, 1.0), (IDLE, 1.0)]),
            Fact::DialBegan(pool) => self.pool(now, pool, &[(DIALLING, 1.0)]),
            Fact::DialSucceeded(pool) => {
                self.pool(now, pool, &[(DIALLING, -1.0), (OPEN, 1.0), (IN_USE, 1.0)])
            }
            Fact::DialEnded(pool) => self.pool(now, pool, &[(DIALLING, -1.0)]),
            Fact::ConnectionAcquired(pool) => self.pool(now, pool, &[(IDLE, -1.0), (IN_USE, 1.0)]),
            Fact::ConnectionReleased(pool) => self.pool(now, pool, &[(IN_USE, -1.0), (IDLE, 1.0)]),
            Fact::IdleClosed(pool, _) => self.pool(now, pool, &[(IDLE, -1.0), (OPEN, -1.0)]),
            Fact::UsedClosed(pool, _) => self.pool(now, pool, &[(IN_USE, -1.0), (OPEN, -1.0)]),
            Fact::ClientConnected(node) => self.clients(now, node, 1.0),
            Fact::ClientLeft(node) => self.clients(now, node, -1.0),
            Fact::GrantQueued(node) => self.node(now, node, GRANT_QUEUE, 1.0),
            Fact::GrantDropped(node) => self.node(now, node, GRANT_QUEUE, -1.0),
            Fact::BackendStarted { node, .. } => {
                self.node(now, node, GRANT_QUEUE, -1.0);
                self.backends(now, node, 1.0);
            }
            Fact::BackendExited(node) => self.backends(now, node, -1.0),
            Fact::WorkBegan(node) => self.work(now, node, 1.0),
            Fact::WorkEnded(node) => self.work(now, node, -1.0),
            Fact::CoresSet(node, cores) => {
                self.cores[usize::from(node)] = cores;
                self.work(now, node, 0.0);
            }
            Fact::StateEntered(node, state) => {
                self.frozen[usize::from(node)] = state == NodeState::Frozen;
                self.work(now, node, 0.0);
            }
            Fact::LockQueued(node) => self.node(now, node, LOCK_WAITERS, 1.0),
            Fact::LockDequeued(node) => self.node(now, node, LOCK_WAITERS, -1.0),
            Fact::DiskWaitBegan(node) => self.node(now, node, DISK_WAITERS, 1.0),
            Fact::DiskWaitEnded(node) => self.node(now, node, DISK_WAITERS, -1.0),
            Fact::Replayed(node, age) | Fact::FellBehind(node, age) => self.lags(now, node, age),
            Fact::SessionBegan(node) => self.session(now, node, 1.0),
            Fact::SessionEnded(node) => self.session(now, node, -1.0),
            _ => {}
        }
    }

    fn service(&mut self, now: Time, service: u16, gauge: usize, by: f64) {
        self.services[usize::from(service)][gauge].change(now, by);
    }

    fn pool(&mut self, now: Time, pool: u16, changes: &[(usize, f64)]) {
        for &(gauge, by) in changes {
            self.pools[usize::from(pool)][gauge].change(now, by);
        }
    }

    fn clients(&mut self, now: Time, node: u16, by: f64) {
        let pooler = self.poolers.iter().position(|pooler| *pooler == node);
        self.clients[pooler.expect("a node with a pooler")].change(now, by);
    }

    fn node(&mut self, now: Time, node: u16, gauge: usize, by: f64) {
        self.nodes[usize::from(node)][gauge].change(now, by);
    }

    /// Backends came or went.
    pub fn backends(&mut self, now: Time, node: u16, by: f64) {
        self.node(now, node, BACKENDS, by);
    }

    #[inline(always)]
    fn work(&mut self, now: Time, node: u16, by: f64) {
        let node = usize::from(node);
        let gauges = &mut self.nodes[node];
        gauges[ACTIVE].change(now, by);
        let busy = (gauges[ACTIVE].value() / self.cores[node]).min(1.0);
        gauges[CPU_BUSY].set(now, if self.frozen[node] { 0.0 } else { busy });
    }

    /// A session of a job came or went: it is a backend, too.
    fn session(&mut self, now: Time, node: u16, by: f64) {
        self.backends(now, node, by);
        self.node(now, node, JOB_SESSIONS, by);
    }

    fn lags(&mut self, now: Time, node: u16, age: Span) {
        self.nodes[usize::from(node)][REPLICA_LAG].set(now, age.as_secs());
    }

    /// A second ends: the gauges of close-ups, in the order of [`close_names`].
    pub fn close_second(&mut self, end: Time) -> Vec<LevelBin> {
        let nodes = self.nodes.iter_mut().flat_map(|gauges| gauges[..CLOSE].iter_mut());
        let services = self.services.iter_mut().map(|gauges| &mut gauges[IN_FLIGHT]);
        let pools = self.pools.iter_mut().map(|gauges| &mut gauges[WAITING]);
        nodes.chain(services).chain(pools).map(|gauge| gauge.close_second(end)).collect()
    }

    /// The first instant is over, in which the fleet was set up.
    pub fn begin(&mut self) {
        self.all().for_each(Gauge::begin);
    }

    /// A bin ends.
    pub fn close_bin(&mut self, end: Time) {
        self.all().for_each(|gauge| gauge.close_bin(end));
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Gauge> {
        let services = self.services.iter_mut().flatten();
        let pools_and_nodes = self.pools.iter_mut().flatten().chain(self.nodes.iter_mut().flatten());
        services.chain(pools_and_nodes).chain(&mut self.clients)
    }

    /// What every gauge shows now, in the order of [`names`].
    pub fn values(&self) -> impl Iterator<Item = f64> {
        let services = self.services.iter().flatten();
        let pools_and_nodes = self.pools.iter().flatten().chain(self.nodes.iter().flatten());
        services.chain(pools_and_nodes).chain(&self.clients).map(Gauge::value)
    }

    /// All gauges over time, without those of what there was not.
    pub fn into_levels(self, places: &Places) -> Vec<LevelSeries> {
        let mut all = Vec::new();
        for (number, gauges) in self.services.into_iter().enumerate() {
            let of = format!("service.{}", places.services[number]);
            let kept = |level: usize, _: &[LevelBin]| level != CAP || self.scaled[number];
            push_levels(&mut all, of, SERVICE_LEVELS, gauges, kept);
        }
        for (number, gauges) in self.pools.into_iter().enumerate() {
            push_levels(&mut all, pool_name(places, number), POOL_LEVELS, gauges, |_, _| true);
        }
        for (number, gauges) in self.nodes.into_iter().enumerate() {
            let of = format!("postgres.{}", places.nodes[number]);
            let kept =
                |level, bins: &[LevelBin]| level < LOCK_WAITERS || bins.iter().any(|bin| bin.max > 0.0);
            push_levels(&mut all, of, NODE_LEVELS, gauges, kept);
        }
        for (pooler, gauge) in self.clients.into_iter().enumerate() {
            push_levels(&mut all, pooler_name(places, pooler), [CLIENTS], [gauge], |_, _| true);
        }
        all
    }
}

/// What every gauge is called and what it is of.
pub fn names(places: &Places) -> Vec<(&'static str, String)> {
    let service = |name| SERVICE_LEVELS.map(|level| (level, format!("service.{name}")));
    let services = places.services.iter().flat_map(service);
    let pools = (0..places.pool_count()).flat_map(|pool| POOL_LEVELS.map(|of| (of, pool_name(places, pool))));
    let node = |name| NODE_LEVELS.map(|level| (level, format!("postgres.{name}")));
    let poolers = (0..places.poolers.len()).map(|pooler| (CLIENTS, pooler_name(places, pooler)));
    services.chain(pools).chain(places.nodes.iter().flat_map(node)).chain(poolers).collect()
}

/// What the gauges of close-ups are called and what they are of.
pub fn close_names(places: &Places) -> Vec<(&'static str, String)> {
    let node = |name: &String| {
        let of = format!("postgres.{name}");
        NODE_LEVELS[..CLOSE].iter().map(|level| (*level, of.clone())).collect::<Vec<_>>()
    };
    let services = places.services.iter().map(|name| (SERVICE_LEVELS[IN_FLIGHT], format!("service.{name}")));
    let pools = (0..places.pool_count()).map(|pool| (POOL_LEVELS[WAITING], pool_name(places, pool)));
    places.nodes.iter().flat_map(node).chain(services).chain(pools).collect()
}

/// What the levels of a pool are of.
pub fn pool_name(places: &Places, pool: usize) -> String {
    let Some((service, node)) = places.pools.get(pool) else {
        return format!("{}.pool", pooler_name(places, pool - places.pools.len()));
    };
    let (service, node) = (*service, *node);
    format!("service.{}.pool.{}", places.services[usize::from(service)], places.nodes[usize::from(node)])
}

/// What the levels of a pooler are of.
fn pooler_name(places: &Places, pooler: usize) -> String {
    format!("postgres.{}.pooler", places.nodes[usize::from(places.poolers[pooler])])
}

fn push_levels<const N: usize>(
    all: &mut Vec<LevelSeries>,
    of: String,
    names: [&'static str; N],
    gauges: [Gauge; N],
    kept: impl Fn(usize, &[LevelBin]) -> bool,
) {
    for (place, (level, gauge)) in names.into_iter().zip(gauges).enumerate() {
        let bins = gauge.into_bins();
        if kept(place, &bins) {
            all.push(LevelSeries { level, of: of.clone(), bins });
        }
    }
}
