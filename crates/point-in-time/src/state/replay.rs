//! Any other function: its own accumulator, fed with the window's events in their order.

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array, new_empty_array, new_null_array};
use datafusion::arrow::compute::{concat, take};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo};

use super::{Seen, state_types};
use crate::shape::Aggregate;

/// Where the accumulator is `resumable`, a window that only grew or slid on is reached from the last one.
pub fn replay(aggregate: &Aggregate, seen: &Seen, resumable: bool) -> Result<Vec<ArrayRef>> {
    if !resumable && aggregate.function.groups_accumulator_supported() {
        return in_groups(aggregate, seen);
    }
    let types = state_types(aggregate)?;
    let mut columns = vec![vec![ScalarValue::Null; seen.windows.len()]; types.len()];
    let arguments = seen.arguments()?;
    let part = |from: usize, until: usize| -> Vec<ArrayRef> {
        arguments.iter().map(|argument| argument.slice(from, until - from)).collect()
    };
    let mut carried: Option<(Box<dyn Accumulator>, std::ops::Range<usize>)> = None;
    for row in seen.windows.order() {
        let wanted = seen.windows.range(row as usize);
        let (mut accumulator, current) = match carried.take() {
            Some((accumulator, current)) if resumable && reaches(accumulator.as_ref(), &current, &wanted) => {
                (accumulator, current)
            }
            _ => (aggregate.function.create_accumulator()?, wanted.start..wanted.start),
        };
        if wanted.end > current.end {
            accumulator.update_batch(&part(current.end, wanted.end))?;
        }
        if wanted.start > current.start {
            accumulator.retract_batch(&part(current.start, wanted.start))?;
        }
        for (column, value) in columns.iter_mut().zip(accumulator.state()?) {
            column[row as usize] = value;
        }
        carried = Some((accumulator, wanted));
    }
    let array = |(values, data_type): (Vec<ScalarValue>, _)| match values.is_empty() {
        true => Ok(new_empty_array(data_type)),
        false => ScalarValue::iter_to_array(values),
    };
    columns.into_iter().zip(&types).map(array).collect()
}

/// With the accumulator that holds many groups at once: every window with events is a group.  A group that no row
/// stands for is nothing such an accumulator knows, so empty windows share the state of a row that was filtered out.
fn in_groups(aggregate: &Aggregate, seen: &Seen) -> Result<Vec<ArrayRef>> {
    let mut accumulator = aggregate.function.create_groups_accumulator()?;
    let arguments = seen.arguments()?;
    let mut groups = 0;
    let mut places: Vec<Option<u32>> = Vec::with_capacity(seen.windows.len());
    for window in (0..seen.windows.len()).map(|row| seen.windows.range(row)) {
        if window.is_empty() {
            places.push(None);
            continue;
        }
        let events: Vec<ArrayRef> =
            arguments.iter().map(|argument| argument.slice(window.start, window.len())).collect();
        places.push(Some(groups as u32));
        groups += 1;
        accumulator.update_batch(&events, &vec![groups - 1; window.len()], None, groups)?;
    }
    let nothing = state_of_nothing(aggregate, seen)?;
    let found = if groups == 0 { Vec::new() } else { accumulator.state(EmitTo::All)? };
    let places: UInt32Array = places.into_iter().map(|place| Some(place.unwrap_or(groups as u32))).collect();
    let whole = |(field, nothing): (usize, &ArrayRef)| -> Result<ArrayRef> {
        let parts: Vec<&dyn Array> =
            found.get(field).map(AsRef::as_ref).into_iter().chain([nothing.as_ref()]).collect();
        Ok(take(&concat(&parts)?, &places, None)?)
    };
    nothing.iter().enumerate().map(whole).collect()
}

fn state_of_nothing(aggregate: &Aggregate, seen: &Seen) -> Result<Vec<ArrayRef>> {
    let mut accumulator = aggregate.function.create_groups_accumulator()?;
    let row: Vec<ArrayRef> = seen.columns.iter().map(|column| new_null_array(column.data_type(), 1)).collect();
    accumulator.update_batch(&row, &[0], Some(&BooleanArray::from(vec![false])), 1)?;
    accumulator.state(EmitTo::All)
}

/// The state over `events`, in the form that the function's states have in a partial aggregate.
pub fn state_over(aggregate: &Aggregate, events: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    if aggregate.function.groups_accumulator_supported() {
        let mut accumulator = aggregate.function.create_groups_accumulator()?;
        accumulator.update_batch(events, &vec![0; events.first().map_or(0, |events| events.len())], None, 1)?;
        return accumulator.state(EmitTo::All);
    }
    let mut accumulator = aggregate.function.create_accumulator()?;
    accumulator.update_batch(events)?;
    accumulator.state()?.iter().map(ScalarValue::to_array).collect()
}

/// Whether `wanted` can be reached from `current` by adding at the end and taking away at the beginning.
fn reaches(accumulator: &dyn Accumulator, current: &std::ops::Range<usize>, wanted: &std::ops::Range<usize>) -> bool {
    wanted.end >= current.end
        && (wanted.start == current.start
            || accumulator.supports_retract_batch() && (current.start..current.end).contains(&wanted.start))
}
