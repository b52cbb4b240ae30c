//! What goes into a box and out of it: +1 for a fact that enters one, −1 for a fact that leaves.

use herdsim::model::fact::Fact;

/// Statements, backend starts and sessions of jobs on the CPU.
pub fn active(fact: &Fact) -> i64 {
    match fact {
        Fact::WorkBegan(_) => 1,
        Fact::WorkEnded(_) => -1,
        _ => 0,
    }
}

/// Requests that wait for a connection.
pub fn waiting(fact: &Fact) -> i64 {
    match fact {
        Fact::AcquireQueued(_) => 1,
        Fact::AcquireDequeued(_) => -1,
        _ => 0,
    }
}

/// Connections in use.
pub fn in_use(fact: &Fact) -> i64 {
    match fact {
        Fact::ConnectionAcquired(_) | Fact::DialSucceeded(_) => 1,
        Fact::ConnectionReleased(_) | Fact::UsedClosed(..) => -1,
        _ => 0,
    }
}

/// Requests that wait for a container.
pub fn pending(fact: &Fact) -> i64 {
    match fact {
        Fact::PendingBegan(_) => 1,
        Fact::PendingEnded(_) => -1,
        _ => 0,
    }
}

/// Requests in containers.
pub fn in_flight(fact: &Fact) -> i64 {
    match fact {
        Fact::HandlingBegan(_) => 1,
        Fact::HandlingEnded(_) => -1,
        _ => 0,
    }
}

/// Connections in line for their grant.
pub fn granting(fact: &Fact) -> i64 {
    match fact {
        Fact::GrantQueued(_) => 1,
        Fact::BackendStarted { .. } | Fact::GrantDropped(_) => -1,
        _ => 0,
    }
}

/// Dials under way.
pub fn dialling(fact: &Fact) -> i64 {
    match fact {
        Fact::DialBegan(_) => 1,
        Fact::DialSucceeded(_) | Fact::DialEnded(_) => -1,
        _ => 0,
    }
}

/// Wishes under way.
pub fn wishes(fact: &Fact) -> i64 {
    match fact {
        Fact::WishBegan { .. } => 1,
        Fact::WishEnded { .. } => -1,
        _ => 0,
    }
}
