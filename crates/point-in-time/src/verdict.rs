//! What became of the aggregates over joins in a plan, for people.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

use crate::recognise::{Found, recognise};

/// One aggregate over a join with conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The aggregates' names.
    pub aggregates: Vec<String>,
    /// The part of the query that is in the way; without one, the operator is used.
    pub in_the_way: Option<String>,
}

/// Looks at a plan as the planner makes it before any physical rule.
pub fn verdicts(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    plan.apply(|plan| {
        if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
            let in_the_way = match recognise(aggregate, &[])? {
                Found::Other => return Ok(TreeNodeRecursion::Continue),
                Found::NotThis(reason) => Some(reason),
                Found::This(_) => None,
            };
            let aggregates = aggregate.aggr_expr().iter().map(|function| function.name().to_owned()).collect();
            verdicts.push(Verdict { aggregates, in_the_way });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(verdicts)
}
