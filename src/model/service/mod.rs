//! A service: containers behind one door.
//!
//! In the real world: a Cloud Run service, or a deployment on Kubernetes. Modelled: routing, the concurrency
//! limit, requests that wait for room, how many and for how long (cloud-run.md §1.3–1.4: 429 at the cap, 500
//! below it), the request timeout that frees the place while the work lives on (§1.2), autoscaling, rollout
//! and drain. What a container does for a request is in `handling`, how it treats its pools in `pooling`,
//! which pool a name leads to in `endpoint`, how revisions follow each other in `rollout`, who decides how
//! many containers there are in `autoscaler`, how the service follows in `scaling`, and what dies in `crash`.
//! Left out: warm-up of a started container, the trip between client and service.

pub mod autoscaler;
mod crash;
pub mod endpoint;
mod handling;
mod pooling;
mod rollout;
mod routing;
mod scaling;

use super::container::{Container, PoolPlan};
use super::context::Context;
use super::event::{Event, ServiceEvent};
use super::fact::{Fact, Recorder, ServiceNumber};
use super::pool::Action;
use super::request::Stage;
use super::{ContainerId, RequestId};
use crate::engine::agenda::Handle;
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::slab::Slab;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{self, Outcome, Overload, Scaler};
use endpoint::{Breakers, EndpointPlan};
use rollout::Rollout;
use routing::Router;
use scaling::Scaling;
use std::collections::VecDeque;

/// A service and its containers.
#[derive(Debug)]
pub struct Service {
    number: ServiceNumber,
    plan: Plan,
    containers: Slab<Container>,
    /// Containers that are not ready yet.
    starting: u32,
    router: Router,
    /// Requests that wait for room, in order of arrival; those that have given up go when they come first.
    pending: VecDeque<RequestId>,
    /// How many of them still wait.
    waiting: u32,
    rollout: Rollout,
    /// Nothing where the number of containers is fixed.
    scaling: Option<Scaling>,
    /// Whether a fleet that is scaled was told to be at its cap.
    at_cap: bool,
    /// Requests whose next op can run.
    ready: VecDeque<RequestId>,
    /// Requests that met their end inside a pool.
    failed: Vec<(RequestId, Outcome)>,
    /// What a pool said follows; empty between events.
    actions: Vec<Action>,
    breakers: Breakers,
    luck: Stream,
    launched: u64,
}

/// What a container of a service is like, as things stand.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The service's own settings.
    pub settings: grammar::Service,
    /// From launch to serving.
    pub startup: Dist,
    /// The pools, in file order.
    pub pools: Vec<PoolPlan>,
    /// The endpoints, in file order; nothing where it has no pools for one.
    pub endpoints: Vec<Option<EndpointPlan>>,
}

impl Plan {
    /// How long a request may wait for room, unless the scenario says: on Cloud Run max(10 s, 3.5 × mean
    /// startup) (cloud-run.md §1.3), elsewhere until its time is up (§2.3).
    pub fn pending_deadline(&self) -> Option<Span> {
        let own = match self.settings.scaler {
            Scaler::Kpa | Scaler::Hpa => None,
            Scaler::Fixed | Scaler::CloudRun2025 | Scaler::CloudRun2026 => {
                Some(Span::from_secs(10).max(self.startup.mean().scale(3.5)))
            }
        };
        self.settings.pending_deadline.or(own)
    }

    /// How many requests may wait for room with so many containers, unless the scenario says: Knative's
    /// activator holds 10,000 and what the containers may take (cloud-run.md §2.3).
    pub fn pending_capacity(&self, containers: u32) -> Option<u32> {
        let of_containers = self.settings.concurrency.saturating_mul(containers);
        let own = (self.settings.scaler == Scaler::Kpa).then(|| of_containers.saturating_add(10_000));
        self.settings.pending_capacity.or(own)
    }

    /// What a request is told that finds no room, unless the scenario says (cloud-run.md §1.4, §5).
    pub fn overload(&self) -> Overload {
        self.settings.overload.unwrap_or(match self.settings.scaler {
            Scaler::Kpa | Scaler::Hpa => Overload::Unavailable,
            Scaler::Fixed | Scaler::CloudRun2025 | Scaler::CloudRun2026 => Overload::TooManyRequests,
        })
    }

    /// How long a container may work on what it has when it takes no more, unless the scenario says: Cloud
    /// Run and Knative let requests run to their end (cloud-run.md §1.6, §2.3), Kubernetes kills after 30 s
    /// (§5).
    pub fn drain(&self) -> Span {
        let own = match self.settings.scaler {
            Scaler::Kpa | Scaler::CloudRun2025 | Scaler::CloudRun2026 => self.settings.request_timeout,
            Scaler::Fixed | Scaler::Hpa => Span::from_secs(30),
        };
        self.settings.drain.unwrap_or(own)
    }
}

impl Service {
    /// A service without containers.
    pub fn new(number: ServiceNumber, plan: Plan, luck: Stream) -> Service {
        Service {
            number,
            breakers: endpoint::breakers(&plan.endpoints),
            plan,
            containers: Slab::default(),
            starting: 0,
            router: Router::default(),
            pending: VecDeque::new(),
            waiting: 0,
            rollout: Rollout::default(),
            scaling: None,
            at_cap: false,
            ready: VecDeque::new(),
            failed: Vec::new(),
            actions: Vec::new(),
            luck,
            launched: 0,
        }
    }

    /// Something happened here.
    pub fn handle<R: Recorder>(&mut self, ctx: &mut Context<R>, event: ServiceEvent) {
        use ServiceEvent as E;
        match event {
            E::PatienceEnded(request) => self.on_patience_ended(ctx, request),
            E::DeadlinePassed(request) => self.on_deadline_passed(ctx, request),
            E::PendingExpired(request) => self.fail(ctx, request, self.overload()),
            E::AppFinished(request) => self.on_app_finished(ctx, request),
            E::AcquireExpired(request) => self.fail(ctx, request, Outcome::PoolTimeout),
            E::LaunchDue => self.on_launch_due(ctx),
            E::BootFinished(container) => self.on_boot_finished(ctx, container),
            E::ScalerTicked => self.on_scaler_ticked(ctx),
            E::RetentionEnded(container) => self.on_retention_ended(ctx, container),
            E::DrainExpired(container) => self.stop(ctx, container),
            E::SweepDue { container, pool, asked } => self.on_sweep_due(ctx, container, pool, asked),
            E::RefillDue { container, pool } => self.on_refill_due(ctx, container, pool),
            E::ConnectSucceeded(connection) => self.on_connect_succeeded(ctx, connection),
            E::ConnectRefused(connection) | E::ConnectExpired(connection) => {
                self.on_connect_failed(ctx, connection)
            }
            E::StatementAnswered(connection, outcome) => self.on_statement_answered(ctx, connection, outcome),
            E::QueryExpired(connection) => self.on_query_expired(ctx, connection),
            E::TryExpired(request) => self.on_try_expired(ctx, request),
            E::ConnectionReset(connection) => self.on_connection_reset(ctx, connection),
        }
        self.run(ctx);
    }

    /// A request arrives at the door.
    #[inline(always)]
    pub fn admit<R: Recorder>(&mut self, ctx: &mut Context<R>, request: RequestId) {
        self.note(ctx.now(), 1, 0);
        let (luck, class) = (ctx.requests[request].luck, usize::from(ctx.requests[request].class));
        let settings = &self.plan.settings;
        match self.router.pick(settings.routing, || luck.named("route").draws()) {
            Some(container) => {
                self.limit(ctx, request, ctx.classes[class].timeout);
                self.begin(ctx, request, container);
                self.step(ctx, request);
                self.run(ctx);
            }
            None if self.plan.pending_capacity(self.serving()).is_some_and(|most| self.waiting >= most) => {
                self.note(ctx.now(), -1, 0);
                ctx.end_request(request, self.overload());
                ctx.requests.remove(request);
            }
            None => {
                self.limit(ctx, request, None);
                ctx.fact(Fact::PendingBegan(self.number));
                if let Some(limit) = self.plan.pending_deadline() {
                    let expired = self.event(ServiceEvent::PendingExpired(request));
                    ctx.requests[request].clock = ctx.clock(limit, expired);
                }
                self.pending.push_back(request);
                self.waiting += 1;
                self.launch_on_demand(ctx);
            }
        }
    }

    /// What a request is told that has waited too long for room (cloud-run.md §1.4).
    fn overload(&self) -> Outcome {
        match self.plan.overload() {
            Overload::TooManyRequests if self.is_at_cap() => Outcome::TooManyRequests,
            Overload::TooManyRequests | Overload::ServerError => Outcome::ServerError,
            Overload::Unavailable => Outcome::Unavailable,
        }
    }

    fn event(&self, event: ServiceEvent) -> Event {
        Event::Service(self.number, event)
    }

    /// How long a request that arrives may take in all: the service's limit, or the handler's own if it
    /// begins at once. While its client waits for less, the client's clock is enough.
    fn limit<R: Recorder>(&self, ctx: &mut Context<R>, id: RequestId, own: Option<Span>) {
        let of_service = self.plan.settings.request_timeout;
        let limit = own.unwrap_or(Span::FOREVER).min(of_service);
        let due = ctx.now() + limit;
        let request = &mut ctx.requests[id];
        (request.due, request.due_by_handler) = (due, own.is_some_and(|own| own <= of_service));
        let class = &ctx.classes[usize::from(request.class)];
        if class.patience.is_none_or(|patience| patience > limit) {
            ctx.requests[id].deadline = ctx.clock(limit, self.event(ServiceEvent::DeadlinePassed(id)));
        }
    }

    /// The handler's own deadline, of a request that has waited for a container: it runs from now on.
    fn limit_handler<R: Recorder>(&self, ctx: &mut Context<R>, id: RequestId) {
        let request = &mut ctx.requests[id];
        let class = &ctx.classes[usize::from(request.class)];
        let due = ctx.agenda.now() + class.timeout.unwrap_or(Span::FOREVER);
        if due >= request.due {
            return;
        }
        (request.due, request.due_by_handler) = (due, true);
        if class.patience.is_none_or(|patience| request.arrived + patience > due) {
            ctx.agenda.cancel(request.deadline);
            request.deadline =
                ctx.agenda.at(due, Event::Service(self.number, ServiceEvent::DeadlinePassed(id)));
        }
    }

    /// A container begins to work on a request.
    #[inline(always)]
    fn begin<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId, container: ContainerId) {
        let home = &mut self.containers[container];
        home.load += 1;
        self.router.begin(home.place);
        let request = &mut ctx.requests[id];
        request.container = container;
        request.holds_place = true;
        request.stage = Stage::Running;
        ctx.fact(Fact::HandlingBegan(self.number));
    }

    /// Runs every request that can run.
    fn run<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        loop {
            // The last first: what a failure brings about is told before the failures beside it.
            if let Some((request, outcome)) = self.failed.pop() {
                self.fail(ctx, request, outcome);
            } else if let Some(request) = self.ready.pop_front() {
                // What was given to a request that has failed since went back with it.
                if ctx.requests.get(request).is_some() {
                    self.step(ctx, request);
                }
            } else {
                return;
            }
        }
    }

    /// Requests that wait get the room that there is.
    fn admit_pending<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        while let Some(&request) = self.pending.front() {
            let Some(luck) = ctx.requests.get(request).map(|request| request.luck) else {
                self.pending.pop_front();
                continue;
            };
            let settings = &self.plan.settings;
            let picked = self.router.pick(settings.routing, || luck.named("route").draws());
            let Some(container) = picked else { return };
            self.pending.pop_front();
            self.waiting -= 1;
            ctx.agenda.cancel(ctx.requests[request].clock);
            ctx.fact(Fact::PendingEnded(self.number));
            self.limit_handler(ctx, request);
            self.begin(ctx, request, container);
            self.ready.push_back(request);
        }
    }

    /// The client leaves; a handler that is at work does not learn of it, and has its own deadline.
    fn on_patience_ended<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId) {
        ctx.end_request(id, Outcome::ClientTimeout);
        let request = &ctx.requests[id];
        if matches!(request.stage, Stage::Pending | Stage::Queued) {
            self.fail(ctx, id, Outcome::ClientTimeout);
        } else if request.deadline == Handle::NONE && request.due < Time::NEVER {
            let passed = self.event(ServiceEvent::DeadlinePassed(id));
            ctx.requests[id].deadline = ctx.agenda.at(request.due, passed);
        }
    }

    /// The handler's own deadline gives up what the request holds. The service's frees its place, and the
    /// work goes on.
    fn on_deadline_passed<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId) {
        let request = &ctx.requests[id];
        if request.due_by_handler || request.stage == Stage::Pending {
            self.fail(ctx, id, Outcome::GatewayTimeout);
        } else {
            ctx.end_request(id, Outcome::GatewayTimeout);
            self.free_place(ctx, id);
        }
    }
}
