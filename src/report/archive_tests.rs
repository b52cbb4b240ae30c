//! What is stored reads back the same; what cannot be read says why.

use super::*;
use crate::report::{synthetic, synthetic_outage};

#[test]
fn what_is_stored_reads_back_the_same() {
    let mut odd = synthetic::run("jitter", u64::MAX, false);
    odd.measured.nodes[0].cycles[0].fano = f64::NAN;
    odd.measured.nodes[0].lifetime = None;
    odd.measured.nodes[0].herd_gain = Some(2.25);
    odd.measured.levels[0].bins[0].mean = 0.1 + 0.2;
    let runs = [synthetic::run("as-written", 1, true), odd, synthetic::nothing()];
    let text = to_json(&synthetic::header(), &runs).unwrap();
    let (header, back) = from_json(&text).unwrap();
    assert_eq!(header, synthetic::header());
    assert_eq!(to_json(&header, &back).unwrap(), text);
    assert_eq!(
        runs[0].measured.classes[0].latency_us, back[0].measured.classes[0].latency_us,
        "histograms are equal, not merely alike"
    );
    let [there, again] = [&runs[0], &back[0]].map(|run| &run.measured);
    assert!(!there.storms.is_empty() && there.storms == again.storms);
    assert!(!there.closeups.is_empty() && there.closeups == again.closeups);
    assert!(there.spikes[0].recycle.is_some() && there.spikes == again.spikes);
    assert!(back[1].measured.nodes[0].cycles[0].fano.is_nan());
    let gains = [0, 1].map(|run| back[run].measured.nodes[0].herd_gain);
    assert_eq!(gains, [None, Some(2.25)]);
}

#[test]
fn an_outage_reads_back_the_same() {
    let runs = [synthetic_outage::run("outage-mode", true)];
    let text = to_json(&synthetic::header(), &runs).unwrap();
    let (_, back) = from_json(&text).unwrap();
    let [there, again] = [&runs[0], &back[0]].map(|run| &run.measured);
    assert_eq!((&there.stretches, &there.classes[0].served), (&again.stretches, &again.classes[0].served));
    assert_eq!(there.classes[0].bins, again.classes[0].bins);
    let odd = text.replacen("\"breaker\"", "\"braker\"", 1);
    assert!(from_json(&odd).unwrap_err().contains("no stretches of kind braker"));
}

fn version(number: u32) -> String {
    format!("\"schema_version\":{number}")
}

#[test]
fn a_damaged_file_is_an_error() {
    let text = to_json(&synthetic::header(), &[synthetic::nothing()]).unwrap();
    assert!(from_json(&text[..text.len() / 2]).is_err());
    assert!(from_json("{}").is_err());
    let old = text.replacen(&version(SCHEMA_VERSION), &version(1), 1);
    let said = from_json(&old).unwrap_err();
    assert!(said.contains("an older version wrote it") && said.contains("run the scenario again"), "{said}");
    let newer = text.replacen(&version(SCHEMA_VERSION), &version(SCHEMA_VERSION + 1), 1);
    assert!(from_json(&newer).unwrap_err().contains("a newer version"));
}
