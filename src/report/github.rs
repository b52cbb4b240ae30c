//! What GitHub Actions shows of expectations, and of scenarios that are wrong: annotations at their lines,
//! and a step summary.
//!
//! GitHub shows ten annotations of a kind for a step and drops the rest, so that the tenth sums up what is
//! left; it takes a step summary of up to a mebibyte and drops a larger one whole, so that ours ends in time
//! and says so.

use super::expectations::told;
use super::tested::{Refused, Tested};
use crate::experiment::{Judged, Verdict};
use crate::scenario::place::SET;
use crate::scenario::problem::Problem;

/// Annotations of a kind that are shown for a step.
const SHOWN: usize = 10;
/// What a step summary may hold.
const SUMMARY: usize = 1 << 20;
/// Room for the line that says what was left out.
const NOTE: usize = 200;

/// One workflow command for each expectation that did not pass, a line each: an error, or a warning where it
/// is borne.
pub fn annotations(tested: &Tested) -> String {
    let of = |kind: &str, borne: bool| {
        let some = tested.not_passed(borne).map(|judged| (annotation(kind, judged), judged.name.as_str()));
        shown(kind, &some.collect::<Vec<_>>())
    };
    of("error", false) + &of("warning", true)
}

/// One workflow command for each problem of scenarios that could not be tested.
pub fn refused(refused: &[Refused]) -> String {
    let all = refused.iter().flat_map(|one| one.problems.iter().map(move |problem| (one, problem)));
    let each = all.map(|(one, problem)| (problem_annotation(problem), one.file.as_str()));
    shown("error", &each.collect::<Vec<_>>())
}

/// The annotations of one kind, each with its name, as many as are shown.
fn shown(kind: &str, annotations: &[(String, &str)]) -> String {
    let single = if annotations.len() > SHOWN { SHOWN - 1 } else { annotations.len() };
    let (each, rest) = annotations.split_at(single);
    let mut text: String = each.iter().map(|(text, _)| text.as_str()).collect();
    if !rest.is_empty() {
        let mut names: Vec<&str> = rest.iter().map(|(_, name)| *name).collect();
        names.dedup();
        let message = format!("and {} more: {}", rest.len(), names.join(", "));
        text += &format!("::{kind} title=herdsim::{}\n", data(&message));
    }
    text
}

fn annotation(kind: &str, judged: &Judged) -> String {
    let place = judged
        .place
        .as_ref()
        .map_or(String::new(), |place| format!("file={},line={},", property(&place.file), place.line));
    let how = if judged.verdict == Verdict::Fail { "failed" } else { "is inconclusive" };
    let title = property(&format!("{} ({}) {how}", judged.name, judged.variant));
    format!("::{kind} {place}title={title}::{}\n", data(&told(judged)))
}

fn problem_annotation(problem: &Problem) -> String {
    let place = match problem.place.as_ref().filter(|place| place.source.name != SET) {
        Some(place) => format!("file={},line={},", property(&place.source.name), place.line()),
        None => String::new(),
    };
    format!("::error {place}title=nothing was run::{}\n", data(&problem.in_a_line()))
}

/// The message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A step summary of this Markdown, cut at a line where a file that has so many bytes already would grow too
/// large.
pub fn summary(text: &str, taken: usize) -> String {
    let room = SUMMARY.saturating_sub(taken);
    if text.len() < room {
        return text.to_owned();
    }
    let mut fits = 0;
    for line in text.split_inclusive('\n') {
        if fits + line.len() + NOTE >= room {
            break;
        }
        fits += line.len();
    }
    let left = &text[fits..];
    let (lines, kib) = (left.lines().count(), left.len().div_ceil(1024));
    let note = format!("\n{lines} more lines ({kib} KiB) were left out: a step summary holds 1 MiB\n");
    if fits + note.len() < room { text[..fits].to_owned() + &note } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tested::synthetic::{judged, tested};

    #[test]
    fn an_annotation_points_at_the_line_and_is_escaped() {
        insta::assert_snapshot!(annotations(&tested()), @r#"
        ::error file=herd/a.toml,line=9,title=<fails> (jitter) failed::herd_size{lifetime} of postgres.primary ≤ 5%25 — measured 1.0–50%25, and nothing with 1 of 3 seeds
        ::error file=herd/b%2C c%3A 50%25.toml,line=7,title=who-knows (jitter) is inconclusive::herd_size{lifetime} of postgres.primary ≤ 5%25 — measured 1.0–50%25, and nothing with 1 of 3 seeds; held with 1 of 3%0Aseeds
        "#);
        let borne = annotations(&Tested { bears_inconclusive: true, ..tested() });
        assert!(
            borne.contains("::error file=herd/a.toml,line=9") && borne.contains("\n::warning "),
            "{borne}"
        );
        let mut nowhere = tested();
        nowhere.suites[0].judged[1].place = None;
        assert!(annotations(&nowhere).starts_with("::error title=<fails> (jitter) failed::"));
    }

    #[test]
    fn the_tenth_annotation_sums_up_the_rest() {
        let failing = |count: usize| {
            let mut many = tested();
            let one = |n| judged(&format!("e{n}"), Verdict::Fail, "", ("a.toml", n));
            many.suites[0].judged = (1..=count).map(one).collect();
            many.suites[1].judged.clear();
            annotations(&many)
        };
        assert_eq!(failing(10).lines().count(), 10);
        assert!(failing(10).contains("e10 (jitter)"));
        let dozen = failing(12);
        assert_eq!(dozen.lines().count(), 10);
        assert!(dozen.ends_with("::error title=herdsim::and 3 more: e10, e11, e12\n"), "{dozen}");
    }

    /// A scenario with many problems is named once.
    #[test]
    fn a_file_is_named_once_among_the_rest() {
        use crate::scenario::problem::Problems;
        let problem = |n: usize| Problem::error(format!("problem {n}"), None);
        let wrong = |file: &str, count: usize| {
            let mut problems = Problems::default();
            (0..count).for_each(|n| problems.push(problem(n)));
            Refused { file: file.into(), problems }
        };
        let text = refused(&[wrong("a.toml", 12), wrong("b.toml", 2)]);
        assert!(text.ends_with("::error title=herdsim::and 5 more: a.toml, b.toml\n"), "{text}");
    }

    #[test]
    fn a_step_summary_stays_below_a_mebibyte_and_says_what_is_missing() {
        let whole = tested().markdown();
        assert_eq!(summary(&whole, 0), whole);
        let mut many = tested();
        many.suites[0].judged = vec![many.suites[0].judged[1].clone(); 20_000];
        for taken in [0, 5000, SUMMARY - 1000] {
            let cut = summary(&many.markdown(), taken);
            assert!(taken + cut.len() < SUMMARY, "{taken}: {}", cut.len());
            let note = cut.lines().last().unwrap();
            assert!(note.contains("more lines") && note.contains("1 MiB"), "{note}");
        }
        assert_eq!(summary(&many.markdown(), SUMMARY), "", "there is no room even for a note");
    }
}
