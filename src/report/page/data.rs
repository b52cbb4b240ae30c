//! What the page's script draws, as one JSON text that fits into a page.
//!
//! All seeds are in it if there is room, otherwise the first ones; if even one seed has none, columns become
//! wider. Peaks are kept at any width.

use super::downsample::Columns;
use super::panels::{Setting, panels};
use super::{Content, heat, scenario};
use crate::experiment::Run;
use crate::measure::{BIN, Measured, bucket};
use crate::report::outage;
use serde_json::{Value, json};

/// Columns of a chart, at most; fewer where they would not fit.
const COLUMNS: [usize; 5] = [900, 450, 225, 120, 60];
/// Bytes of data in a page.
const ROOM: usize = 950_000;

/// The data as JSON that may stand in a `script` element.
pub fn data(content: &Content) -> String {
    let seeds = seeds(content.runs);
    let mut text = String::new();
    for most in COLUMNS {
        text = json_text(content, &seeds[..seeds.len().min(1)], most);
        if text.len() <= ROOM {
            let fitting = (ROOM / text.len().max(1)).clamp(1, seeds.len().max(1));
            if fitting > 1 && seeds.len() > 1 {
                let more = json_text(content, &seeds[..fitting], most);
                text = if more.len() <= ROOM { more } else { text };
            }
            break;
        }
    }
    text
}

/// Each seed once, in the order of the runs.
fn seeds(runs: &[Run]) -> Vec<u64> {
    let mut seeds = Vec::new();
    for run in runs {
        if !seeds.contains(&run.seed) {
            seeds.push(run.seed);
        }
    }
    seeds
}

fn json_text(content: &Content, seeds: &[u64], most: usize) -> String {
    let runs: Vec<&Run> = content.runs.iter().filter(|run| seeds.contains(&run.seed)).collect();
    let bins = runs.iter().map(|run| bins(&run.measured)).max().unwrap_or(0);
    let columns = Columns::new(bins, most);
    let cell = |service: &str| {
        let all = runs.iter().map(|run| bucket::of_service(&run.measured, service));
        all.map(|bins| heat::most(&bins, columns)).max().unwrap_or(0)
    };
    let setting = Setting { columns, most: &cell };
    let one = |run: &&Run| {
        json!({
            "variant": run.variant, "seed": run.seed, "timeline": timeline(&run.measured),
            "panels": panels(run, &setting),
        })
    };
    let duration = runs.iter().map(|run| run.measured.duration.as_secs()).fold(0.0, f64::max);
    let overlays = content.overlays.iter().map(|overlay| overlay.json(columns, duration));
    let overlays: Vec<Value> = overlays.collect();
    let whole = json!({
        "start_ms": content.header.start().map(|start| start.as_millisecond()),
        "duration": duration,
        "column": columns.per as f64 * BIN.as_secs(),
        "columns": columns.count,
        "seeds_left_out": self::seeds(content.runs).len() - seeds.len(),
        "runs": runs.iter().map(one).collect::<Vec<_>>(),
        "resolved": scenario::packed(content.resolved),
        "overlays": overlays,
    });
    // Within a script element only `<` could end or begin anything.
    whole.to_string().replace('<', "\\u003c")
}

/// How many bins a run has: every series has as many.
fn bins(measured: &Measured) -> usize {
    (measured.duration.as_secs() / BIN.as_secs()).ceil() as usize
}

/// Events and stretches: what, from, until, whether it is a stretch.
fn timeline(measured: &Measured) -> Vec<Value> {
    let lines = outage::lines(measured).into_iter();
    lines.map(|(what, from, to, times)| json!([what, from, to, times])).collect()
}
