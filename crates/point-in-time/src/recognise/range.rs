//! A join that holds two times of the source against the grain's moment: what is valid at the moment, say.

use std::sync::Arc;

use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, IsNullExpr};
use datafusion::physical_expr::utils::split_conjunction;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, utils::JoinFilter};

use super::join::{Join, columns};
use super::{Found, Stop, stop};
use crate::expressions::{Expr, comparison, place};
use crate::range::{RangeJoinExec, Second, Shape};
use crate::shape::{Bound, Comparison, Window};

/// Looks at a join.
pub fn range(join: &HashJoinExec) -> Result<Found<RangeJoinExec>> {
    let Some(filter) = join.filter() else { return Ok(Found::Other) };
    let left_is_grain = *join.join_type() != JoinType::Right;
    let read = Join::new(join, left_is_grain).and_then(|sides| read(join, sides, filter));
    match read {
        Ok(None) => Ok(Found::Other),
        Ok(Some(found)) => Ok(Found::This(found)),
        Err(error) => Found::of(Err(error)),
    }
}

/// `time OP moment [OR time IS NULL]`, both of their own side.
struct Held {
    time: Expr,
    comparison: Comparison,
    moment: Expr,
    or_null: bool,
}

fn read(join: &HashJoinExec, sides: Join, filter: &JoinFilter) -> Result<Option<RangeJoinExec>, Stop> {
    let condition = sides.condition(filter)?;
    let mut held = Vec::new();
    for part in split_conjunction(&condition) {
        let (compared, null) = without_null(part);
        let Some((time, comparison, moment)) = comparison(compared, &sides.grain_columns) else { continue };
        if null.is_some_and(|null| **null != *time) {
            continue;
        }
        let (time, moment) = (sides.of_source(&time)?, sides.of_grain(&moment)?);
        if sides.are_times(&time, &moment)? {
            held.push(Held { time, comparison, moment, or_null: null.is_some() });
        }
    }
    let ends = |held: &&Held| !held.or_null && !matches!(held.comparison, Comparison::After | Comparison::From);
    let Some(first) = held.iter().find(ends).or(held.iter().find(|held| !held.or_null)) else { return Ok(None) };
    let time = Arc::clone(&first.time);
    let (mut window, mut moments, mut second) = (Window::default(), Vec::new(), None);
    for Held { time: other, comparison, moment, or_null } in &held {
        let moment = place(&mut moments, Arc::clone(moment));
        let bound = Bound { comparison: *comparison, moment };
        if **other == *time && !or_null {
            window.bounds.push(bound);
        } else if second.is_none() {
            second = Some((Arc::clone(other), Second { bound, or_null: *or_null }));
        }
    }
    let one_sided = |bound: &Bound| matches!(bound.comparison, Comparison::Before | Comparison::UpTo);
    let other_sided = |bound: &Bound| matches!(bound.comparison, Comparison::After | Comparison::From);
    if second.is_none() && (window.bounds.iter().all(one_sided) || window.bounds.iter().all(other_sided)) {
        return stop(
            "no GROUP BY stands right over the join (what describes the source belongs into a query of its own)",
        );
    }
    if !matches!(join.join_type(), JoinType::Left | JoinType::Right | JoinType::Inner) {
        return stop(format!("it is a {} join; LEFT and INNER joins are recognised", join.join_type()));
    }
    let (grain_keys, source_keys) = sides.keys()?;
    let (time, (second_time, second)) = (vec![time], second.unzip());
    let shape = Shape {
        outer: *join.join_type() != JoinType::Inner,
        left_is_grain: sides.grain_columns.start == 0,
        keys: grain_keys.len(),
        moments: moments.len(),
        times: 1 + second_time.iter().len(),
        window,
        second,
        filter: filter.clone(),
    };
    let all = |side: &Arc<dyn ExecutionPlan>| -> Vec<Expr> {
        let column = |(n, field): (usize, &datafusion::arrow::datatypes::FieldRef)| -> Expr {
            Arc::new(Column::new(field.name(), n))
        };
        side.schema().fields().iter().enumerate().map(column).collect()
    };
    let grain = columns("g", Arc::clone(sides.grain), [grain_keys, moments, all(sides.grain)].concat())?;
    let source = columns(
        "s",
        Arc::clone(sides.source),
        [source_keys, time, second_time.into_iter().collect(), all(sides.source)].concat(),
    )?;
    Ok(Some(RangeJoinExec::new(shape, Arc::clone(join.join_schema()), grain, source)))
}

/// `part OR column IS NULL` as its two sides.
fn without_null(part: &Expr) -> (&Expr, Option<&Expr>) {
    let Some(either) = part.downcast_ref::<BinaryExpr>().filter(|binary| *binary.op() == Operator::Or) else {
        return (part, None);
    };
    let null = |side: &'_ Expr| side.downcast_ref::<IsNullExpr>().map(IsNullExpr::arg).cloned();
    match (null(either.left()), null(either.right())) {
        (None, Some(_)) => (either.left(), either.right().downcast_ref::<IsNullExpr>().map(IsNullExpr::arg)),
        (Some(_), None) => (either.right(), either.left().downcast_ref::<IsNullExpr>().map(IsNullExpr::arg)),
        _ => (part, None),
    }
}
