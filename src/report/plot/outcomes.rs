//! How the requests of a class ended over time: failures above, by outcome; everything below.

use super::WIDTH;
use super::axis::{Frame, Scale, TimeAxis};
use super::marks::{Marks, lasting};
use super::page::{self, BELOW, LEFT, LegendKey, RIGHT, STRIP};
use crate::experiment::Run;
use crate::measure::{BIN, ClassBin, ClassMeasured, OUTCOMES};
use crate::report::canvas::{Drawing, Rgb, Stroke};
use crate::report::rates::evenly;
use crate::report::{Header, human};
use crate::scenario::grammar::Outcome;

/// The most columns of the rates.
const COLUMNS: usize = 360;
/// Width of a column in pixels.
const COLUMN: f64 = 2.0;
const ARRIVED: Stroke = Stroke { colour: super::PALETTE[6], width: 1.6, dash: &[] };
const ANSWERED: Stroke = Stroke { colour: super::PALETTE[1], width: 1.6, dash: &[7.0, 3.0] };
/// Colours of the outcomes, in the order of [`Outcome::ALL`].
const COLOURS: [Rgb; OUTCOMES] = [
    Rgb(0x00, 0x72, 0xB2),
    Rgb(0xE6, 0x9F, 0x00),
    Rgb(0x56, 0xB4, 0xE9),
    Rgb(0x8C, 0x2D, 0x04),
    Rgb(0x00, 0x9E, 0x73),
    Rgb(0x8A, 0x7A, 0x00),
    Rgb(0xD5, 0x5E, 0x00),
    Rgb(0x00, 0x00, 0x00),
    Rgb(0xCC, 0x79, 0xA7),
    Rgb(0x7A, 0x3B, 0x9A),
    Rgb(0x1B, 0x5E, 0x20),
    Rgb(0x88, 0x88, 0x88),
];

/// The chart of one class.
pub fn draw(header: &Header, run: &Run, class: &ClassMeasured) -> Drawing {
    let axis = TimeAxis::new(header, run.measured.duration.as_secs());
    let mut failures = Frame { left: LEFT, top: 0.0, width: WIDTH - LEFT - RIGHT, height: 230.0 };
    let marks = Marks::new(lasting(&run.measured.marks), &axis, &failures);
    let entry = |outcome: &Outcome| {
        let text = format!("{} ({})", outcome.name(), human::count(class.ended[*outcome as usize]));
        (text, LegendKey::Square(COLOURS[*outcome as usize]))
    };
    let failed = |outcome: &&Outcome| **outcome != Outcome::Ok && class.ended[**outcome as usize] > 0;
    let entries: Vec<_> = Outcome::ALL.iter().filter(failed).map(entry).collect();
    let legend = 17.0 * page::legend_rows(failures.width, &entries).len() as f64;
    failures.top = STRIP + marks.above() + 34.0 + legend;
    let rates = Frame { top: failures.bottom() + 46.0, height: 190.0, ..failures };

    let label = class.label.remark();
    let title = format!("{}{label}: how requests ended", class.class);
    let subtitle = super::subtitle(header, run, &[]);
    let mut drawing = page::begin(rates.bottom() + BELOW + marks.below(), &title, &subtitle);
    for frame in [&failures, &rates] {
        marks.bands(&mut drawing, &axis, frame);
    }
    let even = evenly(&run.measured, class);
    draw_failures(&mut drawing, &failures, &axis, &even.bins);
    draw_rates(&mut drawing, &rates, &axis, &even.bins);
    page::times(&mut drawing, &rates, &axis);
    marks.draw(&mut drawing, &axis, &[failures, rates]);
    page::legend(&mut drawing, (failures.right(), failures.top - 30.0), failures.width, &entries);
    drawing
}

fn failures(bin: &ClassBin) -> u32 {
    bin.ended.iter().sum::<u32>() - bin.ended[Outcome::Ok as usize]
}

fn draw_failures(drawing: &mut Drawing, frame: &Frame, axis: &TimeAxis, bins: &[ClassBin]) {
    let columns = (frame.width / COLUMN) as usize;
    let mut worst: Vec<Option<&ClassBin>> = vec![None; columns];
    for (n, bin) in bins.iter().enumerate() {
        let from = n as f64 * BIN.as_secs();
        for place in axis.columns(columns, from, from + BIN.as_secs()) {
            if worst[place].is_none_or(|other| failures(bin) > failures(other)) {
                worst[place] = Some(bin);
            }
        }
    }
    let most = f64::from(bins.iter().map(failures).max().unwrap_or(0)) / BIN.as_secs();
    let scale = Scale::linear(most);
    let title = "failures per second, in the worst 10 s of each column";
    page::panel(drawing, frame, axis, title, (&scale, human::number));
    for (n, bin) in worst.iter().enumerate() {
        let mut below = 0.0;
        for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Ok) {
            let count = bin.map_or(0, |bin| bin.ended[outcome as usize]);
            let above = below + f64::from(count) / BIN.as_secs();
            let (top, bottom) = (scale.y(frame, above), scale.y(frame, below));
            let at = (frame.left + COLUMN * n as f64, top);
            drawing.rect(at, (COLUMN, bottom - top), COLOURS[outcome as usize], 1.0);
            below = above;
        }
    }
    page::bottom_line(drawing, frame);
    if most == 0.0 {
        page::nothing(drawing, frame, "no request failed");
    }
}

fn draw_rates(drawing: &mut Drawing, frame: &Frame, axis: &TimeAxis, bins: &[ClassBin]) {
    // Rates of whole columns: exact sums over the bins of each.
    let per_column = bins.len().div_ceil(COLUMNS).max(1);
    let columns: Vec<&[ClassBin]> = bins.chunks(per_column).collect();
    let rate = |bins: &[ClassBin], count: &dyn Fn(&ClassBin) -> u32| {
        bins.iter().map(|bin| f64::from(count(bin))).sum::<f64>() / (BIN.as_secs() * bins.len() as f64)
    };
    let arrived = |bins: &[ClassBin]| rate(bins, &|bin| bin.arrived);
    let answered = |bins: &[ClassBin]| rate(bins, &|bin| bin.ended[Outcome::Ok as usize]);
    let most = columns.iter().map(|bins| arrived(bins).max(answered(bins))).fold(0.0, f64::max);
    let scale = Scale::linear(most);
    page::panel(
        drawing,
        frame,
        axis,
        "requests per second, in the whole of each column",
        (&scale, human::number),
    );
    let mut curve = |value: &dyn Fn(&[ClassBin]) -> f64, stroke: Stroke| {
        let point = |(n, bins): (usize, &&[ClassBin])| {
            (axis.x(frame, (n * per_column) as f64 * BIN.as_secs()), scale.y(frame, value(bins)))
        };
        let points: Vec<_> = columns.iter().enumerate().map(point).collect();
        drawing.line(page::steps(&points, frame.right()), stroke);
    };
    curve(&arrived, ARRIVED);
    curve(&answered, ANSWERED);
    page::bottom_line(drawing, frame);
    let entries = [
        ("arrived, retries included".to_owned(), LegendKey::Line(ARRIVED, None)),
        ("answered".to_owned(), LegendKey::Line(ANSWERED, None)),
    ];
    page::legend(drawing, (frame.right(), frame.top - 10.0), 560.0, &entries);
}
