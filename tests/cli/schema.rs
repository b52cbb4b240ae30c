//! `schema`, and that what we write is what it says.

use crate::desk::Desk;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FIND: &str = "sweep tiny.toml --find service.*.pool.*.max_lifetime_jitter=0s..1s --expect few-starts";
const ACTIVITY: &str = "backend_start,application_name,client_addr,state\n\
                        2025-09-14 05:30:00+00,api,10.0.0.1,idle\n2025-09-14 05:31:00+00,web,10.0.0.2,active\n";

/// Holds some JSON against a definition.
fn conforms(definition: &str, what: &str, text: &str) {
    let mut schema: Value = serde_json::from_str(herdsim::report::OUTPUT_SCHEMA).unwrap();
    assert!(schema["definitions"][definition].is_object(), "there is no definition of {definition}");
    schema.as_object_mut().unwrap().remove("anyOf");
    schema["allOf"] = json!([{ "$ref": format!("#/definitions/{definition}") }]);
    let schema = jsonschema::draft7::new(&schema).expect("it is a schema");
    let document: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{what}: {error}"));
    let wrong: Vec<String> =
        schema.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{what} is not {definition}: {wrong:#?}");
}

/// The JSON files that programs may read.
const FILES: [(&str, &str); 9] = [
    ("manifest.json", "manifest"),
    ("summary.json", "summary"),
    ("expectations.json", "expectations"),
    ("effects.json", "effects"),
    ("paired.json", "paired"),
    ("timing.json", "timing"),
    ("explain.json", "explanation"),
    ("find.json", "found"),
    ("remedies.json", "remedies"),
];

#[test]
fn every_file_is_what_its_schema_says() {
    let desk = Desk::new();
    desk.write("other.toml", &desk.read("tiny.toml").replace("200/s", "100/s"));
    desk.write("jitter.toml", "title = \"Jitter\"\n\"service.*.pool.*.max_lifetime_jitter\" = \"1s\"\n");
    desk.write("odd.toml", "title = \"Odd\"\n\"job.cleanup.every\" = \"3s\"\n");
    let sweep = "sweep tiny.toml --axis service.*.pool.*.max=2,4 --duration 1s --no-plots";
    desk.ends("compare tiny.toml --all --seeds 2 --no-plots --exit-zero -o compared", 0);
    desk.ends("explain tiny.toml --no-plots -o explained", 0);
    desk.ends(&format!("{sweep} -o swept"), 0);
    desk.ends(&format!("{sweep} --shard 1/2 -o part"), 0);
    desk.ends(&format!("{FIND} --no-plots -o found"), 0);
    desk.ends("compare tiny.toml other.toml --with jitter.toml odd.toml --no-plots -o matrix", 0);
    let mut met = BTreeSet::new();
    for dir in ["compared", "explained", "swept", "part/shard-1-of-2", "found", "matrix"] {
        for entry in std::fs::read_dir(desk.path(dir)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".json") && name != "measured.json" {
                let known = FILES.iter().find(|(file, _)| *file == name);
                let (file, definition) = known.unwrap_or_else(|| panic!("{dir}/{name} has no schema"));
                conforms(definition, &format!("{dir}/{file}"), &desk.read(&format!("{dir}/{file}")));
                met.insert(file);
            }
        }
    }
    assert_eq!(met.len(), FILES.len(), "{met:?}");
}

#[test]
fn what_is_printed_as_json_is_what_its_schema_says() {
    let desk = Desk::new();
    desk.write("other.toml", &desk.read("tiny.toml").replace("200/s", "100/s"));
    desk.write("sessions.csv", ACTIVITY);
    let verbs = [
        ("comparison", "compare tiny.toml --seeds 2 --no-plots", 0),
        ("comparison", "compare tiny.toml other.toml --no-plots", 0),
        ("tested", "test tiny.toml other.toml", 1),
        ("explanation", "explain tiny.toml --no-plots", 0),
        ("snapshot", "inspect sessions.csv", 0),
        ("snapshot", "inspect sessions.csv --lifetime 15m --rate 5/s", 0),
    ];
    for (definition, command, code) in verbs {
        let (out, _) = desk.ends(&format!("{command} --format json"), code);
        conforms(definition, command, &out);
    }
}

#[test]
fn both_schemas_are_printed() {
    let desk = Desk::new();
    let (scenario, _) = desk.ends("schema", 0);
    assert!(scenario.contains("\"duration\"") && desk.ends("schema scenario", 0).0 == scenario);
    assert_eq!(desk.ends("schema output", 0).0, herdsim::report::OUTPUT_SCHEMA);
}

/// What ships has verdicts of all kinds in it, and values that are missing.
#[test]
fn kept_verdicts_are_what_their_schema_says() {
    let results = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let mut kept = 0;
    for entry in std::fs::read_dir(results).unwrap() {
        let file = entry.unwrap().path().join("expectations.json");
        if file.is_file() {
            conforms("expectations", &file.display().to_string(), &std::fs::read_to_string(&file).unwrap());
            kept += 1;
        }
    }
    assert!(kept >= 9, "{kept}");
}
