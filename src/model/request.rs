//! Requests and the scripts that they follow.
//!
//! A request class is a script: time in the application, queries, transactions that hold their connection. It
//! is compiled once into a list of [`Op`]s. Every cost of a request is drawn from its own stream by the place
//! in the script, so that a request is the same in every variant, however long it waits. Latency counts from
//! the intended arrival. Modelled at the client: patience, retries. Left out: the trip between client and
//! service.

use super::breaker::Way;
use super::budget::Budget;
use super::container::Container;
use super::fact::{NodeNumber, SeriesNumber, ServiceNumber};
use crate::engine::agenda::Handle;
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::slab::Id;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{Outcome, Retry};

/// A request under way.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its class.
    pub class: u16,
    /// Class and label, for facts.
    pub series: SeriesNumber,
    /// The source that it came from.
    pub source: u16,
    /// Its number within the source; its retries share it.
    pub number: u64,
    /// 0 for the first, 1 for the first retry.
    pub attempt: u8,
    /// Its intended arrival.
    pub arrived: Time,
    /// Its luck.
    pub luck: Stream,
    /// The luck that it shares with the retries of the same wish.
    pub wish: Stream,
    /// The service that works on it.
    pub service: ServiceNumber,
    /// The container that works on it.
    pub container: Id<Container>,
    /// The next op of its script.
    pub next_op: u32,
    /// What it waits for.
    pub stage: Stage,
    /// The client has its answer, or has left.
    pub ended: bool,
    /// It occupies one of its container's places.
    pub holds_place: bool,
    /// The client's clock.
    pub patience: Handle,
    /// When its time in the service is up.
    pub due: Time,
    /// Whether that is by the handler's own deadline, which gives the work up.
    pub due_by_handler: bool,
    /// The clock on it, if it runs: it begins where the client's clock ends, if that is sooner.
    pub deadline: Handle,
    /// The clock on what it waits for: the application, the acquire.
    pub clock: Handle,
    /// How often its handler has run a step again.
    pub reruns: u8,
    /// The breaker that it goes through with its present step.
    pub tries: Option<Try>,
    /// How it goes through the edge's breaker, unless it has been reported.
    pub watched: Option<Watch>,
    /// The node that it was last given a connection to, of a class that [queries](Class::queries).
    pub node: NodeNumber,
}

/// A request that goes through the breaker of the edge.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// Which way.
    pub way: Way,
    /// The clock after which it counts as failed.
    pub clock: Handle,
}

/// A step that goes through the breaker of an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Try {
    /// The endpoint, in file order.
    pub endpoint: u16,
    /// Which way.
    pub way: Way,
    /// The clock after which it counts as failed.
    pub clock: Handle,
}

const _: () = assert!(size_of::<Request>() <= 176, "a hundred thousand may be under way: keep it small");

/// Where requests come from, and what becomes of them: the same for all of one source.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// The source: traffic first, then devices, then queues.
    pub source: u16,
    /// Their class.
    pub class: u16,
    /// Class and label, for facts.
    pub series: SeriesNumber,
    /// The service that works on them.
    pub service: ServiceNumber,
}

impl Origin {
    /// A request that arrives now: an attempt at the wish with this number.
    #[inline(always)]
    pub fn request(self, now: Time, wish: Stream, number: u64, attempt: u8) -> Request {
        let Origin { source, class, series, service } = self;
        Request {
            class,
            series,
            source,
            number,
            attempt,
            arrived: now,
            luck: wish.at(u64::from(attempt)),
            wish,
            service,
            container: Id::NONE,
            next_op: 0,
            stage: Stage::Pending,
            ended: false,
            holds_place: false,
            patience: Handle::NONE,
            due: Time::NEVER,
            due_by_handler: false,
            deadline: Handle::NONE,
            clock: Handle::NONE,
            reruns: 0,
            tries: None,
            watched: None,
            node: 0,
        }
    }
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A container.
    Pending,
    /// The edge, which answers it.
    Edge,
    /// A queue, which hands it on.
    Queued,
    /// Nothing: its next op can run.
    Running,
    /// The application.
    App,
    /// Its handler, which pauses before it tries again.
    Paused,
    /// A connection, in line at the pool with this place in its container.
    Acquiring {
        /// The pool's place.
        pool: u8,
    },
    /// A dial, or (once it has the connection) nothing.
    Holding {
        /// The connection.
        connection: super::ConnectionId,
        /// What is under way on it.
        doing: Doing,
    },
}

/// What is under way on a connection that a request holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It is being dialled.
    Dial,
    /// It is tried with a ping.
    Ping,
    /// Nothing: the next op can run.
    Nothing,
    /// The application thinks, and holds it meanwhile.
    Think,
    /// A statement.
    Statement,
}

/// One op of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Time in the application.
    App(Dist),
    /// Get a connection from the pool with this place in the container.
    Acquire(u8),
    /// Get a connection to the node behind this endpoint, in file order.
    AcquireAt(u16),
    /// Run this query on the connection.
    Query {
        /// Its number, in file order.
        query: u16,
        /// Whether it is a transaction of its own.
        autocommit: bool,
    },
    /// BEGIN: a round trip, no work to speak of.
    Begin,
    /// COMMIT: a round trip, and the flush of what was written.
    Commit,
    /// Give the connection back.
    Release,
    /// Put work into this queue, in file order.
    Enqueue(u16),
}

/// A request class, ready to run.
#[derive(Clone, Debug)]
pub struct Class {
    /// The service that works on it.
    pub service: ServiceNumber,
    /// What is done, in order.
    pub script: Vec<Op>,
    /// The handler's own deadline.
    pub timeout: Option<Span>,
    /// How long the client waits for one answer.
    pub patience: Option<Span>,
    /// What the client does about a failure.
    pub retry: Option<Retry>,
    /// What all its clients may retry.
    pub budget: Option<Budget>,
    /// What the handler does about a step that failed.
    pub handler_retry: Option<Retry>,
    /// Whether it needs a database.
    pub queries: bool,
    /// Whether it may be served from several places, and is asked from which.
    pub tells: bool,
}

/// How long whoever retries waits before attempt + 1; `None` if it gives up. `luck` is that of each attempt.
pub fn backoff(
    retry: Option<&Retry>,
    outcome: Outcome,
    attempt: u8,
    luck: impl Fn(u8) -> Stream,
) -> Option<Span> {
    let retry = retry?;
    if u32::from(attempt) + 1 >= retry.attempts || !retry.on.contains(&outcome) {
        return None;
    }
    let grown = (0..attempt).fold(retry.backoff.as_secs(), |wait, _| wait * retry.factor);
    let wait = Span::from_secs_f64(grown).min(retry.cap);
    let unit = |attempt| luck(attempt).named("backoff").draws().unit();
    use crate::scenario::grammar::BackoffJitter::{Decorrelated, Equal, Full, None as Fixed};
    Some(match retry.jitter {
        Fixed => wait,
        Full => wait.scale(unit(attempt)),
        Equal => wait.scale(0.5 + unit(attempt) / 2.0),
        Decorrelated => (0..=attempt).fold(retry.backoff, |before, attempt| {
            let most = (before * 3).saturating_sub(retry.backoff);
            (retry.backoff + most.scale(unit(attempt))).min(retry.cap)
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::grammar::BackoffJitter;

    fn retry(jitter: BackoffJitter) -> Retry {
        Retry {
            attempts: 4,
            backoff: Span::from_secs(1),
            factor: 2.0,
            cap: Span::from_secs(3),
            jitter,
            on: vec![Outcome::Unavailable],
            budget: None,
        }
    }

    #[test]
    fn backoff_grows_to_its_cap_and_ends_with_the_attempts() {
        let retry = retry(BackoffJitter::None);
        let wait = |outcome, attempt| backoff(Some(&retry), outcome, attempt, |_| Stream::root(1));
        let waits: Vec<_> = (0..4).map(|attempt| wait(Outcome::Unavailable, attempt)).collect();
        let secs = Span::from_secs;
        assert_eq!(waits, [Some(secs(1)), Some(secs(2)), Some(secs(3)), None]);
        assert_eq!(wait(Outcome::PoolTimeout, 0), None, "not among the retried");
    }

    #[test]
    fn jitter_stays_in_its_range() {
        for (jitter, low) in [(BackoffJitter::Full, 0.0), (BackoffJitter::Equal, 0.5)] {
            for n in 0..1000 {
                let wait = backoff(Some(&retry(jitter)), Outcome::Unavailable, 0, |_| Stream::root(n));
                let wait = wait.unwrap().as_secs();
                assert!((low..=1.0).contains(&wait), "{jitter:?} {wait}");
            }
        }
    }

    /// Each wait lies between the first and three times the one before it, which is the same draw as when it
    /// was waited for.
    #[test]
    fn decorrelated_waits_follow_each_other() {
        let retry = Retry { attempts: 9, cap: Span::from_secs(20), ..retry(BackoffJitter::Decorrelated) };
        for n in 0..200 {
            let wish = Stream::root(n);
            let wait = |attempt: u8| {
                backoff(Some(&retry), Outcome::Unavailable, attempt, |nth| wish.at(nth.into())).unwrap()
            };
            let waits: Vec<Span> = (0..8).map(wait).collect();
            let before = std::iter::once(&retry.backoff).chain(&waits);
            for (before, wait) in before.zip(&waits) {
                assert!((retry.backoff..=(*before * 3).min(retry.cap)).contains(wait), "{waits:?}");
            }
        }
    }
}
