//! What happened: small past-tense facts.
//!
//! Handlers state facts, a [`Recorder`] makes numbers of them; models hold no counters and no histograms. A
//! fact names its place by small numbers, which [`super::build::Places`] turns back into names.

use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Cause, NodeState, Outcome};

/// The number of a service, in file order.
pub type ServiceNumber = u16;
/// The number of a Postgres node, in file order.
pub type NodeNumber = u16;
/// The number of a pool: one for each service and node, in file order, all containers together; then one for
/// each pooler, all processes together.
pub type PoolNumber = u16;
/// The number of a series: one for each request class and label.
pub type SeriesNumber = u16;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// A user wished for something; the first request follows at once.
    WishBegan {
        /// Class and label.
        series: SeriesNumber,
    },
    /// A wish was fulfilled, or given up.
    WishEnded {
        /// Class and label.
        series: SeriesNumber,
        /// Whether it was fulfilled.
        fulfilled: bool,
    },
    /// A client sent a request: the edge may answer it or turn it away, or it is at its service at once.
    RequestArrived {
        /// Class and label.
        series: SeriesNumber,
        /// Its number within its source.
        number: u64,
        /// 0 for the first, 1 for the first retry.
        attempt: u8,
    },
    /// A request ended, as its client sees it.
    RequestEnded {
        /// Class and label.
        series: SeriesNumber,
        /// How.
        outcome: Outcome,
        /// Since its intended arrival.
        latency: Span,
    },
    /// A request found no room and waits for a container.
    PendingBegan(ServiceNumber),
    /// A waiting request found room, or gave up.
    PendingEnded(ServiceNumber),
    /// A container began to work on a request.
    HandlingBegan(ServiceNumber),
    /// A container is done with a request, whether or not the client is still there.
    HandlingEnded(ServiceNumber),
    /// A container began to start.
    ContainerLaunched(ServiceNumber),
    /// A container takes requests.
    ContainerServing(ServiceNumber),
    /// A container has gone.
    ContainerStopped(ServiceNumber),
    /// A request waits for a connection.
    AcquireQueued(PoolNumber),
    /// A request no longer waits for a connection.
    AcquireDequeued(PoolNumber),
    /// A connection has been there since before the run: idle at its pool and, unless a pooler has the other
    /// end, a warm backend at its node.
    ConnectionAdopted {
        /// The pool.
        pool: PoolNumber,
    },
    /// A dial began.
    DialBegan(PoolNumber),
    /// A dial gave a connection, in use by who asked for it or idle.
    DialSucceeded(PoolNumber),
    /// A dial was refused, timed out or was broken off.
    DialEnded(PoolNumber),
    /// An idle connection was handed out.
    ConnectionAcquired(PoolNumber),
    /// A connection in use went idle.
    ConnectionReleased(PoolNumber),
    /// A connection was closed from idle.
    IdleClosed(PoolNumber, Close),
    /// A connection was closed from use.
    UsedClosed(PoolNumber, Close),
    /// A connection was refused, or a session of a job.
    ConnectRefused(NodeNumber),
    /// A client connected to the pooler of a node.
    ClientConnected(NodeNumber),
    /// A client of a pooler left, or was disconnected.
    ClientLeft(NodeNumber),
    /// The pooler of a node refused a client.
    ClientRefused(NodeNumber),
    /// A connection waits to be granted.
    GrantQueued(NodeNumber),
    /// A connection was granted: its backend starts.
    BackendStarted {
        /// The node.
        node: NodeNumber,
        /// Why its pool dialled.
        cause: Cause,
    },
    /// A backend exited.
    BackendExited(NodeNumber),
    /// A waiting connection was dropped before its grant.
    GrantDropped(NodeNumber),
    /// A statement, a backend start or a job began to run on the CPU.
    WorkBegan(NodeNumber),
    /// It left the CPU.
    WorkEnded(NodeNumber),
    /// A node stopped taking connections and dropped all that it had.
    NodeDown(NodeNumber),
    /// A node takes connections again.
    NodeUp(NodeNumber),
    /// A request ended well, of a class that may be served from several places: who served it.
    RequestServed {
        /// Class and label.
        series: SeriesNumber,
        /// Who served it.
        by: ServedBy,
    },
    /// How many containers a service may have at most, from now on.
    CapSet(ServiceNumber, u32),
    /// Whether a scaled service may not launch any more, from now on.
    AtCapTurned(ServiceNumber, bool),
    /// How many cores a node has, from now on.
    CoresSet(NodeNumber, f64),
    /// A statement waits for a row lock.
    LockQueued(NodeNumber),
    /// A statement no longer waits for a row lock.
    LockDequeued(NodeNumber),
    /// A backend waits for the disk: for a page, or for the flush of its commit.
    DiskWaitBegan(NodeNumber),
    /// A backend no longer waits for the disk.
    DiskWaitEnded(NodeNumber),
    /// A replica replayed a commit of this age, and has none left to replay that has come to it.
    Replayed(NodeNumber, Span),
    /// A replica cannot replay, or does not get, what it should have by now; the first of it is of this age.
    FellBehind(NodeNumber, Span),
    /// The machine of a node is in another state than before.
    StateEntered(NodeNumber, NodeState),
    /// A breaker opened or closed: its endpoint, in file order, at a service.
    BreakerTurned {
        /// The service.
        service: ServiceNumber,
        /// The endpoint, in file order.
        endpoint: u16,
        /// Whether it is open.
        open: bool,
    },
    /// The edge began or ceased to answer by itself.
    OutageModeTurned(bool),
    /// A burst of traffic began whose source is not silent: its number, in file order.
    BurstBegan(u16),
    /// A burst of traffic is over.
    BurstEnded(u16),
    /// A job ran: its number, in file order.
    JobBegan(u16),
    /// The last session of a run of a job was done, or none could begin.
    JobEnded(u16),
    /// A session of a job took a connection slot.
    SessionBegan(NodeNumber),
    /// It gave the slot back.
    SessionEnded(NodeNumber),
    /// An event began or ended: its place in the timeline.
    TimelineMoved(u32),
}

/// Who served a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServedBy {
    /// A service, from this node.
    Node(NodeNumber),
    /// A service, without a database.
    Application,
    /// The edge.
    Edge,
}

/// Why a pool closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// It was older than its lifetime.
    Age,
    /// It had been idle for too long, or there were too many idle ones.
    Idle,
    /// It broke, or its statement was cancelled.
    Broken,
    /// Its container stopped.
    Shutdown,
}

/// Makes numbers of facts.
pub trait Recorder {
    /// Takes one fact. Facts come in order of time.
    fn record(&mut self, now: Time, fact: Fact);
}

/// Keeps every fact: for traces, stories and comparisons.
impl Recorder for Vec<(Time, Fact)> {
    fn record(&mut self, now: Time, fact: Fact) {
        self.push((now, fact));
    }
}
