//! The periods of latency, each with the names of whatever in the scenario has that period.
//!
//! A name is no proof: jobs every fifteen minutes and a lifetime of fifteen minutes have the same period,
//! which is what misled people. The knock-outs decide. Named are lifetimes (with their jitter), jobs, bursts
//! and the sweeps of pools; if none fits, fractions and multiples of those.

use super::Run;
use super::suspects::pools;
use crate::engine::time::Span;
use crate::measure::BIN;
use crate::measure::periodogram::{Line, Spectrum};
use crate::scenario::grammar::{Distribution, File, JitterShape, RandomDistribution, Sweep};
use crate::scenario::units::Limit;

/// The spectrum of one service and what stands out in it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePeriods {
    /// The service.
    pub service: String,
    /// The spectrum of the logarithm of its p99, over all seeds.
    pub spectrum: Spectrum,
    /// The periods that are present, with the names of what has them.
    pub lines: Vec<(Line, Vec<String>)>,
}

/// The periods of every service, over some runs of one scenario. A service without a spectrum is left out.
pub fn found(file: &File, runs: &[Run]) -> Vec<ServicePeriods> {
    let clocks = clocks(file);
    let services = runs.first().map_or(&[][..], |run| &run.measured.services);
    let each = services.iter().enumerate().filter_map(|(n, service)| {
        let of = |run: &Run| -> Vec<Option<f64>> {
            let bins = run.measured.services[n].bins.iter();
            bins.map(|bin| bin.latency.map(|latency| libm::log(latency.p99_us.max(1) as f64))).collect()
        };
        let spectrum = Spectrum::new(&runs.iter().map(of).collect::<Vec<_>>(), BIN)?;
        let named = |line: Line| (line.clone(), names(&line, &clocks));
        let lines = spectrum.lines().into_iter().map(named).collect();
        Some(ServicePeriods { service: service.service.clone(), spectrum, lines })
    });
    each.collect()
}

/// Something that comes back: between `shortest` and `longest` after it came last, in seconds.
#[derive(Clone, Debug, PartialEq)]
struct Clock {
    name: String,
    shortest: f64,
    longest: f64,
    /// Whether fractions and multiples of it are worth a name: what comes every minute has all of them.
    rare: bool,
}

/// What comes more often than this is not rare.
const OFTEN_S: f64 = 75.0;

impl Clock {
    fn new(name: String, shortest: Span, longest: Span) -> Clock {
        let (shortest, longest) = (shortest.as_secs(), longest.as_secs());
        // Nor has one that is not on the dot any multiples.
        let rare = longest <= 1.05 * shortest && longest > OFTEN_S;
        Clock { name, shortest, longest, rare }
    }

    /// Whether a line has this clock's period, times `times`.
    fn has(&self, line: &Line, times: f64) -> bool {
        let frequency = 1.0 / line.period_s;
        // A replacement comes a little after its time, and a line is as wide as the run is short.
        let near = line.width_hz.max(0.02 * frequency);
        let (low, high) = (1.0 / (self.longest * times), 1.0 / (self.shortest * times));
        (times == 1.0 || self.rare) && frequency >= low - near && frequency <= high + near
    }
}

/// Fractions and multiples in which a period may show: the text and the factor.
const OTHERWISE: [(&str, f64); 7] = [
    ("1/2 of ", 1.0 / 2.0),
    ("1/3 of ", 1.0 / 3.0),
    ("1/4 of ", 1.0 / 4.0),
    ("1/5 of ", 1.0 / 5.0),
    ("1/6 of ", 1.0 / 6.0),
    ("2 × ", 2.0),
    ("3 × ", 3.0),
];

/// The names of what has a line's period.
fn names(line: &Line, clocks: &[Clock]) -> Vec<String> {
    let exact: Vec<String> =
        clocks.iter().filter(|clock| clock.has(line, 1.0)).map(|clock| clock.name.clone()).collect();
    if !exact.is_empty() {
        return exact;
    }
    let otherwise = OTHERWISE.iter().flat_map(|(text, times)| {
        clocks
            .iter()
            .filter(|clock| clock.has(line, *times))
            .map(move |clock| format!("{text}{}", clock.name))
    });
    otherwise.collect()
}

/// Whatever in a scenario comes back after a time.
fn clocks(file: &File) -> Vec<Clock> {
    let mut clocks: Vec<Clock> = Vec::new();
    for (path, pool) in pools(file) {
        let jitter = pool.jitter();
        if let Limit(Some(lifetime)) = pool.max_lifetime {
            let (less, more) = match pool.jitter_shape {
                JitterShape::Additive => (Span::ZERO, jitter),
                JitterShape::Subtractive => (jitter, Span::ZERO),
                JitterShape::Symmetric => (jitter, jitter),
            };
            let name = format!("lifetime {lifetime} of {path}");
            clocks.push(Clock::new(name, lifetime.saturating_sub(less).max(Span(1)), lifetime + more));
        }
        if let Sweep::Every(period) = pool.sweep {
            clocks.push(Clock::new(format!("sweep every {period} of {path}"), period, period));
        }
    }
    for (name, traffic) in file.traffic.iter().filter(|(_, traffic)| traffic.enabled) {
        match traffic.burst.as_ref().map(|burst| &burst.every) {
            Some(Distribution::Constant(every)) => {
                clocks.push(Clock::new(format!("traffic.{name} every {every}"), *every, *every));
            }
            Some(Distribution::Random(RandomDistribution::Uniform(ends))) => {
                let name = format!("traffic.{name} every {}..{}", ends.min, ends.max);
                clocks.push(Clock::new(name, ends.min, ends.max));
            }
            _ => {}
        }
    }
    for (name, job) in file.job.iter().filter(|(_, job)| job.enabled) {
        clocks.push(Clock::new(format!("job.{name} every {}", job.every), job.every, job.every));
    }
    clocks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(period_s: f64) -> Line {
        // Of a run of three hours.
        Line { period_s, width_hz: 0.5 / 10_800.0, power: 30.0, false_alarm: 0.001, harmonics: vec![] }
    }

    fn clock(name: &str, shortest: u64, longest: u64) -> Clock {
        Clock::new(name.to_owned(), Span::from_secs(shortest * 60), Span::from_secs(longest * 60))
    }

    #[test]
    fn every_clock_of_that_period_is_named_and_fractions_only_if_none_is() {
        let clocks = [
            clock("lifetime", 15, 15),
            clock("job.a", 15, 15),
            clock("job.b", 30, 30),
            clock("attack", 8, 12),
            clock("sweep", 1, 1),
        ];
        assert_eq!(names(&line(905.0), &clocks), ["lifetime", "job.a"]);
        assert_eq!(names(&line(600.0), &clocks), ["attack"]);
        assert_eq!(names(&line(450.0), &clocks)[..2], ["1/2 of lifetime", "1/2 of job.a"]);
        assert_eq!(names(&line(2700.0), &clocks), ["3 × lifetime", "3 × job.a"]);
        assert_eq!(names(&line(60.0), &clocks), ["sweep"]);
        assert!(names(&line(120.0), &clocks).is_empty());
    }
}
