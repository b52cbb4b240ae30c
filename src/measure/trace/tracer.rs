//! The tracer: it looks at the world after everything that happens, and hears what cannot be seen.
//!
//! The requests of a window may go on for long after it, in a fleet that is overloaded for a thousand times
//! as long. Then only they are looked at, and what they hold.

use super::{Backend, ConnectionState, ConnectionTrace, Ear, GaugeTrace, RequestState, RequestTrace, Trace};
use crate::engine::time::{Span, Time};
use crate::measure::gauges;
use crate::model::build::Places;
use crate::model::connection::{Busy, Connection, Leg, Lent};
use crate::model::fact::SeriesNumber;
use crate::model::request::{Request, Stage};
use crate::model::world::World;
use crate::model::{ConnectionId, RequestId};
use crate::scenario::Scenario;
use crate::scenario::grammar::Outcome;
use std::collections::BTreeSet;

/// Gauges are looked at this often at most.
const SAMPLE: Span = Span::from_millis(1);
/// After the window, this often.
const SAMPLE_LATER: Span = Span::from_millis(100);

/// Which requests are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// All that arrive from one instant on and before another.
    Window(Time, Time),
    /// The one of a series that arrives at this instant.
    One(SeriesNumber, Time),
}

impl Followed {
    fn holds(self, request: &Request) -> bool {
        match self {
            Followed::Window(from, to) => request.arrived >= from && request.arrived < to,
            Followed::One(series, arrived) => request.series == series && request.arrived == arrived,
        }
    }

    /// The first instant at which there is something to see.
    pub fn from(self) -> Time {
        match self {
            Followed::Window(from, _) | Followed::One(_, from) => from,
        }
    }

    /// Up to here requests may still come.
    pub fn to(self) -> Time {
        match self {
            Followed::Window(_, to) => to,
            Followed::One(_, arrived) => arrived,
        }
    }
}

/// A request under way.
#[derive(Debug)]
struct Seen {
    id: RequestId,
    /// Its place in the trace.
    place: usize,
    /// What it waited for at the last look, and whether in a container.
    waited: Option<(Stage, bool)>,
}

/// A connection that is open.
#[derive(Debug)]
struct Known {
    id: ConnectionId,
    /// Its place in the trace.
    place: usize,
    /// The last of its states there, so that nobody need look: thousands are asked after every event.
    state: Option<ConnectionState>,
}

/// Looks at the world.
#[derive(Debug)]
pub struct Tracer {
    followed: Followed,
    trace: Trace,
    /// Requests under way.
    requests: Vec<Seen>,
    /// Open connections, by slot.
    connections: Vec<Option<Known>>,
    /// After the window, the slots of those that its requests hold.
    held: Option<BTreeSet<usize>>,
    sampled: Time,
    steps: usize,
}

impl Tracer {
    /// A tracer that follows some requests of a scenario and what they meet.
    pub fn new(scenario: &Scenario, followed: Followed) -> Tracer {
        let places = Places::of(scenario);
        let gauges = gauges::names(&places);
        let gauges = gauges.into_iter().map(|(level, of)| GaugeTrace { level, of, values: vec![] });
        let trace = Trace {
            queries: scenario.file.query.keys().cloned().collect(),
            requests: Vec::new(),
            connections: Vec::new(),
            gauges: gauges.collect(),
            marks: Vec::new(),
            end: Time::ZERO,
            places,
        };
        Tracer {
            followed,
            trace,
            requests: vec![],
            connections: vec![],
            held: None,
            sampled: Time::ZERO,
            steps: 0,
        }
    }

    /// How much has been noted.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Whether every request that is followed has left, and none will come.
    pub fn is_done(&self, now: Time) -> bool {
        let came = match self.followed {
            Followed::Window(_, to) => now >= to,
            Followed::One(..) => !self.trace.requests.is_empty(),
        };
        came && self.requests.is_empty()
    }

    /// Looks at what stands now.
    pub fn look(&mut self, world: &mut World<Ear>) {
        let now = world.now();
        self.trace.end = now;
        let ear = world.recorder_mut();
        let (arrived, ended) = (std::mem::take(&mut ear.arrived), std::mem::take(&mut ear.ended));
        let window = matches!(self.followed, Followed::Window(..));
        let over = now >= self.followed.to();
        if window {
            self.look_at_gauges(world, now, if over { SAMPLE_LATER } else { SAMPLE });
        }
        if window && !over {
            self.look_at_connections(world, now);
        }
        if arrived && now <= self.followed.to() {
            self.look_for_requests(world, now);
        }
        self.look_at_requests(world, now, &ended);
        if window && over {
            self.look_away(now);
        }
    }

    /// What was seen.
    pub fn finish(mut self, world: World<Ear>) -> Trace {
        let from = self.followed.from();
        self.trace.marks = world.into_recorder().marks;
        self.trace.marks.retain(|mark| mark.at >= from);
        self.trace.gauges.retain(|gauge| gauge.values.iter().any(|(_, value)| *value != 0.0));
        self.trace
    }

    fn look_for_requests(&mut self, world: &World<Ear>, now: Time) {
        for (id, request) in world.requests().iter().filter(|(_, request)| request.arrived == now) {
            if self.followed.holds(request) && !self.requests.iter().any(|known| known.id == id) {
                self.requests.push(Seen { id, place: self.trace.requests.len(), waited: None });
                self.trace.requests.push(begun(request));
            }
        }
    }

    fn look_at_requests(&mut self, world: &World<Ear>, now: Time, ended: &[(SeriesNumber, Outcome, Time)]) {
        let mut mine = std::mem::take(&mut self.requests);
        mine.retain_mut(|seen| {
            let request = world.requests().get(seen.id);
            if let Some(request) = request {
                self.look_at_request(world, now, seen, request);
            }
            if ended.is_empty() && request.is_some() {
                return true;
            }
            let trace = &mut self.trace.requests[seen.place];
            if trace.answered.is_none() {
                let (series, arrived) = (trace.series, trace.arrived);
                let answer = ended.iter().find(|one| (one.0, one.2) == (series, arrived));
                trace.answered = answer.map(|one| (now, one.1));
            }
            if request.is_none() {
                trace.left = Some(now);
            }
            request.is_some()
        });
        self.requests = mine;
    }

    fn look_at_request(&mut self, world: &World<Ear>, now: Time, seen: &mut Seen, request: &Request) {
        // Thousands may wait, and nothing but these two tells of those: pools and backends change meanwhile.
        let waits = (request.stage, request.holds_place);
        let alone = !matches!(request.stage, Stage::Acquiring { .. } | Stage::Holding { .. });
        if alone && seen.waited == Some(waits) {
            return;
        }
        seen.waited = Some(waits);
        let state = self.request_state(world, now, request);
        let container = world.container(request.service, request.container).map(|home| home.number);
        let trace = &mut self.trace.requests[seen.place];
        if trace.container.is_none() && request.holds_place {
            trace.container = container.map(|number| (now, number));
        }
        if trace.states.last().is_none_or(|(_, last)| *last != state) {
            trace.states.push((now, state));
            self.steps += 1;
        }
    }

    fn request_state(&mut self, world: &World<Ear>, now: Time, request: &Request) -> RequestState {
        match request.stage {
            Stage::Pending => RequestState::Pending,
            Stage::Edge => RequestState::Edge,
            Stage::Queued => RequestState::Queued,
            Stage::Running => RequestState::Ready,
            Stage::App => RequestState::App,
            Stage::Paused => RequestState::Paused,
            Stage::Acquiring { pool } => {
                let home = world.container(request.service, request.container);
                let pool = home.map(|home| &home.pools[usize::from(pool)]);
                let (open, max) = pool.map_or((0, 0), |pool| (pool.total(), pool.settings().max));
                RequestState::Acquiring { node: request.node, open, max }
            }
            Stage::Holding { connection, doing } => {
                let wire = &world.connections()[connection];
                let place = self.look_at_connection(world, now, connection, wire);
                RequestState::Holding { connection: place, doing, asked: wire.statement.asked }
            }
        }
    }

    fn look_at_connections(&mut self, world: &World<Ear>, now: Time) {
        for (id, wire) in world.connections().iter() {
            self.look_at_connection(world, now, id, wire);
        }
        for known in &mut self.connections {
            if let Some(known) = known.take_if(|known| world.connections().get(known.id).is_none()) {
                self.trace.connections[known.place].states.push((now, None));
            }
        }
    }

    /// From connections that no request of the window holds any more.
    fn look_away(&mut self, now: Time) {
        let holds = |seen: &Seen| match seen.waited {
            Some((Stage::Holding { connection, .. }, _)) => Some(connection.index()),
            _ => None,
        };
        let held: BTreeSet<usize> = self.requests.iter().filter_map(holds).collect();
        let before = self.held.take().unwrap_or_else(|| (0..self.connections.len()).collect());
        for slot in before.difference(&held) {
            if let Some(known) = &mut self.connections[*slot]
                && known.state.take().is_some()
            {
                self.trace.connections[known.place].states.push((now, None));
            }
        }
        self.held = Some(held);
    }

    /// Notes what has become of a connection; says its place in the trace.
    fn look_at_connection(
        &mut self,
        world: &World<Ear>,
        now: Time,
        id: ConnectionId,
        wire: &Connection,
    ) -> usize {
        let backend = backend_of(world, wire);
        let (client, server) = (wire.client.state, wire.server.state);
        let state = Some(ConnectionState { client, server, backend });
        if let Some(Some(known)) = self.connections.get_mut(id.index())
            && known.id == id
        {
            if known.state != state {
                known.state = state;
                self.trace.connections[known.place].states.push((now, state));
                self.steps += 1;
            }
            return known.place;
        }
        self.connections.resize_with(self.connections.len().max(id.index() + 1), || None);
        let place = self.trace.connections.len();
        let before = self.connections[id.index()].replace(Known { id, place, state });
        if let Some(gone) = before.filter(|known| known.state.is_some()) {
            self.trace.connections[gone.place].states.push((now, None));
        }
        self.steps += 1;
        let home = (wire.leg != Leg::Back).then(|| world.container(wire.service, wire.container)).flatten();
        let container = home.map_or(0, |home| home.number);
        self.trace.connections.push(ConnectionTrace {
            service: wire.service,
            container,
            node: wire.node,
            leg: wire.leg,
            number: wire.number,
            cause: wire.client.cause,
            states: vec![(now, state)],
        });
        place
    }

    fn look_at_gauges(&mut self, world: &mut World<Ear>, now: Time, often: Span) {
        if now < self.sampled + often {
            return;
        }
        self.sampled = now;
        for (gauge, value) in self.trace.gauges.iter_mut().zip(world.recorder_mut().gauges.values()) {
            if gauge.values.last().is_none_or(|(_, last)| *last != value) {
                gauge.values.push((now, value));
                self.steps += 1;
            }
        }
    }
}

/// What the backend at the end of a connection does, or behind the pooler there.
fn backend_of(world: &World<Ear>, wire: &Connection) -> Backend {
    let busy = match wire.server.lent {
        Lent::Line | Lent::Dial(_) => return Backend::Line,
        Lent::Pinged(lent) | Lent::Working(lent) => {
            world.connections().get(lent).map(|lent| lent.server.busy)
        }
        Lent::Nothing | Lent::Resting(_) => None,
    };
    match busy.unwrap_or(wire.server.busy) {
        Busy::No => Backend::Idle,
        Busy::Cpu(_) => Backend::Cpu,
        Busy::Lock(row) => Backend::Lock(row),
        Busy::Waking => Backend::Waking,
        Busy::Read => Backend::Read,
        Busy::Flush => Backend::Flush,
    }
}

fn begun(request: &Request) -> RequestTrace {
    RequestTrace {
        series: request.series,
        number: request.number,
        attempt: request.attempt,
        service: request.service,
        arrived: request.arrived,
        container: None,
        states: Vec::new(),
        answered: None,
        left: None,
    }
}
