//! Tracing a run: up to the window like any other run, then one step at a time under a tracer's eyes.
//!
//! A run is a pure function of its scenario and seed, so that a request of which only the latency is known
//! can be found again: a first run finds it, a second follows it.

use crate::engine::time::{Span, Time};
use crate::measure::trace::{Ear, Followed, Trace, Tracer};
use crate::model::build::Places;
use crate::model::fact::{Fact, Recorder, SeriesNumber};
use crate::model::world::World;
use crate::scenario::Scenario;
use crate::scenario::grammar::{Label, Outcome};

/// The most that a trace may hold: states of requests and connections, and changes of gauges.
pub const MOST: usize = 4_000_000;

/// The requests among which one is looked for.
#[derive(Clone, Debug)]
pub struct RequestSearch {
    /// Arrived from here on.
    pub from: Time,
    /// Arrived before.
    pub to: Time,
    /// Of this class; of any if absent.
    pub class: Option<String>,
    /// Of this label; of any if absent.
    pub label: Option<Label>,
    /// That ended so; however they ended if absent.
    pub outcome: Option<Outcome>,
    /// The first that arrived rather than the slowest.
    pub first: bool,
}

/// A request that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundRequest {
    /// Class and label.
    pub series: SeriesNumber,
    /// Its intended arrival.
    pub arrived: Time,
    /// How long it took.
    pub latency: Span,
    /// How it ended.
    pub outcome: Outcome,
}

/// Follows requests and what they meet.
///
/// # Errors
/// If there is more to see than [`MOST`]: how far it came.
pub fn trace(scenario: &Scenario, seed: u64, followed: Followed) -> Result<Trace, Time> {
    let mut world = World::new(scenario, seed, Ear::new(scenario));
    let mut tracer = Tracer::new(scenario, followed);
    let from = followed.from();
    if from > Time::ZERO {
        world.run_until(Time(from.0 - 1));
        world.recorder_mut().forget();
    }
    while !tracer.is_done(world.now()) && world.step(world.last()) {
        tracer.look(&mut world);
        if tracer.steps() > MOST {
            return Err(world.now());
        }
    }
    Ok(tracer.finish(world))
}

/// The request that is looked for, if any ended before the run did.
pub fn find(scenario: &Scenario, seed: u64, search: &RequestSearch) -> Option<FoundRequest> {
    let places = Places::of(scenario);
    let wanted = places.series.iter().map(|series| {
        let class = search.class.as_ref().is_none_or(|class| *class == series.class);
        class && search.label.is_none_or(|label| label == series.label)
    });
    let seeker = Seeker { search, wanted: wanted.collect(), found: None, waiting: 0 };
    let mut world = World::new(scenario, seed, seeker);
    world.run_until(search.to);
    while world.recorder_mut().waiting > 0 && world.step(world.last()) {}
    world.into_recorder().found
}

struct Seeker<'a> {
    search: &'a RequestSearch,
    /// By series.
    wanted: Vec<bool>,
    found: Option<FoundRequest>,
    /// Requests that arrived in time and have not ended.
    waiting: u64,
}

impl Seeker<'_> {
    fn counts(&self, series: SeriesNumber, arrived: Time) -> bool {
        self.wanted[usize::from(series)] && arrived >= self.search.from && arrived < self.search.to
    }
}

impl Recorder for Seeker<'_> {
    fn record(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::RequestArrived { series, .. } if self.counts(series, now) => self.waiting += 1,
            Fact::RequestEnded { series, outcome, latency } => {
                let arrived = Time(now.0 - latency.0);
                if !self.counts(series, arrived) {
                    return;
                }
                self.waiting -= 1;
                let better = self.found.is_none_or(|found| match self.search.first {
                    true => arrived < found.arrived,
                    false => latency > found.latency,
                });
                if better && self.search.outcome.is_none_or(|wanted| wanted == outcome) {
                    self.found = Some(FoundRequest { series, arrived, latency, outcome });
                }
            }
            _ => {}
        }
    }
}
