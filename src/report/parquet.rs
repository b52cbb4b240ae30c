//! The tables of a run directory as Parquet, for those whose tools would rather not read CSV.
//!
//! Each `NAME.csv` gets a `NAME.parquet` beside it with the same columns in the same order: counts as INT64,
//! other numbers as DOUBLE, the rest as text; an empty field is null. What is a count, and what a text that
//! may be missing, goes by the column's name, so that the same tables of several directories can be read as
//! one. Only with the cargo feature `parquet`.

use super::ReportError;
use super::directory::write_files;
use super::error::damaged;
use super::load;
use ::parquet::basic::Compression;
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

/// The fields of a column, top to bottom.
#[derive(Clone, Debug, PartialEq)]
enum Column {
    Whole(Vec<Option<i64>>),
    Number(Vec<Option<f64>>),
    Text(Vec<Option<String>>),
}

/// Writes every table of a run directory as Parquet, and names the files.
///
/// # Errors
/// It is no run directory, or a file cannot be read or written, or is no table.
pub fn write(dir: &Path) -> Result<Vec<PathBuf>, ReportError> {
    load::manifest(dir)?;
    let io = |source| ReportError::Io { path: dir.to_owned(), source };
    let entries = fs::read_dir(dir).and_then(|all| all.collect::<Result<Vec<_>, _>>()).map_err(io)?;
    let mut tables: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    tables.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    tables.sort();
    let mut written = Vec::new();
    for table in tables {
        let bytes = fs::read(&table).map_err(|source| ReportError::Io { path: table.clone(), source })?;
        let bytes = encoded(&bytes).map_err(|error| damaged(&table, error))?;
        let file = table.with_extension("parquet");
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        write_files(dir, &[(name, bytes)])?;
        written.push(file);
    }
    Ok(written)
}

/// A CSV table as Parquet.
fn encoded(csv: &[u8]) -> Result<Vec<u8>, ParquetError> {
    let outside = |error: ::csv::Error| ParquetError::External(Box::new(error));
    let mut reader = ::csv::Reader::from_reader(csv);
    let head = reader.headers().map_err(outside)?.clone();
    let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(outside)?;
    let columns: Vec<Column> =
        (0..head.len()).map(|n| column(&head[n], rows.iter().map(|row| &row[n]))).collect();
    let fields = head.iter().zip(&columns).map(|(name, column)| match column {
        Column::Whole(_) => format!("optional int64 {name};"),
        Column::Number(_) => format!("optional double {name};"),
        Column::Text(_) => format!("optional binary {name} (UTF8);"),
    });
    let schema = parse_message_type(&format!("message table {{ {} }}", fields.collect::<String>()))?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let created_by = concat!("herdsim ", env!("CARGO_PKG_VERSION")).to_owned();
    let properties = Arc::new(properties.set_created_by(created_by).build());
    let mut writer = SerializedFileWriter::new(io::Cursor::new(Vec::new()), Arc::new(schema), properties)?;
    let mut group = writer.next_row_group()?;
    for column in &columns {
        put(&mut group, column)?;
    }
    group.close()?;
    Ok(writer.into_inner()?.into_inner())
}

/// Columns of counts.
const COUNTS: [&str; 30] = [
    "seed",
    "seeds",
    "births",
    "connects_max_1s",
    "count",
    "starts",
    "lifetime",
    "growth",
    "refill",
    "failure",
    "boot",
    "arrivals",
    "ok",
    "client_timeout",
    "http_429",
    "http_500",
    "http_503",
    "http_504",
    "pool_timeout",
    "connect_refused",
    "query_timeout",
    "statement_timeout",
    "lock_timeout",
    "connection_lost",
    "pairs",
    "missing",
    "unpaired",
    "fulfilled",
    "given_up",
    "held",
];
/// Columns of texts that no row of a table may have; another of which no row has one is one of numbers.
const TEXTS: [&str; 27] = [
    "scenario",
    "variant",
    "baseline",
    "time_utc",
    "from_utc",
    "to_utc",
    "node",
    "service",
    "class",
    "label",
    "by",
    "level",
    "of",
    "cause",
    "kind",
    "name",
    "names",
    "beside",
    "metric",
    "stat",
    "unit",
    "family",
    "verdict",
    "history",
    "agrees",
    "suspect",
    "harmonics",
];

/// A column of this name.
fn column<'a>(name: &str, fields: impl Iterator<Item = &'a str> + Clone) -> Column {
    let present = fields.map(|field| (!field.is_empty()).then_some(field));
    if COUNTS.contains(&name)
        && let Some(counts) = all(present.clone(), |field| field.parse().ok())
    {
        return Column::Whole(counts);
    }
    let numbers = if TEXTS.contains(&name) { None } else { all(present.clone(), |field| field.parse().ok()) };
    match numbers {
        Some(numbers) => Column::Number(numbers),
        None => Column::Text(present.map(|field| field.map(str::to_owned)).collect()),
    }
}

/// Every field that is there as `read` reads it; nothing if one cannot be read.
fn all<'a, T>(
    mut fields: impl Iterator<Item = Option<&'a str>>,
    read: impl Fn(&str) -> Option<T>,
) -> Option<Vec<Option<T>>> {
    let read = |field: Option<&str>| field.map_or(Some(None), |field| read(field).map(Some));
    fields.by_ref().map(read).collect()
}

/// Writes the next column: its values, and which fields are there.
fn put(
    group: &mut SerializedRowGroupWriter<'_, io::Cursor<Vec<u8>>>,
    column: &Column,
) -> Result<(), ParquetError> {
    fn there<T>(fields: &[Option<T>]) -> Vec<i16> {
        fields.iter().map(|field| i16::from(field.is_some())).collect()
    }
    let missing = || ParquetError::General("a column more than the schema has".to_owned());
    let mut writer = group.next_column()?.ok_or_else(missing)?;
    match column {
        Column::Whole(fields) => {
            let values: Vec<i64> = fields.iter().copied().flatten().collect();
            writer.typed::<Int64Type>().write_batch(&values, Some(&there(fields)), None)?;
        }
        Column::Number(fields) => {
            let values: Vec<f64> = fields.iter().copied().flatten().collect();
            writer.typed::<DoubleType>().write_batch(&values, Some(&there(fields)), None)?;
        }
        Column::Text(fields) => {
            let values = fields.iter().flatten().map(|text| ByteArray::from(text.as_str()));
            let values: Vec<ByteArray> = values.collect();
            writer.typed::<ByteArrayType>().write_batch(&values, Some(&there(fields)), None)?;
        }
    }
    writer.close()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::RowAccessor;

    #[test]
    fn a_table_comes_back_with_its_types_and_its_gaps() {
        let csv = b"variant,seed,value,note\njitter,1,0.5,\nplain,2,,\n\"a, b\",3,2,\n";
        let bytes = encoded(csv).expect("a table");
        assert_eq!(bytes, encoded(csv).expect("a table"), "equal tables give equal bytes");
        let reader = SerializedFileReader::new(::bytes::Bytes::from(bytes)).expect("Parquet");
        let rows: Vec<_> = reader.get_row_iter(None).expect("rows").map(Result::unwrap).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[0].get_string(0).unwrap().as_str(), rows[0].get_long(1).unwrap()), ("jitter", 1));
        assert_eq!((rows[0].get_double(2).unwrap(), rows[2].get_double(2).unwrap()), (0.5, 2.0));
        assert!(rows[1].get_double(2).is_err(), "an empty field is null");
        assert_eq!(rows[2].get_string(0).unwrap(), "a, b");
    }

    /// Tables of several runs are read as one, whatever values came up.
    #[test]
    fn types_go_by_names_and_not_by_values() {
        let of = |name: &str, fields: [&'static str; 2]| column(name, fields.into_iter());
        assert_eq!(of("min", ["1", "2"]), Column::Number(vec![Some(1.0), Some(2.0)]));
        assert_eq!(of("p", ["", ""]), Column::Number(vec![None, None]));
        assert_eq!(of("seed", ["1", ""]), Column::Whole(vec![Some(1), None]));
        assert_eq!(of("class", ["1", "2"]), Column::Text(vec![Some("1".into()), Some("2".into())]));
        assert_eq!(of("cause", ["", ""]), Column::Text(vec![None, None]));
    }

    #[test]
    fn every_table_of_a_directory_gets_its_sibling() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("b.csv", "x\n1\n"), ("a.csv", "y\nz\n"), ("notes.txt", "")] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let foreign = write(dir.path()).unwrap_err();
        assert!(matches!(foreign, ReportError::NotARun(_)), "nothing is written beside what is not ours");
        fs::write(dir.path().join("manifest.json"), "{\"tool\": \"herdsim\"}").unwrap();
        let files = write(dir.path()).unwrap();
        assert_eq!(files, ["a.parquet", "b.parquet"].map(|name| dir.path().join(name)));
        assert!(files.iter().all(|file| fs::read(file).unwrap().starts_with(b"PAR1")));
        fs::write(dir.path().join("c.csv"), "x,y\n1\n").unwrap();
        let error = write(dir.path()).unwrap_err().to_string();
        assert!(error.contains("c.csv"), "{error}");
    }
}
