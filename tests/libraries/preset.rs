//! Plays a load on a preset: the simulator's pool with a clock, and dials that succeed after a second.

use super::story::{Story, UNTIL};
use super::trace::{Event, Trace};
use herdsim::engine::chance::{Draws, Stream};
use herdsim::engine::slab::{Id, Slab};
use herdsim::engine::time::{Span, Time};
use herdsim::model::connection::{Connection, Leg};
use herdsim::model::pool::{Action, From, Home, Pool};
use herdsim::model::request::{Origin, Request};
use herdsim::model::{ConnectionId, RequestId};
use herdsim::scenario::grammar::Sweep;
use std::collections::BTreeMap;
use std::sync::Arc;

/// From the moment at which the server takes a connection to the end of the dial: `post_auth_delay`, and the
/// milliseconds around it.
const DIAL: f64 = 1.01;

#[derive(Clone, Copy)]
enum Due {
    Ask(usize),
    GiveBack(usize, ConnectionId),
    Dialled(ConnectionId),
    Tick(Span),
    Asked,
    Refill,
}

struct Play<'a> {
    story: &'a Story,
    pool: Pool,
    wires: Slab<Connection>,
    requests: Slab<Request>,
    /// The requests that have asked, by their place in the load.
    asked: BTreeMap<usize, RequestId>,
    now: Time,
    due: BTreeMap<(Time, u64), Due>,
    /// How many things have been due.
    count: u64,
    told: Vec<(f64, Event)>,
    /// How late requests and dials are at most, and how late.
    latest: f64,
    lateness: Draws,
}

/// What becomes of the load, if requests and dials are late by up to `latest` seconds.
pub fn play(story: &Story, seed: u64, latest: f64) -> Trace {
    let home = Home { service: 0, container: Id::NONE, place: 0, node: 0, number: 0, leg: Leg::Direct };
    let settings = Arc::new(story.settings());
    let luck = Stream::root(seed);
    let mut play = Play {
        story,
        pool: Pool::new(home, settings.clone(), luck.named("pool")),
        wires: Slab::default(),
        requests: Slab::default(),
        asked: BTreeMap::new(),
        now: Time::ZERO,
        due: BTreeMap::new(),
        count: 0,
        told: Vec::new(),
        latest,
        lateness: luck.named("late").draws(),
    };
    if let Sweep::Every(period) = settings.sweep {
        play.after(period, Due::Tick(period));
    }
    for (place, (at, _)) in story.requests.iter().enumerate() {
        play.after_about(*at, Due::Ask(place));
    }
    play.tell(|pool, now, wires, out| pool.look_after(now, wires, out));
    while let Some(((at, _), due)) = play.due.pop_first() {
        if at > Time::ZERO + Span::from_secs_f64(UNTIL) {
            break;
        }
        play.now = at;
        play.happens(due);
    }
    Trace::numbered(play.told)
}

impl Play<'_> {
    fn happens(&mut self, due: Due) {
        match due {
            Due::Ask(place) => {
                let request =
                    self.requests.insert(Origin::default().request(self.now, Stream::root(1), 0, 0));
                self.asked.insert(place, request);
                self.tell(|pool, now, wires, out| pool.acquire(now, wires, request, out));
            }
            Due::GiveBack(place, connection) => {
                self.note(Event::GivesBack { request: place + 1 });
                self.tell(|pool, now, wires, out| pool.release(now, wires, connection, false, out));
            }
            Due::Dialled(connection) => {
                self.tell(|pool, now, wires, out| pool.dialled(now, wires, connection, out));
            }
            Due::Tick(period) => {
                self.after(period, due);
                self.tell(|pool, now, wires, out| pool.sweep_due(now, wires, out));
            }
            Due::Asked => self.tell(|pool, now, wires, out| pool.sweep_due(now, wires, out)),
            Due::Refill => self.tell(|pool, now, wires, out| pool.look_after(now, wires, out)),
        }
    }

    /// Something happens to the pool; what follows is noted, and its alarms are set as the container sets
    /// them.
    fn tell(&mut self, happens: impl FnOnce(&mut Pool, Time, &mut Slab<Connection>, &mut Vec<Action>)) {
        let mut out = Vec::new();
        happens(&mut self.pool, self.now, &mut self.wires, &mut out);
        for action in out {
            match action {
                Action::Dial(connection) => {
                    self.note(Event::Opens(connection.index()));
                    self.after_about(DIAL, Due::Dialled(connection));
                }
                Action::Give { request, connection, .. } => self.give(request, connection),
                Action::Shut(connection, _, from) => {
                    assert_ne!(from, From::Dial, "no dial fails here");
                    self.note(Event::Closes(connection.index()));
                }
                Action::SweepAfter(wait) => self.after(wait, Due::Asked),
                Action::RefillAfter(wait) => {
                    if self.pool.settings().refill_debounce {
                        self.due.retain(|_, due| !matches!(due, Due::Refill));
                    }
                    self.after(wait, Due::Refill);
                }
                Action::Queue(_)
                | Action::Dequeue(_)
                | Action::AwaitDial(..)
                | Action::Refuse(_)
                | Action::Rest(..) => {}
            }
        }
    }

    fn give(&mut self, request: RequestId, connection: ConnectionId) {
        let place = self.asked.iter().find(|(_, asked)| **asked == request).map(|(place, _)| *place);
        let place = place.expect("who gets has asked");
        self.note(Event::Gets { request: place + 1, connection: connection.index() });
        let hold = self.story.requests[place].1;
        self.after(Span::from_secs_f64(hold), Due::GiveBack(place, connection));
    }

    fn note(&mut self, event: Event) {
        self.told.push((self.now.as_secs(), event));
    }

    fn after_about(&mut self, seconds: f64, due: Due) {
        let late = self.latest * self.lateness.unit();
        self.after(Span::from_secs_f64(seconds + late), due);
    }

    fn after(&mut self, wait: Span, due: Due) {
        self.count += 1;
        self.due.insert((self.now + wait, self.count), due);
    }
}
