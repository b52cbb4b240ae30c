//! `run`, `compare` and `report`: simulations of a few seconds, from the scenario to the pictures.

use crate::desk::{Desk, TINY};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn from_nothing_to_pictures_as_a_newcomer_goes() {
    let desk = Desk::new();
    desk.ends("init", 0);
    desk.ends("check quickstart.toml", 0);
    let sooner = "--set event.restart.at=1s --set expect.jitter-disperses-the-herd.after=2s";
    let line = format!("run quickstart.toml --variant jitter --duration 5s --exit-zero --no-plots {sooner}");
    desk.ends(&line, 0);
    let (out, _) = desk.ends("report runs/quickstart", 0);
    assert!(out.lines().count() > 0, "no pictures");
    for file in out.lines() {
        assert!(desk.path(file).is_file(), "{file}");
    }
}

#[test]
fn a_run_shows_results_on_stdout_and_says_what_it_wrote_on_stderr() {
    let desk = Desk::new();
    let (out, err) = desk.ends("run tiny.toml --no-plots", 0);
    assert!(out.contains("sign-in") && out.contains("p99"), "{out}");
    assert!(err.contains("1 variant × 1 seed, 5s each"), "{err}");
    assert!(err.contains("wrote runs/tiny: ") && err.contains("next: herdsim compare tiny.toml"), "{err}");
    assert!(!out.contains("wrote"), "{out}");
    for file in ["manifest.json", "scenario.resolved.toml", "summary.csv", "timeseries.csv", "events.csv"] {
        assert!(desk.path("runs/tiny").join(file).is_file(), "{file}");
    }
    assert!(!desk.path("runs/tiny/plots").exists(), "--no-plots");
    let manifest: serde_json::Value = serde_json::from_str(&desk.read("runs/tiny/manifest.json")).unwrap();
    assert_eq!(manifest["complete"], true, "{manifest}");
}

#[test]
fn nobody_is_bothered_off_a_terminal_or_when_quiet() {
    let desk = Desk::new();
    let (out, err) = desk.ends("run tiny.toml --no-plots", 0);
    for text in [&out, &err] {
        assert!(!text.contains('\r') && !text.contains('\x1b'), "no bars and no colours: {text:?}");
    }
    let (quiet_out, quiet_err) = desk.ends("run tiny.toml --no-plots --quiet", 0);
    assert_eq!(quiet_out, out, "results are results");
    assert_eq!(quiet_err, "");
}

#[test]
fn colour_is_a_choice() {
    let desk = Desk::new();
    let error = |line: &str, environment: &[(&str, &str)]| {
        let output = desk.herdsim(line).envs(environment.iter().copied()).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(!error("report nowhere", &[]).contains('\x1b'));
    assert!(error("report nowhere --color always", &[]).contains('\x1b'));
    assert!(error("report nowhere", &[("CLICOLOR_FORCE", "1")]).contains('\x1b'));
    assert!(!error("report nowhere", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\x1b'));
    assert!(error("report nowhere --color always", &[("NO_COLOR", "1")]).contains('\x1b'));
}

#[test]
fn every_seed_is_shown() {
    let desk = Desk::new();
    let (out, _) = desk.ends("run tiny.toml --variant jitter --seeds 3..5 --no-plots -o out", 0);
    let (verdicts, first) = out.split_once("variant jitter · seed 3").expect("seed by seed");
    assert!(verdicts.contains("variant jitter · 3 seeds\n\nEXPECTATIONS\n"), "over all of them: {out}");
    assert!(!first.contains("EXPECTATIONS") && first.contains("variant jitter · seed 5"), "{out}");
    let seeds = column(&desk.read("out/summary.csv"), "seed");
    assert_eq!(seeds.into_iter().collect::<Vec<_>>(), ["3", "4", "5"]);
    desk.ends("run tiny.toml --seed 9 --no-plots -o out", 0);
    assert_eq!(column(&desk.read("out/summary.csv"), "seed").into_iter().collect::<Vec<_>>(), ["9"]);
}

#[test]
fn a_comparison_shows_the_variants_that_the_scenario_names() {
    let desk = Desk::new();
    let (out, err) = desk.ends("compare tiny.toml --no-plots", 0);
    assert!(out.contains("plain") && out.contains("jitter") && !out.contains("doubtful"), "{out}");
    assert!(err.contains("2 variants × 1 seed"), "{err}");
    assert!(err.contains("not judged") && err.contains("absurdly-many-starts"), "{err}");
    let variants = column(&desk.read("runs/tiny-compare/summary.csv"), "variant");
    assert_eq!(variants.into_iter().collect::<Vec<_>>(), ["jitter", "plain"]);
    desk.ends("compare tiny.toml --all --no-plots --exit-zero -o all", 0);
    assert_eq!(column(&desk.read("all/summary.csv"), "variant").len(), 3, "every variant");
}

#[test]
fn a_comparison_speaks_markdown_and_json() {
    let desk = Desk::new();
    let (markdown, _) = desk.ends("compare tiny.toml --no-plots --format markdown", 0);
    assert!(markdown.lines().any(|line| line.starts_with('|') && line.contains("jitter")), "{markdown}");
    let (json, _) = desk.ends("compare tiny.toml --no-plots --format json", 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json.to_string().contains("jitter"), "{json}");
}

#[test]
fn a_comparison_says_what_each_variant_does_against_the_baseline() {
    let desk = Desk::new();
    let (out, _) = desk.ends("compare tiny.toml --no-plots", 0);
    assert!(out.contains("EFFECTS, against plain\n   no recycle spikes in any variant"), "{out}");
    let variants = column(&desk.read("runs/tiny-compare/effects.csv"), "variant");
    assert_eq!(variants.into_iter().collect::<Vec<_>>(), ["jitter"]);
    let line = "compare tiny.toml --variants plain,jitter --baseline doubtful --seeds 1,2 --no-plots -o out";
    let (out, _) = desk.ends(&format!("{line} --format markdown --exit-zero"), 0);
    assert!(out.contains("Effects, against **doubtful**") && !out.contains("one seed"), "{out}");
    let baselines = column(&desk.read("out/effects.csv"), "baseline");
    assert_eq!(baselines.into_iter().collect::<Vec<_>>(), ["doubtful"]);
    assert_eq!(column(&desk.read("out/summary.csv"), "variant").len(), 3, "the baseline is run, too");
    let manifest: serde_json::Value = serde_json::from_str(&desk.read("out/manifest.json")).unwrap();
    assert!(manifest["argv"].to_string().contains("--baseline"), "{manifest}");
    let (json, _) = desk.ends("compare tiny.toml --no-plots --format json -o out", 0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["effects"][0]["baseline"], "plain", "{json}");
    desk.ends("run tiny.toml --variant jitter --no-plots -o out", 0);
    assert!(!desk.path("out/effects.csv").exists(), "one variant has no effect");
}

#[test]
fn an_expectation_that_fails_is_exit_code_one_unless_told_otherwise() {
    let desk = Desk::new();
    let (out, err) = desk.ends("compare tiny.toml --variants jitter,doubtful --no-plots -o out", 1);
    assert!(out.contains("absurdly-many-starts") && out.contains("few-starts"), "{out}");
    assert!(err.contains("1 of 2 expectations did not pass"), "{err}");
    assert!(desk.read("out/expectations.json").contains("absurdly-many-starts"));
    desk.ends("compare tiny.toml --variants jitter,doubtful --no-plots -o out --exit-zero", 0);
    desk.ends("run tiny.toml --variant doubtful --no-plots -o out", 1);
    desk.ends("run tiny.toml --variant jitter --no-plots -o out", 0);
}

#[test]
fn bad_usage_is_exit_code_two_and_comes_with_the_cure() {
    let desk = Desk::new();
    for (line, cure) in [
        ("run tiny.toml --variant jiter", "did you mean `jitter`?"),
        ("compare tiny.toml --variants plain,zebra", "there are: as-written, plain, jitter, doubtful"),
        ("run tiny.toml --seeds one", "1..10"),
        ("run tiny.toml --seeds 5..1", "1..5"),
        ("run tiny.toml --seed 1 --seeds 1,2", "cannot be used with"),
        ("run tiny.toml --duration 10", "10s"),
        ("run tiny.toml --set nonsense", "duration=10m"),
        ("run tiny.toml --set postgres.primry.cores=2", "primry"),
        ("run tiny.toml --with nowhere.toml", "nowhere.toml"),
        ("run nowhere.toml", "nowhere.toml"),
        ("compare tiny.toml --format xml", "markdown"),
        ("compare tiny.toml -j 0", "-j"),
        ("compare tiny.toml --baseline plian", "did you mean `plain`?"),
    ] {
        let (out, err) = desk.ends(line, 2);
        assert!(err.contains(cure), "{line}: {cure} in:\n{err}");
        assert_eq!(out, "", "{line}");
    }
    assert!(!desk.path("runs").exists(), "nothing was written");
}

#[test]
fn values_are_laid_over_by_hand_and_from_files() {
    let desk = Desk::new();
    desk.write("cure.toml", "\"service.*.pool.*.max_lifetime\" = \"3s\"\n");
    desk.ends("run tiny.toml --no-plots -o out --with cure.toml --set postgres.primary.cores=3", 0);
    let tree: toml::Table = toml::from_str(&desk.read("out/scenario.resolved.toml")).unwrap();
    assert_eq!(tree["service"]["api"]["pool"]["primary"]["max_lifetime"].as_str(), Some("3s"));
    let cores = &tree["postgres"]["primary"]["cores"];
    assert!(cores.as_float() == Some(3.0) || cores.as_integer() == Some(3), "{cores}");
}

#[test]
fn a_foreign_directory_is_left_alone() {
    let desk = Desk::new();
    fs::create_dir(desk.path("thesis")).unwrap();
    desk.write("thesis/chapter.txt", "years of work");
    for line in ["run tiny.toml -o thesis", "compare tiny.toml -o thesis", "run tiny.toml -o tiny.toml"] {
        let (out, err) = desk.ends(line, 3);
        assert!(err.contains("cannot write results to"), "{err}");
        assert_eq!(out, "", "found before anything is simulated");
    }
    assert_eq!(fs::read_dir(desk.path("thesis")).unwrap().count(), 1);
    assert_eq!(desk.read("tiny.toml"), TINY);
}

#[test]
fn a_report_needs_a_run_directory() {
    let desk = Desk::new();
    fs::create_dir(desk.path("empty")).unwrap();
    for dir in ["nowhere", "empty", "tiny.toml"] {
        let (_, err) = desk.ends(&format!("report {dir}"), 2);
        assert!(err.contains(dir), "{err}");
    }
}

#[test]
fn equal_inputs_give_equal_bytes_with_any_number_of_threads() {
    let desk = Desk::new();
    let (one, _) = desk.ends("compare tiny.toml --seeds 1,2 -j 1 -o one", 0);
    let (two, _) = desk.ends("compare tiny.toml --seeds 1,2 -j 2 -o two", 0);
    assert_eq!(one, two);
    let (one, two) = (files(&desk.path("one")), files(&desk.path("two")));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert!(one.len() > 5 && one.keys().any(|name| name.starts_with("plots")), "{:?}", one.keys());
    for (name, bytes) in one.iter().filter(|(name, _)| *name != "timing.json") {
        assert!(*bytes == two[name], "{name} differs");
    }
}

/// The distinct values of a column.
fn column(csv_text: &str, name: &str) -> std::collections::BTreeSet<String> {
    let mut reader = csv::Reader::from_reader(csv_text.as_bytes());
    let at = reader.headers().unwrap().iter().position(|header| header == name).expect(name);
    reader.records().map(|record| record.unwrap()[at].to_owned()).collect()
}

/// All files below a directory, with their contents.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(inner, b)| (format!("{name}/{inner}"), b)));
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// The kick test comes with the run that an expectation asks it of, and its value is among the others.
#[test]
fn an_expectation_may_ask_for_a_kick() {
    let desk = Desk::new();
    let expectation = r#"
[expect.disperses]
variant = "jitter"
metric  = "herd_gain"
of      = "postgres.primary"
max     = 1
"#;
    desk.write("kicked.toml", &(crate::desk::TINY.to_owned() + expectation));
    let (_, err) = desk.ends("compare kicked.toml --seeds 1..3 --no-plots --exit-zero -o out", 0);
    assert!(err.contains("2 variants × 3 seeds, 5s each, and 3 kick tests of 1m9s"), "{err}");
    let summary = desk.read("out/summary.csv");
    let rows: Vec<&str> = summary.lines().filter(|line| line.contains(",herd_gain,")).collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows.iter().all(|row| row.contains(",jitter,") && row.ends_with(",ratio")), "{rows:?}");
    let judged: serde_json::Value = serde_json::from_str(&desk.read("out/expectations.json")).unwrap();
    let judged = judged["expectations"].as_array().unwrap();
    let disperses = judged.iter().find(|one| one["name"] == "disperses").unwrap();
    let values: Vec<f64> =
        disperses["values"].as_array().unwrap().iter().filter_map(|v| v.as_f64()).collect();
    let written = |row: &&str| row.split(',').rev().nth(1).unwrap().parse::<f64>().unwrap();
    assert_eq!(values, rows.iter().map(written).collect::<Vec<_>>());
    assert!(desk.read("out/summary.csv").contains(",plain,"));
    desk.ends("report out", 0);
    let (again, _) = desk.ends("compare kicked.toml --seeds 1..3 --no-plots --exit-zero -o out", 0);
    assert!(again.contains("disperses"), "{again}");
    assert_eq!(desk.read("out/summary.csv"), summary, "byte for byte");
}

/// A check that cannot fail proves nothing: its control must be out of bounds, where it is run.
#[test]
fn an_expectation_may_have_a_control() {
    let desk = Desk::new();
    let starts = "variant = \"jitter\"\nmetric = \"backend_starts\"\nof = \"postgres.primary\"\n";
    let tests = format!("[expect.proves-nothing]\n{starts}max = 100000\ncontrol = \"plain\"\n");
    // Connections that are kept for ever are not replaced.
    let forever = "set]\n\"service.*.pool.*.max_lifetime\" = \"none\"\n";
    let kept = format!("[variant.kept.{forever}[variant.kept-too.{forever}");
    let more = "min = { plus = 1, of = \"variant.kept\" }\ncontrol = \"kept-too\"\n";
    let relative = format!("[expect.replaces-some]\n{starts}{more}");
    desk.write("tiny.toml", &format!("{TINY}{kept}{tests}{relative}"));

    let line = "compare tiny.toml --variants jitter,plain,kept,kept-too --seeds 1,2 --no-plots -o out";
    let (out, err) = desk.ends(line, 1);
    assert!(out.contains("the control `plain` keeps within it as well (2 of 2 seeds)"), "{out}");
    assert!(out.contains("✗ proves-nothing") && out.contains("✓ replaces-some"), "{out}");
    assert!(out.contains("≥ variant.kept + 1") && out.contains("control kept-too: "), "{out}");
    assert!(err.contains("1 of 3 expectations did not pass"), "{err}");
    let json: serde_json::Value = serde_json::from_str(&desk.read("out/expectations.json")).unwrap();
    let judged = json["expectations"].as_array().unwrap();
    let of = |name: &str| judged.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(of("proves-nothing")["control"], "plain");
    assert_eq!(of("proves-nothing")["control_values"].as_array().map(Vec::len), Some(2));
    assert_eq!(of("few-starts")["seeds"], serde_json::json!([1, 2]), "{json}");
    let keys = |name: &str| of(name).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(keys("few-starts") == keys("proves-nothing") && of("few-starts")["control"].is_null(), "{json}");
    desk.ends("report out", 0);

    // Without its control it is judged all the same, and says so; without what it is held against it is not.
    let (out, err) = desk.ends("run tiny.toml --variant jitter --no-plots", 0);
    assert!(out.contains("✓ proves-nothing") && out.contains("control plain: not run"), "{out}");
    assert!(err.contains("not judged") && err.contains("replaces-some"), "{err}");
    let (out, _) = desk.ends("compare tiny.toml --no-plots --format markdown", 1);
    assert!(out.contains("as well (1 of 1 seeds)"), "`compare` names its control: {out}");
    let wrong = tests.replace("control = \"plain\"", "control = \"jitter\"");
    desk.write("wrong.toml", &format!("{TINY}{wrong}"));
    let (_, err) = desk.ends("check wrong.toml", 2);
    assert!(err.contains("`jitter` is the variant itself") && err.contains("leave `control` out"), "{err}");
}

/// Two thousand hours would outlast every patience.
#[test]
fn a_place_that_cannot_be_written_is_told_before_anything_is_run() {
    let desk = Desk::new();
    for verb in ["run", "compare", "explain"] {
        let (_, err) = desk.ends(&format!("{verb} tiny.toml --duration 2000h -o tiny.toml/out"), 3);
        assert!(err.contains("cannot write results to `tiny.toml/out`"), "{verb}: {err}");
    }
}
