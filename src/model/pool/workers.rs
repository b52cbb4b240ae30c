//! Dialling in the background: acquirers only wait, and workers of the pool dial for them.
//!
//! In the real world: HikariCP's one adder thread, which rests for 30 ms after each connection; r2d2's
//! threads; bb8's tasks, as many as are wanted; psycopg's workers, of which one at most makes the pool grow;
//! the one server login that PgBouncer and PgDog have under way (pools.md §2, §4). Modelled: what was closed
//! is replaced first, then the floor is filled, then one dial begins for each who waits and has none under
//! way. Left out: with a `reset` function psycopg's workers also take connections back, which waits while
//! they dial.

use super::super::connection::{Connection, DialledBy};
use super::failing::Waking;
use super::{Action, Pool};
use crate::engine::slab::Slab;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{DialFailure, Dialler, Refill};

/// Where the workers stand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crew {
    /// Workers that dial, wait to try again, or rest.
    pub busy: u32,
    /// Those that dial or wait to try again.
    pub dialling: u32,
    /// Those of them that do so because somebody waits.
    growing: u32,
}

impl Pool {
    /// The workers begin what is wanted, as many of them as there are.
    pub(super) fn work(&mut self, now: Time, wires: &mut Slab<Connection>, out: &mut Vec<Action>) {
        let Dialler::Background(workers) = self.settings.dialler else { return };
        let most = workers.at_once.unwrap_or(u32::MAX);
        while self.crew.busy < most && self.may_dial(now) {
            let dialled_by = if self.keeper.replace > 0 || self.is_below_floor() {
                DialledBy::Refill
            } else if self.waiters.len() as u32 > self.crew.dialling
                && self.crew.growing < workers.growth_at_once.unwrap_or(u32::MAX)
            {
                self.crew.growing += 1;
                DialledBy::Opener
            } else {
                return;
            };
            self.employ(now, wires, dialled_by, out);
        }
    }

    /// Whoever was turned away leaves nobody waiting, but the next shall find a connection.
    pub(super) fn try_for_the_next(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        out: &mut Vec<Action>,
    ) {
        if self.crew.dialling == 0 && self.may_dial(now) {
            self.crew.growing += 1;
            self.employ(now, wires, DialledBy::Opener, out);
        }
    }

    /// A worker begins a dial.
    fn employ(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        dialled_by: DialledBy,
        out: &mut Vec<Action>,
    ) {
        self.total += 1;
        self.crew.busy += 1;
        self.crew.dialling += 1;
        self.dial(now, wires, None, dialled_by, out);
    }

    /// A worker's dial has ended, for good.
    pub(super) fn worker_ended(
        &mut self,
        now: Time,
        wires: &mut Slab<Connection>,
        dialled_by: DialledBy,
        failed: bool,
        out: &mut Vec<Action>,
    ) {
        let Dialler::Background(workers) = self.settings.dialler else { return };
        self.crew.dialling -= 1;
        self.crew.growing -= u32::from(dialled_by == DialledBy::Opener);
        if failed || workers.pause == Span::ZERO {
            self.crew.busy -= 1;
            // The floor waits for the next look: where a refusal takes no time, a dial would meet it again.
            let in_vain =
                failed && self.settings.dial_failure == DialFailure::Error && self.waiters.is_empty();
            if !in_vain {
                self.work(now, wires, out);
            }
        } else {
            self.wake_after(now, workers.pause, Waking::Worker, out);
        }
    }

    /// Whether what is closed for its age is replaced in the end, however busy the pool is. A dial is counted
    /// by now.
    pub(super) fn replaces_for_certain(&self) -> bool {
        let background = matches!(self.settings.dialler, Dialler::Background(_));
        match self.settings.refill {
            Refill::Demand => false,
            Refill::ToMin => background && self.total <= self.settings.min,
            Refill::Always => true,
        }
    }
}
