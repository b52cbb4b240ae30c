//! A window of time as a trace in Chrome's JSON format, which Perfetto (ui.perfetto.dev) opens.
//!
//! A *process* is a service's door, a container, a pooler or a Postgres node; a *thread* is a lane of
//! requests in one of them, or a connection. Requests that overlap take the lowest free lane. A connection
//! has one thread at the box that dialled it (dialling, in use) and one at the other (grant, start, CPU,
//! waits). Gauges are counters; events of the timeline are instants. Times are microseconds since the start
//! of the run.

use super::segments;
use crate::engine::time::Time;
use crate::measure::trace::{Backend, ConnectionState, ConnectionTrace, RequestTrace, Trace};
use crate::model::connection::{ClientState, Leg, ServerState};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Threads of connections come after those of requests.
const CONNECTIONS: u64 = 100_000;

/// Where things are drawn: the door of a service, a container, a pooler, a node. The order is that on the
/// page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Process {
    Door(u16),
    Container(u16, u64),
    Pooler(u16),
    Node(u16),
}

/// The text of the trace file.
pub fn json(trace: &Trace) -> String {
    let pids = pids(trace);
    let mut events: Vec<Value> = Vec::new();
    for (process, pid) in &pids {
        let name = json!({ "name": process_name(trace, *process) });
        events.push(json!({ "ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": name }));
    }
    let mut lanes: BTreeMap<Process, Vec<Time>> = BTreeMap::new();
    for request in &trace.requests {
        let process = home(request);
        let lane = lane(lanes.entry(process).or_default(), request, trace.end);
        push_request(&mut events, trace, request, (pids[&process], lane));
    }
    let mut threads = BTreeMap::new();
    for connection in &trace.connections {
        push_connection(&mut events, trace, connection, &pids, &mut threads);
    }
    for gauge in &trace.gauges {
        let name = format!("{} of {}", gauge.level, gauge.of);
        let samples = gauge.values.iter().map(|(at, value)| {
            json!({ "ph": "C", "name": name, "pid": 0, "ts": micros(*at), "args": { "value": value } })
        });
        events.extend(samples);
    }
    for mark in &trace.marks {
        let name = format!("{} {}", mark.event, if mark.begins { "begins" } else { "ends" });
        events.push(json!({ "ph": "i", "s": "g", "name": name, "pid": 0, "tid": 0, "ts": micros(mark.at) }));
    }
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    format!("{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{}\n]}}\n", lines.join(",\n"))
}

fn pids(trace: &Trace) -> BTreeMap<Process, u64> {
    let of_requests = trace.requests.iter().map(home);
    let of_connections = trace.connections.iter().flat_map(ends);
    let mut all: Vec<Process> = of_requests.chain(of_connections).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().zip(1..).collect()
}

fn process_name(trace: &Trace, process: Process) -> String {
    match process {
        Process::Door(service) => format!("{}: no container", trace.places.services[usize::from(service)]),
        Process::Container(service, number) => {
            format!("{} container {number}", trace.places.services[usize::from(service)])
        }
        Process::Pooler(node) => format!("pooler of {}", trace.places.nodes[usize::from(node)]),
        Process::Node(node) => format!("postgres {}", trace.places.nodes[usize::from(node)]),
    }
}

/// Who has the client's end of a connection, and who the server's.
fn ends(connection: &ConnectionTrace) -> [Process; 2] {
    let container = Process::Container(connection.service, connection.container);
    let (pooler, node) = (Process::Pooler(connection.node), Process::Node(connection.node));
    match connection.leg {
        Leg::Direct => [container, node],
        Leg::Front => [container, pooler],
        Leg::Back => [pooler, node],
    }
}

fn home(request: &RequestTrace) -> Process {
    match request.container {
        Some((_, number)) => Process::Container(request.service, number),
        None => Process::Door(request.service),
    }
}

/// The lowest lane that is free when a request arrives.
fn lane(lanes: &mut Vec<Time>, request: &RequestTrace, end: Time) -> u64 {
    let until = request.left.unwrap_or(end);
    let free = lanes.iter().position(|busy| *busy <= request.arrived);
    let lane = free.unwrap_or(lanes.len());
    match free {
        Some(lane) => lanes[lane] = until,
        None => lanes.push(until),
    }
    lane as u64 + 1
}

fn push_request(events: &mut Vec<Value>, trace: &Trace, request: &RequestTrace, (pid, tid): (u64, u64)) {
    let series = &trace.places.series[usize::from(request.series)];
    let answered = request.answered.map(|(at, outcome)| (micros(at), outcome.name()));
    let args = json!({
        "number": request.number, "attempt": request.attempt,
        "outcome": answered.map(|answer| answer.1), "answered_us": answered.map(|answer| answer.0),
    });
    let whole = (request.arrived, request.left.unwrap_or(trace.end));
    events.push(slice(&series.class, whole, (pid, tid), args));
    for segment in segments(trace, request) {
        let name = match segment.part_of.as_str() {
            "" => segment.phase.to_owned(),
            part => format!("{part}: {}", segment.phase),
        };
        events.push(slice(&name, (segment.from, segment.to), (pid, tid), json!({})));
    }
}

fn push_connection(
    events: &mut Vec<Value>,
    trace: &Trace,
    connection: &ConnectionTrace,
    pids: &BTreeMap<Process, u64>,
    threads: &mut BTreeMap<Process, u64>,
) {
    let [at_client, at_server] = ends(connection).map(|process| {
        let thread = threads.entry(process).or_insert(CONNECTIONS);
        *thread += 1;
        (pids[&process], *thread)
    });
    let node = &trace.places.nodes[usize::from(connection.node)];
    let number = connection.number;
    events.push(thread_name(at_client, format!("{node} connection {number}")));
    let client = match connection.leg {
        Leg::Back => "pooler".to_owned(),
        Leg::Direct | Leg::Front => {
            let service = &trace.places.services[usize::from(connection.service)];
            format!("{service} {}", connection.container)
        }
    };
    events.push(thread_name(at_server, format!("{client} connection {number}")));
    let ends = connection.states.iter().skip(1).map(|(at, _)| *at);
    for ((from, state), to) in connection.states.iter().zip(ends.chain([trace.end])) {
        let Some(state) = state else { continue };
        let args = || json!({ "cause": connection.cause.name() });
        if let Some(name) = client_name(state) {
            events.push(slice(name, (*from, to), at_client, args()));
        }
        if let Some(name) = server_name(connection.leg, state) {
            events.push(slice(name, (*from, to), at_server, args()));
        }
    }
}

fn client_name(state: &ConnectionState) -> Option<&'static str> {
    match state.client {
        ClientState::Dialling => Some("dialling"),
        ClientState::InUse => Some("in use"),
        ClientState::Idle | ClientState::Closed => None,
    }
}

fn server_name(leg: Leg, state: &ConnectionState) -> Option<&'static str> {
    match (state.server, state.backend) {
        (ServerState::Granting, _) if leg == Leg::Front => Some("login"),
        (ServerState::Granting, _) => Some("wait for the grant"),
        (ServerState::Starting, _) => Some("start"),
        (_, Backend::Idle) => None,
        (_, Backend::Line) => Some("wait in line"),
        (_, Backend::Cpu) => Some("CPU"),
        (_, Backend::Lock(_)) => Some("row lock"),
        (_, Backend::Waking) => Some("wake-up"),
        (_, Backend::Read) => Some("page read"),
        (_, Backend::Flush) => Some("flush"),
    }
}

fn thread_name((pid, tid): (u64, u64), name: String) -> Value {
    json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": { "name": name } })
}

fn slice(name: &str, (from, to): (Time, Time), (pid, tid): (u64, u64), args: Value) -> Value {
    let dur = to.since(from).as_millis() * 1e3;
    json!({ "ph": "X", "name": name, "pid": pid, "tid": tid, "ts": micros(from), "dur": dur, "args": args })
}

fn micros(at: Time) -> f64 {
    at.0 as f64 / 1e3
}
