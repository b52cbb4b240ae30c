//! Sweeps: axes that lead somewhere, with values that fit, and that make points in their mode.

use super::Checker;
use crate::scenario::axis::{self, Along, Axis};
use crate::scenario::grammar::Mode;
use crate::scenario::place::{OWN_AXIS, Place};
use crate::scenario::problem::Problem;
use crate::scenario::tree::{self, Node, Value};
use crate::scenario::{conform, overlay};

impl Checker<'_> {
    pub(super) fn sweep(&mut self) {
        let Some(sweep) = &self.file.sweep else { return };
        for (index, variant) in sweep.variants.iter().enumerate() {
            self.variant(&format!("sweep.variants.{index}"), variant);
        }
        let axes = match axis::of(sweep) {
            Ok(axes) => axes,
            Err((path, why)) => {
                let help = "write a list such as `[2, 4, 8]`, or a text such as `\"0s..180s:7\"`";
                return self.axis_error(&path, why, help);
            }
        };
        for axis in &axes {
            self.axis(axis, sweep.mode);
        }
        if sweep.mode == Mode::Zip
            && let Some((path, why)) = uneven(&axes)
        {
            self.axis_error(path, why, "give all axes equally many values, or write `mode = \"grid\"`");
        }
    }

    fn axis(&mut self, axis: &Axis, mode: Mode) {
        let node = axis_node(self.tree, &axis.name);
        let sets = axis.places().iter().flat_map(|place| &place.set);
        let paths = sets.filter_map(|set| set.split_once('=')).map(|(path, _)| path);
        for path in paths.chain([axis.name.as_str()]) {
            if let Err((what, help)) = overlay::expand(self.tree, path.trim()) {
                let place = node.and_then(|node| node.origin.key.clone());
                self.problems.push(Problem::error(what, place).help(help));
                return;
            }
        }
        if mode != Mode::Random && matches!(axis.along, Along::Between(_)) {
            let why = format!("`{}` does not say which values between its ends", axis.name);
            let help = "write how many, `\"lo..hi:n\"`, or `mode = \"random\"`";
            self.axis_error(&axis.name, why, help);
        }
        let Some(Value::Array(items)) = node.map(|node| &node.value) else { return };
        for (item, place) in items.iter().zip(axis.places()) {
            self.axis_value(&axis.name, item, &place.set[0]);
        }
    }

    /// A value in a list must fit where it is laid; a factor fits wherever there is something to scale.
    fn axis_value(&mut self, path: &str, item: &Node, set: &str) {
        let Ok((_, mut value)) = tree::parse_set(OWN_AXIS, set, 0) else { return };
        value.origin = item.origin.clone();
        let factor = value.text().and_then(|text| text.strip_prefix('x'));
        if factor.is_some_and(|factor| factor.parse::<f64>().is_ok()) {
            return;
        }
        let (tree, name) = (self.tree, path.rsplit('.').next().unwrap_or(path));
        for concrete in overlay::expand(tree, path).unwrap_or_default() {
            if let Some(shape) = overlay::shape_at(tree, &concrete) {
                conform::check(&value, shape, name, self.problems);
            }
        }
    }

    fn axis_error(&mut self, path: &str, message: String, help: &str) {
        let place = self.axis_place(path);
        self.problems.push(Problem::error(message, place).help(help));
    }

    fn axis_place(&self, path: &str) -> Option<Place> {
        axis_node(self.tree, path).and_then(Node::place)
    }
}

/// The values of an axis as written; its path, which has dots, is one key.
fn axis_node<'a>(tree: &'a Node, path: &str) -> Option<&'a Node> {
    tree.at("sweep.axes")?.child(path)
}

/// The first axis that has more or fewer values than the first of all.
fn uneven(axes: &[Axis]) -> Option<(&str, String)> {
    let first = axes.iter().find(|axis| !axis.places().is_empty())?;
    let count = first.places().len();
    let other = axes.iter().find(|axis| !axis.places().is_empty() && axis.places().len() != count)?;
    let (name, others) = (&first.name, other.places().len());
    Some((&other.name, format!("`{name}` has {count} values and `{}` {others}", other.name)))
}
