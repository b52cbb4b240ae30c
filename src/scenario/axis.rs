//! An axis of a sweep: overlays in a row.
//!
//! On the command line `path=a,b,c`, `path=lo..hi:n`, or several paths that move together, by semicolons:
//! `path=1,2;other=x,y`. A value may have a name for tables and maps: `name@value`. In a scenario what stands
//! behind the first `=`, or a list. A range without a count, `lo..hi`, is for points drawn by chance.

mod range;

use super::grammar::{AxisValues, ScenarioSweep};
pub use range::{Range, number};
use serde::{Deserialize, Serialize};

/// The most values of a range: each is a run of its own.
const MOST: usize = 1000;

/// One axis of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The path that it moves; the first, if it moves several.
    pub name: String,
    /// What stands along it.
    pub along: Along,
}

/// What stands along an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Along {
    /// Places, in order.
    Places(Vec<AxisPlace>),
    /// Everything between two ends.
    Between(Range),
}

/// A place on an axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AxisPlace {
    /// The value of the first path, as written.
    pub label: String,
    /// What is laid over the scenario: `path=value`.
    pub set: Vec<String>,
}

impl Axis {
    /// The paths that it moves.
    pub fn paths(&self) -> Vec<String> {
        let path = |set: &String| set.split('=').next().unwrap_or_default().trim().to_owned();
        match self.places() {
            [first, ..] => first.set.iter().map(path).collect(),
            [] => vec![self.name.clone()],
        }
    }

    /// Its places; none if it has no steps.
    pub fn places(&self) -> &[AxisPlace] {
        match &self.along {
            Along::Places(places) => places,
            Along::Between(_) => &[],
        }
    }
}

/// Two paths of different axes that lead to the same value.
pub fn overlapping(axes: &[Axis]) -> Option<(String, String)> {
    let same = |a: &str, b: &str| {
        let (a, b): (Vec<&str>, Vec<&str>) = (a.split('.').collect(), b.split('.').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || [*a, *b].contains(&"*"))
    };
    axes.iter().enumerate().find_map(|(place, axis)| {
        let others = axes[place + 1..].iter().flat_map(Axis::paths);
        others.into_iter().find_map(|other| {
            axis.paths().into_iter().find(|path| same(path, &other)).map(|path| (path, other.clone()))
        })
    })
}

/// Reads an axis as on the command line.
///
/// # Errors
/// Says what is missing, and how it is written.
pub fn parse(text: &str) -> Result<Axis, String> {
    if let [whole] = split(text, ';')[..]
        && let Some((path, values)) = whole.split_once('=')
        && let Ok(range) = Range::parse(values)
        && !path.trim().is_empty()
    {
        return Ok(Axis { name: path.trim().to_owned(), along: Along::Between(range) });
    }
    let tracks = split(text, ';').into_iter().map(track).collect::<Result<Vec<_>, _>>()?;
    let (name, first) = &tracks[0];
    if let Some((other, values)) = tracks.iter().find(|(_, values)| values.len() != first.len()) {
        let (here, there) = (first.len(), values.len());
        return Err(format!(
            "paths that move together have equally many values: `{name}` {here}, `{other}` {there}"
        ));
    }
    let place = |(place, value): (usize, &String)| AxisPlace {
        label: named(value).0.to_owned(),
        set: tracks.iter().map(|(path, values)| format!("{path}={}", named(&values[place]).1)).collect(),
    };
    along(name, first.iter().enumerate().map(place).collect())
}

/// An axis with these places.
///
/// # Errors
/// If two are the same: what is run twice would count twice.
fn along(name: &str, places: Vec<AxisPlace>) -> Result<Axis, String> {
    for (n, place) in places.iter().enumerate() {
        if places[..n].iter().any(|before| before.label == place.label) {
            return Err(format!("the axis `{name}` has `{}` twice: leave one out", place.label));
        }
    }
    Ok(Axis { name: name.to_owned(), along: Along::Places(places) })
}

/// The axes of a scenario.
///
/// # Errors
/// The path of one that cannot be read, and why.
pub fn of(sweep: &ScenarioSweep) -> Result<Vec<Axis>, (String, String)> {
    let read =
        sweep.axes.iter().map(|(path, values)| written(path, values).map_err(|why| (path.clone(), why)));
    read.collect()
}

/// An axis as in a scenario.
fn written(path: &str, values: &AxisValues) -> Result<Axis, String> {
    let serde_json::Value::Array(items) = &values.0 else {
        return parse(&format!("{path}={}", values.0.as_str().unwrap_or_default()));
    };
    if items.is_empty() {
        return Err("the axis has no values: write for example `[2, 4, 8]`".to_owned());
    }
    along(path, items.iter().map(|item| place(path, item)).collect::<Result<_, _>>()?)
}

/// One value of a list: a text as on the command line, anything else as TOML.
fn place(path: &str, item: &serde_json::Value) -> Result<AxisPlace, String> {
    let text = match item.as_str() {
        Some(text) => text.to_owned(),
        None => toml::Value::try_from(item).map_err(|error| error.to_string())?.to_string(),
    };
    let (label, value) = named(&text);
    if value.trim().is_empty() {
        return Err("one of the values is empty".to_owned());
    }
    Ok(AxisPlace { label: label.to_owned(), set: vec![format!("{path}={value}")] })
}

/// A value and its name, which is the value itself unless `name@value` says otherwise.
fn named(value: &str) -> (&str, &str) {
    match split(value, '@')[..] {
        [name, value] if !name.trim().is_empty() => (name.trim(), value.trim()),
        _ => (value, value),
    }
}

/// A path and its values.
fn track(text: &str) -> Result<(String, Vec<String>), String> {
    let form = "write a path, `=` and values by commas, such as `service.api.pool.primary.max=5,10,20`";
    let (path, values) = text.split_once('=').ok_or(form)?;
    let values = match values.split_once("..") {
        Some((_, rest)) if rest.contains(':') => steps(values)?,
        _ => split(values, ',').into_iter().map(|value| value.trim().to_owned()).collect(),
    };
    if path.trim().is_empty() || values.iter().any(String::is_empty) {
        return Err(form.to_owned());
    }
    Ok((path.trim().to_owned(), values))
}

/// `lo..hi:n`: so many values from one to the other, evenly.
fn steps(text: &str) -> Result<Vec<String>, String> {
    let form = "a range with steps is written `lo..hi:n`, such as `30s..180s:6` or `x0.5..x2:4`";
    let (range, count) = text.rsplit_once(':').ok_or(form)?;
    let count: usize = count.trim().parse().map_err(|_| form)?;
    if !(2..=MOST).contains(&count) {
        return Err(format!("{form}; n is 2 to {MOST}"));
    }
    // Steps between whole numbers need not be whole: 1..2:3 has 1.5 in the middle.
    let range = Range { whole: false, ..Range::parse(range)? };
    let step = (range.high - range.low) / (count - 1) as f64;
    Ok((0..count).map(|n| range.text(range.low + step * n as f64)).collect())
}

/// Splits at a sign that stands neither in quotes nor in brackets.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut depth, mut quoted, mut begin) = (0_i32, false, 0);
    let mut parts = Vec::new();
    for (place, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            c if c == at && !quoted && depth == 0 => {
                parts.push(&text[begin..place]);
                begin = place + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(text: &str) -> Vec<String> {
        parse(text).unwrap().places().iter().map(|place| place.label.clone()).collect()
    }

    #[test]
    fn values_ranges_and_tables_are_read() {
        assert_eq!(labels("a.b=1, 2,x3"), ["1", "2", "x3"]);
        assert_eq!(labels("a=30s..180s:6"), ["30s", "60s", "90s", "120s", "150s", "180s"]);
        assert_eq!(labels("a=x0.5..x1.1:3"), ["x0.5", "x0.8", "x1.1"]);
        let grants = r#"g={ fast = { base = "1ms" } },{ quadratic = { base = "1ms", per_waiter = "2us" } }"#;
        assert_eq!(labels(grants).len(), 2);
    }

    #[test]
    fn a_value_may_have_a_name() {
        let axis = parse(r#"g=fast@{ fast = {} },as it was@"a@b",plain"#).unwrap();
        assert_eq!(labels(r#"g=fast@{ fast = {} },as it was@"a@b",plain"#), ["fast", "as it was", "plain"]);
        assert_eq!(axis.places()[0].set, ["g={ fast = {} }"]);
        assert_eq!(axis.places()[1].set, [r#"g="a@b""#]);
    }

    #[test]
    fn paths_move_together() {
        let axis = parse("a=1,2;b.c=x,y").unwrap();
        assert_eq!(axis.places()[1].set, ["a=2", "b.c=y"]);
        assert_eq!(axis.name, "a");
        assert!(parse("a=1,2;b=x").unwrap_err().contains("equally many"));
    }

    #[test]
    fn a_range_without_a_count_has_no_steps() {
        let Along::Between(range) = parse("a=0s..180s").unwrap().along else { panic!("a range") };
        assert_eq!(range.text(37.5), "37.5s");
        assert_eq!(range.width("5s"), Ok(5.0));
        assert_eq!(range.width("2500ms"), Ok(2.5));
        assert!(range.width("5").unwrap_err().contains("`9s`"));
        let Along::Between(counts) = parse("a=2..16").unwrap().along else { panic!("a range") };
        assert_eq!(counts.text(3.4), "3");
        assert!(Range::parse("16..2").unwrap_err().contains("not below"));
        assert_eq!(labels("a=3m1s..3m5s:3"), ["181s", "183s", "185s"]);
        assert_eq!(labels("a=30s..2m:2"), ["30s", "120s"]);
        assert_eq!(labels("a=0s..1500ms:3"), ["0s", "0.75s", "1.5s"]);
    }

    #[test]
    fn what_is_small_is_not_rounded_away() {
        assert_eq!(labels("a=500ns..50us:3"), ["0.5us", "25.25us", "50us"]);
        assert_eq!(labels("a=0s..9us:4"), ["0ms", "0.003ms", "0.006ms", "0.009ms"]);
        assert_eq!(
            labels("a=x0.0000001..x0.0000004:4"),
            ["x0.0000001", "x0.0000002", "x0.0000003", "x0.0000004"]
        );
        assert_eq!(labels("a=0.1..0.5:5"), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
    }

    #[test]
    fn the_width_of_a_range_of_factors_may_be_a_bare_number() {
        let Along::Between(range) = parse("a=x0.5..x2").unwrap().along else { panic!("a range") };
        assert_eq!([range.width("x0.1"), range.width("0.1")], [Ok(0.1), Ok(0.1)]);
        assert!(range.width("5s").is_err());
    }

    #[test]
    fn a_list_in_a_scenario_is_read_as_toml_and_its_texts_as_on_the_command_line() {
        let list = AxisValues(json!([2, 0.5, "fast@{ fast = {} }", { "min": 1, "max": 2 }]));
        let axis = written("p", &list).unwrap();
        let sets: Vec<&str> = axis.places().iter().map(|place| place.set[0].as_str()).collect();
        assert_eq!(sets, ["p=2", "p=0.5", "p={ fast = {} }", "p={ min = 1, max = 2 }"]);
        assert!(written("p", &AxisValues(json!([]))).unwrap_err().contains("no values"));
        assert_eq!(written("p", &AxisValues(json!("1..4:4"))).unwrap().places().len(), 4);
    }

    #[test]
    fn what_is_no_axis_is_told_how_to_be_one() {
        for text in ["", "a", "=1", "a=", "a=1,,2", "a=1s..2:3", "a=1..2:1", "a=1..2:1000000000", "a=1..2:x"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
