//! Run directories: whole or not at all, never over something foreign, the same bytes for the same runs.

use super::*;
use crate::experiment::{Against, ResolvedBound, WrittenAt};
use crate::report::{load, redraw, synthetic};

struct Made {
    header: Header,
    runs: Vec<Run>,
    summaries: Vec<Vec<SummaryRow>>,
    judged: Vec<Judged>,
    resolved: Vec<(String, String)>,
}

fn made() -> Made {
    let row = SummaryRow {
        metric: "herd_size",
        of: "postgres.primary".into(),
        cause: "lifetime",
        stat: "max",
        value: f64::NAN,
        unit: "share",
    };
    let judged = Judged {
        name: "jitter-cures".into(),
        variant: "jitter".into(),
        place: Some(WrittenAt { file: "fleet.toml".into(), line: 12, column: 2 }),
        claim: "herd_size{lifetime} of postgres.primary ≤ 5%".into(),
        unit: "share",
        max: Some(ResolvedBound { words: "5%".into(), value: 0.05, against: None }),
        values: vec![0.01, f64::NAN],
        held: 1,
        share: Some(0.9),
        because: "seed 2 had no starts".into(),
        ..Judged::default()
    };
    let controlled = Judged {
        place: None,
        min: Some(ResolvedBound {
            words: "2 × variant.jitter".into(),
            value: f64::NAN,
            against: Some(Against { variant: "jitter".into(), values: vec![0.4], limits: vec![0.8] }),
        }),
        max: None,
        share: None,
        control: Some("as-it-happened".into()),
        control_values: vec![0.9, f64::NAN],
        ..judged.clone()
    };
    Made {
        header: synthetic::header(),
        runs: vec![synthetic::nothing()],
        summaries: vec![vec![row]],
        judged: vec![judged, controlled],
        resolved: vec![
            (AS_WRITTEN.into(), "title = \"a\"\n".into()),
            ("jit/ter".into(), "title = \"b\"\n".into()),
        ],
    }
}

fn paper<'a>(made: &'a Made, timing: &'a Value) -> Paper<'a> {
    Paper {
        header: &made.header,
        runs: &made.runs,
        summaries: &made.summaries,
        judged: &made.judged,
        resolved: &made.resolved,
        argv: &[],
        complete: true,
        timing,
        plots: false,
        extra: &[],
    }
}

fn entries(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_directory_reads_back_and_is_replaced() {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("runs/one");
    let (made, timing) = (made(), json!({ "seconds": 1.5 }));
    let files = write(&dir, &paper(&made, &timing)).unwrap();
    assert!(files.contains(&"scenario.jit_ter.resolved.toml".to_owned()), "{files:?}");
    fs::write(dir.join("stale.resolved.toml"), "x").unwrap();
    let first = fs::read(dir.join("manifest.json")).unwrap();
    write(&dir, &paper(&made, &json!({ "seconds": 2 }))).unwrap();
    assert_eq!(first, fs::read(dir.join("manifest.json")).unwrap());
    assert!(!dir.join("stale.resolved.toml").exists());
    fs::write(dir.join("notes.txt"), "mine").unwrap();
    assert!(matches!(write(&dir, &paper(&made, &timing)), Err(ReportError::Foreign(_))), "it would be lost");
    fs::remove_file(dir.join("notes.txt")).unwrap();
    assert_eq!(entries(&room.path().join("runs")), ["one"], "nothing hidden is left behind");

    let drawn = redraw(&dir, &load(&dir).unwrap(), &[]).unwrap();
    assert_eq!(entries(&dir.join("plots")).len() + 1, drawn.len(), "the page besides");
    assert!(dir.join("report.html").is_file());
    assert!(!dir.join(".unfinished").exists());
    let loaded = load(&dir).unwrap();
    assert_eq!((loaded.header, loaded.runs.len()), (made.header.clone(), 1));
    assert!(loaded.summaries[0][0].value.is_nan() && loaded.judged[0].values[1].is_nan());
    let first = Judged { values: made.judged[0].values.clone(), ..loaded.judged[0].clone() };
    assert_eq!(format!("{first:?}"), format!("{:?}", made.judged[0]));
    let expectations = fs::read_to_string(dir.join("expectations.json")).unwrap();
    let expectations: Value = serde_json::from_str(&expectations).unwrap();
    let first = &expectations["expectations"][0];
    assert_eq!((&first["file"], &first["line"]), (&json!("fleet.toml"), &json!(12)));
    assert_eq!(first["limit"], json!({ "max": { "words": "5%", "value": 0.05 } }));
    let low = first["held_interval"][0].as_f64().unwrap();
    assert!(low > 0.0 && low < 0.5, "one of two: {first}");
    let controlled = &loaded.judged[1];
    let min = controlled.min.as_ref().unwrap();
    assert!(min.words == "2 × variant.jitter" && min.value.is_nan() && controlled.place.is_none());
    assert_eq!(min.against, made.judged[1].min.as_ref().unwrap().against);
    assert_eq!(controlled.control, made.judged[1].control);
    assert!(controlled.control_values[0] == 0.9 && controlled.control_values[1].is_nan());
}

#[test]
fn a_directory_may_be_named_by_dots() {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("one");
    fs::create_dir_all(dir.join("inner")).unwrap();
    let (made, timing) = (made(), json!({}));
    assert!(matches!(write(&dir.join("inner/.."), &paper(&made, &timing)), Err(ReportError::InTheWay(_))));
    write(&dir.join("inner/."), &paper(&made, &timing)).unwrap();
    assert_eq!(entries(&dir), ["inner"]);
}

#[test]
fn a_foreign_directory_is_left_alone() {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("home");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("manifest.json"), "{\"tool\": \"other\"}").unwrap();
    let (made, timing) = (made(), json!({}));
    let error = write(&dir, &paper(&made, &timing)).unwrap_err();
    assert!(error.to_string().contains("not a run directory") && error.to_string().contains("name another"));
    assert_eq!(entries(&dir), ["manifest.json"]);
    assert!(matches!(load(&dir), Err(ReportError::NotARun(_))));
    assert!(matches!(load(room.path()), Err(ReportError::NotARun(_))));
    assert!(matches!(load(&room.path().join("nowhere")), Err(ReportError::Absent(_))));
}

#[test]
fn a_failure_leaves_nothing_half_written() {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("one");
    let (made, timing) = (made(), json!({}));
    write(&dir, &paper(&made, &timing)).unwrap();
    let before = fs::read(dir.join("measured.json")).unwrap();
    // A file cannot be a folder too: writing the second of these fails.
    let extra = [("a".to_owned(), vec![1]), ("a/b".to_owned(), vec![2])];
    let failing = Paper { extra: &extra, complete: false, ..paper(&made, &timing) };
    assert!(matches!(write(&dir, &failing), Err(ReportError::Io { .. })));
    assert_eq!(entries(room.path()), ["one"]);
    assert_eq!(fs::read(dir.join("measured.json")).unwrap(), before);
}

#[test]
fn damaged_and_newer_directories_are_named() {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("one");
    let (made, timing) = (made(), json!({}));
    write(&dir, &paper(&made, &timing)).unwrap();
    for name in ["measured.json", "summary.json", "expectations.json", "manifest.json"] {
        let whole = fs::read(dir.join(name)).unwrap();
        fs::write(dir.join(name), &whole[..whole.len() / 2]).unwrap();
        let error = load(&dir).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("damaged"), "{error}");
        fs::write(dir.join(name), &whole).unwrap();
    }
    let measured = fs::read_to_string(dir.join("measured.json")).unwrap();
    let present = format!("\"schema_version\":{}", archive::SCHEMA_VERSION);
    let older = measured.replacen(&present, "\"schema_version\":1", 1);
    fs::write(dir.join("measured.json"), older).unwrap();
    let error = load(&dir).unwrap_err().to_string();
    assert!(error.contains("measured.json: an older version wrote it"), "{error}");
    assert!(error.contains("run the scenario again") && !error.contains("damaged"), "{error}");
    fs::write(dir.join("measured.json"), measured).unwrap();
    fs::remove_file(dir.join("summary.json")).unwrap();
    let error = load(&dir).unwrap_err().to_string();
    assert!(error.ends_with("summary.json is missing: run the scenario again"), "{error}");
    let manifest = fs::read_to_string(dir.join("manifest.json")).unwrap();
    let newer = manifest.replacen("\"schema_version\": 1", "\"schema_version\": 2", 1);
    fs::write(dir.join("manifest.json"), newer).unwrap();
    assert!(matches!(load(&dir), Err(ReportError::Newer { version: 2, .. })));
}
