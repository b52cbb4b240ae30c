//! How much is enough: the smallest (or largest) value of one parameter with which an expectation holds.
//!
//! A search by halves between two ends: the *easy* one, where the expectation should hold, and the *hard*
//! one, where it should not. Every value is tried with all seeds and counts only if it holds with each. The
//! search takes for granted that what holds at a value holds at every easier one; every seed's results are
//! looked through for the opposite, which is reported. Since all seeds were tried at all values, each seed
//! also has a threshold of its own, and their spread shows how much the answer owes to chance. Left out:
//! several parameters at once.

use super::median;
use crate::experiment::Verdict;
use crate::scenario::axis::Range;

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Between these ends.
    pub range: Range,
    /// Whether the largest value is wanted: then lower ones are the easier.
    pub largest: bool,
    /// How far the answer and the nearest value that does not do may be apart.
    pub within: f64,
}

/// A value that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The value.
    pub value: f64,
    /// The verdict over all seeds.
    pub verdict: Verdict,
    /// Why, where it is not plain from the seeds.
    pub because: String,
    /// What each seed showed, in order.
    pub seeds: Vec<Shown>,
}

/// What one seed showed at a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// The seed.
    pub seed: u64,
    /// The metric; NaN where there was nothing to measure.
    pub metric: f64,
    /// The verdict with this seed alone.
    pub verdict: Verdict,
}

impl Tried {
    /// Whether the expectation holds with every seed.
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    /// How many seeds it holds with.
    pub fn passed(&self) -> usize {
        self.seeds.iter().filter(|shown| shown.verdict == Verdict::Pass).count()
    }

    /// The median of the metric over the seeds.
    pub fn median(&self) -> f64 {
        median(self.seeds.iter().map(|shown| shown.metric))
    }
}

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// It holds at `holds`, and not at `fails`, the nearest harder value that was tried.
    Between {
        /// The last value that does not do.
        fails: f64,
        /// The first that does.
        holds: f64,
    },
    /// It holds at the hard end already.
    Everywhere(f64),
    /// It does not hold at the easy end.
    Nowhere(f64),
}

/// Searches. `attempt` tries a value, and gives nothing if it was stopped. All values tried come back, from
/// the hardest to the easiest, and the answer, unless the search was stopped.
///
/// # Errors
/// The first that `attempt` gives.
pub fn search<E>(
    search: &Search,
    mut attempt: impl FnMut(f64) -> Result<Option<Tried>, E>,
) -> Result<(Vec<Tried>, Option<Answer>), E> {
    let mut tried: Vec<Tried> = Vec::new();
    let mut holds = |value: f64| -> Result<Option<bool>, E> {
        let one = attempt(value)?;
        let held = one.as_ref().map(Tried::holds);
        tried.extend(one);
        Ok(held)
    };
    let answer = halve(search, &mut holds)?;
    tried.sort_by(|a, b| search.ease(a.value).total_cmp(&search.ease(b.value)));
    Ok((tried, answer))
}

fn halve<E>(
    search: &Search,
    holds: &mut dyn FnMut(f64) -> Result<Option<bool>, E>,
) -> Result<Option<Answer>, E> {
    let (low, high) = (search.range.low, search.range.high);
    let (mut hard, mut easy) = if search.largest { (high, low) } else { (low, high) };
    match holds(easy)? {
        None => return Ok(None),
        Some(false) => return Ok(Some(Answer::Nowhere(easy))),
        Some(true) => {}
    }
    match holds(hard)? {
        None => return Ok(None),
        Some(true) => return Ok(Some(Answer::Everywhere(hard))),
        Some(false) => {}
    }
    while (easy - hard).abs() > search.within {
        let middle = search.range.tidy((easy + hard) / 2.0);
        // Between two whole numbers there is none, and six decimals are as fine as a value is written.
        if middle == easy || middle == hard {
            break;
        }
        match holds(middle)? {
            None => return Ok(None),
            Some(true) => easy = middle,
            Some(false) => hard = middle,
        }
    }
    Ok(Some(Answer::Between { fails: hard, holds: easy }))
}

impl Search {
    /// Ascends from the hard end to the easy one.
    fn ease(&self, value: f64) -> f64 {
        if self.largest { -value } else { value }
    }
}

/// A seed that holds at a value and not at an easier one: a search by halves may have been misled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reversal {
    /// The seed.
    pub seed: u64,
    /// Where it holds.
    pub holds: f64,
    /// Where it does not, though it is easier.
    pub fails: f64,
}

/// The seeds that do not go one way, each once; the values come from the hardest to the easiest.
pub fn reversals(tried: &[Tried]) -> Vec<Reversal> {
    let seeds = tried.first().map_or(&[][..], |one| &one.seeds);
    let reversal = |(place, first): (usize, &Shown)| {
        let passes = |one: &&Tried| one.seeds.get(place).is_some_and(|shown| shown.verdict == Verdict::Pass);
        let from = tried.iter().position(|one| passes(&one))?;
        let back = tried[from..].iter().find(|one| !passes(one))?;
        Some(Reversal { seed: first.seed, holds: tried[from].value, fails: back.value })
    };
    seeds.iter().enumerate().filter_map(reversal).collect()
}

/// What is known of a seed's own threshold: it lies after `fails` and not after `holds`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The next harder value that was tried, with which it does not hold; `None` if it holds with all.
    pub fails: Option<f64>,
    /// The hardest value tried at which, and at all easier ones, it holds; `None` if not at the easiest.
    pub holds: Option<f64>,
}

/// The threshold of each seed, from the hardest to the easiest, those that hold nowhere last. Nothing of a
/// search that did not come to a value between its ends: then hardly any were tried.
pub fn thresholds(tried: &[Tried], answer: Option<Answer>) -> Vec<Threshold> {
    let Some(Answer::Between { .. }) = answer else { return vec![] };
    let seeds = tried.first().map_or(0, |one| one.seeds.len());
    // How many of the values, the hardest first, are harder than the threshold.
    let harder = |place: &usize| {
        let held = tried.iter().rev().take_while(|one| one.seeds[*place].verdict == Verdict::Pass);
        tried.len() - held.count()
    };
    let mut each: Vec<usize> = (0..seeds).map(|place| harder(&place)).collect();
    each.sort_unstable();
    let value = |place: usize| tried.get(place).map(|one| one.value);
    let threshold =
        |harder: usize| Threshold { fails: harder.checked_sub(1).and_then(value), holds: value(harder) };
    each.into_iter().map(threshold).collect()
}

/// Which of `n` sorted values, counted from 0, hold the median of what they are drawn from between them with
/// 95 % at least: order statistics, which assume nothing of the distribution. `None` below six.
pub fn median_interval(n: usize) -> Option<(usize, usize)> {
    // The chance that at most k of n fall below the median, k ascending.
    let mut term = libm::pow(0.5, n as f64);
    let (mut below, mut k) = (term, 0);
    while below <= 0.025 && k < n {
        k += 1;
        term *= (n - k + 1) as f64 / k as f64;
        below += term;
    }
    (k > 0).then(|| (k - 1, n - k))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seed s holds from 10·s on, but for the odd ones out.
    fn attempt(value: f64, odd: &[(u64, f64)]) -> Tried {
        let seeds: Vec<Shown> = (1..=4)
            .map(|seed| {
                let held = value >= 10.0 * seed as f64 && !odd.contains(&(seed, value));
                Shown { seed, metric: value, verdict: if held { Verdict::Pass } else { Verdict::Fail } }
            })
            .collect();
        let all = seeds.iter().all(|shown| shown.verdict == Verdict::Pass);
        let verdict = if all { Verdict::Pass } else { Verdict::Inconclusive };
        Tried { value, verdict, because: String::new(), seeds }
    }

    fn find(range: &str, largest: bool, within: f64) -> (Vec<Tried>, Option<Answer>) {
        let search = Search { range: Range::parse(range).unwrap(), largest, within };
        super::search(&search, |value| {
            Ok::<_, ()>(
                Some(attempt(if largest { 100.0 - value } else { value }, &[]))
                    .map(|tried| Tried { value, ..tried }),
            )
        })
        .unwrap()
    }

    #[test]
    fn the_answer_lies_between_a_value_that_fails_and_one_that_holds() {
        let (tried, answer) = find("0s..180s", false, 5.0);
        let Some(Answer::Between { fails, holds }) = answer else { panic!("{answer:?}") };
        assert!(fails < 40.0 && 40.0 <= holds && holds - fails <= 5.0, "{answer:?}");
        assert!(tried.windows(2).all(|pair| pair[0].value < pair[1].value));
        let (_, answer) = find("0..100", false, 1.0);
        assert_eq!(answer, Some(Answer::Between { fails: 39.0, holds: 40.0 }), "counts are whole");
        let (_, answer) = find("0..100", true, 1.0);
        assert_eq!(answer, Some(Answer::Between { fails: 61.0, holds: 60.0 }), "the largest");
    }

    #[test]
    fn each_seed_that_holds_counts() {
        let passed = |value: f64| attempt(value, &[(1, 35.0)]).passed();
        assert_eq!([5.0, 10.0, 35.0, 40.0].map(passed), [0, 1, 2, 4]);
        assert_eq!(attempt(35.0, &[]).median(), 35.0);
    }

    #[test]
    fn both_ends_are_tried_first() {
        let (tried, answer) = find("0s..30s", false, 5.0);
        assert_eq!((tried.len(), answer), (1, Some(Answer::Nowhere(30.0))));
        let (tried, answer) = find("50s..80s", false, 5.0);
        assert_eq!((tried.len(), answer), (2, Some(Answer::Everywhere(50.0))));
        let range = Range::parse("0s..9s").unwrap();
        let search = Search { range, largest: false, within: 1.0 };
        assert_eq!(super::search(&search, |_| Ok::<_, ()>(None)).unwrap(), (vec![], None), "stopped");
        assert_eq!(super::search(&search, |_| Err("no")).unwrap_err(), "no");
    }

    #[test]
    fn each_seed_has_a_threshold_of_its_own() {
        let tried: Vec<Tried> = [0.0, 15.0, 25.0, 35.0].map(|value| attempt(value, &[])).to_vec();
        let of = |fails, holds| Threshold { fails, holds };
        let between = Some(Answer::Between { fails: 25.0, holds: 35.0 });
        let each = [
            of(Some(0.0), Some(15.0)),
            of(Some(15.0), Some(25.0)),
            of(Some(25.0), Some(35.0)),
            of(Some(35.0), None),
        ];
        assert_eq!(thresholds(&tried, between), each);
        assert_eq!(thresholds(&tried[1..], between)[0], of(None, Some(15.0)), "with all that were tried");
        assert_eq!(thresholds(&tried, Some(Answer::Nowhere(35.0))), []);
        assert_eq!(reversals(&tried), []);
        let odd: Vec<Tried> = [15.0, 25.0, 35.0].map(|value| attempt(value, &[(1, 25.0)])).to_vec();
        assert_eq!(reversals(&odd), [Reversal { seed: 1, holds: 15.0, fails: 25.0 }]);
    }

    #[test]
    fn order_statistics_of_the_median_are_those_of_the_tables() {
        assert_eq!(median_interval(5), None);
        assert_eq!(median_interval(6), Some((0, 5)));
        assert_eq!(median_interval(10), Some((1, 8)));
        assert_eq!(median_interval(20), Some((5, 14)));
    }
}
