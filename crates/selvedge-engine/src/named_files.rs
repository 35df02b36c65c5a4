//! Files as tables of a question: `SELECT * FROM 'orders.csv'`.

use std::path::Path;

use csv::ReaderBuilder;
use datafusion::common::TableReference;
use datafusion::prelude::ParquetReadOptions;

use super::Session;
use super::csv::{Expected, RawTable};
use super::csv_error::CsvError;
use super::query_error::query_error;
use selvedge_project::error::Result;
use selvedge_project::sql::TableName;

/// How the names of files end that can be tables.
const ENDS: [&str; 3] = [".csv", ".csv.gz", ".parquet"];

impl Session {
    /// Opens the files that a query names as tables, such as `'orders.csv'` or `"a/b.parquet"`: a Parquet file with its
    /// types, a CSV with each cell as the text that is written there and its `line`.  Returns what is to be told of them.
    pub async fn open_named_files(&self, sql: &str) -> Result<Vec<String>> {
        let mut told = Vec::new();
        for file in self.files_named(sql) {
            if file.ends_with(".parquet") {
                let options = ParquetReadOptions::default();
                let opened = self.context.register_parquet(TableReference::bare(file.as_str()), &file, options).await;
                opened.map_err(|e| query_error(&file, &e, &[]))?;
                continue;
            }
            let (raw, latin_1) = whole(&file)?;
            if latin_1 {
                told.push(format!("{file} is not written in UTF-8 and is read as Latin-1"));
            }
            if let Some(first) = raw.malformed.first() {
                let rows = raw.malformed.len();
                let which = if rows == 1 { "1 row is".to_owned() } else { format!("{rows} rows are") };
                told.push(format!("{file}: {which} left out, the first at {file}:{}: {}", first.line, first.reason));
            }
            self.register(&TableName::bare(&file), raw.batch)?;
        }
        Ok(told)
    }

    /// None where the query cannot be read, which is told when it is asked.
    fn files_named(&self, sql: &str) -> Vec<String> {
        let state = self.context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let statement = state.sql_to_statement(sql, &dialect);
        let tables = statement.and_then(|statement| state.resolve_table_references(&statement)).unwrap_or_default();
        let bare = tables.into_iter().filter_map(|table| match table {
            TableReference::Bare { table } => Some(table.to_string()),
            _ => None,
        });
        bare.filter(|name| ENDS.iter().any(|end| name.ends_with(end))).collect()
    }
}

/// A CSV with whatever columns it has, and whether it had to be read as Latin-1.
fn whole(file: &str) -> Result<(RawTable, bool)> {
    let path = Path::new(file);
    let text = RawTable::text(path, file)?;
    let latin_1 = std::str::from_utf8(&text).is_err();
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(&text[..]);
    let header = reader.byte_headers();
    let header = header.map_err(|e| CsvError::Broken { file: file.into(), line: 1, cause: e.to_string() })?;
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let columns = names.iter().map(String::as_str).collect();
    let wanted = Expected { columns, definition: "the query", may_be_empty: true, latin_1 };
    Ok((RawTable::read(path, file, &wanted)?, latin_1))
}
