//! Who gets a connection, and when.
//!
//! In the real world: the postmaster accepts and forks, one connection after the other, and the new backends
//! contend for a few lightweight locks. Before 15.6 (14.11, 13.14, 12.18) taking oneself off such a lock's
//! queue meant a walk along it (postgres.md §1). Modelled as one FIFO server: a grant with q in line, itself
//! included, costs base + per_waiter × q. A connection beyond `max_connections` less the reserved is refused
//! (53300), whether a client or a [job](super::job) wants it, once it has burnt the CPU that a refusal takes;
//! where nobody listens, at once and for nothing. Left out: the spin-lock's random back-off, a refusal's part
//! in the serial accept.

use super::{Node, Work};
use crate::engine::agenda::Alarm;
use crate::engine::time::Span;
use crate::model::ConnectionId;
use crate::model::connection::{Busy, News, ServerState};
use crate::model::context::Context;
use crate::model::event::{Event, NodeEvent};
use crate::model::fact::{Fact, Recorder};
use crate::scenario::grammar::Grant;
use std::collections::VecDeque;

/// The slots of a node and the line before its grant.
#[derive(Debug)]
pub struct Admission {
    /// Slots in use: from the request to connect until the backend has gone, while a session of a job works.
    pub(super) slots: u32,
    /// Who waits for the grant.
    line: VecDeque<ConnectionId>,
    /// Who is being granted.
    granting: Option<ConnectionId>,
    alarm: Alarm,
}

impl Admission {
    /// Nobody there.
    pub fn new(alarm: Alarm) -> Admission {
        Admission { slots: 0, line: VecDeque::new(), granting: None, alarm }
    }
}

/// What a grant costs with `line` requests in line, the granted one included.
fn grant_cost(grant: Grant, line: usize) -> Span {
    match grant {
        Grant::Fast(fast) => fast.base,
        Grant::Quadratic(slow) => slow.base + slow.per_waiter.span() * line as u64,
    }
}

impl Node {
    pub(super) fn on_connect_arrived<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let Some(wire) = ctx.connections.get_mut(connection) else { return };
        if !self.up || self.is_full() {
            wire.server.state = ServerState::Gone;
            ctx.fact(Fact::ConnectRefused(self.number));
            if !self.up || self.plan.settings.refuse_cpu == Span::ZERO {
                return self.refuse(ctx, connection);
            }
            self.begin_work(ctx, self.plan.settings.refuse_cpu, Work::Refusal(connection));
            return;
        }
        wire.server.state = ServerState::Granting;
        self.admission.slots += 1;
        self.admission.line.push_back(connection);
        ctx.fact(Fact::GrantQueued(self.number));
        if self.admission.granting.is_none() {
            self.grant_next(ctx);
        }
    }

    /// A client is told that there is no room, if it still listens.
    pub(super) fn refuse<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        if let Some(wire) = ctx.connections.get(connection) {
            let luck = wire.luck.named("refuse");
            self.tell(ctx, connection, luck, News::Refused);
        }
    }

    pub(super) fn on_grant_finished<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        if let Some(connection) = self.admission.granting.take() {
            let cause = ctx.connections[connection].client.cause;
            ctx.fact(Fact::BackendStarted { node: self.number, cause });
            let cpu = self.plan.start_cpu.sample(&mut Self::luck_of(ctx, connection).draws());
            let work = self.begin_work(ctx, cpu, Work::Start(connection));
            let server = &mut ctx.connections[connection].server;
            server.state = ServerState::Starting;
            server.busy = Busy::Cpu(work);
        }
        self.grant_next(ctx);
    }

    /// How many connections it takes in all.
    pub fn room(&self) -> u32 {
        self.plan.settings.slots()
    }

    /// Whether every slot is taken.
    pub(super) fn is_full(&self) -> bool {
        self.admission.slots >= self.room()
    }

    /// A connection put in by the start of the run: granted and warm long ago.
    pub fn adopt<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        self.admission.slots += 1;
        ctx.connections[connection].server.state = ServerState::Ready;
    }

    /// Drops a connection that waits for its grant.
    pub(super) fn drop_from_line<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        self.admission.line.retain(|waiting| *waiting != connection);
        if self.admission.granting == Some(connection) {
            self.admission.granting = None;
            ctx.agenda.set(self.admission.alarm, None, Event::Node(self.number, NodeEvent::GrantFinished));
        }
        ctx.fact(Fact::GrantDropped(self.number));
    }

    fn grant_next<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let line = self.admission.line.len();
        let Some(next) = self.admission.line.pop_front() else { return };
        self.admission.granting = Some(next);
        let due = ctx.now() + grant_cost(self.plan.settings.grant, line);
        ctx.agenda.set(self.admission.alarm, Some(due), Event::Node(self.number, NodeEvent::GrantFinished));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::grammar::{FastGrant, PerWaiter, QuadraticGrant};

    /// N at once: N·base + per_waiter·N(N+1)/2 (postgres.md §1.4).
    #[test]
    fn n_at_once_cost_what_the_closed_form_says() {
        let base = Span::from_micros(500);
        for per_waiter in [PerWaiter::Measured, PerWaiter::Replay] {
            let slow = Grant::Quadratic(QuadraticGrant { base, per_waiter });
            let total: u64 = (1..=400).map(|line| grant_cost(slow, line).0).sum();
            assert_eq!(total, 400 * base.0 + per_waiter.span().0 * 400 * 401 / 2);
        }
        assert_eq!(grant_cost(Grant::Fast(FastGrant { base }), 400), base);
    }
}
