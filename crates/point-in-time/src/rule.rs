//! The optimizer rule.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::udaf::AggregateFunctionExpr;

use crate::exec::PointInTimeExec;
use crate::recognise::{Found, recognise};
use crate::shape::Method;

/// Puts [`PointInTimeExec`] in the place of point-in-time joins.  It has to come before all other physical rules, which
/// change the shape that it looks for.
#[derive(Debug, Default)]
pub struct PointInTimeRule {
    resumable: Vec<String>,
}

impl PointInTimeRule {
    /// `resumable` names the aggregate functions whose accumulators stay whole when they are asked for their state, and
    /// whose state does not depend on the order of rows; their windows slide.
    pub fn new(resumable: &[&str]) -> Self {
        Self { resumable: resumable.iter().map(|name| (*name).to_owned()).collect() }
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        let Some(last) = plan.downcast_ref::<AggregateExec>() else {
            return Ok(Transformed::no(plan));
        };
        let Some(partial) = last.input().downcast_ref::<AggregateExec>() else {
            return Ok(Transformed::no(plan));
        };
        let Found::This(found) = recognise(partial, &self.resumable)? else {
            return Ok(Transformed::no(plan));
        };
        Ok(Transformed::yes(finished(last, found)?))
    }
}

impl PhysicalOptimizerRule for PointInTimeRule {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(|plan| self.rewrite(plan))?.data)
    }

    fn name(&self) -> &str {
        "point_in_time"
    }

    /// A distinct count is finished by MAX, which says of itself that it may be NULL.
    fn schema_check(&self) -> bool {
        false
    }
}

/// The final aggregate over the operator.
fn finished(last: &AggregateExec, found: Arc<PointInTimeExec>) -> Result<Arc<dyn ExecutionPlan>> {
    let mut functions: Vec<Arc<AggregateFunctionExpr>> = last.aggr_expr().to_vec();
    for (function, aggregate) in functions.iter_mut().zip(&found.shape().aggregates) {
        if aggregate.method == Method::Distinct {
            let count = Arc::new(Literal::new(ScalarValue::Int64(None)));
            let greatest = AggregateExprBuilder::new(max_udaf(), vec![count]).schema(last.input_schema());
            *function = Arc::new(greatest.alias(function.name()).build()?);
        }
    }
    let plan = AggregateExec::try_new(
        *last.mode(),
        last.group_expr().clone(),
        functions,
        last.filter_expr().to_vec(),
        found,
        last.input_schema(),
    )?;
    Ok(Arc::new(plan))
}
