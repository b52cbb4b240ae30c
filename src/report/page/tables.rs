//! The parts of the page that are there without scripts: verdicts, tables, pictures.

use super::html::{name, strings, table, text, with_notes};
use super::{Content, effects};
use crate::experiment::{self, Judged, Run, Verdict};
use crate::measure::Measured;
use crate::report::{Header, expectations, human, outage, paired, success, terminal};
use serde_json::Value;

/// Spikes of a run that are told one by one.
const SPIKES: usize = 40;

/// What to know first of a page of which runs are missing.
pub fn unfinished(manifest: &Value) -> String {
    match manifest["complete"] == false {
        true => {
            "<p role=\"note\"><strong>Incomplete:</strong> not every run was finished; all of this is of \
                 those that were.</p>\n"
                .to_owned()
        }
        false => String::new(),
    }
}

/// The verdicts, above everything else.
pub fn verdicts(judged: &[Judged]) -> String {
    if judged.is_empty() {
        return "<p class=\"quiet\">This scenario expects nothing of these variants: there is no verdict.</p>\n".into();
    }
    let passed = judged.iter().filter(|judged| judged.verdict == Verdict::Pass).count();
    let one = |judged: &Judged| {
        let word = match judged.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Inconclusive => "inconclusive",
        };
        let because = match judged.because.as_str() {
            "" => String::new(),
            because => format!("<p class=\"because\">{}</p>", text(because)),
        };
        format!(
            "<li class=\"{word}\"><span class=\"sign\" aria-hidden=\"true\">{}</span><div>\
             <p><strong>{}</strong> <span class=\"word\">{word}</span> <span class=\"quiet\">in</span> {}</p>\
             <p><bdi class=\"claim\">{}:</bdi> <bdi class=\"claim\"><b>{}</b></bdi></p>{because}</div></li>\n",
            expectations::sign(judged.verdict),
            name(&judged.name),
            name(&judged.variant),
            text(&judged.claim),
            text(&expectations::measured(judged)),
        )
    };
    let list: String = judged.iter().map(one).collect();
    let all = judged.len();
    let noun = if all == 1 { "expectation" } else { "expectations" };
    format!("<p class=\"tally\">{passed} of {all} {noun} passed</p>\n<ul class=\"verdicts\">\n{list}</ul>\n")
}

/// What the comparison in the terminal shows, and the effects.
pub fn figures(content: &Content) -> String {
    let (head, rows) = terminal::compared(content.runs);
    let caption = format!("Variants: {}", terminal::seeds(content.runs));
    let mut notes = match rows.is_empty() {
        true => Vec::new(),
        false => terminal::notes(content.runs),
    };
    notes.extend(terminal::greater(content.runs));
    let mut html = with_notes(&table(&caption, &head, &rows), &notes);
    html += &effects::table(content.effects);
    html += &differences(content);
    let mut served = success::rows(content.runs);
    if !served.is_empty() {
        let head = served.remove(0);
        html += &table("Users served, by class", &head, &served);
    }
    let fates = outage::verdicts(content.runs);
    if !fates.is_empty() {
        let items: String = fates.iter().map(|line| format!("<li>{}</li>\n", text(line))).collect();
        html += &format!("<div><h3>Recovery</h3>\n<ul class=\"plain\">{items}</ul></div>\n");
    }
    format!("<div class=\"flow\">\n{html}</div>\n")
}

/// The differences, paired by seed, against the baseline of the effects.
fn differences(content: &Content) -> String {
    let Some(baseline) = content.effects[0]["baseline"].as_str() else { return String::new() };
    let all = experiment::paired::paired(content.runs, Some(baseline));
    let (head, rows) = paired::sheet(&all);
    if rows.is_empty() {
        return String::new();
    }
    let notes: String = paired::notes(&all).iter().map(|note| format!("<li>{}</li>\n", text(note))).collect();
    let list = format!("<ul class=\"plain quiet\">{notes}</ul>\n");
    table(&format!("Differences, against {baseline}"), &head, &rows) + &list
}

/// The first run of each variant.
pub fn firsts(runs: &[Run]) -> Vec<&Run> {
    let mut firsts: Vec<&Run> = Vec::new();
    for run in runs {
        if !firsts.iter().any(|other| other.variant == run.variant) {
            firsts.push(run);
        }
    }
    firsts
}

/// What changed when, for each variant; the script shows that of the chosen one.
pub fn timelines(content: &Content) -> String {
    let one = |(n, run): (usize, &Run)| {
        let body = timeline(content.header, &run.measured) + &spikes(content.header, &run.measured);
        let nothing = "<p class=\"quiet\">Nothing was changed, and no latency spike was seen.</p>\n";
        let body = if body.is_empty() { nothing } else { &body };
        let title = format!("{} · seed {}", name(&run.variant), run.seed);
        format!("<section class=\"variant\" data-variant=\"{n}\"><h3>{title}</h3>\n{body}</section>\n")
    };
    firsts(content.runs).into_iter().enumerate().map(one).collect()
}

fn timeline(header: &Header, measured: &Measured) -> String {
    let end = measured.duration.as_secs();
    let row = |line: outage::TimelineRow| {
        let lasting = outage::lasting(&line, end);
        let (what, from, to, times) = line;
        let often = if times > 1 { format!(" ×{times}") } else { String::new() };
        let until = to.map_or_else(|| "–".to_owned(), |to| human::instant(header, to));
        vec![what + &often, human::instant(header, from), until, lasting]
    };
    let rows: Vec<Vec<String>> = outage::lines(measured).into_iter().map(row).collect();
    table(
        "Changes: events, and what was not as usual",
        &strings(&["what", "from", "until", "lasting"]),
        &rows,
    )
}

fn spikes(header: &Header, measured: &Measured) -> String {
    let row = |spike: &crate::measure::Spike| {
        vec![
            human::instant(header, spike.from.as_secs()),
            spike.service.clone(),
            human::offset(spike.to.since(spike.from).as_secs()),
            human::latency(spike.p99_us as f64),
            if spike.beside.is_empty() { "nothing known".to_owned() } else { spike.beside.join(", ") },
        ]
    };
    let rows: Vec<Vec<String>> = measured.spikes.iter().take(SPIKES).map(row).collect();
    let more = match measured.spikes.len() {
        n if n > SPIKES => {
            format!(" (the first {SPIKES} of {}; all are in events.csv)", human::count(n as u64))
        }
        _ => String::new(),
    };
    table(
        &format!("Latency spikes{more}"),
        &strings(&["from", "service", "lasting", "highest p99", "beside"]),
        &rows,
    )
}

/// Requests by class, the first seed of each variant.
pub fn requests(content: &Content) -> String {
    let mut head = strings(&["variant", "seed"]);
    head.extend(strings(&terminal::CLASSES));
    let rows = firsts(content.runs).into_iter().flat_map(|run| {
        let row = move |class| {
            let mut row = vec![run.variant.clone(), run.seed.to_string()];
            row.extend(terminal::class_row(class));
            row
        };
        run.measured.classes.iter().map(row)
    });
    table("Requests: latency of what was answered", &head, &rows.collect::<Vec<_>>())
}

/// Bytes of pictures in a page.
const PICTURES: usize = 300_000;

/// Pictures for those without scripts: the variants, then latency and starts, as far as there is room.
pub fn pictures(pictures: &[(String, Vec<u8>)]) -> String {
    let kinds = ["plots/variants.", "plots/latency.", "plots/starts.", "plots/outcomes."];
    let of =
        |kind: &&str| pictures.iter().find(|(path, _)| path.starts_with(*kind) && path.ends_with(".svg"));
    let mut room = PICTURES;
    let mut html = String::new();
    for (_, bytes) in kinds.iter().filter_map(of) {
        let svg = String::from_utf8_lossy(bytes);
        // Within HTML an SVG needs neither its declaration nor its namespace.
        let Some(from) = svg.find("<svg").filter(|_| svg.len() <= room) else { continue };
        room -= svg.len();
        html += &format!("<figure class=\"picture\" tabindex=\"0\">{}</figure>\n", &svg[from..]);
    }
    html
}

/// Where all this comes from.
pub fn footer(content: &Content) -> String {
    let manifest = content.manifest;
    let of = |key: &str| text(manifest[key].as_str().unwrap_or_default());
    let list = |key: &str| {
        let items = manifest[key].as_array().map_or(&[][..], Vec::as_slice);
        items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
    };
    let hash = manifest["resolved"][0]["sha256"].as_str().unwrap_or_default();
    let incomplete = match manifest["complete"].as_bool() {
        Some(false) => "<p class=\"because\">Interrupted: some runs are missing.</p>\n",
        _ => "",
    };
    format!(
        "{incomplete}<dl><dt>Made by</dt><dd>herdsim {}</dd><dt>Scenario</dt><dd>{}</dd><dt>Seeds</dt><dd>{}</dd>\
         <dt>Command</dt><dd><code>{}</code></dd><dt>SHA-256 of the resolved scenario</dt><dd><code>{}</code></dd></dl>",
        of("tool_version"),
        name(manifest["scenario"].as_str().unwrap_or_default()),
        text(&list("seeds").join(", ")),
        text(&list("argv").join(" ")),
        text(hash),
    )
}
