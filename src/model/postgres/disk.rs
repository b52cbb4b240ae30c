//! The disk: pages that the cache misses are read one after the other.
//!
//! In the real world: network storage that serves many reads at once, each with its own latency. Modelled: a
//! statement's missed pages, read in turn, each an I/O that takes what the disk takes when it begins; a
//! factor on reads and one on flushes, which an event may raise; bloat, and the index pages of an update that
//! is not HOT (postgres.md §4). Left out: a limit on I/O operations, checkpoints, read-ahead, the cache
//! itself.

use super::Node;
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::time::Span;
use crate::model::ConnectionId;
use crate::model::connection::Busy;
use crate::model::context::Context;
use crate::model::event::{Event, NodeEvent};
use crate::model::fact::{Fact, Recorder};
use crate::scenario::grammar::Outcome;

/// A disk, ready to draw from.
#[derive(Clone, Debug)]
pub struct Disk {
    /// The read of a page.
    pub read: Dist,
    /// A flush of the write-ahead log.
    pub flush: Dist,
    /// What a read takes now, as a multiple.
    pub read_factor: f64,
    /// What a flush takes now, as a multiple.
    pub flush_factor: f64,
}

impl Disk {
    /// How long a flush takes that begins now.
    pub fn flush_time(&self, luck: Stream) -> Span {
        self.flush.sample(&mut luck.draws()).scale(self.flush_factor)
    }

    /// How long a read takes that begins now.
    fn read_time(&self, luck: Stream) -> Span {
        self.read.sample(&mut luck.draws()).scale(self.read_factor)
    }
}

/// A whole number of pages that is `mean` on average: what is left of a page is a whole one with that chance.
fn whole_pages(mean: f64, luck: Stream) -> u32 {
    let whole = mean.floor();
    whole as u32 + u32::from(luck.named("pages").draws().unit() < mean - whole)
}

impl Node {
    /// How many pages a statement misses.
    pub(super) fn pages_missed<R: Recorder>(&self, ctx: &Context<R>, query: u16, luck: Stream) -> u32 {
        if self.plan.disk.is_none() {
            return 0;
        }
        let query = &ctx.queries[usize::from(query)];
        let settings = &self.plan.settings;
        let update = query.locks_one_of.is_some() && query.index_pages > 0.0;
        let of_indexes = if update && luck.named("hot").draws().unit() >= settings.hot_updates.0 {
            query.index_pages
        } else {
            0.0
        };
        whole_pages((query.reads + of_indexes) * settings.bloat, luck)
    }

    /// A statement that is done on the CPU begins to read its pages; false if there are none.
    pub(super) fn begin_reads<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
        pages: u32,
    ) -> bool {
        if pages == 0 {
            return false;
        }
        ctx.connections[connection].server.pages = pages;
        ctx.fact(Fact::DiskWaitBegan(self.number));
        self.read_page(ctx, connection);
        true
    }

    pub(super) fn on_page_read<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        if !self.is_busy(ctx, connection, |busy| busy == Busy::Read) {
            return;
        }
        let wire = &mut ctx.connections[connection];
        let (server, cancelled) = (&mut wire.server, wire.cancelled);
        server.pages -= 1;
        if server.hung_up && cancelled {
            return self.leave(ctx, connection);
        }
        if std::mem::take(&mut server.expired) {
            return self.fail_statement(ctx, connection, Outcome::StatementTimeout);
        }
        if server.pages > 0 {
            return self.read_page(ctx, connection);
        }
        server.busy = Busy::No;
        ctx.fact(Fact::DiskWaitEnded(self.number));
        self.after_work(ctx, connection);
    }

    fn read_page<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let wire = &mut ctx.connections[connection];
        let luck = wire.statement.luck.named("read").at(u64::from(wire.server.pages));
        let takes = self.plan.disk.as_ref().map_or(Span::ZERO, |disk| disk.read_time(luck));
        wire.server.busy = Busy::Read;
        let read = Event::Node(self.number, NodeEvent::PageRead(connection));
        wire.server.timer = ctx.agenda.after(takes, read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_whole_and_right_on_average() {
        for mean in [0.0, 0.2, 1.0, 3.7] {
            let draws = (0..20_000).map(|n| whole_pages(mean, Stream::root(n)));
            let sum: u32 = draws.inspect(|pages| assert!((f64::from(*pages) - mean).abs() < 1.0)).sum();
            assert!((f64::from(sum) / 20_000.0 - mean).abs() < 0.02, "{mean}: {sum}");
        }
    }
}
