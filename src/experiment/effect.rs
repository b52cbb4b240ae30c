//! What a variant does to the herd, in a word: it cures, delays, eases, changes nothing or makes worse; or
//! there is nothing to cure; or nobody can tell.
//!
//! In life this is what the people who tried it wrote afterwards ("the redeploy helped for an hour"). Here it
//! is read off the *recycle spikes* (latency spikes beside a storm of cause `lifetime`, of all services) from
//! the instant at which the variant's course leaves the baseline's: from the start, or one lifetime after the
//! first event that differs, so that what was born before has been recycled once. Runs are paired by seed:
//! both met the same customers. A difference counts where the 95 % interval of its mean (Student's t over the
//! pairs) leaves out zero; with one seed there is no interval, and the report says so. Where nobody is served
//! no spike is missing, and a fleet that is always slow has none: sides that do not serve alike, or serve few
//! of their users, are not compared. Left out: the cost of a remedy, and spikes that have another cause.

use super::Run;
use super::statistics::Mean;
use crate::engine::time::{Span, Time};
use crate::measure::calm::mid;
use crate::measure::recycles::{is_herd, recycle_spikes};
use crate::measure::{BIN, Measured, summary};
use crate::scenario::grammar::{Cause, File, History, Label, Metric};
use crate::scenario::window::Window;
use crate::scenario::{Document, Moment, Scenario};

/// What a variant does, against the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HerdChange {
    /// With every seed the baseline has recycle spikes, and the variant has none with any.
    Cures,
    /// The first recycle spike comes later by this time, the median over the seeds: a lifetime or more.
    Delays(Span),
    /// Fewer or shorter recycle spikes.
    Eases,
    /// No difference that the seeds can show.
    None,
    /// More or longer recycle spikes.
    MakesWorse,
    /// There is nothing to cure: neither has a recycle spike.
    NothingToCure,
    /// Recycle spikes tell nothing here, for this reason.
    CannotTell(Doubt),
}

/// Why the recycle spikes of two sides cannot be held against each other, with one seed at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The run ends before anything could have changed.
    NoTime,
    /// A side, or a service of it, answers nobody.
    NobodyServed,
    /// The baseline has no more spikes, but serves far fewer users, or too few and no more than the variant:
    /// what does not answer has no spikes. It may be worse than it looks.
    BaselineSaturated,
    /// The same of the variant: it may be worse than it looks.
    VariantSaturated,
}

impl Doubt {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Doubt::NoTime => "no time is left to judge",
            Doubt::NobodyServed => "a side, or a service of it, serves nobody",
            Doubt::BaselineSaturated => {
                "the baseline has no more spikes, but serves too few of its users for that to tell anything"
            }
            Doubt::VariantSaturated => {
                "it has no more spikes, but serves too few of its users for that to tell anything"
            }
        }
    }

    /// Whether a word could not be said for it. What is worse than it looks is still worse, and a remedy of
    /// it is still one.
    fn undermines(self, change: HerdChange) -> bool {
        match self {
            Doubt::NoTime | Doubt::NobodyServed => true,
            Doubt::BaselineSaturated => {
                !matches!(change, HerdChange::Cures | HerdChange::Delays(_) | HerdChange::Eases)
            }
            Doubt::VariantSaturated => change != HerdChange::MakesWorse,
        }
    }
}

impl HerdChange {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            HerdChange::Cures => "cures",
            HerdChange::Delays(_) => "delays",
            HerdChange::Eases => "eases",
            HerdChange::None => "no-change",
            HerdChange::MakesWorse => "makes-worse",
            HerdChange::NothingToCure => "nothing-to-cure",
            HerdChange::CannotTell(_) => "cannot-tell",
        }
    }
}

/// The recycling of one run in the window that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recycling {
    /// Whether anybody was served: else there is no spike, and none is missing.
    pub served: bool,
    /// Recycle spikes of all services.
    pub spikes: usize,
    /// Seconds of them, each service for itself.
    pub seconds: f64,
    /// Lifetime storms that start half of the connections, at all nodes.
    pub herds: usize,
    /// The peak of the storm beside the first of the spikes.
    pub first: Option<Time>,
}

/// The effect of a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The variant.
    pub variant: String,
    /// What it is held against.
    pub baseline: String,
    /// What it does.
    pub change: HerdChange,
    /// From when on recycling counts.
    pub from: Time,
    /// Baseline and variant with each seed that both have run.
    pub pairs: Vec<(Recycling, Recycling)>,
    /// What the record says happened.
    pub history: Option<History>,
}

impl Effect {
    /// The mean difference in recycle spikes, variant less baseline.
    pub fn spikes(&self) -> Mean {
        difference(&self.pairs, 1.0, |one| one.spikes as f64)
    }

    /// The same in seconds of recycle spikes.
    pub fn seconds(&self) -> Mean {
        difference(&self.pairs, BIN.as_secs(), |one| one.seconds)
    }

    /// Whether the record says the same; `None` where one of them says nothing.
    pub fn agrees(&self) -> Option<bool> {
        if matches!(self.change, HerdChange::CannotTell(_)) {
            return None;
        }
        let recorded = self.history.filter(|history| *history != History::Unknown)?;
        Some(recorded.name() == self.change.name())
    }
}

/// The effect of every variant but the baseline, in the order of the runs; the baseline is the first variant
/// unless one is named. Of runs whose scenarios are not in the document, recycling counts from the start.
pub fn effects(document: &Document, runs: &[Run], baseline: Option<&str>) -> Vec<Effect> {
    let Some(baseline) = baseline.or(runs.first().map(|run| run.variant.as_str())) else { return vec![] };
    let mut variants: Vec<&str> = runs.iter().map(|run| run.variant.as_str()).collect();
    variants.dedup();
    variants.retain(|variant| *variant != baseline);
    variants.into_iter().filter_map(|variant| effect(document, runs, (baseline, variant))).collect()
}

fn effect(document: &Document, runs: &[Run], (baseline, variant): (&str, &str)) -> Option<Effect> {
    let courses = document.scenario(baseline).zip(document.scenario(variant));
    let of = |variant: &'_ str| runs.iter().filter(move |run| run.variant == variant).collect::<Vec<_>>();
    let (ours, theirs) = (of(variant), of(baseline));
    let nodes = theirs.first()?.measured.nodes.iter();
    let lifetime = nodes.filter_map(|node| node.lifetime).max().unwrap_or(Span::ZERO);
    let from = match courses.and_then(|(before, after)| parting(before, after)) {
        Some(at) if at > Time::ZERO => at + lifetime,
        _ => Time::ZERO,
    };
    let pair = |their: &&Run| {
        let our = ours.iter().find(|run| run.seed == their.seed)?;
        let pair = (recycling(their, from), recycling(our, from));
        let doubts = doubts((&their.measured, &our.measured), (pair.0.spikes, pair.1.spikes), from);
        Some((pair, doubts))
    };
    let (pairs, doubts): (Vec<_>, Vec<_>) = theirs.iter().filter_map(pair).unzip();
    let history = courses.and_then(|(_, after)| after.file.variant.get(variant)?.history);
    let (variant, baseline) = (variant.to_owned(), baseline.to_owned());
    let change = unless_doubted(judge(&pairs, lifetime), doubts.into_iter().flatten());
    (!pairs.is_empty()).then_some(Effect { variant, baseline, change, from, pairs, history })
}

/// A word, or the first doubt that undermines it.
fn unless_doubted(word: HerdChange, mut doubts: impl Iterator<Item = Doubt>) -> HerdChange {
    doubts.find(|doubt| doubt.undermines(word)).map_or(word, HerdChange::CannotTell)
}

/// The first instant at which two variants of a scenario stand differently; `None` if they never do.
fn parting(one: &Scenario, other: &Scenario) -> Option<Time> {
    if world(&one.file) != world(&other.file) {
        return Some(Time::ZERO);
    }
    let alike = |a: &Moment, b: &Moment| {
        let stands = |moment: &Moment| moment.stands.as_deref().map(world);
        a.at == b.at && a.begins == b.begins && a.deed == b.deed && stands(a) == stands(b)
    };
    let same = one.timeline.iter().zip(&other.timeline).take_while(|(a, b)| alike(a, b)).count();
    let next = [one, other].into_iter().filter_map(|scenario| scenario.timeline.get(same));
    next.map(|moment| moment.at).min()
}

/// What of a file can change a run at an instant.
fn world(file: &File) -> File {
    let mut world = file.clone();
    (world.title, world.question) = (String::new(), String::new());
    world.seeds.clear();
    world.compare.clear();
    world.event.clear();
    world.variant.clear();
    world.expect.clear();
    world.sweep = None;
    world.source.clear();
    world
}

/// With fewer users served than this share of them a side does not answer well.
const SERVED: f64 = 0.9;
/// Users served that lie further apart than this are of fleets that do not fare alike.
const APART: f64 = 0.05;

/// Why the recycle spikes of two runs from an instant on tell less than they seem to.
fn doubts((before, after): (&Measured, &Measured), spiking: (usize, usize), from: Time) -> Vec<Doubt> {
    let window = Window { from, ..Window::whole() };
    if from + BIN > Time::ZERO + before.duration.min(after.duration) && from > Time::ZERO {
        return vec![Doubt::NoTime];
    }
    let shared = before.services.iter().map(|one| one.service.as_str());
    let shared: Vec<&str> =
        shared.filter(|name| after.services.iter().any(|other| other.service == *name)).collect();
    let sides = [before, after];
    let silent = |name: &str| sides.map(|side| spikes(side, name, &window).is_nan());
    let one_is_silent = shared.iter().any(|name| silent(name)[0] != silent(name)[1]);
    let services = shared.into_iter().map(Some).chain([None]);
    let ok: Vec<[f64; 2]> =
        services.map(|service| sides.map(|side| users_ok(side, service, &window))).collect();
    // What nobody asks for on either side is no matter, nor is a service of attackers alone.
    let asked_on_one = ok.iter().any(|[before, after]| before.is_nan() != after.is_nan());
    if one_is_silent || asked_on_one || sides.iter().any(|side| !serves(side, &window)) {
        return vec![Doubt::NobodyServed];
    }
    let mut doubts = Vec::new();
    if spiking.0 <= spiking.1 && ok.iter().any(|[before, after]| calm_for_want_of_service(*before, *after)) {
        doubts.push(Doubt::BaselineSaturated);
    }
    if spiking.1 <= spiking.0 && ok.iter().any(|[before, after]| calm_for_want_of_service(*after, *before)) {
        doubts.push(Doubt::VariantSaturated);
    }
    doubts
}

/// Whether a side that serves this share of its users may have no more spikes than the other because of that.
fn calm_for_want_of_service(calm: f64, other: f64) -> bool {
    calm < other - APART || calm < SERVED && calm < other + APART
}

/// The recycle spikes of a service; NaN where it answers nobody.
fn spikes(measured: &Measured, service: &str, window: &Window) -> f64 {
    summary::value(Metric::RecycleSpikes, measured, service, None, window)
}

/// Whether any service answers anybody.
fn serves(measured: &Measured, window: &Window) -> bool {
    measured.services.iter().any(|one| !spikes(measured, &one.service, window).is_nan())
}

/// The share of users' wishes that a service fulfils, or all of them; NaN where there are none.
fn users_ok(measured: &Measured, service: Option<&str>, window: &Window) -> f64 {
    let users = measured.classes.iter().filter(|class| class.label == Label::Legitimate);
    let mine = users.filter(|class| service.is_none_or(|service| class.service == service));
    let (mut ok, mut failed) = (0, 0);
    for (_, bin) in mine
        .flat_map(|class| class.bins.iter().enumerate())
        .filter(|(place, _)| window.holds_bin(Time::ZERO + BIN * *place as u64))
    {
        (ok, failed) = (ok + u64::from(bin.fulfilled), failed + u64::from(bin.given_up));
    }
    ok as f64 / (ok + failed) as f64
}

fn recycling(run: &Run, from: Time) -> Recycling {
    let measured = &run.measured;
    let window = Window { from, ..Window::whole() };
    let services = measured.services.iter();
    let spikes = services.flat_map(|service| recycle_spikes(measured, &service.service));
    let herd = |storm: &&crate::measure::Storm| {
        storm.cause == Cause::Lifetime && window.holds(storm.at) && is_herd(measured, storm)
    };
    let (served, herds) = (serves(measured, &window), measured.storms.iter().filter(herd).count());
    let mut all = Recycling { served, herds, ..Recycling::default() };
    for spike in spikes.filter(|spike| window.holds_bin(spike.from)) {
        all.spikes += 1;
        all.seconds += spike.to.since(spike.from).as_secs();
        let peak = spike.recycle.as_ref().map(|recycle| recycle.at);
        all.first = all.first.into_iter().chain(peak).min();
    }
    all
}

/// The word for pairs of baseline and variant.
fn judge(pairs: &[(Recycling, Recycling)], lifetime: Span) -> HerdChange {
    let none =
        |pick: fn(&(Recycling, Recycling)) -> Recycling| pairs.iter().all(|pair| pick(pair).spikes == 0);
    let (baseline_calm, variant_calm) = (none(|pair| pair.0), none(|pair| pair.1));
    if baseline_calm && variant_calm {
        return HerdChange::NothingToCure;
    }
    if variant_calm && pairs.iter().all(|pair| pair.0.spikes > 0) {
        return HerdChange::Cures;
    }
    let delay = mid(pairs.iter().filter_map(delay).collect());
    if delay.is_finite() && delay >= lifetime.as_secs() && delay > 0.0 {
        return HerdChange::Delays(Span::from_secs_f64(delay));
    }
    let (spikes, seconds) = (
        difference(pairs, 1.0, |one| one.spikes as f64),
        difference(pairs, BIN.as_secs(), |one| one.seconds),
    );
    // Fewer but longer, or more but shorter: what counts is for how long users suffer.
    let side = if side(&seconds) == 0 { side(&spikes) } else { side(&seconds) };
    match side {
        1 => HerdChange::MakesWorse,
        -1 => HerdChange::Eases,
        _ => HerdChange::None,
    }
}

/// By how many seconds the variant's first spike is later; never is later than any time.
fn delay((before, after): &(Recycling, Recycling)) -> Option<f64> {
    let seconds = |one: &Recycling| one.first.map_or(f64::INFINITY, |at| at.as_secs());
    let delay = seconds(after) - seconds(before);
    (!delay.is_nan()).then_some(delay)
}

/// 1 for more, −1 for less, 0 where zero cannot be ruled out.
fn side(difference: &Mean) -> i8 {
    let (low, high) = difference.interval.unwrap_or((difference.mean, difference.mean));
    i8::from(low > 0.0) - i8::from(high < 0.0)
}

/// The difference of what is told by steps of so much.
fn difference(pairs: &[(Recycling, Recycling)], step: f64, value: fn(&Recycling) -> f64) -> Mean {
    let value = |one: &Recycling| if one.served { value(one) } else { f64::NAN };
    let differences: Vec<f64> = pairs.iter().map(|(before, after)| value(after) - value(before)).collect();
    Mean::of_differences(&differences, step, 0.0)
}

#[cfg(test)]
#[path = "effect_tests.rs"]
mod tests;
