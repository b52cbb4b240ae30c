//! What would be run and is not meant is refused, and each refusal says what to write instead.

use super::wrong::{said, said_of};
use super::{BASE, with};

/// Says so, and how to put it right.
fn assert_told(said: &str, what: &str, help: &str) {
    assert!(said.contains(what) && said.contains(&format!("help: {help}")), "{said}");
}

/// A pool that keeps a floor and may not let it rest would dial and close without end.
#[test]
fn a_floor_that_may_not_rest() {
    let pool = |text: &str| said_of("max                 = 10", &format!("max = 10\n{text}"));
    let help = "let `max_idle` be at least `min`, or leave it out";
    assert_told(&pool("min = 8\nmax_idle = 5"), "error: the pool keeps 8 connections and lets 5", help);
    let built_in = BASE.replace("\"pgxpool\"", "\"hikari\"\nmax_idle = 5");
    assert_told(&said(&built_in), "error: the pool keeps 10 connections and lets 5", help);
    let pooler = "[postgres.primary.pooler]\nmode = \"transaction\"\n\
                  pool = { preset = \"pgbouncer\", max = 20, min = 10, max_idle = 5 }\n";
    assert_told(&said(&with(pooler)), "error: the pool keeps 10 connections and lets 5", help);
    assert_eq!(pool("min = 5\nmax_idle = 5"), "");
    assert!(!pool("min = 8\nmax_idle = 5\nrefill = \"demand\"").contains("error"), "nobody dials for it");
}

#[test]
fn a_service_that_has_no_time() {
    let said = said_of("[service.api]", "[service.api]\nrequest_timeout = \"0s\"");
    assert_told(&said, "error: nothing is ever done in no time", "write \"300s\"");
}

#[test]
fn a_client_that_tries_again_what_ended_well() {
    let retry = "service = \"api\"\nretry = { attempts = 3, backoff = \"1s\", on = [\"503\", \"ok\"] }";
    assert_told(
        &said_of("service = \"api\"", retry),
        "error: nobody tries again what ended well",
        "remove it: name the outcomes after which a client tries again",
    );
}

#[test]
fn numbers_that_are_none() {
    let max = |number: &str| said_of("max                 = 10", &format!("max = {number}"));
    assert_told(&max("2.5"), "error: `max` must be a whole number", "write 3");
    assert_told(&max("1e9"), "error: `max` must be a whole number", "write 100000");
    assert_told(&max("99999999999999999999"), "error: this number is too large", "the greatest is 922");
    assert_told(&max("inf"), "error: this is not a finite number", "write digits");
    let times = |number: &str| {
        let bound = format!("metric = \"spikes\"\nmax = {{ times = {number}, of = \"variant.v\" }}");
        said(&with(&format!("[variant.v]\n[expect.e]\nof = \"service.api\"\n{bound}\n")))
    };
    for none in ["nan", "inf", "-inf"] {
        assert_told(&times(none), "error: this is not a finite number", "write digits");
        assert_eq!(times(none).matches("error").count(), 1, "nothing follows from it: {}", times(none));
    }
}

#[test]
fn an_event_over_what_a_variant_is_about() {
    let text = "[event.a]\nat = \"5m\"\nset = { \"postgres.primary.cores\" = 2 }\n\
                [variant.v.set]\n\"postgres.primary.cores\" = 8\n";
    assert_told(
        &said(&with(text)),
        "warning: event `a` overwrites `postgres.primary.cores`, which variant `v` sets",
        "let variant `v` set `event.a.enabled = false` too, or keep them apart",
    );
    let within = text.replace(
        "\"postgres.primary.cores\" = 2",
        "\"postgres.primary.grant\" = { fast = { base = \"1ms\" } }",
    );
    let within = within.replace("cores\" = 8", "grant.fast.base\" = \"2ms\"");
    assert_told(
        &said(&with(&within)),
        "event `a` overwrites `postgres.primary.grant.fast.base`, which variant `v` sets",
        "let variant `v` set `event.a.enabled = false` too, or keep them apart",
    );
}

#[test]
fn a_value_from_elsewhere_that_does_not_fit() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.yaml");
    std::fs::write(&file, "pool: many\n").unwrap();
    let values = format!(
        "[values_from.app.file]\nfile = \"{}\"\nvalues = {{ \"service.api.pool.primary.max\" = \"pool\" }}\n",
        file.display()
    );
    let said = said(&with(&values));
    assert_told(&said, "at `pool` it is \"many\"", "mend it where it lives");
}

/// An update is a write: Postgres refuses it on a replica, whether or not it says `writes`.
#[test]
fn an_update_on_a_replica_is_a_write() {
    let on = |on: &str, query: &str| {
        let nodes = "[postgres.replica]\nlike = \"primary\"\nreplica_of = \"primary\"\n\
                     [service.api.pool.replica]\nmax = 5\n[query.touch]\ncpu = \"1ms\"\n";
        let step = format!("{{ query = \"touch\", on = \"{on}\" }}");
        said(
            &BASE
                .replace("[query.lookup]", &format!("{nodes}{query}\n[query.lookup]"))
                .replace("{ app", &format!("{step}, {{ app")),
        )
    };
    let query = |changes: &str| on("replica", changes);
    let behind = "writes = true\n[endpoint.reads]\nnode = \"replica\"\n";
    let turned =
        format!("{behind}[event.turn]\nat = \"1m\"\nset = {{ \"endpoint.reads.node\" = \"primary\" }}\n");
    assert!(!on("reads", &turned).contains("Postgres refuses"), "an event may turn it to the primary");
    for said in [query("writes = true"), query("lock = { rows = 5 }"), on("reads", behind)] {
        assert!(said.contains("`sign-in` writes to `replica`, a replica: Postgres refuses that"), "{said}");
    }
    assert!(!query("").contains("Postgres refuses"));
}

/// The jitter that is advised is that of the mean cost of a start, however the costs are spread.
#[test]
fn advice_goes_by_the_mean() {
    let advice = |start: &str| {
        let text = BASE.replace("max_lifetime_jitter = \"90s\"", "");
        said(&text.replace("max_connections = 500", &format!("max_connections = 500\nstart_cpu = {start}")))
    };
    // e to the power of sigma² / 2 times the median: 11.5 ms.
    for start in ["{ log_normal = { median = \"5ms\", p99 = \"100ms\" } }", "\"11.5ms\""] {
        assert!(advice(start).contains("write `max_lifetime_jitter = \"3s\"`"), "{}", advice(start));
    }
    assert!(advice("\"5ms\"").contains("write `max_lifetime_jitter = \"2s\"`"), "{}", advice("\"5ms\""));
}

/// pgxpool cuts its jitter down to whole seconds: up to one nothing is left, whatever the fleet needs.
#[test]
fn advice_knows_what_is_left_of_a_jitter() {
    let small = BASE.replace("min = 10, max = 10", "min = 2, max = 2");
    let advice = |jitter: &str| said(&small.replace("\"90s\"", jitter));
    for none in ["\"0s\"", "\"800ms\"", "\"1s\""] {
        assert_told(&advice(none), "expire together", "write `max_lifetime_jitter = \"2s\"` or more");
    }
    assert_eq!(advice("\"2s\""), "");
}

/// A pool's clock is held against who waits longest of those that come to it, also by an endpoint's name or
/// when its breaker turns.
#[test]
fn a_clock_is_held_against_who_waits_longest() {
    let endpoint = "[endpoint.reads]\nnode = \"primary\"\nfallback = \"replica\"\n\
                    [postgres.replica]\nlike = \"primary\"\nreplica_of = \"primary\"\n";
    let advice = |other: &str| {
        let clock = "query_timeout = \"20s\"";
        let pools =
            format!("{clock}\n[service.api.pool.replica]\nmax = 10\nmax_lifetime = \"none\"\n{clock}\n");
        let other =
            format!("[request.other]\nservice = \"api\"\nsteps = [{{ query = \"lookup\", on = {other} }}]");
        let text = BASE
            .replace("\"90s\"", &format!("\"90s\"\n{pools}"))
            .replace("on = \"primary\"", "on = \"reads\"")
            .replace("service = \"api\"", "service = \"api\"\ntimeout = \"10s\"");
        said(&format!("{text}\n{endpoint}{other}\n[traffic.others]\nrequest = \"other\"\nrate = \"1/s\"\n"))
    };
    let told = |said: &str| said.matches("cannot fire: requests `sign-in` end after 10s").count();
    assert_eq!(told(&advice("\"primary\"")), 1, "{}", advice("\"primary\""));
    assert_eq!(told(&advice("\"reads\"")), 0, "{}", advice("\"reads\""));
}

/// Who waits for a lock for longer than a statement may take is told that the statement took too long.
#[test]
fn a_lock_timeout_comes_before_the_statement_s() {
    let advice = |lock: &str| {
        let clocks = format!("max_connections = 500\nstatement_timeout = \"2s\"\nlock_timeout = {lock}");
        said(&BASE.replace("max_connections = 500", &clocks))
    };
    assert_told(&advice("\"2s\""), "`lock_timeout`, 2s, cannot fire", "set `lock_timeout` below 2s");
    assert_eq!(advice("\"1s\""), "");
}
