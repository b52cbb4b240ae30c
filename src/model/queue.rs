//! Queues of background work.
//!
//! In the real world: a handler publishes a message, directly or through a table that a relay reads (an
//! outbox); a broker hands it to a service, and again after a backoff if that fails. Modelled: from `enqueue`
//! on it is a request of its own, which is under way for the queue's delay before it is at the door of its
//! service; redelivery is the retry of its class. A handler that fails after its step has enqueued all the
//! same; one that fails before has not. Left out: what a publisher waits for, messages that are lost, doubled
//! or put in order, a limit on how many a subscriber is given at once (its service's places and pending queue
//! stand for it), the queries of a relay (a job or traffic of its own can stand for them).

use super::request::{Origin, Request};
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::time::Time;

/// A queue, as a source of requests.
#[derive(Clone, Debug)]
pub struct WorkQueue {
    /// What its messages are as requests.
    pub origin: Origin,
    /// From `enqueue` to the door of the service.
    pub delay: Dist,
    /// Its luck.
    pub luck: Stream,
}

impl WorkQueue {
    /// A request that begins now: an attempt at the message with this number.
    pub fn request(&self, now: Time, number: u64, attempt: u8) -> Request {
        self.origin.request(now, self.luck.at(number), number, attempt)
    }
}

/// The number of a message, from the luck of the op that enqueues it: whoever meets the same request in
/// another variant meets the same message.
pub fn number(luck: Stream) -> u64 {
    luck.named("message").draws().below(u64::MAX)
}
