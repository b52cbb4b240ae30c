//! Where something stands: a stretch of a text, by file, line and column.
//!
//! Every value of a scenario knows its place, whether it was written in the file, in another that was laid
//! over it, on the command line or in a preset: problems point to it, and tests that failed do.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The name of a source that was given on the command line.
pub const SET: &str = "--set";

/// The name of a source that is a point of a sweep, along an axis of the command line.
pub const AXIS: &str = "--axis";

/// The same along an axis that the scenario brings.
pub const OWN_AXIS: &str = "[sweep.axes]";

/// A text that values come from: a scenario file, a `--with` file, a `--set` argument or a built-in preset.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// What the reader knows it by.
    pub name: String,
    /// All of it.
    pub text: String,
    /// Its turn when problems of several sources are shown.
    pub order: usize,
}

/// A stretch of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub source: Arc<SourceText>,
    /// From which byte to which.
    pub span: Range<usize>,
}

impl Place {
    /// Whether it is in a file, rather than in an argument.
    pub fn is_in_a_file(&self) -> bool {
        ![SET, AXIS, OWN_AXIS].contains(&self.source.name.as_str())
    }

    /// The line of its first byte, from 1.
    pub fn line(&self) -> usize {
        let end = self.span.start.min(self.source.text.len());
        self.source.text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// The column of its first character in that line, from 1.
    pub fn column(&self) -> usize {
        let before = &self.source.text[..floor_char(&self.source.text, self.span.start)];
        before.chars().rev().take_while(|c| *c != '\n').count() + 1
    }
}

impl fmt::Display for Place {
    /// `scenario.toml:12`, or the argument itself, such as `--set duration=1m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_in_a_file() {
            return write!(f, "{} {}", self.source.name, self.source.text);
        }
        write!(f, "{}:{}", self.source.name, self.line())
    }
}

/// The last character boundary at or before `at`: a span that a parser cut inside a character must not stop
/// us.
pub(super) fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
