//! What the system as a whole promises, through the library's own door: a scenario in, measures out.

mod refill;
mod uniform;
