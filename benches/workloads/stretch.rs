//! Stretches of shipped scenarios, every measure on: what a simulated request costs.

use super::Outcome;
use herdsim::engine::time::{Span, Time};
use herdsim::measure::recorder::Meter;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::model::world::World;
use herdsim::scenario::{Document, Scenario};
use std::path::Path;
use std::time::{Duration, Instant};

/// A stretch of a run.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// What it is called.
    pub name: &'static str,
    /// Of which scenario, as it happened or as written.
    pub scenario: &'static str,
    /// Where it begins, in simulated seconds.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
}

/// What is measured; the herd of September is in step from about an hour on, and its recycle spikes come a
/// lifetime apart.
pub const STRETCHES: [Stretch; 6] = [
    Stretch { name: "quickstart", scenario: "quickstart", from: 0, to: 120 },
    Stretch { name: "september-quiet", scenario: "september-2025", from: 300, to: 420 },
    Stretch { name: "september-herd", scenario: "september-2025", from: 4_500, to: 5_400 },
    Stretch { name: "september-whole", scenario: "september-2025", from: 0, to: 10_800 },
    Stretch { name: "march-before", scenario: "march-2026", from: 60, to: 180 },
    Stretch { name: "march-during", scenario: "march-2026", from: 1_020, to: 1_140 },
];

impl Stretch {
    /// The scenario, from the root of the repository.
    pub fn load(&self) -> Scenario {
        self.load_with(&[])
    }

    /// The same, with some values set otherwise.
    pub fn load_with(&self, set: &[String]) -> Scenario {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let scenarios = here.map(|dir| dir.join("scenarios")).find(|dir| dir.is_dir());
        let path = scenarios.expect("they are shipped").join(self.scenario);
        let (document, _) =
            Document::load(&path.with_extension("toml"), &[], set).expect("a shipped scenario");
        let variant = ["as-it-happened", "no-jitter", "as-written"];
        variant.iter().find_map(|name| document.scenario(name)).expect("one of these variants").clone()
    }

    /// Runs it: how many requests arrived in it, and how long that took.
    pub fn run(&self, scenario: &Scenario) -> (u64, Duration) {
        let counting = Counting::new(scenario, 1);
        let mut world = World::new(scenario, 1, counting);
        world.run_until(Time::ZERO + Span::from_secs(self.from));
        let before = world.recorder_mut().arrived;
        let began = Instant::now();
        world.run_until(Time::ZERO + Span::from_secs(self.to));
        let took = began.elapsed();
        (world.recorder_mut().arrived - before, took)
    }
}

/// Runs a scenario for so long with this seed: how many requests ended, and their mean latency.
pub fn ended(scenario: &Scenario, seed: u64, length: Span) -> Outcome {
    let mut world = World::new(scenario, seed, Counting::new(scenario, seed));
    world.run_until(Time::ZERO + length);
    let Counting { ended, latency, .. } = *world.recorder_mut();
    Outcome { count: ended, figure: latency.as_secs() / ended as f64 }
}

/// The meter of a run, how many requests there were, and how long those took that have ended.
#[derive(Debug)]
struct Counting {
    meter: Meter,
    arrived: u64,
    ended: u64,
    latency: Span,
}

impl Counting {
    fn new(scenario: &Scenario, seed: u64) -> Counting {
        Counting { meter: Meter::new(scenario, seed), arrived: 0, ended: 0, latency: Span::ZERO }
    }
}

impl Recorder for Counting {
    #[inline(always)]
    fn record(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::RequestArrived { .. } => self.arrived += 1,
            Fact::RequestEnded { latency, .. } => {
                self.ended += 1;
                self.latency += latency;
            }
            _ => {}
        }
        self.meter.record(now, fact);
    }
}
