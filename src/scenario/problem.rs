//! What is wrong with a scenario, said so that it can be put right.
//!
//! A problem names the place (file, line, caret), the value and the cure. All problems of a file are
//! collected before any is shown, as compilers do. Rendering is rustc's (`annotate-snippets`). Left out:
//! machine-applicable fixes.

use super::place::{Place, floor_char};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// The scenario can be run, but probably not as meant.
    Warning,
}

/// The comment that says so of what a line is warned of.
const DELIBERATE: &str = "deliberate";

/// The comment at the end of a line of TOML: what follows the first `#` outside of a text.
fn comment(line: &str) -> Option<&str> {
    let mut quote = None;
    for (at, sign) in line.char_indices() {
        match (quote, sign) {
            (None, '#') => return Some(&line[at + 1..]),
            (None, '"' | '\'') => quote = Some(sign),
            (Some(begun), _) if begun == sign => quote = None,
            _ => {}
        }
    }
    None
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a line.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// What stands there.
    pub label: String,
    /// Other places that have to do with it, and how.
    pub related: Vec<(Place, String)>,
    /// The cure.
    pub help: Option<String>,
    /// The paths of the values that it puts in doubt.
    pub about: Vec<String>,
}

impl Problem {
    /// A problem that makes the scenario unusable.
    pub fn error(message: impl Into<String>, place: Option<Place>) -> Problem {
        Problem {
            severity: Severity::Error,
            message: message.into(),
            place,
            label: String::new(),
            related: Vec::new(),
            help: None,
            about: Vec::new(),
        }
    }

    /// A problem that makes the scenario suspicious.
    pub fn warning(message: impl Into<String>, place: Option<Place>) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(message, place) }
    }

    /// Whether it is a warning of what somebody meant: a comment at the end of the line says `# deliberate`.
    fn is_deliberate(&self) -> bool {
        let line = self
            .place
            .as_ref()
            .filter(|_| self.severity == Severity::Warning)
            .and_then(|place| place.source.text.lines().nth(place.line() - 1));
        let word = |part: &str| {
            let rest = part.trim_start().strip_prefix(DELIBERATE)?;
            (!rest.starts_with(char::is_alphanumeric)).then_some(())
        };
        line.and_then(comment).is_some_and(|said| said.split('#').any(|part| word(part).is_some()))
    }

    /// Whether it says the same of the same place.
    fn is_same(&self, other: &Problem) -> bool {
        self.message == other.message && self.place == other.place
    }

    /// With what stands at the place.
    pub fn label(mut self, label: impl Into<String>) -> Problem {
        self.label = label.into();
        self
    }

    /// With another place that has to do with it.
    pub fn related(mut self, place: Option<Place>, label: impl Into<String>) -> Problem {
        self.related.extend(place.map(|place| (place, label.into())));
        self
    }

    /// With the cure.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// With the paths of the values that it puts in doubt.
    pub fn about(mut self, paths: impl IntoIterator<Item = String>) -> Problem {
        self.about.extend(paths);
        self
    }

    /// All of it in a line, without the place.
    pub fn in_a_line(&self) -> String {
        let parts = [self.message.as_str(), &self.label, self.help.as_deref().unwrap_or_default()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" — ")
    }

    fn group(&self) -> Group<'_> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&self.message));
        if let Some(place) = &self.place {
            if place.source.text.is_empty() {
                group = group.element(Origin::path(&place.source.name));
            } else {
                group = group.element(snippet(place, &self.label, AnnotationKind::Primary));
            }
        }
        for (place, label) in &self.related {
            group = group.element(snippet(place, label, AnnotationKind::Context));
        }
        match &self.help {
            Some(help) => group.element(Level::HELP.message(help)),
            None => group,
        }
    }
}

fn snippet<'a>(
    place: &'a Place,
    label: &'a str,
    kind: AnnotationKind,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = &place.source.text;
    let start = floor_char(text, place.span.start);
    let end = floor_char(text, place.span.end).max(start);
    let mut annotation = kind.span(start..end);
    if !label.is_empty() {
        annotation = annotation.label(label);
    }
    Snippet::source(text.as_str()).path(&place.source.name).annotation(annotation)
}

/// All that is wrong with a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    /// How many errors were left out for want of room.
    more: usize,
}

/// More than this nobody reads.
const MAX_PROBLEMS: usize = 100;

impl Problems {
    /// Adds one, unless the same was said of the same place before (a value may reach several variants), or
    /// it warns of what is deliberate.
    pub fn push(&mut self, problem: Problem) {
        if problem.is_deliberate() {
            return;
        }
        if self.list.len() >= MAX_PROBLEMS {
            self.more += usize::from(problem.severity == Severity::Error);
            return;
        }
        if !self.list.iter().any(|other| problem.is_same(other)) {
            self.list.push(problem);
        }
    }

    /// Adds all of `others`.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Problem>) {
        others.into_iter().for_each(|problem| self.push(problem));
    }

    /// What all of these lists say; a cure that they do not agree on is left out.
    pub fn of_all(mut lists: Vec<Problems>) -> Problems {
        let others = lists.split_off(lists.len().min(1));
        let mut common = lists.pop().unwrap_or_default();
        let same = |problem: &Problem, list: &Problems| {
            list.list.iter().find(|other| problem.is_same(other)).map(|other| other.help.clone())
        };
        common.list.retain(|problem| others.iter().all(|list| same(problem, list).is_some()));
        for problem in &mut common.list {
            // The last of the lists has names in it that nobody wrote.
            let help = others.first().and_then(|list| same(problem, list));
            problem.help =
                problem.help.take().filter(|cure| help.is_none_or(|help| help.as_ref() == Some(cure)));
        }
        common
    }

    /// The paths of all values that an error puts in doubt.
    pub fn doubts(&self) -> Vec<String> {
        let errors = self.list.iter().filter(|problem| problem.severity == Severity::Error);
        let mut paths: Vec<String> = errors.flat_map(|problem| problem.about.clone()).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// Says of what was warned of that it is of a variant, unless `others` warn of it, too.
    pub fn tell_variant(&mut self, variant: &str, others: &Problems) {
        let named = format!("variant `{variant}`");
        let told = |problem: &Problem| {
            problem.message.contains(&named) || others.list.iter().any(|other| problem.is_same(other))
        };
        for problem in self.list.iter_mut().filter(|problem| !told(problem)) {
            if problem.severity == Severity::Warning {
                problem.message.insert_str(0, &format!("{named}: "));
            }
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.more > 0 || self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// The errors alone.
    pub fn errors(&self) -> Problems {
        let errors = self.list.iter().filter(|problem| problem.severity == Severity::Error);
        Problems { list: errors.cloned().collect(), more: self.more }
    }

    /// In the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        let mut sorted: Vec<&Problem> = self.list.iter().collect();
        sorted.sort_by_key(|problem| {
            problem.place.as_ref().map_or((0, 0), |place| (place.source.order, place.span.start))
        });
        sorted.into_iter()
    }

    /// As text for a terminal, in colour or plain.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut each: Vec<String> = self.iter().map(|problem| renderer.render(&[problem.group()])).collect();
        if self.more > 0 {
            each.push(format!("and {} more errors", self.more));
        }
        each.join("\n\n")
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems { list: vec![problem], more: 0 }
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// The candidate that was probably meant by `name`.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(name.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The cure for a name that does not exist: the one meant, or all there are.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(name, candidates.iter().copied()) {
        Some(meant) if candidates.len() > 12 || candidates.len() == 1 => format!("did you mean `{meant}`?"),
        Some(meant) => format!("did you mean `{meant}`? (there are: {})", candidates.join(", ")),
        None if candidates.is_empty() => "there are none".to_owned(),
        None => format!("there are: {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::place::SourceText;
    use super::*;
    use std::ops::Range;
    use std::sync::Arc;

    fn place(text: &str, span: Range<usize>) -> Option<Place> {
        Some(Place {
            source: Arc::new(SourceText { name: "f".to_owned(), text: text.to_owned(), order: 0 }),
            span,
        })
    }

    #[test]
    fn the_nearest_name_is_suggested_and_no_far_one() {
        assert_eq!(nearest("max_lifetim", ["max", "max_lifetime", "min"]), Some("max_lifetime"));
        assert_eq!(nearest("colour", ["max", "min"]), None);
        assert_eq!(suggest("b", []), "there are none");
    }

    #[test]
    fn the_same_problem_is_said_once_and_in_the_order_of_the_file() {
        let mut problems = Problems::default();
        problems.push(Problem::error("second", place("a\nb", 2..3)));
        problems.push(Problem::warning("first", place("a\nb", 0..1)));
        problems.push(Problem::error("second", place("a\nb", 2..3)));
        let messages: Vec<&str> = problems.iter().map(|problem| &problem.message[..]).collect();
        assert_eq!(messages, ["first", "second"]);
    }

    #[test]
    fn a_warning_of_what_is_deliberate_is_not_told() {
        let text = "a = 1  # why # deliberate: so it was\nb = \"deliberate\"";
        let mut problems = Problems::default();
        problems.push(Problem::warning("meant", place(text, 4..5)));
        problems.push(Problem::warning("not meant", place(text, 38..39)));
        problems.push(Problem::error("wrong", place(text, 4..5)));
        let messages: Vec<&str> = problems.iter().map(|problem| &problem.message[..]).collect();
        assert_eq!(messages, ["wrong", "not meant"], "an error is one all the same");
        for (line, told) in [
            ("a = 1 # deliberate", 0),
            ("a = 1 # deliberately vague", 1),
            ("a = \"1 # deliberate\"", 1),
            ("a = '\"' # deliberate, as it was", 0),
            ("a = 1 # not deliberate", 1),
        ] {
            let mut problems = Problems::default();
            problems.push(Problem::warning("a warning", place(line, 0..1)));
            assert_eq!(problems.iter().count(), told, "{line}");
        }
    }

    #[test]
    fn a_span_outside_the_text_or_inside_a_character_is_survived() {
        for span in [0..99, 1..1, 99..99, 1..2] {
            assert!(Problems::from(Problem::error("x", place("é", span))).to_string().contains("error: x"));
        }
    }

    #[test]
    fn too_many_are_counted() {
        let mut problems = Problems::default();
        (0..150).for_each(|n| problems.push(Problem::error(format!("{n}"), None)));
        assert!(problems.to_string().ends_with("and 50 more errors"));
    }
}
