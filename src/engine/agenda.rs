//! The agenda: what is due next.
//!
//! Three places behind one small interface, because they are what makes a run fast: a wheel (`wheel.rs`)
//! for events at any time; *lanes* for delays that are always the same (a timeout, a network trip), which are
//! FIFO queues; and *alarms*, one pending event each, for what is re-armed all the time (the next completion
//! of a shared device, the next arrival of a source). Lanes and alarms stand in one short list
//! (`sorted.rs`), in order of when it is the turn of each. Events of the same instant fire in the order in
//! which they were scheduled, wherever they lie. A cancelled event is gone: it never fires and its memory is
//! reclaimed.

use super::sorted::{Entry, Key, NEVER, put_in_order, sink};
use super::time::{Span, Time};
use super::wheel::Wheel;
use std::collections::VecDeque;

/// Names a scheduled event, to cancel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    /// When it is due; in a lane, its number in the lane, if it was not the first.
    at: u64,
    /// Its number in order of scheduling, and its place.
    name: u64,
}

impl Handle {
    /// Names no event.
    pub const NONE: Handle = Handle { at: u64::MAX, name: u64::MAX };
}

/// A queue of events that all have the same delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(u16);

/// A place for one pending event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm(u16);

/// The lowest bits of a key: where the event lies, the number of a lane or an alarm, or `WHEEL`. The number
/// in order of scheduling stands above them, with room for 280 trillion events.
const PLACE_BITS: u32 = 16;
const WHEEL: u16 = u16::MAX;

fn key(at: Time, name: u64) -> Key {
    (Key::from(at.0) << 64) | Key::from(name)
}

fn time_of(key: Key) -> Time {
    Time((key >> 64) as u64)
}

/// A lane, or an alarm.
#[derive(Clone, Debug)]
struct Place<E> {
    /// What is due first here; `None`: nothing is.
    first: Entry<Option<E>>,
    /// Where it stands in the order, or [`NEVER`] if it does not: not later than `first`. What has become
    /// later is seen when its turn comes, since most timeouts are cancelled and most alarms are set anew long
    /// before.
    known: Key,
    /// Of a lane, the delay.
    delay: Span,
    /// Of a lane, what is due after the first. `None`: cancelled.
    behind: VecDeque<Entry<Option<E>>>,
    /// How many have left there.
    gone: u64,
}

/// Events by due time.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    scheduled: u64,
    /// Events of this key or before have fired; its time is the present.
    fired: Key,
    wheel: Wheel<E>,
    places: Vec<Place<E>>,
    /// The places where something is due, or was.
    order: Vec<Entry<()>>,
    /// The lanes, sorted by their delay.
    lanes: Vec<(Span, Lane)>,
    /// The lanes asked for last, by a hash of their delay.
    recent: [(Span, Lane); 256],
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Agenda {
            scheduled: 0,
            fired: 0,
            wheel: Wheel::default(),
            // One lane from the start, so that each slot of `recent` names one.
            places: vec![Place::new(Span::FOREVER)],
            order: Vec::new(),
            lanes: vec![(Span::FOREVER, Lane(0))],
            recent: [(Span::FOREVER, Lane(0)); 256],
        }
    }
}

impl<E: Copy> Agenda<E> {
    /// The present instant: that of the last event that fired, or to which nothing was due.
    pub fn now(&self) -> Time {
        time_of(self.fired)
    }

    /// Schedules an event after a delay.
    pub fn after(&mut self, delay: Span, event: E) -> Handle {
        self.at(self.now() + delay, event)
    }

    /// Schedules an event at an instant.
    ///
    /// # Panics
    /// If the instant has passed.
    #[inline]
    pub fn at(&mut self, at: Time, event: E) -> Handle {
        assert!(at >= self.now(), "the past cannot be scheduled");
        let name = self.name(WHEEL);
        self.wheel.push(key(at, name), event);
        Handle { at: at.0, name }
    }

    /// The lane of a delay; made if there is none.
    #[inline]
    pub fn lane(&mut self, delay: Span) -> Lane {
        let recent = usize::from((delay.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8);
        if self.recent[recent].0 != delay {
            self.recent[recent] = (delay, self.find_lane(delay));
        }
        self.recent[recent].1
    }

    #[inline(never)]
    fn find_lane(&mut self, delay: Span) -> Lane {
        let place = self.lanes.binary_search_by_key(&delay, |lane| lane.0).unwrap_or_else(|place| {
            let lane = Lane(self.new_place(delay));
            self.lanes.insert(place, (delay, lane));
            place
        });
        self.lanes[place].1
    }

    /// Schedules an event after the lane's delay.
    #[inline(always)]
    pub fn after_lane(&mut self, lane: Lane, event: E) -> Handle {
        let (now, name) = (self.now(), self.name(lane.0));
        let place = &mut self.places[usize::from(lane.0)];
        let entry = Entry { at: (now + place.delay).0, name, event: Some(event) };
        if place.first.event.is_some() {
            place.behind.push_back(entry);
            return Handle { at: place.gone + place.behind.len() as u64 - 1, name };
        }
        place.first = entry;
        self.enlist(lane.0);
        Handle { at: u64::MAX, name }
    }

    /// A new alarm, not set.
    pub fn alarm(&mut self) -> Alarm {
        Alarm(self.new_place(Span::FOREVER))
    }

    /// Sets an alarm, or sets it anew: what was pending on it is forgotten. `None` only forgets.
    #[inline(always)]
    pub fn set(&mut self, alarm: Alarm, at: Option<Time>, event: E) {
        let Some(at) = at else {
            self.places[usize::from(alarm.0)].first.event = None;
            return;
        };
        let entry = Entry { at: at.max(self.now()).0, name: self.name(alarm.0), event: Some(event) };
        self.places[usize::from(alarm.0)].first = entry;
        self.enlist(alarm.0);
    }

    /// Cancels an event: nothing if it has fired or was cancelled before.
    #[inline(always)]
    pub fn cancel(&mut self, handle: Handle) {
        let place = handle.name as u16;
        if place != WHEEL {
            self.places[usize::from(place)].cancel(handle);
        } else if handle != Handle::NONE {
            let key = key(Time(handle.at), handle.name);
            if key > self.fired {
                self.wheel.cancel(key);
            }
        }
    }

    /// The next event that is due at `end` or before; time moves on to it, or to `end`. Nothing is due at
    /// [`Time::NEVER`].
    #[inline]
    pub fn next_until(&mut self, end: Time) -> Option<E> {
        let last = end.min(Time(u64::MAX - 1));
        loop {
            let side = if let [.., first] = &self.order[..] { first.key() } else { NEVER };
            let wheel = self.wheel.next();
            let (next, event) = if wheel < side && time_of(wheel) <= last {
                (wheel, self.wheel.take(side.min(key(end, u64::MAX))))
            } else if side < wheel && time_of(side) <= last {
                (side, self.take_at_side(side))
            } else {
                break;
            };
            if event.is_some() {
                self.fired = next;
                return event;
            }
        }
        self.rest_until(end);
        None
    }

    /// Takes the event out that a lane or an alarm has under this key, the first in the order; `None` if it
    /// has become later.
    #[inline]
    fn take_at_side(&mut self, side: Key) -> Option<E> {
        let place = &mut self.places[usize::from(side as u16)];
        let mut event = None;
        if place.first.name == side as u64 {
            event = place.first.event.take();
            place.leave();
        }
        if place.first.event.is_some() {
            place.known = place.first.key();
            sink(&mut self.order, place.known, ());
        } else if event.is_none() {
            place.known = NEVER;
            self.order.pop();
        }
        // Otherwise it stays where it stood: nearly always an alarm is set again at once.
        event
    }

    /// Nothing is due until then.
    fn rest_until(&mut self, end: Time) {
        if end < Time::NEVER && end >= self.now() {
            self.fired = key(end, self.scheduled << PLACE_BITS | u64::from(WHEEL));
        }
    }

    #[inline]
    fn name(&mut self, place: u16) -> u64 {
        self.scheduled += 1;
        (self.scheduled << PLACE_BITS) | u64::from(place)
    }

    /// Puts a place in the order, unless it stands there for an earlier instant to come.
    #[inline]
    fn enlist(&mut self, number: u16) {
        let place = &mut self.places[usize::from(number)];
        let (key, known) = (place.first.key(), place.known);
        if known == self.fired {
            // It has fired just now, and still stands where it did: last.
            place.known = key;
            sink(&mut self.order, key, ());
        } else if key < known {
            place.known = key;
            self.put_in_order(key, known);
        }
    }

    /// Puts a place in the order under this key, and takes it out from where it was known to stand.
    #[inline(never)]
    fn put_in_order(&mut self, key: Key, known: Key) {
        if known != NEVER {
            let stands = self.order.iter().rposition(|entry| entry.key() == known);
            self.order.remove(stands.expect("it stands there"));
        }
        put_in_order(&mut self.order, key, ());
    }

    fn new_place(&mut self, delay: Span) -> u16 {
        let number = u16::try_from(self.places.len()).ok().filter(|&number| number < WHEEL);
        self.places.push(Place::new(delay));
        number.expect("fewer than 65,535 lanes and alarms")
    }
}

impl<E> Place<E> {
    fn new(delay: Span) -> Self {
        let first = Entry { at: 0, name: 0, event: None };
        Place { first, known: NEVER, delay, behind: VecDeque::new(), gone: 0 }
    }

    /// The first event has left: the next that is not cancelled moves up.
    fn leave(&mut self) {
        while let Some(entry) = self.behind.pop_front() {
            self.gone += 1;
            if entry.event.is_some() {
                self.first = entry;
                return;
            }
        }
    }

    #[inline(always)]
    fn cancel(&mut self, handle: Handle) {
        if self.first.name == handle.name {
            self.first.event = None;
            self.leave();
        } else if let Some(place) = handle.at.checked_sub(self.gone)
            && let Some(entry) = self.behind.get_mut(place as usize)
        {
            entry.event = None;
        }
    }
}

#[cfg(test)]
#[path = "agenda_tests.rs"]
mod tests;
