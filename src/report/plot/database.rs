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

/// A number of a bin.
type Value = fn(&LevelBin) -> f64;

/// The chart of one node; `None` where nothing ever waited and nothing is replayed.
pub fn draw(header: &Header, run: &Run, node: &NodeMeasured, peers: &[&Run]) -> Option<Drawing> {
    let of = format!("postgres.{}", node.node);
    let there = |level: &str| {
        peers.iter().chain([&run]).any(|run| outage::level(&run.measured, level, &of).is_some())
    };
    let panel = |level, title: &str, value, colour: Rgb, label, least| Panel {
        title: title.to_owned(),
        level: (level, of.clone()),
        value,
        line: None,
        colour,
        label,
        least,
    };
    let (mean, most): (Value, Value) = (|bin| bin.mean, |bin| bin.max);
    let seconds = |seconds: f64| human::tick(seconds * 1e6);
    let waits = [
        panel(
            "lock_waiters",
            "statements that wait for a row lock, the most in 10 s",
            most,
            PALETTE[0],
            human::number,
            4.0,
        ),
        panel(
            "disk_waiters",
            "backends that wait for the disk, the mean of 10 s",
            mean,
            PALETTE[4],
            human::number,
            4.0,
        ),
        panel(
            "replica_lag",
            "age of the latest commit replayed, the most in 10 s",
            most,
            PALETTE[3],
            seconds,
            0.01,
        ),
    ];
    let waits: Vec<Panel> = waits.into_iter().filter(|panel| there(panel.level.0)).collect();
    if waits.is_empty() {
        return None;
    }
    let busy = panel(
        "cpu_busy",
        "busy cores, as a share of all, the mean of 10 s",
        mean,
        PALETTE[1],
        human::share,
        1.0,
    );
    let panels: Vec<Panel> = [busy].into_iter().chain(waits).collect();
    let title = format!("Postgres node {}: what it is busy with", node.node);
    let shown = |stretch: &Stretch| stretch.kind == StretchKind::Node && stretch.of == node.node;
    Some(panels::draw(header, (run, peers), &title, &panels, shown))
}
