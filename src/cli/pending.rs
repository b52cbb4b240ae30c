//! Stand-ins for the floors that are being built; this file goes away when they have landed.

use crate::measure::Measured;
use crate::scenario::grammar::File;
use crate::scenario::{AS_WRITTEN, Document, Scenario};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is wrong.
pub struct Problems(Vec<String>);

impl Problems {
    /// As text.
    pub fn render(&self, _colour: bool) -> String {
        self.0.iter().map(|problem| format!("error: {problem}\n")).collect()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Document {
    /// Reads a scenario; of the overlays, only `--set KEY=VALUE` at the top.
    pub fn load(path: &Path, _with: &[PathBuf], set: &[String]) -> Result<(Document, Problems), Problems> {
        let problem = |error: &dyn std::fmt::Display| Problems(vec![format!("{}: {error}", path.display())]);
        let text = std::fs::read_to_string(path).map_err(|error| problem(&error))?;
        let mut tree: toml::Table = toml::from_str(&text).map_err(|error| problem(&error))?;
        for (key, value) in set.iter().filter_map(|pair| pair.split_once('=')) {
            let text = value;
            let read = toml::from_str::<toml::Table>(&format!("value = {value}"));
            let value = read.ok().and_then(|mut table| table.remove("value"));
            tree.insert(key.to_owned(), value.unwrap_or_else(|| text.into()));
        }
        let mut tree = toml::Value::Table(tree);
        dates_to_text(&mut tree);
        let json = serde_json::to_value(&tree).map_err(|error| problem(&error))?;
        let file: File = serde_json::from_value(json).map_err(|error| problem(&error))?;
        let file = Arc::new(file);
        let names = std::iter::once(AS_WRITTEN.to_owned()).chain(file.variant.keys().cloned());
        let scenarios = names.map(|variant| {
            let file = file.clone();
            (variant.clone(), Scenario { variant, file, timeline: Vec::new(), tables: BTreeMap::new() })
        });
        Ok((Document { scenarios: scenarios.collect() }, Problems(Vec::new())))
    }

    /// The scenario of a variant.
    pub fn scenario(&self, variant: &str) -> Option<&Scenario> {
        self.scenarios.get(variant)
    }

    /// What a bare `compare` shows.
    pub fn compared(&self) -> Vec<&Scenario> {
        let names = self.scenarios.values().next().map_or(Vec::new(), |s| s.file.compare.clone());
        self.scenarios.values().filter(|s| names.is_empty() || names.contains(&s.variant)).collect()
    }
}

fn dates_to_text(value: &mut toml::Value) {
    match value {
        toml::Value::Datetime(date) => *value = toml::Value::String(date.to_string()),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| dates_to_text(value)),
        _ => {}
    }
}

impl Scenario {
    /// As TOML.
    pub fn resolved(&self) -> String {
        toml::to_string(&*self.file).unwrap_or_default()
    }

    /// No paths.
    pub fn without_source(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Floor 1.
pub mod scenario {
    /// The schema.
    pub fn schema_json() -> String {
        serde_json::to_string_pretty(&schemars::schema_for!(super::File)).unwrap_or_default()
    }
}

/// Floor 4.
pub mod experiment {
    use super::{Measured, Scenario};
    use crate::experiment::Run;
    use std::sync::atomic::AtomicBool;

    /// Runs nothing at all.
    pub fn run_all(
        jobs: &[(&Scenario, u64)],
        _threads: Option<usize>,
        progress: &(dyn Fn(f64) + Sync),
        _stop: &AtomicBool,
    ) -> Vec<Run> {
        progress(1.0);
        let empty = |duration| Measured {
            duration,
            classes: vec![],
            services: vec![],
            nodes: vec![],
            levels: vec![],
            dashboard: vec![],
            spikes: vec![],
            recoveries: vec![],
            marks: vec![],
        };
        jobs.iter()
            .map(|(s, seed)| Run {
                variant: s.variant.clone(),
                seed: *seed,
                measured: empty(s.file.duration),
            })
            .collect()
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

/// Floor 3.
pub mod measure {
    /// Summaries.
    pub mod summary {
        use crate::measure::{Measured, SummaryRow};

        /// No rows.
        pub fn rows(_measured: &Measured) -> Vec<SummaryRow> {
            Vec::new()
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

    /// What a directory holds.
    #[allow(missing_docs)]
    pub struct Loaded {
        pub header: Header,
        pub runs: Vec<Run>,
    }

    /// Writes a manifest.
    pub fn write(dir: &Path, paper: &Paper) -> io::Result<Vec<String>> {
        fs::create_dir_all(dir)?;
        let text = serde_json::json!({ "tool": "herdsim", "complete": paper.complete, "argv": paper.argv });
        fs::write(dir.join("manifest.json"), text.to_string())?;
        Ok(vec!["manifest.json".to_owned()])
    }

    /// Reads a manifest.
    pub fn load(dir: &Path) -> Result<Loaded, String> {
        let read = fs::read_to_string(dir.join("manifest.json"));
        read.map_err(|error| format!("{}: {error}", dir.display()))?;
        Ok(Loaded { header: Header { name: String::new() }, runs: Vec::new() })
    }

    /// Directories.
    pub mod directory {
        use super::{Header, Run};

        /// Draws nothing.
        pub fn pictures(_header: &Header, _runs: &[Run]) -> Vec<(String, Vec<u8>)> {
            Vec::new()
        }
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
