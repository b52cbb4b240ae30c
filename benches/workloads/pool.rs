//! Pools of connections in front of shared servers.

use super::Outcome;
use super::by_hand::Few;
use herdsim::engine::agenda::Agenda;
use herdsim::engine::chance::{Draws, Stream};
use herdsim::engine::dist::Dist;
use herdsim::engine::time::{Span, Time};
use std::collections::VecDeque;

const CONTAINERS: usize = 200;
const CONNECTIONS: u32 = 10;
const SERVERS: usize = 32;
const SERVICE: Dist = Dist::Exponential { mean: Span::from_millis(2) };
/// Mean time between arrivals: 10,000 a second.
const GAP: Dist = Dist::Exponential { mean: Span(100_000) };

#[derive(Clone, Copy)]
enum Event {
    Arrived,
    Served(Customer),
}

#[derive(Clone, Copy)]
struct Customer {
    container: u32,
}

#[derive(Clone, Default)]
struct Container {
    in_use: u32,
    waiting: VecDeque<(Customer, u64)>,
}

/// The fleet and its servers, which both sides have.
struct Fleet {
    luck: Draws,
    containers: Vec<Container>,
    free: usize,
    line: VecDeque<(Customer, u64)>,
    waited: u64,
    served: u64,
}

impl Fleet {
    fn new(seed: u64) -> Fleet {
        Fleet {
            luck: Stream::root(seed).named("customers").draws(),
            containers: vec![Container::default(); CONTAINERS],
            free: SERVERS,
            line: VecDeque::new(),
            waited: 0,
            served: 0,
        }
    }

    /// A customer goes to a container; when the next comes.
    fn arrive(&mut self, now: u64) -> Span {
        let container = self.luck.below(CONTAINERS as u64) as u32;
        let customer = Customer { container };
        let pool = &mut self.containers[container as usize];
        if pool.in_use < CONNECTIONS {
            pool.in_use += 1;
            self.line.push_back((customer, now));
        } else {
            pool.waiting.push_back((customer, now));
        }
        GAP.sample(&mut self.luck)
    }

    /// The next customer in line that has a server, and how long it takes.
    fn serve(&mut self, now: u64) -> Option<(Customer, Span)> {
        if self.free == 0 {
            return None;
        }
        let (customer, since) = self.line.pop_front()?;
        self.free -= 1;
        self.waited += now - since;
        Some((customer, SERVICE.sample(&mut self.luck)))
    }

    /// A customer leaves its server and its connection, which goes to whoever waits for it.
    fn leave(&mut self, customer: Customer) {
        self.free += 1;
        self.served += 1;
        let pool = &mut self.containers[customer.container as usize];
        match pool.waiting.pop_front() {
            Some(next) => self.line.push_back(next),
            None => pool.in_use -= 1,
        }
    }

    fn outcome(&self) -> Outcome {
        Outcome { count: self.served, figure: self.waited as f64 / self.served as f64 / 1e9 }
    }
}

/// On herdsim's agenda: an alarm for the source, events for the servers.
pub fn herdsim(seed: u64, length: Span) -> Outcome {
    let (mut fleet, mut agenda) = (Fleet::new(seed), Agenda::default());
    let source = agenda.alarm();
    agenda.set(source, Some(Time::ZERO), Event::Arrived);
    while let Some(event) = agenda.next_until(Time::ZERO + length) {
        let now = agenda.now();
        match event {
            Event::Arrived => {
                let gap = fleet.arrive(now.0);
                agenda.set(source, Some(now + gap), Event::Arrived);
            }
            Event::Served(customer) => fleet.leave(customer),
        }
        while let Some((customer, takes)) = fleet.serve(now.0) {
            agenda.after(takes, Event::Served(customer));
        }
    }
    fleet.outcome()
}

/// By hand: the next arrival in a variable, the servers in a sorted array.
pub fn by_hand(seed: u64, length: Span) -> Outcome {
    let (mut fleet, mut served) = (Fleet::new(seed), Few::<SERVERS>::default());
    let mut arrival = 0;
    let mut at_server = [Customer { container: 0 }; SERVERS];
    let mut free: Vec<usize> = (0..SERVERS).collect();
    loop {
        let now = arrival.min(served.least());
        if now > length.0 {
            return fleet.outcome();
        }
        if now == arrival {
            arrival += fleet.arrive(now).0;
        } else {
            let server = served.pop_numbered();
            fleet.leave(at_server[server]);
            free.push(server);
        }
        while let Some((customer, takes)) = fleet.serve(now) {
            let server = free.pop().expect("a free server");
            at_server[server] = customer;
            served.push_numbered(now + takes.0, server);
        }
    }
}
