//! What must hold, and where the numbers come from.

use super::{Bound, Unit};
use crate::scenario::units::{Share, When};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What must hold in a variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The variant that it is about.
    #[serde(default = "as_written")]
    pub variant: String,
    /// The metric, as in `summary.csv`.
    pub metric: Metric,
    /// What the metric is of: `postgres.NAME`, `service.NAME`, `request.NAME` (users' requests),
    /// `request.NAME.abusive` or `request.NAME.background`.
    pub of: String,
    /// Only starts of this cause; of `herd_onset` and `herd_lasts`: `lifetime` unless another is named.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// Only from here on.
    #[serde(default)]
    pub after: Option<When>,
    /// Only up to here.
    #[serde(default)]
    pub until: Option<When>,
    /// Events whose time does not count: from beginning to end, and for two minutes from a deed, which may
    /// set something for good.
    #[serde(default)]
    pub except: Vec<String>,
    /// The value must not be less.
    #[serde(default)]
    pub min: Option<Bound>,
    /// The value must not be more.
    #[serde(default)]
    pub max: Option<Bound>,
    /// The least and the greatest that it may be, both included; in place of `min` and `max`.
    #[serde(default)]
    pub between: Option<[Bound; 2]>,
    /// With which share of all possible seeds it must hold, shown with 95 % confidence by those that are run;
    /// without it, with every seed that is run.
    #[serde(default)]
    pub share: Option<Share>,
    /// A variant that must not keep within the bounds, with any seed: a check that cannot fail proves
    /// nothing. What never happens in it is out of bounds. Left aside where this variant is not run.
    #[serde(default)]
    pub control: Option<String>,
    /// Why, for the reader.
    #[serde(default)]
    pub why: String,
}

impl Expect {
    /// The least and the greatest that its value may be, however they are written.
    pub fn bounds(&self) -> [Option<&Bound>; 2] {
        match &self.between {
            Some([least, greatest]) => [Some(least), Some(greatest)],
            None => [self.min.as_ref(), self.max.as_ref()],
        }
    }

    /// The variants that its bounds are relative to.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        self.bounds().into_iter().flatten().filter_map(|bound| match bound {
            Bound::Relative(relative) => Some(relative.variant()),
            Bound::Value(_) => None,
        })
    }

    /// Every variant that it speaks of: its own, those that its bounds are relative to, and its control.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        let others = self.references().chain(self.control.as_deref());
        std::iter::once(self.variant.as_str()).chain(others)
    }
}

fn as_written() -> String {
    crate::scenario::AS_WRITTEN.to_owned()
}

/// A metric: what it counts, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The most backend starts in any sliding second, of a node.
    #[serde(rename = "connects_max_1s")]
    ConnectsMax1s,
    /// That as a share of the connections open just before, of a node.
    HerdSize,
    /// That over the uniform rate (mean open connections / lifetime), of a node.
    PeakOverUniform,
    /// Backends started, of a node.
    BackendStarts,
    /// How much a cluster of starts grows in a lifetime after a small kick, of a node; above 1 the fleet
    /// bunches. Measured in a run of its own.
    HerdGain,
    /// The highest p99 of any 10 s, of a service.
    #[serde(rename = "worst_p99")]
    WorstP99,
    /// When a herd (half of the open connections within a second, and a latency spike beside it) first
    /// recycles, from the start of the run, of a node; nothing if never.
    HerdOnset,
    /// The most consecutive lifetimes with such a herd each, of a node; the next comes 0.8 to 1.2 lifetimes
    /// later.
    HerdLasts,
    /// The share of the recycle spikes that a dashboard with a 60 s scrape misses, of a node: no sample of
    /// its active backends until a minute after the spike reaches half of their peak.
    DashboardMissed,
    /// The median latency of all requests that ended, however they did, with what the unanswered have taken
    /// so far, of a request class. Within 1 %, rounded up, as all latencies.
    #[serde(rename = "latency.p50")]
    LatencyP50,
    /// The 95th percentile of the latency of all requests that ended, as `latency.p50`.
    #[serde(rename = "latency.p95")]
    LatencyP95,
    /// The 99th percentile of the latency of all requests that ended, as `latency.p50`.
    #[serde(rename = "latency.p99")]
    LatencyP99,
    /// Latency spikes, of a service: stretches of 10 s whose p99 is over ten times the calm one, which is the
    /// median of the run, or less where most of the run is trouble.
    Spikes,
    /// Latency spikes beside a storm of cause `lifetime` at a node that the service uses, of a service.
    RecycleSpikes,
    /// The median time between the storms of consecutive recycle spikes, of a service; hold it against the
    /// lifetime.
    RecycleGap,
    /// The share of those times within 5 s of their median, of a service; nothing with fewer than two.
    RecycleGapRegular,
    /// The median p99 of the recycle spikes over the median p99 outside of all spikes, of a service.
    #[serde(rename = "recycle_p99_ratio")]
    RecycleP99Ratio,
    /// Requests that ended `ok`, as a share of those that ended, of a request class.
    RequestSuccess,
    /// Users' wishes fulfilled after retries, as a share of those that ended, of a request class.
    UserSuccess,
    /// Requests that ended with 429, as a share of those that ended, of a request class.
    Rejected,
    /// The most backends at once, those of jobs among them, of a node; never more than it has slots.
    Backends,
    /// Connections that found no slot (SQLSTATE 53300), of a node.
    Refused,
    /// How busy the cores are, as a share of all of them, in the mean, of a node.
    CpuBusy,
    /// Statements that wait for a row lock, in the mean, of a node.
    LockWaiters,
    /// Backends that wait for the disk, in the mean, of a node.
    DiskWaiters,
    /// The most containers, of a service.
    Containers,
    /// How long it takes, from `after`, until there are as many containers as there may be, of a service
    /// with a scaler; those that a rollout replaces do not count. Nothing if that never happens.
    AtCap,
    /// Requests that ended `ok` in a second, in the mean, of a service; whoever served them.
    Throughput,
    /// How long it takes, from `after`, until requests are served as before it, or as before the first event
    /// if that is earlier, of a service: from then on, for a minute at least and until the end of the window,
    /// 95 % of the 10 s answer 99 % of the legitimate requests (of as many as before, where those were fewer)
    /// with a p99 of at most twice that of before.
    /// Nothing if that never happens: the system is metastable, and beyond a `max` that the run outlasts.
    Recovery,
}

/// Which causes of a backend start a metric knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Causes {
    /// Each for itself, and all together.
    Each,
    /// One at a time.
    One,
    /// None: it is not about causes.
    None,
}

impl Metric {
    /// All metrics, in the order of tables.
    pub const ALL: [Metric; 29] = [
        Metric::ConnectsMax1s,
        Metric::HerdSize,
        Metric::PeakOverUniform,
        Metric::BackendStarts,
        Metric::HerdOnset,
        Metric::HerdLasts,
        Metric::DashboardMissed,
        Metric::HerdGain,
        Metric::WorstP99,
        Metric::LatencyP50,
        Metric::LatencyP95,
        Metric::LatencyP99,
        Metric::Spikes,
        Metric::RecycleSpikes,
        Metric::RecycleGap,
        Metric::RecycleGapRegular,
        Metric::RecycleP99Ratio,
        Metric::RequestSuccess,
        Metric::UserSuccess,
        Metric::Rejected,
        Metric::Backends,
        Metric::Refused,
        Metric::CpuBusy,
        Metric::LockWaiters,
        Metric::DiskWaiters,
        Metric::Containers,
        Metric::AtCap,
        Metric::Throughput,
        Metric::Recovery,
    ];

    /// Its name in scenarios and tables.
    pub fn name(self) -> &'static str {
        match self {
            Metric::ConnectsMax1s => "connects_max_1s",
            Metric::HerdSize => "herd_size",
            Metric::PeakOverUniform => "peak_over_uniform",
            Metric::BackendStarts => "backend_starts",
            Metric::HerdOnset => "herd_onset",
            Metric::HerdLasts => "herd_lasts",
            Metric::DashboardMissed => "dashboard_missed",
            Metric::HerdGain => "herd_gain",
            Metric::WorstP99 => "worst_p99",
            Metric::LatencyP50 => "latency.p50",
            Metric::LatencyP95 => "latency.p95",
            Metric::LatencyP99 => "latency.p99",
            Metric::Spikes => "spikes",
            Metric::RecycleSpikes => "recycle_spikes",
            Metric::RecycleGap => "recycle_gap",
            Metric::RecycleGapRegular => "recycle_gap_regular",
            Metric::RecycleP99Ratio => "recycle_p99_ratio",
            Metric::RequestSuccess => "request_success",
            Metric::UserSuccess => "user_success",
            Metric::Rejected => "rejected",
            Metric::Backends => "backends",
            Metric::Refused => "refused",
            Metric::CpuBusy => "cpu_busy",
            Metric::LockWaiters => "lock_waiters",
            Metric::DiskWaiters => "disk_waiters",
            Metric::Containers => "containers",
            Metric::AtCap => "at_cap",
            Metric::Throughput => "throughput",
            Metric::Recovery => "recovery",
        }
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        use Metric::*;
        match self {
            ConnectsMax1s | BackendStarts | HerdLasts | Spikes | RecycleSpikes | Backends | Refused
            | LockWaiters | DiskWaiters | Containers => Unit::Count,
            HerdSize | DashboardMissed | RecycleGapRegular | RequestSuccess | UserSuccess | Rejected
            | CpuBusy => Unit::Share,
            PeakOverUniform | HerdGain | RecycleP99Ratio => Unit::Ratio,
            WorstP99 | LatencyP50 | LatencyP95 | LatencyP99 => Unit::Ms,
            HerdOnset | RecycleGap | AtCap | Recovery => Unit::S,
            Throughput => Unit::PerS,
        }
    }

    /// The tables whose entries it is of.
    pub fn group(self) -> &'static str {
        use Metric::*;
        match self {
            ConnectsMax1s | HerdSize | PeakOverUniform | BackendStarts | HerdOnset | HerdLasts
            | DashboardMissed | HerdGain | Backends | Refused | CpuBusy | LockWaiters | DiskWaiters => {
                "postgres"
            }
            WorstP99 | Spikes | RecycleSpikes | RecycleGap | RecycleGapRegular | RecycleP99Ratio
            | Containers | AtCap | Throughput | Recovery => "service",
            LatencyP50 | LatencyP95 | LatencyP99 | RequestSuccess | UserSuccess | Rejected => "request",
        }
    }

    /// The quantile that it is, if it is one of a class's latency.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Metric::LatencyP50 => Some(0.5),
            Metric::LatencyP95 => Some(0.95),
            Metric::LatencyP99 => Some(0.99),
            _ => None,
        }
    }

    /// Whether it is measured in bins of 10 s, of which those count that lie wholly in the time asked for.
    pub fn is_of_bins(self) -> bool {
        use Metric::*;
        !matches!(self, BackendStarts | HerdOnset | HerdLasts | DashboardMissed | HerdGain | AtCap)
    }

    /// Whether it tells when something happens, which may be never.
    pub fn is_a_time(self) -> bool {
        matches!(self, Metric::HerdOnset | Metric::AtCap | Metric::Recovery)
    }

    /// Whether it is a part of what there is, and not a share of what there was before.
    pub fn is_part_of_a_whole(self) -> bool {
        self.unit() == Unit::Share && self != Metric::HerdSize
    }

    /// The causes of a start by which it can be narrowed.
    pub fn causes(self) -> Causes {
        match self {
            Metric::HerdOnset | Metric::HerdLasts => Causes::One,
            Metric::ConnectsMax1s | Metric::HerdSize | Metric::PeakOverUniform | Metric::BackendStarts => {
                Causes::Each
            }
            _ => Causes::None,
        }
    }
}

/// Why a backend was started, as measured. A replacement begins within a second of what it replaces: a pool
/// that has done without one for longer has shrunk, and grows or is refilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It replaces a connection closed for its age.
    Lifetime,
    /// The pool grew.
    Growth,
    /// The pool was brought back to its floor, or an idle connection is replaced.
    Refill,
    /// It replaces a connection that broke, or a dial that failed.
    Failure,
    /// It is among the first of a new container.
    Boot,
}

impl Cause {
    /// All causes, in the order of tables and charts.
    pub const ALL: [Cause; 5] = [Cause::Lifetime, Cause::Growth, Cause::Refill, Cause::Failure, Cause::Boot];

    /// Its name in scenarios and tables.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Lifetime => "lifetime",
            Cause::Growth => "growth",
            Cause::Refill => "refill",
            Cause::Failure => "failure",
            Cause::Boot => "boot",
        }
    }
}

/// Where a number comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `post-mortem`, `measured`, `documented`, `calibrated`, `assumed`, or a citation.
    pub from: String,
    /// The plausible range, for assumptions.
    #[serde(default)]
    pub range: Option<String>,
    /// More, for the reader.
    #[serde(default)]
    pub note: Option<String>,
}
