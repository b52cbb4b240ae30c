//! The workloads on [desque](https://docs.rs/desque): a simulation that owns its state, and an `Event` for
//! each thing that happens, boxed by desque, as in its examples. Time is in whole nanoseconds, one of the
//! types that desque offers.

use crate::customers::{DELAY, Fleet, Station, delays};
use crate::workloads::Outcome;
use desque::serial::{Event, Simulation};
use desque::{Result, SimState};
use herdsim::engine::chance::Draws;
use herdsim::engine::time::Span;

struct Queue {
    station: Station<u64>,
    customers: u64,
}

impl SimState<u64> for Queue {
    fn is_complete(&self, _: &u64) -> bool {
        self.station.begun >= self.customers
    }
}

#[derive(Debug)]
struct Arrived;

#[derive(Debug)]
struct Served;

impl Event<Queue, u64> for Arrived {
    fn execute(&mut self, simulation: &mut Simulation<Queue, u64>) -> Result {
        let now = *simulation.current_time();
        let station = &mut simulation.state_mut().station;
        let gap = station.gap();
        station.arrive(now);
        simulation.schedule(Arrived, now + gap.0)?;
        begin(simulation)
    }
}

impl Event<Queue, u64> for Served {
    fn execute(&mut self, simulation: &mut Simulation<Queue, u64>) -> Result {
        simulation.state_mut().station.leave();
        begin(simulation)
    }
}

fn begin(simulation: &mut Simulation<Queue, u64>) -> Result {
    let now = *simulation.current_time();
    match simulation.state_mut().station.serve(now) {
        Some(takes) => simulation.schedule(Served, now + takes.0),
        None => Ok(()),
    }
}

pub fn mmc(seed: u64, customers: u64) -> Outcome {
    let mut station = Station::new(seed);
    let first = station.gap();
    let mut simulation = Simulation::new(Queue { station, customers }, 0);
    simulation.schedule(Arrived, first.0).expect("the future");
    simulation.run().expect("no event fails");
    let station = &simulation.state().station;
    station.outcome(station.waited as f64 / 1e9)
}

struct Pools {
    fleet: Fleet<u64>,
    over: bool,
}

impl SimState<u64> for Pools {
    fn is_complete(&self, _: &u64) -> bool {
        self.over
    }
}

#[derive(Debug)]
struct Came;

#[derive(Debug)]
struct Left {
    container: u32,
}

#[derive(Debug)]
struct Over;

impl Event<Pools, u64> for Came {
    fn execute(&mut self, simulation: &mut Simulation<Pools, u64>) -> Result {
        let now = *simulation.current_time();
        let gap = simulation.state_mut().fleet.arrive(now);
        simulation.schedule(Came, now + gap.0)?;
        go(simulation)
    }
}

impl Event<Pools, u64> for Left {
    fn execute(&mut self, simulation: &mut Simulation<Pools, u64>) -> Result {
        simulation.state_mut().fleet.leave(self.container);
        go(simulation)
    }
}

impl Event<Pools, u64> for Over {
    fn execute(&mut self, simulation: &mut Simulation<Pools, u64>) -> Result {
        simulation.state_mut().over = true;
        Ok(())
    }
}

fn go(simulation: &mut Simulation<Pools, u64>) -> Result {
    let now = *simulation.current_time();
    while let Some((container, takes)) = simulation.state_mut().fleet.serve(now) {
        simulation.schedule(Left { container }, now + takes.0)?;
    }
    Ok(())
}

pub fn pool(seed: u64, length: Span) -> Outcome {
    let mut simulation = Simulation::new(Pools { fleet: Fleet::new(seed), over: false }, 0);
    simulation.schedule(Came, 0).expect("the present");
    simulation.schedule(Over, length.0).expect("the future");
    simulation.run().expect("no event fails");
    let fleet = &simulation.state().fleet;
    fleet.outcome(fleet.waited as f64 / 1e9)
}

struct Timers {
    luck: Draws,
    left: u64,
}

impl SimState<u64> for Timers {
    fn is_complete(&self, _: &u64) -> bool {
        self.left == 0
    }
}

/// The timer that fires, by its number.
#[derive(Debug)]
struct Fired(u32);

impl Event<Timers, u64> for Fired {
    fn execute(&mut self, simulation: &mut Simulation<Timers, u64>) -> Result {
        let timers = simulation.state_mut();
        timers.left -= 1;
        let delay = DELAY.sample(&mut timers.luck);
        simulation.schedule_with_delay(Fired(self.0), delay.0)
    }
}

pub fn hold(seed: u64, pending: u32, firings: u64) -> Outcome {
    let mut simulation = Simulation::new(Timers { luck: delays(seed), left: firings }, 0);
    for timer in 0..pending {
        let delay = DELAY.sample(&mut simulation.state_mut().luck);
        simulation.schedule(Fired(timer), delay.0).expect("the future");
    }
    simulation.run().expect("no event fails");
    Outcome { count: firings, figure: *simulation.current_time() as f64 / 1e9 }
}
