//! How large a run is: more than any machine plays is a slip of the pen, and would be seen only when the
//! memory is full.
//!
//! Bounded are the requests (in all, and those of a second), the connections of the fleet, and what is
//! recorded of the time that passes. What stands between two moments of the timeline counts for that time.
//! Left out: retries, and devices, which wait for answers; what reports need beside the record itself.

use super::grammar::{Arrivals, Curve, Distribution, File, Label, Traffic};
use super::problem::{Problem, Problems};
use super::{Scenario, Tables};
use crate::engine::time::{Span, Time};
use std::collections::BTreeSet;

/// The most requests of a run: days of a large fleet have some thousand millions.
const MOST_REQUESTS: f64 = 1e10;

/// The most requests of a second: no fleet answers as many within it, and those under way take some 260 bytes
/// each. A run of a few seconds would fill the memory long before it has had the most of a run.
const MOST_IN_A_SECOND: f64 = 1e7;

/// The most connections of a fleet: each takes some 220 bytes, and a hundred thousand are many.
const MOST_CONNECTIONS: u64 = 10_000_000;

/// The most bytes of the record of a run; the vectors that grow to it may hold as much again.
const MOST_BYTES: f64 = 4e9;

/// What stands for some time, in seconds.
pub(super) struct Stretch<'a> {
    pub file: &'a File,
    pub from: f64,
    pub to: f64,
}

/// Adds an error for all that is beyond what can be run.
pub fn check(scenario: &Scenario, problems: &mut Problems) {
    let stretches = stretches(scenario);
    problems.extend(in_all(scenario, &stretches).or_else(|| in_a_second(scenario, &stretches)));
    problems.extend(connections(scenario, &stretches));
    problems.extend(record(scenario));
}

/// Too many requests over the whole run.
fn in_all(scenario: &Scenario, stretches: &[Stretch<'_>]) -> Option<Problem> {
    let mut asked: Vec<(&str, f64)> = Vec::new();
    for name in scenario.file.traffic.keys() {
        let of = stretches.iter().filter_map(|stretch| Some((stretch, stretch.file.traffic.get(name)?)));
        let all = of.map(|(stretch, of)| {
            requests(of, &scenario.tables, stretch.from, stretch.to) * set_off(stretch.file, of)
        });
        asked.push((name, all.sum()));
    }
    too_many(scenario, asked, ("in all", MOST_REQUESTS), "lower the rates, or shorten `duration`")
}

/// Too many requests at once: of all sources together, each at its highest rate.
fn in_a_second(scenario: &Scenario, stretches: &[Stretch<'_>]) -> Option<Problem> {
    let peaks = stretches.iter().map(|stretch| {
        let each = stretch.file.traffic.iter();
        let peak = |of| peak(of, &scenario.tables, stretch) * set_off(stretch.file, of);
        let each = each.map(|(name, of)| (&name[..], peak(of)));
        each.collect::<Vec<(&str, f64)>>()
    });
    let sum = |peaks: &Vec<(&str, f64)>| peaks.iter().map(|(_, peak)| peak).sum::<f64>();
    let most = peaks.max_by(|one, other| sum(one).total_cmp(&sum(other)))?;
    too_many(scenario, most, ("in a second", MOST_IN_A_SECOND), "lower the rates")
}

/// The sources ask for so many requests each, and for more than `most` together: the greatest is to blame.
fn too_many(
    scenario: &Scenario,
    asked: Vec<(&str, f64)>,
    (within, most): (&str, f64),
    help: &str,
) -> Option<Problem> {
    let all: f64 = asked.iter().map(|(_, requests)| requests).sum();
    let (name, _) = asked.into_iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let message = format!("the traffic is of {all:.1e} requests {within}; at most {most:e} can be run");
    let problem = Problem::error(message, scenario.place(&format!("traffic.{name}.rate")));
    (all > most).then(|| problem.help(help).about([format!("traffic.{name}.rate")]))
}

/// Too many connections that the fleet opens whatever is asked of it: the floors of its pools. What a pool
/// opens beyond its floor is for a request, and those are counted.
fn connections(scenario: &Scenario, stretches: &[Stretch<'_>]) -> Option<Problem> {
    let counts = stretches.iter().map(|stretch| floors(stretch.file));
    let most = counts.max_by_key(|floors| floors.iter().map(|(_, count)| count).sum::<u64>())?;
    let all: u64 = most.iter().map(|(_, count)| count).sum();
    let (path, _) = most.into_iter().max_by_key(|(_, count)| *count)?;
    let message =
        format!("the pools open {all} connections by themselves; at most {MOST_CONNECTIONS} can be run");
    let problem = Problem::error(message, scenario.place(&format!("{path}.min")));
    let help = "lower `min`, or how many `containers` or `processes` may be";
    (all > MOST_CONNECTIONS).then(|| problem.help(help).about([path]))
}

/// The connections that the floor of each pool makes, by the path of the pool.
fn floors(file: &File) -> Vec<(String, u64)> {
    let mut floors = Vec::new();
    for (name, service) in file.service.iter() {
        for (node, pool) in service.pool.iter() {
            let count = u64::from(service.containers.max) * u64::from(pool.min);
            floors.push((format!("service.{name}.pool.{node}"), count));
        }
    }
    for (name, node) in file.postgres.iter() {
        let Some(pooler) = &node.pooler else { continue };
        let count = u64::from(pooler.processes) * u64::from(pooler.pool.min);
        floors.push((format!("postgres.{name}.pooler.pool"), count));
    }
    floors
}

/// A record that no memory holds.
fn record(scenario: &Scenario) -> Option<Problem> {
    let file = &*scenario.file;
    let seconds = file.duration.as_secs();
    let a_second = bytes_of_a_second(file);
    let (all, fits) = (seconds * a_second, MOST_BYTES / a_second);
    let whole = if fits < 3600.0 { 1.0 } else { 3600.0 };
    let fits = Span::from_secs_f64((fits / whole).floor() * whole);
    let message = format!(
        "what is recorded of so long a run takes {:.0} GB; at most {:.0} GB can be kept",
        all / 1e9,
        MOST_BYTES / 1e9
    );
    let problem = Problem::error(message, scenario.place("duration"));
    let help = format!("shorten `duration`: {fits} of this fleet can be kept");
    (all > MOST_BYTES).then(|| problem.help(help).about(["duration".to_owned()]))
}

/// What `measure` keeps of a second, in bytes, whatever happens in it.
///
/// Of every minute: 16 of each gauge, for the dashboard. Of every 10 s: 24 (`LevelBin`) of each gauge, which
/// are 4 of a service, 5 of a pool, 8 of a node and one of a pooler's clients; 152 (`ClassBin`) of each class
/// of requests, with 8 of each bucket of latency, of which there are a dozen or two, and where an expectation
/// asks for a percentile of it 8 of each latency that was met, of which there are some dozens; 56
/// (`ServiceBin`) of a service; 80 (`HerdBin`) of a node. Of every second: 5 counters of 4 of a node. Of
/// every lifetime: 56 (`Cycle`) of a node.
fn bytes_of_a_second(file: &File) -> f64 {
    let poolers = file.postgres.values().filter(|node| node.pooler.is_some()).count();
    let pools = poolers + file.service.values().map(|service| service.pool.len()).sum::<usize>();
    let open = file.traffic.values().map(|of| (&of.request, of.label.name()));
    let closed = file.device.values().map(|of| (&of.request, Label::Legitimate.name()));
    let queued = file.queue.values().map(|of| (&of.request, Label::Background.name()));
    let classes = open.chain(closed).chain(queued).collect::<BTreeSet<_>>().len();
    let asked = file.expect.values().filter(|expect| expect.metric.quantile().is_some());
    let kept = asked.map(|expect| &expect.of).collect::<BTreeSet<_>>().len().min(classes);
    let (services, nodes) = (file.service.len(), file.postgres.len());
    let gauges = 4 * services + 5 * pools + 8 * nodes + poolers;
    let of_a_bin = 24 * gauges + (152 + 8 * 24) * classes + 8 * 64 * kept + 56 * services + 80 * nodes;
    let of_lifetimes = file.postgres.keys().map(|node| 56.0 / shortest_lifetime(file, node));
    of_a_bin as f64 / 10.0 + (16 * gauges) as f64 / 60.0 + (5 * 4 * nodes) as f64 + of_lifetimes.sum::<f64>()
}

/// The shortest lifetime of a node's connections, in seconds.
fn shortest_lifetime(file: &File, node: &str) -> f64 {
    let pools = file.service.values().filter_map(|service| service.pool.get(node));
    let pooler = file.postgres.get(node).and_then(|node| node.pooler.as_ref());
    let all = pools.chain(pooler.map(|pooler| &pooler.pool));
    all.filter_map(|pool| pool.max_lifetime.0).min().map_or(f64::INFINITY, Span::as_secs)
}

/// What stands from when to when.
pub(super) fn stretches(scenario: &Scenario) -> Vec<Stretch<'_>> {
    let end = Time::ZERO + scenario.file.duration;
    let seconds = |time: Time| time.min(end).since(Time::ZERO).as_secs();
    let first = Stretch { file: &scenario.file, from: 0.0, to: seconds(end) };
    let mut all = vec![first];
    for moment in &scenario.timeline {
        let Some(file) = moment.stands.as_deref() else { continue };
        let from = seconds(moment.at);
        all.last_mut().into_iter().for_each(|before| before.to = from);
        all.push(Stretch { file, from, to: seconds(end) });
    }
    all
}

/// How many requests each of a source comes to.
fn set_off(file: &File, traffic: &Traffic) -> f64 {
    file.set_off_by(&traffic.request).values().sum()
}

/// From when on a source sends how much in a second.
fn steps(traffic: &Traffic, tables: &Tables) -> Vec<(f64, f64)> {
    match &traffic.rate {
        _ if !traffic.enabled => vec![],
        Arrivals::Constant(rate) => vec![(0.0, rate.0)],
        Arrivals::Curve(Curve::Piecewise(steps)) => {
            steps.iter().map(|step| (step.from.as_secs(), step.rate.0)).collect()
        }
        Arrivals::Curve(Curve::Csv(name)) => {
            tables.get(name).into_iter().flat_map(|table| &table.rows).map(|row| (row[0], row[1])).collect()
        }
    }
}

/// The requests of a source between two times, in seconds; of bursts, those within them.
pub(super) fn requests(traffic: &Traffic, tables: &Tables, from: f64, to: f64) -> f64 {
    let steps = steps(traffic, tables);
    let ends = steps.iter().skip(1).map(|step| step.0).chain([to]);
    let all = steps.iter().zip(ends).map(|((at, rate), end)| rate * (end.min(to) - at.max(from)).max(0.0));
    let share = traffic.burst.as_ref().map_or(1.0, |burst| {
        let mean = |one: &Distribution| one.mean(tables).unwrap_or(Span::ZERO).as_secs();
        let [lasting, every] = [&burst.lasting, &burst.every].map(mean);
        // Without a mean they are given the benefit of the doubt.
        if every > 0.0 { (lasting / every).min(1.0) } else { 0.0 }
    });
    share * all.sum::<f64>()
}

/// The most requests of a source in a second of a stretch; of bursts, as long as one lasts.
fn peak(traffic: &Traffic, tables: &Tables, stretch: &Stretch<'_>) -> f64 {
    let steps = steps(traffic, tables);
    let ends = steps.iter().skip(1).map(|step| step.0).chain([stretch.to]);
    let lasting = traffic.burst.as_ref().and_then(|burst| burst.lasting.mean(tables));
    let longest = lasting.map_or(1.0, |lasting| lasting.as_secs().min(1.0));
    let each = steps.iter().zip(ends);
    let each = each.map(|((at, rate), end)| {
        let length = end.min(stretch.to) - at.max(stretch.from);
        rate * length.clamp(0.0, longest)
    });
    each.fold(0.0, f64::max)
}
