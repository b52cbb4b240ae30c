//! Small scenarios and their exact traces: what one request does on its way, and which clock ends it how.
//!
//! Times are milliseconds; the fleet's round numbers and the words of a trace are in [`crate::kit`].

use crate::kit::{BEGIN, fleet, on_time, outcomes, seeded, source, story, times, trace};
use herdsim::engine::time::Span;
use herdsim::experiment::{self, trace};
use herdsim::measure::trace::Followed;
use herdsim::model::connection::ClientState;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// A request on a warm connection takes its application time, two trips and its query.
#[test]
fn one_request_on_a_warm_connection() {
    assert_eq!(
        trace(&story("", "", &[0])),
        [
            "0: wish arrives handling+",
            "2: acquire",
            "3: work",
            "13: done",
            "14: release ends:ok fulfilled handling-",
        ]
    );
}

/// Who works on the rows of a query holds its connection meanwhile.
#[test]
fn thinking_after_a_query_holds_the_connection() {
    let steps = r#""request.sign-in.steps" = [{ query = "lookup", think = "5ms", on = "primary" }]"#;
    assert_eq!(
        trace(&story(steps, "", &[0, 0])),
        [
            "0: wish arrives handling+ acquire wish arrives handling+ waits",
            "1: work",
            "11: done",
            "17: waited ends:ok fulfilled handling-",
            "18: work",
            "28: done",
            "34: release ends:ok fulfilled handling-",
        ]
    );
}

/// A dial takes all its round trips, the grant and the backend's start; then its request goes on.
#[test]
fn one_request_that_dials() {
    assert_eq!(
        trace(&story(r#""service.api.pool.primary.min" = 0"#, "", &[0])),
        [
            "0: wish arrives handling+",
            "2: dial",
            "5: line",
            "10: start:boot work",
            "30: done",
            "31: dialled",
            "32: work",
            "42: done",
            "43: release ends:ok fulfilled handling-",
        ]
    );
}

/// Who finds the pool full waits, and gets the connection at the instant of its release.
#[test]
fn a_full_pool_makes_a_waiter() {
    assert_eq!(
        trace(&story("", "", &[0, 0])),
        [
            "0: wish arrives handling+ wish arrives handling+",
            "2: acquire waits",
            "3: work",
            "13: done",
            "14: waited ends:ok fulfilled handling-",
            "15: work",
            "25: done",
            "26: release ends:ok fulfilled handling-",
        ]
    );
}

/// The acquire timeout ends the wait in line, and nothing else.
#[test]
fn acquire_timeout_ends_a_wait() {
    assert_eq!(
        trace(&story(r#""service.api.pool.primary.acquire_timeout" = "5ms""#, "", &[0, 0]))[2..],
        [
            "3: work",
            "7: waited ends:pool-timeout given-up handling-",
            "13: done",
            "14: release ends:ok fulfilled handling-",
        ]
    );
}

const IMPATIENT_DIAL: &str = r#"
"service.api.pool.primary.min" = 0
"service.api.pool.primary.acquire_timeout" = "12ms"
"#;

/// Where the acquire timeout is one of the line, who dials for itself may take longer (SQLAlchemy, Rails).
#[test]
fn a_timeout_of_the_line_leaves_the_dial_alone() {
    for (covers, outcome) in [("line-and-dial", "pool-timeout"), ("line", "ok")] {
        let set = format!(
            r#"
            "initial" = "cold"
            "service.api.pool.primary.min" = 0
            "service.api.pool.primary.acquire_timeout" = "5ms"
            "service.api.pool.primary.acquire_timeout_covers" = "{covers}"
            "#
        );
        assert_eq!(outcomes(&story(&set, "", &[0])), [outcome], "{covers}");
    }
}

/// The acquire timeout covers the dial; a detached dial completes and its connection goes idle.
#[test]
fn a_detached_dial_outlives_its_request() {
    assert_eq!(
        trace(&story(IMPATIENT_DIAL, "", &[0]))[3..],
        [
            "10: start:boot work",
            "14: ends:pool-timeout given-up handling-",
            "30: done",
            "31: dialled release"
        ]
    );
}

/// database/sql breaks off an inline dial with its request: what the server spends on the start is lost.
#[test]
fn an_aborted_dial_wastes_the_servers_start() {
    let set = format!("{IMPATIENT_DIAL}\"service.api.pool.primary.preset\" = \"database-sql\"");
    assert_eq!(
        trace(&story(&set, "", &[0]))[3..],
        ["10: start:boot work", "14: dial-ended ends:pool-timeout given-up handling-", "30: done exit"]
    );
}

/// The query timeout destroys the connection; the statement stops when the node hears of it, one trip later.
#[test]
fn query_timeout_destroys_the_connection() {
    assert_eq!(
        trace(&story(r#""service.api.pool.primary.query_timeout" = "5ms""#, "", &[0]))[1..],
        [
            "2: acquire",
            "3: work",
            "7: used-closed:broken ends:query-timeout given-up handling-",
            "8: done exit",
        ]
    );
}

/// The statement timeout is the node's: it answers with an error, and the connection is used again.
#[test]
fn statement_timeout_spares_the_connection() {
    let facts = story(r#""postgres.primary.statement_timeout" = "5ms""#, "", &[0, 100]);
    assert_eq!(
        trace(&facts)[1..],
        [
            "2: acquire",
            "3: work",
            "8: done",
            "9: release ends:statement-timeout given-up handling-",
            "100: wish arrives handling+",
            "102: acquire",
            "103: work",
            "108: done",
            "109: release ends:statement-timeout given-up handling-",
        ]
    );
}

/// The handler's own deadline ends with 504 and gives up what the request holds.
#[test]
fn request_timeout_gives_up_what_it_holds() {
    assert_eq!(
        trace(&story(r#""request.sign-in.timeout" = "8ms""#, "", &[0]))[1..],
        ["2: acquire", "3: work", "8: used-closed:broken ends:504 given-up handling-", "9: done exit"]
    );
    let facts = story(r#""request.sign-in.timeout" = "13500us""#, "", &[0, 4]);
    assert_eq!(
        trace(&facts)[4..],
        [
            "6: waits",
            "13: done",
            "13.500000: used-closed:broken waited dial ends:504 given-up handling-",
            "14.500000: exit",
            "16.500000: line",
            "17.500000: ends:504 given-up handling-",
            "21.500000: start:failure work",
            "41.500000: done",
            "42.500000: dialled release",
        ],
        "a deadline meets the answer on its way, and then a dial"
    );
}

/// The service's own limit ends with 504 and frees the place for who waits, while the work goes on.
#[test]
fn service_timeout_frees_the_place_while_the_work_goes_on() {
    let set = r#"
        "service.api.concurrency" = 1
        "service.api.request_timeout" = "8ms"
        "service.api.pool.primary.max" = 2
        "service.api.pool.primary.min" = 2
    "#;
    assert_eq!(
        trace(&story(set, "", &[0, 4])),
        [
            "0: wish arrives handling+",
            "2: acquire",
            "3: work",
            "4: wish arrives pending+",
            "8: ends:504 given-up handling- pending- handling+",
            "10: acquire",
            "11: work",
            "12: ends:504 given-up handling-",
            "13: done",
            "14: release",
            "21: done",
            "22: release",
        ]
    );
}

/// A client that leaves does not end the work: it holds its place and burns capacity to the end.
#[test]
fn patience_ends_while_the_work_goes_on() {
    let set = r#"
        "request.sign-in.patience" = "8ms"
        "service.api.concurrency" = 1
    "#;
    assert_eq!(
        trace(&story(set, "", &[0, 10]))[2..],
        [
            "3: work",
            "8: ends:client-timeout given-up",
            "10: wish arrives pending+",
            "13: done",
            "14: release handling- pending- handling+",
            "16: acquire",
            "17: work",
            "18: ends:client-timeout given-up",
            "27: done",
            "28: release handling-",
        ]
    );
}

/// A retry arrives after its backoff; the wish is fulfilled although a request failed.
#[test]
fn a_retry_fulfils_the_wish() {
    let set = r#"
        "service.api.pool.primary.acquire_timeout" = "5ms"
        "request.sign-in.retry" = { attempts = 3, backoff = "100ms", on = ["pool-timeout"] }
    "#;
    let users = source("users", "sign-in", &[0, 0]);
    let scenario = fleet(set, &users);
    assert_eq!(
        trace(&on_time(&scenario, &[0, 0]))[3..],
        [
            "7: waited ends:pool-timeout handling-",
            "13: done",
            "14: release ends:ok fulfilled handling-",
            "107: arrives:1 handling+",
            "109: acquire",
            "110: work",
            "120: done",
            "121: release ends:ok fulfilled handling-",
        ]
    );
    let two_arrive = |seed: &u64| outcomes(&crate::kit::facts(&scenario, *seed)).len() == 3;
    let seed = (1..1000).find(two_arrive).expect("some seed brings two requests");
    let run = experiment::run(&scenario, seed, &AtomicU64::new(0), &AtomicBool::new(false)).expect("a run");
    let class = &run.measured.classes[0];
    assert_eq!((class.arrived, class.ended[0]), (3, 2), "two of three requests succeed");
    assert_eq!(
        (class.users.arrived, class.users.succeeded, class.users.failed),
        (2, 2, 0),
        "every user does"
    );
}

/// Backoffs grow by their factor, and the wish is given up with the last attempt.
#[test]
fn backoff_grows_until_the_wish_is_given_up() {
    let set = r#"
        "postgres.primary.statement_timeout" = "5ms"
        "request.sign-in.retry" = { attempts = 3, backoff = "100ms", factor = 3, on = ["statement-timeout"] }
    "#;
    let facts = story(set, "", &[0]);
    assert_eq!(times(&facts, "arrives"), [0.0, 109.0, 418.0]);
    assert_eq!(times(&facts, "ends"), [9.0, 118.0, 427.0]);
    assert_eq!(times(&facts, "given-up"), [427.0]);
}

/// Who waits for a container longer than the pending deadline gets a 429.
#[test]
fn the_pending_deadline_ends_with_429() {
    let set = r#"
        "service.api.concurrency" = 1
        "service.api.pending_deadline" = "5ms"
    "#;
    assert_eq!(trace(&story(set, "", &[0, 1]))[1..4], ["1: wish arrives pending+", "2: acquire", "3: work"],);
    assert_eq!(trace(&story(set, "", &[0, 1]))[4], "6: pending- ends:429 given-up");
}

/// A transaction holds its connection from BEGIN to COMMIT, also while the application thinks.
#[test]
fn a_transaction_holds_its_connection_while_it_thinks() {
    let set = r#""request.sign-in.steps" =
        [{ transaction = ["lookup", "lookup"], think = "4ms", on = "primary" }]"#;
    let set = set.replace('\n', " ");
    assert_eq!(
        trace(&story(&set, "", &[0, 0]))[..7],
        [
            "0: wish arrives handling+ acquire wish arrives handling+ waits",
            "3: work",
            "13: done",
            "19: work",
            "29: done",
            "32: waited ends:ok fulfilled handling-",
            "35: work",
        ]
    );
}

/// A backend's cold caches cost its first queries an equal share each, and the later ones nothing.
#[test]
fn cold_cpu_is_spread_over_the_first_queries() {
    let set = r#"
        "service.api.pool.primary.min" = 0
        "postgres.primary.cold_cpu" = "12ms"
        "postgres.primary.cold_queries" = 3
    "#;
    let facts = story(set, "", &[0, 100, 200, 300]);
    let took: Vec<f64> =
        times(&facts, "work").iter().zip(times(&facts, "done")).map(|(from, to)| to - from).collect();
    assert_eq!(took, [20.0, 14.0, 14.0, 14.0, 10.0], "the start, three cold queries, a warm one");
}

/// A job burns CPU on so many sessions at once, every period.
#[test]
fn a_job_runs_at_its_times() {
    let more = r#"
        [job.cleanup]
        on    = "primary"
        first = "1s"
        every = "400ms"
        work  = { parallel = 3, cpu = "30ms" }
    "#;
    let facts = story("", more, &[]);
    assert_eq!(
        trace(&facts)[..2],
        [
            "0: job session+ work session+ work session+ work",
            "30: done session- done session- done session- job-done"
        ]
    );
    assert_eq!(times(&facts, "job"), [0.0, 400.0, 800.0, 1200.0, 1600.0], "not at the very end of the run");
}

/// A handler runs a failed query again on another connection, and sleeps meanwhile: it holds none, and keeps
/// no CPU busy, whoever scales by that.
#[test]
fn a_handler_sleeps_before_it_runs_a_query_again() {
    let set = r#"
        "service.api.scaler" = "hpa"
        "postgres.primary.statement_timeout" = "5ms"
    "#;
    let retry =
        "[request.sign-in.handler_retry]\nattempts = 2\nbackoff = \"10ms\"\non = [\"statement-timeout\"]\n";
    assert_eq!(
        trace(&story(set, retry, &[0]))[1..],
        [
            "2: acquire",
            "3: work",
            "8: done",
            "9: release",
            "19: acquire",
            "20: work",
            "25: done",
            "26: release ends:statement-timeout given-up handling-",
        ]
    );
}

/// The step that failed is run again, and none of those before it.
#[test]
fn a_handler_runs_the_last_step_again() {
    let set = r#"
        "postgres.primary.statement_timeout" = "15ms"
        "request.sign-in.steps" = [{ query = "lookup", on = "primary" }, { query = "slow", on = "primary" }]
    "#;
    let more = "[query.slow]\ncpu = \"20ms\"\n[request.sign-in.handler_retry]\nattempts = 2\n\
                backoff = \"10ms\"\non = [\"statement-timeout\"]\n";
    let facts = story(set, more, &[0]);
    assert_eq!(outcomes(&facts), ["statement-timeout"]);
    let works: Vec<f64> = times(&facts, "work");
    let done = times(&facts, "done");
    let took: Vec<f64> = done.iter().zip(&works).map(|(done, work)| done - work).collect();
    assert_eq!(took, [10.0, 15.0, 15.0], "the lookup, and the slow one twice");
}

/// Nobody runs a query again for a client that has left; and the handler's own deadline holds without it.
#[test]
fn a_client_that_has_left_is_worked_for_no_longer_than_the_deadline() {
    let retry =
        "[request.sign-in.handler_retry]\nattempts = 3\nbackoff = \"10ms\"\non = [\"statement-timeout\"]\n";
    let set = "\"postgres.primary.statement_timeout\" = \"5ms\"\n\"request.sign-in.patience\" = ";
    let works = |patience: &str| times(&story(&format!("{set}\"{patience}\""), retry, &[0]), "work").len();
    assert_eq!((works("1s"), works("7ms")), (3, 1));
    let set = "\"request.sign-in.patience\" = \"20ms\"\n\"request.sign-in.timeout\" = \"40ms\"\n\
               \"request.sign-in.steps\" = [{ app = \"200ms\" }]";
    let facts = story(set, "", &[0]);
    assert_eq!((times(&facts, "ends"), times(&facts, "handling-")), (vec![20.0], vec![40.0]));
}

/// Who waits for a container has no query yet that could be run again, though it fails with the same outcome.
#[test]
fn who_waits_for_a_container_has_nothing_to_run_again() {
    let set = r#"
        "service.api.concurrency" = 1
        "service.api.overload" = "500"
        "service.api.pending_deadline" = "5ms"
    "#;
    let retry = "[request.sign-in.handler_retry]\nattempts = 2\nbackoff = \"10ms\"\non = [\"500\"]\n";
    assert_eq!(outcomes(&story(set, retry, &[0, 1])), ["500", "ok"]);
}

/// Who gives up in the midst of the line leaves the order of the others as it is.
#[test]
fn who_leaves_the_line_is_passed_over() {
    let hasty = "[request.hasty]\nservice = \"api\"\npatience = \"3ms\"\nsteps = [{ app = \"2ms\" }]\n";
    let sources = [source("users", "sign-in", &[0, 1, 3]), source("hasty", "hasty", &[2])];
    let set = "\"service.api.concurrency\" = 1\n\"request.sign-in.steps\" = [{ app = \"10ms\" }]";
    let facts = on_time(&fleet(set, &format!("{hasty}{}", sources.concat())), &[0, 1, 2, 3]);
    assert_eq!(
        trace(&facts)[4..],
        [
            "5: ends:client-timeout given-up pending-",
            "10: ends:ok fulfilled handling- pending- handling+",
            "20: ends:ok fulfilled handling- pending- handling+",
            "30: ends:ok fulfilled handling-",
        ]
    );
}

/// A script may be as long as the grammar lets it: each of its ops has its turn.
#[test]
fn a_long_script_comes_to_its_end() {
    let step = "{ query = \"lookup\", on = \"primary\", times = 1000 }";
    let set = format!(
        "\"request.sign-in.steps\" = [{}]\n\"query.lookup.cpu\" = \"1us\"\n\"network.database\" = \"1us\"",
        [step; 23].join(", ")
    );
    assert_eq!(outcomes(&story(&set, "", &[0])), ["ok"]);
}

/// A traced window is its requests' story to the end, and everybody's only until the window is over: of a
/// connection that others use later nothing is noted before one of its own has it.
#[test]
fn after_a_window_only_its_own_requests_are_looked_at() {
    let arrivals = [0, 1];
    let scenario = fleet("", &source("users", "sign-in", &arrivals));
    let (seed, _) = seeded(&scenario, &arrivals);
    let ms = |ms: u64| BEGIN + Span::from_millis(ms);
    let trace = trace::trace(&scenario, seed, Followed::Window(ms(1), ms(2))).expect("it is short");
    let [request] = &trace.requests[..] else { panic!("one arrives in the window") };
    assert_eq!((request.left, trace.end), (Some(ms(26)), ms(26)));
    let [connection] = &trace.connections[..] else { panic!("the pool has one") };
    let states = connection.states.iter().map(|(at, state)| (*at, state.map(|state| state.client)));
    let mut changes: Vec<_> = states.collect();
    changes.dedup_by_key(|change| change.1);
    let (idle, in_use) = (Some(ClientState::Idle), Some(ClientState::InUse));
    assert_eq!(changes, [(ms(1), idle), (ms(2), None), (ms(14), in_use), (ms(26), None)]);
}
