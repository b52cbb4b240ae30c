//! Which variant herds: of each, the most connections replaced for their age within one second, as a share
//! of those open, and the recycle spikes that came of them.
//!
//! A bar reaches as far as the worst seed; with several seeds each has its mark on it. The figures stand
//! beside the bar, so that its length is no one's only cue.

use super::page::{self, FAINT, GREY, GRID, SMALL};
use super::{Header, PALETTE, WIDTH};
use crate::experiment::Run;
use crate::measure::recycles::recycle_spikes;
use crate::report::canvas::{Anchor, Drawing, Stroke};
use crate::report::compare;
use crate::report::text::range;
use crate::report::{font, human};

/// The height of a row.
const ROW: f64 = 24.0;
/// Where the first row begins.
const TOP: f64 = 104.0;
/// Where bars begin and how long a whole fleet is.
const BAR: (f64, f64) = (220.0, 560.0);
/// Where the recycle spikes stand.
const SPIKES: f64 = WIDTH - 24.0;

/// The chart; `None` with a single variant, or if no connection was ever replaced for its age.
pub fn draw(header: &Header, runs: &[Run]) -> Option<Drawing> {
    let variants = compare::by_variant(runs);
    if variants.len() < 2 || variants.iter().flat_map(|(_, all)| all).all(|one| one.lifetime_herd.starts == 0)
    {
        return None;
    }
    let title = "Which variant recycles as a herd?";
    let subtitle = format!(
        "{} · the most connections replaced for their age within one second, of those open, at any time of the run",
        header.title
    );
    let bottom = TOP + ROW * variants.len() as f64;
    let mut drawing = page::begin(bottom + 44.0, title, &subtitle);
    drawing.text((SPIKES, TOP - 10.0), Anchor::Right, FAINT, "recycle spikes");
    for quarter in 0..=4 {
        let share = f64::from(quarter) / 4.0;
        let x = BAR.0 + BAR.1 * share;
        drawing.line(vec![(x, TOP), (x, bottom)], Stroke { colour: GRID, width: 1.0, dash: &[] });
        drawing.text((x, bottom + 18.0), Anchor::Middle, FAINT, &human::share(share));
    }
    for (n, (variant, all)) in variants.iter().enumerate() {
        let middle = TOP + ROW * (n as f64 + 0.5);
        let name = font::fit(variant, SMALL.em, SMALL.weight, BAR.0 - 40.0);
        drawing.text((BAR.0 - 12.0, middle + 4.0), Anchor::Right, SMALL, &name);
        row(&mut drawing, middle, all);
        let told = range(&spikes(runs, variant), &human::number);
        drawing.text((SPIKES, middle + 4.0), Anchor::Right, SMALL, &told);
    }
    Some(drawing)
}

/// A bar up to the worst seed, a mark for each, and the figures.
fn row(drawing: &mut Drawing, middle: f64, all: &[compare::Figures]) {
    let length = |share: f64| BAR.1 * share.min(1.0);
    let shares: Vec<f64> = all.iter().map(|one| one.lifetime_herd.share).collect();
    let starts: Vec<f64> = all.iter().map(|one| f64::from(one.lifetime_herd.starts)).collect();
    let worst = shares.iter().copied().fold(0.0, f64::max);
    drawing.rect((BAR.0, middle - 7.0), (length(worst), 14.0), PALETTE[0], 1.0);
    if all.len() > 1 {
        for share in &shares {
            let x = BAR.0 + length(*share);
            let mark = Stroke { colour: GREY, width: 1.5, dash: &[] };
            drawing.line(vec![(x, middle - 9.0), (x, middle + 9.0)], mark);
        }
    }
    let told = format!("{} ({})", range(&starts, &human::number), range(&shares, &human::share));
    drawing.text((BAR.0 + length(worst) + 8.0, middle + 4.0), Anchor::Left, SMALL, &told);
}

/// The recycle spikes of all services in each run of a variant.
fn spikes(runs: &[Run], variant: &str) -> Vec<f64> {
    let of = |run: &Run| {
        let services = run.measured.services.iter();
        services.map(|service| recycle_spikes(&run.measured, &service.service).count()).sum::<usize>() as f64
    };
    runs.iter().filter(|run| run.variant == variant).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn each_variant_has_a_row_with_its_figures() {
        let runs = [synthetic::run("as-it-happened", 1, true), synthetic::run("jitter", 1, false)];
        let svg = draw(&synthetic::header(), &runs).expect("a chart").svg();
        for text in ["as-it-happened", "361 (90%)", "jitter", "1 (0.25%)", "recycle spikes"] {
            assert!(svg.contains(text), "{text}");
        }
        assert_eq!([spikes(&runs, "as-it-happened"), spikes(&runs, "jitter")], [[19.0], [0.0]]);
        assert!(draw(&synthetic::header(), &runs[..1]).is_none(), "nothing to compare");
    }
}
