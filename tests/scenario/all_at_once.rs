//! All problems of a scenario at once: none hides another, and none is told of what only follows from another.

use super::{BASE, wrong};
use herdsim::scenario::Document;
use std::collections::BTreeSet;

/// More of the grammar than the base scenario, without reproach.
const MORE: &str = r#"
[postgres.other]
cores = 4
max_connections = 200

[service.back]
containers = { min = 2, max = 4 }
scaler = "kpa"
pool.other = { preset = "hikari", max = 10, max_lifetime = "30m", kill_gap = "spread" }

[query.write]
cpu = "1ms"

[request.sign-up]
service = "back"
steps = [{ query = "write", on = "other" }]

[traffic.newcomers]
request = "sign-up"
rate = "20/s"

[event.slow]
at = "20m"
until = "30m"
set = { "postgres.other.cores" = "x0.5" }

[variant.wide.set]
"postgres.other.max_connections" = 300

[variant.calm.set]
"traffic.users.rate" = "x0.5"

[expect.e]
metric = "herd_size"
of = "postgres.primary"
max = "5%"

[expect.f]
metric = "latency.p95"
of = "request.sign-up"
max = "5s"
"#;

/// Single mistakes, of all stages of the check: what stands, and what is put in its place.
const MISTAKES: &[(&str, &str)] = &[
    // Of form: a value without its unit, a text for a number, unknown keys with and without a near name.
    ("rate    = \"400/s\"", "rate    = \"400\""),
    ("cores           = 4", "cores = \"four\""),
    ("max_lifetime_jitter = \"90s\"", "max_lifetime_jiter = \"90s\""),
    ("scaler = \"kpa\"", "scaler = \"kpa\"\ncolour = \"red\""),
    ("[traffic.newcomers]", "[trafic.newcomers]"),
    ("containers = { min = 2, max = 4 }", "containers = { min = 2 }"),
    ("metric = \"herd_size\"", "metric = \"herd_sise\""),
    ("max                 = 10\n", "\n"),
    ("[1, 2, 3, 4, 5, 6]", "[1, 2, nan]"),
    // Of names.
    ("query = \"lookup\"", "query = \"lookp\""),
    ("request = \"sign-up\"\n", "request = \"sign-off\"\n"),
    ("of = \"request.sign-up\"", "of = \"request.sign-of\""),
    ("[variant.wide.set]", "[variant.wide.set]\n\"job.*.every\" = \"1m\""),
    ("[variant.calm.set]", "[variant.calm.set]\n\"service.back.concurency\" = 3"),
    // Of values that do not go together.
    ("max_connections = 200", "max_connections = 200\nreserved_connections = 300"),
    ("cpu = \"1ms\"", "cpu = { uniform = { min = \"2ms\", max = \"1ms\" } }"),
    ("duration = \"1h\"", "duration = \"0s\""),
    ("preset = \"hikari\", max = 10", "preset = \"hikari\", max = 10, min = 11"),
    ("steps = [{ query = \"write\", on = \"other\" }]", "steps = [{ query = \"write\", on = \"primary\" }]"),
    // Of the timeline.
    (
        "[event.slow]",
        "[event.fixed]\nat = \"5m\"\nset = { \"postgres.other.max_connections\" = 9 }\n[event.slow]",
    ),
    ("[event.slow]", "[event.lost]\nat = \"event.slwo + 5m\"\ndo = { deploy = \"*\" }\n[event.slow]"),
    (
        "[event.slow]",
        "[event.bad]\nat = \"5m\"\nset = { \"traffic.newcomers.rate\" = \"much\" }\n[event.slow]",
    ),
    ("[event.slow]", "[event.late]\nat = \"5m\"\nset = { \"network.databse\" = \"1ms\" }\n[event.slow]"),
    // Of CSV files and of size.
    ("app = \"2ms\"", "app = { empirical = { csv = \"nowhere.csv\" } }"),
    ("rate = \"20/s\"", "rate = \"900000000/s\""),
    // Of what is allowed and hurts.
    ("[query.write]", "[request.idle]\nservice = \"back\"\nsteps = [{ app = \"1ms\" }]\n[query.write]"),
    (
        "[variant.wide.set]",
        "[source]\n\"postgres.primary.core\" = { from = \"assumed\" }\n[variant.wide.set]",
    ),
    ("[event.slow]", "[event.idle]\nat = \"50m\"\n[event.slow]"),
];

/// Pairs of which one is silent or says it otherwise, since it depends on what the other one puts in doubt:
/// the class that a misspelt name may have meant, and the requests of a run whose length or rates are wrong.
const DEPEND: [(usize, usize); 3] = [(10, 25), (16, 24), (21, 24)];

fn text() -> String {
    format!("{BASE}{MORE}")
}

/// What is said of a scenario, each once.
fn said(text: &str) -> BTreeSet<String> {
    let problems = match Document::from_text("scenario.toml", text) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    problems.iter().map(|problem| problem.message.clone()).collect()
}

fn with(text: &str, (old, new): (&str, &str)) -> Option<String> {
    text.contains(old).then(|| text.replacen(old, new, 1))
}

#[test]
fn each_mistake_is_told_and_nothing_else() {
    assert_eq!(said(&text()), BTreeSet::new());
    let each = MISTAKES.iter().enumerate().map(|(number, mistake)| {
        let said = said(&with(&text(), *mistake).expect("it stands in the text"));
        format!("{number}: {}", said.into_iter().collect::<Vec<_>>().join("\n   "))
    });
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("each_mistake", each.collect::<Vec<_>>().join("\n"));
    });
}

/// What two mistakes are told of is what each of them is told of.
#[test]
fn no_mistake_hides_another() {
    let alone: Vec<_> =
        MISTAKES.iter().map(|one| said(&with(&text(), *one).expect("it stands there"))).collect();
    let mut wrong = Vec::new();
    for (first, one) in MISTAKES.iter().enumerate() {
        for (second, other) in MISTAKES.iter().enumerate().skip(first + 1) {
            let Some(both) = with(&text(), *one).and_then(|text| with(&text, *other)) else { continue };
            let (both, either) = (said(&both), &alone[first] | &alone[second]);
            if both != either && !DEPEND.contains(&(first, second)) {
                let (hidden, false_ones) = (&either - &both, &both - &either);
                wrong.push(format!("({first}, {second}): hidden {hidden:?}, false {false_ones:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Mistakes in what can be written at the end of any scenario.
const AT_THE_END: [&str; 6] = [
    "[event.z1]\nat = \"1s\"\nset = { \"postgres.*.max_connections\" = 5 }\n",
    "[variant.z2.set]\n\"postgres.*.corse\" = 1\n",
    "[expect.z3]\nmetric = \"herd_sise\"\nof = \"postgres.nowhere\"\nmax = \"5%\"\n",
    "[query.z4]\ncpu = \"5\"\n",
    "[request.z5]\nservice = \"nowhere\"\nsteps = [{ app = \"1ms\" }]\n",
    "[job.z6]\non = \"nowhere\"\nevery = \"0s\"\nwork = { cpu = \"1s\", paralel = 2 }\n",
];

/// The same of what ships.
#[test]
fn no_mistake_hides_another_in_what_ships() {
    let root = env!("CARGO_MANIFEST_DIR");
    for name in ["templates/fleet.toml", "scenarios/quickstart.toml", "scenarios/maintenance.toml"] {
        let text = std::fs::read_to_string(format!("{root}/{name}")).expect("it ships");
        let alone = AT_THE_END.map(|mistake| said(&format!("{text}\n{mistake}")));
        assert!(alone.iter().all(|said| !said.is_empty()));
        for first in 0..AT_THE_END.len() {
            for second in first + 1..AT_THE_END.len() {
                let both = said(&format!("{text}\n{}\n{}", AT_THE_END[first], AT_THE_END[second]));
                assert_eq!(both, &alone[first] | &alone[second], "{name}: {first}, {second}");
            }
        }
    }
}

/// What a misspelt path was meant to change is in doubt, also where it leads through `*`.
#[test]
fn a_misspelt_path_has_no_consequence() {
    let floor = with(BASE, ("max_lifetime  ", "min = 5\nmax_lifetime  ")).expect("a pool");
    let small =
        |path: &str| format!("{floor}\n[variant.small.set]\n\"service.api.pool.primary.max\" = 3\n{path}");
    let alone = "the pool keeps at least 5 of at most 3 connections";
    assert_eq!(said(&small("")), BTreeSet::from([alone.to_owned()]));
    for path in ["service.api.pool.primary.mim", "service.*.pool.primry.min", "service.*.pool.*.mim"] {
        let said = said(&small(&format!("\"{path}\" = 2")));
        assert!(
            said.len() == 1 && said.iter().all(|one| one.contains("matches nothing")),
            "{path}: {said:?}"
        );
    }
}

/// One of each kind, as it is printed.
#[test]
fn much_is_told_at_once() {
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("much_at_once", wrong::said(include_str!("much.toml")));
    });
}

/// A file that cannot be read leaves the form of the others to be told; what they lack it might have brought.
#[test]
fn a_file_that_cannot_be_read_hides_little() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, with) = (dir.path().join("a.toml"), dir.path().join("b.toml"));
    std::fs::write(&file, BASE.replace("\"400/s\"", "\"400\"").replace("cores ", "# ")).expect("written");
    std::fs::write(&with, "\"postgres.primary.cores\" = ").expect("written");
    let said = |with: std::path::PathBuf| {
        let problems = Document::load(&file, &[with], &[]).expect_err("it is wrong");
        problems.iter().map(herdsim::scenario::problem::Problem::in_a_line).collect::<Vec<_>>().join("\n")
    };
    let broken = said(with);
    assert!(broken.contains("`400` has no unit") && broken.contains("what else is wrong shows"), "{broken}");
    assert!(!broken.contains("has no `cores`"), "{broken}");
    let absent = said(dir.path().join("nowhere.toml"));
    assert!(absent.contains("`400` has no unit") && absent.contains("cannot read"), "{absent}");
}
