//! The states of one aggregate function over windows of sorted events, as its own accumulator would hand them on.

mod count;
mod distinct;
mod extreme;
mod pick;
mod replay;
mod sum;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

pub use replay::state_over;

use crate::shape::{Aggregate, Method};
use crate::windows::{Windows, running_count};

/// What an aggregate sees: the events its FILTER lets through, and every row's window among them.
pub struct Seen {
    pub windows: Windows,
    pub arguments: Vec<ArrayRef>,
}

impl Seen {
    /// Without the events whose argument `column` is NULL.
    fn without_nulls(self, column: usize) -> Result<Self> {
        let Some(nulls) = self.arguments[column].logical_nulls().filter(|nulls| nulls.null_count() > 0) else {
            return Ok(self);
        };
        let before = running_count(nulls.iter());
        let there = BooleanArray::new(nulls.into_inner(), None);
        let arguments: std::result::Result<Vec<ArrayRef>, _> =
            self.arguments.iter().map(|argument| filter(argument, &there)).collect();
        Ok(Self { windows: self.windows.among(&before), arguments: arguments? })
    }
}

/// One array for each field of the state, one row for each window.
pub fn states(aggregate: &Aggregate, seen: Seen) -> Result<Vec<ArrayRef>> {
    match aggregate.method {
        Method::Count => count::count(seen),
        Method::Sum => sum::sum(aggregate, seen),
        Method::Average => sum::average(aggregate, seen),
        Method::Extreme { largest } => extreme::extreme(seen, largest),
        Method::Ordered { last } => extreme::ordered(aggregate, seen, last),
        Method::Distinct => distinct::distinct(seen),
        Method::Replay { resumable } => replay::replay(aggregate, &seen, resumable),
    }
}

/// The types of the state's fields.
fn state_types(aggregate: &Aggregate) -> Result<Vec<DataType>> {
    Ok(aggregate.function.state_fields()?.iter().map(|field| field.data_type().clone()).collect())
}
