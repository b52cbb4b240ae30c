//! What events can do to what stands, and what would leave it open what stands.

use super::wrong::said;
use super::{load, with};

/// An event with this overlay, in a scenario with a second node.
fn event(set: &str) -> String {
    said(&with(&format!(
        "[postgres.other]\nlike = \"primary\"\n[event.e]\nat = \"5m\"\ndo = {{ deploy = \"api\" }}\n\
         [event.e.set]\n{set}\n"
    )))
}

/// The model knows pools by their places: an event changes them, and never which there are.
#[test]
fn an_event_replaces_a_pool_and_never_all_of_them() {
    for pools in [
        "{ primary = { max = 5 }, other = { max = 5 } }",
        "{ other = { max = 5 }, primary = { max = 5 } }",
        "{ other = { max = 5 } }",
        "{}",
    ] {
        let said = event(&format!("\"service.api.pool\" = {pools}"));
        assert!(said.contains("error: `service.api.pool` cannot change while the simulation runs"), "{said}");
        assert!(said.contains("service.*.pool.*, service.*.concurrency"), "{said}");
    }
    assert!(
        event("\"service.api.pool.other\" = { max = 5 }").contains("there is no `service.api.pool.other`")
    );
    assert_eq!(event("\"service.api.pool.primary\" = { max = 20 }"), "");
    assert_eq!(event("\"service.*.pool.*\" = { max = 20 }"), "");
    assert_eq!(event("\"service.*.pool.*.max\" = 20"), "");
}

/// Nor does it add a part that a box has not had from the start.
#[test]
fn an_event_adds_no_part() {
    let breaker = "there is no `edge.breaker`, and an event cannot add it";
    assert!(event("\"edge.breaker.enabled\" = false").contains(breaker));
    let disk = event("\"postgres.primary.disk.read_factor\" = 40");
    assert!(disk.contains("error: there is no `postgres.primary.disk`"), "{disk}");
    assert!(disk.contains("help: write `postgres.primary.disk` in the file"), "{disk}");
    assert!(event("\"postgres.*.pooler.max_clients\" = 9").contains("no `postgres.primary.pooler`"));
    assert_eq!(event("\"postgres.primary.statement_timeout\" = \"5s\""), "", "a value may be new");
}

/// Two events that set one thing over the same span: the order of the file must not decide.
#[test]
fn events_of_one_span_on_one_path_are_refused() {
    let two = |first: &str, second: &str| {
        let event = |name: &str, rest: &str| format!("[event.{name}]\n{rest}\n");
        said(&with(&(event("a", first) + &event("b", second))))
    };
    let rate = |times: &str, rate: &str| format!("{times}\nset = {{ \"traffic.users.rate\" = \"{rate}\" }}");
    let span = "at = \"5m\"\nuntil = \"10m\"";
    for times in [span, "at = \"5m\""] {
        let said = two(&rate(times, "100/s"), &rate(times, "1/s"));
        assert!(said.contains("both set `traffic.users.rate`, over the same span"), "{said}");
        assert!(said.contains("help: let one end before the other begins, or lie within it"), "{said}");
    }
    assert_eq!(two(&rate(span, "100/s"), &rate("at = \"5m\"\nuntil = \"9m\"", "1/s")), "");
    assert_eq!(two(&rate(span, "100/s"), &rate("at = \"6m\"\nuntil = \"10m\"", "1/s")), "");
    let off = format!("enabled = false\n{}", rate(span, "1/s"));
    let variant = "[variant.v.set]\n\"event.b.enabled\" = true\n";
    let switched = two(&rate(span, "100/s"), &format!("{off}\n{variant}"));
    assert!(switched.starts_with("warning: variant `v`: events `a` and `b` both set"), "{switched}");
    let cores = format!("{span}\nset = {{ \"postgres.primary.cores\" = 2 }}");
    assert_eq!(two(&rate(span, "100/s"), &cores), "", "of two things");
}

/// Of two events that begin together the one that ends first lies on top, wherever it stands in the file.
#[test]
fn of_two_that_begin_together_the_shorter_stands() {
    let event = |name: &str, until: &str, cores: u32| {
        format!(
            "[event.{name}]\nat = \"5m\"\nuntil = \"{until}\"\n\
             set = {{ \"postgres.primary.cores\" = {cores} }}\n"
        )
    };
    let (short, long) = (event("short", "10m", 8), event("long", "20m", 16));
    for both in [format!("{short}{long}"), format!("{long}{short}")] {
        let (document, _) = load(&with(&both));
        let timeline = &document.scenario("as-written").unwrap().timeline;
        let cores = timeline.iter().filter_map(|moment| {
            let minute = moment.at.as_secs() / 60.0;
            Some((minute, moment.stands.as_ref()?.postgres["primary"].cores))
        });
        assert_eq!(cores.collect::<Vec<_>>(), [(5.0, 8.0), (10.0, 16.0), (20.0, 4.0)]);
    }
}

/// A deploy brings a setting to the containers only while it stands, and so does a crash.
#[test]
fn a_deploy_after_a_setting_was_taken_back_does_not_bring_it() {
    for deed in ["{ deploy = \"api\" }", "{ crash = { service = \"*\" } }"] {
        let done = |at: &str| {
            said(&with(&format!(
                "[event.larger]\nat = \"5m\"\nuntil = \"10m\"\n\
                 set = {{ \"service.api.pool.primary.max\" = 20 }}\n\
                 [event.deed]\nat = \"{at}\"\ndo = {deed}\n"
            )))
        };
        assert_eq!(done("5m"), "");
        for at in ["4m", "10m", "30m"] {
            assert!(done(at).contains("reaches only containers that start later"), "{at}: {}", done(at));
        }
    }
}

/// The run is over at its duration: what begins then never happens.
#[test]
fn an_event_at_the_very_end_is_too_late() {
    let at = |time: &str| said(&with(&format!("[event.e]\nat = \"{time}\"\ndo = {{ deploy = \"api\" }}\n")));
    assert_eq!(at("3599s"), "");
    assert!(at("1h").contains("event `e` begins when the run is over"), "{}", at("1h"));
}
