//! What a live change does to work in flight: the table of the design, each line a test.
//!
//! | what changes | what happens |
//! |---|---|
//! | cores, contention | the jobs on the CPU keep what they have attained and go on at the new rate |
//! | grant | the grant under way ends as it began; the next one is of the new kind |
//! | start cost | from the next backend start |
//! | query cost | from the next statement |
//! | statement timeout | from the next statement |
//! | network trip | from the next message |
//! | traffic rate | what is left of the pending gap is spent at the new rate |
//! | pool | through containers started later, so with the next deploy |
//! | job or traffic enabled | a run under way goes on to its end, the next does not begin; arrivals cease at once |
//! | `until` | what lies beneath stands again, and acts in the same way |

use herdsim::engine::time::Time;
use herdsim::experiment;
use herdsim::model::fact::Fact;
use herdsim::scenario::Document;

type Facts = Vec<(Time, Fact)>;

/// One container, one roomy node, no chance but in arrivals; `more` is laid over it as `--set` would.
fn facts(set: &[&str], more: &str) -> Facts {
    let text = format!(
        r#"
schema_version = 1
title    = "live"
duration = "60s"
initial  = "cold"
[network]
database = "1ms"
[postgres.primary]
cores      = 64
contention = 1000000
cold_cpu   = "0s"
start_cpu  = "10ms"
grant      = {{ fast = {{ base = "1ms" }} }}
handshake_trips = 1
[service.api]
containers = {{ min = 1, max = 1 }}
rollout    = "1s"
startup    = "1s"
[service.api.pool.primary]
max = 50
[query.read]
cpu = "3s"
[request.get]
service = "api"
steps   = [{{ query = "read", on = "primary" }}]
[traffic.users]
request = "get"
rate    = "1/s"
{more}"#
    );
    let file = std::env::temp_dir().join(format!("herdsim-live-{}-{}.toml", std::process::id(), next()));
    std::fs::write(&file, text).expect("a scratch file");
    let set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
    let loaded = Document::load(&file, &[], &set);
    std::fs::remove_file(&file).expect("a scratch file");
    let (document, _) = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    experiment::record(document.scenario("as-written").expect("the file itself"), 1, Facts::new())
}

/// A number for each scratch file of this process.
fn next() -> u32 {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// The seconds at which such a fact was stated.
fn times(facts: &Facts, such: impl Fn(&Fact) -> bool) -> Vec<f64> {
    facts.iter().filter(|(_, fact)| such(fact)).map(|(at, _)| at.as_secs()).collect()
}

fn close(seen: f64, expected: f64) {
    assert!((seen - expected).abs() < 1e-5, "seen {seen}, expected {expected}");
}

const QUIET: &str = "traffic.users.rate=0/s";

fn job(parallel: u32, event: &str) -> String {
    format!(
        "[job.sum]\non = \"primary\"\nevery = \"50s\"\nfirst = \"10s\"\n\
             work = {{ parallel = {parallel}, cpu = \"4s\" }}\n{event}"
    )
}

fn job_ended(facts: &Facts) -> f64 {
    times(facts, |fact| matches!(fact, Fact::JobEnded(_)))[0]
}

#[test]
fn fewer_cores_re_rate_the_work_under_way() {
    let event = "[event.cut]\nat = \"12s\"\nset = { \"postgres.primary.cores\" = 0.5 }";
    // Two seconds at full speed, two at half.
    close(job_ended(&facts(&[QUIET, "postgres.primary.cores=1"], &job(1, event))), 10.0 + 2.0 + 4.0);
    close(job_ended(&facts(&[QUIET, "postgres.primary.cores=1"], &job(1, ""))), 14.0);
}

#[test]
fn contention_re_rates_the_work_under_way() {
    let event = "[event.crowd]\nat = \"12s\"\nset = { \"postgres.primary.contention\" = 1 }";
    // Two jobs share a core; with n0 = 1 they go on at 1/2 of a half: 1 s done of 4, 3 s left at a quarter.
    let seen = job_ended(&facts(&[QUIET, "postgres.primary.cores=1"], &job(2, event)));
    close((seen * 1e3).round() / 1e3, 12.0 + 12.0);
}

#[test]
fn what_was_set_until_a_time_is_given_back() {
    let event = "[event.cut]\nat = \"12s\"\nuntil = \"14s\"\nset = { \"postgres.primary.cores\" = 0.5 }";
    // 2 s done, 1 s in two, 1 s at full speed.
    close(job_ended(&facts(&[QUIET, "postgres.primary.cores=1"], &job(1, event))), 15.0);
}

#[test]
fn the_grant_under_way_ends_as_it_began() {
    let event = "[event.upgrade]\nat = \"1s\"\n\
                 set = { \"postgres.primary.grant\" = { fast = { base = \"5s\" } } }";
    let set = [
        QUIET,
        "postgres.primary.grant={ fast = { base = '2s' } }",
        "service.api.pool.primary.min=3",
        "service.api.pool.primary.refill=to-min",
    ];
    let started = times(&facts(&set, event), |fact| matches!(fact, Fact::BackendStarted { .. }));
    let arrived = 0.001;
    assert_eq!(started.len(), 3);
    close(started[0], arrived + 2.0);
    close(started[1], arrived + 7.0);
    close(started[2], arrived + 12.0);
}

#[test]
fn a_start_cost_counts_from_the_next_start() {
    let event = "[event.slow]\nat = \"3s\"\nset = { \"postgres.primary.start_cpu\" = \"20s\" }";
    let set = [
        QUIET,
        "postgres.primary.grant={ fast = { base = '2s' } }",
        "postgres.primary.start_cpu=5s",
        "service.api.pool.primary.min=2",
        "service.api.pool.primary.refill=to-min",
    ];
    let ready = times(&facts(&set, event), |fact| matches!(fact, Fact::DialSucceeded(_)));
    close(ready[0], 0.001 + 2.0 + 5.0 + 0.001);
    close(ready[1], 0.001 + 4.0 + 20.0 + 0.001);
}

/// How long each statement was on the CPU, by when it began. Starts last 10 ms and are left out.
fn statements(facts: &Facts) -> Vec<(f64, f64)> {
    // With as many cores as jobs nothing overtakes a job of the same length: the n-th to begin of a length is
    // the n-th to end. Lengths are told apart by matching each end with the beginning that lies a known
    // length before.
    let began = times(facts, |fact| matches!(fact, Fact::WorkBegan(_)));
    let ended = times(facts, |fact| matches!(fact, Fact::WorkEnded(_)));
    let mut pairs = Vec::new();
    for end in ended {
        for length in [1.0, 3.0] {
            if let Some(begin) = began.iter().find(|begin| (end - *begin - length).abs() < 1e-6) {
                pairs.push((*begin, length));
            }
        }
    }
    pairs
}

#[test]
fn a_query_cost_counts_from_the_next_statement() {
    let event = "[event.tuned]\nat = \"30s\"\nset = { \"query.read.cpu\" = \"1s\" }";
    let statements = statements(&facts(&[], event));
    assert!(
        statements.iter().any(|(begin, length)| *begin < 30.0 && begin + length > 30.0),
        "one is under way"
    );
    assert!(statements.len() > 30);
    for (begin, length) in statements {
        // It was drawn when it was sent, a trip earlier.
        assert_eq!(length, if begin - 0.001 < 30.0 { 3.0 } else { 1.0 }, "begun at {begin}");
    }
}

#[test]
fn a_statement_timeout_counts_from_the_next_statement() {
    let event = "[event.strict]\nat = \"30s\"\nset = { \"postgres.primary.statement_timeout\" = \"1s\" }";
    let facts = facts(&[], event);
    let statements = statements(&facts);
    assert!(
        statements.iter().any(|(begin, length)| *begin < 30.0 && begin + length > 30.0),
        "one is under way"
    );
    for (begin, length) in statements {
        assert_eq!(length, if begin < 30.0 { 3.0 } else { 1.0 }, "begun at {begin}");
    }
}

#[test]
fn a_network_trip_counts_from_the_next_message() {
    let event = "[event.moved]\nat = \"20s\"\nset = { \"network.database\" = \"500ms\" }";
    let set = [QUIET, "service.api.pool.primary.min=1", "service.api.pool.primary.refill=to-min"];
    let deploy = "[event.deploy]\nat = \"40s\"\ndo = { deploy = \"api\" }";
    let began = |facts: &Facts| times(facts, |fact| matches!(fact, Fact::DialBegan(_)));
    let ready = |facts: &Facts| times(facts, |fact| matches!(fact, Fact::DialSucceeded(_)));
    let facts = facts(&set, &format!("{event}\n{deploy}"));
    // There and back, and between them 1 ms of grant and 10 ms of start.
    close(ready(&facts)[0] - began(&facts)[0], 0.011 + 2.0 * 0.001);
    close(ready(&facts)[1] - began(&facts)[1], 0.011 + 2.0 * 0.5);
}

#[test]
fn a_traffic_rate_rescales_the_pending_arrival() {
    let first = |facts: &Facts| times(facts, |fact| matches!(fact, Fact::RequestArrived { .. }))[0];
    let slow = first(&facts(&["traffic.users.rate=0.02/s"], ""));
    assert!(slow > 5.0, "the first arrival is still pending at 5 s: {slow}");
    let event = "[event.rush]\nat = \"5s\"\nset = { \"traffic.users.rate\" = \"10/s\" }";
    let rushed = first(&facts(&["traffic.users.rate=0.02/s"], event));
    close(rushed, 5.0 + (slow - 5.0) * 0.02 / 10.0);
}

#[test]
fn a_pool_changes_with_the_containers_that_start_later() {
    let set = [QUIET, "service.api.pool.primary.min=1", "service.api.pool.primary.refill=to-min"];
    let event = "[event.larger]\nat = \"10s\"\nset = { \"service.api.pool.primary.min\" = 4 }\n\
                 [event.deploy]\nat = \"20s\"\ndo = { deploy = \"api\" }";
    let dials = times(&facts(&set, event), |fact| matches!(fact, Fact::DialBegan(_)));
    assert_eq!(dials, [0.0, 20.0, 20.0, 20.0, 20.0]);
}

#[test]
fn a_job_that_is_switched_off_ends_the_run_under_way() {
    let event = |set: bool, at: u8, until: &str| {
        format!("[event.switch]\nat = \"{at}s\"\n{until}\nset = {{ \"job.sum.enabled\" = {set} }}")
    };
    let began = |facts: &Facts| times(facts, |fact| matches!(fact, Fact::JobBegan(_)));
    let often = [QUIET, "job.sum.every=10s"];
    let off = facts(&often, &job(1, &event(false, 12, "until = \"35s\"")));
    assert_eq!(began(&off), [10.0, 40.0, 50.0]);
    close(job_ended(&off), 14.0);
    // One that is off at first exists as well, and finds its times.
    let on = facts(&[QUIET, "job.sum.every=10s", "job.sum.enabled=false"], &job(1, &event(true, 45, "")));
    assert_eq!(began(&on), [50.0]);
}

#[test]
fn a_source_that_is_switched_off_is_silent_at_once() {
    let arrivals = |facts: &Facts| times(facts, |fact| matches!(fact, Fact::RequestArrived { .. }));
    let off = "[event.off]\nat = \"20s\"\nuntil = \"40s\"\nset = { \"traffic.users.enabled\" = false }";
    let (whole, gap) = (arrivals(&facts(&[], "")), arrivals(&facts(&[], off)));
    assert!(gap.iter().all(|at| !(20.0..40.0).contains(at)) && gap.iter().any(|at| *at > 40.0), "{gap:?}");
    let before = |times: &[f64]| times.iter().copied().filter(|at| *at < 20.0).collect::<Vec<_>>();
    assert_eq!(before(&gap), before(&whole));
    let on = "[event.on]\nat = \"20s\"\nset = { \"traffic.users.enabled\" = true }";
    let late = arrivals(&facts(&["traffic.users.enabled=false"], on));
    assert!(late[0] > 20.0 && late.len() > 10, "{late:?}");
}
