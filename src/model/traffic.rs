//! Sources of requests and the clients behind them.
//!
//! An open-loop source is a Poisson process whose rate may change: by a curve in the scenario, by bursts, by
//! an event. Modelled by hazard: each gap is a unit exponential variate, spent at the rate in force, so a
//! change of rate rescales the pending arrival and two variants with one seed meet the same users. Traffic
//! shaping at the edge takes no time and sees no more of a request than its source. Closed-loop clients are
//! in [`super::device`].

use super::RequestId;
use super::context::Context;
use super::event::{Event, SourceEvent};
use super::fact::{Fact, Recorder};
use super::request::{Origin, Request};
use crate::engine::agenda::Alarm;
use crate::engine::chance::Stream;
use crate::engine::dist::Dist;
use crate::engine::time::{Span, Time};
use rand_distr::{Distribution as _, Exp1};

/// A source of requests.
#[derive(Debug)]
pub struct Source {
    /// What its requests are.
    pub origin: Origin,
    /// Rate per second by time: each holds from its time to the next.
    pub rate: Vec<(Time, f64)>,
    /// Bursts, if arrivals come only in bursts.
    pub burst: Option<Bursts>,
    /// The share of its requests that the edge rejects.
    pub rejected: f64,
    /// Its luck.
    pub luck: Stream,
    /// Where its next arrival stands on the agenda.
    pub alarm: Alarm,
    /// How many requests have begun.
    pub begun: u64,
    /// What is left of the pending gap's exponential variate, at `since`.
    pub hazard_left: f64,
    /// When `hazard_left` was true.
    pub since: Time,
}

/// The bursts of a source.
#[derive(Debug)]
pub struct Bursts {
    /// From the beginning of one to the beginning of the next.
    pub every: Dist,
    /// How long each goes on.
    pub lasting: Dist,
    /// Whether one is under way.
    pub on: bool,
    /// How many are over.
    pub over: u64,
}

impl Source {
    /// Sets the source going.
    pub fn start<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        self.hazard_left = self.gap();
        if let Some(burst) = &self.burst {
            let first = burst.every.sample(&mut self.luck.named("burst").at(0).draws());
            ctx.agenda.after(first, Event::Source(self.origin.source, SourceEvent::BurstTurned));
        }
        self.arm(ctx);
    }

    /// The next arrival: the request, ready for its service.
    pub fn on_arrival<R: Recorder>(&mut self, ctx: &mut Context<R>) -> RequestId {
        let request = self.request(ctx.now(), self.begun, 0);
        self.begun += 1;
        self.hazard_left = self.gap();
        self.since = ctx.now();
        self.arm(ctx);
        ctx.begin_request(request)
    }

    /// A client tries again: the request, ready for its service.
    pub fn on_retry<R: Recorder>(&mut self, ctx: &mut Context<R>, number: u64, attempt: u8) -> RequestId {
        let request = self.request(ctx.now(), number, attempt);
        ctx.begin_request(request)
    }

    /// A burst begins or ends.
    pub fn on_burst_turned<R: Recorder>(&mut self, ctx: &mut Context<R>) {
        self.settle(ctx.now());
        let Some(burst) = &mut self.burst else { return };
        burst.on = !burst.on;
        let luck = |burst: u64| self.luck.named("burst").at(burst).draws();
        let mut draws = luck(burst.over);
        // A burst has two draws: from the beginning of the one before to its own, and how long it lasts.
        burst.every.sample(&mut draws);
        let lasting = burst.lasting.sample(&mut draws);
        let next = burst.every.sample(&mut luck(burst.over + 1)).max(Span(1));
        // It is over when the next begins, at the latest; the instant between them tells the two apart.
        let lasting = lasting.min(next.saturating_sub(Span(1)));
        let wait = if burst.on { lasting } else { next.saturating_sub(lasting) };
        burst.over += u64::from(!burst.on);
        let on = burst.on;
        if !on {
            ctx.fact(Fact::BurstEnded(self.origin.source));
        } else if pieces(&self.rate, ctx.now()).next().is_some_and(|(.., rate)| rate > 0.0) {
            ctx.fact(Fact::BurstBegan(self.origin.source));
        }
        ctx.agenda.after(wait, Event::Source(self.origin.source, SourceEvent::BurstTurned));
        self.arm(ctx);
    }

    /// The rate changes now: what is left of the pending gap is spent at the new rate.
    pub fn set_rate<R: Recorder>(&mut self, ctx: &mut Context<R>, rate: Vec<(Time, f64)>) {
        if rate != self.rate {
            self.settle(ctx.now());
            self.rate = rate;
            self.arm(ctx);
        }
    }

    /// Whether the edge rejects a request. The same ones are rejected in every variant, and more of them
    /// where the share is greater.
    pub fn rejects(&self, luck: Stream) -> bool {
        self.rejected > 0.0 && luck.named("rejected").draws().unit() < self.rejected
    }

    fn request(&self, now: Time, number: u64, attempt: u8) -> Request {
        self.origin.request(now, self.luck.at(number), number, attempt)
    }

    #[inline(always)]
    fn gap(&self) -> f64 {
        Exp1.sample(&mut self.luck.named("gap").at(self.begun).draws())
    }

    fn is_silent(&self) -> bool {
        self.burst.as_ref().is_some_and(|burst| !burst.on)
    }

    /// Spends the hazard of the time that has passed since it was last settled.
    fn settle(&mut self, now: Time) {
        if !self.is_silent() {
            for (from, to, rate) in pieces(&self.rate, self.since) {
                let end = to.min(now);
                if end > from {
                    self.hazard_left = (self.hazard_left - rate * (end - from).as_secs()).max(0.0);
                }
            }
        }
        self.since = now;
    }

    /// Puts the next arrival on the agenda, as things stand.
    #[inline(always)]
    fn arm<R: Recorder>(&self, ctx: &mut Context<R>) {
        let at = if self.is_silent() { None } else { self.next_arrival() };
        ctx.agenda.set(self.alarm, at, Event::Source(self.origin.source, SourceEvent::Arrived));
    }

    fn next_arrival(&self) -> Option<Time> {
        let mut left = self.hazard_left;
        for (from, to, rate) in pieces(&self.rate, self.since) {
            let enough = rate * (to - from).as_secs();
            if rate > 0.0 && left <= enough {
                return Some(from + Span::from_secs_f64(left / rate));
            }
            left -= enough;
        }
        None
    }
}

/// The stretches of constant rate from `since` on: (from, to, rate).
fn pieces(rate: &[(Time, f64)], since: Time) -> impl Iterator<Item = (Time, Time, f64)> + '_ {
    rate.iter().enumerate().filter_map(move |(i, &(from, rate_then))| {
        let to = rate.get(i + 1).map_or(Time::NEVER, |next| next.0);
        (to > since).then_some((from.max(since), to, rate_then))
    })
}
