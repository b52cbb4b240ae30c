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
    let query = |query: &str| {
        let nodes = "[postgres.replica]\nlike = \"primary\"\nreplica_of = \"primary\"\n\
                     [service.api.pool.replica]\nmax = 5\n[query.touch]\ncpu = \"1ms\"\n";
        let step = "{ query = \"touch\", on = \"replica\" }";
        said(
            &BASE
                .replace("[query.lookup]", &format!("{nodes}{query}\n[query.lookup]"))
                .replace("{ app", &format!("{step}, {{ app")),
        )
    };
    for changes in ["writes = true", "lock = { rows = 5 }"] {
        let said = query(changes);
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
