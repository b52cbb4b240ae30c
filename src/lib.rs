//! A deterministic discrete-event simulator of a container fleet and its Postgres.
//!
//! A scenario in TOML goes in; tables, charts, verdicts and an exit code come out. The house has seven
//! floors, and each leans only on those below it:
//!
//! | floor | answers |
//! |---|---|
//! | [`engine`] | what is due next, and with what luck |
//! | [`scenario`] | what was asked |
//! | [`model`] | the system: traffic, services, containers, pools, Postgres |
//! | [`measure`] | numbers from facts |
//! | [`experiment`] | many runs, and what they prove |
//! | [`report`] | paper |
//! | [`cli`] | the door |
//!
//! ```
//! use herdsim::experiment;
//! use herdsim::scenario::Document;
//! use std::sync::atomic::{AtomicBool, AtomicU64};
//!
//! let text = r#"
//!     schema_version = 1
//!     title    = "one query on a quiet database"
//!     duration = "10s"
//!     [postgres.primary]
//!     cores = 2
//!     [service.api]
//!     containers = { min = 2, max = 2 }
//!     [service.api.pool.primary]
//!     max = 5
//!     [query.lookup]
//!     cpu = "1ms"
//!     [request.sign-in]
//!     service = "api"
//!     steps   = [{ query = "lookup", on = "primary" }]
//!     [traffic.users]
//!     request = "sign-in"
//!     rate    = "100/s"
//! "#;
//! let (document, _warnings) = Document::from_text("quiet.toml", text)?;
//! let scenario = document.scenario("as-written").expect("every file has it");
//! let (clock, stop) = (AtomicU64::new(0), AtomicBool::new(false));
//! let run = experiment::run(scenario, 1, &clock, &stop).expect("nobody stopped it");
//! let class = &run.measured.classes[0];
//! assert_eq!(class.arrived, class.ended.iter().sum::<u64>() + class.in_flight);
//! # Ok::<(), herdsim::scenario::problem::Problems>(())
//! ```

/// What this program was built from: a hash of the sources that decide what a simulation shows.
pub const BUILD: &str = env!("HERDSIM_BUILD");

pub mod cli;
pub mod engine;
pub mod experiment;
pub mod measure;
pub mod model;
pub mod report;
pub mod scenario;
