//! A snapshot as a program reads it.

use super::{About, SCHEMA_VERSION, calendar, words};
use crate::engine::time::{Span, Time};
use crate::measure::lifetime::Lifetime;
use crate::measure::snapshot::{Bunching, Group, Snapshot, Storm, jitter};
use serde_json::{Value, json};

/// One object; every time is UTC, every duration in seconds.
pub fn json(seen: &Snapshot, about: &About) -> Value {
    let ages = &seen.ages;
    json!({
        "schema_version": SCHEMA_VERSION,
        "verdict": match seen.verdict {
            Bunching::Bunched => "bunched",
            Bunching::NotBunched => "not-bunched",
            Bunching::CannotTell => "cannot-tell",
        },
        "summary": words::verdict(seen),
        "reasons": words::reasons(seen, about),
        "now": instant(seen.now),
        "now_from": about.now_from.name(),
        "application": about.application,
        "connections": ages.len(),
        "left_out": about.left_out,
        "age_s": {
            "oldest": ages.last().map(|age| age.as_secs()),
            "median": ages.get(ages.len() / 2).map(|age| age.as_secs()),
            "newest": ages.first().map(|age| age.as_secs()),
        },
        "lifetime": lifetime(&seen.lifetime, super::may_be_a_rollout(seen, about)),
        "overdue": seen.overdue,
        "most_in_1s": seen.most_in_1s,
        "most_in_1s_share": seen.share(seen.most_in_1s),
        "most_in_1s_p": seen.chance,
        "storm_size": seen.storm_size,
        "even_rate_per_s": seen.even_rate(),
        "largest_cluster_1pct": seen.cycle.largest_cluster_1pct,
        "nine_tenths_s": seen.nine_tenths.as_secs(),
        "phase_lock": {
            "r1": seen.cycle.phase_lock_r1,
            "r1_p": seen.cycle.rayleigh_p,
            "r2": seen.cycle.phase_lock_r2,
            "r2_p": seen.rayleigh_p2,
            "r_resolved": seen.resolved_r(),
            "r1_possible": seen.possible_r(),
        },
        "storms": seen.storms.iter().map(|one| storm(seen, one)).collect::<Vec<_>>(),
        "rate_per_s": about.rate,
        "jitter_s": jitter(seen.storms.first().map_or(ages.len(), |storm| storm.births), about.rate).as_secs(),
        "groups": seen.groups.iter().map(group).collect::<Vec<_>>(),
    })
}

fn group(group: &Group) -> Value {
    json!({
        "application": group.application,
        "client": group.client,
        "connections": group.connections,
        "oldest_s": group.oldest.as_secs(),
        "most_in_1s": group.most_in_1s,
    })
}

fn instant(at: Time) -> Option<String> {
    calendar(at).map(|at| at.to_string())
}

fn storm(seen: &Snapshot, storm: &Storm) -> Value {
    json!({
        "due": seen.lifetime.is_known().then(|| instant(seen.due(storm.from))),
        "born": instant(storm.from),
        "width_s": storm.width.as_secs(),
        "connections": storm.births,
        "share": seen.share(storm.births),
        "most_in_1s": storm.most_in_1s,
    })
}

fn lifetime(lifetime: &Lifetime, doubtful: bool) -> Value {
    let seconds = Span::as_secs;
    match lifetime {
        Lifetime::Given(given) => json!({ "s": seconds(*given), "from": "given" }),
        Lifetime::Guessed { lifetime, least, most, sure } => json!({
            "s": seconds(*lifetime),
            "from": if *sure && !doubtful { "guessed-fairly-sure" } else { "guessed" },
            "least_s": seconds(*least),
            "most_s": seconds(*most),
        }),
        Lifetime::Unknown { assumed, least } => json!({
            "s": null,
            "from": "unknown",
            "clock_s": seconds(*assumed),
            "least_s": seconds(*least),
        }),
    }
}
