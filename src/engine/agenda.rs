//! The agenda: what is due next.
//!
//! Three places behind one small interface, because they are what makes a run fast: a heap for events at any
//! time; *lanes* for delays that are always the same (a timeout, a network trip), which are FIFO queues; and
//! *alarms*, one pending event each, for what is re-armed all the time (the next completion of a shared
//! device, the next arrival of a source). Events of the same instant fire in the order in which they were
//! scheduled, wherever they lie. A cancelled event is gone: it never fires and its memory is reclaimed.

use super::time::{Span, Time};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Names a scheduled event, to cancel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    place: u32,
    number: u64,
}

impl Handle {
    /// Names no event.
    pub const NONE: Handle = Handle { place: u32::MAX, number: u64::MAX };
}

/// A queue of events that all have the same delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(u32);

/// A place for one pending event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm(u32);

/// Marks the place of a handle as a lane.
const LANE: u32 = 1 << 31;
/// Bits of a heap key that hold the slot: 16 million events pending at once.
const SLOT_BITS: u32 = 24;
const NEVER: Key = Key::MAX;

/// Time (64 bits), then the number in order of scheduling (40 bits), then the slot in the heap's table.
type Key = u128;

fn key(at: Time, number: u64) -> Key {
    (Key::from(at.0) << 64) | (Key::from(number) << SLOT_BITS)
}

fn time_of(key: Key) -> Time {
    Time((key >> 64) as u64)
}

#[derive(Clone, Copy, Debug)]
struct Slot<E> {
    number: u64,
    event: E,
}

#[derive(Clone, Debug)]
struct LaneQueue<E> {
    delay: Span,
    /// How many have left at the front.
    gone: u64,
    /// `None`: cancelled, and not yet at the front.
    events: VecDeque<(Key, Option<E>)>,
}

/// Events by due time.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    now: Time,
    scheduled: u64,
    heap: BinaryHeap<Reverse<Key>>,
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    /// Heap entries whose event was cancelled.
    dead: usize,
    lanes: Vec<LaneQueue<E>>,
    alarms: Vec<Option<E>>,
    /// The first key of each lane, then of each alarm: what the next event is chosen from, beside the heap.
    lane_keys: Vec<Key>,
    alarm_keys: Vec<Key>,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Agenda {
            now: Time::ZERO,
            scheduled: 0,
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            dead: 0,
            lanes: Vec::new(),
            alarms: Vec::new(),
            lane_keys: Vec::new(),
            alarm_keys: Vec::new(),
        }
    }
}

impl<E: Copy> Agenda<E> {
    /// The present instant: that of the last event that fired.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Schedules an event after a delay.
    pub fn after(&mut self, delay: Span, event: E) -> Handle {
        self.at(self.now + delay, event)
    }

    /// Schedules an event at an instant.
    ///
    /// # Panics
    /// If the instant has passed.
    pub fn at(&mut self, at: Time, event: E) -> Handle {
        assert!(at >= self.now, "the past cannot be scheduled");
        let number = self.number();
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = Slot { number, event };
                index
            }
            None => {
                self.slots.push(Slot { number, event });
                (self.slots.len() - 1) as u32
            }
        };
        assert!(index < 1 << SLOT_BITS, "at most 16 million events pending");
        self.heap.push(Reverse(key(at, number) | Key::from(index)));
        Handle { place: index, number }
    }

    /// The lane of a delay; made if there is none.
    pub fn lane(&mut self, delay: Span) -> Lane {
        let found = self.lanes.iter().position(|lane| lane.delay == delay);
        let index = found.unwrap_or_else(|| {
            self.lanes.push(LaneQueue { delay, gone: 0, events: VecDeque::new() });
            self.lane_keys.push(NEVER);
            self.lanes.len() - 1
        });
        Lane(index as u32)
    }

    /// Schedules an event after the lane's delay.
    pub fn after_lane(&mut self, lane: Lane, event: E) -> Handle {
        let number = self.number();
        let queue = &mut self.lanes[lane.0 as usize];
        let key = key(self.now + queue.delay, number);
        if queue.events.is_empty() {
            self.lane_keys[lane.0 as usize] = key;
        }
        queue.events.push_back((key, Some(event)));
        Handle { place: lane.0 | LANE, number: queue.gone + queue.events.len() as u64 - 1 }
    }

    /// A new alarm, not set.
    pub fn alarm(&mut self) -> Alarm {
        self.alarms.push(None);
        self.alarm_keys.push(NEVER);
        Alarm((self.alarms.len() - 1) as u32)
    }

    /// Sets an alarm, or sets it anew: what was pending on it is forgotten. `None` only forgets.
    pub fn set(&mut self, alarm: Alarm, at: Option<Time>, event: E) {
        let index = alarm.0 as usize;
        self.alarm_keys[index] = match at {
            Some(at) => key(at.max(self.now), self.number()),
            None => NEVER,
        };
        self.alarms[index] = at.map(|_| event);
    }

    /// Cancels an event; false if it has fired or was cancelled before.
    pub fn cancel(&mut self, handle: Handle) -> bool {
        if handle == Handle::NONE {
            return false;
        }
        if handle.place & LANE != 0 {
            return self.cancel_in_lane((handle.place & !LANE) as usize, handle.number);
        }
        let Some(slot) =
            self.slots.get_mut(handle.place as usize).filter(|slot| slot.number == handle.number)
        else {
            return false;
        };
        slot.number = u64::MAX;
        self.dead += 1;
        if self.dead > 64 && self.dead > self.heap.len() / 2 {
            self.bury();
        }
        true
    }

    /// The next event that is due at `end` or before; time moves on to it.
    pub fn next_until(&mut self, end: Time) -> Option<E> {
        loop {
            let heap_key = self.heap.peek().map_or(NEVER, |key| key.0);
            let (lane, lane_key) = least(&self.lane_keys);
            let (alarm, alarm_key) = least(&self.alarm_keys);
            let first = heap_key.min(lane_key).min(alarm_key);
            if first == NEVER || time_of(first) > end {
                return None;
            }
            if first == lane_key {
                self.now = time_of(first);
                return self.pop_lane(lane);
            }
            if first == alarm_key {
                self.now = time_of(first);
                self.alarm_keys[alarm] = NEVER;
                return self.alarms[alarm].take();
            }
            if let Some(event) = self.pop_heap() {
                self.now = time_of(first);
                return Some(event);
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.scheduled += 1;
        debug_assert!(self.scheduled < 1 << (64 - SLOT_BITS), "a trillion events");
        self.scheduled
    }

    fn pop_heap(&mut self) -> Option<E> {
        let Reverse(key) = self.heap.pop()?;
        let index = (key & ((1 << SLOT_BITS) - 1)) as usize;
        let number = (key as u64) >> SLOT_BITS;
        self.free.push(index as u32);
        let slot = &mut self.slots[index];
        if slot.number != number {
            self.dead -= 1;
            return None;
        }
        slot.number = u64::MAX;
        Some(slot.event)
    }

    fn pop_lane(&mut self, lane: usize) -> Option<E> {
        let queue = &mut self.lanes[lane];
        let (_, event) = queue.events.pop_front()?;
        queue.gone += 1;
        self.trim(lane);
        event
    }

    fn cancel_in_lane(&mut self, lane: usize, number: u64) -> bool {
        let queue = &mut self.lanes[lane];
        let Some(place) = number.checked_sub(queue.gone) else { return false };
        let Some((_, event)) = queue.events.get_mut(place as usize) else { return false };
        if event.take().is_none() {
            return false;
        }
        if place == 0 {
            self.trim(lane);
        }
        true
    }

    /// Drops cancelled events at the front of a lane and notes its first key.
    fn trim(&mut self, lane: usize) {
        let queue = &mut self.lanes[lane];
        while let Some((_, None)) = queue.events.front() {
            queue.events.pop_front();
            queue.gone += 1;
        }
        self.lane_keys[lane] = queue.events.front().map_or(NEVER, |(key, _)| *key);
    }

    /// Removes the cancelled from the heap, once they are the greater part of it.
    fn bury(&mut self) {
        let (slots, free) = (&self.slots, &mut self.free);
        self.heap.retain(|Reverse(key)| {
            let index = (key & ((1 << SLOT_BITS) - 1)) as u32;
            let alive = slots[index as usize].number == (*key as u64) >> SLOT_BITS;
            if !alive {
                free.push(index);
            }
            alive
        });
        self.dead = 0;
    }
}

fn least(keys: &[Key]) -> (usize, Key) {
    let mut best = (0, NEVER);
    for (index, &key) in keys.iter().enumerate() {
        if key < best.1 {
            best = (index, key);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_fire_in_the_order_of_scheduling_wherever_they_lie() {
        let mut agenda = Agenda::default();
        let (lane, alarm) = (agenda.lane(Span(5)), agenda.alarm());
        agenda.after(Span(5), 'a');
        agenda.after_lane(lane, 'b');
        agenda.set(alarm, Some(Time(5)), 'c');
        agenda.after(Span(5), 'd');
        agenda.after_lane(lane, 'e');
        let fired: String = std::iter::from_fn(|| agenda.next_until(Time(5))).collect();
        assert_eq!(fired, "abcde");
        assert_eq!(agenda.now(), Time(5));
    }

    #[test]
    fn an_alarm_that_is_set_anew_forgets_the_old() {
        let mut agenda = Agenda::default();
        let alarm = agenda.alarm();
        agenda.set(alarm, Some(Time(5)), 'a');
        agenda.set(alarm, Some(Time(9)), 'b');
        assert_eq!(agenda.next_until(Time(8)), None);
        assert_eq!(agenda.next_until(Time(9)), Some('b'));
        assert_eq!(agenda.next_until(Time::NEVER), None);
    }

    #[test]
    fn memory_follows_what_is_pending_not_what_was_cancelled() {
        let mut agenda = Agenda::default();
        let lane = agenda.lane(Span::from_secs(30));
        for n in 0..100_000u32 {
            let far = agenda.after(Span::from_secs(900), n);
            let timeout = agenda.after_lane(lane, n);
            assert!(agenda.cancel(far) && agenda.cancel(timeout));
            assert!(!agenda.cancel(far) && !agenda.cancel(timeout));
        }
        assert!(agenda.heap.len() < 200 && agenda.slots.len() < 200);
        assert_eq!(agenda.lanes[0].events.len(), 0);
        assert_eq!(agenda.next_until(Time::NEVER), None);
    }

    #[derive(Clone, Debug)]
    enum Act {
        After(u64),
        Lane(u8),
        Alarm(u8, u64),
        Cancel(usize),
        Fire(u64),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        // Microseconds beside a quarter of an hour: the mix that breaks calendar queues.
        let delay = prop_oneof![0u64..50, 1_000u64..9_000, 900_000_000_000u64..900_000_100_000];
        let act = prop_oneof![
            delay.clone().prop_map(Act::After),
            (0u8..3).prop_map(Act::Lane),
            (0u8..2, delay.clone()).prop_map(|(alarm, delay)| Act::Alarm(alarm, delay)),
            (0usize..200).prop_map(Act::Cancel),
            delay.prop_map(Act::Fire),
        ];
        prop::collection::vec(act, 0..300)
    }

    proptest! {
        /// The oracle: a list, searched from end to end.
        #[test]
        fn agrees_with_a_list(acts in acts()) {
            let mut agenda = Agenda::default();
            let lanes = [agenda.lane(Span(7)), agenda.lane(Span(1_000)), agenda.lane(Span(30_000_000_000))];
            let delays = [7, 1_000, 30_000_000_000];
            let alarms = [agenda.alarm(), agenda.alarm()];
            let mut list: Vec<(u64, usize, Option<usize>)> = Vec::new();
            let mut handles = Vec::new();
            for (name, act) in acts.into_iter().enumerate() {
                let now = agenda.now().0;
                match act {
                    Act::After(delay) => {
                        handles.push((agenda.after(Span(delay), name), name));
                        list.push((now + delay, name, None));
                    }
                    Act::Lane(lane) => {
                        handles.push((agenda.after_lane(lanes[lane as usize], name), name));
                        list.push((now + delays[lane as usize], name, None));
                    }
                    Act::Alarm(alarm, delay) => {
                        let alarm = alarm as usize;
                        agenda.set(alarms[alarm], Some(Time(now + delay)), name);
                        list.retain(|entry| entry.2 != Some(alarm));
                        list.push((now + delay, name, Some(alarm)));
                    }
                    Act::Cancel(which) if !handles.is_empty() => {
                        let (handle, name) = handles[which % handles.len()];
                        let known = list.iter().any(|entry| entry.1 == name);
                        prop_assert_eq!(agenda.cancel(handle), known);
                        list.retain(|entry| entry.1 != name);
                    }
                    Act::Cancel(_) => {}
                    Act::Fire(within) => {
                        let end = now + within;
                        loop {
                            let next = list.iter().copied().filter(|entry| entry.0 <= end).min();
                            let fired = agenda.next_until(Time(end));
                            prop_assert_eq!(fired, next.map(|entry| entry.1));
                            let Some(next) = next else { break };
                            prop_assert_eq!(agenda.now().0, next.0);
                            list.retain(|entry| entry.1 != next.1);
                        }
                    }
                }
            }
        }
    }
}
