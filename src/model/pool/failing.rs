//! What becomes of dials that fail, and of whoever waits for them.
//!
//! In the real world: pgxpool and database/sql hand the error to who asked; HikariCP, sqlx, bb8, r2d2 and
//! psycopg try again with growing pauses, within a time or for ever; PgBouncer lets no further dial of the
//! pool begin for a while after one that failed has begun, and as long as it has no connection left it turns
//! whoever asks anew away at once, while who waits goes on waiting (pools.md §2, §4; `check_fast_fail` and
//! `launch_new_connection` in its objects.c). Modelled: a dial that is to be tried again keeps its slot and
//! its worker, and a request that waits for it stays with it. Left out: a pause of its own for each slot
//! (postgres.js); r2d2's threads serve others while a dial waits to be tried again. What is to happen later
//! is asked for as a sweep, and told apart when it is due.

use super::super::connection::{ClientState, Connection, DialledBy};
use super::super::fact::Close;
use super::super::request::Request;
use super::{Action, From, Pool};
use crate::engine::slab::{Id, Slab};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Cause, DialFailure, DialRetry, Dialler};

/// Dials that failed before, and what the pool waits for.
#[derive(Clone, Debug, Default)]
pub struct Failing {
    /// No dial begins before.
    pub gate_until: Time,
    /// The last dial failed, of a pool that lets none begin for a while then.
    gated: bool,
    /// Dials under way that are not the first try.
    tries: Vec<(Id<Connection>, Try)>,
    /// What goes on when, in the order in which it was put off.
    wakes: Vec<(Time, Waking)>,
}

/// How often a dial has been tried.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Try {
    /// When the first try began.
    since: Time,
    /// How many tries have failed.
    failed: u32,
}

/// What goes on after a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Waking {
    /// A worker has rested.
    Worker,
    /// Dials may begin again.
    Gate,
    /// A dial is tried again.
    Dial(Again),
}

/// A dial that is to be tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Again {
    request: Id<Request>,
    dialled_by: DialledBy,
    cause: Cause,
    tried: Try,
}

impl Failing {
    /// What goes on now, if anything does: it leaves the list. Each has a call of its own, so which call
    /// meets which of those of one instant does not matter.
    pub fn wake(&mut self, now: Time) -> Option<Waking> {
        let place = self.wakes.iter().position(|(at, _)| *at <= now)?;
        Some(self.wakes.remove(place).1)
    }

    /// A request no longer waits for its dial to be tried again; false if it did not.
    pub fn leave(&mut self, request: Id<Request>) -> bool {
        for (_, waking) in &mut self.wakes {
            if let Waking::Dial(again) = waking
                && again.request == request
            {
                again.request = Id::NONE;
                return true;
            }
        }
        false
    }

    /// A dial is over.
    pub fn forget(&mut self, connection: Id<Connection>) {
        self.tries.retain(|(dial, _)| *dial != connection);
    }

    /// How many dials are to be tried again, and the requests that wait for them.
    #[cfg(test)]
    pub fn put_off(&self) -> Vec<Id<Request>> {
        let put_off = |(_, waking): &(Time, Waking)| match waking {
            Waking::Dial(again) => Some(again.request),
            _ => None,
        };
        self.wakes.iter().filter_map(put_off).collect()
    }
}

impl Pool {
    /// Something goes on after a while.
    pub(super) fn wake_after(&mut self, now: Time, wait: Span, waking: Waking, out: &mut Vec<Action>) {
        self.failing.wakes.push((now + wait, waking));
        out.push(Action::SweepAfter(wait));
    }

    /// What was put off goes on.
    pub(super) fn go_on(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        waking: Waking,
        out: &mut Vec<Action>,
    ) {
        match waking {
            Waking::Worker => {
                self.crew.busy -= 1;
                self.work(now, wires, out);
            }
            Waking::Gate => self.slot_came_free(now, wires, out),
            Waking::Dial(again) => self.dial_again(now, wires, again, out),
        }
    }

    /// Whether who waits is told that a dial of somebody else failed.
    pub(super) fn errors_reach_waiters(&self, dialled_by: DialledBy) -> bool {
        match self.settings.dialler {
            Dialler::Acquirer => false,
            Dialler::SingleOpener => dialled_by == DialledBy::Opener,
            Dialler::Background(_) => self.settings.dial_failure == DialFailure::Error,
        }
    }

    /// A dial that began then has failed: no other begins for a while after that, if the pool is so.
    pub(super) fn close_gate(&mut self, now: Time, began: Time, out: &mut Vec<Action>) {
        if let DialFailure::Gate(gate) = self.settings.dial_failure {
            self.failing.gated = true;
            self.failing.gate_until = self.failing.gate_until.max(began + gate);
            self.wake_after(now, self.failing.gate_until.since(now), Waking::Gate, out);
        }
    }

    /// A dial has succeeded.
    pub(super) fn open_gate(&mut self) {
        self.failing.gated = false;
    }

    /// Whether who asks now is turned away at once: the last dial failed, and no connection is left.
    pub(super) fn turns_away(&self) -> bool {
        self.failing.gated && self.total == self.crew.dialling
    }

    /// A dial failed: true if it will be tried again. Nobody tries again what nobody waits for.
    pub(super) fn tries_again(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        connection: Id<Connection>,
        out: &mut Vec<Action>,
    ) -> bool {
        let client = &mut wires[connection].client;
        let (request, dialled_by, cause) = (client.request, client.dialled_by, client.cause);
        let known = self.failing.tries.iter().find(|(dial, _)| *dial == connection);
        let tried = known.map_or(Try { since: client.born, failed: 0 }, |(_, tried)| *tried);
        self.failing.forget(connection);
        let DialFailure::Retry(retry) = self.settings.dial_failure else { return false };
        let wait = self.pause(&retry, tried.failed);
        let in_vain = dialled_by == DialledBy::Request && request == Id::NONE;
        if in_vain || retry.give_up.0.is_some_and(|most| now.since(tried.since) + wait > most) {
            return false;
        }
        client.state = ClientState::Closed;
        self.slots.leave(connection);
        out.push(Action::Shut(connection, Close::Broken, From::Dial));
        if request != Id::NONE {
            out.push(Action::Queue(request));
        }
        // What replaces an old connection goes on doing so.
        let cause = if cause == Cause::Lifetime { cause } else { Cause::Failure };
        let tried = Try { failed: tried.failed + 1, ..tried };
        self.wake_after(now, wait, Waking::Dial(Again { request, dialled_by, cause, tried }), out);
        true
    }

    fn dial_again(&mut self, now: Time, wires: &mut Slab<Connection>, again: Again, out: &mut Vec<Action>) {
        let request = Some(again.request).filter(|request| *request != Id::NONE);
        if request.is_none() && again.dialled_by == DialledBy::Request {
            self.total -= 1;
            return self.slot_came_free(now, wires, out);
        }
        out.extend(request.map(Action::Dequeue));
        let dial = self.begin(now, wires, request, again.dialled_by, again.cause, out);
        self.failing.tries.push((dial, again.tried));
    }

    /// The pause before the next try.
    fn pause(&mut self, retry: &DialRetry, failed: u32) -> Span {
        let mut pause = retry.backoff.min(retry.cap);
        for _ in 0..failed {
            if pause == retry.cap || retry.factor <= 1.0 {
                break;
            }
            pause = pause.scale(retry.factor).min(retry.cap);
        }
        if retry.jitter.0 == 0.0 {
            return pause;
        }
        let unit = self.draw().draws().unit();
        pause.scale(1.0 + retry.jitter.0 * (2.0 * unit - 1.0))
    }
}
