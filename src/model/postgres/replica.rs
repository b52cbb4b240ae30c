//! What a primary's replicas replay.
//!
//! In the real world: a replica receives the write-ahead log as it is flushed, and one process replays it.
//! Modelled: every flush is replayed in order, at its own lag or when the one before it is (postgres.md §5);
//! this says how old the data are that a replica's readers see. Left out: the log that cannot be sent while
//! a node is unreachable, conflicts with readers, what replay costs the replica's CPU and disk.

use super::Node;
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::time::Time;
use crate::model::context::Context;
use crate::model::event::{Event, NodeEvent};
use crate::model::fact::{Fact, NodeNumber, Recorder};
use std::collections::VecDeque;

/// What one replica has still to replay.
#[derive(Debug)]
pub struct Replica {
    /// The replica.
    pub node: NodeNumber,
    /// From a flush to its replay.
    pub lag: Dist,
    /// The luck of its lag.
    pub luck: Stream,
    /// Flushes that it has not replayed.
    pub behind: VecDeque<Time>,
    /// When it will have replayed all of them.
    pub replayed: Time,
    /// Flushes in all.
    pub flushes: u64,
}

impl Node {
    /// A flush is done: the replicas will replay it.
    pub(super) fn replay<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let now = ctx.now();
        for (place, replica) in self.replicas.iter_mut().enumerate() {
            let lag = replica.lag.sample(&mut replica.luck.at(replica.flushes).draws());
            replica.flushes += 1;
            replica.replayed = replica.replayed.max(now + lag);
            replica.behind.push_back(now);
            ctx.agenda.at(replica.replayed, Event::Node(self.number, NodeEvent::Replayed(place as u16)));
        }
    }

    pub(super) fn on_replayed<R: Recorder>(&mut self, ctx: &mut Context<R>, place: u16) {
        let replica = &mut self.replicas[usize::from(place)];
        let Some(flushed) = replica.behind.pop_front() else { return };
        let age = ctx.now().since(flushed);
        ctx.fact(Fact::Replayed(replica.node, age));
    }

    /// When a replica of this node will have replayed all that has been flushed here.
    pub fn replayed_by(&self, replica: NodeNumber) -> Time {
        let found = self.replicas.iter().find(|known| known.node == replica);
        found.map_or(Time::ZERO, |replica| replica.replayed)
    }
}
