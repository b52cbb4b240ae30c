//! Remedies × incidents: what each remedy does to each incident, alone.

use super::csv::{self, float};
use super::font::printable;
use super::human;
use super::text::{Paint, beginning, cells, escaped, range, section, short, table, trimmed};
use crate::experiment::harm::{Harm, HarmChange, change};
use serde_json::{Value, json};

/// The columns of `remedies.csv`.
const COLUMNS: [&str; 8] =
    ["scenario", "variant", "remedy", "seed", "bad_s", "lost_share", "recycle_spikes", "change"];

/// A remedy at an incident.
#[derive(Clone, Debug, PartialEq)]
pub enum Treatment {
    /// Without and with it, by seed.
    Tried(Vec<(Harm, Harm)>),
    /// The scenario has no place for any of it, or refuses it: why.
    Not(String),
}

/// A remedy: a file of values laid over a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The file's name without its ending.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Why it may help.
    pub why: String,
}

/// An incident: a variant of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The scenario's short name.
    pub scenario: String,
    /// The variant to which remedies are added.
    pub variant: String,
    /// What users suffer in it, by seed.
    pub harm: Vec<Harm>,
    /// One for each remedy.
    pub cells: Vec<Treatment>,
    /// The seeds.
    pub seeds: Vec<u64>,
}

/// The whole matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Its columns.
    pub remedies: Vec<Column>,
    /// Its rows.
    pub incidents: Vec<Incident>,
}

impl Treatment {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Treatment::Tried(pairs) => change(pairs).name(),
            Treatment::Not(_) => "–",
        }
    }

    /// The change, if it was tried.
    pub fn change(&self) -> Option<HarmChange> {
        match self {
            Treatment::Tried(pairs) => Some(change(pairs)),
            Treatment::Not(_) => None,
        }
    }
}

/// `4m20s bad, 0.4% lost, 7 recycle spikes`; of spikes only where there are any.
fn harm_words(harms: &[Harm]) -> String {
    let of = |figure: fn(&Harm) -> f64| harms.iter().map(figure).collect::<Vec<f64>>();
    let (times, lost) = (of(|harm| harm.bad_s), of(|harm| harm.lost));
    let text = format!("{} bad, {} lost", range(&times, &human::offset), range(&lost, &human::share));
    if harms.iter().all(|harm| harm.recycle_spikes == 0.0) {
        return text;
    }
    let spikes = range(&of(|harm| harm.recycle_spikes), &human::number);
    format!("{text}, {spikes} recycle spikes")
}

fn after(pairs: &[(Harm, Harm)]) -> Vec<Harm> {
    pairs.iter().map(|pair| pair.1).collect()
}

impl Matrix {
    /// The words at a glance, then each incident with its figures.
    pub fn text(&self, paint: Paint) -> String {
        let names: Vec<String> = self.incidents.iter().map(|one| short(&one.scenario, 16)).collect();
        let head: Vec<&str> = std::iter::once("remedy").chain(names.iter().map(String::as_str)).collect();
        let mut glance = table(&head);
        for (place, remedy) in self.remedies.iter().enumerate() {
            let words = self.incidents.iter().map(|incident| incident.cells[place].word().to_owned());
            let row: Vec<String> = std::iter::once(short(&remedy.name, 24)).chain(words).collect();
            glance.add_row(cells(&row));
        }
        let mut text = section("REMEDIES, each alone", trimmed(&glance), paint).trim_start().to_owned();
        for incident in &self.incidents {
            let title = format!("{} ({})", incident.scenario, incident.variant);
            text += &section(&printable(&title), self.figures(incident), paint);
        }
        text + "\nbad: the time in which a service answers fewer than 99% well, or its p99 is over ten times the usual\n\
                lost: wishes that users gave up, after all retries\n\
                recycle spikes: latency spikes that connections replaced for their age set off\n"
    }

    fn figures(&self, incident: &Incident) -> String {
        let mut table = table(&["", "", "bad time, wishes lost, recycle spikes"]);
        let unchanged = ["unchanged".to_owned(), String::new(), harm_words(&incident.harm)];
        table.add_row(cells(&unchanged));
        for (remedy, cell) in self.remedies.iter().zip(&incident.cells) {
            let told = match cell {
                Treatment::Tried(pairs) => harm_words(&after(pairs)),
                Treatment::Not(why) => beginning(why, 60),
            };
            table.add_row(cells(&[short(&remedy.name, 24), cell.word().to_owned(), told]));
        }
        trimmed(&table)
    }

    /// The words in Markdown, for a pull request.
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let names = self.incidents.iter().map(|one| escaped(&one.scenario));
        let mut text = line(std::iter::once("remedy".to_owned()).chain(names).collect());
        text += &line(vec!["---".to_owned(); self.incidents.len() + 1]);
        let unchanged = self.incidents.iter().map(|one| escaped(&harm_words(&one.harm)));
        text += &line(std::iter::once("*unchanged*".to_owned()).chain(unchanged).collect());
        for (place, remedy) in self.remedies.iter().enumerate() {
            let words = self.incidents.iter().map(|incident| match &incident.cells[place] {
                Treatment::Tried(pairs) => {
                    format!("**{}** {}", incident.cells[place].word(), harm_words(&after(pairs)))
                }
                Treatment::Not(_) => "–".to_owned(),
            });
            text += &line(std::iter::once(escaped(&remedy.title)).chain(words).collect());
        }
        text
    }

    /// One row an incident, remedy and seed; the unchanged runs have no remedy.
    pub fn csv(&self) -> String {
        let mut rows: Vec<[String; 8]> = Vec::new();
        let mut add = |incident: &Incident, remedy: &str, word: &str, harms: &[Harm]| {
            for (seed, harm) in incident.seeds.iter().zip(harms) {
                let [bad, lost, spikes] = [harm.bad_s, harm.lost, harm.recycle_spikes].map(float);
                let (scenario, variant) = (&incident.scenario, &incident.variant);
                let row: [&str; 8] =
                    [scenario, variant, remedy, &seed.to_string(), &bad, &lost, &spikes, word];
                rows.push(row.map(str::to_owned));
            }
        };
        for incident in &self.incidents {
            add(incident, "", "", &incident.harm);
            for (remedy, cell) in self.remedies.iter().zip(&incident.cells) {
                if let Treatment::Tried(pairs) = cell {
                    add(incident, &remedy.name, cell.word(), &after(pairs));
                }
            }
        }
        csv::table(COLUMNS, rows)
    }

    /// All of it, for a program.
    pub fn json(&self) -> Value {
        let harm = |harm: &Harm| json!({ "bad_s": harm.bad_s, "lost_share": harm.lost, "recycle_spikes": harm.recycle_spikes });
        let cell = |(remedy, cell): (&Column, &Treatment)| match cell {
            Treatment::Tried(pairs) => json!({
                "remedy": remedy.name, "change": cell.word(), "harm": after(pairs).iter().map(harm).collect::<Vec<_>>(),
            }),
            Treatment::Not(why) => json!({ "remedy": remedy.name, "not_tried": why }),
        };
        let incident = |one: &Incident| {
            json!({
                "scenario": one.scenario, "variant": one.variant, "seeds": one.seeds,
                "unchanged": one.harm.iter().map(harm).collect::<Vec<_>>(),
                "remedies": self.remedies.iter().zip(&one.cells).map(cell).collect::<Vec<_>>(),
            })
        };
        let remedy = |one: &Column| json!({ "name": one.name, "title": one.title, "why": one.why });
        json!({
            "schema_version": super::SCHEMA_VERSION,
            "remedies": self.remedies.iter().map(remedy).collect::<Vec<_>>(),
            "incidents": self.incidents.iter().map(incident).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_comma_stays_one_cell() {
        let harm = Harm { bad_s: 20.0, lost: f64::NAN, recycle_spikes: 2.0 };
        let column = Column { name: "a,b".to_owned(), title: "A, \"b\" | c".to_owned(), why: String::new() };
        let incident = Incident {
            scenario: "fleet".to_owned(),
            variant: "plain".to_owned(),
            harm: vec![harm],
            cells: vec![Treatment::Tried(vec![(harm, harm)])],
            seeds: vec![7],
        };
        let matrix = Matrix { remedies: vec![column], incidents: vec![incident] };
        insta::assert_snapshot!(matrix.csv(), @r#"
        scenario,variant,remedy,seed,bad_s,lost_share,recycle_spikes,change
        fleet,plain,,7,20,,2,
        fleet,plain,"a,b",7,20,,2,no change
        "#);
        assert!(matrix.markdown().contains("| A, \"b\" \\| c |"), "{}", matrix.markdown());
    }
}
