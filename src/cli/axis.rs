//! An axis of a sweep as written on the command line: `path=a,b,c`, `path=lo..hi:n`, or several paths that
//! move together, by semicolons: `path=1,2;other=x,y`. A value may have a name for tables and maps:
//! `name@value`.

use crate::experiment::sweep::{Axis, Place};

/// The most values of a range: each is a run of its own.
const MOST: usize = 1000;

/// Reads an axis.
///
/// # Errors
/// Says what is missing, and how it is written.
pub fn parse(text: &str) -> Result<Axis, String> {
    let tracks = split(text, ';').into_iter().map(track).collect::<Result<Vec<_>, _>>()?;
    let (name, first) = &tracks[0];
    if let Some((other, values)) = tracks.iter().find(|(_, values)| values.len() != first.len()) {
        let (here, there) = (first.len(), values.len());
        return Err(format!(
            "paths that move together have equally many values: `{name}` {here}, `{other}` {there}"
        ));
    }
    let place = |(place, value): (usize, &String)| Place {
        label: named(value).0.to_owned(),
        set: tracks.iter().map(|(path, values)| format!("{path}={}", named(&values[place]).1)).collect(),
    };
    Ok(Axis { name: name.clone(), places: first.iter().enumerate().map(place).collect() })
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
        Some((low, rest)) if rest.contains(':') => range(low, rest)?,
        _ => split(values, ',').into_iter().map(|value| value.trim().to_owned()).collect(),
    };
    if path.trim().is_empty() || values.iter().any(String::is_empty) {
        return Err(form.to_owned());
    }
    Ok((path.trim().to_owned(), values))
}

/// `lo..hi:n`: so many values from one to the other, evenly.
fn range(low: &str, rest: &str) -> Result<Vec<String>, String> {
    let form = "a range is written `lo..hi:n`, such as `30s..180s:6` or `x0.5..x2:4`";
    let (high, count) = rest.split_once(':').ok_or(form)?;
    let count: usize = count.trim().parse().map_err(|_| form)?;
    let ((before, from, after), (other, to, unit)) = (number(low).ok_or(form)?, number(high).ok_or(form)?);
    if !(2..=MOST).contains(&count) || before != other || after != unit {
        return Err(format!("{form}; both ends have the same unit, and n is 2 to {MOST}"));
    }
    let step = (to - from) / (count - 1) as f64;
    // Six decimals: 0.1 + 0.2 is written 0.3.
    let value = |n: usize| ((from + step * n as f64) * 1e6).round() / 1e6;
    Ok((0..count).map(|n| format!("{before}{}{after}", value(n))).collect())
}

/// `x0.5` is `x`, 0.5 and nothing; `30s` is nothing, 30 and `s`.
fn number(text: &str) -> Option<(&str, f64, &str)> {
    let text = text.trim();
    let begin = text.find(|c: char| c.is_ascii_digit())?;
    let digits = |c: char| !c.is_ascii_digit() && c != '.';
    let end = text[begin..].find(digits).map_or(text.len(), |end| begin + end);
    Some((&text[..begin], text[begin..end].parse().ok()?, &text[end..]))
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

    fn labels(text: &str) -> Vec<String> {
        parse(text).unwrap().places.into_iter().map(|place| place.label).collect()
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
        assert_eq!(axis.places[0].set, ["g={ fast = {} }"]);
        assert_eq!(axis.places[1].set, [r#"g="a@b""#]);
    }

    #[test]
    fn paths_move_together() {
        let axis = parse("a=1,2;b.c=x,y").unwrap();
        assert_eq!(axis.places[1].set, ["a=2", "b.c=y"]);
        assert_eq!(axis.name, "a");
        assert!(parse("a=1,2;b=x").unwrap_err().contains("equally many"));
    }

    #[test]
    fn what_is_no_axis_is_told_how_to_be_one() {
        for text in ["", "a", "=1", "a=", "a=1,,2", "a=1s..2m:3", "a=1..2:1", "a=1..2:1000000000", "a=1..2:x"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
