//! The slots of a pool: places that connections come and go in, for jitter that belongs to the place.
//!
//! In the real world: Rails' adapters and postgres.js' connection objects, which outlive the connections that
//! they open one after the other (pools.md §2). The slot that came free last is filled first. Left out: Rails
//! throws a slot away when the pool shrinks, and a later one draws anew.

use super::super::connection::Connection;
use crate::engine::slab::Id;

/// Who is in which slot.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    taken: Vec<Id<Connection>>,
    free: Vec<usize>,
}

impl Slots {
    /// A connection takes a slot.
    pub fn take(&mut self, connection: Id<Connection>) {
        match self.free.pop() {
            Some(place) => self.taken[place] = connection,
            None => self.taken.push(connection),
        }
    }

    /// A connection leaves its slot.
    pub fn leave(&mut self, connection: Id<Connection>) {
        if let Some(place) = self.taken.iter().position(|taken| *taken == connection) {
            self.taken[place] = Id::NONE;
            self.free.push(place);
        }
    }

    /// How many slots are taken.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.taken.len() - self.free.len()
    }

    /// The number of a connection's slot.
    pub fn place_of(&self, connection: Id<Connection>) -> u64 {
        let place = self.taken.iter().position(|taken| *taken == connection);
        place.map_or(0, |place| place as u64)
    }
}
