//! The write-ahead log: a commit is durable when it has been flushed.
//!
//! In the real world: a commit writes its record and flushes the log; who comes while a flush is under way
//! waits for the next one, which makes all of them durable (group commit); with `commit_delay` the leader of
//! a flush first waits for others to join it. Modelled as one server of batches: one flush at a time. Locks
//! are held until the flush is done, which is how a slow disk becomes a line before a row (postgres.md §4).
//! Nothing interrupts a flush, neither a timeout nor a client that leaves. Left out: the writing of the
//! record itself, `commit_siblings`, asynchronous commits, checkpoints.

use super::Node;
use crate::engine::agenda::Handle;
use crate::engine::time::Span;
use crate::model::ConnectionId;
use crate::model::connection::Busy;
use crate::model::context::Context;
use crate::model::event::{Event, NodeEvent};
use crate::model::fact::{Fact, Recorder};

/// Who waits for which flush.
#[derive(Debug)]
pub struct Wal {
    /// Commits that the flush under way makes durable.
    flushing: Vec<ConnectionId>,
    /// Commits for the next flush; their first is its leader.
    joining: Vec<ConnectionId>,
    /// What goes on.
    phase: Phase,
    /// The end of what goes on.
    timer: Handle,
    /// Flushes begun.
    begun: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// The leader waits for others to join.
    Delay,
    Flush,
}

impl Wal {
    /// Nothing to flush.
    pub fn new() -> Wal {
        Wal { flushing: vec![], joining: vec![], phase: Phase::Idle, timer: Handle::NONE, begun: 0 }
    }
}

impl Node {
    /// A transaction that wrote is to be made durable.
    pub(super) fn commit<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        if self.plan.disk.is_none() {
            self.replay(ctx);
            return self.finish_transaction(ctx, connection);
        }
        ctx.connections[connection].server.busy = Busy::Flush;
        ctx.fact(Fact::DiskWaitBegan(self.number));
        self.wal.joining.push(connection);
        if self.wal.phase == Phase::Idle {
            self.lead(ctx);
        }
    }

    /// The next flush finds its leader, who waits for others if so told.
    fn lead<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let delay = self.plan.settings.disk.as_ref().map_or(Span::ZERO, |disk| disk.commit_delay);
        if delay == Span::ZERO {
            return self.flush(ctx);
        }
        self.wal.phase = Phase::Delay;
        self.wal.timer = ctx.agenda.after(delay, Event::Node(self.number, NodeEvent::FlushMoved));
    }

    fn flush<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let luck = self.luck.named("flush").at(self.wal.begun);
        let takes = self.plan.disk.as_ref().map_or(Span::ZERO, |disk| disk.flush_time(luck));
        self.wal.begun += 1;
        self.wal.phase = Phase::Flush;
        std::mem::swap(&mut self.wal.flushing, &mut self.wal.joining);
        self.wal.timer = ctx.agenda.after(takes, Event::Node(self.number, NodeEvent::FlushMoved));
    }

    /// The leader has waited long enough, or the flush is done.
    pub(super) fn on_flush_moved<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        if self.wal.phase == Phase::Delay {
            return self.flush(ctx);
        }
        self.wal.phase = Phase::Idle;
        self.replay(ctx);
        let mut durable = std::mem::take(&mut self.wal.flushing);
        if !self.wal.joining.is_empty() {
            self.lead(ctx);
        }
        for connection in durable.drain(..) {
            ctx.fact(Fact::DiskWaitEnded(self.number));
            self.finish_transaction(ctx, connection);
        }
        // The room is kept for the flush after the next.
        if self.wal.flushing.is_empty() {
            self.wal.flushing = durable;
        }
    }

    /// A node that goes down flushes nothing any more.
    pub(super) fn stop_flush<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        ctx.agenda.cancel(self.wal.timer);
        let lost = std::mem::take(&mut self.wal.flushing).len() + std::mem::take(&mut self.wal.joining).len();
        (0..lost).for_each(|_| ctx.fact(Fact::DiskWaitEnded(self.number)));
        self.wal = Wal { begun: self.wal.begun, ..Wal::new() };
    }
}
