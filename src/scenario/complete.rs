//! From what was written to what stands: `like`, presets and defaults fill in what is missing.
//!
//! The written tree is kept apart and completed anew whenever it changes, so that an overlay which changes a
//! `preset` gets that preset's values and not the old one's.

use super::conform;
use super::like;
use super::place::SourceText;
use super::problem::{Problem, Problems};
use super::schema::{self, Field, Shape};
use super::tree::{self, Layer, Node, Origin, Value};
use indexmap::IndexMap;
use std::sync::{Arc, OnceLock};

const PRESETS: [(&str, &str); 19] = [
    ("pgxpool", include_str!("presets/pgxpool.toml")),
    ("pgxpool-5.8", include_str!("presets/pgxpool-5.8.toml")),
    ("pgxpool-5.3", include_str!("presets/pgxpool-5.3.toml")),
    ("pgxpool-v4", include_str!("presets/pgxpool-v4.toml")),
    ("database-sql", include_str!("presets/database-sql.toml")),
    ("hikari", include_str!("presets/hikari.toml")),
    ("hikari-6.0", include_str!("presets/hikari-6.0.toml")),
    ("sqlx", include_str!("presets/sqlx.toml")),
    ("bb8", include_str!("presets/bb8.toml")),
    ("r2d2", include_str!("presets/r2d2.toml")),
    ("deadpool", include_str!("presets/deadpool.toml")),
    ("sqlalchemy", include_str!("presets/sqlalchemy.toml")),
    ("pg-pool", include_str!("presets/pg-pool.toml")),
    ("postgres-js", include_str!("presets/postgres-js.toml")),
    ("npgsql", include_str!("presets/npgsql.toml")),
    ("psycopg", include_str!("presets/psycopg.toml")),
    ("activerecord", include_str!("presets/activerecord.toml")),
    ("pgbouncer", include_str!("presets/pgbouncer.toml")),
    ("pgdog", include_str!("presets/pgdog.toml")),
];

/// What a pool's `preset` may name: `plain`, and every library that ships with herdsim.
pub fn presets() -> impl Iterator<Item = &'static str> {
    std::iter::once("plain").chain(PRESETS.iter().map(|(name, _)| *name))
}

/// In a preset: the library's own sizes, for a pool with `stock`.
const STOCK: &str = "stock";

/// As `min`: as many as this says.
const AS_MAX: &str = "max";

/// The complete tree.
pub fn complete(written: &Node, problems: &mut Problems) -> Node {
    let mut tree = written.clone();
    like::fill(&mut tree, problems);
    fill_presets(&mut tree, problems);
    each_pool(&mut tree, &mut |_, _, pool| count_floor(pool));
    fill_defaults(&mut tree, schema::root());
    tree
}

/// The complete tree as it can be written down: read again, it is the same under every overlay. Nothing is
/// `like` another, and a floor of as many as `max` goes on following `max`.
pub fn spelled_out(written: &Node) -> Node {
    let mut tree = written.clone();
    like::settle(&mut tree);
    fill_presets(&mut tree, &mut Problems::default());
    fill_defaults(&mut tree, schema::root());
    tree
}

fn fill_presets(tree: &mut Node, problems: &mut Problems) {
    let services = tree.child("service").and_then(Node::entries).cloned().unwrap_or_default();
    let mut unsaid = Problems::default();
    each_pool(tree, &mut |service, name, pool| {
        let excused = service.is_some_and(|service| like::is_stranded(service, &services));
        fill_pool(name, pool, if excused { &mut unsaid } else { problems });
    });
}

/// The pools of services, with the service's name and their own, and of poolers.
fn each_pool(tree: &mut Node, act: &mut impl FnMut(Option<&str>, &str, &mut Node)) {
    for (service, entry) in child(tree, "service").and_then(Node::entries_mut).into_iter().flatten() {
        let pools = child(entry, "pool").and_then(Node::entries_mut);
        pools.into_iter().flatten().for_each(|(name, pool)| act(Some(service), name, pool));
    }
    for node in entities(tree, "postgres") {
        let pool = child(node, "pooler").and_then(|pooler| child(pooler, "pool"));
        pool.into_iter().for_each(|pool| act(None, "pool", pool));
    }
}

fn entities<'a>(tree: &'a mut Node, group: &str) -> impl Iterator<Item = &'a mut Node> {
    child(tree, group).and_then(Node::entries_mut).into_iter().flat_map(IndexMap::values_mut)
}

fn child<'a>(node: &'a mut Node, name: &str) -> Option<&'a mut Node> {
    node.entries_mut()?.get_mut(name)
}

/// Fills a pool from its preset; what is written stands.
fn fill_pool(name: &str, pool: &mut Node, problems: &mut Problems) {
    let preset = pool.child("preset").and_then(Node::text).and_then(preset);
    let stock = pool.child(STOCK).is_some_and(|stock| matches!(stock.value, Value::Bool(true)));
    let (place, Some(own)) = (pool.place(), pool.entries_mut()) else { return };
    let sizes = preset.and_then(|preset| preset.child(STOCK)).filter(|_| stock).and_then(Node::entries);
    for (key, value) in sizes.into_iter().flatten() {
        own.entry(key.clone()).or_insert_with(|| value.clone());
    }
    if !own.contains_key(AS_MAX) {
        if !conform::is_misspelt(AS_MAX, own, pool_fields()) {
            let problem = Problem::error(format!("`{name}` has no `max`"), place);
            problems.push(problem.help(
                "add `max`: a whole number of 1 to 100000; or a `preset` and `stock = true` for the library's \
                 own",
            ));
        }
        // A stand-in, so that the rest is checked all the same, and `min` is not above it.
        let min = own.get("min").filter(|min| is_size(min));
        let value = min.map_or(Value::Integer(1), |min| min.value.clone());
        let origin = Origin { layer: Layer::StandIn, ..Origin::default_value() };
        own.insert(AS_MAX.to_owned(), Node { value, origin });
    }
    for (key, value) in preset.and_then(Node::entries).into_iter().flatten().filter(|(key, _)| *key != STOCK)
    {
        own.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// A floor of as many as `max`, as a number; as many as what is no number of connections is none.
fn count_floor(pool: &mut Node) {
    let max = pool.child(AS_MAX).filter(|max| is_size(max)).map(|max| max.value.clone());
    if let Some(floor) = child(pool, "min").filter(|floor| floor.text() == Some(AS_MAX)) {
        floor.value = max.unwrap_or(Value::Integer(0));
    }
}

/// Whether a pool may be of so many connections.
fn is_size(node: &Node) -> bool {
    let mut wrong = Problems::default();
    conform::check(node, &pool_fields()[AS_MAX].shape, AS_MAX, &mut wrong);
    wrong.is_empty()
}

/// What the grammar knows of a pool.
fn pool_fields() -> &'static IndexMap<String, Field> {
    let pool = schema::root().field("service").and_then(|service| service.inner().field("pool"));
    let Some(Shape::Table(fields)) = pool.map(Shape::inner) else { unreachable!("a pool is a table") };
    fields
}

/// The pool fields of a library.
fn preset(name: &str) -> Option<&'static Node> {
    static PARSED: OnceLock<Vec<(&str, Node)>> = OnceLock::new();
    let parsed = PARSED.get_or_init(|| {
        let parse = |(order, (name, text)): (usize, &(&'static str, &str))| {
            let source =
                SourceText { name: format!("preset {name}"), text: (*text).to_owned(), order: 1000 + order };
            let node = tree::parse(&Arc::new(source), &Layer::Preset((*name).into()));
            (*name, node.expect("a shipped preset is valid TOML"))
        };
        PRESETS.iter().enumerate().map(parse).collect()
    });
    parsed.iter().find(|(known, _)| *known == name).map(|(_, node)| node)
}

/// Fills in the grammar's defaults, all the way down.
fn fill_defaults(node: &mut Node, shape: &Shape) {
    let shape = shape.for_node(node);
    match (shape, &mut node.value) {
        (Shape::Table(fields), Value::Table(entries)) => {
            for (name, field) in fields {
                if !entries.contains_key(name)
                    && let Some(default) = &field.default
                    && let Some(default) = Node::from_json(default, &Origin::default_value())
                {
                    entries.insert(name.clone(), default);
                }
                if let Some(entry) = entries.get_mut(name) {
                    fill_defaults(entry, &field.shape);
                }
            }
        }
        (Shape::Map(inner), Value::Table(entries)) => {
            entries.values_mut().for_each(|entry| fill_defaults(entry, inner));
        }
        (Shape::List(item, ..), Value::Array(items)) => {
            items.iter_mut().for_each(|each| fill_defaults(each, item));
        }
        (Shape::Choice(choices), Value::Table(entries)) => {
            for (tag, entry) in entries {
                if let Some(Some(inner)) = choices.get(tag) {
                    fill_defaults(entry, inner);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_of_the_grammar_has_its_preset() {
        let Shape::Choice(choices) = &pool_fields()["preset"].shape else { panic!("a choice") };
        let mut names: Vec<&str> = choices.keys().map(String::as_str).collect();
        let mut shipped: Vec<&str> = presets().collect();
        names.sort_unstable();
        shipped.sort_unstable();
        assert_eq!(names, shipped);
    }
}
