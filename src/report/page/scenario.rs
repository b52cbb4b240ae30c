//! The resolved scenarios of the variants, the first whole and the others as what differs from it.
//!
//! Variants share nearly every line, and the page shows what differs first. Lines are matched in order by the
//! longest common part before and after each change, which is plenty for files of one origin.

use serde_json::{Value, json};

/// For each variant its name and its lines: `[from, count]` are lines of the first, texts are its own.
pub fn packed(resolved: &[(String, String)]) -> Vec<Value> {
    let Some((_, first)) = resolved.first() else { return vec![] };
    let base: Vec<&str> = first.lines().collect();
    let whole = |n: usize, text: &str| match n {
        0 => base.iter().map(|line| json!(line)).collect::<Vec<_>>(),
        _ => against(&base, &text.lines().collect::<Vec<_>>()),
    };
    let one =
        |(n, (name, text)): (usize, &(String, String))| json!({ "variant": name, "lines": whole(n, text) });
    resolved.iter().enumerate().map(one).collect()
}

/// The lines as pieces of the base and own lines.
fn against(base: &[&str], lines: &[&str]) -> Vec<Value> {
    let mut pieces: Vec<Value> = Vec::new();
    let mut run: Option<(usize, usize)> = None;
    let mut next = 0;
    for line in lines {
        // Looking ahead from where the last match ended keeps the order; a line of its own moves nothing.
        let found = base.iter().skip(next).position(|other| other == line).map(|ahead| next + ahead);
        match (found, &mut run) {
            (Some(at), Some((from, count))) if *from + *count == at => *count += 1,
            (Some(at), _) => {
                flush(&mut pieces, run.replace((at, 1)));
            }
            (None, _) => {
                flush(&mut pieces, run.take());
                pieces.push(json!(line));
            }
        }
        next = found.map_or(next, |at| at + 1);
    }
    flush(&mut pieces, run);
    pieces
}

fn flush(pieces: &mut Vec<Value>, run: Option<(usize, usize)>) {
    if let Some((from, count)) = run {
        pieces.push(json!([from, count]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_what_differs() {
        let first = "title = \"a\"\n\n[pool]\nmax = 10  # default\nlifetime = \"15m\"\n";
        let second = "title = \"a\"\n\n[pool]\nmax = 12  # variant\nlifetime = \"15m\"\n";
        let packed = packed(&[("plain".into(), first.into()), ("more".into(), second.into())]);
        assert_eq!(packed[0]["lines"].as_array().unwrap().len(), 5);
        assert_eq!(packed[1]["lines"], json!([[0, 3], "max = 12  # variant", [4, 1]]));
    }
}
