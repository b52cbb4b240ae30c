//! The agenda's events: messages and clocks, by receiver. Names say what happened to the receiver.
//!
//! In the real world: packets that arrive and timers that ring. Modelled: both are what is due at a box at an
//! instant; bulky things stay in slabs and events name them. A message to what is gone meanwhile is the
//! receiver's affair: it is lost, or answered with a reset. Left out: packets that are lost, doubled or
//! overtake each other on one connection, but by a trip that is random.

use super::connection::{Call, News};
use super::fact::{NodeNumber, ServiceNumber};
use super::{ConnectionId, ContainerId, RequestId};
use crate::scenario::grammar::Outcome;

/// Something that is due at a box.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// At a source of traffic.
    Source(u16, SourceEvent),
    /// At a service or one of its containers.
    Service(ServiceNumber, ServiceEvent),
    /// At a Postgres node.
    Node(NodeNumber, NodeEvent),
    /// At the pooler in front of a Postgres node.
    Pooler(NodeNumber, PoolerEvent),
    /// The edge has answered.
    EdgeAnswered(RequestId),
    /// A queue hands work on.
    WorkDelivered(RequestId),
    /// A request that the edge watches has taken so long that it counts as failed.
    WatchExpired(RequestId),
    /// The next moment of the timeline.
    MomentCame(u32),
}

/// What happens at a source.
#[derive(Clone, Copy, Debug)]
pub enum SourceEvent {
    /// The next request arrives.
    Arrived,
    /// A burst begins or ends.
    BurstTurned,
    /// A device refreshes its token.
    RefreshDue {
        /// Which loop of a device.
        device: u32,
        /// Its how-manieth refresh.
        refresh: u32,
    },
    /// A client tries again.
    RetryDue {
        /// The attempt that begins.
        attempt: u8,
        /// The number of the request within its source.
        number: Halves,
    },
}

/// A large number in two: with eight-byte alignment events would be larger. Of the number of a device's
/// request the high half is the loop and the low half its how-manieth refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halves {
    /// The greater digits.
    pub high: u32,
    /// The smaller ones.
    pub low: u32,
}

impl Halves {
    /// Of a number.
    pub fn of(number: u64) -> Halves {
        Halves { high: (number >> 32) as u32, low: number as u32 }
    }

    /// The number.
    pub fn joined(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }
}

/// What happens at a service.
#[derive(Clone, Copy, Debug)]
pub enum ServiceEvent {
    /// The client gave up.
    PatienceEnded(RequestId),
    /// The request's time in the service is up.
    DeadlinePassed(RequestId),
    /// The request has waited too long for a container.
    PendingExpired(RequestId),
    /// The application is done with a step.
    AppFinished(RequestId),
    /// The request has waited too long for a connection.
    AcquireExpired(RequestId),
    /// The next container of a rollout begins to start.
    LaunchDue,
    /// A container is ready.
    BootFinished(ContainerId),
    /// The autoscaler looks at what the service carries.
    ScalerTicked,
    /// A container that is no longer wanted has stayed long enough.
    RetentionEnded(ContainerId),
    /// A draining container's time is up.
    DrainExpired(ContainerId),
    /// A pool's periodic sweep, or (`asked`) one more that the pool asked for.
    SweepDue {
        /// Whose.
        container: ContainerId,
        /// Which of its pools.
        pool: u8,
        /// Not periodic.
        asked: bool,
    },
    /// A pool's refill after a close.
    RefillDue {
        /// Whose.
        container: ContainerId,
        /// Which of its pools.
        pool: u8,
    },
    /// A connection is ready to use.
    ConnectSucceeded(ConnectionId),
    /// A connection was refused.
    ConnectRefused(ConnectionId),
    /// A dial has taken too long.
    ConnectExpired(ConnectionId),
    /// A statement was answered; or it ended with this outcome.
    StatementAnswered(ConnectionId, Outcome),
    /// A statement has taken too long.
    QueryExpired(ConnectionId),
    /// A step that goes through a breaker has taken so long that it counts as failed.
    TryExpired(RequestId),
    /// A connection was reset by the server.
    ConnectionReset(ConnectionId),
}

/// What happens at a Postgres node.
#[derive(Clone, Copy, Debug)]
pub enum NodeEvent {
    /// A request to connect arrived.
    ConnectArrived(ConnectionId),
    /// The connection being granted is granted.
    GrantFinished,
    /// A statement arrived.
    StatementArrived(ConnectionId),
    /// The first job on the CPU is done.
    WorkFinished,
    /// A statement has run for too long.
    StatementExpired(ConnectionId),
    /// The client closed the connection.
    ConnectionClosed(ConnectionId),
    /// The client gave up a transaction and kept the connection.
    RollbackArrived(ConnectionId),
    /// The row lock that a statement waited for is its own, and it has been woken.
    LockWoken(ConnectionId),
    /// A statement has waited for a row lock for too long.
    LockExpired(ConnectionId),
    /// A page that a statement missed has been read.
    PageRead(ConnectionId),
    /// The leader of a flush has waited for others long enough, or the flush is done.
    FlushMoved,
    /// A flush of the primary, of this time (its low and high half), is due to be replayed here.
    FlushDue(Halves),
    /// A background job begins.
    JobDue(u16),
    /// A part of a recovery is over.
    RecoveryMoved,
    /// High availability has missed this node for too long.
    HeartbeatsMissed,
}

/// What happens at a pooler.
#[derive(Clone, Copy, Debug)]
pub enum PoolerEvent {
    /// A client said something.
    Called(ConnectionId, Call),
    /// The node said something.
    Told(ConnectionId, News),
    /// A process is done with the first message of those that it has.
    MessageHandled(u8),
    /// A client has waited too long for a connection to the node.
    WaitExpired(ConnectionId),
    /// A dial of the node has taken too long.
    DialExpired(ConnectionId),
    /// The node has taken too long over a statement.
    QueryExpired(ConnectionId),
    /// The periodic sweep of a process, or (`asked`) one more that its pool asked for.
    SweepDue {
        /// Which.
        process: u8,
        /// Not periodic.
        asked: bool,
    },
    /// The refill of a process after a close.
    RefillDue(u8),
}

const _: () = assert!(size_of::<Event>() <= 24, "an event is copied all the time: keep it small");
