//! What a pooler does with its own connections to the node: it dials, lends, takes back and resets them, as
//! the pool of each process says.

use super::{Message, Pooler};
use crate::engine::agenda::Handle;
use crate::engine::time::Span;
use crate::model::ConnectionId;
use crate::model::connection::{Asked, Call, ClientState, Lent, News, Statement};
use crate::model::context::Context;
use crate::model::event::PoolerEvent;
use crate::model::fact::{Fact, Recorder};
use crate::model::pool::Action;
use crate::scenario::grammar::{Outcome, Sweep};

impl Pooler {
    /// The node said something. What it says on a connection that was closed meanwhile is lost.
    pub(super) fn on_told<R: Recorder>(&mut self, ctx: &mut Context<R>, server: ConnectionId, news: News) {
        let Some(wire) = ctx.connections.get(server) else { return };
        let (process, state, clock) = (wire.pool, wire.client.state, wire.client.clock);
        match (state, news) {
            (ClientState::Dialling, News::Ready) => self.receive(ctx, process, Message::Ready(server)),
            (ClientState::Dialling, _) => self.on_dial_failed(ctx, server),
            (ClientState::InUse, News::Answer(outcome)) => {
                ctx.agenda.cancel(clock);
                self.receive(ctx, process, Message::Answer(server, outcome));
            }
            (ClientState::InUse, _) => self.on_server_lost(ctx, server),
            (ClientState::Idle, _) => {
                let pool = &mut self.processes[usize::from(process)].pool;
                pool.idle_broke(ctx.agenda.now(), &mut ctx.connections, server, &mut self.actions);
                self.apply(ctx, process);
            }
            (ClientState::Closed, _) => {}
        }
    }

    pub(super) fn on_dialled<R: Recorder>(&mut self, ctx: &mut Context<R>, server: ConnectionId) {
        let Some(process) = self.dialling(ctx, server) else { return };
        let pool = &mut self.processes[usize::from(process)].pool;
        pool.dialled(ctx.agenda.now(), &mut ctx.connections, server, &mut self.actions);
        self.apply(ctx, process);
    }

    pub(super) fn on_dial_failed<R: Recorder>(&mut self, ctx: &mut Context<R>, server: ConnectionId) {
        let Some(process) = self.dialling(ctx, server) else { return };
        let pool = &mut self.processes[usize::from(process)].pool;
        pool.dial_failed(ctx.agenda.now(), &mut ctx.connections, server, &mut self.actions);
        self.apply(ctx, process);
    }

    /// The process whose dial it is, its clock stopped; `None` if it has been given up.
    fn dialling<R: Recorder>(&self, ctx: &mut Context<R>, server: ConnectionId) -> Option<u8> {
        let wire = ctx.connections.get(server).filter(|wire| wire.client.state == ClientState::Dialling)?;
        let (process, clock) = (wire.pool, wire.client.clock);
        ctx.agenda.cancel(clock);
        Some(process)
    }

    /// A connection in use broke, or takes too long: it goes, and its client with it.
    pub(super) fn on_server_lost<R: Recorder>(&mut self, ctx: &mut Context<R>, server: ConnectionId) {
        let client: ConnectionId = ctx.connections[server].client.request.cast();
        if client != ConnectionId::NONE {
            self.disconnect(ctx, client);
        }
        self.take_back(ctx, server, true);
    }

    /// Passes a client's statement on.
    pub(super) fn forward<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        client: ConnectionId,
        server: ConnectionId,
    ) {
        let asker = &mut ctx.connections[client];
        asker.server.lent = Lent::Working(server);
        let statement = asker.statement;
        self.ask(ctx, server, statement);
    }

    fn ask<R: Recorder>(&self, ctx: &mut Context<R>, server: ConnectionId, statement: Statement) {
        let process = ctx.connections[server].pool;
        let limit = self.processes[usize::from(process)].pool.settings().query_timeout.0;
        let expired = self.event(PoolerEvent::QueryExpired(server));
        let clock = limit.map_or(Handle::NONE, |limit| ctx.clock(limit, expired));
        let wire = &mut ctx.connections[server];
        (wire.statement, wire.client.clock) = (statement, clock);
        ctx.call(statement.luck.named("forward"), server, Call::Statement);
    }

    /// An answer came: it is passed on, and may have ended the transaction. The node has rolled back what
    /// failed.
    pub(super) fn on_answer<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        server: ConnectionId,
        outcome: Outcome,
    ) {
        let Some(wire) = ctx.connections.get_mut(server) else { return };
        if wire.client.state != ClientState::InUse {
            return;
        }
        let client: ConnectionId = wire.client.request.cast();
        if ctx.connections.get(client).is_some_and(|wire| wire.server.lent == Lent::Pinged(server)) {
            return self.forward(ctx, client, server);
        }
        let wire = &mut ctx.connections[server];
        let goes_on = matches!(wire.statement.asked, Asked::Begin | Asked::Query { autocommit: false, .. });
        wire.client.dirty = goes_on && outcome == Outcome::Ok;
        let (open, luck) = (wire.client.dirty, wire.statement.luck);
        if client == ConnectionId::NONE {
            return self.take_back(ctx, server, false);
        }
        ctx.connections[client].server.lent = Lent::Resting(server);
        ctx.tell(luck.named("back"), client, News::Answer(outcome));
        if !open {
            self.end_transaction(ctx, client, server);
        }
    }

    /// A session is over: its connection to the node forgets it before the next has it.
    pub(super) fn reset<R: Recorder>(&mut self, ctx: &mut Context<R>, server: ConnectionId) {
        let wire = &mut ctx.connections[server];
        wire.client.request = crate::model::RequestId::NONE;
        let luck = wire.statement.luck.named("reset");
        self.ask(ctx, server, Statement { asked: Asked::Nothing, cpu: Span::ZERO, luck });
    }

    /// The pool has a connection back; `broken` if nobody can use it again.
    pub(super) fn take_back<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        server: ConnectionId,
        broken: bool,
    ) {
        let process = ctx.connections[server].pool;
        let pool = &mut self.processes[usize::from(process)].pool;
        pool.release(ctx.agenda.now(), &mut ctx.connections, server, broken, &mut self.actions);
        self.apply(ctx, process);
    }

    /// Carries out what the pool of a process said follows.
    pub(super) fn apply<R: Recorder>(&mut self, ctx: &mut Context<R>, process: u8) {
        let number = self.plan.pool;
        let mut actions = std::mem::take(&mut self.actions);
        for action in actions.drain(..) {
            ctx.state_action(number, action);
            match action {
                Action::Give { request: client, connection, ping, .. } => {
                    self.lend(ctx, client.cast(), connection, ping);
                }
                Action::Queue(client) => self.await_server(ctx, process, client.cast(), Lent::Line),
                Action::AwaitDial(client, server) => {
                    self.await_server(ctx, process, client.cast(), Lent::Dial(server));
                }
                Action::Refuse(client) => {
                    self.disconnect(ctx, client.cast());
                }
                Action::Dial(server) => self.dial(ctx, process, server),
                Action::Shut(server, ..) => ctx.hang_up(server),
                Action::Dequeue(_) | Action::Rest(..) => {}
                Action::SweepAfter(wait) => {
                    ctx.agenda.after(wait, self.event(PoolerEvent::SweepDue { process, asked: true }));
                }
                Action::RefillAfter(wait) => self.arm_refill(ctx, process, wait),
            }
        }
        self.actions = actions;
    }

    /// A client has a connection to the node: for what it asked, or for a ping first.
    fn lend<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        client: ConnectionId,
        server: ConnectionId,
        ping: bool,
    ) {
        let wire = &mut ctx.connections[client];
        let clock = std::mem::replace(&mut wire.server.clock, Handle::NONE);
        ctx.agenda.cancel(clock);
        if !ping {
            return self.forward(ctx, client, server);
        }
        let wire = &mut ctx.connections[client];
        wire.server.lent = Lent::Pinged(server);
        let luck = wire.statement.luck.named("ping");
        self.ask(ctx, server, Statement { asked: Asked::Nothing, cpu: Span::ZERO, luck });
    }

    fn dial<R: Recorder>(&self, ctx: &mut Context<R>, process: u8, server: ConnectionId) {
        let limit = self.processes[usize::from(process)].pool.settings().connect_timeout.0;
        if let Some(limit) = limit {
            let clock = ctx.clock(limit, self.event(PoolerEvent::DialExpired(server)));
            ctx.connections[server].client.clock = clock;
        }
        ctx.dial(server, self.plan.handshake_trips);
    }

    fn arm_refill<R: Recorder>(&mut self, ctx: &mut Context<R>, process: u8, wait: Span) {
        let due = ctx.agenda.after(wait, self.event(PoolerEvent::RefillDue(process)));
        let of = &mut self.processes[usize::from(process)];
        if of.pool.settings().refill_debounce {
            ctx.agenda.cancel(std::mem::replace(&mut of.refill, due));
        }
    }

    pub(super) fn on_refill_due<R: Recorder>(&mut self, ctx: &mut Context<R>, process: u8) {
        let of = &mut self.processes[usize::from(process)];
        of.refill = Handle::NONE;
        of.pool.look_after(ctx.agenda.now(), &mut ctx.connections, &mut self.actions);
        self.apply(ctx, process);
    }

    pub(super) fn on_sweep_due<R: Recorder>(&mut self, ctx: &mut Context<R>, process: u8, asked: bool) {
        let pool = &mut self.processes[usize::from(process)].pool;
        pool.sweep_due(ctx.agenda.now(), &mut ctx.connections, &mut self.actions);
        let period = pool.settings().sweep;
        self.apply(ctx, process);
        if let (Sweep::Every(period), false) = (period, asked) {
            ctx.clock(period, self.event(PoolerEvent::SweepDue { process, asked }));
        }
    }

    /// Every process starts with nothing: it fills its floor and begins to sweep.
    pub fn start<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        for process in 0..self.processes.len() as u8 {
            self.on_refill_due(ctx, process);
            if let Sweep::Every(period) = self.plan.settings.pool.sweep {
                ctx.clock(period, self.event(PoolerEvent::SweepDue { process, asked: false }));
            }
        }
    }

    /// Every process has been there for longer than a lifetime and has so many connections, of ages that are
    /// uniform over it, as far as the node has a slot for each. The caller lets the node know of them.
    pub fn start_steady<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        open: u32,
        mut has_slot: impl FnMut() -> bool,
    ) -> Vec<ConnectionId> {
        let settings = self.plan.settings.pool.clone();
        let mut adopted = Vec::new();
        for process in 0..self.processes.len() as u8 {
            let mut draws = self.luck.named("steady").at(u64::from(process)).draws();
            let pool = &mut self.processes[usize::from(process)].pool;
            for _ in 0..open {
                let age = settings.max_lifetime.0.map_or(Span::ZERO, |lifetime| lifetime.scale(draws.unit()));
                if !has_slot() {
                    continue;
                }
                adopted.push(pool.adopt(&mut ctx.connections, age));
                ctx.fact(Fact::ConnectionAdopted { pool: self.plan.pool });
            }
            let short = pool.total() < settings.min;
            match settings.sweep {
                Sweep::None => {}
                Sweep::Every(period) => {
                    let first = period.scale(draws.unit());
                    ctx.agenda.after(first, self.event(PoolerEvent::SweepDue { process, asked: false }));
                }
                Sweep::NextDeadline | Sweep::Timer => {
                    pool.watch_deadlines(ctx.agenda.now(), &ctx.connections, &mut self.actions);
                    self.apply(ctx, process);
                }
            }
            if short {
                self.on_refill_due(ctx, process);
            }
        }
        adopted
    }
}
