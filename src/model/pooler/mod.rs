//! A central pooler: a box of its own between containers and a Postgres node.
//!
//! In the real world: PgBouncer, or the managed pooling of a cloud's Postgres. A client's connection costs it
//! a login and no backend; it lends its own connections to the node to clients for a transaction, or for a
//! session. Modelled: processes of one thread, which handle logins, statements and answers one after the
//! other; clients spread over the processes at random (`so_reuseport`); a limit on clients; one [`Pool`] a
//! process, with all of its switches, whose acquirers are clients that wait first come first served; a client
//! that waits too long, or whose connection to the node breaks, is disconnected; a client that hangs up
//! within a transaction takes the connection to the node along; after a session the connection is reset by
//! one more statement (pools.md §4). What clients do is in `client`, what its own connections do in `server`.
//! What a live change does: CPU counts from the next message, a trip from the next, a limit from the next
//! client. Left out: several databases or users (each would have a pool of its own), the reserve pool,
//! statement mode, prepared statements, cancel requests, PAUSE and RELOAD, its own crash, memory.

mod client;
mod server;

use super::ConnectionId;
use super::connection::Leg;
use super::context::Context;
use super::event::{Event, PoolerEvent};
use super::fact::{NodeNumber, PoolNumber, Recorder, ServiceNumber};
use super::pool::{Action, Home, Pool};
use crate::engine::agenda::Handle;
use crate::engine::chance::Stream;
use crate::engine::slab::Id;
use crate::engine::time::Span;
use crate::scenario::grammar::{self, Outcome};
use std::collections::VecDeque;
use std::sync::Arc;

/// The service of a connection that belongs to no container.
const NO_SERVICE: ServiceNumber = ServiceNumber::MAX;

/// The pooler in front of a node.
#[derive(Debug)]
pub struct Pooler {
    node: NodeNumber,
    plan: PoolerPlan,
    processes: Vec<Process>,
    /// What a pool said follows; empty between events.
    actions: Vec<Action>,
    luck: Stream,
}

/// What a pooler is like, as things stand.
#[derive(Clone, Debug)]
pub struct PoolerPlan {
    /// Its settings.
    pub settings: grammar::Pooler,
    /// The number of its pools for facts, all processes together.
    pub pool: PoolNumber,
    /// Round trips of a dial to the node.
    pub handshake_trips: u32,
}

/// One process.
#[derive(Debug)]
struct Process {
    pool: Pool,
    /// Messages that it has yet to handle; it is at the first.
    inbox: VecDeque<Message>,
    /// Clients that it has, those that log in included.
    clients: u32,
    /// The refill that a further close puts off.
    refill: Handle,
}

/// What costs a process CPU.
#[derive(Clone, Copy, Debug)]
enum Message {
    /// A client logs in.
    Login(ConnectionId),
    /// A client has a statement.
    Statement(ConnectionId),
    /// A client gives up its transaction.
    Rollback(ConnectionId),
    /// The node has taken this connection.
    Ready(ConnectionId),
    /// The node has an answer.
    Answer(ConnectionId, Outcome),
}

impl Pooler {
    /// A pooler without clients and connections.
    pub fn new(node: NodeNumber, plan: PoolerPlan, luck: Stream) -> Pooler {
        let settings = Arc::new(plan.settings.pool.clone());
        let process = |number: u32| {
            let home = Home {
                service: NO_SERVICE,
                container: Id::NONE,
                place: number as u8,
                node,
                leg: Leg::Back,
                number: plan.pool,
            };
            let luck = luck.named("process").at(u64::from(number));
            let pool = Pool::new(home, settings.clone(), luck);
            Process { pool, inbox: VecDeque::new(), clients: 0, refill: Handle::NONE }
        };
        let processes = (0..plan.settings.processes).map(process).collect();
        Pooler { node, processes, plan, actions: Vec::new(), luck }
    }

    /// How many processes it has.
    pub fn processes(&self) -> usize {
        self.processes.len()
    }

    /// How many clients it takes in all.
    pub fn room(&self) -> u32 {
        self.plan.settings.max_clients.saturating_mul(self.processes.len() as u32)
    }

    /// What stands changes now.
    pub fn set_plan(&mut self, plan: PoolerPlan) {
        self.plan = plan;
    }

    /// Something happened here.
    pub fn handle<R: Recorder>(&mut self, ctx: &mut Context<R>, event: PoolerEvent) {
        use PoolerEvent as E;
        match event {
            E::Called(client, call) => self.on_called(ctx, client, call),
            E::Told(server, news) => self.on_told(ctx, server, news),
            E::MessageHandled(process) => self.on_message_handled(ctx, process),
            E::WaitExpired(client) => self.on_wait_expired(ctx, client),
            E::DialExpired(server) => self.on_dial_failed(ctx, server),
            E::QueryExpired(server) => self.on_server_lost(ctx, server),
            E::SweepDue { process, asked } => self.on_sweep_due(ctx, process, asked),
            E::RefillDue(process) => self.on_refill_due(ctx, process),
        }
    }

    /// A process gets a message, and comes to it after those that it has.
    fn receive<R: Recorder>(&mut self, ctx: &mut Context<R>, process: u8, message: Message) {
        let inbox = &mut self.processes[usize::from(process)].inbox;
        inbox.push_back(message);
        if inbox.len() == 1 {
            self.begin_message(ctx, process, message);
        }
    }

    fn begin_message<R: Recorder>(&self, ctx: &mut Context<R>, process: u8, message: Message) {
        let settings = &self.plan.settings;
        let cpu = match message {
            Message::Login(_) | Message::Ready(_) => settings.login_cpu,
            Message::Statement(_) | Message::Rollback(_) | Message::Answer(..) => settings.message_cpu,
        };
        ctx.clock(cpu, self.event(PoolerEvent::MessageHandled(process)));
    }

    fn on_message_handled<R: Recorder>(&mut self, ctx: &mut Context<R>, process: u8) {
        let inbox = &mut self.processes[usize::from(process)].inbox;
        let message = inbox.pop_front().expect("a process is at a message that it has");
        if let Some(next) = inbox.front().copied() {
            self.begin_message(ctx, process, next);
        }
        match message {
            Message::Login(client) => self.on_logged_in(ctx, client),
            Message::Statement(client) => self.on_statement(ctx, client),
            Message::Rollback(client) => self.on_rollback(ctx, client),
            Message::Ready(server) => self.on_dialled(ctx, server),
            Message::Answer(server, outcome) => self.on_answer(ctx, server, outcome),
        }
    }

    fn event(&self, event: PoolerEvent) -> Event {
        Event::Pooler(self.node, event)
    }

    /// For how long a client of a process waits for a connection to the node.
    fn wait_limit(&self, process: u8) -> Option<Span> {
        self.processes[usize::from(process)].pool.settings().acquire_timeout.0
    }
}
