//! Descriptions for readers of the schema.
//!
//! The grammar's comments cite the project's notes of facts by section (`docs/sources.md`). Editors show them
//! as descriptions to people who have no such page at hand: there the citations are left out.

/// The project's notes, which descriptions cite by section for those who have them.
const NOTES: [&str; 4] = ["postgres.md", "cloud-run.md", "pools.md", "validation.md"];

/// A description without them: who reads it in an editor has no such page.
pub fn left_out(text: &str) -> String {
    let mut text = text.replace(" and §", "§");
    for note in NOTES {
        text = text.replace(&format!("{note} §"), "§").replace(&format!("{note}\n§"), "§");
    }
    let mut parts = text.split('§');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        plain += rest.strip_prefix(':').unwrap_or(rest).trim_start();
    }
    plain.replace(" ()", "").replace("\n()", "").replace(", )", ")")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::schema::schema_json;

    #[test]
    fn descriptions_cite_no_page_that_a_reader_cannot_open() {
        for (written, read) in [
            ("Work (postgres.md §8).", "Work."),
            ("Work (cloud-run.md\n§6.1).", "Work."),
            ("A pool (pools.md §1 and §5). More.", "A pool. More."),
            ("A cost (postgres.md §2: about 3,000/s; §8: 0.5\nms).", "A cost (about 3,000/s; 0.5\nms)."),
        ] {
            assert_eq!(left_out(written), read);
        }
        let schema = schema_json();
        assert!(!schema.contains('§') && NOTES.iter().all(|note| !schema.contains(note)));
    }
}
