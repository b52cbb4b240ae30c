//! The files of `explain`: tidy tables, one object, pictures.

use super::Story;
use crate::experiment::explain::{Finding, KnockOutEffect, ServicePeriods, SpikeFigures, Trial};
use crate::experiment::statistics::Mean;
use crate::measure::periodogram::Line;
use crate::report::SCHEMA_VERSION;
use crate::report::csv::{self, float};
use crate::report::plot;
use serde_json::{Value, json};

/// Every file by its path within the run directory.
pub fn all(story: &Story, plots: bool) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("explain.csv".to_owned(), explain_csv(story).into_bytes()),
        ("explain.json".to_owned(), format!("{:#}\n", explain_json(story)).into_bytes()),
        ("periods.csv".to_owned(), periods_csv(story).into_bytes()),
        ("spectrum.csv".to_owned(), spectrum_csv(story).into_bytes()),
    ];
    let charts = if plots { plot::explain::all(story) } else { vec![] };
    for chart in charts {
        files.push((format!("plots/{}.svg", chart.name), chart.drawing.svg().into_bytes()));
        files.push((format!("plots/{}.png", chart.name), chart.drawing.png()));
    }
    files
}

/// A table with the key columns `scenario,variant` and these.
fn table(story: &Story, columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let keys = [story.header.scenario.as_str(), story.variant].map(str::to_owned);
    let rows = rows.map(|row| keys.iter().cloned().chain(row));
    csv::table(["scenario", "variant"].iter().chain(columns), rows)
}

/// Every knock-out by its suspect's name and `nothing`, `from-start` or `from-time`.
fn knock_outs<'a>(story: &'a Story) -> Vec<(&'a str, &'static str, &'a [Option<SpikeFigures>])> {
    let explanation = story.explanation;
    let mut all = vec![("", "nothing", explanation.base.as_slice())];
    for finding in &explanation.findings {
        all.push((&finding.suspect, "from-start", &finding.never.figures));
        all.extend(finding.stopped.iter().map(|it| (finding.suspect.as_str(), "from-time", &it.figures[..])));
    }
    all.extend(explanation.together.iter().map(|trial| ("*", "from-start", &trial.figures[..])));
    all
}

/// One row a seed, knock-out and metric. The suspect of the unchanged run is empty, that of all of them `*`.
fn explain_csv(story: &Story) -> String {
    let focus = &story.explanation.focus;
    let mut rows = Vec::new();
    for (suspect, knocked_out, figures) in knock_outs(story) {
        for (seed, figures) in focus.seeds.iter().zip(figures) {
            let Some(figures) = figures else { continue };
            for (metric, value, unit) in [
                ("spikes", figures.spikes as f64, "count"),
                ("worst_p99", figures.worst_p99_us / 1e3, "ms"),
                ("spikes_whole_run", figures.spikes_whole_run as f64, "count"),
            ] {
                let (of, from) = (format!("service.{}", focus.service), float(focus.from.as_secs()));
                let text = [&seed.to_string(), suspect, knocked_out, &from, metric, &of, &float(value), unit];
                rows.push(text.map(str::to_owned).to_vec());
            }
        }
    }
    let columns = ["seed", "suspect", "knocked_out", "from_s", "metric", "of", "value", "unit"];
    table(story, &columns, rows.into_iter())
}

fn lines<'a>(story: &Story<'a>) -> impl Iterator<Item = (&'a ServicePeriods, &'a Line, &'a [String])> {
    story
        .found
        .iter()
        .flat_map(|found| found.lines.iter().map(move |(line, names)| (found, line, &names[..])))
}

/// One row a service and period.
fn periods_csv(story: &Story) -> String {
    let rows = lines(story).map(|(found, line, names)| {
        let harmonics: Vec<String> = line.harmonics.iter().map(u32::to_string).collect();
        vec![
            found.service.clone(),
            float(line.period_s),
            float(line.power),
            float(line.false_alarm),
            harmonics.join(" "),
            names.join("; "),
        ]
    });
    table(story, &["service", "period_s", "power", "false_alarm", "harmonics", "names"], rows)
}

/// One row a service and period that was looked at.
fn spectrum_csv(story: &Story) -> String {
    let rows = story.found.iter().flat_map(|found| {
        let points = found.spectrum.points();
        points.map(|(period, power)| vec![found.service.clone(), float(period), float(power)])
    });
    table(story, &["service", "period_s", "power"], rows)
}

fn effect(effect: KnockOutEffect) -> &'static str {
    match effect {
        KnockOutEffect::Gone => "gone",
        KnockOutEffect::Less => "less",
        KnockOutEffect::Nothing => "nothing",
        KnockOutEffect::More => "more",
        KnockOutEffect::Unclear => "unclear",
    }
}

fn change(change: &Mean) -> Value {
    json!({
        "mean": change.mean,
        "ci95": change.interval,
        "pairs": change.count,
    })
}

fn values(seeds: &[u64], figures: &[Option<SpikeFigures>]) -> Value {
    let one = |(seed, figures): (&u64, &Option<SpikeFigures>)| {
        figures.map(|figures| {
            json!({
                "seed": seed,
                "spikes": figures.spikes,
                "worst_p99_ms": figures.worst_p99_us / 1e3,
                "spikes_whole_run": figures.spikes_whole_run,
            })
        })
    };
    seeds.iter().zip(figures).filter_map(one).collect()
}

fn trial(story: &Story, trial: &Trial) -> Value {
    json!({
        "effect": effect(trial.effect),
        "spikes_change": change(&trial.spikes),
        "worst_p99_log_change": change(&trial.worst_p99),
        "runs": values(&story.explanation.focus.seeds, &trial.figures),
    })
}

fn explain_json(story: &Story) -> Value {
    let explanation = story.explanation;
    let focus = &explanation.focus;
    let suspect = |finding: &Finding| {
        json!({
            "suspect": finding.suspect,
            "verdict": finding.word.name(),
            "because": finding.because,
            "left_out": finding.how,
            "from_start": trial(story, &finding.never),
            "from_time": finding.stopped.as_ref().map(|stopped| trial(story, stopped)),
        })
    };
    let period = |(found, line, names): (&ServicePeriods, &Line, &[String])| {
        json!({
            "service": found.service,
            "period_s": line.period_s,
            "power": line.power,
            "false_alarm": line.false_alarm,
            "harmonics": line.harmonics,
            "names": names,
        })
    };
    json!({
        "schema_version": SCHEMA_VERSION,
        "scenario": story.header.scenario,
        "title": story.header.title,
        "variant": story.variant,
        "seeds": focus.seeds,
        "evidence": if focus.seeds.len() > 1 { "intervals" } else { "one seed: an anecdote" },
        "judged": { "service": focus.service, "from_s": focus.from.as_secs(), "until_s": story.duration_s },
        "unchanged": values(&focus.seeds, &explanation.base),
        "suspects": explanation.findings.iter().map(suspect).collect::<Vec<_>>(),
        "all_left_out": explanation.together.as_ref().map(|together| trial(story, together)),
        "periods": lines(story).map(period).collect::<Vec<_>>(),
    })
}
