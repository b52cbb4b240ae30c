//! The run in a few numbers: one name for each, the same in tables, files and expectations.

use super::SECOND;
use super::{
    BIN, CAUSES, ClassMeasured, Measured, NodeMeasured, OUTCOMES, ServiceMeasured, SummaryRow, latency,
    outage, recycles,
};
use crate::scenario::grammar::{Cause, Causes, Metric, Outcome, Unit};
use crate::scenario::window::Window;
use hdrhistogram::Histogram;

/// The value of a metric for `of` (`postgres.NAME`, …) within a window; NaN where there are no samples.
pub fn value(metric: Metric, measured: &Measured, of: &str, cause: Option<Cause>, window: &Window) -> f64 {
    let name = of.split_once('.').map_or(of, |(_, name)| name);
    let node = || measured.nodes.iter().find(|node| node.node == name);
    let service = || measured.services.iter().find(|service| service.service == name);
    match metric {
        Metric::ConnectsMax1s | Metric::HerdSize | Metric::PeakOverUniform | Metric::BackendStarts => {
            node().map_or(f64::NAN, |node| window.of_node(metric, node, cause, measured))
        }
        Metric::HerdGain => node().and_then(|node| node.herd_gain).unwrap_or(f64::NAN),
        Metric::HerdLasts if !node().is_some_and(|node| window.lives(node, measured)) => f64::NAN,
        Metric::HerdOnset | Metric::HerdLasts | Metric::DashboardMissed => {
            recycles::of_node(metric, measured, name, cause.unwrap_or(Cause::Lifetime), window)
        }
        Metric::Refused => node().map_or(f64::NAN, |node| window.refused(node, measured)),
        Metric::Backends | Metric::CpuBusy | Metric::LockWaiters | Metric::DiskWaiters => {
            node().map_or(f64::NAN, |node| outage::of_node(metric, measured, node, window))
        }
        Metric::WorstP99 => service().map_or(f64::NAN, |service| window.worst_p99(service)),
        Metric::Spikes | Metric::RecycleSpikes if !answers(measured, name, window) => f64::NAN,
        Metric::Spikes => spikes(measured, name, window),
        Metric::RecycleSpikes | Metric::RecycleGap | Metric::RecycleGapRegular | Metric::RecycleP99Ratio => {
            service().map_or(f64::NAN, |service| recycles::of_service(metric, measured, service, window))
        }
        Metric::Containers | Metric::AtCap | Metric::Throughput | Metric::Recovery => {
            outage::of_service(metric, measured, name, window)
        }
        Metric::LatencyP50 | Metric::LatencyP95 | Metric::LatencyP99 => {
            let bins = of_class(measured, name).flat_map(|class| window.of(&class.bins, BIN));
            latency::percentile_ms(bins, metric.quantile().unwrap_or(f64::NAN))
        }
        Metric::RequestSuccess => window.share(of_class(measured, name), Outcome::Ok),
        Metric::Rejected => window.share(of_class(measured, name), Outcome::TooManyRequests),
        Metric::UserSuccess => window.fulfilled(of_class(measured, name)),
    }
}

/// Latency spikes of a service that begin in a window.
fn spikes(measured: &Measured, name: &str, window: &Window) -> f64 {
    let mine = measured.spikes.iter().filter(|spike| spike.service == name);
    mine.filter(|spike| window.holds_bin(spike.from)).count() as f64
}

/// Whether a service answered anything well: where nobody is served there is no spike, and none is missing.
fn answers(measured: &Measured, name: &str, window: &Window) -> bool {
    let mine = measured.classes.iter().filter(|class| class.service == name);
    mine.flat_map(|class| window.of(&class.bins, BIN)).any(|bin| bin.ended[Outcome::Ok as usize] > 0)
}

/// The series that `request.NAME` or `request.NAME.LABEL` is.
fn of_class<'a>(measured: &'a Measured, name: &'a str) -> impl Iterator<Item = &'a ClassMeasured> {
    measured.classes.iter().filter(move |class| class.label.of_class(&class.class) == name)
}

impl Window {
    fn of_node(&self, metric: Metric, node: &NodeMeasured, cause: Option<Cause>, measured: &Measured) -> f64 {
        if !self.lives(node, measured) {
            return f64::NAN;
        }
        let bins = self.of(&node.bins, BIN);
        let count = |bin: &super::HerdBin| match cause {
            Some(cause) => f64::from(bin.connects_max_1s[cause as usize]),
            None => f64::from(bin.connects_max_1s_all),
        };
        let share =
            |bin: &super::HerdBin| cause.map_or(bin.herd_size_all, |cause| bin.herd_size[cause as usize]);
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NAN, f64::max);
        match metric {
            Metric::HerdSize => most(&mut bins.map(share)),
            Metric::PeakOverUniform => {
                let open = self.mean_connections(node, measured);
                let uniform = node.lifetime.map_or(f64::NAN, |lifetime| open / lifetime.as_secs());
                most(&mut bins.map(count)) / uniform
            }
            Metric::BackendStarts => {
                let starts = self.of(&node.starts_per_s, SECOND);
                let of_cause = |starts: &[u32; CAUSES]| {
                    cause.map_or(starts.iter().sum(), |cause| starts[cause as usize])
                };
                starts.map(|starts| f64::from(of_cause(starts))).sum()
            }
            _ => most(&mut bins.map(count)),
        }
    }

    fn refused(&self, node: &NodeMeasured, measured: &Measured) -> f64 {
        let refused: u64 = self.of(&node.bins, BIN).map(|bin| u64::from(bin.refused)).sum();
        if refused > 0 || self.lives(node, measured) { refused as f64 } else { f64::NAN }
    }

    /// Whether there was a fleet to look at: a connection was started, or a request to a service with a pool
    /// to it ended well. A database that nobody reaches, or asks, has no herd, and is not calm.
    fn lives(&self, node: &NodeMeasured, measured: &Measured) -> bool {
        let started = |starts: &[u32; CAUSES]| starts.iter().any(|count| *count > 0);
        let uses = |class: &&ClassMeasured| {
            let pool = format!("service.{}.pool.{}", class.service, node.node);
            measured.levels.iter().any(|series| series.of == pool)
        };
        let bins = measured.classes.iter().filter(uses).flat_map(|class| self.of(&class.bins, BIN));
        self.of(&node.starts_per_s, SECOND).any(started)
            || bins.map(|bin| bin.ended[Outcome::Ok as usize]).any(|count| count > 0)
    }

    /// Backends of connections: those of jobs are no part of a herd.
    fn mean_connections(&self, node: &NodeMeasured, measured: &Measured) -> f64 {
        let of = format!("postgres.{}", node.node);
        let mean =
            |level: &str| outage::level(measured, level, &of).map(|bins| outage::mean(measured, bins, self));
        mean("backends").unwrap_or(f64::NAN) - mean("job_sessions").unwrap_or(0.0)
    }

    fn worst_p99(&self, service: &ServiceMeasured) -> f64 {
        let p99s = self.of(&service.bins, BIN).filter_map(|bin| bin.latency);
        p99s.map(|latency| latency.p99_us as f64 / 1e3).fold(f64::NAN, f64::max)
    }

    /// The share of the requests that ended so.
    fn share<'a>(&self, classes: impl Iterator<Item = &'a ClassMeasured>, outcome: Outcome) -> f64 {
        let mut so = 0;
        let mut all = 0;
        for bin in classes.flat_map(|class| self.of(&class.bins, BIN)) {
            so += u64::from(bin.ended[outcome as usize]);
            all += bin.ended.iter().chain([&bin.unanswered]).map(|count| u64::from(*count)).sum::<u64>();
        }
        so as f64 / all as f64
    }

    /// The share of the users' wishes that came to an end which were fulfilled.
    fn fulfilled<'a>(&self, classes: impl Iterator<Item = &'a ClassMeasured>) -> f64 {
        let bins = classes.flat_map(|class| self.of(&class.bins, BIN));
        let counts = bins.map(|bin| (u64::from(bin.fulfilled), u64::from(bin.given_up)));
        let (ok, failed) = counts.fold((0, 0), |sum, (ok, failed)| (sum.0 + ok, sum.1 + failed));
        ok as f64 / (ok + failed) as f64
    }
}

/// Whether a metric has a row of a node or a service: a fleet that nobody scales does not come up to its cap.
/// Gains and recoveries have rows of their own.
fn has_row(metric: Metric, measured: &Measured, name: &str) -> bool {
    match metric {
        Metric::HerdGain | Metric::Recovery => false,
        Metric::AtCap => outage::level(measured, "cap", &format!("service.{name}")).is_some(),
        _ => true,
    }
}

/// All rows of `summary.csv` for one run.
pub fn rows(measured: &Measured) -> Vec<SummaryRow> {
    let mut rows = Vec::new();
    for class in &measured.classes {
        class_rows(class, &mut rows);
    }
    for metric in Metric::ALL {
        metric_rows(metric, measured, &mut rows);
    }
    let gains = measured.nodes.iter().filter_map(|node| Some((&node.node, node.herd_gain?)));
    for (node, gain) in gains {
        let metric = Metric::HerdGain;
        let of = format!("postgres.{node}");
        rows.push(row(metric.name(), of, "", stat(metric), gain, metric.unit().name()));
    }
    for recovery in &measured.recoveries {
        let of = format!("service.{} after {}", recovery.service, recovery.event);
        let value = recovery.after.map_or(f64::NAN, |after| after.as_secs());
        rows.push(row("recovery", of, "", stat(Metric::Recovery), value, "s"));
    }
    rows
}

/// The rows of a metric over the whole run: of every node or service that it tells something of, by cause.
fn metric_rows(metric: Metric, measured: &Measured, rows: &mut Vec<SummaryRow>) {
    let names: Vec<&str> = match metric.group() {
        "postgres" => measured.nodes.iter().map(|node| node.node.as_str()).collect(),
        "service" => measured.services.iter().map(|service| service.service.as_str()).collect(),
        // Classes have rows of their own.
        _ => return,
    };
    let causes = match metric.causes() {
        Causes::Each => [None].into_iter().chain(Cause::ALL.map(Some)).collect(),
        Causes::One => Cause::ALL.map(Some).to_vec(),
        Causes::None => vec![None],
    };
    let (whole, unit) = (Window::whole(), metric.unit().name());
    for name in names.into_iter().filter(|name| has_row(metric, measured, name)) {
        for &cause in &causes {
            let of = format!("{}.{name}", metric.group());
            let value = value(metric, measured, &of, cause, &whole);
            rows.push(row(metric.name(), of, cause.map_or("", Cause::name), stat(metric), value, unit));
        }
    }
}

/// The statistic of a metric's rows.
pub fn stat(metric: Metric) -> &'static str {
    match metric {
        Metric::BackendStarts | Metric::Refused | Metric::Spikes | Metric::RecycleSpikes => "count",
        Metric::HerdOnset => "first",
        Metric::AtCap | Metric::Recovery => "after",
        Metric::HerdGain
        | Metric::CpuBusy
        | Metric::LockWaiters
        | Metric::DiskWaiters
        | Metric::Throughput => "mean",
        Metric::RecycleGap | Metric::RecycleP99Ratio => "median",
        Metric::HerdSize => "max",
        _ if metric.unit() == Unit::Share => "share",
        _ => "max",
    }
}

fn row(
    metric: &'static str,
    of: String,
    cause: &'static str,
    stat: &'static str,
    value: f64,
    unit: &'static str,
) -> SummaryRow {
    SummaryRow { metric, of, cause, stat, value, unit }
}

/// The latency histogram of all outcomes of a class together.
fn all_latency(class: &ClassMeasured) -> Histogram<u64> {
    let mut all = latency::histogram();
    for histogram in class.latency_us.iter().flatten() {
        all.add(histogram).expect("the same bounds");
    }
    all
}

fn class_rows(class: &ClassMeasured, rows: &mut Vec<SummaryRow>) {
    let of = format!("request.{}", class.label.of_class(&class.class));
    rows.push(row("requests", of.clone(), "", "count", class.arrived as f64, "count"));
    for outcome in 0..OUTCOMES {
        let name = Outcome::ALL[outcome].name();
        rows.push(row("requests", of.clone(), name, "count", class.ended[outcome] as f64, "count"));
    }
    rows.push(row("unanswered", of.clone(), "", "count", class.unanswered() as f64, "count"));
    let all = class.ended.iter().sum::<u64>() + class.unanswered();
    let success = class.ended[Outcome::Ok as usize] as f64 / all as f64;
    rows.push(row("request_success", of.clone(), "", "share", success, "share"));
    let rejected = class.ended[Outcome::TooManyRequests as usize] as f64 / all as f64;
    rows.push(row("rejected", of.clone(), "", "share", rejected, "share"));
    let users = class.users;
    let fulfilled = users.succeeded as f64 / (users.succeeded + users.failed) as f64;
    rows.push(row("user_success", of.clone(), "", "share", fulfilled, "share"));
    let ok = class.latency_us[Outcome::Ok as usize].clone().unwrap_or_else(latency::histogram);
    for (cause, histogram) in [("ok", ok), ("", all_latency(class))] {
        let quantiles = latency::quantiles(&histogram);
        let ms = |us: fn(super::Quantiles) -> u64| quantiles.map_or(f64::NAN, |q| us(q) as f64 / 1e3);
        for (stat, value) in [
            ("p50", ms(|q| q.p50_us)),
            ("p95", ms(|q| q.p95_us)),
            ("p99", ms(|q| q.p99_us)),
            ("max", ms(|q| q.max_us)),
        ] {
            rows.push(row("latency", of.clone(), cause, stat, value, "ms"));
        }
    }
}
