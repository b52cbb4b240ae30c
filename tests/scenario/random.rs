//! Whatever the input: an answer, never a panic.

use super::BASE;
use herdsim::scenario::Document;
use proptest::prelude::*;

/// Loads and prints; both must come to an end.
fn survives(text: &str) {
    match Document::from_text("scenario.toml", text) {
        Ok((document, warnings)) => {
            let _ = warnings.render(true);
            document.scenarios.values().for_each(|scenario| drop(scenario.resolved()));
        }
        Err(problems) => drop(problems.render(true)),
    }
}

/// More of the grammar than the base scenario, for mutation.
const MORE: &str = r#"
[postgres.replica]
like = "primary"
[event.slow]
at = "event.deploy + 5m"
until = "30m"
set = { "postgres.*.cores" = "x0.5", "traffic.users.rate" = "x2" }
[event.deploy]
at = "10m"
do = { deploy = "*" }
[variant.v.set]
"service.*.pool.*.max_lifetime_jitter" = "x2"
[expect.e]
metric = "herd_size"
of = "postgres.primary"
max = { times = 1.3, of = "variant.v" }
[source]
"postgres.primary.cores" = { from = "assumed" }
"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        prop_assert!(Document::load(file.path(), &[], &[]).is_err());
    }

    #[test]
    fn any_set(argument in "\\PC{0,40}") {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), BASE).unwrap();
        if let Err(problems) = Document::load(file.path(), &[], &[argument]) {
            let _ = problems.render(true);
        }
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn any_value_anywhere(at in 0_usize..60, value in prop::sample::select(vec![
        "0", "-1", "9223372036854775807", "9223372036854775808", "1e308", "nan", "\"\"", "\"x\"", "\"x2\"", "\"xNaN\"",
        "\"-\"", "\"é\"", "\"2025é-09-14\"", "\"event.\"", "\"event. + \"", "\"99999999999999999999h\"", "\"*\"", "true", "[]",
        "[[]]", "{}", "{ a = {} }", "{ csv = \"/\" }", "{ uniform = {} }", "2025-01-01", "\"none\"", "{ every = 1 }",
    ])) {
        let text = format!("{BASE}{MORE}");
        let lines = text.lines().enumerate().map(|(number, line)| match line.split_once('=') {
            Some((key, _)) if number == at => format!("{key}= {value}"),
            _ => line.to_owned(),
        });
        survives(&lines.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn any_byte_changed(at in 0_usize..1400, to in any::<char>(), cut in any::<bool>()) {
        let text = format!("{BASE}{MORE}");
        let mut chars: Vec<char> = text.chars().collect();
        let at = at % chars.len();
        chars[at] = to;
        if cut {
            chars.truncate(at + 1);
        }
        survives(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn any_path(path in "(postgres|service|event|traffic|\\*|\\.|primary|api|cores|pool| |x){0,8}", value in "[a-z0-9.{}\"]{0,6}") {
        survives(&format!("{BASE}{MORE}[variant.w.set]\n{path:?} = {value:?}\n"));
    }
}

#[test]
fn deep_nesting() {
    for text in [
        "[".repeat(100_000),
        format!("a{} = 1", ".a".repeat(100_000)),
        format!("[a{}]", ".a".repeat(100_000)),
        format!("a = {}", "{ a = ".repeat(50_000)),
    ] {
        survives(&text);
    }
}

#[test]
fn long_chains() {
    let events: String = (0..1000)
        .map(|n| format!("[event.e{n}]\nat = \"event.e{} + 1s\"\ndo = {{ deploy = \"*\" }}\n", n + 1))
        .collect();
    let likes: String = (0..1000).map(|n| format!("[postgres.p{n}]\nlike = \"p{}\"\n", n + 1)).collect();
    survives(&format!("{BASE}{events}"));
    survives(&format!("{BASE}{likes}"));
}
