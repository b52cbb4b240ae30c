//! Where requests come from: traffic, devices, queues.

use super::{Places, dist};
use crate::engine::chance::Stream;
use crate::engine::time::{Span, Time};
use crate::model::device::{self, Devices};
use crate::model::queue::WorkQueue;
use crate::model::traffic::Bursts;
use crate::scenario::Table;
use crate::scenario::grammar::{self, Arrivals, Curve, File, Label, Traffic};
use std::collections::BTreeMap;

/// The sources that are enabled as things stand.
pub fn enabled_traffic(file: &File) -> impl Iterator<Item = (&String, &Traffic)> {
    file.traffic.iter().filter(|(_, traffic)| traffic.enabled)
}

/// Rate per second by time, of a source that may be disabled.
pub fn rate_of(traffic: &Traffic, tables: &BTreeMap<String, Table>) -> Vec<(Time, f64)> {
    if traffic.enabled { rate(&traffic.rate, tables) } else { vec![(Time::ZERO, 0.0)] }
}

/// Rate per second by time.
pub fn rate(written: &Arrivals, tables: &BTreeMap<String, Table>) -> Vec<(Time, f64)> {
    match written {
        Arrivals::Constant(rate) => vec![(Time::ZERO, rate.0)],
        Arrivals::Curve(Curve::Piecewise(steps)) => {
            steps.iter().map(|step| (Time::ZERO + step.from, step.rate.0)).collect()
        }
        Arrivals::Curve(Curve::Csv(path)) => {
            let rows = tables[path].rows.iter();
            rows.map(|row| (Time::ZERO + Span::from_secs_f64(row[0]), row[1])).collect()
        }
    }
}

/// The bursts of a source.
pub fn bursts(traffic: &Traffic, tables: &BTreeMap<String, Table>) -> Option<Bursts> {
    let burst = traffic.burst.as_ref()?;
    let (every, lasting) = (dist(&burst.every, tables), dist(&burst.lasting, tables));
    Some(Bursts { every, lasting, on: false, over: 0 })
}

/// The devices that there are in this run, in file order.
pub fn devices(file: &File, places: &Places, luck: Stream, tables: &BTreeMap<String, Table>) -> Vec<Devices> {
    let compile = |(number, name): (u16, &String)| {
        let of = &file.device[name];
        Devices {
            origin: places.origin(file, number, &of.request, Label::Legitimate),
            loops: device::loops(of),
            refresh_age: dist(&of.refresh_age, tables),
            poll: of.poll,
            luck: luck.named("device").named(name),
        }
    };
    (places.first_device()..).zip(&places.devices).map(compile).collect()
}

/// The queues of background work, in file order.
pub fn queues_of_work(
    file: &File,
    places: &Places,
    luck: Stream,
    tables: &BTreeMap<String, Table>,
) -> Vec<WorkQueue> {
    let compile = |(number, (name, of)): (u16, (&String, &grammar::WorkQueue))| WorkQueue {
        origin: places.origin(file, number, &of.request, Label::Background),
        delay: dist(&of.delay, tables),
        luck: luck.named("queue").named(name),
    };
    (places.first_queue()..).zip(&file.queue).map(compile).collect()
}
