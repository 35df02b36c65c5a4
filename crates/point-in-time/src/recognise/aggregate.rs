//! GROUP BY over a join.

use std::sync::Arc;

use datafusion::common::{JoinType, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::joins::HashJoinExec;

use super::join::{Join, Layers, lefts};
use super::windows::{Function, Reading};
use super::{Found, Stop, stop};
use crate::exec::PointInTimeExec;
use crate::expressions::{Expr, Side, side};

/// Looks at a partial aggregate; `resumable` names functions whose accumulators may be asked for their state more than
/// once.
pub fn aggregate(aggregate: &AggregateExec, resumable: &[String]) -> Result<Found<PointInTimeExec>> {
    if *aggregate.mode() != AggregateMode::Partial {
        return Ok(Found::Other);
    }
    match Layers::to_join(aggregate.input()) {
        Some((layers, join)) if join.filter().is_some() => Found::of(read(aggregate, &layers, join, resumable)),
        _ => Ok(Found::Other),
    }
}

fn read(
    aggregate: &AggregateExec,
    layers: &Layers,
    join: &HashJoinExec,
    resumable: &[String],
) -> Result<PointInTimeExec, Stop> {
    if !aggregate.group_expr().is_single() {
        return stop("it has grouping sets, or no GROUP BY");
    }
    let named = |(group, name): &(Expr, String)| Ok((layers.through(group)?, name.clone()));
    let groups: Vec<(Expr, String)> = aggregate.group_expr().expr().iter().map(named).collect::<Result<_>>()?;
    let left_is_grain = match join.join_type() {
        JoinType::Left => true,
        JoinType::Right => false,
        // The side of most groups; one of the other side is then in the way.
        JoinType::Inner => {
            let of = |wanted: Side| groups.iter().filter(|(group, _)| side(group, &(0..lefts(join))) == wanted).count();
            of(Side::Grain) >= of(Side::Source)
        }
        other => return stop(format!("it is a {other} join; LEFT and INNER joins are recognised")),
    };
    let mut functions = Vec::new();
    for (function, filter) in aggregate.aggr_expr().iter().zip(aggregate.filter_expr()) {
        let all = function.all_expressions();
        let through = |exprs: &[Expr]| exprs.iter().map(|expr| layers.through(expr)).collect::<Result<Vec<_>>>();
        functions.push(Function {
            function: Arc::clone(function),
            arguments: [through(&all.args)?, through(&all.order_by_exprs)?].concat(),
            filter: filter.as_ref().map(|filter| layers.through(filter)).transpose()?,
        });
    }
    let inner = *join.join_type() == JoinType::Inner;
    let reading = Reading::new(Join::new(join, left_is_grain)?, inner, resumable);
    reading.read(join.filter(), &groups, functions, &aggregate.schema())
}
