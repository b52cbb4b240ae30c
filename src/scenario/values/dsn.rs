//! A Postgres connection string with pgxpool's parameters, as a URL or as `key=value` pairs.
//!
//! Only the parameters that begin with `pool_`, and `connect_timeout`, are looked at: no host, user or
//! password is kept or shown. Defaults are those of pgxpool 5.10 (pools.md §1a).

use super::Values;
use crate::scenario::units::parse_span;
use serde_json::{Value, json};

/// Parameter, key of a pool, pgxpool's default.
const DURATIONS: [(&str, &str, &str); 4] = [
    ("pool_max_conn_lifetime", "max_lifetime", "1h"),
    ("pool_max_conn_lifetime_jitter", "max_lifetime_jitter", "0s"),
    ("pool_max_conn_idle_time", "idle_timeout", "30m"),
    ("pool_health_check_period", "sweep", "1m"),
];

/// Parameters that are whole numbers.
const COUNTS: [&str; 3] = ["pool_max_conns", "pool_min_conns", "pool_min_idle_conns"];

const NONE: &str = "it is no connection string: neither postgres://… nor key=value pairs";

/// The settings of a pool in a connection string.
#[derive(Clone, Debug, PartialEq)]
pub struct Pgxpool {
    /// `pool_max_conns`, if given: the default depends on the machine.
    pub max: Option<u64>,
    /// `pool_min_conns`, or zero.
    pub min: u64,
    /// Key of a pool and its value, as a scenario writes it.
    pub durations: Vec<(&'static str, String)>,
    /// `connect_timeout`, or pgxpool's two minutes.
    pub connect_timeout: String,
}

/// Reads a connection string.
///
/// # Errors
/// It is none, or a parameter of the pool is not what pgxpool takes. What the string holds is never quoted:
/// it may hold a password.
pub fn read(text: &str) -> Result<Pgxpool, String> {
    let parameters = parameters(text)?;
    let get =
        |name: &str| parameters.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let known = |key: &str| COUNTS.contains(&key) || DURATIONS.iter().any(|(name, ..)| *name == key);
    if parameters.iter().any(|(key, _)| key.starts_with("pool_") && !known(key) && key != "pool_ping_timeout")
    {
        let durations = DURATIONS.map(|(name, ..)| name);
        let all = [&COUNTS[..], &durations[..]].concat().join(", ");
        return Err(format!(
            "the connection string has a parameter `pool_…` that pgxpool does not know; there are {all}"
        ));
    }
    let count = |name: &str| match get(name).map(str::parse::<u32>) {
        Some(Err(_)) => Err(format!("`{name}` of the connection string is not a whole number")),
        other => Ok(other.and_then(Result::ok).map(u64::from)),
    };
    let mut durations = Vec::new();
    for (name, key, default) in DURATIONS {
        // Go takes a bare zero for a duration.
        let value = get(name).map_or(default, |value| if value == "0" { "0s" } else { value });
        let span = parse_span(value)
            .map_err(|_| format!("`{name}` of the connection string is not a duration such as `30m`"))?;
        // pgxpool: a lifetime of zero is no lifetime.
        let none = key == "max_lifetime" && span.0 == 0;
        durations.push((key, if none { "none".to_owned() } else { span.to_string() }));
    }
    let max = count("pool_max_conns")?;
    if max == Some(0) {
        return Err("`pool_max_conns` of the connection string is 0: pgxpool takes 1 or more".to_owned());
    }
    let connect = count("connect_timeout")?.filter(|seconds| *seconds > 0).unwrap_or(120);
    Ok(Pgxpool {
        max,
        min: count("pool_min_conns")?.unwrap_or(0).max(count("pool_min_idle_conns")?.unwrap_or(0)),
        durations,
        connect_timeout: format!("{connect}s"),
    })
}

impl Pgxpool {
    /// Its values for a pool of a scenario.
    pub fn values(&self, pool: &str) -> Values {
        let path = |key: &str| format!("{pool}.{key}");
        let mut values = Values::from_iter([(path("min"), json!(self.min))]);
        values.extend(self.max.map(|max| (path("max"), json!(max))));
        values.extend(self.durations.iter().map(|(key, value)| (path(key), setting(key, value))));
        values.insert(path("connect_timeout"), json!(self.connect_timeout));
        values
    }
}

fn setting(key: &str, value: &str) -> Value {
    if key == "sweep" { json!({ "every": value }) } else { json!(value) }
}

/// The parameters of a URL's query, or of `key=value` pairs.
fn parameters(text: &str) -> Result<Vec<(String, String)>, String> {
    let text = text.trim();
    let scheme = text.split_once("://").map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match scheme {
        Some((scheme, rest)) if scheme == "postgres" || scheme == "postgresql" => {
            let query = query(rest).split('#').next().unwrap_or_default();
            Ok(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
        }
        _ => pairs(text).filter(|pairs| !pairs.is_empty()).ok_or_else(|| NONE.to_owned()),
    }
}

/// What stands behind the `?` of a URL. RFC 3986 and pgx take the first, so that neither user nor password
/// may hold one; for libpq a password may: it goes up to the first `@` that stands before any `/`. Behind
/// that the query is looked for first; an `@` of the query itself, which no other `?` follows, ends no
/// password.
fn query(rest: &str) -> &str {
    let query = |text: &'_ str| text.find('?').map(|at| at + 1);
    let host = rest.find('@').filter(|at| !rest[..*at].contains('/')).map_or(0, |at| at + 1);
    let begin = query(&rest[host..]).map(|at| host + at).or_else(|| query(rest));
    begin.map_or("", |begin| &rest[begin..])
}

/// `key = 'value'` pairs as libpq reads them; `None` if they are not well formed.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut rest = text;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let key = key.trim();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            return None;
        }
        let (value, left) = value(after.trim_start())?;
        found.push((key.to_owned(), value));
        rest = left.trim_start();
    }
    Some(found)
}

/// A value up to a blank, or in quotes; a backslash keeps what follows it. And what comes after.
fn value(text: &str) -> Option<(String, &str)> {
    let quoted = text.starts_with('\'');
    let (mut value, mut kept) = (String::new(), false);
    for (at, c) in text.char_indices().skip(usize::from(quoted)) {
        match c {
            _ if kept => {
                value.push(c);
                kept = false;
            }
            '\\' => kept = true,
            '\'' if quoted => return Some((value, &text[at + 1..])),
            c if c.is_whitespace() && !quoted => return Some((value, &text[at..])),
            c => value.push(c),
        }
    }
    (!quoted && !kept).then_some((value, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max(text: &str) -> Option<u64> {
        read(text).unwrap_or_else(|why| panic!("{text}: {why}")).max
    }

    #[test]
    fn strings_are_read_as_libpq_and_pgx_read_them() {
        for text in [
            "postgres://u:p@h/d?sslmode=require&pool_max_conns=7",
            "POSTGRES://u:p?pool_max_conns=1&x@h/d?pool%5Fmax_conns=%37#pool_max_conns=9",
            "postgres://u:p@h/d?user=sa@project.iam&pool_max_conns=7",
            "postgres://h/d?user=sa@project.iam&pool_max_conns=7",
            "postgres://h?user=sa@project.iam&pool_max_conns=7",
            "postgres://u:p?x@h?user=sa@project.iam&pool_max_conns=7",
            "postgres:///d?host=/run/pg&user=a@b&pool_max_conns=7",
            "host=db pool_max_conns = 7 password='a b pool_max_conns=3'",
            "host=db password=a\\ b pool_max_conns='7'",
        ] {
            assert_eq!(max(text), Some(7), "{text}");
        }
        assert_eq!(max("postgresql://h/d"), None);
        let pool = read("host=h pool_max_conn_idle_time=0 pool_ping_timeout=1s").unwrap();
        assert!(pool.durations.contains(&("idle_timeout", "0s".to_owned())));
    }

    #[test]
    fn what_is_no_connection_string_is_told_without_showing_it() {
        for text in [
            "",
            "jdbc:postgresql://h/d?pool_max_conns=7",
            "DATABASE_URL=postgres://u:hunter@h/d",
            "hunter",
            "host=h password='hunter",
            "host=h pool_hunter=3",
            "host=h pool_max_conns=hunter",
            "host=h pool_max_conns=0 password=hunter",
            "host=h pool_max_conn_lifetime=hunter",
        ] {
            let why = read(text).expect_err(text);
            assert!(!why.contains("hunter") && !why.is_empty(), "{text}: {why}");
        }
    }
}
