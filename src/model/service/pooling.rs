//! How a container treats its pools: it carries out what they say follows.
//!
//! In the real world: a pool dials, pings, closes and sets its timers by itself, in the container's process.
//! Modelled: the pool is a part without a clock, which answers with actions; here they become dials, clocks
//! and requests that go on, and what comes back (a dial's end, a reset, a sweep that is due) is told to it.
//! The clock on an acquire runs over the wait and, as the library has it, over the dial and the ping
//! (pools.md §1a; sqlx's `acquire` has one deadline for all three). Left out: the CPU that pooling takes,
//! dials that wait for a name to be resolved.

use super::Service;
use crate::engine::agenda::Handle;
use crate::engine::time::Span;
use crate::model::connection::{Asked, Call, ClientState, Statement};
use crate::model::context::Context;
use crate::model::event::{Event, ServiceEvent};
use crate::model::fact::Recorder;
use crate::model::pool::Action;
use crate::model::request::{Doing, Stage};
use crate::model::{ConnectionId, ContainerId, RequestId};
use crate::scenario::grammar::{AcquireTimeoutCovers, Outcome, Sweep};

impl Service {
    #[inline(always)]
    pub(super) fn acquire<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId, pool: u8) {
        let request = &mut ctx.requests[id];
        let container = request.container;
        request.clock = Handle::NONE;
        request.node = self.plan.pools[usize::from(pool)].node;
        let (now, wires) = (ctx.agenda.now(), &mut ctx.connections);
        let pools = &mut self.containers[container].pools;
        pools[usize::from(pool)].acquire(now, wires, id, &mut self.actions);
        self.apply(ctx, container, pool);
    }

    /// The request gives back the connection that it holds.
    #[inline(always)]
    pub(super) fn give_back<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId, broken: bool) {
        let request = &mut ctx.requests[id];
        let Stage::Holding { connection, .. } = request.stage else {
            unreachable!("a script releases only what it has acquired")
        };
        request.stage = Stage::Running;
        let (container, luck) = (request.container, request.luck);
        let wire = &mut ctx.connections[connection];
        let pool = wire.pool;
        if std::mem::take(&mut wire.client.dirty) && !broken {
            wire.abandoned = true;
            ctx.call(luck.named("rollback"), connection, Call::Rollback);
        }
        let (now, wires) = (ctx.agenda.now(), &mut ctx.connections);
        let pools = &mut self.containers[container].pools;
        pools[usize::from(pool)].release(now, wires, connection, broken, &mut self.actions);
        self.apply(ctx, container, pool);
    }

    pub(super) fn stop_waiting<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId, pool: u8) {
        let container = ctx.requests[id].container;
        ctx.agenda.cancel(ctx.requests[id].clock);
        self.containers[container].pools[usize::from(pool)].leave_queue(id, &mut self.actions);
        self.apply(ctx, container, pool);
    }

    pub(super) fn stop_dialling<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        id: RequestId,
        connection: ConnectionId,
    ) {
        let container = ctx.requests[id].container;
        ctx.agenda.cancel(ctx.requests[id].clock);
        let pool = ctx.connections[connection].pool;
        let (now, wires) = (ctx.agenda.now(), &mut ctx.connections);
        self.containers[container].pools[usize::from(pool)].leave_dial(
            now,
            wires,
            connection,
            &mut self.actions,
        );
        self.apply(ctx, container, pool);
    }

    pub(super) fn on_connect_succeeded<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        let Some((container, pool)) = self.dialling(ctx, connection) else { return };
        let (now, wires) = (ctx.agenda.now(), &mut ctx.connections);
        self.containers[container].pools[usize::from(pool)].dialled(
            now,
            wires,
            connection,
            &mut self.actions,
        );
        self.apply(ctx, container, pool);
    }

    pub(super) fn on_connect_failed<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let Some((container, pool)) = self.dialling(ctx, connection) else { return };
        let (now, wires) = (ctx.agenda.now(), &mut ctx.connections);
        self.containers[container].pools[usize::from(pool)].dial_failed(
            now,
            wires,
            connection,
            &mut self.actions,
        );
        self.apply(ctx, container, pool);
    }

    pub(super) fn on_connection_reset<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        let Some(wire) = ctx.connections.get(connection) else { return };
        let (container, pool, request) = (wire.container, wire.pool, wire.client.request);
        match wire.client.state {
            ClientState::Dialling => self.on_connect_failed(ctx, connection),
            ClientState::Idle => {
                let pools = &mut self.containers[container].pools;
                pools[usize::from(pool)].idle_broke(
                    ctx.agenda.now(),
                    &mut ctx.connections,
                    connection,
                    &mut self.actions,
                );
                self.apply(ctx, container, pool);
            }
            ClientState::InUse => {
                ctx.agenda.cancel(ctx.requests[request].clock);
                // Whatever it was doing on the connection, it cannot go back to the pool.
                let broken = Stage::Holding { connection, doing: Doing::Statement };
                let before = std::mem::replace(&mut ctx.requests[request].stage, broken);
                if before == (Stage::Holding { connection, doing: Doing::Think }) {
                    self.note(ctx.now(), 0, -1);
                }
                self.fail(ctx, request, Outcome::ConnectionLost);
            }
            ClientState::Closed => {}
        }
    }

    pub(super) fn on_sweep_due<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        container: ContainerId,
        pool: u8,
        asked: bool,
    ) {
        let Some(home) = self.containers.get_mut(container) else { return };
        let swept = &mut home.pools[usize::from(pool)];
        let (now, wires) = (ctx.agenda.now(), &mut ctx.connections);
        swept.sweep_due(now, wires, &mut self.actions);
        let period = swept.settings().sweep;
        self.apply(ctx, container, pool);
        if let (Sweep::Every(period), false) = (period, asked) {
            ctx.clock(period, self.event(ServiceEvent::SweepDue { container, pool, asked }));
        }
    }

    /// The pool fills its floor, and may look over its idle connections.
    pub fn on_refill_due<R: Recorder>(&mut self, ctx: &mut Context<R>, container: ContainerId, pool: u8) {
        let Some(home) = self.containers.get_mut(container) else { return };
        home.refills[usize::from(pool)] = Handle::NONE;
        let pool_of = &mut home.pools[usize::from(pool)];
        let (now, wires) = (ctx.agenda.now(), &mut ctx.connections);
        pool_of.look_after(now, wires, &mut self.actions);
        self.apply(ctx, container, pool);
    }

    /// Starts the sweep by the next deadline of a pool that has been there since before the run.
    pub fn watch_deadlines<R: Recorder>(&mut self, ctx: &mut Context<R>, container: ContainerId, pool: u8) {
        let pool_of = &mut self.containers[container].pools[usize::from(pool)];
        pool_of.watch_deadlines(ctx.agenda.now(), &ctx.connections, &mut self.actions);
        self.apply(ctx, container, pool);
    }

    /// Where a dial belongs, and its clock stopped; `None` if the client has given it up.
    fn dialling<R: Recorder>(
        &self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) -> Option<(ContainerId, u8)> {
        let wire =
            ctx.connections.get(connection).filter(|wire| wire.client.state == ClientState::Dialling)?;
        let (container, pool, clock) = (wire.container, wire.pool, wire.client.clock);
        ctx.agenda.cancel(clock);
        Some((container, pool))
    }

    /// Carries out what a pool said follows.
    pub(super) fn apply<R: Recorder>(&mut self, ctx: &mut Context<R>, container: ContainerId, place: u8) {
        let number = self.plan.pools[usize::from(place)].number;
        let mut done = 0;
        while let Some(&action) = self.actions.get(done) {
            done += 1;
            ctx.state_action(number, action);
            match action {
                Action::Give { request, connection, ping, .. } => self.give(ctx, request, connection, ping),
                Action::Queue(request) => {
                    ctx.requests[request].stage = Stage::Acquiring { pool: place };
                    self.start_acquire_clock(ctx, request, container, place);
                }
                Action::AwaitDial(request, connection) => {
                    ctx.requests[request].stage = Stage::Holding { connection, doing: Doing::Dial };
                    if self.acquire_clock_stops_at_dial(container, place) {
                        let clock = &mut ctx.requests[request].clock;
                        ctx.agenda.cancel(std::mem::replace(clock, Handle::NONE));
                    } else {
                        self.start_acquire_clock(ctx, request, container, place);
                    }
                }
                Action::Refuse(request) => {
                    ctx.agenda.cancel(ctx.requests[request].clock);
                    ctx.requests[request].stage = Stage::Running;
                    self.failed.push((request, Outcome::ConnectRefused));
                }
                Action::Dial(connection) => self.dial(ctx, container, place, connection),
                Action::Shut(connection, ..) => ctx.hang_up(connection),
                Action::Dequeue(_) | Action::Rest(..) => {}
                Action::SweepAfter(wait) => {
                    let due = ServiceEvent::SweepDue { container, pool: place, asked: true };
                    ctx.agenda.after(wait, self.event(due));
                }
                Action::RefillAfter(wait) => self.arm_refill(ctx, container, place, wait),
            }
        }
        self.actions.clear();
    }

    fn give<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        request: RequestId,
        connection: ConnectionId,
        ping: bool,
    ) {
        ctx.requests[request].stage = Stage::Holding { connection, doing: Doing::Nothing };
        if ping {
            return self.ping(ctx, request, connection);
        }
        ctx.agenda.cancel(ctx.requests[request].clock);
        self.ready.push_back(request);
    }

    /// A request has a connection only once it has answered: until then the clock on its acquire runs, where
    /// it runs over the dial.
    fn ping<R: Recorder>(&mut self, ctx: &mut Context<R>, request: RequestId, connection: ConnectionId) {
        let wire = &ctx.connections[connection];
        let (container, place) = (wire.container, wire.pool);
        if self.acquire_clock_stops_at_dial(container, place) {
            ctx.agenda.cancel(ctx.requests[request].clock);
        } else {
            self.start_acquire_clock(ctx, request, container, place);
        }
        let luck = ctx.requests[request].luck;
        let luck = luck.named("ping").at(u64::from(ctx.requests[request].next_op));
        let statement = Statement { asked: Asked::Nothing, cpu: Span::ZERO, luck };
        self.send_statement(ctx, request, statement, Doing::Ping);
    }

    fn acquire_clock_stops_at_dial(&self, container: ContainerId, place: u8) -> bool {
        let settings = self.containers[container].pools[usize::from(place)].settings();
        settings.acquire_timeout_covers == AcquireTimeoutCovers::Line
    }

    /// Starts the clock on an acquire, unless it runs.
    fn start_acquire_clock<R: Recorder>(
        &self,
        ctx: &mut Context<R>,
        request: RequestId,
        container: ContainerId,
        place: u8,
    ) {
        let limit = self.containers[container].pools[usize::from(place)].settings().acquire_timeout.0;
        if let (Some(limit), Handle::NONE) = (limit, ctx.requests[request].clock) {
            ctx.requests[request].clock = ctx.clock(limit, self.event(ServiceEvent::AcquireExpired(request)));
        }
    }

    /// Dials, for so long at most.
    fn dial<R: Recorder>(
        &self,
        ctx: &mut Context<R>,
        container: ContainerId,
        place: u8,
        connection: ConnectionId,
    ) {
        let limit = self.containers[container].pools[usize::from(place)].settings().connect_timeout.0;
        if let Some(limit) = limit {
            let clock = ctx.clock(limit, self.event(ServiceEvent::ConnectExpired(connection)));
            ctx.connections[connection].client.clock = clock;
        }
        ctx.dial(connection, self.plan.pools[usize::from(place)].handshake_trips);
    }

    fn arm_refill<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        container: ContainerId,
        place: u8,
        wait: Span,
    ) {
        let Some(home) = self.containers.get_mut(container) else { return };
        let due = Event::Service(self.number, ServiceEvent::RefillDue { container, pool: place });
        let due = ctx.agenda.after(wait, due);
        if home.pools[usize::from(place)].settings().refill_debounce {
            ctx.agenda.cancel(std::mem::replace(&mut home.refills[usize::from(place)], due));
        }
    }
}
