//! Floor 0: what is due next, and with what luck.
//!
//! Knows nothing of containers or databases: integer time, an agenda of events, keyed random streams,
//! distributions, generational slabs, and one device that many jobs share.

pub mod agenda;
pub mod chance;
pub mod dist;
pub mod sharing;
pub mod slab;
mod sorted;
pub mod time;
mod wheel;
