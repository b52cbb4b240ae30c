//! What `run` and `compare` tell of an outage: the fleet, the database's waits, who served, the timeline, and
//! whether it recovered.
//!
//! Each section is there only where there is something to say.

use super::font::printable;
use super::text::{Paint, cells, range, section, short, table, trimmed};
use super::{Header, human, plot::marks};
use crate::experiment::Run;
use crate::measure::calm::answered;
use crate::measure::recovery::{Aftermath, Fate, Trouble, Waiting, aftermath};
use crate::measure::{ClassMeasured, LevelBin, Measured, StretchKind, outage, summary};
use crate::scenario::grammar::{Metric, Outcome};
use crate::scenario::window::Window;
use std::collections::BTreeMap;

/// Longer names are cut.
const NAME: usize = 28;
/// Longer texts of the timeline are cut.
const WHAT: usize = 48;
/// What turns on again within so many seconds is told in one line.
const AGAIN_S: f64 = 60.0;

/// The sections of one run, without the timeline.
pub fn sections(header: &Header, measured: &Measured, paint: Paint) -> String {
    let mut text = section("CONTAINERS", fleets(header, measured), paint);
    text += &section("DATABASE", waits(measured), paint);
    text += &section("SERVED BY", served(measured), paint);
    text + &section("RECOVERY", aftermath(measured).iter().map(fate).collect(), paint)
}

/// For how long a service failed its users, to stand beside latency that tells nothing of it: what is refused
/// at once is no spike.
pub fn unanswered(measured: &Measured) -> String {
    let failed = |bin: &usize| measured.services.iter().any(|one| !answered(measured, &one.service, *bin));
    let bins = measured.services.iter().map(|service| service.bins.len()).max().unwrap_or(0);
    let seconds: f64 = (0..bins).filter(failed).map(|bin| outage::bin_length(measured, bin)).sum();
    match seconds > 0.0 {
        true => {
            let but = if measured.spikes.is_empty() { "but " } else { "" };
            let lasting = human::offset(seconds);
            format!("; {but}for {lasting} fewer than 99% of requests were answered well")
        }
        false => String::new(),
    }
}

fn most(bins: Option<&[LevelBin]>) -> f64 {
    bins.unwrap_or_default().iter().map(|bin| bin.max).fold(f64::NAN, f64::max)
}

/// One row a scaled service.
fn fleets(header: &Header, measured: &Measured) -> String {
    let mut table = table(&["service", "containers", "cap", "first at cap", "at cap for", "most pending"]);
    for service in &measured.services {
        let of = format!("service.{}", service.service);
        let level = |level: &str| outage::level(measured, level, &of);
        let Some(cap) = level("cap") else { continue };
        let stretches = measured.stretches.iter();
        let mine = stretches.filter(|it| it.kind == StretchKind::Cap && it.of == service.service);
        let first = mine.clone().next().map(|stretch| human::instant(header, stretch.from.as_secs()));
        let end = measured.duration.as_secs();
        let lasting = mine.map(|it| it.to.map_or(end, |to| to.as_secs()) - it.from.as_secs()).sum();
        let containers = level("containers").unwrap_or_default();
        // At the very first instant there is nothing yet.
        let least = |bins: &[LevelBin]| bins.iter().skip(1).map(|bin| bin.min).fold(f64::NAN, f64::min);
        table.add_row(cells(&[
            short(&service.service, NAME),
            range(&[least(containers), most(Some(containers))], &human::number),
            range(&[least(cap), most(Some(cap))], &human::number),
            first.unwrap_or_else(|| "never".to_owned()),
            human::offset(lasting),
            human::number(most(level("pending"))),
        ]));
    }
    if table.row_count() == 0 { String::new() } else { trimmed(&table) }
}

/// One row a node: how busy it was, and what waited.
fn waits(measured: &Measured) -> String {
    let mut table =
        table(&["postgres", "connections", "cores busy", "wait for locks", "for the disk", "replica lag"]);
    let whole = Window::whole();
    for node in &measured.nodes {
        let of = format!("postgres.{}", node.node);
        let level = |level: &str| outage::level(measured, level, &of);
        let [locks, disk, lag] = ["lock_waiters", "disk_waiters", "replica_lag"].map(level);
        let slots = human::count(u64::from(node.slots));
        let connections = level("backends").map_or_else(
            || "–".to_owned(),
            |bins| format!("≤{} of {slots}", human::number(most(Some(bins)))),
        );
        let mean = |metric: Metric| summary::value(metric, measured, &of, None, &whole);
        let waits = |metric: Metric, bins: Option<&[LevelBin]>| {
            bins.map_or_else(
                || "–".to_owned(),
                |bins| format!("{}, ≤{}", human::number(mean(metric)), human::number(most(Some(bins)))),
            )
        };
        table.add_row(cells(&[
            short(&node.node, NAME),
            connections,
            human::share(mean(Metric::CpuBusy)),
            waits(Metric::LockWaiters, locks),
            waits(Metric::DiskWaiters, disk),
            lag.map_or_else(|| "–".to_owned(), |lag| format!("≤{}", human::latency(most(Some(lag)) * 1e6))),
        ]));
    }
    if table.row_count() == 0 {
        String::new()
    } else {
        trimmed(&table) + "   the mean, and the most at once\n"
    }
}

/// One row a class that is served from several places.
fn served(measured: &Measured) -> String {
    let line = |class: &ClassMeasured| {
        let ended: u64 = class.ended.iter().sum();
        let share = |count: u64| human::share(count as f64 / ended as f64);
        let mut parts: Vec<String> = (class.served.iter())
            .map(|served| (&served.by, served.bins.iter().map(|count| u64::from(*count)).sum::<u64>()))
            .map(|(by, count)| format!("{} {}", short(by, NAME), share(count)))
            .collect();
        parts.push(format!("nobody {}", share(ended - class.ended[Outcome::Ok as usize])));
        format!("  {}{}: {}\n", short(&class.class, NAME), class.label.remark(), parts.join(", "))
    };
    measured.classes.iter().filter(|class| !class.served.is_empty()).map(line).collect()
}

/// What was not as usual, in words: `breaker of session-reads at frontend-api open`.
pub fn stretch_words(kind: StretchKind, of: &str) -> String {
    let of = printable(of);
    match kind {
        StretchKind::Breaker => {
            let names = of.strip_prefix("service.").and_then(|rest| rest.split_once(".endpoint."));
            let (service, endpoint) = names.unwrap_or(("", &of));
            format!("breaker of {endpoint} at {service} open")
        }
        StretchKind::OutageMode => "origin outage mode on".to_owned(),
        StretchKind::Node => format!("{of} takes no connections"),
        StretchKind::Unreachable => format!("{of} unreachable"),
        StretchKind::Frozen => format!("{of} frozen"),
        StretchKind::ReadOnly => format!("{of} read-only"),
        StretchKind::Cap => format!("{of} at its cap"),
    }
}

/// A line of the timeline: what, from, to, how often; an event counts zero times.
pub(super) type TimelineRow = (String, f64, Option<f64>, u32);

/// How long a line of the timeline lasted; an event that is not given back does not last, it happens.
pub(super) fn lasting((_, from, to, times): &TimelineRow, end: f64) -> String {
    match to {
        None if *times == 0 => "–".to_owned(),
        _ => human::offset((to.unwrap_or(end) - from).round()),
    }
}

/// Events and stretches as a table in order of time; nothing where there are events only.
pub fn timeline(header: &Header, measured: &Measured) -> String {
    if measured.stretches.is_empty() {
        return String::new();
    }
    let mut table = table(&["what", "from", "until", "lasting"]);
    let end = measured.duration.as_secs();
    for line in lines(measured) {
        let lasting = lasting(&line, end);
        let (what, from, to, times) = line;
        let often = if times > 1 { format!(" ×{times}") } else { String::new() };
        table.add_row(cells(&[
            short(&what, WHAT) + &often,
            human::instant(header, from),
            to.map_or_else(|| "–".to_owned(), |to| human::instant(header, to)),
            lasting,
        ]));
    }
    trimmed(&table)
}

/// Events and stretches in order of time.
pub(super) fn lines(measured: &Measured) -> Vec<TimelineRow> {
    let events = marks::lasting(&measured.marks).into_iter();
    let mut lines: Vec<TimelineRow> = events.map(|(name, from, to)| (name, from, to, 0)).collect();
    let first = lines.len();
    for stretch in &measured.stretches {
        let what = stretch_words(stretch.kind, &stretch.of);
        let (from, to) = (stretch.from.as_secs(), stretch.to.map(|to| to.as_secs()));
        let again = |line: &&mut TimelineRow| line.0 == what && line.2.is_some_and(|to| from - to <= AGAIN_S);
        match lines[first..].iter_mut().rfind(again) {
            Some(line) => (line.2, line.3) = (to, line.3 + 1),
            None => lines.push((what, from, to, 1)),
        }
    }
    lines.sort_by(|a, b| a.1.total_cmp(&b.1));
    lines
}

fn after(told: &Aftermath) -> String {
    match &told.after {
        Trouble::Event(name) => format!("{} ended", short(name, NAME)),
        Trouble::Node(name) => format!("{} was up again", short(name, NAME)),
    }
}

fn fate(told: &Aftermath) -> String {
    let (service, after) = (short(&told.service, NAME), after(told));
    match told.fate {
        Fate::Back(by) => {
            format!("  {service} recovered {} after {after}\n", human::offset(by.as_secs().round()))
        }
        Fate::Metastable(waiting) => format!(
            "  {service} is metastable: did not return to its baseline after {after}\n   {}\n",
            piles(waiting)
        ),
        Fate::Unsettled(good) => format!(
            "  {service} is not steady after {after}: {} of the time since was as before\n",
            human::share(good)
        ),
        Fate::TooSoon => format!(
            "  {service}: too little follows after {after} to tell: the run ends, or something else begins\n"
        ),
    }
}

/// `at the end 812 requests pending, 40 waiting for connections, 300 for locks, 12 for the disk`.
fn piles(waiting: Waiting) -> String {
    let count = |n: f64| human::count(n.round() as u64);
    format!(
        "at the end {} requests pending, {} waiting for connections, {} for locks, {} for the disk",
        count(waiting.pending),
        count(waiting.connections),
        count(waiting.locks),
        count(waiting.disks)
    )
}

/// What became of each variant, a line for each service that minded; nothing where none did.
pub fn verdicts(runs: &[Run]) -> Vec<String> {
    let mut variants: Vec<&str> = Vec::new();
    for run in runs {
        if !variants.contains(&run.variant.as_str()) {
            variants.push(&run.variant);
        }
    }
    let told = |variant: &&str| {
        let mine: Vec<&Run> = runs.iter().filter(|run| run.variant == *variant).collect();
        of_variant(variant, &mine)
    };
    variants.iter().flat_map(told).collect()
}

/// A line for each service and what it recovered from, or did not, which may differ by seed.
fn of_variant(variant: &str, runs: &[&Run]) -> Vec<String> {
    let mut by: BTreeMap<(String, String), Vec<Fate>> = BTreeMap::new();
    for told in runs.iter().flat_map(|run| aftermath(&run.measured)) {
        by.entry((short(&told.service, NAME), after(&told))).or_default().push(told.fate);
    }
    let line = |((service, after), fates): (&(String, String), &Vec<Fate>)| {
        format!("{}: {service} {}", printable(variant), over_seeds(after, fates, runs.len()))
    };
    by.iter().map(line).collect()
}

/// `recovered 40s–1m after slow-disk ended`, `metastable with 2 of 3 seeds after slow-disk ended: …`.
fn over_seeds(after: &str, fates: &[Fate], seeds: usize) -> String {
    let with =
        |these: usize| if these == seeds { String::new() } else { format!(" with {these} of {seeds} seeds") };
    let back = fates.iter().filter_map(|fate| match fate {
        Fate::Back(by) => Some(by.as_secs().round()),
        _ => None,
    });
    let stuck = fates.iter().filter_map(|fate| match fate {
        Fate::Metastable(waiting) => Some(*waiting),
        _ => None,
    });
    let (back, stuck): (Vec<f64>, Vec<Waiting>) = (back.collect(), stuck.collect());
    if let Some(worst) = stuck.iter().copied().max_by(|a, b| pile(a).total_cmp(&pile(b))) {
        return format!(
            "is metastable{}: did not return to its baseline after {after}; {}",
            with(stuck.len()),
            piles(worst)
        );
    }
    let unsettled = fates.iter().filter_map(|fate| match fate {
        Fate::Unsettled(good) => Some(*good),
        _ => None,
    });
    let unsettled: Vec<f64> = unsettled.collect();
    if !unsettled.is_empty() {
        let good = range(&unsettled, &human::share);
        let with = with(unsettled.len());
        return format!("is not steady{with} after {after}: {good} of the time since was as before");
    }
    if back.is_empty() {
        return format!("was not looked at for long enough after {after} to tell");
    }
    format!("recovered {} after {after}{}", range(&back, &human::offset), with(back.len()))
}

fn pile(waiting: &Waiting) -> f64 {
    waiting.pending + waiting.connections + waiting.locks + waiting.disks
}

#[cfg(test)]
#[path = "outage_tests.rs"]
mod tests;
