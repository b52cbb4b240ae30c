//! JUnit XML, which every CI shows: a suite for each scenario, a case for each expectation.
//!
//! A failed expectation is a `failure`. An inconclusive one is an `error` of type `inconclusive`: it does not
//! pass, and consumers count the two apart; where inconclusive ones are borne it is `skipped`. Values stand
//! in the properties and, for consumers that show no properties, in `system-out`. A scenario that is wrong is
//! a suite of one `error`, so that no verdict of before stands where nothing was run. Left out: times, which
//! differ from one run to the next.

use super::expectations::{measured, verdict_name};
use super::font::printable;
use super::tested::{Refused, Suite, Tested};
use crate::experiment::{Judged, Verdict};
use crate::scenario::place::SET;
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

/// The report as XML.
///
/// # Errors
/// If the library cannot write it.
pub fn xml(tested: &Tested) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("herdsim");
    report.add_test_suites(tested.suites.iter().map(|suite| self::suite(suite, tested)));
    report.to_string()
}

/// The report on scenarios that could not be tested.
///
/// # Errors
/// If the library cannot write it.
pub fn refused(refused: &[Refused]) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("herdsim");
    report.add_test_suites(refused.iter().map(refused_suite));
    report.to_string()
}

fn refused_suite(refused: &Refused) -> TestSuite {
    let name = printable(&refused.file);
    let lines: Vec<String> = refused.problems.to_string().lines().map(printable).collect();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    let first = refused.problems.iter().next();
    let message = first.map_or(String::new(), |problem| printable(&problem.in_a_line()));
    status.set_type("scenario").set_message(message).set_description(lines.join("\n"));
    let mut case = TestCase::new("can be tested", status);
    case.set_classname(name.clone());
    if let Some(place) =
        first.and_then(|problem| problem.place.as_ref()).filter(|place| place.source.name != SET)
    {
        case.extra.insert("file".into(), printable(&place.source.name).into());
        case.extra.insert("line".into(), place.line().to_string().into());
    }
    let mut xml = TestSuite::new(name);
    xml.add_property(Property::new("complete", "false"));
    xml.add_test_case(case);
    xml
}

fn suite(suite: &Suite, tested: &Tested) -> TestSuite {
    let mut xml = TestSuite::new(printable(&suite.file));
    let seeds: Vec<String> = suite.seeds.iter().map(u64::to_string).collect();
    xml.add_properties(
        [
            ("title", printable(&suite.header.title)),
            ("seeds", seeds.join(" ")),
            ("complete", suite.complete().to_string()),
        ]
        .map(|(name, value)| Property::new(name, value)),
    );
    let scenario = printable(&suite.header.scenario);
    xml.add_test_cases(suite.judged.iter().map(|judged| case(judged, &scenario, tested)));
    xml
}

fn case(judged: &Judged, scenario: &str, tested: &Tested) -> TestCase {
    let mut case = TestCase::new(printable(&judged.name), status(judged, tested));
    case.set_classname(scenario);
    if let Some(place) = &judged.place {
        case.extra.insert("file".into(), printable(&place.file).into());
        case.extra.insert("line".into(), place.line.to_string().into());
    }
    let values: Vec<String> = judged.values.iter().map(f64::to_string).collect();
    case.add_properties(
        [
            ("variant", printable(&judged.variant)),
            ("claim", printable(&judged.claim)),
            ("unit", judged.unit.to_owned()),
            ("values", values.join(" ")),
            ("verdict", verdict_name(judged.verdict).to_owned()),
        ]
        .map(|(name, value)| Property::new(name, value)),
    );
    for (name, limit) in [("min", &judged.min), ("max", &judged.max)] {
        if let Some(limit) = limit {
            case.add_property(Property::new(name, printable(&limit.words)));
            if let Some(against) = &limit.against {
                let limits: Vec<String> = against.limits.iter().map(f64::to_string).collect();
                case.add_property(Property::new(format!("{name}-values"), limits.join(" ")));
            }
        }
    }
    case.set_system_out(told(judged));
    case
}

fn status(judged: &Judged, tested: &Tested) -> TestCaseStatus {
    let mut status = match judged.verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Inconclusive if tested.bears(judged) => TestCaseStatus::skipped(),
        Verdict::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let because = if judged.because.is_empty() { measured(judged) } else { judged.because.clone() };
    status.set_type(verdict_name(judged.verdict));
    status.set_message(printable(&because)).set_description(told(judged));
    status
}

/// Line by line: the claim, what was measured, why, and where it stands.
fn told(judged: &Judged) -> String {
    let place = judged.place.as_ref().map_or(String::new(), |place| format!("at {place}"));
    let lines = [judged.claim.clone(), measured(judged), judged.because.clone(), place];
    let lines: Vec<String> =
        lines.iter().filter(|line| !line.is_empty()).map(|line| printable(line)).collect();
    lines.join("\n")
}

#[cfg(test)]
#[path = "junit_tests.rs"]
mod tests;
