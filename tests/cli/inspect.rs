//! `inspect`: real connections, from the table that `psql --csv` prints.

use crate::desk::Desk;
use std::fmt::Write;

/// Rows of connections that were born so many seconds after 06:00, under the header of the documented query.
fn table(births: impl IntoIterator<Item = f64>) -> String {
    let mut text = "backend_start,application_name,client_addr,state\n".to_owned();
    for birth in births {
        let _ = writeln!(text, "{},api,10.0.0.7,idle", instant(birth));
    }
    text
}

fn instant(seconds: f64) -> String {
    let micros = (seconds * 1e6).round() as u64;
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    format!("2026-11-21 {:02}:{:02}:{:02}.{rest:06}+00", 6 + whole / 3600, whole / 60 % 60, whole % 60)
}

fn bunched() -> String {
    table((0..100).map(|n| 300.0 + f64::from(n) * 0.005))
}

fn spread() -> String {
    table((0..100).map(|n| f64::from(n) * 9.0))
}

const NOW: &str = "2026-11-21T06:15:00Z";

#[test]
fn a_bunch_is_found_with_its_next_storm_and_its_cure() {
    let desk = Desk::new();
    desk.write("sessions.csv", &bunched());
    let (out, err) = desk.ends(&format!("inspect sessions.csv --lifetime 15m --now {NOW}"), 0);
    assert!(
        out.starts_with("BUNCHED: 100 of 100 connections (100%) were started within one second\n"),
        "{out}"
    );
    for said in ["06:20:00 (in 5m): 100 of 100", "a jitter of at least 5s", "15m, as given", "api", "--now"] {
        assert!(out.contains(said), "{said} in:\n{out}");
    }
    assert!(!out.contains('\x1b') && out.lines().all(|line| line.chars().count() <= 100), "{out}");
    assert_eq!(err, "");
    let (slow, _) = desk.ends(&format!("inspect sessions.csv --lifetime 15m --now {NOW} --rate 2/s"), 0);
    assert!(slow.contains("a jitter of at least 50s"), "{slow}");
}

#[test]
fn stdin_is_the_default_and_a_dash() {
    let desk = Desk::new();
    for line in ["inspect --lifetime 15m", "inspect - --lifetime 15m"] {
        let output = desk.herdsim(line).write_stdin(spread()).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && out.starts_with("NOT BUNCHED: no second holds"), "{line}: {out}");
        assert!(out.contains("the newest backend_start"), "{out}");
    }
}

#[test]
fn the_lifetime_is_guessed_where_ages_betray_it() {
    let desk = Desk::new();
    desk.write("spread.csv", &spread());
    desk.write("bunched.csv", &bunched());
    let (out, _) = desk.ends(&format!("inspect spread.csv --now {NOW}"), 0);
    assert!(out.contains("about 15m, fairly sure"), "{out}");
    let (out, _) = desk.ends(&format!("inspect bunched.csv --now {NOW}"), 0);
    assert!(
        out.contains("unknown, at least 10m") && out.contains("cannot be said without the lifetime"),
        "{out}"
    );
    assert!(out.starts_with("BUNCHED"), "{out}");
}

/// As spreadsheets of many countries save it.
#[test]
fn semicolons_are_named() {
    let desk = Desk::new();
    desk.write("sessions.csv", &bunched().replace(',', ";"));
    let (_, err) = desk.ends("inspect sessions.csv", 2);
    assert!(err.contains("sessions.csv:1: the columns are separated by semicolons, not by commas"), "{err}");
    assert!(err.contains("psql --csv"), "{err}");
}

#[test]
fn the_exit_code_speaks_where_it_is_asked_to() {
    let desk = Desk::new();
    desk.write("bunched.csv", &bunched());
    desk.write("spread.csv", &spread());
    desk.write("few.csv", &table([1.0, 2.0]));
    desk.write("none.csv", &table([]));
    let (_, err) = desk.ends("inspect bunched.csv --lifetime 15m --fail-if-bunched", 1);
    assert!(err.contains("the connections are bunched"), "{err}");
    desk.ends("inspect spread.csv --lifetime 15m --fail-if-bunched", 0);
    for file in ["few.csv", "none.csv"] {
        let (out, err) = desk.ends(&format!("inspect {file} --lifetime 15m --fail-if-bunched"), 1);
        assert!(out.starts_with("CANNOT TELL") && err.contains("nobody can tell"), "{out}{err}");
        desk.ends(&format!("inspect {file} --lifetime 15m"), 0);
    }
}

#[test]
fn json_is_for_programs() {
    let desk = Desk::new();
    desk.write("bunched.csv", &bunched());
    let (out, _) = desk.ends(&format!("inspect bunched.csv --lifetime 15m --now {NOW} --format json"), 0);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&value["schema_version"], &value["verdict"]), (&1.into(), &"bunched".into()));
    assert_eq!(value["storms"][0]["due"], "2026-11-21T06:20:00Z");
    assert_eq!(value["lifetime"]["s"], 900.0);
}

#[test]
fn one_application_may_be_looked_at_alone() {
    let desk = Desk::new();
    let jobs = spread().lines().skip(1).map(|line| line.replace("api", "jobs") + "\n").collect::<String>();
    desk.write("both.csv", &(bunched() + &jobs));
    let verdict = |line: &str| desk.ends(&format!("inspect both.csv --lifetime 15m {line}"), 0).0;
    assert!(verdict("").starts_with("BUNCHED: 100 of 200"), "{}", verdict(""));
    assert!(verdict("--application jobs").starts_with("NOT BUNCHED"));
    let (_, err) = desk.ends("inspect both.csv --application web", 2);
    assert!(err.contains("no connection with the application_name `web`; there are: `api`, `jobs`"), "{err}");
}

#[test]
fn the_picture_is_drawn_twice() {
    let desk = Desk::new();
    desk.write("bunched.csv", &bunched());
    let (_, err) = desk.ends("inspect bunched.csv --lifetime 15m --svg births.svg", 0);
    assert!(err.contains("wrote births.svg and births.png"), "{err}");
    assert!(desk.read("births.svg").starts_with("<svg") && desk.path("births.png").is_file());
    desk.ends("inspect bunched.csv --lifetime 15m --svg births.svg", 0);
    desk.write("photo.png", "\u{89}PNG of somebody");
    let (_, err) = desk.ends("inspect bunched.csv --lifetime 15m --svg photo.svg", 2);
    assert!(err.contains("`photo.png` is there, without our SVG beside it"), "{err}");
    let (_, err) = desk.ends("inspect bunched.csv --lifetime 15m --svg births.png", 2);
    assert!(err.contains("the PNG that comes beside the SVG"), "{err}");
    let (_, err) = desk.ends("inspect bunched.csv --lifetime 15m --svg bunched.csv", 2);
    assert!(err.contains("`bunched.csv` is there and is not an SVG of herdsim's"), "{err}");
    assert_eq!(desk.read("bunched.csv"), bunched());
    desk.ends("inspect bunched.csv --lifetime 15m --svg births.svg/births.svg", 3);
}

#[test]
fn colour_is_asked_for_and_never_alone() {
    let desk = Desk::new();
    desk.write("bunched.csv", &bunched());
    let (plain, _) = desk.ends("inspect bunched.csv --lifetime 15m", 0);
    let (colour, _) = desk.ends("inspect bunched.csv --lifetime 15m --color always", 0);
    assert!(!plain.contains('\x1b') && colour.contains("\x1b[1;31mBUNCHED"), "{colour}");
}

/// One snapshot of all that may be wrong: each message has file, line and cure.
#[test]
fn bad_input_is_named_with_line_and_cure() {
    let desk = Desk::new();
    let files = [
        ("empty.csv", String::new()),
        ("aligned.csv", "         backend_start         | state \n-------+------\n".to_owned()),
        ("other.csv", "pid,backend_xmin\n1,2\n".to_owned()),
        ("german.csv", spread().replace("2026-11-21 06:00:09.000000+00", "21.11.2026 06:00:09 CET")),
        ("zoneless.csv", spread().replace("06:00:18.000000+00", "06:00:18")),
        ("ragged.csv", spread() + "2026-11-21 06:00:00+00\n"),
    ];
    let mut said = Vec::new();
    for (name, text) in &files {
        desk.write(name, text);
        said.push(desk.ends(&format!("inspect {name}"), 2).1);
    }
    desk.write("spread.csv", &spread());
    for line in [
        "inspect spread.csv --now 2026-11-21T06:00:00Z",
        "inspect spread.csv --lifetime 15",
        "inspect spread.csv --lifetime 5s",
        "inspect spread.csv --now yesterday",
        "inspect spread.csv --rate 0/s",
    ] {
        said.push(desk.ends(line, 2).1);
    }
    said.push(desk.ends("inspect nowhere.csv", 2).1);
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("bad_input", said.join("\n"));
    });
}

#[test]
fn what_is_not_text_is_bad_input() {
    let desk = Desk::new();
    std::fs::write(desk.path("noise.csv"), [b"backend_start\n".as_slice(), &[0xff, 0xfe, b'\n']].concat())
        .unwrap();
    assert!(desk.ends("inspect noise.csv", 2).1.contains("noise.csv:2: this is not CSV in UTF-8"));
}
