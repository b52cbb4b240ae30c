//! The recorder: every fact goes to the watches that it concerns.

use super::closeup::Keeper;
use super::gain::lifetime_at;
use super::herd::HerdWatch;
use super::latency::{self, ClassWatch};
use super::levels::Gauge;
use super::spikes::{self, Episode};
use super::{BIN, LevelBin, LevelSeries, Mark, Measured, ScrapedSeries, ServiceBin, ServiceMeasured, Storm};
use crate::engine::chance::Stream;
use crate::engine::time::{Span, Time};
use crate::model::build::Places;
use crate::model::fact::{Fact, Recorder};
use crate::scenario::{Moment, Scenario};
use hdrhistogram::Histogram;

/// How often the dashboard scrapes.
pub const SCRAPE: Span = Span::from_secs(60);

const SECOND: Span = Span::from_secs(1);

/// Makes [`Measured`] of the facts of one run.
#[derive(Debug)]
pub struct Meter {
    places: Places,
    duration: Span,
    timeline: Vec<Moment>,
    /// The next instant at which a second or a bin ends, or a scrape is due.
    boundary: Time,
    second_end: Time,
    bin_end: Time,
    scrape_at: Time,
    classes: Vec<ClassWatch>,
    /// Gauges of each service: in flight, pending, containers.
    services: Vec<[Gauge; 3]>,
    /// Gauges of each pool: open, idle, in use, dialling, waiting.
    pools: Vec<[Gauge; 5]>,
    /// Gauges of each node: backends, active, grant queue, CPU busy.
    nodes: Vec<[Gauge; 4]>,
    cores: Vec<f64>,
    herds: Vec<HerdWatch>,
    refused: Vec<u64>,
    service_bins: Vec<Vec<ServiceBin>>,
    keeper: Keeper,
    dashboard: Vec<ScrapedSeries>,
    starts_at_scrape: Vec<u64>,
    marks: Vec<Mark>,
    episodes: Vec<Episode>,
    scratch: Histogram<u64>,
    service_scratch: Histogram<u64>,
    opened: u64,
    closed: u64,
}

const SERVICE_LEVELS: [&str; 3] = ["in_flight", "pending", "containers"];
const IN_FLIGHT: usize = 0;
const PENDING: usize = 1;
const CONTAINERS: usize = 2;
const POOL_LEVELS: [&str; 5] = ["open", "idle", "in_use", "dialling", "waiting"];
const OPEN: usize = 0;
const IDLE: usize = 1;
const IN_USE: usize = 2;
const DIALLING: usize = 3;
const WAITING: usize = 4;
const NODE_LEVELS: [&str; 4] = ["backends", "active", "grant_queue", "cpu_busy"];
const BACKENDS: usize = 0;
const ACTIVE: usize = 1;
const GRANT_QUEUE: usize = 2;
const CPU_BUSY: usize = 3;
/// The first of a node's levels are in close-ups.
const CLOSE: usize = 3;

impl Meter {
    /// A meter for a run of this scenario. The dashboard's phase follows from the seed.
    pub fn new(scenario: &Scenario, seed: u64) -> Meter {
        let (file, places) = (&scenario.file, Places::of(scenario));
        let phase = Stream::root(seed).named("dashboard").draws().unit();
        let scrape_at = Time::ZERO + SCRAPE.scale(phase);
        let mut meter = Meter {
            duration: file.duration,
            timeline: scenario.timeline.clone(),
            boundary: scrape_at.min(Time::ZERO + SECOND),
            second_end: Time::ZERO + SECOND,
            bin_end: Time::ZERO + BIN,
            scrape_at,
            classes: places.series.iter().cloned().map(ClassWatch::new).collect(),
            services: places.services.iter().map(|_| [(); 3].map(|()| Gauge::new(0.0))).collect(),
            pools: places.pools.iter().map(|_| [(); 5].map(|()| Gauge::new(0.0))).collect(),
            nodes: places.nodes.iter().map(|_| [(); 4].map(|()| Gauge::new(0.0))).collect(),
            cores: file.postgres.values().map(|node| node.cores).collect(),
            herds: places.nodes.iter().map(|node| HerdWatch::new(lifetime_at(file, node))).collect(),
            refused: vec![0; places.nodes.len()],
            service_bins: vec![Vec::new(); places.services.len()],
            keeper: Keeper::default(),
            dashboard: Vec::new(),
            starts_at_scrape: vec![0; places.nodes.len()],
            marks: Vec::new(),
            episodes: Vec::new(),
            scratch: latency::histogram(),
            service_scratch: latency::histogram(),
            opened: 0,
            closed: 0,
            places,
        };
        meter.dashboard = meter.scraped_series();
        meter
    }

    /// What was seen, at the end of the run; `in_flight` is the model's own count of requests under way.
    ///
    /// # Panics
    /// If something was lost or came from nowhere: arrivals ≠ ended + in flight, opened ≠ closed + open.
    pub fn finish(mut self, in_flight: u64) -> Measured {
        let end = Time::ZERO + self.duration;
        self.cross(end);
        if self.bin_end.since(end) < BIN {
            self.close_bin(end);
        }
        let classes: Vec<_> =
            self.classes.into_iter().map(|class| class.finish(&self.places.services)).collect();
        let counted: u64 = classes.iter().map(|class| class.in_flight).sum();
        assert_eq!(counted, in_flight, "requests that arrived = ended + in flight");
        let open: u64 = self.herds.iter().map(|herd| u64::from(herd.open())).sum();
        assert_eq!(self.opened, self.closed + open, "backends that started = exited + open");
        let services: Vec<ServiceMeasured> = (self.places.services.iter().cloned().zip(self.service_bins))
            .map(|(service, bins)| ServiceMeasured { service, bins })
            .collect();
        let mut levels = Vec::new();
        for (number, gauges) in self.services.into_iter().enumerate() {
            push_levels(
                &mut levels,
                format!("service.{}", self.places.services[number]),
                SERVICE_LEVELS,
                gauges,
            );
        }
        for (number, gauges) in self.pools.into_iter().enumerate() {
            push_levels(&mut levels, pool_name(&self.places, number), POOL_LEVELS, gauges);
        }
        for (number, gauges) in self.nodes.into_iter().enumerate() {
            push_levels(&mut levels, format!("postgres.{}", self.places.nodes[number]), NODE_LEVELS, gauges);
        }
        let storms = storms(&self.herds, &self.places);
        let closeups = self.keeper.finish(close_names(&self.places), &storms);
        let mut spikes: Vec<_> = services
            .iter()
            .enumerate()
            .flat_map(|(number, service)| {
                let near: Vec<&Storm> =
                    storms.iter().filter(|storm| uses(&self.places, number, &storm.node)).collect();
                spikes::spikes(service, &near, &self.episodes)
            })
            .collect();
        spikes.sort_by_key(|spike| spike.from);
        let nodes: Vec<_> = (self.herds.into_iter().zip(&self.places.nodes).zip(&self.refused))
            .map(|((herd, name), refused)| herd.finish(name.clone(), *refused, end))
            .collect();
        let events =
            self.episodes.iter().filter(|episode| episode.name.starts_with("event.") && episode.to < end);
        let recoveries = events
            .flat_map(|event| services.iter().filter_map(|service| spikes::recovery(service, event)))
            .collect();
        Measured {
            duration: self.duration,
            classes,
            services,
            nodes,
            levels,
            closeups,
            dashboard: self.dashboard,
            storms,
            spikes,
            recoveries,
            marks: self.marks,
        }
    }

    /// Time passes bins' ends and scrapes.
    fn cross(&mut self, now: Time) {
        let end = Time::ZERO + self.duration;
        while self.boundary <= now {
            if self.scrape_at == self.boundary {
                self.scrape();
            }
            if self.second_end == self.boundary && self.second_end <= end {
                self.close_second(self.second_end);
                self.second_end += SECOND;
            }
            if self.bin_end == self.boundary && self.bin_end <= end {
                self.close_bin(self.bin_end);
                self.bin_end += BIN;
            }
            if self.boundary >= end {
                self.boundary = Time::NEVER;
                return;
            }
            let next = self.scrape_at.min(self.second_end).min(self.bin_end);
            self.boundary = next.min(end.max(now + Span(1)));
        }
    }

    /// The gauges of close-ups, in the order of [`close_names`].
    fn close_second(&mut self, end: Time) {
        let nodes = self.nodes.iter_mut().flat_map(|gauges| gauges[..CLOSE].iter_mut());
        let services = self.services.iter_mut().map(|gauges| &mut gauges[IN_FLIGHT]);
        let pools = self.pools.iter_mut().map(|gauges| &mut gauges[WAITING]);
        let gauges = nodes.chain(services).chain(pools);
        let bins: Vec<LevelBin> = gauges.map(|gauge| gauge.close_second(end)).collect();
        let storm = self.herds.iter().filter_map(HerdWatch::last_storm).max();
        self.keeper.second(end, bins, storm);
    }

    fn close_bin(&mut self, end: Time) {
        let gauges = self.services.iter_mut().flatten();
        let gauges = gauges.chain(self.pools.iter_mut().flatten()).chain(self.nodes.iter_mut().flatten());
        gauges.for_each(|gauge| gauge.close_bin(end));
        self.herds.iter_mut().for_each(HerdWatch::close_bin);
        for (number, bins) in self.service_bins.iter_mut().enumerate() {
            self.service_scratch.reset();
            for (class, series) in self.classes.iter_mut().zip(&self.places.series) {
                if usize::from(series.service) == number {
                    class.close_bin(&mut self.service_scratch, &mut self.scratch);
                }
            }
            bins.push(latency::service_bin(&self.service_scratch));
        }
    }

    /// The gauges that the dashboard shows.
    fn scraped_series(&self) -> Vec<ScrapedSeries> {
        let series = |level, of: String| ScrapedSeries { level, of, samples: vec![] };
        let mut all = Vec::new();
        for node in &self.places.nodes {
            let of = format!("postgres.{node}");
            all.extend([BACKENDS, ACTIVE, CPU_BUSY].map(|level| series(NODE_LEVELS[level], of.clone())));
            all.push(series("connects_per_s", of));
        }
        for pool in 0..self.places.pools.len() {
            let of = pool_name(&self.places, pool);
            all.extend([IN_USE, WAITING].map(|level| series(POOL_LEVELS[level], of.clone())));
        }
        all
    }

    fn scrape(&mut self) {
        let mut values = Vec::with_capacity(self.dashboard.len());
        for (node, gauges) in self.nodes.iter().enumerate() {
            values.extend([BACKENDS, ACTIVE, CPU_BUSY].map(|level| gauges[level].value()));
            let total = self.herds[node].total();
            values.push((total - self.starts_at_scrape[node]) as f64 / SCRAPE.as_secs());
            self.starts_at_scrape[node] = total;
        }
        for gauges in &self.pools {
            values.extend([IN_USE, WAITING].map(|level| gauges[level].value()));
        }
        for (series, value) in self.dashboard.iter_mut().zip(values) {
            series.samples.push((self.scrape_at, value));
        }
        self.scrape_at += SCRAPE;
    }

    fn pool(&mut self, now: Time, pool: u16, changes: &[(usize, f64)]) {
        for &(gauge, by) in changes {
            self.pools[usize::from(pool)][gauge].change(now, by);
        }
    }

    fn work(&mut self, now: Time, node: u16, by: f64) {
        let node = usize::from(node);
        let gauges = &mut self.nodes[node];
        gauges[ACTIVE].change(now, by);
        let busy = (gauges[ACTIVE].value() / self.cores[node]).min(1.0);
        gauges[CPU_BUSY].set(now, busy);
    }

    fn episode_ends(&mut self, name: &str, now: Time) {
        if let Some(episode) = self.episodes.iter_mut().rev().find(|episode| episode.name == name) {
            episode.to = now;
        }
    }

    fn on_moment(&mut self, now: Time, place: u32) {
        let moment = &self.timeline[place as usize];
        let (event, begins, instant) = (moment.event.clone(), moment.begins, moment.deed.is_some());
        if let Some(file) = &moment.stands {
            self.cores = file.postgres.values().map(|node| node.cores).collect();
        }
        let name = format!("event.{event}");
        if begins {
            // A deed is over at once, whatever follows from it; a setting lasts until it is given back.
            let to = if instant { now } else { Time::ZERO + self.duration };
            self.episodes.push(Episode { name, from: now, to });
        } else {
            self.episode_ends(&name, now);
        }
        self.marks.push(Mark { at: now, event, begins });
    }
}

impl Recorder for Meter {
    fn record(&mut self, now: Time, fact: Fact) {
        if now >= self.boundary {
            self.cross(now);
        }
        match fact {
            Fact::WishBegan { series } => self.classes[usize::from(series)].wish(),
            Fact::WishEnded { series, fulfilled } => self.classes[usize::from(series)].wish_ended(fulfilled),
            Fact::RequestArrived { series, .. } => self.classes[usize::from(series)].arrive(),
            Fact::RequestEnded { series, outcome, latency } => {
                self.classes[usize::from(series)].end(outcome, latency);
            }
            Fact::PendingBegan(service) => self.services[usize::from(service)][PENDING].change(now, 1.0),
            Fact::PendingEnded(service) => self.services[usize::from(service)][PENDING].change(now, -1.0),
            Fact::HandlingBegan(service) => self.services[usize::from(service)][IN_FLIGHT].change(now, 1.0),
            Fact::HandlingEnded(service) => self.services[usize::from(service)][IN_FLIGHT].change(now, -1.0),
            Fact::ContainerLaunched(service) => {
                self.services[usize::from(service)][CONTAINERS].change(now, 1.0)
            }
            Fact::ContainerServing(_)
            | Fact::RequestServed { .. }
            | Fact::CapSet(..)
            | Fact::CoresSet(..)
            | Fact::LockQueued(_)
            | Fact::LockDequeued(_)
            | Fact::DiskWaitBegan(_)
            | Fact::DiskWaitEnded(_)
            | Fact::Replayed(..)
            | Fact::BreakerTurned { .. }
            | Fact::OutageModeTurned(_) => {}
            Fact::ContainerStopped(service) => {
                self.services[usize::from(service)][CONTAINERS].change(now, -1.0)
            }
            Fact::AcquireQueued(pool) => self.pool(now, pool, &[(WAITING, 1.0)]),
            Fact::AcquireDequeued(pool) => self.pool(now, pool, &[(WAITING, -1.0)]),
            Fact::ConnectionAdopted { pool } => {
                let node = usize::from(self.places.pools[usize::from(pool)].1);
                self.pool(now, pool, &[(OPEN, 1.0), (IDLE, 1.0)]);
                self.nodes[node][BACKENDS].change(now, 1.0);
                self.herds[node].adopt();
                self.opened += 1;
            }
            Fact::DialBegan(pool) => self.pool(now, pool, &[(DIALLING, 1.0)]),
            Fact::DialSucceeded(pool) => {
                self.pool(now, pool, &[(DIALLING, -1.0), (OPEN, 1.0), (IN_USE, 1.0)])
            }
            Fact::DialEnded(pool) => self.pool(now, pool, &[(DIALLING, -1.0)]),
            Fact::ConnectionAcquired(pool) => self.pool(now, pool, &[(IDLE, -1.0), (IN_USE, 1.0)]),
            Fact::ConnectionReleased(pool) => self.pool(now, pool, &[(IN_USE, -1.0), (IDLE, 1.0)]),
            Fact::IdleClosed(pool, _) => self.pool(now, pool, &[(IDLE, -1.0), (OPEN, -1.0)]),
            Fact::UsedClosed(pool, _) => self.pool(now, pool, &[(IN_USE, -1.0), (OPEN, -1.0)]),
            Fact::ConnectRefused(node) => self.refused[usize::from(node)] += 1,
            Fact::GrantQueued(node) => self.nodes[usize::from(node)][GRANT_QUEUE].change(now, 1.0),
            Fact::GrantDropped(node) => self.nodes[usize::from(node)][GRANT_QUEUE].change(now, -1.0),
            Fact::BackendStarted { node, cause } => {
                let gauges = &mut self.nodes[usize::from(node)];
                gauges[GRANT_QUEUE].change(now, -1.0);
                gauges[BACKENDS].change(now, 1.0);
                self.herds[usize::from(node)].start(now, cause);
                self.opened += 1;
            }
            Fact::BackendExited(node) => {
                self.nodes[usize::from(node)][BACKENDS].change(now, -1.0);
                self.herds[usize::from(node)].exit(now);
                self.closed += 1;
            }
            Fact::WorkBegan(node) => self.work(now, node, 1.0),
            Fact::WorkEnded(node) => self.work(now, node, -1.0),
            Fact::NodeDown(_) | Fact::NodeUp(_) => {}
            Fact::JobBegan(job) => {
                let name = format!("job.{}", self.places.jobs[usize::from(job)]);
                self.episodes.push(Episode { name, from: now, to: Time::ZERO + self.duration });
            }
            Fact::JobEnded(job) => {
                let name = format!("job.{}", self.places.jobs[usize::from(job)]);
                self.episode_ends(&name, now);
            }
            Fact::TimelineMoved(place) => self.on_moment(now, place),
        }
    }
}

/// The storms of all nodes, by the time of their peaks.
fn storms(herds: &[HerdWatch], places: &Places) -> Vec<Storm> {
    let mut storms: Vec<Storm> =
        herds.iter().zip(&places.nodes).flat_map(|(herd, node)| herd.storms(node)).collect();
    storms.sort_by_key(|storm| storm.at);
    storms
}

/// Whether a service has a pool to a node.
fn uses(places: &Places, service: usize, node: &str) -> bool {
    let to_it = |place: u16| places.nodes[usize::from(place)] == node;
    places.pools.iter().any(|(from, to)| usize::from(*from) == service && to_it(*to))
}

/// What the gauges of close-ups are called and what they are of.
fn close_names(places: &Places) -> Vec<(&'static str, String)> {
    let node = |name: &String| {
        let of = format!("postgres.{name}");
        NODE_LEVELS[..CLOSE].iter().map(|level| (*level, of.clone())).collect::<Vec<_>>()
    };
    let services = places.services.iter().map(|name| (SERVICE_LEVELS[IN_FLIGHT], format!("service.{name}")));
    let pools = (0..places.pools.len()).map(|pool| (POOL_LEVELS[WAITING], pool_name(places, pool)));
    places.nodes.iter().flat_map(node).chain(services).chain(pools).collect()
}

fn pool_name(places: &Places, pool: usize) -> String {
    let (service, node) = places.pools[pool];
    format!("service.{}.pool.{}", places.services[usize::from(service)], places.nodes[usize::from(node)])
}

fn push_levels<const N: usize>(
    all: &mut Vec<LevelSeries>,
    of: String,
    names: [&'static str; N],
    gauges: [Gauge; N],
) {
    for (level, gauge) in names.into_iter().zip(gauges) {
        all.push(LevelSeries { level, of: of.clone(), bins: gauge.into_bins() });
    }
}
