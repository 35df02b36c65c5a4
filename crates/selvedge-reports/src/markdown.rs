//! Markdown as GitHub shows it.

/// A table; cells are escaped.  Columns whose heading ends with `#` are numbers: right-aligned, the sign left out.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut lines = Vec::with_capacity(rows.len() + 2);
    lines.push(line(headings.iter().map(|heading| heading.trim_end_matches('#').to_owned())));
    lines.push(line(headings.iter().map(|heading| if heading.ends_with('#') { "---:" } else { "---" }.to_owned())));
    lines.extend(rows.iter().map(|row| line(row.iter().map(|cell| escape(cell)))));
    lines.join("\n") + "\n"
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

/// Keeps a cell in its cell, and a client's text from being read as HTML.
fn escape(cell: &str) -> String {
    cell.replace('&', "&amp;").replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

/// A text in which a client's own signs stand for themselves: no emphasis, link or code begins with them.  An underscore
/// inside a word begins nothing.
pub fn literal(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_word =
        |place: Option<usize>| place.and_then(|place| letters.get(place)).is_some_and(|c| c.is_alphanumeric());
    let mut out = String::with_capacity(text.len());
    for (place, letter) in letters.iter().enumerate() {
        let inside = is_word(place.checked_sub(1)) && is_word(Some(place + 1));
        if matches!(letter, '\\' | '`' | '*' | '[' | ']' | '~' | '$') || *letter == '_' && !inside {
            out.push('\\');
        }
        out.push(*letter);
    }
    out
}

/// The same for a line of its own, outside of tables.
pub fn line_of(text: &str) -> String {
    literal(text).replace('&', "&amp;").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

/// A picture that says in words what it shows.
pub fn picture(file: &str, words: &str) -> String {
    format!("![{}](charts/{file})\n", line_of(words))
}

/// Folded away for those who want it.
pub fn details(summary: &str, body: &str) -> String {
    format!("<details>\n<summary>{summary}</summary>\n\n{body}\n</details>\n")
}
