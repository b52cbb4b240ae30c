//! Provenance: which numbers of a scenario have a `[source]`, and which sources speak of nothing.

use super::overlay;
use super::problem::{Problem, Problems};
use super::schema::{self, Shape};
use super::tree::{Layer, Node, Value};

/// What a scenario says of the world; all else is about the run and its readers.
const OF_THE_WORLD: [&str; 12] = [
    "network", "postgres", "endpoint", "edge", "service", "query", "request", "device", "traffic", "queue",
    "job", "event",
];

/// The paths of the numbers that somebody wrote and that no `[source]` covers.
pub fn without_source(tree: &Node) -> Vec<String> {
    let covered: Vec<String> =
        sources(tree).filter_map(|(pattern, _)| reached(tree, pattern).ok()).flatten().collect();
    let covers = |source: &String, path: &str| {
        path.strip_prefix(source.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut bare = Vec::new();
    schema::visit(tree, schema::root(), "", &mut |path, node, shape| {
        let group = path.split('.').next().unwrap_or_default();
        let of_the_world = OF_THE_WORLD.contains(&group);
        let quantity = match (shape, &node.value) {
            (Shape::Text(format), _) => !format.is_empty(),
            (_, Value::Integer(_) | Value::Float(_)) => true,
            _ => false,
        };
        let written = !matches!(
            node.origin.layer,
            Layer::Default | Layer::Preset(_) | Layer::Like(_) | Layer::ValuesFrom(_)
        );
        if of_the_world && quantity && written && !covered.iter().any(|source| covers(source, path)) {
            bare.push(path.to_owned());
        }
    });
    bare
}

fn sources(tree: &Node) -> impl Iterator<Item = (&String, &Node)> {
    tree.child("source").and_then(Node::entries).into_iter().flatten()
}

/// The paths that a source speaks of. It vouches for all below them, so that a `*` at its end says no more.
fn reached(tree: &Node, pattern: &str) -> Result<Vec<String>, (String, String)> {
    overlay::expand(tree, pattern.strip_suffix(".*").unwrap_or(pattern))
}

/// A source for something that is not there is a warning: the path was probably renamed.
pub fn check(tree: &Node, problems: &mut Problems) {
    for (pattern, node) in sources(tree) {
        if let Err((what, help)) = reached(tree, pattern) {
            let place = node.origin.key.clone().or_else(|| node.place());
            problems.push(Problem::warning(format!("a source without a value: {what}"), place).help(help));
        }
    }
}
