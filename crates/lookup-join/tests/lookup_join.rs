//! The lookup join against DataFusion's hash join: the same rows, in the order of those that ask.
//!
//! A case is one shop of random tables under one query of `lookup_join/`: keys that are NULL, equal in part ((1, 12) and
//! (11, 2)) or there several times, tables without rows, and conditions beside the keys.

#[path = "../../point-in-time/tests/halves/mod.rs"]
mod halves;
mod asking;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::displayable;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect};
use datafusion::prelude::SessionContext;
use lookup_join::{LookupJoinExec, LookupJoinRule, TableSideRule};
use tokio::runtime::Runtime;

use crate::asking::tables;

fn session(seed: u64, partitions: usize, lookup: bool, memory: usize) -> SessionContext {
    let mut rules = PhysicalOptimizer::new().rules;
    if lookup {
        rules.insert(rules.len() - 1, Arc::new(LookupJoinRule));
        let sides = rules.iter().position(|rule| rule.name() == "join_selection").unwrap();
        rules.insert(sides + 1, Arc::new(TableSideRule));
    }
    let context = halves::session(partitions, 100, rules, memory, tables(seed));
    let state = context.state_ref();
    // As selvedge has it: with joins dealt out by key there is nothing to look up in.
    state.write().config_mut().options_mut().optimizer.repartition_joins = false;
    context
}

/// The plan as text, and the answer.
fn answer(
    runtime: &Runtime,
    context: &SessionContext,
    query: &str,
) -> datafusion::error::Result<(String, RecordBatch)> {
    runtime.block_on(async {
        let plan = context.sql(query).await?.create_physical_plan().await?;
        let shown = displayable(plan.as_ref()).indent(false).to_string();
        let batches = datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx()).await?;
        Ok((shown, concat_batches(&plan.schema(), &batches)?))
    })
}

#[test]
fn a_lookup_answers_as_the_hash_join() {
    let runtime = Runtime::new().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 8);
    for (seed, partitions) in [(1, 1), (2, 2), (3, 8)] {
        let [hash, lookup] = [false, true].map(|lookup| session(seed, partitions, lookup, usize::MAX));
        for file in &files {
            let query = std::fs::read_to_string(file).unwrap();
            let (plan, expected) = answer(&runtime, &hash, &query).unwrap();
            assert!(plan.contains("HashJoinExec") && !plan.contains("LookupJoinExec"), "{plan}");
            let (plan, found) = answer(&runtime, &lookup, &query).unwrap();
            let left_alone = query.starts_with("-- left alone");
            assert_eq!(plan.contains("LookupJoinExec"), !left_alone, "{}\n{plan}", file.display());
            assert!(expected.num_rows() > 0);
            assert_eq!(expected, found, "{}, {partitions} partitions\n{plan}", file.display());
        }
    }
}

/// The table is asked of the memory pool, and the refusal says who asked.
#[test]
fn a_table_that_does_not_fit_is_refused() {
    let runtime = Runtime::new().unwrap();
    let query = "SELECT a.*, o.name AS found FROM asking a LEFT JOIN often o ON o.shop = a.shop AND o.size = a.size";
    let error = answer(&runtime, &session(1, 2, true, 20_000), query).unwrap_err();
    assert!(error.to_string().contains("LookupJoinExec"), "{error}");
}

/// What an operator says of itself is all that is needed to make it again; it has as many parts as its rows then come in.
#[test]
fn a_lookup_is_made_again_of_what_it_says() {
    let runtime = Runtime::new().unwrap();
    let context = session(1, 2, true, usize::MAX);
    let query = "SELECT a.*, o.name AS found FROM asking a LEFT JOIN known o ON o.shop = a.shop AND o.size = a.size";
    let plan = runtime.block_on(async { context.sql(query).await?.create_physical_plan().await }).unwrap();
    let parts = |plan: &Arc<dyn ExecutionPlan>| plan.output_partitioning().partition_count();
    let again = |one: bool| {
        let again = |node: Arc<dyn ExecutionPlan>| {
            let Some(lookup) = node.downcast_ref::<LookupJoinExec>() else { return Ok(Transformed::no(node)) };
            let [table, asking] = [0, 1].map(|input| Arc::clone(node.children()[input]));
            let asking = if one { Arc::new(CoalescePartitionsExec::new(asking)) } else { asking };
            Ok(Transformed::yes(LookupJoinRule.restored(&lookup.plain()?, vec![table, asking])?))
        };
        let again = Arc::clone(&plan).transform_up(again).unwrap();
        assert!(again.transformed);
        again.data
    };
    assert_eq!([parts(&plan), parts(&again(false)), parts(&again(true))], [2, 2, 1]);
    let [expected, found] = [Arc::clone(&plan), again(false)].map(|plan| {
        let batches = runtime.block_on(collect(Arc::clone(&plan), context.task_ctx())).unwrap();
        // Parts come in any order.
        let text = pretty_format_batches(&batches).unwrap().to_string();
        let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
        rows.sort_unstable();
        rows
    });
    assert!(expected == found, "rows differ");
}
