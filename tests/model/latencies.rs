//! Latency as it is told: by class and outcome, in every bin, in a window.

use super::measures::{at, story, value};
use herdsim::experiment::harm::harm;
use herdsim::measure::{OUTCOMES, UNANSWERED, summary};
use herdsim::scenario::grammar::{Metric, Outcome};
use herdsim::scenario::window::Window;

/// Every request that ended is in the histogram of its class and outcome, bin by bin, and so are those that
/// the end of the run leaves unanswered.
#[test]
fn the_histograms_of_a_class_leave_nobody_out() {
    let stall = "[event.stall]\nat = \"80s\"\nset = { \"postgres.primary.cores\" = 0.01 }\n";
    let set = [
        "\"query.lookup.cpu\" = { exponential = \"5ms\" }",
        r#""service.api.pool.primary.query_timeout" = "9s""#,
    ];
    let run = story(stall, &set);
    let mut met = [0; OUTCOMES + 1];
    for (place, bin) in run.measured.classes.iter().flat_map(|class| class.bins.iter().enumerate()) {
        let mut counted = [0; OUTCOMES + 1];
        bin.buckets.iter().for_each(|(outcome, _, count)| counted[usize::from(*outcome)] += count);
        assert_eq!(counted[..OUTCOMES], bin.ended, "bin {place}");
        met.iter_mut().zip(counted).for_each(|(sum, count)| *sum += count);
    }
    let unanswered: u64 = run.measured.classes.iter().map(|class| class.unanswered()).sum();
    assert_eq!(u64::from(met[UNANSWERED]), unanswered);
    let others = met[1..OUTCOMES].iter().sum::<u32>();
    assert!(met[0] > 0 && others > 0 && unanswered > 0, "of each some: {met:?}");
}

/// Percentiles of a window come from all requests that ended in it: of an exponential time they are known,
/// and what is ten milliseconds slower from a time on is so in that half alone.
#[test]
fn percentiles_are_those_of_the_window() {
    let asked = "[expect.fast]\nmetric = \"latency.p99\"\nof = \"request.sign-in\"\nmax = \"1s\"\n";
    let think = "[request.think]\nservice = \"api\"\nsteps = [{ app = { exponential = \"100ms\" } }]\n\
                 [traffic.thinkers]\nrequest = \"think\"\nrate = \"1000/s\"\n\
                 [expect.known]\nmetric = \"latency.p50\"\nof = \"request.think\"\nmax = \"1s\"\n";
    let slower = "[event.slower]\nat = \"60s\"\nset = { \"query.lookup.cpu\" = \"11ms\" }\n";
    let run = story(&format!("{asked}{think}{slower}"), &[]);
    for (metric, expected) in
        [(Metric::LatencyP50, 69.3), (Metric::LatencyP95, 299.6), (Metric::LatencyP99, 460.5)]
    {
        let measured = value(&run, metric, "request.think", 0);
        assert!((measured / expected - 1.0).abs() < 0.03, "{metric:?} {measured}");
    }
    let half = |from, to| {
        let window = Window { from: at(from), to: at(to), except: vec![] };
        summary::value(Metric::LatencyP50, &run.measured, "request.sign-in", None, &window)
    };
    let more = half(60, 120) - half(0, 60);
    assert!((9.8..10.2).contains(&more), "{more}");
    let unasked = story("", &[]);
    assert!(value(&unasked, Metric::LatencyP50, "request.sign-in", 0).is_nan(), "nobody asked for it");
}

/// Nobody says of a request that asks no database that the first of the file served it.
#[test]
fn who_asks_no_database_is_served_by_the_application() {
    let run = story("[edge]\nserves = [\"sign-in\"]", &[r#""request.sign-in.steps" = [{ app = "1ms" }]"#]);
    let by: Vec<&str> = run.measured.classes[0].served.iter().map(|served| served.by.as_str()).collect();
    assert_eq!(by, ["application"]);
}

/// Slow requests of attackers are no outage: users are served as before.
#[test]
fn the_abusive_may_be_slow() {
    let more = "[request.scrape]\nservice = \"api\"\nsteps = [{ app = \"5s\" }]\n\
                [traffic.attack]\nrequest = \"scrape\"\nlabel = \"abusive\"\n\
                rate = { piecewise = [{ from = \"0s\", rate = \"0/s\" }, { from = \"60s\", rate = \"5/s\" }] }\n\
                [event.attack]\nat = \"60s\"\nset = { \"query.lookup.reads\" = 0 }";
    let run = story(more, &[]);
    assert!(value(&run, Metric::WorstP99, "service.api", 70) > 4_000.0, "the service's p99 is theirs");
    assert_eq!(value(&run, Metric::Recovery, "service.api", 60), 0.0);
    assert_eq!(harm(&run, &run).bad_s, 0.0);
}

/// A handler's deadline runs from when the handler begins: it works for 900 ms of a second, however long
/// the request has waited for it.
#[test]
fn waiting_for_a_container_is_not_the_handlers_time() {
    let set = [
        r#""service.api.concurrency" = 1"#,
        r#""request.sign-in.steps" = [{ app = "900ms" }]"#,
        r#""request.sign-in.timeout" = "1s""#,
        r#""traffic.users.rate" = "1/s""#,
    ];
    let ended = |more: &str| story("", &[&set[..], &[more]].concat()).measured.classes[0].ended;
    let patient = ended("");
    assert_eq!(patient[Outcome::GatewayTimeout as usize], 0, "{patient:?}");
    assert!(patient[Outcome::Ok as usize] > 70, "{patient:?}");
    let limited = ended(r#""service.api.request_timeout" = "1s""#);
    assert!(
        limited[Outcome::GatewayTimeout as usize] > 0,
        "the service's clock counts the wait: {limited:?}"
    );
}
