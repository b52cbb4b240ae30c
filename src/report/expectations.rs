//! Expectations as people read them: the sign of the verdict, the claim, what was measured, and why.

use super::font::printable;
use super::human;
use super::text::{Paint, folded, range};
use crate::experiment::{Judged, Verdict};

/// Two lines each, a third where the control needs one, and another where there is a reason.
pub(super) fn lines(judged: &[Judged], paint: Paint) -> String {
    let line = |judged: &Judged| {
        let code = match judged.verdict {
            Verdict::Pass => "32",
            Verdict::Fail => "31",
            Verdict::Inconclusive => "33",
        };
        let name = paint.head(&printable(&judged.name));
        let sign = paint.with(code, sign(judged.verdict));
        let mut text = format!("  {sign} {name} ({})\n", printable(&judged.variant));
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
pub(super) fn markdown(judged: &[Judged], escape: &dyn Fn(&str) -> String) -> String {
    let line = |judged: &Judged| {
        let [name, variant, claim, measured, because] =
            [&judged.name, &judged.variant, &judged.claim, &measured(judged), &judged.because]
                .map(|text| escape(text));
        let because = if because.is_empty() { because } else { format!("; {because}") };
        format!("- {} **{name}** ({variant}): {claim} — {measured}{because}\n", sign(judged.verdict))
    };
    let text: String = judged.iter().map(line).collect();
    if text.is_empty() { text } else { text + "\n" }
}

/// The sign of a verdict.
pub(super) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗",
        Verdict::Inconclusive => "?",
    }
}

/// `measured 98%; control pinned: 0.1%`.
pub(super) fn measured(judged: &Judged) -> String {
    let text = format!("measured {}", values(&judged.values, judged.unit));
    match &judged.control {
        None => text,
        Some(control) if judged.control_values.is_empty() => text + &format!("; control {control}: not run"),
        Some(control) => {
            text + &format!("; control {control}: {}", values(&judged.control_values, judged.unit))
        }
    }
}

fn values(values: &[f64], unit: &str) -> String {
    let missing = values.iter().filter(|value| value.is_nan()).count();
    let text = range(values, &|value| human::quantity(value, unit));
    match missing {
        0 if !values.is_empty() => text,
        n if n == values.len() => "nothing".to_owned(),
        n => format!("{text}, and nothing with {n} of {} seeds", values.len()),
    }
}
