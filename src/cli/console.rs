//! What is said, where and in which colour: results on stdout, everything else on stderr.

use super::Failure;
use clap::{Args, ValueEnum};
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

const GLOBAL: &str = "Global options";

/// How much is said, and in which colour.
#[derive(Clone, Debug, Args)]
pub struct Voice {
    /// Say nothing but results and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    quiet: bool,
    /// Say more about what is being done.
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    verbose: bool,
    /// Colour; `auto` looks at the terminal, NO_COLOR and CLICOLOR_FORCE.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = GLOBAL)]
    color: When,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// The two streams of a process.
#[derive(Debug)]
pub struct Console {
    voice: Voice,
    stdout_colour: bool,
    stderr_colour: bool,
}

impl Console {
    /// A console that speaks as asked.
    pub fn new(voice: &Voice) -> Console {
        Console {
            voice: voice.clone(),
            stdout_colour: coloured(voice.color, stdout().is_terminal(), &environment),
            stderr_colour: coloured(voice.color, stderr().is_terminal(), &environment),
        }
    }

    /// Whether results are coloured.
    pub fn stdout_colour(&self) -> bool {
        self.stdout_colour
    }

    /// Whether diagnostics are coloured.
    pub fn stderr_colour(&self) -> bool {
        self.stderr_colour
    }

    /// Whether more is wanted.
    pub fn verbose(&self) -> bool {
        self.voice.verbose
    }

    /// Whether nothing but results and errors is wanted.
    pub fn quiet(&self) -> bool {
        self.voice.quiet
    }

    /// The same console; quiet, if it is to hush.
    pub fn hushed(&self, hush: bool) -> Console {
        let mut voice = self.voice.clone();
        voice.quiet |= hush;
        Console { voice, ..*self }
    }

    /// A result. A reader that went away has seen enough: that is no failure.
    pub fn result(&self, text: &str) -> Result<(), Failure> {
        let mut out = stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::Io(format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Problems that have been rendered already; shown even when quiet.
    pub fn problems(&self, rendered: &str) {
        // A diagnostic that nobody can read is not worth failing for.
        let _ = writeln!(stderr(), "{}", rendered.trim_end());
    }

    /// What was done and what to do next.
    pub fn note(&self, text: &str) {
        if !self.voice.quiet {
            let _ = writeln!(stderr(), "{text}");
        }
    }

    /// More than most want to know.
    pub fn detail(&self, text: &str) {
        if self.voice.verbose {
            let _ = writeln!(stderr(), "{text}");
        }
    }

    /// Why the process ends with another exit code than 0.
    pub fn failure(&self, failure: &Failure) {
        let (on, off) = if self.stderr_colour { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(stderr(), "{on}error:{off} {failure}");
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The rules of no-color.org and bixense.com/clicolors; an explicit choice on the command line beats both.
fn coloured(when: When, terminal: bool, environment: &dyn Fn(&str) -> Option<String>) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if environment("NO_COLOR").is_some() => false,
        When::Auto if environment("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        When::Auto => terminal && environment("TERM").as_deref() != Some("dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_choice_then_environment_then_terminal() {
        let set = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        };
        assert!(coloured(When::Always, false, &set(&[("NO_COLOR", "1")])));
        assert!(!coloured(When::Never, true, &set(&[("CLICOLOR_FORCE", "1")])));
        assert!(!coloured(When::Auto, true, &set(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")])));
        assert!(coloured(When::Auto, false, &set(&[("CLICOLOR_FORCE", "1")])));
        assert!(!coloured(When::Auto, false, &set(&[("CLICOLOR_FORCE", "0")])));
        assert!(coloured(When::Auto, true, &set(&[])));
        assert!(!coloured(When::Auto, true, &set(&[("TERM", "dumb")])));
    }
}
