//! The ear of a tracer: what happens within an event and cannot be seen after it.

use crate::engine::time::Time;
use crate::measure::Mark;
use crate::measure::gauges::Gauges;
use crate::model::build::Places;
use crate::model::fact::{Fact, Recorder, SeriesNumber};
use crate::scenario::grammar::Outcome;
use crate::scenario::{Moment, Scenario};

/// What a tracer needs to hear, because it cannot be seen.
#[derive(Debug)]
pub struct Ear {
    pub(super) gauges: Gauges,
    timeline: Vec<Moment>,
    /// Whether requests arrived since the last look.
    pub(super) arrived: bool,
    pub(super) ended: Vec<(SeriesNumber, Outcome, Time)>,
    pub(super) marks: Vec<Mark>,
}

impl Ear {
    /// For a run of this scenario.
    pub fn new(scenario: &Scenario) -> Ear {
        Ear {
            gauges: Gauges::new(&scenario.file, &Places::of(scenario)),
            timeline: scenario.timeline.clone(),
            arrived: false,
            ended: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Forgets the requests that have ended.
    pub fn forget(&mut self) {
        self.ended.clear();
    }
}

impl Recorder for Ear {
    fn record(&mut self, now: Time, fact: Fact) {
        self.gauges.follow(now, fact);
        match fact {
            Fact::RequestArrived { .. } => self.arrived = true,
            Fact::RequestEnded { series, outcome, latency } => {
                self.ended.push((series, outcome, Time(now.0 - latency.0)));
            }
            Fact::TimelineMoved(place) => {
                let moment = &self.timeline[place as usize];
                self.marks.push(Mark { at: now, event: moment.event.clone(), begins: moment.begins });
            }
            _ => {}
        }
    }
}
