//! What becomes of the joins with a time in a plan, for people.

use std::sync::Arc;

use datafusion::common::Result as Planned;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};

use crate::recognise::{Found, Reason, aggregate, first_row, range};

/// How a join runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Aggregates over windows, in one pass.
    Windows,
    /// Of each moment the first or last row, in one pass.
    FirstRow,
    /// Rows whose times fit, found by their order.
    Range,
    /// As DataFusion runs it, and the part of the query that is in the way.
    RowByRow(Reason),
}

/// Looks at a plan as the planner makes it before any physical rule.
pub fn verdicts(plan: &Arc<dyn ExecutionPlan>) -> Planned<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    // What was said of the next join by what is made of it: nothing, that it is taken care of, or what is in the way.
    let mut above: Option<Result<(), Reason>> = None;
    plan.apply(|plan| {
        if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            let said = above.take();
            match range(join)? {
                _ if said == Some(Ok(())) => {}
                Found::This(_) => verdicts.push(Verdict::Range),
                Found::NotThis(reason) if said.is_none() => verdicts.push(Verdict::RowByRow(reason)),
                _ => verdicts.extend(said.and_then(Result::err).map(Verdict::RowByRow)),
            }
            return Ok(TreeNodeRecursion::Continue);
        }
        if plan.is::<NestedLoopJoinExec>() {
            above = None;
            verdicts.push(Verdict::RowByRow("it joins by no key".into()));
            return Ok(TreeNodeRecursion::Continue);
        }
        let found = if let Some(found) = plan.downcast_ref::<AggregateExec>() {
            aggregate(found, &[])?.map(|_| Verdict::Windows)
        } else if let Some(found) = plan.downcast_ref::<FilterExec>() {
            first_row(found, plan)?.map(|_| Verdict::FirstRow)
        } else {
            Found::Other
        };
        match found {
            Found::This(verdict) => {
                verdicts.push(verdict);
                above = Some(Ok(()));
            }
            Found::NotThis(reason) => above = Some(Err(reason)),
            Found::Other => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(verdicts)
}
