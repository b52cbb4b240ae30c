//! Random faults: whatever befalls the nodes, nothing is left over in the end.

use crate::books::Books;
use crate::kit::load;
use herdsim::model::world::{Holdings, World};
use proptest::prelude::*;
use std::fmt::Write as _;

/// Updates in and out of transactions, reads on both nodes, timeouts of every kind; traffic for ten seconds,
/// then time to come to rest. Connections live for two seconds, so that in the end none is open.
const SYSTEM: &str = r#"
schema_version = 1
title    = "Faults"
duration = "60s"
initial  = "cold"
[network]
database = { exponential = "0.3ms" }
[postgres.primary]
cores           = 2
max_connections = 24
restart_time    = "200ms"
lock_timeout    = "300ms"
statement_timeout = "400ms"
[postgres.primary.disk]
flush_factor   = 10
recovery_reads = 200
[postgres.primary.ha]
detect = "700ms"
takes  = "300ms"
[postgres.replica]
like         = "primary"
replica_of   = "primary"
promote_time = "300ms"
[service.api]
containers  = { min = 3, max = 3 }
concurrency = 12
rollout     = "1s"
request_timeout = "900ms"
[service.api.pool.primary]
max             = 6
max_lifetime    = "2s"
connect_timeout = "400ms"
sweep           = { every = "500ms" }
[service.api.pool.replica]
max             = 3
max_lifetime    = "2s"
sweep           = { every = "500ms" }
[query.read]
cpu   = { exponential = "1ms" }
reads = 0.5
[query.save]
cpu         = { exponential = "1ms" }
lock        = { rows = 2 }
index_pages = 1
[query.append]
cpu    = { exponential = "0.5ms" }
writes = true
[query.touch]
cpu  = { exponential = "0.5ms" }
lock = { rows = 3 }
[request.change]
service = "api"
timeout = "600ms"
steps   = [{ transaction = ["save", "append", "touch"], think = { exponential = "4ms" }, on = "primary" }]
[request.note]
service = "api"
steps   = [{ query = "touch", on = "primary" }, { query = "read", on = "replica" }]
[request.wrong]
service = "api"
steps   = [{ transaction = ["read", "append"], on = "replica" }]
[job.sum]
on    = "primary"
every = "900ms"
work  = { parallel = 8, cpu = "100ms" }
[job.read]
on    = "replica"
every = "1100ms"
work  = { parallel = 2, cpu = "300ms" }
[event.off]
at  = "50s"
set = { "job.*.enabled" = false }
[traffic.changes]
request = "change"
rate    = { piecewise = [{ from = "0s", rate = "60/s" }, { from = "10s", rate = "0/s" }] }
[traffic.notes]
request = "note"
rate    = { piecewise = [{ from = "0s", rate = "60/s" }, { from = "10s", rate = "0/s" }] }
[traffic.wrongs]
request = "wrong"
rate    = { piecewise = [{ from = "0s", rate = "5/s" }, { from = "10s", rate = "0/s" }] }
"#;

/// Something goes wrong after so many milliseconds since the last: which, where, for how long.
type Fault = (u64, u8, bool, u64);

/// The faults as events, one after the other. All end before the traffic does, or soon after.
fn events(faults: &[Fault]) -> String {
    let (mut text, mut at) = (String::new(), 500);
    for (place, (gap, kind, primary, lasts)) in faults.iter().enumerate() {
        at += gap;
        let node = if *primary { "primary" } else { "replica" };
        let until = at + lasts;
        let state = |state: &str| {
            format!("until = \"{until}ms\"\nset = {{ \"postgres.{node}.state\" = \"{state}\" }}")
        };
        let body = match kind % 9 {
            0 | 1 => state("unreachable"),
            2 => state("frozen"),
            3 => state("read-only"),
            4 => format!("do = {{ restart = \"{node}\" }}"),
            5 => "do = { failover = \"primary\" }".to_owned(),
            6 => "do = { promote = \"replica\" }".to_owned(),
            7 => format!("do = {{ crash = {{ service = \"api\", share = \"{}%\" }} }}", lasts % 100),
            _ => "do = { deploy = \"api\" }".to_owned(),
        };
        writeln!(text, "[event.e{place}]\nat = \"{at}ms\"\n{body}").expect("text");
        if body.starts_with("until") {
            at = until;
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_left_over(
        faults in prop::collection::vec((1u64..1_500, any::<u8>(), prop::bool::weighted(0.7), 1u64..2_000), 1..9),
        query_timeout in prop::option::of(20u64..500),
        seed in 1u64..1_000,
    ) {
        let clock = query_timeout.map_or("\"none\"".to_owned(), |ms| format!("\"{ms}ms\""));
        let set = format!("[variant.clock.set]\n\"service.*.pool.*.query_timeout\" = {clock}\n");
        let scenario = load(&format!("{SYSTEM}{}{set}", events(&faults)));
        let mut world = World::new(&scenario, seed, Books::of(&scenario));
        world.run_until(world.last());
        prop_assert_eq!(world.holdings(), Holdings::default());
        let books = world.into_recorder();
        let pools = ["handling", "waiting", "dialling", "used", "idle"];
        let node = ["line", "backends", "sessions", "work", "lock line", "disk"];
        for level in pools.into_iter().chain(node) {
            prop_assert_eq!(books.level(level), 0, "{}", level);
        }
        prop_assert!(books.outcomes["ok"] > 0);
    }
}
