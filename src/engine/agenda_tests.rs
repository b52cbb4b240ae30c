//! What the agenda promises: the order of all that fires, wherever it lies, whatever is cancelled.

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
    let far: Vec<Handle> = (0..900).map(|n| agenda.after(Span::from_secs(900) * 2 + Span(n), 0)).collect();
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
    assert!(agenda.places.iter().all(|place| place.behind.is_empty()));
    assert_eq!(agenda.next_until(Time::NEVER), None);
}

/// A crowd at one instant overflows the front and its chunks; what it schedules at once comes after it.
#[test]
fn crowds_at_one_instant_fire_in_the_order_of_scheduling() {
    let mut agenda = Agenda::default();
    let mut expected = Vec::new();
    for instant in [0, 5, 70_000] {
        for number in 0..3_000 {
            agenda.at(Time(instant), (instant, number));
            expected.push((instant, number));
        }
    }
    let mut fired = Vec::new();
    while let Some((instant, number)) = agenda.next_until(Time(1_000_000)) {
        fired.push((instant, number));
        if instant == 5 && number < 3_000 {
            agenda.after(Span::ZERO, (5, 3_000 + number));
        }
    }
    let late = (3_000..6_000).map(|number| (5, number));
    expected.splice(6_000..6_000, late);
    assert!(fired == expected, "out of order: {:?}", fired.iter().zip(&expected).find(|(a, b)| a != b));
}

#[test]
fn thousands_far_and_near_fire_in_order() {
    let mut agenda = Agenda::default();
    let mut pending = std::collections::BTreeSet::new();
    let (mut luck, mut fired) = (1u64, 0);
    for name in 0..60_000u64 {
        luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // From nanoseconds to a day, as many of each magnitude.
        let delay = Span((luck >> 32) % (2 << (luck % 46)));
        let handle = agenda.after(delay, name);
        pending.insert((agenda.now() + delay, name));
        match luck >> 61 {
            0 => {
                agenda.cancel(handle);
                pending.remove(&(agenda.now() + delay, name));
            }
            1..4 => {
                let next = pending.pop_first();
                assert_eq!(agenda.next_until(Time::NEVER), next.map(|next| next.1));
                fired += u64::from(next.is_some_and(|next| agenda.now() == next.0));
            }
            _ => {}
        }
    }
    assert!(fired > 20_000, "{fired}");
    while let Some((_, name)) = pending.pop_first() {
        assert_eq!(agenda.next_until(Time::NEVER), Some(name));
    }
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
        (0u8..=250, delay.clone()).prop_map(|(count, delay)| Act::Burst(count, delay)),
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
