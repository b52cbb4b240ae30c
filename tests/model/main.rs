//! The model from the outside: exact traces of small scenarios, and what a fleet does by itself.

mod kit;
mod laws;
mod refill;
mod stories;
mod uniform;
mod upheavals;
