//! What was probably meant, and where it is to be written: cures and advice that people asked for.

use super::wrong::said;
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

/// Who asks for no share of all seeds means those that are run.
#[test]
fn one_seed_is_warned_of_only_beside_a_share() {
    let expect = "[expect.e]\nmetric = \"herd_size\"\nof = \"postgres.primary\"\nmax = \"5%\"\n";
    assert_eq!(said(&with(expect).replace("[1, 2, 3, 4, 5, 6]", "[1]")), "");
}
