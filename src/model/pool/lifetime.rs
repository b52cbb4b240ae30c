//! When a connection is too old.
//!
//! The lifetime's random part as libraries draw it: added, taken off or both; once for each connection, once
//! for the process, once for each slot of the pool (Rails, postgres.js), or anew at every check (pgxpool
//! before 5.3, where the earliest of many draws wins and little jitter is left); cut down to whole quanta
//! (pgxpool: whole seconds). A kill gap lets one connection of a pool go at a time: the others stay in use
//! until a check after the gap finds them (PgBouncer's `life_over`; the first goes at once). Sources:
//! pools.md §1a, §2, §4.

use super::super::connection::Connection;
use super::Pool;
use crate::engine::slab::{Id, Slab};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{JitterScope, JitterShape};

impl Pool {
    /// Whether a connection is to be closed for its age now: it is too old, and its turn has come.
    pub(super) fn is_due(&mut self, now: Time, wires: &Slab<Connection>, connection: Id<Connection>) -> bool {
        now >= self.next_kill && self.is_expired(now, connection, wires[connection].client.expires)
    }

    /// Whether a connection is too old.
    fn is_expired(&mut self, now: Time, connection: Id<Connection>, expires: Time) -> bool {
        if self.settings.jitter_scope != JitterScope::Check {
            return now > expires;
        }
        match self.lifetime_drawn(connection) {
            Some(lifetime) => {
                // `expires` was set with the plain lifetime: see `lifetime_at_birth`.
                let base = self.settings.max_lifetime.0.unwrap_or(Span::FOREVER);
                now + base > expires + lifetime
            }
            None => false,
        }
    }

    /// The lifetime that a connection gets when it is born: the plain one, if the random part comes at every
    /// check.
    pub(super) fn lifetime_at_birth(&mut self, connection: Id<Connection>) -> Option<Span> {
        match self.settings.jitter_scope {
            JitterScope::Check => self.settings.max_lifetime.0,
            _ => self.lifetime_drawn(connection),
        }
    }

    /// What is left of the lifetime of a connection that has been there since before the run. `age` is out of
    /// the plain lifetime; of the one drawn it is as great a part.
    pub(super) fn time_left(&mut self, connection: Id<Connection>, age: Span) -> Span {
        let Some(lifetime) = self.lifetime_at_birth(connection) else { return Span::FOREVER };
        let plain = self.settings.max_lifetime.0.unwrap_or(lifetime);
        lifetime.saturating_sub(age.scale(lifetime.as_secs() / plain.as_secs()))
    }

    /// A lifetime with its random part; `None` if connections live for ever.
    fn lifetime_drawn(&mut self, connection: Id<Connection>) -> Option<Span> {
        let base = self.settings.max_lifetime.0?;
        let jitter = self.settings.jitter();
        if jitter == Span::ZERO {
            return Some(base);
        }
        let unit = match self.settings.jitter_scope {
            JitterScope::Process => self.process_jitter,
            JitterScope::Slot => self.luck.named("slot").at(self.slots.place_of(connection)).draws().unit(),
            JitterScope::Connection | JitterScope::Check => self.draw().draws().unit(),
        };
        let quantum = self.settings.jitter_quantum.0.max(1);
        Some(match self.settings.jitter_shape {
            JitterShape::Additive => base + Span(jitter.scale(unit).0 / quantum * quantum),
            JitterShape::Subtractive => base.saturating_sub(Span(jitter.scale(unit).0 / quantum * quantum)),
            JitterShape::Symmetric => {
                (base + Span((jitter * 2).scale(unit).0 / quantum * quantum)).saturating_sub(jitter)
            }
        })
    }
}
