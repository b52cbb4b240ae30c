//! What was probably meant, and where it is to be written: cures and advice that people asked for.

use super::wrong::{said, said_of};
use super::{BASE, with};

#[test]
fn a_device_asks_for_a_class_as_traffic_does() {
    let class = "[request.token]\nservice = \"api\"\nsteps = [{ app = \"1ms\" }]\n";
    assert!(said(&with(class)).contains("no traffic, no device and no queue asks for `token`"));
    let device = "[device.phone]\nrequest = \"token\"\ncount = 10\n";
    assert_eq!(said(&with(&format!("{class}{device}"))), "");
}

#[test]
fn a_source_may_end_in_a_star() {
    let source = |path: &str| said(&with(&format!("[source]\n\"{path}\" = {{ from = \"assumed\" }}\n")));
    assert_eq!(source("postgres.*.disk.*"), "");
    assert!(source("postgres.*.disc.*").contains("a source without a value"));
}

#[test]
fn what_is_meant_by_other_names() {
    for (written, meant) in
        [("rails", "activerecord"), ("HikariCP", "hikari"), ("pgx", "pgxpool"), ("Npgsql", "npgsql")]
    {
        let said = said_of("\"pgxpool\"", &format!("\"{written}\""));
        assert!(said.contains(&format!("did you mean `{meant}`?")), "{written}: {said}");
    }
}

/// A node, a service and a request class have metrics of their own.
#[test]
fn the_metric_that_is_meant_is_one_of_what_it_is_of() {
    for (written, of, meant) in [
        ("p99", "service.api", "worst_p99"),
        ("p99", "request.sign-in", "latency.p99"),
        ("p95", "request.sign-in", "latency.p95"),
        ("p50", "request.sign-in", "latency.p50"),
        ("latency_p99", "request.sign-in", "latency.p99"),
        ("success", "request.sign-in", "user_success"),
        ("worst_p98", "request.sign-in", "worst_p99"),
        ("p99", "nothing", "worst_p99"),
    ] {
        let expect = format!("[expect.e]\nmetric = \"{written}\"\nof = \"{of}\"\nmax = \"1s\"\n");
        let said = said(&with(&expect));
        assert!(said.contains(&format!("did you mean `{meant}`?")), "{written} of {of}: {said}");
    }
}

/// A node never has more backends than slots: such a budget cannot fail.
#[test]
fn a_budget_of_all_slots_is_warned_of() {
    let budget = |max: &str| {
        said(&with(&format!("[expect.e]\nmetric = \"backends\"\nof = \"postgres.primary\"\nmax = {max}\n")))
    };
    assert!(budget("1000000").contains("slots and never more backends: this always holds"));
    assert!(!budget("5").contains("this always holds"));
}

#[test]
fn a_number_of_containers_is_told_how_to_be_written() {
    let number = said_of("containers = { min = 10, max = 10 }", "containers = 40");
    assert!(number.contains("write `{ min = 40, max = 40 }`"), "{number}");
    let none = said_of("containers = { min = 10, max = 10 }", "");
    assert!(none.contains("a table such as { min = 40, max = 40 }"), "{none}");
}

/// The user's own table is what he can edit.
#[test]
fn advice_on_what_a_preset_sets_points_at_the_pool() {
    let said = said(
        &BASE
            .replace("\"pgxpool\"", "\"hikari\"")
            .replace("service = \"api\"", "service = \"api\"\ntimeout = \"20s\""),
    );
    assert!(said.contains("`acquire_timeout`, 30s, cannot fire"), "{said}");
    assert!(said.contains("[service.api.pool.primary]") && !said.contains("preset hikari:"), "{said}");
}

#[test]
fn a_duration_that_cannot_be_read_ends_nothing() {
    let expect =
        "[expect.e]\nmetric = \"herd_size\"\nof = \"postgres.primary\"\nafter = \"40m\"\nmax = \"5%\"\n";
    let said = said(&with(expect).replace("duration = \"1h\"", "duration = \"1h10\""));
    assert!(said.contains("duration") && !said.contains("nothing is left"), "{said}");
}

#[test]
fn a_deed_knows_where_its_time_is_set() {
    let deed = |text: &str| said(&with(&format!("[event.e]\nat = \"5m\"\ndo = {text}\n")));
    for text in ["{ restart = \"primary\", lasting = \"20s\" }", "{ reboot = \"primary\" }"] {
        assert!(deed(text).contains("`postgres.NAME.restart_time`"), "{}", deed(text));
    }
}

#[test]
fn no_value_takes_a_pooler_away() {
    let text = with("[variant.without.set]\n\"postgres.primary.pooler\" = \"none\"\n");
    assert!(said(&text).contains("let a variant lay it on"), "{}", said(&text));
}

/// Who asks for no share of all seeds means those that are run.
#[test]
fn one_seed_is_warned_of_only_beside_a_share() {
    let expect = "[expect.e]\nmetric = \"herd_size\"\nof = \"postgres.primary\"\nmax = \"5%\"\n";
    assert_eq!(said(&with(expect).replace("[1, 2, 3, 4, 5, 6]", "[1]")), "");
}

#[test]
fn what_libraries_call_their_settings_is_told_by_our_names() {
    for (theirs, ours) in [("connectionTimeout", "acquire_timeout"), ("pool_recycle", "max_lifetime")] {
        let said = said_of("max                 = 10", &format!("max = 10\n{theirs} = \"10s\""));
        assert!(said.contains(&format!("that is `{ours}` here")), "{theirs}: {said}");
    }
    let zero = said_of("{ min = 10, max = 10 }", "{ min = 0, max = 10 }");
    assert!(zero.contains("scaling to zero is not modelled"), "{zero}");
}

/// 1,200 queries a second of 0.5 ms are 0.6 of a core.
#[test]
fn more_work_than_cpus_all_run_long_is_warned_of() {
    let said_with = |cores: &str, more: &str| said(&with(more).replace("cores           = 4", cores));
    let warned = "queries and jobs ask for";
    assert!(!said_with("cores = 0.65", "").contains(warned));
    let over = said_with("cores = 0.5", "");
    assert!(over.contains("ask for 0.6 cores of `primary`, which has 0.5"), "{over}");
    let job = "[job.report]\non = \"primary\"\nevery = \"10s\"\nwork = { cpu = \"2s\" }\n";
    assert!(said_with("cores = 0.65", job).contains(warned), "the job has a fifth of a core");
    // Half of the time is a question of its own.
    let half = "[event.fewer]\nat = \"30m\"\n[event.fewer.set]\n\"traffic.users.rate\" = \"1/s\"\n";
    assert!(!said_with("cores = 0.5", half).contains(warned));
}

/// What the edge rejects asks for nothing.
#[test]
fn who_is_rejected_asks_for_no_work() {
    let half = |text: &str| said(&text.replace("cores           = 4", "cores = 0.5"));
    assert!(half(BASE).contains("ask for 0.6 cores of `primary`"));
    assert_eq!(half(&with("rejected = \"50%\"\n")), "");
}

#[test]
fn the_cpu_of_containers_is_warned_of_where_the_scaler_counts_it() {
    let fleet = |scaler: &str| {
        let scaled = format!("containers = {{ min = 1, max = 10 }}\nscaler = \"{scaler}\"");
        said(
            &BASE
                .replace("containers = { min = 10, max = 10 }", &scaled)
                .replace("app = \"2ms\"", "app = \"50ms\""),
        )
    };
    let hpa = fleet("hpa");
    assert!(hpa.contains("requests ask for 20.0 CPUs of `api`, which has 10.0 at most"), "{hpa}");
    assert!(!fleet("cloud-run-2026").contains("CPUs of `api`"), "it looks at requests");
}

#[test]
fn a_warning_of_a_variant_says_which() {
    let variant = "[variant.large.set]\n\"service.api.pool.primary.max\" = 100\n";
    let said = said(&with(variant));
    assert!(said.contains("variant `large`: the pools may open 1000 connections"), "{said}");
}

/// What is measured in bins needs a whole one; that can be told before anything is run.
#[test]
fn a_time_that_holds_no_whole_bin_is_told() {
    let event = "[event.slow]\nat = \"0s\"\n[event.slow.set]\n\"postgres.primary.cores\" = 8\n";
    let expect = |metric: &str, rest: &str| {
        let expect =
            format!("[expect.e]\nmetric = \"{metric}\"\nof = \"postgres.primary\"\nmax = 10\n{rest}\n");
        said(&with(&format!("{event}{expect}")))
    };
    let (size, none) = ("connects_max_1s", "no whole bin of 10 s lies in the time that counts");
    let short = expect(size, "after = \"301s\"\nuntil = \"319s\"");
    assert!(short.contains(&format!("error: {none}")) && short.contains("until = \"319s\""), "{short}");
    assert!(short.contains("let one lie in it from beginning to end"), "{short}");
    assert_eq!(expect(size, "after = \"300s\"\nuntil = \"310s\""), "");
    assert_eq!(
        expect("backend_starts", "after = \"301s\"\nuntil = \"319s\""),
        "",
        "it is counted by seconds"
    );
    let cut = expect(size, "after = \"3595s\"");
    assert!(cut.contains(&format!("warning: {none}")) && cut.contains("after = \"3595s\""), "{cut}");
    let all = expect(size, "except = [\"event.slow\"]");
    assert!(all.contains(&format!("warning: {none}")) && all.contains("except = "), "{all}");
}

/// Each process of a pooler takes so many clients.
#[test]
fn the_places_of_a_pooler_are_those_of_all_its_processes() {
    let pooler = |processes: u32| {
        let rest = "mode = \"transaction\"\nmax_clients = 50\npool = { max = 20 }\n";
        said(&with(&format!("[postgres.primary.pooler]\nprocesses = {processes}\n{rest}")))
    };
    let one = pooler(1);
    assert!(one.contains("100 connections to the pooler of `primary`, which takes 50"), "{one}");
    let two = pooler(2);
    assert!(
        two.contains("deploy") && two.contains("200 connections to the pooler of `primary`, which takes 100")
    );
    assert_eq!(pooler(4), "");
}

/// Each scaler has its own target.
#[test]
fn a_target_is_told_where_the_scaler_does_not_look_at_it() {
    let told = |scaler: &str, target: &str| {
        let scaled =
            format!("containers = {{ min = 10, max = 10 }}\nscaler = \"{scaler}\"\n{target} = \"50%\"");
        said(&BASE.replace("containers = { min = 10, max = 10 }", &scaled))
    };
    for (scaler, target, looks) in [
        ("kpa", "concurrency_target", true),
        ("kpa", "cpu_target", false),
        ("hpa", "concurrency_target", false),
        ("hpa", "cpu_target", true),
        ("cloud-run-2025", "concurrency_target", true),
        ("cloud-run-2025", "cpu_target", true),
    ] {
        let said = told(scaler, target);
        let warned = said.contains(&format!("the scaler of `api` does not look at `{target}`"));
        assert_eq!(warned, !looks, "{scaler}, {target}: {said}");
    }
}
