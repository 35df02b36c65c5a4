//! A report as its reader has it: sections, tables, and the lines between them.

/// A table with the heading above it.
pub struct Table {
    pub section: String,
    /// The bold line above the table, where there is one.
    pub title: String,
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Markdown taken apart.
pub struct Page {
    pub tables: Vec<Table>,
    /// Lines outside tables, folded parts and headings; cells of the first screen are lines too.
    pub lines: Vec<String>,
}

impl Page {
    pub fn read(text: &str) -> Self {
        let (mut tables, mut lines): (Vec<Table>, Vec<String>) = (Vec::new(), Vec::new());
        let (mut section, mut title, mut folded, mut in_table) = (String::new(), String::new(), false, false);
        for line in text.lines() {
            match line {
                _ if line.starts_with("<details>") => folded = true,
                _ if line.starts_with("</details>") => folded = false,
                _ if line.starts_with('#') => section = line.trim_start_matches(['#', ' ']).to_owned(),
                _ if line.starts_with('|') => {
                    let row = cells(line);
                    if !in_table {
                        let title = std::mem::take(&mut title);
                        tables.push(Table { section: section.clone(), title, headings: row, rows: Vec::new() });
                    } else if !row.iter().all(|cell| cell.trim_matches(['-', ':']).is_empty() && cell.contains('-')) {
                        tables.last_mut().unwrap().rows.push(row.clone());
                        // The first screen's answers are sentences.
                        if row.len() == 2 && row[0].starts_with("**") {
                            lines.push(row[1].clone());
                        }
                    }
                }
                _ if line.starts_with("**") && line.ends_with("**") => line.trim_matches('*').clone_into(&mut title),
                _ if !folded && !line.is_empty() => lines.push(line.to_owned()),
                _ => {}
            }
            in_table = line.starts_with('|');
        }
        Self { tables, lines: lines.iter().map(|line| plain(line)).collect() }
    }

    /// Tables of a section; none of a section that is not there.
    pub fn of<'a>(&'a self, section: &'a str) -> impl Iterator<Item = &'a Table> {
        self.tables.iter().filter(move |table| table.section == section)
    }

    /// The table that has all these headings.
    pub fn with(&self, headings: &[&str]) -> Option<&Table> {
        self.tables.iter().find(|table| headings.iter().all(|heading| table.headings.iter().any(|own| own == heading)))
    }
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').replace("\\|", "\u{1}");
    let inner = inner.trim_end().strip_suffix('|').unwrap_or(&inner).to_owned();
    inner.split('|').map(|cell| plain(&cell.trim().replace('\u{1}', "|"))).collect()
}

/// A text without what keeps its signs from being read as markdown.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = letter == '\\' && letters.peek().is_some_and(|next| "\\`*[]~$_".contains(*next));
        out.extend(if escaped { letters.next() } else { Some(letter) });
    }
    out.replace("&lt;", "<").replace("&amp;", "&")
}
