//! A DataFusion session as this engine wants it.

use std::sync::Arc;

use case_guard::CaseGuardRule;
use datafusion::error::Result;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use frequent_groups::FrequentGroupsRule;
use lookup_join::{LookupJoinRule, TableSideRule};
use point_in_time::PointInTimeRule;
use selvedge_project::params;

use super::elsewhere;
use super::memory_pool::SpillPool;

/// Point-in-time joins in one pass; vector_mean adds whole numbers, so its windows can slide.
pub fn point_in_time_rule() -> PointInTimeRule {
    PointInTimeRule::new(&["vector_mean"])
}

/// Into so many parts a limit of memory is cut, one for each sort that merges.
const SORTS: usize = 64;

/// A session without tables or own functions.
pub fn open(params: &params::Engine) -> Result<SessionContext> {
    // One part alone is no slice of a cluster.
    let partitions = params.partitions.max(1 + usize::from(params.cluster.is_some()));
    let mut config = SessionConfig::new().with_target_partitions(partitions).with_information_schema(false);
    config.options_mut().sql_parser.collect_spans = true;
    // One string type everywhere: Utf8 in, Utf8 out, whatever the path a column takes.
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    config.options_mut().execution.parquet.schema_force_view_types = false;
    // The smaller side of a join is put into one table that all processors look up: dealing out the rows of the larger
    // side by their keys costs more than that.
    config.options_mut().optimizer.repartition_joins = false;
    if params.cluster.is_some() {
        elsewhere::for_slices(&mut config.options_mut().optimizer);
    }
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(limit) = params.memory_limit {
        // What each sort puts aside for merging what it moved to disk.
        let merging = &mut config.options_mut().execution.sort_spill_reservation_bytes;
        *merging = (*merging).min(limit / SORTS);
        runtime = runtime.with_memory_pool(Arc::new(SpillPool::new(limit)));
    }
    let mut rules = PhysicalOptimizer::new().rules;
    rules.insert(0, Arc::new(point_in_time_rule()));
    // Few groups of many are asked for where rows that stand there twice are looked for.  It counts what it reads: of a
    // slice that would be too few.
    if params.cluster.is_none() {
        rules.insert(1, Arc::new(FrequentGroupsRule::default()));
    }
    let sides = rules.iter().position(|rule| rule.name() == "join_selection");
    rules.insert(sides.map_or(0, |place| place + 1), Arc::new(TableSideRule));
    // What is looked up by key comes to its rows, and a CASE leaves those alone that are none of its cases: neither is
    // copied.  The last rule only checks the plan.
    let last = rules.len() - 1;
    rules.splice(last..last, [Arc::new(LookupJoinRule) as _, Arc::new(CaseGuardRule) as _]);
    let state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_physical_optimizer_rules(rules);
    Ok(SessionContext::new_with_state(state.build()))
}

/// The session as it plans before any physical rule, which is when point-in-time joins are looked for.
pub fn without_rules(state: &SessionState) -> SessionState {
    SessionStateBuilder::new_from_existing(state.clone()).with_physical_optimizer_rules(Vec::new()).build()
}

/// What becomes of a configuration where queries are of few rows and their plans are run again and again: one part, and no
/// filters that a running plan makes for itself.
pub fn for_few_rows(config: &mut SessionConfig) {
    let options = config.options_mut();
    options.execution.target_partitions = 1;
    let optimizer = &mut options.optimizer;
    optimizer.enable_dynamic_filter_pushdown = false;
    optimizer.enable_join_dynamic_filter_pushdown = false;
    optimizer.enable_topk_dynamic_filter_pushdown = false;
    optimizer.enable_aggregate_dynamic_filter_pushdown = false;
}
