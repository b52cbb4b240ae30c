//! The Knative pod autoscaler: concurrency over a minute, and over six seconds when it panics.
//!
//! Source: cloud-run.md §2.2, knative/serving pkg/autoscaler/scaling/autoscaler.go, with the defaults of its
//! config map. One sample for each tick of two seconds stands for two of Knative's buckets. Modelled as in a
//! fleet that has been running: it does not begin in panic. Left out: scale-down delay, the activator's
//! burst capacity (it decides who queues, not how many containers there are).

use super::window::SampleWindow;
use super::{Aim, Load, Sample, at_least};
use crate::engine::time::Span;

/// From one decision to the next.
pub const TICK: Span = Span::from_secs(2);
/// Ticks in the stable window of 60 s.
const STABLE: usize = 30;
/// Ticks in the panic window of 6 s.
const PANIC: usize = 3;
/// It panics when this many times the ready containers are needed.
const PANIC_THRESHOLD: f64 = 2.0;
const MAX_SCALE_UP_RATE: f64 = 1000.0;
const MAX_SCALE_DOWN_RATE: f64 = 2.0;

/// What the Knative pod autoscaler remembers.
#[derive(Debug)]
pub struct Kpa {
    stable: SampleWindow,
    panic: SampleWindow,
    panicking: Option<Panic>,
}

#[derive(Debug)]
struct Panic {
    /// Ticks since the threshold was last exceeded.
    since: usize,
    /// The most containers wanted since it began: in panic it never scales down.
    most: u32,
}

impl Kpa {
    /// One that has seen nothing but this load.
    pub fn new(load: Load) -> Kpa {
        Kpa {
            stable: SampleWindow::full_of(load.requests, STABLE),
            panic: SampleWindow::full_of(load.requests, PANIC),
            panicking: None,
        }
    }

    pub(super) fn wants(&mut self, sample: &Sample, aim: Aim) -> u32 {
        self.stable.push(sample.load.requests);
        self.panic.push(sample.load.requests);
        let ready = f64::from(sample.ready.max(1));
        let needed = |requests| aim.by_requests(Load { requests, busy: 0.0 });
        let (stable, panic) = (needed(self.stable.mean()), needed(self.panic.mean()));
        let down = (ready / MAX_SCALE_DOWN_RATE).floor() as u32;
        let up = at_least(MAX_SCALE_UP_RATE * ready);
        let within = |containers: u32| containers.max(down).min(up);
        self.turn(f64::from(panic) / ready >= PANIC_THRESHOLD);
        match &mut self.panicking {
            Some(now) => {
                now.most = now.most.max(within(stable)).max(within(panic));
                now.most
            }
            None => within(stable),
        }
    }

    /// Panic begins and is prolonged above the threshold, and ends a stable window after the last time.
    fn turn(&mut self, over: bool) {
        match &mut self.panicking {
            Some(panic) if over => panic.since = 0,
            Some(panic) if panic.since >= STABLE => self.panicking = None,
            Some(panic) => panic.since += 1,
            None if over => self.panicking = Some(Panic { since: 0, most: 0 }),
            None => {}
        }
    }
}
