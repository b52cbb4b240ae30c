//! What clients of a pooler do: log in, ask, give up, hang up.
//!
//! To a client the pooler is the node: it says and hears the same. A client says one thing at a time, and
//! hangs up if it does not want to wait for the answer.

use super::{Message, Pooler};
use crate::engine::agenda::Handle;
use crate::model::ConnectionId;
use crate::model::connection::{Call, Lent, News, ServerState};
use crate::model::context::Context;
use crate::model::event::PoolerEvent;
use crate::model::fact::{Fact, Recorder};
use crate::scenario::grammar::PoolMode;

impl Pooler {
    pub(super) fn on_called<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId, call: Call) {
        let Some(wire) = ctx.connections.get(client) else { return };
        let (state, process) = (wire.server.state, wire.server.process);
        match call {
            Call::Connect => self.on_connect(ctx, client),
            Call::Close => self.on_closed(ctx, client),
            // Whoever was disconnected has yet to hear of it.
            Call::Statement | Call::Rollback if state != ServerState::Ready => {}
            Call::Statement => self.receive(ctx, process, Message::Statement(client)),
            Call::Rollback => self.receive(ctx, process, Message::Rollback(client)),
        }
    }

    fn on_connect<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId) {
        let process = self.process_of(ctx, client);
        let clients = &mut self.processes[usize::from(process)].clients;
        let wire = &mut ctx.connections[client];
        if *clients >= self.plan.settings.max_clients {
            wire.server.state = ServerState::Gone;
            let luck = wire.luck.named("refuse");
            ctx.fact(Fact::ClientRefused(self.node));
            return ctx.tell(luck, client, News::Refused);
        }
        *clients += 1;
        (wire.server.state, wire.server.process) = (ServerState::Granting, process);
        ctx.fact(Fact::ClientConnected(self.node));
        self.receive(ctx, process, Message::Login(client));
    }

    /// The kernel hands a connection to any of the processes.
    fn process_of<R: Recorder>(&self, ctx: &Context<R>, client: ConnectionId) -> u8 {
        match self.processes.len() as u64 {
            1 => 0,
            processes => ctx.connections[client].luck.named("process").draws().below(processes) as u8,
        }
    }

    pub(super) fn on_logged_in<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId) {
        let Some(wire) = ctx.connections.get_mut(client) else { return };
        if wire.server.state == ServerState::Granting {
            wire.server.state = ServerState::Ready;
            let luck = wire.luck.named("ready");
            ctx.tell(luck, client, News::Ready);
        }
    }

    pub(super) fn on_statement<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId) {
        self.on_rollback(ctx, client);
        let Some(wire) = ctx.connections.get(client) else { return };
        if wire.server.state != ServerState::Ready {
            return;
        }
        let process = wire.server.process;
        match wire.server.lent {
            Lent::Resting(server) => self.forward(ctx, client, server),
            Lent::Nothing => {
                let pool = &mut self.processes[usize::from(process)].pool;
                pool.acquire(ctx.agenda.now(), &mut ctx.connections, client.cast(), &mut self.actions);
                self.apply(ctx, process);
            }
            Lent::Line | Lent::Dial(_) | Lent::Pinged(_) | Lent::Working(_) => {
                unreachable!("a client says one thing at a time")
            }
        }
    }

    /// A client has given up its transaction, and says so or lets its next statement say it.
    pub(super) fn on_rollback<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId) {
        let Some(wire) = ctx.connections.get_mut(client) else { return };
        let abandoned = std::mem::take(&mut wire.abandoned);
        let (Lent::Resting(server), true) = (wire.server.lent, abandoned) else { return };
        let held = &mut ctx.connections[server];
        if std::mem::take(&mut held.client.dirty) {
            held.abandoned = true;
            let luck = held.statement.luck.named("rollback");
            ctx.call(luck, server, Call::Rollback);
            self.end_transaction(ctx, client, server);
        }
    }

    /// A client's transaction is over: who lends for a transaction takes the connection back.
    pub(super) fn end_transaction<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        client: ConnectionId,
        server: ConnectionId,
    ) {
        if self.plan.settings.mode == PoolMode::Transaction {
            ctx.connections[client].server.lent = Lent::Nothing;
            self.take_back(ctx, server, false);
        }
    }

    fn on_closed<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId) {
        let server = &mut ctx.connections[client].server;
        match server.state {
            // It overtook the request to connect, which will find nobody.
            ServerState::Unreached => server.state = ServerState::Gone,
            ServerState::Gone => {}
            ServerState::Granting | ServerState::Starting | ServerState::Ready => {
                let (process, lent) = (server.process, self.part(ctx, client));
                let cancelled = ctx.connections[client].cancelled;
                self.leave_line(ctx, process, client, lent);
                match lent {
                    Lent::Pinged(server) | Lent::Working(server) => {
                        ctx.connections[server].cancelled = cancelled;
                        self.take_back(ctx, server, true);
                    }
                    Lent::Resting(server) if ctx.connections[server].client.dirty => {
                        self.take_back(ctx, server, true);
                    }
                    Lent::Resting(server) => self.reset(ctx, server),
                    Lent::Nothing | Lent::Line | Lent::Dial(_) => {}
                }
            }
        }
        ctx.bury_if_over(client);
    }

    pub(super) fn on_wait_expired<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId) {
        let process = ctx.connections[client].server.process;
        let lent = self.disconnect(ctx, client);
        self.leave_line(ctx, process, client, lent);
    }

    /// Who waits for a connection to the node waits no longer.
    fn leave_line<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        process: u8,
        client: ConnectionId,
        lent: Lent,
    ) {
        let pool = &mut self.processes[usize::from(process)].pool;
        match lent {
            Lent::Line => pool.leave_queue(client.cast(), &mut self.actions),
            Lent::Dial(server) => {
                pool.leave_dial(ctx.agenda.now(), &mut ctx.connections, server, &mut self.actions);
            }
            Lent::Nothing | Lent::Pinged(_) | Lent::Working(_) | Lent::Resting(_) => return,
        }
        self.apply(ctx, process);
    }

    /// The pooler closes a client's connection, and says so; what it had lent is returned.
    pub(super) fn disconnect<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId) -> Lent {
        let lent = self.part(ctx, client);
        let luck = ctx.connections[client].luck.named("reset");
        ctx.tell(luck, client, News::Reset);
        lent
    }

    /// The pooler's end of a client's connection is closed.
    fn part<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId) -> Lent {
        let server = &mut ctx.connections[client].server;
        server.state = ServerState::Gone;
        let clock = std::mem::replace(&mut server.clock, Handle::NONE);
        let lent = std::mem::replace(&mut server.lent, Lent::Nothing);
        self.processes[usize::from(server.process)].clients -= 1;
        ctx.agenda.cancel(clock);
        ctx.fact(Fact::ClientLeft(self.node));
        lent
    }

    /// A client waits for a connection to the node. The clock covers the line and the dial.
    pub(super) fn await_server<R: Recorder>(
        &self,
        ctx: &mut Context<R>,
        process: u8,
        client: ConnectionId,
        lent: Lent,
    ) {
        let server = &mut ctx.connections[client].server;
        server.lent = lent;
        if let (Some(limit), Handle::NONE) = (self.wait_limit(process), server.clock) {
            let clock = ctx.clock(limit, self.event(PoolerEvent::WaitExpired(client)));
            ctx.connections[client].server.clock = clock;
        }
    }

    /// A client that has been there since before the run.
    pub fn adopt_client<R: Recorder>(&mut self, ctx: &mut Context<R>, client: ConnectionId) {
        let drawn = usize::from(self.process_of(ctx, client));
        let free = |process: &usize| self.processes[*process].clients < self.plan.settings.max_clients;
        let mut places = (drawn..self.processes.len()).chain(0..drawn);
        let process = places.find(free).unwrap_or(drawn);
        self.processes[process].clients += 1;
        let server = &mut ctx.connections[client].server;
        (server.state, server.process) = (ServerState::Ready, process as u8);
        ctx.fact(Fact::ClientConnected(self.node));
    }
}
