//! Whether a node serves, and what becomes of its connections when it does not.
//!
//! In the real world: a machine fails, is cut off, stands still for a live migration, is restarted or
//! replaced. Modelled: *unreachable* (messages to and from it are lost, what is on it goes on to its end);
//! *frozen* (its CPU stops, and whatever comes or comes due waits until it goes on, also the answer of a disk
//! that was asked before); *restart*, *failover* and *promotion* (every connection drops, and none is taken
//! before recovery, which reads pages at what a read takes then). High availability fails a node over that
//! has not answered for long enough; a slow one answers (postgres.md §5). A connection that lost a message
//! is found broken once its node can be reached and is up: its backend exits, and a client that uses it
//! is told; an idle one learns it when it next sends. Left out: TCP's own retries, split brain, the pages
//! that a failover makes cold.

use super::{Backlog, Node};
use crate::engine::agenda::Handle;
use crate::engine::time::{Span, Time};
use crate::model::ConnectionId;
use crate::model::connection::{ClientState, Connection, Leg, News, ServerState};
use crate::model::context::Context;
use crate::model::event::{Event, NodeEvent};
use crate::model::fact::{Fact, Recorder};
use crate::scenario::grammar::NodeState;
use std::collections::VecDeque;

/// The machine that a node runs on.
#[derive(Debug)]
pub struct Machine {
    /// What the scenario last set its state to.
    set: NodeState,
    /// Its state: another than was set, once a healthy machine has taken over.
    pub(super) state: NodeState,
    /// Since when.
    pub(super) since: Time,
    /// What waits until it goes on.
    held: VecDeque<NodeEvent>,
}

impl Machine {
    /// A healthy one.
    pub fn new() -> Machine {
        Machine { set: NodeState::Up, state: NodeState::Up, since: Time::ZERO, held: VecDeque::new() }
    }

    /// Whether nobody hears from it.
    pub fn is_silent(&self) -> bool {
        matches!(self.state, NodeState::Unreachable | NodeState::Frozen)
    }
}

/// Recovery of a node that is down.
#[derive(Debug)]
pub struct NodeRecovery {
    /// Pages that it has still to read.
    pages: u64,
    /// When the present part of it is done.
    timer: Handle,
}

impl NodeRecovery {
    /// Nothing to recover.
    pub fn new() -> NodeRecovery {
        NodeRecovery { pages: 0, timer: Handle::NONE }
    }
}

impl Node {
    /// What stands for the machine is set; only a change matters.
    pub(super) fn set_state<R: Recorder>(&mut self, ctx: &mut Context<R>, state: NodeState) {
        if self.machine.set != state {
            self.machine.set = state;
            self.enter_state(ctx, state);
        }
    }

    fn enter_state<R: Recorder>(&mut self, ctx: &mut Context<R>, state: NodeState) {
        let before = std::mem::replace(&mut self.machine.state, state);
        if before != state {
            self.machine.since = ctx.now();
            ctx.fact(Fact::StateEntered(self.number, state));
        }
        if (before == NodeState::Frozen) != (state == NodeState::Frozen) {
            self.cpu.freeze(ctx.now(), state == NodeState::Frozen);
            self.arm_cpu(ctx);
        }
        if !self.machine.is_silent() {
            self.find_broken(ctx);
        }
        if before == NodeState::Frozen && state != before {
            for event in std::mem::take(&mut self.machine.held) {
                self.handle(ctx, event);
            }
        }
        self.catch_up(ctx);
        self.watch(ctx);
    }

    /// What becomes of an event at a silent machine: true if that is all.
    pub(super) fn swallows<R: Recorder>(&mut self, ctx: &mut Context<R>, event: NodeEvent) -> bool {
        use NodeEvent as E;
        match (self.machine.state, event) {
            (_, E::HeartbeatsMissed | E::FlushDue(_)) => return false,
            (NodeState::Frozen, event) => self.machine.held.push_back(event),
            (_, E::ConnectArrived(connection))
            | (_, E::StatementArrived(connection))
            | (_, E::RollbackArrived(connection)) => {
                if let Some(wire) = ctx.connections.get_mut(connection) {
                    wire.lost = true;
                }
            }
            (_, E::ConnectionClosed(connection)) => Self::lose_close(ctx, connection),
            _ => return false,
        }
        true
    }

    /// A client hung up and its node does not hear of it. Where the node knows nothing, nothing remains.
    fn lose_close<R: Recorder>(ctx: &mut Context<R>, connection: ConnectionId) {
        let Some(wire) = ctx.connections.get_mut(connection) else { return };
        if wire.server.state == ServerState::Unreached {
            wire.server.state = ServerState::Gone;
        }
        wire.lost = true;
        ctx.bury_if_over(connection);
    }

    /// The connections of this node that are such, in an order that does not depend on where records lie.
    fn connections_that<R: Recorder>(
        &self,
        ctx: &Context<R>,
        such: impl Fn(&Connection) -> bool,
    ) -> Vec<ConnectionId> {
        let mine = |wire: &Connection| wire.node == self.number && wire.leg != Leg::Front;
        let here = ctx.connections.iter().filter(|(_, wire)| mine(wire) && such(wire));
        let mut found: Vec<ConnectionId> = here.map(|(id, _)| id).collect();
        // Where a record lies in memory depends on everybody's connections; the order of the news must not.
        found.sort_unstable_by_key(|connection| ctx.connections[*connection].rank());
        found
    }

    /// Connections that lost a message are broken: their backends exit, and clients that use them are told.
    fn find_broken<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        if !self.up {
            return;
        }
        for connection in self.connections_that(ctx, |wire| wire.lost) {
            self.hang_up(ctx, connection);
            let wire = &mut ctx.connections[connection];
            if matches!(wire.client.state, ClientState::InUse | ClientState::Dialling) {
                wire.lost = false;
                let luck = wire.luck.named("reset");
                self.tell(ctx, connection, luck, News::Reset);
            }
            ctx.bury_if_over(connection);
        }
    }

    /// Every connection drops and none is taken for a while.
    pub fn restart<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        if self.up {
            self.go_down(ctx);
            self.recover(ctx, self.plan.settings.restart_time, true);
        }
    }

    /// The standby takes over the disk: the node goes on, on another machine.
    pub fn fail_over<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let takes = self.plan.settings.ha.map_or(Span::ZERO, |ha| ha.takes);
        self.go_down(ctx);
        self.enter_state(ctx, NodeState::Up);
        self.recover(ctx, takes, true);
    }

    /// Two nodes change machines, and each begins anew.
    pub fn exchange_machines<R: Recorder>(&mut self, other: &mut Node, ctx: &mut Context<R>) {
        self.go_down(ctx);
        other.go_down(ctx);
        // What was sent to a node's name waits for whoever bears it.
        std::mem::swap(&mut self.machine.held, &mut other.machine.held);
        let alike = self.machine.state == other.machine.state;
        std::mem::swap(&mut self.machine, &mut other.machine);
        std::mem::swap(&mut self.cpu, &mut other.cpu);
        for node in [self, other] {
            node.backlog = Backlog::none(ctx.now());
            if !alike {
                ctx.fact(Fact::StateEntered(node.number, node.machine.state));
            }
            for event in std::mem::take(&mut node.machine.held) {
                node.handle(ctx, event);
            }
            node.watch(ctx);
        }
    }

    /// Drops all that the node has; it takes nothing until it has recovered.
    fn go_down<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        if std::mem::replace(&mut self.up, false) {
            ctx.fact(Fact::NodeDown(self.number));
        }
        self.stop_flush(ctx);
        let known =
            |wire: &Connection| !matches!(wire.server.state, ServerState::Gone | ServerState::Unreached);
        for connection in self.connections_that(ctx, known) {
            self.drop_backend(ctx, connection);
            let wire = &ctx.connections[connection];
            if wire.is_over() {
                ctx.connections.remove(connection);
            } else {
                let luck = wire.luck.named("reset");
                self.tell(ctx, connection, luck, News::Reset);
            }
        }
        self.stop_jobs(ctx);
        self.arm_cpu(ctx);
        self.machine.held.retain(outlives_a_restart);
    }

    /// The node is up again after so long and, if it must recover, so many reads.
    pub fn recover<R: Recorder>(&mut self, ctx: &mut Context<R>, takes: Span, from_disk: bool) {
        let disk = self.plan.settings.disk.as_ref().filter(|_| from_disk);
        self.recovery.pages = disk.map_or(0, |disk| u64::from(disk.recovery_reads));
        ctx.agenda.cancel(self.recovery.timer);
        self.recovery.timer = ctx.agenda.after(takes, Event::Node(self.number, NodeEvent::RecoveryMoved));
    }

    /// A part of the recovery is done. The next takes a second at what a read takes now.
    pub(super) fn on_recovery_moved<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        self.recovery.timer = Handle::NONE;
        if let Some(disk) = self.plan.disk.as_ref().filter(|_| self.recovery.pages > 0) {
            let read = disk.read.mean().scale(disk.read_factor);
            let pages = self.recovery.pages.min((Span::from_secs(1).0 / read.0.max(1)).max(1));
            self.recovery.pages -= pages;
            let moved = Event::Node(self.number, NodeEvent::RecoveryMoved);
            self.recovery.timer = ctx.agenda.after(read * pages, moved);
            return;
        }
        self.up = true;
        ctx.fact(Fact::NodeUp(self.number));
        if !self.machine.is_silent() {
            self.find_broken(ctx);
        }
        self.catch_up(ctx);
    }

    /// High availability counts how long the machine has been silent.
    pub(super) fn watch<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        if !self.machine.is_silent() {
            ctx.agenda.cancel(std::mem::replace(&mut self.heartbeat, Handle::NONE));
        } else if let (Some(ha), Handle::NONE) = (self.plan.settings.ha, self.heartbeat) {
            let missed = Event::Node(self.number, NodeEvent::HeartbeatsMissed);
            self.heartbeat = ctx.agenda.after(ha.detect, missed);
        }
    }

    pub(super) fn on_heartbeats_missed<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        self.heartbeat = Handle::NONE;
        if self.machine.is_silent() {
            self.fail_over(ctx);
        }
    }
}

/// Whether what waits at a machine concerns the next one too: what others sent, and the calendar.
fn outlives_a_restart(event: &NodeEvent) -> bool {
    use NodeEvent as E;
    matches!(
        event,
        E::ConnectArrived(_)
            | E::StatementArrived(_)
            | E::RollbackArrived(_)
            | E::ConnectionClosed(_)
            | E::JobDue(_)
    )
}
