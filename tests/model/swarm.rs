//! A swarm of small random scenarios: whatever befalls a system, nothing is lost, and it comes to rest.
//!
//! Scenario number N is always the same one (see [`crate::swarm_scenario`]). Faults are over by the middle,
//! traffic has stopped by then, and every client gives up in the end: so what is left after the calm waits
//! for nothing, and has leaked. With devices traffic never stops, and only the books are balanced.

use crate::books::audit_all;
use crate::kit::load;
use crate::swarm_scenario::{CALM, Written, write};
use herdsim::scenario::grammar::Outcome;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What must be at zero when all is calm.
const AT_REST: [&str; 10] =
    ["wishes", "pending", "handling", "waiting", "dialling", "used", "line", "work", "lock line", "disk"];

/// The kinds of outcome that there were.
type Seen = BTreeSet<&'static str>;

/// What is wrong with a scenario's run, if anything. What is only under way as the run ends (a container that
/// leaves, a connection that is renewed, a long wait) is no longer there in one that ends later; what leaks
/// always is.
fn complaint(written: &Written, seed: u64, seen: &mut Seen) -> String {
    let mut wrong = String::new();
    for end in [CALM, "87s", "400s"] {
        wrong = left_over(written, end, seed, seen);
        if wrong.is_empty() {
            break;
        }
    }
    wrong
}

/// What is left over at the end of a run.
fn left_over(written: &Written, end: &str, seed: u64, seen: &mut Seen) -> String {
    let mut wrong = String::new();
    let toml = written.toml.replacen(CALM, end, 1);
    let (books, held) = audit_all(&load(&toml), seed);
    seen.extend(books.outcomes.keys());
    if !written.calms {
        return wrong;
    }
    let mut expect = |what: &str, seen: i64, wanted: i64| {
        if seen != wanted {
            writeln!(wrong, "{what}: {seen} where there should be {wanted}, at {end}").expect("text");
        }
    };
    for level in AT_REST {
        // Who has a session keeps a connection to the node for as long as it is open.
        if level != "used" || !written.sessions {
            expect(level, books.level(level), 0);
        }
    }
    expect("records of requests", held.requests as i64, 0);
    expect("locked rows", held.rows as i64, 0);
    let (with_backend, to_poolers) = (books.connections(true), books.connections(false));
    expect("records of connections", held.connections as i64, with_backend + to_poolers);
    expect("clients of poolers", books.level("clients"), to_poolers);
    let backends = books.level("backends");
    // An idle connection whose end was lost is only noticed when it is used or grows old.
    expect("backends", backends, if written.renews { with_backend } else { backends.min(with_backend) });
    wrong
}

/// Runs scenarios by number, and shows each that is not right, to be run again.
fn swarm(numbers: std::ops::Range<u64>) {
    let (mut report, mut seen) = (String::new(), Seen::new());
    for number in numbers {
        let written = write(number);
        let seed = number + 1;
        let wrong =
            catch_unwind(AssertUnwindSafe(|| complaint(&written, seed, &mut seen))).unwrap_or_else(|panic| {
                let said = panic.downcast_ref::<String>().cloned();
                said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()))
                    .unwrap_or_else(|| "it panics".to_owned())
            });
        if !wrong.is_empty() {
            writeln!(report, "# scenario {number}, seed {seed}\n{wrong}\n{}", written.toml).expect("text");
        }
    }
    assert!(report.is_empty(), "{report}");
    for outcome in Outcome::ALL {
        assert!(seen.contains(outcome.name()), "no request ended with {}: {seen:?}", outcome.name());
    }
}

#[test]
fn numbers_0_to_249_come_to_rest() {
    swarm(0..250);
}

#[test]
fn numbers_250_to_499_come_to_rest() {
    swarm(250..500);
}

#[test]
fn numbers_500_to_749_come_to_rest() {
    swarm(500..750);
}

#[test]
fn numbers_750_to_999_come_to_rest() {
    swarm(750..1000);
}

#[test]
fn numbers_1000_to_1249_come_to_rest() {
    swarm(1000..1250);
}

#[test]
fn numbers_1250_to_1499_come_to_rest() {
    swarm(1250..1500);
}
