//! Three workloads on the engine alone, and one on the whole model, each beside a hand-written loop that does
//! the same with nothing around it: what part of the attainable speed the agenda, the streams, the small
//! interfaces and the model leave.
//!
//! - `mmc`: M/M/16 at 90 % load, first come first served, 1,000,000 customers; two events a customer.
//! - `hold`: N pending timers, each set anew for an exponential delay of mean one second when it fires
//!   (the hold model of Vaucher and Duval, 1975); 5,000,000 firings.
//! - `pool`: 10,000 customers a second to 200 containers at random, each with a pool of 10 connections
//!   (first come first served), then one of 32 servers (first come first served, exponential 2 ms); 60 s.
//! - `september`: the quiet minutes of `scenarios/september-2025.toml`, every measure on; 180 s.
//!
//! Both sides draw from the same named streams, so that they meet the same customers and must agree in what
//! they measure.

pub mod by_hand;
pub mod fleet;
pub mod hold;
pub mod mmc;
pub mod parts;
pub mod pool;
pub mod september;
pub mod stretch;

/// What a workload comes to: how many customers (firings) there were, and a figure that tells whether the
/// simulation was right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Customers served, or timers fired.
    pub count: u64,
    /// Mean time in queues in seconds; for `hold`, the simulated time; for `september`, the mean latency.
    pub figure: f64,
}
