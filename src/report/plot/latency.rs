//! Latency of a service over time: a heat map of all its requests under their percentiles.
//!
//! Columns hold whole bins. Buckets are merged by adding counts and percentiles are taken from the merged
//! buckets; where a column holds several bins, dots show the highest p99 of any one of them, so that no peak
//! is lost.

use super::axis::{Frame, Scale, TimeAxis};
use super::marks::{Marks, lasting};
use super::page::{self, BELOW, INK, LEFT, LegendKey, SMALL, STRIP};
use super::{PALETTE, VIRIDIS, WIDTH, gradient};
use crate::experiment::Run;
use crate::measure::{BIN, Measured, ServiceBin, ServiceMeasured, bucket};
use crate::report::canvas::{Anchor, Drawing, Point, Rgb, Stroke};
use crate::report::{Header, human};

/// The most columns of a heat map.
const COLUMNS: usize = 360;
/// Steps of the colour scale: few, so that equal neighbours are drawn as one.
const SHADES: f64 = 24.0;
const WHITE: Rgb = Rgb(255, 255, 255);
const P50: Stroke = Stroke { colour: Rgb(0, 0, 0), width: 1.6, dash: &[2.0, 2.5] };
const P95: Stroke = Stroke { colour: Rgb(0xB0, 0x3A, 0x7E), width: 2.0, dash: &[7.0, 3.0] };
const P99: Stroke = Stroke { colour: PALETTE[0], width: 2.0, dash: &[] };

/// Several bins as one.
#[derive(Clone, Debug, Default, PartialEq)]
struct Column {
    /// (bucket, count), ascending.
    buckets: Vec<(u16, u64)>,
    /// p50, p95, p99 in microseconds; none without requests.
    quantiles: Option<[f64; 3]>,
    /// The highest p99 of one bin.
    worst_p99: Option<f64>,
}

impl Column {
    /// The highest p99 of one bin, where it stands clear of the column's.
    fn peak(&self) -> Option<f64> {
        self.worst_p99.filter(|worst| self.quantiles.is_some_and(|[.., p99]| *worst > 1.3 * p99))
    }
}

/// The chart of one service, on scales that hold what it showed in the peers too: equal heights mean equal
/// times.
pub fn draw(header: &Header, run: &Run, service: &ServiceMeasured, peers: &[&Run]) -> Drawing {
    let axis = TimeAxis::new(header, run.measured.duration.as_secs());
    let mut frame = Frame { left: LEFT, top: 0.0, width: WIDTH - LEFT - 118.0, height: 500.0 };
    let marks = Marks::new(lasting(&run.measured.marks), &axis, &frame);
    frame.top = STRIP + marks.above() + 34.0;
    let per_column = service.bins.len().div_ceil(COLUMNS).max(1);
    let columns = columns(&run.measured, service, per_column);
    let same = |peer: &&Run| {
        let other = peer.measured.services.iter().find(|other| other.service == service.service);
        other.map_or(vec![], |other| self::columns(&peer.measured, other, per_column))
    };
    let all: Vec<Column> = peers.iter().flat_map(same).collect();

    let title = format!("{}: latency of every request", service.service);
    let subtitle = super::subtitle(header, run, peers);
    let mut drawing = page::begin(frame.bottom() + BELOW + marks.below(), &title, &subtitle);
    let scale = scale(all.iter().chain(&columns));
    page::panel(&mut drawing, &frame, &axis, "latency, from arrival to end", (&scale, human::tick));
    marks.bands(&mut drawing, &axis, &frame);
    let most = all
        .iter()
        .chain(&columns)
        .flat_map(|column| &column.buckets)
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0);
    let edge = |column: usize| axis.x(&frame, (column * per_column) as f64 * BIN.as_secs()).round();
    cells(&mut drawing, &frame, &scale, &columns, most, &edge);
    lines(&mut drawing, &frame, &scale, &columns, &edge);
    page::bottom_line(&mut drawing, &frame);
    page::times(&mut drawing, &frame, &axis);
    marks.draw(&mut drawing, &axis, &[frame]);

    let mut entries = vec![
        ("p50".to_owned(), LegendKey::Line(P50, Some(WHITE))),
        ("p95".to_owned(), LegendKey::Line(P95, Some(WHITE))),
        ("p99".to_owned(), LegendKey::Line(P99, Some(WHITE))),
    ];
    if columns.iter().any(|column| column.peak().is_some()) {
        entries.push((format!("highest p99 within {} s", BIN.as_secs()), LegendKey::Square(PALETTE[0])));
    }
    page::legend(&mut drawing, (frame.right(), frame.top - 10.0), 700.0, &entries);
    let span = human::offset((BIN * per_column as u64).as_secs());
    colour_bar(&mut drawing, &frame, most, &span);
    if columns.iter().all(|column| column.buckets.is_empty()) {
        page::nothing(&mut drawing, &frame, "no request ended");
    }
    drawing
}

/// What a service showed, so many bins together.
fn columns(measured: &Measured, service: &ServiceMeasured, per_column: usize) -> Vec<Column> {
    let counts = bucket::of_service(measured, &service.service);
    let pairs = service.bins.chunks(per_column).zip(counts.chunks(per_column));
    pairs.map(|(bins, counts)| merge(bins, counts)).collect()
}

/// Adds up the buckets of some bins and takes their percentiles.
fn merge(bins: &[ServiceBin], counts: &[Vec<(u16, u32)>]) -> Column {
    let mut buckets: Vec<(u16, u64)> = Vec::new();
    for (bucket, count) in counts.iter().flatten() {
        match buckets.binary_search_by_key(bucket, |(other, _)| *other) {
            Ok(place) => buckets[place].1 += u64::from(*count),
            Err(place) => buckets.insert(place, (*bucket, u64::from(*count))),
        }
    }
    let quantiles = match bins {
        [one] => one.latency.map(|q| [q.p50_us as f64, q.p95_us as f64, q.p99_us as f64]),
        _ if buckets.is_empty() => None,
        _ => Some([0.50, 0.95, 0.99].map(|share| quantile(&buckets, share))),
    };
    let worst_p99 = bins.iter().filter_map(|bin| bin.latency).map(|q| q.p99_us).max().map(|p99| p99 as f64);
    Column { buckets, quantiles, worst_p99 }
}

/// A percentile from bucket counts, evenly spread within its bucket.
fn quantile(buckets: &[(u16, u64)], share: f64) -> f64 {
    let total: u64 = buckets.iter().map(|(_, count)| count).sum();
    let wanted = total as f64 * share;
    let mut below = 0.0;
    for (bucket, count) in buckets {
        let count = *count as f64;
        if below + count >= wanted {
            let (from, to) = (bucket::floor_us(*bucket), bucket::floor_us(bucket + 1));
            return from + (to - from) * ((wanted - below) / count);
        }
        below += count;
    }
    buckets.last().map_or(0.0, |(bucket, _)| bucket::floor_us(bucket + 1))
}

fn scale<'a>(columns: impl Iterator<Item = &'a Column> + Clone) -> Scale {
    let occupied = columns.flat_map(|column| &column.buckets).map(|(bucket, _)| *bucket);
    match (occupied.clone().min(), occupied.max()) {
        (Some(least), Some(most)) => Scale::log(bucket::floor_us(least), bucket::floor_us(most + 1)),
        _ => Scale::log(1e3, 1e6),
    }
}

/// How dark a count is drawn, in steps, on a logarithmic scale.
fn step(count: u64, most: u64) -> u8 {
    let share = libm::log(count as f64) / libm::log((most as f64).max(2.0));
    (share * (SHADES - 1.0)).round() as u8
}

/// Draws the cells; a run of equal neighbours in a row becomes one rectangle.
fn cells(
    drawing: &mut Drawing,
    frame: &Frame,
    scale: &Scale,
    columns: &[Column],
    most: u64,
    edge: &dyn Fn(usize) -> f64,
) {
    let occupied = columns.iter().flat_map(|column| &column.buckets).map(|(bucket, _)| *bucket);
    let Some(highest) = occupied.max() else { return };
    for bucket in 0..=highest {
        let (top, bottom) = (
            scale.y(frame, bucket::floor_us(bucket + 1)).round(),
            scale.y(frame, bucket::floor_us(bucket)).round(),
        );
        let shade_of = |column: &Column| {
            let place = column.buckets.binary_search_by_key(&bucket, |(other, _)| *other).ok()?;
            Some(step(column.buckets[place].1, most))
        };
        let row: Vec<Option<u8>> = columns.iter().map(shade_of).collect();
        let mut from = 0;
        for equal in row.chunk_by(|a, b| a == b) {
            let to = from + equal.len();
            if let Some(step) = equal[0] {
                let (left, right) = (edge(from), edge(to));
                let fill = gradient(&VIRIDIS, f64::from(step) / (SHADES - 1.0));
                drawing.rect((left, top), ((right - left).max(1.0), (bottom - top).max(1.0)), fill, 1.0);
            }
            from = to;
        }
    }
}

/// Percentile lines, cased in white so that they show on every shade, and dots for the worst bins.
fn lines(
    drawing: &mut Drawing,
    frame: &Frame,
    scale: &Scale,
    columns: &[Column],
    edge: &dyn Fn(usize) -> f64,
) {
    let centre = |column: usize| (edge(column) + edge(column + 1)) / 2.0;
    for (which, stroke) in [P50, P95, P99].into_iter().enumerate() {
        // A column without requests breaks the line.
        let mut pieces: Vec<Vec<Point>> = vec![Vec::new()];
        for (n, column) in columns.iter().enumerate() {
            match (column.quantiles, pieces.last_mut()) {
                (Some(quantiles), Some(piece)) => piece.push((centre(n), scale.y(frame, quantiles[which]))),
                _ => pieces.push(Vec::new()),
            }
        }
        for piece in pieces {
            if let [(x, y)] = piece[..] {
                // Alone it makes no line.
                drawing.rect((x - 3.0, y - 3.0), (6.0, 6.0), WHITE, 1.0);
                drawing.rect((x - 2.0, y - 2.0), (4.0, 4.0), stroke.colour, 1.0);
            }
            drawing.line(piece.clone(), Stroke { colour: WHITE, width: stroke.width + 2.0, dash: &[] });
            drawing.line(piece, stroke);
        }
    }
    for (n, column) in columns.iter().enumerate() {
        if let Some(worst) = column.peak() {
            let (x, y) = (centre(n), scale.y(frame, worst));
            drawing.rect((x - 3.5, y - 3.5), (7.0, 7.0), WHITE, 1.0);
            drawing.rect((x - 2.5, y - 2.5), (5.0, 5.0), PALETTE[0], 1.0);
        }
    }
}

/// The colour scale, right of the frame.
fn colour_bar(drawing: &mut Drawing, frame: &Frame, most: u64, span: &str) {
    if most == 0 {
        return;
    }
    let (left, width) = (frame.right() + 22.0, 14.0);
    let height = 260.0;
    let bottom = frame.top + 54.0 + height;
    for n in 0..SHADES as usize {
        let part = |n: usize| (bottom - height * n as f64 / SHADES).round();
        let fill = gradient(&VIRIDIS, n as f64 / (SHADES - 1.0));
        drawing.rect((left, part(n + 1)), (width, part(n) - part(n + 1)), fill, 1.0);
    }
    for (n, text) in ["requests", "in a cell", &format!("of {span}")].into_iter().enumerate() {
        drawing.text((left, frame.top + 8.0 + 15.0 * n as f64), Anchor::Left, SMALL, text);
    }
    let mut counts: Vec<u64> =
        (0..20).map(|power| 10u64.pow(power)).take_while(|count| *count < most).collect();
    // The greatest count is named too, unless it stands close to a power of ten.
    counts.retain(|count| step(*count, most) + 2 < SHADES as u8);
    counts.push(most);
    for count in counts {
        let share = f64::from(step(count, most)) / (SHADES - 1.0);
        let y = bottom - (height - height / SHADES) * share - height / SHADES / 2.0;
        drawing.rect((left + width, y.round()), (4.0, 1.0), INK, 1.0);
        drawing.text((left + width + 8.0, y + 4.0), Anchor::Left, SMALL, &human::count(count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Quantiles;

    #[test]
    fn merging_adds_counts_and_keeps_the_peak() {
        let calm = ServiceBin {
            latency: Some(Quantiles { p50_us: 1000, p95_us: 1000, p99_us: 1000, max_us: 1000 }),
            ..ServiceBin::default()
        };
        let storm = ServiceBin {
            latency: Some(Quantiles { p50_us: 1000, p95_us: 1000, p99_us: 900_000, max_us: 900_000 }),
            ..ServiceBin::default()
        };
        let counts = [vec![(80, 100)], vec![(158, 5), (80, 95)], vec![(80, 100)]];
        let column = merge(&[calm.clone(), storm, calm], &counts);
        assert_eq!(column.buckets, [(80, 295), (158, 5)]);
        assert_eq!(column.worst_p99, Some(900_000.0));
        let [p50, _, p99] = column.quantiles.unwrap();
        assert!(p50 < 2000.0 && p99 > 500_000.0, "{p50} {p99}");
    }
}
