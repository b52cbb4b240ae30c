//! herdsim against queueing theory and published results.
//!
//! Nobody should trust a simulator that has only been compared with itself. Each case here is built from
//! herdsim's own engine, boxes and parts, and puts what they show beside a number from elsewhere: a theorem, a
//! paper, another simulator, a measurement. The tests run short versions; `make validation` runs all of them
//! with many replications and writes `results/validation`.

mod backoff;
mod charts;
mod erlang;
mod faas;
mod fleet;
mod kit;
mod little;
mod page;
mod patience;
mod periodic;
mod sharing;
mod storm;
mod trigger;
mod washout;
