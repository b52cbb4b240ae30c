//! Looking after the idle connections, and after the floor.
//!
//! pgxpool: every minute from the container's start, and half a second after a release closed a connection.
//! It dials up to the floor, waits for these dials, and only if all succeed looks over the idle connections;
//! while it closes any it sleeps for half a second and begins again. Calls meanwhile are heard once,
//! afterwards. It keeps expired connections while the pool is below its floor, so that a pool at its floor
//! retires one a pass. Connections are taken from the top of the stack and put back, which turns it upside
//! down. database/sql: when the first idle connection is due, at least a second later; it has no floor to
//! refill to, and a pool that is given one dials up to it after each close. Sources: pools.md §1a, §1b.

use super::super::connection::{Connection, DialledBy};
use super::super::fact::Close;
use super::{Effect, From, Pool};
use crate::engine::slab::Slab;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{IdlePick, Refill, Sweep};

/// The shortest wait of database/sql's cleaner.
const SHORTEST_WAIT: Span = Span::from_secs(1);
/// A timer fires after its time, and what is due at this very instant is not yet late.
const A_MOMENT: Span = Span(1);

/// Where the one who looks after the pool stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Keeper {
    /// Dials up to the floor that are under way.
    refilling: u32,
    /// One of them failed.
    failed: bool,
    /// It was called while it waited for them.
    called: bool,
    /// It closed something and sleeps.
    sleeps_until: Time,
    /// A sweep by the next deadline is due.
    armed: bool,
}

impl Pool {
    /// Dials up to the floor, if the pool keeps one, and looks over the idle connections.
    pub fn look_after(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Effect>) {
        if self.keeper.refilling > 0 || now < self.keeper.sleeps_until {
            // Asleep it needs no reminder: it begins again when it wakes.
            self.keeper.called = self.keeper.refilling > 0;
            return;
        }
        (self.keeper.failed, self.keeper.called) = (false, false);
        while self.settings.refill == Refill::ToMin && self.total < self.settings.min {
            self.total += 1;
            self.keeper.refilling += 1;
            self.dial(now, wires, None, DialledBy::Refill, out);
        }
        if self.keeper.refilling == 0 {
            self.pass(now, wires, out);
        }
    }

    /// A sweep that the pool asked for is due.
    pub fn sweep_due(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Effect>) {
        if self.settings.sweep != Sweep::NextDeadline {
            return self.look_after(now, wires, out);
        }
        self.keeper.armed = self.total > 0;
        if self.close_stale(now, wires, out) {
            self.call_for_refill(out);
        }
        if self.keeper.armed {
            self.await_deadline(now, wires, out);
        }
    }

    /// Starts the sweep by the next deadline, unless it runs.
    pub fn watch_deadlines(&mut self, now: Time, wires: &Slab<Connection>, out: &mut Vec<Effect>) {
        if self.settings.sweep == Sweep::NextDeadline && !self.keeper.armed && !self.idle.is_empty() {
            self.keeper.armed = true;
            self.await_deadline(now, wires, out);
        }
    }

    /// A dial up to the floor has ended.
    pub(super) fn refill_ended(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        failed: bool,
        out: &mut Vec<Effect>,
    ) {
        self.keeper.refilling -= 1;
        self.keeper.failed |= failed;
        if self.keeper.refilling > 0 {
            return;
        }
        if !self.keeper.failed {
            self.pass(now, wires, out);
        }
        if self.keeper.called {
            self.look_after(now, wires, out);
        }
    }

    /// One pass of a periodic sweep.
    fn pass(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Effect>) {
        if matches!(self.settings.sweep, Sweep::Every(_)) && self.close_stale(now, wires, out) {
            self.keeper.sleeps_until = now + self.settings.refill_delay;
            out.push(Effect::SweepAfter(self.settings.refill_delay));
        }
    }

    /// Closes idle connections that are too old or were idle for too long; true if there were any.
    fn close_stale(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Effect>) -> bool {
        let mut idle = std::mem::take(&mut self.idle);
        if self.settings.idle_pick == IdlePick::LifoReversedBySweep {
            idle.make_contiguous().reverse();
        }
        let before = idle.len();
        for connection in idle {
            let idle_for = now.since(wires[connection].client.idle_since);
            let may_expire = !self.settings.sweep_keeps_min || self.total >= self.settings.min;
            if may_expire && self.is_due(now, &wires[connection]) {
                self.shut(now, wires, connection, Close::Age, From::Idle, out);
            } else if self.settings.idle_timeout.0.is_some_and(|most| idle_for > most)
                && self.total > self.settings.min
            {
                self.shut(now, wires, connection, Close::Idle, From::Idle, out);
            } else {
                self.idle.push_back(connection);
            }
        }
        self.idle.len() < before
    }

    /// Asks for a sweep when the first idle connection is due, and no later than the shorter of the two
    /// limits.
    fn await_deadline(&self, now: Time, wires: &Slab<Connection>, out: &mut Vec<Effect>) {
        let limit = self.settings.idle_timeout.0.unwrap_or(Span::FOREVER);
        let longest = self.settings.max_lifetime.0.unwrap_or(Span::FOREVER).min(limit);
        if longest == Span::FOREVER {
            return;
        }
        let due = self.idle.iter().map(|idle| {
            let client = &wires[*idle].client;
            client.expires.max(self.next_kill).min(client.idle_since + limit).since(now)
        });
        let wait = due.fold(longest, Span::min).max(SHORTEST_WAIT);
        out.push(Effect::SweepAfter(wait + A_MOMENT));
    }
}
