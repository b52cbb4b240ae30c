//! The complete scenario as TOML, each value with where it came from.

use super::schema::{self, Shape};
use super::tree::{Layer, Node, Value};
use super::{complete, like, overlay};
use indexmap::IndexMap;
use std::fmt::Write;
use std::path::Path;

/// Writes what a written tree stands for; it reads again as the same scenario.
pub fn write(written: &Node) -> String {
    let mut tree = complete::spelled_out(written);
    // They have been read.
    tree.entries_mut().map(|entries| entries.shift_remove("values_from"));
    let mut settled = written.clone();
    like::settle(&mut settled);
    for path in of_two_libraries(&tree) {
        if let (Some(pool), Some(as_written)) = (tree.at_mut(&path), settled.at(&path)) {
            pool.clone_from(as_written);
        }
    }
    let mut out = String::new();
    section(&mut out, &tree, schema::root(), "");
    out
}

/// The pools to which an event gives another library: what the first one fills in would stay if it were
/// written.
fn of_two_libraries(tree: &Node) -> Vec<String> {
    let events = tree.child("event").and_then(Node::entries).into_iter().flat_map(IndexMap::values);
    let set = events.filter_map(|event| event.child("set")?.entries()).flat_map(IndexMap::keys);
    let library = |path: &&str| path.ends_with(".preset") || path.ends_with(".stock");
    let paths = set.map(String::as_str).filter(library);
    let pools = paths.filter_map(|path| path.rsplit_once('.')).map(|(pool, _)| pool);
    pools.flat_map(|pool| overlay::expand(tree, pool).unwrap_or_default()).collect()
}

/// Values first, then a section for each table: TOML wants it so.
fn section(out: &mut String, node: &Node, shape: &Shape, path: &str) {
    let Some(entries) = node.entries() else { return };
    let is_section = |name: &str, child: &Node| {
        let inner = shape.field(name);
        matches!(inner, Some(Shape::Table(_) | Shape::Map(_))) && child.entries().is_some()
    };
    for (name, child) in entries.iter().filter(|(name, child)| !is_section(name, child)) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{} = {}  # {}", key(name), inline(child), origin(child));
    }
    for (name, child) in entries.iter().filter(|(name, child)| is_section(name, child)) {
        let longer = if path.is_empty() { key(name) } else { format!("{path}.{}", key(name)) };
        let inner = shape.field(name).unwrap_or(&Shape::Any);
        if matches!(inner, Shape::Table(_)) || has_values(child, inner) {
            let _ = writeln!(out, "\n[{longer}]");
        }
        section(out, child, inner, &longer);
    }
}

/// Whether a map holds values rather than tables with sections of their own.
fn has_values(node: &Node, shape: &Shape) -> bool {
    matches!(shape, Shape::Map(inner) if !matches!(**inner, Shape::Table(_)))
        && node.entries().is_some_and(|entries| !entries.is_empty())
}

fn inline(node: &Node) -> String {
    match &node.value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::String(text) => quote(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Table(entries) => {
            let pairs = entries.iter().map(|(name, node)| format!("{} = {}", key(name), inline(node)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quote(name) }
}

/// JSON's escapes are TOML's, except that TOML also wants DEL escaped.
fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Where a value came from, without the directory: a run's output does not depend on where it was started.
pub fn origin(node: &Node) -> String {
    let place = node.place().map(|place| match Path::new(&place.source.name).file_name() {
        Some(file) if place.is_in_a_file() => {
            format!("{}:{}", file.display(), place.line())
        }
        _ => place.to_string(),
    });
    let place = place.unwrap_or_default();
    let text = match &node.origin.layer {
        Layer::File | Layer::With | Layer::Set => place,
        Layer::ValuesFrom(name) => format!("values_from {name} ({place})"),
        Layer::Variant(name) => format!("variant {name} ({place})"),
        Layer::Event(name) => format!("event {name} ({place})"),
        Layer::Like(name) => format!("like {name} ({place})"),
        Layer::Preset(name) => format!("preset {name}"),
        Layer::Default | Layer::StandIn => "default".to_owned(),
    };
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_written_so_that_toml_reads_it_back() {
        for text in ["plain", "\"quoted\"", "back\\slash", "line\nbreak", "\u{7f}\u{1}", "é → 🚌"] {
            let line = format!("{} = {}", key(text), quote(text));
            let parsed: toml::Table = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(parsed[text].as_str(), Some(text));
        }
    }
}
