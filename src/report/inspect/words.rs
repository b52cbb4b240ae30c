//! The words for a verdict: what it is, what it rests on, what comes next.

use super::{About, chance, clock, may_be_a_rollout, span};
use crate::engine::time::Span;
use crate::measure::SECOND;
use crate::measure::lifetime::Lifetime;
use crate::measure::snapshot::{Bunching, CHANCE, FEW, SLACK, Snapshot, Storm, jitter};
use crate::measure::storms::STORM_SHARE;
use crate::report::human;

/// More than 95 % of what chance gives, which happens once in twenty: a hint of phase lock, no more.
const DOUBTFUL: f64 = 0.05;
/// Storms that are told one by one.
const STORMS: usize = 4;
/// Nine tenths of the starts within less of the clock than this are a rollout.
const NARROW: f64 = 0.45;

/// The verdict in a line.
pub fn verdict(seen: &Snapshot) -> String {
    let n = seen.births.len();
    let most = seen.most_in_1s;
    match (seen.verdict, seen.storms.as_slice()) {
        (Bunching::Bunched, [storm]) => {
            format!("BUNCHED: {} were started within {}", of_all(seen, storm.births), within(storm))
        }
        (Bunching::Bunched, storms) => {
            let sizes: Vec<String> =
                storms.iter().take(STORMS).map(|storm| human::count(storm.births as u64)).collect();
            let more = if storms.len() > STORMS { ", …" } else { "" };
            let (number, n) = (storms.len(), human::count(n as u64));
            format!("BUNCHED in {number} groups: {}{more} of {n} connections", sizes.join(" + "))
        }
        (Bunching::NotBunched, _) => {
            format!("NOT BUNCHED: no second holds the starts of more than {}", of_all(seen, most))
        }
        (Bunching::CannotTell, _) if n == 0 => "CANNOT TELL: there are no connections".to_owned(),
        (Bunching::CannotTell, _) => {
            let size = if n == 1 {
                "1 connection is"
            } else {
                &format!("{} connections are", human::count(n as u64))
            };
            format!("CANNOT TELL: {size} too few; the fullest second holds the starts of {most}")
        }
    }
}

/// `100 of 110 connections (91%)`.
fn of_all(seen: &Snapshot, count: usize) -> String {
    let all = seen.births.len();
    let share = human::share(seen.share(count));
    format!("{} of {} connections ({share})", human::count(count as u64), human::count(all as u64))
}

/// What the verdict rests on, a sentence each.
pub fn reasons(seen: &Snapshot, about: &About) -> Vec<String> {
    if seen.births.is_empty() {
        return vec![nobody(about)];
    }
    let mut reasons = vec![fullest(seen)];
    if seen.verdict == Bunching::CannotTell {
        reasons.push(too_few(seen));
    }
    reasons.push(phase_lock(seen));
    if seen.verdict != Bunching::Bunched && seen.cycle.rayleigh_p < CHANCE && is_narrow(seen) {
        reasons.push(format!(
            "90% of all starts lie within {} of the clock: that is a rollout or a slow start, not a storm in one second; \
             it comes back as slowly as it came",
            span(seen.nine_tenths)
        ));
    }
    if seen.overdue > 0 {
        reasons.push(overdue(seen));
    }
    if let Some(worst) = seen.storms.iter().map(|storm| storm.most_in_1s).max()
        && worst as f64 <= about.rate
    {
        let rate = human::number(about.rate);
        reasons.push(format!(
            "small all the same: {worst} starts in a second are within the {rate}/s of --rate"
        ));
    }
    reasons
}

/// Whether nearly all starts lie within a part of the clock: half of what nine tenths of even ones take.
fn is_narrow(seen: &Snapshot) -> bool {
    seen.nine_tenths < seen.lifetime.span().scale(NARROW)
}

fn nobody(about: &About) -> String {
    match about.left_out {
        0 => "the table has no rows; a role without pg_read_all_stats sees only its own sessions".to_owned(),
        n => format!(
            "all {} rows lack backend_start or state: background processes, or sessions that this role may not see \
             (grant it pg_read_all_stats)",
            human::count(n as u64)
        ),
    }
}

fn fullest(seen: &Snapshot) -> String {
    let even = seen.even_rate();
    let head = format!(
        "the fullest second holds {} of the starts ({}), the fullest 1% of the lifetime {}; evenly spread it would be \
         {} a second",
        human::count(seen.most_in_1s as u64),
        human::share(seen.share(seen.most_in_1s)),
        human::share(seen.cycle.largest_cluster_1pct),
        human::number(even),
    );
    let odds = chance(seen.chance);
    match seen.chance < CHANCE {
        false => format!("{head}, and chance explains it ({odds})"),
        true if seen.verdict == Bunching::Bunched => {
            format!("{head}, and chance does not explain it ({odds})")
        }
        true => {
            let share = human::share(STORM_SHARE);
            format!("{head}; chance does not explain it ({odds}), but a storm is {share} and more")
        }
    }
}

fn too_few(seen: &Snapshot) -> String {
    let n = seen.births.len();
    let groups = match seen.telling {
        Some(telling) if telling <= n => format!(
            "with {n} on a clock of {} only a second of {telling} or more ({}) would stand out from chance",
            span(seen.lifetime.span()),
            human::share(seen.share(telling))
        ),
        _ if n == 1 => "one is in step with itself".to_owned(),
        _ => format!("even all {n} in one second might be chance"),
    };
    if n < FEW { format!("{groups}; below {FEW} connections nothing is called not bunched") } else { groups }
}

fn phase_lock(seen: &Snapshot) -> String {
    let (r1, r2) = (seen.cycle.phase_lock_r1, seen.cycle.phase_lock_r2);
    let (p1, p2) = (seen.cycle.rayleigh_p, seen.rayleigh_p2);
    let figures = format!("R1 = {r1:.2} ({}), R2 = {r2:.2} ({})", chance(p1), chance(p2));
    let n = seen.births.len() as u64;
    if n == 1 {
        return "a phase lock is seen only between connections, and this is one".to_owned();
    }
    let of = format!("of {} connections", human::count(n));
    let limits = format!("{of} chance alone gives up to {:.2} (95%)", seen.resolved_r());
    if p2 < CHANCE && p1 >= CHANCE {
        format!("in step in two opposite groups: {figures}; {limits}")
    } else if p1 < CHANCE {
        format!("in step: {figures}; {limits}")
    } else if p1 < DOUBTFUL || p2 < DOUBTFUL {
        format!("perhaps in step, not surely: {figures}; {limits}, and more once in twenty")
    } else {
        let possible = seen.possible_r();
        format!(
            "no phase lock is seen: {figures}; {limits}, and a true R1 up to {possible:.2} cannot be excluded"
        )
    }
}

fn overdue(seen: &Snapshot) -> String {
    let lifetime = seen.lifetime.span();
    format!(
        "{} are older than {} and a slack of {}: the lifetime is another, or is only checked on use, or these are \
         not the pool's; do not trust the times below",
        of_all(seen, seen.overdue),
        span(lifetime),
        span(lifetime.scale(SLACK))
    )
}

/// What the clock is, and how sure that is.
pub fn lifetime(seen: &Snapshot, about: &About) -> String {
    let oldest = seen.ages.last().copied().unwrap_or(Span::ZERO);
    match seen.lifetime {
        Lifetime::Given(given) if oldest <= given => {
            format!("{}, as given; no connection is older", span(given))
        }
        Lifetime::Given(given) if seen.overdue == 0 => {
            let slack = span(given.scale(SLACK));
            format!("{}, as given; the oldest is {}, within a slack of {slack}", span(given), span(oldest))
        }
        Lifetime::Given(given) => {
            format!("{}, as given; {} are older (see above)", span(given), human::count(seen.overdue as u64))
        }
        Lifetime::Guessed { lifetime, least, most, sure } => {
            let doubtful = may_be_a_rollout(seen, about);
            let how = if sure && !doubtful { "fairly sure: it is the only common one" } else { "a guess" };
            let range = format!("between {} and {} (95%)", span(least), span(most));
            let unless = match doubtful {
                true => {
                    " unless they were first opened that long ago, as by a rollout: give --lifetime or --now"
                }
                false => "",
            };
            format!("about {}, {how}; ages are spread evenly, so it lies {range}{unless}", span(lifetime))
        }
        Lifetime::Unknown { assumed, least } => format!(
            "unknown, at least {}: the ages are too few or not spread evenly, and then one snapshot cannot tell; drawn on a \
             clock of {}. Give --lifetime, or look again from time to time: the age at which the oldest are replaced is it",
            span(least),
            span(assumed)
        ),
    }
}

/// What comes next, and what would help.
pub fn next(seen: &Snapshot, about: &About) -> Vec<String> {
    let mut lines = Vec::new();
    if !seen.lifetime.is_known() {
        lines.push("when it comes due cannot be said without the lifetime".to_owned());
    } else if seen.storms.is_empty() {
        let (from, most) = seen.fullest();
        lines.push(format!(
            "no storm is known to be due; the fullest second ahead starts {}, at {}",
            human::count(most as u64),
            clock(seen.due(from), seen.now)
        ));
    } else {
        let mut storms: Vec<&Storm> = seen.storms.iter().take(STORMS).collect();
        storms.sort_by_key(|storm| storm.from);
        lines.extend(storms.into_iter().map(|storm| due(seen, storm)));
        lines.push("if each lives as long as the lifetime says: jitter would widen it".to_owned());
    }
    lines.push(spread(seen, about));
    lines
}

fn due(seen: &Snapshot, storm: &Storm) -> String {
    let at = seen.due(storm.from);
    let when = if storm.from + storm.width > seen.now {
        "under way now, and again".to_owned()
    } else {
        format!("in {}", span(at.since(seen.now)))
    };
    format!("{} ({when}): {} within {}", clock(at, seen.now), of_all(seen, storm.births), within(storm))
}

/// How long a storm lasts, and its fullest second where that is not all of it.
fn within(storm: &Storm) -> String {
    match storm.width {
        width if width < SECOND => "one second".to_owned(),
        width if width < SECOND.scale(1.1) => "about one second".to_owned(),
        width => format!("{}, up to {} in one second", span(width), human::count(storm.most_in_1s as u64)),
    }
}

/// How much jitter would keep the connects at the rate in the mean; the busiest second of so many holds more.
fn spread(seen: &Snapshot, about: &About) -> String {
    let rate = format!("{}/s (--rate)", human::number(about.rate));
    let all = seen.births.len();
    let largest = seen.storms.first().map_or(all, |storm| storm.births);
    let lifetime = seen.lifetime.span();
    let (need, worst) = (jitter(largest, about.rate), jitter(all, about.rate));
    if worst > lifetime {
        return format!(
            "even spread over the whole {} they start {} a second: for {rate} raise the lifetime to {} or hold fewer",
            span(lifetime),
            human::number(seen.even_rate()),
            span(worst)
        );
    }
    let up = |width: Span| span(Span::from_secs(width.as_secs().ceil().max(1.0) as u64));
    if seen.storms.is_empty() {
        let width = up(worst);
        return format!(
            "a jitter of at least {width} on the lifetime spreads even all in step to {rate} on average"
        );
    }
    let whole = if largest < all { format!("; all in step would need {}", up(worst)) } else { String::new() };
    let width = up(need);
    format!(
        "a jitter of at least {width} on the lifetime spreads the largest group to {rate} on average{whole}"
    )
}
