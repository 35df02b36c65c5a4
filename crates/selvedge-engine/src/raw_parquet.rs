//! A Parquet file as the same table of texts that a CSV is: what follows reads both alike.  Its rows are numbered from 1.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::csv::WriterBuilder;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::csv::{Expected, RawTable};
use super::csv_error::CsvError;
use super::csv_start::refuse_other_columns;
use super::table::concatenated;
use selvedge_project::error::Result;

/// Reads a Parquet file whose columns must be those that are expected, in any order; `file` is named in errors.
pub fn read(path: &Path, file: &str, wanted: &Expected) -> Result<RawTable> {
    let batch = texts_of(path, file, |names| refuse_other_columns(names, file, &wanted.columns, wanted.definition))?;
    if batch.num_rows() == 0 && !wanted.may_be_empty {
        return Err(CsvError::NoRows { file: file.into() }.into());
    }
    Ok(RawTable { batch, malformed: Vec::new() })
}

/// A Parquet file as the text of a CSV with a header line.
pub fn as_csv(path: &Path, file: &str) -> Result<Vec<u8>> {
    let broken = |cause: String| CsvError::BrokenParquet { file: file.into(), cause };
    let batch = texts_of(path, file, |_| Ok(()))?;
    let mut out = Vec::new();
    let places: Vec<usize> = (1..batch.num_columns()).collect();
    let cells = batch.project(&places).map_err(|e| broken(e.to_string()))?;
    let mut writer = WriterBuilder::new().with_header(true).build(&mut out);
    writer.write(&cells).map_err(|e| broken(e.to_string()))?;
    drop(writer);
    Ok(out)
}

/// All columns as texts behind the numbers of their rows; `check` may refuse their names.
fn texts_of(path: &Path, file: &str, check: impl Fn(&[String]) -> Result<()>) -> Result<RecordBatch> {
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
    let mut fields = vec![Field::new("line", DataType::Int64, false)];
    fields.extend(names.iter().map(|name| Field::new(name, DataType::Utf8, true)));
    let schema = Arc::new(Schema::new(fields));
    let (mut batches, mut row) = (Vec::new(), 0);
    for batch in builder.build().map_err(|e| broken(e.to_string()))? {
        let batch = batch.map_err(|e| broken(e.to_string()))?;
        let rows = batch.num_rows() as i64;
        let lines: ArrayRef = Arc::new(Int64Array::from_iter_values(row + 1..=row + rows));
        row += rows;
        let mut columns = vec![lines];
        for (name, column) in names.iter().zip(batch.columns()) {
            columns.push(texts(column).map_err(|e| broken(format!("the column '{name}': {e}")))?);
        }
        batches.push(RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|e| broken(e.to_string()))?);
    }
    Ok(concatenated(&schema, batches).map_err(|e| broken(e.to_string()))?)
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
