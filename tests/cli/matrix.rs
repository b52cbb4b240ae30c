//! `compare` with remedies: which one for which incident?

use crate::desk::Desk;

const JITTER: &str = "title = \"Jitter\"\n\"service.*.pool.*.max_lifetime_jitter\" = \"1s\"\n";
const RARER: &str = "\"job.cleanup.every\" = \"3s\"\n";
const JOB: &str = "[job.cleanup]\non = \"primary\"\nevery = \"1s\"\nwork = { parallel = 1, cpu = \"1ms\" }\n";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("other.toml", &(desk.read("tiny.toml").replace("200/s", "100/s") + JOB));
    desk.write("jitter.toml", JITTER);
    desk.write("rarer.toml", RARER);
    desk
}

#[test]
fn every_remedy_is_tried_alone_at_every_incident() {
    let desk = desk();
    let command = "compare tiny.toml other.toml --seeds 2 --with jitter.toml rarer.toml";
    let (out, err) = desk.ends(command, 0);
    assert!(err.contains("2 remedies × 2 incidents: 10 runs"), "{err}");
    assert!(
        out.contains("REMEDIES") && out.contains("tiny (plain)") && out.contains("other (plain)"),
        "{out}"
    );
    assert!(out.contains("matches nothing"), "a remedy that has no place says so: {out}");
    assert!(err.contains("rarer.toml does not fit tiny: `job.cleanup.every` matches nothing"), "{err}");
    let table = desk.read("runs/remedies/remedies.csv");
    assert_eq!(
        table.lines().next(),
        Some("scenario,variant,remedy,seed,bad_s,lost_share,recycle_spikes,change")
    );
    assert_eq!(table.lines().count(), 1 + 2 * 2 * 2 + 2);
    for file in ["remedies.json", "manifest.json", "plots/remedies.svg", "plots/remedies.png"] {
        assert!(desk.path("runs/remedies").join(file).is_file(), "{file}");
    }
    let (markdown, _) = desk.ends(&format!("{command} --format markdown -j 1 -o again"), 0);
    assert!(markdown.starts_with("| remedy | tiny | other |"), "{markdown}");
    assert_eq!(table, desk.read("again/remedies.csv"), "on any number of threads");
}

/// Who names a variant gets it, or is told that there is none.
#[test]
fn remedies_are_laid_on_the_variant_that_is_named() {
    let desk = desk();
    let with = "--with jitter.toml --seeds 1 --no-plots";
    let (out, _) = desk.ends(&format!("compare tiny.toml other.toml --variants other/jitter {with}"), 0);
    assert!(out.contains("tiny (plain)") && out.contains("other (jitter)"), "{out}");
    for (variants, told) in [
        ("plain,typo", "unknown variant `typo`"),
        ("plain,tiny/dubtful", "unknown variant `tiny/dubtful`; did you mean `tiny/doubtful`?"),
    ] {
        for with in [with, "--no-plots"] {
            let line = format!("compare tiny.toml other.toml --variants {variants} {with}");
            let (_, err) = desk.ends(&line, 2);
            assert!(err.contains(told), "{err}");
        }
    }
    let (_, err) = desk.ends("compare tiny.toml other.toml --variants tiny/plain --no-plots", 2);
    assert!(err.contains("`other.toml` has no variant `tiny/plain`"), "{err}");
    for option in ["--all", "--baseline plain"] {
        let (_, err) = desk.ends(&format!("compare tiny.toml --each {option} {with}"), 2);
        assert!(err.contains("means nothing where each remedy is tried alone"), "{err}");
    }
}

#[test]
fn one_scenario_tries_remedies_apart_only_if_asked() {
    let desk = desk();
    let (out, _) = desk.ends("compare tiny.toml --each --variants doubtful --with jitter.toml", 0);
    assert!(out.contains("tiny (doubtful)"), "{out}");
    let (out, _) = desk.ends("compare tiny.toml --no-plots --with jitter.toml", 0);
    assert!(out.contains("VARIANTS"), "{out}");
    let (_, err) = desk.ends("compare tiny.toml --each", 2);
    assert!(err.contains("--with"), "{err}");
    desk.write("typo.toml", &JITTER.replace("jitter\" =", "jiter\" ="));
    let (_, err) = desk.ends("compare tiny.toml --each --with jitter.toml typo.toml", 2);
    assert!(err.contains("typo.toml:2") && err.contains("did you mean `max_lifetime_jitter`?"), "{err}");
    desk.write(
        "capped.toml",
        &JITTER.replace("pool.*.max_lifetime_jitter\" = \"1s\"", "containers.max\" = 30"),
    );
    let line =
        "compare tiny.toml --each --seeds 1 --with capped.toml rarer.toml jitter.toml -o one --format json";
    let (out, err) = desk.ends(line, 0);
    assert!(err.contains("capped.toml does not fit tiny: the fixed scaler"), "{err}");
    assert!(!err.contains("--> tiny.toml") && err.contains("rarer.toml does not fit tiny"), "{err}");
    let matrix: serde_json::Value = serde_json::from_str(&out).unwrap();
    let tried = matrix["incidents"][0]["remedies"].as_array().unwrap();
    assert_eq!(tried.iter().filter(|one| one["not_tried"].is_string()).count(), 2, "{out}");
    desk.write("broken.toml", "title = ");
    let (_, err) = desk.ends("compare tiny.toml other.toml --with broken.toml", 2);
    assert!(err.contains("broken.toml:1"), "{err}");
}
