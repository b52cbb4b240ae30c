//! Live changes, to the message and to the container; the whole table is in `tests/live`.
//!
//! | what changes | what happens |
//! |---|---|
//! | network trip | an answer sent later takes the new trip; a handshake under way goes on as it began |
//! | statement timeout, query cost | the statement under way keeps what it has; the next one has the new |
//! | cold CPU | from the next query of a backend that is still cold |
//! | concurrency, pool size | a container keeps what it had when it started |
//! | startup | from the next launch |
//! | containers | a fixed service follows at once, one that scales at its next tick ([`crate::scaling`]) |
//! | a node's cores | all but none of them stall what runs: it goes on where it stood |
//! | `until` | events within events: what lies beneath stands again |

use crate::kit::{story, times, trace};

/// An event so many milliseconds after the story begins.
fn event(name: &str, from: u64, until: Option<u64>, set: &str) -> String {
    let until = until.map_or(String::new(), |until| format!("until = \"{}ms\"", 1000 + until));
    format!("[event.{name}]\nat = \"{}ms\"\n{until}\nset = {{ {set} }}\n", 1000 + from)
}

const DEPLOY: &str = "[event.deploy]\nat = \"1200ms\"\ndo = { deploy = \"api\" }\n";

/// The trip of an answer is that of the instant at which it is sent.
#[test]
fn an_answer_takes_the_trip_of_its_own_time() {
    let slower = event("slower", 5, None, r#""network.database" = "4ms""#);
    assert_eq!(
        trace(&story("", &slower, &[0]))[2..],
        ["3: work", "5: event", "13: done", "17: release ends:ok fulfilled handling-"]
    );
}

/// A statement on its way arrives when it would have; the answer to a dial takes the new trip.
#[test]
fn a_handshake_under_way_goes_on_as_it_began() {
    let slower = event("slower", 3, None, r#""network.database" = "4ms""#);
    let facts = story(r#""service.api.pool.primary.min" = 0"#, &slower, &[0]);
    assert_eq!(times(&facts, "line"), [5.0], "three trips of a millisecond from 2");
    assert_eq!(times(&facts, "dialled"), [34.0], "ready at 30, and four for the news");
}

/// A statement under way keeps its limit and its cost; the next one has the new ones.
#[test]
fn a_statement_under_way_keeps_its_limit_and_its_cost() {
    let stricter = event("stricter", 4, None, r#""postgres.primary.statement_timeout" = "5ms""#);
    let facts = story("", &stricter, &[0, 100]);
    assert_eq!(times(&facts, "done"), [13.0, 108.0]);
    let dearer = event("dearer", 4, None, r#""query.lookup.cpu" = "30ms""#);
    assert_eq!(times(&story("", &dearer, &[0, 100]), "done"), [13.0, 133.0]);
}

/// Cold CPU counts from the next query of a backend that is still cold.
#[test]
fn cold_cpu_counts_from_the_next_cold_query() {
    let set = "\"service.api.pool.primary.min\" = 0\n\"postgres.primary.cold_queries\" = 2";
    let colder = event("colder", 50, None, r#""postgres.primary.cold_cpu" = "8ms""#);
    let facts = story(set, &colder, &[0, 100, 200]);
    let (began, ended) = (times(&facts, "work"), times(&facts, "done"));
    let took: Vec<f64> = began.iter().zip(ended).map(|(from, to)| to - from).collect();
    assert_eq!(took, [20.0, 10.0, 14.0, 10.0], "the start, a query before, a cold one, a warm one");
}

/// A container has the concurrency that it started with; after a deploy the new one takes more at once.
#[test]
fn concurrency_changes_with_the_containers_that_start_later() {
    let wider = event("wider", 0, None, r#""service.api.concurrency" = 2"#);
    let set = "\"service.api.concurrency\" = 1\n\"service.api.pool.primary.max\" = 2";
    let facts = story(set, &format!("{wider}{DEPLOY}"), &[50, 50, 400, 400]);
    assert_eq!(times(&facts, "pending+"), [50.0], "the second of two waits before the deploy, and not after");
}

/// A container has the pool that it started with; after a deploy the new one dials more.
#[test]
fn a_pool_grows_with_the_containers_that_start_later() {
    let larger = event("larger", 0, None, r#""service.api.pool.primary.max" = 2"#);
    let facts = story("", &format!("{larger}{DEPLOY}"), &[50, 50, 400, 400]);
    assert_eq!(times(&facts, "waits"), [52.0]);
    assert_eq!(times(&facts, "dial"), [402.0, 402.0]);
}

/// A container that is starting goes on as it began; the next launch takes the new time.
#[test]
fn startup_counts_from_the_next_launch() {
    let slower = event("slower", 250, None, r#""service.api.startup" = "500ms""#);
    let set = "\"service.api.containers\" = { min = 2, max = 2 }\n\"service.api.rollout\" = \"200ms\"";
    let facts = story(set, &format!("{slower}{DEPLOY}"), &[]);
    assert_eq!(times(&facts, "launch"), [200.0, 300.0]);
    assert_eq!(times(&facts, "serving"), [300.0, 800.0]);
}

/// An event within another lies on top; when each ends, what lies beneath stands again.
#[test]
fn events_within_events_give_back_what_lies_beneath() {
    let cpu = |cost: &str| format!("\"query.lookup.cpu\" = \"{cost}\"");
    let outer = event("outer", 50, Some(250), &cpu("20ms"));
    let inner = event("inner", 100, Some(200), &cpu("x2"));
    let facts = story("", &format!("{outer}{inner}"), &[60, 110, 210, 260]);
    let (began, ended) = (times(&facts, "work"), times(&facts, "done"));
    let took: Vec<f64> = began.iter().zip(ended).map(|(from, to)| to - from).collect();
    assert_eq!(took, [20.0, 40.0, 20.0, 10.0]);
}

/// A hundredth of a core for half a second is a stall: of what runs hardly anything gets done meanwhile (with
/// n0 = 10, 500 ms × 0.01 / 10.9 of it), and afterwards it goes on where it stood.
#[test]
fn a_hundredth_of_a_core_is_a_stall() {
    let stall = event("stall", 5, Some(505), r#""postgres.primary.cores" = 0.01"#);
    let done = times(&story("", &stall, &[0]), "done");
    assert_eq!(done.len(), 1);
    assert!((done[0] - (505.0 + 8.0 - 5.0 / 10.9)).abs() < 1e-3, "{done:?}");
}
