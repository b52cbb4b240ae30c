//! A connection: one wire with two ends.
//!
//! The pool owns the client's end, the node the server's; neither looks at the other's, and news of one
//! reaches the other by a message that takes a trip. The record goes when both ends are closed, so that a
//! message to a connection that has gone meets nothing. Where a pooler stands in front of a node there are
//! two kinds: from a container to the pooler, and from the pooler to the node; each has its own two ends.

use super::container::Container;
use super::fact::{NodeNumber, ServiceNumber};
use super::postgres::{Row, Work};
use super::request::Request;
use crate::engine::agenda::Handle;
use crate::engine::chance::Stream;
use crate::engine::slab::Id;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Cause, Outcome};

/// Which part of the way between a container and a node a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// All of it.
    Direct,
    /// From a container to the pooler in front of the node.
    Front,
    /// From the pooler to the node. There is no service or container at its client's end, and the pool's
    /// place is the pooler's process.
    Back,
}

/// What a client says on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// That it wants to connect.
    Connect,
    /// The statement that is on the wire.
    Statement,
    /// That it gives up its transaction and keeps the connection.
    Rollback,
    /// That it hangs up.
    Close,
}

/// What a server says on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// That it is ready to use.
    Ready,
    /// That there is no room.
    Refused,
    /// The answer to a statement.
    Answer(Outcome),
    /// That it is closed.
    Reset,
}

/// A connection between a container and a Postgres node, or a leg of the way.
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
    /// The node at the server's end, or behind the pooler there.
    pub node: NodeNumber,
    /// Which part of the way to the node it is.
    pub leg: Leg,
    /// The luck of this connection: its trips and the cost of its start.
    pub luck: Stream,
    /// What is on the wire: one statement at most, or its answer.
    pub statement: Statement,
    /// The client has given up the transaction before that statement.
    pub abandoned: bool,
    /// The client cancels what runs before it hangs up. Without that the server works on until it has
    /// something to say.
    pub cancelled: bool,
    /// A message between the ends was lost: whoever can be told will find it broken.
    pub lost: bool,
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
    /// Its transaction has something to roll back, as far as the client knows: a change or, at a pooler, the
    /// connection to the node that it holds.
    pub dirty: bool,
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
    /// What its backend does.
    pub busy: Busy,
    /// The node's clock on its statement.
    pub clock: Handle,
    /// The clock on what its backend waits for: a lock, the wake-up, a page.
    pub timer: Handle,
    /// Pages that its statement has still to read.
    pub pages: u32,
    /// Its statement's time is up, which it notices when the page is read.
    pub expired: bool,
    /// Its transaction has something to flush.
    pub wrote: bool,
    /// The rows that its transaction has locked.
    pub locked: Vec<Row>,
    /// The client hung up, and the backend has yet to notice: what is spent on it is lost.
    pub hung_up: bool,
    /// At a pooler: the process that has it.
    pub process: u8,
    /// At a pooler: what it has of a connection to the node.
    pub lent: Lent,
}

/// What a pooler lends to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lent {
    /// Nothing.
    Nothing,
    /// A place in line.
    Line,
    /// This one, once it is dialled.
    Dial(Id<Connection>),
    /// This one, which is pinged first.
    Pinged(Id<Connection>),
    /// This one, which works for it.
    Working(Id<Connection>),
    /// This one, which waits for its next statement.
    Resting(Id<Connection>),
}

/// What a backend does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Busy {
    /// Nothing.
    No,
    /// It has this on the CPU.
    Cpu(Id<Work>),
    /// It waits in line for this row.
    Lock(Row),
    /// It has the row, and is being woken.
    Waking,
    /// It waits for a page.
    Read,
    /// It waits for a flush.
    Flush,
}

/// A statement on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// What is asked for.
    pub asked: Asked,
    /// The CPU that it needs.
    pub cpu: Span,
    /// Its luck, and that of its answer's trip: the request's, not the node's.
    pub luck: Stream,
}

/// What a statement asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An answer: a ping.
    Nothing,
    /// BEGIN.
    Begin,
    /// This query.
    Query {
        /// Its number, in file order.
        query: u16,
        /// Whether it is a transaction of its own.
        autocommit: bool,
    },
    /// COMMIT.
    Commit,
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
            busy: Busy::No,
            clock: Handle::NONE,
            timer: Handle::NONE,
            pages: 0,
            expired: false,
            wrote: false,
            locked: Vec::new(),
            hung_up: false,
            process: 0,
            lent: Lent::Nothing,
        }
    }
}

impl Connection {
    /// Its place in an order that depends on nobody else: where it lives, and which of its pool it is.
    pub fn rank(&self) -> (ServiceNumber, Id<()>, u8, u64) {
        (self.service, self.container.cast(), self.pool, self.number)
    }

    /// True when nobody holds an end any more.
    pub fn is_over(&self) -> bool {
        self.client.state == ClientState::Closed && self.server.state == ServerState::Gone
    }
}
