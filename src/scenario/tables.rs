//! The CSV files that a scenario names: measured durations and traffic curves.

use super::Table;
use super::problem::Problem;
use super::problem::Problems;
use super::schema::{self, Shape};
use super::tree::Node;
use std::collections::BTreeMap;
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

/// Reads every CSV file that the tree names, relative to `base`; each once.
pub fn load(tree: &Node, base: &Path, tables: &mut BTreeMap<String, Table>, problems: &mut Problems) {
    schema::visit(tree, schema::root(), "", &mut |_, node, shape| {
        let Shape::Choice(choices) = shape else { return };
        let curve = choices.contains_key("piecewise").then(|| node.child("csv")).flatten();
        let named = match (curve, node.at("empirical.csv")) {
            (Some(name), _) => Some((name, Use::Curve)),
            (None, Some(name)) => Some((name, Use::Durations)),
            _ => None,
        };
        let Some((node, usage)) = named else { return };
        let Some(name) = node.text() else { return };
        let read = match tables.get(name) {
            Some(table) => Ok(table.clone()),
            None => read(&base.join(name)),
        };
        match read.and_then(|table| suits(&table, usage).map(|()| table)) {
            Ok(table) => drop(tables.insert(name.to_owned(), table)),
            Err(why) => {
                problems.push(Problem::error(format!("`{name}`: {why}"), node.place()).help(match usage {
                    Use::Curve => "wanted: a CSV file with the columns t_s,rate_per_s, ascending in t_s",
                    Use::Durations => "wanted: a CSV file with a header and seconds in its first column",
                }))
            }
        }
    });
}

fn read(path: &Path) -> Result<Table, String> {
    let found = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !found.is_file() || found.len() > MAX_BYTES {
        return Err("is not a file of at most 64 MiB".to_owned());
    }
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|error| error.to_string())?;
    let header = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let numbers = record.iter().map(|field| match field.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(format!("line {line}: `{field}` is not a number")),
        });
        rows.push(numbers.collect::<Result<Vec<f64>, String>>()?);
    }
    Ok(Table { header, rows })
}

fn suits(table: &Table, usage: Use) -> Result<(), String> {
    if table.rows.is_empty() {
        return Err("has no rows".to_owned());
    }
    if table.rows.iter().flatten().any(|number| *number < 0.0) {
        return Err("holds a negative number".to_owned());
    }
    match usage {
        Use::Durations => Ok(()),
        Use::Curve if table.header != ["t_s", "rate_per_s"] => {
            Err(format!("has the columns {}", table.header.join(",")))
        }
        Use::Curve => match table.rows.windows(2).position(|pair| pair[1][0] <= pair[0][0]) {
            Some(row) => Err(format!("line {}: `t_s` does not ascend", row + 3)),
            None => Ok(()),
        },
    }
}
