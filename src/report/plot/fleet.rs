//! The fleet of a scaled service: containers against the cap, requests in flight, requests that wait.
//!
//! A fleet at its cap with a growing pile of waiting requests is one that more containers would help, or
//! harm: the database has the word.

use super::panels::{self, Panel};
use super::{Header, PALETTE};
use crate::experiment::Run;
use crate::measure::{LevelBin, Stretch, StretchKind, outage};
use crate::report::canvas::Drawing;
use crate::report::human;

/// The chart of one service; `None` if nobody scales it.
pub fn draw(header: &Header, run: &Run, service: &str, peers: &[&Run]) -> Option<Drawing> {
    let of = format!("service.{service}");
    outage::level(&run.measured, "cap", &of)?;
    let most = |bin: &LevelBin| bin.max;
    let panel = |level, title: &str, line, colour| Panel {
        title: title.to_owned(),
        level: (level, of.clone()),
        value: most,
        line,
        colour,
        label: human::number,
        least: 4.0,
    };
    let panels = [
        panel(
            "containers",
            "containers, starting ones included, the most in 10 s",
            Some(("cap", "the cap")),
            PALETTE[5],
        ),
        panel("in_flight", "requests that containers work on, the most in 10 s", None, PALETTE[1]),
        panel("pending", "requests that wait for a container, the most in 10 s", None, PALETTE[4]),
    ];
    let shown = |stretch: &Stretch| stretch.kind == StretchKind::Cap && stretch.of == service;
    Some(panels::draw(
        header,
        (run, peers),
        &format!("{service}: containers and what they have to do"),
        &panels,
        shown,
    ))
}
