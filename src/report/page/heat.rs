//! Heat maps: counts by time and latency, and births by time and phase of the lifetime.
//!
//! A cell is one character, its shade on a logarithmic scale; exact counts are in `latency_hist.csv`.

use super::downsample::Columns;
use super::pack::shade;
use crate::measure::{NodeMeasured, bucket};
use crate::report::births::{self, Births, CALM};
use serde_json::{Value, json};

/// The most columns of births; more lifetimes share columns.
const LIFETIMES: usize = 240;

/// Requests of a bin by latency: (bucket, count), in no order.
pub type Bin = Vec<(u16, u32)>;

/// The counts of a column by bucket, from its lowest bucket on.
fn merged(bins: &[Bin]) -> Option<(u16, Vec<u64>)> {
    let buckets = || bins.iter().flatten();
    let lowest = buckets().map(|(bucket, _)| *bucket).min()?;
    let highest = buckets().map(|(bucket, _)| *bucket).max()?;
    let mut counts = vec![0; usize::from(highest - lowest) + 1];
    for (bucket, count) in buckets() {
        counts[usize::from(bucket - lowest)] += u64::from(*count);
    }
    Some((lowest, counts))
}

/// The greatest count of any cell.
pub fn most(bins: &[Bin], columns: Columns) -> u64 {
    let cells = bins.chunks(columns.per).filter_map(merged).flat_map(|(_, counts)| counts);
    cells.max().unwrap_or(0)
}

/// The heat map of a service: for each column its lowest bucket and a shade for each bucket from there.
pub fn latency(bins: &[Bin], columns: Columns, most: u64) -> Value {
    let cells: Vec<Option<(u16, Vec<u64>)>> = columns.each(bins, merged);
    let shaded = |column: &Option<(u16, Vec<u64>)>| match column {
        None => Value::Null,
        Some((lowest, counts)) => {
            let shades: String = counts.iter().map(|count| shade(*count, most)).collect();
            json!([lowest, shades])
        }
    };
    let last = |(lowest, counts): &(u16, Vec<u64>)| usize::from(*lowest) + counts.len();
    let buckets = cells.iter().flatten().map(last).max().unwrap_or(0);
    // The floors of all buckets that occur, and the end of the last.
    let floors: Vec<f64> = (0..=buckets).map(|bucket| bucket::floor_us(bucket as u16)).collect();
    json!({ "most": most, "floors": floors, "cells": cells.iter().map(shaded).collect::<Vec<_>>() })
}

/// Births on the lifetime clock, one column a lifetime; nothing where connections live for ever.
pub fn births(node: &NodeMeasured) -> Option<Value> {
    let lifetime = node.lifetime?.as_secs();
    if lifetime <= 0.0 {
        return None;
    }
    let Births { per_row, rows } = births::births(node, lifetime, LIFETIMES);
    let most = rows.iter().flatten().max().copied().unwrap_or(0).max(CALM);
    let shaded = |row: &Vec<u64>| row.iter().map(|count| shade(*count, most)).collect::<String>();
    let heat = json!({
        "most": most, "lifetime": lifetime, "width": lifetime * per_row as f64,
        "cells": rows.iter().map(shaded).collect::<Vec<_>>(),
    });
    let title = "Births on the lifetime clock: a strong row is a herd that comes again";
    Some(json!({
        "key": "births", "by": "node", "of": node.node, "kind": "births", "unit": "s", "title": title,
        "series": [], "heat": heat,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    #[test]
    fn a_column_adds_up_its_bins() {
        let bins = [vec![(80, 100)], vec![(80, 1), (78, 5)], vec![]];
        let columns = Columns { per: 2, count: 2 };
        assert_eq!(merged(&bins[..2]), Some((78, vec![5, 0, 101])));
        assert_eq!(most(&bins, columns), 101);
        let heat = latency(&bins, columns, 101);
        assert_eq!(heat["cells"], json!([[78, "m-_"], null]));
        assert_eq!(heat["floors"].as_array().unwrap().len(), 82);
    }

    #[test]
    fn a_herd_is_darkest() {
        let run = synthetic::run("as-written", 1, true);
        let births = births(&run.measured.nodes[0]).expect("a lifetime");
        let cells = births["heat"]["cells"].as_array().unwrap();
        assert_eq!(cells.len(), 24, "six hours of fifteen minutes");
        assert!(cells.iter().any(|row| row.as_str().unwrap().contains('_')));
    }
}
