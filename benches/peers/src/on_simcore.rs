//! The workloads on [simcore](https://docs.rs/simcore): a component with its context that emits typed events
//! and handles them by callback, as in its first example; time in seconds. Arrivals come in the order of their
//! times, for which simcore has ordered events beside its heap.

use crate::customers::{DELAY, Fleet, Station, delays};
use crate::workloads::Outcome;
use herdsim::engine::chance::Draws;
use herdsim::engine::time::Span;
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Clone, Serialize)]
struct Arrived {}

#[derive(Clone, Serialize)]
struct Served {}

struct Queue {
    station: Station<f64>,
    ctx: SimulationContext,
}

impl Queue {
    fn on_arrived(&mut self) {
        let gap = self.station.gap();
        self.ctx.emit_ordered_self(Arrived {}, gap.as_secs());
        self.station.arrive(self.ctx.time());
        self.begin();
    }

    fn on_served(&mut self) {
        self.station.leave();
        self.begin();
    }

    fn begin(&mut self) {
        if let Some(takes) = self.station.serve(self.ctx.time()) {
            self.ctx.emit_self(Served {}, takes.as_secs());
        }
    }
}

impl EventHandler for Queue {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrived {} => {
                self.on_arrived()
            }
            Served {} => {
                self.on_served()
            }
        })
    }
}

pub fn mmc(seed: u64, customers: u64) -> Outcome {
    let mut simulation = Simulation::new(seed);
    let queue = Queue { station: Station::new(seed), ctx: simulation.create_context("queue") };
    let queue = Rc::new(RefCell::new(queue));
    simulation.add_handler("queue", queue.clone());
    let first = queue.borrow_mut().station.gap();
    queue.borrow().ctx.emit_ordered_self(Arrived {}, first.as_secs());
    while queue.borrow().station.begun < customers {
        simulation.step();
    }
    let station = &queue.borrow().station;
    station.outcome(station.waited)
}

#[derive(Clone, Serialize)]
struct Came {}

#[derive(Clone, Serialize)]
struct Left {
    container: u32,
}

struct Pools {
    fleet: Fleet<f64>,
    ctx: SimulationContext,
}

impl Pools {
    fn on_came(&mut self) {
        let gap = self.fleet.arrive(self.ctx.time());
        self.ctx.emit_ordered_self(Came {}, gap.as_secs());
        self.go();
    }

    fn on_left(&mut self, container: u32) {
        self.fleet.leave(container);
        self.go();
    }

    fn go(&mut self) {
        while let Some((container, takes)) = self.fleet.serve(self.ctx.time()) {
            self.ctx.emit_self(Left { container }, takes.as_secs());
        }
    }
}

impl EventHandler for Pools {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Came {} => {
                self.on_came()
            }
            Left { container } => {
                self.on_left(container)
            }
        })
    }
}

pub fn pool(seed: u64, length: Span) -> Outcome {
    let mut simulation = Simulation::new(seed);
    let pools = Pools { fleet: Fleet::new(seed), ctx: simulation.create_context("pools") };
    let pools = Rc::new(RefCell::new(pools));
    simulation.add_handler("pools", pools.clone());
    pools.borrow().ctx.emit_ordered_self_now(Came {});
    simulation.step_until_time(length.as_secs());
    let fleet = &pools.borrow().fleet;
    fleet.outcome(fleet.waited)
}

/// The timer that fires, by its number.
#[derive(Clone, Serialize)]
struct Fired {
    timer: u32,
}

struct Timers {
    luck: Draws,
    ctx: SimulationContext,
}

impl Timers {
    fn set(&mut self, timer: u32) {
        let delay = DELAY.sample(&mut self.luck);
        self.ctx.emit_self(Fired { timer }, delay.as_secs());
    }
}

impl EventHandler for Timers {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Fired { timer } => {
                self.set(timer)
            }
        })
    }
}

pub fn hold(seed: u64, pending: u32, firings: u64) -> Outcome {
    let mut simulation = Simulation::new(seed);
    let timers = Timers { luck: delays(seed), ctx: simulation.create_context("timers") };
    let timers = Rc::new(RefCell::new(timers));
    simulation.add_handler("timers", timers.clone());
    for timer in 0..pending {
        timers.borrow_mut().set(timer);
    }
    simulation.steps(firings);
    Outcome { count: firings, figure: simulation.time() }
}
