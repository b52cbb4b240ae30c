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
    let so_far = format!("{:.0} % simulated after {} s", share * 100.0, elapsed.as_secs());
    let left = elapsed.as_secs_f64() * (1.0 - share) / share;
    if left.is_finite() { format!("{so_far}, about {} left", roughly(left)) } else { so_far }
}

/// A time that is only estimated.
fn roughly(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        let after = |share, seconds| line(share, Duration::from_secs(seconds));
        assert_eq!(after(0.354, 20), "35 % simulated after 20 s, about 36 s left");
        assert_eq!(after(0.1, 300), "10 % simulated after 300 s, about 45 min left");
        assert_eq!(after(0.01, 600), "1 % simulated after 600 s, about 16 h left");
        assert_eq!(after(0.0, 10), "0 % simulated after 10 s", "of nothing nothing can be told");
    }
}
