//! What a container does for a request: its script, op by op, and its end.
//!
//! In the real world: a handler in an application server, with a context that may be cancelled. Modelled: ops
//! run one after the other, each waits for its answer; a handler that fails lets go of what it holds, runs
//! the step again if it is told to (`handler_retry`), or ends with the error; a statement that is given up
//! takes its connection with it. Time in the application takes no CPU from other requests: only the scaler
//! sees it. Left out: steps side by side, a handler that looks after its client has left, garbage collection.

use super::Service;
use crate::engine::dist::Dist;
use crate::engine::time::Span;
use crate::model::connection::{Asked, Call, ClientState, Leg, Statement};
use crate::model::container::ContainerState;
use crate::model::context::Context;
use crate::model::event::{Event, ServiceEvent};
use crate::model::fact::{Fact, Recorder, ServedBy};
use crate::model::request::{Doing, Op, Stage, backoff};
use crate::model::{ConnectionId, RequestId};
use crate::scenario::grammar::Outcome;

impl Service {
    /// Runs a request until it has to wait, or is done.
    pub(super) fn step<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId) {
        loop {
            let request = &mut ctx.requests[id];
            let place = request.next_op as usize;
            request.next_op += 1;
            let luck = request.luck;
            let luck = || luck.at(place as u64);
            let class = &ctx.classes[usize::from(request.class)];
            match class.script.get(place) {
                None => {
                    let by = if class.queries { ServedBy::Node(request.node) } else { ServedBy::Application };
                    ctx.serve(id, by);
                    return self.leave(ctx, id);
                }
                Some(Op::App(time)) => {
                    request.stage = match request.stage {
                        Stage::Holding { connection, .. } => {
                            Stage::Holding { connection, doing: Doing::Think }
                        }
                        _ => Stage::App,
                    };
                    self.note(ctx.now(), 0, 1);
                    let event = self.event(ServiceEvent::AppFinished(id));
                    let clock = match time {
                        Dist::Constant(span) => {
                            let span = *span;
                            ctx.clock(span, event)
                        }
                        random => ctx.agenda.after(random.sample(&mut luck().draws()), event),
                    };
                    ctx.requests[id].clock = clock;
                    return;
                }
                Some(&Op::Acquire(pool)) => {
                    self.acquire(ctx, id, pool);
                    if !self.is_next(id) {
                        return;
                    }
                }
                Some(&Op::AcquireAt(endpoint)) => return self.acquire_at(ctx, id, endpoint),
                Some(&Op::Query { query, autocommit }) => {
                    let luck = luck();
                    let cpu = ctx.queries[usize::from(query)].cpu.sample(&mut luck.draws());
                    let statement = Statement { asked: Asked::Query { query, autocommit }, cpu, luck };
                    return self.send_statement(ctx, id, statement, Doing::Statement);
                }
                Some(Op::Begin) => {
                    let statement = Statement { asked: Asked::Begin, cpu: Span::ZERO, luck: luck() };
                    return self.send_statement(ctx, id, statement, Doing::Statement);
                }
                Some(Op::Commit) => {
                    let statement = Statement { asked: Asked::Commit, cpu: Span::ZERO, luck: luck() };
                    return self.send_statement(ctx, id, statement, Doing::Statement);
                }
                Some(Op::Release) => {
                    self.end_try(ctx, id, true);
                    self.give_back(ctx, id, false);
                }
                Some(&Op::Enqueue(queue)) => {
                    let luck = luck();
                    ctx.enqueue(queue, luck);
                }
            }
        }
    }

    /// Whether a request that has just acted is the next that can run; then it goes on.
    fn is_next(&mut self, id: RequestId) -> bool {
        let next = self.failed.is_empty() && self.ready.front() == Some(&id);
        if next {
            self.ready.pop_front();
        }
        next
    }

    /// Sends a statement on the connection that the request holds.
    pub(super) fn send_statement<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        id: RequestId,
        statement: Statement,
        doing: Doing,
    ) {
        let request = &mut ctx.requests[id];
        let Stage::Holding { connection, .. } = request.stage else {
            unreachable!("a script queries only between acquire and release")
        };
        request.stage = Stage::Holding { connection, doing };
        let pool = &self.containers[request.container].pools[usize::from(ctx.connections[connection].pool)];
        if let Some(limit) = pool.settings().query_timeout.0 {
            let clock = ctx.clock(limit, self.event(ServiceEvent::QueryExpired(connection)));
            ctx.connections[connection].client.clock = clock;
        }
        let held = ctx.connections[connection].leg == Leg::Front;
        let dirty = match statement.asked {
            Asked::Query { query, autocommit: false } => held || ctx.queries[usize::from(query)].changes(),
            Asked::Begin => held,
            _ => false,
        };
        let wire = &mut ctx.connections[connection];
        wire.client.dirty = dirty || wire.client.dirty && statement.asked != Asked::Commit;
        wire.statement = statement;
        ctx.call(statement.luck.named("statement"), connection, Call::Statement);
    }

    pub(super) fn on_app_finished<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId) {
        let request = &mut ctx.requests[id];
        // Who has only paused was not busy.
        let busy = i64::from(request.stage != Stage::Paused);
        request.stage = match request.stage {
            Stage::Holding { connection, .. } => Stage::Holding { connection, doing: Doing::Nothing },
            _ => Stage::Running,
        };
        self.note(ctx.agenda.now(), 0, -busy);
        self.step(ctx, id);
    }

    pub(super) fn on_statement_answered<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
        outcome: Outcome,
    ) {
        // An answer to a connection that the client has closed is lost with it.
        let Some(wire) = ctx.connections.get(connection) else { return };
        if wire.client.state != ClientState::InUse {
            return;
        }
        let (request, clock) = (wire.client.request, wire.client.clock);
        ctx.agenda.cancel(clock);
        let asked = &mut ctx.requests[request];
        let before =
            std::mem::replace(&mut asked.stage, Stage::Holding { connection, doing: Doing::Nothing });
        if before == (Stage::Holding { connection, doing: Doing::Ping }) {
            ctx.agenda.cancel(asked.clock);
        }
        if outcome == Outcome::Ok {
            self.step(ctx, request);
        } else {
            // The node has rolled back what there was.
            ctx.connections[connection].client.dirty = false;
            self.fail(ctx, request, outcome);
        }
    }

    pub(super) fn on_query_expired<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let request = ctx.connections[connection].client.request;
        self.fail(ctx, request, Outcome::QueryTimeout);
    }

    /// A request cannot go on: it lets go of what it holds and ends.
    pub(super) fn fail<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId, outcome: Outcome) {
        match ctx.requests[id].stage {
            Stage::Pending => {
                self.leave_pending(ctx, id);
                self.note(ctx.now(), -1, 0);
                ctx.fact(Fact::PendingEnded(self.number));
                ctx.agenda.cancel(ctx.requests[id].clock);
            }
            Stage::Running | Stage::Edge | Stage::Queued => {}
            Stage::App => {
                self.note(ctx.now(), 0, -1);
                ctx.agenda.cancel(ctx.requests[id].clock);
            }
            Stage::Paused => {
                ctx.agenda.cancel(ctx.requests[id].clock);
            }
            Stage::Acquiring { pool } => self.stop_waiting(ctx, id, pool),
            Stage::Holding { connection, doing: Doing::Dial } => self.stop_dialling(ctx, id, connection),
            Stage::Holding { doing: Doing::Nothing, .. } => self.give_back(ctx, id, false),
            Stage::Holding { doing: Doing::Think, .. } => {
                self.note(ctx.now(), 0, -1);
                ctx.agenda.cancel(ctx.requests[id].clock);
                self.give_back(ctx, id, false);
            }
            Stage::Holding { connection, doing: Doing::Ping | Doing::Statement } => {
                ctx.agenda.cancel(ctx.requests[id].clock);
                ctx.connections[connection].cancelled = outcome != Outcome::Unavailable;
                self.give_back(ctx, id, true);
            }
        }
        self.end_try(ctx, id, false);
        if !self.runs_again(ctx, id, outcome) {
            ctx.end_request(id, outcome);
            self.leave(ctx, id);
        }
    }

    /// Whether the handler runs the failed step again, on another connection: then it waits to do so.
    fn runs_again<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId, outcome: Outcome) -> bool {
        let request = &ctx.requests[id];
        let class = &ctx.classes[usize::from(request.class)];
        let luck = |reruns: u8| request.luck.named("handler").at(reruns.into());
        let wait = backoff(class.handler_retry.as_ref(), outcome, request.reruns, luck);
        let Some(wait) = wait.filter(|_| !request.ended) else { return false };
        let done = &class.script[..request.next_op as usize];
        let step = done.iter().rposition(|op| matches!(op, Op::Acquire(_) | Op::AcquireAt(_)));
        // Who waits for a container can fail as a query does, with 500, and has no step to run again.
        let Some(step) = step else { return false };
        let clock = ctx.agenda.after(wait, self.event(ServiceEvent::AppFinished(id)));
        let request = &mut ctx.requests[id];
        (request.next_op, request.stage, request.clock) = (step as u32, Stage::Paused, clock);
        request.reruns += 1;
        true
    }

    /// A request no longer waits for room; nearly always it is the one that has waited longest. The others
    /// are left in the line until they come first.
    fn leave_pending<R: Recorder>(&mut self, ctx: &Context<R>, id: RequestId) {
        self.waiting -= 1;
        let gone = |first: &RequestId| *first == id || ctx.requests.get(*first).is_none();
        while self.pending.front().is_some_and(gone) {
            self.pending.pop_front();
        }
    }

    /// A request leaves the service.
    #[inline(always)]
    fn leave<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId) {
        ctx.agenda.cancel(ctx.requests[id].deadline);
        self.free_place(ctx, id);
        ctx.requests.remove(id);
    }

    /// The place that a request occupies in its container goes to who waits.
    #[inline(always)]
    pub(super) fn free_place<R: Recorder>(&mut self, ctx: &mut Context<R>, id: RequestId) {
        let request = &mut ctx.requests[id];
        if !request.holds_place {
            return;
        }
        request.holds_place = false;
        let container = request.container;
        ctx.fact(Fact::HandlingEnded(self.number));
        self.note(ctx.now(), -1, 0);
        let home = &mut self.containers[container];
        home.load -= 1;
        match home.state {
            ContainerState::Serving => {
                self.router.end(home.place);
                self.admit_pending(ctx);
            }
            ContainerState::Draining if home.load == 0 => {
                // Not at once: who leaves may still be in the middle of it.
                ctx.agenda.after(Span(1), Event::Service(self.number, ServiceEvent::DrainExpired(container)));
            }
            ContainerState::Draining | ContainerState::Starting => {}
        }
    }
}
