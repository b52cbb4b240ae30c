//! Small random scenarios by number: services, nodes, requests, faults.
//!
//! Traffic stops at 30 s, and so do the faults; each run goes on to 80 s. All waits of clients and services
//! are bounded by a few seconds, so that a system without a leak has come to rest by then.

use herdsim::engine::chance::{Draws, Stream};
use herdsim::scenario::presets;
use std::fmt::Write as _;

/// How long the run is as it is written.
pub const CALM: &str = "80s";

/// A scenario as text, and what may be expected of it.
pub struct Written {
    pub toml: String,
    /// Its traffic stops.
    pub calms: bool,
    /// Every connection grows old, so that a dead one is noticed.
    pub renews: bool,
    /// A pooler lends connections for a session.
    pub sessions: bool,
}

/// Luck, and the text that it writes.
struct Pen {
    luck: Draws,
    text: String,
}

impl Pen {
    fn below(&mut self, n: u64) -> u64 {
        self.luck.below(n)
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True once in so many times, on average.
    fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("text can be written");
    }

    /// A limit of some milliseconds, or none.
    fn limit(&mut self, key: &str, from: u64, to: u64, never: bool) {
        if never {
            self.line(&format!("{key} = \"none\""));
        } else {
            let ms = self.between(from, to);
            self.line(&format!("{key} = \"{ms}ms\""));
        }
    }
}

/// What the parts of a scenario must know of each other.
struct Shape {
    calms: bool,
    renews: bool,
    replica: bool,
    ha: bool,
    disk: bool,
    endpoint: bool,
    edge: bool,
    back: bool,
    queue: bool,
    /// The scaler of `api`, and how many containers it has at least and at most.
    scaler: &'static str,
    containers: [u64; 2],
}

/// The scenario with this number.
pub fn write(number: u64) -> Written {
    let luck = Stream::root(0).named("swarm").at(number).draws();
    let mut pen = Pen { luck, text: String::new() };
    let scaler = ["fixed", "fixed", "cloud-run-2025", "cloud-run-2026", "kpa", "hpa"][pen.below(6) as usize];
    let min = pen.between(1, 3);
    let max = if scaler == "fixed" { min } else { min + pen.between(0, 4) };
    let replica = !pen.once_in(3);
    let shape = Shape {
        calms: !pen.once_in(5),
        renews: pen.once_in(2),
        replica,
        ha: pen.once_in(2),
        disk: !pen.once_in(4),
        endpoint: !pen.once_in(4),
        edge: pen.once_in(3),
        back: pen.once_in(2),
        queue: pen.once_in(3),
        scaler,
        containers: [min, max],
    };
    head(&mut pen, number);
    nodes(&mut pen, &shape);
    names(&mut pen, &shape);
    service(&mut pen, &shape, "api");
    if shape.back {
        service(&mut pen, &shape, "back");
    }
    requests(&mut pen, &shape);
    traffic(&mut pen, &shape);
    faults(&mut pen, &shape);
    let sessions = pooler(&mut pen, &shape);
    Written { toml: pen.text, calms: shape.calms, renews: shape.renews, sessions }
}

fn head(pen: &mut Pen, number: u64) {
    let initial = pen.pick(&["steady", "steady", "rollout", "cold"]);
    let trip = pen.pick(&["\"0.2ms\"", "{ exponential = \"0.3ms\" }", "{ exponential = \"5ms\" }"]);
    pen.line(&format!(
        "schema_version = 1\ntitle = \"Swarm {number}\"\nduration = \"{CALM}\"\ninitial = \"{initial}\"\n\
         [network]\ndatabase = {trip}"
    ));
}

fn nodes(pen: &mut Pen, shape: &Shape) {
    let cores = pen.pick(&["0.5", "1", "2", "4"]);
    let (slots, cold) = (pen.between(6, 60), pen.between(0, 10));
    let grant = pen.pick(&[
        "{ fast = {} }",
        "{ quadratic = {} }",
        "{ quadratic = { base = \"2ms\", per_waiter = \"0.5ms\" } }",
    ]);
    let (restart, wakeup) = (pen.between(50, 3_000), pen.between(0, 2));
    pen.line(&format!(
        "[postgres.primary]\ncores = {cores}\nmax_connections = {slots}\nreserved_connections = 1\n\
         grant = {grant}\ncold_cpu = \"{cold}ms\"\nrestart_time = \"{restart}ms\"\nlock_wakeup = \"{wakeup}ms\""
    ));
    let (no_statement, no_lock) = (pen.once_in(2), pen.once_in(2));
    pen.limit("statement_timeout", 20, 800, no_statement);
    pen.limit("lock_timeout", 10, 500, no_lock);
    if shape.disk {
        let delay = pen.below(3);
        let pages = pen.between(0, 400);
        pen.line(&format!(
            "[postgres.primary.disk]\nread = {{ exponential = \"1ms\" }}\ncommit_delay = \"{delay}ms\"\n\
             recovery_reads = {pages}"
        ));
    }
    if shape.ha {
        let (detect, takes) = (pen.between(300, 4_000), pen.between(100, 2_000));
        pen.line(&format!("[postgres.primary.ha]\ndetect = \"{detect}ms\"\ntakes = \"{takes}ms\""));
    }
    if shape.replica {
        let takes = pen.between(100, 2_000);
        pen.line(&format!(
            "[postgres.replica]\nlike = \"primary\"\nreplica_of = \"primary\"\npromote_time = \"{takes}ms\""
        ));
        // What it has by `like` an event of the primary takes from it too.
        if pen.once_in(2) {
            pen.line("state = \"up\"\ncores = 2");
        }
    }
}

fn breaker(pen: &mut Pen, table: &str) {
    let (minimum, open_for, probes) = (pen.between(1, 20), pen.between(100, 4_000), pen.between(1, 4));
    pen.line(&format!(
        "[{table}]\nwindow = \"2s\"\nminimum = {minimum}\nopen_for = \"{open_for}ms\"\nprobes = {probes}"
    ));
    if pen.once_in(2) {
        pen.limit("slow", 5, 200, false);
    }
}

/// Endpoints and the edge.
fn names(pen: &mut Pen, shape: &Shape) {
    if shape.endpoint {
        pen.line("[endpoint.reads]\nnode = \"primary\"");
        if shape.replica {
            pen.line("fallback = \"replica\"");
            breaker(pen, "endpoint.reads.breaker");
        }
    }
    if shape.edge {
        let mode = pen.pick(&["off", "automatic"]);
        pen.line(&format!("[edge]\nserves = [\"token\"]\norigin_outage_mode = \"{mode}\""));
        breaker(pen, "edge.breaker");
    }
}

fn service(pen: &mut Pen, shape: &Shape, name: &str) {
    let ([min, max], scaler) =
        if name == "api" { (shape.containers, shape.scaler) } else { ([2, 2], "fixed") };
    let concurrency = pen.between(1, 20);
    let routing = pen.pick(&["least-outstanding", "random-two", "round-robin", "random"]);
    let (startup, rollout, retention) =
        (pen.between(10, 2_000), pen.between(0, 8_000), pen.between(0, 8_000));
    let overload = pen.pick(&["429", "500"]);
    pen.line(&format!(
        "[service.{name}]\ncontainers = {{ min = {min}, max = {max} }}\nscaler = \"{scaler}\"\n\
         concurrency = {concurrency}\nrouting = \"{routing}\"\nstartup = \"{startup}ms\"\n\
         rollout = \"{rollout}ms\"\nidle_retention = \"{retention}ms\"\noverload = \"{overload}\""
    ));
    for (key, from, to) in
        [("pending_deadline", 50, 3_000), ("request_timeout", 200, 4_000), ("drain", 0, 2_000)]
    {
        pen.limit(key, from, to, false);
    }
    pool(pen, shape, &format!("service.{name}.pool.primary"));
    if shape.replica {
        pool(pen, shape, &format!("service.{name}.pool.replica"));
    }
}

/// Those whose acquirers wait for what others dial, or try again.
const PATIENT: [&str; 9] =
    ["hikari", "hikari-6.0", "sqlx", "bb8", "r2d2", "psycopg", "activerecord", "pgbouncer", "pgdog"];

/// Perhaps a pooler before the primary; whether it lends for a session.
fn pooler(pen: &mut Pen, shape: &Shape) -> bool {
    if !pen.once_in(3) {
        return false;
    }
    let (processes, clients) = (pen.between(1, 3), pen.between(2, 30));
    let mode = pen.pick(&["transaction", "transaction", "session"]);
    let trip = pen.pick(&["\"0s\"", "\"0.1ms\"", "{ exponential = \"3ms\" }"]);
    let (login, message) = (pen.below(3_000), pen.below(300));
    pen.line(&format!(
        "[postgres.primary.pooler]\nmode = \"{mode}\"\nprocesses = {processes}\nmax_clients = {clients}\n\
         login_cpu = \"{login}us\"\nmessage_cpu = \"{message}us\"\nclient_trip = {trip}\nserver_trip = {trip}"
    ));
    let before = pen.text.len();
    pool(pen, shape, "postgres.primary.pooler.pool");
    // Whoever waits for a session without a limit may wait for ever.
    let bounded = pen.text[before..].replace("acquire_timeout = \"none\"", "acquire_timeout = \"2s\"");
    pen.text.replace_range(before.., &bounded);
    mode == "session"
}

fn pool(pen: &mut Pen, shape: &Shape, table: &str) {
    let preset = pen.pick(&presets().collect::<Vec<_>>());
    let max = pen.between(1, 8);
    let min = if shape.renews { 0 } else { pen.below(max + 1) };
    pen.line(&format!("[{table}]\npreset = \"{preset}\"\nmax = {max}\nmin = {min}"));
    let (old, limits) = (shape.renews || pen.once_in(2), pen.below(8));
    // A timer and a floor renew for ever.
    let restless = !shape.renews && ["hikari", "hikari-6.0", "pg-pool", "postgres-js"].contains(&preset);
    pen.limit("max_lifetime", 1_000, 15_000, !old || restless);
    if shape.renews {
        // What replaces whatever it closes never comes to rest.
        pen.line("sweep = { every = \"1s\" }\nrefill = \"demand\"");
    } else if pen.once_in(2) {
        let refill = if limits < 4 { "to-min" } else { "demand" };
        pen.line(&format!("refill = \"{refill}\""));
    }
    if old && pen.once_in(2) {
        pen.limit("max_lifetime_jitter", 0, 1_000, false);
    }
    // Who waits for a dial that an outage has swallowed, or that is tried again and again, waits for ever.
    let patient = PATIENT.contains(&preset);
    pen.limit("acquire_timeout", 20, 2_000, limits & 1 == 0 && !patient);
    pen.limit("query_timeout", 20, 2_000, limits & 2 == 0);
    pen.limit("connect_timeout", 20, 2_000, limits & 4 == 0 && !patient);
    if pen.once_in(3) {
        pen.limit("ping_after", 0, 1_000, false);
    }
    if pen.once_in(3) {
        pen.limit("idle_timeout", 500, 5_000, false);
    }
}

const RETRIED: [&str; 4] = [
    "\"client-timeout\", \"429\", \"500\", \"503\"",
    "\"504\", \"pool-timeout\", \"connect-refused\"",
    "\"query-timeout\", \"statement-timeout\", \"lock-timeout\", \"connection-lost\"",
    "\"500\", \"503\", \"504\", \"pool-timeout\", \"connect-refused\", \"connection-lost\", \"lock-timeout\"",
];

/// What a handler may run again: all that a query ends with.
const RERUN: &str = "\"500\", \"pool-timeout\", \"connect-refused\", \"query-timeout\", \
                     \"statement-timeout\", \"lock-timeout\", \"connection-lost\"";

fn retries(pen: &mut Pen, class: &str) {
    if pen.once_in(2) {
        let (attempts, backoff, jitter) =
            (pen.between(1, 4), pen.between(0, 800), pen.pick(&["none", "full", "equal"]));
        let on = pen.pick(&RETRIED);
        pen.line(&format!(
            "[request.{class}.retry]\nattempts = {attempts}\nbackoff = \"{backoff}ms\"\njitter = \"{jitter}\"\non = [{on}]"
        ));
        if pen.once_in(2) {
            pen.line("budget = { ratio = \"20%\", min = \"1/s\" }");
        }
    }
    if pen.once_in(3) {
        let (attempts, backoff) = (pen.between(1, 4), pen.between(0, 300));
        pen.line(&format!(
            "[request.{class}.handler_retry]\nattempts = {attempts}\nbackoff = \"{backoff}ms\"\non = [{RERUN}]"
        ));
    }
}

fn requests(pen: &mut Pen, shape: &Shape) {
    let (rows, hot) = (pen.between(1, 5), pen.between(1, 3));
    let reads = if shape.disk { "reads = 0.7\nindex_pages = 0.5" } else { "" };
    pen.line(&format!(
        "[query.read]\ncpu = {{ exponential = \"1ms\" }}\n{reads}\n\
         [query.report]\ncpu = {{ pareto = {{ scale = \"5ms\", shape = 2.5 }} }}\n\
         [query.save]\ncpu = {{ exponential = \"1ms\" }}\nlock = {{ rows = {rows} }}\n{reads}\n\
         [query.append]\ncpu = \"0s\"\nwrites = true\n\
         [query.touch]\ncpu = {{ exponential = \"0.5ms\" }}\nlock = {{ rows = {hot} }}"
    ));
    let reads = if shape.endpoint { "reads" } else { "primary" };
    let times = pen.between(1, 3);
    let replica = if shape.replica { "replica" } else { "primary" };
    let back = if shape.back { "back" } else { "api" };
    let think = pen.between(0, 30);
    let queued = if shape.queue { "{ enqueue = \"notes\", times = 2 }, " } else { "" };
    let classes = [
        ("token", "api", format!("{{ query = \"read\", on = \"{reads}\", times = {times} }}")),
        (
            "change",
            "api",
            format!(
                "{{ app = {{ exponential = \"2ms\" }} }}, {{ transaction = [\"save\", \"append\", \"touch\"], think = \"{think}ms\", on = \"primary\" }}"
            ),
        ),
        (
            "task",
            back,
            format!(
                "{{ query = \"report\", on = \"{replica}\", think = \"5ms\" }}, {{ app = \"3ms\" }}, {queued}{{ query = \"touch\", on = \"primary\" }}"
            ),
        ),
    ];
    let note = ("note", back, "{ app = \"4ms\" }, { query = \"append\", on = \"primary\" }".to_owned());
    if shape.queue {
        pen.line("[queue.notes]\nrequest = \"note\"\ndelay = { exponential = \"80ms\" }");
    }
    for (class, service, steps) in classes.into_iter().chain(shape.queue.then_some(note)) {
        pen.line(&format!("[request.{class}]\nservice = \"{service}\"\nsteps = [{steps}]"));
        let (forever, deaf) = (pen.once_in(2), pen.once_in(2));
        pen.limit("patience", 50, 3_000, forever);
        pen.limit("timeout", 50, 3_000, deaf);
        retries(pen, class);
    }
}

fn traffic(pen: &mut Pen, shape: &Shape) {
    for class in ["token", "change", "task"] {
        let rate = pen.between(1, 25);
        pen.line(&format!(
            "[traffic.{class}s]\nrequest = \"{class}\"\n\
             rate = {{ piecewise = [{{ from = \"0s\", rate = \"{rate}/s\" }}, {{ from = \"30s\", rate = \"0/s\" }}] }}"
        ));
    }
    if pen.once_in(4) {
        pen.line("burst = { every = \"4s\", lasting = \"1s\" }");
    }
    let (class, rate) = (pen.pick(&["token", "change"]), pen.between(50, 150));
    pen.line(&format!(
        "[traffic.surge]\nenabled = false\nlabel = \"abusive\"\nrequest = \"{class}\"\nrate = \"{rate}/s\""
    ));
    if pen.once_in(4) {
        pen.line(
            "[job.sum]\non = \"primary\"\nevery = \"7s\"\nwork = { parallel = 3, cpu = \"100ms\" }\n\
             [event.rest]\nat = \"40s\"\nset = { \"job.sum.enabled\" = false }",
        );
    }
    if !shape.calms {
        let count = pen.between(1, 40);
        pen.line(&format!(
            "[device.tabs]\nrequest = \"token\"\ncount = {count}\ntabs = 1.5\nduplicates = 1.2\n\
             refresh_age = {{ uniform = {{ min = \"4s\", max = \"6s\" }} }}\npoll = \"1s\""
        ));
    }
}

/// What can go wrong: a name for what it touches, and the event's body after `at`.
fn fault(pen: &mut Pen, shape: &Shape, until: u64) -> (String, String) {
    let node = if shape.replica && pen.once_in(3) { "replica" } else { "primary" };
    let for_a_while = |what: String, set: String| (what, format!("until = \"{until}ms\"\nset = {{ {set} }}"));
    let done = |what: &str, on: &str| (format!("{what}-{on}"), format!("do = {{ {what} = \"{on}\" }}"));
    match pen.below(17) {
        0..3 => {
            let state = pen.pick(&["unreachable", "frozen", "read-only"]);
            for_a_while(format!("state-{node}"), format!("\"postgres.{node}.state\" = \"{state}\""))
        }
        3 if shape.disk => for_a_while(
            format!("disk-{node}"),
            format!("\"postgres.{node}.disk.read_factor\" = 80, \"postgres.{node}.disk.flush_factor\" = 50"),
        ),
        3 | 4 => for_a_while(format!("cores-{node}"), format!("\"postgres.{node}.cores\" = 0.05")),
        5 => done("restart", node),
        6 if shape.replica => done("promote", "replica"),
        6 | 7 if shape.ha => done("failover", "primary"),
        6..9 => done("deploy", pen.pick(&["*", "api"])),
        9 => {
            let [min, max] =
                shape.containers.map(|n| if shape.scaler == "fixed" { n + 2 } else { n.max(2) - 1 });
            let (min, max) = (min.min(max), max);
            for_a_while(
                "cap".to_owned(),
                format!("\"service.api.containers\" = {{ min = {min}, max = {max} }}"),
            )
        }
        10 | 11 => for_a_while("surge".to_owned(), "\"traffic.surge.enabled\" = true".to_owned()),
        12 => for_a_while(
            format!("clocks-{node}"),
            format!(
                "\"postgres.{node}.lock_timeout\" = \"5ms\", \"postgres.{node}.statement_timeout\" = \"30ms\""
            ),
        ),
        16 => {
            let share = pen.between(1, 100);
            let crash = format!("do = {{ crash = {{ service = \"api\", share = \"{share}%\" }} }}");
            ("crash".to_owned(), crash)
        }
        13 => for_a_while("shaping".to_owned(), "\"traffic.tokens.rejected\" = \"40%\"".to_owned()),
        14 if shape.edge => for_a_while("edge".to_owned(), "\"edge.origin_outage_mode\" = \"on\"".to_owned()),
        14 if shape.endpoint && shape.replica => {
            for_a_while("endpoint".to_owned(), "\"endpoint.reads.node\" = \"replica\"".to_owned())
        }
        _ => for_a_while("network".to_owned(), "\"network.database\" = \"20ms\"".to_owned()),
    }
}

/// One to four faults, no two of one kind, over by 30 s.
fn faults(pen: &mut Pen, shape: &Shape) {
    let mut known = Vec::new();
    for _ in 0..pen.between(1, 4) {
        let at = pen.between(1_000, 25_000);
        let until = (at + pen.between(1, 12_000)).min(30_000);
        let (name, body) = fault(pen, shape, until);
        if !known.contains(&name) {
            let table = name.replace('*', "all");
            pen.line(&format!("[event.{table}]\nat = \"{at}ms\"\n{body}"));
            known.push(name);
        }
    }
}
