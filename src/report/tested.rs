//! What `test` found: the expectations of several scenarios, for a terminal, a program or a pull request.

use super::expectations::{self, Whereabouts};
use super::font::printable;
use super::text::{Paint, escaped};
use super::{Header, SCHEMA_VERSION};
use crate::experiment::{Judged, Verdict};
use crate::scenario::problem::{Problem, Problems};
use serde_json::{Value, json};
use std::fmt;

/// The expectations of one scenario.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The scenario in short.
    pub header: Header,
    /// Its file, as it was named.
    pub file: String,
    /// The seeds that were asked for.
    pub seeds: Vec<u64>,
    /// Its expectations, judged, in the order of the file.
    pub judged: Vec<Judged>,
    /// How many runs were asked for.
    pub asked: usize,
    /// Variant and seed of each that was finished.
    pub finished: Vec<(String, u64)>,
}

impl Suite {
    /// Whether every run was finished.
    pub fn complete(&self) -> bool {
        self.finished.len() == self.asked
    }
}

/// The expectations of all scenarios that were tested.
#[derive(Clone, Debug)]
pub struct Tested {
    /// Scenario by scenario.
    pub suites: Vec<Suite>,
    /// Whether an inconclusive expectation is borne.
    pub bears_inconclusive: bool,
}

/// A scenario that could not be tested, or all of them: nothing was run.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Its file, as it was named; of all, the command.
    pub file: String,
    /// What is wrong with it.
    pub problems: Problems,
}

/// What could not be tested, for a pull request.
pub fn refused_markdown(refused: &[Refused]) -> String {
    let one = |refused: &Refused| {
        let problem = |problem: &Problem| {
            let place = problem.place.as_ref().map_or(String::new(), |place| format!(" — {place}"));
            format!("- {}{}\n", escaped(&problem.in_a_line()), escaped(&place))
        };
        let problems: String = refused.problems.iter().map(problem).collect();
        format!("**{}**\n\n{problems}\n", escaped(&refused.file))
    };
    let each: String = refused.iter().map(one).collect();
    format!("### herdsim: nothing was run\n\n{each}")
}

/// How many expectations came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// That passed.
    pub passed: usize,
    /// That failed.
    pub failed: usize,
    /// That are neither.
    pub inconclusive: usize,
    /// In so many scenarios.
    pub scenarios: usize,
}

impl Tally {
    /// Of how many expectations.
    pub fn all(&self) -> usize {
        self.passed + self.failed + self.inconclusive
    }
}

impl fmt::Display for Tally {
    /// `12 passed, 1 failed, 1 inconclusive in 3 scenarios`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { passed, failed, inconclusive, scenarios } = self;
        let noun = if *scenarios == 1 { "scenario" } else { "scenarios" };
        write!(f, "{passed} passed, {failed} failed, {inconclusive} inconclusive in {scenarios} {noun}")
    }
}

impl Tested {
    /// How they came out.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally { scenarios: self.suites.len(), ..Tally::default() };
        for judged in self.suites.iter().flat_map(|suite| &suite.judged) {
            match judged.verdict {
                Verdict::Pass => tally.passed += 1,
                Verdict::Fail => tally.failed += 1,
                Verdict::Inconclusive => tally.inconclusive += 1,
            }
        }
        tally
    }

    /// Whether an expectation that did not pass is borne: the seeds did not decide it, and that was asked
    /// for. One of which nothing was measured never is.
    pub fn bears(&self, judged: &Judged) -> bool {
        self.bears_inconclusive && judged.verdict == Verdict::Inconclusive && judged.is_measured()
    }

    /// The expectations that did not pass, without those that are borne or those alone.
    pub fn not_passed(&self, borne: bool) -> impl Iterator<Item = &Judged> {
        let all = self.suites.iter().flat_map(|suite| &suite.judged);
        all.filter(move |judged| judged.verdict != Verdict::Pass && self.bears(judged) == borne)
    }

    /// Whether every run was finished.
    pub fn complete(&self) -> bool {
        self.suites.iter().all(Suite::complete)
    }

    /// The line that says it all.
    pub fn closing(&self) -> String {
        format!("{}{}", self.tally(), self.unfinished())
    }

    /// What is missing: `; incomplete: 3 of 7 runs were finished`.
    fn unfinished(&self) -> String {
        if self.complete() {
            return String::new();
        }
        let sum = |count: fn(&Suite) -> usize| self.suites.iter().map(count).sum::<usize>();
        let (finished, asked) = (sum(|suite| suite.finished.len()), sum(|suite| suite.asked));
        format!("; incomplete: {finished} of {asked} runs were finished")
    }

    /// For a terminal.
    pub fn text(&self, paint: Paint) -> String {
        let suite = |suite: &Suite| {
            let title = paint.head(&printable(&suite.header.title));
            let seeds =
                if suite.seeds.len() == 1 { "1 seed" } else { &format!("{} seeds", suite.seeds.len()) };
            let lines = expectations::lines(&suite.judged, Whereabouts::Said, paint);
            format!("{}: {title} ({seeds})\n{lines}\n", printable(&suite.file))
        };
        let suites: String = self.suites.iter().map(suite).collect();
        format!("{suites}{}\n", self.closing())
    }

    /// For a pull request.
    pub fn markdown(&self) -> String {
        let suite = |suite: &Suite| {
            let (file, title) = (escaped(&suite.file), escaped(&suite.header.title));
            format!("**{title}** — {file}\n\n{}", expectations::markdown(&suite.judged, Whereabouts::Said))
        };
        let suites: String = self.suites.iter().map(suite).collect();
        format!("### herdsim: {}\n\n{suites}", self.closing())
    }

    /// For a program.
    pub fn json(&self) -> String {
        let tally = self.tally();
        let suite = |suite: &Suite| {
            json!({
                "scenario": suite.header.scenario, "file": suite.file, "title": suite.header.title,
                "seeds": suite.seeds, "complete": suite.complete(),
                "expectations": expectations::json(&suite.judged, &suite.finished),
            })
        };
        let whole = json!({
            "schema_version": SCHEMA_VERSION,
            "passed": tally.passed, "failed": tally.failed, "inconclusive": tally.inconclusive,
            "complete": self.complete(),
            "scenarios": self.suites.iter().map(suite).collect::<Value>(),
        });
        format!("{whole:#}\n")
    }
}

/// Made-up verdicts: one that passed, one that failed and one that is neither, in two scenarios.
#[cfg(test)]
pub mod synthetic {
    use super::*;
    use crate::experiment::WrittenAt;
    use crate::report::synthetic::header;

    /// An expectation at a line of a file.
    pub fn judged(name: &str, verdict: Verdict, because: &str, (file, line): (&str, usize)) -> Judged {
        Judged {
            name: name.into(),
            variant: "jitter".into(),
            place: Some(WrittenAt { file: file.into(), line, column: 2 }),
            claim: "herd_size{lifetime} of postgres.primary ≤ 5%".into(),
            unit: "share",
            values: vec![0.01, 0.5, f64::NAN],
            held: 1,
            verdict,
            because: because.into(),
            ..Judged::default()
        }
    }

    /// Both scenarios.
    pub fn tested() -> Tested {
        let suite = |file: &str, judged: Vec<Judged>, finished: usize| Suite {
            header: header(),
            file: file.into(),
            seeds: vec![1, 2, 3],
            judged,
            asked: 6,
            finished: (0..finished)
                .map(|n| (["jitter", "plain"][n / 3].to_owned(), n as u64 % 3 + 1))
                .collect(),
        };
        let (a, b) = ("herd/a.toml", "herd/b, c: 50%.toml");
        let good = judged("cures", Verdict::Pass, "", (a, 3));
        let bad = judged("<fails>", Verdict::Fail, "", (a, 9));
        let unclear = judged("who-knows", Verdict::Inconclusive, "held with 1 of 3\nseeds", (b, 7));
        let suites = vec![suite(a, vec![good, bad], 6), suite(b, vec![unclear], 6)];
        Tested { suites, bears_inconclusive: false }
    }
}

#[cfg(test)]
mod tests {
    use super::synthetic::tested;
    use super::*;

    #[test]
    fn verdicts_come_with_their_values_and_places_and_are_counted() {
        insta::assert_snapshot!(tested().text(Paint::Plain), @r#"
        herd/a.toml: September 2025: bus bunching (3 seeds)
          ✓ cures (jitter)  herd/a.toml:3
              herd_size{lifetime} of postgres.primary ≤ 5%: measured 1.0–50%, and nothing with 1 of 3 seeds
          ✗ <fails> (jitter)  herd/a.toml:9
              herd_size{lifetime} of postgres.primary ≤ 5%: measured 1.0–50%, and nothing with 1 of 3 seeds

        herd/b, c: 50%.toml: September 2025: bus bunching (3 seeds)
          ? who-knows (jitter)  herd/b, c: 50%.toml:7
              herd_size{lifetime} of postgres.primary ≤ 5%: measured 1.0–50%, and nothing with 1 of 3 seeds
              held with 1 of 3 seeds

        1 passed, 1 failed, 1 inconclusive in 2 scenarios
        "#);
    }

    #[test]
    fn markdown_is_a_list_for_each_scenario() {
        insta::assert_snapshot!(tested().markdown(), @r#"
        ### herdsim: 1 passed, 1 failed, 1 inconclusive in 2 scenarios

        **September 2025: bus bunching** — herd/a.toml

        - ✓ **cures** (jitter): herd_size{lifetime} of postgres.primary ≤ 5% — measured 1.0–50%, and nothing with 1 of 3 seeds — herd/a.toml:3
        - ✗ **&lt;fails>** (jitter): herd_size{lifetime} of postgres.primary ≤ 5% — measured 1.0–50%, and nothing with 1 of 3 seeds — herd/a.toml:9

        **September 2025: bus bunching** — herd/b, c: 50%.toml

        - ? **who-knows** (jitter): herd_size{lifetime} of postgres.primary ≤ 5% — measured 1.0–50%, and nothing with 1 of 3 seeds; held with 1 of 3 seeds — herd/b, c: 50%.toml:7
        "#);
    }

    #[test]
    fn what_was_not_finished_is_said() {
        let mut some = tested();
        some.suites[1].finished.truncate(2);
        assert_eq!(
            some.closing(),
            "1 passed, 1 failed, 1 inconclusive in 2 scenarios; incomplete: 8 of 12 runs were finished"
        );
        let json: Value = serde_json::from_str(&some.json()).unwrap();
        assert_eq!((&json["complete"], &json["scenarios"][0]["complete"]), (&json!(false), &json!(true)));
        let told = &json["scenarios"][1]["expectations"][0];
        assert_eq!((&told["verdict"], &told["seeds"]), (&json!("inconclusive"), &json!([1, 2])));
    }

    #[test]
    fn an_inconclusive_expectation_is_borne_only_if_asked_for() {
        let mut borne = tested();
        assert_eq!(borne.not_passed(false).count(), 2);
        borne.bears_inconclusive = true;
        assert_eq!((borne.not_passed(false).count(), borne.not_passed(true).count()), (1, 1));
        borne.suites[1].judged[0].values.fill(f64::NAN);
        assert_eq!(borne.not_passed(false).count(), 2, "where nothing was measured nothing is borne");
    }
}
