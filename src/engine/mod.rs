//! Floor 0: what is due next, and with what luck.

pub mod time;
