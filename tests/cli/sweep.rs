//! `sweep`: points, their tables and maps.

use crate::desk::Desk;

const GRID: &str = "sweep tiny.toml --variants jitter --seeds 2 --axis traffic.users.rate=x0.5,x1 \
                    --axis service.api.pool.primary.max=2,4,8";

#[test]
fn every_point_is_measured_and_mapped() {
    let desk = Desk::new();
    let (out, err) = desk.ends(&format!("{GRID} --map herd_size{{lifetime}}@postgres.primary"), 0);
    assert!(err.contains("6 points × 1 variant × 2 seeds"), "{err}");
    assert!(out.contains("users.rate=x0.5  primary.max=8"), "{out}");
    assert_eq!(out.matches("2 of 2 seeds pass").count(), 6, "{out}");
    assert_eq!(
        out.matches("    herd_size{lifetime}@postgres.primary ").count(),
        6,
        "what is mapped is told: {out}"
    );
    assert_eq!(out.matches("%   median of 2 seeds").count(), 6, "{out}");
    let table = desk.read("runs/tiny-sweep/expectations.csv");
    let head = "scenario,traffic.users.rate,service.api.pool.primary.max,variant,seed,expectation,value,unit,verdict";
    assert_eq!(table.lines().next(), Some(head));
    assert_eq!(table.lines().count(), 1 + 6 * 2);
    let map = "plots/map.herd_size_lifetime__postgres.primary.svg";
    for file in ["summary.csv", "manifest.json", "plots/map.few-starts.svg", "plots/map.few-starts.png", map]
    {
        assert!(desk.path("runs/tiny-sweep").join(file).is_file(), "{file}");
    }
}

#[test]
fn without_variants_those_are_swept_that_expectations_name() {
    let desk = Desk::new();
    let line = "sweep tiny.toml --duration 1s --no-plots --axis traffic.users.rate=x0.5,x1";
    let (_, err) = desk.ends(line, 0);
    assert!(err.contains("2 points × 2 variants") && !err.contains("nothing is mapped"), "{err}");
    let table = desk.read("runs/tiny-sweep/expectations.csv");
    assert!(table.contains(",jitter,1,few-starts,") && table.contains(",doubtful,1,absurdly"), "{table}");
    let (_, err) = desk.ends(&format!("{line} --variants plain"), 0);
    assert!(err.contains("warning: no expectation is of plain, so nothing is mapped"), "{err}");
    assert!(err.contains("`--variants jitter,doubtful`") && err.contains("--map METRIC@OF"), "{err}");
    let (_, err) = desk.ends(&format!("{line} --variants plain --map worst_p99@service.api"), 0);
    assert!(!err.contains("nothing is mapped"), "{err}");
    let (_, err) = desk.ends(&format!("{line} --map rejected@request.sign-in"), 0);
    assert!(!err.contains("no run measured"), "{err}");
    let (_, err) = desk.ends(&format!("{line} --map at_cap@service.api"), 0);
    assert!(err.contains("warning: no run measured `at_cap@service.api`: its map is empty"), "{err}");
}

/// What had nothing to measure neither passed nor failed.
#[test]
fn where_nothing_was_measured_nothing_is_judged() {
    let desk = Desk::new();
    let late = "[expect.late]\nvariant = \"jitter\"\nmetric = \"herd_onset\"\nof = \"postgres.primary\"\nmin = \"1s\"\n";
    desk.write("late.toml", &(crate::desk::TINY.to_owned() + late));
    let line = "sweep late.toml --no-plots --variants jitter --axis traffic.users.rate=x0.5,x1";
    let (out, _) = desk.ends(line, 0);
    assert_eq!(out.matches("nothing to judge").count(), 2, "{out}");
    let (_, err) = desk.ends(&format!("{line} -o late.toml"), 3);
    assert!(err.contains("late.toml") && err.contains("it is a file, and no directory"), "{err}");
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

/// Whoever reads the map must know that more moved than the first of an axis' paths.
#[test]
fn an_axis_of_several_paths_is_called_by_all_of_them() {
    let desk = Desk::new();
    let axis = "postgres.primary.start_cpu=4ms,8ms;postgres.primary.cold_cpu=40ms,80ms";
    let line = format!("sweep tiny.toml --duration 1s --variants jitter --axis {axis}");
    let (out, err) = desk.ends(&format!("{line} --axis traffic.users.rate=x0.5,x1"), 0);
    assert!(out.contains("primary.start_cpu, cold_cpu=8ms  users.rate=x1\n"), "{out}{err}");
    let map = desk.read("runs/tiny-sweep/plots/map.few-starts.svg");
    assert!(map.contains("postgres.primary.start_cpu, cold_cpu"), "{map}");
    let table = desk.read("runs/tiny-sweep/expectations.csv");
    assert!(table.starts_with("scenario,postgres.primary.start_cpu,traffic.users.rate,variant,"), "{table}");
    desk.ends(&line, 0);
    let line = desk.read("runs/tiny-sweep/plots/map.few-starts.svg");
    assert!(line.contains("postgres.primary.start_cpu, cold_cpu"), "{line}");
    assert!(line.contains("\nbound\n"), "whether a value is good can be seen: {line}");
}

#[test]
fn threads_do_not_change_a_sweep() {
    let desk = Desk::new();
    desk.ends(&format!("{GRID} -j 1 -o one"), 0);
    desk.ends(&format!("{GRID} -j 2 -o two"), 0);
    desk.same("one", "two");
}

#[test]
fn a_wrong_axis_is_told_before_anything_runs() {
    let desk = Desk::new();
    for (line, wanted) in [
        ("--axis traffic.users.rate", "write a path, `=` and values by commas"),
        ("--axis traffic.user.rate=x1,x2", "--> --axis:1:1\n  |\n1 | traffic.user.rate=x1"),
        ("--set traffic.user.rate=x1 --axis duration=1s,2s", "--> --set:1:1"),
        ("--axis postgres.primary.cores=2,lots", "--> --axis:1:24"),
        ("--variants jiter --axis traffic.users.rate=x1,x2", "did you mean `jitter`?"),
        ("", "--axis"),
        ("--axis traffic.users.rate=x1..x2", "`lo..hi:n`"),
        ("--axis traffic.users.rate=x1,x2 --axis duration=1s --mode zip", "equally many"),
        ("--axis seeds=[2],[3]", "an axis cannot move `seeds`"),
        ("--axis traffic.users.rate=x1,x2 --points 3", "--mode random"),
        ("--axis traffic.users.rate=x1,x2 --map herd_sise@postgres.primary", "did you mean `herd_size`?"),
        ("--axis traffic.users.rate=x1,x2 --map herd_size@postgres.primry", "there is no `postgres.primry`"),
        ("--axis traffic.users.rate=x1,x2 --axis traffic.*.rate=x3,x4", "two axes move the same value"),
        ("--axis traffic.users.rate=x1,x2 --shard 0/3", "the first is 1"),
        ("--axis traffic.users.rate=x1,x2 --shard auto", "CLOUD_RUN_TASK_INDEX"),
    ] {
        let (_, err) = desk.ends(&format!("sweep tiny.toml {line}"), 2);
        assert!(err.contains(wanted), "{line}: {err}");
    }
    assert!(!desk.path("runs").exists());
}

#[test]
fn a_scenario_may_bring_its_own_axes_and_the_command_line_changes_them() {
    let desk = Desk::new();
    let sweep = "[sweep]\nmode = \"zip\"\nvariants = [\"jitter\"]\n[sweep.axes]\n\"postgres.primary.cores\" = [2, 4]\n\"traffic.users.rate\" = \"x0.5..x1:2\"\n";
    desk.write("own.toml", &(crate::desk::TINY.to_owned() + sweep));
    let (out, err) = desk.ends("sweep own.toml --duration 1s", 0);
    assert!(err.contains("2 points × 1 variant"), "{err}");
    assert!(out.contains("primary.cores=4  users.rate=x1"), "{out}");
    assert!(desk.path("runs/own-sweep/plots/map.few-starts.svg").is_file());
    let line =
        "sweep own.toml --duration 1s --mode random --points 5 --axis traffic.users.rate=x0.5..x1 -o r";
    let (_, err) = desk.ends(line, 0);
    assert!(err.contains("5 points"), "{err}");
    assert_eq!(desk.read("r/expectations.csv").lines().count(), 1 + 5);
    // A run of the whole fleet does not mind what is swept.
    desk.ends("run own.toml --variant jitter --duration 1s --no-plots", 0);
}

#[test]
fn a_wrong_axis_in_a_scenario_is_told_with_its_line() {
    let desk = Desk::new();
    let wrong = |sweep: &str| {
        desk.write("own.toml", &format!("{}[sweep]\n{sweep}\n", crate::desk::TINY));
        let (_, err) = desk.ends("check own.toml", 2);
        assert!(err.contains("own.toml:5") || err.contains("own.toml:6"), "{err}");
        err
    };
    for (sweep, wanted) in [
        ("[sweep.axes]\n\"postgres.primary.core\" = [2]", "did you mean `cores`?"),
        ("[sweep.axes]\n\"postgres.primary.cores\" = []", "no values"),
        ("[sweep.axes]\n\"postgres.primary.max_connections\" = [100, 2.5]", "whole number"),
        ("[sweep.axes]\n\"traffic.users.rate\" = \"x1..x2\"", "\"lo..hi:n\""),
        (
            "mode = \"zip\"\n[sweep.axes]\n\"postgres.primary.cores\" = [2]\n\"traffic.users.rate\" = \"x1,x2\"",
            "has 1 values",
        ),
        ("variants = [\"jiter\"]", "did you mean `jitter`?"),
        ("mode = \"gird\"", "did you mean `grid`?"),
    ] {
        let err = wrong(sweep);
        assert!(err.contains(wanted), "{sweep}: {err}");
    }
    // What is wrong at a point alone has no line.
    let axes = "[sweep.axes]\n\"service.api.pool.primary.min\" = [2, 9]\n";
    desk.write("own.toml", &(crate::desk::TINY.to_owned() + axes));
    let (_, err) = desk.ends("sweep own.toml", 2);
    assert!(err.contains("at least 9 of at most 4") && err.contains("--> [sweep.axes]:1:30"), "{err}");
}
