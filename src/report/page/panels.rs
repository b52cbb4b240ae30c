//! The panels of one run: what each shows, as packed series of one value a column.
//!
//! The page's script knows how to draw lines, stacks and heat maps, and nothing of Postgres: names, units,
//! colours and the choice of what is shown are made here.

use super::downsample::Columns;
use super::heat;
use super::pack::{pack, whole};
use crate::experiment::Run;
use crate::measure::{
    BIN, CAUSES, ClassBin, ClassMeasured, LevelBin, Measured, NodeMeasured, OUTCOMES, Quantiles,
    ServiceMeasured, bucket, outage,
};
use crate::report::rates::evenly;
use crate::scenario::grammar::{Cause, Outcome};
use serde_json::{Value, json};

/// Places in the page's palette, in the order of [`Cause::ALL`].
const CAUSE_COLOURS: [u8; CAUSES] = [0, 1, 2, 6, 3];
/// The same for [`Outcome::ALL`].
const OUTCOME_COLOURS: [u8; OUTCOMES] = [1, 4, 5, 8, 2, 7, 0, 6, 3, 9, 10, 11];
/// Parts of a unit that are kept of what is not whole.
const FINE: f64 = 10_000.0;
const LATENCIES: [(&str, u8, u8); 3] = [("p50", 6, 2), ("p95", 3, 1), ("p99", 0, 0)];

/// What the panels of a run are drawn with.
pub struct Setting<'a> {
    /// How bins make columns.
    pub columns: Columns,
    /// The greatest count in a cell of a service's heat map, over all runs.
    pub most: &'a dyn Fn(&str) -> u64,
}

/// All panels of a run.
pub fn panels(run: &Run, setting: &Setting) -> Vec<Value> {
    let measured = &run.measured;
    let mut panels = Vec::new();
    for service in &measured.services {
        panels.push(latency(measured, service, setting));
        panels.extend(fleet(run, &service.service, setting));
        panels.push(queue(run, &service.service, setting));
    }
    for class in &measured.classes {
        let class = evenly(measured, class);
        panels.push(failures(&class, setting));
        panels.push(rates(&class, setting));
        panels.extend(served(&class, setting));
    }
    for node in &measured.nodes {
        panels.push(starts(node, setting));
        panels.extend(heat::births(node));
        panels.extend(dashboard(run, node, setting));
        panels.extend(processors(run, node, setting));
        panels.push(backends(run, node, setting));
        panels.extend(lag(run, node, setting));
        panels.extend(pooler(run, node, setting));
        let services = measured.services.iter();
        panels.extend(services.filter_map(|service| pool(run, &service.service, &node.node, setting)));
    }
    panels
}

/// `by` is what the reader chooses among, `of` one of these.
fn panel(
    key: &str,
    (by, of): (&str, &str),
    (kind, unit, title): (&str, &str, &str),
    series: Vec<Value>,
) -> Value {
    json!({ "key": key, "by": by, "of": of, "kind": kind, "unit": unit, "title": title, "series": series })
}

fn line(name: &str, (colour, dash): (u8, u8), parts: f64, data: &[Option<i64>]) -> Value {
    json!({ "name": name, "colour": colour, "dash": dash, "parts": parts, "data": pack(data) })
}

fn latency(measured: &Measured, service: &ServiceMeasured, setting: &Setting) -> Value {
    let quantile = |which: usize| {
        setting.columns.highest(&service.bins, |bin| {
            let Quantiles { p50_us, p95_us, p99_us, .. } = bin.latency?;
            i64::try_from([p50_us, p95_us, p99_us][which]).ok()
        })
    };
    let lines = LATENCIES.iter().enumerate();
    let lines =
        lines.map(|(which, (name, colour, dash))| line(name, (*colour, *dash), 1.0, &quantile(which)));
    let title = "Latency of every request, from arrival to end";
    let mut panel = panel("latency", ("service", &service.service), ("heat", "us", title), lines.collect());
    let bins = bucket::of_service(measured, &service.service);
    panel["heat"] = heat::latency(&bins, setting.columns, (setting.most)(&service.service));
    panel
}

type Pick = fn(&LevelBin) -> f64;

fn most(bin: &LevelBin) -> f64 {
    bin.max
}

/// A gauge's highest values; nothing where there is no such gauge.
fn gauge(
    run: &Run,
    (level, of): (&str, &str),
    name: &str,
    style: (u8, u8),
    setting: &Setting,
) -> Option<Value> {
    picked(run, (level, of), name, style, (most, 1.0), setting)
}

fn picked(
    run: &Run,
    (level, of): (&str, &str),
    name: &str,
    style: (u8, u8),
    (pick, parts): (Pick, f64),
    setting: &Setting,
) -> Option<Value> {
    let bins = outage::level(&run.measured, level, of)?;
    Some(line(name, style, parts, &setting.columns.highest(bins, |bin| whole(pick(bin), parts))))
}

/// Containers and their cap; only where they can change.
fn fleet(run: &Run, service: &str, setting: &Setting) -> Option<Value> {
    let of = format!("service.{service}");
    let containers = outage::level(&run.measured, "containers", &of)?;
    let cap = gauge(run, ("cap", &of), "cap", (6, 1), setting);
    let steady = containers.iter().all(|bin| bin.max == containers[0].max && bin.min == bin.max);
    if cap.is_none() && steady {
        return None;
    }
    let least = setting.columns.least(containers, |bin| whole(bin.min, 1.0));
    let series = [
        gauge(run, ("containers", &of), "containers, most", (1, 0), setting),
        Some(line("containers, least", (5, 2), 1.0, &least)),
        cap,
    ];
    let series = series.into_iter().flatten().collect();
    Some(panel("fleet", ("service", service), ("lines", "count", "Containers and their cap"), series))
}

fn queue(run: &Run, service: &str, setting: &Setting) -> Value {
    let of = format!("service.{service}");
    let series = [
        gauge(run, ("in_flight", &of), "in flight", (1, 0), setting),
        gauge(run, ("pending", &of), "pending, for want of a container", (0, 1), setting),
    ];
    let title = "Requests at the service, the most at once";
    let series = series.into_iter().flatten().collect();
    panel("queue", ("service", service), ("lines", "count", title), series)
}

fn pool(run: &Run, service: &str, node: &str, setting: &Setting) -> Option<Value> {
    let of = format!("service.{service}.pool.{node}");
    let gauge = |level, name, style| gauge(run, (level, of.as_str()), name, style, setting);
    let series: Vec<Value> = [
        gauge("open", "open", (6, 2)),
        gauge("in_use", "in use", (1, 0)),
        gauge("dialling", "dialling", (4, 1)),
        gauge("waiting", "requests waiting", (0, 0)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if series.is_empty() {
        return None;
    }
    let title = format!("Connections in the pools to {node}, the most at once");
    let mut panel = panel("pool", ("service", service), ("lines", "count", &title), series);
    panel["node"] = json!(node);
    Some(panel)
}

fn label(class: &ClassMeasured) -> String {
    format!("{}{}", class.class, class.label.remark())
}

/// A count within a bin as a rate.
fn stacked(name: &str, colour: u8, data: &[Option<i64>], parts: f64) -> Value {
    line(name, (colour, 0), parts, data)
}

fn failures(class: &ClassMeasured, setting: &Setting) -> Value {
    let failed = |bin: &ClassBin| bin.ended[1..].iter().map(|count| u64::from(*count)).sum();
    let worst = setting.columns.busiest(&class.bins, 1, failed);
    let kinds = Outcome::ALL.into_iter().skip(1).filter(|outcome| class.ended[*outcome as usize] > 0);
    let of = |outcome: Outcome| {
        let place = outcome as usize;
        let data: Vec<_> = worst.iter().map(|bin| bin.map(|bin| i64::from(bin.ended[place]))).collect();
        let mut series = stacked(outcome.name(), OUTCOME_COLOURS[place], &data, BIN.as_secs());
        series["total"] = json!(class.ended[place]);
        series
    };
    let title = "Failures per second, by how they ended";
    let mut panel =
        panel("failures", ("class", &label(class)), ("stack", "per_s", title), kinds.map(of).collect());
    panel["note"] = json!("the worst 10 s of each column");
    panel["empty"] = json!("no request failed");
    panel
}

fn rates(class: &ClassMeasured, setting: &Setting) -> Value {
    let rate =
        |count: fn(&ClassBin) -> u32| setting.columns.highest(&class.bins, |bin| Some(count(bin).into()));
    let series = vec![
        line("arrived, retries included", (6, 0), BIN.as_secs(), &rate(|bin| bin.arrived)),
        line("answered", (1, 1), BIN.as_secs(), &rate(|bin| bin.ended[Outcome::Ok as usize])),
    ];
    panel("rates", ("class", &label(class)), ("lines", "per_s", "Requests per second"), series)
}

fn served(class: &ClassMeasured, setting: &Setting) -> Option<Value> {
    if class.served.is_empty() {
        return None;
    }
    let sums: Vec<u64> = (0..class.bins.len())
        .map(|bin| class.served.iter().map(|served| served.bins.get(bin).map_or(0, |n| u64::from(*n))).sum())
        .collect();
    let numbered: Vec<usize> = (0..sums.len()).collect();
    let busiest = setting.columns.busiest(&numbered, 1, |bin| sums[*bin]);
    let series = class.served.iter().enumerate().map(|(n, served)| {
        let count = |bin: &usize| served.bins.get(*bin).copied().map(i64::from);
        let data: Vec<_> = busiest.iter().map(|bin| bin.and_then(count)).collect();
        stacked(&served.by, [1, 4, 2, 3, 5, 0][n % 6], &data, BIN.as_secs())
    });
    let title = "Answers per second, by who served them";
    let mut panel = panel("served", ("class", &label(class)), ("stack", "per_s", title), series.collect());
    panel["note"] = json!("the busiest 10 s of each column");
    Some(panel)
}

fn starts(node: &NodeMeasured, setting: &Setting) -> Value {
    let total = |second: &[u32; CAUSES]| second.iter().map(|count| u64::from(*count)).sum();
    let seconds = (BIN.as_secs() as usize).max(1);
    let busiest = setting.columns.busiest(&node.starts_per_s, seconds, total);
    let causes = Cause::ALL.into_iter().filter(|cause| node.starts[*cause as usize] > 0);
    let of = |cause: Cause| {
        let place = cause as usize;
        let data: Vec<_> =
            busiest.iter().map(|second| second.map(|second| i64::from(second[place]))).collect();
        let mut series = stacked(cause.name(), CAUSE_COLOURS[place], &data, 1.0);
        series["total"] = json!(node.starts[place]);
        series["most"] = json!(node.starts_per_s.iter().map(|second| second[place]).max());
        series
    };
    let title = "Connections started in each second, by cause";
    let mut panel =
        panel("starts", ("node", &node.node), ("stack", "count", title), causes.map(of).collect());
    panel["note"] = json!("the busiest second of each column; herds are counted in sliding seconds");
    panel["empty"] = json!("no connection was started");
    panel
}

fn dashboard(run: &Run, node: &NodeMeasured, setting: &Setting) -> Option<Value> {
    let of = format!("postgres.{}", node.node);
    let mut truth = gauge(run, ("active", &of), "truth, the most at once", (5, 0), setting)?;
    truth["fill"] = json!(true);
    let scraped = run.measured.dashboard.iter().find(|series| series.level == "active" && series.of == of)?;
    let width = setting.columns.per as f64 * BIN.as_secs();
    let mut data = vec![None; setting.columns.count];
    for (at, value) in &scraped.samples {
        if let Some(column) = data.get_mut((at.as_secs() / width) as usize) {
            *column = whole(*value, FINE).max(*column);
        }
    }
    // A dashboard shows a sample until the next one comes.
    let mut last = None;
    for column in &mut data {
        last = column.or(last);
        *column = last;
    }
    let series = vec![truth, line("dashboard, scraped every 60 s", (6, 0), FINE, &data)];
    let title = "Backends at work: the truth, and what a dashboard shows";
    Some(panel("dashboard", ("node", &node.node), ("lines", "count", title), series))
}

fn processors(run: &Run, node: &NodeMeasured, setting: &Setting) -> Option<Value> {
    let of = format!("postgres.{}", node.node);
    let bins = outage::level(&run.measured, "cpu_busy", &of)?;
    // Bins are equally long, but perhaps the last: the mean over a column is the mean of its means.
    let mean = |bins: &[LevelBin]| {
        let sum: f64 = bins.iter().map(|bin| bin.mean).sum();
        whole(sum / bins.len() as f64, FINE)
    };
    let series = vec![
        line("mean of each column", (1, 0), FINE, &setting.columns.each(bins, mean)),
        line("busiest 10 s, mean", (0, 1), FINE, &setting.columns.highest(bins, |bin| whole(bin.mean, FINE))),
    ];
    Some(panel("cpu", ("node", &node.node), ("lines", "share", "Cores busy"), series))
}

fn backends(run: &Run, node: &NodeMeasured, setting: &Setting) -> Value {
    let of = format!("postgres.{}", node.node);
    let gauge = |level, name, style| gauge(run, (level, of.as_str()), name, style, setting);
    let series = [
        gauge("backends", "open", (6, 2)),
        gauge("active", "at work", (1, 0)),
        gauge("grant_queue", "waiting to be let in", (4, 1)),
        gauge("lock_waiters", "waiting for row locks", (3, 0)),
        gauge("disk_waiters", "waiting for the disk", (0, 0)),
    ];
    let title = "Backends, the most at once";
    let series = series.into_iter().flatten().collect();
    panel("backends", ("node", &node.node), ("lines", "count", title), series)
}

fn pooler(run: &Run, node: &NodeMeasured, setting: &Setting) -> Option<Value> {
    let of = format!("postgres.{}.pooler", node.node);
    let pool = format!("{of}.pool");
    let gauge = |level, of: &str, name, style| gauge(run, (level, of), name, style, setting);
    let clients = gauge("clients", &of, "clients", (3, 2))?;
    let series = [
        Some(clients),
        gauge("open", &pool, "connections to the node, open", (6, 2)),
        gauge("in_use", &pool, "in use", (1, 0)),
        gauge("dialling", &pool, "dialling", (4, 1)),
        gauge("waiting", &pool, "clients waiting", (0, 0)),
    ];
    let title = format!("The pooler of {}, the most at once", node.node);
    let series = series.into_iter().flatten().collect();
    Some(panel("pooler", ("node", &node.node), ("lines", "count", &title), series))
}

fn lag(run: &Run, node: &NodeMeasured, setting: &Setting) -> Option<Value> {
    let of = format!("postgres.{}", node.node);
    let lag = picked(run, ("replica_lag", &of), "replay lag", (3, 0), (|bin| bin.max * 1e6, 1.0), setting)?;
    let title = "Replica lag: the age of the latest commit it replayed";
    Some(panel("lag", ("node", &node.node), ("lines", "us", title), vec![lag]))
}
