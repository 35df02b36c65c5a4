//! The optimizer rule.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExprRef;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::utils::split_conjunction;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

use crate::exec::FrequentRowsExec;

/// Puts [`FrequentRowsExec`] below aggregates of which only groups of at least so many rows are kept.  It has to come
/// before the rules that move filters and split aggregates.
#[derive(Debug)]
pub struct FrequentGroupsRule {
    small: usize,
}

impl Default for FrequentGroupsRule {
    fn default() -> Self {
        Self { small: 1 << 16 }
    }
}

impl FrequentGroupsRule {
    /// Up to how many rows counting is not worth it (65,536 unless this says otherwise).
    pub fn with_small(self, small: usize) -> Self {
        Self { small }
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        let Some(filter) = plan.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(plan)) };
        let Some(last) = filter.input().downcast_ref::<AggregateExec>() else { return Ok(Transformed::no(plan)) };
        let first = match last.mode() {
            AggregateMode::Single | AggregateMode::SinglePartitioned => Some(last),
            _ => last.input().downcast_ref::<AggregateExec>().filter(|first| *first.mode() == AggregateMode::Partial),
        };
        let Some((first, least)) = first.zip(least_rows(filter.predicate(), last)) else {
            return Ok(Transformed::no(plan));
        };
        let schema = first.input().schema();
        let keys: Vec<PhysicalExprRef> = first.group_expr().input_exprs();
        let mut plain = first.group_expr().is_single() && !keys.is_empty();
        for key in &keys {
            plain &= !key.data_type(&schema)?.is_nested();
        }
        if !plain {
            return Ok(Transformed::no(plan));
        }
        let rows = FrequentRowsExec::new(Arc::clone(first.input()), keys, least, self.small);
        let aggregate = with_input(filter.input(), Arc::new(rows), first.mode() == last.mode())?;
        Ok(Transformed::yes(replaced(&plan, aggregate)?))
    }
}

impl PhysicalOptimizerRule for FrequentGroupsRule {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(|plan| self.rewrite(plan))?.data)
    }

    fn name(&self) -> &str {
        "frequent_groups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The aggregate, in one stage or two, over `rows`.
fn with_input(
    aggregate: &Arc<dyn ExecutionPlan>,
    rows: Arc<dyn ExecutionPlan>,
    one_stage: bool,
) -> Result<Arc<dyn ExecutionPlan>> {
    if one_stage {
        return replaced(aggregate, rows);
    }
    let first = Arc::clone(aggregate.children()[0]);
    replaced(aggregate, replaced(&first, rows)?)
}

fn replaced(plan: &Arc<dyn ExecutionPlan>, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    Arc::clone(plan).replace_children(vec![input], ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
}

/// How many rows a group has at least if `having` is to be true of it; None where that is fewer than two, or not said.
fn least_rows(having: &PhysicalExprRef, aggregate: &AggregateExec) -> Option<u64> {
    let of_group = aggregate.group_expr().expr().len();
    let counts_rows = |expr: &PhysicalExprRef| {
        let place = expr.downcast_ref::<Column>()?.index().checked_sub(of_group)?;
        let (function, filter) = (aggregate.aggr_expr().get(place)?, aggregate.filter_expr().get(place)?);
        let arguments = function.expressions();
        let all =
            matches!(&arguments[..], [one] if one.downcast_ref::<Literal>().is_some_and(|one| !one.value().is_null()));
        (function.fun().name() == "count" && !function.is_distinct() && filter.is_none() && all).then_some(())
    };
    let number = |expr: &PhysicalExprRef| match expr.downcast_ref::<Literal>()?.value() {
        ScalarValue::Int64(Some(number)) => u64::try_from(*number).ok(),
        _ => None,
    };
    let least = |part: &PhysicalExprRef| {
        let part = part.downcast_ref::<BinaryExpr>()?;
        let (count, operator, number) = match number(part.right()) {
            Some(number) => (part.left(), *part.op(), number),
            None => (part.right(), part.op().swap()?, number(part.left())?),
        };
        counts_rows(count)?;
        match operator {
            Operator::Gt => number.checked_add(1),
            Operator::GtEq | Operator::Eq => Some(number),
            _ => None,
        }
    };
    split_conjunction(having).into_iter().filter_map(least).max().filter(|least| *least > 1)
}
