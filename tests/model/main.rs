//! The model from the outside: small scenarios against queueing theory, closed forms and exact traces.

mod kit;
mod stories;
mod upheavals;
