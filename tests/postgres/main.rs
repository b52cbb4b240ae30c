//! Real programs: `inspect` on what a Postgres says of its connections, and what a PgBouncer does with them.
//!
//! Of `inspect`: several fleets, told apart by `application_name`, open their connections along one timeline
//! of a lifetime; then one snapshot is taken with the documented query and each fleet is inspected by itself.

mod pgbouncer;
mod server;

use serde_json::Value;
use server::Server;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const LIFETIME: f64 = 20.0;
const QUERY: &str = "select backend_start, application_name, client_addr, state from pg_stat_activity";

/// When each connection of a fleet is opened, in seconds.
type Fleet = (&'static str, fn() -> Vec<f64>);

const FLEETS: [Fleet; 5] = [
    ("bunched", || (0..100).map(|n| 3.0 + f64::from(n) * 0.018).collect()),
    ("spread", || (0..100).map(|n| (f64::from(n) + 0.5) * LIFETIME / 100.0).collect()),
    ("opposite", || (0..100).map(|n| 7.0 + f64::from(n / 50) * 10.0 + f64::from(n % 50) * 0.01).collect()),
    ("few", || (0..20).map(|n| (f64::from(n) + 0.5) * LIFETIME / 20.0).collect()),
    ("few-bunched", || (0..20).map(|n| 12.0 + f64::from(n) * 0.01).collect()),
];

/// Runs the program on a table.
fn inspect(table: &[u8], arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_herdsim"))
        .args(["inspect", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(table).unwrap();
    child.wait_with_output().unwrap()
}

fn said(table: &[u8], arguments: &[&str]) -> String {
    let output = inspect(table, arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    println!("$ herdsim inspect - {}\n{text}", arguments.join(" "));
    text
}

#[test]
fn real_connections_get_the_right_verdict() {
    let server = Server::start();
    let mut births: Vec<(f64, &str)> =
        FLEETS.iter().flat_map(|(name, times)| times().into_iter().map(move |at| (at, *name))).collect();
    births.sort_by(|a, b| a.0.total_cmp(&b.0));
    let begin = Instant::now();
    let wait = |seconds: f64| sleep(Duration::from_secs_f64(seconds).saturating_sub(begin.elapsed()));
    let open = |(at, name): &(f64, &str)| {
        wait(*at);
        server.connect(name)
    };
    let connections: Vec<_> = births.iter().map(open).collect();
    wait(LIFETIME);
    let table = server.psql("postgres", &["--csv", "-c", QUERY], "UTC");
    let elsewhere = server.psql("postgres", &["--csv", "-c", QUERY], "<+0530>-05:30");
    server.psql("postgres", &["-c", "create role nosy login"], "UTC");
    let unseen = server.psql("nosy", &["--csv", "-c", QUERY], "UTC");
    drop(connections);

    let text = |name| said(&table, &["--lifetime", "20s", "--application", name]);
    let json = |table: &[u8], name| -> Value {
        serde_json::from_str(&said(table, &["--lifetime", "20s", "--application", name, "--format", "json"]))
            .unwrap()
    };
    let bunched = text("bunched");
    assert!(bunched.starts_with("BUNCHED: 100 of 100 connections (100%) were started within"), "{bunched}");
    let spread = text("spread");
    assert!(spread.starts_with("NOT BUNCHED") && spread.contains("no phase lock is seen"), "{spread}");
    let opposite = text("opposite");
    assert!(opposite.starts_with("BUNCHED in 2 groups: 50 + 50 of 100"), "{opposite}");
    assert!(opposite.contains("in step in two opposite groups"), "{opposite}");
    let few = text("few");
    assert!(few.starts_with("CANNOT TELL: 20 connections are too few"), "{few}");
    assert!(few.contains("would stand out from chance") && few.contains("cannot be excluded"), "{few}");
    assert!(text("few-bunched").starts_with("BUNCHED: 20 of 20"));

    // A storm of 100 comes due a lifetime after it was born, about 17 s before the snapshot.
    let value = json(&table, "bunched");
    assert_eq!(value["storms"].as_array().unwrap().len(), 1);
    assert_eq!(value["storms"][0]["connections"], 100);
    assert_eq!(value["now_from"], "the newest backend_start");
    assert!(value["left_out"].as_u64().unwrap() >= 4, "background processes: {value}");
    let due: f64 = value["age_s"]["oldest"].as_f64().unwrap();
    assert!((16.0..20.0).contains(&due), "{value}");

    // The same from a server that tells another time of day.
    assert!(String::from_utf8_lossy(&elsewhere).contains("+05:30"));
    let born = |value: &Value| value["storms"][0]["born"].clone();
    assert_eq!(born(&json(&elsewhere, "bunched")), born(&value));

    // Who may see nothing is told so, and it is never a pass.
    let nothing = inspect(&unseen, &["--lifetime", "20s", "--fail-if-bunched"]);
    let text = String::from_utf8(nothing.stdout).unwrap();
    assert_eq!(nothing.status.code(), Some(1), "{text}");
    assert!(
        text.starts_with("CANNOT TELL: there are no connections") && text.contains("pg_read_all_stats"),
        "{text}"
    );
}
