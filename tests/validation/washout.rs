//! Wash-out without coupling: how a herd is forgotten when nothing holds it together.
//!
//! One pool of one connection for each slot, all born at once; each lifetime is drawn by herdsim's pool, and
//! nothing takes time. The order parameter is herdsim's measure of it. After n generations of jitter it is
//! |sinc|ⁿ, for symmetric and additive jitter alike; a jitter that is drawn once for each slot washes out as
//! |sinc(n)|. Jitter that is drawn again at every check hardly is one: the least draw wins (Rayleigh).

use crate::kit::{Effort, Reference, Row, assert_near, column, exact, known, mean_row, replicate};
use herdsim::engine::chance::Stream;
use herdsim::engine::slab::{Id, Slab};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment::statistics::{mean, quantile_interval};
use herdsim::measure::phases::Phases;
use herdsim::model::ConnectionId;
use herdsim::model::connection::{Connection, Leg};
use herdsim::model::pool::{Action, Home, Pool};
use herdsim::model::request::{Origin, Request};
use herdsim::scenario::grammar::{self, JitterScope, JitterShape};
use herdsim::scenario::units::Width;
use std::f64::consts::FRAC_2_PI;
use std::sync::Arc;

/// The plain lifetime.
const LIFETIME: Span = Span::from_secs(900);

/// A pool of one connection, and who uses it now and then.
struct Slot {
    pool: Pool,
    wires: Slab<Connection>,
    visitor: Id<Request>,
    connection: ConnectionId,
    actions: Vec<Action>,
}

/// The settings of such a pool.
fn settings(jitter: Span, shape: JitterShape, scope: JitterScope) -> Arc<grammar::Pool> {
    let plain = r#"
schema_version = 1
title    = "A slot"
duration = "1h"
[postgres.primary]
cores = 1
[service.api]
containers = { min = 1, max = 1 }
[service.api.pool.primary]
max           = 1
max_lifetime  = "15m"
check_acquire = true
check_release = false
[request.ping]
service = "api"
steps   = [{ app = "1ms" }]
[traffic.users]
request = "ping"
rate    = "1/s"
"#;
    let file = crate::kit::load(plain).file;
    let mut settings = file.service["api"].pool["primary"].clone();
    settings.max_lifetime_jitter = Width::Span(jitter);
    (settings.jitter_shape, settings.jitter_scope) = (shape, scope);
    Arc::new(settings)
}

impl Slot {
    /// A slot whose connection is born now.
    fn new(settings: &Arc<grammar::Pool>, luck: Stream) -> Slot {
        let home = Home { service: 0, container: Id::NONE, place: 0, node: 0, number: 0, leg: Leg::Direct };
        let visitor = Slab::default().insert(Origin::default().request(Time::ZERO, luck, 0, 0));
        let pool = Pool::new(home, settings.clone(), luck);
        let (wires, connection, actions) = (Slab::default(), Id::NONE, Vec::new());
        let mut slot = Slot { pool, wires, visitor, connection, actions };
        slot.visit(Time::ZERO);
        slot
    }

    /// Somebody takes the connection and gives it back at once. True if it was replaced.
    fn visit(&mut self, now: Time) -> bool {
        let before = self.connection;
        self.pool.acquire(now, &mut self.wires, self.visitor, &mut self.actions);
        while let Some(action) = self.actions.pop() {
            match action {
                Action::Shut(connection, ..) => drop(self.wires.remove(connection)),
                Action::Dial(connection) => {
                    self.pool.dialled(now, &mut self.wires, connection, &mut self.actions);
                }
                Action::Give { connection, .. } => self.connection = connection,
                _ => {}
            }
        }
        self.pool.release(now, &mut self.wires, self.connection, false, &mut self.actions);
        self.actions.clear();
        self.connection != before
    }

    /// The birth of the next generation: a visitor comes as soon as the lifetime is over.
    fn next_birth(&mut self) -> Time {
        let due = self.wires[self.connection].client.expires + Span(1);
        assert!(self.visit(due), "what has expired is replaced");
        due
    }
}

/// Slots whose connections were all born at once.
fn fleet(n: usize, settings: &Arc<grammar::Pool>, seed: u64) -> Vec<Slot> {
    let luck = Stream::root(seed).named("slot");
    (0..n as u64).map(|slot| Slot::new(settings, luck.at(slot))).collect()
}

/// R of some births at their mean period.
fn order(births: &mut [Time], period: Span) -> f64 {
    births.sort_unstable();
    Phases::around(births, period).measure(Time::ZERO).phase_lock_r1
}

/// The square of R after so many generations, without what chance adds to it with so many slots.
fn order_squared(n: usize, settings: &Arc<grammar::Pool>, period: Span, generations: u32, seed: u64) -> f64 {
    let mut slots = fleet(n, settings, seed);
    let mut births = Vec::new();
    for _ in 0..generations {
        births = slots.iter_mut().map(Slot::next_birth).collect();
    }
    let r = order(&mut births, period);
    let n = n as f64;
    (n * r * r - 1.0) / (n - 1.0)
}

/// |sinc| at one generation: Tr/Tp, and the value as tabulated.
const SINC: [(f64, f64); 7] = [
    (0.01, 0.999342),
    (0.025, 0.995893),
    (0.05, 0.983632),
    (0.10, 0.935489),
    (0.15, 0.858394),
    (0.25, FRAC_2_PI),
    (0.50, 0.0),
];

const CASE: &str = "Wash-out without coupling";

/// R² after generations of jitter, for both shapes, and for a jitter that each slot keeps.
pub fn order_parameter(effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    let replications = effort.of(200, 2000);
    let mut row = |what: String, settings: Arc<grammar::Pool>, period: Span, n: u32, r: Reference| {
        let what = format!("{what}, n = {n}");
        let seen = replicate(&what, replications, |seed| order_squared(100, &settings, period, n, seed));
        rows.push(mean_row(CASE, "R²", what, r, &seen));
    };
    for (f, sinc) in SINC.into_iter().filter(|entry| effort.is_full() || [0.1, 0.25].contains(&entry.0)) {
        let tr = LIFETIME.scale(f);
        for n in [1, 10] {
            let r = exact(libm::pow(sinc, f64::from(2 * n)), "|sinc(2πf)|ⁿ");
            let symmetric = settings(tr, JitterShape::Symmetric, JitterScope::Connection);
            row(format!("symmetric, f = {f}"), symmetric, LIFETIME, n, r);
        }
    }
    // Additive jitter J: the mean period is L + J/2, rho its share of that; sinc(pi·rho) as for f = rho/2.
    for (rho, n, r) in [(0.2, 5, 0.935489), (0.1, 140, 0.983632)].into_iter().take(effort.of(1, 2)) {
        let jitter = LIFETIME.scale(rho / (1.0 - rho / 2.0));
        let additive = settings(jitter, JitterShape::Additive, JitterScope::Connection);
        let r = exact(libm::pow(r, f64::from(2 * n)), "|sinc(πρ)|ⁿ");
        row(format!("additive, rho = {rho}"), additive, LIFETIME + jitter.scale(0.5), n, r);
    }
    // Each slot keeps its draw: phases drift apart in proportion, |sinc(2πnf)|; values from the table above.
    for (f, n, sinc) in [(0.01, 5, 0.983632), (0.05, 5, FRAC_2_PI), (0.025, 10, FRAC_2_PI)] {
        let kept = settings(LIFETIME.scale(f), JitterShape::Symmetric, JitterScope::Process);
        let r = exact(sinc * sinc, "|sinc(2πnf)|");
        row(format!("drawn once for each slot, f = {f}"), kept, LIFETIME, n, r);
    }
    rows
}

/// Rounds until a Rayleigh test no longer sees a herd of a hundred.
pub fn rounds_to_forget(effort: Effort) -> Vec<Row> {
    let table =
        [(0.01, 2572.0), (0.025, 450.0), (0.05, 110.0), (0.10, 28.2), (0.15, 12.7), (0.25, 4.4), (0.5, 1.1)];
    let row = |(f, rounds): (f64, f64)| {
        let settings = settings(LIFETIME.scale(f), JitterShape::Symmetric, JitterScope::Connection);
        let seen = replicate(&format!("forget {f}"), effort.of(50, 200), |seed| {
            let mut slots = fleet(100, &settings, seed);
            let forgets = |slots: &mut Vec<Slot>| {
                let mut births: Vec<Time> = slots.iter_mut().map(Slot::next_birth).collect();
                let r = order(&mut births, LIFETIME);
                herdsim::measure::phases::rayleigh_p(100, r) > 0.05
            };
            (1..).find(|_| forgets(&mut slots)).map_or(f64::NAN, f64::from)
        });
        // The reference has twenty replications and no interval; its spread is taken to be ours.
        let centre = mean(&seen);
        let spread = seen.iter().map(|x| (x - centre) * (x - centre)).sum::<f64>() / (seen.len() - 1) as f64;
        let reference = known(rounds, 2.093 * (spread / 20.0).sqrt(), "20 replications (validation.md §5.1)");
        mean_row(CASE, "rounds until p > 0.05", format!("N = 100, f = {f}"), reference, &seen)
    };
    table.into_iter().filter(|entry| effort.is_full() || entry.0 == 0.1).map(row).collect()
}

/// Lifetimes with a jitter that is drawn again at every check: their mean overage and their spread.
fn redrawn(jitter: Span, every: Span, seed: u64) -> [f64; 2] {
    const LIVES: usize = 1000;
    let settings = settings(jitter, JitterShape::Additive, JitterScope::Check);
    let luck = Stream::root(seed).named("slot");
    let mut lives = Vec::with_capacity(LIVES);
    for life in 0..LIVES as u64 {
        let mut slot = Slot::new(&settings, luck.at(life));
        // No check before the plain lifetime can find it expired: begin there, at a random phase.
        let mut now = Time::ZERO + LIFETIME + every.scale(luck.at(life).named("phase").draws().unit());
        while !slot.visit(now) {
            now += every;
        }
        lives.push(now.as_secs());
    }
    let centre = mean(&lives);
    let spread = lives.iter().map(|x| (x - centre) * (x - centre)).sum::<f64>() / (LIVES - 1) as f64;
    [centre - LIFETIME.as_secs(), spread.sqrt()]
}

/// Jitter that is drawn at every check: the overage, and the spread of lifetimes by the time between checks.
pub fn drawn_at_every_check(effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    let replications = effort.of(10, 40);
    let secs = Span::from_secs_f64;
    let seen = replicate("overage", replications, |seed| redrawn(secs(60.0), secs(0.1), seed));
    for reference in
        [exact(3.0700, "√(πJ/2r), the limit of many checks"), known(3.09, 0.02, "Monte Carlo (pools.md §3b)")]
    {
        let what = "J = 60 s, 10 checks/s".to_owned();
        rows.push(mean_row(CASE, "mean overage [s]", what, reference, &column(&seen, 0)));
    }
    if effort == Effort::Short {
        rows.remove(0);
    }
    for (every, spread, unit) in
        [(0.05, 1.35, 0.01), (0.5, 4.26, 0.01), (5.0, 12.0, 0.1), (30.0, 24.0, 0.1), (60.0, 31.1, 0.1)]
    {
        let seen =
            replicate(&format!("every {every}"), replications, |seed| redrawn(secs(90.0), secs(every), seed));
        let what = format!("J = 90 s, a check every {every} s");
        let reference = known(spread, f64::max(unit, 0.01 * spread), "Monte Carlo (validation.md §7)");
        rows.push(mean_row(CASE, "sd of lifetimes [s]", what, reference, &column(&seen, 1)));
    }
    rows
}

/// R of independent phases: its mean, and what one in a hundred exceeds.
pub fn independent(effort: Effort) -> Vec<Row> {
    let table = [
        (20, 0.198, 0.480),
        (50, 0.125, 0.304),
        (100, 0.0886, 0.215),
        (200, 0.0627, 0.152),
        (400, 0.0443, 0.107),
    ];
    let mut rows = Vec::new();
    for (n, expected, bound) in table.into_iter().filter(|entry| effort.is_full() || entry.0 == 100) {
        let seen = replicate(&format!("{n} phases"), effort.of(2_000, 20_000), |seed| {
            let mut draws = Stream::root(seed).draws();
            let mut births: Vec<Time> = (0..n).map(|_| Time(draws.below(LIFETIME.0))).collect();
            order(&mut births, LIFETIME)
        });
        let what = format!("N = {n} independent phases");
        let unit = if n < 100 { 0.001 } else { 0.0001 };
        let reference = known(expected, unit / 2.0, "√(π/4N)");
        rows.push(mean_row(CASE, "mean R", what.clone(), reference, &seen));
        let (low, high) = quantile_interval(&seen, 0.99, 0.95).expect("many values");
        let (least, most) = quantile_interval(&seen, 0.99, 0.999).expect("many values");
        let mut sorted = seen.clone();
        sorted.sort_by(f64::total_cmp);
        rows.push(Row {
            case: CASE,
            quantity: "99 % of R below".to_owned(),
            parameters: what,
            reference: known(bound, 0.0005, "√(ln 100/N)"),
            value: sorted[seen.len() * 99 / 100],
            interval: (low, high),
            wide: (least, most),
            replications: seen.len(),
            is_answer: false,
        });
    }
    rows
}

#[test]
fn a_herd_is_forgotten_as_sinc_to_the_n() {
    assert_near(&order_parameter(Effort::Short), 0.25);
    assert_near(&rounds_to_forget(Effort::Short), 0.35);
}

#[test]
fn jitter_that_is_drawn_at_every_check_hardly_spreads() {
    assert_near(&drawn_at_every_check(Effort::Short), 0.1);
}

#[test]
fn independent_phases_have_the_expected_order() {
    assert_near(&independent(Effort::Short), 0.2);
}
