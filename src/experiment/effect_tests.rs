//! The words on made-up pairs, and where variants part.

use super::*;
use crate::measure::recorder::Meter;
use crate::measure::{ClassMeasured, ServiceMeasured};
use crate::scenario::grammar::Outcome;

const L: Span = Span::from_secs(900);

/// A run with so many spikes of 20 s, the first at this second.
fn spikes(spikes: usize, first: u64) -> Recycling {
    let first = (spikes > 0).then_some(Time::ZERO + Span::from_secs(first));
    Recycling { served: true, spikes, seconds: 20.0 * spikes as f64, herds: spikes, first }
}

fn judged(pairs: &[(usize, usize)]) -> HerdChange {
    let pairs: Vec<_> =
        pairs.iter().map(|(before, after)| (spikes(*before, 100), spikes(*after, 200))).collect();
    judge(&pairs, L)
}

#[test]
fn each_word_has_its_meaning() {
    assert_eq!(judged(&[(4, 0), (2, 0)]), HerdChange::Cures);
    assert_eq!(judged(&[(0, 0), (0, 0)]), HerdChange::NothingToCure);
    assert_eq!(judged(&[(4, 0), (0, 0)]), HerdChange::None, "one seed of two proves no cure, and t is wide");
    assert_eq!(judged(&[(8, 2), (9, 3), (10, 4)]), HerdChange::Eases);
    assert_eq!(judged(&[(8, 2), (9, 12), (10, 4)]), HerdChange::None, "the seeds do not agree");
    assert_eq!(judged(&[(2, 8), (3, 9), (4, 10)]), HerdChange::MakesWorse);
    assert_eq!(judged(&[(0, 8), (0, 9), (0, 10)]), HerdChange::MakesWorse, "a herd that was not there");
    assert_eq!(judged(&[(4, 4), (5, 5)]), HerdChange::None);
}

#[test]
fn one_seed_is_compared_plainly() {
    assert_eq!(judged(&[(4, 3)]), HerdChange::Eases);
    assert_eq!(judged(&[(4, 4)]), HerdChange::None);
    assert_eq!(judged(&[(4, 5)]), HerdChange::MakesWorse);
}

#[test]
fn a_delay_is_a_lifetime_or_more_in_the_median() {
    let pair = |before, after| (spikes(4, before), spikes(2, after));
    let gone = (spikes(4, 100), spikes(0, 0));
    assert_eq!(judge(&[pair(100, 5500)], L), HerdChange::Delays(Span::from_secs(5400)));
    assert_eq!(judge(&[pair(100, 999)], L), HerdChange::Eases, "899 s are no lifetime");
    let three = [pair(100, 200), pair(100, 2000), gone];
    assert_eq!(judge(&three, L), HerdChange::Delays(Span::from_secs(1900)), "never is later than any time");
    assert_eq!(judge(&[pair(100, 2000), gone, gone], L), HerdChange::Eases, "mostly never: no time to name");
}

#[test]
fn where_spikes_and_their_seconds_disagree_the_seconds_decide() {
    let fewer_but_longer = Recycling { spikes: 2, seconds: 300.0, ..spikes(2, 100) };
    assert_eq!(judge(&[(spikes(4, 100), fewer_but_longer)], L), HerdChange::MakesWorse);
}

/// Paired differences 1, 2, 3: mean 2, s = 1, t = 4.303 over √3.
#[test]
fn intervals_are_students() {
    let pairs = [(spikes(0, 0), spikes(1, 0)), (spikes(0, 0), spikes(2, 0)), (spikes(0, 0), spikes(3, 0))];
    let difference = difference(&pairs, 1.0, |one| one.spikes as f64);
    let (low, high) = difference.interval.expect("three seeds");
    assert_eq!(difference.mean, 2.0);
    assert!((high - 4.484).abs() < 1e-3 && (low + 0.484).abs() < 1e-3, "{low}..{high}");
}

#[test]
fn variants_part_where_their_courses_do() {
    let text = format!(
        r#"{}
[event.upgrade]
at = "30s"
[event.upgrade.set]
"postgres.primary.cores" = 4
[event.deploy]
enabled = false
at = "45s"
do = {{ deploy = "api" }}
[event.crash]
at = "50s"
do = {{ restart = "primary" }}
[variant.same]
why = "another word for the same"
[variant.cores.set]
"postgres.primary.cores" = 3
[variant.no-upgrade]
history = "cures"
[variant.no-upgrade.set]
"event.upgrade.enabled" = false
[variant.later.set]
"event.upgrade.at" = "40s"
[variant.deploy.set]
"event.deploy.enabled" = true
[variant.another-deed.set]
"event.crash.do" = {{ deploy = "api" }}
"#,
        include_str!("../../tests/scenario/base.toml")
    );
    let (document, _) = Document::from_text("test.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let baseline = document.scenario("as-written").unwrap();
    let parted = |variant: &str| parting(baseline, document.scenario(variant).unwrap());
    let second = |seconds| Some(Time::ZERO + Span::from_secs(seconds));
    assert_eq!(parted("same"), None);
    assert_eq!(parted("cores"), second(0));
    assert_eq!(parted("no-upgrade"), second(30));
    assert_eq!(parted("later"), second(30));
    assert_eq!(parted("deploy"), second(45));
    assert_eq!(parted("another-deed"), second(50));
    assert_eq!(baseline.file.variant["no-upgrade"].history, Some(History::Cures));
}

/// What was born before the parting has been recycled once when the longest lifetime of all nodes is over.
#[test]
fn recycling_counts_from_one_longest_lifetime_after_the_parting() {
    let text = format!(
        r#"{}
[postgres.other]
like = "primary"
[service.api.pool.other]
preset = "pgxpool"
max = 10
max_lifetime = "5m"
[event.upgrade]
at = "30s"
[event.upgrade.set]
"postgres.primary.cores" = 8
[variant.no-upgrade.set]
"event.upgrade.enabled" = false
"#,
        include_str!("../../tests/scenario/base.toml")
    );
    let (document, _) = Document::from_text("test.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let runs = ["as-written", "no-upgrade"].map(|variant| {
        let measured = Meter::new(document.scenario(variant).unwrap(), 1).finish(&[], 0);
        Run { variant: variant.into(), seed: 1, measured }
    });
    let found = effects(&document, &runs, None);
    assert_eq!(found[0].from, Time::ZERO + Span::from_secs(30) + L);
}

/// A run of an hour: of every bin of ten seconds so many wishes are fulfilled and so many given up.
fn fleet(fulfilled: u32, given_up: u32) -> Measured {
    let text = include_str!("../../tests/scenario/base.toml");
    let (document, _) = Document::from_text("test.toml", text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut measured = Meter::new(document.scenario("as-written").unwrap(), 1).finish(&[], 0);
    for bin in &mut measured.classes[0].bins {
        (bin.fulfilled, bin.given_up) = (fulfilled, given_up);
        (bin.ended[Outcome::Ok as usize], bin.ended[Outcome::PoolTimeout as usize]) = (fulfilled, given_up);
    }
    measured
}

/// A fleet that serves nobody, or few, has fewer spikes than one that is well, and is no better.
#[test]
fn calm_for_want_of_service_is_no_cure() {
    let of = |before: (u32, u32), after: (u32, u32), spikes: (usize, usize)| {
        doubts((&fleet(before.0, before.1), &fleet(after.0, after.1)), spikes, Time::ZERO)
    };
    let told = |before, after| of(before, after, (0, 0));
    let (baseline, variant) = (Doubt::BaselineSaturated, Doubt::VariantSaturated);
    assert_eq!(told((100, 0), (96, 4)), []);
    assert_eq!(told((100, 0), (0, 0)), [Doubt::NobodyServed], "nobody came");
    assert_eq!(told((100, 0), (0, 100)), [Doubt::NobodyServed], "nobody was let in");
    assert_eq!(told((0, 0), (0, 0)), [Doubt::NobodyServed], "on either side");
    assert_eq!(told((0, 0), (100, 0)), [Doubt::NobodyServed], "nor where the baseline is down");
    assert_eq!(told((35, 65), (100, 0)), [baseline], "nor where it is saturated");
    assert_eq!(told((100, 0), (94, 6)), [variant], "far apart");
    assert_eq!(told((88, 12), (88, 12)), [baseline, variant], "alike, and ill");
    assert_eq!(of((70, 30), (100, 0), (8, 0)), [], "a herd that hurts, and its cure");
    assert_eq!(of((70, 30), (88, 12), (8, 2)), [], "better in both");
    assert_eq!(of((100, 0), (70, 30), (8, 0)), [variant], "who does not answer is calm");
    assert_eq!(of((35, 65), (100, 0), (0, 3)), [baseline], "it was calm for the same reason");
    assert_eq!(of((100, 0), (70, 30), (0, 8)), [], "worse in both");
}

/// What is worse than it looks is still worse; only what contradicts it is in doubt.
#[test]
fn a_starving_baseline_does_not_cast_doubt_on_its_remedy() {
    let words = [HerdChange::Cures, HerdChange::Eases, HerdChange::None, HerdChange::MakesWorse];
    let undermined = |doubt: Doubt| words.map(|word| doubt.undermines(word));
    assert_eq!(undermined(Doubt::BaselineSaturated), [false, false, true, true]);
    assert_eq!(undermined(Doubt::VariantSaturated), [true, true, true, false]);
    assert_eq!(undermined(Doubt::NobodyServed), [true; 4]);
    let told = |word| unless_doubted(word, [Doubt::BaselineSaturated, Doubt::VariantSaturated].into_iter());
    let doubted = [Doubt::VariantSaturated, Doubt::BaselineSaturated].map(HerdChange::CannotTell);
    assert_eq!([HerdChange::Eases, HerdChange::MakesWorse].map(told), doubted, "each by the other side");
    assert_eq!(unless_doubted(HerdChange::Cures, [Doubt::BaselineSaturated].into_iter()), HerdChange::Cures);
}

/// A service that a variant does away with, or adds, has nothing to be held against. One of both sides that
/// users ask on one side only tells nothing.
#[test]
fn only_services_of_both_sides_are_compared() {
    let alone = fleet(100, 0);
    let mut with_another = fleet(100, 0);
    let of_another = ClassMeasured { service: "another".into(), ..with_another.classes[0].clone() };
    with_another.classes.push(of_another);
    with_another.services.push(ServiceMeasured { service: "another".into(), nodes: vec![], bins: vec![] });
    let told = |before, after| doubts((before, after), (0, 0), Time::ZERO);
    assert_eq!([told(&alone, &with_another), told(&with_another, &alone)], [[], []]);
    let mut of_attackers = with_another.clone();
    of_attackers.classes[1].label = Label::Abusive;
    let nobody = [Doubt::NobodyServed];
    assert_eq!([told(&of_attackers, &with_another), told(&with_another, &of_attackers)], [nobody, nobody]);
}

#[test]
fn where_no_time_is_left_nothing_is_judged() {
    let told = |second| doubts((&fleet(9, 0), &fleet(9, 0)), (0, 0), Time::ZERO + Span::from_secs(second));
    assert_eq!(
        [told(0), told(3590), told(3591), told(7200)],
        [vec![], vec![], vec![Doubt::NoTime], vec![Doubt::NoTime]]
    );
}
