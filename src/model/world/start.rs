//! How a world begins: poolers, then as many containers as the first rates of traffic want, then the sources.

use super::World;
use crate::engine::time::{Span, Time};
use crate::model::build;
use crate::model::fact::{Fact, Recorder};
use crate::model::service::autoscaler::containers_for;
use crate::model::steady;
use crate::model::traffic::Source;
use crate::scenario::grammar::{File, Initial, Sweep};

impl<R: Recorder> World<R> {
    pub(super) fn start_sources(&mut self, file: &File) {
        let classes: Vec<String> = file.request.keys().cloned().collect();
        for (number, name) in self.places.sources.iter().enumerate() {
            let traffic = &file.traffic[name];
            let series = self.places.series_of(file, traffic);
            let mut source = Source {
                number: number as u16,
                class: build::place(&classes, &traffic.request),
                service: series.service,
                series: self.places.series_number(&series),
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
        let (first, devices) = self.ctx.devices.clone();
        for (number, devices) in (first..).zip(&devices) {
            devices.start(&mut self.ctx, number);
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
            for connection in pooler.start_steady(&mut self.ctx, open) {
                self.nodes[number].adopt(&mut self.ctx, connection);
            }
        }
    }

    /// As many containers as the first rates of traffic want: an empty fleet never meets the full traffic.
    pub(super) fn start_fleet(&mut self, file: &File) {
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
            let at = build::place(&self.places.nodes, node);
            let pool = self.places.pool(number as u16, at);
            let (at, mut pooler) = (usize::from(at), self.poolers[usize::from(at)].as_mut());
            for _ in 0..open {
                let age = settings.max_lifetime.0.map_or(Span::ZERO, |lifetime| lifetime.scale(draws.unit()));
                if pooler.as_ref().is_some_and(|pooler| !pooler.has_room()) {
                    continue;
                }
                let connection = service.pool_mut(container, place).adopt(&mut ctx.connections, age);
                match &mut pooler {
                    Some(pooler) => pooler.adopt_client(ctx, connection),
                    None => self.nodes[at].adopt(ctx, connection),
                }
                ctx.fact(Fact::ConnectionAdopted { pool });
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
