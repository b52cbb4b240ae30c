//! Wrong scenarios and what is said about them: each message names the place, the value and the cure.

use super::{BASE, with};
use herdsim::scenario::Document;
use std::path::Path;

/// What is said about the base scenario with `old` replaced by `new`.
pub(super) fn said_of(old: &str, new: &str) -> String {
    assert!(BASE.contains(old), "`{old}` is not in the base scenario");
    said(&BASE.replacen(old, new, 1))
}

/// Errors or warnings, as printed.
pub(super) fn said(text: &str) -> String {
    match Document::from_text("scenario.toml", text) {
        Ok((_, warnings)) => warnings.to_string(),
        Err(problems) => problems.to_string(),
    }
}

/// One snapshot for several cases, each under its own headline.
macro_rules! says {
    ($name:literal, $($case:expr),+ $(,)?) => {
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!($name, [$($case),+].join("\n\n----\n\n"));
        })
    };
}

#[test]
fn keys_and_values() {
    says!(
        "unknown_keys",
        said_of("max_lifetime        =", "max_lifetim ="),
        said_of("[query.lookup]", "[querry.lookup]"),
        said_of("title    = \"A small fleet\"\n", ""),
        said_of("cores           = 4\n", ""),
    );
    says!(
        "wrong_values",
        said_of("\"15m\"", "\"15min\""),
        said_of("\"15m\"", "900"),
        said_of("\"400/s\"", "400"),
        said_of("max                 = 10", "max = \"10\""),
        said_of("max                 = 10", "max = 0"),
        said_of("max                 = 10", "max = 2.5"),
        said_of("\"90s\"", "\"-90s\""),
        said_of("\"pgxpool\"", "\"pgxpol\""),
        said_of("{ exponential =", "{ exponentail ="),
        said_of("{ exponential = \"0.5ms\" }", "{ exponential = \"0.5ms\", uniform = 1 }"),
        said_of("{ exponential = \"0.5ms\" }", "\"none\""),
        said_of("steps   = [", "steps = [] #"),
        said_of("2025-09-14T05:30:00Z", "2025-09-14T05:30:00"),
        said_of("= 4", "= inf"),
        said_of("seeds ", "slow = \"yes\"\nseeds "),
        said_of("[1, 2, 3, 4, 5, 6]", "[-1]"),
    );
}

/// What follows from a mistake is not told beside it.
#[test]
fn one_mistake_is_told_once() {
    let max = |text: &str| said_of("max                 = 10", text);
    let hikari = |max: &str| {
        let pool = "preset              = \"pgxpool\"\nmax                 = 10";
        said_of(pool, &format!("preset = \"hikari\"\nmax = {max}"))
    };
    let like = |rest: &str| said(&with(&format!("[service.back]\nlike = \"apj\"\n{rest}\n")));
    says!(
        "one_mistake",
        hikari("0.5"),
        hikari("\"20\""),
        hikari("-1"),
        max("min = 5"),
        max("min = \"max\""),
        max("maximumPoolSize = 10"),
        said_of("containers =", "contianers ="),
        said_of("[query.lookup]\ncpu", "[query.lookup]\ncpuu"),
        like("[service.back.pool.primary]\nmin = 1"),
        like("containers = { min = 1 }"),
        said(&with("[service.a]\nlike = \"b\"\npool.primary.min = 1\n[service.b]\nlike = \"a\"\n")),
        like("containers = { min = \"many\" }\n[service.back.pool.primary]\nmun = 1"),
    );
}

#[test]
fn syntax() {
    says!(
        "syntax",
        said_of("[service.api]", "[service.api"),
        said_of("duration = \"1h\"", "duration = 1h"),
        said_of("duration = \"1h\"", "duration = \"1h\"\nduration = \"2h\""),
        said("title = \"\0\""),
        said(&format!("a = {}1{}", "[".repeat(500), "]".repeat(500))),
        said_of("schema_version = 1", "schema_version = 2\nfrom_the_future = true"),
    );
}

#[test]
fn names_that_lead_nowhere() {
    says!(
        "dangling_names",
        said_of("service = \"api\"", "service = \"ap\""),
        said_of("query = \"lookup\"", "query = \"look-up\""),
        said_of("on = \"primary\"", "on = \"replica\""),
        said_of("request = \"sign-in\"", "request = \"signin\""),
        said_of("[service.api.pool.primary]", "[service.api.pool.primery]"),
        said(&with("[job.j]\non = \"primry\"\nevery = \"1m\"\nwork = { cpu = \"1s\" }\n")),
        said(&with("[event.e]\nat = \"5m\"\ndo = { deploy = \"apo\" }\n")),
        said(&with("[event.upgrade]\nat = \"event.upgrad + 5m\"\ndo = { deploy = \"*\" }\n")),
        said(&with(
            "[expect.x]\nvariant = \"jitter\"\nmetric = \"herd_size\"\nof = \"postgres.primary\"\nmax = \"5%\"\n"
        )),
        said(&with("[postgres.replica]\nlike = \"primari\"\n")),
        said(&with("[postgres.Replica]\nlike = \"primary\"\n")),
        said_of("seeds ", "compare = [\"jitter\"]\nseeds "),
    );
}

#[test]
fn bounds() {
    says!(
        "bounds",
        said_of("{ min = 10, max = 10 }", "{ min = 10, max = 5 }"),
        said_of("{ min = 10, max = 10 }", "{ min = 5, max = 10 }"),
        said_of("max                 = 10", "max = 10\nmin = 11"),
        said_of("cpu = { exponential = \"0.5ms\" }", "cpu = { uniform = { min = \"2ms\", max = \"1ms\" } }"),
        said_of(
            "cpu = { exponential = \"0.5ms\" }",
            "cpu = { log_normal = { median = \"2ms\", p99 = \"1ms\" } }"
        ),
        said_of("duration = \"1h\"", "duration = \"0s\""),
        said_of("[1, 2, 3, 4, 5, 6]", "[1, 2, 1]"),
        said_of("[1, 2, 3, 4, 5, 6]", "[]"),
        said_of("max_connections = 500", "max_connections = 3"),
        said_of("\"90s\"", "\"20m\"\njitter_shape = \"subtractive\""),
        said_of("\"90s\"", "\"90s\"\nkill_gap = { every = \"0s\" }"),
        said_of(
            "\"400/s\"",
            "{ piecewise = [{ from = \"1m\", rate = \"1/s\" }, { from = \"1m\", rate = \"2/s\" }] }"
        ),
        said_of("\"A small fleet\"", "\" \""),
    );
}

#[test]
fn pools() {
    says!(
        "pools",
        said_of("max                 = 10\n", ""),
        said_of("preset              = \"pgxpool\"", "stock = true"),
        said_of("\"90s\"", "\"120%\""),
        said_of("\"90s\"", "\"90\""),
        said_of("\"90s\"", "\"90s\"\ndialler = { background = { at_once = 0 } }"),
        said_of("\"90s\"", "\"90s\"\nquery_timeout = \"0s\""),
        said_of("\"15m\"", "\"1us\""),
    );
}

/// What goes on by itself, with so short a pause that simulated time would hardly go on.
#[test]
fn pauses() {
    let pool = |text: &str| said_of("\"90s\"", &format!("\"90s\"\n{text}"));
    let traffic = |text: &str| said_of("\"400/s\"", &format!("\"400/s\"\n{text}"));
    let retry = |backoff: &str, cap: &str| {
        let retry = format!("{{ backoff = \"{backoff}\", factor = 1, cap = \"{cap}\" }}");
        pool(&format!("dial_failure = {{ retry = {retry} }}"))
    };
    says!(
        "pauses",
        retry("0s", "1s"),
        retry("1ns", "0s"),
        pool("dial_failure = { gate = \"0s\" }"),
        pool("sweep = { every = \"1ns\" }"),
        traffic("burst = { every = \"1ns\", lasting = \"1s\" }"),
        traffic("burst = { every = { uniform = { min = \"0s\", max = \"1us\" } }, lasting = \"0s\" }"),
        said(&with("[job.j]\non = \"primary\"\nevery = \"1ns\"\nwork = { cpu = \"1s\" }\n")),
        said(&with(
            "[event.e]\nat = \"1m\"\nset = { \"service.api.pool.primary.sweep\" = { every = \"1us\" } }\n\
             do = { deploy = \"api\" }\n"
        )),
    );
    assert_eq!(retry("1ms", "1ms"), "");
}

/// More requests than any machine plays would be seen only when the memory is full.
#[test]
fn sizes() {
    let rate = |text: &str| said_of("\"400/s\"", text);
    let piece = |rest: &str| format!("{{ piecewise = [{{ from = \"0s\", rate = \"1/s\" }}, {rest}] }}");
    let event = |until: &str, factor: &str| {
        let set = format!("\"traffic.users.rate\" = \"{factor}\"");
        said(&with(&format!("[event.e]\nat = \"10m\"\nuntil = \"{until}\"\nset = {{ {set} }}\n")))
    };
    says!(
        "sizes",
        rate("\"100000000000/s\""),
        rate("\"10000000/s\""),
        rate(&piece("{ from = \"30m\", rate = \"6000000/s\" }")),
        event("40m", "6000000/s"),
        event("10m1s", "2000000000/s"),
        said(&queued("{ enqueue = \"mails\", times = 1000 }").replace("\"400/s\"", "\"10000/s\"")),
    );
    for fits in [
        rate("\"2000000/s\""),
        rate(&piece("{ from = \"59m\", rate = \"10000000/s\" }")),
        event("11m", "10000000/s"),
        rate("\"10000000/s\"\nburst = { every = \"10m\", lasting = \"1s\" }"),
    ] {
        assert!(!fits.contains("error"), "too much for the cores, not for the machine: {fits}");
    }
}

#[test]
fn steps() {
    says!(
        "steps",
        said_of("{ app = \"2ms\" }", "{ app = \"2ms\", query = \"lookup\" }"),
        said_of("{ app = \"2ms\" }", "{ times = 2 }"),
        said_of("{ app = \"2ms\" }", "{ app = \"2ms\", think = \"1ms\" }"),
        said_of("{ app = \"2ms\" }", "{ app = \"2ms\", on = \"primary\" }"),
        said_of("{ app = \"2ms\" }", "{ transaction = [\"lookup\"], on = \"primary\", times = 2 }"),
        said_of("on = \"primary\", times", "times"),
        said(
            &BASE.replace(
                "[service.api.pool.primary]",
                "[postgres.other]\ncores = 1\n[service.api.pool.other]"
            )
        ),
    );
}

/// The base scenario, whose requests take this step more; a queue hands on mails.
fn queued(step: &str) -> String {
    let more = "[queue.mails]\nrequest = \"mail\"\ndelay = \"80ms\"\n\
                [request.mail]\nservice = \"api\"\nsteps = [{ app = \"1ms\" }]\n";
    with(more).replace("times = 3 }]", &format!("times = 3 }}, {step}]"))
}

#[test]
fn queues() {
    let mail = "{ enqueue = \"mails\" }";
    let expected = |of: &str| {
        let expect = format!("[expect.x]\nmetric = \"latency.p99\"\nof = \"{of}\"\nmax = \"1s\"\n");
        said(&(queued(mail) + &expect))
    };
    says!(
        "queues",
        said(&queued("{ enqueue = \"mail\" }")),
        said(&queued("{ enqueue = \"mails\", on = \"primary\" }")),
        said(&queued("{ enqueue = \"mails\", think = \"1ms\" }")),
        said(&queued("{ enqueue = \"mails\", query = \"lookup\", on = \"primary\" }")),
        said(&queued("{ app = \"1ms\" }")),
        said(&queued(mail).replace("request = \"mail\"", "request = \"mial\"")),
        said(&queued(mail).replace("delay = \"80ms\"", "delay = \"soon\"")),
        said(&queued(mail).replace("[{ app = \"1ms\" }]", "[{ enqueue = \"mails\" }]")),
        said(&(queued(mail) + "[event.e]\nat = \"1m\"\nset = { \"queue.mails.delay\" = \"1s\" }\n")),
        expected("request.mail"),
        expected("request.sign-in.background"),
    );
    assert_eq!(said(&queued(mail)), "");
    assert_eq!(expected("request.mail.background"), "");
}

#[test]
fn endpoints_edge_and_devices() {
    let more = |text: &str| said(&format!("{BASE}\n{text}"));
    says!(
        "endpoints_edge_and_devices",
        more("[endpoint.primary]\nnode = \"primary\""),
        more("[endpoint.reads]\nnode = \"primry\"\nfallback = \"primary\""),
        more("[endpoint.reads]\nnode = \"primary\"\n[endpoint.reads.breaker]\nwindow = \"0s\""),
        said(&BASE.replace("on = \"primary\"", "on = \"reads\"").replace(
            "[query.lookup]",
            "[postgres.replica]\nlike = \"primary\"\n[endpoint.reads]\nnode = \"replica\"\n[query.lookup]"
        )),
        more("[edge]\norigin_outage_mode = \"on\""),
        more("[edge]\norigin_outage_mode = \"automatic\"\nserves = [\"sign-in\", \"sign-up\"]"),
        more("[device.users]\nrequest = \"sign-in\"\ncount = 10\npoll = \"0s\""),
        more("[device.tabs]\nrequest = \"sign-on\"\ncount = 10\nrefresh_age = \"0s\""),
        more("[device.tabs]\nrequest = \"sign-in\"\ncount = 10000000\ntabs = 1000\nduplicates = 1000"),
        more("[request.sign-in.handler_retry]\nattempts = 2\nbackoff = \"1s\"\non = [\"504\"]"),
    );
}

#[test]
fn circles() {
    says!(
        "circles",
        said(&with("[postgres.a]\nlike = \"b\"\n[postgres.b]\nlike = \"a\"\n")),
        said(&with(
            "[event.a]\nat = \"event.b + 1m\"\ndo = { deploy = \"*\" }\n[event.b]\nat = \"event.a + 1m\"\ndo = { deploy = \"*\" }\n"
        )),
    );
}

#[test]
fn overlays() {
    let variant = |line: &str| said(&with(&format!("[variant.v.set]\n{line}\n")));
    says!(
        "overlays",
        variant("\"postgres.primry.cores\" = 8"),
        variant("\"postgres.primary.core\" = 8"),
        variant("\"service.*.pool.*.max_lifetim\" = \"1m\""),
        variant("\"job.*.every\" = \"1m\""),
        variant("\"postgres.primary.grant.quadratic.base\" = \"1ms\""),
        variant("\"request.sign-in.steps.0.app\" = \"1ms\""),
        variant("postgres.primary.cores = 8"),
        variant("\"service.api.pool.primary.query_timeout\" = \"x2\""),
        variant("\"service.api.pool.primary.preset\" = \"x2\""),
        variant("\"postgres.primary.cores\" = \"many\""),
        variant("slow = true"),
        variant("compare = [\"v\"]"),
        variant("\"postgres..cores\" = 8"),
        variant("\"service.api.pool.primary.min\" = 20"),
    );
}

#[test]
fn events() {
    let event = |name: &str, times: &str, set: &str| format!("[event.{name}]\n{times}\nset = {{ {set} }}\n");
    let cores = "\"postgres.primary.cores\" = 2";
    says!(
        "events",
        said(&with(&event("e", "at = \"5m\"", "\"postgres.primary.max_connections\" = 50"))),
        said(&with(&event("e", "at = \"5m\"", "duration = \"5m\""))),
        said(&with(&event("e", "at = \"5m\"", "slow = true"))),
        said(&with(&event("e", "at = \"5m\"\nuntil = \"4m\"", cores))),
        said(&with(&event("e", "at = \"-5m\"", cores))),
        said(&with(&event("e", "at = \"event.e+5m\"", cores))),
        said(&with(&event("e", "at = 2025-09-14T05:00:00Z", cores))),
        said(&with(&event("e", "at = \"2h\"", cores))),
        said(&with(&event("e", "at = \"5m\"", "\"postgres.primary.cores\" = \"lots\""))),
        said(
            &BASE
                .replace("start ", "#")
                .replace("[postgres.p", &(event("e", "at = 2025-09-14T05:40:00Z", cores) + "[postgres.p"))
        ),
        said(&with(
            &(event("a", "at = \"5m\"\nuntil = \"15m\"", cores)
                + &event("b", "at = \"10m\"\nuntil = \"20m\"", cores))
        )),
        said(&with(
            &(event("a", "at = \"5m\"", cores) + "[variant.v.set]\n\"postgres.primary.cores\" = 8\n")
        )),
        said(&with("[event.e]\nat = \"5m\"\n")),
        said(&with("[event.e]\nat = \"5m\"\nuntil = \"6m\"\ndo = { restart = \"primary\" }\n")),
        said(&with("[event.e]\nat = \"5m\"\nuntil = \"6m\"\ndo = { deploy = \"api\" }\n")),
        said(&with("[event.e]\nat = \"5m\"\nuntil = \"6m\"\ndo = { crash = { service = \"api\" } }\n")),
        said(&with(&event("e", "at = \"5m\"", "\"service.api.pool.primary.max\" = 20"))),
    );
}

/// Roles that nodes cannot have, deeds that cannot be done to them, transactions that could deadlock.
#[test]
fn nodes() {
    let replica = |more: &str| with(&format!("[postgres.second]\nlike = \"primary\"\n{more}\n"));
    let deed = |deed: &str| with(&format!("[event.x]\nat = \"1m\"\ndo = {deed}\n"));
    says!(
        "roles",
        said(&replica("replica_of = \"primari\"")),
        said(&replica("replica_of = \"second\"")),
        said(&replica("replica_of = \"primary\"\nha = {}")),
        said(&replica(
            "replica_of = \"third\"\n[postgres.third]\nlike = \"primary\"\nreplica_of = \"primary\""
        )),
        said(&deed("{ promote = \"primary\" }")),
        said(&deed("{ promote = \"primari\" }")),
        said(&deed("{ failover = \"primary\" }")),
        said(&deed("{ restart = \"primari\" }")),
        said(&deed("{ crash = { service = \"apo\" } }")),
        said(&deed("{ crash = \"api\" }")),
        said(&deed("{ crash = { service = \"api\", share = \"110%\" } }")),
        said(&BASE.replace("primary", "edge")),
        said(&BASE.replace("primary", "nobody")),
    );
    let query = |name: &str| format!("[query.{name}]\ncpu = \"1ms\"\nlock = {{ rows = 9 }}\n");
    let locks = query("orders") + &query("stock");
    let transaction = |names: &str| {
        let steps = format!(
            "[request.update]\nservice = \"api\"\nsteps = [{{ transaction = [{names}], on = \"primary\" }}]"
        );
        with(&format!("{locks}{steps}\n"))
    };
    says!(
        "lock_order",
        said(&transaction("\"stock\", \"lookup\", \"orders\"")),
        said(&transaction("\"orders\", \"orders\"")),
        said(&transaction("\"orders\", \"stock\"")),
    );
}

#[test]
fn services_that_scale() {
    let service = |text: &str| said_of("containers = { min = 10, max = 10 }", text);
    let event = |set: &str| said(&with(&format!("[event.e]\nat = \"5m\"\nset = {{ {set} }}\n")));
    says!(
        "services_that_scale",
        service("containers = { min = 2, max = 10 }"),
        service("containers = { min = 11, max = 10 }\nscaler = \"kpa\""),
        service("containers = { min = 2, max = 10 }\nscaler = \"kpa\"\nconcurrency_target = \"0%\""),
        service("containers = { min = 2, max = 10 }\nscaler = \"hpa\"\nconcurrency_target = \"60%\""),
        service("containers = { min = 10, max = 10 }\ncpu_target = \"60%\""),
        service("containers = { min = 2, max = 26 }\nscaler = \"cloud-run-2026\""),
        said(
            &BASE
                .replace("max = 10 }", "max = 10 }\npending_deadline = \"1m\"")
                .replace("service = \"api\"", "service = \"api\"\npatience = \"5s\"")
        ),
        event("\"service.api.containers.max\" = 20"),
        event("\"service.api.containers\" = { min = 20, max = 20 }"),
    );
}

/// A scenario with a job of so many sessions, and with one that is off.
fn jobs(text: &str, parallel: u32) -> String {
    let job = |name: &str, rest: &str| {
        format!(
            "[job.{name}]\non = \"primary\"\nevery = \"1m\"\nwork = {{ parallel = {parallel}, cpu = \"1s\" }}\n{rest}"
        )
    };
    format!("{text}\n{}{}", job("on", ""), job("off", "enabled = false\n"))
}

#[test]
fn advice() {
    says!(
        "advice",
        said_of("max_connections = 500", "max_connections = 90"),
        said_of("max_connections = 500", "max_connections = 150"),
        said(&jobs(&with(""), 450)),
        said(&jobs(&with(""), 350)),
        said(&jobs(&with("[postgres.primary.pooler]\nmode = \"transaction\"\npool = { max = 50 }\n"), 450)),
        said_of("max_lifetime_jitter = \"90s\"", ""),
        said_of("\"90s\"", "\"1s\""),
        said_of("max_lifetime_jitter = \"90s\"", "kill_gap = \"spread\""),
        said_of("max_lifetime_jitter = \"90s\"", "kill_gap = { every = \"10m\" }"),
        said_of("service = \"api\"", "service = \"api\"\npatience = \"5s\"\ntimeout = \"6m\""),
        said(
            &BASE
                .replace("\"90s\"", "\"90s\"\nacquire_timeout = \"10s\"\nquery_timeout = \"30s\"")
                .replace("service = \"api\"", "service = \"api\"\npatience = \"5s\"\ntimeout = \"20s\"")
        ),
        said(
            &with(
                &["e", "share"]
                    .map(|name| format!(
                        "[expect.{name}]\nmetric = \"herd_size\"\nof = \"postgres.primary\"\nmax = \"5%\"\n"
                    ))
                    .concat()
            )
            .replace("[1, 2, 3, 4, 5, 6]", "[1]")
            .replace("[expect.share]", "[expect.share]\nshare = \"4%\"")
        ),
        said(&with("[source]\n\"postgres.primary.core\" = { from = \"assumed\" }\n")),
        said(&with(
            "[expect.e]\nmetric = \"herd_size\"\nof = \"postgres.primary\"\nafter = \"40m\"\nuntil = \"30m\"\n"
        )),
    );
}

/// Poolers that cannot be, and poolers that are too small for what is behind or before them.
#[test]
fn poolers() {
    let pooler = |rest: &str| said(&format!("{BASE}\n[postgres.primary.pooler]\n{rest}\n"));
    let event = |path: &str| {
        let set = format!("[event.e]\nat = \"5m\"\nset = {{ \"postgres.primary.pooler.{path} }}\n");
        let pooler =
            "[postgres.primary.pooler]\nmode = \"transaction\"\nmax_clients = 200\npool = { max = 20 }\n";
        said(&with(&format!("{pooler}{set}")))
    };
    says!(
        "poolers",
        pooler("pool = { max = 20 }"),
        pooler("mode = \"statement\"\npool = { max = 20 }"),
        pooler("mode = \"transaction\""),
        pooler("mode = \"transaction\"\npool = { max = 20 }\nprocesses = 0"),
        pooler("mode = \"transaction\"\npool = { max = 20, min = 21 }"),
        pooler("mode = \"transaction\"\npool = { max = 20 }\npooler = { max = 20 }"),
        said(&format!("{BASE}\n[postgres.primari.pooler]\nmode = \"transaction\"\npool = {{ max = 20 }}\n")),
        event("mode\" = \"session\""),
        event("pool.max\" = 30"),
        pooler("mode = \"transaction\"\nprocesses = 25\npool = { max = 20 }"),
        pooler("mode = \"transaction\"\nmax_clients = 99\npool = { max = 20 }"),
        pooler("mode = \"transaction\"\nmax_clients = 199\npool = { max = 20 }"),
        pooler("mode = \"session\"\npool = { max = 20 }"),
        pooler("mode = \"transaction\"\npool = { max = 20, max_lifetime = \"15m\" }"),
        pooler("mode = \"transaction\"\npool = { max = 20, max_lifetime = \"15m\", kill_gap = \"spread\" }"),
    );
    assert_eq!(event("message_cpu\" = \"1ms\""), "");
}

#[test]
fn expectations_that_measure_nothing() {
    let expect = |rest: &str| said(&with(&format!("[expect.e]\n{rest}")));
    insta::assert_snapshot!(
        "expectations",
        [
            expect("metric = \"herd_sice\"\nof = \"postgres.primary\"\nmax = \"5%\"\n"),
            expect("metric = \"herd_size\"\nof = \"service.api\"\nmax = \"5%\"\n"),
            expect("metric = \"herd_size\"\nof = \"postgres.primari\"\nmax = \"5%\"\n"),
            expect("metric = \"herd_size\"\nof = \"postgres.primary\"\nmax = 5\n"),
            expect("metric = \"herd_gain\"\nof = \"postgres.primary\"\nafter = \"1m\"\nmax = 1\n"),
            expect("metric = \"worst_p99\"\nof = \"service.api\"\nmax = \"5%\"\nexcept = [\"event.x\"]\n"),
            expect("metric = \"herd_onset\"\nof = \"service.api\"\nmin = \"1h\"\n"),
            expect("metric = \"recycle_gap\"\nof = \"postgres.primary\"\nmin = \"1h\"\n"),
            expect("metric = \"recycle_gap\"\nof = \"service.api\"\nmin = 900\n"),
            expect(
                "metric = \"dashboard_missed\"\nof = \"postgres.primary\"\ncause = \"growth\"\nmin = \"5%\"\n"
            ),
            expect("metric = \"recovery\"\nof = \"service.api\"\nmax = \"2m\"\n"),
            expect("metric = \"at_cap\"\nof = \"service.api\"\nmax = \"2m\"\n"),
            expect("metric = \"throughput\"\nof = \"service.api\"\nmin = 1330\n"),
            expect("metric = \"throughput\"\nof = \"service.api\"\nmin = \"30s\"\n"),
            expect("metric = \"rejected\"\nof = \"service.api\"\nmax = \"5%\"\n"),
            expect("metric = \"lock_waiters\"\nof = \"postgres.primary\"\ncause = \"boot\"\nmax = \"5%\"\n"),
            expect("metric = \"containers\"\nof = \"service.apo\"\nmax = 100\n"),
        ]
        .join("----\n")
    );
}

#[test]
fn expectations_that_hold_against_other_variants() {
    let expect = |rest: &str| {
        let metric = "metric = \"herd_size\"\nof = \"postgres.primary\"\n";
        said(&with(&format!(
            "[variant.jitter]\n[variant.plain]\n[expect.e]\nvariant = \"jitter\"\n{metric}{rest}\n"
        )))
    };
    let against = |rest: &str| expect(&format!("max = {{ {rest} }}"));
    says!(
        "expectations_against_others",
        expect("max = \"5%\"\ncontrol = \"plane\""),
        expect("max = \"5%\"\ncontrol = \"jitter\""),
        expect("max = \"5%\"\ncontrol = [\"plain\"]"),
        expect("control = \"plain\""),
        against("times = 2, of = \"variant.plane\""),
        against("times = 2, of = \"variant.jitter\""),
        against("times = 2, of = \"plain\""),
        against("of = \"variant.plain\""),
        against("times = 2, plus = \"5%\", of = \"variant.plain\""),
        against("plus = \"-10 points\", of = \"variant.plain\""),
        against("plus = \"-10s\", of = \"variant.plain\""),
        against("plus = -10, of = \"variant.plain\""),
        against("plus = true, of = \"variant.plain\""),
        against("plus = \"5%\""),
        against("minus = \"5%\", of = \"variant.plain\""),
    );
    for right in ["plus = \"-10%\", of = \"variant.plain\"", "times = 1.3, of = \"variant.plain\""] {
        assert_eq!(against(&format!("{right} }}\nmin = {{ plus = \"0%\", of = \"variant.plain\"")), "");
    }
    assert_eq!(expect("max = \"5%\"\ncontrol = \"plain\""), "");
    for (bounds, foregone) in [
        ("max = { times = 0.5, of = \"variant.plain\" }", false),
        ("max = { plus = \"-5%\", of = \"variant.plain\" }", true),
        ("min = { plus = \"10%\", of = \"variant.plain\" }\nmax = \"90%\"", true),
        ("max = { times = 1.5, of = \"variant.plain\" }", true),
        ("max = { times = 1.5, of = \"variant.plain\" }\nmin = \"10%\"", false),
        ("max = { times = 0.5, of = \"variant.as-written\" }", false),
    ] {
        let said = expect(&format!("{bounds}\ncontrol = \"plain\""));
        assert_eq!(said.contains("as the control it proves nothing"), foregone, "{bounds}: {said}");
        assert!(foregone || said.is_empty(), "{said}");
    }
    assert_eq!(expect("max = \"150%\""), "", "a herd may be larger than the pools were before");
    let users = "[expect.e]\nvariant = \"as-written\"\nmetric = \"user_success\"\nof = \"request.sign-in\"";
    assert!(said(&with(&format!("{users}\nmax = \"150%\"\n"))).contains("never more than the whole"));
}

/// Small numbers stand for names: the last pool is not taken for the first.
#[test]
fn more_of_a_kind_than_can_be_told_apart() {
    let many = |nodes: usize| {
        let node = |n| {
            format!("[postgres.n{n}]\ncores = 1\nmax_connections = 10\n[service.api.pool.n{n}]\nmax = 1\n")
        };
        said(&with(&(1..nodes).map(node).collect::<String>()))
    };
    assert!(!many(256).contains("error"), "{}", many(256));
    assert!(many(257).contains("pools of `api`: 257; at most 256 can be told apart"), "{}", many(257));
}

/// A check that cannot fail proves nothing.
#[test]
fn expectations_that_always_hold() {
    let expect =
        |of: &str, rest: &str| said(&with(&format!("[variant.v]\n[expect.e]\nof = \"{of}\"\n{rest}\n")));
    let service = |rest: &str| expect("service.api", rest);
    let success = |rest: &str| expect("request.sign-in", &format!("metric = \"user_success\"\n{rest}"));
    says!(
        "expectations_that_always_hold",
        service("metric = \"throughput\"\nmin = \"0/s\""),
        service("metric = \"spikes\"\nmin = 0"),
        service("metric = \"spikes\"\nmin = -1"),
        service("metric = \"spikes\"\nmin = { times = -1, of = \"variant.v\" }"),
        service("metric = \"spikes\"\nmin = { times = 0, of = \"variant.v\" }"),
        success("max = \"100%\""),
    );
    for right in
        ["min = 0\nmax = 2", "between = [0, 2]", "min = { times = 0.5, of = \"variant.v\" }", "max = 0"]
    {
        assert_eq!(service(&format!("metric = \"spikes\"\n{right}")), "");
    }
    let recovers = "metric = \"recovery\"\nafter = \"1m\"\nmin = \"0s\"";
    assert_eq!(service(recovers), "", "it asks whether it recovers at all");
    assert_eq!(success("min = \"100%\""), "");
}

#[test]
fn expectations_between_two_bounds_and_over_a_share_of_seeds() {
    let metric = "metric = \"herd_size\"\nof = \"postgres.primary\"\n";
    let expect = |rest: &str| said(&with(&format!("[expect.e]\n{metric}{rest}\n")));
    says!(
        "expectations_between_and_over_a_share",
        expect("between = [\"5%\", \"2%\"]"),
        expect("between = [\"5%\"]"),
        expect("between = \"5%\""),
        expect("between = [2, \"5%\"]"),
        expect("between = [\"2%\", { times = 2, of = \"variant.v\" }]"),
        expect("between = [\"2%\", \"5%\"]\nmax = \"5%\""),
        expect("min = \"5%\"\nmax = \"2%\""),
        expect("max = \"5%\"\nshare = \"90%\""),
        expect("max = \"5%\"\nshare = \"100%\""),
        expect("max = \"5%\"\nshare = \"0%\""),
        expect("max = \"5%\"\nshare = 0.9"),
        expect("max = \"5%\"\nshares = \"60%\""),
        expect("max = \"5%\"\ncause = \"lifetme\""),
    );
    for right in ["between = [\"2%\", \"5%\"]", "between = [\"2%\", \"2%\"]\nshare = \"60%\""] {
        assert_eq!(expect(right), "");
    }
    let few = BASE.replace("[1, 2, 3, 4, 5, 6]", "[1]");
    let few = said(&format!("{few}[expect.e]\n{metric}max = \"5%\"\nshare = \"4%\"\n"));
    assert_eq!(few, "", "it asks for what one seed can show");
}

#[test]
fn fewer_seeds_by_hand_are_a_look_and_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.toml");
    let expect = "[expect.e]\nmetric = \"herd_gain\"\nof = \"postgres.primary\"\nmax = 1\nshare = \"60%\"\n";
    std::fs::write(&path, with(expect)).unwrap();
    let (_, warnings) = Document::load(&path, &[], &["seeds=[7]".to_owned()]).expect("a scenario");
    let warnings = warnings.to_string();
    assert!(warnings.starts_with("warning: 1 seed cannot show 60 %"), "{warnings}");
    assert!(warnings.contains("give 6 seeds or more, or ask for at most 4 %"), "{warnings}");
}

#[test]
fn several_at_once_in_the_order_of_the_file() {
    let text = BASE
        .replace("\"15m\"", "900")
        .replace("query = \"lookup\"", "query = \"lokup\"")
        .replace("cores           = 4", "cores = 4\ncolour = \"red\"")
        .replace("\"400/s\"", "\"400/d\"");
    let dangling = BASE.replace("= 4", "= 4\ncolour = \"red\"").replace("\"lookup\"", "\"lokup\"");
    says!("unknown_and_dangling", said(&dangling));
    says!("several", said(&(text + "[variant.v.set]\n\"service.apis.concurrency\" = 1\n")));
}

#[test]
fn files() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let load = |path: &Path, set: &[&str]| {
        let set: Vec<String> = set.iter().map(|&text| text.to_owned()).collect();
        match Document::load(path, &[], &set) {
            Ok((_, warnings)) => warnings.to_string(),
            Err(problems) => problems.to_string(),
        }
        .replace(&directory.path().display().to_string(), "DIR")
    };
    write("curve.csv", b"t_s,rate_per_s\n0,10\n60,20\n60,30\n");
    write("words.csv", b"t_s,rate_per_s\n0,many\n");
    write("columns.csv", b"time,rate\n0,1\n");
    let csv = |name: &str| {
        let text = BASE.replace("\"400/s\"", &format!("{{ csv = \"{name}\" }}"));
        load(&write("csv.toml", text.as_bytes()), &[])
    };
    write("late.csv", b"t_s,rate_per_s\n\n5,10\n");
    write("gap.csv", b"t_s,rate_per_s\n0,10\n\n\n60,20\n60,30\n");
    write("negative.csv", b"t_s,rate_per_s\n0,10\n\n60,-20\n");
    write("bare.csv", b"0,10\n60,20\n");
    write("samples.csv", b"0.001\n0.002\n");
    write("debts.csv", b"s\n0.001\n\n-0.002\n");
    let samples = |name: &str| {
        let empirical = format!("{{ empirical = {{ csv = \"{name}\" }} }}");
        let text = BASE.replace("{ exponential = \"0.5ms\" }", &empirical);
        load(&write("samples.toml", text.as_bytes()), &[])
    };
    let good = write("good.toml", BASE.as_bytes());
    let remedy = |text: &str| {
        let path = write("remedy.toml", text.as_bytes());
        let said = Document::load(&good, &[path], &[]).expect_err("it is wrong").to_string();
        said.replace(&directory.path().display().to_string(), "DIR")
    };
    says!(
        "files",
        load(&directory.path().join("absent.toml"), &[]),
        load(directory.path(), &[]),
        load(&write("empty.toml", b" \n"), &[]),
        load(&write("latin1.toml", b"title = \"ok\"\nquestion = \"caf\xe9\"\n"), &[]),
        load(&write("huge.toml", &vec![b'#'; 5 << 20]), &[]),
        csv("absent.csv"),
        csv("curve.csv"),
        csv("words.csv"),
        csv("columns.csv"),
        csv("late.csv"),
        csv("gap.csv"),
        csv("negative.csv"),
        csv("bare.csv"),
        samples("samples.csv"),
        samples("debts.csv"),
        remedy("title = \"more\"\n\"postgres.second.cores\" = 8\n\"postgres.primary.cores\" = -1\n"),
        load(&good, &["postgres.primary.cores"]),
        load(&good, &["postgres.primary.cores=lots"]),
        load(&good, &["postgres.primary.coers=8", "duration=ten minutes"]),
    );
}

#[test]
fn colour_is_only_used_when_asked_for() {
    let problems = Document::from_text("scenario.toml", "title = 1").expect_err("it is wrong");
    assert!(!problems.render(false).contains('\u{1b}'));
    assert!(problems.render(true).contains('\u{1b}'));
}

/// Users' requests and attackers' are apart: an expectation must be of those that come.
#[test]
fn expectations_are_of_requests_that_somebody_sends() {
    let of = |name: &str| {
        format!("[expect.e]\nmetric = \"request_success\"\nof = \"request.{name}\"\nmin = \"99%\"\n")
    };
    let nobody = said(&with(&of("sign-in.abusive")));
    assert!(
        nobody.contains("no attacker sends `sign-in`") && nobody.contains("write `request.sign-in`"),
        "{nobody}"
    );
    let abusive = BASE.replacen("[traffic.users]\n", "[traffic.users]\nlabel = \"abusive\"\n", 1);
    let users = said(&format!("{abusive}\n{}", of("sign-in")));
    assert!(
        users.contains("no user sends `sign-in`") && users.contains("`request.sign-in.abusive`"),
        "{users}"
    );
    assert!(!said(&with(&of("sign-in"))).contains("sends"));
    assert!(!said(&format!("{abusive}\n{}", of("sign-in.abusive"))).contains("sends"));
}

/// A floor that nobody dials up to is told, and no other.
#[test]
fn a_floor_that_nobody_keeps() {
    let told = |more: &str| said_of("max                 = 10", &format!("max = 10\n{more}"));
    let why = "does not keep `min` = 5";
    assert!(told("min = 5\nrefill = \"demand\"").contains(why), "{}", told("min = 5\nrefill = \"demand\""));
    assert!(!told("min = 5\nrefill = \"to-min\"").contains(why));
    assert!(!told("refill = \"demand\"").contains("dials on demand only"));
}
