//! Who did it? Attribution by knock-outs.
//!
//! In the real world: four days of asking whether it is the attack, the jobs or the pools. Here every suspect
//! is left out in turn, on the same seeds, so that a difference is its own (common random numbers pair the
//! runs). Twice where that makes sense: from the start (was it needed at all?) and from a time on (does it
//! keep the spikes up?), because what sets a herd off need not sustain it. Judged are the spikes of one
//! service from that time on, beyond the threshold that the unchanged run of the same seed has. One suspect
//! at a time: two that could each do it alone clear each other, which is why all are left out together as
//! well. Left out: pairs of suspects, and thresholds (how much of it would do).

mod periods;
mod suspects;
mod verdict;

pub use periods::{ServicePeriods, found};
pub use suspects::{Suspect, suspects};
pub use verdict::{KnockOutEffect, Trial, Word};

use super::Run;
use crate::engine::time::{Span, Time};
use crate::measure::{BIN, Measured, ServiceMeasured, spikes};
use crate::scenario::Scenario;
use crate::scenario::grammar::Overlay;
use crate::scenario::window::Window;
use suspects::Stop;

/// After so many spikes they have shown themselves.
const SHOWN: usize = 3;
/// The name under which everything is left out at once.
pub const TOGETHER: &str = "all of them";

/// What one run comes to, in the judged window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpikeFigures {
    /// Latency spikes.
    pub spikes: usize,
    /// The highest p99 of a bin, in microseconds; NaN if nothing ended.
    pub worst_p99_us: f64,
    /// Latency spikes from the first instant on.
    pub spikes_whole_run: usize,
}

/// What is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Focus {
    /// The service whose latency is judged.
    pub service: String,
    /// From when on: suspects are stopped here, and spikes count from here.
    pub from: Time,
    /// Whether that is the start of the run, so that nothing can be stopped on the way.
    pub whole: bool,
    /// The seeds, in order.
    pub seeds: Vec<u64>,
    /// The threshold of a spike for each seed, in microseconds; `None` if nothing ended.
    pub thresholds: Vec<Option<u64>>,
}

/// A scenario with something left out.
#[derive(Clone, Debug)]
struct KnockOut {
    /// The number of the suspect; `None`: all.
    suspect: Option<usize>,
    /// Left out from the judged time on rather than from the start.
    later: bool,
    scenario: Scenario,
}

/// An inquiry: the unchanged runs are known, the knock-outs are to be run.
#[derive(Clone, Debug)]
pub struct Inquiry {
    suspects: Vec<Suspect>,
    focus: Focus,
    base: Vec<Option<SpikeFigures>>,
    knock_outs: Vec<KnockOut>,
}

/// What came out about one suspect.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The suspect's name.
    pub suspect: String,
    /// How it was left out, in words.
    pub how: String,
    /// Left out from the start.
    pub never: Trial,
    /// Left out from the judged time on; `None` where that makes no sense.
    pub stopped: Option<Trial>,
    /// The verdict.
    pub word: Word,
    /// Why, where it is not plain from the figures.
    pub because: String,
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What was judged.
    pub focus: Focus,
    /// The unchanged run with each seed.
    pub base: Vec<Option<SpikeFigures>>,
    /// One for each suspect, in the order of the file.
    pub findings: Vec<Finding>,
    /// Everything left out at once, if there is more than one suspect.
    pub together: Option<Trial>,
}

impl Inquiry {
    /// Opens an inquiry into a scenario whose unchanged runs are `base`, with these suspects; `from`
    /// overrides the time from which it judges.
    pub fn open(scenario: &Scenario, suspects: Vec<Suspect>, base: &[Run], from: Option<Time>) -> Inquiry {
        let focus = focus(base, from);
        let figures = base.iter().enumerate().map(|(n, run)| focus.figures(n, &run.measured)).collect();
        let mut knock_outs = Vec::new();
        let mut leave_out = |suspect: Option<usize>, name: &str, set: &Overlay| {
            let scenario = scenario.with(&format!("without {name}"), set, &[]).ok();
            knock_outs.extend(scenario.map(|scenario| KnockOut { suspect, later: false, scenario }));
        };
        let mut everything = Overlay::new();
        for (n, suspect) in suspects.iter().enumerate() {
            leave_out(Some(n), &suspect.name, &suspect.without);
            everything.extend(suspect.without.clone());
        }
        if suspects.len() > 1 {
            leave_out(None, TOGETHER, &everything);
        }
        for (n, suspect) in suspects.iter().enumerate().filter(|_| !focus.whole) {
            let stopped = suspect.stopped(scenario, focus.from);
            knock_outs.extend(stopped.map(|scenario| KnockOut { suspect: Some(n), later: true, scenario }));
        }
        Inquiry { suspects, focus, base: figures, knock_outs }
    }

    /// Whether there is anything to explain: a spike in the judged window of any run.
    pub fn has_spikes(&self) -> bool {
        self.base.iter().flatten().any(|figures| figures.spikes > 0)
    }

    /// What is judged.
    pub fn focus(&self) -> &Focus {
        &self.focus
    }

    /// What is to be run.
    pub fn jobs(&self) -> Vec<(&Scenario, u64)> {
        let seeds = || self.focus.seeds.iter().copied();
        self.knock_outs.iter().flat_map(|one| seeds().map(move |seed| (&one.scenario, seed))).collect()
    }

    /// Closes the inquiry: `runs` are those of the jobs that were finished.
    pub fn close(self, runs: &[Run]) -> Explanation {
        let trial = |suspect: Option<usize>, later: bool| {
            let of = |one: &&KnockOut| one.suspect == suspect && one.later == later;
            let knock_out = self.knock_outs.iter().find(of)?;
            let figures = self.focus.seeds.iter().enumerate().map(|(n, seed)| {
                let mine = |run: &&Run| run.seed == *seed && run.variant == knock_out.scenario.variant;
                self.focus.figures(n, &runs.iter().find(mine)?.measured)
            });
            Some(Trial::new(&self.base, figures.collect()))
        };
        let findings = self.suspects.iter().enumerate().map(|(n, suspect)| {
            let never = trial(Some(n), false).unwrap_or_else(|| Trial::new(&self.base, vec![]));
            let stopped = trial(Some(n), true);
            let stop = if self.focus.whole { Stop::Never } else { suspect.stop(self.focus.from) };
            let (word, because) = verdict::word(&never, stopped.as_ref(), stop);
            let (suspect, how) = (suspect.name.clone(), suspect.how.clone());
            Finding { suspect, how, never, stopped, word, because }
        });
        let findings = findings.collect();
        let together = trial(None, false);
        Explanation { focus: self.focus, base: self.base, findings, together }
    }
}

impl Focus {
    fn figures(&self, seed: usize, measured: &Measured) -> Option<SpikeFigures> {
        let service = service(measured, &self.service)?;
        let end = Time::ZERO + measured.duration;
        let spikes = spikes::above(service, (*self.thresholds.get(seed)?)?, end);
        let window = Window { from: self.from, ..Window::whole() };
        Some(SpikeFigures {
            spikes: spikes.iter().filter(|spike| window.holds_bin(spike.from)).count(),
            worst_p99_us: worst_p99_us(service, &window),
            spikes_whole_run: spikes.len(),
        })
    }
}

/// The highest p99 of a whole bin within a window; NaN if nothing ended.
fn worst_p99_us(service: &ServiceMeasured, window: &Window) -> f64 {
    let bins = service.bins.iter().enumerate().map(|(n, bin)| (Time(n as u64 * BIN.0), bin));
    let within = bins.filter(|(at, _)| window.holds_bin(*at)).filter_map(|(_, bin)| bin.latency);
    within.map(|latency| latency.p99_us as f64).fold(f64::NAN, f64::max)
}

fn service<'a>(measured: &'a Measured, name: &str) -> Option<&'a ServiceMeasured> {
    measured.services.iter().find(|service| service.service == name)
}

/// What to judge: the service with the most spikes, from when they have shown themselves on.
fn focus(base: &[Run], asked: Option<Time>) -> Focus {
    let judged = judged_service(base);
    let service = judged.unwrap_or_default();
    let of = |run: &Run| spikes::threshold_us(&run.measured, self::service(&run.measured, &service)?);
    let mine = |run: &Run| -> Vec<(Time, Time)> {
        let spikes = run.measured.spikes.iter().filter(|spike| spike.service == service);
        spikes.map(|spike| (spike.from, spike.to)).collect()
    };
    let middle = base.first().map_or(Time::ZERO, |run| whole_bins(run.measured.duration.scale(0.5)));
    // Whatever seed shows them last; half of the run is left to judge.
    let shown = base.iter().map(|run| mine(run).get(SHOWN - 1).map_or(Time::NEVER, |spike| spike.1)).max();
    let later = |from: Time| base.iter().any(|run| mine(run).iter().any(|spike| spike.0 >= from));
    let by_default = shown.unwrap_or(Time::NEVER).min(middle);
    let from = asked.unwrap_or(if later(by_default) { by_default } else { Time::ZERO });
    Focus {
        thresholds: base.iter().map(of).collect(),
        seeds: base.iter().map(|run| run.seed).collect(),
        whole: from == Time::ZERO,
        service,
        from,
    }
}

fn whole_bins(span: Span) -> Time {
    Time(span.0 / BIN.0 * BIN.0)
}

/// The service with the most spikes; of equals the one with the most requests.
fn judged_service(base: &[Run]) -> Option<String> {
    let services = base.first()?.measured.services.iter().map(|service| &service.service);
    let weight = |name: &String| {
        let spikes = base.iter().flat_map(|run| &run.measured.spikes).filter(|spike| spike.service == *name);
        let classes = base.iter().flat_map(|run| &run.measured.classes);
        let requests: u64 = classes.filter(|class| class.service == *name).map(|class| class.arrived).sum();
        (spikes.count(), requests)
    };
    // Of equals the first, as in the file.
    let heaviest = services.rev().max_by_key(|name| weight(name));
    heaviest.cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Quantiles, ServiceBin};

    /// Judged from 15 s on: the bin that begins at 10 s shows what was before, too.
    #[test]
    fn a_bin_that_began_before_is_not_judged() {
        let bin = |p99_us| ServiceBin {
            latency: Some(Quantiles { p99_us, ..Quantiles::default() }),
            ..ServiceBin::default()
        };
        let bins = vec![bin(9), bin(8), bin(3), bin(4)];
        let service = ServiceMeasured { service: "api".to_owned(), nodes: vec![], bins };
        let from = |seconds| Window { from: Time::ZERO + Span::from_secs(seconds), ..Window::whole() };
        assert_eq!([0, 10, 15, 20].map(|at| worst_p99_us(&service, &from(at))), [9.0, 8.0, 4.0, 4.0]);
    }
}
