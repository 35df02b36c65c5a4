//! The lookup join against DataFusion's hash join: the same rows, in the order of those that ask.
//!
//! A case is one shop of random tables under one query of `lookup_join/`: keys that are NULL, equal in part ((1, 12) and
//! (11, 2)) or there several times, tables without rows, and conditions beside the keys.

#[path = "../../point-in-time/tests/halves/mod.rs"]
mod halves;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use lookup_join::LookupJoinRule;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;

const SHOPS: i64 = 100;

fn session(seed: u64, partitions: usize, lookup: bool, memory: usize) -> SessionContext {
    let mut rules = PhysicalOptimizer::new().rules;
    if lookup {
        rules.insert(rules.len() - 1, Arc::new(LookupJoinRule));
    }
    let context = halves::session(partitions, 100, rules, memory, tables(seed));
    let state = context.state_ref();
    // As selvedge has it: with joins dealt out by key there is nothing to look up in.
    state.write().config_mut().options_mut().optimizer.repartition_joins = false;
    context
}

/// Rows that ask; what they look up, mostly one row a key; the same with keys that come often; and nothing.
fn tables(seed: u64) -> Vec<(&'static str, RecordBatch)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut table = |rows: usize| {
        let (mut shops, mut a, mut b, mut names, mut sizes) = (vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..rows {
            let pair = [(1, 12), (11, 2), (1, 2), (11, 12)][random.gen_range(0..4)];
            shops.push(random.gen_bool(0.95).then(|| random.gen_range(0..SHOPS)));
            a.push(random.gen_bool(0.95).then_some(pair.0));
            b.push(random.gen_bool(0.95).then_some(pair.1));
            names.push(random.gen_bool(0.9).then(|| format!("name {}", random.gen_range(0..40))));
            sizes.push(random.gen_bool(0.9).then(|| random.gen_range(-3..9)));
        }
        let columns: [(&str, ArrayRef); 5] = [
            ("shop", Arc::new(Int64Array::from(shops))),
            ("a", Arc::new(Int64Array::from(a))),
            ("b", Arc::new(Int64Array::from(b))),
            ("name", Arc::new(StringArray::from(names))),
            ("size", Arc::new(Int64Array::from(sizes))),
        ];
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    };
    vec![("asking", table(10_000)), ("known", table(150)), ("often", table(900)), ("nothing", table(0))]
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
