//! `trace`: the story of one request, and trace files.

use crate::desk::{Desk, TINY};
use serde_json::Value;
use std::collections::BTreeMap;

/// Begin and end of the slices of a thread, in microseconds.
type Slices = Vec<(f64, f64)>;

#[test]
fn the_story_of_the_slowest_request_is_told_and_adds_up() {
    let desk = Desk::new();
    let (out, _) = desk.ends("trace tiny.toml --at 1s --lasting 1s", 0);
    for part in ["sign-in number", "in container", "STORY", "lookup: CPU", "WHERE THE TIME WENT", "network"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (again, _) = desk.ends("trace tiny.toml --at 1s --lasting 1s", 0);
    assert_eq!(out, again);
    let (first, _) = desk.ends("trace tiny.toml --at 1s --class sign-in --outcome ok --first", 0);
    assert!(first.contains("ok after"), "{first}");
    assert_ne!(out, first);
}

#[test]
fn what_cannot_be_traced_is_told() {
    let desk = Desk::new();
    for (command, word) in [
        ("trace tiny.toml --at 10s", "it begins at 10s, and the run ends at 5s\n"),
        ("trace tiny.toml --at event.none", "there is no event `none`"),
        ("trace tiny.toml --class sing-in", "there are: sign-in"),
        ("trace tiny.toml --outcome 418", "there are: ok"),
        ("trace tiny.toml --outcome 429", "no such request"),
        ("trace tiny.toml --perfetto tiny.toml", "`tiny.toml` is there and is not a trace"),
        ("run tiny.toml --trace 3s", "290s..292s"),
        ("run tiny.toml --trace 3s..2s", "ends before it begins"),
    ] {
        let (_, err) = desk.ends(command, 2);
        assert!(err.contains(word), "{command}: {err}");
    }
    assert!(!desk.path("runs").exists(), "nothing was run");
}

/// Where attackers alone send requests, the class must be named; and then their request is found.
#[test]
fn attackers_requests_are_looked_at_by_their_class() {
    let desk = Desk::new();
    let attack = TINY.replacen("[traffic.users]\n", "[traffic.users]\nlabel = \"abusive\"\n", 1);
    desk.write("attack.toml", &attack);
    let (_, err) = desk.ends("trace attack.toml", 2);
    assert!(
        err.contains("requests of attackers and of the background are looked at only with --class"),
        "{err}"
    );
    desk.ends("trace attack.toml --class sign-in", 0);
    let (out, _) = desk.ends("trace attack.toml --class sign-in.abusive", 0);
    assert!(out.contains("abusive"), "the name that tables have: {out}");
    let (_, err) = desk.ends("trace attack.toml --class sing-in", 2);
    assert!(err.contains("there are: sign-in, sign-in.abusive"), "{err}");
    let (_, err) = desk.ends("trace tiny.toml --class sign-in.abusive", 2);
    assert!(err.contains("there are: sign-in\n"), "nobody attacks: {err}");
    let (_, err) = desk.ends("trace tiny.toml --outcome 429", 2);
    assert!(!err.contains("attackers"), "{err}");
}

/// In a trace viewer slices of one thread must nest, or they are drawn wrongly.
#[test]
fn a_trace_file_is_what_a_viewer_expects() {
    let desk = Desk::new();
    desk.ends("trace tiny.toml --at 2s --lasting 500ms --perfetto trace.json", 0);
    desk.ends("run tiny.toml --no-plots --trace 2s..2.5s", 0);
    let text = desk.read("trace.json");
    assert_eq!(text, desk.read("runs/tiny/trace.json"));
    let trace: Value = serde_json::from_str(&text).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let named = |name: &str| events.iter().filter(|event| event["name"] == name).count();
    assert!(
        named("sign-in") > 50 && named("lookup: CPU") > 50 && named("dialling") > 0 && named("start") > 0
    );
    assert_eq!(named("process_name"), 5, "four containers and a node");
    let mut threads: BTreeMap<(u64, u64), Slices> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let number = |key: &str| event[key].as_f64().unwrap();
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        threads.entry(thread).or_default().push((number("ts"), number("ts") + number("dur")));
    }
    for (thread, mut slices) in threads {
        slices.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut open: Slices = Vec::new();
        for slice in slices {
            open.retain(|outer| outer.1 > slice.0 + 1e-3);
            let outside = open.iter().all(|outer| slice.1 <= outer.1 + 1e-3);
            assert!(outside, "{thread:?}: {slice:?} crosses the end of {open:?}");
            open.push(slice);
        }
    }
}
