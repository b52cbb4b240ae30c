//! The synchronisation of periodic messages (Floyd and Jacobson, 1993): the coupled-timer model.
//!
//! In the real world: routers that each send an update every Tp seconds, and reset their timers only when they
//! are done with their own and everybody else's that arrived meanwhile. Modelled: N nodes; a timer that
//! expires begins a busy period of Tc; each timer that expires before its end joins and makes it Tc longer;
//! all that joined set their timers anew, to Tp ± Tr, when it ends. The timers are events of herdsim's agenda,
//! the end of the busy period an alarm that is set again, the draws a distribution of its own.
//!
//! Source: validation.md §5.1: parameters and values by an independent simulator of 8 to 400 replications.

use crate::kit::{Effort, Reference, Row, answer_row, assert_near, column, known, mean_row, replicate};
use herdsim::engine::agenda::{Agenda, Alarm};
use herdsim::engine::chance::{Draws, Stream};
use herdsim::engine::dist::Dist;
use herdsim::engine::time::{Span, Time};

/// The paper's period and cost of a message, in seconds.
const TP: f64 = 121.0;
const TC: f64 = 0.11;

/// The parameters of the model, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many nodes.
    pub nodes: u32,
    /// The period.
    pub tp: f64,
    /// What a message costs.
    pub tc: f64,
    /// The random part: the period is Tp ± Tr.
    pub tr: f64,
    /// All begin at once; otherwise anywhere in a period.
    pub in_step: bool,
}

impl Plan {
    fn paper(nodes: u32, tr_in_tc: f64, in_step: bool) -> Plan {
        Plan { nodes, tp: TP, tc: TC, tr: tr_in_tc * TC, in_step }
    }

    /// A round, in seconds.
    fn round(&self) -> f64 {
        self.tp + self.tc
    }
}

#[derive(Clone, Copy)]
enum Event {
    Expired(u32),
    Prepared,
}

/// The timers and the busy period that they share.
struct Timers {
    agenda: Agenda<Event>,
    end_of_busy: Alarm,
    prepared: Time,
    busy: Vec<u32>,
    /// How many shared the last busy period of each node.
    company: Vec<u32>,
    cost: Span,
    period: Dist,
    draws: Vec<Draws>,
}

impl Timers {
    fn new(plan: &Plan, seed: u64) -> Timers {
        let secs = Span::from_secs_f64;
        let period = Dist::Uniform { min: secs(plan.tp - plan.tr), max: secs(plan.tp + plan.tr) };
        let anywhere = Dist::Uniform { min: Span::ZERO, max: secs(plan.tp) };
        let luck = Stream::root(seed).named("node");
        let mut agenda = Agenda::default();
        let end_of_busy = agenda.alarm();
        let mut draws: Vec<Draws> = (0..plan.nodes).map(|node| luck.at(node.into()).draws()).collect();
        for (node, draws) in (0..).zip(&mut draws) {
            let first = if plan.in_step { &period } else { &anywhere };
            agenda.after(first.sample(draws), Event::Expired(node));
        }
        Timers {
            company: vec![1; plan.nodes as usize],
            agenda,
            end_of_busy,
            prepared: Time::ZERO,
            busy: Vec::new(),
            cost: secs(plan.tc),
            period,
            draws,
        }
    }

    /// The next busy period: when it ends, and how many shared it.
    fn next_cluster(&mut self) -> (f64, usize) {
        loop {
            match self.agenda.next_until(Time::NEVER).expect("timers are always set") {
                Event::Expired(node) => {
                    let from = if self.busy.is_empty() { self.agenda.now() } else { self.prepared };
                    self.prepared = from + self.cost;
                    self.agenda.set(self.end_of_busy, Some(self.prepared), Event::Prepared);
                    self.busy.push(node);
                }
                Event::Prepared => {
                    let size = self.busy.len();
                    for &node in &self.busy {
                        self.company[node as usize] = size as u32;
                        let wait = self.period.sample(&mut self.draws[node as usize]);
                        self.agenda.after(wait, Event::Expired(node));
                    }
                    self.busy.clear();
                    return (self.agenda.now().as_secs(), size);
                }
            }
        }
    }

    /// The largest cluster of the last round: of each node's last busy period.
    fn largest(&self) -> u32 {
        self.company.iter().copied().max().unwrap_or_default()
    }
}

/// When, in rounds, the largest cluster first has these sizes, ascending.
fn rounds_to_sizes<const N: usize>(plan: &Plan, sizes: [usize; N], seed: u64) -> [f64; N] {
    let mut timers = Timers::new(plan, seed);
    let mut reached = [f64::NAN; N];
    let mut next = 0;
    while next < N {
        let (at, size) = timers.next_cluster();
        while next < N && size >= sizes[next] {
            reached[next] = at / plan.round();
            next += 1;
        }
    }
    reached
}

/// After how many rounds each node was alone the last time.
fn rounds_to_break(plan: &Plan, seed: u64) -> f64 {
    let mut timers = Timers::new(plan, seed);
    loop {
        let (at, _) = timers.next_cluster();
        if at > 2.0 * plan.round() && timers.largest() == 1 {
            return at / plan.round();
        }
    }
}

/// The mean of the largest cluster, as a share of the nodes, over the last of so many rounds.
fn state_after(plan: &Plan, rounds: u64, last: u64, seed: u64) -> f64 {
    let mut timers = Timers::new(plan, seed);
    let (mut next, mut sum) = (rounds - last, 0);
    loop {
        let (at, _) = timers.next_cluster();
        while at >= next as f64 * plan.round() {
            if next == rounds {
                return sum as f64 / last as f64 / f64::from(plan.nodes);
            }
            sum += timers.largest();
            next += 1;
        }
    }
}

/// The largest cluster of the last tenth of so many periods, as a share of the nodes.
pub fn largest_at_last(plan: &Plan, periods: f64, seed: u64) -> f64 {
    let mut timers = Timers::new(plan, seed);
    let (end, mut largest) = (periods * plan.tp, 0);
    loop {
        let (at, size) = timers.next_cluster();
        if at >= end {
            return largest as f64 / f64::from(plan.nodes);
        }
        if at >= 0.9 * end {
            largest = largest.max(size);
        }
    }
}

const SIMULATED: &str = "Floyd–Jacobson model, simulated (validation.md §5.1)";

fn simulated(value: f64, half: f64) -> Reference {
    known(value, half, SIMULATED)
}

/// What printing leaves of a value.
fn printed(value: f64, unit: f64) -> Reference {
    simulated(value, unit / 2.0)
}

/// From no order to one cluster of all twenty.
pub fn to_step(effort: Effort) -> Vec<Row> {
    /// Tr in Tc; rounds to 20, their half-width; to 5, 10 and 15; replications.
    const TABLE: [(f64, f64, f64, [f64; 3], u64); 4] = [
        (0.91, 2644.0, 245.0, [2209.0, 2585.0, 2619.0], 400),
        (1.0, 5914.0, 782.0, [3982.0, 5851.0, 5886.0], 400),
        (1.2, 38_229.0, 5_499.0, [14_441.0, 38_159.0, 38_196.0], 200),
        (1.4, 267_073.0, 35_361.0, [30_871.0, 266_992.0, 267_036.0], 60),
    ];
    let mut rows = Vec::new();
    for (tr, whole, half, parts, most) in TABLE.into_iter().filter(|row| effort.is_full() || row.0 < 1.0) {
        let plan = Plan::paper(20, tr, false);
        // The paper gives Tr = 0.1 s for the first.
        let plan = if tr == 0.91 { Plan { tr: 0.1, ..plan } } else { plan };
        let seen = replicate(&format!("to step {tr}"), effort.of(200, most), |seed| {
            rounds_to_sizes(&plan, [5, 10, 15, 20], seed)
        });
        for (place, size) in [5, 10, 15, 20].into_iter().enumerate() {
            let value = parts.get(place).copied().unwrap_or(whole);
            // The time to a part of the way has at most the half-width of the whole.
            let reference = simulated(value, half * value / whole);
            let what = format!("N = 20, Tr = {tr} Tc, out of step");
            let quantity = format!("rounds to a cluster of {size}");
            rows.push(mean_row(SYNCHRONISATION, &quantity, what, reference, &column(&seen, place)));
        }
    }
    rows
}

const SYNCHRONISATION: &str = "Synchronisation of timers";

/// From one cluster of all twenty to none.
pub fn out_of_step(effort: Effort) -> Vec<Row> {
    /// Tr in Tc; rounds, their half-width.
    const TABLE: [(f64, f64, f64); 9] = [
        (2.4, 9_856.0, 3_087.0),
        (2.5, 3_919.0, 887.0),
        (2.6, 1_686.0, 398.0),
        (2.7, 700.0, 176.0),
        (2.8, 419.0, 96.0),
        (3.0, 233.0, 39.0),
        (3.5, 112.0, 14.0),
        (4.0, 74.0, 8.0),
        (5.0, 55.0, 8.0),
    ];
    let row = |(tr, rounds, half): (f64, f64, f64)| {
        let plan = Plan::paper(20, tr, true);
        let what = format!("N = 20, Tr = {tr} Tc, in step");
        let seen = replicate(&what, effort.of(200, 400), |seed| rounds_to_break(&plan, seed));
        mean_row(SYNCHRONISATION, "rounds to no cluster", what, simulated(rounds, half), &seen)
    };
    let short = |tr: f64| (2.6..=3.0).contains(&tr);
    TABLE.into_iter().filter(|entry| effort.is_full() || short(entry.0)).map(row).collect()
}

/// After the paper's horizon of 80,000 rounds, from either beginning: the bistable band.
pub fn bistable(effort: Effort) -> Vec<Row> {
    /// Half the width of Wilson's interval of four of eight: where some of eight replications are in step.
    const OF_EIGHT: f64 = 0.29;
    let table = [
        (1.0, false, printed(1.0, 0.01)),
        (1.2, false, simulated(0.88, OF_EIGHT)),
        (1.4, false, simulated(0.42, OF_EIGHT)),
        (1.6, false, printed(0.07, 0.01)),
        (2.0, false, printed(0.07, 0.01)),
        (1.8, true, printed(0.9975, 0.005)),
        (2.0, true, printed(0.99, 0.01)),
        (2.2, true, simulated(0.41, OF_EIGHT)),
        (2.3, true, printed(0.07, 0.01)),
    ];
    let row = |(tr, in_step, reference): (f64, bool, Reference)| {
        let plan = Plan::paper(20, tr, in_step);
        let seen = replicate(&format!("{tr} {in_step}"), 24, |seed| state_after(&plan, 80_000, 1_000, seed));
        let from = if in_step { "in step" } else { "out of step" };
        let what = format!("N = 20, Tr = {tr} Tc, {from}, after 80,000 rounds");
        mean_row(SYNCHRONISATION, "largest cluster / N", what, reference, &seen)
    };
    table.into_iter().filter(|_| effort.is_full()).map(row).collect()
}

/// One node more: Tr = 0.3 s, from all in step.
pub fn one_node_more(effort: Effort) -> Vec<Row> {
    let table = [(20, 0.06), (22, 0.06), (24, 0.98), (26, 0.98)];
    let row = |(nodes, share): (u32, f64)| {
        let plan = Plan { nodes, tp: TP, tc: TC, tr: 0.3, in_step: true };
        let seen = replicate(&format!("{nodes} nodes"), effort.of(12, 24), |seed| {
            state_after(&plan, 80_000, 1_000, seed)
        });
        let what = format!("N = {nodes}, Tr = 2.73 Tc, in step, after 80,000 rounds");
        mean_row(SYNCHRONISATION, "largest cluster / N", what, printed(share, 0.01), &seen)
    };
    table.into_iter().filter(|entry| effort.is_full() || [22, 24].contains(&entry.0)).map(row).collect()
}

/// Fleets with a period of 15 minutes: between which jitters the lock breaks within ten days.
pub fn fleet_units(effort: Effort) -> Vec<Row> {
    /// Nodes, Tc, and Tr/(N·Tc) with which all stay in step, and with which they do not.
    const TABLE: [(u32, f64, f64, f64); 7] = [
        (50, 0.1, 0.1, 0.2),
        (100, 0.1, 0.1, 0.2),
        (100, 0.5, 0.2, 0.25),
        (200, 0.1, 0.2, 0.25),
        (200, 0.5, 0.25, 0.3),
        (400, 0.1, 0.25, 0.3),
        (400, 0.5, 0.3, 0.35),
    ];
    let mut rows = Vec::new();
    for (nodes, tc, locked, free) in TABLE.into_iter().filter(|row| effort.is_full() || row.0 == 100) {
        for (ratio, in_step) in [(locked, true), (free, false)] {
            let tr = ratio * f64::from(nodes) * tc;
            let plan = Plan { nodes, tp: 900.0, tc, tr, in_step: true };
            let held = replicate(&format!("{plan:?}"), effort.of(10, 40), |seed| {
                largest_at_last(&plan, 960.0, seed) > 0.5
            });
            let what = format!("N = {nodes}, Tp = 900 s, Tc = {tc} s, Tr = {ratio} N·Tc, 960 periods");
            let reference = (in_step, SIMULATED);
            rows.push(answer_row("Lock of a fleet", "share still in step", what, reference, &held));
        }
    }
    rows
}

#[test]
fn timers_fall_into_step_and_out_of_it() {
    assert_near(&to_step(Effort::Short), 0.35);
    assert_near(&out_of_step(Effort::Short), 0.35);
}

#[test]
fn one_node_more_keeps_all_in_step() {
    assert_near(&one_node_more(Effort::Short), 0.6);
}

#[test]
fn a_fleet_stays_in_step_below_its_threshold_only() {
    // A share of ten replications: its interval is as wide as it is.
    assert_near(&fleet_units(Effort::Short), 0.0);
}
