//! Who reads `pools.md §1a` anywhere finds in `docs/sources.md` what stands behind it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const NOTES: [&str; 5] = ["pools.md", "postgres.md", "cloud-run.md", "validation.md", "design"];
const ROOMS: [&str; 9] =
    ["benches", "docs", "notebooks", "remedies", "results", "scenarios", "src", "templates", "tests"];

/// Every text below a directory, but for what is installed there.
fn texts(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text =
            ["rs", "toml", "md"].iter().any(|ending| entry.extension().is_some_and(|own| own == *ending));
        if entry.is_dir() && !name.starts_with('.') && name != "node_modules" && name != "target" {
            texts(&entry, found);
        } else if text && name != "sources.md" {
            found.push(fs::read_to_string(&entry).expect("a text"));
        }
    }
}

/// `§1a`, `§1 and §5`, `§0, §3`: the sections that a citation begins with.
fn sections(mut text: &str) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(rest) = [" §", ", §", " and §"].iter().find_map(|sign| text.strip_prefix(sign)) {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
        found.push(rest[..end].trim_end_matches('.').to_owned());
        text = &rest[end..];
    }
    found
}

/// All citations of a text, lines and signs of comments apart.
fn cited(text: &str) -> BTreeSet<String> {
    let plain: Vec<&str> =
        text.split_whitespace().filter(|word| !["//", "///", "//!", "#"].contains(word)).collect();
    let plain = plain.join(" ");
    let of = |note: &'static str| {
        let places = plain.match_indices(note).map(|(at, _)| &plain[at + note.len()..]).collect::<Vec<_>>();
        places
            .into_iter()
            .flat_map(sections)
            .map(move |section| format!("{note} §{section}"))
            .collect::<Vec<_>>()
    };
    NOTES.into_iter().flat_map(of).collect()
}

#[test]
fn every_citation_can_be_followed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![fs::read_to_string(root.join("README.md")).expect("a readme")];
    ROOMS.iter().for_each(|room| texts(&root.join(room), &mut found));
    let all: BTreeSet<String> = found.iter().flat_map(|text| cited(text)).collect();
    assert!(all.len() > 40, "{all:?}");
    let sources = fs::read_to_string(root.join("docs/sources.md")).expect("the sources");
    let explained: Vec<&str> = sources.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let missing =
        all.iter().filter(|one| !explained.iter().any(|line| line.starts_with(&format!("{one} — "))));
    assert_eq!(
        missing.collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "docs/sources.md has no heading for these"
    );
}

#[test]
fn a_citation_is_found_however_it_is_written() {
    let text = "/// Work (validation.md\n/// §5.1 and §7), postgres.md §8. See cloud-run.md §1.3, §2";
    let wanted =
        ["cloud-run.md §1.3", "cloud-run.md §2", "postgres.md §8", "validation.md §5.1", "validation.md §7"];
    assert_eq!(cited(text).into_iter().collect::<Vec<_>>(), wanted);
}
