//! A statement, from its arrival to its answer.
//!
//! In the real world: a query takes its row lock when it comes to the row, burns CPU, waits for pages, and
//! its transaction commits. Modelled in this order: the lock, all of the CPU, all of the reads, and for an
//! autocommit write the flush; then the locks go, and the answer with them. In a transaction locks are held
//! until COMMIT is durable. A statement that fails rolls its transaction back at once, without a flush. Left
//! out: plans, results, the round trip of a ROLLBACK.

use super::locks::Row;
use super::{Node, Work};
use crate::engine::agenda::Handle;
use crate::engine::dist::Dist;
use crate::engine::time::Span;
use crate::model::ConnectionId;
use crate::model::connection::{Asked, Busy, News, ServerState};
use crate::model::context::Context;
use crate::model::event::{Event, NodeEvent};
use crate::model::fact::{Fact, Recorder};
use crate::scenario::grammar::{NodeState, Outcome};

/// What a query needs of its node, as things stand.
#[derive(Clone, Debug)]
pub struct Query {
    /// The CPU that it burns.
    pub cpu: Dist,
    /// Pages that it misses, on average.
    pub reads: f64,
    /// Whether its transaction has something to flush.
    pub writes: bool,
    /// It updates one of so many rows.
    pub locks_one_of: Option<u32>,
    /// Further pages that it misses when it is an update that is not HOT.
    pub index_pages: f64,
}

impl Query {
    /// Whether it changes anything: a read-only node refuses it, and its commit is flushed.
    pub fn changes(&self) -> bool {
        self.writes || self.locks_one_of.is_some()
    }
}

impl Node {
    pub(super) fn on_statement_arrived<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        let Some(wire) = ctx.connections.get_mut(connection) else { return };
        if wire.server.state != ServerState::Ready {
            return self.on_statement_astray(ctx, connection);
        }
        let asked = wire.statement.asked;
        if wire.abandoned {
            self.on_rollback_arrived(ctx, connection);
        }
        match asked {
            Asked::Nothing | Asked::Begin => self.answer(ctx, connection, Outcome::Ok),
            Asked::Query { query, .. } => self.begin_query(ctx, connection, query),
            Asked::Commit if ctx.connections[connection].server.wrote => self.commit(ctx, connection),
            Asked::Commit => self.finish_transaction(ctx, connection),
        }
    }

    /// A statement meets no backend: the client or the node has dropped it, and the news is on its way; or
    /// the news was lost, and the client learns it now.
    fn on_statement_astray<R: Recorder>(&self, ctx: &mut Context<R>, connection: ConnectionId) {
        let wire = &mut ctx.connections[connection];
        if std::mem::take(&mut wire.lost) {
            let luck = wire.luck.named("reset");
            self.tell(ctx, connection, luck, News::Reset);
        }
    }

    fn begin_query<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId, query: u16) {
        let plan = &ctx.queries[usize::from(query)];
        let (changes, rows) = (plan.changes(), plan.locks_one_of);
        let statement = ctx.connections[connection].statement;
        if statement.cpu == Span::ZERO && !changes && plan.reads == 0.0 {
            return self.answer(ctx, connection, Outcome::Ok);
        }
        if changes && !self.takes_writes() {
            return self.fail_statement(ctx, connection, Outcome::ServerError);
        }
        if let Some(limit) = self.plan.settings.statement_timeout.0 {
            let expired = Event::Node(self.number, NodeEvent::StatementExpired(connection));
            ctx.connections[connection].server.clock = ctx.clock(limit, expired);
        }
        let free = rows.is_none_or(|rows| {
            let row = Row::drawn(query, rows, statement.luck);
            self.lock(ctx, connection, row)
        });
        if free {
            self.run_statement(ctx, connection);
        }
    }

    fn takes_writes(&self) -> bool {
        self.plan.settings.replica_of.is_none() && self.machine.state != NodeState::ReadOnly
    }

    /// A statement that has its lock goes on the CPU.
    #[inline(always)]
    pub(super) fn run_statement<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let wire = &mut ctx.connections[connection];
        let mut cpu = wire.statement.cpu;
        if wire.server.cold_queries > 0 {
            let settings = &self.plan.settings;
            wire.server.cold_queries -= 1;
            cpu += Span(settings.cold_cpu.0 / u64::from(settings.cold_queries));
        }
        let work = self.begin_work(ctx, cpu, Work::Statement(connection));
        ctx.connections[connection].server.busy = Busy::Cpu(work);
    }

    pub(super) fn on_cpu_finished<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let wire = &mut ctx.connections[connection];
        wire.server.busy = Busy::No;
        let statement = wire.statement;
        let Asked::Query { query, .. } = statement.asked else {
            unreachable!("only a query goes on the CPU")
        };
        let pages = self.pages_missed(ctx, query, statement.luck);
        if !self.begin_reads(ctx, connection, pages) {
            self.after_work(ctx, connection);
        }
    }

    /// A query has done its work: its transaction may be over.
    pub(super) fn after_work<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let wire = &mut ctx.connections[connection];
        let Asked::Query { query, autocommit } = wire.statement.asked else {
            unreachable!("only a query works")
        };
        let changes = ctx.queries[usize::from(query)].changes();
        if changes && autocommit {
            return self.commit(ctx, connection);
        }
        wire.server.wrote |= changes;
        self.answer(ctx, connection, Outcome::Ok);
    }

    /// A transaction is durable, or had nothing to flush: the locks go, and the answer.
    pub(super) fn finish_transaction<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let server = &mut ctx.connections[connection].server;
        (server.busy, server.wrote) = (Busy::No, false);
        self.unlock(ctx, connection);
        self.answer(ctx, connection, Outcome::Ok);
    }

    /// Nothing of a transaction remains.
    pub(super) fn roll_back<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        ctx.connections[connection].server.wrote = false;
        self.unlock(ctx, connection);
    }

    /// The client has given up a transaction and kept the connection.
    pub(super) fn on_rollback_arrived<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        // The next statement may have overtaken it, and rolled back in its stead.
        let Some(wire) = ctx.connections.get_mut(connection) else { return };
        if std::mem::take(&mut wire.abandoned) && wire.server.state == ServerState::Ready {
            self.roll_back(ctx, connection);
        }
    }

    pub(super) fn on_statement_expired<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        // Nothing interrupts a flush; and a statement that ended while its clock stood still has its answer.
        let Some(wire) = ctx.connections.get_mut(connection) else { return };
        match wire.server.busy {
            Busy::No | Busy::Flush => {}
            Busy::Read => wire.server.expired = true,
            Busy::Cpu(_) | Busy::Lock(_) | Busy::Waking => {
                self.fail_statement(ctx, connection, Outcome::StatementTimeout);
            }
        }
    }

    /// A statement ends before it is done, and its transaction with it.
    pub(super) fn fail_statement<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
        outcome: Outcome,
    ) {
        self.stop_doing(ctx, connection);
        self.roll_back(ctx, connection);
        self.answer(ctx, connection, outcome);
    }

    /// A backend finds nobody to tell, and exits.
    #[cold]
    pub(super) fn leave<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        self.drop_backend(ctx, connection);
        ctx.bury_if_over(connection);
    }

    /// A backend leaves the line, the CPU or the disk. Nothing interrupts a flush.
    pub(super) fn stop_doing<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let server = &mut ctx.connections[connection].server;
        let timer = std::mem::replace(&mut server.timer, Handle::NONE);
        match std::mem::replace(&mut server.busy, Busy::No) {
            Busy::No | Busy::Flush => {}
            Busy::Cpu(work) => self.cancel_work(ctx, work),
            Busy::Lock(row) => self.leave_lock_line(ctx, connection, row),
            Busy::Waking => {}
            Busy::Read => ctx.fact(Fact::DiskWaitEnded(self.number)),
        }
        ctx.agenda.cancel(timer);
    }

    /// Whether a backend is still there and does such a thing.
    pub(super) fn is_busy<R: Recorder>(
        &self,
        ctx: &Context<R>,
        connection: ConnectionId,
        such: impl Fn(Busy) -> bool,
    ) -> bool {
        ctx.connections.get(connection).is_some_and(|wire| such(wire.server.busy))
    }

    /// Sends an answer, with the luck that came with the statement; a backend that finds nobody to tell
    /// exits.
    #[inline(always)]
    fn answer<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId, outcome: Outcome) {
        let wire = &mut ctx.connections[connection];
        if wire.server.hung_up {
            return self.leave(ctx, connection);
        }
        let clock = std::mem::replace(&mut wire.server.clock, Handle::NONE);
        let luck = wire.statement.luck.named("answer");
        ctx.agenda.cancel(clock);
        self.tell(ctx, connection, luck, News::Answer(outcome));
    }
}
