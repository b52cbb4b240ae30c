//! What a Postgres node was busy with: its CPU, waits for row locks, waits for the disk, the lag of a
//! replica.
//!
//! A sick disk shows first as waits for the disk; the locks that those statements hold pile up behind them;
//! a busy CPU with neither is work that nobody may be waiting for any longer.

use super::panels::{self, Panel};
use super::{Header, PALETTE};
use crate::experiment::Run;
use crate::measure::{LevelBin, NodeMeasured, Stretch, StretchKind, outage};
use crate::report::canvas::{Drawing, Rgb};
use crate::report::human;

/// The chart of one node; `None` where nothing ever waited and nothing is replayed.
pub fn draw(header: &Header, run: &Run, node: &NodeMeasured, peers: &[&Run]) -> Option<Drawing> {
    let of = format!("postgres.{}", node.node);
    let there = |panel: &Panel| {
        let measured = |run: &&Run| outage::level(&run.measured, panel.level.0, &of).is_some();
        peers.iter().chain([&run]).any(measured)
    };
    let waits: Vec<Panel> = waits(&of).into_iter().filter(there).collect();
    if waits.is_empty() {
        return None;
    }
    let panels: Vec<Panel> = [busy(&of)].into_iter().chain(waits).collect();
    let title = format!("Postgres node {}: what it is busy with", node.node);
    let shown = |stretch: &Stretch| stretch.kind == StretchKind::Node && stretch.of == node.node;
    Some(panels::draw(header, (run, peers), &title, &panels, shown))
}

/// What a node works on.
fn busy(of: &str) -> Panel {
    let title = "busy cores, as a share of all, the mean of 10 s";
    let panel = panel(of, ("cpu_busy", title), PALETTE[1], |bin| bin.mean);
    Panel { label: human::share, least: 1.0, ..panel }
}

/// What waits at a node, and how far it is behind its primary.
fn waits(of: &str) -> [Panel; 3] {
    let locks = ("lock_waiters", "statements that wait for a row lock, the most in 10 s");
    let disk = ("disk_waiters", "backends that wait for the disk, the mean of 10 s");
    let lag = ("replica_lag", "age of the latest commit replayed, the most in 10 s");
    let behind = panel(of, lag, PALETTE[3], |bin| bin.max);
    [
        panel(of, locks, PALETTE[0], |bin| bin.max),
        panel(of, disk, PALETTE[4], |bin| bin.mean),
        Panel { label: |seconds| human::tick(seconds * 1e6), least: 0.01, ..behind },
    ]
}

/// A panel of a level that counts something.
fn panel(of: &str, (level, title): (&'static str, &str), colour: Rgb, value: fn(&LevelBin) -> f64) -> Panel {
    Panel {
        title: title.to_owned(),
        level: (level, of.to_owned()),
        value,
        line: None,
        colour,
        label: human::number,
        least: 4.0,
    }
}
