//! Plain DataFusion sessions, with and without our rules, over tables in two parts.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::prelude::{SessionConfig, SessionContext};

pub type Rules = Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>;

/// A session that may hold `memory` bytes, or as many as it likes if that is `usize::MAX`, over `tables`.
pub fn session(
    partitions: usize,
    batch_size: usize,
    rules: Rules,
    memory: usize,
    tables: Vec<(&'static str, RecordBatch)>,
) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(batch_size);
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let mut runtime = RuntimeEnvBuilder::new();
    // A pool says that it has a limit, however large, and operators then wait for each other.
    if memory < usize::MAX {
        runtime = runtime.with_memory_pool(Arc::new(GreedyMemoryPool::new(memory)));
    }
    let runtime = runtime.build_arc().unwrap();
    let state = SessionStateBuilder::new().with_default_features().with_config(config);
    let state = state.with_runtime_env(runtime).with_physical_optimizer_rules(rules).build();
    let context = SessionContext::new_with_state(state);
    for (name, batch) in tables {
        let half = batch.num_rows() / 2;
        let parts = vec![vec![batch.slice(0, half)], vec![batch.slice(half, batch.num_rows() - half)]];
        context.register_table(name, Arc::new(MemTable::try_new(batch.schema(), parts).unwrap())).unwrap();
    }
    context
}
