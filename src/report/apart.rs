//! What sets scenarios apart: the values in which their resolved forms differ.
//!
//! A comparison of runs from several scenarios, or of earlier runs, is worth only what its reader knows of
//! them. Titles, questions, seeds, provenance, variants that were not run and expectations change no run and
//! are left out; presets and defaults are resolved, so that a changed default shows as well.

use super::font::printable;
use super::text::{Paint, section, short};
use serde_json::{Map, Value, json};
use toml::Table;

/// Values that are told one by one.
const LINES: usize = 6;
/// Longer names and values are cut.
const NAME: usize = 40;

/// A value that is not the same in both scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its dotted path.
    pub path: String,
    /// As the baseline has it; `None` if it has not.
    pub baseline: Option<String>,
    /// As the variant has it.
    pub variant: Option<String>,
}

/// A variant, and in what its scenario differs from the baseline's.
pub type Apart<'a> = (&'a str, Vec<Difference>);

/// What sets every other scenario apart from the baseline's; texts that are no TOML have no values.
pub fn apart<'a>(resolved: &'a [(String, String)], baseline: &str) -> Vec<Apart<'a>> {
    let of = |text: &str| values(&text.parse::<Table>().unwrap_or_default());
    let Some((_, before)) = resolved.iter().find(|(name, _)| name == baseline) else { return vec![] };
    let before = of(before);
    let others = resolved.iter().filter(|(name, _)| name != baseline);
    others.map(|(name, text)| (name.as_str(), differences(&before, &of(text)))).collect()
}

fn differences(before: &[(String, String)], after: &[(String, String)]) -> Vec<Difference> {
    let find = |values: &[(String, String)], path: &str| {
        values.iter().find(|(other, _)| other == path).map(|(_, value)| value.clone())
    };
    let only_after = after.iter().filter(|(path, _)| find(before, path).is_none());
    let paths = before.iter().chain(only_after).map(|(path, _)| path.clone());
    let all =
        paths.map(|path| Difference { baseline: find(before, &path), variant: find(after, &path), path });
    all.filter(|one| one.baseline != one.variant).collect()
}

/// Every value of a resolved scenario that can change a run, by its dotted path, in the order of the file.
fn values(table: &Table) -> Vec<(String, String)> {
    const SILENT: [&str; 9] =
        ["schema_version", "title", "question", "seeds", "compare", "variant", "expect", "source", "start"];
    let mut values = Vec::new();
    for (name, value) in table.iter().filter(|(name, _)| !SILENT.contains(&name.as_str())) {
        flatten(name, value, &mut values);
    }
    values
}

fn flatten(path: &str, value: &toml::Value, values: &mut Vec<(String, String)>) {
    match value.as_table().filter(|table| !table.is_empty()) {
        Some(table) => {
            for (name, value) in table {
                flatten(&format!("{path}.{name}"), value, values);
            }
        }
        None => values.push((path.to_owned(), value.to_string())),
    }
}

fn said(value: &Option<String>) -> String {
    value.as_ref().map_or_else(|| "nothing".to_owned(), |value| short(value, NAME))
}

fn lines((variant, differences): Apart) -> Vec<String> {
    let count = match differences.len() {
        0 => "no value differs".to_owned(),
        1 => "one value differs".to_owned(),
        n => format!("{n} values differ"),
    };
    let mut lines = vec![format!("{}: {count}", printable(variant))];
    lines.extend(
        differences.iter().take(LINES).map(|one| {
            format!("  {}: {} → {}", printable(&one.path), said(&one.baseline), said(&one.variant))
        }),
    );
    if differences.len() > LINES {
        lines.push(format!(
            "  … and {} more (compare the scenario.*.resolved.toml)",
            differences.len() - LINES
        ));
    }
    lines
}

/// A section for the terminal.
pub fn text(resolved: &[(String, String)], baseline: &str, paint: Paint) -> String {
    let lines = apart(resolved, baseline).into_iter().flat_map(lines).map(|line| format!("  {line}\n"));
    section(&format!("SCENARIOS, against {}", printable(baseline)), lines.collect(), paint)
}

/// The same in Markdown.
pub fn markdown(resolved: &[(String, String)], baseline: &str) -> String {
    let body: String =
        apart(resolved, baseline).into_iter().flat_map(lines).map(|line| line + "\n").collect();
    let title = printable(baseline).replace('<', "&lt;");
    if body.is_empty() { body } else { format!("\nScenarios, against **{title}**:\n\n```text\n{body}```\n") }
}

/// The same for a program: by variant.
pub fn json(resolved: &[(String, String)], baseline: &str) -> Value {
    let one =
        |one: &Difference| json!({ "path": one.path, "baseline": one.baseline, "variant": one.variant });
    let all = apart(resolved, baseline).into_iter();
    let all = all.map(|(variant, list)| (variant.to_owned(), list.iter().map(one).collect()));
    Value::Object(all.collect::<Map<String, Value>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenarios() -> Vec<(String, String)> {
        let of = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        vec![
            of("before", "title = \"A\"\nduration = \"10m\"  # default\n[postgres.primary]\ncores = 4\n"),
            of("after", "title = \"B\"\nduration = \"10m\"\n[postgres.primary]\ncores = 8\nlag = \"1ms\"\n"),
            of(
                "same",
                "title = \"C\"\nduration = \"10m\"\n[postgres.primary]\ncores = 4\n[variant.x]\nwhy = \"\"\n",
            ),
        ]
    }

    #[test]
    fn values_that_can_change_a_run_are_named() {
        insta::assert_snapshot!(text(&scenarios(), "before", Paint::Plain), @r#"
        SCENARIOS, against before
          after: 2 values differ
            postgres.primary.cores: 4 → 8
            postgres.primary.lag: nothing → "1ms"
          same: no value differs
        "#);
        let markdown = markdown(&scenarios(), "before");
        assert!(
            markdown.contains("**before**:\n\n```text\nafter: 2 values differ\n  postgres"),
            "{markdown}"
        );
        let all = json(&scenarios(), "before");
        assert_eq!(
            all["after"][1],
            json!({ "path": "postgres.primary.lag", "baseline": null, "variant": "\"1ms\"" })
        );
        assert_eq!(text(&scenarios(), "nowhere", Paint::Plain), "");
    }

    #[test]
    fn a_long_list_is_cut() {
        let many: String = (0..20).map(|n| format!("value-{n} = {n}\n")).collect();
        let all = [("a".to_owned(), String::new()), ("b".to_owned(), many)];
        let text = text(&all, "a", Paint::Plain);
        assert!(text.contains("20 values differ") && text.contains("… and 14 more"), "{text}");
        assert!(text.contains("value-0: nothing → 0"), "{text}");
    }
}
