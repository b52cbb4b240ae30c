//! Plays a fixed load on the connection pool of sqlx, bb8 or deadpool, and says what became of it.
//!
//! `libraries sqlx` reads a job as one line of JSON, says that it is ready, and waits for a second line. Then
//! it makes the pool and lets each request ask for a connection at its time, run one query on it, keep it and
//! give it back. Every event is one line of JSON with its time in seconds since 1970. It ends without closing
//! the pool.

mod bb8;
mod deadpool;
mod sqlx;

use serde::Deserialize;
use std::io::stdin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep_until};

/// What is to be done. Times in seconds; what is absent is off.
#[derive(Deserialize)]
struct Job {
    /// The directory of the server's socket.
    host: String,
    max: u32,
    min: u32,
    max_lifetime: Option<f64>,
    idle_timeout: Option<f64>,
    /// The period of a sweep, for a library that takes one.
    sweep: Option<f64>,
    /// When each request asks, and for how long it keeps what it gets.
    requests: Vec<(f64, f64)>,
    until: f64,
}

impl Job {
    fn lifetime(&self) -> Option<Duration> {
        self.max_lifetime.map(Duration::from_secs_f64)
    }

    fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout.map(Duration::from_secs_f64)
    }

    /// What libpq would be told.
    fn conninfo(&self, application: &str) -> String {
        format!("host={} user=postgres dbname=postgres application_name={application}", self.host)
    }
}

/// A library's pool.
trait Library: Send + Sync + 'static {
    /// A connection that is out. It goes back when it is dropped.
    type Held: Send;

    /// Waits for one.
    fn acquire(&self) -> impl Future<Output = Self::Held> + Send;

    /// The number of its backend, as the server says it.
    fn pid(held: &mut Self::Held) -> impl Future<Output = i32> + Send;
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let library = std::env::args().nth(1).expect("the name of a library");
    let mut line = String::new();
    stdin().read_line(&mut line).expect("a job");
    let job: Job = serde_json::from_str(&line).expect("a job");
    println!(r#"{{"event":"ready"}}"#);
    stdin().read_line(&mut line).expect("a second line");
    let begin = Instant::now();
    println!(r#"{{"event":"began","at":{:.4}}}"#, epoch());
    match library.as_str() {
        "sqlx" => play(sqlx::pool(&job).await, &job, begin).await,
        "bb8" => play(bb8::pool(&job).await, &job, begin).await,
        "deadpool" => play(deadpool::pool(&job), &job, begin).await,
        other => panic!("no program for {other}"),
    }
}

async fn play<L: Library>(pool: L, job: &Job, begin: Instant) {
    let pool = Arc::new(pool);
    for (request, (at, hold)) in job.requests.iter().copied().enumerate() {
        let pool = pool.clone();
        tokio::spawn(async move {
            sleep_until(begin + Duration::from_secs_f64(at)).await;
            say("asked", request, None);
            let mut held = pool.acquire().await;
            let pid = L::pid(&mut held).await;
            let got = Instant::now();
            say("got", request, Some(pid));
            sleep_until(got + Duration::from_secs_f64(hold)).await;
            say("released", request, None);
        });
    }
    sleep_until(begin + Duration::from_secs_f64(job.until)).await;
    std::process::exit(0);
}

fn say(event: &str, request: usize, pid: Option<i32>) {
    let pid = pid.map(|pid| format!(r#","pid":{pid}"#)).unwrap_or_default();
    println!(r#"{{"event":"{event}","request":{request}{pid},"at":{:.4}}}"#, epoch());
}

fn epoch() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}
