//! The world in which nothing came too late.

use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch, Scalar, TimestampNanosecondArray};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::arrow::error::ArrowError;

use crate::proof::Material;

/// The rows of a table, each that is known only at `as_of` (nanoseconds) or after with the last time before it.
pub fn just_in_time(material: &Material, as_of: i64) -> Result<RecordBatch, ArrowError> {
    let Some(name) = &material.time else { return Ok(material.batch.clone()) };
    let schema = material.batch.schema();
    let place = schema.index_of(name)?;
    let late: BooleanArray =
        material.known_from.iter().map(|from| Some(from.is_some_and(|from| from >= as_of))).collect();
    let column = material.batch.column(place);
    let mut columns = material.batch.columns().to_vec();
    columns[place] = zip(&late, &Scalar::new(before(as_of, column.data_type())?), column)?;
    RecordBatch::try_new(schema, columns)
}

/// The last time before `as_of` that a column of this type can hold.
fn before(as_of: i64, kind: &DataType) -> Result<ArrayRef, ArrowError> {
    let size = match kind {
        DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1,
        _ => 86_400_000_000_000,
    };
    let last = as_of.saturating_sub(1).div_euclid(size).saturating_mul(size);
    cast_with_options(&TimestampNanosecondArray::from(vec![last]), kind, &CastOptions::default())
}
