//! Which files `test` and `check` are about.

use super::Failure;
use indexmap::IndexMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A scenario file that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioFile {
    /// Where it is, in the words in which it was met first.
    pub file: PathBuf,
    /// Whether it was named itself, in any spelling, and not only the directory that it is in.
    pub named: bool,
}

/// The TOML files that some paths name: files as they are, directories by what is directly in them and not
/// hidden, sorted; each once, however it is spelt. A symbolic link is a file of its own: the CSV files that a
/// scenario names are looked for beside the link.
///
/// # Errors
/// [`Failure::Usage`] if a path leads nowhere, or a directory holds no TOML file.
pub fn scenarios(paths: &[PathBuf]) -> Result<Vec<ScenarioFile>, Failure> {
    let (found, failures) = all_scenarios(paths);
    failures.into_iter().next().map_or(Ok(found), Err)
}

/// The same with all that leads nowhere beside what was found.
pub fn all_scenarios(paths: &[PathBuf]) -> (Vec<ScenarioFile>, Vec<Failure>) {
    let mut found: IndexMap<PathBuf, ScenarioFile> = IndexMap::new();
    let mut failures = Vec::new();
    for path in paths {
        let named = !path.is_dir();
        let files = if named { Ok(vec![path.clone()]) } else { inside(path) };
        let files = files.and_then(|files| match files.is_empty() {
            true => {
                Err(Failure::Usage(format!("`{}` holds no scenario: no file ends in .toml", path.display())))
            }
            false => Ok(files),
        });
        for file in files.map_err(|failure| failures.push(failure)).into_iter().flatten() {
            match there(&file) {
                Ok(place) => found.entry(place).or_insert(ScenarioFile { file, named }).named |= named,
                Err(failure) => failures.push(failure),
            }
        }
    }
    (found.into_values().collect(), failures)
}

/// Where a file is, if it is anywhere.
fn there(file: &Path) -> Result<PathBuf, Failure> {
    if !file.exists() {
        let why = match file.is_symlink() {
            true => "is a link that leads nowhere: mend it, or remove it",
            false => "does not exist: name scenarios or directories",
        };
        return Err(Failure::Usage(format!("`{}` {why}", file.display())));
    }
    place(file)
}

/// The one spelling of where a file is, whatever the way there.
fn place(file: &Path) -> Result<PathBuf, Failure> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = fs::canonicalize(dir).map_err(|error| Failure::io("find", dir, error))?;
    Ok(dir.join(file.file_name().unwrap_or_default()))
}

fn inside(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(dir).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let entries = entries.map_err(|error| Failure::io("read", dir, error))?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    let hidden = |file: &Path| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    files.retain(|file| file.extension().is_some_and(|ending| ending == "toml") && !hidden(file));
    // A link that leads nowhere was a scenario once.
    files.retain(|file| file.is_file() || (file.is_symlink() && !file.exists()));
    files.sort();
    Ok(files)
}

/// Whether a file expects something; also if it cannot be read or is empty, so that somebody says so.
pub fn expects(file: &Path) -> bool {
    let table = fs::read_to_string(file).ok().and_then(|text| text.parse::<toml::Table>().ok());
    table.is_none_or(|table| table.is_empty() || table.contains_key("expect"))
}

/// Whether a file is laid over scenarios and is none itself: its keys are paths.
pub fn is_overlay(file: &Path) -> bool {
    let table = fs::read_to_string(file).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let paths = |table: toml::Table| {
        !table.contains_key("schema_version") && table.keys().any(|key| key.contains('.'))
    };
    table.is_some_and(paths)
}

/// Whether a name is of a pattern in which `*` stands for anything.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| matches(tail, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name) in
            [("a", "a"), ("*", ""), ("no-*", "no-herd"), ("*-herd", "no-herd"), ("*o*e*", "no-herd")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "ab"), ("no-*", "yes-herd"), ("*-herd", "no-herds"), ("", "a")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_directory_stands_for_its_toml_files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in ["b.toml", "a.toml", "notes.md", ".draft.toml"] {
            fs::write(path(name), "").unwrap();
        }
        fs::create_dir(path("empty")).unwrap();
        let found = |file: PathBuf, named| ScenarioFile { file, named };
        let files = scenarios(&[path("b.toml"), dir.path().to_owned()]).unwrap();
        assert_eq!(files, [found(path("b.toml"), true), found(path("a.toml"), false)]);
        for spelling in ["a.toml", "./a.toml", "empty/../a.toml"] {
            let files = scenarios(&[dir.path().to_owned(), path(spelling)]).unwrap();
            assert_eq!(files, [found(path("a.toml"), true), found(path("b.toml"), false)], "{spelling}");
        }
        for nothing in ["empty", "nowhere.toml"] {
            assert!(matches!(scenarios(&[path(nothing)]), Err(Failure::Usage(_))), "{nothing}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.toml");
        for (text, expected) in [
            ("[expect.x]\n", true),
            ("[expect", true),
            ("# nothing\n", true),
            ("\"expect.x.max\" = 1\n", false),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(expects(&file), expected, "{text}");
        }
        assert!(expects(&dir.path().join("absent.toml")));
        for (text, expected) in [
            ("title = \"a remedy\"\n\"service.*.pool.*.max\" = \"x2\"\n", true),
            ("schema_version = 1\n\"service.*.pool.*.max\" = 3\n", false),
            ("[expect", false),
            ("title = \"a scenario that lacks much\"\n", false),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(is_overlay(&file), expected, "{text}");
        }
    }
}
