//! A backend: the server's end of a connection, from its start to its exit.
//!
//! In the real world: a backend whose client has gone learns of it when it next reads from or writes to its
//! socket (`client_connection_check_interval` is off by default), so that a statement runs to its end, holds
//! its locks and its slot, and is committed; a client that gives up a statement and goes on living sends a
//! cancel request first. Modelled: both. Left out: the cancel request's own connection; a cancel that comes
//! too late and hits the next statement.

use super::Node;
use crate::engine::agenda::Handle;
use crate::engine::chance::Stream;
use crate::model::ConnectionId;
use crate::model::connection::{Busy, News, ServerState};
use crate::model::context::Context;
use crate::model::fact::{Fact, Recorder};

impl Node {
    pub(super) fn on_backend_ready<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let wire = &mut ctx.connections[connection];
        wire.server.busy = Busy::No;
        if wire.server.hung_up {
            self.drop_backend(ctx, connection);
            ctx.bury_if_over(connection);
            return;
        }
        wire.server.state = ServerState::Ready;
        wire.server.cold_queries = self.plan.settings.cold_queries;
        let luck = wire.luck.named("ready");
        self.tell(ctx, connection, luck, News::Ready);
    }

    pub(super) fn on_connection_closed<R: Recorder>(
        &mut self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
    ) {
        if ctx.connections.get(connection).is_some() {
            self.hang_up(ctx, connection);
            ctx.bury_if_over(connection);
        }
    }

    /// The node learns that a connection has no client any more.
    pub(super) fn hang_up<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let wire = &mut ctx.connections[connection];
        let (server, cancelled) = (&mut wire.server, wire.cancelled);
        match server.state {
            // It overtook the request to connect, which will find nobody; or that was lost.
            ServerState::Unreached => server.state = ServerState::Gone,
            // The postmaster and the backend notice only when they come to it: what they spend is lost.
            ServerState::Granting | ServerState::Starting => server.hung_up = true,
            ServerState::Ready if server.busy == Busy::No => self.drop_backend(ctx, connection),
            // Nothing interrupts a flush or the read of a page; the rest a cancel does. The backend then
            // finds nobody to tell.
            ServerState::Ready if !cancelled || matches!(server.busy, Busy::Flush | Busy::Read) => {
                server.hung_up = true;
            }
            ServerState::Ready => self.drop_backend(ctx, connection),
            ServerState::Gone => {}
        }
    }

    /// A backend exits, or a connection is dropped before it has one, with whatever it was doing.
    pub(super) fn drop_backend<R: Recorder>(&mut self, ctx: &mut Context<R>, connection: ConnectionId) {
        let server = &mut ctx.connections[connection].server;
        let state = std::mem::replace(&mut server.state, ServerState::Gone);
        let clock = std::mem::replace(&mut server.clock, Handle::NONE);
        ctx.agenda.cancel(clock);
        self.admission.slots -= 1;
        self.stop_doing(ctx, connection);
        self.roll_back(ctx, connection);
        if state == ServerState::Granting {
            self.drop_from_line(ctx, connection);
        } else {
            ctx.fact(Fact::BackendExited(self.number));
        }
    }

    /// Tells the client something: a trip away, or lost if nothing leaves the node.
    pub(super) fn tell<R: Recorder>(
        &self,
        ctx: &mut Context<R>,
        connection: ConnectionId,
        luck: Stream,
        news: News,
    ) {
        let wire = &mut ctx.connections[connection];
        if self.machine.is_silent() {
            wire.lost = true;
            return;
        }
        ctx.tell(luck, connection, news);
    }
}
