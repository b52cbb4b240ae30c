//! Files of settings in the formats that teams keep them in, as JSON.

use serde_json::Value;
use std::fs;
use std::path::Path;

/// Settings are small; more than this is something else.
const MAX_BYTES: u64 = 4 << 20;

/// Reads a TOML, JSON or YAML file. Of several YAML documents the one that is a Cloud Run service counts, or
/// the first.
///
/// # Errors
/// It cannot be read, is not of its format, has another ending, or holds several services.
pub fn read(path: &Path) -> Result<Value, String> {
    let (mut all, name) = (documents(path)?, path.display());
    match all.iter().filter(|one| is_cloud_run(one)).count() {
        0 | 1 => {}
        several => return Err(format!("`{name}` holds {several} services: give each its own file")),
    }
    let service = all.iter().position(is_cloud_run);
    let place = service.unwrap_or(0);
    if place < all.len() { Ok(all.swap_remove(place)) } else { Err(format!("`{name}` is empty")) }
}

/// Whether a document describes a service of Cloud Run or Knative; Kubernetes has a `Service` of its own.
pub(super) fn is_cloud_run(document: &Value) -> bool {
    document["kind"] == "Service" && document["spec"]["template"].is_object()
}

/// Reads every document of a TOML, JSON or YAML file; a `List` of Kubernetes stands for its items.
///
/// # Errors
/// It cannot be read, is not of its format, or has another ending.
pub fn read_all(path: &Path) -> Result<Vec<Value>, String> {
    let items = |mut one: Value| match one["kind"] == "List" {
        true => one["items"].as_array_mut().map(std::mem::take).unwrap_or_default(),
        false => vec![one],
    };
    Ok(documents(path)?.into_iter().flat_map(items).collect())
}

fn documents(path: &Path) -> Result<Vec<Value>, String> {
    let text = text(path)?;
    let name = path.display();
    let wrong = |error: &dyn std::fmt::Display| {
        let error = error.to_string();
        let first = error.lines().next().unwrap_or_default();
        format!("`{name}`: {}", first.strip_prefix("error: ").unwrap_or(first))
    };
    Ok(match path.extension().and_then(|ending| ending.to_str()) {
        Some("toml") => {
            let table: toml::Table =
                text.parse().map_err(|error: toml::de::Error| wrong(&error.message()))?;
            vec![serde_json::to_value(table).map_err(|error| wrong(&error))?]
        }
        Some("json") => vec![serde_json::from_str(&text).map_err(|error| wrong(&error))?],
        Some("yaml" | "yml") => serde_saphyr::from_multiple(&text).map_err(|error| wrong(&error))?,
        _ => return Err(format!("`{name}` ends neither in .toml, .json, .yaml nor .yml")),
    })
}

/// The value at a dotted path; a list's elements have numbers, or go by their `name`, as containers and
/// variables of Kubernetes do.
pub fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(document, |value, name| match value {
        Value::Array(items) => match name.parse::<usize>() {
            Ok(number) => items.get(number),
            Err(_) => items.iter().find(|item| item["name"] == name),
        },
        other => other.get(name),
    })
}

/// A text in a file: all of it, a line `NAME=…` of a `.env` file, or the string at a path.
///
/// # Errors
/// The file cannot be read, or does not hold it.
pub fn text_at(path: &Path, place: Option<&str>) -> Result<String, String> {
    let Some(place) = place else { return text(path).map(|text| text.trim().to_owned()) };
    let name = path.display();
    let file = path.file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
    let found = if file.starts_with(".env") || file.ends_with(".env") {
        text(path)?.lines().find_map(|line| variable(line, place))
    } else {
        at(&read(path)?, place).and_then(Value::as_str).map(str::to_owned)
    };
    found.ok_or_else(|| format!("`{name}` has no text `{place}`"))
}

/// The value of a line `NAME=value`, `export NAME="value"`.
fn variable(line: &str, name: &str) -> Option<String> {
    let line = line.trim();
    let (key, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    if key.trim() != name {
        return None;
    }
    let value = value.trim();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    Some(match quote {
        Some(quote) => value[1..].split(quote).next().unwrap_or_default().to_owned(),
        None => value.split(" #").next().unwrap_or_default().trim_end().to_owned(),
    })
}

fn text(path: &Path) -> Result<String, String> {
    let name = path.display();
    let cannot = |error: &dyn std::fmt::Display| format!("`{name}` cannot be read: {error}");
    let found = fs::metadata(path).map_err(|error| cannot(&error))?;
    if !found.is_file() || found.len() > MAX_BYTES {
        return Err(cannot(&"it is no file of at most 4 MiB"));
    }
    fs::read_to_string(path).map_err(|error| cannot(&error))
}
