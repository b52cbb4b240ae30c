//! Devices that keep a session token fresh: clients in closed loop.
//!
//! In the real world: a browser tab with the SDK, which asks for a new 60 s token some 45 to 50 s after the
//! last (cloud-run.md §6.1). Modelled: every tab (and every refresh too many of the duplicate-refresh bug) is
//! a loop of its own: refresh, retry as the class says, and after the last failure wait for the next poll. A
//! draw is keyed by device, refresh and attempt. As the run begins each has a token of any age. Left out:
//! the age at which a token is no longer valid (a refresh counts as a wish fulfilled however late it comes),
//! devices that come and go, the lock between tabs, the sign-out after a refusal.

use super::context::Context;
use super::event::{Event, Halves, SourceEvent};
use super::fact::Recorder;
use super::request::{Origin, Request};
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar;

/// The devices of one table, all together a source of requests.
#[derive(Clone, Debug)]
pub struct Devices {
    /// What their requests are.
    pub origin: Origin,
    /// How many loops: devices × tabs × duplicates.
    pub loops: u32,
    /// The age at which a token is refreshed.
    pub refresh_age: Dist,
    /// From giving up to the next refresh.
    pub poll: Span,
    /// Their luck.
    pub luck: Stream,
}

/// How many loops there are.
pub fn loops(devices: &grammar::Device) -> u32 {
    (devices.loops() + 0.5) as u32
}

impl Devices {
    /// Sets all loops going, each with a token of any age.
    pub fn start<R: Recorder>(&self, ctx: &mut Context<R>) {
        let source = self.origin.source;
        for device in 0..self.loops {
            let mut draws = self.luck.at(u64::from(device)).named("phase").draws();
            let wait = self.refresh_age.sample(&mut draws).scale(draws.unit());
            ctx.agenda.after(wait, Event::Source(source, SourceEvent::RefreshDue { device, refresh: 0 }));
        }
    }

    /// A request that begins now: an attempt at the refresh with this number.
    pub fn request(&self, now: Time, number: u64, attempt: u8) -> Request {
        self.origin.request(now, self.luck_of(number), number, attempt)
    }

    /// When the loop of a refresh that ended begins the next, and which that is.
    pub fn next(&self, number: u64, fulfilled: bool) -> (Span, SourceEvent) {
        let Halves { high: device, low: refresh } = Halves::of(number);
        let age = || self.refresh_age.sample(&mut self.luck_of(number).named("age").draws());
        let wait = if fulfilled { age() } else { self.poll };
        (wait, SourceEvent::RefreshDue { device, refresh: refresh + 1 })
    }

    fn luck_of(&self, number: u64) -> Stream {
        let Halves { high: device, low: refresh } = Halves::of(number);
        self.luck.at(device.into()).at(refresh.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(device: u32, refresh: u32) -> u64 {
        Halves { high: device, low: refresh }.joined()
    }

    fn devices() -> Devices {
        Devices {
            origin: Origin::default(),
            loops: 1,
            refresh_age: Dist::Uniform { min: Span::from_secs(45), max: Span::from_secs(50) },
            poll: Span::from_secs(5),
            luck: Stream::root(1),
        }
    }

    #[test]
    fn a_token_is_refreshed_at_its_age_and_a_failure_at_the_next_poll() {
        let (wait, event) = devices().next(number(7, 3), true);
        assert!((45.0..=50.0).contains(&wait.as_secs()), "{wait}");
        assert!(matches!(event, SourceEvent::RefreshDue { device: 7, refresh: 4 }));
        assert_eq!(devices().next(number(7, 3), false).0, Span::from_secs(5));
    }

    #[test]
    fn draws_are_keyed_by_device_refresh_and_attempt() {
        let luck =
            |device, refresh, attempt| devices().request(Time::ZERO, number(device, refresh), attempt).luck;
        assert_eq!(luck(1, 2, 0), luck(1, 2, 0));
        let different = [luck(1, 2, 0), luck(2, 1, 0), luck(1, 2, 1), luck(1, 3, 0)];
        assert!((1..4).all(|n| !different[..n].contains(&different[n])));
    }
}
