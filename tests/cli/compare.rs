//! `compare`: differences with their intervals; earlier runs, and several scenarios.

use crate::desk::{Desk, TINY};
use serde_json::Value;

/// The rows of a table as columns and cells.
fn rows(text: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        head.iter().zip(row.iter()).map(|(head, cell)| (head.to_owned(), cell.to_owned())).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// The distinct cells of a column, in order.
fn column(text: &str, name: &str) -> Vec<String> {
    let cells = rows(text).into_iter().flatten().filter(|(head, _)| head == name).map(|(_, cell)| cell);
    let mut cells: Vec<String> = cells.collect();
    cells.dedup();
    cells
}

#[test]
fn one_seed_has_no_intervals_and_several_have() {
    let desk = Desk::new();
    let (out, _) = desk.ends("compare tiny.toml --no-plots", 0);
    assert!(!out.contains("DIFFERENCES"), "{out}");
    let table = desk.read("runs/tiny-compare/paired.csv");
    assert_eq!(column(&table, "verdict"), ["cannot-tell"], "{table}");
    let (out, _) = desk.ends("compare tiny.toml --seeds 1..3 --no-plots", 0);
    assert!(out.contains("DIFFERENCES, against plain\n") && out.contains("latency p99, sign-in"), "{out}");
    assert!(out.contains("3 pairs of equal seeds"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 120), "{out}");
    let (markdown, _) = desk.ends("compare tiny.toml --seeds 1..3 --no-plots --format markdown", 0);
    assert!(markdown.contains("Differences, against **plain**"), "{markdown}");
    assert!(markdown.contains("| jitter | latency p99, sign-in |"), "{markdown}");
    let (table, _) = desk.ends("compare tiny.toml --seeds 1..3 --no-plots --format csv", 0);
    assert_eq!(table, desk.read("runs/tiny-compare/paired.csv"));
    let (json, _) = desk.ends("compare tiny.toml --seeds 1..3 --no-plots --format json", 0);
    let json: Value = serde_json::from_str(&json).unwrap();
    let file: Value = serde_json::from_str(&desk.read("runs/tiny-compare/paired.json")).unwrap();
    assert_eq!((&json["paired"], &file["baseline"]), (&file["paired"], &"plain".into()));
    assert!(json.get("scenarios").is_none(), "one scenario is not set apart");
}

/// `run` names `compare` as what comes next: also of a file with one variant it compares something.
#[test]
fn a_variant_alone_is_held_against_the_file_as_written() {
    let desk = Desk::new();
    let two = r#"compare = ["plain", "jitter"]"#;
    desk.write("key.toml", &TINY.replace(two, r#"compare = ["jitter"]"#));
    let (fleet, variants) = TINY.split_once("[variant.plain]").unwrap();
    let jitter =
        &variants[variants.find("[variant.jitter]").unwrap()..variants.find("[variant.doubtful]").unwrap()];
    desk.write("one.toml", &(fleet.replace(two, "") + jitter));
    let (_, err) = desk.ends("run one.toml --no-plots", 0);
    assert!(err.contains("herdsim compare one.toml"), "{err}");
    for line in ["one.toml", "one.toml --all"] {
        let (out, _) = desk.ends(&format!("compare {line} --seeds 1..3 --no-plots -o out"), 0);
        assert!(out.contains("DIFFERENCES, against as-written\n"), "{line}\n{out}");
        assert_eq!(column(&desk.read("out/paired.csv"), "variant"), ["jitter"], "{line}");
    }
    for line in ["one.toml --variants jitter", "key.toml"] {
        desk.ends(&format!("compare {line} --no-plots -o out"), 0);
        assert_eq!(column(&desk.read("out/summary.csv"), "variant"), ["jitter"], "it was chosen: {line}");
    }
    desk.ends("compare tiny.toml --no-plots -o out", 0);
    assert_eq!(column(&desk.read("out/summary.csv"), "variant"), ["plain", "jitter"], "two are enough");
}

#[test]
fn earlier_runs_are_paired_by_seed() {
    let desk = Desk::new();
    desk.ends("run tiny.toml --variant plain --seeds 1..3 --no-plots -o runs/before", 0);
    desk.ends("run tiny.toml --variant jitter --seeds 2..4 --no-plots -o runs/after", 0);
    let (out, err) = desk.ends("compare runs/before runs/after --no-plots", 0);
    assert!(out.contains("DIFFERENCES, against before\n") && out.contains("2 pairs of equal seeds"), "{out}");
    assert!(out.contains("left out: 2 runs") && out.contains("SCENARIOS, against before"), "{out}");
    assert!(out.contains("max_lifetime_jitter: \"0s\" → \"1s\""), "{out}");
    assert!(err.contains("wrote runs/before-after-compare: "), "{err}");
    let earlier = desk.read("runs/before-after-compare/paired.csv");
    assert_eq!(column(&earlier, "variant"), ["after"]);
    desk.ends("compare tiny.toml --seeds 2,3 --no-plots -o runs/now", 0);
    let now = desk.read("runs/now/paired.csv");
    let told = |text: &str| -> Vec<Vec<(String, String)>> {
        let silent = ["scenario", "variant", "baseline", "unpaired"];
        let told = |row: Vec<(String, String)>| {
            row.into_iter().filter(|(head, _)| !silent.contains(&head.as_str())).collect()
        };
        rows(text).into_iter().map(told).collect()
    };
    assert_eq!(told(&earlier), told(&now), "as if they had been simulated together");

    // A directory with several variants, another baseline, and a comparison of comparisons.
    let line = "compare runs/now runs/after --baseline after --no-plots -o runs/all --format json";
    let json: Value = serde_json::from_str(&desk.ends(line, 0).0).unwrap();
    assert_eq!(json["paired"][0]["variant"], "now/plain", "{}", json["paired"][0]);
    assert_eq!(json["scenarios"]["now/jitter"], Value::Array(vec![]), "the same scenario");
    assert!(desk.path("runs/all/scenario.now_plain.resolved.toml").is_file());
    let line = "compare runs/now runs/after --variants now/plain,after --no-plots -o runs/two";
    assert!(desk.ends(line, 0).0.contains("DIFFERENCES, against now/plain"));
    desk.ends("compare runs/now --no-plots -o runs/again", 0);
    assert_eq!(column(&desk.read("runs/again/paired.csv"), "variant"), ["now/jitter"]);
}

#[test]
fn what_is_not_complete_does_not_end_well() {
    let desk = Desk::new();
    desk.ends("run tiny.toml --variant plain --no-plots -o runs/before", 0);
    desk.ends("run tiny.toml --variant jitter --no-plots -o runs/after", 0);
    let manifest = desk.read("runs/after/manifest.json");
    desk.write("runs/after/manifest.json", &manifest.replace("\"complete\": true", "\"complete\": false"));
    let (out, err) = desk.ends("compare runs/before runs/after --no-plots", 3);
    assert!(out.contains("INCOMPLETE") && err.contains("runs/after: not every run was finished"), "{err}");
}

/// A manifest names files of its own directory; one that is gone is missed only where it would be told of.
#[test]
fn a_resolved_scenario_that_is_gone_is_told_and_none_is_read_elsewhere() {
    let desk = Desk::new();
    desk.ends("run tiny.toml --variant plain --no-plots -o runs/before", 0);
    desk.ends("run tiny.toml --variant jitter --no-plots -o runs/after", 0);
    desk.write("runs/elsewhere.toml", "title = \"of somebody else\"\nduration = \"61m\"\n");
    let manifest = desk.read("runs/after/manifest.json");
    let astray = manifest.replace("\"scenario.resolved.toml\"", "\"../elsewhere.toml\"");
    assert!(astray != manifest, "{manifest}");
    desk.write("runs/after/manifest.json", &astray);
    let (out, err) = desk.ends("compare runs/before runs/after --no-plots", 0);
    assert!(!out.contains("61m"), "{out}");
    assert!(err.contains("runs/after: the scenario of jitter is gone"), "{err}");
}

#[test]
fn several_scenarios_meet_the_same_seeds() {
    let desk = Desk::new();
    desk.write("busy.toml", &TINY.replace("200/s", "300/s").replace("seeds = [1]", "seeds = [7]"));
    let (out, err) = desk.ends("compare tiny.toml busy.toml --variants plain --seeds 1..3 --no-plots", 0);
    assert!(err.contains("tiny.toml: 1 variant × 3 seeds") && err.contains("busy.toml: 1 variant"), "{err}");
    assert!(out.contains("DIFFERENCES, against tiny\n"), "{out}");
    assert!(out.contains("busy: one value differs\n") && out.contains("\"200/s\" → \"300/s\""), "{out}");
    assert_eq!(column(&desk.read("runs/tiny-busy-compare/summary.csv"), "variant"), ["tiny", "busy"]);

    // Each file's expectations are judged, on its own variants.
    let line =
        "compare tiny.toml busy.toml --variants jitter,busy/doubtful --baseline busy/jitter --no-plots";
    let (out, err) = desk.ends(&format!("{line} -o out"), 1);
    assert!(out.contains("tiny/few-starts") && out.contains("busy/absurdly-many-starts"), "{out}");
    assert!(err.contains("1 of 3 expectations did not pass"), "{err}");
    assert_eq!(column(&desk.read("out/summary.csv"), "seed"), ["1"], "the seeds of the first");
    assert_eq!(column(&desk.read("out/paired.csv"), "variant"), ["tiny", "busy/doubtful"]);
    desk.ends(&format!("{line} -o out --exit-zero"), 0);
    let manifest: Value = serde_json::from_str(&desk.read("out/manifest.json")).unwrap();
    let command = manifest["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    let command: Vec<&str> = command.skip(1).collect();
    let before = desk.read("out/paired.csv");
    desk.ends(&format!("{} --no-plots -o again --exit-zero", command.join(" ")), 0);
    assert_eq!(desk.read("again/paired.csv"), before, "the manifest's command gives the same again");
}

#[test]
fn what_cannot_be_compared_is_said_with_the_cure() {
    let desk = Desk::new();
    desk.ends("run tiny.toml --variant plain --no-plots -o runs/plain", 0);
    desk.ends("compare tiny.toml --no-plots -o runs/both", 0);
    for (line, cure) in [
        ("compare tiny.toml runs/plain", "compare scenario files with each other, or run directories"),
        ("compare runs/plain", "there is only one variant, `plain`: name another directory"),
        ("compare runs/plain runs/plain", "is there twice"),
        ("compare runs/plain runs/both --set duration=1s", "leave out --set"),
        ("compare runs/plain runs/both --seeds 3", "leave out --seed"),
        ("compare runs/plain runs/both --baseline both/plian", "did you mean `both/plain`?"),
        ("compare runs/plain runs/both -o runs/plain", "name another -o"),
        ("compare tiny.toml tiny.toml", "is there twice"),
        ("compare tiny.toml nowhere.toml", "nowhere.toml"),
        ("compare tiny.toml runs/plain --with tiny.toml", "compare scenario files with each other"),
    ] {
        let (out, err) = desk.ends(line, 2);
        assert!(err.contains(cure), "{line}: {cure} in:\n{err}");
        assert_eq!(out, "", "{line}");
    }
    std::fs::create_dir(desk.path("empty")).unwrap();
    assert!(desk.ends("compare runs/plain empty", 2).1.contains("is not a run directory"));
    desk.ends("run tiny.toml --duration 3s --no-plots -o runs/short", 0);
    let (_, err) = desk.ends("compare runs/plain runs/short", 2);
    assert!(
        err.contains("not equally long (`short`: 3s, `plain`: 5s)") && err.contains("`--duration 3s`"),
        "{err}"
    );
}

/// Before anything is simulated; of directories see above.
#[test]
fn only_runs_of_one_length_are_compared() {
    let desk = Desk::new();
    desk.write("long.toml", &TINY.replace("\"5s\"", "\"8s\""));
    desk.write("both.toml", &format!("{TINY}[variant.longer.set]\nduration = \"9s\"\n"));
    for (line, told) in [
        ("compare tiny.toml long.toml --variants plain", "(`tiny`: 5s, `long`: 8s)"),
        ("compare both.toml --variants plain,longer", "(variant `plain`: 5s, variant `longer`: 9s)"),
    ] {
        let (_, err) = desk.ends(line, 2);
        assert!(err.contains(told) && err.contains("`--duration 5s`"), "{line}:\n{err}");
        assert!(!desk.path("runs").exists(), "{line}");
        desk.ends(&format!("{line} --duration 5s --no-plots -o cured"), 0);
    }
}

/// Whom no seed pairs is left out, and that is said, however few are left.
#[test]
fn seeds_of_one_side_only_are_told() {
    let desk = Desk::new();
    desk.ends("run tiny.toml --variant plain --seeds 11,12 --no-plots -o ra", 0);
    desk.ends("run tiny.toml --variant jitter --seeds 12,13 --no-plots -o rb", 0);
    let (_, err) = desk.ends("compare ra rb --no-plots", 0);
    assert!(err.contains("ra has the seeds 11, 12, rb 12, 13: what only one side has is left out"), "{err}");
    desk.ends("run tiny.toml --variant jitter --seeds 11,12 --no-plots -o rc", 0);
    assert!(!desk.ends("compare ra rc --no-plots", 0).1.contains("left out"));
}

/// A fleet without users, or one that lets nobody in, has no spikes, and is no cure.
#[test]
fn who_serves_nobody_cures_nothing() {
    let desk = Desk::new();
    let variants = "[variant.nobody.set]\n\"traffic.*.enabled\" = false\n";
    desk.write("some.toml", &format!("{TINY}{variants}"));
    let (out, _) = desk.ends("compare some.toml --variants plain,nobody --no-plots", 0);
    assert!(
        out.contains("no recycle spikes in any variant, which tells nothing where users are not"),
        "{out}"
    );
    let row = out.lines().find(|line| line.starts_with("  nobody ")).unwrap_or_default();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>()[..2], ["nobody", "–"], "{out}");
}
