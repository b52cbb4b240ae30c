//! How a service comes by as many containers as are wanted.
//!
//! Missing containers are launched at once, in parallel; each boots by itself and brings pools of its own.
//! Where there are too many, the newest are let go: each stays for a time between zero and `idle_retention`,
//! drawn once for each container, takes requests like any other meanwhile, and drains unless it has become
//! wanted again. Which containers Cloud Run retires is undocumented (cloud-run.md §8). What lies above the
//! cap drains without delay, at the next tick. While a rollout is under way nothing else is let go. Where the
//! number is fixed there are no ticks, and a change of it is followed at once.

use super::autoscaler::{self, Autoscaler, LevelMeter, Load, Sample};
use super::{Plan, Service};
use crate::engine::agenda::Handle;
use crate::engine::time::{Span, Time};
use crate::model::ContainerId;
use crate::model::container::{Container, ContainerState};
use crate::model::context::Context;
use crate::model::event::ServiceEvent;
use crate::model::fact::{Fact, Recorder};

/// What an autoscaler needs around it.
#[derive(Debug)]
pub struct Scaling {
    scaler: Autoscaler,
    /// Requests in containers or waiting for one.
    requests: LevelMeter,
    /// Requests whose application is at work: busy CPUs.
    busy: LevelMeter,
}

impl Service {
    /// The run begins: this load has been there for longer than an autoscaler remembers.
    pub fn start<R: Recorder>(&mut self, ctx: &mut Context<R>, load: Load) {
        let settings = &self.plan.settings;
        ctx.fact(Fact::CapSet(self.number, settings.containers.max));
        let Some(scaler) = Autoscaler::of(settings, load) else { return };
        ctx.clock(scaler.tick(), self.event(ServiceEvent::ScalerTicked));
        let (requests, busy) = (LevelMeter::default(), LevelMeter::default());
        self.scaling = Some(Scaling { scaler, requests, busy });
    }

    /// What stands changes: containers started from now on read it, and so does the next tick.
    pub fn set_plan<R: Recorder>(&mut self, ctx: &mut Context<R>, plan: Plan) {
        let cap = plan.settings.containers.max;
        if cap != self.plan.settings.containers.max {
            ctx.fact(Fact::CapSet(self.number, cap));
        }
        self.plan = plan;
        self.look_at_cap(ctx);
        self.set_breakers(ctx);
        if self.scaling.is_none() {
            self.grow(ctx, cap);
            self.shrink(ctx, cap);
            self.run(ctx);
        }
    }

    /// A container, to be looked at.
    pub fn container(&self, id: ContainerId) -> Option<&Container> {
        self.containers.get(id)
    }

    /// How many containers there are, in whatever state.
    pub fn living(&self) -> usize {
        self.containers.len()
    }

    /// How many containers take requests.
    pub(super) fn serving(&self) -> u32 {
        self.router.count() as u32
    }

    /// How many containers there will be when all have started and the old ones have gone.
    pub(super) fn staying(&self) -> u32 {
        self.serving() + self.starting + self.rollout.to_launch - self.rollout.old.len() as u32
    }

    /// Whether there are as many as there may be: those that a rollout replaces do not count twice.
    pub(super) fn is_at_cap(&self) -> bool {
        self.staying() >= self.plan.settings.containers.max
    }

    /// Says so if a fleet that is scaled has come to its cap, or has left it.
    pub(super) fn look_at_cap<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let at_cap = self.is_at_cap();
        if self.scaling.is_some() && at_cap != self.at_cap {
            self.at_cap = at_cap;
            ctx.fact(Fact::AtCapTurned(self.number, at_cap));
        }
    }

    /// Requests and busy CPUs come and go.
    pub(super) fn note(&mut self, now: Time, requests: i64, busy: i64) {
        if let Some(scaling) = &mut self.scaling {
            if requests != 0 {
                scaling.requests.change(now, requests);
            }
            if busy != 0 {
                scaling.busy.change(now, busy);
            }
        }
    }

    pub(super) fn on_scaler_ticked<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let (ready, starting, now) = (self.serving(), self.starting, ctx.now());
        let Some(scaling) = &mut self.scaling else { return };
        let load = Load { requests: scaling.requests.read(now), busy: scaling.busy.read(now) };
        let settings = &self.plan.settings;
        let mut wanted = scaling.scaler.wants(&Sample { load, ready, starting }, settings);
        if scaling.scaler.is_on_demand() {
            // Nobody who is there loses the place that was started for him.
            let room = scaling.requests.level().div_ceil(u64::from(settings.concurrency)) as u32;
            wanted = wanted.max(room.min(settings.containers.max));
        }
        let tick = scaling.scaler.tick();
        ctx.clock(tick, self.event(ServiceEvent::ScalerTicked));
        self.grow(ctx, wanted);
        self.launch_on_demand(ctx);
        self.shrink(ctx, self.plan.settings.containers.max);
        self.let_go(ctx, wanted);
    }

    /// Starts containers for those who wait, if this is how the service scales.
    pub(super) fn launch_on_demand<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        if self.scaling.as_ref().is_none_or(|scaling| !scaling.scaler.is_on_demand()) {
            return;
        }
        let waiting = self.waiting.div_ceil(self.plan.settings.concurrency);
        let missing = waiting.saturating_sub(self.starting);
        if missing > 0 {
            self.grow(ctx, (self.staying() + missing).min(self.plan.settings.containers.max));
            self.run(ctx);
        }
    }

    /// Launches what is missing of so many.
    pub(super) fn grow<R: Recorder>(&mut self, ctx: &mut Context<R>, wanted: u32) {
        for _ in self.staying()..wanted {
            self.launch(ctx);
        }
        self.look_at_cap(ctx);
    }

    /// Drains what is there beyond so many, the newest first; in a rollout first what is not there yet.
    fn shrink<R: Recorder>(&mut self, ctx: &mut Context<R>, cap: u32) {
        while self.staying() > cap {
            if self.rollout.to_launch > 0 {
                self.rollout.to_launch -= 1;
            } else if let Some(newest) = self.newest_first().first() {
                self.drain(ctx, *newest);
            }
        }
        self.look_at_cap(ctx);
        self.replace_old(ctx);
    }

    /// Containers beyond those that are wanted stay for a while, and those that are wanted again, for good.
    fn let_go<R: Recorder>(&mut self, ctx: &mut Context<R>, wanted: u32) {
        let surplus = self.staying().saturating_sub(wanted) as usize;
        if self.rollout.is_under_way() {
            return;
        }
        for (place, id) in self.newest_first().into_iter().enumerate() {
            let leaving = self.containers[id].retention != Handle::NONE;
            if place < surplus && !leaving {
                self.retain(ctx, id);
            } else if place >= surplus && leaving {
                self.keep(ctx, id);
            }
        }
    }

    /// A container is no longer wanted.
    fn retain<R: Recorder>(&mut self, ctx: &mut Context<R>, id: ContainerId) {
        let longest = autoscaler::idle_retention(&self.plan.settings);
        if longest == Span::ZERO {
            return self.drain(ctx, id);
        }
        let luck = self.luck.named("container").at(self.containers[id].number);
        let stays = longest.scale(luck.named("retention").draws().unit());
        self.containers[id].retention = ctx.agenda.after(stays, self.event(ServiceEvent::RetentionEnded(id)));
    }

    /// A container is wanted again.
    fn keep<R: Recorder>(&mut self, ctx: &mut Context<R>, id: ContainerId) {
        ctx.agenda.cancel(std::mem::replace(&mut self.containers[id].retention, Handle::NONE));
    }

    /// All containers are wanted: a rollout keeps their number.
    pub(super) fn keep_all<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let leaving = self.containers.iter().filter(|(_, home)| home.retention != Handle::NONE);
        for id in leaving.map(|(id, _)| id).collect::<Vec<_>>() {
            self.keep(ctx, id);
        }
    }

    pub(super) fn on_retention_ended<R: Recorder>(&mut self, ctx: &mut Context<R>, id: ContainerId) {
        // Whoever is wanted again has been kept.
        self.drain(ctx, id);
    }

    /// The containers that stay, the newest first.
    fn newest_first(&self) -> Vec<ContainerId> {
        let of_this_revision = |id: &ContainerId| !self.rollout.old.contains(id);
        let living = self.containers.iter().filter(|(_, home)| home.state != ContainerState::Draining);
        let mut ids: Vec<ContainerId> = living.map(|(id, _)| id).filter(of_this_revision).collect();
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(self.containers[*id].number));
        ids
    }
}
