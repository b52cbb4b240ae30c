//! A central pooler between containers and a node: exact traces, the laws of the line before it, and what it
//! spares the node.
//!
//! On top of the fleet's round numbers ([`crate::kit`]) a trip on either side of the pooler takes 1 ms, a
//! message 1 ms of its CPU, a login 3 ms. Words of the pooler's own pool begin with `pooler:`.

use crate::books::audit;
use crate::kit::{assert_agrees, facts, fleet, load, on_time, outcomes, source, times, trace_in, word};
use herdsim::engine::time::Time;
use herdsim::experiment;
use herdsim::model::fact::{Close, Fact, Recorder};
use herdsim::scenario::Scenario;
use std::collections::VecDeque;

/// The number of the pooler's pool, after the service's.
const OF_POOLER: u16 = 1;

/// A pooler of one process with `pool` connections of its own.
fn pooler(mode: &str, pool: &str) -> String {
    format!(
        r#"
[postgres.primary.pooler]
mode            = "{mode}"
login_cpu       = "3ms"
message_cpu     = "1ms"
client_trip     = "1ms"
server_trip     = "1ms"
handshake_trips = 2
[postgres.primary.pooler.pool]
{pool}
"#
    )
}

/// Containers that keep `n` connections to the pooler.
fn clients(n: u32) -> String {
    format!("\"service.api.pool.primary.max\" = {n}\n\"service.api.pool.primary.min\" = {n}")
}

fn told(set: &str, more: &str, arrivals: &[u64]) -> Vec<(Time, Fact)> {
    on_time(&fleet(set, &format!("{}\n{more}", source("users", "sign-in", arrivals))), arrivals)
}

fn pool_of(fact: &Fact) -> Option<u16> {
    match *fact {
        Fact::AcquireQueued(pool)
        | Fact::AcquireDequeued(pool)
        | Fact::ConnectionAdopted { pool }
        | Fact::DialBegan(pool)
        | Fact::DialSucceeded(pool)
        | Fact::DialEnded(pool)
        | Fact::ConnectionAcquired(pool)
        | Fact::ConnectionReleased(pool)
        | Fact::IdleClosed(pool, _)
        | Fact::UsedClosed(pool, _) => Some(pool),
        _ => None,
    }
}

/// What happened since [`BEGIN`](crate::kit::BEGIN), but for the comings and goings of requests.
fn trace(facts: &[(Time, Fact)]) -> Vec<String> {
    const LEFT_OUT: [&str; 6] = ["wish", "fulfilled", "given-up", "handling+", "handling-", "event"];
    trace_in(facts, |fact| {
        let whose = if pool_of(fact) == Some(OF_POOLER) { "pooler:" } else { "" };
        let word = word(fact);
        (!LEFT_OUT.contains(&word.as_str())).then(|| format!("{whose}{word}"))
    })
}

/// How often a word was said since [`BEGIN`](crate::kit::BEGIN).
fn said(facts: &[(Time, Fact)], wanted: &str) -> usize {
    times(facts, wanted).len()
}

/// A statement goes by way of the pooler, which lends a connection for it and takes it back.
#[test]
fn one_request_by_way_of_the_pooler() {
    assert_eq!(
        trace(&told("", &pooler("transaction", "max = 1\nmin = 1"), &[0])),
        [
            "0: arrives",
            "2: acquire",
            "4: pooler:acquire",
            "5: work",
            "15: done",
            "17: pooler:release",
            "18: release ends:ok",
        ]
    );
}

/// A login takes the round trips of a dial and the pooler's CPU, and no backend: that is dialled for the
/// first statement, and stays for the next.
#[test]
fn two_transactions_share_one_connection_to_the_node() {
    let set = "\"initial\" = \"cold\"\n\"service.api.pool.primary.min\" = 0";
    let facts = told(set, &pooler("transaction", "max = 1"), &[0, 100]);
    assert_eq!(
        trace(&facts),
        [
            "0: arrives",
            "2: dial",
            "5: client+",
            "9: dialled",
            "11: pooler:dial",
            "14: line",
            "19: start:boot work",
            "39: done",
            "43: pooler:dialled",
            "44: work",
            "54: done",
            "56: pooler:release",
            "57: release ends:ok",
            "100: arrives",
            "102: acquire",
            "104: pooler:acquire",
            "105: work",
            "115: done",
            "117: pooler:release",
            "118: release ends:ok",
        ]
    );
}

/// BEGIN, the query and COMMIT are three round trips; the connection to the node is lent for all of them.
#[test]
fn a_transaction_holds_its_connection_from_begin_to_commit() {
    let set = r#""request.sign-in.steps" = [{ transaction = ["lookup"], on = "primary" }]"#;
    let facts = told(set, &pooler("transaction", "max = 1\nmin = 1"), &[0]);
    let held = (times(&facts, "acquire"), times(&facts, "release"));
    assert_eq!(held, (vec![0.0, 2.0], vec![27.0, 28.0]), "at the container and at the pooler");
}

/// Who thinks after an autocommitted query holds the container's connection and not the pooler's.
#[test]
fn thinking_outside_of_a_transaction_holds_no_connection_to_the_node() {
    let set = r#""request.sign-in.steps" = [{ query = "lookup", think = "50ms", on = "primary" }]"#;
    let facts = told(set, &pooler("transaction", "max = 1\nmin = 1"), &[0]);
    assert_eq!(times(&facts, "release"), [15.0, 66.0], "at the pooler, then at the container");
}

/// Three clients on one connection have it in turn. One thread handles their messages one after the other.
#[test]
fn clients_wait_in_turn() {
    let facts = told(&clients(3), &pooler("transaction", "max = 1\nmin = 1"), &[0, 0, 0]);
    assert_eq!(outcomes(&facts), ["ok"; 3]);
    assert_eq!(times(&facts, "ends"), [18.0, 31.0, 44.0]);
    assert_eq!((times(&facts, "waits"), times(&facts, "waited")), (vec![5.0, 6.0], vec![17.0, 30.0]));
}

/// A client that has waited for too long is disconnected; the others are not harmed.
#[test]
fn who_waits_too_long_is_disconnected() {
    let pool = "max = 1\nmin = 1\nacquire_timeout = \"10ms\"";
    let facts = told(&clients(3), &pooler("transaction", pool), &[0, 0, 0]);
    assert_eq!(times(&facts, "client-"), [15.0, 16.0]);
    assert_eq!(outcomes(&facts), ["connection-lost", "connection-lost", "ok"]);
    assert_eq!(times(&facts, "ends"), [16.0, 17.0, 18.0]);
    assert_eq!((said(&facts, "exit"), said(&facts, "start")), (0, 0), "the node notices nothing");
}

/// A client that hangs up while its statement runs takes the connection to the node along.
#[test]
fn a_client_that_hangs_up_on_a_statement_takes_the_connection_along() {
    let set = r#""service.api.pool.primary.query_timeout" = "5ms""#;
    let facts = told(set, &pooler("transaction", "max = 1\nmin = 1"), &[0]);
    assert_eq!(outcomes(&facts), ["query-timeout"]);
    assert_eq!((times(&facts, "client-"), times(&facts, "exit")), (vec![8.0], vec![9.0]));
}

/// A client that gives up its transaction and keeps its connection sends a rollback: the pooler has its own
/// connection back.
#[test]
fn a_transaction_that_is_given_up_is_rolled_back() {
    let set = "\"request.sign-in.timeout\" = \"40ms\"\n\"request.sign-in.steps\" = [{ transaction = \
               [\"lookup\"], think = \"50ms\", on = \"primary\" }]";
    let facts = told(set, &pooler("transaction", "max = 1\nmin = 1"), &[0, 200]);
    assert_eq!(outcomes(&facts), ["504", "504"]);
    assert_eq!(times(&facts, "release"), [40.0, 42.0, 240.0, 242.0]);
    assert_eq!((said(&facts, "exit"), said(&facts, "client-")), (0, 0));
}

/// When the node goes down its connections break, and with each the client that uses it; then both dial anew.
#[test]
fn a_node_that_restarts_breaks_what_is_under_way() {
    let restart = "[event.crash]\nat = \"1010ms\"\ndo = { restart = \"primary\" }";
    let more = format!("{}\n{restart}", pooler("transaction", "max = 1\nmin = 1"));
    let facts = told("", &more, &[0, 300]);
    assert_eq!(outcomes(&facts), ["connection-lost", "ok"]);
    assert_eq!((times(&facts, "client-"), times(&facts, "ends")[0]), (vec![11.0], 12.0));
    assert_eq!((said(&facts, "client+"), said(&facts, "start")), (1, 1), "one of each, for the second");
}

/// A process takes so many clients and no more.
#[test]
fn one_client_too_many_is_refused() {
    let more = pooler("transaction", "max = 1").replacen("login", "max_clients = 2\nlogin", 1);
    let set =
        "\"initial\" = \"cold\"\n\"service.api.pool.primary.min\" = 0\n\"service.api.pool.primary.max\" = 3";
    let facts = told(set, &more, &[0, 0, 0]);
    assert_eq!(outcomes(&facts), ["connect-refused", "ok", "ok"]);
    assert_eq!((said(&facts, "client+"), said(&facts, "client-refused"), said(&facts, "refuse")), (2, 1, 0));
}

/// Clients that have been there since before the run are counted among all, and do not log in again.
#[test]
fn a_steady_start_has_clients() {
    let more = pooler("transaction", "max = 4\nmin = 4").replacen("login", "max_clients = 3\nlogin", 1);
    let set = "\"service.api.pool.primary.max\" = 4\n\"service.api.pool.primary.min\" = 3";
    let facts = told(set, &more, &[0, 0, 0, 0]);
    let connected: Vec<Time> =
        facts.iter().filter(|(_, fact)| word(fact) == "client+").map(|(at, _)| *at).collect();
    assert_eq!(connected, [Time::ZERO; 3]);
    assert_eq!((said(&facts, "dial"), said(&facts, "client-refused")), (1, 1), "the fourth is one too many");
    assert_eq!(outcomes(&facts), ["connect-refused", "ok", "ok", "ok"]);
}

/// In session mode a client keeps what it was lent; when it closes, the connection is reset and serves the
/// next.
#[test]
fn a_session_ends_with_its_client() {
    let deploy = "[event.again]\nat = \"1100ms\"\ndo = { deploy = \"api\" }";
    let more = format!("{}\n{deploy}", pooler("session", "max = 1\nmin = 1"));
    let set = "\"duration\" = \"5s\"\n\"service.api.pool.primary.min\" = 0";
    let facts = told(set, &more, &[0, 2000]);
    assert_eq!(outcomes(&facts), ["ok", "ok"]);
    assert_eq!((said(&facts, "client+"), said(&facts, "client-")), (2, 1));
    assert_eq!((said(&facts, "start"), said(&facts, "exit")), (0, 0), "one backend for both");
    let set = clients(2) + "\n\"duration\" = \"5s\"";
    let more = pooler("session", "max = 1\nmin = 1\nacquire_timeout = \"100ms\"");
    let facts = told(&set, &more, &[0, 0]);
    assert_eq!(outcomes(&facts), ["ok", "connection-lost"], "the first does not let go");
}

/// Before the next session has it, a connection to the node is reset by one round trip.
#[test]
fn a_session_that_is_over_is_reset() {
    let deploy = "[event.again]\nat = \"1100ms\"\ndo = { deploy = \"api\" }";
    let more = format!("{}\n{deploy}", pooler("session", "max = 1\nmin = 1"));
    let facts = told("\"duration\" = \"5s\"\n\"service.api.pool.primary.min\" = 0", &more, &[0]);
    let (left, released) = (times(&facts, "client-"), times(&facts, "release"));
    assert_eq!((left.len(), released.len()), (1, 2), "the container's, and the pooler's");
    assert_eq!(released[1] - left[0], 3.0, "a trip each way, and the answer's millisecond of CPU");
}

/// Lifetimes of containers' connections are the pooler's affair: the node sees none of that herd.
#[test]
fn the_node_sees_no_herd_of_clients() {
    let set = clients(20)
        + "\n\"duration\" = \"60s\"\n\"service.api.pool.primary.max_lifetime\" = \"10s\"\n\
           \"service.api.pool.primary.sweep\" = { every = \"1s\" }\n\
           \"service.api.pool.primary.refill\" = \"to-min\"\n\"initial\" = \"cold\"";
    let facts = told(&set, &pooler("transaction", "max = 4\nmin = 4\nrefill = \"to-min\""), &[0]);
    let starts = facts.iter().filter(|(_, fact)| matches!(fact, Fact::BackendStarted { .. })).count();
    let clients = facts.iter().filter(|(_, fact)| matches!(fact, Fact::ClientConnected(_))).count();
    assert_eq!(starts, 4);
    assert!(clients >= 5 * 20, "they come back every lifetime: {clients}");
}

/// pools.md §4: of twenty connections of one age, one goes at once and one each lifetime / 20 later.
#[test]
fn closes_for_age_are_a_gap_apart() {
    let pool = "max = 20\nmin = 20\nrefill = \"to-min\"\nmax_lifetime = \"1h\"\nkill_gap = \"spread\"\n\
                birth = \"dial-start\"\nsweep = { every = \"333ms\" }";
    let set = "\"initial\" = \"cold\"\n\"duration\" = \"119m\"\n\"service.api.pool.primary.min\" = 0";
    let scenario =
        fleet(set, &format!("{}\n{}", source("users", "sign-in", &[0]), pooler("transaction", pool)));
    let closed = |(at, fact): &(Time, Fact)| {
        matches!(fact, Fact::IdleClosed(OF_POOLER, Close::Age)).then(|| at.as_secs())
    };
    let closes: Vec<f64> = facts(&scenario, 1).iter().filter_map(closed).collect();
    assert_eq!(closes.len(), 20);
    for (n, at) in closes.iter().enumerate() {
        let due = 3600.0 + 180.0 * n as f64;
        // Each is noticed at the next sweep, and the gap begins with it.
        assert!((due..=due + 0.4 * (n as f64 + 1.0)).contains(at), "close {n} at {at}");
    }
}

/// A further close puts the refill of a process off, if its pool is made like that; else each close has one.
#[test]
fn a_further_close_puts_the_refill_of_a_process_off() {
    let dials = |debounce: bool| {
        let pool = format!(
            "max = 3\nmin = 3\nrefill = \"to-min\"\nrefill_delay = \"500ms\"\n\
             refill_debounce = {debounce}\nquery_timeout = \"5ms\""
        );
        times(&told(&clients(2), &pooler("transaction", &pool), &[0, 300]), "dial")
    };
    assert_eq!(dials(true), [809.0, 809.0], "half a second after the last");
    assert_eq!(dials(false), [509.0, 509.0], "after the first, which finds two missing");
}

/// Waits for the pooler's own connections, from facts.
#[derive(Default)]
struct Waits {
    lent: f64,
    waiting: VecDeque<Time>,
    waited: f64,
}

impl Recorder for Waits {
    fn record(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::ConnectionAcquired(OF_POOLER) => self.lent += 1.0,
            Fact::AcquireQueued(OF_POOLER) => self.waiting.push_back(now),
            Fact::AcquireDequeued(OF_POOLER) => {
                // First come, first served: who leaves the line is who came first.
                self.waited += now.since(self.waiting.pop_front().expect("someone waits")).as_secs();
                self.lent += 1.0;
            }
            _ => {}
        }
    }
}

/// Transactions of exponential 10 ms over five connections that are busy 80 % of the time.
fn shared(secs: u32) -> Scenario {
    load(&format!(
        r#"
schema_version = 1
title    = "Shared connections"
duration = "{secs}s"
[postgres.primary]
cores = 8
[postgres.primary.pooler]
mode        = "transaction"
max_clients = 100000
message_cpu = "0s"
client_trip = "0s"
server_trip = "0s"
[postgres.primary.pooler.pool]
max = 5
min = 5
[service.api]
containers  = {{ min = 1, max = 1 }}
concurrency = 100000
[service.api.pool.primary]
max = 1000
min = 1000
[query.lookup]
cpu = "0s"
[request.sign-in]
service = "api"
steps   = [{{ transaction = ["lookup"], think = {{ exponential = "10ms" }}, on = "primary" }}]
[traffic.users]
request = "sign-in"
rate    = "400/s"
"#
    ))
}

/// Transaction pooling is M/M/c: the mean wait of five servers at 80 % is 0.554113 service times (Erlang C).
#[test]
fn transactions_wait_as_erlang_says() {
    let scenario = shared(200);
    let waits = (1..=10).map(|seed| {
        let waits = experiment::record(&scenario, seed, Waits::default());
        waits.waited / waits.lent
    });
    assert_agrees("wait for a connection to the node", &waits.collect::<Vec<_>>(), 0.554113 * 0.010, 0.1);
}

/// However many clients press, the node never has more backends than processes × `max`, and nothing is lost.
#[test]
fn the_node_has_no_more_backends_than_the_pooler_may_open() {
    let more = pooler("transaction", "max = 3\nacquire_timeout = \"30ms\"\nmax_lifetime = \"2s\"").replacen(
        "login",
        "processes = 2\nlogin",
        1,
    );
    let set = clients(40) + "\n\"duration\" = \"20s\"\n\"initial\" = \"cold\"";
    let users = "[traffic.users]\nrequest = \"sign-in\"\nrate = \"700/s\"";
    let scenario = fleet(&set, &format!("{users}\n{more}"));
    let (mut open, mut most) = (0, 0);
    for (_, fact) in facts(&scenario, 1) {
        match fact {
            Fact::DialBegan(OF_POOLER) => open += 1,
            Fact::DialEnded(OF_POOLER) | Fact::IdleClosed(OF_POOLER, _) | Fact::UsedClosed(OF_POOLER, _) => {
                open -= 1;
            }
            _ => {}
        }
        most = most.max(open);
    }
    assert_eq!(most, 6);
    let books = audit(&scenario, 1);
    assert!(books.outcomes["connection-lost"] > 0 && books.outcomes["ok"] > 1000, "{:?}", books.outcomes);
}

/// With one seed the same customers come and ask the same, with a pooler or without.
#[test]
fn a_pooler_changes_nobodys_luck() {
    let random = "\"query.lookup.cpu\" = { exponential = \"10ms\" }\n\"postgres.primary.cores\" = 100\n\
                  \"service.api.pool.primary.min\" = 50\n\"service.api.pool.primary.max\" = 50";
    let users = "[traffic.users]\nrequest = \"sign-in\"\nrate = \"40/s\"";
    let with = facts(&fleet(random, &format!("{users}\n{}", pooler("transaction", "max = 50\nmin = 50"))), 7);
    let without = facts(&fleet(random, users), 7);
    let came = |facts: &[(Time, Fact)]| {
        let arrival = |(at, fact): &(Time, Fact)| matches!(fact, Fact::RequestArrived { .. }).then_some(*at);
        facts.iter().filter_map(arrival).collect::<Vec<_>>()
    };
    assert_eq!(came(&with), came(&without));
    // On a node with cores for all, latency is the CPU that was drawn and the way; a pooler adds two trips
    // and its own CPU: 4 ms, where none waits for its thread.
    let latency = |facts: &[(Time, Fact)]| {
        let ends = facts.iter().filter_map(|(at, fact)| match fact {
            Fact::RequestEnded { latency, .. } => Some((at.0 - latency.0, latency.as_millis())),
            _ => None,
        });
        let mut ends: Vec<_> = ends.collect();
        ends.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
        ends
    };
    let (with, without) = (latency(&with), latency(&without));
    let both = with.iter().zip(&without).filter(|(one, other)| one.0 == other.0);
    let same = both.filter(|(one, other)| (one.1 - other.1 - 4.0).abs() < 1e-6).count();
    assert!(same * 10 > without.len() * 8, "{same} of {} differ by the way alone", without.len());
}
