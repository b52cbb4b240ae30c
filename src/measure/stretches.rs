//! Stretches: from when to when a breaker was open, the edge answered by itself, a node took no connections
//! or its machine was unreachable, frozen or read-only, a fleet was at its cap.
//!
//! In life this is what the timeline of a post-mortem is made of, beside the events that people know of. What
//! begins and ends at one instant is no stretch. Left out: half-open breakers, which count as the model says.

use crate::engine::time::Time;

/// From when to when something was not as usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// What was so.
    pub kind: StretchKind,
    /// What it is of: `service.NAME.endpoint.NAME`, `edge`, a node's name or a service's name.
    pub of: String,
    /// Its beginning.
    pub from: Time,
    /// Its end; `None`: not by the end of the run.
    pub to: Option<Time>,
}

/// What was not as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StretchKind {
    /// A breaker was open.
    Breaker,
    /// The edge answered by itself.
    OutageMode,
    /// A node took no connections.
    Node,
    /// Nothing reached the machine of a node, and nothing came from it.
    Unreachable,
    /// The machine of a node stood still.
    Frozen,
    /// A node refused writes.
    ReadOnly,
    /// A scaled service had as many containers as it may have, or more; those that a rollout replaces do not
    /// count.
    Cap,
}

impl StretchKind {
    /// All kinds.
    pub const ALL: [StretchKind; 7] = [
        StretchKind::Breaker,
        StretchKind::OutageMode,
        StretchKind::Node,
        StretchKind::Unreachable,
        StretchKind::Frozen,
        StretchKind::ReadOnly,
        StretchKind::Cap,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            StretchKind::Breaker => "breaker",
            StretchKind::OutageMode => "outage_mode",
            StretchKind::Node => "node",
            StretchKind::Unreachable => "unreachable",
            StretchKind::Frozen => "frozen",
            StretchKind::ReadOnly => "read_only",
            StretchKind::Cap => "cap",
        }
    }
}

/// Watches things turn on and off.
#[derive(Clone, Debug, Default)]
pub struct StretchWatch {
    stretches: Vec<Stretch>,
}

impl StretchWatch {
    /// Something turned on or off, or stays as it is.
    pub fn turn(&mut self, now: Time, kind: StretchKind, of: String, on: bool) {
        let mine = |stretch: &Stretch| stretch.kind == kind && stretch.of == of && stretch.to.is_none();
        match (on, self.stretches.iter().rposition(mine)) {
            (true, None) => self.stretches.push(Stretch { kind, of, from: now, to: None }),
            (false, Some(place)) if self.stretches[place].from == now => drop(self.stretches.remove(place)),
            (false, Some(place)) => self.stretches[place].to = Some(now),
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// All stretches, by their beginnings.
    pub fn finish(self) -> Vec<Stretch> {
        self.stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_on_turns_off() {
        let mut watch = StretchWatch::default();
        let mut turn = |at, kind, of: &str, on| watch.turn(Time(at), kind, of.to_owned(), on);
        turn(1, StretchKind::Node, "primary", true);
        turn(2, StretchKind::Node, "replica", true);
        turn(3, StretchKind::Node, "primary", true);
        turn(4, StretchKind::Node, "primary", false);
        turn(5, StretchKind::Cap, "api", true);
        turn(5, StretchKind::Cap, "api", false);
        turn(6, StretchKind::Node, "primary", true);
        let node = |of: &str, from, to: Option<u64>| Stretch {
            kind: StretchKind::Node,
            of: of.into(),
            from: Time(from),
            to: to.map(Time),
        };
        let expected = [node("primary", 1, Some(4)), node("replica", 2, None), node("primary", 6, None)];
        assert_eq!(watch.finish(), expected);
    }
}
