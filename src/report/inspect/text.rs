//! A snapshot as a person reads it.

use super::{About, chart, dated, span, words};
use crate::engine::time::Span;
use crate::measure::snapshot::{Bunching, Snapshot};
use crate::report::human;
use crate::report::text::{Paint, cells, section, short, table, trimmed};

const WIDTH: usize = 100;
/// Groups that are shown.
const GROUPS: usize = 6;
/// Longer names are cut.
const NAME: usize = 40;

/// Verdict, figures, chart, what comes next, and who they are.
pub fn text(seen: &Snapshot, about: &About, paint: Paint) -> String {
    let code = match seen.verdict {
        Bunching::Bunched => "1;31",
        Bunching::NotBunched => "1;32",
        Bunching::CannotTell => "1;33",
    };
    let mut text = paint.with(code, &words::verdict(seen)) + "\n";
    text += &words::reasons(seen, about).iter().map(|reason| wrapped("  - ", reason)).collect::<String>();
    if seen.births.is_empty() {
        return text;
    }
    text += &section("CONNECTIONS", figures(seen, about), paint);
    let head = format!("BIRTHS ON THE LIFETIME CLOCK ({})", span(seen.lifetime.span()));
    text += &section(&head, chart::chart(seen, paint), paint);
    let next = words::next(seen, about);
    text += &section("WHAT COMES NEXT", next.iter().map(|line| wrapped("  ", line)).collect(), paint);
    text + &section("WHO", groups(seen), paint)
}

fn figures(seen: &Snapshot, about: &About) -> String {
    let ages = &seen.ages;
    let age = |place: usize| ages.get(place).map_or(Span::ZERO, |age| *age);
    let mut number = human::count(ages.len() as u64);
    if let Some(application) = &about.application {
        number += &format!(" of application {}", short(application, NAME));
    }
    if about.asker {
        number += ", without the psql that asked";
    }
    if about.left_out > 0 {
        let rows = human::plural(about.left_out, "row");
        number += &format!("; {rows} of background processes left out");
    }
    let now = format!("{} UTC, {}", dated(seen.now), about.now_from.name());
    let ages = format!(
        "oldest {}, median {}, newest {}",
        span(age(ages.len().saturating_sub(1))),
        span(age(ages.len() / 2)),
        span(age(0))
    );
    [("number", number), ("now", now), ("ages", ages), ("lifetime", words::lifetime(seen, about))]
        .map(|(name, value)| wrapped(&format!("  {name:<10}"), &value))
        .concat()
}

fn groups(seen: &Snapshot) -> String {
    let named = seen.groups.iter().any(|group| !group.application.is_empty() || !group.client.is_empty());
    if !named {
        return String::new();
    }
    let mut table = table(&["application", "client", "connections", "oldest", "most in 1 s"]);
    for group in seen.groups.iter().take(GROUPS) {
        let name = |name: &str| if name.is_empty() { "–".to_owned() } else { short(name, NAME) };
        table.add_row(cells(&[
            name(&group.application),
            name(&group.client),
            human::count(group.connections as u64),
            span(group.oldest),
            human::count(group.most_in_1s as u64),
        ]));
    }
    let more = seen.groups.len().saturating_sub(GROUPS);
    trimmed(&table) + &if more > 0 { format!("   … and {more} more\n") } else { String::new() }
}

/// A text in lines that are not too long, the first after `head` and the others indented as far.
fn wrapped(head: &str, text: &str) -> String {
    let indent = head.chars().count();
    let mut lines = vec![head.to_owned()];
    let mut wide = indent;
    for word in text.split(' ') {
        let room = word.chars().count() + 1;
        if wide + room > WIDTH && wide > indent {
            lines.push(" ".repeat(indent));
            wide = indent;
        }
        let line = lines.len() - 1;
        if wide > indent {
            lines[line].push(' ');
        }
        lines[line] += word;
        wide += room;
    }
    lines.join("\n") + "\n"
}
