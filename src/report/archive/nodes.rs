//! Postgres nodes in the file: the backends that each of them started, and how bunched.

use super::{or_nan, some};
use crate::engine::time::{Span, Time};
use crate::measure::{CAUSES, Cycle, HerdBin, NodeMeasured};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct StoredNode {
    node: String,
    lifetime_ns: Option<u64>,
    starts: [u64; CAUSES],
    slots: u32,
    refused: u64,
    seconds: usize,
    starts_per_s: Vec<(usize, [u32; CAUSES])>,
    bins: Vec<StoredHerd>,
    cycles: Vec<(u64, u64, [Option<f64>; 5])>,
    herd_gain: Option<f64>,
}

/// connects_max_1s by cause and over all, herd_size by cause and over all, refused.
type StoredHerd = ([u32; CAUSES], u32, [Option<f64>; CAUSES], Option<f64>, u32);

pub(super) fn stored_node(node: &NodeMeasured) -> StoredNode {
    let seconds = node.starts_per_s.iter().copied().enumerate();
    let herd = |bin: &HerdBin| {
        let sizes = (bin.herd_size.map(some), some(bin.herd_size_all));
        (bin.connects_max_1s, bin.connects_max_1s_all, sizes.0, sizes.1, bin.refused)
    };
    let cycle = |c: &Cycle| {
        let figures = [c.phase_lock_r1, c.phase_lock_r2, c.rayleigh_p, c.largest_cluster_1pct, c.fano];
        (c.from.0, c.births, figures.map(some))
    };
    StoredNode {
        node: node.node.clone(),
        lifetime_ns: node.lifetime.map(|lifetime| lifetime.0),
        starts: node.starts,
        slots: node.slots,
        refused: node.refused,
        seconds: node.starts_per_s.len(),
        starts_per_s: seconds.filter(|(_, counts)| *counts != [0; CAUSES]).collect(),
        bins: node.bins.iter().map(herd).collect(),
        cycles: node.cycles.iter().map(cycle).collect(),
        herd_gain: node.herd_gain.and_then(some),
    }
}

pub(super) fn node(stored: StoredNode) -> Result<NodeMeasured, String> {
    if stored.seconds > 1 << 30 {
        return Err(format!("node {} has more seconds than any run", stored.node));
    }
    let mut starts_per_s = vec![[0; CAUSES]; stored.seconds];
    for (second, counts) in stored.starts_per_s {
        *starts_per_s.get_mut(second).ok_or("a backend started after the end of the run")? = counts;
    }
    let herd = |(connects_max_1s, connects_max_1s_all, sizes, all, refused): StoredHerd| HerdBin {
        connects_max_1s,
        connects_max_1s_all,
        herd_size: sizes.map(or_nan),
        herd_size_all: or_nan(all),
        refused,
    };
    let cycle = |(from, births, figures): (_, _, [Option<f64>; 5])| {
        let [phase_lock_r1, phase_lock_r2, rayleigh_p, largest_cluster_1pct, fano] = figures.map(or_nan);
        Cycle {
            from: Time(from),
            births,
            phase_lock_r1,
            phase_lock_r2,
            rayleigh_p,
            largest_cluster_1pct,
            fano,
        }
    };
    Ok(NodeMeasured {
        node: stored.node,
        lifetime: stored.lifetime_ns.map(Span),
        starts: stored.starts,
        slots: stored.slots,
        refused: stored.refused,
        starts_per_s,
        bins: stored.bins.into_iter().map(herd).collect(),
        cycles: stored.cycles.into_iter().map(cycle).collect(),
        herd_gain: stored.herd_gain,
    })
}
