//! What stands over what: file, `--with`, variant, `--set`, events; and what fills the gaps.

use super::{load, with};
use herdsim::engine::time::{Span, Time};
use herdsim::scenario::grammar::{Arrivals, Event, Grant, IdlePick, Overlay, PerWaiter, Refill, Sweep};
use herdsim::scenario::units::{Limit, Rate, When};
use herdsim::scenario::{AS_WRITTEN, Document, Scenario};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn later_layers_stand_over_earlier_ones() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| -> PathBuf {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let scenario = path("s.toml", &with("[variant.v.set]\n\"postgres.primary.cores\" = 16\n"));
    let remedy = [path("r.toml", "why = \"more cores\"\n\"postgres.*.cores\" = 8\n")];
    let cores = |with: &[PathBuf], set: &[String], variant: &str| {
        let (document, _) =
            Document::load(&scenario, with, set).unwrap_or_else(|problems| panic!("{problems}"));
        document.scenario(variant).unwrap().file.postgres["primary"].cores
    };
    let set = ["postgres.primary.cores=x2".to_owned()];
    assert_eq!(cores(&[], &[], AS_WRITTEN), 4.0);
    assert_eq!(cores(&remedy, &[], AS_WRITTEN), 8.0);
    assert_eq!(cores(&remedy, &[], "v"), 16.0);
    assert_eq!(cores(&remedy, &set, AS_WRITTEN), 16.0);
    assert_eq!(cores(&remedy, &set, "v"), 32.0);
}

#[test]
fn set_takes_toml_or_a_bare_string() {
    let directory = tempfile::tempdir().unwrap();
    let scenario = directory.path().join("s.toml");
    std::fs::write(&scenario, with("")).unwrap();
    let set = [
        "service.*.pool.*.max_lifetime=10m".to_owned(),
        "service.api.pool.primary.sweep={ every = \"30s\" }".to_owned(),
        "traffic.users.rate = x1.5".to_owned(),
    ];
    let (document, _) = Document::load(&scenario, &[], &set).unwrap_or_else(|problems| panic!("{problems}"));
    let file = &document.scenario(AS_WRITTEN).unwrap().file;
    let pool = &file.service["api"].pool["primary"];
    assert_eq!(pool.max_lifetime, Limit(Some(Span::from_secs(600))));
    assert_eq!(pool.sweep, Sweep::Every(Span::from_secs(30)));
    assert_eq!(file.traffic["users"].rate, Arrivals::Constant(Rate(600.0)));
}

#[test]
fn a_preset_fills_the_gaps_and_a_variant_may_change_it() {
    let text = with("[variant.sql.set]\n\"service.api.pool.primary.preset\" = \"database-sql\"\n");
    let (document, _) = load(&text);
    let pool =
        |variant: &str| document.scenario(variant).unwrap().file.service["api"].pool["primary"].clone();
    assert_eq!(pool(AS_WRITTEN).idle_pick, IdlePick::LifoReversedBySweep);
    assert_eq!(pool(AS_WRITTEN).refill, Refill::ToMin);
    assert_eq!(pool(AS_WRITTEN).max_lifetime, Limit(Some(Span::from_secs(900))));
    assert_eq!(pool("sql").idle_pick, IdlePick::Lifo);
    assert_eq!(pool("sql").sweep, Sweep::NextDeadline);
    assert_eq!(pool("sql").ping_after, Limit(None));
    assert_eq!(pool("sql").expired_retries, Some(2));
}

/// A library's own jitter is a share of whatever lifetime stands, and a fixed size follows `max`; a pool that
/// is replaced whole may be as the library has it.
#[test]
fn what_a_library_has_built_in_follows_what_the_scenario_says() {
    let text = with(
        "[variant.java.set]\n\
         \"service.api.pool.primary\" = { preset = \"hikari\", max = 10, max_lifetime = \"15m\" }\n\
         [variant.more.set]\n\
         \"service.api.pool.primary\" = { preset = \"psycopg\", max = 30, max_lifetime = \"20m\" }\n\
         [variant.stock.set]\n\
         \"service.*.pool.primary\" = { preset = \"hikari\", stock = true }\n",
    );
    let (document, _) = load(&text);
    let sizes = |variant: &str| {
        let pool = &document.scenario(variant).unwrap().file.service["api"].pool["primary"];
        (pool.min, pool.max, pool.max_lifetime.0.unwrap().as_secs(), pool.jitter().as_secs())
    };
    assert_eq!(sizes("java"), (10, 10, 900.0, 225.0));
    assert_eq!(sizes("more"), (30, 30, 1200.0, 60.0));
    assert_eq!(sizes("stock"), (10, 10, 1800.0, 450.0));
    let resolved = document.scenario("java").unwrap().resolved();
    assert!(resolved.contains("min = \"max\"  # preset hikari"), "{resolved}");
    assert!(resolved.contains("max_lifetime_jitter = \"25%\"  # preset hikari"), "{resolved}");
}

#[test]
fn like_copies_what_is_missing() {
    let text = with(
        "[postgres.second]\nlike = \"third\"\nstart_cpu = \"1ms\"\n[postgres.third]\nlike = \"primary\"\ncores = 2\n",
    );
    let (document, _) = load(&text);
    let file = &document.scenario(AS_WRITTEN).unwrap().file;
    let second = &file.postgres["second"];
    assert_eq!((second.cores, second.max_connections), (2.0, 500));
    assert_ne!(second.start_cpu, file.postgres["primary"].start_cpu);
}

#[test]
fn a_factor_scales_every_quantity_of_a_distribution_and_no_bare_number() {
    let text = with(
        "[query.slow]\ncpu = { log_normal = { median = \"1ms\", p99 = \"4ms\" } }\n\
         [query.heavy]\ncpu = { pareto = { scale = \"1ms\", shape = 2.0 } }\n\
         [traffic.curve]\nrequest = \"sign-in\"\nrate = { piecewise = [{ from = \"0s\", rate = \"10/s\" }, { from = \"5m\", rate = \"20/s\" }] }\n\
         [variant.v.set]\n\"query.*.cpu\" = \"x2\"\n\"traffic.curve.rate\" = \"x3\"\n\"postgres.primary.grant\" = { quadratic = { per_waiter = \"20us\" } }\n\
         \"postgres.primary.grant.quadratic.per_waiter\" = \"x0.5\"\n",
    );
    let (document, _) = load(&text);
    let file = &document.scenario("v").unwrap().file;
    let json = serde_json::to_value(&**file).unwrap();
    assert_eq!(json["query"]["slow"]["cpu"]["log_normal"]["p99"], "8ms");
    assert_eq!(json["query"]["heavy"]["cpu"]["pareto"], serde_json::json!({"scale": "2ms", "shape": 2.0}));
    let step = &json["traffic"]["curve"]["rate"]["piecewise"][1];
    assert_eq!(*step, serde_json::json!({"from": "5m", "rate": "60/s"}));
    let Grant::Quadratic(grant) = file.postgres["primary"].grant else { panic!("still fast") };
    assert_eq!(grant.per_waiter, PerWaiter::Of(Span::from_micros(10)));
}

#[test]
fn events_give_back_what_lies_beneath() {
    let text = with(
        "[event.busy]\nat = \"10m\"\nuntil = \"event.busy + 30m\"\nset = { \"traffic.users.rate\" = \"x2\" }\n\
         [event.busier]\nat = 2025-09-14T05:50:00Z\nuntil = \"25m\"\nset = { \"traffic.users.rate\" = \"x1.5\" }\n\
         [event.deploy]\nat = \"event.busier.until + 1m\"\ndo = { deploy = \"*\" }\n\
         [event.never]\nenabled = false\nat = \"1m\"\nset = { \"postgres.primary.cores\" = 1 }\n",
    );
    let (document, warnings) = load(&text);
    assert!(warnings.is_empty(), "{warnings}");
    let rates: Vec<(Time, &str, bool, Option<Arrivals>)> = document
        .scenario(AS_WRITTEN)
        .unwrap()
        .timeline
        .iter()
        .map(|m| {
            (m.at, &m.event[..], m.begins, m.stands.as_ref().map(|file| file.traffic["users"].rate.clone()))
        })
        .collect();
    let first = &document.scenario(AS_WRITTEN).unwrap().timeline[0];
    let stands = first.stands.as_ref().unwrap();
    assert_eq!(stands.event, document.scenario(AS_WRITTEN).unwrap().file.event);
    let minutes = |n: u64| Time(n * 60_000_000_000);
    let rate = |n: f64| Some(Arrivals::Constant(Rate(n)));
    assert_eq!(
        rates,
        [
            (minutes(10), "busy", true, rate(800.0)),
            (minutes(20), "busier", true, rate(1200.0)),
            (minutes(25), "busier", false, rate(800.0)),
            (minutes(26), "deploy", true, None),
            (minutes(40), "busy", false, rate(400.0)),
        ]
    );
}

#[test]
fn the_resolved_scenario_says_where_each_value_came_from_and_parses_again() {
    let text = with(
        "[postgres.copy]\nlike = \"primary\"\n\
         [event.e]\nat = \"10m\"\nset = { \"postgres.primary.cores\" = \"x0.5\" }\n\
         [variant.v]\nwhy = \"tab\\there\"\n[variant.v.set]\n\"traffic.users.rate\" = \"x2\"\n",
    );
    let (document, _) = load(&text);
    for scenario in document.scenarios.values() {
        let resolved = scenario.resolved();
        let (again, _) = load(&resolved);
        assert_eq!(again.scenario(AS_WRITTEN).unwrap().file, scenario.file, "{resolved}");
    }
    let resolved = document.scenario("v").unwrap().resolved();
    for line in [
        "cores = 4  # scenario.toml:8",
        "rate = \"800/s\"  # variant v (scenario.toml:38)",
        "idle_pick = \"lifo-reversed-by-sweep\"  # preset pgxpool",
        "max_connections = 500  # like primary (scenario.toml:9)",
        "cold_queries = 10  # default",
    ] {
        assert!(resolved.contains(line), "{line} is not in\n{resolved}");
    }
}

#[test]
fn the_numbers_without_a_source_are_listed() {
    let text = with(
        "[source]\n\"service.*.pool\" = { from = \"documented\" }\n\"postgres.primary.cores\" = { from = \"assumed\" }\n",
    );
    let (document, warnings) = load(&text);
    assert!(warnings.is_empty(), "{warnings}");
    assert_eq!(
        document.scenario(AS_WRITTEN).unwrap().without_source(),
        [
            "postgres.primary.max_connections",
            "service.api.containers.min",
            "service.api.containers.max",
            "query.lookup.cpu.exponential",
            "request.sign-in.steps.0.app",
            "request.sign-in.steps.1.times",
            "traffic.users.rate",
        ]
    );
}

#[test]
fn events_endpoints_the_edge_and_devices_want_sources_too() {
    let text = with(
        "[postgres.second]\nlike = \"primary\"\n\
         [endpoint.reads]\nnode = \"primary\"\nfallback = \"second\"\nbreaker = { failures = \"50%\" }\n\
         [edge]\nserves = [\"sign-in\"]\ntime = \"20ms\"\n\
         [device.tabs]\nrequest = \"sign-in\"\ncount = 10\n\
         [event.more]\nat = \"1m\"\nuntil = \"2m\"\n[event.more.set]\n\"postgres.primary.cores\" = 8\n",
    );
    let bare = load(&text).0.scenario(AS_WRITTEN).unwrap().without_source();
    for path in [
        "endpoint.reads.breaker.failures",
        "edge.time",
        "device.tabs.count",
        "event.more.at",
        "event.more.until",
    ] {
        assert!(bare.iter().any(|one| one == path), "{path} is not in {bare:?}");
    }
}

/// Of what ships, all but the quickstart, an example that nobody vouches for.
#[test]
fn every_number_that_ships_has_a_source() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = fs::read_dir(shipped).unwrap().map(|entry| entry.unwrap().path());
    let scenarios =
        files.filter(|path| path.extension().unwrap() == "toml" && !path.ends_with("quickstart.toml"));
    let mut count = 0;
    for file in scenarios {
        let (document, _) = Document::load(&file, &[], &[]).unwrap_or_else(|problems| panic!("{problems}"));
        for scenario in document.scenarios.values() {
            let bare = scenario.without_source();
            assert!(bare.is_empty(), "{} of {}: {bare:?}", scenario.variant, file.display());
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn csv_files_become_tables() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("curve.csv"), "t_s,rate_per_s\n0,10\n60,20.5\n").unwrap();
    let scenario = directory.path().join("s.toml");
    let text = super::BASE.replace("\"400/s\"", "{ csv = \"curve.csv\" }");
    std::fs::write(&scenario, text).unwrap();
    let (document, _) = Document::load(&scenario, &[], &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let table = &document.scenario(AS_WRITTEN).unwrap().tables["curve.csv"];
    assert_eq!(table.rows, [[0.0, 10.0], [60.0, 20.5]]);
}

#[test]
fn compare_decides_what_is_compared() {
    let variants = "[variant.a.set]\n\"postgres.primary.cores\" = 2\n[variant.b]\n";
    let names = |text: &str| -> Vec<String> {
        load(text).0.compared().iter().map(|scenario| scenario.variant.clone()).collect()
    };
    assert_eq!(names(&with(variants)), ["a", "b"], "b is the file as written");
    assert_eq!(names(&with(variants.split_once("[variant.b]").unwrap().0)), [AS_WRITTEN, "a"]);
    let chosen = super::BASE.replace("seeds ", "compare = [\"b\", \"as-written\"]\nseeds ");
    assert_eq!(names(&(chosen + variants)), ["b", AS_WRITTEN]);
}

#[test]
fn a_scenario_made_by_hand_resolves_too() {
    let (document, _) = load(super::BASE);
    let file = &document.scenario(AS_WRITTEN).unwrap().file;
    let made = Scenario::new((**file).clone());
    assert_eq!(load(&made.resolved()).0.scenario(AS_WRITTEN).unwrap().file, *file);
}

/// A variant that nobody wrote down: an overlay on top of everything, and an event.
#[test]
fn a_scenario_takes_one_more_overlay_and_an_event() {
    let (document, _) = load(&with("[variant.v.set]\n\"postgres.primary.cores\" = 16\n"));
    let scenario = document.scenario("v").unwrap();
    let overlay = |path: &str, value: serde_json::Value| Overlay::from([(path.to_owned(), value)]);
    let off = Event {
        enabled: true,
        at: When("90s".to_owned()),
        until: None,
        why: String::new(),
        set: overlay("traffic.users.enabled", false.into()),
        deed: None,
    };
    let twice = overlay("postgres.primary.cores", "x2".into());
    let derived = scenario.with("derived", &twice, &[("off", off)]).unwrap();
    assert_eq!((derived.variant.as_str(), derived.file.postgres["primary"].cores), ("derived", 32.0));
    let moment = derived.timeline.iter().find(|moment| moment.event == "off").expect("the event");
    assert_eq!(moment.at, Time::ZERO + Span::from_secs(90));
    let later = moment.stands.as_ref().expect("it sets something");
    assert!(!later.traffic["users"].enabled && later.postgres["primary"].cores == 32.0);
    assert!(derived.ever(|file| !file.traffic["users"].enabled));
    assert!(!scenario.ever(|file| !file.traffic["users"].enabled), "the other is as it was");
    let wrong = scenario.with("wrong", &overlay("postgres.secondary.cores", 1.into()), &[]);
    assert!(wrong.unwrap_err().to_string().contains("secondary"));
}

#[test]
fn what_happens_to_one_does_not_happen_to_those_like_it() {
    let text = with(
        "[postgres.second]\nlike = \"primary\"\n\
         [event.fewer]\nat = \"10m\"\nset = { \"postgres.primary.cores\" = 1 }\n\
         [variant.v]\n[variant.v.set]\n\"postgres.primary.cores\" = 8\n",
    );
    let (document, _) = load(&text);
    let scenario = document.scenario("v").unwrap();
    assert_eq!(scenario.file.postgres["second"].cores, 8.0, "written like it, in this variant too");
    let during = scenario.timeline[0].stands.as_ref().unwrap();
    assert_eq!((during.postgres["primary"].cores, during.postgres["second"].cores), (1.0, 8.0));
}

/// What a variant sets is settled before the variant is laid over the file, also where `--set` says it.
#[test]
fn set_may_say_what_a_variant_sets() {
    let directory = tempfile::tempdir().unwrap();
    let scenario = directory.path().join("s.toml");
    std::fs::write(&scenario, with("[variant.v.set]\n\"postgres.primary.cores\" = 16\n")).unwrap();
    let set =
        ["variant.v.set={ \"postgres.*.cores\" = 2 }".to_owned(), "postgres.primary.cores=x3".to_owned()];
    let (document, _) = Document::load(&scenario, &[], &set).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(document.scenario("v").unwrap().file.postgres["primary"].cores, 6.0);
    assert_eq!(document.scenario(AS_WRITTEN).unwrap().file.postgres["primary"].cores, 12.0);
}

/// Of what is counted there are whole ones only: a factor gives the nearest.
#[test]
fn a_count_is_scaled_to_the_nearest_whole_one() {
    for (factor, max) in [("x0.24", 2), ("x0.26", 3), ("x1.19", 12), ("x0.1", 1)] {
        let variant = format!("[variant.v.set]\n\"service.api.pool.primary.max\" = \"{factor}\"\n");
        let (document, _) = load(&with(&variant));
        assert_eq!(document.scenario("v").unwrap().file.service["api"].pool["primary"].max, max, "{factor}");
    }
}
