//! Whose wishes were fulfilled: the users of each class in each variant, after their retries.
//!
//! Shown only where some class fared badly: an outage is seldom everybody's, and the share over all classes
//! is that of the largest.

use super::font::printable;
use super::human;
use super::text::{cells, range, short, table, trimmed};
use crate::experiment::Run;
use crate::scenario::grammar::Label;

/// A class of which fewer were fulfilled, in some run, makes the table worth its room.
const BADLY: f64 = 0.99;
/// Longer names are cut.
const NAME: usize = 30;
const CLASS: usize = 13;

/// The share of a class's wishes that were fulfilled in a run; NaN if there were none.
fn share(run: &Run, class: &str) -> f64 {
    let of = |class: &&crate::measure::ClassMeasured| class.label == Label::Legitimate;
    let found = run.measured.classes.iter().filter(of).find(|other| other.class == class);
    found.map_or(f64::NAN, |class| {
        class.users.succeeded as f64 / (class.users.succeeded + class.users.failed) as f64
    })
}

/// The classes of users, in the order of the file; nothing if all fared well.
fn classes(runs: &[Run]) -> Vec<&str> {
    let mut classes: Vec<&str> = Vec::new();
    for class in runs.iter().flat_map(|run| &run.measured.classes) {
        if class.label == Label::Legitimate && !classes.contains(&class.class.as_str()) {
            classes.push(&class.class);
        }
    }
    let badly = runs.iter().any(|run| classes.iter().any(|class| share(run, class) < BADLY));
    if badly { classes } else { Vec::new() }
}

/// One row for each variant, one column for each class, ranges over the seeds; the head first.
pub(super) fn rows(runs: &[Run]) -> Vec<Vec<String>> {
    let classes = classes(runs);
    if classes.is_empty() {
        return Vec::new();
    }
    let mut variants: Vec<&str> = runs.iter().map(|run| run.variant.as_str()).collect();
    variants.dedup();
    let mut rows = vec![["variant"].into_iter().chain(classes.iter().copied()).map(printable).collect()];
    for variant in variants {
        let of = |class: &&str| {
            let mine = runs.iter().filter(|run| run.variant == variant);
            range(&mine.map(|run| share(run, class)).collect::<Vec<_>>(), &human::share)
        };
        rows.push([printable(variant)].into_iter().chain(classes.iter().map(of)).collect());
    }
    rows
}

/// A section's lines for the terminal; none where there is nothing to tell.
pub fn text(runs: &[Run]) -> String {
    let rows = rows(runs);
    let Some((head, rows)) = rows.split_first() else { return String::new() };
    let cut = |row: &[String]| -> Vec<String> {
        row.iter().enumerate().map(|(n, cell)| short(cell, if n == 0 { NAME } else { CLASS })).collect()
    };
    let head = cut(head);
    let mut table = table(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        table.add_row(cells(&cut(row)));
    }
    trimmed(&table)
}

/// The same as a Markdown table.
pub fn markdown(runs: &[Run], escape: &dyn Fn(&str) -> String) -> String {
    let rows = rows(runs);
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let Some((head, rows)) = rows.split_first() else { return String::new() };
    let rule: Vec<String> =
        head.iter().enumerate().map(|(n, _)| if n == 0 { "---" } else { "--:" }.into()).collect();
    let rows = rows.iter().map(|row| line(&row.iter().map(|cell| escape(cell)).collect::<Vec<_>>()));
    format!("\nUsers served, by class:\n\n{}{}{}", line(head), line(&rule), rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn attackers_are_no_users() {
        let mut run = synthetic::run("attack", 1, false);
        let mut attack = run.measured.classes[0].clone();
        attack.label = Label::Abusive;
        (attack.users.succeeded, attack.users.failed) = (0, 4);
        run.measured.classes.insert(0, attack);
        assert_eq!(text(&[run]), "", "all users fared well");
    }

    #[test]
    fn only_who_fared_badly_makes_a_table() {
        let mut runs = vec![synthetic::run("calm", 1, false), synthetic::run("outage", 1, false)];
        assert_eq!(text(&runs), "", "all fared well");
        let users = &mut runs[1].measured.classes[0].users;
        (users.succeeded, users.failed) = (1, 3);
        let text = text(&runs);
        let last = text.lines().last().expect("a row");
        assert!(last.trim_start().starts_with("outage") && last.contains("25%"), "{text}");
        assert!(markdown(&runs, &|text| text.to_owned()).contains("| 25% |"));
    }
}
