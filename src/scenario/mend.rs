//! From a tree with mistakes to one that can be read, under a guess of what was meant.
//!
//! What the grammar does not know is taken for the key that was probably meant, or taken out; what does not
//! fit, is missing or is in doubt is stood in for by a value that fits. A stand-in proves nothing by itself:
//! what is wrong whatever the [`Guess`] is wrong indeed, and the rest is not told.

use super::conform;
use super::guess::Guess;
use super::problem::{Problems, nearest};
use super::schema::{Field, Shape};
use super::tree::{Layer, Node, Origin, Value};
use indexmap::IndexMap;

/// Makes `node` and all below it fit `shape`.
pub fn mend(node: &mut Node, shape: &Shape, guess: Guess) {
    if node.origin.layer == Layer::StandIn || !shape.accepts(node) {
        node.value = stand_in(shape, node, guess);
        return;
    }
    let origin = node.origin.clone();
    match (shape.for_node(node), &mut node.value) {
        (Shape::Table(fields), Value::Table(entries)) => mend_table(entries, fields, &origin, guess),
        (Shape::Map(inner), Value::Table(entries)) => {
            entries.values_mut().for_each(|entry| mend(entry, inner, guess));
        }
        (Shape::List(item, fewest, most), Value::Array(items)) => {
            items.iter_mut().for_each(|each| mend(each, item, guess));
            if items.len() < *fewest || items.len() > *most {
                node.value = stand_in(shape, node, guess);
            }
        }
        (fitting, _) => {
            if let (Shape::Choice(choices), Value::Table(entries)) = (fitting, &mut node.value) {
                for (tag, entry) in entries {
                    choices.get(tag).into_iter().flatten().for_each(|inner| mend(entry, inner, guess));
                }
            }
            let mut wrong = Problems::default();
            conform::check(node, shape, "", &mut wrong);
            if wrong.has_errors() {
                node.value = stand_in(shape, node, guess);
            }
        }
    }
}

fn mend_table(
    entries: &mut IndexMap<String, Node>,
    fields: &IndexMap<String, Field>,
    origin: &Origin,
    guess: Guess,
) {
    let unknown: Vec<String> = entries.keys().filter(|key| !fields.contains_key(*key)).cloned().collect();
    for key in unknown {
        let meant = conform::meant_key(&key, entries, fields).map(str::to_owned);
        let Some(mut entry) = entries.shift_remove(&key) else { continue };
        let Some(meant) = meant else {
            unsure(entries, fields, origin, guess);
            continue;
        };
        let shape = &fields[&meant].shape;
        // Of what was misspelt in a whole section, the section is known all the same.
        if guess != Guess::Likely && !shape.is_section() {
            entry.value = stand_in(shape, &entry, guess);
        }
        entries.insert(meant, entry);
    }
    for (key, field) in fields {
        match entries.get_mut(key) {
            Some(entry) => {
                mend(entry, &field.shape, guess);
                // Somebody wrote something there, if only no number.
                if entry.origin.layer == Layer::StandIn {
                    entry.origin.layer = origin.layer.clone();
                }
            }
            None if field.required => insert(entries, key, &field.shape, origin, guess),
            None => {}
        }
    }
}

fn insert(entries: &mut IndexMap<String, Node>, key: &str, shape: &Shape, origin: &Origin, guess: Guess) {
    let mut entry = Node::table(origin.clone());
    entry.value = stand_in(shape, &entry, guess);
    entries.insert(key.to_owned(), entry);
}

/// A key that nobody knows may have been meant for anything that nobody wrote in its table.
fn unsure(
    entries: &mut IndexMap<String, Node>,
    fields: &IndexMap<String, Field>,
    origin: &Origin,
    guess: Guess,
) {
    let is_root = fields.contains_key("schema_version");
    for (key, field) in fields.iter().filter(|_| guess != Guess::Likely && !is_root) {
        let quantity = match &field.shape {
            Shape::Text(format) => !format.is_empty(),
            shape => !shape.is_section() && !matches!(shape, Shape::List(..) | Shape::Any),
        };
        if quantity && !entries.get(key).is_some_and(Node::is_written) {
            insert(entries, key, &field.shape, origin, guess);
        }
    }
}

/// Stands in for what is at a path: for a single value or, in a table, for each.
pub fn doubt(node: &mut Node, shape: &Shape, path: &str, guess: Guess) {
    let Some((name, rest)) = path.split_once('.').or((!path.is_empty()).then_some((path, ""))) else {
        return doubt_all(node, shape, guess);
    };
    let Some(inner) = shape.child(node, name).or_else(|| shape.field(name)).cloned() else { return };
    let origin = node.origin.clone();
    let child = match &mut node.value {
        Value::Table(entries) => {
            if rest.is_empty() && !entries.contains_key(name) && guess != Guess::Likely {
                return insert(entries, name, &inner, &origin, guess);
            }
            entries.get_mut(name)
        }
        Value::Array(items) => name.parse::<usize>().ok().and_then(|place| items.get_mut(place)),
        _ => None,
    };
    if let Some(child) = child {
        // What a preset or a default brought would be brought again.
        if !child.is_written() {
            child.origin.layer = origin.layer;
        }
        doubt(child, &inner, rest, guess);
    }
}

fn doubt_all(node: &mut Node, shape: &Shape, guess: Guess) {
    let layer = node.origin.layer.clone();
    match (shape.for_node(node), &mut node.value) {
        (Shape::Table(fields), Value::Table(entries)) => {
            for (key, entry) in entries {
                if !entry.is_written() {
                    entry.origin.layer = layer.clone();
                }
                fields.get(key).into_iter().for_each(|field| doubt_all(entry, &field.shape, guess));
            }
        }
        (Shape::Map(inner), Value::Table(entries)) if !entries.is_empty() => {
            entries.values_mut().for_each(|entry| doubt_all(entry, inner, guess));
        }
        _ => node.value = stand_in(shape, node, guess),
    }
}

/// Takes out what a preset or the grammar fills in.
pub fn strip(node: &mut Node) {
    match &mut node.value {
        Value::Table(entries) => {
            entries.retain(|_, entry| entry.is_written());
            entries.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// A value of a shape; what is inside it comes from where `node` comes from.
fn stand_in(shape: &Shape, node: &Node, guess: Guess) -> Value {
    let inside = |shape: &Shape| Node { value: stand_in(shape, node, guess), origin: node.origin.clone() };
    match shape {
        Shape::Table(fields) => {
            // Where nothing is required, one of all is, such as in a step.
            let one = fields.keys().next().filter(|_| guess == Guess::Likely);
            let one = one.filter(|_| !fields.values().any(|field| field.required || field.default.is_some()));
            let some = fields.iter().filter(|(key, field)| field.required || Some(*key) == one);
            Value::Table(some.map(|(key, field)| (key.clone(), inside(&field.shape))).collect())
        }
        Shape::Map(inner) if guess == Guess::Most && !matches!(**inner, Shape::Any) => {
            Value::Table(IndexMap::from([(guess.name().to_owned(), inside(inner))]))
        }
        Shape::Map(_) => Value::Table(IndexMap::new()),
        Shape::Choice(choices) => match choices.get_index(chosen(choices, node, guess)) {
            Some((tag, Some(inner))) => Value::Table(IndexMap::from([(tag.clone(), inside(inner))])),
            Some((tag, None)) => Value::String(tag.clone()),
            None => Value::Bool(false),
        },
        Shape::Either(shapes) => {
            shapes.first().map_or(Value::Bool(false), |first| stand_in(first, node, guess))
        }
        Shape::List(item, fewest, most) => {
            let count = guess.of(1, 0, 64).clamp(*fewest, (*most).max(*fewest));
            Value::Array((0..count).map(|_| inside(item)).collect())
        }
        Shape::Text(format) => Value::String(text(format, guess).to_owned()),
        Shape::Integer(min, max) => Value::Integer(number(node, (*min, *max), guess) as i64),
        Shape::Number(min, max) => Value::Float(number(node, (*min, *max), guess)),
        Shape::Bool => Value::Bool(guess == Guess::Most),
        Shape::Any => Value::Bool(false),
    }
}

/// The place of the choice that was meant, if that can be told.
fn chosen(choices: &IndexMap<String, Option<Shape>>, node: &Node, guess: Guess) -> usize {
    let meant = node.text().and_then(|text| nearest(text, choices.keys().map(String::as_str)));
    let meant = meant.and_then(|meant| choices.get_index_of(meant));
    guess.of(meant.unwrap_or(choices.len() / 2), 0, choices.len().saturating_sub(1))
}

fn number(node: &Node, (min, max): (f64, f64), guess: Guess) -> f64 {
    let written = match node.value {
        Value::Integer(number) => number as f64,
        Value::Float(number) => number.round(),
        _ => 1.0,
    };
    guess.of(written, 0.0, 1e6).clamp(min, max)
}

fn text(format: &str, guess: Guess) -> &'static str {
    match format {
        "limit" => guess.of("1s", "1ms", "none"),
        "rate" => guess.of("1/s", "0.001/s", "1000000/s"),
        "share" => guess.of("10%", "0.1%", "100%"),
        "width" => guess.of("1s", "0s", "100%"),
        "per-waiter" => guess.of("measured", "0s", "1s"),
        "date-time" => guess.of("2025-01-01T00:00:00Z", "2000-01-01T00:00:00Z", "2050-01-01T00:00:00Z"),
        "quantity" | "difference" => guess.of("1s", "0%", "1000000/s"),
        "duration-unit" | "when" => guess.of("1s", "1ms", "1000h"),
        _ => guess.name(),
    }
}
