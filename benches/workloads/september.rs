//! September's quiet minutes, `scenarios/september-2025.toml` before anything happens in it: on the whole
//! model with every measure on, and by hand.
//!
//! By hand there is what those minutes need and no more: the same users, drawn from the same streams; the
//! least busy container; the application's time; the connection that went idle last; trips; a CPU that is
//! shared; the same histograms of latency, eight gauges and the counts. Delays, sizes and classes are known
//! beforehand, and nothing can go wrong: there are no timeouts, lifetimes, dials, failures, retries and
//! changes.

use super::Outcome;
use super::stretch::{self, Stretch};
use hdrhistogram::Histogram;
use herdsim::engine::chance::Stream;
use herdsim::engine::dist::Dist;
use herdsim::engine::sharing::share;
use herdsim::engine::time::Span;
use herdsim::measure::latency;
use herdsim::scenario::Scenario;
use rand_distr::{Distribution as _, Exp1};

/// How long it goes on: the first job begins after four minutes.
const LENGTH: Span = Span::from_secs(180);

/// The scenario as it happened.
pub fn scenario() -> Scenario {
    Stretch { name: "september", scenario: "september-2025", from: 0, to: 0 }.load()
}

/// On the model. The figure is the mean latency.
pub fn herdsim(scenario: &Scenario, seed: u64) -> Outcome {
    stretch::ended(scenario, seed, LENGTH)
}

/// Requests a second, and what they need.
struct Class {
    name: &'static str,
    rate: f64,
    app: Span,
    cpu: Dist,
    /// What the application thinks with the answer.
    think: bool,
    containers: usize,
    connections: u32,
}

const CLASSES: [Class; 2] = [
    Class {
        name: "users",
        rate: 3_500.0,
        app: Span::from_millis(2),
        cpu: Dist::Exponential { mean: Span(1_150_000) },
        think: true,
        containers: 40,
        connections: 20,
    },
    Class {
        name: "customers",
        rate: 200.0,
        app: Span::from_millis(1),
        cpu: Dist::Exponential { mean: Span(500_000) },
        think: false,
        containers: 10,
        connections: 5,
    },
];
const TRIP: Span = Span(250_000);
const THINK: Span = Span::from_millis(40);
const CORES: usize = 8;
const CONTENTION: f64 = 250.0;
/// More are never under way.
const MOST: usize = 1_024;

/// By hand. The figure is the mean latency.
pub fn by_hand(seed: u64) -> Outcome {
    let mut world = World::new(seed);
    while world.next(LENGTH.0) {}
    let count: u64 = world.sides.iter().map(|side| side.latencies.len()).sum();
    let arrived: u64 = world.sides.iter().map(|side| side.begun).sum();
    let gauged: i64 = world.sides.iter().map(|side| side.in_flight.value).sum();
    assert_eq!(arrived, count + gauged as u64, "requests that arrived = ended + in flight");
    Outcome { count, figure: world.latency as f64 / count as f64 / 1e9 }
}

/// Delays that are always the same: first in, first out.
struct Lane {
    at: [u64; MOST],
    who: [u32; MOST],
    first: usize,
    end: usize,
}

impl Lane {
    fn new() -> Box<Lane> {
        Box::new(Lane { at: [0; MOST], who: [0; MOST], first: 0, end: 0 })
    }

    #[inline(always)]
    fn next(&self) -> u64 {
        if self.first == self.end { u64::MAX } else { self.at[self.first % MOST] }
    }

    #[inline(always)]
    fn push(&mut self, at: u64, who: u32) {
        (self.at[self.end % MOST], self.who[self.end % MOST]) = (at, who);
        self.end += 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> u32 {
        self.first += 1;
        self.who[(self.first - 1) % MOST]
    }
}

/// Least, mean and most.
#[derive(Default)]
struct Gauge {
    value: i64,
    since: u64,
    area: i64,
    min: i64,
    max: i64,
}

impl Gauge {
    #[inline(always)]
    fn change(&mut self, now: u64, by: i64) {
        self.area += self.value * (now - self.since) as i64;
        self.since = now;
        self.value += by;
        self.min = self.min.min(self.value);
        self.max = self.max.max(self.value);
    }
}

/// A class, its users and its service.
struct Side {
    luck: Stream,
    begun: u64,
    arrival: u64,
    app: Box<Lane>,
    load: Vec<u32>,
    lowest: u32,
    at_lowest: usize,
    cursor: usize,
    idle_connections: Vec<Vec<u32>>,
    in_flight: Gauge,
    idle: Gauge,
    in_use: Gauge,
    fulfilled: u64,
    latencies: Histogram<u64>,
}

impl Side {
    fn new(seed: u64, class: &Class) -> Side {
        let mut side = Side {
            luck: Stream::root(seed).named("traffic").named(class.name),
            begun: 0,
            arrival: 0,
            app: Lane::new(),
            load: vec![0; class.containers],
            lowest: 0,
            at_lowest: class.containers,
            cursor: 0,
            idle_connections: vec![(0..class.connections).collect(); class.containers],
            in_flight: Gauge::default(),
            idle: Gauge::default(),
            in_use: Gauge::default(),
            fulfilled: 0,
            latencies: latency::histogram(),
        };
        side.arrival = side.gap(class);
        side
    }

    #[inline(always)]
    fn gap(&self, class: &Class) -> u64 {
        let unit: f64 = Exp1.sample(&mut self.luck.named("gap").at(self.begun).draws());
        Span::from_secs_f64(unit / class.rate).0
    }

    #[inline(always)]
    fn pick(&mut self) -> usize {
        while self.at_lowest == 0 {
            self.lowest += 1;
            self.at_lowest = self.load.iter().filter(|load| **load == self.lowest).count();
        }
        let (before, after) = self.load.split_at(self.cursor % self.load.len());
        let least = |load: &u32| *load == self.lowest;
        let place = after.iter().position(least).map(|place| before.len() + place);
        let place = place.or_else(|| before.iter().position(least)).expect("one is least busy");
        self.cursor = place + 1;
        self.load[place] += 1;
        self.at_lowest -= 1;
        place
    }

    #[inline(always)]
    fn end(&mut self, now: u64, request: Request) {
        self.idle_connections[usize::from(request.container)].push(request.connection);
        self.in_use.change(now, -1);
        self.idle.change(now, 1);
        self.fulfilled += 1;
        self.latencies.saturating_record(((now - request.arrived) / 1_000).max(1));
        self.in_flight.change(now, -1);
        let load = &mut self.load[usize::from(request.container)];
        *load -= 1;
        if *load < self.lowest {
            (self.lowest, self.at_lowest) = (*load, 1);
        } else {
            self.at_lowest += usize::from(*load == self.lowest);
        }
    }
}

#[derive(Clone, Copy)]
struct Request {
    luck: Stream,
    arrived: u64,
    cpu: u64,
    connection: u32,
    class: u8,
    container: u8,
    answered: bool,
}

/// The shared CPU: what each job will have attained when it is done, the least last.
struct Cpu {
    due: [f64; MOST],
    who: [u32; MOST],
    count: usize,
    attained: f64,
    since: u64,
    rate: f64,
    next: u64,
    active: Gauge,
    busy: Gauge,
}

impl Cpu {
    #[inline(always)]
    fn advance(&mut self, now: u64) {
        self.attained += (now - self.since) as f64 * self.rate;
        self.since = now;
    }

    #[inline(always)]
    fn rearm(&mut self) {
        self.rate = share(self.count, CORES as f64, CONTENTION);
        self.next = match self.count {
            0 => u64::MAX,
            n => self.since + ((self.due[n - 1] - self.attained).max(0.0) / self.rate + 0.999_999) as u64,
        };
    }

    #[inline(always)]
    fn start(&mut self, now: u64, demand: u64, who: u32) {
        self.advance(now);
        let due = self.attained + demand as f64;
        let mut place = self.count;
        while place > 0 && self.due[place - 1] < due {
            (self.due[place], self.who[place]) = (self.due[place - 1], self.who[place - 1]);
            place -= 1;
        }
        (self.due[place], self.who[place]) = (due, who);
        self.count += 1;
        self.active.change(now, 1);
        self.busy.change(now, i64::from(self.count <= CORES));
        self.rearm();
    }

    #[inline(always)]
    fn finish(&mut self, now: u64) -> u32 {
        self.advance(now);
        self.count -= 1;
        self.attained = if self.count == 0 { 0.0 } else { self.attained.max(self.due[self.count]) };
        self.active.change(now, -1);
        self.busy.change(now, -i64::from(self.count < CORES));
        self.rearm();
        self.who[self.count]
    }
}

struct World {
    sides: [Side; 2],
    trips: Box<Lane>,
    thinking: Box<Lane>,
    cpu: Box<Cpu>,
    requests: Vec<Request>,
    free: Vec<u32>,
    latency: u64,
}

impl World {
    fn new(seed: u64) -> World {
        let luck = Stream::root(seed);
        let nobody =
            Request { luck, arrived: 0, cpu: 0, connection: 0, class: 0, container: 0, answered: false };
        World {
            sides: [0, 1].map(|class: usize| Side::new(seed, &CLASSES[class])),
            trips: Lane::new(),
            thinking: Lane::new(),
            cpu: Box::new(Cpu {
                due: [0.0; MOST],
                who: [0; MOST],
                count: 0,
                attained: 0.0,
                since: 0,
                rate: 1.0,
                next: u64::MAX,
                active: Gauge::default(),
                busy: Gauge::default(),
            }),
            requests: vec![nobody; MOST],
            free: (0..MOST as u32).collect(),
            latency: 0,
        }
    }

    /// The next thing happens, unless it is after the end.
    #[inline(always)]
    fn next(&mut self, end: u64) -> bool {
        let [users, customers] = &self.sides;
        let due = [
            users.arrival,
            customers.arrival,
            users.app.next(),
            customers.app.next(),
            self.trips.next(),
            self.thinking.next(),
            self.cpu.next,
        ];
        let (mut what, mut now) = (0, due[0]);
        for (place, &at) in due.iter().enumerate().skip(1) {
            if at < now {
                (what, now) = (place, at);
            }
        }
        if now > end {
            return false;
        }
        match what {
            0 | 1 => self.arrive(now, what),
            2 | 3 => self.query(now, what - 2),
            4 => self.trip_ended(now),
            5 => {
                let id = self.thinking.pop();
                self.end(now, id);
            }
            _ => {
                let id = self.cpu.finish(now);
                self.trips.push(now + TRIP.0, id);
            }
        }
        true
    }

    #[inline(always)]
    fn arrive(&mut self, now: u64, which: usize) {
        let (class, side) = (&CLASSES[which], &mut self.sides[which]);
        let id = self.free.pop().expect("few are under way");
        let container = side.pick();
        side.in_flight.change(now, 1);
        self.requests[id as usize] = Request {
            luck: side.luck.at(side.begun).at(0),
            arrived: now,
            cpu: 0,
            connection: 0,
            class: which as u8,
            container: container as u8,
            answered: false,
        };
        side.app.push(now + class.app.0, id);
        side.begun += 1;
        side.arrival = now + side.gap(class);
    }

    #[inline(always)]
    fn query(&mut self, now: u64, which: usize) {
        let side = &mut self.sides[which];
        let id = side.app.pop();
        let request = &mut self.requests[id as usize];
        let idle = &mut side.idle_connections[usize::from(request.container)];
        request.connection = idle.pop().expect("hardly any is in use");
        side.in_use.change(now, 1);
        side.idle.change(now, -1);
        // The query is the third op of its script.
        request.cpu = CLASSES[which].cpu.sample(&mut request.luck.at(2).draws()).0;
        self.trips.push(now + TRIP.0, id);
    }

    #[inline(always)]
    fn trip_ended(&mut self, now: u64) {
        let id = self.trips.pop();
        let request = &mut self.requests[id as usize];
        if !request.answered {
            request.answered = true;
            self.cpu.start(now, request.cpu, id);
        } else if CLASSES[usize::from(request.class)].think {
            self.thinking.push(now + THINK.0, id);
        } else {
            self.end(now, id);
        }
    }

    #[inline(always)]
    fn end(&mut self, now: u64, id: u32) {
        let request = self.requests[id as usize];
        self.latency += now - request.arrived;
        self.sides[usize::from(request.class)].end(now, request);
        self.free.push(id);
    }
}
