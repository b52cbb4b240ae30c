//! Recovered, metastable, too soon to tell: on made-up bins.

use super::*;
use crate::measure::{ClassBin, ClassMeasured, LevelBin, LevelSeries, Mark, Quantiles, ServiceBin, Stretch};
use crate::scenario::grammar::{Label, Outcome};

/// The bin in which the disk becomes slow, and that in which it is well again.
const SICK: std::ops::Range<usize> = 20..30;

/// Ten minutes of service `api`: of a hundred requests in a bin so many fail, and p99 is so high in ms.
fn measured(bin: impl Fn(usize) -> (u32, u64)) -> Measured {
    let class = |place| {
        let (failed, _) = bin(place);
        let mut ended = [0; crate::measure::OUTCOMES];
        (ended[Outcome::Ok as usize], ended[Outcome::PoolTimeout as usize]) = (100 - failed, failed);
        ClassBin { arrived: 100, ended, ..ClassBin::default() }
    };
    let service = |place| {
        let p99_us = bin(place).1 * 1000;
        let latency = Quantiles { p50_us: 500, p95_us: 800, p99_us, max_us: p99_us };
        ServiceBin { latency: Some(latency), users_p99_us: Some(latency.p99_us) }
    };
    let mark = |place, begins| Mark { at: bin_start(place), event: "slow-disk".into(), begins };
    Measured {
        duration: BIN * 60,
        classes: vec![of_label(Label::Legitimate, (0..60).map(class).collect())],
        services: vec![ServiceMeasured {
            service: "api".into(),
            nodes: vec![],
            bins: (0..60).map(service).collect(),
        }],
        nodes: vec![],
        levels: vec![],
        closeups: vec![],
        dashboard: vec![],
        storms: vec![],
        spikes: vec![],
        recoveries: vec![],
        marks: vec![mark(SICK.start, true), mark(SICK.end, false)],
        stretches: vec![],
    }
}

fn of_label(label: Label, bins: Vec<ClassBin>) -> ClassMeasured {
    ClassMeasured {
        class: "sign-in".into(),
        label,
        service: "api".into(),
        arrived: 0,
        ended: Default::default(),
        in_flight: 0,
        users: Default::default(),
        latency_us: vec![None; crate::measure::OUTCOMES],
        bins,
        served: vec![],
    }
}

/// Failures until a bin, and in these bins besides.
fn failing(until: usize, besides: &'static [usize]) -> Measured {
    measured(move |bin| {
        let ill = (SICK.start..until).contains(&bin) || besides.contains(&bin);
        (if ill { 2 } else { 1 }, 5)
    })
}

/// Seconds from the end of the event, in a window until a bin.
fn recovery(measured: &Measured, until: usize) -> f64 {
    value(measured, "api", &Window { from: bin_start(SICK.end), to: bin_start(until), except: vec![] })
}

#[test]
fn recovery_is_the_first_good_bin_of_a_good_rest() {
    assert_eq!(recovery(&failing(34, &[]), 60), 40.0);
    assert_eq!(recovery(&failing(30, &[]), 60), 0.0, "it never minded, or was back at once");
    assert_eq!(recovery(&failing(34, &[40]), 60), 40.0, "25 of 26 are good");
    assert_eq!(recovery(&failing(34, &[40, 41]), 60), 120.0, "24 of 26 are not enough");
    assert!(recovery(&failing(60, &[]), 60).is_nan(), "metastable");
}

#[test]
fn a_minute_of_it_must_be_seen() {
    assert!(recovery(&failing(34, &[]), 39).is_nan());
    assert_eq!(recovery(&failing(34, &[]), 40), 40.0);
}

#[test]
fn latency_counts_against_the_time_before_the_first_event() {
    let slow = |ms| measured(move |bin| (0, if bin >= SICK.start { ms } else { 5 }));
    assert_eq!(recovery(&slow(10), 60), 0.0, "twice as slow is good enough");
    assert!(recovery(&slow(11), 60).is_nan());
    let mut early = slow(5);
    early.marks[0].at = bin_start(1);
    assert_eq!(recovery(&early, 60), 0.0);
    early.marks[0].at = Time(BIN.0 - 1);
    assert!(recovery(&early, 60).is_nan(), "there is nothing to compare with");
    let whole = Window { from: bin_start(SICK.end), ..Window::whole() };
    assert_eq!(outlook(&early, "api", &whole), Outlook::NoBaseline);
    assert!(value(&slow(5), "web", &Window::whole()).is_nan(), "there is no such service");
}

/// Trouble that no event tells of, such as a migration or a rush of users.
#[test]
fn where_there_is_no_event_the_time_before_tells() {
    let unmarked = |ill: std::ops::Range<usize>| {
        let mut run = measured(move |bin| (0, if ill.contains(&bin) { 900 } else { 5 }));
        run.marks.clear();
        run
    };
    let after =
        |run: &Measured, bin: usize| outlook(run, "api", &Window { from: bin_start(bin), ..Window::whole() });
    let back = |bins: u64| Outlook::Back(BIN * bins);
    assert_eq!(after(&unmarked(20..34), 20), back(14));
    assert_eq!(after(&unmarked(20..34), 34), back(0), "most of what lies before is trouble");
    assert_eq!(after(&unmarked(8..54), 54), back(0), "and so is most of the run");
    let stuck = Outlook::NotBack { looked: BIN * 30, perhaps: None };
    assert_eq!(after(&unmarked(7..60), 30), stuck, "of four fifths of trouble as well");
    assert_eq!(after(&unmarked(20..34), 0), Outlook::NoBaseline, "nothing lies before");
    let mut later = unmarked(20..34);
    later.marks = failing(34, &[]).marks;
    assert_eq!(after(&later, 0), back(34), "there is the time before the first event");
}

#[test]
fn silence_is_good_only_where_nobody_asks() {
    let silent = |arrived| {
        let mut measured = failing(30, &[]);
        for bin in &mut measured.classes[0].bins[30..] {
            *bin = ClassBin { arrived, ..ClassBin::default() };
        }
        recovery(&measured, 60)
    };
    assert_eq!(silent(0), 0.0);
    assert!(silent(3).is_nan());
}

/// What follows an event is that event's until the next begins.
#[test]
fn an_event_is_not_charged_with_the_next_one() {
    let mut run = failing(34, &[]);
    let mark = |event: &str, at| Mark { at: bin_start(at), event: event.into(), begins: true };
    run.marks.insert(0, mark("deploy", 10));
    let of = |run: &Measured, at| {
        let episode = Episode { name: "event.deploy".into(), from: bin_start(at), to: bin_start(at) };
        recoveries(run, &[episode]).remove(0).after
    };
    assert_eq!(of(&run, 10), Some(Span::ZERO), "the disk comes ten bins later");
    assert_eq!(next_event(&run, bin_start(10)).map(|next| &next.event[..]), Some("slow-disk"));
    assert_eq!(of(&run, 16), None, "there is no minute left to tell");
    run.marks.retain(|mark| mark.event == "deploy");
    assert_eq!(of(&run, 10), Some(BIN * 24), "without an event of its own the trouble is the deploy's");
}

/// What takes longer than a bin is not answered in the first ones, and that is no outage.
#[test]
fn a_class_that_takes_long_does_not_hang() {
    let of = |seconds: u64| {
        let mut run = failing(30, &[]);
        let mut latency = crate::measure::latency::histogram();
        latency.record(seconds * 1_000_000).unwrap();
        let silent = vec![ClassBin { arrived: 100, ..ClassBin::default() }; 60];
        let mut exports = of_label(Label::Legitimate, silent);
        exports.latency_us[Outcome::Ok as usize] = Some(latency);
        run.classes.push(exports);
        answered_share(&run, "api", 40)
    };
    assert_eq!([of(1), of(60)], [99.0 / 200.0, 0.99]);
}

/// One class lives, another hangs: its requests do not end, or only some do, by the end of the run.
#[test]
fn a_class_that_hangs_is_not_hidden_by_one_that_lives() {
    let hangs = |bin: ClassBin| {
        let mut measured = failing(30, &[]);
        let sound = measured.classes[0].bins[0].clone();
        let bins = (0..60).map(|place| if place < 30 { sound.clone() } else { bin.clone() });
        measured.classes.push(of_label(Label::Legitimate, bins.collect()));
        recovery(&measured, 60)
    };
    let sound = failing(30, &[]).classes[0].bins[0].clone();
    assert_eq!(hangs(sound.clone()), 0.0);
    assert!(hangs(ClassBin { arrived: 100, ..ClassBin::default() }).is_nan(), "nothing of it ends");
    assert_eq!(hangs(ClassBin { arrived: 1, ..ClassBin::default() }), 0.0, "one of a hundred is nothing");
    assert_eq!(hangs(ClassBin { unanswered: 1, ..sound.clone() }), 0.0);
    assert!(hangs(ClassBin { unanswered: 9, ..sound }).is_nan(), "some of it never end");
}

/// Who always refuses some is back when it refuses no more than that.
#[test]
fn what_was_usual_is_good_enough() {
    let refusing = |usual: u32, after: u32| {
        let run = measured(move |bin| (if bin < SICK.start { usual } else { after }, 5));
        outlook(&run, "api", &Window { from: bin_start(SICK.end), ..Window::whole() })
    };
    let stuck = Outlook::NotBack { looked: BIN * 30, perhaps: None };
    assert_eq!([refusing(5, 5), refusing(5, 6)], [Outlook::Back(Span::ZERO), stuck]);
    assert_eq!(refusing(100, 100), Outlook::NoBaseline, "nothing was ever answered well");
}

#[test]
fn the_abusive_may_fail() {
    let mut measured = failing(30, &[]);
    let bad = failing(60, &[]).classes.remove(0).bins;
    measured.classes.push(of_label(Label::Abusive, bad));
    assert_eq!(recovery(&measured, 60), 0.0);
}

#[test]
fn gaps_do_not_count() {
    let window =
        Window { from: bin_start(30), to: bin_start(60), except: vec![(bin_start(40), bin_start(42))] };
    assert_eq!(value(&failing(34, &[40, 41]), "api", &window), 40.0);
}

#[test]
fn the_aftermath_names_the_last_trouble() {
    let slow_disk = Trouble::Event("slow-disk".into());
    let told = |measured: &Measured| aftermath(measured).pop().map(|told| (told.after, told.fate));
    let back = Fate::Back(Span::from_secs(40));
    assert_eq!(told(&failing(34, &[])), Some((slow_disk.clone(), back)));
    let slow = |until| measured(move |bin| (0, if (SICK.start..until).contains(&bin) { 900 } else { 5 }));
    assert_eq!(told(&slow(25)), None, "five slow bins are nothing to speak of");
    assert!(told(&slow(26)).is_some());
    assert_eq!(told(&failing(22, &[])), None, "nor are two in which some fail");
    let short = Fate::Back(Span::ZERO);
    assert_eq!(told(&failing(23, &[])), Some((slow_disk.clone(), short)), "half a minute is");
    let mut node = failing(34, &[]);
    let down =
        |to| Stretch { kind: StretchKind::Node, of: "primary".into(), from: bin_start(25), to: Some(to) };
    node.stretches = vec![down(bin_start(32))];
    let back = Fate::Back(Span::from_secs(20));
    assert_eq!(told(&node), Some((Trouble::Node("primary".into()), back)));
    node.stretches = vec![down(bin_start(29))];
    assert_eq!(told(&node).map(|told| told.0), Some(slow_disk.clone()), "the later of the two");
    // Bad now and then, until the end: 27 of 30 are good.
    let spikes = failing(30, &[35, 45, 58]);
    assert_eq!(told(&spikes), Some((slow_disk.clone(), Fate::Unsettled(0.9))));
    let mut short = failing(60, &[]);
    short.marks[1].at = bin_start(56);
    assert_eq!(told(&short), Some((slow_disk, Fate::TooSoon)));
    short.marks.truncate(1);
    assert_eq!(told(&short), None, "the event never ended");
}

/// A cure that is taken back when all is well was not the trouble; one that is taken back too soon is.
#[test]
fn a_cure_that_is_no_longer_needed_is_no_trouble() {
    let told = |measured: &Measured| aftermath(measured).pop().map(|told| (told.after, told.fate));
    let cure = |until| {
        [(25, true), (until, false)].map(|(at, begins)| Mark {
            at: bin_start(at),
            event: "cure".into(),
            begins,
        })
    };
    let mut run = failing(34, &[]);
    run.marks.extend(cure(45));
    let slow_disk = Trouble::Event("slow-disk".into());
    assert_eq!(told(&run), Some((slow_disk, Fate::Back(Span::from_secs(40)))));
    let cured = || Trouble::Event("cure".into());
    let mut run = failing(34, &[45, 46, 47]);
    run.marks.extend(cure(45));
    assert_eq!(told(&run), Some((cured(), Fate::Back(Span::from_secs(30)))), "it fails without");
    let mut run = failing(50, &[]);
    run.marks.extend(cure(45));
    assert_eq!(told(&run), Some((cured(), Fate::Back(Span::from_secs(50)))), "it never helped");
}

/// What goes on for good, from before or from after an episode, is not of its making.
#[test]
fn trouble_that_does_not_end_is_not_blamed_on_what_ended() {
    let told = |measured: &Measured| aftermath(measured).pop().map(|told| (told.after, told.fate));
    let mark = |event: &str, at, begins| Mark { at: bin_start(at), event: event.into(), begins };
    let mut growth = measured(|bin| (if bin >= 15 { 9 } else { 0 }, 5));
    assert_eq!(told(&growth), None, "it failed before the disk was slow, and goes on");
    growth.marks.push(mark("note", 40, true));
    growth.marks.push(mark("note", 45, false));
    assert_eq!(told(&growth), None);
    let mut frozen = measured(|bin| (if SICK.contains(&bin) || bin >= 45 { 9 } else { 0 }, 5));
    frozen.marks.push(mark("frozen", 45, true));
    let back = Some((Trouble::Event("slow-disk".into()), Fate::Back(Span::ZERO)));
    assert_eq!(told(&frozen), back, "until something else began");
    let mut quiet = failing(34, &[]);
    quiet.marks.push(mark("note", 40, true));
    quiet.marks.push(mark("note", 45, false));
    let back = Some((Trouble::Event("slow-disk".into()), Fate::Back(Span::from_secs(40))));
    assert_eq!(told(&quiet), back, "nobody minded what came later");
    let down = Stretch { kind: StretchKind::Node, of: "primary".into(), from: bin_start(25), to: None };
    quiet.stretches.push(down);
    assert_eq!(told(&quiet), None, "the node is still down");
}

#[test]
fn the_metastable_wait_for_something() {
    let mut stuck = failing(60, &[]);
    let mut level = |level, of: &str, last: f64| {
        let bin = |mean| LevelBin { min: 0.0, mean, max: 9999.0 };
        stuck.levels.push(LevelSeries { level, of: of.into(), bins: vec![bin(7.0), bin(last)] });
    };
    level("pending", "service.api", 812.0);
    level("pending", "service.web", 5000.0);
    level("waiting", "service.api.pool.primary", 30.0);
    level("waiting", "service.api.pool.replica", 10.0);
    level("lock_waiters", "postgres.primary", 300.0);
    level("lock_waiters", "postgres.other", 4.0);
    level("disk_waiters", "postgres.replica", 12.0);
    let waiting = Waiting { pending: 812.0, connections: 40.0, locks: 300.0, disks: 12.0 };
    let told = aftermath(&stuck).pop().expect("it is not back");
    assert_eq!((told.service.as_str(), told.fate), ("api", Fate::Metastable(waiting)));
}

/// Who is not back by the end took longer than a bound that the run outlasted; otherwise nobody knows.
#[test]
fn what_never_came_back_is_beyond_every_bound_that_was_looked_for() {
    let window = |until| Window { from: bin_start(20), to: bin_start(until), except: vec![] };
    let seen = |run: &Measured, until| outlook(run, "api", &window(until));
    let stuck = seen(&failing(60, &[]), 60);
    assert_eq!(stuck, Outlook::NotBack { looked: BIN * 30, perhaps: None }, "from the event's end on");
    assert_eq!([29, 30].map(|bins| stuck.is_beyond(BIN * bins)), [true, false]);
    let nearly = seen(&failing(34, &[]), 38);
    assert_eq!(nearly, Outlook::NotBack { looked: BIN * 8, perhaps: Some(BIN * 14) });
    assert!(nearly.is_beyond(BIN * 7) && !nearly.is_beyond(BIN * 8));
    let perhaps = Outlook::NotBack { looked: BIN * 8, perhaps: Some(BIN * 3) };
    assert!(perhaps.is_beyond(BIN * 2) && !perhaps.is_beyond(BIN * 3), "it may have been back by then");
    assert!(!Outlook::NoBaseline.is_beyond(BIN) && !Outlook::Back(BIN * 2).is_beyond(BIN));
}
