//! Overlays: maps of `path = value` laid over the written tree.
//!
//! A path is a dotted list of names; `*` stands for any one name. The value at a path is replaced whole;
//! `"x40"` and `"x0.8"` scale what stands there, and in a distribution or a curve every duration or rate. A
//! path must lead somewhere: entities must exist, keys must be in the grammar. Left out: paths into lists,
//! which are replaced whole.

use super::complete::complete;
use super::conform;
use super::problem::{Problem, Problems, nearest, suggest};
use super::schema::{self, Shape};
use super::tree::{Layer, Node, Origin, Value};
use super::units::{Rate, Share, parse_rate, parse_share, parse_span};
use indexmap::IndexMap;

/// Why a path leads nowhere: what, and the cure.
pub type DeadEnd = (String, String);

/// What says something of the whole file: it is read once, before any variant is chosen.
const OF_THE_FILE: [&str; 3] = ["schema_version", "compare", "slow"];

/// Why neither a variant nor an event can set a path, if that is so: what, and the cure.
pub fn of_the_file(path: &str) -> Option<DeadEnd> {
    let what = format!("`{path}` says something of the whole file: no variant and no event can set it");
    OF_THE_FILE.contains(&path).then(|| (what, format!("write `{path}` at the top of the file")))
}

/// Lays every `path = value` of `overlay` over `written`. Returns the concrete paths that were set.
pub fn lay(
    written: &mut Node,
    overlay: &IndexMap<String, Node>,
    layer: &Layer,
    problems: &mut Problems,
) -> Vec<String> {
    let mut touched = Vec::new();
    for (path, value) in overlay {
        let standing = complete(written, &mut Problems::default());
        touched.extend(lay_one(written, &standing, (path, value), layer, problems));
    }
    touched
}

/// Lays one `path = value` over `written`, of which `standing` is the complete tree. Returns the concrete
/// paths that were set.
pub fn lay_one(
    written: &mut Node,
    standing: &Node,
    (path, value): (&str, &Node),
    layer: &Layer,
    problems: &mut Problems,
) -> Vec<String> {
    let refused = if matches!(layer, Layer::Variant(_)) { of_the_file(path) } else { None };
    let paths = match refused.map_or_else(|| expand(standing, path), Err) {
        Ok(paths) => paths,
        Err((what, help)) => {
            let place = value.origin.key.clone().or_else(|| value.place());
            problems.push(Problem::error(what, place).help(help).about(nearby(standing, path)));
            return Vec::new();
        }
    };
    let mut touched = Vec::new();
    for path in paths {
        match value_at(standing, &path, value) {
            Ok(mut new) => {
                new.relabel(layer);
                new.origin.key.clone_from(&value.origin.key);
                write(written, standing, schema::root(), &path, new);
                touched.push(path);
            }
            // What cannot be scaled for its form is told of where it stands.
            Err(_) if factor(value).is_some() && is_misformed(standing, &path) => {}
            Err((what, help)) => {
                problems.push(Problem::error(what, value.place()).help(help).about([path]));
            }
        }
    }
    touched
}

fn is_misformed(standing: &Node, path: &str) -> bool {
    let mut wrong = Problems::default();
    if let (Some(node), Some(shape)) = (standing.at(path), shape_at(standing, path)) {
        conform::check(node, shape, path, &mut wrong);
    }
    wrong.has_errors()
}

/// The concrete paths that a pattern matches in the complete tree.
///
/// # Errors
/// It matches nothing.
pub fn expand(tree: &Node, pattern: &str) -> Result<Vec<String>, DeadEnd> {
    let names: Vec<&str> = pattern.split('.').map(str::trim).collect();
    if names.iter().any(|name| name.is_empty()) {
        return Err((
            format!("`{pattern}` is not a path"),
            "write names with dots between them, such as `postgres.primary.cores`".to_owned(),
        ));
    }
    let mut found = Vec::new();
    let dead_end = walk(Some(tree), schema::root(), &names, "", &mut found);
    match dead_end {
        Err((what, help)) if found.is_empty() => Err((format!("`{pattern}` matches nothing: {what}"), help)),
        _ if found.is_empty() => Err((format!("`{pattern}` matches nothing"), "check the names".to_owned())),
        _ => Ok(found),
    }
}

/// Follows `names`; the first dead end is reported, others may still be found.
fn walk(
    node: Option<&Node>,
    shape: &Shape,
    names: &[&str],
    path: &str,
    found: &mut Vec<String>,
) -> Result<(), DeadEnd> {
    let Some((name, rest)) = names.split_first() else {
        found.push(path.to_owned());
        return Ok(());
    };
    let shape = node.map_or(shape, |node| shape.for_node(node));
    let here = if path.is_empty() { "a scenario".to_owned() } else { format!("`{path}`") };
    let longer = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match shape {
        Shape::Table(_) if *name == "*" => {
            let message = format!("`*` stands for a name, but {here} has keys");
            Err((message, "write the key".to_owned()))
        }
        Shape::Table(fields) => {
            let Some(field) = fields.get(*name) else {
                let known = fields.keys().map(String::as_str);
                return Err((format!("{here} has no key `{name}`"), suggest(name, known)));
            };
            walk(node.and_then(|node| node.child(name)), &field.shape, rest, &longer(name), found)
        }
        Shape::Map(inner) if !matches!(**inner, Shape::Any) => walk_map(node, inner, names, path, found),
        Shape::Choice(choices) => walk_choice(node, choices, names, path, found),
        Shape::List(..) | Shape::Map(_) => Err((
            format!("{here} is replaced as a whole"),
            format!("end the path at {here} and give all of it"),
        )),
        _ => Err((format!("{here} is a single value"), format!("end the path at {here}"))),
    }
}

/// What a path that leads nowhere was probably meant for: the concrete paths by the nearest names, as far as
/// there are any.
pub fn nearby(tree: &Node, pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for name in pattern.split('.').map(str::trim) {
        let further: Vec<String> = found.iter().flat_map(|path| one_further(tree, path, name)).collect();
        if further.is_empty() {
            break;
        }
        found = further;
    }
    found.retain(|path| !path.is_empty());
    found
}

fn one_further(tree: &Node, path: &str, name: &str) -> Vec<String> {
    let (node, shape) = match path {
        "" => (Some(tree), Some(schema::root())),
        _ => (tree.at(path), shape_at(tree, path)),
    };
    let known: Vec<&str> = match (shape, node.and_then(Node::entries)) {
        (Some(Shape::Table(fields)), _) => fields.keys().map(String::as_str).collect(),
        (Some(_), Some(entries)) => entries.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let longer = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match name {
        "*" => known.into_iter().map(longer).collect(),
        _ => nearest(name, known).map(longer).into_iter().collect(),
    }
}

/// Into the entity of this name or, for `*`, into each.
fn walk_map(
    node: Option<&Node>,
    inner: &Shape,
    names: &[&str],
    path: &str,
    found: &mut Vec<String>,
) -> Result<(), DeadEnd> {
    let (name, rest) = (names[0], &names[1..]);
    let empty = IndexMap::new();
    let entries = node.and_then(Node::entries).unwrap_or(&empty);
    if name != "*" && !entries.contains_key(name) {
        let known = entries.keys().map(String::as_str);
        return Err((format!("there is no `{path}.{name}`"), suggest(name, known)));
    }
    let chosen = entries.iter().filter(|(key, _)| name == "*" || *key == name);
    let each = chosen.map(|(key, entry)| walk(Some(entry), inner, rest, &format!("{path}.{key}"), found));
    each.fold(Ok(()), Result::and)
}

/// Into what belongs to the choice that stands; another one cannot be changed in part.
fn walk_choice(
    node: Option<&Node>,
    choices: &IndexMap<String, Option<Shape>>,
    names: &[&str],
    path: &str,
    found: &mut Vec<String>,
) -> Result<(), DeadEnd> {
    let (name, rest) = (names[0], &names[1..]);
    match (node.and_then(|node| node.child(name)), choices.get(name)) {
        (Some(inner), Some(Some(shape))) => walk(Some(inner), shape, rest, &format!("{path}.{name}"), found),
        (_, Some(_)) => Err((format!("`{path}` is not `{name}` here"), format!("set `{path}` as a whole"))),
        (_, None) => {
            Err((format!("`{path}` has no `{name}`"), suggest(name, choices.keys().map(String::as_str))))
        }
    }
}

/// The shape at a concrete path.
pub fn shape_at<'a>(tree: &Node, path: &str) -> Option<&'a Shape> {
    let mut node = Some(tree);
    let mut shape = schema::root();
    for name in path.split('.') {
        shape = match (node, shape) {
            (Some(node), _) => shape.child(node, name)?,
            (None, _) => shape.field(name)?,
        };
        node = node.and_then(|node| node.child(name));
    }
    Some(shape)
}

/// What is to stand at `path`: the value itself or, where it is a factor, what stands there scaled.
fn value_at(standing: &Node, path: &str, value: &Node) -> Result<Node, DeadEnd> {
    let shape = shape_at(standing, path).unwrap_or(&Shape::Any);
    if let Some(refused) = replaces_all(shape, path, value) {
        return Err(refused);
    }
    let named = matches!(shape, Shape::Text(format) if format.is_empty());
    let Some(factor) = factor(value).filter(|_| !named) else {
        return Ok(value.clone());
    };
    let cure = |what| (what, "write the value itself".to_owned());
    let missing = || cure(format!("nothing stands at `{path}` that could be scaled"));
    let node = standing.at(path).ok_or_else(missing)?;
    let mut scaled = scale(node, shape, factor)
        .map_err(|what| cure(format!("`{path}` cannot be scaled by {factor}: {what}")))?;
    scaled.origin = value.origin.clone();
    Ok(scaled)
}

/// The factor that a value such as `"x2"` is.
pub fn factor(value: &Node) -> Option<f64> {
    let factor = value.text()?.strip_prefix('x')?.parse::<f64>().ok()?;
    (factor.is_finite() && factor >= 0.0).then_some(factor)
}

/// Why a table must not be laid over all entities of a kind, if that is what it would do.
pub fn replaces_all(shape: &Shape, path: &str, value: &Node) -> Option<DeadEnd> {
    let (Shape::Map(_), Value::Table(_), false) = (shape, &value.value, path.contains('.')) else {
        return None;
    };
    let line = first_line(path, value).unwrap_or_else(|| format!("\"{path}.NAME.KEY\" = VALUE"));
    let what = format!("this would replace all of `{path}`: an overlay has paths for keys, not tables");
    Some((what, format!("quote the path: `{line}`")))
}

/// The first single value in a table as a line of an overlay, such as `"postgres.primary.cores" = 8`.
fn first_line(path: &str, value: &Node) -> Option<String> {
    match &value.value {
        Value::Table(entries) => {
            entries.iter().find_map(|(name, entry)| first_line(&format!("{path}.{name}"), entry))
        }
        _ => Some(format!("\"{path}\" = {}", value.to_json())),
    }
}

/// Scales a quantity or, in a distribution or a curve, each of them.
fn scale(node: &Node, shape: &Shape, factor: f64) -> Result<Node, String> {
    let value = match (shape.for_node(node), &node.value) {
        (Shape::Integer(..), Value::Integer(number)) => {
            Value::Integer((*number as f64 * factor).round() as i64)
        }
        (Shape::Number(..), Value::Integer(number)) => Value::Float(*number as f64 * factor),
        (Shape::Number(..), Value::Float(number)) => Value::Float(number * factor),
        (Shape::Text(format), Value::String(text)) => Value::String(scale_text(format, text, factor)?),
        (shape @ (Shape::Choice(_) | Shape::List(..)), Value::Table(_) | Value::Array(_)) => {
            scale_inside(node, shape, factor)?
        }
        _ => return Err(format!("it is {}", node.kind())),
    };
    Ok(Node { value, origin: node.origin.clone() })
}

/// Scales inside a distribution or a curve: its quantities, not its instants (`from`) and not its bare
/// numbers.
fn scale_inside(node: &Node, shape: &Shape, factor: f64) -> Result<Value, String> {
    let inner = |name: &str, entry: &Node| match (shape.child(node, name), &entry.value) {
        (Some(shape @ Shape::Table(_)), Value::Table(_)) => {
            let value = scale_inside(entry, shape, factor)?;
            Ok(Node { value, origin: entry.origin.clone() })
        }
        (Some(Shape::Number(..) | Shape::Integer(..)), _) => Ok(entry.clone()),
        (Some(_), _) if name == "from" => Ok(entry.clone()),
        (Some(shape), _) => scale(entry, shape, factor),
        (None, _) => Ok(entry.clone()),
    };
    match &node.value {
        Value::Table(entries) => {
            let pairs = entries.iter().map(|(name, entry)| Ok((name.clone(), inner(name, entry)?)));
            pairs.collect::<Result<_, String>>().map(Value::Table)
        }
        Value::Array(items) => {
            items.iter().map(|item| inner("", item)).collect::<Result<_, _>>().map(Value::Array)
        }
        other => Ok(other.clone()),
    }
}

fn scale_text(format: &str, text: &str, factor: f64) -> Result<String, String> {
    match format {
        "duration-unit" | "limit" | "per-waiter" => {
            let span = parse_span(text).map_err(|_| format!("it is \"{text}\""))?;
            Ok(span.scale(factor).to_string())
        }
        "width" if text.trim_end().ends_with('%') => scale_text("share", text, factor),
        "width" => scale_text("duration-unit", text, factor),
        "rate" => parse_rate(text).map(|rate| Rate(rate.0 * factor).to_string()),
        "share" => parse_share(text).map(|share| Share(share.0 * factor).to_string()),
        _ => Err(format!("it is \"{text}\"")),
    }
}

/// Writes `new` at a concrete path. Tables on the way are made; of a choice on the way, what stands is
/// copied.
fn write(written: &mut Node, standing: &Node, shape: &Shape, path: &str, new: Node) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let inner = shape.child(standing, name).or_else(|| shape.field(name)).unwrap_or(&Shape::Any);
    let Some(entries) = written.entries_mut() else { return };
    let Some(rest) = rest else {
        entries.insert(name.to_owned(), new);
        return;
    };
    let origin = Origin { layer: new.origin.layer.clone(), ..new.origin.clone() };
    let nothing = Node::table(origin.clone());
    let below = standing.child(name).unwrap_or(&nothing);
    let entry = entries.entry(name.to_owned()).or_insert_with(|| match inner {
        Shape::Table(_) | Shape::Map(_) => Node::table(origin),
        _ => below.clone(),
    });
    write(entry, below, inner.for_node(below), rest, new);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_scale_by_their_unit() {
        for (format, text, factor, scaled) in [
            ("duration-unit", "1.5s", 40.0, "1m"),
            ("limit", "15m", 0.5, "450s"),
            ("rate", "120/m", 3.0, "6/s"),
            ("share", "5%", 2.0, "10%"),
            ("width", "5%", 2.0, "10%"),
            ("width", "90s", 2.0, "3m"),
        ] {
            assert_eq!(scale_text(format, text, factor), Ok(scaled.to_owned()));
        }
        assert!(scale_text("limit", "none", 2.0).is_err());
    }
}
