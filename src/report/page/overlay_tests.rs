//! What people export, and what is wrong with some of it.

use super::*;
use crate::report::synthetic;

fn p99() -> Option<OverlayChart> {
    parted("p99=prod.csv").unwrap().0
}

fn read_it(text: &str) -> Result<SeriesOverlay, String> {
    read(&synthetic::header(), 3600.0, p99(), "prod.csv", text)
}

fn points(text: &str) -> Vec<(f64, f64)> {
    read_it(text).unwrap().series[0].1.clone()
}

#[test]
fn a_time_is_written_in_many_ways() {
    for at in [
        "2025-09-14T05:31:00Z",
        "2025-09-14T07:31:00+02:00",
        "2025-09-14 05:31:00",
        "2025-09-14 05:31:00.000",
        "1757827860",
        "1757827860000",
        "60",
        "Sun Sep 14 2025 05:31:00 GMT+0000 (Coordinated Universal Time)",
    ] {
        assert_eq!(points(&format!("{at},12.5\n")), [(60.0, 12.5)], "{at}");
    }
}

#[test]
fn long_and_wide_files_are_told_apart() {
    let wide = read_it("\"Time\",\"p99 a\",\"p99 b\"\n0,1,2\n10,,4\n20,3,null\n").unwrap();
    assert_eq!(
        wide.series,
        [
            ("p99 a".to_owned(), vec![(0.0, 1.0), (20.0, 3.0)]),
            ("p99 b".to_owned(), vec![(0.0, 2.0), (10.0, 4.0)]),
        ]
    );
    let long = read_it("time,value,series\n0,1,a\n0,2,b\n10,3,a\n").unwrap();
    assert_eq!(long.series[0], ("a".to_owned(), vec![(0.0, 1.0), (10.0, 3.0)]));
    assert_eq!(long.series.len(), 2);
}

#[test]
fn what_is_outside_is_cut_and_said() {
    let overlay = read_it("-10,1\n10,1\n3600,1\n").unwrap();
    assert_eq!((overlay.kept, overlay.cut), (1, 2));
    let words = "measured: prod.csv, 1 value in 1 series, over p99, taken for milliseconds; 2 values outside the run left out";
    assert_eq!(overlay.words(), words);
    let none = read_it("4000,1\n").unwrap_err();
    assert!(none.contains("none of its 1 values lies within the run, which lasts 1h"), "{none}");
}

/// Dashboards export local times, too, and nothing in them tells.
#[test]
fn a_time_without_a_zone_is_utc_and_that_is_said() {
    let told = "; times without a zone are taken for UTC";
    for (at, zoneless) in [("2025-09-14 05:31:00", true), ("2025-09-14T05:31:00Z", false), ("60", false)] {
        let words = read_it(&format!("{at},12.5\n")).unwrap().words();
        assert_eq!(words.ends_with(told), zoneless, "{words}");
    }
    assert!(read_it("2025-09-14 07:31:00,12.5\n").unwrap_err().ends_with(told));
}

#[test]
fn errors_name_file_and_line() {
    let error = |text: &str| read_it(text).unwrap_err();
    assert!(error("time,value\n0,1\n10,12 ms\n").starts_with("prod.csv:3: `12 ms` is not a number"));
    assert!(error("0,1\nlater,2\n").starts_with("prod.csv:2: `later` is not a time"));
    assert!(error("").contains("no line begins with a time"));
    // As spreadsheets of many countries export it.
    assert!(error("time;value\n0;1,5\n").starts_with("prod.csv:1: the columns are separated by semicolons"));
    assert!(error("0;1,5\n").starts_with("prod.csv:1: the columns are separated by semicolons"));
    // Which series would a legend name?
    let twice = error("time,p99,p50,p99\n0,1,2,3\n");
    assert!(twice.starts_with("prod.csv:2: two columns are called `p99`: give each"), "{twice}");
    let mut header = synthetic::header();
    header.start = None;
    let error = read(&header, 3600.0, None, "prod.csv", "0,1\n2025-09-14T05:31:00Z,1\n").unwrap_err();
    assert!(error.starts_with("prod.csv:2: ") && error.contains("no `start`"), "{error}");
    assert!(parted("p98=prod.csv").unwrap_err().contains("there are: p99, connections"));
}

#[test]
fn the_highest_of_a_column_is_drawn_in_the_unit_of_the_chart() {
    let overlay = read_it("0,1\n15,7\n29,3\n60,2\n").unwrap();
    let json = overlay.json(Columns { per: 3, count: 3 }, 3600.0);
    assert_eq!(json["series"][0]["data"], json!([7000.0, null, 2000.0]));
    assert_eq!(json["panel"], "latency");
}
