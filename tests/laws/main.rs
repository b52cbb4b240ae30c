//! What queueing theory says of small systems, the whole simulator says too.
//!
//! Each scenario is one box of the textbook with everything else out of the way: no network, no backend
//! start, no contention. Means over ten seeds are held against the formula by Student's t.

mod accounts;
mod boxes;
mod luck;

use boxes::{active, granting, in_flight, in_use, pending, waiting};
use herdsim::engine::time::{Span, Time};
use herdsim::experiment;
use herdsim::model::fact::Fact;
use herdsim::scenario::{Document, Scenario};

/// Facts in order of time.
type Facts = Vec<(Time, Fact)>;

const SEEDS: std::ops::Range<u64> = 1..11;
/// Student's t for nine degrees of freedom: 99.9 % lie within, on both sides (any table).
const T_999: f64 = 4.781;
/// What is not looked at: the boxes begin empty.
const WARM_UP: Time = Time(2_000_000_000);

/// The scenario that a text describes, as written.
fn scenario(text: &str) -> Scenario {
    let (document, _) =
        Document::from_text("law.toml", text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    document.scenario("as-written").expect("every file has it").clone()
}

/// A run's facts.
fn facts(scenario: &Scenario, seed: u64) -> Facts {
    experiment::record(scenario, seed, Facts::new())
}

/// One box of the textbook: what differs from one to the other.
struct Lone<'a> {
    seconds: u64,
    rate: f64,
    cores: u32,
    node: &'a str,
    service: &'a str,
    pool: &'a str,
    cpu: &'a str,
    step: &'a str,
}

/// A query with this CPU on one core, with connections enough.
const ONE_CORE: Lone = Lone {
    seconds: 60,
    rate: 500.0,
    cores: 1,
    node: "",
    service: "concurrency = 100000",
    pool: "max = 300\nmin = 300",
    cpu: r#"{ exponential = "1ms" }"#,
    step: r#"{ query = "work", on = "primary" }"#,
};

impl Lone<'_> {
    fn scenario(&self) -> Scenario {
        let Lone { seconds, rate, cores, node, service, pool, cpu, step } = self;
        scenario(&format!(
            r#"
            schema_version = 1
            title = "one box"
            duration = "{seconds}s"
            network = {{ database = "0s" }}
            [postgres.primary]
            cores = {cores}
            contention = 1000000
            max_connections = 100000
            start_cpu = "0s"
            cold_cpu = "0s"
            {node}
            [service.api]
            containers = {{ min = 1, max = 1 }}
            {service}
            [service.api.pool.primary]
            {pool}
            [query.work]
            cpu = {cpu}
            [request.ask]
            service = "api"
            steps = [{step}]
            [traffic.users]
            request = "ask"
            rate = "{rate}/s"
            "#
        ))
    }

    /// The facts with each seed.
    fn runs(&self) -> impl Iterator<Item = Facts> {
        let scenario = self.scenario();
        SEEDS.map(move |seed| facts(&scenario, seed))
    }

    fn end(&self) -> Time {
        Time::ZERO + Span::from_secs(self.seconds)
    }

    /// The mean over time of a quantity that facts change, from the warm-up on, as `seen`.
    fn mean_level(&self, facts: &Facts, change: fn(&Fact) -> i64, seen: fn(i64) -> i64) -> f64 {
        let (mut level, mut since, mut area) = (0, WARM_UP, 0.0);
        for (now, fact) in facts {
            let by = change(fact);
            if by != 0 {
                area += seen(level) as f64 * now.since(since).as_secs();
                (level, since) = (level + by, since.max(*now));
            }
        }
        area += seen(level) as f64 * self.end().since(since).as_secs();
        area / self.end().since(WARM_UP).as_secs()
    }

    /// Responses per second and their mean latency, from the warm-up on.
    fn responses(&self, facts: &Facts) -> (f64, f64) {
        let ended = facts.iter().filter(|(now, _)| *now >= WARM_UP).filter_map(|(_, fact)| match fact {
            Fact::RequestEnded { latency, .. } => Some(latency.as_secs()),
            _ => None,
        });
        let (count, sum) = ended.fold((0.0, 0.0), |(count, sum), latency| (count + 1.0, sum + latency));
        (count / self.end().since(WARM_UP).as_secs(), sum / count)
    }
}

fn as_it_is(level: i64) -> i64 {
    level
}

/// The mean, and half the width of its 99.9 % interval.
fn interval(values: &[f64]) -> (f64, f64) {
    assert_eq!(values.len(), 10, "the t value is for ten");
    let mean = values.iter().sum::<f64>() / 10.0;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 9.0;
    (mean, T_999 * (variance / 10.0).sqrt())
}

/// The interval must hold what theory says, and be narrow enough to mean something.
fn assert_agrees(what: &str, values: &[f64], theory: f64) {
    let (mean, half) = interval(values);
    let shown = format!("{what}: {mean:.6} ± {half:.6}, in theory {theory:.6}");
    assert!((mean - theory).abs() <= half, "{shown}");
    assert!(half <= 0.1 * theory, "too wide: {shown}");
}

/// Two numbers that differ only by what is in the box at the ends of the window.
fn assert_close(what: &str, one: f64, other: f64) {
    assert!((one / other - 1.0).abs() < 0.005, "{what}: {one} and {other}");
}

/// The probability that all of `c` servers are busy, at a load of `rho` each.
fn erlang_c(c: u32, rho: f64) -> f64 {
    let offered = f64::from(c) * rho;
    let blocked = (1..=c).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b));
    blocked / (1.0 - rho * (1.0 - blocked))
}

/// Erlang's C against the table, and the interval against a textbook sample.
#[test]
fn the_yardsticks_are_right() {
    assert!((erlang_c(2, 0.9) - 0.852_632).abs() < 1e-6);
    assert!((erlang_c(10, 0.8) - 0.409_180).abs() < 1e-6);
    // One to ten: standard deviation 3.02765.
    let (mean, half) = interval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
    assert!((mean - 5.5).abs() < 1e-12 && (half - 4.781 * 0.957_427).abs() < 1e-5, "{mean} {half}");
}

/// M/M/1-PS: the mean response is 1/(μ − λ), the core is busy λ/μ of the time, and Little's law holds.
#[test]
fn one_core_is_m_m_1() {
    for (rate, seconds) in [(500.0, 60), (800.0, 150)] {
        let lone = Lone { rate, seconds, ..ONE_CORE };
        let (mut mean, mut busy) = (Vec::new(), Vec::new());
        for facts in lone.runs() {
            let (per_s, latency) = lone.responses(&facts);
            assert_close("active backends", lone.mean_level(&facts, active, as_it_is), per_s * latency);
            mean.push(latency);
            busy.push(lone.mean_level(&facts, active, |level| level.min(1)));
        }
        assert_agrees(&format!("response at {rate}/s"), &mean, 1.0 / (1000.0 - rate));
        assert_agrees(&format!("utilisation at {rate}/s"), &busy, rate / 1000.0);
    }
}

/// M/G/1-PS: the mean response knows only the mean of the demand.
#[test]
fn the_shape_of_the_demand_does_not_matter() {
    // A log-normal of σ = 1 has mean 1 ms at median e^−½ ms; its 99th percentile is e^2.326348 above.
    let log_normal = r#"{ log_normal = { median = "606531ns", p99 = "6211187ns" } }"#;
    let uniform = r#"{ uniform = { min = "0s", max = "2ms" } }"#;
    for cpu in [r#""1ms""#, r#"{ exponential = "1ms" }"#, uniform, log_normal] {
        let lone = Lone { cpu, seconds: 60, ..ONE_CORE };
        let mean: Vec<f64> = lone.runs().map(|facts| lone.responses(&facts).1).collect();
        assert_agrees(cpu, &mean, 0.002);
    }
}

/// How often someone has to wait, and how long all wait on average: a line that is served in order.
fn waits(facts: &Facts, change: fn(&Fact) -> i64) -> (f64, f64) {
    let (mut arrived, mut waited, mut sum) = (0.0, 0.0, 0.0);
    let mut line = std::collections::VecDeque::new();
    for (now, fact) in facts {
        let counts = *now >= WARM_UP;
        match (fact, change(fact)) {
            (Fact::RequestArrived { .. }, _) if counts => arrived += 1.0,
            (_, 1) => line.push_back(*now),
            (_, -1) => {
                let since = line.pop_front().expect("who leaves the line was in it");
                if since >= WARM_UP {
                    (waited, sum) = (waited + 1.0, sum + now.since(since).as_secs());
                }
            }
            _ => {}
        }
    }
    (waited / arrived, sum / arrived)
}

/// M/M/c: who waits before `c` servers of 10 ms each, how long, and Little's law on both sides of the wait.
fn assert_m_m_c(lone: &Lone, c: u32, queued: fn(&Fact) -> i64, served: fn(&Fact) -> i64) {
    let (per_s, rho) = (100.0 * f64::from(c), lone.rate / (100.0 * f64::from(c)));
    let (mut share, mut mean, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for facts in lone.runs() {
        let (waited, wait) = waits(&facts, queued);
        let (through, latency) = lone.responses(&facts);
        let serving = lone.mean_level(&facts, served, as_it_is);
        let there = serving + lone.mean_level(&facts, queued, as_it_is);
        assert_close("waiting and served", there, through * latency);
        share.push(waited);
        mean.push(wait);
        busy.push(serving);
    }
    assert_agrees(&format!("P(wait), c = {c}"), &share, erlang_c(c, rho));
    assert_agrees(&format!("mean wait, c = {c}"), &mean, erlang_c(c, rho) / (per_s - lone.rate));
    assert_agrees(&format!("busy of {c}"), &busy, lone.rate / 100.0);
}

/// A pool of c warm connections, each held for an exponential time, is M/M/c.
#[test]
fn a_pool_is_m_m_c() {
    for (c, seconds) in [(2, 600), (10, 150)] {
        let pool = format!("max = {c}\nmin = {c}");
        let step = r#"{ transaction = ["work"], think = { exponential = "10ms" }, on = "primary" }"#;
        let rate = 80.0 * f64::from(c);
        let lone = Lone { pool: &pool, cpu: r#""0s""#, step, rate, seconds, ..ONE_CORE };
        assert_m_m_c(&lone, c, waiting, in_use);
    }
}

/// A container that works on c requests at once, each for an exponential time, is M/M/c.
#[test]
fn a_container_is_m_m_c() {
    for (c, seconds) in [(2, 600), (10, 150)] {
        let service = format!("concurrency = {c}");
        let (step, rate) = (r#"{ app = { exponential = "10ms" } }"#, 80.0 * f64::from(c));
        let lone = Lone { service: &service, step, rate, seconds, ..ONE_CORE };
        assert_m_m_c(&lone, c, pending, in_flight);
    }
}

/// The grant of connections, at a constant cost and one after the other, is M/D/1 (Pollaczek and Khinchine).
#[test]
fn the_grant_is_m_d_1() {
    // No connection is kept: each request dials, and all that it waits for is the grant.
    let (node, pool) = (r#"grant = { fast = { base = "1ms" } }"#, "max = 1000\nmax_idle = 0");
    let lone = Lone { node, pool, cpu: r#""0s""#, rate: 700.0, seconds: 60, ..ONE_CORE };
    let mut mean = Vec::new();
    for facts in lone.runs() {
        let (per_s, latency) = lone.responses(&facts);
        assert_close("in line for the grant", lone.mean_level(&facts, granting, as_it_is), per_s * latency);
        mean.push(latency);
    }
    assert_agrees("grant", &mean, 0.001 + 0.001 * 0.7 / (2.0 * 0.3));
}

/// n sessions of 1 s on C cores take 1 s × n/C × (1 + (n − C)/(n0·C)).
#[test]
fn contention_takes_what_the_law_says() {
    for (n, cores, n0) in [(1, 4, 10.0), (4, 4, 10.0), (8, 2, 3.0), (50, 4, 25.0), (200, 1, 100.0)] {
        let contended = scenario(&format!(
            r#"
            schema_version = 1
            title = "one job"
            duration = "15m"
            [postgres.primary]
            cores = {cores}
            contention = {n0:?}
            [service.idle]
            containers = {{ min = 1, max = 1 }}
            [request.none]
            service = "idle"
            steps = [{{ app = "1ms" }}]
            [traffic.nobody]
            request = "none"
            rate = "0/s"
            [job.batch]
            on = "primary"
            first = "1s"
            every = "20m"
            work = {{ parallel = {n}, cpu = "1s" }}
            "#
        ));
        let facts = facts(&contended, 1);
        let at = |wanted: Fact| facts.iter().find(|(_, fact)| *fact == wanted).expect("it ran").0;
        let took = at(Fact::JobEnded(0)).since(at(Fact::JobBegan(0))).as_secs();
        let (n, cores) = (f64::from(n), f64::from(cores));
        let law = if n <= cores { 1.0 } else { n / cores * (1.0 + (n - cores) / (n0 * cores)) };
        assert!((took - law).abs() < 1e-6, "{n} on {cores} with {n0}: {took} s, by the law {law} s");
    }
}
