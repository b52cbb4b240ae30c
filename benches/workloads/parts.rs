//! Parts of the model by themselves, one turn at a time.

use super::fleet;
use herdsim::engine::chance::{Draws, Stream};
use herdsim::engine::dist::Dist;
use herdsim::engine::sharing::Sharing;
use herdsim::engine::slab::{Id, Slab};
use herdsim::engine::time::{Span, Time};
use herdsim::measure::latency::histogram;
use herdsim::model::ConnectionId;
use herdsim::model::connection::Connection;
use herdsim::model::pool::{Action, Pool};
use std::hint::black_box;

/// The shared device with a number of jobs on it.
pub struct Device {
    device: Sharing<usize>,
    now: Time,
    demand: Dist,
    draws: Draws,
}

impl Device {
    /// With so many jobs.
    pub fn new(jobs: usize) -> Device {
        let (demand, mut draws) = (Dist::Exponential { mean: Span::from_millis(1) }, Stream::root(1).draws());
        let mut device = Sharing::new(8.0, 250.0);
        for job in 0..jobs {
            device.start(Time::ZERO, demand.sample(&mut draws), job);
        }
        Device { device, now: Time::ZERO, demand, draws }
    }

    /// One job is done, and the next begins.
    pub fn turn(&mut self) {
        self.now = self.device.next_done().expect("jobs");
        let job = self.device.finish(self.now);
        self.device.start(self.now, self.demand.sample(&mut self.draws), black_box(job));
    }
}

/// A pool with so many idle connections.
pub struct Lender {
    pool: Pool,
    wires: Slab<Connection>,
    out: Vec<Action>,
}

impl Lender {
    /// With so many idle connections.
    pub fn new(idle: u32) -> Lender {
        let (pool, wires) = fleet::pool(idle);
        Lender { pool, wires, out: Vec::new() }
    }

    /// Somebody takes a connection.
    pub fn take(&mut self) {
        self.pool.acquire(Time::ZERO, &mut self.wires, Id::NONE, &mut self.out);
    }

    /// A connection comes back.
    pub fn give_back(&mut self, connection: ConnectionId) {
        self.pool.release(Time::ZERO, &mut self.wires, connection, false, &mut self.out);
    }

    /// The connection that somebody got last.
    pub fn lent(&mut self) -> ConnectionId {
        let given = |action: Action| match action {
            Action::Give { connection, .. } => Some(connection),
            _ => None,
        };
        self.out.drain(..).rev().find_map(given).expect("somebody gets a connection")
    }

    /// A connection is lent and given back.
    pub fn turn(&mut self) {
        self.take();
        let connection = self.lent();
        self.give_back(connection);
        self.out.clear();
    }

    /// The look over those that are idle, which finds none too old.
    pub fn look_over(&mut self) {
        self.pool.sweep_due(Time::ZERO, &mut self.wires, black_box(&mut self.out));
    }
}

/// So many latencies into a histogram; how many are in it.
pub fn histograms(latencies: u64) -> u64 {
    let latency = Dist::log_normal(Span::from_millis(5), Span::from_millis(100));
    let mut draws = Stream::root(1).draws();
    let drawn: Vec<u64> = (0..4_096).map(|_| latency.sample(&mut draws).0 / 1_000).collect();
    let mut histogram = histogram();
    for next in 0..latencies {
        histogram.saturating_record(drawn[next as usize % drawn.len()]);
    }
    histogram.len()
}
