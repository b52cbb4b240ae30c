//! The recorder: every fact goes to the watches that it concerns.

use super::closeup::Keeper;
use super::gain::lifetime_at;
use super::gauges::{self, Gauges, close_names};
use super::herd::HerdWatch;
use super::latency::{self, ClassWatch};
use super::recovery;
use super::spikes::{self, Episode};
use super::stretches::StretchWatch;
use super::{
    BIN, Mark, Measured, SECOND, ScrapedSeries, ServiceBin, ServiceMeasured, Spike, Storm, StretchKind,
};
use crate::engine::chance::Stream;
use crate::engine::time::{Span, Time};
use crate::model::build::Places;
use crate::model::fact::{Fact, Recorder, SeriesNumber};
use crate::scenario::grammar::{Label, NodeState};
use crate::scenario::{Moment, Scenario};
use hdrhistogram::Histogram;

/// How often the dashboard scrapes.
const SCRAPE: Span = Span::from_secs(60);
/// What it makes of the counter of a node's starts: their mean rate from one scrape to the next.
const CONNECTS: &str = "connects_per_s";

/// By now everything stands that stands from the first instant on.
const BEGUN: Time = Time(1);

/// Makes [`Measured`] of the facts of one run.
#[derive(Debug)]
pub struct Meter {
    places: Places,
    duration: Span,
    timeline: Vec<Moment>,
    /// The next instant at which a second or a bin ends, or a scrape is due; at first that after the first.
    boundary: Time,
    second_end: Time,
    bin_end: Time,
    scrape_at: Time,
    classes: Vec<ClassWatch>,
    gauges: Gauges,
    stretches: StretchWatch,
    /// Names under which services reach nodes, in file order.
    endpoints: Vec<String>,
    herds: Vec<HerdWatch>,
    slots: Vec<u32>,
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

impl Meter {
    /// A meter for a run of this scenario. The dashboard's phase follows from the seed.
    pub fn new(scenario: &Scenario, seed: u64) -> Meter {
        let (file, places) = (&scenario.file, Places::of(scenario));
        let phase = Stream::root(seed).named("dashboard").draws().unit();
        let scrape_at = Time::ZERO + SCRAPE.scale(phase);
        let mut meter = Meter {
            duration: file.duration,
            timeline: scenario.timeline.clone(),
            boundary: BEGUN,
            second_end: Time::ZERO + SECOND,
            bin_end: Time::ZERO + BIN,
            scrape_at,
            classes: (places.series.iter())
                .map(|series| ClassWatch::new(series.clone(), latency::is_asked(file, series)))
                .collect(),
            gauges: Gauges::new(file, &places),
            stretches: StretchWatch::default(),
            endpoints: file.endpoint.keys().cloned().collect(),
            herds: places.nodes.iter().map(|node| HerdWatch::new(lifetime_at(file, node))).collect(),
            slots: places.nodes.iter().map(|node| file.postgres[node].slots()).collect(),
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

    /// What was seen, at the end of the run. `under_way` are the requests that the model says are, by their
    /// series and arrival, and `backends` how many of connections it says there are.
    ///
    /// # Panics
    /// If something was lost or came from nowhere: arrivals ≠ ended + in flight, started ≠ exited + there.
    pub fn finish(mut self, under_way: &[(SeriesNumber, Time)], backends: u64) -> Measured {
        let end = Time::ZERO + self.duration;
        self.cross(Time(end.0.saturating_sub(1)));
        for (series, class) in (0..).zip(&mut self.classes) {
            let mine = under_way.iter().filter(|(of, _)| *of == series);
            class.cut_off(end, mine.map(|(_, arrived)| *arrived));
        }
        self.cross(end);
        if self.bin_end.since(end) < BIN {
            self.close_bin(end);
        }
        let classes: Vec<_> = self.classes.into_iter().map(|class| class.finish(&self.places)).collect();
        let counted: u64 = classes.iter().map(|class| class.in_flight).sum();
        assert_eq!(counted, under_way.len() as u64, "requests that arrived = ended + in flight");
        assert_eq!(self.opened, self.closed + backends, "backends that started = exited + there");
        let services: Vec<ServiceMeasured> = (self.places.services.iter().cloned().zip(self.service_bins))
            .enumerate()
            .map(|(place, (service, bins))| ServiceMeasured {
                service,
                nodes: nodes_of(&self.places, place),
                bins,
            })
            .collect();
        let storms = storms(&self.herds, &self.places);
        let closeups = self.keeper.finish(close_names(&self.places), &storms);
        let nodes: Vec<_> = (self.herds.into_iter().zip(&self.places.nodes))
            .zip(self.slots)
            .map(|((herd, name), slots)| herd.finish(name.clone(), slots, end))
            .collect();
        let levels = self.gauges.into_levels(&self.places);
        let is_kept = |shown: &ScrapedSeries| {
            levels.iter().any(|kept| (kept.level, &kept.of) == (shown.level, &shown.of))
        };
        self.dashboard.retain(|shown| shown.level == CONNECTS || is_kept(shown));
        let mut measured = Measured {
            duration: self.duration,
            classes,
            services,
            nodes,
            levels,
            closeups,
            dashboard: self.dashboard,
            storms,
            spikes: vec![],
            recoveries: vec![],
            marks: self.marks,
            stretches: self.stretches.finish(),
        };
        measured.spikes = all_spikes(&measured, &self.episodes);
        let mut ended = self.episodes;
        ended.retain(|episode| episode.name.starts_with("event.") && episode.to < end);
        measured.recoveries = recovery::recoveries(&measured, &ended);
        measured
    }

    /// Time passes bins' ends and scrapes.
    #[cold]
    fn cross(&mut self, now: Time) {
        let end = Time::ZERO + self.duration;
        while self.boundary <= now {
            if self.boundary == BEGUN {
                self.gauges.begin();
            }
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

    fn close_second(&mut self, end: Time) {
        let bins = self.gauges.close_second(end);
        let storm = self.herds.iter().filter_map(HerdWatch::last_storm).max();
        self.keeper.second(end, bins, storm);
    }

    fn close_bin(&mut self, end: Time) {
        self.gauges.close_bin(end);
        self.herds.iter_mut().for_each(HerdWatch::close_bin);
        for (number, bins) in self.service_bins.iter_mut().enumerate() {
            self.service_scratch.reset();
            let mut users_p99_us = None;
            for label in Label::ALL {
                for (class, series) in self.classes.iter_mut().zip(&self.places.series) {
                    if usize::from(series.service) == number && series.label == label {
                        class.close_bin(&mut self.service_scratch, &mut self.scratch);
                    }
                }
                if label == Label::Legitimate {
                    users_p99_us = latency::p99_us(&self.service_scratch);
                }
            }
            bins.push(latency::service_bin(&self.service_scratch, users_p99_us));
        }
    }

    /// What the dashboard shows: every gauge, and the starts of each node as a rate.
    fn scraped_series(&self) -> Vec<ScrapedSeries> {
        let gauges = gauges::names(&self.places);
        let rates = self.places.nodes.iter().map(|node| (CONNECTS, format!("postgres.{node}")));
        let series = |(level, of)| ScrapedSeries { level, of, samples: vec![] };
        gauges.into_iter().chain(rates).map(series).collect()
    }

    fn scrape(&mut self) {
        // Before the first there was none: since the start.
        let since = self.scrape_at.since(Time::ZERO).min(SCRAPE);
        let rates = self.herds.iter().zip(&mut self.starts_at_scrape).map(|(herd, before)| {
            let started = herd.total() - std::mem::replace(before, herd.total());
            if started == 0 { 0.0 } else { started as f64 / since.as_secs() }
        });
        for (series, value) in self.dashboard.iter_mut().zip(self.gauges.values().chain(rates)) {
            series.samples.push((self.scrape_at, value));
        }
        self.scrape_at += SCRAPE;
    }

    fn breaker_turned(&mut self, now: Time, service: u16, endpoint: u16, open: bool) {
        let service = &self.places.services[usize::from(service)];
        let of = format!("service.{service}.endpoint.{}", self.endpoints[usize::from(endpoint)]);
        self.stretches.turn(now, StretchKind::Breaker, of, open);
    }

    fn node_turned(&mut self, now: Time, node: u16, down: bool) {
        let of = self.places.nodes[usize::from(node)].clone();
        self.stretches.turn(now, StretchKind::Node, of, down);
    }

    fn state_entered(&mut self, now: Time, node: u16, state: NodeState) {
        for (kind, of_kind) in [
            (StretchKind::Unreachable, NodeState::Unreachable),
            (StretchKind::Frozen, NodeState::Frozen),
            (StretchKind::ReadOnly, NodeState::ReadOnly),
        ] {
            let of = self.places.nodes[usize::from(node)].clone();
            self.stretches.turn(now, kind, of, state == of_kind);
        }
    }

    fn burst_of(&self, source: u16) -> String {
        format!("traffic.{}", self.places.sources[usize::from(source)])
    }

    fn run_of(&self, job: u16) -> String {
        format!("job.{}", self.places.jobs[usize::from(job)])
    }

    fn episode_begins(&mut self, name: String, now: Time) {
        self.episodes.push(Episode { name, from: now, to: Time::ZERO + self.duration });
    }

    /// All of this name that still go on: a job's runs may overlap.
    fn episode_ends(&mut self, name: &str, now: Time) {
        let end = Time::ZERO + self.duration;
        for episode in self.episodes.iter_mut().filter(|episode| episode.name == name && episode.to == end) {
            episode.to = now;
        }
    }

    fn on_moment(&mut self, now: Time, place: u32) {
        let moment = &self.timeline[place as usize];
        let (event, begins, instant) = (moment.event.clone(), moment.begins, moment.instant);
        let name = format!("event.{event}");
        if begins {
            let to = if instant { now } else { Time::ZERO + self.duration };
            self.episodes.push(Episode { name, from: now, to });
        } else {
            self.episode_ends(&name, now);
        }
        self.marks.push(Mark { at: now, event, begins });
    }
}

impl Recorder for Meter {
    /// Stands where the fact is stated, and there only the arm of that fact is left.
    #[inline(always)]
    fn record(&mut self, now: Time, fact: Fact) {
        if now >= self.boundary {
            self.cross(now);
        }
        self.gauges.follow(now, fact);
        match fact {
            Fact::WishBegan { series } => self.classes[usize::from(series)].wish(),
            Fact::WishEnded { series, fulfilled } => self.classes[usize::from(series)].wish_ended(fulfilled),
            Fact::RequestArrived { series, .. } => self.classes[usize::from(series)].arrive(),
            Fact::RequestEnded { series, outcome, latency } => {
                self.classes[usize::from(series)].end(outcome, latency);
            }
            Fact::RequestServed { series, by } => self.classes[usize::from(series)].serve(by),
            Fact::AtCapTurned(service, on) => {
                let of = self.places.services[usize::from(service)].clone();
                self.stretches.turn(now, StretchKind::Cap, of, on);
            }
            Fact::ConnectionAdopted { pool } => {
                if let Some(node) = self.places.backend_at(pool) {
                    self.gauges.backends(now, node, 1.0);
                    self.herds[usize::from(node)].adopt();
                    self.opened += 1;
                }
            }
            Fact::ConnectRefused(node) => self.herds[usize::from(node)].refuse(),
            Fact::BackendStarted { node, cause } => {
                self.herds[usize::from(node)].start(now, cause);
                self.opened += 1;
            }
            Fact::BackendExited(node) => {
                self.herds[usize::from(node)].exit(now);
                self.closed += 1;
            }
            Fact::NodeDown(node) => self.node_turned(now, node, true),
            Fact::NodeUp(node) => self.node_turned(now, node, false),
            Fact::StateEntered(node, state) => self.state_entered(now, node, state),
            Fact::BreakerTurned { service, endpoint, open } => {
                self.breaker_turned(now, service, endpoint, open);
            }
            Fact::OutageModeTurned(on) => {
                self.stretches.turn(now, StretchKind::OutageMode, latency::EDGE.to_owned(), on);
            }
            Fact::BurstBegan(source) => self.episode_begins(self.burst_of(source), now),
            Fact::BurstEnded(source) => self.episode_ends(&self.burst_of(source), now),
            Fact::JobBegan(job) => self.episode_begins(self.run_of(job), now),
            Fact::JobEnded(job) => self.episode_ends(&self.run_of(job), now),
            Fact::TimelineMoved(place) => self.on_moment(now, place),
            // These move gauges and no more.
            Fact::PendingBegan(_)
            | Fact::PendingEnded(_)
            | Fact::HandlingBegan(_)
            | Fact::HandlingEnded(_)
            | Fact::ContainerLaunched(_)
            | Fact::ContainerServing(_)
            | Fact::ContainerStopped(_)
            | Fact::CapSet(..)
            | Fact::ClientConnected(_)
            | Fact::ClientLeft(_)
            | Fact::ClientRefused(_)
            | Fact::AcquireQueued(_)
            | Fact::AcquireDequeued(_)
            | Fact::DialBegan(_)
            | Fact::DialSucceeded(_)
            | Fact::DialEnded(_)
            | Fact::ConnectionAcquired(_)
            | Fact::ConnectionReleased(_)
            | Fact::IdleClosed(..)
            | Fact::UsedClosed(..)
            | Fact::GrantQueued(_)
            | Fact::GrantDropped(_)
            | Fact::WorkBegan(_)
            | Fact::WorkEnded(_)
            | Fact::CoresSet(..)
            | Fact::LockQueued(_)
            | Fact::LockDequeued(_)
            | Fact::DiskWaitBegan(_)
            | Fact::DiskWaitEnded(_)
            | Fact::SessionBegan(_)
            | Fact::SessionEnded(_)
            | Fact::FellBehind(..)
            | Fact::Replayed(..) => {}
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

/// The spikes of every service, in order of time.
fn all_spikes(measured: &Measured, episodes: &[Episode]) -> Vec<Spike> {
    let of = |service: &ServiceMeasured| {
        let near = measured.storms.iter().filter(|storm| service.nodes.contains(&storm.node));
        spikes::spikes(measured, service, &near.collect::<Vec<_>>(), episodes)
    };
    let mut spikes: Vec<Spike> = measured.services.iter().flat_map(of).collect();
    spikes.sort_by_key(|spike| spike.from);
    spikes
}

/// The nodes that a service has pools to.
fn nodes_of(places: &Places, service: usize) -> Vec<String> {
    let mine = places.pools.iter().filter(|(from, _)| usize::from(*from) == service);
    mine.map(|(_, to)| places.nodes[usize::from(*to)].clone()).collect()
}
