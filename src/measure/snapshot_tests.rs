//! Snapshots whose verdict is known, and the odds behind the rule.

use super::*;
use crate::engine::chance::Stream;

const QUARTER: Span = Span::from_secs(900);
const NOW: Time = Time(1_790_000_000_000_000_000);

/// A look at connections of these ages in seconds.
fn look(ages: impl IntoIterator<Item = f64>, lifetime: u64) -> Snapshot {
    Snapshot::new(&aged(ages), NOW, Some(Span::from_secs(lifetime)))
}

fn aged(ages: impl IntoIterator<Item = f64>) -> Vec<Connection> {
    let born = |age| Time(NOW.0 - Span::from_secs_f64(age).0);
    ages.into_iter().map(|age| Connection { born: born(age), application: None, client: None }).collect()
}

fn even(n: usize, lifetime: f64, seed: u64) -> Vec<f64> {
    let mut draws = Stream::root(seed).draws();
    (0..n).map(|_| draws.unit() * lifetime).collect()
}

#[test]
fn one_second_is_a_storm_and_one_minute_is_not() {
    let second = look((0..400).map(|n| 300.0 + f64::from(n) / 400.0), 900);
    assert_eq!(second.verdict, Bunching::Bunched);
    assert_eq!((second.storms.len(), second.storms[0].births, second.most_in_1s), (1, 400, 400));
    assert_eq!(second.due(second.storms[0].from), Time(NOW.0 + 599_002_500_000));
    let minute = look((0..400).map(|n| 300.0 + f64::from(n) * 0.15), 900);
    assert_eq!(minute.verdict, Bunching::NotBunched);
    assert!(minute.cycle.phase_lock_r1 > 0.99 && minute.cycle.rayleigh_p < 1e-9);
    assert!(minute.nine_tenths < Span::from_secs(55) && minute.nine_tenths > Span::from_secs(53));
    assert_eq!(minute.most_in_1s, 7);
}

#[test]
fn opposite_groups_are_two_storms() {
    let seen = look((0..100).map(|n| f64::from(n % 2) * 450.0 + 100.0 + f64::from(n) * 0.005), 900);
    assert_eq!((seen.verdict, seen.storms.len()), (Bunching::Bunched, 2));
    assert!(seen.cycle.phase_lock_r1 < 0.01 && seen.cycle.phase_lock_r2 > 0.99);
    assert!(seen.cycle.rayleigh_p > 0.9 && seen.rayleigh_p2 < 1e-9);
    assert!(seen.storms.iter().all(|storm| storm.births == 50 && storm.most_in_1s == 50));
}

#[test]
fn a_storm_across_the_end_of_the_clock_is_one() {
    // A storm under way: half is reborn, half is about to be.
    let seen =
        look((0..50).map(|n| f64::from(n) * 0.01).chain((0..50).map(|n| 899.9 - f64::from(n) * 0.01)), 900);
    assert_eq!((seen.storms.len(), seen.storms[0].births), (1, 100));
    assert!(seen.storms[0].width < Span::from_secs(2) && seen.cycle.largest_cluster_1pct == 1.0);
}

#[test]
fn a_storm_wider_than_a_second_is_one() {
    let seen = look((0..100).map(|n| 5.0 + f64::from(n) * 0.02), 20);
    assert_eq!((seen.verdict, seen.storms.len(), seen.storms[0].births), (Bunching::Bunched, 1, 100));
    assert_eq!(seen.most_in_1s, 50);
}

/// The rule's promise: evenly spread births are called bunched less than once in a thousand, for any
/// lifetime and number.
#[test]
fn even_births_are_not_called_bunched() {
    for (n, lifetime) in [(20, 20), (100, 20), (400, 30), (20, 900), (100, 900), (400, 900), (4000, 900)] {
        let looks = 300;
        let wrong = (0..looks)
            .filter(|seed| look(even(n, lifetime as f64, *seed), lifetime).verdict == Bunching::Bunched)
            .count();
        assert!(wrong <= 2, "{wrong} of {looks} for {n} in {lifetime} s");
    }
}

/// The bound is a bound, and not a loose one: compared with how often chance fills a second.
#[test]
fn the_chance_of_a_full_second_is_bounded() {
    let (n, looks) = (100, 2000);
    let seen: Vec<usize> = (0..looks).map(|seed| look(even(n, 20.0, seed), 20).most_in_1s).collect();
    for k in [12, 13, 14] {
        let share = seen.iter().filter(|most| **most >= k).count() as f64 / looks as f64;
        let bound = chance(n, k, Span::from_secs(20));
        assert!(share <= bound * 1.2 && bound < share * 5.0 + 0.01, "{k}: {share} against {bound}");
    }
}

#[test]
fn few_connections_cannot_exclude_much() {
    let spread = |n: u32, lifetime: f64| (0..n).map(move |i| (f64::from(i) + 0.5) * lifetime / f64::from(n));
    assert_eq!(look(spread(20, 20.0), 20).verdict, Bunching::CannotTell);
    assert_eq!(look(spread(10, 900.0), 900).verdict, Bunching::CannotTell);
    assert_eq!(look(spread(100, 20.0), 20).verdict, Bunching::NotBunched);
    let twenty = look(spread(20, 900.0), 900);
    assert_eq!(twenty.verdict, Bunching::NotBunched);
    assert!((twenty.resolved_r() - 0.387).abs() < 0.001 && (twenty.possible_r() - 0.26).abs() < 0.001);
    assert_eq!(look((0..20).map(|n| 7.0 + f64::from(n) * 0.01), 20).verdict, Bunching::Bunched);
    let none = look([], 900);
    assert_eq!((none.verdict, none.most_in_1s, none.telling), (Bunching::CannotTell, 0, None));
    assert_eq!(look([3.0], 900).verdict, Bunching::CannotTell);
}

/// The bound on the true lock holds: births of a known lock rarely look looser than it allows.
#[test]
fn the_lock_that_remains_possible_covers_the_true_one() {
    // Births within a part of the clock: R = sin(πa)/(πa).
    for part in [0.5, 0.7, 0.9] {
        let turn = std::f64::consts::PI * part;
        let truth = libm::sin(turn) / turn;
        let looks = 500;
        let covered =
            (0..looks).filter(|seed| look(even(20, 900.0 * part, *seed), 900).possible_r() >= truth);
        let covered = covered.count() as f64 / looks as f64;
        assert!(covered >= 0.95, "{covered} at {truth}");
    }
}

#[test]
fn the_old_are_counted_and_groups_are_told_apart() {
    let seen = look([10.0, 980.0, 1000.0, 5000.0], 900);
    assert_eq!(seen.overdue, 2, "beyond 990 s");
    let mut connections = aged([1.0, 1.1, 50.0, 60.0]);
    for (connection, name) in connections.iter_mut().zip(["api", "api", "api", "jobs"]) {
        connection.application = Some(name.to_owned());
    }
    let seen = Snapshot::new(&connections, NOW, Some(QUARTER));
    let groups: Vec<_> =
        seen.groups.iter().map(|g| (g.application.as_str(), g.connections, g.most_in_1s)).collect();
    assert_eq!(groups, [("api", 3, 2), ("jobs", 1, 1)]);
}

#[test]
fn jitter_is_the_number_over_the_rate() {
    assert_eq!(jitter(5000, 50.0), Span::from_secs(100));
}

/// One application of two clients is two groups: who deploys them apart sees which of them is bunched.
#[test]
fn clients_of_one_application_are_told_apart() {
    let of = |client: &str, age| Connection {
        application: Some("api".into()),
        client: Some(client.into()),
        ..aged([age]).remove(0)
    };
    let connections = [of("10.0.0.2", 5.0), of("10.0.0.1", 5.1), of("10.0.0.1", 5.2), of("10.0.0.1", 300.0)];
    let seen = Snapshot::new(&connections, NOW, Some(QUARTER));
    let groups: Vec<_> =
        seen.groups.iter().map(|g| (g.client.as_str(), g.connections, g.most_in_1s)).collect();
    assert_eq!(groups, [("10.0.0.1", 3, 2), ("10.0.0.2", 1, 1)]);
}
