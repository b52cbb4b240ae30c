//! What several verbs are asked in the same words: the scenario with its overlays, seeds and variants.

use super::Failure;
use super::console::Console;
use super::seeds::{self, Seeds};
use crate::engine::time::Span;
use crate::report::human;
use crate::scenario::place::SET;
use crate::scenario::problem::{Problems, suggest};
use crate::scenario::{Document, Scenario, units};
use clap::Args;
use std::path::PathBuf;

/// A scenario and what is laid over it. Order: the file, `--with` files, the variant, `--set`.
#[derive(Clone, Debug, Args)]
pub struct ScenarioArgs {
    /// The scenario, a TOML file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Lay another file's values over it (may be repeated).
    #[arg(long, value_name = "FILE")]
    pub with: Vec<PathBuf>,
    /// Lay a value over it, such as `service.*.pool.*.max_lifetime=17m` (may be repeated); `x2` doubles what
    /// stands.
    #[arg(long, value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub set: Vec<String>,
    /// Simulated time, such as `10m` or `90s`; short for `--set duration=…`.
    #[arg(long, value_name = "SPAN", value_parser = units::parse_span)]
    pub duration: Option<Span>,
    /// What a point of a sweep lays over it, each with the option that it comes from.
    #[arg(skip)]
    pub point: Vec<(&'static str, String)>,
}

impl ScenarioArgs {
    /// Reads the scenario, to be run with these seeds; warnings are counted, problems are shown and end the
    /// verb.
    ///
    /// # Errors
    /// [`Failure::Scenario`] if it has problems.
    pub fn load(&self, seeding: &Seeding, console: &Console) -> Result<Document, Failure> {
        self.read(seeding, console).map_err(|_| Failure::Scenario(1))
    }

    /// The same; the problems come back, for those who tell them once more.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(&self, seeding: &Seeding, console: &Console) -> Result<Document, Problems> {
        let set = |argument: String| (SET, argument);
        let (before, after) = (self.set.iter().cloned(), self.span().into_iter().chain(seeding.overlay()));
        let given: Vec<_> = before.map(set).chain(self.point.iter().cloned()).chain(after.map(set)).collect();
        match Document::load_given(&self.file, &self.with, &given) {
            Ok((document, warnings)) => {
                if console.verbose() {
                    console.problems(&warnings.render(console.stderr_colour()));
                } else if !warnings.is_empty() {
                    let count = human::plural(warnings.iter().count(), "warning");
                    console.note(&format!("{}: {count}, told with -v", self.file.display()));
                }
                Ok(document)
            }
            Err(problems) => {
                let errors = problems.errors();
                let told = if console.verbose() { &problems } else { &errors };
                console.problems(&told.render(console.stderr_colour()));
                Err(errors)
            }
        }
    }

    /// The file's name without its ending.
    pub fn stem(&self) -> String {
        self.file.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy().into_owned())
    }

    /// The file and its overlays as arguments.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![self.file.display().to_string()];
        for file in &self.with {
            arguments.extend(["--with".to_owned(), file.display().to_string()]);
        }
        for overlay in self.overlays() {
            arguments.extend(["--set".to_owned(), overlay]);
        }
        arguments
    }

    /// The same as a shell takes it.
    pub fn shown(&self) -> String {
        let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%\\".contains(c);
        let quoted = |word: String| format!("'{}'", word.replace('\'', "'\\''"));
        let word = |word: String| if word.chars().all(plain) { word } else { quoted(word) };
        self.arguments().into_iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn overlays(&self) -> Vec<String> {
        self.set.iter().cloned().chain(self.span()).collect()
    }

    fn span(&self) -> Option<String> {
        self.duration.map(|span| format!("duration={span}"))
    }
}

/// A `--set` argument as it is.
///
/// # Errors
/// If there is no path or no value.
pub fn path_and_value(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((path, _)) if !path.trim().is_empty() => Ok(text.to_owned()),
        _ => Err("write a path, `=` and a value, such as `duration=10m`".to_owned()),
    }
}

/// Which seeds; those of the scenario if nothing is said.
#[derive(Clone, Debug, Default, Args)]
pub struct Seeding {
    /// Only this seed.
    #[arg(long, value_name = "N", conflicts_with = "seeds", value_parser = seeds::one)]
    seed: Option<u64>,
    /// These seeds: `1,2,3`, `1..10` (1 to 10) or `10` (the first ten) [default: the scenario's].
    #[arg(long, value_name = "LIST", value_parser = seeds::parse)]
    seeds: Option<Seeds>,
}

impl Seeding {
    /// These, unless seeds were asked for.
    pub fn or(&self, seeds: &[u64]) -> Seeding {
        if self.asked() { self.clone() } else { Seeding { seed: None, seeds: Some(Seeds(seeds.to_vec())) } }
    }

    /// Whether seeds were asked for.
    pub fn asked(&self) -> bool {
        self.seed.is_some() || self.seeds.is_some()
    }

    /// Seeds are a value of the scenario like any other: its checks and its resolved form must know them.
    fn overlay(&self) -> Option<String> {
        let seeds = match (self.seed, &self.seeds) {
            (Some(seed), _) => vec![seed],
            (None, Some(Seeds(seeds))) => seeds.clone(),
            (None, None) => return None,
        };
        Some(format!("seeds={seeds:?}"))
    }
}

/// The scenario of a variant.
///
/// # Errors
/// [`Failure::Usage`] with the nearest name, or all of them.
pub fn variant<'a>(document: &'a Document, name: &str) -> Result<&'a Scenario, Failure> {
    let names = || document.scenarios.keys().map(String::as_str).collect::<Vec<_>>();
    document.scenario(name).ok_or_else(|| unknown_variant(name, &names()))
}

/// That there is no such variant, with the nearest name, or all of them.
pub fn unknown_variant(name: &str, names: &[&str]) -> Failure {
    Failure::Usage(format!("unknown variant `{name}`; {}", suggest(name, names.iter().copied())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_path_and_a_value() {
        assert!(path_and_value("duration=10m").is_ok());
        assert!(path_and_value("duration").is_err());
        assert!(path_and_value("=10m").is_err());
    }
}
