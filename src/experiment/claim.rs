//! An expectation in words: what is said to hold, of what, when and within which bounds.

use crate::scenario::grammar::{Bound, Expect, Relative};
use crate::scenario::proof;
use serde_json::Value;

/// What an expectation says, in words.
pub(super) fn claim(expect: &Expect) -> String {
    let cause = expect.cause.map_or(String::new(), |cause| format!("{{{}}}", cause.name()));
    let mut claim = format!("{}{cause} of {}", expect.metric.name(), expect.of);
    if let Some(after) = &expect.after {
        claim += &format!(" after {after}");
    }
    if let Some(until) = &expect.until {
        claim += &format!(" until {until}");
    }
    if !expect.except.is_empty() {
        claim += &format!(" except {}", expect.except.join(", "));
    }
    for (sign, limit) in ["≥", "≤"].into_iter().zip(expect.bounds()) {
        if let Some(limit) = limit {
            claim += &format!(" {sign} {}", words(limit));
        }
    }
    match expect.share {
        Some(share) => claim + &format!(" with {} % of all seeds", proof::percent(share.0)),
        None => claim,
    }
}

/// `5%`, `1.3 × variant.as-it-happened`, `variant.as-it-happened − 10%`.
pub(super) fn words(bound: &Bound) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match bound {
        Bound::Value(value) => plain(value),
        Bound::Relative(Relative { times: Some(times), of, .. }) => format!("{times} × {of}"),
        Bound::Relative(Relative { plus, of, .. }) => {
            let plus = plus.as_ref().map(plain).unwrap_or_default();
            match plus.strip_prefix('-') {
                Some(less) => format!("{of} − {less}"),
                None => format!("{of} + {plus}"),
            }
        }
    }
}

/// A bound of a share in per cent, to a tenth.
pub(super) fn tenths(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}
