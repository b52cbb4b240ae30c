//! `sweep --find`: how much is enough.

use crate::desk::Desk;

const FIND: &str = "sweep tiny.toml --duration 1s --find service.api.pool.primary.max=1..64";

fn desk() -> Desk {
    let desk = Desk::new();
    let expect = "[expect.pool-opens]\nmetric = \"backend_starts\"\nof = \"postgres.primary\"\nmin = 4\n\
                  [expect.never]\nmetric = \"backend_starts\"\nof = \"postgres.primary\"\nmin = 100000\n\
                  [expect.always]\nmetric = \"backend_starts\"\nof = \"postgres.primary\"\nmin = 0\n";
    let cold = crate::desk::TINY.replace("title = \"Tiny\"", "title = \"Tiny\"\ninitial = \"cold\"");
    desk.write(
        "tiny.toml",
        &cold.replace("rate = \"200/s\"", "rate = \"4000/s\"").replace(
            "[expect.few-starts]",
            &format!("{}[expect.few-starts]", expect.replace("min = 4\n", "min = 60\n")),
        ),
    );
    desk
}

#[test]
fn the_smallest_value_that_does_is_found() {
    let desk = desk();
    let (out, err) = desk.ends(&format!("{FIND} --expect pool-opens --seeds 3"), 0);
    let found: serde_json::Value = serde_json::from_str(&desk.read("runs/tiny-find/find.json")).unwrap();
    let number = |key: &str| found[key].as_str().unwrap().parse::<u32>().unwrap();
    assert_eq!(found["answer"], "between", "{out}{err}");
    // Counts are whole: the last that does not do and the first that does are neighbours.
    assert_eq!(number("holds"), number("fails") + 1, "{out}");
    assert!(out.contains(&format!("found: {}; {} does not do", number("holds"), number("fails"))), "{out}");
    assert!(out.contains("each seed for itself holds from"), "{out}");
    let table = desk.read("runs/tiny-find/find.csv");
    let head = "scenario,service.api.pool.primary.max,variant,seed,expectation,value,unit,verdict";
    assert_eq!(table.lines().next(), Some(head));
    assert_eq!(table.lines().count() - 1, 3 * found["tried"].as_array().unwrap().len());
    assert!(desk.path("runs/tiny-find/plots/find.svg").is_file());
}

#[test]
fn nothing_and_everything_are_answers_too() {
    let desk = desk();
    let (out, _) = desk.ends(&format!("{FIND} --expect never --no-plots"), 1);
    assert!(out.contains("found: nothing; not even 64 does"), "{out}");
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
        ("--find service.api.pool.primary.max_lifetime=1s..9s --expect nevr", "there are: pool-opens"),
        ("--find service.api.pool.primary.max_lifetime=1s..9s --expect never --within 5", "--within"),
        ("--find duration=1s..9s --expect never --axis duration=1s,2s", "cannot be used with"),
    ] {
        let (_, err) = desk.ends(&format!("sweep tiny.toml {line}"), 2);
        assert!(err.contains(wanted), "{line}: {err}");
    }
    assert!(!desk.path("runs").exists());
}
