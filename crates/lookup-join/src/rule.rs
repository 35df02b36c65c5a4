//! The optimizer rule.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};

use crate::exec::LookupJoinExec;

/// Puts [`LookupJoinExec`] in the place of hash joins that keep all rows of the side that is not hashed.  It has to come
/// after the rules that choose the sides, and that move projections and filters into a join.
#[derive(Debug, Default)]
pub struct LookupJoinRule;

impl PhysicalOptimizerRule for LookupJoinRule {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let lookup = |plan: Arc<dyn ExecutionPlan>| match plan.downcast_ref::<HashJoinExec>() {
            Some(join) if is_lookup(join)? => Ok(Transformed::yes(Arc::new(LookupJoinExec::new(join)) as _)),
            _ => Ok(Transformed::no(plan)),
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
