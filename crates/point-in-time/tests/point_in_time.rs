//! The one-pass operator against the plan that DataFusion makes without it: every value the same, bit for bit.
//!
//! A case is one shop of a random table under one query of `point_in_time/seen/`: keys that are NULL, equal in part
//! ((1, 12) and (11, 2)), or hold half of all rows; times that are NULL, tied, negative, a microsecond or days apart;
//! grains with rows twice, and sides without rows.

mod halves;
mod shops;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::displayable;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use point_in_time::{PointInTimeExec, PointInTimeRule, RangeJoinExec, Verdict, verdicts};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;

use crate::shops::{SHOPS, tables};

fn queries(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut queries: Vec<_> =
        paths.map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect();
    queries.sort();
    assert!(!queries.is_empty());
    queries
}

fn session(seed: u64, partitions: usize, first: Option<PointInTimeRule>) -> SessionContext {
    let mut rules = PhysicalOptimizer::new().rules;
    if let Some(first) = first {
        rules.insert(0, Arc::new(first));
    }
    let context = halves::session(partitions, 1000, rules, usize::MAX, tables(seed));
    sql_functions::register(&context);
    context
}

/// The plan as text, and the answer.
fn answer(runtime: &Runtime, context: &SessionContext, query: &str) -> (String, RecordBatch) {
    runtime.block_on(async {
        let plan = context.sql(query).await.unwrap().create_physical_plan().await.unwrap();
        let shown = displayable(plan.as_ref()).indent(false).to_string();
        let batches = datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx()).await.unwrap();
        (shown, concat_batches(&plan.schema(), &batches).unwrap())
    })
}

fn is_quick(plan: &str) -> bool {
    plan.contains("PointInTimeExec") || plan.contains("RangeJoinExec")
}

#[test]
fn the_operator_answers_as_the_plain_plan() {
    let runtime = Runtime::new().unwrap();
    let (mut cases, mut held) = (0, [0, 0]);
    for (seed, partitions) in [(1, 1), (2, 2), (3, 8)] {
        let plain = session(seed, partitions, None);
        let rule = || PointInTimeRule::new(&["vector_mean"]);
        // A range join of a source that is small, and of one that is split like the grain.
        let quick = [rule(), rule().with_small(0)].map(|rule| session(seed, partitions, Some(rule)));
        for (file, query) in queries("seen") {
            let (plan, expected) = answer(&runtime, &plain, &query);
            assert!(!is_quick(&plan));
            for (way, context) in quick.iter().enumerate() {
                let (plan, found) = answer(&runtime, context, &query);
                assert!(is_quick(&plan), "{file} is not recognised:\n{plan}");
                assert_eq!(expected.num_rows(), found.num_rows(), "{file}, {partitions} partitions\n{plan}");
                for (n, field) in expected.schema().fields().iter().enumerate() {
                    let place = format!("{file}: {}, {partitions} partitions", field.name());
                    assert_eq!(expected.column(n), found.column(n), "{place}");
                }
                held[way] += usize::from(plan.contains("small source"));
                if !plan.contains("RangeJoinExec") {
                    break;
                }
            }
            cases += SHOPS;
        }
    }
    assert!(cases >= 10_000, "{cases} cases");
    assert!(held[0] > 0 && held[1] == 0, "{held:?} sources were held whole");
}

/// A plan whose operators are taken for the plain plans in whose places they stand, and are recognised anew.
fn restored(plan: Arc<dyn ExecutionPlan>, rule: &PointInTimeRule) -> Arc<dyn ExecutionPlan> {
    let restore = |plan: Arc<dyn ExecutionPlan>| {
        let (plain, small) = if let Some(operator) = plan.downcast_ref::<PointInTimeExec>() {
            (operator.plain()?, false)
        } else if let Some(operator) = plan.downcast_ref::<RangeJoinExec>() {
            (operator.plain()?, operator.is_small())
        } else {
            return Ok(Transformed::no(plan));
        };
        let inputs = plan.children().into_iter().cloned().collect();
        Ok(Transformed::yes(rule.restored(plain, small, inputs)?))
    };
    let restored = plan.transform_up(restore).unwrap();
    assert!(restored.transformed);
    restored.data
}

/// What an operator says of itself is all that is needed to make it again, on another machine say.
#[test]
fn operators_are_made_again_of_what_they_say() {
    let runtime = Runtime::new().unwrap();
    for small in [1 << 16, 0] {
        let rule = || PointInTimeRule::new(&["vector_mean"]).with_small(small);
        let context = session(5, 2, Some(rule()));
        for (file, query) in queries("seen") {
            // A plan that has run cannot run again, and parts come in any order.
            let planned =
                || runtime.block_on(async { context.sql(&query).await.unwrap().create_physical_plan().await }).unwrap();
            let again = restored(planned(), &PointInTimeRule::new(&["vector_mean"]));
            let [(plan, expected), (again, found)] = [planned(), again].map(|plan| {
                let shown = displayable(plan.as_ref()).indent(false).to_string();
                let batches = runtime.block_on(collect(plan, context.task_ctx())).unwrap();
                let text = pretty_format_batches(&batches).unwrap().to_string();
                let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
                rows.sort_unstable();
                (shown, rows)
            });
            assert_eq!(plan, again, "{file}");
            assert!(expected == found, "{file}: rows differ");
        }
    }
}

/// With hardly any memory the same comes out, by way of the disk.
#[test]
fn without_memory_the_operators_spill() {
    let runtime = Runtime::new().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut numbers = |most: i64, count: usize| -> Vec<i64> { (0..count).map(|_| random.gen_range(0..most)).collect() };
    let mut table = |count: usize, names: [&'static str; 4]| {
        let columns =
            [numbers(9_000, count), numbers(1 << 40, count), numbers(1 << 20, count), numbers(1 << 30, count)];
        let columns =
            names.into_iter().zip(columns).map(|(name, values)| (name, Arc::new(Int64Array::from(values)) as ArrayRef));
        RecordBatch::try_from_iter(columns).unwrap()
    };
    let (grain, events) = (table(140_000, ["k", "as_of", "n", "m"]), table(400_000, ["k", "at", "v", "long"]));
    let queries = [
        "SELECT g.k, g.as_of, g.n, g.m, COUNT(*), SUM(e.v), MAX(e.at), last_value(e.v ORDER BY e.at, e.v)
         FROM g LEFT JOIN e ON e.k = g.k AND e.at < g.as_of GROUP BY g.k, g.as_of, g.n, g.m",
        "SELECT g.k, g.as_of, g.n, e.at, e.v FROM g LEFT JOIN e ON e.k = g.k AND e.at < g.as_of AND e.at + e.long * 8 > g.as_of",
    ];
    for query in queries {
        let mut answers = Vec::new();
        for limit in [None, Some(12 << 20)] {
            let config = SessionConfig::new().with_target_partitions(2);
            let mut runtime_env = RuntimeEnvBuilder::new();
            if let Some(limit) = limit {
                runtime_env = runtime_env.with_memory_pool(Arc::new(FairSpillPool::new(limit)));
            }
            let mut rules = PhysicalOptimizer::new().rules;
            rules.insert(0, Arc::new(PointInTimeRule::default()));
            let builder = SessionStateBuilder::new().with_default_features().with_config(config);
            let builder = builder.with_runtime_env(runtime_env.build_arc().unwrap());
            let context = SessionContext::new_with_state(builder.with_physical_optimizer_rules(rules).build());
            for (name, batch) in [("g", &grain), ("e", &events)] {
                let parts = (0..batch.num_rows())
                    .step_by(8192)
                    .map(|from| batch.slice(from, 8192.min(batch.num_rows() - from)));
                let parts = vec![parts.collect()];
                context.register_table(name, Arc::new(MemTable::try_new(batch.schema(), parts).unwrap())).unwrap();
            }
            let plan =
                runtime.block_on(async { context.sql(query).await.unwrap().create_physical_plan().await.unwrap() });
            let batches =
                runtime.block_on(datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx())).unwrap();
            let answer = concat_batches(&plan.schema(), &batches).unwrap();
            let by = |column: &ArrayRef| SortColumn { values: Arc::clone(column), options: None };
            let order = lexsort_to_indices(&answer.columns().iter().map(by).collect::<Vec<_>>(), None).unwrap();
            answers.push(take_record_batch(&answer, &order).unwrap());
            let shown = DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string();
            let operator = shown.lines().find(|line| is_quick(line)).unwrap();
            assert_eq!(operator.contains("spill_count=0"), limit.is_none(), "{operator}");
        }
        assert_eq!(answers[0], answers[1]);
    }
}

/// What runs as before says which part of the query is in the way; each file begins with it.
#[test]
fn what_is_not_recognised_says_why() {
    let runtime = Runtime::new().unwrap();
    let (plain, quick) = (session(1, 2, None), session(1, 2, Some(PointInTimeRule::default())));
    let unplanned = SessionStateBuilder::new_from_existing(plain.state()).with_physical_optimizer_rules(vec![]).build();
    for (file, query) in queries("left_alone") {
        let wanted = query.lines().next().unwrap().trim_start_matches("-- ");
        let logical = runtime.block_on(plain.sql(&query)).unwrap().into_unoptimized_plan();
        let plan = runtime.block_on(unplanned.create_physical_plan(&logical)).unwrap();
        let found = verdicts(&plan).unwrap();
        assert!(matches!(&found[..], [Verdict::RowByRow(reason)] if reason.contains(wanted)), "{file}: {found:?}");
        assert!(!is_quick(&answer(&runtime, &quick, &query).0), "{file}");
    }
}
