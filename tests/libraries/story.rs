//! What is played on each library: a pool of three connections that live for four seconds, as a scenario file
//! says it, and a load.

use herdsim::scenario::grammar;
use herdsim::scenario::{AS_WRITTEN, Document};

/// A pool and a load. Times in seconds.
pub struct Story {
    /// Its preset, its name in `golden/`, and the name under which its program connects.
    pub library: &'static str,
    /// The program and its arguments, below `programs/`.
    pub program: &'static [&'static str],
    /// What else of the pool is written, as in a scenario file.
    pub pool: &'static str,
    /// When each request asks, and for how long it keeps what it gets.
    pub requests: &'static [(f64, f64)],
}

/// When the last of a story has been told.
pub const UNTIL: f64 = 15.4;

/// One for each library.
pub const STORIES: [Story; 8] = [
    // A floor of one: what is closed below it is dialled again at once, or by the sweep.
    Story {
        library: "sqlx",
        program: &[RUST, "sqlx"],
        pool: r#"
            min          = 1
            idle_timeout = "none"
            sweep        = { every = "4s" }
        "#,
        requests: &REQUESTS,
    },
    Story {
        library: "bb8",
        program: &[RUST, "bb8"],
        pool: r#"
            idle_timeout = "none"
            sweep        = { every = "3s" }
        "#,
        requests: &REQUESTS,
    },
    // The lifetime is a hook's, which looks at it before a connection is handed out.
    Story { library: "deadpool", program: &[RUST, "deadpool"], pool: "", requests: &REQUESTS },
    // A floor of one, which lets it grow; each connection lives for 3.8 to 4 s.
    Story {
        library: "psycopg",
        program: &["python/.venv/bin/python", "python/psycopg_pool_load.py"],
        pool: "min = 1",
        requests: &REQUESTS,
    },
    // Two that stay, and one more that is closed when it comes back.
    Story {
        library: "sqlalchemy",
        program: &["python/.venv/bin/python", "python/sqlalchemy_load.py"],
        pool: "max_idle = 2",
        requests: &REQUESTS,
    },
    Story {
        library: "pg-pool",
        program: &["node", "node/pg-pool.mjs"],
        pool: r#" idle_timeout = "2.5s" "#,
        requests: &REQUESTS,
    },
    // A lifetime that is given has no random part.
    Story {
        library: "postgres-js",
        program: &["node", "node/postgres-js.mjs"],
        pool: r#"
            max_lifetime_jitter = "0s"
            idle_timeout        = "2.5s"
        "#,
        requests: &REQUESTS,
    },
    Story { library: "database-sql", program: &["go/load"], pool: "", requests: &ONE_WAITER },
];

const RUST: &str = "rust/target/debug/libraries";

/// Three are wanted while one is there; two wait for a full pool; then all rest until they have grown old, a
/// request may meet such a one, and three more what is left.
const REQUESTS: [(f64, f64); 10] = [
    (1.5, 0.5),
    (2.75, 1.25),
    (3.25, 2.5),
    (3.5, 2.5),
    (3.75, 1.3),
    (4.5, 1.3),
    (8.8, 0.5),
    (9.55, 1.0),
    (12.7, 1.2),
    (13.4, 0.5),
];

/// database/sql serves its waiters in no order, so that one at most may wait. The second request meets what is
/// old and has not been looked over; later two come back too old while one waits, and the opener dials for
/// each.
const ONE_WAITER: [(f64, f64); 10] = [
    (0.25, 0.5),
    (5.5, 0.7),
    (6.4, 1.0),
    (6.7, 1.6),
    (6.95, 1.5),
    (10.0, 2.0),
    (10.2, 2.5),
    (10.4, 2.8),
    (11.3, 0.5),
    (14.4, 0.4),
];

const AROUND: &str = r#"
schema_version = 1
title    = "One pool"
duration = "1h"
[postgres.primary]
cores = 4
[service.api]
containers = { min = 1, max = 1 }
[query.lookup]
cpu = "1ms"
[request.sign-in]
service = "api"
steps   = [{ query = "lookup", on = "primary" }]
[traffic.users]
request = "sign-in"
rate    = "1/s"
[service.api.pool.primary]
max          = 3
max_lifetime = "4s"
"#;

impl Story {
    /// The settings of the pool, with what the preset fills in.
    pub fn settings(&self) -> grammar::Pool {
        let text = format!("{AROUND}preset = \"{}\"\n{}", self.library, self.pool);
        let (document, _) = Document::from_text("pool.toml", &text).expect("a sound pool");
        document.scenario(AS_WRITTEN).unwrap().file.service["api"].pool["primary"].clone()
    }
}
