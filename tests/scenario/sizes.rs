//! What no machine plays is refused before it fills the memory; what a large fleet asks for is not.

use super::BASE;
use super::wrong::said_of;
use herdsim::measure::{CAUSES, ClassBin, Cycle, HerdBin, LevelBin, ServiceBin};
use herdsim::scenario::Document;
use std::mem::size_of;

/// Only the errors: a fleet may be too small for what is asked of it.
fn refused(text: &str) -> String {
    Document::from_text("scenario.toml", text).map_or_else(|problems| problems.to_string(), |_| String::new())
}

/// In a run of seconds the requests of a second count, wherever the rate stands.
#[test]
fn more_requests_in_a_second_than_any_memory_holds() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("curve.csv"), "t_s,rate_per_s\n0,4294967296\n").unwrap();
    let short = BASE.replace("\"1h\"", "\"2s\"");
    for rate in [
        "\"4294967296/s\"",
        "{ piecewise = [{ from = \"0s\", rate = \"1/s\" }, { from = \"1s\", rate = \"4294967296/s\" }] }",
        "{ csv = \"curve.csv\" }",
    ] {
        let path = directory.path().join("scenario.toml");
        std::fs::write(&path, short.replace("\"400/s\"", rate)).unwrap();
        let said = Document::load(&path, &[], &[]).unwrap_err().to_string();
        assert!(said.contains("requests in a second; at most 1e7 can be run"), "{said}");
        assert!(said.contains("help: lower the rates"), "{said}");
    }
    let two = format!("{short}[traffic.more]\nrequest = \"sign-in\"\nrate = \"6000000/s\"\n");
    assert!(refused(&two.replace("400/s", "6000000/s")).contains("1.2e7 requests in a second"), "together");
    let event = "[event.e]\nat = \"1s\"\nset = { \"traffic.users.enabled\" = false }\n";
    assert_eq!(refused(&format!("{}{event}", short.replace("400/s", "10000000/s"))), "");
}

/// What is recorded grows with the time, however little happens in it.
#[test]
fn a_run_that_is_too_long_to_be_recorded() {
    let lasting = |duration: &str| {
        let long =
            BASE.replace("400/s", "1/h").replace("duration = \"1h\"", &format!("duration = \"{duration}\""));
        refused(&long)
    };
    let said = lasting("100000h");
    assert!(
        said.contains("what is recorded of so long a run takes 41 GB; at most 4 GB can be kept"),
        "{said}"
    );
    assert!(said.contains("4 | duration = \"100000h\""), "{said}");
    assert!(said.contains("help: shorten `duration`: "), "{said}");
    let fits = said.rsplit_once("`duration`: ").and_then(|(_, rest)| rest.split(' ').next()).unwrap();
    assert_eq!(lasting(fits), "", "the cure cures");
    assert!(refused(&BASE.replace("\"15m\"", "\"1ms\"").replace("\"1h\"", "\"100h\"")).contains("duration"));
}

#[test]
fn a_month_of_a_fleet_can_be_recorded() {
    let mut text = BASE.replace("\"1h\"", "\"720h\"");
    for number in 0..4 {
        text += &format!(
            "[postgres.n{number}]\nlike = \"primary\"\n[service.s{number}]\nlike = \"api\"\n\
             [request.r{number}]\nservice = \"s{number}\"\nsteps = [{{ query = \"lookup\", on = \"primary\" }}]\n\
             [traffic.t{number}]\nrequest = \"r{number}\"\nrate = \"10/s\"\n\
             [expect.e{number}]\nmetric = \"latency.p99\"\nof = \"request.r{number}\"\nmax = \"1s\"\n"
        );
    }
    assert_eq!(refused(&text), "");
}

/// The estimate counts with these: `bytes_of_a_second` says of what.
#[test]
fn the_estimate_knows_the_structs() {
    assert_eq!(size_of::<LevelBin>(), 24);
    assert_eq!(size_of::<ClassBin>(), 152);
    assert_eq!(size_of::<ServiceBin>(), 56);
    assert_eq!(size_of::<HerdBin>(), 80);
    assert_eq!(size_of::<Cycle>(), 56);
    assert_eq!(CAUSES * size_of::<u32>(), 20);
}

/// What a pool opens whatever is asked of it counts, not what it might.
#[test]
fn more_connections_than_any_memory_holds() {
    let fleet = |containers: u32, pool: &str| {
        let all =
            BASE.replace("{ min = 10, max = 10 }", &format!("{{ min = {containers}, max = {containers} }}"));
        refused(&all.replace("max                 = 10\n", &format!("{pool}\n")))
    };
    let said = fleet(100_000, "max = 100000\nmin = \"max\"");
    assert!(said.contains("the pools open 10000000000 connections by themselves"), "{said}");
    assert!(said.contains("min = \"max\""), "{said}");
    assert!(said.contains("help: lower `min`, or how many `containers`"), "{said}");
    assert_eq!(fleet(10_000, "max = 100\nmin = \"max\""), "");
    assert_eq!(fleet(100_000, "max = 100000"), "", "a pool that opens on demand");
    let pooler = |floor: &str| {
        let pooler = format!(
            "pooler = {{ mode = \"transaction\", processes = 200, pool = {{ {floor} }} }}\n[service.api]"
        );
        said_of("[service.api]", &pooler)
    };
    assert!(pooler("max = 100000, min = \"max\"").contains("the pools open 20000000 connections"));
    assert!(!pooler("max = 100000, min = 10").contains("error"), "a floor of a few");
}
