//! What the customers of the workloads do, without any clock: the state that a simulator's events change. The
//! same parameters, streams and order of draws as in `benches/workloads`.

use crate::workloads::Outcome;
use herdsim::engine::chance::{Draws, Stream};
use herdsim::engine::dist::Dist;
use herdsim::engine::time::Span;
use std::collections::VecDeque;

/// Of the hold model.
pub const DELAY: Dist = Dist::Exponential { mean: Span::from_secs(1) };

/// The luck of the hold model.
pub fn delays(seed: u64) -> Draws {
    Stream::root(seed).named("delays").draws()
}

/// M/M/16 at 90 % load, first come first served. Times are whatever the simulator counts in.
pub struct Station<Time> {
    gaps: Draws,
    services: Draws,
    queue: VecDeque<Time>,
    busy: usize,
    /// How many have begun to be served, and how long those waited, in the simulator's unit.
    pub begun: u64,
    pub waited: Time,
}

impl<Time: Copy + Default + std::ops::Sub<Output = Time> + std::ops::AddAssign> Station<Time> {
    const SERVERS: usize = 16;
    const SERVICE: Dist = Dist::Exponential { mean: Span(14_400_000) };
    const GAP: Dist = Dist::Exponential { mean: Span(1_000_000) };

    pub fn new(seed: u64) -> Self {
        let root = Stream::root(seed);
        Station {
            gaps: root.named("gaps").draws(),
            services: root.named("services").draws(),
            queue: VecDeque::new(),
            busy: 0,
            begun: 0,
            waited: Time::default(),
        }
    }

    /// How long until the next customer comes.
    pub fn gap(&mut self) -> Span {
        Self::GAP.sample(&mut self.gaps)
    }

    pub fn arrive(&mut self, now: Time) {
        self.queue.push_back(now);
    }

    pub fn leave(&mut self) {
        self.busy -= 1;
    }

    /// Whoever is first goes to a free server, if there are both; how long that takes.
    pub fn serve(&mut self, now: Time) -> Option<Span> {
        if self.busy == Self::SERVERS {
            return None;
        }
        let since = self.queue.pop_front()?;
        self.busy += 1;
        self.begun += 1;
        self.waited += now - since;
        Some(Self::SERVICE.sample(&mut self.services))
    }

    /// With how many seconds there are in the simulator's unit.
    pub fn outcome(&self, waited_s: f64) -> Outcome {
        Outcome { count: self.begun, figure: waited_s / self.begun as f64 }
    }
}

/// 10,000 customers a second to 200 containers at random, each with 10 connections, then one of 32 servers.
pub struct Fleet<Time> {
    luck: Draws,
    containers: Vec<Container<Time>>,
    free: usize,
    line: VecDeque<(u32, Time)>,
    served: u64,
    pub waited: Time,
}

struct Container<Time> {
    in_use: u32,
    waiting: VecDeque<(u32, Time)>,
}

impl<Time: Copy + Default + std::ops::Sub<Output = Time> + std::ops::AddAssign> Fleet<Time> {
    const CONTAINERS: u32 = 200;
    const CONNECTIONS: u32 = 10;
    const SERVERS: usize = 32;
    const SERVICE: Dist = Dist::Exponential { mean: Span::from_millis(2) };
    const GAP: Dist = Dist::Exponential { mean: Span(100_000) };

    pub fn new(seed: u64) -> Self {
        let container = |_| Container { in_use: 0, waiting: VecDeque::new() };
        Fleet {
            luck: Stream::root(seed).named("customers").draws(),
            containers: (0..Self::CONTAINERS).map(container).collect(),
            free: Self::SERVERS,
            line: VecDeque::new(),
            served: 0,
            waited: Time::default(),
        }
    }

    /// A customer goes to a container; how long until the next comes.
    pub fn arrive(&mut self, now: Time) -> Span {
        let container = self.luck.below(Self::CONTAINERS.into()) as u32;
        let pool = &mut self.containers[container as usize];
        if pool.in_use < Self::CONNECTIONS {
            pool.in_use += 1;
            self.line.push_back((container, now));
        } else {
            pool.waiting.push_back((container, now));
        }
        Self::GAP.sample(&mut self.luck)
    }

    /// Whoever is first in line goes to a free server, if there are both; whose container, how long it takes.
    pub fn serve(&mut self, now: Time) -> Option<(u32, Span)> {
        if self.free == 0 {
            return None;
        }
        let (container, since) = self.line.pop_front()?;
        self.free -= 1;
        self.waited += now - since;
        Some((container, Self::SERVICE.sample(&mut self.luck)))
    }

    /// A customer leaves its server and its connection, which goes to whoever waits for it.
    pub fn leave(&mut self, container: u32) {
        self.free += 1;
        self.served += 1;
        let pool = &mut self.containers[container as usize];
        match pool.waiting.pop_front() {
            Some(next) => self.line.push_back(next),
            None => pool.in_use -= 1,
        }
    }

    pub fn outcome(&self, waited_s: f64) -> Outcome {
        Outcome { count: self.served, figure: waited_s / self.served as f64 }
    }
}
