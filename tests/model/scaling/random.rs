//! Whatever a fleet goes through while it scales, the books are right.

use crate::books::audit;
use crate::kit::load;
use proptest::prelude::*;
use proptest::sample::select;

/// Random services under random traffic, with a deploy and a change of bounds at any time.
fn random_service() -> impl Strategy<Value = String> {
    let scaler = select(vec!["cloud-run-2025", "cloud-run-2026", "kpa", "hpa"]);
    let retention = select(vec!["0s", "7s", "40s"]);
    let startup = select(vec!["5s", "{ exponential = \"2s\" }"]);
    let start = select(vec!["steady", "rollout", "cold"]);
    let sizes = (1..4u32, 0..8u32, 1..4u32, 0..8u32);
    let times = (1..90u32, 1..90u32, 1..90u32);
    (scaler, retention, startup, start, sizes, 1..6u32, 1..60u32, times).prop_map(
        |(scaler, retention, startup, start, sizes, concurrency, rate, times)| {
            let (min, more, later_min, later_more) = sizes;
            let startup =
                if startup.starts_with('{') { startup.to_owned() } else { format!("\"{startup}\"") };
            format!(
                r#"
schema_version = 1
title    = "Random"
duration = "100s"
initial  = "{start}"
[postgres.primary]
cores = 1
[service.api]
containers       = {{ min = {min}, max = {} }}
scaler           = "{scaler}"
concurrency      = {concurrency}
idle_retention   = "{retention}"
startup          = {startup}
rollout          = "15s"
drain            = "2s"
request_timeout  = "4s"
pending_deadline = "3s"
[service.api.pool.primary]
max = 3
min = 1
acquire_timeout = "40ms"
query_timeout = "30ms"
[query.lookup]
cpu = {{ exponential = "4ms" }}
[request.sign-in]
service = "api"
handler_retry = {{ attempts = 3, backoff = "50ms", on = ["query-timeout", "pool-timeout"] }}
steps   = [{{ app = {{ exponential = "300ms" }} }}, {{ query = "lookup", on = "primary", times = 3 }}]
[traffic.users]
request = "sign-in"
rate    = {{ piecewise = [{{ from = "0s", rate = "{rate}/s" }}, {{ from = "{}s", rate = "0/s" }}] }}
[event.deploy]
at = "{}s"
do = {{ deploy = "api" }}
[event.again]
at = "event.deploy + 6s"
do = {{ deploy = "api" }}
[event.crash]
at = "event.deploy + 3s"
do = {{ crash = {{ service = "api", share = "60%" }} }}
[event.bounds]
at    = "{}s"
until = "95s"
[event.bounds.set]
"service.api.containers" = {{ min = {later_min}, max = {} }}
"#,
                min + more,
                times.0,
                times.1,
                times.2,
                later_min + later_more
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever happens, containers, requests and connections are accounted for.
    #[test]
    fn books_balance_while_a_fleet_scales(text in random_service(), seed in 1..1000u64) {
        audit(&load(&text), seed);
    }
}
