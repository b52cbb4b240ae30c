//! A connection pool inside a container, as a plain state machine.
//!
//! In the real world: pgxpool, database/sql and their kin, read in their source (pools.md §1). Modelled:
//! growth on demand, waiters, idle pick, lifetime with its jitter, where expiry is noticed, sweeps, refill,
//! idle timeout, who dials, dials that are detached, broken off or tried again. The pool knows no clock and
//! no agenda: each call is told the time and says, as [`Action`]s, what follows. Left out: the time a close
//! takes (under 1 ms), goroutine scheduling, `max` changed at run time; an idle connection that breaks is
//! dropped at once, not at its next use; a ping that fails fails the request, which the libraries would give
//! another connection. Which cause a dial is measured to have (`lifetime`, `growth`, …) is book-keeping that
//! no decision reads.

mod failing;
mod lifetime;
mod opening;
mod owed;
mod slots;
mod sweep;
mod workers;

#[cfg(test)]
mod tests;

use super::connection::{ClientEnd, ClientState, Connection, DialledBy, Leg};
use super::container::Container;
use super::fact::{Close, NodeNumber, PoolNumber, ServiceNumber};
use super::request::Request;
use crate::engine::chance::Stream;
use crate::engine::slab::{Id, Slab};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{self, Cause, Dialler, IdlePick, Queue, Refill, Sweep};
use failing::Failing;
use opening::Opener;
use owed::Owed;
use slots::Slots;
use std::collections::VecDeque;
use std::sync::Arc;
use sweep::Housekeeper;
use workers::Crew;

/// Where a pool lives: what its connections need to find their way home.
#[derive(Clone, Copy, Debug)]
pub struct Home {
    /// The service of the container.
    pub service: ServiceNumber,
    /// The container.
    pub container: Id<Container>,
    /// The place of the pool in the container.
    pub place: u8,
    /// The node that it dials, or whose pooler.
    pub node: NodeNumber,
    /// Which part of the way to the node its connections are.
    pub leg: Leg,
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
    /// Connections and dials, slots promised to the opener, and slots whose dial is to be tried again.
    total: u32,
    slots: Slots,
    opener: Opener,
    crew: Crew,
    failing: Failing,
    owed: Owed,
    keeper: Housekeeper,
    /// No connection is closed for its age before.
    next_kill: Time,
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

/// What follows from a call, for the box around the pool to carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
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
    /// The request is turned away: its dial failed, or would.
    Refuse(Id<Request>),
    /// A dial begins.
    Dial(Id<Connection>),
    /// The connection goes idle.
    Rest(Id<Connection>, From),
    /// The connection is closed.
    Shut(Id<Connection>, Close, From),
    /// Look over the idle after so long, whatever else is due.
    SweepAfter(Span),
    /// Refill and look over the idle after so long: a close set it off, and a further one may put it off.
    RefillAfter(Span),
}

impl Pool {
    /// An empty pool.
    pub fn new(home: Home, settings: Arc<grammar::Pool>, luck: Stream) -> Pool {
        let owed = Owed::at_boot(settings.min);
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
            slots: Slots::default(),
            opener: Opener::default(),
            crew: Crew::default(),
            failing: Failing::default(),
            owed,
            keeper: Housekeeper::default(),
            next_kill: Time::ZERO,
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

    /// Connections, dials, and slots promised or to be tried again.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// A request wants a connection.
    pub fn acquire(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        request: Id<Request>,
        out: &mut Vec<Action>,
    ) {
        let inline = !matches!(self.settings.dialler, Dialler::Background(_));
        let mut expired = 0;
        while let Some(connection) = self.pick_idle() {
            if self.settings.check_acquire && self.is_due(now, wires, connection) {
                self.shut(now, wires, connection, Close::Age, From::Idle, out);
                if !matches!(self.settings.sweep, Sweep::Every(_)) {
                    // pgxpool leaves what an acquire closes to the next tick.
                    self.call_for_refill(out);
                }
                expired += 1;
                let enough = self.settings.expired_retries.is_some_and(|most| expired >= most);
                if enough && inline && self.may_dial(now) {
                    break;
                }
                continue;
            }
            let client = &mut wires[connection].client;
            let ping = self.settings.ping_after.0.is_some_and(|after| now.since(client.idle_since) > after);
            give(client, request);
            out.push(Action::Give { request, connection, from: From::Idle, ping });
            return;
        }
        if inline && self.may_dial(now) {
            self.total += 1;
            self.dial(now, wires, Some(request), DialledBy::Request, out);
        } else if self.turns_away() {
            out.push(Action::Refuse(request));
            self.try_for_the_next(now, wires, out);
        } else {
            self.waiters.push_back(request);
            out.push(Action::Queue(request));
            self.work(now, wires, out);
        }
    }

    /// A request gives its connection back; `broken` if it cannot be used again.
    pub fn release(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        broken: bool,
        out: &mut Vec<Action>,
    ) {
        wires[connection].client.request = Id::NONE;
        // Who waits looks at what it is handed, as who acquires does.
        let looked_at =
            self.settings.check_release || self.settings.check_acquire && !self.waiters.is_empty();
        if broken {
            self.shut(now, wires, connection, Close::Broken, From::Use, out);
        } else if looked_at && self.is_due(now, wires, connection) {
            self.shut(now, wires, connection, Close::Age, From::Use, out);
        } else {
            self.settle(now, wires, connection, From::Use, out);
            return;
        }
        self.call_for_refill(out);
        self.slot_came_free(now, wires, out);
    }

    /// An idle connection broke.
    pub fn idle_broke(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        out: &mut Vec<Action>,
    ) {
        self.idle.retain(|idle| *idle != connection);
        self.shut(now, wires, connection, Close::Broken, From::Idle, out);
        self.call_for_refill(out);
        self.work(now, wires, out);
    }

    /// A request gives up waiting in line.
    pub fn leave_queue(&mut self, request: Id<Request>, out: &mut Vec<Action>) {
        if let Some(place) = self.waiters.iter().position(|waiter| *waiter == request) {
            self.waiters.remove(place);
            out.push(Action::Dequeue(request));
        } else if self.failing.leave(request) {
            out.push(Action::Dequeue(request));
        }
    }

    /// Puts in a connection that has been there since before the run, idle, born at an age.
    pub fn adopt(&mut self, wires: &mut Slab<Connection>, age: Span) -> Id<Connection> {
        self.total += 1;
        self.owed.settle_boot();
        let connection = self.new_connection(Time::ZERO, Id::NONE, DialledBy::Refill, Cause::Boot);
        let connection = wires.insert(connection);
        self.slots.take(connection);
        // Births before the start of the run are negative: what counts is the time that is left.
        let left = self.time_left(connection, age);
        let client = &mut wires[connection].client;
        client.state = ClientState::Idle;
        client.expires = Time::ZERO + left;
        self.idle.push_back(connection);
        connection
    }

    /// The container stops: every connection and dial is closed, waiters are left to it.
    pub fn shut_down(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        mine: &[Id<Connection>],
        out: &mut Vec<Action>,
    ) {
        self.idle.clear();
        for &connection in mine {
            let from = match wires[connection].client.state {
                ClientState::Idle => From::Idle,
                ClientState::InUse => From::Use,
                ClientState::Dialling => From::Dial,
                ClientState::Closed => continue,
            };
            self.shut(now, wires, connection, Close::Shutdown, from, out);
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
    #[inline(always)]
    fn settle(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        from: From,
        out: &mut Vec<Action>,
    ) {
        if let Some(request) = self.next_waiter() {
            give(&mut wires[connection].client, request);
            out.push(Action::Dequeue(request));
            // Who pings before every use does so for a waiter too.
            let ping = self.settings.ping_after.0 == Some(Span::ZERO);
            out.push(Action::Give { request, connection, from, ping });
        } else if self.idle.len() as u32 >= self.settings.max_idle.unwrap_or(self.settings.max) {
            // Nobody is called to refill: what a pool keeps up is never more than may be idle (`check`).
            self.shut(now, wires, connection, Close::Idle, from, out);
        } else {
            let client = &mut wires[connection].client;
            client.state = ClientState::Idle;
            client.idle_since = now;
            self.idle.push_back(connection);
            out.push(Action::Rest(connection, from));
            self.gone_idle(now, wires, out);
        }
    }

    fn shut(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        why: Close,
        from: From,
        out: &mut Vec<Action>,
    ) {
        self.total -= 1;
        if why == Close::Age {
            self.next_kill = now + self.settings.gap_between_kills();
        }
        if self.settings.refill == Refill::Always
            && matches!(why, Close::Age | Close::Broken)
            && from != From::Dial
        {
            self.keeper.replace += 1;
        }
        self.slots.leave(connection);
        self.owed.closed(now, wires[connection].client.cause, why, from);
        wires[connection].client.state = ClientState::Closed;
        out.push(Action::Shut(connection, why, from));
    }

    /// A close sets off a refill; background diallers need no telling.
    fn call_for_refill(&self, out: &mut Vec<Action>) {
        let inline = !matches!(self.settings.dialler, Dialler::Background(_));
        if inline && self.settings.refill != Refill::Demand {
            out.push(Action::RefillAfter(self.settings.refill_delay));
        }
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
