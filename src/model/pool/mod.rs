//! A connection pool inside a container, as a plain state machine.
//!
//! In the real world: pgxpool, database/sql and their kin, read in their source (pools.md §1). Modelled: growth on
//! demand, waiters, idle pick, lifetime with its jitter, where expiry is noticed, sweeps, refill, idle timeout, dials
//! that are detached or broken off. The pool knows no clock and no agenda: each call is told the time and says, as
//! [`Effect`]s, what follows. Left out: the time a close takes (under 1 ms), goroutine scheduling, `max` changed at
//! run time. Which cause a dial is measured to have (`lifetime`, `growth`, …) is book-keeping that no decision reads.

mod lifetime;
mod sweep;

#[cfg(test)]
mod tests;

use super::connection::{ClientEnd, ClientState, Connection, ServerEnd, Statement};
use super::container::Container;
use super::fact::{Close, NodeNumber, PoolNumber, ServiceNumber};
use super::request::Request;
use crate::engine::agenda::Handle;
use crate::engine::chance::Stream;
use crate::engine::slab::{Id, Slab};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{self, Birth, Cause, Dialler, IdlePick, OnCancel, Queue, Refill, Sweep};
use std::collections::VecDeque;
use std::sync::Arc;

/// Where a pool lives: what its connections need to find their way home.
#[derive(Clone, Copy, Debug)]
pub struct Home {
    /// The service of the container.
    pub service: ServiceNumber,
    /// The container.
    pub container: Id<Container>,
    /// The place of the pool in the container.
    pub place: u8,
    /// The node that it dials.
    pub node: NodeNumber,
    /// Its number for facts.
    pub number: PoolNumber,
}

/// A pool.
#[derive(Clone, Debug)]
pub struct Pool {
    home: Home,
    settings: Arc<grammar::Pool>,
    luck: Stream,
    /// How many draws the pool itself has made, and dials.
    draws: u64,
    dials: u64,
    /// The random part of the lifetime that all connections share, if the scope is the process.
    process_jitter: f64,
    idle: VecDeque<Id<Connection>>,
    waiters: VecDeque<Id<Request>>,
    /// Connections and dials, and slots promised to the opener.
    total: u32,
    opener: Opener,
    owed: Owed,
    /// Whether a sweep by the next deadline is due.
    sweep_armed: bool,
}

/// The one who dials for waiters when the pool does not let them dial themselves.
#[derive(Clone, Debug, Default)]
struct Opener {
    promised: u32,
    busy: bool,
}

/// Replacements that the pool owes, by what they replace. Measured, never read by a decision.
#[derive(Clone, Debug, Default)]
struct Owed {
    age: u32,
    failure: u32,
    boot: u32,
}

/// Where a connection was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Idle.
    Idle,
    /// In use.
    Use,
    /// On the way.
    Dial,
}

/// What follows from a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The request gets the connection; with `ping`, after one more round trip on it.
    Give {
        /// Who gets it.
        request: Id<Request>,
        /// What it gets.
        connection: Id<Connection>,
        /// Where it was.
        from: From,
        /// Whether it must be tried first.
        ping: bool,
    },
    /// The request waits in line.
    Queue(Id<Request>),
    /// The request no longer waits in line.
    Dequeue(Id<Request>),
    /// The request waits for this dial.
    AwaitDial(Id<Request>, Id<Connection>),
    /// The request's dial failed.
    Refuse(Id<Request>),
    /// A dial begins.
    Dial(Id<Connection>),
    /// The connection goes idle.
    Rest(Id<Connection>, From),
    /// The connection is closed.
    Shut(Id<Connection>, Close, From),
    /// Look over the idle after so long (the deadline sweep).
    SweepAfter(Span),
    /// Refill and look over the idle after so long (a close set it off).
    RefillAfter(Span),
}

impl Pool {
    /// An empty pool.
    pub fn new(home: Home, settings: Arc<grammar::Pool>, luck: Stream) -> Pool {
        let boot = settings.min.max(1);
        Pool {
            home,
            process_jitter: luck.named("process").draws().unit(),
            settings,
            luck,
            draws: 0,
            dials: 0,
            idle: VecDeque::new(),
            waiters: VecDeque::new(),
            total: 0,
            opener: Opener::default(),
            owed: Owed { boot, ..Owed::default() },
            sweep_armed: false,
        }
    }

    /// The settings that it was started with.
    pub fn settings(&self) -> &Arc<grammar::Pool> {
        &self.settings
    }

    /// Where it lives.
    pub fn home(&self) -> Home {
        self.home
    }

    /// Connections, dials and slots promised.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// A request wants a connection.
    pub fn acquire(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        request: Id<Request>,
        out: &mut Vec<Effect>,
    ) {
        let mut expired = 0;
        while let Some(connection) = self.pick_idle() {
            if self.settings.check_acquire && self.is_expired(now, &wires[connection]) {
                self.shut(wires, connection, Close::Age, From::Idle, out);
                expired += 1;
                if self.settings.expired_retries.is_some_and(|most| expired >= most) {
                    break;
                }
                continue;
            }
            let client = &mut wires[connection].client;
            let ping = self.settings.ping_after.0.is_some_and(|after| now.since(client.idle_since) > after);
            give(client, request);
            out.push(Effect::Give { request, connection, from: From::Idle, ping });
            return;
        }
        if self.total < self.settings.max {
            self.total += 1;
            self.dial(now, wires, Some(request), false, out);
        } else {
            self.waiters.push_back(request);
            out.push(Effect::Queue(request));
        }
    }

    /// A request gives its connection back; `broken` if it cannot be used again.
    pub fn release(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        broken: bool,
        out: &mut Vec<Effect>,
    ) {
        wires[connection].client.request = Id::NONE;
        if broken {
            self.shut(wires, connection, Close::Broken, From::Use, out);
        } else if self.settings.check_release && self.is_expired(now, &wires[connection]) {
            self.shut(wires, connection, Close::Age, From::Use, out);
        } else {
            self.settle(now, wires, connection, From::Use, out);
            return;
        }
        self.slot_came_free(now, wires, out);
    }

    /// A dial gave a connection.
    pub fn dialled(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        out: &mut Vec<Effect>,
    ) {
        let client = &mut wires[connection].client;
        if self.settings.birth == Birth::DialDone {
            client.born = now;
        }
        let (born, request, by_opener) = (client.born, client.request, client.by_opener);
        client.expires = self.lifetime_at_birth().map_or(Time::NEVER, |lifetime| born + lifetime);
        if request != Id::NONE {
            wires[connection].client.state = ClientState::InUse;
            out.push(Effect::Give { request, connection, from: From::Dial, ping: false });
        } else {
            self.settle(now, wires, connection, From::Dial, out);
        }
        if by_opener {
            self.opener.busy = false;
            self.open_next(now, wires, out);
        }
    }

    /// A dial was refused, or took too long.
    pub fn dial_failed(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        out: &mut Vec<Effect>,
    ) {
        let client = &wires[connection].client;
        let (request, by_opener) = (client.request, client.by_opener);
        self.shut(wires, connection, Close::Broken, From::Dial, out);
        if request != Id::NONE {
            out.push(Effect::Refuse(request));
        } else if by_opener && let Some(waiter) = self.next_waiter() {
            out.push(Effect::Dequeue(waiter));
            out.push(Effect::Refuse(waiter));
        }
        if by_opener {
            self.opener.busy = false;
            self.open_next(now, wires, out);
        }
        self.slot_came_free(now, wires, out);
    }

    /// An idle connection broke.
    pub fn idle_broke(
        &mut self,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        out: &mut Vec<Effect>,
    ) {
        self.idle.retain(|idle| *idle != connection);
        self.shut(wires, connection, Close::Broken, From::Idle, out);
    }

    /// A request gives up waiting in line.
    pub fn leave_queue(&mut self, request: Id<Request>, out: &mut Vec<Effect>) {
        if let Some(place) = self.waiters.iter().position(|waiter| *waiter == request) {
            self.waiters.remove(place);
            out.push(Effect::Dequeue(request));
        }
    }

    /// A request gives up waiting for its dial.
    pub fn leave_dial(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        out: &mut Vec<Effect>,
    ) {
        wires[connection].client.request = Id::NONE;
        if self.settings.on_cancel == OnCancel::Abort {
            self.shut(wires, connection, Close::Broken, From::Dial, out);
            self.slot_came_free(now, wires, out);
        }
    }

    /// Dials up to the floor, if the pool keeps one.
    pub fn refill(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Effect>) {
        while self.settings.refill == Refill::ToMin && self.total < self.settings.min {
            self.total += 1;
            self.dial(now, wires, None, false, out);
        }
    }

    /// Puts in a connection that has been there since before the run, idle, born at an age.
    pub fn adopt(&mut self, wires: &mut Slab<Connection>, age: Span) -> Id<Connection> {
        self.total += 1;
        self.owed.boot = 0;
        let connection = self.new_connection(Time::ZERO, Id::NONE, false, Cause::Boot);
        let connection = wires.insert(connection);
        // Births before the start of the run are negative: what counts is the time that is left.
        let left = self.lifetime_at_birth().map_or(Span::FOREVER, |lifetime| lifetime.saturating_sub(age));
        let client = &mut wires[connection].client;
        client.state = ClientState::Idle;
        client.expires = Time::ZERO + left;
        self.idle.push_back(connection);
        connection
    }

    /// The container stops: every connection and dial is closed, waiters are left to it.
    pub fn shut_down(
        &mut self,
        wires: &mut Slab<Connection>,
        mine: &[Id<Connection>],
        out: &mut Vec<Effect>,
    ) {
        self.idle.clear();
        for &connection in mine {
            let from = match wires[connection].client.state {
                ClientState::Idle => From::Idle,
                ClientState::InUse => From::Use,
                ClientState::Dialling => From::Dial,
                ClientState::Closed => continue,
            };
            self.shut(wires, connection, Close::Shutdown, from, out);
        }
    }

    fn pick_idle(&mut self) -> Option<Id<Connection>> {
        match self.settings.idle_pick {
            IdlePick::Lifo | IdlePick::LifoReversedBySweep => self.idle.pop_back(),
            IdlePick::Fifo => self.idle.pop_front(),
        }
    }

    fn next_waiter(&mut self) -> Option<Id<Request>> {
        if self.settings.queue == Queue::Fifo || self.waiters.len() < 2 {
            return self.waiters.pop_front();
        }
        let place = self.draw().draws().below(self.waiters.len() as u64);
        self.waiters.remove(place as usize)
    }

    /// A sound connection that nobody holds goes to a waiter, or to rest.
    fn settle(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        from: From,
        out: &mut Vec<Effect>,
    ) {
        if let Some(request) = self.next_waiter() {
            give(&mut wires[connection].client, request);
            out.push(Effect::Dequeue(request));
            out.push(Effect::Give { request, connection, from, ping: false });
        } else if self.idle.len() as u32 >= self.settings.max_idle.unwrap_or(self.settings.max) {
            self.shut(wires, connection, Close::Idle, from, out);
        } else {
            let client = &mut wires[connection].client;
            client.state = ClientState::Idle;
            client.idle_since = now;
            self.idle.push_back(connection);
            out.push(Effect::Rest(connection, from));
            if self.settings.sweep == Sweep::NextDeadline && !self.sweep_armed {
                self.arm_deadline_sweep(out, None);
            }
        }
    }

    /// Room for one more: who waits may have it dialled.
    fn slot_came_free(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Effect>) {
        match self.settings.dialler {
            Dialler::Acquirer => {
                while self.total < self.settings.max
                    && let Some(request) = self.next_waiter()
                {
                    out.push(Effect::Dequeue(request));
                    self.total += 1;
                    self.dial(now, wires, Some(request), false, out);
                }
            }
            Dialler::SingleOpener => {
                let wanted = self.waiters.len() as u32;
                let promised = wanted.min(self.settings.max.saturating_sub(self.total));
                self.total += promised;
                self.opener.promised += promised;
                self.open_next(now, wires, out);
            }
        }
    }

    fn open_next(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Effect>) {
        if self.opener.promised > 0 && !self.opener.busy {
            self.opener.promised -= 1;
            self.opener.busy = true;
            self.dial(now, wires, None, true, out);
        }
    }

    /// Begins a dial in a slot that is already counted.
    fn dial(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        request: Option<Id<Request>>,
        by_opener: bool,
        out: &mut Vec<Effect>,
    ) {
        let cause = self.cause(request.is_none() && !by_opener);
        let connection = self.new_connection(now, request.unwrap_or(Id::NONE), by_opener, cause);
        let connection = wires.insert(connection);
        out.push(Effect::Dial(connection));
        if let Some(request) = request {
            out.push(Effect::AwaitDial(request, connection));
        }
    }

    fn new_connection(
        &mut self,
        now: Time,
        request: Id<Request>,
        by_opener: bool,
        cause: Cause,
    ) -> Connection {
        self.dials += 1;
        Connection {
            service: self.home.service,
            container: self.home.container,
            pool: self.home.place,
            node: self.home.node,
            luck: self.luck.named("dial").at(self.dials),
            statement: Statement::default(),
            client: ClientEnd {
                state: ClientState::Dialling,
                born: now,
                expires: Time::NEVER,
                idle_since: now,
                request,
                by_opener,
                cause,
                clock: Handle::NONE,
            },
            server: ServerEnd::unreached(),
        }
    }

    fn shut(
        &mut self,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        why: Close,
        from: From,
        out: &mut Vec<Effect>,
    ) {
        self.total -= 1;
        self.owe(&wires[connection].client, why, from);
        wires[connection].client.state = ClientState::Closed;
        out.push(Effect::Shut(connection, why, from));
        if self.settings.refill == Refill::ToMin && why != Close::Shutdown && from != From::Dial {
            out.push(Effect::RefillAfter(self.settings.refill_delay));
        }
    }

    fn owe(&mut self, client: &ClientEnd, why: Close, from: From) {
        match why {
            Close::Age => self.owed.age += 1,
            Close::Broken if from == From::Dial && client.cause == Cause::Lifetime => self.owed.age += 1,
            Close::Broken => self.owed.failure += 1,
            Close::Idle | Close::Shutdown => {}
        }
    }

    /// The measured cause of the next dial: the oldest kind of debt first.
    fn cause(&mut self, background: bool) -> Cause {
        let owed = &mut self.owed;
        for (debt, cause) in [
            (&mut owed.age, Cause::Lifetime),
            (&mut owed.failure, Cause::Failure),
            (&mut owed.boot, Cause::Boot),
        ] {
            if *debt > 0 {
                *debt -= 1;
                return cause;
            }
        }
        if background { Cause::Refill } else { Cause::Growth }
    }

    /// A stream for one draw of the pool's own.
    fn draw(&mut self) -> Stream {
        self.draws += 1;
        self.luck.at(self.draws)
    }
}

fn give(client: &mut ClientEnd, request: Id<Request>) {
    client.state = ClientState::InUse;
    client.request = request;
}
