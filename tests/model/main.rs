//! The model from the outside: exact traces of small scenarios, and what a fleet does by itself.

mod arrivals;
mod books;
mod coverage;
mod determinism;
mod devices;
mod disk;
mod failover;
mod faults;
mod jobs;
mod kit;
mod latencies;
mod laws;
mod lifecycle;
mod live;
mod locks;
mod measures;
mod pooler;
mod refill;
mod replica;
mod scaling;
mod scenarios;
mod stories;
mod swarm;
mod swarm_scenario;
mod uniform;
mod upheavals;
