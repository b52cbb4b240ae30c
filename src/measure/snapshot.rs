//! Are these connections bunched? What one look at `pg_stat_activity` tells.
//!
//! A snapshot knows when each of today's connections was born. A pool with a fixed lifetime L replaces each
//! at birth + L, so births on the lifetime clock foretell the next lifetime's connects: a second that holds
//! many births will hold as many again. The herd's measures are those of [`super::phases`]; what is added
//! here is whether chance could have done it. Left out: jitter, of which a snapshot shows nothing (with it a
//! bunch comes back wider than it was), and connections that have gone.
//!
//! The verdict rests on the fullest second. A *storm* second holds at least a tenth of the connections
//! ([`STORM_SHARE`]) and more than chance explains: were births spread evenly, some second would hold k of N
//! with a chance of at most N·P(Bin(N−1, 1s/L) ≥ k−1), since a fullest stretch may begin at a birth; that
//! must be less than one in a thousand. So the same rule holds for any lifetime. R₁ and R₂ are evidence of
//! phase lock and no more: a healthy rollout within a minute has R₁ = 0.99 on a clock of a quarter hour.

use super::Cycle;
use super::SECOND;
use super::lifetime::{self, Lifetime, SHORTEST};
use super::phases::{Phases, Sliding, rayleigh_p, turn};
use super::storms::STORM_SHARE;
use crate::engine::time::{Span, Time};

/// A second this unlikely is not put down to chance.
pub const CHANCE: f64 = 0.001;
/// Of fewer connections nobody can say that they are not bunched.
pub const FEW: usize = 20;
/// Nor if a second with this share of them might be chance.
const BLIND_SHARE: f64 = 0.25;
/// A connection is older than its lifetime only beyond this share of it: pools look now and then.
pub const SLACK: f64 = 0.1;

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// When its backend started, since 1970.
    pub born: Time,
    /// Its application, if it says.
    pub application: Option<String>,
    /// The client's address, if it is known.
    pub client: Option<String>,
}

/// What can be said of bunching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bunching {
    /// At least one second holds a storm.
    Bunched,
    /// No second does, and one would have been seen.
    NotBunched,
    /// There are too few connections.
    CannotTell,
}

/// A stretch of the clock in which every connection belongs to a storm second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    /// Its first birth, moved by whole lifetimes into the last one.
    pub from: Time,
    /// From its first birth to its last.
    pub width: Span,
    /// How many were born in it.
    pub births: usize,
    /// The most of them within a second.
    pub most_in_1s: usize,
}

/// Connections of one application from one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The application; empty if it does not say.
    pub application: String,
    /// The client's address; empty if it is not known.
    pub client: String,
    /// How many.
    pub connections: usize,
    /// The age of the oldest.
    pub oldest: Span,
    /// The most births within a second of the clock.
    pub most_in_1s: usize,
}

/// What a snapshot shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The instant that ages are counted to.
    pub now: Time,
    /// The length of the clock.
    pub lifetime: Lifetime,
    /// Ages, ascending.
    pub ages: Vec<Span>,
    /// How many are older than the lifetime and [`SLACK`].
    pub overdue: usize,
    /// Births moved by whole lifetimes into the last one, ascending.
    pub births: Vec<Time>,
    /// Order parameters and the largest cluster within 1 % of the lifetime.
    pub cycle: Cycle,
    /// Rayleigh p-value of R₂.
    pub rayleigh_p2: f64,
    /// The most births within a second.
    pub most_in_1s: usize,
    /// How likely evenly spread births hold so many in some second, at most.
    pub chance: f64,
    /// The fewest births in a second that chance does not explain.
    pub telling: Option<usize>,
    /// The fewest births in a second that make a storm.
    pub storm_size: usize,
    /// The storms, the largest first.
    pub storms: Vec<Storm>,
    /// The shortest stretch of the clock that holds 90 % of the births.
    pub nine_tenths: Span,
    /// By application and client, the largest first.
    pub groups: Vec<Group>,
    /// What can be said.
    pub verdict: Bunching,
}

impl Snapshot {
    /// Looks at connections as they are at `now`; the lifetime is guessed if it is not given, and never less
    /// than [`SHORTEST`]. A connection that is born later counts as born now.
    pub fn new(connections: &[Connection], now: Time, given: Option<Span>) -> Snapshot {
        let mut ages: Vec<Span> = connections.iter().map(|connection| now.since(connection.born)).collect();
        ages.sort_unstable();
        let given = given.map(|given| Lifetime::Given(given.max(SHORTEST)));
        let lifetime = given.unwrap_or_else(|| lifetime::guess(&ages));
        let length = lifetime.span();
        let births = on_the_clock(&ages, now, length);
        let n = births.len();
        let telling = (1..=n).find(|k| chance(n, *k, length) < CHANCE);
        let storm_size = telling.unwrap_or(n + 1).max((STORM_SHARE * n as f64).ceil() as usize);
        let most_in_1s = most(&births, length).1;
        let cycle = Phases::around(&births, length).measure(births.first().copied().unwrap_or(now));
        let mut storms = storms(&births, length, storm_size);
        storms.sort_by_key(|storm| (std::cmp::Reverse(storm.births), storm.from));
        let blind = chance(n, (BLIND_SHARE * n as f64).ceil() as usize, length) >= CHANCE;
        let verdict = match () {
            () if !storms.is_empty() => Bunching::Bunched,
            () if n < FEW || blind => Bunching::CannotTell,
            () => Bunching::NotBunched,
        };
        Snapshot {
            now,
            lifetime,
            overdue: ages.iter().filter(|age| **age > length.scale(1.0 + SLACK)).count(),
            ages,
            rayleigh_p2: rayleigh_p(n as u64, cycle.phase_lock_r2),
            cycle,
            most_in_1s,
            chance: chance(n, most_in_1s, length),
            telling,
            storm_size,
            storms,
            nine_tenths: shortest(&births, length, (0.9 * n as f64).ceil() as usize),
            groups: groups(connections, now, length),
            births,
            verdict,
        }
    }

    /// A count as a share of the connections; none of none is nothing.
    pub fn share(&self, count: usize) -> f64 {
        count as f64 / self.births.len().max(1) as f64
    }

    /// How many connections a second would start if births were spread evenly.
    pub fn even_rate(&self) -> f64 {
        self.births.len() as f64 / self.lifetime.span().as_secs()
    }

    /// When the births of an instant of the last lifetime come due.
    pub fn due(&self, born: Time) -> Time {
        born + self.lifetime.span()
    }

    /// The first birth of the fullest second, and how many it holds.
    pub fn fullest(&self) -> (Time, usize) {
        most(&self.births, self.lifetime.span())
    }

    /// The least order parameter that chance reaches only once in twenty: −ln 0.05 = N·R².
    pub fn resolved_r(&self) -> f64 {
        (libm::log(20.0) / self.births.len().max(1) as f64).sqrt().min(1.0)
    }

    /// The largest true order parameter that an observed R₁ leaves possible with 95 %: the mean along the
    /// true direction has a variance of at most about 1/2N.
    pub fn possible_r(&self) -> f64 {
        let spread = 1.645 / (2.0 * self.births.len().max(1) as f64).sqrt();
        (self.cycle.phase_lock_r1 + spread).min(1.0)
    }
}

/// The least width of uniform jitter that spreads so many connections to a rate per second: J ≥ N / rate.
pub fn jitter(connections: usize, per_second: f64) -> Span {
    Span::from_secs_f64(connections as f64 / per_second)
}

fn on_the_clock(ages: &[Span], now: Time, lifetime: Span) -> Vec<Time> {
    let mut births: Vec<Time> = ages.iter().map(|age| Time(now.0 - age.0 % lifetime.0)).collect();
    births.sort_unstable();
    births
}

/// The longest stretch that is shorter than a second.
const WITHIN: Span = Span(SECOND.0 - 1);

fn most(births: &[Time], lifetime: Span) -> (Time, usize) {
    let mut second = Sliding::default();
    for at in turn(births, lifetime, WITHIN) {
        second.add(at, WITHIN);
    }
    (second.from(), second.most())
}

/// Births that belong to a second of at least `size`, in stretches without a gap of a second.
fn storms(births: &[Time], lifetime: Span, size: usize) -> Vec<Storm> {
    let n = births.len();
    let mut marked = vec![false; n];
    let mut second = Sliding::default();
    for (place, at) in turn(births, lifetime, WITHIN).enumerate() {
        let count = second.add(at, WITHIN);
        if count >= size {
            (place + 1 - count..=place).for_each(|place| marked[place % n] = true);
        }
    }
    let stormy: Vec<Time> =
        births.iter().zip(&marked).filter(|(_, in_it)| **in_it).map(|(at, _)| *at).collect();
    let mut pieces: Vec<Vec<Time>> = Vec::new();
    for at in &stormy {
        match pieces.last_mut() {
            Some(piece) if piece.last().is_some_and(|last| at.since(*last) <= WITHIN) => piece.push(*at),
            _ => pieces.push(vec![*at]),
        }
    }
    // What ends with the clock may go on at its beginning.
    if pieces.len() > 1
        && let (Some(first), Some(last)) = (stormy.first(), stormy.last())
        && (*first + lifetime).since(*last) <= WITHIN
    {
        let early = pieces.remove(0);
        let end = pieces.len() - 1;
        pieces[end].extend(early.into_iter().map(|at| at + lifetime));
    }
    pieces.iter().map(|piece| storm(piece, lifetime)).collect()
}

fn storm(births: &[Time], lifetime: Span) -> Storm {
    let (from, to) = (births[0], births[births.len() - 1]);
    let most_in_1s = most(births, lifetime).1;
    Storm { from, width: to.since(from), births: births.len(), most_in_1s }
}

/// The shortest stretch of the clock that holds so many births.
fn shortest(births: &[Time], lifetime: Span, count: usize) -> Span {
    let turns: Vec<Time> = turn(births, lifetime, lifetime).collect();
    let stretches = turns.windows(count.max(1)).map(|some| some[some.len() - 1].since(some[0]));
    stretches.min().unwrap_or(Span::ZERO)
}

fn groups(connections: &[Connection], now: Time, lifetime: Span) -> Vec<Group> {
    let mut kinds: Vec<(&str, &str, Vec<Span>)> = Vec::new();
    for connection in connections {
        let application = connection.application.as_deref().unwrap_or_default();
        let client = connection.client.as_deref().unwrap_or_default();
        let age = now.since(connection.born);
        match kinds.iter_mut().find(|kind| (kind.0, kind.1) == (application, client)) {
            Some(kind) => kind.2.push(age),
            None => kinds.push((application, client, vec![age])),
        }
    }
    let group = |(application, client, ages): (&str, &str, Vec<Span>)| Group {
        application: application.to_owned(),
        client: client.to_owned(),
        connections: ages.len(),
        oldest: ages.iter().copied().max().unwrap_or(Span::ZERO),
        most_in_1s: most(&on_the_clock(&ages, now, lifetime), lifetime).1,
    };
    let mut groups: Vec<Group> = kinds.into_iter().map(group).collect();
    groups.sort_by(|a, b| {
        let key = |group: &Group| (std::cmp::Reverse(group.connections), group.application.clone());
        key(a).cmp(&key(b)).then_with(|| a.client.cmp(&b.client))
    });
    groups
}

/// How likely evenly spread births hold `k` of `n` in some second of a lifetime, at most.
fn chance(n: usize, k: usize, lifetime: Span) -> f64 {
    if k <= 1 || n < k {
        return if k <= 1 { 1.0 } else { 0.0 };
    }
    let part = SECOND.as_secs() / lifetime.as_secs();
    (n as f64 * binomial_tail(n - 1, k - 1, part)).min(1.0)
}

/// P(Bin(n, p) ≥ k), for 0 < p < 1.
fn binomial_tail(n: usize, k: usize, p: f64) -> f64 {
    let (n, log_p, log_q) = (n as f64, libm::log(p), libm::log1p(-p));
    let mut sum = 0.0;
    for i in (k..=n as usize).map(|i| i as f64) {
        let ways = libm::lgamma(n + 1.0) - libm::lgamma(i + 1.0) - libm::lgamma(n - i + 1.0);
        let term = libm::exp(ways + i * log_p + (n - i) * log_q);
        sum += term;
        // Beyond the mean the terms only shrink.
        if i > n * p && term < sum * 1e-12 {
            break;
        }
    }
    sum
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
