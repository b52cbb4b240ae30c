//! The resolved scenarios of the variants, the first whole and the others as what differs from it.
//!
//! Variants share nearly every line, and the page shows what differs first: the shortest way from one to the
//! other, as a version control system would show it.

use serde_json::{Value, json};
use similar::{Algorithm, DiffOp, capture_diff_slices};

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
    let own = |from: usize, count: usize| lines[from..from + count].iter().map(|line| json!(line)).collect();
    let piece = |op: &DiffOp| -> Vec<Value> {
        match *op {
            DiffOp::Equal { old_index, len, .. } => vec![json!([old_index, len])],
            DiffOp::Delete { .. } => vec![],
            DiffOp::Insert { new_index, new_len, .. } => own(new_index, new_len),
            DiffOp::Replace { new_index, new_len, .. } => own(new_index, new_len),
        }
    };
    capture_diff_slices(Algorithm::Myers, base, lines).iter().flat_map(piece).collect()
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

    #[test]
    fn a_line_more_makes_no_other_line_differ() {
        let second = super::against(&["a", "x", "b", "x", "c"], &["a", "new", "x", "b", "x", "c"]);
        assert_eq!(second, [json!([0, 1]), json!("new"), json!([1, 4])]);
    }
}
