//! The answer as tables: rows of the sources under the name of their CSV.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::pretty::pretty_format_batches;

use super::{Row, WhyError};
use crate::proof;
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::project::Project;
use selvedge_project::sql::{SqlFile, TableName};

/// Rows of one CSV.
pub struct Listed {
    csv: String,
    rows: usize,
    table: String,
}

/// Rows as they stand in the sources: line, key, and what the view reads of them.
pub fn rows(project: &Project, engine: &Engine, file: &SqlFile, rows: &BTreeSet<Row>) -> Result<Vec<Listed>> {
    let reads = engine.columns_read(project, file)?;
    let mut lines = BTreeMap::<&TableName, BTreeSet<i64>>::new();
    rows.iter().for_each(|(table, line)| {
        lines.entry(table).or_default().insert(*line);
    });
    let mut listed = Vec::new();
    for (source, header) in project.library.sources() {
        let table = source.table();
        let Some(lines) = lines.get(&table) else { continue };
        let read = reads.get(&table).into_iter().flatten();
        let mut columns = vec!["line"];
        for name in header.key.iter().chain(read).map(String::as_str) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        let failed = |e: ArrowError| WhyError::Print(e.to_string());
        let batch = engine.read(&table)?;
        let numbers = proof::lines(&batch, &source.shown)?;
        // What stands in the served log has lines below 0.
        let (served, of_csv): (BTreeSet<i64>, BTreeSet<i64>) = lines.iter().partition(|line| **line < 0);
        for (lines, path) in [(of_csv, project.paths.materials().join(&header.file)), (served, project.paths.served())]
        {
            if lines.is_empty() {
                continue;
            }
            let batch = of_lines(&batch, &numbers, &lines, &columns).map_err(failed)?;
            listed.push(Listed {
                csv: project.paths.shown(&path),
                rows: batch.num_rows(),
                table: pretty_format_batches(std::slice::from_ref(&batch)).map_err(failed)?.to_string(),
            });
        }
    }
    Ok(listed)
}

/// The rows of a source that stand in these lines, in their order; `numbers` holds the line of each row.
fn of_lines(
    source: &RecordBatch,
    numbers: &[Option<i64>],
    lines: &BTreeSet<i64>,
    columns: &[&str],
) -> std::result::Result<RecordBatch, ArrowError> {
    let schema = source.schema();
    let numbered = numbers.iter().copied().zip(0..);
    let wanted = numbered.filter_map(|(line, row)| line.filter(|line| lines.contains(line)).map(|line| (line, row)));
    let in_order: BTreeMap<i64, u32> = wanted.collect();
    let rows = take_record_batch(source, &UInt32Array::from_iter_values(in_order.into_values()))?;
    rows.project(&columns.iter().map(|name| schema.index_of(name)).collect::<std::result::Result<Vec<_>, _>>()?)
}

/// A heading with a count, and a table for each CSV; `none` where there are no rows.
pub fn section(text: &mut String, files: &[Listed], words: &str, none: &str) {
    let count = match files.iter().map(|listed| listed.rows).sum::<usize>() {
        0 => none.to_owned(),
        1 => "1 row".into(),
        count => format!("{count} rows"),
    };
    let _ = writeln!(text, "\n{words} {count}");
    for listed in files {
        let _ = writeln!(text, "{}\n{}", listed.csv, listed.table);
    }
}
