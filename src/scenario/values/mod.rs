//! `[values_from]`: settings read at test time from where they live, so that a check sees the real ones.
//!
//! In life a copy of a setting is wrong from the first change of the original on. Read here: the YAML of a
//! Cloud Run service or of a workload of Kubernetes, a connection string with pgxpool's parameters, and any
//! TOML, JSON or YAML file value by value. What was read is an overlay like any other. Left out: settings
//! that a program computes.

mod cloud_run;
pub mod deployed;
mod document;
pub mod dsn;
mod kubernetes;

use super::complete::complete;
use super::grammar::{FileValues, PgxpoolValues, ValuesFrom};
use super::problem::{Problem, Problems};
use super::schema::{self, Shape};
use super::tree::{Layer, Node, Origin};
use super::{conform, overlay};
use deployed::Deployed;
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
                let standing = complete(written, &mut Problems::default());
                let mut nodes = IndexMap::new();
                for (path, value) in &values {
                    let Some(read) = Node::from_json(value, &origin) else { continue };
                    match fitting(&standing, path, read) {
                        Ok(read) => drop(nodes.insert(path.clone(), read)),
                        Err(why) => {
                            let whence = whence(&from, path).unwrap_or_default();
                            let message = format!("`values_from.{name}`: {why}, and {whence}it is {value}");
                            let help =
                                "mend it where it lives, or leave it out here and write it in this file";
                            problems
                                .push(Problem::error(message, node.place()).help(help).about([path.clone()]));
                        }
                    }
                }
                overlay::lay(written, &nodes, &layer, problems);
            }
            Err(why) => {
                let help =
                    "values are read from where they live: check the name, mend it there, or leave it out";
                let message = format!("`values_from.{name}`: {why}");
                let standing = complete(written, &mut Problems::default());
                let doubts = sets(&from).into_iter().flat_map(|path| overlay::nearby(&standing, &path));
                problems.push(Problem::error(message, node.place()).help(help).about(doubts));
            }
        }
    }
}

/// A value in the form that its path wants: a number may be written as a text, as in every environment of
/// Kubernetes.
///
/// # Errors
/// It is not of that form: what is wanted.
fn fitting(standing: &Node, path: &str, mut value: Node) -> Result<Node, String> {
    let found = overlay::expand(standing, path).ok().and_then(|found| found.into_iter().next());
    // A path that leads nowhere is told of where it is laid.
    let Some(shape) = found.as_deref().and_then(|path| overlay::shape_at(standing, path)) else {
        return Ok(value);
    };
    let factor = value.text().and_then(|text| text.strip_prefix('x'));
    if factor.is_some_and(|factor| factor.parse::<f64>().is_ok()) {
        return Ok(value);
    }
    if matches!(shape, Shape::Integer(..) | Shape::Number(..))
        && let Some(number) = value.text().and_then(|text| text.trim().parse::<serde_json::Number>().ok())
    {
        value = Node::from_json(&Value::Number(number), &value.origin).unwrap_or(value);
    }
    let mut wrong = Problems::default();
    conform::check(&value, shape, path, &mut wrong);
    let why = wrong.iter().next().map(|problem| problem.message.clone());
    why.map_or(Ok(value), Err)
}

/// `in `app.yaml` at `env.POOL_MAX` `, where a path's value stands in a file.
fn whence(from: &ValuesFrom, path: &str) -> Option<String> {
    let ValuesFrom::File(values) = from else { return None };
    Some(format!("in `{}` at `{}` ", values.file, values.values.get(path)?))
}

/// Every service that a file of a platform describes.
///
/// # Errors
/// It cannot be read, describes none, or a value is not what the platform or a scenario wants.
pub fn services(path: &Path) -> Result<Vec<Deployed>, String> {
    let documents = document::read_all(path)?;
    let names = kubernetes::names(&documents);
    if names.is_empty() && !documents.iter().any(document::is_cloud_run) {
        return Err(
            "it is not a Cloud Run service (`kind: Service` with `spec.template`), nor a Deployment, \
                    StatefulSet or ReplicaSet of Kubernetes"
                .to_owned(),
        );
    }
    let found: Vec<Deployed> = match names.is_empty() {
        true => vec![cloud_run::read(&documents)?],
        false => {
            let named = names.into_iter().map(|name| kubernetes::read(&documents, Some(name)));
            named.collect::<Result<_, _>>()?
        }
    };
    found.iter().try_for_each(sound)?;
    Ok(found)
}

/// What a file of a platform describes that is no service, and runs all the same.
///
/// # Errors
/// It cannot be read.
pub fn unread(path: &Path) -> Result<Vec<String>, String> {
    Ok(kubernetes::unread(&document::read_all(path)?))
}

/// That a scenario takes these settings.
fn sound(deployed: &Deployed) -> Result<(), String> {
    let name = deployed.name.as_deref().unwrap_or("the service");
    let service = schema::root().field("service").map_or(schema::root(), Shape::inner);
    for (key, value) in deployed.settings() {
        let shape = key.split('.').try_fold(service, |shape, name| shape.field(name));
        let read = Node::from_json(&value, &Origin::default_value());
        let mut wrong = Problems::default();
        if let (Some(shape), Some(read)) = (shape, read) {
            conform::check(&read, shape, key, &mut wrong);
        }
        if let Some(problem) = wrong.iter().next() {
            return Err(format!("`{name}`: {}, and it is {value}", problem.message));
        }
    }
    let (min, max) = (deployed.min.max(1), deployed.max.max(1));
    if min > max {
        return Err(format!("`{name}` has at least {min} containers and at most {max}"));
    }
    if deployed.cpu_target == Some(0) {
        return Err(format!("`{name}` has a `cpu_target` of nothing, which asks for endless containers"));
    }
    Ok(())
}

/// What an entry sets, or what it sets values of.
fn sets(from: &ValuesFrom) -> Vec<String> {
    match from {
        ValuesFrom::CloudRun(values) => vec![format!("service.{}", values.service)],
        ValuesFrom::Kubernetes(values) => vec![format!("service.{}", values.service)],
        ValuesFrom::Pgxpool(values) => vec![values.pool.clone()],
        ValuesFrom::File(values) => values.values.keys().cloned().collect(),
    }
}

/// What an entry says.
///
/// # Errors
/// A file that cannot be read or does not hold what is wanted, a variable that is not set.
fn read(from: &ValuesFrom, base: &Path) -> Result<Values, String> {
    match from {
        ValuesFrom::CloudRun(values) => {
            let service = cloud_run::read(&document::read_all(&base.join(&values.file))?);
            Ok(in_file(service, &values.file)?.values(&values.service))
        }
        ValuesFrom::Kubernetes(values) => {
            let documents = document::read_all(&base.join(&values.file))?;
            let workload = kubernetes::read(&documents, values.name.as_deref());
            Ok(in_file(workload, &values.file)?.values(&values.service))
        }
        ValuesFrom::Pgxpool(values) => {
            let settings = dsn::read(&connection_string(values, base)?)?;
            Ok(settings.values(&values.pool))
        }
        ValuesFrom::File(values) => by_path(values, base),
    }
}

fn in_file<T>(read: Result<T, String>, file: &str) -> Result<T, String> {
    read.map_err(|why| format!("`{file}`: {why}"))
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
            (Some(unit), Value::String(text)) if text.trim().parse::<f64>().is_ok() => {
                Value::String(format!("{}{unit}", text.trim()))
            }
            (_, other) => other.clone(),
        };
        found.insert(path.clone(), value);
    }
    Ok(found)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
