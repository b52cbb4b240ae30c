//! Traces: what single requests and connections did, instant by instant.
//!
//! In the real world: distributed tracing, and the wait events of `pg_stat_activity`. Here nothing has to be
//! instrumented: after everything that happens a tracer looks at the world, and notes what stands otherwise.
//! What begins and ends within one instant is not seen. Left out: what jobs do.

mod ear;
mod tracer;

pub use ear::Ear;
pub use tracer::{Followed, Tracer};

use super::Mark;
use crate::engine::time::Time;
use crate::model::build::Places;
use crate::model::connection::{Asked, ClientState, Leg, ServerState};
use crate::model::fact::{NodeNumber, SeriesNumber, ServiceNumber};
use crate::model::postgres::Row;
use crate::model::request::Doing;
use crate::scenario::grammar::{Cause, Outcome};

/// What was seen.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The names behind the numbers.
    pub places: Places,
    /// Queries, in file order.
    pub queries: Vec<String>,
    /// The requests that arrived in the window, in order.
    pub requests: Vec<RequestTrace>,
    /// Connections that were open in the window, and what its requests held later.
    pub connections: Vec<ConnectionTrace>,
    /// Gauges: name, what of, and every change, a millisecond apart at least; after the window, a tenth of a
    /// second.
    pub gauges: Vec<GaugeTrace>,
    /// Beginnings and ends of events.
    pub marks: Vec<Mark>,
    /// The last instant that was looked at.
    pub end: Time,
}

/// One gauge.
#[derive(Clone, Debug, PartialEq)]
pub struct GaugeTrace {
    /// Its name, as in `levels.csv`.
    pub level: &'static str,
    /// What it is of.
    pub of: String,
    /// Its values from their instants on.
    pub values: Vec<(Time, f64)>,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestTrace {
    /// Class and label.
    pub series: SeriesNumber,
    /// Its number within its source; its retries share it.
    pub number: u64,
    /// 0 for the first, 1 for the first retry.
    pub attempt: u8,
    /// The service that works on it.
    pub service: ServiceNumber,
    /// Its intended arrival.
    pub arrived: Time,
    /// The container that works on it, by its number in the service, and from when on.
    pub container: Option<(Time, u64)>,
    /// What it did, each until the next.
    pub states: Vec<(Time, RequestState)>,
    /// When its client had an answer or left, and which.
    pub answered: Option<(Time, Outcome)>,
    /// When its service was done with it.
    pub left: Option<Time>,
}

/// What a request does or waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// It waits for a container.
    Pending,
    /// The edge answers it.
    Edge,
    /// A queue hands it on.
    Queued,
    /// Nothing holds it up.
    Ready,
    /// The application works.
    App,
    /// Its handler pauses before it tries again.
    Paused,
    /// It waits in line at a pool.
    Acquiring {
        /// The node that the pool dials.
        node: NodeNumber,
        /// Connections and dials that the pool has.
        open: u32,
        /// How many it may have.
        max: u32,
    },
    /// It has a connection, or waits for its dial.
    Holding {
        /// Which, among those of the trace.
        connection: usize,
        /// What is under way on it.
        doing: Doing,
        /// What was asked for last.
        asked: Asked,
    },
}

/// One connection.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionTrace {
    /// The service at the client's end.
    pub service: ServiceNumber,
    /// The container at the client's end, by its number in the service.
    pub container: u64,
    /// The node at the server's end, or behind the pooler there.
    pub node: NodeNumber,
    /// Which part of the way to the node it is; at the pooler there is no service and no container.
    pub leg: Leg,
    /// Its number within its pool.
    pub number: u64,
    /// Why it was dialled.
    pub cause: Cause,
    /// What its ends did, each until the next. `None`: both are closed, or nobody looks.
    pub states: Vec<(Time, Option<ConnectionState>)>,
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionState {
    /// The pool's.
    pub client: ClientState,
    /// The node's.
    pub server: ServerState,
    /// What the backend does.
    pub backend: Backend,
}

/// What a backend does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// It waits for its client.
    Idle,
    /// At a pooler: the client waits for a connection to the node. Once it has one, its backend counts.
    Line,
    /// It has work on the CPU, or waits for its turn there.
    Cpu,
    /// It waits for a row that another transaction has.
    Lock(Row),
    /// It has the row, and is being woken.
    Waking,
    /// It waits for a page.
    Read,
    /// It waits for the flush of its commit.
    Flush,
}
