//! Series as short text: the page holds thousands of values a chart, and must stay small.
//!
//! Whole numbers in base 36, each as its difference from the one before; what repeats is counted: `rs -a 0*c`
//! is 1000, 990, then twelve more of 990. `_` is a value that is not there. The page's script reads it back.

use std::fmt::Write;

/// The text of a series.
pub fn pack(values: &[Option<i64>]) -> String {
    let mut text = String::new();
    let mut last = 0;
    let mut tokens: Vec<(Option<i64>, u64)> = Vec::new();
    for value in values {
        let token = value.map(|value| value.wrapping_sub(std::mem::replace(&mut last, value)));
        match tokens.last_mut() {
            Some((same, times)) if *same == token => *times += 1,
            _ => tokens.push((token, 1)),
        }
    }
    for (n, (token, times)) in tokens.into_iter().enumerate() {
        let space = if n == 0 { "" } else { " " };
        let token = token.map_or_else(|| "_".to_owned(), base36);
        // Writing to a String cannot fail.
        let _ = match times {
            1 => write!(text, "{space}{token}"),
            times => write!(text, "{space}{token}*{}", base36(times as i64)),
        };
    }
    text
}

fn base36(value: i64) -> String {
    let mut rest = value.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((rest % 36) as u32, 36).unwrap_or('0'));
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        digits.push('-');
    }
    digits.iter().rev().collect()
}

/// A value in whole parts of its unit; none where it is no number.
pub fn whole(value: f64, parts: f64) -> Option<i64> {
    let scaled = (value * parts).round();
    (scaled.abs() < 9e15).then_some(scaled as i64)
}

/// The characters of shades, from none to the darkest.
const SHADES: &[u8; 64] = b"-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

/// The shade of a count on a logarithmic scale that ends at `most`: nothing, or 1 to 63.
pub fn shade(count: u64, most: u64) -> char {
    if count == 0 {
        return char::from(SHADES[0]);
    }
    let share = libm::log(count as f64) / libm::log(most.max(2) as f64);
    let place = 1 + (share * 62.0).round().clamp(0.0, 62.0) as usize;
    char::from(SHADES[place])
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// As the page's script reads it.
    pub fn unpack(text: &str) -> Vec<Option<i64>> {
        let mut values = Vec::new();
        let mut last = 0;
        for part in text.split(' ').filter(|part| !part.is_empty()) {
            let (token, times) = part.split_once('*').unwrap_or((part, "1"));
            for _ in 0..i64::from_str_radix(times, 36).unwrap() {
                values.push((token != "_").then(|| {
                    last += i64::from_str_radix(token, 36).unwrap();
                    last
                }));
            }
        }
        values
    }

    #[test]
    fn what_is_packed_is_read_back() {
        let values =
            [Some(1000), Some(990), Some(990), None, None, Some(0), Some(-5), Some(i64::from(u32::MAX))];
        assert_eq!(unpack(&pack(&values)), values);
        assert_eq!(pack(&[Some(1000), Some(990), Some(990), Some(990)]), "rs -a 0*2");
        assert_eq!(pack(&[None; 40]), "_*14");
        assert_eq!(pack(&[]), "");
        assert_eq!(
            (whole(f64::NAN, 10.0), whole(0.25, 1e4), whole(f64::INFINITY, 1.0)),
            (None, Some(2500), None)
        );
    }

    #[test]
    fn shades_rise_from_the_first_to_the_last() {
        let shades: Vec<char> = [0, 1, 10, 1000].iter().map(|count| shade(*count, 1000)).collect();
        assert_eq!(shades, ['-', '0', 'l', '_']);
        assert_eq!(shade(1, 1), '0', "one request is seen");
    }
}
