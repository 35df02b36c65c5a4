//! MIN, MAX, FIRST_VALUE and LAST_VALUE: one event of the window, and what it holds.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array};
use datafusion::arrow::compute::{LexicographicalComparator, SortColumn, lexsort_to_indices, rank, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::Seen;
use super::pick::{pick, pick_by_time};
use crate::shape::Aggregate;
use crate::windows::numbers;

pub fn extreme(aggregate: &Aggregate, seen: Seen, largest: bool) -> Result<Vec<ArrayRef>> {
    let seen = seen.without_nulls(0)?;
    let picked = match aggregate.arguments[..] {
        // Events of one time are alike here.
        [0] => pick_by_time(&seen.windows, largest, |_, _| false, |best, _| best),
        _ => {
            let values = seen.argument(0)?;
            let keys = match values.data_type() {
                DataType::Timestamp(..) | DataType::Date32 | DataType::Int64 | DataType::Int32 => numbers(&values)?,
                _ => rank(&values, None)?.into_iter().map(i64::from).collect(),
            };
            pick(&keys, &seen.windows, largest)
        }
    };
    Ok(vec![seen.argument_at(&picked, 0)?])
}

/// Rows that the ORDER BY leaves equal are told apart by their value, so that the answer does not depend on the order in
/// which rows arrived.
pub fn ordered(aggregate: &Aggregate, seen: Seen, last: bool) -> Result<Vec<ArrayRef>> {
    let seen = if aggregate.function.ignore_nulls() { seen.without_nulls(0)? } else { seen };
    let (value, orderings) = (&seen.columns[0], &seen.columns[1..]);
    let by = orderings.iter().zip(aggregate.function.order_bys());
    let mut columns: Vec<SortColumn> =
        by.map(|(values, by)| SortColumn { values: Arc::clone(values), options: Some(by.options) }).collect();
    columns.push(SortColumn { values: Arc::clone(value), options: None });
    let picked = match aggregate.arguments.get(1) {
        Some(0) => by_time(&seen, &columns, last)?,
        _ => pick(&places(&seen, columns)?, &seen.windows, last),
    };
    let mut state: Vec<ArrayRef> =
        (0..seen.columns.len()).map(|number| seen.argument_at(&picked, number)).collect::<Result<_>>()?;
    let found: BooleanArray = (0..picked.len()).map(|row| Some(picked.is_valid(row))).collect();
    state.push(Arc::new(found));
    Ok(state)
}

/// The first or last event of each window in the order of `columns`, the first of which is the time.
fn by_time(seen: &Seen, columns: &[SortColumn], last: bool) -> Result<UInt32Array> {
    let descending = columns[0].options.is_some_and(|options| options.descending);
    let (times, ties) = (numbers(&columns[0].values)?, LexicographicalComparator::try_new(&columns[1..])?);
    let row = |position: u32| seen.rows.value(position as usize) as usize;
    let same_time = |a: u32, b: u32| times[row(a)] == times[row(b)];
    let better = |a: u32, b: u32| {
        let b_is_later = ties.compare(row(a), row(b)).is_lt();
        if b_is_later == last { b } else { a }
    };
    Ok(pick_by_time(&seen.windows, last != descending, same_time, better))
}

/// The place of every event when sorted by `columns`, which are the source's.
fn places(seen: &Seen, mut columns: Vec<SortColumn>) -> Result<Vec<i64>> {
    for column in &mut columns {
        column.values = take(&column.values, &seen.rows, None)?;
    }
    let order = lexsort_to_indices(&columns, None)?;
    let mut places = vec![0; order.len()];
    for (place, position) in (0..).zip(order.values()) {
        places[*position as usize] = place;
    }
    Ok(places)
}
