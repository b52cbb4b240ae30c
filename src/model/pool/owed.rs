//! What a pool owes: replacements for what it has closed.
//!
//! Measured, never read by a decision: a dial's cause is the first kind of debt that there is when it begins.
//! A pool that has done without a replacement for [`OWED_FOR`] has shrunk: what it dials later is growth;
//! unless it replaces what it closes for certain, and has only not come to it.

use super::super::fact::Close;
use super::From;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::Cause;
use std::collections::VecDeque;

/// How long a pool owes the replacement of a connection: the second over which `herd_size` counts.
pub const OWED_FOR: Span = Span::from_secs(1);

/// Replacements that a pool owes, by what they replace.
#[derive(Clone, Debug, Default)]
pub struct Owed {
    /// When connections were closed for their age.
    age: VecDeque<Time>,
    /// When connections broke and dials failed.
    failure: VecDeque<Time>,
    /// How many dials belong to the start of the container.
    boot: u32,
}

impl Owed {
    /// The debts of an empty pool that keeps a floor.
    pub fn at_boot(min: u32) -> Owed {
        Owed { boot: min.max(1), ..Owed::default() }
    }

    /// The pool has been there since before the run.
    pub fn settle_boot(&mut self) {
        self.boot = 0;
    }

    /// A connection was closed; it had been dialled for `cause`.
    pub fn closed(&mut self, now: Time, cause: Cause, why: Close, from: From) {
        match why {
            Close::Age => self.age.push_back(now),
            Close::Broken if from == From::Dial && cause == Cause::Lifetime => self.age.push_back(now),
            Close::Broken => self.failure.push_back(now),
            Close::Idle | Close::Shutdown => {}
        }
    }

    /// The cause of the dial that begins now; `background` if nobody asked for it, `patient` if the pool
    /// replaces what it closes for age however long that takes.
    pub fn cause(&mut self, now: Time, background: bool, patient: bool) -> Cause {
        let all = [(&mut self.age, Cause::Lifetime, patient), (&mut self.failure, Cause::Failure, false)];
        for (debts, cause, patient) in all {
            while !patient && debts.front().is_some_and(|since| now.since(*since) > OWED_FOR) {
                debts.pop_front();
            }
            if debts.pop_front().is_some() {
                return cause;
            }
        }
        if self.boot > 0 {
            self.boot -= 1;
            return Cause::Boot;
        }
        if background { Cause::Refill } else { Cause::Growth }
    }
}
