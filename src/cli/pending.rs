//! Stand-ins for the floors that are being built; this file goes away when they have landed.

/// Floor 4.
pub mod experiment {
    use crate::experiment::{Run, run};
    use crate::scenario::Scenario;
    use std::sync::atomic::{AtomicBool, AtomicU64};

    /// One after the other.
    pub fn run_all(
        jobs: &[(&Scenario, u64)],
        _threads: Option<usize>,
        progress: &(dyn Fn(f64) + Sync),
        stop: &AtomicBool,
    ) -> Vec<Run> {
        let mut runs = Vec::new();
        for (scenario, seed) in jobs {
            runs.extend(run(scenario, *seed, &AtomicU64::new(0), stop));
            progress(runs.len() as f64 / jobs.len() as f64);
        }
        runs
    }

    /// Verdicts.
    pub mod expect {
        use crate::experiment::{Judged, Run, Verdict};
        use crate::scenario::Document;

        /// Everything is inconclusive.
        pub fn judge(document: &Document, _runs: &[Run]) -> Vec<Judged> {
            let file = document.scenarios.values().next().map(|scenario| scenario.file.clone());
            let expectations = file.map_or(Vec::new(), |file| file.expect.clone().into_iter().collect());
            let judged = expectations.into_iter().map(|(name, expect)| Judged {
                name,
                variant: expect.variant,
                claim: expect.metric,
                unit: "share",
                values: vec![],
                verdict: Verdict::Inconclusive,
                because: "nothing was run".to_owned(),
            });
            judged.collect()
        }
    }
}

/// Floor 5.
pub mod report {
    use crate::experiment::{Judged, Run};
    use crate::measure::SummaryRow;
    use crate::scenario::Scenario;
    use serde_json::Value;
    use std::{fs, io, path::Path};

    /// What paper needs to know of a scenario.
    pub struct Header {
        name: String,
    }

    impl Header {
        /// Of a scenario.
        pub fn of(name: &str, _scenario: &Scenario) -> Header {
            Header { name: name.to_owned() }
        }
    }

    /// What a directory is written from.
    #[allow(dead_code, missing_docs)]
    pub struct Paper<'a> {
        pub header: &'a Header,
        pub runs: &'a [Run],
        pub summaries: &'a [Vec<SummaryRow>],
        pub judged: &'a [Judged],
        pub resolved: &'a [(String, String)],
        pub argv: &'a [String],
        pub complete: bool,
        pub timing: &'a Value,
        pub plots: bool,
        pub extra: &'a [(String, Vec<u8>)],
    }

    /// Writes a manifest.
    pub fn write(dir: &Path, paper: &Paper) -> io::Result<Vec<String>> {
        fs::create_dir_all(dir)?;
        let text = serde_json::json!({ "tool": "herdsim", "complete": paper.complete, "argv": paper.argv });
        fs::write(dir.join("manifest.json"), text.to_string())?;
        Ok(vec!["manifest.json".to_owned()])
    }

    /// Draws nothing.
    pub fn redraw(dir: &Path) -> Result<Vec<String>, String> {
        let read = fs::read_to_string(dir.join("manifest.json"));
        read.map(|_| Vec::new()).map_err(|error| format!("{}: {error}", dir.display()))
    }

    /// Tables.
    pub mod terminal {
        use super::{Header, Judged, Run};

        /// With or without colour.
        #[derive(Clone, Copy)]
        pub enum Paint {
            /// Without.
            Plain,
            /// With.
            Colour,
        }

        /// A run.
        pub fn run(header: &Header, run: &Run, judged: &[Judged], _paint: Paint) -> String {
            let verdicts: String = judged.iter().map(|j| format!("{:?} {}\n", j.verdict, j.name)).collect();
            format!("{verdicts}{} {} seed {}\n", header.name, run.variant, run.seed)
        }
        /// Runs.
        pub fn compare(header: &Header, runs: &[Run], judged: &[Judged], paint: Paint) -> String {
            runs.iter().map(|one| run(header, one, judged, paint)).collect()
        }
        /// Markdown.
        pub fn compare_markdown(header: &Header, runs: &[Run], _judged: &[Judged]) -> String {
            format!("| {} | {} |\n", header.name, runs.len())
        }
    }
}
