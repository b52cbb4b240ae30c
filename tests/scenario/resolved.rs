//! The resolved scenario is the scenario that ran: read again, it is the same, whatever its events do.

use super::{BASE, load, with};
use herdsim::scenario::{AS_WRITTEN, Document, Scenario};
use std::fs;
use std::path::Path;

/// What the resolved text of a scenario says; CSV files are looked for in `dir`.
fn again(scenario: &Scenario, dir: &Path) -> Scenario {
    let path = dir.join("resolved.toml");
    fs::write(&path, scenario.resolved()).unwrap();
    let (document, _) =
        Document::load(&path, &[], &[]).unwrap_or_else(|problems| panic!("{}: {problems}", scenario.variant));
    document.scenario(AS_WRITTEN).unwrap().clone()
}

fn assert_same(one: &Scenario, other: &Scenario, what: &str) {
    assert_eq!(one.file, other.file, "{what}");
    assert_eq!(one.tables, other.tables, "{what}");
    assert_eq!(one.timeline.len(), other.timeline.len(), "{what}");
    for (a, b) in one.timeline.iter().zip(&other.timeline) {
        assert_eq!((a.at, &a.event, a.begins, &a.deed), (b.at, &b.event, b.begins, &b.deed), "{what}");
        assert_eq!(a.stands, b.stands, "{what}, event {}", a.event);
    }
}

/// Every variant of a text, resolved and read again.
fn round(text: &str) -> Vec<Scenario> {
    let dir = tempfile::tempdir().unwrap();
    let (document, _) = load(text);
    let each = document.scenarios.values().map(|scenario| {
        let read = again(scenario, dir.path());
        assert_same(scenario, &read, &scenario.variant);
        read
    });
    each.collect()
}

#[test]
fn every_shipped_scenario_resolves_to_itself() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<_> = fs::read_dir(shipped).unwrap().map(|entry| entry.unwrap().path()).collect();
    let of = |kind: &'static str| files.iter().filter(move |path| path.extension().unwrap() == kind);
    for csv in of("csv") {
        fs::copy(csv, dir.path().join(csv.file_name().unwrap())).unwrap();
    }
    for file in of("toml") {
        let (document, _) = Document::load(file, &[], &[]).unwrap_or_else(|problems| panic!("{problems}"));
        for scenario in document.scenarios.values() {
            let what = format!("{} of {}", scenario.variant, file.display());
            assert_same(scenario, &again(scenario, dir.path()), &what);
        }
    }
    assert!(of("toml").count() > 5);
}

/// What is `like` another under another preset has what was written for both, not what a preset filled in.
#[test]
fn nothing_is_like_another_once_it_is_resolved() {
    let two = |api: &str, back: &str| {
        let own = format!("[service.back.pool.primary]\npreset = \"{back}\"\n");
        let more = format!("[service.back]\nlike = \"api\"\n{own}[postgres.second]\nlike = \"primary\"\n");
        with(&more).replacen("\"pgxpool\"", &format!("\"{api}\""), 1)
    };
    for text in [two("activerecord", "pgxpool"), two("pgxpool", "activerecord")] {
        let read = round(&text);
        assert!(!read[0].resolved().contains("like ="));
        let at_once = |service: &str| read[0].file.service[service].pool["primary"].refill_at_once;
        assert_ne!(at_once("api"), at_once("back"), "one preset has it, the other has not");
    }
}

/// A fixed-size pool keeps its size under whatever lowers `max`.
#[test]
fn a_floor_of_as_many_as_max_follows_it() {
    let hikari = BASE.replace("\"pgxpool\"", "\"hikari\"");
    let text = format!(
        "{hikari}[event.smaller]\nat = \"10m\"\nset = {{ \"service.api.pool.primary.max\" = 4 }}\n\
         do = {{ deploy = \"api\" }}\n[variant.cap-5.set]\n\"service.api.pool.primary.max\" = 5\n"
    );
    let read = round(&text);
    assert!(read[0].resolved().contains("min = \"max\""), "{}", read[0].resolved());
    let floor = |scenario: &Scenario| scenario.file.service["api"].pool["primary"].min;
    assert_eq!((floor(&read[0]), floor(&read[1])), (10, 5));
    let later = read[0].timeline[0].stands.as_ref().expect("it sets something");
    assert_eq!(later.service["api"].pool["primary"].min, 4);
}

/// It may be written by hand as well, also where no preset says so.
#[test]
fn a_floor_of_as_many_as_max_may_be_written() {
    let (document, _) = load(&BASE.replace("max                 = 10", "max = 10\nmin = \"max\""));
    let scenario = document.scenario(AS_WRITTEN).unwrap();
    assert_eq!(scenario.file.service["api"].pool["primary"].min, 10);
}

/// What the first library fills in gives way to the second's.
#[test]
fn an_event_may_give_a_pool_another_library() {
    let read = round(&with(
        "[event.rewrite]\nat = \"10m\"\nset = { \"service.*.pool.*.preset\" = \"hikari\" }\n\
         do = { deploy = \"*\" }\n",
    ));
    let later = read[0].timeline[0].stands.as_ref().expect("it sets something");
    assert_eq!(later.service["api"].pool["primary"].min, 10);
}
