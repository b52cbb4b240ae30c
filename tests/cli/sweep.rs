//! `sweep`: a grid of overlays, its tables and maps.

use crate::desk::Desk;

const GRID: &str = "sweep tiny.toml --variants jitter --seeds 2 --axis traffic.users.rate=x0.5,x1 \
                    --axis service.api.pool.primary.max=2,4,8";

#[test]
fn every_point_is_measured_and_mapped() {
    let desk = Desk::new();
    let (out, err) = desk.ends(GRID, 0);
    assert!(err.contains("6 points × 1 variant × 2 seeds"), "{err}");
    assert!(out.contains("users.rate=x0.5  primary.max=8"), "{out}");
    assert_eq!(out.matches("2 of 2 seeds pass").count(), 6, "{out}");
    let table = desk.read("runs/tiny-sweep/expectations.csv");
    let head = "scenario,traffic.users.rate,service.api.pool.primary.max,variant,seed,expectation,value,unit,verdict";
    assert_eq!(table.lines().next(), Some(head));
    assert_eq!(table.lines().count(), 1 + 6 * 2);
    for file in ["summary.csv", "manifest.json", "plots/map.few-starts.svg", "plots/map.few-starts.png"] {
        assert!(desk.path("runs/tiny-sweep").join(file).is_file(), "{file}");
    }
}

/// A point of a grid is the scenario that `run --set` runs.
#[test]
fn a_point_is_the_same_as_the_run_with_its_overlays() {
    let desk = Desk::new();
    desk.ends(&format!("{GRID} --no-plots"), 0);
    desk.ends("run tiny.toml --variant jitter --seed 2 --no-plots --set traffic.users.rate=x0.5 --set service.api.pool.primary.max=8", 0);
    let rows = |file: &str, keys: &str| -> Vec<String> {
        let text = desk.read(file);
        text.lines().filter_map(|line| line.strip_prefix(keys)).map(str::to_owned).collect()
    };
    let swept = rows("runs/tiny-sweep/summary.csv", "tiny,x0.5,8,jitter,2,");
    assert!(!swept.is_empty());
    assert_eq!(swept, rows("runs/tiny/summary.csv", "tiny,jitter,2,"));
}

#[test]
fn threads_do_not_change_a_sweep() {
    let desk = Desk::new();
    desk.ends(&format!("{GRID} -j 1 -o one"), 0);
    desk.ends(&format!("{GRID} -j 2 -o two"), 0);
    for file in ["summary.csv", "expectations.csv", "manifest.json", "plots/map.few-starts.svg"] {
        assert_eq!(desk.read(&format!("one/{file}")), desk.read(&format!("two/{file}")), "{file}");
    }
}

#[test]
fn a_wrong_axis_is_told_before_anything_runs() {
    let desk = Desk::new();
    let (_, err) = desk.ends("sweep tiny.toml --axis traffic.users.rate", 2);
    assert!(err.contains("write a path, `=` and values by commas"), "{err}");
    let (_, err) = desk.ends("sweep tiny.toml --axis traffic.user.rate=x1,x2", 2);
    assert!(err.contains("traffic.user.rate"), "{err}");
    let (_, err) = desk.ends("sweep tiny.toml --variants jiter --axis traffic.users.rate=x1,x2", 2);
    assert!(err.contains("did you mean `jitter`?"), "{err}");
    let (_, err) = desk.ends("sweep tiny.toml", 2);
    assert!(err.contains("--axis"), "{err}");
    assert!(!desk.path("runs").exists());
}
