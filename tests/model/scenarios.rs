//! Every scenario that ships loads without errors and runs in every variant, with its books in balance.

use crate::books::audit;
use herdsim::scenario::Document;
use std::fs;
use std::path::{Path, PathBuf};

/// The scenario files that ship.
fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["scenarios", "templates"].map(|folder| root.join(folder));
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(!files.is_empty(), "no scenarios are found");
    files
}

/// As written, every file is without errors.
#[test]
fn every_shipped_scenario_is_right() {
    for path in shipped() {
        Document::load(&path, &[], &[]).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

/// Every variant runs for a few seconds and loses nothing.
#[test]
fn every_variant_of_every_shipped_scenario_runs() {
    for path in shipped() {
        let (document, _) = Document::load(&path, &[], &[]).unwrap_or_else(|problems| panic!("{problems}"));
        for (variant, scenario) in &document.scenarios {
            let mut short = scenario.clone();
            let mut file = (*short.file).clone();
            // Shorter once it is resolved: an event or an expectation may lie beyond the new end.
            file.duration = herdsim::engine::time::Span::from_secs(4);
            short.file = file.into();
            let books = audit(&short, 1);
            let ok = books.outcomes.get("ok").copied().unwrap_or_default();
            assert!(ok > 0, "{variant} of {} answers nobody: {:?}", path.display(), books.outcomes);
        }
    }
}
