//! The kick test: half a second of stall, and four lifetimes to see what becomes of it.
//!
//! A test of a fleet that is cheap enough for CI: the incident that it may suffer one day need not be known.
//! The fleet is that of a variant as it stands at the end of its run, so that a cure which an event deploys
//! has been deployed; it has served in the steady state for longer than a lifetime. Of its traffic only the
//! steady part comes, and what it enqueues: no attacks, bursts, jobs or events; a rate by time comes at its
//! mean.
//! After a minute one node's CPU all but stops for half a second, as on a noisy neighbour or a checkpoint.
//! What is measured is [`KickWatch`]'s `herd_gain`. Left out: whether a bigger or longer kick would do what
//! this one does not.

use super::run::drive;
use crate::engine::time::{Span, Time};
use crate::measure::gain::{KickWatch, LIFETIMES, lifetime_at};
use crate::model::build;
use crate::model::world::World;
use crate::scenario::grammar::{Arrivals, File, Initial, Label, Metric};
use crate::scenario::units::Rate;
use crate::scenario::{Moment, Scenario};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// When the kick comes.
const KICK: Time = Time(60_000_000_000);
/// How long it lasts.
const STALL: Span = Span::from_millis(500);
/// What is left of the node's CPU meanwhile, in cores: the least that a scenario may give it.
const STALLED_CORES: f64 = 0.01;
/// Stands in for the lifetime of connections that are kept for ever.
const NO_LIFETIME: Span = Span::from_secs(15 * 60);

/// A kick test that is to be done.
#[derive(Clone, Debug)]
pub struct Kick {
    /// The Postgres node that is kicked.
    pub node: String,
    /// The fleet that gets the kick.
    pub scenario: Scenario,
    lifetime: Span,
}

impl Kick {
    /// The kick test of a node with the fleet of a scenario.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn of(scenario: &Scenario, node: &str) -> Kick {
        let (file, lifetime) = kicked_fleet(scenario, node);
        let mut stalled = file.clone();
        stalled.postgres[node].cores = STALLED_CORES;
        let file = Arc::new(file);
        let moment = |at, begins, stands| Moment {
            at,
            event: "kick".to_owned(),
            begins,
            stands: Some(stands),
            deed: None,
            instant: false,
        };
        let mut scenario = scenario.clone();
        scenario.timeline =
            vec![moment(KICK, true, Arc::new(stalled)), moment(KICK + STALL, false, file.clone())];
        scenario.file = file;
        Kick { node: node.to_owned(), scenario, lifetime }
    }

    /// Does it with a seed and tells what [`KickWatch`] saw. `clock` shows the simulated nanoseconds so far;
    /// when `stop` is set, the test is given up and there is no result.
    pub fn watch(&self, seed: u64, clock: &AtomicU64, stop: &AtomicBool) -> Option<KickWatch> {
        let watch = KickWatch::new(&self.scenario, &self.node, KICK, self.lifetime);
        let mut world = World::new(&self.scenario, seed, watch);
        drive(&mut world, clock, stop)?;
        Some(world.into_recorder())
    }
}

/// The kick tests that expectations of a scenario's variant ask for, each once.
pub fn asked(scenario: &Scenario) -> Vec<Kick> {
    let mut nodes: Vec<&str> = Vec::new();
    for expect in scenario.file.expect.values() {
        let node = expect.of.strip_prefix("postgres.").filter(|_| expect.metric == Metric::HerdGain);
        if let Some(node) = node
            && expect.variants().any(|one| one == scenario.variant)
            && !nodes.contains(&node)
        {
            nodes.push(node);
        }
    }
    nodes.into_iter().map(|node| Kick::of(scenario, node)).collect()
}

/// The fleet at the end of its run, in the steady state and with its steady traffic alone; and the lifetime
/// of its connections.
fn kicked_fleet(scenario: &Scenario, node: &str) -> (File, Span) {
    let end = Time::ZERO + scenario.file.duration;
    // What happens at the very end does not happen in the run.
    let come = scenario.timeline.iter().take_while(|moment| moment.at < end);
    let last = come.filter_map(|moment| moment.stands.as_deref()).last();
    let mut file = last.unwrap_or(&scenario.file).clone();
    let lifetime = lifetime_at(&file, node).unwrap_or(NO_LIFETIME);
    // The last lifetime's neighbourhood ends half a lifetime after it.
    file.duration = Span(KICK.0 + LIFETIMES as u64 * lifetime.0 + lifetime.0 / 2);
    file.initial = Initial::Steady;
    file.job.values_mut().for_each(|job| job.enabled = false);
    for traffic in file.traffic.values_mut() {
        traffic.enabled &= traffic.label != Label::Abusive && traffic.burst.is_none();
        let steps = build::rate(&traffic.rate, &scenario.tables);
        traffic.rate = Arrivals::Constant(Rate(mean(&steps, end)));
    }
    (file, lifetime)
}

/// The mean of a rate by time, from the start to `end`.
fn mean(steps: &[(Time, f64)], end: Time) -> f64 {
    let ends = steps.iter().skip(1).map(|step| step.0).chain([end]);
    let each = steps.iter().zip(ends).map(|((from, rate), to)| rate * to.min(end).since(*from).as_secs());
    each.sum::<f64>() / end.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Document;

    const FLEET: &str = r#"
schema_version = 1
title    = "A fleet that is cured on the way"
duration = "100m"
initial  = "cold"
[postgres.primary]
cores = 4
[postgres.other]
cores = 4
[service.api]
containers = { min = 4, max = 4 }
[service.api.pool.primary]
max          = 5
max_lifetime = "10m"
[service.api.pool.other]
max = 1
[query.lookup]
cpu = "1ms"
[request.sign-in]
service = "api"
steps   = [{ query = "lookup", on = "primary" }, { query = "lookup", on = "other" }]
[traffic.users]
request = "sign-in"
rate    = { piecewise = [{ from = "0s", rate = "100/s" }, { from = "75m", rate = "300/s" }, { from = "10h", rate = "9/s" }] }
[traffic.attack]
request = "sign-in"
label   = "abusive"
rate    = "100/s"
[traffic.export]
request = "sign-in"
label   = "background"
rate    = "1/s"
[traffic.crowd]
request = "sign-in"
rate    = "100/s"
burst   = { every = "10m", lasting = "10s" }
[job.cleanup]
on    = "primary"
every = "10m"
work  = { cpu = "1s" }
[event.cure]
at = "50m"
do = { deploy = "*" }
[event.cure.set]
"service.api.pool.primary.max_lifetime_jitter" = "2m"
[event.slow]
at    = "60m"
until = "70m"
[event.slow.set]
"postgres.primary.cores" = 1
[event.too-late]
at = "2h"
[event.too-late.set]
"postgres.primary.cores" = 2
[variant.cured]
[variant.sick.set]
"event.cure.enabled" = false
[expect.sound]
variant = "cured"
metric  = "herd_gain"
of      = "postgres.primary"
max     = { times = 0.5, of = "variant.sick" }
[expect.sound-beside-it]
variant = "cured"
metric  = "herd_gain"
of      = "postgres.primary"
max     = 1
"#;

    fn fleet(variant: &str) -> Scenario {
        let (document, _) =
            Document::from_text("fleet.toml", FLEET).unwrap_or_else(|wrong| panic!("{wrong}"));
        document.scenario(variant).unwrap().clone()
    }

    #[test]
    fn the_kicked_fleet_is_the_one_at_the_end_with_its_steady_traffic_alone() {
        let kick = Kick::of(&fleet("cured"), "primary");
        let file = &kick.scenario.file;
        let pool = &file.service["api"].pool["primary"];
        assert_eq!(pool.jitter(), Span::from_secs(120), "it has been deployed");
        assert_eq!(file.postgres["primary"].cores, 4.0, "given back, and what comes too late does not count");
        assert_eq!(file.initial, Initial::Steady);
        assert_eq!(file.duration, Span::from_secs(60 + 2400 + 300));
        assert!(!file.job["cleanup"].enabled);
        let on: Vec<&str> = build::enabled_traffic(file).map(|(name, _)| name.as_str()).collect();
        assert_eq!(on, ["users", "export"]);
        assert_eq!(file.traffic["users"].rate, Arrivals::Constant(Rate(150.0)), "the mean of the run");
        let cores = |place: usize, node: &str| {
            kick.scenario.timeline[place].stands.as_ref().unwrap().postgres[node].cores
        };
        assert_eq!((cores(0, "primary"), cores(0, "other"), cores(1, "primary")), (0.01, 4.0, 4.0));
        let sick = Kick::of(&fleet("sick"), "primary");
        assert_eq!(sick.scenario.file.service["api"].pool["primary"].jitter(), Span::ZERO);
        assert_eq!(Kick::of(&fleet("cured"), "other").lifetime, NO_LIFETIME);
    }

    #[test]
    fn only_the_variants_that_an_expectation_speaks_of_are_kicked() {
        let nodes =
            |variant: &str| asked(&fleet(variant)).into_iter().map(|kick| kick.node).collect::<Vec<_>>();
        assert_eq!(nodes("cured"), ["primary"], "once");
        assert_eq!(nodes("sick"), ["primary"], "for comparison");
        assert_eq!(nodes("as-written"), [""; 0]);
    }
}
