//! The hold model.

use super::Outcome;
use super::by_hand::Calendar;
use herdsim::engine::agenda::Agenda;
use herdsim::engine::chance::Stream;
use herdsim::engine::dist::Dist;
use herdsim::engine::time::{Span, Time};

const DELAY: Dist = Dist::Exponential { mean: Span::from_secs(1) };

/// On herdsim's agenda: the event is the timer's number.
pub fn herdsim(seed: u64, pending: u32, firings: u64) -> Outcome {
    let mut draws = luck(seed);
    let mut agenda = Agenda::default();
    for timer in 0..pending {
        agenda.after(DELAY.sample(&mut draws), timer);
    }
    for _ in 0..firings {
        let timer = agenda.next_until(Time::NEVER).expect("timers are always pending");
        agenda.after(DELAY.sample(&mut draws), timer);
    }
    Outcome { count: firings, figure: agenda.now().as_secs() }
}

/// So many events due at one instant: what a crowd costs, which nothing but its order tells apart.
pub fn crowd(events: u64) -> Outcome {
    let mut agenda = Agenda::default();
    for number in 0..events {
        agenda.after(Span::from_secs(1), number);
    }
    let fired = std::iter::from_fn(|| agenda.next_until(Time::NEVER)).count();
    Outcome { count: fired as u64, figure: agenda.now().as_secs() }
}

/// By hand: a calendar queue that knows the mean gap.
pub fn by_hand(seed: u64, pending: u32, firings: u64) -> Outcome {
    let mut draws = luck(seed);
    let mut calendar = Calendar::new(pending, Span::from_secs(1));
    for timer in 0..pending {
        calendar.push(DELAY.sample(&mut draws).0, timer);
    }
    let mut now = 0;
    for _ in 0..firings {
        let (at, timer) = calendar.pop();
        now = at;
        calendar.push(now + DELAY.sample(&mut draws).0, timer);
    }
    Outcome { count: firings, figure: Time(now).as_secs() }
}

fn luck(seed: u64) -> herdsim::engine::chance::Draws {
    Stream::root(seed).named("delays").draws()
}
