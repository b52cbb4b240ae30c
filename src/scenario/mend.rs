//! From a complete tree to the grammar's structs; a tree with mistakes of form is made readable first: so
//! that names that lead nowhere are reported in the same go.
//!
//! What the grammar does not know is taken out; what does not fit, or is missing, is stood in for by the
//! simplest value that fits. Only names are checked on such a tree: a stand-in proves nothing about numbers.

use super::grammar::File;
use super::problem::{Problem, Problems};
use super::schema::{self, Shape};
use super::tree::{Node, Value};
use super::{check, conform};
use indexmap::IndexMap;

/// Makes `node` and all below it fit `shape`.
pub fn mend(node: &mut Node, shape: &Shape) {
    if !shape.accepts(node) {
        node.value = stand_in(shape, node);
        return;
    }
    let origin = node.origin.clone();
    match (shape.for_node(node), &mut node.value) {
        (Shape::Table(fields), Value::Table(entries)) => {
            entries.retain(|key, _| fields.contains_key(key));
            for (key, field) in fields {
                match entries.get_mut(key) {
                    Some(entry) => mend(entry, &field.shape),
                    None if field.required => {
                        let mut entry = Node::table(origin.clone());
                        entry.value = stand_in(&field.shape, &entry);
                        entries.insert(key.clone(), entry);
                    }
                    None => {}
                }
            }
        }
        (Shape::Map(inner), Value::Table(entries)) => {
            entries.values_mut().for_each(|entry| mend(entry, inner));
        }
        (Shape::List(item, ..), Value::Array(items)) => items.iter_mut().for_each(|each| mend(each, item)),
        (fitting, _) => {
            if let (Shape::Choice(choices), Value::Table(entries)) = (fitting, &mut node.value) {
                for (tag, entry) in entries {
                    choices.get(tag).into_iter().flatten().for_each(|inner| mend(entry, inner));
                }
            }
            let mut wrong = Problems::default();
            conform::check(node, shape, "", &mut wrong);
            if wrong.has_errors() {
                node.value = stand_in(shape, node);
            }
        }
    }
}

/// The simplest value of a shape; what is inside it comes from where `node` comes from.
fn stand_in(shape: &Shape, node: &Node) -> Value {
    let inside = |shape: &Shape| Node { value: stand_in(shape, node), origin: node.origin.clone() };
    match shape {
        Shape::Table(fields) => {
            let required = fields.iter().filter(|(_, field)| field.required);
            Value::Table(required.map(|(key, field)| (key.clone(), inside(&field.shape))).collect())
        }
        Shape::Map(_) => Value::Table(IndexMap::new()),
        Shape::Choice(choices) => match choices.iter().next() {
            Some((tag, Some(inner))) => Value::Table(IndexMap::from([(tag.clone(), inside(inner))])),
            Some((tag, None)) => Value::String(tag.clone()),
            None => Value::Bool(false),
        },
        Shape::Either(shapes) => shapes.first().map_or(Value::Bool(false), |first| stand_in(first, node)),
        Shape::List(item, fewest, _) => Value::Array((0..*fewest).map(|_| inside(item)).collect()),
        Shape::Text(format) => Value::String(text(format).to_owned()),
        Shape::Integer(min, max) => Value::Integer(1.0_f64.clamp(*min, *max) as i64),
        Shape::Number(min, max) => Value::Float(1.0_f64.clamp(*min, *max)),
        Shape::Bool | Shape::Any => Value::Bool(false),
    }
}

fn text(format: &str) -> &'static str {
    match format {
        "limit" => "none",
        "rate" => "1/s",
        "share" => "1%",
        "per-waiter" => "measured",
        "date-time" => "2025-01-01T00:00:00Z",
        "duration-unit" | "width" | "quantity" | "difference" | "when" => "1s",
        _ => "",
    }
}

/// The complete tree as the grammar's structs. Where it has not the shape of the grammar, its names are
/// checked all the same, so that both kinds of mistake are reported in one go.
pub fn read(mut standing: Node, problems: &mut Problems) -> Option<(File, Node)> {
    let mut wrong = Problems::default();
    conform::check(&standing, schema::root(), "", &mut wrong);
    let wrong_shape = wrong.has_errors();
    problems.extend(wrong);
    if wrong_shape {
        mend(&mut standing, schema::root());
    }
    match serde_json::from_value(standing.to_json()) {
        Ok(file) if wrong_shape => {
            check::names(&file, &standing, problems);
            None
        }
        Ok(file) => Some((file, standing)),
        // Something that `like` did not bring: said already.
        Err(_) if problems.has_errors() => None,
        Err(error) => {
            // What has the shape of the grammar can be read.
            let problem = Problem::error(format!("the scenario cannot be read: {error}"), standing.place());
            problems.push(problem.help("this is a mistake of herdsim's: please report it, with the file"));
            None
        }
    }
}
