//! What stands before the services: it can answer some classes by itself.
//!
//! In the real world: a content delivery network with compute, where *origin outage mode* mints session
//! tokens without the origin. Modelled: on, off, or automatic by a breaker on what clients see of those
//! classes, where one that takes too long counts as failed while it still goes on; an answer takes the edge
//! some time and no container. Left out: its own capacity, and what an edge
//! token cannot say that the origin's could.

use super::breaker::{Breaker, Way};
use crate::engine::dist::Dist;
use crate::engine::time::{Span, Time};
use crate::scenario::grammar::{self, OriginOutageMode};

/// The edge.
#[derive(Clone, Debug)]
pub struct Edge {
    mode: OriginOutageMode,
    /// By class: whether it can answer it.
    serves: Vec<bool>,
    /// How long an answer takes.
    pub time: Dist,
    breaker: Option<Breaker>,
}

/// What the edge does with a request that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It answers by itself.
    Answer,
    /// It lets it pass, and looks at how it ends.
    Watch(Way),
    /// It lets it pass.
    Pass,
}

impl Edge {
    /// The edge as things stand; `serves` by class.
    pub fn new(settings: &grammar::Edge, serves: Vec<bool>, time: Dist) -> Edge {
        let breaker = settings.breaker.map(Breaker::new);
        Edge { mode: settings.origin_outage_mode, serves, time, breaker }
    }

    /// Whether it answers by itself now.
    fn is_answering(&self) -> bool {
        match self.mode {
            OriginOutageMode::Off => false,
            OriginOutageMode::On => true,
            OriginOutageMode::Automatic => self.breaker.as_ref().is_some_and(Breaker::is_open),
        }
    }

    /// What stands changes. Says so if that turns the mode: whether it is on.
    pub fn set(&mut self, settings: &grammar::Edge) -> Option<bool> {
        let was = self.is_answering();
        self.mode = settings.origin_outage_mode;
        if let (Some(breaker), Some(settings)) = (&mut self.breaker, settings.breaker) {
            breaker.set(settings);
        }
        (self.is_answering() != was).then_some(!was)
    }

    /// A request of a class arrives.
    pub fn turn(&mut self, now: Time, class: u16) -> Turn {
        if !self.serves[usize::from(class)] {
            return Turn::Pass;
        }
        match (self.mode, &mut self.breaker) {
            (OriginOutageMode::On, _) => Turn::Answer,
            (OriginOutageMode::Automatic, Some(breaker)) => match breaker.way(now) {
                Way::Around => Turn::Answer,
                way => Turn::Watch(way),
            },
            _ => Turn::Pass,
        }
    }

    /// How a request ended that it watched. Says so if that turns the mode: whether it is on.
    pub fn report(&mut self, now: Time, way: Way, well: bool) -> Option<bool> {
        let turned = self.breaker.as_mut()?.report(now, way, well)?;
        (self.mode == OriginOutageMode::Automatic).then_some(turned)
    }

    /// How long a request that it watches may take before it counts as failed.
    pub fn slow(&self) -> Option<Span> {
        self.breaker.as_ref()?.settings().slow.0
    }
}
