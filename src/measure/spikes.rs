//! Latency spikes, and what was going on beside them.
//!
//! A spike is a stretch of bins whose p99 exceeds ten times the run's calm p99: its median, or less where
//! most of the run is trouble. It is not *caused* by what overlaps it: the list says where to look. Storms
//! count at the nodes that the service has pools to.

use super::calm::{Whose, calm_us};
use super::{Measured, Recycle, ServiceMeasured, Spike, Storm, bin_start};
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::Cause;

/// A spike's p99 exceeds the calm one by more than this factor.
pub const SPIKE_FACTOR: f64 = 10.0;
/// How long before a spike its cause may have begun.
const SHORTLY: Span = Span::from_secs(30);
/// A storm that begins so long after a spike began did not make it: a long outage has storms of its own.
const TOO_LATE: Span = Span::from_secs(60);

/// A stretch of time with a name: a run of a job, a burst of traffic, an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// `job.NAME`, `traffic.NAME` or `event.NAME`.
    pub name: String,
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub to: Time,
}

/// The spikes of a service in a run; `storms` are those of the nodes that it uses.
pub fn spikes(
    measured: &Measured,
    service: &ServiceMeasured,
    storms: &[&Storm],
    episodes: &[Episode],
) -> Vec<Spike> {
    let threshold = threshold_us(measured, service);
    let end = Time::ZERO + measured.duration;
    let mut spikes = threshold.map_or(vec![], |threshold| above(service, threshold, end));
    for spike in &mut spikes {
        attribute(spike, storms, episodes);
    }
    spikes
}

/// The p99 beyond which a bin of this service belongs to a spike, in microseconds; `None` if nothing ended.
pub fn threshold_us(measured: &Measured, service: &ServiceMeasured) -> Option<u64> {
    let calm = calm_us(measured, service, Whose::All, usize::MAX);
    (!calm.is_nan()).then_some((SPIKE_FACTOR * calm) as u64)
}

/// The stretches in which the p99 of a service exceeds a threshold, which may be that of another run; none
/// outlasts the run, whose last bin may be short. Nothing is said of what lay beside them.
pub fn above(service: &ServiceMeasured, threshold_us: u64, end: Time) -> Vec<Spike> {
    let mut spikes: Vec<Spike> = Vec::new();
    let mut open = false;
    for (place, bin) in service.bins.iter().enumerate() {
        let high = Whose::All.p99_us(bin).filter(|p99| *p99 > threshold_us);
        let (from, to) = (bin_start(place), bin_start(place + 1).min(end));
        match (high, open) {
            (Some(p99), true) => {
                let spike = spikes.last_mut().expect("an open spike");
                spike.to = to;
                spike.p99_us = spike.p99_us.max(p99);
            }
            (Some(p99_us), false) => {
                let service = service.service.clone();
                spikes.push(Spike { service, from, to, p99_us, beside: vec![], recycle: None });
            }
            (None, _) => {}
        }
        open = high.is_some();
    }
    spikes
}

/// Whether something overlaps a spike, or came shortly before it.
pub fn lies_beside(spike: &Spike, from: Time, to: Time) -> bool {
    from <= spike.to && to >= Time(spike.from.0.saturating_sub(SHORTLY.0))
}

/// Tells a spike what lies beside it.
fn attribute(spike: &mut Spike, storms: &[&Storm], episodes: &[Episode]) {
    let storms: Vec<&Storm> =
        storms.iter().copied().filter(|storm| lies_beside(spike, storm.from, storm.to)).collect();
    let mut names: Vec<String> = Vec::new();
    for cause in Cause::ALL {
        if storms.iter().any(|storm| storm.cause == cause) {
            names.push(cause.name().to_owned());
        }
    }
    for episode in episodes {
        if lies_beside(spike, episode.from, episode.to) && !names.contains(&episode.name) {
            names.push(episode.name.clone());
        }
    }
    let recycling = storms
        .into_iter()
        .filter(|storm| storm.cause == Cause::Lifetime && storm.from < spike.from + TOO_LATE);
    // The first of the largest.
    let largest = recycling.rev().max_by(|a, b| a.share.total_cmp(&b.share));
    spike.recycle = largest.map(|storm| Recycle { node: storm.node.clone(), at: storm.at });
    spike.beside = names;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{BIN, Quantiles, ServiceBin};

    fn run(p99s_ms: &[u64], duration: Span) -> Measured {
        let bin = |ms: &u64| ServiceBin {
            latency: Some(Quantiles { p50_us: 500, p95_us: 800, p99_us: ms * 1000, max_us: ms * 1000 }),
            ..ServiceBin::default()
        };
        let service =
            ServiceMeasured { service: "api".into(), nodes: vec![], bins: p99s_ms.iter().map(bin).collect() };
        Measured { duration, services: vec![service], ..Measured::default() }
    }

    fn of(p99s_ms: &[u64], storms: &[&Storm], episodes: &[Episode]) -> Vec<Spike> {
        let run = run(p99s_ms, BIN * p99s_ms.len() as u64);
        spikes(&run, &run.services[0], storms, episodes)
    }

    #[test]
    fn a_spike_is_a_stretch_above_ten_times_the_calm_p99() {
        let mut p99s = vec![5; 100];
        (p99s[40], p99s[41], p99s[70], p99s[80]) = (51, 900, 50, 60);
        let job = Episode { name: "job.cleanup".into(), from: bin_start(39), to: bin_start(40) };
        let spikes = of(&p99s, &[], &[job]);
        assert_eq!(spikes.len(), 2, "50 ms is not above ten times 5 ms");
        assert_eq!((spikes[0].from, spikes[0].to, spikes[0].p99_us), (bin_start(40), bin_start(42), 900_000));
        assert_eq!(spikes[0].beside, ["job.cleanup"]);
        assert!(spikes[1].beside.is_empty());
    }

    /// The longer an outage, the longer its spike: half of a run makes no difference.
    #[test]
    fn an_outage_longer_than_half_of_the_run_is_a_spike() {
        let longest = |outage: usize| {
            let p99s: Vec<u64> = (0..120).map(|bin| if bin < 120 - outage { 5 } else { 900 }).collect();
            let spikes = of(&p99s, &[], &[]);
            assert_eq!(spikes.len(), 1, "{outage} bins");
            spikes[0].to.since(spikes[0].from)
        };
        let outages = [1, 18, 59, 60, 61, 72, 100];
        assert_eq!(outages.map(longest), outages.map(|bins| BIN * bins as u64));
    }

    #[test]
    fn no_spike_outlasts_its_run() {
        let mut p99s = vec![5; 31];
        (p99s[10], p99s[29], p99s[30]) = (900, 900, 900);
        let run = run(&p99s, Span::from_secs(305));
        let end = Time::ZERO + run.duration;
        let spikes = spikes(&run, &run.services[0], &[], &[]);
        let spans: Vec<(Time, Time)> = spikes.iter().map(|spike| (spike.from, spike.to)).collect();
        assert_eq!(spans, [(bin_start(10), bin_start(11)), (bin_start(29), end)], "15 s, not 20");
    }

    #[test]
    fn a_spike_is_beside_the_storms_of_the_half_minute_before_it() {
        let mut p99s = vec![5; 100];
        (40..43).for_each(|bin| p99s[bin] = 900);
        let second = |seconds: u64| Time::ZERO + Span::from_secs(seconds);
        let storm = |cause, from, share| Storm {
            node: "primary".into(),
            cause,
            from: second(from),
            to: second(from + 2),
            at: second(from + 1),
            starts: 10,
            share,
        };
        let storms = [
            storm(Cause::Boot, 367, 0.9),
            storm(Cause::Lifetime, 368, 0.2),
            storm(Cause::Lifetime, 405, 0.7),
            storm(Cause::Growth, 430, 0.3),
            storm(Cause::Failure, 431, 0.9),
        ];
        let near: Vec<&Storm> = storms.iter().collect();
        let of = |storms: &[&Storm]| of(&p99s, storms, &[]).remove(0);
        let spike = of(&near);
        assert_eq!(spike.beside, ["lifetime", "growth"]);
        assert_eq!(spike.recycle, Some(Recycle { node: "primary".into(), at: second(406) }), "the largest");
        assert_eq!(of(&near[3..]).recycle, None, "growth is no recycling");
    }

    #[test]
    fn a_storm_late_in_a_long_spike_did_not_make_it() {
        let mut p99s = vec![5; 200];
        (40..90).for_each(|bin| p99s[bin] = 900);
        let at = Time::ZERO + Span::from_secs(890);
        let (node, to) = ("primary".to_owned(), at + Span::from_secs(1));
        let late = Storm { node, cause: Cause::Lifetime, from: at, to, at, starts: 222, share: 0.2 };
        let spike = of(&p99s, &[&late], &[]).remove(0);
        assert_eq!((spike.beside, spike.recycle), (vec!["lifetime".to_owned()], None));
    }
}
