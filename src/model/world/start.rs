//! How a world begins: all boxes are set up; then poolers start, as many containers as the first rates of
//! traffic want, and the sources.
//!
//! A fleet that has been there for a while holds no more connections than there are slots: where its pools
//! want more, each has the same share of what it wants, and goes on trying for its floor.

use super::World;
use crate::engine::chance::Stream;
use crate::engine::time::{Span, Time};
use crate::model::build::{self, Places};
use crate::model::context::Context;
use crate::model::fact::{Fact, Recorder};
use crate::model::pooler::Pooler;
use crate::model::postgres::Node;
use crate::model::service::Service;
use crate::model::service::autoscaler::containers_for;
use crate::model::steady;
use crate::model::traffic::Source;
use crate::scenario::Table;
use crate::scenario::grammar::{File, Initial, Sweep};
use std::collections::BTreeMap;

/// Deals so many places evenly to those who want one, in the order in which they ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dealer {
    room: u64,
    wanted: u64,
    asked: u64,
}

impl Dealer {
    fn new(room: u32, wanted: u64) -> Dealer {
        Dealer { room: u64::from(room).min(wanted), wanted, asked: 0 }
    }

    /// Whether the next who asks has one.
    fn deal(&mut self) -> bool {
        let dealt = |asked: u64| asked * self.room / self.wanted.max(1);
        self.asked += 1;
        dealt(self.asked) > dealt(self.asked - 1)
    }
}

/// The Postgres nodes, with their jobs and replicas.
pub(super) fn nodes<R: Recorder>(
    ctx: &mut Context<R>,
    file: &File,
    places: &Places,
    tables: &BTreeMap<String, Table>,
) -> Vec<Node> {
    let node = |number| {
        let jobs = build::jobs(file, places, number, ctx.luck, tables);
        let replicas = build::replicas(file, places, number, ctx.luck, tables);
        let plan = build::node_plan(file, number, number, tables);
        Node::new(ctx, number, plan, jobs, replicas)
    };
    (0..places.nodes.len() as u16).map(node).collect()
}

/// The services, without containers as yet.
pub(super) fn services(
    file: &File,
    places: &Places,
    luck: Stream,
    tables: &BTreeMap<String, Table>,
) -> Vec<Service> {
    let service = |(number, name): (u16, &String)| {
        let plan = build::service_plan(file, places, number, tables);
        Service::new(number, plan, luck.named("service").named(name))
    };
    (0..).zip(&places.services).map(service).collect()
}

/// The pooler of each node that has one, without connections as yet.
pub(super) fn poolers(file: &File, places: &Places, luck: Stream) -> Vec<Option<Pooler>> {
    let pooler = |(number, name): (u16, &String)| {
        let plan = build::pooler_plan(file, places, number)?;
        Some(Pooler::new(number, plan, luck.named("pooler").named(name)))
    };
    (0..).zip(&places.nodes).map(pooler).collect()
}

impl<R: Recorder> World<R> {
    pub(super) fn start_sources(&mut self, file: &File) {
        for (number, name) in (0..).zip(&self.places.sources) {
            let traffic = &file.traffic[name];
            let mut source = Source {
                origin: self.places.origin(file, number, &traffic.request, traffic.label),
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
        for devices in self.ctx.devices.1.clone() {
            devices.start(&mut self.ctx);
        }
    }

    /// Poolers are there before their clients.
    pub(super) fn start_poolers(&mut self, file: &File) {
        for (number, pooler) in self.poolers.iter_mut().enumerate() {
            let Some(pooler) = pooler else { continue };
            if file.initial == Initial::Cold {
                pooler.start(&mut self.ctx);
                continue;
            }
            let open = steady::open_at_pooler(file, &self.places.nodes[number], &self.tables);
            let wanted = u64::from(open) * pooler.processes() as u64;
            let mut slots = Dealer::new(self.nodes[number].room(), wanted);
            for connection in pooler.start_steady(&mut self.ctx, open, || slots.deal()) {
                self.nodes[number].adopt(&mut self.ctx, connection);
            }
        }
    }

    /// As many containers as the first rates of traffic want: an empty fleet never meets the full traffic.
    pub(super) fn start_fleet(&mut self, file: &File) {
        let mut slots = self.slots(file);
        for (number, name) in self.places.services.clone().iter().enumerate() {
            let load = steady::load(file, name, &self.tables);
            self.services[number].start(&mut self.ctx, load);
            for _ in 0..containers_for(&file.service[name], load) {
                match file.initial {
                    Initial::Cold => {
                        let container = self.services[number].add_serving(&mut self.ctx);
                        self.services[number].start_pools(&mut self.ctx, container);
                    }
                    Initial::Steady | Initial::Rollout => {
                        self.add_steady_container(file, number, name, &mut slots);
                    }
                }
            }
            if file.initial == Initial::Rollout {
                self.services[number].deploy(&mut self.ctx);
            }
        }
    }

    /// The slots of each node, or of the pooler in front of it, and how many the fleet wants in the steady
    /// state.
    fn slots(&self, file: &File) -> Vec<Dealer> {
        let slots = self.places.nodes.iter().enumerate().map(|(number, node)| {
            let with_pool = file.service.iter().filter(|(_, service)| service.pool.contains_key(node));
            let wanted = with_pool.map(|(name, service)| {
                let containers = containers_for(service, steady::load(file, name, &self.tables));
                u64::from(containers) * u64::from(steady::open_connections(file, name, node, &self.tables))
            });
            let room = self.poolers[number].as_ref().map_or(self.nodes[number].room(), |one| one.room());
            Dealer::new(room, wanted.sum())
        });
        slots.collect()
    }

    /// A container that has served for longer than a lifetime: its connections' ages are uniform over it.
    fn add_steady_container(&mut self, file: &File, number: usize, name: &str, slots: &mut [Dealer]) {
        let (service, ctx) = (&mut self.services[number], &mut self.ctx);
        let container = service.add_serving(ctx);
        let mut draws = service.container_luck().named("steady").draws();
        for (place, (node, settings)) in file.service[name].pool.iter().enumerate() {
            let open = steady::open_connections(file, name, node, &self.tables);
            let at = build::place(&self.places.nodes, node);
            let pool = self.places.pool(number as u16, at);
            let (at, mut pooler) = (usize::from(at), self.poolers[usize::from(at)].as_mut());
            for _ in 0..open {
                let age = settings.max_lifetime.0.map_or(Span::ZERO, |lifetime| lifetime.scale(draws.unit()));
                if !slots[at].deal() {
                    continue;
                }
                let connection = service.pool_mut(container, place).adopt(&mut ctx.connections, age);
                match &mut pooler {
                    Some(pooler) => pooler.adopt_client(ctx, connection),
                    None => self.nodes[at].adopt(ctx, connection),
                }
                ctx.fact(Fact::ConnectionAdopted { pool });
            }
            if service.pool_mut(container, place).total() < settings.min {
                service.on_refill_due(ctx, container, place as u8);
            }
            match settings.sweep {
                Sweep::None => {}
                Sweep::Every(period) => {
                    service.start_sweep(ctx, container, place as u8, period.scale(draws.unit()));
                }
                Sweep::NextDeadline | Sweep::Timer => service.watch_deadlines(ctx, container, place as u8),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_dealt_evenly_however_the_askers_stand() {
        for (room, wanted) in [(0, 7), (3, 7), (7, 7), (20, 7), (13, 40), (1, 1000)] {
            let mut slots = Dealer::new(room, wanted);
            let dealt: Vec<bool> = (0..wanted).map(|_| slots.deal()).collect();
            let all = dealt.iter().filter(|has| **has).count() as u64;
            assert_eq!(all, u64::from(room).min(wanted));
            // Whoever asks for a quarter of all has a quarter of what there is, but for one.
            for part in dealt.chunks(dealt.len().div_ceil(4)) {
                let share = part.len() as f64 / wanted as f64 * all as f64;
                let has = part.iter().filter(|has| **has).count() as f64;
                assert!((has - share).abs() <= 1.0, "{room} of {wanted}: {has} instead of {share}");
            }
        }
    }
}
