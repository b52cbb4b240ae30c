//! What each variant does to the herd, as a table of the page, told from `effects.json`.
//!
//! It is read off the file, not the runs, so that a page drawn again from a directory says what was said at
//! first. Left out: each seed by itself.

use super::html::{self, strings};
use crate::report::human;
use crate::report::text::range;
use serde_json::Value;

/// The last column is for scenarios that have a record of history, which most have not.
const HEAD: [&str; 8] = [
    "variant",
    "effect",
    "recycle spikes",
    "difference [95 %]",
    "lasting",
    "counted from",
    "seeds",
    "history",
];

/// The table, or a line that there is nothing to tell; nothing where nothing was compared.
pub(super) fn table(effects: &Value) -> String {
    let Some(effects) = effects.as_array().filter(|effects| !effects.is_empty()) else {
        return String::new();
    };
    if !effects.iter().any(tells) {
        return nothing(effects);
    }
    let baseline = effects[0]["baseline"].as_str().unwrap_or_default();
    let mut rows: Vec<Vec<String>> = effects.iter().map(row).collect();
    let recorded = effects.iter().any(|effect| effect["history"].is_string());
    let columns = if recorded { HEAD.len() } else { HEAD.len() - 1 };
    rows.iter_mut().for_each(|row| row.truncate(columns));
    let table = html::table(&format!("Effects, against {baseline}"), &strings(&HEAD[..columns]), &rows);
    html::with_notes(&table, &notes(effects))
}

/// What the terminal says of them too.
fn notes(effects: &[Value]) -> Vec<String> {
    let mut notes = vec!["recycle spikes: those of all services beside a storm of cause lifetime".to_owned()];
    if effects.iter().any(one_seed) {
        notes.push("one seed: compared plainly; another seed may tell otherwise".to_owned());
    }
    notes
}

fn one_seed(effect: &Value) -> bool {
    effect["seeds"] == 1
}

/// Whether an effect has something to tell: a recycle spike on either side, or what history says.
fn tells(effect: &Value) -> bool {
    let spikes = |pair: &Value| pair["baseline"]["spikes"].as_u64().max(pair["variant"]["spikes"].as_u64());
    effect["history"].is_string() || pairs(effect).iter().any(|pair| spikes(pair) > Some(0))
}

fn nothing(effects: &[Value]) -> String {
    let doubt = match effects.iter().any(|effect| effect["because"].is_string()) {
        true => ", which tells nothing where users are not served",
        false => "",
    };
    format!("<p class=\"quiet\">Effects: no recycle spikes in any variant{doubt}.</p>\n")
}

fn row(effect: &Value) -> Vec<String> {
    let delay = effect["delay_s"].as_f64().map_or(String::new(), |by| format!(" by {}", human::offset(by)));
    let because = effect["because"].as_str().map_or(String::new(), |because| format!(": {because}"));
    vec![
        effect["variant"].as_str().unwrap_or_default().to_owned(),
        word(effect, "effect") + &delay + &because,
        course(effect, "spikes", &human::number),
        difference(effect),
        course(effect, "spikes_s", &human::offset),
        human::offset(effect["from_s"].as_f64().unwrap_or(0.0)),
        effect["seeds"].as_u64().map_or(String::new(), human::count),
        word(effect, "history"),
    ]
}

fn word(effect: &Value, key: &str) -> String {
    effect[key].as_str().unwrap_or_default().replace('-', " ")
}

/// The ranges over the seeds, of the baseline and of the variant.
fn course(effect: &Value, key: &str, show: &dyn Fn(f64) -> String) -> String {
    let of = |side: &str| {
        let values: Vec<f64> = pairs(effect).iter().filter_map(|pair| pair[side][key].as_f64()).collect();
        range(&values, show)
    };
    format!("{} → {}", of("baseline"), of("variant"))
}

/// The mean difference in recycle spikes, with its interval where the seeds give one.
fn difference(effect: &Value) -> String {
    let number = |value: &Value| value.as_f64().map(|value| human::number(value).replace('-', "−"));
    let mean = number(&effect["spikes_diff"]["mean"]).unwrap_or_else(|| "–".to_owned());
    let interval = &effect["spikes_diff"]["ci95"];
    match (number(&interval[0]), number(&interval[1])) {
        (Some(low), Some(high)) => format!("{mean} [{low}, {high}]"),
        _ if one_seed(effect) && mean != "–" => format!("{mean} (one seed, no interval)"),
        _ => mean,
    }
}

/// Baseline and variant with each seed.
fn pairs(effect: &Value) -> &[Value] {
    effect["pairs"].as_array().map_or(&[], Vec::as_slice)
}
