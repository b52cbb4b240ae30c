//! How connections come into being: who dials, and what becomes of a dial.
//!
//! An acquirer dials for itself while there is room. For waiters of a full pool either each dials in the slot
//! that comes free (pgxpool), or one opener dials for all, one after the other, in slots that are promised to
//! it at once (database/sql): newcomers wait meanwhile, and a dial that fails goes to one of the waiters. Or
//! acquirers never dial: see [`super::workers`]. A request that gives up leaves its dial to the pool, or
//! takes it along. Sources: pools.md §1a, §1b. Left out: pgxpool breaks off the other dials of a refill when
//! one fails.

use super::super::connection::{Asked, ClientEnd, ClientState, Connection, DialledBy, ServerEnd, Statement};
use super::super::fact::Close;
use super::super::request::Request;
use super::{Action, From, Pool};
use crate::engine::agenda::Handle;
use crate::engine::slab::{Id, Slab};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Birth, Cause, Dialler, OnCancel};

/// The one who dials for waiters when the pool does not let them dial themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Opener {
    /// Slots that it has yet to fill; they count as connections.
    pub(super) promised: u32,
    /// A dial is under way.
    busy: bool,
}

impl Pool {
    /// A dial gave a connection.
    pub fn dialled(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        out: &mut Vec<Action>,
    ) {
        let client = &mut wires[connection].client;
        if self.settings.birth == Birth::DialDone {
            client.born = now;
        }
        let (born, request, dialled_by) = (client.born, client.request, client.dialled_by);
        client.expires = self.lifetime_at_birth(connection).map_or(Time::NEVER, |lifetime| born + lifetime);
        if request != Id::NONE {
            wires[connection].client.state = ClientState::InUse;
            out.push(Action::Give { request, connection, from: From::Dial, ping: false });
        } else {
            self.settle(now, wires, connection, From::Dial, out);
        }
        self.failing.forget(connection);
        self.open_gate();
        self.dial_ended(now, wires, dialled_by, false, out);
    }

    /// A dial was refused, or took too long.
    pub fn dial_failed(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        out: &mut Vec<Action>,
    ) {
        if self.tries_again(now, wires, connection, out) {
            return;
        }
        let client = &wires[connection].client;
        let (request, dialled_by, began) = (client.request, client.dialled_by, client.born);
        self.shut(now, wires, connection, Close::Broken, From::Dial, out);
        self.close_gate(now, began, out);
        if request != Id::NONE {
            out.push(Action::Refuse(request));
        } else if self.errors_reach_waiters(dialled_by)
            && let Some(waiter) = self.next_waiter()
        {
            out.push(Action::Dequeue(waiter));
            out.push(Action::Refuse(waiter));
        }
        self.dial_ended(now, wires, dialled_by, true, out);
        // Workers go on by themselves.
        if !matches!(self.settings.dialler, Dialler::Background(_)) {
            self.slot_came_free(now, wires, out);
        }
    }

    /// A request gives up waiting for its dial.
    pub fn leave_dial(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        out: &mut Vec<Action>,
    ) {
        wires[connection].client.request = Id::NONE;
        if self.settings.on_cancel == OnCancel::Abort {
            self.failing.forget(connection);
            self.shut(now, wires, connection, Close::Broken, From::Dial, out);
            self.slot_came_free(now, wires, out);
        }
    }

    /// Room for one more: who waits may have it dialled.
    pub(super) fn slot_came_free(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Action>) {
        match self.settings.dialler {
            Dialler::Acquirer => {
                while self.may_dial(now)
                    && let Some(request) = self.next_waiter()
                {
                    out.push(Action::Dequeue(request));
                    self.total += 1;
                    self.dial(now, wires, Some(request), DialledBy::Request, out);
                }
            }
            Dialler::SingleOpener => {
                let wanted = self.waiters.len() as u32;
                let promised = wanted.min(self.settings.max.saturating_sub(self.total));
                self.total += promised;
                self.opener.promised += promised;
                self.open_next(now, wires, out);
            }
            Dialler::Background(_) => self.work(now, wires, out),
        }
    }

    /// Whether there is room for a dial, and nothing that forbids it.
    pub(super) fn may_dial(&self, now: Time) -> bool {
        self.total < self.settings.max && now >= self.failing.gate_until
    }

    /// Whoever had the dial made goes on.
    fn dial_ended(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        dialled_by: DialledBy,
        failed: bool,
        out: &mut Vec<Action>,
    ) {
        match dialled_by {
            _ if matches!(self.settings.dialler, Dialler::Background(_)) => {
                self.worker_ended(now, wires, dialled_by, failed, out);
            }
            DialledBy::Request => {}
            DialledBy::Opener => {
                self.opener.busy = false;
                self.open_next(now, wires, out);
            }
            DialledBy::Refill => self.refill_ended(now, wires, failed, out),
        }
    }

    fn open_next(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Action>) {
        if self.opener.promised > 0 && !self.opener.busy && now >= self.failing.gate_until {
            self.opener.promised -= 1;
            self.opener.busy = true;
            self.dial(now, wires, None, DialledBy::Opener, out);
        }
    }

    /// Begins a dial in a slot that is already counted.
    pub(super) fn dial(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        request: Option<Id<Request>>,
        dialled_by: DialledBy,
        out: &mut Vec<Action>,
    ) {
        let patient = self.replaces_for_certain();
        let cause = self.owed.cause(now, dialled_by == DialledBy::Refill, patient);
        self.keeper.replace = self.keeper.replace.saturating_sub(1);
        self.begin(now, wires, request, dialled_by, cause, out);
    }

    /// Begins a dial whose cause is known.
    pub(super) fn begin(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        request: Option<Id<Request>>,
        dialled_by: DialledBy,
        cause: Cause,
        out: &mut Vec<Action>,
    ) -> Id<Connection> {
        let connection = self.new_connection(now, request.unwrap_or(Id::NONE), dialled_by, cause);
        let connection = wires.insert(connection);
        self.slots.take(connection);
        out.push(Action::Dial(connection));
        if let Some(request) = request {
            out.push(Action::AwaitDial(request, connection));
        }
        connection
    }

    pub(super) fn new_connection(
        &mut self,
        now: Time,
        request: Id<Request>,
        dialled_by: DialledBy,
        cause: Cause,
    ) -> Connection {
        self.dials += 1;
        let luck = self.luck.named("dial").at(self.dials);
        Connection {
            service: self.home.service,
            container: self.home.container,
            pool: self.home.place,
            node: self.home.node,
            leg: self.home.leg,
            number: self.dials,
            luck,
            statement: Statement { asked: Asked::Nothing, cpu: Span::ZERO, luck },
            abandoned: false,
            cancelled: false,
            lost: false,
            client: ClientEnd {
                state: ClientState::Dialling,
                born: now,
                expires: Time::NEVER,
                idle_since: now,
                request,
                dialled_by,
                cause,
                dirty: false,
                clock: Handle::NONE,
            },
            server: ServerEnd::unreached(),
        }
    }
}
