//! The world: all boxes, and the loop that hands each event to its box.

use super::build::{self, Places};
use super::context::Context;
use super::event::{Event, SourceEvent};
use super::fact::{Fact, Recorder};
use super::postgres::Node;
use super::service::Service;
use super::service::autoscaler::containers_for;
use super::steady;
use super::traffic::Source;
use crate::engine::agenda::Agenda;
use crate::engine::chance::Stream;
use crate::engine::slab::Slab;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Deed, File, Initial, Sweep};
use crate::scenario::{Moment, Scenario, Table};
use std::collections::BTreeMap;

/// A running system.
#[derive(Debug)]
pub struct World<R> {
    ctx: Context<R>,
    places: Places,
    sources: Vec<Source>,
    services: Vec<Service>,
    nodes: Vec<Node>,
    timeline: Vec<Moment>,
    tables: BTreeMap<String, Table>,
    end: Time,
}

impl<R: Recorder> World<R> {
    /// Builds the world of a scenario at its first instant.
    pub fn new(scenario: &Scenario, seed: u64, recorder: R) -> World<R> {
        let (file, tables) = (&*scenario.file, &scenario.tables);
        let places = Places::of(scenario);
        let mut ctx = Context {
            agenda: Agenda::default(),
            recorder,
            requests: Slab::default(),
            connections: Slab::default(),
            classes: build::classes(file, &places, tables),
            query_cpu: build::query_cpu(file, tables),
            trip: build::dist(&file.network.database, tables),
            luck: Stream::root(seed),
        };
        let luck = ctx.luck;
        let nodes = (0..places.nodes.len() as u16).map(|number| {
            let jobs = build::jobs(file, &places, number, luck, tables);
            Node::new(&mut ctx, number, build::node_plan(file, number, tables), jobs)
        });
        let nodes = nodes.collect();
        let services = places.services.iter().enumerate().map(|(number, name)| {
            let plan = build::service_plan(file, &places, number as u16, tables);
            Service::new(number as u16, plan, luck.named("service").named(name))
        });
        let services = services.collect();
        for (place, moment) in scenario.timeline.iter().enumerate() {
            ctx.agenda.at(moment.at, Event::MomentCame(place as u32));
        }
        let mut world = World {
            ctx,
            sources: Vec::new(),
            services,
            nodes,
            timeline: scenario.timeline.clone(),
            tables: tables.clone(),
            end: Time::ZERO + file.duration,
            places,
        };
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

    /// The end of the run.
    pub fn end(&self) -> Time {
        self.end
    }

    /// Lets everything happen that is due at `until` or before.
    pub fn run_until(&mut self, until: Time) {
        while let Some(event) = self.ctx.agenda.next_until(until.min(self.end)) {
            self.dispatch(event);
        }
    }

    /// The recorder, when all is over.
    pub fn into_recorder(self) -> R {
        self.ctx.recorder
    }

    /// Requests that clients still wait for.
    pub fn requests_in_flight(&self) -> u64 {
        self.ctx.requests.iter().filter(|(_, request)| !request.ended).count() as u64
    }

    /// Containers that are there, in whatever state.
    pub fn containers(&self) -> u64 {
        self.services.iter().map(|service| service.living() as u64).sum()
    }

    fn dispatch(&mut self, event: Event) {
        let ctx = &mut self.ctx;
        match event {
            Event::Source(number, event) => {
                let source = &mut self.sources[usize::from(number)];
                let request = match event {
                    SourceEvent::Arrived => source.on_arrival(ctx),
                    SourceEvent::RetryDue { attempt, number: [low, high] } => {
                        source.on_retry(ctx, u64::from(high) << 32 | u64::from(low), attempt)
                    }
                    SourceEvent::BurstTurned => return source.on_burst_turned(ctx),
                };
                if source.rejects(ctx.requests[request].luck) {
                    return ctx.reject_request(request);
                }
                // The arrival is at the service's door: no trip lies between.
                self.services[usize::from(source.service)].admit(ctx, request);
            }
            Event::Service(number, event) => self.services[usize::from(number)].handle(ctx, event),
            Event::Node(number, event) => self.nodes[usize::from(number)].handle(ctx, event),
            Event::MomentCame(place) => self.on_moment(place),
        }
    }

    /// The timeline moves on: boxes read what stands now, then the deed is done.
    fn on_moment(&mut self, place: u32) {
        self.ctx.fact(Fact::TimelineMoved(place));
        let moment = self.timeline[place as usize].clone();
        if let Some(file) = moment.stands {
            self.read(&file);
        }
        match moment.deed {
            Some(Deed::Deploy(name)) => {
                for (number, service) in self.services.iter_mut().enumerate() {
                    if name == "*" || name == self.places.services[number] {
                        service.deploy(&mut self.ctx);
                    }
                }
            }
            Some(Deed::Restart(name)) => {
                self.nodes[usize::from(build::place(&self.places.nodes, &name))].restart(&mut self.ctx);
            }
            Some(Deed::Promote(_) | Deed::Failover(_)) | None => {}
        }
    }

    /// Every box reads what stands. What that does to work in flight is the box's own affair.
    fn read(&mut self, file: &File) {
        let (ctx, tables) = (&mut self.ctx, &self.tables);
        ctx.query_cpu = build::query_cpu(file, tables);
        ctx.trip = build::dist(&file.network.database, tables);
        for (number, node) in self.nodes.iter_mut().enumerate() {
            node.set_plan(ctx, build::node_plan(file, number as u16, tables));
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

    fn start_sources(&mut self, file: &File) {
        let classes: Vec<String> = file.request.keys().cloned().collect();
        for (number, name) in self.places.sources.iter().enumerate() {
            let traffic = &file.traffic[name];
            let series = self.places.series_of(file, traffic);
            let mut source = Source {
                number: number as u16,
                class: build::place(&classes, &traffic.request),
                service: series.service,
                series: self.places.series.iter().position(|known| *known == series).unwrap_or_default()
                    as u16,
                rate: build::rate_of(traffic, &self.tables),
                burst: build::bursts(traffic, &self.tables),
                rejected: traffic.rejected.0,
                luck: self.ctx.luck.named("traffic").named(name),
                alarm: self.ctx.agenda.alarm(),
                begun: 0,
                hazard_left: 0.0,
                since: Time::ZERO,
            };
            source.start(&mut self.ctx);
            self.sources.push(source);
        }
    }

    /// As many containers as the first rates of traffic want: an empty fleet never meets the full traffic.
    fn start_fleet(&mut self, file: &File) {
        for (number, name) in self.places.services.clone().iter().enumerate() {
            let load = steady::load(file, name, &self.tables);
            self.services[number].start(&mut self.ctx, load);
            for _ in 0..containers_for(&file.service[name], load) {
                match file.initial {
                    Initial::Cold => {
                        let container = self.services[number].add_serving(&mut self.ctx);
                        self.services[number].start_pools(&mut self.ctx, container);
                    }
                    Initial::Steady | Initial::Rollout => self.add_steady_container(file, number, name),
                }
            }
            if file.initial == Initial::Rollout {
                self.services[number].deploy(&mut self.ctx);
            }
        }
    }

    /// A container that has served for longer than a lifetime: its connections' ages are uniform over it.
    fn add_steady_container(&mut self, file: &File, number: usize, name: &str) {
        let (service, ctx) = (&mut self.services[number], &mut self.ctx);
        let container = service.add_serving(ctx);
        let mut draws = service.container_luck().named("steady").draws();
        for (place, (node, settings)) in file.service[name].pool.iter().enumerate() {
            let open = steady::open_connections(file, name, node, &self.tables);
            let pool = self.places.pool(number as u16, build::place(&self.places.nodes, node));
            for _ in 0..open {
                let age = settings.max_lifetime.0.map_or(Span::ZERO, |lifetime| lifetime.scale(draws.unit()));
                let connection = service.pool_mut(container, place).adopt(&mut ctx.connections, age);
                self.nodes[usize::from(build::place(&self.places.nodes, node))].adopt(ctx, connection);
                ctx.fact(Fact::ConnectionAdopted { pool });
            }
            match settings.sweep {
                Sweep::None => {}
                Sweep::Every(period) => {
                    service.start_sweep(ctx, container, place as u8, period.scale(draws.unit()));
                }
                Sweep::NextDeadline => service.watch_deadlines(ctx, container, place as u8),
            }
        }
    }
}
