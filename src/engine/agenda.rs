//! The agenda: what is due next.
//!
//! Three places behind one small interface, because they are what makes a run fast: a [wheel](super::wheel)
//! for events at any time; *lanes* for delays that are always the same (a timeout, a network trip), which are
//! FIFO queues; and *alarms*, one pending event each, for what is re-armed all the time (the next completion
//! of a shared device, the next arrival of a source). Which lane or alarm comes first is a
//! [tournament](super::tournament). Events of the same instant fire in the order in which they were
//! scheduled, wherever they lie. A cancelled event is gone: it never fires and its memory is reclaimed.

use super::time::{Span, Time};
use super::tournament::Tournament;
use super::wheel::{Key, NEVER, Wheel};
use std::collections::VecDeque;

/// Names a scheduled event, to cancel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    /// When it is due; in a lane, its number in the lane.
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

/// The lowest bits of a key: where the event lies, a lane (even), an alarm (odd), or `WHEEL`. The number in
/// order of scheduling stands above them, with room for 280 trillion events.
const PLACE_BITS: u32 = 16;
const WHEEL: u16 = u16::MAX;

fn key(at: Time, name: u64) -> Key {
    (Key::from(at.0) << 64) | Key::from(name)
}

fn time_of(key: Key) -> Time {
    Time((key >> 64) as u64)
}

#[derive(Clone, Debug)]
struct Queue<E> {
    delay: Span,
    /// How many have left at the front.
    gone: u64,
    /// `None`: cancelled, and not yet at the front.
    events: VecDeque<(Key, Option<E>)>,
}

/// Events by due time.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    scheduled: u64,
    /// Events of this key or before have fired; its time is the present.
    fired: Key,
    wheel: Wheel<E>,
    lanes: Vec<Queue<E>>,
    /// What each alarm is set to, and what was last set on it.
    alarms: Vec<(Key, Option<E>)>,
    /// Not later than the first key of each place: what has become later is seen when its turn comes, since
    /// most timeouts are cancelled and most alarms are set anew long before.
    first: Tournament,
    /// The lanes asked for last, by a hash of their delay.
    recent: [(Span, Lane); 64],
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Agenda {
            scheduled: 0,
            fired: 0,
            wheel: Wheel::default(),
            lanes: Vec::new(),
            alarms: Vec::new(),
            first: Tournament::default(),
            recent: [(Span::FOREVER, Lane(WHEEL)); 64],
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
    pub fn at(&mut self, at: Time, event: E) -> Handle {
        assert!(at >= self.now(), "the past cannot be scheduled");
        let name = self.name(WHEEL);
        self.wheel.push(key(at, name), event);
        Handle { at: at.0, name }
    }

    /// The lane of a delay; made if there is none.
    #[inline]
    pub fn lane(&mut self, delay: Span) -> Lane {
        let recent = (delay.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize;
        let (known, lane) = self.recent[recent];
        if known == delay && lane != Lane(WHEEL) {
            return lane;
        }
        let lane = self.find_lane(delay);
        self.recent[recent] = (delay, lane);
        lane
    }

    fn find_lane(&mut self, delay: Span) -> Lane {
        let known = self.lanes.iter().position(|lane| lane.delay == delay);
        let number = known.unwrap_or_else(|| {
            self.lanes.push(Queue { delay, gone: 0, events: VecDeque::new() });
            self.lanes.len() - 1
        });
        let lane = Lane(2 * numbered(number));
        self.first.reserve(lane.0);
        lane
    }

    /// Schedules an event after the lane's delay.
    pub fn after_lane(&mut self, lane: Lane, event: E) -> Handle {
        let (now, name) = (self.now(), self.name(lane.0));
        let queue = &mut self.lanes[usize::from(lane.0 / 2)];
        let key = key(now + queue.delay, name);
        if key < self.first.get(lane.0) {
            self.first.set(lane.0, key);
        }
        queue.events.push_back((key, Some(event)));
        Handle { at: queue.gone + queue.events.len() as u64 - 1, name }
    }

    /// A new alarm, not set.
    pub fn alarm(&mut self) -> Alarm {
        let alarm = Alarm(2 * numbered(self.alarms.len()) + 1);
        self.alarms.push((NEVER, None));
        self.first.reserve(alarm.0);
        alarm
    }

    /// Sets an alarm, or sets it anew: what was pending on it is forgotten. `None` only forgets.
    pub fn set(&mut self, alarm: Alarm, at: Option<Time>, event: E) {
        let key = match at {
            Some(at) => key(at.max(self.now()), self.name(alarm.0)),
            None => NEVER,
        };
        self.alarms[usize::from(alarm.0 / 2)] = (key, Some(event));
        let known = self.first.get(alarm.0);
        if key < known || known == self.fired {
            self.first.set(alarm.0, key);
        }
    }

    /// Cancels an event: nothing if it has fired or was cancelled before.
    pub fn cancel(&mut self, handle: Handle) {
        let place = handle.name as u16;
        if place != WHEEL {
            self.cancel_in_lane(usize::from(place / 2), handle.at);
        } else if handle != Handle::NONE {
            let key = key(Time(handle.at), handle.name);
            if key > self.fired {
                self.wheel.cancel(key);
            }
        }
    }

    /// The next event that is due at `end` or before; time moves on to it, or to `end`.
    #[inline]
    pub fn next_until(&mut self, end: Time) -> Option<E> {
        let end_key = key(end, u64::MAX);
        loop {
            let side = self.first.least();
            let limit = side.min(end_key);
            if let Some((key, event)) = self.wheel.take(limit) {
                self.fired = key;
                return Some(event);
            }
            if limit < side || side == NEVER {
                self.rest_until(end);
                return None;
            }
            if let Some(event) = self.take_at_side(side) {
                self.fired = side;
                return Some(event);
            }
        }
    }

    /// Takes the event out that a lane or an alarm has under this key; `None` if it has become later.
    fn take_at_side(&mut self, side: Key) -> Option<E> {
        let place = side as u16;
        let index = usize::from(place / 2);
        if place % 2 == 1 {
            let alarm = &mut self.alarms[index];
            if alarm.0 == side {
                alarm.0 = NEVER;
                // Its place in the tournament stays: nearly always it is set again at once.
                return alarm.1;
            }
            self.first.set(place, alarm.0);
            return None;
        }
        let lane = &mut self.lanes[index];
        let event = match lane.events.front() {
            Some(&(key, event)) if key == side => {
                lane.leave();
                event
            }
            _ => None,
        };
        self.first.set(place, lane.events.front().map_or(NEVER, |first| first.0));
        event
    }

    /// Nothing is due until then.
    fn rest_until(&mut self, end: Time) {
        if end < Time::NEVER && end >= self.now() {
            self.fired = key(end, self.scheduled << PLACE_BITS | u64::from(WHEEL));
        }
    }

    fn name(&mut self, place: u16) -> u64 {
        self.scheduled += 1;
        (self.scheduled << PLACE_BITS) | u64::from(place)
    }

    fn cancel_in_lane(&mut self, lane: usize, number: u64) {
        let queue = &mut self.lanes[lane];
        let Some(place) = number.checked_sub(queue.gone) else { return };
        let Some((_, event)) = queue.events.get_mut(place as usize) else { return };
        *event = None;
        if place == 0 {
            queue.trim();
        }
    }
}

/// The number of a lane or an alarm.
fn numbered(number: usize) -> u16 {
    u16::try_from(number)
        .ok()
        .filter(|&number| number < WHEEL / 2)
        .expect("fewer than 32,767 lanes or alarms")
}

impl<E> Queue<E> {
    /// Drops the first event.
    fn leave(&mut self) {
        self.events.pop_front();
        self.gone += 1;
        self.trim();
    }

    /// Drops cancelled events at the front.
    fn trim(&mut self) {
        while let Some((_, None)) = self.events.front() {
            self.events.pop_front();
            self.gone += 1;
        }
    }
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
    fn what_was_cancelled_leaves_nothing_behind() {
        let mut agenda = Agenda::default();
        for n in 0..1_000 {
            agenda.at(Time(n), n);
        }
        let far: Vec<Handle> =
            (0..900).map(|n| agenda.after(Span::from_secs(900) * 2 + Span(n), 0)).collect();
        far.into_iter().for_each(|handle| agenda.cancel(handle));
        let fired = std::iter::from_fn(|| agenda.next_until(Time::NEVER)).count();
        assert_eq!(fired, 1_000);
        for n in 0..1_000 {
            agenda.at(Time(1_000 + n), n);
        }
        let fired: Vec<u64> = std::iter::from_fn(|| agenda.next_until(Time::NEVER)).collect();
        assert!(fired.iter().copied().eq(0..1_000), "{fired:?}");
    }

    #[test]
    fn memory_follows_what_is_pending_not_what_was_cancelled() {
        let mut agenda = Agenda::default();
        let lane = agenda.lane(Span::from_secs(30));
        for n in 0..100_000u32 {
            let far = agenda.after(Span::from_secs(900), n);
            let timeout = agenda.after_lane(lane, n);
            for _ in 0..2 {
                agenda.cancel(far);
                agenda.cancel(timeout);
            }
        }
        assert!(agenda.wheel.pending() < 200);
        assert!(agenda.lanes[0].events.is_empty());
        assert_eq!(agenda.next_until(Time::NEVER), None);
    }

    #[derive(Clone, Debug)]
    enum Act {
        After(u64),
        Burst(u8, u64),
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
            (0u8..90, delay.clone()).prop_map(|(count, delay)| Act::Burst(count, delay)),
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
            for (number, act) in acts.into_iter().enumerate() {
                let (name, now) = (1_000 * number, agenda.now().0);
                match act {
                    Act::After(delay) => {
                        handles.push((agenda.after(Span(delay), name), name));
                        list.push((now + delay, name, None));
                    }
                    Act::Burst(count, delay) => {
                        for number in 0..u64::from(count) {
                            let (at, name) = (now + delay * number % 5_000_000, name + number as usize);
                            handles.push((agenda.at(Time(at), name), name));
                            list.push((at, name, None));
                        }
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
                        agenda.cancel(handle);
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
