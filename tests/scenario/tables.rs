//! CSV files: of what stands, of events, of remedies; and durations that are none.

use super::{BASE, with};
use herdsim::experiment;
use herdsim::scenario::{AS_WRITTEN, Document, Remedy, Scenario};
use std::path::Path;
use tempfile::TempDir;

/// A directory with a curve and two files of durations.
fn files() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("curve.csv", "t_s,rate_per_s\n0,10\n1,20\n"),
        ("times.csv", "seconds\n0.001\n0.002\n"),
        ("zeros.csv", "seconds\n0\n0\n"),
    ] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// A scenario among these files; or what is wrong with it.
fn load(directory: &Path, text: &str) -> Result<Scenario, String> {
    let path = directory.join("scenario.toml");
    std::fs::write(&path, text.replace("\"1h\"", "\"3s\"")).unwrap();
    let loaded = Document::load(&path, &[], &[]);
    let (document, _) = loaded.map_err(|problems| problems.errors().to_string())?;
    Ok(document.scenario(AS_WRITTEN).unwrap().clone())
}

/// An event whose values stand in files, and these of them.
fn event(curve: &str, times: &str, more: &str) -> String {
    with(&format!(
        "[event.e]\nat = \"1s\"\n{more}\n[event.e.set]\n\"traffic.*.rate\" = {{ csv = \"{curve}\" }}\n\
         \"query.lookup.cpu\" = {{ empirical = {{ csv = \"{times}\" }} }}\n"
    ))
}

#[test]
fn a_file_that_only_an_event_names_is_read() {
    let directory = files();
    let scenario = load(directory.path(), &event("curve.csv", "times.csv", "")).unwrap();
    let names: Vec<&String> = scenario.tables.keys().collect();
    assert_eq!(names, ["curve.csv", "times.csv"]);
    assert!(!experiment::record(&scenario, 1, Vec::new()).is_empty());
}

#[test]
fn a_file_of_an_event_that_is_not_there_is_told_once_and_where() {
    let directory = files();
    let wrong = load(directory.path(), &event("absent.csv", "curve.csv", "")).unwrap_err();
    assert!(wrong.contains("`absent.csv`: cannot be read") && wrong.contains("scenario.toml:"), "{wrong}");
    assert!(wrong.contains("help: wanted: a CSV file with the columns t_s,rate_per_s"), "{wrong}");
    assert_eq!(wrong.matches("error:").count(), 1, "a curve may be read as durations: {wrong}");
    assert!(load(directory.path(), &event("absent.csv", "absent.csv", "enabled = false")).is_ok());
}

#[test]
fn a_remedy_may_name_a_file_beside_the_scenario() {
    let directory = files();
    let scenario = load(directory.path(), BASE).unwrap();
    let remedy = |csv: &str| {
        let path = directory.path().join("remedy.toml");
        std::fs::write(&path, format!("\"traffic.users.rate\" = {{ csv = \"{csv}\" }}\n")).unwrap();
        scenario.remedied("remedy", &Remedy::load(&path).unwrap())
    };
    let remedied = remedy("curve.csv").unwrap();
    assert_eq!(remedied.tables["curve.csv"].rows, [[0.0, 10.0], [1.0, 20.0]]);
    assert!(!experiment::record(&remedied, 1, Vec::new()).is_empty());
    assert!(remedy("absent.csv").unwrap_err().contains("`absent.csv`: cannot be read"));
}

/// Durations of zero let a run stand still, whether they are written or measured.
#[test]
fn measured_durations_of_nothing_are_no_pause() {
    let directory = files();
    let measured = |name: &str| format!("{{ empirical = {{ csv = \"{name}\" }} }}");
    let burst = |every: &str, lasting: &str| {
        let burst = format!("burst = {{ every = {}, lasting = {} }}", measured(every), measured(lasting));
        load(directory.path(), &BASE.replace("\"400/s\"", &format!("\"400/s\"\n{burst}")))
    };
    let wrong = burst("zeros.csv", "zeros.csv").unwrap_err();
    assert!(wrong.contains("`every` of 0s is no pause") && wrong.contains("cannot be zero"), "{wrong}");
    assert!(burst("times.csv", "times.csv").is_ok());
    let devices = |age: &str| {
        let devices = "[device.phones]\nrequest = \"sign-in\"\ncount = 10\nrefresh_age = ";
        load(directory.path(), &with(&format!("{devices}{}\n", measured(age))))
    };
    assert!(devices("zeros.csv").unwrap_err().contains("`refresh_age` of 0s is no pause"));
    assert!(devices("times.csv").is_ok());
}
