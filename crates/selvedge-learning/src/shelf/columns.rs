//! Columns of the tables that shelves are made of.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::{cast, partition};
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit};

use super::{KEY, ShelfError};
use selvedge_project::error::Result;

/// Where the rows of each request stand; they stand together, because rows are in the order of [`KEY`].
pub fn requests_of(rows: &RecordBatch) -> Result<Vec<Range<usize>>> {
    if rows.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let columns = [column(rows, "the shelf", KEY[0])?, column(rows, "the shelf", KEY[1])?].map(Arc::clone);
    Ok(partition(&columns).map_err(ShelfError::Arrow)?.ranges())
}

/// A column that must be there; `file` is named in the error.
pub fn column<'a>(batch: &'a RecordBatch, file: &str, name: &str) -> Result<&'a ArrayRef> {
    let missing = || ShelfError::NoColumn { file: file.into(), column: name.into(), wanted: "a column" };
    Ok(batch.column_by_name(name).ok_or_else(missing)?)
}

/// A column of a type that must be there.
pub fn typed<'a>(
    batch: &'a RecordBatch,
    file: &str,
    name: &str,
    data_type: &DataType,
    wanted: &'static str,
) -> Result<&'a ArrayRef> {
    let found = batch.column_by_name(name).filter(|column| column.data_type() == data_type);
    Ok(found.ok_or_else(|| ShelfError::NoColumn { file: file.into(), column: name.into(), wanted })?)
}

/// Moments in nanoseconds; the smallest there is where a row has none.
pub fn moments(batch: &RecordBatch, file: &str, name: &str) -> Result<Vec<i64>> {
    let times = cast(column(batch, file, name)?, &DataType::Timestamp(TimeUnit::Nanosecond, None));
    let times = times.and_then(|times| cast(&times, &DataType::Int64)).map_err(ShelfError::Arrow)?;
    Ok(times.as_primitive::<Int64Type>().iter().map(|moment| moment.unwrap_or(i64::MIN)).collect())
}

/// True where a row says so; what is missing is not true.
pub fn truths(batch: &RecordBatch, file: &str, name: &str) -> Result<Vec<bool>> {
    let found = typed(batch, file, name, &DataType::Boolean, "true or false")?.as_boolean();
    Ok((0..found.len()).map(|row| found.is_valid(row) && found.value(row)).collect())
}

/// Numbers; 0 where a row has none.
pub fn numbers(batch: &RecordBatch, file: &str, name: &str) -> Result<Vec<f64>> {
    let found = cast(column(batch, file, name)?, &DataType::Float64).map_err(ShelfError::Arrow)?;
    let found = found.as_primitive::<datafusion::arrow::datatypes::Float64Type>();
    Ok(found.iter().map(|value| value.unwrap_or_default()).collect())
}

/// A number that names these texts for good.
pub fn name_of(texts: &[&str]) -> u64 {
    let mut hash = blake3::Hasher::new();
    for text in texts {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    let mut bytes = [0; 8];
    hash.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
