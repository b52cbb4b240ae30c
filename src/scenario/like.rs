//! What is `like` another: an entity that takes from another of its group what is not written for itself.
//!
//! A chain of them is followed to its end. What an entity is, rather than what it is like, stays its own.

use super::guess::Guess;
use super::problem::{Problem, Problems, nearest, suggest};
use super::schema::{self, Shape};
use super::tree::{Layer, Node};
use indexmap::IndexMap;

/// The groups whose entities may be `like` each other.
const LIKE_EACH_OTHER: [&str; 2] = ["postgres", "service"];

/// What an entity is, rather than what it is like.
const ITS_OWN: [&str; 4] = ["like", "ha", "pooler", "replica_of"];

/// How long a chain of `like` may be: nobody can follow a longer one.
const MAX_CHAIN: usize = 16;

/// Fills every entity that is `like` another.
pub fn fill(tree: &mut Node, problems: &mut Problems) {
    for group in LIKE_EACH_OTHER {
        fill_group(tree, group, problems);
    }
}

/// Fills every entity that is `like` another and cuts the tie: what changes from now on changes one of them.
pub fn settle(tree: &mut Node) {
    fill(tree, &mut Problems::default());
    cut(tree);
}

/// Cuts the ties of what has been filled: filled once more, it would get what was not written for it.
pub fn cut(tree: &mut Node) {
    for group in LIKE_EACH_OTHER {
        for (_, entry) in entities(tree, group).into_iter().flatten() {
            entry.entries_mut().map(|fields| fields.shift_remove("like"));
        }
    }
}

/// Fills every entity of the group that is `like` another.
fn fill_group(tree: &mut Node, group: &str, problems: &mut Problems) {
    let Some(written) = tree.child(group).and_then(Node::entries).cloned() else { return };
    let Some(entries) = entities(tree, group) else { return };
    let shape = schema::root().field(group).expect("the grammar has this group").inner();
    for (name, entry) in entries {
        for other in ancestors(name, &written, problems) {
            fill_from(entry, &written[other], shape, &Layer::Like(other.into()));
        }
    }
}

/// The names that `name` is like, nearest first; as far as they go, if one is missing or the chain closes.
fn ancestors<'a>(name: &'a str, all: &'a IndexMap<String, Node>, problems: &mut Problems) -> Vec<&'a str> {
    let mut chain = vec![name];
    while let Some(like) = all.get(chain[chain.len() - 1]).and_then(|entry| entry.child("like")) {
        let Some(other) = like.text() else { break };
        if chain.contains(&other) {
            let cycle = [&chain[..], &[other]].concat().join(" → ");
            problems.push(
                Problem::error(format!("`like` goes in a circle: {cycle}"), like.place())
                    .help("let one of them stand on its own"),
            );
            break;
        }
        if !all.contains_key(other) {
            let names = all.keys().map(String::as_str).filter(|known| *known != name);
            let problem =
                Problem::error(format!("`like` names `{other}`, which does not exist"), like.place());
            problems.push(problem.help(suggest(other, names)));
            break;
        }
        if chain.len() > MAX_CHAIN {
            let message = format!("a chain of more than {MAX_CHAIN} `like`");
            problems.push(Problem::error(message, like.place()).help("write the values out"));
            break;
        }
        chain.push(other);
    }
    chain.split_off(1)
}

/// Whether what an entity is `like` leads nowhere: nobody knows what that would have brought.
pub fn is_stranded(name: &str, all: &IndexMap<String, Node>) -> bool {
    let chain = ancestors(name, all, &mut Problems::default());
    all[chain.last().copied().unwrap_or(name)].child("like").is_some()
}

/// Lends every entity whose `like` leads nowhere what another one has: another one for each guess, or none.
pub fn lend(tree: &mut Node, guess: Guess) {
    for group in LIKE_EACH_OTHER {
        let Some(all) = tree.child(group).and_then(Node::entries).cloned() else { continue };
        let shape = schema::root().field(group).expect("the grammar has this group").inner();
        let sound: Vec<&str> =
            all.keys().map(String::as_str).filter(|name| !is_stranded(name, &all)).collect();
        for (name, entry) in
            entities(tree, group).into_iter().flatten().filter(|(name, _)| is_stranded(name, &all))
        {
            let like = all[name].child("like").and_then(Node::text).unwrap_or_default();
            let other = match guess {
                Guess::Likely => nearest(like, sound.iter().copied()).or(sound.first().copied()),
                Guess::Least => None,
                Guess::Most => sound.last().copied(),
            };
            if let Some(other) = other {
                fill_from(entry, &all[other], shape, &Layer::Like(other.into()));
            }
        }
    }
}

/// Copies what `node` lacks; tables are filled in, a choice or a list is taken whole or not at all.
fn fill_from(node: &mut Node, other: &Node, shape: &Shape, layer: &Layer) {
    let (Some(own), Some(entries)) = (node.entries_mut(), other.entries()) else { return };
    for (key, value) in entries.iter().filter(|(key, _)| !is_its_own(shape, key)) {
        match (own.get_mut(key), shape.field(key)) {
            (Some(standing), Some(inner @ (Shape::Table(_) | Shape::Map(_)))) => {
                fill_from(standing, value, inner, layer);
            }
            (Some(_), _) => {}
            (None, _) => {
                let mut copy = value.clone();
                copy.relabel(layer);
                own.insert(key.clone(), copy);
            }
        }
    }
}

/// Whether a field stays with its entity; a name in a map is no field.
fn is_its_own(shape: &Shape, key: &str) -> bool {
    matches!(shape, Shape::Table(_)) && ITS_OWN.contains(&key)
}

fn entities<'a>(tree: &'a mut Node, group: &str) -> Option<&'a mut IndexMap<String, Node>> {
    tree.entries_mut()?.get_mut(group)?.entries_mut()
}
