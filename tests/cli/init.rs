//! `init`: a newcomer's first command.

use crate::desk::Desk;

const TEMPLATES: [&str; 2] = ["quickstart", "fleet"];

#[test]
fn a_newcomer_gets_a_scenario_its_schema_and_the_next_step() {
    let desk = Desk::new();
    let (out, err) = desk.ends("init", 0);
    assert_eq!(out, "", "results only on stdout");
    assert!(
        err.contains("wrote quickstart.toml") && err.contains("herdsim compare quickstart.toml"),
        "{err}"
    );
    assert!(desk.read("quickstart.toml").starts_with("#:schema ./scenario.schema.json\n"));
    assert!(desk.read("scenario.schema.json").contains("schema_version"));
}

#[test]
fn every_template_is_listed_and_passes_the_check() {
    let desk = Desk::new();
    let (list, _) = desk.ends("init --list-templates", 0);
    for name in TEMPLATES {
        assert!(list.lines().any(|line| line.starts_with(name)), "{list}");
        desk.ends(&format!("init --template {name}"), 0);
        let (out, _) = desk.ends(&format!("check {name}.toml"), 0);
        assert!(out.starts_with(&format!("{name}.toml: ok")), "{out}");
    }
    assert_eq!(list.lines().count(), TEMPLATES.len());
}

#[test]
fn every_variant_of_every_template_resolves() {
    let desk = Desk::new();
    for (name, variants) in [
        ("quickstart", vec!["no-jitter", "jitter"]),
        ("fleet", vec!["jitter", "calm-jobs", "no-attack", "old-postgres"]),
    ] {
        desk.ends(&format!("init --template {name}"), 0);
        for variant in variants {
            desk.ends(&format!("check {name}.toml --print-resolved --variant {variant}"), 0);
        }
    }
}

#[test]
fn what_is_there_is_not_overwritten() {
    let desk = Desk::new();
    desk.write("mine.toml", "precious");
    let (_, err) = desk.ends("init mine.toml", 3);
    assert!(err.contains("mine.toml") && err.contains("there already"), "{err}");
    assert_eq!(desk.read("mine.toml"), "precious");
}

#[test]
fn a_dash_is_stdout_and_writes_no_file() {
    let desk = Desk::new();
    let (out, err) = desk.ends("init --template fleet -", 0);
    assert!(out.starts_with("#:schema ./scenario.schema.json\n"), "{out}");
    assert_eq!(err, "");
    assert!(!desk.path("fleet.toml").exists() && !desk.path("scenario.schema.json").exists());
}

#[test]
fn a_new_directory_is_made() {
    let desk = Desk::new();
    desk.ends("init new/place/a.toml", 0);
    assert!(desk.path("new/place/scenario.schema.json").is_file());
}

#[test]
fn an_unknown_template_names_those_there_are() {
    let (_, err) = Desk::new().ends("init --template slowstart", 2);
    assert!(err.contains("quickstart, fleet"), "{err}");
}
