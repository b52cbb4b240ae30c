//! Plays a load on a real library against a real server: the library's program, and the server's log.

use super::server::Server;
use super::story::{Story, UNTIL};
use super::trace::{Event, Trace};
use herdsim::engine::time::Span;
use herdsim::scenario::grammar::Sweep;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The server tells of every connection, with the time since 1970 and the number of its process, and takes a
/// second for each.
pub const SERVER: [&str; 10] = [
    "-c",
    "log_connections=on",
    "-c",
    "log_disconnections=on",
    "-c",
    "log_line_prefix=%n %p %a ",
    "-c",
    "post_auth_delay=1",
    "-c",
    "autovacuum=off",
];

/// What a program has been told to do and is doing.
pub struct Run {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What a program said.
pub struct Told {
    began: f64,
    events: Vec<Value>,
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libraries/programs")
}

/// Ends the test with one clear sentence if a program, or what it needs, is not there.
pub fn must_be_built() {
    let all =
        ["rust/target/debug/libraries", "python/.venv/bin/python", "node/node_modules/postgres", "go/load"];
    for needed in all {
        let there = programs().join(needed).exists();
        assert!(there, "the libraries' programs are not built ({needed} is missing): run `make libraries`");
    }
}

/// Starts the programs of all stories; when all are ready, they begin together.
pub fn start_all(server: &Server, stories: &[&Story]) -> Vec<Run> {
    let mut begun: Vec<(Run, ChildStdin)> = stories.iter().map(|story| start(server, story)).collect();
    for (run, _) in &mut begun {
        assert_eq!(run.next().unwrap()["event"], "ready");
    }
    let go = |(run, mut input): (Run, ChildStdin)| {
        writeln!(input, "go").unwrap();
        run
    };
    begun.into_iter().map(go).collect()
}

fn start(server: &Server, story: &Story) -> (Run, ChildStdin) {
    // `node` is on the path, the others are below `programs/`.
    let built = programs().join(story.program[0]);
    let program = if built.is_file() { built } else { story.program[0].into() };
    let mut child = Command::new(program)
        .args(&story.program[1..])
        .current_dir(programs())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", story.program[0]));
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", job(server, story)).unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (Run { child, lines }, input)
}

/// The settings of the pool in the words of the programs.
fn job(server: &Server, story: &Story) -> Value {
    let pool = story.settings();
    let sweep = match pool.sweep {
        Sweep::Every(period) => Some(period.as_secs()),
        _ => None,
    };
    json!({
        "host": server.host(),
        "max": pool.max,
        "min": pool.min,
        "max_idle": pool.max_idle.unwrap_or(pool.max),
        "max_lifetime": pool.max_lifetime.0.map(Span::as_secs),
        "idle_timeout": pool.idle_timeout.0.map(Span::as_secs),
        "sweep": sweep,
        "requests": story.requests,
        "until": UNTIL,
    })
}

impl Run {
    fn next(&mut self) -> Option<Value> {
        self.lines.next().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
    }

    /// Waits for the end of the load.
    pub fn finish(mut self) -> Told {
        let began = self.next().expect("a program that begins")["at"].as_f64().unwrap();
        let events = std::iter::from_fn(|| self.next()).collect();
        assert!(self.child.wait().unwrap().success(), "a program failed");
        Told { began, events }
    }
}

impl Told {
    /// What became of the load: what the program said of its requests, and the server of connections.
    pub fn trace(&self, log: &str, story: &Story) -> Trace {
        let mut raw = self.connections(log, story);
        for event in &self.events {
            let request = event["request"].as_u64().unwrap() as usize + 1;
            let what = match event["event"].as_str().unwrap() {
                "got" => Event::Gets { request, connection: event["pid"].as_u64().unwrap() as usize },
                "released" => Event::GivesBack { request },
                _ => continue,
            };
            raw.push((event["at"].as_f64().unwrap() - self.began, what));
        }
        Trace::numbered(raw)
    }

    /// The lines of the log that tell of this program's connections.
    fn connections(&self, log: &str, story: &Story) -> Vec<(f64, Event)> {
        let mut found = Vec::new();
        for line in log.lines() {
            let mut words = line.splitn(4, ' ');
            let Some(at) = words.next().and_then(|at| at.parse::<f64>().ok()) else { continue };
            let (pid, application, message) = (words.next(), words.next(), words.next().unwrap_or_default());
            let connection: usize = pid.and_then(|pid| pid.parse().ok()).expect("the number of a process");
            let at = at - self.began;
            let named = format!("application_name={}", story.library);
            let opens = message.contains("connection authorized") && message.ends_with(&named);
            if opens && at > 0.0 {
                found.push((at, Event::Opens(connection)));
            } else if message.contains("disconnection")
                && application == Some(story.library)
                && (0.0..UNTIL).contains(&at)
            {
                found.push((at, Event::Closes(connection)));
            }
        }
        found
    }

    /// By how much the latest of the requests asked later than it should have.
    pub fn latest_request(&self, story: &Story) -> f64 {
        let asked = self.events.iter().filter(|event| event["event"] == "asked");
        let late = asked.map(|event| {
            let planned = story.requests[event["request"].as_u64().unwrap() as usize].0;
            event["at"].as_f64().unwrap() - self.began - planned
        });
        late.fold(0.0, f64::max)
    }
}
