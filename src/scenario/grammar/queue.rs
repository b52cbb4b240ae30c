//! Queues of background work, and what one request sets off through them.

use super::{Distribution, File};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A queue of work that nobody waits for, such as a topic of Pub/Sub with a push subscription: what a step
/// `enqueue` puts into it becomes a request of its own, with the label `background`. Where the service has no
/// room, its pending queue is the backlog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkQueue {
    /// The class as which each is worked on; its `retry` is the redelivery.
    pub request: String,
    /// From `enqueue` to the door of the service: the way through the broker and, for a transactional outbox,
    /// the wait for its relay. Latency counts from `enqueue`.
    pub delay: Distribution,
}

impl File {
    /// The requests that one of this class comes to, itself included: how many of which class. A chain leads
    /// through each queue once: in a checked scenario none leads back.
    pub fn set_off_by<'a>(&'a self, class: &'a str) -> IndexMap<&'a str, f64> {
        let mut all = IndexMap::from([(class, 1.0)]);
        let mut newest = all.clone();
        for _ in 0..self.queue.len() {
            newest = self.enqueued_by(&newest);
            if newest.is_empty() {
                break;
            }
            for (class, count) in &newest {
                *all.entry(class).or_default() += count;
            }
        }
        all
    }

    /// The requests that so many of these classes enqueue.
    fn enqueued_by<'a>(&'a self, requests: &IndexMap<&'a str, f64>) -> IndexMap<&'a str, f64> {
        let mut enqueued: IndexMap<&str, f64> = IndexMap::new();
        for (class, count) in requests {
            let steps = self.request.get(*class).into_iter().flat_map(|request| &request.steps);
            for step in steps {
                if let Some(queue) = step.enqueue.as_ref().and_then(|name| self.queue.get(name)) {
                    *enqueued.entry(&queue.request).or_default() +=
                        count * f64::from(step.times.unwrap_or(1));
                }
            }
        }
        enqueued
    }
}
