//! What became of a load: connections opened, given out, given back and closed, with times in seconds.

use std::collections::BTreeMap;
use std::fmt;

/// How far two times may lie apart that should be the same: programs and server share the machine.
pub const NOISE: f64 = 0.15;
/// Openings within this are one moment: which of them is the first is nobody's promise.
const MOMENT: f64 = 0.08;

/// Something that became of a load. Connections and requests are numbered from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    Opens(usize),
    Gets { request: usize, connection: usize },
    GivesBack { request: usize },
    Closes(usize),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Event::Opens(connection) => write!(f, "connection {connection} is opened"),
            Event::Gets { request, connection } => write!(f, "request {request} gets {connection}"),
            Event::GivesBack { request } => write!(f, "request {request} gives back"),
            Event::Closes(connection) => write!(f, "connection {connection} is closed"),
        }
    }
}

/// All of it, in the order of time. No event happens twice.
#[derive(Clone, Debug, Default)]
pub struct Trace(Vec<(f64, Event)>);

impl Trace {
    /// Numbers the connections in the order in which they were opened; of those of one moment, in the order
    /// of the first requests that got them.
    pub fn numbered(mut raw: Vec<(f64, Event)>) -> Trace {
        raw.sort_by(|a, b| a.0.total_cmp(&b.0));
        let first_request = |connection: usize| {
            let requests = raw.iter().filter_map(|(_, event)| match *event {
                Event::Gets { request, connection: gets } if gets == connection => Some(request),
                _ => None,
            });
            requests.min().unwrap_or(usize::MAX)
        };
        let (mut moment, mut before) = (0, f64::NEG_INFINITY);
        let mut opened = Vec::new();
        for (at, event) in &raw {
            if let Event::Opens(connection) = *event {
                moment += usize::from(at - before > MOMENT);
                before = *at;
                opened.push((moment, first_request(connection), connection));
            }
        }
        opened.sort_unstable();
        let numbers: BTreeMap<usize, usize> =
            opened.iter().enumerate().map(|(place, (.., connection))| (*connection, place + 1)).collect();
        let renumber = |event: &mut Event| match event {
            Event::Opens(connection) | Event::Closes(connection) | Event::Gets { connection, .. } => {
                *connection = numbers[connection];
            }
            Event::GivesBack { .. } => {}
        };
        raw.iter_mut().for_each(|(_, event)| renumber(event));
        Trace(raw)
    }

    /// What is only in one of two traces, and what is in both at times further apart than `tolerance`.
    pub fn differences(&self, other: &Trace, tolerance: f64) -> Vec<String> {
        let only = |this: &Trace, that: &Trace| -> Vec<String> {
            let missing = this.0.iter().filter(|(_, event)| that.at(*event).is_none());
            missing.map(|(at, event)| format!("{event} at {at:.2}, which the other does not tell")).collect()
        };
        let mut found = [only(self, other), only(other, self)].concat();
        for (at, event) in &self.0 {
            if let Some(there) = other.at(*event)
                && (at - there).abs() > tolerance
            {
                found.push(format!("{event} at {at:.2}, not at {there:.2}"));
            }
        }
        found
    }

    /// Whether the same has happened, whenever.
    pub fn has_the_events_of(&self, other: &Trace) -> bool {
        self.differences(other, f64::INFINITY).is_empty()
    }

    fn at(&self, event: Event) -> Option<f64> {
        self.0.iter().find(|(_, each)| *each == event).map(|(at, _)| *at)
    }

    /// Two traces side by side, the same events in one line.
    pub fn beside(&self, other: &Trace) -> String {
        let mut lines: Vec<(f64, Event)> = self.0.clone();
        lines.extend(other.0.iter().filter(|(_, event)| self.at(*event).is_none()));
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        let time = |at: Option<f64>| at.map_or("      –".to_owned(), |at| format!("{at:7.3}"));
        let line = |event| format!("{} {}  {event}\n", time(self.at(event)), time(other.at(event)));
        lines.into_iter().map(|(_, event)| line(event)).collect()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.iter().try_for_each(|(at, event)| writeln!(f, "{at:5.2}  {event}"))
    }
}
