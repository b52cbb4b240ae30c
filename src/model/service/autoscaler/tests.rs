//! Trajectories of each autoscaler, worked out by hand.

use super::*;
use crate::scenario::grammar::Containers;

/// A service of 80 requests and one CPU a container.
fn service(scaler: &str, min: u32, max: u32) -> Service {
    let text = format!("{{\"containers\":{{\"min\":{min},\"max\":{max}}},\"scaler\":\"{scaler}\"}}");
    serde_json::from_str(&text).expect("a service")
}

fn requests(requests: f64) -> Load {
    Load { requests, busy: 0.0 }
}

fn busy(busy: f64) -> Load {
    Load { requests: 0.0, busy }
}

/// What an autoscaler wants tick by tick, if its wishes come true at once.
fn wanted(settings: &Service, before: Load, loads: impl IntoIterator<Item = Load>) -> Vec<u32> {
    let mut scaler = Autoscaler::of(settings, before).expect("a service that scales");
    let mut ready = containers_for(settings, before);
    let step = |load| {
        ready = scaler.wants(&Sample { load, ready, starting: 0 }, settings);
        ready
    };
    loads.into_iter().map(step).collect()
}

/// The mean load of each tick while requests come in and none goes out, from zero on.
fn ramp(per_s: f64, tick: f64) -> impl Iterator<Item = Load> {
    (0..).map(move |n| requests(per_s * tick * (f64::from(n) + 0.5)))
}

#[test]
fn a_fixed_service_has_no_autoscaler() {
    assert!(Autoscaler::of(&service("fixed", 3, 3), Load::default()).is_none());
    assert_eq!(containers_for(&service("fixed", 3, 3), requests(1e6)), 3);
}

/// One container is meant to carry 0.6 × 80 = 48 requests. 480 at once for a minute after 48: each tick of
/// 5 s lifts the mean of twelve by 432/12 = 36, so it is 84, 120, … 480; over 48 that is 1.75, 2.5, … 10.
#[test]
fn cloud_run_follows_the_mean_of_a_minute() {
    let wants = wanted(&service("cloud-run-2025", 1, 100), requests(48.0), vec![requests(480.0); 13]);
    assert_eq!(wants, [2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 10]);
}

/// One vCPU at 60 %: 6 busy CPUs are worth ten containers, however few requests there are.
#[test]
fn cloud_run_follows_the_greater_of_requests_and_cpu() {
    let settings = service("cloud-run-2025", 1, 100);
    let load = Load { requests: 100.0, busy: 6.0 };
    assert_eq!(wanted(&settings, load, [load]), [10]);
    let load = Load { requests: 961.0, busy: 6.0 };
    assert_eq!(wanted(&settings, load, [load]), [21], "961 / 48 = 20.02");
}

/// After 480 requests at once, silence. The minute forgets within twelve ticks. Of ten minutes, 120 ticks,
/// each forgets 4 requests: after 12 the mean is 432, worth 9 containers; after 60 it is 240, worth 5.
#[test]
fn the_long_window_of_2026_slows_scale_in() {
    let silence = || vec![Load::default(); 120];
    let fast = wanted(&service("cloud-run-2025", 1, 100), requests(480.0), silence());
    let slow = wanted(&service("cloud-run-2026", 1, 100), requests(480.0), silence());
    assert_eq!((fast[5], fast[11], fast[12]), (5, 1, 1));
    assert_eq!((slow[11], slow[59], slow[119]), (9, 5, 1));
    let up = |scaler| wanted(&service(scaler, 1, 100), requests(48.0), vec![requests(480.0); 13]);
    assert_eq!(up("cloud-run-2025"), up("cloud-run-2026"), "it only slows scale-in");
}

/// Targets and bounds are the scenario's: at 50 % of 80, 400 requests are worth 10 containers.
#[test]
fn targets_and_bounds_are_the_scenarios() {
    let mut settings = service("cloud-run-2025", 1, 100);
    settings.concurrency_target = Some(crate::scenario::units::Share(0.5));
    assert_eq!(wanted(&settings, requests(400.0), [requests(400.0)]), [10]);
    settings.containers.max = 7;
    assert_eq!(wanted(&settings, requests(400.0), [requests(400.0)]), [7]);
    settings.containers = Containers { min: 12, max: 20 };
    assert_eq!(wanted(&settings, requests(400.0), [requests(400.0)]), [12]);
}

/// The target is 0.7 × 80 = 56. From 56 to 84 requests the six seconds reach 84 in three ticks: 1.5
/// containers, 2 with the ceiling, is twice the one that is ready, so it panics at the first tick (65.33 / 56
/// is more than one). In calm it would want two as well from the first tick: the mean of thirty is 56.93.
#[test]
fn kpa_counts_with_the_ceiling() {
    assert_eq!(wanted(&service("kpa", 1, 100), requests(56.0), vec![requests(84.0); 3]), [2, 2, 2]);
}

/// From 560 requests (10 containers) to 2800. The mean of three ticks is 1306.67, 2053.33, 2800: 24, 37 and
/// 50 containers; 24 of 10 is more than twice, so it panics at once. At the second tick 24 are ready, 37 is
/// less than twice, and yet it stays in panic. The mean of thirty gets there after a minute only.
#[test]
fn kpa_panics_at_twice_what_is_ready() {
    let wants = wanted(&service("kpa", 1, 100), requests(560.0), vec![requests(2800.0); 4]);
    assert_eq!(wants, [24, 37, 50, 50]);
}

/// From 560 to 1000 requests: the six seconds want 13, 16, 18 of 10 ready, less than twice. No panic: the
/// mean of thirty rises by 440/30 a tick, 574.67, 589.33, 604: 11, 11, 11, 12 (618.67 / 56 = 11.05).
#[test]
fn kpa_is_calm_below_twice() {
    let wants = wanted(&service("kpa", 1, 100), requests(560.0), vec![requests(1000.0); 4]);
    assert_eq!(wants, [11, 11, 11, 12]);
}

/// In panic it never scales in. The only tick over the threshold is the first one here: (560 + 560 + 8400) /
/// 3 = 3173.33 is worth 57, of 10. Silence then leaves 57 wanted for a stable window of thirty ticks. At the
/// next it leaves panic: the windows want nothing, and no more than half may go at once: 28, 14, 7, 3, 1.
#[test]
fn kpa_leaves_panic_a_stable_window_later_and_halves() {
    let loads = std::iter::once(requests(8400.0)).chain(vec![Load::default(); 40]);
    let settings = service("kpa", 1, 60);
    let wants = wanted(&settings, requests(560.0), loads);
    assert_eq!(wants[..2], [57, 57]);
    assert_eq!(wants[30..], [57, 28, 14, 7, 3, 1, 1, 1, 1, 1, 1]);
}

/// The limit on the way up: a thousand times what is ready, if the cap allows.
#[test]
fn kpa_grows_at_most_a_thousandfold() {
    let wants = wanted(&service("kpa", 1, 100_000), Load::default(), vec![requests(1e6); 2]);
    // (1e6 / 3) / 56 = 5952.4 of one ready container; then (2e6 / 3) / 56 = 11904.8.
    assert_eq!(wants, [1000, 11_905]);
}

/// 0.8 CPU a container. 10 containers at 8 busy CPUs are on target. 8.7 (1.0875) is within the tolerance; 9
/// (1.125) is not: 11.25, that is 12.
#[test]
fn hpa_tolerates_a_tenth() {
    let settings = service("hpa", 1, 100);
    assert_eq!(wanted(&settings, busy(8.0), [busy(8.0), busy(8.7), busy(9.0)]), [10, 10, 12]);
}

/// As many again, or four more, each tick: from 1 to 40 busy CPUs (50 containers) by 5, 10, 20, 40, 50.
#[test]
fn hpa_grows_by_four_or_doubles() {
    let wants = wanted(&service("hpa", 1, 100), busy(0.8), vec![busy(40.0); 6]);
    assert_eq!(wants, [5, 10, 20, 40, 50, 50]);
}

/// What was recommended within five minutes, twenty ticks, keeps it from scaling in.
#[test]
fn hpa_scales_in_after_five_minutes() {
    let wants = wanted(&service("hpa", 1, 100), busy(8.0), vec![busy(2.0); 21]);
    assert_eq!(wants[..19], [10; 19]);
    assert_eq!(wants[19..], [3, 3], "2 / 0.8 = 2.5");
}

/// Containers that are starting count as idle on the way up: 5 ready and 5 starting at 5 busy CPUs are under
/// their target of 8, though 5 alone are over theirs of 4. So nothing changes.
#[test]
fn hpa_waits_for_those_that_are_starting() {
    let settings = service("hpa", 1, 100);
    let mut scaler = Autoscaler::of(&settings, busy(8.0)).expect("it scales");
    assert_eq!(scaler.wants(&Sample { load: busy(5.0), ready: 5, starting: 5 }, &settings), 10);
    assert_eq!(scaler.wants(&Sample { load: busy(12.0), ready: 5, starting: 5 }, &settings), 15);
}

/// Requests are nothing to it.
#[test]
fn hpa_does_not_see_requests() {
    let load = Load { requests: 1e6, busy: 8.0 };
    assert_eq!(wanted(&service("hpa", 1, 100), busy(8.0), vec![load; 5]), [10; 5]);
}

/// Requests pile up at r = 1000/s. The mean of the last six seconds is r·(t − 3); it is worth all of 100
/// containers when it exceeds 0.7 × 8000, at t = 3 + 5.6 = 8.6 s (cloud-run.md §7.3): at the next tick, 10 s.
#[test]
fn kpa_asks_for_the_cap_when_the_closed_form_says() {
    let wants = wanted(&service("kpa", 1, 100), Load::default(), ramp(1000.0, 2.0).take(20));
    assert_eq!(2 * (1 + wants.iter().position(|n| *n == 100).expect("it asks for the cap")), 10);
}

/// The mean of the last minute is r·t²/120; it exceeds 0.6 × 8000 at t = √(120 × 4.8) = 24 s: at the next
/// tick, 25 s.
#[test]
fn cloud_run_asks_for_the_cap_when_the_closed_form_says() {
    for scaler in ["cloud-run-2025", "cloud-run-2026"] {
        let wants = wanted(&service(scaler, 1, 100), Load::default(), ramp(1000.0, 5.0).take(20));
        assert_eq!(5 * (1 + wants.iter().position(|n| *n == 100).expect("it asks for the cap")), 25);
    }
}
