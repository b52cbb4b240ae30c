//! When bunching sets in: of each variant, the share of its runs that are still calm, over time.
//!
//! Onset is intermittent: it waits for a surge that is large enough, and one seed proves nothing. Every run
//! lasts equally long, so the share is the Kaplan–Meier estimate of survival as it stands.

use super::axis::{Frame, Scale, TimeAxis};
use super::page::{self, LegendKey};
use super::{Header, PALETTE, WIDTH};
use crate::experiment::Run;
use crate::report::canvas::{Drawing, Point, Stroke};
use crate::report::compare;
use crate::report::human;

/// With fewer runs of a variant there is no curve to speak of.
const FEWEST: usize = 3;
const FRAME: Frame = Frame { left: 84.0, top: 116.0, width: WIDTH - 84.0 - 40.0, height: 260.0 };

/// The chart; `None` if no variant has enough runs, or none ever bunches.
pub fn draw(header: &Header, runs: &[Run]) -> Option<Drawing> {
    let mut variants = compare::by_variant(runs);
    variants.retain(|(_, figures)| figures.len() >= FEWEST);
    let onsets = |figures: &[compare::Figures]| -> Vec<f64> {
        let mut onsets: Vec<f64> = figures.iter().filter_map(|one| one.onset_s).collect();
        onsets.sort_by(f64::total_cmp);
        onsets
    };
    if variants.iter().all(|(_, figures)| onsets(figures).is_empty()) {
        return None;
    }
    let seconds = runs.iter().map(|run| run.measured.duration.as_secs()).fold(0.0, f64::max);
    let (axis, scale) = (TimeAxis::new(header, seconds), Scale::linear(1.0));
    let what = "onset: the first second that recycles half of the connections beside a latency spike";
    let subtitle = format!("{} · {what}", header.title);
    let mut drawing = page::begin(FRAME.bottom() + 70.0, "When does bunching set in?", &subtitle);
    page::panel(&mut drawing, &FRAME, &axis, "runs that are still calm", (&scale, human::share));
    let mut entries = Vec::new();
    for (number, (variant, figures)) in variants.iter().enumerate() {
        let stroke = Stroke { colour: PALETTE[number % PALETTE.len()], width: 2.2, dash: &[] };
        let met = onsets(figures);
        let points = survival(&met, figures.len());
        let at = |(seconds, share): &(f64, f64)| (axis.x(&FRAME, *seconds), scale.y(&FRAME, *share));
        let points: Vec<Point> = points.iter().map(at).collect();
        drawing.line(page::steps(&points, FRAME.right()), stroke);
        entries
            .push((format!("{variant} ({} of {})", met.len(), figures.len()), LegendKey::Line(stroke, None)));
    }
    page::times(&mut drawing, &FRAME, &axis);
    page::legend(&mut drawing, (FRAME.right(), FRAME.top - 26.0), FRAME.width, &entries);
    Some(drawing)
}

/// The share that is still calm, from each onset on: (seconds, share), beginning with all at zero.
fn survival(onsets: &[f64], runs: usize) -> Vec<(f64, f64)> {
    let after = |(n, onset): (usize, &f64)| (*onset, 1.0 - (n + 1) as f64 / runs as f64);
    std::iter::once((0.0, 1.0)).chain(onsets.iter().enumerate().map(after)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn each_onset_takes_one_run_off() {
        assert_eq!(survival(&[60.0, 90.0], 4), [(0.0, 1.0), (60.0, 0.75), (90.0, 0.5)]);
        assert_eq!(survival(&[], 3), [(0.0, 1.0)], "no run ever bunches");
    }

    #[test]
    fn a_curve_needs_several_seeds_and_an_onset() {
        let of = |variant, herd, seeds: u64| (1..=seeds).map(move |seed| synthetic::run(variant, seed, herd));
        let few: Vec<Run> = of("as-it-happened", true, 2).collect();
        assert!(draw(&synthetic::header(), &few).is_none());
        let calm: Vec<Run> = of("jitter", false, 3).collect();
        assert!(draw(&synthetic::header(), &calm).is_none());
        let both: Vec<Run> = of("as-it-happened", true, 3).chain(of("jitter", false, 3)).collect();
        let svg = draw(&synthetic::header(), &both).expect("a curve").svg();
        assert!(svg.contains("as-it-happened (3 of 3)") && svg.contains("jitter (0 of 3)"));
    }
}
