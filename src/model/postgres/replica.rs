//! What a primary's replicas replay, and how far behind a replica is.
//!
//! In the real world: a replica receives the write-ahead log as it is flushed, and one process there replays
//! it. Modelled: every flush is due at its replica at its own lag or when the one before it is (postgres.md
//! §5); the replica replays it then, unless it is down or frozen, or could not be reached when that was
//! flushed: then it replays all that it has missed at once, when it is up, goes on or can be reached. A
//! primary that stands still or is cut off keeps nobody from replaying what was flushed before. Facts say how
//! old the data are that a replica's readers see. Left out: the log that a primary cannot send while it is
//! unreachable, how long it takes to catch up, conflicts with readers, what replay costs the replica's CPU
//! and disk, a commit that waits for its replicas.

use super::Node;
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::time::Time;
use crate::model::context::Context;
use crate::model::event::{Event, Halves, NodeEvent};
use crate::model::fact::{Fact, NodeNumber, Recorder};
use crate::scenario::grammar::NodeState;

/// What a primary knows of one of its replicas.
#[derive(Debug)]
pub struct Replica {
    /// The replica.
    pub node: NodeNumber,
    /// From a flush to its replay.
    pub lag: Dist,
    /// The luck of its lag.
    pub luck: Stream,
    /// When all flushes will have been due there.
    pub replayed: Time,
    /// Flushes in all.
    pub flushes: u64,
}

/// What a replica should have replayed by now and has not.
#[derive(Debug)]
pub struct Backlog {
    /// The first and the last flush of it.
    missed: Option<(Time, Time)>,
    /// What was flushed until then is on its machine already: that of the primary until the promotion.
    owned: Time,
}

impl Backlog {
    /// Nothing missed, by a machine that has all that was flushed until `owned`.
    pub fn none(owned: Time) -> Backlog {
        Backlog { missed: None, owned }
    }
}

impl Node {
    /// A flush is done: the replicas will replay it.
    pub(super) fn replay<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let now = ctx.now();
        for replica in &mut self.replicas {
            let lag = replica.lag.sample(&mut replica.luck.at(replica.flushes).draws());
            replica.flushes += 1;
            replica.replayed = replica.replayed.max(now + lag);
            ctx.agenda
                .at(replica.replayed, Event::Node(replica.node, NodeEvent::FlushDue(Halves::of(now.0))));
        }
    }

    /// A flush of the primary is due to be replayed here.
    pub(super) fn on_flush_due<R: Recorder>(&mut self, ctx: &mut Context<R>, flushed: Time) {
        if flushed > self.backlog.owned {
            let first = self.backlog.missed.map_or(flushed, |(first, _)| first);
            self.backlog.missed = Some((first, flushed));
            self.catch_up(ctx);
        }
    }

    /// Replays what it should have replayed, if it can.
    pub(super) fn catch_up<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let Some((first, last)) = self.backlog.missed else { return };
        if self.up && self.machine.has_received(last) {
            self.backlog.missed = None;
            ctx.fact(Fact::Replayed(self.number, ctx.now().since(last)));
        } else {
            ctx.fact(Fact::FellBehind(self.number, ctx.now().since(first)));
        }
    }

    /// When a replica of this node will have replayed all that has been flushed here.
    pub fn replayed_by(&self, replica: NodeNumber) -> Time {
        let found = self.replicas.iter().find(|known| known.node == replica);
        found.map_or(Time::ZERO, |replica| replica.replayed)
    }
}

impl super::Machine {
    /// Whether it works, and could be reached when that was flushed.
    fn has_received(&self, flushed: Time) -> bool {
        match self.state {
            NodeState::Up | NodeState::ReadOnly => true,
            NodeState::Unreachable => flushed < self.since,
            NodeState::Frozen => false,
        }
    }
}
