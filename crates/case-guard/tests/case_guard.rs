//! Guarded CASEs against DataFusion's own: the same values, and a guard just where it is safe.

#[path = "../../point-in-time/tests/halves/mod.rs"]
mod halves;

use std::sync::Arc;

use case_guard::CaseGuardRule;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::displayable;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::runtime::Runtime;

/// Expressions over `a`, `b` (numbers) and `t` (a text), each of which may be missing.
const GUARDED: [&str; 5] = [
    "CASE WHEN a = 1 THEN b WHEN b > 3 THEN a END",
    "CASE WHEN a IS NULL THEN 'none' WHEN t = 'x' AND NOT b < 2 THEN t WHEN b IS NULL THEN 'b' END",
    "CASE WHEN a IS DISTINCT FROM b THEN 1 WHEN t <> 'x' OR a >= 4 THEN 2 END",
    // What is worked out for a condition's rows alone may fail on others.
    "CASE WHEN a = 0 THEN NULL WHEN a > 3 THEN 10 / a END",
    "COALESCE(CASE WHEN a = 1 THEN b WHEN b = 1 THEN a END, -1)",
];

/// One condition, an ELSE, a CASE over a value, and a condition that fails on rows that the first keeps from it.
const LEFT_ALONE: [&str; 4] = [
    "CASE WHEN a = 1 THEN b END",
    "CASE WHEN a = 1 THEN b WHEN b > 3 THEN a ELSE 7 END",
    "CASE a WHEN 1 THEN b WHEN 2 THEN 5 END",
    "CASE WHEN a = 0 THEN 0 WHEN 10 / a > 3 THEN 1 END",
];

fn rows() -> RecordBatch {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut number =
        || (0..5_000).map(|_| random.gen_bool(0.9).then(|| random.gen_range(0..6))).collect::<Int64Array>();
    let (a, b) = (number(), number());
    let texts: StringArray = (0..5_000).map(|row| ["x", "y", "z"].get(row % 4).copied()).collect();
    let numbers = Int64Array::from_iter_values(0..5_000);
    let columns: [(&str, ArrayRef); 4] =
        [("n", Arc::new(numbers)), ("a", Arc::new(a)), ("b", Arc::new(b)), ("t", Arc::new(texts))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

#[test]
fn a_guard_changes_no_value() {
    let runtime = Runtime::new().unwrap();
    let answer = |guarded: bool, expression: &str| {
        let mut rules = PhysicalOptimizer::new().rules;
        if guarded {
            rules.insert(rules.len() - 1, Arc::new(CaseGuardRule));
        }
        let context = halves::session(2, 100, rules, usize::MAX, vec![("rows", rows())]);
        runtime.block_on(async {
            let query = format!("SELECT n, {expression} AS value FROM rows ORDER BY n");
            let plan = context.sql(&query).await.unwrap().create_physical_plan().await.unwrap();
            let shown = displayable(plan.as_ref()).indent(false).to_string();
            let batches = datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx()).await.unwrap();
            (shown, concat_batches(&plan.schema(), &batches).unwrap())
        })
    };
    for (expression, is_guarded) in
        GUARDED.iter().map(|case| (case, true)).chain(LEFT_ALONE.iter().map(|case| (case, false)))
    {
        let ((plain, expected), (guarded, found)) = (answer(false, expression), answer(true, expression));
        assert_eq!(plain != guarded, is_guarded, "{expression}\n{guarded}");
        assert_eq!(expected, found, "{expression}");
    }
}
