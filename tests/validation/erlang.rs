//! Erlang's queues: herdsim's pool is M/M/c and M/G/1, with an acquire timeout M/M/c+D, behind a bounded
//! container M/M/c/K; a container without a queue is Erlang B.
//!
//! Each is a small scenario: one container without network time whose requests hold a connection for a random
//! time. The references are numbers of published tables or closed forms, written down as numbers, so that no
//! formula is coded twice. What arrives before the queue has forgotten its beginning is not counted.

use crate::kit::{Effort, Reference, Row, assert_near, column, exact, load, mean_row, replicate};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::scenario::Scenario;
use herdsim::scenario::grammar::Outcome;
use std::collections::VecDeque;

/// How long a connection is held, on average.
const HOLD: f64 = 0.01;

/// What requests that arrive after the warm-up meet.
pub struct Line {
    warm: Time,
    arrived: f64,
    ended: f64,
    latency: f64,
    rejected: f64,
    timed_out: f64,
    /// Who waits since when.
    waiting: VecDeque<Time>,
    /// Waits that ended, in service times.
    waits: Vec<f64>,
}

impl Line {
    /// A line that is counted from an instant on.
    pub fn from(warm: f64) -> Line {
        Line {
            warm: Time::ZERO + Span::from_secs_f64(warm),
            arrived: 0.0,
            ended: 0.0,
            latency: 0.0,
            rejected: 0.0,
            timed_out: 0.0,
            waiting: VecDeque::new(),
            waits: Vec::new(),
        }
    }

    /// The share that waits.
    fn waited(&self) -> f64 {
        self.waits.len() as f64 / self.arrived
    }

    /// The mean wait of all, in service times.
    fn mean_wait(&self) -> f64 {
        self.waits.iter().sum::<f64>() / self.arrived
    }

    /// The wait that a share of all does not exceed, in service times.
    fn quantile(&self, share: f64) -> f64 {
        let mut waits = self.waits.clone();
        waits.sort_by(f64::total_cmp);
        let longer = ((1.0 - share) * self.arrived) as usize;
        waits[waits.len() - 1 - longer]
    }

    /// The share that is turned away.
    fn blocked(&self) -> f64 {
        self.rejected / self.arrived
    }

    /// The share that waits in vain.
    fn gave_up(&self) -> f64 {
        self.timed_out / self.arrived
    }

    /// The mean time from arrival to answer, in seconds.
    pub fn response(&self) -> f64 {
        self.latency / self.ended
    }
}

impl Recorder for Line {
    fn record(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::RequestArrived { .. } if now >= self.warm => self.arrived += 1.0,
            Fact::RequestEnded { outcome, latency, .. } if Time(now.0 - latency.0) >= self.warm => {
                self.ended += 1.0;
                self.latency += latency.as_secs();
                self.rejected += f64::from(outcome == Outcome::TooManyRequests);
                self.timed_out += f64::from(outcome == Outcome::PoolTimeout);
            }
            Fact::AcquireQueued(_) => self.waiting.push_back(now),
            Fact::AcquireDequeued(_) => {
                // First come, first served, and all have the same patience: who leaves came first.
                let since = self.waiting.pop_front().expect("someone waits");
                if since >= self.warm {
                    self.waits.push(now.since(since).as_secs() / HOLD);
                }
            }
            _ => {}
        }
    }
}

/// What is in front of a pool and behind it.
#[derive(Debug)]
struct Queue<'a> {
    connections: u32,
    /// Requests that there is room for in all.
    room: u32,
    hold: &'a str,
    busy: f64,
    acquire_timeout: Option<f64>,
}

const EXPONENTIAL: &str = r#"{ exponential = "10ms" }"#;

impl Queue<'_> {
    fn of(connections: u32, busy: f64) -> Queue<'static> {
        Queue { connections, room: 100_000, hold: EXPONENTIAL, busy, acquire_timeout: None }
    }

    /// The scenario, for so many arrivals after the warm-up; and how long that takes, in seconds.
    fn scenario(&self, arrivals: f64) -> (Scenario, f64) {
        let Queue { connections, room, hold, .. } = self;
        let rate = self.busy * f64::from(*connections) / HOLD;
        let warm = self.warm_up();
        let millis = ((warm + arrivals / rate) * 1e3) as u64;
        let timeout = self.acquire_timeout.map_or_else(String::new, |services| {
            format!("acquire_timeout = \"{}us\"", (services * HOLD * 1e6) as u64)
        });
        let text = format!(
            r#"
schema_version = 1
title    = "A queue"
duration = "{millis}ms"
[network]
database = "0s"
[postgres.primary]
cores           = 8
max_connections = 5000
[service.api]
containers       = {{ min = 1, max = 1 }}
concurrency      = {room}
pending_deadline = "1ns"
[service.api.pool.primary]
min = {connections}
max = {connections}
{timeout}
[query.lookup]
cpu = "0s"
[request.sign-in]
service = "api"
steps   = [{{ query = "lookup", think = {hold}, on = "primary" }}]
[traffic.users]
request = "sign-in"
rate    = "{rate}/s"
"#
        );
        (load(&text), warm)
    }

    /// Ten relaxation times of M/M/c, in seconds; with a limit on the line there is little to forget.
    fn warm_up(&self) -> f64 {
        let spare = 1.0 - self.busy.min(0.97).sqrt();
        10.0 * HOLD / (f64::from(self.connections) * spare * spare)
    }

    /// What each replication saw.
    fn replicate<const N: usize>(
        &self,
        replications: u64,
        arrivals: f64,
        see: impl Fn(&Line) -> [f64; N] + Sync + Send,
    ) -> Vec<[f64; N]> {
        let (scenario, warm) = self.scenario(arrivals);
        let name = format!("{self:?}");
        replicate(&name, replications, |seed| see(&experiment::record(&scenario, seed, Line::from(warm))))
    }
}

/// Servers, how busy they are, P(wait) and the mean wait in service times: Erlang C.
const ERLANG_C: [(u32, f64, f64, f64); 10] = [
    (1, 0.9, 0.9, 9.0),
    (2, 0.9, 0.852632, 4.263158),
    (5, 0.8, 0.554113, 0.554113),
    (10, 0.8, 0.409180, 0.204590),
    (10, 0.9, 0.668732, 0.668732),
    (10, 0.95, 0.825586, 1.651171),
    (20, 0.9, 0.550769, 0.275385),
    (50, 0.9, 0.363864, 0.072773),
    (100, 0.9, 0.216940, 0.021694),
    (100, 0.95, 0.506457, 0.101291),
];

/// M/M/c: P(wait), mean wait, quantiles of the wait.
pub fn erlang_c(effort: Effort) -> Vec<Row> {
    const CASE: &str = "Erlang C";
    let mut rows = Vec::new();
    for (c, busy, wait, mean) in ERLANG_C.into_iter().filter(|row| effort.is_full() || row.0 == 5) {
        let (replications, arrivals) = effort.of((10, 100_000.0), (20, 200_000.0));
        let seen =
            Queue::of(c, busy).replicate(replications, arrivals, |line| [line.waited(), line.mean_wait()]);
        let what = format!("c = {c}, rho = {busy}");
        rows.push(mean_row(CASE, "P(wait)", what.clone(), formula(wait), &column(&seen, 0)));
        rows.push(mean_row(CASE, "mean wait [service times]", what, formula(mean), &column(&seen, 1)));
    }
    for (c, busy, wait, _) in ERLANG_C.into_iter().filter(|row| effort.is_full() || row.0 == 5) {
        let (replications, arrivals) = effort.of((10, 200_000.0), (20, 600_000.0));
        let seen = Queue::of(c, busy)
            .replicate(replications, arrivals, |line| [line.quantile(0.95), line.quantile(0.99)]);
        let what = format!("c = {c}, rho = {busy}");
        for (place, share) in [0.95, 0.99].into_iter().enumerate() {
            // P(W > t) = P(wait) · e^(−c(1 − ρ)t), t in service times.
            let value = libm::log(wait / (1.0 - share)) / (f64::from(c) * (1.0 - busy));
            let name = format!("p{:.0} of the wait [service times]", share * 100.0);
            rows.push(mean_row(CASE, &name, what.clone(), formula(value), &column(&seen, place)));
        }
    }
    rows
}

fn formula(value: f64) -> Reference {
    exact(value, "Erlang's formula")
}

/// How busy ten connections are, and the share that times out after 0.25, 0.5 and 1 service time.
const M_M_10_D: [(f64, [f64; 3]); 5] = [
    (0.8, [0.061932, 0.034228, 0.011589]),
    (0.9, [0.098030, 0.063880, 0.031597]),
    (1.0, [0.139661, 0.103517, 0.068212]),
    (1.2, [0.228849, 0.199554, 0.177424]),
    (1.5, [0.352274, 0.338549, 0.333755]),
];

/// A pool with an acquire timeout: M/M/c+D.
pub fn acquire_timeout(effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    let (replications, arrivals) = effort.of((10, 100_000.0), (20, 150_000.0));
    for (busy, shares) in M_M_10_D.into_iter().filter(|row| effort.is_full() || row.0 == 1.2) {
        for (limit, share) in [0.25, 0.5, 1.0].into_iter().zip(shares) {
            let queue = Queue { acquire_timeout: Some(limit), ..Queue::of(10, busy) };
            let seen = queue.replicate(replications, arrivals, |line| [line.gave_up()]);
            let what = format!("c = 10, rho = {busy}, tau = {limit} service times");
            let reference = exact(share, "closed form of M/M/c+D");
            rows.push(mean_row(
                "Acquire timeout (M/M/c+D)",
                "P(timeout)",
                what,
                reference,
                &column(&seen, 0),
            ));
        }
    }
    rows
}

/// Places in all: those who find none are turned away.
pub fn blocking(effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    let (replications, arrivals) = effort.of((10, 100_000.0), (20, 150_000.0));
    let table = [(0.8, 0.009107), (1.0, 0.068212), (1.2, 0.179666), (2.0, 0.500034)];
    for (busy, share) in table.into_iter().filter(|row| effort.is_full() || row.0 == 1.2) {
        let queue = Queue { room: 20, ..Queue::of(10, busy) };
        let seen = queue.replicate(replications, arrivals, |line| [line.blocked()]);
        let reference = exact(share, "closed form of M/M/c/K");
        let what = format!("c = 10, K = 20, rho = {busy}");
        rows.push(mean_row("Blocking (M/M/10/20)", "P(429)", what, reference, &column(&seen, 0)));
    }
    rows
}

/// A container of a thousand places and no queue, offered 2,016 erlangs.
pub fn erlang_b(effort: Effort) -> Vec<Row> {
    let (replications, secs) = effort.of((10, 30), (20, 300));
    let text = format!(
        r#"
schema_version = 1
title    = "A thousand places"
duration = "{secs}s"
[service.api]
containers       = {{ min = 1, max = 1 }}
concurrency      = 1000
pending_deadline = "1ns"
[request.call]
service = "api"
steps   = [{{ app = {{ exponential = "2016ms" }} }}]
[traffic.callers]
request = "call"
rate    = "1000/s"
"#
    );
    let scenario = load(&text);
    let seen = replicate("Erlang B", replications, |seed| {
        [experiment::record(&scenario, seed, Line::from(12.0)).blocked()]
    });
    let reference = exact(0.504455, "Erlang B");
    let what = "1000 places, 1000/s of 2.016 s".to_owned();
    vec![mean_row("Erlang B", "P(429)", what, reference, &column(&seen, 0))]
}

/// One connection that is held for times of any shape: Pollaczek and Khinchine's mean wait.
pub fn m_g_1(effort: Effort) -> Vec<Row> {
    // A log-normal time of mean 10 ms with variance cv² has sigma² = ln(1 + cv²): median and p99 follow.
    const SHAPES: [(&str, &str, f64); 4] = [
        ("0", "\"10ms\"", 2.0),
        ("0.25", r#"{ log_normal = { median = "8944272ns", p99 = "26841125ns" } }"#, 2.5),
        ("1", EXPONENTIAL, 4.0),
        ("4", r#"{ log_normal = { median = "4472136ns", p99 = "85554651ns" } }"#, 10.0),
    ];
    let (replications, arrivals) = effort.of((10, 200_000.0), (20, 400_000.0));
    let mut rows = Vec::new();
    for (variance, hold, mean) in SHAPES.into_iter().filter(|shape| effort.is_full() || shape.0 == "0.25") {
        let queue = Queue { hold, ..Queue::of(1, 0.8) };
        let seen = queue.replicate(replications, arrivals, |line| [line.mean_wait()]);
        let what = format!("rho = 0.8, cv² = {variance}");
        let reference = exact(mean, "Pollaczek–Khinchine");
        rows.push(mean_row("M/G/1", "mean wait [service times]", what, reference, &column(&seen, 0)));
    }
    rows
}

#[test]
fn a_pool_is_erlang_c() {
    assert_near(&erlang_c(Effort::Short), 0.1);
}

#[test]
fn an_acquire_timeout_sheds_as_m_m_c_d_says() {
    assert_near(&acquire_timeout(Effort::Short), 0.05);
}

#[test]
fn a_full_container_turns_away_as_m_m_c_k_says() {
    assert_near(&blocking(Effort::Short), 0.05);
}

#[test]
fn a_container_without_a_queue_is_erlang_b() {
    assert_near(&erlang_b(Effort::Short), 0.02);
}

#[test]
fn a_single_connection_is_m_g_1() {
    assert_near(&m_g_1(Effort::Short), 0.1);
}
