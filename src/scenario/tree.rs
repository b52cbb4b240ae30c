//! The spanned tree: a scenario file in the JSON data model, every value with the place that it comes from.
//!
//! TOML date-times become strings; NaN and infinities are refused, since no parameter of a fleet is either.

use super::place::{Place, SourceText};
use super::problem::{Problem, Problems};
use super::toml_1_0;
use indexmap::IndexMap;
use std::cell::RefCell;
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A scenario of a large fleet has some hundred lines; more than this is not a scenario.
const MAX_BYTES: u64 = 4 << 20;

/// What is said of a text of which nothing more can be read.
pub const UNREAD: &str = "what else is wrong shows when this is mended";

/// Who put a value where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The scenario file.
    File,
    /// An entry of `[values_from]`.
    ValuesFrom(Arc<str>),
    /// A `--with` file.
    With,
    /// A variant.
    Variant(Arc<str>),
    /// `--set`.
    Set,
    /// An event, at its time.
    Event(Arc<str>),
    /// A library's preset.
    Preset(Arc<str>),
    /// The entity that this one is `like`.
    Like(Arc<str>),
    /// The grammar.
    Default,
    /// Nobody: it stands in for what is missing, or cannot be read, of which it is said already.
    StandIn,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who put it there.
    pub layer: Layer,
    /// The value as written.
    pub value: Option<Place>,
    /// The key as written.
    pub key: Option<Place>,
}

impl Origin {
    /// A value that nobody wrote.
    pub fn default_value() -> Origin {
        Origin { layer: Layer::Default, value: None, key: None }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

/// A value of the JSON data model, without null: what is absent is absent.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other finite number.
    Float(f64),
    /// A text; also a date-time.
    String(String),
    /// A list.
    Array(Vec<Node>),
    /// A table, in the order in which it was written.
    Table(IndexMap<String, Node>),
}

impl Node {
    /// An empty table.
    pub fn table(origin: Origin) -> Node {
        Node { value: Value::Table(IndexMap::new()), origin }
    }

    /// Whether somebody wrote it: neither a default, nor a preset, nor what stands in for a mistake.
    pub fn is_written(&self) -> bool {
        !matches!(self.origin.layer, Layer::Default | Layer::Preset(_) | Layer::StandIn)
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Bool(_) => "true or false",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// Its entries, if it is a table.
    pub fn entries(&self) -> Option<&IndexMap<String, Node>> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// Its entries, if it is a table.
    pub fn entries_mut(&mut self) -> Option<&mut IndexMap<String, Node>> {
        match &mut self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// Its text, if it is a string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The child of this name or, in a list, of this number.
    pub fn child(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries.get(name),
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The node at a dotted path.
    pub fn at(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(self, |node, name| node.child(name))
    }

    /// The node at a dotted path of names, to be changed.
    pub fn at_mut(&mut self, path: &str) -> Option<&mut Node> {
        path.split('.').try_fold(self, |node, name| node.entries_mut()?.get_mut(name))
    }

    /// Where to point for a dotted path: at the value there or, if nobody wrote it or a preset did, at the
    /// table that it belongs to.
    pub fn place_at(&self, path: &str) -> Option<Place> {
        let (mut node, mut place) = (self, self.place());
        for name in path.split('.') {
            let own = |child: &&Node| !matches!(child.origin.layer, Layer::Preset(_));
            let Some(child) = node.child(name).filter(own) else { break };
            node = child;
            place = node.place().or(place);
        }
        place
    }

    /// Where to point: at the value or, for a table with a key of its own, at the key.
    pub fn place(&self) -> Option<Place> {
        match self.value {
            Value::Table(_) => self.origin.key.clone().or_else(|| self.origin.value.clone()),
            _ => self.origin.value.clone().or_else(|| self.origin.key.clone()),
        }
    }

    /// Says of this node and all below it who put it there.
    pub fn relabel(&mut self, layer: &Layer) {
        if self.origin.layer != Layer::StandIn {
            self.origin.layer = layer.clone();
        }
        match &mut self.value {
            Value::Array(items) => items.iter_mut().for_each(|item| item.relabel(layer)),
            Value::Table(entries) => entries.values_mut().for_each(|entry| entry.relabel(layer)),
            _ => {}
        }
    }

    /// As JSON, for serde.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::String(value) => value.as_str().into(),
            Value::Array(items) => items.iter().map(Node::to_json).collect(),
            Value::Table(entries) => {
                let pairs = entries.iter().map(|(name, node)| (name.clone(), node.to_json()));
                serde_json::Value::Object(pairs.collect())
            }
        }
    }

    /// Origin JSON; nulls vanish.
    pub fn from_json(json: &serde_json::Value, origin: &Origin) -> Option<Node> {
        let value = match json {
            serde_json::Value::Null => return None,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Value::Integer(whole),
                None => Value::Float(number.as_f64()?),
            },
            serde_json::Value::String(text) => Value::String(text.clone()),
            serde_json::Value::Array(items) => {
                Value::Array(items.iter().filter_map(|item| Node::from_json(item, origin)).collect())
            }
            serde_json::Value::Object(entries) => {
                let pairs = entries.iter().filter_map(|(name, json)| {
                    Node::from_json(json, origin).map(|node| (name.clone(), node))
                });
                Value::Table(pairs.collect())
            }
        };
        Some(Node { value, origin: origin.clone() })
    }
}

/// Reads a file.
///
/// # Errors
/// It does not exist, is a directory, cannot be read, is huge, is not UTF-8, is empty, or holds NUL bytes.
pub fn read(path: &Path, order: usize) -> Result<Arc<SourceText>, Problems> {
    let name = path.display().to_string();
    let source = |text| Arc::new(SourceText { name: name.clone(), text, order });
    let refuse = |message: String, help: &str| {
        let place = Place { source: source(String::new()), span: 0..0 };
        Problems::from(Problem::error(message, Some(place)).help(help))
    };
    let cure = if name == "-" { "name a file; stdin is `/dev/stdin`" } else { "check the path" };
    let found = fs::metadata(path).map_err(|error| refuse(format!("cannot read `{name}`: {error}"), cure))?;
    if found.is_dir() {
        return Err(refuse(format!("`{name}` is a directory"), "name the TOML file in it"));
    }
    // What is not a regular file has no length that could be asked for.
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| refuse(format!("cannot read `{name}`: {error}"), "check the path"))?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("`{name}` is longer than 4 MiB");
        return Err(refuse(message, "a scenario has some hundred lines: is this the right file?"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(format!("`{name}` is not UTF-8 (line {line}, byte {at})"), "save it as UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(refuse(
            format!("`{name}` is empty"),
            "a scenario begins with `schema_version = 1` and a `title`",
        ));
    }
    Ok(source(text))
}

/// Parses a TOML document.
///
/// # Errors
/// The first syntax error, or all that TOML 1.0 does not have, and all numbers that are none.
pub fn parse(source: &Arc<SourceText>, layer: &Layer) -> Result<Node, Problems> {
    let mut problems = Problems::default();
    match parse_on(source, layer, &mut problems) {
        Some(node) if !problems.has_errors() => Ok(node),
        _ => Err(problems),
    }
}

/// The same as far as the text can be read: nothing after a syntax error, and stand-ins for single values.
pub fn parse_on(source: &Arc<SourceText>, layer: &Layer, problems: &mut Problems) -> Option<Node> {
    let maker = Maker { source, layer, offset: 0, wrong: RefCell::default() };
    let table =
        DeTable::parse(&source.text).map_err(|error| problems.push(maker.syntax_error(&error))).ok()?;
    problems.extend(toml_1_0::problems(source));
    let origin = Origin { layer: layer.clone(), value: maker.place(0..0), key: None };
    let node = Node { value: maker.table(table.get_ref()), origin };
    problems.extend(maker.wrong.into_inner());
    Some(node)
}

/// Parses `path=value` as given to an option, such as `--set`: the value as TOML or, where it is none, as a
/// bare string.
///
/// # Errors
/// There is no `=`, or no path before it.
pub fn parse_set(option: &str, argument: &str, order: usize) -> Result<(String, Node), Problems> {
    let source = Arc::new(SourceText { name: option.to_owned(), text: argument.to_owned(), order });
    let Some((path, value)) = argument.split_once('=').filter(|(path, _)| !path.trim().is_empty()) else {
        let place = Place { source, span: 0..argument.len() };
        return Err(Problem::error(format!("`{option}` wants `path=value`"), Some(place))
            .help(format!("for example `{option} postgres.primary.cores=8`"))
            .into());
    };
    let offset = path.len() + 1;
    let maker = Maker { source: &source, layer: &Layer::Set, offset, wrong: RefCell::default() };
    let key = maker.place(0..path.len()).map(|_| Place { source: source.clone(), span: 0..path.len() });
    let read = DeValue::parse(value).ok().map(|value| maker.node(&value));
    let mut node = read.filter(|_| !maker.wrong.borrow().has_errors()).unwrap_or_else(|| {
        let whole = Origin { layer: Layer::Set, value: maker.place(0..value.len()), key: None };
        Node { value: Value::String(value.trim().to_owned()), origin: whole }
    });
    node.origin.key = key;
    Ok((path.trim().to_owned(), node))
}

/// Makes nodes of what the parser found.
struct Maker<'a> {
    source: &'a Arc<SourceText>,
    layer: &'a Layer,
    /// How far into the source the parsed text begins.
    offset: usize,
    /// The values that are none.
    wrong: RefCell<Problems>,
}

impl Maker<'_> {
    fn place(&self, span: Range<usize>) -> Option<Place> {
        Some(Place { source: self.source.clone(), span: span.start + self.offset..span.end + self.offset })
    }

    fn syntax_error(&self, error: &toml::de::Error) -> Problem {
        let place = error.span().and_then(|span| self.place(span)).or_else(|| self.place(0..0));
        Problem::error(format!("not valid TOML: {}", error.message()), place).help(UNREAD)
    }

    fn node(&self, spanned: &Spanned<DeValue<'_>>) -> Node {
        let place = self.place(spanned.span());
        let stand_in = Origin { layer: Layer::StandIn, value: place.clone(), key: None };
        let refuse = |message: &str, help: &str| {
            self.wrong.borrow_mut().push(Problem::error(message, place.clone()).help(help));
            Node { value: Value::Integer(1), origin: stand_in.clone() }
        };
        let value = match spanned.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => return refuse("this number is too large", "the greatest is 9223372036854775807"),
            },
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Float(number),
                _ => {
                    let help = "write digits; where there may be no limit, \"none\" says so";
                    return refuse("this is not a finite number", help);
                }
            },
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(value) => Value::String(value.to_string()),
            DeValue::Array(items) => Value::Array(items.iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node { value, origin: Origin { layer: self.layer.clone(), value: place, key: None } }
    }

    fn table(&self, table: &DeTable<'_>) -> Value {
        let mut entries = IndexMap::with_capacity(table.len());
        for (key, value) in table {
            let place = self.place(key.span());
            let mut node = self.node(value);
            node.origin.key = place;
            entries.insert(key.get_ref().to_string(), node);
        }
        Value::Table(entries)
    }
}
