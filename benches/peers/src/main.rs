//! One workload on one simulator, timed: `peers WORKLOAD ENGINE [SEED]`, or `peers scaling`.
//!
//! The workloads are those of `benches/workloads`; herdsim's engine and the loop written by hand are taken
//! from there, and `on_desque` and `on_simcore` hold the same models as the authors of desque and simcore
//! write theirs in the examples of their crates. All draw from herdsim's random streams, so that they meet the
//! same customers and only the simulator differs. Prints `count seconds figure`; the figure is the mean time
//! in queues in seconds, for the hold model the simulated time, and for September the mean latency.

mod customers;
mod on_desque;
mod on_simcore;
#[allow(dead_code)]
#[path = "../../workloads/mod.rs"]
mod workloads;

use herdsim::engine::time::Span;
use herdsim::scenario::Scenario;
use std::process::ExitCode;
use std::time::Instant;
use workloads::{Outcome, hold, mmc, pool, september};

const CUSTOMERS: u64 = 1_000_000;
const FIRINGS: u64 = 5_000_000;
const LENGTH: Span = Span::from_secs(60);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // To read a scenario is not to simulate it.
    let september = september::scenario();
    let began = Instant::now();
    let simulated = |workload, engine, seed| simulate(workload, engine, seed, &september);
    let outcome = match words[..] {
        ["scaling"] => {
            scaling();
            return ExitCode::SUCCESS;
        }
        [workload, engine] => simulated(workload, engine, 1),
        [workload, engine, seed] => seed.parse().ok().and_then(|seed| simulated(workload, engine, seed)),
        _ => None,
    };
    let Some(Outcome { count, figure }) = outcome else {
        eprintln!("usage: peers mmc|hold-10k|hold-100k|pool herdsim|by-hand|desque|simcore [SEED]");
        eprintln!("       peers september herdsim|by-hand [SEED]");
        eprintln!("       peers scaling");
        return ExitCode::from(2);
    };
    println!("{count} {:.6} {figure:.9}", began.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}

/// `None`: no such workload or engine.
fn simulate(workload: &str, engine: &str, seed: u64, september: &Scenario) -> Option<Outcome> {
    Some(match (workload, engine) {
        ("mmc", "herdsim") => mmc::herdsim(seed, CUSTOMERS),
        ("mmc", "by-hand") => mmc::by_hand(seed, CUSTOMERS),
        ("mmc", "desque") => on_desque::mmc(seed, CUSTOMERS),
        ("mmc", "simcore") => on_simcore::mmc(seed, CUSTOMERS),
        ("pool", "herdsim") => pool::herdsim(seed, LENGTH),
        ("pool", "by-hand") => pool::by_hand(seed, LENGTH),
        ("pool", "desque") => on_desque::pool(seed, LENGTH),
        ("pool", "simcore") => on_simcore::pool(seed, LENGTH),
        ("september", "herdsim") => september::herdsim(september, seed),
        ("september", "by-hand") => september::by_hand(seed),
        ("hold-10k", engine) => holding(engine)?(seed, 10_000, FIRINGS),
        ("hold-100k", engine) => holding(engine)?(seed, 100_000, FIRINGS),
        _ => return None,
    })
}

type Hold = fn(seed: u64, pending: u32, firings: u64) -> Outcome;

fn holding(engine: &str) -> Option<Hold> {
    Some(match engine {
        "herdsim" => hold::herdsim,
        "by-hand" => hold::by_hand,
        "desque" => on_desque::hold,
        "simcore" => on_simcore::hold,
        _ => return None,
    })
}

/// Nanoseconds for each firing of the hold model against the number of pending events, as CSV. What it takes
/// to set the first timers is measured by itself and taken off; there are at least two firings a timer.
fn scaling() {
    println!("engine,pending,firings,ns_per_firing");
    for pending in [30, 100, 200, 250, 300, 500, 1_000, 10_000, 100_000, 1_000_000] {
        for engine in ["herdsim", "by-hand", "desque", "simcore"] {
            let run = holding(engine).expect("an engine of ours");
            let firings = u64::from(pending).max(1_000_000) * 2;
            let seconds = |firings| {
                let began = Instant::now();
                run(1, pending, firings);
                began.elapsed().as_secs_f64()
            };
            let ns = (seconds(firings) - seconds(0)) / firings as f64 * 1e9;
            println!("{engine},{pending},{firings},{ns:.1}");
        }
    }
}
