//! Tidy tables: a header, key columns first, units in the names, one table a grain.
//!
//! An empty cell is "no value"; floats are the shortest that read back as the same number. Key columns of
//! every table: `scenario,variant,seed`. Percentiles are those of each bin; whoever wants another grain
//! merges `latency_hist.csv`.

use super::Header;
use crate::engine::time::Time;
use crate::experiment::Run;
use crate::measure::{Quantiles, SummaryRow, bin_start, bucket};
use crate::scenario::grammar::{Cause, Outcome};

/// Every table by its file's name, each made when its turn comes.
pub fn all(
    header: &Header,
    runs: &[Run],
    summaries: &[Vec<SummaryRow>],
) -> impl Iterator<Item = (&'static str, String)> {
    type Make = fn(&Header, &[Run]) -> String;
    let tables: [(&str, Make); 10] = [
        ("timeseries.csv", timeseries),
        ("latency_hist.csv", latency_hist),
        ("levels.csv", levels),
        ("storm_levels.csv", storm_levels),
        ("herd.csv", herd),
        ("starts.csv", starts),
        ("cycles.csv", cycles),
        ("dashboard.csv", dashboard),
        ("events.csv", events),
        ("served.csv", served),
    ];
    let anyone_served =
        runs.iter().any(|run| run.measured.classes.iter().any(|class| !class.served.is_empty()));
    let wanted = move |table: &(&str, Make)| table.0 != "served.csv" || anyone_served;
    let others = tables.into_iter().filter(wanted).map(|(name, make)| (name, make(header, runs)));
    std::iter::once_with(|| ("summary.csv", summary(header, runs, summaries))).chain(others)
}

/// A table being written.
struct Table<'a> {
    header: &'a Header,
    writer: ::csv::Writer<Vec<u8>>,
}

impl<'a> Table<'a> {
    fn new(header: &'a Header, columns: &[&str]) -> Table<'a> {
        Table { header, writer: writer(["scenario", "variant", "seed"].iter().chain(columns)) }
    }

    fn row(&mut self, run: &Run, cells: &[String]) {
        let keys = [self.header.scenario.as_str(), &run.variant, &run.seed.to_string()];
        let _ = self.writer.write_record(keys.into_iter().chain(cells.iter().map(String::as_str)));
    }

    /// `t_s` and `time_utc`. Of the latter every row has the same form, RFC 3339 to the millisecond: readers
    /// that look at the first rows only take it for a time in all.
    fn when(&self, seconds: f64) -> [String; 2] {
        let to_millis = |at: jiff::Timestamp| at.round(jiff::Unit::Millisecond).unwrap_or(at);
        let civil = |at| jiff::tz::Offset::UTC.to_datetime(to_millis(at));
        let text = |at| civil(at).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        [float(seconds), self.header.utc(seconds).map(text).unwrap_or_default()]
    }

    fn text(self) -> String {
        text(self.writer)
    }
}

/// A table of these columns with a line for each row; a cell is quoted where it must be.
pub(super) fn table<C, R>(columns: C, rows: impl IntoIterator<Item = R>) -> String
where
    C: IntoIterator<Item: AsRef<[u8]>>,
    R: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut writer = writer(columns);
    for row in rows {
        let _ = writer.write_record(row);
    }
    text(writer)
}

fn writer(columns: impl IntoIterator<Item: AsRef<[u8]>>) -> ::csv::Writer<Vec<u8>> {
    let mut builder = ::csv::WriterBuilder::new();
    let mut writer = builder.terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    // Writing to memory does not fail, here and wherever a row is added.
    let _ = writer.write_record(columns);
    writer
}

fn text(writer: ::csv::Writer<Vec<u8>>) -> String {
    writer.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// A number, or nothing where there is none; a tiny one without its hundred zeros.
pub(super) fn float(value: f64) -> String {
    match value {
        value if !value.is_finite() => String::new(),
        value if value != 0.0 && value.abs() < 1e-9 => format!("{value:e}"),
        value => value.to_string(),
    }
}

/// p50, p95, p99 and max in milliseconds.
fn quantiles(latency: Option<Quantiles>) -> [String; 4] {
    let millis = |micros: u64| float(micros as f64 / 1e3);
    latency.map_or_else(Default::default, |q| [q.p50_us, q.p95_us, q.p99_us, q.max_us].map(millis))
}

/// One row a metric, run by run.
pub fn summary(header: &Header, runs: &[Run], summaries: &[Vec<SummaryRow>]) -> String {
    let mut table = Table::new(header, &["metric", "of", "cause", "stat", "value", "unit"]);
    for (run, rows) in runs.iter().zip(summaries) {
        for row in rows {
            let text = [row.metric, &row.of, row.cause, row.stat, &float(row.value), row.unit];
            table.row(run, &text.map(str::to_owned));
        }
    }
    table.text()
}

/// One row a bin and request class: arrivals, outcomes, latency.
pub fn timeseries(header: &Header, runs: &[Run]) -> String {
    let mut columns = vec!["t_s", "time_utc", "class", "label", "service", "arrivals"];
    let outcomes = Outcome::ALL.map(|outcome| match outcome {
        Outcome::TooManyRequests => "http_429".to_owned(),
        Outcome::ServerError => "http_500".to_owned(),
        Outcome::Unavailable => "http_503".to_owned(),
        Outcome::GatewayTimeout => "http_504".to_owned(),
        other => other.name().replace('-', "_"),
    });
    columns.extend(outcomes.iter().map(String::as_str));
    columns.extend(["latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "latency_max_ms"]);
    let mut table = Table::new(header, &columns);
    for run in runs {
        for class in &run.measured.classes {
            for (n, bin) in class.bins.iter().enumerate() {
                let mut cells = table.when(bin_start(n).as_secs()).to_vec();
                cells.extend([class.class.clone(), class.label.name().to_owned(), class.service.clone()]);
                cells.push(bin.arrived.to_string());
                cells.extend(bin.ended.iter().map(u32::to_string));
                cells.extend(quantiles(bin.latency));
                table.row(run, &cells);
            }
        }
    }
    table.text()
}

/// One row a bin, request class and who served it; of classes that may be served from several places.
pub fn served(header: &Header, runs: &[Run]) -> String {
    let mut table = Table::new(header, &["t_s", "time_utc", "class", "label", "by", "count"]);
    for run in runs {
        for class in &run.measured.classes {
            for served in &class.served {
                for (n, count) in served.bins.iter().enumerate() {
                    let mut cells = table.when(bin_start(n).as_secs()).to_vec();
                    cells.extend([class.class.clone(), class.label.name().to_owned()]);
                    cells.extend([served.by.clone(), count.to_string()]);
                    table.row(run, &cells);
                }
            }
        }
    }
    table.text()
}

/// One row a bin, class, outcome and latency bucket; `le_ms` is the bucket's upper end.
pub fn latency_hist(header: &Header, runs: &[Run]) -> String {
    let columns = ["t_s", "class", "label", "service", "outcome", "le_ms", "count"];
    let mut table = Table::new(header, &columns);
    for run in runs {
        for class in &run.measured.classes {
            let of = [class.class.clone(), class.label.name().to_owned(), class.service.clone()];
            for (n, bin) in class.bins.iter().enumerate() {
                for (outcome, bucket, count) in &bin.buckets {
                    let outcome = Outcome::ALL.get(usize::from(*outcome));
                    let outcome = outcome.map_or("unanswered", |outcome| outcome.name());
                    let [class, label, service] = of.clone();
                    let le = float(bucket::floor_us(bucket + 1) / 1e3);
                    let at = float(bin_start(n).as_secs());
                    table.row(run, &[at, class, label, service, outcome.to_owned(), le, count.to_string()]);
                }
            }
        }
    }
    table.text()
}

/// One row a bin and gauge.
pub fn levels(header: &Header, runs: &[Run]) -> String {
    let mut table = Table::new(header, &["t_s", "time_utc", "level", "of", "min", "mean", "max"]);
    for run in runs {
        for series in &run.measured.levels {
            for (n, bin) in series.bins.iter().enumerate() {
                let mut cells = table.when(bin_start(n).as_secs()).to_vec();
                cells.extend([series.level.to_owned(), series.of.clone()]);
                cells.extend([bin.min, bin.mean, bin.max].map(float));
                table.row(run, &cells);
            }
        }
    }
    table.text()
}

/// One row a second and gauge, around storms.
pub fn storm_levels(header: &Header, runs: &[Run]) -> String {
    let mut table = Table::new(header, &["t_s", "time_utc", "level", "of", "min", "mean", "max"]);
    for run in runs {
        for closeup in &run.measured.closeups {
            for (second, bin) in &closeup.seconds {
                let mut cells = table.when(*second as f64).to_vec();
                cells.extend([closeup.level.to_owned(), closeup.of.clone()]);
                cells.extend([bin.min, bin.mean, bin.max].map(float));
                table.row(run, &cells);
            }
        }
    }
    table.text()
}

/// One row a bin, node and cause, and one over all causes (an empty cause).
pub fn herd(header: &Header, runs: &[Run]) -> String {
    let columns = ["t_s", "time_utc", "node", "cause", "connects_max_1s", "herd_size"];
    let mut table = Table::new(header, &columns);
    for run in runs {
        for node in &run.measured.nodes {
            for (n, bin) in node.bins.iter().enumerate() {
                let by_cause = Cause::ALL.map(|cause| {
                    let place = cause as usize;
                    (cause.name(), bin.connects_max_1s[place], bin.herd_size[place])
                });
                let all = ("", bin.connects_max_1s_all, bin.herd_size_all);
                for (cause, most, share) in [all].into_iter().chain(by_cause) {
                    let mut cells = table.when(bin_start(n).as_secs()).to_vec();
                    cells.extend([node.node.clone(), cause.to_owned(), most.to_string(), float(share)]);
                    table.row(run, &cells);
                }
            }
        }
    }
    table.text()
}

/// One row a node and second in which a backend was started.
pub fn starts(header: &Header, runs: &[Run]) -> String {
    let mut columns = vec!["t_s", "time_utc", "node"];
    columns.extend(Cause::ALL.map(Cause::name));
    let mut table = Table::new(header, &columns);
    for run in runs {
        for node in &run.measured.nodes {
            for (second, counts) in node.starts_per_s.iter().enumerate() {
                if counts.iter().any(|count| *count > 0) {
                    let mut cells = table.when(second as f64).to_vec();
                    cells.push(node.node.clone());
                    cells.extend(counts.iter().map(u32::to_string));
                    table.row(run, &cells);
                }
            }
        }
    }
    table.text()
}

/// One row a node and lifetime.
pub fn cycles(header: &Header, runs: &[Run]) -> String {
    let columns = [
        "t_s",
        "time_utc",
        "node",
        "births",
        "phase_lock_r1",
        "phase_lock_r2",
        "rayleigh_p",
        "largest_cluster_1pct",
        "fano",
    ];
    let mut table = Table::new(header, &columns);
    for run in runs {
        for node in &run.measured.nodes {
            for cycle in &node.cycles {
                let mut cells = table.when(cycle.from.as_secs()).to_vec();
                cells.extend([node.node.clone(), cycle.births.to_string()]);
                let figures = [
                    cycle.phase_lock_r1,
                    cycle.phase_lock_r2,
                    cycle.rayleigh_p,
                    cycle.largest_cluster_1pct,
                    cycle.fano,
                ];
                cells.extend(figures.map(float));
                table.row(run, &cells);
            }
        }
    }
    table.text()
}

/// One row a scrape and gauge.
pub fn dashboard(header: &Header, runs: &[Run]) -> String {
    let mut table = Table::new(header, &["t_s", "time_utc", "level", "of", "value"]);
    for run in runs {
        for series in &run.measured.dashboard {
            for (at, value) in &series.samples {
                let mut cells = table.when(at.as_secs()).to_vec();
                cells.extend([series.level.to_owned(), series.of.clone(), float(*value)]);
                table.row(run, &cells);
            }
        }
    }
    table.text()
}

/// One row an event (from its beginning to its end), one a stretch in which something was not as usual (kinds
/// `breaker`, `outage_mode`, `node`, `unreachable`, `frozen`, `read_only` and `cap`), one a storm of backend
/// starts and one a latency spike. `peak_s` is the peak of the storm, or of the lifetime storm beside the
/// spike; of a storm, `name` is the node and `beside` the cause.
pub fn events(header: &Header, runs: &[Run]) -> String {
    let columns = [
        "kind", "name", "from_s", "to_s", "from_utc", "to_utc", "p99_ms", "beside", "peak_s", "starts",
        "share",
    ];
    let mut table = Table::new(header, &columns);
    let mut add = |run: &Run, kind: &str, name: &str, (from, to): (f64, Option<f64>), rest: [String; 5]| {
        let [from_s, from_utc] = table.when(from);
        let [to_s, to_utc] = to.map_or_else(Default::default, |to| table.when(to));
        let mut cells = vec![kind.to_owned(), name.to_owned(), from_s, to_s, from_utc, to_utc];
        cells.extend(rest);
        table.row(run, &cells);
    };
    for run in runs {
        for (name, from, to) in super::plot::marks::lasting(&run.measured.marks) {
            add(run, "event", &name, (from, to), Default::default());
        }
        for stretch in &run.measured.stretches {
            let span = (stretch.from.as_secs(), stretch.to.map(Time::as_secs));
            add(run, stretch.kind.name(), &stretch.of, span, Default::default());
        }
        let span = |from: Time, to: Time| (from.as_secs(), Some(to.as_secs()));
        for storm in &run.measured.storms {
            let (cause, peak) = (storm.cause.name().to_owned(), float(storm.at.as_secs()));
            let rest = [String::new(), cause, peak, storm.starts.to_string(), float(storm.share)];
            add(run, "storm", &storm.node, span(storm.from, storm.to), rest);
        }
        for spike in &run.measured.spikes {
            let peak = spike.recycle.as_ref().map_or(f64::NAN, |recycle| recycle.at.as_secs());
            let (p99, beside) = (float(spike.p99_us as f64 / 1e3), spike.beside.join(" "));
            let rest = [p99, beside, float(peak), String::new(), String::new()];
            add(run, "spike", &spike.service, span(spike.from, spike.to), rest);
        }
    }
    table.text()
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
