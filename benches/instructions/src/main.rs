//! One workload, so many times as long: what `benches/check` counts the instructions of.
//!
//!     instructions NAME TIMES
//!
//! What is counted is the difference between two lengths, so that starting up costs nothing.

#[allow(dead_code)]
#[path = "../../workloads/mod.rs"]
mod workloads;

use herdsim::engine::time::Span;
use workloads::parts::{self, Device, Lender};
use workloads::stretch::{STRETCHES, Stretch};
use workloads::{fleet, hold, mmc, pool};

/// Prints how many customers (firings, requests) there were.
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = &words[..] else { panic!("instructions NAME TIMES: run by benches/check") };
    println!("{}", run(name, times.parse().expect("TIMES is a number")));
}

fn run(name: &str, times: u64) -> u64 {
    match name {
        "mmc" => mmc::herdsim(1, times * 50_000).count,
        "hold-10k" => hold::herdsim(1, 10_000, times * 100_000).count,
        "hold-100k" => hold::herdsim(1, 100_000, times * 100_000).count,
        "crowd" => hold::crowd(times * 20_000).count,
        "pool" => pool::herdsim(1, Span::from_secs(times * 5)).count,
        "sharing-10" => turns(times, Device::new(10), Device::turn),
        "sharing-100" => turns(times, Device::new(100), Device::turn),
        "sharing-1000" => turns(times, Device::new(1_000), Device::turn),
        "lending" => turns(times, Lender::new(10), Lender::turn),
        "histogram" => parts::histograms(times * 100_000),
        "locks" => {
            let fleet = fleet::fleet("lock = { rows = 2 }");
            (0..times).map(|_| fleet::tally(&fleet).arrived).sum()
        }
        name => {
            let known = STRETCHES.iter().find(|stretch| stretch.name == name);
            let Some(known) = known else { panic!("there is no workload {name}") };
            let stretch = Stretch { from: 0, to: times * 10, ..*known };
            // What is counted begins after ten seconds: so does the outage.
            let sooner = ["event.slow-disk.at=10s".to_owned()];
            let set: &[String] = if name == "march-during" { &sooner } else { &[] };
            stretch.run(&stretch.load_with(set)).0
        }
    }
}

/// So many turns of a part, by ten thousand.
fn turns<P>(times: u64, mut part: P, turn: fn(&mut P)) -> u64 {
    let turns = times * 10_000;
    (0..turns).for_each(|_| turn(&mut part));
    turns
}
