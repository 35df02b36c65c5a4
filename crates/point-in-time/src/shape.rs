//! What was recognised, in terms of the operator's two inputs.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::physical_plan::udaf::AggregateFunctionExpr;

/// A recognised aggregate over a join.
///
/// The grain's input has the columns `groups`, `keys`, `moments`, `gates`, in this order; the source's input has `keys`,
/// `predicates`, `arguments`.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Rows of the grain without a match are dropped.
    pub inner: bool,
    pub groups: usize,
    pub keys: usize,
    /// The grain's sides of the comparisons with the source's time.
    pub moments: usize,
    /// Conditions on the source alone.
    pub predicates: usize,
    /// The window of the join.
    pub window: Window,
    pub aggregates: Vec<Aggregate>,
    /// The predicates and arguments of a source row that is not there, which an outer join makes up; one row each.
    pub absent: Vec<ArrayRef>,
    /// The join's keys among the groups, where they all are.
    pub keys_in_groups: Option<Vec<usize>>,
}

impl Shape {
    /// The source's time is its first argument.
    pub fn time(&self) -> usize {
        self.argument(0)
    }

    pub fn predicate(&self, predicate: usize) -> usize {
        self.keys + predicate
    }

    pub fn argument(&self, argument: usize) -> usize {
        self.keys + self.predicates + argument
    }
}

/// Which of a key's events count: all bounds and all gates hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    pub bounds: Vec<Bound>,
    pub gates: Vec<usize>,
}

/// `time OP moment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    pub comparison: Comparison,
    pub moment: usize,
}

/// How the source's time is held against a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Before,
    UpTo,
    After,
    From,
    At,
}

/// One aggregate function.
#[derive(Debug, Clone)]
pub struct Aggregate {
    pub function: Arc<AggregateFunctionExpr>,
    /// The function's arguments and then what it orders by; none for COUNT(*).
    pub arguments: Vec<usize>,
    pub predicate: Option<usize>,
    /// What its FILTER adds to the join's window.
    pub window: Window,
    pub method: Method,
}

/// How an aggregate's state over a range of sorted events is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Difference of running counts.
    Count,
    /// Difference of running sums, which wrap as DataFusion's do.
    Sum,
    /// Running counts and sums.
    Average,
    /// The smallest or largest value.
    Extreme { largest: bool },
    /// The value of the first or last row in an order.
    Ordered { last: bool },
    /// The number of distinct values, counted while the window slides.
    Distinct,
    /// The function's own accumulator over the range, event by event; where it can give its state again and again it is
    /// carried from one window to the next.
    Replay { resumable: bool },
}
