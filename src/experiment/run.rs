//! One run: a scenario and a seed in, what they showed out. A pure function.

use super::Run;
use crate::engine::time::{Span, Time};
use crate::measure::recorder::Meter;
use crate::model::fact::Recorder;
use crate::model::world::World;
use crate::scenario::Scenario;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How often a run looks up from its work, in simulated time.
const LOOK_UP: Span = Span::from_secs(10);

/// Runs a scenario with a seed. `clock` shows the simulated nanoseconds so far; when `stop` is set, the run
/// is given up and there is no result.
///
/// # Panics
/// If the model loses a request or a connection: a bug.
pub fn run(scenario: &Scenario, seed: u64, clock: &AtomicU64, stop: &AtomicBool) -> Option<Run> {
    let mut world = World::new(scenario, seed, Meter::new(scenario, seed));
    drive(&mut world, clock, stop)?;
    let under_way = world.requests_under_way();
    let backends = world.backends();
    let measured = world.into_recorder().finish(&under_way, backends);
    Some(Run { variant: scenario.variant.clone(), seed, measured })
}

/// Runs a scenario with a seed and hands every fact to a recorder.
pub fn record<R: Recorder>(scenario: &Scenario, seed: u64, recorder: R) -> R {
    let mut world = World::new(scenario, seed, recorder);
    world.run_until(world.last());
    world.into_recorder()
}

/// Drives a world to its end; `None` if it was stopped on the way.
pub(super) fn drive<R: Recorder>(world: &mut World<R>, clock: &AtomicU64, stop: &AtomicBool) -> Option<()> {
    let mut reached = Time::ZERO;
    while reached < world.last() {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        reached = (reached + LOOK_UP).min(world.last());
        world.run_until(reached);
        clock.store(reached.0, Ordering::Relaxed);
    }
    Some(())
}
