//! `inspect`: are real connections bunched? It needs no scenario.

use super::activity::{self, Activity};
use super::console::Console;
use super::{Failure, output};
use crate::engine::time::{Span, Time};
use crate::measure::lifetime::SHORTEST;
use crate::measure::snapshot::{Bunching, Snapshot};
use crate::report::inspect::{About, NowFrom};
use crate::scenario::units::{self, Rate};
use clap::{Args, ValueEnum};
use std::fs;
use std::io::{IsTerminal, Read, stdin};
use std::path::{Path, PathBuf};

/// Tell whether real connections are bunched, from what `psql --csv` prints of `pg_stat_activity`.
///
/// A pool replaces each connection at its birth plus its lifetime: births on the lifetime clock foretell the
/// next connects. The verdict rests on the fullest second. A storm is a second that holds at least 10% of the
/// connections and more than chance explains (less than one in a thousand). A rollout within a minute is in
/// step, but no storm. Select `state`, too: without it background processes count as connections.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InspectArgs {
    /// The table: a header with `backend_start`, and `application_name`, `client_addr`, `state`,
    /// `backend_type` and `now` if you like; `-` is stdin [default: stdin].
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The lifetime that the pools are set to, such as `15m` [default: guessed from the ages].
    #[arg(long, value_name = "SPAN", value_parser = lifetime)]
    lifetime: Option<Span>,
    /// When the snapshot was taken, with a zone [default: the column `now`, else the newest backend_start].
    #[arg(long, value_name = "TIME", value_parser = instant)]
    now: Option<Time>,
    /// Only connections with this application_name.
    #[arg(long, value_name = "NAME")]
    application: Option<String>,
    /// Connections a second that the database bears beside its work; jitter is sized for it. The default is
    /// half a core at 25 ms of CPU for each.
    #[arg(long, value_name = "RATE", value_parser = rate, default_value = "20/s")]
    rate: Rate,
    /// What is printed: a text for people, or data.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Draw the births on the lifetime clock here, and as PNG beside it.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// End with 1 if they are bunched, or if nobody can tell.
    #[arg(long)]
    fail_if_bunched: bool,
}

const EXAMPLES: &str = "Examples:
  psql --csv -c \"select backend_start, application_name, client_addr, state from pg_stat_activity\" |
  herdsim inspect - --lifetime 15m
  herdsim inspect sessions.csv                                       guesses the lifetime
  herdsim inspect sessions.csv --lifetime 15m --application api --svg births.svg
  herdsim inspect sessions.csv --lifetime 15m --rate 50/s --fail-if-bunched";

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Words, figures and a chart.
    Text,
    /// One JSON object.
    Json,
}

fn lifetime(text: &str) -> Result<Span, String> {
    match units::parse_span(text)? {
        span if span < SHORTEST => Err(format!("herds are counted within a second: give {SHORTEST} or more")),
        span => Ok(span),
    }
}

fn rate(text: &str) -> Result<Rate, String> {
    match units::parse_rate(text)? {
        Rate(rate) if rate <= 0.0 => Err("a database that bears no connects: give more than 0/s".to_owned()),
        rate => Ok(rate),
    }
}

fn instant(text: &str) -> Result<Time, String> {
    let nanos = units::parse_date_time(text)?;
    u64::try_from(nanos).map(Time).map_err(|_| format!("`{text}` is before 1970"))
}

/// Does it.
pub fn perform(args: &InspectArgs, console: &Console) -> Result<(), Failure> {
    let (bytes, name) = input(args.file.as_deref())?;
    let mut activity = activity::read(&bytes, &name)?;
    let (now, now_from) = now(args, &activity);
    activity::not_before(now, activity.newest, &name)?;
    if let Some(application) = &args.application {
        narrow(&mut activity, application, &name)?;
    }
    let about = About {
        now_from,
        left_out: activity.left_out,
        asker: activity.asker,
        application: args.application.clone(),
        rate: args.rate.0,
    };
    let seen = Snapshot::new(&activity.connections, now, args.lifetime);
    console.result(&match args.format {
        Format::Text => output::snapshot(&seen, &about, console.stdout_colour()),
        Format::Json => output::snapshot_json(&seen, &about),
    })?;
    if let Some(file) = &args.svg {
        let [svg, png] = output::snapshot_picture(file, &seen)?;
        console.note(&format!("wrote {} and {}", svg.display(), png.display()));
    }
    match seen.verdict {
        Bunching::Bunched if args.fail_if_bunched => Err(Failure::Bunched("the connections are bunched")),
        Bunching::CannotTell if args.fail_if_bunched => Err(Failure::Bunched("nobody can tell")),
        _ => Ok(()),
    }
}

/// The table and what to call it.
fn input(file: Option<&Path>) -> Result<(Vec<u8>, String), Failure> {
    match file.filter(|file| file.as_os_str() != "-") {
        Some(file) => {
            let bytes = fs::read(file).map_err(|error| Failure::input(file, error))?;
            Ok((bytes, file.display().to_string()))
        }
        None if stdin().is_terminal() => {
            let query = activity::QUERY;
            let cure =
                format!("name a file, or: psql --csv -c \"{query}\" | herdsim inspect - --lifetime 15m");
            Err(Failure::Usage(format!("nothing to inspect; {cure}")))
        }
        None => {
            let mut bytes = Vec::new();
            let read = stdin().lock().read_to_end(&mut bytes);
            read.map_err(|error| Failure::Io(format!("cannot read stdin: {error}")))?;
            Ok((bytes, "stdin".to_owned()))
        }
    }
}

fn now(args: &InspectArgs, activity: &Activity) -> (Time, NowFrom) {
    match (args.now, activity.now) {
        (Some(now), _) => (now, NowFrom::Option),
        (None, Some(now)) => (now, NowFrom::Column),
        (None, None) => (activity.newest.unwrap_or_default(), NowFrom::Newest),
    }
}

/// Leaves only the connections of an application.
fn narrow(activity: &mut Activity, application: &str, name: &str) -> Result<(), Failure> {
    let mut others: Vec<String> =
        activity.connections.iter().filter_map(|connection| connection.application.clone()).collect();
    others.sort();
    others.dedup();
    if activity.connections.iter().all(|connection| connection.application.is_none()) {
        return Err(Failure::Usage(format!(
            "{name} has no column `application_name` to look for `{application}` in; select it, too"
        )));
    }
    activity.connections.retain(|connection| connection.application.as_deref() == Some(application));
    if activity.connections.is_empty() {
        let there = others.iter().map(|other| format!("`{other}`")).collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!(
            "{name} has no connection with the application_name `{application}`; there are: {there}"
        )));
    }
    Ok(())
}
