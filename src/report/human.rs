//! Numbers as people read them: `1.8 s`, `364 (91%)`, `2h30m`.

use super::Header;

/// A latency in microseconds: `870 µs`, `2.3 ms`, `1.8 s`.
pub fn latency(micros: f64) -> String {
    let (value, unit) = match micros {
        m if m.is_nan() => return "–".to_owned(),
        m if m < 999.5 => return format!("{m:.0} µs"),
        m if m < 999_500.0 => (m / 1e3, "ms"),
        m => (m / 1e6, "s"),
    };
    format!("{} {unit}", figures(value))
}

/// `1 seed`, `3 seeds`.
pub fn plural(count: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if count == 1 => format!("1 {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

/// Three figures at most: `1.83` → `1.8`, `18.3` → `18`, `0.031`.
fn figures(value: f64) -> String {
    if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// A latency on an axis, where ticks are round: `5 ms`, `1 s`.
pub fn tick(micros: f64) -> String {
    latency(micros).replace(".0 ", " ")
}

/// A share in 0..1: `91%`, `0.4%`, `<0.01%`.
pub fn share(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p.is_nan() => "–".to_owned(),
        p if p < 0.0 => format!("−{}", self::share(-share)),
        0.0 => "0%".to_owned(),
        p if p < 0.01 => "<0.01%".to_owned(),
        p if p < 0.995 => format!("{p:.2}%"),
        // A share that is not whole never reads as whole: 99.98 % success is news.
        p if p < 100.0 && p > 99.0 => format!("{:.2}%", p.min(99.99)),
        p if p < 9.95 => format!("{p:.1}%"),
        p => format!("{p:.0}%"),
    }
}

/// A count with thin groups: `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Any value, in as few figures as tell it: `0`, `0.25`, `3.4`, `1,200`.
pub fn number(value: f64) -> String {
    match value.abs() {
        v if v.is_nan() => "–".to_owned(),
        v if v == v.trunc() && v < 1e15 => {
            format!("{}{}", if value < 0.0 { "−" } else { "" }, count(v as u64))
        }
        v if v < 0.0005 => format!("{value:.0e}"),
        v if v < 0.995 => format!("{value:.3}").trim_end_matches('0').to_owned(),
        v if v < 99.95 => format!("{value:.1}").trim_end_matches(".0").to_owned(),
        v if v < 1e15 => count(value.round() as u64),
        _ => format!("{value:e}"),
    }
}

/// A value of `summary.csv` with its unit.
pub fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "s" if value == 0.0 || value >= 60.0 => offset(value),
        "s" => latency(value * 1e6),
        "ms" => latency(value * 1e3),
        "share" => share(value),
        "per_s" => format!("{}/s", number(value)),
        _ => number(value),
    }
}

/// The same, with as many figures more as it takes to tell it from each of these that it is not.
pub fn quantity_beside(value: f64, unit: &str, others: &[f64]) -> String {
    let told = |text: &dyn Fn(f64) -> String| {
        others.iter().all(|other| *other == value || other.is_nan() || text(*other) != text(value))
    };
    let plain = |value: f64| quantity(value, unit);
    if told(&plain) {
        return plain(value);
    }
    let exact = |value: f64, decimals: usize| match unit {
        "share" => format!("{:.decimals$}%", value * 100.0),
        "per_s" => format!("{value:.decimals$}/s"),
        "s" | "ms" => format!("{value:.decimals$} {unit}"),
        _ => format!("{value:.decimals$}"),
    };
    let enough = (0..=9).find(|decimals| told(&|value| exact(value, *decimals)));
    exact(value, enough.unwrap_or(9))
}

/// A duration or an offset: `0s`, `90s` → `1m30s`, `2h30m`, `1d2h`.
pub fn offset(seconds: f64) -> String {
    if seconds > 0.0 && seconds < 60.0 && seconds.fract() != 0.0 {
        return format!("{}s", number(seconds));
    }
    let whole = seconds.round().max(0.0) as u64;
    let parts = [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// An instant: UTC with its date where the scenario has a start, otherwise the offset.
pub fn instant(header: &Header, seconds: f64) -> String {
    let civil = header.utc(seconds).map(|at| jiff::tz::Offset::UTC.to_datetime(at));
    civil.map_or_else(|| offset(seconds), |at| at.strftime("%d %b %H:%M:%S").to_string())
}

/// The same to the minute, where it is a whole one.
pub fn minute(header: &Header, seconds: f64) -> String {
    let text = instant(header, seconds);
    match text.strip_suffix(":00") {
        Some(short) if header.start().is_some() => short.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_bound_does_not_read_as_the_bound() {
        for (value, unit, bound, expected) in [
            (0.98545, "share", 0.99, "98.5%"),
            (0.99, "share", 0.99, "99%"),
            (2_000.127, "ms", 2_000.0, "2000.1 ms"),
            (2_400.0, "ms", 2_000.0, "2.4 s"),
            (901.2, "s", 901.0, "901.2 s"),
            (0.3, "share", f64::NAN, "30%"),
        ] {
            assert_eq!(quantity_beside(value, unit, &[bound]), expected);
        }
    }

    #[test]
    fn numbers_read_well() {
        for (text, expected) in [
            (latency(870.0), "870 µs"),
            (latency(2_310.0), "2.3 ms"),
            (latency(999_700.0), "1.0 s"),
            (latency(1_830_000.0), "1.8 s"),
            (share(0.914), "91%"),
            (share(0.99984), "99.98%"),
            (share(0.999999), "99.99%"),
            (share(0.995797), "99.58%"),
            (share(0.990001), "99.00%"),
            (share(0.0), "0%"),
            (share(0.00004), "<0.01%"),
            (share(-0.003), "−0.30%"),
            (share(f64::NAN), "–"),
            (count(1_234_567), "1,234,567"),
            (number(0.25), "0.25"),
            (number(0.000_2), "2e-4"),
            (number(-3.0), "−3"),
            (offset(0.0), "0s"),
            (offset(9_000.0), "2h30m"),
            (offset(17.5), "17.5s"),
            (number(1.03), "1"),
            (quantity(90.0, "s"), "1m30s"),
            (quantity(0.0, "s"), "0s"),
            (quantity(f64::NAN, "s"), "–"),
            (quantity(4000.0, "per_s"), "4,000/s"),
        ] {
            assert_eq!(text, expected);
        }
    }
}
