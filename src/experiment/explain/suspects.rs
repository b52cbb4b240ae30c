//! The suspects of a scenario, and how each is left out: an overlay, as everything that differs.
//!
//! Suspects are every job, every abusive or bursting source of requests, the connection lifetime (of all
//! pools at once), pools that grow on demand, every event, all deploys at once, and a start that is not
//! steady. A job or a source can be stopped on the way (an event switches it off), and so can an event that
//! lasts; a lifetime and the size of a pool cannot, because containers read them when they start. Left out:
//! an event that sets a lifetime again, or switches a job on again, undoes the knock-out; that event is then
//! a suspect itself.

use crate::engine::time::Time;
use crate::scenario::grammar::{Deed, Event, File, Initial, Job, Label, Pool, Traffic};
use crate::scenario::grammar::{Overlay, Refill};
use crate::scenario::units::When;
use crate::scenario::{Scenario, when};
use serde_json::{Value, json};

/// Something that may cause spikes.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// `job.NAME`, `traffic.NAME`, `event.NAME`, `lifetime`, `growth`, `deploy` or `initial`.
    pub name: String,
    /// How it is left out, in words.
    pub how: String,
    /// What is laid over the scenario to leave it out from the start.
    pub(super) without: Overlay,
    /// What it is, in time.
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// A setting that containers read when they start.
    Setting,
    /// The first instant.
    Start,
    /// It goes on; the live path switches it off.
    Switch(String),
    /// Events: name, beginning and end.
    Events(Vec<(String, Time, Time)>),
}

/// What stopping it at a time comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It cannot be stopped: it is there from the start or not at all.
    Never,
    /// It was over by then: stopping it changes nothing.
    Past,
    /// It had not begun: stopping it is as leaving it out from the start.
    Future,
    /// It can be stopped, and what becomes of it is run.
    Runs,
}

/// Every suspect of a scenario, in the order of the file, settings first.
pub fn suspects(scenario: &Scenario) -> Vec<Suspect> {
    let file = &*scenario.file;
    let mut all: Vec<Suspect> = [lifetime(file), growth(file), initial(file)].into_iter().flatten().collect();
    let bad = file.traffic.iter().filter(|(_, traffic)| traffic.enabled && is_suspect(traffic, file));
    all.extend(bad.map(|(name, _)| switch("traffic", name)));
    // What lies beyond the end does not happen.
    let end = Time::ZERO + file.duration;
    let runs = |job: &Job| job.enabled && Time::ZERO + job.first.unwrap_or(job.every) < end;
    all.extend(file.job.iter().filter(|(_, job)| runs(job)).map(|(name, _)| switch("job", name)));
    let happens = |event: &Event| when::resolve(file, &event.at).map_or(true, |at| at < end);
    let enabled = file.event.iter().filter(|(_, event)| event.enabled && happens(event));
    let (deploys, others): (Vec<_>, Vec<_>) =
        enabled.partition(|(_, event)| matches!(event.deed, Some(Deed::Deploy(_))));
    all.extend(others.iter().map(|event| events(&format!("event.{}", event.0), &[*event], file)));
    if !deploys.is_empty() {
        all.push(events("deploy", &deploys, file));
    }
    all
}

/// Abusive or in bursts, and not all that there is of its class.
fn is_suspect(traffic: &Traffic, file: &File) -> bool {
    let abusive = traffic.label == Label::Abusive;
    let others = file.traffic.values().filter(|other| other.enabled && other.request == traffic.request);
    abusive || (traffic.burst.is_some() && others.count() > 1)
}

fn switch(group: &str, name: &str) -> Suspect {
    let (name, path) = (format!("{group}.{name}"), format!("{group}.{name}.enabled"));
    let without = Overlay::from([(path.clone(), Value::Bool(false))]);
    Suspect { how: "disabled".to_owned(), name, without, kind: Kind::Switch(path) }
}

/// The pools of services and of poolers, by their paths.
pub fn pools(file: &File) -> impl Iterator<Item = (String, &Pool)> {
    let of = |(service, name): (&String, &String)| format!("service.{service}.pool.{name}");
    let all = file.service.iter().flat_map(|(service, it)| it.pool.iter().map(move |pool| (service, pool)));
    let of_services = all.map(move |(service, (name, pool))| (of((service, name)), pool));
    let poolers = file.postgres.iter().filter_map(|(node, it)| Some((node, it.pooler.as_ref()?)));
    of_services.chain(poolers.map(|(node, pooler)| (format!("postgres.{node}.pooler.pool"), &pooler.pool)))
}

fn lifetime(file: &File) -> Option<Suspect> {
    let mut without = Overlay::from([("service.*.pool.*.max_lifetime".to_owned(), json!("none"))]);
    let of_poolers = pools(file).filter(|(path, _)| path.starts_with("postgres."));
    without.extend(of_poolers.map(|(path, _)| (format!("{path}.max_lifetime"), json!("none"))));
    pools(file).any(|(_, pool)| pool.max_lifetime.0.is_some()).then(|| Suspect {
        name: "lifetime".to_owned(),
        how: "connections live for ever".to_owned(),
        without,
        kind: Kind::Setting,
    })
}

/// Pools that grow on demand are full from the start instead.
fn growth(file: &File) -> Option<Suspect> {
    let growing = pools(file).filter(|(_, pool)| pool.min < pool.max || pool.refill != Refill::ToMin);
    let full = growing.flat_map(|(path, pool)| {
        let mut set = vec![(format!("{path}.min"), json!(pool.max))];
        set.push((format!("{path}.refill"), json!("to-min")));
        set.extend(pool.max_idle.map(|_| (format!("{path}.max_idle"), json!(pool.max))));
        set
    });
    let without: Overlay = full.collect();
    (!without.is_empty()).then(|| Suspect {
        name: "growth".to_owned(),
        how: "every pool is full from the start and kept so".to_owned(),
        without,
        kind: Kind::Setting,
    })
}

fn initial(file: &File) -> Option<Suspect> {
    (file.initial != Initial::Steady).then(|| Suspect {
        name: "initial".to_owned(),
        how: "the fleet has been up for long when the run begins".to_owned(),
        without: Overlay::from([("initial".to_owned(), json!("steady"))]),
        kind: Kind::Start,
    })
}

fn events(name: &str, events: &[(&String, &Event)], file: &File) -> Suspect {
    let at = |when: &When, otherwise| when::resolve(file, when).unwrap_or(otherwise);
    let each = events.iter().map(|(name, event)| {
        let begin = at(&event.at, Time::ZERO);
        let end = match &event.until {
            Some(until) => at(until, Time::NEVER),
            None if event.set.is_empty() => begin,
            None => Time::NEVER,
        };
        ((*name).clone(), begin, end)
    });
    let disabled = events.iter().map(|(name, _)| (format!("event.{name}.enabled"), Value::Bool(false)));
    Suspect {
        name: name.to_owned(),
        how: "does not happen".to_owned(),
        without: disabled.collect(),
        kind: Kind::Events(each.collect()),
    }
}

impl Suspect {
    /// What stopping it at a time comes to.
    pub(super) fn stop(&self, at: Time) -> Stop {
        match &self.kind {
            Kind::Setting => Stop::Never,
            Kind::Start => Stop::Past,
            Kind::Switch(_) => Stop::Runs,
            Kind::Events(events) if events.iter().all(|(_, begin, _)| *begin >= at) => Stop::Future,
            Kind::Events(events) if events.iter().all(|(_, _, end)| *end <= at) => Stop::Past,
            Kind::Events(_) => Stop::Runs,
        }
    }

    /// The scenario in which it is stopped at a time; `None` if that makes no sense, or if the scenario does
    /// not allow it.
    pub(super) fn stopped(&self, scenario: &Scenario, at: Time) -> Option<Scenario> {
        if self.stop(at) != Stop::Runs {
            return None;
        }
        let text = at.since(Time::ZERO).to_string();
        let variant = format!("without {} from {text} on", self.name);
        match &self.kind {
            Kind::Switch(path) => {
                let off = Event {
                    enabled: true,
                    at: When(text),
                    until: None,
                    why: String::new(),
                    set: Overlay::from([(path.clone(), Value::Bool(false))]),
                    deed: None,
                };
                scenario.with(&variant, &Overlay::new(), &[(&free_name(scenario), off)]).ok()
            }
            Kind::Events(events) => {
                let shorter = events.iter().filter(|(_, _, end)| *end > at).map(|(name, begin, _)| {
                    if *begin >= at {
                        (format!("event.{name}.enabled"), Value::Bool(false))
                    } else {
                        (format!("event.{name}.until"), Value::String(text.clone()))
                    }
                });
                scenario.with(&variant, &shorter.collect(), &[]).ok()
            }
            Kind::Setting | Kind::Start => None,
        }
    }
}

/// A name for an event that no event has.
fn free_name(scenario: &Scenario) -> String {
    let mut name = "knock-out".to_owned();
    while scenario.file.event.contains_key(&name) {
        name.push('-');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Document;

    const TEXT: &str = r#"
schema_version = 1
title    = "many suspects"
duration = "1h"
initial  = "cold"
[postgres.primary]
cores = 2
[service.api]
containers = { min = 2, max = 2 }
[service.api.pool.primary]
max = 5
max_lifetime = "5m"
[query.lookup]
cpu = "1ms"
[request.sign-in]
service = "api"
steps   = [{ query = "lookup", on = "primary" }]
[traffic.users]
request = "sign-in"
rate    = "10/s"
[traffic.crowd]
request = "sign-in"
rate    = "10/s"
burst   = { every = "8m", lasting = "10s" }
[traffic.attack]
request = "sign-in"
rate    = "10/s"
label   = "abusive"
[job.nightly]
on    = "primary"
every = "10m"
work  = { cpu = "1s" }
[job.asleep]
enabled = false
on      = "primary"
every   = "10m"
work    = { cpu = "1s" }
[job.yearly]
on    = "primary"
every = "200h"
work  = { cpu = "1s" }
[event.slow]
at    = "20m"
until = "40m"
[event.slow.set]
"postgres.primary.cores" = "x0.5"
[event.friday]
at = "50m"
do = { deploy = "api" }
[event.next-week]
at = "200h"
do = { deploy = "api" }
[event.later]
at = "100h"
set = { "postgres.primary.cores" = 2 }
"#;

    fn scenario() -> Scenario {
        let (document, _) = Document::from_text("test.toml", TEXT).expect("a sound scenario");
        document.scenarios["as-written"].clone()
    }

    fn minutes(n: u64) -> Time {
        Time(n * 60_000_000_000)
    }

    #[test]
    fn whoever_might_have_done_it_is_a_suspect() {
        let names: Vec<String> = suspects(&scenario()).into_iter().map(|suspect| suspect.name).collect();
        let expected = [
            "lifetime",
            "growth",
            "initial",
            "traffic.crowd",
            "traffic.attack",
            "job.nightly",
            "event.slow",
            "deploy",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn every_suspect_can_be_left_out() {
        let scenario = scenario();
        let mut everything = Overlay::new();
        for suspect in suspects(&scenario) {
            everything.extend(suspect.without.clone());
            let without = scenario.with("without", &suspect.without, &[]);
            without.unwrap_or_else(|problems| panic!("{}: {problems}", suspect.name));
        }
        let nothing = scenario.with("without", &everything, &[]).expect("all at once");
        let end = Time::ZERO + nothing.file.duration;
        let comes = nothing.timeline.iter().any(|moment| moment.at < end);
        assert!(!comes && nothing.file.initial == Initial::Steady);
        assert!(!nothing.file.traffic["attack"].enabled && !nothing.file.job["nightly"].enabled);
        let pool = &nothing.file.service["api"].pool["primary"];
        assert_eq!((pool.min, pool.max_lifetime.0), (5, None));
    }

    #[test]
    fn what_can_be_stopped_on_the_way_is_stopped() {
        let scenario = scenario();
        let find = |name: &str| suspects(&scenario).into_iter().find(|suspect| suspect.name == name).unwrap();
        for (name, at, stop) in [
            ("lifetime", 30, Stop::Never),
            ("initial", 30, Stop::Past),
            ("job.nightly", 30, Stop::Runs),
            ("event.slow", 10, Stop::Future),
            ("event.slow", 30, Stop::Runs),
            ("event.slow", 45, Stop::Past),
            ("deploy", 30, Stop::Future),
            ("deploy", 55, Stop::Past),
        ] {
            assert_eq!(find(name).stop(minutes(at)), stop, "{name} at {at} minutes");
            let runs = find(name).stopped(&scenario, minutes(at)).is_some();
            assert_eq!(runs, stop == Stop::Runs, "{name}");
        }
        let stopped = find("event.slow").stopped(&scenario, minutes(30)).unwrap();
        let end = stopped.timeline.iter().find(|moment| moment.event == "slow" && !moment.begins);
        assert_eq!(end.map(|moment| moment.at), Some(minutes(30)));
        let stopped = find("job.nightly").stopped(&scenario, minutes(30)).unwrap();
        let off = stopped.timeline.iter().find(|moment| moment.event == "knock-out").unwrap();
        assert!(!off.stands.as_ref().unwrap().job["nightly"].enabled);
    }
}
