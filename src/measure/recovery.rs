//! Recovery: does a system serve as before once its trouble is over, or is it metastable?
//!
//! In life a fleet may stay down after a disk is well again: retries, piles of waiting requests and cold
//! containers keep the database as busy as the trouble did. A bin of 10 s is *good* if it answers 99 % of the
//! legitimate requests well (of the share that was usual, where that is less than all), and the p99 of all of
//! them is at most twice the calm one. What was usual and calm is told by the bins before the first event, or
//! before the time from which recovery counts if that is earlier. If no event came before that time, the
//! trouble itself ends those bins, where a minute lies before it. Where no whole bin does, or nothing was
//! answered well in most, there is no baseline, and nothing to tell. A service has recovered from the first
//! good bin from which on, until the end and for a minute at least, 95 % of the bins are good. Left out:
//! whether less was asked than before.

use super::calm::{ANSWERED, Whose, answered, answered_share, calm_us, mid};
use super::spikes::{Episode, SPIKE_FACTOR};
use super::{BIN, Mark, Measured, Recovery, ServiceBin, ServiceMeasured, Stretch, StretchKind, bin_start};
use crate::engine::time::{Span, Time};
use crate::scenario::window::Window;
use std::cmp::Reverse;

/// A good bin's p99 is within this factor of the baseline.
const SLOWER: f64 = 2.0;
/// The share of good bins in a system that is back.
const GOOD: f64 = 0.95;
/// It is back for so long at the least, in bins.
const LEAST: usize = 6;
/// With fewer good bins than this share, a system that is not back is metastable; with more it is unsettled.
const MOSTLY: f64 = 0.5;
/// Trouble makes so many bins bad, or leaves requests unanswered in so many in a row; less is nothing to
/// speak of.
const TROUBLE: (usize, usize) = (6, 3);

/// What is known of how a service came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It was back after this time.
    Back(Span),
    /// Nothing ended before the trouble: there is nothing to compare with.
    NoBaseline,
    /// It was not back by the end.
    NotBack {
        /// So long did the window go on after the last event in it began or ended.
        looked: Span,
        /// After this time it may have been back, and was not seen for a minute.
        perhaps: Option<Span>,
    },
}

impl Outlook {
    /// Whether it certainly took longer than this, though nobody knows how long.
    pub fn is_beyond(self, bound: Span) -> bool {
        match self {
            Outlook::NotBack { looked, perhaps } => {
                looked > bound && perhaps.is_none_or(|perhaps| perhaps > bound)
            }
            _ => false,
        }
    }
}

/// How long it took from the beginning of the window until a service was back, in seconds; NaN if it never
/// was, or if there is nothing to compare with.
pub fn value(measured: &Measured, service: &str, window: &Window) -> f64 {
    match outlook(measured, service, window) {
        Outlook::Back(after) => after.as_secs(),
        _ => f64::NAN,
    }
}

/// How a service came back within a window.
pub fn outlook(measured: &Measured, service: &str, window: &Window) -> Outlook {
    let Some(Bins { good, .. }) = bins(measured, service, window.from) else { return Outlook::NoBaseline };
    if let Some(after) = within(&good, window) {
        return Outlook::Back(after);
    }
    let marks = measured.marks.iter().map(|mark| mark.at).filter(|at| window.holds(*at));
    let last = marks.max().unwrap_or(window.from);
    let end = (Time::ZERO + measured.duration).min(window.to).max(last);
    let perhaps = back(&inside(&good, window), 1).map(|at| at.since(window.from));
    Outlook::NotBack { looked: end.since(last), perhaps }
}

/// How every service came back after each of these episodes and before the next event, where there is
/// something to compare with.
pub fn recoveries(measured: &Measured, episodes: &[Episode]) -> Vec<Recovery> {
    let services = measured.services.iter().map(|service| &service.service);
    let good: Vec<_> =
        services.filter_map(|name| Some((name, bins(measured, name, Time::NEVER)?.good))).collect();
    let until = |at: Time| next_event(measured, at).map_or(Time::NEVER, |next| next.at);
    let one = |episode: &Episode, service: &str, good: &[bool]| Recovery {
        event: episode.name.clone(),
        service: service.to_owned(),
        after: within(good, &Window { from: episode.to, to: until(episode.to), except: vec![] }),
    };
    let all =
        episodes.iter().flat_map(|episode| good.iter().map(move |(name, good)| one(episode, name, good)));
    all.collect()
}

/// How long it took from the beginning of a window to the first good bin after which so many are good.
fn within(good: &[bool], window: &Window) -> Option<Span> {
    Some(back(&inside(good, window), LEAST)?.since(window.from))
}

/// The bins of a window: when each begins, and whether it is good.
fn inside(good: &[bool], window: &Window) -> Vec<(Time, bool)> {
    let all = good.iter().enumerate().map(|(place, good)| (bin_start(place), *good));
    all.filter(|(at, _)| window.holds_bin(*at)).collect()
}

/// The beginning of the first good bin after which so many are good, of at least so many.
fn back(bins: &[(Time, bool)], least: usize) -> Option<Time> {
    let mut good = 0;
    let mut first = None;
    for (after, (at, is_good)) in bins.iter().rev().enumerate() {
        let length = after + 1;
        good += usize::from(*is_good);
        if *is_good && length >= least && good as f64 >= GOOD * length as f64 {
            first = Some(*at);
        }
    }
    first
}

/// The bins of a service, held against its baseline.
struct Bins {
    /// Whether it answered about as many as was usual.
    answered: Vec<bool>,
    /// Whether it did so about as quickly, too.
    good: Vec<bool>,
}

/// The bins of a service, where recovery counts from a time on; `None` if there is no baseline.
fn bins(measured: &Measured, service: &str, after: Time) -> Option<Bins> {
    let service = measured.services.iter().find(|other| other.service == service)?;
    let before = undisturbed(measured, service, after);
    let calm = calm_us(measured, service, Whose::Users, before);
    let shares: Vec<f64> =
        (0..service.bins.len()).map(|place| answered_share(measured, &service.service, place)).collect();
    let usual = mid(shares[..before.min(shares.len())].to_vec());
    if calm.is_nan() || usual == 0.0 {
        return None;
    }
    let answered: Vec<bool> = shares.iter().map(|share| *share >= ANSWERED * usual).collect();
    let quick = |bin: &ServiceBin| bin.users_p99_us.is_none_or(|p99| p99 as f64 <= SLOWER * calm);
    let good = service.bins.iter().zip(&answered).map(|(bin, answered)| *answered && quick(bin)).collect();
    Some(Bins { answered, good })
}

/// How many whole bins a run has before anything went wrong.
fn undisturbed(measured: &Measured, service: &ServiceMeasured, after: Time) -> usize {
    let whole = |at: Time| (at.0 / BIN.0) as usize;
    let before = whole(after);
    match measured.marks.iter().map(|mark| mark.at).min() {
        Some(first) if first <= after || before == 0 => return whole(first),
        _ => {}
    }
    let most = SPIKE_FACTOR * calm_us(measured, service, Whose::Users, usize::MAX);
    let trouble = (service.bins.iter().enumerate().take(before)).position(|(place, bin)| {
        let slow = bin.users_p99_us.is_some_and(|p99| p99 as f64 > most);
        slow || !answered(measured, &service.service, place)
    });
    trouble.filter(|place| *place >= LEAST).unwrap_or(before)
}

/// What became of a service after its last trouble.
#[derive(Clone, Debug, PartialEq)]
pub struct Aftermath {
    /// The service, which suffered, or is not back.
    pub service: String,
    /// What ended.
    pub after: Trouble,
    /// How the service fared since.
    pub fate: Fate,
}

/// What the trouble was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An event that ended.
    Event(String),
    /// A node that took no connections.
    Node(String),
}

/// How a service fared after the trouble.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It was back after this time.
    Back(Span),
    /// It was not back by the end of the run, and most of the time since was bad.
    Metastable(Waiting),
    /// It was not back for good, and yet this share of the time since was good.
    Unsettled(f64),
    /// The run ended within a minute of the trouble, or something else began.
    TooSoon,
}

/// What a service and the nodes that it uses waited for at the end of a run, in the mean of the last bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Waiting {
    /// Requests that waited for a container.
    pub pending: f64,
    /// Requests that waited for a connection.
    pub connections: f64,
    /// Statements that waited for a lock.
    pub locks: f64,
    /// Backends that waited for the disk.
    pub disks: f64,
}

/// What became of every service that has something to tell after its trouble: of the episodes that
/// overlapped, the event that ended last, or the node that was up again last, beside whose end it failed. A
/// cure that is taken back while all is well is no trouble. It is followed until the next thing begins.
/// Trouble that was there before an episode began is not of its making, and what never ended has no end to
/// recover from: of neither is anything told.
pub fn aftermath(measured: &Measured) -> Vec<Aftermath> {
    let chains = chains(measured);
    let one =
        |service: &ServiceMeasured| chains.iter().rev().find_map(|chain| of_chain(measured, service, chain));
    measured.services.iter().filter_map(one).collect()
}

fn of_chain(measured: &Measured, service: &ServiceMeasured, chain: &[Ended]) -> Option<Aftermath> {
    let from = chain.iter().map(|ended| ended.from).min()?;
    let bins = bins(measured, &service.service, from)?;
    if !well_before(&bins.good, from) {
        return None;
    }
    let ended = chain.iter().rfind(|ended| fails_beside(&bins.good, ended.to)).or(chain.last())?;
    let until = next_beginning(measured, chain.last()?.to)?;
    let fate = fate(measured, &service.service, &bins, (from, ended.to, until))?;
    Some(Aftermath { service: service.service.clone(), after: ended.what.clone(), fate })
}

/// Something that went on for a while.
struct Ended {
    from: Time,
    to: Time,
    what: Trouble,
}

/// What ended, in chains of what overlapped, each by the ends.
fn chains(measured: &Measured) -> Vec<Vec<Ended>> {
    let begun = |event: &str, end: Time| {
        let mine = measured.marks.iter().filter(|mark| mark.begins && mark.event == event && mark.at <= end);
        mine.map(|mark| mark.at).max().unwrap_or(end)
    };
    let ends = measured.marks.iter().filter(|mark| !mark.begins);
    let events = ends.map(|end| Ended {
        from: begun(&end.event, end.at),
        to: end.at,
        what: Trouble::Event(end.event.clone()),
    });
    let nodes = downs(measured).filter_map(|down| {
        Some(Ended { from: down.from, to: down.to?, what: Trouble::Node(down.of.clone()) })
    });
    let mut all: Vec<Ended> = events.chain(nodes).collect();
    all.sort_by_key(|ended| ended.from);
    let mut chains: Vec<Vec<Ended>> = Vec::new();
    for ended in all {
        match chains.last_mut() {
            Some(chain) if chain.iter().any(|other| ended.from <= other.to) => chain.push(ended),
            _ => chains.push(vec![ended]),
        }
    }
    // Of what ended together, that which had begun first.
    chains.iter_mut().for_each(|chain| chain.sort_by_key(|ended| (ended.to, Reverse(ended.from))));
    chains
}

/// The next event that begins after an instant.
pub fn next_event(measured: &Measured, at: Time) -> Option<&Mark> {
    measured.marks.iter().filter(|mark| mark.begins && mark.at > at).min_by_key(|mark| mark.at)
}

fn downs(measured: &Measured) -> impl Iterator<Item = &Stretch> {
    measured.stretches.iter().filter(|stretch| stretch.kind == StretchKind::Node)
}

/// When the next event begins after an instant, or a node goes down, or the run ends; nothing while a node
/// is down.
fn next_beginning(measured: &Measured, at: Time) -> Option<Time> {
    if downs(measured).any(|down| down.from <= at && down.to.is_none_or(|to| to > at)) {
        return None;
    }
    let down = downs(measured).map(|down| down.from).filter(|from| *from > at);
    Some(down.chain(next_event(measured, at).map(|next| next.at)).min().unwrap_or(Time::NEVER))
}

/// Whether the greater part of the minute before an instant was good.
fn well_before(good: &[bool], at: Time) -> bool {
    let before = &good[..((at.0 / BIN.0) as usize).min(good.len())];
    let last = &before[before.len().saturating_sub(LEAST)..];
    2 * last.iter().filter(|good| **good).count() > last.len()
}

/// Whether the bin that leads to an instant is bad, or the next.
fn fails_beside(good: &[bool], at: Time) -> bool {
    let last = (at.0.saturating_sub(1) / BIN.0) as usize;
    good.iter().skip(last).take(2).any(|good| !good)
}

/// `None` if the service did not mind the trouble, which went on between the first two of these times; it is
/// followed until the third.
fn fate(
    measured: &Measured,
    service: &str,
    Bins { answered, good }: &Bins,
    (from, at, until): (Time, Time, Time),
) -> Option<Fate> {
    let window = Window { from: at, to: until, except: vec![] };
    let back = within(good, &window);
    let over = at + back.unwrap_or(Span::ZERO);
    let during = |place: &usize| (from..over).contains(&bin_start(*place));
    let places = || (0..good.len()).filter(during);
    let bad = places().filter(|place| !good[*place]).count();
    let in_a_row = places().scan(0, |row, place| {
        *row = if answered[place] { 0 } else { *row + 1 };
        Some(*row)
    });
    let outage = in_a_row.max().unwrap_or(0);
    let minded = bad >= TROUBLE.0 || outage >= TROUBLE.1;
    let left: Vec<&bool> = window.of(good, BIN).collect();
    let share = left.iter().filter(|good| ***good).count() as f64 / left.len() as f64;
    match back {
        Some(back) => minded.then_some(Fate::Back(back)),
        None if left.len() < LEAST => minded.then_some(Fate::TooSoon),
        None if share < MOSTLY => Some(Fate::Metastable(waiting(measured, service))),
        None => minded.then_some(Fate::Unsettled(share)),
    }
}

fn waiting(measured: &Measured, service: &str) -> Waiting {
    let pools = format!("service.{service}.pool.");
    let last = |level: &str, of: &dyn Fn(&str) -> bool| {
        let mine = measured.levels.iter().filter(|series| series.level == level && of(&series.of));
        mine.filter_map(|series| series.bins.last()).map(|bin| bin.mean).sum::<f64>()
    };
    let uses = |of: &str| {
        let node = of.strip_prefix("postgres.").unwrap_or(of);
        measured.levels.iter().any(|series| series.of.strip_prefix(&pools) == Some(node))
    };
    Waiting {
        pending: last("pending", &|of| of == format!("service.{service}")),
        connections: last("waiting", &|of| of.starts_with(&pools)),
        locks: last("lock_waiters", &uses),
        disks: last("disk_waiters", &uses),
    }
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
