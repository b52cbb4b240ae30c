//! Births on the lifetime clock as a grid, for chart and page: a row a lifetime, phase by phase.

use crate::measure::NodeMeasured;

/// The most buckets of phase in a row.
const PHASES: usize = 90;
/// The least count that is drawn darkest, so that the chance neighbours of a calm run look like no herd.
pub const CALM: u64 = 40;

/// Births by lifetime and phase.
pub struct Births {
    /// How many lifetimes share a row.
    pub per_row: usize,
    /// How many births in each phase, by row.
    pub rows: Vec<Vec<u64>>,
}

/// How many buckets of phase a lifetime has, in seconds: each is at least a second wide, the grain of the
/// data.
pub fn phases(lifetime: f64) -> usize {
    (lifetime as usize).clamp(1, PHASES)
}

/// The births of a node whose connections live for so many seconds, in so many rows at most.
pub fn births(node: &NodeMeasured, lifetime: f64, most_rows: usize) -> Births {
    let lifetimes = (node.starts_per_s.len() as f64 / lifetime).ceil() as usize;
    let per_row = lifetimes.div_ceil(most_rows).max(1);
    let phases = phases(lifetime);
    let mut rows = vec![vec![0; phases]; lifetimes.div_ceil(per_row)];
    for (second, starts) in node.starts_per_s.iter().enumerate() {
        let age = second as f64 / lifetime;
        let (number, phase) = (age as usize, age - libm::trunc(age));
        let place = ((phase * phases as f64) as usize).min(phases - 1);
        if let Some(row) = rows.get_mut(number / per_row) {
            row[place] += starts.iter().map(|count| u64::from(*count)).sum::<u64>();
        }
    }
    Births { per_row, rows }
}
