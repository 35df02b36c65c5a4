//! The optimizer rule.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, exec_err, internal_datafusion_err};
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::udaf::AggregateFunctionExpr;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

use crate::exec::PointInTimeExec;
use crate::range::RangeJoinExec;
use crate::recognise::{Found, aggregate, first_row, range};
use crate::shape::Method;

/// Puts [`PointInTimeExec`] and [`RangeJoinExec`] in the place of point-in-time joins.  It has to
/// come before all other physical rules, which change the shape that it looks for.
#[derive(Debug)]
pub struct PointInTimeRule {
    resumable: Vec<String>,
    small: usize,
}

impl Default for PointInTimeRule {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl PointInTimeRule {
    /// `resumable` names the aggregate functions whose accumulators stay whole when they are asked for their state, and
    /// whose state does not depend on the order of rows; their windows slide.
    pub fn new(resumable: &[&str]) -> Self {
        Self { resumable: resumable.iter().map(|name| (*name).to_owned()).collect(), small: 1 << 16 }
    }

    /// Of how many rows a source may be made, as far as statistics tell, to be held whole against the grain in range joins
    /// (65,536 unless this says otherwise).
    pub fn with_small(self, small: usize) -> Self {
        Self { small, ..self }
    }

    /// The operator that stands for `plain`, with other `inputs`: what [`PointInTimeExec::plain`] or
    /// [`RangeJoinExec::plain`] said, on another machine say.  Of a range join, `small` is what it said of its source.
    ///
    /// # Errors
    /// Where it is not recognised again, as by a rule of another version.
    pub fn restored(
        &self,
        plain: Arc<dyn ExecutionPlan>,
        small: bool,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut found: Option<Arc<dyn ExecutionPlan>> = None;
        self.optimize(plain, &ConfigOptions::new())?.apply(|node| {
            let range = node.downcast_ref::<RangeJoinExec>();
            if range.is_none() && !node.is::<PointInTimeExec>() {
                return Ok(TreeNodeRecursion::Continue);
            }
            found = Some(match range {
                Some(range) => Arc::new(range.again().held(small)),
                None => Arc::clone(node),
            });
            Ok(TreeNodeRecursion::Stop)
        })?;
        match found {
            Some(found) => {
                found.replace_children(inputs, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
            }
            None => exec_err!("a plan is no longer recognised as a point-in-time join"),
        }
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        if let Some(last) = plan.downcast_ref::<AggregateExec>()
            && let Some(partial) = last.input().downcast_ref::<AggregateExec>()
            && let Found::This(found) = aggregate(partial, &self.resumable)?
        {
            return Ok(Transformed::yes(match found.finished(&last.schema()) {
                Some(finished) => Arc::new(finished.in_place_of(&plan)),
                None => with_last(last, Arc::new(found.in_place_of(&plan)))?,
            }));
        }
        if let Some(filter) = plan.downcast_ref::<FilterExec>()
            && let Found::This(rows) = first_row(filter, &plan)?
        {
            return Ok(Transformed::yes(
                plan.replace_children(vec![rows], ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))?,
            ));
        }
        Ok(Transformed::no(plan))
    }

    /// The joins that are left.
    fn rewrite_join(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        match plan.downcast_ref::<HashJoinExec>().map(range).transpose()? {
            Some(Found::This(found)) => {
                Ok(Transformed::yes(Arc::new(found.in_place_of(&plan).with_small(self.small)?)))
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}

impl PhysicalOptimizerRule for PointInTimeRule {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        // From above: what is made of a join decides what becomes of it.
        let plan = plan.transform_down(|plan| self.rewrite(plan))?.data;
        Ok(plan.transform_down(|plan| self.rewrite_join(plan))?.data)
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
fn with_last(last: &AggregateExec, found: Arc<PointInTimeExec>) -> Result<Arc<dyn ExecutionPlan>> {
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

/// The plan that an operator stands for, with no rows under its join.
pub(crate) fn plain(plan: Option<&Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = plan.ok_or_else(|| internal_datafusion_err!("it does not know in whose place it stands"))?;
    let without_rows = |plan: Arc<dyn ExecutionPlan>| {
        if !plan.is::<HashJoinExec>() {
            return Ok(Transformed::no(plan));
        }
        let empty = |input: &Arc<dyn ExecutionPlan>| Arc::new(EmptyExec::new(input.schema())) as _;
        let inputs = plan.children().into_iter().map(empty).collect();
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        Ok(Transformed::new(plan.replace_children(inputs, options)?, true, TreeNodeRecursion::Jump))
    };
    Ok(Arc::clone(plan).transform_down(without_rows)?.data)
}
