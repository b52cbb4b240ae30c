//! What was probably meant, and where it is to be written: cures and advice that people asked for.

use super::wrong::{said, said_of};
use super::{BASE, with};

#[test]
fn a_device_asks_for_a_class_as_traffic_does() {
    let class = "[request.token]\nservice = \"api\"\nsteps = [{ app = \"1ms\" }]\n";
    assert!(said(&with(class)).contains("no traffic and no device asks for `token`"));
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
    let p99 = said(&with("[expect.e]\nmetric = \"p99\"\nof = \"service.api\"\nmax = \"1s\"\n"));
    assert!(p99.contains("did you mean `worst_p99`?"), "{p99}");
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
