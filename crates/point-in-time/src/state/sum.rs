//! SUM and AVG: differences of running sums.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray, UInt64Array};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Decimal256Type, Float64Type, Int64Type, UInt64Type, i256,
};
use datafusion::common::{Result, internal_err};

use super::{Seen, replay::replay, state_types};
use crate::shape::Aggregate;
use crate::windows::Windows;

pub fn sum(aggregate: &Aggregate, seen: Seen) -> Result<Vec<ArrayRef>> {
    if !adds_up(&seen)? {
        return replay(aggregate, &seen, false);
    }
    let seen = seen.without_nulls(0)?;
    Ok(vec![sums(&seen, &state_types(aggregate)?[0])?])
}

pub fn average(aggregate: &Aggregate, seen: Seen) -> Result<Vec<ArrayRef>> {
    if !adds_up(&seen)? {
        return replay(aggregate, &seen, false);
    }
    let seen = seen.without_nulls(0)?;
    let windows = &seen.windows;
    let count = |(low, high): (&u32, &u32)| (low < high).then(|| u64::from(high - low));
    let counts: UInt64Array = windows.low.iter().zip(&windows.high).map(count).collect();
    Ok(vec![Arc::new(counts), sums(&seen, &state_types(aggregate)?[1])?])
}

/// Whether sums and their differences are exact: always but for floats, and for those as long as they hold whole
/// numbers that stay small.
fn adds_up(seen: &Seen) -> Result<bool> {
    if *seen.columns[0].data_type() != DataType::Float64 {
        return Ok(true);
    }
    let mut total = 0.0;
    Ok(seen.argument(0)?.as_primitive::<Float64Type>().iter().flatten().all(|value| {
        total += value.abs();
        value.fract() == 0.0 && total < 9_007_199_254_740_992.0
    }))
}

fn sums(seen: &Seen, state: &DataType) -> Result<ArrayRef> {
    let (values, windows) = (&seen.argument(0)?, &seen.windows);
    match (values.data_type(), state) {
        (DataType::Int64, _) => running::<Int64Type>(values.as_primitive::<Int64Type>().values(), windows, state),
        (DataType::UInt64, _) => running::<UInt64Type>(values.as_primitive::<UInt64Type>().values(), windows, state),
        (DataType::Float64, _) => running::<Float64Type>(values.as_primitive::<Float64Type>().values(), windows, state),
        (DataType::Decimal128(..), DataType::Decimal128(..)) => {
            running::<Decimal128Type>(values.as_primitive::<Decimal128Type>().values(), windows, state)
        }
        (DataType::Decimal128(..), DataType::Decimal256(..)) => {
            let wide = values.as_primitive::<Decimal128Type>().values().iter().map(|value| i256::from_i128(*value));
            running::<Decimal256Type>(&wide.collect::<Vec<_>>(), windows, state)
        }
        (values, state) => internal_err!("{values} does not add up to {state}"),
    }
}

/// The sums of `values` over windows; NULL where the window is empty.
fn running<T: ArrowPrimitiveType>(values: &[T::Native], windows: &Windows, state: &DataType) -> Result<ArrayRef> {
    let mut totals = Vec::with_capacity(values.len() + 1);
    let mut total = T::Native::ZERO;
    totals.push(total);
    for value in values {
        total = total.add_wrapping(*value);
        totals.push(total);
    }
    let sum =
        |(low, high): (&u32, &u32)| (low < high).then(|| totals[*high as usize].sub_wrapping(totals[*low as usize]));
    let sums: PrimitiveArray<T> = windows.low.iter().zip(&windows.high).map(sum).collect();
    Ok(Arc::new(sums.with_data_type(state.clone())))
}
