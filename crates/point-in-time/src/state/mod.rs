//! The states of one aggregate function over windows of sorted events, as its own accumulator would hand them on.

mod count;
mod distinct;
mod extreme;
mod pick;
mod replay;
mod sum;

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::compute::{interleave, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

pub use replay::state_over;

use crate::shape::{Aggregate, Method};
use crate::windows::{Windows, running_count};

/// What an aggregate sees: the events its FILTER lets through, and every row's window among them.
pub struct Seen {
    pub windows: Windows,
    /// Which rows of the source the events are.
    pub rows: UInt32Array,
    /// The arguments, by row of the source.
    pub columns: Vec<ArrayRef>,
}

impl Seen {
    /// One argument, by event.
    fn argument(&self, number: usize) -> Result<ArrayRef> {
        let column = &self.columns[number];
        // `take` copies vectors number by number.
        if let DataType::FixedSizeList(..) = column.data_type() {
            let rows: Vec<(usize, usize)> = self.rows.values().iter().map(|row| (0, *row as usize)).collect();
            return Ok(interleave(&[column.as_ref()], &rows)?);
        }
        Ok(take(column, &self.rows, None)?)
    }

    fn arguments(&self) -> Result<Vec<ArrayRef>> {
        (0..self.columns.len()).map(|number| self.argument(number)).collect()
    }

    /// One argument of the events at these positions; NULL for none.
    fn argument_at(&self, positions: &UInt32Array, number: usize) -> Result<ArrayRef> {
        Ok(take(&self.columns[number], &take(&self.rows, positions, None)?, None)?)
    }

    /// Without the events whose argument `number` is NULL.
    fn without_nulls(self, number: usize) -> Result<Self> {
        let Some(nulls) = self.columns[number].logical_nulls().filter(|nulls| nulls.null_count() > 0) else {
            return Ok(self);
        };
        let (before, rows) = chosen(&self.rows, |row| nulls.is_valid(row));
        Ok(Self { windows: self.windows.among(&before), rows, columns: self.columns })
    }
}

/// How many of the first events pass, and the rows of those.
pub fn chosen(rows: &UInt32Array, passes: impl Fn(usize) -> bool) -> (Vec<u32>, UInt32Array) {
    let passes = |row: &u32| passes(*row as usize);
    let before = running_count(rows.values().iter().map(passes));
    (before, rows.values().iter().copied().filter(passes).collect::<Vec<_>>().into())
}

/// One array for each field of the state, one row for each window.
pub fn states(aggregate: &Aggregate, seen: Seen) -> Result<Vec<ArrayRef>> {
    match aggregate.method {
        Method::Count => count::count(seen),
        Method::Sum => sum::sum(aggregate, seen),
        Method::Average => sum::average(aggregate, seen),
        Method::Extreme { largest } => extreme::extreme(aggregate, seen, largest),
        Method::Ordered { last } => extreme::ordered(aggregate, seen, last),
        Method::Distinct => distinct::distinct(seen),
        Method::Replay { resumable } => replay::replay(aggregate, &seen, resumable),
    }
}

/// The types of the state's fields.
fn state_types(aggregate: &Aggregate) -> Result<Vec<DataType>> {
    Ok(aggregate.function.state_fields()?.iter().map(|field| field.data_type().clone()).collect())
}
