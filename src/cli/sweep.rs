//! `sweep`: the same scenario at every point of a grid.

use super::batch::{Running, listed, plural};
use super::console::Console;
use super::inputs::{Seeding, Source, variant};
use super::progress::Progress;
use super::{Failure, axis, interrupt, output};
use crate::experiment::sweep::{Axis, Place, Point, grid, sweep};
use crate::report::sweep::Sweep;
use crate::report::{self, Header};
use crate::scenario::AS_WRITTEN;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// Run a scenario at every point of a grid and map what its expectations measure.
///
/// Each expectation is measured and judged at every point with every seed; the maps show its median and how
/// many seeds kept within its bounds. Nothing here fails the command: a map shows where things hold and where
/// not.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SweepArgs {
    #[command(flatten)]
    source: Source,
    /// An axis: `path=a,b,c` or `path=lo..hi:n`; paths that move together by semicolons (again for more
    /// axes); a name for a value: `name@value`.
    #[arg(long = "axis", value_name = "PATH=VALUES", value_parser = axis::parse, required = true)]
    axes: Vec<Axis>,
    /// These variants, by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = AS_WRITTEN)]
    variants: Vec<String>,
    #[command(flatten)]
    seeding: Seeding,
    #[command(flatten)]
    running: Running,
}

/// The most points of a grid: each is a scenario of its own, held in memory.
const MOST: usize = 10_000;

const EXAMPLES: &str = "Examples:
  herdsim sweep fleet.toml --axis 'service.*.pool.*.max_lifetime_jitter=0s..180s:7' --seeds 5
  herdsim sweep fleet.toml --axis traffic.users.rate=x0.5,x1 --axis postgres.primary.cores=2,4
  herdsim sweep fleet.toml --axis 'traffic.users.rate=x1,x2;postgres.primary.cores=4,8'

Without -o the results go to runs/<scenario>-sweep.";

/// Does it.
pub fn perform(args: &SweepArgs, console: &Console) -> Result<(), Failure> {
    let out = args.running.out.clone();
    let out = out.unwrap_or_else(|| PathBuf::from("runs").join(args.source.stem() + "-sweep"));
    output::claim(&out)?;
    let points = points(args, console)?;
    let stop = interrupt::listen();
    let (file, seeds) = (args.source.file.display(), seeds(&points));
    console.note(&format!(
        "{file}: {} × {} × {}",
        plural(points.len(), "point"),
        plural(args.variants.len(), "variant"),
        plural(seeds, "seed")
    ));
    let progress = Progress::new(console);
    let threads = args.running.jobs.map(usize::from);
    let cells = sweep(&points, &args.variants, threads, &|share| progress.show(share), stop);
    progress.finish();
    let complete = cells.len() == points.len() * args.variants.len() * seeds;
    // A point of which nothing is known is left out of tables, and white on maps.
    let scenario = variant(&points[0].document, &args.variants[0])?;
    let header = Header::of(&args.source.stem(), scenario);
    let paper = Sweep { header: &header, axes: &args.axes, points: &points, cells: &cells };
    console.result(&paper.text())?;
    let mut files = vec![
        ("manifest.json".to_owned(), manifest(args, complete)),
        ("summary.csv".to_owned(), paper.summary_csv().into_bytes()),
        ("expectations.csv".to_owned(), paper.expectations_csv().into_bytes()),
    ];
    if !args.running.no_plots {
        files.extend(report::directory::drawn(paper.charts()));
    }
    let written = report::directory::put(&out, files).map_err(|error| Failure::Io(error.to_string()))?;
    console.note(&format!("wrote {}: {}", out.display(), listed(&written)));
    match (stop.load(Ordering::Relaxed), complete) {
        (true, _) => Err(Failure::Interrupted),
        (false, false) => Err(Failure::Io("not every run was finished".to_owned())),
        (false, true) => Ok(()),
    }
}

/// The scenario at every point: all are read and checked before the first is run.
fn points(args: &SweepArgs, console: &Console) -> Result<Vec<Point>, Failure> {
    let size: usize = args.axes.iter().fold(1, |size, axis| size.saturating_mul(axis.places.len()));
    if size > MOST {
        let message = format!("a grid of {size} points; at most {MOST}: give the axes fewer values");
        return Err(Failure::Usage(message));
    }
    let mut points = Vec::new();
    for (number, places) in grid(&args.axes).into_iter().enumerate() {
        let mut source = args.source.clone();
        source.set.extend(places.iter().flat_map(|place: &&Place| place.set.iter().cloned()));
        // The warnings of one point are those of all.
        let document = source.load(&args.seeding, &console.hushed(number > 0))?;
        for name in &args.variants {
            variant(&document, name)?;
        }
        points.push(Point { labels: places.iter().map(|place| place.label.clone()).collect(), document });
    }
    Ok(points)
}

fn seeds(points: &[Point]) -> usize {
    points[0].document.scenarios.values().next().map_or(0, |scenario| scenario.file.seeds.len())
}

fn manifest(args: &SweepArgs, complete: bool) -> Vec<u8> {
    let axes = args.axes.iter().map(|axis| {
        let places: Vec<_> = axis.places.iter().map(|place| json!(place.set)).collect();
        json!({ "axis": axis.name, "places": places })
    });
    let manifest = json!({
        "tool": "herdsim",
        "version": env!("CARGO_PKG_VERSION"),
        "kind": "sweep",
        "schema_version": report::SCHEMA_VERSION,
        "scenario": args.source.arguments(),
        "axes": axes.collect::<Vec<_>>(),
        "variants": args.variants,
        "complete": complete,
    });
    format!("{manifest:#}\n").into_bytes()
}
