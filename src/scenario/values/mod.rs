//! `[values_from]`: settings read at test time from where they live, so that a check sees the real ones.
//!
//! In life a copy of a setting is wrong from the first change of the original on. Read here: the YAML of a
//! Cloud Run service, a connection string with pgxpool's parameters, and any TOML, JSON or YAML file value by
//! value. What was read is an overlay like any other. Left out: settings that a program computes.

pub mod cloud_run;
pub mod document;
pub mod dsn;

use super::grammar::{FileValues, PgxpoolValues, ValuesFrom};
use super::overlay;
use super::problem::{Problem, Problems};
use super::tree::{Layer, Node, Origin};
use indexmap::IndexMap;
use serde_json::Value;
use std::path::Path;

/// Paths of the scenario and their values.
pub type Values = IndexMap<String, Value>;

/// Lays what `[values_from]` names over the file. Entries that are not of the grammar are left to its check.
pub fn lay(written: &mut Node, base: &Path, problems: &mut Problems) {
    let entries = written.child("values_from").and_then(Node::entries).cloned().unwrap_or_default();
    for (name, node) in &entries {
        let Ok(from) = serde_json::from_value::<ValuesFrom>(node.to_json()) else { continue };
        match read(&from, base) {
            Ok(values) => {
                let layer = Layer::ValuesFrom(name.as_str().into());
                let origin = Origin { layer: layer.clone(), value: node.place(), key: node.place() };
                let pairs = values.iter();
                let nodes =
                    pairs.filter_map(|(path, one)| Some((path.clone(), Node::from_json(one, &origin)?)));
                overlay::lay(written, &nodes.collect(), &layer, problems);
            }
            Err(why) => {
                let help = "values are read each time, from where they live: check the name, or leave it out";
                let message = format!("`values_from.{name}`: {why}");
                problems.push(Problem::error(message, node.place()).help(help));
            }
        }
    }
}

/// What an entry says.
///
/// # Errors
/// A file that cannot be read or does not hold what is wanted, a variable that is not set.
fn read(from: &ValuesFrom, base: &Path) -> Result<Values, String> {
    match from {
        ValuesFrom::CloudRun(values) => {
            let service = cloud_run::read(&document::read(&base.join(&values.file))?)?;
            Ok(service.values(&values.service))
        }
        ValuesFrom::Pgxpool(values) => {
            let settings = dsn::read(&connection_string(values, base)?)?;
            Ok(settings.values(&values.pool))
        }
        ValuesFrom::File(values) => by_path(values, base),
    }
}

fn connection_string(values: &PgxpoolValues, base: &Path) -> Result<String, String> {
    match (&values.env, &values.file) {
        (Some(name), None) => {
            std::env::var(name).map_err(|_| format!("the environment variable `{name}` is not set"))
        }
        (None, Some(file)) => document::text_at(&base.join(file), values.at.as_deref()),
        _ => Err("name either `env` or `file`".to_owned()),
    }
}

fn by_path(values: &FileValues, base: &Path) -> Result<Values, String> {
    let document = document::read(&base.join(&values.file))?;
    let mut found = Values::new();
    for (path, at) in &values.values {
        let value = document::at(&document, at).ok_or_else(|| format!("`{}` has no `{at}`", values.file))?;
        let value = match (values.units.get(path), value) {
            (Some(unit), Value::Number(number)) => Value::String(format!("{number}{unit}")),
            (_, other) => other.clone(),
        };
        found.insert(path.clone(), value);
    }
    Ok(found)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
