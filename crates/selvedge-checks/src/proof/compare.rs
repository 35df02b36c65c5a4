//! Where two answers of one view differ first, to the last bit.

use datafusion::arrow::array::{Array, AsArray, BooleanArray};
use datafusion::arrow::compute::{cast, filter_record_batch};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use datafusion::arrow::util::display::array_value_to_string;

use selvedge_engine::Table;
use selvedge_features::features::View;
use selvedge_project::error::Result;

use super::materials::MaterialError;

/// What moved.
pub enum Moved {
    /// The first value that is another, with its row's key.
    Value { column: String, key: String, expected: String, found: String },
    /// There are more or fewer rows.
    Rows { expected: usize, found: usize },
}

/// The first difference between a view as it is and as it was `found`, up to and with the moment `cut`.
/// Bits are compared: -0 is not 0, and a NaN is itself.
pub fn first_move(expected: &View, found: &View, cut: Option<i64>) -> Result<Option<Moved>> {
    let (expected, found) = (until(&expected.table, cut)?, until(&found.table, cut)?);
    let (rows, others) = (expected.batch.num_rows(), found.batch.num_rows());
    if rows != others {
        return Ok(Some(Moved::Rows { expected: rows, found: others }));
    }
    for (field, was) in expected.batch.schema().fields().iter().zip(expected.batch.columns()) {
        let Some(is) = found.batch.column_by_name(field.name()) else { continue };
        if was.to_data() == is.to_data() {
            continue;
        }
        let same = |row: &usize| was.slice(*row, 1).to_data() == is.slice(*row, 1).to_data();
        let Some(row) = (0..rows).find(|row| !same(row)) else { continue };
        let (expected_value, found_value) = (show(was, row), show(is, row));
        return Ok(Some(Moved::Value {
            column: field.name().clone(),
            key: expected.show_key(row),
            expected: expected_value,
            found: found_value,
        }));
    }
    Ok(None)
}

/// The rows whose moment is not after `cut`.
pub fn until(table: &Table, cut: Option<i64>) -> Result<Table> {
    let (Some(cut), Some(moments)) = (cut, table.batch.column_by_name("as_of")) else {
        return Ok(table.clone());
    };
    let arrow = |cause| MaterialError::Arrow { table: "as_of".into(), cause };
    let moments = cast(moments, &DataType::Timestamp(TimeUnit::Nanosecond, None)).map_err(arrow)?;
    let moments = moments.as_primitive::<TimestampNanosecondType>();
    let keep: BooleanArray = moments.iter().map(|moment| Some(moment.is_some_and(|moment| moment <= cut))).collect();
    let batch = filter_record_batch(&table.batch, &keep).map_err(arrow)?;
    Ok(Table { batch, key: table.key.clone() })
}

fn show(column: &dyn Array, row: usize) -> String {
    match column.is_null(row) {
        true => "no value".into(),
        false => array_value_to_string(column, row).unwrap_or_default(),
    }
}
