//! What the cases share: a reference value beside herdsim's own, replications, and the verdict.
//!
//! A value of herdsim is a mean over independent replications with Student's interval, or a share of
//! replications with Wilson's (E. B. Wilson, 1927); the former is herdsim's own. A reference is exact, or it
//! has a half-width: that of its replications, half a unit of its last printed digit, or one that is assumed.
//! Where it is a yes or a no, three quarters of the replications must say so.

use herdsim::engine::chance::Stream;
use herdsim::experiment::statistics::{self, Mean};
use herdsim::scenario::{Document, Scenario};
use rayon::prelude::*;

/// How much is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// A named part of the rows, with few replications: seconds.
    Short,
    /// All rows: the page.
    Full,
}

impl Effort {
    /// The number for this effort.
    pub fn of<T>(self, short: T, full: T) -> T {
        match self {
            Effort::Short => short,
            Effort::Full => full,
        }
    }

    /// Whether everything is asked for.
    pub fn is_full(self) -> bool {
        self == Effort::Full
    }
}

/// What is known from elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// The value.
    pub value: f64,
    /// Half the width of its own 95 % interval; zero where it is exact.
    pub half: f64,
    /// Where it is from.
    pub source: &'static str,
}

/// A value without an error of its own.
pub fn exact(value: f64, source: &'static str) -> Reference {
    Reference { value, half: 0.0, source }
}

/// A value with a half-width.
pub fn known(value: f64, half: f64, source: &'static str) -> Reference {
    Reference { value, half, source }
}

/// One line of the page: a reference beside herdsim.
#[derive(Clone, Debug)]
pub struct Row {
    /// The case.
    pub case: &'static str,
    /// What is compared.
    pub quantity: String,
    /// For which parameters.
    pub parameters: String,
    /// What is known.
    pub reference: Reference,
    /// herdsim's value.
    pub value: f64,
    /// Its 95 % interval.
    pub interval: (f64, f64),
    /// Its 99.9 % interval.
    pub wide: (f64, f64),
    /// Independent replications; 0 where nothing is random.
    pub replications: usize,
    /// Whether a yes or a no is known, and no more: then three quarters of the replications must say so.
    pub is_answer: bool,
}

/// The share of replications that make an answer.
const MOST: f64 = 0.75;

/// Normal quantiles of two-sided 95 % and 99.9 %.
const Z95: f64 = 1.96;
const Z999: f64 = 3.29;

impl Row {
    /// The reference lies inside the combined 95 % interval.
    pub fn is_inside(&self) -> bool {
        if self.is_answer {
            return (self.value - self.reference.value).abs() <= 1.0 - MOST;
        }
        within(self.value, self.interval, self.reference.value, self.reference.half)
    }

    /// The reference lies inside the combined 99.9 % interval.
    pub fn is_near(&self) -> bool {
        if self.is_answer {
            return self.is_inside();
        }
        within(self.value, self.wide, self.reference.value, self.reference.half * Z999 / Z95)
    }

    /// How far herdsim's value is from the reference, as a share of the latter.
    pub fn relative_difference(&self) -> f64 {
        (self.value - self.reference.value) / self.reference.value
    }

    /// The row in words.
    pub fn words(&self) -> String {
        let Row { case, quantity, parameters, reference, value, interval, .. } = self;
        let (low, high) = interval;
        format!(
            "{case}: {quantity}, {parameters}: {value:.6} ({low:.6} to {high:.6}), reference {:.6} ± {:.6}",
            reference.value, reference.half
        )
    }
}

/// Whether a reference lies inside an interval that its own half-width makes wider: independent errors add
/// as squares do. Values that cannot be told apart by rounding count as equal.
fn within(value: f64, (low, high): (f64, f64), reference: f64, half: f64) -> bool {
    let side = if reference < value { value - low } else { high - value };
    (reference - value).abs() <= (side * side + half * half).sqrt() + 1e-12 * value.abs()
}

/// A row from one value for each replication.
pub fn mean_row(
    case: &'static str,
    quantity: &str,
    parameters: String,
    reference: Reference,
    samples: &[f64],
) -> Row {
    let mean = Mean::of(samples);
    let (low, high) = mean.interval.expect("several replications");
    let freedom = samples.len() as f64 - 1.0;
    let half = (high - low) / 2.0 * statistics::student(0.999, freedom) / statistics::student(0.95, freedom);
    Row {
        case,
        quantity: quantity.to_owned(),
        parameters,
        reference,
        value: mean.mean,
        interval: (low, high),
        wide: (mean.mean - half, mean.mean + half),
        replications: samples.len(),
        is_answer: false,
    }
}

/// A row from a yes or a no for each replication.
pub fn share_row(
    case: &'static str,
    quantity: &str,
    parameters: String,
    reference: Reference,
    held: &[bool],
) -> Row {
    let count = held.iter().filter(|held| **held).count();
    let value = count as f64 / held.len() as f64;
    let (low, high) = wilson(count, held.len());
    let wide = |end: f64| value + (end - value) * Z999 / Z95;
    Row {
        case,
        quantity: quantity.to_owned(),
        parameters,
        reference,
        value,
        interval: (low, high),
        wide: (wide(low), wide(high)),
        replications: held.len(),
        is_answer: false,
    }
}

/// A row of what is known as a yes or a no, from one for each replication.
pub fn answer_row(
    case: &'static str,
    quantity: &str,
    parameters: String,
    (yes, source): (bool, &'static str),
    held: &[bool],
) -> Row {
    let reference = exact(f64::from(u8::from(yes)), source);
    Row { is_answer: true, ..share_row(case, quantity, parameters, reference, held) }
}

/// The interval of a share of so many: at 0 of n and n of n it does not shrink to a point.
fn wilson(held: usize, all: usize) -> (f64, f64) {
    let n = all as f64;
    let share = held as f64 / n;
    let (wide, half) = (1.0 + Z95 * Z95 / n, (share * (1.0 - share) / n + Z95 * Z95 / (4.0 * n * n)).sqrt());
    let centre = share + Z95 * Z95 / (2.0 * n);
    // The ends at 0 of n and n of n are exact; rounding would miss them by a hair.
    let low = if held == 0 { 0.0 } else { (centre - Z95 * half) / wide };
    let high = if held == all { 1.0 } else { (centre + Z95 * half) / wide };
    (low, high)
}

/// A row of what is not random: it must agree but for rounding, by so much.
pub fn certain_row(
    case: &'static str,
    quantity: &str,
    parameters: String,
    reference: Reference,
    value: f64,
    rounding: f64,
) -> Row {
    let interval = (value - rounding, value + rounding);
    let quantity = quantity.to_owned();
    let (wide, replications, is_answer) = (interval, 0, false);
    Row { case, quantity, parameters, reference, value, interval, wide, replications, is_answer }
}

/// The results of replications, in order. Each row has seeds of its own, by its name, so that the luck of one
/// is not that of its neighbours.
pub fn replicate<T: Send>(name: &str, replications: u64, run: impl Fn(u64) -> T + Sync + Send) -> Vec<T> {
    let seeds = Stream::root(1).named(name);
    let seed = |n| seeds.at(n).draws().below(u64::MAX);
    (1..=replications).into_par_iter().map(|n| run(seed(n))).collect()
}

/// One column of what replications gave.
pub fn column<const N: usize>(samples: &[[f64; N]], place: usize) -> Vec<f64> {
    samples.iter().map(|sample| sample[place]).collect()
}

/// The scenario of a text, as it is written.
pub fn load(text: &str) -> Scenario {
    let (document, _) =
        Document::from_text("validation.toml", text).unwrap_or_else(|problems| panic!("{problems}"));
    document.scenarios.values().next().expect("a document has a scenario").clone()
}

/// A short version: every row is near its reference, in the sense of 99.9 %, and tells something, because
/// its interval is narrower than this share of the reference.
pub fn assert_near(rows: &[Row], precision: f64) {
    assert!(!rows.is_empty(), "a case has rows");
    for row in rows {
        println!("{}", row.words());
        assert!(row.is_near(), "far off: {}", row.words());
        if row.is_answer {
            continue;
        }
        let half = (row.wide.1 - row.wide.0) / 2.0;
        let scale = row.reference.value.abs().max(0.05);
        assert!(half <= precision * scale, "too wide to judge by: {}", row.words());
    }
}
