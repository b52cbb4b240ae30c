//! What the command line of `sweep` may say, and how it goes together with the scenario's `[sweep]`.

use super::shard;
use crate::cli::Failure;
use crate::cli::batch::Running;
use crate::cli::inputs::{ScenarioArgs, Seeding};
use crate::report::sweep::MapOf;
use crate::scenario::Document;
use crate::scenario::axis::{self, Axis, Range};
use crate::scenario::grammar::{Mode, ScenarioSweep};
use crate::scenario::place::{AXIS, OWN_AXIS};
use clap::Args;
use clap::builder::PossibleValuesParser;

/// Run a scenario at many points and map what its expectations measure; or find how much is enough.
///
/// The points are those of the scenario's `[sweep]`, of `--axis`, or of both. Each expectation is measured
/// and judged at every point with every seed; the maps show its median and how many seeds passed: it
/// held, and where it has a control, that failed.
/// Nothing there fails the command: a map shows where things hold and where not. Every finished run is kept
/// at once, so that a sweep that was stopped can be gone on with (`--resume`), and dealt to several machines
/// (`--shard`, then `herdsim merge`). With `--find` it looks for the smallest value of one parameter with
/// which an expectation holds with every seed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SweepArgs {
    #[command(flatten)]
    pub source: ScenarioArgs,
    /// An axis (may be repeated): `path=a,b,c`, `path=lo..hi:n` or, for random points, `path=lo..hi`.
    /// Semicolons join paths that move together, `name@value` names a value. It comes in the place of the
    /// scenario's axis of that path.
    #[arg(long = "axis", value_name = "PATH=VALUES", value_parser = axis::parse)]
    pub axes: Vec<Axis>,
    /// How axes make points: every combination (grid), the first values, the second and so on (zip), or by
    /// chance, evenly along every axis (random) [default: the scenario's, or grid].
    #[arg(long, value_parser = PossibleValuesParser::new(["grid", "zip", "random"]))]
    pub mode: Option<String>,
    /// How many random points [default: the scenario's, or 64].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub points: Option<u32>,
    /// These variants, by commas [default: the scenario's, or those that its expectations name].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub variants: Vec<String>,
    /// Map this metric, too: `METRIC[.STAT][{CAUSE}]@OF`, such as `herd_size{lifetime}@postgres.primary`
    /// (may be repeated).
    #[arg(long = "map", value_name = "METRIC@OF", value_parser = MapOf::parse)]
    pub maps: Vec<MapOf>,
    /// Go on with a sweep that was stopped: what is finished is not done again.
    #[arg(long, conflicts_with = "restart")]
    pub resume: bool,
    /// Throw away a sweep that was stopped.
    #[arg(long)]
    pub restart: bool,
    /// Only this part of the points, such as 3/7; `auto`: the part that Cloud Run jobs, Slurm or AWS Batch
    /// gave this task (`auto/N` on Kubernetes). It goes into DIR/shard-3-of-7.
    #[arg(long, value_name = "I/N", value_parser = shard::parse)]
    pub shard: Option<shard::PartAsked>,
    #[command(flatten)]
    pub find: FindArgs,
    #[command(flatten)]
    pub seeding: Seeding,
    #[command(flatten)]
    pub running: Running,
}

const EXAMPLES: &str = "Examples:
  herdsim sweep fleet.toml --axis 'service.*.pool.*.max_lifetime_jitter=0s..180s:7' --seeds 5
  herdsim sweep fleet.toml --axis traffic.sessions.rate=x0.5,x1 --axis postgres.primary.cores=2,4
  herdsim sweep fleet.toml --axis 'traffic.*.rate=x1,x2;postgres.primary.cores=4,8'
  herdsim sweep fleet.toml --axis traffic.sessions.rate=x0.5..x2 --mode random --points 100
  herdsim sweep fleet.toml --axis postgres.primary.cores=2,4,8 --shard 3/7 -o runs/parts
  herdsim sweep fleet.toml --find 'service.*.pool.*.max_lifetime_jitter=0s..180s' --expect no-herd

Without -o the results go to runs/<scenario>-sweep, of --find to runs/<scenario>-find.
--find ends with 1 if nothing in the range does.";

/// What is to be found.
#[derive(Debug, Args)]
pub struct FindArgs {
    /// Find the smallest value in `path=lo..hi` with which the expectation holds with every seed.
    #[arg(long, value_name = "PATH=LO..HI", value_parser = between, requires = "expect")]
    #[arg(conflicts_with_all = ["axes", "mode", "points", "variants", "maps", "resume", "restart", "shard"])]
    pub find: Option<Axis>,
    /// The expectation that --find asks about, by its name.
    #[arg(long, value_name = "NAME", requires = "find")]
    pub expect: Option<String>,
    /// Find the largest value instead.
    #[arg(long, requires = "find")]
    pub largest: bool,
    /// How near the answer is to a value that does not do, such as 5s [default: a 64th of the range; of
    /// counts: 1].
    #[arg(long, value_name = "WIDTH", requires = "find")]
    pub within: Option<String>,
}

impl FindArgs {
    /// Whether something is to be found.
    pub fn asked(&self) -> bool {
        self.find.is_some()
    }
}

/// Reads `path=lo..hi`.
fn between(text: &str) -> Result<Axis, String> {
    let (_, range) = text.split_once('=').unwrap_or_default();
    Range::parse(range)?;
    axis::parse(text)
}

impl SweepArgs {
    /// The scenario as asked for: how axes make points is a value of it like any other.
    pub fn base(&self) -> ScenarioArgs {
        let mut source = self.source.clone();
        source.set.extend(self.mode.iter().map(|mode| format!("sweep.mode={mode}")));
        source.set.extend(self.points.iter().map(|points| format!("sweep.points={points}")));
        source
    }

    /// Where the axis stands that lays this over the scenario.
    pub fn option(&self, set: &str) -> &'static str {
        let path = set.split('=').next().unwrap_or_default().trim();
        let given = self.axes.iter().flat_map(Axis::paths).any(|moved| moved == path);
        if given { AXIS } else { OWN_AXIS }
    }

    /// What to say of a sweep at whose points nothing is asked.
    pub fn unmeasured(&self, base: &Document, variants: &[String]) -> Option<String> {
        let expects =
            || base.scenarios.values().next().into_iter().flat_map(|first| first.file.expect.values());
        if !self.maps.is_empty() || expects().any(|expect| variants.contains(&expect.variant)) {
            return None;
        }
        let cure = match expects().next() {
            Some(_) => format!("choose `--variants {}`", base.expected().join(",")),
            None => "write an [expect.NAME]".to_owned(),
        };
        let of = variants.join(", ");
        Some(format!(
            "warning: no expectation is of {of}, so nothing is mapped: {cure}, or map a metric with \
             `--map METRIC@OF`"
        ))
    }

    /// The scenario's axes and those of the command line, which come in the place of one of the same path.
    pub fn axes(&self, sweep: &ScenarioSweep) -> Result<Vec<Axis>, Failure> {
        let written = axis::of(sweep).map_err(|(path, why)| Failure::Usage(format!("`{path}`: {why}")))?;
        let mut axes = written;
        for axis in &self.axes {
            match axes.iter_mut().find(|other| other.name == axis.name) {
                Some(other) => *other = axis.clone(),
                None => axes.push(axis.clone()),
            }
        }
        if axes.is_empty() {
            let message = "no axis: write `--axis 'path=a,b,c'`, or a table [sweep.axes] in the scenario";
            return Err(Failure::Usage(message.to_owned()));
        }
        if let Some((one, other)) = axis::overlapping(&axes) {
            let message = format!("two axes move the same value: `{one}` and `{other}`: leave one out");
            return Err(Failure::Usage(message));
        }
        if self.points.is_some() && sweep.mode != Mode::Random {
            return Err(Failure::Usage("`--points` goes with `--mode random`".to_owned()));
        }
        Ok(axes)
    }
}
