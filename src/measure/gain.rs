//! The gain of a fleet: does a cluster of backend starts grow from one lifetime to the next?
//!
//! In the real world one stall of a database makes pools dial at once; what was born together expires
//! together a lifetime later, and dials together again. Whether that cluster disperses or takes more and more
//! of the fleet along can be told from one small kick: see [`KickWatch`] for the definition of `herd_gain`.
//! The kick itself, and the fleet that gets it, are `experiment::kick`.

use super::SECOND;
use crate::engine::time::{Span, Time};
use crate::model::build::Places;
use crate::model::fact::{Fact, NodeNumber, Recorder};
use crate::model::poisson::rarely_found;
use crate::scenario::Scenario;
use crate::scenario::grammar::File;
use std::collections::VecDeque;

/// Lifetimes that are watched after the kick.
pub const LIFETIMES: usize = 4;

/// A smaller share of the fleet is no cluster, and a larger one is all of it.
const LEAST: f64 = 0.01;
/// For so much of the fleet the kick's own cluster counts at least, and for so many connections: later ones
/// that are smaller come by chance.
const KICKED_LEAST: (f64, f64) = (0.05, 3.0);
/// For so much of the fleet it counts at most.
const KICKED_MOST: f64 = 0.8;

/// The lifetime of the pool with the most connections to a node, if it has one; the pooler's, where one
/// stands before it.
pub fn lifetime_at(file: &File, node: &str) -> Option<Span> {
    if let Some(pooler) = file.postgres.get(node).and_then(|node| node.pooler.as_ref()) {
        return pooler.pool.max_lifetime.0;
    }
    let pools = file.service.values().filter_map(|service| {
        let pool = service.pool.get(node)?;
        Some((u64::from(service.containers.max) * u64::from(pool.max), pool.max_lifetime.0))
    });
    pools.max_by_key(|(size, _)| *size).and_then(|(_, lifetime)| lifetime)
}

/// Watches the backend starts of one node after a kick, and tells `herd_gain`.
///
/// Let L be the lifetime of the pool with the most connections to the node, and N the most connections open
/// at once. Let cₖ be the most backend starts in any sliding second, whatever their cause, that is nearer to
/// k lifetimes after the kick than to any other number of them (c₀: up to half a lifetime after it), less the
/// most that N independent births in a lifetime would show. Its share of the fleet is sₖ = cₖ / N, from 1 %
/// (or one connection) to 99 %: less is no cluster, more is the whole fleet.
///
/// A cluster cannot outgrow the fleet, so its growth is counted in odds, s / (1 − s), as that of anything
/// that fills a limited space. For small clusters that is the plain ratio of their sizes. Then
///
/// > `herd_gain` = (odds(sₙ) / odds(s₀))^(1/n), n = 4, with s₀ no less than 5 % and no more than 80 %,
///
/// the mean growth in a lifetime: 2 says that the cluster doubles, ½ that it halves. If no cluster is left
/// after an earlier lifetime, and none comes again, n is the first lifetime without one. If there never was
/// one the gain is 0. The 80 % see to it that a cluster which holds the whole fleet, and so cannot grow,
/// never reads below 1 while it holds at least 80 % of it: it is bunched. The 5 % (or three connections)
/// see to it that a few that meet by chance do not read above 1 where the kick left no cluster to speak of.
#[derive(Clone, Debug)]
pub struct KickWatch {
    node: NodeNumber,
    /// Which pools have backends at the node.
    pools: Vec<bool>,
    kick: Time,
    lifetime: Span,
    /// Starts within the last second.
    recent: VecDeque<Time>,
    open: u32,
    most_open: u32,
    /// The most starts in any sliding second around 0, 1, … lifetimes after the kick.
    most_starts: [u32; LIFETIMES + 1],
}

impl KickWatch {
    /// A watch over a node that is kicked at an instant.
    pub fn new(scenario: &Scenario, node: &str, kick: Time, lifetime: Span) -> KickWatch {
        let places = Places::of(scenario);
        let number = crate::model::build::place(&places.nodes, node);
        KickWatch {
            node: number,
            pools: (0..places.pool_count())
                .map(|pool| places.backend_at(pool as u16) == Some(number))
                .collect(),
            kick,
            lifetime,
            recent: VecDeque::new(),
            open: 0,
            most_open: 0,
            most_starts: [0; LIFETIMES + 1],
        }
    }

    /// `herd_gain`; NaN if nothing was ever open.
    pub fn gain(&self) -> f64 {
        if self.most_open == 0 {
            return f64::NAN;
        }
        let open = f64::from(self.most_open);
        let uniform = f64::from(uniform_peak(self.most_open, self.lifetime));
        let least = LEAST.max(1.0 / open);
        let share = |most: u32| ((f64::from(most) - uniform) / open).max(least).min(1.0 - LEAST);
        let shares = self.most_starts.map(share);
        let Some(last) = shares.iter().rposition(|share| *share > least) else { return 0.0 };
        let n = (last + 1).min(LIFETIMES);
        let kicked = shares[0].max(KICKED_LEAST.0).max(KICKED_LEAST.1 / open).min(KICKED_MOST);
        let odds = |share: f64| share / (1.0 - share);
        libm::pow(odds(shares[n]) / odds(kicked), 1.0 / n as f64)
    }

    fn start(&mut self, now: Time) {
        if now < self.kick {
            return;
        }
        while self.recent.front().is_some_and(|at| now.since(*at) >= SECOND) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        let halves = now.since(self.kick).0 / (self.lifetime.0 / 2).max(1);
        if let Some(most) = self.most_starts.get_mut(halves.div_ceil(2) as usize) {
            *most = (*most).max(self.recent.len() as u32);
        }
    }

    fn opened(&mut self) {
        self.open += 1;
        self.most_open = self.most_open.max(self.open);
    }
}

impl Recorder for KickWatch {
    fn record(&mut self, now: Time, fact: Fact) {
        match fact {
            Fact::ConnectionAdopted { pool } if self.pools[usize::from(pool)] => self.opened(),
            Fact::BackendStarted { node, .. } if node == self.node => {
                self.start(now);
                self.opened();
            }
            Fact::BackendExited(node) if node == self.node => self.open -= 1,
            _ => {}
        }
    }
}

/// The most in a second that so many independent births in a lifetime show: the least m that Poisson counts
/// reach less than once in as many seconds.
fn uniform_peak(births: u32, lifetime: Span) -> u32 {
    let seconds = lifetime.as_secs();
    rarely_found(f64::from(births) / seconds, seconds, births)
}

#[cfg(test)]
mod tests {
    use super::*;

    const L: Span = Span::from_secs(900);

    fn watch(most_starts: [u32; LIFETIMES + 1], most_open: u32) -> KickWatch {
        let (node, kick) = (0, Time::ZERO + Span::from_secs(60));
        let (pools, recent) = (vec![true], VecDeque::new());
        KickWatch { node, pools, kick, lifetime: L, recent, open: 0, most_open, most_starts }
    }

    fn gain(most_starts: [u32; LIFETIMES + 1], most_open: u32) -> f64 {
        watch(most_starts, most_open).gain()
    }

    /// The most connections are those of all containers together.
    #[test]
    fn the_lifetime_at_a_node_is_that_of_the_most_connections() {
        let base = include_str!("../../tests/scenario/base.toml");
        let jobs = "[service.jobs]\ncontainers = { min = 1, max = 1 }\n[service.jobs.pool.primary]\n\
                    max = 50\nmax_lifetime = \"5m\"\n";
        let text = format!("{base}{jobs}");
        let (document, _) = crate::scenario::Document::from_text("test.toml", &text)
            .unwrap_or_else(|wrong| panic!("{wrong}"));
        let file = &document.scenario("as-written").unwrap().file;
        assert_eq!(lifetime_at(file, "primary"), Some(L), "ten containers of ten, not one of fifty");
    }

    /// P(X ≥ 3) = 0.0803, P(X ≥ 4) = 0.0190, P(X ≥ 5) = 0.00366 and P(X ≥ 6) = 0.00059 for a Poisson variable
    /// of mean 1 (any table).
    #[test]
    fn independent_births_show_the_poisson_quantile_of_so_many_seconds() {
        assert_eq!(uniform_peak(900, L), 6);
        assert_eq!(uniform_peak(20, Span::from_secs(20)), 4);
        assert_eq!(uniform_peak(1, L), 1, "no more than there are");
        assert_eq!(uniform_peak(0, L), 0);
    }

    #[test]
    fn a_small_cluster_grows_by_the_plain_ratio() {
        let uniform = uniform_peak(100_000, L);
        let tenth_more = [5000, 5500, 6050, 6655, 7320].map(|n| n + uniform);
        assert!((gain(tenth_more, 100_000) - 1.1).abs() < 0.01, "{}", gain(tenth_more, 100_000));
        let halving = [16_000, 8000, 4000, 2000, 1010].map(|n| n + uniform);
        assert!((gain(halving, 100_000) - 0.49).abs() < 0.02, "{}", gain(halving, 100_000));
    }

    #[test]
    fn a_fleet_that_cannot_bunch_any_more_is_bunched() {
        assert!(gain([653, 849, 849, 849, 849], 850) > 2.0);
        assert!(gain([799, 799, 799, 799, 799], 800) > 2.0, "all at once from the kick on");
        assert!(gain([799, 780, 760, 700, 660], 800) > 1.0, "four fifths are bunched");
        assert!(gain([799, 700, 660, 630, 600], 800) < 1.0, "and what shrinks below is not");
    }

    #[test]
    fn a_cluster_that_goes_soon_reads_less_than_one_that_lingers() {
        let (at_once, later) = (gain([680, 11, 8, 6, 1], 800), gain([162, 29, 19, 9, 6], 200));
        assert!(at_once < 0.01 && at_once < later && later < 0.5, "{at_once} {later}");
        let comes_again = gain([680, 11, 8, 400, 700], 800);
        assert!(comes_again > 1.0, "{comes_again}");
    }

    #[test]
    fn where_there_is_no_cluster_nothing_gains() {
        assert_eq!(gain([5, 6, 4, 7, 3], 800), 0.0, "as many as by chance");
        assert_eq!(gain([0; 5], 1), 0.0);
        assert!(gain([0; 5], 0).is_nan());
        assert!(gain([5, 6, 90, 400, 799], 800) > 1.0, "one that needs no kick is one");
        assert!(gain([5, 6, 4, 7, 40], 800) < 1.0, "5 % of the fleet may meet by chance");
        assert!(gain([0, 0, 0, 0, 3], 16) < 1.0, "and three of a small one");
    }

    #[test]
    fn starts_are_counted_in_the_lifetime_that_is_nearest() {
        let mut watch = watch([0; 5], 0);
        let start = Fact::BackendStarted { node: 0, cause: crate::scenario::grammar::Cause::Growth };
        // Before the kick, at it, and around the ends of the first halves.
        for (at, n) in [(59.0, 9), (60.0, 3), (509.0, 4), (510.5, 5), (960.0, 6), (1409.0, 1), (3661.0, 8)] {
            for place in 0..n {
                watch.record(Time::ZERO + Span::from_secs_f64(at + f64::from(place) * 0.01), start);
            }
        }
        watch.record(Time::ZERO + Span::from_secs(9999), start);
        watch.record(Time::ZERO + Span::from_secs(9999), Fact::BackendExited(0));
        watch.record(Time::ZERO + Span::from_secs(9999), Fact::BackendExited(1));
        assert_eq!(watch.most_starts, [4, 6, 0, 0, 8]);
        assert_eq!((watch.open, watch.most_open), (36, 37));
    }
}
