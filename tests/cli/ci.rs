//! `test`, and the files for CI in docs/ci: what they say is done, and what they promise is kept.

use crate::desk::{Desk, TINY};
use herdsim::scenario::grammar::Metric;
use serde_json::Value;
#[cfg(unix)]
use std::process::Command;

const GUIDE: &str = include_str!("../../docs/ci.md");
const GITHUB: &str = include_str!("../../docs/ci/github-actions.yml");
const GITLAB: &str = include_str!("../../docs/ci/gitlab-ci.yml");
const FLEET: &str = include_str!("../../docs/ci/no-herd.toml");
const JITTER: &str = include_str!("../../docs/ci/jitter.toml");

/// A repository with the files of docs/ci where they belong.
fn repository() -> Desk {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("herdsim")).unwrap();
    desk.write("herdsim/no-herd.toml", FLEET);
    desk.write("herdsim/jitter.toml", JITTER);
    desk
}

/// Runs the program as GitHub does; it must end with this code. Gives stdout and the step summary.
fn on_github(desk: &Desk, line: &str, code: i32) -> (String, String) {
    let summary = desk.path("summary.md");
    let output = desk.herdsim(line).env("GITHUB_STEP_SUMMARY", &summary).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "herdsim {line}\n{out}\n{err}");
    (out, std::fs::read_to_string(summary).unwrap_or_default())
}

/// What a text tells a shell to do with the program, without its name.
fn commands(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim_start);
    lines
        .map(|line| line.strip_prefix("- ").unwrap_or(line))
        .map(|line| line.strip_prefix("run: ").unwrap_or(line))
        .map(|line| line.strip_prefix("$ ").unwrap_or(line))
        .filter_map(|line| line.strip_prefix("herdsim "))
        .filter(|line| line.starts_with("test "))
        .collect()
}

#[test]
fn every_command_in_the_files_for_ci_does_what_it_says() {
    for (text, count) in [(GITHUB, 1), (GITLAB, 1), (GUIDE, 2)] {
        let commands = commands(text);
        assert_eq!(commands.len(), count, "{commands:?}");
        for command in commands {
            let (line, comment) = command.split_once('#').unwrap_or((command, ""));
            let code = if comment.trim() == "exit 1" { 1 } else { 0 };
            on_github(&repository(), line, code);
        }
    }
}

/// The repository has packages beside the program: from there `cargo install` must be told which one is meant.
#[test]
fn what_is_installed_is_locked_and_from_a_repository_it_is_named() {
    let texts = [GITHUB, GITLAB, include_str!("../../README.md"), include_str!("../../docs/report.md")];
    for text in texts {
        let installs: Vec<&str> = text.lines().filter(|line| line.contains("cargo install")).collect();
        assert!(!installs.is_empty(), "{text}");
        for line in installs {
            assert!(line.contains("cargo install --locked "), "{line}");
            assert!(!line.contains("--git") || line.ends_with(" herdsim"), "{line}");
        }
    }
}

#[test]
fn without_the_cure_the_build_fails_and_everybody_is_told_where() {
    let desk = repository();
    let command = commands(GITHUB)[0].replace("--with herdsim/jitter.toml", "");
    let (out, summary) = on_github(&desk, &command, 1);
    let line = FLEET.lines().position(|line| line == "[expect.no-herd]").unwrap() + 1;
    assert!(out.contains(&format!("✗ no-herd (as-written)  herdsim/no-herd.toml:{line}")), "{out}");
    let annotation =
        format!("::error file=herdsim/no-herd.toml,line={line},title=no-herd (as-written) failed::");
    assert!(out.lines().any(|one| one.starts_with(&annotation)), "{out}");
    assert!(summary.contains("✗ **no-herd** (as-written): herd_size"), "{summary}");
    assert!(
        summary.starts_with("### herdsim: 0 passed, 2 failed, 0 inconclusive in 1 scenario"),
        "{summary}"
    );
    let xml = desk.read("herdsim.xml");
    let place = format!("file=\"herdsim/no-herd.toml\" line=\"{line}\"");
    assert!(xml.contains(&place) && xml.matches("<failure ").count() == 2, "{xml}");
    // What the guide shows is what is printed.
    let shown = GUIDE.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(out.starts_with(shown), "{out}");
}

#[test]
fn a_step_summary_goes_on_where_others_began_and_its_absence_is_said() {
    let desk = Desk::new();
    desk.write("summary.md", "Built.\n");
    let (_, summary) = on_github(&desk, "test tiny.toml --github --only few-starts", 0);
    assert!(summary.starts_with("Built.\n### herdsim: 1 passed"), "{summary}");
    let nowhere =
        desk.herdsim("test tiny.toml --github --only few-starts").env_remove("GITHUB_STEP_SUMMARY").output();
    let nowhere = nowhere.unwrap();
    let err = String::from_utf8_lossy(&nowhere.stderr);
    assert!(nowhere.status.success() && err.contains("GITHUB_STEP_SUMMARY is not set"), "{err}");
    desk.ends("test tiny.toml --only few-starts --junit tiny.toml/junit.xml", 3);
}

#[test]
fn every_expectation_in_the_guide_is_taken() {
    let desk = Desk::new();
    let seeds: Vec<String> = (1..=40).map(|seed| seed.to_string()).collect();
    let fleet = FLEET.replace("[1, 2, 3, 4, 5, 6]", &format!("[{}]", seeds.join(", ")));
    let blocks: Vec<&str> =
        GUIDE.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 3, "{blocks:?}");
    desk.write("guide.toml", &(fleet + &blocks.join("\n")));
    desk.ends("check guide.toml", 0);
}

#[test]
fn only_the_variants_that_expectations_name_are_run() {
    let desk = Desk::new();
    let (out, err) = desk.ends("test tiny.toml", 1);
    assert!(err.contains("1 scenario, 2 expectations: 2 runs"), "{err}");
    assert!(out.starts_with("tiny.toml: Tiny (1 seed)\n"), "{out}");
    assert!(out.contains("✓ few-starts (jitter)") && out.contains("✗ absurdly-many-starts"), "{out}");
    assert!(out.ends_with("\n1 passed, 1 failed, 0 inconclusive in 1 scenario\n"), "{out}");
    assert!(!desk.path("runs").exists(), "nothing is kept unless asked for");
    desk.ends("test tiny.toml --exit-zero", 0);
    let (some, err) = desk.ends("test tiny.toml --only few-*", 0);
    assert!(some.contains("1 passed, 0 failed") && err.contains("1 expectation: 1 run"), "{some}{err}");
    let (both, _) = desk.ends("test tiny.toml --only few-starts,absurdly-*", 1);
    assert!(both.contains("1 passed, 1 failed"), "{both}");
    let (_, err) = desk.ends("test tiny.toml --only fewer", 2);
    assert!(err.contains("leaves none of: few-starts, absurdly-many-starts"), "{err}");
    // A name that was misspelt beside one that was not: what it means is not tested.
    desk.write("other.toml", TINY);
    let (out, err) = desk.ends("test tiny.toml other.toml -q --only few-starts,fewer", 2);
    let told = "error: `--only fewer` leaves none of: few-starts, absurdly-many-starts\n";
    assert!(out.is_empty() && err == told, "{err}");
}

#[test]
fn what_is_slow_is_tested_only_by_name() {
    let desk = repository();
    std::fs::create_dir(desk.path("scenarios")).unwrap();
    desk.write("scenarios/slow.toml", &format!("slow = true\n{TINY}"));
    // One message, and it says what to type.
    let (out, err) = desk.ends("test -q", 2);
    let cure = "tested only if it is named: `herdsim test scenarios/slow.toml`";
    assert!(out.is_empty() && err.contains(cure) && err.lines().count() == 1, "{err}");
    let (_, err) = desk.ends("test --only fewer", 2);
    assert!(
        err.contains("leaves none of: few-starts, absurdly-many-starts") && !err.contains("slow:"),
        "{err}"
    );
    desk.write("scenarios/slower.toml", &desk.read("scenarios/slow.toml"));
    let (_, err) = desk.ends("test", 2);
    let cure = "if they are named: `herdsim test scenarios/slow.toml scenarios/slower.toml`";
    assert!(err.contains(cure) && !err.contains("left out"), "{err}");
    std::fs::remove_file(desk.path("scenarios/slower.toml")).unwrap();

    desk.write("scenarios/quick.toml", TINY);
    let (out, err) = desk.ends("test --only few-starts", 0);
    assert!(out.ends_with("1 passed, 0 failed, 0 inconclusive in 1 scenario\n"), "{out}");
    assert!(err.contains("left out, slow: scenarios/slow.toml; name it to test it"), "{err}");
    let whole = desk.path("scenarios/slow.toml");
    for spelling in ["scenarios/slow.toml", "./scenarios/slow.toml", "scenarios/../scenarios/slow.toml"]
        .into_iter()
        .chain(whole.to_str())
    {
        for line in [format!("scenarios {spelling}"), format!("{spelling} ./scenarios {spelling}")] {
            let (out, err) = desk.ends(&format!("test {line} --only few-starts"), 0);
            assert!(out.ends_with("in 2 scenarios\n") && !err.contains("left out"), "{line}\n{out}\n{err}");
        }
    }
}

#[test]
fn a_directory_is_tested_whole_and_what_expects_nothing_is_named() {
    let desk = repository();
    std::fs::create_dir(desk.path("scenarios")).unwrap();
    desk.write("scenarios/b.toml", TINY);
    desk.write("scenarios/a.toml", TINY);
    desk.write("scenarios/overlay.toml", JITTER);
    desk.write("herdsim/a.toml", TINY);
    let (out, err) = desk.ends("test -o kept --only few-starts --duration 3s", 0);
    assert!(out.ends_with("2 passed, 0 failed, 0 inconclusive in 2 scenarios\n"), "{out}");
    assert!(out.find("a.toml") < out.find("b.toml"), "{out}");
    assert!(err.contains("skipped, without [expect]: scenarios/overlay.toml"), "{err}");
    for name in ["a", "b"] {
        let kept: Value =
            serde_json::from_str(&desk.read(&format!("kept/{name}/expectations.json"))).unwrap();
        let first = &kept["expectations"][0];
        assert_eq!(first["file"], format!("scenarios/{name}.toml"), "{kept}");
        assert_eq!(first["limit"]["max"]["value"], 100000.0, "{kept}");
    }
    assert!(
        desk.ends("test herdsim/../scenarios/a.toml herdsim/a.toml -o kept", 2).1.contains("two scenarios")
    );
    assert!(desk.ends("test herdsim/jitter.toml", 2).1.contains("nothing to test"));
    assert!(desk.ends("test nowhere", 2).1.contains("`nowhere` does not exist"));
}

#[test]
fn all_problems_of_all_scenarios_are_shown_and_nothing_is_run() {
    let desk = Desk::new();
    desk.write("a.toml", &TINY.replace("connects_max_1s", "connects_max"));
    desk.write("b.toml", &TINY.replace("max = 100000", "max = \"5%\""));
    let (out, err) = desk.ends("test a.toml tiny.toml b.toml --junit junit.xml", 2);
    assert!(out.is_empty(), "{out}");
    assert!(err.contains("a.toml") && err.contains("did you mean `connects_max_1s`?"), "{err}");
    assert!(err.contains("b.toml") && err.contains("2 scenarios with problems"), "{err}");
}

/// A report of before must not go on saying that all is well.
#[test]
fn scenarios_that_are_wrong_are_told_to_ci_in_the_place_of_older_verdicts() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("fleets")).unwrap();
    desk.write("fleets/a.toml", TINY);
    let line = "test fleets --only few-starts --github --junit junit.xml";
    on_github(&desk, line, 0);
    assert!(desk.read("junit.xml").contains("errors=\"0\""));
    desk.write("fleets/b.toml", &TINY.replace("connects_max_1s", "connects_max"));
    desk.write("fleets/c, d.toml", "[expect\n");
    let (out, summary) = on_github(&desk, line, 2);
    let at = TINY.lines().position(|line| line.contains("connects_max_1s")).unwrap() + 1;
    assert!(
        out.starts_with(&format!("::error file=fleets/b.toml,line={at},title=nothing was run::")),
        "{out}"
    );
    assert!(out.contains("did you mean `connects_max_1s`?\n"), "{out}");
    assert!(out.contains("\n::error file=fleets/c%2C d.toml,line=1,"), "{out}");
    assert!(summary.contains("### herdsim: nothing was run\n\n**fleets/b.toml**\n\n- "), "{summary}");
    let xml = desk.read("junit.xml");
    assert!(xml.contains("errors=\"2\"") && !xml.contains("few-starts"), "{xml}");
    assert!(xml.contains(&format!("file=\"fleets/b.toml\" line=\"{at}\"")), "{xml}");
    let (out, _) = desk.ends("test fleets --only few-starts --format junit", 2);
    assert_eq!(out, xml, "on stdout the same");

    // Also where no scenario is to blame.
    let (out, _) = on_github(&desk, "test nowhere --github --junit junit.xml", 2);
    assert!(out.starts_with("::error title=nothing was run::`nowhere` does not exist"), "{out}");
    let xml = desk.read("junit.xml");
    assert!(xml.contains("errors=\"1\"") && xml.contains("`nowhere` does not exist"), "{xml}");
    on_github(&desk, "test fleets/a.toml --only few-starts --github --junit junit.xml", 0);
    assert!(desk.read("junit.xml").contains("errors=\"0\""), "it is ours, and is replaced");
}

/// Whoever asks for a directory is told what is wrong in it, once, and what to do about it.
#[test]
fn a_directory_with_something_wrong_in_it_is_not_tested() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("fleets")).unwrap();
    let (_, err) = desk.ends("test fleets -q", 2);
    assert_eq!(err, "error: `fleets` holds no scenario: no file ends in .toml\n");
    desk.write("fleets/broken.toml", "[expect\n");
    desk.write("fleets/slow.toml", &format!("slow = true\n{TINY}"));
    let (out, err) = desk.ends("test fleets -q", 2);
    assert!(out.is_empty() && err.contains("fleets/broken.toml:1:8"), "{err}");
    assert!(err.ends_with("error: 1 scenario with problems\n") && !err.contains("slow"), "{err}");
    // As `check` has it, an empty file is no scenario, and a link that leads nowhere was one.
    desk.write("fleets/broken.toml", "");
    let (_, err) = desk.ends("test fleets -q", 2);
    assert!(err.contains("error: `fleets/broken.toml` is empty"), "{err}");
    #[cfg(unix)]
    {
        desk.write("fleets/broken.toml", TINY);
        std::os::unix::fs::symlink("gone.toml", desk.path("fleets/link.toml")).unwrap();
        for verb in ["test", "check"] {
            let (_, err) = desk.ends(&format!("{verb} fleets -q"), 2);
            let told = "error: `fleets/link.toml` is a link that leads nowhere: mend it, or remove it\n";
            // `check` tells of the rest, too.
            assert!(err.ends_with(told) && (verb == "check" || err == told), "{err}");
        }
        std::fs::remove_file(desk.path("fleets/link.toml")).unwrap();
    }
    // What is slow is left out of the runs, not of the checks.
    desk.write("fleets/broken.toml", TINY);
    desk.write("fleets/slow.toml", &format!("slow = \"yes\"\n{TINY}"));
    let (_, err) = desk.ends("test fleets -q", 2);
    assert!(err.contains("`slow` must be true or false") && err.contains("fleets/slow.toml:1:8"), "{err}");
    let variant = "[variant.long]\nwhy = \"longer\"\n[variant.long.set]\nslow = true\n";
    desk.write("fleets/slow.toml", &format!("{TINY}{variant}"));
    let (_, err) = desk.ends("test fleets -q", 2);
    let place = format!("fleets/slow.toml:{}", TINY.lines().count() + 4);
    assert!(err.contains(&place) && err.contains("write `slow` at the top of the file"), "{err}");
}

#[test]
fn an_inconclusive_expectation_is_borne_only_if_asked_for() {
    let desk = Desk::new();
    let never = "[expect.never]\nmetric = \"herd_onset\"\nof = \"postgres.primary\"\nmin = \"1s\"\n";
    let kick =
        "[expect.kick]\nmetric = \"herd_gain\"\nof = \"postgres.primary\"\nmax = 1000\nshare = \"4%\"\n";
    // Five of five seeds do not show it of nine in ten.
    let most = "[expect.most]\nmetric = \"backend_starts\"\nof = \"postgres.primary\"\nmax = 100000\nshare = \"90%\"\n";
    desk.write("never.toml", &format!("{TINY}{never}{kick}"));
    let line = "test never.toml --only never --only kick";
    let (out, _) = desk.ends(line, 1);
    assert!(out.contains("? never") && out.contains("did not happen with 1 of 1 seeds"), "{out}");
    assert!(out.contains("✓ kick") && out.contains("held with 1 of 1 seeds: between 5 %"), "{out}");
    desk.ends(&format!("{line} --allow-inconclusive"), 1);
    desk.write("most.toml", &format!("{TINY}{most}"));
    let most = "test most.toml --only most --seeds 5";
    desk.ends(most, 1);
    desk.ends(&format!("{most} --allow-inconclusive"), 0);
    let (json, _) = desk.ends(&format!("{most} --allow-inconclusive --format json"), 0);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["passed"], &json["inconclusive"], &json["complete"]),
        (&0.into(), &1.into(), &true.into())
    );
    let (xml, _) = desk.ends(&format!("{most} --allow-inconclusive --format junit"), 0);
    assert!(xml.contains("<skipped") && !xml.contains("<error"), "{xml}");
    let (markdown, _) = desk.ends(&format!("{line} --format markdown"), 1);
    assert!(markdown.contains("- ? **never**"), "{markdown}");
    let (github, _) = desk.ends(&format!("{line} --format github"), 1);
    assert!(github.starts_with("::error file=never.toml,line="), "{github}");
    assert!(desk.ends("test never.toml --github --format json", 2).1.contains("--github"));
}

#[test]
fn any_number_of_threads_tells_the_same_and_nothing_tells_the_time() {
    let desk = Desk::new();
    let tell = |threads: u8| {
        ["text", "json", "markdown", "github", "junit"].map(|format| {
            desk.ends(&format!("test tiny.toml --seeds 1,2 -j {threads} --format {format} -q"), 1).0
        })
    };
    assert_eq!(tell(1), tell(2));
}

#[cfg(unix)]
#[test]
fn what_was_finished_is_reported_and_said_to_be_incomplete() {
    for signal in ["-INT", "-TERM"] {
        reported_after(signal);
    }
}

/// What is reported when this signal comes. What was kept before stays: no run can take its place.
#[cfg(unix)]
fn reported_after(signal: &str) {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;
    let desk = Desk::new();
    desk.ends("test tiny.toml -o kept", 1);
    let before = desk.read("kept/tiny/measured.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_herdsim"))
        .current_dir(desk.path("."))
        .args(["test", "tiny.toml", "--duration", "2000h", "--junit", "junit.xml", "-o", "kept"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(|line| line.unwrap());
    assert!(lines.any(|line| line.contains("2 runs")), "no announcement");
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}: {rest:?}");
    assert!(
        out.contains("0 passed, 0 failed, 2 inconclusive in 1 scenario; incomplete: 0 of 2 runs"),
        "{out}"
    );
    assert!(desk.read("junit.xml").contains("name=\"complete\" value=\"false\""));
    assert_eq!(desk.read("kept/tiny/measured.json"), before);
}

/// A database that nobody reached has no herd and is not calm.
#[test]
fn nothing_to_measure_is_no_pass() {
    let desk = Desk::new();
    for nobody in ["postgres.primary.state=unreachable", "traffic.users.enabled=false"] {
        let (out, _) = desk.ends(&format!("test tiny.toml --only few-starts --set {nobody}"), 1);
        assert!(out.contains("? few-starts") && out.contains("measured nothing"), "{nobody}: {out}");
    }
}

#[test]
fn a_report_replaces_no_scenario() {
    let desk = Desk::new();
    let (_, err) = desk.ends("test tiny.toml --only few-starts --junit tiny.toml", 2);
    assert!(err.contains("`tiny.toml` is there and is not JUnit XML"), "{err}");
    assert_eq!(desk.read("tiny.toml"), TINY);
    (0..2).for_each(|_| drop(desk.ends("test tiny.toml --only few-starts --junit a/junit.xml", 0)));
}

/// A disk may be full: half a report is worse than the one of before.
#[cfg(unix)]
#[test]
fn a_report_that_cannot_be_written_leaves_the_one_of_before() {
    let desk = Desk::new();
    let herdsim = env!("CARGO_BIN_EXE_herdsim");
    let lacking = |line: &str| {
        let script = format!("ulimit -f 1; trap '' XFSZ; exec '{herdsim}' {line}");
        let output = Command::new("bash").arg("-c").arg(script).current_dir(desk.path(".")).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let line = "test tiny.toml -q --junit out/junit.xml --exit-zero";
    desk.ends(&format!("{line} --only few-starts"), 0);
    let before = desk.read("out/junit.xml");

    lacking(line);
    assert_eq!(desk.read("out/junit.xml"), before);
    desk.ends("run tiny.toml --no-plots -q -o runs/tiny", 0);
    lacking("report runs/tiny --openmetrics out/tiny.om --start 2026-03-10T15:40:00Z");
    let names = std::fs::read_dir(desk.path("out")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["junit.xml"], "nothing half-written");
    desk.write("out/.junit.xml.unfinished.1", "<");
    desk.ends(line, 0);
    assert!(!desk.path("out/.junit.xml.unfinished.1").exists() && desk.read("out/junit.xml") != before);
}

#[test]
fn the_guide_has_a_row_for_every_metric() {
    for metric in Metric::ALL {
        let row = format!("| `{}` | `{}` | {} |", metric.name(), metric.group(), metric.unit().name());
        assert!(GUIDE.contains(&row), "docs/ci.md lacks: {row}");
    }
}
