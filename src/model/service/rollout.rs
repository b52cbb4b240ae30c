//! How revisions follow each other: launches one after the other, each new container taking over from an old
//! one.
//!
//! In the post-mortem a deploy takes about a minute, one container after the other. Modelled: launches at
//! even distances; a new container that is ready sends an old one into its drain; what is in flight when the
//! drain ends is lost (503). So old and new overlap, and their pools with them. A deploy during a rollout
//! replaces that too. A rollout keeps the number of containers; what an autoscaler launches meanwhile is of
//! the new revision and comes on top.

use super::Service;
use crate::engine::agenda::Handle;
use crate::engine::chance::Stream;
use crate::engine::time::Span;
use crate::model::container::{Container, ContainerState};
use crate::model::context::Context;
use crate::model::event::ServiceEvent;
use crate::model::fact::{Fact, Recorder};
use crate::model::pool::{Home, Pool};
use crate::model::{ConnectionId, ContainerId, RequestId};
use crate::scenario::grammar::{Outcome, Sweep};
use std::collections::VecDeque;

/// A rollout under way.
#[derive(Debug, Default)]
pub struct Rollout {
    /// Containers still to be launched.
    pub(super) to_launch: u32,
    /// From one launch to the next.
    gap: Span,
    /// Containers of older revisions, the next to go first.
    pub(super) old: VecDeque<ContainerId>,
    /// A launch is on the agenda.
    launching: bool,
}

impl Rollout {
    /// Whether containers are still to be launched or replaced.
    pub(super) fn is_under_way(&self) -> bool {
        self.to_launch > 0 || !self.old.is_empty()
    }
}

impl Service {
    /// A new revision is deployed.
    pub fn deploy<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let count = self.staying();
        self.keep_all(ctx);
        let launching = self.rollout.launching;
        let gap = Span(self.plan.settings.rollout.0 / u64::from(count));
        let living = self.containers.iter().filter(|(_, home)| home.state != ContainerState::Draining);
        self.rollout = Rollout { to_launch: count, gap, old: living.map(|(id, _)| id).collect(), launching };
        if !launching {
            self.on_launch_due(ctx);
            self.run(ctx);
        }
    }

    pub(super) fn on_launch_due<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        self.rollout.launching = false;
        if self.rollout.to_launch == 0 {
            return;
        }
        self.rollout.to_launch -= 1;
        self.launch(ctx);
        if self.rollout.to_launch > 0 {
            self.rollout.launching = true;
            ctx.agenda.after(self.rollout.gap, self.event(ServiceEvent::LaunchDue));
        }
    }

    /// Launches a container of the present revision.
    pub(super) fn launch<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let container = self.new_container(ContainerState::Starting);
        self.starting += 1;
        ctx.fact(Fact::ContainerLaunched(self.number));
        let startup = self.plan.startup.sample(&mut self.container_luck().named("startup").draws());
        ctx.agenda.after(startup, self.event(ServiceEvent::BootFinished(container)));
        self.start_pools(ctx, container);
    }

    pub(super) fn on_boot_finished<R: Recorder>(&mut self, ctx: &mut Context<R>, id: ContainerId) {
        let Some(container) = self.containers.get_mut(id) else { return };
        if container.state != ContainerState::Starting {
            return;
        }
        container.state = ContainerState::Serving;
        container.place = self.router.add(id, container.concurrency);
        self.starting -= 1;
        ctx.fact(Fact::ContainerServing(self.number));
        self.admit_pending(ctx);
        self.replace_old(ctx);
    }

    /// Old containers go as soon as there are enough without them.
    pub(super) fn replace_old<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        while self.serving() > self.staying() {
            let Some(old) = self.rollout.old.pop_front() else { return };
            self.drain(ctx, old);
        }
    }

    /// Adds a container that has been serving since before the run.
    pub fn add_serving<R: Recorder>(&mut self, ctx: &mut Context<R>) -> ContainerId {
        let id = self.new_container(ContainerState::Serving);
        self.containers[id].place = self.router.add(id, self.plan.settings.concurrency);
        ctx.fact(Fact::ContainerLaunched(self.number));
        ctx.fact(Fact::ContainerServing(self.number));
        self.look_at_cap(ctx);
        id
    }

    /// A pool of one of its containers.
    pub fn pool_mut(&mut self, container: ContainerId, place: usize) -> &mut Pool {
        &mut self.containers[container].pools[place]
    }

    /// Fills the floors of a new container's pools and starts their sweeps.
    pub fn start_pools<R: Recorder>(&mut self, ctx: &mut Context<R>, id: ContainerId) {
        for place in 0..self.containers[id].pools.len() {
            let pool = &mut self.containers[id].pools[place];
            pool.look_after(ctx.agenda.now(), &mut ctx.connections, &mut self.actions);
            let sweep = pool.settings().sweep;
            self.apply(ctx, id, place as u8);
            if let Sweep::Every(period) = sweep {
                self.start_sweep(ctx, id, place as u8, period);
            }
        }
    }

    /// Puts the next periodic sweep of a pool on the agenda.
    pub fn start_sweep<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        container: ContainerId,
        pool: u8,
        wait: Span,
    ) {
        ctx.agenda.after(wait, self.event(ServiceEvent::SweepDue { container, pool, asked: false }));
    }

    /// The luck of the container that was made last.
    pub fn container_luck(&self) -> Stream {
        self.luck.named("container").at(self.launched)
    }

    fn new_container(&mut self, state: ContainerState) -> ContainerId {
        self.launched += 1;
        let luck = self.container_luck();
        let id = self.containers.insert(Container {
            number: self.launched,
            state,
            place: 0,
            load: 0,
            concurrency: self.plan.settings.concurrency,
            pools: vec![],
            refills: vec![Handle::NONE; self.plan.pools.len()],
            retention: Handle::NONE,
        });
        let pools = self.plan.pools.iter().enumerate().map(|(place, plan)| {
            let home = Home {
                service: self.number,
                container: id,
                place: place as u8,
                node: plan.node,
                leg: plan.leg,
                number: plan.number,
            };
            Pool::new(home, plan.settings.clone(), luck.named("pool").at(place as u64))
        });
        self.containers[id].pools = pools.collect();
        id
    }

    /// A container takes no more requests and finishes what it has.
    pub(super) fn drain<R: Recorder>(&mut self, ctx: &mut Context<R>, id: ContainerId) {
        if self.take_out(ctx, id) {
            let grace = if self.containers[id].load == 0 { Span(1) } else { self.plan.drain() };
            ctx.agenda.after(grace, self.event(ServiceEvent::DrainExpired(id)));
            self.look_at_cap(ctx);
        }
    }

    /// A container takes no more requests, or will take none; false if that was so before.
    pub(super) fn take_out<R: Recorder>(&mut self, ctx: &mut Context<R>, id: ContainerId) -> bool {
        let Some(container) = self.containers.get_mut(id) else { return false };
        let was = std::mem::replace(&mut container.state, ContainerState::Draining);
        ctx.agenda.cancel(std::mem::replace(&mut container.retention, Handle::NONE));
        let place = container.place;
        match was {
            ContainerState::Starting => self.starting -= 1,
            ContainerState::Serving => {
                if let Some(moved) = self.router.remove(place) {
                    self.containers[moved].place = place;
                }
            }
            ContainerState::Draining => return false,
        }
        true
    }

    /// A container is gone, with what it still had.
    pub(super) fn stop<R: Recorder>(&mut self, ctx: &mut Context<R>, id: ContainerId) {
        if self.containers.get(id).is_none() {
            return;
        }
        // Each service names its containers itself: an id alone could be another service's.
        let number = self.number;
        let mut lost: Vec<RequestId> = ctx
            .requests
            .iter()
            .filter(|(_, request)| request.service == number && request.container == id)
            .map(|(lost, _)| lost)
            .collect();
        // Where a record lies in memory depends on everybody's requests; who loses first must not.
        lost.sort_unstable_by_key(|lost| {
            let request = &ctx.requests[*lost];
            (request.source, request.number, request.attempt)
        });
        for request in lost {
            self.fail(ctx, request, Outcome::Unavailable);
        }
        let mut mine: Vec<ConnectionId> = ctx
            .connections
            .iter()
            .filter(|(_, wire)| wire.service == number && wire.container == id)
            .map(|(wire, _)| wire)
            .collect();
        mine.sort_unstable_by_key(|wire| ctx.connections[*wire].rank());
        for place in 0..self.containers[id].pools.len() {
            let of_pool: Vec<ConnectionId> = mine
                .iter()
                .copied()
                // One that its node has dropped goes as soon as its pool lets go of it.
                .filter(|wire| ctx.connections.get(*wire).is_some_and(|wire| usize::from(wire.pool) == place))
                .collect();
            self.containers[id].pools[place].shut_down(
                ctx.agenda.now(),
                &mut ctx.connections,
                &of_pool,
                &mut self.actions,
            );
            self.apply(ctx, id, place as u8);
        }
        let gone = self.containers.remove(id);
        for refill in gone.iter().flat_map(|container| &container.refills) {
            ctx.agenda.cancel(*refill);
        }
        ctx.fact(Fact::ContainerStopped(self.number));
    }
}
