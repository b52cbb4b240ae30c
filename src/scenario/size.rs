//! How many requests a scenario asks for: more than any machine plays is a slip of the pen, and would be seen
//! only when the memory is full.
//!
//! What stands between two moments of the timeline counts for that time. Left out: retries, and devices,
//! which wait for answers.

use super::grammar::{Arrivals, Curve, Distribution, File, Traffic};
use super::problem::{Problem, Problems};
use super::{Scenario, Tables};
use crate::engine::time::{Span, Time};

/// The most requests of a run: days of a large fleet have some thousand millions.
const MOST_REQUESTS: f64 = 1e10;

/// What stands for some time, in seconds.
pub(super) struct Stretch<'a> {
    pub file: &'a File,
    pub from: f64,
    pub to: f64,
}

/// Adds an error if the traffic is beyond what can be run.
pub fn check(scenario: &Scenario, problems: &mut Problems) {
    let (stretches, tables) = (stretches(scenario), &scenario.tables);
    let mut asked: Vec<(&str, f64)> = Vec::new();
    for name in scenario.file.traffic.keys() {
        let mut all = 0.0;
        for stretch in &stretches {
            let Some(traffic) = stretch.file.traffic.get(name) else { continue };
            all += requests(traffic, tables, stretch.from, stretch.to);
        }
        asked.push((name, all));
    }
    let all: f64 = asked.iter().map(|(_, requests)| requests).sum();
    let most = asked.into_iter().max_by(|one, other| one.1.total_cmp(&other.1));
    if let Some((name, _)) = most.filter(|_| all > MOST_REQUESTS) {
        let message =
            format!("the traffic is of {all:.1e} requests in all; at most {MOST_REQUESTS:e} can be run");
        let place = scenario.place(&format!("traffic.{name}.rate"));
        problems.push(Problem::error(message, place).help("lower the rates, or shorten `duration`"));
    }
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
