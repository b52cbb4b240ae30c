//! Remedies: `--with` files that are meant for any scenario that has a place for them.
//!
//! What no scenario could take, a misspelt key or a value of the wrong kind, is the file's own mistake and is
//! told with its line. What one scenario has no place for, or refuses, only does not fit there.

use super::Scenario;
use super::conform;
use super::grammar::Overlay;
use super::load::with_overlay;
use super::overlay::{self, DeadEnd};
use super::problem::{Problem, Problems, suggest};
use super::schema::{self, Shape};
use super::tree::{self, Layer, Node};
use std::path::Path;

/// A file of values that is meant for any scenario that has a place for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// What it is called, if it says so.
    pub title: Option<String>,
    /// Why it may help.
    pub why: String,
    /// Paths and the values laid over them.
    pub set: Overlay,
}

impl Remedy {
    /// Reads a remedy: what a `--with` file holds.
    ///
    /// # Errors
    /// It cannot be read, is no TOML, or holds what fits no scenario.
    pub fn load(path: &Path) -> Result<Remedy, Problems> {
        let node = tree::read(path, 0).and_then(|source| tree::parse(&source, &Layer::With))?;
        let text = |key: &str| node.child(key).and_then(Node::text).map(str::to_owned);
        let (title, why) = (text("title"), text("why").unwrap_or_default());
        let set = with_overlay(node).unwrap_or_default();
        let mut problems = Problems::default();
        set.iter().for_each(|(path, value)| check(path, value, &mut problems));
        if problems.has_errors() {
            return Err(problems);
        }
        let set = set.into_iter().map(|(path, value)| (path, value.to_json())).collect();
        Ok(Remedy { title, why, set })
    }
}

impl Scenario {
    /// This scenario with a remedy on top of everything; paths of it that lead nowhere here are left out.
    ///
    /// # Errors
    /// None of its paths leads anywhere (why, of the first), or what it sets is refused.
    pub fn remedied(&self, name: &str, remedy: &Remedy) -> Result<Scenario, String> {
        let (mut set, mut dead_end) = (Overlay::new(), None);
        for (path, value) in &remedy.set {
            match overlay::expand(&self.standing, path) {
                Ok(_) => drop(set.insert(path.clone(), value.clone())),
                Err((what, _)) => drop(dead_end.get_or_insert(what)),
            }
        }
        if set.is_empty() {
            return Err(dead_end.unwrap_or_else(|| "it sets nothing".to_owned()));
        }
        let refused = |problems: Problems| {
            problems.iter().next().map_or_else(String::new, |problem| problem.message.clone())
        };
        self.with(name, &set, &[]).map_err(refused)
    }
}

/// Checks one path and its value against the grammar alone.
fn check(path: &str, value: &Node, problems: &mut Problems) {
    let names: Vec<&str> = path.split('.').map(str::trim).collect();
    let place = || value.origin.key.clone().or_else(|| value.place());
    match shape_of(schema::root(), &names, "a scenario") {
        Err((what, help)) => {
            problems.push(Problem::error(format!("`{path}` matches nothing: {what}"), place()).help(help));
        }
        Ok(shape) => match overlay::replaces_all(shape, path, value) {
            Some((what, help)) => problems.push(Problem::error(what, value.place()).help(help)),
            // A table may lack what a preset fills in, and what stands is scaled, whatever its kind.
            None if value.entries().is_some() || overlay::factor(value).is_some() => {}
            None => conform::check(value, shape, names.last().copied().unwrap_or_default(), problems),
        },
    }
}

/// The shape at the end of a path, whatever the names of the entities on the way.
fn shape_of<'a>(shape: &'a Shape, names: &[&str], here: &str) -> Result<&'a Shape, DeadEnd> {
    let Some((name, rest)) = names.split_first() else { return Ok(shape) };
    let quoted = format!("`{name}`");
    match shape {
        Shape::Table(fields) => match fields.get(*name) {
            Some(field) => shape_of(&field.shape, rest, &quoted),
            None => {
                Err((format!("{here} has no key {quoted}"), suggest(name, fields.keys().map(|k| &k[..]))))
            }
        },
        Shape::Map(inner) if !matches!(**inner, Shape::Any) => shape_of(inner, rest, &quoted),
        Shape::Choice(choices) => match choices.get(*name) {
            Some(Some(inner)) => shape_of(inner, rest, &quoted),
            _ => Err((format!("{here} has no {quoted}"), suggest(name, choices.keys().map(|k| &k[..])))),
        },
        Shape::Either(shapes) => {
            let mut each = shapes.iter().map(|shape| shape_of(shape, names, here));
            let (mut found, last) = (each.by_ref().find(Result::is_ok), shapes.last());
            found.take().or_else(|| last.map(|shape| shape_of(shape, names, here))).unwrap_or(Ok(shape))
        }
        Shape::List(..) | Shape::Map(_) => {
            Err((format!("{here} is replaced as a whole"), format!("end the path at {here}")))
        }
        _ => Err((format!("{here} is a single value"), format!("end the path at {here}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("remedy.toml");
        std::fs::write(&file, text).unwrap();
        Remedy::load(&file).err().map_or_else(String::new, |problems| problems.to_string())
    }

    #[test]
    fn what_no_scenario_could_take_is_the_remedys_own_mistake() {
        for (text, said) in [
            ("\"service.*.pool.*.max_lifetime_jiter\" = \"1s\"", "did you mean `max_lifetime_jitter`?"),
            ("\"service.api.containers.max\" = \"many\"", "`max` must be"),
            ("\"job.cleanup.every\" = 3", "write \"3s\""),
            ("\"duration.max\" = 3", "is a single value"),
            ("[postgres.primary]\ncores = 8", "\"postgres.primary.cores\" = 8"),
        ] {
            let told = told(text);
            assert!(told.contains(said) && told.contains("remedy.toml:"), "{text}: {told}");
        }
        for text in ["title = \"x\"\n\"service.*.containers.max\" = \"x2\"", "\"job.none.every\" = \"3s\""] {
            assert_eq!(told(text), "", "{text}");
        }
    }

    #[test]
    fn the_shipped_remedies_are_of_the_grammar() {
        for entry in std::fs::read_dir("remedies").unwrap() {
            let file = entry.unwrap().path();
            assert!(
                file.extension().is_none_or(|ending| ending != "toml") || Remedy::load(&file).is_ok(),
                "{file:?}"
            );
        }
    }
}
