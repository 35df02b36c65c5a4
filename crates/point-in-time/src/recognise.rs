//! A partial aggregate over a join -> [`Shape`], or what is in the way.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::utils::{collect_columns, conjunction, split_conjunction};
use datafusion::physical_expr_common::physical_expr::{fmt_sql, is_volatile};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, utils::JoinFilter};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::udaf::AggregateFunctionExpr;

use crate::exec::PointInTimeExec;
use crate::expressions::{Expr, Side, comparison, place, side, substitute};
use crate::shape::{Aggregate, Bound, Method, Shape, Window};

/// Why a plan stays as it is: the part of the query that is in the way.
pub type Reason = String;

/// What the rule makes of a partial aggregate.
pub enum Found {
    /// There is no join under it, or none with a time.
    Other,
    NotThis(Reason),
    This(Arc<PointInTimeExec>),
}

/// Looks at a partial aggregate as the planner made it, before any rule; `resumable` names functions whose accumulators
/// may be asked for their state more than once.
pub fn recognise(aggregate: &AggregateExec, resumable: &[String]) -> Result<Found> {
    if *aggregate.mode() != AggregateMode::Partial {
        return Ok(Found::Other);
    }
    let mut layers: Vec<Vec<Expr>> = Vec::new();
    let mut input = aggregate.input();
    while let Some(projection) = input.downcast_ref::<ProjectionExec>() {
        layers.push(projection.expr().iter().map(|item| Arc::clone(&item.expr)).collect());
        input = projection.input();
    }
    let Some(join) = input.downcast_ref::<HashJoinExec>() else {
        return Ok(Found::Other);
    };
    let Some(filter) = join.filter() else {
        return Ok(Found::Other);
    };
    match Reading::new(aggregate, join, layers, resumable).and_then(|reading| reading.read(filter)) {
        Ok(found) => Ok(Found::This(Arc::new(found))),
        Err(Stop::Reason(reason)) => Ok(Found::NotThis(reason)),
        Err(Stop::Error(error)) => Err(error),
    }
}

enum Stop {
    Reason(Reason),
    Error(datafusion::error::DataFusionError),
}

impl From<datafusion::error::DataFusionError> for Stop {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Error(error)
    }
}

fn stop<T>(reason: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Reason(reason.into()))
}

/// The parts of the plan, and the lists that the operator's inputs are made from.
struct Reading<'a> {
    aggregate: &'a AggregateExec,
    join: &'a HashJoinExec,
    /// The projections between the aggregate and the join, the uppermost first.
    layers: Vec<Vec<Expr>>,
    resumable: &'a [String],
    grain: &'a Arc<dyn ExecutionPlan>,
    source: &'a Arc<dyn ExecutionPlan>,
    /// The grain's columns in the join's output.
    grain_columns: std::ops::Range<usize>,
    inner: bool,
    time: Option<Expr>,
    moments: Vec<Expr>,
    gates: Vec<Expr>,
    predicates: Vec<Expr>,
    arguments: Vec<Expr>,
    source_conditions: Vec<Expr>,
}

impl<'a> Reading<'a> {
    fn new(
        aggregate: &'a AggregateExec,
        join: &'a HashJoinExec,
        layers: Vec<Vec<Expr>>,
        resumable: &'a [String],
    ) -> Result<Self, Stop> {
        if join.contains_projection() {
            return stop("the join already leaves out columns");
        }
        if join.null_equality() != NullEquality::NullEqualsNothing {
            return stop("the join takes NULL for equal to NULL");
        }
        let lefts = join.left().schema().fields().len();
        let all = lefts + join.right().schema().fields().len();
        let groups_left = |layers: &[Vec<Expr>]| -> Result<bool> {
            for (group, _) in aggregate.group_expr().expr() {
                if side(&through(layers, group)?, &(0..lefts)) != Side::Grain {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let left_is_grain = match join.join_type() {
            JoinType::Left => true,
            JoinType::Right => false,
            JoinType::Inner => groups_left(&layers)?,
            other => return stop(format!("it is a {other} join; LEFT and INNER joins are recognised")),
        };
        let (grain, source, grain_columns) = match left_is_grain {
            true => (join.left(), join.right(), 0..lefts),
            false => (join.right(), join.left(), lefts..all),
        };
        Ok(Self {
            aggregate,
            join,
            layers,
            resumable,
            grain,
            source,
            grain_columns,
            inner: *join.join_type() == JoinType::Inner,
            time: None,
            moments: Vec::new(),
            gates: Vec::new(),
            predicates: Vec::new(),
            arguments: Vec::new(),
            source_conditions: Vec::new(),
        })
    }

    fn read(mut self, filter: &JoinFilter) -> Result<PointInTimeExec, Stop> {
        let (grain_keys, source_keys) = self.keys()?;
        let window = self.join_window(filter)?;
        // The time is the first argument: functions may ask for it too.
        self.arguments.extend(self.time.clone());
        let groups = self.groups()?;
        let mut aggregates = Vec::new();
        for (function, filter) in self.aggregate.aggr_expr().iter().zip(self.aggregate.filter_expr()) {
            aggregates.push(self.function(function, filter.as_ref(), &window)?);
        }
        let determined = self.determined(&groups, &grain_keys);
        for aggregate in &mut aggregates {
            if aggregate.method == Method::Distinct && !determined {
                aggregate.method = Method::Replay { resumable: false };
            }
        }
        let absent = self.absent()?;
        let keys_in_groups = grain_keys.iter().map(|key| groups.iter().position(|group| group == key)).collect();
        let shape = Shape {
            inner: self.inner,
            groups: groups.len(),
            keys: grain_keys.len(),
            moments: self.moments.len(),
            predicates: self.predicates.len(),
            window,
            aggregates,
            absent,
            keys_in_groups,
        };
        let grain = columns("g", Arc::clone(self.grain), [groups, grain_keys, self.moments, self.gates].concat())?;
        let source = match self.source_conditions.is_empty() {
            true => Arc::clone(self.source),
            false => Arc::new(FilterExec::try_new(conjunction(self.source_conditions), Arc::clone(self.source))?),
        };
        let source = columns("s", source, [source_keys, self.predicates, self.arguments].concat())?;
        Ok(PointInTimeExec::try_new(shape, self.aggregate.schema(), grain, source)?)
    }

    fn keys(&self) -> Result<(Vec<Expr>, Vec<Expr>), Stop> {
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

    fn join_window(&mut self, filter: &JoinFilter) -> Result<Window, Stop> {
        let lefts = self.join.left().schema().fields().len();
        let whole = self.join.join_schema();
        let in_join = |index: usize| -> Expr {
            let column = &filter.column_indices()[index];
            let index = match column.side {
                datafusion::common::JoinSide::Left => column.index,
                _ => lefts + column.index,
            };
            Arc::new(Column::new(whole.field(index).name(), index))
        };
        let condition = substitute(filter.expression(), &in_join)?;
        let mut window = Window::default();
        for part in split_conjunction(&condition) {
            if let Some(predicate) = self.condition(part, &mut window, "the join")? {
                let predicate = self.of_source(&predicate)?;
                self.source_conditions.push(predicate);
            }
        }
        match window.bounds.is_empty() {
            true => stop("no condition of the join holds the source's time against the grain's moment"),
            false => Ok(window),
        }
    }

    /// Takes one condition into `window`; a condition on the source alone is handed back.
    fn condition(&mut self, part: &Expr, window: &mut Window, whose: &str) -> Result<Option<Expr>, Stop> {
        if is_volatile(part) {
            return stop(format!("{whose} has the condition {}, which differs from call to call", shown(part)));
        }
        match side(part, &self.grain_columns) {
            Side::Neither | Side::Source => return Ok(Some(Arc::clone(part))),
            Side::Grain => {
                let gate = self.of_grain(part)?;
                window.gates.push(place(&mut self.gates, gate));
                return Ok(None);
            }
            Side::Both => {}
        }
        let Some((time, comparison, moment)) = comparison(part, &self.grain_columns) else {
            return stop(format!("{whose} has the condition {}, which is not `time < moment` or alike", shown(part)));
        };
        let (time, moment) = (self.of_source(&time)?, self.of_grain(&moment)?);
        let types = (time.data_type(&self.source.schema())?, moment.data_type(&self.grain.schema())?);
        let is_time = matches!(types.0, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
            || types.0.is_signed_integer();
        if types.0 != types.1 || !is_time || self.time.as_ref().is_some_and(|known| **known != *time) {
            return stop(format!("{whose} compares another value than one time of the source: {}", shown(part)));
        }
        self.time = Some(time);
        window.bounds.push(Bound { comparison, moment: place(&mut self.moments, moment) });
        Ok(None)
    }

    fn groups(&self) -> Result<Vec<Expr>, Stop> {
        if !self.aggregate.group_expr().is_single() {
            return stop("it has grouping sets, or no GROUP BY");
        }
        let mut groups = Vec::new();
        for (group, name) in self.aggregate.group_expr().expr() {
            let group = through(&self.layers, group)?;
            if matches!(side(&group, &self.grain_columns), Side::Source | Side::Both) {
                return stop(format!("it groups by {name}, which is the source's"));
            }
            groups.push(self.of_grain(&group)?);
        }
        Ok(groups)
    }

    fn function(
        &mut self,
        function: &Arc<AggregateFunctionExpr>,
        filter: Option<&Expr>,
        join: &Window,
    ) -> Result<Aggregate, Stop> {
        let whose = format!("the FILTER of {}", function.name());
        let mut window = Window::default();
        let mut predicates = Vec::new();
        if let Some(filter) = filter {
            let filter = through(&self.layers, filter)?;
            for part in split_conjunction(&filter) {
                if let Some(predicate) = self.condition(part, &mut window, &whose)? {
                    predicates.push(self.of_source(&predicate)?);
                }
            }
        }
        // What the join asks already need not be asked again; without a match the window still has to be empty.
        if window.bounds.len() > 1 {
            let narrows = |bound: &Bound| !join.bounds.contains(bound);
            if window.bounds.iter().any(narrows) {
                window.bounds.retain(narrows);
            }
        }
        let predicate = match predicates.is_empty() {
            true => None,
            false => Some(place(&mut self.predicates, conjunction(predicates))),
        };
        let all = function.all_expressions();
        let mut arguments = Vec::new();
        let mut types = Vec::new();
        let mut constant = false;
        for argument in all.args.iter().chain(&all.order_by_exprs) {
            let argument = through(&self.layers, argument)?;
            if matches!(side(&argument, &self.grain_columns), Side::Grain | Side::Both) || is_volatile(&argument) {
                return stop(format!("{} is of more than the source's columns", function.name()));
            }
            // COUNT(*) is COUNT(1).
            constant = argument.downcast_ref::<Literal>().is_some_and(|literal| !literal.value().is_null());
            let argument = self.of_source(&argument)?;
            types.push(argument.data_type(&self.source.schema())?);
            arguments.push(argument);
        }
        let method = method(function, &types, self.resumable);
        if method == Method::Count && constant {
            arguments.clear();
        }
        let arguments = arguments.into_iter().map(|argument| place(&mut self.arguments, argument)).collect();
        Ok(Aggregate { function: Arc::clone(function), arguments, predicate, window, method })
    }

    /// Whether rows of the grain in one group have the same windows.
    fn determined(&self, groups: &[Expr], keys: &[Expr]) -> bool {
        let read = keys.iter().chain(&self.moments).chain(&self.gates).flat_map(collect_columns);
        let mut read = read.map(|column| -> Expr { Arc::new(column) });
        read.all(|column| groups.contains(&column))
    }

    /// Predicates and arguments where the source has no row.
    fn absent(&self) -> Result<Vec<ArrayRef>, Stop> {
        let schema = self.source.schema();
        let fields: Vec<_> = schema.fields().iter().map(|field| Field::clone(field).with_nullable(true)).collect();
        let nulls = fields.iter().map(|field: &Field| new_null_array(field.data_type(), 1)).collect();
        let one = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), nulls, &one)
            .map_err(datafusion::error::DataFusionError::from)?;
        let value = |expr: &Expr| expr.evaluate(&row).and_then(|value| value.into_array(1));
        let values: Result<Vec<ArrayRef>> = self.predicates.iter().chain(&self.arguments).map(value).collect();
        values.or_else(|error| stop(format!("a value without a match cannot be worked out: {error}")))
    }

    fn of_grain(&self, expr: &Expr) -> Result<Expr> {
        self.of(self.grain, self.grain_columns.start, expr)
    }

    fn of_source(&self, expr: &Expr) -> Result<Expr> {
        let start = if self.grain_columns.start == 0 { self.grain_columns.end } else { 0 };
        self.of(self.source, start, expr)
    }

    /// An expression over the join as one over an input whose columns begin at `start`.
    fn of(&self, input: &Arc<dyn ExecutionPlan>, start: usize, expr: &Expr) -> Result<Expr> {
        let schema = input.schema();
        substitute(expr, &|index| Arc::new(Column::new(schema.field(index - start).name(), index - start)))
    }
}

/// An expression over the uppermost projection as one over the join.
fn through(layers: &[Vec<Expr>], expr: &Expr) -> Result<Expr> {
    layers.iter().try_fold(Arc::clone(expr), |expr, layer| substitute(&expr, &|index| Arc::clone(&layer[index])))
}

fn shown(expr: &Expr) -> String {
    fmt_sql(expr.as_ref()).to_string()
}

/// A projection to `exprs`, whose names only have to differ.
fn columns(prefix: &str, input: Arc<dyn ExecutionPlan>, exprs: Vec<Expr>) -> Result<Arc<dyn ExecutionPlan>> {
    let named = exprs.into_iter().enumerate().map(|(n, expr)| (expr, format!("{prefix}{n}")));
    Ok(Arc::new(ProjectionExec::try_new(named.collect::<Vec<_>>(), input)?))
}

/// The quickest exact way to the state of `function`.
fn method(function: &AggregateFunctionExpr, types: &[DataType], resumable: &[String]) -> Method {
    let name = function.fun().name();
    let replay = Method::Replay { resumable: resumable.iter().any(|known| known == name) };
    let ordered = !function.order_bys().is_empty();
    let Some(first) = types.first() else { return replay };
    let exact = matches!(first, DataType::Int64 | DataType::UInt64 | DataType::Float64 | DataType::Decimal128(..));
    let comparable = first.is_integer()
        || first.is_temporal() && !matches!(first, DataType::Interval(_))
        || matches!(first, DataType::Decimal128(..) | DataType::Utf8 | DataType::Boolean);
    match (name, function.is_distinct(), ordered) {
        ("count", false, false) if types.len() == 1 => Method::Count,
        ("count", true, false) if types.len() == 1 && comparable => Method::Distinct,
        ("sum", false, false) if exact => Method::Sum,
        ("avg", false, false) if exact => Method::Average,
        ("min", _, false) if comparable => Method::Extreme { largest: false },
        ("max", _, false) if comparable => Method::Extreme { largest: true },
        ("first_value", false, true) if !first.is_nested() => Method::Ordered { last: false },
        ("last_value", false, true) if !first.is_nested() => Method::Ordered { last: true },
        _ => replay,
    }
}
