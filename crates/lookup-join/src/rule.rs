//! The optimizer rules.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, NullEquality, Result, Statistics, exec_err};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use crate::exec::{LookupJoinExec, over};

/// Puts [`LookupJoinExec`] in the place of hash joins that keep all rows of the side that is not hashed.  It has to come
/// after the rules that choose the sides, and that move projections and filters into a join.
#[derive(Debug, Default)]
pub struct LookupJoinRule;

impl PhysicalOptimizerRule for LookupJoinRule {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let lookup = |plan: Arc<dyn ExecutionPlan>| match lookup(&plan)? {
            Some(lookup) => Ok(Transformed::yes(Arc::new(lookup) as _)),
            None => Ok(Transformed::no(plan)),
        };
        Ok(plan.transform_up(lookup)?.data)
    }

    fn name(&self) -> &str {
        "lookup_join"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Has LEFT JOINs hash the table that rows are looked up in, and not the rows that ask, where statistics do not say which is
/// smaller: what asks is read in a stream then, however much is looked up for it.  It comes right after the rule that chooses
/// sides by statistics, which leaves such joins as they are written.
#[derive(Debug, Default)]
pub struct TableSideRule;

impl PhysicalOptimizerRule for TableSideRule {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let swapped = |plan: Arc<dyn ExecutionPlan>| match plan.downcast_ref::<HashJoinExec>() {
            Some(join) if hashes_what_asks(join)? => {
                Ok(Transformed::yes(join.swap_inputs(PartitionMode::CollectLeft)?))
            }
            _ => Ok(Transformed::no(plan)),
        };
        Ok(plan.transform_up(swapped)?.data)
    }

    fn name(&self) -> &str {
        "table_side"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A LEFT JOIN whose left side is hashed although it may be the larger.
fn hashes_what_asks(join: &HashJoinExec) -> Result<bool> {
    if *join.join_type() != JoinType::Left || *join.partition_mode() != PartitionMode::CollectLeft {
        return Ok(false);
    }
    let statistics = StatisticsContext::new();
    let [left, right] =
        [join.left(), join.right()].map(|side| statistics.compute(side.as_ref(), &StatisticsArgs::new()));
    let (left, right) = (left?, right?);
    let known =
        |of: fn(&Statistics) -> &Precision<usize>| of(&left).get_value().is_some() && of(&right).get_value().is_some();
    Ok(!known(|side| &side.total_byte_size) && !known(|side| &side.num_rows))
}

impl LookupJoinRule {
    /// The operator that stands for `plain`, with other `inputs`: what [`LookupJoinExec::plain`] said, on another machine
    /// say.
    ///
    /// # Errors
    /// Where it is no lookup, as for a rule of another version.
    pub fn restored(
        &self,
        plain: &Arc<dyn ExecutionPlan>,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match lookup(&over(plain, inputs)?)? {
            Some(lookup) => Ok(Arc::new(lookup)),
            None => exec_err!("a plan is no longer recognised as a lookup"),
        }
    }
}

fn lookup(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<LookupJoinExec>> {
    let Some(join) = plan.downcast_ref::<HashJoinExec>() else { return Ok(None) };
    Ok(is_lookup(join)?.then(|| LookupJoinExec::new(join, plan)))
}

fn is_lookup(join: &HashJoinExec) -> Result<bool> {
    let schema = join.left.schema();
    for (key, _) in &join.on {
        if key.data_type(&schema)?.is_nested() {
            return Ok(false);
        }
    }
    Ok(*join.join_type() == JoinType::Right
        && *join.partition_mode() == PartitionMode::CollectLeft
        && join.null_equality() == NullEquality::NullEqualsNothing
        && join.fetch().is_none())
}
