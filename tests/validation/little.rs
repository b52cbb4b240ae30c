//! Little's law, L = lambda × W, in every box of every scenario that ships.
//!
//! L is the mean of a level as the measuring floor has it. Lambda × W comes from the facts alone: what entered
//! a box, and how long it stayed, to the end of the run at the latest. Both must agree to the last digits
//! that floats can hold, whatever goes wrong in the scenario.

use crate::kit::{Effort, Row, certain_row, exact};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::measure::Measured;
use herdsim::model::build::Places;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::scenario::{Document, Scenario};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};

/// A box: what it is of, and its level.
type Place = (&'static str, u16, &'static str);

/// How long everything stayed in each box.
#[derive(Default)]
struct Stays {
    /// The node of each pool.
    nodes: Vec<u16>,
    /// How many are inside, and nanoseconds of stays: departures less arrivals.
    boxes: BTreeMap<Place, (i128, i128)>,
}

impl Stays {
    fn pass(&mut self, now: Time, place: Place, by: i128) {
        let (inside, stayed) = self.boxes.entry(place).or_default();
        *inside += by;
        *stayed -= by * i128::from(now.0);
    }
}

impl Recorder for Stays {
    fn record(&mut self, now: Time, fact: Fact) {
        for (place, by) in passes(fact, &self.nodes) {
            self.pass(now, place, by);
        }
    }
}

/// Which boxes a fact enters (1) or leaves (−1).
fn passes(fact: Fact, nodes: &[u16]) -> Vec<(Place, i128)> {
    let service = |number, level, by| (("service", number, level), by);
    let pool = |number, level, by| (("pool", number, level), by);
    let node = |number, level, by| (("postgres", number, level), by);
    match fact {
        Fact::PendingBegan(s) => vec![service(s, "pending", 1)],
        Fact::PendingEnded(s) => vec![service(s, "pending", -1)],
        Fact::HandlingBegan(s) => vec![service(s, "in_flight", 1)],
        Fact::HandlingEnded(s) => vec![service(s, "in_flight", -1)],
        Fact::ContainerLaunched(s) => vec![service(s, "containers", 1)],
        Fact::ContainerStopped(s) => vec![service(s, "containers", -1)],
        Fact::AcquireQueued(p) => vec![pool(p, "waiting", 1)],
        Fact::AcquireDequeued(p) => vec![pool(p, "waiting", -1)],
        Fact::ConnectionAdopted { pool: p } => {
            vec![pool(p, "open", 1), pool(p, "idle", 1), node(nodes[usize::from(p)], "backends", 1)]
        }
        Fact::DialBegan(p) => vec![pool(p, "dialling", 1)],
        Fact::DialSucceeded(p) => vec![pool(p, "dialling", -1), pool(p, "open", 1), pool(p, "in_use", 1)],
        Fact::DialEnded(p) => vec![pool(p, "dialling", -1)],
        Fact::ConnectionAcquired(p) => vec![pool(p, "idle", -1), pool(p, "in_use", 1)],
        Fact::ConnectionReleased(p) => vec![pool(p, "in_use", -1), pool(p, "idle", 1)],
        Fact::IdleClosed(p, _) => vec![pool(p, "idle", -1), pool(p, "open", -1)],
        Fact::UsedClosed(p, _) => vec![pool(p, "in_use", -1), pool(p, "open", -1)],
        Fact::GrantQueued(n) => vec![node(n, "grant_queue", 1)],
        Fact::GrantDropped(n) => vec![node(n, "grant_queue", -1)],
        Fact::BackendStarted { node: n, .. } => vec![node(n, "grant_queue", -1), node(n, "backends", 1)],
        Fact::BackendExited(n) => vec![node(n, "backends", -1)],
        Fact::WorkBegan(n) => vec![node(n, "active", 1)],
        Fact::WorkEnded(n) => vec![node(n, "active", -1)],
        Fact::LockQueued(n) => vec![node(n, "lock_waiters", 1)],
        Fact::LockDequeued(n) => vec![node(n, "lock_waiters", -1)],
        Fact::DiskWaitBegan(n) => vec![node(n, "disk_waiters", 1)],
        Fact::DiskWaitEnded(n) => vec![node(n, "disk_waiters", -1)],
        _ => vec![],
    }
}

/// What a box is called among the levels.
fn name(places: &Places, (kind, number, _): Place) -> String {
    let number = usize::from(number);
    match kind {
        "service" => format!("service.{}", places.services[number]),
        "postgres" => format!("postgres.{}", places.nodes[number]),
        _ => {
            let (service, node) = places.pools[number];
            let (service, node) = (&places.services[usize::from(service)], &places.nodes[usize::from(node)]);
            format!("service.{service}.pool.{node}")
        }
    }
}

/// The greatest |L − lambda × W| / L of a scenario, and over how many boxes that were ever entered.
fn residual(scenario: &Scenario) -> (f64, usize) {
    let (clock, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let measured: Measured = experiment::run(scenario, 1, &clock, &stop).expect("nobody stops it").measured;
    let places = Places::of(scenario);
    let nodes = places.pools.iter().map(|pool| pool.1).collect();
    let stays = experiment::record(scenario, 1, Stays { nodes, ..Stays::default() });
    let end = scenario.file.duration;
    let (mut greatest, mut boxes) = (0.0_f64, 0);
    for (place, (inside, stayed)) in stays.boxes {
        let stayed = (stayed + inside * i128::from(end.0)) as f64 / 1e9;
        let of = name(&places, place);
        let series = measured.levels.iter().find(|series| series.level == place.2 && series.of == of);
        // All bins are equally long: the duration is a whole number of them.
        let bins = &series.unwrap_or_else(|| panic!("{} of {of} is a level", place.2)).bins;
        let area = bins.iter().map(|bin| bin.mean).sum::<f64>() * end.as_secs() / bins.len() as f64;
        if stayed > 0.0 {
            greatest = greatest.max((area - stayed).abs() / stayed);
            boxes += 1;
        }
    }
    (greatest, boxes)
}

/// The scenario files that ship.
fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files =
        std::fs::read_dir(folder).expect("scenarios ship").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files.collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

/// Every scenario that ships, as it is written, for some simulated time.
pub fn every_box(effort: Effort) -> Vec<Row> {
    let secs = effort.of(10, 200);
    let row = |path: PathBuf| {
        let (document, _) = Document::load(&path, &[], &[]).unwrap_or_else(|problems| panic!("{problems}"));
        let mut scenario = document.scenarios.values().next().expect("as written").clone();
        let mut file = (*scenario.file).clone();
        // Shorter once it is resolved: an event or an expectation may lie beyond the new end.
        file.duration = file.duration.min(Span::from_secs(secs));
        scenario.file = file.into();
        let (residual, boxes) = residual(&scenario);
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let what = format!("{stem}, {boxes} boxes, {}", scenario.file.duration);
        let reference = exact(0.0, "L = lambda × W");
        certain_row("Little's law", "greatest |L − lambda W| / L", what, reference, residual, 1e-9)
    };
    shipped().into_par_iter().map(row).collect()
}

#[test]
fn littles_law_holds_in_every_box_of_every_scenario_that_ships() {
    let rows = every_box(Effort::Short);
    assert!(rows.len() >= 9, "{} scenarios", rows.len());
    for row in rows {
        println!("{}", row.words());
        assert!(row.is_inside(), "{}", row.words());
    }
}

/// Nearly all dials are refused, and none of them counts as under way for ever.
#[test]
fn littles_law_holds_where_dials_fail() {
    let scenario = crate::kit::load(
        r#"
schema_version = 1
title    = "A small node"
duration = "20s"
initial  = "cold"
[postgres.primary]
cores                = 1
max_connections      = 3
reserved_connections = 0
[service.api]
containers = { min = 4, max = 4 }
[service.api.pool.primary]
max = 5
[query.lookup]
cpu = "10ms"
[request.sign-in]
service = "api"
steps   = [{ query = "lookup", on = "primary" }]
[traffic.users]
request = "sign-in"
rate    = "200/s"
"#,
    );
    let refused = experiment::record(&scenario, 1, Vec::new());
    assert!(refused.iter().any(|(_, fact)| matches!(fact, Fact::DialEnded(_))), "some dials fail");
    let (residual, boxes) = residual(&scenario);
    assert!(residual < 1e-9 && boxes > 5, "{residual} over {boxes} boxes");
}
