//! Aggregates over windows of a join -> [`Shape`].

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::utils::{collect_columns, conjunction, split_conjunction};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::udaf::AggregateFunctionExpr;

use super::join::{Join, columns, shown};
use super::{Stop, stop};
use crate::exec::PointInTimeExec;
use crate::expressions::{Expr, Side, comparison, place, side};
use crate::shape::{Aggregate, Bound, Method, Shape, Window};

/// An aggregate function over the join's output.
pub struct Function {
    pub function: Arc<AggregateFunctionExpr>,
    /// Its arguments and then what it orders by.
    pub arguments: Vec<Expr>,
    pub filter: Option<Expr>,
}

/// The join, and the lists that the operator's inputs are made from.
pub struct Reading<'a> {
    join: Join<'a>,
    inner: bool,
    resumable: &'a [String],
    time: Option<Expr>,
    moments: Vec<Expr>,
    gates: Vec<Expr>,
    predicates: Vec<Expr>,
    arguments: Vec<Expr>,
    source_conditions: Vec<Expr>,
}

impl<'a> Reading<'a> {
    /// `resumable` names functions whose accumulators may be asked for their state more than once.
    pub fn new(join: Join<'a>, inner: bool, resumable: &'a [String]) -> Self {
        Self {
            join,
            inner,
            resumable,
            time: None,
            moments: Vec::new(),
            gates: Vec::new(),
            predicates: Vec::new(),
            arguments: Vec::new(),
            source_conditions: Vec::new(),
        }
    }

    /// The operator; `groups` are named, and the fields that they have stand first in `schema`.
    pub fn read(
        mut self,
        filter: Option<&JoinFilter>,
        groups: &[(Expr, String)],
        functions: Vec<Function>,
        schema: &SchemaRef,
    ) -> Result<PointInTimeExec, Stop> {
        let (grain_keys, source_keys) = self.join.keys()?;
        let window = self.join_window(filter)?;
        // The time is the first argument: functions may ask for it too.
        self.arguments.extend(self.time.clone());
        let groups = self.groups(groups)?;
        let mut aggregates = Vec::new();
        for function in functions {
            aggregates.push(self.function(function, &window)?);
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
        let Join { grain, source, .. } = self.join;
        let grain = columns("g", Arc::clone(grain), [groups, grain_keys, self.moments, self.gates].concat())?;
        let source = match self.source_conditions.is_empty() {
            true => Arc::clone(source),
            false => Arc::new(FilterExec::try_new(conjunction(self.source_conditions), Arc::clone(source))?),
        };
        let source = columns("s", source, [source_keys, self.predicates, self.arguments].concat())?;
        Ok(PointInTimeExec::try_new(shape, schema, grain, source)?)
    }

    fn join_window(&mut self, filter: Option<&JoinFilter>) -> Result<Window, Stop> {
        let mut window = Window::default();
        let condition = filter.map(|filter| self.join.condition(filter)).transpose()?;
        for part in condition.iter().flat_map(split_conjunction) {
            if let Some(predicate) = self.condition(part, &mut window, "the join")? {
                let predicate = self.join.of_source(&predicate)?;
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
        match side(part, &self.join.grain_columns) {
            Side::Neither | Side::Source => return Ok(Some(Arc::clone(part))),
            Side::Grain => {
                let gate = self.join.of_grain(part)?;
                window.gates.push(place(&mut self.gates, gate));
                return Ok(None);
            }
            Side::Both => {}
        }
        let Some((time, comparison, moment)) = comparison(part, &self.join.grain_columns) else {
            return stop(format!("{whose} has the condition {}, which is not `time < moment` or alike", shown(part)));
        };
        let (time, moment) = (self.join.of_source(&time)?, self.join.of_grain(&moment)?);
        if !self.join.are_times(&time, &moment)? || self.time.as_ref().is_some_and(|known| **known != *time) {
            return stop(format!("{whose} compares another value than one time of the source: {}", shown(part)));
        }
        self.time = Some(time);
        window.bounds.push(Bound { comparison, moment: place(&mut self.moments, moment) });
        Ok(None)
    }

    fn groups(&self, groups: &[(Expr, String)]) -> Result<Vec<Expr>, Stop> {
        let of_source = |group: &Expr| matches!(side(group, &self.join.grain_columns), Side::Source | Side::Both);
        match groups.iter().find(|(group, _)| of_source(group)) {
            Some((_, name)) => stop(format!("it groups by {name}, which is the source's")),
            None => Ok(groups.iter().map(|(group, _)| self.join.of_grain(group)).collect::<Result<_>>()?),
        }
    }

    fn function(&mut self, function: Function, join: &Window) -> Result<Aggregate, Stop> {
        let Function { function, arguments: of_join, filter } = function;
        let whose = format!("the FILTER of {}", function.name());
        let mut window = Window::default();
        let mut predicates = Vec::new();
        for part in filter.iter().flat_map(split_conjunction) {
            if let Some(predicate) = self.condition(part, &mut window, &whose)? {
                predicates.push(self.join.of_source(&predicate)?);
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
        let mut arguments = Vec::new();
        let mut types = Vec::new();
        let mut constant = false;
        for argument in of_join {
            if matches!(side(&argument, &self.join.grain_columns), Side::Grain | Side::Both) || is_volatile(&argument) {
                return stop(format!("{} is of more than the source's columns", function.name()));
            }
            // COUNT(*) is COUNT(1).
            constant = argument.downcast_ref::<Literal>().is_some_and(|literal| !literal.value().is_null());
            let argument = self.join.of_source(&argument)?;
            types.push(argument.data_type(&self.join.source.schema())?);
            arguments.push(argument);
        }
        let method = method(&function, &types, self.resumable);
        if method == Method::Count && constant {
            arguments.clear();
        }
        let arguments = arguments.into_iter().map(|argument| place(&mut self.arguments, argument)).collect();
        Ok(Aggregate { function, arguments, predicate, window, method })
    }

    /// Whether rows of the grain in one group have the same windows.
    fn determined(&self, groups: &[Expr], keys: &[Expr]) -> bool {
        let read = keys.iter().chain(&self.moments).chain(&self.gates).flat_map(collect_columns);
        let mut read = read.map(|column| -> Expr { Arc::new(column) });
        read.all(|column| groups.contains(&column))
    }

    /// Predicates and arguments where the source has no row.
    fn absent(&self) -> Result<Vec<ArrayRef>, Stop> {
        let schema = self.join.source.schema();
        let fields: Vec<_> = schema.fields().iter().map(|field| Field::clone(field).with_nullable(true)).collect();
        let nulls = fields.iter().map(|field: &Field| new_null_array(field.data_type(), 1)).collect();
        let one = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), nulls, &one)
            .map_err(DataFusionError::from)?;
        let value = |expr: &Expr| expr.evaluate(&row).and_then(|value| value.into_array(1));
        let values: Result<Vec<ArrayRef>> = self.predicates.iter().chain(&self.arguments).map(value).collect();
        values.or_else(|error| stop(format!("a value without a match cannot be worked out: {error}")))
    }
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
