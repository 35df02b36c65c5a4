//! What ingest tells about the rows: those set aside, and how often each surprise was met.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray};

use selvedge_engine::Table;
use selvedge_project::error::Result;

/// A row that is set aside.
pub struct Aside {
    pub csv: Arc<str>,
    pub line: i64,
    /// A code of the header, or the reader's own words.
    pub reason: Arc<str>,
    /// The row as it was written, cells separated by commas.
    pub text: String,
}

/// One line of the surprises table.
#[derive(Clone)]
pub struct Count {
    pub csv: String,
    /// rows, kept, set_aside or surprise.
    pub kind: &'static str,
    pub code: String,
    pub column: Option<String>,
    pub rows: i64,
    pub first_line: Option<i64>,
    pub found: Option<String>,
    pub done: Option<String>,
}

/// Every row that was set aside.
pub fn rejected(aside: &[&Aside]) -> Result<Table> {
    let texts =
        |of: fn(&Aside) -> &str| Arc::new(StringArray::from_iter_values(aside.iter().map(|row| of(row)))) as ArrayRef;
    let lines = Arc::new(Int64Array::from_iter_values(aside.iter().map(|row| row.line)));
    let columns: [(&str, ArrayRef); 4] = [
        ("file", texts(|row| &row.csv)),
        ("line", lines),
        ("reason", texts(|row| &row.reason)),
        ("row", texts(|row| &row.text)),
    ];
    Table::of_columns("rejected", &["file", "line"], columns)
}

/// How often each surprise was met.
pub fn surprises(counts: &[Count]) -> Result<Table> {
    let texts = |of: fn(&Count) -> Option<&str>| Arc::new(counts.iter().map(of).collect::<StringArray>()) as ArrayRef;
    let rows = Arc::new(Int64Array::from_iter_values(counts.iter().map(|count| count.rows)));
    let first = Arc::new(counts.iter().map(|count| count.first_line).collect::<Int64Array>());
    let columns: [(&str, ArrayRef); 8] = [
        ("file", texts(|count| Some(&count.csv))),
        ("kind", texts(|count| Some(count.kind))),
        ("code", texts(|count| Some(&count.code))),
        ("column", texts(|count| count.column.as_deref())),
        ("rows", rows),
        ("first_line", first),
        ("found", texts(|count| count.found.as_deref())),
        ("done", texts(|count| count.done.as_deref())),
    ];
    Table::of_columns("surprises", &["file", "kind", "code"], columns)
}
