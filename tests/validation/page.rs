//! The page: `results/validation`, a table, charts and words made of what the full versions of all cases show.
//!
//! Two steps. `the_tables_are_what_the_full_versions_show` simulates for some twenty minutes of two cores: it
//! holds `values.csv` and `curves.csv`, or writes them. The page is a pure function of these, of `outside.csv`
//! (why a value lies outside, by hand) and of `mutations.csv` (which mutation was caught by which test), and a
//! test of every day proves that it is what they say. `HERDSIM_BLESS=1` writes what is held.

use crate::charts;
use crate::kit::{Effort, Row};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A line of `values.csv`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Value {
    /// The case.
    pub case: String,
    /// What is compared.
    pub quantity: String,
    /// For which parameters.
    pub parameters: String,
    /// What is known.
    pub reference: f64,
    /// Half the width of its own 95 % interval; zero where it is exact.
    pub reference_half_width: f64,
    /// Where it is from.
    pub source: String,
    /// herdsim's value.
    pub value: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Independent replications; 0 where nothing is random.
    pub replications: usize,
    /// (value − reference) / reference; empty where the reference is zero.
    pub relative_difference: Option<f64>,
    /// `inside` or `outside` the combined interval; of a yes or a no `right` or `wrong`.
    pub verdict: String,
}

impl Value {
    fn of(row: &Row) -> Value {
        let difference = row.relative_difference();
        Value {
            case: row.case.to_owned(),
            quantity: row.quantity.clone(),
            parameters: row.parameters.clone(),
            reference: row.reference.value,
            reference_half_width: row.reference.half,
            source: row.reference.source.to_owned(),
            value: row.value,
            low: row.interval.0,
            high: row.interval.1,
            replications: row.replications,
            relative_difference: difference.is_finite().then_some(difference),
            verdict: match (row.is_answer, row.is_inside()) {
                (false, true) => "inside",
                (false, false) => "outside",
                (true, true) => "right",
                (true, false) => "wrong",
            }
            .to_owned(),
        }
    }

    /// Whether the reference lies inside the combined interval, or the answer is the known one.
    pub fn is_inside(&self) -> bool {
        matches!(self.verdict.as_str(), "inside" | "right")
    }

    /// Whether a yes or a no is asked for, which has no interval.
    fn is_answer(&self) -> bool {
        matches!(self.verdict.as_str(), "right" | "wrong")
    }
}

/// A line of `outside.csv`: why a value lies outside.
#[derive(Debug, Deserialize)]
struct Outside {
    case: String,
    quantity: String,
    parameters: String,
    source: String,
    why: String,
}

/// A line of `mutations.csv`.
#[derive(Debug, Deserialize)]
struct Mutation {
    mutation: String,
    file: String,
    diff: String,
    caught_by: String,
}

/// A point of a curve, in `curves.csv`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Point {
    /// The chart.
    pub chart: String,
    /// The line.
    pub curve: String,
    /// Where.
    pub x: f64,
    /// What.
    pub y: f64,
}

/// Every case, in the order of the page.
const CASES: [fn(Effort) -> Vec<Row>; 25] = [
    crate::erlang::erlang_c,
    crate::erlang::acquire_timeout,
    crate::patience::erlang_a,
    crate::erlang::blocking,
    crate::erlang::erlang_b,
    crate::erlang::m_g_1,
    crate::sharing::processor_sharing,
    crate::sharing::contention,
    crate::little::every_box,
    crate::periodic::to_step,
    crate::periodic::out_of_step,
    crate::periodic::bistable,
    crate::periodic::one_node_more,
    crate::periodic::fleet_units,
    crate::fleet::lock,
    crate::washout::order_parameter,
    crate::washout::rounds_to_forget,
    crate::washout::drawn_at_every_check,
    crate::washout::independent,
    crate::backoff::strategies,
    crate::storm::counters,
    crate::storm::collapse,
    crate::storm::two_states,
    crate::trigger::boundary,
    crate::faas::all,
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results/validation")
}

fn csv<T: Serialize>(rows: &[T]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.iter().for_each(|row| writer.serialize(row).expect("a row"));
    writer.into_inner().expect("written")
}

/// A kept file is what was made now, or becomes it where that is asked for.
fn hold(name: &str, bytes: &[u8]) {
    let path = folder().join(name);
    if std::env::var_os("HERDSIM_BLESS").is_some() {
        fs::write(&path, bytes).expect("written");
    }
    let there = fs::read(&path).unwrap_or_default();
    assert!(there == bytes, "results/validation/{name} is not what is shown now: HERDSIM_BLESS=1 writes it");
}

fn read_csv<T: for<'a> Deserialize<'a>>(name: &str) -> Vec<T> {
    let path = folder().join(name);
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|why| panic!("{name}: {why}"));
    reader.deserialize().map(|row| row.unwrap_or_else(|why| panic!("{name}: {why}"))).collect()
}

#[test]
#[ignore = "half an hour of two cores: `make validation`"]
fn the_tables_are_what_the_full_versions_show() {
    let mut values = Vec::new();
    for case in CASES {
        let began = Instant::now();
        let rows = case(Effort::Full);
        println!("{}: {} rows in {:.0?}", rows[0].case, rows.len(), began.elapsed());
        rows.iter().filter(|row| !row.is_inside()).for_each(|row| println!("  outside: {}", row.words()));
        values.extend(rows.iter().map(Value::of));
    }
    let mut points = Vec::new();
    for (chart, curves) in [("transition", crate::fleet::curves()), ("collapse", crate::storm::curves())] {
        for (curve, line) in curves {
            let point = |(x, y)| Point { chart: chart.to_owned(), curve: curve.clone(), x, y };
            points.extend(line.into_iter().map(point));
        }
    }
    hold("values.csv", &csv(&values));
    hold("curves.csv", &csv(&points));
}

/// README and charts are what the tables say, and every value that lies outside is explained.
#[test]
fn the_page_says_what_its_tables_say() {
    let (values, points): (Vec<Value>, Vec<Point>) = (read_csv("values.csv"), read_csv("curves.csv"));
    let page = readme(&values, &read_csv("outside.csv"), &read_csv("mutations.csv"));
    let mut files = vec![("README.md", page.into_bytes())];
    files.push(("ratios.png", charts::ratios(&values).png()));
    files.push(("transition.png", charts::transition(&points).png()));
    files.push(("collapse.png", charts::collapse(&points, &values).png()));
    files.iter().for_each(|(name, bytes)| hold(name, bytes));
}

const OPENING: &str = "\
# herdsim against theory and published results

Made by `make validation` from the cases in `tests/validation`; `make test` runs short versions of them. Each value of
herdsim is a mean over independent replications with Student's 95 % interval, or a share of them with Wilson's. A
reference is exact, or has a half-width: of its replications, half a unit of its last printed digit or, where nothing of the
kind was published, one that is assumed: of rounds to a cluster of 5, 10 and 15 the printed one of all 20 in proportion; of
rounds until births look unrelated herdsim's own spread over as many replications; of spreads by Monte Carlo 1 %. A value
is *inside* when the difference is no larger than both half-widths together (errors add as squares do); where a yes or a no
is known and no more, when three quarters of the replications say so. The seeds of a row follow from its name, fixed before
its first run; no reference sets a parameter, but for one that says so (the trigger's (a)).
";

const TRANSITION: &str = "\
In the model of messages (Floyd and Jacobson) all that share a busy period set their timers anew when the last of them is
done. That holds a herd together until the jitter is 0.12 to 0.35 of N·Tc, the more the larger the fleet; beyond, it falls
apart. Our fleet begins in step as well and pays the same Tc for each start, but comes apart with any jitter: the database
works on all starts at once, who comes first is done first, and a birth is the end of one's own dial, so that a herd leaves
the CPU over a longer time than it took to come. What gathers the herds of our scenarios is something else: queries that wait, and
pools that grow (`results/regime`). 60 lifetimes; 960 for the model with 20 and 400 nodes.
";

fn readme(values: &[Value], outside: &[Outside], mutations: &[Mutation]) -> String {
    let (answers, numbers): (Vec<&Value>, Vec<&Value>) = values.iter().partition(|value| value.is_answer());
    let among = |rows: &[&Value]| rows.iter().filter(|value| value.is_inside()).count();
    let mut text = OPENING.to_owned();
    let (n, inside) = (numbers.len(), among(&numbers));
    write!(
        text,
        "\n**{inside} of {n} values lie inside the combined 95 % interval, {out} outside.** Of {n} true values \
         about {:.0} would lie outside by chance.\nOf {} answers of yes or no {} are right.\n\n![herdsim's value over the reference, for every row whose reference is not 0](ratios.png)\n\n",
        n as f64 * 0.05,
        answers.len(),
        among(&answers),
        out = n - inside
    )
    .expect("text");
    write_outside(&mut text, values, outside);
    text +=
        "\n## Where a fleet falls out of step\n\n![the largest cluster over the jitter](transition.png)\n\n";
    text += TRANSITION;
    text += "\n## Where a retry storm goes on\n\n![the chance to collapse over spike, load and room](collapse.png)\n";
    write_mutations(&mut text, mutations);
    let mut case = "";
    for value in values {
        if value.case != case {
            case = &value.case;
            let head = "quantity | parameters | reference | herdsim | 95 % interval | runs | difference | verdict | source";
            let line = "|---".repeat(9);
            write!(text, "\n## {case}\n\n| {head} |\n{line}|\n").expect("text");
        }
        write_value(&mut text, value);
    }
    text
}

/// Each value that lies outside, with the reason that was found for it.
fn write_outside(text: &mut String, values: &[Value], outside: &[Outside]) {
    let of = |value: &Value| {
        outside.iter().find(|line| {
            let Outside { case, quantity, parameters, source, .. } = line;
            (case, quantity, parameters, source)
                == (&value.case, &value.quantity, &value.parameters, &value.source)
        })
    };
    *text += "| outside | reference | herdsim | why |\n|---|---|---|---|\n";
    for value in values.iter().filter(|value| !value.is_inside()) {
        let why = of(value).map(|line| line.why.as_str());
        let Value { case, quantity, parameters, reference, .. } = value;
        let why =
            why.unwrap_or_else(|| panic!("outside.csv: why is {case}, {quantity}, {parameters} outside?"));
        let (reference, seen) = (short(*reference), short(value.value));
        writeln!(text, "| {case}: {quantity}, {parameters} | {reference} | {seen} | {why} |").expect("text");
    }
    let explained = values.iter().filter(|value| !value.is_inside()).count();
    assert_eq!(outside.len(), explained, "outside.csv explains what lies inside");
}

fn write_mutations(text: &mut String, mutations: &[Mutation]) {
    *text += "\n## Whether the tests can fail\n\nEach mutation was made in a copy (`make mutations`), and the tests \
              named here failed; without it they pass.\n\n| mutation | in | diff | caught by |\n|---|---|---|---|\n";
    for Mutation { mutation, file, diff, caught_by } in mutations {
        writeln!(text, "| {mutation} | {file} | `{diff}` | {caught_by} |").expect("text");
    }
}

fn write_value(text: &mut String, value: &Value) {
    let reference = match value.reference_half_width {
        0.0 => short(value.reference),
        half => format!("{} ± {}", short(value.reference), short(half)),
    };
    let difference =
        value.relative_difference.map_or_else(String::new, |part| format!("{:+.2} %", part * 100.0));
    let Value { parameters, replications, verdict, .. } = value;
    // Absolute values are written with the sign that divides a table's columns.
    let [quantity, source] = [&value.quantity, &value.source].map(|text| text.replace('|', "\\|"));
    let (seen, low, high) = (short(value.value), short(value.low), short(value.high));
    writeln!(
        text,
        "| {quantity} | {parameters} | {reference} | {seen} | {low} … {high} | {replications} | {difference} | \
         {verdict} | {source} |"
    )
    .expect("text");
}

/// Five significant digits.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = (4 - libm::floor(libm::log10(value.abs())) as i32).clamp(0, 12) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[test]
fn numbers_are_short() {
    let texts = [0.0, 1.5, 267_073.4, 0.0013380, 5.0].map(short);
    assert_eq!(texts, ["0", "1.5", "267073", "0.001338", "5"]);
}
