//! A Postgres node.
//!
//! In the real world: a postmaster that forks a backend for each connection, and backends that share the
//! cores, the disk, the write-ahead log and the rows. Modelled: connection slots and their refusal (53300),
//! the serial grant and its quadratic part, the CPU that a backend burns before it is ready and while its
//! caches are cold, and that of a refusal, processor sharing with contention, row locks, reads and flushes,
//! statement and lock timeout, background jobs, restart, failover, promotion, replay (postgres.md §1–§5).
//! Left out: memory, vacuum, checkpoints.
//!
//! What a live change does to work in flight:
//!
//! | what changes | from when it counts |
//! |---|---|
//! | `cores`, `contention`, `state` | at once: what is on the CPU goes on at the new rate |
//! | `grant`, `start_cpu`, `refuse_cpu` | the next grant; the next start; the next refusal |
//! | `cold_cpu` | the next query of a backend that is cold |
//! | `statement_timeout`, `lock_timeout` | the next statement; the next wait for a row |
//! | `disk.read_factor`, `disk.flush_factor` | the next read of a page; the next flush |
//! | `disk.commit_delay` | the next flush that finds its leader |
//! | `disk.recovery_reads`, `restart_time` | the next recovery; the next restart |
//! | `bloat`, `hot_updates`, a query's `reads`, `index_pages` | the next statement that is done on the CPU |
//! | a query's `cpu` | the next statement that is sent |

mod admission;
mod backend;
mod disk;
mod job;
mod lifecycle;
mod locks;
mod replica;
mod statement;
mod wal;

use super::ConnectionId;
use super::context::Context;
use super::event::{Event, NodeEvent};
use super::fact::{Fact, NodeNumber, Recorder};
use crate::engine::agenda::{Alarm, Handle};
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::sharing::Sharing;
use crate::engine::slab::Id;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar;
use admission::Admission;
pub use disk::Disk;
pub use job::Job;
use lifecycle::{Machine, NodeRecovery};
use locks::Locks;
pub use locks::Row;
use replica::Backlog;
pub use replica::Replica;
pub use statement::Query;
use wal::Wal;

/// A node.
#[derive(Debug)]
pub struct Node {
    number: NodeNumber,
    plan: NodePlan,
    /// It takes connections, as far as they reach it.
    up: bool,
    machine: Machine,
    recovery: NodeRecovery,
    /// When high availability has missed it for too long.
    heartbeat: Handle,
    admission: Admission,
    cpu: Sharing<Work>,
    cpu_alarm: Alarm,
    locks: Locks<ConnectionId>,
    wal: Wal,
    replicas: Vec<Replica>,
    backlog: Backlog,
    jobs: Vec<Job>,
    luck: Stream,
}

/// What a node is like, as things stand.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its settings.
    pub settings: grammar::Postgres,
    /// CPU of a backend start.
    pub start_cpu: Dist,
    /// Its disk, if it has one.
    pub disk: Option<Disk>,
}

/// What runs on the CPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// A backend starts.
    Start(ConnectionId),
    /// A statement.
    Statement(ConnectionId),
    /// A connection is refused.
    Refusal(ConnectionId),
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
        replicas: Vec<Replica>,
    ) -> Node {
        let (cores, state) = (plan.settings.cores, plan.settings.state);
        let mut node = Node {
            number,
            admission: Admission::new(ctx.agenda.alarm()),
            cpu: Sharing::new(cores, plan.settings.contention),
            cpu_alarm: ctx.agenda.alarm(),
            plan,
            up: true,
            machine: Machine::new(),
            recovery: NodeRecovery::new(),
            heartbeat: Handle::NONE,
            locks: Locks::default(),
            wal: Wal::new(),
            replicas,
            backlog: Backlog::none(Time::ZERO),
            jobs,
            luck: ctx.luck.named("node").at(u64::from(number)),
        };
        node.schedule_jobs(ctx);
        ctx.fact(Fact::CoresSet(number, cores));
        node.set_state(ctx, state);
        node
    }

    /// What stands changes now.
    pub fn set_plan<R: Recorder>(&mut self, ctx: &mut Context<R>, plan: NodePlan) {
        let cores = plan.settings.cores;
        let other_cores = cores != self.plan.settings.cores;
        self.plan = plan;
        self.cpu.resize(ctx.now(), cores, self.plan.settings.contention);
        self.arm_cpu(ctx);
        if other_cores {
            ctx.fact(Fact::CoresSet(self.number, cores));
        }
        self.set_state(ctx, self.plan.settings.state);
    }

    /// Something happened here.
    #[inline(always)]
    pub fn handle<R: Recorder>(&mut self, ctx: &mut Context<R>, event: NodeEvent) {
        if self.machine.is_silent() && self.swallows(ctx, event) {
            return;
        }
        match event {
            NodeEvent::ConnectArrived(connection) => self.on_connect_arrived(ctx, connection),
            NodeEvent::GrantFinished => self.on_grant_finished(ctx),
            NodeEvent::StatementArrived(connection) => self.on_statement_arrived(ctx, connection),
            NodeEvent::WorkFinished => self.on_work_finished(ctx),
            NodeEvent::StatementExpired(connection) => self.on_statement_expired(ctx, connection),
            NodeEvent::ConnectionClosed(connection) => self.on_connection_closed(ctx, connection),
            NodeEvent::JobDue(job) => self.on_job_due(ctx, job),
            NodeEvent::RollbackArrived(connection) => self.on_rollback_arrived(ctx, connection),
            NodeEvent::LockWoken(connection) => self.on_lock_woken(ctx, connection),
            NodeEvent::LockExpired(connection) => self.on_lock_expired(ctx, connection),
            NodeEvent::PageRead(connection) => self.on_page_read(ctx, connection),
            NodeEvent::FlushMoved => self.on_flush_moved(ctx),
            NodeEvent::FlushDue(flushed) => self.on_flush_due(ctx, Time(flushed.joined())),
            NodeEvent::RecoveryMoved => self.on_recovery_moved(ctx),
            NodeEvent::HeartbeatsMissed => self.on_heartbeats_missed(ctx),
        }
    }

    /// How many of its connection slots are taken.
    pub fn slots_taken(&self) -> usize {
        self.admission.slots as usize
    }

    /// How many rows are locked here.
    pub fn rows_locked(&self) -> usize {
        self.locks.len()
    }

    fn on_work_finished<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let work = self.cpu.finish(ctx.now());
        ctx.fact(Fact::WorkEnded(self.number));
        match work {
            Work::Start(connection) => self.on_backend_ready(ctx, connection),
            Work::Statement(connection) => self.on_cpu_finished(ctx, connection),
            Work::Refusal(connection) => self.refuse(ctx, connection),
            Work::Job(job) => self.on_session_finished(ctx, job),
        }
        self.arm_cpu(ctx);
    }

    /// Puts work on the CPU.
    #[inline(always)]
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

    #[inline(always)]
    fn arm_cpu<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        let next = self.cpu.next_done();
        ctx.agenda.set(self.cpu_alarm, next, Event::Node(self.number, NodeEvent::WorkFinished));
    }

    /// The luck of what the node does for a connection.
    fn luck_of<R: Recorder>(ctx: &Context<R>, connection: ConnectionId) -> Stream {
        ctx.connections[connection].luck.named("node")
    }
}
