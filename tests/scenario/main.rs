//! Scenario files from the outside: what is refused and how it is said, what stands over what, and what comes
//! out.

mod all_at_once;
mod cures;
mod meant;
mod overlays;
mod random;
mod resolved;
mod sizes;
mod tables;
mod timeline;
mod wrong;

use herdsim::scenario::problem::Problems;
use herdsim::scenario::{Document, schema};

/// A scenario without errors or warnings.
const BASE: &str = include_str!("base.toml");

/// The base scenario with something after it.
fn with(more: &str) -> String {
    format!("{BASE}{more}")
}

/// Loads a text that must be right.
fn load(text: &str) -> (Document, Problems) {
    Document::from_text("scenario.toml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_base_scenario_is_without_reproach() {
    let (document, warnings) = load(BASE);
    assert!(warnings.is_empty(), "{warnings}");
    assert_eq!(document.compared().len(), 1);
}

#[test]
fn the_committed_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/scenario.schema.json");
    if std::env::var_os("HERDSIM_BLESS").is_some() {
        std::fs::write(path, schema::schema_json()).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == schema::schema_json(), "run the tests with HERDSIM_BLESS=1 to write {path}");
}
