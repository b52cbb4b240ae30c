//! Floor 1: what was asked. From TOML text to a checked, complete [`Scenario`].

pub mod axis;
mod check;
mod complete;
mod conform;
pub mod grammar;
mod ground;
mod guess;
mod like;
mod lint;
mod live;
mod load;
mod mend;
mod other_names;
mod overlay;
pub mod place;
pub mod problem;
pub mod proof;
mod read;
mod remedy;
mod resolved;
pub mod schema;
mod size;
mod sources;
mod tables;
mod timeline;
mod toml_1_0;
mod tree;
pub mod units;
pub mod values;
pub mod when;
pub mod window;
mod worlds;

pub use complete::presets;
pub use remedy::Remedy;

use crate::engine::time::Time;
use grammar::{Deed, Event, File, Overlay};
use indexmap::IndexMap;
use place::Place;
use problem::Problems;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tree::{Node, Origin};

/// The name of the run that no variant changes.
pub const AS_WRITTEN: &str = "as-written";

/// A scenario file with its `--with` files and `--set` values, every variant resolved and checked.
#[derive(Clone, Debug)]
pub struct Document {
    /// The scenario of each variant by name, in file order; [`AS_WRITTEN`] first.
    pub scenarios: IndexMap<String, Scenario>,
}

/// One checked, complete scenario: a file under one variant.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name of the variant.
    pub variant: String,
    /// What stands at the first instant.
    pub file: Arc<File>,
    /// What changes later, ascending in time. At one instant, ends come before beginnings, each in file
    /// order.
    pub timeline: Vec<Moment>,
    /// The CSV files that the scenario names, by the path as written.
    pub tables: Tables,
    /// What is warned of in it; other variants may be warned of more.
    pub warnings: Problems,
    /// The tree as written, under the variant and what is laid over it, before presets and defaults.
    written: Arc<Node>,
    /// The complete tree, every value with its place.
    standing: Arc<Node>,
    /// The directory that its CSV files are looked for in.
    base: Arc<Path>,
}

impl Document {
    /// The scenario of a variant, or [`AS_WRITTEN`].
    pub fn scenario(&self, variant: &str) -> Option<&Scenario> {
        self.scenarios.get(variant)
    }

    /// The scenarios that a bare comparison shows: those in `compare` or, if it is empty, all.
    pub fn compared(&self) -> Vec<&Scenario> {
        let named = self.scenarios.values().next().map(|first| &first.file.compare[..]).unwrap_or_default();
        if !named.is_empty() {
            return named.iter().filter_map(|name| self.scenario(name)).collect();
        }
        self.all()
    }

    /// The file as written, first of all, and its variants. It is left out where a variant is just that under
    /// another name.
    pub fn all(&self) -> Vec<&Scenario> {
        let mut all: Vec<&Scenario> = self.scenarios.values().collect();
        all.sort_by_key(|each| each.variant != AS_WRITTEN);
        if let [as_written, variants @ ..] = &all[..]
            && variants.iter().any(|variant| variant.file == as_written.file)
        {
            all.remove(0);
        }
        all
    }

    /// The variants that its expectations speak of, in file order; the file as written if there is none.
    pub fn expected(&self) -> Vec<String> {
        let expects =
            || self.scenarios.values().next().into_iter().flat_map(|first| first.file.expect.values());
        let named = |name: &&String| expects().any(|expect| expect.variants().any(|other| other == *name));
        let names: Vec<String> = self.scenarios.keys().filter(named).cloned().collect();
        if names.is_empty() { vec![AS_WRITTEN.to_owned()] } else { names }
    }
}

impl Scenario {
    /// A scenario that was made rather than loaded: no timeline, no tables.
    pub fn new(file: File) -> Scenario {
        // The grammar's structs have string keys and finite numbers only, so that they are always JSON.
        let json = serde_json::to_value(&file).unwrap_or_default();
        let origin = Origin::default_value();
        let standing = Arc::new(Node::from_json(&json, &origin).unwrap_or_else(|| Node::table(origin)));
        Scenario {
            variant: AS_WRITTEN.to_owned(),
            file: Arc::new(file),
            timeline: Vec::new(),
            tables: Tables::new(),
            warnings: Problems::default(),
            written: standing.clone(),
            standing,
            base: Arc::from(Path::new("")),
        }
    }

    /// The complete scenario as TOML, each value with a comment that says where it came from. Read again, it
    /// is the same scenario, whatever its events do. A pool to which an event gives another `preset` stands
    /// as it was written.
    pub fn resolved(&self) -> String {
        resolved::write(&self.written)
    }

    /// This scenario with one more overlay on top of everything, and with further events: a variant that
    /// nobody wrote down. A CSV file that this scenario names is not read again; another is looked for where
    /// this one's are. An event of a name that is taken replaces the other.
    ///
    /// # Errors
    /// All that would be wrong with such a variant.
    pub fn with(&self, variant: &str, set: &Overlay, events: &[(&str, Event)]) -> Result<Scenario, Problems> {
        load::derive(self, variant, set, events)
    }

    /// Whether something holds at the first instant, or after any moment of the timeline.
    pub fn ever(&self, holds: impl Fn(&File) -> bool) -> bool {
        holds(&self.file) || self.timeline.iter().filter_map(|moment| moment.stands.as_deref()).any(holds)
    }

    /// Where the value at a dotted path was written, such as `expect.jitter-cures`.
    pub fn place(&self, path: &str) -> Option<Place> {
        self.standing.place_at(path)
    }

    /// The paths of the numbers in the file that no `[source]` covers.
    pub fn without_source(&self) -> Vec<String> {
        sources::without_source(&self.standing)
    }
}

/// An instant at which an event begins or ends.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When.
    pub at: Time,
    /// The event's name.
    pub event: String,
    /// True where the event begins, false where it gives back what it set.
    pub begins: bool,
    /// The whole file as it stands from now on, where that changes: of several moments of one instant the
    /// first has it, with all that they change together. Boxes read its live fields at once; containers
    /// started later have its `pool`, `concurrency` and `startup` too.
    pub stands: Option<Arc<File>>,
    /// What is done.
    pub deed: Option<Deed>,
    /// Whether the event is over as soon as it has begun.
    pub instant: bool,
}

/// CSV files by the path as written.
pub type Tables = BTreeMap<String, Table>;

/// The columns of a CSV file, as numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The names in the header.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<f64>>,
    /// The line of the file in which each of them stands.
    pub lines: Vec<usize>,
}
