//! Pictures of an explanation: spikes with each suspect left out, and the spectrum of each service.

use super::axis::{Frame, Scale};
use super::page::{self, BELOW, FAINT, INK, LegendKey, PANEL, RIGHT, SMALL};
use super::{Chart, PALETTE, WIDTH};
use crate::experiment::explain::{Finding, ServicePeriods, SpikeFigures};
use crate::report::canvas::{Anchor, Drawing, Rgb, Stroke, Type};
use crate::report::explain::Story;
use crate::report::font::{self, Weight};
use crate::report::human;

/// Room for the name of a suspect.
const NAMES: f64 = 230.0;
/// Room for a verdict.
const WORDS: f64 = 110.0;
/// Height of the row of a suspect.
const ROW: f64 = 44.0;
const TOP: f64 = 110.0;
const NEVER: Rgb = PALETTE[1];
const STOPPED: Rgb = PALETTE[4];
const GRID: Rgb = Rgb(0xE6, 0xE6, 0xE6);
const LEVEL: Stroke = Stroke { colour: PALETTE[0], width: 1.4, dash: &[6.0, 4.0] };
const CURVE: Stroke = Stroke { colour: PALETTE[1], width: 1.4, dash: &[] };

/// Every picture of a story.
pub fn all(story: &Story) -> Vec<Chart> {
    let mut charts = vec![Chart { name: "explain.suspects".to_owned(), drawing: suspects(story) }];
    for found in story.found {
        let name = format!("explain.periods.{}", found.service);
        charts.push(Chart { name, drawing: periods(story, found) });
    }
    super::tell_apart(charts.iter_mut().map(|chart| &mut chart.name));
    charts
}

/// A bar for each knock-out, as long as the mean over the seeds, with a mark for each seed.
fn suspects(story: &Story) -> Drawing {
    let explanation = story.explanation;
    let count = explanation.findings.len();
    let height = ROW * count.max(1) as f64;
    let frame = Frame { left: NAMES, top: TOP, width: WIDTH - NAMES - WORDS - RIGHT, height };
    let title = "Spikes that are left when a suspect is left out";
    let subtitle = format!("{} · {}", story.header.title, story.subtitle());
    let mut drawing = page::begin(frame.bottom() + BELOW, title, &subtitle);
    let trials = explanation.findings.iter().flat_map(|one| [Some(&one.never), one.stopped.as_ref()]);
    let figures = trials.flatten().flat_map(|trial| &trial.figures).chain(&explanation.base).flatten();
    let most = figures.map(|figures| figures.spikes as f64).fold(1.0, f64::max);
    let scale = Scale::linear(most);
    let x = |value: f64| frame.left + frame.width * scale.part(value);
    for tick in scale.ticks(10).into_iter().filter(|tick| tick.fract() == 0.0) {
        drawing.rect((x(tick).round(), frame.top), (1.0, frame.height), GRID, 1.0);
        drawing.text((x(tick), frame.bottom() + 19.0), Anchor::Middle, SMALL, &human::number(tick));
    }
    for (n, finding) in explanation.findings.iter().enumerate() {
        row(&mut drawing, &frame, frame.top + ROW * n as f64, finding, &x);
    }
    if count == 0 {
        page::nothing(&mut drawing, &frame, "there is no suspect");
    }
    let unchanged = x(mean(&explanation.base));
    drawing.line(vec![(unchanged, frame.top - 4.0), (unchanged, frame.bottom())], LEVEL);
    page::bottom_line(&mut drawing, &frame);
    let from = human::offset(explanation.focus.from.as_secs());
    let entries = [
        ("left out from the start".to_owned(), LegendKey::Square(NEVER)),
        (format!("stopped at {from}"), LegendKey::Square(STOPPED)),
        ("nothing left out".to_owned(), LegendKey::Line(LEVEL, None)),
    ];
    page::legend(&mut drawing, (frame.right(), TOP - 16.0), frame.width, &entries);
    let what = format!("spikes of {}; ticks are seeds", explanation.focus.service);
    drawing.text((frame.right(), frame.bottom() + 44.0), Anchor::Right, FAINT, &what);
    drawing
}

fn row(drawing: &mut Drawing, frame: &Frame, top: f64, finding: &Finding, x: &dyn Fn(f64) -> f64) {
    let face = Type { weight: Weight::Bold, ..SMALL };
    let name = font::fit(&finding.suspect, face.em, face.weight, NAMES - 36.0);
    drawing.text((frame.left - 12.0, top + ROW / 2.0 + 4.0), Anchor::Right, face, &name);
    let word = (frame.right() + 12.0, top + ROW / 2.0 + 4.0);
    drawing.text(word, Anchor::Left, SMALL, finding.word.name());
    let trials = [(Some(&finding.never), NEVER, 6.0), (finding.stopped.as_ref(), STOPPED, 23.0)];
    for (trial, colour, below) in trials {
        let Some(trial) = trial else { continue };
        let (y, right) = (top + below, x(mean(&trial.figures)));
        drawing.rect((frame.left, y), ((right - frame.left).max(2.0), 15.0), colour, 0.75);
        for figures in trial.figures.iter().flatten() {
            drawing.rect((x(figures.spikes as f64) - 1.0, y), (2.0, 15.0), INK, 1.0);
        }
    }
}

fn mean(figures: &[Option<SpikeFigures>]) -> f64 {
    let spikes: Vec<f64> = figures.iter().flatten().map(|figures| figures.spikes as f64).collect();
    spikes.iter().sum::<f64>() / spikes.len() as f64
}

/// Periods that are marked, in minutes; the ends of the axis where fewer than two of them lie on it.
const PERIODS: [f64; 13] = [1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 240.0, 480.0, 960.0];

/// Power by period, on a logarithmic scale of periods, with the names of what stands out.
fn periods(story: &Story, found: &ServicePeriods) -> Drawing {
    let frame = Frame { left: page::LEFT, top: TOP, width: WIDTH - page::LEFT - RIGHT, height: 320.0 };
    let title = format!("Periods in the latency of {}", found.service);
    let subtitle = format!("{} · {}", story.header.title, story.subtitle());
    let mut drawing = page::begin(frame.bottom() + BELOW, &title, &subtitle);
    let points: Vec<(f64, f64)> = found.spectrum.points().collect();
    let (longest, shortest) = (points[0].0, points[points.len() - 1].0);
    let part = |period: f64| libm::log(period / shortest) / libm::log(longest / shortest);
    let x = |period: f64| frame.left + frame.width * part(period).clamp(0.0, 1.0);
    let level = found.spectrum.level();
    let scale = Scale::linear(points.iter().map(|point| point.1).fold(level, f64::max) * 1.15);
    let within = |seconds: &f64| (shortest * 0.999..=longest * 1.001).contains(seconds);
    let mut ticks: Vec<f64> = PERIODS.map(|minutes| minutes * 60.0).into_iter().filter(within).collect();
    if ticks.len() < 2 {
        ticks = vec![shortest, longest];
    }
    for seconds in ticks {
        drawing.rect((x(seconds).round(), frame.top), (1.0, frame.height), GRID, 1.0);
        let at = (x(seconds), frame.bottom() + 19.0);
        drawing.text(at, Anchor::Middle, SMALL, &human::offset(seconds));
    }
    for tick in scale.ticks(7) {
        let y = scale.y(&frame, tick);
        drawing.rect((frame.left, y.round()), (frame.width, 1.0), GRID, 1.0);
        drawing.text((frame.left - 8.0, y + 4.5), Anchor::Right, SMALL, &human::number(tick));
    }
    let curve = points.iter().map(|(period, power)| (x(*period), scale.y(&frame, *power)));
    drawing.line(curve.collect(), CURVE);
    let y = scale.y(&frame, level);
    drawing.line(vec![(frame.left, y), (frame.right(), y)], LEVEL);
    for (line, names) in &found.lines {
        let first = names.first().map_or_else(String::new, |name| format!(": {name}"));
        let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
        let label = format!("{}{first}{more}", human::offset(line.period_s));
        let label = font::fit(&label, SMALL.em, SMALL.weight, 420.0);
        let half = font::width(&label, SMALL.em, SMALL.weight) / 2.0 + 4.0;
        let at = x(line.period_s).clamp(frame.left + half, frame.right() - half);
        let y = scale.y(&frame, line.power) - 7.0;
        drawing.rect((at - half, y - 12.0), (2.0 * half, 16.0), Rgb(255, 255, 255), 0.85);
        drawing.text((at, y), Anchor::Middle, SMALL, &label);
    }
    page::bottom_line(&mut drawing, &frame);
    let head = "power of log p99 over noise; dashed: one frequency of noise is above it in 1 % of runs; harmonics count too";
    drawing.text((frame.left, frame.top - 14.0), Anchor::Left, PANEL, head);
    drawing.text((frame.right(), frame.bottom() + 44.0), Anchor::Right, FAINT, "period");
    drawing
}
