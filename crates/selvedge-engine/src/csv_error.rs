//! What can be wrong with a file of materials, in the words of who opens it.

use selvedge_project::error::{Advice, near_names};

#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    #[error("{file} cannot be read: {cause}")]
    Unreadable { file: String, cause: std::io::Error },
    #[error("{file} cannot be unpacked as gzip, which its name says it is: {cause}")]
    BrokenGzip { file: String, cause: std::io::Error },
    #[error("{file} cannot be read as Parquet, which its name says it is: {cause}")]
    BrokenParquet { file: String, cause: String },
    #[error("{file}: the column '{column}' holds {holds}, which no cell of a table of texts can")]
    NoCells { file: String, column: String, holds: &'static str },
    #[error("{file} is empty: it has no header line")]
    Empty { file: String },
    #[error("{file} has a header line and no rows")]
    NoRows { file: String },
    #[error("{file}:1: the file is not written in UTF-8")]
    NotUtf8 { file: String },
    #[error("{file}:1: the columns are not separated by commas: {text}")]
    NotCommas { file: String, text: String },
    #[error("{file}:1: the file is {what}")]
    OtherFormat { file: String, what: &'static str, todo: &'static str },
    #[error("{file}:1: the columns are separated by '{separator}', not by commas")]
    OtherSeparator { file: String, separator: String },
    #[error("{file}:1: this is no header line: {column} is expected there, and it reads: {text}")]
    NoHeader { file: String, column: String, text: String },
    #[error("{file}:1: {} has no name", if *at_end { "the line ends with a comma: a column".to_owned() } else { format!("column {place}") })]
    NoName { file: String, place: usize, at_end: bool },
    #[error("{file}:1: a column is called 'line', which is the name that selvedge gives the number of the line")]
    OwnName { file: String, definition: String },
    #[error("{file}:{line}: a line ends with a carriage return alone")]
    LoneReturn { file: String, line: u64 },
    #[error("{file}:1: {} missing", listed(columns, "is", "are"))]
    MissingColumns { file: String, columns: Vec<String>, found: Vec<String> },
    #[error("{file}:1: {} not expected", listed(columns, "is", "are"))]
    ExtraColumns { file: String, columns: Vec<String>, definition: String },
    #[error("{file}:1: the column '{column}' stands there twice")]
    ColumnTwice { file: String, column: String },
    #[error("{file}:{line}: a quote is opened and not closed: {text}")]
    OpenQuote { file: String, line: u64, text: String },
    #[error("{file}:{line}: {cause}")]
    Broken { file: String, line: u64, cause: String },
}

impl Advice for CsvError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { file, .. } => format!("put the client's export there, as {file}"),
            Self::BrokenGzip { .. } | Self::BrokenParquet { .. } => {
                "fetch the file again, as it may have been cut, or call it what it is; the tables of the last run are kept".into()
            }
            Self::NoCells { .. } => "write it as a text with a sign between the parts, or leave it out".into(),
            Self::Empty { .. } => "ask for the export again; the tables of the last run are kept".into(),
            Self::NoRows { .. } => {
                "ask for the export again (the tables of the last run are kept), or write may_be_empty: true \
                                    in the header of its file in sql/sources"
                    .into()
            }
            Self::NotUtf8 { .. } => {
                "save the file as CSV in UTF-8, or write encoding: latin-1 in the header of its source".into()
            }
            Self::NotCommas { .. } => "save the file as CSV in UTF-8, with commas between the columns".into(),
            Self::OtherFormat { todo, .. } => (*todo).into(),
            Self::OtherSeparator { .. } => "save the file with commas between the columns".into(),
            Self::NoHeader { .. } => {
                "remove what stands above the header line, or put one there that names the columns".into()
            }
            Self::NoName { at_end: true, .. } => {
                "remove the comma at the end of every line, or give the column a name".into()
            }
            Self::NoName { .. } => "give the column a name in the first line, or leave it out of the export".into(),
            Self::OwnName { definition, .. } => {
                format!("rename it in the file's first line and in {definition}, for example to line_no")
            }
            Self::LoneReturn { .. } => {
                "save the file with the line ends of Windows or Unix: in Excel, as CSV UTF-8".into()
            }
            Self::MissingColumns { columns, found, .. } => {
                let near = |column: &String| {
                    let near = near_names(column, found.iter().map(String::as_str));
                    near.first().map(|near| format!("is {near} meant by {column}?"))
                };
                let near: Vec<String> = columns.iter().filter_map(near).collect();
                match near.is_empty() {
                    true => {
                        format!("the file has {}; ask for the export again, or change sql/sources", found.join(", "))
                    }
                    false => near.join(" "),
                }
            }
            Self::ExtraColumns { definition, columns, .. } => {
                let each =
                    columns.iter().map(|column| format!("`{column}: what it means`")).collect::<Vec<_>>().join(", ");
                format!("add {each} to columns in {definition}, or leave them out of the export")
            }
            Self::ColumnTwice { .. } => "leave one of them out of the export".into(),
            Self::OpenQuote { .. } => {
                "close the quote on that line, or double the quotes that belong to the text".into()
            }
            Self::Broken { .. } => "correct that line".into(),
        })
    }
}

/// `the column 'a' is`, or `the columns 'a' and 'b' are`.
fn listed(columns: &[String], one: &str, several: &str) -> String {
    let quoted: Vec<String> = columns.iter().map(|column| format!("'{column}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => format!("the column {last} {one}"),
        Some((last, rest)) => format!("the columns {} and {last} {several}", rest.join(", ")),
        None => format!("no column {one}"),
    }
}
