//! The run in a few numbers: one name for each, the same in tables, files and expectations.

use super::{
    BIN, CAUSES, ClassMeasured, Measured, NodeMeasured, OUTCOMES, ServiceMeasured, SummaryRow, latency,
};
use crate::engine::time::Time;
use crate::scenario::grammar::{Cause, Outcome};
use hdrhistogram::Histogram;

/// A metric that an expectation may name, over a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The most backend starts in any sliding second, of a node.
    ConnectsMax1s,
    /// That as a share of the connections open just before, of a node.
    HerdSize,
    /// That over the uniform rate: open connections / lifetime, of a node.
    PeakOverUniform,
    /// Backends started, of a node.
    BackendStarts,
    /// The highest p99 of any bin, of a service.
    WorstP99,
    /// Latency spikes, of a service.
    Spikes,
    /// Requests that ended `ok`, as a share of those that ended, of a request class.
    RequestSuccess,
    /// Wishes fulfilled, as a share of those that ended, of a request class; over the whole run.
    UserSuccess,
}

impl Metric {
    /// All metrics, in the order of tables.
    pub const ALL: [Metric; 8] = [
        Metric::ConnectsMax1s,
        Metric::HerdSize,
        Metric::PeakOverUniform,
        Metric::BackendStarts,
        Metric::WorstP99,
        Metric::Spikes,
        Metric::RequestSuccess,
        Metric::UserSuccess,
    ];

    /// Its name in scenarios and tables.
    pub fn name(self) -> &'static str {
        match self {
            Metric::ConnectsMax1s => "connects_max_1s",
            Metric::HerdSize => "herd_size",
            Metric::PeakOverUniform => "peak_over_uniform",
            Metric::BackendStarts => "backend_starts",
            Metric::WorstP99 => "worst_p99",
            Metric::Spikes => "spikes",
            Metric::RequestSuccess => "request_success",
            Metric::UserSuccess => "user_success",
        }
    }

    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Metric::ConnectsMax1s | Metric::BackendStarts | Metric::Spikes => "count",
            Metric::HerdSize | Metric::RequestSuccess | Metric::UserSuccess => "share",
            Metric::PeakOverUniform => "ratio",
            Metric::WorstP99 => "ms",
        }
    }

    /// Where in a scenario the thing is that it is of.
    pub fn of(self) -> &'static str {
        match self {
            Metric::ConnectsMax1s | Metric::HerdSize | Metric::PeakOverUniform | Metric::BackendStarts => {
                "postgres"
            }
            Metric::WorstP99 | Metric::Spikes => "service",
            Metric::RequestSuccess | Metric::UserSuccess => "request",
        }
    }

    /// The metric of this name.
    pub fn by_name(name: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Its value for `of` (`postgres.NAME`, …) from `from` until `to`; NaN where there are no samples.
    pub fn value(self, measured: &Measured, of: &str, cause: Option<Cause>, from: Time, to: Time) -> f64 {
        let name = of.split_once('.').map_or(of, |(_, name)| name);
        let window = Window { from, to };
        match self {
            Metric::ConnectsMax1s | Metric::HerdSize | Metric::PeakOverUniform | Metric::BackendStarts => {
                measured
                    .nodes
                    .iter()
                    .find(|node| node.node == name)
                    .map_or(f64::NAN, |node| window.of_node(self, node, cause, measured))
            }
            Metric::WorstP99 => measured
                .services
                .iter()
                .find(|service| service.service == name)
                .map_or(f64::NAN, |service| window.worst_p99(service)),
            Metric::Spikes => {
                let within = |at: Time| at >= from && at < to;
                measured.spikes.iter().filter(|spike| spike.service == name && within(spike.from)).count()
                    as f64
            }
            Metric::RequestSuccess => {
                window.success(measured.classes.iter().filter(|class| class.class == name))
            }
            Metric::UserSuccess => {
                let users =
                    measured.classes.iter().filter(|class| class.class == name).map(|class| class.users);
                let (ok, failed) =
                    users.fold((0, 0), |sum, users| (sum.0 + users.succeeded, sum.1 + users.failed));
                ok as f64 / (ok + failed) as f64
            }
        }
    }
}

/// A stretch of time.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: Time,
    to: Time,
}

impl Window {
    /// The part of a series of bins that lies within.
    fn of<'a, T>(&self, bins: &'a [T]) -> &'a [T] {
        let last = (self.to.0.div_ceil(BIN.0) as usize).min(bins.len());
        &bins[((self.from.0 / BIN.0) as usize).min(last)..last]
    }

    fn of_node(&self, metric: Metric, node: &NodeMeasured, cause: Option<Cause>, measured: &Measured) -> f64 {
        let bins = self.of(&node.bins).iter();
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
                let open = self.mean_backends(node, measured);
                let uniform = node.lifetime.map_or(f64::NAN, |lifetime| open / lifetime.as_secs());
                most(&mut bins.map(count)) / uniform
            }
            Metric::BackendStarts => {
                let to = (self.to.0.div_ceil(1_000_000_000) as usize).min(node.starts_per_s.len());
                let from = ((self.from.0 / 1_000_000_000) as usize).min(to);
                let starts = node.starts_per_s[from..to].iter();
                let of_cause = |starts: &[u32; CAUSES]| {
                    cause.map_or(starts.iter().sum(), |cause| starts[cause as usize])
                };
                starts.map(|starts| f64::from(of_cause(starts))).sum()
            }
            _ => most(&mut bins.map(count)),
        }
    }

    fn mean_backends(&self, node: &NodeMeasured, measured: &Measured) -> f64 {
        let of = format!("postgres.{}", node.node);
        let series = measured.levels.iter().find(|series| series.level == "backends" && series.of == of);
        let bins = series.map_or(&[][..], |series| self.of(&series.bins));
        bins.iter().map(|bin| bin.mean).sum::<f64>() / bins.len() as f64
    }

    fn worst_p99(&self, service: &ServiceMeasured) -> f64 {
        let p99s = self.of(&service.bins).iter().filter_map(|bin| bin.latency);
        p99s.map(|latency| latency.p99_us as f64 / 1e3).fold(f64::NAN, f64::max)
    }

    fn success<'a>(&self, classes: impl Iterator<Item = &'a ClassMeasured>) -> f64 {
        let mut ok = 0;
        let mut all = 0;
        for bin in classes.flat_map(|class| self.of(&class.bins)) {
            ok += u64::from(bin.ended[Outcome::Ok as usize]);
            all += bin.ended.iter().map(|count| u64::from(*count)).sum::<u64>();
        }
        ok as f64 / all as f64
    }
}

/// All rows of `summary.csv` for one run.
pub fn rows(measured: &Measured) -> Vec<SummaryRow> {
    let mut rows = Vec::new();
    for class in &measured.classes {
        class_rows(class, &mut rows);
    }
    let end = Time::ZERO + measured.duration;
    let mut metric_rows = |metric: Metric, name: &str| {
        let causes = match metric.of() {
            "postgres" => [None].into_iter().chain(Cause::ALL.map(Some)).collect(),
            _ => vec![None],
        };
        for cause in causes {
            let of = format!("{}.{name}", metric.of());
            let value = metric.value(measured, &of, cause, Time::ZERO, end);
            let (cause, stat) = (cause.map_or("", Cause::name), stat(metric));
            rows.push(SummaryRow { metric: metric.name(), of, cause, stat, value, unit: metric.unit() });
        }
    };
    for metric in Metric::ALL {
        match metric.of() {
            "postgres" => measured.nodes.iter().for_each(|node| metric_rows(metric, &node.node)),
            "service" => measured.services.iter().for_each(|service| metric_rows(metric, &service.service)),
            _ => {}
        }
    }
    for node in &measured.nodes {
        rows.push(row(
            "refused",
            format!("postgres.{}", node.node),
            "",
            "count",
            node.refused as f64,
            "count",
        ));
    }
    for recovery in &measured.recoveries {
        let of = format!("service.{}", recovery.service);
        let value = recovery.after.map_or(f64::NAN, |after| after.as_secs());
        rows.push(row("recovery", format!("{of} after event.{}", recovery.event), "", "after", value, "s"));
    }
    rows
}

fn stat(metric: Metric) -> &'static str {
    match metric.unit() {
        "share" if metric == Metric::HerdSize => "max",
        "share" => "share",
        _ if matches!(metric, Metric::BackendStarts | Metric::Spikes) => "count",
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
pub fn all_latency(class: &ClassMeasured) -> Histogram<u64> {
    let mut all = latency::histogram();
    for histogram in class.latency_us.iter().flatten() {
        all.add(histogram).expect("the same bounds");
    }
    all
}

fn class_rows(class: &ClassMeasured, rows: &mut Vec<SummaryRow>) {
    use crate::scenario::grammar::Label;
    let label = if class.label == Label::Abusive { ".abusive" } else { "" };
    let of = format!("request.{}{label}", class.class);
    rows.push(row("requests", of.clone(), "", "count", class.arrived as f64, "count"));
    for outcome in 0..OUTCOMES {
        let name = Outcome::ALL[outcome].name();
        rows.push(row("requests", of.clone(), name, "count", class.ended[outcome] as f64, "count"));
    }
    let ended: u64 = class.ended.iter().sum();
    let success = class.ended[Outcome::Ok as usize] as f64 / ended as f64;
    rows.push(row("request_success", of.clone(), "", "share", success, "share"));
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
