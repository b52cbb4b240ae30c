//! Floor 2: the system.
//!
//! A *box* (a service with its containers, a pooler, a Postgres node, a source of traffic) owns its state and
//! handles its events; between boxes a message takes time. A *part* (a pool, the CPU) is a plain state
//! machine inside a box: no clock, no agenda, it returns what follows. Nothing here knows what a herd is:
//! what happens, emerges.
//!
//! ```text
//! Source ──arrival──▶ Service ▷ Container ▷ Pool ──trip──▶ Node ▷ grant, CPU ──trip──▶ Container ──▶ client
//!    ▲                                                                                                  │
//!    └───────────────────────────────── retry after a backoff ──────────────────────────────────────────┘
//! ```
//!
//! Where a pooler stands before a node, it takes the trips of both: Pool ──trip──▶ Pooler ▷ Pool ──trip──▶
//! Node.
//!
//! What every request goes through stands where it is called (`inline(always)`, each kept for its own gain):
//! a tenth fewer instructions a request than the compiler's own choice, as `benches/check` counts them.

mod breaker;
mod budget;
pub mod build;
pub mod connection;
pub mod container;
pub mod context;
pub mod device;
mod edge;
pub mod event;
pub mod fact;
pub mod poisson;
pub mod pool;
pub mod pooler;
pub mod postgres;
pub mod queue;
mod recent;
pub mod request;
pub mod service;
mod steady;
pub mod traffic;
pub mod world;

use crate::engine::slab::Id;

/// Names a connection.
pub type ConnectionId = Id<connection::Connection>;
/// Names a request.
pub type RequestId = Id<request::Request>;
/// Names a container.
pub type ContainerId = Id<container::Container>;
