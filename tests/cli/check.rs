//! `check`: all problems at once, where they are, and what a scenario really says.

use crate::desk::{Desk, TINY};

#[cfg(unix)]
#[test]
fn a_scenario_on_stdin_is_named_as_a_file() {
    let desk = Desk::new();
    let (_, err) = desk.ends("run -", 2);
    assert!(err.contains("cannot read `-`") && err.contains("stdin is `/dev/stdin`"), "{err}");
    let output = desk.herdsim("check /dev/stdin").write_stdin(TINY).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_good_scenario_is_ok_on_stdout() {
    let (out, _) = Desk::new().ends("check tiny.toml", 0);
    assert!(out.starts_with("tiny.toml: ok; 5s long"), "{out}");
    for variant in ["as-written", "plain", "jitter", "doubtful"] {
        assert!(out.contains(variant), "{out}");
    }
}

#[test]
fn the_problems_of_all_files_come_at_once_with_their_lines_and_the_cure() {
    let desk = Desk::new();
    desk.write("a.toml", &TINY.replace("max_lifetime = \"2s\"", "max_lifetim = \"2s\""));
    desk.write(
        "b.toml",
        &TINY.replace("rate = \"200/s\"", "rate = \"200\"").replace("\"5s\"", "\"5 weeks\""),
    );
    let (out, err) = desk.ends("check a.toml tiny.toml b.toml", 2);
    assert!(out.starts_with("tiny.toml: ok"), "the good one is still checked: {out}");
    let line_of = |text: &str| TINY.lines().position(|line| line.starts_with(text)).unwrap() + 1;
    for place in [
        format!("a.toml:{}", line_of("max_lifetime")),
        format!("b.toml:{}", line_of("rate")),
        format!("b.toml:{}", line_of("duration")),
    ] {
        assert!(err.contains(&place), "{place} in:\n{err}");
    }
    assert!(err.contains("max_lifetime`"), "did you mean: {err}");
    assert!(err.contains("200/s"), "{err}");
    assert!(err.contains("2 scenarios with problems"), "{err}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (out, err) = Desk::new().ends("check nowhere.toml", 2);
    assert_eq!(out, "");
    assert!(err.contains("nowhere.toml"), "{err}");
}

#[test]
fn warnings_are_shown_and_may_be_denied() {
    let desk = Desk::new();
    let (_, err) = desk.ends("check tiny.toml", 0);
    assert!(err.contains("warning") && err.contains("jitter"), "a lifetime without jitter: {err}");
    desk.ends("check tiny.toml --deny-warnings", 2);
}

#[test]
fn the_resolved_scenario_is_a_scenario_with_the_variants_values() {
    let desk = Desk::new();
    let (plain, _) = desk.ends("check tiny.toml --print-resolved", 0);
    let (jitter, _) = desk.ends("check tiny.toml --print-resolved --variant jitter", 0);
    let value = |text: &str| {
        let tree: toml::Table = toml::from_str(text).unwrap();
        tree["service"]["api"]["pool"]["primary"]["max_lifetime_jitter"].as_str().unwrap().to_owned()
    };
    assert_eq!(value(&plain), "0s");
    assert_eq!(value(&jitter), "1s");
    desk.write("resolved.toml", &jitter);
    desk.ends("check resolved.toml", 0);
}

#[test]
fn only_one_file_is_resolved_at_a_time() {
    let desk = Desk::new();
    desk.write("b.toml", TINY);
    let (_, err) = desk.ends("check tiny.toml b.toml --print-resolved", 2);
    assert!(err.contains("one file"), "{err}");
}

#[test]
fn sources_are_listed_with_their_ranges() {
    let desk = Desk::new();
    desk.ends("init --template fleet", 0);
    let (out, _) = desk.ends("check fleet.toml --sources", 0);
    assert!(
        out.lines().any(|line| line.contains("postgres.primary.cores") && line.contains("assumed, 2..16"))
    );
    let (bare, _) = desk.ends("check tiny.toml --sources", 0);
    let line = bare.lines().find(|line| line.starts_with("postgres.primary.cores ")).unwrap();
    assert!(line.ends_with(" -"), "nobody vouches for it: {bare}");
}

#[test]
fn an_unknown_variant_meets_the_nearest_name() {
    let (_, err) = Desk::new().ends("check tiny.toml --variant jiter", 2);
    assert!(err.contains("unknown variant `jiter`") && err.contains("did you mean `jitter`?"), "{err}");
}

/// What ships is an example: it warns of nothing that is not said to be meant.
#[test]
fn shipped_scenarios_and_templates_have_no_warnings() {
    let root = env!("CARGO_MANIFEST_DIR");
    let desk = Desk::new();
    for path in ["scenarios", "docs/ci", "templates"] {
        desk.ends(&format!("check {root}/{path} --deny-warnings"), 0);
    }
    desk.ends("init", 0);
    desk.ends("check quickstart.toml --deny-warnings", 0);
}

#[test]
fn an_overlay_in_a_directory_is_skipped_and_said_so() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("herdsim")).unwrap();
    desk.write("herdsim/fleet.toml", &TINY.replace("_jitter\" = \"1s\"", "_jitter\" = \"2s\""));
    desk.write("herdsim/jitter.toml", "\"service.*.pool.*.max_lifetime_jitter\" = \"1m\"\n");
    let (out, err) = desk.ends("check herdsim", 0);
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(err.contains("skipped") && err.contains("herdsim/jitter.toml"), "{err}");
    desk.ends("check herdsim/jitter.toml", 2);
    desk.ends("check herdsim --deny-warnings", 2);
    desk.ends("check herdsim --with herdsim/jitter.toml --deny-warnings", 0);
    desk.ends("check herdsim --set service.*.pool.*.max_lifetime_jitter=1m --deny-warnings", 0);
}

#[test]
fn warnings_are_of_the_variant_that_is_asked_for() {
    let desk = Desk::new();
    desk.write("tiny.toml", &TINY.replace("_jitter\" = \"1s\"", "_jitter\" = \"1m\""));
    let (_, err) = desk.ends("check tiny.toml --variant plain", 0);
    assert!(err.contains("the lifetime has no jitter"), "{err}");
    desk.ends("check tiny.toml --variant jitter --deny-warnings", 0);
}

/// What is not there, what cannot be read and what is unknown: each is told, beside the problems of the rest.
#[test]
fn a_path_that_leads_nowhere_hides_no_other_files_problems() {
    let desk = Desk::new();
    desk.write("a.toml", &TINY.replace("rate = \"200/s\"", "rate = \"200\""));
    desk.write("broken.toml", "[service.api");
    let (out, err) = desk.ends("check nowhere.toml a.toml empty broken.toml tiny.toml --variant plan", 2);
    assert_eq!(out, "");
    for said in [
        "`nowhere.toml` does not exist",
        "`empty` does not exist",
        "`200` has no unit",
        "not valid TOML",
        "what else is wrong shows when this is mended",
        "unknown variant `plan`",
        "2 scenarios with problems",
    ] {
        assert!(err.contains(said), "{said} in:\n{err}");
    }
    let (out, _) = desk.ends("check nowhere.toml tiny.toml", 2);
    assert!(out.starts_with("tiny.toml: ok"), "{out}");
}

#[test]
fn warnings_are_told_beside_problems() {
    let desk = Desk::new();
    desk.write("a.toml", &TINY.replace("rate = \"200/s\"", "rate = \"200\""));
    let (_, err) = desk.ends("check a.toml", 2);
    assert!(err.contains("has no unit") && err.contains("the lifetime has no jitter"), "{err}");
    let (_, err) = desk.ends("run a.toml", 2);
    assert!(!err.contains("the lifetime has no jitter"), "advice is for who asks: {err}");
    desk.ends("run a.toml -v", 2);
}
