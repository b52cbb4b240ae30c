//! Row locks: who updates a row, and who waits for it.
//!
//! In the real world: an update marks its row with its transaction, and the next one waits until that has
//! ended. So a row is held from the update until the commit is durable, or until the rollback. Modelled: one
//! line for each row, first come, first served; who comes first runs after the scheduler's wake-up; a timeout
//! on the wait (55P03). Left out: shared row locks, foreign keys, deadlocks (a scenario cannot write one: its
//! check lets every transaction lock in one order).

use super::Node;
use crate::engine::agenda::Handle;
use crate::engine::chance::Stream;
use crate::model::ConnectionId;
use crate::model::connection::Busy;
use crate::model::context::Context;
use crate::model::event::{Event, NodeEvent};
use crate::model::fact::{Fact, Recorder};
use crate::scenario::grammar::Outcome;
use std::collections::{BTreeMap, VecDeque};

/// A row that can be locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The query that updates it.
    pub query: u16,
    /// Which of the query's rows.
    pub number: u32,
}

impl Row {
    /// The row that a statement of this luck updates, of so many.
    pub fn drawn(query: u16, rows: u32, luck: Stream) -> Row {
        Row { query, number: luck.named("row").draws().below(u64::from(rows)) as u32 }
    }
}

/// The rows that are locked, each with who waits for it.
#[derive(Debug)]
pub struct Locks<W> {
    lines: BTreeMap<Row, VecDeque<W>>,
}

impl<W> Default for Locks<W> {
    fn default() -> Self {
        Locks { lines: BTreeMap::new() }
    }
}

impl<W: PartialEq> Locks<W> {
    /// Takes a row; false if another holds it, and this one waits at the end of the line.
    fn take(&mut self, row: Row, who: W) -> bool {
        match self.lines.get_mut(&row) {
            Some(line) => {
                line.push_back(who);
                false
            }
            None => {
                self.lines.insert(row, VecDeque::new());
                true
            }
        }
    }

    /// Somebody waits no longer.
    fn leave(&mut self, row: Row, who: W) {
        if let Some(line) = self.lines.get_mut(&row) {
            line.retain(|waiting| *waiting != who);
        }
    }

    /// The holder lets go of a row: who holds it now, if anybody waits.
    fn release(&mut self, row: Row) -> Option<W> {
        let next = self.lines.get_mut(&row)?.pop_front();
        if next.is_none() {
            self.lines.remove(&row);
        }
        next
    }

    /// How many rows are locked.
    pub fn len(&self) -> usize {
        self.lines.len()
    }
}

impl Node {
    /// Takes the lock of a statement; false if it has to wait.
    pub(super) fn lock<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
        row: Row,
    ) -> bool {
        if self.locks.take(row, connection) {
            ctx.connections[connection].server.locked.push(row);
            return true;
        }
        ctx.fact(Fact::LockQueued(self.number));
        let expired = Event::Node(self.number, NodeEvent::LockExpired(connection));
        let timer = self.plan.settings.lock_timeout.0.map_or(Handle::NONE, |limit| ctx.clock(limit, expired));
        let server = &mut ctx.connections[connection].server;
        (server.busy, server.timer) = (Busy::Lock(row), timer);
        false
    }

    /// A statement waits no longer for its lock.
    pub(super) fn leave_lock_line<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
        row: Row,
    ) {
        self.locks.leave(row, connection);
        ctx.fact(Fact::LockDequeued(self.number));
    }

    /// A transaction is over: its rows go to those who wait for them.
    pub(super) fn unlock<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let mut rows = std::mem::take(&mut ctx.connections[connection].server.locked);
        for row in rows.drain(..) {
            let Some(next) = self.locks.release(row) else { continue };
            ctx.fact(Fact::LockDequeued(self.number));
            let woken = Event::Node(self.number, NodeEvent::LockWoken(next));
            let wake = ctx.clock(self.plan.settings.lock_wakeup, woken);
            let server = &mut ctx.connections[next].server;
            let timer = std::mem::replace(&mut server.timer, wake);
            server.busy = Busy::Waking;
            server.locked.push(row);
            ctx.agenda.cancel(timer);
        }
        // The room is kept for the next one.
        ctx.connections[connection].server.locked = rows;
    }

    pub(super) fn on_lock_woken<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        if self.is_busy(ctx, connection, |busy| busy == Busy::Waking) {
            ctx.connections[connection].server.busy = Busy::No;
            self.run_statement(ctx, connection);
        }
    }

    pub(super) fn on_lock_expired<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        if self.is_busy(ctx, connection, |busy| matches!(busy, Busy::Lock(_))) {
            self.fail_statement(ctx, connection, Outcome::LockTimeout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_drawn_evenly_and_only_from_those_that_there_are() {
        let mut seen = [0u32; 8];
        for n in 0..8_000 {
            seen[Row::drawn(0, 8, Stream::root(1).at(n)).number as usize] += 1;
        }
        assert!(seen.iter().all(|count| (850..1150).contains(count)), "{seen:?}");
    }

    proptest! {
        /// Against the obvious implementation: one list of who wants which row, in order of arrival.
        #[test]
        fn rows_go_round_in_order_of_arrival(
            steps in prop::collection::vec((0u32..3, 0u8..3, 0usize..8), 1..200),
        ) {
            let (mut locks, mut wanted, mut next) = (Locks::default(), Vec::<(Row, u32)>::new(), 0u32);
            for (number, deed, place) in steps {
                let row = Row { query: 0, number };
                let of_row: Vec<u32> =
                    wanted.iter().filter(|(other, _)| *other == row).map(|(_, who)| *who).collect();
                match deed {
                    0 => {
                        prop_assert_eq!(locks.take(row, next), of_row.is_empty());
                        wanted.push((row, next));
                        next += 1;
                    }
                    1 if !of_row.is_empty() => {
                        prop_assert_eq!(locks.release(row), of_row.get(1).copied());
                        wanted.retain(|(_, who)| *who != of_row[0]);
                    }
                    2 if of_row.len() > 1 => {
                        let who = of_row[1 + place % (of_row.len() - 1)];
                        locks.leave(row, who);
                        wanted.retain(|(_, other)| *other != who);
                    }
                    _ => {}
                }
            }
            let rows: std::collections::BTreeSet<Row> = wanted.iter().map(|(row, _)| *row).collect();
            prop_assert_eq!(locks.len(), rows.len(), "a row that nobody holds is forgotten");
        }
    }
}
