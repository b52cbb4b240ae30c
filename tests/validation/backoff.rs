//! Exponential backoff and jitter (AWS Architecture Blog, 2015): clients that update one row under optimistic
//! concurrency control.
//!
//! In the real world: each client reads a row's version and writes back what it made of it; the write fails if
//! another came between, and the client backs off and reads again. herdsim's databases lock rows instead, so
//! the row is a small world of its own on herdsim's agenda; the waits are those of herdsim's clients. A leg of
//! the network takes |N(10, 2)| ms, the server no time. Counted: writes, and when the last client is done.
//!
//! Source: validation.md §5.2, aws-arch-backoff-simulator with 100 replications.

use crate::kit::{Effort, Row, assert_near, column, known, mean_row, replicate};
use herdsim::engine::agenda::Agenda;
use herdsim::engine::chance::{Draws, Stream};
use herdsim::engine::time::{Span, Time};
use herdsim::model::request::backoff;
use herdsim::scenario::grammar::{BackoffJitter, Outcome, Retry};
use rand_distr::{Distribution as _, StandardNormal};

#[derive(Clone, Copy)]
enum Event {
    ReadArrived(u32),
    VersionCame { client: u32, version: u32 },
    WriteArrived { client: u32, version: u32 },
    AnswerCame { client: u32, written: bool },
}

/// The row, its clients, and the way between them.
struct Contest {
    agenda: Agenda<Event>,
    network: Draws,
    luck: Stream,
    retry: Retry,
    attempts: Vec<u8>,
    version: u32,
    writes: u32,
}

impl Contest {
    fn new(clients: u32, retry: Retry, seed: u64) -> Contest {
        let luck = Stream::root(seed);
        let mut row = Contest {
            agenda: Agenda::default(),
            network: luck.named("network").draws(),
            luck: luck.named("client"),
            retry,
            attempts: vec![0; clients as usize],
            version: 0,
            writes: 0,
        };
        (0..clients).for_each(|client| row.send(Span::ZERO, Event::ReadArrived(client)));
        row
    }

    /// A message leaves after a wait and takes a leg.
    fn send(&mut self, wait: Span, event: Event) {
        let z: f64 = StandardNormal.sample(&mut self.network);
        let leg = Span::from_secs_f64((10.0 + 2.0 * z).abs() / 1e3);
        self.agenda.after(wait + leg, event);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::ReadArrived(client) => {
                self.send(Span::ZERO, Event::VersionCame { client, version: self.version });
            }
            Event::VersionCame { client, version } => {
                self.send(Span::ZERO, Event::WriteArrived { client, version });
            }
            Event::WriteArrived { client, version } => {
                self.writes += 1;
                let written = version == self.version;
                self.version += u32::from(written);
                self.send(Span::ZERO, Event::AnswerCame { client, written });
            }
            Event::AnswerCame { written: true, .. } => {}
            Event::AnswerCame { client, written: false } => {
                let attempt = &mut self.attempts[client as usize];
                let luck = self.luck.at(client.into());
                let wait =
                    backoff(Some(&self.retry), Outcome::ServerError, *attempt, |nth| luck.at(nth.into()));
                // Attempts beyond these wait no longer than the cap anyway.
                *attempt = attempt.saturating_add(1);
                self.send(wait.expect("nobody gives up"), Event::ReadArrived(client));
            }
        }
    }
}

/// How many writes it took, and how many milliseconds.
fn contend(clients: u32, retry: &Retry, seed: u64) -> [f64; 2] {
    let mut row = Contest::new(clients, retry.clone(), seed);
    while let Some(event) = row.agenda.next_until(Time::NEVER) {
        row.handle(event);
    }
    assert_eq!(row.version, clients, "each has written once");
    [row.writes.into(), row.agenda.now().as_secs() * 1e3]
}

/// The first wait of AWS's simulator is twice its base of 5 ms, except for the decorrelated one.
fn retry(backoff: &str, jitter: BackoffJitter) -> Retry {
    let text =
        serde_json::json!({ "attempts": 100, "backoff": backoff, "factor": 2.0, "cap": "2s", "on": ["500"] });
    let retry: Retry = serde_json::from_value(text).expect("a retry");
    Retry { attempts: u32::MAX, jitter, ..retry }
}

/// A strategy, its first wait and its jitter.
type Strategy = (&'static str, &'static str, BackoffJitter);

const NONE: Strategy = ("no backoff", "0s", BackoffJitter::None);
const PLAIN: Strategy = ("exponential, no jitter", "10ms", BackoffJitter::None);
const EQUAL: Strategy = ("equal jitter", "10ms", BackoffJitter::Equal);
const FULL: Strategy = ("full jitter", "10ms", BackoffJitter::Full);
const DECORRELATED: Strategy = ("decorrelated jitter", "5ms", BackoffJitter::Decorrelated);

/// How many clients, and what it takes them: calls and milliseconds, each with its half-width.
const TABLE: [(Strategy, u32, [f64; 2], [f64; 2]); 20] = [
    (PLAIN, 10, [50.4, 0.8], [3371.0, 257.0]),
    (PLAIN, 50, [621.8, 5.5], [36278.0, 635.0]),
    (PLAIN, 100, [1856.2, 11.5], [63432.0, 667.0]),
    (PLAIN, 190, [5180.2, 26.0], [101359.0, 860.0]),
    (NONE, 10, [51.6, 0.7], [384.0, 6.0]),
    (NONE, 50, [690.7, 3.2], [1147.0, 9.0]),
    (NONE, 100, [2421.7, 5.5], [2022.0, 9.0]),
    (NONE, 190, [7999.7, 14.0], [3544.0, 9.0]),
    (EQUAL, 10, [42.4, 0.6], [714.0, 35.0]),
    (EQUAL, 50, [346.7, 1.2], [4173.0, 105.0]),
    (EQUAL, 100, [811.9, 1.4], [6691.0, 133.0]),
    (EQUAL, 190, [1760.5, 2.4], [9328.0, 126.0]),
    (FULL, 10, [39.2, 0.5], [473.0, 22.0]),
    (FULL, 50, [332.2, 1.0], [2849.0, 113.0]),
    (FULL, 100, [795.6, 1.4], [4894.0, 102.0]),
    (FULL, 190, [1771.7, 2.5], [7477.0, 96.0]),
    (DECORRELATED, 10, [37.7, 0.4], [440.0, 18.0]),
    (DECORRELATED, 50, [375.1, 2.3], [2240.0, 104.0]),
    (DECORRELATED, 100, [1004.1, 5.5], [4512.0, 141.0]),
    (DECORRELATED, 190, [2432.1, 9.7], [7844.0, 143.0]),
];

/// Calls and completion time of each strategy.
pub fn strategies(effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    for ((name, first, jitter), clients, calls, ms) in TABLE {
        if !effort.is_full() && clients != 100 {
            continue;
        }
        let (what, retry) = (format!("{name}, {clients} clients"), retry(first, jitter));
        let seen = replicate(&what, effort.of(100, 1000), |seed| contend(clients, &retry, seed));
        for (place, (quantity, [mean, half])) in
            [("calls", calls), ("completion [ms]", ms)].into_iter().enumerate()
        {
            let reference = known(mean, half, "aws-arch-backoff-simulator, 100 runs");
            let ours = column(&seen, place);
            rows.push(mean_row("Backoff and jitter", quantity, what.clone(), reference, &ours));
        }
    }
    rows
}

#[test]
fn clients_back_off_as_aws_simulated_them() {
    assert_near(&strategies(Effort::Short), 0.1);
}
