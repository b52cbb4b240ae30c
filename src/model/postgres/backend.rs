//! A backend: the server's end of a connection, from its start to its exit.

use super::{Node, Work};
use crate::engine::agenda::Handle;
use crate::engine::time::Span;
use crate::model::ConnectionId;
use crate::model::connection::ServerState;
use crate::model::context::Context;
use crate::model::event::{Event, NodeEvent, ServiceEvent};
use crate::model::fact::{Fact, Recorder};
use crate::scenario::grammar::Outcome;

impl Node {
    pub(super) fn on_backend_ready<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let wire = &mut ctx.connections[connection];
        wire.server.work = None;
        if wire.server.hung_up {
            self.drop_backend(ctx, connection);
            ctx.bury_if_over(connection);
            return;
        }
        wire.server.state = ServerState::Ready;
        wire.server.cold_queries = self.plan.settings.cold_queries;
        let (service, luck) = (wire.service, wire.luck);
        ctx.send(
            &mut luck.named("ready").draws(),
            Event::Service(service, ServiceEvent::ConnectSucceeded(connection)),
        );
    }

    pub(super) fn on_statement_arrived<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        // The node has dropped it, or the client has: the news is on its way.
        let Some(wire) = ctx.connections.get_mut(connection) else { return };
        if wire.server.state != ServerState::Ready {
            return;
        }
        let mut cpu = wire.statement.cpu;
        if cpu == Span::ZERO {
            return answer(ctx, connection, Outcome::Ok);
        }
        let settings = &self.plan.settings;
        if wire.server.cold_queries > 0 {
            wire.server.cold_queries -= 1;
            cpu += Span(settings.cold_cpu.0 / u64::from(settings.cold_queries));
        }
        if let Some(limit) = settings.statement_timeout.0 {
            let expired = Event::Node(self.number, NodeEvent::StatementExpired(connection));
            ctx.connections[connection].server.clock = ctx.clock(limit, expired);
        }
        let work = self.begin_work(ctx, cpu, Work::Statement(connection));
        ctx.connections[connection].server.work = Some(work);
    }

    pub(super) fn on_statement_finished<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        let server = &mut ctx.connections[connection].server;
        server.work = None;
        let clock = std::mem::replace(&mut server.clock, Handle::NONE);
        ctx.agenda.cancel(clock);
        answer(ctx, connection, Outcome::Ok);
    }

    pub(super) fn on_statement_expired<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        let server = &mut ctx.connections[connection].server;
        server.clock = Handle::NONE;
        if let Some(work) = server.work.take() {
            self.cancel_work(ctx, work);
            answer(ctx, connection, Outcome::StatementTimeout);
        }
    }

    pub(super) fn on_connection_closed<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        let Some(wire) = ctx.connections.get_mut(connection) else { return };
        match wire.server.state {
            // It overtook the request to connect, which will find nobody.
            ServerState::Unreached => wire.server.state = ServerState::Gone,
            // The postmaster and the backend notice only when they come to it: what they spend is lost.
            ServerState::Granting | ServerState::Starting => wire.server.hung_up = true,
            ServerState::Ready => self.drop_backend(ctx, connection),
            ServerState::Gone => {}
        }
        ctx.bury_if_over(connection);
    }

    /// A backend exits, or a connection is dropped before it has one, with whatever it was doing.
    pub(super) fn drop_backend<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let server = &mut ctx.connections[connection].server;
        let (state, work) = (server.state, server.work.take());
        let clock = std::mem::replace(&mut server.clock, Handle::NONE);
        server.state = ServerState::Gone;
        ctx.agenda.cancel(clock);
        self.admission.slots -= 1;
        if let Some(work) = work {
            self.cancel_work(ctx, work);
        }
        if state == ServerState::Granting {
            self.drop_from_line(ctx, connection);
        } else {
            ctx.fact(Fact::BackendExited(self.number));
        }
    }
}

/// Sends an answer, with the luck that came with the statement.
fn answer<R: Recorder>(ctx: &mut Context<R>, connection: ConnectionId, outcome: Outcome) {
    let wire = &ctx.connections[connection];
    let (luck, service) = (wire.statement.answer, wire.service);
    ctx.send(
        &mut luck.draws(),
        Event::Service(service, ServiceEvent::StatementAnswered(connection, outcome)),
    );
}
