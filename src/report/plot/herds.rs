//! Which variant herds: of each, the most connections replaced for their age within one second, as a share
//! of those open, and the recycle spikes that came of them.
//!
//! Of a variant counts what came after it could work: from where its effect is counted (one lifetime after
//! its course leaves the baseline's, `experiment::effect`), of the baseline all of the run. A cure that is
//! deployed in the middle of a run is so not charged with the herd that it found. A bar reaches as far as the
//! worst seed; with several seeds each has its mark on it. The figures stand beside the bar, so that its
//! length is no one's only cue.

use super::page::{self, FAINT, GREY, GRID, SMALL};
use super::{Header, PALETTE, WIDTH};
use crate::engine::time::{Span, Time};
use crate::experiment::Run;
use crate::measure::recycles::recycle_spikes;
use crate::report::canvas::{Anchor, Drawing, Stroke};
use crate::report::compare::{self, Herd};
use crate::report::text::range;
use crate::report::{font, human};
use crate::scenario::grammar::Cause;
use crate::scenario::window::Window;
use serde_json::Value;

/// The height of a row.
const ROW: f64 = 24.0;
/// Where the first row begins.
const TOP: f64 = 104.0;
/// Where bars begin and how long a whole fleet is.
const BAR: (f64, f64) = (220.0, 560.0);
/// Where the recycle spikes stand.
const SPIKES: f64 = WIDTH - 24.0;
/// Where the time from which a variant counts stands, if not all count from the start.
const FROM: f64 = SPIKES - 110.0;

/// A variant: from when on it counts, and what each seed then shows.
struct Row<'a> {
    variant: &'a str,
    from: Time,
    seeds: Vec<(Herd, f64)>,
}

/// The chart; `effects` as in `effects.json`. `None` with a single variant, or if no connection was ever
/// replaced for its age.
pub fn draw(header: &Header, runs: &[Run], effects: &Value) -> Option<Drawing> {
    let rows = rows(runs, effects);
    let ever = |run: &Run| run.measured.nodes.iter().any(|node| node.starts[Cause::Lifetime as usize] > 0);
    if rows.len() < 2 || !runs.iter().any(ever) {
        return None;
    }
    let late = rows.iter().any(|row| row.from > Time::ZERO);
    let counted = if late {
        "from one lifetime after a variant parts from the first"
    } else {
        "at any time of the run"
    };
    let replaced = "the most connections replaced for their age within one second";
    let replaced = compare::at_node(runs, replaced, Cause::Lifetime).unwrap_or_else(|| replaced.to_owned());
    let subtitle = format!("{} · {replaced}, of those open, {counted}", header.title);
    let bottom = TOP + ROW * rows.len() as f64;
    let mut drawing = page::begin(bottom + 44.0, "Which variant recycles as a herd?", &subtitle);
    drawing.text((SPIKES, TOP - 10.0), Anchor::Right, FAINT, "recycle spikes");
    if late {
        drawing.text((FROM, TOP - 10.0), Anchor::Right, FAINT, "counted from");
    }
    for quarter in 0..=4 {
        let share = f64::from(quarter) / 4.0;
        let x = BAR.0 + BAR.1 * share;
        drawing.line(vec![(x, TOP), (x, bottom)], Stroke { colour: GRID, width: 1.0, dash: &[] });
        drawing.text((x, bottom + 18.0), Anchor::Middle, FAINT, &human::share(share));
    }
    for (n, row) in rows.iter().enumerate() {
        let middle = TOP + ROW * (n as f64 + 0.5);
        let name = font::fit(row.variant, SMALL.em, SMALL.weight, BAR.0 - 40.0);
        drawing.text((BAR.0 - 12.0, middle + 4.0), Anchor::Right, SMALL, &name);
        bar(&mut drawing, middle, &row.seeds);
        if late {
            drawing.text((FROM, middle + 4.0), Anchor::Right, SMALL, &counted_from(row.from));
        }
        let spikes: Vec<f64> = row.seeds.iter().map(|(_, spikes)| *spikes).collect();
        drawing.text((SPIKES, middle + 4.0), Anchor::Right, SMALL, &range(&spikes, &human::number));
    }
    Some(drawing)
}

/// The variants in the order of their first runs.
fn rows<'a>(runs: &'a [Run], effects: &Value) -> Vec<Row<'a>> {
    let mut rows: Vec<Row> = Vec::new();
    let at = compare::herd_node(runs, Cause::Lifetime);
    for run in runs {
        let place = rows.iter().position(|row| row.variant == run.variant).unwrap_or_else(|| {
            rows.push(Row { variant: &run.variant, from: from(effects, &run.variant), seeds: vec![] });
            rows.len() - 1
        });
        let window = Window { from: rows[place].from, ..Window::whole() };
        let herd = compare::herd(&run.measured, at, Cause::Lifetime, &window);
        rows[place].seeds.push((herd, spikes(run, &window)));
    }
    rows
}

/// From when on a variant counts: from where its effect does, if it has one.
fn from(effects: &Value, variant: &str) -> Time {
    let mut effects = effects.as_array().into_iter().flatten();
    let effect = effects.find(|effect| effect["variant"] == variant);
    let seconds = effect.and_then(|effect| effect["from_s"].as_f64()).unwrap_or_default();
    Time::ZERO + Span::from_secs_f64(seconds)
}

fn counted_from(from: Time) -> String {
    if from == Time::ZERO { "the start".to_owned() } else { human::offset(from.as_secs()) }
}

/// A bar up to the worst seed, a mark for each, and the figures.
fn bar(drawing: &mut Drawing, middle: f64, seeds: &[(Herd, f64)]) {
    let length = |share: f64| BAR.1 * share.min(1.0);
    let shares: Vec<f64> = seeds.iter().map(|(herd, _)| herd.share).collect();
    let starts: Vec<f64> = seeds.iter().map(|(herd, _)| f64::from(herd.starts)).collect();
    let worst = shares.iter().copied().fold(0.0, f64::max);
    drawing.rect((BAR.0, middle - 7.0), (length(worst), 14.0), PALETTE[0], 1.0);
    if shares.len() > 1 {
        for share in &shares {
            let x = BAR.0 + length(*share);
            let mark = Stroke { colour: GREY, width: 1.5, dash: &[] };
            drawing.line(vec![(x, middle - 9.0), (x, middle + 9.0)], mark);
        }
    }
    let told = format!("{} ({})", range(&starts, &human::number), range(&shares, &human::share));
    drawing.text((BAR.0 + length(worst) + 8.0, middle + 4.0), Anchor::Left, SMALL, &told);
}

/// The recycle spikes of all services in a run that begin within a window.
fn spikes(run: &Run, window: &Window) -> f64 {
    let services = run.measured.services.iter();
    let spikes = services.flat_map(|service| recycle_spikes(&run.measured, &service.service));
    spikes.filter(|spike| window.holds_bin(spike.from)).count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;
    use serde_json::json;

    #[test]
    fn each_variant_has_a_row_with_its_figures() {
        let runs = [synthetic::run("as-it-happened", 1, true), synthetic::run("jitter", 1, false)];
        let svg = draw(&synthetic::header(), &runs, &Value::Null).expect("a chart").svg();
        for text in ["as-it-happened", "361 (90%)", "jitter", "1 (0.25%)", "recycle spikes", "any time"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains("counted from"), "all count from the start");
        let spikes: Vec<f64> = rows(&runs, &Value::Null).iter().map(|row| row.seeds[0].1).collect();
        assert_eq!(spikes, [19.0, 0.0]);
        assert!(draw(&synthetic::header(), &runs[..1], &Value::Null).is_none(), "nothing to compare");
    }

    #[test]
    fn a_cure_is_not_charged_with_the_herd_that_it_found() {
        // The same run twice: the herd forms in the second hour; what counts of the second is what is left
        // after its last spike.
        let runs = [synthetic::run("as-it-happened", 1, true), synthetic::run("cure", 1, true)];
        let last = runs[1].measured.spikes.last().expect("spikes").to;
        let effects = json!([{ "variant": "cure", "baseline": "as-it-happened", "from_s": last.as_secs() }]);
        let rows = rows(&runs, &effects);
        assert_eq!((rows[0].seeds[0].1, rows[1].seeds[0].1), (19.0, 0.0));
        let starts = rows.iter().map(|row| row.seeds[0].0.starts).collect::<Vec<_>>();
        assert!(starts[0] == 361 && starts[1] < 361, "{starts:?}");
        let svg = draw(&synthetic::header(), &runs, &effects).expect("a chart").svg();
        assert!(svg.contains("counted from") && svg.contains("the start"));
    }
}
