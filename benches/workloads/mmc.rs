//! M/M/16 at 90 % load.

use super::Outcome;
use super::by_hand::Few;
use herdsim::engine::agenda::Agenda;
use herdsim::engine::chance::{Draws, Stream};
use herdsim::engine::dist::Dist;
use herdsim::engine::time::{Span, Time};
use std::collections::VecDeque;

const SERVERS: usize = 16;
/// Mean service time.
const SERVICE: Dist = Dist::Exponential { mean: Span(14_400_000) };
/// Mean time between arrivals: 14.4 ms / 16 / 0.9.
const GAP: Dist = Dist::Exponential { mean: Span(1_000_000) };

#[derive(Clone, Copy)]
enum Event {
    Arrived,
    Served,
}

/// On herdsim's agenda: an alarm for the source, events for the servers.
pub fn herdsim(seed: u64, customers: u64) -> Outcome {
    let (mut gaps, mut services) = luck(seed);
    let mut agenda = Agenda::default();
    let (source, mut begun, mut busy) = (agenda.alarm(), 0, 0);
    let (mut queue, mut waited) = (VecDeque::new(), 0u64);
    agenda.set(source, Some(Time(GAP.sample(&mut gaps).0)), Event::Arrived);
    while begun < customers {
        match agenda.next_until(Time::NEVER).expect("there are always arrivals") {
            Event::Arrived => {
                let gap = GAP.sample(&mut gaps);
                agenda.set(source, Some(agenda.now() + gap), Event::Arrived);
                queue.push_back(agenda.now());
            }
            Event::Served => busy -= 1,
        }
        if busy < SERVERS
            && let Some(since) = queue.pop_front()
        {
            busy += 1;
            waited += agenda.now().since(since).0;
            agenda.after(SERVICE.sample(&mut services), Event::Served);
            begun += 1;
        }
    }
    outcome(waited, begun)
}

/// By hand: the next arrival in a variable, the servers in a sorted array.
pub fn by_hand(seed: u64, customers: u64) -> Outcome {
    let (mut gaps, mut services) = luck(seed);
    let mut served = Few::<SERVERS>::default();
    let mut arrival = GAP.sample(&mut gaps).0;
    let (mut begun, mut busy, mut waited) = (0, 0, 0u64);
    let mut queue = VecDeque::new();
    while begun < customers {
        let now = if arrival < served.least() {
            let now = arrival;
            arrival += GAP.sample(&mut gaps).0;
            queue.push_back(now);
            now
        } else {
            busy -= 1;
            served.pop()
        };
        if busy < SERVERS
            && let Some(since) = queue.pop_front()
        {
            busy += 1;
            waited += now - since;
            served.push(now + SERVICE.sample(&mut services).0);
            begun += 1;
        }
    }
    outcome(waited, begun)
}

fn luck(seed: u64) -> (Draws, Draws) {
    let root = Stream::root(seed);
    (root.named("gaps").draws(), root.named("services").draws())
}

fn outcome(waited: u64, begun: u64) -> Outcome {
    Outcome { count: begun, figure: waited as f64 / begun as f64 / 1e9 }
}
