//! The first check: does the tree have the shape of the grammar? All deviations are collected.

use super::grammar::Metric;
use super::like;
use super::other_names;
use super::problem::{Problem, Problems, nearest, suggest};
use super::schema::{self, Field, Shape};
use super::tree::{Layer, Node, Value};
use super::units::{
    parse_date_time, parse_limit, parse_quantity, parse_rate, parse_share, parse_span, parse_width,
};
use super::when;
use indexmap::IndexMap;

/// The same of a tree that something is still to be laid on: what it lacks is not told.
pub fn check_in_part(node: &Node, shape: &Shape, problems: &mut Problems) {
    fit(node, shape, "", true, problems);
}

/// Checks `node` and all below it against `shape`. `name` is the key under which it stands.
pub fn check(node: &Node, shape: &Shape, name: &str, problems: &mut Problems) {
    fit(node, shape, name, false, problems);
}

/// The same; what is `excused` is not told what it lacks.
fn fit(node: &Node, shape: &Shape, name: &str, excused: bool, problems: &mut Problems) {
    // That it is none of any kind is said already.
    if node.origin.layer == Layer::StandIn {
        return;
    }
    if !shape.accepts(node) {
        problems.push(wrong_kind(node, shape, name));
        return;
    }
    match (shape.for_node(node), &node.value) {
        (Shape::Table(fields), Value::Table(entries)) => {
            keys(fields, entries, excused, problems);
            if !excused {
                lacks(node, fields, entries, name, problems);
            }
        }
        (Shape::Map(inner), Value::Table(entries)) => {
            for (key, entry) in entries {
                // The keys of these are paths.
                if !matches!(name, "source" | "set" | "axes" | "values" | "units") {
                    entity_name(key, entry, problems);
                }
                fit(entry, inner, key, excused || like::is_stranded(key, entries), problems);
            }
        }
        (Shape::List(item, min, max), Value::Array(items)) => {
            if items.len() < *min || items.len() > *max {
                let message = format!("`{name}` has {} elements", items.len());
                let help = if min == max { format!("give {min}") } else { format!("give {min} to {max}") };
                problems.push(Problem::error(message, node.place()).help(help));
            }
            items.iter().for_each(|each| fit(each, item, name, excused, problems));
        }
        (Shape::Choice(choices), _) => choice(node, choices, name, excused, problems),
        (Shape::Text(format), Value::String(text)) => {
            if let Err(why) = parse(format, text) {
                problems.push(Problem::error(format!("`{name}`: {why}"), node.place()));
            }
        }
        (Shape::Integer(min, max), value) => number(node, value, name, (*min, *max), true, problems),
        (Shape::Number(min, max), value) => number(node, value, name, (*min, *max), false, problems),
        _ => {}
    }
}

fn wrong_kind(node: &Node, shape: &Shape, name: &str) -> Problem {
    let wanted = shape.wanted();
    let problem = Problem::error(format!("`{name}` must be {wanted}"), node.place())
        .label(format!("this is {}", node.kind()));
    let text = match &node.value {
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        // What is not there cannot be said by a value.
        Value::String(_) if name == "pooler" => {
            return problem.help("no value takes a pooler away: leave it out, and let a variant lay it on");
        }
        Value::String(text) => {
            return match only_required(shape) {
                Some(key) => problem.help(format!("write `{{ {key} = \"{text}\" }}`")),
                None => problem,
            };
        }
        _ => return problem,
    };
    if matches!(shape, Shape::Table(fields) if schema::counts(fields)) {
        return problem.help(format!("write `{{ min = {text}, max = {text} }}`"));
    }
    // With its unit it would be wrong all the same.
    if text.starts_with('-') {
        return problem.help("and it is not negative");
    }
    match &shape.wanted()[..] {
        w if w.starts_with("a duration") => problem.help(format!("a duration has a unit: write \"{text}s\"")),
        w if w.starts_with("a rate") => problem.help(format!("a rate has a unit: write \"{text}/s\"")),
        w if w.starts_with("a share") => {
            // Who writes 0.5 means a half.
            let percent = text.parse::<f64>().ok().filter(|share| *share > 0.0 && *share < 1.0);
            let meant = percent.map_or(text, |share| format!("{}", (share * 1e6).round() / 1e4));
            problem.help(format!("a share is a percentage: write \"{meant}%\""))
        }
        _ => problem,
    }
}

/// The text that a table must have, where it is all that it must.
fn only_required(shape: &Shape) -> Option<&str> {
    let Shape::Table(fields) = shape else { return None };
    let mut required = fields.iter().filter(|(_, field)| field.required);
    let (key, field) = required.next().filter(|_| required.next().is_none())?;
    matches!(field.shape, Shape::Text(_)).then_some(key)
}

/// Whether all keys are known, and their values fit.
fn keys(
    fields: &IndexMap<String, Field>,
    entries: &IndexMap<String, Node>,
    excused: bool,
    problems: &mut Problems,
) {
    for (key, entry) in entries {
        match fields.get(key) {
            // Which metric was meant, it says by what it is of.
            Some(Field { shape: Shape::Choice(metrics), .. }) if key == "metric" => {
                metric(entry, metrics, entries.get("of"), problems);
            }
            Some(field) => fit(entry, &field.shape, key, excused, problems),
            None => {
                problems.push(unknown_key(key, entry, fields));
                // In a section of another name the rest is told, too.
                if let Some((ours, field)) =
                    meant_key(key, entries, fields).and_then(|ours| fields.get_key_value(ours))
                    && field.shape.is_section()
                {
                    fit(entry, &field.shape, ours, excused, problems);
                }
            }
        }
    }
}

fn unknown_key(key: &str, entry: &Node, fields: &IndexMap<String, Field>) -> Problem {
    let place = entry.origin.key.clone().or_else(|| entry.place());
    let known = || fields.keys().map(String::as_str);
    let problem = Problem::error(format!("unknown key `{key}`"), place).label("not known here");
    problem.help(match other_names::setting(key, known()) {
        Some(ours) => format!("that is `{ours}` here"),
        None => suggest(key, known()),
    })
}

/// Tells of the sections of a file that are misspelt, and takes what is in them for what it was meant to be:
/// overlays speak of it.
pub fn name_sections(file: &mut Node, problems: &mut Problems) {
    let (Shape::Table(fields), Some(entries)) = (schema::root(), file.entries_mut()) else { return };
    let unknown: Vec<String> = entries.keys().filter(|key| !fields.contains_key(*key)).cloned().collect();
    for key in unknown {
        let meant = nearest(&key, fields.keys().map(String::as_str));
        let Some((meant, Shape::Map(_))) = meant.map(|meant| (meant, &fields[meant].shape)) else { continue };
        let Some(section) = entries.get(&key).filter(|section| section.entries().is_some()) else { continue };
        problems.push(unknown_key(&key, section, fields));
        let Some(section) = entries.shift_remove(&key) else { continue };
        match entries.get_mut(meant).and_then(Node::entries_mut) {
            Some(known) => {
                for (name, entity) in section.entries().into_iter().flatten() {
                    known.entry(name.clone()).or_insert_with(|| entity.clone());
                }
            }
            None => drop(entries.insert(meant.to_owned(), section)),
        }
    }
}

/// The key that was meant by one that is not known, unless somebody wrote that one, too.
pub fn meant_key<'a>(
    key: &str,
    entries: &IndexMap<String, Node>,
    fields: &'a IndexMap<String, Field>,
) -> Option<&'a str> {
    let known = || fields.keys().map(String::as_str);
    let meant = other_names::setting(key, known()).or_else(|| nearest(key, known()))?;
    (!entries.get(meant).is_some_and(Node::is_written)).then_some(meant)
}

/// Whether all is there that must be.
fn lacks(
    node: &Node,
    fields: &IndexMap<String, Field>,
    entries: &IndexMap<String, Node>,
    name: &str,
    problems: &mut Problems,
) {
    // What is `like` another has all that the other has; the last of the chain is told what it lacks.
    if entries.contains_key("like") {
        return;
    }
    let missing = |key: &String| !entries.contains_key(key) && !is_misspelt(key, entries, fields);
    for (key, field) in fields.iter().filter(|(key, field)| field.required && missing(key)) {
        let owner = if name.is_empty() { "the scenario".to_owned() } else { format!("`{name}`") };
        let message = format!("{owner} has no `{key}`");
        problems.push(
            Problem::error(message, node.place()).help(format!("add `{key}`: {}", field.shape.wanted())),
        );
    }
}

/// Whether a missing key stands there under a name that is not known, of which it is said that this one was
/// meant.
pub fn is_misspelt(key: &str, entries: &IndexMap<String, Node>, fields: &IndexMap<String, Field>) -> bool {
    let known = || fields.keys().map(String::as_str);
    let meant = |other: &str| other_names::setting(other, known()).or_else(|| nearest(other, known()));
    entries.keys().any(|other| !fields.contains_key(other) && meant(other) == Some(key))
}

/// Names appear in paths, file names and charts.
fn entity_name(name: &str, node: &Node, problems: &mut Problems) {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > 64 || name.starts_with('-') || !name.bytes().all(fits) {
        let place = node.origin.key.clone().or_else(|| node.place());
        let problem = Problem::error(format!("`{name}` cannot be a name"), place);
        problems.push(problem.help("use a to z, 0 to 9 and -, at most 64, not beginning with -"));
    }
}

fn choice(
    node: &Node,
    choices: &IndexMap<String, Option<Shape>>,
    name: &str,
    excused: bool,
    problems: &mut Problems,
) {
    let (tag, inner) = match &node.value {
        Value::String(text) => (text, None),
        Value::Table(entries) if entries.len() == 1 => (&entries.keys()[0], entries.values().next()),
        _ => {
            let message = format!("`{name}` must have exactly one key");
            let help = format!("write {}{}", Shape::Choice(choices.clone()).wanted(), besides(name));
            problems.push(Problem::error(message, node.place()).help(help));
            return;
        }
    };
    match (choices.get(tag), inner) {
        (Some(Some(shape)), Some(inner)) => fit(inner, shape, tag, excused, problems),
        (Some(None), None) => {}
        (Some(_), _) => {
            let message = format!("`{tag}` is written in another form");
            let help = Shape::Choice(choices.clone()).wanted();
            problems.push(Problem::error(message, node.place()).help(format!("write {help}")));
        }
        (None, _) => {
            let help = match meant(tag, choices.keys().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("use {}{}", Shape::Choice(choices.clone()).wanted(), besides(name)),
            };
            problems.push(Problem::error(format!("`{name}` cannot be `{tag}`"), node.place()).help(help));
        }
    }
}

/// A metric; where there is none of that name, one of what it is `of` was meant rather than another.
fn metric<'a>(
    node: &'a Node,
    metrics: &IndexMap<String, Option<Shape>>,
    of: Option<&'a Node>,
    problems: &mut Problems,
) {
    let text = |node: &'a Node| match &node.value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    };
    let group = of.and_then(text).and_then(|of| of.split('.').next());
    let near: IndexMap<String, Option<Shape>> = Metric::ALL
        .into_iter()
        .filter(|metric| Some(metric.group()) == group)
        .filter_map(|metric| metrics.get_key_value(metric.name()))
        .map(|(name, shape)| (name.clone(), shape.clone()))
        .collect();
    let tag = text(node).unwrap_or_default();
    let suits = || meant(tag, near.keys().map(String::as_str)).is_some();
    let among = if !metrics.contains_key(tag) && suits() { &near } else { metrics };
    choice(node, among, "metric", false, problems);
}

/// The choice that was probably meant: a near one, that of a framework, or one that is part of the other.
fn meant<'a>(tag: &str, choices: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    const TELLING: usize = 3;
    let framework = other_names::preset(tag);
    let part = |choice: &&str| {
        choice.contains(tag) && tag.len() >= TELLING || tag.contains(choice) && choice.len() > TELLING
    };
    nearest(tag, choices.clone())
        .or_else(|| choices.clone().find(|choice| Some(*choice) == framework))
        .or_else(|| choices.filter(part).min_by_key(|choice| choice.len()))
}

/// What is not said where people look for it.
fn besides(name: &str) -> &'static str {
    if name == "do" { "; how long a restart takes is `postgres.NAME.restart_time`" } else { "" }
}

/// Of a service, the only `min` that may not be zero.
const NEVER_ZERO: &str = "write 1: scaling to zero is not modelled, the first container is always there";

fn number(
    node: &Node,
    value: &Value,
    name: &str,
    (min, max): (f64, f64),
    whole: bool,
    problems: &mut Problems,
) {
    let number = match value {
        Value::Integer(number) => *number as f64,
        Value::Float(number) => *number,
        _ => return,
    };
    if whole && matches!(value, Value::Float(_)) {
        let message = format!("`{name}` must be a whole number");
        let help = format!("write {}", number.round().clamp(min, max));
        problems.push(Problem::error(message, node.place()).label(format!("this is {number}")).help(help));
    } else if number < min {
        let message = format!("`{name}` must be at least {min}");
        let problem = Problem::error(message, node.place()).label(format!("this is {number}"));
        let to_zero = name == "min" && number == 0.0;
        problems.push(if to_zero { problem.help(NEVER_ZERO) } else { problem });
    } else if number > max {
        let message = format!("`{name}` must be at most {max}");
        problems.push(Problem::error(message, node.place()).label(format!("this is {number}")));
    }
}

/// Whether `text` is of the format; otherwise what is wrong with it.
fn parse(format: &str, text: &str) -> Result<(), String> {
    match format {
        "duration-unit" => parse_span(text).map(drop),
        "limit" => parse_limit(text).map(drop),
        "rate" => parse_rate(text).map(drop),
        "share" => parse_share(text).map(drop),
        "width" => parse_width(text).map(drop),
        "per-waiter" if matches!(text, "measured" | "replay") => Ok(()),
        "per-waiter" => parse_span(text).map(drop),
        "quantity" => parse_quantity(text).map(drop),
        "difference" if text.strip_prefix('-').is_some_and(|size| parse_quantity(size).is_ok()) => Ok(()),
        "difference" => parse_quantity(text).map(drop),
        "date-time" => parse_date_time(text).map(drop),
        "when" => when::parse(text).map(drop),
        _ => Ok(()),
    }
}
