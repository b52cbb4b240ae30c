//! How far the runs are: a bar on a terminal, a line every ten seconds off one, nothing when quiet.

use super::console::Console;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const STEPS: f64 = 1000.0;
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Progress of a batch of runs.
pub enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// Off a terminal: when it began and when the last line was written.
    Lines(Instant, Mutex<Instant>),
    /// When quiet.
    Silent,
}

impl Progress {
    /// Progress as it suits the console.
    pub fn new(console: &Console) -> Progress {
        if console.quiet() {
            return Progress::Silent;
        }
        if !stderr().is_terminal() {
            let now = Instant::now();
            return Progress::Lines(now, Mutex::new(now));
        }
        let bar = ProgressBar::with_draw_target(Some(STEPS as u64), ProgressDrawTarget::stderr());
        let template = "{bar:40} {percent:>3}%  {elapsed} elapsed, {eta} to go";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress::Bar(bar)
    }

    /// This share, 0 to 1, is done.
    pub fn show(&self, share: f64) {
        match self {
            Progress::Bar(bar) => bar.set_position((share * STEPS) as u64),
            Progress::Lines(begun, last) => {
                // A thread that finds the lock taken has nothing to add.
                let Ok(mut last) = last.try_lock() else { return };
                if last.elapsed() >= BETWEEN_LINES {
                    *last = Instant::now();
                    eprintln!("{}", line(share, begun.elapsed()));
                }
            }
            Progress::Silent => {}
        }
    }

    /// All is done: the bar goes away.
    pub fn finish(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(share: f64, elapsed: Duration) -> String {
    format!("{:.0} % simulated after {} s", share * 100.0, elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        assert_eq!(line(0.354, Duration::from_secs(20)), "35 % simulated after 20 s");
    }
}
