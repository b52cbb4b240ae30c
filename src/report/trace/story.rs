//! One request's story in order, and where its time went.

use super::{Segment, segments};
use crate::engine::time::{Span, Time};
use crate::measure::trace::{RequestState, RequestTrace, Trace};
use crate::report::font::printable;
use crate::report::text::{Paint, cells, section, table, trimmed};
use crate::report::{Header, human};

/// Segments that are told one by one, at most.
const TOLD: usize = 60;

/// The story of a traced request. `run` says of which run: `variant jitter · seed 1`.
pub fn text(header: &Header, run: &str, trace: &Trace, request: &RequestTrace, paint: Paint) -> String {
    let series = &trace.places.series[usize::from(request.series)];
    let service = &trace.places.services[usize::from(request.service)];
    let label = series.label.remark();
    let attempt = if request.attempt == 0 { String::new() } else { format!(", retry {}", request.attempt) };
    let mut text = format!("{}\n{run}\n\n", paint.head(&printable(&header.title)));
    text += &format!(
        "{}{label} number {}{attempt}, arrived at {} ({} s)\n",
        paint.head(&printable(&series.class)),
        request.number,
        human::instant(header, request.arrived.as_secs()),
        request.arrived.as_secs()
    );
    text += &format!("{}\n", ending(request));
    if let Some((at, number)) = request.container {
        let waited = at.since(request.arrived);
        let wait = human::latency(waited.as_millis() * 1e3);
        let after = if waited == Span::ZERO { String::new() } else { format!(", after a wait of {wait}") };
        text += &format!("in container {number} of {}{after}\n", printable(service));
    }
    let segments = segments(trace, request);
    text += &section("STORY", lines(trace, request, &segments), paint);
    text + &section("WHERE THE TIME WENT", shares(&segments), paint)
}

fn ending(request: &RequestTrace) -> String {
    let after = |at: Time| human::latency(at.since(request.arrived).as_millis() * 1e3);
    match (request.answered, request.left) {
        (Some((at, outcome)), Some(left)) if left > at => {
            let (at, left) = (after(at), after(left));
            format!("{} after {at}; its service worked on it until {left}", outcome.name())
        }
        (Some((at, outcome)), _) => format!("{} after {}", outcome.name(), after(at)),
        (None, _) => "not answered before the run ended".to_owned(),
    }
}

fn lines(trace: &Trace, request: &RequestTrace, segments: &[Segment]) -> String {
    let mut table = table(&["what", "after ms", "lasting ms"]);
    for segment in segments.iter().take(TOLD) {
        let what = match segment.part_of.as_str() {
            "" => segment.phase.to_owned(),
            part => format!("{}: {}", printable(part), segment.phase),
        };
        let millis = |span: Span| format!("{:.2}", span.as_millis());
        let after = segment.from.since(request.arrived);
        let what = what + &pool(trace, request, segment);
        let row = [what, millis(after), millis(segment.lasting())];
        table.add_row(cells(&row));
    }
    let more = segments.len().saturating_sub(TOLD);
    trimmed(&table) + &if more > 0 { format!("  … and {more} more\n") } else { String::new() }
}

/// How full the pool was, where a request waited for it.
fn pool(trace: &Trace, request: &RequestTrace, segment: &Segment) -> String {
    let state = request.states.iter().find(|(at, _)| *at == segment.from);
    match state {
        Some((_, RequestState::Acquiring { node, open, max })) => {
            let node = printable(&trace.places.nodes[usize::from(*node)]);
            format!(" to {node}, {open} of {max} open")
        }
        _ => String::new(),
    }
}

/// The time by phase, the longest first.
fn shares(segments: &[Segment]) -> String {
    let mut phases: Vec<(&str, u64)> = Vec::new();
    for segment in segments {
        match phases.iter_mut().find(|(phase, _)| *phase == segment.phase) {
            Some((_, sum)) => *sum += segment.lasting().0,
            None => phases.push((segment.phase, segment.lasting().0)),
        }
    }
    let all: u64 = phases.iter().map(|(_, sum)| sum).sum();
    phases.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    let mut table = table(&["", "time", "share"]);
    for (phase, sum) in phases {
        let row = [phase.to_owned(), human::latency(sum as f64 / 1e3), human::share(sum as f64 / all as f64)];
        table.add_row(cells(&row));
    }
    trimmed(&table)
}
