//! `ROW_NUMBER() OVER (PARTITION BY the grain's columns ORDER BY the source's) = 1` over a join.

use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::{JoinType, Result, ScalarValue};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::utils::split_conjunction;
use datafusion::physical_expr::window::StandardWindowExpr;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowUDFExpr};
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

use super::join::{Join, Layers, lefts, shown};
use super::windows::{Function, Reading};
use super::{Found, Stop, stop};
use crate::expressions::{Expr, Side, side};

/// Looks at a filter over numbered rows, which is all of `plain`.  What comes instead stands for the filter's input: of each
/// partition the first row.
pub fn first_row(filter: &FilterExec, plain: &Arc<dyn ExecutionPlan>) -> Result<Found<Arc<dyn ExecutionPlan>>> {
    let (above, input) = Layers::over(filter.input());
    let Some(window) = input.downcast_ref::<BoundedWindowAggExec>() else { return Ok(Found::Other) };
    let [numbered] = window.window_expr() else { return Ok(Found::Other) };
    let number = window.schema().fields().len() - 1;
    let predicate = above.through(filter.predicate())?;
    let of_first = split_conjunction(&predicate).into_iter().any(|part| asks_for_first(part, number));
    let Some(standard) = numbered.as_any().downcast_ref::<StandardWindowExpr>() else { return Ok(Found::Other) };
    let function = standard.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>();
    if !of_first || function.is_none_or(|function| function.fun().name() != "row_number") {
        return Ok(Found::Other);
    }
    match Layers::to_join(window.input()) {
        Some((layers, join)) if join.filter().is_some() => {
            let rows = read(window, &above.read(number + 1), standard, &layers, join, plain);
            Found::of(rows.and_then(|rows| Ok(under(filter.input(), rows)?)))
        }
        _ => Ok(Found::Other),
    }
}

/// `rows` under the projections of `plan`.
fn under(plan: &Arc<dyn ExecutionPlan>, rows: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    match plan.downcast_ref::<ProjectionExec>() {
        Some(projection) => {
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            Arc::clone(plan).replace_children(vec![under(projection.input(), rows)?], options)
        }
        None => Ok(rows),
    }
}

/// `number = 1`, `number <= 1` or `number < 2`.
fn asks_for_first(part: &Expr, number: usize) -> bool {
    let Some(binary) = part.downcast_ref::<BinaryExpr>() else { return false };
    let column = binary.left().downcast_ref::<Column>().is_some_and(|column| column.index() == number);
    let limit = binary.right().downcast_ref::<Literal>().and_then(|literal| match literal.value() {
        ScalarValue::UInt64(limit) => *limit,
        _ => None,
    });
    column && matches!((binary.op(), limit), (Operator::Eq | Operator::LtEq, Some(1)) | (Operator::Lt, Some(2)))
}

/// `looked_at` tells which columns of the numbered rows are looked at.
fn read(
    window: &BoundedWindowAggExec,
    looked_at: &[bool],
    numbered: &StandardWindowExpr,
    layers: &Layers,
    join: &HashJoinExec,
    plain: &Arc<dyn ExecutionPlan>,
) -> Result<Arc<dyn ExecutionPlan>, Stop> {
    use datafusion::physical_expr::window::WindowExpr;
    let groups: Vec<Expr> = numbered.partition_by().iter().map(|by| layers.through(by)).collect::<Result<_>>()?;
    let left_is_grain = match join.join_type() {
        JoinType::Left => true,
        JoinType::Right => false,
        JoinType::Inner => groups.iter().all(|group| side(group, &(0..lefts(join))) == Side::Grain),
        other => return stop(format!("it is a {other} join; LEFT and INNER joins are recognised")),
    };
    let sides = Join::new(join, left_is_grain)?;
    let input = window.input().schema();
    // The row's columns: the partition's, and what is wanted of the source.
    let (mut places, mut wanted) = (Vec::new(), Vec::<Expr>::new());
    for (index, field) in input.fields().iter().enumerate() {
        if !looked_at[index] {
            places.push(None);
            continue;
        }
        let expr = layers.through(&(Arc::new(Column::new(field.name(), index)) as Expr))?;
        let known = groups.iter().position(|group| **group == *expr);
        places.push(Some(match (known, side(&expr, &sides.grain_columns)) {
            (Some(group), _) => group,
            (None, Side::Source) => {
                wanted.push(expr);
                groups.len() + wanted.len() - 1
            }
            _ => {
                return stop(format!("it takes {} from the numbered rows, which is not in PARTITION BY", shown(&expr)));
            }
        }));
    }
    let whole = join.join_schema();
    // Rows that ORDER BY leaves equal are told apart by their values: the same answer whatever the order of rows.
    let mut order: Vec<PhysicalSortExpr> = Vec::new();
    let asked = numbered.order_by().iter().map(|by| Ok(PhysicalSortExpr::new(layers.through(&by.expr)?, by.options)));
    let ties = wanted.iter().map(|expr| Ok(PhysicalSortExpr::new_default(Arc::clone(expr))));
    for by in asked.chain(ties).collect::<Result<Vec<_>>>()? {
        if order.iter().all(|known| *known.expr != *by.expr) {
            order.push(by);
        }
    }
    let mut functions = Vec::new();
    for (n, expr) in wanted.iter().enumerate() {
        if expr.data_type(whole)?.is_nested() {
            return stop(format!("it takes {} from the numbered rows, a {}", shown(expr), expr.data_type(whole)?));
        }
        let first = AggregateExprBuilder::new(first_value_udaf(), vec![Arc::clone(expr)]).schema(Arc::clone(whole));
        let function = Arc::new(first.order_by(order.clone()).alias(format!("first{n}")).build()?);
        let arguments = [vec![Arc::clone(expr)], order.iter().map(|by| Arc::clone(&by.expr)).collect()].concat();
        functions.push(Function { function, arguments, filter: None });
    }
    let group = |(n, group): (usize, &Expr)| {
        Ok(Arc::new(group.return_field(whole)?.as_ref().clone().with_name(format!("group{n}"))))
    };
    let mut fields: Vec<FieldRef> = groups.iter().enumerate().map(group).collect::<Result<_>>()?;
    fields.extend(functions.iter().map(|function| function.function.field()));
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let names = groups.iter().map(|group| (Arc::clone(group), shown(group))).collect::<Vec<_>>();
    let reading = Reading::new(sides, *join.join_type() == JoinType::Inner, &[]);
    let Some(rows) = reading.read(join.filter(), &names, functions, &schema)?.finished(&schema) else {
        return stop("PARTITION BY leaves out a key of the join");
    };
    let column = |(place, field): (Option<usize>, &FieldRef)| -> Result<(Expr, String)> {
        let expr: Expr = match place {
            Some(place) => Arc::new(Column::new(schema.field(place).name(), place)),
            None => Arc::new(Literal::new(ScalarValue::try_new_null(field.data_type())?)),
        };
        Ok((expr, field.name().clone()))
    };
    let mut columns: Vec<(Expr, String)> = places.into_iter().zip(input.fields()).map(column).collect::<Result<_>>()?;
    let number = Arc::new(Literal::new(ScalarValue::UInt64(Some(1))));
    columns.push((number, window.schema().field(input.fields().len()).name().clone()));
    Ok(Arc::new(ProjectionExec::try_new(columns, Arc::new(rows.in_place_of(plain)))?))
}
