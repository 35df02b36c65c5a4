//! A Parquet file as the same table of texts that a CSV is: what follows reads both alike.  Its rows are numbered from 1.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::csv::WriterBuilder;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::csv::{Expected, Scanned};
use super::csv_error::CsvError;
use super::csv_start::refuse_other_columns;
use selvedge_project::error::Result;

/// Rows that are read at a time.
const ROWS: usize = 1 << 16;

/// Reads a Parquet file whose columns must be those that are expected, in any order; `file` is named in errors.
pub fn scan<T>(
    path: &Path,
    file: &str,
    wanted: &Expected,
    take: impl Fn(&SchemaRef, RecordBatch) -> Result<T>,
) -> Result<Scanned<T>> {
    let check = |names: &[String]| refuse_other_columns(names, file, &wanted.columns, wanted.definition);
    let mut parts = Vec::new();
    let schema = texts_of(path, file, check, |schema, batch| {
        parts.push(take(schema, batch)?);
        Ok(())
    })?;
    Ok(Scanned { schema, parts, malformed: Vec::new() })
}

/// A Parquet file as the text of a CSV with a header line.
pub fn as_csv(path: &Path, file: &str) -> Result<Vec<u8>> {
    let broken = |cause: String| CsvError::BrokenParquet { file: file.into(), cause };
    let mut out = Vec::new();
    let mut writer = WriterBuilder::new().with_header(true).build(&mut out);
    let cells = |batch: &RecordBatch| batch.project(&(1..batch.num_columns()).collect::<Vec<_>>());
    let mut write = |batch: &RecordBatch| cells(batch).and_then(|cells| writer.write(&cells));
    let mut written = false;
    let schema = texts_of(
        path,
        file,
        |_| Ok(()),
        |_, batch| {
            written = true;
            write(&batch).map_err(|e| broken(e.to_string()).into())
        },
    )?;
    // Of no rows, the header line.
    if !written {
        write(&RecordBatch::new_empty(schema)).map_err(|e| broken(e.to_string()))?;
    }
    drop(writer);
    Ok(out)
}

/// All columns as texts behind the numbers of their rows, a batch at a time; `check` may refuse their names.
fn texts_of(
    path: &Path,
    file: &str,
    check: impl Fn(&[String]) -> Result<()>,
    mut take: impl FnMut(&SchemaRef, RecordBatch) -> Result<()>,
) -> Result<SchemaRef> {
    let broken = |cause: String| CsvError::BrokenParquet { file: file.into(), cause };
    let opened = File::open(path).map_err(|cause| CsvError::Unreadable { file: file.into(), cause })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|e| broken(e.to_string()))?;
    let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    check(&names)?;
    for field in builder.schema().fields() {
        if let Some(holds) = no_text(field.data_type()) {
            return Err(CsvError::NoCells { file: file.into(), column: field.name().clone(), holds }.into());
        }
    }
    let schema = super::csv::texts(&names);
    let mut row = 0;
    for batch in builder.with_batch_size(ROWS).build().map_err(|e| broken(e.to_string()))? {
        let batch = batch.map_err(|e| broken(e.to_string()))?;
        let rows = batch.num_rows() as i64;
        let lines: ArrayRef = Arc::new(Int64Array::from_iter_values(row + 1..=row + rows));
        row += rows;
        let mut columns = vec![lines];
        for (name, column) in names.iter().zip(batch.columns()) {
            columns.push(texts(column).map_err(|e| broken(format!("the column '{name}': {e}")))?);
        }
        take(&schema, RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|e| broken(e.to_string()))?)?;
    }
    Ok(schema)
}

/// What a column holds that is no text, number, flag or time.
fn no_text(kind: &DataType) -> Option<&'static str> {
    match kind {
        DataType::Dictionary(_, values) => no_text(values),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::ListView(_) => {
            Some("lists")
        }
        DataType::Struct(_) => Some("fields within fields"),
        DataType::Map(..) => Some("maps"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => Some("bytes"),
        kind if kind.is_nested() => Some("values of several kinds"),
        _ => None,
    }
}

/// Each value as it would stand in a CSV; an empty text is NULL, as there.
fn texts(column: &ArrayRef) -> std::result::Result<ArrayRef, datafusion::arrow::error::ArrowError> {
    // What has no text is an error: NULL would be a value that was there and is gone.
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let cells = cast_with_options(column, &DataType::Utf8, &options)?;
    let cells = cells.as_string::<i32>();
    match cells.iter().any(|cell| cell == Some("")) {
        true => Ok(Arc::new(cells.iter().map(|cell| cell.filter(|text| !text.is_empty())).collect::<StringArray>())),
        false => Ok(Arc::new(cells.clone())),
    }
}
