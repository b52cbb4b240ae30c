//! What was measured in life, from a CSV file, to be laid over what was simulated.
//!
//! Times are RFC 3339, seconds or milliseconds since 1970, or seconds from the start of the run. A third
//! column of words names series (long); otherwise every further column is one (wide), as Grafana and Cloud
//! Monitoring export them. A date-time without a zone counts as UTC. What lies outside the run is cut, and
//! said. Left out: units in cells, and resampling other than the highest value of a chart's column.

use super::downsample::Columns;
use super::html;
use crate::measure::BIN;
use crate::report::{Header, human};
use serde_json::{Value, json};
use std::path::Path;

/// A chart that measured values can be laid over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlayChart {
    /// Its name on the command line.
    pub name: &'static str,
    /// What the values are taken for.
    pub unit: &'static str,
    /// The panel.
    panel: &'static str,
    /// From a value to the panel's unit.
    times: f64,
}

/// All of them.
const CHARTS: [OverlayChart; 9] = [
    OverlayChart { name: "p99", unit: "milliseconds", panel: "latency", times: 1e3 },
    OverlayChart { name: "connections", unit: "connections", panel: "backends", times: 1.0 },
    OverlayChart { name: "active", unit: "backends", panel: "dashboard", times: 1.0 },
    OverlayChart { name: "starts", unit: "connections started per second", panel: "starts", times: 1.0 },
    OverlayChart { name: "containers", unit: "containers", panel: "fleet", times: 1.0 },
    OverlayChart { name: "cpu", unit: "a share from 0 to 1", panel: "cpu", times: 1.0 },
    OverlayChart { name: "rate", unit: "requests per second", panel: "rates", times: 1.0 },
    OverlayChart { name: "failures", unit: "requests per second", panel: "failures", times: 1.0 },
    OverlayChart { name: "lag", unit: "seconds", panel: "lag", times: 1e6 },
];

/// Measured series.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesOverlay {
    /// The file's name.
    name: String,
    /// The chart that they are laid over; none for a chart of their own.
    chart: Option<OverlayChart>,
    /// Series by name: seconds from the start and values.
    series: Vec<(String, Vec<(f64, f64)>)>,
    /// Values within the run.
    kept: usize,
    /// Values outside of it.
    cut: usize,
    /// Some times carry no zone.
    zoneless: bool,
}

/// The chart and the file of an argument: `p99=prod.csv`, or `prod.csv` for a chart of its own.
///
/// # Errors
/// If there is no such chart.
pub fn parted(argument: &str) -> Result<(Option<OverlayChart>, &str), String> {
    let Some((name, file)) = argument.split_once('=') else { return Ok((None, argument)) };
    match CHARTS.into_iter().find(|chart| chart.name == name) {
        Some(chart) => Ok((Some(chart), file)),
        None if Path::new(argument).exists() => Ok((None, argument)),
        None => {
            let names = CHARTS.map(|chart| chart.name).join(", ");
            Err(format!("there is no chart `{name}` to lay `{file}` over; there are: {names}"))
        }
    }
}

/// Reads the text of a file.
///
/// # Errors
/// What is wrong and how to mend it, after the name of the file and the line.
pub fn read(
    header: &Header,
    seconds: f64,
    chart: Option<OverlayChart>,
    file: &str,
    text: &str,
) -> Result<SeriesOverlay, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut sheet = Sheet::default();
    for row in reader.records() {
        let row = row.map_err(|error| format!("{file}: {error}"))?;
        let line = row.position().map_or(0, csv::Position::line);
        sheet.take(&row, header, seconds).map_err(|why| format!("{file}:{line}: {why}"))?;
    }
    if !sheet.begun {
        return Err(format!("{file}: no line begins with a time; wanted: time,value with times as {TIMES}"));
    }
    let Sheet { series, kept, cut, zoneless, .. } = sheet;
    if kept == 0 {
        return Err(format!(
            "{file}: none of its {cut} values lies within the run, which lasts {} from {}{}",
            human::offset(seconds),
            header.start.as_deref().unwrap_or("second 0"),
            if zoneless { ZONELESS } else { "" }
        ));
    }
    let name =
        Path::new(file).file_name().map_or_else(|| file.to_owned(), |name| name.to_string_lossy().into());
    Ok(SeriesOverlay { name, chart, series, kept, cut, zoneless })
}

/// What was read of a file so far.
#[derive(Default)]
struct Sheet {
    /// The heading, by column.
    names: Vec<String>,
    /// Whether a time has come: a heading stands above it.
    begun: bool,
    /// Whether the third column names the series; else every further column is one.
    long: bool,
    series: Vec<(String, Vec<(f64, f64)>)>,
    kept: usize,
    cut: usize,
    zoneless: bool,
}

impl Sheet {
    /// Reads a row: a heading, or a time and what was measured then.
    fn take(&mut self, row: &csv::StringRecord, header: &Header, seconds: f64) -> Result<(), String> {
        let cell = |n: usize| row.get(n).unwrap_or_default().trim();
        if cell(0).contains(';') {
            let why =
                "the columns are separated by semicolons: separate them by commas, and decimals by points";
            return Err(why.to_owned());
        }
        let at = match time(header, cell(0)) {
            Ok(at) => at,
            // Whatever stands above the first time is a heading; a time that cannot be placed is none.
            Err(_) if !self.begun && calendar(cell(0)).is_none() && cell(0).parse::<f64>().is_err() => {
                self.names = row.iter().map(|cell| cell.trim().to_owned()).collect();
                return Ok(());
            }
            Err(why) => return Err(why),
        };
        if !self.begun {
            self.begun = true;
            self.long = row.len() == 3 && !cell(2).is_empty() && value(cell(2)).is_err();
            let named: Vec<&String> = self.names.iter().skip(1).filter(|name| !name.is_empty()).collect();
            let twice = |(n, name): &(usize, &&String)| named[..*n].contains(name);
            if let Some((_, name)) = named.iter().enumerate().find(twice) {
                return Err(format!("two columns are called `{name}`: give each a name of its own"));
            }
        }
        self.zoneless |= civil(cell(0)).is_some();
        let inside = (0.0..seconds.max(f64::MIN_POSITIVE)).contains(&at);
        let columns = if self.long { 1..2 } else { 1..row.len().max(2) };
        for column in columns {
            let Some(found) = value(cell(column))? else { continue };
            if !inside {
                self.cut += 1;
                continue;
            }
            self.kept += 1;
            let name = if self.long { cell(2) } else { self.names.get(column).map_or("", String::as_str) };
            push(&mut self.series, named(name, column), (at, found));
        }
        Ok(())
    }
}

/// Which hour that is, only who exported it knows.
const ZONELESS: &str = "; times without a zone are taken for UTC";

const TIMES: &str = "RFC 3339, seconds or milliseconds since 1970, or seconds from the start of the run";

fn named(name: &str, column: usize) -> String {
    match name {
        "" if column == 1 => "measured".to_owned(),
        "" => format!("measured {column}"),
        name => name.to_owned(),
    }
}

fn push(series: &mut Vec<(String, Vec<(f64, f64)>)>, name: String, point: (f64, f64)) {
    match series.iter_mut().find(|(other, _)| *other == name) {
        Some((_, points)) => points.push(point),
        None => series.push((name, vec![point])),
    }
}

/// A value; none where nothing was measured.
fn value(cell: &str) -> Result<Option<f64>, String> {
    if ["", "null", "nan", "undefined", "-"].contains(&cell.to_lowercase().as_str()) {
        return Ok(None);
    }
    match cell.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => Err(format!("`{cell}` is not a number: export raw values, without units or separators")),
    }
}

/// Seconds from the start of the run.
fn time(header: &Header, cell: &str) -> Result<f64, String> {
    let since = |epoch: f64| match header.start() {
        Some(start) => Ok(epoch - start.as_millisecond() as f64 / 1e3),
        None => Err(format!(
            "`{cell}` is a calendar time, and the scenario has no `start`: add --start TIME, or use seconds from the start of the run"
        )),
    };
    if let Ok(number) = cell.parse::<f64>() {
        return match number {
            n if n >= 1e11 => since(n / 1e3),
            n if n >= 1e8 => since(n),
            n => Ok(n),
        };
    }
    match calendar(cell) {
        Some(at) => since(at.as_millisecond() as f64 / 1e3),
        None => Err(format!("`{cell}` is not a time; wanted: {TIMES}")),
    }
}

/// A calendar time without a zone, as SQL writes it.
fn civil(cell: &str) -> Option<jiff::civil::DateTime> {
    let other = || cell.parse::<f64>().is_ok() || cell.parse::<jiff::Timestamp>().is_ok();
    cell.parse().ok().filter(|_| !other())
}

fn calendar(cell: &str) -> Option<jiff::Timestamp> {
    let utc = || jiff::tz::Offset::UTC.to_timestamp(civil(cell)?).ok();
    // As browsers write it: `Tue Mar 10 2026 14:00:00 GMT+0000 (Coordinated Universal Time)`.
    let plain = cell.split(" (").next().unwrap_or_default();
    let spelt = || jiff::fmt::strtime::parse("%a %b %d %Y %H:%M:%S GMT%z", plain).ok()?.to_timestamp().ok();
    cell.parse::<jiff::Timestamp>().ok().or_else(utc).or_else(spelt)
}

impl SeriesOverlay {
    /// For the page's script: the highest value in each column of the charts.
    pub(super) fn json(&self, columns: Columns, seconds: f64) -> Value {
        let width = columns.per as f64 * BIN.as_secs();
        let times = self.chart.map_or(1.0, |chart| chart.times);
        let series = self.series.iter().map(|(name, points)| {
            let mut data: Vec<Option<f64>> = vec![None; columns.count];
            for (at, value) in points.iter().filter(|(at, _)| *at < seconds) {
                if let Some(column) = data.get_mut((at / width) as usize) {
                    *column = Some(column.map_or(value * times, |other: f64| other.max(value * times)));
                }
            }
            json!({ "name": name, "data": data })
        });
        json!({
            "name": self.name, "panel": self.chart.map(|chart| chart.panel),
            "series": series.collect::<Vec<_>>(),
        })
    }

    /// What was read, in words.
    pub fn words(&self) -> String {
        let over = self.chart.map_or_else(
            || "a chart of its own".to_owned(),
            |chart| format!("over {}, taken for {}", chart.name, chart.unit),
        );
        let values = |n: usize| {
            if n == 1 { "1 value".to_owned() } else { format!("{} values", human::count(n as u64)) }
        };
        let cut = match self.cut {
            0 => String::new(),
            n => format!("; {} outside the run left out", values(n)),
        };
        let zone = if self.zoneless { ZONELESS } else { "" };
        let (kept, series) = (values(self.kept), self.series.len());
        format!("measured: {}, {kept} in {series} series, {over}{cut}{zone}", self.name)
    }
}

/// A line for each overlay.
pub(super) fn told(overlays: &[SeriesOverlay]) -> String {
    let line = |overlay: &SeriesOverlay| format!("<p class=\"quiet\">{}</p>\n", html::text(&overlay.words()));
    overlays.iter().map(line).collect()
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
