//! Reads `pg_stat_activity` as `psql --csv` prints it.
//!
//! A row is a server process. Those of clients count; background processes have no state, and sessions that
//! the asking role may not see have no `backend_start`: both are left out and counted. The `psql` that asks
//! is one of the sessions, and the newest: it is left out, too. Columns other than those named in
//! [`Activity`] do not matter. Left out: dates in another style than ISO, several snapshots in one file.

use super::Failure;
use crate::engine::time::{Span, Time};
use crate::measure::snapshot::Connection;
use crate::report::human;
use csv::{Reader, ReaderBuilder, StringRecord};

/// The query that the messages offer.
pub const QUERY: &str = "select backend_start, application_name, client_addr, state from pg_stat_activity";
/// `now` and a `backend_start` are taken at slightly different instants.
const TOLERANCE: Span = Span::from_secs(60);

/// What the table holds.
#[derive(Debug, PartialEq)]
pub struct Activity {
    /// From `backend_start`, `application_name` and `client_addr`; the latter may be missing.
    pub connections: Vec<Connection>,
    /// From the column `now`, if there is one.
    pub now: Option<Time>,
    /// The newest `backend_start`, the asking `psql` included.
    pub newest: Option<Time>,
    /// Rows that are no client's, or not to be seen.
    pub left_out: usize,
    /// Whether the `psql` that asked was there.
    pub asker: bool,
}

/// Where the columns are.
struct Columns {
    backend_start: usize,
    application_name: Option<usize>,
    client_addr: Option<usize>,
    state: Option<usize>,
    backend_type: Option<usize>,
    now: Option<usize>,
}

/// A row and what is needed of it only for a while.
struct Row {
    connection: Connection,
    active: bool,
}

/// Reads a table called `name`.
///
/// # Errors
/// [`Failure::Usage`] with line and cure.
pub fn read(bytes: &[u8], name: &str) -> Result<Activity, Failure> {
    let wrong = |line: u64, what: String| Failure::Usage(format!("{name}:{line}: {what}"));
    // The reader takes the end of the file for the missing quote, and all rows before it for one field.
    if bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        let last = bytes.trim_ascii_end().iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        return Err(wrong(last, format!("a quote is not closed, so the table may be cut off; {}", cure())));
    }
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let columns = columns(&mut reader).map_err(|what| wrong(1, what))?;
    let width = reader.headers().map_or(0, StringRecord::len);
    let (mut rows, mut now, mut left_out) = (Vec::new(), None, 0);
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            wrong(line, format!("this is not CSV in UTF-8; {}", cure()))
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        let wrong = |what: String| wrong(line, what);
        if record.len() != width {
            let fields = human::plural(record.len(), "field");
            return Err(wrong(format!("{fields} under a header of {width}; {}", cure())));
        }
        if let Some(at) = columns.now {
            let at = instant(&record[at], "now").map_err(wrong)?;
            now = Some(same(now, at).map_err(wrong)?);
        }
        match row(&record, &columns).map_err(wrong)? {
            Some(row) => rows.push(row),
            None => left_out += 1,
        }
    }
    let newest = rows.iter().map(|row| row.connection.born).max();
    let asks = |row: &Row| {
        row.active
            && Some(row.connection.born) == newest
            && row.connection.application.as_deref() == Some("psql")
    };
    let asker = rows.iter().position(asks);
    if let Some(place) = asker {
        rows.remove(place);
    }
    let connections = rows.into_iter().map(|row| row.connection).collect();
    Ok(Activity { connections, now, newest, left_out, asker: asker.is_some() })
}

/// What to do about a table that is none.
fn cure() -> String {
    format!("make the table with: psql --csv -c \"{QUERY}\"")
}

fn columns(reader: &mut Reader<&[u8]>) -> Result<Columns, String> {
    let header = reader.headers().map_err(|_| format!("this is not CSV in UTF-8; {}", cure()))?;
    let names: Vec<&str> = header.iter().map(|name| name.trim().trim_start_matches('\u{feff}')).collect();
    let find = |name: &str| names.iter().position(|other| *other == name);
    if names.iter().all(|name| name.is_empty()) {
        return Err(format!("there is no table; {}", cure()));
    }
    let Some(backend_start) = find("backend_start") else {
        if names[0].contains(';') {
            return Err(format!("the columns are separated by semicolons, not by commas; {}", cure()));
        }
        let there: Vec<String> = names.iter().take(8).map(|name| format!("`{}`", shown(name))).collect();
        return Err(format!("no column `backend_start`, only {}; {}", there.join(", "), cure()));
    };
    Ok(Columns {
        backend_start,
        application_name: find("application_name"),
        client_addr: find("client_addr"),
        state: find("state"),
        backend_type: find("backend_type"),
        now: find("now"),
    })
}

/// The client's connection in a row, if it is one.
fn row(record: &StringRecord, columns: &Columns) -> Result<Option<Row>, String> {
    let field = |column: Option<usize>| column.map(|column| record[column].trim());
    let blank = |column| field(column) == Some("");
    let foreign = field(columns.backend_type).is_some_and(|kind| kind != "client backend");
    if record[columns.backend_start].trim().is_empty() || blank(columns.state) || foreign {
        return Ok(None);
    }
    let connection = Connection {
        born: instant(&record[columns.backend_start], "backend_start")?,
        application: field(columns.application_name).map(str::to_owned),
        client: field(columns.client_addr).map(str::to_owned),
    };
    Ok(Some(Row { connection, active: field(columns.state).is_none_or(|state| state == "active") }))
}

/// An instant with its zone, as Postgres or ISO 8601 writes it.
fn instant(text: &str, column: &str) -> Result<Time, String> {
    let parsed = text.trim().parse::<jiff::Timestamp>().ok();
    let nanos = parsed.and_then(|at| u64::try_from(at.as_nanosecond()).ok());
    nanos.map(Time).ok_or_else(|| {
        format!(
            "`{}` in `{column}` is no date and time with a zone, such as 2026-11-21 06:36:11.123456+00; \
             if the style is another: PGDATESTYLE=ISO psql …",
            shown(text.trim())
        )
    })
}

/// One snapshot has one `now`.
fn same(now: Option<Time>, at: Time) -> Result<Time, String> {
    match now {
        Some(now) if now.since(at) > TOLERANCE || at.since(now) > TOLERANCE => {
            Err("`now` differs by more than a minute from the rows above: several snapshots; give one"
                .to_owned())
        }
        Some(now) => Ok(now.max(at)),
        None => Ok(at),
    }
}

/// What stands in a foreign file, short and without control characters.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '�' } else { c }).take(60).collect()
}

/// Makes sure that nobody was born after the snapshot was taken.
///
/// # Errors
/// [`Failure::Usage`] with the cure.
pub fn not_before(now: Time, newest: Option<Time>, name: &str) -> Result<(), Failure> {
    match newest {
        Some(newest) if newest.since(now) > TOLERANCE => Err(Failure::Usage(format!(
            "{name}: now is {:.0} s before the newest backend_start; give the instant of the snapshot with --now",
            newest.since(now).as_secs()
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Activity {
        read(text.as_bytes(), "t.csv").unwrap_or_else(|failure| panic!("{failure}"))
    }

    #[test]
    fn every_way_to_write_an_instant_is_read() {
        let second = |text: &str| instant(text, "now").map(|at| at.0 / 1_000_000_000 % 86_400);
        for text in [
            "2026-11-21 06:36:11.123456+00",
            "2026-11-21 08:36:11+02",
            "2026-11-21 12:06:11+05:30",
            "2026-11-21T06:36:11Z",
            "2026-11-21 03:06:11.5-03:30",
        ] {
            assert_eq!(second(text), Ok(6 * 3600 + 36 * 60 + 11), "{text}");
        }
        for text in ["", "2026-11-21 06:36:11", "Sat Nov 21 06:36:11 2026 UTC", "1960-01-01 00:00:00+00"] {
            assert!(second(text).is_err_and(|problem| problem.contains("PGDATESTYLE")), "{text}");
        }
    }

    #[test]
    fn only_clients_count_and_who_asks_does_not() {
        let seen = table(
            "pid,backend_start,state,application_name\n\
             1,2026-11-21 06:36:11+00,,\n\
             2,,,\n\
             3,2026-11-21 06:36:11+00,idle,api\n\
             4,2026-11-21 06:36:20+00,idle,psql\n\
             5,2026-11-21 06:36:30+00,active,psql\n",
        );
        assert_eq!((seen.left_out, seen.asker, seen.connections.len()), (2, true, 2));
        let newest = seen.newest.map(|at| at.0 / 1_000_000_000 % 60);
        assert_eq!(newest, Some(30), "who asks still tells the time");
        let typed = "backend_start,backend_type\n2026-11-21 06:36:11Z,walwriter\n2026-11-21 06:36:11Z,client backend\n";
        assert_eq!((table(typed).left_out, table(typed).connections.len()), (1, 1));
    }

    #[test]
    fn a_table_that_was_cut_off_in_a_quote_is_none() {
        let rows = "backend_start,application_name\n2026-11-21 06:36:11Z,\"a\"\n2026-11-21 06:36:12Z,\"b\n";
        let told = read(rows.as_bytes(), "t").unwrap_err().to_string();
        assert!(told.starts_with("t:3: a quote is not closed"), "{told}");
    }

    #[test]
    fn the_column_now_is_one_instant() {
        let rows = |second: &str| {
            format!(
                "now,backend_start\n2026-11-21 06:36:11Z,2026-11-21 06:30:00Z\n2026-11-21 {second},2026-11-21 06:30:00Z\n"
            )
        };
        assert!(table(&rows("06:36:11Z")).now.is_some());
        assert!(
            read(rows("06:46:11Z").as_bytes(), "t").is_err_and(|f| f.to_string().starts_with("t:3: `now`"))
        );
    }
}
