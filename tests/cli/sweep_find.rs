//! `sweep --find`: how much is enough.

use crate::desk::{Desk, TINY};

const FIND: &str = "sweep tiny.toml --duration 1s --find service.api.pool.primary.max=1..64";

/// A cold start under a rate that opens whole pools, and what is expected of it.
const MORE: &str = r#"
[expect.pool-opens]
metric = "backend_starts"
of = "postgres.primary"
min = 60

[expect.never]
metric = "backend_starts"
of = "postgres.primary"
min = 100000

[expect.always]
metric = "backend_starts"
of = "postgres.primary"
max = 100000
"#;

fn desk() -> Desk {
    let desk = Desk::new();
    let cold = TINY.replace("duration = \"5s\"", "duration = \"5s\"\ninitial = \"cold\"");
    desk.write("tiny.toml", &(cold.replace("200/s", "4000/s") + MORE));
    desk
}

#[test]
fn the_smallest_value_that_does_is_found() {
    let desk = desk();
    let (out, err) = desk.ends(&format!("{FIND} --expect pool-opens --seeds 6"), 0);
    let found: serde_json::Value = serde_json::from_str(&desk.read("runs/tiny-find/find.json")).unwrap();
    let number = |key: &str| found[key].as_str().unwrap().parse::<u32>().unwrap();
    assert_eq!(found["answer"], "between", "{out}{err}");
    // Counts are whole: the last that does not do and the first that does are neighbours.
    assert_eq!(number("holds"), number("fails") + 1, "{out}");
    assert!(out.contains(&format!("found: {}; {} does not do", number("holds"), number("fails"))), "{out}");
    assert!(out.contains("each seed for itself holds from: ("), "{out}");
    assert!(out.contains("] at worst (95 % interval of the median: ("), "{out}");
    // The seed that needs most decides.
    let thresholds = found["thresholds"].as_array().unwrap();
    assert_eq!((thresholds.len(), &thresholds[5]["holds"]), (6, &found["holds"]), "{out}");
    let interval = &found["median_threshold_interval"];
    assert_eq!(interval["fails"], thresholds[0]["fails"], "the next harder value that was tried");
    assert_eq!(interval["holds"], thresholds[5]["holds"]);
    let table = desk.read("runs/tiny-find/find.csv");
    let head = "scenario,service.api.pool.primary.max,variant,seed,expectation,value,unit,verdict";
    assert_eq!(table.lines().next(), Some(head));
    assert_eq!(table.lines().count() - 1, 6 * found["tried"].as_array().unwrap().len());
    assert!(desk.path("runs/tiny-find/plots/find.svg").is_file());
}

/// A share of all seeds is shown by the seeds together; each of them holds or does not by itself.
#[test]
fn seeds_are_told_apart_where_a_share_of_all_is_asked_for() {
    let desk = desk();
    desk.write("tiny.toml", &desk.read("tiny.toml").replace("min = 60\n", "min = 60\nshare = \"60%\"\n"));
    let (out, err) = desk.ends(&format!("{FIND} --expect pool-opens --seeds 6 --no-plots"), 0);
    let found: serde_json::Value = serde_json::from_str(&desk.read("runs/tiny-find/find.json")).unwrap();
    let thresholds = found["thresholds"].as_array().unwrap();
    assert!(thresholds.len() == 6 && thresholds.iter().all(|one| one["holds"].is_string()), "{out}{err}");
    let table = desk.read("runs/tiny-find/find.csv");
    let verdicts = |verdict: &str| table.lines().filter(|line| line.ends_with(verdict)).count();
    assert!(verdicts(",pass") >= 6 && verdicts(",fail") >= 6 && verdicts(",inconclusive") == 0, "{table}");
}

/// Before anything is run: with these seeds no value would ever do.
#[test]
fn a_share_that_so_few_seeds_cannot_show_is_not_looked_for() {
    let desk = desk();
    desk.write("tiny.toml", &desk.read("tiny.toml").replace("min = 60\n", "min = 60\nshare = \"60%\"\n"));
    let (out, err) = desk.ends(&format!("{FIND} --expect pool-opens --seeds 2 --no-plots"), 2);
    let wanted = "`pool-opens` asks for 60% of all seeds, which 2 seeds cannot show: give 6 seeds or more";
    assert!(err.contains(wanted) && out.is_empty(), "{out}{err}");
    assert!(!desk.path("runs").exists());
    desk.ends(&format!("{FIND} --expect always --seeds 2 --no-plots"), 0);
}

/// Some seeds hold: that is no no.
#[test]
fn what_is_inconclusive_is_not_called_a_failure() {
    let desk = desk();
    let (out, _) = desk.ends(&format!("{FIND} --expect pool-opens --seeds 6 --no-plots --within 1"), 0);
    let found: serde_json::Value = serde_json::from_str(&desk.read("runs/tiny-find/find.json")).unwrap();
    let tried = found["tried"].as_array().unwrap();
    let short = tried.iter().find(|one| one["value"] == found["fails"]).unwrap();
    let (value, passed) = (short["value"].as_str().unwrap(), &short["passed"]);
    let words = match short["verdict"].as_str() {
        Some("inconclusive") => format!("; {value} is inconclusive, {passed} of 6 seeds pass\n"),
        _ => format!("; {value} does not do\n"),
    };
    assert!(out.contains(&words), "{words}{out}");
}

#[test]
fn nothing_and_everything_are_answers_too() {
    let desk = desk();
    let (out, _) = desk.ends(&format!("{FIND} --expect never --seeds 6 --no-plots"), 1);
    assert!(out.contains("found: nothing; not even 64 does"), "{out}");
    assert!(!out.contains("each seed for itself"), "only one value was tried: {out}");
    let (out, _) = desk.ends(&format!("{FIND} --expect always --no-plots"), 0);
    assert!(out.contains("found: 1; the whole range does"), "{out}");
    let (out, _) = desk.ends(&format!("{FIND} --expect always --largest --no-plots"), 0);
    assert!(out.contains("found: 64; the whole range does"), "{out}");
}

#[test]
fn a_wrong_question_is_told_what_is_wrong() {
    let desk = desk();
    for (line, wanted) in [
        ("--find service.api.pool.primary.max=1..64", "--expect"),
        ("--find service.api.pool.primary.max=1,2 --expect never", "lo..hi"),
        ("--find service.api.pool.primary.mix=1..2 --expect never", "did you mean `max`?"),
        ("--find service.api.pool.primary.max_lifetime=1s..9s --expect nevr", "pool-opens, never, always"),
        ("--find service.api.pool.primary.max_lifetime=1s..9s --expect never --within 5", "--within"),
        ("--find expect.never.max=1..9 --expect never", "what is expected of it stays as it is"),
        ("--find duration=1s..9s --expect never --axis duration=1s,2s", "cannot be used with"),
    ] {
        let (_, err) = desk.ends(&format!("sweep tiny.toml {line}"), 2);
        assert!(err.contains(wanted), "{line}: {err}");
    }
    assert!(!desk.path("runs").exists());
}
