//! An autoscaler: told what a service carries, it answers how many containers it wants.
//!
//! In the real world: the control loop of Cloud Run, Knative's pod autoscaler, or the Kubernetes horizontal
//! pod autoscaler. A part: it has no clock and no agenda; each tick hands it one [`Sample`]. Concurrency is a
//! mean over time and counts requests that wait for a container (cloud-run.md §2.1: queued work inflates the
//! count). Left out: the delay and the noise of metrics, scaling to zero, the rate of requests as a metric,
//! the concurrency that Cloud Run lowers on hot containers.

mod cloud_run;
mod hpa;
mod kpa;
mod meter;
mod window;

use crate::engine::time::Span;
use crate::scenario::grammar::{Scaler, Service};
use cloud_run::CloudRun;
use hpa::Hpa;
use kpa::Kpa;
pub use meter::LevelMeter;

/// What a service carries, on average over some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Requests in containers or waiting for one.
    pub requests: f64,
    /// CPUs of containers that are busy.
    pub busy: f64,
}

/// What a tick tells an autoscaler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The load since the last tick.
    pub load: Load,
    /// Containers that take requests.
    pub ready: u32,
    /// Containers that are on their way there.
    pub starting: u32,
}

/// What one container is meant to carry.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Aim {
    requests: f64,
    cpus: f64,
}

/// Who decides how many containers there are, and what it remembers.
#[derive(Debug)]
pub enum Autoscaler {
    /// Cloud Run.
    CloudRun(CloudRun),
    /// The Knative pod autoscaler.
    Kpa(Kpa),
    /// The Kubernetes horizontal pod autoscaler.
    Hpa(Hpa),
}

impl Autoscaler {
    /// The autoscaler of a service that has carried this load for longer than it remembers; `None` if its
    /// number of containers is fixed.
    pub fn of(settings: &Service, load: Load) -> Option<Autoscaler> {
        Some(match settings.scaler {
            Scaler::Fixed => return None,
            Scaler::CloudRun2025 => Autoscaler::CloudRun(CloudRun::new(load, false)),
            Scaler::CloudRun2026 => Autoscaler::CloudRun(CloudRun::new(load, true)),
            Scaler::Kpa => Autoscaler::Kpa(Kpa::new(load)),
            Scaler::Hpa => Autoscaler::Hpa(Hpa::new(containers_for(settings, load))),
        })
    }

    /// From one tick to the next.
    pub fn tick(&self) -> Span {
        match self {
            Autoscaler::CloudRun(_) => cloud_run::TICK,
            Autoscaler::Kpa(_) => kpa::TICK,
            Autoscaler::Hpa(_) => hpa::TICK,
        }
    }

    /// Whether a request that finds no room starts a container at once (cloud-run.md §1.1).
    pub fn is_on_demand(&self) -> bool {
        matches!(self, Autoscaler::CloudRun(_))
    }

    /// A tick: how many containers it wants, within the bounds as they stand.
    pub fn wants(&mut self, sample: &Sample, settings: &Service) -> u32 {
        let aim = Aim::of(settings);
        let wants = match self {
            Autoscaler::CloudRun(scaler) => scaler.wants(sample, aim),
            Autoscaler::Kpa(scaler) => scaler.wants(sample, aim),
            Autoscaler::Hpa(scaler) => scaler.wants(sample, aim, settings.containers),
        };
        wants.clamp(settings.containers.min, settings.containers.max)
    }
}

/// How many containers the autoscaler of a service holds under a load that does not change.
pub fn containers_for(settings: &Service, load: Load) -> u32 {
    let aim = Aim::of(settings);
    let wants = match settings.scaler {
        Scaler::Fixed => settings.containers.max,
        Scaler::CloudRun2025 | Scaler::CloudRun2026 => aim.by_requests(load).max(aim.by_cpu(load)),
        Scaler::Kpa => aim.by_requests(load),
        Scaler::Hpa => aim.by_cpu(load),
    };
    wants.clamp(settings.containers.min, settings.containers.max)
}

/// The longest time for which a container stays that is no longer wanted, unless the scenario says
/// (cloud-run.md §1.2: 15 minutes; §5: the others keep none).
pub fn idle_retention(settings: &Service) -> Span {
    let own = match settings.scaler {
        Scaler::CloudRun2025 | Scaler::CloudRun2026 => Span::from_secs(15 * 60),
        Scaler::Fixed | Scaler::Kpa | Scaler::Hpa => Span::ZERO,
    };
    settings.idle_retention.unwrap_or(own)
}

impl Aim {
    fn of(settings: &Service) -> Aim {
        let (requests, cpus) = match settings.scaler {
            Scaler::Kpa => (0.7, 0.8),
            Scaler::Hpa => (0.6, 0.8),
            Scaler::Fixed | Scaler::CloudRun2025 | Scaler::CloudRun2026 => (0.6, 0.6),
        };
        let share = settings.concurrency_target.map_or(requests, |share| share.0);
        let cpu_share = settings.cpu_target.map_or(cpus, |share| share.0);
        Aim {
            requests: (f64::from(settings.concurrency) * share).max(0.01),
            cpus: (settings.cpus * cpu_share).max(0.001),
        }
    }

    fn by_requests(self, load: Load) -> u32 {
        at_least(load.requests / self.requests)
    }

    fn by_cpu(self, load: Load) -> u32 {
        at_least(load.busy / self.cpus)
    }
}

/// The least whole number that is enough: what rounding adds to an exact one does not count.
fn at_least(containers: f64) -> u32 {
    (containers - 1e-9).ceil() as u32
}

#[cfg(test)]
mod tests;
