//! How much is enough, on paper: the answer in words, every value that was tried, and a picture of both.

use super::csv::{self, float};
use super::directory::{drawn, verdict_name};
use super::plot::{Chart, line};
use super::text::{cells, table, trimmed};
use super::{Header, SCHEMA_VERSION, human};
use crate::experiment::sweep::find::{
    Answer, Reversal, Search, Threshold, Tried, median_interval, reversals, thresholds,
};
use crate::experiment::{Judged, Verdict};
use serde_json::{Value, json};

/// What a search came to.
pub struct Findings<'a> {
    /// The scenario in short.
    pub header: &'a Header,
    /// The file and its overlays as arguments.
    pub scenario: &'a [String],
    /// The path of the parameter.
    pub path: &'a str,
    /// What was looked for.
    pub search: &'a Search,
    /// The expectation: its name, its claim, its variant.
    pub expectation: &'a Judged,
    /// Every value that was tried, from the hardest to the easiest.
    pub tried: &'a [Tried],
    /// What it came to; nothing if it was stopped.
    pub answer: Option<Answer>,
}

impl Findings<'_> {
    /// All files by path.
    pub fn files(&self, plots: bool) -> Vec<(String, Vec<u8>)> {
        let pretty = |value: &Value| format!("{value:#}\n").into_bytes();
        let mut files = vec![
            ("manifest.json".to_owned(), pretty(&self.manifest())),
            ("find.json".to_owned(), pretty(&self.json())),
            ("find.csv".to_owned(), self.csv().into_bytes()),
        ];
        if plots && !self.tried.is_empty() {
            files.extend(drawn(vec![self.chart()]));
        }
        files
    }

    /// The answer, the values tried, and what to make of them.
    pub fn text(&self) -> String {
        let (judged, search) = (self.expectation, self.search);
        let which = if search.largest { "largest" } else { "smallest" };
        let (low, high) = (search.range.text(search.range.low), search.range.text(search.range.high));
        let mut text = format!("The {which} {} in {low}..{high} that meets\n", self.path);
        text += &format!("{}: {}, variant {}\n\n", judged.name, judged.claim, judged.variant);
        text += &self.table();
        text += &format!("\n{}\n", self.words());
        text += &self.spread();
        for reversal in reversals(self.tried) {
            let (holds, fails) = (search.range.text(reversal.holds), search.range.text(reversal.fails));
            let seed = reversal.seed;
            text += &format!(
                "warning: seed {seed} holds at {holds} and not at {fails}: not every step goes one way, and a \
                 search by halves may miss values\n"
            );
        }
        text
    }

    fn table(&self) -> String {
        let mut table = table(&["value", "seeds pass", "least", "median", "most", "verdict"]);
        for tried in self.tried {
            let metrics = || tried.seeds.iter().map(|shown| shown.metric);
            let quantity = |value: f64| human::quantity(value, self.expectation.unit);
            let row = [
                self.search.range.text(tried.value),
                format!("{} of {}", tried.passed(), tried.seeds.len()),
                quantity(metrics().fold(f64::NAN, f64::min)),
                quantity(tried.median()),
                quantity(metrics().fold(f64::NAN, f64::max)),
                match tried.because.as_str() {
                    "" => verdict_name(tried.verdict).to_owned(),
                    because => format!("{}: {because}", verdict_name(tried.verdict)),
                },
            ];
            table.add_row(cells(&row));
        }
        trimmed(&table)
    }

    /// The answer in a sentence.
    pub fn words(&self) -> String {
        let text = |value: f64| self.search.range.text(value);
        match self.answer {
            None => "stopped before there was an answer".to_owned(),
            Some(Answer::Nowhere(end)) => match self.undecided(end) {
                Some(undecided) => format!("found: nothing; {undecided}"),
                None => format!("found: nothing; not even {} does", text(end)),
            },
            Some(Answer::Everywhere(end)) => format!("found: {}; the whole range does", text(end)),
            Some(Answer::Between { fails, holds }) => {
                let fails = self.undecided(fails).unwrap_or_else(|| format!("{} does not do", text(fails)));
                format!("found: {}; {fails}", text(holds))
            }
        }
    }

    /// Of a value that neither holds nor fails, what can be said of it.
    fn undecided(&self, value: f64) -> Option<String> {
        let tried = self.tried.iter().find(|one| one.value == value)?;
        let text = format!("{} is inconclusive", self.search.range.text(value));
        let (passed, seeds) = (tried.passed(), human::plural(tried.seeds.len(), "seed"));
        (tried.verdict == Verdict::Inconclusive).then(|| format!("{text}, {passed} of {seeds} pass"))
    }

    /// How far apart the seeds' own thresholds are.
    fn spread(&self) -> String {
        let each = thresholds(self.tried, self.answer);
        if each.len() < 2 {
            return String::new();
        }
        let text = |place: usize| self.bracket(each[place]);
        let (last, middle) = (each.len() - 1, each.len() / 2);
        let way = if self.search.largest { "up to" } else { "from" };
        let mut line = format!(
            "each seed for itself holds {way}: {} at best, {} in the middle, {} at worst",
            text(0),
            text(middle),
            text(last)
        );
        line += &match median_interval(each.len()) {
            Some((from, to)) => {
                let ends = Threshold { fails: each[from].fails, holds: each[to].holds };
                format!(" (95 % interval of the median: {})\n", self.bracket(ends))
            }
            None => " (no interval of the median with fewer than 6 seeds)\n".to_owned(),
        };
        line
    }

    /// `(12s, 15s]`: more than 12s and at most 15s; the other way round where the largest value is wanted.
    fn bracket(&self, threshold: Threshold) -> String {
        let text = |value: f64| self.search.range.text(value);
        match (threshold.fails.map(text), threshold.holds.map(text)) {
            (_, None) => "nowhere".to_owned(),
            (None, Some(holds)) if self.search.largest => format!("{holds} or more"),
            (None, Some(holds)) => format!("{holds} or less"),
            (Some(fails), Some(holds)) if self.search.largest => format!("[{holds}, {fails})"),
            (Some(fails), Some(holds)) => format!("({fails}, {holds}]"),
        }
    }

    /// One row a value and seed.
    pub fn csv(&self) -> String {
        let head = ["scenario", self.path, "variant", "seed", "expectation", "value", "unit", "verdict"];
        let judged = self.expectation;
        let pairs = self.tried.iter().flat_map(|one| one.seeds.iter().map(move |shown| (one, shown)));
        let rows = pairs.map(|(tried, shown)| {
            let (at, seed) = (self.search.range.text(tried.value), shown.seed.to_string());
            let (value, verdict) = (float(shown.metric), verdict_name(shown.verdict));
            let scenario = &self.header.scenario;
            let row: [&str; 8] =
                [scenario, &at, &judged.variant, &seed, &judged.name, &value, judged.unit, verdict];
            row.map(str::to_owned)
        });
        csv::table(head, rows)
    }

    /// The answer for a program.
    pub fn json(&self) -> Value {
        let text = |value: f64| self.search.range.text(value);
        let (answer, holds, fails) = match self.answer {
            None => ("stopped", None, None),
            Some(Answer::Nowhere(end)) => ("nowhere", None, Some(text(end))),
            Some(Answer::Everywhere(end)) => ("everywhere", Some(text(end)), None),
            Some(Answer::Between { fails, holds }) => ("between", Some(text(holds)), Some(text(fails))),
        };
        let each = thresholds(self.tried, self.answer);
        let bracket = |one: Threshold| json!({ "fails": one.fails.map(text), "holds": one.holds.map(text) });
        let interval = median_interval(each.len())
            .map(|(from, to)| bracket(Threshold { fails: each[from].fails, holds: each[to].holds }));
        let tried = self.tried.iter().map(|one| {
            json!({
                "value": text(one.value), "verdict": verdict_name(one.verdict), "because": one.because,
                "passed": one.passed(), "seeds": one.seeds.len(), "median": one.median(),
            })
        });
        let reversal =
            |one: &Reversal| json!({ "seed": one.seed, "holds": text(one.holds), "fails": text(one.fails) });
        let reversals: Vec<Value> = reversals(self.tried).iter().map(reversal).collect();
        json!({
            "schema_version": SCHEMA_VERSION,
            "path": self.path,
            "low": text(self.search.range.low),
            "high": text(self.search.range.high),
            "wanted": if self.search.largest { "largest" } else { "smallest" },
            "expectation": self.expectation.name,
            "claim": self.expectation.claim,
            "unit": self.expectation.unit,
            "answer": answer, "holds": holds, "fails": fails,
            "thresholds": each.into_iter().map(bracket).collect::<Vec<_>>(),
            "median_threshold_interval": interval,
            "not_monotone": reversals,
            "tried": tried.collect::<Vec<_>>(),
        })
    }

    fn manifest(&self) -> Value {
        json!({
            "tool": "herdsim",
            "tool_version": env!("CARGO_PKG_VERSION"),
            "build": crate::BUILD,
            "kind": "find",
            "schema_version": SCHEMA_VERSION,
            "header": self.header,
            "scenario": self.scenario,
            "variants": [self.expectation.variant],
            "seeds": self.tried.first().map_or(vec![], |one| one.seeds.iter().map(|s| s.seed).collect()),
            "complete": self.answer.is_some(),
        })
    }

    fn chart(&self) -> Chart {
        let (judged, range) = (self.expectation, &self.search.range);
        let part = |value: f64| (value - range.low) / (range.high - range.low);
        let spots: Vec<line::Spot> = self
            .tried
            .iter()
            .map(|one| line::Spot {
                at: part(one.value),
                values: one.seeds.iter().map(|shown| shown.metric).collect(),
                median: one.median(),
            })
            .collect();
        let panel =
            line::Panel { name: self.path.to_owned(), ticks: line::ticks(range), spots, joined: true };
        let subtitle = format!(
            "{} · variant {} · {} · every seed, and their median",
            self.header.title,
            judged.variant,
            self.words()
        );
        let title = format!("{}: {}", judged.name, judged.claim);
        let bounds: Vec<f64> =
            [&judged.min, &judged.max].into_iter().flatten().map(|limit| limit.value).collect();
        let drawing = line::draw(&title, &subtitle, judged.unit, &[panel], &bounds);
        Chart { name: "find".to_owned(), drawing }
    }
}
