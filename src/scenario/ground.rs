//! The ground that events are laid on: the tree as it stands at an instant, and what it is completed to.
//!
//! A path is read where everything stands, and a factor scales what stands there. Completing the whole tree
//! anew for every path of every event makes a file of many events slow to read. What is not `like` another is
//! completed for itself: so only what was touched is completed again.

use super::complete::complete;
use super::overlay;
use super::problem::Problems;
use super::schema::{self, Shape};
use super::tree::{Layer, Node, Value};
use indexmap::IndexMap;
use std::collections::BTreeSet;

/// A tree in which nothing is `like` another, and the complete one.
#[derive(Clone)]
pub struct Ground {
    written: Node,
    standing: Node,
}

impl Ground {
    /// Of a tree whose ties are cut.
    pub fn new(written: Node) -> Ground {
        let standing = complete(&written, &mut Problems::default());
        Ground { written, standing }
    }

    /// The tree, with what has been laid over it.
    pub fn written(&self) -> &Node {
        &self.written
    }

    /// Lays an overlay over what stands.
    pub fn lay(&mut self, overlay: &IndexMap<String, Node>, layer: &Layer, problems: &mut Problems) {
        for (path, value) in overlay {
            let Ground { written, standing } = self;
            let touched = overlay::lay_one(written, standing, (path, value), layer, problems);
            self.complete_again(&touched);
        }
    }

    /// Completes again what the paths of one pattern lead into: entities, or a group that has none.
    fn complete_again(&mut self, touched: &[String]) {
        let Some(group) = touched.first().and_then(|path| path.split('.').next()) else { return };
        let Some(written) = self.written.child(group) else { return };
        let part = match written.entries().filter(|_| has_entities(group)) {
            Some(all) => {
                let names: BTreeSet<&str> =
                    touched.iter().filter_map(|path| path.split('.').nth(1)).collect();
                let some =
                    names.iter().filter_map(|name| Some(((*name).to_owned(), all.get(*name)?.clone())));
                Node { value: Value::Table(some.collect()), origin: written.origin.clone() }
            }
            None => written.clone(),
        };
        let mut some = Node::table(self.written.origin.clone());
        some.entries_mut().map(|groups| groups.insert(group.to_owned(), part));
        let again = complete(&some, &mut Problems::default());
        let (Some(again), Some(groups)) = (again.child(group), self.standing.entries_mut()) else { return };
        match (groups.get_mut(group).and_then(Node::entries_mut), again.entries()) {
            (Some(standing), Some(again)) if has_entities(group) => standing.extend(again.clone()),
            _ => drop(groups.insert(group.to_owned(), again.clone())),
        }
    }
}

fn has_entities(group: &str) -> bool {
    matches!(schema::root().field(group), Some(Shape::Map(_)))
}

#[cfg(test)]
mod tests {
    use super::super::place::SourceText;
    use super::super::tree;
    use super::*;
    use std::sync::Arc;

    fn parsed(text: &str) -> Node {
        let source = SourceText { name: "scenario.toml".to_owned(), text: text.to_owned(), order: 0 };
        tree::parse(&Arc::new(source), &Layer::File).expect("valid TOML")
    }

    #[test]
    fn what_stands_is_the_same_as_if_all_were_completed_anew() {
        let base = include_str!("../../tests/scenario/base.toml");
        let more = "[postgres.other]\ncores = 2\n[edge]\nserves = []\n[query.write]\ncpu = \"1ms\"\n";
        let mut ground = Ground::new(parsed(&format!("{base}{more}")));
        for overlay in [
            "\"service.*.pool.*\" = { preset = \"hikari\", max = 7, min = \"max\" }",
            "\"service.api.pool.primary.max\" = \"x3\"",
            "\"service.api.pool.primary.preset\" = \"pg-pool\"",
            "\"service.api.pool.primary\" = { preset = \"r2d2\", stock = true }",
            "\"postgres.*.cores\" = \"x0.5\"",
            "\"query.lookup.cpu\" = { log_normal = { median = \"1ms\", p99 = \"5ms\" } }",
            "\"query.*.cpu\" = \"x2\"",
            "\"query.lookup.cpu.log_normal.p99\" = \"1s\"\n\"query.lookup.cpu\" = \"x2\"",
            "\"network.database\" = \"x4\"\n\"network.*\" = \"1ms\"",
            "\"traffic.nobody.rate\" = \"1/s\"",
            "\"edge.origin_outage_mode\" = \"on\"",
        ] {
            let overlay = parsed(overlay);
            let entries = overlay.entries().expect("a table");
            let before = ground.written().clone();
            ground.lay(entries, &Layer::Event("e".into()), &mut Problems::default());
            let mut anew = before;
            overlay::lay(&mut anew, entries, &Layer::Event("e".into()), &mut Problems::default());
            assert_eq!(*ground.written(), anew);
            assert_eq!(ground.standing, complete(&anew, &mut Problems::default()));
        }
    }
}
