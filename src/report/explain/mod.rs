//! What `explain` prints: who did it, by knock-outs, and the periods of latency with their names.
//!
//! Pure functions to strings, as in [`terminal`](super::terminal); its files are in [`files`], its pictures
//! in [`plot::explain`](super::plot::explain).

pub mod files;

use super::text::{Paint, cells, escaped, range, section, short, table, trimmed};
use super::{Header, human};
use crate::experiment::explain::{Explanation, Finding, ServicePeriods, SpikeFigures, TOGETHER, Trial, Word};
use crate::experiment::statistics::Mean;
use crate::measure::periodogram::{FALSE_ALARM, Line};
use crate::report::font::printable;
use comfy_table::Cell;

/// Longer names are cut.
const NAME: usize = 26;
/// Harmonics that are told one by one.
const HARMONICS: usize = 3;

const CALM: &str = "no spikes: nothing to explain";

/// Everything that is told.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// The scenario in short.
    pub header: &'a Header,
    /// The variant that was explained.
    pub variant: &'a str,
    /// How long each run was, in seconds.
    pub duration_s: f64,
    /// What the knock-outs showed.
    pub explanation: &'a Explanation,
    /// The periods of each service.
    pub found: &'a [ServicePeriods],
}

impl Story<'_> {
    fn from(&self) -> String {
        human::offset(self.explanation.focus.from.as_secs())
    }

    fn seeds(&self) -> String {
        match self.explanation.focus.seeds.as_slice() {
            [one] => format!("seed {one}"),
            many => format!("{} seeds", many.len()),
        }
    }

    /// `3 seeds · 3h simulated · spikes of frontend-api from 1h30m on`.
    pub fn subtitle(&self) -> String {
        let focus = &self.explanation.focus;
        let from = if focus.whole { String::new() } else { format!(" from {} on", self.from()) };
        let span = human::offset(self.duration_s);
        let (variant, service) = (printable(self.variant), printable(&focus.service));
        format!("variant {variant} · {} · {span} simulated · spikes of {service}{from}", self.seeds())
    }

    /// The table's head and its rows: the unchanged run, then each suspect.
    fn rows(&self) -> ([String; 7], Vec<[String; 7]>) {
        let base = &self.explanation.base;
        let head = ["suspect", "verdict", "without", "change", "worst p99", "stopped", "change"];
        let mut head = head.map(str::to_owned);
        if !self.explanation.focus.whole {
            head[5] = format!("from {} on", self.from());
        }
        let unchanged = ["(nothing)".to_owned(), String::new(), spikes(base), String::new(), worst(base)];
        let row = |finding: &Finding| {
            let later = finding.stopped.as_ref();
            let of = |text: fn(&Trial) -> String| later.map_or_else(|| "–".to_owned(), text);
            [
                printable(&finding.suspect),
                finding.word.name().to_owned(),
                spikes(&finding.never.figures),
                change(&finding.never.spikes),
                worst(&finding.never.figures),
                of(|trial| spikes(&trial.figures)),
                of(|trial| change(&trial.spikes)),
            ]
        };
        let [a, b, c, d, e] = unchanged;
        let mut rows = vec![[a, b, c, d, e, String::new(), String::new()]];
        rows.extend(self.explanation.findings.iter().map(row));
        (head, rows)
    }

    /// Whether nothing was there that could be explained.
    pub fn is_calm(&self) -> bool {
        let mut figures = self.explanation.base.iter().flatten().peekable();
        figures.peek().is_some() && figures.all(|figures| figures.spikes == 0)
    }

    /// What the table does not say, line by line.
    fn remarks(&self) -> Vec<String> {
        let explanation = self.explanation;
        let later = if explanation.focus.whole {
            String::new()
        } else {
            format!(", or from {} on only", self.from())
        };
        let mut lines = vec![
            format!("spikes without each suspect{later}; change ± 95 % interval, in pairs of equal seeds"),
            "a spike: p99 of 10 s above ten times the calm p99 of the unchanged run".to_owned(),
        ];
        if explanation.focus.seeds.len() < 2 {
            lines.push("one seed: an anecdote, without intervals; `--seeds 5` for evidence".to_owned());
        }
        let reasons = explanation.findings.iter().filter(|finding| !finding.because.is_empty());
        lines.extend(reasons.map(|one| format!("{}: {}", printable(&one.suspect), one.because)));
        lines.extend(explanation.together.as_ref().map(|trial| self.together(trial)));
        lines
    }

    fn together(&self, trial: &Trial) -> String {
        let none = trial.figures.iter().flatten().all(|figures| figures.spikes == 0);
        // Whoever was not run alone, or left none, is no proof that others stood in.
        let leaves = |finding: &Finding| {
            let guilty = matches!(finding.word, Word::Causes | Word::SetsOff);
            !guilty && finding.never.figures.iter().flatten().any(|figures| figures.spikes > 0)
        };
        let says = match (trial.spikes.count, none, self.explanation.findings.iter().all(leaves)) {
            (0, ..) => "not run",
            (_, true, true) => "none left, but no one of them alone: they stand in for each other",
            (_, true, false) => "none left",
            (_, false, _) => "some are left that none of these causes",
        };
        format!("{TOGETHER} left out: {} spikes, {says}", spikes(&trial.figures))
    }
}

/// How many spikes, from the seed with the fewest to the one with the most.
fn spikes(figures: &[Option<SpikeFigures>]) -> String {
    range(&each(figures, |figures| figures.spikes as f64), &human::number)
}

fn worst(figures: &[Option<SpikeFigures>]) -> String {
    range(&each(figures, |figures| figures.worst_p99_us), &human::latency)
}

fn each(figures: &[Option<SpikeFigures>], of: impl Fn(&SpikeFigures) -> f64) -> Vec<f64> {
    figures.iter().map(|figures| figures.as_ref().map_or(f64::NAN, &of)).collect()
}

/// `−5.7 ± 1.4`; with one seed `−6`.
fn change(change: &Mean) -> String {
    let signed = |value: f64| match value {
        value if value.is_nan() => "–".to_owned(),
        value => {
            let tenths = (value * 10.0).round() / 10.0;
            let sign = if tenths > 0.0 {
                "+"
            } else if tenths < 0.0 {
                "−"
            } else {
                ""
            };
            format!("{sign}{}", human::number(tenths.abs()))
        }
    };
    let mean = signed(change.mean);
    // Student's intervals lie evenly around the mean.
    let half = |(low, high): (f64, f64)| human::number(((high - low) * 5.0).round() / 10.0);
    change.interval.map_or(mean.clone(), |interval| format!("{mean} ± {}", half(interval)))
}

/// `15m`, the strength, the harmonics and the names of a line.
fn line(line: &Line, names: &[String]) -> [String; 5] {
    let mut harmonics: Vec<String> = line.harmonics.iter().map(|number| format!("1/{number}")).collect();
    if harmonics.len() > HARMONICS {
        harmonics.truncate(HARMONICS);
        harmonics.push("…".to_owned());
    }
    let named = if names.is_empty() { "nothing known has it".to_owned() } else { names.join("; ") };
    let alarm =
        if line.false_alarm < 1e-6 { "<1e-6".to_owned() } else { format!("{:.0e}", line.false_alarm) };
    [human::offset(line.period_s), human::number(line.power), alarm, harmonics.join(", "), printable(&named)]
}

/// The story for a terminal.
pub fn text(story: &Story, paint: Paint) -> String {
    let title = paint.head(&printable(&story.header.title));
    let (head, rows) = story.rows();
    let mut suspects = table(&[]);
    suspects.set_header(left_verdict(&head));
    for mut row in rows {
        row[0] = short(&row[0], NAME);
        suspects.add_row(left_verdict(&row));
    }
    let remarks: String = story.remarks().iter().map(|line| format!("  {line}\n")).collect();
    let body =
        if story.is_calm() { format!("  {CALM}\n") } else { format!("{}\n{remarks}", trimmed(&suspects)) };
    let mut whole = format!("{title}\n{}\n", story.subtitle());
    whole += &section("WHO DID IT", body, paint);
    whole += &section("PERIODS", periods(story), paint);
    whole
}

/// The cells of a row: names and verdicts to the left, numbers to the right.
fn left_verdict(row: &[String; 7]) -> Vec<Cell> {
    let mut cells = cells(row);
    cells[1] = Cell::new(&row[1]);
    cells
}

fn periods(story: &Story) -> String {
    let of = |found: &ServicePeriods| {
        let service = short(&found.service, NAME);
        if found.lines.is_empty() {
            return format!("  {service}: none stands out of the noise\n");
        }
        let lines = found.lines.iter().map(|(one, names)| {
            let [period, power, alarm, harmonics, named] = line(one, names);
            let folded = if harmonics.is_empty() { harmonics } else { format!(", with its {harmonics}") };
            format!("    every {period}{folded} (power {power}, false alarm {alarm})\n      {named}\n")
        });
        format!("  {service}\n{}", lines.collect::<String>())
    };
    let lines: String = story.found.iter().map(of).collect();
    if lines.is_empty() {
        return "  the runs are too short to have any\n".to_owned();
    }
    format!("{lines}  a period is no proof: whoever shares it is named, and the knock-outs decide\n")
}

/// The story in Markdown, for a pull request.
pub fn markdown(story: &Story) -> String {
    let line_of = |cells: &[String]| {
        format!("| {} |\n", cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>().join(" | "))
    };
    let (head, rows) = story.rows();
    let mut text = format!("**{}** — {}\n\n", escaped(&story.header.title), escaped(&story.subtitle()));
    if story.is_calm() {
        text += &format!("- {CALM}\n");
    } else {
        text += &line_of(&head);
        text += &line_of(&["---", "---", "--:", "--:", "--:", "--:", "--:"].map(str::to_owned));
        text += &rows.iter().map(|row| line_of(row)).collect::<String>();
        text += "\n";
        text += &story.remarks().iter().map(|remark| format!("- {}\n", escaped(remark))).collect::<String>();
    }
    let percent = human::share(FALSE_ALARM);
    text += &format!("\n| service | period | power | false alarm (≤ {percent}) | harmonics | has it |\n");
    text += "| --- | --: | --: | --: | --- | --- |\n";
    for found in story.found {
        for (one, names) in &found.lines {
            let mut row = vec![printable(&found.service)];
            row.extend(line(one, names));
            text += &line_of(&row);
        }
    }
    text
}

#[cfg(test)]
#[path = "../explain_tests.rs"]
mod tests;
