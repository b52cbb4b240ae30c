//! One workload, so many times as long: what `benches/check` counts the instructions of.
//!
//!     instructions NAME TIMES
//!
//! What is counted is the difference between two lengths, so that starting up costs nothing.

#![allow(missing_docs, dead_code)]

mod workloads;

use herdsim::engine::time::Span;
use workloads::stretch::{STRETCHES, Stretch};
use workloads::{hold, mmc, pool};

/// Prints how many customers (firings, requests) there were.
fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(name), Some(times)) = (arguments.next(), arguments.next().and_then(|times| times.parse().ok()))
    else {
        println!("instructions NAME TIMES: run by benches/check");
        return;
    };
    println!("{}", run(&name, times));
}

fn run(name: &str, times: u64) -> u64 {
    match name {
        "mmc" => mmc::herdsim(1, times * 50_000).count,
        "hold-10k" => hold::herdsim(1, 10_000, times * 100_000).count,
        "hold-100k" => hold::herdsim(1, 100_000, times * 100_000).count,
        "crowd" => hold::crowd(times * 20_000).count,
        "pool" => pool::herdsim(1, Span::from_secs(times * 5)).count,
        name => {
            let known = STRETCHES.iter().find(|stretch| stretch.name == name);
            let Some(known) = known else { panic!("there is no workload {name}") };
            let stretch = Stretch { from: 0, to: times * 10, ..*known };
            stretch.run(&stretch.load()).0
        }
    }
}
