//! What a sweep is asked to map beside its expectations: a metric by its names in `summary.csv`.

use crate::experiment::sweep::PointRun;
use crate::measure::summary;
use crate::scenario::grammar::{Cause, Causes, File, Label, Metric, Outcome};
use crate::scenario::problem::suggest;

/// A metric to be mapped: `herd_size{lifetime}@postgres.primary`, `latency.p99{ok}@request.sign-in`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapOf {
    /// As written.
    pub text: String,
    metric: String,
    stat: Option<String>,
    cause: String,
    of: String,
}

/// Metrics of `summary.csv` that no expectation can be about.
const OTHERS: [&str; 2] = ["requests", "latency"];

/// What the rows of a metric are of, and by which causes (those of starts, or outcomes) and statistics.
struct Rows {
    group: &'static str,
    causes: Vec<&'static str>,
    stats: Vec<&'static str>,
}

impl Rows {
    fn of(metric: &str) -> Rows {
        let outcomes = || Outcome::ALL.map(Outcome::name);
        let all = || [""].into_iter();
        let (group, causes, stats) = match Metric::ALL.into_iter().find(|known| known.name() == metric) {
            Some(metric) => {
                let each = Cause::ALL.map(Cause::name);
                let causes = match metric.causes() {
                    Causes::Each => all().chain(each).collect(),
                    Causes::One => each.to_vec(),
                    Causes::None => all().collect(),
                };
                (metric.group(), causes, vec![summary::stat(metric)])
            }
            None if metric == "requests" => ("request", all().chain(outcomes()).collect(), vec!["count"]),
            None => ("request", vec!["", "ok"], vec!["p50", "p95", "p99", "max"]),
        };
        Rows { group, causes, stats }
    }
}

impl MapOf {
    /// Reads `METRIC[.STAT][{CAUSE}]@OF`.
    ///
    /// # Errors
    /// Says how it is written, or which metric was probably meant.
    pub fn parse(text: &str) -> Result<MapOf, String> {
        let form = "a map is written `METRIC@OF`, such as `herd_size{lifetime}@postgres.primary`";
        let (what, of) = text.trim().split_once('@').filter(|(_, of)| of.contains('.')).ok_or(form)?;
        let (what, cause) = match what.split_once('{') {
            Some((what, cause)) => (what, cause.strip_suffix('}').ok_or(form)?),
            None => (what, ""),
        };
        let (metric, stat) = match what.split_once('.') {
            Some((metric, stat)) => (metric, Some(stat.to_owned())),
            None => (what, None),
        };
        let known = || Metric::ALL.iter().map(|metric| metric.name()).chain(OTHERS);
        if !known().any(|name| name == metric) {
            return Err(format!("there is no metric `{metric}`; {}", suggest(metric, known())));
        }
        let rows = Rows::of(metric);
        if !rows.causes.contains(&cause) {
            let there = match rows.causes[..] {
                [""] => "it knows none".to_owned(),
                _ => format!("there are: {}", rows.causes.join(", ").trim_start_matches(", ")),
            };
            return Err(format!("`{metric}` has no cause `{cause}`; {there}"));
        }
        if let Some(stat) = stat.as_deref().filter(|stat| !rows.stats.contains(stat)) {
            return Err(format!("`{metric}` has no `{stat}`; there is: {}", rows.stats.join(", ")));
        }
        if metric == Metric::Recovery.name() && !of.contains(" after ") {
            return Err(format!("`recovery` is of a service after an event: write `{of} after event.NAME`"));
        }
        if of.split('.').next() != Some(rows.group) {
            return Err(format!("`{metric}` is not of `{of}`: write `{}.NAME`", rows.group));
        }
        let [metric, cause, of] = [metric, cause, of].map(str::to_owned);
        Ok(MapOf { text: text.trim().to_owned(), metric, stat, cause, of })
    }

    /// The part of the scenario that it is of, if there is none of this name.
    pub fn stranger(&self, file: &File) -> Option<&str> {
        let (group, name) = self.of.split_once('.')?;
        // A recovery is of `service.NAME after event.NAME`, or after another trouble.
        let (name, trouble) = name.split_once(" after ").unwrap_or((name, ""));
        let there = match group {
            "postgres" => file.postgres.contains_key(name),
            "service" => file.service.contains_key(name),
            _ => file.request.contains_key(Label::parted(name).0),
        };
        let happens = trouble.strip_prefix("event.").is_none_or(|event| file.event.contains_key(event));
        (!there || !happens).then_some(&self.of)
    }

    /// Its value in a run, and the unit: that of the first row that fits.
    pub fn of<'a>(&self, cell: &'a PointRun) -> Option<(f64, &'a str)> {
        let fits = |stat: &str| self.stat.as_deref().is_none_or(|wanted| wanted == stat);
        let mut rows = cell.summary.iter();
        let row =
            rows.find(|row| row.0 == self.metric && row.1 == self.of && row.2 == self.cause && fits(&row.3));
        row.map(|row| (row.4, row.5.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_or_told_how_to_be_written() {
        let map = MapOf::parse("herd_size{lifetime}@postgres.primary").unwrap();
        assert_eq!(
            (map.metric.as_str(), map.cause.as_str(), map.of.as_str()),
            ("herd_size", "lifetime", "postgres.primary")
        );
        assert_eq!(MapOf::parse("latency.p99{ok}@request.sign-in").unwrap().stat.as_deref(), Some("p99"));
        assert!(MapOf::parse("herd_size").unwrap_err().contains("METRIC@OF"));
    }

    #[test]
    fn only_what_there_are_rows_of_can_be_mapped() {
        for right in [
            "herd_size{lifetime}@postgres.a",
            "latency.p99{ok}@request.b",
            "requests{503}@request.b",
            "spikes@service.c",
            "refused@postgres.a",
            "herd_size.max@postgres.a",
            "recovery.after@service.c after event.e",
        ] {
            assert!(MapOf::parse(right).is_ok(), "{right}");
        }
        for (wrong, said) in [
            ("herd_sise@postgres.a", "did you mean `herd_size`?"),
            ("herd_size{nope}@postgres.a", "there are: lifetime, growth"),
            ("spikes{growth}@service.c", "it knows none"),
            ("herd_size.p99@postgres.a", "there is: max"),
            ("herd_size@service.c", "write `postgres.NAME`"),
            ("recovery@service.c", "write `service.c after event.NAME`"),
        ] {
            let error = MapOf::parse(wrong).unwrap_err();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }
}
