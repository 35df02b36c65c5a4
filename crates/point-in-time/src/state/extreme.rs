//! MIN, MAX, FIRST_VALUE and LAST_VALUE: one event of the window, and what it holds.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::{LexicographicalComparator, SortColumn, lexsort_to_indices, rank, take};
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
    // Events lie in the order of their time, so that where it comes first only those of one time are left to order.
    let keys = match (aggregate.arguments.get(1), columns.first()) {
        (Some(0), Some(time)) => {
            let descending = time.options.is_some_and(|options| options.descending);
            places_by_time(&numbers(&time.values)?, &columns[1..], descending)?
        }
        _ => places(&columns)?,
    };
    let picked = pick(&keys, &seen.windows, last);
    let mut state = vec![take(value, &picked, None)?];
    for ordering in orderings {
        state.push(take(ordering, &picked, None)?);
    }
    let found: BooleanArray = (0..picked.len()).map(|row| Some(picked.is_valid(row))).collect();
    state.push(Arc::new(found));
    Ok(state)
}

/// The place of every event when sorted by `columns`.
fn places(columns: &[SortColumn]) -> Result<Vec<i64>> {
    let order = lexsort_to_indices(columns, None)?;
    let mut places = vec![0; order.len()];
    for (place, position) in (0..).zip(order.values()) {
        places[*position as usize] = place;
    }
    Ok(places)
}

/// The same where `times` come first and lie in order, key by key; places of different keys are never compared.
fn places_by_time(times: &[i64], ties: &[SortColumn], descending: bool) -> Result<Vec<i64>> {
    let mut places: Vec<i64> = (0..times.len() as i64).map(|place| if descending { -place } else { place }).collect();
    let comparator = LexicographicalComparator::try_new(ties)?;
    let mut start = 0;
    for run in times.chunk_by(|a, b| a == b) {
        if run.len() > 1 {
            let mut tied: Vec<usize> = (start..start + run.len()).collect();
            tied.sort_unstable_by(|a, b| comparator.compare(*a, *b));
            let first = if descending { -((start + run.len() - 1) as i64) } else { start as i64 };
            (first..).zip(tied).for_each(|(place, position)| places[position] = place);
        }
        start += run.len();
    }
    Ok(places)
}
