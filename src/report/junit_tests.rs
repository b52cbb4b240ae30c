//! The XML has the structure that the usual schema of JUnit reports asks for, whatever names are in it.

use super::*;
use crate::experiment::{Against, ResolvedBound};
use crate::report::tested::synthetic::tested;
use std::collections::BTreeMap;

/// An element: its name, its attributes and what is in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn count(&self, attribute: &str) -> usize {
        self.attributes[attribute].parse().unwrap()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Which children and attributes the schema allows; which attributes it demands.
    fn follows_the_schema(&self) {
        let (children, demanded, allowed): (&[&str], &[&str], &[&str]) = match self.name.as_str() {
            "testsuites" => (&["testsuite"], &["name"], &["tests", "failures", "errors", "skipped", "time"]),
            "testsuite" => (
                &["properties", "testcase", "system-out", "system-err"],
                &["name", "tests", "failures", "errors"],
                &["skipped", "disabled", "time", "timestamp"],
            ),
            "properties" => (&["property"], &[], &[]),
            "property" => (&[], &["name", "value"], &[]),
            "testcase" => (
                &["properties", "skipped", "error", "failure", "system-out", "system-err"],
                &["name", "classname"],
                &["time", "file", "line", "assertions"],
            ),
            "skipped" | "error" | "failure" => (&[], &[], &["message", "type"]),
            "system-out" | "system-err" => (&[], &[], &[]),
            other => panic!("<{other}> is in no schema"),
        };
        for child in &self.children {
            assert!(children.contains(&child.name.as_str()), "<{}> in <{}>", child.name, self.name);
            child.follows_the_schema();
        }
        let known = |name: &str| demanded.contains(&name) || allowed.contains(&name);
        assert!(self.attributes.keys().all(|name| known(name)), "{self:?}");
        assert!(demanded.iter().all(|name| self.attributes.contains_key(*name)), "{self:?}");
    }
}

/// Reads XML back into elements.
fn parse(xml: &str) -> Element {
    use quick_xml::XmlVersion;
    use quick_xml::events::{BytesStart, Event};
    let mut reader = quick_xml::Reader::from_str(xml);
    let element = |start: &BytesStart| Element {
        name: String::from_utf8(start.name().as_ref().to_vec()).unwrap(),
        attributes: start
            .attributes()
            .map(|attribute| {
                let attribute = attribute.unwrap();
                let name = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                (name, attribute.normalized_value(XmlVersion::Implicit1_0).unwrap().into_owned())
            })
            .collect(),
        ..Element::default()
    };
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => open.push(element(&start)),
            Event::Empty(start) => open.last_mut().unwrap().children.push(element(&start)),
            Event::End(_) => {
                let done = open.pop().unwrap();
                open.last_mut().unwrap().children.push(done);
            }
            Event::Text(text) => open.last_mut().unwrap().text += &text.decode().unwrap(),
            Event::GeneralRef(entity) => {
                open.last_mut().unwrap().text += &format!("&{};", entity.decode().unwrap());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open.len(), 1, "all is closed");
    open.remove(0).children.remove(0)
}

fn read(tested: &Tested) -> Element {
    let xml = xml(tested).unwrap();
    assert!(xml.starts_with("<?xml"), "{xml}");
    let root = parse(&xml);
    root.follows_the_schema();
    root
}

#[test]
fn the_structure_is_that_of_the_schema_and_the_counts_are_right() {
    let root = read(&tested());
    assert_eq!((root.count("tests"), root.count("failures"), root.count("errors")), (3, 1, 1));
    let suites: Vec<&Element> = root.all("testsuite").collect();
    assert_eq!(suites[0].attributes["name"], "herd/a.toml");
    assert_eq!((suites[0].count("tests"), suites[0].count("failures"), suites[0].count("errors")), (2, 1, 0));
    let cases: Vec<&Element> = suites[0].all("testcase").collect();
    let (good, bad) = (cases[0], cases[1]);
    assert!(good.all("failure").chain(good.all("error")).next().is_none());
    assert_eq!((bad.attributes["file"].as_str(), bad.count("line")), ("herd/a.toml", 9));
    assert_eq!(
        (bad.attributes["name"].as_str(), bad.attributes["classname"].as_str()),
        ("<fails>", "september")
    );
    let failure = bad.all("failure").next().expect("a failure");
    assert_eq!(failure.attributes["type"], "fail");
    assert!(failure.attributes["message"].starts_with("measured 1.0–50%"), "{failure:?}");
    assert!(failure.text.contains("at herd/a.toml:9") && failure.text.contains('\n'), "{failure:?}");
    let unclear = suites[1].all("testcase").next().expect("a case").all("error").next().expect("an error");
    assert_eq!(unclear.attributes["message"].trim(), "held with 1 of 3 seeds");
    let out = good.all("system-out").next().expect("values");
    assert!(out.text.contains("measured 1.0–50%, and nothing with 1 of 3 seeds"), "{out:?}");
}

#[test]
fn what_is_borne_is_skipped() {
    let root = read(&Tested { bears_inconclusive: true, ..tested() });
    assert_eq!((root.count("failures"), root.count("errors")), (1, 0));
    let suite = root.all("testsuite").nth(1).unwrap();
    assert_eq!(suite.count("skipped"), 1);
}

#[test]
fn names_and_reasons_cannot_break_the_xml() {
    let mut tested = tested();
    let nasty = "a \"b\" & <c> ]]> \u{1b}[31mred\u{0}\u{fffe}\u{8}";
    tested.suites[0].judged[1].because = nasty.to_owned();
    tested.suites[0].header.title = nasty.to_owned();
    tested.suites[1].file = nasty.to_owned();
    tested.suites[1].judged.clear();
    let root = read(&tested);
    let first = root.all("testsuite").next().unwrap();
    let failure = first.all("testcase").nth(1).unwrap().all("failure").next().unwrap();
    let message = &failure.attributes["message"];
    assert!(message.starts_with("a \"b\" & <c> ]]>") && !message.contains(char::is_control), "{message:?}");
}

/// A bound that is relative is a number in the end, and that number decides.
#[test]
fn a_relative_bound_is_told_as_what_it_came_to() {
    let mut tested = tested();
    let against = Against { variant: "pinned".into(), values: vec![0.2; 3], limits: vec![0.1, 0.25, 0.1] };
    let limit =
        ResolvedBound { words: "0.5 × variant.pinned".into(), value: f64::NAN, against: Some(against) };
    tested.suites[0].judged[0].max = Some(limit);
    let xml = xml(&tested).unwrap();
    assert!(xml.contains("name=\"max-values\" value=\"0.1 0.25 0.1\""), "{xml}");
    assert!(xml.contains("; at most 10–25% (pinned: 20%)"), "{xml}");
}
