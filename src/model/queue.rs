//! Queues of background work.
//!
//! In the real world: a handler publishes a message, directly or through a table that a relay reads (an
//! outbox); a broker hands it to a service, and again after a backoff if that fails. Modelled: from `enqueue`
//! on it is a request of its own, which is under way for the queue's delay before it is at the door of its
//! service; redelivery is the retry of its class. A handler that fails after its step has enqueued all the
//! same; one that fails before has not. Left out: what a publisher waits for, messages that are lost, doubled
//! or put in order, a limit on how many a subscriber is given at once (its service's places and pending queue
//! stand for it), the queries of a relay (a job or traffic of its own can stand for them).

use super::fact::{SeriesNumber, ServiceNumber};
use super::request::Request;
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::time::Time;

/// A queue: a source of requests, numbered after those of traffic and devices.
#[derive(Clone, Debug)]
pub struct WorkQueue {
    /// The class as which each message is worked on.
    pub class: u16,
    /// The service that works on them.
    pub service: ServiceNumber,
    /// Class and label, for facts.
    pub series: SeriesNumber,
    /// From `enqueue` to the door of the service.
    pub delay: Dist,
    /// Its luck.
    pub luck: Stream,
}

impl WorkQueue {
    /// A request that begins now: an attempt at the message with this number.
    pub fn request(&self, now: Time, source: u16, number: u64, attempt: u8) -> Request {
        let wish = self.luck.at(number);
        let luck = wish.at(u64::from(attempt));
        let (class, series, service) = (self.class, self.series, self.service);
        Request { class, series, source, number, attempt, wish, service, ..Request::new(now, luck) }
    }
}

/// The number of a message, from the luck of the op that enqueues it: whoever meets the same request in
/// another variant meets the same message.
pub fn number(luck: Stream) -> u64 {
    luck.named("message").draws().below(u64::MAX)
}
