//! Joins by key and by a range of times: only rows whose times can fit meet each other.

mod exec;
mod matches;
mod tree;

use datafusion::physical_plan::joins::utils::JoinFilter;

use crate::shape::{Bound, Window};

pub use exec::RangeJoinExec;

/// A recognised join.
///
/// The grain's input has the columns `keys`, `moments`, in this order, and then its own; the source's input has `keys`,
/// `times` and then its own.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Rows of the grain without a match are kept.
    pub outer: bool,
    pub left_is_grain: bool,
    pub keys: usize,
    /// The grain's sides of the comparisons with the source's times.
    pub moments: usize,
    /// The time that the source is sorted by, and the second one where there is one.
    pub times: usize,
    /// What is asked of the first time.
    pub window: Window,
    /// What is asked of the second.
    pub second: Option<Second>,
    /// The join's whole condition beside the keys, which has the last word.
    pub filter: JoinFilter,
}

/// `second time OP moment [OR second time IS NULL]`.
#[derive(Debug, Clone, Copy)]
pub struct Second {
    pub bound: Bound,
    pub or_null: bool,
}
