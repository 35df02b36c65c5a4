//! A hash join as a grain and its source.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{JoinSide, NullEquality, Result};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, utils::JoinFilter};
use datafusion::physical_plan::projection::ProjectionExec;

use super::{Stop, stop};
use crate::expressions::{Expr, substitute};

/// The two sides of a join.  Expressions are over the join's output, unless they are said to be of one side.
#[derive(Clone)]
pub struct Join<'a> {
    join: &'a HashJoinExec,
    pub grain: &'a Arc<dyn ExecutionPlan>,
    pub source: &'a Arc<dyn ExecutionPlan>,
    /// The grain's columns in the join's output.
    pub grain_columns: Range<usize>,
}

impl<'a> Join<'a> {
    pub fn new(join: &'a HashJoinExec, left_is_grain: bool) -> Result<Self, Stop> {
        if join.contains_projection() {
            return stop("the join already leaves out columns");
        }
        if join.null_equality() != NullEquality::NullEqualsNothing {
            return stop("the join takes NULL for equal to NULL");
        }
        let lefts = lefts(join);
        let all = lefts + join.right().schema().fields().len();
        let (grain, source, grain_columns) = match left_is_grain {
            true => (join.left(), join.right(), 0..lefts),
            false => (join.right(), join.left(), lefts..all),
        };
        Ok(Self { join, grain, source, grain_columns })
    }

    /// The keys: expressions over the grain, and those over the source that equal them.
    pub fn keys(&self) -> Result<(Vec<Expr>, Vec<Expr>), Stop> {
        let (mut grain_keys, mut source_keys) = (Vec::new(), Vec::new());
        for (left, right) in self.join.on() {
            let (grain, source) = if self.grain_columns.start == 0 { (left, right) } else { (right, left) };
            let types = (grain.data_type(&self.grain.schema())?, source.data_type(&self.source.schema())?);
            if types.0 != types.1 || types.0.is_floating() || types.0.is_nested() {
                return stop(format!("it joins on {}, a {}", fmt_sql(grain.as_ref()), types.0));
            }
            grain_keys.push(Arc::clone(grain));
            source_keys.push(Arc::clone(source));
        }
        Ok((grain_keys, source_keys))
    }

    /// The condition beside the keys.
    pub fn condition(&self, filter: &JoinFilter) -> Result<Expr> {
        // Of a semi or anti join, the output has one side only; the condition is over both.
        let in_join = |index: usize| -> Expr {
            let column = &filter.column_indices()[index];
            let (side, before) = match column.side {
                JoinSide::Left => (self.join.left(), 0),
                _ => (self.join.right(), lefts(self.join)),
            };
            Arc::new(Column::new(side.schema().field(column.index).name(), before + column.index))
        };
        substitute(filter.expression(), &in_join)
    }

    /// `expr` as one over the grain.
    pub fn of_grain(&self, expr: &Expr) -> Result<Expr> {
        of(self.grain, self.grain_columns.start, expr)
    }

    /// `expr` as one over the source.
    pub fn of_source(&self, expr: &Expr) -> Result<Expr> {
        of(self.source, if self.grain_columns.start == 0 { self.grain_columns.end } else { 0 }, expr)
    }

    /// Whether `time` of the source and `moment` of the grain can be compared as whole numbers.
    pub fn are_times(&self, time: &Expr, moment: &Expr) -> Result<bool> {
        let types = (time.data_type(&self.source.schema())?, moment.data_type(&self.grain.schema())?);
        let time = matches!(types.0, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64);
        Ok(types.0 == types.1 && (time || types.0.is_signed_integer()))
    }
}

/// How many columns the left side has.
pub fn lefts(join: &HashJoinExec) -> usize {
    join.left().schema().fields().len()
}

/// An expression over the join as one over an input whose columns begin at `start`.
fn of(input: &Arc<dyn ExecutionPlan>, start: usize, expr: &Expr) -> Result<Expr> {
    let schema = input.schema();
    substitute(expr, &|index| Arc::new(Column::new(schema.field(index - start).name(), index - start)))
}

/// Projections, the uppermost first.
#[derive(Default)]
pub struct Layers(Vec<Vec<Expr>>);

impl Layers {
    /// What lies under projections, and those.
    pub fn over(mut input: &Arc<dyn ExecutionPlan>) -> (Self, &Arc<dyn ExecutionPlan>) {
        let mut layers = Vec::new();
        while let Some(projection) = input.downcast_ref::<ProjectionExec>() {
            layers.push(projection.expr().iter().map(|item| Arc::clone(&item.expr)).collect());
            input = projection.input();
        }
        (Self(layers), input)
    }

    /// The join under `input`, and the projections over it.
    pub fn to_join(input: &Arc<dyn ExecutionPlan>) -> Option<(Self, &HashJoinExec)> {
        let (layers, input) = Self::over(input);
        Some((layers, input.downcast_ref::<HashJoinExec>()?))
    }

    /// The columns of what lies under the projections that these read, of `count`.
    pub fn read(&self, count: usize) -> Vec<bool> {
        let Some(lowest) = self.0.last() else { return vec![true; count] };
        let mut read = vec![false; count];
        lowest.iter().flat_map(collect_columns).for_each(|column| read[column.index()] = true);
        read
    }

    /// An expression over the uppermost projection as one over what lies under them.
    pub fn through(&self, expr: &Expr) -> Result<Expr> {
        let layer = |expr: Expr, layer: &Vec<Expr>| substitute(&expr, &|index| Arc::clone(&layer[index]));
        self.0.iter().try_fold(Arc::clone(expr), layer)
    }
}

/// A projection to `exprs`, whose names only have to differ.
pub fn columns(prefix: &str, input: Arc<dyn ExecutionPlan>, exprs: Vec<Expr>) -> Result<Arc<dyn ExecutionPlan>> {
    let named = exprs.into_iter().enumerate().map(|(n, expr)| (expr, format!("{prefix}{n}")));
    Ok(Arc::new(ProjectionExec::try_new(named.collect::<Vec<_>>(), input)?))
}

/// An expression as SQL.
pub fn shown(expr: &Expr) -> String {
    fmt_sql(expr.as_ref()).to_string()
}
