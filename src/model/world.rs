//! The world: all boxes, and the loop that hands each event to its box.
//!
//! In the real world: clients, the edge, services, poolers and databases, each on machines of its own.
//! Modelled: one clock for all of them, and one loop; what one says to another comes as an event. The
//! timeline is read here: at each moment every box is told what stands, then the deed is done. A promotion
//! exchanges machines: names and roles stay, hardware moves. Left out: clocks that differ, the trips between
//! client, edge and service.

mod start;

use super::build::{self, Places};
use super::connection::{Connection, Leg, ServerState};
use super::container::Container;
use super::context::Context;
use super::edge::Turn;
use super::event::{Event, Halves, SourceEvent};
use super::fact::{Fact, NodeNumber, Recorder, SeriesNumber, ServiceNumber};
use super::pooler::Pooler;
use super::postgres::Node;
use super::request::{Request, Stage};
use super::service::Service;
use super::traffic::Source;
use super::{ContainerId, RequestId};
use crate::engine::agenda::Agenda;
use crate::engine::chance::Stream;
use crate::engine::slab::Slab;
use crate::engine::time::Time;
use crate::scenario::grammar::{Deed, File};
use crate::scenario::{Moment, Scenario, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A running system.
#[derive(Debug)]
pub struct World<R> {
    ctx: Context<R>,
    places: Places,
    sources: Vec<Source>,
    services: Vec<Service>,
    /// By node.
    poolers: Vec<Option<Pooler>>,
    nodes: Vec<Node>,
    /// The machine of each node, by the number of the node that had it first.
    machines: Vec<NodeNumber>,
    /// What stands.
    stands: Arc<File>,
    timeline: Vec<Moment>,
    tables: BTreeMap<String, Table>,
    /// The last instant. A run is as long as its duration, and the next begins there: its end lies outside.
    last: Time,
}

/// What requests and connections hold; nothing, once all of them have come to their ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Records of requests.
    pub requests: usize,
    /// Records of connections.
    pub connections: usize,
    /// Connection slots of all nodes.
    pub slots: usize,
    /// Locked rows of all nodes.
    pub rows: usize,
}

impl<R: Recorder> World<R> {
    /// Builds the world of a scenario at its first instant.
    pub fn new(scenario: &Scenario, seed: u64, recorder: R) -> World<R> {
        let (file, tables) = (&*scenario.file, &scenario.tables);
        let (places, luck) = (Places::of(scenario), Stream::root(seed));
        let mut ctx = Context {
            agenda: Agenda::default(),
            recorder,
            requests: Slab::default(),
            connections: Slab::default(),
            classes: build::classes(file, &places, tables),
            queries: build::queries(file, tables),
            trip: build::dist(&file.network.database, tables),
            pooler_trips: build::pooler_trips(file, tables),
            edge: build::edge(file, tables),
            devices: (places.first_device(), build::devices(file, &places, luck, tables)),
            queues: (places.first_queue(), build::queues_of_work(file, &places, luck, tables)),
            luck,
        };
        let nodes = start::nodes(&mut ctx, file, &places, tables);
        for (place, moment) in scenario.timeline.iter().enumerate() {
            ctx.agenda.at(moment.at, Event::MomentCame(place as u32));
        }
        let mut world = World {
            ctx,
            sources: Vec::new(),
            services: start::services(file, &places, luck, tables),
            poolers: start::poolers(file, &places, luck),
            machines: (0..places.nodes.len() as u16).collect(),
            nodes,
            stands: scenario.file.clone(),
            timeline: scenario.timeline.clone(),
            tables: tables.clone(),
            last: Time(file.duration.0.saturating_sub(1)),
            places,
        };
        world.start_poolers(file);
        world.start_fleet(file);
        world.start_sources(file);
        world
    }

    /// The names behind the numbers in facts.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        self.ctx.now()
    }

    /// The last instant of the run, just before its duration is over.
    pub fn last(&self) -> Time {
        self.last
    }

    /// Lets everything happen that is due at `until` or before.
    pub fn run_until(&mut self, until: Time) {
        while let Some(event) = self.ctx.agenda.next_until(until.min(self.last)) {
            self.dispatch(event);
        }
    }

    /// Lets the next thing happen, if any is due at `until` or before; false if none is.
    pub fn step(&mut self, until: Time) -> bool {
        let next = self.ctx.agenda.next_until(until.min(self.last));
        if let Some(event) = next {
            self.dispatch(event);
        }
        next.is_some()
    }

    /// Requests under way, to be looked at.
    pub fn requests(&self) -> &Slab<Request> {
        &self.ctx.requests
    }

    /// Connections that have an end open, to be looked at.
    pub fn connections(&self) -> &Slab<Connection> {
        &self.ctx.connections
    }

    /// A container of a service, to be looked at.
    pub fn container(&self, service: ServiceNumber, id: ContainerId) -> Option<&Container> {
        self.services[usize::from(service)].container(id)
    }

    /// The recorder, on the way.
    pub fn recorder_mut(&mut self) -> &mut R {
        &mut self.ctx.recorder
    }

    /// The recorder, when all is over.
    pub fn into_recorder(self) -> R {
        self.ctx.recorder
    }

    /// Requests that clients still wait for.
    pub fn requests_under_way(&self) -> Vec<(SeriesNumber, Time)> {
        let open = self.ctx.requests.iter().filter(|(_, request)| !request.ended);
        open.map(|(_, request)| (request.series, request.arrived)).collect()
    }

    /// Backends that there are: those of connections, not the sessions of jobs.
    pub fn backends(&self) -> u64 {
        let there = |wire: &Connection| {
            wire.leg != Leg::Front && matches!(wire.server.state, ServerState::Starting | ServerState::Ready)
        };
        self.ctx.connections.iter().filter(|(_, wire)| there(wire)).count() as u64
    }

    /// What is held at this moment.
    pub fn holdings(&self) -> Holdings {
        let sum = |held: fn(&Node) -> usize| self.nodes.iter().map(held).sum();
        Holdings {
            requests: self.ctx.requests.len(),
            connections: self.ctx.connections.len(),
            slots: sum(Node::slots_taken),
            rows: sum(Node::rows_locked),
        }
    }

    /// Containers that are there, in whatever state.
    pub fn containers(&self) -> u64 {
        self.services.iter().map(|service| service.living() as u64).sum()
    }

    #[inline(always)]
    fn dispatch(&mut self, event: Event) {
        let ctx = &mut self.ctx;
        match event {
            Event::Source(number, event) if number >= ctx.queues.0 => self.on_redelivery(number, event),
            Event::Source(number, event) if number >= ctx.devices.0 => self.on_device(number, event),
            Event::Source(number, event) => {
                let source = &mut self.sources[usize::from(number)];
                let request = match event {
                    SourceEvent::Arrived => source.on_arrival(ctx),
                    SourceEvent::RetryDue { attempt, number } => {
                        source.on_retry(ctx, number.joined(), attempt)
                    }
                    SourceEvent::BurstTurned => return source.on_burst_turned(ctx),
                    SourceEvent::RefreshDue { .. } => unreachable!("open traffic has no devices"),
                };
                if source.rejects(ctx.requests[request].luck) {
                    return ctx.reject_request(request);
                }
                self.arrive(request);
            }
            Event::EdgeAnswered(request) => ctx.on_edge_answered(request),
            Event::WorkDelivered(work) => self.on_delivery(work),
            Event::WatchExpired(request) => ctx.end_watch(request, false),
            Event::Service(number, event) => self.services[usize::from(number)].handle(ctx, event),
            Event::Pooler(number, event) => {
                let pooler = self.poolers[usize::from(number)].as_mut();
                pooler.expect("a connection leads to a pooler that there is").handle(ctx, event);
            }
            Event::Node(number, event) => self.nodes[usize::from(number)].handle(ctx, event),
            Event::MomentCame(place) => self.on_moment(place),
        }
    }

    /// A device sends a request.
    fn on_device(&mut self, number: u16, event: SourceEvent) {
        let ctx = &mut self.ctx;
        let devices = &ctx.devices.1[usize::from(number - ctx.devices.0)];
        let (which, attempt) = match event {
            SourceEvent::RefreshDue { device, refresh } => (Halves { high: device, low: refresh }, 0),
            SourceEvent::RetryDue { attempt, number } => (number, attempt),
            SourceEvent::Arrived | SourceEvent::BurstTurned => unreachable!("devices refresh"),
        };
        let request = devices.request(ctx.agenda.now(), which.joined(), attempt);
        let request = ctx.begin_request(request);
        self.arrive(request);
    }

    /// A queue hands work on, unless whoever wanted it has given up.
    #[inline(never)]
    fn on_delivery(&mut self, work: RequestId) {
        let ctx = &mut self.ctx;
        if let Some(request) = ctx.requests.get_mut(work) {
            request.stage = Stage::Pending;
            self.services[usize::from(request.service)].admit(ctx, work);
        }
    }

    /// A queue hands on again what has failed.
    #[inline(never)]
    fn on_redelivery(&mut self, number: u16, event: SourceEvent) {
        let SourceEvent::RetryDue { attempt, number: message } = event else {
            unreachable!("a queue sends nothing by itself")
        };
        let ctx = &mut self.ctx;
        let queue = &ctx.queues.1[usize::from(number - ctx.queues.0)];
        let request = queue.request(ctx.agenda.now(), message.joined(), attempt);
        let service = usize::from(request.service);
        let work = ctx.begin_request(request);
        self.services[service].admit(ctx, work);
    }

    /// A request is at the door: the edge answers it, or it is at its service. No trip lies between.
    fn arrive(&mut self, request: RequestId) {
        let ctx = &mut self.ctx;
        let (class, service) = (ctx.requests[request].class, ctx.requests[request].service);
        match ctx.edge.turn(ctx.agenda.now(), class) {
            Turn::Answer => return ctx.answer_at_edge(request),
            Turn::Watch(way) => ctx.watch(request, way),
            Turn::Pass => {}
        }
        self.services[usize::from(service)].admit(ctx, request);
    }

    /// The timeline moves on: boxes read what stands now, then the deed is done.
    fn on_moment(&mut self, place: u32) {
        self.ctx.fact(Fact::TimelineMoved(place));
        let moment = self.timeline[place as usize].clone();
        if let Some(file) = moment.stands {
            self.read(&file);
            self.stands = file;
        }
        match moment.deed {
            Some(Deed::Deploy(name)) => self.each_service(&name, |service, ctx| service.deploy(ctx)),
            Some(Deed::Crash(crash)) => {
                self.each_service(&crash.service, |service, ctx| service.crash(ctx, crash.share));
            }
            Some(Deed::Restart(name)) => self.nodes[self.places.node(&name)].restart(&mut self.ctx),
            Some(Deed::Failover(name)) => self.nodes[self.places.node(&name)].fail_over(&mut self.ctx),
            Some(Deed::Promote(name)) => self.promote(&name),
            None => {}
        }
    }

    /// Does something to the service of this name, or to all of them (`"*"`).
    fn each_service(&mut self, name: &str, deed: impl Fn(&mut Service, &mut Context<R>)) {
        for (service, own) in self.services.iter_mut().zip(&self.places.services) {
            if name == "*" || name == own {
                deed(service, &mut self.ctx);
            }
        }
    }

    /// A replica and its primary change machines: the primary goes on where the replica was.
    fn promote(&mut self, name: &str) {
        let settings = &self.stands.postgres[name];
        let primary = settings.replica_of.as_ref().expect("a checked scenario promotes a replica");
        let pair = [self.places.node(primary), self.places.node(name)];
        let promote_time = settings.promote_time;
        let restart_time = self.stands.postgres[pair[0]].restart_time;
        let [primary, replica] = self.nodes.get_disjoint_mut(pair).expect("no node replays itself");
        primary.exchange_machines(replica, &mut self.ctx);
        self.machines.swap(pair[0], pair[1]);
        for place in pair {
            let plan = build::node_plan(&self.stands, place as u16, self.machines[place], &self.tables);
            self.nodes[place].set_plan(&mut self.ctx, plan);
        }
        let replayed = self.nodes[pair[0]].replayed_by(pair[1] as u16).max(self.ctx.now());
        let takes = (replayed - self.ctx.now()) + promote_time;
        self.nodes[pair[0]].recover(&mut self.ctx, takes, false);
        self.nodes[pair[1]].recover(&mut self.ctx, restart_time, true);
    }

    /// Every box reads what stands. What that does to work in flight is the box's own affair.
    fn read(&mut self, file: &File) {
        let (ctx, tables) = (&mut self.ctx, &self.tables);
        ctx.queries = build::queries(file, tables);
        ctx.trip = build::dist(&file.network.database, tables);
        ctx.pooler_trips = build::pooler_trips(file, tables);
        for (number, pooler) in (0..).zip(&mut self.poolers) {
            if let (Some(pooler), Some(plan)) = (pooler, build::pooler_plan(file, &self.places, number)) {
                pooler.set_plan(plan);
            }
        }
        if let Some(on) = ctx.edge.set(&file.edge) {
            ctx.fact(Fact::OutageModeTurned(on));
        }
        for (number, node) in self.nodes.iter_mut().enumerate() {
            let machine = self.machines[number];
            node.set_plan(ctx, build::node_plan(file, number as u16, machine, tables));
            node.enable_jobs(|job| file.job[&self.places.jobs[usize::from(job)]].enabled);
        }
        for (number, service) in self.services.iter_mut().enumerate() {
            service.set_plan(ctx, build::service_plan(file, &self.places, number as u16, tables));
        }
        for (source, name) in self.sources.iter_mut().zip(&self.places.sources) {
            let traffic = &file.traffic[name];
            source.set_rate(ctx, build::rate_of(traffic, tables));
            source.rejected = traffic.rejected.0;
        }
    }
}
