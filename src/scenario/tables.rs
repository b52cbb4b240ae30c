//! The CSV files that a scenario names: measured durations and traffic curves.
//!
//! In the real world: exports of a monitoring system. They are named by what stands at the first instant, and
//! by what an event lays over it. Each is read once. Left out: the files of events that are not enabled.

use super::grammar::File;
use super::problem::{Problem, Problems};
use super::schema::{self, Shape};
use super::tree::Node;
use super::{Table, Tables, overlay};
use std::fs;
use std::path::Path;

/// A curve of a week in seconds has some ten megabytes.
const MAX_BYTES: u64 = 64 << 20;

/// What a table is used for.
#[derive(Clone, Copy)]
enum Use {
    Durations,
    Curve,
}

impl Use {
    fn wanted(self) -> &'static str {
        match self {
            Use::Curve => "wanted: a CSV file with the columns t_s,rate_per_s, ascending in t_s from 0",
            Use::Durations => {
                "begin with a header line such as `seconds`; then, in the first column, seconds"
            }
        }
    }
}

/// Adds every CSV file that the scenario names, relative to `base`, to those that are known already.
pub fn load(standing: &Node, file: &File, base: &Path, tables: &mut Tables, problems: &mut Problems) {
    let mut see = |path: &str, node: &Node, shape: &Shape| {
        let mut own = Problems::default();
        add(node, shape, base, tables, &mut own);
        problems.extend(own.into_iter().map(|problem| problem.about([path.to_owned()])));
    };
    schema::visit(standing, schema::root(), "", &mut see);
    let enabled = file.event.iter().filter(|(_, event)| event.enabled);
    let overlays = enabled.filter_map(|(name, _)| standing.at(&format!("event.{name}.set"))?.entries());
    for (pattern, value) in overlays.flatten() {
        // A path that leads nowhere is told of where it is laid; the places of a pattern are all alike.
        let places = overlay::expand(standing, pattern).unwrap_or_default();
        if let Some(shape) = places.first().and_then(|path| overlay::shape_at(standing, path)) {
            schema::visit(value, shape, &places[0], &mut see);
        }
    }
}

/// Adds the file that a distribution or a curve names, if it does.
fn add(node: &Node, shape: &Shape, base: &Path, tables: &mut Tables, problems: &mut Problems) {
    let Shape::Choice(choices) = shape else { return };
    let curve = choices.contains_key("piecewise").then(|| node.child("csv")).flatten();
    let named = match (curve, node.at("empirical.csv")) {
        (Some(name), _) => Some((name, Use::Curve)),
        (None, Some(name)) => Some((name, Use::Durations)),
        _ => None,
    };
    let Some((node, usage)) = named else { return };
    let Some(name) = node.text() else { return };
    let before = tables.remove(name).map_or_else(|| read(&base.join(name)), Ok);
    match before.and_then(|table| suits(&table, usage).map(|()| table)) {
        Ok(table) => drop(tables.insert(name.to_owned(), table)),
        Err(why) => {
            let problem = Problem::error(format!("`{name}`: {why}"), node.place());
            problems.push(problem.help(usage.wanted()));
        }
    }
}

fn read(path: &Path) -> Result<Table, String> {
    let found = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !found.is_file() || found.len() > MAX_BYTES {
        return Err("is not a file of at most 64 MiB".to_owned());
    }
    let text = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(&text[..]);
    let header = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_owned).collect();
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    let (mut line, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        // Blank lines before a record are taken for its own.
        let start = record.position().map_or(0, |position| position.byte() as usize);
        let blank = text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += text[counted..start + blank].iter().filter(|byte| **byte == b'\n').count();
        counted = start + blank;
        let numbers = record.iter().map(|field| match field.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(format!("line {line}: `{field}` is not a number")),
        });
        rows.push(numbers.collect::<Result<Vec<f64>, String>>()?);
        lines.push(line);
    }
    Ok(Table { header, rows, lines })
}

fn suits(Table { header, rows, lines }: &Table, usage: Use) -> Result<(), String> {
    // A first line of numbers is a row that would be lost.
    if let Some(number) = header.first().filter(|name| name.parse::<f64>().is_ok_and(f64::is_finite)) {
        return Err(format!("has no header: it begins with `{number}`"));
    }
    if rows.is_empty() {
        return Err("has no rows".to_owned());
    }
    let at = |row: usize, what: &str| Err(format!("line {}: {what}", lines[row]));
    if let Some(row) = rows.iter().position(|row| row.iter().any(|number| *number < 0.0)) {
        return at(row, "holds a negative number");
    }
    let ascends = || rows.windows(2).position(|pair| pair[1][0] <= pair[0][0]);
    match usage {
        Use::Durations => Ok(()),
        Use::Curve if *header != ["t_s", "rate_per_s"] => {
            Err(format!("has the columns {}", header.join(",")))
        }
        Use::Curve if rows[0][0] > 0.0 => at(0, "a curve begins at 0 in `t_s`"),
        Use::Curve => ascends().map_or(Ok(()), |pair| at(pair + 1, "`t_s` does not ascend")),
    }
}
