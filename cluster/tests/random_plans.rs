//! The cases of the operators' own tests as plans.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use lookup_join::{LookupJoinRule, TableSideRule};
use selvedge_engine::elsewhere::for_slices;
use selvedge_engine::{point_in_time_rule, register_functions};

use crate::{asking, halves, shops};

/// Queries with the names of their files.
pub fn queries(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut queries: Vec<_> = paths.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect();
    queries.sort();
    queries
}

/// A session with our rules over random shops; of one that is `sliced`, as the engine has it where there is a cluster.
pub fn session_of_shops(seed: u64, partitions: usize, small: usize, sliced: bool) -> SessionContext {
    let mut rules = PhysicalOptimizer::new().rules;
    rules.insert(0, Arc::new(point_in_time_rule().with_small(small)));
    let context = halves::session(partitions, 1000, rules, usize::MAX, shops::tables(seed));
    register_functions(&context);
    slice(&context, sliced);
    context
}

/// A session with lookup joins over random rows that ask.
pub fn session_of_asking(seed: u64, partitions: usize) -> SessionContext {
    let mut rules = PhysicalOptimizer::new().rules;
    rules.insert(rules.len() - 1, Arc::new(LookupJoinRule));
    let sides = rules.iter().position(|rule| rule.name() == "join_selection").unwrap();
    rules.insert(sides + 1, Arc::new(TableSideRule));
    let context = halves::session(partitions, 100, rules, usize::MAX, asking::tables(seed));
    slice(&context, true);
    context.state_ref().write().config_mut().options_mut().optimizer.repartition_joins = false;
    context
}

fn slice(context: &SessionContext, sliced: bool) {
    let state = context.state_ref();
    if sliced {
        for_slices(&mut state.write().config_mut().options_mut().optimizer);
    }
}

pub async fn plan(context: &SessionContext, query: &str) -> Arc<dyn ExecutionPlan> {
    context.sql(query).await.unwrap().create_physical_plan().await.unwrap()
}

/// The rows of an answer in an order that only depends on them.
pub fn in_order(batches: &[RecordBatch], plan: &Arc<dyn ExecutionPlan>) -> RecordBatch {
    let whole = concat_batches(&plan.schema(), batches).unwrap();
    if whole.num_columns() == 0 || whole.num_rows() == 0 {
        return whole;
    }
    let fields = whole.schema().fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
    let rows = RowConverter::new(fields).unwrap().convert_columns(whole.columns()).unwrap();
    let rows = Arc::new(rows.try_into_binary().unwrap());
    let order = lexsort_to_indices(&[SortColumn { values: rows, options: None }], None).unwrap();
    take_record_batch(&whole, &order).unwrap()
}
