//! The model from the outside: exact traces of small scenarios, and what a fleet does by itself.

mod arrivals;
mod books;
mod determinism;
mod kit;
mod laws;
mod live;
mod refill;
mod scaling;
mod scenarios;
mod stories;
mod uniform;
mod upheavals;
