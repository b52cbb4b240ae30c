//! Looking after the idle connections, and after the floor.
//!
//! pgxpool: every minute from the container's start, and half a second after a release closed a connection.
//! It dials up to the floor, waits for these dials, and only if all succeed looks over the idle connections;
//! while it closes any it sleeps for half a second and begins again. Calls meanwhile are heard once,
//! afterwards. It keeps expired connections while the pool is below its floor, so that a pool at its floor
//! retires one a pass. Connections are taken from the top of the stack and put back, which turns it upside
//! down. database/sql: a lifetime after a first connection has gone idle, then when the first of the idle is
//! due, at least a second later; it has no floor to refill to, and a pool that is given one dials up to it
//! after each close. HikariCP, pg-pool, postgres.js: a timer for each connection, so that an idle one goes
//! the moment it expires. sqlx refills with one dial after the other; who closes a connection that comes back
//! refills at once, and leaves the idle alone. Rails' reaper dials again one by one all that it has closed.
//! Sources: pools.md §1a, §1b, §2; `tests/libraries` holds these against the libraries.

use super::super::connection::{Connection, DialledBy};
use super::super::fact::Close;
use super::{Action, From, Pool};
use crate::engine::slab::Slab;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Dialler, IdlePick, Refill, Sweep};

/// The shortest wait of database/sql's cleaner.
const SHORTEST_WAIT: Span = Span::from_secs(1);
/// A timer fires after its time, and what is due at this very instant is not yet late.
const A_MOMENT: Span = Span(1);

/// Where the one who looks after the pool stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Housekeeper {
    /// Dials up to the floor that are under way.
    refilling: u32,
    /// One of them failed.
    failed: bool,
    /// It looks over the idle connections when they are done.
    looks_over: bool,
    /// It was called while it waited for them; and whether it is to look over the idle connections then.
    called: Option<bool>,
    /// It closed something and sleeps.
    sleeps_until: Time,
    /// A sweep by the next deadline is due.
    armed: bool,
    /// When the first of the timers is due.
    timer: Option<Time>,
    /// Closed connections that are still to be replaced.
    pub(super) replace: u32,
}

impl Pool {
    /// A refill is due: dials up to the floor, if the pool keeps one. One that comes a while after a close
    /// looks over the idle connections as well (pgxpool), one that comes at once does not (sqlx).
    pub fn look_after(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Action>) {
        self.keep_up(now, wires, self.settings.refill_delay > Span::ZERO, out);
    }

    fn keep_up(&mut self, now: Time, wires: &mut Slab<Connection>, looks_over: bool, out: &mut Vec<Action>) {
        self.work(now, wires, out);
        if self.keeper.refilling > 0 || now < self.keeper.sleeps_until {
            // Asleep it needs no reminder: it begins again when it wakes.
            let also = looks_over || self.keeper.called == Some(true);
            self.keeper.called = (self.keeper.refilling > 0).then_some(also);
            return;
        }
        (self.keeper.failed, self.keeper.looks_over, self.keeper.called) = (false, looks_over, None);
        self.refill(now, wires, out);
        if self.keeper.refilling == 0 {
            self.pass(now, wires, out);
        }
    }

    /// Whether fewer connections are there than the pool keeps.
    pub(super) fn is_below_floor(&self) -> bool {
        self.settings.refill != Refill::Demand && self.total < self.settings.min
    }

    /// Begins the dials of a refill, as many as may be under way at once.
    fn refill(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Action>) {
        let most = self.settings.refill_at_once.unwrap_or(u32::MAX);
        let inline = !matches!(self.settings.dialler, Dialler::Background(_));
        while inline
            && self.keeper.refilling < most
            && self.may_dial(now)
            && (self.is_below_floor() || self.keeper.replace > 0)
        {
            self.total += 1;
            self.keeper.refilling += 1;
            self.dial(now, wires, None, DialledBy::Refill, out);
        }
    }

    /// Something that the pool asked for is due: a sweep, or what comes after a dial that failed or a rest.
    pub fn sweep_due(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Action>) {
        if let Some(wake) = self.failing.wake(now) {
            return self.go_on(now, wires, wake, out);
        }
        match self.settings.sweep {
            Sweep::None | Sweep::Every(_) => return self.keep_up(now, wires, true, out),
            Sweep::NextDeadline => {}
            Sweep::Timer => return self.timer_due(now, wires, out),
        }
        self.keeper.armed = self.total > 0;
        if self.close_stale(now, wires, out) {
            self.call_for_refill(out);
            self.work(now, wires, out);
        }
        if self.keeper.armed {
            self.await_deadline(self.next_deadline(now, wires), out);
        }
    }

    /// A connection has gone idle. The sweep by the next deadline starts, unless it runs: it knows of no
    /// deadline yet, and comes after the shorter of the two limits.
    pub(super) fn gone_idle(&mut self, now: Time, wires: &Slab<Connection>, out: &mut Vec<Action>) {
        if self.settings.sweep == Sweep::NextDeadline && !self.keeper.armed {
            self.keeper.armed = true;
            self.await_deadline(self.shorter_limit(), out);
        }
        self.watch_deadlines(now, wires, out);
    }

    /// Starts the sweep by the next deadline of a pool whose connections have been idle for a while, and sets
    /// the timers.
    pub fn watch_deadlines(&mut self, now: Time, wires: &Slab<Connection>, out: &mut Vec<Action>) {
        if self.settings.sweep == Sweep::NextDeadline && !self.keeper.armed && !self.idle.is_empty() {
            self.keeper.armed = true;
            self.await_deadline(self.next_deadline(now, wires), out);
        }
        if self.settings.sweep == Sweep::Timer {
            // A timer that runs is for the first of all others: only the newcomer may be sooner.
            let known = if self.keeper.timer.is_some() { self.idle.len().saturating_sub(1) } else { 0 };
            self.set_timer(now, wires, known, out);
        }
    }

    /// The first of the timers may be due: an earlier one may have been set since.
    fn timer_due(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Action>) {
        if self.keeper.timer != Some(now) {
            return;
        }
        self.keeper.timer = None;
        if self.close_stale(now, wires, out) {
            self.call_for_refill(out);
            self.work(now, wires, out);
        }
        self.set_timer(now, wires, 0, out);
    }

    /// Sets the timer to the first deadline of the idle connections from place `known` on, if it is sooner.
    fn set_timer(&mut self, now: Time, wires: &Slab<Connection>, known: usize, out: &mut Vec<Action>) {
        let limit = self.idle_limit();
        let due = self.idle.iter().skip(known).map(|idle| {
            let client = &wires[*idle].client;
            let expires = client.expires.max(self.next_kill);
            limit.map_or(expires, |limit| expires.min(client.idle_since + limit))
        });
        // What was due before and stays was refused, or of the floor then: it goes when it is next looked at.
        let first = due.filter(|due| (now..Time::NEVER).contains(due)).min();
        let Some(first) = first.map(|first| first + A_MOMENT) else { return };
        if self.keeper.timer.is_none_or(|timer| first < timer) {
            self.keeper.timer = Some(first);
            out.push(Action::SweepAfter(first - now));
        }
    }

    /// A dial up to the floor has ended.
    pub(super) fn refill_ended(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        failed: bool,
        out: &mut Vec<Action>,
    ) {
        self.keeper.refilling -= 1;
        self.keeper.failed |= failed;
        if failed && self.settings.refill == Refill::Always {
            self.keeper.replace += 1;
        }
        if !self.keeper.failed && self.settings.refill_at_once.is_some() {
            self.refill(now, wires, out);
        }
        if self.keeper.refilling > 0 {
            return;
        }
        if !self.keeper.failed {
            self.pass(now, wires, out);
        }
        if let Some(looks_over) = self.keeper.called {
            self.keep_up(now, wires, looks_over, out);
        }
    }

    /// One pass of a periodic sweep, if this is one.
    fn pass(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Action>) {
        let due = self.keeper.looks_over && matches!(self.settings.sweep, Sweep::Every(_));
        if !due || !self.close_stale(now, wires, out) {
            return;
        }
        if matches!(self.settings.dialler, Dialler::Background(_)) {
            self.work(now, wires, out);
        } else {
            self.keeper.sleeps_until = now + self.settings.refill_delay;
            out.push(Action::SweepAfter(self.settings.refill_delay));
        }
    }

    /// Closes idle connections that are too old or were idle for too long; true if there were any.
    fn close_stale(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Action>) -> bool {
        let mut idle = std::mem::take(&mut self.idle);
        if self.settings.idle_pick == IdlePick::LifoReversedBySweep {
            idle.make_contiguous().reverse();
        }
        let before = idle.len();
        for connection in idle {
            let idle_for = now.since(wires[connection].client.idle_since);
            let may_expire = !self.settings.sweep_keeps_min || self.total >= self.settings.min;
            if may_expire && self.is_due(now, wires, connection) {
                self.shut(now, wires, connection, Close::Age, From::Idle, out);
            } else if self.idle_limit().is_some_and(|most| idle_for > most) {
                self.shut(now, wires, connection, Close::Idle, From::Idle, out);
            } else {
                self.idle.push_back(connection);
            }
        }
        self.idle.len() < before
    }

    /// How long a connection may rest now: those of the floor, where it is kept, for as long as they like.
    fn idle_limit(&self) -> Option<Span> {
        let of_the_floor = self.settings.idle_keeps_min && self.total <= self.settings.min;
        self.settings.idle_timeout.0.filter(|_| !of_the_floor)
    }

    /// The shorter of the lifetime and the idle timeout.
    fn shorter_limit(&self) -> Span {
        let limits = [self.settings.max_lifetime.0, self.settings.idle_timeout.0];
        limits.into_iter().flatten().fold(Span::FOREVER, Span::min)
    }

    /// How long until the first idle connection is due, and no longer than the shorter of the two limits.
    fn next_deadline(&self, now: Time, wires: &Slab<Connection>) -> Span {
        let limit = self.settings.idle_timeout.0.unwrap_or(Span::FOREVER);
        let due = self.idle.iter().map(|idle| {
            let client = &wires[*idle].client;
            client.expires.max(self.next_kill).min(client.idle_since + limit).since(now)
        });
        due.fold(self.shorter_limit(), Span::min)
    }

    /// Asks for a sweep after so long, or after the shortest wait of database/sql's cleaner; for none without
    /// a limit.
    fn await_deadline(&self, wait: Span, out: &mut Vec<Action>) {
        if self.shorter_limit() < Span::FOREVER {
            out.push(Action::SweepAfter(wait.max(SHORTEST_WAIT) + A_MOMENT));
        }
    }
}
