//! A Postgres node.
//!
//! In the real world: a postmaster that forks a backend for each connection, and backends that share the
//! cores. Modelled: connection slots and their refusal (53300), the serial grant and its quadratic part, the
//! CPU that a backend burns before it is ready and while its caches are cold, processor sharing with
//! contention, statement timeout, background jobs, restart (postgres.md §1–§3). What a live change does to
//! work in flight: CPU and contention re-rate the jobs at once; the grant mode counts from the next grant,
//! start cost from the next start, a statement timeout from the next statement. Left out: locks, disk, WAL,
//! replication, memory.

mod admission;
mod backend;
mod job;

use super::ConnectionId;
use super::connection::ServerState;
use super::context::Context;
use super::event::{Event, NodeEvent, ServiceEvent};
use super::fact::{Fact, NodeNumber, Recorder};
use crate::engine::agenda::Alarm;
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::sharing::Sharing;
use crate::engine::slab::Id;
use crate::engine::time::Span;
use crate::scenario::grammar;
use admission::Admission;
pub use job::Job;

/// A node.
#[derive(Debug)]
pub struct Node {
    number: NodeNumber,
    plan: NodePlan,
    up: bool,
    admission: Admission,
    cpu: Sharing<Work>,
    cpu_alarm: Alarm,
    jobs: Vec<Job>,
}

/// What a node is like, as things stand.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its settings.
    pub settings: grammar::Postgres,
    /// CPU of a backend start.
    pub start_cpu: Dist,
}

/// What runs on the CPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// A backend starts.
    Start(ConnectionId),
    /// A statement.
    Statement(ConnectionId),
    /// One session of a job: its number on this node.
    Job(u16),
}

impl Node {
    /// An idle node.
    pub fn new<R: Recorder>(
        ctx: &mut Context<R>,
        number: NodeNumber,
        plan: NodePlan,
        jobs: Vec<Job>,
    ) -> Node {
        let cpu = Sharing::new(plan.settings.cores, plan.settings.contention);
        let admission = Admission::new(ctx.agenda.alarm());
        let mut node = Node { number, plan, up: true, admission, cpu, cpu_alarm: ctx.agenda.alarm(), jobs };
        node.schedule_jobs(ctx);
        node
    }

    /// What stands changes now.
    pub fn set_plan<R: Recorder>(&mut self, ctx: &mut Context<R>, plan: NodePlan) {
        self.plan = plan;
        self.cpu.resize(ctx.now(), self.plan.settings.cores, self.plan.settings.contention);
        self.arm_cpu(ctx);
    }

    /// Something happened here.
    pub fn handle<R: Recorder>(&mut self, ctx: &mut Context<R>, event: NodeEvent) {
        match event {
            NodeEvent::ConnectArrived(connection) => self.on_connect_arrived(ctx, connection),
            NodeEvent::GrantFinished => self.on_grant_finished(ctx),
            NodeEvent::StatementArrived(connection) => self.on_statement_arrived(ctx, connection),
            NodeEvent::WorkFinished => self.on_work_finished(ctx),
            NodeEvent::StatementExpired(connection) => self.on_statement_expired(ctx, connection),
            NodeEvent::ConnectionClosed(connection) => self.on_connection_closed(ctx, connection),
            NodeEvent::JobDue(job) => self.on_job_due(ctx, job),
            NodeEvent::RestartFinished => self.on_restart_finished(ctx),
        }
    }

    /// Every connection drops and none is taken for a while.
    pub fn restart<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        if !self.up {
            return;
        }
        self.up = false;
        ctx.fact(Fact::NodeDown(self.number));
        let here = |wire: &super::connection::Connection, number| {
            wire.node == number && !matches!(wire.server.state, ServerState::Gone | ServerState::Unreached)
        };
        let number = self.number;
        let mut dropped: Vec<ConnectionId> =
            ctx.connections.iter().filter(|(_, wire)| here(wire, number)).map(|(id, _)| id).collect();
        // Where a record lies in memory depends on everybody's connections; the order of the news must not.
        dropped.sort_unstable_by_key(|connection| ctx.connections[*connection].rank());
        for connection in dropped {
            self.drop_backend(ctx, connection);
            let wire = &ctx.connections[connection];
            let (service, luck) = (wire.service, wire.luck);
            let reset = Event::Service(service, ServiceEvent::ConnectionReset(connection));
            if wire.is_over() {
                ctx.connections.remove(connection);
            } else {
                ctx.send(&mut luck.named("reset").draws(), reset);
            }
        }
        self.stop_jobs(ctx);
        self.arm_cpu(ctx);
        ctx.agenda
            .after(self.plan.settings.restart_time, Event::Node(self.number, NodeEvent::RestartFinished));
    }

    fn on_restart_finished<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        self.up = true;
        ctx.fact(Fact::NodeUp(self.number));
    }

    fn on_work_finished<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let work = self.cpu.finish(ctx.now());
        ctx.fact(Fact::WorkEnded(self.number));
        match work {
            Work::Start(connection) => self.on_backend_ready(ctx, connection),
            Work::Statement(connection) => self.on_statement_finished(ctx, connection),
            Work::Job(job) => self.on_session_finished(ctx, job),
        }
        self.arm_cpu(ctx);
    }

    /// Puts work on the CPU.
    fn begin_work<R: Recorder>(&mut self, ctx: &mut Context<R>, cpu: Span, work: Work) -> Id<Work> {
        let id = self.cpu.start(ctx.now(), cpu, work);
        ctx.fact(Fact::WorkBegan(self.number));
        self.arm_cpu(ctx);
        id
    }

    /// Takes work off the CPU before it is done.
    fn cancel_work<R: Recorder>(&mut self, ctx: &mut Context<R>, work: Id<Work>) {
        if self.cpu.cancel(ctx.now(), work).is_some() {
            ctx.fact(Fact::WorkEnded(self.number));
            self.arm_cpu(ctx);
        }
    }

    fn arm_cpu<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let next = self.cpu.next_done();
        ctx.agenda.set(self.cpu_alarm, next, Event::Node(self.number, NodeEvent::WorkFinished));
    }

    /// The luck of what the node does for a connection.
    fn luck_of<R: Recorder>(ctx: &Context<R>, connection: ConnectionId) -> Stream {
        ctx.connections[connection].luck.named("node")
    }
}
