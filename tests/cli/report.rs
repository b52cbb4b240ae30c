//! `report`: the page of a run, drawn again; measured values over it; its series for Prometheus.

use crate::desk::Desk;

#[test]
fn a_run_leaves_a_page_that_is_drawn_again_byte_for_byte() {
    let desk = Desk::new();
    desk.ends("compare tiny.toml -o out", 0);
    let first = desk.read("out/report.html");
    assert!(first.contains("few-starts") && first.contains("default-src 'none'"));
    desk.ends("report out", 0);
    assert!(desk.read("out/report.html") == first, "the same page");
    desk.ends("run tiny.toml -o tables --no-plots", 0);
    assert!(!desk.path("tables/report.html").exists(), "--no-plots");
    let (out, _) = desk.ends("report tables", 0);
    assert!(out.contains("tables/report.html"), "{out}");
}

/// What was changed by hand is not what was run; what is missing is said wherever results are shown.
#[test]
fn a_report_knows_what_was_run_and_what_was_not() {
    let desk = Desk::new();
    desk.ends("run tiny.toml -o out --no-plots", 0);
    desk.ends("report out", 0);
    assert!(!desk.read("out/report.html").contains("Incomplete"));
    let manifest = desk.read("out/manifest.json");
    desk.write("out/manifest.json", &manifest.replace("\"complete\": true", "\"complete\": false"));
    let (_, err) = desk.ends("report out", 0);
    assert!(err.contains("not every run was finished"), "{err}");
    assert!(desk.read("out/report.html").contains("Incomplete"));
    let resolved = desk.read("out/scenario.resolved.toml");
    desk.write("out/scenario.resolved.toml", &resolved.replace("cores", "corse"));
    let (_, err) = desk.ends("report out", 3);
    assert!(err.contains("scenario.resolved.toml is damaged: it is not the scenario that was run"), "{err}");
}

#[test]
fn measured_values_lie_over_the_simulated_ones() {
    let desk = Desk::new();
    desk.ends("run tiny.toml -o out --no-plots", 0);
    desk.write("prod.csv", "time,value\n1,3.5\n2,4\n9,5\n");
    let (_, err) = desk.ends("report out --overlay p99=prod.csv --overlay prod.csv", 0);
    assert!(err.contains("prod.csv, 2 values in 1 series, over p99, taken for milliseconds"), "{err}");
    assert!(err.contains("1 value outside the run left out"), "{err}");
    assert!(desk.read("out/report.html").contains("prod.csv"));

    desk.write("bad.csv", "time,value\n1,fast\n");
    let (_, err) = desk.ends("report out --overlay bad.csv", 2);
    assert!(err.contains("bad.csv:2: `fast` is not a number"), "{err}");
    let (_, err) = desk.ends("report out --overlay p98=prod.csv", 2);
    assert!(err.contains("there is no chart `p98`") && err.contains("connections"), "{err}");
    desk.ends("report out --overlay nowhere.csv", 2);
}

#[test]
fn series_for_prometheus_need_a_calendar() {
    let desk = Desk::new();
    desk.ends("run tiny.toml -o out --no-plots", 0);
    let (_, err) = desk.ends("report out --openmetrics out.om", 2);
    assert!(err.contains("no `start`") && err.contains("--start"), "{err}");
    let (_, err) = desk.ends("report out --openmetrics out.om --start noon", 2);
    assert!(err.contains("--start: `noon` is not a time"), "{err}");
    desk.ends("report out --openmetrics out.om --start 2026-03-10T15:40:00Z", 0);
    let text = desk.read("out.om");
    assert!(text.ends_with("# EOF\n") && text.contains("\n# UNIT herdsim_latency_seconds seconds\n"));
    assert!(text.contains(" 1773157205.000\n"), "the end of the run");
    assert!(!desk.path("out/report.html").exists(), "nothing was drawn");
}

/// Who plots a table finds each of its columns explained.
#[test]
fn every_column_is_explained() {
    let desk = Desk::new();
    desk.ends("compare tiny.toml --seeds 1,2 --no-plots --exit-zero -o out", 0);
    desk.ends("explain tiny.toml --no-plots -o why", 0);
    let told = include_str!("../../docs/tables.md");
    let mut tables = 0;
    for dir in ["out", "why"] {
        for entry in std::fs::read_dir(desk.path(dir)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".csv") {
                assert!(told.contains(&format!("`{name}`")), "{name}");
                let text = desk.read(&format!("{dir}/{name}"));
                for column in text.lines().next().unwrap().split(',') {
                    assert!(told.contains(&format!("`{column}`")), "{column} of {name}");
                }
                tables += 1;
            }
        }
    }
    assert!(tables > 10, "{tables}");
}
