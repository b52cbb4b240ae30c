//! Which container gets the next request.
//!
//! Undocumented for Cloud Run (cloud-run.md §1.7: "evenly" is all that is promised), so it is a choice. A
//! container at its concurrency limit gets none.

use crate::engine::chance::Draws;
use crate::model::ContainerId;
use crate::scenario::grammar::Routing;

/// The containers that take requests, and how busy each is.
#[derive(Debug, Default)]
pub struct Router {
    serving: Vec<ContainerId>,
    load: Vec<u32>,
    /// No container is less busy than this; it may lag behind.
    lowest: u32,
    cursor: usize,
}

impl Router {
    /// A container begins to take requests; its place.
    pub fn add(&mut self, container: ContainerId) -> usize {
        self.serving.push(container);
        self.load.push(0);
        self.lowest = 0;
        self.serving.len() - 1
    }

    /// The container at a place takes no more; the last one, if any, moves to its place.
    pub fn remove(&mut self, place: usize) -> Option<ContainerId> {
        self.serving.swap_remove(place);
        self.load.swap_remove(place);
        self.serving.get(place).copied()
    }

    /// One request more at a place.
    pub fn begin(&mut self, place: usize) {
        self.load[place] += 1;
    }

    /// One request less at a place.
    pub fn end(&mut self, place: usize) {
        self.load[place] -= 1;
        self.lowest = self.lowest.min(self.load[place]);
    }

    /// The container for a request; `None` if all are full.
    pub fn pick(
        &mut self,
        routing: Routing,
        limit: u32,
        draws: impl FnOnce() -> Draws,
    ) -> Option<ContainerId> {
        if self.serving.is_empty() {
            return None;
        }
        let place = match routing {
            Routing::LeastOutstanding => self.least(),
            Routing::RoundRobin => self.rotate(limit),
            Routing::Random => {
                let mut draws = draws();
                self.cursor = draws.below(self.serving.len() as u64) as usize;
                self.rotate(limit)
            }
            Routing::RandomTwo => {
                let mut draws = draws();
                let mut any = || draws.below(self.serving.len() as u64) as usize;
                let (a, b) = (any(), any());
                let better = if self.load[b] < self.load[a] { b } else { a };
                if self.load[better] < limit { better } else { self.least() }
            }
        };
        (self.load[place] < limit).then(|| self.serving[place])
    }

    /// The least busy, beginning after the last that was picked.
    fn least(&mut self) -> usize {
        let n = self.load.len();
        loop {
            let first = self.cursor % n;
            let found = (first..n).chain(0..first).find(|&place| self.load[place] <= self.lowest);
            if let Some(place) = found {
                self.cursor = place + 1;
                return place;
            }
            self.lowest += 1;
        }
    }

    /// The next in rotation that has room; the next at all if none has.
    fn rotate(&mut self, limit: u32) -> usize {
        let n = self.load.len();
        let first = self.cursor % n;
        let place =
            (0..n).map(|step| (first + step) % n).find(|&place| self.load[place] < limit).unwrap_or(first);
        self.cursor = place + 1;
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::chance::Stream;
    use crate::engine::slab::Slab;
    use crate::model::container::{Container, ContainerState};

    fn router(loads: &[u32]) -> (Router, Vec<ContainerId>) {
        let mut slab = Slab::default();
        let mut router = Router::default();
        let mut ids = Vec::new();
        for &load in loads {
            let (state, pools, refills) = (ContainerState::Serving, vec![], vec![]);
            let id = slab.insert(Container { state, place: 0, load: 0, pools, refills });
            router.add(id);
            (0..load).for_each(|_| router.begin(ids.len()));
            ids.push(id);
        }
        (router, ids)
    }

    fn draws() -> Draws {
        Stream::root(1).draws()
    }

    #[test]
    fn the_least_busy_is_picked_and_ties_rotate() {
        let (mut router, ids) = router(&[2, 0, 0, 1]);
        let picks: Vec<_> =
            (0..3).map(|_| router.pick(Routing::LeastOutstanding, 80, draws).unwrap()).collect();
        assert_eq!(picks, [ids[1], ids[2], ids[1]]);
    }

    #[test]
    fn a_full_container_gets_none() {
        for routing in [Routing::LeastOutstanding, Routing::RoundRobin, Routing::Random, Routing::RandomTwo] {
            let (mut router, ids) = router(&[3, 3, 2]);
            assert_eq!(router.pick(routing, 3, draws), Some(ids[2]), "{routing:?}");
            router.begin(2);
            assert_eq!(router.pick(routing, 3, draws), None, "{routing:?}");
        }
    }
}
