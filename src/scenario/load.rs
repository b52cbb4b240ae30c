//! From files and arguments to a [`Document`]: every variant laid out, completed, checked and resolved.

use super::grammar::{Event, Overlay};
use super::place::{SET, SourceText};
use super::problem::{Problem, Problems};
use super::tree::{self, Layer, Node, Origin, Value};
use super::{AS_WRITTEN, Document, Scenario, Tables, conform, overlay, schema, values, worlds};
use indexmap::IndexMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The newest grammar that is understood.
const SCHEMA_VERSION: i64 = 1;

impl Document {
    /// Reads a scenario file, lays `with` files and `set` arguments (`path=value`) over it, and resolves
    /// every variant. Warnings come with the document.
    ///
    /// # Errors
    /// All that is wrong, in the order of the files.
    pub fn load(path: &Path, with: &[PathBuf], set: &[String]) -> Result<(Document, Problems), Problems> {
        let given: Vec<_> = set.iter().map(|argument| (SET, argument.clone())).collect();
        Document::load_given(path, with, &given)
    }

    /// As [`Document::load`], each argument with the option that it was given to, for problems to point at.
    ///
    /// # Errors
    /// All that is wrong, in the order of the files.
    pub fn load_given(
        path: &Path,
        with: &[PathBuf],
        given: &[(&str, String)],
    ) -> Result<(Document, Problems), Problems> {
        let source = tree::read(path, 0);
        let mut layers = Layers::default();
        let mut problems = Problems::default();
        for (index, path) in with.iter().enumerate() {
            let source = tree::read(path, 1 + index).map_err(|wrong| problems.extend(wrong)).ok();
            match source.and_then(|source| tree::parse_on(&source, &Layer::With, &mut problems)) {
                Some(node) => layers.with.extend(with_overlay(node)),
                None => layers.unread = true,
            }
        }
        for (index, (option, argument)) in given.iter().enumerate() {
            match tree::parse_set(option, argument, 100 + index) {
                Ok(pair) => layers.set.push(pair),
                Err(wrong) => problems.extend(wrong),
            }
        }
        let base = Arc::from(path.parent().unwrap_or(Path::new("")));
        match source {
            Ok(source) => build(&source, &base, &layers, problems),
            Err(mut wrong) => {
                wrong.extend(problems);
                Err(wrong)
            }
        }
    }

    /// As [`Document::load`], of a text; CSV files are looked for in the working directory.
    ///
    /// # Errors
    /// All that is wrong, in the order of the text.
    pub fn from_text(name: &str, text: &str) -> Result<(Document, Problems), Problems> {
        let source = Arc::new(SourceText { name: name.to_owned(), text: text.to_owned(), order: 0 });
        build(&source, &Arc::from(Path::new("")), &Layers::default(), Problems::default())
    }
}

/// What is laid over the file in every variant.
#[derive(Default)]
struct Layers {
    with: Vec<IndexMap<String, Node>>,
    set: Vec<(String, Node)>,
    /// Whether there is a file that cannot be read: nobody knows what it would have laid.
    unread: bool,
}

/// A `--with` file is an overlay; it may say what it is.
pub fn with_overlay(node: Node) -> Option<IndexMap<String, Node>> {
    let Value::Table(mut overlay) = node.value else { return None };
    overlay.retain(|name, _| name != "why" && name != "title");
    Some(overlay)
}

fn build(
    source: &Arc<SourceText>,
    base: &Arc<Path>,
    layers: &Layers,
    mut problems: Problems,
) -> Result<(Document, Problems), Problems> {
    let Some(mut written) = tree::parse_on(source, &Layer::File, &mut problems) else {
        return Err(problems);
    };
    if let Some(problem) = too_new(&written) {
        return Err(problem.into());
    }
    conform::name_sections(&mut written, &mut problems);
    if layers.unread {
        conform::check_in_part(&written, schema::root(), &mut problems);
        return Err(problems);
    }
    values::lay(&mut written, base, &mut problems);
    for overlay in &layers.with {
        overlay::lay(&mut written, overlay, &Layer::With, &mut problems);
    }
    // What a variant is must stand before it is laid over the file; the rest of `--set` lies on top of it.
    let (of_variants, on_top) =
        layers.set.iter().partition::<Vec<_>, _>(|(path, _)| path.split('.').next() == Some("variant"));
    lay_set(&mut written, &of_variants, &mut problems);
    let names: Vec<String> = written
        .child("variant")
        .and_then(Node::entries)
        .into_iter()
        .flatten()
        .map(|(n, _)| n.clone())
        .collect();
    // What is wrong with all of them keeps each from being read as it is.
    let of_the_file = problems.errors();
    let mut scenarios = IndexMap::new();
    for name in [AS_WRITTEN.to_owned()].into_iter().chain(names) {
        // Each variant has its own list, so that an error in one does not hide those in the next.
        let mut own = of_the_file.clone();
        let scenario = resolve(&written, &name, base, &on_top, &mut own);
        if name != AS_WRITTEN {
            own.tell_variant(&name, &problems);
        }
        problems.extend(own);
        scenarios.extend(scenario.map(|scenario| (name, scenario)));
    }
    if problems.has_errors() {
        return Err(problems);
    }
    Ok((Document { scenarios }, problems))
}

fn too_new(written: &Node) -> Option<Problem> {
    let node = written.child("schema_version")?;
    match node.value {
        Value::Integer(version) if version > SCHEMA_VERSION => {
            let message = format!("this scenario is of version {version}; this herdsim reads version 1");
            Some(Problem::error(message, node.place()).help("use a newer herdsim"))
        }
        _ => None,
    }
}

/// One variant: its overlay and the `--set` arguments over the file, complete and checked.
fn resolve(
    written: &Node,
    name: &str,
    base: &Arc<Path>,
    set: &[&(String, Node)],
    problems: &mut Problems,
) -> Option<Scenario> {
    let mut tree = written.clone();
    let overlay = written.at(&format!("variant.{name}")).and_then(|variant| variant.child("set"));
    if let Some(overlay) = overlay.and_then(Node::entries) {
        overlay::lay(&mut tree, overlay, &Layer::Variant(name.into()), problems);
    }
    lay_set(&mut tree, set, problems);
    let mut worlds = worlds::stand(tree, name, (base.clone(), Tables::new()), problems);
    worlds.advise(problems);
    let mut scenario = worlds.scenario().filter(|_| !problems.has_errors())?;
    scenario.warnings = problems.clone();
    Some(scenario)
}

/// Lays `--set` arguments over a tree, each over what the one before it left.
fn lay_set(tree: &mut Node, set: &[&(String, Node)], problems: &mut Problems) {
    for (path, value) in set {
        let one = IndexMap::from([(path.clone(), value.clone())]);
        overlay::lay(tree, &one, &Layer::Set, problems);
    }
}

/// A scenario with an overlay and events on top of everything.
pub fn derive(
    scenario: &Scenario,
    variant: &str,
    set: &Overlay,
    events: &[(&str, Event)],
) -> Result<Scenario, Problems> {
    let mut problems = Problems::default();
    let layer = Layer::Variant(variant.into());
    let origin = Origin { layer: layer.clone(), value: None, key: None };
    // The grammar's structs have string keys and finite numbers only, so that they are always JSON.
    let node = |json: &serde_json::Value| Node::from_json(json, &origin);
    let mut tree = (*scenario.written).clone();
    if let Some(whole) = tree.entries_mut().filter(|_| !events.is_empty()) {
        let all = whole.entry("event".to_owned()).or_insert_with(|| Node::table(origin.clone()));
        let written = events.iter().filter_map(|(name, event)| {
            let event = serde_json::to_value(event).ok()?;
            Some(((*name).to_owned(), node(&event)?))
        });
        all.entries_mut().into_iter().for_each(|all| all.extend(written.clone()));
    }
    let set = set.iter().filter_map(|(path, value)| Some((path.clone(), node(value)?))).collect();
    overlay::lay(&mut tree, &set, &layer, &mut problems);
    let known = (scenario.base.clone(), scenario.tables.clone());
    let derived = worlds::stand(tree, variant, known, &mut problems).scenario();
    derived.filter(|_| !problems.has_errors()).ok_or(problems)
}
