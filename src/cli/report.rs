//! `report`: the pictures and the page of a run directory, drawn again; measured values laid over them; the
//! series for Prometheus.

use super::console::Console;
use super::destination::{self, Kind};
use super::{Failure, output};
use clap::Args;
use std::path::PathBuf;

/// Draw the page and the pictures of a run directory again, from what is stored in it; nothing is simulated.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// A directory that `run` or `compare` wrote.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Lay measured values from a CSV file over a chart of the page (may be repeated).
    ///
    /// The first column is the time: RFC 3339 (UTC where it has no zone), seconds or milliseconds since 1970,
    /// or seconds from the start of the run. The further columns are series (as Grafana and Cloud Monitoring
    /// export them), or one of values and one that names the series. Charts, and what values are taken for:
    /// p99 (milliseconds), connections, active (backends at work), starts (per second), containers, cpu (0 to
    /// 1), rate and failures (requests per second), lag (seconds). Without CHART= they get a chart of their
    /// own.
    #[arg(long, value_name = "[CHART=]FILE")]
    overlay: Vec<String>,
    /// Write what was simulated as OpenMetrics text with timestamps, to fill Prometheus with (`-` is stdout);
    /// draw nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "overlay")]
    openmetrics: Option<PathBuf>,
    /// Write each table of the directory as Parquet beside it; draw nothing.
    #[arg(long, hide = cfg!(not(feature = "parquet")))]
    #[arg(conflicts_with_all = ["overlay", "openmetrics", "start"])]
    parquet: bool,
    /// Calendar time of the first instant, RFC 3339 (UTC where it has no zone), where the scenario has none
    /// or another is wanted.
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
}

const EXAMPLES: &str = "Examples:
  herdsim run fleet.toml --no-plots -o runs/fleet     tables now
  herdsim report runs/fleet                           report.html and pictures later
  herdsim report runs/fleet --overlay p99=prod.csv    measured beside simulated
  herdsim report runs/fleet --openmetrics fleet.om --start 2026-03-10T15:40:00Z
  promtool tsdb create-blocks-from openmetrics fleet.om data/

To drive the traffic by an observed rate, name its CSV in the scenario: rate = { csv = \"rate.csv\" }.";

#[cfg(feature = "parquet")]
fn tables(args: &ReportArgs, console: &Console) -> Result<(), Failure> {
    let written = crate::report::parquet::write(&args.dir).map_err(|error| Failure::Io(error.to_string()))?;
    let lines = written.iter().map(|file| format!("{}\n", file.display()));
    console.result(&lines.collect::<String>())
}

#[cfg(not(feature = "parquet"))]
fn tables(_: &ReportArgs, _: &Console) -> Result<(), Failure> {
    let cure = "install it anew with `cargo install --locked --path . --features parquet`";
    Err(Failure::Usage(format!("this program was built without Parquet: {cure}")))
}

/// Does it.
pub fn perform(args: &ReportArgs, console: &Console) -> Result<(), Failure> {
    if args.parquet {
        return tables(args, console);
    }
    let loaded = output::load(&args.dir, args.start.as_deref())?;
    if loaded.manifest["complete"] == false {
        console.note(&format!("{}: not every run was finished", args.dir.display()));
    }
    if let Some(file) = &args.openmetrics {
        let text = output::openmetrics(&loaded)?;
        if file.as_os_str() == "-" {
            return console.result(&text);
        }
        destination::claim(file, Kind::OpenMetrics)?;
        destination::write(file, text.as_bytes())?;
        return console.result(&format!("{}\n", file.display()));
    }
    let drawn = output::redraw(&args.dir, &loaded, &args.overlay, &|line| console.note(line))?;
    let lines = drawn.iter().map(|file| format!("{}\n", args.dir.join(file).display()));
    console.result(&lines.collect::<String>())
}
