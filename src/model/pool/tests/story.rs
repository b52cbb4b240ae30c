//! One pool and its surroundings: requests, a clock, dials that end when the story says so.
//!
//! The settings come out of a scenario text, so that the shipped presets are under test with the pool.

use super::super::{Action, Home, Pool};
use crate::engine::chance::Stream;
use crate::engine::slab::{Id, Slab};
use crate::engine::time::{Span, Time};
use crate::model::connection::{ClientState, Connection, Leg};
use crate::model::fact::Close;
use crate::model::request::{Origin, Request};
use crate::model::{ConnectionId, RequestId};
use crate::scenario::grammar::{self, Cause, Sweep};
use crate::scenario::{AS_WRITTEN, Document};
use std::sync::Arc;

const AROUND: &str = r#"
schema_version = 1
title    = "One pool"
start    = 2025-09-14T05:30:00Z
duration = "1h"
seeds    = [1]
[postgres.primary]
cores           = 4
max_connections = 5000
[service.api]
containers = { min = 1, max = 1 }
[query.lookup]
cpu = { exponential = "0.5ms" }
[request.sign-in]
service = "api"
steps   = [{ query = "lookup", on = "primary" }]
[traffic.users]
request = "sign-in"
rate    = "1/s"
[service.api.pool.primary]
"#;

/// The settings of a pool, as a scenario file gives them.
pub fn settings(pool: &str) -> grammar::Pool {
    let (document, _) = Document::from_text("pool.toml", &format!("{AROUND}{pool}")).expect("a sound pool");
    document.scenario(AS_WRITTEN).unwrap().file.service["api"].pool["primary"].clone()
}

/// A pool and what happens to it.
pub struct Story {
    pub pool: Pool,
    pub wires: Slab<Connection>,
    requests: Slab<Request>,
    pub now: Time,
    /// What is due, in the order in which it was asked for.
    due: Vec<(Time, Due)>,
    /// All that followed so far.
    pub log: Vec<(Time, Action)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Due {
    Tick(Span),
    Asked,
    Refill,
}

/// What an acquirer gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Got {
    Idle(ConnectionId),
    /// An idle connection that must be pinged first.
    Pinged(ConnectionId),
    Dial(ConnectionId),
    Line,
    Refused,
}

impl Story {
    /// A container starts with this pool.
    pub fn of(pool: &str) -> Story {
        Story::with_luck(pool, 1)
    }

    pub fn with_luck(pool: &str, seed: u64) -> Story {
        let home = Home { service: 0, container: Id::NONE, place: 0, node: 0, leg: Leg::Direct, number: 0 };
        let settings = Arc::new(settings(pool));
        let mut story = Story {
            due: Vec::new(),
            pool: Pool::new(home, settings.clone(), Stream::root(seed)),
            wires: Slab::default(),
            requests: Slab::default(),
            now: Time::ZERO,
            log: Vec::new(),
        };
        if let Sweep::Every(period) = settings.sweep {
            story.due.push((Time::ZERO + period, Due::Tick(period)));
        }
        story.tell(|pool, now, wires, out| pool.look_after(now, wires, out));
        story
    }

    /// Time goes on to this second, and what is due until then happens.
    pub fn at(&mut self, seconds: f64) -> &mut Story {
        let until = Time::ZERO + Span::from_secs_f64(seconds);
        while let Some(place) = self.next_due(until) {
            let (at, due) = self.due.remove(place);
            self.now = at;
            match due {
                Due::Refill => self.tell(|pool, now, wires, out| pool.look_after(now, wires, out)),
                Due::Tick(_) | Due::Asked => {
                    self.tell(|pool, now, wires, out| pool.sweep_due(now, wires, out));
                }
            }
            if let Due::Tick(period) = due {
                self.due.push((at + period, due));
            }
        }
        self.now = until;
        self
    }

    pub fn acquire(&mut self) -> (RequestId, Got) {
        let request = self.requests.insert(request());
        let before = self.log.len();
        self.tell(|pool, now, wires, out| pool.acquire(now, wires, request, out));
        let got = self.log[before..].iter().find_map(|(_, action)| match *action {
            Action::Give { connection, ping, .. } if ping => Some(Got::Pinged(connection)),
            Action::Give { connection, .. } => Some(Got::Idle(connection)),
            Action::AwaitDial(_, connection) => Some(Got::Dial(connection)),
            Action::Queue(_) => Some(Got::Line),
            Action::Refuse(_) => Some(Got::Refused),
            _ => None,
        });
        (request, got.expect("an acquire has a result"))
    }

    /// A request that must find an idle connection, without a ping.
    pub fn acquire_idle(&mut self) -> ConnectionId {
        match self.acquire().1 {
            Got::Idle(connection) => connection,
            other => panic!("wanted an idle connection, got {other:?}"),
        }
    }

    /// A request that must dial.
    pub fn acquire_dial(&mut self) -> (RequestId, ConnectionId) {
        match self.acquire() {
            (request, Got::Dial(connection)) => (request, connection),
            (_, other) => panic!("wanted a dial, got {other:?}"),
        }
    }

    /// A request that must wait in line.
    pub fn acquire_line(&mut self) -> RequestId {
        let (request, got) = self.acquire();
        assert_eq!(got, Got::Line);
        request
    }

    pub fn release(&mut self, connection: ConnectionId) {
        self.tell(|pool, now, wires, out| pool.release(now, wires, connection, false, out));
    }

    pub fn release_broken(&mut self, connection: ConnectionId) {
        self.tell(|pool, now, wires, out| pool.release(now, wires, connection, true, out));
    }

    pub fn idle_breaks(&mut self, connection: ConnectionId) {
        self.tell(|pool, now, wires, out| pool.idle_broke(now, wires, connection, out));
    }

    pub fn dialled(&mut self, connection: ConnectionId) {
        self.tell(|pool, now, wires, out| pool.dialled(now, wires, connection, out));
    }

    pub fn dial_fails(&mut self, connection: ConnectionId) {
        self.tell(|pool, now, wires, out| pool.dial_failed(now, wires, connection, out));
    }

    pub fn leaves_line(&mut self, request: RequestId) {
        self.tell(|pool, _, _, out| pool.leave_queue(request, out));
    }

    pub fn leaves_dial(&mut self, connection: ConnectionId) {
        self.tell(|pool, now, wires, out| pool.leave_dial(now, wires, connection, out));
    }

    /// Every dial under way succeeds, and those that begin thereby.
    pub fn all_dialled(&mut self) {
        while let Some(&connection) = self.dialling().first() {
            self.dialled(connection);
        }
    }

    /// Dials succeed, and what follows them happens, until this second.
    pub fn dials_succeed_until(&mut self, seconds: f64) -> &mut Story {
        self.all_dialled();
        while let Some(place) = self.next_due(Time::ZERO + Span::from_secs_f64(seconds)) {
            let at = self.due[place].0.as_secs();
            self.at(at).all_dialled();
        }
        self.at(seconds).all_dialled();
        self
    }

    /// Opens `n` connections at once and leaves them in use.
    pub fn open(&mut self, n: usize) -> Vec<ConnectionId> {
        let opened: Vec<_> = (0..n).map(|_| self.acquire_dial().1).collect();
        opened.iter().for_each(|connection| self.dialled(*connection));
        opened
    }

    /// Opens `n` connections at once and lets them rest.
    pub fn open_idle(&mut self, n: usize) -> Vec<ConnectionId> {
        let opened = self.open(n);
        opened.iter().for_each(|connection| self.release(*connection));
        opened
    }

    pub fn in_state(&self, state: ClientState) -> Vec<ConnectionId> {
        self.wires.iter().filter(|(_, wire)| wire.client.state == state).map(|(id, _)| id).collect()
    }

    pub fn dialling(&self) -> Vec<ConnectionId> {
        self.in_state(ClientState::Dialling)
    }

    pub fn idle(&self) -> Vec<ConnectionId> {
        self.in_state(ClientState::Idle)
    }

    /// The connection that a request has been given.
    pub fn given(&self, to: RequestId) -> Option<ConnectionId> {
        self.log.iter().find_map(|(_, action)| match *action {
            Action::Give { request, connection, .. } if request == to => Some(connection),
            _ => None,
        })
    }

    /// Whether a request must ping the connection that it has been given.
    pub fn pings(&self, to: RequestId) -> bool {
        let given =
            |action: &Action| matches!(action, Action::Give { request, ping: true, .. } if *request == to);
        self.log.iter().any(|(_, action)| given(action))
    }

    /// Who was refused so far.
    pub fn refused(&self) -> Vec<RequestId> {
        let refused = |action: &Action| match *action {
            Action::Refuse(request) => Some(request),
            _ => None,
        };
        self.log.iter().filter_map(|(_, action)| refused(action)).collect()
    }

    /// When connections were closed for this reason, in seconds.
    pub fn closes(&self, reason: Close) -> Vec<f64> {
        let closed = |action: &Action| matches!(action, Action::Shut(_, why, _) if *why == reason);
        self.log.iter().filter(|(_, action)| closed(action)).map(|(at, _)| at.as_secs()).collect()
    }

    /// When dials began, in seconds.
    pub fn dials(&self) -> Vec<f64> {
        let dial = |action: &Action| matches!(action, Action::Dial(_));
        self.log.iter().filter(|(_, action)| dial(action)).map(|(at, _)| at.as_secs()).collect()
    }

    pub fn cause(&self, connection: ConnectionId) -> Cause {
        self.wires[connection].client.cause
    }

    /// The deadline of a connection, as an age in seconds.
    pub fn deadline(&self, connection: ConnectionId) -> f64 {
        let client = &self.wires[connection].client;
        (client.expires - client.born).as_secs()
    }

    fn next_due(&self, until: Time) -> Option<usize> {
        let due = self.due.iter().enumerate().filter(|(_, (at, _))| *at <= until);
        due.min_by_key(|(_, (at, _))| *at).map(|(place, _)| place)
    }

    /// Something happens to the pool; what follows is noted, and its alarms are set as the container sets
    /// them.
    fn tell(&mut self, happens: impl FnOnce(&mut Pool, Time, &mut Slab<Connection>, &mut Vec<Action>)) {
        let mut out = Vec::new();
        happens(&mut self.pool, self.now, &mut self.wires, &mut out);
        for action in out {
            match action {
                Action::SweepAfter(wait) => self.due.push((self.now + wait, Due::Asked)),
                Action::RefillAfter(wait) => {
                    if self.pool.settings().refill_debounce {
                        self.due.retain(|(_, due)| *due != Due::Refill);
                    }
                    self.due.push((self.now + wait, Due::Refill));
                }
                _ => {}
            }
            self.log.push((self.now, action));
        }
    }
}

fn request() -> Request {
    Origin::default().request(Time::ZERO, Stream::root(1), 0, 0)
}
