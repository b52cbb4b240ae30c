//! Many runs of one scenario: simulate, judge, write the directory, say how it went.

use super::Failure;
use super::console::Console;
use super::output::{self, Results};
use super::progress::Progress;
use super::{inputs::ScenarioArgs, interrupt};
use crate::engine::time::Span;
use crate::experiment::{self, Judged, Verdict, kick};
use crate::report::{Header, human};
use crate::scenario::grammar::Expect;
use crate::scenario::{Document, Scenario};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// How to run, and where the results go.
#[derive(Clone, Debug, Args)]
pub struct Running {
    /// Threads [default: one for each core].
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Where the results go; replaces an earlier run directory, and nothing else.
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write tables only.
    #[arg(long)]
    pub no_plots: bool,
}

/// How to run, and what to do with the results.
#[derive(Clone, Debug, Args)]
pub struct Handling {
    #[command(flatten)]
    pub running: Running,
    /// End with 0 even if an expectation failed or is inconclusive.
    #[arg(long)]
    pub exit_zero: bool,
}

/// A batch that is about to run.
pub struct Batch<'a> {
    /// The file and its overlays, as asked for.
    pub source: &'a ScenarioArgs,
    /// The scenario with all its variants.
    pub document: &'a Document,
    /// What is run.
    pub jobs: Vec<(&'a Scenario, u64)>,
    /// How.
    pub handling: &'a Handling,
    /// `run` or `compare`.
    pub verb: &'static str,
    /// The variant that the others are held against; the first that is run unless one is named.
    pub baseline: Option<&'a str>,
    /// Further files of the run directory.
    pub extra: Vec<(String, Vec<u8>)>,
}

impl Batch<'_> {
    /// Runs all jobs, writes the directory, prints what `render` makes of the results and then the verdicts.
    ///
    /// # Errors
    /// [`Failure::Interrupted`] after Ctrl-C, [`Failure::Io`] if the directory cannot be written,
    /// [`Failure::Expectation`] if one did not pass.
    pub fn perform(
        &self,
        console: &Console,
        render: impl Fn(&Results, &Path) -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        if self.jobs.is_empty() {
            return Err(Failure::Usage("nothing to run: no variant or no seed is chosen".to_owned()));
        }
        let out = self.out();
        output::claim(&out)?;
        if !self.source.with.is_empty() {
            let files: Vec<String> = self.source.with.iter().map(|file| file.display().to_string()).collect();
            console.note(&format!("laid over {}: {}", self.source.file.display(), files.join(", ")));
        }
        let results = self.simulate(console);
        let written = output::write(&out, &results, &self.extra)?;
        console.result(&render(&results, &out)?)?;
        self.close(console, &results);
        console.note(&format!("wrote {}: {}", out.display(), listed(&written)));
        console.note(&format!("next: {}", self.next(&out)));
        verdict(&results, self.handling.exit_zero)
    }

    fn out(&self) -> PathBuf {
        let suffix = if self.verb == "run" { "" } else { "-compare" };
        let by_default = || PathBuf::from("runs").join(self.source.stem() + suffix);
        self.handling.running.out.clone().unwrap_or_else(by_default)
    }

    fn simulate(&self, console: &Console) -> Results {
        // First the handler, then the announcement: whoever reads it may press Ctrl-C.
        let stop = interrupt::listen();
        console.note(&self.announcement());
        let (begun, progress) = (Instant::now(), Progress::new(console));
        let threads = self.handling.running.jobs.map(usize::from);
        let runs = experiment::run_all(&self.jobs, threads, &|share| progress.show(share), stop);
        progress.finish();
        let took = begun.elapsed();
        console.detail(&format!("{} runs took {:.1} s", runs.len(), took.as_secs_f64()));
        let ran = self.variants();
        let mut judged = experiment::expect::judge(self.document, &runs);
        judged
            .retain(|judged| self.expectations().any(|(name, e)| *name == judged.name && decidable(e, &ran)));
        let effects = experiment::effect::effects(self.document, &runs, self.baseline);
        Results {
            header: Header::of(&self.source.stem(), self.jobs[0].0),
            resolved: output::resolved(&self.jobs),
            command: self.command(),
            complete: runs.len() == self.jobs.len() && !stop.load(Ordering::Relaxed),
            interrupted: stop.load(Ordering::Relaxed),
            paired: experiment::paired::paired(&runs, self.baseline),
            plots: !self.handling.running.no_plots,
            runs,
            judged,
            effects,
            took,
        }
    }

    /// The command that gives the same results again: what was asked for, without what cannot change a
    /// result.
    fn command(&self) -> Vec<String> {
        let list = |items: Vec<String>| items.join(",");
        let variants = self.variants().into_iter().map(str::to_owned).collect();
        let mut seeds: Vec<u64> = Vec::new();
        for (_, seed) in &self.jobs {
            if !seeds.contains(seed) {
                seeds.push(*seed);
            }
        }
        let seeds = seeds.iter().map(u64::to_string).collect();
        let which = if self.verb == "run" { "--variant" } else { "--variants" };
        let mut command = vec!["herdsim".to_owned(), self.verb.to_owned()];
        command.extend(self.source.arguments());
        command.extend([which.to_owned(), list(variants), "--seeds".to_owned(), list(seeds)]);
        if let Some(baseline) = self.baseline {
            command.extend(["--baseline".to_owned(), baseline.to_owned()]);
        }
        command
    }

    fn announcement(&self) -> String {
        let variants = self.variants();
        let seeds = self.jobs.len() / variants.len().max(1);
        let duration = self.jobs.first().map_or(String::new(), |(s, _)| s.file.duration.to_string());
        let kicks = kicks(self.jobs.iter().map(|(scenario, _)| *scenario));
        let kicks = kicks.map_or(String::new(), |kicks| format!(", and {kicks}"));
        format!(
            "{}: {} × {}, {duration} each{kicks}",
            self.source.file.display(),
            human::plural(variants.len(), "variant"),
            human::plural(seeds, "seed")
        )
    }

    /// The names of the variants that are run, each once.
    fn variants(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.jobs.iter().map(|(scenario, _)| scenario.variant.as_str()).collect();
        names.dedup();
        names
    }

    fn expectations(&self) -> impl Iterator<Item = (&String, &Expect)> {
        self.document.scenarios.first().into_iter().flat_map(|(_, scenario)| scenario.file.expect.iter())
    }

    /// Verdicts are among the results; what could not be judged is said, so that nobody takes silence for a
    /// pass.
    fn close(&self, console: &Console, results: &Results) {
        let ran = self.variants();
        let left: Vec<&str> =
            self.expectations().filter(|(_, e)| !decidable(e, &ran)).map(|(name, _)| name.as_str()).collect();
        if !left.is_empty() {
            let list = left.join(", ");
            console
                .note(&format!("not judged, for want of their variants: {list} (`herdsim test` runs those)"));
        }
        if !results.complete && !results.interrupted {
            console.note(&format!("only {} of {} runs were finished", results.runs.len(), self.jobs.len()));
        }
    }

    fn next(&self, out: &Path) -> String {
        let scenario = self.source.shown();
        if self.verb == "run" && self.document.scenarios.len() > 1 {
            return format!("herdsim compare {scenario}");
        }
        let pictures = match self.handling.running.no_plots {
            true => format!("herdsim report {}", out.display()),
            false => format!("look at {}", out.join("report.html").display()),
        };
        let seeds = self.jobs.len() / self.variants().len().max(1);
        match seeds < SEEDS {
            true => format!("{pictures}, or: herdsim compare {scenario} --seeds {SEEDS}"),
            false => pictures,
        }
    }
}

/// So many seeds make differences plain.
const SEEDS: usize = 10;

/// Whether the variants that an expectation needs were run; without its control it is judged all the same.
pub fn decidable(expect: &Expect, ran: &[&str]) -> bool {
    std::iter::once(expect.variant.as_str()).chain(expect.references()).all(|variant| ran.contains(&variant))
}

/// Files by name; of pictures only how many.
pub fn listed(files: &[String]) -> String {
    let (pictures, tables): (Vec<&String>, Vec<&String>) =
        files.iter().partition(|file| file.starts_with("plots/"));
    let mut names: Vec<String> = tables.into_iter().cloned().collect();
    if !pictures.is_empty() {
        names.push(format!("plots/ ({})", human::plural(pictures.len(), "picture")));
    }
    names.join(", ")
}

/// How the verb ends.
///
/// # Errors
/// [`Failure::Interrupted`], [`Failure::Io`] if a run is missing, [`Failure::Expectation`].
pub fn verdict(results: &Results, exit_zero: bool) -> Result<(), Failure> {
    if results.interrupted {
        return Err(Failure::Interrupted);
    }
    if !results.complete {
        return Err(Failure::Io("not every run was finished".to_owned()));
    }
    let failed = results.judged.iter().filter(|judged| !passed(judged)).count();
    if failed == 0 || exit_zero {
        return Ok(());
    }
    Err(Failure::Expectation { failed, judged: results.judged.len() })
}

fn passed(judged: &Judged) -> bool {
    judged.verdict == Verdict::Pass
}

/// The kick tests that come with these runs, and how long they are: `3 kick tests of 4h31m`. A kick takes
/// lifetimes, however short the scenario is.
pub fn kicks<'a>(scenarios: impl Iterator<Item = &'a Scenario>) -> Option<String> {
    let all: Vec<Span> = scenarios.flat_map(kick::asked).map(|kick| kick.scenario.file.duration).collect();
    let (least, most) = (all.iter().min()?, all.iter().max()?);
    let upto = if least == most { "" } else { "up to " };
    let most = human::offset(most.as_secs());
    Some(format!("{} of {upto}{most}", human::plural(all.len(), "kick test")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(max: &str) -> Expect {
        let text =
            format!(r#"{{ "variant": "jitter", "metric": "herd_size", "of": "postgres.p", "max": {max} }}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn an_expectation_needs_every_variant_it_speaks_of() {
        let relative = expect(r#"{ "times": 1.3, "of": "variant.as-it-happened" }"#);
        assert!(decidable(&expect(r#""5%""#), &["jitter"]));
        assert!(!decidable(&expect(r#""5%""#), &["as-written"]));
        assert!(!decidable(&relative, &["jitter"]));
        assert!(decidable(&relative, &["as-it-happened", "jitter"]));
    }
}
