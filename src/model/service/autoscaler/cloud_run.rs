//! Cloud Run: concurrency and CPU over a minute, and (as documented in 2026) concurrency over ten.
//!
//! Source: cloud-run.md §1.1. N = max over the drivers of ceil(mean / (target × what one container has)). The
//! long window only slows scale-in: its mean counts where it is the greater one. Left out: the leeway that
//! small fleets have.

use super::window::SampleWindow;
use super::{Aim, Load, Sample};
use crate::engine::time::Span;

/// From one evaluation to the next.
pub const TICK: Span = Span::from_secs(5);
const MINUTE: usize = 12;

/// What Cloud Run remembers.
#[derive(Debug)]
pub struct CloudRun {
    requests: SampleWindow,
    requests_long: Option<SampleWindow>,
    busy: SampleWindow,
}

impl CloudRun {
    /// One that has seen nothing but this load; `long` for the window of ten minutes.
    pub fn new(load: Load, long: bool) -> CloudRun {
        CloudRun {
            requests: SampleWindow::full_of(load.requests, MINUTE),
            requests_long: long.then(|| SampleWindow::full_of(load.requests, 10 * MINUTE)),
            busy: SampleWindow::full_of(load.busy, MINUTE),
        }
    }

    pub(super) fn wants(&mut self, sample: &Sample, aim: Aim) -> u32 {
        self.requests.push(sample.load.requests);
        self.busy.push(sample.load.busy);
        let mut requests = self.requests.mean();
        if let Some(long) = &mut self.requests_long {
            long.push(sample.load.requests);
            requests = requests.max(long.mean());
        }
        let load = Load { requests, busy: self.busy.mean() };
        aim.by_requests(load).max(aim.by_cpu(load))
    }
}
