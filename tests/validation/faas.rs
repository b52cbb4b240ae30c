//! SimFaaS: functions as a service with one request to an instance, cold starts, and instances that expire.
//!
//! In the real world: AWS Lambda. A request goes to the newest idle instance, or to a new one (a cold start);
//! an instance that was idle for ten minutes goes away; at the cap a request is rejected. herdsim's services
//! are Cloud Run's, which retire instances by another rule, so this is a small world on its agenda: the expiry
//! is a lane of one delay whose events are cancelled, the instances are a slab.
//!
//! Source: validation.md §5.5: a published run, an independent program with 60 replications, and measurements
//! on AWS Lambda.

use crate::kit::{Effort, Reference, Row, assert_near, column, known, mean_row, replicate};
use herdsim::engine::agenda::{Agenda, Handle, Lane};
use herdsim::engine::chance::{Draws, Stream};
use herdsim::engine::dist::Dist;
use herdsim::engine::slab::{Id, Slab};
use herdsim::engine::time::{Span, Time};

/// Requests and what serves them; times in seconds.
#[derive(Clone, Copy)]
struct Plan {
    lambda: f64,
    warm: f64,
    cold: f64,
    cap: usize,
    /// How long it runs, from an empty start.
    secs: u64,
    /// What happens before is not counted.
    skip: u64,
}

struct Instance {
    number: u64,
    launched: Time,
    expiry: Handle,
}

#[derive(Clone, Copy)]
enum Event {
    Arrived,
    Served(Id<Instance>),
    Expired(Id<Instance>),
}

/// The platform.
struct Platform {
    agenda: Agenda<Event>,
    ten_minutes: Lane,
    instances: Slab<Instance>,
    /// Ascending by number: the newest is the last.
    idle: Vec<(u64, Id<Instance>)>,
    cap: usize,
    gap: Dist,
    times: [Dist; 2],
    draws: [Draws; 2],
    launched: u64,
    requests: u64,
    cold: u64,
    rejected: u64,
    /// Instances and running ones, over time: value × seconds, and since when.
    area: [f64; 2],
    since: Time,
    /// Lifespans of those that expired.
    lived: (f64, u64),
}

impl Platform {
    fn new(plan: &Plan, seed: u64) -> Platform {
        let luck = Stream::root(seed);
        let exponential = |mean: f64| Dist::Exponential { mean: Span::from_secs_f64(mean) };
        let mut agenda = Agenda::default();
        let ten_minutes = agenda.lane(Span::from_secs(600));
        let mut platform = Platform {
            agenda,
            ten_minutes,
            instances: Slab::default(),
            idle: Vec::new(),
            cap: plan.cap,
            gap: exponential(1.0 / plan.lambda),
            times: [exponential(plan.warm), exponential(plan.cold)],
            draws: [luck.named("gap").draws(), luck.named("service").draws()],
            launched: 0,
            requests: 0,
            cold: 0,
            rejected: 0,
            area: [0.0; 2],
            since: Time::ZERO,
            lived: (0.0, 0),
        };
        platform.next_request();
        platform
    }

    fn next_request(&mut self) {
        let gap = self.gap.sample(&mut self.draws[0]);
        self.agenda.after(gap, Event::Arrived);
    }

    /// Time has passed.
    fn settle(&mut self, now: Time) {
        let span = now.since(self.since).as_secs();
        let all = self.instances.len();
        self.area[0] += all as f64 * span;
        self.area[1] += (all - self.idle.len()) as f64 * span;
        self.since = now;
    }

    /// What has been counted so far does not count.
    fn forget(&mut self) {
        (self.requests, self.cold, self.rejected) = (0, 0, 0);
        (self.area, self.lived) = ([0.0; 2], (0.0, 0));
    }

    fn serve(&mut self, id: Id<Instance>, cold: bool) {
        let time = self.times[usize::from(cold)].sample(&mut self.draws[1]);
        self.agenda.after(time, Event::Served(id));
    }

    fn handle(&mut self, event: Event) {
        let now = self.agenda.now();
        self.settle(now);
        match event {
            Event::Arrived => {
                self.requests += 1;
                self.next_request();
                if let Some((_, newest)) = self.idle.pop() {
                    self.agenda.cancel(self.instances[newest].expiry);
                    self.serve(newest, false);
                } else if self.instances.len() < self.cap {
                    self.cold += 1;
                    self.launched += 1;
                    let instance = Instance { number: self.launched, launched: now, expiry: Handle::NONE };
                    let id = self.instances.insert(instance);
                    self.serve(id, true);
                } else {
                    self.rejected += 1;
                }
            }
            Event::Served(id) => {
                let expiry = self.agenda.after_lane(self.ten_minutes, Event::Expired(id));
                let instance = &mut self.instances[id];
                instance.expiry = expiry;
                let place = self.idle.partition_point(|idle| idle.0 < instance.number);
                self.idle.insert(place, (instance.number, id));
            }
            Event::Expired(id) => {
                self.idle.retain(|idle| idle.1 != id);
                let instance = self.instances.remove(id).expect("an idle instance");
                self.lived.0 += now.since(instance.launched).as_secs();
                self.lived.1 += 1;
            }
        }
    }
}

/// P(cold start), P(rejection), mean servers, running, idle, lifespan.
fn run(plan: &Plan, seed: u64) -> [f64; 6] {
    let mut platform = Platform::new(plan, seed);
    let skip = Time::ZERO + Span::from_secs(plan.skip);
    let end = Time::ZERO + Span::from_secs(plan.secs);
    for (until, then_forget) in [(skip, true), (end, false)] {
        while let Some(event) = platform.agenda.next_until(until) {
            platform.handle(event);
        }
        platform.settle(until);
        if then_forget {
            platform.forget();
        }
    }
    let (requests, secs) = (platform.requests as f64, (plan.secs - plan.skip) as f64);
    let [servers, running] = platform.area.map(|area| area / secs);
    let lifespan = platform.lived.0 / platform.lived.1 as f64;
    let rejected = platform.rejected as f64 / requests;
    [platform.cold as f64 / requests, rejected, servers, running, servers - running, lifespan]
}

const PLAN: Plan = Plan { lambda: 0.9, warm: 1.991, cold: 2.244, cap: 1000, secs: 1_000_000, skip: 0 };

/// The published example.
fn example(effort: Effort) -> Vec<Row> {
    let own = "independent program, 60 runs (validation.md §5.5)";
    let table = [
        ("P(cold start)", 0, 0.0013380, 0.0000078),
        ("servers", 2, 7.6914, 0.0054),
        ("running", 3, 1.7920, 0.0007),
        ("idle", 4, 5.8994, 0.0053),
        ("lifespan [s]", 5, 6408.0, 35.0),
    ];
    let seen = replicate("SimFaaS", effort.of(20, 60), |seed| run(&PLAN, seed));
    let row = |(name, place, value, half): (&str, usize, f64, f64)| {
        let what = "lambda = 0.9/s, 1.991 s warm, 2.244 s cold, 600 s".to_owned();
        mean_row("SimFaaS", name, what, known(value, half, own), &column(&seen, place))
    };
    table.into_iter().map(row).collect()
}

/// What AWS Lambda did: arrivals a second, P(cold start) and its standard error, mean instances.
const LAMBDA: [(f64, f64, f64, f64); 7] = [
    (0.001863, 0.343, 0.032, 0.674),
    (0.003453, 0.110, 0.023, 0.908),
    (0.01638, 0.0196, 0.0021, 1.270),
    (0.1004, 0.00566, 0.00042, 2.889),
    (0.4997, 0.00191, 0.0001, 5.694),
    (0.9025, 0.00151, 0.00007, 7.870),
    (1.0005, 0.00131, 0.00008, 8.397),
];

/// The measurements, and what an independent program has for the rarest requests.
fn lambda(effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    if !effort.is_full() {
        return rows;
    }
    for (arrivals, cold, error, instances) in LAMBDA {
        let plan = Plan { lambda: arrivals, secs: 520_000, skip: 20_000, ..PLAN };
        let what = format!("lambda = {arrivals}/s, measured on AWS Lambda");
        let seen = replicate(&what, 20, |seed| run(&plan, seed));
        let cold = known(cold, 1.96 * error, "AWS Lambda (SimFaaS exp.csv)");
        rows.push(mean_row("SimFaaS", "P(cold start)", what.clone(), cold, &column(&seen, 0)));
        // No error is published; the authors' own simulator is 3.05 % off on average.
        let instances: Reference = known(instances, 0.0, "AWS Lambda (SimFaaS exp.csv)");
        rows.push(mean_row("SimFaaS", "servers", what, instances, &column(&seen, 2)));
    }
    for (arrivals, cold) in [(0.001863, 0.3296), (0.003453, 0.1319), (0.004248, 0.0857)] {
        let plan = Plan { lambda: arrivals, secs: 520_000, skip: 20_000, ..PLAN };
        let what = format!("lambda = {arrivals}/s");
        let seen = replicate(&what, 20, |seed| run(&plan, seed));
        let reference = known(cold, 0.00005, "independent program (validation.md §5.5)");
        rows.push(mean_row("SimFaaS", "P(cold start)", what, reference, &column(&seen, 0)));
    }
    rows
}

/// At the cap: the published run from an empty start, and Erlang B once that is forgotten.
fn at_the_cap(effort: Effort) -> Vec<Row> {
    let plan = Plan { lambda: 1000.0, warm: 2.016, cold: 2.016, cap: 1000, secs: 1000, skip: 0 };
    let later = Plan { secs: 320, skip: 20, ..plan };
    let published = known(0.5039, 0.00005, "SimFaaS, one published run");
    let erlang = known(0.504455, 0.0, "Erlang B");
    let table =
        [("1000 s from an empty start", plan, published), ("after the start is forgotten", later, erlang)];
    let row = |(name, plan, reference): (&str, Plan, Reference)| {
        let seen = replicate(name, effort.of(8, 20), |seed| [run(&plan, seed)[1]]);
        let what = format!("1000/s of 2.016 s, cap 1000, {name}");
        mean_row("SimFaaS", "P(rejection)", what, reference, &column(&seen, 0))
    };
    table.into_iter().skip(effort.of(1, 0)).map(row).collect()
}

/// All of the case.
pub fn all(effort: Effort) -> Vec<Row> {
    [example(effort), lambda(effort), at_the_cap(effort)].concat()
}

#[test]
fn cold_starts_are_as_rare_as_simfaas_says() {
    assert_near(&all(Effort::Short), 0.1);
}
