//! MIN, MAX, FIRST_VALUE and LAST_VALUE: one event of the window, and what it holds.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::{SortColumn, lexsort_to_indices, rank, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::Seen;
use super::pick::pick;
use crate::shape::Aggregate;
use crate::windows::numbers;

pub fn extreme(seen: Seen, largest: bool) -> Result<Vec<ArrayRef>> {
    let seen = seen.without_nulls(0)?;
    let values = &seen.arguments[0];
    let keys = match values.data_type() {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Int64 | DataType::Int32 => numbers(values)?,
        _ => rank(values, None)?.into_iter().map(i64::from).collect(),
    };
    Ok(vec![take(values, &pick(&keys, &seen.windows, largest), None)?])
}

/// Rows that the ORDER BY leaves equal are told apart by their value, so that the answer does not depend on the order in
/// which rows arrived.
pub fn ordered(aggregate: &Aggregate, seen: Seen, last: bool) -> Result<Vec<ArrayRef>> {
    let seen = if aggregate.function.ignore_nulls() { seen.without_nulls(0)? } else { seen };
    let (value, orderings) = (&seen.arguments[0], &seen.arguments[1..]);
    let by = orderings.iter().zip(aggregate.function.order_bys());
    let mut columns: Vec<SortColumn> =
        by.map(|(values, by)| SortColumn { values: Arc::clone(values), options: Some(by.options) }).collect();
    columns.push(SortColumn { values: Arc::clone(value), options: None });
    let mut keys = vec![0; value.len()];
    for (place, position) in (0..).zip(lexsort_to_indices(&columns, None)?.values()) {
        keys[*position as usize] = place;
    }
    let picked = pick(&keys, &seen.windows, last);
    let mut state = vec![take(value, &picked, None)?];
    for ordering in orderings {
        state.push(take(ordering, &picked, None)?);
    }
    let found: BooleanArray = (0..picked.len()).map(|row| Some(picked.is_valid(row))).collect();
    state.push(Arc::new(found));
    Ok(state)
}
