//! A connection: one wire with two ends.
//!
//! The pool owns the client's end, the node the server's; neither looks at the other's, and news of one
//! reaches the other by a message that takes a trip. The record goes when both ends are closed, so that a
//! message to a connection that has gone meets nothing.

use super::container::Container;
use super::fact::{NodeNumber, ServiceNumber};
use super::postgres::Work;
use super::request::Request;
use crate::engine::agenda::Handle;
use crate::engine::chance::Stream;
use crate::engine::slab::Id;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::Cause;

/// A connection between a container and a Postgres node.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The service at the client's end.
    pub service: ServiceNumber,
    /// The container at the client's end.
    pub container: Id<Container>,
    /// The place of the pool in the container.
    pub pool: u8,
    /// Its number within the pool.
    pub number: u64,
    /// The node at the server's end.
    pub node: NodeNumber,
    /// The luck of this connection: its trips and the cost of its start.
    pub luck: Stream,
    /// What is on the wire: one statement at most, or its answer.
    pub statement: Statement,
    /// The pool's end.
    pub client: ClientEnd,
    /// The node's end.
    pub server: ServerEnd,
}

/// The pool's end of a connection.
#[derive(Clone, Debug)]
pub struct ClientEnd {
    /// Where it stands.
    pub state: ClientState,
    /// Its birth, as the pool counts it.
    pub born: Time,
    /// From here on it is to be replaced.
    pub expires: Time,
    /// When it last went idle.
    pub idle_since: Time,
    /// Who uses it, or waits for its dial.
    pub request: Id<Request>,
    /// Who had it dialled.
    pub dialled_by: DialledBy,
    /// Why it was dialled, as measured; the model never reads it.
    pub cause: Cause,
    /// The clock on its dial or on its statement.
    pub clock: Handle,
}

/// Who had a connection dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialledBy {
    /// The request that wanted it.
    Request,
    /// The pool's single opener, for whoever waits.
    Opener,
    /// The pool, up to its floor.
    Refill,
}

/// Where the pool's end of a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Being opened.
    Dialling,
    /// Waiting to be used.
    Idle,
    /// Held by a request.
    InUse,
    /// Closed by the pool.
    Closed,
}

/// The node's end of a connection.
#[derive(Clone, Debug)]
pub struct ServerEnd {
    /// Where it stands.
    pub state: ServerState,
    /// Queries that still find cold caches.
    pub cold_queries: u32,
    /// What its backend has on the CPU.
    pub work: Option<Id<Work>>,
    /// The node's clock on its statement.
    pub clock: Handle,
    /// The client hung up before the backend was ready: what is spent on it is lost.
    pub hung_up: bool,
}

/// A statement on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The CPU that it needs.
    pub cpu: Span,
    /// The luck of its answer's trip: the request's, not the node's.
    pub answer: Stream,
}

/// Where the node's end of a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// The request to connect has not arrived.
    Unreached,
    /// In line for the grant.
    Granting,
    /// The backend is starting.
    Starting,
    /// The backend serves.
    Ready,
    /// No backend any more, or never one.
    Gone,
}

impl ServerEnd {
    /// The end of a connection that the node has not heard of.
    pub fn unreached() -> ServerEnd {
        ServerEnd {
            state: ServerState::Unreached,
            cold_queries: 0,
            work: None,
            clock: Handle::NONE,
            hung_up: false,
        }
    }
}

impl Connection {
    /// Its place in an order that depends on nobody else: where it lives, and which of its pool it is.
    pub fn rank(&self) -> (ServiceNumber, usize, u8, u64) {
        (self.service, self.container.index(), self.pool, self.number)
    }

    /// True when nobody holds an end any more.
    pub fn is_over(&self) -> bool {
        self.client.state == ClientState::Closed && self.server.state == ServerState::Gone
    }
}
