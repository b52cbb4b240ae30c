//! Endpoints: names for nodes, which events and breakers turn elsewhere.
//!
//! In the real world: *session outage resiliency*, a failover of session reads to a replica that works by
//! itself. Modelled: each service has one breaker for each endpoint; a step that goes through it counts as
//! failed if it does not end well, or at the latest when it has taken longer than `slow`. Whoever goes around
//! it takes a connection from the fallback's pool and never touches the other. What is under way when it
//! opens stays where it is.

use super::Service;
use crate::engine::agenda::Handle;
use crate::model::RequestId;
use crate::model::breaker::{Breaker, Way};
use crate::model::context::Context;
use crate::model::event::ServiceEvent;
use crate::model::fact::{Fact, Recorder};
use crate::model::request::Try;
use crate::scenario::grammar;

/// An endpoint, as things stand, for a service that has the pools for it.
#[derive(Clone, Copy, Debug)]
pub struct EndpointPlan {
    /// The place of the pool to its node.
    pub place: u8,
    /// The place of the pool to its fallback.
    pub fallback: Option<u8>,
    /// Its breaker.
    pub breaker: Option<grammar::Breaker>,
}

/// The breakers of a service, by endpoint.
pub type Breakers = Vec<Option<Breaker>>;

/// Closed breakers for all endpoints that have one.
pub fn breakers(plans: &[Option<EndpointPlan>]) -> Breakers {
    plans.iter().map(|plan| plan.and_then(|plan| plan.breaker).map(Breaker::new)).collect()
}

impl Service {
    /// The settings of the breakers change; one that was open may close.
    pub(super) fn set_breakers<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let service = self.number;
        for (endpoint, (breaker, plan)) in (0..).zip(self.breakers.iter_mut().zip(&self.plan.endpoints)) {
            if let (Some(breaker), Some(settings)) = (breaker, plan.and_then(|plan| plan.breaker)) {
                let was_open = breaker.is_open();
                breaker.set(settings);
                if was_open && !breaker.is_open() {
                    ctx.fact(Fact::BreakerTurned { service, endpoint, open: false });
                }
            }
        }
    }

    pub(super) fn acquire_at<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId, endpoint: u16) {
        let plan = self.plan.endpoints[usize::from(endpoint)].expect("a checked service has the pools");
        let breaker = self.breakers[usize::from(endpoint)].as_mut().filter(|one| one.settings().enabled);
        let mut place = plan.place;
        if let Some(breaker) = breaker {
            let way = breaker.way(ctx.agenda.now());
            let slow = breaker.settings().slow.0;
            if way == Way::Around {
                place = plan.fallback.unwrap_or(place);
            } else {
                let expired = self.event(ServiceEvent::TryExpired(id));
                let clock = slow.map_or(Handle::NONE, |slow| ctx.clock(slow, expired));
                ctx.requests[id].tries = Some(Try { endpoint, way, clock });
            }
        }
        self.acquire(ctx, id, place);
    }

    /// The step that goes through a breaker is over, if there is one.
    pub(super) fn end_try<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId, well: bool) {
        let Some(Try { endpoint, way, clock }) = ctx.requests[id].tries.take() else { return };
        ctx.agenda.cancel(clock);
        let Some(breaker) = &mut self.breakers[usize::from(endpoint)] else { return };
        if let Some(open) = breaker.report(ctx.agenda.now(), way, well) {
            ctx.fact(Fact::BreakerTurned { service: self.number, endpoint, open });
        }
    }

    /// It has taken too long: it counts as failed, and goes on.
    pub(super) fn on_try_expired<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId) {
        self.end_try(ctx, id, false);
    }
}
