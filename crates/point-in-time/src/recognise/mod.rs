//! Plans as the planner makes them, before any rule -> this crate's operators, or what is in the way.

mod aggregate;
mod first_row;
mod join;
mod range;
mod windows;

use datafusion::common::Result;
use datafusion::error::DataFusionError;

pub use aggregate::aggregate;
pub use first_row::first_row;
pub use range::range;

/// Why a plan stays as it is: the part of the query that is in the way.
pub type Reason = String;

/// What becomes of a plan.
pub enum Found<T> {
    /// It is nothing of this kind.
    Other,
    NotThis(Reason),
    This(T),
}

impl<T> Found<T> {
    pub fn map<U>(self, by: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Other => Found::Other,
            Self::NotThis(reason) => Found::NotThis(reason),
            Self::This(found) => Found::This(by(found)),
        }
    }

    fn of(read: Result<T, Stop>) -> Result<Self> {
        match read {
            Ok(found) => Ok(Self::This(found)),
            Err(Stop::Reason(reason)) => Ok(Self::NotThis(reason)),
            Err(Stop::Error(error)) => Err(error),
        }
    }
}

/// Why reading ends before its end.
enum Stop {
    Reason(Reason),
    Error(DataFusionError),
}

impl From<DataFusionError> for Stop {
    fn from(error: DataFusionError) -> Self {
        Self::Error(error)
    }
}

fn stop<T>(reason: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Reason(reason.into()))
}
