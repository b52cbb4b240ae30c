//! Looking over the idle connections.
//!
//! pgxpool: every minute from the container's start, and half a second after a close; it keeps expired connections
//! while the pool is at its floor, so that a pool at its floor retires one a pass. database/sql: when the first idle
//! connection expires, at least a second later. Sources: pools.md §1a, §1b.

use super::super::connection::Connection;
use super::super::fact::Close;
use super::{Effect, From, Pool};
use crate::engine::slab::Slab;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{IdlePick, Sweep};

/// The shortest wait of database/sql's cleaner.
const SHORTEST_WAIT: Span = Span::from_secs(1);

impl Pool {
    /// Closes idle connections that are too old or were idle for too long.
    pub fn sweep(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Effect>) {
        let idle = std::mem::take(&mut self.idle);
        for connection in idle {
            let idle_for = now.since(wires[connection].client.idle_since);
            let may_expire = !self.settings.sweep_keeps_min || self.total >= self.settings.min;
            if may_expire && self.is_expired(now, &wires[connection]) {
                self.shut(wires, connection, Close::Age, From::Idle, out);
            } else if self.settings.idle_timeout.0.is_some_and(|most| idle_for > most)
                && self.total > self.settings.min
            {
                self.shut(wires, connection, Close::Idle, From::Idle, out);
            } else {
                self.idle.push_back(connection);
            }
        }
        if self.settings.idle_pick == IdlePick::LifoReversedBySweep {
            self.idle.make_contiguous().reverse();
        }
        if self.settings.sweep == Sweep::NextDeadline {
            let first = self.idle.iter().map(|idle| wires[*idle].client.expires).min();
            self.arm_deadline_sweep(out, first.map(|at| at.since(now)));
        }
    }

    /// Asks for the next sweep by deadline; without idle connections after a whole lifetime.
    pub(super) fn arm_deadline_sweep(&mut self, out: &mut Vec<Effect>, first: Option<Span>) {
        let whole = match (self.settings.max_lifetime.0, self.settings.idle_timeout.0) {
            (None, None) => return,
            (lifetime, idle) => lifetime.unwrap_or(Span::FOREVER).min(idle.unwrap_or(Span::FOREVER)),
        };
        self.sweep_armed = self.total > 0;
        if self.sweep_armed {
            out.push(Effect::SweepAfter(first.unwrap_or(whole).max(SHORTEST_WAIT)));
        }
    }
}
