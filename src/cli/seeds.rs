//! `--seeds 1,2,3`, `--seeds 1..10` (both ends included), `--seeds 10` (the first ten), or any of them by
//! commas.

use std::ops::RangeInclusive;

/// Nobody waits for more runs than this; a typing error asks for them.
const MOST: usize = 10_000;

/// Seeds in the order in which they were asked for, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

/// Parses a list of seeds.
///
/// # Errors
/// Says what is wrong and what to write instead.
pub fn parse(text: &str) -> Result<Seeds, String> {
    if let Ok(count) = text.trim().parse::<u64>() {
        return collect(std::iter::once(first(count)?));
    }
    let parts: Result<Vec<_>, String> = text.split(',').map(|part| range(part.trim())).collect();
    collect(parts?.into_iter())
}

fn first(count: u64) -> Result<RangeInclusive<u64>, String> {
    if count == 0 { Err("no seeds at all: write `1` or more".to_owned()) } else { Ok(1..=count) }
}

fn range(part: &str) -> Result<RangeInclusive<u64>, String> {
    let Some((from, to)) = part.split_once("..") else {
        return number(part).map(|seed| seed..=seed);
    };
    let (from, to) = (number(from)?, number(to.trim_start_matches('='))?);
    if to < from {
        return Err(format!("`{part}` runs backwards: write `{to}..{from}`"));
    }
    Ok(from..=to)
}

fn number(text: &str) -> Result<u64, String> {
    let cure = "write seeds as `1,2,3`, `1..10` (1 to 10) or `10` (the first ten)";
    one(text).map_err(|why| format!("{why}; {cure}"))
}

/// Parses a seed: as large as a whole number of TOML can be.
///
/// # Errors
/// It is none.
pub fn one(text: &str) -> Result<u64, String> {
    let seed = text.trim().parse::<u64>().ok().filter(|seed| i64::try_from(*seed).is_ok());
    seed.ok_or_else(|| format!("`{text}` is not a seed: a whole number from 0 to {}", i64::MAX))
}

fn collect(ranges: impl Iterator<Item = RangeInclusive<u64>>) -> Result<Seeds, String> {
    let mut seeds = Vec::new();
    for seed in ranges.flatten() {
        if seeds.len() == MOST {
            return Err(format!("more than {MOST} seeds"));
        }
        seeds.push(seed);
    }
    let mut sorted = seeds.clone();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("seed {} is there twice: it would show the same run again", pair[0])),
        None => Ok(Seeds(seeds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_ranges_and_counts() {
        for (text, seeds) in [
            ("1,2,3", vec![1, 2, 3]),
            ("4..6", vec![4, 5, 6]),
            ("4..=6", vec![4, 5, 6]),
            ("3", vec![1, 2, 3]),
            ("9, 1..2", vec![9, 1, 2]),
        ] {
            assert_eq!(parse(text), Ok(Seeds(seeds)), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_comes_with_the_cure() {
        for (text, word) in [
            ("one", "1..10"),
            ("1,,2", "is not a seed"),
            ("1-5", "1..10"),
            ("5..1", "1..5"),
            ("0", "no seeds"),
            ("1,1", "twice"),
            ("1..99999999999", "more than"),
            ("", "is not a seed"),
        ] {
            let problem = parse(text).expect_err(text);
            assert!(problem.contains(word), "{text}: {problem} should contain {word}");
        }
    }
}
