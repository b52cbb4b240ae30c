//! Pieces of HTML whose texts cannot break out of their places.

use crate::report::font::printable;

/// A text for an element or a quoted attribute, without control characters.
pub fn text(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        c => c.to_string(),
    };
    printable(text).chars().map(escaped).collect()
}

/// A name, which may be long or written from right to left.
pub fn name(name: &str) -> String {
    format!("<bdi class=\"name\">{}</bdi>", text(name))
}

/// Texts that are owned, for [`table`].
pub fn strings(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// A table under its caption; the first cell of a row is its head. Nothing without rows.
pub fn table(caption: &str, head: &[String], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let caption = text(caption);
    let head: String = head.iter().map(|cell| format!("<th scope=\"col\">{}</th>", name(cell))).collect();
    let cell = |(n, cell): (usize, &String)| match n {
        0 => format!("<th scope=\"row\">{}</th>", name(cell)),
        _ => format!("<td>{}</td>", name(cell)),
    };
    let row =
        |row: &Vec<String>| format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>());
    format!(
        "<div class=\"table\"><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\
         <table><caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{}</tbody></table></div></div>\n",
        rows.iter().map(row).collect::<String>()
    )
}

/// A table with what to know of it beneath, quietly.
pub fn with_notes(table: &str, notes: &[String]) -> String {
    let notes: String = notes.iter().map(|note| format!("<p class=\"quiet\">{}</p>\n", text(note))).collect();
    format!("<div class=\"told\">{table}{notes}</div>\n")
}

/// The template with each `{{name}}` replaced; what is put in is not searched again.
pub fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut page = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        page += before;
        page += values.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value);
        rest = after;
    }
    page + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        assert_eq!(text("</script> & \"x\" 'y'\u{7}"), "&lt;/script&gt; &amp; &quot;x&quot; &#39;y&#39; ");
        let page = fill("<p>{{a}}</p>{{b}}", &[("a", "{{b}}".into()), ("b", "B".into())]);
        assert_eq!(page, "<p>{{b}}</p>B");
        assert_eq!(table("empty", &["a".into()], &[]), "");
    }
}
