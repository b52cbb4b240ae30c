//! The house rules, read off the sources: who may lean on whom, and what a file may look like.
//!
//! Each rule is a pure function from a source text to complaints; `the_sources_are_tidy` applies all of them,
//! and the other tests show that each can fail. The readers of Rust here are plain: they know comments,
//! strings and `use` groups, which is all that the rules need.

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up; a floor leans only on the floors before it.
const FLOORS: [&str; 7] = ["engine", "scenario", "model", "measure", "experiment", "report", "cli"];
const COLUMNS: usize = 110;
const LINES: usize = 500;
/// The floor that everything stands on is to be read in an hour.
const ENGINE_LINES: usize = 1_000;

/// A source file: its path below `src`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    /// `src/main.rs` belongs to the door; `src/lib.rs` stands outside: it names all floors.
    fn floor(&self) -> Option<usize> {
        let first = self.path.split('/').next().unwrap_or_default();
        let name = if first == "main.rs" { "cli" } else { first };
        FLOORS.iter().position(|floor| *floor == name)
    }

    /// How many `super::` lead from this file to the root of the crate.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        if self.path.ends_with("mod.rs") { parts - 1 } else { parts }
    }
}

type Rule = fn(&Source) -> Vec<String>;

const RULES: [Rule; 8] = [
    leans_only_downwards,
    short_lines,
    short_files,
    no_leftovers,
    opens_with_docs,
    no_hash_order,
    the_model_knows_no_herd,
    no_platform_maths,
];

#[test]
fn the_sources_are_tidy() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 10, "only {} sources found", sources.len());
    let complaints: Vec<String> =
        sources.iter().flat_map(|source| RULES.iter().flat_map(move |rule| rule(source))).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn the_engine_stays_small() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine"));
    assert!(sources.len() > 5, "only {} sources found", sources.len());
    let lines: usize = sources.iter().map(lines_of_code).sum();
    assert!(lines < ENGINE_LINES, "{lines} lines");
}

/// Lines without tests, comments and blanks.
fn lines_of_code(source: &Source) -> usize {
    let of_tests = source.path.ends_with("_tests.rs");
    let code = source.text.lines().map(str::trim).take_while(|line| !of_tests && *line != "#[cfg(test)]");
    code.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn lines_of_code_are_neither_tests_nor_comments() {
    let text = "//! A.\n\nfn a() {\n    // why\n    b();\n}\n\n#[cfg(test)]\nmod tests {}\n";
    assert_eq!(lines_of_code(&Source::new("a.rs", text)), 3);
    assert_eq!(lines_of_code(&Source::new("a_tests.rs", text)), 0);
}

fn sources(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let path = entry.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { path, text: fs::read_to_string(&entry).unwrap() });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn leans_only_downwards(source: &Source) -> Vec<String> {
    let Some(own) = source.floor() else { return Vec::new() };
    let mut complaints = Vec::new();
    for (line, name) in leans(source) {
        let above = FLOORS.iter().position(|floor| *floor == name).is_some_and(|floor| floor > own);
        if above {
            complaints.push(format!("src/{}:{line}: `{}` leans on `{name}`", source.path, FLOORS[own]));
        }
    }
    complaints
}

/// The modules at the root of the crate that the code of a file names, with the lines.
fn leans(source: &Source) -> Vec<(usize, String)> {
    let code = code_of(&source.text);
    let up = "super::".repeat(source.depth());
    let mut found = Vec::new();
    for root in ["crate::", "herdsim::", up.as_str()] {
        for (at, _) in code.match_indices(root) {
            // `xcrate::` is another word, and `super::super::` is matched from its first `super` only.
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == ':' {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            found.extend(heads(&code[at + root.len()..]).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// The first segment of a path, or of every path in a `{…}` group.
fn heads(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut heads, mut from) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                heads.push(word(group[from..at].trim_start()));
                from = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The text without comments and the insides of strings; lines stay where they are.
fn code_of(text: &str) -> String {
    without_strings(text, false)
}

fn without_strings(text: &str, comments: bool) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => {
                let comment = std::iter::from_fn(|| rest.next_if(|c| *c != '\n'));
                let comment: String = std::iter::once(c).chain(comment).collect();
                code.push_str(if comments { &comment } else { "" });
            }
            '"' => {
                while let Some(inner) = rest.next() {
                    match inner {
                        '"' => break,
                        '\\' => code.extend(rest.next().filter(|escaped| *escaped == '\n')),
                        '\n' => code.push('\n'),
                        _ => {}
                    }
                }
                code.push_str("\"\"");
            }
            // The quote as a character would open a string.
            '\'' if rest.peek() == Some(&'"') => drop(rest.next()),
            '\'' if rest.peek() == Some(&'\\') => drop((rest.next(), rest.next())),
            _ => code.push(c),
        }
    }
    code
}

fn each_line(source: &Source, text: &str, wrong: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let numbered = text.lines().enumerate();
    numbered
        .filter_map(|(n, line)| wrong(line).map(|what| format!("src/{}:{}: {what}", source.path, n + 1)))
        .collect()
}

/// A message or a table in a string may be as long as it must.
fn short_lines(source: &Source) -> Vec<String> {
    each_line(source, &without_strings(&source.text, true), |line| {
        let columns = line.chars().count();
        (columns > COLUMNS).then(|| format!("{columns} columns, more than {COLUMNS}"))
    })
}

fn short_files(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines <= LINES {
        Vec::new()
    } else {
        vec![format!("src/{}: {lines} lines, more than {LINES}", source.path)]
    }
}

fn no_leftovers(source: &Source) -> Vec<String> {
    let leftovers = ["TODO", "FIXME", "XXX", "dbg!", "todo!", "unimplemented!"];
    each_line(source, &source.text, |line| {
        leftovers.iter().find(|word| line.contains(**word)).map(|word| format!("`{word}` is left over"))
    })
}

fn opens_with_docs(source: &Source) -> Vec<String> {
    if source.text.starts_with("//!") {
        return Vec::new();
    }
    vec![format!("src/{}: does not open with `//!`: what is it, and why?", source.path)]
}

fn in_the_simulation(source: &Source) -> bool {
    ["engine/", "model/"].iter().any(|floor| source.path.starts_with(floor))
}

/// The order of a hash map differs from one process to the next.
fn no_hash_order(source: &Source) -> Vec<String> {
    if !in_the_simulation(source) {
        return Vec::new();
    }
    each_line(source, &code_of(&source.text), |line| {
        let found = ["HashMap", "HashSet"].into_iter().find(|word| line.contains(word));
        found.map(|word| format!("`{word}` in the simulation: its order is not reproducible"))
    })
}

/// What happens in the model emerges: its code does not know what it is to show.
fn the_model_knows_no_herd(source: &Source) -> Vec<String> {
    if !source.path.starts_with("model/") {
        return Vec::new();
    }
    each_line(source, &code_of(&source.text), |line| {
        let found = ["herd", "storm", "fifteen"].into_iter().find(|word| line.to_lowercase().contains(word));
        found.map(|word| format!("`{word}` in the model: what happens must emerge"))
    })
}

/// The last bit of these differs from one platform to the next. Clippy says so, too; this says it without
/// types.
fn no_platform_maths(source: &Source) -> Vec<String> {
    const METHODS: [&str; 14] = [
        "ln", "ln_1p", "log", "log2", "log10", "exp", "exp2", "exp_m1", "powf", "powi", "sin", "cos",
        "sin_cos", "tan",
    ];
    if !in_the_simulation(source) {
        return Vec::new();
    }
    each_line(source, &code_of(&source.text), |line| {
        let calls = |name: &str| {
            line.contains(&format!(".{name}("))
                || ["f64", "f32"].iter().any(|float| line.contains(&format!("{float}::{name}")))
        };
        METHODS.iter().find(|name| calls(name)).map(|name| format!("`{name}` is the platform's: use `libm`"))
    })
}

/// Whether the rule complains of this text at this path.
fn complains(rule: Rule, path: &str, text: &str) -> bool {
    !rule(&Source::new(path, text)).is_empty()
}

#[test]
fn a_lean_upwards_is_found_however_it_is_written() {
    for (path, text) in [
        ("engine/agenda.rs", "use crate::model::world::World;"),
        ("engine/agenda.rs", "use crate::{engine::time::Time, measure::{Measured, BIN}};"),
        ("engine/agenda.rs", "use crate::{\n    engine::time::Time,\n    cli,\n};"),
        ("engine/agenda.rs", "use super::super::scenario::Scenario;"),
        ("model/mod.rs", "use super::measure::Measured;"),
        ("model/postgres/node.rs", "fn f() { super::super::super::report::write(); }"),
        ("scenario/check.rs", "fn f(x: &crate::experiment::Run) {}"),
        ("report/csv.rs", "pub(in crate::cli) fn f() {}"),
    ] {
        assert!(complains(leans_only_downwards, path, text), "{path}: {text}");
    }
}

#[test]
fn a_complaint_names_the_line_also_behind_a_text_that_goes_on() {
    let text = "//! Why.\nlet s = \"begins \\\n  ends\";\nuse crate::cli;\nlet m = \"\\\"\n\"; // TODO";
    let complaints = leans_only_downwards(&Source::new("model/a.rs", text));
    assert!(complaints.len() == 1 && complaints[0].starts_with("src/model/a.rs:4:"), "{complaints:?}");
    assert_eq!(code_of(text).lines().count(), text.lines().count());
}

#[test]
fn a_lean_downwards_or_sideways_is_fine() {
    for (path, text) in [
        ("cli/run.rs", "use crate::report::{csv, plot}; use super::batch; use crate::experiment;"),
        ("model/pool.rs", "use crate::{engine::{time::Time, agenda}, scenario::grammar}; use super::world;"),
        ("engine/time.rs", "//! Not [`crate::model`].\nlet s = \"crate::cli\"; // crate::cli"),
        ("engine/time.rs", "let quote = '\"'; // and \"crate::cli\""),
        ("engine/time.rs", "let quote = '\\\"'; let path = \"crate::cli\";"),
        ("engine/time.rs", "use rand::Rng; use mycrate::cli;"),
        ("main.rs", "herdsim::cli::main()"),
        ("lib.rs", "pub mod cli;"),
        ("cli/mod.rs", "use super::report;"),
    ] {
        assert!(!complains(leans_only_downwards, path, text), "{path}: {text}");
    }
}

#[test]
fn every_other_rule_can_fail() {
    let long_line = format!("//! {}", "x".repeat(COLUMNS));
    let long_file = "//!\n".repeat(LINES + 1);
    let cases: [(Rule, &str, &str, &str, &str); 7] = [
        (short_lines, "model/a.rs", &long_line, "model/a.rs", "//! short"),
        (short_files, "model/a.rs", &long_file, "model/a.rs", "//! short"),
        (no_leftovers, "cli/a.rs", "// TODO: later", "cli/a.rs", "// done"),
        (opens_with_docs, "cli/a.rs", "use std::fs;", "cli/a.rs", "//! Why.\nuse std::fs;"),
        (the_model_knows_no_herd, "model/a.rs", "let storm = true;", "model/a.rs", "// no storm here"),
        (no_hash_order, "model/a.rs", "let m = HashMap::new();", "report/a.rs", "let m = HashMap::new();"),
        (
            no_platform_maths,
            "engine/a.rs",
            "let y = x.ln();",
            "engine/a.rs",
            "let y = libm::log(x) + x.sqrt();",
        ),
    ];
    for (rule, bad_path, bad, good_path, good) in cases {
        assert!(complains(rule, bad_path, bad), "{bad}");
        assert!(!complains(rule, good_path, good), "{good}");
    }
    let message = format!("let message = \"{}\";", "x".repeat(COLUMNS));
    assert!(!complains(short_lines, "model/a.rs", &message));
    assert!(complains(no_platform_maths, "model/a.rs", "xs.map(f64::exp)"));
    assert!(!complains(no_platform_maths, "model/a.rs", "// x.exp() would differ"));
}
