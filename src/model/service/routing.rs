//! Which container gets the next request.
//!
//! Undocumented for Cloud Run (cloud-run.md §1.7: "evenly" is all that is promised), so it is a choice. A
//! container at its concurrency limit gets none; the limit is the container's own, as it was when it started.

use crate::engine::chance::Draws;
use crate::model::ContainerId;
use crate::scenario::grammar::Routing;

/// The containers that take requests, and how busy each is.
#[derive(Debug, Default)]
pub struct Router {
    serving: Vec<ContainerId>,
    load: Vec<u32>,
    limit: Vec<u32>,
    /// No container is less busy than this, and so many are no busier; where none is, it lags behind.
    lowest: u32,
    at_lowest: usize,
    cursor: usize,
}

impl Router {
    /// How many containers take requests.
    pub fn count(&self) -> usize {
        self.serving.len()
    }

    /// A container begins to take requests, so many at once; its place.
    pub fn add(&mut self, container: ContainerId, limit: u32) -> usize {
        self.serving.push(container);
        self.load.push(0);
        self.limit.push(limit);
        self.recount(0);
        self.serving.len() - 1
    }

    /// The container at a place takes no more; the last one, if any, moves to its place.
    pub fn remove(&mut self, place: usize) -> Option<ContainerId> {
        self.serving.swap_remove(place);
        self.load.swap_remove(place);
        self.limit.swap_remove(place);
        self.recount(self.lowest);
        self.serving.get(place).copied()
    }

    /// One request more at a place.
    #[inline]
    pub fn begin(&mut self, place: usize) {
        let load = &mut self.load[place];
        self.at_lowest -= usize::from(*load == self.lowest);
        *load += 1;
    }

    /// One request less at a place.
    #[inline]
    pub fn end(&mut self, place: usize) {
        let load = &mut self.load[place];
        *load -= 1;
        if *load < self.lowest {
            (self.lowest, self.at_lowest) = (*load, 1);
        } else {
            self.at_lowest += usize::from(*load == self.lowest);
        }
    }

    fn recount(&mut self, lowest: u32) {
        self.lowest = lowest;
        self.at_lowest = self.load.iter().filter(|load| **load == lowest).count();
    }

    /// The container for a request; `None` if all are full.
    pub fn pick(&mut self, routing: Routing, draws: impl FnOnce() -> Draws) -> Option<ContainerId> {
        if self.serving.is_empty() {
            return None;
        }
        let place = match routing {
            Routing::LeastOutstanding => self.least(),
            Routing::RoundRobin => self.rotate(),
            Routing::Random => {
                let mut draws = draws();
                self.cursor = draws.below(self.serving.len() as u64) as usize;
                self.rotate()
            }
            Routing::RandomTwo => {
                let mut draws = draws();
                let mut any = || draws.below(self.serving.len() as u64) as usize;
                let (a, b) = (any(), any());
                let better = if self.load[b] < self.load[a] { b } else { a };
                if self.has_room(better) { Some(better) } else { self.least() }
            }
        };
        place.map(|place| self.serving[place])
    }

    fn has_room(&self, place: usize) -> bool {
        self.load[place] < self.limit[place]
    }

    /// All places, beginning after the last that was picked.
    fn in_rotation(&self) -> impl Iterator<Item = usize> + use<> {
        let n = self.load.len();
        let first = self.cursor % n;
        (first..n).chain(0..first)
    }

    /// The least busy of those that have room; ties in rotation.
    fn least(&mut self) -> Option<usize> {
        while self.at_lowest == 0 {
            self.recount(self.lowest + 1);
        }
        // Nearly always the first of the least busy has room.
        let (before, after) = self.load.split_at(self.cursor % self.load.len());
        let lowest = |load: &u32| *load == self.lowest;
        let least = after.iter().position(lowest).map(|place| before.len() + place);
        let least = least.or_else(|| before.iter().position(lowest)).filter(|&place| self.has_room(place));
        let place = least.or_else(|| {
            self.in_rotation().filter(|&place| self.has_room(place)).min_by_key(|&place| self.load[place])
        })?;
        self.cursor = place + 1;
        Some(place)
    }

    /// The next in rotation that has room.
    fn rotate(&mut self) -> Option<usize> {
        let place = self.in_rotation().find(|&place| self.has_room(place))?;
        self.cursor = place + 1;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::agenda::Handle;
    use crate::engine::chance::Stream;
    use crate::engine::slab::Slab;
    use crate::model::container::{Container, ContainerState};

    fn router(loads: &[u32], limit: u32) -> (Router, Vec<ContainerId>) {
        let mut slab = Slab::default();
        let mut router = Router::default();
        let mut ids = Vec::new();
        for &load in loads {
            let id = slab.insert(Container {
                number: 0,
                state: ContainerState::Serving,
                place: 0,
                load: 0,
                concurrency: limit,
                pools: vec![],
                refills: vec![],
                retention: Handle::NONE,
            });
            router.add(id, limit);
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
        let (mut router, ids) = router(&[2, 0, 0, 1], 80);
        let picks: Vec<_> = (0..3).map(|_| router.pick(Routing::LeastOutstanding, draws).unwrap()).collect();
        assert_eq!(picks, [ids[1], ids[2], ids[1]]);
    }

    /// Of two that are drawn the less busy is picked: the idle one of two unless the busy one is drawn twice.
    #[test]
    fn of_two_random_ones_the_less_busy_is_picked() {
        let (mut router, ids) = router(&[5, 0], 80);
        let idle = (0..1000)
            .filter(|n| router.pick(Routing::RandomTwo, || Stream::root(*n).draws()) == Some(ids[1]));
        let idle = idle.count();
        assert!((690..=810).contains(&idle), "three quarters of a thousand: {idle}");
    }

    #[test]
    fn a_full_container_gets_none() {
        for routing in [Routing::LeastOutstanding, Routing::RoundRobin, Routing::Random, Routing::RandomTwo] {
            let (mut router, ids) = router(&[3, 3, 2], 3);
            assert_eq!(router.pick(routing, draws), Some(ids[2]), "{routing:?}");
            router.begin(2);
            assert_eq!(router.pick(routing, draws), None, "{routing:?}");
        }
    }
}
