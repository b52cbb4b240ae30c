//! Book-keeping on facts: what came in has gone out or is still there, and nothing is ever below zero.

use crate::kit::{fleet, load, source};
use herdsim::engine::time::{Span, Time};
use herdsim::model::build::Places;
use herdsim::model::fact::{Fact, Recorder};
use herdsim::model::world::{Holdings, World};
use herdsim::scenario::Scenario;
use herdsim::scenario::grammar::{Outcome, Step};
use std::collections::BTreeMap;

/// What facts raise and lower, by the place's number.
type Account = (&'static str, u16);

/// Accounts of everything that comes and goes. A request is known by its series and its arrival.
#[derive(Default)]
pub struct Books {
    levels: BTreeMap<Account, i64>,
    arrived: BTreeMap<(u16, Time), u32>,
    ended: BTreeMap<(u16, Time), u32>,
    /// By series: how many ended well, and of how many it was told who served them.
    well: BTreeMap<u16, u64>,
    served: BTreeMap<u16, u64>,
    /// The node at which each pool's connections have backends, unless they lead to a pooler.
    nodes: Vec<Option<u16>>,
    /// How many of each kind of outcome there were.
    pub outcomes: BTreeMap<&'static str, u64>,
}

impl Books {
    /// Empty books for a scenario.
    pub fn of(scenario: &Scenario) -> Books {
        let places = Places::of(scenario);
        let nodes = (0..places.pool_count()).map(|pool| places.backend_at(pool as u16)).collect();
        Books { nodes, ..Books::default() }
    }

    fn change(&mut self, now: Time, account: Account, by: i64) {
        let level = self.levels.entry(account).or_default();
        *level += by;
        assert!(*level >= 0, "{account:?} is below zero at {now}");
    }

    /// How high a level is, all places together.
    pub fn level(&self, name: &str) -> i64 {
        self.levels.iter().filter(|((level, _), _)| *level == name).map(|(_, value)| value).sum()
    }

    /// How many connections pools have, idle or in use: those with backends, or those to poolers.
    pub fn connections(&self, with_backends: bool) -> i64 {
        let mine = |pool: u16| self.nodes[usize::from(pool)].is_some() == with_backends;
        let counted = |(level, pool): &Account| (*level == "idle" || *level == "used") && mine(*pool);
        self.levels.iter().filter(|(account, _)| counted(account)).map(|(_, value)| value).sum()
    }

    fn requests(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::RequestArrived { series, .. } => *self.arrived.entry((series, now)).or_default() += 1,
            Fact::RequestEnded { series, outcome, latency } => {
                let key = (series, Time(now.0 - latency.0));
                let ended = self.ended.entry(key).or_default();
                *ended += 1;
                let arrived = self.arrived.get(&key).copied().unwrap_or_default();
                assert!(*ended <= arrived, "a request that arrived at {} ends twice, at {now}", key.1);
                *self.outcomes.entry(outcome.name()).or_default() += 1;
                *self.well.entry(series).or_default() += u64::from(outcome == Outcome::Ok);
            }
            Fact::RequestServed { series, .. } => {
                let served = self.served.entry(series).or_default();
                *served += 1;
                assert!(*served <= self.well[&series], "a request is served that did not end well, at {now}");
            }
            _ => {}
        }
    }
}

impl Recorder for Books {
    fn record(&mut self, now: Time, fact: Fact) {
        self.requests(now, &fact);
        for (account, by) in entries(&fact) {
            self.change(now, account, by);
        }
        if let Fact::ConnectionAdopted { pool } = fact
            && let Some(node) = self.nodes[usize::from(pool)]
        {
            self.change(now, ("backends", node), 1);
        }
    }
}

/// What a fact puts into the books.
fn entries(fact: &Fact) -> Vec<(Account, i64)> {
    match *fact {
        Fact::WishBegan { series } => vec![(("wishes", series), 1)],
        Fact::WishEnded { series, .. } => vec![(("wishes", series), -1)],
        Fact::PendingBegan(service) => vec![(("pending", service), 1)],
        Fact::PendingEnded(service) => vec![(("pending", service), -1)],
        Fact::HandlingBegan(service) => vec![(("handling", service), 1)],
        Fact::HandlingEnded(service) => vec![(("handling", service), -1)],
        Fact::ContainerLaunched(service) => vec![(("containers", service), 1)],
        Fact::ContainerStopped(service) => vec![(("containers", service), -1)],
        Fact::AcquireQueued(pool) => vec![(("waiting", pool), 1)],
        Fact::AcquireDequeued(pool) => vec![(("waiting", pool), -1)],
        Fact::ConnectionAdopted { pool } => vec![(("idle", pool), 1)],
        Fact::DialBegan(pool) => vec![(("dialling", pool), 1)],
        Fact::DialSucceeded(pool) => vec![(("dialling", pool), -1), (("used", pool), 1)],
        Fact::DialEnded(pool) => vec![(("dialling", pool), -1)],
        Fact::ConnectionAcquired(pool) => vec![(("idle", pool), -1), (("used", pool), 1)],
        Fact::ConnectionReleased(pool) => vec![(("used", pool), -1), (("idle", pool), 1)],
        Fact::IdleClosed(pool, _) => vec![(("idle", pool), -1)],
        Fact::UsedClosed(pool, _) => vec![(("used", pool), -1)],
        Fact::ClientConnected(node) => vec![(("clients", node), 1)],
        Fact::ClientLeft(node) => vec![(("clients", node), -1)],
        Fact::GrantQueued(node) => vec![(("line", node), 1)],
        Fact::GrantDropped(node) => vec![(("line", node), -1)],
        Fact::BackendStarted { node, .. } => vec![(("line", node), -1), (("backends", node), 1)],
        Fact::BackendExited(node) => vec![(("backends", node), -1)],
        Fact::SessionBegan(node) => vec![(("sessions", node), 1)],
        Fact::SessionEnded(node) => vec![(("sessions", node), -1)],
        Fact::WorkBegan(node) => vec![(("work", node), 1)],
        Fact::WorkEnded(node) => vec![(("work", node), -1)],
        Fact::LockQueued(node) => vec![(("lock line", node), 1)],
        Fact::LockDequeued(node) => vec![(("lock line", node), -1)],
        Fact::DiskWaitBegan(node) => vec![(("disk", node), 1)],
        Fact::DiskWaitEnded(node) => vec![(("disk", node), -1)],
        _ => vec![],
    }
}

/// Runs a scenario with its books kept, and balances them with the model's own count of requests.
pub fn audit(scenario: &Scenario, seed: u64) -> Books {
    audit_all(scenario, seed).0
}

/// The same, and what the model still holds in the end.
pub fn audit_all(scenario: &Scenario, seed: u64) -> (Books, Holdings) {
    let mut world = World::new(scenario, seed, Books::of(scenario));
    world.run_until(world.last());
    let (in_flight, containers, holdings) =
        (world.requests_under_way().len() as u64, world.containers(), world.holdings());
    let series = world.places().series.clone();
    let books = world.into_recorder();
    assert_eq!(books.level("containers"), containers as i64, "launched = stopped + living");
    let count = |of: &BTreeMap<_, u32>| of.values().map(|n| u64::from(*n)).sum::<u64>();
    assert_eq!(count(&books.arrived), count(&books.ended) + in_flight, "arrived = ended + in flight");
    for (number, series) in (0..).zip(&series) {
        let of = |counts: &BTreeMap<u16, u64>| counts.get(&number).copied().unwrap_or_default();
        let wanted = if tells(scenario, &series.class) { of(&books.well) } else { 0 };
        assert_eq!(of(&books.served), wanted, "who served each `{}` that ended well", series.class);
    }
    let taken = ["backends", "line", "sessions"].map(|level| books.level(level));
    assert_eq!(taken.iter().sum::<i64>(), holdings.slots as i64, "slots");
    (books, holdings)
}

/// Whether a class is told who served it: it may be served from several places.
fn tells(scenario: &Scenario, class: &str) -> bool {
    let file = &scenario.file;
    let by_endpoint = |step: &Step| step.on.as_ref().is_some_and(|on| file.endpoint.contains_key(on));
    file.edge.serves.iter().any(|served| served == class) || file.request[class].steps.iter().any(by_endpoint)
}

/// Everything at once: two services and two kinds of pool on one small node, and all that can go wrong.
const BEDLAM: &str = r#"
schema_version = 1
title    = "Bedlam"
duration = "90300ms"
[network]
database = { exponential = "0.3ms" }
[postgres.primary]
cores             = 2
max_connections   = 60
refuse_cpu        = "0.1ms"
statement_timeout = "150ms"
lock_timeout      = "30ms"
restart_time      = "500ms"
[service.api]
containers       = { min = 4, max = 4 }
concurrency      = 20
routing          = "random-two"
rollout          = "4s"
drain            = "100ms"
request_timeout  = "900ms"
pending_deadline = "300ms"
[service.api.pool.primary]
preset              = "pgxpool"
max                 = 8
min                 = 2
max_lifetime        = "5s"
max_lifetime_jitter = "1s"
acquire_timeout     = "300ms"
query_timeout       = "350ms"
connect_timeout     = "200ms"
sweep               = { every = "1s" }
[service.back]
like       = "api"
containers = { min = 3, max = 3 }
[service.back.pool.primary]
preset          = "database-sql"
max             = 6
max_lifetime    = "4s"
acquire_timeout = "200ms"
query_timeout   = "120ms"
[query.lookup]
cpu = { exponential = "1ms" }
[query.report]
cpu = { pareto = { scale = "5ms", shape = 1.5 } }
[query.save]
cpu  = { exponential = "1ms" }
lock = { rows = 1 }
[request.sign-in]
service  = "api"
patience = "500ms"
retry    = { attempts = 3, backoff = "50ms", jitter = "full", on = ["client-timeout", "pool-timeout", "503", "429"] }
steps    = [{ app = { exponential = "2ms" } }, { query = "lookup", on = "primary", times = 2 }]
[request.change]
service = "api"
timeout = "450ms"
steps   = [{ transaction = ["lookup", "save", "report"], think = { exponential = "20ms" }, on = "primary" }]
[request.task]
service = "back"
steps   = [{ query = "report", on = "primary" }, { app = "5ms" }, { query = "lookup", on = "primary" }]
[traffic.users]
request = "sign-in"
rate    = "400/s"
[traffic.changes]
request = "change"
rate    = "20/s"
[traffic.tasks]
request = "task"
rate    = "20/s"
burst   = { every = { uniform = { min = "2s", max = "6s" } }, lasting = "1s" }
[job.sum]
on    = "primary"
every = "20s"
work  = { parallel = 4, cpu = "1s" }
[event.restart]
at = "13s"
do = { restart = "primary" }
[event.deploy]
at = "25s"
do = { deploy = "*" }
[event.again]
at = "27s"
do = { deploy = "api" }
[event.restart-amid]
at = "28s"
do = { restart = "primary" }
[event.rush]
at    = "40s"
until = "50s"
[event.rush.set]
"traffic.users.rate" = "x3"
[event.slow]
at    = "60s"
until = "70s"
[event.slow.set]
"postgres.primary.cores" = 0.3
"network.database" = "3ms"
[event.read-only]
at    = "80s"
until = "82s"
set   = { "postgres.primary.state" = "read-only" }
"#;

/// Nothing is lost, doubled or below zero, whatever goes wrong and however the fleet begins.
#[test]
fn books_balance_in_bedlam() {
    let mut seen = BTreeMap::new();
    for initial in ["steady", "rollout", "cold"] {
        let scenario = load(&BEDLAM.replace("[network]", &format!("initial = \"{initial}\"\n[network]")));
        for seed in 1..=2 {
            let books = audit(&scenario, seed);
            books.outcomes.iter().for_each(|(name, n)| *seen.entry(*name).or_insert(0) += n);
        }
    }
    for outcome in Outcome::ALL {
        assert!(seen.contains_key(outcome.name()), "bedlam should show a {}: {seen:?}", outcome.name());
    }
}

/// When traffic ends, everything that was begun comes to its end: no request, wait, dial or statement is
/// left over.
#[test]
fn bedlam_comes_to_rest() {
    let mut scenario = load(BEDLAM);
    let mut file = (*scenario.file).clone();
    file.job.clear();
    file.traffic.values_mut().for_each(|traffic| {
        traffic.rate = serde_json::from_value(serde_json::json!({ "piecewise": [
            { "from": "0s", "rate": "150/s" }, { "from": "30s", "rate": "0/s" }] }))
        .expect("a curve");
    });
    scenario.file = file.into();
    scenario.timeline.retain(|moment| moment.stands.is_none());
    let books = audit(&scenario, 1);
    for level in ["wishes", "pending", "handling", "waiting", "dialling", "used", "line", "work", "lock line"]
    {
        assert_eq!(books.level(level), 0, "{level}");
    }
    assert_eq!(books.level("idle"), books.level("backends"), "each end of a connection has the other");
    assert_eq!(books.level("containers"), 7);
}

/// The mean of a level over the whole run, as the measuring floor has it.
fn mean_level(scenario: &Scenario, seed: u64, level: &str, of: &str) -> f64 {
    use std::sync::atomic::{AtomicBool, AtomicU64};
    let run = herdsim::experiment::run(scenario, seed, &AtomicU64::new(0), &AtomicBool::new(false));
    let levels = run.expect("a run").measured.levels;
    let series = levels.iter().find(|series| series.level == level && series.of == of).expect("a level");
    // All bins are equally long here.
    series.bins.iter().map(|bin| bin.mean).sum::<f64>() / series.bins.len() as f64
}

/// Requests in two seconds of a run of 40 s, so that all have ended by its end; 30 ms of service, 4
/// connections.
fn crowd(more: &str) -> Scenario {
    let set = format!(
        "\"duration\" = \"40s\"\n\"service.api.pool.primary.min\" = 4\n\"service.api.pool.primary.max\" = 4\n\
         \"service.api.concurrency\" = 8\n{more}"
    );
    let users = "[traffic.users]\nrequest = \"sign-in\"\nrate = { piecewise = [{ from = \"0s\", rate = \"0/s\" }, \
                 { from = \"5s\", rate = \"330/s\" }, { from = \"7s\", rate = \"0/s\" }] }\n";
    fleet(&set, users)
}

/// Little's law, L = lambda × W, with W from where the level does not come from: the service's levels
/// against the latencies that clients saw, the pool's and the node's against what a request costs there.
#[test]
fn littles_law_holds_in_every_box() {
    let scenario = crowd("");
    let facts = crate::kit::facts(&scenario, 3);
    let latency: Vec<Span> = facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Fact::RequestEnded { latency, .. } => Some(*latency),
            _ => None,
        })
        .collect();
    let requests = latency.len() as f64;
    let spent: f64 = latency.iter().map(|span| span.as_secs()).sum();
    assert!(requests > 500.0 && spent > 0.014 * requests * 2.0, "requests wait for each other");
    let area = |level: &str, of: &str| mean_level(&scenario, 3, level, of) * 40.0;
    let close = |what: &str, seen: f64, law: f64| {
        assert!((seen - law).abs() <= 1e-9 * law.max(1.0), "{what}: {seen} against {law}");
    };
    let (api, pool, node) = ("service.api", "service.api.pool.primary", "postgres.primary");
    close("pending and in flight", area("pending", api) + area("in_flight", api), spent);
    close("in use", area("in_use", pool), requests * 0.012);
    close("active", area("active", node), requests * 0.010);
    let app_and_wait = area("in_flight", api) - requests * 0.012;
    close("waiting", area("waiting", pool), app_and_wait - requests * 0.002);
    close("cpu", area("cpu_busy", node) * 4.0, requests * 0.010);
    assert!(area("waiting", pool) > 0.0 && area("pending", api) > 0.0);
}

/// Little's law of the grant: with n in line at once and a constant grant g, they wait g, 2g, … n·g.
#[test]
fn littles_law_holds_before_the_grant() {
    let set = "\"duration\" = \"10s\"\n\"service.api.pool.primary.min\" = 20\n\
               \"service.api.pool.primary.max\" = 20\n\"service.api.pool.primary.refill\" = \"to-min\"\n\
               \"initial\" = \"cold\"";
    let scenario = fleet(set, &source("users", "sign-in", &[]));
    let seen = mean_level(&scenario, 1, "grant_queue", "postgres.primary") * 10.0;
    let law = 0.005 * (20.0 * 21.0 / 2.0);
    assert!((seen - law).abs() < 1e-9, "{seen} against {law}");
}
