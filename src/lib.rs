//! A deterministic discrete-event simulator of a container fleet and its Postgres.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod cli;
pub mod engine;
pub mod experiment;
pub mod measure;
pub mod model;
pub mod report;
pub mod scenario;
