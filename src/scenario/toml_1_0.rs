//! What the parser reads and TOML 1.0 does not have.
//!
//! The parser knows TOML 1.1. A scenario is read by others, too: by editors with the schema, by scripts (the
//! `tomllib` of Python). Most of them know TOML 1.0, so a file that only we can read is refused here, with
//! what to write instead. Source: the list of changes of TOML 1.1.

use super::place::{Place, SourceText};
use super::problem::{Problem, Problems};
use std::ops::Range;
use std::sync::Arc;
use toml_parser::decoder::Encoding;
use toml_parser::parser::{Event, EventKind, parse_document};

/// Everything in a text that is later than TOML 1.0, which is valid TOML 1.1 otherwise.
pub fn problems(source: &Arc<SourceText>) -> Problems {
    let text = toml_parser::Source::new(&source.text);
    let mut events = Vec::new();
    parse_document(&text.lex().into_vec(), &mut |event: Event| events.push(event), &mut ());
    let mut reader = Reader { source, within: Vec::new(), comma: None, problems: Problems::default() };
    events.into_iter().for_each(|event| reader.read(event));
    reader.problems
}

struct Reader<'a> {
    source: &'a Arc<SourceText>,
    /// Which arrays and tables in one line are open: where they began.
    within: Vec<(EventKind, usize)>,
    /// The comma that was read last, if nothing came after it.
    comma: Option<Range<usize>>,
    problems: Problems,
}

impl Reader<'_> {
    fn read(&mut self, event: Event) {
        let span = event.span().start()..event.span().end();
        match event.kind() {
            EventKind::Whitespace | EventKind::Comment => return,
            EventKind::Newline => {
                if let Some((EventKind::InlineTableOpen, start)) = self.within.last() {
                    let message = "a table in braces stands in one line";
                    let help =
                        "write it in one line, or as a table of its own: `[a.b]`, and a line for each key";
                    self.refuse(*start..start + 1, message, help);
                }
                return;
            }
            EventKind::ValueSep => return self.comma = Some(span),
            kind @ (EventKind::InlineTableOpen | EventKind::ArrayOpen) => {
                self.within.push((kind, span.start));
            }
            EventKind::InlineTableClose => {
                self.within.pop();
                if let Some(comma) = self.comma.take() {
                    self.refuse(comma, "a comma before a closing brace", "leave it out");
                }
            }
            EventKind::ArrayClose => drop(self.within.pop()),
            EventKind::SimpleKey | EventKind::Scalar => self.value(event.encoding(), span),
            _ => {}
        }
        self.comma = None;
    }

    fn value(&mut self, encoding: Option<Encoding>, span: Range<usize>) {
        let written = &self.source.text[span.clone()];
        match encoding {
            Some(Encoding::BasicString | Encoding::MlBasicString) if escapes(written) => {
                let help = "write `\\u001b` for `\\e`, `\\u00ff` for `\\xff`";
                self.refuse(span, "`\\e` and `\\x` are no escapes", help);
            }
            None if lacks_seconds(written) => {
                self.refuse(span, "a time of day has seconds", "write for example `2025-09-14T05:30:00Z`");
            }
            _ => {}
        }
    }

    fn refuse(&mut self, span: Range<usize>, what: &str, help: &str) {
        let place = Place { source: self.source.clone(), span };
        self.problems.push(Problem::error(format!("{what} in TOML 1.0"), Some(place)).help(help));
    }
}

/// Whether a string has an escape that came with TOML 1.1.
fn escapes(written: &str) -> bool {
    let mut signs = written.chars();
    while let Some(sign) = signs.next() {
        if sign == '\\' && matches!(signs.next(), Some('e' | 'x')) {
            return true;
        }
    }
    false
}

/// Whether a date-time or a time of day ends with its minutes.
fn lacks_seconds(written: &str) -> bool {
    let time = written.rsplit_once(['T', 't', ' ']).map_or(written, |(_, time)| time);
    let is_time = time.as_bytes().get(2) == Some(&b':');
    is_time && time.as_bytes().get(5) != Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let source = SourceText { name: "fleet.toml".into(), text: text.into(), order: 0 };
        problems(&Arc::new(source)).render(false)
    }

    #[test]
    fn what_came_with_toml_1_1_is_told_with_its_cure() {
        for (text, line, message) in [
            ("a = 1\nb = {\n  c = 1,\n  d = 2\n}\n", 2, "a table in braces stands in one line"),
            ("b = { c = 1, }\n", 1, "a comma before a closing brace"),
            ("b = \"\\e[0m\"\n", 1, "`\\e` and `\\x` are no escapes"),
            ("\"\\xff\" = 1\n", 1, "`\\e` and `\\x` are no escapes"),
            ("start = 2025-09-14T05:30Z\n", 1, "a time of day has seconds"),
            ("start = 05:30\n", 1, "a time of day has seconds"),
        ] {
            let said = said(text);
            assert!(said.contains(message), "{text}: {said}");
            assert!(said.contains(&format!("fleet.toml:{line}:")), "{text}: {said}");
            assert_eq!(said.matches("error").count(), 1, "{said}");
        }
    }

    #[test]
    fn toml_1_0_is_left_alone() {
        let text = "start = 2025-09-14T05:30:00+02:00\nat = [07:32:00, 2025-09-14, 1979-05-27 07:32:00.5]\n\
                    a = [ # an array may go on\n  { b = 1, c = [\n 1,\n 2, ] },\n]\n\
                    'x\\e' = \"\\\\e \\u001b\" # { not: a, }\nlong = \"\"\"\n{ 1, }\n\"\"\"\n[t]\nd = {}\n";
        assert_eq!(said(text), "");
    }
}
