//! Erlang-A: callers whose patience is exponential leave the line.
//!
//! herdsim's own clocks are constant, as those of pools are, so the callers are a small world on its agenda;
//! the line that they stand in, and leave, is herdsim's pool. No dial is in the way: all connections are there
//! from the start.

use crate::kit::{Effort, Row, assert_near, exact, load, mean_row, replicate};
use herdsim::engine::agenda::{Agenda, Handle};
use herdsim::engine::chance::{Draws, Stream};
use herdsim::engine::dist::Dist;
use herdsim::engine::slab::{Id, Slab};
use herdsim::engine::time::{Span, Time};
use herdsim::model::connection::{Connection, Leg};
use herdsim::model::pool::{Action, Home, Pool};
use herdsim::model::request::{Origin, Request};
use herdsim::model::{ConnectionId, RequestId};
use herdsim::scenario::grammar;
use std::sync::Arc;

const SERVERS: u32 = 10;

#[derive(Clone, Copy)]
enum Event {
    Arrived,
    Served(ConnectionId),
    GaveUp(RequestId),
}

/// Callers and ten who answer; the unit of time is a service.
struct Calls {
    agenda: Agenda<Event>,
    pool: Pool,
    wires: Slab<Connection>,
    callers: Slab<Request>,
    actions: Vec<Action>,
    gaps: (Dist, Draws),
    services: (Dist, Draws),
    patience: (Dist, Draws),
    arrived: u64,
    gave_up: u64,
}

fn settings() -> Arc<grammar::Pool> {
    let file = load(&format!(
        "schema_version = 1\ntitle = \"A line\"\nduration = \"1s\"\n[postgres.primary]\ncores = 1\n\
         [service.api]\ncontainers = {{ min = 1, max = 1 }}\n[service.api.pool.primary]\nmax = {SERVERS}\n\
         [request.call]\nservice = \"api\"\nsteps = [{{ app = \"1ms\" }}]\n\
         [traffic.users]\nrequest = \"call\"\nrate = \"1/s\"\n"
    ));
    Arc::new(file.file.service["api"].pool["primary"].clone())
}

impl Calls {
    /// Nobody calls yet. `theta` is how often a waiting caller gives up per service time.
    fn new(busy: f64, theta: f64, seed: u64) -> Calls {
        let luck = Stream::root(seed);
        let exponential = |name: &str, mean: f64| {
            (Dist::Exponential { mean: Span::from_secs_f64(mean) }, luck.named(name).draws())
        };
        let home = Home { service: 0, container: Id::NONE, place: 0, node: 0, number: 0, leg: Leg::Direct };
        let mut calls = Calls {
            agenda: Agenda::default(),
            pool: Pool::new(home, settings(), luck.named("pool")),
            wires: Slab::default(),
            callers: Slab::default(),
            actions: Vec::new(),
            gaps: exponential("gap", 1.0 / (busy * f64::from(SERVERS))),
            services: exponential("service", 1.0),
            patience: exponential("patience", 1.0 / theta),
            arrived: 0,
            gave_up: 0,
        };
        for _ in 0..SERVERS {
            calls.pool.adopt(&mut calls.wires, Span::ZERO);
        }
        calls.next_caller();
        calls
    }

    fn next_caller(&mut self) {
        let gap = self.gaps.0.sample(&mut self.gaps.1);
        self.agenda.after(gap, Event::Arrived);
    }

    fn handle(&mut self, event: Event) {
        let now = self.agenda.now();
        match event {
            Event::Arrived => {
                self.arrived += 1;
                let caller =
                    self.callers.insert(Origin::default().request(now, Stream::root(self.arrived), 0, 0));
                self.pool.acquire(now, &mut self.wires, caller, &mut self.actions);
                self.next_caller();
            }
            Event::Served(connection) => {
                self.callers.remove(self.wires[connection].client.request);
                self.pool.release(now, &mut self.wires, connection, false, &mut self.actions);
            }
            Event::GaveUp(caller) => {
                self.gave_up += 1;
                self.pool.leave_queue(caller, &mut self.actions);
                self.callers.remove(caller);
            }
        }
        for action in std::mem::take(&mut self.actions) {
            self.follow(action);
        }
    }

    fn follow(&mut self, action: Action) {
        match action {
            Action::Queue(caller) => {
                let patience = self.patience.0.sample(&mut self.patience.1);
                self.callers[caller].clock = self.agenda.after(patience, Event::GaveUp(caller));
            }
            Action::Give { request, connection, .. } => {
                let clock = std::mem::replace(&mut self.callers[request].clock, Handle::NONE);
                self.agenda.cancel(clock);
                let service = self.services.0.sample(&mut self.services.1);
                self.agenda.after(service, Event::Served(connection));
            }
            Action::Dial(_) => unreachable!("all connections are there"),
            _ => {}
        }
    }

    /// The share that gives up, after a warm-up of 200 service times.
    fn abandoned(mut self, services: u64) -> f64 {
        let (warm, mut before) = (Time::ZERO + Span::from_secs(200), None);
        while let Some(event) = self.agenda.next_until(warm + Span::from_secs(services)) {
            if before.is_none() && self.agenda.now() >= warm {
                before = Some((self.arrived, self.gave_up));
            }
            self.handle(event);
        }
        let (arrived, gave_up) = before.expect("it went on after the warm-up");
        (self.gave_up - gave_up) as f64 / (self.arrived - arrived) as f64
    }
}

/// P(abandon) of M/M/10+M.
pub fn erlang_a(effort: Effort) -> Vec<Row> {
    let table = [
        (0.9, 0.1, 0.030437),
        (0.9, 1.0, 0.085912),
        (1.0, 0.1, 0.060469),
        (1.0, 1.0, 0.125110),
        (1.2, 0.1, 0.169752),
        (1.2, 1.0, 0.213632),
    ];
    let row = |(busy, theta, share): (f64, f64, f64)| {
        let (replications, services) = effort.of((10, 10_000), (20, 100_000));
        let what = format!("c = 10, rho = {busy}, theta = {theta}");
        let seen = replicate(&what, replications, |seed| Calls::new(busy, theta, seed).abandoned(services));
        mean_row("Erlang-A", "P(abandon)", what, exact(share, "Erlang-A"), &seen)
    };
    table.into_iter().filter(|entry| effort.is_full() || entry.0 == 1.2).map(row).collect()
}

#[test]
fn impatient_callers_leave_as_erlang_a_says() {
    assert_near(&erlang_a(Effort::Short), 0.05);
}
