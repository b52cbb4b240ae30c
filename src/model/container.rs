//! A container: one process with its pools.
//!
//! It reads its settings when it starts, so a change of pool needs a deploy, as in life. Its work on requests
//! is in [`super::service`]. Left out: its own CPU and memory; time in the application passes without
//! contention.

use super::connection::Leg;
use super::fact::{NodeNumber, PoolNumber};
use super::pool::Pool;
use crate::engine::agenda::Handle;
use crate::scenario::grammar;
use std::sync::Arc;

/// A container.
#[derive(Debug)]
pub struct Container {
    /// Its number among all that its service has launched.
    pub number: u64,
    /// Where it stands.
    pub state: ContainerState,
    /// Its place in the service's list of those that take requests; meaningless unless serving.
    pub place: usize,
    /// Requests that it works on.
    pub load: u32,
    /// The most requests that it works on at once.
    pub concurrency: u32,
    /// Its pools, in file order.
    pub pools: Vec<Pool>,
    /// The refill of each pool that a further close puts off.
    pub refills: Vec<Handle>,
    /// The end of its retention, if it is no longer wanted.
    pub retention: Handle,
}

/// Where a container stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Not ready for requests.
    Starting,
    /// Takes requests.
    Serving,
    /// Finishes what it has (SIGTERM).
    Draining,
}

/// A pool that containers of a service will have.
#[derive(Clone, Debug)]
pub struct PoolPlan {
    /// The node that it dials, or whose pooler.
    pub node: NodeNumber,
    /// Whether it dials the node or its pooler.
    pub leg: Leg,
    /// Its number for facts.
    pub number: PoolNumber,
    /// Its settings, as they stand.
    pub settings: Arc<grammar::Pool>,
    /// Round trips of a dial.
    pub handshake_trips: u32,
}
