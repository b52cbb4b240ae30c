//! Judged expectations as people read them (the sign of the verdict, the claim, what was measured, and why)
//! and as programs do.

use super::font::printable;
use super::human;
use super::text::{Paint, escaped, folded, range};
use crate::experiment::statistics::Mean;
use crate::experiment::{Against, Judged, ResolvedBound, Verdict};
use crate::scenario::proof;
use serde_json::{Value, json};

/// Whether to say where an expectation was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Beside each.
    Said,
    /// Nowhere: there is one file, and the reader has just named it.
    Unsaid,
}

/// Two lines each, a third where the control needs one, and another where there is a reason.
pub(super) fn lines(judged: &[Judged], places: Whereabouts, paint: Paint) -> String {
    let line = |judged: &Judged| {
        let code = match judged.verdict {
            Verdict::Pass => "32",
            Verdict::Fail => "31",
            Verdict::Inconclusive => "33",
        };
        let name = paint.head(&printable(&judged.name));
        let sign = paint.with(code, sign(judged.verdict));
        let place = judged.place.as_ref().filter(|_| places == Whereabouts::Said);
        let place = place.map_or(String::new(), |place| format!("  {}", printable(&place.to_string())));
        let mut text = format!("  {sign} {name} ({}){place}\n", printable(&judged.variant));
        let told = format!("      {}: {}", printable(&judged.claim), printable(&measured(judged)));
        text += &folded(&told, "; ", 8);
        if !judged.because.is_empty() {
            text += &format!("      {}\n", printable(&judged.because));
        }
        text
    };
    judged.iter().map(line).collect()
}

/// A list in Markdown, and an empty line after it.
pub(super) fn markdown(judged: &[Judged], places: Whereabouts) -> String {
    let line = |judged: &Judged| {
        let [name, variant, told] = [&judged.name, &judged.variant, &told(judged)].map(|text| escaped(text));
        let place = judged.place.as_ref().filter(|_| places == Whereabouts::Said);
        let place = place.map_or(String::new(), |place| format!(" — {}", escaped(&place.to_string())));
        format!("- {} **{name}** ({variant}): {told}{place}\n", sign(judged.verdict))
    };
    let text: String = judged.iter().map(line).collect();
    if text.is_empty() { text } else { text + "\n" }
}

/// The claim, what was measured, and why the verdict is what it is, in a line.
pub(super) fn told(judged: &Judged) -> String {
    let because = if judged.because.is_empty() { "" } else { "; " };
    format!("{} — {}{because}{}", judged.claim, measured(judged), judged.because)
}

/// The sign of a verdict.
pub(super) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗",
        Verdict::Inconclusive => "?",
    }
}

/// `measured 97–99%; mean 98% [97%, 99%]; at least 37% (as-it-happened: 34%); control pinned: 0.1%`.
pub(super) fn measured(judged: &Judged) -> String {
    let mut text = format!("measured {}", values(&judged.values, judged));
    if let Some((mean, low, high)) = mean(judged) {
        let shown = [mean, low, high].map(|value| human::quantity(value, judged.unit));
        let [mean, low, high] = shown;
        // What all seeds show alike has been said.
        text += &if low == high { String::new() } else { format!("; mean {mean} [{low}, {high}]") };
    }
    for (word, limit) in [("at least", &judged.min), ("at most", &judged.max)] {
        text += &limit.as_ref().and_then(|limit| against(word, limit, judged)).unwrap_or_default();
    }
    match &judged.control {
        None => text,
        Some(control) if judged.control_values.is_empty() => text + &format!("; control {control}: not run"),
        Some(control) => text + &format!("; control {control}: {}", values(&judged.control_values, judged)),
    }
}

/// `; at most 37% (pinned: 34%)`: what a bound came to that is relative to another variant, which decides.
fn against(word: &str, limit: &ResolvedBound, judged: &Judged) -> Option<String> {
    let Against { variant, values, limits } = limit.against.as_ref()?;
    let told = |value: f64| human::quantity_beside(value, judged.unit, &judged.values);
    let known = limits.iter().any(|limit| !limit.is_nan());
    known.then(|| format!("; {word} {} ({variant}: {})", range(limits, &told), range(values, &told)))
}

/// The mean over the seeds and the ends of its 95 % interval; nothing where a seed has no value, which is not
/// missing by chance, nor where all seeds show the same, which is no certainty. No metric is below zero, and
/// no share above the whole unless one was measured.
fn mean(judged: &Judged) -> Option<(f64, f64, f64)> {
    let values = &judged.values;
    if values.iter().any(|value| !value.is_finite()) || values.windows(2).all(|pair| pair[0] == pair[1]) {
        return None;
    }
    let mean = Mean::of(values);
    let (low, high) = mean.interval?;
    let whole = judged.unit == "share" && values.iter().all(|value| *value <= 1.0);
    Some((mean.mean, low.max(0.0), if whole { high.min(1.0) } else { high }))
}

fn values(values: &[f64], judged: &Judged) -> String {
    let limits = [&judged.min, &judged.max].into_iter().flatten();
    let each =
        |limit: &ResolvedBound| limit.against.as_ref().map_or(vec![limit.value], |one| one.limits.clone());
    let limits: Vec<f64> = limits.flat_map(each).collect();
    let missing = values.iter().filter(|value| value.is_nan()).count();
    let text = range(values, &|value| human::quantity_beside(value, judged.unit, &limits));
    match missing {
        0 if !values.is_empty() => text,
        n if n == values.len() => "nothing".to_owned(),
        n => format!("{text}, and nothing with {n} of {} seeds", values.len()),
    }
}

/// The name of a verdict in files.
pub(super) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// A list of judged expectations for programs, with the variant and the seed of each run that was finished.
/// Each has every key but a limit's: null where there is nothing.
pub(super) fn json(judged: &[Judged], runs: &[(String, u64)]) -> Value {
    judged.iter().map(|judged| one_json(judged, runs)).collect()
}

fn one_json(judged: &Judged, runs: &[(String, u64)]) -> Value {
    let of = runs.iter().filter(|(variant, _)| *variant == judged.variant);
    let seeds: Vec<u64> = of.map(|(_, seed)| *seed).collect();
    let (mean, ends) = mean(judged).map(|(mean, low, high)| (mean, [low, high])).unzip();
    let place = judged.place.as_ref();
    let held_interval = judged.share.map(|_| proof::bounds(judged.held, judged.values.len()));
    let mut one = json!({
        "name": judged.name, "variant": judged.variant, "claim": judged.claim,
        "verdict": verdict_name(judged.verdict),
        "seeds": seeds, "values": judged.values, "unit": judged.unit,
        "mean": mean, "mean_interval": ends,
        "held": judged.held, "share": judged.share, "held_interval": held_interval,
        "limit": {}, "because": judged.because,
        "control": judged.control, "control_values": judged.control_values,
        "file": place.map(|place| &place.file), "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
    });
    for (key, limit) in [("min", &judged.min), ("max", &judged.max)] {
        if let Some(limit) = limit {
            one["limit"][key] = json!({ "words": limit.words, "value": limit.value });
            if let Some(against) = &limit.against {
                one["limit"][key]["of"] = json!(against.variant);
                one["limit"][key]["of_values"] = json!(against.values);
                one["limit"][key]["values"] = json!(against.limits);
            }
        }
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &[f64], unit: &'static str) -> (String, Value) {
        let judged = Judged { values: values.to_vec(), unit, ..Judged::default() };
        (measured(&judged), one_json(&judged, &[]))
    }

    #[test]
    fn the_interval_of_a_mean_lies_where_the_metric_can() {
        let (text, json) = told(&[0.01, 0.02, 0.87], "share");
        assert_eq!(text, "measured 1.0–87%; mean 30% [0%, 100%]");
        assert_eq!(json["mean_interval"], json!([0.0, 1.0]));
        assert_eq!(told(&[0.0, 0.0, 6.0], "count").0, "measured 0–6; mean 2 [0, 10.6]");
        let (beyond, _) = told(&[0.5, 3.0], "share");
        assert!(
            beyond.starts_with("measured 50–300%; mean 175% [0%, 1") && !beyond.contains("100%"),
            "{beyond}"
        );
    }

    #[test]
    fn the_bound_that_decides_is_told_where_it_is_relative() {
        let against = Against { variant: "pinned".into(), values: vec![0.3361], limits: vec![0.3697] };
        let max =
            ResolvedBound { words: "1.1 × variant.pinned".into(), value: f64::NAN, against: Some(against) };
        let judged = Judged { values: vec![0.37], unit: "share", max: Some(max), ..Judged::default() };
        assert_eq!(measured(&judged), "measured 37.00%; at most 36.97% (pinned: 34%)");
        let max = &one_json(&judged, &[])["limit"]["max"];
        assert_eq!((&max["of"], &max["value"]), (&json!("pinned"), &Value::Null));
        assert_eq!((&max["of_values"], &max["values"]), (&json!([0.3361]), &json!([0.3697])));
    }

    #[test]
    fn seeds_that_are_all_equal_are_no_certainty() {
        let (text, json) = told(&[0.2; 10], "share");
        assert_eq!((text.as_str(), json.get("mean_interval")), ("measured 20%", Some(&Value::Null)));
    }
}
