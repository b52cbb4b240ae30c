//! What every box works with: the agenda, the requests and connections on their way, and the ear of the
//! recorder.
//!
//! In the real world: the network between the boxes, and the clients at its end. Modelled: a message takes
//! one trip, a handshake several, each drawn for itself; a request that ends is told to its client, who tries
//! again after a backoff as its class and its budget allow. Left out: bandwidth, the trip between client and
//! service, clients that come back by themselves.

use super::breaker::Way;
use super::connection::{Call, Connection, Leg, News, ServerState};
use super::device::Devices;
use super::edge::Edge;
use super::event::{Event, Halves, NodeEvent, PoolerEvent, ServiceEvent, SourceEvent};
use super::fact::{Fact, PoolNumber, Recorder, SeriesNumber, ServedBy};
use super::pool::{Action, From};
use super::postgres::Query;
use super::queue::{self, WorkQueue};
use super::request::{Class, Request, Stage, Watch, backoff};
use super::{ConnectionId, RequestId};
use crate::engine::agenda::{Agenda, Handle};
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::slab::Slab;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::Outcome;

/// The world beside the boxes.
#[derive(Debug)]
pub struct Context<R> {
    /// What is due.
    pub agenda: Agenda<Event>,
    /// Who listens.
    pub recorder: R,
    /// Requests under way.
    pub requests: Slab<Request>,
    /// Connections that have an end open.
    pub connections: Slab<Connection>,
    /// Request classes, in file order.
    pub classes: Vec<Class>,
    /// What each query needs, in file order, as it stands.
    pub queries: Vec<Query>,
    /// One trip between a container and a node, as it stands.
    pub trip: Dist,
    /// One trip between a container and the pooler of each node, and between that and the node, as they
    /// stand.
    pub pooler_trips: Vec<Option<[Dist; 2]>>,
    /// What stands before the services.
    pub edge: Edge,
    /// Where the sources end and the devices begin, and the devices.
    pub devices: (u16, Vec<Devices>),
    /// Where the devices end and the queues begin, as sources, and the queues.
    pub queues: (u16, Vec<WorkQueue>),
    /// The luck of everything.
    pub luck: Stream,
}

impl<R: Recorder> Context<R> {
    /// The present instant.
    pub fn now(&self) -> Time {
        self.agenda.now()
    }

    /// States a fact.
    #[inline(always)]
    pub fn fact(&mut self, fact: Fact) {
        self.recorder.record(self.agenda.now(), fact);
    }

    /// States what follows from a call to a pool, before the box around it carries it out.
    #[inline(always)]
    pub fn state_action(&mut self, pool: PoolNumber, action: Action) {
        match action {
            Action::Give { from: From::Idle, .. } => self.fact(Fact::ConnectionAcquired(pool)),
            Action::Give { from: From::Dial, .. } => self.fact(Fact::DialSucceeded(pool)),
            Action::Queue(_) => self.fact(Fact::AcquireQueued(pool)),
            Action::Dequeue(_) => self.fact(Fact::AcquireDequeued(pool)),
            Action::Dial(_) => self.fact(Fact::DialBegan(pool)),
            Action::Rest(_, from) => {
                if from == From::Dial {
                    self.fact(Fact::DialSucceeded(pool));
                }
                self.fact(Fact::ConnectionReleased(pool));
            }
            Action::Shut(_, why, From::Idle) => self.fact(Fact::IdleClosed(pool, why)),
            Action::Shut(_, why, From::Use) => self.fact(Fact::UsedClosed(pool, why)),
            Action::Shut(_, _, From::Dial) => self.fact(Fact::DialEnded(pool)),
            Action::Give { from: From::Use, .. }
            | Action::AwaitDial(..)
            | Action::Refuse(_)
            | Action::SweepAfter(_)
            | Action::RefillAfter(_) => {}
        }
    }

    /// Schedules a clock that runs for the same span every time.
    pub fn clock(&mut self, span: Span, event: Event) -> Handle {
        let lane = self.agenda.lane(span);
        self.agenda.after_lane(lane, event)
    }

    /// The client's end of a connection says something: the server hears it a trip later.
    pub fn call(&mut self, luck: Stream, connection: ConnectionId, call: Call) {
        self.send(luck, connection, heard_by_server(&self.connections[connection], connection, call));
    }

    /// The server's end of a connection says something: the client hears it a trip later.
    pub fn tell(&mut self, luck: Stream, connection: ConnectionId, news: News) {
        self.send(luck, connection, heard_by_client(&self.connections[connection], connection, news));
    }

    /// The client wants to connect: the server hears of it after so many round trips, but for the last
    /// answer.
    pub fn dial(&mut self, connection: ConnectionId, handshake_trips: u32) {
        let wire = &self.connections[connection];
        let (mut draws, trip) = (wire.luck.named("dial").draws(), self.trip_of(wire));
        let trips = 2 * handshake_trips - 1;
        let wait = (0..trips).fold(Span::ZERO, |sum, _| sum + trip.sample(&mut draws));
        let event = heard_by_server(wire, connection, Call::Connect);
        self.agenda.after(wait, event);
    }

    /// The client closes its end: the server hears of it after a trip, unless its own end is closed.
    pub fn hang_up(&mut self, connection: ConnectionId) {
        let wire = &self.connections[connection];
        let (clock, luck, server) = (wire.client.clock, wire.luck, wire.server.state);
        self.agenda.cancel(clock);
        if server == ServerState::Gone {
            self.bury_if_over(connection);
        } else {
            self.call(luck.named("close"), connection, Call::Close);
        }
    }

    /// Sends a message that takes one trip.
    #[inline]
    fn send(&mut self, luck: Stream, connection: ConnectionId, event: Event) {
        let trip = self.trip_of(&self.connections[connection]);
        if let Dist::Constant(span) = trip {
            let span = *span;
            self.clock(span, event);
        } else {
            let trip = trip.sample(&mut luck.draws());
            self.agenda.after(trip, event);
        }
    }

    /// One trip along a connection.
    #[inline(always)]
    fn trip_of(&self, wire: &Connection) -> &Dist {
        let of_pooler = || self.pooler_trips[usize::from(wire.node)].as_ref().expect("a leg has its pooler");
        match wire.leg {
            Leg::Direct => &self.trip,
            Leg::Front => &of_pooler()[0],
            Leg::Back => &of_pooler()[1],
        }
    }

    /// Lets go of a connection when neither end is open any more.
    pub fn bury_if_over(&mut self, connection: ConnectionId) {
        if self.connections[connection].is_over() {
            self.connections.remove(connection);
        }
    }

    /// A client sends a request: its first, or a retry. The caller hands it to the service.
    #[inline(always)]
    pub fn begin_request(&mut self, request: Request) -> RequestId {
        let (series, number, attempt) = (request.series, request.number, request.attempt);
        let now = self.now();
        if attempt == 0 {
            self.fact(Fact::WishBegan { series });
            if let Some(budget) = &mut self.classes[usize::from(request.class)].budget {
                budget.deposit(now);
            }
        }
        self.fact(Fact::RequestArrived { series, number, attempt });
        let patience = self.classes[usize::from(request.class)].patience;
        let service = request.service;
        let id = self.requests.insert(request);
        if let Some(patience) = patience {
            self.requests[id].patience =
                self.clock(patience, Event::Service(service, ServiceEvent::PatienceEnded(id)));
        }
        id
    }

    /// The edge turns a request away: it never reaches its service.
    pub fn reject_request(&mut self, id: RequestId) {
        self.end_request(id, Outcome::TooManyRequests);
        self.requests.remove(id);
    }

    /// A client has its answer, or leaves: nothing if it had or did before. It may try again.
    pub fn end_request(&mut self, id: RequestId, outcome: Outcome) {
        let now = self.now();
        let request = &mut self.requests[id];
        if request.ended {
            return;
        }
        request.ended = true;
        let (series, source, number, attempt) =
            (request.series, request.source, request.number, request.attempt);
        let (patience, wish, class) = (request.patience, request.wish, usize::from(request.class));
        let latency = now - request.arrived;
        self.agenda.cancel(patience);
        self.fact(Fact::RequestEnded { series, outcome, latency });
        self.end_watch(id, outcome == Outcome::Ok);
        let class = &mut self.classes[class];
        let wait = backoff(class.retry.as_ref(), outcome, attempt, |attempt| wish.at(attempt.into()));
        match wait.filter(|_| class.budget.as_mut().is_none_or(|budget| budget.withdraw(now))) {
            Some(wait) => {
                let again = SourceEvent::RetryDue { attempt: attempt + 1, number: Halves::of(number) };
                self.agenda.after(wait, Event::Source(source, again));
            }
            None => self.end_wish(series, source, number, outcome == Outcome::Ok),
        }
    }

    /// A user has what was wished for, or gives up. A device begins its next refresh some time later.
    fn end_wish(&mut self, series: SeriesNumber, source: u16, number: u64, fulfilled: bool) {
        self.fact(Fact::WishEnded { series, fulfilled });
        let (first, devices) = &self.devices;
        if source >= *first
            && let Some(devices) = devices.get(usize::from(source - first))
        {
            let (wait, event) = devices.next(number, fulfilled);
            self.agenda.after(wait, Event::Source(source, event));
        }
    }

    /// An op of a request puts work into a queue: it is under way from here on.
    #[inline(never)]
    pub fn enqueue(&mut self, place: u16, luck: Stream) {
        let queue = &self.queues.1[usize::from(place)];
        let work = queue.request(self.agenda.now(), queue::number(luck), 0);
        let delay = queue.delay.sample(&mut work.wish.named("delay").draws());
        let id = self.begin_request(Request { stage: Stage::Queued, ..work });
        self.agenda.after(delay, Event::WorkDelivered(id));
    }

    /// The edge lets a request pass and looks at how it ends, and whether in time.
    pub fn watch(&mut self, id: RequestId, way: Way) {
        let slow = self.edge.slow();
        let clock = slow.map_or(Handle::NONE, |slow| self.clock(slow, Event::WatchExpired(id)));
        self.requests[id].watched = Some(Watch { way, clock });
    }

    /// What the edge learns of a request that it watches, if it does: it has ended, or takes too long.
    pub fn end_watch(&mut self, id: RequestId, well: bool) {
        let Some(Watch { way, clock }) = self.requests[id].watched.take() else { return };
        self.agenda.cancel(clock);
        if let Some(on) = self.edge.report(self.now(), way, well) {
            self.fact(Fact::OutageModeTurned(on));
        }
    }

    /// The edge answers a request by itself.
    pub fn answer_at_edge(&mut self, id: RequestId) {
        let luck = self.requests[id].luck;
        self.requests[id].stage = Stage::Edge;
        let wait = self.edge.time.sample(&mut luck.named("edge").draws());
        self.agenda.after(wait, Event::EdgeAnswered(id));
    }

    /// The edge has answered.
    pub fn on_edge_answered(&mut self, id: RequestId) {
        self.serve(id, ServedBy::Edge);
        self.requests.remove(id);
    }

    /// A request ends well; who served it is told if its client is still there.
    pub fn serve(&mut self, id: RequestId, by: ServedBy) {
        let request = &self.requests[id];
        let (series, gone, class) = (request.series, request.ended, usize::from(request.class));
        self.end_request(id, Outcome::Ok);
        if self.classes[class].tells && !gone {
            self.fact(Fact::RequestServed { series, by });
        }
    }
}

/// What a client says, as the box hears it that has the server's end.
fn heard_by_server(wire: &Connection, connection: ConnectionId, call: Call) -> Event {
    if wire.leg == Leg::Front {
        return Event::Pooler(wire.node, PoolerEvent::Called(connection, call));
    }
    let heard = match call {
        Call::Connect => NodeEvent::ConnectArrived(connection),
        Call::Statement => NodeEvent::StatementArrived(connection),
        Call::Rollback => NodeEvent::RollbackArrived(connection),
        Call::Close => NodeEvent::ConnectionClosed(connection),
    };
    Event::Node(wire.node, heard)
}

/// What a server says, as the box hears it that has the client's end.
fn heard_by_client(wire: &Connection, connection: ConnectionId, news: News) -> Event {
    if wire.leg == Leg::Back {
        return Event::Pooler(wire.node, PoolerEvent::Told(connection, news));
    }
    let heard = match news {
        News::Ready => ServiceEvent::ConnectSucceeded(connection),
        News::Refused => ServiceEvent::ConnectRefused(connection),
        News::Answer(outcome) => ServiceEvent::StatementAnswered(connection, outcome),
        News::Reset => ServiceEvent::ConnectionReset(connection),
    };
    Event::Service(wire.service, heard)
}
