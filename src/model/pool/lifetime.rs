//! When a connection is too old.
//!
//! The lifetime's random part as libraries draw it: added, taken off or both; once for each connection, once
//! for the process, or anew at every check (pgxpool before 5.3, where the earliest of many draws wins and
//! little jitter is left); cut down to whole quanta (pgxpool: whole seconds). A kill gap lets one connection
//! of a pool go at a time: the others stay in use until a check after the gap finds them (PgBouncer's
//! `life_over`; the first goes at once). Sources: pools.md §1a, §2, §4.

use super::super::connection::Connection;
use super::Pool;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{JitterScope, JitterShape};

impl Pool {
    /// Whether a connection is to be closed for its age now: it is too old, and its turn has come.
    pub(super) fn is_due(&mut self, now: Time, connection: &Connection) -> bool {
        now >= self.next_kill && self.is_expired(now, connection)
    }

    /// Whether a connection is too old.
    fn is_expired(&mut self, now: Time, connection: &Connection) -> bool {
        if self.settings.jitter_scope != JitterScope::Check {
            return now > connection.client.expires;
        }
        match self.lifetime_drawn() {
            Some(lifetime) => {
                // `expires` was set with the plain lifetime: see `lifetime_at_birth`.
                let base = self.settings.max_lifetime.0.unwrap_or(Span::FOREVER);
                now + base > connection.client.expires + lifetime
            }
            None => false,
        }
    }

    /// The lifetime that a connection gets when it is born: the plain one, if the random part comes at every
    /// check.
    pub(super) fn lifetime_at_birth(&mut self) -> Option<Span> {
        match self.settings.jitter_scope {
            JitterScope::Check => self.settings.max_lifetime.0,
            JitterScope::Connection | JitterScope::Process => self.lifetime_drawn(),
        }
    }

    /// A lifetime with its random part; `None` if connections live for ever.
    fn lifetime_drawn(&mut self) -> Option<Span> {
        let base = self.settings.max_lifetime.0?;
        let jitter = self.settings.max_lifetime_jitter;
        if jitter == Span::ZERO {
            return Some(base);
        }
        let unit = match self.settings.jitter_scope {
            JitterScope::Process => self.process_jitter,
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
