//! Traces on paper: one request's story for people, a window of time for a trace viewer.
//!
//! Both show *segments*: what a request did or waited for, until the next. While it waits for a dial or a
//! statement, the segments are those of the backend at the other end, as the wait events of
//! `pg_stat_activity` would tell them; what is left of such a wait is the network.

pub mod perfetto;
pub mod story;

use crate::engine::time::{Span, Time};
use crate::measure::trace::{Backend, ConnectionState, RequestState, RequestTrace, Trace};
use crate::model::connection::{Asked, Leg, ServerState};
use crate::model::request::Doing;

/// A stretch of a request's life in which one thing went on.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// What it is part of: `lookup`, `dial of primary`; empty where it stands for itself.
    pub part_of: String,
    /// What went on.
    pub phase: &'static str,
}

impl Segment {
    /// How long it lasted.
    pub fn lasting(&self) -> Span {
        self.to.since(self.from)
    }
}

/// The segments of a request, in order; those of no length are left out.
pub fn segments(trace: &Trace, request: &RequestTrace) -> Vec<Segment> {
    let end = request.left.unwrap_or(trace.end);
    let ends = request.states.iter().skip(1).map(|(at, _)| *at).chain([end]);
    let mut segments = Vec::new();
    for ((from, state), to) in request.states.iter().zip(ends) {
        let (from, whole) = (*from, (*from, to));
        match *state {
            RequestState::Ready => {}
            RequestState::Holding { doing: Doing::Nothing, .. } => {}
            RequestState::Holding { doing: Doing::Think, .. } => {
                push(&mut segments, whole, "think", "application");
            }
            RequestState::Holding { connection, doing, asked } => {
                let wire = &trace.connections[connection];
                let node = &trace.places.nodes[usize::from(wire.node)];
                let part_of = match (doing, asked) {
                    (Doing::Dial, _) => format!("dial of {node}"),
                    (Doing::Ping, _) => "ping".to_owned(),
                    (_, Asked::Query { query, .. }) => trace.queries[usize::from(query)].clone(),
                    (_, Asked::Commit) => "COMMIT".to_owned(),
                    (_, Asked::Nothing | Asked::Begin) => "BEGIN".to_owned(),
                };
                let ends = wire.states.iter().skip(1).map(|(at, _)| *at).chain([Time(u64::MAX)]);
                for ((begun, state), until) in wire.states.iter().zip(ends) {
                    let (begun, until) = ((*begun).max(from), until.min(to));
                    if let Some(state) = state
                        && begun < until
                    {
                        push(&mut segments, (begun, until), &part_of, phase(wire.leg, state));
                    }
                }
            }
            other => push(&mut segments, whole, "", plain(other)),
        }
    }
    segments
}

fn push(segments: &mut Vec<Segment>, (from, to): (Time, Time), part_of: &str, phase: &'static str) {
    match segments.last_mut() {
        Some(last) if last.to == from && last.phase == phase && last.part_of == part_of => last.to = to,
        _ if from < to => {
            segments.push(Segment { from, to, part_of: part_of.to_owned(), phase });
        }
        _ => {}
    }
}

fn plain(state: RequestState) -> &'static str {
    match state {
        RequestState::Pending => "wait for a container",
        RequestState::Edge => "edge",
        RequestState::Queued => "queue",
        RequestState::App => "application",
        RequestState::Paused => "pause before the next try",
        RequestState::Acquiring { .. } => "wait for a connection",
        RequestState::Ready | RequestState::Holding { .. } => "ready",
    }
}

/// What the far end of a connection does while a request waits for it.
fn phase(leg: Leg, state: &ConnectionState) -> &'static str {
    match (state.server, state.backend) {
        (ServerState::Granting, _) if leg == Leg::Front => "login at the pooler",
        (ServerState::Granting, _) => "wait for the grant",
        (ServerState::Starting, _) => "start of the backend",
        (_, Backend::Idle) => "network",
        (_, Backend::Line) => "wait at the pooler",
        (_, Backend::Cpu) => "CPU",
        (_, Backend::Lock(_)) => "row lock",
        (_, Backend::Waking) => "wake-up with the row",
        (_, Backend::Read) => "page read",
        (_, Backend::Flush) => "flush of the commit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::trace::{RequestSearch, find, trace};
    use crate::measure::trace::Followed;
    use crate::scenario::Document;

    /// The requests of the first moments after the database has restarted: every kind of wait.
    fn traced() -> Trace {
        let text = include_str!("../../../scenarios/quickstart.toml");
        let (document, _) = Document::from_text("quickstart.toml", text).expect("a sound scenario");
        let window = Followed::Window(Time(61_000_000_000), Time(61_300_000_000));
        trace(document.scenario("jitter").expect("a variant"), 1, window).expect("a short one")
    }

    #[test]
    fn the_segments_of_a_request_are_its_whole_time() {
        let trace = traced();
        assert!(trace.requests.len() > 300, "{} requests", trace.requests.len());
        let mut phases: Vec<&str> = Vec::new();
        for request in &trace.requests {
            let segments = segments(&trace, request);
            let lasting: u64 = segments.iter().map(|segment| segment.lasting().0).sum();
            let left = request.left.expect("a trace ends when all have left");
            assert_eq!(lasting, left.since(request.arrived).0, "{request:?}");
            assert!(segments.windows(2).all(|pair| pair[0].to == pair[1].from));
            phases.extend(segments.iter().map(|segment| segment.phase));
        }
        for phase in ["application", "wait for the grant", "start of the backend", "CPU", "network"] {
            assert!(phases.contains(&phase), "nothing had {phase}");
        }
    }

    #[test]
    fn a_request_is_found_by_what_it_suffered_and_followed_alone() {
        let text = include_str!("../../../scenarios/quickstart.toml");
        let (document, _) = Document::from_text("quickstart.toml", text).expect("a sound scenario");
        let scenario = document.scenario("jitter").expect("a variant");
        let (from, to) = (Time(61_000_000_000), Time(61_300_000_000));
        let search = RequestSearch {
            from,
            to,
            class: Some("sign-in".into()),
            label: None,
            outcome: None,
            first: false,
        };
        let found = find(scenario, 1, &search).expect("there are requests");
        let alone = trace(scenario, 1, Followed::One(found.series, found.arrived)).expect("one request");
        let all = traced();
        let slowest = all
            .requests
            .iter()
            .max_by_key(|request| request.answered.map_or(Span::ZERO, |(at, _)| at.since(request.arrived)));
        let slowest = slowest.expect("there are requests");
        assert_eq!((alone.requests.len(), alone.requests[0].arrived), (1, slowest.arrived));
        assert_eq!(segments(&alone, &alone.requests[0]), segments(&all, slowest), "however it is watched");
        let answered = alone.requests[0].answered.expect("an answer");
        assert_eq!((answered.0.since(found.arrived), answered.1), (found.latency, found.outcome));
    }
}
